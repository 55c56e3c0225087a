"""Limits of tasks, row by row of the requirements that are about them.

A test is named after its row; L-16 is the documentation's.
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pymoo.db.textdump import dump, load
from pymoo.interp.loading import ProgramLoader
from pymoo.interp.tiering import SWITCH as TIERS
from pymoo.lang.dialect import DIALECTS, PYMOO
from pymoo.server.inprocess import InProcessServer
from pymoo.tasks.saved import Restorer, save_tasks
from pymoo.values import Obj
from tests.fakes import WIZARD, Bench
from tests.shared_material import SHARED, needs_shared
from tests.tasks.rows import bench, check_recorded, dialects, online

# --- L-01 to L-05: ticks and seconds ---------------------------------------


@pytest.mark.parametrize(
    ("dialect_name", "foreground", "background"),
    [("lambdamoo", (30_000, 5), (15_000, 3)), ("pymoo", (60_000, 5), (30_000, 3))],
)
def test_l01_what_a_task_has_where_nothing_is_said(
    dialect_name: str, foreground: tuple[int, int], background: tuple[int, int]
) -> None:
    engine = bench(dialect_name).engine
    assert engine.budget(foreground=True) == foreground
    assert engine.budget(foreground=False) == background


def test_l02_what_the_database_says(tmp_path: Path) -> None:
    check_recorded("L-02", tmp_path)


def test_l02_of_commands_too() -> None:
    world = bench()
    world.run(
        'add_property(#4, "fg_ticks", 700, {#3, ""});'
        ' add_property(#4, "fg_seconds", 9, {#3, ""});'
    )
    assert world.run("return {ticks_left(), seconds_left()};").literal == "{699, 9}"
    world.run('#4.fg_ticks = "700"; #4.fg_seconds = 9.0;')
    assert world.run("return {ticks_left(), seconds_left()};").literal == "{59999, 5}"


def test_l03_what_is_too_small(tmp_path: Path) -> None:
    check_recorded("L-03", tmp_path)


@pytest.mark.parametrize(
    ("dialect_name", "effect"),
    [("lambdamoo", "counts as"), ("pymoo", "is ignored")],
)
def test_l03_is_told_when_the_server_starts(
    tmp_path: Path, dialect_name: str, effect: str
) -> None:
    world = online(tmp_path, dialect_name)
    assert not [line for line in world.log if "WARNING" in line]
    world.do(
        'for p in ({"fg_ticks", "bg_ticks", "fg_seconds", "bg_seconds"})'
        ' add_property(#0.server_options, p, 100, {#3, "r"}); endfor'
        " o = #0.server_options; o.bg_ticks = 99; o.fg_seconds = 0;"
    )
    counts = [f"{effect} {least}" for least in (100, 1)]
    if effect == "is ignored":
        counts = [effect, effect]
    world = world.restarted()
    assert [line for line in world.log if "WARNING" in line] == [
        f"WARNING: $server_options.bg_ticks is 99; what is below 100 {counts[0]}",
        f"WARNING: $server_options.fg_seconds is 0; what is below 1 {counts[1]}",
    ]


def test_l04_options_count_from_the_next_slice_on(tmp_path: Path) -> None:
    check_recorded("L-04", tmp_path)


def test_l05_what_runs_in_the_background(tmp_path: Path) -> None:
    check_recorded("L-05", tmp_path)


@pytest.mark.parametrize(
    "call", ["suspend(0)", "read(player)", "task_recv(0)", "wait_task(t)"]
)
def test_l05_whatever_a_task_has_waited_for(call: str) -> None:
    world = bench()
    queue = world.scheduler.connect(WIZARD, Obj(0))
    world.run(f"fork t (0) endfork {call}; notify(#3, tostr(ticks_left()));")
    world.settle()
    if world.scheduler.is_reading(WIZARD):
        world.scheduler.new_line(queue, "line", binary=False)
        world.settle()
    assert world.lines == ["29998"]


# --- L-06 to L-09: depth ---------------------------------------------------


def test_l06_the_depth_of_calls(tmp_path: Path) -> None:
    check_recorded("L-06", tmp_path)


@dialects
def test_l06_thousands_if_so_set(dialect_name: str) -> None:
    world = bench(dialect_name)
    world.run(
        'add_property(#4, "max_stack_depth", 10000, {#3, ""});'
        ' add_property(#4, "fg_ticks", 1000000, {#3, ""});'
    )
    world.verb(2, "deep", "n = args[1]; return n ? this:deep(n - 1) + 1 | 1;")
    assert world.run("return #2:deep(9998);").value == 9999
    assert world.run("return `#2:deep(9999) ! E_MAXREC';").literal == "E_MAXREC"


def test_l07_the_option_only_raises_it(tmp_path: Path) -> None:
    check_recorded("L-07", tmp_path)


def test_l08_the_depth_is_fixed_when_a_task_begins(tmp_path: Path) -> None:
    check_recorded("L-08", tmp_path)


DEEP = ["return `this:deep() ! E_MAXREC => length(callers()) + 1';"]


def restored(world: Bench, alter: Callable[[bytes], bytes] = bytes) -> bytes:
    """Save the world with its tasks and load it; return what was saved."""
    stream = io.BytesIO()
    tasks = [*world.scheduler.background_tasks()]
    dump(world.world, stream, tasks=save_tasks(tasks))
    saved = alter(stream.getvalue())
    loader = ProgramLoader(world.engine.builtins.proper_names)
    textdump = load(io.BytesIO(saved), name="saved")
    restorer = Restorer(world.engine, loader.parse_for_task)
    for task in tasks:
        world.scheduler.kill(task.task_id, WIZARD)
    for each in textdump.tasks:
        world.scheduler.enqueue(restorer.task(each))
    return saved


@dialects
def test_l09_the_depth_is_saved(dialect_name: str) -> None:
    world = bench(dialect_name)
    world.verb(2, "deep", DEEP)
    world.run('add_property(#4, "max_stack_depth", 77, {#3, ""});')
    world.run("suspend(5); notify(#3, tostr(#2:deep()));")
    world.run("#4.max_stack_depth = 90;")
    restored(world)
    world.advance(5)
    assert world.lines == ["77"]


def test_l09_where_it_was_not_it_is_the_usual_one() -> None:
    """Older servers wrote no fourth number."""
    world = bench()
    world.verb(2, "deep", DEEP)
    world.run('add_property(#4, "max_stack_depth", 77, {#3, ""});')
    world.run("suspend(5); notify(#3, tostr(#2:deep()));")

    def shortened(saved: bytes) -> bytes:
        short, count = re.subn(rb"(?m)^(0 -1 0) 77$", rb"\1", saved)
        assert count == 1
        return short

    restored(world, shortened)
    world.advance(5)
    assert world.lines == ["50"]


# --- L-10 to L-13: how many tasks ------------------------------------------


def test_l10_the_programmer_s_limit(tmp_path: Path) -> None:
    check_recorded("L-10", tmp_path)


def test_l11_the_limit_of_all(tmp_path: Path) -> None:
    check_recorded("L-11", tmp_path)


def test_l12_what_happens_at_the_limit(tmp_path: Path) -> None:
    check_recorded("L-12", tmp_path)


def test_l13_reading_tasks_are_not_counted(tmp_path: Path) -> None:
    check_recorded("L-13", tmp_path)


def reading(dialect_name: str) -> Bench:
    """Return a world in which a task of #3 reads, one task is allowed, and ``limit``.

    The latter of tasks that read as well.
    """
    world = bench(dialect_name)
    world.scheduler.connect(WIZARD, Obj(0))
    world.world.create(WIZARD, Obj(1))
    world.scheduler.connect(Obj(5), Obj(0))
    world.run(
        'add_property(#4, "limit_reading_tasks", 1, {#3, ""});'
        ' add_property(#3, "queued_task_limit", 1, {#3, ""});'
    )
    assert world.run("read(#3);").is_asleep
    return world


def test_l13_unless_an_option_says_so() -> None:
    world = reading("pymoo")
    assert world.run("return `read(#5) ! ANY';").literal == "E_QUOTA"
    assert world.run("return `suspend(0) ! ANY';").literal == "E_QUOTA"
    assert world.run("return queue_info(#3);").value == 0
    world.run("kill_task(queued_tasks()[1][1]);")
    assert world.run("suspend(5);").is_asleep
    assert world.run("return `read(#5) ! ANY';").literal == "E_QUOTA"
    world.run("#4.limit_reading_tasks = 0;")
    assert world.run("read(#5);").is_asleep


def test_l13_which_lambdamoo_does_not_know() -> None:
    world = reading("lambdamoo")
    assert world.run("read(#5);").is_asleep
    assert world.run("suspend(0);").is_asleep


# --- L-14 and L-15: suspending when needed ----------------------------------


@pytest.fixture(params=["walker", "compiled"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A small world of the dialect `pymoo`, in either tier."""
    monkeypatch.setenv(TIERS, request.param)
    return bench()


