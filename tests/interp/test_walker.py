"""What constructs do, and that a task can go on after a suspension anywhere.

The recordings of the reference server say what is right for thousands of programs;
these are the rules behind them, one at a time.
"""

from __future__ import annotations

import re

import pytest

from pymoo.values import Obj
from tests.fakes import Bench, Run

# --- statements -----------------------------------------------------------


def test_a_loop_variable_keeps_its_last_value(run: Run) -> None:
    assert run("for x in ({1, 2}) endfor return x;").value == 2
    assert run("for x in [5..4] endfor return `x ! E_VARNF';").literal == "E_VARNF"


def test_a_range_ends_at_the_greatest_integer(run: Run) -> None:
    code = "l = {}; for i in [2147483645..2147483647] l = {@l, i}; endfor return l;"
    assert run(code).literal == "{2147483645, 2147483646, 2147483647}"


def test_named_loops_are_left_by_name(run: Run) -> None:
    code = """
    l = {};
    for a in [1..3]
      for b in [1..3]
        if (b == 2) continue a; endif
        if (a == 3) break a; endif
        l = {@l, {a, b}};
      endfor
    endfor
    return l;
    """
    assert run(code).literal == "{{1, 1}, {2, 1}}"


def test_finally_runs_on_every_way_out_and_may_replace_it(run: Run) -> None:
    assert run("try return 1; finally return 2; endtry").value == 2
    code = """
    l = {};
    for i in [1..3]
      try
        if (i == 2) continue; endif
        l = {@l, i};
      finally
        l = {@l, -i};
      endtry
    endfor
    return l;
    """
    assert run(code).literal == "{1, -1, -2, 3, -3}"
    code = "for i in ({1, 2}) try return i; finally continue; endtry endfor return 9;"
    assert run(code).value == 9


def test_an_uncaught_error_runs_finally_and_then_prints_its_traceback(run: Run) -> None:
    seen = run('try 1 / 0; finally notify(player, "cleanup"); endtry')
    assert seen.lines == [
        "cleanup",
        "#-1:test, line 2:  Division by zero",
        "(End of traceback)",
    ]


def test_codes_are_evaluated_before_the_body_on_the_line_of_their_arm(
    run: Run,
) -> None:
    seen = run('try notify(player, "body"); except (E_PERM, nosuch) endtry')
    assert seen.lines == ["#-1:test, line 3:  Variable not found", "(End of traceback)"]


def test_the_first_instruction_of_a_new_program_is_blamed_on_line_1(
    bench: Bench,
) -> None:
    """The C server remembers a line, and begins with a wrong one."""
    bench.verb(2, "v", ["try 1;", "except (nosuch)", "endtry"])
    assert bench.run("#2:v();").lines[0] == "#2:v, line 1:  Variable not found"
    program = bench.world.find_callable_verb(Obj(2), "v").verbdef.compiled  # type: ignore[union-attr]
    program.was_line_asked = True
    assert bench.run("#2:v();").lines[0] == "#2:v, line 3:  Variable not found"


def test_the_error_of_an_arm_names_the_frames_down_to_its_handler(
    bench: Bench,
) -> None:
    bench.verb(2, "boom", "return 1 / args[1];")
    bench.verb(2, "middle", ["return this:boom(@args);"])
    code = "try #2:middle(0); except e (E_DIV) return e; endtry"
    assert bench.run(code).literal == (
        '{E_DIV, "Division by zero", 0, {{#2, "boom", #3, #2, #3, 1}, '
        '{#2, "middle", #3, #2, #3, 1}, {#-1, "test", #3, #-1, #3, 2}}}'
    )


# --- expressions ----------------------------------------------------------


def test_the_left_side_of_an_indexed_assignment_is_read_first(run: Run) -> None:
    code = "x = {1, 2, 3}; x[1] = (x = {7, 8, 9})[2]; return x;"
    assert run(code).literal == "{8, 2, 3}"


def test_the_value_of_an_assignment_is_its_right_side(run: Run) -> None:
    assert run("x = {{1}, 2}; return {x[1][1] = 5, x};").literal == "{5, {{5}, 2}}"


def test_defaults_of_a_scatter_see_the_targets_before_them(run: Run) -> None:
    code = "{a, ?b = a + 1, ?c = b + 1, @d} = {1}; return {a, b, c, d};"
    assert run(code).literal == "{1, 2, 3, {}}"


def test_a_failed_scatter_assigns_nothing(run: Run) -> None:
    assert run("a = 0; `{a, b} = {1} ! E_ARGS'; return a;").value == 0


def test_dollar_is_the_length_of_the_innermost_value_around(run: Run) -> None:
    code = 'x = "abcdef"; return x[length(x[1..$ - 1])..$];'
    assert run(code).value == "ef"


