"""Who may read, write and call: pure questions about a `World`.

What a refusal means (E_PERM, or an object that looks as if it were not there) is
decided by whoever asks.  Wizards may do everything; an owner may do everything
with what they own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymoo.db.objects import Object, PropInfo, Verbdef
from pymoo.values import Obj

if TYPE_CHECKING:
    from pymoo.db.world import World


def controls(world: World, programmer: Obj, record: Object) -> bool:
    """Whether ``programmer`` may move, recycle and otherwise dispose of an object.

    Source: objects.c, controls.
    """
    return programmer == record.owner or world.is_wizard(programmer)


def object_allows(world: World, programmer: Obj, record: Object, flag: int) -> bool:
    """Whether ``programmer`` may do with an object what FLAG_READ, _WRITE, ... permit.

    Source: db_objects.c, db_object_allows.
    """
    return (
        record.flags & flag != 0
        or programmer == record.owner
        or world.is_wizard(programmer)
    )


def property_allows(world: World, programmer: Obj, info: PropInfo, bit: int) -> bool:
    """Whether ``programmer`` may do with a property what PROP_READ, PROP_WRITE permit.

    ``info`` is that of the object asked about, even where the value is inherited.

    Source: db_properties.c, db_property_allows.
    """
    owner, perms = info
    return perms & bit != 0 or programmer == owner or world.is_wizard(programmer)


def verb_allows(world: World, programmer: Obj, verbdef: Verbdef, bit: int) -> bool:
    """Whether ``programmer`` may do with a verb what VERB_READ, VERB_WRITE permit.

    Source: db_verbs.c, db_verb_allows.
    """
    return (
        verbdef.perms & bit != 0
        or programmer == verbdef.owner
        or world.is_wizard(programmer)
    )
