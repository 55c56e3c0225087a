"""Tasks that wait for something, and errors that they are to raise, in textdumps."""

from __future__ import annotations

import pytest

from pymoo.errors import MooError
from pymoo.tasks.task import SuspendedTask
from pymoo.tasks.waiting import restore_errors, saved_errors
from pymoo.values import E_INVARG, E_PERM, Value
from tests.fakes import Bench


def sleeping(bench: Bench) -> SuspendedTask:
    bench.run(
        "try suspend(); except e (ANY)"
        " notify(player, toliteral(listdelete(e, 4))); endtry"
    )
    (task,) = bench.scheduler.background_tasks()
    assert isinstance(task, SuspendedTask)
    return task


def test_an_error_that_is_delivered_is_raised_as_it_is(bench: Bench) -> None:
    task = sleeping(bench)
    assert bench.scheduler.deliver(task, MooError(E_PERM, "Message", (1,)))
    assert not bench.scheduler.deliver(task, 5)
    bench.settle()
    assert bench.lines == ['{E_PERM, "Message", {1}}']


def test_errors_are_saved_with_message_and_value(bench: Bench) -> None:
    task = sleeping(bench)
    assert saved_errors([task]) == ()
    task.value = E_INVARG
    assert saved_errors([task]) == ()
    task.value = MooError(E_PERM, "Message", (1,))
    saved = saved_errors([task])
    assert saved == ((task.task_id, E_PERM, "Message", (1,)),)
    task.value = E_PERM
    restore_errors(saved, [task])
    value = task.value
    assert isinstance(value, MooError)  # type: ignore[unreachable]
    assert (value.code, value.message, value.value) == (E_PERM, "Message", (1,))


@pytest.mark.parametrize(
    "saved",
    [0, "x", (), (1,), ((1, 2),), (("x", E_PERM, "m", 0),), ((1, E_PERM, 2, 0),)],
)
def test_what_no_errors_are_restores_none(bench: Bench, saved: Value) -> None:
    task = sleeping(bench)
    restore_errors(saved, [task])
    assert task.value == 0