def test_long_chains_of_operators_need_no_stack(run: Run) -> None:
    assert run("return " + " + ".join(["1"] * 20_000) + ";").value == 20_000
    assert run("return " + " && ".join(["1"] * 20_000) + ";").value == 1


# --- the d bit ------------------------------------------------------------


def test_without_the_d_bit_errors_are_values(run: Run) -> None:
    code = """
    x = 1 / 0;
    y = {1, 2}[3];
    z = raise(E_PERM, "zap");
    {a, b} = {1};
    for q in (5) x = 0; endfor
    fork (-1) endfork
    return {x, y, z, {c, d} = {1}, nosuch};
    """
    assert run(code, debug=0).literal == "{E_DIV, E_RANGE, E_PERM, E_ARGS, E_VARNF}"


def test_without_the_d_bit_a_try_still_catches_errors_of_called_verbs(
    bench: Bench,
) -> None:
    bench.verb(2, "boom", "return 1 / 0;")
    code = 'try #2:boom(); except (ANY) return "caught"; endtry'
    assert bench.run(code, debug=0).value == "caught"
    assert bench.run("try 1 / 0; except (ANY) return 1; endtry", debug=0).value == 0


# --- ticks ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "ticks"),
    [
        ("x = 1;", 1),
        ("x = {};", 1),
        ("x = {1, 2, 3};", 2),
        ("if (1) endif", 1),
        ("for x in ({1, 2}) endfor", 4),
        ("for i in [1..3] endfor", 4),
        ("x = {1}; x[1] = 2;", 4),
        ('x = "abc"; x[1..2] = "z";', 2),
        ("{a, b} = {1, 2};", 2),
        ("`1 / 0 ! E_DIV';", 4),
        ("`1 / 0 ! ANY => 2';", 2),
        ("try 1 / 0; except e (ANY) endtry", 3),
        ("while (0) endwhile", 1),
        ("for i in [1..9] break; endfor", 2),
        ("return 1 && 0 || 2;", 2),
    ],
)
def test_ticks_are_counted_as_the_c_server_does(
    run: Run, code: str, ticks: int
) -> None:
    before = run("return ticks_left();").value
    wrapped = f"try {code} finally return ticks_left(); endtry"
    after = run(wrapped).value
    assert type(before) is int
    assert type(after) is int
    assert before - after - 1 == ticks


def test_running_out_of_ticks_cannot_be_caught(bench: Bench) -> None:
    seen = bench.run("try while (1) endwhile except (ANY) return 1; endtry")
    assert seen.was_aborted
    assert seen.lines == [
        "#-1:test, line 2:  Task ran out of ticks",
        "(End of traceback)",
    ]
    assert bench.lines == seen.lines


def test_a_loop_that_counts_no_ticks_ends_when_its_seconds_are_over(
    bench: Bench,
) -> None:
    """The C server hangs for ever."""

    bench.clock.cpu_per_look = 1.0
    seen = bench.run("while x (1) endwhile")
    assert seen.lines[0] == "#-1:test, line 1:  Task ran out of seconds"


# --- suspending anywhere --------------------------------------------------

