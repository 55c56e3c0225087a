"""When tasks run: forks, suspensions, the order among players, limits, queues."""

from __future__ import annotations

import pytest

from pymoo.db.objects import FLAG_PROGRAMMER
from pymoo.tasks.queues import PlayerQueue
from pymoo.values import NOTHING, Obj
from tests.fakes import WIZARD, Bench

SAY = 'notify(player, "{}");'


def connect(bench: Bench, player: Obj = WIZARD) -> PlayerQueue:
    return bench.scheduler.connect(player, Obj(0))


def type_line(bench: Bench, queue: PlayerQueue, text: str) -> None:
    bench.scheduler.new_line(queue, text, binary=False)
    bench.settle()


def test_suspend_zero_lets_the_other_ready_task_run_first(bench: Bench) -> None:
    bench.run(
        'fork (0) notify(player, "forked"); endfork suspend(0);'
        ' notify(player, "resumed");'
    )
    bench.settle()
    assert bench.lines == ["forked", "resumed"]


def test_tasks_of_the_same_second_run_in_the_order_they_were_queued(
    bench: Bench,
) -> None:
    for name in "abc":
        bench.run(f'fork (2) notify(player, "{name}"); endfork')
    bench.advance(1)
    assert bench.lines == []
    bench.advance(1)
    assert bench.lines == ["a", "b", "c"]


def test_a_fork_has_the_variables_of_its_moment_and_knows_its_own_id(
    bench: Bench,
) -> None:
    seen = bench.run(
        "x = 1; fork t (0) notify(player, tostr(x, t == task_id()));"
        " endfork x = 2; return t;"
    )
    assert type(seen.value) is int
    bench.settle()
    assert bench.lines == ["11"]


def test_a_forked_fork_runs_its_own_body(bench: Bench) -> None:
    bench.run(
        'fork (0) fork (0) notify(player, "inner"); endfork'
        ' notify(player, "outer"); endfork'
    )
    bench.settle()
    assert bench.lines == ["outer", "inner"]


def test_delays_are_whole_seconds_in_the_classic_dialect(bench: Bench) -> None:
    assert bench.run("return `suspend(0.5) ! E_TYPE';").literal == "E_TYPE"
    assert (
        bench.run("try fork (0.5) endfork except e (ANY) return e[1]; endtry").literal
        == "E_TYPE"
    )
    assert bench.run("return `suspend(-1) ! E_INVARG';").literal == "E_INVARG"


def test_resume_gives_a_value_and_an_error_value_is_raised(bench: Bench) -> None:
    bench.run("notify(player, tostr(suspend()));")
    bench.run("try suspend(); except e (E_PERM) notify(player, e[2]); endtry")
    bench.advance(10_000_000)
    assert bench.lines == []
    bench.run(
        'ids = queued_tasks(); resume(ids[1][1], "value"); resume(ids[2][1], E_PERM);'
    )
    bench.settle()
    assert bench.lines == ["value", "Permission denied"]


def test_a_task_that_was_resumed_already_gets_the_newest_value(bench: Bench) -> None:
    bench.run("notify(player, tostr(suspend()));")
    bench.run("t = queued_tasks()[1][1]; resume(t, 1); resume(t, 2);")
    bench.settle()
    assert bench.lines == ["2"]


def test_resume_knows_no_forked_tasks(bench: Bench) -> None:
    code = "fork t (9) endfork return `resume(t) ! E_INVARG';"
    assert bench.run(code).literal == "E_INVARG"


def test_killing_runs_no_finally(bench: Bench) -> None:
    bench.run('try suspend(); finally notify(player, "no"); endtry')
    bench.run("kill_task(queued_tasks()[1][1]);")
    bench.settle()
    assert bench.run("return queued_tasks();").value == ()
    seen = bench.run('try kill_task(task_id()); finally notify(player, "no"); endtry')
    assert seen.was_aborted
    assert bench.lines == []


def test_of_several_tasks_with_one_number_the_one_due_first_is_killed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(bench.scheduler.runner, "new_task_id", lambda: 7)
        for seconds in (9, 3, 6):
            bench.run(f"fork ({seconds}) endfork")
    start = "return queued_tasks()[1][2] - time();"
    assert bench.run(start).value == 3
    bench.run("kill_task(7);")
    assert bench.run(start).value == 6
    bench.run("kill_task(7); kill_task(7);")
    assert bench.run("return `kill_task(7) ! ANY';").literal == "E_INVARG"


