"""What one reads of a job: `Job`, as the store had it at one moment.

A `Job` does not change; `Job.refresh` reads it anew.  What can be done to a job is in
the store, and here only passed on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from pymoo.jobs.errors import JobAborted, JobError, JobFailed, JobStateError
from pymoo.jobs.packing import pack, unpack
from pymoo.jobs.states import JobState
from pymoo.jobs.task import Task
from pymoo.values import Obj

if TYPE_CHECKING:
    from pymoo.jobs.store import JobStore

ESTIMATE_FROM_PERCENT: Final = 5.0
"""From where on the end of a job is estimated; before, it would be a guess."""

POLL_S: Final = 0.05
"""How soon what another process did is noticed; what this one does is at once."""


@frozen
class Job:
    """A job as it was when it was read.  Times are seconds since 1970."""

    store: JobStore = field(repr=False, eq=False)
    id: int
    state: JobState
    description: str
    function: str
    version: int
    owner: Obj | None
    progress: float  # in percent, not rounded
    steps: int
    longest_step_ms: float
    created: float
    started: float | None
    updated: float | None  # when its last step ended
    finished: float | None
    error: str | None  # the traceback, in state Exception
    _task: str = field(repr=False)
    _metadata: str = field(repr=False)
    _result: str | None = field(repr=False)

    @property
    def is_over(self) -> bool:
        """Whether it is finished, failed or aborted."""
        return self.state.is_over

    @property
    def percent(self) -> int:
        """How much of it is done, 0 to 100."""
        return int(self.progress)

    @property
    def task(self) -> Task:
        """What was asked for."""
        found = unpack(self._task)
        assert isinstance(found, Task)
        return found

    @property
    def metadata(self) -> dict[str, Any]:
        """What the function's ``metadata=`` had to say."""
        found = unpack(self._metadata)
        assert isinstance(found, dict)
        return found

    @property
    def estimated_end(self) -> float | None:
        """When it will be finished if it goes on as it did; None below 5 percent."""
        if self.started is None or self.updated is None:
            return None
        if self.is_over:
            return self.finished
        if self.progress < ESTIMATE_FROM_PERCENT:
            return None
        return self.started + (self.updated - self.started) * 100 / self.progress

    @property
    def result(self) -> Any:
        """What it returned.

        Raises: JobStateError if it is not over; JobFailed with its error; JobAborted.
        """
        if self.state is JobState.FINISHED:
            assert self._result is not None
            return unpack(self._result)
        if self.state is JobState.EXCEPTION:
            raise JobFailed(f"job {self.id}: {self.error_line}\n\n{self.error}")
        if self.state is JobState.ABORTED:
            raise JobAborted(f"job {self.id} was aborted")
        raise JobStateError(f"job {self.id} is {self.state.value}: wait for its result")

    @property
    def error_line(self) -> str:
        """The last line of the error: which one it was."""
        return (self.error or "").rstrip().rpartition("\n")[2]

    def refresh(self) -> Job:
        """Return the job as it is now.  Raises: NoSuchJobError, JobStoreError."""
        return self.store.job(self.id)

    def abort(self) -> Job:
        """End it; a step that is running is not recorded any more.

        Raises: JobStateError if it is over; NoSuchJobError, JobStoreError.
        """
        return self.store.abort(self.id)

    def delete(self) -> None:
        """Abort it if it is not over; remove it from the store if it is.

        Raises: NoSuchJobError, JobStoreError.
        """
        self.store.delete(self.id)

    # --- waiting ---

    def wait(self, timeout_s: float | None = None) -> Any:
        """Return its result once there is one, blocking this thread until then.

        Raises: TimeoutError; as `result`; JobError within a step, where nothing would
            go on meanwhile: there, return ``this.then(what_follows)``.
        """
        self._check_outside()
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            seen = self.store.changes
            job = self.refresh()
            if job.is_over:
                return job.result
            left = POLL_S
            if end is not None:
                left = min(left, end - time.monotonic())
                if left <= 0:
                    raise TimeoutError(
                        f"job {self.id} is {job.state.value} after {timeout_s} seconds"
                    )
            self.store.wait_for_change(seen, left)

    def __await__(self) -> Generator[Any, None, Any]:
        """``await job`` is its result; other coroutines run meanwhile."""
        self._check_outside()
        return self._awaited().__await__()

    async def _awaited(self) -> Any:
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()

        def wake(job: Job) -> None:
            # The loop may be closed by now, and nobody waits any more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(changed.set)

        unsubscribe = self.store.subscribe(wake)
        try:
            while True:
                changed.clear()
                job = self.refresh()
                if job.is_over:
                    return job.result
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(changed.wait(), POLL_S)
        finally:
            unsubscribe()

    def _check_outside(self) -> None:
        from pymoo.jobs.store import current_job

        if current_job() is not None:
            raise JobError(
                f"job {self.id}: a step cannot wait for a job, for no other step runs "
                "meanwhile; return task.then(what_follows) instead"
            )

    # --- as data ---

    def as_dict(self) -> dict[str, Any]:
        """Return all there is to know, metadata behind the rest.

        Metadata cannot take the place of something else; `metadata` has all of it.
        """
        asked = self.task
        about = {
            "id": self.id,
            "state": self.state.value,
            "description": self.description,
            "function": self.function,
            "version": self.version,
            "arguments": asked.arguments,
            "keywords": asked.keywords,
            "owner": self.owner,
            "percent": self.percent,
            "steps": self.steps,
            "longest_step_ms": self.longest_step_ms,
            "created": self.created,
            "started": self.started,
            "updated": self.updated,
            "finished": self.finished,
            "estimated_end": self.estimated_end,
            "result": self.result if self.state is JobState.FINISHED else None,
            "error": self.error,
        }
        for key, value in self.metadata.items():
            about.setdefault(key, value)
        return about

    def json(self) -> str:
        """Return `as_dict` as JSON; values are written as `packing` says."""
        members = (f"{pack(key)}: {pack(each)}" for key, each in self.as_dict().items())
        return f"{{{', '.join(members)}}}"
