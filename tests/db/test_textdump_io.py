"""Lines, numbers, strings and values.

What is expected of damaged lines is what LambdaMOO 1.8.3 does with them.
"""

from __future__ import annotations

import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.db import textdump_io
from pymoo.db.objects import CLEAR
from pymoo.db.saved import UNSET, CatchMark, FinallyMark
from pymoo.db.textdump_io import (
    OLD_TYPE_NONE,
    TYPE_NONE,
    TextdumpReader,
    TextdumpWriter,
    float_line,
)
from pymoo.errors import InternalError, TextdumpError
from pymoo.values import E_PERM, ErrorCode, Obj
from pymoo.values_equality import equal


class Reading:
    """A reader of some bytes, with what it said about them."""

    def __init__(self, data, **settings):
        self.complaints = []
        self.remarks = []
        self.reader = TextdumpReader(
            io.BytesIO(data),
            "t.db",
            self.complaints.append,
            self.remarks.append,
            **settings,
        )

    def __getattr__(self, name):
        return getattr(self.reader, name)


def written(value):
    stream = io.BytesIO()
    writer = TextdumpWriter(stream)
    writer.add_value(value)
    writer.flush()
    return stream.getvalue()


@pytest.fixture(params=[1, 2, 7, 1 << 20], ids=lambda size: f"blocks of {size}")
def block_size(request, monkeypatch):
    """Lines, and what is read at once, end at any place of a block."""
    monkeypatch.setattr(textdump_io, "_BLOCK_BYTES", request.param)


# --- numbers --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("0", 0),
        ("-1", -1),
        ("+3", 3),
        ("007", 7),
        ("-0", 0),
        ("2147483647", 2**31 - 1),
        ("2147483648", -(2**31)),
        ("4294967299", 3),
        ("-4294967299", -3),
        ("999999999999999999", -1486618625),
    ],
)
def test_numbers_are_cut_to_32_bits_without_complaint(line, number):
    reading = Reading(f"{line}\nnext\n".encode())
    assert reading.read_number() == number
    assert reading.complaints == []
    assert reading.read_string() == "next"


def test_numbers_of_64_bits_are_read_where_the_database_has_them():
    reading = Reading(b"0\n999999999999999999\n", int_bits=64)
    assert reading.read_value() == 999999999999999999


def test_permissions_are_cut_to_16_bits():
    reading = Reading(b"65541\n-1\n32768\n")
    assert [reading.read_number(bits=16) for _ in range(3)] == [5, -1, -32768]


@pytest.mark.parametrize(
    ("line", "number", "complaint"),
    [
        ("3x", 3, "3x\n"),
        ("abc", 0, "abc\n"),
        (" 3", 3, " 3\n"),
        ("3 ", 3, "3 \n"),
        ("", 0, "\n"),
        ("1_0", 1, "1_0\n"),
        ("0x10", 0, "0x10\n"),
        ("2.5", 2, "2.5\n"),
        ("+", 0, "+\n"),
        ("\xb2", 0, "\xb2\n"),
        ("1\x002", 1, "1"),
    ],
)
def test_what_is_no_number_is_complained_about_and_read_as_far_as_it_is(
    line, number, complaint
):
    data = f"{line}\nnext\n".encode("latin-1")
    reading = Reading(data)
    assert reading.read_number() == number
    assert reading.complaints == [
        f'DBIO_READ_NUM: Bad number: "{complaint}" at file pos. {len(line) + 1}'
    ]
    assert reading.read_string() == "next"


def test_a_number_takes_19_bytes_of_its_line_and_the_next_takes_the_rest():
    reading = Reading(b"1234567890123456789012\n5\n")
    assert reading.read_number() == 2112454933  # 1234567890123456789, cut
    assert reading.read_number() == 12
    assert reading.read_number() == 5
    assert reading.complaints == [
        'DBIO_READ_NUM: Bad number: "1234567890123456789" at file pos. 19'
    ]


def test_a_number_of_19_bytes_leaves_the_end_of_its_line_behind():
    reading = Reading(b"9223372036854775807\n5\n")
    assert reading.read_number() == -1
    assert reading.read_string() == ""
    assert reading.read_number() == 5


def test_a_number_too_large_for_64_bits_is_the_largest_that_is_not():
    reading = Reading(b"9999999999999999999\n")
    assert reading.read_number() == -1


