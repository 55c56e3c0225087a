"""Values from one step to the next."""

from __future__ import annotations

import json
import math
from collections import OrderedDict, namedtuple
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.jobs import JobValueError, Task, chain, packing
from pymoo.jobs.packing import MAX_TEXT, pack, shown, unpack
from pymoo.values import E_PERM, ErrorCode, Obj
from pymoo.values_equality import equal
from tests.jobs import work
from tests.jobs.conftest import Jobs
from tests.strategies import scalars, values

DEPTH = 100_000

texts = st.text(st.characters(exclude_categories=["Cs"]))
kept: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        scalars,
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        texts,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(texts, inner, max_size=4),
        st.builds(
            Task,
            st.sampled_from(["tests.jobs.work:note", "chain"]),
            st.lists(inner, max_size=3).map(tuple),
            st.dictionaries(texts, inner, max_size=2),
            st.integers(1, 9),
        ),
    ),
    max_leaves=25,
)


def same(left: Any, right: Any) -> bool:
    """Equal, and of the same types all the way down."""
    if type(left) is not type(right):
        return False
    if isinstance(left, Task):
        return same(
            (left.function, left.version, left.arguments, left.keywords),
            (right.function, right.version, right.arguments, right.keywords),
        )
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(
            same(left[key], right[key]) for key in left
        )
    if isinstance(left, float):
        return left.hex() == right.hex()
    return bool(left == right)


@given(kept)
def test_o07_what_is_kept_comes_back_as_what_it_was(value: Any) -> None:
    assert same(unpack(pack(value)), value)


@given(values())
def test_o07_moo_values_come_back(value: Any) -> None:
    assert equal(unpack(pack(value)), value, exact_case=True)


@given(kept)
def test_o07_what_is_kept_is_json(value: Any) -> None:
    json.loads(pack(value))


@given(kept, st.integers(1, 200))
def test_o07_everything_can_be_shown(value: Any, limit: int) -> None:
    assert len(shown(value, limit)) <= limit + len("...") + 2 * limit


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((1, 2), "[1,2]"),
        ([1, 2], '{"list":[1,2]}'),
        ({"a": (None, True)}, '{"map":{"a":[null,true]}}'),
        (Obj(12), '{"obj":12}'),
        (E_PERM, '{"err":3}'),
        (0.1, "0.1"),
        (-0.0, "-0.0"),
        (1e16, "1e+16"),
        (2**63, '{"int":"0x8000000000000000"}'),
        ((), "[]"),
        ([[], {}], '{"list":[{"list":[]},{"map":{}}]}'),
        (
            work.hello("world"),
            '{"task":["tests.jobs.work:hello",1,["world"],{"map":{}}]}',
        ),
    ],
)
def test_o07_how_values_are_written(value: Any, text: str) -> None:
    assert pack(value) == text
    assert same(unpack(text), value)


def test_o07_unknown_errors_and_long_numbers_come_back() -> None:
    assert unpack(pack(ErrorCode(77))) is ErrorCode(77)
    assert unpack(pack(-(10**10_000))) == -(10**10_000)


@pytest.mark.parametrize("kind", ["tuple", "list", "dict", "task"])
def test_o07_nested_100_000_deep(kind: str) -> None:
    value: Any = ()
    for _ in range(DEPTH):
        match kind:
            case "tuple":
                value = (value, 1)
            case "list":
                value = [value]
            case "dict":
                value = {"k": value}
            case _:
                value = Task("tests.jobs.work:note", (value,))
    text = pack(value)
    found = unpack(text)
    assert pack(found) == text
    assert shown(value).endswith("...")
    depth = 0
    while found != ():
        found = (
            found.arguments[0]
            if isinstance(found, Task)
            else found["k"]
            if isinstance(found, dict)
            else found[0]
        )
        depth += 1
    assert depth == DEPTH


def test_o07_a_deep_argument_and_result_go_through_a_job(jobs: Jobs) -> None:
    value: Any = ()
    for _ in range(DEPTH):
        value = (value,)
    job = jobs.run(work.note(value))
    assert equal(job.result, value)
    assert equal(work.seen[0], value)
    assert job.json().count("[") >= 2 * DEPTH


def itself() -> list[Any]:
    found: list[Any] = []
    found.append((1, found))
    return found