def test_l14_nothing_happens_while_there_are_ticks_enough(world: Bench) -> None:
    code = (
        "return {suspend_if_needed(), suspend_if_needed(59000), ticks_left() > 59000};"
    )
    assert world.run(code).literal == "{0, 0, 1}"


def test_l14_otherwise_others_may_run_and_the_budget_is_that_of_the_background(
    world: Bench,
) -> None:
    seen = world.run(
        'fork (0) notify(#3, "other"); endfork'
        " while (!(r = suspend_if_needed())) n = ticks_left(); endwhile"
        " notify(#3, toliteral({r, n, ticks_left()}));"
    )
    assert seen.is_asleep
    world.settle()
    # A round of the loop takes a few ticks; the last one that did not suspend began
    # with 4000 or more.
    other, line = world.lines
    assert other == "other"
    result, ticks, left = map(int, line[1:-1].split(", "))
    assert (result, left) == (1, 29_994)
    assert 4000 - 10 < ticks < 4000 + 10


def test_l14_to_the_tick(world: Bench) -> None:
    """It looks when the call itself has been paid for, as ticks_left() does.

    An argument is one tick more than none.
    """
    for terms in range(1, 7):
        code = "x = " + " + ".join(["1"] * terms) + ";"
        left = world.run(f"{code} return ticks_left();").value
        assert type(left) is int
        assert world.run(f"{code} return suspend_if_needed({left - 1});").value == 0
        assert world.run(f"{code} return suspend_if_needed({left});").is_asleep
        world.settle()