def test_a_number_at_the_end_of_the_file_needs_its_line_feed():
    reading = Reading(b"5")
    assert reading.read_number() == 5
    assert reading.complaints == ['DBIO_READ_NUM: Bad number: "5" at file pos. 1']


def test_object_numbers_are_objects_even_where_they_are_odd():
    reading = Reading(b"12\n12\n012\n-1\n7x\n")
    objids = [reading.read_objid() for _ in range(5)]
    assert objids == [Obj(12), Obj(12), Obj(12), Obj(-1), Obj(7)]
    assert {type(objid) for objid in objids} == {Obj}
    assert objids[0] is objids[1]
    assert len(reading.complaints) == 1


# --- floats ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("3", 3.0),
        ("0.1000000000000000056", 0.1),
        ("-2.5e-3", -0.0025),
        ("25e-1", 2.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("+1E2", 100.0),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("1e999", math.inf),
        ("0x1F", 31.0),
        ("0x.8p1", 1.0),
        ("-0x1p99999", -math.inf),
    ],
)
def test_floats_may_be_spelt_as_strtod_takes_them(line, number):
    reading = Reading(f"{line}\n".encode())
    assert reading.read_float() == number
    assert reading.complaints == []


@pytest.mark.parametrize("line", ["nan", "NAN", "nan(123)", "-nan"])
def test_floats_may_be_no_numbers(line):
    reading = Reading(f"{line}\n".encode())
    number = reading.read_float()
    assert math.isnan(number)
    assert float_line(number) == ("-nan" if line[0] == "-" else "nan")
    assert reading.complaints == []


@pytest.mark.parametrize(
    ("line", "number"),
    [("2.5.5", 2.5), ("x", 0.0), ("1e", 1.0), (" 1.5", 1.5), ("1_0", 1.0), ("", 0.0)],
)
def test_what_is_no_float_is_complained_about(line, number):
    reading = Reading(f"{line}\n".encode())
    assert reading.read_float() == number
    assert reading.complaints == [
        f'DBIO_READ_FLOAT: Bad number: "{line}\n" at file pos. {len(line) + 1}'
    ]


def test_a_float_takes_39_bytes_of_its_line():
    reading = Reading(b"0." + b"0" * 40 + b"1\n5\n")
    assert reading.read_float() == 0.0
    assert reading.read_number() == 1
    assert reading.read_number() == 5


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (0.1, "0.1000000000000000056"),
        (3.0, "3"),
        (1e300, "1.000000000000000053e+300"),
        (-0.0, "-0"),
        (math.inf, "inf"),
        (1e15, "1000000000000000"),
    ],
)
def test_floats_are_written_with_19_digits(number, line):
    assert float_line(number) == line


@given(st.floats(allow_nan=False))
def test_every_float_is_read_back_as_it_was(number):
    reading = Reading(f"{float_line(number)}\n".encode())
    again = reading.read_float()
    assert again == number
    assert math.copysign(1, again) == math.copysign(1, number)
    assert reading.complaints == []


# --- strings --------------------------------------------------------------------


def test_strings_are_lines_of_any_bytes(block_size):
    lines = [bytes(set(range(256)) - {0, 10}), b"", b"x" * 5000, b"\r", b" a "]
    reading = Reading(b"".join(line + b"\n" for line in lines))
    assert [reading.read_string().encode("latin-1") for _ in lines] == lines


def test_the_last_line_needs_no_line_feed(block_size):
    assert Reading(b"abc").read_string() == "abc"


def test_short_strings_that_are_equal_are_one():
    reading = Reading(b"wizard\n2\nwizard\n4\n1\n2\nwizard\n")
    first = reading.read_string()
    assert reading.read_value() is first
    assert reading.read_value()[0] is first


def test_a_nul_ends_a_string_as_in_c(block_size):
    reading = Reading(b"abc\0def\n\0\nnext\n")
    assert [reading.read_string() for _ in range(3)] == ["abc", "", "next"]


def test_a_nul_in_a_long_line_leaves_what_fgets_has_not_read():
    reading = Reading(b"ab\0" + b"c" * 1020 + b"rest\n")
    assert reading.read_string() == "ab"
    assert reading.read_string() == "rest"


def test_long_lines_are_one_string_even_in_a_file_with_nuls():
    reading = Reading(b"\0\n" + b"c" * 3000 + b"\nnext\n")
    assert reading.read_string() == ""
    assert reading.read_string() == "c" * 3000
    assert reading.read_string() == "next"


