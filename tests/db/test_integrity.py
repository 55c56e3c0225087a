"""Each kind of damage is found and named."""

from __future__ import annotations

import pytest

from pymoo.db.objects import CLEAR, FLAG_PLAYER, NO_LAYOUT, Layout
from pymoo.values import NOTHING, Obj
from tests.db.worlds import ROOM, ROOT, SYSTEM, WIZARD, add_verb, minimal

GONE = Obj(99)


@pytest.fixture
def world():
    world = minimal()
    world.add_property(ROOT, "p", 1, WIZARD, 1)
    world.add_property(SYSTEM, "q", 1, WIZARD, 1)
    return world


def damage_parent(world):
    world[SYSTEM].parent = GONE


def damage_children(world):
    world[ROOT].children = {ROOM: None, WIZARD: None}


def damage_up_and_down(world):
    world[ROOM].children = {SYSTEM: None}


def damage_contents(world):
    world[ROOM].contents = {WIZARD: None, GONE: None}


def damage_location(world):
    world[WIZARD].location = ROOT


def make_circle(world):
    world[ROOT].parent = SYSTEM
    world[SYSTEM].children = {ROOT: None}


def move_record(world):
    world[SYSTEM].id = Obj(50)


def hide_record(world):
    world._size = 3


def lose_value(world):
    world[SYSTEM].values.pop()


def lose_info(world):
    world[SYSTEM].infos = ()


def lose_layout(world):
    world[ROOM].layout = NO_LAYOUT


def share_layout(world):
    world[SYSTEM].layout = world[ROOT].layout


def change_layout(world):
    world[SYSTEM].layout = Layout(["q"])


def change_slots(world):
    world[SYSTEM].layout.slots["q"] = 1


def define_twice(world):
    world[SYSTEM].propdefs = ("p",)
    world[SYSTEM].layout = Layout(["p", "p"])


def define_built_in(world):
    world[SYSTEM].propdefs = ("Owner",)
    world[SYSTEM].layout = Layout(["owner", "p"])


def clear_definition(world):
    world[SYSTEM].values[0] = CLEAR


@pytest.mark.parametrize(
    ("damage", "findings"),
    [
        (
            damage_parent,
            [
                "#0.parent is #99, which is not valid",
                "#0 is on #1's child list by mistake",
            ],
        ),
        (damage_children, ["#0 is not in its parent #1's child list"]),
        (damage_up_and_down, ["#0 is on #2's child list by mistake"]),
        (damage_contents, ["#99 on #2's contents list is not valid"]),
        (
            damage_location,
            [
                "#3 is not in its location #1's contents list",
                "#3 is on #2's contents list by mistake",
            ],
        ),
        (make_circle, ["the chain of parents from #0 runs in a circle"]),
        (move_record, ["the record of #50 is kept under another number"]),
        (
            hide_record,
            ["4 objects are there, but only 3 of them have numbers from #0 to #2"],
        ),
        (lose_value, ["#0 has 2 properties, but 1 values"]),
        (lose_info, ["#0 has 2 properties, but 0 owners and permissions"]),
        (lose_layout, ["#2 defines no property but has a layout of its own"]),
        (share_layout, ["#0 defines properties but has its parent's layout"]),
        (
            change_layout,
            [
                "the layout of #0 is not its own 1 properties and then the 1 of its "
                "parent"
            ],
        ),
        (change_slots, ["#0 finds its properties in wrong slots"]),
        (define_twice, ["#0 has two properties with the name p"]),
        (
            define_built_in,
            [
                "#0 defines a property owner, which nobody can reach, as one with that "
                "name is built in"
            ],
        ),
        (clear_definition, ["#0.q is clear where it is defined"]),
    ],
)
def test_damage_is_found(world, damage, findings):
    assert list(world.check()) == []
    damage(world)
    found = list(world.check(owners=False))
    assert set(findings) <= set(found)


def test_owners_that_are_gone_are_told_but_are_no_damage(world):
    owner = world.create(NOTHING, ROOT)
    world.set_owner(ROOM, owner)
    add_verb(world, ROOM, "foo bar")
    world.set_verb_owner(ROOM, world[ROOM].verbs[0], owner)
    record, slot = world.find_property(ROOM, "p")
    world.set_property_info(record, slot, owner, 1)
    world.recycle(owner)
    assert list(world.check(owners=False)) == []
    assert list(world.check()) == [
        "#2 is owned by #4, which is not valid",
        "verb 1 of #2 (foo bar) is owned by #4, which is not valid",
        "#2.p is owned by #4, which is not valid",
    ]


def test_lists_of_players_that_contradict_the_flags_are_told(world):
    world._players = (ROOM, GONE, ROOM)
    assert list(world.check(owners=False)) == []
    assert list(world.check()) == [
        "#3 has the player flag, but is not in players()",
        "#2 is in players(), but does not have the player flag",
        "#99 is in players(), but is not valid",
        "#2 is in players(), but does not have the player flag",
        "an object is in players() more than once",
    ]


def test_flags_make_a_player_only_with_the_list():
    world = minimal()
    world[ROOM].flags |= FLAG_PLAYER
    assert list(world.check()) == ["#2 has the player flag, but is not in players()"]
