"""Operations on a world as values, and doing them once more.

`journal.Journal.take_redo` gives what was done to a world; as values it can be kept in
a file.  Done to the world as it was, in the same order, it gives the same world, down
to the bytes of its textdump.

R1  Each operation is a list: its name, then its arguments.
R2  Whoever replays finds every object, property and verb that an operation names, or
    that is no journal of this world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from pymoo.db.journal import Operation
from pymoo.db.objects import CLEAR, Object, Verbdef
from pymoo.db.world import World
from pymoo.errors import PymooError
from pymoo.values import Value


class JournalError(PymooError):
    """A journal cannot be used; the text says where and what to do."""


def operation_to_value(operation: Operation) -> Value:
    """Return an operation as a list (R1)."""
    name = operation[0]
    if name == "set_value":
        _, objid, slot, value = operation
        if value is CLEAR:
            return ("clear_value", objid, slot)
        return operation
    if name == "set_verb_code":
        _, objid, place, code = operation
        return (name, objid, place, tuple(code.split("\n")))
    return operation


def replay(world: World, operations: Iterable[Value]) -> None:
    """Do to ``world`` what `operation_to_value` gave.

    Raises: JournalError at the first that cannot be done; those before it are.
    """
    for operation in operations:
        try:
            if type(operation) is not tuple:
                raise TypeError("it is no list")
            name, *arguments = operation
            _METHODS[name](world, *arguments)  # type: ignore[index]  # any value
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise JournalError(
                f"{str(operation)[:200]} cannot be done to this world"
            ) from error


def _record(world: World, objid: Any) -> Object:
    record = world.find(objid)
    if record is None:
        raise LookupError(f"{objid} is not valid")
    return record


def _verb(world: World, objid: Any, place: int) -> Verbdef:
    verbs = _record(world, objid).verbs
    if place < 0:
        raise LookupError(f"{objid} has no verb {place}")
    return verbs[place]


def _expect(holds: bool) -> None:
    if not holds:
        raise ValueError("it comes out otherwise than it did")


def _create(world: World, objid: Any, owner: Any, parent: Any) -> None:
    _expect(world.max_object + 1 == objid)
    world.create(owner, parent)


def _recycle(world: World, objid: Any) -> None:
    record = _record(world, objid)
    _expect(not record.contents and record.location < 0)
    world.recycle(objid)


def _renumber(world: World, objid: Any) -> None:
    _record(world, objid)
    world.renumber(objid)


def _reset_max_object(world: World) -> None:
    world.reset_max_object()


def _set_name(world: World, objid: Any, name: str) -> None:
    _record(world, objid)
    world.set_name(objid, name)


def _set_owner(world: World, objid: Any, owner: Any) -> None:
    _record(world, objid)
    world.set_owner(objid, owner)


def _set_flag(world: World, objid: Any, flag: int, is_set: int) -> None:
    _record(world, objid)
    world.set_flag(objid, flag, bool(is_set))


def _change_location(world: World, objid: Any, location: Any) -> None:
    _record(world, objid)
    world.change_location(objid, location)


def _change_parent(world: World, objid: Any, parent: Any) -> None:
    _record(world, objid)
    _expect(world.change_parent(objid, parent))


def _set_value(world: World, objid: Any, slot: int, value: Value) -> None:
    world.set_property_value(_record(world, objid), slot, value)


def _clear_value(world: World, objid: Any, slot: int) -> None:
    world.set_property_value(_record(world, objid), slot, CLEAR)


def _set_property_info(
    world: World, objid: Any, slot: int, owner: Any, perms: int
) -> None:
    world.set_property_info(_record(world, objid), slot, owner, perms)


def _add_property(
    world: World, objid: Any, name: str, value: Value, owner: Any, perms: int
) -> None:
    _record(world, objid)
    _expect(world.add_property(objid, name, value, owner, perms))


def _delete_property(world: World, objid: Any, name: str) -> None:
    _record(world, objid)
    _expect(world.delete_property(objid, name))


def _rename_property(world: World, objid: Any, name: str, new_name: str) -> None:
    _record(world, objid)
    _expect(world.rename_property(objid, name, new_name))


def _add_verb(
    world: World,
    objid: Any,
    names: str,
    owner: Any,
    flags: int,
    dobj: int,
    prep: int,
    iobj: int,
) -> None:
    _record(world, objid)
    world.add_verb(objid, names, owner, flags, dobj, prep, iobj)


def _delete_verb(world: World, objid: Any, place: int) -> None:
    world.delete_verb(objid, _verb(world, objid, place))


def _set_verb_names(world: World, objid: Any, place: int, names: str) -> None:
    world.set_verb_names(objid, _verb(world, objid, place), names)


def _set_verb_owner(world: World, objid: Any, place: int, owner: Any) -> None:
    world.set_verb_owner(objid, _verb(world, objid, place), owner)


def _set_verb_flags(world: World, objid: Any, place: int, flags: int) -> None:
    world.set_verb_flags(objid, _verb(world, objid, place), flags)


def _set_verb_args(
    world: World, objid: Any, place: int, dobj: int, prep: int, iobj: int
) -> None:
    world.set_verb_args(objid, _verb(world, objid, place), dobj, prep, iobj)


def _set_verb_code(
    world: World, objid: Any, place: int, lines: tuple[str, ...]
) -> None:
    world.set_verb_code(objid, _verb(world, objid, place), "\n".join(lines))


_METHODS: Final[Mapping[str, Callable[..., None]]] = MappingProxyType(
    {
        "create": _create,
        "recycle": _recycle,
        "renumber": _renumber,
        "reset_max_object": _reset_max_object,
        "set_name": _set_name,
        "set_owner": _set_owner,
        "set_flag": _set_flag,
        "change_location": _change_location,
        "change_parent": _change_parent,
        "set_value": _set_value,
        "clear_value": _clear_value,
        "set_property_info": _set_property_info,
        "add_property": _add_property,
        "delete_property": _delete_property,
        "rename_property": _rename_property,
        "add_verb": _add_verb,
        "delete_verb": _delete_verb,
        "set_verb_names": _set_verb_names,
        "set_verb_owner": _set_verb_owner,
        "set_verb_flags": _set_verb_flags,
        "set_verb_args": _set_verb_args,
        "set_verb_code": _set_verb_code,
    }
)
"""By the names that `World` tells its journal."""
