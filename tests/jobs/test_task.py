"""What @task makes, and what combined tasks mean."""

from __future__ import annotations

import re
import resource
import sys
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pymoo.jobs import (
    JobError,
    JobState,
    JobStore,
    Task,
    TaskFactory,
    chain,
    group,
    task,
)
from tests.jobs import work
from tests.jobs.conftest import Jobs

MILLION = 1_000_000

# --- O-02: factories --------------------------------------------------------------


def test_o02_calling_a_factory_makes_a_value_and_calls_nothing() -> None:
    work.seen.clear()
    asked = work.hello("world")
    assert isinstance(asked, Task)
    assert work.seen == []
    assert asked == work.hello("world")
    assert asked != work.hello("you")
    assert asked != "hello"
    assert hash(asked) == hash(work.hello("you"))
    assert repr(asked) == 'tests.jobs.work:hello("world")'
    with pytest.raises(AttributeError):
        asked.function = "other"  # type: ignore[misc]


def test_o02_a_factory_keeps_the_name_and_words_of_its_function() -> None:
    assert isinstance(work.hello, TaskFactory)
    assert work.hello.__doc__ == "Greet somebody."
    assert work.hello.__name__ == "hello"
    assert work.hello.reference == "tests.jobs.work:hello"


def test_o02_call_now_runs_inline() -> None:
    work.seen.clear()
    assert work.hello.call_now("world") == "hello world!"
    assert work.hello("you").call_now() == "hello you!"
    assert work.seen == [("hello", "world"), ("hello", "you")]


def test_o02_delay_queues_and_returns_the_record_at_once(store: JobStore) -> None:
    work.seen.clear()
    job = work.hello.delay("world")
    assert job.state is JobState.NOT_STARTED
    assert job.task == work.hello("world")
    assert job == store.job(job.id)
    assert work.hello("you").delay().id == job.id + 1
    assert work.seen == []


def test_o02_delay_without_a_store_says_what_to_do() -> None:
    with pytest.raises(
        JobError, match=r"no current store .* `with store.current\(\):`"
    ):
        work.hello.delay("world")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: work.hello(), "missing a required argument: 'name'"),
        (lambda: work.hello("a", "b"), "too many positional arguments"),
        (lambda: work.hello(nobody=1), "missing a required argument: 'name'"),
        (lambda: work.plus(1, sign=2), "missing a required argument: 'other'"),
        (lambda: work.hello("a").then(work.hello, "b"), "too many positional"),
    ],
)
def test_o02_arguments_that_do_not_fit_are_refused_where_they_are_given(
    call: Any, reason: str
) -> None:
    with pytest.raises(TypeError, match=rf"tests\.jobs\.work:\w+: {reason}"):
        call()


def test_o02_what_waits_by_itself_is_no_task() -> None:
    async def later() -> None: ...

    def some() -> Any:
        yield 1

    for function in (later, some):
        with pytest.raises(TypeError, match="a task is a plain function"):
            task(function)


def test_o02_a_function_that_no_process_could_find_runs_only_inline(
    store: JobStore,
) -> None:
    @task
    def local() -> None: ...

    with pytest.raises(JobError, match="define it at the top of a module"):
        local.delay()


# --- O-04: tail calls -------------------------------------------------------------


def largest_size() -> int:
    """How many bytes this process has had at most."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def test_o04_a_million_tail_calls_inline_take_no_room() -> None:
    assert work.wait.call_now(MILLION // 10) == "finished"
    before = largest_size()
    assert work.wait.call_now(MILLION) == "finished"
    assert largest_size() - before < 30_000_000


def test_o04_a_million_tail_calls_in_a_job_take_no_room(jobs: Jobs) -> None:
    job = jobs.run(work.sprint(MILLION))
    assert job.result == "finished"
    assert 1 < job.steps < MILLION
    assert size(jobs) < 200_000


def test_o04_recorded_tail_calls_let_the_store_not_grow(jobs: Jobs) -> None:
    job = jobs.add(work.wait(6_000))
    for _ in range(1_500):
        jobs.runner.step()
    jobs.store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = size(jobs)
    jobs.runner.run_until_idle()
    jobs.store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert size(jobs) <= before
    assert job.refresh().result == "finished"
    assert job.refresh().steps == 6_001


def size(jobs: Jobs) -> int:
    return jobs.store.path.stat().st_size


# --- O-08: combinations -----------------------------------------------------------


def both(jobs: Jobs, asked: Task) -> Any:
    """The result, which is the same inline and as a job; `work.seen` has the job's."""
    inline = asked.call_now()
    work.seen.clear()
    assert jobs.result(asked) == inline
    return inline


