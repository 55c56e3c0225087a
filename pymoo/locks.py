"""A file that one process at a time may have, and that the system takes from it.

Whoever has it may write to it, and removes it before letting go of it: so that there is
one tells that somebody has it, or has died with it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from typing import IO


class TakenError(Exception):
    """Another process has the file; the text is the first line in it."""


def open_locked(path: str, waiting: Callable[[], None] | None = None) -> IO[str]:
    """Return the file ``path`` to be read and written, made anew if there is none.

    It is this process's own until it is closed, here and in all forked from here.
    With ``waiting`` it is waited for if another process has it, after calling that.

    Raises: TakenError; OSError if it cannot be written.
    """
    while True:
        # No link of somebody else's is followed: what it leads to would be emptied.
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        file = open(number, "r+", encoding="ascii")  # noqa: SIM115  (given away)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if waiting is None or not isinstance(error, BlockingIOError):
                with file:
                    raise TakenError(file.readline().strip()) from error
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        if _is_there(file, path):
            return file
        # Whoever had it before has removed it after it was opened here.
        file.close()


def _is_there(file: IO[str], path: str) -> bool:
    """Whether the name is still that of the file."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
