"""When the database is saved: by the clock, on request, at the end.

A checkpoint is written by a forked process, which has the world as it was in that
moment, while the server goes on.  `db.checkpoint` knows how a dump reaches the disk.

Source: server.c, main_loop and its signals; db_file.c, dump_database.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import Final

from attrs import frozen

from pymoo.db.checkpoint import DumpError, DumpReason, begin_dump, disk_size
from pymoo.db.textdump import Textdump
from pymoo.interp.engine import Engine
from pymoo.options import DEFAULT_DUMP_INTERVAL, MIN_DUMP_INTERVAL
from pymoo.server.log import Log
from pymoo.values import SYSTEM_OBJECT

RETRY_AFTER_S: Final = 60
"""How long a dump that must not fail waits before it is tried again."""


@frozen
class DumpFiles:
    """Where a database comes from, and where its dumps go."""

    input_path: str
    output_path: str


class Dumps:
    """The dumps of one server."""

    def __init__(
        self,
        engine: Engine,
        files: DumpFiles,
        log: Log,
        state: Callable[[], Textdump],
        *,
        in_child: Callable[[], None] | None,
    ) -> None:
        """``state`` gives what is to be dumped.

        ``in_child`` lets go, in a forked process, of what is the server's; without
        it checkpoints are written by the server itself, which waits for them.
        """
        self._engine: Final = engine
        self._files: Final = files
        self._log: Final = log
        self._state: Final = state
        self._in_child: Final = in_child if hasattr(os, "fork") else None
        self._generation = 0
        self._children: list[int] = []
        self._results: list[bool] = []
        self.due_at = float("inf")
        """When the next checkpoint is to be made."""

    # --- checkpoints --------------------------------------------------------

    def set_timer(self) -> None:
        """Decide when the next checkpoint is due: ``#0.dump_interval`` from now.

        Source: server.c, set_checkpoint_timer.
        """
        engine = self._engine
        now = engine.clock.now()
        interval = engine.options.property(SYSTEM_OBJECT, "dump_interval")
        wrap = engine.ops.wrap
        if (
            type(interval) is not int
            or interval < MIN_DUMP_INTERVAL
            or wrap(int(now) + interval) < wrap(int(now))
        ):
            interval = DEFAULT_DUMP_INTERVAL
        self.due_at = now + interval

    def checkpoint(self) -> None:
        """Begin a checkpoint; `finished` tells when it has ended."""
        pending = begin_dump(
            self._files.output_path, self._generation, DumpReason.CHECKPOINT
        )
        self._generation = pending.generation
        if self._in_child is None:
            try:
                pending.write(self._state(), log=self._log.write)
            except DumpError:
                self._abandon()
                self._results.append(False)
            else:
                self._results.append(True)
            return
        try:
            child = os.fork()
        except OSError as error:
            self._log.os_error("Forking checkpointer", error)
            self._results.append(False)
            return
        if child:
            self._children.append(child)
            return
        status = 1
        try:
            gc.disable()  # or it would write to, and so copy, all of the memory
            self._in_child()
            pending.write(self._state(), log=self._log.write)
            status = 0
        except DumpError:
            self._abandon()
        except BaseException as error:  # noqa: BLE001  (the process ends here)
            self._log.bug("writing a checkpoint", error)
        finally:
            os._exit(status)

    def _abandon(self) -> None:
        self._log.write("Abandoning checkpoint attempt...", True)

    @property
    def is_writing(self) -> bool:
        """Whether a checkpoint is being written."""
        return bool(self._children)

    def finished(self) -> list[bool]:
        """Return whether checkpoints that have ended since the last call went well."""
        if self._children:
            self._children = [child for child in self._children if not self._end(child)]
        results, self._results = self._results, []
        return results

    def _end(self, child: int) -> bool:
        """Take note if a forked process has ended."""
        try:
            ended, status = os.waitpid(child, os.WNOHANG)
        except ChildProcessError:
            # Somebody else has waited for it; how it ended is not known any more.
            self._results.append(False)
            return True
        if not ended:
            return False
        if os.WIFSIGNALED(status):
            self._log.write(
                f"Checkpointer was killed by signal {os.WTERMSIG(status)}", True
            )
        self._results.append(status == 0)
        return True

    # --- the last dump ------------------------------------------------------

    def save(self, reason: DumpReason) -> bool:
        """Dump the database here and now; returns whether that succeeded."""
        pending = begin_dump(self._files.output_path, self._generation, reason)
        self._generation = pending.generation
        try:
            pending.write(self._state(), log=self._log.write)
        except DumpError:
            return False
        return True

    def disk_size(self) -> int | None:
        """Return the bytes of the last dump, before the first those of the input."""
        return disk_size(
            self._files.output_path, self._files.input_path, self._generation
        )
