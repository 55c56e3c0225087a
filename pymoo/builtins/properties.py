"""Built-in functions on the definitions of properties.

Their values are read and set by ``object.name``: see `interp.properties`.
"""

from __future__ import annotations

from pymoo.builtins.registry import ANY, LIST, OBJ, STR, builtin
from pymoo.db.objects import (
    BUILTIN_PROPERTIES,
    CLEAR,
    FLAG_READ,
    FLAG_WRITE,
    PROP_CHOWN,
    PROP_READ,
    PROP_WRITE,
    Object,
)
from pymoo.db.permissions import object_allows, property_allows
from pymoo.errors import MooError
from pymoo.interp.vm import Call
from pymoo.values import (
    E_INVARG,
    E_PERM,
    E_PROPNF,
    E_TYPE,
    List,
    Obj,
    Value,
    folded,
)

_BITS = {"r": PROP_READ, "w": PROP_WRITE, "c": PROP_CHOWN}


def _object(call: Call, object_: Obj) -> Object:
    record = call.engine.world.find(object_)
    if record is None:
        raise MooError(E_INVARG)
    return record


def _checked_info(call: Call, info: List) -> tuple[Obj, int, str | None]:
    """Return what ``{owner, perms [, new name]}`` says.  Raises: E_TYPE, E_INVARG.

    Source: property.c, validate_prop_info.
    """
    if len(info) not in (2, 3):
        raise MooError(E_TYPE)
    owner, letters = info[:2]
    name = info[2] if len(info) == 3 else None
    if (
        type(owner) is not Obj
        or type(letters) is not str
        or (len(info) == 3 and type(name) is not str)
    ):
        raise MooError(E_TYPE)
    if not call.engine.world.valid(owner):
        raise MooError(E_INVARG)
    perms = 0
    for letter in set(folded(letters, call.vm)):
        if letter not in _BITS:
            raise MooError(E_INVARG)
        perms |= _BITS[letter]
    return owner, perms, name  # type: ignore[return-value]


@builtin("properties", [OBJ], source="property.c, bf_properties")
def bf_properties(call: Call, object_: Obj) -> Value:
    """Return the names of the properties defined on ``object_`` itself.

    Permission: it is readable or yours; otherwise E_PERM.  Raises: E_INVARG.
    """
    record = _object(call, object_)
    if not object_allows(call.engine.world, call.programmer, record, FLAG_READ):
        raise MooError(E_PERM)
    return tuple(record.propdefs)


@builtin("property_info", [OBJ, STR], source="property.c, bf_prop_info")
def bf_property_info(call: Call, object_: Obj, name: str) -> Value:
    """Return {owner, perms} of a property on ``object_``.

    Permission: the property is readable or yours; otherwise E_PERM.
    Raises: E_INVARG; E_PROPNF, also for built-in properties.
    """
    world = call.engine.world
    _object(call, object_)
    found = world.find_property(object_, folded(name, call.vm))
    if found is None:
        raise MooError(E_PROPNF)
    record, slot = found
    info = record.infos[slot]
    if not property_allows(world, call.programmer, info, PROP_READ):
        raise MooError(E_PERM)
    owner, perms = info
    return owner, "".join(letter for letter, bit in _BITS.items() if perms & bit)


@builtin("set_property_info", [OBJ, STR, LIST], source="property.c, set_prop_info")
def bf_set_property_info(call: Call, object_: Obj, name: str, info: List) -> Value:
    """Set {owner, perms [, new name]} of a property on ``object_``.

    Permission: it is writable or yours and keeps its owner, or a wizard; otherwise
        E_PERM.
    Raises: E_INVARG, also for a new name that is taken, or if the property is not
        defined on the object; E_PROPNF; E_TYPE.
    """
    world = call.engine.world
    _object(call, object_)
    new_owner, perms, new_name = _checked_info(call, info)
    found = world.find_property(object_, folded(name, call.vm))
    if found is None:
        raise MooError(E_PROPNF)
    record, slot = found
    old = record.infos[slot]
    if not property_allows(world, call.programmer, old, PROP_WRITE) or (
        not call.is_wizard and old[0] != new_owner
    ):
        raise MooError(E_PERM)
    call.vm.copied(len(record.infos))
    if new_name is not None:
        world.expect_change(record)
    if new_name is not None and not world.rename_property(object_, name, new_name):
        raise MooError(E_INVARG)
    world.set_property_info(record, slot, new_owner, perms)
    return 0


