"""Values in the records of a segment: read as they were written, and not larger."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pymoo.db import journal_values
from pymoo.db.journal_values import LONG_LIST, LONG_TEXT, ValueReader, ValueWriter
from pymoo.db.objects import CLEAR
from pymoo.db.saved import UNSET, CatchMark, FinallyMark
from pymoo.errors import InternalError
from pymoo.values import ERROR_CODES, ErrorCode, Obj


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to the bit, without recursion.

    Lists that were compared before are not gone into again, however often they occur.
    """
    seen: set[tuple[int, int]] = set()
    pending = [(one, other)]
    while pending:
        a, b = pending.pop()
        if type(a) is not type(b):
            return False
        if type(a) is tuple:
            if len(a) != len(b):
                return False
            if (id(a), id(b)) not in seen:
                seen.add((id(a), id(b)))
                pending += zip(a, b, strict=True)
        elif type(a) is float:
            if struct.pack(">d", a) != struct.pack(">d", b):
                return False
        elif type(a) in (CatchMark, FinallyMark):
            if a != b:
                return False
        elif a is not b and a != b:
            return False
    return True


def through(*values: Any) -> list[Any]:
    """Return values that went through records of one segment."""
    writer, reader = ValueWriter(), ValueReader()
    return [reader.from_bytes(writer.to_bytes(value)) for value in values]


texts = st.text(
    st.characters(max_codepoint=255, exclude_characters="\n"), max_size=20
) | st.integers(LONG_TEXT - 1, LONG_TEXT + 1).map(lambda length: "x" * length)

leaves = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(2**31), 2**31 - 1).map(Obj),
    texts,
    st.floats(),
    st.sampled_from(ERROR_CODES),
    st.integers(0, 300).map(ErrorCode),
    st.just(CLEAR),
    st.just(UNSET),
    st.integers(0, 5).map(CatchMark),
    st.integers(0, 500).map(FinallyMark),
)


@st.composite
def records(draw: st.DrawFn) -> list[Any]:
    """Values that share parts, within one and with one another."""
    things: list[Any] = draw(st.lists(leaves, min_size=1, max_size=8))
    for _ in range(draw(st.integers(0, 12))):
        picked = st.sampled_from(range(len(things)))
        count = draw(st.sampled_from([0, 1, 2, 3, LONG_LIST - 1, LONG_LIST, 40]))
        few = draw(st.lists(picked, min_size=1, max_size=4))
        things.append(tuple(things[few[n % len(few)]] for n in range(count)))
    chosen = draw(st.lists(st.sampled_from(range(len(things))), min_size=1, max_size=6))
    return [things[-1], *(things[place] for place in chosen)]


@given(records(), st.sampled_from([0, 1, 50, journal_values.MAX_REMEMBERED]))
@example([(math.nan, -math.nan, -0.0, 0.0, math.inf, -math.inf, 5e-324)], 0)
@example([("\r", "\x00", "\x85", "\x1c", "\xff", "")], 0)
@example([(), ((),), ("a",) * 2, ("",) * LONG_LIST, ("x" * LONG_TEXT,) * 3] * 2, 50)
def test_values_come_back_as_they_were(values: list[Any], remembered: int) -> None:
    before = journal_values.MAX_REMEMBERED
    journal_values.MAX_REMEMBERED = remembered  # type: ignore[misc]
    try:
        for value, again in zip(values, through(*values), strict=True):
            assert same(value, again)
    finally:
        journal_values.MAX_REMEMBERED = before  # type: ignore[misc]


@given(records(), st.integers(1, 7))
@example([()], 1)
@example([tuple(range(40)), ("a", 1), tuple(map(str, range(40)))], 3)
def test_in_however_many_portions_a_record_is_the_same(
    values: list[Any], portion: int
) -> None:
    whole, parted = ValueWriter(), ValueWriter()
    expected = [whole.to_bytes(value) for value in values]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_values, "PORTION", portion)
        assert [parted.to_bytes(value) for value in values] == expected


def test_a_portion_is_not_larger_than_it_has_to_be() -> None:
    """Lists of texts are one piece of many lines."""
    longest = []

    class Watched(ValueWriter):
        def _end_portion(self, lines: list[str]) -> None:
            longest.append(len(lines) + self._joined)
            super()._end_portion(lines)

    texts = tuple((f"a{n}", *("text",) * 10) for n in range(journal_values.PORTION))
    writer = Watched()
    data = writer.to_bytes((texts, tuple(range(3 * journal_values.PORTION))))
    assert data.count(b"\n") == sum(longest) - 1
    assert max(longest) < 2 * journal_values.PORTION


def test_many_short_lists_are_forgotten_as_well() -> None:
    """What they take in memory is mostly that they are remembered."""
    writer = ValueWriter()
    short = journal_values.MAX_REMEMBERED // 100
    for start in range(0, short, 1000):
        lists = tuple((n,) * LONG_LIST for n in range(start, start + 1000))
        data = writer.to_bytes(lists)
    assert len(writer._known) < short
    assert writer.to_bytes(()).startswith(b"-") or not data.startswith(b"-")


def test_what_is_no_value_is_refused_in_any_portion() -> None:
    many = (0,) * (3 * journal_values.PORTION)
    writer = ValueWriter()
    for wrong in ("a\nb", "\u20ac", object()):
        with pytest.raises(InternalError):
            writer.to_bytes((*many, wrong, *many))
    assert ValueReader().from_bytes(writer.to_bytes(many)) == many


@given(records())
def test_what_is_the_same_list_is_so_again(values: list[Any]) -> None:
    """So that what is read takes no more memory than what was written."""
    (again,) = through(tuple(values))
    assert lists_in(again) <= lists_in(values)


