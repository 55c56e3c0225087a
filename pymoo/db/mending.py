"""Objects of a damaged database, brought into agreement with each other.

What the C server's loader mends is mended in the same way: what names an object that
is not there names nothing.  Where it refuses, the smallest change is made:

* An object knows best where it belongs; but one that is not a child of the parent it
  names is that of another, if it stands in the other's list and has as many
  properties as the other's children have.
* A circle is broken at the object that the lists contradict, else at the lowest.
* Properties that are too few are clear (0 where they are defined), those that are
  too many are left out.
* Permissions that no verb has are none.
* What nobody could own is owned by an object that has no rights over others.

Each change is said in one line that names the object.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from attrs import define

from pymoo.db.objects import (
    BUILTIN_PROPERTIES,
    CLEAR,
    FLAG_PLAYER,
    NO_LAYOUT,
    NO_OBJECTS,
    PREP_NONE,
    Clear,
    Layout,
    Object,
    PropInfo,
    sound_verb_perms,
)
from pymoo.db.prepositions import is_preposition
from pymoo.values import NOTHING, Obj, Value, fold, literal

Say = Callable[[str], None]
"""Is told of each change."""

LOST_PROPERTY: Final = "lost_property_"
"""How properties are called whose names are lost."""

_SHOWN_LITERAL: Final = 60
_SHOWN_VALUES: Final = 5
_SHOWN_NUMBERS: Final = 10


@define(eq=False)
class Found:
    """An object as it was found in a file, and what it says of its lists.

    ``record`` names location and parent as the file does; its relations and its
    layout are still to be made.  What could not be read is None.
    """

    record: Object
    has_location: bool = True
    has_parent: bool = True
    contents: Obj | None = None  # the first in it
    next: Obj | None = None
    child: Obj | None = None  # the first
    sibling: Obj | None = None
    is_whole: bool = True
    # Whether properties may be defined on it that were not read.
    lacks_definitions: bool = False


def mend_objects(
    found: dict[int, Found], say: Say, *, lost: frozenset[int] = frozenset()
) -> list[Object]:
    """Return records that satisfy W2 and W3 of `World`, by number.

    ``lost`` are the numbers of objects that could not be read at all.  One that
    others descend from gets an empty object in its place, so that they keep
    what they have inherited.
    """
    _stand_in(found, lost, say)
    _relate(_Children(found, say))
    _relate(_Contents(found, say))
    return lay_out({number: each.record for number, each in found.items()}, say, found)


def _stand_in(found: dict[int, Found], lost: frozenset[int], say: Say) -> None:
    wanted = {
        int(each.record.parent)
        for each in found.values()
        if each.has_parent and each.record.parent in lost
    }
    for number in sorted(wanted):
        objid = Obj(number)
        found[number] = Found(
            Object(objid, name=f"lost object {objid}", owner=objid),
            has_location=False,
            has_parent=False,
            is_whole=False,
            lacks_definitions=True,
        )
        say(
            f"object {objid}: is lost, but others descend from it: now an empty object "
            "in its place"
        )


# --- relations ----------------------------------------------------------------


class _Relation(ABC):
    """One of the two relations: who names whom, and in which lists they stand."""

    up_name = ""
    list_name = ""

    def __init__(self, found: dict[int, Found], say: Say) -> None:
        self.found = found
        self.say = say
        self.listed_by: dict[int, Obj] = {}
        self.lists: dict[int, list[int]] = {}
        self._walk_lists()

    @abstractmethod
    def up(self, each: Found) -> Obj | None:
        """Return in whose list it is, as it says itself."""

    @abstractmethod
    def set_up(self, record: Object, up: Obj) -> None:
        """Have an object say that it is in the list of ``up``."""

    @abstractmethod
    def set_down(self, record: Object, down: Mapping[Obj, int]) -> None:
        """Give an object its list."""

    @abstractmethod
    def links(self, each: Found) -> tuple[Obj | None, Obj | None]:
        """Return the first in its list, and what follows it in the list it is in."""

    def fits(self, number: int, up: Obj) -> bool | None:
        """Whether ``up`` may be right; None if nothing tells."""
        return None

    def _walk_lists(self) -> None:
        for number, each in self.found.items():
            at, _ = self.links(each)
            members: list[int] = []
            while at is not None and at in self.found and at not in self.listed_by:
                if self._is_of_another(number, at):
                    break
                self.listed_by[at] = Obj(number)
                members.append(int(at))
                _, at = self.links(self.found[at])
            if members:
                self.lists[number] = members
            if at is not None and at != NOTHING and self.listed_by.get(at) == number:
                self.say(
                    f"object #{number}: its list of {self.list_name} runs in a circle "
                    f"at {at}: now it ends there"
                )

    def _is_of_another(self, number: int, at: int) -> bool:
        """Whether a list goes on as that of another object, from ``at`` on.

        One that stands in it by mistake has others behind it that do not.
        """
        up = self.up(self.found[at])
        if up is None or up == number or up not in self.found:
            return False
        _, following = self.links(self.found[at])
        if following is None or following not in self.found:
            return False
        return self.up(self.found[following]) == up


class _Children(_Relation):
    up_name = "parent"
    list_name = "children"

    def up(self, each: Found) -> Obj | None:
        return each.record.parent if each.has_parent else None

    def set_up(self, record: Object, up: Obj) -> None:
        record.parent = up

    def set_down(self, record: Object, down: Mapping[Obj, int]) -> None:
        record.children = down

    def links(self, each: Found) -> tuple[Obj | None, Obj | None]:
        return each.child, each.sibling

    def fits(self, number: int, up: Obj) -> bool | None:
        """By the number of its properties, if both are whole."""
        each, above = self.found[number], self.found.get(up)
        if not each.is_whole:
            return None
        inherited = len(each.record.values) - len(each.record.propdefs)
        if above is None:
            return inherited == 0 if up == NOTHING else False
        if not above.is_whole:
            return None
        return inherited == len(above.record.values)


class _Contents(_Relation):
    up_name = "location"
    list_name = "contents"

    def up(self, each: Found) -> Obj | None:
        return each.record.location if each.has_location else None

    def set_up(self, record: Object, up: Obj) -> None:
        record.location = up

    def set_down(self, record: Object, down: Mapping[Obj, int]) -> None:
        record.contents = down

    def links(self, each: Found) -> tuple[Obj | None, Obj | None]:
        return each.contents, each.next


def _relate(relation: _Relation) -> None:
    found, say = relation.found, relation.say
    ups = {number: _settled(relation, number) for number in found}
    _break_circles(relation, ups)
    members: dict[int, list[int]] = {}
    for number, listed in relation.lists.items():
        members[number] = [one for one in listed if ups[one] == number]
        others = [one for one in listed if ups[one] != number]
        if others:
            say(
                f"object #{number}: {_numbers(others)} stood in its list of "
                f"{relation.list_name} by mistake: taken out"
            )
    missing: dict[int, list[int]] = {}
    for number in found:
        up = ups[number]
        if up != NOTHING and relation.listed_by.get(number) != up:
            members.setdefault(up, []).append(number)
            missing.setdefault(up, []).append(number)
    for number, numbers in sorted(missing.items()):
        say(
            f"object #{int(number)}: {_numbers(numbers)} missing from its list of "
            f"{relation.list_name}: now at its end"
        )
    for number, each in found.items():
        relation.set_up(each.record, ups[number])
        below = members.get(number)
        relation.set_down(
            each.record,
            {Obj(member): place for place, member in enumerate(below)}
            if below
            else NO_OBJECTS,
        )


def _numbers(numbers: list[int]) -> str:
    text = ", ".join(f"#{number}" for number in numbers[:_SHOWN_NUMBERS])
    more = len(numbers) - _SHOWN_NUMBERS
    return f"{text} and {more:,} more" if more > 0 else text


def _settled(relation: _Relation, number: int) -> Obj:
    """Return where an object belongs, by what it says and by the lists."""
    each = relation.found[number]
    claimed = relation.up(each)
    lister = relation.listed_by.get(number, NOTHING)
    if lister == number:
        lister = NOTHING
    if claimed == lister:
        return lister
    name = relation.up_name
    if claimed is None:
        where = lister if lister != NOTHING else "nothing"
        relation.say(f"object #{number}: its {name} is lost: now {where}")
        return lister
    if claimed == number or (claimed != NOTHING and claimed not in relation.found):
        why = "itself" if claimed == number else f"{claimed}, which does not exist"
        if lister != NOTHING and relation.fits(number, lister) is not False:
            relation.say(
                f"object #{number}: {name} was {why}: now {lister}, which has it among "
                f"its {relation.list_name}"
            )
            return lister
        nothing = "nowhere" if name == "location" else "nothing"
        relation.say(f"object #{number}: {name} was {why}: now {nothing}")
        return NOTHING
    if (
        lister != NOTHING
        and relation.fits(number, claimed) is False
        and relation.fits(number, lister)
    ):
        relation.say(
            f"object #{number}: {name} was {claimed}, but it is among the "
            f"{relation.list_name} of {lister} and has the properties of one: now "
            f"{lister}"
        )
        return lister
    return claimed


def _break_circles(relation: _Relation, ups: dict[int, Obj]) -> None:
    ends: set[int] = set()
    for number in ups:
        chain: dict[int, None] = {}
        at = number
        while at != NOTHING and at not in ends and at not in chain:
            chain[at] = None
            at = ups[at]
        while at != NOTHING and at not in ends:
            path = [*chain]
            circle = path[path.index(at) :]
            cut = _weakest(relation, ups, circle)
            lister = relation.listed_by.get(cut, NOTHING)
            if lister in circle or _leads_to(ups, lister, cut):
                lister = NOTHING
            now = lister if lister != NOTHING else "nothing"
            if now == "nothing" and relation.up_name == "location":
                now = "nowhere"
            relation.say(
                f"object #{cut}: {relation.up_name} was {ups[cut]}, which is in it "
                f"itself: now {now}"
                if relation.up_name == "location"
                else f"object #{cut}: {relation.up_name} was {ups[cut]}, which "
                f"descends from it: now {now}"
            )
            ups[cut] = lister
            at = NOTHING
        ends.update(chain)


def _weakest(relation: _Relation, ups: dict[int, Obj], circle: list[int]) -> int:
    """Return who of a circle most likely does not belong where it says."""
    return min(
        circle,
        key=lambda number: (
            relation.listed_by.get(number) == ups[number],
            relation.fits(number, ups[number]) is not False,
            number,
        ),
    )


def _leads_to(ups: Mapping[int, Obj], start: int, end: int) -> bool:
    seen = set()
    while start != NOTHING and start != end and start not in seen:
        seen.add(start)
        start = ups[start]
    return start != NOTHING


# --- properties ---------------------------------------------------------------


def lay_out(
    records: Mapping[int, Object], say: Say, found: Mapping[int, Found] | None = None
) -> list[Object]:
    """Give records, whose relations are sound, layouts and as many values as those.

    Returns them by number.
    """
    none: tuple[PropInfo, ...] = ()
    stack = [
        (record, NO_LAYOUT, none)
        for record in records.values()
        if record.parent == NOTHING
    ]
    while stack:
        record, above, inherited = stack.pop()
        each = found.get(record.id) if found is not None else None
        if each is not None and each.lacks_definitions:
            _define_lost(record, above, records, found or {}, say)
        _rename_doubles(record, above, say)
        layout = above
        if record.propdefs:
            own = [fold(name) for name in record.propdefs]
            layout = Layout([*own, *above.names])
        record.layout = layout
        _fit_values(record, layout, inherited, say)
        stack += [(records[child], layout, record.infos) for child in record.children]
    return [records[number] for number in sorted(records)]


def _define_lost(
    record: Object,
    above: Layout,
    records: Mapping[int, Object],
    found: Mapping[int, Found],
    say: Say,
) -> None:
    """Define as many properties as the children of a damaged object have of it.

    Otherwise their values would be taken for those of other properties.
    """
    sizes = Counter(
        len(records[child].values) - len(records[child].propdefs)
        for child in record.children
        if child in found and found[child].is_whole
    )
    if not sizes:
        return
    [(size, _)] = sizes.most_common(1)
    missing = size - len(above.names) - len(record.propdefs)
    if missing <= 0:
        return
    taken = {*above.names, *map(fold, record.propdefs)}
    names: list[str] = []
    number = 0
    while len(names) < missing:
        number += 1
        name = f"{LOST_PROPERTY}{number}"
        if name not in taken:
            names.append(name)
    # Behind those that were read, and before what is inherited, whose values (if
    # there are any) are lost as well.
    record.propdefs = (*record.propdefs, *names)
    say(
        f"object {record.id}: its children have {missing} more properties from it than "
        f"could be read: now called {names[0]}"
        + (f" to {names[-1]}" if missing > 1 else "")
    )


def _rename_doubles(record: Object, above: Layout, say: Say) -> None:
    """Give properties other names that would be there twice, or are built in."""
    if not record.propdefs:
        return
    own = [fold(name) for name in record.propdefs]
    elsewhere = {*above.slots, *BUILTIN_PROPERTIES}
    if len({*own}) == len(own) and elsewhere.isdisjoint(own):
        return
    taken = {*own, *elsewhere}
    seen: set[str] = set()
    names = []
    for spelled, name in zip(record.propdefs, own, strict=True):
        if name in seen or name in elsewhere:
            number = 2
            while f"{name}_{number}" in taken:
                number += 1
            new = f"{spelled}_{number}"
            taken.add(fold(new))
            if name in BUILTIN_PROPERTIES:
                what = f"property {spelled} is out of reach, as one is built in: it"
            else:
                what = f"has two properties {spelled}: one"
            say(f"object {record.id}: {what} is now {new}")
            spelled, name = new, fold(new)
        seen.add(name)
        names.append(spelled)
    record.propdefs = tuple(names)


def _fit_values(
    record: Object, layout: Layout, inherited: tuple[PropInfo, ...], say: Say
) -> None:
    wanted = len(layout.names)
    own = len(record.propdefs)
    values, infos = record.values, [*record.infos]
    if len(values) > wanted:
        rest = values[wanted:]
        texts = ", ".join(_text(value) for value in rest[:_SHOWN_VALUES])
        more = ", ..." if len(rest) > _SHOWN_VALUES else ""
        say(
            f"object {record.id}: only {wanted} of its {len(values)} property values "
            f"are defined: left out {texts}{more}"
        )
        del values[wanted:]
    del infos[len(values) :]
    missing = range(len(values), wanted)
    if missing:
        names = ", ".join(layout.names[slot] for slot in missing)
        say(
            f"object {record.id}: {len(missing)} of its {wanted} properties had no "
            f"value: now {'clear' if missing[0] >= own else 'clear or 0'}: {names}"
        )
    for slot in missing:
        values.append(0 if slot < own else CLEAR)
    infos += [
        (record.owner, 0) if slot < own else inherited[slot - own]
        for slot in range(len(infos), wanted)
    ]
    for slot in range(own):
        if values[slot] is CLEAR:
            say(
                f"object {record.id}: {record.propdefs[slot]} was clear where it is "
                "defined: now 0"
            )
            values[slot] = 0
    if len(infos) != len(record.infos) or len(missing):
        record.infos = tuple(infos)


def _text(value: Value | Clear) -> str:
    if isinstance(value, Clear):
        return "clear"
    if type(value) is tuple:
        return f"a list of {len(value)}"
    text = literal(value)
    if len(text) <= _SHOWN_LITERAL:
        return text
    return f"{text[: _SHOWN_LITERAL - 3]}..."


# --- owners and players -------------------------------------------------------


def mend_owners(records: Iterable[Object], say: Say) -> None:
    """Let every owner be valid, and nobody get rights by it.

    An object without owner owns itself; so it does its verbs and properties, unless
    it is a wizard, whose rights they must not get: then it is one that is none.
    """
    by_number = {record.id: record for record in records}
    modest = next(
        (record.id for record in by_number.values() if not record.is_wizard), None
    )
    rows: dict[tuple[int, Obj], tuple[PropInfo, ...]] = {}
    kept = []  # rows whose ids are keys
    for record in by_number.values():
        objid = record.id
        if record.owner not in by_number:
            say(
                f"object {objid}: was owned by {record.owner}, which does not exist: "
                "now by itself"
            )
            record.owner = objid
        heir = objid if not record.is_wizard or modest is None else modest
        for place, verbdef in enumerate(record.verbs, 1):
            if verbdef.owner not in by_number:
                say(
                    f"object {objid}: verb {place} ({verbdef.names}) was owned by "
                    f"{verbdef.owner}, which does not exist: now by {heir}"
                )
                verbdef.owner = heir
        row = record.infos
        if all(owner in by_number for owner, _ in row):
            continue
        for name, (owner, _) in zip(record.layout.names, row, strict=True):
            if owner not in by_number:
                say(
                    f"object {objid}: property {name} was owned by {owner}, which does "
                    f"not exist: now by {heir}"
                )
        key = id(row), heir
        if key not in rows:
            kept.append(row)
            rows[key] = tuple(
                (owner if owner in by_number else heir, perms) for owner, perms in row
            )
        record.infos = rows[key]


def mend_verbs(records: Iterable[Object], say: Say) -> None:
    """Let every verb have permissions and a preposition that verbs can have."""
    for record in records:
        for place, verbdef in enumerate(record.verbs, 1):
            which = f"object {record.id}: verb {place} ({verbdef.names})"
            perms = sound_verb_perms(verbdef.perms)
            if perms != verbdef.perms:
                say(f"{which} had permissions {verbdef.perms}: now {perms}")
                verbdef.perms = perms
            if not is_preposition(verbdef.prep):
                say(f"{which} had preposition {verbdef.prep}: now none")
                verbdef.prep = PREP_NONE


def mended_players(
    records: Iterable[Object], players: Iterable[Obj], say: Say
) -> tuple[Obj, ...]:
    """Return the list of players that agrees with the flags of objects."""
    by_number = {record.id: record for record in records}
    kept: dict[Obj, None] = {}
    for objid in players:
        record = by_number.get(objid)
        if objid in kept:
            say(f"players(): {objid} was in it twice")
        elif record is None:
            say(f"players(): {objid} was in it, which does not exist: taken out")
        elif not record.is_player:
            say(f"players(): {objid} was in it, which is no player: taken out")
        else:
            kept[objid] = None
    for record in by_number.values():
        if record.flags & FLAG_PLAYER and record.id not in kept:
            say(
                f"players(): {record.id} was not in it, but is a player: now at its end"
            )
            kept[record.id] = None
    return tuple(kept)
