"""Reads groups of recorded programs, one JSON object per line, and runs them.

The files lie beside ``harness.db``, the database that all programs ran in; the
README there describes the fields.  What they hold is compared to the letter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import define, field

from pymoo.conform.cases import (
    Answer,
    Case,
    CaseError,
    Comparison,
    Job,
    Result,
    compare,
)
from pymoo.conform.programs import Program, run_programs
from pymoo.conform.workbench import Workbench

DATABASE: Final = "harness.db"
_TOGETHER: Final = 400
"""How many quick programs a job holds."""
_ALONE: Final = 6
"""How many programs that take time a job holds."""


@define(eq=False)
class OracleSuite:
    """The programs of one or more groups in one folder."""

    name: str
    folder: Path
    cases: list[Program]
    answered_by: str = "LambdaMOO 1.8.3"
    _database: bytes = field(default=b"", init=False)

    def jobs(self, cases: Sequence[Case]) -> list[Job]:
        """Return jobs, those that wait for real delays first and in small parts."""
        slow = [c for c in cases if isinstance(c, Program) and c.takes_time]
        quick = [c for c in cases if isinstance(c, Program) and not c.takes_time]
        return [
            Job(self, tuple(part[i : i + size]))
            for part, size in ((slow, _ALONE), (quick, _TOGETHER))
            for i in range(0, len(part), size)
        ]

    def run(self, job: Job, bench: Workbench) -> Iterator[Result]:
        programs = [case for case in job.cases if isinstance(case, Program)]
        for program, answer, seconds in run_programs(programs, self._world(), bench):
            comparison = Comparison()
            assert program.expected is not None
            compare(program.expected, answer, comparison)
            yield Result(
                program,
                tuple(comparison.checked),
                tuple(comparison.differences),
                seconds=seconds,
                answer=answer,
            )

    def _world(self) -> bytes:
        if not self._database:
            path = self.folder / DATABASE
            try:
                self._database = path.read_bytes()
            except OSError as error:
                raise CaseError(
                    f"{path}: {error.strerror}: the recorded programs need the "
                    "database they ran in, beside them"
                ) from error
        return self._database


def read_oracle(path: Path) -> OracleSuite:
    """Return the programs of one file, or of all groups in a folder.

    Raises: CaseError.
    """
    files = [path] if path.is_file() else sorted(path.glob("*.jsonl"))
    programs = []
    for file in files:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip() and not line.startswith("//"):
                    programs.append(_program(line, file, number))
    return OracleSuite(str(path), files[0].parent, programs)


def _program(line: str, path: Path, number: int) -> Program:
    try:
        row: dict[str, Any] = json.loads(line)
        mode = row.get("mode", "x")
        key: str = row["id"]
        if mode not in ("x", "u", "w", "t") or not re.fullmatch(r"\S+", key):
            raise ValueError(f"mode {mode!r} of {key!r}")
        return Program(
            row["group"],
            key,
            key=key,
            code=row["code"],
            setup=row.get("setup", ""),
            after=row.get("post", ""),
            is_unguarded=mode in ("u", "w"),
            takes_time=mode in ("t", "w"),
            tags=tuple(row.get("tags", ())),
            expected=Answer(
                row["status"],
                row["value"],
                row.get("traceback"),
                tuple(row.get("output", ())),
                row.get("ticks"),
                row.get("post_value"),
            ),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CaseError(f"{path}:{number}: not a recorded program: {error}") from error