@pytest.mark.parametrize("zero", ["0", "0.0", "0, 0", "0, 0.0"])
def test_l14_zero_never_suspends(world: Bench, zero: str) -> None:
    world.run('add_property(#4, "fg_ticks", 120, {#3, ""});')
    seen = world.run(f"while (1) if (suspend_if_needed({zero})) endif endwhile")
    assert seen.was_aborted
    assert "ran out of ticks" in seen.lines[0]


@pytest.mark.parametrize(
    ("arguments", "error"),
    {
        "-1": "E_INVARG",
        "-0.5": "E_INVARG",
        "1, -1": "E_INVARG",
        '"4000"': "E_TYPE",
        "#1": "E_TYPE",
        "{}": "E_TYPE",
        "1, {}": "E_TYPE",
        "1, 2, 3": "E_ARGS",
    }.items(),
)
def test_l14_what_it_takes(world: Bench, arguments: str, error: str) -> None:
    seen = world.run(f"return `suspend_if_needed({arguments}) ! ANY';")
    assert seen.literal == error


def test_l14_a_float_is_a_number_of_ticks_too(world: Bench) -> None:
    assert world.run("return suspend_if_needed(4000.5);").value == 0
    assert world.run("return suspend_if_needed(99999.0);").is_asleep


def test_l14_seconds_are_its_second_argument(world: Bench) -> None:
    assert world.run("return suspend_if_needed(0, 4.9);").value == 0
    assert world.run("return suspend_if_needed(0, 5.1);").is_asleep


def test_l14_the_limit_of_tasks(world: Bench) -> None:
    world.run('add_property(#3, "queued_task_limit", 0, {#3, ""});')
    assert world.run("return suspend_if_needed();").value == 0
    assert world.run("return `suspend_if_needed(99999) ! ANY';").literal == "E_QUOTA"


def test_l14_a_long_loop_comes_to_its_end(world: Bench) -> None:
    world.run(
        "n = 0; for i in [1..90000] n = n + suspend_if_needed(); endfor"
        " notify(#3, tostr(n));"
    )
    world.settle()
    assert int(world.lines[0]) > 10


