"""A database of any size, the same each time: rooms, things in them, and verbs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pymoo.db.objects import (
    ARGSPEC_THIS,
    FLAG_PLAYER,
    FLAG_PROGRAMMER,
    FLAG_WIZARD,
    PREP_NONE,
    PROP_READ,
    VERB_DEBUG,
    VERB_EXECUTE,
    VERB_READ,
)
from pymoo.db.textdump import dump
from pymoo.db.world import World
from pymoo.values import NOTHING, Obj

_CLASSES: Final = 20
_THINGS_PER_ROOM: Final = 25
_PROPERTIES: Final = 6  # of each class
_VERB: Final = (
    "{what, ?where = this.location} = args;\n"
    "if (valid(where) && what in where.contents)\n"
    '  notify(player, tostr(this.name, " is beside ", what.name, "."));\n'
    "endif\n"
    "return this.p1;\n"
)
_CALLABLE: Final = VERB_READ | VERB_EXECUTE | VERB_DEBUG


def write_many_objects(path: Path, count: int) -> None:
    """Write a database of ``count`` objects; every tenth has verbs of its own.

    Raises: OSError.
    """
    world = World()
    system, root, wizard = (world.create(Obj(2), NOTHING) for _ in range(3))
    for objid, name in ((system, "System"), (root, "Root"), (wizard, "Wizard")):
        world.set_name(objid, name)
    for flag in (FLAG_PLAYER, FLAG_PROGRAMMER, FLAG_WIZARD):
        world.set_flag(wizard, flag, True)
    _program(world, system, "do_login_command", f"return {wizard};\n", wizard)
    classes = [_class(world, number, root, wizard) for number in range(_CLASSES)]
    room = NOTHING
    for number in range(count - len(world)):
        objid = world.create(wizard, classes[number % _CLASSES])
        world.set_name(objid, f"object number {number}")
        if number % _THINGS_PER_ROOM == 0:
            room = objid
        else:
            world.change_location(objid, room)
        record = world[objid]
        world.set_property_value(record, 0, f"The description of object {number}.")
        world.set_property_value(record, 1, (f"alias {number}", number, objid))
        if number % 10 == 0:
            _program(world, objid, f"own_{number}", _VERB, wizard)
    with open(path, "wb") as stream:
        dump(world, stream)


def _class(world: World, number: int, root: Obj, wizard: Obj) -> Obj:
    objid = world.create(wizard, root)
    world.set_name(objid, f"class {number}")
    for place in range(1, _PROPERTIES + 1):
        world.add_property(objid, f"p{place}", place, wizard, PROP_READ)
        _program(world, objid, f"verb_{place}", _VERB, wizard)
    return objid


def _program(world: World, objid: Obj, name: str, code: str, owner: Obj) -> None:
    world.add_verb(objid, name, owner, _CALLABLE, ARGSPEC_THIS, PREP_NONE, ARGSPEC_THIS)
    world.set_verb_code(objid, world[objid].verbs[-1], code)
