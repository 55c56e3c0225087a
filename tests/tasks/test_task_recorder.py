"""Which tasks have changed since one last asked."""

from __future__ import annotations

from typing import Any

import pytest

from pymoo.db.saved_values import task_from_value, task_to_value
from pymoo.errors import MooError
from pymoo.tasks import recording
from pymoo.tasks.policies import saved_policies
from pymoo.tasks.recording import TaskRecorder
from pymoo.tasks.saved import save_tasks
from pymoo.tasks.task import SuspendedTask
from pymoo.tasks.waiting import saved_errors, saved_waits
from pymoo.values import E_PERM
from tests.scheduling import SchedulingBench


@pytest.fixture
def bench() -> SchedulingBench:
    return SchedulingBench()


class Follower:
    """Knows of tasks what a recorder has told."""

    def __init__(self, bench: SchedulingBench) -> None:
        self.bench = bench
        self.reported: list[str] = []
        self.recorder = TaskRecorder(
            bench.scheduler, lambda doing, error: self.reported.append(str(error))
        )
        self.known: dict[int, tuple[Any, ...]] = {}
        self.follow()

    def follow(self) -> list[tuple[Any, ...]]:
        """Take what has changed, and return that."""
        entries = self.recorder.changes()
        for kind, serial, *rest in entries:
            if kind == "gone":
                del self.known[serial]
            else:
                self.known[serial] = tuple(rest)
        return entries

    def check(self) -> None:
        """Make sure that what is known is what a dump would hold."""
        tasks = [*self.bench.scheduler.background_tasks()]
        saved = sorted(repr(task_to_value(task)) for task in save_tasks(tasks))
        assert sorted(repr(row[0]) for row in self.known.values()) == saved
        for place, function in (
            (1, saved_policies),
            (2, saved_errors),
            (3, saved_waits),
        ):
            rows = [each for row in self.known.values() for each in row[place]]
            assert sorted(map(repr, rows)) == sorted(map(repr, function(tasks)))
        waiting = {task.task_id for task in save_tasks(tasks)}
        sequels = [each[0] for row in self.known.values() for each in row[4]]
        assert sorted(sequels) == sorted(
            task.task_id for task in tasks if task.vm.sequel is not None
        )
        assert {
            task_from_value(row[0]).task_id for row in self.known.values()
        } == waiting


PLAY = [
    "fork (10) endfork fork (20) #0.seen = 1; endfork",
    "fork (0) suspend(30); suspend(30); endfork",
    'fork (0) suspend(); endfork fork (0) task_policy("rollback"); suspend(5); endfork',
    "fork t (50) endfork kill_task(t);",
    "for t in (queued_tasks()) `resume(t[1], {1, 2}) ! ANY'; endfor",
    'invoke(#2, "note", {1}, {{"delay", 5}, {"callback", {#2, "note"}}});',
    "fork (0) task_recv(40); endfork",
    "fork t (0) suspend(20); endfork fork (0) wait_task(t); endfork",
    "for t in (queued_tasks()) `task_send(t[1], 5) ! ANY'; endfor",
    "suspend(0);",
    "fork (0) 1/0; endfork",
    "for t in (queued_tasks()) `kill_task(t[1]) ! ANY'; endfor rollback();",
    "fork (0) while (1) suspend(1); endwhile endfork",
    "for t in (queued_tasks()) `kill_task(t[1]) ! ANY'; endfor",
]


def test_r2_what_is_told_makes_up_what_a_dump_would_hold(
    bench: SchedulingBench,
) -> None:
    follower = Follower(bench)
    for code in PLAY:
        bench.run(code)
        follower.follow()
        follower.check()
        bench.settle()
        follower.follow()
        follower.check()
        bench.advance(3)
        follower.follow()
        follower.check()
    assert follower.known == {}
    assert follower.reported == []


def test_r2_who_begins_to_follow_later_is_told_of_those_that_wait(
    bench: SchedulingBench,
) -> None:
    for code in PLAY[:8]:
        bench.run(code)
        bench.settle()
    follower = Follower(bench)
    assert len(follower.known) > 4
    follower.check()


