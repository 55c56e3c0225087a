"""What can be saved of a damaged textdump.

`db.textdump.load` stops at the first thing that cannot be; here reading goes on
behind it.  The file is taken for what it was: objects by number, then programs, then
tasks, connections, and what pymoo adds.  An object begins with a line that only one
has, and a few lines behind it that can hardly be anything else.  How one is read that
is not as it should be is for `db.salvage_objects`.

Whether the objects agree with each other is for `db.mending`; programs are taken as
they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from attrs import define, field

from pymoo.db.log import no_log
from pymoo.db.mending import Found, mend_objects
from pymoo.db.objects import (
    PREP_NONE,
    Verbdef,
)
from pymoo.db.remedies import earlier_copy_remedy
from pymoo.db.salvage_objects import (
    DEFINITIONS,
    NUMBER_LINE,
    VALUES,
    VERBS,
    DamagedError,
    ObjectReader,
    Piece,
    StrictReader,
)
from pymoo.db.saved import SavedConnection, SavedTask
from pymoo.db.textdump import FORMAT_VERSION, Textdump, load
from pymoo.db.textdump_io import ENCODING, TextdumpReader
from pymoo.db.textdump_programs import ProgramChecker, ProgramReader
from pymoo.db.textdump_tasks import TaskReader
from pymoo.db.world import World
from pymoo.errors import TextdumpError
from pymoo.values import NOTHING, Obj, Value

_HEADER: Final = re.compile(rb"\*\* LambdaMOO Database, Format Version (\d+) \*\*")
_OBJECT: Final = re.compile(rb"^#(\d{1,10})( recycled)?$", re.MULTILINE)
_PROGRAM: Final = re.compile(rb"^#(\d{1,10}):(\d{1,10})$", re.MULTILINE)
_TASKS: Final = re.compile(rb"^\d+ clocks$", re.MULTILINE)
_QUEUED: Final = re.compile(rb"^\d+ queued tasks$", re.MULTILINE)
_SUSPENDED: Final = re.compile(rb"^(\d+) suspended tasks$", re.MULTILINE)
_CONNECTIONS: Final = re.compile(rb"^\d+ active connections", re.MULTILINE)
_EXTRAS: Final = re.compile(rb"^\*\* What pymoo adds, Version \d+ \*\*$", re.MULTILINE)
_PROGRAM_END: Final = re.compile(rb"^(?:\.|#\d{1,10}:\d{1,10})$", re.MULTILINE)

_EMPTY_FILE: Final = b"** LambdaMOO Database, Format Version 4 **\n0\n0\n0\n0\n"
_NO_TASKS: Final = b"0 clocks\n0 queued tasks\n0 suspended tasks\n"

# Lines from the name of an object to the number of its verbs, and how many of them
# that should be numbers may be damaged.
_HEAD_LINES: Final = 11
_HEAD_DAMAGE: Final = 2

_SHOWN_NAMES: Final = 10

# More verbs are not made for programs whose verbs are lost.
_MAX_VERBS: Final = 10_000

# More are not believed to have been in a file that is damaged.
_MAX_OBJECTS: Final = 4_000_000


@define
class Salvage:
    """What was saved, what was changed for that, and what is lost."""

    textdump: Textdump
    mended: list[str] = field(factory=list)
    lost: list[str] = field(factory=list)
    counts: Counter[str] = field(factory=Counter)
    """How many things of each kind are lost: "program" 3, "property value" 1."""
    lost_programs: list[str] = field(factory=list)
    """The verbs whose programs are lost, as ``#4:look``; ``lost`` names some."""


def salvage(
    data: bytes, name: str, checker: ProgramChecker, *, int_bits: int = 32
) -> Salvage:
    """Return what can be saved of a file that cannot be read otherwise.

    ``name`` is what messages call it.

    Raises: TextdumpError if there is nothing to be saved.
    """
    return _Salvager(data, name, checker, int_bits).run()


