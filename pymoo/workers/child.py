"""A worker process: takes requests from the server, one at a time, and answers them.

It talks over the socket that it was started with, in the frames of
`multiprocessing.connection` and in JSON; its first message says what it can do, or
why it cannot.  It ends when the server closes the socket or is gone, whatever it is
doing: a thread watches the socket, and an alarm is set for what holds up all threads.

Source of frames: multiprocessing.connection, Connection.send_bytes.
"""

from __future__ import annotations

import math
import resource
import signal
from multiprocessing.connection import Connection
from typing import Any, Final

from pymoo.errors import PymooError
from pymoo.processes import end_with_server
from pymoo.values import E_QUOTA
from pymoo.workers.coding import TooBigError, decoded, encoded
from pymoo.workers.registry import failure, load, perform
from pymoo.workers.settings import HELLO_BYTES

_ALARM_MARGIN_S: Final = 5.0
"""How much longer than the server a process waits before it ends itself."""


def run(connection: Connection, plan: dict[str, Any]) -> None:
    """Answer requests until the server closes the connection.

    ``plan`` is what `pool.Pool` has asked for.
    """
    end_with_server(connection)
    if plan["memory_mb"]:
        size = plan["memory_mb"] << 20
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    max_bytes = plan["max_bytes"]
    try:
        kinds = load(plan["modules"])
    except (PymooError, MemoryError) as error:
        reason = str(error) or f"{plan['memory_mb']} MB are not enough to start"
        connection.send_bytes(encoded({"failed": reason[-10_000:]}, HELLO_BYTES))
        return
    connection.send_bytes(encoded({"ready": kinds}, HELLO_BYTES))
    while True:
        try:
            request = decoded(connection.recv_bytes())
        except (EOFError, OSError):
            return  # the server has closed it, or is gone
        _limit(plan["cpu_s"], plan["seconds"])
        try:
            answer = perform(request["kind"], request["arguments"], max_bytes)
            data = framed(request, answer, max_bytes)
        except MemoryError:
            # There is no telling what it has left behind: another process follows.
            text = f"{request['kind']}: more than {plan['memory_mb']} MB of memory"
            answer = {**failure(E_QUOTA, text), "last": True, "log": text}
            connection.send_bytes(framed(request, answer, max_bytes))
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.send_bytes(data)


def framed(request: dict[str, Any], answer: dict[str, Any], max_bytes: int) -> bytes:
    """Return an answer as it is sent; one that is too big is E_QUOTA."""
    answer["id"] = request["id"]
    try:
        log = answer.pop("log", None)
        data = encoded(answer, max_bytes)
        if log is not None:
            # At most as much again: it must not take the place of the answer.
            data = encoded({**answer, "log": log[-max_bytes // 8 :]}, 2 * max_bytes)
    except TooBigError as error:
        text = f"{request['kind']}: the answer is too big: {error}"
        data = encoded({**failure(E_QUOTA, text), "id": request["id"]}, 1 << 16)
    return data


def _limit(cpu_s: float, seconds: float) -> None:
    """Limit what one request may use; the system ends whoever uses more."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit = math.ceil(usage.ru_utime + usage.ru_stime + cpu_s)
    most = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (limit, most))
    signal.setitimer(signal.ITIMER_REAL, seconds + _ALARM_MARGIN_S)
