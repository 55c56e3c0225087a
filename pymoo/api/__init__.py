"""The ways into a world from outside: a Python API, the command `call`, HTTP."""

from pymoo.api.errors import (
    MooFailure,
    MooTaskAborted,
    MooTaskError,
    MooTimeout,
    WorldClosedError,
)
from pymoo.api.results import CallResult, CommandResult, EvalResult
from pymoo.api.world import World

__all__ = [
    "CallResult",
    "CommandResult",
    "EvalResult",
    "MooFailure",
    "MooTaskAborted",
    "MooTaskError",
    "MooTimeout",
    "World",
    "WorldClosedError",
]
