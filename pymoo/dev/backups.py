"""``pymoo backup``: what a database file was, and making it that again."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any, Final

from pymoo.db.beside import backups_folder
from pymoo.db.generations import (
    BackupError,
    Generation,
    find_generation,
    generations,
)
from pymoo.db.journal_file import folder_of
from pymoo.db.restoring import JournalAside, journals_aside, restore_generation
from pymoo.dev.check import read_database
from pymoo.dev.offline import tell_errors
from pymoo.errors import PymooError
from pymoo.exits import FINDINGS, FINE
from pymoo.lang.dialect import DEFAULT
from pymoo.server.lock import locked_at_rest
from pymoo.tasks.clock import SystemClock
from pymoo.wording import counted, size_text

_SOON_REMOVED: Final = "until the next one"

# How many seconds each has, and from how many of them on it is told.
_UNITS: Final = (
    (86_400, "day", 2),
    (3_600, "hour", 2),
    (60, "minute", 2),
    (1, "second", 0),
)


def show_backups(path: str, *, as_json: bool = False) -> None:
    """Print what is kept of a file.  Raises: BackupError."""
    found = generations(path)
    aside = journals_aside(path)
    if not found and not os.path.exists(path):
        raise BackupError(f"{path}: there is no such file, and no backup of it")
    now = SystemClock().now()
    if as_json:
        print(json.dumps(_facts(path, found, aside, now), indent=1))
        return
    if not found:
        print(f"{path}: no backups; the first is made when pymoo writes to it")
        _show_aside(aside)
        return
    print(f"{path}: {counted(len(found), 'backup')} in {backups_folder(path)}")
    rows = [
        (
            each.name,
            size_text(each.size),
            _age_text(now - each.written),
            ", ".join(each.kinds) or _SOON_REMOVED,
        )
        for each in found
    ]
    names, sizes, ages = (max(len(row[place]) for row in rows) for place in range(3))
    for name, size, age, kinds in rows:
        print(f"  {name:{names}}  {size:>{sizes}}  {age:>{ages}}  {kinds}")
    _show_aside(aside)


def _show_aside(aside: list[JournalAside]) -> None:
    for each in aside:
        whose = "a file that is no backup here" if each.owner is None else each.owner
        print(f"set aside {each.path} (changes to {whose})")


def verify(path: str, name: str | None, *, as_json: bool = False) -> int:
    """Read generations of a file, print what is wrong with them; return the status.

    Raises: BackupError if there is nothing to read.
    """
    chosen = generations(path) if name is None else [find_generation(path, name)]
    if not chosen:
        raise BackupError(f"{path}: there are no backups of it")
    facts: list[dict[str, Any]] = []
    for each in chosen:
        objects, findings = _examined(each)
        facts.append({"name": each.name, "objects": objects, "findings": findings})
        if not as_json:
            found = len(findings)
            result = counted(found, "finding") if found else "nothing is wrong"
            print(f"{each.path}: {counted(objects, 'object')}, {result}", flush=True)
            for finding in findings:
                print(f"  {finding}")
    if as_json:
        print(json.dumps({"database": path, "backups": facts}, indent=1))
    return FINDINGS if any(fact["findings"] for fact in facts) else FINE


def restore(path: str, name: str) -> None:
    """Bring a generation back, and print what was done.  Raises: PymooError."""
    with locked_at_rest(path):
        chosen = find_generation(path, name)
        # Nobody wants to replace a file by one that cannot be served.
        read_database(chosen.path, DEFAULT)
        done = restore_generation(path, chosen, log=tell_errors)
    if done.kept is not None:
        print(f"kept      {done.kept} (the file as it was until now)")
    if done.journal is not None:
        print(f"set aside {done.journal} (changes to that file alone)")
    print(f"restored  {path} from {chosen.path}")
    if done.brought_back is not None:
        print(
            f"put back  {folder_of(path)}, which was {done.brought_back} (what was "
            "done after that file was written)"
        )
    for each in done.left_aside:
        print(
            f"left      {each} (other changes to that file, or such that do not fit it)"
        )


def _examined(generation: Generation) -> tuple[int, list[str]]:
    """Return how many objects there are in a file, and what is wrong with it."""
    try:
        database, findings = read_database(generation.path, DEFAULT)
    except PymooError as error:
        return 0, [str(error)]
    world = database.textdump.world
    return sum(1 for _ in world.objects()), [*findings, *world.check()]


def _facts(
    path: str, found: list[Generation], aside: list[JournalAside], now: float
) -> dict[str, Any]:
    return {
        "database": path,
        "folder": backups_folder(path),
        "backups": [
            {
                "name": each.name,
                "path": each.path,
                "written": datetime.fromtimestamp(each.written, UTC).isoformat(),
                "bytes": each.size,
                "age_s": now - each.written,
                "kinds": [*each.kinds],
            }
            for each in found
        ],
        "journals_set_aside": [
            {"path": each.path, "backup": each.owner} for each in aside
        ],
    }


def _age_text(seconds: float) -> str:
    """Return ``5 minutes``; by a clock that was put back, a file may be of tomorrow."""
    if seconds < 0:
        return "later than now"
    for unit, name, least in _UNITS:
        if seconds >= unit * least:
            return counted(int(seconds // unit), name)
    return counted(0, "second")
