"""``pymoo db check``: everything about a database file that its owner should know."""

from __future__ import annotations

import json
from collections.abc import Iterator

from attrs import asdict, field, frozen

from pymoo.db.objects import FLAG_PLAYER, FLAG_WIZARD
from pymoo.db.textdump import Textdump
from pymoo.errors import MooSyntaxError, PymooError, TextdumpError
from pymoo.exits import FINDINGS, FINE, UNUSABLE
from pymoo.interp.loading import ProgramLoader
from pymoo.lang.dialect import LAMBDAMOO, Dialect
from pymoo.server.database import Database, open_database
from pymoo.wording import counted


@frozen
class Report:
    """What was found in a file."""

    path: str
    format: int = 0
    objects: int = 0
    verbs: int = 0
    programs: int = 0
    players: int = 0
    wizards: int = 0
    tasks: int = 0
    findings: list[str] = field(factory=list)
    error: str | None = None  # why it cannot be read


def check_database(path: str, *, as_json: bool = False) -> int:
    """Print a report about ``path``; returns 0, 1 for findings, 2 if not readable."""
    try:
        report = examine(path)
    except PymooError as error:
        report = Report(path, error=str(error))
    if as_json:
        print(json.dumps(asdict(report), indent=1))
    else:
        for line in _lines(report):
            print(line)
    if report.error is not None:
        return UNUSABLE
    return FINDINGS if report.findings else FINE


def examine(path: str) -> Report:
    """Read ``path`` and check all of it.  Raises: PymooError if that cannot be."""
    database, findings = read_database(path, LAMBDAMOO)
    textdump = database.textdump
    world = textdump.world
    verbs = [(record.id, verb) for record in world.objects() for verb in record.verbs]
    findings += [*world.check(), *_program_findings(textdump, database.loader)]
    try:  # once more, as the C server reads it
        open_database(path, LAMBDAMOO)
    except TextdumpError as error:
        findings.append(f"the C server refuses this file: {error}")
    return Report(
        path=path,
        format=textdump.version,
        objects=sum(1 for _ in world.objects()),
        verbs=len(verbs),
        programs=sum(verb.code is not None for _, verb in verbs),
        players=sum(record.flags & FLAG_PLAYER != 0 for record in world.objects()),
        wizards=sum(record.flags & FLAG_WIZARD != 0 for record in world.objects()),
        tasks=len(textdump.tasks),
        findings=findings,
    )


def read_database(path: str, dialect: Dialect) -> tuple[Database, list[str]]:
    """Return what is in a file, and what had to be mended or passed over to read it.

    Raises: PymooError if it cannot be read at all.
    """
    problems: list[str] = []

    def note(text: str, is_error: bool) -> None:
        if is_error:
            problems.append(text)

    database = open_database(path, dialect, log=note, check=False)
    remarks = database.textdump.remarks
    others = [
        problem
        for problem in problems
        if not any(problem in remark for remark in remarks)
    ]
    return database, [*remarks, *others]


def _program_findings(textdump: Textdump, loader: ProgramLoader) -> Iterator[str]:
    for record in textdump.world.objects():
        for number, verb in enumerate(record.verbs, 1):
            if verb.code is None:
                continue
            found: list[str] = []
            try:
                loader.check_program(verb.code, verb.version, found.append)
            except MooSyntaxError as error:
                found = error.errors
            for line in found:
                yield f"{record.id}:{verb.names} (verb {number}): {line}"


def _lines(report: Report) -> Iterator[str]:
    if report.error is not None:
        yield report.error
        return
    counts = (
        f"LambdaMOO format {report.format}",
        counted(report.objects, "object"),
        f"{counted(report.verbs, 'verb')} ({report.programs:,} programmed)",
        f"{counted(report.players, 'player')} ({counted(report.wizards, 'wizard')})",
        counted(report.tasks, "task"),
    )
    yield f"{report.path}: {', '.join(counts)}"
    for finding in report.findings:
        yield f"  {finding}"
    found = len(report.findings)
    yield counted(found, "finding") if found else "nothing is wrong"
