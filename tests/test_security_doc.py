"""Every claim of the chapter on security has a test, and every test it names exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHAPTER = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


@cache
def _defined_tests() -> frozenset[str]:
    names: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names.add(node.name)
    return frozenset(names)


def rows() -> list[list[str]]:
    """Return the rows of the tables, without their heads."""
    heads = ("|---", "| They", "| It may")
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in CHAPTER.splitlines()
        if line.startswith("|") and not line.startswith(heads)
    ]


def named(text: str) -> list[str]:
    return re.findall(r"`(test_\w+)`", text)


def test_every_named_test_exists() -> None:
    names = named(CHAPTER)
    assert len(set(names)) > 60
    assert [name for name in names if name not in _defined_tests()] == []


def test_every_claim_names_a_test() -> None:
    assert len(rows()) > 30
    for row in rows():
        assert len(row) == 3, row
        assert named(row[2]), row[0]
        assert re.fullmatch(r"(?:`test_\w+`(?:, )?)+", row[2]), row[2]


def test_everybody_of_the_threat_model_has_a_part() -> None:
    parts = re.findall(r"^## (.*)$", CHAPTER, re.MULTILINE)
    assert parts == [
        "Whoever connects, before login",
        "Players",
        "Programmers",
        "Wizards",
        "Another user of the computer",
        "Whoever gives you a database file",
        "HTTP clients",
        "Workers",
        "What pymoo does not do",
    ]
