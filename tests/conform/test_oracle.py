"""The recorded groups, through the same runner."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pymoo.conform.cases import CaseError
from pymoo.conform.inprocess import InProcessLauncher
from pymoo.conform.oracle import read_oracle
from pymoo.conform.report import Report
from pymoo.conform.run import chosen, read_suites, run
from tests.shared_material import SHARED, needs_shared

GROUPS = ("abort", "builtins", "expr", "objects", "parse", "stmt", "tasks")


@pytest.fixture(scope="module")
def report() -> Report:
    suites = read_suites([SHARED / "oracle"])
    return run(chosen(suites), InProcessLauncher("lambdamoo"))


@needs_shared
@pytest.mark.parametrize("group", GROUPS)
def test_every_recorded_program_is_answered_as_recorded(
    report: Report, group: str
) -> None:
    failures = [r for r in report.failures if r.case.group == group]
    assert not failures, "\n".join(map(report.failure_text, failures))
    assert report.groups()[group].passed.of > 100


@needs_shared
def test_no_part_of_a_recording_is_passed_over(report: Report) -> None:
    rows = [
        json.loads(line)
        for group in GROUPS
        for line in (SHARED / "oracle" / f"{group}.jsonl").read_text().splitlines()
    ]
    total = report.total().parts
    assert total["ticks"].of == sum(row["ticks"] is not None for row in rows)
    assert total["error"].of == sum(row["status"] == "raise" for row in rows)
    assert total["traceback"].of == sum("traceback" in row for row in rows)
    assert total["value"].of + total["error"].of == len(rows) == len(report.results)


@needs_shared
def test_a_wrong_recording_is_noticed_in_the_part_that_is_wrong(
    tmp_path: Path,
) -> None:
    (tmp_path / "harness.db").write_bytes((SHARED / "oracle/harness.db").read_bytes())
    base = {"group": "g", "status": "ok", "value": "3", "ticks": 1, "output": []}
    rows = [
        {**base, "id": "right", "code": "return 1 + 2;"},
        {**base, "id": "value", "code": "return 1 + 3;"},
        {**base, "id": "ticks", "code": "x = 1 + 2; return x;"},
        {**base, "id": "output", "code": 'notify(player, "x"); return 3;', "ticks": 2},
        {**base, "id": "error", "code": "return 1 / 0;", "status": "raise",
         "value": '{E_TYPE, "Type mismatch", 0}', "traceback": "{}"},
    ]  # fmt: skip
    path = tmp_path / "g.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = run(chosen(read_suites([path])), InProcessLauncher("lambdamoo"))
    wrong = {r.case.name: [d.part for d in r.differences] for r in found.results}
    assert wrong == {
        "right": [],
        "value": ["value"],
        "ticks": ["ticks"],
        "output": ["output"],
        "error": ["error", "traceback"],
    }


def test_a_line_that_is_no_recording_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "g.jsonl"
    path.write_text('{"id": "a b", "group": "g", "code": "", "status": "ok"}\n')
    with pytest.raises(CaseError, match=r"g\.jsonl:1: not a recorded program"):
        read_oracle(path)


def test_the_database_must_lie_beside_the_recordings(tmp_path: Path) -> None:
    path = tmp_path / "g.jsonl"
    row = {"id": "a", "group": "g", "code": "", "status": "ok", "value": "0"}
    path.write_text(json.dumps(row))
    with pytest.raises(CaseError, match=r"harness\.db: No such file"):
        run(chosen(read_suites([path])), InProcessLauncher("lambdamoo"))
