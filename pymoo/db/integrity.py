"""What may be wrong in a world: the checks behind `World.check`.

Every finding is a line of text that names the objects concerned.  Nothing here
trusts what it looks at, and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from pymoo.db.objects import (
    BUILTIN_PROPERTIES,
    CLEAR,
    FLAG_PLAYER,
    NO_LAYOUT,
    Layout,
    Object,
    sound_verb_perms,
)
from pymoo.db.prepositions import is_preposition
from pymoo.values import NOTHING, Obj, fold

if TYPE_CHECKING:
    from pymoo.db.world import World


def structure_findings(world: World) -> Iterator[str]:
    """Yield what contradicts W1 to W3: relations, layouts, lengths."""
    top = world.max_object
    count = 0
    for record in world.objects():
        count += 1
        yield from _relation_findings(
            world,
            record,
            "parent",
            record.parent,
            "child",
            record.children,
            lambda other: other.parent,
            lambda other: other.children,
        )
        yield from _relation_findings(
            world,
            record,
            "location",
            record.location,
            "contents",
            record.contents,
            lambda other: other.location,
            lambda other: other.contents,
        )
        yield from _property_findings(world, record)
    if count != len(world):
        yield (
            f"{len(world)} objects are there, but only {count} of them have numbers "
            f"from #0 to {top}"
        )
    yield from _circle_findings(world, "parent", lambda record: record.parent)
    yield from _circle_findings(world, "location", lambda record: record.location)


def _relation_findings(
    world: World,
    record: Object,
    up_name: str,
    up: Obj,
    down_name: str,
    down: Mapping[Obj, int],
    up_of: Callable[[Object], Obj],
    down_of: Callable[[Object], Mapping[Obj, int]],
) -> Iterator[str]:
    if world.find(record.id) is not record:
        yield f"the record of {record.id} is kept under another number"
    above = world.find(up)
    if above is None:
        if up != NOTHING:
            yield f"{record.id}.{up_name} is {up}, which is not valid"
    elif record.id not in down_of(above):
        yield f"{record.id} is not in its {up_name} {up}'s {down_name} list"
    for objid in down:
        below = world.find(objid)
        if below is None:
            yield f"{objid} on {record.id}'s {down_name} list is not valid"
        elif up_of(below) != record.id:
            yield f"{objid} is on {record.id}'s {down_name} list by mistake"


def _circle_findings(
    world: World, name: str, up_of: Callable[[Object], Obj]
) -> Iterator[str]:
    ends: set[Obj] = {NOTHING}
    for record in world.objects():
        chain: dict[Obj, None] = {}
        at: Object | None = record
        while at is not None and at.id not in ends and at.id not in chain:
            chain[at.id] = None
            at = world.find(up_of(at))
        if at is not None and at.id in chain:
            yield f"the chain of {name}s from {record.id} runs in a circle"
        ends.update(chain)


def _property_findings(world: World, record: Object) -> Iterator[str]:
    parent = world.find(record.parent)
    inherited = NO_LAYOUT if parent is None else parent.layout
    layout = record.layout
    if not record.propdefs:
        if layout is not inherited:
            yield f"{record.id} defines no property but has a layout of its own"
    elif layout is inherited:
        yield f"{record.id} defines properties but has its parent's layout"
    else:
        yield from _layout_findings(record, inherited)
    for what, length in (
        ("values", len(record.values)),
        ("owners and permissions", len(record.infos)),
    ):
        if length != len(layout.names):
            yield (
                f"{record.id} has {len(layout.names)} properties, but {length} {what}"
            )
    for name, value in zip(record.propdefs, record.values, strict=False):
        if value is CLEAR:
            yield f"{record.id}.{name} is clear where it is defined"


def _layout_findings(record: Object, inherited: Layout) -> Iterator[str]:
    layout = record.layout
    own = [fold(name) for name in record.propdefs]
    if layout.names != [*own, *inherited.names]:
        yield (
            f"the layout of {record.id} is not its own {len(own)} properties and "
            f"then the {len(inherited.names)} of its parent"
        )
    first = {name: slot for slot, name in reversed([*enumerate(layout.names)])}
    if layout.slots != {
        name: slot for name, slot in first.items() if name not in BUILTIN_PROPERTIES
    }:
        yield f"{record.id} finds its properties in wrong slots"
    for name in own:
        if name in BUILTIN_PROPERTIES:
            yield (
                f"{record.id} defines a property {name}, which nobody can reach, as "
                "one with that name is built in"
            )
    for slot, name in enumerate(layout.names):
        if first[name] != slot:
            yield f"{record.id} has two properties with the name {name}"


def owner_findings(world: World) -> Iterator[str]:
    """Yield owners that are not valid, and lists of players at odds with flags."""
    for record in world.objects():
        if not world.valid(record.owner):
            yield f"{record.id} is owned by {record.owner}, which is not valid"
        for place, verbdef in enumerate(record.verbs, 1):
            if not world.valid(verbdef.owner):
                yield (
                    f"verb {place} of {record.id} ({verbdef.names}) is owned by "
                    f"{verbdef.owner}, which is not valid"
                )
        for name, (owner, _) in zip(record.layout.names, record.infos, strict=False):
            if not world.valid(owner):
                yield f"{record.id}.{name} is owned by {owner}, which is not valid"
        if record.flags & FLAG_PLAYER and record.id not in world.players:
            yield f"{record.id} has the player flag, but is not in players()"
    for objid in world.players:
        player = world.find(objid)
        if player is None:
            yield f"{objid} is in players(), but is not valid"
        elif not player.is_player:
            yield f"{objid} is in players(), but does not have the player flag"
    if len(set(world.players)) != len(world.players):
        yield "an object is in players() more than once"


def verb_findings(world: World) -> Iterator[str]:
    """Yield the verbs with permissions or a preposition that none can have."""
    for record in world.objects():
        for place, verbdef in enumerate(record.verbs, 1):
            odd = []
            if sound_verb_perms(verbdef.perms) != verbdef.perms:
                odd.append(f"permissions {verbdef.perms}")
            if not is_preposition(verbdef.prep):
                odd.append(f"preposition {verbdef.prep}")
            if odd:
                yield (
                    f"verb {place} of {record.id} ({verbdef.names}) has "
                    f"{' and '.join(odd)}, which cannot be"
                )
