"""Programs in a textdump: reading their text, and having it checked.

The language is not known here.  Whoever knows it may pass a `ProgramChecker`; then
every program is checked when it is read, with the messages in the log that the C
server would write there.  Without one, programs are taken as they are, and checked
when they are first needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Protocol

from pymoo.db.log import Log
from pymoo.db.textdump_io import TextdumpReader
from pymoo.errors import MooSyntaxError

_LINE_NUMBER: Final = re.compile(r"Line ([0-9]+):")


class ProgramChecker(Protocol):
    """What loading can use of somebody who knows the language."""

    def check_program(
        self, text: str, version: int, warn: Callable[[str], None]
    ) -> str:
        """Return the canonical text of a program of the given language version.

        In both texts each line has its LF.

        ``warn`` is told what the C server warns of, ``Line N:  MESSAGE``.

        Raises: MooSyntaxError.
        """

    def is_behind_call(self, text: str, version: int, vector: int, pc: int) -> bool:
        """Whether ``pc`` stands behind a call, where a task can have suspended.

        ``vector`` is -1 or the number of a fork of the program.
        """

    def has_function(self, name: str) -> bool:
        """Whether there is a built-in function with this name."""


class ProgramReader:
    """Reads the programs of one textdump."""

    def __init__(
        self, reader: TextdumpReader, log: Log, checker: ProgramChecker | None
    ) -> None:
        self._reader = reader
        self._log = log
        self.checker = checker

    def read(self, version: int, where: Callable[[], str]) -> tuple[str, str]:
        """Read a program; return its text as it stands there, and as it should be.

        The second is what the checker made of it.  ``where`` names the program for
        the log.

        Raises: TextdumpError if it is not complete or was refused.
        Source: db_io.c, dbio_read_program.
        """
        first_line = self._reader.line
        text, is_complete = self._reader.read_program()
        canonical = text
        problem = None
        messages: list[tuple[str, bool]] = []
        if self.checker is not None:
            try:
                canonical = self.checker.check_program(
                    text, version, lambda message: messages.append((message, False))
                )
            except MooSyntaxError as error:
                messages += [(message, True) for message in error.errors]
                problem = f"{error.errors[0]} (counted from this line)"
        if not is_complete:
            if problem is None or _is_beyond(text, messages[-1][0]):
                messages.insert(0, ("Unexpected EOF", True))
            problem = problem or (
                "expected a program that a line with a dot ends, but the file ends "
                "before: it is not complete"
            )
        elif problem is None and "\0" in text:
            problem = "a NUL byte in a program"
        for message, is_error in messages:
            kind = "Error" if is_error else "Warning"
            self._log(f"PARSER: {kind} in {where()}:", is_error)
            self._log(f"           {message}", is_error)
        if problem is not None:
            raise self._reader.error(problem, line=first_line)
        return text, canonical


def _is_beyond(text: str, message: str) -> bool:
    """Whether a cut-off program was parsed to its end, judging by the last message.

    The C server complains about the end of the file only if it comes to it.
    """
    line = _LINE_NUMBER.match(message)
    return line is None or int(line[1]) > text.count("\n")
