"""A checkpoint made of the last one and the journal, by a process of its own.

``python -m pymoo.server.fold`` reads the database file and the segments up to the mark
that the server has set, writes the new file, reads it back, and puts it in its place.
The server goes on meanwhile, and needs neither time nor memory for it.

F1  The new file takes its place only after it was read back and would be written again
    byte for byte as it is.
F2  Before it takes its place, the file ``base`` of the journal names the segment that
    begins at it: whoever is killed between the two leaves a database file that belongs
    to the older segments, or one that belongs to the newer.
F3  Once the next server has looked at these files, the process does nothing to them (J7
    of `db.journal_file`).

What it writes to standard output are lines for the log of the server: ``0`` or, for
errors, ``1``, a blank, and the text.
"""

from __future__ import annotations

import gc
import hashlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Final

from attrs import frozen

from pymoo.db.checkpoint import DumpError, DumpReason, PendingDump
from pymoo.db.journal_file import (
    Fingerprint,
    chain_after,
    fingerprint,
    held,
    write_base,
)
from pymoo.db.log import Log
from pymoo.db.recovery import recover
from pymoo.db.redo import JournalError
from pymoo.db.textdump import Textdump, dump, load
from pymoo.errors import PymooError
from pymoo.lang.dialect import dialect
from pymoo.server.database import open_database

_NICENESS: Final = 10
"""How far it stands back when the server has work."""

STOPPED: Final = 3
"""Exit status where the new file could not be written; the journal is all right."""

UNUSABLE: Final = 4
"""Exit status where file and journal do not lead to the world of the mark.

So it is when one of them cannot be read: only the server has that world then.
"""


@frozen
class Fold:
    """What is to be folded into what."""

    path: str  # of the database file that the journal begins at
    folder: str  # of the journal
    last: int  # the number of the segment that the mark ends
    following: str  # the identity of the segment that begins at the new file
    pending: PendingDump
    server: int  # the process that it is made for

    def arguments(self) -> list[str]:
        """Return them for the command line."""
        pending = self.pending
        return [
            self.path,
            self.folder,
            str(self.last),
            self.following,
            pending.temporary,
            pending.path,
            str(int(pending.keeps)),
            str(self.server),
        ]

    @classmethod
    def from_arguments(cls, arguments: Sequence[str]) -> Fold:
        path, folder, last, following, temporary, target, keeps, server = arguments
        pending = PendingDump(
            temporary, target, 0, DumpReason.CHECKPOINT, bool(int(keeps))
        )
        return cls(path, folder, int(last), following, pending, int(server))


def fold(job: Fold, log: Log) -> None:
    """Make the new file.

    Raises: JournalError where file and journal do not fit; DumpError; OSError.
    """
    base = fingerprint(job.path)
    chain = chain_after(job.folder, base)
    if chain is None or not chain.segments:
        raise JournalError(f"{job.path}: the journal does not begin at this file")
    first = chain.segments[0][1]
    width = first.width
    textdump = open_database(
        job.path,
        dialect(first.dialect),
        check=False,
        width=width,
        use_journal=False,
    ).textdump
    recovery, damage = recover(textdump, job.folder, chain, end_at=job.last)
    if damage is not None or not recovery.is_at_mark:
        raise JournalError(f"{job.folder}: segment {job.last} does not end in a mark")
    job.pending.write_beside(recovery.result(), log=log)
    del textdump, recovery  # there is to be memory for one world only
    gc.collect()
    with ExitStack() as until_placed:
        job.pending.take_place(
            log=log,
            before_rename=lambda path: _ready(job, base, path, width, until_placed),
        )


def _ready(
    job: Fold, base: Fingerprint, path: str, width: int, until_placed: ExitStack
) -> None:
    """Make sure that a file may take its place, and tell the journal of it."""
    written = fingerprint(path)
    again = load(path, int_bits=width)
    if _digest(again) != written:
        raise JournalError(f"{path}: what is read from it is not what was written")
    until_placed.enter_context(held(job.folder))
    if os.getppid() != job.server:
        raise SystemExit(STOPPED)  # F3
    write_base(job.folder, job.following, written, base)


class _Digest(io.RawIOBase):
    """A file that is not kept, but for its fingerprint."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # of bytes alone
        self._digest.update(data)
        self._size += len(data)
        return len(data)

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(self._size, self._digest.hexdigest())


def _digest(textdump: Textdump) -> Fingerprint:
    stream = _Digest()
    dump(
        textdump.world,
        stream,  # type: ignore[arg-type]  # all of it that is used
        tasks=textdump.tasks,
        connections=textdump.connections,
        extras=textdump.extras,
    )
    return stream.fingerprint


def main(arguments: Sequence[str]) -> int:
    """Fold as the command line says; returns the exit status."""
    job = Fold.from_arguments(arguments)
    gc.disable()  # nothing of this becomes garbage
    with suppress(OSError):
        os.nice(_NICENESS)
    log = _line_writer()
    try:
        fold(job, log)
    except DumpError:
        return STOPPED
    except PymooError as error:
        log(str(error), True)
        return UNUSABLE
    except OSError as error:
        # Of reading: what the disk does with the new file are `DumpError`s.
        log(f"{error.filename or job.folder}: {error.strerror}", True)
        return UNUSABLE
    return 0


def _line_writer() -> Callable[[str, bool], None]:
    def write(text: str, is_error: bool) -> None:
        print(int(is_error), text, flush=True)

    return write


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
