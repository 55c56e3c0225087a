"""The time.  Nothing else reads it, so tests and lessons can run on their own."""

from __future__ import annotations

import time

from attrs import define


class SystemClock:
    """The time of the machine."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def cpu(self) -> float:
        """CPU seconds that this process has used."""
        return time.process_time()


@define
class ManualClock:
    """A time that only moves when told to.

    CPU time stands still, so that no task runs out of it, or grows by
    ``cpu_per_look`` each time that it is looked at.
    """

    seconds: float = 1_000_000_000.0
    cpu_seconds: float = 0.0
    cpu_per_look: float = 0.0

    def now(self) -> float:
        return self.seconds

    def cpu(self) -> float:
        self.cpu_seconds += self.cpu_per_look
        return self.cpu_seconds

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.seconds += seconds
