"""A simple model of what happens to tasks, and the operations that it knows.

`OPERATIONS` is the table of what programs do: each has its MOO text, its effect on the
`Model`, and how a random one is made.  A *script* is a list of steps, each the name of
an operation with its arguments.  The same script is run by the verb that `run_verb`
makes of the texts, and by `Model.run`; what each step gives is noted by both.

The model keeps everything in plain lists and looks through them.  A task there is a
generator, which yields where the task sleeps.  What a slice has changed is undone from
a copy of all that there was.

To add an operation, add a row to the table; one that changes something new adds it to
`Model.snapshot`.
"""

from __future__ import annotations

import math
import random
from bisect import insort
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeAlias

from attrs import define, field, frozen

from pymoo.lang.dialect import Dialect
from pymoo.values import (
    E_INVARG,
    E_NONE,
    E_PERM,
    E_QUOTA,
    E_RANGE,
    E_TYPE,
    ErrorCode,
    Obj,
    Value,
)

WIZARD = Obj(3)
PLAYERS = (WIZARD, Obj(5), Obj(6))
FOREVER = 2_147_483_647
MAILBOX = 3
"""How many messages a task may have in the world of the model."""

Script: TypeAlias = tuple[Any, ...]
Run: TypeAlias = Generator[None, Value, Value]


