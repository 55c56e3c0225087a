"""Whole LambdaMOO textdumps: read in formats 0 to 4, written in format 4.

`load` gives what is in a file, `dump` writes it.  ``dump(load(x))`` is ``x``, byte
for byte, if a C server of version 1.8 wrote ``x``; what the C server itself changes
between loading and dumping is `normalised`, except for the order of the variables
of forked tasks, which only the tasks layer knows.

What is wrong with a file is told twice: in the log as the C server tells it, line
for line, and with the `TextdumpError`, which says where and what to do.  Lines of
progress every two seconds, and the C server's statistics of shared strings, are not
given.
"""

from __future__ import annotations

import gc
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import BinaryIO, Final

from attrs import define, evolve, field

from pymoo.db.hierarchy import Chains, validate
from pymoo.db.log import Log, no_log
from pymoo.db.objects import (
    CLEAR,
    LANGUAGE_VERSION,
    NO_LAYOUT,
    NO_OBJECTS,
    Layout,
    Object,
    Verbdef,
)
from pymoo.db.remedies import earlier_copy_remedy, repair_command
from pymoo.db.saved import SavedConnection, SavedForkedTask, SavedTask
from pymoo.db.textdump_io import (
    MAX_ELEMENTS,
    OLD_TYPE_NONE,
    TYPE_NONE,
    TextdumpReader,
    TextdumpWriter,
)
from pymoo.db.textdump_programs import ProgramChecker, ProgramReader
from pymoo.db.textdump_tasks import TaskReader, write_tasks
from pymoo.db.world import World
from pymoo.errors import TextdumpError
from pymoo.values import NOTHING, SYSTEM_OBJECT, Obj, Value, fold

FORMAT_VERSION: Final = 4
"""The format that is written."""

LAST_KNOWN_FORMAT: Final = 17
"""The highest that a server is known to write (ToastStunt)."""

MAX_REMARKS: Final = 1000
"""How many remarks are kept of one file; the log has all complaints."""

_HEADER: Final = "** LambdaMOO Database, Format Version %u **\n"

_EXTRAS_HEADER: Final = "** What pymoo adds, Version %d **"
_EXTRAS_VERSION: Final = 1

# Bits of an object's flags that the C server uses while it loads, and clears (db.h).
TEMPORARY_FLAGS: Final = 3 << 14


@define
class Textdump:
    """What is in a textdump."""

    world: World
    tasks: list[SavedTask] = field(factory=list)  # the forked ones first
    connections: list[SavedConnection] = field(factory=list)  # the newest first
    version: int = FORMAT_VERSION  # of the format it was read from
    # What only pymoo knows of, by name: it stands behind the rest, where other servers
    # do not look.
    extras: dict[str, Value] = field(factory=dict)
    # What was passed over or mended while reading, each with its place.
    remarks: list[str] = field(factory=list)


def load(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    name: str | None = None,
    log: Log = no_log,
    checker: ProgramChecker | None = None,
    dump_name: str | None = None,
    int_bits: int = 32,
) -> Textdump:
    """Read a textdump.

    ``name`` is what messages call it, by default its path.  With a ``checker`` every
    program is checked and brought into canonical form, as the C server does; files
    of formats below 4 need one.  With ``dump_name`` the log's last line says where
    the next dump will go, as in the C server.

    CPython's garbage collection is off meanwhile.  A process that goes on to serve
    the world does well to leave it off (`garbage_collection_off`) until it has called
    ``gc.freeze()``: when it is next on, all that was loaded is looked through.

    Raises: TextdumpError; OSError where the file cannot be read at all.
    Source: db_file.c, db_load.
    """
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        with open(path, "rb") as stream:
            return load(
                stream,
                name=name or path,
                log=log,
                checker=checker,
                dump_name=dump_name,
                int_bits=int_bits,
            )
    title = name or str(getattr(source, "name", "textdump"))
    log(f"LOADING: {title}", False)
    loader = _Loader(source, title, log, checker, int_bits)
    try:
        with garbage_collection_off():
            textdump = loader.read()
    except TextdumpError as error:
        log("DB_LOAD: Cannot load database!", True)
        if isinstance(error, UnreadableFormatError):
            raise
        raise TextdumpError(loader.problem(error), loader.remedy()) from error
    if dump_name is not None:
        log(f"LOADING: {title} done, will dump new database on {dump_name}", False)
    return textdump


