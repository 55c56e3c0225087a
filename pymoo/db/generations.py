"""Generations of a database file: what it was before it was replaced.

They lie in a folder beside the file, ``world.db.backups``:

``original.db``
    the file as it was before pymoo wrote to it for the first time; kept for ever
``2026-11-21T16-30-05Z_0012.db``
    the file that was written at that time (UTC); the twelfth that was kept
``no-original.txt``
    says why there is no ``original.db``: pymoo has made the file itself

What has another name there was put there by somebody else, and is left alone.

G1  Whatever has the name of a generation is whole: it was complete, and on the disk,
    before it got that name.
G2  Generations are ordered by their numbers.  A clock that was put back, or forward,
    thus changes what they are called and nothing else: not which is the last, nor
    which are removed.
G3  A generation is never written over, and the last one is never removed.

How a dump gets into the place of the file is told in `checkpoint`.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from attrs import evolve, field, frozen
from attrs.validators import ge

from pymoo.db.beside import backups_folder
from pymoo.db.journal_file import (
    Fingerprint,
    chain_after,
    fingerprint,
    folder_of,
    remove_journal,
    segment_numbers,
    sync_folder,
)
from pymoo.db.log import Log, no_log
from pymoo.db.redo import JournalError
from pymoo.db.remedies import backups_command, no_room_remedy, recover_command
from pymoo.errors import PymooError

ORIGINAL: Final = "original"
"""Name of the file as it was, and what it is kept as."""

LAST: Final = "last"
DAILY: Final = "daily"
WEEKLY: Final = "weekly"
FOREIGN: Final = "by hand"
"""What the other generations are kept as; the last is somebody else's file."""

_SUFFIX: Final = ".db"
_MARK: Final = "no-original.txt"
_MARK_TEXT: Final = """\
There is no original.db here, as pymoo has made the database file itself: there was
none before.
"""
_UNFINISHED: Final = "unfinished.tmp"
_OF: Final = "of-"  # what such a journal is called, with the name of a generation
_NOTE: Final = "set-aside.txt"  # in a journal that got another name

_NAME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)_(\d{4,})", re.ASCII)
_TIME: Final = "%Y-%m-%dT%H-%M-%SZ"
_PORTION: Final = 1 << 20
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999

_LOOK_AFTER: Final = "Look after that disk"
_FORBIDDEN: Final = (errno.EACCES, errno.EPERM, errno.EROFS)


class BackupError(PymooError):
    """A database file cannot be kept or brought back; the text says what to do."""


@frozen
class KeepPolicy:
    """How many generations are kept; each may count several times.

    Days and weeks (from Monday, in UTC) are those of which there is a generation, and
    of each it is the last.  So neither a clock that was wrong for a while nor a year
    without the server makes the older ones go.
    """

    last: int = field(default=7, validator=ge(1))
    days: int = field(default=7, validator=ge(0))
    weeks: int = field(default=4, validator=ge(0))


DEFAULT_POLICY: Final = KeepPolicy()


@frozen
class Generation:
    """A file that is kept."""

    name: str  # without the suffix
    path: str
    written: float  # when; in seconds since 1970
    size: int
    number: int | None  # in the order of keeping; None for those that are not pymoo's
    kinds: tuple[str, ...]  # what it is kept as; nothing if it is one too many


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


# --- keep ---------------------------------------------------------------------------


def keep_generation(
    path: str | os.PathLike[str],
    policy: KeepPolicy = DEFAULT_POLICY,
    *,
    log: Log = no_log,
    must: bool = False,
    prune: bool = True,
) -> str | None:
    """Keep the file at ``path``, which is about to be replaced, and return where.

    To be called when what replaces it is complete, and only the renaming is left.
    Once kept, a file is not kept again.  Then those that ``policy`` does not want
    any more are removed, if ``prune``.  None if there is no file, or it could not be
    kept.

    It never stands in the way: what the system refuses is logged, with the remedy,
    and nothing is raised.  With ``must`` a file that cannot be kept is an error.

    Cost: a hard link; where the file system has none, as long as copying the file.
    Raises: BackupError, with ``must`` alone.
    """
    path = os.fspath(path)
    folder = backups_folder(path)
    try:
        kept = _keep(path, folder, log)
    except OSError as error:
        text = (
            f"{path}: cannot be kept in {folder}: {_reason(error)}. "
            f"{_remedy(error, folder)}"
        )
        if must:
            raise BackupError(f"{text}. Nothing was changed") from error
        log(f"{text}. The database is saved all the same", True)
        return None
    if prune and kept is not None:
        remove_old(path, policy, log=log)
    return kept


