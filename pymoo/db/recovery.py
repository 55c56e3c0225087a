"""A database file and the journal behind it make the world as it was last.

What a record holds is a list of two lists: the operations on the world (`redo`), and
entries of what else there is:

* ``("dialect", name)`` ... is in the segment's first record, not here;
* ``("reset",)``: the tasks that wait are those that follow, not those of the file;
* ``("order", serials)``: the tasks of the file have these serial numbers;
* ``("task", serial, task, policies, errors, waits, sequels)`` and ``("gone", serial)``
  for a task that waits, and for one that does so no more;
* ``("extra", name, value)``: something that textdumps keep for pymoo;
* ``("connections", rows)``: who is connected, the last one first; a row is a number,
  the player and the listening object;
* ``("connection", number, player, listener)`` for one that has come since, or that is
  somebody else's now, and ``("disconnection", number)``;
* ``("mark", order, extras, connections, objects, players)`` is the last one of a
  segment that a checkpoint has ended, and holds what a textdump of that moment does.
"""

from __future__ import annotations

from typing import Any, BinaryIO, Final

from attrs import define, evolve, field

from pymoo.db.journal_file import (
    Chain,
    Damage,
    DamagedJournalError,
    SegmentReader,
    chain_after,
    fingerprint,
    fingerprint_of,
    folder_of,
    segment_numbers,
    segment_path,
)
from pymoo.db.journal_values import ValueReader
from pymoo.db.redo import NOT_OF_THIS_WORLD, JournalError, replay
from pymoo.db.saved import SavedConnection, SavedForkedTask, SavedTask
from pymoo.db.saved_values import task_from_value
from pymoo.db.textdump import Textdump
from pymoo.values import Obj, Value

EXTRAS_OF_TASKS: Final = ("policies", "errors", "waits")
"""What is beside a task in its entry, and in a textdump is one list for all."""

_SCHEDULE: Final = "schedule"


@define
class _Entry:
    task: SavedTask
    extras: tuple[Value, ...] = ((), (), ())
    sequels: tuple[Value, ...] = ()


