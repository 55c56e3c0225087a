"""Dumps on the disk: their names, and writing them so that none is ever half there.

A dump is written to a file beside the one it will replace, ``OUT.#1#``, the next to
``OUT.#2#`` and so on.  When it is complete and on the disk it takes the name ``OUT``,
in one step: whoever is killed at whatever moment leaves either the old dump or the
new one under that name.  (The C server removes the old one first.)

When dumps are made, and what becomes of one that failed, is decided by the server.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum

from attrs import frozen

from pymoo.db.generations import keep_generation
from pymoo.db.log import Log, no_log
from pymoo.db.textdump import Textdump, dump
from pymoo.errors import PymooError


class DumpReason(Enum):
    """Why a dump is made; the value begins the lines in the log."""

    SHUTDOWN = "DUMPING"
    CHECKPOINT = "CHECKPOINTING"
    PANIC = "PANIC-DUMPING"


class DumpError(PymooError):
    """A dump could not be written; the text names the file and what failed."""


@frozen
class PendingDump:
    """A dump that has its name and number, but is still to be written.

    Beginning and writing are two steps, as a forked child may do the second.
    """

    temporary: str  # where it is written
    path: str  # the name it gets when it is complete; not in a panic
    generation: int  # for the next dump
    reason: DumpReason
    keeps: bool = False  # whether the file that it replaces is kept (`generations`)

    def write(
        self,
        textdump: Textdump,
        *,
        log: Log = no_log,
        before_rename: Callable[[str], None] | None = None,
    ) -> None:
        """Write the dump and put it in its place.

        ``before_rename`` is called with its path when it is whole and on the disk; if
        that raises, the dump does not take its place.

        Raises: DumpError, after what went wrong was logged; the file that was there
            before is still there then.
        Source: db_file.c, dump_database.
        """
        self.write_beside(textdump, log=log)
        if self.reason is not DumpReason.PANIC:
            self.take_place(log=log, before_rename=before_rename)

    def write_beside(self, textdump: Textdump, *, log: Log = no_log) -> None:
        """Write the dump; its place is still to be taken.

        Raises: DumpError, as `write`.
        """
        log(f"{self.reason.value} on {self.temporary} ...", False)
        with self._step("Opening temporary dump file", log):
            stream = open(self.temporary, "wb")  # noqa: SIM115 - closed below
        try:
            with self._step("Trying to dump database", log), stream:
                dump(
                    textdump.world,
                    stream,
                    tasks=textdump.tasks,
                    connections=textdump.connections,
                    extras=textdump.extras,
                    log=log,
                    reason=self.reason.value,
                )
                stream.flush()
                os.fsync(stream.fileno())
        except BaseException:
            _remove(self.temporary)
            raise
        log(f"{self.reason.value} on {self.temporary} finished", False)

    def take_place(
        self,
        *,
        log: Log = no_log,
        before_rename: Callable[[str], None] | None = None,
    ) -> None:
        """Put a dump that was written in its place.

        Raises: DumpError, as `write`.
        """
        if before_rename is not None:
            try:
                with self._step("Verifying temporary dump file", log):
                    before_rename(self.temporary)
            except BaseException:
                _remove(self.temporary)
                raise
        if self.keeps:
            keep_generation(self.path, log=log)
        with self._step("Renaming temporary dump file", log):
            os.replace(self.temporary, self.path)
        try:
            _sync_directory(self.path)
        except OSError as error:
            # The dump is in its place; a power cut could still bring back the one
            # before.
            log(f"Syncing the folder of {self.path}: {error.strerror}", True)

    @contextmanager
    def _step(self, doing: str, log: Log) -> Iterator[None]:
        """Log and report what the system refuses within."""
        try:
            yield
        except OSError as error:
            log(f"{doing}: {error.strerror}", True)
            raise DumpError(
                f"{self.temporary}: {doing.lower()}: {error.strerror}. The database "
                "was not saved: make room on that disk, or let the server write there"
            ) from error


def begin_dump(
    path: str | os.PathLike[str],
    generation: int,
    reason: DumpReason = DumpReason.CHECKPOINT,
    *,
    keeps: bool = False,
) -> PendingDump:
    """Give the next dump its name; remove an unfinished one before it.

    ``generation`` is 0 at first, then that of the dump before.  With ``keeps`` the file
    that it replaces is kept.

    Source: db_file.c, dump_database.
    """
    path = os.fspath(path)
    _remove(_temporary_name(path, generation))
    if reason is DumpReason.PANIC:
        return PendingDump(f"{path}.PANIC", path, generation, reason)
    generation += 1
    temporary = _temporary_name(path, generation)
    return PendingDump(temporary, path, generation, reason, keeps)


def save(
    textdump: Textdump,
    path: str | os.PathLike[str],
    generation: int = 0,
    *,
    reason: DumpReason = DumpReason.CHECKPOINT,
    log: Log = no_log,
) -> int:
    """Write a dump to ``path``, safely; return the generation for the next one.

    Raises: DumpError.
    """
    pending = begin_dump(path, generation, reason)
    pending.write(textdump, log=log)
    return pending.generation


def disk_size(
    path: str | os.PathLike[str], input_path: str | os.PathLike[str], generation: int
) -> int | None:
    """Return the bytes of the last dump, before the first one those of the input.

    None if neither is there.

    Source: db_file.c, db_disk_size.
    """
    for candidate in (path, input_path) if generation else (input_path,):
        try:
            return os.stat(candidate).st_size
        except OSError:
            continue
    return None


def _temporary_name(path: str, generation: int) -> str:
    return f"{path}.#{generation}#"


def _remove(path: str) -> None:
    # What cannot be removed is in nobody's way: it will be written over, or opening
    # it for that will tell why not.
    with suppress(OSError):
        os.remove(path)


def _sync_directory(path: str) -> None:
    """Have the name of a file on the disk too."""
    if not hasattr(os, "O_DIRECTORY"):
        return  # a system on which directories cannot be opened
    directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
