"""When a program becomes Python, and when it does not."""

from __future__ import annotations

import linecache
import traceback

import pytest

from pymoo.builtins.registry import BuiltinTable
from pymoo.errors import OptionError
from pymoo.interp import tiering
from pymoo.interp.engine import Engine
from pymoo.lang.dialect import LAMBDAMOO
from pymoo.lang.program import Program
from pymoo.options import MIN_LIST_CONCAT
from pymoo.tasks import stress
from pymoo.tasks.clock import ManualClock
from pymoo.values import Obj
from tests.fakes import Bench, FakeHost, small_world


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.delenv(tiering.SWITCH, raising=False)
    monkeypatch.delenv(stress.SWITCH, raising=False)  # programs would be new ones
    bench = Bench()
    bench.engine.tiering.calls_before = 3
    bench.engine.tiering.rounds_before = 40
    return bench


def program_of(bench: Bench, name: str) -> Program:
    found = bench.world.find_callable_verb(Obj(2), name)
    assert found is not None
    program = bench.engine.program_of(found.verbdef, found.definer)
    assert program is not None
    return program


def test_a_verb_is_compiled_after_some_calls(bench: Bench) -> None:
    bench.verb(2, "v", "return args;")
    for call in range(1, 5):
        assert bench.run("return #2:v(1);").literal == "{1}"
        assert (program_of(bench, "v").fast is not None) is (call > 3)


def test_a_verb_programmed_anew_begins_in_the_walker(bench: Bench) -> None:
    bench.verb(2, "v", "return 1;")
    bench.run("for i in [1..9] #2:v(); endfor")
    assert program_of(bench, "v").fast is not None
    bench.run('set_verb_code(#2, "v", {"return 2;"});')
    assert program_of(bench, "v").fast is None
    assert bench.run("return #2:v();").value == 2


def test_a_loop_is_compiled_while_it_runs(bench: Bench) -> None:
    bench.engine.tiering.calls_before = tiering.NEVER
    seen = bench.run("t = 0; for i in [1..100] t = t + i; endfor return t;")
    assert seen.value == 5050
    source = "for i in [1..{}] x = i; endfor"
    for rounds, is_compiled in ((30, False), (100, True)):
        bench.verb(2, f"v{rounds}", source.format(rounds))
        bench.run(f"#2:v{rounds}();")
        tier = program_of(bench, f"v{rounds}").tier
        assert bool(tier.loops) is is_compiled


@pytest.mark.parametrize("flags", ["rx", "rxd"])
def test_a_verb_is_compiled_with_the_d_bit_or_without(bench: Bench, flags: str) -> None:
    bench.verb(2, "v", "return args[1];", flags=flags)
    bench.run("for i in [1..9] #2:v(1); endfor")
    assert program_of(bench, "v").fast is not None
    assert program_of(bench, "v").tier.failures == 0


def test_what_often_fails_without_the_d_bit_goes_back_to_the_walker(
    bench: Bench,
) -> None:
    bench.verb(2, "v", "return {args[1], ticks_left(), callers()};", flags="rx")
    bench.verb(2, "loop", "for i in [1..99] args[9]; endfor", flags="rx")
    # A failure now and then is no harm.
    bench.run("for i in [1..2000] #2:v(@i % 30 ? {1} | {}); endfor")
    tier = program_of(bench, "v").tier
    assert 60 < tier.failures < 70
    bench.run("for i in [1..200] #2:v(); endfor")
    assert tier.failures < 150
    failures = tier.failures
    bench.run("for i in [1..200] #2:v(1); endfor")
    assert tier.failures == failures
    # A loop is not entered again once something has failed in it.
    bench.run("for i in [1..50] #2:loop(); endfor")
    tier = program_of(bench, "loop").tier
    assert 0 < tier.failures < 20


def test_a_failure_without_the_d_bit_does_not_nest_python_s_stack(
    bench: Bench,
) -> None:
    """Each round of the loop fails."""
    bench.engine.tiering.failures_allowed = tiering.NEVER
    bench.engine.tiering.rounds_before = 1
    bench.verb(
        2,
        "v",
        "x = {}; for i in [1..3000] x = {@x, {}[i]}; endfor return length(x);",
        flags="rx",
    )
    for _ in range(9):
        assert bench.run("return #2:v();").value == 3_000


def can_nest(depth: int) -> bool:
    """Whether this Python can; CPython has a limit of 100 levels, PyPy has not."""
    lines = [" " * level + "if x:" for level in range(depth)]
    try:
        compile("\n".join([*lines, " " * depth + "pass"]), "nested", "exec")
    except SyntaxError:
        return False
    return True


def test_what_python_cannot_nest_stays_with_the_walker(bench: Bench) -> None:
    deep = ["if (args[1])"] * 101 + ["return 1;"] + ["endif"] * 101
    bench.verb(2, "deep", deep)
    for _ in range(9):
        assert bench.run("return #2:deep(1);").value == 1
    program = program_of(bench, "deep")
    assert program.tier.is_refused == (not can_nest(101))
    assert (program.fast is None) == program.tier.is_refused


def test_python_does_not_warn_of_what_is_an_error_in_moo(bench: Bench) -> None:
    bench.verb(2, "odd", """return {`"text"[1.5] ! ANY', `{1}["x"] ! ANY'};""")
    for _ in range(9):
        assert bench.run("return #2:odd();").literal == "{E_TYPE, E_TYPE}"
    assert program_of(bench, "odd").fast is not None


