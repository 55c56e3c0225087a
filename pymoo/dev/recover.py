"""What can be saved of a database file and a damaged journal."""

from __future__ import annotations

import os

from attrs import frozen

from pymoo.db.checkpoint import save
from pymoo.db.journal_file import (
    Chain,
    Damage,
    chain_after,
    fingerprint,
    folder_of,
    segment_numbers,
)
from pymoo.db.recovery import recover
from pymoo.db.redo import JournalError
from pymoo.lang.dialect import DEFAULT, dialect
from pymoo.server.database import open_database


@frozen
class Recovered:
    """What was done."""

    records: int  # of the journal
    damage: Damage | None  # where it had to stop, if it had to


def recover_database(path: str, target: str, folder: str | None = None) -> Recovered:
    """Write what ``path`` and its journal hold to ``target``, up to the first damage.

    ``folder`` is that of the journal, by default the one beside ``path``.

    Raises: PymooError.
    """
    folder = folder_of(path) if folder is None else folder
    try:
        if os.path.exists(target) and os.path.samefile(path, target):
            raise JournalError(f"{target}: is the file to be read; name another one")
        chain = _chain(path, folder)
        language, width = DEFAULT, DEFAULT.default_width
        if chain.segments:
            first = chain.segments[0][1]
            language, width = dialect(first.dialect), first.width
        textdump = open_database(
            path, language, check=False, width=width, use_journal=False
        ).textdump
        recovery, damage = recover(textdump, folder, chain, stops_at_damage=True)
    except OSError as error:
        raise JournalError(f"{error.filename or folder}: {error.strerror}") from error
    save(recovery.result(), target)
    return Recovered(recovery.records, damage)


def _chain(path: str, folder: str) -> Chain:
    """Return what of a journal belongs to a file.  Raises: JournalError; OSError."""
    base = fingerprint(path)
    if not segment_numbers(folder):
        return Chain(())
    chain = chain_after(folder, base, stops_at_damage=True)
    if chain is None:
        raise JournalError(
            f"{folder}: does not belong to {path}, but to another version of that "
            "file. Look for it among the backups"
        )
    return chain