@contextmanager
def garbage_collection_off() -> Iterator[None]:
    """CPython looks for no garbage meanwhile."""
    if not hasattr(gc, "freeze"):
        # PyPy knows of nothing that can go unless it looks: what was read would stay
        # beside what is made of it, in twice the memory.
        yield
        return
    # All that is made while loading stays; to look through it again and again for
    # garbage would take a quarter of the time.
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _file_size(stream: BinaryIO) -> int | None:
    """Return how many bytes there are to read, if that is known beforehand."""
    # Others, such as compressed ones, may have to read all of it to tell.
    if not isinstance(stream, io.BytesIO | io.BufferedReader) or not stream.seekable():
        return None
    position = stream.tell()
    size = stream.seek(0, os.SEEK_END)
    stream.seek(position)
    return size - position


def _numbered(members: Iterator[Obj]) -> dict[Obj, int]:
    """Return a relation of which these are the members."""
    return {objid: number for number, objid in enumerate(members)}


class UnreadableFormatError(TextdumpError):
    """The file may be sound, but its format, ``version``, cannot be read like this."""

    def __init__(self, message: str, version: int) -> None:
        super().__init__(message)
        self.version = version


class _Loader:
    def __init__(
        self,
        stream: BinaryIO,
        name: str,
        log: Log,
        checker: ProgramChecker | None,
        int_bits: int,
    ) -> None:
        self.remarks: list[str] = []
        self._remark_count = 0
        self._log = log
        self._int_bits = int_bits
        self._reader = TextdumpReader(
            stream,
            name,
            self._complain,
            self._remark,
            size=_file_size(stream),
            int_bits=int_bits,
        )
        self._programs = ProgramReader(self._reader, log, checker)
        self._version = 0
        self._records: list[Object | None] = []
        self._chains = Chains()

    def _complain(self, text: str) -> None:
        self._remark(text)
        self._log(text, True)

    def _remark(self, text: str) -> None:
        self._remark_count += 1
        if self._remark_count <= MAX_REMARKS:
            # The line in question has been read.
            line = self._reader.line - 1
            self.remarks.append(str(self._reader.error(text, line=line)))

    def _remark_on(self, record: Object, text: str) -> None:
        self._remark_count += 1
        if self._remark_count <= MAX_REMARKS:
            self.remarks.append(f"{self._reader.name}: object {record.id}: {text}")

    def problem(self, error: TextdumpError) -> str:
        """Return why the file is refused."""
        if not self.remarks:
            return str(error)
        return f"{error}\nThe damage seems to begin before: {self.remarks[0]}"

    def remedy(self) -> str:
        """Return what can be done about a refusal."""
        if self._reader.has_cr_lf:
            return (
                "The lines of this file end in CR LF, as on Windows: turn each CR LF "
                "into LF, or take the file from where it was copied as text"
            )
        name = self._reader.name
        return (
            f"{earlier_copy_remedy(name)}, or save what can be read of this one: "
            f"{repair_command(name)}"
        )

    def read(self) -> Textdump:
        """Source: db_file.c, read_db_file."""
        reader = self._reader
        self._read_version()
        objects, programs, players = self._read_counts()
        reader.place = "the list of players"
        reader.check_room(players, 2, "players")
        player_list = tuple([reader.read_objid("a player") for _ in range(players)])
        self._read_objects(objects)
        try:
            validate(self._chains, self._log)
        except TextdumpError as error:
            self._log("READ_DB_FILE: Errors in object hierarchies.", True)
            raise TextdumpError(f"{reader.name}: {error}") from error
        self._relate()
        self._lay_out()
        self._read_programs(programs)
        self._log("LOADING: Reading forked and suspended tasks...", False)
        try:
            tasks = TaskReader(reader, self._programs, self._log, self._version).read()
        except TextdumpError:
            self._log("READ_DB_FILE: Can't read task queue.", True)
            raise
        self._log("LOADING: Reading list of formerly active connections...", False)
        reader.place = "the connections"
        try:
            connections = self._read_connections()
        except TextdumpError:
            self._log("DB_READ: Can't read active connections.", True)
            raise
        reader.place = "what pymoo has added"
        extras = self._read_extras()
        world = World(
            (record for record in self._records if record is not None),
            size=len(self._records),
            players=player_list,
            int_bits=self._int_bits,
        )
        if self._remark_count > MAX_REMARKS:
            self.remarks.append(f"... and {self._remark_count - MAX_REMARKS} more")
        return Textdump(world, tasks, connections, self._version, extras, self.remarks)

    def _read_version(self) -> None:
        reader = self._reader
        reader.place = "the header"
        found = reader.scan(_HEADER)
        version = int(found[0]) if found else 0
        if version > FORMAT_VERSION:
            # Printed as the C server prints it, which takes it for signed.
            shown = version - 2**32 if version >= 2**31 else version
            self._log(f"READ_DB_FILE: Unknown DB version number: {shown}", True)
            if version <= LAST_KNOWN_FORMAT:
                raise UnreadableFormatError(
                    f"{reader.name}: this is format version {version}, of the Stunt "
                    "and ToastStunt servers. Only the formats of LambdaMOO, up to "
                    f"{FORMAT_VERSION}, can be read",
                    version,
                )
            raise reader.error(f"there is no format version {shown}", line=1)
        self._version = version
        if version == 0:
            reader.none_types = (TYPE_NONE, OLD_TYPE_NONE)

    def _read_counts(self) -> tuple[int, int, int]:
        reader = self._reader
        found = reader.scan("%d\n%d\n%d\n%d\n") or []
        if len(found) != 4:
            self._log("READ_DB_FILE: Bad header", True)
            raise reader.scan_error(
                "'** LambdaMOO Database, Format Version 4 **' and then the numbers of "
                "objects, programs, nothing and players (is this a textdump?)"
            )
        objects, programs, _, players = [int(number) for number in found]
        if self._version < LANGUAGE_VERSION and self._programs.checker is None:
            raise UnreadableFormatError(
                f"{reader.name}: this is format version {self._version}, whose "
                "programs are written in an older language and have to be converted. "
                "Load it with a checker that knows the language",
                self._version,
            )
        return objects, programs, players

    # --- objects ----------------------------------------------------------------

    def _read_objects(self, count: int) -> None:
        log = self._log
        log(f"LOADING: Reading {count} objects...", False)
        number = 0
        try:
            for number in range(count):
                self._read_object(number)
        except TextdumpError:
            log(f"READ_DB_FILE: Bad object #{number}.", True)
            raise
        if count > 0:
            log(f"LOADING: Done reading {count} objects ...", False)

    def _read_object(self, number: int) -> None:
        """Source: db_file.c, read_object."""
        reader = self._reader
        reader.place = ""
        if not reader.skip_line(f"#{number}"):
            if reader.skip_line(f"#{number} recycled") or self._is_recycled(number):
                self._records.append(None)
                self._chains.add_recycled()
                return
        reader.place = f"object #{number}"
        read_number, read_objid = reader.read_number, reader.read_objid
        name = reader.read_string("its name")
        reader.read_string("its handles")
        flags = read_number("its flags") & ~TEMPORARY_FLAGS
        owner = read_objid("its owner")
        chains = self._chains
        location = read_objid("its location")
        chains.location.append(location)
        chains.contents.append(read_objid("the first of its contents"))
        chains.next.append(read_objid("the next in its location"))
        parent = read_objid("its parent")
        chains.parent.append(parent)
        chains.child.append(read_objid("its first child"))
        chains.sibling.append(read_objid("its next sibling"))
        verbs = tuple(
            [
                Verbdef(
                    reader.read_string("the names of a verb"),
                    read_objid("the owner of a verb"),
                    read_number("the permissions of a verb", bits=16),
                    read_number("the preposition of a verb", bits=16),
                )
                for _ in range(read_number("the number of its verbs"))
            ]
        )
        count = read_number("the number of its property definitions")
        reader.check_room(count, 1, "property definitions")
        propdefs = tuple(
            [reader.read_string("the name of a property") for _ in range(count)]
        )
        count = read_number("the number of its property values")
        reader.check_room(count, 6, "property values")
        values, infos = reader.read_properties(count)
        self._records.append(
            Object(
                Obj(number),
                name,
                flags,
                owner,
                location,
                parent,
                NO_OBJECTS,
                NO_OBJECTS,
                verbs,
                propdefs,
                NO_LAYOUT,
                values,
                infos,
            )
        )

    def _is_recycled(self, number: int) -> bool:
        """Read the line of an object that is not quite as expected."""
        reader = self._reader
        found = reader.scan("#%d")
        if not found or found[0] != number:
            raise reader.scan_error(f"the line '#{number}' of an object")
        rest = reader.rest_of_line(20)
        if rest not in (" recycled\n", "\n"):
            raise reader.scan_error(f"'#{number}' or '#{number} recycled'")
        return rest != "\n"

    def _relate(self) -> None:
        """Put children and contents into the records, and what was mended."""
        chains = self._chains
        for number, record in enumerate(self._records):
            if record is None:
                continue
            record.parent = chains.parent[number]
            record.location = chains.location[number]
            if record.parent == NOTHING and chains.sibling[number] != NOTHING:
                # The C server drags this along until the object gets a parent.
                self._remark_on(
                    record,
                    f"the sibling {chains.sibling[number]} of an object without a "
                    "parent is ignored",
                )
            child = chains.child[number]
            if child != NOTHING:
                record.children = _numbered(chains.members(child, chains.sibling))
            thing = chains.contents[number]
            if thing != NOTHING:
                record.contents = _numbered(chains.members(thing, chains.next))

    def _lay_out(self) -> None:
        """Give every object the layout of its properties."""
        records = self._records
        pending = [
            (record, NO_LAYOUT)
            for record in records
            if record is not None and record.parent == NOTHING
        ]
        while pending:
            record, layout = pending.pop()
            if record.propdefs:
                own = [fold(name) for name in record.propdefs]
                layout = Layout([*own, *layout.names])
            record.layout = layout
            wanted = len(layout.names)
            if len(record.values) != wanted:
                if len(record.values) < wanted:
                    raise TextdumpError(
                        f"{self._reader.name}: object {record.id}: {wanted} properties "
                        f"are defined on it and its ancestors, but it has only "
                        f"{len(record.values)} property values"
                    )
                # The C server never looks at what is too much and does not write it.
                self._remark_on(
                    record,
                    f"only {wanted} of its {len(record.values)} property values are "
                    "defined, the others are left out",
                )
                del record.values[wanted:]
                record.infos = record.infos[:wanted]
            for child in record.children:
                below = records[child]
                assert below is not None  # or validate() had refused
                pending.append((below, layout))

    # --- programs -----------------------------------------------------------------

    def _read_programs(self, count: int) -> None:
        log = self._log
        log(f"LOADING: Reading {count} MOO verb programs...", False)
        for index in range(1, count + 1):
            self._read_program(index)
        if count > 0:
            log(f"LOADING: Done reading {count} verb programs...", False)

    def _read_program(self, index: int) -> None:
        reader = self._reader
        reader.place = ""
        line = reader.line
        header = reader.read_program_header() or reader.scan("#%d:%d\n") or []
        if len(header) != 2:
            self._log(f"READ_DB_FILE: Bad program header, i = {index}.", True)
            raise reader.scan_error(f"the line '#OBJECT:VERB' of program {index}")
        number, position = int(header[0]), int(header[1])
        record = None
        if 0 <= number < len(self._records):
            record = self._records[number]
        if record is None:
            self._log(
                f"READ_DB_FILE: Verb for non-existant object: #{number}:{position}.",
                True,
            )
            raise reader.error(f"there is no object #{number}", line=line)
        if not 0 <= position < len(record.verbs):
            self._log(f"READ_DB_FILE: Unknown verb index: #{number}:{position}.", True)
            raise reader.error(
                f"object #{number} has only {len(record.verbs)} verbs", line=line
            )
        verbdef = record.verbs[position]
        reader.place = f"program #{number}:{position}"
        try:
            _, verbdef.code = self._programs.read(
                self._version, lambda: f"#{number}:{verbdef.names}"
            )
        except TextdumpError:
            self._log(f"READ_DB_FILE: Unparsable program #{number}:{position}.", True)
            raise
        verbdef.version = self._version

    # --- connections --------------------------------------------------------------

    def _read_connections(self) -> list[SavedConnection]:
        """Source: server.c, read_active_connections."""
        reader = self._reader
        found = reader.scan("%d active connections%c")
        if found is None:
            return []  # a file from before they were saved
        has_listeners = found[-1:] == [" "]
        problem = None
        if len(found) != 2:
            problem = "READ_ACTIVE_CONNECTIONS: Bad active connections count."
        elif has_listeners:
            if reader.read_string() != "with listeners":
                problem = "READ_ACTIVE_CONNECTIONS: Bad listeners tag."
        elif found[1] != "\n":
            problem = "READ_ACTIVE_CONNECTIONS: Bad EOL."
        if problem is not None:
            self._log(problem, True)
            raise reader.scan_error("'N active connections with listeners'")
        count = int(found[0])
        reader.check_room(count, 2, "connections")
        return [self._read_connection(has_listeners) for _ in range(count)]

    def _read_connection(self, has_listener: bool) -> SavedConnection:
        reader = self._reader
        if not has_listener:
            return SavedConnection(reader.read_objid("a player"), SYSTEM_OBJECT)
        found = reader.scan("%d %d\n") or []
        if len(found) != 2:
            self._log("READ_ACTIVE_CONNECTIONS: Bad conn/listener pair.", True)
            raise reader.scan_error("'PLAYER LISTENER'")
        return SavedConnection(Obj(int(found[0])), Obj(int(found[1])))

    # --- what pymoo adds ----------------------------------------------------------

    def _read_extras(self) -> dict[str, Value]:
        reader = self._reader
        found = reader.scan(f"{_EXTRAS_HEADER}\n")
        if not found:
            return {}
        if found != [_EXTRAS_VERSION]:
            raise reader.error(
                f"it is written in version {found[0]} of its form, but this pymoo "
                f"knows version {_EXTRAS_VERSION}: use a newer one"
            )
        count = reader.read_number("how many there are")
        reader.check_room(count, 4, "values")
        extras = {}
        for _ in range(count):
            name = reader.read_string("a name")
            extras[name] = reader.read_value()
        return extras


