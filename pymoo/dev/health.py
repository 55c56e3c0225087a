"""What `pymoo doctor` looks at in a database: what will work online, and what not.

Each examination says in one `Note` what it has found, with the particulars behind it.
How that is shown is for `dev.doctor`.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from attrs import frozen

from pymoo.db.beside import backups_folder
from pymoo.db.disk_room import disk_rooms
from pymoo.db.integrity import owner_findings, structure_findings, verb_findings
from pymoo.db.journal_file import folder_of
from pymoo.db.objects import BUILTIN_PROPERTIES, Object
from pymoo.db.passwords import PasswordKind, passwords
from pymoo.db.remedies import doctor_command, passwd_command, repair_command
from pymoo.db.saved import SavedForkedTask, SavedFrame, SavedTask
from pymoo.db.textdump import Textdump
from pymoo.db.world import World
from pymoo.dev.check_programs import verb_name
from pymoo.errors import MooSyntaxError, TextdumpError
from pymoo.interp.ops import SizeLimits
from pymoo.interp.server_options import ServerOptions
from pymoo.lang import nodes as n
from pymoo.lang.dialect import Dialect
from pymoo.lang.parser import parse_program
from pymoo.lang.program import Program
from pymoo.options import DEFAULT_MAX_STACK_DEPTH, SERVER_OPTIONS
from pymoo.server.app import Server, ServerSettings
from pymoo.server.database import Database
from pymoo.server.dumps import DumpFiles
from pymoo.server.log import Log
from pymoo.server.memory_network import MemoryNetwork
from pymoo.tasks.clock import SystemClock
from pymoo.tasks.saved import Restorer
from pymoo.values import SYSTEM_OBJECT, Obj, fold, literal
from pymoo.wording import counted, size_text

MAX_OBJECT: Final = 2**31 - 1
"""The highest number that an object can have."""

_NEARLY_ALL: Final = 0.9

# Those of seconds that need not be whole.
_FRACTIONAL_OPTIONS: Final = frozenset({"worker_timeout", "hard_seconds"})

# What has to be turned on for a function to do its work, and how.
_NEEDED_OPTIONS: Final = {
    "open_network_connection": "outbound is off (--outbound turns it on)",
    "worker_request": "there are no workers (--workers MODULE gives it some)",
    "job_start": "there are no jobs (--jobs MODULE gives it some)",
    "job_chain": "there are no jobs (--jobs MODULE gives it some)",
}


@frozen
class Note:
    """What one examination has found.

    Without ``is_fine`` there is something to do or to know; what is not ``is_usable``
    keeps the database from being served.
    """

    topic: str
    text: str
    is_fine: bool = True
    is_usable: bool = True
    details: tuple[str, ...] = ()
    remedy: str | None = None  # a command


def examine(path: str, database: Database, dialect: Dialect) -> Iterator[Note]:
    """Yield a note for everything about a database that was read from ``path``."""
    textdump = database.textdump
    world = textdump.world
    if textdump.remarks:
        yield Note(
            "reading",
            f"{counted(len(textdump.remarks), 'place')} in the file mended or passed "
            "over while reading",
            is_fine=False,
            details=tuple(textdump.remarks),
        )
    yield _structure(world)
    yield from _owners(world)
    yield from _permissions(path, world)
    if not any(record.is_player and record.is_wizard for record in world.objects()):
        yield Note(
            "wizards",
            "no player is a wizard: nobody can look after this world from inside",
            is_fine=False,
            remedy=f"pymoo moo -e {shlex.quote(path)} {shlex.quote(path)}.new",
        )
    yield from _verbs(world, database, dialect)
    yield from _passwords(path, world)
    yield _tasks(path, database, dialect)
    yield from _options(world, database, dialect)
    yield from _numbers(world)
    yield from _files_beside(path)
    yield _disk(path)


# --- objects ------------------------------------------------------------------


def _structure(world: World) -> Note:
    findings = tuple(structure_findings(world))
    if findings:
        return Note(
            "structure",
            f"structure: {counted(len(findings), 'contradiction')}",
            is_fine=False,
            details=findings,
        )
    return Note(
        "structure",
        "structure: parents, locations, contents, property layout consistent",
    )


def _owners(world: World) -> Iterator[Note]:
    findings = tuple(owner_findings(world))
    if findings:
        yield Note(
            "owners",
            f"owners and players: {counted(len(findings), 'finding')}",
            is_fine=False,
            details=findings,
        )


def _permissions(path: str, world: World) -> Iterator[Note]:
    findings = tuple(verb_findings(world))
    if findings:
        yield Note(
            "permissions",
            f"permissions and prepositions: {counted(len(findings), 'verb')} with what "
            "no verb can have",
            is_fine=False,
            details=findings,
            remedy=repair_command(path),
        )


def _numbers(world: World) -> Iterator[Note]:
    highest = int(world.max_object)
    if highest > MAX_OBJECT * _NEARLY_ALL:
        yield Note(
            "numbers",
            f"max_object() is #{highest}: only {MAX_OBJECT - highest:,} objects can be "
            "created before numbers end (recycled ones are free for $recycler, or "
            "renumber() and reset_max_object())",
            is_fine=False,
        )


# --- verbs --------------------------------------------------------------------


def _verbs(world: World, database: Database, dialect: Dialect) -> Iterator[Note]:
    functions = database.builtins.proper_names
    total = 0
    broken: list[str] = []
    unknown: list[str] = []
    warned: list[str] = []
    calls: dict[str, list[str]] = {name: [] for name in _NEEDED_OPTIONS}
    for record in world.objects():
        for verbdef in record.verbs:
            if verbdef.code is None:
                continue
            total += 1
            name = verb_name(record.id, verbdef)
            said: list[str] = []
            try:
                program = parse_program(
                    verbdef.code,
                    functions=functions,
                    version=verbdef.version,
                    width=dialect.default_width,
                    warn=said.append,
                )
            except MooSyntaxError as error:
                broken += [f"{name}, {_lower(line)}" for line in error.errors]
                continue
            for line in said:
                place = unknown if "Unknown built-in function" in line else warned
                place.append(f"{name}, {_lower(line)}")
            if any(each in verbdef.code for each in _NEEDED_OPTIONS):
                for function, line_number in _calls_of(program):
                    calls[function].append(f"{name}, line {line_number}")
    parsing = total - len({line.partition(",")[0] for line in broken})
    yield Note(
        "verbs",
        f"{parsing:,} of {total:,} verbs parse"
        + ("; the others cannot be called" if broken else ""),
        is_fine=not broken,
        details=tuple(broken),
    )
    if unknown:
        yield Note(
            "functions",
            f"{counted(len(unknown), 'call')} of functions that do not exist: they "
            "raise E_INVARG",
            is_fine=False,
            details=tuple(unknown),
        )
    if warned:
        yield Note(
            "warnings",
            f"{counted(len(warned), 'warning')} about verbs",
            is_fine=False,
            details=tuple(warned),
        )
    for function, places in calls.items():
        if places:
            yield Note(
                "calls",
                f"{counted(len(places), 'call')} to {function}(): "
                f"{_NEEDED_OPTIONS[function]}",
                is_fine=False,
                details=tuple(places),
            )


def _lower(line: str) -> str:
    """Return ``Line 3:  syntax error`` for the middle of a sentence."""
    head, _, message = line.partition(":  ")
    return f"{head[:1].lower()}{head[1:]}: {message}"


def _calls_of(program: Program) -> Iterator[tuple[str, int]]:
    """Yield the calls of functions that need an option, with their lines."""
    found = []
    for node in program.nodes:
        if type(node) is not n.FunctionCall:
            continue
        name = node.name
        if name == "call_function" and node.arguments:
            first = node.arguments[0]
            if type(first) is n.Literal and type(first.value) is str:
                name = fold(first.value)
        if name in _NEEDED_OPTIONS:
            found.append((program.line_of(node), name))
    for line, name in sorted(found):
        yield name, line


# --- passwords ----------------------------------------------------------------


def _passwords(path: str, world: World) -> Iterator[Note]:
    found: dict[PasswordKind, list[Object]] = {}
    for record, kind in passwords(world):
        found.setdefault(kind, []).append(record)
    if not any(record.is_player for record in world.objects()):
        return
    if not found:
        yield Note(
            "passwords",
            "passwords: players have no property of that name; #0:do_login_command "
            "alone decides who connects",
        )
        return
    told = []
    for kind in PasswordKind:
        records = found.get(kind, [])
        if kind is not PasswordKind.EMPTY and records:
            told.append(f"{len(records):,} {kind.value}")
    open_ones = found.get(PasswordKind.EMPTY, [])
    unknown = found.get(PasswordKind.UNKNOWN_CRYPT, [])
    if open_ones:
        told.append(f"{len(open_ones):,} empty ({_some(open_ones)})")
    to_mend = [*open_ones, *unknown]
    yield Note(
        "passwords",
        f"passwords: {', '.join(told)}",
        is_fine=not to_mend,
        details=tuple(
            f"{_title(record)}{' (wizard)' if record.is_wizard else ''}: {what}"
            for records, what in (
                (open_ones, "whoever gives the name is let in, without a password"),
                (unknown, "cannot log in: " + PasswordKind.UNKNOWN_CRYPT.value),
            )
            for record in records
        ),
        remedy=passwd_command(path, str(to_mend[0].id)) if to_mend else None,
    )


_NAMED: Final = 3


def _some(records: list[Object]) -> str:
    """Return the names of the first few."""
    names = ", ".join(_title(record) for record in records[:_NAMED])
    more = len(records) - _NAMED
    return f"{names} and {more:,} more" if more > 0 else names


def _title(record: Object) -> str:
    return f"{record.name} {record.id}"


# --- tasks --------------------------------------------------------------------


def quiet_server(textdump: Textdump, database: Database, dialect: Dialect) -> Server:
    """Return a server of ``textdump`` that is not online and saves nothing."""
    clock = SystemClock()
    return Server(
        textdump,
        DumpFiles("", None),
        MemoryNetwork(),
        clock,
        Log(clock, BytesIO()),
        ServerSettings(dialect, width=dialect.default_width),
        builtins=database.builtins,
        loader=database.loader,
        forks=False,
    )


@frozen
class LostTask:
    """A task that cannot go on, and why."""

    task: SavedTask
    reason: str
    stops_start: bool  # whether no server starts with it


def lost_tasks(
    world: World, tasks: list[SavedTask], database: Database, dialect: Dialect
) -> Iterator[LostTask]:
    """Yield the tasks that cannot go on."""
    if not tasks:
        return
    server = quiet_server(Textdump(world), database, dialect)
    restorer = Restorer(server.engine, database.loader.parse_for_task)
    for task in tasks:
        try:
            restored = restorer.task(task)
        except (TextdumpError, MooSyntaxError) as error:
            yield LostTask(task, str(error), stops_start=True)
            continue
        if isinstance(task, SavedForkedTask):
            continue
        for number, act in enumerate(restored.vm.activations):
            assert isinstance(act.at, n.Node)  # the call that it was found behind
            wanted = act.program.classic.depth(act.at)
            if len(act.stack) != wanted:
                yield LostTask(
                    task,
                    f"activation {number}: {counted(len(act.stack), 'value')} on its "
                    f"stack, where its program would have {wanted}",
                    stops_start=False,
                )
                break


def task_title(task: SavedTask) -> str:
    """Return which task that is: its number, and the verb that runs in it."""
    if isinstance(task, SavedForkedTask):
        return f"forked task {task.task_id} of {_frame_title(task.frame)}"
    innermost = task.activations[-1].frame if task.activations else None
    where = f" in {_frame_title(innermost)}" if innermost is not None else ""
    return f"suspended task {task.task_id}{where}"


def _frame_title(frame: SavedFrame) -> str:
    return f"{frame.definer}:{frame.verb or frame.verb_names}"


def _tasks(path: str, database: Database, dialect: Dialect) -> Note:
    tasks = database.textdump.tasks
    world = database.textdump.world
    forked = sum(isinstance(task, SavedForkedTask) for task in tasks)
    count = f"tasks: {len(tasks) - forked:,} suspended, {forked:,} forked"
    lost = [*lost_tasks(world, tasks, database, dialect)]
    if lost:
        return Note(
            "tasks",
            f"{count}: {len(lost):,} cannot go on",
            is_fine=False,
            is_usable=not any(each.stops_start for each in lost),
            details=tuple(f"{task_title(each.task)}: {each.reason}" for each in lost),
            remedy=repair_command(path),
        )
    return Note("tasks", f"{count}: will go on" if tasks else "tasks: none sleeps")


# --- options ------------------------------------------------------------------


def _options(world: World, database: Database, dialect: Dialect) -> Iterator[Note]:
    texts = [*_option_texts(world, database, dialect)]
    if texts:
        yield Note(
            "options",
            f"$server_options: {counted(len(texts), 'value')} not taken as given",
            is_fine=False,
            details=tuple(texts),
        )


def _option_texts(world: World, database: Database, dialect: Dialect) -> Iterator[str]:
    options = ServerOptions(world)
    yield from options.small_limits(dialect)
    for option in SERVER_OPTIONS:
        if option.unit in ("flag", "name") or option.name == "task_clock":
            continue
        value = options.get(option.name)
        wanted: tuple[type, ...] = (int,)
        what = "an integer"
        if option.unit == "string":
            wanted, what = (str,), "a string"
        elif option.name in _FRACTIONAL_OPTIONS:
            wanted, what = (int, float), "a number"
        if value is None or type(value) in wanted:
            continue
        default = option.default
        if default is None:
            default = getattr(dialect, option.name, None)
        counts = f"the default {default} counts"
        if option.unit == "string":
            counts = '"" counts'
        elif default is None:
            counts = "it does not count"
        yield (
            f"$server_options.{option.name} is {_cut(literal(value))}, which is not "
            f"{what}: {counts}"
        )
    depth = options.get("max_stack_depth")
    if type(depth) is int and depth < DEFAULT_MAX_STACK_DEPTH:
        yield (
            f"$server_options.max_stack_depth is {depth}; what is below "
            f"{DEFAULT_MAX_STACK_DEPTH} counts as {DEFAULT_MAX_STACK_DEPTH}"
        )
    limits = SizeLimits()
    options.load_limits(limits)
    for name, counts_as in (
        ("max_list_concat", limits.max_list),
        ("max_string_concat", limits.max_string),
    ):
        value = options.get(name)
        if type(value) is int and value != counts_as:
            yield f"$server_options.{name} is {value}, and counts as {counts_as}"
    holder = options.property(SYSTEM_OBJECT, "server_options")
    record = world.find(holder) if type(holder) is Obj else None
    for name in record.layout.names if record is not None else ():
        protected = name.removeprefix("protect_")
        if protected == name or protected in BUILTIN_PROPERTIES:
            continue
        if protected not in database.builtins:
            yield f"$server_options.{name}: there is no function {protected}()"


_LONGEST: Final = 60


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


# --- files --------------------------------------------------------------------


def _files_beside(path: str) -> Iterator[Note]:
    found = []
    for folder, what in (
        (folder_of(path), "changes since the last checkpoint"),
        (backups_folder(path), "earlier copies"),
    ):
        if os.path.isdir(folder):
            try:
                count = counted(len(os.listdir(folder)), "file")
            except OSError as error:
                count = f"cannot be read: {error.strerror}"
            found.append(f"{folder}{os.sep} ({what}: {count})")
    if found:
        yield Note("files", f"beside it: {', '.join(found)}")
    panic = f"{path}.PANIC"
    if os.path.isfile(panic) and os.path.getmtime(panic) > os.path.getmtime(path):
        yield Note(
            "panic",
            f"{panic} is newer than this file: a server that panicked has saved there "
            "what it had",
            is_fine=False,
            remedy=doctor_command(panic),
        )


def _disk(path: str) -> Note:
    try:
        rooms = disk_rooms(path)
        needed = os.path.getsize(path)
    except OSError as error:
        return Note(
            "disk",
            f"disk: how much room there is cannot be told: {error.strerror}",
            is_fine=False,
        )
    text = ", ".join(f"{size_text(room.free)} free in {room.folder}" for room in rooms)
    if rooms[0].free < needed:
        return Note(
            "disk",
            f"disk: {text}; a checkpoint, which is written beside the file before it "
            f"takes its place, needs {size_text(needed)}",
            is_fine=False,
        )
    return Note("disk", f"disk: {text}")
