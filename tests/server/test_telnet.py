"""Bytes to lines: every rule, and that it does not matter how they arrive."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pymoo.errors import MooError
from pymoo.server.telnet import (
    MAX_LINE,
    MAX_LOGIN_LINE,
    LineReader,
    binary_bytes,
    line_bytes,
)
from pymoo.values import E_INVARG

# Bytes that mean something, much more often than chance would have them.
INPUT = st.lists(
    st.one_of(
        st.sampled_from([b"\r", b"\n", b"\r\n", b"\x08", b"\x7f", b"\xff\xfd\x01"]),
        st.binary(max_size=4),
    ),
    max_size=30,
).map(b"".join)


def lines_of(data: bytes) -> list[str]:
    return LineReader().feed(data)


def judged_one_by_one(data: bytes) -> tuple[list[str], str]:
    """What the rules say, byte by byte: the lines, and what is unfinished."""
    lines: list[str] = []
    line = ""
    previous = 0
    for byte in data:
        if 33 <= byte <= 126 or byte in (32, 9):
            line += chr(byte)
        elif byte in (8, 127):
            line = line[:-1]
        elif byte == 13 or (byte == 10 and previous != 13):
            lines.append(line)
            line = ""
        previous = byte
    return lines, line


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"a\r\nb\nc\rd\r", ["a", "b", "c", "d"]),
        (b"x\n\ry\r\n", ["x", "", "y"]),
        (b"\r\r\n\n", ["", "", ""]),
        (b"unfinished", []),
        (b"", []),
    ],
)
def test_a_line_ends_at_cr_or_at_lf_without_cr_before(
    data: bytes, lines: list[str]
) -> None:
    assert lines_of(data) == lines


def test_an_unfinished_line_waits_for_its_end() -> None:
    reader = LineReader()
    assert reader.feed(b"sa") == []
    assert reader.feed(b"y hi") == []
    assert reader.feed(b"\r") == ["say hi"]


def test_lf_in_the_next_portion_still_belongs_to_the_cr() -> None:
    reader = LineReader()
    assert reader.feed(b"a\r") == ["a"]
    assert reader.feed(b"\nb\n") == ["b"]


def test_printable_bytes_blank_and_tab_are_kept_and_no_others() -> None:
    kept = "".join(chr(byte) for byte in (9, 32, *range(33, 127)))
    everything = bytes(byte for byte in range(256) if byte not in (8, 10, 13, 127))
    assert lines_of(everything + b"\n") == [kept]


@pytest.mark.parametrize("erase", [b"\x08", b"\x7f"])
def test_backspace_and_del_remove_the_byte_before_them(erase: bytes) -> None:
    assert lines_of(b"lok" + erase + b"ok\n") == ["look"]
    assert lines_of(erase + b"a" + erase * 3 + b"b\n") == ["b"]


def test_backspace_does_not_reach_into_the_line_before() -> None:
    assert lines_of(b"a\n\x08b\n") == ["a", "b"]


def test_backspace_after_a_dropped_byte_removes_the_one_before_that() -> None:
    assert lines_of(b"ab\xff\x00\x08c\n") == ["ac"]


def test_telnet_commands_are_judged_byte_by_byte() -> None:
    # IAC WILL NAWS, IAC SB TTYPE ... IAC SE: an option that is printable stays.
    assert lines_of(b"\xff\xfb\x1fa\xff\xfd!b\xff\xfa\x18\x00xterm\xff\xf0\n") == [
        "a!bxterm"
    ]


@given(INPUT)
@example(b"\r\n")
@example(b"\r\x08\n")
@example(b"\r\x00\n")
def test_lines_are_those_of_the_rules(data: bytes) -> None:
    reader = LineReader()
    lines, rest = judged_one_by_one(data)
    assert reader.feed(data) == lines
    finished = reader.feed(b"\r")
    assert finished == [rest]


@given(INPUT, st.lists(st.integers(0, 60), max_size=10))
def test_lines_do_not_depend_on_how_bytes_arrive(data: bytes, cuts: list[int]) -> None:
    reader = LineReader()
    lines: list[str] = []
    places = sorted({min(cut, len(data)) for cut in cuts})
    for start, end in zip([0, *places], [*places, len(data)], strict=True):
        lines += reader.feed(data[start:end])
    assert lines == lines_of(data)


@given(st.binary(max_size=2_000), st.integers(1, 40))
def test_a_line_never_takes_more_memory_than_its_limit(data: bytes, size: int) -> None:
    reader = LineReader()
    reader.limit = 16
    lines: list[str] = []
    for start in range(0, len(data), size):
        lines += reader.feed(data[start : start + size])
        assert len(reader._line) <= 16
    assert all(len(line) <= 16 for line in lines)
    ends = judged_one_by_one(data)[0]
    assert len(lines) + reader.lost == len(ends)


def test_an_overlong_line_is_dropped_whole_and_counted() -> None:
    reader = LineReader()
    assert reader.limit == MAX_LOGIN_LINE
    for _ in range(MAX_LOGIN_LINE // 1024 + 1):
        assert reader.feed(b"x" * 1024) == []
    assert reader.lost == 0
    assert reader.feed(b"y\nlook\n") == ["look"]
    assert reader.lost == 1


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_line_that_was_too_long_is_dropped_though_erased_again(size: int) -> None:
    reader = LineReader()
    reader.limit = 8
    data = b"x" * 9 + b"\x08" * 9 + b"look\nlook\n"
    lines: list[str] = []
    for start in range(0, len(data), size):
        lines += reader.feed(data[start : start + size])
    assert lines == ["look"]
    assert reader.lost == 1


def test_a_line_of_exactly_the_limit_is_a_line() -> None:
    reader = LineReader()
    reader.limit = MAX_LINE
    line = "x" * MAX_LINE
    assert reader.feed(line.encode() + b"\n") == [line]
    assert reader.lost == 0


def test_binary_input_is_one_line_in_the_notation_of_binary_strings() -> None:
    reader = LineReader()
    assert reader.feed_binary(b"a b~\r\n\x00\xff\t") == "a b~7E~0D~0A~00~FF~09"


def test_what_was_begun_before_binary_mode_stands_before_it() -> None:
    reader = LineReader()
    reader.feed(b"abc")
    assert reader.feed_binary(b"d\n") == "abcd~0A"
    assert reader.feed_binary(b"e") == "e"


def test_lf_after_binary_mode_is_a_line_of_its_own() -> None:
    reader = LineReader()
    reader.feed(b"a\r")
    reader.feed_binary(b"\r")
    assert reader.feed(b"\n") == [""]


@given(st.binary(max_size=200))
def test_binary_notation_goes_there_and_back(data: bytes) -> None:
    assert binary_bytes(LineReader().feed_binary(data), "latin-1") == data


@pytest.mark.parametrize("text", ["~", "~1", "~zz", "a~0"])
def test_bad_binary_notation_is_refused(text: str) -> None:
    with pytest.raises(MooError) as caught:
        binary_bytes(text, "latin-1")
    assert caught.value.code == E_INVARG


def test_a_line_is_sent_with_cr_lf_and_its_bytes_as_they_are() -> None:
    assert line_bytes("caf\xe9\x00\x7f", "latin-1") == b"caf\xe9\x00\x7f\r\n"
    assert line_bytes("", "latin-1") == b"\r\n"


def test_utf8_input_keeps_characters_and_erases_them_whole() -> None:
    reader = LineReader("utf-8")
    data = "né\x08euf €\x08\n".encode()
    assert [line for byte in data for line in reader.feed(bytes([byte]))] == ["neuf "]


def test_utf8_input_drops_bytes_that_are_no_character() -> None:
    assert LineReader("utf-8").feed(b"a\xffb\xc3\n\xc2\x85c\n") == ["ab", "c"]
