"""One server per file: two that save to the same one would undo each other's work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from pymoo.db.journal_file import folder_of, held
from pymoo.db.remedies import no_room_remedy
from pymoo.errors import PymooError
from pymoo.locks import TakenError, open_locked


class LockedError(PymooError):
    """Another process serves a file."""


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


def _unwritable(name: str, error: OSError) -> LockedError:
    remedy = no_room_remedy(error, os.path.dirname(name)) or (
        "Serve a database in a folder that can be written to, or name another file to "
        "save to"
    )
    return LockedError(
        f"{error.filename or name}: cannot be written: {error.strerror}. {remedy}"
    )