def test_o08_a_chain_runs_one_after_the_other_and_has_the_last_result(
    jobs: Jobs,
) -> None:
    asked = chain([work.note(1), work.count_down(2, name="n"), work.note("last")])
    assert both(jobs, asked) == "last"
    assert work.seen == [1, ("n", 2), ("n", 1), ("n", 0), "last"]


def test_o08_a_chain_may_be_what_a_task_goes_on_with(jobs: Jobs) -> None:
    inner = chain([work.note(1), work.note(2)])
    assert both(jobs, chain([work.run_inside(inner), work.note(3)])) == 3
    assert work.seen == [1, 2, 3]


def test_o08_the_members_of_a_group_take_turns_and_all_results_count(
    jobs: Jobs,
) -> None:
    asked = group([work.count_down(2, name="a"), work.count_down(1, name="b")])
    assert both(jobs, asked) == ("a is done", "b is done")
    assert work.seen == [("a", 2), ("b", 1), ("a", 1), ("b", 0), ("a", 0)]


def test_o08_then_passes_the_result_on(jobs: Jobs) -> None:
    asked = work.twice(5).then(work.plus, 3).then(work.plus, 1, sign=-1)
    assert both(jobs, asked) == 12
    assert len(asked.arguments) == 3
    assert both(jobs, work.spread((1, 2, 3)).then(work.total)) == 12
    assert both(jobs, chain([work.note(1), work.twice(2)]).then(work.twice)) == 8


def test_o08_empty_combinations(jobs: Jobs) -> None:
    assert both(jobs, group([])) == ()
    assert both(jobs, group([group([]), group([])])) == ((), ())
    assert both(jobs, group([]).then(work.total)) == 0
    with pytest.raises(JobError, match="would have no result"):
        chain([])


def test_o08_only_tasks_are_combined() -> None:
    for wrong in (chain, group):
        with pytest.raises(TypeError, match=rf"{wrong.__name__}\(\) takes tasks"):
            wrong([work.hello])  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"then\(\) takes what @task has made"):
        work.twice(1).then(work.twice(1))  # type: ignore[arg-type]


def test_o08_an_error_ends_all_of_it(jobs: Jobs) -> None:
    asked = group([chain([work.fail("no"), work.note(1)]), work.wait(9)])
    assert "RuntimeError: no" in jobs.error(asked.then(work.note))
    assert work.seen == []
    assert jobs.store._db.execute("SELECT count(*) FROM branches").fetchone() == (0,)


def test_o08_percent_is_what_is_finished_and_the_share_of_the_first(
    jobs: Jobs,
) -> None:
    """A chain of two: half for each."""
    job = jobs.add(chain([work.count_down(10, name="a"), work.count_down(10)]))
    percents = []
    while jobs.runner.step():
        percents.append(job.refresh().percent)
    assert percents[:11] == [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 50]
    assert percents[11:] == [55, 60, 65, 70, 75, 80, 85, 90, 95, 100, 100]


def test_o08_percent_of_a_group_is_the_mean(jobs: Jobs) -> None:
    members = [work.count_down(10, name="a"), work.note(1), work.wait(30)]
    members.append(chain([work.count_down(10), work.note(2)]))
    job = jobs.add(group(members))
    for _ in range(4):
        jobs.runner.step()
    # 10 %, 100 %, 0 %, half of 10 %
    assert job.refresh().progress == pytest.approx((10 + 100 + 0 + 5) / 4)


def test_o08_percent_moves_with_each_step_that_can_be_seen(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work.wait, "percent", lambda times: 100 - times)
    job = jobs.add(chain([group([work.wait(100), work.wait(100)]), work.note(1)]))
    for number in range(1, 101):
        jobs.runner.step()
        jobs.runner.step()
        assert job.refresh().progress == pytest.approx(number / 2)


def test_o08_percent_of_many_small_members_adds_up(jobs: Jobs) -> None:
    job = jobs.add(group([group([work.note(0)] * 60) for _ in range(60)]))
    for _ in range(1_800):
        jobs.runner.step()
    assert job.refresh().progress == pytest.approx(50, abs=0.2)


