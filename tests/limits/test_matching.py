"""A pattern can take any time for the ticks of one call, so matching is limited, too.

The clock stands still here: what stops a task is what its matches have counted.
"""

from __future__ import annotations

import pytest

from pymoo.values import E_QUOTA, Obj
from tests.fakes import Bench

EXPLODES = 'match("aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "%(%)%(a+%)+%1b")'
"""It has a back reference, so that no memory helps."""


@pytest.fixture
def bench() -> Bench:
    return Bench(dialect_name="pymoo")


def test_a_match_that_takes_too_long_raises_e_quota(bench: Bench) -> None:
    assert bench.run(f"return `{EXPLODES} ! E_QUOTA';").value == E_QUOTA


def test_a_task_that_only_matches_runs_out_of_seconds(bench: Bench) -> None:
    seen = bench.run(f"while (1) `{EXPLODES} ! E_QUOTA'; endwhile")
    assert seen.was_aborted
    assert seen.lines[0].endswith("Task ran out of seconds")


def test_seconds_left_tells_what_matching_has_taken(bench: Bench) -> None:
    seen = bench.run(
        f"a = seconds_left(); `{EXPLODES} ! E_QUOTA';"
        " return {a, seconds_left(), task_time()};"
    )
    before, after, (elapsed, _, remaining) = seen.value
    assert before == 5
    assert after in (2, 3)  # a quarter of a microsecond counts as 25
    assert 2.4 < elapsed < 2.7
    assert remaining == pytest.approx(5 - elapsed)


def test_a_new_slice_has_new_seconds(bench: Bench) -> None:
    bench.run(
        "fork (0)"
        f" for i in [1..4] `{EXPLODES} ! E_QUOTA'; suspend(0); endfor"
        ' notify(player, "through");'
        " endfork"
    )
    bench.settle()
    assert bench.lines == ["through"]


def test_new_patterns_count(bench: Bench) -> None:
    seen = bench.run('n = 0; while (1) match("a", tostr(n = n + 1)); endwhile')
    assert seen.was_aborted
    assert seen.lines[0].endswith("Task ran out of seconds")


def test_matches_that_do_not_explode_are_limited_by_ticks_alone(bench: Bench) -> None:
    bench.world.add_property(Obj(4), "fg_ticks", 60_000, Obj(3), 1)
    seen = bench.run(
        'while (1) match("You hit the troll with the sword.", "^%(.*%) hit %(.*%)");'
        " endwhile"
    )
    assert seen.lines[0].endswith("Task ran out of ticks")


def test_lambdamoo_limits_matching_by_the_clock_alone() -> None:
    bench = Bench(dialect_name="lambdamoo")
    subject = "a" * 15
    seen = bench.run(
        f'r = match("{subject}", "%(%)%(a+%)+%1b"); return {{r, seconds_left()}};'
    )
    assert seen.value == ((), 5)
