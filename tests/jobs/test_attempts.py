"""Steps that end their process: how often they are made again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pymoo.jobs import JobRunner, JobState, JobStore, task
from pymoo.jobs.command import FINDINGS
from pymoo.jobs.runner import ATTEMPTS
from tests.jobs import work
from tests.jobs.dying import events
from tests.jobs.test_kill import PATIENCE_S, ROOT, python


@task
def deadly(store: str) -> None:
    """End the process at once, as a fault in a library would."""
    with open(f"{store}.log", "a", encoding="ascii") as log:
        log.write("deadly\n")
    os.kill(os.getpid(), signal.SIGKILL)


@task
def deadly_at_times(store: str, deaths: int) -> int:
    """End the process so many times."""
    with open(f"{store}.log", "a", encoding="ascii") as log:
        log.write("at times\n")
    if events(Path(store)).count("at times") % (deaths + 1):
        os.kill(os.getpid(), signal.SIGKILL)
    return deaths


def run(path: Path, *options: str) -> int:
    with python("pymoo", "jobs", "run", str(path), "--until-idle", *options) as it:
        return it.wait(PATIENCE_S)


@pytest.mark.parametrize("attempts", [None, 2])
def test_o09_a_step_that_always_ends_its_process_is_given_up(
    path: Path, attempts: int | None
) -> None:
    most = attempts or ATTEMPTS
    options = ("--attempts", str(attempts)) if attempts else ()
    with JobStore(path) as store:
        job = store.add(deadly(str(path)))
        other = store.add(work.plus(1, 2))
        for _ in range(most):
            assert run(path, *options) == -signal.SIGKILL
            assert job.refresh().state is JobState.RUNNING
        assert run(path, *options) == FINDINGS  # it says so, and goes on with others
        assert events(path) == ["deadly"] * most
        ended = job.refresh()
        assert ended.state is JobState.EXCEPTION
        assert ended.error == (
            f'tests.jobs.test_attempts:deadly("{path}"): tried {most} times, and each '
            "time the process has ended before the step did: was it killed, for want "
            "of memory perhaps, or does it end its process itself?"
        )
        assert other.refresh().result == 3


def test_o09_each_step_has_attempts_of_its_own(path: Path) -> None:
    """A step that succeeds at last leaves nothing behind for the next one."""
    deaths = ATTEMPTS - 1
    with JobStore(path) as store:
        twice = deadly_at_times(str(path), deaths).then(work.plus, 1)
        jobs = [store.add(twice), store.add(deadly_at_times(str(path), deaths))]
        while run(path) == -signal.SIGKILL:
            assert len(events(path)) <= 2 * ATTEMPTS
        assert [job.refresh().result for job in jobs] == [deaths + 1, deaths]
        assert len(events(path)) == 2 * ATTEMPTS


def test_o09_a_runner_that_ends_between_steps_costs_no_attempt(path: Path) -> None:
    program = (
        "import os, sys; from pymoo.jobs import *\n"
        "runner = JobRunner(JobStore(sys.argv[1])); runner.step(); os._exit(9)\n"
    )
    with JobStore(path) as store:
        job = store.add(work.wait(ATTEMPTS + 2))
        for _ in range(ATTEMPTS + 1):
            subprocess.run(
                [sys.executable, "-c", program, str(path)],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                timeout=PATIENCE_S,
                check=False,
            )
        assert job.refresh().steps == ATTEMPTS + 1
        assert store._db.execute("SELECT attempts FROM jobs").fetchone() == (0,)
        with JobRunner(store) as runner:
            runner.run_until_idle()
        assert job.refresh().state is JobState.FINISHED


def test_o01_a_file_of_the_first_schema_is_brought_up_to_date(path: Path) -> None:
    with JobStore(path) as store:
        store.add(work.plus(1, 2))
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE jobs DROP COLUMN attempts")
        db.execute("ALTER TABLE requests DROP COLUMN is_described")
        db.execute("PRAGMA user_version = 1")
    db.close()
    with JobStore(path) as store, JobRunner(store) as runner:
        assert runner.run_until_idle() == 1
        assert store.job(1).result == 3


def test_o02_reserved_numbers_are_nobody_elses(path: Path) -> None:
    with JobStore(path) as store:
        assert [*store.reserve(3)] == [1, 2, 3]
        assert store.add(work.plus(1, 2)).id == 4
        assert [*store.reserve(2)] == [5, 6]
        assert store.add_undescribed(work.plus(3, 4), number=2).id == 2
        store.give_back({1, 3, 6})
        assert store.add(work.plus(5, 6)).id == 6
        store.give_back({1, 3})
        assert store.add(work.plus(7, 8)).id == 7


def test_o13_a_reserved_job_is_described_by_its_first_step(path: Path) -> None:
    with JobStore(path) as store, JobRunner(store) as runner:
        (number,) = store.reserve(1)
        job = store.add_undescribed(work.described(2), number=number)
        assert job.description == "tests.jobs.work:described(2)"
        assert job.metadata == {}
        runner.run_until_idle()
        assert job.refresh().description == "described with 2"
        assert job.refresh().metadata == {"twice": 4}
