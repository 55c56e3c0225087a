"""Built-in functions on objects: making, moving, recycling, asking."""

from __future__ import annotations

from itertools import islice
from typing import Any

from pymoo.builtins.registry import ANY, OBJ, builtin
from pymoo.db.objects import FLAG_FERTILE, FLAG_PLAYER
from pymoo.db.permissions import controls, object_allows
from pymoo.db.sizes import value_bytes
from pymoo.errors import MooError
from pymoo.interp.outcomes import Called, Outcome
from pymoo.interp.vm import Call
from pymoo.values import (
    COPIED_PER_STEP,
    E_INVARG,
    E_INVIND,
    E_MAXREC,
    E_NACC,
    E_PERM,
    E_QUOTA,
    E_RECMOVE,
    NOTHING,
    SHORT,
    Obj,
    Value,
    type_code,
)


@builtin("typeof", [ANY], pure=True, source="objects.c, bf_typeof")
def bf_typeof(value: Value) -> Value:
    """Return the type of ``value`` as a number: INT, OBJ, STR, ERR, LIST or FLOAT."""
    return type_code(value)


@builtin("valid", [OBJ], source="objects.c, bf_valid")
def bf_valid(call: Call, object_: Obj) -> Value:
    """Return 1 if there is such an object, else 0."""
    return 1 if call.engine.world.valid(object_) else 0


@builtin("max_object", source="objects.c, bf_max_object")
def bf_max_object(call: Call) -> Value:
    """Return the highest number that an object has or had."""
    return call.engine.world.max_object


@builtin("parent", [OBJ], source="objects.c, bf_parent")
def bf_parent(call: Call, object_: Obj) -> Value:
    """Return the parent of ``object_``.  Raises: E_INVARG."""
    record = call.engine.world.find(object_)
    if record is None:
        raise MooError(E_INVARG)
    return record.parent


@builtin("children", [OBJ], source="objects.c, bf_children")
def bf_children(call: Call, object_: Obj) -> Value:
    """Return the children of ``object_``, oldest first.  Raises: E_INVARG."""
    record = call.engine.world.find(object_)
    if record is None:
        raise MooError(E_INVARG)
    call.vm.copied(len(record.children))
    return tuple(record.children)


@builtin("players", source="objects.c, bf_players")
def bf_players(call: Call) -> Value:
    """Return all players, in the order in which they became players."""
    return call.engine.world.players


@builtin("is_player", [OBJ], source="objects.c, bf_is_player")
def bf_is_player(call: Call, object_: Obj) -> Value:
    """Return 1 if ``object_`` is a player, else 0.  Raises: E_INVARG."""
    record = call.engine.world.find(object_)
    if record is None:
        raise MooError(E_INVARG)
    return 1 if record.flags & FLAG_PLAYER else 0


@builtin("set_player_flag", [OBJ, ANY], source="objects.c, bf_set_player_flag")
def bf_set_player_flag(call: Call, object_: Obj, value: Value) -> Value:
    """Make ``object_`` a player, or no longer one; it is disconnected then.

    Permission: wizards; otherwise E_PERM.  Raises: E_INVARG.
    """
    if not call.engine.world.valid(object_):
        raise MooError(E_INVARG)
    if not call.is_wizard:
        raise MooError(E_PERM)
    call.vm.copied(len(call.engine.world.players))
    if not value:
        call.engine.host.connections.boot(object_)
    call.engine.world.set_flag(object_, FLAG_PLAYER, bool(value))
    return 0


@builtin("value_bytes", [ANY], source="list.c, bf_value_bytes")
def bf_value_bytes(call: Call, value: Value) -> Value:
    """Return how much memory the C server would use for ``value``, in bytes."""
    return call.vm.ops.wrap(value_bytes(value, meter=call.vm))


@builtin("object_bytes", [OBJ], source="objects.c, bf_object_bytes")
def bf_object_bytes(call: Call, object_: Obj) -> Value:
    """Return how much memory the C server would use for ``object_``, in bytes.

    Permission: wizards; otherwise E_PERM.  Raises: E_INVIND.
    """
    if not call.is_wizard:
        raise MooError(E_PERM)
    record = call.engine.world.find(object_)
    if record is None:
        raise MooError(E_INVIND)
    return call.engine.object_bytes(record)


