"""A database file that no server has, for tools that change it.

`open_database` reads it with the journal that a server has left which was killed; what
is saved here holds both.
"""

from __future__ import annotations

import os
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
from pymoo.db.textdump import Textdump
from pymoo.errors import PymooError
from pymoo.server.database import unreadable_journal


class TargetError(PymooError):
    """A file cannot be written to; the text says what to do."""


def check_target(source: str, target: str) -> None:
    """Make sure that what is made of ``source`` can become the new file ``target``.

    Raises: TargetError if there is one of that name.
    """
    refuse_same(source, target)
    if os.path.lexists(target):
        raise TargetError(f"{target}: is already there; name a file that is not")


def refuse_same(source: str, target: str) -> None:
    """Raise TargetError if both are the same file."""
    try:
        is_same = os.path.samefile(source, target)
    except OSError:  # one is not there; whoever reads ``source`` will tell
        return
    if is_same:
        raise TargetError(f"{target}: is the file to be read; name another one")


def has_own_journal(path: str) -> bool:
    """Whether there is a journal beside a file, and it is the journal of this one.

    Raises: JournalError.
    """
    try:
        return chain_beside(path) is not None
    except OSError as error:
        raise unreadable_journal(path, error) from error


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