class ModelError(Exception):
    """A MOO error."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(str(code))
        self.code = code


class Killed(BaseException):
    """The task that runs has killed itself."""


class RolledBack(BaseException):
    """The task that runs has undone its slice, and ended."""


@define(eq=False)
class Task:
    """One task."""

    player: Obj
    script: Script  # what it begins with
    is_forked: bool
    run: Run | None = None  # None: it has not begun
    # Only while it sleeps or is ready:
    start: float = 0
    value: Value = 0
    wait: tuple[str, Task | None] | None = None
    # What it otherwise gets.
    patient: bool = False
    # What it waited for has come, and is no affair of resume().
    delivered: bool = False

    @property
    def is_suspended(self) -> bool:
        return self.run is not None


@define(eq=False)
class Queue:
    """What waits for one player."""

    player: Obj
    connected: bool = False
    lines: list[str] = field(factory=list)
    ready: list[Task] = field(factory=list)
    count: int = 0
    reader: Task | None = None

    @property
    def is_needless(self) -> bool:
        return not (self.connected or self.lines or self.count)


@define(eq=False)
class Model:
    """All tasks, queues, and what programs can see besides."""

    dialect: Dialect
    clock: float
    scripts: tuple[Script, ...] = ()
    queues: dict[Obj, Queue] = field(factory=dict)
    active: list[Queue] = field(factory=list)
    idle: list[Queue] = field(factory=list)  # the last to become idle first
    timers: list[tuple[float, int, Task]] = field(factory=list)
    arrivals: int = 0
    running: Task | None = None
    held: list[Callable[[], None]] = field(factory=list)
    # What programs see: tasks in the order in which they were noted, a number, ...
    ids: list[Task] = field(factory=list)
    number: int = 0
    limits: dict[Obj, int] = field(factory=dict)
    log: list[Value] = field(factory=list)
    # Messages that have arrived, and those of the slice under way.
    boxes: dict[Task, list[Value]] = field(factory=dict)
    sent: list[tuple[Task, Value]] = field(factory=list)

    # --- queues -------------------------------------------------------------

    @property
    def now(self) -> float:
        return self.clock if self.dialect.fractional_delays else int(self.clock)

    def queue(self, player: Obj) -> Queue:
        queue = self.queues.get(player)
        if queue is None:
            queue = self.queues[player] = Queue(player)
            self.idle.insert(0, queue)
        return queue

    def activate(self, queue: Queue) -> None:
        if queue not in self.active:
            self.idle.remove(queue)
            self.active.append(queue)

    def connect(self, player: Obj) -> None:
        self.queue(player).connected = True

    def disconnect(self, player: Obj) -> None:
        queue = self.queue(player)
        queue.connected = False
        if queue.reader is not None:
            self.activate(queue)

    def type_line(self, player: Obj, text: str) -> None:
        queue = self.queue(player)
        queue.lines.append(text)
        self.activate(queue)

    # --- one turn -------------------------------------------------------------

    def turn(self) -> bool:
        """Run what is next; returns whether there was anything."""
        while self.timers and self.timers[0][0] <= self.now:
            task = self.timers.pop(0)[2]
            queue = self.queue(task.player)
            self.activate(queue)
            queue.ready.append(task)
        ran = False
        while not ran and self.active:
            queue = self.active[0]
            ran = self.run_one(queue)
            self.active.remove(queue)
            if ran:
                self.active.append(queue)
            else:
                self.idle.insert(0, queue)
        for queue in [*self.idle]:
            if queue.is_needless:
                self.idle.remove(queue)
                del self.queues[queue.player]
        return ran

    def run_one(self, queue: Queue) -> bool:
        reader = queue.reader
        if reader is not None and (queue.lines or not queue.connected):
            queue.reader = None
            line: Value = queue.lines.pop(0) if queue.lines else E_INVARG
            self.slice(reader, line)
            return True
        if queue.lines:
            number = int(queue.lines.pop(0))
            self.slice(Task(queue.player, self.scripts[number - 1], is_forked=False))
            return True
        if not queue.ready:
            return False
        task = queue.ready.pop(0)
        queue.count -= 1
        self.end_wait(task)
        self.slice(task, task.value)
        return True

    def slice(self, task: Task, value: Value = 0) -> None:
        """Run a task until it sleeps or ends."""
        before = self.snapshot() if task.player == WIZARD else None
        self.running = task
        ended: Value | None = None
        rolled_back = False
        try:
            if task.run is None:
                task.run = self.forked(task) if task.is_forked else self.command(task)
                next(task.run)
            else:
                task.run.send(value)
        except StopIteration as stop:
            ended = stop.value
        except ModelError as error:
            ended = error.code
        except Killed:
            ended = E_INVARG
        except RolledBack:
            ended = E_INVARG
            rolled_back = True
        self.running = None
        held, self.held = self.held, []
        if rolled_back:
            assert before is not None
            self.restore(before)
        else:
            for function in held:
                function()
        if ended is not None:
            self.ended(task, ended)

    def command(self, task: Task) -> Run:
        """What ``#0:do_command`` does."""
        self.ids.append(task)
        yield from self.run(task, task.script)
        return 1

    def forked(self, task: Task) -> Run:
        yield from self.run(task, task.script)
        return 0

    def run(self, task: Task, script: Script) -> Run:
        """What the verb of `run_verb` does."""
        for step in script:
            if step[0] == "die":
                raise ModelError(E_NONE)
            try:
                result = yield from OPERATIONS[step[0]].effect(self, task, *step[1:])
            except ModelError as error:
                result = error.code
            place = self.ids.index(task) + 1 if task in self.ids else 0
            self.log.append((place, step[0], result))
        return 0

    # --- sleeping and waking ------------------------------------------------

    def check_limit(self, player: Obj) -> None:
        limit = self.limits.get(player, -1)
        queue = self.queues.get(player)
        if limit >= 0 and (0 if queue is None else queue.count) >= limit:
            raise ModelError(E_QUOTA)

    def enqueue(self, task: Task) -> None:
        self.queue(task.player).count += 1
        self.arrivals += 1
        insort(self.timers, (task.start, self.arrivals, task))

    def sleep(
        self,
        task: Task,
        seconds: float | None,
        value: Value = 0,
        wait: tuple[str, Task | None] | None = None,
    ) -> Run:
        """Sleep, and return what comes of it."""
        self.check_limit(task.player)
        task.start = FOREVER
        if seconds is not None:
            task.start = min(FOREVER, self.now + seconds)
        task.value, task.wait = value, wait
        task.delivered = False
        self.enqueue(task)
        if wait is not None:
            self.held.append(lambda: self.begin_wait(task))
        result = yield
        if isinstance(result, ErrorCode):
            raise ModelError(result)
        return result

    def sleeps(self, task: Task) -> bool:
        return any(each[2] is task for each in self.timers)

    def is_there(self, task: Task) -> bool:
        """Whether a task waits for anything."""
        return self.sleeps(task) or any(
            task is queue.reader or task in queue.ready
            for queue in self.queues.values()
        )

    def make_ready(self, task: Task, value: Value) -> None:
        self.timers[:] = [each for each in self.timers if each[2] is not task]
        task.start, task.value = self.now, value
        queue = self.queue(task.player)
        self.activate(queue)
        queue.ready.append(task)

    def begin_wait(self, task: Task) -> None:
        assert task.wait is not None
        kind, target = task.wait
        if kind == "mail":
            if task in self.boxes:
                self.hasten(task)
            return
        assert target is not None
        if self.is_there(target):
            task.patient = task.start >= FOREVER
        else:
            self.deliver(task, E_INVARG)

    def end_wait(self, task: Task) -> None:
        if task.wait is not None:
            if task.wait[0] == "mail":
                task.value = tuple(self.boxes.pop(task, ()))
            task.wait = None
            task.patient = False

    def deliver(self, task: Task, value: Value) -> None:
        if self.sleeps(task):
            self.end_wait(task)
            task.delivered = True
            self.make_ready(task, value)

    def hasten(self, task: Task) -> None:
        if self.sleeps(task):
            self.make_ready(task, task.value)

    def ended(self, task: Task, value: Value) -> None:
        """A task is no more."""
        self.boxes.pop(task, None)
        for waiting in self.waiting_for(task):
            self.deliver(waiting, value)

    def waiting_for(self, target: Task) -> list[Task]:
        """Those who sleep until another task has ended, in the order they came."""
        found = [
            (place, task)
            for place, task in enumerate(self.waiters)
            if task.wait == ("task", target)
        ]
        return [task for _, task in found]

    @property
    def waiters(self) -> list[Task]:
        """All that sleep, in the order in which they went to sleep."""
        return [task for _, _, task in sorted(self.timers, key=lambda row: row[1])]

    # --- slices that are undone -----------------------------------------------

    def snapshot(self) -> Any:
        """Return all that a slice may change."""
        tasks = [each[2] for each in self.timers]
        for queue in self.queues.values():
            tasks += queue.ready
        return (
            [*self.timers],
            [(task, task.start, task.value, task.wait) for task in tasks],
            {
                player: ([*queue.lines], [*queue.ready], queue.count, queue.reader)
                for player, queue in self.queues.items()
            },
            ([*self.active], [*self.idle]),
            ([*self.ids], self.number, {**self.limits}, [*self.log], [*self.sent]),
        )

    def restore(self, snapshot: Any) -> None:
        """Undo what a slice has changed."""
        timers, tasks, queues, (active, idle), seen = snapshot
        self.timers[:] = timers
        for task, start, value, wait in tasks:
            task.start, task.value, task.wait = start, value, wait
        self.active[:], self.idle[:] = active, idle
        for player in [*self.queues]:
            if player not in queues:
                del self.queues[player]
        for player, queue in self.queues.items():
            lines, ready, count, reader = queues[player]
            queue.lines[:], queue.ready[:] = lines, ready
            queue.count, queue.reader = count, reader
        self.ids, self.number, self.limits, self.log, self.sent = seen

    # --- a restart ------------------------------------------------------------

    def restart(self) -> None:
        """The world is saved and loaded; then all players connect."""
        tasks = [task for _, _, task in self.timers]
        for queue in self.active:
            tasks += queue.ready
        tasks.sort(key=lambda task: task.is_suspended)  # those forked come first
        self.queues.clear()
        self.active.clear()
        self.idle.clear()
        self.timers.clear()
        for task in tasks:
            task.start = min(FOREVER, math.ceil(task.start))
            task.patient = task.delivered = False
            self.enqueue(task)
        self.boxes = {task: box for task, box in self.boxes.items() if task in tasks}
        for task in [task for _, _, task in self.timers]:
            if task.wait is not None:
                self.begin_wait(task)
        for player in PLAYERS:
            self.connect(player)

    # --- what operations share --------------------------------------------------

    def named(self, distance: int) -> Task:
        """Return the task that ``#4.ids[$ - distance]`` is the number of."""
        if distance >= len(self.ids):
            raise ModelError(E_RANGE)
        return self.ids[-1 - distance]

    def place(self, task: Task) -> int:
        return self.ids.index(task) + 1 if task in self.ids else 0

    def queues_in_order(self) -> Iterator[Queue]:
        yield from self.idle
        yield from self.active


