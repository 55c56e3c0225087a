"""The JSON and the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pymoo import __version__
from pymoo.bench.cases import BenchError
from pymoo.bench.report import (
    Conditions,
    Figure,
    Report,
    amount,
    conditions_now,
    table,
)

CONDITIONS = Conditions(
    date="2026-01-02T03:04:05+00:00",
    pymoo="0.1.0",
    python="3.11.7",
    implementation="CPython",
    system="Linux",
    cpu="A Processor",
    database="MyMOO.db",
    digest="0123456789abcdef",
    dialect="pymoo",
)
WHILE = Figure("loops", "while", "compiled", "s", "round", (2e-7, 1e-7, 4e-7))
REPORT = Report(
    CONDITIONS,
    [
        evolve(WHILE, tier="walker", samples=(1.5e-6,)),
        WHILE,
        Figure("loops", "nested", "walker", "s", "round", (2e-6,)),
        Figure("memory", "database", "", "B", "server", (35_000_000.0,)),
    ],
)


def test_the_figure_is_the_median_and_the_least() -> None:
    assert WHILE.median == 2e-7
    assert WHILE.least == 1e-7


def test_the_table_has_a_line_for_each_case_and_a_column_for_each_tier() -> None:
    assert REPORT.table().splitlines() == [
        "",
        "loops        walker  compiled",
        "  while     1.50 µs    200 ns  per round",
        "  nested    2.00 µs         -  per round",
        "",
        "memory",
        "  database  35.0 MB            per server",
    ]


def test_the_table_of_what_has_no_tier_has_one_column() -> None:
    report = Report(CONDITIONS, REPORT.figures[-1:])
    assert report.table().splitlines()[-1] == "  database  35.0 MB  per server"


def test_the_heading_says_what_the_figures_hold_for() -> None:
    assert REPORT.heading() == (
        "pymoo 0.1.0, CPython 3.11.7, A Processor\n"
        "MyMOO.db, dialect pymoo; medians of CPU time and of memory"
    )


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (4.56e-8, "s", "45.6 ns"),
        (1e-6, "s", "1.00 µs"),
        (0.0123456, "s", "12.3 ms"),
        (1.0, "s", "1.00 s"),
        (123.4, "s", "123 s"),
        (92.2, "B", "92.2 B"),
        (1740.0, "B", "1.74 kB"),
        (35_000_000.0, "B", "35.0 MB"),
        (-2048.0, "B", "-2.05 kB"),
        (0.0, "s", "0.00 ns"),
    ],
)
def test_figures_are_written_with_three_digits(
    value: float, unit: str, text: str
) -> None:
    assert amount(value, unit) == text


def test_a_table_of_nothing_is_empty() -> None:
    assert table([]) == ""


# --- JSON -----------------------------------------------------------------------------


def test_the_json_has_the_conditions_and_all_samples() -> None:
    content = json.loads(REPORT.json())
    assert content["pymoo bench"] == 1
    assert content["conditions"]["cpu"] == "A Processor"
    assert content["figures"][1] == {
        "group": "loops",
        "name": "while",
        "tier": "compiled",
        "unit": "s",
        "per": "round",
        "samples": [2e-7, 1e-7, 4e-7],
        "least": 1e-7,
        "median": 2e-7,
    }


def test_a_report_that_is_read_is_the_one_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(REPORT.json(), encoding="utf-8")
    assert Report.read(path) == REPORT


finite = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(max_size=5)


@given(
    st.builds(
        Figure,
        texts,
        texts,
        texts,
        texts,
        texts,
        st.lists(finite, min_size=1).map(tuple),
    )
)
def test_any_figure_survives_json(
    tmp_path_factory: pytest.TempPathFactory, figure: Figure
) -> None:
    path = tmp_path_factory.mktemp("json") / "report.json"
    path.write_text(Report(CONDITIONS, [figure]).json(), encoding="utf-8")
    assert Report.read(path).figures == [figure]


TWICE = Report(CONDITIONS, [REPORT.figures[0]] * 2).json()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot be read: No such file"),
        ("no JSON", "is not JSON"),
        ("[]", "is no report of format 1"),
        ('{"pymoo bench": 2}', "is no report of format 1"),
        ('{"pymoo bench": 1}', "is a damaged report: 'conditions' is missing"),
        (REPORT.json().replace('"cpu"', '"gpu"'), "damaged report: 'cpu' is missing"),
        ("[" * 200_000, "is not JSON"),
        (REPORT.json().replace("1.5e-06", "NaN"), "a sample NaN, which is no number"),
        (REPORT.json().replace("1.5e-06", "Infinity"), "Infinity, which is no number"),
        (REPORT.json().replace("1.5e-06", "1" + "0" * 400), "is a damaged report"),
        (REPORT.json().replace('"samples": [', '"samples": "12", "x": ['), "samples"),
        (
            REPORT.json().replace("1.5e-06", '"much"'),
            'a sample "much", which is no num',
        ),
        (REPORT.json().replace("1.5e-06", "true"), "a sample true, which is no number"),
        (REPORT.json().replace("1.5e-06", "null"), "a sample null, which is no number"),
        (REPORT.json().replace("1.5e-06", "-1"), "a sample of -1 seconds"),
        (REPORT.json().replace('"figures": [', '"figures": {}, "x": ['), "are no list"),
        (TWICE, "a figure that is there twice"),
        (REPORT.json().replace("1.5e-06\n", "\n", 1), "is a damaged report"),
    ],
)
def test_a_file_that_is_no_report_is_refused_by_name(
    tmp_path: Path, text: str | None, problem: str
) -> None:
    path = tmp_path / "report.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(BenchError, match=problem) as error:
        Report.read(path)
    assert str(error.value).startswith(f"{path}: ")


def test_the_conditions_are_those_of_this_process() -> None:
    conditions = conditions_now("MyMOO.db", "0123", "pymoo")
    assert conditions.pymoo == __version__
    assert conditions.implementation in ("CPython", "PyPy")
    assert conditions.cpu
    assert conditions.date.endswith("+00:00")


def test_reports_that_were_written_once_can_still_be_read() -> None:
    """IN STEP: report.FORMAT; what is written otherwise gets another number."""
    path = Path(__file__).with_name("report.json")
    report = Report.read(path)
    assert json.loads(report.json()) == json.loads(path.read_text(encoding="utf-8"))
