"""A little of each of the fuzzers; ``make fuzz`` is all of them, for longer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.fuzz import targets
from tests.fuzz.running import BATCH, Report, Target, plain, run, sample, table

INPUTS = {"http": 40, "builtins": 100, "textdumps": 60}


@pytest.mark.parametrize("name", targets.NAMES)
def test_no_input_does_harm(name: str) -> None:
    inputs = INPUTS.get(name, 80)
    assert sample(targets.target(name), inputs) >= inputs


def test_every_target_is_run() -> None:
    modules = Path(__file__).parent.glob("*.py")
    with_target = {
        path.stem for path in modules if "\nTARGET: Final" in path.read_text("utf-8")
    }
    assert with_target == {*targets.NAMES}


def test_a_finding_is_told_once_and_made_small() -> None:
    def check(number: int) -> None:
        assert number < 50

    target = Target("numbers", st.integers(0, 1000), plain(check))
    with pytest.raises(AssertionError):
        sample(target, 100)
    report = run(target, seconds=0.5)
    assert report.inputs > 0
    (text,) = report.findings.values()
    assert "data=50" in text


def test_what_was_tried_is_counted() -> None:
    seen: list[int] = []
    target = Target("numbers", st.integers(), plain(seen.append))
    report = run(target, seconds=0)
    assert report.runs == 1
    assert report.inputs == len(seen) == BATCH
    assert not report.findings


def test_the_table_tells_runs_inputs_and_findings() -> None:
    text = table(
        [Report("telnet", 3, 1234, 2.0), Report("http", 1, 5, 1.0, {"x": "y"})]
    )
    assert text.splitlines() == [
        "target  runs  inputs  per second  findings",
        "telnet     3   1,234         617         0",
        "http       1       5           5         1",
    ]
