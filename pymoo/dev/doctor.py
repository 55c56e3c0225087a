"""``pymoo doctor``: what is in a database file, what will work, and what will not.

What is looked at, and what is found, is for `dev.health`.  Nothing is changed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from time import perf_counter
from typing import Final

from attrs import asdict, field, frozen

from pymoo.db.journal_file import DamagedJournalError
from pymoo.db.objects import FLAG_PLAYER, FLAG_WIZARD
from pymoo.db.redo import JournalError
from pymoo.db.remedies import doctor_command, recover_command
from pymoo.db.textdump import LAST_KNOWN_FORMAT, UnreadableFormatError
from pymoo.dev.health import Note, examine
from pymoo.errors import PymooError, TextdumpError
from pymoo.exits import FINDINGS, FINE, UNUSABLE
from pymoo.lang.dialect import Dialect
from pymoo.server.database import open_database
from pymoo.wording import counted, size_text

SHOWN_DETAILS: Final = 10
"""How many particulars of a note are printed; JSON has all."""

# The first format of ToastStunt; those before are Stunt's.
_FIRST_OF_TOAST: Final = 14

_FINE_MARK, _OTHER_MARK, _ARROW, _DOT = "✔", "!", "→", "·"
_PLAIN: Final = str.maketrans({_FINE_MARK: "+", _ARROW: ">", _DOT: "-"})


@frozen
class Report:
    """What was found in a file."""

    path: str
    bytes: int = 0
    seconds: float = 0.0
    format: int = 0
    objects: int = 0
    verbs: int = 0
    programs: int = 0
    players: int = 0
    wizards: int = 0
    notes: list[Note] = field(factory=list)
    error: str | None = None  # why it cannot be read
    advice: list[str] = field(factory=list)  # what to do then

    @property
    def status(self) -> int:
        """What the command ends with: 0 fine, 1 findings, 2 not readable."""
        if self.error is not None:
            return UNUSABLE
        return FINE if all(note.is_fine for note in self.notes) else FINDINGS


def see_doctor(path: str, dialect: Dialect, *, as_json: bool = False) -> int:
    """Print what there is to say about ``path``; returns the report's status."""
    report = diagnose(path, dialect)
    if as_json:
        show([json.dumps(asdict(report), indent=1)])
    else:
        show(_lines(report))
    return report.status


def diagnose(path: str, dialect: Dialect) -> Report:
    """Read a database file, as far as that goes, and examine what is in it."""
    size = os.path.getsize(path) if os.path.isfile(path) else 0
    began = perf_counter()
    notes = []
    try:
        try:
            database = open_database(path, dialect, check=False)
        except JournalError as error:
            notes.append(_journal_note(path, error))
            database = open_database(path, dialect, check=False, use_journal=False)
    except PymooError as error:
        return Report(
            path, bytes=size, error=str(error), advice=[*_advice(path, error)]
        )
    seconds = perf_counter() - began
    world = database.textdump.world
    verbs = [verb for record in world.objects() for verb in record.verbs]
    return Report(
        path,
        bytes=size,
        seconds=round(seconds, 3),
        format=database.textdump.version,
        objects=len(world),
        verbs=len(verbs),
        programs=sum(verb.code is not None for verb in verbs),
        players=sum(record.flags & FLAG_PLAYER != 0 for record in world.objects()),
        wizards=sum(record.flags & FLAG_WIZARD != 0 for record in world.objects()),
        notes=[*notes, *examine(path, database, dialect)],
    )


def _journal_note(path: str, error: JournalError) -> Note:
    problem, remedy = str(error), None  # which tells what to do by itself
    if isinstance(error, DamagedJournalError):
        problem, remedy = error.problem, recover_command(path)
    return Note(
        "journal",
        "the journal cannot be read; what follows is about the file without it",
        is_fine=False,
        is_usable=False,
        details=(problem,),
        remedy=remedy,
    )


def _advice(path: str, error: PymooError) -> Iterator[str]:
    if isinstance(error, UnreadableFormatError):
        if error.version <= LAST_KNOWN_FORMAT:
            server = "ToastStunt" if error.version >= _FIRST_OF_TOAST else "Stunt"
            yield (
                f"{server} wrote this file, and it can go on serving it. To come here, "
                "objects have to be brought over as code (@dump, or a program of "
                f"one's own): {server} writes no older format, and its maps, anonymous "
                "objects and waifs have no place in one."
            )
    elif isinstance(error, TextdumpError):
        if os.path.isfile(f"{path}.PANIC"):
            yield f"There is another copy: {doctor_command(f'{path}.PANIC')}"


# --- text ---------------------------------------------------------------------


def show(lines: list[str] | Iterator[str]) -> None:
    """Print lines, with what the terminal can show of them."""
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        try:
            line.encode(encoding)
        except UnicodeEncodeError:
            line = line.translate(_PLAIN)
            line = line.encode(encoding, "backslashreplace").decode(encoding)
        print(line)


def _lines(report: Report) -> Iterator[str]:
    if report.error is not None:
        yield f"  {_OTHER_MARK} {report.path} cannot be read"
        for line in report.error.splitlines():
            yield f"    {line}"
        for line in report.advice:
            yield f"  {line}"
        yield "  Nothing was changed."
        return
    counts = (
        f"LambdaMOO format {report.format}",
        counted(report.objects, "object"),
        counted(report.verbs, "verb"),
        f"{counted(report.players, 'player')} ({counted(report.wizards, 'wizard')})",
        size_text(report.bytes),
        f"read in {report.seconds:.1f} s",
    )
    yield f"  {report.path}   {f' {_DOT} '.join(counts)}"
    for note in report.notes:
        mark = _FINE_MARK if note.is_fine else _OTHER_MARK
        remedy = f"   {_ARROW} {note.remedy}" if note.remedy is not None else ""
        yield f"  {mark} {note.text}{remedy}"
        for detail in note.details[:SHOWN_DETAILS]:
            yield f"      {detail}"
        more = len(note.details) - SHOWN_DETAILS
        if more > 0:
            yield f"      ... and {more:,} more: --json has all"
    if report.status == FINE:
        yield "  Ready to be served. Nothing was changed."
    elif all(note.is_usable for note in report.notes):
        yield f"  Can be served; {_OTHER_MARK} is what to look at. Nothing was changed."
    else:
        yield "  It cannot be served as it is. Nothing was changed."