def test_l14_it_may_be_resumed_as_any_that_suspends(world: Bench) -> None:
    world.run("notify(#3, toliteral(suspend_if_needed(99999)));")
    world.run('resume(queued_tasks()[1][1], "early");')
    world.settle()
    assert world.lines == ['"early"']


def test_l14_what_it_returns_survives_a_restart() -> None:
    world = bench()
    world.run("notify(#3, toliteral(suspend_if_needed(99999)));")
    restored(world)
    world.settle()
    assert world.lines == ["1"]


@pytest.mark.parametrize(
    ("arguments", "seen"),
    {
        "": "0",
        "0": "0",
        "0.5, 1": "0",
        "0, 59999, 4": "asleep",
        "2, 2000, 4": "0",
        "-1": "E_INVARG",
        "-0.5": "E_INVARG",
        "0, 0": "E_INVARG",
        "0, -1": "E_INVARG",
        "0, 60000": "E_INVARG",
        "0, 1, 0": "E_INVARG",
        "0, 1, 5": "E_INVARG",
        "0, 2000.0": "E_TYPE",
        "0, 2000, 2.0": "E_TYPE",
        '"0"': "E_TYPE",
        "0, 1, 1, 1": "E_ARGS",
    }.items(),
)
def test_l14_yin_as_toaststunt_has_it(world: Bench, arguments: str, seen: str) -> None:
    result = world.run(f"return `yin({arguments}) ! ANY';")
    assert ("asleep" if result.is_asleep else result.literal) == seen


def test_l14_yin_sleeps_for_the_time_it_is_given(world: Bench) -> None:
    world.run("notify(#3, toliteral(yin(2.5, 59999)));")
    world.advance(2.4)
    assert world.lines == []
    world.advance(0.1)
    assert world.lines == ["0"]


def test_l14_yin_looks_at_seconds(world: Bench) -> None:
    world.run('add_property(#4, "fg_seconds", 3, {#3, ""});')
    world.clock.cpu_per_look = 0.3
    assert world.run("for i in [1..9] r = yin(); endfor return r;").is_asleep


