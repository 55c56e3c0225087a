"""Tasks that wait for workers: worker_request(), from its call to its answer.

This is what the engine knows as `host.Workers`, and the scheduler as a
`waiting.WaitKind`.  How a request comes to a process and back is the affair of a
`workers.pool.Dispatcher`; without one there are no workers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pymoo.builtins.workers import WAIT_KIND
from pymoo.errors import MooError
from pymoo.tasks.scheduler import Scheduler
from pymoo.tasks.task import SuspendedTask
from pymoo.values import E_INVARG, Value

if TYPE_CHECKING:
    from pymoo.workers.pool import Dispatcher


class WorkerTasks:
    """The tasks of one server that wait for workers."""

    # Nobody knows how much of the work was done; and a task that came from another
    # server may have been saved after its answer.
    survives: bool = False

    def __init__(self, tasks: Scheduler) -> None:
        self._tasks: Final = tasks
        self._dispatcher: Dispatcher | None = None
        self._waiting: Final[dict[int, SuspendedTask]] = {}
        self._numbers: Final[dict[SuspendedTask, int]] = {}
        self._last_number = 0
        # Those whose request is still to be sent.
        self._unsent: Final[dict[int, SuspendedTask]] = {}
        self.wake: Callable[[], None] = _nothing_to_wake
        """Called when an answer has come; the main loop's to set."""
        tasks.wait_kinds[WAIT_KIND] = self

    def use(self, dispatcher: Dispatcher) -> None:
        """Send requests to ``dispatcher`` from now on."""
        self._dispatcher = dispatcher
        dispatcher.answered = self._answered

    def close_copies(self) -> None:
        """In a forked process: let go of everything that is the server's."""
        if self._dispatcher is not None:
            self._dispatcher.close_copies()

    # --- what programs ask (interp.host.Workers) ----------------------------

    def proper_name(self, kind: str) -> str:
        name = None
        if self._dispatcher is not None:
            name = self._dispatcher.proper_name(kind)
        if name is None:
            raise MooError(E_INVARG, f"{kind}: there is no such worker", kind)
        return name

    # --- what the scheduler tells (tasks.waiting.WaitKind) ------------------

    def begin(self, task: SuspendedTask, data: Value) -> None:
        """A task has gone to sleep: its request is sent with the next `send`."""
        self._last_number += 1
        number = self._last_number
        self._waiting[number] = task
        self._numbers[task] = number
        self._unsent[number] = task

    def end(self, task: SuspendedTask) -> None:
        """Forget the request of a task that waits no more."""
        number = self._numbers.pop(task, None)
        if number is None:  # it waits no more because the answer is there
            return
        del self._waiting[number]
        if self._unsent.pop(number, None) is None:
            assert self._dispatcher is not None
            self._dispatcher.cancel(number)

    def send(self) -> None:
        """Send the requests; what led to them is on the disk, if there is a journal."""
        while self._unsent:
            number = next(iter(self._unsent))
            task = self._unsent.pop(number)
            assert self._dispatcher is not None  # it has given the kind its name
            assert task.wait is not None
            assert task.wait.seconds is not None
            assert type(task.wait.data) is tuple
            kind, arguments = task.wait.data
            assert type(kind) is str
            assert type(arguments) is tuple
            try:
                self._dispatcher.send(number, kind, arguments, task.wait.seconds)
            except MooError as error:
                self._deliver(number, error)

    # --- what comes back ----------------------------------------------------

    def _answered(self, number: int, answer: Value | MooError) -> None:
        self._deliver(number, answer)
        self.wake()

    def _deliver(self, number: int, answer: Value | MooError) -> None:
        task = self._waiting.pop(number)
        del self._numbers[task]
        self._tasks.deliver(task, answer)


def _nothing_to_wake() -> None:
    """Stands for the main loop until there is one."""
