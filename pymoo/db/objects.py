"""The records of a world: objects, their verbs and their properties.

Plain data.  Everything that changes a record is a method of `World`, so that a
change can be undone and written to a journal; nothing else assigns to one.  What
is not changed in place (tuples, empty relations, layouts) is shared between
records, which is what keeps big worlds small.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from attrs import define, field

from pymoo.db.verb_names import VerbNameIndex
from pymoo.values import NOTHING, Obj, Value, fold

# Object flags (db.h).  Other bits of a textdump are kept as read.
FLAG_PLAYER: Final = 1
FLAG_PROGRAMMER: Final = 2
FLAG_WIZARD: Final = 4
FLAG_READ: Final = 16
FLAG_WRITE: Final = 32
FLAG_FERTILE: Final = 128

# Verb permissions: four flags, then two bits each for dobj and iobj (db.h).
VERB_READ: Final = 1
VERB_WRITE: Final = 2
VERB_EXECUTE: Final = 4
VERB_DEBUG: Final = 8
VERB_FLAGS: Final = 15
DOBJ_SHIFT: Final = 4
IOBJ_SHIFT: Final = 6
ARGSPEC_MASK: Final = 3
ARGSPEC_NONE: Final = 0
ARGSPEC_ANY: Final = 1
ARGSPEC_THIS: Final = 2
PREP_ANY: Final = -2
PREP_NONE: Final = -1

# Property permissions (db.h).
PROP_READ: Final = 1
PROP_WRITE: Final = 2
PROP_CHOWN: Final = 4

BUILTIN_PROPERTIES: Final = (
    "name",
    "owner",
    "programmer",
    "wizard",
    "r",
    "w",
    "f",
    "location",
    "contents",
)
"""Properties that every object has and no one can add, folded (db.h)."""

BUILTIN_FLAGS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "programmer": FLAG_PROGRAMMER,
        "wizard": FLAG_WIZARD,
        "r": FLAG_READ,
        "w": FLAG_WRITE,
        "f": FLAG_FERTILE,
    }
)
"""Those of `BUILTIN_PROPERTIES` that show a flag, as 1 or 0."""


# IN STEP: language version
LANGUAGE_VERSION: Final = 4
"""The version of the language that new programs are written in (version.h)."""


class Clear(Enum):
    """The mark of a property whose value is its parent's."""

    CLEAR = "clear"

    def __repr__(self) -> str:
        return "CLEAR"


CLEAR: Final = Clear.CLEAR


@define(eq=False)
class Verbdef:
    """A verb as stored on the object that defines it."""

    names: str  # as given to add_verb(): "l*ook ex*amine"
    owner: Obj
    perms: int  # flags, dobj and iobj in one word, as in a textdump
    prep: int  # PREP_ANY, PREP_NONE or an index into the prepositions
    # The canonical text, fully parenthesised and not indented, each line with its
    # LF; None if the verb was never programmed.
    code: str | None = None
    # The version of the language that `code` is written in: less than the present
    # one if it was read from an old database and not programmed since.
    version: int = LANGUAGE_VERSION
    # The interpreter's compiled form of `code`, which only it looks into.
    compiled: Any = field(default=None, repr=False)

    @property
    def flags(self) -> int:
        return self.perms & VERB_FLAGS

    @property
    def dobj(self) -> int:
        return self.perms >> DOBJ_SHIFT & ARGSPEC_MASK

    @property
    def iobj(self) -> int:
        return self.perms >> IOBJ_SHIFT & ARGSPEC_MASK


def sound_verb_perms(perms: int) -> int:
    """Return the permissions of a verb without what no verb has.

    Those below 0 have nearly all flags, which nobody has given: none are left.  A
    dobj or iobj that means nothing becomes ``none``.
    """
    if perms < 0:
        return 0
    for shift in (DOBJ_SHIFT, IOBJ_SHIFT):
        if perms >> shift & ARGSPEC_MASK not in (
            ARGSPEC_NONE,
            ARGSPEC_ANY,
            ARGSPEC_THIS,
        ):
            perms &= ~(ARGSPEC_MASK << shift)
    return perms


class FoundVerb(NamedTuple):
    """A verb and the object that defines it."""

    definer: Obj
    verbdef: Verbdef


PropInfo = tuple[Obj, int]
"""Owner and permission bits of one property on one object; shared, never changed."""


