"""What can go wrong for whoever calls a world from outside.

A program that does not compile is `errors.MooSyntaxError`; a value that no world can
hold, `values_limits.UnusableValueError`.
"""

from __future__ import annotations

from typing import Final

from pymoo.errors import PymooError
from pymoo.values import Value


class MooFailure(PymooError):
    """A task that was asked for has no result, or none yet.

    ``traceback`` are the lines that players see, and ``output`` those that the player
    was sent before.  ``task_id`` is 0 if the task was not begun.
    """

    def __init__(
        self,
        message: str,
        *,
        traceback: tuple[str, ...] = (),
        output: tuple[str, ...] = (),
        task_id: int = 0,
    ) -> None:
        super().__init__("\n".join(traceback) or message)
        self.message: Final = message
        self.traceback: Final = traceback
        self.output: Final = output
        self.task_id: Final = task_id


class MooTaskError(MooFailure):
    """A task ended in a MOO error that nobody caught, or could not be begun for one.

    ``code`` is an ERR, unless the program raised something else.
    """

    def __init__(
        self,
        message: str,
        *,
        code: Value,
        value: Value = 0,
        traceback: tuple[str, ...] = (),
        output: tuple[str, ...] = (),
        task_id: int = 0,
    ) -> None:
        super().__init__(message, traceback=traceback, output=output, task_id=task_id)
        self.code: Final = code
        self.value: Final = value


class MooTaskAborted(MooFailure):
    """A task was ended before its end.

    ``reason`` is ``ticks`` or ``seconds`` if it has used up what it had, ``killed``,
    ``rollback`` if it called that, or ``bug`` for an error in pymoo, of which the log
    tells.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        traceback: tuple[str, ...] = (),
        output: tuple[str, ...] = (),
        task_id: int = 0,
    ) -> None:
        super().__init__(message, traceback=traceback, output=output, task_id=task_id)
        self.reason: Final = reason


class MooTimeout(MooFailure):
    """A task takes longer than its caller waits.

    It goes on, unless ``kill_task(task_id)`` ends it; if it was not begun, it will not
    be.
    """

    def __init__(
        self, timeout_s: float, *, output: tuple[str, ...] = (), task_id: int = 0
    ) -> None:
        where = f"task {task_id} goes on" if task_id else "the task was not begun"
        message = f"no answer within {timeout_s:g} s; {where}"
        super().__init__(message, output=output, task_id=task_id)


class WorldClosedError(PymooError):
    """A world was closed, or has shut itself down."""
