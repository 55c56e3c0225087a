"""When the database is saved: by the clock, on request, at the end.

With a journal a checkpoint is made of it and of the last one, by a process of its own
(`fold`).  Without, it is written by a forked process, which has the world as it was in
that moment, while the server goes on.  `db.checkpoint` knows how a dump reaches the
disk.

Source: server.c, main_loop and its signals; db_file.c, dump_database.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final

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

if TYPE_CHECKING:
    import subprocess

    from pymoo.server.disk_journal import DiskJournal, Rotation

RETRY_AFTER_S: Final = 60
"""How long a dump that must not fail waits before it is tried again."""


_NICENESS: Final = 10
"""How far a process that writes a checkpoint stands back when the server has work."""


@frozen
class DumpFiles:
    """Where a database comes from, and where its dumps go."""

    input_path: str
    output_path: str | None  # None: nothing is saved
    keeps: bool = False  # whether generations are kept of what is replaced


@frozen
class _Child:
    """A process that writes a checkpoint."""

    pid: int
    fold: subprocess.Popen[bytes] | None = None
    log: IO[bytes] | None = None  # what it has to say
    rotation: Rotation | None = None


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
        self.path: Final = files.output_path
        """Where dumps go; None for nowhere."""
        self._generation = 0
        self.journal: DiskJournal | None = None
        """The journal on the disk, if there is one."""
        self._base_path = files.input_path  # the file that the journal begins at
        self._children: list[_Child] = []
        self._results: list[bool] = []
        self.due_at = float("inf")
        """When the next checkpoint is to be made."""
        self._is_wanted_again = False  # the last one was of no use
        self._failed_at: float | None = None  # should the last one have failed

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
        self._is_wanted_again = False
        pending = self._begin(DumpReason.CHECKPOINT)
        if pending is None:
            self._results.append(False)
            return
        journal = self.journal
        ready = rotation = None
        if journal is not None:
            rotation = journal.rotate() if journal.is_on else None
            if rotation is not None:
                if self._start_fold(journal, pending, rotation):
                    return
                # This process has the world of the mark as well.
                ready = _note_file(journal, rotation.following)
            else:
                identity = journal.begin_anew()
                if identity is not None:
                    ready = _note_file(journal, identity)
        if self._in_child is None:
            try:
                pending.write(self._state(), log=self._log.write, before_rename=ready)
            except DumpError:
                self._abandon()
                self._end_checkpoint(succeeded=False)
            else:
                self._end_checkpoint(succeeded=True, rotation=rotation)
            return
        server = os.getpid()
        try:
            child = os.fork()
        except OSError as error:
            self._log.os_error("Forking checkpointer", error)
            self._end_checkpoint(succeeded=False)
            return
        if child:
            self._children.append(_Child(child, rotation=rotation))
            return
        status = 1
        try:
            with suppress(OSError):
                os.nice(_NICENESS)
            gc.disable()  # or it would write to, and so copy, all of the memory
            self._in_child()
            log = self._log_of_child(server)
            # No other server starts meanwhile: the lock of this one is here as well.
            pending.write(self._state(), log=log, before_rename=ready)
            status = 0
        except DumpError:
            self._abandon()
        except BaseException as error:  # noqa: BLE001  (the process ends here)
            self._log.bug("writing a checkpoint", error)
        finally:
            os._exit(status)

    def _start_fold(
        self, journal: DiskJournal, pending: PendingDump, rotation: Rotation
    ) -> bool:
        """Have a process make the new file of the last one and the journal.

        Returns False, having said why, if the system does not let it.
        """
        import subprocess
        import tempfile

        from pymoo.server.fold import Fold
        from pymoo.workers.process import environment

        job = Fold(
            self._base_path,
            journal.folder,
            rotation.last,
            rotation.following,
            pending,
            os.getpid(),
        )
        log = None
        try:
            log = tempfile.TemporaryFile()  # noqa: SIM115  (until the process ends)
            process = subprocess.Popen(
                [sys.executable, "-m", "pymoo.server.fold", *job.arguments()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                env={**environment(), "PYTHONSAFEPATH": "1"},
                start_new_session=True,
            )
        except OSError as error:
            if log is not None:
                log.close()
            self._log.os_error("Starting checkpointer", error)
            return False
        self._children.append(_Child(process.pid, process, log, rotation))
        return True

    def _end_checkpoint(
        self, *, succeeded: bool, rotation: Rotation | None = None
    ) -> None:
        """Take note of the end of a checkpoint."""
        self._results.append(succeeded)
        self._failed_at = None if succeeded else time.monotonic()
        if succeeded:
            assert self._files.output_path is not None
            self._base_path = self._files.output_path
        if self.journal is not None:
            if succeeded:
                self.journal.file_is_there(rotation)
            else:
                self.journal.file_has_failed()

    def _begin(self, reason: DumpReason) -> PendingDump | None:
        """Give a dump its name; None, and a word in the log, if it has no place."""
        if self._files.output_path is None:
            self._log.write(f"{reason.value}: there is no file to save to", True)
            return None
        files = self._files
        assert files.output_path is not None
        pending = begin_dump(
            files.output_path, self._generation, reason, keeps=files.keeps
        )
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
    def hurries(self) -> bool:
        """Whether a checkpoint is to be made before it is due, for the journal."""
        journal = self.journal
        if journal is None or self._is_wanted_again:
            return self._is_wanted_again
        return journal.is_to_begin_anew or (
            # A disk that is full will not have room at once.
            journal.is_large and self._seconds_since_failure >= RETRY_AFTER_S
        )

    @property
    def _seconds_since_failure(self) -> float:
        failed_at = self._failed_at
        return float("inf") if failed_at is None else time.monotonic() - failed_at

    def seconds_until_hurry(self) -> float | None:
        """Return after how long `hurries` will be true; None if nothing leads to it."""
        if self.hurries:
            return 0.0
        return None if self.journal is None else self.journal.seconds_until_anew()

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

    @property
    def must_wait(self) -> bool:
        """Whether the next checkpoint has to wait for the end of one that is made.

        Of those that are made of the journal each begins where the one before ends.
        """
        return self.is_writing and self.journal is not None

    def _stop_children(self) -> None:
        """End the processes that write older dumps than the one that comes now."""
        for child in self._children:
            with suppress(OSError):
                os.kill(child.pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                if child.fold is not None:
                    child.fold.wait()
                else:
                    os.waitpid(child.pid, 0)
            if child.log is not None:
                child.log.close()
        self._children = []

    def _end(self, child: _Child) -> bool:
        """Take note if a process has ended."""
        if child.fold is not None:
            code = child.fold.poll()
            if code is None:
                return False
        else:
            try:
                ended, status = os.waitpid(child.pid, os.WNOHANG)
            except ChildProcessError:
                # Somebody else has waited for it; how it ended is not known any more.
                self._end_checkpoint(succeeded=False)
                return True
            if not ended:
                return False
            code = os.waitstatus_to_exitcode(status)
        if child.log is not None:
            self._copy_log(child.log)
        if code < 0:
            self._log.write(f"Checkpointer was killed by signal {-code}", True)
        if code and child.fold is not None:
            from pymoo.server.fold import STOPPED

            self._abandon()
            if code > 0 and code != STOPPED and self.journal is not None:
                self.journal.abandon()
                self._is_wanted_again = True
        self._end_checkpoint(succeeded=code == 0, rotation=child.rotation)
        return True

    def _copy_log(self, stream: IO[bytes]) -> None:
        """Write what a process has said to the log."""
        with stream:
            stream.seek(0)
            for line in stream.read().decode("utf-8", "replace").splitlines():
                mark, _, text = line.partition(" ")
                self._log.write(text, mark != "0")

    # --- the last dump ------------------------------------------------------

    def save(self, reason: DumpReason) -> bool:
        """Dump the database here and now; returns whether that succeeded."""
        if reason is DumpReason.SHUTDOWN:
            self._stop_children()
        pending = self._begin(reason)
        if pending is None:
            return False
        journal = self.journal if reason is DumpReason.SHUTDOWN else None
        ready = None
        if journal is not None:
            journal.close()
            if os.path.isdir(journal.folder):
                ready = self._note_last_file(journal)
        try:
            pending.write(self._state(), log=self._log.write, before_rename=ready)
        except DumpError:
            return False
        if journal is not None:
            journal.remove()
            self._base_path = pending.path
        return True

    def _note_last_file(self, journal: DiskJournal) -> Callable[[str], None]:
        """As `_note_file`; but the last dump matters more than what is noted of it.

        Who is killed before the journal is removed finds it set aside then.
        """

        def note(path: str) -> None:
            try:
                journal.note_file(path, "")
            except OSError as error:
                self._log.os_error(f"Writing to {journal.folder}", error)

        return note

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


def _note_file(journal: DiskJournal, identity: str) -> Callable[[str], None]:
    """Return what tells a journal of a file before that takes its place."""
    return lambda path: journal.note_file(path, identity)