@define
class Recovery:
    """Applies records to what was read from a database file."""

    textdump: Textdump
    records: int = 0
    """How many records with changes have been applied."""
    is_at_mark: bool = False
    """Whether the last record was the mark of a checkpoint."""
    _tasks: dict[int, _Entry] = field(init=False)
    _extras: dict[str, Value] = field(init=False)
    # By number, the last one last.
    _connections: dict[int, SavedConnection] = field(factory=dict)
    _has_connections: bool = False
    _has_serials: bool = False
    _extras_at_mark: dict[str, Value] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self._extras = {
            name: value
            for name, value in self.textdump.extras.items()
            if name not in EXTRAS_OF_TASKS
        }
        self._tasks = {}

    def apply(self, value: Any) -> None:
        """Do what a record tells.

        Raises: JournalError, or one of `NOT_OF_THIS_WORLD`.
        """
        operations, entries = value
        replay(self.textdump.world, operations)
        self.is_at_mark = False
        for entry in entries:
            self._apply_entry(*entry)
        self.records += 1

    def _apply_entry(self, kind: str, *parts: Any) -> None:
        match kind:
            case "reset":
                self._tasks = {}
                self._has_serials = True
                self._extras = {}
            case "order":
                self._number(parts[0])
            case "task":
                serial, task, *extras, sequels = parts
                _expect_type(serial, int)
                self._tasks.pop(serial, None)  # it is the last one now
                self._tasks[serial] = _Entry(
                    task_from_value(task), tuple(extras), sequels
                )
            case "gone":
                _expect_type(parts[0], int)
                del self._tasks[parts[0]]
            case "extra":
                name, value = parts
                _expect_type(name, str)
                self._extras.pop(name, None)
                if value:
                    self._extras[name] = value
            case "connections":
                self._connect_all(parts[0])
            case "connection":
                if not self._has_connections:
                    raise ValueError("a connection before there are any")
                number, player, listener = parts
                self._connect(number, player, listener)
            case "disconnection":
                _expect_type(parts[0], int)
                del self._connections[parts[0]]
            case "mark":
                self._take_mark(*parts)
            case _:
                raise ValueError("an entry of an unknown kind")

    def _connect_all(self, rows: tuple[Any, ...]) -> None:
        self._connections = {}
        self._has_connections = True
        for number, player, listener in reversed(rows):
            self._connect(number, player, listener)

    def _connect(self, number: Any, player: Any, listener: Any) -> None:
        _expect_type(number, int)
        self._connections[number] = _connection(player, listener)

    def _number(self, serials: tuple[int, ...]) -> None:
        """Give the tasks of the file their serial numbers."""
        if self._has_serials:  # the segment before this one was applied as well
            if tuple(self._tasks) != serials:
                raise ValueError("the tasks that wait are others")
            return
        tasks = self.textdump.tasks
        if len(serials) != len(tasks):
            raise ValueError(f"{len(tasks)} tasks are in the file, not {len(serials)}")
        rows: list[dict[Value, list[Value]]] = [
            _by_task(self.textdump.extras.get(name, ())) for name in EXTRAS_OF_TASKS
        ]
        schedule = self._extras.get(_SCHEDULE, ())
        sequels = _by_task(schedule[2] if type(schedule) is tuple and schedule else ())
        if schedule:
            assert type(schedule) is tuple
            self._extras[_SCHEDULE] = (*schedule[:2], ())
        self._tasks = {}
        for serial, task in zip(serials, tasks, strict=True):
            self._tasks[serial] = _Entry(
                task,
                tuple(tuple(table.pop(task.task_id, ())) for table in rows),
                tuple(sequels.pop(task.task_id, ())),
            )
        self._has_serials = True

    def _take_mark(
        self,
        order: tuple[int, ...],
        extras: tuple[tuple[str, Value], ...],
        connections: tuple[Any, ...],
        objects: int,
        players: int,
    ) -> None:
        world = self.textdump.world
        if (len(world), len(world.players)) != (objects, players):
            raise JournalError(
                f"the journal leads to {len(world)} objects and {len(world.players)} "
                f"players, but there were {objects} and {players}"
            )
        self._tasks = {serial: self._tasks[serial] for serial in order}
        self._has_serials = True
        self._extras_at_mark = dict(extras)
        self._has_connections = False  # those that follow are another segment's
        self.textdump.connections = [
            _connection(player, listener) for player, listener in connections
        ]
        self.is_at_mark = True

    def result(self) -> Textdump:
        """Return the textdump of the moment after the last record.

        Raises: JournalError.
        """
        try:
            return self._result()
        except NOT_OF_THIS_WORLD as error:
            raise JournalError(f"the tasks are none of a world: {error!r}") from error

    def _result(self) -> Textdump:
        textdump = self.textdump
        if self._has_connections:
            textdump.connections = [*reversed(self._connections.values())]
        if not self._has_serials:
            return textdump
        entries = [*self._tasks.values()]
        if not self.is_at_mark:
            # As the server sorts those of a textdump; equal ones stay as they came.
            entries.sort(key=lambda entry: entry.task.start_time)
        # Forked ones come first in a file.
        entries.sort(key=lambda entry: not isinstance(entry.task, SavedForkedTask))
        textdump.tasks = [entry.task for entry in entries]
        if not self.is_at_mark:
            extras = dict(self._extras)
            for place, name in enumerate(EXTRAS_OF_TASKS):
                rows = tuple(row for entry in entries for row in _rows(entry, place))
                if rows:
                    extras[name] = rows
            sequels = tuple(row for entry in entries for row in entry.sequels)
            schedule = extras.get(_SCHEDULE, ())
            if sequels or schedule:
                assert type(schedule) is tuple
                extras[_SCHEDULE] = (*(schedule[:2] or (0.0, ())), sequels)
            textdump.extras = extras
        else:
            textdump.extras = self._extras_at_mark
        return textdump