# --- making and changing --------------------------------------------------


@builtin("create", [OBJ, OBJ], least=1, steps=True, source="objects.c, bf_create")
def bf_create(call: Call, step: int, data: Any, value: Any) -> Value | Outcome:
    """Return a new child of ``parent``, owned by ``owner`` or the programmer.

    Its ``:initialize()`` is called.  With an owner of #-1 it owns itself.

    Permission: the parent is fertile or yours, and the owner is you, or a wizard;
        otherwise E_PERM.
    Raises: E_QUOTA if the owner's ownership_quota is used up.
    """
    if step != 1:
        return data  # type: ignore[no-any-return]
    world = call.engine.world
    parent: Obj = value[0]
    owner: Obj = value[1] if len(value) > 1 else call.programmer
    record = world.find(parent)
    if record is None:
        may = parent == NOTHING
    else:
        may = object_allows(world, call.programmer, record, FLAG_FERTILE)
        call.vm.copied(len(record.layout.names) * COPIED_PER_STEP)
    if not may or (owner != call.programmer and not call.is_wizard):
        raise MooError(E_PERM)
    if world.valid(owner) and not world.take_quota(owner):
        raise MooError(E_QUOTA)
    new = world.create(owner, parent)
    refusal = call.call_verb(new, "initialize", ())
    if refusal is None:
        return Called(2, new)
    if refusal is E_MAXREC:
        raise MooError(E_MAXREC)
    return new


@builtin("chparent", [OBJ, OBJ], source="objects.c, bf_chparent")
def bf_chparent(call: Call, object_: Obj, parent: Obj) -> Value:
    """Give ``object_`` another parent.

    Permission: the object's owner, and the parent is fertile or yours; or a
        wizard; otherwise E_PERM.
    Raises: E_INVARG, also if the new ancestors define a property that the object
        or a descendant defines; E_RECMOVE if it would be its own ancestor.
    """
    world = call.engine.world
    record, parent_record = world.find(object_), world.find(parent)
    if record is None or (parent_record is None and parent != NOTHING):
        raise MooError(E_INVARG)
    if not controls(world, call.programmer, record) or (
        parent_record is not None
        and not object_allows(world, call.programmer, parent_record, FLAG_FERTILE)
    ):
        raise MooError(E_PERM)
    if any(above is record for above in world.ancestors(parent_record)):
        raise MooError(E_RECMOVE)
    for _ in world.ancestors(record):
        pass  # they count as well
    world.expect_change(record)
    if not world.change_parent(object_, parent):
        raise MooError(E_INVARG)
    return 0


@builtin("move", [OBJ, OBJ], steps=True, source="objects.c, do_move")
def bf_move(call: Call, step: int, data: Any, value: Any) -> Value | Outcome:
    """Put an object into another, or with #-1 nowhere.

    The destination's ``:accept()`` decides (a wizard moves things anyway); then
    ``:exitfunc()`` of the old place and ``:enterfunc()`` of the new one are called.

    Permission: the object's owner, or a wizard; otherwise E_PERM.
    Raises: E_INVARG, E_NACC, E_RECMOVE.
    """
    world = call.engine.world
    what: Obj
    where: Obj
    what, where = data = value if step == 1 else data
    if step == 1:
        record = world.find(what)
        if record is None or (where != NOTHING and not world.valid(where)):
            raise MooError(E_INVARG)
        if not controls(world, call.programmer, record):
            raise MooError(E_PERM)
        accepts = where == NOTHING
        if not accepts:
            refusal = call.call_verb(where, "accept", (what,))
            if refusal is None:
                return Called(2, data)
            if refusal is E_MAXREC:
                raise MooError(E_MAXREC)
        return _accepted(call, what, where, accepts)
    if step == 2:
        return _accepted(call, what, where, bool(value))
    if step == 3:
        return _left(call, what, where)
    return 0


