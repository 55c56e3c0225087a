"""Tasks that wait for jobs, and what a server without jobs says of them.

Every server has both, as a task that waits for a job goes on waiting while its server
has none.  What a server with ``--jobs`` does besides is in `job_tasks`, which is loaded
only then: it needs all of `pymoo.jobs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NoReturn

from pymoo.builtins.jobs import WAIT_KIND
from pymoo.errors import MooError
from pymoo.tasks.scheduler import Scheduler
from pymoo.tasks.task import SuspendedTask
from pymoo.values import E_INVARG, Obj, Value

_NO_JOBS: Final = "There are no jobs: the server was started without --jobs MODULE"


class JobWaits:
    """The tasks of one server that wait for jobs (`tasks.waiting.WaitKind`)."""

    # A job goes on while its server is away, and so may be over by then.
    survives: bool = True

    def __init__(self, tasks: Scheduler) -> None:
        self._tasks: Final = tasks
        # By number of the job, those that wait for it: a dict for its order.
        self._waiting: Final[dict[int, dict[SuspendedTask, None]]] = {}
        self._numbers: Final[dict[SuspendedTask, int]] = {}
        self.look: Callable[[int], None] = _nobody_knows
        """Called with the number of a job that is waited for: it may be over."""
        self.wake: Callable[[], None] = _nothing_to_wake
        """Called when tasks may go on; the main loop's to set."""
        tasks.wait_kinds[WAIT_KIND] = self

    # --- what the scheduler tells (tasks.waiting.WaitKind) --------------------

    def begin(self, task: SuspendedTask, data: Value) -> None:
        """``task`` waits for the job whose number ``data`` is."""
        if type(data) is not int:
            self._tasks.deliver(task, E_INVARG)
            return
        self._waiting.setdefault(data, {})[task] = None
        self._numbers[task] = data
        self.look(data)

    def end(self, task: SuspendedTask) -> None:
        """``task`` waits no more."""
        number = self._numbers.pop(task, None)
        if number is not None:
            waiting = self._waiting[number]
            del waiting[task]
            if not waiting:
                del self._waiting[number]

    # --- what the jobs tell ---------------------------------------------------

    def __contains__(self, number: int) -> bool:
        """Whether somebody waits for the job of that number."""
        return number in self._waiting

    @property
    def jobs(self) -> list[int]:
        """The numbers of all jobs that somebody waits for."""
        return [*self._waiting]

    def deliver(self, number: int, answer: Value | MooError) -> None:
        """Let those go on who wait for a job; job_wait() returns or raises this."""
        for task in [*self._waiting.get(number, ())]:
            self._tasks.deliver(task, answer)


class NoJobs:
    """What programs learn of jobs where there are none (`interp.host.Jobs`)."""

    def start(self, name: str, arguments: tuple[Value, ...], owner: Obj) -> NoReturn:
        raise _none()

    def chain(
        self, members: Iterable[tuple[str, tuple[Value, ...]]], owner: Obj
    ) -> NoReturn:
        # As with jobs, the first member comes before that: it may be none at all.
        for name, arguments in members:
            self.start(name, arguments, owner)
        raise _none()

    def rows(self, state: str | None) -> NoReturn:
        raise _none()

    def info(self, number: int) -> NoReturn:
        raise _none()

    def abort(self, number: int) -> NoReturn:
        raise _none()

    def check(self, number: int) -> NoReturn:
        raise _none()


def _none() -> MooError:
    return MooError(E_INVARG, _NO_JOBS)


def _nobody_knows(number: int) -> None:
    """Stands for the jobs: without any, tasks wait until the server has some again."""


def _nothing_to_wake() -> None:
    """Stands for the main loop until there is one."""