def normalised(textdump: Textdump) -> Textdump:
    """Return a textdump as the C server would write it after loading it.

    Tasks are in the order of their times, forked ones forget the line at which they
    begin, connections are gone.  (The C server also leaves the variables of forked
    tasks away that their body does not mention, and brings programs into canonical
    form.)

    Source: tasks.c, enqueue_waiting and write_forked_task.
    """
    tasks: list[SavedTask] = [
        evolve(task, first_line=1) if isinstance(task, SavedForkedTask) else task
        for task in sorted(textdump.tasks, key=lambda task: task.start_time)
    ]
    return evolve(textdump, tasks=tasks, connections=[], version=FORMAT_VERSION)


# --- writing ----------------------------------------------------------------------


_TOO_LARGE: Final = (
    f"holds a list of more than {MAX_ELEMENTS:,} elements, those of lists in it "
    "included: E_QUOTA is saved in its place"
)


def dump(
    world: World,
    stream: BinaryIO,
    *,
    tasks: Iterable[SavedTask] = (),
    connections: Iterable[SavedConnection] = (),
    extras: Mapping[str, Value] = MappingProxyType({}),
    log: Log = no_log,
    reason: str = "DUMPING",
) -> None:
    """Write a textdump of format 4.

    ``extras`` stand at its end, where other servers do not look.

    ``reason`` begins the lines in the log.  The stream is not flushed.

    Raises: OSError as the stream does.
    Source: db_file.c, write_db_file.
    """
    writer = TextdumpWriter(stream)
    programs = sum(
        verbdef.code is not None
        for record in world.objects()
        for verbdef in record.verbs
    )
    size = world.max_object + 1
    writer.add(f"** LambdaMOO Database, Format Version {FORMAT_VERSION} **")
    for count in (size, programs, 0, len(world.players)):
        writer.add(str(count))
    for player in world.players:
        writer.add(str(int(player)))
    log(f"{reason}: Writing {size} objects...", False)
    _write_objects(writer, world, size, log, reason)
    if size:
        log(f"{reason}: Done writing {size} objects...", False)
    log(f"{reason}: Writing {programs} MOO verb programs...", False)
    for record in world.objects():
        for position, verbdef in enumerate(record.verbs):
            if verbdef.code is not None:
                writer.add(f"#{int(record.id)}:{position}")
                writer.add_program(verbdef.code)
        writer.flush_if_full()
    if programs:
        log(f"{reason}: Done writing {programs} verb programs...", False)
    log(f"{reason}: Writing forked and suspended tasks...", False)
    too_large = writer.too_large
    write_tasks(writer, tasks)
    if writer.too_large > too_large:
        log(f"{reason}: a task {_TOO_LARGE}", True)
    log(f"{reason}: Writing list of formerly active connections...", False)
    connections = list(connections)
    writer.add(f"{len(connections)} active connections with listeners")
    for connection in connections:
        writer.add(f"{int(connection.player)} {int(connection.listener)}")
    if extras:
        _write_extras(writer, extras, log, reason)
    writer.flush()


