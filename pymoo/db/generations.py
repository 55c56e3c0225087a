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

How a dump gets into the place of the file is told in `checkpoint`; how a generation
does, in `restoring`.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from attrs import evolve, field, frozen
from attrs.validators import ge

from pymoo.db.beside import backups_folder
from pymoo.db.kept_files import (
    PORTION,
    copy_to,
    entries_of,
    reason_of,
    remedy_for,
    sync_names,
)
from pymoo.db.log import Log, no_log
from pymoo.db.remedies import backups_command
from pymoo.errors import PymooError

ORIGINAL: Final = "original"
"""Name of the file as it was, and what it is kept as."""

LAST: Final = "last"
DAILY: Final = "daily"
WEEKLY: Final = "weekly"
FOREIGN: Final = "by hand"
"""What the other generations are kept as; the last is somebody else's file."""

SUFFIX: Final = ".db"
"""What the names of files end with that are generations."""
_MARK: Final = "no-original.txt"
_MARK_TEXT: Final = """\
There is no original.db here, as pymoo has made the database file itself: there was
none before.
"""
_UNFINISHED: Final = "unfinished.tmp"

_NAME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)_(\d{4,})", re.ASCII)
_TIME: Final = "%Y-%m-%dT%H-%M-%SZ"
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999


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
            f"{path}: cannot be kept in {folder}: {reason_of(error)}. "
            f"{remedy_for(error, folder)}"
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
            f"{os.path.join(folder, ORIGINAL + SUFFIX)}: {reason_of(error)}. "
            f"{remedy_for(error, folder)}, or name another file to save to"
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
        log(f"{folder}: cannot be written: {reason_of(error)}", True)


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
    name = f"{_utc(status.st_mtime).strftime(_TIME)}_{number:04}{SUFFIX}"
    target = os.path.join(folder, name)
    _make_folder(folder)
    try:
        # os.link would make a link to a symbolic link on some systems.
        os.link(os.path.realpath(path), target)
    except FileExistsError:
        raise  # G3
    except OSError:  # not on this file system, or not to another one
        _copy(path, target)
    sync_names(folder, log)
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
            sync_names(folder, log)
            return target
        raise
    sync_names(folder, log)
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
        while portion := stream.read(PORTION):
            if copy.read(PORTION) != portion:
                return False
    return True


def _has_begun(folder: str) -> bool:
    """Whether anything was kept, or nothing had to be."""
    return any(
        entry.name in (_MARK, ORIGINAL + SUFFIX) or _number_of(entry.name)
        for entry in entries_of(folder)
    )


def _original_path(folder: str) -> str:
    return os.path.join(folder, ORIGINAL + SUFFIX)


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
            for entry in entries_of(folder)
            if entry.name.endswith(SUFFIX)
            and _number_of(entry.name) is None
            and entry.is_file()
        ]
    except OSError as error:
        raise BackupError(
            f"{folder}: cannot be read: {reason_of(error)}. {remedy_for(error, folder)}"
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
    wanted = os.path.basename(name).removesuffix(SUFFIX)
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


def _number_of(name: str) -> int | None:
    found = _NAME.fullmatch(name.removesuffix(SUFFIX))
    if found is None or not name.endswith(SUFFIX) or _time_of(found[1]) is None:
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
        for entry in entries_of(folder)
        if _number_of(entry.name) is not None
    ]
    found.sort(key=lambda each: (each.number or 0, each.name), reverse=True)
    return found


def _generation(entry: os.DirEntry[str]) -> Generation:
    status = entry.stat()
    name = entry.name.removesuffix(SUFFIX)
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
                remedy = remedy_for(error, os.path.dirname(each.path))
                log(
                    f"{each.path}: this old backup cannot be removed: "
                    f"{reason_of(error)}. {remedy}",
                    True,
                )


def _copy(source: str, target: str) -> None:
    """Copy a file, so that there is the whole of it under its name or nothing (G1)."""
    unfinished = os.path.join(os.path.dirname(target), _UNFINISHED)
    try:
        copy_to(source, unfinished)
        times = os.stat(source)
        # By its time a copy is known to be one; without, it is kept twice.
        with suppress(OSError):
            os.utime(unfinished, ns=(times.st_atime_ns, times.st_mtime_ns))
        os.rename(unfinished, target)
    finally:
        with suppress(OSError):  # the next one writes over it
            os.remove(unfinished)
