"""The tasks that are to start at some time: once, periodically, by the clock.

What invoke() has been asked for waits here as a `ScheduledTask`.  When it is due,
`Schedule.begin_due` makes a forked task of it, which from then on is one like all
others: it has its own number and waits for its turn in the queue of the programmer.
Its outermost activation is a program of one line that calls the verb; so the verb has a
caller and caller_perms(), and a textdump can hold it.  When it has ended, the callback
or errback becomes another task in the same way.

S1  A task is in `_waiting`, under the time at which it is due, exactly while it is
    enabled and its schedule can be read on this machine.
S2  Each counts as one background task of its programmer, enabled or not.
S3  `add` and `remove` undo each other exactly, and so does `put_off` what it did.
    Nothing else changes what is scheduled, or when; each tells the journal, so a slice
    that is rolled back has scheduled and cancelled nothing.
S4  What was missed, because the server was not running or had too much to do, is done
    once; what is repeated has no more than one task that has not begun yet.
S5  The time of a periodic task is its first one plus a whole number of periods.  A
    clock that is set back delays nothing by more than the delay that was asked for.

The handle is a number as those of tasks, and none of theirs: kill_task() takes it too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from itertools import count
from math import floor
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from attrs import define, evolve
from sortedcontainers import SortedDict

from pymoo.builtins.schedule import MAX_DELAY_S, MIN_PERIOD_S
from pymoo.db.objects import VERB_DEBUG
from pymoo.db.sizes import value_bytes
from pymoo.db.textdump_io import expanded_length
from pymoo.errors import AbortReason, MooError
from pymoo.interp.activation import NO_PARSE, Activation, builtin_variables
from pymoo.interp.engine import Engine
from pymoo.interp.host import INVOKED, Invocation
from pymoo.interp.sizes import FORKED_TASK_BYTES
from pymoo.interp.vm import VM, Aborted, Done, Result
from pymoo.lang.program import Program
from pymoo.options import DEFAULT_TIMEZONE
from pymoo.tasks.cron import CronError, CronSchedule, parse_cron, time_zone
from pymoo.tasks.task import SHOWN_TICKS, BackgroundTask, ForkedTask
from pymoo.values import (
    E_INVARG,
    E_INVIND,
    E_PERM,
    E_QUOTA,
    E_VERBNF,
    NOTHING,
    Obj,
    Value,
    literal,
)

if TYPE_CHECKING:
    from pymoo.tasks.scheduler import Scheduler

MAX_ELEMENTS: Final = 16_000_000
"""How many elements the arguments of all may have, those of lists in them included.

A textdump that cannot hold one list of them could hold none.
"""

_SET_BACK_S: Final = 1.0
"""By how much a clock is set back; by less, it is only adjusted."""

_CRON_SET_BACK_S: Final = 3 * 60 * 60
"""By how much it is set back if what was done at a time of the day is done again.

