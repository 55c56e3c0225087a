"""Another player is answered while a task runs away, and the task is stopped."""

from __future__ import annotations

import pytest

from pymoo.bench import runaways
from pymoo.bench.cases import BenchError, Tier
from pymoo.bench.runaways import RUNAWAYS, Runaway, runaway_cases
from pymoo.bench.session import Session

CASES = {case.name: case for case in runaway_cases()}


def test_each_form_has_a_case() -> None:
    assert list(CASES) == list(RUNAWAYS)


@pytest.mark.parametrize("name", RUNAWAYS)
def test_each_is_stopped_with_the_classic_words(session: Session, name: str) -> None:
    """Or the sample would not end; it tells how long an answer took."""
    with CASES[name].prepare(session, Tier.COMPILED) as sample:
        assert 0 < sample() < runaways.PATIENCE_S


def test_words_that_do_not_come_are_an_error(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runaways, "PATIENCE_S", 0.5)
    monkeypatch.setitem(RUNAWAYS, "loop", Runaway("a loop", "", "never said"))
    with (
        CASES["loop"].prepare(session, Tier.COMPILED) as sample,
        pytest.raises(BenchError, match="nothing stops a loop"),
    ):
        sample()
