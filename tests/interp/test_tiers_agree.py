"""Whatever runs a program, nobody can tell: values, errors, tracebacks, ticks, tasks.

Each program runs in the walker and in another mode, side by side, at every tick
limit that matters, and in every slice: see `tests.interp.tiers`.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings

from pymoo.interp.kinds import RESULTS
from pymoo.lang.names import VERSION_FLOAT
from pymoo.lang.program import Program
from pymoo.lang.unparse import unparse
from pymoo.values import E_VARNF, Obj
from tests.interp.random_programs import program
from tests.interp.test_walker import SUSPENSIONS, with_s
from tests.interp.tiers import (
    BOTH,
    LOOPS,
    MIXED,
    VERBS,
    WALKER,
    Mode,
    Stage,
    differences,
)
from tests.strategies import programs

MODES = {mode.name: mode for mode in (VERBS, LOOPS, BOTH, MIXED)}

SEEDS = 40_000 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 240


@pytest.mark.parametrize("debug", [8, 0])
@pytest.mark.parametrize("sleepy", [0, 1])
@pytest.mark.parametrize("mode", MODES)
def test_every_construct_suspended_in_each_of_its_parts(
    mode: str, sleepy: int, debug: int
) -> None:
    for code in SUSPENSIONS.values():
        found = differences(
            with_s(code) + "\n", MODES[mode], sleepy=sleepy, debug=debug
        )
        assert found is None, found


@pytest.mark.parametrize("part", range(8))
def test_random_programs(part: int) -> None:
    modes = list(MODES.values())
    for seed in range(part, SEEDS, 8):
        found = differences(
            program(seed),
            modes[seed // 8 % 4],
            sleepy=seed % 2,
            debug=0 if seed // 32 % 3 == 2 else 8,
        )
        assert found is None, f"seed {seed} {found}"


@settings(max_examples=150)
@given(programs(functions=("length", "tostr", "raise", "typeof", "ticks_left")))
def test_programs_that_make_little_sense(tree: Program) -> None:
    code = "".join(f"{line}\n" for line in unparse(tree))
    found = differences(code, BOTH, most=30, samples=5)
    assert found is None, found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("value", ["#5", "E_PERM", "0", "1", '""'])
@pytest.mark.parametrize("place", ["x", "l[1]", "#2.p", "{x}"])
def test_an_assignment_in_a_condition_has_the_truth_of_its_value(
    mode: str, value: str, place: str
) -> None:
    value = f"{{{value}}}" if place == "{x}" else value
    it = f"({place} = {value})"
    code = f"""
    `add_property(#2, "p", 0, {{#3, "rw"}}) ! ANY';
    l = {{9, 8}};
    n = 0;
    while {it}
      if ((n = n + 1) > 3)
        break;
      endif
    endwhile
    if {it}
      n = n + 10;
    endif
    return {{n, !{it}, {it} ? 1 | 2, {it} && 3, {it} || 4, !!{it}}};
    """
    found = differences(code, MODES[mode])
    assert found is None, found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("delay", ["-1", '"x"', "1"])
def test_what_called_verbs_inherit_after_a_fork(mode: str, delay: str) -> None:
    code = f"""
    dobjstr = "before";
    try
      fork ({delay})
        y = 1;
      endfork
    except (ANY)
      x = 2;
    endtry
    argstr = "after";
    return {{argstr, dobjstr, #2:s(1)}};
    """
    found = differences(code, MODES[mode], sleepy=1)
    assert found is None, found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "code",
    [
        "return {@#5, @-7, @#6};",
        "return {1, @#5, @E_PERM, @#6, @#7};",
        "x = #1 + #2; return x;",
        "return {#1, #2} == {#1, #2} && {@{#1}, @{#2, E_PERM}};",
        "return -#1 + 2 * #3;",
        # Nothing is known of the types of what is never reached.
        "try return 1; finally x = 2; endtry return {-8 * #1, #2 + E_PERM, -#3};",
    ],
)
def test_what_cannot_be_added_is_left_to_moo_to_refuse(mode: str, code: str) -> None:
    found = differences(code, MODES[mode])
    assert found is None, found


FAILING = (
    "#2.missing", "#99.x", "#99.name", "x.missing", "x.wizard", '#2.("missing")',
    "1 / 0", "1.0 / 0.0", "{}[1]", '"abc"[2..9]', "x[1]", "-#1", "x + #1", "x < {}",
    "5 in 5", "length(5)", "abs(#1)", "#2:missing()", "raise(E_PERM)", "{@5}",
    "missing", "(x ? #2.missing | 1)", "(x && #2.missing)", "typeof(#2.missing)",
)  # fmt: skip
"""Expressions that fail, where ``x`` is 5."""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("expression", FAILING)
def test_a_variable_keeps_its_value_when_that_it_is_to_get_fails(
    mode: str, expression: str
) -> None:
    code = f"""
    x = y = 5;
    `x = {expression} ! ANY';
    try
      x = {expression};
    except (ANY)
    endtry
    `{{?y = {expression}, ?y}} = {{}} ! ANY';
    for i in [1..3]
      `x = {expression} ! ANY';
    endfor
    return {{x, y}};
    """
    found = differences(code, MODES[mode])
    assert found is None, found


FAILING_STATEMENTS = (
    *(f"l = {each};" for each in FAILING),
    *(f"{{1, {each}, #2:s(3), {each}}};" for each in FAILING),
    *(f"l = {{#2:s(1), @l, @{each}, #2:s({{2}})}};" for each in FAILING),
    *(f"#2:echo({each}, {each});" for each in FAILING),
    *(f"if ({each}) n = 1; elseif (!({each})) n = 2; endif" for each in FAILING),
    *(f"for i in ({each}) l = i; endfor" for each in FAILING),
    *(f"for i in [1..{each}] l = i; endfor" for each in FAILING),
    *(f"while (n < 3 && {each} != 9) n = n + 1; endwhile" for each in FAILING),
    # lists and arguments
    "l = {@5, #2:s(1), @l};",
    "l = {1, @5, 2, @6, #2:s(3)};",
    "l = {@x};",
    "l = #2:echo(@5, #2:s(1));",
    "l = #2:echo(1, @2);",
    "l = length(@x, 1);",
    # handlers
    "l = `1 / 0 ! @5 => 7';",
    "l = `#2:fail(1) ! @5, E_PERM => 7';",
    "l = `1 / 0 ! #2:s(@4)';",
    "try l = 1 / 0; #2:fail(1); except e (E_PERM) n = e; endtry",
    "try #2:fail(1); except (@5) n = 8; except (ANY) n = 9; endtry",
    "try #2:fail(1); except (@{E_PERM}, @x) n = 8; except (ANY) n = 9; endtry",
    "try try l = x[1]; #2:fail(l); finally n = l; endtry except (ANY) l = 1; endtry",
    "try l = 1 / 0; return {l}; finally n = #2:s(1); endtry",
    "while (n < 4) try n = n + 1; x[1]; continue; finally n = {n}; endtry endwhile",
    # assignments
    "l[9] = 5;",
    "m[1][9] = 6;",
    "m[9][#2:s(1)] = 7;",
    "m[x][1][#2:s(2)] = #2:s(8);",
    "m[1][2][3] = (m[2] = 4);",
    "m[1][1..9] = 5;",
    "n = (m[2..1] = l);",
    "x[1] = 5;",
    "x[#2:s(1)][2..3] = #2:s(6);",
    "d[#2:s(1)][2..3] = #2:s(6);",
    "d[1] = 2;",
    "n = {#5.foo[9] = 1, #2:s(2)};",
    "#5.foo[1][2] = #2:s(3);",
    "#5.missing[#2:s(1)] = 2;",
    "#99.foo[1..2] = {};",
    "x.foo[1] = #2:s(2);",
    "#5.(x)[1] = 2;",
    '#2.name[9] = "x";',
    "n = (#5.owner[1..0] = #2:s(5));",
    "n = (#5.missing = 1) + 1;",
    "#99.foo = #2:s(2);",
    "x.foo = 3;",
    "#5.(x) = 4;",
    "#2.name = 5;",
    "{a, b} = {1};",
    "n = ({a} = x) + #2:s(1);",
    "{a, ?b = #2:s(1), @c} = 5;",
    "{a, ?b} = {};",
    "{@c, a, b} = {1};",
    "{?a = 1 / 0, ?b = x[1], @c} = {}; n = {a, b, c};",
    # forks and loops
    "fork (x[1]) n = 1; endfork",
    "fork (-1) n = 2; endfork",
    'fork q ("no") n = 3; endfork',
    "fork q (0) for i in [1..3] n = {n, i, x[1]}; endfor #2:s(n); endfork",
    "for i in (l) n = {n, i / 0}; #2:s(1); for j in [1..3] n = {n, j}; endfor endfor",
    "for i in [1..4] if (i == 3) n = x[1]; endif l = {@l, #2:s(i), n}; endfor",
    "for i in [1..4] for j in [1..i] n = {i, j, x[1]}; #2:s(2); endfor endfor",
    # the rest
    'l = "text"[$ - x[1]];',
    "l = #2:s(5)[$];",
    "l = 7[1..$];",
    "l = #2:s(5)[$][$..#2:s(1)];",
    "argstr = x[1]; n = #2:parse();",
    "player = 1 / 0; n = #2:parse();",
    "dobj = 1; n = #2:parse()[9] + #2:parse();",
    "n = {set_task_perms(5), #2:s(1)};",
    "n = {1, suspend(-1), #2:s(1)};",
    "n = {1, read(#99), #2:s(1)};",
    "l = !x[1] + (typeof(1 / 0) == ERR);",
    "l = typeof(x[1]) == ERR;",
    'n = call_function("abs", "x") || 3;',
    'n = call_function("missing") || 3;',
    "n = {1, eval(5), #2:s(1)};",
    "n = {pass(1), #2:plain(1), `#2:plain(2) ! ANY'};",
    "n = {1, #2:(5)(), #2:s(1)};",
    "n = 1 + 1.5 + #2:s(2);",
    "n = 1.0e300 * 1.0e300 + #2:s(2);",
)
"""Statements of which something fails, and something comes after that."""


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sleepy", [0, 1])
def test_where_errors_are_values_a_program_goes_on_with_them(
    mode: str, sleepy: int
) -> None:
    for statement in FAILING_STATEMENTS:
        code = f"""
        x = 5;
        n = 0;
        l = {{1, "two", #2:s({{3}})}};
        m = {{l, {{4}}}};
        {statement}
        n = {{n, #2:s(ticks_left())}};
        for y in ({{1, 2, 3}})
          n = {{@n, y, callers(1), #2:s(y)}};
        endfor
        return {{x, n, l, m, argstr, `#5.foo ! ANY', `d ! ANY'}};
        """
        found = differences(
            code, MODES[mode], sleepy=sleepy, debug=0, most=9, samples=5
        )
        assert found is None, found


@pytest.mark.parametrize("mode", [VERBS.name, BOTH.name])
@pytest.mark.parametrize("debug", [8, 0])
@pytest.mark.parametrize("form", ["{{{}}}", "#2:echo({})", "`1 + #2:fail() ! {}'"])
@pytest.mark.parametrize(
    "items",
    [
        "@l, 1",
        "1, @l",
        "1, 2, @l, 3",
        "#2:s(1), @l, #2:s(2), 3",
        "@l, #2:s(1), #2:s(2)",
        "@l, @{}, x, @l, x, #2:s(1)",
        "@l, @m, @l",
        "@m, x, @m, @m, x, #2:s(9), x, @l",
        "@m, 1, @m, @m, x, @l, @m, x",
        "@m, @m, @m, @m, @l",
        "x = 3, @l, x, x = 4, x, @l",
        "@l, @5, 1",
        "@l",
    ],
)
def test_a_list_that_grows_too_long(
    mode: str, debug: int, form: str, items: str
) -> None:
    code = f"""
    add_property(#4, "max_list_concat", 1022, {{#3, "r"}});
    add_property(#4, "max_concat_catchable", 1, {{#3, "r"}});
    load_server_options();
    l = {{1}};
    for i in [1..9]
      l = {{@l, @l}};
    endfor
    l = {{@l, @l[1..510]}};
    m = l[1..20];
    x = 2;
    n = {form.format(items)};
    n = {{typeof(n) == LIST ? length(n) | n, x}};
    delete_property(#4, "max_list_concat");
    delete_property(#4, "max_concat_catchable");
    load_server_options();
    return n;
    """
    for sleepy in (0, 1):
        found = differences(
            code, MODES[mode], sleepy=sleepy, debug=debug, most=5, samples=5
        )
        assert found is None, found


@pytest.mark.parametrize("debug", [8, 0])
@pytest.mark.parametrize("mode", MODES)
def test_what_a_failed_store_leaves_behind_is_gone_with_the_next_one(
    mode: str, debug: int
) -> None:
    """It shows in a saved task; a loop's function knows nothing of what was before."""
    code = """
    l = {1};
    try
      l[9] = #2:s(5);
    except (ANY)
    endtry
    `l[8] = 6 ! ANY';
    for i in [1..3]
      #2:s(1);
      l[1] = i;
      #2:s(2);
    endfor
    """
    found = differences(code, MODES[mode], sleepy=1, debug=debug)
    assert found is None, found


def compiled(stage: Stage, code: str) -> Program:
    """Run a program once; it must have been compiled."""
    tree = stage.program(code + "\n")
    stage.run(tree, 3_000)
    assert tree.fast is not None
    return tree


@pytest.mark.parametrize("name", SUSPENSIONS)
def test_what_is_compared_was_compiled(name: str) -> None:
    compiled(Stage(BOTH, 1), with_s(SUSPENSIONS[name]))


@pytest.mark.parametrize("mode", [BOTH, VERBS])
def test_a_function_protected_in_mid_verb_is_asked_from_then_on(mode: Mode) -> None:
    """`load_server_options()` reaches into verbs that are running."""
    code = """
    for n in ({1, 2})
      l = {length(args), tostr(1), typeof(2) == INT, valid(this)};
      for name in ({"length", "tostr", "typeof", "valid"})
        add_property(#4, "protect_" + name, 1, {#3, "r"});
      endfor
      load_server_options();
      l = {@l, length(args), tostr(1), typeof(2) == INT, valid(this)};
      for name in ({"length", "tostr", "typeof", "valid"})
        delete_property(#4, "protect_" + name);
      endfor
      load_server_options();
      notify(player, toliteral({@l, length(args), tostr(1)}));
    endfor
    """
    lines = []
    for each in (Mode("walker", 10**9, 10**9), mode):
        stage = Stage(each, 0)
        for name in ("length", "tostr", "typeof", "valid"):
            stage.bench.verb(0, f"bf_{name}", f'return "{name}";')
        stage.run(stage.program(code), 3_000)
        lines.append(stage.bench.lines)
    assert lines[0] == lines[1]
    assert lines[0][0] == ('{3, "1", 1, 1, "length", "tostr", 0, "valid", 3, "1"}')


def test_a_protected_function_is_asked_whatever_its_arguments() -> None:
    code = """
    add_property(#4, "protect_strcmp", 1, {#3, "r"});
    load_server_options();
    return {strcmp(5, 6), strcmp(), strcmp(@{1})};
    """
    for debug in (8, 0):
        stage = Stage(BOTH, 0, debug)
        stage.bench.verb(0, "bf_strcmp", 'return {"asked", @args};')
        (event, lines) = stage.run(stage.program(code), 3_000)
        assert event[1] == '{{"asked", 5, 6}, {"asked"}, {"asked", 1}}'
        assert lines == []


@pytest.mark.parametrize("name", RESULTS)
def test_what_a_function_gives_that_is_protected_in_mid_verb_is_of_any_type(
    name: str,
) -> None:
    code = f"""
    add_property(#4, "protect_{name}", 1, {{#3, "r"}});
    load_server_options();
    x = {name}(@{{}});
    return {{`x + 1 ! ANY', `x + "" ! ANY', `x[1] ! ANY', `-x ! ANY', x == #1}};
    """
    events = []
    for mode in (WALKER, VERBS):
        stage = Stage(mode, 0)
        stage.bench.verb(0, f"bf_{name}", 'return {"asked"};')
        events.append(stage.run(stage.program(code), 3_000))
    assert events[0] == events[1]
    assert events[0][0][1] == '{E_TYPE, E_TYPE, "asked", E_TYPE, 0}'


@pytest.mark.parametrize("version", [VERSION_FLOAT - 1, VERSION_FLOAT])
@pytest.mark.parametrize("code", ["typeof(1) == int", "typeof(#2) != float", "!int"])
def test_a_verb_of_an_old_language_has_variables_of_its_own_behind_the_older_ones(
    version: int, code: str
) -> None:
    """There ``int`` and ``float`` are names like any other, and have no value."""
    values = []
    for mode in (VERBS, WALKER):
        stage = Stage(mode, 0)
        bench = stage.bench
        bench.verb(2, "old", "")
        verbdef = bench.world[Obj(2)].verbs[-1]
        verbdef.code = f"return {code};"
        verbdef.version = version
        verbdef.compiled = None
        values.append(bench.run("return `#2:old() ! ANY';").value)
    assert values[0] == values[1]
    assert values[1] == (E_VARNF if version < VERSION_FLOAT else 1)


def test_generated_source_is_the_same_each_time() -> None:
    code = program(5, with_finally=False)
    texts = set()
    for _ in range(2):
        stage = Stage(BOTH, 0)
        texts.add(stage.bench.engine.tiering.source(stage.program(code)))
    assert len(texts) == 1
    assert None not in texts
