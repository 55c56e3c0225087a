"""One task as bytes, for another process that has the same world.

The bytes are a textdump without objects that holds the task alone, and what pymoo
knows of it besides: a task is plain data, and there is one form for that.
"""

from __future__ import annotations

import io

from pymoo.db.textdump import dump, load
from pymoo.db.world import World
from pymoo.interp.engine import Engine
from pymoo.interp.loading import ProgramLoader
from pymoo.tasks.policies import restore_policies, saved_policies
from pymoo.tasks.saved import Restorer, save_tasks
from pymoo.tasks.schedule import restored_request, saved_request
from pymoo.tasks.task import BackgroundTask
from pymoo.tasks.waiting import restore_errors, saved_errors


def task_to_bytes(task: BackgroundTask) -> bytes:
    """Return a forked or suspended task as `task_from_bytes` reads it."""
    stream = io.BytesIO()
    tasks = [task]
    extras = {"policies": saved_policies(tasks), "errors": saved_errors(tasks)}
    if task.vm.sequel is not None:
        extras["sequel"] = saved_request(task.vm.sequel)
    dump(World(), stream, tasks=save_tasks(tasks), extras=extras)
    return stream.getvalue()


def task_from_bytes(data: bytes, engine: Engine) -> BackgroundTask:
    """Return a task that waits, in none of the queues of ``engine``'s host yet.

    Raises: TextdumpError if that is not one task.
    """
    width = engine.ops.width
    textdump = load(io.BytesIO(data), name="a task", int_bits=width)
    loader = ProgramLoader(engine.builtins.proper_names, width)
    (saved,) = textdump.tasks
    task = Restorer(engine, loader.parse_for_task).task(saved)
    restore_policies(textdump.extras.get("policies", ()), [task])
    restore_errors(textdump.extras.get("errors", ()), [task])
    task.vm.sequel = restored_request(textdump.extras.get("sequel", 0))
    return task