def test_of_several_tasks_with_one_number_only_suspended_ones_are_resumed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(bench.scheduler.runner, "new_task_id", lambda: 7)
        bench.run("fork (3) endfork")
        bench.run("notify(player, tostr(suspend(9)));")
    bench.run("resume(7, 1); resume(7, 2);")
    bench.settle()
    assert bench.lines == ["2"]
    assert bench.run("return `resume(7) ! ANY';").literal == "E_INVARG"
    assert bench.run("return `task_stack(7) ! ANY';").literal == "E_INVARG"


def test_a_task_that_is_ready_but_has_not_run_can_be_killed(bench: Bench) -> None:
    bench.run(
        "fork (0) for t in (queued_tasks()) kill_task(t[1]); endfor"
        " notify(player, tostr(length(queued_tasks()))); endfork"
        ' fork (0) notify(player, "ready"); endfork'
    )
    bench.settle()
    assert bench.lines == ["0"]


def test_a_task_that_reads_can_be_looked_at_and_killed(bench: Bench) -> None:
    queue = connect(bench)
    type_line(bench, queue, "")
    bench.run('read(player); notify(player, "no");')
    assert bench.scheduler.is_reading(WIZARD)
    seen = bench.run(
        "t = queued_tasks()[1][1]; n = length(task_stack(t)); kill_task(t);"
        " return {n, `task_stack(t) ! ANY', `kill_task(t) ! ANY'};"
    )
    assert seen.literal == "{1, E_INVARG, E_INVARG}"
    assert not bench.scheduler.is_reading(WIZARD)


def test_only_programmer_and_wizards_may_kill_and_resume(bench: Bench) -> None:
    other = bench.world.create(WIZARD, NOTHING)
    bench.world.set_flag(other, FLAG_PROGRAMMER, True)
    bench.run("suspend();")
    task_id = bench.run("return queued_tasks()[1][1];").value
    code = f"return {{`kill_task({task_id}) ! ANY', `resume({task_id}) ! ANY'}};"
    assert bench.run(code, player=other).literal == "{E_PERM, E_PERM}"
    assert bench.run("return queued_tasks();", player=other).value == ()


def test_the_queued_task_limit_counts_per_programmer(bench: Bench) -> None:
    bench.run('add_property(#3, "queued_task_limit", 2, {#3, ""});')
    code = """
    fork (5) endfork
    fork (5) endfork
    try fork (5) endfork except (E_QUOTA) return "full"; endtry
    """
    assert bench.run(code).value == "full"
    assert bench.run("return `suspend(0) ! E_QUOTA';").literal == "E_QUOTA"
    bench.run("for t in (queued_tasks()) kill_task(t[1]); endfor")
    assert bench.run("return queue_info(#3);").value == 0


def test_players_take_turns(bench: Bench) -> None:
    other = bench.world.create(WIZARD, NOTHING)
    bench.world.set_flag(other, FLAG_PROGRAMMER, True)
    for name in "ab":
        bench.run(f'fork (0) notify(#3, "3{name}"); endfork')
    bench.host.connections.connected.append(other)
    for name in "ab":
        bench.run(f'fork (0) notify({other}, "o{name}"); endfork', player=other)
    bench.settle()
    assert bench.lines == ["3a", "oa", "3b", "ob"]


def test_input_goes_before_background_tasks(bench: Bench) -> None:
    queue = connect(bench)
    bench.verb(2, "speak", SAY.format("typed"), args=("none", "none", "none"))
    bench.run('fork (0) notify(player, "forked"); endfork')
    bench.scheduler.new_line(queue, "speak", binary=False)
    bench.settle()
    assert bench.lines == ["typed", "forked"]


def test_read_takes_the_next_line_instead_of_the_command_parser(bench: Bench) -> None:
    queue = connect(bench)
    bench.verb(2, "ask", 'notify(player, tostr("<", read(), ">"));', args=("any",) * 3)
    type_line(bench, queue, "ask")
    assert bench.run("return queued_tasks()[1][2];").value == -1
    type_line(bench, queue, "ask me")
    assert bench.lines == ["<ask me>"]


