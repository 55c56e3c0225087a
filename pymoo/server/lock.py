"""One server per file: two that save to the same one would undo each other's work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pymoo.errors import PymooError
from pymoo.locks import TakenError, open_locked


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
        file = open_locked(name)
    except TakenError as error:
        raise LockedError(
            f"{path}: is being served already, by process {error}. Stop that one "
            "first, or name another file to save to"
        ) from error
    except OSError as error:
        raise LockedError(
            f"{name}: cannot be written: {error.strerror}. Serve a database in a "
            "folder that can be written to, or name another file to save to"
        ) from error
    with file:
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        try:
            yield
        finally:
            with suppress(OSError):
                os.remove(name)
