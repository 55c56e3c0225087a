"""Operations on a world as values, and doing them once more.

`journal.Journal.take_redo` gives what was done to a world; as values it can be kept in
a file.  Done to the world as it was, in the same order, it gives the same world, down
to the bytes of its textdump.

R1  Each operation is a list: its name, then its arguments.
R2  Whoever replays finds every object, property and verb that an operation names, or
    that is no journal of this world.
R3  What an operation is given is of the types that it takes: whoever has made a journal
    by hand brings nothing into a world that no textdump could hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from pymoo.db.journal import Operation
from pymoo.db.objects import CLEAR, Object, Verbdef
from pymoo.db.world import World
from pymoo.errors import PymooError
from pymoo.values import NOTHING, ErrorCode, Obj, Value


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
            _check_types(name, arguments)
            _METHODS[name](world, *arguments)  # type: ignore[index]  # any value
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise JournalError(
                f"{str(operation)[:200]} cannot be done to this world"
            ) from error


def _check_types(name: Any, arguments: list[Any]) -> None:
    """Raise TypeError if an operation has not the arguments that it takes (R3)."""
    wanted = _TYPES[name]
    if len(arguments) != len(wanted):
        raise TypeError(f"{len(arguments)} arguments")
    for argument, kind in zip(arguments, wanted, strict=True):
        if kind is object:
            if type(argument) not in _ATOMS:
                check_value(argument)
        elif type(argument) is not kind:
            raise TypeError(f"{argument!r:.50} where a {kind.__name__} must be")


_ATOMS: Final = frozenset((int, float, str, Obj, ErrorCode))
_KINDS: Final = _ATOMS | {tuple}


def check_value(value: Any) -> None:
    """Raise TypeError for what no property could hold: the marks on stacks."""
    if type(value) not in _KINDS:
        raise TypeError(f"{value!r} is no value")
    waiting = [value] if type(value) is tuple else []
    seen: set[int] = set()
    while waiting:
        items = waiting.pop()
        if id(items) in seen:
            continue
        seen.add(id(items))
        kinds = set(map(type, items))
        if not kinds <= _KINDS:
            raise TypeError("a list of what is no value")
        if tuple in kinds:
            waiting += [item for item in items if type(item) is tuple]


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
    _expect(parent == NOTHING or world.valid(parent))
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
    _expect(location == NOTHING or world.valid(location))
    world.change_location(objid, location)


def _change_parent(world: World, objid: Any, parent: Any) -> None:
    _record(world, objid)
    _expect(parent == NOTHING or world.valid(parent))
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


_TYPES: Final[Mapping[str, tuple[type, ...]]] = MappingProxyType(
    {
        "create": (Obj, Obj, Obj),
        "recycle": (Obj,),
        "renumber": (Obj,),
        "reset_max_object": (),
        "set_name": (Obj, str),
        "set_owner": (Obj, Obj),
        "set_flag": (Obj, int, int),
        "change_location": (Obj, Obj),
        "change_parent": (Obj, Obj),
        "set_value": (Obj, int, object),
        "clear_value": (Obj, int),
        "set_property_info": (Obj, int, Obj, int),
        "add_property": (Obj, str, object, Obj, int),
        "delete_property": (Obj, str),
        "rename_property": (Obj, str, str),
        "add_verb": (Obj, str, Obj, int, int, int, int),
        "delete_verb": (Obj, int),
        "set_verb_names": (Obj, int, str),
        "set_verb_owner": (Obj, int, Obj),
        "set_verb_flags": (Obj, int, int),
        "set_verb_args": (Obj, int, int, int, int),
        "set_verb_code": (Obj, int, tuple),
    }
)
"""What each operation takes; ``object`` is any value."""

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