def doubled(times: int) -> Any:
    value: Any = (0,)
    for _ in range(times):
        value = (value, value)
    return value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.inf, "inf is no number"),
        (-math.inf, "-inf is no number"),
        ((1, math.nan), "nan is no number"),
        (b"bytes", "a builtins.bytes cannot be kept"),
        (object(), "a builtins.object cannot be kept"),
        ({1, 2}, "a builtins.set cannot be kept"),
        (OrderedDict(), "a collections.OrderedDict cannot be kept"),
        (namedtuple("Pair", "a b")(1, 2), "Pair cannot be kept"),
        ({1: 2}, "a key that is a int"),
        ("\ud83d\ude00", "a character in two halves"),
        (itself(), "a list that contains itself"),
        ("x" * (MAX_TEXT + 1), "give the job the name of a file"),
        (Task("__main__:f"), "define it at the top of a module"),
        (chain([Task("m:f.<locals>.g")]), "could not be found by another process"),
    ],
)
def test_o07_what_cannot_be_kept_is_refused_with_its_reason(
    value: Any, reason: str
) -> None:
    with pytest.raises(JobValueError) as raised:
        pack(value)
    assert reason in str(raised.value)


def test_o07_what_is_shared_until_it_is_too_much_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packing, "MAX_TEXT", 100_000)
    with pytest.raises(JobValueError, match="more than 100,000 characters"):
        pack(doubled(40))


def test_o07_half_a_character_is_kept_where_it_stays_one() -> None:
    assert unpack(pack("a\udcff")) == "a\udcff"


def test_o07_what_is_shared_but_not_circular_is_kept() -> None:
    inner = [1]
    assert unpack(pack((inner, inner, ((), ())))) == ([1], [1], ((), ()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1",
        "1]",
        "[1]]",
        "1 2",
        "[1}",
        "{}",
        '{"list":[1]',
        '{"list":[1}',
        '{"list":[1]]',
        '{"map":{"a":}}',
        '{"map":{"a":1]}',
        '{"obj":x}',
        '{"obj":}',
        '{"int":"0xg"}',
        '{"task":["f",1,[]]}',
        '{"task":[1,1,[],{"map":{}}]}',
        '"open',
        "NaN",
        "[1,@]",
    ],
)
def test_o07_a_damaged_text_is_refused_with_its_column(text: str) -> None:
    with pytest.raises(JobValueError, match=r"column \d+: expected a value of a job"):
        unpack(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((1, "two", Obj(3), E_PERM, 4.0), '{1, "two", #3, E_PERM, 4.0}'),
        ([None, True, {}], "[none, true, []]"),
        ({"k": (), "l": {"m": 1}}, '["k" -> {}, "l" -> ["m" -> 1]]'),
        (work.hello("you"), 'tests.jobs.work:hello("you")'),
        (
            work.count_down(3, name="it"),
            'tests.jobs.work:count_down(3, ["name" -> "it"])',
        ),
        (object(), "<object>"),
        (10**50, f"{10**50:#x}"),
    ],
)
def test_o07_how_values_are_shown(value: Any, text: str) -> None:
    assert shown(value) == text
    assert shown((value,) * 50).endswith("...")


@pytest.mark.parametrize(
    "text",
    [
        ",[1]", "[1,]", "[,1]", "[1 ,2]", "[1][2]", "[1,,2]", "[[1]2]", "1,2", "1,",
        '{"map":{"a",1}}', '{"map":{"a":1,}}', '{"map":{"a":}}', '{"map":{1,2}}',
        '{"map":{"a":1,"a":2}}', '["a":1]', '{"map":{"a":"b":1}}', '"a":',
        "1e999", "-1e999", "9" * 20, "1.50", "1e5", "-0", "01", "1_0", "\u0661", "1E5",
        '{"obj":01}', '{"obj":1_0}', '{"err":-0}', '{"int":"0x1"}', '{"int":"12"}',
        '"\\u0041"', '"\u00e9"', '"\t"', '"\\/"', '{"list":[1]', '{"list":[1],}',
    ],
)  # fmt: skip
def test_no_other_spelling_is_read(text: str) -> None:
    with pytest.raises(JobValueError, match="expected a value of a job"):
        unpack(text)
