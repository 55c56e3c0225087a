"""What is asked of jobs over HTTP, and what is answered.

=================================  ==================================================
``POST /v1/jobs``                  start one: ``task``, ``args``
``GET /v1/jobs?state=Running``     list them, or those in a state
``GET /v1/jobs/7``                 one of them
``DELETE /v1/jobs/7``              end it; remove it, if it is over
=================================  ==================================================

A job looks as `Job.json` writes it.  Questions are put in the thread that may wait for
the file of the jobs (`server.job_desk`); the world has nothing to do with them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import parse_qsl

from attrs import frozen

from pymoo.jobs.errors import JobError, JobStateError, JobStoreError, NoSuchJobError
from pymoo.jobs.record import Job
from pymoo.jobs.states import JobState
from pymoo.jobs.store import JobStore
from pymoo.server.job_desk import JobDesk
from pymoo.values import fold
from pymoo.values_json import read_json, value_of
from pymoo.values_limits import UnusableValueError, ValueLimits, shortened

_BY_NAME: Final = {fold(state.value): state for state in JobState}
_FIELDS: Final = ("task", "args")


@frozen
class Reply:
    """What is answered."""

    status: int
    portions: list[str]
    headers: tuple[tuple[str, str], ...] = ()


Question = Callable[[JobStore], Reply]


def job_question(
    desk: JobDesk,
    method: str,
    number: int | None,
    query: str,
    body: bytes,
    limits: ValueLimits,
) -> Question:
    """Return what a request is to ask `JobDesk.ask`.

    Raises: UnusableValueError, JobError.  So does the question: NoSuchJobError,
        JobStoreError, JobValueError.
    """
    if method == "POST":
        return _start(desk, read_json(body), limits)
    if number is None:
        return _list(query)
    if method == "DELETE":
        return lambda store: _delete(store, number)
    return lambda store: Reply(200, [store.job(number).json()])


def status_of_job_error(error: JobError) -> int:
    """Return the status of HTTP that tells of ``error``."""
    match error:
        case NoSuchJobError():
            return 404
        case JobStateError():
            return 409
        case JobStoreError():
            return 500
        case _:
            return 400


def _start(desk: JobDesk, data: Any, limits: ValueLimits) -> Question:
    if type(data) is not dict:
        raise UnusableValueError("the body is no JSON object")
    for name in data:
        if name not in _FIELDS:
            raise UnusableValueError(
                f"{json.dumps(name)[:40]} is not known here: there are "
                f"{', '.join(_FIELDS)}"
            )
    task_name, arguments = data.get("task"), data.get("args", [])
    if type(task_name) is not str:
        raise UnusableValueError('"task" must be a string, as in "module:name"')
    if type(arguments) is not list:
        raise UnusableValueError('"args" is no array')
    made = value_of(arguments, limits)
    assert type(made) is tuple
    task = desk.task(task_name, made)

    def start(store: JobStore) -> Reply:
        job = store.add_undescribed(task, number=desk.spare_number())
        place = f"/v1/jobs/{job.id}"
        return Reply(
            202, [job.json()], (("Location", place), ("Taskqueue-Location", place))
        )

    return start


def _list(query: str) -> Question:
    states: list[JobState] = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name != "state":
            raise UnusableValueError(
                f"{json.dumps(name)[:40]} is not known here: there is state"
            )
        state = _BY_NAME.get(fold(value))
        if state is None:
            raise UnusableValueError(
                f"there is no state {json.dumps(shortened(value))}: there are "
                f"{', '.join(each.value for each in JobState)}"
            )
        states.append(state)
    return lambda store: Reply(200, [*_portions(store.jobs(states or None))])


def _portions(jobs: list[Job]) -> Iterator[str]:
    yield '{"jobs": ['
    for place, job in enumerate(jobs):
        yield f"{', ' if place else ''}{job.json()}"
    yield "]}"


def _delete(store: JobStore, number: int) -> Reply:
    """End a job, or remove it: what has become of it, if it is still there."""
    removed = store.delete(number)
    found: dict[str, Any] = {"id": number, "removed": removed}
    if not removed:
        found["state"] = store.job(number).state.value
    return Reply(200, [json.dumps(found)])
