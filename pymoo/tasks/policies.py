"""The policies of tasks that have chosen one, to textdumps and back."""

from __future__ import annotations

from collections.abc import Iterable

from pymoo.interp.policy import CLASSIC, UnknownChoiceError
from pymoo.tasks.task import BackgroundTask
from pymoo.values import Value


def saved_policies(tasks: Iterable[BackgroundTask]) -> Value:
    """Return rows {task id, error, abort} of the tasks that chose for themselves."""
    return tuple(
        (task.task_id, task.vm.policy.error, task.vm.policy.abort)
        for task in tasks
        if task.vm.policy is not None
    )


def restore_policies(saved: Value, tasks: Iterable[BackgroundTask]) -> None:
    """Give tasks that were read from a textdump the policies that they had.

    Rows that say nothing known are passed over.
    """
    policies = {}
    for row in saved if type(saved) is tuple else ():
        if type(row) is tuple and len(row) == 3 and type(row[0]) is int:
            try:
                policies[row[0]] = CLASSIC.with_choices(row[1], row[2])
            except UnknownChoiceError:
                continue
    for task in tasks:
        if task.task_id in policies:
            task.vm.policy = policies[task.task_id]
