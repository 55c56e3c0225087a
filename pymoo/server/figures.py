"""What a server has done and how it is: the figures for whoever runs it.

Little is counted while tasks run: a few additions for each slice, turn and line.
Everything else is looked up when somebody asks, in the world's thread, between slices.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from math import inf
from typing import Any, Final

from pymoo import __version__
from pymoo.db.disk_room import disk_rooms
from pymoo.interp.vm import VM, Aborted, Blocked, Done, Result, RolledBack
from pymoo.server.admission import LOGIN_TOO_FAST, TOO_FAST, TOO_MANY, Admission
from pymoo.server.app import Server
from pymoo.server.exposition import COUNTER, GAUGE, HISTOGRAM, Family, Sample
from pymoo.server.system_memory import resident_bytes
from pymoo.server.version import python_name

TURN_BOUNDS_S: Final = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0)
"""The upper bounds by which the durations of turns are counted."""

ENDS: Final = ("done", "error", "killed", "ticks", "seconds", "rolled_back", "bug")
"""How a task may end."""

_REFUSALS: Final = {
    TOO_MANY: "connections",
    TOO_FAST: "connect_rate",
    LOGIN_TOO_FAST: "login_rate",
}


def _how(result: Result) -> str:
    if isinstance(result, Done):
        return "done"
    if isinstance(result, Aborted):
        if result.handler is None:
            return "killed"
        return str(result.arguments[0]) if result.is_timeout else "error"
    return "rolled_back" if isinstance(result, RolledBack) else "bug"


class Figures:
    """The figures of one server."""

    def __init__(
        self,
        server: Server,
        admission: Admission | None = None,
        *,
        saved_at: float = 0.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``saved_at`` is when the database file that was loaded had been written."""
        self._server: Final = server
        self._admission: Final = admission
        self._now: Final = now
        self.began_at: Final = now()
        """When the server started, in seconds since 1970."""
        self.slices = 0
        self.ticks = 0
        self.seconds = 0.0
        self.ends: Final = dict.fromkeys(ENDS, 0)
        self._turns: Final = [0] * (len(TURN_BOUNDS_S) + 1)
        self._turn_seconds = 0.0
        self.checkpoints: Final = {True: 0, False: 0}
        """How many have ended well, or not."""
        self.last_checkpoint: bool | None = None
        """Whether the last one has ended well, if there was one."""
        self.last_checkpoint_at = 0.0
        self.saved_at = saved_at
        """When the database file was last written, in seconds since 1970."""
        self.last_checkpoint_s = 0.0
        self._checkpoint_began = 0.0
        server.tasks.runner.watchers.append(self._slice_ended)
        server.checkpoint_began = self._begin_checkpoint
        server.checkpoint_ended = self._end_checkpoint

    # --- counting ---------------------------------------------------------

    def _slice_ended(self, vm: VM, result: Result, ticks: int) -> None:
        self.slices += 1
        self.ticks += ticks
        self.seconds += vm.seconds_used
        if not isinstance(result, Blocked):
            self.ends[_how(result)] += 1

    def turn_ended(self, seconds: float) -> None:
        """Count a turn of the main loop."""
        self._turn_seconds += seconds
        place = 0
        if seconds > TURN_BOUNDS_S[0]:
            place = sum(1 for bound in TURN_BOUNDS_S if seconds > bound)
        self._turns[place] += 1

    def _begin_checkpoint(self) -> None:
        self._checkpoint_began = time.monotonic()

    def _end_checkpoint(self, success: bool) -> None:
        self.checkpoints[success] += 1
        self.last_checkpoint = success
        self.last_checkpoint_s = time.monotonic() - self._checkpoint_began
        self.last_checkpoint_at = self._now()
        if success:
            self.saved_at = self.last_checkpoint_at

    # --- what is told -----------------------------------------------------

    def families(self, lag_s: float) -> Iterator[Family]:
        """Yield all figures.  ``lag_s``: how long the world has let the asker wait."""
        server, tasks = self._server, self._server.tasks
        connections = server.connections
        yield _one(
            "pymoo_info",
            GAUGE,
            "Always 1; the labels say what is running.",
            1,
            version=__version__,
            python=python_name(),
            dialect=server.engine.dialect.name,
        )
        yield _gauge(
            "pymoo_start_time_seconds",
            "When the server started, in seconds since 1970.",
            self.began_at,
        )
        yield _gauge("pymoo_players", "Players who are logged in.", self._player_count)
        yield _gauge("pymoo_connections", "Connections.", len(connections))
        yield _counter(
            "pymoo_connections_total",
            "Connections that were taken, or made to other computers.",
            connections.count_ever,
        )
        if self._admission is not None:
            refused = self._admission.refused
            yield Family(
                "pymoo_connections_refused_total",
                COUNTER,
                "Connections that were refused, by the limit of their address.",
                tuple(
                    Sample(refused[message], (("limit", name),))
                    for message, name in _REFUSALS.items()
                ),
            )
        yield _counter("pymoo_slices_total", "Slices of tasks.", self.slices)
        yield _counter("pymoo_ticks_total", "Ticks that tasks used.", self.ticks)
        yield _counter(
            "pymoo_task_seconds_total", "CPU seconds that tasks used.", self.seconds
        )
        yield Family(
            "pymoo_tasks_ended_total",
            COUNTER,
            "Tasks that have ended, and how.",
            tuple(Sample(number, (("how", how),)) for how, number in self.ends.items()),
        )
        yield _counter(
            "pymoo_commands_total",
            "Lines of players that were used as commands.",
            tasks.command_count,
        )
        yield _gauge(
            "pymoo_tasks_waiting",
            "Tasks that are forked, suspended or reading.",
            tasks.waiting_count,
        )
        yield _gauge(
            "pymoo_tasks_ready",
            "Of these, those whose time has come.",
            tasks.ready_count,
        )
        waits = [each.queue for each in connections]
        yield _gauge(
            "pymoo_input_lines_waiting",
            "Lines typed by those connected that are not used yet.",
            sum(queue.line_count for queue in waits),
        )
        yield _gauge(
            "pymoo_input_bytes_waiting",
            "Characters of these lines.",
            sum(queue.input_length for queue in waits),
        )
        yield _gauge(
            "pymoo_output_bytes_waiting",
            "Bytes that clients have not taken yet.",
            sum(each.output.length for each in connections),
        )
        yield _gauge(
            "pymoo_requests_waiting",
            "Requests of other programs that are not begun yet.",
            server.outside.waiting_count,
        )
        yield from self._memory_families()
        yield from self._checkpoint_families()
        yield from self._journal_families()
        yield _counter(
            "pymoo_bugs_total",
            "Errors of pymoo's own, which the log has in full.",
            server.log_file.bugs,
        )
        yield self._turn_family()
        yield _gauge(
            "pymoo_loop_lag_seconds",
            "How long the world has let this question wait.",
            lag_s,
        )
        yield _counter(
            "process_cpu_seconds_total",
            "CPU seconds that the process used.",
            time.process_time(),
        )

    def _memory_families(self) -> Iterator[Family]:
        guard = self._server.memory
        yield _gauge(
            "pymoo_memory_bytes",
            "Resident memory of the process.",
            resident_bytes(),
        )
        if guard is None:
            return
        yield _gauge(
            "pymoo_memory_limit_bytes",
            "What it may take (--memory-limit).",
            guard.budget.limit,
        )
        yield _gauge(
            "pymoo_memory_short",
            "1 while memory is short.",
            int(guard.budget.is_short),
        )
        yield _counter(
            "pymoo_memory_tasks_stopped_total",
            "Tasks that were stopped because memory was short.",
            guard.tasks_stopped,
        )
        yield _counter(
            "pymoo_memory_connections_closed_total",
            "Connections that were closed because memory was short.",
            guard.connections_closed,
        )

    def _checkpoint_families(self) -> Iterator[Family]:
        yield Family(
            "pymoo_checkpoints_total",
            COUNTER,
            "Checkpoints that have ended, and how.",
            tuple(
                Sample(self.checkpoints[success], (("result", name),))
                for success, name in ((True, "ok"), (False, "failed"))
            ),
        )
        yield _gauge(
            "pymoo_checkpoint_writing",
            "1 while a checkpoint is written.",
            int(self._server.dumps.is_writing),
        )
        if self.last_checkpoint is not None:
            yield _gauge(
                "pymoo_checkpoint_duration_seconds",
                "How long the last checkpoint took.",
                self.last_checkpoint_s,
            )
        yield _gauge(
            "pymoo_checkpoint_time_seconds",
            "When the database file was last written, in seconds since 1970.",
            self.saved_at,
        )

    def _journal_families(self) -> Iterator[Family]:
        journal = self._server.dumps.journal
        if journal is None:
            return
        yield _gauge(
            "pymoo_journal_written",
            "1 while what is done is in the journal on the disk.",
            int(journal.is_on),
        )
        yield _gauge(
            "pymoo_journal_bytes", "Size of the journal on the disk.", journal.size
        )
        yield _counter(
            "pymoo_journal_records_total",
            "Records that were written to the journal.",
            journal.records,
        )
        yield _gauge(
            "pymoo_journal_sync_seconds",
            "How long the last record took to get to the disk.",
            journal.sync_s,
        )

    def _journal_status(self) -> dict[str, Any] | None:
        journal = self._server.dumps.journal
        if journal is None:
            return None
        return {
            "written": journal.is_on,
            "bytes": journal.size,
            "records": journal.records,
        }

    def _disk_status(self) -> list[dict[str, Any]] | None:
        """Return the room for dumps and journal; None if the system does not tell."""
        path = self._server.dumps.path
        try:
            rooms = disk_rooms(path) if path is not None else []
        except OSError:
            return None
        return [{"folder": room.folder, "free": room.free} for room in rooms]

    def _turn_family(self) -> Family:
        samples = []
        total = 0
        for bound, number in zip((*TURN_BOUNDS_S, inf), self._turns, strict=True):
            total += number
            limit = "+Inf" if bound == inf else repr(bound)
            samples.append(Sample(total, (("le", limit),), "_bucket"))
        samples.append(Sample(self._turn_seconds, (), "_sum"))
        samples.append(Sample(total, (), "_count"))
        return Family(
            "pymoo_turn_seconds",
            HISTOGRAM,
            "Turns of the main loop, in which nobody else is served.",
            tuple(samples),
        )

    @property
    def _player_count(self) -> int:
        return len(self._server.connections.connected_players(everybody=False))

    def troubles(self) -> list[str]:
        """Return what somebody should look at."""
        found = []
        server = self._server
        guard = server.memory
        if guard is not None and guard.budget.is_short:
            found.append("memory is short")
        if self.last_checkpoint is False:
            found.append("the last checkpoint has failed; the log says why")
        journal = server.dumps.journal
        if journal is not None and not journal.is_on:
            found.append("the journal is not written; the log says why")
        return found

    def status(self, lag_s: float) -> dict[str, Any]:
        """Return what `pymoo status` shows, fit for JSON."""
        server = self._server
        guard = server.memory
        checkpoint = None
        if self.last_checkpoint is not None:
            checkpoint = {
                "ok": self.last_checkpoint,
                "at": round(self.last_checkpoint_at),
                "seconds": round(self.last_checkpoint_s, 3),
            }
        troubles = self.troubles()
        return {
            "status": "trouble" if troubles else "ok",
            "troubles": troubles,
            "pid": os.getpid(),
            "version": __version__,
            "python": python_name(),
            "dialect": server.engine.dialect.name,
            "uptime": round(self._now() - self.began_at, 1),
            "players": self._player_count,
            "connections": len(server.connections),
            "tasks": {
                "waiting": server.tasks.waiting_count,
                "ready": server.tasks.ready_count,
                "slices": self.slices,
            },
            "memory": {
                "taken": resident_bytes(),
                "limit": None if guard is None else guard.budget.limit,
            },
            "checkpoint": checkpoint,
            "journal": self._journal_status(),
            "disk": self._disk_status(),
            "bugs": server.log_file.bugs,
            "lag": round(lag_s, 4),
        }


def _one(name: str, kind: str, help_: str, value: float, **labels: str) -> Family:
    return Family(name, kind, help_, (Sample(value, tuple(labels.items())),))


def _gauge(name: str, help_: str, value: float) -> Family:
    return _one(name, GAUGE, help_, value)


def _counter(name: str, help_: str, value: float) -> Family:
    return _one(name, COUNTER, help_, value)
