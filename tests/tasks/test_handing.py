"""A suspended task goes on in another process as it would have in its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pymoo.errors import TextdumpError
from pymoo.tasks.handing import task_from_bytes, task_to_bytes
from pymoo.tasks.task import BackgroundTask
from tests.fakes import Bench

ROOT = Path(__file__).parents[2]

PROGRAM = """
task_policy("rollback");
for i in [1..3]
  try
    x = {i, `suspend(0) ! E_NONE', @{tostr(#3, 1.5)}};
    notify(player, toliteral({task_id(), x, callers(), i, verb}));
    i == 2 && suspend();
  finally
    notify(player, tostr("finally ", i));
  endtry
endfor
fork (0)
  notify(player, toliteral({x, i}));
endfork
return 1 / 0;
"""


def start() -> tuple[Bench, BackgroundTask]:
    """Return a world, and a task of it that has suspended."""
    bench = Bench(dialect_name="pymoo")
    assert bench.run(PROGRAM.replace("\n", " ")).is_asleep
    (task,) = bench.scheduler.background_tasks()
    return bench, task


def resumed_elsewhere(data: bytes) -> tuple[list[str], bytes]:
    """Return the lines that the wizard is sent there, and the task that is left."""
    found = subprocess.run(
        [sys.executable, "-m", "tests.tasks.resume_elsewhere"],
        input=data,
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ).stdout
    lines, _, left = found.partition(b"---\n")
    return lines.decode().splitlines(), left


def test_a_task_goes_on_in_another_process_and_comes_back() -> None:
    bench, task = start()
    data = task_to_bytes(task)
    lines, left = resumed_elsewhere(data)
    bench.settle()
    assert bench.lines == lines
    assert len(lines) == 3  # until it waits for resume()
    # What is left there goes on here, in a world that has never seen the task.
    third = Bench(dialect_name="pymoo")
    third.scheduler.enqueue(task_from_bytes(left, third.engine))
    for each in (bench, third):
        each.run("resume(queued_tasks()[1][1]);")
        each.settle()
    # The error at the end undoes the fork, as the task asked for.
    assert bench.lines[3:] == third.lines
    assert third.lines[0] == "finally 2"
    assert third.lines[-1] == "(End of traceback)"
    assert bench.run("return queued_tasks();").literal == "{}"
    assert third.run("return queued_tasks();").literal == "{}"


def test_a_forked_task_begins_in_another_process() -> None:
    bench = Bench(dialect_name="pymoo")
    bench.run("x = {1, E_PERM}; fork t (0) notify(player, toliteral({x, t})); endfork")
    (task,) = bench.scheduler.background_tasks()
    lines, left = resumed_elsewhere(task_to_bytes(task))
    assert lines == [f"{{{{1, E_PERM}}, {task.task_id}}}"]
    assert left == b""


def test_what_follows_a_task_goes_with_it() -> None:
    bench = Bench(dialect_name="pymoo")
    bench.run(
        'add_verb(#0, {#3, "rxd", "a b"}, {"this", "none", "this"});'
        'set_verb_code(#0, 1, {"suspend(0); return 5;"});'
    )
    bench.run('invoke(#0, "a", {1, 2.5}, {{"callback", {#0, "b"}}});')
    bench.scheduler.turn()
    (task,) = bench.scheduler.background_tasks()
    again = task_from_bytes(task_to_bytes(task), bench.engine)
    assert again.vm.sequel == task.vm.sequel
    assert again.vm.sequel is not None


def test_bytes_that_are_no_task_are_refused() -> None:
    bench, task = start()
    with pytest.raises(TextdumpError, match="a task"):
        task_from_bytes(task_to_bytes(task)[:-40], bench.engine)
