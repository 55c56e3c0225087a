"""What to do about files that cannot be read or written: commands and advice.

Where it went wrong, and why, is told by whoever meets it; the commands are those of
`cli`.
"""

from __future__ import annotations

import errno
import os
import shlex
from typing import Final

from pymoo.db.beside import backups_folder

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def no_room_remedy(error: OSError, folder: str) -> str | None:
    """Return what to do if there was no room in ``folder``; None if it was not that."""
    if error.errno not in _NO_ROOM:
        return None
    return f"Make room in {os.path.abspath(folder)}"


def recover_command(
    path: str, *, target: str | None = None, journal: str | None = None
) -> str:
    """Return the command that saves what can be saved of a database and its journal.

    ``journal`` is the folder of that, if it is not beside ``path``; ``target`` where
    the result goes, by default beside ``path``.
    """
    words = ["pymoo", "db", "recover", path, target or _beside(path, "recovered")]
    return shlex.join(words if journal is None else [*words, "--journal", journal])


def repair_command(path: str) -> str:
    """Return the command that saves what can be saved of a database file."""
    return shlex.join(["pymoo", "db", "repair", path, _beside(path, "repaired")])


def backups_command(path: str) -> str:
    """Return the command that shows what is kept of a database file."""
    return shlex.join(["pymoo", "backup", "list", path])


def passwd_command(path: str, who: str) -> str:
    """Return the command that sets the password of ``who``, a name or ``#2``."""
    return shlex.join(["pymoo", "passwd", path, who])


def doctor_command(path: str) -> str:
    """Return the command that tells what is in a database file."""
    return shlex.join(["pymoo", "doctor", path])


def debug_command(path: str, verb: str) -> str:
    """Return the command that shows a verb, ``#0:do_login_command``."""
    return shlex.join(["pymoo", "debug", path, verb])


def earlier_copy_remedy(path: str) -> str:
    """Return what to do about a damaged database file, without a full stop."""
    copies = ""
    if os.path.isdir(backups_folder(path)):
        copies = f" ({backups_command(path)})"
    return f"Take an earlier copy of the file{copies}"


def _beside(path: str, what: str) -> str:
    return f"{os.path.splitext(path)[0]}.{what}.db"
