"""Functions on jobs: long work in Python, in steps that are kept beside the database.

Which jobs there are, and who runs them, is known to the layers above (`host.Jobs`,
`outcomes.Wait`).
"""

from __future__ import annotations

from typing import Final

from pymoo.builtins.added_tasks import check_timeout
from pymoo.builtins.registry import INT, LIST, NUM, STR, builtin
from pymoo.errors import MooError
from pymoo.interp.host import Jobs
from pymoo.interp.outcomes import Outcome, Wait
from pymoo.interp.vm import Call
from pymoo.values import E_INVARG, E_PERM, E_QUOTA, E_TYPE, Value, tostr

WAIT_KIND: Final = "job"
"""The `Wait.kind` of tasks that wait for a job; ``data`` is its number."""


_STEPS_PER_MEMBER: Final = 16


def _jobs(call: Call) -> Jobs:
    """Return the jobs.  Raises: E_PERM for whoever is not a wizard."""
    if not call.is_wizard:
        raise MooError(E_PERM)
    return call.engine.host.jobs


@builtin("job_start", [STR, LIST], least=1, source="pymoo")
def bf_job_start(call: Call, name: str, arguments: tuple[Value, ...] = ()) -> Value:
    """Queue a job that calls the task ``name`` with ``arguments``; return its number.

    ``name`` is ``module:name``, or the name alone if only one module has it.  The job
    is there once this task has suspended or ended.

    Permission: a wizard; otherwise E_PERM.
    Raises: E_INVARG if there is no such task, or the server has no jobs; E_ARGS if it
        takes more or fewer arguments; E_QUOTA if the jobs cannot be written.
    """
    return _jobs(call).start(name, arguments, call.programmer)


@builtin("job_chain", [LIST], source="pymoo")
def bf_job_chain(call: Call, members: tuple[Value, ...]) -> Value:
    """Queue a job that runs tasks one after the other; return its number.

    Each member is {name, arguments}, as for job_start(), or {name}.  The result is
    that of the last one; an error ends the whole job.

    Permission: a wizard; otherwise E_PERM.
    Raises: as job_start(); E_INVARG if there are no members, E_TYPE if one is no such
        list.
    """
    jobs = _jobs(call)
    if not members:
        raise MooError(E_INVARG, "A chain of nothing would have no result")
    return jobs.chain((_member(call, each) for each in members), call.programmer)


def _member(call: Call, value: Value) -> tuple[str, tuple[Value, ...]]:
    call.vm.spend(_STEPS_PER_MEMBER)
    if type(value) is tuple and 1 <= len(value) <= 2 and type(value[0]) is str:
        arguments = value[1] if len(value) == 2 else ()
        if type(arguments) is tuple:
            return value[0], arguments
    raise MooError(E_TYPE, "Each member must be {name, arguments}", value)


@builtin("jobs", [STR], least=0, source="pymoo")
def bf_jobs(call: Call, state: str | None = None) -> Value:
    """Return the jobs in the order of their numbers, or those in ``state``.

    Rows: {number, task, state, percent, description, started, ended, estimated end}.
    The states are "NotStarted", "Running", "Finished", "Exception" and "Aborted"; times
    are 0 as long as nobody knows them.

    Permission: a wizard; otherwise E_PERM.
    Raises: E_INVARG if there is no such state, or the server has no jobs; E_QUOTA if
        they cannot be read.
    """
    return tuple(_jobs(call).rows(state))


@builtin("job_info", [INT], source="pymoo")
def bf_job_info(call: Call, number: int) -> Value:
    """Return the row of jobs() for one job, with its result or error behind it.

    The result is 0 as long as there is none; an error is its last line, a STR.

    Permission: a wizard; otherwise E_PERM.
    Raises: E_INVARG if there is no such job, or the server has none; E_QUOTA if they
        cannot be read.
    """
    return _jobs(call).info(number)


@builtin("job_abort", [INT], source="pymoo")
def bf_job_abort(call: Call, number: int) -> Value:
    """End a job, once this task has suspended or ended.

    A step that is under way comes to its end, and is not recorded.

    Permission: a wizard; otherwise E_PERM.
    Raises: E_INVARG if there is no such job, or it is over; E_QUOTA if the jobs cannot
        be read.
    """
    _jobs(call).abort(number)
    return 0


@builtin("job_wait", [INT, NUM], least=1, source="pymoo")
def bf_job_wait(call: Call, number: int, timeout: float | None = None) -> Outcome:
    """Suspend until a job is over, and return its result.

    The task waits through restarts of the server.  If the job has failed, E_INVARG is
    raised with the last line of the error as its message, and all lines as its value;
    if it was aborted or is gone, E_INVARG; after ``timeout`` seconds, E_QUOTA.

    Permission: a wizard; otherwise E_PERM.
    Raises: E_INVARG if there is no such job, or the time-out is negative; E_QUOTA if
        too many tasks are queued, or the jobs cannot be read.
    """
    jobs = _jobs(call)
    check_timeout(timeout)
    jobs.check(number)
    late: Value | MooError = 0
    if timeout is not None:
        text = f"Job {number} is not over after {tostr(timeout)} seconds"
        late = MooError(E_QUOTA, text, number)
    return Wait(WAIT_KIND, number, timeout, late)
