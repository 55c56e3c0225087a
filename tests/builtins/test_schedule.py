"""What invoke(), scheduled_tasks() and cancel_task() accept and refuse."""

from __future__ import annotations

import pytest

from pymoo.builtins.registry import BuiltinTable
from pymoo.builtins.schedule import MAX_DELAY_S
from pymoo.lang.dialect import dialect
from pymoo.values import E_NACC, E_QUOTA
from tests.fakes import WIZARD
from tests.scheduling import PAT, SchedulingBench

INVOKE = 'invoke(#2, "note", {{}}, {{{}}})'


@pytest.fixture
def bench() -> SchedulingBench:
    return SchedulingBench()


def test_the_classic_dialect_does_not_have_them() -> None:
    classic = BuiltinTable(dialect("lambdamoo"))
    for name in ("invoke", "scheduled_tasks", "cancel_task"):
        assert name not in classic
        assert name in BuiltinTable(dialect("pymoo"))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("invoke()", "E_ARGS"),
        ("invoke(#2)", "E_ARGS"),
        ('invoke(#2, "note", {}, {}, 1)', "E_ARGS"),
        ('invoke(2, "note")', "E_TYPE"),
        ("invoke(#2, 1)", "E_TYPE"),
        ('invoke(#2, "note", 1)', "E_TYPE"),
        ('invoke(#2, "note", {}, 30)', "E_TYPE"),
        ('invoke(#99, "note")', "E_INVIND"),
        ('invoke(#-1, "note")', "E_INVIND"),
        ('invoke(#2, "nosuch")', "E_VERBNF"),
        ("scheduled_tasks(1)", "E_ARGS"),
        ("cancel_task()", "E_ARGS"),
        ('cancel_task("1")', "E_TYPE"),
    ],
)
def test_arguments_are_checked(bench: SchedulingBench, call: str, error: str) -> None:
    assert bench.refusal(call) == error


@pytest.mark.parametrize(
    ("options", "error"),
    [
        # Their form.
        ('"delay", 1', "E_TYPE"),
        ("{}", "E_INVARG"),
        ('{"delay"}', "E_INVARG"),
        ('{"delay", 1, 2}', "E_INVARG"),
        ("{1, 2}", "E_TYPE"),
        ('{"dely", 1}', "E_INVARG"),
        ('{"delay", 1}, {"DELAY", 1}', "E_INVARG"),
        # Their types.
        ('{"delay", "1"}', "E_TYPE"),
        ('{"delay", 1}, {"periodic", "yes"}', "E_TYPE"),
        ('{"cron", {0, 9}}', "E_TYPE"),
        ('{"cron", "@daily"}, {"timezone", 1}', "E_TYPE"),
        ('{"callback", "note"}', "E_TYPE"),
        ('{"callback", {#2, #2}}', "E_TYPE"),
        ('{"errback", {"note", #2}}', "E_TYPE"),
        ('{"player", 3}', "E_TYPE"),
        # Their values.
        ('{"delay", -1}', "E_INVARG"),
        ('{"delay", -0.001}', "E_INVARG"),
        (f'{{"delay", {MAX_DELAY_S}.5}}', "E_INVARG"),
        ('{"delay", 1.0e300}', "E_INVARG"),
        ('{"periodic", 1}', "E_INVARG"),
        ('{"delay", 0}, {"periodic", 1}', "E_INVARG"),
        ('{"delay", 0.999}, {"periodic", 1}', "E_INVARG"),
        ('{"cron", ""}', "E_INVARG"),
        ('{"cron", "* * * *"}', "E_INVARG"),
        ('{"cron", "0 0 31 2 *"}', "E_INVARG"),
        ('{"cron", "@daily"}, {"timezone", "Mars/Base"}', "E_INVARG"),
        ('{"cron", "@daily"}, {"timezone", ""}', "E_INVARG"),
        ('{"callback", {}}', "E_INVARG"),
        ('{"callback", {#2, "note", 1}}', "E_INVARG"),
        ('{"callback", {#99, "note"}}', "E_INVIND"),
        ('{"errback", {#2, "nosuch"}}', "E_VERBNF"),
        # What excludes each other.
        ('{"cron", "@daily"}, {"delay", 1}', "E_INVARG"),
        ('{"cron", "@daily"}, {"delay", 0}', "E_INVARG"),
        ('{"cron", "@daily"}, {"periodic", 1}', "E_INVARG"),
        ('{"timezone", "UTC"}', "E_INVARG"),
        ('{"delay", 1}, {"timezone", "UTC"}', "E_INVARG"),
    ],
)
def test_options_are_checked(bench: SchedulingBench, options: str, error: str) -> None:
    assert bench.refusal(INVOKE.format(options)) == error
    assert bench.give("scheduled_tasks()") == ()


