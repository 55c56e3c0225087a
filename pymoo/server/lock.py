"""One server per file: two that save to the same one would undo each other's work."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

from pymoo.db.journal_file import folder_of, held
from pymoo.db.remedies import no_room_remedy
from pymoo.errors import PymooError
from pymoo.locks import TakenError, open_locked

# A disk that can only be read, or no folder where the lock would lie.
_NOBODY_WRITES: Final = frozenset({errno.EROFS, errno.ENOENT, errno.ENOTDIR})


class LockedError(PymooError):
    """Another process serves a file, or it cannot be locked.

    ``problem`` is the text without the remedy.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}")
        self.problem = problem


@contextmanager
def locked_at_rest(path: str) -> Iterator[None]:
    """As `locked`, for whoever reads the file and replaces it.

    What a killed server has left behind does not replace it meanwhile.

    Raises: LockedError.
    """
    with locked(path), ExitStack() as until_done:
        try:
            until_done.enter_context(held(folder_of(path)))
        except OSError as error:
            raise _unwritable(folder_of(path), error) from error
        yield


@contextmanager
def locked_for_reading(path: str) -> Iterator[None]:
    """As `locked_at_rest`, for whoever replaces nothing, but tells what to replace.

    Where nobody can write, as on a disk that the system lets only be read since it
    fails, nobody serves, and there is nothing to lock.

    Raises: LockedError.
    """
    with ExitStack() as until_done:
        try:
            until_done.enter_context(locked_at_rest(path))
        except LockedError as error:
            remedy: str | None = "Stop that one first"
            cause = error.__cause__
            if isinstance(cause, OSError):
                remedy = _reader_s_remedy(cause, path)
            if remedy is not None:
                raise LockedError(error.problem, remedy) from error
        yield


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
            f"{path}: is being served already, by process {error}",
            "Stop that one first, or name another file to save to",
        ) from error
    except OSError as error:
        raise _unwritable(name, error) from error
    with file:
        try:
            try:
                os.ftruncate(file.fileno(), 0)
                os.write(file.fileno(), f"{os.getpid()}\n".encode("ascii"))
            except OSError as error:
                raise _unwritable(name, error) from error
            yield
        finally:
            with suppress(OSError):
                os.remove(name)


def _reader_s_remedy(error: OSError, path: str) -> str | None:
    """Return what to do if a file cannot be locked; None if it need not be."""
    if error.errno in _NOBODY_WRITES:
        return None
    return no_room_remedy(error, os.path.dirname(path)) or (
        "Copy the database and its journal to where you can write, and use the copies"
    )


def _unwritable(name: str, error: OSError) -> LockedError:
    remedy = no_room_remedy(error, os.path.dirname(name)) or (
        "Serve a database in a folder that can be written to, or name another file to "
        "save to"
    )
    return LockedError(
        f"{error.filename or name}: cannot be written: {error.strerror}", remedy
    )
