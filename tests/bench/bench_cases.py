"""The cases of ``pymoo bench``, in both tiers, for pytest-benchmark.

Run with ``make bench``.  What a case's sample counts, CPU seconds per unit of work, is
what pytest-benchmark is told as the time; so its table has the cost of one call, one
command and so on.  What depends on the core is measured with LambdaCore as well; that
needs the recordings' folder.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pymoo.bench.cases import Case, Tier, Unit
from pymoo.bench.catalogue import all_cases, chosen
from pymoo.bench.commands import LAMBDACORE, STARTER, Repertoire
from pymoo.bench.measure import prepared, tiers_of
from pymoo.bench.session import Session
from pymoo.lang.dialect import dialect
from pymoo.worlds.starter import starter_textdump
from tests.shared_material import SHARED, needs_shared

ROUNDS = 5
OF_THE_CORE = ("utilities", "commands", "mix", "start")

_counted = 0.0


def counted_seconds() -> float:
    """The clock: what all samples so far have counted."""
    return _counted


def cases(repertoire: Repertoire, *, of_the_core: bool) -> Iterator[Any]:
    """Each case that counts seconds and can be measured with a core, in each tier."""
    marks = [needs_shared] if repertoire is LAMBDACORE else []
    for case in chosen(all_cases(), ()):
        if (
            case.unit is Unit.SECONDS
            and (not of_the_core or case.group in OF_THE_CORE)
            and (case.group != "commands" or case.name in repertoire.kinds)
        ):
            for tier in tiers_of(case, [*Tier]):
                name = f"{repertoire.core.replace(' ', '-')}-{case.id}-{tier}"
                yield pytest.param(repertoire.core, case, tier, id=name, marks=marks)


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Session]]:
    """A session with each core, made when it is first asked for."""

    class Sessions(dict[str, Session]):
        def __missing__(self, core: str) -> Session:
            folder = tmp_path_factory.mktemp("bench")
            database = (
                unpacked(folder) if core == LAMBDACORE.core else starter_textdump()
            )
            self[core] = Session(database, dialect("pymoo"), folder)
            return self[core]

    made = Sessions()
    yield made
    for session in made.values():
        session.close()


def unpacked(folder: Path) -> Path:
    path = folder / "LambdaCore.db"
    with gzip.open(SHARED / "cores" / "LambdaCore-20Jun18.db.gz") as stream:
        path.write_bytes(stream.read())
    return path


@pytest.mark.benchmark(timer=counted_seconds)
@pytest.mark.parametrize(
    ("core", "case", "tier"),
    [*cases(STARTER, of_the_core=False), *cases(LAMBDACORE, of_the_core=True)],
)
def test_case(
    benchmark: Any, sessions: dict[str, Session], core: str, case: Case, tier: Tier
) -> None:
    benchmark.group = f"{core}: {case.group}"
    benchmark.extra_info.update(core=core, tier=tier.value, per=case.per)
    with prepared(case, sessions[core], tier) as sample:

        def run() -> None:
            global _counted
            _counted += sample()

        benchmark.pedantic(run, rounds=ROUNDS, iterations=1)