@pytest.mark.parametrize(
    "options",
    [
        "",
        '{"delay", 0}',
        '{"DELAY", 1.5}',
        f'{{"delay", {MAX_DELAY_S // 4}}}',
        '{"delay", 1}, {"periodic", 1}',
        '{"delay", 1.0}, {"periodic", 1}',
        '{"periodic", 0}',
        '{"cron", "@daily"}',
        '{"cron", "@daily"}, {"periodic", 0}',
        '{"cron", "0 9 * * mon-fri"}, {"timezone", "Europe/Berlin"}',
        '{"callback", {#2, "note"}}, {"errback", {#2, "NOTE"}}',
        '{"player", #5}',
        '{"player", #-1}',
    ],
)
def test_good_options_give_a_handle(bench: SchedulingBench, options: str) -> None:
    handle = bench.give(INVOKE.format(options))
    assert type(handle) is int
    assert handle > 0
    rows = bench.give("scheduled_tasks()")
    assert [row[0] for row in rows] == [handle]  # type: ignore[union-attr,index]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ('{"dely", 1}', "There is no such option"),
        ('{"cron", "61 * * * *"}', "Invalid schedule: minute: '61' is not between"),
        ('{"cron", "@daily"}, {"timezone", "X"}', "Invalid schedule: there is no time"),
        ('{"cron", "@daily"}, {"delay", 1}', "Either cron or delay"),
    ],
)
def test_the_message_says_what_is_wrong(
    bench: SchedulingBench, options: str, reason: str
) -> None:
    seen = bench.run(f"{INVOKE.format(options)};")
    assert reason in seen.lines[0]


def test_only_wizards_repeat_and_choose_whose_task_it_is(
    bench: SchedulingBench,
) -> None:
    for options in (
        '{"delay", 5}, {"periodic", 1}',
        '{"cron", "@daily"}',
        '{"player", #3}',
        '{"player", #-1}',
    ):
        assert bench.refusal(INVOKE.format(options), PAT) == "E_PERM"
        assert type(bench.give(INVOKE.format(options), WIZARD)) is int
    for options in ('{"delay", 5}', '{"periodic", 0}', '{"player", #5}'):
        assert type(bench.give(INVOKE.format(options), PAT)) is int


def test_a_verb_of_the_programmer_may_make_the_task_theirs(
    bench: SchedulingBench,
) -> None:
    """They could type a command that does as much."""
    bench.verb(6, "begin", 'invoke(this, "mine", {}, {{"player", #5}});', owner=PAT)
    bench.run("#6:begin();", player=WIZARD)
    bench.settle()
    assert bench.host.connections.sent == [(PAT, "mine")]


