"""One server per file: two that save to the same one would undo each other's work."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pymoo.errors import PymooError


class LockedError(PymooError):
    """Another process serves a file."""


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Keep ``path`` for this process, by a lock on ``path.lock``.

    The system lets go of it however the process ends.  (It belongs to a checkpoint
    that is being written as well, so that no other server starts meanwhile.)

    Raises: LockedError.
    """
    name = f"{path}.lock"
    try:
        file = open(name, "a+", encoding="ascii")  # noqa: SIM115 - closed below
    except OSError as error:
        raise LockedError(
            f"{name}: cannot be written: {error.strerror}. Serve a database in a "
            "folder that can be written to, or name another file to save to"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise LockedError(
                f"{path}: is being served already, by process {file.read().strip()}. "
                "Stop that one first, or name another file to save to"
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        try:
            yield
        finally:
            with suppress(OSError):
                os.remove(name)