class _Salvager:
    def __init__(
        self, data: bytes, name: str, checker: ProgramChecker, int_bits: int
    ) -> None:
        self._data = data
        self._name = name
        self._checker = checker
        self._int_bits = int_bits
        self._version = FORMAT_VERSION
        # How many objects and programs there are, as the header says.
        self._announced: int | None = None
        self._announced_programs: int | None = None
        # No object has a much higher number than there are lines like that of one, if
        # the header does not say so; most of the file may be lost, though.
        self._highest = min(10 * data.count(b"\n#") + 1000, _MAX_OBJECTS)
        self._objects = ObjectReader(self._may_own, int_bits)
        self._found: dict[int, Found] = {}
        self._recycled: set[int] = set()
        # What was not as it should be; the last one is of the number there.
        self._damaged: list[tuple[int, Piece]] = []
        self._mended: list[str] = []
        self._lost: list[str] = []
        self._counts: Counter[str] = Counter()
        self._lost_programs: list[str] = []
        # Programs whose verbs are lost: by object, the places of the verbs.
        self._without_verb: dict[int, list[int]] = {}
        self._left = b""  # what stood behind the tasks that were read last
        self._line_at = (0, 1)  # a place in the file, and its line
        # Reads from where the last sound object ended.
        self._reader: StrictReader | None = None

    def run(self) -> Salvage:
        players, at = self._read_head()
        at, is_cut = self._read_objects(at)
        if not self._found:
            raise TextdumpError(
                f"{self._name}: no object can be read: there is nothing to be saved. "
                f"{earlier_copy_remedy(self._name)}"
            )
        size = 1 + max([*self._found, *self._recycled])
        if is_cut and size < (self._announced or 0) <= _MAX_OBJECTS:
            size = self._announced or 0
        else:
            self._tell_count("objects", self._announced, size)
        lost = [
            number
            for number in range(size)
            if number not in self._found and number not in self._recycled
        ]
        self._counts["object"] = len(lost)
        for first, last in _ranges(lost):
            self._lost.append(
                f"object #{first}" if first == last else f"objects #{first} to #{last}"
            )
        for number, piece in self._damaged:
            self._tell_damaged(number, self._read_again(number, piece))
        end = self._read_programs(at)
        records = mend_objects(self._found, self._mended.append, lost=frozenset(lost))
        tasks, end = self._read_tasks(end)
        connections, extras = self._read_rest(end)
        world = World(records, size=size, players=players, int_bits=self._int_bits)
        textdump = Textdump(
            world, tasks, connections, version=self._version, extras=extras
        )
        return Salvage(
            textdump, self._mended, self._lost, +self._counts, self._lost_programs
        )

    # --- places -----------------------------------------------------------------

    def _line(self, at: int) -> int:
        """Return the number of the line at a place; places mostly go forward."""
        place, line = self._line_at
        if at < place:
            place, line = 0, 1
        line += self._data.count(b"\n", place, at)
        self._line_at = at, line
        return line

    def _line_end(self, at: int) -> int:
        end = self._data.find(b"\n", at)
        return len(self._data) if end < 0 else end

    def _text_line(self, at: int) -> bytes:
        return self._data[at : self._line_end(at)]

    # --- header -----------------------------------------------------------------

    def _read_head(self) -> tuple[tuple[Obj, ...], int]:
        """Return the players, and where the objects begin."""
        header = _HEADER.search(self._data, 0, 200)
        start = 0
        if header is not None:
            version = int(header[1])
            start = header.end()
            if 1 <= version <= FORMAT_VERSION:
                self._version = version
            else:
                self._mended.append(
                    f"the header: says format {version}: read as {FORMAT_VERSION}"
                )
        else:
            self._mended.append(f"the header: is lost: read as format {FORMAT_VERSION}")
            if not NUMBER_LINE.fullmatch(self._text_line(0)) and not _OBJECT.match(
                self._data
            ):
                start = self._line_end(0)  # something that was one
        first = self._next_object(start, 0)
        if first is None:
            raise TextdumpError(
                f"{self._name}: has no object in it: there is nothing to be saved (is "
                "this a LambdaMOO database?)"
            )
        # Objects, programs, nothing, players; then the players themselves.
        words = self._data[start:first].split()
        counts = [int(word) if NUMBER_LINE.fullmatch(word) else None for word in words]
        self._announced, self._announced_programs, _, players = (
            [*counts, None, None, None, None]
        )[:4]
        player_list = tuple(Obj(each) for each in counts[4:] if each is not None)
        self._tell_count("players", players, len(player_list))
        if self._highest < (self._announced or 0) <= _MAX_OBJECTS:
            self._highest = self._announced or 0
        return player_list, first

    def _tell_count(self, what: str, announced: int | None, count: int) -> None:
        if announced != count:
            was = "could not be read" if announced is None else f"was {announced}"
            self._mended.append(f"the header: the number of {what} {was}: now {count}")

    # --- objects ----------------------------------------------------------------

    def _looks_like_object(self, at: int, least: int) -> bool:
        """Whether an object with at least that number seems to begin at a line."""
        match = _OBJECT.match(self._data, at)
        if match is None or not least <= int(match[1]) <= self._highest:
            return False
        data = self._data
        if match[2] is not None:
            return True
        lines = []
        place = match.end() + 1
        for _ in range(_HEAD_LINES):
            end = data.find(b"\n", place)
            if end < 0:
                break
            lines.append(data[place:end])
            place = end + 1
        if len(lines) < _HEAD_LINES:
            # The file ends here; it may be the beginning of an object.
            return len(lines) == 1 or (len(lines) > 1 and lines[1] == b"")
        bad = sum(NUMBER_LINE.fullmatch(line) is None for line in lines[2:])
        return bad + (lines[1] != b"") <= _HEAD_DAMAGE

    def _next_object(self, at: int, least: int) -> int | None:
        """Return where the next object begins that has at least that number."""
        for match in _OBJECT.finditer(self._data, at):
            if self._looks_like_object(match.start(), least):
                return match.start()
        return None

    def _is_end_of_objects(self, at: int) -> bool:
        return (
            _PROGRAM.match(self._data, at) is not None
            or _TASKS.match(self._data, at) is not None
        )

    def _read_objects(self, at: int) -> tuple[int, bool]:
        """Read all objects; return the place behind them, and whether some are cut off.

        Each goes from its line to the next that looks like one.
        """
        data = self._data
        expected = 0
        while at < len(data):
            if self._is_end_of_objects(at):
                return at, False
            if not self._looks_like_object(at, 0):
                found = self._next_object(at, expected)
                if found is None:
                    break
                self._lost.append(
                    f"lines {self._line(at)} to {self._line(found) - 1}: they belong "
                    "to no object"
                )
                at = found
            match = _OBJECT.match(data, at)
            assert match is not None
            number = int(match[1])
            if match[2] is not None:
                end = min(match.end() + 1, len(data))
                number = self._true_number(number, expected, end)
                if number >= expected:
                    self._recycled.add(number)
                    expected = number + 1
                at = end
                continue
            piece = self._read_object(at, number)
            actual = self._true_number(number, expected, piece.end)
            if actual < expected:
                self._mended.append(
                    f"line {self._line(at)}: object #{number} is here a second time: "
                    "left out"
                )
            else:
                if actual != number:
                    self._mended.append(f"object #{actual}: says that it is #{number}")
                    piece.found.record.id = Obj(actual)
                if piece.text:
                    self._damaged.append((actual, piece))
                self._found[actual] = piece.found
                expected = actual + 1
            at = piece.end
        # Where nothing of what follows objects is there, they are cut off.
        rest = (_PROGRAM, _TASKS, _QUEUED, _SUSPENDED, _CONNECTIONS)
        return at, not any(pattern.search(data, at) for pattern in rest)

    def _true_number(self, number: int, expected: int, end: int) -> int:
        """Return which object that is, by the number of the next one."""
        if number == expected:
            return number
        following = _OBJECT.match(self._data, end)
        if following is not None:
            after = int(following[1])
            return expected if after == expected + 1 != number + 1 else number
        if self._is_end_of_objects(end) and self._announced == expected + 1:
            return expected
        return number

    def _read_object(self, at: int, number: int) -> Piece:
        """Read the object that begins at a line, the best way there is."""
        data = self._data
        reader = self._reader
        if reader is None or reader.at != at:
            reader = StrictReader(data, self._line(at), self._int_bits, start=at)
        piece = self._objects.read(reader, number)
        if not piece.reason and self._may_follow(piece.end, number):
            self._reader = reader
            return piece
        self._reader = None
        # Nothing of it stands behind the beginning of the next.
        limit = self._limit(at)
        text = data[at:limit]
        line = self._line(at)
        piece = self._objects.read_damaged(text, number, line)
        piece.end = limit
        return piece

    def _may_follow(self, at: int, number: int) -> bool:
        """Whether what is at a place may stand behind an object."""
        if at >= len(self._data):
            return True
        match = _OBJECT.match(self._data, at)
        if match is not None:
            return int(match[1]) == number + 1 or self._looks_like_object(at, 0)
        return self._is_end_of_objects(at)

    def _limit(self, at: int) -> int:
        """Return where the next object begins, or else the programs."""
        behind = min(self._line_end(at) + 1, len(self._data))
        following = self._next_object(behind, 0)
        if following is not None:
            return following
        for pattern in (_PROGRAM, _TASKS):
            match = pattern.search(self._data, behind)
            if match is not None:
                return match.start()
        return len(self._data)

    def _may_own(self, owner: Obj) -> bool:
        return NOTHING <= owner <= self._highest

    def _read_again(self, number: int, piece: Piece) -> Piece:
        """Return an object, read by how many values it must have, if that helps."""
        if not piece.has_doubtful_values:
            return piece
        inherited = self._inherited_names(piece.found)
        if inherited is None:
            return piece
        again = self._objects.read_damaged(
            piece.text, number, piece.line, inherited=inherited
        )
        self._found[number] = again.found
        return again

    def _inherited_names(self, found: Found) -> tuple[str, ...] | None:
        """Return what the ancestors of an object define; None if that is not known."""
        names: list[str] = []
        seen = set()
        while found.has_parent:
            parent = found.record.parent
            if parent == NOTHING:
                return tuple(names)
            above = self._found.get(parent)
            if above is None or above.lacks_definitions or parent in seen:
                return None
            seen.add(parent)
            names += above.record.propdefs
            found = above
        return None

    def _tell_damaged(self, number: int, piece: Piece) -> None:
        for edit in piece.changes:
            notes = self._lost if edit.is_loss else self._mended
            notes.append(f"object #{number}: {edit.note}")
            self._counts["property value"] += edit.lost_values
        self._mended += [f"object #{number}: {note}" for note in piece.notes]
        if piece.reason:
            self._tell_broken(piece)
        if piece.left is not None:
            first, last = piece.left
            self._lost.append(f"lines {first} to {last}, behind object #{number}")

    def _tell_broken(self, piece: Piece) -> None:
        """Say what is lost of an object of which only the beginning could be read."""
        record = piece.found.record
        parts = []
        for what, have in (
            (VERBS, len(record.verbs)),
            (DEFINITIONS, len(record.propdefs)),
            (VALUES, len(record.values)),
        ):
            _, count = piece.counts.get(what, (0, None))
            if what == DEFINITIONS and piece.found.lacks_definitions:
                count = None
            self._counts[what[:-1]] += max((count or 0) - have, 0)
            if count is None:
                parts.append(
                    f"{what} behind the first {have}" if have else f"all {what}"
                )
            elif count > have:
                parts.append(f"{count - have:,} of {count:,} {what}")
        doubt = ""
        if record.values and piece.end < len(self._data):
            # Nothing was cut off here: lines may be missing anywhere before.
            first = record.propdefs[0] if record.propdefs else "the first"
            doubt = f"; values from {first} on may be another's"
        self._lost.append(
            f"object {record.id} ({record.name}): {', '.join(parts) or 'its end'} "
            f"({piece.reason}{doubt})"
        )

    # --- programs ---------------------------------------------------------------

    def _read_programs(self, at: int) -> int:
        """Give verbs their programs; return where the tasks begin."""
        data = self._data
        end = len(data)
        for pattern in (_TASKS, _QUEUED, _SUSPENDED, _CONNECTIONS):
            match = pattern.search(data, at)
            if match is not None:
                end = match.start()
                break
        is_cut = end == len(data)
        last = (-1, -1)
        count = 0
        while at < end:
            header = _PROGRAM.match(data, at)
            if header is None or header.end() > end:
                following = _PROGRAM.search(data, at, end)
                behind = end if following is None else following.start()
                if data[at:behind].strip(b".\n \t\r"):
                    self._lost.append(
                        f"lines {self._line(at)} to {self._line(behind - 1)}: they "
                        "belong to no program"
                    )
                at = behind
                continue
            start = min(header.end() + 1, end)
            stop = _PROGRAM_END.search(data, start, end)
            name = f"program {header[0].decode()}"
            last = int(header[1]), int(header[2])
            if stop is None:
                behind = at_text = end
                if is_cut:
                    self._lost.append(
                        f"{name}: its end, behind line {self._line(end - 1)}"
                    )
                else:
                    self._mended.append(f"{name}: no line with a dot ends it: now one")
            elif stop[0] == b".":
                at_text, behind = stop.start(), min(stop.end() + 1, end)
            else:
                at_text = behind = stop.start()
                if at_text == start:
                    self._mended.append(f"{name}: line {self._line(at)} is there twice")
                    at = behind
                    continue
                self._mended.append(f"{name}: no line with a dot ends it: now one")
            text = data[start:at_text].decode(ENCODING)
            if text and not text.endswith("\n"):
                text += "\n"
            self._set_program(name, *last, text)
            count += 1
            at = behind
        for number, places in sorted(self._without_verb.items()):
            for first, final in _ranges(places):
                if first == final:
                    text = f"verb {first} is lost, but not its program"
                    name = f"lost_verb_{first}"
                else:
                    text = f"verbs {first} to {final} are lost, but not their programs"
                    name = f"lost_verb_{first} to lost_verb_{final}"
                self._mended.append(
                    f"object #{number}: {text}: now {name}, which nobody can call"
                )
        if is_cut:
            self._tell_lost_programs(last)
        else:
            self._tell_count("programs", self._announced_programs, count)
        return end

    def _set_program(self, name: str, number: int, position: int, text: str) -> None:
        found = self._found.get(number)
        if found is None:
            self._lost.append(f"{name}: there is no object #{number}")
            self._counts["program"] += 1
            return
        verbs = found.record.verbs
        if position >= len(verbs) and not found.is_whole and position < _MAX_VERBS:
            # Nobody can call them, but the programs are there.
            found.record.verbs = verbs = (
                *verbs,
                *(
                    Verbdef(f"lost_verb_{place + 1}", found.record.owner, 0, PREP_NONE)
                    for place in range(len(verbs), position + 1)
                ),
            )
            self._without_verb.setdefault(number, []).append(position + 1)
        if position >= len(verbs):
            self._lost.append(f"{name}: object #{number} has only {len(verbs)} verbs")
            self._counts["program"] += 1
        else:
            verbdef = verbs[position]
            if verbdef.code is not None:
                self._mended.append(f"{name}: is there twice: now the last one")
            verbdef.code = text
            verbdef.version = self._version

    def _tell_lost_programs(self, last: tuple[int, int]) -> None:
        """Say which verbs may have had programs behind the end of the file."""
        names = [
            f"#{number}:{verbdef.names}"
            for number, found in sorted(self._found.items())
            for position, verbdef in enumerate(found.record.verbs)
            if (number, position) > last
        ]
        self._lost_programs = names
        self._counts["program"] += len(names)
        if names:
            more = len(names) - _SHOWN_NAMES
            self._lost.append(
                f"the programs of all verbs from here on: "
                f"{', '.join(names[:_SHOWN_NAMES])}"
                + (f" and {more:,} more (`--json` names all)" if more > 0 else "")
            )
        self._lost.append("tasks and connections")

    # --- behind the programs ----------------------------------------------------

    def _read_tasks(self, at: int) -> tuple[list[SavedTask], int]:
        """Return the tasks that can be read, and where the connections begin."""
        data = self._data
        found = _CONNECTIONS.search(data, at)
        end = len(data) if found is None else found.start()
        if at >= end:
            return [], end
        section = data[at:end]
        if _TASKS.match(section) is None:
            section = b"0 clocks\n" + section
            self._mended.append("the tasks: they begin without '0 clocks': now with it")
        tasks, error = self._tasks_of(section, at)
        if error is None:
            if found is None and self._left.strip():
                self._lost.append(
                    "the connections: found "
                    + repr(self._left.strip().decode(ENCODING)[:60])
                )
            return tasks, end
        self._lost.append(f"the tasks behind the first {len(tasks)}: {error}")
        suspended = _SUSPENDED.search(data, at, end)
        if suspended is not None and not any(
            hasattr(task, "activations") for task in tasks
        ):
            section = b"0 clocks\n0 queued tasks\n" + data[suspended.start() : end]
            more, error = self._tasks_of(section, suspended.start())
            if more:
                self._lost[-1] += f"; but {len(more)} suspended ones are kept"
            tasks += more
        return tasks, end

    def _tasks_of(
        self, section: bytes, at: int
    ) -> tuple[list[SavedTask], TextdumpError | None]:
        reader = TextdumpReader(
            BytesIO(section),
            self._name,
            _refuse,
            _refuse,
            size=len(section),
            int_bits=self._int_bits,
            first_line=self._line(at),
        )
        programs = ProgramReader(reader, no_log, self._checker)
        tasks = TaskReader(reader, programs, no_log, self._version)
        try:
            tasks.read()
        except TextdumpError as error:
            return tasks.tasks, error
        self._left = section[reader.position :]
        return tasks.tasks, None

    def _read_rest(self, at: int) -> tuple[list[SavedConnection], dict[str, Value]]:
        """Return connections, and what pymoo adds, as far as they can be read."""
        data = self._data
        if at >= len(data):
            return [], {}
        both = self._load_rest(_NO_TASKS + data[at:])
        if isinstance(both, Textdump):
            return both.connections, both.extras
        self._lost.append(f"the connections: {both}")
        match = _EXTRAS.search(data, at)
        if match is None:
            return [], {}
        extras = self._load_rest(
            _NO_TASKS + b"0 active connections with listeners\n" + data[match.start() :]
        )
        if isinstance(extras, Textdump):
            return [], extras.extras
        self._lost.append(f"what pymoo keeps of tasks: {extras}")
        return [], {}

    def _load_rest(self, section: bytes) -> Textdump | str:
        try:
            return load(
                BytesIO(_EMPTY_FILE + section), name="", int_bits=self._int_bits
            )
        except TextdumpError as error:
            # Its lines are counted from elsewhere.
            return str(error).split("\n")[0].lstrip(":0123456789 ")


def _refuse(text: str) -> None:
    raise DamagedError(text)


def _ranges(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each run of numbers."""
    first = last = None
    for number in numbers:
        if last is not None and number == last + 1:
            last = number
            continue
        if first is not None and last is not None:
            yield first, last
        first = last = number
    if first is not None and last is not None:
        yield first, last
