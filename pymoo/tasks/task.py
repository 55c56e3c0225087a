"""The tasks that wait: forked ones that have not begun, and suspended ones.

Plain data.  Where they wait is the affair of `queues` and `scheduler`; what runs
them, of `runner`.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from attrs import define

from pymoo.errors import MooError
from pymoo.interp.activation import Activation
from pymoo.interp.outcomes import Wait
from pymoo.interp.vm import VM
from pymoo.values import Obj, Value

FOREVER: Final = 2_147_483_647
"""The wake time of suspend() without argument, as queued_tasks() shows it."""

SHOWN_TICKS: Final = 15_000  # options.h
"""The ticks of every task, as queued_tasks() shows them."""


@define(eq=False)
class ForkedTask:
    """The body of a ``fork``, waiting to begin.

    ``vm`` holds one activation, not begun, with a copy of the variables.  Its
    depth limit is read when it begins.
    """

    vm: VM
    start_time: float

    @property
    def task_id(self) -> int:
        return self.vm.task_id

    @property
    def top(self) -> Activation:
        return self.vm.activations[0]


@define(eq=False)
class SuspendedTask:
    """A task that sleeps in suspend(); ``value`` is what that will return or raise.

    Or in another function: then ``wait`` says what for, and ``value`` is what that
    returns if it does not come by ``start_time``.
    """

    vm: VM
    start_time: float
    value: Value | MooError = 0
    wait: Wait | None = None
    # What it waited for has come, and is no affair of resume().
    was_delivered: bool = False

    @property
    def task_id(self) -> int:
        return self.vm.task_id

    @property
    def top(self) -> Activation:
        return self.vm.activations[-1]


BackgroundTask: TypeAlias = ForkedTask | SuspendedTask


def programmer_of(task: BackgroundTask) -> Obj:
    """Whose queue a background task belongs to."""
    return task.top.programmer