def lists_in(values: Sequence[Any]) -> int:
    """Return how many lists there are that have others in them or are long."""
    found: dict[int, Any] = {}
    pending = list(values)
    while pending:
        value = pending.pop()
        if type(value) is tuple and id(value) not in found:
            nests = any(type(each) is tuple for each in value)
            if nests or len(value) >= LONG_LIST:
                found[id(value)] = value
            pending += value
    return len(found)


def test_lists_nested_100000_deep() -> None:
    value: Any = "in"
    for depth in range(100_000):
        value = (value, depth) if depth % 3 else (depth, value, value)
    (again,) = through(value)
    assert same(value, again)


def test_2_to_the_60_elements_are_60_lists() -> None:
    value: Any = ("x", 1)
    for _ in range(60):
        value = (value, value)
    data = ValueWriter().to_bytes(value)
    assert len(data) < 600
    again = ValueReader().from_bytes(data)
    assert same(value, again)


def test_2_to_the_60_long_lists_are_60_lists() -> None:
    value: Any = tuple(range(LONG_LIST))
    for _ in range(60):
        value = (value,) * LONG_LIST
    writer, reader = ValueWriter(), ValueReader()
    data = writer.to_bytes(value)
    assert len(data) < 60 * LONG_LIST * 5
    assert same(value, reader.from_bytes(data))
    # A later record means the same by one line.
    data = writer.to_bytes((1, value))
    assert len(data) < 20
    assert same((1, value), reader.from_bytes(data))


def test_a_long_text_is_written_once_in_a_segment() -> None:
    text = "t" * 1_000_000
    writer, reader = ValueWriter(), ValueReader()
    assert reader.from_bytes(writer.to_bytes((text, text))) == (text, text)
    data = writer.to_bytes((text,) * 20)
    assert len(data) < 200
    assert reader.from_bytes(data) == (text,) * 20


@given(records())
def test_the_size_of_a_record_is_that_of_the_memory(values: list[Any]) -> None:
    """A line for each place of each list, short lists of plain values apart."""
    data = ValueWriter().to_bytes(tuple(values))
    pending: list[Any] = [tuple(values)]
    seen: dict[int, Any] = {}
    room = 50
    while pending:
        value = pending.pop()
        is_list = type(value) is tuple
        if is_list and id(value) not in seen:
            seen[id(value)] = value
            plain = sum(
                LONG_LIST * (LONG_TEXT + 2) if type(each) is tuple else LONG_TEXT + 2
                for each in value
            )
            room += 30 + plain
            pending += value
    assert len(data) <= room


@pytest.mark.parametrize(
    "wrong", [None, True, [], b"", "a\nb", "\u0100", {}, ("a", "b\nc"), ("\ud800",)]
)
def test_what_is_no_value_is_refused_and_the_next_record_is_right(wrong: Any) -> None:
    long = tuple(range(LONG_LIST))
    writer, reader = ValueWriter(), ValueReader()
    assert reader.from_bytes(writer.to_bytes(long)) == long
    other = tuple(range(100, 100 + LONG_LIST))
    with pytest.raises(InternalError):
        writer.to_bytes((other, "y" * LONG_TEXT, wrong))
    for value in ((other, long), (long, other, "y" * LONG_TEXT)):
        assert reader.from_bytes(writer.to_bytes(value)) == value


def test_what_came_to_nothing_is_forgotten() -> None:
    long = tuple(range(LONG_LIST))
    writer, reader = ValueWriter(), ValueReader()
    writer.to_bytes(long)  # and the disk did not take it
    writer.forget()
    assert reader.from_bytes(writer.to_bytes((long, long))) == (long, long)


signs = st.sampled_from(list("i#\"ef([{'*+cuty-x \x00"))
numbers = st.sampled_from(
    ["0", "1", "2", "3", "-1", "16", "99999999999999999999", "9" * 5000, "", "x", "1_0"]
)
lines = st.tuples(signs, numbers | st.just("3ff0000000000000")).map("".join)


@given(st.lists(lines, max_size=30))
@example(["[1", "*0"])
@example(["{1", "+0"])
@example(["(3", "[2", "*0", "i1", "i1"])
@example(["-"])
@example([""])
@example(["(1", "-"])
def test_any_lines_are_a_value_or_a_value_error(text: list[str]) -> None:
    reader = ValueReader()
    for data in ("\n".join(text).encode(), b'(1\n"a', "\n".join(text[:-1]).encode()):
        try:
            reader.from_bytes(data)
        except ValueError:
            continue


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_a_value_error(data: bytes) -> None:
    try:
        ValueReader().from_bytes(data)
    except ValueError:
        return


@given(records(), st.data())
def test_a_changed_record_is_a_value_or_a_value_error(
    values: list[Any], data: st.DataObject
) -> None:
    record = bytearray(ValueWriter().to_bytes(tuple(values)))
    place = data.draw(st.integers(0, len(record) - 1))
    record[place] = data.draw(st.integers(0, 255))
    try:
        ValueReader().from_bytes(bytes(record))
    except ValueError:
        return


def test_no_line_of_a_record_begins_with_a_digit() -> None:
    """By which `journal_file` tells the heads of records from what is in them."""
    value = (1, -1, Obj(5), "5", "5" * LONG_TEXT, 0.5, (), ("1", "2"), (("3",),), CLEAR)
    value += (UNSET, CatchMark(1), FinallyMark(2), *ERROR_CODES)
    writer = ValueWriter()
    for record in (writer.to_bytes(value), writer.to_bytes((value, value))):
        assert not any(line[:1].isdigit() for line in record.split(b"\n"))
