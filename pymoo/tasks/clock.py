"""The time.  Nothing else reads it, so tests and lessons can run on their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from attrs import define

_SHORT_S: Final = 0.05


class CpuStopwatch:
    """Counts the CPU seconds of the thread that it is used in.

    To ask the system for them can take a hundred times as long as to ask for the
    time, and most slices are over in a fraction of a millisecond.  So the first
    `_SHORT_S` of a slice count as if the CPU had been its own for all of them.
    """

    __slots__ = ("_began", "_origin")

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._origin: float | None = None

    def used(self) -> float:
        """CPU seconds since this was made."""
        if self._origin is None:
            passed = time.monotonic() - self._began
            if passed < _SHORT_S:
                return passed
            self._origin = time.thread_time() - _SHORT_S
        return time.thread_time() - self._origin


class WallStopwatch:
    """Counts seconds, whoever has the CPU meanwhile."""

    __slots__ = ("_began",)

    def __init__(self) -> None:
        self._began = time.monotonic()

    def used(self) -> float:
        """Seconds since this was made."""
        return time.monotonic() - self._began


class SystemClock:
    """The time of the machine."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def stopwatch(self) -> CpuStopwatch:
        """Begin to count CPU seconds."""
        return CpuStopwatch()

    def wall_stopwatch(self) -> WallStopwatch:
        """Begin to count seconds."""
        return WallStopwatch()


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
        """CPU seconds so far; this is a look at them."""
        self.cpu_seconds += self.cpu_per_look
        return self.cpu_seconds

    def stopwatch(self) -> ManualStopwatch | CpuStopwatch:
        """Begin to count CPU seconds."""
        return ManualStopwatch(self.cpu)

    def wall_stopwatch(self) -> ManualStopwatch:
        """Begin to count seconds."""
        return ManualStopwatch(self.now)

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.seconds += seconds


class ManualStopwatch:
    """Counts seconds of a `ManualClock`."""

    __slots__ = ("_began", "_look")

    def __init__(self, look: Callable[[], float]) -> None:
        self._look = look
        self._began = look()

    def used(self) -> float:
        """Seconds since this was made."""
        return self._look() - self._began