# --- operations --------------------------------------------------------------


@frozen
class Operation:
    """Something that a program does.

    ``text`` sets ``r`` from ``step``; ``make`` returns the arguments of a random one.
    """

    name: str
    text: str
    effect: Callable[..., Run]
    make: Callable[[Maker], tuple[Any, ...]]
    weight: int = 4
    is_added: bool = False  # only where the dialect has added functions


def _at_once(effect: Callable[..., Value]) -> Callable[..., Run]:
    """Return the effect of an operation that does not sleep."""

    def run(*arguments: Any) -> Run:
        return effect(*arguments)
        yield  # makes it a generator

    return run


def _say(model: Model, task: Task, value: Value) -> Value:
    return value


def _count(model: Model, task: Task) -> Value:
    model.number += 1
    return model.number


def _delay(model: Model, seconds: float) -> None:
    if type(seconds) is float and not model.dialect.fractional_delays:
        raise ModelError(E_TYPE)
    if seconds < 0:
        raise ModelError(E_INVARG)


def _fork(model: Model, task: Task, seconds: float, script: Script) -> Value:
    _delay(model, seconds)
    model.check_limit(task.player)
    new = Task(task.player, script, is_forked=True, start=model.now + seconds)
    model.enqueue(new)
    model.ids.append(new)
    return len(model.ids)


