"""What can go wrong with jobs.  Each text names the place and the remedy."""

from __future__ import annotations

from pymoo.errors import PymooError


class JobError(PymooError):
    """A task, a job or a runner was used in a way that it cannot be."""


class JobValueError(JobError):
    """A value cannot be kept from one step to the next."""


class JobStateError(JobError):
    """A job is not in a state in which that can happen to it."""


class NoSuchJobError(JobError):
    """The store has no job of that number."""


class JobStoreError(JobError):
    """The file with the jobs cannot be used."""


class JobFailed(JobError):
    """A job that was waited for ended with an error; the text is the job's."""


class JobAborted(JobError):
    """A job that was waited for was aborted."""
