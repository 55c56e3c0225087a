"""Copies of database files, and what is said when the system refuses one."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from pymoo.db.journal_file import sync_folder
from pymoo.db.log import Log
from pymoo.db.remedies import no_room_remedy

PORTION: Final = 1 << 20
"""How many bytes of a file are read at a time."""

_LOOK_AFTER: Final = "Look after that disk"
_FORBIDDEN: Final = (errno.EACCES, errno.EPERM, errno.EROFS)


def entries_of(folder: str) -> Iterator[os.DirEntry[str]]:
    """Yield what is in a folder; nothing if it is not there."""
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return
    with entries:
        yield from entries


def copy_to(source: str, target: str) -> None:
    """Write what is in a file to another one, with its permissions, and sync it."""
    with open(source, "rb") as stream, open(target, "wb", opener=_private) as copy:
        shutil.copyfileobj(stream, copy, PORTION)
        # Passwords are in there: others may read it only if they may read the file. A
        # file system without such permissions refuses; so it stays private.
        with suppress(PermissionError):
            os.fchmod(copy.fileno(), os.fstat(stream.fileno()).st_mode & 0o7777)
        copy.flush()
        os.fsync(copy.fileno())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


def sync_names(folder: str, log: Log) -> None:
    """Have the names in a folder on the disk too.

    If that fails, they are there all the same as long as the power is.
    """
    try:
        sync_folder(folder)
    except OSError as error:
        folder = folder or "."
        log(f"{folder}: cannot be synced: {reason_of(error)}. {_LOOK_AFTER}", True)


def reason_of(error: OSError) -> str:
    """Return the system's own word for what it refuses."""
    return error.strerror or str(error)


def remedy_for(error: OSError, folder: str) -> str:
    """Return what to do when nothing can be written in a folder."""
    no_room = no_room_remedy(error, folder)
    if no_room is not None:
        return no_room
    if error.errno == errno.EFBIG:
        return "Let files be as large there, by `ulimit -f` or another file system"
    if error.errno in _FORBIDDEN:
        return f"Let this user write in {folder}"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return f"Give what is in the way of {folder} another name"
    return _LOOK_AFTER