def _suspend(model: Model, task: Task, seconds: float) -> Run:
    _delay(model, seconds)
    return (yield from model.sleep(task, seconds))


def _suspend_forever(model: Model, task: Task) -> Run:
    return (yield from model.sleep(task, None))


def _resume(model: Model, task: Task, distance: int, value: Value) -> Value:
    other = model.named(distance)
    if not other.is_suspended or other.wait is not None or other.delivered:
        raise ModelError(E_INVARG)
    ready = any(other in queue.ready for queue in model.active)
    if not (model.sleeps(other) or ready):
        raise ModelError(E_INVARG)
    if task.player not in (WIZARD, other.player):
        raise ModelError(E_PERM)
    if ready:
        other.value = value
    else:
        model.make_ready(other, value)
    return 0


def _kill(model: Model, task: Task, distance: int) -> Value:
    other = model.named(distance)
    if other is task:
        raise Killed
    if not model.is_there(other):
        raise ModelError(E_INVARG)
    if task.player not in (WIZARD, other.player):
        raise ModelError(E_PERM)
    model.timers[:] = [each for each in model.timers if each[2] is not other]
    queue = model.queues[other.player]
    if queue.reader is other:
        queue.reader = None
    else:
        if other in queue.ready:
            queue.ready.remove(other)
        queue.count -= 1
        model.held.append(lambda: model.end_wait(other))
    model.held.append(lambda: model.ended(other, E_INVARG))
    return 0


