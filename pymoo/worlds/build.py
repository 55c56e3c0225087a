"""Worlds from their text: ``python -m pymoo.worlds.build [OUT]``.

`build_world` makes a `World` of what `source` has read, with every program checked
by the language's own parser.  Where the textdump of the starter core is, is told by
`starter`.

B1  The same files give the same bytes.
B2  A textdump is complete or not there: it is written beside its place and renamed.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pymoo.builtins.registry import CLASSIC_ORDER
from pymoo.db.objects import (
    ARGSPEC_ANY,
    ARGSPEC_NONE,
    ARGSPEC_THIS,
    BUILTIN_FLAGS,
    BUILTIN_PROPERTIES,
    CLEAR,
    FLAG_PLAYER,
    PREP_ANY,
    PREP_NONE,
    PROP_CHOWN,
    PROP_READ,
    PROP_WRITE,
    VERB_DEBUG,
    VERB_EXECUTE,
    VERB_READ,
    VERB_WRITE,
    Object,
)
from pymoo.db.prepositions import exact_preposition
from pymoo.db.textdump import dump
from pymoo.db.world import World
from pymoo.errors import MooSyntaxError, PymooError
from pymoo.lang.parser import parse_program
from pymoo.lang.program import Program
from pymoo.lang.unparse import unparse
from pymoo.values import NOTHING, Obj, fold
from pymoo.worlds.source import (
    ObjectSource,
    PropertySource,
    VerbSource,
    WorldSource,
    WorldSourceError,
)

_FUNCTIONS: Final = {name: name for name in CLASSIC_ORDER}
_FLAGS: Final = {**BUILTIN_FLAGS, "player": FLAG_PLAYER}
_PROP_PERMS: Final = {"r": PROP_READ, "w": PROP_WRITE, "c": PROP_CHOWN}
_VERB_PERMS: Final = {
    "r": VERB_READ,
    "w": VERB_WRITE,
    "x": VERB_EXECUTE,
    "d": VERB_DEBUG,
}
_ARGSPECS: Final = {"none": ARGSPEC_NONE, "any": ARGSPEC_ANY, "this": ARGSPEC_THIS}
_MESSAGE: Final = re.compile(r"Line ([0-9]+):  (.*)")
_PREPS: Final = {"none": PREP_NONE, "any": PREP_ANY}


def build_world(source: WorldSource) -> World:
    """Return the world that the files of a folder describe.

    Children and contents are in the order of their numbers, as are the players.

    Raises: WorldSourceError.
    """
    world = World()
    for _ in range(source.size):
        world.create(NOTHING)
    for number in {*range(source.size)} - {object_.objid for object_ in source.objects}:
        world.recycle(Obj(number))
    builder = _Builder(world)
    for make in (builder.describe, builder.relate, builder.define_properties):
        for object_ in source.objects:
            make(object_)
    by_objid = {object_.objid: object_ for object_ in source.objects}
    for record in parents_first(world):
        builder.inherit(record)
        builder.set_values(by_objid[record.id])
    for object_ in source.objects:
        builder.add_verbs(object_)
    findings = [*world.check()]
    if findings:
        raise WorldSourceError("\n".join(findings))
    return world


def parents_first(world: World) -> Iterator[Object]:
    """Yield all objects, each behind its parent."""
    for record in world.objects():
        if record.parent == NOTHING:
            yield record
            yield from world.descendants(record)


class _Builder:
    """Does one thing after the other to each object: all need the others' result."""

    def __init__(self, world: World) -> None:
        self._world = world

    def describe(self, source: ObjectSource) -> None:
        world = self._world
        world.set_owner(source.objid, source.owner)
        world.set_name(source.objid, source.name)
        for flag in source.flags:
            world.set_flag(source.objid, _FLAGS[flag], True)

    def relate(self, source: ObjectSource) -> None:
        world = self._world
        for what, other in (
            ("owner", source.owner),
            ("parent", source.parent),
            ("location", source.location),
        ):
            if not world.valid(other) and (what == "owner" or other != NOTHING):
                raise WorldSourceError(
                    f"{source.path}: expected an object of this world as {what}, "
                    f"found {other}"
                )
        for what, other in (("parent", source.parent), ("location", source.location)):
            if source.objid in self._chain(what, other):
                raise WorldSourceError(
                    f"{source.path}: the {what} of an object cannot be, in the end, "
                    "that object itself"
                )
        world.change_parent(source.objid, source.parent)
        world.change_location(source.objid, source.location)

    def _chain(self, what: str, objid: Obj) -> Iterator[Obj]:
        while (record := self._world.find(objid)) is not None:
            yield objid
            objid = record.parent if what == "parent" else record.location

    # --- properties ---------------------------------------------------------------

    def define_properties(self, source: ObjectSource) -> None:
        for item in source.properties:
            if item.is_new:
                assert item.value is not None
                assert item.perms is not None
                done = self._world.add_property(
                    source.objid,
                    item.name,
                    item.value,
                    source.owner if item.owner is None else item.owner,
                    _bits(_PROP_PERMS, item.perms),
                )
                if not done:
                    raise _error(
                        source,
                        item,
                        "a name that no ancestor, descendant or built-in property has",
                    )

    def inherit(self, record: Object) -> None:
        """Give inherited properties the owners and permissions of the parent's.

        So every object is as if it had been made after its parent was complete.
        """
        parent = self._world.find(record.parent)
        if parent is None:
            return
        for slot, (owner, perms) in enumerate(parent.infos, len(record.propdefs)):
            if perms & PROP_CHOWN:
                owner = record.owner
            if record.infos[slot] != (owner, perms):
                self._world.set_property_info(record, slot, owner, perms)

    def set_values(self, source: ObjectSource) -> None:
        for item in source.properties:
            if not item.is_new:
                self._set_value(source, item)

    def _set_value(self, source: ObjectSource, item: PropertySource) -> None:
        world = self._world
        name = fold(item.name)
        found = None
        if name not in BUILTIN_PROPERTIES:
            found = world.find_property(source.objid, name)
        if found is None or world[source.objid].own_slot(name) is not None:
            raise _error(source, item, "a property that an ancestor defines")
        record, slot = found
        world.set_property_value(
            record, slot, CLEAR if item.value is None else item.value
        )
        if item.perms is not None:
            owner = source.owner if item.owner is None else item.owner
            perms = _bits(_PROP_PERMS, item.perms)
            world.set_property_info(record, slot, owner, perms)

    # --- verbs --------------------------------------------------------------------

    def add_verbs(self, source: ObjectSource) -> None:
        for verb in source.verbs:
            self._add_verb(source, verb)

    def _add_verb(self, source: ObjectSource, verb: VerbSource) -> None:
        world = self._world
        prep = _PREPS.get(verb.prep)
        if prep is None:
            prep = exact_preposition(verb.prep.split("/")[0].split(" "))
            if prep == PREP_NONE:
                raise WorldSourceError(
                    f"{source.path}:{verb.line - 1}: expected none, any or a "
                    f"preposition, found {verb.prep}"
                )
        place = world.add_verb(
            source.objid,
            verb.names,
            source.owner if verb.owner is None else verb.owner,
            _bits(_VERB_PERMS, verb.perms),
            _ARGSPECS[verb.dobj],
            prep,
            _ARGSPECS[verb.iobj],
        )
        program = program_of(source, verb)
        if program is not None:
            lines = unparse(program, fully_parenthesized=True, indent=False)
            verbdef = world.find_indexed_verb(source.objid, place)
            assert verbdef is not None
            code = "".join(f"{line}\n" for line in lines)
            world.set_verb_code(source.objid, verbdef, code)


