"""``pymoo db diff``: what has changed between two database files.

What differs is found by `dev.world_diff`; here it is shown, as a text in the manner
of ``git diff``, as a summary, or as JSON.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from attrs import asdict

from pymoo.db.textdump import Textdump
from pymoo.dev.doctor import show
from pymoo.dev.world_diff import (
    ADDED,
    CHANGED,
    REMOVED,
    Change,
    Listing,
    ObjectChange,
    PartChange,
    TaskChange,
    object_changes,
    rest_changes,
    task_changes,
)
from pymoo.exits import FINDINGS, FINE
from pymoo.lang.dialect import LAMBDAMOO
from pymoo.lang.parser import parse_program
from pymoo.lang.program import Program
from pymoo.server.database import open_database
from pymoo.wording import counted

_KINDS: Final = {ADDED: "created", REMOVED: "recycled", CHANGED: "changed"}
_SIGNS: Final = {ADDED: "+", REMOVED: "-", CHANGED: " "}


def diff_databases(
    old_path: str, new_path: str, *, as_json: bool = False, stat: bool = False
) -> int:
    """Print what has changed from one file to the other; returns 0 if nothing, else 1.

    Raises: PymooError if one of them cannot be read.
    """
    old_database = open_database(old_path, LAMBDAMOO, check=False)
    new_database = open_database(new_path, LAMBDAMOO, check=False)
    functions = new_database.builtins.proper_names

    def parse(text: str, version: int) -> Program:
        return parse_program(
            text, functions=functions, version=version, warn=lambda line: None
        )

    old, new = old_database.textdump, new_database.textdump
    listing = Listing(parse)
    if as_json:
        report = _report(old_path, new_path, old, new, listing)
        show([json.dumps(report, indent=1)])
        return FINE if report["same"] else FINDINGS
    lines = (
        _stat(old, new, listing)
        if stat
        else _text(old_path, new_path, old, new, listing)
    )
    first = next(lines, None)
    if first is None:
        return FINE
    show([first])
    show(lines)
    return FINDINGS


def _report(
    old_path: str, new_path: str, old: Textdump, new: Textdump, listing: Listing
) -> dict[str, Any]:
    objects = [
        {**asdict(each), "objid": str(each.objid)}
        for each in object_changes(old, new, listing)
    ]
    tasks = [asdict(each) for each in task_changes(old, new)]
    rest = [asdict(each) for each in rest_changes(old, new)]
    return {
        "old": old_path,
        "new": new_path,
        "same": not objects and not tasks and not rest,
        "database": rest,
        "objects": objects,
        "tasks": tasks,
    }


# --- text ---------------------------------------------------------------------


def _text(
    old_path: str, new_path: str, old: Textdump, new: Textdump, listing: Listing
) -> Iterator[str]:
    is_first = True
    for part in _parts(old, new, listing):
        if is_first:
            yield f"--- {old_path}"
            yield f"+++ {new_path}"
            is_first = False
        yield from part


def _parts(old: Textdump, new: Textdump, listing: Listing) -> Iterator[list[str]]:
    rest = rest_changes(old, new)
    if rest:
        yield ["database", *_change_lines(rest, "")]
    for each in object_changes(old, new, listing):
        yield [*_object_lines(each)]
    for task in task_changes(old, new):
        kind = "" if task.kind == CHANGED else f" {task.kind}"
        yield [f"{task.title}{kind}", *_change_lines(task.changes, "")]


def _object_lines(change: ObjectChange) -> Iterator[str]:
    kind = "" if change.kind == CHANGED else f" {_KINDS[change.kind]}"
    yield f"object {change.objid} ({change.name}){kind}"
    yield from _change_lines(change.changes, "")
    for verb in change.verbs:
        yield from _verb_lines(verb)
    for each in change.properties:
        if each.kind == CHANGED:
            yield from _change_lines(each.changes, f"property {each.title}: ")
        else:
            [value] = each.changes
            text = value.new if value.old is None else value.old
            yield f"{_SIGNS[each.kind]}property {each.title} = {text}"


def _change_lines(changes: tuple[Change, ...], before: str) -> Iterator[str]:
    for each in changes:
        if each.old is not None:
            yield f"-{before}{each.what} {each.old}"
        if each.new is not None:
            yield f"+{before}{each.what} {each.new}"


def _verb_lines(verb: PartChange) -> Iterator[str]:
    if verb.kind == CHANGED:
        yield f" verb {verb.title}"
        for each in verb.changes:
            yield f"-  {each.what} {each.old}"
            yield f"+  {each.what} {each.new}"
        yield from verb.code
        return
    sign = _SIGNS[verb.kind]
    fields = {each.what: each.old or each.new for each in verb.changes}
    unprogrammed = " unprogrammed" if fields["program"] == "none" else ""
    yield (
        f"{sign}verb {verb.title} {fields['args']} {fields['perms']} "
        f"{fields['owner']}{unprogrammed}"
    )
    for line in verb.code:
        yield f"{sign}  {line}"


# --- summary ------------------------------------------------------------------


def _stat(old: Textdump, new: Textdump, listing: Listing) -> Iterator[str]:
    objects: Counter[str] = Counter()
    verbs: Counter[str] = Counter()
    properties: Counter[str] = Counter()
    tasks: Counter[str] = Counter()
    for change in rest_changes(old, new):
        yield f" {change.what}"
    for each in object_changes(old, new, listing):
        objects[each.kind] += 1
        verbs.update(verb.kind for verb in each.verbs)
        properties.update(prop.kind for prop in each.properties)
        yield f" {each.objid} ({each.name}) {_KINDS[each.kind]}: {_summary(each)}"
    for task in task_changes(old, new):
        tasks[task.kind] += 1
        yield f" {_task_summary(task)}"
    told = [
        f"{thing}: {', '.join(f'{count[kind]:,} {word}' for kind, word in words)}"
        for thing, count, words in (
            ("objects", objects, tuple(_KINDS.items())),
            ("verbs", verbs, _SAME_WORDS),
            ("properties", properties, _SAME_WORDS),
            ("tasks", tasks, _SAME_WORDS),
        )
        if count
    ]
    if told:
        yield "; ".join(told)


_SAME_WORDS: Final = ((ADDED, ADDED), (REMOVED, REMOVED), (CHANGED, CHANGED))


def _summary(change: ObjectChange) -> str:
    texts = []
    if change.kind == CHANGED:
        texts += [each.what for each in change.changes]
    for thing, parts in (
        ("verb", change.verbs),
        ("property", change.properties),
    ):
        for kind in (ADDED, REMOVED, CHANGED):
            count = sum(part.kind == kind for part in parts)
            if count:
                plural = "properties" if thing == "property" else f"{thing}s"
                word = counted(count, thing) if count == 1 else f"{count:,} {plural}"
                texts.append(f"{word} {kind}" if change.kind == CHANGED else word)
    return ", ".join(texts) or "nothing in it"


def _task_summary(task: TaskChange) -> str:
    if task.kind != CHANGED:
        return f"{task.title} {task.kind}"
    return f"{task.title} changed: {', '.join(each.what for each in task.changes)}"
