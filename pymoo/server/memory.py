"""What the server does when memory is short.

A slice that takes too much is stopped by itself (`interp.memory`).  Between slices
`MemoryGuard` sees to the rest:

* while memory is short, new connections are refused;
* connections for which much is kept (lines that nobody has used yet, output that is
  not taken) are closed, those with most first, until what they gave back would do;
* the log and the wizards who are connected are told when that begins, and the log when
  it is over.

M1  Nobody's connection is closed while there is enough memory, or because of what waits
    for an ordinary player.
M2  Where the system tells only the peak of what was taken, memory that is short once
    never becomes enough again: then slices are stopped, and nothing else is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from pymoo.interp.engine import Engine
from pymoo.interp.memory import BETWEEN_RELEASES_S, MemoryBudget
from pymoo.interp.vm import VM
from pymoo.server.connection import Connection
from pymoo.server.connections import ConnectionTable
from pymoo.server.log import Log
from pymoo.server.system_memory import (
    MEGABYTE,
    memory_giver,
    memory_meter,
    tells_resident_bytes,
)

BETWEEN_LOOKS_S: Final = 0.05
"""How seldom one looks between slices, at the most."""

BETWEEN_LINES_S: Final = 60.0
"""How seldom wizards are told, should it become short again and again."""

LARGE_BUFFERS: Final = 1 << 18
"""From how many bytes on a connection may be closed when memory is short.

An ordinary player never has as much: when 64 kB wait, the C server as well reads no
more, and drops the oldest lines of output.
"""

LARGE_BUFFERS_AT_LIMIT: Final = 1 << 14
"""The same when it is used up."""

# What a line of input and a piece of output take beside their bytes.
_LINE_BYTES: Final = 150
_PIECE_BYTES: Final = 48


class MemoryGuard:
    """Keeps one server within its limit."""

    def __init__(
        self,
        engine: Engine,
        connections: ConnectionTable,
        log: Log,
        limit: int,
        *,
        tell_wizards: Callable[[str], None],
        forget: Callable[[], None] = lambda: None,
        measure: Callable[[], int] | None = None,
        release: Callable[[], None] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``forget`` lets go of what is kept only because it may be of use again."""
        self._engine: Final = engine
        self._connections: Final = connections
        self._tell_wizards: Final = tell_wizards
        self._log: Final = log
        self._now: Final = now
        self._may_close: Final = measure is not None or tells_resident_bytes()
        give_back = memory_giver() if release is None else release

        def forget_and_give_back() -> None:
            forget()
            give_back()

        self.budget: Final = MemoryBudget(
            limit,
            memory_meter() if measure is None else measure,
            forget_and_give_back,
            now=now,
        )
        self.budget.stopped = self._task_stopped
        engine.memory = self.budget
        self._next_look = 0.0
        self._next_line = 0.0
        self._is_told = False  # that memory is short
        # Until then what can be given back is, as there may be more of it soon.
        self._uneasy_until = 0.0
        self._stopped: Final[list[str]] = []
        self.tasks_stopped = 0
        """How many tasks were stopped for it."""
        self.connections_closed = 0
        """How many connections were closed for it."""

    def begin(self) -> None:
        """Look for the first time; a world that takes nearly all is told of."""
        taken, limit = self.budget.look(), self.budget.limit
        self._log.write(f"MEMORY: {_mb(taken)} taken, {_mb(limit)} allowed")
        if self.budget.is_short:
            self._log.write(
                f"WARNING: what the server and the world take is near the limit of "
                f"{_mb(limit)}: tasks that need more will be stopped. Give more with "
                "--memory-limit"
            )

    @property
    def refuses_connections(self) -> bool:
        """Whether new connections are refused for want of memory."""
        return self._may_close and self.budget.is_short

    def _task_stopped(self, vm: VM, taken: int) -> None:
        """Note a task that is stopped; the log is told when its slice is over."""
        self.tasks_stopped += 1
        top = vm.activations[-1]
        name = f"{top.definer}:{top.verb}"
        programmer = self._engine.name_of(top.programmer)
        self._stopped.append(
            f"MEMORY: task {vm.task_id} ({name[:80]}, line {top.line}, programmer "
            f"{programmer}) was stopped: it has taken {_mb(taken)}"
        )

    def turn(self) -> None:
        """Look, if it is time to, and do what is to be done; between slices."""
        now = self._now()
        if now < self._next_look and not self._stopped:
            return
        self._next_look = now + BETWEEN_LOOKS_S
        budget = self.budget
        budget.look()
        if budget.is_short or self._stopped:
            self._uneasy_until = now + 2 * BETWEEN_RELEASES_S
        if now < self._uneasy_until:
            budget.release()
        while self._stopped:
            self._log.write(self._stopped.pop(0))
        if budget.is_short and not self._is_told:
            self._is_told = True
            self._tell_short(now)
        elif self._is_told and now >= self._uneasy_until:
            self._is_told = False
            self._log.write(
                f"MEMORY: there is enough again: {_mb(budget.taken)} of "
                f"{_mb(budget.limit)}"
            )
        if self.refuses_connections:
            self._close_some()

    def seconds_until_next(self) -> float | None:
        """Return when to look again though nothing happens; None: not at all."""
        if self._is_told or self._now() < self._uneasy_until:
            return BETWEEN_RELEASES_S
        return None

    def _tell_short(self, now: float) -> None:
        taken, limit = self.budget.taken, _mb(self.budget.limit)
        self._log.write(
            f"MEMORY SHORT: {_mb(taken)} of {limit} are taken. New connections are "
            "refused, and tasks that take much more are stopped",
            True,
        )
        if now < self._next_line:
            return
        self._next_line = now + BETWEEN_LINES_S
        line = (
            f"*** Memory is short: {_mb(taken)} of {limit} are taken. Tasks that take "
            "much more are stopped. ***"
        )
        self._tell_wizards(line)

    def _close_some(self) -> None:
        """Close connections for which much is kept, as many as have to be (M1)."""
        budget = self.budget
        least = LARGE_BUFFERS_AT_LIMIT if budget.is_used_up else LARGE_BUFFERS
        large = [
            (size, connection)
            for connection in self._connections
            if (size := buffered_bytes(connection)) >= least
        ]
        large.sort(key=lambda each: each[0], reverse=True)
        wanted = budget.taken - budget.mark
        for size, connection in large:
            self._connections.give_up(connection, "memory_msg")
            self.connections_closed += 1
            self._log.write(
                f"MEMORY: closing {connection.player} on {connection.name}: {size} "
                "bytes wait there"
            )
            wanted -= size
            if wanted <= 0:
                break


def buffered_bytes(connection: Connection) -> int:
    """Return about what waits for a connection takes: its input and its output."""
    queue, output = connection.queue, connection.output
    return (
        queue.input_length
        + queue.line_count * _LINE_BYTES
        + output.length
        + output.piece_count * _PIECE_BYTES
        + connection.reader.held
    )


def _mb(amount: int) -> str:
    return f"{amount / MEGABYTE:.0f} MB"
