"""The values that everybody may read, kept by name and object."""

from __future__ import annotations

import random

import pytest

from pymoo.db import readable
from pymoo.db.objects import CLEAR, PROP_READ, PROP_WRITE
from pymoo.db.world import World
from pymoo.tasks.commands import match_object
from pymoo.values import FAILED_MATCH, NOTHING, Obj

NAMES = ("aliases", "color", "size")


def remember_all(world: World) -> None:
    """Read everything that can be read."""
    for record in world.objects():
        for name, slot in record.layout.slots.items():
            world.readable.table(name)
            if record.infos[slot][1] & PROP_READ:
                value = world.property_value(record, slot)
                world.readable.remember(record, name, value)


def check(world: World) -> None:
    """R1: what is kept is what is there."""
    for name in NAMES:
        for objid, value in world.readable.table(name).items():
            record = world.find(objid)
            assert record is not None, f"{objid}.{name} is kept, but there is no object"
            slot = record.layout.slots[name]
            assert record.infos[slot][1] & PROP_READ
            assert world.property_value(record, slot) == value, f"{objid}.{name}"


def change(world: World, rng: random.Random) -> None:
    """Do one thing at random that may change what can be read."""
    objects = [record.id for record in world.objects()]
    objid, other = rng.choice(objects), rng.choice(objects)
    record = world[objid]
    name = rng.choice(NAMES)
    slot = record.layout.slots.get(name)
    match rng.randrange(9):
        case 0:
            world.create(objid, objid)
        case 1:
            if len(objects) > 3 and not record.contents:
                world.recycle(objid)
        case 2:
            above = world.ancestors(world[other])
            if all(each.id != objid for each in above):
                world.change_parent(objid, other)
        case 3:
            world.add_property(objid, name, rng.randrange(99), objid, PROP_READ)
        case 4:
            world.delete_property(objid, name)
        case 5:
            world.rename_property(objid, name, rng.choice(NAMES))
        case 6 if slot is not None:
            world.set_property_value(record, slot, rng.randrange(99))
        case 7 if slot is not None:
            world.set_property_value(record, slot, CLEAR)
        case 8 if slot is not None:
            perms = rng.choice([0, PROP_READ, PROP_READ | PROP_WRITE])
            world.set_property_info(record, slot, other, perms)
    if rng.randrange(20) == 0 and world.valid(objid):
        world.renumber(objid)


@pytest.mark.parametrize("seed", range(60))
def test_a_value_that_is_kept_is_the_present_one(seed: int) -> None:
    rng = random.Random(seed)
    world = World()
    for _ in range(4):
        world.create(NOTHING, rng.choice([NOTHING, world.max_object]))
    for _ in range(120):
        remember_all(world)
        change(world, rng)
        check(world)


def test_tables_stay_the_same_objects() -> None:
    world = World()
    root = world.create(NOTHING)
    world.add_property(root, "color", "red", root, PROP_READ)
    table = world.readable.table("color")
    remember_all(world)
    assert table == {root: "red"}
    world.readable.forget_all()
    assert world.readable.table("color") is table
    assert table == {}


def test_what_is_kept_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readable, "MAX_VALUES", 10)
    monkeypatch.setattr(readable, "MAX_TABLES", 2)
    world = World()
    root = world.create(NOTHING)
    for name in NAMES:
        world.add_property(root, name, 1, root, PROP_READ)
    for _ in range(30):
        world.create(root, root)
        remember_all(world)
        assert sum(len(world.readable.table(name)) for name in NAMES) <= 10
    assert world.readable.table(NAMES[2]) is not world.readable.table(NAMES[2])


def test_the_command_parser_hears_of_new_names() -> None:
    world = World()
    root = world.create(NOTHING)
    player, box = world.create(root, root), world.create(root, root)
    world.add_property(root, "aliases", (), root, PROP_READ)
    world.change_location(box, player)

    def matches(text: str) -> bool:
        return match_object(world, text, player) == box

    world.set_name(box, "Box")
    assert matches("bo")
    world.set_name(box, "Crate")
    assert matches("crate")
    assert match_object(world, "box", player) == FAILED_MATCH
    slot = world[box].layout.slots["aliases"]
    world.set_property_value(world[box], slot, ("Kiste", 5, "a\nkasten"))
    assert matches("KIST")
    assert matches("a\nk")
    assert not matches("kasten")
    world.set_property_value(world[box], slot, CLEAR)
    assert not matches("kiste")
    world.set_property_value(world[root], slot, ("thing",))
    assert matches("thing")
    world.delete_property(root, "aliases")
    assert not matches("thing")
    assert world.find(Obj(99)) is None
