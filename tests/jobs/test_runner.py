"""What runs the jobs, and what they can do to it."""

from __future__ import annotations

import asyncio
import fcntl
import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pymoo.jobs import (
    Job,
    JobAborted,
    JobError,
    JobFailed,
    JobRunner,
    JobState,
    JobStore,
    JobStoreError,
    Task,
    chain,
    current_job,
    group,
    task,
)
from pymoo.values import Obj
from tests.jobs import work
from tests.jobs.conftest import Clock, Jobs

PATIENCE_S = 30.0

# --- O-03: functions that are gone ------------------------------------------------


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a module ``plugin``, which is imported anew after each `write`."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path / "plugin.py"
    sys.modules.pop("plugin", None)


def write(module: Path, text: str | None) -> None:
    sys.modules.pop("plugin", None)
    if text is None:
        module.unlink()
    else:
        module.write_text(f"from pymoo.jobs import task\n{text}\n")
    importlib.invalidate_caches()


@pytest.mark.parametrize(
    ("later", "error"),
    [
        (None, "ModuleNotFoundError: No module named 'plugin'"),
        ("", "AttributeError: module 'plugin' has no attribute 'f'"),
        (
            "@task\ndef f(): pass",
            "TypeError: plugin:f: too many positional arguments",
        ),
        (
            "@task\ndef f(a, b): pass",
            "TypeError: plugin:f: missing a required argument: 'b'",
        ),
        (
            "def f(a): pass",
            "pymoo.jobs.errors.JobError: plugin:f is not a task: put @task before it",
        ),
        ("def f(a:", "SyntaxError: '(' was never closed"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_o03_a_function_that_is_gone_is_the_jobs_error_and_the_runner_lives_on(
    jobs: Jobs, module: Path, later: str | None, error: str
) -> None:
    write(module, "@task\ndef f(a): return a")
    plugin = importlib.import_module("plugin")
    gone = jobs.add(plugin.f(1))
    gone_later = jobs.add(chain([work.note(1), plugin.f(1)]))
    write(module, later)
    fine = jobs.add(work.hello("world"))
    jobs.runner.run_until_idle()
    for job in (gone, gone_later):
        assert job.refresh().state is JobState.EXCEPTION
        assert job.refresh().error_line == error
    assert fine.refresh().result == "hello world!"


def test_o03_only_what_is_a_task_is_called(jobs: Jobs) -> None:
    for name in ("os:abort", "os.path:join.__call__", "no name", "os:"):
        job = jobs.add(group([Task(name)]))
        jobs.runner.run_until_idle()
        assert job.refresh().state is JobState.EXCEPTION


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (work.fail("no"), "RuntimeError: no"),
        (work.deny(), "pymoo.errors.MooError: Permission denied"),
        (work.leave(3), "SystemExit: 3"),
        (
            work.give_object(),
            "tests.jobs.work:give_object: a builtins.object cannot be kept: give "
            "numbers, strings, lists, tuples, dicts, MOO values and tasks",
        ),
    ],
)
def test_o03_whatever_a_task_raises_is_its_jobs_error(
    jobs: Jobs, asked: Task, error: str
) -> None:
    job = jobs.run(asked)
    assert job.state is JobState.EXCEPTION
    assert job.error_line == error
    assert jobs.result(work.hello("b")) == "hello b!"


def test_o03_deep_recursion_and_errors_that_cannot_be_shown(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deeper(*_: Any) -> Any:
        return deeper()

    class Unspeakable(BaseException):
        def __str__(self) -> str:
            raise Unspeakable

    def unspeakable(*_: Any) -> None:
        raise Unspeakable

    monkeypatch.setattr(work.hello, "function", deeper)
    assert "RecursionError" in jobs.error(work.hello("a"))
    monkeypatch.setattr(work.hello, "function", unspeakable)
    assert "Unspeakable" in jobs.error(work.hello("a"))


def test_o03_ctrl_c_is_for_the_program_and_the_step_is_made_again(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = jobs.add(work.interrupt())
    with pytest.raises(KeyboardInterrupt):
        jobs.runner.step()
    assert job.refresh().state is JobState.RUNNING
    monkeypatch.setattr(work.interrupt, "function", lambda: "at last")
    jobs.runner.run_until_idle()
    assert job.refresh().result == "at last"


def test_o03_in_a_thread_nobody_else_is_meant_by_ctrl_c(store: JobStore) -> None:
    runner = JobRunner(store)
    runner.start()
    with pytest.raises(JobFailed, match="KeyboardInterrupt"):
        store.add(work.interrupt()).wait(PATIENCE_S)
    assert store.add(work.hello("a")).wait(PATIENCE_S) == "hello a!"
    assert runner.stop(PATIENCE_S)


# --- O-05: turns ------------------------------------------------------------------


def test_o05_each_job_makes_one_step_in_a_round(jobs: Jobs) -> None:
    for name in "abc":
        jobs.add(work.count_down(3, name=name))
    jobs.runner.run_until_idle()
    assert work.seen == [(name, n) for n in (3, 2, 1, 0) for name in "abc"]


def test_o05_a_new_job_comes_after_those_that_wait_and_is_not_kept_waiting(
    jobs: Jobs,
) -> None:
    for name in "ab":
        jobs.add(work.count_down(2, name=name))
    jobs.runner.step()
    jobs.add(work.count_down(1, name="new"))
    jobs.runner.run_until_idle()
    assert work.seen == [
        ("a", 2),
        ("b", 2),
        ("a", 1),
        ("new", 1),
        ("b", 1),
        ("a", 0),
        ("new", 0),
        ("b", 0),
    ]


def test_o05_a_group_has_one_turn_as_others_have(jobs: Jobs) -> None:
    jobs.add(group([work.count_down(1, name="a"), work.count_down(1, name="b")]))
    jobs.add(work.count_down(3, name="c"))
    jobs.runner.run_until_idle()
    assert [name for name, _ in work.seen] == ["a", "c", "b", "c"] * 2


def test_o05_turns_outlive_a_restart(path: Path) -> None:
    work.seen.clear()
    with JobStore(path) as store, JobRunner(store) as runner:
        for name in "abc":
            store.add(work.count_down(1, name=name))
        runner.step()
        runner.step()
    with JobStore(path) as store, JobRunner(store) as runner:
        runner.run_until_idle()
    assert [name for name, _ in work.seen] == [*"abcabc"]


def test_o05_there_is_no_delay_while_there_is_work(store: JobStore) -> None:
    """1,000 steps, each of which OpenATTIC began at the next of its 5 second beats."""
    runner = JobRunner(store)
    runner.start()
    time.sleep(0.2)  # it waits now
    began = time.monotonic()
    assert work.hello.delay("a").wait(PATIENCE_S) == "hello a!"
    first = time.monotonic() - began
    work.wait.delay(1_000).wait(PATIENCE_S)
    assert first < 1
    assert time.monotonic() - began < 15
    assert runner.stop(PATIENCE_S)


def test_o05_a_repeatable_task_goes_on_within_a_step_for_its_budget(
    store: JobStore,
) -> None:
    ended: list[int] = []

    def note(job: Job) -> None:
        if job.is_over:
            ended.append(job.id)

    with JobRunner(store, step_budget_ms=4, on_change=note) as runner:
        long = work.sprint.delay(200_000)
        short = work.wait.delay(2)
        runner.run_until_idle()
    assert 3 < long.refresh().steps < 20_000
    assert short.refresh().steps == 3
    assert ended == [short.id, long.id]


# --- O-06: waiting ----------------------------------------------------------------


@pytest.fixture
def running(store: JobStore) -> Iterator[JobRunner]:
    runner = JobRunner(store)
    runner.start()
    yield runner
    assert runner.stop(PATIENCE_S)


def test_o06_a_thread_can_wait(running: JobRunner) -> None:
    assert work.twice.delay(4).wait(PATIENCE_S) == 8
    with pytest.raises(JobFailed, match="RuntimeError: no"):
        work.fail.delay("no").wait(PATIENCE_S)


def test_o06_waiting_ends_in_time(store: JobStore) -> None:
    job = work.wait.delay(1)
    with pytest.raises(TimeoutError, match=r"job 1 is NotStarted after 0\.02 seconds"):
        job.wait(0.02)
    job.abort()
    with pytest.raises(JobAborted, match="job 1 was aborted"):
        job.wait(0.02)


def test_o06_a_coroutine_can_await(running: JobRunner) -> None:
    async def several() -> list[Any]:
        return await asyncio.gather(
            *(job_of(number) for number in range(20)), return_exceptions=True
        )

    async def job_of(number: int) -> Any:
        if number == 7:
            return await work.fail.delay("seven")
        return await work.twice.delay(number)

    found = asyncio.run(several())
    assert isinstance(found.pop(7), JobFailed)
    assert found == [2 * number for number in range(20) if number != 7]


def test_o06_awaiting_can_be_given_up(store: JobStore) -> None:
    async def impatient() -> None:
        job = work.wait.delay(1)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(job, 0.02)  # type: ignore[arg-type]
        assert store._subscribers == []

    asyncio.run(impatient())


def test_o06_what_another_process_ends_is_noticed(store: JobStore) -> None:
    job = work.wait.delay(1)

    def other() -> None:
        with JobStore(store.path) as mine, JobRunner(mine) as runner:
            runner.run_until_idle()

    thread = threading.Thread(target=other)
    thread.start()
    assert job.wait(PATIENCE_S) == "finished"
    thread.join()


def test_o06_a_step_cannot_wait_for_another(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waits(name: str) -> Any:
        return work.twice.delay(1).wait()

    def steps(name: str) -> Any:
        return jobs.runner.step()

    monkeypatch.setattr(work.hello, "function", waits)
    assert "a step cannot wait for a job" in jobs.error(work.hello("a"))
    monkeypatch.setattr(work.hello, "function", steps)
    assert "a step cannot run steps" in jobs.error(work.hello("a"))


def test_o06_a_step_knows_its_job_and_can_queue_others(jobs: Jobs) -> None:
    job = jobs.add(work.own_number(), owner=Obj(9))
    jobs.runner.run_until_idle()
    assert job.refresh().result == (job.id, Obj(9))
    number = jobs.result(work.queue_another("world"))
    assert isinstance(number, int)
    assert jobs.store.job(number).result == "hello world!"
    assert current_job() is None


# --- O-09: one runner -------------------------------------------------------------


def test_o09_a_second_runner_is_refused_by_the_number_of_the_first(
    jobs: Jobs,
) -> None:
    with (
        JobStore(jobs.store.path) as store,
        pytest.raises(JobStoreError) as raised,
    ):
        JobRunner(store).step()
    assert str(raised.value) == (
        f"{jobs.store.path}: its jobs are being run already, by process "
        f"{os.getpid()}. Stop that one first"
    )
    lock = Path(f"{jobs.store.path}.lock")
    assert lock.exists()
    jobs.runner.close()
    assert not lock.exists()
    with JobStore(jobs.store.path) as store, JobRunner(store) as runner:
        assert runner.run_until_idle() == 0


def test_o09_a_lock_whose_file_was_removed_meanwhile_counts_for_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened before the one who had it removed the file, locked after: not the one."""
    lock = Path(f"{path}.lock")
    taken = []
    flock = fcntl.flock

    def late(file: Any, how: int) -> None:
        if not taken:
            taken.append(os.fstat(file.fileno()).st_ino)
            lock.rename(path.parent / "removed")
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with JobStore(path) as store, JobRunner(store):
        assert lock.stat().st_ino not in taken


def test_o09_the_lock_dies_with_its_process_and_not_with_a_forked_child(
    store: JobStore,
) -> None:
    """Such as one that writes a checkpoint, and outlives the process it is from."""
    program = (
        "import os, sys, time; from pymoo.jobs import JobRunner, JobStore\n"
        "runner = JobRunner(JobStore(sys.argv[1])); runner.open()\n"
        # The child tells of itself: by then it has begun.
        "if not os.fork(): print(os.getpid(), flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(store.path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        text=True,
    ) as it:
        assert it.stdout is not None
        child = int(it.stdout.readline())
        try:
            with pytest.raises(JobStoreError, match=f"by process {it.pid}"):
                JobRunner(store).open()
            it.kill()
            it.wait(PATIENCE_S)
            with JobRunner(store):
                os.kill(child, 0)  # it lives
        finally:
            os.kill(child, signal.SIGKILL)
            it.kill()


def test_o09_threads_that_step_at_once_never_run_two_steps_at_a_time(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, most = [0], [0]

    def watched(times: int) -> Any:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.001)
        inside[0] -= 1
        return work.wait(times - 1) if times else "finished"

    monkeypatch.setattr(work.wait, "function", watched)
    job = jobs.add(work.wait(100))
    threads = [threading.Thread(target=jobs.runner.run_until_idle) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert most == [1]
    assert job.refresh().steps == 101


def test_o09_a_step_that_could_not_be_recorded_is_not_made_again(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = jobs.add(work.note("once"))

    def full(*_: Any) -> bool:
        raise JobStoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "_conclude", full)
        for _ in range(3):
            with pytest.raises(JobStoreError, match="the disk is full"):
                jobs.runner.step()
    jobs.runner.run_until_idle()
    assert job.refresh().result == "once"
    assert work.seen == ["once"]


def test_o09_a_started_runner_tries_again_when_the_store_failed(
    store: JobStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from pymoo.jobs import runner as module

    monkeypatch.setattr(module, "_RETRY_S", 0.01)
    begin, count = JobStore.begin_step, [0]

    def failing(self: JobStore) -> Any:
        count[0] += 1
        if count[0] == 1:
            raise JobStoreError("the disk is full")
        if count[0] == 2:
            raise ZeroDivisionError("ours")
        return begin(self)

    monkeypatch.setattr(JobStore, "begin_step", failing)
    runner = JobRunner(store)
    runner.start()
    assert work.twice.delay(2).wait(PATIENCE_S) == 4
    assert runner.stop(PATIENCE_S)
    assert "the disk is full; trying again" in caplog.text
    assert "ZeroDivisionError: ours" in caplog.text


# --- starting and stopping --------------------------------------------------------


def test_o01_a_runner_can_be_stopped_and_started_again(store: JobStore) -> None:
    runner = JobRunner(store)
    for _ in range(3):
        runner.start()
        with pytest.raises(JobError, match="this runner was started already"):
            runner.start()
        assert work.twice.delay(1).wait(PATIENCE_S) == 2
        assert runner.stop(PATIENCE_S)
        assert runner.stop(0)
        assert not Path(f"{store.path}.lock").exists()


def test_o01_stopping_waits_for_the_step_but_not_longer_than_wanted(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, has_begun = threading.Event(), threading.Event()

    def long(name: str) -> str:
        has_begun.set()
        assert may_end.wait(PATIENCE_S)
        return name

    monkeypatch.setattr(work.hello, "function", long)
    runner = JobRunner(store)
    job = work.hello.delay("a")
    later = work.twice.delay(1)
    runner.start()
    assert has_begun.wait(PATIENCE_S)
    assert not runner.stop(0.01)
    may_end.set()
    assert runner.stop(PATIENCE_S)
    assert job.refresh().result == "a"
    assert later.refresh().state is JobState.NOT_STARTED


def test_o01_a_job_that_is_aborted_during_its_step_goes_no_further(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_begun, may_end = threading.Event(), threading.Event()

    def long(name: str) -> Task:
        has_begun.set()
        assert may_end.wait(PATIENCE_S)
        return work.note("never")

    work.seen.clear()
    monkeypatch.setattr(work.hello, "function", long)
    changes: list[tuple[int, str]] = []
    runner = JobRunner(
        store, on_change=lambda job: changes.append((job.id, job.state.value))
    )
    runner.start()
    job = work.hello.delay("a")
    assert has_begun.wait(PATIENCE_S)
    job.abort()
    may_end.set()
    assert work.twice.delay(1).wait(PATIENCE_S) == 2
    assert runner.stop(PATIENCE_S)
    assert job.refresh().state is JobState.ABORTED
    assert work.seen == []
    assert [state for number, state in changes if number == job.id] == [
        "NotStarted",
        "Running",
        "Aborted",
    ]


def test_o11_a_runner_removes_what_is_older_than_it_is_to_keep(
    store: JobStore, clock: Clock
) -> None:
    with JobRunner(store) as runner:
        work.twice.delay(1)
        runner.run_until_idle()
        clock.seconds += 31 * 86_400
        runner.step()
    assert len(store.jobs()) == 1
    with JobRunner(store, keep_days=30) as runner:
        runner.step()
    assert store.jobs() == []


@task
def of_this_module() -> str:
    return "found"


def test_o02_tasks_of_any_module_that_can_be_imported_run(jobs: Jobs) -> None:
    assert jobs.result(of_this_module()) == "found"
