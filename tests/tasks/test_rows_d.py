"""Tasks that are started on a schedule, as the requirements D-04 to D-22 have them."""

from __future__ import annotations

import gc
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pymoo.db.objects import FLAG_WIZARD
from pymoo.interp.tiering import SWITCH
from pymoo.tasks.clock import ManualClock
from pymoo.tasks.stress import switched_on
from pymoo.values import E_DIV, NOTHING, Obj
from tests.fakes import WIZARD, Bench
from tests.scheduling import BOX, PAT, ROOM, Lives, SchedulingBench

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(params=["walker", "compiled"])
def bench(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> SchedulingBench:
    monkeypatch.setenv(SWITCH, request.param)
    return SchedulingBench()


# --- D-04: a verb as a task of its own --------------------------------------


def test_d04_the_verb_runs_later_and_what_it_returns_goes_nowhere(
    bench: SchedulingBench,
) -> None:
    seen = bench.run('x = invoke(#2, "note", {1}); return #0.seen;')
    assert seen.value == ()
    assert seen.lines == []
    bench.settle()
    assert bench.seen() == (1,)


def test_d04_an_object_that_is_gone_is_skipped_with_a_line_in_the_log(
    bench: SchedulingBench,
) -> None:
    handle = bench.give('invoke(#6, "mine", {}, {{"delay", 5}})')
    bench.run("recycle(#6);")
    bench.advance(5)
    assert bench.log == [
        f"SCHEDULE: task {handle}, #6:mine(), does not run: there is no #6"
    ]
    assert bench.lines == []
    assert bench.give("scheduled_tasks()") == ()
    assert bench.counted() == 0


def test_d04_without_a_player_errors_go_to_the_log(bench: SchedulingBench) -> None:
    bench.run('invoke(#2, "fail", {}, {{"player", #-1}});')
    bench.settle()
    assert bench.log == [
        "SCHEDULE: #2:fail, line 1:  Division by zero",
        "SCHEDULE: ... called from #-1:invoke, line 1",
        "SCHEDULE: (End of traceback)",
    ]
    assert bench.lines == []


# --- D-10: after a delay ----------------------------------------------------


def test_d10_the_verb_runs_no_sooner_than_asked_for(bench: SchedulingBench) -> None:
    bench.clock.seconds += 0.75
    bench.run('invoke(#2, "note", {1}, {{"delay", 30}});')
    bench.run('invoke(#2, "note", {2}, {{"delay", 0.5}});')
    assert bench.scheduler.seconds_until_next() == 0.5
    bench.advance(0.25)
    assert bench.seen() == ()
    bench.advance(0.25)
    assert bench.seen() == (2,)
    bench.advance(29.25)
    assert bench.seen() == ()
    bench.advance(0.25)
    assert bench.seen() == (1,)


def test_d10_it_is_a_task_of_its_own_with_a_new_budget(bench: SchedulingBench) -> None:
    bench.verb(2, "budget", "#0.seen = {task_id(), ticks_left(), seconds_left()};")
    mine = bench.give('{task_id(), invoke(#2, "budget"), invoke(#2, "budget")}')
    bench.settle()
    task, ticks, seconds = bench.seen()
    assert type(mine) is tuple
    assert task not in mine
    background = bench.engine.budget(foreground=False)
    # Less what it takes to call the verb, and to ask.
    assert background[0] - 15 <= ticks < background[0]
    assert seconds == background[1]


# --- D-11: again and again --------------------------------------------------


def test_d11_a_periodic_task_runs_until_it_is_cancelled(bench: SchedulingBench) -> None:
    bench.verb(2, "when", "#0.seen = {@#0.seen, time()};")
    began = int(bench.clock.now())
    handle = bench.give('invoke(#2, "when", {}, {{"delay", 30}, {"periodic", 1}})')
    for _ in range(100):
        bench.advance(1)
    assert bench.seen() == (began + 30, began + 60, began + 90)
    assert bench.give(f"cancel_task({handle})") == 1
    bench.advance(1000)
    assert bench.seen() == ()


def test_d11_only_wizards_may(bench: SchedulingBench) -> None:
    call = 'invoke(#2, "note", {}, {{"delay", 30}, {"periodic", 1}})'
    assert bench.refusal(call, PAT) == "E_PERM"


def test_d11_who_is_a_wizard_no_more_has_no_periodic_tasks(
    bench: SchedulingBench,
) -> None:
    bench.world.set_flag(PAT, FLAG_WIZARD, True)
    handle = bench.give(
        'invoke(#2, "note", {1}, {{"delay", 30}, {"periodic", 1}})', PAT
    )
    bench.advance(30)
    assert bench.seen() == (1,)
    bench.world.set_flag(PAT, FLAG_WIZARD, False)
    bench.advance(30)
    bench.advance(30)
    assert bench.seen() == ()
    assert bench.log == [
        f"SCHEDULE: task {handle}, #2:note(), does not run: #5 is no wizard; "
        "it is not enabled any more"
    ]
    [row] = bench.give("scheduled_tasks()")  # type: ignore[misc,union-attr]
    assert row[5:8] == (0, 30, 0)
    assert bench.give("queued_tasks()") == ()
    assert bench.scheduler.seconds_until_next() is None


def test_d11_what_was_missed_is_done_once_and_times_do_not_drift(
    bench: SchedulingBench,
) -> None:
    bench.verb(2, "when", "#0.seen = {@#0.seen, time()};")
    began = int(bench.clock.now())
    bench.run('invoke(#2, "when", {}, {{"delay", 10}, {"periodic", 1}});')
    bench.advance(10.25)
    bench.advance(1000)  # the server had something else to do
    assert bench.seen() == (began + 10, began + 1010)
    bench.advance(9.5)
    assert bench.seen() == ()
    bench.advance(0.25)
    assert bench.seen() == (began + 1020,)


def test_d11_it_survives_a_restart(tmp_path: Path) -> None:
    lives = Lives(tmp_path, verbs={"tick": "notify(#3, tostr(args[1], time()));\n"})
    began = int(lives.clock.now())
    handle = lives.eval(
        'return invoke(#0, "tick", {"t"}, {{"delay", 100}, {"periodic", 1}});'
    )
    assert lives.advance(250) == [f"t{began + 100}", f"t{began + 200}"]
    lives.restart()
    times = f"{began + 300}, 100, 1, {began + 200}, 2"
    assert lives.eval("return scheduled_tasks()[1][1..10];") == (
        f'{{{handle}, #3, #0, "tick", {{"t"}}, {times}}}'
    )
    assert lives.advance(49) == []
    assert lives.advance(1) == [f"t{began + 300}"]
    lives.restart(after=1030)  # it is missed ten times
    assert lives.advance(0) == []  # it ran at the start, when nobody was there
    assert lives.eval("return scheduled_tasks()[1][10];") == "4"
    assert lives.advance(69) == []
    assert lives.advance(1) == [f"t{began + 1400}"]


# --- D-12: by the clock on the wall -----------------------------------------


def set_clock(bench: SchedulingBench, text: str) -> None:
    local = datetime.fromisoformat(text).replace(tzinfo=BERLIN)
    bench.clock.seconds = local.timestamp()


def run_for(bench: SchedulingBench, hours: int) -> list[str]:
    """Let hours pass, and return when verbs ran: what #2:when has noted."""
    bench.verb(2, "when", "#0.seen = {@#0.seen, time()};")
    for _ in range(hours * 4):
        bench.advance(900)
    return [
        datetime.fromtimestamp(time, BERLIN).isoformat(" ", "minutes")
        for time in bench.seen()
    ]


def test_d12_a_schedule_of_crontab_in_a_time_zone(bench: SchedulingBench) -> None:
    set_clock(bench, "2026-05-15 08:00")  # a Friday
    bench.verb(2, "when", "")
    bench.run(
        'invoke(#2, "when", {}, '
        '{{"cron", "30 9 * * mon-fri"}, {"timezone", "Europe/Berlin"}});'
    )
    assert run_for(bench, 96) == ["2026-05-15 09:30+02:00", "2026-05-18 09:30+02:00"]


def test_d12_a_time_that_the_clock_skips_happens_once(bench: SchedulingBench) -> None:
    set_clock(bench, "2026-03-28 12:00")
    bench.verb(2, "when", "")
    bench.run(
        'invoke(#2, "when", {}, '
        '{{"cron", "30 2 * * *"}, {"timezone", "Europe/Berlin"}});'
    )
    assert run_for(bench, 48) == ["2026-03-29 03:00+02:00", "2026-03-30 02:30+02:00"]


def test_d12_a_time_that_it_shows_twice_happens_once(bench: SchedulingBench) -> None:
    set_clock(bench, "2026-10-24 12:00")
    bench.verb(2, "when", "")
    bench.run(
        'invoke(#2, "when", {}, '
        '{{"cron", "30 2 * * *"}, {"timezone", "Europe/Berlin"}});'
    )
    assert run_for(bench, 48) == ["2026-10-25 02:30+02:00", "2026-10-26 02:30+01:00"]


def test_d12_the_world_says_which_time_zone_is_meant(bench: SchedulingBench) -> None:
    set_clock(bench, "2026-05-15 08:00")
    invoke = 'invoke(#2, "note", {}, {{"cron", "0 12 * * *"}});'
    bench.run(invoke)
    bench.run(f'add_property(#4, "timezone", "Europe/Berlin", {{#3, "r"}}); {invoke}')
    bench.run(f'#4.timezone = "Asia/Tokyo"; {invoke}')
    rows = bench.give("scheduled_tasks()")
    assert [
        (
            row[11],
            datetime.fromtimestamp(row[5], ZoneInfo(row[11])).isoformat(" ", "hours"),
        )
        for row in rows  # type: ignore[union-attr]
    ] == [
        ("Europe/Berlin", "2026-05-15 12+02:00"),
        ("UTC", "2026-05-15 12+00:00"),
        ("Asia/Tokyo", "2026-05-16 12+09:00"),
    ]
    bench.run("#4.timezone = 5;")
    assert bench.refusal(invoke[:-1]) == "E_INVARG"


def test_d12_only_wizards_may_and_not_with_a_delay(bench: SchedulingBench) -> None:
    call = 'invoke(#2, "note", {{}}, {{{{"cron", "@hourly"}}{}}})'
    assert bench.refusal(call.format(""), PAT) == "E_PERM"
    assert bench.refusal(call.format(', {"delay", 5}')) == "E_INVARG"


# --- D-13: what may be called, and with whose permissions --------------------


def test_d13_the_task_has_the_permissions_of_the_verb_s_owner(
    bench: SchedulingBench,
) -> None:
    bench.verb(6, "perms", "#6:tell();", owner=PAT)
    bench.verb(
        6,
        "tell",
        "notify(player, toliteral(callers()));",
        owner=PAT,
    )
    bench.run('invoke(#6, "perms", {}, {{"player", #5}});')
    bench.settle()
    assert bench.host.connections.sent == [
        (PAT, '{{#6, "perms", #5, #6, #5}, {#-1, "invoke", #3, #-1, #5}}')
    ]


def test_d13_caller_perms_are_the_programmer_s_and_caller_was_this(
    bench: SchedulingBench,
) -> None:
    bench.verb(6, "begin", 'invoke(#2, "how", {1});', owner=PAT)
    bench.run("#6:begin();")
    bench.settle()
    assert bench.seen() == ((ROOM, BOX, PAT, WIZARD, "how", (1,)),)


def test_d13_caller_perms_outlive_a_suspension_and_a_restart(tmp_path: Path) -> None:
    code = "suspend(100);\nnotify(#3, toliteral({caller, caller_perms()}));\n"
    lives = Lives(tmp_path, verbs={"wait": code})
    lives.eval('invoke(#0, "wait");')
    lives.restart(after=5)
    assert lives.advance(95) == ["{#-1, #3}"]


def test_d13_the_verb_must_be_callable_when_it_is_scheduled(
    bench: SchedulingBench,
) -> None:
    bench.verb(2, "hidden", "", flags="rd")
    assert bench.refusal('invoke(#2, "hidden")') == "E_VERBNF"


def test_d13_the_verb_must_be_callable_when_it_is_time(bench: SchedulingBench) -> None:
    once = bench.give('invoke(#2, "note", {0}, {{"delay", 5}})')
    often = bench.give('invoke(#2, "note", {1}, {{"delay", 10}, {"periodic", 1}})')
    bench.run('set_verb_info(#2, "note", {#3, "rd", "note"});')
    bench.advance(10)
    reason = "#2:note(), does not run: there is no such verb that can be called"
    assert bench.log == [
        f"SCHEDULE: task {once}, {reason}",
        f"SCHEDULE: task {often}, {reason}",
    ]
    # A verb comes and goes while somebody works on it.
    bench.run('set_verb_info(#2, "note", {#3, "rxd", "note"});')
    bench.advance(10)
    assert bench.seen() == (1,)


# --- D-14: what follows ------------------------------------------------------


def test_d14_the_result_is_the_first_argument_of_the_callback(
    bench: SchedulingBench,
) -> None:
    bench.verb(2, "work", "suspend(3); return {args, task_id()};")
    bench.verb(2, "done", "#0.seen = {@#0.seen, args, task_id(), caller_perms()};")
    bench.run(
        'invoke(#2, "work", {7}, '
        '{{"callback", {#2, "done"}}, {"errback", {#2, "fail"}}});'
    )
    bench.settle()
    assert bench.seen() == ()
    bench.advance(3)
    [[[arguments, worker]], follower, programmer] = bench.seen()
    assert arguments == (7,)
    assert worker != follower
    assert programmer == WIZARD


def test_d14_an_error_is_no_result_and_is_reported(bench: SchedulingBench) -> None:
    bench.run('invoke(#2, "fail", {}, {{"callback", {#2, "note"}}});')
    bench.settle()
    assert bench.seen() == ()
    assert bench.lines == [
        "#2:fail, line 1:  Division by zero",
        "... called from #-1:invoke, line 1",
        "(End of traceback)",
    ]


def test_d14_the_errback_gets_the_error_instead(bench: SchedulingBench) -> None:
    bench.run(
        'invoke(#2, "fail", {}, '
        '{{"callback", {#2, "note"}}, {"errback", {#2, "note"}}});'
    )
    bench.settle()
    assert bench.seen() == (
        E_DIV,
        "Division by zero",
        0,
        (
            (ROOM, "fail", WIZARD, ROOM, WIZARD, 1),
            (NOTHING, "invoke", WIZARD, NOTHING, WIZARD, 1),
        ),
    )
    assert bench.lines == []


def test_d14_the_errback_hears_of_a_task_that_used_up_its_ticks(
    bench: SchedulingBench,
) -> None:
    bench.verb(2, "loop", "while (1) endwhile")
    bench.run('invoke(#2, "loop", {}, {{"errback", {#2, "note"}}});')
    bench.settle()
    code, message, value, traceback = bench.seen()
    assert (code, message, value) == ("ticks", "Task ran out of ticks", 0)
    assert traceback[0][:2] == (ROOM, "loop")
    assert bench.lines == []


def test_d14_who_is_killed_has_no_result_and_no_error(bench: SchedulingBench) -> None:
    bench.verb(2, "sleep", "suspend();")
    bench.verb(2, "end", "kill_task(task_id());")
    for verb in ("sleep", "end"):
        bench.run(
            f'invoke(#2, "{verb}", {{}}, '
            '{{"callback", {#2, "note"}}, {"errback", {#2, "note"}}});'
        )
    bench.settle()
    bench.run("for row in (queued_tasks()) kill_task(row[1]); endfor")
    bench.settle()
    assert bench.seen() == ()
    assert bench.lines == []


def test_d14_a_callback_that_is_gone_is_logged_and_an_error_reported(
    bench: SchedulingBench,
) -> None:
    for verb in ("note", "fail"):
        bench.run(
            f'invoke(#2, "{verb}", {{}}, '
            '{{"delay", 1}, {"callback", {#6, "mine"}}, {"errback", {#6, "mine"}}});'
        )
    bench.run("recycle(#6);")
    bench.advance(1)
    assert len(bench.log) == 2
    assert all("#6:mine(), does not run: there is no #6" in line for line in bench.log)
    assert bench.lines[0] == "#2:fail, line 1:  Division by zero"
    assert bench.counted() == 0


def test_d14_callbacks_survive_a_restart(tmp_path: Path) -> None:
    lives = Lives(
        tmp_path,
        verbs={
            "work": 'suspend(args[2]);\nreturn args[1] ? 1 / 0 | "done";\n',
            "got": "notify(#3, toliteral(args[1]));\n",
        },
    )
    options = '{{"callback", {#0, "got"}}, {"errback", {#0, "got"}}}'
    lives.eval(f'invoke(#0, "work", {{0, 100}}, {options});')
    lives.eval(f'invoke(#0, "work", {{1, 101}}, {options});')
    lives.restart()
    assert lives.advance(100) == ['"done"']
    lives.restart()
    assert lives.advance(1) == ["E_DIV"]
    assert lives.eval("return {queued_tasks(), scheduled_tasks()};") == "{{}, {}}"


# --- D-15: values that are passed --------------------------------------------


def test_d15_arguments_are_any_values_and_are_kept(tmp_path: Path) -> None:
    lives = Lives(tmp_path, verbs={"got": "notify(#3, toliteral(args));\n"})
    values = (
        '{1, -2147483648, #3, #-1, "a \\"b\\"", 0.1, 1e-300, E_PERM, {{}, {1, {"x"}}}}'
    )
    assert lives.eval(f"return {values};") == values
    lives.eval(f'invoke(#0, "got", {values}, {{{{"delay", 10}}}});')
    lives.restart()
    assert lives.eval("return scheduled_tasks()[1][5];") == values
    assert lives.advance(10) == [values]


# --- D-16: a task that schedules itself --------------------------------------

# Under the switches of `pymoo.tasks.stress` each takes a hundred times as long.
GENERATIONS = 200 if switched_on() else 10_000


def test_d16_ten_thousand_generations_leave_nothing_behind(
    bench: SchedulingBench,
) -> None:
    bench.verb(
        2,
        "again",
        "#0.seen = args; "
        f"args[1] < {GENERATIONS} && "
        'invoke(this, verb, {args[1] + 1}, {{"delay", 1}});',
    )
    bench.run('invoke(#2, "again", {1});')
    bench.settle()
    sizes = []
    for generation in range(2, GENERATIONS + 1):
        bench.advance(1)
        if generation % (GENERATIONS * 3 // 10) == 0:
            gc.collect()
            sizes.append(len(gc.get_objects()))
            assert bench.counted() == 1
    assert bench.seen() == (GENERATIONS,)
    assert bench.counted() == 0
    assert len(bench.scheduler.schedule) == 0
    # As many objects, but for what fills a cache now and then.
    assert max(sizes) - sizes[0] < 1_000
    assert bench.scheduler.seconds_until_next() is None


def test_d16_the_counting_parrot(bench: SchedulingBench) -> None:
    bench.verb(
        2,
        "squawk",
        [
            "value = args[1] + 1;",
            'notify(player, tostr("A parrot squawks ", value, "."));',
            'invoke(this, "squawk", {value}, {{"delay", 30}});',
        ],
    )
    bench.run('invoke(#2, "squawk", {0}, {{"delay", 30}});')
    for _ in range(7):
        bench.advance(15)
    assert bench.lines == [f"A parrot squawks {number}." for number in (1, 2, 3)]


# --- D-19: work in portions ---------------------------------------------------

# As the documentation has it.
CONTINUE_LATER = """\
"Usage:  :continue_later(items, verb, message)";
"Calls this:(verb)(items) as a new task; tells the player how many are left.";
{items, verb, message} = args;
if (!items)
return 0;
endif
player:tell(strsub(message, "%d", tostr(length(items))));
return invoke(this, verb, {items});
"""

WORK = """\
{items} = args;
while (items && ticks_left() > 20000)
#0.mark = {@#0.mark || {}, items[1]};
items = items[2..$];
endwhile
this:continue_later(items, verb, "%d left");
"""


def test_d19_remaining_work_goes_on_in_new_tasks(tmp_path: Path) -> None:
    lives = Lives(
        tmp_path,
        verbs={
            "continue_later": CONTINUE_LATER,
            "work": WORK,
        },
    )
    lives.eval('add_verb(#1, {#3, "rxd", "tell"}, {"this", "none", "this"});')
    lives.eval('set_verb_code(#1, "tell", {"notify(this, tostr(@args));"});')
    lives.eval("x = {}; for i in [1..2000] x = {@x, i}; endfor #0.mark = {x};")
    lives.wizard.take_lines()
    lives.wizard.send_line(';x = #0.mark[1]; #0.mark = 0; invoke(#0, "work", {x});')
    lives.process.run()
    lines = [line for line in lives.wizard.take_lines() if line.endswith(" left")]
    left = [int(line.removesuffix(" left")) for line in lines]
    assert len(left) > 1
    assert left == sorted(left, reverse=True)
    assert (
        lives.eval("for i in [1..2000] if (#0.mark[i] != i) return i; endif endfor")
        == "0"
    )


# --- D-20: permissions for a single call ---------------------------------------


def test_d20_a_call_has_the_permissions_of_somebody_and_the_verb_keeps_its_own(
    bench: SchedulingBench,
) -> None:
    bench.verb(2, "who", "return {caller_perms(), caller, player, @args};")
    bench.verb(
        2,
        "scope",
        'inside = with_task_perms(#5, {#2, "who"}, {1, 2}); return {inside, #2:who()};',
    )
    assert bench.give("#2:scope()") == (
        (PAT, ROOM, WIZARD, 1, 2),
        (WIZARD, ROOM, WIZARD),
    )
    # As set_task_perms() does, for comparison: for good.
    bench.verb(2, "gone", "set_task_perms(#5); return #2:who();")
    assert bench.give("#2:gone()") == (PAT, ROOM, WIZARD)


def test_d20_a_built_in_function_may_do_what_they_may(bench: SchedulingBench) -> None:
    made = bench.give('with_task_perms(#5, "create", {#6})')
    assert bench.give(f"{made}.owner") == PAT
    assert bench.refusal('with_task_perms(#5, "shutdown")') == "E_PERM"
    assert bench.give('is_player(#5) && with_task_perms(#3, "is_player", {#2})') == 0


def test_d20_they_are_back_after_an_error_and_in_finally_parts(
    bench: SchedulingBench,
) -> None:
    bench.verb(2, "who", "return caller_perms();")
    bench.verb(
        2,
        "scope",
        'try with_task_perms(#5, {#2, "fail"}); except e (E_DIV) endtry'
        " return {#2:who(), e[2]};",
    )
    assert bench.give("#2:scope()") == (WIZARD, "Division by zero")


def test_d20_only_one_s_own_or_for_wizards(bench: SchedulingBench) -> None:
    assert bench.refusal('with_task_perms(#3, "time")', PAT) == "E_PERM"
    assert bench.refusal('with_task_perms(#5, "is_player", {#5})', PAT) == "{1}"
    for target in ("{#2}", '{"note", #2}', "5", "{}"):
        assert bench.refusal(f"with_task_perms(#3, {target})") == "E_TYPE"
    assert bench.refusal('with_task_perms(#3, {#2, "none"})') == "E_VERBNF"
    assert bench.refusal('with_task_perms(#3, "none")') == "E_INVARG"


def test_d20_they_outlive_a_suspension_and_a_restart(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    lives.eval(
        'add_verb(#0, {#3, "rxd", "inner"}, {"this", "none", "this"});'
        'set_verb_code(#0, "inner", {"suspend(10);", "return caller_perms();"});'
        'add_verb(#0, {#3, "rxd", "own"}, {"this", "none", "this"});'
        'set_verb_code(#0, "own", {"return caller_perms();"});'
        'add_verb(#0, {#3, "rxd", "outer"}, {"this", "none", "this"});'
        'set_verb_code(#0, "outer", {'
        '"x = with_task_perms(#4, {#0, \\"inner\\"});",'
        '"#0.mark = {x, this:own()};"});'
        "fork (0) #0:outer(); endfork"
    )
    lives.restart()
    lives.advance(20)
    assert lives.eval("return #0.mark;") == "{#4, #3}"


# --- D-21: what is scheduled, and cancelling it --------------------------------


def test_d21_cancelling_twice_is_no_error(bench: SchedulingBench) -> None:
    handle = bench.give('invoke(#2, "note", {1}, {{"delay", 5}})')
    assert bench.give(f"cancel_task({handle})") == 1
    assert bench.give(f"cancel_task({handle})") == 0
    assert bench.give("cancel_task(-5)") == 0
    bench.advance(10)
    assert bench.seen() == ()
    assert bench.counted() == 0


def test_d21_what_has_run_is_not_there(bench: SchedulingBench) -> None:
    handle = bench.give('invoke(#2, "note", {1})')
    bench.settle()
    assert bench.give(f"cancel_task({handle})") == 0


def test_d21_the_programmer_and_wizards_may_cancel(bench: SchedulingBench) -> None:
    call = 'invoke(#2, "note", {1}, {{"delay", 5}})'
    mine, others = bench.give(call, WIZARD), bench.give(call, PAT)
    again = bench.give(call, PAT)
    assert bench.refusal(f"cancel_task({mine})", PAT) == "E_PERM"
    assert bench.give(f"cancel_task({others})", PAT) == 1
    assert bench.give(f"cancel_task({again})", WIZARD) == 1


def test_d21_rows_tell_all_there_is_to_know(bench: SchedulingBench) -> None:
    began = int(bench.clock.now())
    once = bench.give('invoke(#6, "mine", {1, "x"}, {{"delay", 50.5}})', PAT)
    often = bench.give(
        'invoke(#2, "note", {}, {{"delay", 20}, {"periodic", 1}, '
        '{"callback", {#2, "HOW"}}, {"errback", {#6, "mine"}}})'
    )
    daily = bench.give(
        'invoke(#2, "how", {}, '
        '{{"cron", "@Daily"}, {"timezone", "Europe/Berlin"}, {"player", #5}})'
    )
    bench.advance(20)
    midnight = int(datetime(2027, 1, 16, tzinfo=BERLIN).timestamp())
    [mine] = [
        (once, PAT, BOX, "mine", (1, "x"), began + 50, 0, 1, 0, 0, 0, "", PAT, (), ())
    ]
    rows = bench.give("scheduled_tasks()")
    assert type(rows) is tuple
    last_task = rows[0][10]  # type: ignore[index]
    assert rows == (
        (
            *(often, WIZARD, ROOM, "note", (), began + 40, 20, 1, began + 20, 1),
            *(last_task, "", WIZARD, (ROOM, "HOW"), (BOX, "mine")),
        ),
        mine,
        (
            *(daily, WIZARD, ROOM, "how", (), midnight, "@Daily", 1, 0, 0, 0),
            *("Europe/Berlin", PAT, (), ()),
        ),
    )
    assert last_task not in (0, often)
    assert bench.give("scheduled_tasks()", PAT) == (mine,)


def test_d21_they_are_among_the_queued_tasks(bench: SchedulingBench) -> None:
    began = int(bench.clock.now())
    handle = bench.give('invoke(#6, "MINE", {"abc"}, {{"delay", 5}})', PAT)
    [row] = bench.give("queued_tasks()")  # type: ignore[misc,union-attr]
    assert row[:9] == (handle, began + 5, 0, 15_000, PAT, BOX, "mine", 1, BOX)
    assert bench.give("queued_tasks()", PAT) == (row,)
    assert bench.give("queue_info(#5)") == 1
    assert Obj(5) in bench.give("queue_info()")  # type: ignore[operator]
    bench.run('invoke(#2, "note", {}, {{"delay", 5}});')
    assert bench.give("queued_tasks()", PAT) == (row,)
    assert len(bench.give("queued_tasks()")) == 2  # type: ignore[arg-type]


def test_d21_kill_task_takes_the_handle(bench: SchedulingBench) -> None:
    call = 'invoke(#2, "note", {1}, {{"delay", 5}})'
    mine, other = bench.give(call, PAT), bench.give(call, WIZARD)
    assert bench.refusal(f"kill_task({other})", PAT) == "E_PERM"
    bench.run(f"kill_task({mine});", player=PAT)
    assert bench.refusal(f"kill_task({mine})", PAT) == "E_INVARG"
    for call in (f"resume({other})", f"task_stack({other})"):
        assert bench.refusal(call) == "E_INVARG"
    bench.advance(5)
    assert bench.seen() == (1,)


def test_d21_they_count_towards_the_limit_of_queued_tasks(
    bench: SchedulingBench,
) -> None:
    bench.run('add_property(#5, "queued_task_limit", 2, {#3, "r"});')
    call = 'invoke(#2, "note", {}, {{"delay", 5}})'
    bench.run("fork (5) endfork", player=PAT)
    handle = bench.give(call, PAT)
    assert bench.refusal(call, PAT) == "E_QUOTA"
    assert bench.run("fork (5) endfork", player=PAT).was_aborted
    bench.give(f"cancel_task({handle})", PAT)
    assert type(bench.give(call, PAT)) is int
    bench.advance(5)
    assert bench.counted(PAT) == 0
    assert type(bench.give(call, PAT)) is int


# --- D-22: whose output it is ---------------------------------------------------


def test_d22_output_reaches_the_player_whose_task_scheduled_it(
    bench: SchedulingBench,
) -> None:
    """Through tasks that they schedule in turn, and callbacks, too."""
    bench.verb(2, "say", "notify(player, args[1]); return args[1];")
    bench.verb(
        2,
        "more",
        'invoke(this, "say", {"then"}, {{"delay", 1}, {"callback", {this, "say"}}});',
    )
    bench.run('invoke(#2, "more", {}, {{"delay", 1}});', player=PAT)
    bench.run('invoke(#2, "fail");', player=PAT)
    bench.advance(1)
    bench.advance(1)
    assert bench.host.connections.sent == [
        (PAT, "#2:fail, line 1:  Division by zero"),
        (PAT, "... called from #-1:invoke, line 1"),
        (PAT, "(End of traceback)"),
        (PAT, "then"),
        (PAT, "then"),
    ]


def test_d22_the_player_variable_of_a_wizard_s_verb_counts(
    bench: SchedulingBench,
) -> None:
    """As it does for a verb that is called."""
    bench.run('player = #5; invoke(#2, "how");')
    bench.run('player = #5; invoke(#2, "how", {}, {{"player", #3}});')
    bench.settle()
    assert [row[3] for row in bench.seen()] == [PAT, WIZARD]
    bench.run('player = #3; invoke(#2, "how");', player=PAT)
    bench.settle()
    assert [row[3] for row in bench.seen()] == [PAT]


def test_d22_lines_of_a_task_of_invoke_may_be_marked_with_their_origin(
    bench: SchedulingBench,
) -> None:
    bench.run(
        'add_property(#4, "invoked_output_mark", "[%v %t %] ", {#3, "r"});'
        " load_server_options();"
    )
    bench.verb(
        2,
        "say",
        "notify(player, args[1]); notify(#5, args[1]); suspend(1);"
        ' notify(player, tostr("task ", task_id()));',
    )
    bench.run('notify(player, "a"); fork (0) notify(player, "b"); endfork')
    bench.run('invoke(#2, "say", {"c"});')
    bench.settle()
    bench.advance(1)
    first, second, marked, other, last = bench.host.connections.sent
    number = last[1].rpartition(" ")[2]
    assert (first, second) == ((WIZARD, "a"), (WIZARD, "b"))
    assert marked == (WIZARD, f"[#2:say {number} %] c")
    assert other == (PAT, "c")
    assert last == (WIZARD, f"[#2:say {number} %] task {number}")


def test_d22_lines_for_programs_are_not_marked(bench: SchedulingBench) -> None:
    bench.run(
        'add_property(#4, "invoked_output_mark", "* ", {#3, "r"});'
        " load_server_options();"
    )
    bench.verb(2, "say", 'notify(player, "#$#mcp"); notify(player, "x");')
    bench.run('invoke(#2, "say");')
    bench.settle()
    assert bench.lines == ["#$#mcp", "* x"]


def test_d22_bytes_are_not_marked_and_a_rollback_takes_the_mark_back(
    bench: SchedulingBench,
) -> None:
    bench.run(
        'add_property(#4, "invoked_output_mark", "* ", {#3, "r"});'
        " load_server_options(); rollback();"
    )
    bench.verb(2, "say", 'notify(player, "x");')
    bench.run('invoke(#2, "say");')
    bench.settle()
    bench.run(
        'add_property(#4, "invoked_output_mark", "* ", {#3, "r"});'
        " load_server_options();"
    )
    bench.host.connections.binary.append(WIZARD)
    bench.run('invoke(#2, "say");')
    bench.settle()
    bench.host.connections.binary.clear()
    bench.run('invoke(#2, "say");')
    bench.settle()
    assert bench.lines == ["x", "x", "* x"]


# --- D-08: a ceiling on the wall --------------------------------------------------


class IdleClock(ManualClock):
    """A clock on the wall that goes on each time that it is looked at.

    CPU time stands still, as if the task waited for the computer all the time.
    """

    def now(self) -> float:
        self.seconds += 0.25
        return self.seconds


@pytest.mark.parametrize(
    ("limit", "is_stopped"), [("2", True), ("0.5", True), ("0.01", False), ("0", False)]
)
def test_d08_no_slice_lasts_longer_than_hard_seconds(
    bench: SchedulingBench, limit: str, is_stopped: bool
) -> None:
    bench.run(
        f'add_property(#4, "hard_seconds", {limit}, {{#3, "r"}});'
        " load_server_options();"
    )
    bench.verb(2, "count", "for i in [1..args[1]] endfor")
    bench.engine.clock = IdleClock()  # type: ignore[misc]
    seen = bench.run(
        "try try for i in [1..2000] this = this; #2:count(20); endfor except (ANY) "
        'notify(player, "never"); endtry finally notify(player, "at the end"); endtry'
    )
    assert seen.was_aborted == is_stopped
    if is_stopped:
        assert seen.lines[0].endswith("Task ran out of seconds")
        assert "never" not in seen.lines
        assert "at the end" not in seen.lines


def test_d08_each_slice_has_hard_seconds_anew_and_sees_what_is_left(
    bench: SchedulingBench,
) -> None:
    bench.run(
        'add_property(#4, "hard_seconds", 2.5, {#3, "r"}); load_server_options();'
        "#0.seen = {seconds_left()};"
    )
    bench.run(
        "fork (0) #0.seen = {@#0.seen, seconds_left()}; suspend(0);"
        " #0.seen = {@#0.seen, task_time()[3]}; endfork"
    )
    bench.settle()
    assert bench.lines == []
    assert bench.seen() == (5, 2, 2.5)


def test_d08_a_rollback_takes_the_ceiling_back(bench: SchedulingBench) -> None:
    bench.run(
        'add_property(#4, "hard_seconds", 1, {#3, "r"}); load_server_options();'
        "rollback();"
    )
    assert bench.engine.hard_seconds is None


def test_d08_lambdamoo_has_no_such_ceiling() -> None:
    bench = Bench(dialect_name="lambdamoo")
    bench.run('add_property(#4, "hard_seconds", 1, {#3, "r"}); load_server_options();')
    assert bench.engine.hard_seconds is None
