"""Jobs for MOO programs: job_start() and its relatives, and what job_wait() gives.

This is what the engine knows as `host.Jobs`, in a server that has them.  Where they are
and who runs them is the affair of a `job_desk.JobDesk`; who waits for them, that of
`job_waits`.

What a slice starts or aborts is so once the slice has ended well; the program itself
sees it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Final

from attrs import frozen

from pymoo.errors import MooError
from pymoo.interp.engine import Engine
from pymoo.jobs.errors import (
    JobError,
    JobStateError,
    JobStoreError,
    JobValueError,
    NoSuchJobError,
)
from pymoo.jobs.packing import pack, shown
from pymoo.jobs.record import Job
from pymoo.jobs.states import JobState
from pymoo.jobs.task import Task, chain
from pymoo.server.job_desk import JobDesk, WrongArgumentsError
from pymoo.server.job_waits import JobWaits
from pymoo.server.log import Log
from pymoo.values import E_ARGS, E_INVARG, E_QUOTA, Obj, Value, fold
from pymoo.values_limits import UnusableValueError, ValueLimits
from pymoo.workers.coding import Reader

_BY_NAME: Final = {fold(state.value): state for state in JobState}


@frozen
class _Pending:
    """A job that is not in the file yet."""

    task: Task
    owner: Obj


class JobTasks:
    """The jobs of one server, as its programs see them."""

    def __init__(
        self, engine: Engine, waits: JobWaits, desk: JobDesk, log: Log
    ) -> None:
        """Let tasks start jobs at ``desk``, and those in ``waits`` go on."""
        self._engine: Final = engine
        self._journal: Final = engine.world.journal
        self._waits: Final = waits
        self._log: Final = log
        self._limits: Final = ValueLimits(engine.ops.width, engine.encoding)
        self._reader: Final = Reader(width=engine.ops.width, encoding=engine.encoding)
        self.desk: Final = desk
        """Where jobs are asked for."""
        # Started, or aborted, and not yet so in the file.
        self._pending: Final[dict[int, _Pending]] = {}
        self._aborting: Final[set[int]] = set()
        waits.look = self._settle
        desk.ended = self._ended
        desk.look = self._look
        self._look()

    # --- what programs ask (interp.host.Jobs) --------------------------------

    def start(self, name: str, arguments: tuple[Value, ...], owner: Obj) -> int:
        return self._start(self._task(name, arguments), owner)

    def chain(
        self, members: Iterable[tuple[str, tuple[Value, ...]]], owner: Obj
    ) -> int:
        return self._start(chain(self._task(*member) for member in members), owner)

    def _task(self, name: str, arguments: tuple[Value, ...]) -> Task:
        try:
            return self.desk.task(name, arguments)
        except WrongArgumentsError as error:
            raise MooError(E_ARGS, str(error)) from error
        except JobError as error:
            raise MooError(E_INVARG, str(error), name) from error

    def _start(self, task: Task, owner: Obj) -> int:
        desk = self.desk
        try:
            pack(task, self._engine.ops.meter)
            number = desk.new_number()
        except JobValueError as error:
            raise MooError(E_INVARG, str(error)) from error
        except JobStoreError as error:
            raise self._unusable(error) from error
        self._pending[number] = _Pending(task, owner)
        self._journal.note((self._take_back, number))
        self._journal.hold(self._add, number)
        return number

    def _take_back(self, number: int) -> None:
        del self._pending[number]
        self.desk.give_back(number)

    def _add(self, number: int) -> None:
        pending = self._pending[number]
        self._when_done(
            self.desk.add(number, pending.task, pending.owner), self._added, number
        )

    def _when_done(
        self,
        future: Future[Job],
        then: Callable[[int, BaseException | None], None],
        number: int,
    ) -> None:
        desk = self.desk
        future.add_done_callback(lambda done: desk.post(then, number, done.exception()))

    def _added(self, number: int, error: BaseException | None) -> None:
        del self._pending[number]
        if error is not None:
            self._log.write(f"JOBS: job {number} is lost: {error}", True)
            text = f"Job {number} could not be started: {error}"
            self._waits.deliver(number, MooError(E_QUOTA, self._reader.message(text)))
            self._waits.wake()
            return
        self._ended(number)

    def rows(self, state: str | None) -> list[Value]:
        wanted = None
        if state is not None:
            wanted = _BY_NAME.get(fold(state))
            if wanted is None:
                names = ", ".join(each.value for each in JobState)
                raise MooError(E_INVARG, f"{state}: the states are {names}", state)
        desk = self.desk
        # What is being aborted has another state in the file.
        asked = None if wanted is None or self._aborting else (wanted,)
        try:
            found = {job.id: self._row(job) for job in desk.jobs(asked)}
        except JobStoreError as error:
            raise self._unusable(error) from error
        for number, pending in self._pending.items():
            found.setdefault(number, self._pending_row(number, pending))
        return [
            found[number]
            for number in sorted(found)
            if wanted is None or found[number][2] == wanted.value
        ]

    def info(self, number: int) -> Value:
        found = self._find(number)
        if isinstance(found, _Pending):
            return (*self._pending_row(number, found), 0)
        row = self._row(found)
        if found.state is JobState.FINISHED:
            try:
                return (*row, self._value(found))
            except MooError as error:
                return (*row, error.message)
        error_line = found.error_line if found.error else None
        return (*row, 0 if error_line is None else self._reader.message(error_line))

    def check(self, number: int) -> None:
        self._find(number)

    def abort(self, number: int) -> None:
        found = self._find(number)
        if number in self._aborting or (isinstance(found, Job) and found.is_over):
            raise MooError(E_INVARG, f"Job {number} is over", number)
        self._aborting.add(number)
        self._journal.note((self._aborting.discard, number))
        self._journal.hold(self._abort, number)

    def _abort(self, number: int) -> None:
        future = self.desk.ask(lambda store: store.abort(number))
        self._when_done(future, self._aborted, number)

    def _aborted(self, number: int, error: BaseException | None) -> None:
        self._aborting.discard(number)
        # It may have come to its end, or have been removed, meanwhile.
        if error is not None and not isinstance(error, (JobStateError, NoSuchJobError)):
            self._log.write(f"JOBS: job {number} cannot be aborted: {error}", True)
        self._ended(number)

    def _find(self, number: int) -> Job | _Pending:
        """Return a job.  Raises: E_INVARG if there is none, E_QUOTA."""
        desk = self.desk
        try:
            return desk.job(number)
        except NoSuchJobError:
            pending = self._pending.get(number)
            if pending is not None:
                return pending
            raise MooError(E_INVARG, f"There is no job {number}", number) from None
        except JobStoreError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: JobStoreError) -> MooError:
        self._log.write(f"JOBS: {error}", True)
        return MooError(E_QUOTA, "The jobs cannot be read or written; the log says why")

    # --- what is shown of a job ----------------------------------------------

    def _row(self, job: Job) -> tuple[Value, ...]:
        state = JobState.ABORTED if self._is_aborting(job) else job.state
        return (
            job.id,
            job.function,
            state.value,
            job.percent,
            self._reader.message(job.description),
            self._time(job.started),
            self._time(job.finished),
            0 if state is JobState.ABORTED else self._time(job.estimated_end),
        )

    def _is_aborting(self, job: Job) -> bool:
        return job.id in self._aborting and not job.is_over

    def _pending_row(self, number: int, pending: _Pending) -> tuple[Value, ...]:
        state = (
            JobState.ABORTED if number in self._aborting else JobState.NOT_STARTED
        ).value
        description = self._reader.message(shown(pending.task))
        return number, pending.task.function, state, 0, description, 0, 0, 0

    def _time(self, seconds: float | None) -> int:
        return 0 if seconds is None else self._engine.ops.wrap(int(seconds))

    def _value(self, job: Job) -> Value:
        """Return what a job that is finished has returned.  Raises: E_INVARG."""
        try:
            return moo_value(job.result, self._limits)
        except UnusableValueError as error:
            text = f"The result of job {job.id} is not MOO's: {error}"
            raise MooError(E_INVARG, self._reader.message(text)) from error

    # --- what comes back ------------------------------------------------------

    def _ended(self, number: int) -> None:
        if number in self._waits:
            self._settle(number)
            self._waits.wake()

    def _look(self) -> None:
        """Look at all jobs that tasks wait for."""
        for number in self._waits.jobs:
            self._ended(number)

    def _settle(self, number: int) -> None:
        """Let those go on who wait for a job, if it is over."""
        if number in self._pending:
            return
        try:
            job = self.desk.job(number)
        except NoSuchJobError:
            answer: Value | MooError = MooError(
                E_INVARG, f"There is no job {number}", number
            )
        except JobStoreError as error:  # it will be looked at again
            self._log.write(f"JOBS: {error}", True)
            return
        else:
            if not job.is_over:
                return
            answer = self._answer(job)
        self._waits.deliver(number, answer)

    def _answer(self, job: Job) -> Value | MooError:
        if job.state is JobState.ABORTED:
            return MooError(E_INVARG, f"Job {job.id} was aborted", job.id)
        if job.state is JobState.EXCEPTION:
            lines = (job.error or "").splitlines()
            return MooError(
                E_INVARG,
                self._reader.message(job.error_line),
                tuple(map(self._reader.message, lines)),
            )
        try:
            return self._value(job)
        except MooError as error:
            return error


def moo_value(data: Any, limits: ValueLimits) -> Value:
    """Return what a task has returned as a value.

    None is 0, True is 1, a dict is a list of {key, value}; however deep they nest.
    Raises: UnusableValueError for what no world can hold.
    """
    open_lists: list[tuple[Any, list[Value]]] = [(iter((data,)), [])]
    while True:
        items, made = open_lists[-1]
        for item in items:
            kind = type(item)
            if kind is tuple or kind is list or kind is dict:
                members = item.items() if kind is dict else item
                open_lists.append((iter(members), []))
                break
            if item is None or kind is bool:
                item = int(item or 0)
            made.append(limits.value(item))
        else:
            open_lists.pop()
            if not open_lists:
                return made[0]
            open_lists[-1][1].append(tuple(made))