def _write_extras(
    writer: TextdumpWriter, extras: Mapping[str, Value], log: Log, reason: str
) -> None:
    writer.add(_EXTRAS_HEADER % _EXTRAS_VERSION)
    writer.add(str(len(extras)))
    for name, value in extras.items():
        too_large = writer.too_large
        writer.add_string(name)
        writer.add_value(value)
        if writer.too_large > too_large:
            log(f"{reason}: what is kept of {name} {_TOO_LARGE}", True)


def _write_objects(
    writer: TextdumpWriter, world: World, size: int, log: Log, reason: str
) -> None:
    """Source: db_file.c, write_object."""
    next_thing = [-1] * size
    sibling = [-1] * size
    for record in world.objects():
        for relation, following in (
            (record.contents, next_thing),
            (record.children, sibling),
        ):
            before = None
            for objid in relation:
                if before is not None:
                    following[before] = int(objid)
                before = objid
    # By the id of the pair, which stays its own as long as the world is not changed.
    info_lines: dict[int, str] = {}
    for number in range(size):
        record_ = world.find(number)
        if record_ is None:
            writer.add(f"#{number} recycled")
        else:
            too_large = writer.too_large
            _write_object(
                writer, record_, next_thing[number], sibling[number], info_lines
            )
            if writer.too_large > too_large:
                log(f"{reason}: #{number} {_TOO_LARGE}", True)
        writer.flush_if_full()


