"""The project's own format: YAML files of cases, grouped by topic.

``conformance/README.md`` describes it for whoever writes cases or another runner.
Every scalar is text: ``value: -2`` is the literal ``-2``.

This module knows the words of the format and nothing of servers: `scripts` and
`programs` run what it reads, and `record` writes answers back through it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from attrs import define, field

from pymoo.conform.cases import Answer, Case, CaseError
from pymoo.conform.literals import join_list, parse_string, split_list
from pymoo.conform.programs import Program
from pymoo.values import ERROR_CODES, string_literal

TOPIC_KEYS: Final = frozenset({"topic", "about", "answered by", "cases"})
ANSWER_KEYS: Final = (
    "value",
    "error",
    "message",
    "raised value",
    "does not compile",
    "aborts",
    "traceback",
    "after value",
    "output",
    "bytes",
    "closed",
    "ticks",
)
"""Keys that hold what a server answered, in the order in which they are written."""

CASE_KEYS: Final = (
    "name",
    "about",
    "tags",
    "as",
    "unguarded",
    "takes time",
    "setup",
    "code",
    "after",
    "steps",
)
ACTIONS: Final = (
    "code",
    "command",
    "connect",
    "send",
    "send bytes",
    "read",
    "close",
    "wait",
    "restart",
)
STEP_KEYS: Final = (*ACTIONS, "as", "unguarded", "takes time", "quiet")
PLAYERS: Final = ("wizard", "programmer", "visitor")

_MESSAGES: Final = {code.name: code.message for code in ERROR_CODES}
_EVAL_FRAME: Final = re.compile(r'\{#-1, "eval", #-1, #-1, #-?\d+, 2\}')
_OUR_VERB: Final = re.compile(r'\{#2, "go", ')
_EVAL_LINE: Final = "... called from built-in function eval()"
_OUR_LINE: Final = re.compile(r"\.\.\. called from #2:[un]\b.*, line \d+")


class Row(dict[str, Any]):
    """A mapping of a file, and the line where it begins."""

    line: int = 0


@define(eq=False)
class OwnProgram(Program):
    """A case that is one program."""

    row: Row = field(factory=Row, kw_only=True)


@define(eq=False)
class Script(Case):
    """A case of several steps, on one or more connections."""

    row: Row
    steps: tuple[Row, ...]
    tags: tuple[str, ...] = ()


@define(eq=False)
class Topic:
    """One file of cases."""

    path: Path
    row: Row
    cases: list[OwnProgram | Script] = field(factory=list)

    @property
    def answered_by(self) -> str:
        """The server whose answers these are; "" if there are none."""
        return str(self.row.get("answered by", ""))


def read_topic(path: Path, group: str) -> Topic:
    """Return the cases of one file.

    Raises: CaseError.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"{path}: {error}") from error
    try:
        row = yaml.load(text, Loader=_loader())
    except yaml.YAMLError as error:
        raise CaseError(f"{path}: not YAML: {error}") from error
    if not isinstance(row, Row) or "topic" not in row or "cases" not in row:
        raise CaseError(f"{path}:1: expected a mapping with topic and cases")
    _check_keys(row, TOPIC_KEYS, path)
    topic = Topic(path, row)
    names: set[str] = set()
    rows = row["cases"] if isinstance(row["cases"], list) else []
    for number, each in enumerate(rows):
        if not isinstance(each, Row) or not isinstance(each.get("name"), str):
            raise CaseError(f"{path}: case {number + 1}: expected a mapping with name")
        name = each["name"]
        if name in names:
            raise CaseError(f"{path}:{each.line}: there is a case {name!r} already")
        names.add(name)
        _check_keys(each, frozenset((*CASE_KEYS, *ANSWER_KEYS)), path)
        if ("code" in each) == ("steps" in each):
            raise CaseError(f"{path}:{each.line}: expected either code or steps")
        key = f"{group}/{number}".replace(" ", "_")
        topic.cases.append(
            _script(each, group, path)
            if "steps" in each
            else _program(each, group, key, path)
        )
    return topic


