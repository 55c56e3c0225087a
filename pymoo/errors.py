"""The exceptions of this package: four families that never mix.

==================  =====================================  ======================
family              who sees it                            caught by
==================  =====================================  ======================
`MooError`          MOO programs                           the engines
`TaskAborted`       the player, as a notice                the scheduler, once
`PymooError`        whoever runs the server                ``cli.py``
`InternalError`     the log, in full: it is our bug        the task's boundary
==================  =====================================  ======================
"""

from __future__ import annotations

from enum import Enum

from pymoo.values import Value


class MooError(Exception):
    """A MOO error on its way to a handler, with what ``except`` will see of it.

    ``code`` may be any value (``raise()`` takes any); ``message`` defaults to the
    text of the error code.
    """

    def __init__(
        self, code: Value, message: str | None = None, value: Value = 0
    ) -> None:
        # Exception has what it needs from __new__: programs raise by the thousand.
        self.code = code
        self.message: str = code.message if message is None else message  # type: ignore[union-attr]
        self.value = value

    def __str__(self) -> str:
        return self.message


class AbortReason(Enum):
    """Why a task was stopped without being asked; the value is its message."""

    TICKS = "Task ran out of ticks"
    SECONDS = "Task ran out of seconds"
    KILLED = ""

    @property
    def handler_argument(self) -> str:
        """First argument of ``#0:handle_task_timeout()``."""
        return self.name.lower()


class TaskAborted(BaseException):
    """The task ends here; no MOO code can catch it and no ``finally`` part runs."""

    def __init__(self, reason: AbortReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class TaskRolledBack(TaskAborted):
    """The task ends here, and what it has done since its last commit is undone.

    With ``keep_output`` but for the lines that it has sent to players.
    """

    def __init__(self, *, keep_output: bool) -> None:
        super().__init__(AbortReason.KILLED)
        self.keep_output = keep_output


class PymooError(Exception):
    """Something that whoever runs the server must mend; the text says what."""


class OptionError(PymooError):
    """An option of the command line or of the database has an unusable value."""


class TextdumpError(PymooError):
    """A database file cannot be read; the text names file, line and remedy.

    ``problem`` is the text without the remedy.
    """

    def __init__(self, problem: str, remedy: str | None = None) -> None:
        super().__init__(problem if remedy is None else f"{problem}\n{remedy}")
        self.problem = problem


class MooSyntaxError(PymooError):
    """A program does not compile.

    ``errors`` are the C server's lines, each ``Line N:  MESSAGE``.
    """

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


class InternalError(RuntimeError):
    """A bug in pymoo: something that cannot happen has happened."""
