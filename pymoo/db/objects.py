"""The records of a world: objects, their verbs and their properties.

Plain data.  Everything that changes a record is a method of `World`, so that a
change can be undone and written to a journal; nothing else assigns to one.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import define, field

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


class Clear:
    """The mark of a property whose value is its parent's."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "CLEAR"


CLEAR: Final = Clear()


@define(eq=False)
class Verbdef:
    """A verb as stored on the object that defines it."""

    names: str  # as given to add_verb(): "l*ook ex*amine"
    owner: Obj
    perms: int  # flags, dobj and iobj in one word, as in a textdump
    prep: int  # PREP_ANY, PREP_NONE or an index into the prepositions
    # The canonical text, fully parenthesised and not indented; None if the verb
    # was never programmed.
    code: str | None = None
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


PropInfo = tuple[Obj, int]
"""Owner and permission bits of one property on one object; shared, never changed."""


@define(eq=False)
class Layout:
    """Where each property of an object stands in its `Object.values`.

    The object's own definitions come first, then its parent's, and so on to the
    root: slot ``i`` of an object that defines ``n`` properties is slot ``i - n``
    of its parent.  Objects that define none share their parent's layout.
    """

    names: tuple[str, ...] = ()
    slots: dict[str, int] = field(init=False, repr=False)  # by folded name

    def __attrs_post_init__(self) -> None:
        # The nearest definition wins should a file define a name twice.
        self.slots = {
            fold(name): slot for slot, name in reversed(tuple(enumerate(self.names)))
        }


@define(eq=False)
class Object:
    """One object.  Relations are object numbers; `World` keeps both ends agreed."""

    id: Obj
    name: str = ""
    flags: int = 0
    owner: Obj = NOTHING
    location: Obj = NOTHING
    parent: Obj = NOTHING
    # Insertion-ordered sets: the order of `contents` and `children()`.
    contents: dict[Obj, None] = field(factory=dict)
    children: dict[Obj, None] = field(factory=dict)
    verbs: list[Verbdef] = field(factory=list)
    propdefs: list[str] = field(factory=list)  # names defined here, in order
    layout: Layout = field(factory=Layout)
    # Per slot of the layout: the value or CLEAR, and owner with permissions.
    values: list[Value | Clear] = field(factory=list)
    infos: list[PropInfo] = field(factory=list)

    @property
    def is_player(self) -> bool:
        return bool(self.flags & FLAG_PLAYER)

    @property
    def is_programmer(self) -> bool:
        return bool(self.flags & FLAG_PROGRAMMER)

    @property
    def is_wizard(self) -> bool:
        return bool(self.flags & FLAG_WIZARD)
