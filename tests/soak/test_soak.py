"""A short soak of a small crowd; ``make soak`` is the long one."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from attrs import evolve

from pymoo.worlds.starter import starter_textdump
from tests.soak.soak import Outcome, Plan, soak

SHORT = Plan(seconds=6, connections=20, think_s=0.5, p99_s=20)


def test_a_crowd_is_served_while_others_do_harm(tmp_path: Path) -> None:
    path = tmp_path / "core.db"
    shutil.copy(starter_textdump(), path)
    outcome = soak(SHORT, tmp_path, path)
    assert outcome.faults == [], str(outcome)
    assert outcome.counts["commands"] > 20
    assert outcome.counts["connections"] > 20
    assert "answered in: median" in str(outcome)


def outcome_of(**changes: object) -> Outcome:
    sound = Outcome(
        Plan(),
        "a core",
        [0.01] * 100,
        [(float(at), 100_000_000) for at in range(0, 600, 10)],
        Counter(),
        [],
        "Nov 21 16:00:00: all is well\n",
        0,
    )
    return evolve(sound, **changes)


def test_a_soak_without_faults_has_none() -> None:
    assert outcome_of().faults == []


def test_faults_are_found() -> None:
    leak = [(float(at), 100_000_000 + at * 200_000) for at in range(0, 600, 10)]
    assert "memory grows by 12.00 MB a minute" in outcome_of(memory=leak).faults[0]
    slow = outcome_of(latencies=[0.01] * 90 + [3.0] * 10)
    assert slow.faults == ["the 99th percentile is 3.00 s"]
    assert outcome_of(latencies=[]).faults == ["no command was answered"]
    assert outcome_of(status=-11).faults == ["the server has ended with -11"]
    assert len(outcome_of(log="*** BUG IN PYMOO while\nfine\n").faults) == 1
    assert outcome_of(mistakes=["Bade was disconnected"]).faults == [
        "Bade was disconnected"
    ]


def test_memory_that_grows_before_it_is_warm_is_no_fault() -> None:
    memory = [(float(at), min(at, 150) * 1_000_000) for at in range(10, 600, 10)]
    assert outcome_of(memory=memory).faults == []
