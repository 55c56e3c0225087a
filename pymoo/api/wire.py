"""What requests over HTTP, and the answers to them, look like as JSON.

``POST /v1/call``, ``/v1/eval`` and ``/v1/command`` take an object of the names that
`request_of` knows.  Objects are ``"#2"`` or ``{"obj": 2}``, values as in `values_json`.

An answer has the value (or status), the output and the task id; or ``error`` in the
place of the value, with a ``kind`` that is one of `KINDS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from attrs import frozen

from pymoo.api.errors import (
    MooFailure,
    MooTaskAborted,
    MooTaskError,
    MooTimeout,
    WorldClosedError,
)
from pymoo.api.results import CallResult, CommandResult, EvalResult
from pymoo.errors import MooSyntaxError, PymooError
from pymoo.server.outside import (
    Choices,
    Evaluation,
    Request,
    TypedCommand,
    VerbCall,
)
from pymoo.values import NOTHING, Obj
from pymoo.values_json import json_portions, value_of
from pymoo.values_limits import UnusableValueError, ValueLimits

MAX_TIMEOUT_S: Final = 300.0
DEFAULT_TIMEOUT_S: Final = 30.0

CALL, EVAL, COMMAND = "call", "eval", "command"

KINDS: Final = {
    "moo": "an error that nobody caught: code, value and traceback tell more",
    "aborted": "the task was ended, for the reason that is given",
    "syntax": "the program does not compile",
    "timeout": "the task takes longer than was to be waited",
    "closed": "the server is stopping",
    "request": "the request cannot be understood, or not now",
}

_OBJECT: Final = re.compile(r"#(-?[0-9]{1,18})")

# What each path takes; True where it must be there.
_ALL: Final = {"timeout": False, "error_policy": False, "abort_policy": False}
_NAMES: Final[dict[str, dict[str, bool]]] = {
    CALL: {"obj": True, "verb": True, "args": False, "player": False, **_ALL},
    EVAL: {"player": True, "source": True, **_ALL},
    COMMAND: {"player": True, "line": True, **_ALL},
}


@frozen
class Asked:
    """A request, and how long whoever asks waits."""

    request: Request
    timeout_s: float


def request_of(path: str, data: Any, limits: ValueLimits) -> Asked:
    """Return what is asked for by JSON that was posted to ``path``.

    Raises: UnusableValueError, OptionError.
    """
    if type(data) is not dict:
        raise UnusableValueError("the body is no JSON object")
    names = _NAMES[path]
    for name in data:
        if name not in names:
            raise UnusableValueError(
                f"{json.dumps(name)[:40]} is not known here: there are "
                f"{', '.join(names)}"
            )
    for name, is_needed in names.items():
        if is_needed and name not in data:
            raise UnusableValueError(f'"{name}" is missing')
    timeout_s = _timeout(data.get("timeout", DEFAULT_TIMEOUT_S))
    player = NOTHING
    if "player" in data:
        player = _object("player", data["player"], limits)
    choices = Choices(
        *(
            _text(name, data[name]) if name in data else None
            for name in ("error_policy", "abort_policy")
        )
    )
    request: Request
    if path == CALL:
        arguments = data.get("args", [])
        if type(arguments) is not list:
            raise UnusableValueError('"args" is no array')
        made = value_of(arguments, limits)
        assert type(made) is tuple
        request = VerbCall(
            player,
            _object("obj", data["obj"], limits),
            limits.string(_text("verb", data["verb"])),
            made,
            choices,
        )
    elif path == EVAL:
        lines = _text("source", data["source"]).split("\n")
        request = Evaluation(player, "\n".join(map(limits.string, lines)), choices)
    else:
        line = limits.string(_text("line", data["line"]))
        request = TypedCommand(player, line, choices)
    return Asked(request, timeout_s)


def _timeout(data: Any) -> float:
    if type(data) not in (int, float) or not 0 <= data <= MAX_TIMEOUT_S:
        raise UnusableValueError(
            f'"timeout" must be a number of seconds, from 0 to {MAX_TIMEOUT_S:g}'
        )
    return float(data)


def _text(name: str, data: Any) -> str:
    if type(data) is not str:
        raise UnusableValueError(f'"{name}" is no string')
    return data


def _object(name: str, data: Any, limits: ValueLimits) -> Obj:
    if type(data) is str:
        found = _OBJECT.fullmatch(data)
        if found is not None:
            return Obj(limits.integer(int(found[1])))
    elif type(data) is dict and [*data] == ["obj"]:
        made = value_of(data, limits)
        assert type(made) is Obj
        return made
    raise UnusableValueError(f'"{name}" is no object: write "#2" or {{"obj": 2}}')


# --- answers ------------------------------------------------------------------------


def result_portions(result: CallResult | EvalResult | CommandResult) -> Iterator[str]:
    """Yield an answer as JSON, in portions.

    Raises: UnusableValueError for a value that JSON cannot hold.
    """
    output = json.dumps(result.output)
    if isinstance(result, CommandResult):
        yield (
            f'{{"status": {result.status}, "output": {output}, '
            f'"task_id": {result.task_id}, '
            f'"is_finished": {json.dumps(result.is_finished)}}}'
        )
        return
    yield '{"value": '
    yield from json_portions(result.value)
    yield f', "output": {output}, "task_id": {result.task_id}}}'


def error_portions(error: PymooError) -> Iterator[str]:
    """Yield what went wrong as JSON, in portions."""
    output: tuple[str, ...] = ()
    task_id = 0
    if isinstance(error, MooFailure):
        output, task_id = error.output, error.task_id
    if isinstance(error, MooTaskError):
        yield f'{{"error": {{"kind": "moo", "message": {json.dumps(error.message)}'
        yield ', "code": '
        yield from json_portions(error.code)
        yield ', "value": '
        yield from json_portions(error.value)
        yield f', "traceback": {json.dumps(error.traceback)}}}'
    else:
        shown: dict[str, Any] = {"kind": "request", "message": str(error)}
        if isinstance(error, MooTaskAborted):
            shown = {
                "kind": "aborted",
                "message": error.message,
                "reason": error.reason,
                "traceback": error.traceback,
            }
        elif isinstance(error, MooTimeout):
            shown["kind"] = "timeout"
        elif isinstance(error, MooSyntaxError):
            shown = {"kind": "syntax", "message": str(error), "lines": error.errors}
        elif isinstance(error, WorldClosedError):
            shown["kind"] = "closed"
        yield f'{{"error": {json.dumps(shown)}'
    yield f', "output": {json.dumps(output)}, "task_id": {task_id}}}'


def status_of(error: PymooError) -> int:
    """Return the status of HTTP that tells of ``error``."""
    match error:
        case MooTaskError() | MooTaskAborted() | MooSyntaxError():
            return 422
        case MooTimeout():
            return 504
        case WorldClosedError():
            return 503
        case _:
            return 400


def call_result_of(data: Any, limits: ValueLimits, timeout_s: float) -> CallResult:
    """Return what an answer to ``/v1/call`` tells, if that waits for ``timeout_s``.

    Raises: what `World.call_verb` does; UnusableValueError if it is no such answer.
    """
    try:
        output, task_id = [*map(str, data["output"])], int(data["task_id"])
        if "error" not in data:
            return CallResult(value_of(data["value"], limits), output, task_id)
        error = data["error"]
        if error["kind"] == "timeout":
            raise MooTimeout(timeout_s, output=tuple(output), task_id=task_id)
        raise _error_of(error, tuple(output), task_id, limits)
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise UnusableValueError(
            "the answer is not that of a pymoo server: is the address right?"
        ) from problem


def _error_of(
    error: Any, output: tuple[str, ...], task_id: int, limits: ValueLimits
) -> PymooError:
    message = str(error["message"])
    match error["kind"]:
        case "moo":
            return MooTaskError(
                message,
                code=value_of(error["code"], limits),
                value=value_of(error["value"], limits),
                traceback=tuple(map(str, error["traceback"])),
                output=output,
                task_id=task_id,
            )
        case "aborted":
            return MooTaskAborted(
                message,
                reason=str(error["reason"]),
                traceback=tuple(map(str, error["traceback"])),
                output=output,
                task_id=task_id,
            )
        case _:
            return PymooError(message)