def _accepted(call: Call, what: Obj, where: Obj, accepts: bool) -> Value | Outcome:
    """Go on with move() once ``:accept()`` has been asked."""
    world = call.engine.world
    if not accepts and not call.is_wizard:
        raise MooError(E_NACC)
    record = world.find(what)
    if (
        record is None
        or (where != NOTHING and not world.valid(where))
        or record.location == where
    ):
        return 0
    at = where
    places = 0
    while at != NOTHING:
        if at == what:
            raise MooError(E_RECMOVE)
        at = world[at].location
        places += 1
    if places > SHORT:
        call.vm.spend(places)
    origin = record.location
    world.change_location(what, where)
    refusal = call.call_verb(origin, "exitfunc", (what,))
    if refusal is None:
        return Called(3, (what, where))
    if refusal is E_MAXREC:
        raise MooError(E_MAXREC)
    return _left(call, what, where)


def _left(call: Call, what: Obj, where: Obj) -> Value | Outcome:
    """Go on with move() once ``:exitfunc()`` has been told."""
    world = call.engine.world
    record = world.find(what)
    if record is None or not world.valid(where) or record.location != where:
        return 0
    refusal = call.call_verb(where, "enterfunc", (what,))
    if refusal is None:
        return Called(4, (what, where))
    if refusal is E_MAXREC:
        raise MooError(E_MAXREC)
    return 0


@builtin("recycle", [OBJ], steps=True, source="objects.c, bf_recycle")
def bf_recycle(call: Call, step: int, data: Any, value: Any) -> Value | Outcome:
    """Destroy an object.

    Its ``:recycle()`` is called; what it contains goes nowhere, with ``:exitfunc()``
    called on it for each; its children get its parent.

    Permission: the object's owner, or a wizard; otherwise E_PERM.
    Raises: E_INVARG.
    """
    world = call.engine.world
    object_: Obj = value[0] if step == 1 else data
    record = world.find(object_)
    if step == 1:
        if record is None:
            raise MooError(E_INVARG)
        if not controls(world, call.programmer, record):
            raise MooError(E_PERM)
        world.expect_change(record)
        if call.call_verb(object_, "recycle", ()) is None:
            return Called(2, object_)
    if record is None:
        return 0
    while record.contents:
        # In portions, as the first one of a dict is hard to find when many are gone.
        for thing in tuple(islice(record.contents, _AT_ONCE)):
            if _moved_nowhere(call, thing):
                return Called(2, object_)
    # This :exitfunc might put new things into the object, or move it back.
    if record.location != NOTHING and _moved_nowhere(call, object_):
        return Called(2, object_)
    world.recycle(object_)
    return 0


_AT_ONCE = 64


def _moved_nowhere(call: Call, object_: Obj) -> bool:
    """Take an object out of where it is; whether ``:exitfunc()`` runs now."""
    world = call.engine.world
    origin = world[object_].location
    world.change_location(object_, NOTHING)
    return call.call_verb(origin, "exitfunc", (object_,)) is None


RENUMBERED_STEPS = 4
"""What looking through one object for a number counts."""


@builtin("renumber", [OBJ], source="server.c, bf_renumber")
def bf_renumber(call: Call, object_: Obj) -> Value:
    """Give ``object_`` the lowest free number, and return that.

    Owners, parents, locations and the like follow; values of properties do not.

    Permission: wizards; otherwise E_PERM.  Raises: E_INVARG.
    """
    if not call.engine.world.valid(object_):
        raise MooError(E_INVARG)
    if not call.is_wizard:
        raise MooError(E_PERM)
    world = call.engine.world
    record = world[object_]
    call.vm.spend(
        RENUMBERED_STEPS * len(world) + len(record.children) + len(record.contents)
    )
    return world.renumber(object_)


@builtin("reset_max_object", source="server.c, bf_reset_max_object")
def bf_reset_max_object(call: Call) -> Value:
    """Let max_object() be the highest number that an object has now.

    Permission: wizards; otherwise E_PERM.
    """
    if not call.is_wizard:
        raise MooError(E_PERM)
    call.engine.world.reset_max_object()
    return 0
