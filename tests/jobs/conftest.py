"""Stores and runners for the tests of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define, field

from pymoo.jobs import Job, JobRunner, JobState, JobStore, Task
from pymoo.values import Obj
from tests.jobs import work


@define
class Clock:
    seconds: float = 1_000_000_000.0

    def __call__(self) -> float:
        return self.seconds


@define(eq=False)
class Jobs:
    """A store, a runner that is driven by hand, and a clock that stands still."""

    store: JobStore
    clock: Clock
    changes: list[tuple[int, str]] = field(factory=list)
    runner: JobRunner = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.runner = JobRunner(self.store, on_change=self._note)

    def _note(self, job: Job) -> None:
        self.changes.append((job.id, job.state.value))

    def add(self, task: Task, owner: Obj | None = None) -> Job:
        return self.store.add(task, owner=owner)

    def run(self, task: Task) -> Job:
        """Run everything, and return the job of ``task``."""
        job = self.add(task)
        self.runner.run_until_idle()
        return job.refresh()

    def result(self, task: Task) -> object:
        return self.run(task).result

    def error(self, task: Task) -> str:
        job = self.run(task)
        assert job.state is JobState.EXCEPTION
        assert job.error is not None
        return job.error


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "MyMOO.jobs"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(path: Path, clock: Clock) -> Iterator[JobStore]:
    with JobStore(path, clock=clock) as store, store.current():
        # Thousands of steps would wait for a busy disk.  Nothing here pulls the plug,
        # and to be killed makes no difference.
        store._db.execute("PRAGMA synchronous = OFF")
        yield store


@pytest.fixture
def jobs(store: JobStore, clock: Clock) -> Iterator[Jobs]:
    work.seen.clear()
    jobs = Jobs(store, clock)
    with jobs.runner:
        yield jobs
