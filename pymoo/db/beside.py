"""Where the backups of a database file lie.

A module of its own, as whoever finds a file damaged names them without knowing what
they are; that is in `db.generations`.  Where a journal lies is in `db.journal_file`.
"""

from __future__ import annotations

import os


def backups_folder(path: str | os.PathLike[str]) -> str:
    """Return where the generations of a database file are."""
    return f"{os.fspath(path)}.backups"
