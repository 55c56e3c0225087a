"""One object of a damaged textdump, read the best way there is.

An object that is not as it should be is read again with one thing changed: a line
that stands twice is left out, a line that seems to be missing is put in, a count is
one more or one less, a value is left out.  Where a value begins is known only as long
as nothing is missing before it: of values that may be another's none is kept, but
those on which all ways to read the object agree.  A change counts only if the whole
object can be read with it, and others that may be needed, to its last line.  Where
there is none, what stands before the damage is kept.

Which lines an object has is for `db.salvage`.
"""

from __future__ import annotations

import re
from collections import Counter
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
    Clear,
    Object,
    PropInfo,
    Verbdef,
)
from pymoo.db.textdump import TEMPORARY_FLAGS
from pymoo.db.textdump_io import TextdumpReader
from pymoo.errors import TextdumpError
from pymoo.values import Obj, Value

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

_MAX_VALUE_LINES: Final = 60
"""How many lines a value may have for a missing one to be looked for; with more lines
it counts as one that may lack one."""

# A line that is missing may have been any of these, or not: what is read with all of
# them is sure.
_STAND_INS: Final = (b"0", b"1", b"2", b"3", b"4", b"5", b"9")

_CLEAR: Final = b"5"

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
        self.excuses = 0
        self._met: set[str] = set()
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

    def refuse(self, text: str, now: str | None = None) -> None:
        """Raise, or excuse, what is wrong with what was read last.

        ``now`` is what is taken instead.  What is wrong in the same way at several
        places counts once: there somebody has made it so, and nothing is shifted.
        """
        counts = text not in self._met
        self._met.add(text)
        is_told = now is not None and self.is_lenient
        self._refuse(f"{text}: now {now}" if is_told else text, counts=counts)

    def _refuse(self, text: str, *, counts: bool = True) -> None:
        # The line in question has been read.
        error = self.error(_POSITION.sub("", text), line=self.line - 1)
        if self._excuse is None:
            raise error
        self.excuses += counts
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
    is_of_values: bool = False  # whether it is about property values
    lost_values: int = 0

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
    # Its own text, if it was damaged, and the line of its first.
    text: bytes = b""
    line: int = 0
    excuses: int = 0  # how much was passed over
    excuses_before_values: int = 0
    has_strange_owner: bool = False  # of a property; or its permissions are strange
    left: tuple[int, int] | None = None  # the lines behind it that nobody needs

    @property
    def has_doubtful_values(self) -> bool:
        """Whether more can be said of its values if their names are known."""
        return VALUES in self.counts and (
            bool(self.reason)
            or self.left is not None
            or any(edit.is_of_values for edit in self.changes)
        )


@frozen
class _Way:
    """A way to read an object: one value is damaged, what follows it is sound."""

    slot: int
    bounds: tuple[int, ...]  # where the next value begins, those after it, and the end

    def bound(self, slot: int) -> int:
        """Return where a value behind the damaged one begins."""
        return self.bounds[slot - self.slot - 1]


