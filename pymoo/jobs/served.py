"""``pymoo jobs run --server FD``: what runs jobs for a server; not for people.

FD is the number of a socket.  The server sends which modules have tasks; the first
answer is which tasks they have, or why they cannot be used, and from then on it is told
of each job that is over.  In the frames of `multiprocessing.connection`, and in JSON.

It ends with the server.  A step that is under way then is made again by the next one,
and this is not held against it.
"""

from __future__ import annotations

import json
import math
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any, Final

from pymoo.errors import PymooError
from pymoo.jobs.command import stop_on_signals
from pymoo.jobs.errors import JobError, JobStoreError
from pymoo.jobs.record import Job
from pymoo.jobs.runner import JobRunner
from pymoo.jobs.store import LONG_PATIENCE_S, JobStore
from pymoo.jobs.task import TaskFactory
from pymoo.processes import end_with_server

_HANDOVER_S: Final = 5.0
"""How long to wait for the runner of a server that was killed a moment ago."""


def tasks_of(modules: Iterable[str]) -> list[TaskFactory[...]]:
    """Return the tasks that are defined in some modules.

    Raises: JobError if one cannot be imported, or if there are none.
    """
    found: list[TaskFactory[...]] = []
    for name in modules:
        try:
            module = import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise _broken(name, error) from error
            raise JobError(
                f"there is no module {name!r} of tasks: is its folder in PYTHONPATH, "
                "or the current one?"
            ) from error
        except Exception as error:
            raise _broken(name, error) from error
        defined = [
            each
            for key, each in vars(module).items()
            if isinstance(each, TaskFactory) and each.reference == f"{name}:{key}"
        ]
        if not defined:
            raise JobError(
                f"no tasks in {name}: functions become tasks by @pymoo.jobs.task"
            )
        found += defined
    return found


def _broken(module: str, error: Exception) -> JobError:
    lines = "".join(traceback.format_exception(error))
    return JobError(f"the module {module!r} of tasks fails:\n{lines}".rstrip())


def run_for_server(number: int, path: str) -> None:
    """Run the jobs of the store ``path`` until the server has gone."""
    # Never closed: the server takes that for the end.
    connection = Connection(number)
    plan = json.loads(connection.recv_bytes())
    with JobStore(path, patience_s=LONG_PATIENCE_S) as store:

        def tell(job: Job) -> None:
            if job.is_over:
                with suppress(OSError):  # the server has gone, and so this ends
                    _send(connection, {"over": job.id})

        runner = JobRunner(store, keep_days=plan["keep_days"], on_change=tell)
        end_with_server(connection, runner.excuse)
        try:
            factories = tasks_of(plan["modules"])
            _open(runner)
        except PymooError as error:
            _send(connection, {"failed": str(error)[-10_000:]})
            return
        stop_on_signals(runner)
        _send(connection, {"ready": [_shape(each) for each in factories]})
        runner.run()


def _open(runner: JobRunner) -> None:
    end = time.monotonic() + _HANDOVER_S
    while True:
        try:
            runner.open()
            return
        except JobStoreError:
            if time.monotonic() > end:
                raise
        time.sleep(0.02)


def _shape(factory: TaskFactory[...]) -> list[Any]:
    """Return what is to be known of a task to call it: name, version, arguments.

    -1 stands for any number of arguments, and None for a task that cannot be called
    with arguments that have no names.
    """
    least, most = factory.argument_counts
    return [
        factory.reference,
        factory.version,
        None if math.isinf(least) else int(least),
        -1 if math.isinf(most) else int(most),
    ]


def _send(connection: Connection, message: dict[str, Any]) -> None:
    connection.send_bytes(json.dumps(message).encode("ascii"))