SUSPENSIONS = {
    "operand": "return 1 + (s(0) || s(2)) * s(3);",
    "chain": "return 1 + 2 + s(3) + 4 + s(5);",
    "logical": "return s(1) && s(0) || s(7) && 8;",
    "conditional": "return s(0) ? 1 | (s(2) ? s(3) | 4);",
    "list": "return {1, @s({2, 3}), s(4), 5, @{6}, s(7)};",
    "index": "return s({1, 2, 3})[s(2)] + {4, 5, 6}[s(1)..s(2)][$];",
    "length": 'return "abcdef"[s(2)..$ - s(1)];',
    "verb": 'return s(#2):(s("echo"))(s(1), @s({2}));',
    "property": '#2.name = s("x") + #2.name[$..$]; return s(#2).(s("name"));',
    "assign": "x = {{1, 2}, 3}; x[s(1)][s(2)] = s(9); return x;",
    "range": 'x = {"abcd"}; y = (x[1] = "abcd"); x[s(1)] = s("q"); return {x, y};',
    "scatter": "{a, ?b = s(a), ?c = s(b) + 1, @d} = s({1}); return {a, b, c, d};",
    "catch": "return {`s(1) / s(0) ! s(E_DIV), E_TYPE => s(5)', `1 / 0 ! ANY'};",
    "catch codes": "return `1 / 0 ! @s({E_DIV}), s(E_PERM)';",
    "unary": "return {-s(5), !s(0)};",
    "in": "return s(2) in s({1, 2});",
    "if": "if (s(0)) return 1; elseif (s(0)) return 2; elseif (s(1)) s(1); return 3; "
    "else return 4; endif",
    "else": "if (0) else x = s(1); x = x + 1; return x; endif",
    "for list": "l = {}; for x in (s({1, 2, 3})) l = {@l, s(x)}; if (x == 2) "
    "continue; endif l = {@l, 0}; endfor return l;",
    "for range": "t = 0; for i in [s(1)..s(4)] if (s(i) == 3) break; endif "
    "t = t + s(i); endfor return t;",
    "while": "i = 0; while named (s(i) < 5) i = i + s(1); if (i == 2) s(0); continue "
    "named; endif endwhile return {i, named};",
    "try": "try s(1); 1 / s(0); except (E_PERM) return 1; except e (E_DIV) "
    "return {s(2), e[1]}; endtry",
    "try codes": "try 1 / 0; except (s(E_PERM)) except (s(E_DIV), s(E_TYPE)) "
    "return 5; endtry",
    "finally": "l = {}; for i in [1..3] try if (i == 2) continue; endif l = {@l, "
    "s(i)}; finally l = {@l, s(-i)}; endtry endfor return l;",
    "finally return": "try return s(1); finally s(2); endtry",
    "finally error": "try try 1 / s(0); finally s(2); endtry except e (ANY) return "
    "e[1..3]; endtry",
    "finally break": "for a in [1..2] for b in [1..2] try s(1); break a; finally "
    "s(2); endtry endfor endfor return {a, b};",
    "fork delay": "fork (s(0)) endfork return 1;",
    "eval": 'return eval("x = s(5); return x + s(1);");',
    "call_function": 'return call_function("eval", "return s(4);");',
    "pass": "return #5:passing(1, 2);",
    "create": "o = create(#6); recycle(o); return o;",
    "move": "o = create(#1); move(o, #6); l = o.location; recycle(o); return l;",
}


def with_s(code: str) -> str:
    """Return ``code`` with ``s(x)`` as a call that gives x and may sleep before."""
    return re.sub(r"(?<![a-z:])s\(", "#2:s(", code)


SLEEP = "if (#4.sleepy) suspend(0); endif"


@pytest.fixture
def stage(bench: Bench) -> Bench:
    """A world of verbs that sleep if ``#4.sleepy``, called from everywhere."""
    bench.run('add_property(#4, "sleepy", 1, {#3, "r"}); create(#1); create(#1);')
    bench.verb(2, "echo", "return args;")
    bench.verb(1, "s", [SLEEP, "return args[1];"])
    bench.verb(1, "passing", "return {this:s(1), @args};")
    bench.verb(5, "passing", "return {#2:s(0), @pass(@args)};")
    bench.verb(6, "initialize", SLEEP)
    bench.verb(6, "accept", [SLEEP, "return 1;"])
    bench.verb(6, "enterfunc exitfunc", SLEEP)
    return bench


@pytest.mark.parametrize("name", SUSPENSIONS)
def test_a_task_that_sleeps_at_every_call_gives_the_same_as_one_that_does_not(
    stage: Bench, name: str
) -> None:
    """Every construct, suspended in each of its parts."""
    code = re.sub(r"(?<![a-z:])s\(", "#2:s(", SUSPENSIONS[name])
    stage.verb(2, "case", code.splitlines())
    asleep = stage.run("notify(player, toliteral(#2:case()));")
    assert asleep.is_asleep
    stage.settle()
    stage.run("#4.sleepy = 0; reset_max_object();")
    stage.run("notify(player, toliteral(#2:case()));")
    slept, awake = stage.lines
    assert slept == awake


def test_python_s_stack_does_not_limit_the_depth_of_calls(bench: Bench) -> None:
    bench.run('add_property(#4, "max_stack_depth", 3000, {#3, "r"});')
    bench.verb(
        2, "down", ["if (args[1])", "return this:down(args[1] - 1) + 1;", "endif"]
    )
    assert bench.run("return #2:down(2500);").value == 2500
    seen = bench.run("return `#2:down(5000) ! E_MAXREC';")
    assert seen.literal == "E_MAXREC"


def test_a_deep_error_is_caught_below_and_finally_parts_run_on_the_way(
    bench: Bench,
) -> None:
    bench.run('add_property(#4, "max_stack_depth", 500, {#3, "r"});')
    bench.run('add_property(#4, "count", 0, {#3, "r"});')
    bench.verb(
        2,
        "down",
        [
            "try",
            "if (args[1] == 0) return 1 / 0; endif",
            "return this:down(args[1] - 1);",
            "finally",
            "#4.count = #4.count + 1;",
            "endtry",
        ],
    )
    code = "try #2:down(300); except e (E_DIV) return {#4.count, length(e[4])}; endtry"
    assert bench.run(code).literal == "{301, 302}"