class ObjectReader:
    """Reads the objects of one file."""

    def __init__(self, may_own: Callable[[Obj], bool], int_bits: int) -> None:
        """``may_own`` tells whether a number may be that of an owner."""
        self._may_own = may_own
        self._int_bits = int_bits
        self._rows: dict[tuple[PropInfo, ...], tuple[PropInfo, ...]] = {}

    def read_damaged(
        self,
        text: bytes,
        number: int,
        line: int,
        *,
        inherited: tuple[str, ...] | None = None,
    ) -> Piece:
        """Return an object that has a text of its own; ``line`` is that of its first.

        ``inherited`` are the names of the properties that its ancestors define, if
        they are known: so many values it has beside those of its own.

        If it cannot be read whole, its ``reason`` says why, or ``left`` what is left.
        """
        piece = self._best(text, number, line, inherited)
        piece.text, piece.line = text, line
        if not piece.reason and piece.end != len(text):
            start = line + text.count(b"\n", 0, piece.end)
            piece.left = start, line + text.count(b"\n") - 1
        return piece

    def _best(
        self,
        text: bytes,
        number: int,
        line: int,
        inherited: tuple[str, ...] | None,
    ) -> Piece:
        lines = text.split(b"\n")
        first = piece = self._attempt(lines, number, line)
        changes: list[Edit] = []
        for _ in range(min(_MAX_CHANGES, 1 + _LINES_READ // len(lines))):
            if self._is_whole(piece, lines):
                break
            tried: list[tuple[int, Edit, list[bytes], Piece]] = []
            for edit in self._edits(lines, piece, line, inherited):
                other = edit.applied(lines)
                attempt = self._attempt(other, number, line)
                if self._is_whole(attempt, other):
                    return self._changed(attempt, [*changes, edit], text)
                if attempt.reason:
                    left = len(other) - attempt.stop
                    tried.append((left, edit, other, attempt))
            lenient = self._attempt(lines, number, line, lenient=True)
            if self._is_whole(lenient, lines) and self._is_excused(lenient):
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

    def _is_excused(self, piece: Piece) -> bool:
        """Whether what was passed over is so little that the rest may be right."""
        return piece.excuses <= (1 if piece.has_strange_owner else _MAX_EXCUSES)

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
        piece.excuses = reader.excuses
        if piece.excuses > piece.excuses_before_values + 1:
            notes.append("its property values may be another's")
        piece.notes = notes
        return piece

    # --- changes ----------------------------------------------------------------

    def _edits(
        self,
        lines: list[bytes],
        piece: Piece,
        line: int,
        inherited: tuple[str, ...] | None,
    ) -> Iterator[Edit]:
        """Yield the changes that may help an object, of which a piece could be read."""
        stop = min(piece.stop + 1, len(lines) - 1) if piece.reason else len(lines) - 1
        doubles = [
            place
            for place in range(2, stop)
            if lines[place] == lines[place - 1] != lines[place - 2]
        ]
        count = min(_MAX_DOUBLES, 1 + _LINES_READ // len(lines))
        twice = [
            Edit(place, 1, (), f"line {line + place} is there twice: now once")
            for place in reversed(doubles[-count:])
        ]
        # Among values equal numbers stand side by side in sound objects too.
        first_value = piece.starts[0] if piece.starts else len(lines)
        unsure = [
            edit
            for edit in twice
            if edit.place > first_value and NUMBER_LINE.fullmatch(lines[edit.place])
        ]
        yield from (edit for edit in twice if edit not in unsure)
        yield from self._missing_lines(lines, piece)
        for what in (VERBS, DEFINITIONS):
            place, count = piece.counts.get(what, (0, 0))
            for better in (count - 1, count + 1) if place else ():
                note = f"the number of its {what} was {count}: now {better}"
                yield Edit(place, 1, (b"%d" % better,), note)
        if VALUES in piece.counts:
            yield from self._value_edits(lines, piece, inherited, unsure)

    def _value_edits(
        self,
        lines: list[bytes],
        piece: Piece,
        inherited: tuple[str, ...] | None,
        twice: list[Edit],
    ) -> Iterator[Edit]:
        place, count = piece.counts[VALUES]
        record = piece.found.record
        was = f"the number of its {VALUES} was {count}"
        if inherited is not None:
            wanted = len(record.propdefs) + len(inherited)
            if wanted != count:
                note = f"{was}: now {wanted}"
                line = b"%d" % wanted
                yield Edit(place, 1, (line,), note, is_of_values=True)
                return
        damage = _DamagedValues(self, lines, piece, inherited or ())
        yield from damage.with_missing_line()
        yield from twice
        if inherited is None:
            for better in (count - 1, count + 1):
                yield Edit(
                    place,
                    1,
                    (b"%d" % better,),
                    f"{was}, but {better} are there, and may be another's",
                    is_doubtful=True,
                    is_of_values=True,
                )
        yield from damage.without_it()

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

    def read_value(self, reader: StrictReader) -> tuple[Value | Clear, PropInfo]:
        """Read a property value.  Raises: TextdumpError if it is not sound."""
        [value], [info] = reader.read_properties(1)
        if not self._may_have(info):
            owner, perms = info
            now = None if _may_be_permissions(perms) else "permissions 0"
            reader.refuse(f"owner {owner}, permissions {perms}", now)
        return value, info

    def _may_have(self, info: PropInfo) -> bool:
        return self._may_own(info[0]) and _may_be_permissions(info[1])

    def strict_reader(self, text: bytes, start: int = 0) -> StrictReader:
        """Return what reads a little from some place; its first line is 1."""
        return StrictReader(text, 1, self._int_bits, start=start, is_short=True)

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
                if not self._may_own(owner):
                    reader.refuse(f"a verb of {owner}")  # `db.mending` finds another
                perms = number("the permissions of a verb", bits=16)
                if perms < 0:
                    # -1 has all flags: anybody could write what a wizard owns.
                    reader.refuse(f"a verb with permissions {perms}", "0")
                    perms = 0
                prep = number("the preposition of a verb", bits=16)
                if prep < PREP_ANY:
                    reader.refuse(f"a verb with preposition {prep}", f"{PREP_NONE}")
                    prep = PREP_NONE
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
        piece.excuses_before_values = reader.excuses
        for _ in range(values):
            piece.starts.append(reader.line - first_line)
            value, info = self.read_value(reader)
            if not self._may_have(info):
                piece.has_strange_owner = True
                if not _may_be_permissions(info[1]):
                    info = info[0], 0
            record.values.append(value)
            infos.append(info)


def _may_be_permissions(perms: int) -> bool:
    """Whether a property can have them."""
    return 0 <= perms <= _ALL_PROPERTY_FLAGS


class _DamagedValues:
    """The property values of an object one of which is damaged, nobody knows which.

    From each end they are read as far as they can be; in between is the damage.
    """

    def __init__(
        self,
        objects: ObjectReader,
        lines: list[bytes],
        piece: Piece,
        inherited: tuple[str, ...],
    ) -> None:
        self._objects = objects
        self._lines = lines
        self._piece = piece
        self._names = [*piece.found.record.propdefs, *inherited]
        self._count = piece.counts[VALUES][1]
        self._ways: list[_Way] | None = None

    def _all_ways(self) -> list[_Way]:
        """Return all ways to have the right number of values, one of them damaged."""
        if self._ways is None:
            starts = self._piece.starts
            self._ways = []
            if starts and len(self._lines) <= _MAX_LINES:
                following, numbers = self._tails(starts[0])
                for slot, start in enumerate(starts):
                    for end in numbers.get(self._count - slot - 1, ()):
                        if end > start + 1:
                            bounds = [end]
                            while bounds[-1] in following:
                                bounds.append(following[bounds[-1]])
                            self._ways.append(_Way(slot, tuple(bounds)))
        return self._ways

    def _tails(self, first: int) -> tuple[dict[int, int], dict[int, list[int]]]:
        """Return from where on all is sound to the end of the object.

        The first table has for each such line the one on which the next value begins,
        the second the lines by how many values there are from them on.
        """
        lines = self._lines
        text = b"\n".join(lines)
        last = len(lines) - 1
        following: dict[int, int] = {}
        count = {last: 0}
        at = len(text) - len(lines[last])
        for place in range(last - 1, first, -1):
            at -= len(lines[place]) + 1
            if not lines[place] or lines[place] not in _TYPE_LINES:
                continue
            reader = self._objects.strict_reader(text, at)
            try:
                self._objects.read_value(reader)
            except TextdumpError:
                continue
            behind = place + reader.line - 1
            if behind in count:
                following[place] = behind
                count[place] = count[behind] + 1
        numbers: dict[int, list[int]] = {}
        for place, many in count.items():
            numbers.setdefault(many, []).append(place)
        return following, numbers

    def with_missing_line(self) -> Iterator[Edit]:
        """Yield how the values are read if one line of one of them is missing."""
        found = [
            (way, readings) for way in self._all_ways() if (readings := self._read(way))
        ]
        # Whoever has made an object has made most of its properties, with the same
        # permissions: what gives them to fewer others is more likely.
        odd = [self._strangers(way) for way, _ in found]
        found = [
            each for each, many in zip(found, odd, strict=True) if many == min(odd)
        ]
        if len(found) > 1:
            yield self._cleared([way for way, _ in found], "a line is missing")
        if len(found) != 1:
            return
        [(way, readings)] = found
        start, end = self._piece.starts[way.slot], way.bounds[0]
        name = self._name(way.slot)
        info = self._info(way, {reading[-2:] for reading in readings})
        values = {reading[:-2] for reading in readings}
        parts = []
        if len(values) > 1:
            parts.append("the value")
        if info is None:
            parts.append("owner and permissions")
            info = self._no_info()
        new = (*(values.pop() if len(values) == 1 else (_CLEAR,)), *info)
        note = (
            f"{' and '.join(parts)} of {name}: a line of it seems to be missing"
            if parts
            else f"a line of the value of {name} seems to have been missing: now put in"
        )
        if way.slot > 0:
            note += " (were it more than one, values before it may be another's)"
        yield Edit(
            start,
            end - start,
            new,
            note,
            is_loss=bool(parts),
            is_of_values=True,
            lost_values=min(len(parts), 1),
        )

    def without_it(self) -> Iterator[Edit]:
        """Yield how the values are read without the one that is damaged."""
        lines, starts = self._lines, self._piece.starts
        least: dict[int, _Way] = {}
        for way in self._all_ways():
            # Only what may be owner and permissions ends a value.
            end = way.bounds[0]
            behind = starts[way.slot + 1 : way.slot + 2]
            if behind and end >= behind[0]:
                # It is sound as it is.  Had it fewer lines than it should have, some
                # of the next would have been taken for its own.
                continue
            if end - starts[way.slot] >= 3 and all(
                NUMBER_LINE.fullmatch(line) for line in lines[end - 2 : end]
            ):
                # The end of a list can be taken for a value: of several ways to leave
                # out the same one, that which leaves out least.
                other = least.setdefault(way.slot, way)
                if end < other.bounds[0]:
                    least[way.slot] = way
        found = [*least.values()]
        if len(found) > 1:
            yield self._cleared(found, self._piece.reason or "lines are missing")
        elif found:
            [way] = found
            start, end = starts[way.slot], way.bounds[0]
            yield Edit(
                start,
                end - start,
                (_CLEAR, *lines[end - 2 : end]),
                f"the value of {self._name(way.slot)} "
                f"({self._piece.reason or 'lines of it are missing'})",
                is_loss=True,
                is_of_values=True,
                lost_values=1,
            )

    def _cleared(self, ways: list[_Way], why: str) -> Edit:
        """Return the change that keeps the values on which all ways agree."""
        first = min(way.slot for way in ways)
        behind = 1 + max(way.slot for way in ways)
        while len({way.bound(behind) for way in ways}) > 1:
            behind += 1
        start, end = self._piece.starts[first], ways[0].bound(behind)
        names = [self._name(slot) for slot in range(first, behind)]
        return Edit(
            start,
            end - start,
            (_CLEAR, *self._no_info()) * (behind - first),
            f"the values of {', '.join(names)}: {why}, and they may be another's, as "
            "may be owner and permissions",
            is_loss=True,
            is_of_values=True,
            lost_values=behind - first,
        )

    def _read(self, way: _Way) -> list[tuple[bytes, ...]]:
        """Return the lines of a value, with each that it may be that is missing."""
        start, end = self._piece.starts[way.slot], way.bounds[0]
        lines = tuple(self._lines[start:end])
        if len(lines) > _MAX_VALUE_LINES:
            if way.slot + 1 < len(self._piece.starts) and (
                end >= self._piece.starts[way.slot + 1]
            ):
                return []
            # Whatever it was: it is not known, nor is whether that is its owner.
            return [(_CLEAR, *lines[-2:]), (_CLEAR, b"", b"", b"")]
        readings = []
        for place in range(len(lines) + 1):
            for line in _STAND_INS:
                whole = (*lines[:place], line, *lines[place:])
                text = b"\n".join((*whole, b""))
                reader = self._objects.strict_reader(text)
                try:
                    self._objects.read_value(reader)
                except TextdumpError:
                    continue
                if reader.at == len(text):
                    readings.append(whole)
        return readings

    def _info(
        self, way: _Way, infos: set[tuple[bytes, ...]]
    ) -> tuple[bytes, ...] | None:
        """Return owner and permissions of a value, if they are sure.

        So they are if those that stand there are those of other values too.
        """
        if len(infos) == 1:
            [info] = infos
            return info
        others = self._others(way)
        info = tuple(self._lines[way.bounds[0] - 2 : way.bounds[0]])
        return info if info in infos and info in others else None

    def _others(self, way: _Way) -> Counter[tuple[bytes, ...]]:
        """Return owners and permissions of all values but the damaged one."""
        bounds = [*self._piece.starts[1 : way.slot + 1], *way.bounds[1:]]
        return Counter(tuple(self._lines[bound - 2 : bound]) for bound in bounds)

    def _strangers(self, way: _Way) -> int:
        """Return how many values have owner and permissions that no other has."""
        return sum(many == 1 for many in self._others(way).values())

    def _no_info(self) -> tuple[bytes, ...]:
        return b"%d" % self._piece.found.record.owner, b"0"

    def _name(self, slot: int) -> str:
        if slot < len(self._names):
            return self._names[slot]
        return f"property value {slot + 1} of {self._count}"
