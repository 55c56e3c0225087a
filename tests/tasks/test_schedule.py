"""What is scheduled: its order, its exact undoing, clocks that jump, textdumps.

What MOO programs are promised is in `test_rows_d`, when a cron schedule is due in
`test_cron`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.interp.host import Invocation
from pymoo.interp.vm import Done
from pymoo.lang.dialect import LAMBDAMOO
from pymoo.server.inprocess import InProcessServer
from pymoo.tasks import schedule as schedule_module
from pymoo.tasks.cron import CronError
from pymoo.tasks.schedule import ScheduledTask
from pymoo.values import E_DIV, E_QUOTA, NOTHING, Obj, Value
from tests.fakes import WIZARD
from tests.scheduling import PAT, ROOM, Lives, SchedulingBench

HOUR = 3600


@pytest.fixture
def bench() -> SchedulingBench:
    return SchedulingBench()


def periodic(bench: SchedulingBench, seconds: float) -> int:
    handle = bench.give(
        f'invoke(#2, "when", {{}}, {{{{"delay", {seconds}}}, {{"periodic", 1}}}})'
    )
    assert type(handle) is int
    return handle


def note_times(bench: SchedulingBench) -> None:
    bench.verb(2, "when", "#0.seen = {@#0.seen, time()};")


def state(bench: SchedulingBench) -> tuple[Any, ...]:
    """Everything that there is to be seen of a schedule; with a look at S1 and S2."""
    schedule = bench.scheduler.schedule
    tasks = [*schedule]
    assert len(tasks) == len(schedule)
    assert [*schedule._waiting.items()] == [
        ((task.due, task.order), task) for task in tasks if task.can_wait
    ]
    for programmer in (WIZARD, PAT):
        assert bench.counted(programmer) == sum(
            task.request.programmer == programmer for task in tasks
        )
    assert schedule._elements == sum(task.elements for task in tasks)
    return (
        schedule.next_time(),
        schedule.rows(WIZARD),
        bench.scheduler.queued_tasks(WIZARD),
        [(task.due, task.order, task.is_enabled) for task in tasks],
    )


# --- order ------------------------------------------------------------------


def test_what_is_due_at_once_runs_in_the_order_of_its_times(
    bench: SchedulingBench,
) -> None:
    bench.run(
        'invoke(#2, "note", {"c"}, {{"delay", 3}});'
        'fork (2) #0.seen = {@#0.seen, "b"}; endfork '
        'invoke(#2, "note", {"a"}, {{"delay", 1}});'
        'invoke(#2, "note", {"d"}, {{"delay", 3}});'
        'fork (4) #0.seen = {@#0.seen, "e"}; endfork'
    )
    bench.advance(10)
    assert bench.seen() == ("a", "b", "c", "d", "e")


def test_tasks_of_different_programmers_take_turns(bench: SchedulingBench) -> None:
    for player in (WIZARD, WIZARD, PAT, PAT):
        bench.run(f'invoke(#2, "note", {{{player}}});', player=player)
    bench.settle()
    assert bench.seen() == (WIZARD, PAT, WIZARD, PAT)


def test_the_number_of_a_task_is_no_handle_and_none_is_given_twice(
    bench: SchedulingBench,
) -> None:
    numbers = iter([5, 5, 7, 7, 9, 9])
    bench.runner.new_task_id = lambda: next(numbers)  # type: ignore[method-assign]
    program = bench.engine.compile(
        'fork (9) endfork return {invoke(#2, "note"), invoke(#2, "note")};'
    )
    result = bench.runner.program_task(
        program,
        player=WIZARD,
        programmer=WIZARD,
        verb="",
        verb_names="",
        debug=8,
        task_id=1,
    )
    assert isinstance(result, Done)
    assert result.value == (7, 9)


# --- what is done can be undone ---------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("invoke"), st.integers(0, 3), st.booleans()),
        st.tuples(st.just("period"), st.integers(1, 3), st.booleans()),
        st.tuples(st.just("cancel"), st.integers(0, 5), st.booleans()),
        st.tuples(st.just("put off"), st.integers(0, 5), st.booleans()),
    ),
    max_size=12,
)


@given(STEPS)
def test_every_change_is_undone_exactly(steps: list[Any]) -> None:
    """All of them, the last one first.

    No program runs meanwhile: what undoes a change has the task itself in hand.
    """
    bench = SchedulingBench()
    schedule = bench.scheduler.schedule
    undo: list[tuple[tuple[Any, ...], Callable[[], None]]] = []
    for kind, number, flag in steps:
        before = state(bench)
        tasks = [*schedule]
        if kind in ("invoke", "period"):
            request = Invocation(
                ROOM,
                "note",
                (1, (2,)),
                PAT if flag else WIZARD,
                NOTHING,
                WIZARD,
                number,
                is_periodic=kind == "period",
            )
            handle = schedule.invoke(request)
            [task] = [each for each in schedule if each.handle == handle]
            undo.append((before, lambda task=task: schedule.remove(task)))
        elif tasks and kind == "cancel":
            task = tasks[number % len(tasks)]
            assert schedule.cancel(task.handle, WIZARD)
            undo.append((before, lambda task=task: schedule.add(task)))
        elif tasks:
            task = tasks[number % len(tasks)]
            was = task.due, task.is_enabled
            schedule.put_off(task, task.due + number - 2, is_enabled=flag)

            def put_back(task: ScheduledTask = task, was: Any = was) -> None:
                schedule.put_off(task, was[0], is_enabled=was[1])

            undo.append((before, put_back))
    state(bench)
    while undo:
        before, step = undo.pop()
        step()
        assert state(bench) == before


def test_a_slice_that_is_rolled_back_has_scheduled_and_cancelled_nothing(
    bench: SchedulingBench,
) -> None:
    call = 'invoke(#2, "note", {{{}}}, {{{{"delay", {}}}}})'
    kept = [bench.give(call.format(number, number)) for number in (3, 1, 1, 2)]
    before = state(bench)[:3]
    changes = (
        f"cancel_task({kept[1]}); kill_task({kept[0]}); {call.format(9, 1)};"
        f" {call.format(8, 0)}; cancel_task({kept[2]});"
    )
    bench.run(f"{changes} rollback();")
    assert state(bench)[:3] == before
    bench.run(f'task_policy("rollback"); {changes} raise(E_NONE);')
    assert state(bench)[:3] == before
    bench.run(f"{changes} suspend(0); rollback();")
    assert len(bench.scheduler.schedule) == 3
    bench.settle()
    bench.advance(10)
    assert bench.seen() == (8, 9, 2)


def test_what_follows_a_failure_is_not_undone_with_it(bench: SchedulingBench) -> None:
    bench.verb(2, "undone", 'task_policy("rollback"); invoke(#2, "note", {1}); 1 / 0;')
    bench.run('invoke(#2, "undone", {}, {{"errback", {#2, "note"}}});')
    bench.settle()
    assert bench.seen()[:2] == (E_DIV, "Division by zero")
    assert bench.counted() == 0


def test_a_task_that_rolls_back_has_no_result(bench: SchedulingBench) -> None:
    bench.verb(2, "undone", "rollback();")
    bench.run(
        'invoke(#2, "undone", {}, '
        '{{"callback", {#2, "note"}}, {"errback", {#2, "note"}}});'
    )
    bench.settle()
    assert bench.seen() == ()
    assert bench.counted() == 0


# --- clocks that jump ---------------------------------------------------------


def test_a_clock_that_jumps_forward_makes_no_burst(bench: SchedulingBench) -> None:
    note_times(bench)
    periodic(bench, 1)
    bench.run('invoke(#2, "when", {}, {{"cron", "* * * * *"}});')
    bench.advance(30 * 24 * HOUR)
    assert len(bench.seen()) == 2


def test_a_clock_that_is_set_back_delays_nothing_by_more_than_was_asked_for(
    bench: SchedulingBench,
) -> None:
    note_times(bench)
    periodic(bench, 10)
    bench.run('invoke(#2, "when", {}, {{"delay", 15}});')
    bench.advance(1)
    bench.advance(-HOUR)
    now = int(bench.clock.now())
    for _ in range(20):
        bench.advance(1)
    assert bench.seen() == (now + 10, now + 15, now + 20)


def test_a_clock_that_is_adjusted_changes_nothing(bench: SchedulingBench) -> None:
    note_times(bench)
    began = int(bench.clock.now())
    periodic(bench, 10)
    bench.advance(0.5)
    bench.advance(-0.75)
    for _ in range(90):
        bench.advance(0.25)
    assert bench.seen() == (began + 10, began + 20)


def cron_times(bench: SchedulingBench, hours: float) -> list[str]:
    for _ in range(int(hours * 4)):
        bench.advance(900)
    return [
        datetime.fromtimestamp(time, UTC).isoformat(" ", "minutes")[:16]
        for time in bench.seen()
    ]


def test_what_goes_by_the_clock_does_so_by_one_that_is_set_back(
    bench: SchedulingBench,
) -> None:
    """A little: not again what was done.  Far: as that clock says."""
    note_times(bench)
    bench.clock.seconds = datetime(2026, 5, 10, 8, tzinfo=UTC).timestamp()
    bench.run('invoke(#2, "when", {}, {{"cron", "0 9 * * *"}});')
    assert cron_times(bench, 2) == ["2026-05-10 09:00"]
    bench.advance(-2 * HOUR)
    assert cron_times(bench, 22) == []
    assert cron_times(bench, 4) == ["2026-05-11 09:00"]
    bench.advance(-9 * 24 * HOUR)
    assert cron_times(bench, 24) == ["2026-05-03 09:00"]


@given(st.lists(st.integers(-3 * HOUR, 3 * HOUR) | st.integers(0, 30), max_size=20))
def test_each_look_at_the_clock_begins_a_task_once_at_most(jumps: list[int]) -> None:
    bench = SchedulingBench()
    bench.run(
        'invoke(#2, "note", {"p"}, {{"delay", 10}, {"periodic", 1}});'
        'invoke(#2, "note", {"c"}, {{"cron", "* * * * *"}});'
        'invoke(#2, "note", {"o"}, {{"delay", 1000}});'
    )
    once = 0
    for jump in jumps:
        bench.advance(jump)
        seen = bench.seen()
        assert seen.count("p") <= 1
        assert seen.count("c") <= 1
        once += seen.count("o")
        assert once <= 1
        wait = bench.scheduler.seconds_until_next()
        assert wait is not None
        assert 0 < wait <= 10
        state(bench)


def test_one_that_has_not_begun_is_not_begun_again(bench: SchedulingBench) -> None:
    """Its programmer has so much to do that it does not come to its turn."""
    note_times(bench)
    periodic(bench, 1)
    bench.run("for i in [1..5] fork (0) #0.seen = {@#0.seen, 0}; endfork endfor")
    for _ in range(5):
        bench.clock.advance(2)
        bench.scheduler.turn()
    assert bench.scheduler.queue_length(WIZARD) == 2  # itself, and one of it
    bench.settle()
    assert bench.seen() == (0, 0, 0, 0, 0, int(bench.clock.now()))


# --- limits ---------------------------------------------------------------------


def test_all_arguments_together_fit_into_a_textdump(
    bench: SchedulingBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule_module, "MAX_ELEMENTS", 10)
    assert bench.refusal('invoke(#2, "note", {1, 2, 3, {4, 5, 6, 7, 8, 9, 10}})') == (
        "E_QUOTA"
    )
    call = 'invoke(#2, "note", {{1, 2}, {3}})'  # five elements
    assert type(bench.give(call)) is int
    assert type(bench.give(call)) is int
    assert bench.refusal('invoke(#2, "note", {1})') == "E_QUOTA"
    bench.settle()
    assert type(bench.give('invoke(#2, "note", {1})')) is int


def test_a_result_that_is_too_large_is_an_error_to_the_callback(
    bench: SchedulingBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule_module, "MAX_ELEMENTS", 4)
    bench.verb(2, "large", "return {1, 2, 3, 4};")
    bench.run('invoke(#2, "large", {}, {{"callback", {#2, "note"}}});')
    bench.settle()
    assert bench.seen() == (E_QUOTA,)


# --- textdumps ------------------------------------------------------------------


def test_what_is_saved_is_what_is_restored(bench: SchedulingBench) -> None:
    bench.verb(2, "sleep", "suspend(); return 5;")
    bench.run(
        'invoke(#2, "note", {1, 2.5, {E_PERM}}, {{"delay", 0.1}, '
        '{"callback", {#2, "how"}}});'
        'invoke(#2, "note", {}, {{"cron", "@daily"}, {"timezone", "Asia/Tokyo"}});'
        'invoke(#2, "note", {}, {{"delay", 10.5}, {"periodic", 1}, {"player", #5}});'
        'invoke(#6, "mine", {}, {{"delay", 5}, {"periodic", 1}});'
        'invoke(#2, "sleep", {}, {{"callback", {#2, "note"}}});'
    )
    bench.advance(0)
    bench.run("recycle(#6);")
    bench.advance(11)
    bench.seen()
    schedule = bench.scheduler.schedule
    before, saved = state_of_two(bench), schedule.saved()
    for task in bench.scheduler.background_tasks():
        task.vm.sequel = None
    schedule.restore(saved)
    assert state_of_two(bench) == before
    assert schedule.saved() == saved
    bench.run("for t in (queued_tasks()) `resume(t[1]) ! ANY'; endfor")
    bench.settle()
    assert bench.seen() == (5,)


def state_of_two(bench: SchedulingBench) -> tuple[Value, Value]:
    return bench.give("scheduled_tasks()"), bench.give("queued_tasks()")


def test_where_nothing_is_scheduled_nothing_is_saved(bench: SchedulingBench) -> None:
    assert bench.scheduler.schedule.saved() == 0
    bench.run('invoke(#2, "note");')
    bench.settle()
    assert bench.scheduler.schedule.saved() == 0


def test_what_cannot_be_read_is_logged_and_the_rest_is_there(
    bench: SchedulingBench,
) -> None:
    handle = bench.give('invoke(#2, "note", {}, {{"delay", 5}})')
    schedule = bench.scheduler.schedule
    seen, rows, _ = schedule.saved()  # type: ignore[misc,str-unpack]
    [good] = rows  # type: ignore[misc,union-attr]
    bad = [
        1,
        (),
        good[:-1],  # type: ignore[index]
        ("x", *good[1:]),  # type: ignore[index]
        (good[0], good[1][:-1], *good[2:]),  # type: ignore[index]
        (good[0], (*good[1][:-1], (1, 2)), *good[2:]),  # type: ignore[index]
        (good[0], (*good[1][:3], "x", *good[1][4:]), *good[2:]),  # type: ignore[index]
        (good[0], (*good[1][:6], -5, *good[1][7:]), *good[2:]),  # type: ignore[index]
        # Periodic, with no time between.
        (good[0], (*good[1][:6], 0, 1, *good[1][8:]), *good[2:]),  # type: ignore[index]
        *((*good[:2], time, *good[3:]) for time in (inf, -inf, nan)),  # type: ignore[index,misc]
    ]
    schedule.restore((seen, (*bad, good, good), (1, (2, 3))))  # type: ignore[arg-type]
    assert [task.handle for task in schedule] == [handle]
    complaints = [
        line
        for line in bench.log
        if line.startswith("*** SCHEDULE: what was saved cannot be read: ")
    ]
    assert len(complaints) == len(bad) + 3
    for broken in (1, (), (seen,), (1, (), ()), (nan, (), ()), (seen, 1, 1)):
        schedule.restore(broken)  # type: ignore[arg-type]
        assert bench.log[-1].startswith("*** SCHEDULE: what was saved")
    state(bench)


def test_a_time_zone_that_another_machine_lacks_is_waited_for(
    bench: SchedulingBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run(
        'invoke(#2, "note", {1}, {{"cron", "@daily"}, {"timezone", "Asia/Tokyo"}});'
    )
    schedule = bench.scheduler.schedule
    before, saved = state(bench), schedule.saved()

    def fails(name: str) -> tzinfo:
        raise CronError(f"there is no time zone {name!r} on this machine")

    with monkeypatch.context() as patch:
        patch.setattr(schedule_module, "time_zone", fails)
        schedule.restore(saved)
        assert (
            "#2:note(), is never due: there is no time zone 'Asia/Tokyo'"
            in bench.log[0]
        )
        [row] = bench.give("scheduled_tasks()")  # type: ignore[misc,union-attr]
        assert row[5:8] == (0, "@daily", 0)
        assert bench.scheduler.seconds_until_next() is None
        state(bench)
        assert schedule.saved() == saved
    schedule.restore(saved)
    assert state(bench)[:3] == before[:3]


def test_a_clock_that_went_back_between_two_starts_delays_nothing(
    tmp_path: Path,
) -> None:
    lives = Lives(tmp_path, verbs={"tick": "notify(#3, tostr(time()));\n"})
    lives.eval('invoke(#0, "tick", {}, {{"delay", 100}, {"periodic", 1}});')
    lives.restart(after=-24 * HOUR)
    now = int(lives.clock.now())
    assert lives.advance(200) == [str(now + 100), str(now + 200)]


def test_a_classic_server_keeps_what_it_does_not_know(tmp_path: Path) -> None:
    lives = Lives(tmp_path, verbs={"tick": "notify(#3, tostr(time()));\n"})
    handle = lives.eval('return invoke(#0, "tick", {}, {{"delay", 100}});')
    due = int(lives.clock.now()) + 100
    lives.process.shut_down()
    between = tmp_path / "between.db"
    classic = InProcessServer.open(lives.path, between, LAMBDAMOO, clock=lives.clock)
    classic.advance(10)
    classic.shut_down()
    lives.start_with(between)
    assert lives.eval("return scheduled_tasks()[1][1];") == handle
    assert lives.advance(90) == [str(due)]


@pytest.mark.parametrize(
    "change",
    [
        "set_task_perms(#5); fork (5) endfork",
        'set_task_perms(#5); invoke(#6, "mine");',
        'invoke(#2, "note"); force_input(#3, "look");',
        'force_input(#5, "look");',
        'force_input(#7, "look");',
        "resume(#0.sleeper); fork (0) endfork",
        "kill_task(#0.sleeper);",
    ],
)
def test_a_rollback_leaves_the_queues_as_they_were(
    bench: SchedulingBench, change: str
) -> None:
    """Which there are, and in which order, without waiting for the next turn."""
    bench.world.create(WIZARD, Obj(1))
    bench.scheduler.connect(WIZARD, Obj(0))
    bench.run('add_property(#0, "sleeper", 0, {#3, ""});')
    bench.run("set_task_perms(#6); fork x (100) endfork")
    bench.run("fork x (0) #0.sleeper = task_id(); suspend(); endfork")
    bench.settle()
    bench.verb(2, "change", change)
    before = bench.give("{queue_info(), queue_info(#3), queue_info(#5)}")
    bench.run("#2:change(); rollback();")
    assert bench.give("{queue_info(), queue_info(#3), queue_info(#5)}") == before
    bench.run("#2:change();")
    assert bench.give("{queue_info(), queue_info(#3), queue_info(#5)}") != before
