"""A database file that no server has, for tools that change it.

`open_database` reads it with the journal that a server has left which was killed; what
is saved here holds both.
"""

from __future__ import annotations

import sys

from pymoo.db.checkpoint import begin_dump
from pymoo.db.generations import keep_generation
from pymoo.db.journal_file import (
    fingerprint,
    folder_of,
    remove_journal,
    write_base,
)
from pymoo.db.recovery import chain_beside
from pymoo.db.redo import JournalError
from pymoo.db.textdump import Textdump


def has_own_journal(path: str) -> bool:
    """Whether there is a journal beside a file, and it is the journal of this one.

    Raises: JournalError.
    """
    try:
        return chain_beside(path) is not None
    except OSError as error:
        raise JournalError(
            f"{error.filename or folder_of(path)}: cannot be read: {error.strerror}. "
            "Let this user read it: it may hold changes that are not in the database "
            "file"
        ) from error


def save_offline(textdump: Textdump, path: str) -> str | None:
    """Save what was read of a file and its journal; return where the file was kept.

    The journal is told of the new file before that takes its place, and is not needed
    then.  The file must be locked.

    Raises: BackupError, JournalError, DumpError; the file is as it was then.
    """
    folder = folder_of(path)
    ends_journal = has_own_journal(path)

    def note(temporary: str) -> None:
        write_base(folder, "", fingerprint(temporary), fingerprint(path))

    kept = keep_generation(path, log=tell_errors, must=True)
    begin_dump(path, 0).write(
        textdump, log=tell_errors, before_rename=note if ends_journal else None
    )
    if ends_journal:
        try:
            remove_journal(folder)
        except OSError as error:
            tell_errors(
                f"{folder}: is not needed any more, and cannot be removed: "
                f"{error.strerror}. Remove it",
                True,
            )
    return kept


def tell_errors(text: str, is_error: bool) -> None:
    """A log for tools: what goes wrong is shown on standard error."""
    if is_error:
        print(text, file=sys.stderr)
