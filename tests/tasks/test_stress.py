"""The switches do what they say at every turn, and nobody sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pymoo.errors import OptionError
from pymoo.interp.tiering import SWITCH as TIERS
from pymoo.interp.vm import VM
from pymoo.tasks import stress
from pymoo.tasks.stress import SWITCH, StressError
from pymoo.values import Obj
from tests.fakes import Bench
from tests.server.online import Online

Switch = Callable[..., Bench]


@pytest.fixture(params=["walker", "compiled"])
def switched(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Switch:
    """``switched("unwind")`` makes a bench under that switch, in either tier."""

    def make(names: str, dialect_name: str = "lambdamoo") -> Bench:
        monkeypatch.setenv(TIERS, request.param)
        monkeypatch.setenv(SWITCH, names)
        return Bench(dialect_name=dialect_name)

    return make


# --- the variable -----------------------------------------------------------


@pytest.mark.parametrize("text", ["wind", "unwind,", "unwind reload", "unwind,x", ","])
def test_a_switch_that_there_is_not_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(SWITCH, text)
    with pytest.raises(OptionError) as caught:
        Bench()
    assert str(caught.value) == (
        f"PYMOO_STRESS={text}: there is no such choice; it may be unwind or reload, "
        "or unwind,reload"
    )


def test_without_a_switch_nothing_of_that_happens(switched: Switch) -> None:
    bench = switched("")
    bench.verb(2, "v", "return args;")
    record = bench.world[Obj(2)]
    bench.run("#2:v(); #2:v();")
    assert (bench.scheduler.stress.unwound, bench.scheduler.stress.reloaded) == (0, 0)
    assert bench.world[Obj(2)] is record


def test_switches_can_be_combined(switched: Switch) -> None:
    bench = switched("reload,unwind")
    bench.verb(2, "v", "return args;")
    stress = bench.scheduler.stress
    unwound, reloaded = stress.unwound, stress.reloaded
    bench.run("#2:v(); #2:v();")
    assert (stress.unwound, stress.reloaded) == (unwound + 2, reloaded + 1)


# --- unwind -----------------------------------------------------------------

NESTED = """
x = {};
for i in [1..3]
  try
    try
      x = {@x, {i, #2:sum(i), #2:sum(1) + 1}};
    except e (ANY)
      x = {@x, e};
    endtry
  finally
    x = {@x, #2:sum(0)};
  endtry
endfor
x = {@x, `#2:sum(9, #2:sum(2)) ! ANY', eval("return #2:sum(2);")};
return {x, call_function("eval", "return #2:stack();"), ticks_left()};
"""


def nested(bench: Bench) -> str:
    """Run verbs that call verbs from all kinds of places; return what they give."""
    bench.verb(
        2,
        "sum",
        [
            "if (args[1] == 0) return callers(1); endif",
            "return args[1] == 1 ? 1 | length({args[1], @{this:sum(args[1] - 1)}});",
        ],
    )
    bench.verb(2, "stack", "return callers(1);")
    bench.verb(2, "initialize", 'this.name = tostr(#2:sum(3)); this:("no"+"ne")();')
    bench.verb(2, "recycle", "suspend(0); notify(#3, toliteral(#2:sum(2)));")
    text = bench.run(NESTED).literal
    made = bench.run("return `create(#2) ! E_VERBNF => callers(1)';").literal
    bench.run("recycle(create(#2));")
    bench.settle()
    return "\n".join([text, made, *bench.lines])


def test_every_call_of_a_verb_unwinds_and_nobody_sees_it(switched: Switch) -> None:
    usual, unwound = switched(""), switched("unwind")
    assert nested(unwound) == nested(usual)
    assert usual.scheduler.stress.unwound == 0
    before = unwound.scheduler.stress.unwound
    unwound.run("#2:sum(5); #2:sum(1);")
    assert unwound.scheduler.stress.unwound == before + 6


def test_functions_unwind_in_the_walker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TIERS, "walker")
    monkeypatch.setenv(SWITCH, "unwind")
    bench = Bench()
    program = "return {1, {2, @children(#2), `parent(#99) ! ANY'}, length({}), 3};"
    assert bench.run(program).literal == "{1, {2, E_INVARG}, 0, 3}"
    assert bench.scheduler.stress.unwound == 1


def test_what_calls_is_made_anew_with_all_it_has_in_hand(switched: Switch) -> None:
    bench = switched("unwind")
    bench.verb(2, "v", "return args;")
    seen = []
    note = bench.engine.unwound
    assert note is not None

    def look(vm: VM, caller: int) -> None:
        before = vm.activations[caller]
        note(vm, caller)
        after = vm.activations[caller]
        assert after is not before
        assert (after.at, after.vars) == (before.at, before.vars)
        seen.append([entry for entry in after.stack if type(entry) in (int, tuple)])

    bench.engine.unwound = look
    bench.run("for i in [5..6] x = {1, {2, i}, #2:v()}; endfor")
    assert seen == [[6, 6, (1, (2, 5))], [7, 6, (1, (2, 6))]]


def test_an_activation_that_cannot_be_made_anew_ends_more_than_its_task(
    switched: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(act: object) -> None:
        raise KeyError("fault")

    bench = switched("unwind")
    bench.verb(2, "v", "return args;")
    monkeypatch.setattr(stress, "made_anew", fail)
    with pytest.raises(StressError, match="PYMOO_STRESS=unwind"):
        bench.run("#2:v();")


# --- reload -----------------------------------------------------------------


def test_the_world_is_another_after_every_slice(switched: Switch) -> None:
    bench = switched("reload")
    bench.verb(2, "v", "return {args, typeof(#2) == OBJ, #4.p};")
    bench.run('add_property(#4, "p", {1, "x", {2.5, #3, E_PERM}}, {#3, "r"});')
    before = bench.scheduler.stress.reloaded
    records = list(bench.world.objects())
    for _ in range(3):
        seen = bench.run("return {#2:v(1), suspend(0) || #2:v()};")
        assert seen.is_asleep
        bench.settle()
    assert bench.scheduler.stress.reloaded == before + 6
    assert all(
        new is not old for new, old in zip(bench.world.objects(), records, strict=True)
    )
    assert bench.run("return #2:v();").literal == (
        '{{}, 1, {1, "x", {2.5, #3, E_PERM}}}'
    )
    assert list(bench.world.check()) == []


def test_tasks_keep_their_places(switched: Switch) -> None:
    """A textdump has those that were forked before those that were suspended."""
    lines = []
    for names in ("", "reload"):
        bench = switched(names)
        for number in range(6):
            bench.run(
                f'suspend(2); notify(player, "slept {number}");'
                if number % 2
                else f'fork (2) notify(player, "forked {number}"); endfork'
            )
        bench.run("t = queued_tasks()[4][1]; resume(t); suspend(0);")
        assert len(list(bench.scheduler.background_tasks())) == 7
        bench.settle()
        bench.advance(2)
        lines.append(bench.lines)
    assert lines[0] == lines[1]
    assert len(lines[0]) == 6
    assert lines[0][1:3] == ["forked 0", "slept 1"]


def test_tasks_keep_fractions_of_a_second(switched: Switch) -> None:
    bench = switched("reload", "pymoo")
    bench.run('suspend(0.25); notify(player, "slept");')
    bench.run("1;")
    bench.advance(0.3)
    assert bench.lines == ["slept"]


def test_the_body_of_a_fork_keeps_its_lines_however_often_it_is_read(
    switched: Switch,
) -> None:
    bench = switched("reload")
    bench.verb(2, "v", ["1;", "2;", "fork (5)", "suspend(5);", "1 / 0;", "endfork"])
    bench.run("#2:v();")
    for _ in range(4):
        bench.run("1;")
    bench.advance(5)
    bench.run("1;")
    bench.advance(5)
    assert bench.lines == ["#2:v, line 5:  Division by zero", "(End of traceback)"]


def test_connections_and_tasks_that_read_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SWITCH, "reload,unwind")
    online = Online(tmp_path)
    stress, world = online.server.tasks.stress, online.server.engine.world
    before = stress.reloaded
    reader, other = online.wizard, online.connect("#4")
    online.type(reader, "PREFIX >")
    online.type(reader, ';set_connection_option(player, "flush-command", "stop");')
    online.type(reader, ";return {read(), read(), queued_tasks()};")
    reader.take()
    other.take()
    record = world[Obj(3)]
    for number in range(3):
        assert online.eval(f"return {number};", other) == str(number)
    online.type(reader, "one")
    online.type(reader, "two")
    assert reader.take_lines() == ['{"one", "two", {}}']
    online.type(reader, ";fork (5) notify(player, read(player)); endfork")
    reader.take()
    online.process.advance(5)
    online.type(reader, "three")
    assert reader.take_lines() == ["three"]
    online.type(reader, ';return connection_option(player, "flush-command");')
    assert reader.take_lines() == [">", '"stop"']
    assert online.server.engine.world is world
    assert world[Obj(3)] is not record
    assert stress.reloaded >= before + 12
    assert not [line for line in online.log if "BUG" in line]


def test_a_world_that_cannot_be_reloaded_ends_more_than_its_task(
    switched: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise KeyError("fault")

    bench = switched("reload")
    monkeypatch.setattr(stress, "load", fail)
    with pytest.raises(StressError, match="PYMOO_STRESS=reload"):
        bench.run("1;")