def test_r2_an_error_that_is_to_come_is_told(bench: SchedulingBench) -> None:
    bench.run("fork (0) suspend(); endfork")
    bench.settle()
    follower = Follower(bench)
    (task,) = bench.scheduler.background_tasks()
    assert isinstance(task, SuspendedTask)
    assert bench.scheduler.deliver(task, MooError(E_PERM, "Told", (1,)))
    follower.follow()
    follower.check()


def test_r2_one_that_cannot_be_saved_is_reported_and_not_kept_as_it_was(
    bench: SchedulingBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run("fork (0) suspend(5); suspend(5); endfork")
    bench.settle()
    follower = Follower(bench)
    assert len(follower.known) == 1
    real = recording.save_tasks

    def broken(tasks: Any, report: Any, **options: Any) -> Any:
        report("saving", RuntimeError("a bug"))
        return []

    monkeypatch.setattr(recording, "save_tasks", broken)
    bench.advance(5)
    assert [entry[0] for entry in follower.follow()] == ["gone"]
    assert follower.reported == ["a bug"]
    monkeypatch.setattr(recording, "save_tasks", real)
    bench.advance(5)
    assert follower.follow() == []


def test_r1_nothing_is_asked_of_tasks_that_sleep_on(
    bench: SchedulingBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run("for i in [1..50] fork (1000) endfork endfor")
    follower = Follower(bench)
    asked: list[int] = []
    real = recording.save_tasks

    def counted(tasks: Any, *arguments: Any, **options: Any) -> Any:
        asked.extend(task.task_id for task in tasks)
        return real(tasks, *arguments, **options)

    monkeypatch.setattr(recording, "save_tasks", counted)
    bench.run("fork t (5) endfork #0.seen = {t};")
    (serial,) = [entry[1] for entry in follower.follow()]
    assert serial == 51
    (task_id,) = bench.seen()
    bench.advance(5)
    assert follower.follow() == [("gone", serial)]
    assert asked == [task_id]
    assert follower.follow() == []


def test_a_task_that_waits_anew_has_a_new_number_and_others_keep_theirs(
    bench: SchedulingBench,
) -> None:
    bench.run("fork (0) suspend(1); suspend(1); endfork fork (0) suspend(); endfork")
    bench.settle()
    follower = Follower(bench)
    first, second = sorted(follower.known)
    bench.advance(1)
    entries = [entry[:2] for entry in follower.follow()]
    assert entries == [("gone", first), ("task", second + 1)]
    assert sorted(follower.known) == [second, second + 1]


def test_the_order_is_that_of_a_dump(bench: SchedulingBench) -> None:
    bench.run("fork (0) suspend(40); endfork")
    bench.settle()
    bench.run("fork (30) endfork fork (20) endfork")
    follower = Follower(bench)
    saved = save_tasks(bench.scheduler.background_tasks())
    order = follower.recorder.order()
    assert [task_from_value(follower.known[serial][0]).task_id for serial in order] == [
        task.task_id for task in saved
    ]
    assert follower.follow() == []


def test_what_was_written_is_written_again_in_a_new_segment(
    bench: SchedulingBench,
) -> None:
    bench.run("fork (10) endfork")
    follower = Follower(bench)
    texts = follower.recorder._texts
    follower.recorder.begin_segment()
    assert follower.recorder._texts is not texts


def test_texts_of_many_programs_are_not_kept_for_ever(
    bench: SchedulingBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_MAX_PROGRAMS", 3)
    follower = Follower(bench)
    for number in range(10):
        bench.run(f"fork (100) #0.seen = {number}; endfork")
        follower.follow()
        follower.check()
    assert len(follower.recorder._texts._lines) <= 4


def test_who_has_ceased_to_follow_is_told_nothing(bench: SchedulingBench) -> None:
    follower = Follower(bench)
    follower.recorder.stop()
    bench.run("fork (10) endfork")
    assert follower.follow() == []
