"""What a built-in function may ask of the engine instead of giving a value.

A function that only computes returns a value.  One that must suspend its task,
call a verb and go on afterwards, or end the task, returns one of these; the engine
acts on it (`VM.settle`).  Nothing here runs anything.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen

from pymoo.errors import MooError
from pymoo.values import Obj, Value


@frozen
class Outcome:
    """Anything a built-in function may return that is not a value."""


@frozen
class Called(Outcome):
    """A verb was pushed with `Call.call_verb`; come back to me when it returns.

    The function is then called again with ``step`` (2 or more), ``data`` and the
    value the verb returned.  Step and data are what a textdump keeps.
    """

    step: int
    data: Any = None


@frozen
class TailCalled(Outcome):
    """A verb was pushed, and what it returns is the function's value."""


@frozen
class Suspend(Outcome):
    """Put the task to sleep for ``seconds``, or until `resume()` if None.

    The function then returns ``value``, or raises it if it is an error.
    """

    seconds: float | None
    value: Value = 0


@frozen
class Read(Outcome):
    """Put the task to sleep until a line arrives from ``connection``."""

    connection: Obj


@frozen
class Wait(Outcome):
    """Put the task to sleep until what it waits for has come.

    ``kind`` names who brings that (`tasks.waiting.WaitKind`), ``data`` tells them
    what it is: a value, so that it can be saved.  After ``seconds`` (None: never) the
    function returns ``otherwise``, or raises it if it is an error; so it does in a
    world that was loaded, if the kind knows nothing of it any more (the message of
    an error says so then).
    """

    kind: str
    data: Value
    seconds: float | None
    otherwise: Value | MooError


FOR_MAIL: Final = "mail"
"""The kind of `Wait` in task_recv()."""
FOR_END: Final = "task"
"""The kind of `Wait` in wait_task(); its data is the number of the other task."""


@frozen
class Kill(Outcome):
    """End the task at once, silently and without its ``finally`` parts."""


@frozen
class Rollback(Outcome):
    """End the task at once, and undo what it has done since its last commit."""

    keep_output: bool


TAIL_CALLED: Final = TailCalled()
KILL: Final = Kill()
