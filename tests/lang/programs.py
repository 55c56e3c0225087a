"""Programs to test the language with, and short ways to read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pymoo.errors import MooSyntaxError
from pymoo.lang.parser import parse_program
from pymoo.lang.program import Program
from pymoo.lang.unparse import unparse
from pymoo.values import fold

DATA = Path(__file__).parents[1] / "data"

# The built-in functions of LambdaMOO 1.8.3 in the order of their numbers.
_IN_ORDER = (DATA / "functions.txt").read_text().split()
FUNCTIONS = {fold(name): name for name in _IN_ORDER}
NUMBERS = {name: number for number, name in enumerate(_IN_ORDER)}

RECORDED: list[dict[str, Any]] = [
    json.loads(line) for line in (DATA / "programs.jsonl").read_text().splitlines()
]
"""Programs, and what the C server made of them.

``messages`` are its errors (E) and warnings (W) in their order; where the program
is ``load``ed as from a database, unknown functions only cause warnings.
``lines`` are pairs of pc and line by vector, where the C server has an answer.
"""


def parse(*lines: str, **options: Any) -> Program:
    """Return the program of some lines of text."""
    source = "".join(f"{line}\n" for line in lines)
    return parse_program(source, functions=FUNCTIONS, **options)


def errors(*lines: str, **options: Any) -> list[str]:
    """Return why some lines of text are no program."""
    with pytest.raises(MooSyntaxError) as caught:
        parse(*lines, **options)
    return caught.value.errors


def listing(*lines: str, **options: Any) -> list[str]:
    """Return the canonical listing of some lines of text."""
    return unparse(parse(*lines, **options))


def same_listing(text: str) -> bool:
    """Whether a line is already canonical."""
    return listing(text) == [text]


def compile_recorded(
    case: dict[str, Any], on_warning: Callable[[str], None]
) -> Program:
    """Return the program of a recorded case."""
    return parse_program(
        case["source"],
        functions=FUNCTIONS,
        version=case.get("version", 4),
        warn=on_warning if case.get("load") else None,
    )
