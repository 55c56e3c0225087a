"""Tasks that wait for the end of another.

wait_task() gives what the other task has returned, and raises the error that nobody
has caught in it.  E_INVARG means that it came to no such end: it was killed, ran out
of ticks or seconds, or was not there when the world was loaded.

How wait_task() is called is in `builtins.added_tasks`; who may wait for whom, in
`scheduler`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pymoo.errors import MooError
from pymoo.interp.vm import Aborted, Done, Result
from pymoo.tasks.task import FOREVER, SuspendedTask
from pymoo.values import E_INVARG, ErrorCode, Meter, Value


def end_value(task_id: int, result: Result) -> Value | MooError:
    """Return what those get who have waited for a task; an error is raised there."""
    if isinstance(result, Done):
        return result.value
    if isinstance(result, Aborted) and result.handler == "handle_uncaught_error":
        code, message, value, *_ = result.arguments
        if type(code) is ErrorCode:
            return MooError(code, str(message), value)
    return no_end(task_id)


def no_end(task_id: int) -> MooError:
    """Return what is raised where a task was waited for that has no result."""
    text = f"Task {task_id} was killed, or was stopped before its end"
    return MooError(E_INVARG, text, task_id)


class Endings:
    """Who waits for whom; the `waiting.WaitKind` of them."""

    survives = True

    def __init__(
        self,
        is_there: Callable[[int], bool],
        deliver: Callable[[SuspendedTask, Value | MooError], bool],
    ) -> None:
        """``is_there`` tells whether a task of some number sleeps, is ready, or reads.

        ``deliver`` is `Scheduler.deliver`.
        """
        self._is_there: Final = is_there
        self._deliver: Final = deliver
        # By the number of the task waited for, those that wait: a dict for its order.
        self._waiting: Final[dict[int, dict[SuspendedTask, None]]] = {}
        self._targets: Final[dict[SuspendedTask, int]] = {}
        # By number, whom those wait for that will do so until it ends.
        self._patient: Final[dict[int, int]] = {}

    def would_never_end(self, task_id: int, target: int, meter: Meter) -> bool:
        """Whether ``target`` waits, itself or through others, for the end of a task.

        Without any time-out on the way: if that task waited for ``target`` in the same
        manner, none of them could ever go on.
        """
        while target != task_id:
            meter.spend(1)
            following = self._patient.get(target)
            if following is None:
                return False
            target = following
        return True

    def begin(self, task: SuspendedTask, data: Value) -> None:
        """``task`` waits for the end of the one whose number ``data`` is."""
        if type(data) is not int or not self._is_there(data):
            gone = MooError(E_INVARG, "There is no such task any more", data)
            self._deliver(task, gone)
            return
        self._waiting.setdefault(data, {})[task] = None
        self._targets[task] = data
        if task.start_time >= FOREVER:
            self._patient[task.task_id] = data

    def end(self, task: SuspendedTask) -> None:
        """``task`` waits no more."""
        target = self._targets.pop(task, None)
        if target is not None:
            self._patient.pop(task.task_id, None)
            waiting = self._waiting[target]
            del waiting[task]
            if not waiting:
                del self._waiting[target]

    def ended(self, task_id: int, value: Value | MooError) -> None:
        """A task has ended: those who have waited go on, in the order they came."""
        for task in [*self._waiting.get(task_id, ())]:
            self._deliver(task, value)
