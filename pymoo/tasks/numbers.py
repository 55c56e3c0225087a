"""The tasks that wait, by their numbers.

Numbers are random (`runner.Runner.new_task_id`), so two tasks may have the same one;
which of them is meant depends on their places in the queues, which are not known
here.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

T = TypeVar("T")


class TaskNumbers(Generic[T]):
    """Things by number.  Each method takes constant time."""

    def __init__(self) -> None:
        self._things: Final[dict[int, T]] = {}
        # Further ones with the number of one in `_things`.
        self._more: Final[dict[int, list[T]]] = {}
        self.changed: dict[T, None] | None = None
        """What has come or gone, should somebody follow that."""

    def add(self, number: int, thing: T) -> None:
        """Take in ``thing``, which is not in yet."""
        if self.changed is not None:
            self.changed[thing] = None
        if self._things.setdefault(number, thing) is not thing:
            self._more.setdefault(number, []).append(thing)

    def remove(self, number: int, thing: T) -> None:
        """Take out ``thing``, which is in."""
        if self.changed is not None:
            self.changed[thing] = None
        more = self._more.get(number)
        if more is None:
            del self._things[number]
            return
        if self._things[number] is thing:
            self._things[number] = more.pop()
        else:
            more.remove(thing)
        if not more:
            del self._more[number]

    def __len__(self) -> int:
        """How many things there are."""
        return len(self._things) + sum(len(more) for more in self._more.values())

    def __contains__(self, number: int) -> bool:
        return number in self._things

    def find(self, number: int) -> list[T]:
        """Return all that have this number, in no particular order."""
        if number not in self._things:
            return []
        return [self._things[number], *self._more.get(number, ())]
