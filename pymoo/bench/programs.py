"""Programs in MOO as cases: repeated until a round of them can be measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from attrs import frozen

from pymoo.bench.cases import BenchError, Sample, Tier
from pymoo.bench.workbench import Workbench, cpu_seconds
from pymoo.values import Value, literal

if TYPE_CHECKING:
    from pymoo.bench.session import Session

WARM_UP_RUNS: Final = 2
_MOST_REPETITIONS: Final = 1_000_000


@frozen
class Program:
    """A verb that does ``units`` units of work ``n`` times; ``n`` is its argument.

    ``value`` is what it must return then.  ``before`` is run once ahead of it and
    ``after`` at the end, as programs in which ``o`` is the scratch object; they
    leave it as it was.
    """

    code: str
    units: int
    value: Value
    before: str = ""
    after: str = ""

    def run(self, workbench: Workbench, verb: str, n: int) -> None:
        """Run it once.  Raises: BenchError for a wrong answer."""
        answer = workbench.call(verb, n)
        if answer != self.value or type(answer) is not type(self.value):
            raise BenchError(
                f"a program returned {literal(answer)} instead of "
                f"{literal(self.value)}:\n{self.code}"
            )

    @contextmanager
    def prepared(self, session: Session, tier: Tier) -> Iterator[Sample]:
        """Yield what runs it for long enough, and returns CPU seconds per unit."""
        workbench = session.workbench(tier)
        verb = workbench.define_anew(f"{{n}} = args;\n{self.code}")
        here = f"o = {workbench.scratch};"
        workbench.run(here + self.before)
        try:
            n = self._repetitions(workbench, verb, session.round_s)

            def sample() -> float:
                seconds = cpu_seconds(lambda: self.run(workbench, verb, n))
                return seconds / (n * self.units)

            yield sample
        finally:
            workbench.run(here + self.after)

    def _repetitions(self, workbench: Workbench, verb: str, round_s: float) -> int:
        """Return how many repetitions take ``round_s``; what is hot is compiled now."""
        n = 1
        for _ in range(WARM_UP_RUNS):
            self.run(workbench, verb, n)
        while n < _MOST_REPETITIONS:
            seconds = cpu_seconds(lambda: self.run(workbench, verb, n))  # noqa: B023 (called at once)
            if seconds >= round_s:
                break
            # Towards the goal, but not blindly: the clock is coarse for short runs.
            n = min(max(n * 2, int(n * 0.8 * round_s / max(seconds, 1e-4))), n * 20)
        return n
