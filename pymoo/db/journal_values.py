"""Values in the records of a journal: as lines of text, each shared one once.

A line is a sign and what belongs to it; a list is a line with its length, followed by
its elements.

========  ==========================================================================
``i5``    an INT
``#5``    an OBJ
``"abc``  a STR
``e5``    an ERR, by its number
``f...``  a FLOAT: its eight bytes in hexadecimal digits, the highest first
``(3``    a LIST of three elements
``[3``    the same; it may be meant again in this record
``{3``    the same; it may be meant again in this segment
``'abc``  a STR that may be meant again in this segment
``*5``    what was given number 5 in this record: the sixth of ``[``
``+5``    what was given number 5 in this segment: the sixth of ``{`` and ``'``
``c``     a property that is clear
``u``     a variable without a value
``t2``    the mark of a ``try`` with two handlers on a stack
``y7``    the mark of a ``finally`` with its handler at pc 7
``-``     as a first line: what has a number in this segment is forgotten
========  ==========================================================================

So a value takes no more lines than it takes memory, however often the same list occurs
in it; and a large one that a task carries from slice to slice is written once.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from itertools import islice
from operator import length_hint
from typing import Any, Final

from pymoo.db.objects import CLEAR, Clear
from pymoo.db.saved import UNSET, CatchMark, FinallyMark, Unset
from pymoo.errors import InternalError
from pymoo.values import ErrorCode, Obj

ENCODING: Final = "latin-1"

LONG_LIST: Final = 16
LONG_TEXT: Final = 200
"""From which length on something is remembered within a segment."""

MAX_REMEMBERED: Final = 4_000_000
"""How many elements and characters are remembered, before all is forgotten."""

_ELEMENTS_EACH: Final = 100
"""For how many it counts that something is remembered at all.

