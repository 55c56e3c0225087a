"""``pymoo db recover``: what can be saved of a database file and a damaged journal."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import nullcontext

from pymoo.db.checkpoint import save
from pymoo.db.journal_file import (
    Chain,
    Damage,
    Fingerprint,
    chain_after,
    database_of,
    fingerprint,
    folder_of,
    segment_numbers,
    segment_path,
)
from pymoo.db.recovery import recover
from pymoo.db.redo import JournalError
from pymoo.dev.doctor import show
from pymoo.dev.offline import check_target
from pymoo.exits import FINDINGS, FINE
from pymoo.lang.dialect import DEFAULT, dialect
from pymoo.server.database import open_database
from pymoo.server.lock import locked_for_reading
from pymoo.wording import counted


def recover_database(path: str, target: str, folder: str | None = None) -> int:
    """Write what ``path`` and its journal hold to ``target``, up to the first damage.

    What was done, and what to do next, is printed.  ``folder`` is that of the journal,
    by default the one beside ``path``.  Returns 0 if all of it was there, else 1.

    Raises: PymooError; also if ``target`` is there, or a server has the journal.
    """
    folder = folder_of(path) if folder is None else folder.rstrip(os.sep)
    check_target(path, target)
    # What a server is about to write looks like a record that was never finished, and
    # file and journal must not be moved away from under it.
    owner = database_of(folder)
    with nullcontext() if owner is None else locked_for_reading(owner):
        return _recover(path, target, folder)


def _recover(path: str, target: str, folder: str) -> int:
    try:
        base = fingerprint(path)
        chain = _chain(path, folder, base)
        language, width = DEFAULT, DEFAULT.default_width
        if chain.segments:
            first = chain.segments[0][1]
            language, width = dialect(first.dialect), first.width
        textdump = open_database(
            path, language, check=False, width=width, use_journal=False
        ).textdump
        recovery, damage = recover(textdump, folder, chain, stops_at_damage=True)
        unused = 0 if damage is None else _bytes_behind(damage, folder)
        if fingerprint(path) != base:
            raise JournalError(
                f"{path}: another file has taken its place meanwhile, so a server has "
                "it, or the checkpoint of one was not finished. Stop the server, and "
                "try again"
            )
    except OSError as error:
        raise JournalError(
            f"{error.filename or folder}: cannot be read: {error.strerror}. Give the "
            "path of a LambdaMOO database, and let this user read it and its journal"
        ) from error
    save(recovery.result(), target)
    records = counted(recovery.records, "record")
    show([f"{target}: {path} and {records} of {folder}"])
    if damage is None:
        return FINE
    show(_lines(path, target, folder, damage, unused))
    return FINE if damage.is_unfinished else FINDINGS


def _chain(path: str, folder: str, base: Fingerprint) -> Chain:
    """Return what of a journal belongs to a file.  Raises: JournalError; OSError."""
    if not segment_numbers(folder):
        return Chain(())
    chain = chain_after(folder, base, stops_at_damage=True)
    if chain is None:
        raise JournalError(
            f"{folder}: does not belong to {path}, but to another version of that "
            "file. Look for it among the backups"
        )
    return chain


def _bytes_behind(damage: Damage, folder: str) -> int:
    """Return how many bytes of a journal are not used.  Raises: OSError."""
    paths = [segment_path(folder, number) for number in segment_numbers(folder)]
    later = paths[paths.index(damage.path) + 1 :]
    return damage.size - damage.offset + sum(map(os.path.getsize, later))


def _lines(
    path: str, target: str, folder: str, damage: Damage, unused: int
) -> Iterator[str]:
    if damage.is_unfinished:
        yield (
            f"not in it: the last record, {counted(unused, 'byte')}, which was never "
            "finished; nobody has seen what it did"
        )
        return
    yield f"damaged: {damage}"
    yield (
        f"lost: what was done after that; {counted(unused, 'byte')} of the journal "
        "could not be used"
    )
    if folder != folder_of(path) or not os.path.isdir(folder):
        yield f"To serve it: pymoo serve {shlex.quote(target)}"
        return
    # They belong together, and to nothing else: not to what takes their place.
    aside = f"{os.path.splitext(path)[0]}.damaged"
    commands = (
        ["mkdir", aside],
        ["mv", path, folder, aside],
        ["mv", target, path],
    )
    yield "To serve it in the place of the other, which is kept with its journal:"
    yield f"  {' && '.join(shlex.join(words) for words in commands)}"
