"""The queue of sleeping tasks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pymoo.tasks.timers import TimerQueue


class Thing:
    pass


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=40))
def test_things_come_out_by_time_and_equal_ones_by_arrival(
    plan: list[tuple[int, bool]],
) -> None:
    queue: TimerQueue[Thing] = TimerQueue()
    kept: list[tuple[int, int, Thing]] = []
    for arrival, (time, stays) in enumerate(plan):
        thing = Thing()
        queue.add(thing, time)
        if stays:
            kept.append((time, arrival, thing))
        else:
            queue.remove(thing, time)
        assert queue.holds(thing, time) is stays
    kept.sort(key=lambda entry: entry[:2])
    assert len(queue) == len(kept)
    assert list(queue) == [thing for _, _, thing in kept]
    assert queue.first_time() == (kept[0][0] if kept else None)
    assert list(queue.pop_due(10)) == [thing for time, _, thing in kept if time <= 10]
    assert list(queue) == [thing for time, _, thing in kept if time > 10]


def test_what_is_replaced_leaves_its_place_to_the_other() -> None:
    queue: TimerQueue[Thing] = TimerQueue()
    things = [Thing() for _ in range(3)]
    others = {thing: Thing() for thing in things}
    for thing, time in zip(things, (5, 5, 6), strict=True):
        queue.add(thing, time)
    queue.replace_all(others.__getitem__)
    assert list(queue) == [others[thing] for thing in things]
    queue.remove(others[things[0]], 5)
    assert list(queue) == [others[things[1]], others[things[2]]]