def test_what_is_very_long_stays_with_the_walker(bench: Bench) -> None:
    bench.verb(2, "long", ["x = args[1] + args[2];"] * 2_000)
    bench.run("for i in [1..9] #2:long(1, 2); endfor")
    assert program_of(bench, "long").tier.is_refused
    assert bench.engine.tiering.source(program_of(bench, "long")) is None


def test_an_engine_may_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tiering.SWITCH, "compiled")
    for compiles in (True, False):
        engine = Engine(
            small_world(),
            BuiltinTable(LAMBDAMOO),
            FakeHost(),
            ManualClock(),
            LAMBDAMOO,
            compiles=compiles,
        )
        program = engine.compile("return 1;\n")
        assert (engine.tiering.promoted(program) is not None) is compiles


def test_the_source_can_be_read_and_names_the_variables(bench: Bench) -> None:
    program = bench.engine.compile("Total = 0; return Total + args[1];\n")
    source = bench.engine.tiering.source(program)
    assert source is not None
    assert source.startswith("def verb(vm, act, v_args):\n")
    assert "v_Total = 0" in source


def test_python_s_tracebacks_show_generated_lines(bench: Bench) -> None:
    program = bench.engine.compile("return args[1];\n")
    function = bench.engine.tiering.compile(program)
    with pytest.raises(AttributeError) as caught:
        function(None, None, ())
    assert "t = vm.ticks" in "".join(traceback.format_tb(caught.value.__traceback__))
    filename = function.__code__.co_filename
    assert filename in linecache.cache


def test_code_that_nothing_uses_is_forgotten(bench: Bench) -> None:
    import gc

    program = bench.engine.compile("return args[1];\n")
    filename = bench.engine.tiering.compile(program).__code__.co_filename
    del program
    gc.collect()
    assert filename not in linecache.cache


def test_variables_that_break_the_rules_keep_a_loop_in_the_walker(
    bench: Bench,
) -> None:
    """A saved task may come with anything in its variables."""
    bench.engine.tiering.rounds_before = 1
    code = "x = 1; suspend(0); for i in [1..3] x = x + 1; endfor notify(player, x);"
    bench.run(code)
    (task,) = bench.scheduler.background_tasks()
    variables = task.top.vars
    variables[task.top.program.names.index("x")] = "no number"
    bench.settle()
    assert "Type mismatch" in bench.lines[-2]


@pytest.mark.parametrize(
    "code",
    [
        ["".join(f"v{number} = v{number + 1}; " for number in range(200))],
        ["return {" + ", ".join(["args"] * 600) + "};"],
        ['return "' + "x" * 30_000 + '";'],
        ["x = args[1];"] * 3_000,
    ],
    ids=["variables", "items", "literals", "nodes"],
)
def test_what_would_take_long_to_compile_stays_with_the_walker(
    bench: Bench, code: list[str]
) -> None:
    bench.verb(2, "large", code)
    for _ in range(9):
        bench.run("`#2:large(1) ! ANY';")
    assert program_of(bench, "large").tier.is_refused


@pytest.mark.parametrize(
    "code",
    [
        "return {{{}}};",
        "return #2:v({});",
        "return tostr({});",
        "return `1 ! {}';",
        "try 1; except e ({}) endtry",
    ],
)
def test_lists_are_compiled_as_long_as_no_limit_forbids_them(
    bench: Bench, code: str
) -> None:
    """What is longer has a length that is looked at as it grows."""
    second_tier = bench.engine.tiering
    for count, is_compiled in (
        (tiering.MAX_ITEMS, True),
        (tiering.MAX_ITEMS + 1, False),
    ):
        text = code.format(", ".join(["E_DIV"] * count)) + "\n"
        program = bench.engine.compile(text)
        assert (second_tier.source(program) is not None) is is_compiled
    assert tiering.MAX_ITEMS < MIN_LIST_CONCAT


def test_a_fault_of_the_compiler_leaves_the_verb_to_the_walker(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise KeyError("fault")

    monkeypatch.setattr(tiering, "generate", fail)
    monkeypatch.setattr(bench.engine.tiering, "_is_strict", False)
    bench.verb(2, "v", "return 1;")
    for _ in range(9):
        assert bench.run("return #2:v();").value == 1
    assert program_of(bench, "v").tier.is_refused
    (line,) = bench.host.server.logged
    assert line.startswith("*** BUG IN PYMOO while compiling")
    assert "KeyError('fault')" in line


def test_an_unknown_choice_of_tier_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tiering.SWITCH, "compile")
    with pytest.raises(OptionError, match="PYMOO_TIERS=compile: there is no such"):
        Bench()


def test_a_fault_of_the_compiler_leaves_a_loop_to_the_walker(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise KeyError("fault")

    monkeypatch.setattr(tiering, "generate_loop", fail)
    monkeypatch.setattr(bench.engine.tiering, "_is_strict", False)
    bench.engine.tiering.calls_before = tiering.NEVER
    program = "t = 0; for i in [1..300] t = t + i; endfor return t;"
    assert bench.run(program).value == 45_150
    (line,) = bench.host.server.logged
    assert line.startswith("*** BUG IN PYMOO while compiling")


def test_a_wrong_argument_of_an_added_function_is_told_alike_in_both_tiers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = set()
    for tier in ("walker", "compiled"):
        monkeypatch.setenv(tiering.SWITCH, tier)
        bench = Bench(dialect_name="pymoo")
        code = (
            "x = E_PERM; try invoke(#2, x, 2); except e (ANY)"
            " return {e[1], e[2], e[3]}; endtry"
        )
        told.add(bench.run(code).literal)
    assert told == {'{E_TYPE, "Argument 2 of invoke() must be STR", E_PERM}'}
