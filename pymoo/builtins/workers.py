"""The built-in function that asks a worker: a process beside the server.

What workers there are, and how they are asked, is known to the layers above
(`host.Workers`, `outcomes.Wait`).
"""

from __future__ import annotations

import math
from typing import Final

from pymoo.builtins.registry import ANY, builtin
from pymoo.errors import MooError
from pymoo.interp.outcomes import Outcome, Wait
from pymoo.interp.vm import Call
from pymoo.values import E_INVARG, E_PERM, E_TYPE, Value, tostr
from pymoo.values_equality import same_text

WAIT_KIND: Final = "worker"
"""The `Wait.kind` of tasks that wait for a worker; ``data`` is {kind, arguments}."""


@builtin("worker_request", [ANY], more=True, source="pymoo; mooR has one, too")
def bf_worker_request(call: Call, request: Value, *arguments: Value) -> Outcome:
    """Return what a worker answers to ``arguments``; the task waits for it.

    ``request`` is the kind of work, a STR, or a LIST of it and options: {kind,
    {"timeout", seconds}}.  Without that option the time is
    ``$server_options.worker_timeout``, or 60 seconds.  The rest of the task has the
    budget of a background task.

    Permission: a wizard; otherwise E_PERM.
    Raises: what the worker raises; E_INVARG if there is no such kind, it does not
        answer in time, or its process ends; E_QUOTA if too many requests wait, if the
        request or its answer is too big, or if the worker has used up its memory.  The
        message says which.
    """
    if not call.is_wizard:
        raise MooError(E_PERM)
    engine = call.engine
    kind, seconds = _read_request(request)
    if seconds is None:
        seconds = engine.options.worker_timeout()
    name = engine.host.workers.proper_name(kind)
    late = MooError(E_INVARG, f"{name}: no answer within {tostr(seconds)} seconds")
    return Wait(WAIT_KIND, (name, arguments), seconds, late)


def _read_request(request: Value) -> tuple[str, float | None]:
    """Return the kind and the time that the first argument asks for.

    Raises: E_TYPE, E_INVARG.
    """
    if type(request) is str:
        return request, None
    if type(request) is not tuple:
        text = (
            "The first argument must be the kind of work, or a list of it and options"
        )
        raise MooError(E_TYPE, text, request)
    if not request or type(request[0]) is not str:
        raise MooError(E_TYPE, "The first element must be the kind of work, a string")
    seconds: float | None = None
    for option in request[1:]:
        if (
            type(option) is not tuple
            or len(option) != 2
            or type(option[0]) is not str
            or not same_text(option[0], "timeout")
        ):
            raise MooError(E_INVARG, 'The only option is {"timeout", seconds}', option)
        given = option[1]
        if type(given) is not int and type(given) is not float:
            raise MooError(E_TYPE, "The timeout must be a number of seconds", given)
        if given <= 0 or not math.isfinite(given):
            raise MooError(E_INVARG, "The timeout must be above 0 seconds", given)
        seconds = given
    return request[0], seconds
