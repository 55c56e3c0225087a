"""What runs next: the queues of tasks, and one turn of their loop.

The order is the C server's.  `Scheduler.turn` puts the tasks whose time has come
behind the queues of their programmers, then runs one task of the first queue that
has something to do.  Everything a MOO program can do to tasks (`interp.host.Tasks`)
is here; what a line of input means is in `input`.

Source: tasks.c.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from pymoo.errors import MooError
from pymoo.interp.activation import Activation
from pymoo.interp.engine import Engine
from pymoo.interp.outcomes import FOR_END, FOR_MAIL, Read, Suspend, Wait
from pymoo.interp.sizes import task_bytes
from pymoo.interp.vm import BLOCKED, VM, Result
from pymoo.lang.nodes import Fork
from pymoo.options import DEFAULT_FLUSH_COMMAND, DEFAULT_MAX_TASK_MAILBOX
from pymoo.tasks.endings import Endings, end_value, no_end
from pymoo.tasks.input import InputHandler
from pymoo.tasks.mail import Mail
from pymoo.tasks.numbers import TaskNumbers
from pymoo.tasks.queues import (
    INPUT_LOW_WATER,
    MAX_QUEUED_INPUT,
    InputLine,
    LineKind,
    PlayerQueue,
    QueueTable,
    Reader,
    intrinsic_commands,
)
from pymoo.tasks.runner import Runner
from pymoo.tasks.schedule import Schedule
from pymoo.tasks.stress import Stress
from pymoo.tasks.task import (
    FOREVER,
    SHOWN_TICKS,
    BackgroundTask,
    ForkedTask,
    SuspendedTask,
    programmer_of,
)
from pymoo.tasks.timers import TimerQueue
from pymoo.tasks.waiting import (
    LOST,
    WaitKind,
    restore_errors,
    restore_waits,
    saved_errors,
    saved_waits,
)
from pymoo.values import E_INVARG, E_PERM, E_QUOTA, ErrorCode, Obj, Value
from pymoo.values_equality import same_text


class Scheduler:
    """The tasks of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._journal: Final = engine.world.journal
        self.runner: Final = Runner(engine)
        self._queues: Final = QueueTable()
        self._timers: Final[TimerQueue[BackgroundTask]] = TimerQueue()
        # All that wait: in `_timers`, in the background of a queue, as its reader.
        self._numbers: Final[TaskNumbers[BackgroundTask | Reader]] = TaskNumbers()
        self._input: Final = InputHandler(engine, self.runner, self._queues)
        # By programmer, the tasks that wait in read().
        self._reading: Final[Counter[Obj]] = Counter()
        self.mail: Final = Mail(self.is_waiting, self._hasten)
        """What tasks send each other."""
        self._endings: Final = Endings(self.is_waiting, self.deliver)
        self.kill_watchers: Final[list[Callable[[int], None]]] = []
        """Told the numbers of tasks that were killed while they waited."""
        self.wait_kinds: Final[dict[str, WaitKind]] = {
            FOR_MAIL: self.mail,
            FOR_END: self._endings,
        }
        """Who brings what tasks wait for, by `outcomes.Wait.kind`."""
        self.schedule: Final = Schedule(engine, self)
        self.runner.ended = self.schedule.ended
        self.runner.is_taken = self.is_valid
        self.runner.watchers.append(self._slice_ended)
        self.command_count = 0
        """How many lines of players were used as commands."""
        self.stress: Final = Stress(engine, self)

    # --- the loop ---------------------------------------------------------

    def now(self) -> float:
        """The time that tasks are due by: whole seconds, if the dialect has these."""
        now = self._engine.clock.now()
        return now if self._engine.dialect.fractional_delays else int(now)

    def seconds_until_next(self) -> float | None:
        """Return how long there is nothing to do; None if for ever.

        Where times are whole seconds, so is this: the C server sleeps a second at a
        time, so that a task waits at least as long as it asked for unless something
        else wakes the server in its last second.

        Source: tasks.c, next_task_start; server.c, main_loop.
        """
        for queue in self._queues.active():
            if queue.has_input or queue.background or queue.reader is not None:
                return 0
        first = self._timers.first_time()
        if first is not None and first >= FOREVER:
            first = None
        scheduled = self.schedule.next_time()
        if first is None or (scheduled is not None and scheduled < first):
            first = scheduled
        return None if first is None else max(0.0, first - self.now())

    def turn(self) -> bool:
        """Run one task that is ready; returns whether there was one."""
        queues = self._queues
        programmer = None
        clock = self._engine.clock
        began = clock.now()
        now = began if self._engine.dialect.fractional_delays else int(began)
        if self.schedule.next_time() is not None:
            self.schedule.begin_due(now)
        first = self._timers.first_time()
        due = self._timers.pop_due(now) if first is not None and first <= now else ()
        for task in due:
            owner = programmer_of(task)
            if owner != programmer:
                programmer = owner
                queue = self.queue(owner)
                queues.activate(queue)
            queue.background.append(task)
        ran = False
        while not ran and (queue_ := queues.first_active()) is not None:
            ran = self._run_one(queue_)
            if ran:
                queues.requeue(queue_, int(clock.now()) - int(began))
            else:
                queues.deactivate(queue_)
        queues.sweep()
        return ran

    def _run_one(self, queue: PlayerQueue) -> bool:
        """Run the first thing in ``queue`` that can run; False if there is none."""
        if queue.reader is not None and queue.is_out_of_input:
            self._deliver(queue, E_INVARG)
            return True
        while True:
            line = self._take_line(
                queue, in_band=not queue.hold_input or queue.reader is not None
            )
            if line is not None:
                if self._use_line(queue, line):
                    return True
                continue
            if not queue.background:
                return False
            task = queue.background.popleft()
            self._forget(queue, task)
            self._end_wait(task)
            if isinstance(task, ForkedTask):
                self.runner.start_forked(task)
            else:
                self.runner.resume(task.vm, task.value)
            return True

    def _use_line(self, queue: PlayerQueue, line: InputLine) -> bool:
        """Do what a line asks for; False if that was nothing at all."""
        if queue.player < 0 and not self._engine.host.connections.may_use_line(
            queue.player
        ):
            return False
        if line.kind is LineKind.OUT_OF_BAND:
            self._input.out_of_band(queue, line.text)
            return True
        if queue.reader is not None:
            self._deliver(queue, line.text)
            return True
        if queue.player >= 0:
            self.command_count += 1
            return self._input.command(queue, line.text)
        self._input.login(queue, line.text)
        return True

    def _deliver(self, queue: PlayerQueue, value: Value) -> None:
        self.runner.resume(self._end_reading(queue).vm, value)

    def _forget(self, queue: PlayerQueue, task: BackgroundTask) -> None:
        """A background task of ``queue`` is gone."""
        queue.background_count -= 1
        self._numbers.remove(task.task_id, task)
        self._queues.doubt(queue)

    def _end_wait(self, task: BackgroundTask) -> None:
        """A task waits no more, should it have done so."""
        if isinstance(task, SuspendedTask) and task.wait is not None:
            kind = self.wait_kinds[task.wait.kind]
            task.wait = None
            kind.end(task)

    def _begin_reading(self, queue: PlayerQueue, reader: Reader) -> None:
        """A task reads from ``queue`` from now on."""
        queue.reader = reader
        self._numbers.add(reader.vm.task_id, reader)
        self._reading[reader.programmer] += 1

    def _end_reading(self, queue: PlayerQueue) -> Reader:
        """The task that reads from ``queue`` does so no more."""
        reader = queue.reader
        assert reader is not None
        queue.reader = None
        self._numbers.remove(reader.vm.task_id, reader)
        self._reading[reader.programmer] -= 1
        return reader

    def _slice_ended(self, vm: VM, result: Result, ticks: int) -> None:
        if result is BLOCKED or (self.mail.is_empty and self._endings.is_empty):
            return
        self._ended(vm.task_id, end_value(vm.task_id, result))

    def _ended(self, task_id: int, value: Value | MooError) -> None:
        """A task is no more; ``value`` is for those who wait for its end."""
        self.mail.drop(task_id)
        self._endings.ended(task_id, value)

    @property
    def waiting_count(self) -> int:
        """How many tasks are forked, suspended, or reading."""
        return len(self._numbers)

    @property
    def ready_count(self) -> int:
        """How many of these would run now if there were no others."""
        return sum(len(queue.background) for queue in self._queues.active())

    # --- queues and input -------------------------------------------------

    def queue(self, player: Obj) -> PlayerQueue:
        """Return the queue of ``player``, made now if there was none."""
        queue = self._queues.find(player)
        if queue is None:
            flush = self._engine.options.string(
                "default_flush_command", DEFAULT_FLUSH_COMMAND
            )
            queue = PlayerQueue(player, flush or None)
            self._queues.add(queue)
            self._journal.note((self._queues.undo_add, queue))
        return queue

    def _activate(self, queue: PlayerQueue) -> None:
        """Make sure that ``queue`` will be looked at."""
        if queue.place is None:
            self._journal.note((self._queues.undo_activate, queue, queue.usage))
            self._queues.activate(queue)

    def connect(self, player: Obj, handler: Obj) -> PlayerQueue:
        """A connection that is ``player`` (so far a negative number) was opened."""
        queue = self.queue(player)
        queue.connected = True
        queue.handler = handler
        return queue

    def disconnect(self, queue: PlayerQueue) -> None:
        """The connection of ``queue`` is gone; a task that reads from it ends."""
        queue.connected = False
        if queue.reader is not None:
            self._activate(queue)
        self._queues.doubt(queue)

    def run_command(self, queue: PlayerQueue, line: str) -> bool:
        """Do at once what a player typed; False if the line was blank.

        ``queue`` holds what is peculiar to the input of the player, and need not be
        among those of the scheduler.
        """
        return self._input.command(queue, line)

    def new_line(self, queue: PlayerQueue, text: str, *, binary: bool) -> None:
        """A line has arrived from the network."""
        flush = queue.flush_command
        if flush is not None and same_text(text, flush):
            self._flush(queue, show_messages=True)
            return
        self._add_line(queue, text, binary=binary, at_front=False)

    def _add_line(
        self, queue: PlayerQueue, text: str, *, binary: bool, at_front: bool
    ) -> None:
        was_suspended = queue.input_suspended
        kind = queue.add_line(text, binary=binary, at_front=at_front)
        self._journal.note((self._undo_add_line, queue, kind, at_front, was_suspended))
        if (
            not queue.hold_input
            or queue.reader is not None
            or (kind is LineKind.OUT_OF_BAND and not queue.disable_oob)
        ):
            self._activate(queue)
        if (
            queue.input_length > MAX_QUEUED_INPUT
            and queue.connected
            and not queue.input_suspended
        ):
            queue.input_suspended = True
            self._engine.host.connections.suspend_input(queue.player)

    def _undo_add_line(
        self, queue: PlayerQueue, kind: LineKind, at_front: bool, was_suspended: bool
    ) -> None:
        queue.undo_add(kind, at_front=at_front)
        if queue.input_suspended and not was_suspended:
            self._resume_input(queue)

    def _resume_input(self, queue: PlayerQueue) -> None:
        queue.input_suspended = False
        self._engine.host.connections.resume_input(queue.player)

    def _take_line(
        self, queue: PlayerQueue, *, in_band: bool = True, out_of_band: bool = True
    ) -> InputLine | None:
        line = queue.take_line(in_band=in_band, out_of_band=out_of_band)
        if line is not None:
            self._journal.note((queue.undo_take, queue.taken))
        if (
            queue.input_suspended
            and queue.connected
            and queue.input_length < INPUT_LOW_WATER
        ):
            self._resume_input(queue)
        return line

    def _flush(self, queue: PlayerQueue, *, show_messages: bool) -> None:
        lines = []
        while (line := self._take_line(queue)) is not None:
            lines.append(f">>     {line.text}")
        self._queues.doubt(queue)
        if not show_messages:
            return
        if lines:
            lines.insert(0, ">> Flushing the following pending input:")
            lines.append(">> (Done flushing)")
        else:
            lines = [">> No pending input to flush..."]
        for text in lines:
            self._engine.host.connections.send_line(queue.player, text)

    def set_option(self, queue: PlayerQueue, name: str, value: Value) -> None:
        """Set a connection option that is the queue's; ``name`` is folded.

        Raises: E_INVARG if there is no such option, or for a bad value.
        Source: tasks.c, TASK_CO_TABLE.
        """
        old = queue.flush_command, queue.hold_input, queue.disable_oob, queue.intrinsic
        self._journal.note((_restore_options, queue, *old))
        if name == "flush-command":
            queue.flush_command = value if type(value) is str and value else None
        elif name == "hold-input":
            queue.hold_input = bool(value)
            if not queue.hold_input and queue.has_input:
                self._activate(queue)
        elif name == "disable-oob":
            queue.disable_oob = bool(value)
            if not queue.disable_oob and queue.out_of_band:
                self._activate(queue)
        elif name == "intrinsic-commands":
            queue.intrinsic = intrinsic_commands(value)
        else:
            raise MooError(E_INVARG)

    # --- what MOO programs ask of tasks (interp.host.Tasks) ---------------

    def fork(self, vm: VM, act: Activation, node: Fork, delay: float) -> None:
        self.check_limit(act.programmer)
        task_id = self.runner.new_task_id()
        if node.slot is not None:
            act.vars[node.slot] = task_id
        forked = VM(self._engine, task_id, vm.max_depth, "forked")
        forked.activations.append(
            Activation.with_variables(
                forked,
                act.program,
                list(act.vars),
                act.this,
                act.player,
                act.programmer,
                act.definer,
                act.verb,
                act.verb_names,
                act.debug,
                vector=act.program.fork_number(node),
                temporary=act.temporary,
            )
        )
        start = self.now() + delay
        if type(delay) is float:  # which may be far beyond what a textdump can hold
            start = min(start, float(FOREVER))
        self.enqueue(ForkedTask(forked, start))

    def sleep(self, vm: VM, request: Suspend | Read | Wait) -> None:
        if isinstance(request, Read):
            queue = self._queues.find(request.connection)
            if queue is None or queue.reader is not None or queue.is_out_of_input:
                raise MooError(E_INVARG)
            programmer = vm.activations[-1].programmer
            if self._counts_reading:
                self.check_limit(programmer)
            vm.kind = "reading"
            self._begin_reading(queue, Reader(vm, programmer))
            self._journal.note((self._end_reading, queue))
            if queue.has_input:
                self._activate(queue)
            return
        self.check_limit(vm.activations[-1].programmer)
        wake = FOREVER
        if request.seconds is not None:
            wake = min(FOREVER, self.now() + request.seconds)  # type: ignore[assignment]
        if isinstance(request, Suspend):
            vm.kind = "suspended"
            self.enqueue(SuspendedTask(vm, wake, request.value))
            return
        vm.kind = request.kind
        task = SuspendedTask(vm, wake, request.otherwise, request)
        self.enqueue(task)
        self._journal.hold(self.wait_kinds[request.kind].begin, task, request.data)

    def deliver(self, task: SuspendedTask, value: Value | MooError) -> bool:
        """Let a task that waits go on; the function it waits in returns ``value``.

        Or raises it, if it is an error.  Returns False if the task is not asleep any
        more: it was killed, or its time has come.
        """
        if not self._timers.holds(task, task.start_time):
            return False
        self._end_wait(task)
        task.was_delivered = True
        self._make_ready(task, value)
        return True

    def _hasten(self, task: SuspendedTask) -> None:
        """Let a task that sleeps go on now, as if its time had come."""
        if self._timers.holds(task, task.start_time):
            self._make_ready(task, task.value)

    @property
    def waits(self) -> Value:
        """What the tasks wait for, to be saved."""
        return saved_waits(self.background_tasks())

    def restore_waits(self, saved: Value) -> None:
        """Let the tasks wait again that did when ``saved`` was `waits`."""
        restore_waits(saved, self.background_tasks(), self.wait_kinds, self._give_up)

    def _give_up(self, task: SuspendedTask) -> None:
        """Let a task that was saved go on without what it waited for."""
        value = task.value
        if isinstance(value, MooError):
            value = value.code
        lost = MooError(value, LOST) if type(value) is ErrorCode else value
        self._make_ready(task, lost)

    @property
    def errors(self) -> Value:
        """The errors that tasks are to raise, as far as textdumps have no room."""
        return saved_errors(self.background_tasks())

    def restore_errors(self, saved: Value) -> None:
        """Let the tasks raise what they were to raise when ``saved`` was `errors`."""
        restore_errors(saved, self.background_tasks())

    def _make_ready(self, task: SuspendedTask, value: Value | MooError) -> None:
        """Put a task that sleeps behind those that are ready."""
        queue = self.queue(programmer_of(task))
        old = task.start_time, task.value
        number = self._timers.remove(task, task.start_time)
        self._journal.note((self._undo_make_ready, queue, task, *old, number))
        task.start_time = self.now()
        task.value = value
        self._touch(task)
        self._activate(queue)
        queue.background.append(task)

    def _undo_make_ready(
        self,
        queue: PlayerQueue,
        task: SuspendedTask,
        start_time: float,
        value: Value,
        number: int,
    ) -> None:
        queue.background.pop()
        task.start_time, task.value = start_time, value
        self._timers.put_back(task, start_time, number)

    def enqueue(self, task: BackgroundTask) -> None:
        """Let ``task`` wait for its time."""
        queue = self.queue(programmer_of(task))
        self._journal.note((self._undo_enqueue, queue, task))
        queue.background_count += 1
        self._timers.add(task, task.start_time)
        self._numbers.add(task.task_id, task)

    def _undo_enqueue(self, queue: PlayerQueue, task: BackgroundTask) -> None:
        self._timers.remove(task, task.start_time)
        self._forget(queue, task)

    def count_background(self, programmer: Obj, more: int) -> None:
        """Count what is scheduled among the background tasks of ``programmer``."""
        queue = self.queue(programmer)
        queue.background_count += more
        self._queues.doubt(queue)

    def has_not_begun(self, task_id: int) -> bool:
        """Whether a forked task of this number waits to begin."""
        return any(isinstance(task, ForkedTask) for task in self._numbers.find(task_id))

    def check_limit(self, programmer: Obj) -> None:
        """Raise E_QUOTA if ``programmer`` may have no more queued tasks.

        When memory is used up nobody may but wizards, who have to put things right; a
        slice that has taken too much of what was left is stopped.

        Source: tasks.c, check_user_task_limit.
        """
        memory = self._engine.memory
        if memory.is_short:
            if self.runner.running:
                self.runner.running[-1].look_at_memory()
            if memory.is_used_up and not self._engine.world.is_wizard(programmer):
                raise MooError(E_QUOTA)
        limit = self._engine.options.queued_task_limit(programmer)
        if limit is None:
            return
        count = self.queue_length(programmer)
        if self._counts_reading:
            count += self._reading[programmer]
        if count >= limit:
            raise MooError(E_QUOTA)

    @property
    def _counts_reading(self) -> bool:
        """Whether the limit is one of tasks that read as well."""
        engine = self._engine
        return engine.dialect.added_options and engine.options.flag(
            "limit_reading_tasks"
        )

    def kill(self, task_id: int, programmer: Obj) -> None:
        self._remove(task_id, programmer)
        self._journal.hold(self._killed, task_id)

    def _killed(self, task_id: int) -> None:
        self._ended(task_id, no_end(task_id))
        for watcher in self.kill_watchers:
            watcher(task_id)

    def _remove(self, task_id: int, programmer: Obj) -> None:
        """Take out a task that waits.  Raises: E_PERM, E_INVARG."""
        is_wizard = self._engine.world.is_wizard(programmer)
        for task in self._sleeping(task_id):
            owner = programmer_of(task)
            if not is_wizard and programmer != owner:
                raise MooError(E_PERM)
            queue = self.queue(owner)
            number = self._timers.remove(task, task.start_time)
            self._journal.note((self._undo_kill, queue, task, number, None))
            self._forget(queue, task)
            self._journal.hold(self._end_wait, task)
            return
        for queue in self._all_queues() if self.is_waiting(task_id) else ():
            if queue.reader is not None and queue.reader.vm.task_id == task_id:
                if not is_wizard and programmer != queue.player:
                    raise MooError(E_PERM)
                self._journal.note((self._begin_reading, queue, queue.reader))
                self._end_reading(queue)
                self._queues.doubt(queue)
                return
            self._engine.ops.meter.spend(len(queue.background))
            for place, task in enumerate(queue.background):
                if task.task_id == task_id:
                    if not is_wizard and programmer != queue.player:
                        raise MooError(E_PERM)
                    del queue.background[place]
                    self._journal.note((self._undo_kill, queue, task, 0, place))
                    self._forget(queue, task)
                    self._journal.hold(self._end_wait, task)
                    return
        if not self.schedule.cancel(task_id, programmer):
            raise MooError(E_INVARG)

    def _undo_kill(
        self, queue: PlayerQueue, task: BackgroundTask, number: int, place: int | None
    ) -> None:
        """Put back a task: among the timers, or at ``place`` of those ready."""
        if place is None:
            self._timers.put_back(task, task.start_time, number)
        else:
            queue.background.insert(place, task)
        queue.background_count += 1
        self._numbers.add(task.task_id, task)

    def resume(self, task_id: int, value: Value, programmer: Obj) -> None:
        is_wizard = self._engine.world.is_wizard(programmer)
        for task in self._sleeping(task_id):
            if isinstance(task, SuspendedTask) and task.wait is None:
                if not is_wizard and programmer != programmer_of(task):
                    raise MooError(E_PERM)
                self._make_ready(task, value)
                return
        for queue in self._queues.active() if self.is_waiting(task_id) else ():
            self._engine.ops.meter.spend(len(queue.background))
            for task in queue.background:
                if (
                    isinstance(task, SuspendedTask)
                    and task.task_id == task_id
                    and task.wait is None
                    and not task.was_delivered
                ):
                    if not is_wizard and programmer != queue.player:
                        raise MooError(E_PERM)
                    self._journal.note((setattr, task, "value", task.value))
                    self._touch(task)
                    task.value = value  # resumed already, now with another value
                    return
        raise MooError(E_INVARG)

    def find(self, task_id: int) -> VM | None:
        waiting = self._numbers.find(task_id)
        if len(waiting) == 1:
            [only] = waiting
            return None if isinstance(only, ForkedTask) else only.vm
        # Which of several is meant depends on where they wait.
        for task in self._sleeping(task_id):
            if isinstance(task, SuspendedTask):
                return task.vm
        if self.is_waiting(task_id):
            for queue in self._queues.active():
                self._engine.ops.meter.spend(len(queue.background))
                for task in queue.background:
                    if isinstance(task, SuspendedTask) and task.task_id == task_id:
                        return task.vm
            for queue in self._all_queues():
                if queue.reader is not None and queue.reader.vm.task_id == task_id:
                    return queue.reader.vm
        return None

    def active_tasks(self, programmer: Obj) -> list[Value]:
        is_wizard = self._engine.world.is_wizard(programmer)
        rows: list[Value] = []
        for vm in self.runner.running:
            if is_wizard or vm.activations[-1].programmer == programmer:
                first = vm.activations[0]
                how = (vm.kind, first.this, first.definer, first.verb)
                rows.append((vm.task_id, first.player, how))
        return rows

    def is_valid(self, task_id: int) -> bool:
        if task_id in self._numbers:
            return True
        running = self.runner.running
        return bool(running) and any(vm.task_id == task_id for vm in running)

    def send(self, task_id: int, value: Value, programmer: Obj) -> None:
        self._check_owner(task_id, programmer)
        limit = self._engine.options.integer(
            "max_task_mailbox", DEFAULT_MAX_TASK_MAILBOX
        )
        self.mail.send(task_id, value, limit, self._engine.ops.meter)
        self._journal.note((self.mail.withdraw, task_id))
        self._journal.hold(self.mail.arrive)

    def check_wait_for(
        self, vm: VM, task_id: int, programmer: Obj, *, forever: bool
    ) -> None:
        self._check_owner(task_id, programmer)
        if vm.task_id == task_id:
            raise MooError(E_INVARG, "A task cannot wait for its own end", task_id)
        if forever and self._endings.would_never_end(vm.task_id, task_id, vm):
            text = f"Task {task_id} waits for the end of this one: give a timeout"
            raise MooError(E_INVARG, text, task_id)

    def _check_owner(self, task_id: int, programmer: Obj) -> None:
        """Raise E_INVARG if there is no such task, E_PERM if it is not one's own."""
        owner = self._owner(task_id)
        if owner is None:
            raise MooError(E_INVARG, f"There is no task {task_id}", task_id)
        if owner != programmer and not self._engine.world.is_wizard(programmer):
            raise MooError(E_PERM)

    def _owner(self, task_id: int) -> Obj | None:
        """Whose a task is; None if there is no such task."""
        for vm in self.runner.running:
            if vm.task_id == task_id:
                return vm.activations[-1].programmer
        for task in self._numbers.find(task_id):
            if not isinstance(task, Reader):
                return programmer_of(task)
            for queue in self._all_queues():
                if queue.reader is task:
                    return queue.player
        return None

    def is_waiting(self, task_id: int) -> bool:
        """Whether a task of this number sleeps, is ready, or reads."""
        return task_id in self._numbers

    def _sleeping(self, task_id: int) -> Iterator[BackgroundTask]:
        """Yield the tasks of this number that wait for their time, in their order."""
        timers, waiting = self._timers, self._numbers.find(task_id)
        if len(waiting) > 1:
            yield from (task for task in timers if task.task_id == task_id)
            return
        for task in waiting:
            if not isinstance(task, Reader) and timers.holds(task, task.start_time):
                yield task

    def is_reading(self, player: Obj) -> bool:
        """Whether a task waits for a line from ``player``."""
        queue = self._queues.find(player)
        return queue is not None and queue.reader is not None

    def _all_queues(self) -> Iterator[PlayerQueue]:
        yield from self._queues.idle()
        yield from self._queues.active()

    def _touch(self, task: BackgroundTask) -> None:
        """A task that waits on does so otherwise than before, or is about to."""
        if self._numbers.changed is not None:
            self._numbers.changed[task] = None

    def follow_tasks(self, *, is_wanted: bool = True) -> dict[Any, None]:
        """Return what will be filled with the tasks that come, go and change.

        Tasks that wait already are in it; those that read may be as well.
        """
        changed: dict[Any, None] = dict.fromkeys(self.background_tasks())
        self._numbers.changed = changed if is_wanted else None
        return changed

    def waits_in_background(self, task: BackgroundTask) -> bool:
        """Whether a forked or suspended task is still there."""
        return isinstance(task, ForkedTask | SuspendedTask) and any(
            each is task for each in self._numbers.find(task.task_id)
        )

    def background_tasks(self) -> Iterator[BackgroundTask]:
        """Forked and suspended tasks, in the order in which a dump holds them."""
        yield from self._timers
        for queue in self._queues.active():
            yield from queue.background

    def replace_tasks(
        self, replacement: Callable[[BackgroundTask], BackgroundTask]
    ) -> None:
        """Put others in the places of `background_tasks`, for the same programmers."""

        def replaced(task: BackgroundTask) -> BackgroundTask:
            other = replacement(task)
            self._numbers.remove(task.vm.task_id, task)
            self._numbers.add(other.vm.task_id, other)
            return other

        self._timers.replace_all(replaced)
        for queue in self._queues.active():
            queue.background = deque(map(replaced, queue.background))

    def queued_tasks(self, programmer: Obj, *, variables: bool = False) -> list[Value]:
        rows: list[Value] = []
        meter = self._engine.ops.meter
        for task, owner in self._shown_to(programmer):
            if isinstance(task, Reader):
                start = -1
            else:
                start = self._engine.ops.wrap(int(task.start_time))
            size = task_bytes(
                task.vm, is_forked=isinstance(task, ForkedTask), meter=meter
            )
            meter.spend(_STEPS_PER_ROW)
            row = _row(task.vm, start, owner, size)
            rows.append((*row, _variables(task.vm)) if variables else row)
        for scheduled in self.schedule.queued_rows(programmer):
            assert type(scheduled) is tuple
            rows.append((*scheduled, ()) if variables else scheduled)
        return rows

    def count_queued_tasks(self, programmer: Obj) -> int:
        count = sum(1 for _ in self._shown_to(programmer))
        return count + len(self.schedule.queued_rows(programmer))

    def _shown_to(
        self, programmer: Obj
    ) -> Iterator[tuple[BackgroundTask | Reader, Obj]]:
        """Yield what queued_tasks() shows, in its order, with the owners."""
        show_all = self._engine.world.is_wizard(programmer)
        meter = self._engine.ops.meter
        for queue in self._all_queues():
            meter.spend(1 + len(queue.background))
            if queue.reader is not None and (show_all or queue.player == programmer):
                yield queue.reader, queue.player
            for task in queue.background if queue.place is not None else ():
                owner = programmer_of(task)
                if show_all or owner == programmer:
                    yield task, owner
        for task in self._timers:
            meter.spend(1)
            owner = programmer_of(task)
            if show_all or owner == programmer:
                yield task, owner

    def queue_owners(self) -> list[Obj]:
        owners = [queue.player for queue in self._queues.active()]
        owners += [queue.player for queue in self._queues.idle()]
        owners.reverse()
        return owners

    def queue_length(self, owner: Obj) -> int:
        queue = self._queues.find(owner)
        return 0 if queue is None else queue.background_count

    def last_input_task(self, player: Obj) -> int:
        queue = self._queues.find(player)
        return 0 if queue is None else queue.last_input_task

    def read_now(self, connection: Obj) -> str | None:
        queue = self._queues.find(connection)
        if queue is None or queue.is_out_of_input:
            raise MooError(E_INVARG)
        line = self._take_line(queue, out_of_band=False)
        return None if line is None else line.text

    def force_input(self, player: Obj, line: str, at_front: bool) -> None:
        self._add_line(self.queue(player), line, binary=False, at_front=at_front)

    def flush_input(self, player: Obj, show_messages: bool) -> None:
        self._flush(self.queue(player), show_messages=show_messages)

    def output_delimiters(self, player: Obj) -> tuple[str, str]:
        queue = self._queues.find(player)
        if queue is None or not queue.connected:
            raise MooError(E_INVARG)
        return queue.prefix, queue.suffix


def _restore_options(
    queue: PlayerQueue,
    flush_command: str | None,
    hold_input: bool,
    disable_oob: bool,
    intrinsic: frozenset[str],
) -> None:
    queue.flush_command = flush_command
    queue.hold_input = hold_input
    queue.disable_oob = disable_oob
    queue.intrinsic = intrinsic


def _variables(vm: VM) -> Value:
    """Return the variables of a task that are set, with their values."""
    top = vm.activations[-1]
    return tuple(
        (name, value)
        for name, value in zip(top.program.names, top.vars, strict=True)
        if value is not None
    )


_STEPS_PER_ROW: Final = 16
"""What it counts to show one task in queued_tasks()."""


def _row(vm: VM, start_time: int, owner: Obj, size: int) -> tuple[Value, ...]:
    """Return how queued_tasks() shows a task."""
    top = vm.activations[-1]
    return (
        vm.task_id,
        start_time,
        0,
        SHOWN_TICKS,
        owner,
        top.definer,
        top.verb_names,
        top.line,
        top.this,
        size,
    )
