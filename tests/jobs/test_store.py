"""The file with the jobs, and what is known of them."""

from __future__ import annotations

import itertools
import json
import logging
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.jobs import (
    Job,
    JobAborted,
    JobError,
    JobFailed,
    JobState,
    JobStateError,
    JobStore,
    JobStoreError,
    NoSuchJobError,
    Task,
    chain,
    group,
    store_path,
    task,
)
from pymoo.jobs.runner import clamped
from pymoo.jobs.states import check_transition
from pymoo.jobs.store import SCHEMA_VERSION, Outcome
from pymoo.values import E_PERM, Obj
from tests.jobs import work
from tests.jobs.conftest import Clock, Jobs

DAY_S = 86_400

# --- O-01: recorded ---------------------------------------------------------------


def test_o01_what_was_queued_and_done_is_there_after_a_restart(path: Path) -> None:
    with JobStore(path) as store:
        first = store.add(work.hello("world"), owner=Obj(2))
        second = store.add(chain([work.note((Obj(1), E_PERM))]))
    with JobStore(path) as store:
        assert store.jobs() == [first, second]
        assert first.owner == Obj(2)
        assert store.job(2).task == second.task


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        ("MyMOO.db", "MyMOO.jobs"),
        ("a/world.db", "a/world.jobs"),
        ("LambdaCore-12Apr99", "LambdaCore-12Apr99.jobs"),
        ("MyMOO.new", "MyMOO.new.jobs"),
        ("MyMOO.jobs", "MyMOO.jobs"),
    ],
)
def test_o01_jobs_are_beside_their_database(database: str, expected: str) -> None:
    assert store_path(database) == Path(expected)


def test_o01_each_commit_is_synced_to_the_disk(path: Path) -> None:
    with JobStore(path) as store:
        assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_o01_numbers_of_jobs_are_not_used_again(store: JobStore) -> None:
    first = work.hello.delay("a")
    first.delete()
    assert store.delete(first.id)
    assert work.hello.delay("b").id > first.id


def test_o01_a_file_that_is_not_there_is_made_only_if_wanted(path: Path) -> None:
    with pytest.raises(JobStoreError, match=r"MyMOO\.jobs: there is no such file"):
        JobStore(path, create=False)
    assert not path.exists()


def textdump(path: Path) -> None:
    path.write_text("** LambdaMOO Database, Format Version 4 **\n" * 50)


def other_database(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()


def newer(path: Path) -> None:
    JobStore(path).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (textdump, r"damaged \(file is not a database\): bring back a copy"),
        (other_database, "an SQLite file, but not one with jobs; name another"),
        (newer, "expected schema 2, found 3: use the pymoo that has written it"),
        (folder, "cannot be used .*: it must be a file"),
    ],
)
def test_o01_a_file_that_cannot_be_used_is_named_with_the_remedy(
    path: Path, spoil: Callable[[Path], None], what: str
) -> None:
    spoil(path)
    with pytest.raises(JobStoreError, match=rf"MyMOO\.jobs: {what}"):
        JobStore(path)


