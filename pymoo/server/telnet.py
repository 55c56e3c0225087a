"""Bytes to lines and back, as the C server has it: no sockets and no I/O.

Telnet commands are not understood: of IAC DO ECHO the three bytes are judged one by
one like all others.  In a Latin-1 database only printable ASCII, blank and tab get
into a line.  In a UTF-8 database, which the C server does not have, other printable
characters do as well.

What a line does is the affair of `tasks`; whose it is, of `connections`.

Source: net_multi.c, pull_input and network_set_client_echo.
"""

from __future__ import annotations

import re
from typing import Final

from pymoo.builtins.strings import decode_bytes, encode_bytes

END_OF_LINE: Final = b"\r\n"
"""What ends a line that is sent."""

CHUNK_SIZE: Final = 1024
"""How many bytes at most are one line in binary mode, and taken in at once."""

MAX_LINE: Final = 1_048_576
"""How long an unfinished line may become.

The C server keeps any number of bytes of a line that never ends.
"""

MAX_LOGIN_LINE: Final = 65_536
"""The same before login, when nobody is known to be there."""

# IAC WONT ECHO lets the client echo what is typed, IAC WILL ECHO stops it (RFC 857).
CLIENT_ECHOES: Final = b"\xff\xfc\x01"
CLIENT_IS_SILENT: Final = b"\xff\xfb\x01"

_ENDS: Final = re.compile(rb"\r\n?|\n")
_PLAIN_LINE: Final = re.compile(rb"[\t -~]*\r\n")
"""What most clients send at once: one line, with nothing to be taken out."""
_ERASE: Final = re.compile(rb"[\x08\x7f]")
_CONTROLS: Final = bytes({*range(32)} - {8, 9})
_HIGH_CONTROLS: Final = re.compile("[\x80-\x9f\u2028\u2029]")
_DROPPED: Final = {
    "latin-1": _CONTROLS + bytes(range(128, 256)),
    "utf-8": _CONTROLS,
}


class LineReader:
    """The bytes of one connection that have not become lines yet."""

    __slots__ = (
        "_after_cr",
        "_dropped",
        "_is_utf8",
        "_line",
        "_overlong",
        "limit",
        "lost",
    )

    def __init__(self, encoding: str = "latin-1") -> None:
        self._is_utf8 = encoding == "utf-8"
        self._dropped = _DROPPED[encoding]
        self._line = bytearray()
        self._after_cr = False
        self._overlong = False
        self.limit = MAX_LOGIN_LINE
        self.lost = 0
        """How many lines were thrown away because they were longer than ``limit``."""

    @property
    def held(self) -> int:
        """How many bytes are kept of a line that is not finished."""
        return len(self._line)

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that ``data`` completes.

        A line ends at CR, or at LF that does not follow a CR directly.  Backspace
        and DEL remove the character before them.
        """
        if not data:
            return []
        if (
            len(data) <= CHUNK_SIZE
            and not self._line
            and not self._overlong
            and _PLAIN_LINE.fullmatch(data)
        ):
            self._after_cr = False
            return [data[:-2].decode("ascii")]
        start = 1 if self._after_cr and data[0] == 10 else 0
        self._after_cr = data[-1] == 13
        lines: list[str] = []
        for end in _ENDS.finditer(data, start):
            self._add(data[start : end.start()])
            self._finish(lines)
            start = end.end()
        if start < len(data):
            self._add(data[start:])
        return lines

    def feed_binary(self, data: bytes) -> str:
        """Return ``data``, all of it one line, in the notation of binary strings.

        What had been typed of a line before binary mode began stands before it.
        """
        self._after_cr = False
        before = self._take()
        return before + encode_bytes(data.decode("latin-1"))

    def _add(self, part: bytes) -> None:
        if self._overlong:
            return
        line = self._line
        part = part.translate(None, self._dropped)
        start = 0
        for erase in _ERASE.finditer(part):
            line += part[start : erase.start()]
            # Not at the end alone: what was too long must not depend on how much of
            # it came at a time.
            if len(line) > self.limit:
                break
            self._remove_last()
            start = erase.end()
        else:
            line += part[start:] if start else part
        if len(line) > self.limit:
            self._overlong = True
            line.clear()

    def _remove_last(self) -> None:
        line = self._line
        if self._is_utf8:
            while line and line[-1] & 0xC0 == 0x80:
                line.pop()
        if line:
            line.pop()

    def _finish(self, lines: list[str]) -> None:
        if self._overlong:
            # Half a command could do anything, so none of it is used.
            self._overlong = False
            self.lost += 1
        else:
            lines.append(self._take())

    def _take(self) -> str:
        line = bytes(self._line)
        self._line.clear()
        if not self._is_utf8:
            return line.decode("latin-1")
        return _HIGH_CONTROLS.sub("", line.decode("utf-8", "ignore"))


def line_bytes(text: str, encoding: str) -> bytes:
    """Return what is sent for a line: its bytes as they are, and its end."""
    return text.encode(encoding, "replace") + END_OF_LINE


def binary_bytes(text: str, encoding: str) -> bytes:
    """Return the bytes that a binary string stands for.

    Raises: E_INVARG for bad notation.
    """
    bytes_as_text = text.encode(encoding, "replace").decode("latin-1")
    return decode_bytes(bytes_as_text).encode("latin-1")
