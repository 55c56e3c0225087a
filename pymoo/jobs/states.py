"""The states of a job and the ways between them.

::

    NotStarted ──► Running ──► Finished
         │            ├──────► Exception
         └────────────┴──────► Aborted
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from pymoo.jobs.errors import JobStateError


class JobState(Enum):
    """Where a job is; the values are what the store holds and people read."""

    NOT_STARTED = "NotStarted"
    RUNNING = "Running"
    FINISHED = "Finished"
    EXCEPTION = "Exception"
    ABORTED = "Aborted"

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to the job any more, except that it is removed."""
        return not _NEXT[self]

    def may_become(self, state: JobState) -> bool:
        """Whether a job can go from here to ``state``."""
        return state in _NEXT[self]


_NEXT: Final[dict[JobState, tuple[JobState, ...]]] = {
    JobState.NOT_STARTED: (JobState.RUNNING, JobState.ABORTED),
    JobState.RUNNING: (JobState.FINISHED, JobState.EXCEPTION, JobState.ABORTED),
    JobState.FINISHED: (),
    JobState.EXCEPTION: (),
    JobState.ABORTED: (),
}


def check_transition(job: int, old: JobState, new: JobState) -> None:
    """Raise JobStateError if a job cannot go from ``old`` to ``new``."""
    if not old.may_become(new):
        raise JobStateError(
            f"job {job} is {old.value} and cannot become {new.value}"
            + ("" if not old.is_over else ": it is over")
        )
