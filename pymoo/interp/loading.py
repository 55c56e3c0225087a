"""Programs of a database file: checked, brought into canonical form, shared.

`db.textdump` does not know the language; this is what it may ask
(`db.textdump_programs.ProgramChecker`), and where the programs of saved tasks come
from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from attrs import evolve

from pymoo.lang.parser import parse_program
from pymoo.lang.program import Program
from pymoo.lang.unparse import unparse
from pymoo.values import fold


def ignore(message: str) -> None:
    """Nobody is to be told of a warning."""


class ProgramLoader:
    """Parses programs of database files, each text once."""

    def __init__(self, functions: Mapping[str, str], width: int = 32) -> None:
        """``functions`` are the built-in functions: folded name to proper name."""
        self._functions: Final = functions
        self._width: Final = width
        self._programs: dict[tuple[str, int], Program] = {}

    def parse(
        self, text: str, version: int, warn: Callable[[str], None] = ignore
    ) -> Program:
        """Return the program of a text, whose lines each end in a line feed.

        Raises: MooSyntaxError.
        """
        key = (text, version)
        program = self._programs.get(key)
        if program is None:
            program = self._programs[key] = parse_program(
                text,
                functions=self._functions,
                version=version,
                width=self._width,
                warn=warn,
            )
        return program

    def parse_for_task(self, text: str, version: int, first_line: int) -> Program:
        """Return the program of a saved task.  Raises: MooSyntaxError."""
        program = self.parse(text, version)
        if first_line != program.first_line:
            program = evolve(program, first_line=first_line)
        return program

    # --- db.textdump_programs.ProgramChecker ------------------------------

    def check_program(
        self, text: str, version: int, warn: Callable[[str], None]
    ) -> str:
        program = parse_program(
            text,
            functions=self._functions,
            version=version,
            width=self._width,
            warn=warn,
        )
        return "".join(
            f"{line}\n"
            for line in unparse(program, fully_parenthesized=True, indent=False)
        )

    def is_behind_call(self, text: str, version: int, vector: int, pc: int) -> bool:
        program = self.parse(text, version)
        if vector >= len(program.forks):
            return False
        return program.classic.site(vector, pc) is not None

    def has_function(self, name: str) -> bool:
        return fold(name) in self._functions
