"""Runs targets, counts what was tried, and tells what was found.

A target makes inputs with hypothesis, and its check raises for a finding: an
AssertionError where what came out is wrong, anything else where it should not have
come out at all.  A finding is made as small as hypothesis can, and told once.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from attrs import define, field, frozen
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

Check = Callable[[Any], None]

BATCH: Final = 200
"""How many inputs are made between two looks at the clock."""


@frozen
class Target:
    """Something that reads input."""

    name: str
    inputs: st.SearchStrategy[Any]
    open: Callable[[], AbstractContextManager[Check]]
    """Gets ready what is asked; leads to the check of one input."""


def plain(check: Check) -> Callable[[], AbstractContextManager[Check]]:
    """Return `Target.open` for a check that nothing need be got ready for."""

    @contextmanager
    def opened() -> Iterator[Check]:
        yield check

    return opened


@define
class Report:
    """What became of a target."""

    name: str
    runs: int = 0
    inputs: int = 0
    seconds: float = 0.0
    # The text of each, by where it came out.
    findings: dict[str, str] = field(factory=dict)


def run(target: Target, *, seconds: float, first_seed: int = 0) -> Report:
    """Try inputs for some time, other ones for another ``first_seed``."""
    report = Report(target.name)
    began = time.monotonic()
    while (spent := time.monotonic() - began) < seconds or not report.runs:
        report.runs += 1
        # What was left in disorder by a finding is opened anew.
        with target.open() as check:
            _batch(target, check, report, first_seed + report.runs)
    report.seconds = spent
    return report


def sample(target: Target, inputs: int) -> int:
    """Try a few inputs, the same each time; return how many.

    Raises: whatever the check of a finding does.
    """
    report = Report(target.name)
    with target.open() as check:
        _trial(target, check, report, 0, inputs)()
    return report.inputs


def _trial(
    target: Target, check: Check, report: Report, number: int, inputs: int
) -> Callable[[], None]:
    def counted(data: Any) -> None:
        report.inputs += 1
        check(data)

    trial: Callable[[], None] = settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )(seed(number)(given(data=target.inputs)(counted)))
    return trial


def _batch(target: Target, check: Check, report: Report, number: int) -> None:
    try:
        _trial(target, check, report, number, BATCH)()
    except Exception as error:  # noqa: BLE001  (whatever it is, it is a finding)
        text = "".join(traceback.format_exception(error))
        report.findings.setdefault(_place(error), f"seed {number}\n{text}")


def _place(error: BaseException) -> str:
    """Return what tells a finding from others: its type, and the last line in pymoo."""
    place = "?"
    for frame in traceback.extract_tb(error.__traceback__):
        if "/pymoo/" in frame.filename or "/fuzz/" in frame.filename:
            place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    return f"{type(error).__name__} at {place}"


def table(reports: list[Report]) -> str:
    """Return what was tried and found, as people read it."""
    rows = [("target", "runs", "inputs", "per second", "findings")]
    for report in reports:
        rate = report.inputs / report.seconds if report.seconds else 0.0
        rows.append(
            (
                report.name,
                f"{report.runs:,}",
                f"{report.inputs:,}",
                f"{rate:,.0f}",
                str(len(report.findings)),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *figures in rows:
        cells = [
            text.rjust(width) for text, width in zip(figures, widths[1:], strict=True)
        ]
        lines.append("  ".join([name.ljust(widths[0]), *cells]))
    return "\n".join(lines)
