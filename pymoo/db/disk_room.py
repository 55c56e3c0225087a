"""How much room there is where a database file and its journal lie."""

from __future__ import annotations

import os
import shutil

from attrs import frozen

from pymoo.db.journal_file import folder_of


@frozen
class DiskRoom:
    """A disk, and how many bytes can be written to it."""

    folder: str  # one that lies there
    free: int


def disk_rooms(path: str) -> list[DiskRoom]:
    """Return the room for dumps of a database, and for its journal if that lies apart.

    Raises: OSError.
    """
    folders = [os.path.dirname(os.path.abspath(path))]
    journal = os.path.abspath(folder_of(path))
    if os.path.isdir(journal) and _device(journal) != _device(folders[0]):
        folders.append(journal)
    return [DiskRoom(folder, shutil.disk_usage(folder).free) for folder in folders]


def _device(folder: str) -> int:
    return os.stat(folder).st_dev
