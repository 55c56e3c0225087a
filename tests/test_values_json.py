"""Values as JSON."""

from __future__ import annotations

import json
import sys
import threading
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.server.main_loop import RECURSION_LIMIT
from pymoo.values import E_PERM, NOTHING, ErrorCode, Obj, Value
from pymoo.values_equality import equal
from pymoo.values_json import (
    _NESTING,
    MAX_READ_DEPTH,
    PORTION,
    from_json,
    is_too_deep,
    json_portions,
    read_json,
    to_json,
)
from pymoo.values_limits import UnusableValueError, ValueLimits
from tests.strategies import values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (-2147483648, "-2147483648"),
        (5.0, "5.0"),
        (1e16, "1e+16"),
        (0.1 + 0.2, "0.30000000000000004"),
        ('a"b\\\té', '"a\\"b\\\\\\t\\u00e9"'),
        (Obj(2), '{"obj": 2}'),
        (NOTHING, '{"obj": -1}'),
        (E_PERM, '{"err": "E_PERM"}'),
        (ErrorCode(77), '{"err": 77}'),
        ((), "[]"),
        ((1, (), ((2.0,),), 3), "[1, [], [[2.0]], 3]"),
    ],
)
def test_each_type_has_one_form(value: Value, text: str) -> None:
    assert to_json(value) == text
    back = from_json(text)
    assert type(back) is type(value)
    assert equal(back, value, exact_case=True)


@given(values())
def test_what_is_written_is_read_back_the_same(value: Value) -> None:
    text = to_json(value)
    json.loads(text)  # it is JSON to others as well
    back = from_json(text, ValueLimits(64))
    assert repr(back) == repr(value)


def test_a_float_stays_one_and_an_integer_too() -> None:
    back = from_json("[1, 1.0, 1e0]")
    assert [type(each) for each in back] == [int, float, float]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("true", "true is no value"),
        ("null", "null is no value"),
        ('{"obj": 1, "err": 2}', "is no value"),
        ('{"obj": "2"}', "is no value"),
        ('{"err": "E_NOPE"}', "is no value"),
        ('{"obj": 1, "obj": 2}', "two values for one name"),
        ('{"obj": true}', "is no value"),
        ("{}", "is no value"),
        ("NaN", "NaN is no number"),
        ("-Infinity", "is no number"),
        ("1e999", "only finite"),
        ("4294967296", "does not fit"),
        ("9" * 5000, ""),
        ('"\\u2603"', "does not have"),
        ('"\\n"', "one line"),
        ("[1", "line 1, column 3"),
        ("", "line 1, column 1"),
        ("[1] 2", "Extra data"),
        (b"\xff", "not JSON"),
    ],
)
def test_what_is_no_value_is_refused(text: str | bytes, complaint: str) -> None:
    with pytest.raises(UnusableValueError) as refusal:
        from_json(text)
    assert complaint in str(refusal.value)


def test_a_utf_8_world_takes_all_characters() -> None:
    limits = ValueLimits(32, "utf-8")
    assert from_json('"\\u2603 \\ud83d\\ude00"', limits) == "\u2603 \U0001f600"
    assert from_json(to_json("\u2603"), limits) == "\u2603"
    with pytest.raises(UnusableValueError):
        from_json('"\\ud800"', limits)


def test_a_latin_1_world_has_one_character_per_byte() -> None:
    every = "".join(map(chr, range(1, 256))).replace("\n", "").replace("\r", "")
    assert from_json(to_json(every)) == every


def test_lists_are_written_however_deep_they_are_nested() -> None:
    value: Value = ()
    for _ in range(100_000):
        value = (value,)
    assert to_json(value) == "[" * 100_001 + "]" * 100_001


def test_what_is_nested_too_deep_to_be_read_is_said_so() -> None:
    with pytest.raises(UnusableValueError, match="nested more than 2000 deep"):
        from_json("[" * 5_000_000 + "]" * 5_000_000)


def test_a_list_that_shares_its_parts_without_bound_can_be_left_in_the_middle() -> None:
    value: Value = (1, 2)
    for _ in range(200):
        value = (value, value)
    portions = json_portions(value)
    for _ in range(5):
        assert len(next(portions)) < 20 * PORTION


def test_an_infinite_float_of_a_damaged_database_is_not_written() -> None:
    with pytest.raises(UnusableValueError, match="no form in JSON"):
        to_json((1, float("inf")))


@pytest.mark.parametrize("number", [-129, 128, 2**40])
def test_an_error_has_a_number_of_one_byte(number: int) -> None:
    for known in (-128, 127):
        assert from_json(f'{{"err": {known}}}') == ErrorCode(known)
    with pytest.raises(UnusableValueError, match="from -128 to 127"):
        from_json(f'{{"err": {number}}}')


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("[" * MAX_READ_DEPTH + "]" * MAX_READ_DEPTH, False),
        ("[" * (MAX_READ_DEPTH + 1) + "]" * (MAX_READ_DEPTH + 1), True),
        ('{"a":' * (MAX_READ_DEPTH + 1), True),
        ("[" + "[]," * 2 * MAX_READ_DEPTH + "1]", False),
        ('"' + "[" * 2 * MAX_READ_DEPTH + '"', False),
        ('["\\"' + "[" * 2 * MAX_READ_DEPTH + '"]', False),
        ('["a\\\\", ' + "[" * 2 * MAX_READ_DEPTH, True),
        ('"' + "[" * 2 * MAX_READ_DEPTH, False),
        ('"' + "[" * 2 * MAX_READ_DEPTH + "\\", False),
    ],
)
def test_brackets_count_outside_of_strings(text: str, is_so: bool) -> None:
    assert is_too_deep(text) is is_so


@given(st.text(st.sampled_from('"\\[]{}a\n')))
def test_every_quote_is_in_one_of_the_parts_that_nesting_is_counted_by(
    text: str,
) -> None:
    """So no part of a text is looked at twice: as no part can fail to be found where
    it begins, the search for the next one goes on where the last one ends."""
    assert '"' not in _NESTING.sub("", text)


def test_a_string_without_end_is_looked_through_once() -> None:
    # With so many brackets the text is looked through at all.
    text = "[[" + "[]," * MAX_READ_DEPTH + '"' + '\\"' * 60_000
    began = process_time()
    assert not is_too_deep(text)
    with pytest.raises(UnusableValueError, match="Unterminated string"):
        read_json(text)
    # It takes milliseconds, and minutes if it begins again at each quote.
    assert process_time() - began < 10


def test_a_thread_with_a_small_stack_reads_what_may_be_read() -> None:
    """Though the limit of recursion is for threads with larger ones."""
    deep = "[" * MAX_READ_DEPTH + "]" * MAX_READ_DEPTH
    found: list[object] = []
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(RECURSION_LIMIT)
    try:
        thread = threading.Thread(target=lambda: found.append(read_json(deep)))
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(before)
    assert len(found) == 1
