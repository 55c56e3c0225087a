"""The command line of ``pymoo bench``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner, Result

from pymoo.bench import command
from pymoo.bench.cases import Tier
from pymoo.bench.catalogue import PLAYERS, all_cases
from pymoo.bench.command import bench
from pymoo.bench.report import Report
from pymoo.lang.dialect import DIALECTS
from tests.db.worlds import DATA

MINIMAL = str(DATA / "Minimal.db")


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(bench, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A report, and what was printed when it was made."""
    path = tmp_path_factory.mktemp("bench") / "old.json"
    done = run("loops/while", "calls/fib", "--tier", "both", "--rounds", 2,
               "--db", MINIMAL, "--json", path)  # fmt: skip
    assert done.exit_code == 0, done.output
    return path, done.output


def test_a_table_is_printed(made: tuple[Path, str]) -> None:
    lines = made[1].splitlines()
    assert lines[0].startswith("pymoo ")
    assert lines[1].startswith("Minimal.db, dialect pymoo;")
    assert [line.split()[0] for line in lines[2:] if line] == [
        "loops",
        "while",
        "calls",
        "fib",
    ]


def test_the_report_has_all_samples(made: tuple[Path, str]) -> None:
    report = Report.read(made[0])
    assert report.conditions.database == "Minimal.db"
    assert len(report.conditions.digest) == 16
    assert [(figure.id, figure.tier) for figure in report.figures] == [
        ("loops/while", "walker"),
        ("loops/while", "compiled"),
        ("calls/fib", "walker"),
        ("calls/fib", "compiled"),
    ]
    assert all(len(figure.samples) == 2 for figure in report.figures)


def test_a_report_compares_with_itself(made: tuple[Path, str]) -> None:
    done = run("compare", made[0], made[0], "--threshold", 0)
    assert done.exit_code == 0, done.output
    ratios = [line.split()[-1] for line in done.output.splitlines() if "  " in line]
    assert ratios == ["new/old", *["1.00"] * (4 + 4)]  # groups and cases, by tier


def test_a_regression_ends_with_status_1(
    made: tuple[Path, str], tmp_path: Path
) -> None:
    report = Report.read(made[0])
    first = report.figures[0]
    samples = tuple(sample * 3 for sample in first.samples)
    report.figures[0] = evolve(first, samples=samples)
    slower = tmp_path / "slower.json"
    slower.write_text(report.json(), encoding="utf-8")
    assert run("compare", made[0], slower).exit_code == 0
    done = run("compare", made[0], slower, "--threshold", 50)
    assert done.exit_code == 1
    assert done.output.endswith("costs more than 50 % more: loops/while walker\n")
    assert run("compare", slower, made[0], "--threshold", 50).exit_code == 0


def test_what_cannot_be_measured_is_left_out_by_name() -> None:
    done = run("loops/while", "utilities/sort", "--rounds", 1, "--db", MINIMAL)
    assert done.exit_code == 0, done.output
    assert done.output.endswith(
        "left out, as the database lacks $list_utils and $string_utils: "
        "utilities/sort\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "no case is called 'nonsense'"),
        (["mix", "--db", MINIMAL], "there is nothing to measure, as it lacks the comm"),
        (["--players", "1,x"], "give numbers from 1 to 5000"),
        (["--players", "0"], "give numbers from 1 to 5000"),
        (["--db", "missing.db"], "does not exist"),
        (["loops", "--db", __file__], "test_command.py:1: "),
        (["loops", "--json", "missing/new.json"], "no folder that can be written to"),
        (["compare", "a.json", "b.json"], "a.json: cannot be read"),
        (["compare", __file__, __file__], "is not JSON"),
        (["compare", "a", "b", "--threshold", "nan"], "give a number"),
    ],
)
def test_what_cannot_be_done_ends_with_status_2(
    arguments: list[str], message: str
) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.output


def test_the_cases_are_listed() -> None:
    lines = run("list", "--players", "7").output.splitlines()
    names = [line.split()[0] for line in lines]
    assert names == [case.id for case in all_cases((7,))]
    assert sum(line.endswith("(only by name)") for line in lines) == 2


def test_bench_and_bench_run_are_the_same() -> None:
    assert run("nonsense").output == run("run", "nonsense").output
    for word in ("run", "compare", "list"):
        assert word in run("--help").output


def test_help_loads_nothing_that_is_measured() -> None:
    script = (
        "import sys; from pymoo.cli import cli\n"
        "try: cli.main(['bench', 'run', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted(name for name in sys.modules if name.startswith('pymoo.')))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == (
        "['pymoo.bench', 'pymoo.bench.command', 'pymoo.cli', "
        "'pymoo.errors', 'pymoo.exits', 'pymoo.values']"
    )


def test_the_command_line_knows_players_tiers_and_dialects() -> None:
    """IN STEP: it does not load the modules that decide them."""
    assert ",".join(map(str, PLAYERS)) == command.PLAYERS
    assert tuple(Tier) == command.TIERS
    assert set(command.PROFILES) == set(DIALECTS)


def test_the_json_is_json(made: tuple[Path, str]) -> None:
    assert json.loads(made[0].read_text(encoding="utf-8"))["pymoo bench"] == 1
