"""Runners that are killed: kill -9 at every point of every step, and at any time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from pymoo.jobs import JobRunner, JobState, JobStore, JobStoreError
from tests.jobs.dying import POINTS, STEPS, all_kinds_of_steps, events, stage

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120


@contextmanager
def python(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A process that does not outlive the test, also if that fails."""
    with subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as it:
        try:
            yield it
        finally:
            it.kill()


def test_o09_killed_at_every_point_of_every_step_the_chain_completes(
    path: Path,
) -> None:
    """35 kills.  A step is made again until it is recorded, and never after that."""
    with JobStore(path) as store:
        job = store.add(all_kinds_of_steps(str(path)))
        kills = 0
        for number in range(STEPS):
            for point in POINTS:
                with python("tests.jobs.dying", str(path), point, str(number)) as it:
                    assert it.stdout is not None
                    assert it.stdout.readline() == "here\n"
                    # While it lives, even if it does nothing, nobody else may run.
                    with pytest.raises(JobStoreError, match=f"by process {it.pid}"):
                        JobRunner(store).step()
                    it.send_signal(signal.SIGKILL)
                    assert it.wait(PATIENCE_S) == -signal.SIGKILL
                kills += 1
                store.check()
                steps = number + (point == "recorded")
                assert job.refresh().steps == steps
                is_over = steps == STEPS
                assert job.refresh().is_over == is_over
        assert kills == 35

        expected = []
        for number in range(STEPS):
            expected += [f"begin {number}"]  # and killed
            expected += [f"begin {number}", f"end {number}"] * (len(POINTS) - 1)
        assert events(path) == expected
        assert job.refresh().result == STEPS - 1
        with JobRunner(store) as runner:
            assert runner.run_until_idle() == 0


def test_o09_killed_before_and_after_its_state_changes(path: Path) -> None:
    """Between that a job is Running, or taken apart, and its first step."""
    with JobStore(path) as store:
        job = store.add(all_kinds_of_steps(str(path)))
        for statement in ("UPDATE jobs", "UPDATE branches", "COMMIT"):
            program = (
                "import os, sys; from pymoo.jobs import *\n"
                "store = JobStore(sys.argv[1]); runner = JobRunner(store)\n"
                "def look(statement):\n"
                "    if statement.startswith(sys.argv[2]): os.kill(os.getpid(), 9)\n"
                "store._db.set_trace_callback(look)\n"
                "runner.run_until_idle()\n"
            )
            with subprocess.Popen(
                [sys.executable, "-c", program, str(path), statement],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            ) as it:
                assert it.wait(PATIENCE_S) == -signal.SIGKILL
            store.check()
            assert job.refresh().state in (JobState.NOT_STARTED, JobState.RUNNING)
        with JobRunner(store) as runner:
            assert runner.run_until_idle() == STEPS
        assert job.refresh().result == STEPS - 1


def test_o09_killed_at_any_time_the_chain_completes(path: Path) -> None:
    """`pymoo jobs run`, killed 12 times wherever it happens to be."""
    chance = random.Random(9)
    last = 250
    with JobStore(path) as store:
        job = store.add(stage(str(path), 0, last, 0.01))
        kills = 0
        while kills < 12:
            count = len(events(path))
            with python("pymoo", "jobs", "run", str(path), "--until-idle") as it:
                # Killed while it runs, not while Python starts.
                end = time.monotonic() + PATIENCE_S
                while len(events(path)) == count:
                    assert time.monotonic() < end
                    time.sleep(0.001)
                time.sleep(chance.uniform(0, 0.08))
                it.kill()
                assert it.wait(PATIENCE_S) == -signal.SIGKILL
            kills += 1
            store.check()
            assert not job.refresh().is_over
        with JobRunner(store) as runner:
            runner.run_until_idle()
        assert job.refresh().result == last
        assert job.refresh().steps == last + 1
    seen = events(path)
    assert "two at once" not in seen
    begun = [int(each.split()[1]) for each in seen if each.startswith("begin")]
    assert set(begun) == set(range(last + 1))
    for before, after in pairwise(seen):
        (what, number), (then, other) = before.split(), after.split()
        if what == "begin":  # and ended, or killed and made again
            assert other == number
        else:  # the next one, or the same again if it was killed before it was recorded
            assert then == "begin"
            assert int(other) - int(number) in (0, 1)
    # Each kill has cost one step at most.
    assert len(begun) <= last + 1 + kills
