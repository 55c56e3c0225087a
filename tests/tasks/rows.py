"""What the tests of the rows share: recorded programs, and worlds to run them in.

`RECORDED` holds, by row, programs with the lines that LambdaMOO 1.8.3 sent to #3, who
typed each of them as a command that does nothing but eval() it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest
from attrs import frozen

from pymoo.lang.dialect import DIALECTS
from tests.fakes import Bench
from tests.server.online import Online

LONG = 6
"""Seconds in which each recorded program has come to its end."""


@frozen
class Recorded:
    """A program, and what it sent."""

    what: str
    code: str
    lines: list[str]


def _read() -> dict[str, list[Recorded]]:
    path = Path(__file__).parents[1] / "data" / "task_rows.jsonl"
    rows = defaultdict(list)
    for line in path.read_text(encoding="ascii").splitlines():
        given = json.loads(line)
        rows[given["row"]].append(
            Recorded(given["what"], given["code"], given["lines"])
        )
    return dict(rows)


RECORDED = _read()

dialects = pytest.mark.parametrize("dialect_name", DIALECTS)

# What the dialect `pymoo` answers where it is meant to differ, by row and what it is
# about.  It has twice the ticks, fractions of seconds, ToastStunt's arguments; and
# limits that are too small count as not there.
OTHERWISE = {
    ("M-05", "a fraction of a second"): [],
    ("M-08", "a fraction of a second"): [],
    ("M-17", "a forked task"): ["29998"],
    ("M-17", "a suspended task"): ["29998"],
    ("M-17", "a task that has read"): ["29998"],
    ("M-20", "no arguments"): ["{}"],
    ("L-02", "only integers"): ["{4999, 29999, 29999, 10, 3}"],
    ("L-03", "what is too small"): ["{29999, 29999, 29999, 100, 3}"],
    ("L-18", "no comments"): ["1"],
}


def check_recorded(row: str, folder: Path) -> None:
    """Put the programs of a row to servers of both dialects."""
    assert RECORDED[row]
    for name in DIALECTS:
        for case in RECORDED[row]:
            lines = case.lines
            if name != "lambdamoo":
                lines = OTHERWISE.get((row, case.what), lines)
            assert sent(online(folder, name), case.code) == lines, (name, case)


def online(folder: Path, dialect_name: str = "pymoo") -> Online:
    """Return a server of its own in ``folder``, with a command ``run CODE``."""
    world = Online(folder, dialect=DIALECTS[dialect_name])
    world.do(
        'add_verb(#1, {#3, "rxd", "run"}, {"any", "any", "any"});'
        ' set_verb_code(#1, "run", {"eval(argstr);"});'
    )
    return world


def sent(world: Online, code: str) -> list[str]:
    """Return what a program sends to #3 until it is done."""
    world.type(world.wizard, f"run {code}")
    world.process.advance(LONG)
    return world.wizard.take_lines()


def bench(dialect_name: str = "pymoo") -> Bench:
    """Return a small world without connections."""
    return Bench(dialect_name=dialect_name)
