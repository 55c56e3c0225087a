"""Each player's queue of input and background tasks, and the order among queues.

A queue belongs to an object number: a player, a programmer whose tasks it holds,
or, negative, a connection that has not logged in.  Input goes before background
tasks; among these, first come, first served.

**Order among queues.**  Queues with something to do are *active* and stand in order
of usage, equal ones in order of arrival.  The first one runs a task, its usage
grows by the seconds that took, and it is put back behind those of equal usage: so
players take turns.  A queue that becomes active gets the usage of the first.

Source: tasks.c.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from enum import Enum
from itertools import count
from typing import Final

from attrs import define, field, frozen

from pymoo.errors import MooError
from pymoo.interp.vm import VM
from pymoo.options import OUT_OF_BAND_PREFIX
from pymoo.tasks.programming import Programming
from pymoo.tasks.task import BackgroundTask
from pymoo.values import E_INVARG, NOTHING, SYSTEM_OBJECT, Obj, Value, fold

QUOTE_PREFIX: Final = '#$"'
MAX_QUEUED_INPUT: Final = 65_536
INPUT_LOW_WATER: Final = MAX_QUEUED_INPUT // 2

INTRINSIC_COMMANDS: Final = (
    ".program",
    "PREFIX",
    "SUFFIX",
    "OUTPUTPREFIX",
    "OUTPUTSUFFIX",
)
"""In the order in which connection_options() shows them."""


class LineKind(Enum):
    """What a line is, decided when it arrives."""

    BINARY = "binary"
    IN_BAND = "in-band"
    QUOTED = "quoted"
    OUT_OF_BAND = "out-of-band"


@frozen
class InputLine:
    """A line that waits to be used."""

    kind: LineKind
    text: str
    order: int  # among all lines of its queue


@define(eq=False)
class Reader:
    """A task that waits in read()."""

    vm: VM
    programmer: Obj


@define(eq=False)
class PlayerQueue:
    """What waits for one player, and how their input is treated."""

    player: Obj
    flush_command: str | None
    handler: Obj = SYSTEM_OBJECT
    connected: bool = False
    in_band: deque[InputLine] = field(factory=deque)
    out_of_band: deque[InputLine] = field(factory=deque)
    background: deque[BackgroundTask] = field(factory=deque)
    # Forked and suspended tasks of this player, ready or not.
    background_count: int = 0
    input_length: int = 0
    input_suspended: bool = False
    last_input_task: int = 0
    reader: Reader | None = None
    programming: Programming | None = None
    prefix: str = ""
    suffix: str = ""
    hold_input: bool = False
    disable_oob: bool = False
    intrinsic: frozenset[str] = frozenset(INTRINSIC_COMMANDS)
    usage: int = 0
    # Where it stands among the active queues; None while it is idle.
    place: tuple[int, int] | None = None
    # Where it stands, or stood last, among the idle ones.
    idle_place: int = 0
    _first: int = 0
    _last: int = 0
    # The line that was taken last, as it arrived.
    taken: InputLine | None = None

    @property
    def has_input(self) -> bool:
        return bool(self.in_band or self.out_of_band)

    @property
    def line_count(self) -> int:
        """How many lines of input wait."""
        return len(self.in_band) + len(self.out_of_band)

    @property
    def is_out_of_input(self) -> bool:
        """Whether nothing more can be read from here."""
        return not self.connected and not self.has_input

    @property
    def is_needless(self) -> bool:
        """Whether nothing would be lost without this queue."""
        return not (self.connected or self.has_input or self.background_count)

    def add_line(self, text: str, *, binary: bool, at_front: bool) -> LineKind:
        """Queue a line; returns what it was taken for."""
        if binary:
            kind = LineKind.BINARY
        elif text.startswith(QUOTE_PREFIX):
            kind = LineKind.QUOTED
        elif text.startswith(OUT_OF_BAND_PREFIX):
            kind = LineKind.OUT_OF_BAND
        else:
            kind = LineKind.IN_BAND
        lines = self.out_of_band if kind is LineKind.OUT_OF_BAND else self.in_band
        if at_front:
            self._first -= 1
            lines.appendleft(InputLine(kind, text, self._first))
        else:
            self._last += 1
            lines.append(InputLine(kind, text, self._last))
        self.input_length += len(text)
        return kind

    def undo_add(self, kind: LineKind, *, at_front: bool) -> None:
        """Take away the line that was added last."""
        lines = self.out_of_band if kind is LineKind.OUT_OF_BAND else self.in_band
        line = lines.popleft() if at_front else lines.pop()
        self.input_length -= len(line.text)

    def undo_take(self, line: InputLine) -> None:
        """Put back a line that was `taken`."""
        is_out_of_band = line.kind is LineKind.OUT_OF_BAND
        (self.out_of_band if is_out_of_band else self.in_band).appendleft(line)
        self.input_length += len(line.text)

    def take_line(
        self, *, in_band: bool = True, out_of_band: bool = True
    ) -> InputLine | None:
        """Take the oldest line of the kinds asked for, ready to be used.

        With the option disable-oob all lines are in-band, and nothing is taken off
        quoted ones.  Source: tasks.c, dequeue_input_task.
        """
        if self.disable_oob:
            if not in_band:
                return None
            out_of_band = True
        first, second = self.in_band, self.out_of_band
        if not (in_band and first):
            lines = second if out_of_band else first
        elif not (out_of_band and second) or first[0].order < second[0].order:
            lines = first
        else:
            lines = second
        if not lines or (lines is first and not in_band):
            return None
        line = self.taken = lines.popleft()
        self.input_length -= len(line.text)
        if line.kind is LineKind.OUT_OF_BAND:
            if self.disable_oob:
                return InputLine(LineKind.IN_BAND, line.text, line.order)
        elif line.kind is LineKind.QUOTED:
            text = line.text if self.disable_oob else line.text[len(QUOTE_PREFIX) :]
            return InputLine(LineKind.IN_BAND, text, line.order)
        return line

    # --- connection options ----------------------------------------------

    def options(self) -> list[tuple[str, Value]]:
        """The options that are the queue's, in connection_options()'s order."""
        return [
            ("flush-command", self.flush_command or ""),
            ("hold-input", int(self.hold_input)),
            ("disable-oob", int(self.disable_oob)),
            (
                "intrinsic-commands",
                tuple(name for name in INTRINSIC_COMMANDS if name in self.intrinsic),
            ),
        ]


def intrinsic_commands(value: Value) -> frozenset[str]:
    """Return which commands a value of the option ``intrinsic-commands`` means.

    Raises: E_INVARG.  Source: tasks.c, icmd_set_flags.
    """
    if type(value) is int:
        return frozenset(INTRINSIC_COMMANDS if value else ())
    if type(value) is not tuple:
        raise MooError(E_INVARG)
    names = set()
    for name in value:
        if type(name) is not str:
            raise MooError(E_INVARG)
        if is_program_command(name):
            name = ".program"
        if name not in INTRINSIC_COMMANDS:
            raise MooError(E_INVARG)
        names.add(name)
    return frozenset(names)


def is_program_command(word: str) -> bool:
    """Whether ``word`` is ``.program``, in any case and as short as ``.pr``."""
    word = fold(word)
    return len(word) >= 3 and ".program".startswith(word)


class QueueTable:
    """The queues of all players, and their order."""

    def __init__(self) -> None:
        self._queues: dict[Obj, PlayerQueue] = {}
        # Places of the active queues, in order, and the queues beside them.  Lists:
        # there are few, and each command comes by several times.
        self._places: Final[list[tuple[int, int]]] = []
        self._active: Final[list[PlayerQueue]] = []
        # Idle queues by id, in the order in which they became idle.
        self._idle: dict[int, PlayerQueue] = {}
        self._arrivals: Final = count()
        self._departures: Final = count()
        self._doubtful: list[PlayerQueue] = []

    def find(self, player: Obj) -> PlayerQueue | None:
        return self._queues.get(player)

    def add(self, queue: PlayerQueue) -> None:
        """Take in a new queue, idle."""
        self._queues[queue.player] = queue
        self._become_idle(queue)

    def undo_add(self, queue: PlayerQueue) -> None:
        """Forget a queue that was added and is idle."""
        del self._queues[queue.player], self._idle[id(queue)]

    def _become_idle(self, queue: PlayerQueue) -> None:
        queue.idle_place = next(self._departures)
        self._idle[id(queue)] = queue
        self._doubtful.append(queue)

    def active(self) -> Iterator[PlayerQueue]:
        """The active queues, the next to run first."""
        return iter(self._active)

    def idle(self) -> Iterator[PlayerQueue]:
        """The idle queues, the last to become idle first."""
        return reversed(self._idle.values())

    def first_active(self) -> PlayerQueue | None:
        return self._active[0] if self._active else None

    def activate(self, queue: PlayerQueue) -> None:
        """Make sure that ``queue`` will be looked at."""
        if queue.place is None:
            first = self.first_active()
            queue.usage = 0 if first is None else first.usage
            del self._idle[id(queue)]
            self._enter(queue)

    def undo_activate(self, queue: PlayerQueue, usage: int) -> None:
        """Make a queue idle again whose ``usage`` was that, where it stood."""
        self._take_out(queue)
        queue.place = None
        queue.usage = usage
        self._idle[id(queue)] = queue
        by_place = sorted(self._idle.values(), key=lambda each: each.idle_place)
        self._idle = {id(each): each for each in by_place}

    def deactivate(self, queue: PlayerQueue) -> None:
        """``queue`` has nothing to do."""
        self._take_out(queue)
        queue.place = None
        self._become_idle(queue)

    def requeue(self, queue: PlayerQueue, seconds: int) -> None:
        """``queue`` has run a task for ``seconds``: let others go first."""
        if not seconds and len(self._active) == 1:
            return  # there are no others
        self._take_out(queue)
        queue.usage += seconds
        self._enter(queue)

    def _enter(self, queue: PlayerQueue) -> None:
        place = queue.place = (queue.usage, next(self._arrivals))
        places = self._places
        if not places or places[-1] < place:
            places.append(place)
            self._active.append(queue)
        else:
            at = bisect_left(places, place)
            places.insert(at, place)
            self._active.insert(at, queue)

    def _take_out(self, queue: PlayerQueue) -> None:
        assert queue.place is not None
        at = 0 if self._active[0] is queue else bisect_left(self._places, queue.place)
        del self._places[at], self._active[at]

    def rename(self, queue: PlayerQueue, player: Obj) -> None:
        """Give ``queue`` to ``player``, who has none (any more)."""
        if self._queues.get(queue.player) is queue:
            del self._queues[queue.player]
        queue.player = player
        self._queues[player] = queue

    def abandon(self, queue: PlayerQueue) -> None:
        """Take ``queue`` from its player; it goes when it is next looked at."""
        del self._queues[queue.player]
        queue.player = NOTHING
        self._doubtful.append(queue)

    def doubt(self, queue: PlayerQueue) -> None:
        """``queue`` may have become needless; `sweep` will look."""
        self._doubtful.append(queue)

    def sweep(self) -> None:
        """Forget idle queues that nobody needs.

        The C server looks through all idle queues after each task; so this must be
        called then, and looks at those that may have changed.
        """
        doubtful, self._doubtful = self._doubtful, []
        for queue in doubtful:
            if queue.place is None and queue.is_needless:
                self._idle.pop(id(queue), None)
                if self._queues.get(queue.player) is queue:
                    del self._queues[queue.player]