def _read(model: Model, task: Task) -> Run:
    queue = model.queues.get(task.player)
    if queue is None or queue.reader is not None:
        raise ModelError(E_INVARG)
    if not queue.connected and not queue.lines:
        raise ModelError(E_INVARG)
    queue.reader = task
    if queue.lines:
        model.activate(queue)
    result = yield
    if isinstance(result, ErrorCode):
        raise ModelError(result)
    return result


def _read_now(model: Model, task: Task) -> Value:
    queue = model.queues.get(task.player)
    if queue is None or not (queue.connected or queue.lines):
        raise ModelError(E_INVARG)
    return queue.lines.pop(0) if queue.lines else 0


def _force_input(
    model: Model, task: Task, player: Obj, text: str, at_front: int
) -> Value:
    if task.player not in (WIZARD, player):
        raise ModelError(E_PERM)
    queue = model.queue(player)
    queue.lines.insert(0 if at_front else len(queue.lines), text)
    model.activate(queue)
    return 0


def _flush_input(model: Model, task: Task, player: Obj) -> Value:
    if task.player not in (WIZARD, player):
        raise ModelError(E_PERM)
    model.queue(player).lines.clear()
    return 0


def _queued_tasks(model: Model, task: Task) -> Value:
    rows: list[Value] = []

    def add(other: Task, start: float) -> None:
        if task.player in (WIZARD, other.player):
            rows.append((model.place(other), int(start), other.player))

    for queue in model.queues_in_order():
        if queue.reader is not None:
            add(queue.reader, -1)
        for other in queue.ready:
            add(other, other.start)
    for _, _, other in model.timers:
        add(other, other.start)
    return tuple(rows)


def _queue_info(model: Model, task: Task, player: Obj) -> Value:
    queue = model.queues.get(player)
    return 0 if queue is None else queue.count


def _queue_owners(model: Model, task: Task) -> Value:
    owners = [queue.player for queue in [*model.active, *model.idle]]
    return tuple(reversed(owners))


def _limit(model: Model, task: Task, player: Obj, limit: int) -> Value:
    model.limits[player] = limit
    return 0


def _call(model: Model, task: Task, script: Script) -> Run:
    yield from model.run(task, script)
    return 0


def _finally(model: Model, task: Task, body: Script, after: Script) -> Run:
    error: ModelError | None = None
    try:
        yield from model.run(task, body)
    except ModelError as caught:
        error = caught
    yield from model.run(task, after)
    if error is not None:
        raise error
    return 0


def _commit(model: Model, task: Task, value: Value) -> Run:
    if task.player != WIZARD:
        raise ModelError(E_PERM)
    return (yield from model.sleep(task, 0, value))


def _rollback(model: Model, task: Task) -> Value:
    if task.player != WIZARD:
        raise ModelError(E_PERM)
    raise RolledBack


def _suspend_if_needed(model: Model, task: Task) -> Run:
    return (yield from model.sleep(task, 0, 1))


def _valid_task(model: Model, task: Task, distance: int) -> Value:
    other = model.named(distance)
    return int(other is task or model.is_there(other))


def _task_send(model: Model, task: Task, distance: int, value: Value) -> Value:
    other = model.named(distance)
    if other is not task and not model.is_there(other):
        raise ModelError(E_INVARG)
    if task.player not in (WIZARD, other.player):
        raise ModelError(E_PERM)
    on_its_way = sum(target is other for target, _ in model.sent)
    if len(model.boxes.get(other, ())) + on_its_way >= MAILBOX:
        raise ModelError(E_QUOTA)
    model.sent.append((other, value))

    def arrive() -> None:
        sent, model.sent = model.sent, []
        for target, message in sent:
            if model.is_there(target):
                model.boxes.setdefault(target, []).append(message)
        for target in dict.fromkeys(target for target, _ in sent):
            if target.wait is not None and target.wait[0] == "mail":
                model.hasten(target)

    model.held.append(arrive)
    return 0


