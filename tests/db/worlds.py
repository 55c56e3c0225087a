"""Small worlds and databases to test with."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pymoo.db.objects import FLAG_PLAYER, FLAG_PROGRAMMER, FLAG_WIZARD
from pymoo.db.saved import SavedConnection, SavedTask
from pymoo.db.textdump import Textdump, dump, load
from pymoo.db.textdump_programs import ProgramChecker
from pymoo.db.world import World
from pymoo.lang.parser import parse_program
from pymoo.lang.unparse import unparse
from pymoo.values import NOTHING, Obj, Value, fold

DATA = Path(__file__).parents[1] / "data" / "textdumps"

SYSTEM, ROOT, ROOM, WIZARD = Obj(0), Obj(1), Obj(2), Obj(3)

FUNCTIONS: Mapping[str, str] = {
    name: name
    for name in (
        "call_function create eval length move notify queued_tasks recycle suspend "
        "tostr toliteral"
    ).split()
}
"""Enough of the built-in functions for the programs in the test data."""


class Checker:
    """Knows the language, as the classic command line would have it."""

    def check_program(
        self, text: str, version: int, warn: Callable[[str], None]
    ) -> str:
        program = parse_program(text, functions=FUNCTIONS, version=version, warn=warn)
        lines = unparse(program, fully_parenthesized=True, indent=False)
        return "".join(f"{line}\n" for line in lines)

    def is_behind_call(self, text: str, version: int, vector: int, pc: int) -> bool:
        return pc > 1

    def has_function(self, name: str) -> bool:
        return name in FUNCTIONS


def minimal() -> World:
    """A world like Minimal.db: #0, root #1, room #2, and in it wizard #3."""
    world = World()
    for owner, parent, name in (
        (WIZARD, NOTHING, "System Object"),
        (WIZARD, NOTHING, "Root Class"),
        (WIZARD, NOTHING, "The First Room"),
        (WIZARD, NOTHING, "Wizard"),
    ):
        objid = world.create(owner, parent)
        world.set_name(objid, name)
    for objid in (SYSTEM, ROOM, WIZARD):
        world.change_parent(objid, ROOT)
    world.change_location(WIZARD, ROOM)
    for flag in (FLAG_PLAYER, FLAG_PROGRAMMER, FLAG_WIZARD):
        world.set_flag(WIZARD, flag, True)
    return world


def value_of(world: World, objid: Obj, name: str) -> Value:
    """The value of a property that is there."""
    found = world.find_property(objid, fold(name))
    assert found is not None, f"{objid} has no property {name}"
    return world.property_value(*found)


def info_of(world: World, objid: Obj, name: str) -> tuple[Obj, int]:
    """Owner and permissions of a property that is there."""
    found = world.find_property(objid, fold(name))
    assert found is not None, f"{objid} has no property {name}"
    record, slot = found
    return record.infos[slot]


def set_value(world: World, objid: Obj, name: str, value: Value) -> None:
    """Set a property that is there."""
    found = world.find_property(objid, fold(name))
    assert found is not None, f"{objid} has no property {name}"
    world.set_property_value(*found, value)


def add_verb(
    world: World, objid: Obj, names: str, flags: int = 5, code: str | None = None
) -> None:
    """Add a verb ``this none this``, readable and executable."""
    place = world.add_verb(objid, names, WIZARD, flags, 2, -1, 2)
    if code is not None:
        verbdef = world.find_indexed_verb(objid, place)
        assert verbdef is not None
        world.set_verb_code(objid, verbdef, code)


def dumped(
    world: World,
    tasks: Iterable[SavedTask] = (),
    connections: Iterable[SavedConnection] = (),
) -> bytes:
    """The textdump of a world."""
    stream = io.BytesIO()
    dump(world, stream, tasks=tasks, connections=connections)
    return stream.getvalue()


def dumped_again(textdump: Textdump) -> bytes:
    """The textdump of what was loaded."""
    return dumped(textdump.world, textdump.tasks, textdump.connections)


def loaded(data: bytes, checker: ProgramChecker | None = None) -> Textdump:
    """What a textdump holds."""
    return load(io.BytesIO(data), name="test.db", checker=checker)
