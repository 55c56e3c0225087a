"""Brings a generation of a database file back, and sees to the journals.

The journal of the file that is replaced gets another name, ``world.db.journal.of-NAME``
with the name of the generation that the file is kept as: its changes belong to that
file alone.  When that generation is brought back, so is its journal.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import frozen

from pymoo.db.generations import (
    SUFFIX,
    BackupError,
    Generation,
    generations,
    keep_generation,
)
from pymoo.db.journal_file import (
    Fingerprint,
    chain_after,
    fingerprint,
    folder_of,
    remove_journal,
    segment_numbers,
)
from pymoo.db.kept_files import copy_to, entries_of, reason_of, remedy_for, sync_names
from pymoo.db.log import Log, no_log
from pymoo.db.redo import JournalError
from pymoo.db.remedies import recover_command

_OF: Final = "of-"  # what such a journal is called, with the name of a generation
_NOTE: Final = "set-aside.txt"  # in a journal that got another name


@frozen
class Restored:
    """What bringing a generation back has done."""

    generation: Generation
    kept: str | None  # where the file is that was replaced; None if there was none
    journal: str | None  # the new name of its journal; None if there was none
    # The journal of the generation, and what it was called until now; if it had one.
    brought_back: str | None = None
    # Those that have the name of the generation, and were not brought back.
    left_aside: tuple[str, ...] = ()


@frozen
class JournalAside:
    """A journal that was given another name, as its file was replaced."""

    path: str
    owner: str | None  # the generation it is called after; None if it is after none


def journals_aside(path: str | os.PathLike[str]) -> list[JournalAside]:
    """Return the journals that were set aside when a database file was replaced.

    Raises: BackupError if the folder cannot be read.
    """
    path = os.fspath(path)
    names = [each.name for each in generations(path)]
    try:
        return _aside(path, names)
    except OSError as error:
        folder = os.path.dirname(path) or "."
        raise BackupError(
            f"{folder}: cannot be read: {reason_of(error)}. {remedy_for(error, folder)}"
        ) from error


def _aside(path: str, names: list[str]) -> list[JournalAside]:
    """Return journals set aside, and whose of these names each is.  Raises: OSError."""
    folder = os.path.dirname(path)
    start = f"{os.path.basename(folder_of(path))}."
    found = sorted(
        entry.name
        for entry in entries_of(folder or ".")
        if entry.name.startswith(start)
        and entry.is_dir()
        and segment_numbers(os.path.join(folder, entry.name))
    )
    return [
        JournalAside(
            os.path.join(folder, each), _owner_of(each.removeprefix(start), names)
        )
        for each in found
    ]


def _owner_of(title: str, names: list[str]) -> str | None:
    """Return which generation a journal called ``of-NAME`` or ``of-NAME-2`` is of."""
    if not title.startswith(_OF):
        return None
    name = title.removeprefix(_OF)
    if name in names:
        return name
    name, _, count = name.rpartition("-")
    return name if name in names and count.isdecimal() else None


def restore_generation(
    path: str | os.PathLike[str], generation: Generation, *, log: Log = no_log
) -> Restored:
    """Put a copy of a generation in the place of the database file.

    The file that is there is kept as a generation first.  Its journal, if it has one,
    gets another name: its changes belong to that file alone.  The journal that was
    set aside so when the generation was replaced gets its place again, if it is one
    of exactly this file.

    Whoever is killed at whatever moment leaves the one or the other under the name of
    the file, whole, and every journal whole under a name that says whose it is.  That
    is why the file comes first, its journal second and that of the generation last:

    * The file is never without its own journal: that would be changes lost in silence.
    * Between the first and the second step the journal is one of another file, which
      is not applied (J5).
    * Between the second and the third there is no journal.  That of the generation
      still has the name of it, and the same command brings it back.

    The file must be locked, so that no server has it.

    Raises: BackupError.  The file is still there then, unless the text says that a
        journal is what could not be renamed.
    """
    path = os.fspath(path)
    unfinished = f"{path}.restoring"
    try:
        back, left = _journals_of(path, generation)
        copy_to(generation.path, unfinished)
        kept = keep_generation(path, log=log, must=True, prune=False)
        os.replace(unfinished, path)
    except OSError as error:
        folder = os.path.dirname(path) or "."
        raise BackupError(
            f"{path}: {generation.name} cannot be brought back: {reason_of(error)}. "
            f"{remedy_for(error, folder)}"
        ) from error
    finally:
        with suppress(OSError):  # it is in nobody's way: the next one writes over it
            os.remove(unfinished)
    sync_names(os.path.dirname(path), log)
    aside = _put_journal_aside(path, kept, generation)
    if aside is not None:
        sync_names(os.path.dirname(path), log)
    if back is not None:
        _put_journal_back(path, back, generation)
        sync_names(os.path.dirname(path), log)
    return Restored(generation, kept, aside, back, left)


def _journals_of(
    path: str, generation: Generation
) -> tuple[str | None, tuple[str, ...]]:
    """Return the journal of a generation, and others that are called after it.

    Of several that fit it is the one that was set aside last.

    Raises: OSError.
    """
    named = _aside(path, [generation.name])
    called = [each.path for each in named if each.owner is not None]
    if not called:
        return None, ()
    base = fingerprint(generation.path)
    fitting = [each for each in called if _chain(each, base)]
    if not fitting:
        return None, tuple(called)
    back = max(fitting, key=lambda each: (len(each), each))
    return back, tuple(each for each in called if each != back)


def _chain(journal: str, base: Fingerprint) -> tuple[object, ...] | None:
    """Return what in a journal follows a file, as far as that can be told.

    Nothing if not even its beginning can be read; None if it is another file's.
    Damage behind the beginning is for whoever opens the database: that is refused
    then, and said.

    Raises: OSError.
    """
    try:
        chain = chain_after(journal, base, stops_at_damage=True)
    except JournalError:
        return ()
    return None if chain is None else chain.segments


def _put_journal_aside(
    path: str, kept: str | None, generation: Generation
) -> str | None:
    """Rename the journal of a file that was replaced; return its new name.

    Raises: BackupError.
    """
    journal = folder_of(path)
    try:
        if not segment_numbers(journal):
            return None
        file = _file_of(journal, path, kept)
        if file is not None:
            owner = os.path.basename(file).removesuffix(SUFFIX)
        else:
            owner = "no-file" if kept is None else "another-file"
        base = target = f"{journal}.{_OF}{owner}"
        count = 1
        while os.path.lexists(target):
            count += 1
            target = f"{base}-{count}"
        os.rename(journal, target)
    except OSError as error:
        raise BackupError(
            f"{path}: is {generation.name} now, but {journal}, whose changes do not "
            f"belong to it, cannot be renamed: {reason_of(error)}. Rename it before a "
            "server is started"
        ) from error
    # The new name says the same in short: without the note it is safe as well.
    with suppress(OSError):
        Path(target, _NOTE).write_text(
            f"These changes were made to {file or 'a file that is not there'}.\n"
            f"They do not fit {path}, which is {generation.name} since.\n"
            f"To have that file with them, in saved.db:\n"
            f"  {recover_command(file or 'FILE', target='saved.db', journal=target)}\n",
            encoding="utf-8",
        )
    return target


def _file_of(journal: str, path: str, kept: str | None) -> str | None:
    """Return the generation whose journal lies beside a file; None if it is of none.

    It is the file as it was until now, unless an earlier attempt was killed before it
    could rename the journal.

    Raises: OSError.
    """
    if kept is None or _chain(journal, fingerprint(kept)) is not None:
        return kept
    for each in generations(path):
        if _chain(journal, fingerprint(each.path)):
            return each.path
    return None


def _put_journal_back(path: str, aside: str, generation: Generation) -> None:
    """Give a journal its place again.  Raises: BackupError."""
    journal = folder_of(path)
    try:
        # A folder without changes may be there; nothing else can be.
        if os.path.lexists(journal):
            remove_journal(journal)
        # It is true no more, and in the way of whoever removes the journal.
        with suppress(FileNotFoundError):
            os.remove(os.path.join(aside, _NOTE))
        os.rename(aside, journal)
    except OSError as error:
        raise BackupError(
            f"{path}: is {generation.name} now, but without what was done to it "
            f"afterwards: {aside} cannot be renamed to {journal}: {reason_of(error)}. "
            "Rename it before a server is started"
        ) from error
