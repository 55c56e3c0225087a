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
        # By time, what is due then: in its order, each with a number greater than those
        # before it.
        self._due: Final[Any] = SortedDict()
        self._first: float | None = None  # its first time, which is often asked for
        self._arrivals = 0
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
        self._arrivals += 1
        if things is None:
            self._due[time] = {thing: self._arrivals}
            if self._first is None or time < self._first:
                self._first = time
        else:
            things[thing] = self._arrivals
        self._count += 1

    def holds(self, thing: T, time: float) -> bool:
        """Whether ``thing`` is in, due at ``time``."""
        return thing in self._due.get(time, ())

    def remove(self, thing: T, time: float) -> int:
        """Take out ``thing``, due at ``time``; return what `put_back` has to know.

        Raises: KeyError if it is not in.
        """
        things = self._due[time]
        number: int = things.pop(thing)
        self._count -= 1
        if not things:
            self._forget(time)
        return number

    def _forget(self, time: float) -> None:
        """Nothing is due at ``time`` any more."""
        del self._due[time]
        if time == self._first:
            self._first = self._due.peekitem(0)[0] if self._due else None

    def put_back(self, thing: T, time: float, number: int) -> None:
        """Put ``thing``, which was removed, where it was among what is due then."""
        self.add(thing, time)
        things = self._due[time]
        things[thing] = number
        in_order = sorted(things.items(), key=lambda each: each[1])
        self._due[time] = dict(in_order)

    def replace_all(self, replacement: Callable[[T], T]) -> None:
        """Put others in the places of all that is in."""
        for time, things in list(self._due.items()):
            self._due[time] = {replacement(thing): n for thing, n in things.items()}

    def first_time(self) -> float | None:
        """Return when the first thing is due; None if there is none."""
        return self._first

    def pop_due(self, now: float) -> Iterator[T]:
        """Take out, in order, all that is due at ``now``."""
        while self._first is not None and self._first <= now:
            things = self._due[self._first]
            self._count -= len(things)
            self._forget(self._first)
            yield from things
