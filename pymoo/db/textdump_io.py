"""Lines, numbers, strings and values of the textdump format.

A textdump is bytes in lines ended by LF.  Every byte is one character of a string
here, whatever it means.  The C server reads in two modes, and where a file is
damaged they differ, so both are here as they are there:

* by line (`read_number`, `read_string`, `read_value`): a number takes at most 19
  bytes of its line, and what is no number is complained about in the log and taken
  for what can be read of it;
* by scanning (`scan`): white space in the pattern, and line ends are white space,
  stands for any white space or none.

Beyond the end of the file the C server goes on with stale memory; this reader
refuses.  It also refuses what made the C server allocate absurd amounts.

Sound files, which are nearly all, take short cuts that give the same result.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any, BinaryIO, Final

from pymoo.db.integers import wrapped
from pymoo.db.objects import CLEAR, Clear, PropInfo
from pymoo.db.saved import UNSET, CatchMark, FinallyMark, StackEntry, Unset
from pymoo.errors import InternalError, TextdumpError
from pymoo.values import (
    E_QUOTA,
    TYPE_ERR,
    TYPE_FLOAT,
    TYPE_INT,
    TYPE_LIST,
    TYPE_OBJ,
    TYPE_STR,
    ErrorCode,
    Obj,
    Value,
)

# Types that only a textdump has (structures.h); the others are in `values`.
TYPE_CLEAR: Final = 5
TYPE_NONE: Final = 6
TYPE_CATCH: Final = 7
TYPE_FINALLY: Final = 8
OLD_TYPE_NONE: Final = -1
"""What version 0 writes for TYPE_NONE."""

ENCODING: Final = "latin-1"

# Sizes of the C server's buffers, less the byte that ends a string (db_io.c).
_NUMBER_BYTES: Final = 19
_FLOAT_BYTES: Final = 39
_STRING_BYTES: Final = 1023

_BLOCK_BYTES: Final = 1 << 20

# Strings up to this length are kept once, however often the file has them; longer
# ones are seldom repeated.
_SHARED_LENGTH: Final = 40

_SPACE: Final = " \t\n\v\f\r"
_SPACE_IN_LINE: Final = " \t\v\f\r"
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_C_INTEGER: Final = re.compile(rf"[{_SPACE}]*([+-]?[0-9]+)?")
_PLAIN_FLOAT: Final = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?", re.I
)
_C_FLOAT: Final = re.compile(
    rf"""[{_SPACE}]*
    (?P<sign>[+-]?)
    (?: (?P<hex>0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?[0-9]+)?)
      | (?P<decimal>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)
      | (?P<inf>inf(?:inity)?)
      | (?P<nan>nan(?:\([0-9a-z_]*\))?)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_PROGRAM_HEADER: Final = re.compile(r"#([0-9]{1,9}):([0-9]{1,9})")
_PATTERN: Final = re.compile(r"%[duc]|\s|\S")

# Where a file cannot hold so few things after all, it soon ends.
_SURELY_ROOM: Final = 1000

_LINES_PER_WRITE: Final = 1 << 15

MAX_ELEMENTS: Final = 64_000_000
"""How many elements, those of lists in it included, a list that is saved may have."""


