"""Jobs: long work in persisted steps, beside a database and independent of a server.

`task` turns a function into a factory of tasks; `chain`, `group` and `Task.then`
combine them.  `JobStore` keeps them in a file, so that they go on after a restart
where they were interrupted; `JobRunner` runs them, a step of each in turn.

``task`` says what a task is, ``packing`` how values are kept, ``states`` which states
a job can have, ``store`` is the file, ``branches`` what in it is still to be done,
``record`` what one reads of a job, ``runner`` what runs them, and ``command`` the
command line.
"""

from pymoo.jobs.errors import (
    JobAborted,
    JobError,
    JobFailed,
    JobStateError,
    JobStoreError,
    JobValueError,
    NoSuchJobError,
)
from pymoo.jobs.record import Job
from pymoo.jobs.runner import JobRunner
from pymoo.jobs.states import JobState
from pymoo.jobs.store import JobStore, current_job, store_path
from pymoo.jobs.task import Task, TaskFactory, chain, group, task

__all__ = [
    "Job",
    "JobAborted",
    "JobError",
    "JobFailed",
    "JobRunner",
    "JobState",
    "JobStateError",
    "JobStore",
    "JobStoreError",
    "JobValueError",
    "NoSuchJobError",
    "Task",
    "TaskFactory",
    "chain",
    "current_job",
    "group",
    "store_path",
    "task",
]