@pytest.mark.parametrize(
    "read",
    ["read_string", "read_number", "read_objid", "read_float", "read_value"],
)
def test_beyond_the_end_nothing_is_read(read):
    reading = Reading(b"a\n")
    reading.read_string()
    reading.reader.place = "object #3"
    with pytest.raises(TextdumpError, match=r"^t\.db:2: object #3: expected .* ends"):
        getattr(reading, read)()


# --- values ---------------------------------------------------------------------


def test_values_of_every_type(block_size):
    value = (1, Obj(-1), "text", E_PERM, (), 2.5, ErrorCode(77), ("a", "b"), ((1,),))
    data = (
        b"4\n9\n0\n1\n1\n-1\n2\ntext\n3\n3\n4\n0\n9\n2.5\n3\n77\n"
        b"4\n2\n2\na\n2\nb\n4\n1\n4\n1\n0\n1\n"
    )
    assert written(value) == data
    reading = Reading(data)
    again = reading.read_value()
    assert equal(again, value, exact_case=True)
    assert reading.complaints == []


SCALARS = st.one_of(
    st.integers(-(2**31), 2**31 - 1),
    st.floats(),
    st.integers(-5, 10**6).map(Obj),
    st.integers(0, 20).map(ErrorCode),
    st.text(st.characters(max_codepoint=255, exclude_characters="\n\0")),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5).map(tuple), max_leaves=30
)


@given(st.lists(VALUES, max_size=4), st.integers(1, 40))
def test_any_values_are_read_back_as_they_were(values, block_bytes):
    data = b"".join(map(written, values))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(textdump_io, "_BLOCK_BYTES", block_bytes)
        reading = Reading(data, size=len(data))
        again = [reading.read_value() for _ in values]
    assert b"".join(map(written, again)) == data
    assert reading.complaints == []
    assert reading.position == len(data)


def test_values_nested_100_000_deep_are_read_and_written():
    data = b"4\n1\n" * 100_000 + b"0\n7\n"
    assert written(Reading(data).read_value()) == data


def test_very_long_lists_are_read_and_written():
    data = b"4\n100000\n" + b"".join(b"0\n%d\n" % n for n in range(100_000))
    assert written(Reading(data).read_value()) == data


def test_a_value_of_an_unknown_type_is_complained_about_and_reads_as_zero():
    reading = Reading(b"4\n2\n77\n2\nb\n5\n")
    assert reading.read_value() == (0, "b")
    assert reading.complaints == [
        "DBIO_READ_VAR: Unknown type (77) at DB file pos. 7",
    ]


@pytest.mark.parametrize("lines", [b"5\n", b"6\n", b"7\n3\n", b"8\n14\n"])
def test_marks_within_values_are_remarked_on_and_read_as_zero(lines):
    reading = Reading(b"4\n2\n" + lines + b"0\n1\n")
    assert reading.read_value() == (0, 1)
    assert reading.complaints == []
    (remark,) = reading.remarks
    assert remark.startswith("a value of type ")


def test_a_type_is_a_number_like_any_other():
    reading = Reading(b"4294967298\nabc\n2 \nabc\n")
    assert reading.read_value() == "abc"
    assert reading.complaints == []
    assert reading.read_value() == "abc"
    assert reading.complaints == ['DBIO_READ_NUM: Bad number: "2 \n" at file pos. 18']


def test_stacks_hold_marks_and_variables_may_be_unset():
    data = b"6\n7\n2\n8\n33\n4\n0\n"
    reading = Reading(data)
    entries = [reading.read_stack_entry() for _ in range(4)]
    assert entries == [UNSET, CatchMark(2), FinallyMark(33), ()]
    assert b"".join(map(written, entries)) == data
    assert written(CLEAR) == b"5\n"


def test_in_the_oldest_files_an_unset_variable_has_type_minus_one():
    reading = Reading(b"-1\n6\n")
    reading.reader.none_types = (TYPE_NONE, OLD_TYPE_NONE)
    assert [reading.read_stack_entry() for _ in range(2)] == [UNSET, UNSET]


@pytest.mark.parametrize("count", [b"-1", b"-3", b"2147483648"])
def test_a_list_of_negative_length_is_refused_with_its_line(count):
    reading = Reading(b"4\n" + count + b"\n0\n1\n")
    with pytest.raises(TextdumpError, match=r"^t\.db:2: the number of list elements"):
        reading.read_value()


