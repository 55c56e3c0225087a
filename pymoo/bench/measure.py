"""Takes the samples of cases, the tiers of each in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from pymoo.bench.cases import BenchError, Case, Sample, Tier
from pymoo.bench.report import Figure
from pymoo.bench.session import Session


def tiers_of(case: Case, tiers: Sequence[Tier]) -> Sequence[Tier]:
    """Return the tiers that a case is measured in, of those that are asked for."""
    return tiers if case.is_tiered else [Tier.COMPILED]


@contextmanager
def prepared(case: Case, session: Session, tier: Tier) -> Iterator[Sample]:
    """Make a case ready.  Raises: BenchError, then or later, with the case's name."""
    try:
        with case.prepare(session, tier) as sample:
            yield sample
    except BenchError as error:
        raise BenchError(f"{case.id}, {tier}: {error}") from error


def measure(
    session: Session, case: Case, tiers: Sequence[Tier], rounds: int
) -> list[Figure]:
    """Return a case's figures of ``rounds`` samples.

    The tiers take turns, so that what disturbs the machine meets all of them.

    Raises: BenchError for a wrong answer.
    """
    with ExitStack() as stack:
        samples = {
            tier: stack.enter_context(prepared(case, session, tier))
            for tier in tiers_of(case, tiers)
        }
        taken: dict[Tier, list[float]] = {tier: [] for tier in samples}
        for _ in range(rounds):
            for tier, sample in samples.items():
                taken[tier].append(sample())
    return [
        Figure(
            case.group,
            case.name,
            tier.value if case.is_tiered else "",
            case.unit.value,
            case.per,
            tuple(values),
        )
        for tier, values in taken.items()
    ]


def measure_all(
    session: Session,
    cases: Sequence[Case],
    tiers: Sequence[Tier],
    rounds: int,
    seen: Callable[[Case], None],
) -> tuple[list[Figure], dict[str, list[Case]]]:
    """Return the figures of all cases, and those left out by what was lacking.

    ``seen`` is called with each case before it is measured.

    Raises: BenchError for a wrong answer, or if nothing can be measured.
    """
    figures: list[Figure] = []
    left_out: dict[str, list[Case]] = {}
    for case in cases:
        lack = case.lack(session)
        if lack:
            left_out.setdefault(lack, []).append(case)
            continue
        seen(case)
        figures += measure(session, case, tiers, rounds)
    if not figures:
        raise BenchError(
            f"{session.database}: there is nothing to measure, as it lacks "
            + ", and ".join(left_out)
        )
    return figures, left_out
