"""The waiting tasks by their numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pymoo.tasks.numbers import TaskNumbers


class Thing:
    def __init__(self, number: int) -> None:
        self.number = number


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(0))))
def test_all_things_with_a_number_are_found_and_no_others(
    plan: list[tuple[int, bool, int]],
) -> None:
    numbers: TaskNumbers[Thing] = TaskNumbers()
    things: list[Thing] = []
    for number, adds, at in plan:
        if adds or not things:
            things.append(Thing(number))
            numbers.add(number, things[-1])
        else:
            thing = things.pop(at % len(things))
            numbers.remove(thing.number, thing)
        for each in range(4):
            found = numbers.find(each)
            assert len(found) == len(set(found))
            assert {*found} == {thing for thing in things if thing.number == each}