def test_what_is_refused_leaves_nothing_behind(bench: SchedulingBench) -> None:
    bench.refusal(INVOKE.format('{"cron", "x"}'))
    bench.refusal('invoke(#2, "nosuch")')
    assert bench.counted() == 0
    assert bench.scheduler.seconds_until_next() is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ('invoke(#2, "note", {}, {5})', "Each option must be {name, value}"),
        ('invoke(#2, "note", {}, {{"delay"}})', "Each option must be {name, value}"),
        ('invoke(#2, "note", {}, {{5, 5}})', "The name of an option must be a string"),
        (
            'invoke(#2, "note", {}, {{"DELAY", "5"}})',
            "The option delay must be a number of seconds",
        ),
        (
            'invoke(#2, "note", {}, {{"periodic", 1.0}})',
            "The option periodic must be 1 or 0",
        ),
        (
            'invoke(#2, "note", {}, {{"delay", -1}})',
            f"The delay must be 0 to {MAX_DELAY_S} seconds",
        ),
        (
            'invoke(#2, "note", {}, {{"errback", {#2}}})',
            "The option errback must be {object, verb}",
        ),
        (
            'invoke(#2, "note", {}, {{"callback", {2, "note"}}})',
            "The option callback must be {object, verb}",
        ),
        ('invoke(#2, "none")', "#2 has no such verb to be called"),
        ('invoke(#99, "none")', "There is no #99"),
        ("invoke(#2)", "invoke() takes 2 to 4 arguments, not 1"),
        ('cancel_task("x")', "Argument 1 of cancel_task() must be INT"),
        ("cancel_task()", "cancel_task() takes 1 argument, not 0"),
        ("task_time(1)", "task_time() takes no arguments, not 1"),
        ("worker_request()", "worker_request() takes 1 or more arguments, not 0"),
        (
            "worker_request(1)",
            "The first argument must be the kind of work, or a list of it and options",
        ),
        ('task_policy("no")', 'The error policy must be "keep" or "rollback"'),
        ('task_policy("keep", 5)', 'The abort policy must be "keep" or "rollback"'),
        ("task_send(5, 5)", "There is no task 5"),
        ('task_send("x", 5)', "Argument 1 of task_send() must be INT"),
        ("task_recv(-1)", "The seconds must be 0 or more"),
        ("wait_task(5)", "There is no task 5"),
        ("wait_task(5, -1)", "The timeout must be 0 or more seconds"),
        ('wait_task(5, "x")', "Argument 2 of wait_task() must be INT or FLOAT"),
        ("wait_task(task_id())", "A task cannot wait for its own end"),
        ("suspend_if_needed(-1)", "The ticks must be 0 or more"),
        ("task_time_low(-0.5)", "The seconds must be 0 or more"),
        ("yin(-1)", "The delay must be 0 or more"),
        ("yin(0, 60000)", "The ticks must be above 0 and below 60000"),
        ("yin(0, 5, 0)", "The seconds must be above 0 and below 5"),
        (
            "with_task_perms(#3, 5)",
            "The target must be {object, verb} or the name of a function",
        ),
        # LambdaMOO's own keep to its messages.
        ("suspend(-1)", "Invalid argument"),
        ('kill_task("x")', "Type mismatch"),
        ("resume()", "Incorrect number of arguments"),
    ],
)
def test_errors_tell_which_argument_is_wrong_and_what_it_must_be(
    bench: SchedulingBench, call: str, message: str
) -> None:
    seen = bench.run(f"try {call}; except e (ANY) return e[2]; endtry")
    assert seen.value == message


def test_errors_of_tasks_that_were_waited_for_tell_why(bench: SchedulingBench) -> None:
    bench.run('add_property(#0, "visited", 0, {#3, ""});')
    ask = "try wait_task(t, 5); except e (ANY) #0.seen = {@#0.seen, @e[1..3]}; endtry"
    for body in (
        'raise(E_NACC, "No way", {7});',
        "kill_task(task_id());",
        "suspend();",
    ):
        bench.run(f"fork t (1) {body} endfork #0.visited = t; {ask}")
        bench.advance(1)
        bench.advance(5)
    number = bench.give("#0.visited")
    killed = bench.seen()
    assert killed[:3] == (E_NACC, "No way", (7,))
    assert killed[4].endswith("was killed, or was stopped before its end")
    assert killed[6:] == (
        E_QUOTA,
        f"Task {number} has not ended within 5 seconds",
        number,
    )
