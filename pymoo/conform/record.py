"""Writes what a server answered into the project's own cases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pymoo.conform.cases import Answer, Result
from pymoo.conform.own import (
    ANSWER_KEYS,
    OwnProgram,
    Row,
    Script,
    answer_row,
    topic_text,
)
from pymoo.conform.own_suite import OwnSuite, is_recordable
from pymoo.conform.scripts import StepAnswer, step_answer


def record(suite: OwnSuite, results: Iterable[Result], server: str) -> int:
    """Replace the answers of the cases that were run; return how many were written.

    ``server`` is named in each file that changes.  Cases that were skipped, or at
    which the server was lost, stay as they are.
    """
    answers = {id(r.case): r.answer for r in results if is_recordable(r.answer)}
    count = 0
    for topic in suite.topics:
        changed = False
        for case in topic.cases:
            if id(case) not in answers:
                continue
            answer = answers[id(case)]
            if isinstance(case, OwnProgram):
                assert isinstance(answer, Answer)
                _replace(case.row, answer_row(answer))
            elif isinstance(case, Script):
                assert isinstance(answer, list)
                for step, found in zip(case.steps, answer, strict=True):
                    _replace(step, _step_row(step, found))
            count += 1
            changed = True
        if changed:
            topic.row["answered by"] = server
            topic.path.write_text(topic_text(topic.row), "utf-8")
    return count


def _replace(row: Row, answer: dict[str, Any]) -> None:
    for key in ANSWER_KEYS:
        row.pop(key, None)
    row.update(answer)


def _step_row(step: Row, found: StepAnswer) -> dict[str, Any]:
    row: dict[str, Any] = {}
    answer = step_answer(found)
    if answer is not None:
        row = answer_row(answer)
    elif found.output:
        row["output"] = list(found.output)
    if "bytes" in step:
        row["bytes"] = found.received.hex(" ")
        # The bytes say all that the lines would.
        row.pop("output", None)
    if found.was_closed:
        row["closed"] = "yes"
    return row
