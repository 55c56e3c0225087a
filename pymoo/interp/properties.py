"""Reading and setting ``object.name``, with permissions and built-in properties.

Source: execute.c, OP_GET_PROP and OP_PUT_PROP; db_properties.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pymoo.db.objects import (
    BUILTIN_FLAGS,
    BUILTIN_PROPERTIES,
    FLAG_WIZARD,
    PROP_READ,
    PROP_WRITE,
    Object,
)
from pymoo.errors import MooError
from pymoo.interp.activation import Activation, traceback_lines
from pymoo.interp.server_options import ServerOptions
from pymoo.values import E_INVIND, E_PERM, E_PROPNF, E_TYPE, Obj, Value, folded

if TYPE_CHECKING:
    from pymoo.interp.engine import Engine
    from pymoo.interp.vm import VM


class Properties:
    """The properties of one world, as MOO programs see them."""

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._world: Final = engine.world
        self._tables: Final = engine.world.readable.tables
        # Built-in properties that $server_options protects.
        self.protected: frozenset[str] = frozenset()

    def load_protection(self, options: ServerOptions) -> None:
        """Take over which built-in properties are protected."""
        self.protected = frozenset(
            name for name in BUILTIN_PROPERTIES if options.flag(f"protect_{name}")
        )

    def _is_protected(self, name: str, programmer: Obj) -> bool:
        return name in self.protected and not self._world.is_wizard(programmer)

    def get(self, objid: Obj, name: str, programmer: Obj) -> Value:
        """Return ``objid.name`` for code with the permissions of ``programmer``.

        Raises: E_INVIND, E_PROPNF, E_PERM.
        """
        world = self._world
        record = world.find(objid)
        if record is None:
            raise MooError(E_INVIND)
        slots = record.layout.slots
        slot = slots.get(name)
        if slot is None and name not in BUILTIN_PROPERTIES:
            name = folded(name, world.meter)
            slot = slots.get(name)
        if slot is None:
            if name not in BUILTIN_PROPERTIES:
                raise MooError(E_PROPNF)
            if self._is_protected(name, programmer):
                raise MooError(E_PERM)
            return world.builtin_value(record, name)
        owner, perms = record.infos[slot]
        if (
            not perms & PROP_READ
            and programmer != owner
            and not world.is_wizard(programmer)
        ):
            raise MooError(E_PERM)
        return world.property_value(record, slot)

    def set(self, vm: VM, objid: Obj, name: str, value: Value, programmer: Obj) -> None:
        """Do ``objid.name = value`` with the permissions of ``programmer``.

        Raises: E_INVIND, E_PROPNF, E_PERM; E_TYPE for a built-in property that
            takes no such value.
        """
        world = self._world
        record = world.find(objid)
        if record is None:
            raise MooError(E_INVIND)
        name = folded(name, vm)
        slot = record.layout.slots.get(name)
        if slot is None:
            if name not in BUILTIN_PROPERTIES:
                raise MooError(E_PROPNF)
            self._set_builtin(vm, record, name, value, programmer)
            return
        owner, perms = record.infos[slot]
        if (
            not perms & PROP_WRITE
            and programmer != owner
            and not world.is_wizard(programmer)
        ):
            raise MooError(E_PERM)
        world.set_property_value(record, slot, value)

    def get_named(self, act: Activation, object_: Any, name: str) -> Value:
        """Return ``object_.name`` for the activation; ``name`` is folded.

        Raises: E_TYPE, E_INVIND, E_PROPNF, E_PERM.
        """
        if type(object_) is not Obj:
            raise MooError(E_TYPE)
        world = self._world
        record = world.find(object_)
        if record is None:
            raise MooError(E_INVIND)
        slot = record.layout.slots.get(name)
        if slot is None:
            return self.get(object_, name, act.programmer)
        owner, perms = record.infos[slot]
        if not perms & PROP_READ:
            programmer = act.programmer
            if programmer != owner and not world.is_wizard(programmer):
                raise MooError(E_PERM)
            return world.property_value(record, slot)
        value = world.property_value(record, slot)
        world.readable.remember(record, name, value)
        return value

    def get_computed(self, act: Activation, object_: Any, name: Any) -> Value:
        """Return ``object_.(name)`` for the activation.

        Raises: E_TYPE, E_INVIND, E_PROPNF, E_PERM.
        """
        if type(name) is not str or type(object_) is not Obj:
            raise MooError(E_TYPE)
        table = self._tables.get(name)
        if table is not None:
            value = table.get(object_)
            if value is not None:
                return value
        return self.get_named(act, object_, name)

    def set_named(self, act: Activation, object_: Any, name: str, value: Value) -> None:
        """Do ``object_.name = value``; ``name`` is folded, and no built-in property.

        Raises: E_TYPE, E_INVIND, E_PROPNF, E_PERM.
        """
        if type(object_) is not Obj:
            raise MooError(E_TYPE)
        world = self._world
        record = world.find(object_)
        if record is None:
            raise MooError(E_INVIND)
        slot = record.layout.slots.get(name)
        if slot is None:
            raise MooError(E_PROPNF)
        owner, perms = record.infos[slot]
        if not perms & PROP_WRITE:
            programmer = act.programmer
            if programmer != owner and not world.is_wizard(programmer):
                raise MooError(E_PERM)
        world.set_property_value(record, slot, value)

    def set_computed(
        self, act: Activation, object_: Any, name: Any, value: Value
    ) -> None:
        """Do ``object_.(name) = value``.  Raises: as `set_named`."""
        act.vm.set_property(object_, name, value, act.programmer)

    def _set_builtin(
        self, vm: VM, record: Object, name: str, value: Value, programmer: Obj
    ) -> None:
        world = self._world
        is_wizard = world.is_wizard(programmer)
        may_as_owner = programmer == record.owner and name not in self.protected
        if name == "name":
            if type(value) is not str:
                raise MooError(E_TYPE)
            if not is_wizard and (record.is_player or not may_as_owner):
                raise MooError(E_PERM)
            world.set_name(record.id, value)
        elif name == "owner":
            if type(value) is not Obj:
                raise MooError(E_TYPE)
            if not is_wizard:
                raise MooError(E_PERM)
            world.set_owner(record.id, value)
        elif name in ("location", "contents"):
            raise MooError(E_PERM)
        else:
            if name in ("programmer", "wizard"):
                may_as_owner = False
            if not is_wizard and not may_as_owner:
                raise MooError(E_PERM)
            flag = BUILTIN_FLAGS[name]
            if flag == FLAG_WIZARD and bool(value) is not record.is_wizard:
                self._log_wizard_change(vm, record, programmer)
            world.set_flag(record.id, flag, bool(value))

    def _log_wizard_change(self, vm: VM, record: Object, programmer: Obj) -> None:
        """Note who made or unmade a wizard, and where, before it is done."""
        log = self._engine.host.server.log
        was = record.is_wizard
        prefix = "DE" if was else ""
        log(f"{prefix}WIZARDED: {record.id} by programmer {programmer}")
        message = "Wizard bit unset." if was else "Wizard bit set."
        for line in traceback_lines(vm.activations, message):
            log(line)
