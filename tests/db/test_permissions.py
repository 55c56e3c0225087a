"""Who may do what."""

from __future__ import annotations

import pytest

from pymoo.db.objects import (
    FLAG_FERTILE,
    FLAG_READ,
    FLAG_WIZARD,
    PROP_CHOWN,
    PROP_READ,
    PROP_WRITE,
    VERB_EXECUTE,
    VERB_READ,
    VERB_WRITE,
)
from pymoo.db.permissions import (
    controls,
    object_allows,
    property_allows,
    verb_allows,
)
from pymoo.values import NOTHING, Obj
from tests.db.worlds import ROOT, WIZARD, minimal

GONE = Obj(99)


@pytest.fixture
def scene():
    world = minimal()
    owner = world.create(NOTHING, ROOT)
    stranger = world.create(NOTHING, ROOT)
    thing = world.create(owner, ROOT)
    return world, owner, stranger, world[thing]


def test_owners_and_wizards_control_an_object(scene):
    world, owner, stranger, thing = scene
    assert controls(world, owner, thing)
    assert controls(world, WIZARD, thing)
    assert not controls(world, stranger, thing)
    assert not controls(world, GONE, thing)


def test_a_flag_of_an_object_allows_it_to_everybody(scene):
    world, owner, stranger, thing = scene
    assert object_allows(world, owner, thing, FLAG_READ)
    assert object_allows(world, WIZARD, thing, FLAG_READ)
    assert not object_allows(world, stranger, thing, FLAG_READ)
    world.set_flag(thing.id, FLAG_READ, True)
    assert object_allows(world, stranger, thing, FLAG_READ)
    assert not object_allows(world, stranger, thing, FLAG_FERTILE)


def test_a_bit_of_a_property_allows_it_to_everybody(scene):
    world, owner, stranger, _ = scene
    info = (owner, PROP_READ | PROP_CHOWN)
    assert property_allows(world, stranger, info, PROP_READ)
    assert not property_allows(world, stranger, info, PROP_WRITE)
    assert property_allows(world, owner, info, PROP_WRITE)
    assert property_allows(world, WIZARD, info, PROP_WRITE)


def test_a_bit_of_a_verb_allows_it_to_everybody(scene):
    world, owner, stranger, thing = scene
    world.add_verb(thing.id, "foo", owner, VERB_READ | VERB_EXECUTE, 2, -1, 2)
    (verbdef,) = thing.verbs
    assert verb_allows(world, stranger, verbdef, VERB_READ)
    assert not verb_allows(world, stranger, verbdef, VERB_WRITE)
    assert verb_allows(world, owner, verbdef, VERB_WRITE)
    assert verb_allows(world, WIZARD, verbdef, VERB_WRITE)


def test_who_is_no_longer_valid_is_no_wizard_but_still_an_owner(scene):
    world, owner, _, thing = scene
    world.set_flag(owner, FLAG_WIZARD, True)
    world.recycle(owner)
    assert not world.is_wizard(owner)
    assert controls(world, owner, thing)
