"""Tasks that another program asks for, and what becomes of them.

Requests wait in a queue of their own.  One is started per turn, between the slices of
tasks, as lines of input are; so programs and players take turns.  A task that suspends
goes on like any other; whoever asked is told when it ends, or when they give up.

What the tasks send to the player of a request meanwhile is collected, whether that
player is connected or not.  (Those who are see it as well.)

O1  Whoever asked is told exactly once.
O2  Nothing is kept of a request after that.
O3  Of the end of a task one is told by `settle`, when what it did is on the disk.

All of this belongs to the world's thread; `api.gateway` leads here from others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Final, TypeAlias

from attrs import define, field, frozen

from pymoo.db.objects import VERB_DEBUG
from pymoo.errors import MooError, MooSyntaxError, OptionError
from pymoo.interp.engine import Engine
from pymoo.interp.policy import CLASSIC
from pymoo.interp.vm import VM, Aborted, Blocked, Done, Result, RolledBack
from pymoo.lang import nodes as n
from pymoo.lang.program import Program
from pymoo.server.connections import ConnectionTable
from pymoo.server.log import Log
from pymoo.tasks.queues import PlayerQueue
from pymoo.tasks.runner import Crashed
from pymoo.tasks.scheduler import Scheduler
from pymoo.values import E_INVARG, E_PERM, Obj, Value

MAX_OUTPUT: Final = 1 << 24


@frozen
class Choices:
    """What a request chooses for its task, instead of the database.

    See `interp.policy`.  Raises: OptionError for another word than "keep" and
    "rollback".
    """

    error: str | None = None
    abort: str | None = None

    def __attrs_post_init__(self) -> None:
        for choice in (self.error, self.abort):
            try:
                CLASSIC.with_choices(choice, None)
            except ValueError as error:
                raise OptionError(
                    f"there is no policy {choice!r}: it is {error}"
                ) from None


NO_CHOICES: Final = Choices()


@frozen(eq=False)
class VerbCall:
    """Call ``this:verb(...)`` in a task of its own: a verb task."""

    player: Obj
    this: Obj
    verb: str
    arguments: tuple[Value, ...] = ()
    choices: Choices = NO_CHOICES


@frozen(eq=False)
class Evaluation:
    """Run an expression or statements as ``player``, who must be a programmer."""

    player: Obj
    source: str
    choices: Choices = NO_CHOICES


@frozen(eq=False)
class TypedCommand:
    """Do what ``player`` would with a line of input."""

    player: Obj
    line: str
    choices: Choices = NO_CHOICES


Request: TypeAlias = VerbCall | Evaluation | TypedCommand


class Ending(Enum):
    """Why there will be no more of a task, or of waiting for it."""

    ENDED = "it has ended"
    REFUSED = "it was not begun, for an error"
    GONE = "it was killed while it slept"
    GIVEN_UP = "whoever asked waits no more; it may still go on"
    STOPPED = "the server has stopped"


@frozen(eq=False)
class Outcome:
    """What became of a request."""

    ending: Ending
    task_id: int  # 0 if no task was begun
    output: tuple[str, ...] = ()
    # Of the last slice; None if no task was begun.
    result: Result | None = None
    refusal: MooError | MooSyntaxError | None = None
    reason: str = ""  # why the server has stopped


Listener: TypeAlias = Callable[[Outcome], None]


@define(eq=False)
class _Record:
    """A request that was started and has not ended."""

    request: Request
    tell: Listener
    task_id: int = 0
    result: Result | None = None
    output: list[str] = field(factory=list)
    room: int = 0  # for how many more characters of output
    dropped: int = 0
    # The slice that has sent something last.
    slice_number: int = 0

    @property
    def is_asleep(self) -> bool:
        return isinstance(self.result, Blocked)

    def add_line(self, text: str) -> None:
        # Many empty lines take memory as well.
        self.room -= len(text) + 1
        if self.room >= 0:
            self.output.append(text)
        else:
            self.dropped += 1

    def withdraw(self, lines: int, room: int, dropped: int) -> None:
        """Forget the output after the first ``lines``: its slice was rolled back."""
        del self.output[lines:]
        self.room, self.dropped = room, dropped

    def outcome(self, ending: Ending, reason: str = "") -> Outcome:
        output = tuple(self.output)
        if self.dropped:
            lost = f">> {self.dropped} more lines of output have been dropped <<"
            output = (*output, lost)
        return Outcome(ending, self.task_id, output, self.result, reason=reason)


class OutsideTasks:
    """The tasks of one server that other programs asked for."""

    def __init__(
        self,
        engine: Engine,
        scheduler: Scheduler,
        connections: ConnectionTable,
        log: Log,
    ) -> None:
        self._engine: Final = engine
        self._scheduler: Final = scheduler
        self._connections: Final = connections
        self._log: Final = log
        self._waiting: Final[dict[Request, Listener]] = {}
        # By the id of its task.  Of two with one id, which happens once in two
        # thousand million times, the first is told when the second ends.
        self._asleep: Final[dict[int, _Record]] = {}
        self._starting: _Record | None = None
        # What there is of the input of players beyond one line (`.program`, PREFIX).
        self._queues: Final[dict[Obj, PlayerQueue]] = {}
        # Those of `_asleep` whose tasks have ended, or are gone, since `settle`.
        self._over: Final[deque[_Record]] = deque()
        self._gone: Final[deque[_Record]] = deque()
        self._stop_reason: str | None = None
        self._is_watching = False
        self.max_output = MAX_OUTPUT
        """How many characters of output are collected for one request."""
        scheduler.kill_watchers.append(self._note_kill)

    @property
    def waiting_count(self) -> int:
        """How many requests are not begun yet."""
        return len(self._waiting)

    @property
    def has_waiting(self) -> bool:
        """Whether there is a request to be started."""
        return bool(self._waiting)

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for something."""
        return bool(self._waiting or self._asleep or self._over or self._gone)

    # --- requests -----------------------------------------------------------

    def post(self, request: Request, tell: Listener) -> None:
        """Start ``request`` when its turn comes; ``tell`` gets its `Outcome`."""
        if self._stop_reason is not None:
            tell(Outcome(Ending.STOPPED, 0, reason=self._stop_reason))
        else:
            self._waiting[request] = tell

    def give_up(self, request: Request) -> None:
        """Tell now whoever waits for ``request``; its task, if begun, goes on."""
        tell = self._waiting.pop(request, None)
        if tell is not None:
            tell(Outcome(Ending.GIVEN_UP, 0))
            return
        for record in self._asleep.values():
            if record.request is request:
                del self._asleep[record.task_id]
                self._watch()
                record.tell(record.outcome(Ending.GIVEN_UP))
                return

    def close(self, reason: str) -> None:
        """Tell everybody who waits that the server stops."""
        self._stop_reason = reason
        waiting, asleep = {**self._waiting}, [*self._asleep.values()]
        self._waiting.clear()
        self._asleep.clear()
        self.settle()
        self._watch()
        for tell in waiting.values():
            tell(Outcome(Ending.STOPPED, 0, reason=reason))
        for record in asleep:
            record.tell(record.outcome(Ending.STOPPED, reason))

    # --- turns of the server's loop ------------------------------------------

    def start_next(self) -> None:
        """Start the task of the request that has waited longest, if there is one."""
        if not self._waiting:
            return
        request = next(iter(self._waiting))
        record = _Record(request, self._waiting.pop(request), room=self.max_output)
        self._starting = record
        self._watch()
        outcome: Outcome | None = None
        runner = self._scheduler.runner
        if request.choices != NO_CHOICES:
            runner.first_policy = self._engine.policy.with_choices(
                request.choices.error, request.choices.abort
            )
        try:
            self._start(record)
        except (MooError, MooSyntaxError) as error:
            outcome = Outcome(Ending.REFUSED, 0, refusal=error)
        except Exception as error:  # noqa: BLE001  (a bug ends this task alone)
            self._log.bug("running a task for another program", error)
            record.result = Crashed()
        finally:
            self._starting = runner.first_policy = None
        if outcome is not None:
            self._watch()
            record.tell(outcome)
        elif record.is_asleep:
            self._asleep[record.task_id] = record
        else:
            self._over.append(record)

    def settle(self) -> None:
        """Tell those whose tasks have ended since the last time."""
        if not self._over and not self._gone:
            return
        while self._over:
            record = self._over.popleft()
            record.tell(record.outcome(Ending.ENDED))
        while self._gone:
            record = self._gone.popleft()
            record.tell(record.outcome(Ending.GONE))
        self._watch()

    def _watch(self) -> None:
        """Listen to what players are sent, and to slices, while it is of interest."""
        is_needed = bool(self._starting is not None or self._asleep or self._over)
        if is_needed is self._is_watching:
            return
        self._is_watching = is_needed
        watchers = self._scheduler.runner.watchers
        if is_needed:
            self._connections.witness = self._overhear
            watchers.append(self._note_slice)
        else:
            self._connections.witness = None
            watchers.remove(self._note_slice)

    def _overhear(self, player: Obj, text: str) -> None:
        record = self._starting or self._asleep.get(self._scheduler.runner.subject)
        if record is None and self._over:
            # The traceback of a task comes after its end.
            last = self._over[-1]
            if last.task_id and last.task_id == self._scheduler.runner.subject:
                record = last
        if record is None or record.request.player != player:
            return
        journal = self._engine.world.journal
        if record.slice_number != journal.number:
            record.slice_number = journal.number
            journal.note_output(
                (record.withdraw, len(record.output), record.room, record.dropped)
            )
        record.add_line(text)

    def _note_slice(self, vm: VM, result: Result, ticks: int) -> None:
        record = self._starting
        if record is not None:
            record.task_id = vm.task_id
            # Verbs of #0 that are told of an error run in the same task; that they
            # went well does not change its end.
            if not isinstance(record.result, Aborted | Crashed | RolledBack):
                record.result = result
            return
        record = self._asleep.get(vm.task_id)
        if record is not None and not isinstance(result, Blocked):
            record.result = result
            del self._asleep[vm.task_id]
            self._over.append(record)

    def _note_kill(self, task_id: int) -> None:
        """A task that waited was killed; another of its number may be there still."""
        if task_id in self._asleep and not self._scheduler.is_waiting(task_id):
            self._gone.append(self._asleep.pop(task_id))

    # --- starting -----------------------------------------------------------

    def _start(self, record: _Record) -> None:
        """Run the first slice of a request's task.

        Raises: MooError, MooSyntaxError if there is none.
        """
        request = record.request
        if isinstance(request, VerbCall):
            self._scheduler.runner.verb_task(
                request.player,
                request.this,
                request.verb,
                request.arguments,
                task_id=self._scheduler.runner.new_task_id(),
            )
        elif isinstance(request, Evaluation):
            self._evaluate(request)
        else:
            self._command(record, request)

    def _evaluate(self, request: Evaluation) -> None:
        player = request.player
        who = self._engine.world.find(player)
        if who is None or not who.is_programmer:
            raise MooError(E_PERM)
        self._scheduler.runner.program_task(
            compile_code(self._engine, request.source),
            player=player,
            programmer=player,
            verb="",
            verb_names="Input to EVAL",
            debug=VERB_DEBUG,
        )

    def _command(self, record: _Record, request: TypedCommand) -> None:
        player = request.player
        if not self._engine.world.valid(player):
            raise MooError(E_INVARG)
        queue = self._queues.get(player)
        if queue is None:
            # One of its own, as lines that were typed may be parts of something else.
            queue = self._queues[player] = PlayerQueue(player, None)
        try:
            self._scheduler.run_command(queue, request.line)
        finally:
            record.task_id = record.task_id or queue.last_input_task
            queue.last_input_task = 0
            if not (queue.programming or queue.prefix or queue.suffix):
                del self._queues[player]


def compile_code(engine: Engine, source: str) -> Program:
    """Return the program that a text is, or that returns the expression it is.

    Raises: MooSyntaxError.
    """
    try:
        program = engine.compile(f"return {source}\n;")
    except MooSyntaxError:
        return engine.compile(source)
    match program.body:
        case (n.Return(),):
            return program
        case _:  # only the first of several statements was returned
            return engine.compile(source)


def failed(outcome: Outcome) -> bool:
    """Whether a task ended in an error that nobody caught, or was ended."""
    return outcome.ending is Ending.GONE or isinstance(
        outcome.result, Aborted | Crashed | RolledBack
    )


def value_of(outcome: Outcome) -> Value | None:
    """Return what a task has returned; None if it has not."""
    return outcome.result.value if isinstance(outcome.result, Done) else None