def test_a_list_longer_than_the_file_is_refused_before_it_is_read():
    data = b"4\n2147483647\n" + b"0\n1\n" * 10
    reading = Reading(data, size=len(data))
    with pytest.raises(
        TextdumpError, match="2147483647 list elements are announced, but only 40 bytes"
    ):
        reading.read_value()


def test_a_list_longer_than_a_file_of_unknown_size_is_refused_at_its_end():
    with pytest.raises(TextdumpError, match="the file ends here"):
        Reading(b"4\n2147483647\n" + b"0\n1\n" * 10).read_value()


# --- properties -----------------------------------------------------------------


def test_property_values_come_with_owner_and_permissions(block_size):
    reading = Reading(b"5\n3\n5\n2\nabc\n-1\n1\n4\n2\n0\n1\n0\n2\n3\n5\nnext\n")
    values, infos = reading.read_properties(3)
    assert values == [CLEAR, "abc", (1, 2)]
    assert infos == ((Obj(3), 5), (Obj(-1), 1), (Obj(3), 5))
    assert {type(owner) for owner, _ in infos} == {Obj}
    assert reading.read_string() == "next"


def test_a_nul_ends_a_string_within_values_too(block_size):
    reading = Reading(b"2\nab\0c\n3\n5\n4\n2\n2\nd\0\n2\ne\n3\n5\nnext\n")
    values, _ = reading.read_properties(2)
    assert values == ["ab", ("d", "e")]
    assert reading.read_string() == "next"


def test_equal_rows_of_owners_and_permissions_are_one():
    reading = Reading(b"5\n3\n5\n" * 4)
    _, first = reading.read_properties(2)
    _, second = reading.read_properties(2)
    assert first is second
    assert first[0] is first[1]


def test_clear_is_nothing_but_a_whole_property_value():
    reading = Reading(b"4\n1\n5\n3\n5\n")
    values, _ = reading.read_properties(1)
    assert values == [(0,)]
    assert len(reading.remarks) == 1


# --- programs -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text", "behind"),
    [
        (b"a;\nb;\n.\nnext\n", "a;\nb;\n", "next"),
        (b".\nnext\n", "", "next"),
        (b"\n.\nnext\n", "\n", "next"),
        (b"a;\n.xnext\n", "a;\n", "next"),
        (b"a;\n.foo\n.\nnext\n", "a;\n", "oo"),
        (b"..next\n", "", "next"),
        (b"a;\n b.c = .5;\n.\nnext\n", "a;\n b.c = .5;\n", "next"),
    ],
)
def test_a_program_ends_at_a_line_that_begins_with_a_dot(
    data, text, behind, block_size
):
    reading = Reading(data)
    assert reading.read_program() == (text, True)
    assert reading.read_string() == behind


@pytest.mark.parametrize("data", [b"a;\nb;\n", b"a;\nb;", b""])
def test_a_program_that_the_file_cuts_off_is_not_complete(data, block_size):
    reading = Reading(data)
    text, is_complete = reading.read_program()
    assert (text, is_complete) == (data.decode(), False)
    with pytest.raises(TextdumpError):
        reading.read_string()


@pytest.mark.parametrize(
    ("data", "header"),
    [
        (b"#12:3\nx;\n", (12, 3)),
        (b"#12:3\n x;\n", None),
        (b"#12:3\n\nx;\n", None),
        (b" #12:3\nx;\n", None),
        (b"#12:3 \nx;\n", None),
        (b"#-1:3\nx;\n", None),
        (b"#9999999999:3\nx;\n", None),
        (b"#12:3\n", None),
    ],
)
def test_sound_headers_of_programs_are_read_at_once_and_others_by_scanning(
    data, header, block_size
):
    reading = Reading(data)
    assert reading.read_program_header() == header
    if header is None:
        scanned = Reading(data)
        assert reading.scan("#%d:%d\n") == scanned.scan("#%d:%d\n")
        assert reading.position == scanned.position


