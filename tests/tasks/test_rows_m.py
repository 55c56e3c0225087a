"""Tasks, row by row of the requirements that mooR's manual gave rise to.

A test is named after its row.  Rows about transactions, worker tasks and tasks that
come from outside have theirs where these are.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from pymoo.db.objects import FLAG_PROGRAMMER
from pymoo.db.textdump import dump, load
from pymoo.interp.loading import ProgramLoader
from pymoo.interp.tiering import SWITCH as TIERS
from pymoo.interp.vm import VM, Blocked, Done, Result
from pymoo.lang.dialect import DIALECTS, LAMBDAMOO, PYMOO
from pymoo.server.inprocess import HandClock
from pymoo.tasks.clock import ManualClock
from pymoo.tasks.saved import Restorer, save_tasks
from pymoo.tasks.task import SuspendedTask
from pymoo.values import NOTHING, Obj, literal
from tests.fakes import WIZARD, Bench
from tests.interp.random_programs import program
from tests.interp.tiers import BOTH, SLEEP, WALKER, Mode, Stage
from tests.tasks.rows import bench, check_recorded, dialects, online, sent

# --- M-01 to M-04: which tasks there are -----------------------------------


def test_m01_a_task_has_one_number_all_its_life(tmp_path: Path) -> None:
    check_recorded("M-01", tmp_path)


@dialects
def test_m01_also_from_one_start_to_the_next(tmp_path: Path, dialect_name: str) -> None:
    world = online(tmp_path, dialect_name)
    world.do(
        "fork t (0) suspend(100); #0.mark = {@#0.mark, task_id()}; endfork"
        " #0.mark = {t};"
    )
    world = world.restarted()
    world.process.advance(200)
    first, second = world.eval("return #0.mark;")[1:-1].split(", ")
    assert first == second


def test_m01_no_two_tasks_have_the_same_number(monkeypatch: pytest.MonkeyPatch) -> None:
    world = bench()
    numbers = iter([4, 4, 4, 5, 4, 5, 2**31 - 1, 8])
    monkeypatch.setattr(world.engine.random, "getrandbits", lambda bits: next(numbers))
    seen = world.run("fork t (9) endfork fork u (9) endfork return {task_id(), t, u};")
    assert seen.literal == "{5, 6, 9}"


@dialects
def test_m02_a_typed_line_makes_a_task(tmp_path: Path, dialect_name: str) -> None:
    world = online(tmp_path, dialect_name)
    first, second = (sent(world, "notify(player, tostr(task_id()));") for _ in range(2))
    assert first != second
    limit = DIALECTS[dialect_name].fg_ticks
    (ticks,) = sent(world, "notify(player, tostr(ticks_left()));")
    assert limit - 20 < int(ticks) < limit


def test_m02_which_is_a_command(tmp_path: Path) -> None:
    world = online(tmp_path)
    (line,) = sent(world, "notify(player, toliteral(active_tasks()[1][2..3]));")
    assert line == '{#3, {"command", #3, #1, "run"}}'


@dialects
def test_m04_connections_make_server_tasks(tmp_path: Path, dialect_name: str) -> None:
    """Their order and arguments, as `tests.server` holds them against the C server."""
    world = online(tmp_path, dialect_name)
    world.seen()
    world.connect("#4")
    second = world.connect("#4")
    second.close()
    world.process.run()
    world.connect("create")
    world.do("boot_player(#7);")
    assert [row[:4] for row in world.seen()] == [
        ["user_connected", 0, 4, 4],
        ["user_reconnected", 0, 4, 4],
        ["user_client_disconnected", 0, 4, 4],
        ["user_created", 0, 7, 7],
        ["user_disconnected", 0, 7, 7],
    ]


def test_m04_which_are_of_that_kind(tmp_path: Path) -> None:
    world = online(tmp_path)
    world.do(
        'set_verb_code(#0, "user_connected",'
        ' {"#0.mark = {@active_tasks()[1][2..3], ticks_left() > 59000};"});'
    )
    world.connect("#4")
    assert world.eval("return #0.mark;") == (
        '{#4, {"server", #0, #0, "user_connected"}, 1}'
    )


# --- M-05, M-06, M-08: delays ----------------------------------------------


def test_m05_how_long_a_fork_waits(tmp_path: Path) -> None:
    check_recorded("M-05", tmp_path)


def test_m05_at_least_that_fraction_of_a_second() -> None:
    world = bench()
    world.run('fork (0.1) notify(player, "now"); endfork')
    world.advance(0.09)
    assert world.lines == []
    world.advance(0.02)
    assert world.lines == ["now"]


def test_m06_a_negative_delay_is_refused(tmp_path: Path) -> None:
    check_recorded("M-06", tmp_path)
    assert (
        bench().run("try fork (-0.1) endfork except (E_INVARG) return 5; endtry").value
        == 5
    )


def test_m08_suspending_for_a_fraction_of_a_second(tmp_path: Path) -> None:
    check_recorded("M-08", tmp_path)
    world = bench()
    world.run('suspend(0.1); notify(player, "now");')
    world.advance(0.09)
    assert world.lines == []
    world.advance(0.02)
    assert world.lines == ["now"]


# --- M-07: what is kept of a task that sleeps ------------------------------

PROGRAMS = 4_000 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 150


class Sleeper:
    """Runs programs that call verbs which may sleep; each sleep is a new start."""

    def __init__(self, mode: Mode, *, sleepy: bool) -> None:
        self.stage = Stage(mode, int(sleepy))
        self.sleeps = 0
        bench = self.stage.bench
        nap = literal(SLEEP)
        # Ticks are left out: each slice has its own.
        bench.run(
            f'set_verb_code(#1, "fail", {{{nap}, "raise(E_PERM, tostr(@args), 5);"}});'
            f'set_verb_code(#1, "add", {{"{{a, ?b = a, @c}} = args;", {nap},'
            ' "return a + b;"});'
            f'set_verb_code(#2, "echo", {{{nap}, "return args;"}});'
        )
        bench.verb(1, "text", [SLEEP, "return tostr(@args);"])
        bench.verb(1, "size", [SLEEP, "return length(@args);"])

    def run(self, code: str) -> tuple[str, list[str]]:
        """Return how it ended, and what it has sent."""
        bench = self.stage.bench
        # Slices must not differ in what is left of the world by those before.
        bench.run('#5.foo = {1, "two"}; #2.name = "Room";')
        before = len(bench.lines)
        vm = VM(bench.engine, 77, 50)
        vm.push_first(
            self.stage.program(code),
            this=Obj(5),
            player=WIZARD,
            programmer=WIZARD,
            definer=NOTHING,
            caller=Obj(2),
            verb="test",
            verb_names="test",
            debug=8,
            arguments=(1, "two", (3,)),
            parse=("line", Obj(5), "five", "in", NOTHING, ""),
        )
        result = vm.run(30_000, 1e9)
        while isinstance(result, Blocked):
            vm = self._started_anew(vm)
            result = vm.run(30_000, 1e9, 0)
        for task in list(bench.scheduler.background_tasks()):
            bench.scheduler.kill(task.task_id, WIZARD)
        return self._told(result), bench.lines[before:]

    def _started_anew(self, vm: VM) -> VM:
        """Return the task as it is after its world was saved and loaded."""
        self.sleeps += 1
        bench = self.stage.bench
        (task,) = [t for t in bench.scheduler.background_tasks() if t.vm is vm]
        bench.scheduler.kill(vm.task_id, WIZARD)
        stream = io.BytesIO()
        dump(bench.world, stream, tasks=save_tasks([task]))
        stream.seek(0)
        loader = ProgramLoader(bench.engine.builtins.proper_names)
        (saved,) = load(stream, name="saved").tasks
        restored = Restorer(bench.engine, loader.parse_for_task).task(saved)
        assert isinstance(restored, SuspendedTask)
        return restored.vm

    def _told(self, result: Result) -> str:
        if isinstance(result, Done):
            return literal(result.value)
        return type(result).__name__


@pytest.mark.parametrize("mode", [WALKER, BOTH], ids=lambda mode: mode.name)
def test_m07_random_programs_do_not_notice_where_they_sleep(mode: Mode) -> None:
    """Each call of a verb that may sleep does, and the world is saved and loaded.

    What both tiers keep at each of these points is compared tick by tick in
    `tests.interp.test_tiers_agree`.
    """
    awake, asleep = Sleeper(mode, sleepy=False), Sleeper(mode, sleepy=True)
    compared = 0
    for seed in range(PROGRAMS):
        code = sleepier(program(seed, guarded=True))
        expected, seen = awake.run(code), asleep.run(code)
        if expected[0] == "Aborted":
            # An error on its way through a `finally` part that sleeps is forgotten,
            # as in the C server; and its traceback has lines of its own.
            assert seen[0] == "Aborted", f"seed {seed}: {code}"
            continue
        compared += 1
        assert seen == expected, f"seed {seed}: {code}"
    assert asleep.sleeps > PROGRAMS
    assert compared > PROGRAMS // 2
    assert awake.sleeps == 0


def sleepier(code: str) -> str:
    """Return a program that calls verbs where it called functions.

    Only those sleep.  What is left of the ticks does not show.
    """
    for old, new in {
        "suspend(0);": "this:s(1);",
        "ticks_left()": "7",
        "tostr(": "#1:text(",
        "length(": "#1:size(",
    }.items():
        code = code.replace(old, new)
    return code


STATE = """
{a, ?b = 2, @c} = {1};
l = {};
set_task_perms(#5);
for i in [1..2]
  for x in ({"p", "q"})
    try
      try
        l = {@l, i, x, #2:nap({a, b}), 7};
        raise(E_PERM, "why", {1});
      finally
        l = {@l, "finally", caller_perms()};
      endtry
    except e (E_PERM)
      l = {@l, e[1..3], #2:nap(0)};
    endtry
  endfor
endfor
return {l, `#2:nap(1) / 0 ! E_DIV', verb, args, caller, player, callers()[1][2]};
"""


@pytest.mark.parametrize("tier", ["walker", "compiled"])
def test_m07_all_that_an_activation_is(
    monkeypatch: pytest.MonkeyPatch, tier: str
) -> None:
    monkeypatch.setenv(TIERS, tier)
    seen = []
    for sleepy in (0, 1):
        world = bench("lambdamoo")
        world.run(f'create(#1); add_property(#4, "sleepy", {sleepy}, {{#3, "r"}});')
        world.verb(2, "nap", ["if (#4.sleepy) suspend(1); endif", "return args[1];"])
        world.verb(2, "state", STATE.strip().splitlines())
        # Without the d bit an error is a value.
        world.verb(2, "undebugged", "return {#2:nap(1), 1 / 0};", flags="rx")
        world.run('notify(#3, toliteral({#2:state("x"), #2:undebugged()}));')
        for _ in range(20):
            world.advance(1)
        seen.append(world.lines)
    assert seen[0] == seen[1]
    assert len(seen[0]) == 1


# --- M-09 to M-11: suspend() and read() ------------------------------------


def test_m09_resume_ends_a_suspension_without_a_time(tmp_path: Path) -> None:
    check_recorded("M-09", tmp_path)


def test_m10_a_negative_time_is_refused(tmp_path: Path) -> None:
    check_recorded("M-10", tmp_path)


@dialects
def test_m10_no_start_ends_a_suspension_without_a_time(
    tmp_path: Path, dialect_name: str
) -> None:
    world = online(tmp_path, dialect_name)
    world.do("fork (0) #0.mark = {suspend(), task_id()}; endfork")
    (row,) = [world.eval("return queued_tasks()[1][1..2];")]
    for _ in range(2):
        world = world.restarted()
        world.process.advance(1_000_000)
        assert world.eval("return queued_tasks()[1][1..2];") == row
    assert row.endswith(", 2147483647}")
    task_id = row[1:].split(",")[0]
    world.do(f'resume({task_id}, "up");')
    assert world.eval("return #0.mark;") == f'{{"up", {task_id}}}'


def test_m11_the_forms_of_read(tmp_path: Path) -> None:
    """mooR's third form is none here: its list of hints is a true value.

    So it means, as ever, that nobody is to wait; and no client would look at hints.
    """
    check_recorded("M-11", tmp_path)


@dialects
def test_m11_a_connection_that_closes(tmp_path: Path, dialect_name: str) -> None:
    world = online(tmp_path, dialect_name)
    client = world.connect("#4")
    world.do("fork (0) #0.mark = `read(#4) ! ANY'; endfork")
    assert world.eval("return length(queued_tasks());") == "1"
    client.close()
    world.process.run()
    assert world.eval("return #0.mark;") == "E_INVARG"


# --- M-13 to M-19: limits --------------------------------------------------


def test_m13_forked_suspended_reading_and_waiting_tasks_are_queued() -> None:
    world = bench()
    world.scheduler.connect(WIZARD, Obj(0))
    world.run("fork (9) endfork")
    world.run("suspend(9);")
    world.run("read(player);")
    world.run("task_recv(9);")
    rows = world.run("return queued_tasks();").value
    assert isinstance(rows, tuple)
    now = int(world.clock.now())
    assert sorted(row[1] - now for row in rows if row[1] != -1) == [9, 9, 9]
    assert [row[1] for row in rows].count(-1) == 1


@dialects
def test_m14_five_seconds_for_commands_and_the_server_three_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dialect_name: str
) -> None:
    # A slow machine needs more than the first milliseconds to get there.
    monkeypatch.setattr(HandClock, "stopwatch", ManualClock.stopwatch)
    world = online(tmp_path, dialect_name)
    world.do('set_verb_code(#0, "user_connected", {"#0.mark = seconds_left();"});')
    world.connect("#4")
    assert world.eval("return {#0.mark, seconds_left()};") == "{5, 5}"
    lines = sent(
        world,
        "fork (0) notify(player, tostr(seconds_left())); endfork"
        ' suspend(0); force_input(player, "x"); notify(player, tostr(seconds_left()));'
        " read(); notify(player, tostr(seconds_left()));",
    )
    assert lines == ["3", "3", "3"]


@pytest.mark.parametrize(
    ("dialect_name", "clock", "is_wall"),
    [
        ("lambdamoo", "wall", False),
        ("pymoo", "cpu", False),
        ("pymoo", "wall", True),
        ("pymoo", "Wall", False),
    ],
)
def test_m14_which_seconds_count_is_an_option(
    monkeypatch: pytest.MonkeyPatch, dialect_name: str, clock: str, is_wall: bool
) -> None:
    world = bench(dialect_name)
    world.run(
        f'add_property(#4, "task_clock", "{clock}", {{#3, "r"}});'
        ' add_property(#4, "n", 0, {#3, "r"}); load_server_options();'
    )
    # Time goes by while the task has no CPU.
    monkeypatch.setattr(
        type(world.clock), "now", lambda clock: clock.seconds + 0.3 * len(world.lines)
    )
    seen = world.run(
        'for i in [1..30] notify(player, "x"); endfor for i in [1..9999] endfor'
    )
    assert seen.was_aborted == is_wall
    if is_wall:
        assert seen.lines[-2].endswith("Task ran out of seconds")


# Programs with the ticks that LambdaMOO 1.8.3 counted for them.
TICKS = {
    'i = "before"; for i in [3..1] endfor return i;': 2,
    "for i in [1..3] i = 10; endfor return i;": 7,
    "n = 3; while lp (n) n = n - 1; endwhile return {n, lp};": 12,
    "if (1) endif return 5;": 1,
    'try 1 / 0; except (E_DIV) return "div"; endtry': 3,
    "try 1 / 0; except e (E_DIV) return e; endtry": 4,
    "try return 1; except (ANY) return 2; endtry": 1,
    "try 1 / 0; except e (@{E_TYPE, E_DIV}) return e[1]; endtry": 6,
    "x = {1, 2}; try x[5] = 3; except e (ANY) return {x, e[1]}; endtry": 7,
    "return;": 0,
    '1; 2; 300; "x"; #3; E_PERM; 1.5; return 3;': 0,
    "x = {}; for i in [1..10] x = {@x, i * i}; endfor return x;": 42,
    "a = b = c = 5; return {a, b, c};": 4,
    'x = {1, 2, 3}; y = x; y[1] = "c"; return {x, y};': 6,
    "x = 1; while (x < 1000) x = x * 2; endwhile return x;": 43,
    'return eval("return 1 + 1;");': 3,
    "x = ticks_left(); a = {1, 2, 3}; y = ticks_left(); return x - y;": 7,
    "x = ticks_left(); `1 / 0 ! ANY'; y = ticks_left(); return x - y;": 8,
}


@dialects
@pytest.mark.parametrize("tier", ["walker", "compiled"])
def test_m15_what_is_a_tick(
    monkeypatch: pytest.MonkeyPatch, tier: str, dialect_name: str
) -> None:
    """Those of all recorded programs are compared in `tests.conform`."""
    monkeypatch.setenv(TIERS, tier)
    world = bench(dialect_name)
    used: list[int] = []
    world.runner.watchers.append(lambda vm, result, ticks: used.append(ticks))
    for code in TICKS:
        world.run(code)
    assert dict(zip(TICKS, used, strict=True)) == TICKS


def test_m16_nothing_catches_the_end_of_ticks(tmp_path: Path) -> None:
    check_recorded("M-16", tmp_path)


@dialects
def test_m16_nor_that_of_seconds(dialect_name: str) -> None:
    world = bench(dialect_name)
    world.clock.cpu_per_look = 3
    seen = world.run(
        'try try while (1) endwhile except (ANY) notify(player, "1"); endtry'
        ' finally notify(player, "2"); endtry'
    )
    assert seen.lines == [
        "#-1:test, line 3:  Task ran out of seconds",
        "(End of traceback)",
    ]


def test_m17_how_many_ticks_background_tasks_have(tmp_path: Path) -> None:
    check_recorded("M-17", tmp_path)


def test_m17_how_many_ticks_there_are() -> None:
    assert (LAMBDAMOO.fg_ticks, LAMBDAMOO.bg_ticks) == (30_000, 15_000)
    assert (PYMOO.fg_ticks, PYMOO.bg_ticks) == (60_000, 30_000)
    for name, dialect in DIALECTS.items():
        seen = bench(name).run("return ticks_left();")
        assert seen.value == dialect.fg_ticks - 1


@dialects
def test_m19_limits_and_what_follows_them_are_the_database_s(dialect_name: str) -> None:
    world = bench(dialect_name)
    for name in ("handle_task_timeout", "handle_uncaught_error"):
        world.verb(0, name, "notify(player, toliteral({verb, args[1]})); return 1;")
    world.run('add_property(#4, "fg_ticks", 500, {#3, ""});')
    assert world.run("for i in [1..240] endfor return 1;").value == 1
    assert world.run("for i in [1..900] endfor").lines == [
        '{"handle_task_timeout", "ticks"}'
    ]
    assert world.run("1 / 0;").lines == ['{"handle_uncaught_error", E_DIV}']


# --- M-20 to M-23: lists of tasks, and killing them -------------------------


def test_m20_rows_of_queued_tasks(tmp_path: Path) -> None:
    check_recorded("M-20", tmp_path)


def test_m20_the_arguments_that_toaststunt_gave_it() -> None:
    world = bench()
    world.run('x = {1, "two"}; suspend(9);')
    # A body that was read from a textdump has only the variables it names.
    world.run("fork t (9) t; endfork")
    assert world.run("return length(queued_tasks());").value == 2
    for arguments in ("0, 1", "1, 1", "1, -1"):
        assert world.run(f"return queued_tasks({arguments});").value == 2
    for arguments in ("", "0", "0, 0", "1, 0"):
        rows = world.run(f"return queued_tasks({arguments});").value
        assert isinstance(rows, tuple)
        assert [len(row) for row in rows] == [10, 10]
    rows = world.run("return queued_tasks(1);").value
    assert isinstance(rows, tuple)
    asleep, forked = (dict(row[10]) for row in rows)
    assert (asleep["x"], asleep["player"]) == ((1, "two"), WIZARD)
    assert forked["t"] == rows[1][0]
    assert "t" not in asleep
    assert world.run('return `queued_tasks("x") ! E_TYPE\';').literal == "E_TYPE"
    assert world.run('return function_info("queued_tasks");').literal == (
        '{"queued_tasks", 0, 2, {0, 0}}'
    )
    assert bench("lambdamoo").run('return function_info("queued_tasks");').literal == (
        '{"queued_tasks", 0, 0, {}}'
    )


def test_m20_how_many_of_those_that_one_sees() -> None:
    world = bench()
    pat = programmer(world)
    world.run("suspend();")
    world.run("suspend();", player=pat)
    assert world.run("return queued_tasks(0, 1);").value == 2
    assert world.run("return queued_tasks(0, 1);", player=pat).value == 1


def test_m21_killing_tasks(tmp_path: Path) -> None:
    check_recorded("M-21", tmp_path)


@dialects
def test_m22_the_one_that_runs_can_be_killed_by_itself_alone(dialect_name: str) -> None:
    """One task runs at a time: no other could ask for it."""
    world = bench(dialect_name)
    world.verb(2, "v", 'kill_task(task_id()); notify(player, "no");')
    seen = world.run('try #2:v(); finally notify(player, "no"); endtry')
    assert (seen.was_aborted, seen.lines) == (True, [])


KIND = "toliteral(active_tasks()[1][3][1])"


def test_m23_active_tasks_tells_which_kind_of_task_runs() -> None:
    world = bench()
    queue = world.scheduler.connect(WIZARD, Obj(0))
    say = f"notify(player, {KIND});"
    world.run(
        f"{say} fork t (0) {say} endfork suspend(0); {say} read(player); {say}"
        f" task_recv(1); {say} fork t (0) endfork wait_task(t); {say}"
    )
    world.settle()
    world.scheduler.new_line(queue, "line", binary=False)
    world.settle()
    world.advance(1)
    assert world.lines == [
        '"eval"', '"forked"', '"suspended"', '"reading"', '"mail"', '"task"',
    ]  # fmt: skip


def test_m23_what_it_tells_is_how_the_task_began() -> None:
    world = bench()
    world.verb(2, "outer", "set_task_perms(args[1]); return this:inner();")
    world.verb(1, "inner", "return active_tasks();")
    (row,) = world.run("return #2:outer(#3);").value  # type: ignore[misc]
    assert row[1:] == (WIZARD, ("eval", NOTHING, NOTHING, "test"))
    assert world.run("return #2:outer(#3)[1][1] == task_id();").value == 1
    assert world.run("return active_tasks();", player=programmer(world)).value != ()


def test_m23_somebody_else_s_task_is_not_shown() -> None:
    """A verb of a wizard's sees what it was called from; one of others does not."""
    world = bench()
    pat = programmer(world)
    world.verb(2, "look", "set_task_perms(args[1]); return active_tasks();")
    assert world.run(f"return #2:look({pat});").value != ()
    world.runner.running.append(VM(world.engine, 7, 50))
    world.runner.running[0].push_first(
        world.engine.compile("1;"),
        this=NOTHING,
        player=WIZARD,
        programmer=WIZARD,
        definer=NOTHING,
        caller=NOTHING,
        verb="",
        verb_names="",
        debug=8,
        arguments=(),
    )
    assert len(world.run("return active_tasks();", player=pat).value) == 1  # type: ignore[arg-type]
    assert len(world.run("return active_tasks();").value) == 2  # type: ignore[arg-type]


def test_m23_after_a_start_tasks_are_of_the_kind_they_were(tmp_path: Path) -> None:
    world = online(tmp_path)
    world.do('add_property(#0, "kinds", {}, {#3, "r"});')
    note = f"#0.kinds = {{@#0.kinds, {KIND}}};"
    world.do(
        f"fork (5) {note} endfork fork (0) suspend(6); {note} endfork"
        f" fork (0) task_recv(7); {note} endfork"
        f" fork (0) fork t (8) endfork wait_task(t); {note} endfork"
    )
    world = world.restarted()
    world.process.advance(20)
    assert world.eval("return #0.kinds;") == (
        r'{"\"forked\"", "\"suspended\"", "\"mail\"", "\"task\""}'
    )


# --- M-34: messages between tasks -------------------------------------------


def programmer(world: Bench) -> Obj:
    """Return a new programmer who is no wizard."""
    new = world.world.create(WIZARD, Obj(1))
    world.world.set_flag(new, FLAG_PROGRAMMER, True)
    return new


SHOW = "notify(#3, toliteral({}));".format


def receiver(world: Bench, wait: object, player: Obj = WIZARD) -> int:
    """Start a task that looks for messages once, and return its number."""
    world.verb(2, "show", SHOW("args[1]"))
    code = f"this:show(`task_recv({wait}) ! ANY');"
    world.verb(2, "receive", ["set_task_perms(args[1]);", code])
    before = set(queued(world))
    world.run(f"#2:receive({player});")
    (number,) = set(queued(world)) - before
    return number


def queued(world: Bench) -> list[int]:
    rows = world.run("return queued_tasks();").value
    assert isinstance(rows, tuple)
    return [row[0] for row in rows]


def test_m34_messages_arrive_in_their_order_when_the_sender_s_slice_ends() -> None:
    world = bench()
    number = receiver(world, 100)
    world.run(
        f"for m in ({{1, {{2}}, E_PERM}}) task_send({number}, m); endfor"
        f" notify(#3, tostr(valid_task({number}))); suspend(0);"
        f" notify(#3, tostr(valid_task({number})));"
    )
    world.settle()
    assert world.lines == ["1", "{1, {2}, E_PERM}", "0"]


def test_m34_a_task_waits_no_longer_than_it_says() -> None:
    world = bench()
    receiver(world, 2.5)
    world.advance(2.4)
    assert world.lines == []
    world.advance(0.2)
    assert world.lines == ["{}"]


@pytest.mark.parametrize("wait", ["", "0", "0.0"])
def test_m34_without_a_time_others_may_run_and_that_is_all(wait: str) -> None:
    world = bench()
    world.run(f'fork (0) notify(#3, "other"); endfork {SHOW(f"task_recv({wait})")}')
    world.settle()
    assert world.lines == ["other", "{}"]


def test_m34_messages_may_be_sent_to_oneself() -> None:
    world = bench()
    world.run('task_send(task_id(), "me");' + SHOW("{task_recv(), task_recv()}"))
    world.settle()
    assert world.lines == ['{{"me"}, {}}']


def test_m34_messages_wait_until_they_are_taken() -> None:
    world = bench()
    world.run("suspend(5); " + SHOW("{task_recv(9), time()}"))
    (number,) = queued(world)
    for text in ("a", "b"):
        world.run(f'task_send({number}, "{text}");')
    world.advance(5)
    assert world.lines == [f'{{{{"a", "b"}}, {int(world.clock.now())}}}']


def test_m34_what_comes_before_the_task_goes_on_is_there_as_well() -> None:
    world = bench()
    number = receiver(world, 100)
    world.run(f"task_send({number}, 1);")
    world.run(f"task_send({number}, 2);")
    world.settle()
    assert world.lines == ["{1, 2}"]


def test_m34_a_mailbox_has_a_limit() -> None:
    world = bench()
    (number,) = [receiver(world, 100)]
    code = (
        f"n = 0; try while (1) task_send({number}, n); n = n + 1; endwhile"
        " except (E_QUOTA) return n; endtry"
    )
    assert world.run(code).value == 1000
    world.settle()
    world.run('add_property(#4, "max_task_mailbox", 3, {#3, "r"});')
    world.run("suspend();")
    number = queued(world)[0]
    code = f"return `task_send({number}, 1) ! E_QUOTA => 5';"
    assert [world.run(code).value for _ in range(4)] == [0, 0, 0, 5]


def test_m34_all_messages_together_have_a_limit() -> None:
    """One that no file can hold would take the messages of everybody with it."""
    world = bench()
    number = receiver(world, 100)
    world.settle()
    world.run("suspend();")
    (other,) = (task for task in queued(world) if task != number)
    send = (
        "x = {1}; for i in [1..23] x = {x, x}; endfor "
        f"task_send({other}, 1); return `task_send({other}, x) ! E_QUOTA => 5';"
    )
    assert world.run(send).value == 5
    fits = send.replace("..23", "..21")  # 6 million: a second one does, a third not
    assert [world.run(fits).value for _ in range(3)] == [0, 0, 5]
    world.run(f"kill_task({other});")
    # Room that is not used any more, or was only asked for, can be used by others.
    fits = fits.replace(str(other), str(number))
    world.run(fits.replace("return", "x =") + "rollback();")
    assert world.run(fits).value == 0
    world.settle()
    assert world.scheduler.mail._elements == 0


def test_m34_one_sends_to_one_s_own_tasks_or_is_a_wizard() -> None:
    world = bench()
    pat, quinn = programmer(world), programmer(world)
    number = receiver(world, 100, pat)
    ask = f"return `task_send({number}, 1) ! ANY';"
    assert world.run(ask, player=quinn).literal == "E_PERM"
    assert world.run(ask, player=pat).literal == "0"
    world.settle()
    assert world.lines == ["{1}"]
    assert world.run(ask).literal == "E_INVARG"
    world.scheduler.connect(WIZARD, Obj(0))
    world.run("read(player);")
    (number,) = queued(world)
    assert world.run(f"return `task_send({number}, 1) ! ANY';", player=pat).literal == (
        "E_PERM"
    )
    assert world.run(f"return `task_send({number}, 1) ! ANY';").literal == "0"


def test_m34_what_is_sent_to_a_task_that_ends_is_dropped() -> None:
    world = bench()
    number = receiver(world, 100)
    world.run(f"task_send({number}, 1); kill_task({number});")
    world.settle()
    assert world.lines == []
    assert world.scheduler.mail.saved == ()
    world.run("suspend(1);")
    (number,) = queued(world)
    world.run(f"task_send({number}, 1);")
    assert world.scheduler.mail.saved == ((number, (1,)),)
    world.advance(1)
    assert world.scheduler.mail.saved == ()


def test_m34_a_slice_that_is_rolled_back_has_sent_nothing() -> None:
    world = bench()
    number = receiver(world, 3)
    world.run(f"task_send({number}, 1); task_send({number}, 2); rollback();")
    world.advance(3)
    assert world.lines == ["{}"]
    world.run("suspend();")
    (number,) = queued(world)
    world.run(f"task_send({number}, 1); commit(); task_send({number}, 2); rollback();")
    world.settle()
    assert world.scheduler.mail.saved == ((number, (1,)),)


def test_m34_nor_has_it_ended_the_waiting_for_what_it_killed() -> None:
    world = bench()
    world.run("suspend();")
    (number,) = queued(world)
    world.run(SHOW(f"`wait_task({number}) ! ANY'"))
    world.run(f"task_send({number}, 1); kill_task({number}); rollback();")
    world.settle()
    assert world.lines == []
    world.run(f"resume({number});")
    world.settle()
    assert world.lines == ["0"]


def test_m34_a_task_that_is_rolled_back_has_come_to_no_end_of_its_own() -> None:
    world = bench()
    world.run("fork t (1) rollback(); endfork " + SHOW("`wait_task(t) ! ANY'"))
    world.advance(1)
    assert world.lines == ["E_INVARG"]


def test_m34_a_task_that_fails_has_sent_what_it_has_sent() -> None:
    """As everything that it has done stays."""
    world = bench()
    number = receiver(world, 100)
    world.run(f"task_send({number}, 1); 1 / 0;")
    world.settle()
    assert world.lines[-1] == "{1}"


def test_m34_task_recv_counts_as_suspending() -> None:
    world = bench()
    world.run('add_property(#3, "queued_task_limit", 0, {#3, ""});')
    assert world.run("return `task_recv() ! ANY';").literal == "E_QUOTA"
    assert world.run("return `task_recv(-1) ! ANY';").literal == "E_INVARG"
    assert world.run('return `task_recv("1") ! ANY\';').literal == "E_TYPE"
    assert world.run("return `task_send(1.0, 1) ! ANY';").literal == "E_TYPE"


def test_m34_resume_does_not_end_it() -> None:
    world = bench()
    number = receiver(world, 100)
    assert world.run(f"return `resume({number}) ! ANY';").literal == "E_INVARG"


def test_m34_mail_and_waiting_survive_a_restart(tmp_path: Path) -> None:
    world = online(tmp_path)
    world.do(
        'for n in ({"a", "b", "c"}) add_property(#0, n, 0, {#3, "r"}); endfor'
        " fork a (0) suspend(5); #0.a = task_recv(); endfork"
        " fork b (0) #0.b = task_recv(1000); endfork"
        " fork c (0) #0.c = task_recv(50); endfork"
        ' suspend(0); task_send(a, {1.5, #3, "x"}); task_send(a, E_PERM); #0.mark = b;'
    )
    for _ in range(2):
        world = world.restarted()
    world.process.advance(10)
    assert (
        world.eval("return {#0.a, #0.b, #0.c};") == '{{{1.5, #3, "x"}, E_PERM}, 0, 0}'
    )
    world.do('task_send(#0.mark, "late");')
    world.process.advance(50)
    assert world.eval("return {#0.b, #0.c};") == '{{"late"}, {}}'


def test_m34_what_does_not_fit_is_left_alone(tmp_path: Path) -> None:
    world = bench()
    mail = world.scheduler.mail
    for saved in (5, (5,), ((5, 5),), (("x", (1,)),), ((5, (1,)),), ((5, ()),)):
        mail.restore(saved)
        assert mail.saved == ()


# wait_task() and valid_task()


def test_m34_a_task_is_valid_while_it_waits_or_runs() -> None:
    world = bench()
    world.scheduler.connect(WIZARD, Obj(0))
    world.run("fork (9) endfork")
    world.run("suspend();")
    world.run("read(player);")
    for number in queued(world):
        assert world.run(f"return valid_task({number});").value == 1
    assert world.run("return valid_task(task_id());").value == 1
    assert world.run("return {valid_task(0), valid_task(-1)};").literal == "{0, 0}"
    assert world.run("return `valid_task(#1) ! ANY';").literal == "E_TYPE"


@pytest.mark.parametrize(
    ("body", "seen"),
    {
        "return {1, 2};": "{1, 2}",
        "suspend(1); return 5;": "5",
        "": "0",
        "return E_NACC;": "E_NACC",
        "1 / 0;": "E_DIV",
        'raise("own");': "E_INVARG",
        "kill_task(task_id());": "E_INVARG",
        "while (1) endwhile": "E_INVARG",
        "suspend(0); while (1) endwhile": "E_INVARG",
    }.items(),
)
def test_m34_wait_task_gives_what_the_other_task_does(body: str, seen: str) -> None:
    world = bench()
    world.run(f"fork t (1) {body} endfork " + SHOW("`wait_task(t) ! ANY'"))
    world.advance(1)
    world.advance(1)
    assert world.lines[-1] == seen


def test_m34_everybody_who_waits_goes_on_in_their_order() -> None:
    world = bench()
    world.run("suspend();")
    (number,) = queued(world)
    for text in "abc":
        world.run(f'notify(#3, tostr("{text}", `wait_task({number}) ! ANY => 1\'));')
    world.run(f"kill_task({number});")
    world.settle()
    assert world.lines == ["a1", "b1", "c1"]


def test_m34_who_waits_for_the_end_of_a_task_may_set_a_time() -> None:
    world = bench()
    world.run("fork t (9) return 1; endfork " + SHOW("`wait_task(t, 1.5) ! ANY'"))
    world.advance(1.4)
    assert world.lines == []
    world.advance(0.2)
    assert world.lines == ["E_QUOTA"]
    world.advance(9)
    assert world.lines == ["E_QUOTA"]
    assert queued(world) == []


def test_m34_whom_one_may_wait_for() -> None:
    world = bench()
    pat = programmer(world)
    world.run("suspend();")
    (number,) = queued(world)
    ask = f"return `wait_task({number}) ! ANY';"
    assert world.run(ask, player=pat).literal == "E_PERM"
    for arguments, error in {
        "5": "E_INVARG",
        "task_id()": "E_INVARG",
        "task_id(), 5": "E_INVARG",
        f"{number}, -1": "E_INVARG",
        f'{number}, "5"': "E_TYPE",
        '"5"': "E_TYPE",
        "": "E_ARGS",
    }.items():
        assert world.run(f"return `wait_task({arguments}) ! ANY';").literal == error
    world.run('add_property(#3, "queued_task_limit", 1, {#3, ""});')
    assert world.run(ask).literal == "E_QUOTA"


def test_m34_tasks_that_could_only_wait_for_each_other_are_refused() -> None:
    world = bench()
    world.run('add_property(#4, "t", {}, {#3, "r"});')
    for _ in range(3):
        world.run("#4.t = {@#4.t, task_id()}; n = suspend(); wait_task(@n);")
    world.run("resume(#4.t[1], {#4.t[2]}); resume(#4.t[2], {#4.t[3]});")
    world.settle()
    world.run("resume(#4.t[3], {#4.t[1]});")
    world.settle()
    numbers = world.run("return #4.t;").value
    refused = (
        f"#-1:test, line 3:  Task {numbers[0]} waits for the end of this one: give a"
        " timeout"
    )
    # So the third has ended, and then each that has waited for the next.
    assert world.lines == [refused, "(End of traceback)"] * 3
    assert queued(world) == []


def test_m34_a_time_on_the_way_round_makes_waiting_possible() -> None:
    world = bench()
    world.run('add_property(#4, "t", 0, {#3, "r"});')
    world.run("#4.t = task_id(); u = suspend(); " + SHOW("`wait_task(u, 5) ! ANY'"))
    world.run("resume(#4.t, task_id()); " + SHOW("wait_task(#4.t)") + " return 3;")
    world.settle()
    assert len(queued(world)) == 2
    world.advance(5)
    assert world.lines == ["E_QUOTA", "0"]


def test_m34_a_fault_of_pymoo_s_ends_a_task_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = bench()
    world.run("fork t (1) 1; endfork " + SHOW("`wait_task(t) ! ANY'"))

    def fail(*arguments: object) -> None:
        raise KeyError("fault")

    world.clock.advance(1)
    with monkeypatch.context() as patch:
        patch.setattr(VM, "_run", fail)
        with pytest.raises(KeyError):
            world.settle()
    world.settle()
    assert world.lines == ["E_INVARG"]


def test_m34_waiting_for_an_end_survives_a_restart(tmp_path: Path) -> None:
    world = online(tmp_path)
    world.do(
        'for n in ({"a", "b", "c"}) add_property(#0, n, 0, {#3, "r"}); endfor'
        " fork t (10) return {5}; endfork"
        " fork (0) #0.a = wait_task(t); endfork"
        " fork (0) #0.b = `wait_task(t, 5) ! ANY'; endfork"
        " fork r (0) read(#3); endfork"
        " fork (0) #0.c = `wait_task(r) ! ANY'; endfork"
    )
    world = world.restarted()
    # A task that read is no more.
    assert world.eval("return {#0.a, #0.b, #0.c};") == "{0, 0, E_INVARG}"
    world.process.advance(20)
    assert world.eval("return {#0.a, #0.b, #0.c};") == "{{5}, E_QUOTA, E_INVARG}"


def test_m34_is_of_the_dialect_pymoo(tmp_path: Path) -> None:
    world = bench("lambdamoo")
    for name in ("task_send", "task_recv", "wait_task", "valid_task", "active_tasks"):
        assert world.errors(f"{name}();") == [
            f"Line 1:  Unknown built-in function: {name}"
        ]
