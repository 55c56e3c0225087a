"""``pymoo check``: syntax errors and likely mistakes in programs.

A program is a file of its own, or a verb of a database file.  The structure of a
database file is for `dev.check`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attrs import asdict, field, frozen

from pymoo.builtins.registry import BuiltinTable
from pymoo.db.objects import Verbdef
from pymoo.dev.source_lines import source_lines
from pymoo.dev.stale import StaleUse, stale_uses, worst_uses, written_properties
from pymoo.errors import MooSyntaxError, PymooError
from pymoo.exits import FINDINGS, FINE, UNUSABLE
from pymoo.lang.dialect import Dialect
from pymoo.lang.parser import parse_program
from pymoo.lang.program import Program
from pymoo.server.database import open_database
from pymoo.values import Obj
from pymoo.wording import counted

SYNTAX_ERROR: Final = "syntax error"
WARNING: Final = "warning"

# How database files begin, those that are compressed among them: what is wrong with
# such a one is said when it is opened.
_DATABASE_HEADS: Final = (b"** LambdaMOO Database", b"\x1f\x8b")

_MESSAGE: Final = re.compile(r"Line (\d+):  (.*)")


@frozen
class Finding:
    """One thing that is wrong, or likely to be."""

    verb: str | None  # as in #7:frobnicate; None in a file that is one program
    line: int
    kind: str  # `SYNTAX_ERROR`, `WARNING`, or the value of a `Hazard`
    message: str


@frozen
class Report:
    """What was found in a file."""

    path: str
    programs: int = 0
    findings: list[Finding] = field(factory=list)
    error: str | None = None  # why it cannot be read


class ProgramFileError(PymooError):
    """A file of MOO code cannot be read."""


def check_programs(
    paths: Sequence[str], dialect: Dialect, *, as_json: bool = False
) -> int:
    """Print what is found in files; returns 0, 1 for findings, 2 if one is unreadable.

    Each is a program, or a database file whose verbs are looked at.
    """
    reports = []
    for path in paths:
        try:
            reports.append(examine_programs(path, dialect))
        except PymooError as error:
            reports.append(Report(path, error=str(error)))
    if as_json:
        print(json.dumps({"files": [asdict(report) for report in reports]}, indent=1))
    else:
        for report in reports:
            _show(report)
    if any(report.error is not None for report in reports):
        return UNUSABLE
    return FINDINGS if any(report.findings for report in reports) else FINE


def examine_programs(path: str, dialect: Dialect) -> Report:
    """Check a file of MOO code, or all verbs of a database file.

    Raises: PymooError if it cannot be read.
    """
    try:
        with open(path, "rb") as stream:
            head = stream.read(len(_DATABASE_HEADS[0]))
    except OSError as error:
        raise ProgramFileError(
            f"{path}: cannot be read: {error.strerror}. Give the path of a program or "
            "of a LambdaMOO database"
        ) from error
    if head.startswith(_DATABASE_HEADS) or Path(path).suffix == ".db":
        return _examine_database(path, dialect)
    return _examine_file(path, dialect)


# --- a program in a file ------------------------------------------------------


def _examine_file(path: str, dialect: Dialect) -> Report:
    text = Path(path).read_text(encoding="latin-1")
    if not text.endswith("\n"):
        text += "\n"
    try:
        program = parse_program(
            text,
            functions=BuiltinTable(dialect).proper_names,
            width=dialect.default_width,
            line_comments=dialect.line_comments,
        )
    except MooSyntaxError as error:
        findings = [_said(line, None, SYNTAX_ERROR) for line in error.errors]
        return Report(path, 1, findings)
    lines = source_lines(text, program, line_comments=dialect.line_comments)
    uses = stale_uses(program, lambda node: lines[program.line_of(node) - 1])
    return Report(path, 1, [_told(use, None) for use in worst_uses(uses)])


# --- the verbs of a database --------------------------------------------------


def _examine_database(path: str, dialect: Dialect) -> Report:
    database = open_database(path, dialect, check=False)
    functions = database.builtins.proper_names
    width = dialect.default_width
    checked: list[tuple[str, list[Finding], list[StaleUse]]] = []
    written: set[str] = set()
    for record in database.textdump.world.objects():
        for verbdef in record.verbs:
            if verbdef.code is None:
                continue
            name = verb_name(record.id, verbdef)
            said: list[str] = []
            uses: list[StaleUse] = []
            program: Program | None = None
            try:
                program = parse_program(
                    verbdef.code,
                    functions=functions,
                    version=verbdef.version,
                    width=width,
                    warn=said.append,
                )
            except MooSyntaxError as error:
                findings = [_said(line, name, SYNTAX_ERROR) for line in error.errors]
            else:
                findings = [_said(line, name, WARNING) for line in said]
                written |= written_properties(program)
                uses = stale_uses(program)
            checked.append((name, findings, uses))
    found = []
    settled = frozenset(written)
    for name, findings, uses in checked:
        findings += (_told(use, name) for use in worst_uses(uses, settled))
        found += sorted(findings, key=lambda finding: finding.line)
    return Report(path, len(checked), found)


def verb_name(definer: Obj, verbdef: Verbdef) -> str:
    """Return how a verb is called: by the first of its names, written out."""
    names = verbdef.names.split() or [""]
    return f"{definer}:{names[0].replace('*', '') or '*'}"


# --- what is said -------------------------------------------------------------


def _said(line: str, verb: str | None, kind: str) -> Finding:
    """Return what the compiler has said as a finding."""
    match = _MESSAGE.fullmatch(line)
    assert match is not None, line
    return Finding(verb, int(match[1]), kind, match[2])


def _told(use: StaleUse, verb: str | None) -> Finding:
    return Finding(verb, use.line, use.hazard.value, use.message)


def _show(report: Report) -> None:
    if report.error is not None:
        named = report.path in report.error
        print(report.error if named else f"{report.path}: {report.error}")
        return
    for finding in report.findings:
        place = finding.verb or report.path
        print(f"{place}, line {finding.line}: {finding.message}")
    count = len(report.findings)
    found = counted(count, "finding") if count else "nothing is wrong"
    print(f"{report.path}: {counted(report.programs, 'program')}, {found}")