def test_o08_a_chain_of_20_000_takes_a_step_each(jobs: Jobs) -> None:
    count = 20_000
    began = time.process_time()
    job = jobs.run(chain(work.twice(each) for each in range(count)))
    assert job.result == 2 * (count - 1)
    assert job.steps == count
    # In proportion to their number: else this would be minutes.
    assert time.process_time() - began < 60


def test_o08_combinations_nested_10_000_deep(jobs: Jobs) -> None:
    asked = work.twice(1)
    for number in range(10_000):
        asked = (
            chain([asked])
            if number % 2
            else group([asked, work.note(0)][: 1 + number % 3])
        )
    result = asked.call_now()
    found = jobs.result(asked)
    while isinstance(result, tuple):
        assert isinstance(found, tuple)
        assert result[1:] == found[1:]
        result, found = result[0], found[0]
    assert result == found == 2


trees = st.recursive(
    st.one_of(
        st.integers(0, 9).map(lambda n: work.twice(n)),
        st.integers(0, 3).map(lambda n: work.count_down(n, name="n")),
        st.lists(st.integers(0, 9), max_size=3).map(lambda n: work.spread(tuple(n))),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(chain),
        st.lists(inner, max_size=3).map(group),
        inner.map(lambda each: each.then(work.note)),
        inner.map(lambda each: work.run_inside(each)),
        inner.map(lambda each: chain([work.twice(2), each]).then(work.note)),
    ),
    max_leaves=8,
)


@settings(
    max_examples=150,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],
)
@given(asked=trees)
def test_o08_a_job_has_the_result_that_it_has_inline(jobs: Jobs, asked: Task) -> None:
    assert jobs.result(asked) == asked.call_now()
    assert jobs.store._db.execute("SELECT count(*) FROM branches").fetchone() == (0,)


# --- O-16: newer programs ---------------------------------------------------------


def changed(
    monkeypatch: pytest.MonkeyPatch, name: str, function: Any, **about: Any
) -> None:
    """Let a newer program have another function of that name."""
    function.__module__, function.__qualname__ = work.__name__, name
    monkeypatch.setattr(work, name, task(**about)(function))


def test_o16_old_arguments_are_migrated(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued = [
        jobs.add(work.hello("world")),
        jobs.add(chain([work.twice(1), work.hello(name="you")])),
    ]

    def greet(greeting: str, name: str) -> str:
        return f"{greeting} {name}"

    def migrate(version: int, name: str) -> Task:
        assert version == 1
        new = work.hello("good day,", name)  # type: ignore[call-arg]
        return new

    changed(monkeypatch, "hello", greet, version=2, migrate=migrate)
    jobs.runner.run_until_idle()
    assert [job.refresh().result for job in queued] == [
        "good day, world",
        "good day, you",
    ]
    assert queued[0].refresh().version == 1
    assert jobs.add(work.hello("a", "b")).version == 2  # type: ignore[call-arg]


def test_o16_without_migrate_old_arguments_must_still_fit(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def greet(name: str, greeting: str = "hi") -> str:
        return f"{greeting} {name}"

    job = jobs.add(work.hello("world"))
    changed(monkeypatch, "hello", greet, version=2)
    jobs.runner.run_until_idle()
    assert job.refresh().result == "hi world"


@pytest.mark.parametrize(
    ("migrate", "reason"),
    [
        (lambda version, name: name, r"migrate= returned .world. for version 1"),
        (
            lambda version, name: chain([work.twice(1)]),
            "expected a task of one function",
        ),
        (lambda version, name, more: None, "missing 1 required positional argument"),
        (lambda version, name: work.twice("a", "b"), "too many positional arguments"),
    ],
)
def test_o16_a_migration_that_fails_is_the_jobs_error(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, migrate: Any, reason: str
) -> None:
    job = jobs.add(work.hello("world"))
    changed(monkeypatch, "hello", lambda name: name, version=2, migrate=migrate)
    jobs.runner.run_until_idle()
    assert job.refresh().state is JobState.EXCEPTION
    assert re.search(reason, job.refresh().error_line)


@pytest.mark.parametrize("migrate", [None, lambda version, name: work.hello("old")])
def test_o16_a_task_of_a_newer_program_is_not_run_by_an_older_one(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, migrate: Any
) -> None:
    monkeypatch.setattr(work.hello, "migrate", migrate)
    newer = Task("tests.jobs.work:hello", ("world",), {}, 3)
    assert "kept with version 3, which is newer than 1" in jobs.error(newer)
    assert work.seen == []
