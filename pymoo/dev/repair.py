"""``pymoo db repair``: a damaged database file made into one that can be served.

What can be read of it is for `db.salvage`, what must agree for `db.mending`; here
programs and tasks are brought into order too, everything is said, and the result is
checked before anybody relies on it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from attrs import define, field

from pymoo.builtins.registry import BuiltinTable
from pymoo.db.checkpoint import save
from pymoo.db.integrity import structure_findings
from pymoo.db.journal_file import folder_of, segment_numbers
from pymoo.db.mending import (
    Say,
    lay_out,
    mend_owners,
    mend_verbs,
    mended_players,
)
from pymoo.db.objects import Object, Verbdef
from pymoo.db.remedies import recover_command
from pymoo.db.salvage import salvage
from pymoo.db.textdump import FORMAT_VERSION, Textdump, UnreadableFormatError, load
from pymoo.db.world import World
from pymoo.dev.check import Report
from pymoo.dev.check import examine as check
from pymoo.dev.doctor import show
from pymoo.dev.health import lost_tasks, task_title
from pymoo.dev.offline import check_target
from pymoo.errors import MooSyntaxError, TextdumpError
from pymoo.exits import FINDINGS, FINE
from pymoo.interp.loading import ProgramLoader
from pymoo.lang.dialect import LAMBDAMOO
from pymoo.server.database import Database, refuse_compressed, unreadable
from pymoo.values import literal
from pymoo.wording import counted


@define
class Repair:
    """What became of a damaged file."""

    textdump: Textdump
    mended: list[str] = field(factory=list)
    lost: list[str] = field(factory=list)
    refusal: str | None = None  # why the file as a whole cannot be read, if so
    counts: Counter[str] = field(factory=Counter)  # how many of what are lost
    lost_programs: list[str] = field(factory=list)  # all verbs that had them

    @property
    def is_needed(self) -> bool:
        """Whether anything was wrong."""
        return bool(self.mended or self.lost or self.refusal)


def repair_database(source: str, target: str, *, as_json: bool = False) -> int:
    """Write what can be saved of ``source`` to ``target``, and print what was done.

    Returns 0 if nothing was to be done, else 1; so it is if there is a journal, which
    is not in the result.

    Raises: PymooError if there is nothing to be saved, or ``target`` is there.
    """
    check_target(source, target)
    try:
        with open(source, "rb") as stream:
            data = stream.read()
    except OSError as error:
        raise unreadable(source, error) from error
    repair = repaired(data, source)
    del data
    save(repair.textdump, target)
    folder = folder_of(source)
    journal = folder if segment_numbers(folder) else None
    if not as_json:
        show(_lines(source, target, repair, journal))
    report = check(target)
    if as_json:
        print(json.dumps(_facts(source, target, repair, journal, report), indent=1))
    else:
        show(f"  still to be mended: {finding}" for finding in report.findings)
    is_fine = not (repair.is_needed or report.findings or journal)
    return FINE if is_fine else FINDINGS


def _lines(
    source: str, target: str, repair: Repair, journal: str | None
) -> Iterator[str]:
    if repair.refusal is not None:
        yield f"refused: {repair.refusal}"
    yield from (f"mended: {text}" for text in repair.mended)
    yield from (f"lost: {text}" for text in repair.lost)
    world = repair.textdump.world
    if repair.is_needed:
        mended = counted(len(repair.mended), "thing")
        yield f"{source}: {mended} mended, {_loss(repair)} lost"
    elif journal is None:
        yield f"{source}: nothing was wrong"
    else:
        yield f"{source}: the file is sound as it is, but it has a journal"
    yield (
        f"{target}: {counted(len(world), 'object')}, "
        f"{counted(len(repair.textdump.tasks), 'task')}"
    )
    if journal is not None:
        yield (
            f"not in it: the journal {journal}, what was done since {source} was "
            "written. What can be read of both is saved by "
            f"{recover_command(source)}"
        )


def _loss(repair: Repair) -> str:
    """Return what is lost, counted: ``1,296 programs and 2 property values``."""
    parts = [
        counted(many, what) for what, many in sorted(repair.counts.items()) if many
    ]
    if not parts:
        return counted(len(repair.lost), "thing") if repair.lost else "nothing"
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if parts[1:] else parts)


def _facts(
    source: str, target: str, repair: Repair, journal: str | None, report: Report
) -> dict[str, Any]:
    return {
        "database": source,
        "repaired": target,
        "refusal": repair.refusal,
        "mended": repair.mended,
        "lost": repair.lost,
        "lost_counts": {what: many for what, many in repair.counts.items() if many},
        "lost_programs": repair.lost_programs,
        "objects": len(repair.textdump.world),
        "tasks": len(repair.textdump.tasks),
        "journal_not_in_it": journal,
        "still_to_be_mended": report.findings,
    }


def repaired(data: bytes, name: str) -> Repair:
    """Return what can be saved of the bytes of a file.

    Raises: PymooError if there is nothing to be saved.
    """
    refuse_compressed(data, name)
    mended: list[str] = []
    plain = _plain_bytes(data, mended.append)
    builtins = BuiltinTable(LAMBDAMOO)
    loader = ProgramLoader(builtins.proper_names, LAMBDAMOO.default_width)
    repair = _read(plain, name, loader, mended)
    if repair.refusal is not None or plain is not data:
        # Of the file as it lies there, which is what `pymoo db check` tells of.
        repair.refusal = _refusal(data, name, loader) or repair.refusal
    del data, plain
    textdump = repair.textdump
    say = repair.mended.append
    records = [*textdump.world.objects()]
    if any(structure_findings(textdump.world)):
        lay_out({int(record.id): record for record in records}, say)
    mend_owners(records, say)
    mend_verbs(records, say)
    _mend_programs(records, loader, say)
    world = World(
        records,
        size=textdump.world.max_object + 1,
        players=mended_players(records, textdump.world.players, say),
        int_bits=textdump.world.int_bits,
    )
    textdump.world = world
    database = Database(textdump, builtins, loader)
    for each in [*lost_tasks(world, textdump.tasks, database, LAMBDAMOO)]:
        textdump.tasks.remove(each.task)
        repair.lost.append(f"{task_title(each.task)}: {each.reason}")
        repair.counts["task"] += 1
    return repair


def _plain_bytes(data: bytes, say: Say) -> bytes:
    """Return the bytes of a file without those that cannot be in one."""
    if data.count(b"\r\n") * 2 > data.count(b"\n"):
        say("the lines ended in CR LF, as on Windows: now in LF")
        data = data.replace(b"\r\n", b"\n")
    zeros = data.count(b"\0")
    if zeros:
        line = 1 + data.count(b"\n", 0, data.find(b"\0"))
        say(
            f"{counted(zeros, 'NUL byte')}, which no string can hold, the first on "
            f"line {line}: left out"
        )
        data = data.replace(b"\0", b"")
    return data


def _read(data: bytes, name: str, loader: ProgramLoader, mended: list[str]) -> Repair:
    """Read a file as the C server does, or else what can be read of it."""
    problems: list[str] = []

    def note(text: str, is_error: bool) -> None:
        if is_error:
            problems.append(text)

    try:
        textdump = load(BytesIO(data), name=name, log=note, checker=loader)
    except UnreadableFormatError:
        raise
    except TextdumpError as error:
        saved = salvage(data, name, loader)
        return Repair(
            saved.textdump,
            [*mended, *saved.mended],
            saved.lost,
            _one_line(error),
            saved.counts,
            saved.lost_programs,
        )
    for remark in textdump.remarks:
        text = remark.removeprefix(f"{name}:").replace("\n", "\\n")
        mended.append(f"line {text}" if text[:1].isdigit() else text.strip())
    mended += (
        problem.removeprefix("VALIDATE: ")
        for problem in problems
        if not any(problem in remark for remark in textdump.remarks)
    )
    return Repair(textdump, mended)


def _refusal(data: bytes, name: str, loader: ProgramLoader) -> str | None:
    """Return why a file cannot be read; None if it can be, its programs apart."""
    for checker in (None, loader):
        try:
            load(BytesIO(data), name=name, checker=checker)
        except UnreadableFormatError as error:
            # Programs of old formats are not read without a checker.
            if checker is None and 0 < error.version < FORMAT_VERSION:
                continue
            return _one_line(error)
        except TextdumpError as error:
            return _one_line(error)
        else:
            return None
    return None


def _one_line(error: TextdumpError) -> str:
    return error.problem.replace("\n", " ")


# --- programs -----------------------------------------------------------------


def _mend_programs(records: list[Object], loader: ProgramLoader, say: Say) -> None:
    for record in records:
        for place, verbdef in enumerate(record.verbs, 1):
            if verbdef.code is None:
                continue
            try:
                verbdef.code = _canonical(verbdef, loader)
            except MooSyntaxError as error:
                [problem, *_] = error.errors
                say(
                    f"object {record.id}: verb {place} ({verbdef.names}) does not "
                    f"parse ({problem}): its lines are kept as strings, and it raises "
                    "E_VERBNF"
                )
                verbdef.code = _kept_as_strings(verbdef.code, problem)


def _canonical(verbdef: Verbdef, loader: ProgramLoader) -> str:
    """Return a program as the C server writes it, and reads it without a word.

    Raises: MooSyntaxError.
    """
    assert verbdef.code is not None
    text = loader.check_program(verbdef.code, verbdef.version, lambda line: None)
    # Not every text that it writes can be read: a float may have become too large.
    loader.check_program(text, verbdef.version, lambda line: None)
    return text


def _kept_as_strings(code: str, problem: str) -> str:
    """Return a program that does nothing but keep the lines of another."""
    lines = [
        f"This program was damaged ({problem}); its lines were:",
        *code.split("\n"),
    ]
    if not lines[-1]:
        lines.pop()
    kept = "".join(f"{literal(line)};\n" for line in lines)
    return f"{kept}raise(E_VERBNF);\n"