def test_l14_the_walker_and_the_compiled_tier_suspend_at_the_same_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wherever in a program it stands."""
    code = """
    l = {};
    for i in [1..9]
      x = {i, task_time_low(0, THRESHOLD), suspend_if_needed(THRESHOLD) || i * i + i};
      l = {@l, x, `1 / (suspend_if_needed(THRESHOLD + 7)) ! E_DIV => ticks_left()'};
      if (suspend_if_needed(THRESHOLD + 3) && task_time_low(0, THRESHOLD + 1))
        l = {@l, yin(0, THRESHOLD, 1)};
      endif
    endfor
    notify(#3, toliteral({l, ticks_left()}));
    """
    for threshold in range(29_800, 29_999, 7):
        seen = []
        for tier in ("walker", "compiled"):
            monkeypatch.setenv(TIERS, tier)
            world = bench()
            world.run('add_property(#4, "fg_ticks", 29999, {#3, ""});')
            world.run(code.replace("THRESHOLD", str(threshold)))
            for _ in range(200):
                world.scheduler.turn()
            seen.append((world.lines, len(world.run("return queued_tasks();").value)))  # type: ignore[arg-type]
        assert seen[0] == seen[1], threshold


def test_l14_is_of_the_dialect_pymoo() -> None:
    for name in ("suspend_if_needed", "yin", "task_time", "task_time_low"):
        assert bench("lambdamoo").errors(f"{name}();") == [
            f"Line 1:  Unknown built-in function: {name}"
        ]
        assert bench().errors(f"{name}();") == []


def test_l15_a_verb_of_that_name_is_called_as_ever(world: Bench) -> None:
    world.verb(2, "suspend_if_needed", 'return {"verb", suspend_if_needed(@args)};')
    code = "return {#2:suspend_if_needed(5), suspend_if_needed(5)};"
    assert world.run(code).literal == '{{"verb", 0}, 0}'


@needs_shared
@dialects
def test_l15_the_verb_of_lambdacore(tmp_path: Path, dialect_name: str) -> None:
    """It does what it did, and all verbs are read without a warning."""
    packed = SHARED / "cores" / "LambdaCore-20Jun18.db.gz"
    database = tmp_path / "LambdaCore.db"
    database.write_bytes(gzip.decompress(packed.read_bytes()))
    server = InProcessServer.open(
        database, tmp_path / "out.db", DIALECTS[dialect_name], check=True
    )
    client = server.connect()
    client.send_line("connect wizard")
    server.run()
    client.take()
    for code, answer in {
        "$command_utils:suspend_if_needed(0)": "=> 0",
        "$command_utils:running_out_of_time()": "=> 0",
        'verb_code($command_utils, "suspend_if_needed")[1][1]': '=> "\\""',
    }.items():
        client.send_line(f";{code}")
        server.run()
        assert client.take_lines()[0] == answer
    assert not [line for line in server.log_lines if "PARSER" in line]


# --- task_time() and task_time_low(), of the same kind ----------------------


def test_l14_task_time_counts_the_seconds_of_a_slice(world: Bench) -> None:
    assert world.run("return task_time();").literal == "{0.0, 5.0, 5.0}"
    world.run("suspend(0); notify(#3, toliteral(task_time()));")
    world.settle()
    assert world.lines == ["{0.0, 3.0, 3.0}"]
    world.clock.cpu_per_look = 0.5
    (elapsed, limit, remaining) = world.run("return task_time();").value  # type: ignore[misc,str-unpack]
    assert elapsed > 0
    assert elapsed + remaining == limit == 5.0


@pytest.mark.parametrize(
    ("arguments", "seen"),
    {
        "": "0",
        "4.9": "0",
        "5": "0",
        "5.1": "1",
        "6": "1",
        "0, 50000": "0",
        "0, 60000": "1",
        "-1": "E_INVARG",
        "0, -1": "E_INVARG",
        '"1"': "E_TYPE",
        "0, 0, 0": "E_ARGS",
    }.items(),
)
def test_l14_task_time_low_tells_of_seconds_and_ticks(
    world: Bench, arguments: str, seen: str
) -> None:
    assert world.run(f"return `task_time_low({arguments}) ! ANY';").literal == seen


# --- L-17 to L-19 ----------------------------------------------------------


def test_l17_nothing_that_was_done_is_done_again(world: Bench) -> None:
    """One task runs at a time, so there are no conflicts to begin anew for."""
    world.run(
        'add_property(#4, "n", 0, {#3, ""}); add_property(#4, "seen", {}, {#3, ""});'
    )
    body = (
        "for i in [1..5] #4.n = #4.n + 1; #4.seen = {@#4.seen, i};"
        " suspend_if_needed(99999); endfor"
    )
    for _ in range(3):
        world.run(body)
    world.settle()
    seen = world.run("return {#4.n, #4.seen};").literal
    assert seen == "{15, {1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5}}"


def test_l18_comments(tmp_path: Path) -> None:
    check_recorded("L-18", tmp_path)


SAMPLE = """
for item in (large_list)
    // Do some work with item
    process_item = item; // and some more
    "// this is a string";
    if (suspend_if_needed())
        // Here the budget is fresh
    endif
endfor
return process_item;
"""


def test_l18_the_text_s_example_can_be_compiled() -> None:
    assert bench().errors(SAMPLE) == []
    assert bench("lambdamoo").errors(SAMPLE) == ["Line 3:  syntax error"]
    assert bench().run("large_list = {1, 2};" + SAMPLE).value == 2


def test_l18_the_smaller_the_threshold_the_later_it_suspends(world: Bench) -> None:
    """Where the text says that a smaller one was "more aggressive"."""
    seen = []
    for threshold in (1000, 100):
        world.run(
            f"n = 0; while (!suspend_if_needed({threshold})) n = n + 1; endwhile"
            " notify(#3, tostr(n));"
        )
        world.settle()
        seen.append(int(world.lines[-1]))
    assert seen[0] < seen[1]


def test_l19_one_task_runs_at_a_time(tmp_path: Path) -> None:
    check_recorded("L-19", tmp_path)
    assert PYMOO.bg_ticks > 0
