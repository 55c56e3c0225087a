"""Tasks that wait for something else than time, a line or resume().

A function that has to wait returns `outcomes.Wait`; the task then sleeps as in
suspend(), and the one who brings what it waits for is known by the kind.  Kinds are
given to the `Scheduler`, which tells them of each task that begins or ceases to wait;
they tell it with `Scheduler.deliver` what has come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from pymoo.errors import MooError
from pymoo.interp.outcomes import Wait
from pymoo.tasks.task import BackgroundTask, SuspendedTask
from pymoo.values import Value

LOST: Final = "The server was restarted while this task waited"
"""The message of the error that such a task raises, if its kind does not survive."""


class WaitKind(Protocol):
    """Brings one kind of things to tasks that wait for them."""

    survives: bool
    """Whether a task that was saved waits again, once its world is loaded.

    If not, its function returns what `outcomes.Wait` says it otherwise does.
    """

    def begin(self, task: SuspendedTask, data: Value) -> None:
        """``task`` waits from now on for what ``data`` says.

        It is asleep, so that what is there already may be delivered at once.
        """

    def end(self, task: SuspendedTask) -> None:
        """``task`` waits no more: it came, or its time did, or it was killed."""


def saved_waits(tasks: Iterable[BackgroundTask]) -> Value:
    """Return rows {task id, kind, data} of the tasks that wait.

    In a textdump they are suspended tasks like others, with what they otherwise get.
    """
    return tuple(
        (task.task_id, task.wait.kind, task.wait.data)
        for task in tasks
        if isinstance(task, SuspendedTask) and task.wait is not None
    )


def saved_errors(tasks: Iterable[BackgroundTask]) -> Value:
    """Return rows {task id, code, message, value} of the tasks that are to raise these.

    A textdump itself holds the codes only.
    """
    rows = []
    for task in tasks:
        error = task.value if isinstance(task, SuspendedTask) else None
        if isinstance(error, MooError):
            rows.append((task.task_id, error.code, error.message, error.value))
    return tuple(rows)


def restore_errors(saved: Value, tasks: Iterable[BackgroundTask]) -> None:
    """Let tasks that were read from a textdump raise what `saved_errors` tells."""
    errors: dict[int, MooError] = {}
    for row in saved if type(saved) is tuple else ():
        if type(row) is tuple and len(row) == 4:
            task_id, code, message, value = row
            if type(task_id) is int and type(message) is str:
                errors[task_id] = MooError(code, message, value)
    for task in tasks if errors else ():
        if isinstance(task, SuspendedTask) and task.task_id in errors:
            task.value = errors[task.task_id]


def restore_waits(
    saved: Value,
    tasks: Iterable[BackgroundTask],
    kinds: Mapping[str, WaitKind],
    wake: Callable[[SuspendedTask], None],
) -> None:
    """Let tasks that were read from a textdump wait again, as `saved_waits` tells.

    ``wake`` is called with those whose kind does not survive: they go on now.
    """
    rows: dict[int, tuple[str, Value]] = {}
    for row in saved if type(saved) is tuple else ():
        if type(row) is tuple and len(row) == 3:
            task_id, name, data = row
            if type(task_id) is int and type(name) is str:
                rows[task_id] = name, data
    for task in [*tasks] if rows else ():
        if task.task_id not in rows or not isinstance(task, SuspendedTask):
            continue
        name, data = rows[task.task_id]
        kind = kinds.get(name)
        if kind is not None and kind.survives:
            task.wait = Wait(name, data, None, task.value)
            task.vm.kind = name
            kind.begin(task, data)
        else:
            wake(task)
