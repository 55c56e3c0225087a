"""What invoke(), scheduled_tasks() and cancel_task() accept and refuse."""

from __future__ import annotations

import pytest

from pymoo.builtins.registry import BuiltinTable
from pymoo.builtins.schedule import MAX_DELAY_S
from pymoo.lang.dialect import dialect
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