def _task_recv(model: Model, task: Task, seconds: float) -> Run:
    if seconds < 0:
        raise ModelError(E_INVARG)
    return (yield from model.sleep(task, seconds, (), ("mail", None)))


def _wait_task(model: Model, task: Task, distance: int, timeout: float) -> Run:
    """A time-out below zero stands for none."""
    other = model.named(distance)
    if other is not task and not model.is_there(other):
        raise ModelError(E_INVARG)
    if task.player not in (WIZARD, other.player):
        raise ModelError(E_PERM)
    if other is task:
        raise ModelError(E_INVARG)
    target: Task | None = other
    while timeout < 0 and target is not None:
        if target is task:
            raise ModelError(E_INVARG)
        target = target.wait[1] if target.wait and target.patient else None
    seconds = None if timeout < 0 else timeout
    return (yield from model.sleep(task, seconds, E_QUOTA, ("task", other)))


class Maker:
    """Makes the arguments of random operations."""

    def __init__(self, seed: int, dialect: Dialect) -> None:
        self.random = random.Random(seed)
        self.dialect = dialect
        self.depth = 0
        rows = [
            operation
            for operation in OPERATIONS.values()
            if dialect.added_functions or not operation.is_added
        ]
        self._rows = rows
        self._weights = [operation.weight for operation in rows]

    def script(self, most: int = 4) -> Script:
        """Return a random script."""
        self.depth += 1
        length = self.random.randint(0 if self.depth > 1 else 1, most)
        steps = tuple(self.step() for _ in range(length))
        self.depth -= 1
        return steps

    def step(self) -> tuple[Any, ...]:
        while True:
            (operation,) = self.random.choices(self._rows, self._weights)
            if self.depth < 3 or operation.name not in ("fork", "call", "finally"):
                return (operation.name, *operation.make(self))

    def seconds(self) -> float:
        seconds: tuple[float, ...] = (0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 5, 8, -1)
        if self.dialect.fractional_delays or self.random.random() < 0.1:
            seconds += (0.0, 0.25, 0.5, 1.5)
        return self.random.choice(seconds)

    def distance(self) -> int:
        """Return a place in the list of tasks, from its end."""
        return self.random.choice((0, 1, 1, 1, 1, 2, 2, 2, 3, 4))

    def player(self) -> Obj:
        """Return a player, the wizard as often as the others."""
        return self.random.choice((WIZARD, *PLAYERS))

    def value(self) -> Value:
        return self.random.choice((0, 1, "text", (1, (2.5,)), E_PERM, WIZARD))

    def line(self) -> str:
        """Return a line that starts a script, the first one most often."""
        return self.random.choice("1123")


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("say", "r = step[2];", _at_once(_say), lambda m: (m.value(),)),
        Operation("count", "this:count(); r = #4.n;", _at_once(_count), lambda m: ()),
        Operation("die", "", _at_once(_say), lambda m: (), weight=1),
        Operation(
            "fork",
            "fork t (step[2]) this:run(step[3]); endfork this:note(t);"
            " r = t in #4.ids;",
            _at_once(_fork),
            lambda m: (m.seconds(), m.script(3)),
            weight=12,
        ),
        Operation(
            "suspend", "r = suspend(step[2]);", _suspend, lambda m: (m.seconds(),), 10
        ),
        Operation("suspend()", "r = suspend();", _suspend_forever, lambda m: (), 10),
        Operation(
            "resume",
            "r = resume(#4.ids[$ - step[2]], step[3]);",
            _at_once(_resume),
            lambda m: (m.distance(), m.value()),
            weight=8,
        ),
        Operation(
            "kill",
            "r = kill_task(#4.ids[$ - step[2]]);",
            _at_once(_kill),
            lambda m: (m.distance(),),
            weight=3,
        ),
        Operation("read", "r = read(player);", _read, lambda m: (), weight=6),
        Operation(
            "read now", "r = read(player, 1);", _at_once(_read_now), lambda m: (), 1
        ),
        Operation(
            "force_input",
            "r = force_input(step[2], step[3], step[4]);",
            _at_once(_force_input),
            lambda m: (m.player(), m.line(), m.random.randint(0, 1)),
            weight=2,
        ),
        Operation(
            "flush_input",
            "r = flush_input(step[2]);",
            _at_once(_flush_input),
            lambda m: (m.player(),),
            weight=1,
        ),
        Operation(
            "queued_tasks",
            "r = {}; for q in (queued_tasks())"
            " r = {@r, {q[1] in #4.ids, q[2], q[5]}}; endfor",
            _at_once(_queued_tasks),
            lambda m: (),
        ),
        Operation(
            "queue_info",
            "r = queue_info(step[2]);",
            _at_once(_queue_info),
            lambda m: (m.player(),),
            weight=2,
        ),
        Operation(
            "queue_info()",
            "r = queue_info();",
            _at_once(_queue_owners),
            lambda m: (),
            2,
        ),
        Operation(
            "limit",
            "this:limit(step[2], step[3]);",
            _at_once(_limit),
            lambda m: (m.player(), m.random.choice((-1, -1, -1, 0, 1, 2, 3))),
            weight=1,
        ),
        Operation(
            "call", "this:run(step[2]);", _call, lambda m: (m.script(2),), weight=3
        ),
        Operation(
            "finally",
            "try this:run(step[2]); finally this:run(step[3]); endtry",
            _finally,
            lambda m: (m.script(2), m.script(2)),
            weight=3,
        ),
        Operation(
            "commit",
            "r = commit(step[2]);",
            _commit,
            lambda m: (m.value(),),
            weight=3,
            is_added=True,
        ),
        Operation(
            "rollback",
            "rollback();",
            _at_once(_rollback),
            lambda m: (),
            6,
            is_added=True,
        ),
        Operation(
            "suspend_if_needed",
            "r = suspend_if_needed(999999);",
            _suspend_if_needed,
            lambda m: (),
            weight=2,
            is_added=True,
        ),
        Operation(
            "valid_task",
            "r = valid_task(#4.ids[$ - step[2]]);",
            _at_once(_valid_task),
            lambda m: (m.distance(),),
            weight=2,
            is_added=True,
        ),
        Operation(
            "task_send",
            "r = task_send(#4.ids[$ - step[2]], step[3]);",
            _at_once(_task_send),
            lambda m: (m.distance(), m.value()),
            weight=8,
            is_added=True,
        ),
        Operation(
            "task_recv",
            "r = task_recv(step[2]);",
            _task_recv,
            lambda m: (m.random.choice((0, 0, 1, 3, 5, -1)),),
            weight=6,
            is_added=True,
        ),
        Operation(
            "wait_task",
            "r = step[3] < 0 ? wait_task(#4.ids[$ - step[2]])"
            " | wait_task(#4.ids[$ - step[2]], step[3]);",
            _wait_task,
            lambda m: (m.distance(), m.random.choice((-1, -1, -1, -1, 0, 1, 3))),
            weight=8,
            is_added=True,
        ),
    )
}


def run_verb(dialect: Dialect) -> list[str]:
    """Return the lines of the verb that runs scripts."""
    lines = [
        "set_task_perms(player);",
        "for step in (args[1])",
        'if (step[1] == "die") raise(E_NONE); endif',
        "r = 0;",
        "try",
    ]
    word = "if"
    for operation in OPERATIONS.values():
        if operation.is_added and not dialect.added_functions:
            continue
        lines.append(f'{word} (step[1] == "{operation.name}") {operation.text}')
        word = "elseif"
    return [
        *lines,
        "endif",
        "except e (ANY)",
        "r = e[1];",
        "endtry",
        "this:log(task_id() in #4.ids, step[1], r);",
        "endfor",
    ]
