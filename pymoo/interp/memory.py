"""How much memory the process may take, and when a slice has taken too much.

The budget is one of the whole process: what values take cannot be told apart by tasks,
as they share them.  A slice may take a share of what is left until the *limit*, so the
less there is, the less a slice gets.  Above the *mark* memory is short; beyond the
limit it is used up, and nothing may grow.

B1  A slice is judged by what was taken since it was first looked at, and by that alone.
B2  What can be given back at once (garbage, free memory that the process keeps) is
    given back before anybody is stopped for it.
B3  A slice is looked at every `INTERVAL_S` of its time, or more often while memory is
    short; in between a look at the clock costs a comparison more.

How memory is measured is in `server.system_memory`; what else happens when it is
short, in `server.memory`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pymoo.interp.vm import VM

MARK_SHARE: Final = 0.75
"""Of the limit: above that memory is short."""

SLICES_SHARE: Final = 10
"""A slice may take one part in so many of what is left.

The rest is for what becomes of it: to write what it has kept to a journal can take
nine times as much for a moment.
"""

LEAST_GROWTH: Final = 1 << 18
"""What a slice may take in any case, in bytes: Python takes memory in such portions."""

INTERVAL_S: Final = 0.002
"""In that time no more can be taken than the room above the mark is meant for.

The largest strings and lists that there can be take longer to be made.
"""

BETWEEN_RELEASES_S: Final = 0.5
"""How long what could be given back is left alone after it was given back."""


class MemoryBudget:
    """The budget of one process."""

    def __init__(
        self,
        limit: int,
        measure: Callable[[], int],
        release: Callable[[], None],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``measure`` tells how many bytes are taken; ``release`` gives some back."""
        self.limit: Final = limit
        self.mark: Final = int(limit * MARK_SHARE)
        self._measure: Final = measure
        self._release: Final = release
        self._now: Final = now
        self._released_at = -inf
        self.taken = 0
        """How many bytes were taken when that was last looked at."""
        self.is_short = False
        """Whether they were above the mark then."""
        self.interval = INTERVAL_S
        """How many seconds of a slice may go by without a look."""
        self.stopped: Callable[[VM, int], None] | None = None
        """Told of each task that is stopped, with the bytes that it has taken."""

    @property
    def is_used_up(self) -> bool:
        """Whether the limit has been reached."""
        return self.is_short and self.taken >= self.limit

    def look(self) -> int:
        """Return how many bytes are taken now."""
        taken = self.taken = self._measure()
        self.is_short = taken > self.mark
        self.interval = 0.0 if self.is_short else INTERVAL_S
        return taken

    def release(self) -> None:
        """Give back what can be, unless that was done a moment ago; then look."""
        now = self._now()
        if now - self._released_at >= BETWEEN_RELEASES_S:
            self._release()
            self._released_at = self._now()
        self.look()

    def first_look(self) -> float:
        """Return after how many seconds a slice that begins is to be looked at."""
        if self.is_short:
            self.look()
        return self.interval

    def room(self) -> int:
        """Return how many bytes a slice may take that begins now."""
        return max((self.limit - self.taken) // SLICES_SHARE, LEAST_GROWTH)


class _NoBudget(MemoryBudget):
    """Any amount of memory may be taken."""

    def __init__(self) -> None:
        super().__init__(1 << 62, lambda: 0, lambda: None)
        self.interval = inf


UNLIMITED: Final[MemoryBudget] = _NoBudget()


class SliceMemory:
    """What one slice may take."""

    __slots__ = ("_budget", "_ceiling", "_floor")

    def __init__(self, budget: MemoryBudget) -> None:
        """Begin with what was taken when that was looked at last."""
        self._budget = budget
        self._floor = budget.taken
        self._ceiling = self._floor + budget.room()

    def excess(self) -> int:
        """Look; return how many bytes the slice has taken if that is too much, or 0."""
        budget = self._budget
        if budget.look() <= self._ceiling:
            return 0
        budget.release()  # B2
        return budget.taken - self._floor if budget.taken > self._ceiling else 0