def test_a_disconnection_ends_read_with_an_error(bench: Bench) -> None:
    queue = connect(bench)
    bench.verb(2, "ask", "notify(player, tostr(`read() ! ANY'));", args=("any",) * 3)
    type_line(bench, queue, "ask")
    bench.scheduler.disconnect(queue)
    bench.settle()
    assert bench.lines == ["Invalid argument"]
    assert bench.run("return queue_info();").value == ()


def test_read_without_argument_is_for_the_task_of_the_last_command(
    bench: Bench,
) -> None:
    connect(bench)
    assert bench.run("return `read() ! E_PERM';").literal == "E_PERM"
    assert bench.run("return read(#3, 1);").value == 0
    assert bench.run("return `read(#77) ! E_INVARG';").literal == "E_INVARG"


def test_force_input_and_flush(bench: Bench) -> None:
    queue = connect(bench)
    queue.hold_input = True
    bench.run('force_input(#3, "a"); force_input(#3, "b"); force_input(#3, "c", 1);')
    assert bench.run("return {read(#3, 1), read(#3, 1)};").literal == '{"c", "a"}'
    bench.scheduler.new_line(queue, ".FLUSH", binary=False)
    assert bench.lines == [
        ">> Flushing the following pending input:",
        ">>     b",
        ">> (Done flushing)",
    ]
    bench.run("flush_input(#3, 1);")
    assert bench.lines[-1] == ">> No pending input to flush..."


def test_too_much_input_stops_the_reading_until_half_of_it_is_used(
    bench: Bench,
) -> None:
    queue = connect(bench)
    queue.hold_input = True
    for _ in range(9):
        bench.scheduler.new_line(queue, "x" * 8_000, binary=False)
    assert bench.host.connections.suspended == [WIZARD]
    for _ in range(5):
        bench.run("read(#3, 1);")
    assert bench.host.connections.suspended == []


def test_limits_are_read_when_a_slice_begins(bench: Bench) -> None:
    bench.run('add_property(#4, "fg_ticks", 500, {#3, ""});')
    bench.run('add_property(#4, "bg_ticks", 300, {#3, ""});')
    code = """
    a = ticks_left();
    #4.fg_ticks = 9000;
    b = ticks_left();
    suspend(0);
    notify(player, tostr(a > 400, b < 500, ticks_left() < 300));
    """
    bench.run(code)
    bench.settle()
    assert bench.lines == ["111"]
    bench.run("#4.fg_ticks = 5;")
    assert bench.run("return ticks_left();").value == 99


def test_the_timeout_handler_may_take_care_of_it(bench: Bench) -> None:
    bench.verb(
        0, "handle_task_timeout", ["notify(player, args[1]);", "return args[1];"]
    )
    seen = bench.run("while (1) endwhile")
    assert seen.lines == ["ticks"]
    bench.run('set_verb_code(#0, "handle_task_timeout", {"return 1 / 0;"});')
    seen = bench.run("while (1) endwhile")
    assert seen.lines == [
        "#0:handle_task_timeout, line 1:  Division by zero",
        "(End of traceback)",
        "#-1:test, line 1:  Task ran out of ticks",
        "(End of traceback)",
    ]


def test_the_error_handler_is_told_everything(bench: Bench) -> None:
    bench.verb(
        0,
        "handle_uncaught_error",
        ["notify(player, toliteral(args));", "return 1;"],
    )
    seen = bench.run('raise(E_PERM, "why", 5);')
    assert seen.lines == [
        '{E_PERM, "why", 5, {{#-1, "test", #3, #-1, #3, 1}}, '
        '{"#-1:test, line 1:  why", "(End of traceback)"}}'
    ]


def test_a_recycle_is_completed_even_when_its_verb_runs_out_of_ticks(
    bench: Bench,
) -> None:
    bench.run("create(#1);")
    bench.verb(5, "recycle", "while (1) endwhile")
    assert bench.run("recycle(#5);").was_aborted
    assert bench.run("return valid(#5);").value == 0


def test_an_error_in_accept_lets_a_wizard_s_room_take_the_thing(bench: Bench) -> None:
    """The rest of move() runs with the permissions of the verb that failed."""
    bench.run("create(#1); create(#1);")
    bench.verb(6, "accept", "return 1 / 0;")
    assert bench.run("return `move(#5, #6) ! E_DIV';").literal == "E_DIV"
    assert bench.run("return #5.location;").literal == "#6"
