"""When the database is saved: by the clock, on request, at the end.

A checkpoint is written by a forked process, which has the world as it was in that
moment, while the server goes on.  `db.checkpoint` knows how a dump reaches the disk.

Source: server.c, main_loop and its signals; db_file.c, dump_database.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from attrs import frozen

from pymoo.db.checkpoint import (
    DumpError,
    DumpReason,
    PendingDump,
    begin_dump,
    disk_size,
)
from pymoo.db.textdump import Textdump
from pymoo.interp.engine import Engine
from pymoo.options import DEFAULT_DUMP_INTERVAL, MIN_DUMP_INTERVAL
from pymoo.server.log import Log
from pymoo.values import SYSTEM_OBJECT

RETRY_AFTER_S: Final = 60
"""How long a dump that must not fail waits before it is tried again."""


_NICENESS: Final = 10
"""How far a process that writes a checkpoint stands back when the server has work."""


@frozen
class DumpFiles:
    """Where a database comes from, and where its dumps go."""

    input_path: str
    output_path: str | None  # None: nothing is saved


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
        pending = self._begin(DumpReason.CHECKPOINT)
        if pending is None:
            self._results.append(False)
            return
        if self._in_child is None:
            try:
                pending.write(self._state(), log=self._log.write)
            except DumpError:
                self._abandon()
                self._results.append(False)
            else:
                self._results.append(True)
            return
        server = os.getpid()
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
            with suppress(OSError):
                os.nice(_NICENESS)
            gc.disable()  # or it would write to, and so copy, all of the memory
            self._in_child()
            pending.write(self._state(), log=self._log_of_child(server))
            status = 0
        except DumpError:
            self._abandon()
        except BaseException as error:  # noqa: BLE001  (the process ends here)
            self._log.bug("writing a checkpoint", error)
        finally:
            os._exit(status)

    def _begin(self, reason: DumpReason) -> PendingDump | None:
        """Give a dump its name; None, and a word in the log, if it has no place."""
        if self._files.output_path is None:
            self._log.write(f"{reason.value}: there is no file to save to", True)
            return None
        pending = begin_dump(self._files.output_path, self._generation, reason)
        self._generation = pending.generation
        # A process whose server was killed may be writing a file of this name still:
        # what it writes must not come between.
        with suppress(OSError):
            os.remove(pending.temporary)
        return pending

    def _log_of_child(self, server: int) -> Callable[[str, bool], None]:
        """Return the log for the process that writes a checkpoint of ``server``.

        The process ends where it would write to it, at the latest before the dump
        takes its place, if the server was killed: one started since counts its dumps
        anew, and the file with that name may be its own.
        """

        def write(text: str, is_error: bool) -> None:
            if os.getppid() != server:
                os._exit(1)
            self._log.write(text, is_error)

        return write

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
        pending = self._begin(reason)
        if pending is None:
            return False
        try:
            pending.write(self._state(), log=self._log.write)
        except DumpError:
            return False
        return True

    def save_as(self, path: str) -> None:
        """Dump the database here and now into a file that is not the server's own.

        Raises: DumpError.
        """
        begin_dump(path, self._generation).write(self._state(), log=self._log.write)

    def disk_size(self) -> int | None:
        """Return the bytes of the last dump, before the first those of the input."""
        files = self._files
        generation = 0 if files.output_path is None else self._generation
        return disk_size(files.output_path or "", files.input_path, generation)