class TextdumpReader:
    """Reads a textdump from its beginning to its end.

    ``name`` is what messages call the file; ``complain`` is told what the C server
    writes to the log about damage that it passes over, and ``remark`` what was not
    kept as it stood although the C server says nothing.  ``place`` is for messages:
    what is being read.
    """

    def __init__(
        self,
        stream: BinaryIO,
        name: str,
        complain: Callable[[str], None],
        remark: Callable[[str], None],
        *,
        size: int | None = None,
        int_bits: int = 32,
        first_line: int = 1,
    ) -> None:
        """``size``, if known, lets claims that the file cannot hold be refused.

        ``first_line`` is the number of the line that the stream begins with.
        """
        self.name = name
        self.place = ""
        self.none_types: tuple[int, ...] = (TYPE_NONE,)
        self._stream = stream
        self._complain = complain
        self._remark = remark
        self._size = size
        self._int_bits = int_bits
        self._scanned = (1, "")  # the line at which the last scan began
        # Lines without their LF; those before `_next` have been read.  What is left
        # of a line that was read in part stands in its place.
        self._lines: list[str] = []
        self._next = 0
        self._whole = 0  # how many of `_lines` have ended in LF
        # The first of `_lines` is the line after these.
        self._lines_before = first_line - 1
        self._end = 0  # bytes up to the end of `_lines`
        self._bytes_from: list[int] = []  # made where `position` is asked for
        self._tail: list[str] = []  # the beginning of a line that goes on
        self._at_end = False
        self._has_nul = False
        self._first_line = ""
        self._strings: dict[str, str] = {}
        self._objids: dict[str, Obj] = {}
        self._infos: dict[tuple[str, str], PropInfo] = {}
        self._rows: dict[tuple[PropInfo, ...], tuple[PropInfo, ...]] = {}

    # --- where we are -----------------------------------------------------------

    @property
    def line(self) -> int:
        """The number of the line to be read next, from 1."""
        return self._lines_before + self._next + 1

    @property
    def has_cr_lf(self) -> bool:
        """Whether the file begins like one whose lines end in CR LF."""
        return self._first_line.endswith("\r")

    @property
    def position(self) -> int:
        """How many bytes have been read."""
        lines, at = self._lines, self._next
        if at >= len(lines):
            return self._end
        if not self._bytes_from:
            # From each line on to the end of `_lines`.  Only the present line is
            # ever changed, and its own length is not taken from here.
            lengths = [len(line) + 1 for line in reversed(lines)]
            lengths[0] -= len(lines) > self._whole
            self._bytes_from = [*accumulate(lengths, initial=0)][::-1]
        return (
            self._end - self._bytes_from[at + 1] - len(lines[at]) - (at < self._whole)
        )

    def error(self, message: str, *, line: int | None = None) -> TextdumpError:
        """Return an error that says where: file, line and what was being read."""
        at = f"{self.name}:{self.line if line is None else line}: "
        if self.place:
            at += f"{self.place}: "
        return TextdumpError(at + message)

    def scan_error(self, expected: str) -> TextdumpError:
        """Return an error about the line at which the last `scan` began."""
        line, found = self._scanned
        return self.error(f"expected {expected}, found {found[:60]!r}", line=line)

    def _expected(self, what: str) -> TextdumpError:
        return self.error(
            f"expected {what}, but the file ends here: it is not complete"
        )

    def check_room(self, count: int, bytes_each: int, what: str) -> None:
        """Refuse a number of things that is negative or does not fit into the file.

        Raises: TextdumpError.
        """
        if count < 0:
            raise self.error(
                f"the number of {what} is {count}, but cannot be negative",
                line=self.line - 1,
            )
        if self._size is not None and count > _SURELY_ROOM:
            left = self._size - self.position
            if count * bytes_each > left:
                raise self.error(
                    f"{count} {what} are announced, but only {left} bytes are left of "
                    "the file",
                    line=self.line - 1,
                )

    def _fill(self) -> bool:
        """Get more lines; return False at the end of the file."""
        lines = self._lines
        del lines[: self._next]
        self._lines_before += self._next
        self._whole = max(self._whole - self._next, 0)
        self._next = 0
        self._bytes_from.clear()
        while not self._at_end:
            block = self._stream.read(_BLOCK_BYTES)
            if not block:
                self._at_end = True
                rest = "".join(self._tail)
                self._tail.clear()
                if rest:
                    # The file does not end in LF.
                    lines.append(rest)
                    self._end += len(rest)
                return bool(rest)
            text = block.decode(ENCODING)
            if "\0" in text:
                self._has_nul = True
            new = text.split("\n")
            if len(new) > 1:
                self._end += len(text) - len(new[-1])
                if self._tail:
                    self._end += sum(map(len, self._tail))
                    new[0] = "".join(self._tail) + new[0]
                    self._tail.clear()
                self._tail.append(new.pop())
                if self._lines_before == 0 and not lines:
                    self._first_line = new[0]
                lines.extend(new)
                self._whole = len(lines)
                return True
            self._tail.append(text)
        return False

    def _has(self, count: int) -> bool:
        """Whether there are ``count`` more whole lines; if so they are in reach."""
        while self._whole - self._next < count:
            if not self._fill():
                return False
        return True

    def _peek(self) -> str | None:
        """Return what is left of the present line, or None at the end of the file."""
        if self._next >= len(self._lines) and not self._fill():
            return None
        line = self._lines[self._next]
        # Nothing is left of a last line that no LF ends.
        return None if not line and self._next >= self._whole else line

    def _take(self, limit: int, what: str) -> str:
        """Read what fgets() would: to the end of the line, ``limit`` bytes at most.

        The line's LF is part of it.  Raises: TextdumpError at the end of the file.
        """
        line = self._peek()
        if line is None:
            raise self._expected(what)
        is_cut = self._next >= self._whole
        if len(line) >= limit:
            self._lines[self._next] = line[limit:]
            return line[:limit]
        self._next += 1
        return line if is_cut else line + "\n"

    # --- by line ------------------------------------------------------------------

    def read_number(self, what: str = "a number", *, bits: int = 32) -> int:
        """Read a line with an integer and cut it to ``bits``.

        Source: db_io.c, dbio_read_num.
        """
        if self._next < self._whole or self._has(1):
            text = self._lines[self._next]
            digits = text[1:] if text[:1] == "-" else text
            # Every number of so few digits is its own value at any width.
            if len(digits) < 10 and digits.isdecimal():
                self._next += 1
                return wrapped(int(text), bits) if bits < 32 else int(text)
        text = self._take(_NUMBER_BYTES, what).partition("\0")[0]
        number = _C_INTEGER.match(text)
        assert number is not None
        digits = number[1] or ""
        end = number.end() if digits else 0
        if text[:1] in _SPACE or text[end:] != "\n":
            self._complain(
                f'DBIO_READ_NUM: Bad number: "{text}" at file pos. {self.position}'
            )
        return wrapped(_as_long(int(digits or "0")), bits)

    def read_objid(self, what: str = "an object number") -> Obj:
        """Read a line with an object number."""
        if self._next < self._whole or self._has(1):
            objid = self._objids.get(self._lines[self._next])
            if objid is not None:
                self._next += 1
                return objid
        text = self._peek()
        complete = self._next + 1
        objid = Obj(self.read_number(what))
        if text is not None and self._next == complete and text == str(int(objid)):
            self._objids[text] = objid
        return objid

    def read_float(self, what: str = "a float") -> float:
        """Read a line with a float, in any spelling that strtod() takes.

        Source: db_io.c, dbio_read_float.
        """
        text = self._take(_FLOAT_BYTES, what).partition("\0")[0]
        if _PLAIN_FLOAT.fullmatch(text, 0, len(text) - 1) and text[-1] == "\n":
            return float(text)
        number, end = _c_float(text)
        if text[:1] in _SPACE or text[end:] != "\n":
            self._complain(
                f'DBIO_READ_FLOAT: Bad number: "{text}" at file pos. {self.position}'
            )
        return number

    def read_string(self, what: str = "a string") -> str:
        """Read a line as it is; equal short strings become one object.

        A NUL ends it, as it ends every string in C; so does the LF.

        Source: db_io.c, dbio_read_string.
        """
        if not self._has(1) or self._has_nul:
            text = self._read_c_string(what)
        else:
            text = self._lines[self._next]
            self._next += 1
        if len(text) > _SHARED_LENGTH:
            return text
        return self._strings.setdefault(text, text)

    def _read_c_string(self, what: str) -> str:
        pieces = []
        while True:
            piece = self._take(_STRING_BYTES, what).partition("\0")[0]
            if piece[-1:] == "\n":
                pieces.append(piece[:-1])
                break
            pieces.append(piece)
            if len(piece) < _STRING_BYTES:
                break
        return "".join(pieces)

    # --- values -------------------------------------------------------------------

    def read_value(self) -> Value:
        """Read a value, however deeply it is nested.

        What has an unknown type is complained about and read as 0; so is, with a
        remark, what has a type that no MOO value can have.

        Source: db_io.c, dbio_read_var.
        """
        return self._read_entries(1, ())[0]  # type: ignore[return-value]

    def read_stack_entry(self) -> StackEntry:
        """Read what a variable, a temporary or a place on a stack holds."""
        entries = self._read_entries(1, (*self.none_types, TYPE_CATCH, TYPE_FINALLY))
        return entries[0]  # type: ignore[return-value]

    def read_properties(
        self, count: int
    ) -> tuple[list[Value | Clear], tuple[PropInfo, ...]]:
        """Read ``count`` property values, each with owner and permissions.

        Source: db_file.c, read_propval.
        """
        infos: list[PropInfo] = []
        values = self._read_entries(count, (TYPE_CLEAR,), infos)
        row = tuple(infos)
        return values, self._rows.setdefault(row, row)  # type: ignore[return-value]

    def _read_entries(
        self, count: int, marks: tuple[int, ...], infos: list[PropInfo] | None = None
    ) -> list[StackEntry | Clear]:
        """Read values, or one of the ``marks``; each with owner and permissions
        if there are ``infos`` to add these to.
        """
        items: list[Any] = []
        if count == 0:
            return items
        wanted = count
        # The lists, and how long they will be, around the one that `items` is.
        outer: list[tuple[list[Any], int]] = []
        lines, objids, known = self._lines, self._objids, self._infos
        share = self._strings.setdefault
        i = self._next
        # Lines from here on are for the careful reading below: there are not enough
        # of them, or a NUL may be in them.
        limit = 0
        value: Any
        while True:
            if i + 4 > limit:
                self._next = i
                self._has(4)
                i = self._next
                limit = 0 if self._has_nul else self._whole
            kind = lines[i] if i + 1 < limit else ""
            if kind == "2":
                value = lines[i + 1]
                if len(value) <= _SHARED_LENGTH:
                    value = share(value, value)
                i += 2
            elif kind == "5" and infos is not None and not outer:
                value = CLEAR
                i += 1
            elif kind == "1" and lines[i + 1] in objids:
                value = objids[lines[i + 1]]
                i += 2
            elif kind == "0" and lines[i + 1].isdecimal() and len(lines[i + 1]) < 10:
                value = int(lines[i + 1])
                i += 2
            elif kind == "4" and lines[i + 1].isdecimal() and len(lines[i + 1]) < 4:
                length = int(lines[i + 1])
                i += 2
                end = i + 2 * length
                if end > limit or lines[i:end:2].count("2") != length:
                    outer.append((items, wanted))
                    items, wanted = [], length
                    continue
                # Nothing but strings, or nothing at all.
                value = tuple(
                    [
                        share(text, text) if len(text) <= _SHARED_LENGTH else text
                        for text in lines[i + 1 : end : 2]
                    ]
                )
                i = end
            else:
                self._next = i
                type_ = self.read_number("a type")
                if type_ == TYPE_LIST:
                    length = self._read_length()
                    value = ()
                    if length:
                        outer.append((items, wanted))
                        items, wanted, value = [], length, None
                else:
                    value = self._read_scalar(type_, () if outer else marks)
                i = self._next
                limit = 0 if self._has_nul else self._whole
                if value is None:
                    continue
            while True:
                items.append(value)
                if infos is not None and not outer:
                    key = (lines[i], lines[i + 1]) if i + 2 <= limit else ("", "")
                    info = known.get(key)
                    if info is None:
                        self._next = i
                        info = self._read_info(key)
                        i = self._next
                        limit = 0
                    else:
                        i += 2
                    infos.append(info)
                if len(items) < wanted:
                    break
                if not outer:
                    self._next = i
                    return items
                value = tuple(items)
                items, wanted = outer.pop()

    def _read_length(self) -> int:
        length = self.read_number("the length of a list")
        self.check_room(length, 2, "list elements")
        return length

    def _read_scalar(self, type_: int, marks: tuple[int, ...]) -> StackEntry | Clear:
        """Read the content of anything but a list."""
        if type_ == TYPE_STR:
            return self.read_string()
        if type_ == TYPE_OBJ:
            return self.read_objid()
        if type_ == TYPE_INT:
            return self.read_number("an integer", bits=self._int_bits)
        if type_ == TYPE_FLOAT:
            return self.read_float()
        if type_ == TYPE_ERR:
            return ErrorCode(self.read_number("an error"))
        entry: StackEntry | Clear = 0
        if type_ == TYPE_CLEAR:
            entry = CLEAR
        elif type_ in self.none_types:
            entry = UNSET
        elif type_ == TYPE_CATCH:
            entry = CatchMark(self.read_number("the number of arms"))
        elif type_ == TYPE_FINALLY:
            entry = FinallyMark(self.read_number("the pc of a handler"))
        if type_ in marks:
            return entry
        if entry == 0:
            self._complain(
                f"DBIO_READ_VAR: Unknown type ({type_}) at DB file pos. {self.position}"
            )
        else:
            # The C server keeps such a thing, but nothing can be done with it.
            self._remark(f"a value of type {type_}, which none can have, is read as 0")
        return 0

    def _read_info(self, key: tuple[str, str]) -> PropInfo:
        """Read owner and permissions; ``key`` is their lines, or two empty strings."""
        owner = self.read_objid("the owner of a property")
        perms = self.read_number("the permissions of a property", bits=16)
        info = (owner, perms)
        if key[0] in self._objids and key[1].isdecimal() and len(key[1]) < 5:
            self._infos[key] = info
        return info

    # --- programs -----------------------------------------------------------------

    def read_program(self) -> tuple[str, bool]:
        """Read the text of a program: lines up to one that begins with a dot.

        The byte behind the dot, usually a LF, is skipped, and what follows it is
        read next.  Returns the lines, each with its LF, and whether there was a line
        with a dot before the end of the file.

        Source: db_io.c, my_getc.
        """
        lines = self._lines
        looked_at = 0
        while True:
            start = self._next
            try:
                end = lines.index(".", start + looked_at)
                break
            except ValueError:
                looked_at = len(lines) - start
                if not self._fill():
                    start = self._next
                    end = len(lines)
                    break
        text = "\n".join(lines[start:end])
        if text[:1] == "." or "\n." in text:
            # A line that only begins with a dot: damaged, or no canonical code.
            end = next(at for at in range(start, end) if lines[at].startswith("."))
            lines[end] = lines[end][2:]
            self._next = end
            return "".join([f"{line}\n" for line in lines[start:end]]), True
        if start < end <= self._whole:
            text += "\n"
        is_complete = end < len(lines)
        self._next = end + is_complete
        return text, is_complete

    def read_program_header(self) -> tuple[int, int] | None:
        """Read a sound line ``#OBJECT:VERB``, which nothing odd follows; else None.

        The same as ``scan("#%d:%d\\n")``, sooner.
        """
        if self._has(2):
            lines, at = self._lines, self._next
            header = _PROGRAM_HEADER.fullmatch(lines[at])
            if header is not None and lines[at + 1][:1].strip(_SPACE_IN_LINE):
                self._next = at + 1
                return int(header[1]), int(header[2])
        return None

    # --- by scanning --------------------------------------------------------------

    def scan(self, pattern: str) -> list[int | str] | None:
        """Match what comes next with a pattern of scanf(); return what was converted.

        It may hold ``%d``, ``%u``, ``%c``, white space, which stands for any white
        space or none, and other characters, before each of which white space is
        passed over.  Matching ends at the first thing that does not fit; what has
        been matched until then has been read.  Returns None where the file ends
        before anything was converted.

        Source: db_io.c, dbio_scanf.
        """
        converted: list[int | str] = []
        self._scanned = (self.line, self._peek() or "")
        for part in _PATTERN.findall(pattern):
            if part.isspace():
                self._skip_space()
                continue
            if part != "%c":
                self._skip_space()
            line = self._peek()
            if line is None:
                return converted or None
            if part == "%c":
                converted.append(self._take(1, "a character"))
            elif part[0] == "%":
                number = _INTEGER.match(line)
                if number is None:
                    if line[0] in "+-":
                        self._lines[self._next] = line[1:]
                    return converted
                self._lines[self._next] = line[number.end() :]
                signed = wrapped(_as_long(int(number[0])), 32)
                converted.append(signed if part == "%d" else signed & 0xFFFFFFFF)
            elif line.startswith(part):
                self._lines[self._next] = line[1:]
            else:
                return converted
        return converted

    def _skip_space(self) -> None:
        while (line := self._peek()) is not None:
            rest = line.lstrip(_SPACE_IN_LINE)
            if rest:
                self._lines[self._next] = rest
                return
            self._next += 1

    def skip_line(self, line: str) -> bool:
        """Read the next line if it is ``line``; return whether it was."""
        if self._has(1) and self._lines[self._next] == line:
            self._next += 1
            return True
        return False

    def rest_of_line(self, limit: int) -> str:
        """Read what fgets() would with a buffer of ``limit``; empty at the end."""
        return "" if self._peek() is None else self._take(limit - 1, "a line")