def keep_original(path: str | os.PathLike[str], *, log: Log = no_log) -> str | None:
    """Copy a file aside before pymoo writes to it for the first time; return where.

    None if that was done before, or nothing needs to be kept.  It is a copy and no
    link, so that whatever else writes into the file does not write into this.

    Raises: BackupError.
    """
    path = os.fspath(path)
    folder = backups_folder(path)
    try:
        if _has_begun(folder):
            return None
        _make_folder(folder)
        return _keep_original(path, folder, log)
    except OSError as error:
        raise BackupError(
            f"{path}: a copy of it cannot be kept as "
            f"{os.path.join(folder, ORIGINAL + _SUFFIX)}: {_reason(error)}. "
            f"{_remedy(error, folder)}, or name another file to save to"
        ) from error


def begin_generations(path: str | os.PathLike[str], *, log: Log = no_log) -> None:
    """Note that pymoo makes the file at ``path``: there is no original to be kept.

    What the system refuses is logged; the first file will count as the original then.
    """
    folder = backups_folder(path)
    try:
        if not _has_begun(folder):
            _make_folder(folder)
            with open(os.path.join(folder, _MARK), "x", encoding="ascii") as stream:
                stream.write(_MARK_TEXT)
    except OSError as error:
        log(f"{folder}: cannot be written: {_reason(error)}", True)


def _keep(path: str, folder: str, log: Log) -> str | None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        begin_generations(path, log=log)
        return None
    if not _has_begun(folder):
        _make_folder(folder)
        return _keep_original(path, folder, log)
    newest = next(iter(_numbered(folder)), None)
    last = _original_path(folder) if newest is None else newest.path
    if _is_copy(last, path, status):
        return last
    number = 1 if newest is None or newest.number is None else newest.number + 1
    name = f"{_utc(status.st_mtime).strftime(_TIME)}_{number:04}{_SUFFIX}"
    target = os.path.join(folder, name)
    _make_folder(folder)
    try:
        # os.link would make a link to a symbolic link on some systems.
        os.link(os.path.realpath(path), target)
    except FileExistsError:
        raise  # G3
    except OSError:  # not on this file system, or not to another one
        _copy(path, target)
    _sync(folder, log)
    return target


def _keep_original(path: str, folder: str, log: Log) -> str:
    target = _original_path(folder)
    try:
        _copy(path, target)
    except OSError:
        try:
            os.link(os.path.realpath(path), target)  # which needs no room
        except OSError:
            pass  # why it could not be copied tells more
        else:
            _sync(folder, log)
            return target
        raise
    _sync(folder, log)
    return target


def _is_copy(kept: str, path: str, status: os.stat_result) -> bool:
    """Whether what is kept is the same file, or a copy made of it."""
    try:
        other = os.stat(kept)
    except FileNotFoundError:
        return False
    if os.path.samestat(status, other):
        return True
    if (status.st_size, status.st_mtime_ns) != (other.st_size, other.st_mtime_ns):
        return False
    # Where times are coarse, it could be of a file saved a moment before.
    with open(kept, "rb") as copy, open(path, "rb") as stream:
        while portion := stream.read(_PORTION):
            if copy.read(_PORTION) != portion:
                return False
    return True


def _has_begun(folder: str) -> bool:
    """Whether anything was kept, or nothing had to be."""
    return any(
        entry.name in (_MARK, ORIGINAL + _SUFFIX) or _number_of(entry.name)
        for entry in _entries(folder)
    )


