"""Journals that no server has written: nothing gets in that no textdump could hold."""

from __future__ import annotations

from typing import Any

import pytest

from pymoo.db.journal_values import ValueReader, ValueWriter
from pymoo.db.objects import CLEAR
from pymoo.db.redo import JournalError, replay
from pymoo.db.saved import UNSET, CatchMark
from pymoo.db.saved_values import task_from_value, task_to_value
from pymoo.values import E_PERM, Obj
from tests.db.worlds import DATA, dumped, loaded, minimal

ROOT, WIZARD = Obj(1), Obj(3)

SHARED: tuple[Any, ...] = (1,)
for _ in range(100):
    SHARED = (SHARED, SHARED)


@pytest.mark.parametrize(
    "operation",
    [
        ("set_name", ROOT, 5),
        ("set_name", ROOT, ("a",)),
        ("set_name", 1, "a number"),
        ("set_name", ROOT),
        ("set_name", ROOT, "a", "b"),
        ("set_owner", ROOT, 3),
        ("set_flag", ROOT, 1.0, 1),
        ("create", Obj(4), WIZARD, Obj(-2)),
        ("create", Obj(4), WIZARD, Obj(99)),
        ("change_location", WIZARD, Obj(-3)),
        ("change_location", WIZARD, Obj(99)),
        ("change_parent", WIZARD, Obj(-3)),
        ("add_property", ROOT, ("p",), 0, WIZARD, 1),
        ("add_property", ROOT, "p", CLEAR, WIZARD, 1),
        ("add_property", ROOT, "p", (1, (2, UNSET)), WIZARD, 1),
        ("add_property", ROOT, "p", CatchMark(1), WIZARD, 1),
        ("add_property", ROOT, "p", 0, 3, 1),
        ("add_verb", ROOT, 7, WIZARD, 5, 2, -1, 2),
        ("nothing of the kind",),
        (("set_name",), ROOT, "a"),
        (),
        5,
    ],
)
def test_an_operation_of_other_types_is_refused(operation: Any) -> None:
    world = minimal()
    before = dumped(world)
    with pytest.raises(JournalError, match="cannot be done to this world"):
        replay(world, [operation])
    assert dumped(world) == before
    assert [*world.check(owners=False)] == []


def test_a_value_that_shares_its_parts_is_looked_at_in_no_time() -> None:
    world = minimal()
    replay(world, [("add_property", ROOT, "p", SHARED, WIZARD, 1)])
    assert world.find_property(ROOT, "p") is not None


@pytest.mark.parametrize(
    "line", [b"i%d" % 2**63, b"i-%d" % (2**63 + 1), b"#%d" % 10**30]
)
def test_a_number_that_no_world_has_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"cannot be|that nothing has"):
        ValueReader().from_bytes(line)


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), Obj(2**63 - 1)])
def test_the_largest_numbers_are_read(number: int) -> None:
    assert ValueReader().from_bytes(ValueWriter().to_bytes(number)) == number


TASKS = [
    task
    for path in sorted((DATA / "tasks").glob("*.db"))
    for task in loaded(path.read_bytes()).tasks
]


def test_every_task_comes_back_as_it_was() -> None:
    assert len(TASKS) > 10
    for task in TASKS:
        value = task_to_value(task)
        assert task_to_value(task_from_value(value)) == value


@pytest.mark.parametrize("foreign", [5, "text", Obj(5), E_PERM, 1.5, (), UNSET])
def test_a_task_with_anything_else_in_a_place_is_none_or_sound(foreign: Any) -> None:
    """Whatever is read as a task can be written to a textdump again."""
    for task in TASKS[:12]:
        value = task_to_value(task)
        for changed in _with_one_changed(value, foreign):
            try:
                made = task_from_value(changed)
            except (LookupError, TypeError, ValueError):
                continue
            dumped(minimal(), [made])


def _with_one_changed(value: tuple[Any, ...], foreign: Any) -> list[tuple[Any, ...]]:
    """Return copies, in each of which one part, at any depth, is another."""
    found: list[tuple[Any, ...]] = []
    for place, part in enumerate(value):
        found.append((*value[:place], foreign, *value[place + 1 :]))
        if type(part) is tuple:
            found += [
                (*value[:place], inner, *value[place + 1 :])
                for inner in _with_one_changed(part, foreign)
            ]
    return found
