"""What a program knows of its nodes."""

from __future__ import annotations

from attrs import evolve

from pymoo.lang import nodes as n
from tests.lang.programs import parse


def test_a_node_waits_for_the_one_around_it() -> None:
    program = parse("if (x) y = {z}; endif")
    (branch,) = program.body
    assert type(branch) is n.If
    (arm,) = branch.arms
    (statement,) = arm.body
    assert program.parents[id(arm)] is branch
    assert program.parents[id(arm.condition)] is arm
    assert program.parents[id(statement)] is arm
    assert id(branch) not in program.parents


def test_parts_are_on_the_line_of_their_statement_or_arm() -> None:
    program = parse("x;", "if (a + b) c; elseif (d) e = f + 1; endif")
    _, branch = program.body
    assert type(branch) is n.If
    first, second = branch.arms
    assert program.line_of(branch) == 2
    assert program.line_of(first.condition) == 2
    assert program.line_of(first.condition.left) == 2  # type: ignore[attr-defined]
    assert program.line_of(second.condition) == 4
    assert program.line_of(second.body[0].value.value.right) == 5  # type: ignore[attr-defined]


def test_fork_bodies_know_their_number_and_line() -> None:
    program = parse("fork (1) fork (2) x; endfork endfork")
    outer = program.body[0]
    assert type(outer) is n.Fork
    inner = outer.body[0]
    assert type(inner) is n.Fork
    assert program.fork_number(inner) == 0
    assert program.fork_number(outer) == 1
    assert [program.first_line_of(vector) for vector in (-1, 0, 1)] == [1, 3, 2]


def test_a_body_on_its_own_remembers_where_it_began() -> None:
    program = evolve(parse("x;", "y;"), first_line=7)
    assert program.line_of(program.body[1]) == 8
    assert program.classic.line_at(-1, 0) == 7
