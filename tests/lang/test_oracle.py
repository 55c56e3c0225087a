"""The recorded cases that concern the language alone, of all groups."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from pymoo.errors import MooSyntaxError
from pymoo.lang import nodes as n
from pymoo.lang.program import Program
from pymoo.lang.unparse import unparse
from pymoo.values import Value
from tests.lang.programs import NUMBERS, parse
from tests.shared_material import HAVE_SHARED, SHARED, needs_shared

pytestmark = needs_shared

GROUPS = ("expr", "stmt", "builtins", "objects", "parse", "abort", "tasks")


def cases() -> list[dict[str, Any]]:
    if not HAVE_SHARED:
        return []
    return [
        json.loads(line)
        for group in GROUPS
        for line in (SHARED / "oracle" / f"{group}.jsonl").read_text().splitlines()
    ]


CASES = cases()
REFUSED = [case for case in CASES if case["status"] == "compile"]
ACCEPTED = [case for case in CASES if case["status"] != "compile"]

# Cases of one call: the listings of a program, or its disassembly.
_CALL = re.compile(r"return #10:(show|dis)\((.*)\);", re.DOTALL)


def value_of(text: str) -> Value:
    """Return the value of a literal."""
    (statement,) = parse(f"{text};").body
    assert type(statement) is n.ExpressionStatement
    return _value(statement.value)


def _value(node: n.Node) -> Value:
    if type(node) is n.ListDisplay:
        return tuple(map(_value, node.items))
    assert type(node) is n.Literal
    return node.value


def arguments_of(case: dict[str, Any], verb: str) -> tuple[str, ...] | None:
    """Return the lines that a case programs, None if it does something else."""
    call = _CALL.fullmatch(case["code"])
    if call is None or call[1] != verb:
        return None
    try:
        value = value_of(f"{{{call[2]}}}")
    except AssertionError:
        return None
    return value  # type: ignore[return-value]


def compiled(lines: tuple[str, ...]) -> Program | list[str]:
    try:
        return parse(*lines)
    except MooSyntaxError as error:
        return error.errors


SHOWN = [
    (case, lines) for case in CASES if (lines := arguments_of(case, "show")) is not None
]
DISASSEMBLED = [
    (case, lines) for case in CASES if (lines := arguments_of(case, "dis")) is not None
]


def test_none_is_overlooked() -> None:
    assert len(REFUSED) == 257
    assert len(SHOWN) == 503
    assert len(DISASSEMBLED) == 136


def test_what_the_c_server_compiles_is_compiled() -> None:
    for case in ACCEPTED:
        assert isinstance(compiled((case["code"],)), Program), case["id"]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["id"])
def test_what_it_refuses_is_refused_with_its_messages(case: dict[str, Any]) -> None:
    found = compiled((case["code"],))
    assert found == list(value_of(case["value"]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("case", "lines"), SHOWN, ids=[case["id"] for case, _ in SHOWN]
)
def test_listings(case: dict[str, Any], lines: tuple[str, ...]) -> None:
    expected = value_of(case["value"])
    found = compiled(lines)
    if isinstance(found, Program):
        full = unparse(found, fully_parenthesized=True, indent=False)
        assert (tuple(unparse(found)), tuple(full)) == expected
    else:
        assert ("errors", tuple(found)) == expected


@pytest.mark.parametrize(
    ("case", "lines"), DISASSEMBLED, ids=[case["id"] for case, _ in DISASSEMBLED]
)
def test_disassemblies(case: dict[str, Any], lines: tuple[str, ...]) -> None:
    found = compiled(lines)
    assert isinstance(found, Program)
    assert tuple(found.classic.disassemble(NUMBERS)) == value_of(case["value"])
