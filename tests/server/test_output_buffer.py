"""What waits to be sent: the limit, what is dropped, and what is said of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.server.connection import MAX_QUEUED_OUTPUT, OutputBuffer

NOTICE = "\r\n>> Network buffer overflow: {} of output to you {} been lost <<\r\n"


class NarrowWire:
    """Takes as many bytes as it is told to."""

    def __init__(self, window: int = 0) -> None:
        self.window = window
        self.sent = b""

    def send(self, data: bytes) -> int:
        taken = data[: self.window]
        self.window -= len(taken)
        self.sent += taken
        return len(taken)

    def unused(self, *arguments: object) -> None:
        raise AssertionError("a buffer only sends")

    start = tell_when_writable = pause_reading = resume_reading = close = unused


def notice(count: int) -> bytes:
    lines, have = ("1 line", "has") if count == 1 else (f"{count} lines", "have")
    return NOTICE.format(lines, have).encode()


def test_what_was_added_is_sent_in_order() -> None:
    wire = NarrowWire(1000)
    buffer = OutputBuffer(wire)
    for piece in (b"a\r\n", b"", b"bc\r\n"):
        assert buffer.add(piece)
    assert buffer.length == 7
    assert not buffer.is_empty
    buffer.push()
    assert wire.sent == b"a\r\nbc\r\n"
    assert buffer.length == 0
    assert buffer.is_empty


def test_the_limit_is_reached_exactly_without_a_loss() -> None:
    buffer = OutputBuffer(NarrowWire())
    assert buffer.add(b"x" * (MAX_QUEUED_OUTPUT - 1))
    assert buffer.add(b"y", may_drop=False)
    assert buffer.length == MAX_QUEUED_OUTPUT
    assert not buffer.add(b"z", may_drop=False)
    assert buffer.length == MAX_QUEUED_OUTPUT


def test_a_full_buffer_sends_first_and_drops_only_what_must_be() -> None:
    wire = NarrowWire(10)
    buffer = OutputBuffer(wire)
    buffer.add(b"x" * MAX_QUEUED_OUTPUT)
    buffer.add(b"y" * 10)
    assert wire.sent == b"x" * 10
    assert buffer.length == MAX_QUEUED_OUTPUT
    wire.window = 10**6
    buffer.push()
    assert wire.sent == b"x" * MAX_QUEUED_OUTPUT + b"y" * 10


def test_the_oldest_lines_are_dropped_until_the_new_one_fits() -> None:
    wire = NarrowWire()
    buffer = OutputBuffer(wire)
    pieces = [f"{number:04}".encode() + b"-" * 996 for number in range(66)]
    for piece in pieces:
        assert buffer.add(piece)
    assert buffer.length == 65_000
    wire.window = 10**6
    buffer.push()
    assert wire.sent == notice(1) + b"".join(pieces[1:])


def test_no_line_more_is_dropped_than_must_be() -> None:
    wire = NarrowWire()
    buffer = OutputBuffer(wire)
    rest = b"x" * (MAX_QUEUED_OUTPUT - 12)
    for piece in (b"lost\r\n", b"kept\r\n", rest, b"last\r\n"):
        buffer.add(piece)
    assert buffer.length == MAX_QUEUED_OUTPUT
    wire.window = 10**6
    buffer.push()
    assert wire.sent == notice(1) + b"kept\r\n" + rest + b"last\r\n"


@pytest.mark.parametrize("count", [1, 2, 1710])
def test_the_loss_is_told_before_what_comes_next(count: int) -> None:
    wire = NarrowWire()
    buffer = OutputBuffer(wire)
    for _ in range(count):
        buffer.add(b"lost\r\n")
    buffer.add(b"x" * MAX_QUEUED_OUTPUT)
    wire.window = 10**6
    buffer.push()
    assert wire.sent == notice(count) + b"x" * MAX_QUEUED_OUTPUT
    buffer.add(b"more\r\n")
    buffer.push()
    assert wire.sent.endswith(b"xmore\r\n")


def test_a_notice_that_goes_out_in_parts_is_told_once() -> None:
    wire = NarrowWire()
    buffer = OutputBuffer(wire)
    buffer.add(b"lost\r\n")
    buffer.add(b"x" * MAX_QUEUED_OUTPUT)
    while not buffer.is_empty:
        wire.window = 7
        buffer.push()
    assert wire.sent == notice(1) + b"x" * MAX_QUEUED_OUTPUT


def test_what_is_lost_while_a_notice_goes_out_is_told_after_it() -> None:
    wire = NarrowWire()
    buffer = OutputBuffer(wire)
    buffer.add(b"lost\r\n")
    buffer.add(b"x" * MAX_QUEUED_OUTPUT)
    wire.window = 7
    buffer.push()
    buffer.add(b"end\r\n")
    wire.window = 10**6
    buffer.push()
    assert wire.sent == notice(1) + notice(1) + b"end\r\n"


def test_one_piece_of_any_length_fits_into_an_empty_buffer() -> None:
    wire = NarrowWire()
    buffer = OutputBuffer(wire)
    assert buffer.add(b"x" * 10 * MAX_QUEUED_OUTPUT, may_drop=False)
    assert buffer.length == 10 * MAX_QUEUED_OUTPUT
    assert not buffer.add(b"y", may_drop=False)
    assert buffer.add(b"y")
    wire.window = 10**6
    buffer.push()
    assert wire.sent == notice(1) + b"y"


def test_part_of_a_line_that_was_sent_counts_as_a_line_when_the_rest_is_lost() -> None:
    wire = NarrowWire(3)
    buffer = OutputBuffer(wire)
    buffer.add(b"abcdef\r\n")
    buffer.push()
    assert buffer.length == 5
    buffer.add(b"x" * MAX_QUEUED_OUTPUT)
    wire.window = 10**6
    buffer.push()
    assert wire.sent == b"abc" + notice(1) + b"x" * MAX_QUEUED_OUTPUT


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(1, 40_000), st.booleans()),
            st.integers(0, 70_000),
        ),
        max_size=30,
    )
)
def test_nothing_vanishes_uncounted_and_memory_is_bounded(
    steps: list[tuple[int, bool] | int],
) -> None:
    wire = NarrowWire()
    buffer = OutputBuffer(wire)
    accepted = 0
    for step in steps:
        if isinstance(step, int):
            wire.window = step
            buffer.push()
        else:
            size, may_drop = step
            before = buffer.length
            if buffer.add(b"." * (size - 1) + b"\n", may_drop=may_drop):
                accepted += 1
            else:
                assert not may_drop
                assert before + size > MAX_QUEUED_OUTPUT
        assert buffer.length == sum(map(len, buffer._pieces))
        assert buffer.length <= max(MAX_QUEUED_OUTPUT, 40_000)
    wire.window = 10**9
    buffer.push()
    lost = sum(
        int(line.split(b": ")[1].split()[0])
        for line in wire.sent.split(b"\r\n")
        if line.startswith(b">> Network")
    )
    plain = wire.sent
    for count in range(31, 0, -1):
        plain = plain.replace(notice(count), b"")
    assert plain.count(b"\n") + lost == accepted
