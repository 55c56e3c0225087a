"""Programs in a textdump: reading their text, and having it checked.

The language is not known here.  Whoever knows it may pass a `ProgramChecker`; then
every program is checked when it is read, with the messages in the log that the C
server would write there.  Without one, programs are taken as they are, and checked
when they are first needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pymoo.db.textdump_io import TextdumpReader
from pymoo.errors import MooSyntaxError

Log = Callable[[str, bool], None]
"""Takes a line for the log and whether it tells of an error."""


class ProgramChecker(Protocol):
    """What loading can use of somebody who knows the language."""

    def check_program(
        self, text: str, version: int, warn: Callable[[str], None]
    ) -> str:
        """Return the canonical text of a program of the given language version.

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
        if not is_complete:
            self._report("Error", where, "Unexpected EOF", is_error=True)
        canonical = text
        if self.checker is not None:
            try:
                canonical = self.checker.check_program(
                    text,
                    version,
                    lambda message: self._report(
                        "Warning", where, message, is_error=False
                    ),
                )
            except MooSyntaxError as error:
                for message in error.errors:
                    self._report("Error", where, message, is_error=True)
                raise self._reader.error(
                    f"{error.errors[0]} (counted from this line)",
                    line=first_line,
                ) from error
        if not is_complete:
            raise self._reader.error(
                "expected a program that a line with a dot ends, but the file ends "
                "before: it is not complete",
                line=first_line,
            )
        return text, canonical

    def _report(
        self, kind: str, where: Callable[[], str], message: str, *, is_error: bool
    ) -> None:
        self._log(f"PARSER: {kind} in {where()}:", is_error)
        self._log(f"           {message}", is_error)
