"""What calls from outside give, and how an `Outcome` becomes that or an exception."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from pymoo.api.errors import (
    MooTaskAborted,
    MooTaskError,
    MooTimeout,
    WorldClosedError,
)
from pymoo.errors import MooError
from pymoo.exits import FAILED, FINE
from pymoo.interp.vm import Aborted, Done, RolledBack
from pymoo.server.outside import Ending, Outcome, failed
from pymoo.tasks.runner import Crashed
from pymoo.values import Value


@frozen
class CommandResult:
    """What became of a command: ``output, status = server.parse_command(...)``."""

    output: list[str]
    """The lines that the player was sent, tracebacks among them."""
    status: int
    """1 if a task of the command ended in an error or was aborted; else 0."""
    task_id: int
    """0 if the command began none."""
    is_finished: bool = True
    """False if its task still sleeps, and nobody waits for it any more."""

    def __iter__(self) -> Iterator[list[str] | int]:
        yield self.output
        yield self.status


@frozen
class EvalResult:
    """What a program has returned: ``output, value = server.eval(...)``."""

    output: list[str]
    value: Value
    task_id: int

    def __iter__(self) -> Iterator[list[str] | Value]:
        yield self.output
        yield self.value


@frozen
class CallResult:
    """What a verb has returned."""

    value: Value
    output: list[str]
    task_id: int


def command_result(outcome: Outcome, timeout_s: float) -> CommandResult:
    """Return what became of a command.

    Raises: MooTaskError if its player does not exist; MooTimeout if it was not begun;
        WorldClosedError.
    """
    if (
        outcome.ending is Ending.REFUSED
        or outcome.ending is Ending.STOPPED
        or (outcome.ending is Ending.GIVEN_UP and not outcome.task_id)
    ):
        raise _failure(outcome, timeout_s)
    return CommandResult(
        [*outcome.output],
        FAILED if failed(outcome) else FINE,
        outcome.task_id,
        outcome.ending is not Ending.GIVEN_UP,
    )


def eval_result(outcome: Outcome, timeout_s: float) -> EvalResult:
    """Return what a program has returned.

    Raises: MooTaskError, MooTaskAborted, MooTimeout, MooSyntaxError, WorldClosedError.
    """
    result = call_result(outcome, timeout_s)
    return EvalResult(result.output, result.value, result.task_id)


def call_result(outcome: Outcome, timeout_s: float) -> CallResult:
    """Return what a verb has returned.

    Raises: MooTaskError, MooTaskAborted, MooTimeout, WorldClosedError.
    """
    if outcome.ending is Ending.ENDED and isinstance(outcome.result, Done):
        return CallResult(outcome.result.value, [*outcome.output], outcome.task_id)
    raise _failure(outcome, timeout_s)


def _failure(outcome: Outcome, timeout_s: float) -> Exception:
    output, task_id = outcome.output, outcome.task_id
    match outcome.ending:
        case Ending.REFUSED:
            refusal = outcome.refusal
            if isinstance(refusal, MooError):
                return MooTaskError(
                    refusal.message, code=refusal.code, value=refusal.value
                )
            assert refusal is not None
            return refusal
        case Ending.GIVEN_UP:
            return MooTimeout(timeout_s, output=output, task_id=task_id)
        case Ending.STOPPED:
            return WorldClosedError(
                f"the world has shut down: {outcome.reason}. Open it again"
            )
        case Ending.GONE:
            return MooTaskAborted(
                "the task was killed", reason="killed", output=output, task_id=task_id
            )
    result = outcome.result
    if isinstance(result, Aborted) and result.handler is not None:
        lines = result.arguments[-1]
        assert type(lines) is tuple
        traceback = tuple(map(str, lines))
        if result.handler == "handle_uncaught_error":
            code, message, value = result.arguments[:3]
            return MooTaskError(
                str(message),
                code=code,
                value=value,
                traceback=traceback,
                output=output,
                task_id=task_id,
            )
        reason = str(result.arguments[0])
        return MooTaskAborted(
            f"the task ran out of {reason}",
            reason=reason,
            traceback=traceback,
            output=output,
            task_id=task_id,
        )
    if isinstance(result, Crashed):
        return MooTaskAborted(
            "an error in pymoo ended the task; the log has all of it: please report it",
            reason="bug",
            output=output,
            task_id=task_id,
        )
    is_undone = isinstance(result, RolledBack)
    return MooTaskAborted(
        "the task has rolled itself back" if is_undone else "the task was killed",
        reason="rollback" if is_undone else "killed",
        output=output,
        task_id=task_id,
    )
