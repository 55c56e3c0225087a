"""Values of properties that everybody may read, by name and object.

A cache for whoever reads one property of many objects: ``table(name)[objid]`` is the
value of ``objid.name``, the inherited one if it is clear, where somebody has asked for
it before and everybody may read it.  What is not there has to be looked up.

R1  A value that is there is the present one: `World` reports every change of a value,
    of permissions, and of what is inherited from whom, before anybody can read again.
R2  A table stays the same object for good, so that compiled code can hold on to it.
"""

from __future__ import annotations

from typing import Final

from pymoo.db.objects import CLEAR, Clear, Object
from pymoo.values import Obj, Value

ALIASES: Final = "aliases"
"""The property that, with the name, tells what an object is called."""

# How much may be kept.  Names come from MOO programs, without end.
MAX_TABLES: Final = 20_000
MAX_VALUES: Final = 200_000


class ReadableValues:
    """The tables of one world."""

    def __init__(self) -> None:
        self.tables: Final[dict[str, dict[Obj, Value]]] = {}
        """Those that there are, by folded names."""
        # Those of them that may have something in them.
        self._filled: dict[str, dict[Obj, Value]] = {}
        self._count = 0
        self.names: dict[Obj, tuple[str, tuple[str, ...]]] = {}
        """For the command parser: what it keeps of an object's name and aliases."""

    def table(self, name: str) -> dict[Obj, Value]:
        """Return the values of the property ``name`` (folded), not to be changed."""
        table = self.tables.get(name)
        if table is None:
            table = {}
            if len(self.tables) < MAX_TABLES:  # otherwise it stays empty
                self.tables[name] = table
        return table

    def remember(self, record: Object, name: str, value: Value) -> None:
        """Keep the value of a property that everybody may read."""
        table = self.tables.get(name)
        if table is None:
            if len(self.tables) >= MAX_TABLES:
                return
            table = self.table(name)
        if self._count >= MAX_VALUES:
            self.forget_all()
        self._count += 1
        if not table:
            self._filled[name] = table
        table[record.id] = value

    def value_set(self, record: Object, name: str, value: Value | Clear) -> None:
        """To be called when an object gets a value of its own, or becomes CLEAR."""
        if name == ALIASES:
            if record.children:
                self.names.clear()
            else:
                self.names.pop(record.id, None)
        table = self.tables.get(name)
        if table:
            if record.children:
                table.clear()
            elif record.id in table:
                if value is CLEAR:
                    del table[record.id]
                else:
                    table[record.id] = value

    def forget(self, name: str) -> None:
        """Forget all values of one property."""
        if name == ALIASES:
            self.names.clear()
        table = self.tables.get(name)
        if table:
            table.clear()

    def forget_object(self, record: Object) -> None:
        """Forget the values of an object, and of those that inherit from it."""
        if record.children:
            self.forget_all()
            return
        self.names.pop(record.id, None)
        for name in record.layout.names:
            table = self.tables.get(name)
            if table:
                table.pop(record.id, None)

    def forget_all(self) -> None:
        """Forget everything; the tables stay."""
        self.names.clear()
        for table in self._filled.values():
            table.clear()
        self._filled.clear()
        self._count = 0
