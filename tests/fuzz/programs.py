"""Texts of programs: a program that can be listed and read again, or MooSyntaxError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hypothesis import strategies as st

from pymoo.errors import MooSyntaxError
from pymoo.lang.parser import parse_program
from pymoo.lang.unparse import unparse
from tests.fuzz.program_texts import PROGRAMS
from tests.fuzz.running import Target, plain
from tests.lang.programs import FUNCTIONS, NUMBERS

# How it is read: version, whether as from a file, line comments, bytes or characters.
INPUTS: Final = st.tuples(
    PROGRAMS,
    st.sampled_from([4, 4, 4, 3, 2, 1, 0]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


def check(data: tuple[str, int, bool, bool, bool]) -> None:
    text, version, from_file, line_comments, byte_text = data
    warnings: list[str] = []
    how: dict[str, Any] = {
        "functions": FUNCTIONS,
        "line_comments": line_comments,
        "byte_text": byte_text,
        "warn": warnings.append if from_file else None,
    }
    try:
        program = parse_program(text, version=version, **how)
    except MooSyntaxError as error:
        _check_error(error)
        return
    # Programs of old versions are listed in the language of today.
    for shape in _SHAPES:
        listing = shape(program)
        assert not any("\n" in line for line in listing)
        again = parse_program("".join(f"{line}\n" for line in listing), **how)
        assert again.body == program.body or version < 4
        assert shape(again) == listing
    program.classic.disassemble(NUMBERS)


def _check_error(error: MooSyntaxError) -> None:
    """It has lines, which tell where."""
    assert error.errors
    assert all(line.startswith("Line ") for line in error.errors)
    assert "\n" not in "".join(error.errors)


_SHAPES: Final[tuple[Callable[[Any], list[str]], ...]] = (
    unparse,
    lambda program: unparse(program, fully_parenthesized=True, indent=False),
)

TARGET: Final = Target("programs", INPUTS, plain(check))