def _original_path(folder: str) -> str:
    return os.path.join(folder, ORIGINAL + _SUFFIX)


def _make_folder(folder: str) -> None:
    with suppress(FileExistsError):
        os.mkdir(folder)


# --- which there are ----------------------------------------------------------------


def generations(
    path: str | os.PathLike[str], policy: KeepPolicy = DEFAULT_POLICY
) -> list[Generation]:
    """Return what is kept of a database file, the newest first and the original last.

    Raises: BackupError if the folder cannot be read.
    """
    folder = backups_folder(path)
    try:
        numbered = _numbered(folder)
        others = [
            _generation(entry)
            for entry in _entries(folder)
            if entry.name.endswith(_SUFFIX)
            and _number_of(entry.name) is None
            and entry.is_file()
        ]
    except OSError as error:
        raise BackupError(
            f"{folder}: cannot be read: {_reason(error)}. {_remedy(error, folder)}"
        ) from error
    kinds = _kinds(numbered, policy)
    others.sort(key=lambda each: (each.name == ORIGINAL, -each.written))
    return [
        *(evolve(each, kinds=tuple(kinds[each.name])) for each in numbered),
        *others,
    ]


def find_generation(path: str | os.PathLike[str], name: str) -> Generation:
    """Return the generation of that name, or the only one whose name begins so.

    ``last`` is the newest of all.

    Raises: BackupError if there is none, or more than one.
    """
    path = os.fspath(path)
    found = generations(path)
    wanted = os.path.basename(name).removesuffix(_SUFFIX)
    if wanted == LAST:
        matching = found[:1]
    else:
        matching = [each for each in found if each.name == wanted] or [
            each for each in found if wanted and each.name.startswith(wanted)
        ]
    if not matching:
        raise BackupError(
            f"{path}: there is no backup {name!r} of it. See what there is: "
            f"{backups_command(path)}"
        )
    if len(matching) > 1:
        names = ", ".join(each.name for each in matching)
        raise BackupError(
            f"{path}: more than one backup is called {name!r}: {names}. Say which"
        )
    return matching[0]


def _kinds(numbered: list[Generation], policy: KeepPolicy) -> dict[str, list[str]]:
    """Return what each is kept as; ``numbered`` has the newest first."""
    kinds: dict[str, list[str]] = {each.name: [] for each in numbered}
    for each in numbered[: policy.last]:
        kinds[each.name].append(LAST)
    for kind, count, period in (
        (DAILY, policy.days, "%Y-%m-%d"),
        (WEEKLY, policy.weeks, "%G-%V"),
    ):
        seen: set[str] = set()
        for each in numbered:
            key = _utc(each.written).strftime(period)
            if key not in seen and len(seen) < count:
                seen.add(key)
                kinds[each.name].append(kind)
    return kinds


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    """Yield what is in a folder; nothing if it is not there."""
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return
    with entries:
        yield from entries


def _number_of(name: str) -> int | None:
    found = _NAME.fullmatch(name.removesuffix(_SUFFIX))
    if found is None or not name.endswith(_SUFFIX) or _time_of(found[1]) is None:
        return None
    return int(found[2])


def _time_of(text: str) -> float | None:
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _numbered(folder: str) -> list[Generation]:
    """Return pymoo's own generations, but for the original, the newest first (G2)."""
    found = [
        _generation(entry)
        for entry in _entries(folder)
        if _number_of(entry.name) is not None
    ]
    found.sort(key=lambda each: (each.number or 0, each.name), reverse=True)
    return found


def _generation(entry: os.DirEntry[str]) -> Generation:
    status = entry.stat()
    name = entry.name.removesuffix(_SUFFIX)
    number = _number_of(entry.name)
    written = None
    if number is not None:
        written = _time_of(name.partition("_")[0])
    return Generation(
        name,
        entry.path,
        status.st_mtime if written is None else written,
        status.st_size,
        number,
        (ORIGINAL if name == ORIGINAL else FOREIGN,) if number is None else (),
    )