@functools.cache
def _loader() -> Any:
    """Return a loader that leaves scalars as text and remembers lines."""
    base: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

    class Loader(base):  # type: ignore[misc]
        pass

    def make_row(loader: Any, node: Any) -> Iterator[Row]:
        row = Row()
        row.line = node.start_mark.line + 1
        yield row
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            if key in row:
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f"the key {key!r} stands here twice",
                    key_node.start_mark,
                )
            row[key] = loader.construct_object(value_node, deep=True)

    Loader.add_constructor("tag:yaml.org,2002:map", make_row)
    return Loader


def _check_keys(row: Row, known: frozenset[str], path: Path) -> None:
    for key in row:
        if key not in known:
            raise CaseError(
                f"{path}:{row.line}: there is no key {key!r}: "
                f"known are {', '.join(sorted(known))}"
            )


def _program(row: Row, group: str, key: str, path: Path) -> OwnProgram:
    player = row.get("as", "wizard")
    if player not in PLAYERS:
        raise CaseError(
            f"{path}:{row.line}: as {player!r}: expected one of {', '.join(PLAYERS)}"
        )
    return OwnProgram(
        group,
        row["name"],
        key=key,
        code=one_line(row["code"]),
        setup=one_line(row.get("setup", "")),
        after=one_line(row.get("after", "")),
        player=player,
        is_unguarded=is_yes(row, "unguarded"),
        takes_time=is_yes(row, "takes time"),
        tags=tuple(row.get("tags", ())),
        expected=answer_of(row, path),
        row=row,
    )


def _script(row: Row, group: str, path: Path) -> Script:
    steps = row["steps"]
    if not isinstance(steps, list) or not all(isinstance(step, Row) for step in steps):
        raise CaseError(f"{path}:{row.line}: steps: expected a list of mappings")
    for step in steps:
        _check_keys(step, frozenset((*STEP_KEYS, *ANSWER_KEYS)), path)
        if len([action for action in ACTIONS if action in step]) != 1:
            raise CaseError(
                f"{path}:{step.line}: expected one of {', '.join(ACTIONS)} in a step"
            )
        answer_of(step, path)
    return Script(group, row["name"], row, tuple(steps), tuple(row.get("tags", ())))


def is_yes(row: Mapping[str, Any], key: str) -> bool:
    """Whether a key says ``yes``."""
    return row.get(key) == "yes"


def one_line(code: str) -> str:
    """Return a program as it is sent: its lines joined by blanks.

    Compile errors therefore speak of line 1 and 2 only; a case about their lines
    programs a verb.
    """
    return " ".join(line.strip() for line in code.splitlines() if line.strip())


# --- answers ----------------------------------------------------------------------


def answer_of(row: Row, path: Path) -> Answer | None:
    """Return the answer that is recorded in a case or step; None if there is none.

    Raises: CaseError.
    """
    if "value" in row:
        status, value = "ok", row["value"]
    elif "error" in row:
        code = row["error"]
        message = row.get("message", _MESSAGES.get(code))
        if message is None:
            raise CaseError(f"{path}:{row.line}: error {code} needs a message")
        triple = [code, string_literal(message), row.get("raised value", "0")]
        status, value = "raise", join_list(triple)
    elif "does not compile" in row:
        messages = lines_of(row, "does not compile", path)
        status, value = "compile", join_list([*map(string_literal, messages)])
    elif is_yes(row, "aborts"):
        status, value = "abort", None
    else:
        return None
    return Answer(
        status,
        value,
        row.get("traceback"),
        lines_of(row, "output", path),
        _number(row, "ticks", path),
        row.get("after value"),
    )


def lines_of(row: Row, key: str, path: Path) -> tuple[str, ...]:
    """Return a list of lines of text; a single one may stand alone.

    Raises: CaseError.
    """
    lines = row.get(key, ())
    if isinstance(lines, str):
        return (lines,)
    if not all(isinstance(line, str) for line in lines):
        raise CaseError(f"{path}:{row.line}: {key}: expected lines of text")
    return tuple(lines)


def _number(row: Row, key: str, path: Path) -> int | None:
    if key not in row:
        return None
    try:
        return int(row[key])
    except (ValueError, TypeError) as error:
        raise CaseError(f"{path}:{row.line}: {key}: expected a number") from error