def _rows(entry: _Entry, place: int) -> tuple[Value, ...]:
    rows = entry.extras[place]
    return rows if type(rows) is tuple else ()


def _expect_type(value: Any, kind: type) -> None:
    """Before a value is a key: to hash a list may take for ever."""
    if type(value) is not kind:
        raise TypeError(f"no {kind.__name__}, but a {type(value).__name__}")


def _connection(player: Any, listener: Any) -> SavedConnection:
    _expect_type(player, Obj)
    _expect_type(listener, Obj)
    return SavedConnection(player, listener)


def _by_task(rows: Value) -> dict[Value, list[Value]]:
    """Return rows by the task ids that they begin with."""
    table: dict[Value, list[Value]] = {}
    for row in rows if type(rows) is tuple else ():
        if type(row) is tuple and row and type(row[0]) is int:
            table.setdefault(row[0], []).append(row)
    return table


# --- from the disk ---------------------------------------------------------------


def recover(
    textdump: Textdump,
    folder: str,
    chain: Chain,
    *,
    end_at: int | None = None,
    stops_at_damage: bool = False,
) -> tuple[Recovery, Damage | None]:
    """Apply the segments of ``chain``, up to number ``end_at`` if that is given.

    Returns with it what was found unfinished at the end of the last one.  With
    ``stops_at_damage`` damage elsewhere is returned too, instead of raised, and is
    never called unfinished.

    Raises: DamagedJournalError; OSError.
    """
    recovery = Recovery(textdump)
    numbers = [n for n, _ in chain.segments if end_at is None or n <= end_at]
    for number in numbers:
        damage = _apply_segment(recovery, segment_path(folder, number))
        if damage is not None:
            is_last = number == numbers[-1] and chain.damage is None
            if not (is_last and damage.is_unfinished):
                damage = evolve(damage, is_unfinished=False)
                if not stops_at_damage:
                    raise DamagedJournalError(damage)
            return recovery, damage
    return recovery, chain.damage


def _apply_segment(recovery: Recovery, path: str) -> Damage | None:
    """Do what the records of a segment tell; return what stands in the way, if so.

    Raises: OSError.
    """
    reader = SegmentReader(path)
    values = ValueReader()
    for record in reader.records():
        if record.number == 0:
            continue
        try:
            value = values.from_bytes(record.data)
        except ValueError as error:
            return reader.refused(str(error))
        try:
            recovery.apply(value)
        except JournalError as error:
            return reader.refused(str(error))
        except NOT_OF_THIS_WORLD:
            return reader.refused("it is no record of a world")
    return reader.damage


def chain_beside(path: str, stream: BinaryIO | None = None) -> Chain | None:
    """Return the segments beside a database file; None if none belong to it.

    There may be none left, of a journal that the file holds all of.  ``stream`` is the
    file if it has been read already: another may have its name by now.

    Raises: JournalError if it is damaged; OSError.
    """
    folder = folder_of(path)
    if not segment_numbers(folder):
        return None
    if stream is None:
        return chain_after(folder, fingerprint(path))
    stream.seek(0)
    return chain_after(folder, fingerprint_of(stream))


def has_journal(path: str) -> bool:
    """Whether a journal holds what the database ``path`` does not.

    Raises: JournalError if it is damaged; OSError.
    """
    chain = chain_beside(path)
    return chain is not None and bool(chain.segments)


def recover_beside(textdump: Textdump, path: str, stream: BinaryIO) -> Textdump:
    """Return what the journal beside a database file makes of it; changes no file.

    Where there is none, or one of another file than ``stream``, which was read, that
    is ``textdump``.

    Raises: JournalError if it is damaged; OSError.
    """
    chain = chain_beside(path, stream)
    if chain is None or not chain.segments:
        return textdump
    return recover(textdump, folder_of(path), chain)[0].result()
