"""The queue of tasks that wait for their time.

A typed shell around `sortedcontainers`, which has no annotations.  Tasks are
ordered by wake time, and equal ones by arrival.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, Final, Generic, TypeVar

from sortedcontainers import SortedDict

T = TypeVar("T")


class TimerQueue(Generic[T]):
    """Things by the time at which they are due.

    Cost: logarithmic in the number of things for each of its methods, but for
    iteration.
    """

    def __init__(self) -> None:
        self._things: Any = SortedDict()  # (time, arrival) to thing
        self._keys: dict[int, tuple[float, int]] = {}  # id(thing) to its key
        self._arrivals: Final = count()

    def __len__(self) -> int:
        return len(self._things)

    def __iter__(self) -> Iterator[T]:
        """Go through the things, the earliest first."""
        return iter(self._things.values())

    def add(self, thing: T, time: float) -> None:
        """Put ``thing`` behind what is due at ``time`` or before."""
        key = (time, next(self._arrivals))
        self._things[key] = thing
        self._keys[id(thing)] = key

    def remove(self, thing: T) -> None:
        """Take ``thing`` out.  Raises: KeyError if it is not in."""
        del self._things[self._keys.pop(id(thing))]

    def replace(self, thing: T, other: T) -> None:
        """Put ``other`` where ``thing`` is.  Raises: KeyError if that is not in."""
        key = self._keys[id(other)] = self._keys.pop(id(thing))
        self._things[key] = other

    def first_time(self) -> float | None:
        """Return when the first thing is due; None if there is none."""
        if not self._things:
            return None
        time: float = self._things.peekitem(0)[0][0]
        return time

    def pop_due(self, now: float) -> Iterator[T]:
        """Take out, in order, all that is due at ``now``."""
        while self._things and self._things.peekitem(0)[0][0] <= now:
            _, thing = self._things.popitem(0)
            del self._keys[id(thing)]
            yield thing