def _write_object(
    writer: TextdumpWriter,
    record: Object,
    next_thing: int,
    sibling: int,
    info_lines: dict[int, str],
) -> None:
    add, add_string, add_value = writer.add, writer.add_string, writer.add_value
    add(f"#{int(record.id)}")
    add_string(record.name)
    first_thing = int(next(iter(record.contents), NOTHING))
    first_child = int(next(iter(record.children), NOTHING))
    add(
        f"\n{record.flags}\n{int(record.owner)}\n{int(record.location)}\n"
        f"{first_thing}\n{next_thing}\n{int(record.parent)}\n{first_child}\n{sibling}\n"
        f"{len(record.verbs)}"
    )
    for verbdef in record.verbs:
        add_string(verbdef.names)
        add(f"{int(verbdef.owner)}\n{verbdef.perms}\n{verbdef.prep}")
    add(str(len(record.propdefs)))
    for name in record.propdefs:
        add_string(name)
    add(str(len(record.values)))
    for value, info in zip(record.values, record.infos, strict=True):
        lines = info_lines.get(id(info))
        if lines is None:
            lines = info_lines[id(info)] = f"{int(info[0])}\n{info[1]}"
        if value is CLEAR:
            add(f"5\n{lines}")
        else:
            add_value(value)
            add(lines)