@pytest.mark.parametrize("start", [4096, 8192, 20_000])
def test_o01_a_damaged_file_is_noticed_before_anything_runs(
    path: Path, start: int
) -> None:
    from pymoo.jobs import JobRunner

    with JobStore(path) as store:
        for _ in range(300):
            store.add(work.note("x" * 200))
    content = bytearray(path.read_bytes())
    content[start : start + 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    work.seen.clear()
    with (
        pytest.raises(JobStoreError, match=r"MyMOO\.jobs: damaged \(.*move it away"),
        JobStore(path) as store,
        JobRunner(store),
    ):
        pass
    assert work.seen == []


def test_o01_a_truncated_file_is_noticed(path: Path) -> None:
    with JobStore(path) as store:
        for _ in range(300):
            store.add(work.note("x" * 200))
    os.truncate(path, path.stat().st_size // 2)
    with (
        pytest.raises(JobStoreError, match="damaged"),
        JobStore(path) as store,
    ):
        store.check()


def test_o01_a_file_that_another_program_keeps_locked_is_named(path: Path) -> None:
    with JobStore(path, patience_s=0.05) as store:
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(JobStoreError, match="another program keeps it locked"):
                store.add(work.hello("world"))
            other.execute("ROLLBACK")
        other.close()
        assert store.add(work.hello("world")).id == 1


def test_o01_a_closed_store_says_so(path: Path) -> None:
    store = JobStore(path)
    store.close()
    with pytest.raises(JobStoreError, match="was closed; open it anew"):
        store.jobs()


def test_o01_many_processes_may_make_and_fill_it_at_once(path: Path) -> None:
    program = (
        "import sys; from pymoo.jobs import JobStore, group\n"
        "with JobStore(sys.argv[1]) as store:\n"
        "    for _ in range(5): store.add(group([]))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(path)]) for _ in range(6)
    ]
    assert [each.wait(60) for each in processes] == [0] * 6
    with JobStore(path) as store:
        assert [job.id for job in store.jobs()] == [*range(1, 31)]


def _use(store: JobStore, answer: Any) -> None:
    try:
        store.jobs()
    except JobStoreError as error:
        answer.put(str(error))


def test_o01_a_fork_must_open_it_anew(store: JobStore) -> None:
    context = multiprocessing.get_context("fork")
    answer = context.Queue()
    child = context.Process(target=_use, args=(store, answer))
    child.start()
    assert "of which this one is a fork; open it anew" in answer.get(timeout=30)
    child.join()
    answer.close()


def test_o01_a_job_that_cannot_be_read_ends_and_the_others_go_on(jobs: Jobs) -> None:
    broken, lost, fine = (jobs.add(work.hello(name)) for name in "abc")
    jobs.store._db.execute(
        "UPDATE branches SET text = '[@' WHERE job = ?", (broken.id,)
    )
    jobs.store._db.execute("DELETE FROM branches WHERE job = ?", (lost.id,))
    jobs.runner.run_until_idle()
    assert "job 1 cannot be read: column 2: expected" in broken.refresh().error_line
    assert "damaged (nothing is left of job 2)" in lost.refresh().error_line
    assert fine.refresh().result == "hello c!"


def test_o01_a_combination_of_something_else_is_an_error_of_its_job(
    jobs: Jobs,
) -> None:
    assert "chain: expected tasks, found 1" in jobs.error(
        group([chain([work.wait(1)]), Task("chain", (1,))])
    )


# --- O-10: states -----------------------------------------------------------------


def test_o10_the_states() -> None:
    assert [state.value for state in JobState] == [
        "NotStarted",
        "Running",
        "Finished",
        "Exception",
        "Aborted",
    ]


def test_o10_the_only_ways_between_them() -> None:
    ways = {
        (old.value, new.value)
        for old in JobState
        for new in JobState
        if old.may_become(new)
    }
    assert ways == {
        ("NotStarted", "Running"),
        ("NotStarted", "Aborted"),
        ("Running", "Finished"),
        ("Running", "Exception"),
        ("Running", "Aborted"),
    }
    for old in JobState:
        for new in JobState:
            if (old.value, new.value) in ways:
                check_transition(7, old, new)
            else:
                with pytest.raises(
                    JobStateError,
                    match=f"job 7 is {old.value} and cannot become {new.value}",
                ):
                    check_transition(7, old, new)


def test_o10_a_job_goes_through_them_and_who_asked_is_told(jobs: Jobs) -> None:
    jobs.run(work.wait(2))
    jobs.run(work.fail("no"))
    jobs.add(work.wait(2)).abort()
    assert jobs.changes == [
        (1, "NotStarted"),
        (1, "Running"),
        (1, "Finished"),
        (2, "NotStarted"),
        (2, "Running"),
        (2, "Exception"),
        (3, "NotStarted"),
        (3, "Aborted"),
    ]


@pytest.mark.parametrize("asked", [work.hello("a"), work.fail("no")])
def test_o10_what_is_over_cannot_be_ended(jobs: Jobs, asked: Any) -> None:
    job = jobs.run(asked)
    with pytest.raises(JobStateError, match="and cannot become Aborted: it is over"):
        job.abort()
    with (
        pytest.raises(JobStateError, match="and cannot become Finished: it is over"),
        jobs.store._changing() as db,
    ):
        jobs.store._end(db, job.id, JobState.FINISHED, "1")
    assert job.refresh() == job


def test_o10_what_a_callback_raises_is_logged_and_jobs_go_on(
    jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    def callback(job: Any) -> None:
        raise ValueError("of the callback")

    unsubscribe = jobs.store.subscribe(callback)
    assert jobs.result(work.hello("a")) == "hello a!"
    assert "ValueError: of the callback" in caplog.text
    unsubscribe()
    caplog.clear()
    jobs.run(work.hello("a"))
    assert not caplog.records


def test_o10_changes_are_told_one_by_one_in_their_order(jobs: Jobs) -> None:
    """Also those that a callback makes, and those of other threads."""
    seen: list[tuple[int, str]] = []

    def callback(job: Job) -> None:
        seen.append((job.id, job.state.value))
        if job.state is JobState.NOT_STARTED:
            job.abort()
        seen.append((job.id, "told"))

    unsubscribe = jobs.store.subscribe(callback)
    threads = [
        threading.Thread(target=jobs.add, args=[work.wait(1)]) for _ in range(20)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    unsubscribe()
    for number in range(1, 21):
        assert [state for job, state in seen if job == number] == [
            "NotStarted",
            "told",
            "Aborted",
            "told",
        ]
    assert [state for _, state in seen[1::2]] == ["told"] * 40


def test_o10_what_another_process_does_is_told_as_well(jobs: Jobs) -> None:
    mine = jobs.add(work.hello("a"))
    with JobStore(jobs.store.path) as other:
        other.abort(mine.id)
        other.add(work.hello("b"))
        jobs.store.look_around()
        gone = other.add(work.hello("c")).id
        jobs.store.look_around()
        other.delete(gone)
        other.delete(gone)
        jobs.store.look_around()
    assert jobs.changes == [
        (1, "NotStarted"),
        (2, "NotStarted"),
        (1, "Aborted"),
        (3, "NotStarted"),
    ]


# --- O-11: results, errors, removal -----------------------------------------------


def test_o11_result_and_error_are_kept(path: Path, jobs: Jobs) -> None:
    jobs.run(work.note((Obj(1), [E_PERM, {"k": 1.5}])))
    jobs.run(work.fail("no such thing"))
    jobs.add(work.wait(1))
    jobs.add(work.wait(1)).abort()
    with JobStore(path) as other:
        finished, failed, waiting, aborted = other.jobs()
    assert finished.result == (Obj(1), [E_PERM, {"k": 1.5}])
    assert failed.error_line == "RuntimeError: no such thing"
    assert failed.error.startswith("Traceback (most recent call last):")
    assert "raise RuntimeError(text)" in failed.error
    assert "runner.py" not in failed.error
    with pytest.raises(JobFailed, match="job 2: RuntimeError: no such thing"):
        failed.result  # noqa: B018
    with pytest.raises(JobStateError, match="job 3 is NotStarted: wait"):
        waiting.result  # noqa: B018
    with pytest.raises(JobAborted, match="job 4 was aborted"):
        aborted.result  # noqa: B018


def test_o11_a_long_or_odd_error_can_be_kept(jobs: Jobs) -> None:
    error = jobs.error(work.fail("\ud800" + "x" * 100_000))
    assert len(error) < 21_000
    assert "[...]" in error
    assert "\\ud800" in error


def test_o11_nothing_is_removed_by_a_restart(path: Path, jobs: Jobs) -> None:
    jobs.run(work.hello("a"))
    with JobStore(path) as other:
        other.check()
        assert len(other.jobs()) == 1


def test_o11_prune_removes_what_was_over_so_many_days_ago(
    jobs: Jobs, clock: Clock
) -> None:
    jobs.run(work.hello("old"))
    jobs.run(work.fail("old"))
    jobs.add(work.hello("old, aborted")).abort()
    clock.seconds += DAY_S
    jobs.run(work.hello("new"))
    jobs.add(work.wait(5))
    clock.seconds += DAY_S
    assert jobs.store.prune(3) == 0
    assert jobs.store.prune(1.5) == 3
    assert [job.id for job in jobs.store.jobs()] == [4, 5]
    clock.seconds += 100 * DAY_S
    assert jobs.store.prune(0) == 1
    assert [job.state for job in jobs.store.jobs()] == [JobState.NOT_STARTED]
    for table in ("requests", "outcomes"):
        (count,) = jobs.store._db.execute(
            f"SELECT count(*) FROM {table} WHERE job < 5"
        ).fetchone()
        assert count == 0


# --- O-12: percent and end --------------------------------------------------------


@given(st.floats(allow_nan=False))
def test_o12_percent_is_within_0_to_100(percent: float) -> None:
    assert 0 <= clamped(percent, "f") <= 100


@pytest.mark.parametrize(("given_", "kept"), [(-3, 0), (250, 100), (0, 0), (100, 100)])
def test_o12_percent_is_clamped_with_one_warning(
    jobs: Jobs,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    given_: int,
    kept: int,
) -> None:
    monkeypatch.setattr("pymoo.jobs.runner._beyond", set())
    monkeypatch.setattr(work.wait, "percent", lambda times: given_)
    job = jobs.add(work.wait(2))
    jobs.runner.step()
    assert job.refresh().percent == kept
    jobs.runner.step()
    assert caplog.text.count("percent= returned") <= 1  # or each step would tell it
    warned = "percent= returned" in caplog.text
    assert warned == (given_ != kept)
    if warned:
        assert f"work:wait: percent= returned {float(given_)}; expected 0 to 100" in (
            caplog.text
        )


@pytest.mark.parametrize("given_", [float("nan"), "much", None, 1 / 3])
def test_o12_a_percent_that_is_none_says_nothing_about_the_work(
    jobs: Jobs,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    given_: Any,
) -> None:
    monkeypatch.setattr(work.wait, "percent", lambda times: given_)
    assert jobs.result(work.wait(2)) == "finished"
    assert ("does not say how much is done" in caplog.text) == (given_ != 1 / 3)


def test_o12_the_end_is_estimated_from_5_percent_on(
    jobs: Jobs, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    percents = {3: 2.0, 2: 4.9, 1: 5.0, 0: 50.0}
    monkeypatch.setattr(work.wait, "percent", percents.get)
    job = jobs.add(work.wait(4))
    ends = []
    for _ in range(4):
        clock.seconds += 10
        jobs.runner.step()
        ends.append(job.refresh().estimated_end)
    # It was started when its first step was.
    start = job.created + 10
    assert job.refresh().started == start
    assert ends == [None, None, start + 20 * 100 / 5, start + 30 * 100 / 50]


def test_o12_a_job_that_is_over_has_ended_when_it_did(jobs: Jobs, clock: Clock) -> None:
    job = jobs.add(work.hello("a"))
    assert (job.percent, job.estimated_end) == (0, None)
    clock.seconds += 10
    jobs.runner.run_until_idle()
    job = job.refresh()
    assert (job.percent, job.estimated_end) == (100, clock.seconds)
    assert job.created == clock.seconds - 10


def test_o12_how_long_the_longest_step_took_is_kept_and_slow_ones_are_named(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from pymoo.jobs import runner

    class Slow:
        """A clock by which everything takes a second."""

        seconds = itertools.count(0.0)

        def monotonic(self) -> float:
            return next(self.seconds)

    monkeypatch.setattr(runner, "time", Slow())
    job = jobs.run(work.wait(3))
    assert job.longest_step_ms >= 1000
    # Once: the others were not much longer.
    assert caplog.text.count("expected at most 50: return the rest") == 1
    assert "a step of job 1, tests.jobs.work:wait(3), took 1000 ms" in caplog.text


# --- O-13: description and metadata -----------------------------------------------


def described(description: str | None = None, metadata: Any = None) -> Any:
    work.described = task(description=description, metadata=metadata)(  # type: ignore[attr-defined]
        _described
    )
    return work.described  # type: ignore[attr-defined]


def _described(*args: Any, **kwargs: Any) -> None: ...


_described.__module__, _described.__qualname__ = work.__name__, "described"


@pytest.mark.parametrize(
    ("description", "arguments", "keywords", "expected"),
    [
        (None, ("a", 1), {}, 'tests.jobs.work:described("a", 1)'),
        ("copies {0} to {to}", ("a",), {"to": "b"}, "copies a to b"),
        ("{0} {1} {2:.2f}", (Obj(3), E_PERM, 0.5), {}, "#3 E_PERM 0.50"),
        ("of {0} and {1}", ((1, "x"), [Obj(2)]), {}, 'of {1, "x"} and [#2]'),
        ("plain", (), {}, "plain"),
        ("{args} {kwargs} {to}", (1,), {"to": 2}, '{1} ["to" -> 2] 2'),
    ],
)
def test_o13_the_description_is_a_format_for_the_arguments(
    store: JobStore,
    description: str | None,
    arguments: tuple[Any, ...],
    keywords: dict[str, Any],
    expected: str,
) -> None:
    factory = described(description)
    assert factory.delay(*arguments, **keywords).description == expected


def test_o13_any_argument_can_be_described(store: JobStore) -> None:
    deep: Any = ()
    for _ in range(100_000):
        deep = (deep,)
    assert described("of {0}").delay(deep).description.startswith("of {{{{")


def test_o13_combinations_are_described_by_their_parts(store: JobStore) -> None:
    assert store.add(chain([work.twice(1), work.wait(2)])).description == (
        "chain(tests.jobs.work:twice(1), tests.jobs.work:wait(2))"
    )


def test_o13_metadata_is_merged_and_overwrites_nothing(store: JobStore) -> None:
    factory = described(
        metadata=lambda *args: {"verb": args[0], "id": 77, "percent": "much"}
    )
    job = factory.delay((Obj(2), "look"))
    found = job.as_dict()
    assert found["verb"] == (Obj(2), "look")
    assert (found["id"], found["percent"]) == (job.id, 0)
    assert job.metadata == {"verb": (Obj(2), "look"), "id": 77, "percent": "much"}
    assert json.loads(job.json())["verb"] == [{"obj": 2}, "look"]


@pytest.mark.parametrize(
    ("description", "metadata", "reason"),
    [
        ("{3}", None, "IndexError"),
        ("{name}", None, "KeyError: 'name'"),
        (None, lambda: 1 / 0, "ZeroDivisionError"),
        (None, lambda: [1], r"metadata= returned \[1\]; expected a dict"),
        (None, lambda: {"k": object()}, "a builtins.object cannot be kept"),
    ],
)
def test_o13_what_cannot_be_described_is_not_queued(
    store: JobStore, description: str | None, metadata: Any, reason: str
) -> None:
    factory = described(description, metadata)
    with pytest.raises(JobError, match=f"work:described: cannot be queued: .*{reason}"):
        factory.delay()
    assert store.jobs() == []


def test_o13_a_job_as_data(jobs: Jobs) -> None:
    jobs.add(work.count_down(1, name="it"), owner=Obj(5))
    jobs.runner.run_until_idle()
    found = json.loads(jobs.store.job(1).json())
    assert found.pop("longest_step_ms") > 0
    assert found == {
        "id": 1,
        "state": "Finished",
        "description": "counts it down from 1",
        "function": "tests.jobs.work:count_down",
        "version": 1,
        "arguments": [1],
        "keywords": {"map": {"name": "it"}},
        "owner": {"obj": 5},
        "percent": 100,
        "steps": 2,
        "created": 1e9,
        "started": 1e9,
        "updated": 1e9,
        "finished": 1e9,
        "estimated_end": 1e9,
        "result": "it is done",
        "error": None,
    }


# --- O-14: delete and list --------------------------------------------------------


def test_o14_delete_aborts_what_is_not_over_and_removes_what_is(jobs: Jobs) -> None:
    waiting, running = jobs.add(work.wait(5)), jobs.add(work.wait(5))
    finished = jobs.add(work.hello("a"))
    running_step = [jobs.runner.step() for _ in range(4)]
    assert all(running_step)
    for job in (waiting, running):
        assert not jobs.store.delete(job.id)
        assert job.refresh().state is JobState.ABORTED
    assert jobs.store.delete(finished.id)
    with pytest.raises(NoSuchJobError, match=r"MyMOO\.jobs: there is no job 3"):
        finished.refresh()
    with pytest.raises(NoSuchJobError):
        finished.delete()
    assert jobs.runner.run_until_idle() == 0
    assert jobs.store.delete(waiting.id)


def test_o14_the_list_can_be_filtered(jobs: Jobs) -> None:
    jobs.run(work.hello("a"))
    jobs.run(work.fail("b"))
    jobs.add(work.wait(1), owner=Obj(7))
    jobs.add(work.wait(9)).abort()

    def numbers(*states: JobState, **more: Any) -> list[int]:
        return [job.id for job in jobs.store.jobs(states or None, **more)]

    assert numbers() == [1, 2, 3, 4]
    assert numbers(JobState.FINISHED) == [1]
    assert numbers(JobState.EXCEPTION, JobState.ABORTED) == [2, 4]
    assert numbers(JobState.RUNNING) == []
    assert numbers(owner=Obj(7)) == [3]
    assert numbers(JobState.ABORTED, owner=Obj(7)) == []
    assert jobs.store.jobs([]) == []


def test_o14_a_step_of_an_aborted_job_is_not_recorded(jobs: Jobs) -> None:
    job = jobs.add(work.wait(3))
    step = jobs.store.begin_step()
    assert step is not None
    with JobStore(jobs.store.path) as other:
        other.abort(job.id)
    assert not jobs.store.end_step(step, Outcome(result="1"), 1)
    assert job.refresh().state is JobState.ABORTED
    assert job.refresh().steps == 0


def test_o14_a_job_that_was_removed_during_its_step_leaves_nothing(
    jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    job = jobs.add(group([work.wait(3), work.wait(3)]))
    step = jobs.store.begin_step()
    assert step is not None
    job.delete()
    job.delete()
    with caplog.at_level(logging.INFO):
        assert not jobs.store.end_step(step, Outcome(error="no"), 1)
    assert jobs.store._db.execute("SELECT count(*) FROM branches").fetchone() == (0,)