def without_our_frames(answer: Answer) -> Answer:
    """Return an answer without what the verbs of our own database add to it.

    Below each program there are eval() and the verb that called it; no case should
    depend on them.
    """
    traceback = answer.traceback
    if traceback is not None:
        frames = split_list(traceback)
        if frames and _OUR_VERB.match(frames[-1]):
            frames.pop()
            if frames and _EVAL_FRAME.fullmatch(frames[-1]):
                frames.pop()
        traceback = join_list(frames)
    lines: list[str] = []
    for line in answer.output:
        if _OUR_LINE.fullmatch(line) and lines and lines[-1] == _EVAL_LINE:
            lines.pop()
        else:
            lines.append(line)
    return Answer(
        answer.status, answer.value, traceback, tuple(lines), answer.ticks, answer.after
    )


def answer_row(answer: Answer) -> dict[str, Any]:
    """Return the keys that record an answer: the reverse of `answer_of`."""
    row: dict[str, Any] = {}
    match answer.status:
        case "ok":
            row["value"] = answer.value
        case "raise":
            assert answer.value is not None
            code, message, value = split_list(answer.value)
            text = parse_string(message)
            row["error"] = code
            if _MESSAGES.get(code) != text:
                row["message"] = text
            if value != "0":
                row["raised value"] = value
        case "compile":
            assert answer.value is not None
            row["does not compile"] = [*map(parse_string, split_list(answer.value))]
        case "abort":
            row["aborts"] = "yes"
        case _:
            raise CaseError("the server was lost: there is nothing to record")
    if answer.traceback is not None:
        row["traceback"] = answer.traceback
    if answer.after is not None:
        row["after value"] = answer.after
    if answer.output:
        row["output"] = list(answer.output)
    if answer.ticks is not None and answer.status != "compile":
        row["ticks"] = str(answer.ticks)
    return row


# --- writing ----------------------------------------------------------------------


def topic_text(row: Mapping[str, Any]) -> str:
    """Return the text of a file of cases."""
    lines: list[str] = []
    for key in ("topic", "about", "answered by"):
        if key in row:
            lines += _entry(key, row[key], "")
    lines.append("cases:")
    for case in row["cases"]:
        lines += _mapping(case, (*CASE_KEYS, *ANSWER_KEYS), "  ")
    return "\n".join(lines) + "\n"


def _mapping(row: Mapping[str, Any], order: tuple[str, ...], indent: str) -> list[str]:
    """Return the lines of one case or step, an element of a list."""
    lines: list[str] = []
    for key in order:
        if key not in row:
            continue
        if key == "steps":
            lines.append(f"{indent}  steps:")
            for step in row[key]:
                lines += _mapping(step, (*STEP_KEYS, *ANSWER_KEYS), f"{indent}    ")
        else:
            lines += _entry(key, row[key], f"{indent}  ")
    lines[0] = f"{indent}- {lines[0].lstrip()}"
    return lines


def _entry(key: str, value: Any, indent: str) -> list[str]:
    if isinstance(value, (list, tuple)):
        if not value:
            return [f"{indent}{key}: []"]
        items = [f"{indent}  - {_scalar(item)}" for item in value]
        return [f"{indent}{key}:", *items]
    if "\n" in value.rstrip("\n"):
        block = [
            f"{indent}  {line}".rstrip() for line in value.rstrip("\n").split("\n")
        ]
        return [f"{indent}{key}: |", *block]
    return [f"{indent}{key}: {_scalar(value)}"]


# What YAML takes for text without quotes: it does not begin like something else,
# and has no comment and no key in it.
_PLAIN: Final = re.compile(
    r"(?:[A-Za-z0-9_$(/.<=;+^\\]|-(?=[0-9(#$A-Za-z]))"
    r"(?:[^\n\t:#]|:(?! |$)|(?<! )#)*(?<! )"
)
_NOT_PRINTABLE: Final = re.compile(r"[^\x20-\x7e]")


def _scalar(text: str) -> str:
    """Return text as a YAML scalar on one line."""
    if _PLAIN.fullmatch(text) and not _NOT_PRINTABLE.search(text):
        return text
    if not _NOT_PRINTABLE.search(text):
        return "'" + text.replace("'", "''") + "'"
    dumped: str = yaml.dump(
        text, Dumper=yaml.SafeDumper, default_style='"', width=10**9
    )
    return dumped.rstrip("\n")
