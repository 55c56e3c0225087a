"""What it costs to have many forked tasks wait, and to start them all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final

from pymoo.bench.cases import BenchError, Case, Sample, Tier
from pymoo.bench.workbench import cpu_seconds

if TYPE_CHECKING:
    from pymoo.bench.session import Session

DELAY_S: Final = 60
COUNTS: Final = (10_000, 100_000)

_FORK_MANY: Final = f"""
{{n}} = args;
this.count = 0;
for i in [1..n]
  fork ({DELAY_S})
    this.count = this.count + 1;
  endfork
endfor
return length(queued_tasks());
"""


@contextmanager
def _many_tasks(
    session: Session, tier: Tier, count: int, *, counts_start: bool
) -> Iterator[Sample]:
    workbench = session.workbench(tier)
    verb = workbench.define_anew(_FORK_MANY)

    def fork() -> None:
        queued = workbench.call(verb, count)
        if queued != count:
            raise BenchError(f"of {count} forked tasks, {queued} are queued")

    def start() -> None:
        workbench.advance(DELAY_S)

    def sample() -> float:
        forking = cpu_seconds(fork)
        starting = cpu_seconds(start)
        ran = workbench.run(f"return {workbench.scratch}.count;")
        if ran != count:
            raise BenchError(f"of {count} forked tasks, {ran} ran")
        return (starting if counts_start else forking) / count

    sample()  # so that what is hot is compiled
    yield sample


def task_cases() -> list[Case]:
    """Return the cases of so many tasks, queued and started."""

    def case(name: str, what: str, count: int, *, counts_start: bool) -> Case:
        def prepare(session: Session, tier: Tier) -> AbstractContextManager[Sample]:
            return _many_tasks(session, tier, count, counts_start=counts_start)

        return Case(
            "queue", f"{name}-{count}", "task", f"{what} {count:,} tasks", prepare
        )

    return [
        each
        for count in COUNTS
        for each in (
            case("fork", f"fork ({DELAY_S}) of", count, counts_start=False),
            case("start", "the start and end of", count, counts_start=True),
        )
    ]
