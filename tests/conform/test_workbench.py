"""Jobs, workers and their servers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest
from attrs import define, field

from pymoo.conform.cases import Case, Job, Result
from pymoo.conform.servers import ServerUnusableError
from pymoo.conform.workbench import Workbench, run_jobs


@define(eq=False)
class FakeServer:
    stopped: list[FakeServer]

    def stop(self) -> None:
        self.stopped.append(self)


@define
class FakeLauncher:
    at_once: int
    started: list[bytes] = field(factory=list)
    stopped: list[FakeServer] = field(factory=list)
    name: str = "fake"
    can_restart: bool = True

    def start(self, database: bytes) -> FakeServer:
        self.started.append(database)
        return FakeServer(self.stopped)


@define(eq=False)
class FakeSuite:
    name: str = "fake"
    answered_by: str = ""
    cases: Sequence[Case] = ()
    # All workers must be here at the same time before one goes on.
    meeting: threading.Barrier | None = None

    def jobs(self, cases: Sequence[Case]) -> list[Job]:
        return [Job(self, (case,)) for case in cases]

    def run(self, job: Job, bench: Workbench) -> Iterator[Result]:
        bench.server(b"world")
        if self.meeting is not None:
            self.meeting.wait(10)
        for case in job.cases:
            if case.name == "breaks":
                raise ServerUnusableError("broken")
            yield Result(case)


def jobs(suite: FakeSuite, *names: str) -> list[Job]:
    return suite.jobs([Case("g", name) for name in names])


@pytest.mark.parametrize("at_once", [1, 3])
def test_every_case_has_a_result_and_every_server_an_end(at_once: int) -> None:
    launcher = FakeLauncher(at_once)
    names = [str(number) for number in range(20)]
    found = run_jobs(launcher, jobs(FakeSuite(), *names))  # type: ignore[arg-type]
    assert sorted(result.case.name for result in found) == sorted(names)
    assert 1 <= len(launcher.started) == len(launcher.stopped) <= at_once


def test_workers_work_at_the_same_time() -> None:
    launcher = FakeLauncher(4)
    suite = FakeSuite(meeting=threading.Barrier(4))
    found = list(run_jobs(launcher, jobs(suite, *"abcd")))  # type: ignore[arg-type]
    assert len(found) == len(launcher.started) == len(launcher.stopped) == 4


@pytest.mark.parametrize("at_once", [1, 3])
def test_an_error_of_one_ends_the_run_and_all_servers(at_once: int) -> None:
    launcher = FakeLauncher(at_once)
    with pytest.raises(ServerUnusableError, match="broken"):
        list(run_jobs(launcher, jobs(FakeSuite(), "a", "breaks", "b")))  # type: ignore[arg-type]
    assert len(launcher.started) == len(launcher.stopped)


def test_whoever_looks_no_further_leaves_no_server_behind() -> None:
    launcher = FakeLauncher(3)
    found = run_jobs(launcher, jobs(FakeSuite(), *"abcdefgh"))  # type: ignore[arg-type]
    next(found)
    found.close()  # type: ignore[attr-defined]
    assert len(launcher.started) == len(launcher.stopped)


def test_a_server_is_kept_for_the_same_database_only() -> None:
    launcher = FakeLauncher(1)
    bench = Workbench(launcher)  # type: ignore[arg-type]
    first = bench.server(b"a")
    assert bench.server(b"a") is first
    assert bench.server(b"b") is not first
    assert bench.server(b"b", fresh=True) is not first
    assert launcher.started == [b"a", b"b", b"b"]
    assert len(launcher.stopped) == 2
