"""JSON, nearly JSON, and what is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from hypothesis import strategies as st

from pymoo.api.wire import error_portions, request_of, status_of
from pymoo.errors import OptionError
from pymoo.values_json import from_json, read_json, to_json, value_of
from pymoo.values_limits import UnusableValueError, ValueLimits
from tests.fuzz.mutating import mutated
from tests.fuzz.running import Check, Target
from tests.fuzz.values import assert_value, same
from tests.strategies import values

_ATOMS: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**31), 2**31 - 1),
    st.floats(),
    st.text(max_size=6),
    st.text(st.characters(max_codepoint=255), max_size=6),
    st.sampled_from(["E_PERM", "obj", "err", "#0", "#-1", "\ud800", "\n", "\0"]),
)
_NAMES: Final = st.one_of(
    st.sampled_from(
        "obj err args verb player source line timeout error_policy abort_policy value "
        "error log id".split()
    ),
    st.text(max_size=3),
)

DATA: Final[st.SearchStrategy[Any]] = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(_NAMES, inner, max_size=4),
        st.fixed_dictionaries({"obj": inner}),
        st.fixed_dictionaries({"err": inner}),
    ),
    max_leaves=15,
)
"""What Python's reader of JSON gives."""

GOOD: Final = tuple(
    json.dumps(each).encode()
    for each in (
        {"obj": "#0", "verb": "back", "args": [1, 2.5, "a", {"obj": 4}, []]},
        {"obj": {"obj": 0}, "verb": "fail", "player": "#3", "timeout": 0.5},
        {"player": "#3", "source": "return 1;", "error_policy": "rollback"},
        {"player": {"obj": 3}, "line": ";return 2;", "abort_policy": "keep"},
        {"value": [{"err": "E_PERM"}, {"err": 77}, -1, 1e100, "caf\u00e9"]},
        {"error": ["E_PERM", "no", 0], "log": "Traceback\n", "id": 1},
        [[[[]]]],
        {"task": "tests.jobs.work:note", "args": [1]},
    )
)

_TOKENS: Final = (
    *(
        b'{ } [ ] , : " null true 1e999 -0 1e-400 NaN Infinity 99999999999999999999 \\ '
        b'\\u0000 \\ud800 \\n {"obj":1} {"err":300} "timeout":-1 "timeout":1e999 \xff '
        b'\xef\xbb\xbf \x00 [[[[ 1.0e+1 {"obj":true} {"err":1.0} '
        b'"#99999999999999999999" '
        b'"player":"#3"'
    ).split(),
    b"9" * 5000,
    b"[" * 5000,
    b"1" + b"0" * 400 + b".5",
)

JSON_BYTES: Final = st.one_of(
    DATA.map(lambda data: json.dumps(data).encode()),
    DATA.map(
        lambda data: json.dumps(data, ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )
    ),
    mutated(GOOD, _TOKENS, line=b","),
    st.binary(max_size=30),
)

# A body, to which path it is posted, and a value to be written.
INPUTS: Final = st.tuples(
    JSON_BYTES,
    st.sampled_from(["call", "eval", "command"]),
    st.sampled_from([32, 64]),
    values(),
)


@contextmanager
def opened() -> Iterator[Check]:
    def check(data: tuple[bytes, str, int, Any]) -> None:
        body, path, width, value = data
        limits = ValueLimits(width, "latin-1")
        assert same(from_json(to_json(value), limits), value)
        try:
            found = read_json(body)
        except UnusableValueError as error:
            _check_error(error)
            return
        try:
            made = value_of(found, limits)
        except UnusableValueError as error:
            _check_error(error)
        else:
            assert_value(made, width=width)
            assert same(from_json(to_json(made), limits), made)
        try:
            asked = request_of(path, found, limits)
        except (UnusableValueError, OptionError) as error:
            _check_error(error)
        else:
            assert 0 <= asked.timeout_s <= 300

    yield check


def _check_error(error: UnusableValueError | OptionError) -> None:
    """What is answered says what is wrong, in few words."""
    text = "".join(error_portions(error))
    assert 400 <= status_of(error) < 500
    assert text.isascii()
    assert len(text) < 2000
    assert json.loads(text)["error"]["message"]


TARGET: Final = Target("json", INPUTS, opened)