def _utc(seconds: float) -> datetime:
    """Return a time as a date, also one that no calendar has."""
    return datetime.fromtimestamp(min(max(int(seconds), 0), _LAST_SECOND), UTC)


# --- remove -------------------------------------------------------------------------


def remove_old(
    path: str | os.PathLike[str],
    policy: KeepPolicy = DEFAULT_POLICY,
    *,
    log: Log = no_log,
) -> None:
    """Remove the generations that ``policy`` does not want; log what cannot be."""
    try:
        found = generations(path, policy)
    except BackupError as error:
        log(str(error), True)
        return
    for each in found:
        if not each.kinds:
            try:
                os.remove(each.path)
            except FileNotFoundError:
                continue  # somebody else has removed it
            except OSError as error:
                log(
                    f"{each.path}: this old backup cannot be removed: "
                    f"{_reason(error)}. {_remedy(error, os.path.dirname(each.path))}",
                    True,
                )


# --- bring back ---------------------------------------------------------------------


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
            f"{folder}: cannot be read: {_reason(error)}. {_remedy(error, folder)}"
        ) from error


def _aside(path: str, names: list[str]) -> list[JournalAside]:
    """Return journals set aside, and whose of these names each is.  Raises: OSError."""
    folder = os.path.dirname(path)
    start = f"{os.path.basename(folder_of(path))}."
    found = sorted(
        entry.name
        for entry in _entries(folder or ".")
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
        _copy_to(generation.path, unfinished)
        kept = keep_generation(path, log=log, must=True, prune=False)
        os.replace(unfinished, path)
    except OSError as error:
        folder = os.path.dirname(path) or "."
        raise BackupError(
            f"{path}: {generation.name} cannot be brought back: {_reason(error)}. "
            f"{_remedy(error, folder)}"
        ) from error
    finally:
        with suppress(OSError):  # it is in nobody's way: the next one writes over it
            os.remove(unfinished)
    _sync(os.path.dirname(path), log)
    aside = _put_journal_aside(path, kept, generation)
    if aside is not None:
        _sync(os.path.dirname(path), log)
    if back is not None:
        _put_journal_back(path, back, generation)
        _sync(os.path.dirname(path), log)
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
            owner = os.path.basename(file).removesuffix(_SUFFIX)
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
            f"belong to it, cannot be renamed: {_reason(error)}. Rename it before a "
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
            f"afterwards: {aside} cannot be renamed to {journal}: {_reason(error)}. "
            "Rename it before a server is started"
        ) from error


# --- files --------------------------------------------------------------------------


def _copy(source: str, target: str) -> None:
    """Copy a file, so that there is the whole of it under its name or nothing (G1)."""
    unfinished = os.path.join(os.path.dirname(target), _UNFINISHED)
    try:
        _copy_to(source, unfinished)
        times = os.stat(source)
        # By its time a copy is known to be one; without, it is kept twice.
        with suppress(OSError):
            os.utime(unfinished, ns=(times.st_atime_ns, times.st_mtime_ns))
        os.rename(unfinished, target)
    finally:
        with suppress(OSError):  # the next one writes over it
            os.remove(unfinished)


def _copy_to(source: str, target: str) -> None:
    """Write what is in a file to another one, with its permissions, and sync it."""
    with open(source, "rb") as stream, open(target, "wb", opener=_private) as copy:
        shutil.copyfileobj(stream, copy, _PORTION)
        # Passwords are in there: others may read it only if they may read the file. A
        # file system without such permissions refuses; so it stays private.
        with suppress(PermissionError):
            os.fchmod(copy.fileno(), os.fstat(stream.fileno()).st_mode & 0o7777)
        copy.flush()
        os.fsync(copy.fileno())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


def _sync(folder: str, log: Log) -> None:
    """Have the names in a folder on the disk too.

    If that fails, they are there all the same as long as the power is.
    """
    try:
        sync_folder(folder)
    except OSError as error:
        folder = folder or "."
        log(f"{folder}: cannot be synced: {_reason(error)}. {_LOOK_AFTER}", True)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _remedy(error: OSError, folder: str) -> str:
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
