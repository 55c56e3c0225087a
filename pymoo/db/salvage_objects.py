"""One object of a damaged textdump, read the best way there is.

An object that is not as it should be is read again with one thing changed: a line
that stands twice is left out, a line that seems to be missing is put in, a count is
one more or one less, a value is left out.  A change counts only if the whole object
can be read with it, and others that may be needed, to its last line.  Where there is
none, what stands before the damage is kept.

Which lines an object has is for `db.salvage`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Final

from attrs import define, field, frozen

from pymoo.db.integers import wrapped
from pymoo.db.mending import LOST_PROPERTY, Found, Say
from pymoo.db.objects import (
    PREP_ANY,
    PREP_NONE,
    PROP_CHOWN,
    PROP_READ,
    PROP_WRITE,
    Object,
    PropInfo,
    Verbdef,
)
from pymoo.db.textdump import TEMPORARY_FLAGS
from pymoo.db.textdump_io import TextdumpReader
from pymoo.errors import TextdumpError
from pymoo.values import Obj

_SMALL_READ: Final = 2048

# How values begin, and what is behind the last line.
_TYPE_LINES: Final = frozenset((b"0", b"1", b"2", b"3", b"4", b"5", b"9", b""))

NUMBER_LINE: Final = re.compile(rb"-?\d{1,10}")

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_LONG_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,60}")
_POSITION: Final = re.compile(r" at (?:DB )?file pos\. \d+")
_PROPERTY_NAME: Final = re.compile(r"\S{1,100}")
_ALL_PROPERTY_FLAGS: Final = PROP_READ | PROP_WRITE | PROP_CHOWN

_MAX_CHANGES: Final = 20
"""How many things are changed of one object."""

_MAX_DOUBLES: Final = 50
"""How many lines that stand twice are tried, the last ones before the damage."""

_LINES_READ: Final = 100_000
"""Of objects with many lines fewer ways are tried, so that about so many are read
again for one change."""

_MAX_EXCUSES: Final = 3
"""How many lines may be passed over that are not as they should be."""

_MAX_LINES: Final = 20_000
"""How many lines an object may have for one of its values to be left out."""

VERBS, DEFINITIONS, VALUES = "verbs", "property definitions", "property values"


class DamagedError(TextdumpError):
    """What is read is not as it should be."""


class _SmallReads(BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(_SMALL_READ)


class StrictReader(TextdumpReader):
    """Refuses what the C server complains of and passes over.

    With ``excuse`` that is told to it instead, and a line of its own is always read
    as one.
    """

    def __init__(
        self,
        data: bytes,
        first_line: int,
        int_bits: int,
        *,
        start: int = 0,
        excuse: Say | None = None,
        is_short: bool = False,
    ) -> None:
        """``is_short`` is for whoever will not read much."""
        stream = (_SmallReads if is_short else BytesIO)(data)
        stream.seek(start)
        super().__init__(
            stream,
            "",
            self._refuse,
            self._refuse,
            size=len(data) - start,
            int_bits=int_bits,
            first_line=first_line,
        )
        self.is_lenient = excuse is not None
        self._start = start
        self._excuse = excuse

    @property
    def at(self) -> int:
        """Where the next line begins in the data."""
        return self._start + self.position

    def error(self, message: str, *, line: int | None = None) -> TextdumpError:
        """Return an error that says where: on which line."""
        text = message.replace("\n", "\\n")
        return DamagedError(f"line {self.line if line is None else line}: {text}")

    def _refuse(self, text: str) -> None:
        # The line in question has been read.
        error = self.error(_POSITION.sub("", text), line=self.line - 1)
        if self._excuse is None:
            raise error
        self._excuse(str(error))

    def read_number(self, what: str = "a number", *, bits: int = 32) -> int:
        """Read a line with an integer, however long."""
        line = self._peek() or ""
        if _INTEGER.fullmatch(line):
            return super().read_number(what, bits=bits)
        if not line or self._excuse is None:
            raise self.error(f"expected {what}, found {line[:60]!r}")
        self._take(len(line) + 2, what)
        start = _LONG_INTEGER.match(line)
        number = wrapped(int(start[0]), bits) if start is not None else 0
        self._refuse(f"{what} was {line[:60]!r}: now {number}")
        return number


@frozen
class Edit:
    """A change to the lines of an object."""

    place: int
    removed: int
    added: tuple[bytes, ...]
    note: str
    is_loss: bool = False
    # Whether the object may have had more, or other, values than it has with this.
    is_doubtful: bool = False

    def applied(self, lines: list[bytes]) -> list[bytes]:
        """Return the lines with the change."""
        place = self.place
        return [*lines[:place], *self.added, *lines[place + self.removed :]]


@define
class Piece:
    """An object, as far as it could be read."""

    found: Found
    end: int = 0  # behind it in the file
    stop: int = 0  # its line (the first is 0) behind what could be read
    # Of what there should be how much, and on which of its lines that stands.
    counts: dict[str, tuple[int, int]] = field(factory=dict)
    reason: str = ""  # why it ends before its end, and on which line
    changes: list[Edit] = field(factory=list)  # what it could be read with
    notes: list[str] = field(factory=list)  # what was passed over
    # The lines on which its property values begin, that of one damaged included.
    starts: list[int] = field(factory=list)


class ObjectReader:
    """Reads the objects of one file."""

    def __init__(self, may_own: Callable[[Obj], bool], int_bits: int) -> None:
        """``may_own`` tells whether a number may be that of an owner."""
        self._may_own = may_own
        self._int_bits = int_bits
        self._rows: dict[tuple[PropInfo, ...], tuple[PropInfo, ...]] = {}

    def read_damaged(self, text: bytes, number: int, line: int) -> Piece:
        """Return an object that has a text of its own; ``line`` is that of its first.

        If it cannot be read whole, its ``reason`` says why.
        """
        lines = text.split(b"\n")
        first = piece = self._attempt(lines, number, line)
        changes: list[Edit] = []
        for _ in range(min(_MAX_CHANGES, 1 + _LINES_READ // len(lines))):
            if self._is_whole(piece, lines):
                break
            tried: list[tuple[int, Edit, list[bytes], Piece]] = []
            for edit in self._edits(lines, piece, line):
                other = edit.applied(lines)
                attempt = self._attempt(other, number, line)
                if self._is_whole(attempt, other):
                    return self._changed(attempt, [*changes, edit], text)
                if attempt.reason:
                    left = len(other) - attempt.stop
                    tried.append((left, edit, other, attempt))
            lenient = self._attempt(lines, number, line, lenient=True)
            if self._is_whole(lenient, lines) and len(lenient.notes) <= _MAX_EXCUSES:
                return self._changed(lenient, changes, text)
            # The one that got furthest may be one of several that are needed.
            best = min(tried, key=lambda each: each[0], default=None)
            if best is None or best[0] >= len(lines) - piece.stop:
                return first
            _, edit, lines, piece = best
            changes.append(edit)
        return self._changed(piece, changes, text) if not piece.reason else first

    def _is_whole(self, piece: Piece, lines: list[bytes]) -> bool:
        return not piece.reason and piece.end == sum(map(len, lines)) + len(lines) - 1

    def _changed(self, piece: Piece, changes: list[Edit], text: bytes) -> Piece:
        piece.changes = changes
        if any(edit.is_doubtful for edit in changes):
            piece.found.is_whole = False  # for conclusions from how many it has
        piece.end = len(text)
        return piece

    def _attempt(
        self, lines: list[bytes], number: int, line: int, *, lenient: bool = False
    ) -> Piece:
        notes: list[str] = []
        reader = StrictReader(
            b"\n".join(lines),
            line,
            self._int_bits,
            excuse=notes.append if lenient else None,
        )
        piece = self.read(reader, number)
        piece.notes = notes
        return piece

    # --- changes ----------------------------------------------------------------

    def _edits(self, lines: list[bytes], piece: Piece, line: int) -> Iterator[Edit]:
        """Yield the changes that may help an object, of which a piece could be read."""
        stop = min(piece.stop + 1, len(lines) - 1) if piece.reason else len(lines) - 1
        doubles = [
            place
            for place in range(2, stop)
            if lines[place] == lines[place - 1] != lines[place - 2]
        ]
        count = min(_MAX_DOUBLES, 1 + _LINES_READ // len(lines))
        for place in reversed(doubles[-count:]):
            yield Edit(place, 1, (), f"line {line + place} is there twice: now once")
        yield from self._missing_lines(lines, piece)
        for what, (place, count) in piece.counts.items():
            for better in (count - 1, count + 1):
                yield Edit(
                    place,
                    1,
                    (b"%d" % better,),
                    f"the number of its {what} was {count}: now {better}",
                    is_doubtful=what == VALUES,
                )
        without = self._without_value(lines, piece)
        if without is not None:
            yield without

    def _missing_lines(self, lines: list[bytes], piece: Piece) -> Iterator[Edit]:
        record = piece.found.record
        first, count = piece.counts.get(VERBS, (0, 0))
        # One of the verb behind the last sound one; of the last verb, if what follows
        # was taken for a part of it.
        for index in sorted({min(len(record.verbs), count - 1), count - 1} - {-1}):
            at = first + 1 + 4 * index
            for behind, what, new in (
                (0, "names", b"lost_verb_%d" % (index + 1)),
                (3, "preposition", b"%d" % PREP_NONE),
                (2, "permissions", b"0"),
                (1, "owner", b"%d" % record.owner),
            ):
                names = b"".join(lines[at : at + 1])
                if behind == 0 and not NUMBER_LINE.fullmatch(names):
                    continue
                yield Edit(
                    at + behind,
                    0,
                    (new,),
                    f"the line with the {what} of verb {index + 1} was missing: now "
                    f"{new.decode()}",
                )
        if DEFINITIONS in piece.counts:
            # Another name was taken for what follows the names.
            at, count = piece.counts[DEFINITIONS]
            name = f"{LOST_PROPERTY}of_{int(record.id)}"
            yield Edit(
                at + count,
                0,
                (name.encode(),),
                f"the name of one of its {count} properties was missing: now the last "
                f"is {name}, and values may stand at the names of others",
                is_loss=True,
            )

    def _without_value(self, lines: list[bytes], piece: Piece) -> Edit | None:
        """Return how the value that is damaged is left out.

        The values behind it, as many as there must be, end where the object does.
        """
        _, count = piece.counts.get(VALUES, (0, 0))
        record = piece.found.record
        have = len(record.values)
        if len(piece.starts) != have + 1 or len(lines) > _MAX_LINES:
            return None
        start = piece.starts[-1]
        text = b"\n".join(lines)
        at = len(b"\n".join(lines[: start + 3])) + 1
        for end in range(start + 3, len(lines)):
            place = at
            at += len(lines[end]) + 1
            # Only what may be owner and permissions ends a value.
            if not (
                lines[end] in _TYPE_LINES
                and NUMBER_LINE.fullmatch(lines[end - 1])
                and NUMBER_LINE.fullmatch(lines[end - 2])
            ):
                continue
            reader = StrictReader(text, 1, self._int_bits, start=place, is_short=True)
            try:
                for _ in range(count - have - 1):
                    _, [info] = reader.read_properties(1)
                    self._check_info(reader, info)
            except TextdumpError:
                continue
            if reader.at != len(text):
                continue
            name = f"property value {have + 1} of {count}"
            if have < len(record.propdefs):
                name = f"the value of {record.propdefs[have]}"
            lost = (b"5", *lines[end - 2 : end])
            note = f"{name} ({piece.reason})"
            return Edit(start, end - start, lost, note, is_loss=True)
        return None

    def _check_info(self, reader: StrictReader, info: PropInfo) -> None:
        if not reader.is_lenient and not (
            self._may_own(info[0]) and 0 <= info[1] <= _ALL_PROPERTY_FLAGS
        ):
            raise reader.error(f"owner {info[0]}, permissions {info[1]}")

    # --- reading ----------------------------------------------------------------

    def read(self, reader: StrictReader, number: int) -> Piece:
        """Read an object from its first line on, as far as it is sound."""
        first_line = reader.line
        found = Found(
            Object(Obj(number)),
            has_location=False,
            has_parent=False,
            is_whole=False,
            lacks_definitions=True,
        )
        piece = Piece(found)
        infos: list[PropInfo] = []
        try:
            self._read_fields(reader, piece, infos)
        except TextdumpError as error:
            piece.reason = str(error)
        row = tuple(infos)
        found.record.infos = self._rows.setdefault(row, row)
        found.is_whole = not piece.reason
        piece.end = reader.at
        piece.stop = reader.line - first_line
        return piece

    def _read_fields(
        self, reader: StrictReader, piece: Piece, infos: list[PropInfo]
    ) -> None:
        """Source: db_file.c, read_object."""
        first_line = reader.line
        found = piece.found
        record = found.record
        number, objid = reader.read_number, reader.read_objid

        def count(what: str, bytes_each: int) -> int:
            place = reader.line - first_line
            many = number(f"the number of its {what}")
            piece.counts[what] = place, many
            reader.check_room(many, bytes_each, what)
            return many

        reader.read_string("its number")
        record.name = reader.read_string("its name")
        reader.read_string("its handles")
        record.flags = number("its flags") & ~TEMPORARY_FLAGS
        record.owner = objid("its owner")
        record.location = objid("its location")
        found.has_location = True
        found.contents = objid("the first of its contents")
        found.next = objid("the next in its location")
        record.parent = objid("its parent")
        found.has_parent = True
        found.child = objid("its first child")
        found.sibling = objid("its next sibling")
        verbs: list[Verbdef] = []
        try:
            for _ in range(count(VERBS, 7)):
                names = reader.read_string("the names of a verb")
                owner = objid("the owner of a verb")
                perms = number("the permissions of a verb", bits=16)
                prep = number("the preposition of a verb", bits=16)
                if not reader.is_lenient and not (
                    self._may_own(owner) and perms >= 0 and prep >= PREP_ANY
                ):
                    raise reader.error(f"owner {owner}, permissions {perms}")
                verbs.append(Verbdef(names, owner, perms, prep))
        finally:
            record.verbs = tuple(verbs)
        names_: list[str] = []
        try:
            for _ in range(count(DEFINITIONS, 1)):
                names_.append(reader.read_string("the name of a property"))  # noqa: PERF401 - those before damage are kept
        finally:
            record.propdefs = tuple(names_)
        found.lacks_definitions = False
        try:
            values = count(VALUES, 6)
            if values < len(names_):
                raise reader.error(
                    f"{len(names_)} are defined here, but {values} there"
                )
        except TextdumpError:
            if not all(map(_PROPERTY_NAME.fullmatch, names_)):
                # Whatever these lines are.
                record.propdefs = ()
                found.lacks_definitions = True
            raise
        for _ in range(values):
            piece.starts.append(reader.line - first_line)
            [value], [info] = reader.read_properties(1)
            self._check_info(reader, info)
            record.values.append(value)
            infos.append(info)
