"""What a slice has changed, how it is taken back, and what was done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pymoo
from pymoo.db.world import World
from pymoo.errors import InternalError
from tests.db.test_redo import furnished, look, redone
from tests.db.worlds import ROOM, ROOT, SYSTEM, WIZARD, dumped


def test_j1_entries_are_undone_in_the_opposite_order() -> None:
    journal = furnished().journal
    done: list[int] = []
    journal.begin()
    for number in range(5):
        journal.note((done.append, number))
        journal.note_output((done.append, 10 + number))
    assert len(journal) == 5
    journal.rollback()
    assert done == [4, 3, 2, 1, 0, 14, 13, 12, 11, 10]
    assert len(journal) == 0


def test_j1_what_is_undone_is_the_world_as_it_was() -> None:
    world = furnished()
    before = dumped(world)
    world.journal.begin()
    child = world.create(WIZARD, ROOM)
    world.set_property_value(world[child], 0, 5)
    world.add_property(SYSTEM, "first", 2, WIZARD, 3)
    world.change_parent(ROOM, SYSTEM)
    world.set_property_value(world[child], 0, 6)
    world.set_name(child, "child")
    world.recycle(child)
    world.delete_verb(ROOM, look(world))
    world.rollback()
    assert dumped(world) == before
    assert list(world.check(owners=False)) == []


def test_j1_output_may_stay() -> None:
    journal = furnished().journal
    done: list[int] = []
    journal.begin()
    journal.note_output((done.append, 1))
    journal.rollback(keep_output=True)
    assert done == []


def test_j2_what_is_held_happens_once_in_its_order_after_the_slice() -> None:
    journal = furnished().journal
    done: list[int] = []
    journal.begin()
    for number in range(3):
        journal.hold(done.append, number)
    assert done == []
    journal.commit()
    assert done == [0, 1, 2]
    journal.begin()
    journal.commit()
    assert done == [0, 1, 2]


def test_j2_or_never() -> None:
    journal = furnished().journal
    done: list[int] = []
    journal.begin()
    journal.hold(done.append, 1)
    journal.rollback()
    journal.begin()
    journal.commit()
    assert done == []


def test_j3_between_slices_nothing_is_noted_and_what_is_held_happens_at_once() -> None:
    world = furnished()
    journal = world.journal
    done: list[int] = []
    journal.note((done.append, 1))
    journal.note_output((done.append, 2))
    world.set_name(ROOM, "stays")
    world.set_property_value(world[ROOT], 0, "stays")
    journal.hold(done.append, 3)
    assert done == [3]
    assert len(journal) == 0
    journal.begin()
    world.rollback()
    assert done == [3]
    assert world[ROOM].name == "stays"


def test_j3_a_slice_does_not_begin_within_another_one() -> None:
    journal = furnished().journal
    journal.begin()
    with pytest.raises(InternalError):
        journal.begin()


def test_j4_nobody_but_the_world_notes_changes_of_records() -> None:
    folder = Path(pymoo.__file__).parent
    noting = re.compile(r"\bnote_(?:value|text)\(|\btell(?:_move)?\(\(")
    found = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if noting.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"db/journal.py", "db/world.py"}


def test_j5_what_a_slice_did_that_is_undone_is_not_told() -> None:
    def change(world: World) -> None:
        world.set_name(ROOM, "before")
        world.journal.begin()
        world.set_name(ROOM, "undone")
        world.set_property_value(world[ROOT], 0, 5)
        world.create(WIZARD, ROOT)
        world.rollback()
        world.journal.begin()
        world.set_property_value(world[ROOT], 0, 6)
        world.journal.commit()
        world.set_property_value(world[ROOM], 0, 7)

    names = [operation[0] for operation in redone(change)]
    assert names == ["set_name", "set_value", "set_value"]


def test_j5_of_a_property_that_is_set_again_and_again_the_last_value_is_told() -> None:
    def change(world: World) -> None:
        world.journal.begin()
        for number in range(1000):
            world.set_property_value(world[ROOT], 0, number)
            world.set_name(ROOM, str(number))
        world.journal.commit()

    assert redone(change) == [("set_value", ROOT, 0, 999), ("set_name", ROOM, "999")]


def test_j5_values_that_were_set_before_their_places_moved() -> None:
    def change(world: World) -> None:
        world.journal.begin()
        world.set_property_value(world[ROOM], 0, "kept")
        world.add_property(SYSTEM, "first", 2, WIZARD, 3)
        world.set_property_value(world[SYSTEM], 0, "own")
        world.set_property_value(world[SYSTEM], 1, "inherited")
        world.change_parent(ROOM, SYSTEM)
        child = world.create(WIZARD, ROOM)
        world.set_property_value(world[child], 0, 5)
        world.recycle(child)
        world.journal.commit()

    redone(change)


def test_j5_texts_of_what_is_gone_are_not_told() -> None:
    def change(world: World) -> None:
        world.journal.begin()
        child = world.create(WIZARD, ROOM)
        world.set_name(child, "gone")
        world.set_verb_names(ROOM, look(world), "gone")
        world.delete_verb(ROOM, look(world))
        world.recycle(child)
        world.journal.commit()

    assert [each[0] for each in redone(change)] == ["create", "delete_verb", "recycle"]


def test_j5_keeping_begins_and_ends_between_slices() -> None:
    world = furnished()
    world.journal.begin()
    with pytest.raises(InternalError):
        world.journal.keep_redo(True)
    world.journal.commit()
    world.journal.keep_redo(True)
    world.set_name(ROOM, "kept")
    world.journal.keep_redo(False)
    world.set_name(ROOM, "not kept")
    world.create(WIZARD, ROOT)
    assert world.journal.take_redo() == []


def test_a_journal_knows_when_a_slice_is_under_way_to_its_last_act() -> None:
    journal = furnished().journal
    seen: list[bool] = []

    def look_at_it() -> None:
        seen.append(journal.is_under_way)

    journal.begin()
    look_at_it()
    journal.hold(look_at_it)
    journal.commit()
    assert not journal.is_under_way
    journal.begin()
    journal.note((look_at_it,))
    journal.rollback()
    assert not journal.is_under_way
    assert seen == [True] * 3
