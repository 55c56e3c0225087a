"""Bytes of a telnet connection: what comes of them does not depend on how they come."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from hypothesis import strategies as st

from pymoo.errors import MooError
from pymoo.server.telnet import LineReader, binary_bytes, line_bytes
from tests.fuzz.running import Target, plain

LIMIT: Final = 24
"""Of lines, so that overlong ones are common."""

_PIECES: Final = st.one_of(
    st.sampled_from(
        [b"\r", b"\n", b"\r\n", b"\x08", b"\x7f", b"\xff\xfd\x01", b"\xff\xfa\x18\x00"]
    ),
    st.sampled_from([b"look", b" ", b"\t", b"~", b"\x00", b"x" * LIMIT]),
    st.sampled_from([b"\xc3\xa9", b"\xe2\x82", b"\xf0\x9f\x98\x80", b"\xc2\x85"]),
    st.binary(max_size=5),
)

# The bytes, where they are cut, the encoding, and which portions come in binary mode.
INPUTS: Final = st.tuples(
    st.lists(_PIECES, max_size=40).map(b"".join),
    st.lists(st.integers(0, 150), max_size=12),
    st.sampled_from(["latin-1", "utf-8"]),
    st.integers(0, 2**13 - 1),
)


def check(data: tuple[bytes, list[int], str, int]) -> None:
    text, cuts, encoding, binary = data
    portions = _portions(text, cuts)
    whole, parts, bytewise = (_reader(encoding) for _ in range(3))
    lines = whole.feed(text)
    assert [line for part in portions for line in parts.feed(part)] == lines
    assert [line for byte in text for line in bytewise.feed(bytes([byte]))] == lines
    assert parts.lost == bytewise.lost == whole.lost
    end = whole.feed(b"\r")
    for reader in (parts, bytewise):
        assert reader.feed(b"\r") == end
    for line in (*lines, *end):
        # One line, which the database's encoding can hold.
        assert not {"\r", "\n", "\0"} & set(line)
        assert len(line.encode(encoding)) <= LIMIT
        assert line_bytes(line, encoding).endswith(b"\r\n")
    _check_binary(portions, encoding, binary)


def _check_binary(portions: list[bytes], encoding: str, binary: int) -> None:
    """Binary mode, switched on and off between portions, loses no byte."""
    reader = _reader(encoding)
    for number, part in enumerate(portions):
        if not binary >> number & 1:
            reader.feed(part)
            continue
        before = reader._line.decode("latin-1")
        line = reader.feed_binary(part)
        if before.isascii() and "~" not in before:
            assert binary_bytes(line, encoding) == before.encode() + part
        assert not {"\r", "\n", "\0"} & set(line)
    text = b"".join(portions).decode("latin-1")
    with suppress(MooError):
        binary_bytes(text, encoding)


def _reader(encoding: str) -> LineReader:
    reader = LineReader(encoding)
    reader.limit = LIMIT
    return reader


def _portions(text: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(cut, len(text)) for cut in cuts})
    starts, ends = [0, *places], [*places, len(text)]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]


TARGET: Final = Target("telnet", INPUTS, plain(check))
