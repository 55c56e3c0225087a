"""Operations on a world, done once more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.db.journal import Operation
from pymoo.db.journal_values import ValueReader, ValueWriter
from pymoo.db.objects import CLEAR, FLAG_WIZARD
from pymoo.db.redo import _METHODS, JournalError, operation_to_value, replay
from pymoo.db.world import World
from pymoo.values import NOTHING, Obj
from tests.db.worlds import ROOM, ROOT, WIZARD, dumped, minimal, value_of
from tests.strategies import values


def furnished() -> World:
    """Return a world with properties and verbs to change."""
    world = minimal()
    assert world.add_property(ROOT, "p", 1, WIZARD, 3)
    world.add_verb(ROOM, "look", WIZARD, 13, 2, -1, 2)
    return world


def redone(change: Any) -> list[Operation]:
    """Do something to a world, then the same to another; return the operations."""
    world, again = furnished(), furnished()
    world.journal.keep_redo(True)
    change(world)
    operations = world.journal.take_redo()
    record = tuple(map(operation_to_value, operations))
    replay(again, ValueReader().from_bytes(ValueWriter().to_bytes(record)))
    assert dumped(again) == dumped(world)
    assert list(again.check(owners=False)) == []
    return operations


def look(world: World) -> Any:
    verbdef = world.find_indexed_verb(ROOM, 1)
    assert verbdef is not None
    return verbdef


CHANGES = {
    "create": lambda w: w.create(NOTHING, ROOT),
    "recycle": lambda w: w.recycle(w.create(WIZARD, ROOM)),
    "renumber": lambda w: (
        w.create(WIZARD, ROOT),
        w.create(WIZARD, ROOT),
        w.recycle(Obj(4)),
        w.renumber(Obj(5)),
    ),
    "reset_max_object": lambda w: (
        w.recycle(w.create(WIZARD, ROOT)),
        w.reset_max_object(),
    ),
    "set_name": lambda w: w.set_name(ROOM, "Cellar\xe9"),
    "set_owner": lambda w: w.set_owner(ROOM, Obj(-1)),
    "set_flag": lambda w: w.set_flag(ROOM, FLAG_WIZARD, True),
    "change_location": lambda w: w.change_location(WIZARD, NOTHING),
    "change_parent": lambda w: w.change_parent(ROOM, NOTHING),
    "set_value": lambda w: w.set_property_value(w[ROOT], 0, (1, ("x", -0.0))),
    "clear_value": lambda w: (
        w.set_property_value(w[ROOM], 0, 5),
        w.set_property_value(w[ROOM], 0, CLEAR),
    ),
    "set_property_info": lambda w: w.set_property_info(w[ROOM], 0, ROOM, 5),
    "add_property": lambda w: w.add_property(ROOM, "q", {}.get(1, ()), WIZARD, 7),
    "delete_property": lambda w: w.delete_property(ROOT, "P"),
    "rename_property": lambda w: w.rename_property(ROOT, "p", "Q"),
    "add_verb": lambda w: w.add_verb(ROOT, "v w*x", ROOM, 7, 1, 4, 0),
    "delete_verb": lambda w: w.delete_verb(ROOM, look(w)),
    "set_verb_names": lambda w: w.set_verb_names(ROOM, look(w), "see"),
    "set_verb_owner": lambda w: w.set_verb_owner(ROOM, look(w), ROOM),
    "set_verb_flags": lambda w: w.set_verb_flags(ROOM, look(w), 1),
    "set_verb_args": lambda w: w.set_verb_args(ROOM, look(w), 1, -2, 1),
    "set_verb_code": lambda w: w.set_verb_code(ROOM, look(w), "return 1;\nx = 2;\n"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_r1_each_operation_is_a_list_that_begins_with_its_name(name: str) -> None:
    operations = redone(CHANGES[name])
    assert name in [operation_to_value(each)[0] for each in operations]  # type: ignore[index]


def test_r1_there_is_one_for_each_method_that_is_replayed() -> None:
    assert set(_METHODS) == set(CHANGES)


WRONG = {
    "no list": 5,
    "no name": (),
    "an unknown name": ("abolish", 1),
    "too few arguments": ("create", Obj(4)),
    "too many arguments": ("reset_max_object", 1),
    "an object that was created already": ("create", ROOM, WIZARD, ROOT),
    "an object that would be created later": ("create", Obj(7), WIZARD, ROOT),
    "an object that is not there": ("set_name", Obj(77), "x"),
    "nothing to be renumbered": ("renumber", Obj(77)),
    "somebody with a location": ("recycle", WIZARD),
    "something with contents": ("recycle", ROOM),
    "a slot that is not there": ("set_value", ROOT, 5, 1),
    "a slot before the first": ("set_value", ROOT, -1, 1),
    "a clear slot that is not there": ("clear_value", ROOT, 5),
    "infos of a slot that is not there": ("set_property_info", ROOT, 5, WIZARD, 0),
    "infos before the first": ("set_property_info", ROOT, -1, WIZARD, 0),
    "a property that is there": ("add_property", ROOT, "p", 1, WIZARD, 0),
    "a property that is not there": ("delete_property", ROOT, "q"),
    "a property that is not there to rename": ("rename_property", ROOT, "q", "r"),
    "a verb that is not there": ("delete_verb", ROOM, 1),
    "a verb before the first": ("delete_verb", ROOM, -1),
    "a parent that defines the same": ("change_parent", ROOT, Obj(4)),
}


@pytest.mark.parametrize("name", WRONG)
def test_r2_what_does_not_belong_to_the_world_is_an_error(name: str) -> None:
    world = furnished()
    world.create(WIZARD, NOTHING)
    assert world.add_property(Obj(4), "p", 1, WIZARD, 3)
    before = dumped(world)
    with pytest.raises(JournalError, match="cannot be done to this world"):
        replay(world, [WRONG[name]])  # type: ignore[list-item]
    assert dumped(world) == before


def test_r2_those_before_the_first_that_cannot_be_done_are() -> None:
    world = furnished()
    with pytest.raises(JournalError):
        replay(world, [("set_value", ROOT, 0, 7), ("recycle", ROOM)])
    assert value_of(world, ROOT, "p") == 7


arguments = st.one_of(
    st.integers(-2, 6),
    st.integers(-2, 6).map(Obj),
    st.sampled_from(["p", "q", "look", ""]),
    values(max_leaves=3),
)


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(_METHODS)), st.lists(arguments, max_size=8)),
        max_size=6,
    )
)
def test_any_operations_are_done_or_a_journal_error(
    operations: list[tuple[str, list[Any]]],
) -> None:
    world = furnished()
    try:
        replay(world, [(name, *parts) for name, parts in operations])
    except JournalError:
        return


def test_r2_a_message_is_short_whatever_the_values_are() -> None:
    value: Any = ()
    for _ in range(100_000):
        value = (value, value)
    for wrong in (("set_value", Obj(77), 0, value), ("set_name", value, value), value):
        with pytest.raises(JournalError) as caught:
            replay(minimal(), [wrong])
        assert len(str(caught.value)) < 300
