"""The live store: objects and what is done to them.

It does what the C server's database layer does, and in the same order wherever the
order can be seen: of children, contents, players, verbs and properties.  Arguments
are not checked here: whether an object is valid, a move recursive or a programmer
allowed to is for those who ask (`permissions` answers the last).  Where the layer
itself refuses, the method says so with its result.

W1  `find` gives the record of every valid object; a number that it does not know is
    not valid, and none is above `max_object`.
W2  An object is among the children of its parent and no other, and in the contents
    of its location and no other.  No chain of parents or of locations has a circle.
W3  The layout of an object is its own definitions, then its parent's layout.  An
    object that defines no property has its parent's layout itself; any other has a
    layout of its own.  `Object.values` and `Object.infos` are as long as the layout.
W4  Records are changed by the methods of this class alone, and each change is noted
    in the journal before it is made, so that `rollback` can undo it.
W5  In a relation (contents, children) each object has a number, greater than those
    before it: by it one that was taken out finds its place again.

The caches of verbs and of inherited values hold nothing that could not be found
again by looking.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from attrs import frozen

from pymoo.db.integers import wrapped
from pymoo.db.integrity import owner_findings, structure_findings, verb_findings
from pymoo.db.journal import Journal
from pymoo.db.objects import (
    ARGSPEC_ANY,
    ARGSPEC_MASK,
    BUILTIN_FLAGS,
    BUILTIN_PROPERTIES,
    CLEAR,
    DOBJ_SHIFT,
    FLAG_PLAYER,
    FLAG_PROGRAMMER,
    FLAG_WIZARD,
    IOBJ_SHIFT,
    LANGUAGE_VERSION,
    NO_LAYOUT,
    NO_OBJECTS,
    PREP_ANY,
    PROP_CHOWN,
    VERB_EXECUTE,
    VERB_FLAGS,
    Clear,
    FoundVerb,
    Layout,
    Object,
    PropInfo,
    Verbdef,
)
from pymoo.db.readable import ReadableValues
from pymoo.errors import InternalError
from pymoo.values import (
    COPIED_PER_STEP,
    NOTHING,
    SCANNED_PER_STEP,
    SHORT,
    UNMETERED,
    Meter,
    Obj,
    Value,
    fold,
)

# How much the caches may hold.  Names and numbers come from MOO programs, which
# could otherwise fill the memory with what they did not find.
MAX_CACHED_VERBS: Final = 200_000
MAX_CACHED_NAME: Final = 200
"""How long a name may be that is remembered with what was found for it."""
MAX_CACHED_HOLDERS: Final = 200_000
MAX_CACHED_ROWS: Final = 4_096

CHANGE_STEPS: Final = 16
"""What changing one object counts."""
_ANCESTORS_PER_REPORT: Final = 256

_BUILTIN_NAMES: Final = frozenset(BUILTIN_PROPERTIES)

# Where the search for an inherited value ends that no object has: at an integer 0.
# Only a damaged file leads there, with a property that is clear where it is defined.
_NO_HOLDER: Final[tuple[list[Value | Clear], int]] = ([0], 0)


@frozen
class VerbCacheStats:
    """How the look-up of verbs went, as ``verb_cache_stats()`` tells it."""

    hits: int
    negative_hits: int
    misses: int
    generation: int
    entries: int


class VerbTable(dict[str, FoundVerb | None]):
    """What calling a verb finds on all objects that begin to look at one place.

    By name as called; a name that is not in it is looked up and added.  Beside it,
    in ``by_name``, all verbs of a name, for commands.
    """

    __slots__ = ("_home", "_world", "by_name")

    def __init__(self, world: World, home: Object | None) -> None:
        super().__init__()
        self._world = world
        self._home = home
        self.by_name: dict[str, tuple[FoundVerb, ...]] = {}

    def __missing__(self, name: str) -> FoundVerb | None:
        return self._world._look_up_verb(self, self._home, name)

    def verbs_named(self, name: str) -> tuple[FoundVerb, ...]:
        """Return all verbs that ``name`` fits, the nearest first."""
        found = self.by_name.get(name)
        if found is None:
            found = self._world._look_up_verbs(self, self._home, name)
        return found


class _VerbTables(dict[Obj, VerbTable]):
    __slots__ = ("_world",)

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def __missing__(self, objid: Obj) -> VerbTable:
        return self._world._make_verb_table(objid)


class World:
    """All objects of a database, and the list of players."""

    def __init__(
        self,
        records: Iterable[Object] = (),
        *,
        size: int = 0,
        players: tuple[Obj, ...] = (),
        int_bits: int = 32,
    ) -> None:
        """Take over complete records, which must satisfy W2 and W3.

        ``size`` is one more than the highest number in use, recycled ones included;
        ``int_bits`` the width of INT values in this database.
        """
        self.int_bits = int_bits
        self.meter: Meter = UNMETERED
        """Is told of questions that take long; of changes by `expect_change` alone."""
        self._records: dict[int, Object] = {record.id: record for record in records}
        self._size = max(size, 1 + max(self._records, default=-1))
        self._players = players
        # The last number in a relation; those of a file are numbered by the relation.
        self._arrivals = self._size
        # Relations that something came back into, while changes are undone.
        self._disordered: dict[tuple[int, str], Object] = {}
        self.removals = 0
        """Grows whenever a number ceases to be valid."""

        # Bound here, as nothing is asked more often.
        self.find: Callable[[int], Object | None] = self._records.get
        """Return the record of an object, or None if it is not valid."""
        self.journal: Final = Journal(self.find)

        # One canonical tuple per owner and permissions, and the rows of a parent's
        # properties as its children get them.
        self._infos: dict[PropInfo, PropInfo] = {}
        self._rows: dict[tuple[int, Obj], tuple[Any, tuple[PropInfo, ...]]] = {}

        # By parent and slot of the parent: which object further up has the value.
        self._holders: dict[Obj, dict[int, tuple[list[Value | Clear], int]]] = {}
        self._holder_count = 0
        self.readable = ReadableValues()

        self.verb_tables: dict[Obj, VerbTable] = _VerbTables(self)
        """``verb_tables[objid][name]`` is `find_callable_verb` without its counting.

        Do not keep a table: the next change of a verb or parent may leave it behind.
        """
        self._home_tables: dict[Obj, VerbTable] = {}
        self._cached_verbs = 0
        self.verb_generation = 0
        """Grows whenever calls on many objects may find other verbs than before.

        A change of one object's parent that concerns no other does not count, nor
        does its end: what is kept by object number is kept in `verb_tables` alone.
        """
        self._verb_lookups = 0
        self._verb_negatives = 0
        self._verb_misses = 0
        self._verb_negative_misses = 0

    # --- which objects there are ----------------------------------------------

    def __getitem__(self, objid: Obj) -> Object:
        """Return the record of an object that is known to be valid."""
        record = self.find(objid)
        if record is None:
            raise InternalError(f"{Obj(objid)} was taken for a valid object")
        return record

    def __len__(self) -> int:
        """Return the number of valid objects."""
        return len(self._records)

    def valid(self, objid: Obj) -> bool:
        """Whether there is an object with this number."""
        return self.find(objid) is not None

    @property
    def max_object(self) -> Obj:
        """The highest number in use, of a recycled object perhaps; #-1 if none is."""
        return Obj(self._size - 1)

    def objects(self) -> Iterator[Object]:
        """Yield all records, by number."""
        for number in range(self._size):
            record = self.find(number)
            if record is not None:
                yield record

    def create(self, owner: Obj, parent: Obj = NOTHING) -> Obj:
        """Make an object, without name, flags and location; return its number.

        It is the next after `max_object`.  NOTHING as ``owner`` means the object
        itself.

        Source: db_objects.c, db_create_object; objects.c, bf_create.
        """
        objid = Obj(self._size)
        self.journal.tell_move(("create", objid, owner, parent))
        record = Object(objid, owner=objid if owner == NOTHING else owner)
        self._add_record(record)
        self._set_parent(record, parent)
        return objid

    def recycle(self, objid: Obj) -> None:
        """Destroy an object that has no contents and is nowhere.

        Its children go to its parent, the first one first.  What it owned keeps its
        number as owner.  Its owner gets back the quota (`return_quota`).

        Source: objects.c, bf_recycle; db_objects.c, db_destroy_object.
        """
        record = self[objid]
        if record.contents or record.location != NOTHING:
            raise InternalError(f"{objid} is recycled but has contents or a location")
        self.journal.tell_move(("recycle", objid))
        for child in tuple(record.children):
            self._set_parent(self[child], record.parent)
        parent = self.find(record.parent)
        if parent is not None:
            self._leave(parent, "children", objid)
        self.return_quota(record.owner)
        if record.flags & FLAG_PLAYER:
            self._remove_player(objid)
        self._remove_record(record)

    def renumber(self, objid: Obj) -> Obj:
        """Give an object the lowest free number, and return that.

        It keeps its places among the children of its parent, the contents of its
        location and the players.  As an owner of objects, verbs and properties it is
        followed; whoever was owned by the free number so far is owned by NOTHING.
        Values are left alone.

        Source: db_objects.c, db_renumber_object.
        """
        old = objid
        new = next((n for n in range(old) if n not in self._records), None)
        if new is None:
            return old
        self.journal.tell(("renumber", old))
        objid = Obj(new)
        record = self[old]
        self._remove_record(record)
        self._change(record, "id", objid)
        self._add_record(record)

        change = self._change
        parent = self.find(record.parent)
        if parent is not None:
            change(parent, "children", _renamed(parent.children, old, objid))
        for child in record.children:
            change(self[child], "parent", objid)
        location = self.find(record.location)
        if location is not None:
            change(location, "contents", _renamed(location.contents, old, objid))
        for thing in record.contents:
            change(self[thing], "location", objid)
        players = self._players
        if record.flags & FLAG_PLAYER and old in players:
            at = players.index(old)
            change(self, "_players", (*players[:at], objid, *players[at + 1 :]))
        self._renumber_owner(old, objid)
        self._forget_verbs()
        return objid

    def _renumber_owner(self, old: Obj, new: Obj) -> None:
        renamed = {old: new, new: NOTHING}
        # By the id of the old row, as many objects share one; the old row is kept
        # beside the new one so that no other tuple gets its id meanwhile.
        rows: dict[int, tuple[Any, tuple[PropInfo, ...]]] = {}
        for record in self.objects():
            if record.owner in renamed:
                self._change(record, "owner", renamed[record.owner])
            for verbdef in record.verbs:
                if verbdef.owner in renamed:
                    self._change(verbdef, "owner", renamed[verbdef.owner])
            row = record.infos
            if id(row) not in rows:
                new_row = row
                if any(owner in renamed for owner, _ in row):
                    new_row = tuple(
                        self.prop_info(renamed.get(owner, owner), perms)
                        for owner, perms in row
                    )
                rows[id(row)] = (row, new_row)
            if rows[id(row)][1] is not row:
                self._change(record, "infos", rows[id(row)][1])

    def reset_max_object(self) -> None:
        """Forget the numbers of recycled objects above the highest valid one.

        Source: db_objects.c, db_reset_last_used_objid.
        """
        self.journal.tell(("reset_max_object",))
        size = self._size
        while size and size - 1 not in self._records:
            size -= 1
        self._change(self, "_size", size)

    def _add_record(self, record: Object) -> None:
        self.journal.note((self._undo_add, record.id, self._size))
        self._records[record.id] = record
        self._size = max(self._size, record.id + 1)

    def _undo_add(self, number: int, size: int) -> None:
        del self._records[number]
        self._size = size

    def _remove_record(self, record: Object) -> None:
        """Take a record out of the table, and out of the caches by its number."""
        self.journal.note((self._records.__setitem__, record.id, record))
        del self._records[record.id]
        self.removals += 1
        self.verb_tables.pop(record.id, None)
        self._forget_holders(record)
        self.readable.forget_object(record)

    # --- names, owners, flags, players ----------------------------------------

    @property
    def players(self) -> tuple[Obj, ...]:
        """All players, in the order in which they became players."""
        return self._players

    def is_player(self, objid: Obj) -> bool:
        """Whether ``objid`` is valid and has the player flag."""
        record = self.find(objid)
        return record is not None and record.flags & FLAG_PLAYER != 0

    def is_programmer(self, objid: Obj) -> bool:
        """Whether ``objid`` is valid and a programmer."""
        record = self.find(objid)
        return record is not None and record.flags & FLAG_PROGRAMMER != 0

    def is_wizard(self, objid: Obj) -> bool:
        """Whether ``objid`` is valid and a wizard."""
        record = self.find(objid)
        return record is not None and record.flags & FLAG_WIZARD != 0

    def set_name(self, objid: Obj, name: str) -> None:
        """Set ``objid.name``."""
        record = self[objid]
        self.journal.note_text(record, "name", record)
        record.name = name
        self.readable.names.pop(objid, None)

    def set_owner(self, objid: Obj, owner: Obj) -> None:
        """Set ``objid.owner``; its properties keep their owners."""
        self.journal.tell(("set_owner", objid, owner))
        self._change(self[objid], "owner", owner)

    def set_flag(self, objid: Obj, flag: int, is_set: bool) -> None:
        """Set or clear a flag.  FLAG_PLAYER also puts into or out of `players`.

        Source: db_objects.c, db_set_object_flag and db_clear_object_flag.
        """
        self.journal.tell(("set_flag", objid, flag, int(is_set)))
        record = self[objid]
        flags = record.flags | flag if is_set else record.flags & ~flag
        self._change(record, "flags", flags)
        if flag == FLAG_PLAYER:
            if not is_set:
                self._remove_player(objid)
            elif objid not in self._players:
                self._change(self, "_players", (*self._players, objid))

    def _remove_player(self, objid: Obj) -> None:
        # Once only: a file may list a player twice.
        players = self._players
        if objid in players:
            at = players.index(objid)
            self._change(self, "_players", players[:at] + players[at + 1 :])

    def builtin_value(self, record: Object, name: str) -> Value:
        """Return the value of one of `BUILTIN_PROPERTIES`.

        Source: db_properties.c, get_bi_value.
        """
        if name == "name":
            return record.name
        if name == "owner":
            return record.owner
        if name == "location":
            return record.location
        if name == "contents":
            if len(record.contents) > SHORT:
                self.meter.spend(len(record.contents) // COPIED_PER_STEP)
            return tuple(record.contents)
        return 1 if record.flags & BUILTIN_FLAGS[name] else 0

    def take_quota(self, owner: Obj) -> bool:
        """Take one from ``owner.ownership_quota``; return False if there is none.

        An owner without that property, or with no integer there, has no limit.

        Source: quota.c, decr_quota.
        """
        return self._change_quota(owner, -1)

    def return_quota(self, owner: Obj) -> None:
        """Add one to ``owner.ownership_quota``, if it is an integer.

        Source: quota.c, incr_quota.
        """
        self._change_quota(owner, +1)

    def _change_quota(self, owner: Obj, change: int) -> bool:
        record = self.find(owner)
        slot = record.layout.slots.get("ownership_quota") if record else None
        if record is None or slot is None:
            return True
        quota = self.property_value(record, slot)
        if type(quota) is not int:
            return True
        if change < 0 and quota <= 0:
            return False
        self.set_property_value(record, slot, wrapped(quota + change, self.int_bits))
        return True

    # --- relations ------------------------------------------------------------

    def change_location(self, objid: Obj, location: Obj) -> None:
        """Put an object at the end of the contents of ``location``, or nowhere.

        Source: db_objects.c, db_change_location.
        """
        journal = self.journal
        journal.tell(("change_location", objid, location))
        record = self[objid]
        place = record.location
        old = self.find(place)
        if old is not None:
            self._leave(old, "contents", objid)
        new = self.find(location)
        if new is not None:
            self._join(new, "contents", objid)
        journal.note((setattr, record, "location", place))
        record.location = location

    def change_parent(self, objid: Obj, parent: Obj) -> bool:
        """Make an object the last child of ``parent``, or an orphan.

        Values of properties that the old and the new parent have in common stay; of
        the other inherited ones, those of the old parent go and those of the new one
        come, clear.  Returns False, and does nothing, if the object or a descendant
        defines a property that ``parent`` has.

        Source: db_objects.c, db_change_parent.
        """
        record = self[objid]
        if self._defines_any_of(record, parent):
            return False
        self.journal.tell_move(("change_parent", objid, parent))
        self._set_parent(record, parent)
        return True

    def _set_parent(self, record: Object, parent: Obj) -> None:
        old = self.find(record.parent)
        new = self.find(parent)
        # A cached verb is kept by the first object with verbs, so an object without
        # any, and without descendants that might have some, changes it for itself.
        if record.children or record.verbs:
            self._forget_verbs()
        else:
            self.verb_tables.pop(record.id, None)
        self._forget_holders(record)
        self.readable.forget_object(record)
        if old is not None:
            self._leave(old, "children", record.id)
        if new is not None:
            self._join(new, "children", record.id)
        self._change(record, "parent", parent)
        self._fit_properties(record, old, new)

    def _join(self, record: Object, relation: str, objid: Obj) -> None:
        """Put ``objid`` at the end of a relation of ``record``."""
        self.journal.note((_undo_join, record, relation, objid))
        self._arrivals += 1
        members: Any = getattr(record, relation)
        if members is NO_OBJECTS:
            setattr(record, relation, {objid: self._arrivals})
        else:
            members[objid] = self._arrivals

    def _leave(self, record: Object, relation: str, objid: Obj) -> None:
        """Take ``objid`` out of a relation of ``record``."""
        members: Any = getattr(record, relation)
        number = members.get(objid)
        if number is None:
            return
        self.journal.note((self._undo_leave, record, relation, objid, number))
        if len(members) == 1:
            setattr(record, relation, NO_OBJECTS)
        else:
            del members[objid]

    def _undo_leave(
        self, record: Object, relation: str, objid: Obj, number: int
    ) -> None:
        """Put ``objid`` back; `rollback` puts it in its place."""
        members: Any = getattr(record, relation)
        if members is NO_OBJECTS:
            setattr(record, relation, {objid: number})
        else:
            members[objid] = number
            self._disordered[id(record), relation] = record

    def _put_in_order(self) -> None:
        """Put what has come back into relations in its place."""
        for (_, relation), record in self._disordered.items():
            members: Mapping[Obj, int] = getattr(record, relation)
            in_order = sorted(members.items(), key=lambda member: member[1])
            setattr(record, relation, dict(in_order) or NO_OBJECTS)
        self._disordered.clear()

    def ancestors(self, record: Object | None) -> Iterator[Object]:
        """Yield an object, its parent, and so on to the root."""
        steps = 0
        while record is not None:
            yield record
            steps += 1
            if steps == _ANCESTORS_PER_REPORT:
                self.meter.spend(steps)
                steps = 0
            record = self.find(record.parent)

    def descendants(self, record: Object) -> list[Object]:
        """Return all below an object, parents before their children."""
        found: list[Object] = []
        if not record.children:
            return found
        pending = [record]
        while pending:
            for child in pending.pop().children:
                below = self[child]
                found.append(below)
                if below.children:
                    pending.append(below)
        return found

    def expect_change(self, record: Object) -> None:
        """Count what it will take to change an object and all below it.

        The methods that change objects are not stopped half way: so whoever runs MOO
        code says beforehand what is to come, and does not begin if the time is over.
        """
        pending = [record]
        while pending:
            above = pending.pop()
            sizes = len(above.layout.names) + len(above.verbs) + len(above.contents)
            self.meter.spend((1 + len(above.children)) * CHANGE_STEPS + sizes // 4)
            for child in above.children:
                below = self[child]
                if below.children or below.propdefs or below.verbs:
                    pending.append(below)

    # --- properties -----------------------------------------------------------

    def find_property(self, objid: Obj, name: str) -> tuple[Object, int] | None:
        """Return where a property of a valid object is: its record and slot.

        ``name`` is folded, and none of `BUILTIN_PROPERTIES`.  For the value see
        `property_value`; ``record.infos[slot]`` is owner and permissions.  Costs one
        look-up, however many properties there are.

        Source: db_properties.c, db_find_property.
        """
        record = self.find(objid)
        if record is None:
            return None
        slot = record.layout.slots.get(name)
        return None if slot is None else (record, slot)

    def property_value(self, record: Object, slot: int) -> Value:
        """Return the value of a property, the inherited one if it is clear.

        Costs no more for a value that is inherited from far above.
        """
        value = record.values[slot]
        if value.__class__ is not Clear:
            return value  # type: ignore[return-value]
        slot -= len(record.propdefs)
        parent = self.find(record.parent)
        if parent is None or slot < 0:
            return 0
        value = parent.values[slot]
        if value.__class__ is not Clear:
            return value  # type: ignore[return-value]
        holders = self._holders.get(parent.id)
        if holders is None or slot not in holders:
            holders = self._find_holder(parent, slot)
        values, slot = holders[slot]
        return values[slot]  # type: ignore[return-value]

    def _find_holder(
        self, record: Object, slot: int
    ) -> dict[int, tuple[list[Value | Clear], int]]:
        """Note where a property of ``record``, clear there, has its value."""
        if self._holder_count >= MAX_CACHED_HOLDERS:
            self._forget_all_holders()
        self._holder_count += 1
        holders = self._holders.setdefault(record.id, {})
        at: Object | None = record
        above = slot
        holders[slot] = _NO_HOLDER
        while at is not None and above >= 0:
            if at.values[above] is not CLEAR:
                holders[slot] = (at.values, above)
                break
            above -= len(at.propdefs)
            at = self.find(at.parent)
        return holders

    def _forget_holders(self, record: Object) -> None:
        """Forget inherited values, as ``record`` may have changed what it passes on."""
        if record.children:
            self._forget_all_holders()
        else:
            self._holders.pop(record.id, None)

    def _forget_all_holders(self) -> None:
        self._holders.clear()
        self._holder_count = 0

    def set_property_value(
        self, record: Object, slot: int, value: Value | Clear
    ) -> None:
        """Set the value of a property on one object, or make it CLEAR."""
        values = record.values
        old = values[slot]
        self.journal.note_value(record, slot, old)
        if (old is CLEAR) is not (value is CLEAR):
            self._forget_holders(record)
        values[slot] = value
        self.readable.value_set(record, record.layout.names[slot], value)

    def set_property_info(
        self, record: Object, slot: int, owner: Obj, perms: int
    ) -> None:
        """Set the owner and permissions of a property on one object."""
        self.journal.tell(("set_property_info", record.id, slot, owner, perms))
        row = record.infos
        info = self.prop_info(owner, perms)
        self._change(record, "infos", (*row[:slot], info, *row[slot + 1 :]))
        self.readable.forget(record.layout.names[slot])

    def prop_info(self, owner: Obj, perms: int) -> PropInfo:
        """Return the pair, one tuple for all that are equal."""
        info = (owner, perms)
        return self._infos.setdefault(info, info)

    def add_property(
        self, objid: Obj, name: str, value: Value, owner: Obj, perms: int
    ) -> bool:
        """Define a property; on descendants it is clear.

        With the c bit its owner is, on each object, the owner of that object.
        Returns False, and does nothing, if the name is that of a built-in property
        or of one that the object, an ancestor or a descendant defines.

        Source: db_properties.c, db_add_propdef.
        """
        record = self[objid]
        folded = fold(name)
        if self._is_taken(record, folded):
            return False
        self.journal.tell_move(("add_property", objid, name, value, owner, perms))
        self._forget_holders(record)
        self.readable.forget(folded)
        last = len(record.propdefs)
        self.journal.note((self._remove_property, record, last))
        self.journal.slots_move()
        record.propdefs += (name,)
        info = self.prop_info(owner, perms)
        inserted: Value | Clear = value
        rows = _SharedRows()
        for below, slot in self._slots_below(record, last):
            if perms & PROP_CHOWN:
                info = self.prop_info(below.owner, perms)
            row = rows.changed(below.infos, slot, slot, (info,))
            self._insert_slot(below, slot, folded, inserted, row)
            inserted = CLEAR
        return True

    def delete_property(self, objid: Obj, name: str) -> bool:
        """Remove a property, there and on all descendants.

        Returns False, and does nothing, if the object itself does not define it.

        Source: db_properties.c, db_delete_propdef.
        """
        record = self[objid]
        at = record.own_slot(fold(name))
        if at is None:
            return False
        self.journal.tell_move(("delete_property", objid, name))
        self._forget_holders(record)
        self.readable.forget(fold(name))
        slots = [
            (below, slot, below.values[slot], below.infos, below.layout)
            for below, slot in self._slots_below(record, at)
        ]
        self.journal.note((self._undo_delete, record.propdefs, slots))
        self.journal.slots_move()
        self._remove_property(record, at)
        return True

    def _remove_property(self, record: Object, at: int) -> None:
        """Remove the property at slot ``at`` of an object that defines it."""
        record.propdefs = record.propdefs[:at] + record.propdefs[at + 1 :]
        rows = _SharedRows()
        for below, slot in self._slots_below(record, at):
            row = rows.changed(below.infos, slot, slot + 1, ())
            self._remove_slot(below, slot, row)

    def _undo_delete(
        self,
        propdefs: tuple[str, ...],
        slots: list[tuple[Object, int, Value | Clear, tuple[PropInfo, ...], Layout]],
    ) -> None:
        """Put back a property: what it was in the object and in each below.

        Each gets the layout itself that it had, which other entries may hold.
        """
        record, at, *_ = slots[0]
        name = fold(propdefs[at])
        for below, slot, value, infos, layout in slots:
            if below.layout is not layout:
                below.layout = layout
            elif below.propdefs:
                layout.insert(slot, name)
            below.values.insert(slot, value)
            below.infos = infos
        record.propdefs = propdefs

    def rename_property(self, objid: Obj, name: str, new_name: str) -> bool:
        """Give a property another name, there and on all descendants.

        Returns False, and does nothing, if the object itself does not define it, or
        if the new name is taken (as for `add_property`).

        Source: db_properties.c, db_rename_propdef.
        """
        record = self[objid]
        old, new = fold(name), fold(new_name)
        at = record.own_slot(old)
        if at is None or (old != new and self._is_taken(record, new)):
            return False
        self.journal.tell(("rename_property", objid, name, new_name))
        self.readable.forget(old)
        self.readable.forget(new)
        self.journal.note((self._rename_slot, record, at, record.propdefs[at]))
        self._rename_slot(record, at, new_name)
        return True

    def _rename_slot(self, record: Object, at: int, name: str) -> None:
        """Call the property at slot ``at`` of an object that defines it ``name``."""
        names = record.propdefs
        record.propdefs = (*names[:at], name, *names[at + 1 :])
        for below, slot in self._slots_below(record, at):
            if below.propdefs:
                below.layout.rename(slot, fold(name))

    def _slots_below(self, record: Object, slot: int) -> Iterator[tuple[Object, int]]:
        """Yield an object and all below it, and where one of its slots is in each."""
        slots = {record.id: slot}
        yield record, slot
        for below in self.descendants(record):
            slot = slots[below.parent] + len(below.propdefs)
            slots[below.id] = slot
            yield below, slot

    def _insert_slot(
        self,
        record: Object,
        slot: int,
        name: str,
        value: Value | Clear,
        infos: tuple[PropInfo, ...],
    ) -> None:
        """Make room for a property in one object; its parent has been done."""
        layout = self._parents_layout(record)
        if slot == 0 and len(record.propdefs) == 1:
            layout = Layout([name, *layout.names])
        elif record.propdefs:
            layout = record.layout
            layout.insert(slot, name)
        record.layout = layout
        record.values.insert(slot, value)
        record.infos = infos

    def _remove_slot(
        self, record: Object, slot: int, infos: tuple[PropInfo, ...]
    ) -> None:
        """Close the gap of a property in one object; its parent has been done."""
        if record.propdefs:
            record.layout.remove(slot)
        else:
            record.layout = self._parents_layout(record)
        del record.values[slot]
        record.infos = infos

    def _is_taken(self, record: Object, name: str) -> bool:
        if name in _BUILTIN_NAMES or name in record.layout.slots:
            return True
        return bool(record.children) and any(
            below.propdefs and name in below.layout.slots
            for below in self.descendants(record)
        )

    def _defines_any_of(self, record: Object, parent: Obj) -> bool:
        """Whether an object or a descendant defines a property of ``parent``.

        Source: db_properties.c, dbpriv_check_properties_for_chparent.
        """
        above = self.find(parent)
        if above is None or not (record.propdefs or record.children):
            return False
        taken = above.layout.slots
        return any(
            fold(name) in taken
            for below in (record, *self.descendants(record))
            for name in below.propdefs
        )

    def _parents_layout(self, record: Object) -> Layout:
        parent = self.find(record.parent)
        return NO_LAYOUT if parent is None else parent.layout

    def _fit_properties(
        self, record: Object, old: Object | None, new: Object | None
    ) -> None:
        """Give an object and all below it the properties of another parent.

        Source: db_properties.c, dbpriv_fix_properties_after_chparent.
        """
        kept = self._common_properties(old, new)
        removed = (len(old.layout.names) if old else 0) - kept
        added = (len(new.layout.names) if new else 0) - kept
        if not removed and not added:
            return
        for below, start in self._slots_below(record, len(record.propdefs)):
            parent = self[below.parent] if below is not record else new
            self._replace_slots(below, parent, start, removed, added)

    def _common_properties(self, old: Object | None, new: Object | None) -> int:
        """Return how many properties the nearest common ancestor has, if any."""
        if old is None or new is None:
            return 0
        line = set()
        at: Object | None = new
        while at is not None:
            line.add(at.id)
            at = self.find(at.parent)
        at = old
        while at is not None:
            if at.id in line:
                return len(at.layout.names)
            at = self.find(at.parent)
        return 0

    def _replace_slots(
        self,
        record: Object,
        parent: Object | None,
        start: int,
        removed: int,
        added: int,
    ) -> None:
        """Exchange inherited properties of one object; its parent has been done.

        They begin at slot ``start``.  The parent, which does not have those that are
        defined here, has them that much earlier.
        """
        parents_start = start - len(record.propdefs)
        row = record.infos
        gone = record.values[start : start + removed]
        self.journal.note(
            (_undo_replace, record, start, added, gone, row, record.layout)
        )
        self.journal.slots_move()
        record.values[start : start + removed] = [CLEAR] * added
        infos: tuple[PropInfo, ...] = ()
        if parent is not None:
            infos = self._inherited_infos(
                parent.infos, parents_start, parents_start + added, record.owner
            )
        record.infos = row[:start] + infos + row[start + removed :] if row else infos
        layout = NO_LAYOUT if parent is None else parent.layout
        if record.propdefs:
            own = record.layout.names[: len(record.propdefs)]
            layout = Layout([*own, *layout.names])
        record.layout = layout

    def _inherited_infos(
        self, row: tuple[PropInfo, ...], start: int, end: int, owner: Obj
    ) -> tuple[PropInfo, ...]:
        """Return a parent's row, or part of it, as a child of ``owner`` gets it."""
        if end - start != len(row):
            return self._chowned(row[start:end], owner)
        # The same row again and again for all that one owner makes of one generic
        # object.  The parent's row is kept with it, so that its id stays its own.
        known = self._rows.get((id(row), owner))
        if known is None:
            if len(self._rows) >= MAX_CACHED_ROWS:
                self._rows.clear()
            known = (row, self._chowned(row, owner))
            self._rows[id(row), owner] = known
        return known[1]

    def _chowned(self, row: tuple[PropInfo, ...], owner: Obj) -> tuple[PropInfo, ...]:
        if not any(perms & PROP_CHOWN and who != owner for who, perms in row):
            return row
        return tuple(
            self.prop_info(owner, info[1]) if info[1] & PROP_CHOWN else info
            for info in row
        )

    # --- verbs ----------------------------------------------------------------

    def add_verb(
        self,
        objid: Obj,
        names: str,
        owner: Obj,
        flags: int,
        dobj: int,
        prep: int,
        iobj: int,
    ) -> int:
        """Define a verb behind the others; return its place, from 1.

        Source: db_verbs.c, db_add_verb.
        """
        operation = ("add_verb", objid, names, owner, flags, dobj, prep, iobj)
        self.journal.tell(operation)
        record = self[objid]
        perms = flags | dobj << DOBJ_SHIFT | iobj << IOBJ_SHIFT
        verbdef = Verbdef(_copied(names), owner, perms, prep)
        self.journal.note((record.set_verbs, record.verbs))
        record.add_verb(verbdef)
        self._forget_verbs()
        return len(record.verbs)

    def delete_verb(self, objid: Obj, verbdef: Verbdef) -> None:
        """Remove a verb that ``objid`` defines.

        Source: db_verbs.c, db_delete_verb.
        """
        record = self[objid]
        self.journal.tell(("delete_verb", objid, _place_of(verbdef, record)))
        self.journal.note((record.set_verbs, record.verbs))
        record.set_verbs(tuple(v for v in record.verbs if v is not verbdef))
        self._forget_verbs()

    def set_verb_names(self, objid: Obj, verbdef: Verbdef, names: str) -> None:
        """Change the names of a verb that ``objid`` defines."""
        record = self[objid]
        self.journal.note((record.forget_verb_index,))
        self.journal.note_text(verbdef, "names", record)
        verbdef.names = _copied(names)
        record.forget_verb_index()
        self._forget_verbs()

    def set_verb_owner(self, objid: Obj, verbdef: Verbdef, owner: Obj) -> None:
        """Change the owner of a verb that ``objid`` defines."""
        place = _place_of(verbdef, self[objid])
        self.journal.tell(("set_verb_owner", objid, place, owner))
        self._change(verbdef, "owner", owner)

    def set_verb_flags(self, objid: Obj, verbdef: Verbdef, flags: int) -> None:
        """Change the flags of a verb that ``objid`` defines: VERB_READ and so on."""
        place = _place_of(verbdef, self[objid])
        self.journal.tell(("set_verb_flags", objid, place, flags))
        if (verbdef.perms ^ flags) & VERB_EXECUTE:
            self._forget_verbs()
        self._change(verbdef, "perms", verbdef.perms & ~VERB_FLAGS | flags)

    def set_verb_args(
        self, objid: Obj, verbdef: Verbdef, dobj: int, prep: int, iobj: int
    ) -> None:
        """Change what commands a verb that ``objid`` defines fits."""
        place = _place_of(verbdef, self[objid])
        self.journal.tell(("set_verb_args", objid, place, dobj, prep, iobj))
        perms = verbdef.perms & VERB_FLAGS | dobj << DOBJ_SHIFT | iobj << IOBJ_SHIFT
        self._change(verbdef, "perms", perms)
        self._change(verbdef, "prep", prep)

    def set_verb_code(
        self, objid: Obj, verbdef: Verbdef, code: str, compiled: Any = None
    ) -> None:
        """Program a verb that ``objid`` defines.

        ``code`` is its canonical text, of the present language.
        """
        record = self[objid]
        for attribute in ("compiled", "code", "version"):
            self.journal.note_text(verbdef, attribute, record)
        verbdef.compiled = compiled
        verbdef.code = code
        verbdef.version = LANGUAGE_VERSION

    def find_callable_verb(self, objid: Obj, name: str) -> FoundVerb | None:
        """Return the verb that a call of ``objid:name()`` runs, if there is one.

        It is the first that ``name`` fits and that has the x bit, on the object, its
        parent, and so on.  Found or not, it is remembered under the first of these
        objects that has verbs, until a verb or an ancestor changes.

        Source: db_verbs.c, db_find_callable_verb.
        """
        self._verb_lookups += 1
        found = self.verb_tables[objid][name]
        if found is None:
            self._verb_negatives += 1
        return found

    def count_verb_lookups(self, lookups: int, *, negative: int = 0) -> None:
        """Count look-ups in `verb_tables`, and those that found nothing."""
        self._verb_lookups += lookups
        self._verb_negatives += negative

    def _make_verb_table(self, objid: Obj) -> VerbTable:
        record = self.find(objid)
        table: VerbTable | None = None
        if record is not None and not record.verbs:
            table = self.verb_tables.get(record.parent)
        if table is None:
            line = self.ancestors(record)
            home = next((above for above in line if above.verbs), None)
            key = NOTHING if home is None else home.id
            table = self._home_tables.get(key)
            if table is None:
                table = self._home_tables[key] = VerbTable(self, home)
        if record is not None:
            self._count_cached_verb()
            self.verb_tables[objid] = table
        return table

    def _look_up_verb(
        self, table: VerbTable, home: Object | None, name: str
    ) -> FoundVerb | None:
        self._verb_misses += 1
        self._count_name(name)
        found = next(self._verbs_named(home, name, needs_x=True), None)
        if found is None:
            self._verb_negative_misses += 1
        if len(name) <= MAX_CACHED_NAME:
            self._count_cached_verb()
            table[name] = found
        return found

    def _look_up_verbs(
        self, table: VerbTable, home: Object | None, name: str
    ) -> tuple[FoundVerb, ...]:
        self._count_name(name)
        found = tuple(self._verbs_named(home, name))
        if len(name) <= MAX_CACHED_NAME:
            self._count_cached_verb()
            table.by_name[name] = found
        return found

    def _count_name(self, name: str) -> None:
        if len(name) > MAX_CACHED_NAME:  # it is looked for each time
            self.meter.spend(1 + len(name) // SCANNED_PER_STEP)

    def _verbs_named(
        self, record: Object | None, name: str, *, needs_x: bool = False
    ) -> Iterator[FoundVerb]:
        """Yield all verbs that ``name`` fits, on an object and above, in order."""
        for above in self.ancestors(record):
            if above.verbs:
                for position in above.verb_index.find(name):
                    verbdef = above.verbs[position]
                    if not needs_x or verbdef.perms & VERB_EXECUTE:
                        yield FoundVerb(above.id, verbdef)

    def _count_cached_verb(self) -> None:
        if self._cached_verbs >= MAX_CACHED_VERBS:
            self._drop_verb_tables()
        self._cached_verbs += 1

    def _forget_verbs(self) -> None:
        """To be called after any change that may lead a call to another verb."""
        self.verb_generation += 1
        self._drop_verb_tables()

    def _drop_verb_tables(self) -> None:
        self.verb_tables.clear()
        self._home_tables.clear()
        self._cached_verbs = 0

    @property
    def verb_cache_stats(self) -> VerbCacheStats:
        """The counts since the start."""
        negative_hits = self._verb_negatives - self._verb_negative_misses
        hits = self._verb_lookups - self._verb_misses - negative_hits
        return VerbCacheStats(
            hits,
            negative_hits,
            self._verb_misses,
            self.verb_generation,
            self._cached_verbs,
        )

    def find_command_verb(
        self, objid: Obj, name: str, dobj: int, prep: int, iobj: int
    ) -> FoundVerb | None:
        """Return the verb of an object, or of an ancestor, that a command runs.

        ``dobj`` and ``iobj`` say what the command's objects are to ``objid``:
        ARGSPEC_THIS, ARGSPEC_NONE, or ARGSPEC_ANY for another object.  The x bit is
        not needed.

        Source: db_verbs.c, db_find_command_verb.
        """
        for found in self.verb_tables[objid].verbs_named(name):
            verbdef = found.verbdef
            perms = verbdef.perms
            if (
                perms >> DOBJ_SHIFT & ARGSPEC_MASK in (ARGSPEC_ANY, dobj)
                and perms >> IOBJ_SHIFT & ARGSPEC_MASK in (ARGSPEC_ANY, iobj)
                and verbdef.prep in (PREP_ANY, prep)
            ):
                return found
        return None

    def find_defined_verb(
        self, objid: Obj, name: str, *, allow_numbers: bool = False
    ) -> Verbdef | None:
        """Return the first verb that ``name`` fits of those an object defines.

        With ``allow_numbers`` a string of digits also means the place of a verb,
        from 0, as in servers of old.

        Source: db_verbs.c, db_find_defined_verb.
        """
        record = self[objid]
        self._count_name(name)
        positions = record.verb_index.find(name)
        position = positions[0] if positions else len(record.verbs)
        if allow_numbers:
            number = _place_in_digits(name)
            if number is not None and 0 <= number < position:
                position = number
        return record.verbs[position] if position < len(record.verbs) else None

    def find_indexed_verb(self, objid: Obj, place: int) -> Verbdef | None:
        """Return the verb at ``place``, from 1, of those an object defines."""
        verbs = self[objid].verbs
        return verbs[place - 1] if 0 < place <= len(verbs) else None

    # --- taking back ----------------------------------------------------------

    def _change(self, thing: Any, attribute: str, value: Any) -> None:
        """Set an attribute, having noted what it was."""
        self.journal.note((setattr, thing, attribute, getattr(thing, attribute)))
        setattr(thing, attribute, value)

    def rollback(self, *, keep_output: bool = False) -> None:
        """Undo all that the slice under way has done; it has ended then.

        With ``keep_output`` but for the lines that players have been sent.
        """
        self.journal.rollback(keep_output=keep_output)
        self._put_in_order()
        self._forget_verbs()
        self._forget_all_holders()
        self.readable.forget_all()
        self.removals += 1

    # --- another world --------------------------------------------------------

    def take_over(self, other: World) -> None:
        """Become ``other``, which must not be used any more.

        Whoever holds this world or one of its methods goes on with it; records and
        verbs that were got before belong to the past.  The counts of look-ups go on.
        """
        self._records.clear()  # in place, as `find` is bound to it
        self._records.update(other._records)
        self._size = other._size
        self._players = other._players
        self._arrivals = other._arrivals
        self._infos = other._infos
        self._rows = other._rows
        self._forget_all_holders()
        self._drop_verb_tables()
        self.readable.forget_all()

    # --- checks ---------------------------------------------------------------

    def check(self, *, owners: bool = True) -> Iterator[str]:
        """Yield what is wrong in the world (W1 to W3), naming the objects.

        With ``owners`` also what a sound world may have but its owner may want to
        know: owners that are no longer valid, odd lists of players, and numbers that
        mean nothing where verbs have their permissions.
        """
        yield from structure_findings(self)
        if owners:
            yield from owner_findings(self)
            yield from verb_findings(self)


class _SharedRows:
    """Changes rows of owners and permissions so that what was one row stays one.

    Rows are known by their ids; each is kept as long as its id is.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[Any, ...], tuple[Any, tuple[PropInfo, ...]]] = {}

    def changed(
        self,
        row: tuple[PropInfo, ...],
        start: int,
        end: int,
        infos: tuple[PropInfo, ...],
    ) -> tuple[PropInfo, ...]:
        """Return ``row`` with ``infos`` in the place of what is between two slots."""
        key = (id(row), start, end, infos)
        known = self._rows.get(key)
        if known is None:
            known = self._rows[key] = (row, row[:start] + infos + row[end:])
        return known[1]


# --- relations: insertion-ordered sets, shared while they are empty -----------


def _undo_join(record: Object, relation: str, objid: Obj) -> None:
    members: Any = getattr(record, relation)
    del members[objid]
    if not members:
        setattr(record, relation, NO_OBJECTS)


def _renamed(relation: Mapping[Obj, int], old: Obj, new: Obj) -> Mapping[Obj, int]:
    """Return a relation with ``new`` in the place of ``old``."""
    return {(new if objid == old else objid): n for objid, n in relation.items()}


def _undo_replace(
    record: Object,
    start: int,
    added: int,
    gone: list[Value | Clear],
    infos: tuple[PropInfo, ...],
    layout: Layout,
) -> None:
    """Give an object back the inherited properties that were exchanged."""
    record.values[start : start + added] = gone
    record.infos = infos
    record.layout = layout


# --- verbs ----------------------------------------------------------------------


def _place_of(verbdef: Verbdef, record: Object) -> int:
    """Return where a verb is among those of an object, from 0."""
    return record.verbs.index(verbdef)


def _copied(names: str) -> str:
    """Return a string of its own, which only ``verbs()`` hands out.

    `verb_names.names_match` tells it from the one given to add_verb().
    """
    return (names + " ")[:-1]


_INTEGER: Final = re.compile(r"[+-]?[0-9]+")


def may_be_place(name: str) -> bool:
    """Whether ``name`` could mean a verb by its place: see `find_defined_verb`."""
    return not name or name[0] in "+-0123456789"


def _place_in_digits(name: str) -> int | None:
    """Return the number that ``name`` is as a whole; 0 for the empty string.

    It is cut to 64 bits and then to 32, as strtol() and the C server do.
    """
    if not name:
        return 0
    if not _INTEGER.fullmatch(name):
        return None
    return wrapped(max(-(2**63), min(int(name), 2**63 - 1)), 32)
