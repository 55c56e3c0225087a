"""What can be known of the values of a program from its text."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pymoo.interp.kinds import (
    ANY,
    FLOAT,
    INT,
    KIND_OF,
    LIST,
    MAX_PASSES,
    OBJ,
    RESULTS,
    STR,
    UNBOUND,
    Kinds,
)
from pymoo.lang import nodes as n
from pymoo.lang.program import Program
from tests.fakes import Bench
from tests.interp.tiers import BOTH, differences


def last_kind(code: str) -> int:
    """The kind of what the last statement returns."""
    program = Bench().engine.compile(code + "\n")
    statement = program.body[-1]
    assert type(statement) is n.Return
    assert statement.value is not None
    return Kinds(program).of(statement.value)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("return 1;", INT),
        ("return x;", UNBOUND),
        ("x = 1; return x;", INT),
        ('x = "a" + args[1]; return x;', STR),
        ("x = args[1] + 1; return args[1];", ANY),
        ("x = args[1]; y = x + 1; return x;", INT),
        ("x = args[1]; y = x + length(x = this:v()); return x;", ANY),
        ("for i in [1..5] x = i; endfor return i;", INT | UNBOUND | INT),
        ("x = 0; for i in [1..5] x = x + i; endfor return x;", INT),
        ("x = 0; for i in [1..5] x = x + 0.5; endfor return x;", INT),
        ("x = 0; while (x < 5) x = tofloat(x); endwhile return x;", INT | FLOAT),
        ('if (args) x = 1; else x = "s"; endif return x;', INT | STR),
        ("{a, ?b = 1, @c} = args; return c;", LIST),
        ("{a, ?b = 1, @c} = args; return b;", ANY),
        ("return this;", OBJ),
        ("return argstr;", ANY),
        (
            "x = 1; try x = {}; this:v(); x = 2; except (ANY) endtry return x;",
            INT | LIST,
        ),
        ("x = 1; try this:v(); finally x = {}; endtry return x;", LIST),
        (
            "x = 1; for i in [1..2] try break; finally x = {}; endtry endfor return x;",
            ANY | UNBOUND,
        ),
        ("return `x ! ANY => 5';", INT),
        ("return `1 ! ANY';", ANY),
        ("return 1 && {};", INT | LIST),
        ("return args ? 1.5 | #3;", FLOAT | OBJ),
        ('x = {1}; x[1] = (x = "s"); return x;', LIST),
        ("return length(args);", INT),
        ("return this:v();", ANY),
        ("return -args[1];", INT | FLOAT),
    ],
)
def test_kinds(code: str, kind: int) -> None:
    assert last_kind(code) == kind


def test_a_protected_function_may_return_anything() -> None:
    program = Bench().engine.compile("return length(args);\n")
    statement = program.body[0]
    assert type(statement) is n.Return
    assert statement.value is not None
    assert Kinds(program, frozenset({"length"})).of(statement.value) == ANY


def test_at_the_head_of_a_loop_the_rounds_before_count() -> None:
    code = 'x = 0; while (args) x = x ? "s" | 2.5; endwhile\n'
    program: Program = Bench().engine.compile(code)
    kinds = Kinds(program)
    slot = program.names.index("x")
    assert kinds.heads[id(program.body[1])][slot] == INT | STR | FLOAT


@pytest.mark.parametrize("variables", [3, 40, 100])
def test_a_chain_of_variables_does_not_take_a_pass_for_each(variables: int) -> None:
    """What the last one gets comes a variable further with each round of the loop."""
    names = [f"v{number}" for number in range(variables)]
    moves = "".join(f"{a} = {b};\n" for a, b in pairwise(names))
    code = (
        "".join(f"{name} = 1;\n" for name in names)
        + f"for i in [1..{variables + 1}]\n{moves}{names[-1]} = i * 0.5;\nendfor\n"
        "return {v0, v1, v2};\n"
    )
    kinds = Kinds(Bench().engine.compile(code))
    assert kinds.passes <= MAX_PASSES + 2
    assert differences(code, BOTH) is None


def test_functions_return_what_their_kind_says(bench: Bench) -> None:
    arguments = {
        LIST: '{"a"}, "a", 1 | {"a"}, 1, 1 | {"a"}, 1 | "a", "a" | #3 | #2, "foo" | ',
        STR: '"a", "a", "a" | "a" | 1.5, 2 | 5 | "a", match("a", "a") | ',
        FLOAT: "0.5 | ",
        INT: '"a" | 1.5 | {"a"}, {} | "a", {"a"} | "a", "b" | 5 | #3 | ',
        OBJ: "5 | #3 | ",
    }
    bench.run('add_property(#2, "foo", 1, {#3, "r"});')
    bench.verb(2, "foo", "return 1;")
    for name, kind in RESULTS.items():
        answers = 0
        for given in arguments[kind].split("|"):
            value = bench.run(f"return `{{{name}({given})}} ! ANY';").value
            if type(value) is tuple:
                assert KIND_OF[type(value[0])] == kind, (name, given, value)
                answers += 1
        # Connections are not what a small world has.
        assert answers or "conne" in name or "idle" in name, name
