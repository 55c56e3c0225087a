"""The whole front end against what the C server made of a few hundred programs."""

from __future__ import annotations

from typing import Any

import pytest

from pymoo.errors import MooSyntaxError
from pymoo.lang.classic import MAIN
from pymoo.lang.unparse import unparse
from tests.lang.programs import NUMBERS, RECORDED, compile_recorded

COMPILED = [case for case in RECORDED if "listing" in case]


def name_of(case: dict[str, Any]) -> str:
    return repr(case["source"][:50])


@pytest.mark.parametrize("case", RECORDED, ids=name_of)
def test_has_the_messages_of_the_c_server_in_its_order(case: dict[str, Any]) -> None:
    warnings: list[str] = []
    errors: list[str] = []
    try:
        compile_recorded(case, warnings.append)
    except MooSyntaxError as error:
        errors = error.errors
    messages = [tuple(message.split(" ", 1)) for message in case["messages"]]
    assert warnings == [text for kind, text in messages if kind == "W"]
    assert errors == [text for kind, text in messages if kind == "E"]


@pytest.mark.parametrize("case", COMPILED, ids=name_of)
def test_is_listed_as_by_the_c_server(case: dict[str, Any]) -> None:
    program = compile_recorded(case, lambda warning: None)
    assert list(program.names) == case["names"]
    assert unparse(program) == case["listing"]
    assert unparse(program, fully_parenthesized=True, indent=False) == case["full"]
    assert [
        unparse(program, fully_parenthesized=True, indent=False, fork=fork)
        for fork in range(len(program.forks))
    ] == case.get("forks", [])


@pytest.mark.parametrize("case", COMPILED, ids=name_of)
def test_is_compiled_as_by_the_c_server(case: dict[str, Any]) -> None:
    program = compile_recorded(case, lambda warning: None)
    assert program.classic.disassemble(NUMBERS) == case["disassembly"]


@pytest.mark.parametrize("case", COMPILED, ids=name_of)
def test_errors_are_on_the_lines_of_the_c_server(case: dict[str, Any]) -> None:
    code = compile_recorded(case, lambda warning: None).classic
    assert set(map(int, case["lines"])) == {MAIN, *range(len(code.forks))}
    for vector, lines in case["lines"].items():
        assert [[pc, code.line_at(int(vector), pc)] for pc, _ in lines] == lines