By less, it goes through a time once more that has been.
"""

_STEPS_PER_ROW: Final = 8
"""What it counts to look at one of them."""

_MAX_TIME: Final = 1e11
"""The latest time that is read from a file, in the year 5138: dates end in 9999."""

_CALL: Final = "return object:(name)(@args);\n"


@define(eq=False)
class ScheduledTask:
    """Something that is to become a task, perhaps again and again."""

    handle: int
    request: Invocation
    # What `request.cron` means; None without one, and if it cannot be read here.
    cron: tuple[CronSchedule, tzinfo] | None
    elements: int  # of the arguments, those of lists in them included
    # Where it stands in `Schedule._waiting`, if it does.
    due: float
    order: int
    is_enabled: bool = True
    last_run: float | None = None
    runs: int = 0
    last_task: int = 0

    @property
    def can_wait(self) -> bool:
        """Whether it will ever be due."""
        return self.is_enabled and (self.cron is not None or not self.request.cron)

    def next_after(self, now: float) -> float:
        """Return when a repeated one is due next, after ``now``."""
        if self.cron is not None:
            schedule, zone = self.cron
            return schedule.next_after(max(now, self.due), zone)
        period = self.request.delay
        time = self.due + (floor((now - self.due) / period) + 1) * period
        # Where a division was rounded.
        return time if time > now else time + period


class Schedule:
    """What is scheduled in one world."""

    def __init__(self, engine: Engine, scheduler: Scheduler) -> None:
        self._engine: Final = engine
        self._journal: Final = engine.world.journal
        self._scheduler: Final = scheduler
        self._by_handle: Final[dict[int, ScheduledTask]] = {}
        # (due, order) to task.
        self._waiting: Final[Any] = SortedDict()
        self._orders: Final = count()
        self._elements = 0
        # The latest time that was seen.
        self._seen = 0.0
        self.changes = 0
        """Grows whenever what is scheduled changes."""
        self._program: Program | None = None

    def __len__(self) -> int:
        return len(self._by_handle)

    def __iter__(self) -> Iterator[ScheduledTask]:
        """Go through what is scheduled, the next first; at last what is not due."""
        yield from self._waiting.values()
        never = [task for task in self._by_handle.values() if not task.can_wait]
        yield from sorted(never, key=lambda task: (task.due, task.order))

    # --- changes ----------------------------------------------------------

    def add(self, task: ScheduledTask) -> None:
        """Take in ``task``, at its place."""
        # First, as it may make a queue, which is undone last.
        self._scheduler.count_background(task.request.programmer, 1)
        self._journal.note((self.remove, task))
        self.changes += 1
        self._by_handle[task.handle] = task
        self._elements += task.elements
        if task.can_wait:
            self._waiting[task.due, task.order] = task

    def remove(self, task: ScheduledTask) -> None:
        """Take out ``task``, which keeps its place in mind."""
        self._journal.note((self.add, task))
        self.changes += 1
        del self._by_handle[task.handle]
        self._elements -= task.elements
        self._scheduler.count_background(task.request.programmer, -1)
        if task.can_wait:
            del self._waiting[task.due, task.order]

    def put_off(self, task: ScheduledTask, due: float, is_enabled: bool = True) -> None:
        """Let ``task`` be due at another time, or never."""
        self._journal.note((self.put_off, task, task.due, task.is_enabled))
        self.changes += 1
        if task.can_wait:
            del self._waiting[task.due, task.order]
        task.due = due
        task.is_enabled = is_enabled
        if task.can_wait:
            self._waiting[task.due, task.order] = task

    # --- what MOO programs ask for (interp.host.Schedule) ------------------

    def invoke(self, request: Invocation) -> int:
        cron = None
        if request.cron:
            if not request.timezone:
                request = evolve(request, timezone=self._default_zone())
            try:
                cron = parse_cron(request.cron), time_zone(request.timezone)
            except CronError as error:
                raise MooError(E_INVARG, f"Invalid schedule: {error}") from None
        self._check_callable(request.object, request.verb)
        for target in (request.callback, request.errback):
            if target is not None:
                self._check_callable(*target)
        elements = expanded_length(request.arguments)
        self._engine.ops.meter.spend(elements)
        if self._elements + elements > MAX_ELEMENTS:
            text = "There is no room for these arguments among what is scheduled"
            raise MooError(E_QUOTA, text)
        self._scheduler.check_limit(request.programmer)
        now = self._scheduler.now()
        self._seen = max(now, self._seen)
        due = now + request.delay
        if cron is not None:
            due = cron[0].next_after(now, cron[1])
        task = self._new_task(request, cron, elements, due)
        self.add(task)
        return task.handle

    def cancel(self, handle: int, programmer: Obj) -> bool:
        task = self._by_handle.get(handle)
        if task is None:
            return False
        is_wizard = self._engine.world.is_wizard(programmer)
        if not is_wizard and programmer != task.request.programmer:
            raise MooError(E_PERM)
        self.remove(task)
        return True

    def rows(self, programmer: Obj) -> list[Value]:
        return [self._row(task) for task in self._shown_to(programmer)]

    def queued_rows(self, programmer: Obj) -> list[Value]:
        """Return the rows of queued_tasks() for what is scheduled and will be due."""
        return [
            self._queued_row(task)
            for task in self._shown_to(programmer)
            if task.can_wait
        ]

    def _shown_to(self, programmer: Obj) -> Iterator[ScheduledTask]:
        show_all = self._engine.world.is_wizard(programmer)
        for task in self:
            self._engine.ops.meter.spend(_STEPS_PER_ROW)
            if show_all or task.request.programmer == programmer:
                yield task

    def _row(self, task: ScheduledTask) -> Value:
        request, wrap = task.request, self._engine.ops.wrap
        return (
            task.handle,
            request.programmer,
            request.object,
            request.verb,
            request.arguments,
            wrap(int(task.due)) if task.can_wait else 0,
            request.cron or (request.delay if request.is_periodic else 0),
            int(task.can_wait),
            0 if task.last_run is None else wrap(int(task.last_run)),
            wrap(task.runs),
            task.last_task,
            request.timezone,
            request.player,
            request.callback or (),
            request.errback or (),
        )

    def _queued_row(self, task: ScheduledTask) -> Value:
        request, ops = task.request, self._engine.ops
        definer, names = request.object, request.verb
        found = self._engine.world.find_callable_verb(request.object, request.verb)
        if found is not None:
            definer, names = found[0], found[1].names
        size = value_bytes(request.arguments, meter=ops.meter) + len(request.verb) + 1
        return (
            task.handle,
            ops.wrap(int(task.due)),
            0,
            SHOWN_TICKS,
            request.programmer,
            definer,
            names,
            1,
            request.object,
            FORKED_TASK_BYTES + size,
        )

    def _default_zone(self) -> str:
        return self._engine.options.string("timezone", DEFAULT_TIMEZONE)

    def _check_callable(self, object_: Obj, verb: str) -> None:
        """Raise E_INVIND or E_VERBNF if ``object_:verb()`` cannot be called.

        What can be called at all, everybody may call.
        """
        if not self._engine.world.valid(object_):
            raise MooError(E_INVIND, f"There is no {object_}", object_)
        if not self._is_callable(object_, verb):
            raise MooError(E_VERBNF, f"{object_} has no such verb to be called", verb)

    def _is_callable(self, object_: Obj, verb: str) -> bool:
        found = self._engine.world.find_callable_verb(object_, verb)
        if found is None:
            return False
        definer, verbdef = found
        return self._engine.program_of(verbdef, definer) is not None

    def _new_task(
        self,
        request: Invocation,
        cron: tuple[CronSchedule, tzinfo] | None,
        elements: int,
        due: float,
    ) -> ScheduledTask:
        while (handle := self._scheduler.runner.new_task_id()) in self._by_handle or (
            self._scheduler.is_waiting(handle)
        ):
            pass
        return ScheduledTask(handle, request, cron, elements, due, next(self._orders))

    # --- when it is time --------------------------------------------------

    def next_time(self) -> float | None:
        """Return when something is due; None if nothing is."""
        if not self._waiting:
            return None
        time: float = self._waiting.peekitem(0)[0][0]
        return time

    def begin_due(self, now: float) -> None:
        """Make forked tasks of all that is due at ``now``; they are due as it was."""
        if now > self._seen:
            self._seen = now
        elif self._seen - now >= _SET_BACK_S:
            self._set_back(now)
        waiting = self._waiting
        while waiting and waiting.peekitem(0)[0][0] <= now:
            self._begin(waiting.peekitem(0)[1], now)

    def _set_back(self, now: float) -> None:
        """The clock shows an earlier time than it has shown before."""
        is_new_day = self._seen - now >= _CRON_SET_BACK_S
        self._seen = now
        for task in [*self._waiting.values()]:
            if task.cron is None:
                if task.due - now > task.request.delay:
                    self.put_off(task, now + task.request.delay)
            elif is_new_day:
                schedule, zone = task.cron
                self.put_off(task, schedule.next_after(now, zone))

    def _begin(self, task: ScheduledTask, now: float) -> None:
        request, due = task.request, task.due
        # First of all: whatever fails below, it is not tried again at once.
        if request.is_repeated:
            self.put_off(task, task.next_after(now))
            if self._scheduler.has_not_begun(task.last_task):
                return
        else:
            self.remove(task)
        obstacle = self._obstacle(request)
        if obstacle is None:
            forked = self._forked(request, due)
            self._scheduler.enqueue(forked)
            task.last_run = now
            task.last_task = forked.task_id
            task.runs += 1
            return
        reason, is_final = obstacle
        if request.is_repeated and is_final:
            self.put_off(task, task.due, is_enabled=False)
            reason += "; it is not enabled any more"
        self._log(task.handle, request, f"does not run: {reason}")

    def _obstacle(self, request: Invocation) -> tuple[str, bool] | None:
        """Return why it cannot run now, and whether it never will; None if it can.

        A number that was an object's may become that of another: so the end of an
        object is final, and that of a verb is not.
        """
        if not self._engine.world.valid(request.object):
            return f"there is no {request.object}", True
        if request.is_repeated and not self._engine.world.is_wizard(request.programmer):
            return f"{request.programmer} is no wizard", True
        if not self._is_callable(request.object, request.verb):
            return "there is no such verb that can be called", False
        return None

    def _log(self, handle: int, request: Invocation, text: str) -> None:
        verb = f"{request.object}:{request.verb}()"
        self._engine.host.server.log(f"SCHEDULE: task {handle}, {verb}, {text}")

    def _forked(self, request: Invocation, due: float) -> ForkedTask:
        """Return a task that calls the verb."""
        program = self._program
        if program is None:
            program = self._program = self._engine.compile(_CALL)
        vm = VM(self._engine, self._scheduler.runner.new_task_id(), 0, "forked")
        variables = builtin_variables(
            program.version,
            request.player,
            request.caller,
            NOTHING,
            INVOKED,
            request.arguments,
            NO_PARSE,
        )
        own: dict[str, Value] = {"object": request.object, "name": request.verb}
        variables += [own[name] for name in program.names[len(variables) :]]
        vm.activations.append(
            Activation.with_variables(
                vm,
                program,
                variables,
                request.caller,
                request.player,
                request.programmer,
                NOTHING,
                INVOKED,
                INVOKED,
                VERB_DEBUG,
            )
        )
        if request.callback or request.errback or request.player == NOTHING:
            vm.sequel = evolve(request, arguments=())
        return ForkedTask(vm, due)

    # --- when it has ended ------------------------------------------------

    def ended(self, request: Invocation, result: Result) -> bool:
        """Do what is to follow a task; returns whether an error was taken care of."""
        if isinstance(result, Done):
            if request.callback is not None:
                self._follow(request, request.callback, (result.value,))
            return False
        if not isinstance(result, Aborted) or result.handler is None:
            return False
        *seen, lines = result.arguments
        if request.errback is not None:
            if len(seen) == 2:  # the ticks or seconds that ran out, and the stack
                reason = str(seen[0])
                seen[1:1] = AbortReason[reason.upper()].value, 0
            if self._follow(request, request.errback, tuple(seen)):
                return True
        if request.player == NOTHING and type(lines) is tuple:
            for line in lines:
                self._engine.host.server.log(f"SCHEDULE: {line}")
        return False

    def _follow(
        self, request: Invocation, target: tuple[Obj, str], arguments: tuple[Value, ...]
    ) -> bool:
        """Have a callback called; returns False if it cannot be."""
        object_, verb = target
        elements = expanded_length(arguments)
        if self._elements + elements > MAX_ELEMENTS:
            arguments, elements = (E_QUOTA,), 1
        following = Invocation(
            object_, verb, arguments, request.programmer, request.caller, request.player
        )
        now = self._scheduler.now()
        task = self._new_task(following, None, elements, now)
        obstacle = self._obstacle(following)
        if obstacle is not None:
            self._log(task.handle, following, f"does not run: {obstacle[0]}")
            return False
        self.add(task)
        return True

    # --- in a textdump ----------------------------------------------------

    def saved(self) -> Value:
        """Return all of it, to be kept; 0 if there is nothing.

        {latest time seen, what is scheduled, what follows tasks that wait}.
        """
        sequels = tuple(
            (task.task_id, saved_request(task.vm.sequel))
            for task in self._scheduler.background_tasks()
            if task.vm.sequel is not None
        )
        return self._saved_with(sequels)

    def saved_without_sequels(self) -> Value:
        """As `saved`, but for what follows tasks."""
        return self._saved_with(())

    def _saved_with(self, sequels: tuple[Value, ...]) -> Value:
        if not self._by_handle and not sequels:
            return 0
        return float(self._seen), tuple(map(_saved_task, self)), sequels

    def restore(self, saved: Value) -> None:
        """Have scheduled what was when ``saved`` was `saved`, and nothing else.

        The tasks that wait are there already.  What cannot be read goes to the log.
        """
        for task in [*self]:
            self.remove(task)
        if type(saved) is not tuple or len(saved) != 3:
            self._complain(saved)
            return
        seen, rows, sequels = saved
        if not _is_time(seen) or not type(rows) is type(sequels) is tuple:
            self._complain(saved)
            return
        self._seen = seen
        for row in rows:
            restored = self._restored_task(row)
            if restored is None:
                self._complain(row)
            else:
                self.add(restored)
        waiting: dict[int, list[BackgroundTask]] = {}
        for each in self._scheduler.background_tasks() if sequels else ():
            waiting.setdefault(each.task_id, []).append(each)
        for row in sequels:
            task_id, kept = row if type(row) is tuple and len(row) == 2 else (0, 0)
            request = restored_request(kept)
            if request is None or type(task_id) is not int:
                self._complain(row)
                continue
            for each in waiting.get(task_id, ()):
                each.vm.sequel = request

    def _complain(self, row: Value) -> None:
        self._engine.host.server.log(
            f"SCHEDULE: what was saved cannot be read: {literal(row)[:1000]}",
            is_error=True,
        )

    def _restored_task(self, row: Value) -> ScheduledTask | None:
        if type(row) is not tuple or len(row) != 7:
            return None
        handle, saved, due, is_enabled, last_run, runs, last_task = row
        request = restored_request(saved)
        if (
            request is None
            or not type(handle) is type(is_enabled) is type(runs) is int
            or type(last_task) is not int
            or not _is_time(due)
            or not _is_time(last_run)
            or not 0 <= request.delay <= MAX_DELAY_S
            or (request.is_periodic and request.delay < MIN_PERIOD_S)
            or handle in self._by_handle
        ):
            return None
        cron = None
        if request.cron:
            try:
                cron = parse_cron(request.cron), time_zone(request.timezone)
            except CronError as error:
                # It is kept, for a machine that knows its time zone.
                self._log(handle, request, f"is never due: {error}")
        return ScheduledTask(
            handle,
            request,
            cron,
            expanded_length(request.arguments),
            due,
            next(self._orders),
            bool(is_enabled),
            None if last_run < 0 else last_run,
            runs,
            last_task,
        )


def _is_time(value: Value) -> TypeGuard[float]:
    """Whether a value from a file can be a time: what is no number is none."""
    return type(value) is float and -_MAX_TIME <= value <= _MAX_TIME


# Of the parts of an `Invocation`, in their order, as they are saved.
_REQUEST_TYPES: Final[tuple[tuple[type, ...], ...]] = (
    (Obj,),
    (str,),
    (tuple,),
    (Obj,),
    (Obj,),
    (Obj,),
    (int, float),
    (int,),
    (str,),
    (str,),
    (tuple,),
    (tuple,),
)


def saved_request(request: Invocation | None) -> Value:
    """Return a request as it is saved."""
    assert request is not None
    return (
        request.object,
        request.verb,
        request.arguments,
        request.programmer,
        request.caller,
        request.player,
        request.delay,
        int(request.is_periodic),
        request.cron,
        request.timezone,
        request.callback or (),
        request.errback or (),
    )


def restored_request(saved: Value) -> Invocation | None:
    """Return the request that was saved as ``saved``; None if that is none."""
    if type(saved) is not tuple or len(saved) != len(_REQUEST_TYPES):
        return None
    if any(
        type(part) not in types
        for part, types in zip(saved, _REQUEST_TYPES, strict=True)
    ):
        return None
    parts: list[Any] = list(saved)
    parts[7] = bool(parts[7])
    for place in (10, 11):
        target = parts[place]
        if target and tuple(map(type, target)) != (Obj, str):
            return None
        parts[place] = target or None
    return Invocation(*parts)


def _saved_task(task: ScheduledTask) -> Value:
    return (
        task.handle,
        saved_request(task.request),
        float(task.due),
        int(task.is_enabled),
        -1.0 if task.last_run is None else float(task.last_run),
        task.runs,
        task.last_task,
    )