Most lists that are have some 20 elements; each takes about 500 bytes, with its place in
the table.
"""

PORTION: Final = 4_096
"""How many lines of a record are made at most before they become bytes."""

_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1

_FLOAT: Final = struct.Struct(">d")


class ValueWriter:
    """Writes the records of one segment."""

    def __init__(self) -> None:
        # By id: the number, and the thing itself, so that the id stays its own.
        self._known: dict[int, tuple[int, Any]] = {}
        self._remembered = 0
        self._forgot = False
        # Of the present record: what has been made of it, and how many more lines than
        # pieces of text there are behind that.
        self._portions: list[bytes] = []
        self._joined = 0

    def forget(self) -> None:
        """Refer no more to what was written before: a record came to nothing."""
        self._known.clear()
        self._remembered = 0
        self._forgot = True

    def to_bytes(self, value: Any) -> bytes:
        """Return a value as lines.

        Raises: InternalError for what is no value, or has a line feed in a string.
        """
        lines: list[str] = []
        self._joined = 0
        if self._remembered > MAX_REMEMBERED:
            self.forget()
        if self._forgot:
            lines.append("-")
            self._forgot = False
        try:
            self._add(lines, value)
            if lines:
                self._end_portion(lines)
            return b"\n".join(self._portions)
        except InternalError:
            self.forget()
            raise
        finally:
            self._portions.clear()

    def _end_portion(self, lines: list[str]) -> None:
        """Make bytes of lines, which take a twentieth of the memory."""
        text = "\n".join(lines)
        if text.count("\n") != len(lines) + self._joined - 1:
            raise InternalError("a string with a line feed in it is to be journalled")
        lines.clear()
        self._joined = 0
        try:
            self._portions.append(text.encode(ENCODING))
        except UnicodeEncodeError as error:
            raise InternalError(
                f"characters that are no bytes: {text[error.start : error.end]!r}"
            ) from error

    def _add(self, lines: list[str], value: Any) -> None:
        add = lines.append
        here: dict[int, int] = {}
        pending: list[Iterator[Any]] = []
        items = iter((value,))
        while True:
            for item in islice(items, PORTION):
                kind = type(item)
                if kind is int:
                    add(f"i{item}")
                elif kind is str:
                    if len(item) < LONG_TEXT:
                        add('"' + item)
                    else:
                        self._add_long(add, item, "'", item)
                elif kind is Obj:
                    add(f"#{int(item)}")
                elif kind is tuple:
                    length = len(item)
                    number = here.get(id(item))
                    if number is not None:
                        add(f"*{number}")
                        continue
                    if length >= LONG_LIST:
                        if not self._add_long(add, item, "{", length):
                            continue
                    elif tuple in map(type, item):
                        here[id(item)] = len(here)
                        add(f"[{length}")
                    else:
                        add(f"({length}")
                    if length > 1 and _are_short_strings(item):
                        add('"' + '\n"'.join(item))
                        self._joined += length - 1
                        if self._joined >= PORTION:
                            self._end_portion(lines)
                        continue
                    pending.append(items)
                    items = iter(item)
                    break
                else:
                    add(_rare(item))
            else:
                if len(lines) + self._joined >= PORTION:
                    self._end_portion(lines)
                if not length_hint(items):
                    if not pending:
                        return
                    items = pending.pop()

    def _add_long(
        self, add: Callable[[str], None], item: Any, sign: str, rest: object
    ) -> bool:
        """Add the first line of something long; False if that was all of it."""
        known = self._known.get(id(item))
        if known is not None:
            add(f"+{known[0]}")
            return False
        self._known[id(item)] = len(self._known), item
        self._remembered += len(item) + _ELEMENTS_EACH
        add(f"{sign}{rest}")
        return True


def _are_short_strings(items: tuple[Any, ...]) -> bool:
    return set(map(type, items)) == {str} and max(map(len, items)) < LONG_TEXT


def _rare(item: Any) -> str:
    if isinstance(item, float):
        return f"f{_FLOAT.pack(item).hex()}"
    if isinstance(item, ErrorCode):
        return f"e{item.number}"
    if isinstance(item, Clear):
        return "c"
    if isinstance(item, Unset):
        return "u"
    if isinstance(item, CatchMark):
        return f"t{item.arms}"
    if isinstance(item, FinallyMark):
        return f"y{item.handler_pc}"
    raise InternalError(f"a journal cannot hold {item!r}")


class ValueReader:
    """Reads the records of one segment, in their order."""

    def __init__(self) -> None:
        self._known: list[Any] = []

    def from_bytes(self, data: bytes) -> Any:
        """Return what was written.

        Raises: ValueError if that cannot have been written by a `ValueWriter`.
        """
        lines = data.decode(ENCODING).split("\n")
        if lines[0] == "-":
            self._known.clear()
            del lines[0]
        try:
            value, end = self._read(lines)
        except (LookupError, struct.error) as error:
            raise ValueError(f"a record that cannot be read: {error!r}") from error
        if end != len(lines):
            raise ValueError("a record with more in it than a value")
        return value

    def _read(self, lines: list[str]) -> tuple[Any, int]:
        known = self._known
        here: list[Any] = []
        # Around the list that `items` is: itself, how long it will be, and where it is
        # remembered.
        outer: list[tuple[list[Any], int, list[Any] | None, int]] = []
        items: list[Any] = []
        wanted, table, place = 1, None, 0
        value: Any
        at = 0
        while True:
            line = lines[at]
            at += 1
            sign, rest = line[:1], line[1:]
            if sign == '"':
                value = rest
            elif sign == "i":
                value = int(rest)
                if not _LEAST <= value <= _MOST:
                    raise ValueError(f"a number that nothing has: {rest[:50]}")
            elif sign == "#":
                value = Obj(rest)
                if not _LEAST <= value <= _MOST:
                    raise ValueError(f"an object that cannot be: #{rest[:50]}")
            elif sign in ("(", "[", "{"):
                length = int(rest)
                if not 0 <= length <= len(lines) - at:
                    raise ValueError(f"a list of {length} elements in a short record")
                new_table = None if sign == "(" else here if sign == "[" else known
                new_place = 0
                if new_table is not None:
                    new_place = len(new_table)
                    new_table.append(None)
                outer.append((items, wanted, table, place))
                items, wanted, table, place = [], length, new_table, new_place
                if length:
                    continue
                value = ()
                items, wanted, table, place = outer.pop()
            elif sign == "*":
                value = _defined(here, rest)
            elif sign == "+":
                value = _defined(known, rest)
            elif sign == "'":
                value = rest
                known.append(value)
            else:
                value = _rare_value(sign, rest)
            while True:
                items.append(value)
                if len(items) < wanted:
                    break
                if not outer:
                    return value, at
                value = tuple(items)
                if table is not None:
                    table[place] = value
                items, wanted, table, place = outer.pop()


def _defined(table: list[Any], rest: str) -> Any:
    value = table[int(rest)]
    if value is None:
        raise ValueError(f"a list with itself in it: {rest}")
    return value


def _rare_value(sign: str, rest: str) -> Any:
    match sign:
        case "f":
            return _FLOAT.unpack(bytes.fromhex(rest))[0]
        case "e":
            return ErrorCode(int(rest))
        case "c":
            return CLEAR
        case "u":
            return UNSET
        case "t":
            return CatchMark(int(rest))
        case "y":
            return FinallyMark(int(rest))
    raise ValueError(f"a line of a record that cannot be read: {sign + rest[:50]!r}")