@builtin("add_property", [OBJ, STR, ANY, LIST], source="property.c, bf_add_prop")
def bf_add_property(
    call: Call, object_: Obj, name: str, value: Value, info: List
) -> Value:
    """Define a property on ``object_``; its descendants inherit ``value``.

    Permission: the object is writable or yours, and the owner is you; or a wizard;
        otherwise E_PERM.
    Raises: E_INVARG, also if an ancestor or descendant defines that name; E_TYPE.
    """
    world = call.engine.world
    owner, perms, new_name = _checked_info(call, info)
    if new_name is not None:
        raise MooError(E_TYPE)
    record = _object(call, object_)
    if not object_allows(world, call.programmer, record, FLAG_WRITE) or (
        call.programmer != owner and not call.is_wizard
    ):
        raise MooError(E_PERM)
    call.vm.scanned(len(name))
    world.expect_change(record)
    if not world.add_property(object_, name, value, owner, perms):
        raise MooError(E_INVARG)
    return 0


@builtin("delete_property", [OBJ, STR], source="property.c, bf_delete_prop")
def bf_delete_property(call: Call, object_: Obj, name: str) -> Value:
    """Remove a property that is defined on ``object_``.

    Permission: the object is writable or yours; otherwise E_PERM.
    Raises: E_INVARG, E_PROPNF.
    """
    record = _object(call, object_)
    if not object_allows(call.engine.world, call.programmer, record, FLAG_WRITE):
        raise MooError(E_PERM)
    call.vm.scanned(len(name))
    call.engine.world.expect_change(record)
    if not call.engine.world.delete_property(object_, name):
        raise MooError(E_PROPNF)
    return 0


@builtin("clear_property", [OBJ, STR], source="property.c, bf_clear_prop")
def bf_clear_property(call: Call, object_: Obj, name: str) -> Value:
    """Let a property of ``object_`` have the value of its parent's.

    Permission: the property's owner, or a wizard; otherwise E_PERM.
    Raises: E_INVARG, also on the object that defines it; E_PROPNF.
    """
    world = call.engine.world
    _object(call, object_)
    name = folded(name, call.vm)
    found = world.find_property(object_, name)
    if found is None:
        raise MooError(E_PERM if name in BUILTIN_PROPERTIES else E_PROPNF)
    record, slot = found
    if call.programmer != record.infos[slot][0] and not call.is_wizard:
        raise MooError(E_PERM)
    if slot < len(record.propdefs):
        raise MooError(E_INVARG)
    world.set_property_value(record, slot, CLEAR)
    return 0


@builtin("is_clear_property", [OBJ, STR], source="property.c, bf_is_clear_prop")
def bf_is_clear_property(call: Call, object_: Obj, name: str) -> Value:
    """Return 1 if a property of ``object_`` has the value of its parent's.

    Permission: the property is readable or yours; otherwise E_PERM.
    Raises: E_INVARG, E_PROPNF.
    """
    world = call.engine.world
    _object(call, object_)
    name = folded(name, call.vm)
    found = world.find_property(object_, name)
    if found is None:
        if name in BUILTIN_PROPERTIES:
            return 0
        raise MooError(E_PROPNF)
    record, slot = found
    if not property_allows(world, call.programmer, record.infos[slot], PROP_READ):
        raise MooError(E_PERM)
    return 1 if record.values[slot] is CLEAR else 0
