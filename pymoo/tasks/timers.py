"""The queue of tasks that wait for their time.

A typed shell around `sortedcontainers`, which has no annotations.  Tasks are
ordered by wake time, and equal ones by arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any, Final, Generic, TypeVar

from sortedcontainers import SortedDict

T = TypeVar("T", bound=Hashable)


class TimerQueue(Generic[T]):
    """Things by the time at which they are due.

    Cost: constant for what is due at a time at which something else is, which is so
    for most where times are whole seconds; logarithmic in the number of times
    otherwise.
    """

    def __init__(self) -> None:
        # By time, what is due then: a dict for its order, with nothing in it but keys.
        self._due: Final[Any] = SortedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        """Go through the things, the earliest first."""
        for things in self._due.values():
            yield from things

    def add(self, thing: T, time: float) -> None:
        """Put ``thing`` behind what is due at ``time`` or before."""
        things = self._due.get(time)
        if things is None:
            self._due[time] = {thing: None}
        else:
            things[thing] = None
        self._count += 1

    def holds(self, thing: T, time: float) -> bool:
        """Whether ``thing`` is in, due at ``time``."""
        return thing in self._due.get(time, ())

    def remove(self, thing: T, time: float) -> None:
        """Take out ``thing``, due at ``time``.  Raises: KeyError if it is not in."""
        things = self._due[time]
        del things[thing]
        self._count -= 1
        if not things:
            del self._due[time]

    def replace_all(self, replacement: Callable[[T], T]) -> None:
        """Put others in the places of all that is in."""
        for time, things in list(self._due.items()):
            self._due[time] = dict.fromkeys(map(replacement, things))

    def first_time(self) -> float | None:
        """Return when the first thing is due; None if there is none."""
        if not self._due:
            return None
        time: float = self._due.peekitem(0)[0]
        return time

    def pop_due(self, now: float) -> Iterator[T]:
        """Take out, in order, all that is due at ``now``."""
        while self._due and self._due.peekitem(0)[0] <= now:
            _, things = self._due.popitem(0)
            self._count -= len(things)
            yield from things