def _as_long(number: int) -> int:
    """Cut a number as strtol() does, to the nearest that fits into 64 bits."""
    return max(-(2**63), min(number, 2**63 - 1))


def _c_float(text: str) -> tuple[float, int]:
    """Return the float at the beginning of ``text`` and its end, as strtod() does."""
    match = _C_FLOAT.match(text)
    if match is None:
        return 0.0, 0
    if match["hex"]:
        try:
            number = float.fromhex(match["hex"])
        except OverflowError:
            number = math.inf
    elif match["decimal"]:
        number = float(match["decimal"])
    else:
        number = math.inf if match["inf"] else math.nan
    return math.copysign(number, -1.0 if match["sign"] == "-" else 1.0), match.end()


# --- writing ----------------------------------------------------------------------


def float_line(number: float) -> str:
    """Return a float as a textdump has it: 19 digits, enough to read it back.

    Source: db_io.c, dbio_write_float.
    """
    if number != number:
        return "-nan" if math.copysign(1.0, number) < 0 else "nan"
    return f"{number:.19g}"


class TextdumpWriter:
    """Writes lines to a binary stream, many at a time."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self.add: Callable[[str], None] = self._lines.append
        """Add a line, without its LF; it must have none inside either."""
        self.too_large = 0
        """How many lists were too large to be written."""

    def flush(self) -> None:
        """Write what was added to the stream.

        Raises: InternalError if a character is no byte.
        """
        if self._lines:
            self._lines.append("")
            text = "\n".join(self._lines)
            self._lines.clear()
            try:
                data = text.encode(ENCODING)
            except UnicodeEncodeError as error:
                start = text.rfind("\n", 0, error.start) + 1
                raise InternalError(
                    f"characters that are no bytes: {text[start : error.end]!r}"
                ) from error
            self._stream.write(data)

    def flush_if_full(self) -> None:
        """Write what was added, if that is enough to be worth it."""
        if len(self._lines) >= _LINES_PER_WRITE:
            self.flush()

    def add_string(self, text: str) -> None:
        """Add a string.

        Raises: InternalError if it has what no MOO string can have.
        """
        if "\n" in text or "\0" in text:
            raise _unwritable(text)
        self.add(text)

    def add_program(self, text: str) -> None:
        """Add the text of a program and the line with a dot behind it.

        The last line may lack its LF.  Raises: InternalError if the text would be
        read back otherwise.
        """
        if text[:1] == "." or "\n." in text or "\0" in text:
            raise InternalError(
                f"a program with a NUL or a line that begins with a dot: {text[:200]!r}"
            )
        self.add(f"{text}\n." if text and text[-1] != "\n" else f"{text}.")

    def add_value(self, value: StackEntry | Clear, *, before: str = "") -> None:
        """Add the lines of a value, however deeply it is nested.

        ``before`` stands on the line of its type.  In the place of a list that is
        too large (`MAX_ELEMENTS`) E_QUOTA is written, and `too_large` grows.

        Source: db_io.c, dbio_write_var.
        """
        if type(value) is tuple and expanded_length(value) > MAX_ELEMENTS:
            self.too_large += 1
            value = E_QUOTA
        if not before:
            self._add_values(iter((value,)))
        elif type(value) is tuple:
            self.add(f"{before}{TYPE_LIST}\n{len(value)}")
            self._add_values(iter(value))
        else:
            first = len(self._lines)
            self._add_values(iter((value,)))
            self._lines[first] = before + self._lines[first]

    def _add_values(self, items: Iterator[Any]) -> None:
        add = self.add
        pending: list[Iterator[Any]] = []
        while True:
            for item in items:
                kind = type(item)
                if kind is str:
                    if "\n" in item or "\0" in item:
                        raise _unwritable(item)
                    add(f"2\n{item}")
                elif kind is int:
                    add(f"0\n{item}")
                elif kind is Obj:
                    add(f"1\n{int(item)}")
                elif kind is tuple:
                    add(f"4\n{len(item)}")
                    if item and type(item[0]) is str and _are_strings(item):
                        strings = "\n2\n".join(item)
                        if strings.count("\n") != 2 * len(item) - 2 or "\0" in strings:
                            raise _unwritable(strings)
                        add(f"2\n{strings}")
                        continue
                    pending.append(items)
                    items = iter(item)
                    self.flush_if_full()
                    break
                else:
                    self._add_rare(item)
            else:
                if not pending:
                    return
                items = pending.pop()

    def _add_rare(self, item: StackEntry | Clear) -> None:
        lines: tuple[object, ...]
        if isinstance(item, float):
            lines = (TYPE_FLOAT, float_line(item))
        elif isinstance(item, ErrorCode):
            lines = (TYPE_ERR, item.number)
        elif isinstance(item, Clear):
            lines = (TYPE_CLEAR,)
        elif isinstance(item, Unset):
            lines = (TYPE_NONE,)
        elif isinstance(item, CatchMark):
            lines = (TYPE_CATCH, item.arms)
        elif isinstance(item, FinallyMark):
            lines = (TYPE_FINALLY, item.handler_pc)
        else:
            raise InternalError(f"a textdump cannot hold {item!r}")
        for line in lines:
            self.add(str(line))


def expanded_length(value: tuple[Any, ...]) -> int:
    """Return how many elements a list has with all lists in it, each counted as often
    as it occurs.

    A list in which the same one occurs again and again takes little memory, and can
    still have more elements than any disk has room for.
    """
    lengths: dict[int, int] = {}
    pending: list[tuple[Any, ...]] = [value]
    while pending:
        item = pending[-1]
        inner = [each for each in item if type(each) is tuple]
        missing = [each for each in inner if id(each) not in lengths]
        if missing:
            pending += missing
            continue
        pending.pop()
        lengths[id(item)] = len(item) + sum(lengths[id(each)] for each in inner)
    return lengths[id(value)]


def _are_strings(items: tuple[Any, ...]) -> bool:
    return set(map(type, items)) == {str}


def _unwritable(text: str) -> InternalError:
    return InternalError(f"a string with a line feed or NUL in it: {text[:200]!r}")
