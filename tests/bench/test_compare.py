"""Two reports side by side."""

from __future__ import annotations

import pytest
from attrs import evolve

from pymoo.bench.cases import BenchError
from pymoo.bench.compare import Comparison, compare, geometric_mean
from pymoo.bench.report import Conditions, Figure, Report

CONDITIONS = Conditions(
    "2026-01-02", "0.1.0", "3.11.7", "CPython", "Linux", "A", "My.db", "12", "pymoo"
)


def figure(case: str, *samples: float, tier: str = "compiled") -> Figure:
    group, _, name = case.partition("/")
    return Figure(group, name, tier, "s", "round", samples)


def compared(old: list[Figure], new: list[Figure]) -> Comparison:
    return compare(Report(CONDITIONS, old), Report(CONDITIONS, new))


def test_the_least_samples_are_compared() -> None:
    (pair,) = compared(
        [figure("loops/while", 9e-7, 2e-7)], [figure("loops/while", 3e-7, 8e-7)]
    ).pairs
    assert pair.ratio == pytest.approx(1.5)


def test_each_group_and_tier_has_a_geometric_mean() -> None:
    old = [figure("loops/a", 1.0), figure("loops/b", 1.0), figure("calls/c", 1.0)]
    new = [figure("loops/a", 4.0), figure("loops/b", 0.25), figure("calls/c", 3.0)]
    walker = figure("loops/a", 2.0, tier="walker")
    assert compared([*old, walker], [*new, walker]).means() == {
        ("loops", "compiled"): pytest.approx(1.0),
        ("calls", "compiled"): pytest.approx(3.0),
        ("loops", "walker"): pytest.approx(1.0),
    }


def test_twice_and_half_as_much_make_one() -> None:
    assert geometric_mean([2.0, 0.5]) == pytest.approx(1.0)


def test_a_regression_is_what_costs_more_than_the_threshold_allows() -> None:
    comparison = compared(
        [figure("loops/a", 1.0), figure("loops/b", 1.0), figure("loops/c", 1.0)],
        [figure("loops/a", 1.09), figure("loops/b", 1.11), figure("loops/c", 0.5)],
    )
    assert [pair.new.id for pair in comparison.regressions(10)] == ["loops/b"]
    assert [pair.new.id for pair in comparison.regressions(0)] == ["loops/a", "loops/b"]


def test_a_case_that_only_one_report_has_is_named() -> None:
    comparison = compared(
        [figure("loops/a", 1.0), figure("loops/gone", 1.0)],
        [figure("loops/a", 1.0), figure("loops/new", 1.0, tier="walker")],
    )
    text = comparison.text()
    assert "only in the old report: loops/gone compiled" in text
    assert "only in the new report: loops/new walker" in text
    assert comparison.regressions(0) == []


def test_the_other_tier_of_a_case_is_another_case() -> None:
    with pytest.raises(BenchError) as refusal:
        compared([figure("loops/a", 1.0)], [figure("loops/a", 1.0, tier="walker")])
    assert str(refusal.value) == (
        "the two reports have no case in common: the tier of the old one is compiled, "
        "of the new one walker. `pymoo bench --tier both` shows both in one table"
    )


def test_reports_of_different_cases_are_refused() -> None:
    with pytest.raises(BenchError, match=r"no case in common$"):
        compared([figure("loops/a", 1.0)], [figure("loops/b", 1.0, tier="walker")])


def test_a_pair_without_tiers_is_named_by_its_case() -> None:
    memory = evolve(figure("memory/task", 2.0, tier=""), unit="B")
    assert compared([memory], [memory]).pairs[0].name == "memory/task"


def test_other_units_are_refused() -> None:
    old = figure("loops/a", 1.0)
    with pytest.raises(BenchError, match="loops/a compiled: the old report counts s"):
        compared([old], [evolve(old, per="call")])


def test_memory_that_was_there_already_has_no_ratio() -> None:
    old = evolve(figure("memory/task", 0.0, tier=""), unit="B")
    comparison = compared([old], [evolve(old, samples=(9.0,))])
    assert comparison.pairs[0].ratio is None
    assert comparison.means() == {}
    assert comparison.regressions(0) == []
    assert comparison.text().splitlines()[-1].split() == [
        "task",
        "0.00",
        "B",
        "9.00",
        "B",
        "-",
    ]


def test_conditions_that_have_changed_are_told() -> None:
    old = Report(CONDITIONS, [figure("loops/a", 1.0)])
    new = Report(evolve(CONDITIONS, date="2026-02-03", python="3.12.1"), old.figures)
    assert compare(old, new).changes == ["python: 3.11.7 -> 3.12.1"]


def test_the_text_is_a_table_with_the_means_first() -> None:
    comparison = compared(
        [figure("loops/while", 2e-7), figure("loops/nested", 1e-6)],
        [figure("loops/while", 1e-7), figure("loops/nested", 2e-6)],
    )
    assert comparison.text().splitlines() == [
        "case              tier          old      new  new/old",
        "",
        "loops",
        "  geometric mean  compiled                       1.00",
        "  while           compiled   200 ns   100 ns     0.50",
        "  nested          compiled  1.00 µs  2.00 µs     2.00",
    ]