def program_of(source: ObjectSource, verb: VerbSource) -> Program | None:
    """Return what the parser makes of a verb's program; None if it has none.

    Raises: WorldSourceError with the parser's messages.
    """
    if verb.code is None:
        return None
    try:
        return parse_program(
            "".join(f"{line}\n" for line in verb.code), functions=_FUNCTIONS
        )
    except MooSyntaxError as error:
        raise WorldSourceError(
            "\n".join(_in_file(source, verb, message) for message in error.errors)
        ) from error


def _in_file(source: ObjectSource, verb: VerbSource, message: str) -> str:
    """Return a message of the parser with the place in the file."""
    match = _MESSAGE.fullmatch(message)
    assert match is not None, message
    place = f"{source.path}:{verb.line - 1 + int(match[1])}"
    return f'{place}: verb "{verb.names}": {match[2]}'


def _bits(table: dict[str, int], letters: str) -> int:
    return sum(table[letter] for letter in letters)


def _error(
    source: ObjectSource, item: PropertySource, expected: str
) -> WorldSourceError:
    return WorldSourceError(
        f"{source.path}:{item.line}: expected {expected}, found {item.name}"
    )


# --- files ------------------------------------------------------------------------


def write_textdump(world: World, path: Path) -> None:
    """Write a world as a textdump (B2).  Raises: OSError."""
    handle, temporary = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with open(handle, "wb") as stream:
            dump(world, stream)
        # mkstemp() makes a file that nobody else can read; a database is for all
        # that may read what is around it.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def main(arguments: list[str]) -> int:
    """Build the starter core to where `starter_textdump` finds it, or to a file."""
    from pymoo.worlds.starter import build_starter, starter_textdump

    if len(arguments) > 1:
        print("Usage: python -m pymoo.worlds.build [OUT]", file=sys.stderr)
        return 2
    try:
        if arguments:
            path = Path(arguments[0])
            write_textdump(build_starter(), path)
        else:
            path = starter_textdump()
    except (PymooError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