# --- scanning -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "pattern", "found", "position"),
    [
        (b"3 queued tasks\nx", "%d queued tasks\n", [3], 15),
        (b"  3\n\tqueued\ntasks\n\n  x", "%d queued tasks\n", [3], 21),
        (b"3queuedtasksx", "%d queued tasks\n", [3], 12),
        (b"3 other tasks\n", "%d queued tasks\n", [3], 2),
        (b"x", "%d queued tasks\n", [], 0),
        (b"", "%d queued tasks\n", None, 0),
        (b" \n ", "%d queued tasks\n", None, 3),
        (b"1\n2\n3", "%d\n%d\n%d\n", [1, 2, 3], 5),
        (b"1 -2 +3\n", "%d%d%d", [1, -2, 3], 7),
        (b"1\n-x", "%d\n%d\n", [1], 3),
        (b"4294967299 -1\n", "%d %u", [3, 4294967295], 13),
        (b"99999999999999999999 1", "%d %d", [-1, 1], 22),
        (b"5 6", "%d%c%d", [5, " ", 6], 3),
        (b"5\n6", "%d%c%d", [5, "\n", 6], 3),
        (b"5", "%d%c", [5], 1),
        (b"#7:0\nx", "#%d:%d\n", [7, 0], 5),
        (b"# 7 : 0x", "#%d:%d\n", [7, 0], 7),
        (b"#7;", "#%d:%d\n", [7], 2),
    ],
)
def test_scanning_is_that_of_scanf(data, pattern, found, position, block_size):
    reading = Reading(data)
    assert reading.scan(pattern) == found
    assert reading.position == position


def test_an_error_of_scanning_shows_the_line_at_which_it_began():
    reading = Reading(b"a\n1 queued cakes\n")
    reading.read_string()
    reading.reader.place = "the tasks"
    reading.scan("%d queued tasks\n")
    assert str(reading.scan_error("'N queued tasks'")) == (
        "t.db:2: the tasks: expected 'N queued tasks', found '1 queued cakes'"
    )


def test_line_and_position_count_through_all_ways_of_reading(block_size):
    data = b"1 2\nabc\n5\n4\n2\n2\na\n2\nb\nx;\n.\n6"
    reading = Reading(data)
    assert (reading.line, reading.position) == (1, 0)
    reading.scan("%d %d\n")
    assert (reading.line, reading.position) == (2, 4)
    reading.read_string()
    reading.read_number()
    assert (reading.line, reading.position) == (4, 10)
    reading.read_value()
    assert (reading.line, reading.position) == (10, 22)
    reading.read_program()
    assert (reading.line, reading.position) == (12, 27)
    reading.read_number()
    assert reading.position == len(data)


def test_lines_that_end_in_cr_lf_are_noticed(block_size):
    reading = Reading(b"** header\r\n1\r\n")
    reading.read_string()
    assert reading.has_cr_lf
    reading = Reading(b"** header\n1\r\n")
    reading.read_string()
    assert not reading.has_cr_lf


# --- writing --------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a\nb", "a\0b", "\n"])
def test_no_string_is_written_that_would_not_be_read_back(text):
    writer = TextdumpWriter(io.BytesIO())
    with pytest.raises(InternalError, match="line feed or NUL"):
        writer.add_string(text)
    with pytest.raises(InternalError, match="line feed or NUL"):
        writer.add_value((text, "b"))
    with pytest.raises(InternalError, match="line feed or NUL"):
        writer.add_value((1, text))


@pytest.mark.parametrize(
    ("text", "lines"),
    [("a;\nb;\n", "a;\nb;\n.\n"), ("a;", "a;\n.\n"), ("", ".\n"), ("\n", "\n.\n")],
)
def test_programs_are_written_with_a_dot_behind_their_last_line(text, lines):
    stream = io.BytesIO()
    writer = TextdumpWriter(stream)
    writer.add_program(text)
    writer.flush()
    assert stream.getvalue() == lines.encode()


@pytest.mark.parametrize("text", [".", "a;\n.b", "a\0b"])
def test_no_program_is_written_that_would_not_be_read_back(text):
    with pytest.raises(InternalError, match="program"):
        TextdumpWriter(io.BytesIO()).add_program(text)


def test_what_is_no_value_is_not_written():
    with pytest.raises(InternalError, match="cannot hold"):
        written(None)


def test_lines_reach_the_stream_when_there_are_enough(monkeypatch):
    monkeypatch.setattr(textdump_io, "_LINES_PER_WRITE", 3)
    stream = io.BytesIO()
    writer = TextdumpWriter(stream)
    for line in "abcd":
        writer.add(line)
        writer.flush_if_full()
    assert stream.getvalue() == b"a\nb\nc\n"
    writer.flush()
    writer.flush()
    assert stream.getvalue() == b"a\nb\nc\nd\n"