class Layout:
    """Where each property of an object stands in its `Object.values`.

    The object's own definitions come first, then its parent's, and so on to the
    root: slot ``i`` of an object that defines ``n`` properties is slot ``i - n``
    of its parent.  An object that defines none has its parent's layout itself.

    ``names`` are the folded names by slot, ``slots`` the way back, without those of
    built-in properties: a file may define such a property, which nobody can reach.
    Only `World` calls the methods that change them.

    Source: db_properties.c, db_find_property, for what is built in.
    """

    __slots__ = ("names", "slots")

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = list(names)
        self.slots: dict[str, int]
        self._number()

    def __repr__(self) -> str:
        return f"Layout({self.names!r})"

    def insert(self, slot: int, name: str) -> None:
        """Add ``name`` at ``slot``; the slots from there on move up by one."""
        self.names.insert(slot, name)
        self._renumber(slot, is_new=name not in self.slots)

    def remove(self, slot: int) -> None:
        """Take the name at ``slot`` away; the slots behind it move down by one."""
        self.slots.pop(self.names.pop(slot), None)
        self._renumber(slot)

    def rename(self, slot: int, name: str) -> None:
        """Put ``name`` in the place of the one at ``slot``."""
        self.slots.pop(self.names[slot], None)
        self.names[slot] = name
        self._renumber(slot, slot + 1, is_new=name not in self.slots)

    def _number(self) -> None:
        # The nearest definition wins should a file define a name twice.
        names = self.names
        self.slots = dict(
            zip(reversed(names), range(len(names) - 1, -1, -1), strict=True)
        )
        self._leave_out_built_in()

    def _leave_out_built_in(self) -> None:
        for name in BUILTIN_PROPERTIES:
            self.slots.pop(name, None)

    def _renumber(
        self, start: int, end: int | None = None, *, is_new: bool = True
    ) -> None:
        """Mend ``slots`` for the names from ``start``, as no others have moved."""
        names, slots = self.names, self.slots
        slots.update(zip(names[start:end], range(start, len(names)), strict=False))
        self._leave_out_built_in()
        if not is_new or len(slots) != len(names):
            self._number()


NO_LAYOUT: Final = Layout()
"""The layout of every object without properties."""

NO_OBJECTS: Final[Mapping[Obj, int]] = MappingProxyType({})
"""The contents and children of every object that has none."""


@define(eq=False)
class Object:
    """One object.  Relations are object numbers; `World` keeps both ends agreed."""

    id: Obj
    name: str = ""
    flags: int = 0
    owner: Obj = NOTHING
    location: Obj = NOTHING
    parent: Obj = NOTHING
    # In the order of `contents` and `children()`, each with its number (World, W5).
    contents: Mapping[Obj, int] = field(default=NO_OBJECTS)
    children: Mapping[Obj, int] = field(default=NO_OBJECTS)
    verbs: tuple[Verbdef, ...] = ()
    propdefs: tuple[str, ...] = ()  # names defined here, in order
    layout: Layout = NO_LAYOUT
    # Per slot of the layout: the value or CLEAR, and owner with permissions.
    values: list[Value | Clear] = field(factory=list)
    infos: tuple[PropInfo, ...] = ()
    # Made when a verb is first looked up by name, dropped when the names change.
    _verb_index: VerbNameIndex | None = field(default=None, init=False, repr=False)

    @property
    def is_player(self) -> bool:
        return bool(self.flags & FLAG_PLAYER)

    @property
    def is_programmer(self) -> bool:
        return bool(self.flags & FLAG_PROGRAMMER)

    @property
    def is_wizard(self) -> bool:
        return bool(self.flags & FLAG_WIZARD)

    @property
    def verb_index(self) -> VerbNameIndex:
        """Finds the verbs of this object by name."""
        index = self._verb_index
        if index is None:
            index = VerbNameIndex(verbdef.names for verbdef in self.verbs)
            self._verb_index = index
        return index

    def forget_verb_index(self) -> None:
        """To be called after the verbs, or the names of one, have changed."""
        self._verb_index = None

    def set_verbs(self, verbs: tuple[Verbdef, ...]) -> None:
        """Exchange all verbs."""
        self.verbs = verbs
        self._verb_index = None

    def add_verb(self, verbdef: Verbdef) -> None:
        """Define a verb behind the others."""
        self.verbs = (*self.verbs, verbdef)
        # Kept, or a program that adds thousands would make it anew for each.
        if self._verb_index is not None:
            self._verb_index.add(verbdef.names)

    def own_slot(self, name: str) -> int | None:
        """Return the slot of a property that this object defines, by folded name."""
        if name in BUILTIN_PROPERTIES:  # out of reach, but it can be deleted
            own = [fold(each) for each in self.propdefs]
            return own.index(name) if name in own else None
        slot = self.layout.slots.get(name)
        return slot if slot is not None and slot < len(self.propdefs) else None
