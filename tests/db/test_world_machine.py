"""Any sequence of operations, against a model that is too simple to be wrong.

The model keeps, for every object, its properties as the C server stores them: one
entry per definition on it and its ancestors, found by walking; and looks verbs up
by trying each name.  After every step the world must be sound and both must agree.
A slice that is rolled back leaves the world as its textdump was before.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import hypothesis.strategies as st
from attrs import define, field
from hypothesis import settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from pymoo.db.journal_values import ValueReader, ValueWriter
from pymoo.db.objects import CLEAR, FLAG_PLAYER, PROP_CHOWN, VERB_EXECUTE
from pymoo.db.redo import operation_to_value, replay
from pymoo.db.verb_names import names_match
from pymoo.db.world import World
from pymoo.values import NOTHING, Obj, fold
from tests.db.worlds import dumped, loaded

BUILTIN = {"name", "owner"}
PROPERTY_NAMES = st.sampled_from(["a", "A", "b", "c", "dd", "name", "two words"])
VERB_NAMES = st.sampled_from(["foo", "f*oo", "*", "b*", "foo*bar baz", "x"])
WORDS = ["foo", "f", "foob", "baz", "b", "x", "y", "FOO"]
PERMS = st.sampled_from([0, 1, 4, 5])
VALUES = st.sampled_from([0, -1, 2.5, "text", Obj(3), (1, ("a",))])


@define(eq=False)
class Definition:
    name: str


@define(eq=False)
class ModelObject:
    owner: Obj
    parent: Obj = NOTHING
    location: Obj = NOTHING
    children: list[Obj] = field(factory=list)
    contents: list[Obj] = field(factory=list)
    definitions: list[Definition] = field(factory=list)
    # By definition, of this object or an ancestor: value, owner, permissions.
    entries: dict[Definition, list[Any]] = field(factory=dict)
    verbs: list[list[Any]] = field(factory=list)  # names, flags, code


class Model:
    def __init__(self) -> None:
        self.objects: dict[Obj, ModelObject] = {}
        self.size = 0
        self.players: list[Obj] = []

    def line(self, objid):
        while objid in self.objects:
            yield self.objects[objid]
            objid = self.objects[objid].parent

    def definitions(self, objid):
        return [d for above in self.line(objid) for d in above.definitions]

    def below(self, objid):
        for child in self.objects[objid].children:
            yield child
            yield from self.below(child)

    def create(self, owner, parent):
        objid = Obj(self.size)
        self.size += 1
        self.objects[objid] = ModelObject(objid if owner == NOTHING else owner)
        self.change_parent(objid, parent)
        return objid

    def is_below(self, objid, other):
        return objid == other or objid in self.below(other)

    def conflicts(self, objid, parent):
        taken = {fold(d.name) for d in self.definitions(parent)}
        return any(
            fold(d.name) in taken
            for o in [objid, *self.below(objid)]
            for d in self.objects[o].definitions
        )

    def change_parent(self, objid, parent):
        me = self.objects[objid]
        if me.parent != NOTHING:
            self.objects[me.parent].children.remove(objid)
        if parent != NOTHING:
            self.objects[parent].children.append(objid)
        me.parent = parent
        self.fit(objid)

    def fit(self, objid):
        """Keep what is still defined; the rest comes clear from the parent."""
        me = self.objects[objid]
        kept = me.entries
        me.entries = {}
        for definition in self.definitions(objid):
            if definition in kept:
                me.entries[definition] = kept[definition]
            else:
                _, owner, perms = self.objects[me.parent].entries[definition]
                owner = me.owner if perms & PROP_CHOWN else owner
                me.entries[definition] = [CLEAR, owner, perms]
        for child in me.children:
            self.fit(child)

    def find(self, objid, name):
        for definition in self.definitions(objid):
            if fold(definition.name) == fold(name):
                return definition
        return None

    def is_taken(self, objid, name):
        return (
            fold(name) in BUILTIN
            or self.find(objid, name) is not None
            or any(self.find(o, name) is not None for o in self.below(objid))
        )

    def value(self, objid, definition):
        for above in self.line(objid):
            if above.entries[definition][0] is not CLEAR:
                return above.entries[definition][0]
        raise AssertionError("clear where it is defined")

    def add_property(self, objid, name, value, owner, perms):
        definition = Definition(name)
        self.objects[objid].definitions.append(definition)
        for o in [objid, *self.below(objid)]:
            me = self.objects[o]
            whose = me.owner if perms & PROP_CHOWN else owner
            entry = [value if o == objid else CLEAR, whose, perms]
            me.entries = {
                d: entry if d is definition else me.entries[d]
                for d in self.definitions(o)
            }

    def delete_property(self, objid, definition):
        self.objects[objid].definitions.remove(definition)
        for o in [objid, *self.below(objid)]:
            del self.objects[o].entries[definition]

    def recycle(self, objid):
        me = self.objects[objid]
        for child in list(me.children):
            self.change_parent(child, me.parent)
        self.change_parent(objid, NOTHING)
        if objid in self.players:
            self.players.remove(objid)
        del self.objects[objid]

    def renumber(self, old):
        free = [n for n in range(old) if Obj(n) not in self.objects]
        if not free:
            return old
        new = Obj(free[0])
        self.objects[new] = self.objects.pop(old)
        names = {old: new}
        owners = {old: new, new: NOTHING}
        for me in self.objects.values():
            me.parent = names.get(me.parent, me.parent)
            me.location = names.get(me.location, me.location)
            me.children = [names.get(o, o) for o in me.children]
            me.contents = [names.get(o, o) for o in me.contents]
            me.owner = owners.get(me.owner, me.owner)
            for entry in me.entries.values():
                entry[1] = owners.get(entry[1], entry[1])
        self.players = [names.get(o, o) for o in self.players]
        return new

    def callable_verb(self, objid, word):
        for above in self.line(objid):
            for verb in above.verbs:
                if verb[1] & VERB_EXECUTE and names_match(verb[0], word):
                    return verb
        return None


class Worlds(RuleBasedStateMachine):
    objects = Bundle("objects")

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.model = Model()
        self.before: tuple[bytes, Model] | None = None
        self.world.journal.keep_redo(True)
        self.again = World()
        self.writer, self.reader = ValueWriter(), ValueReader()

    @precondition(lambda self: self.before is None)
    @rule()
    def begin(self):
        self.before = dumped(self.world), deepcopy(self.model)
        self.world.journal.begin()

    @precondition(lambda self: self.before is not None)
    @rule()
    def commit(self):
        self.world.journal.commit()
        self.before = None

    @precondition(lambda self: self.before is not None)
    @rule()
    def rollback(self):
        self.world.rollback()
        data, self.model = self.before
        assert dumped(self.world) == data
        self.before = None

    @initialize(target=objects)
    def first_objects(self):
        """A family of four generations, so that there is something to inherit."""
        parents = [NOTHING, Obj(0), Obj(1), Obj(2), Obj(0), Obj(4)]
        for parent in parents:
            self.model.create(NOTHING, parent)
        created = [self.world.create(NOTHING, parent) for parent in parents]
        for number, name in enumerate(["a", "b", "c"]):
            self.add_property(Obj(number), name, number, Obj(0), PROP_CHOWN)
            self.add_verb(Obj(number), "f*oo", VERB_EXECUTE)
        for number in (3, 5):
            self.set_value(Obj(number), "a", 2.5)
            self.move(Obj(number), Obj(1))
        return multiple(*created)

    def living(self, objid):
        return objid in self.model.objects

    @rule(target=objects, owner=objects, parent=objects, orphan=st.booleans())
    def create(self, owner, parent, orphan):
        parent = NOTHING if orphan or not self.living(parent) else parent
        objid = self.world.create(owner, parent)
        assert objid == self.model.create(owner, parent)
        return objid

    @rule(objid=consumes(objects))
    def recycle(self, objid):
        if self.living(objid) and len(self.model.objects) > 1:
            me = self.model.objects[objid]
            for thing in list(me.contents):
                self.move(thing, NOTHING)
            self.move(objid, NOTHING)
            self.world.recycle(objid)
            self.model.recycle(objid)

    @rule(target=objects, objid=consumes(objects))
    def renumber(self, objid):
        if not self.living(objid):
            return objid
        new = self.world.renumber(objid)
        assert new == self.model.renumber(objid)
        return new

    @rule()
    def reset_max_object(self):
        self.world.reset_max_object()
        self.model.size = max(self.model.objects) + 1
        assert self.world.max_object == self.model.size - 1

    @rule(objid=objects, parent=objects, orphan=st.booleans())
    def chparent(self, objid, parent, orphan):
        if not self.living(objid):
            return
        parent = NOTHING if orphan or not self.living(parent) else parent
        if parent != NOTHING and self.model.is_below(parent, objid):
            return
        refused = self.model.conflicts(objid, parent)
        assert self.world.change_parent(objid, parent) is not refused
        if not refused:
            self.model.change_parent(objid, parent)

    @rule(objid=objects, location=objects)
    def move_into(self, objid, location):
        if self.living(objid) and self.living(location):
            above = location
            while above != NOTHING:
                if above == objid:
                    return
                above = self.model.objects[above].location
            self.move(objid, location)

    @rule(objid=objects)
    def move_out(self, objid):
        if self.living(objid):
            self.move(objid, NOTHING)

    def move(self, objid, location):
        self.world.change_location(objid, location)
        me = self.model.objects[objid]
        if me.location != NOTHING:
            self.model.objects[me.location].contents.remove(objid)
        if location != NOTHING:
            self.model.objects[location].contents.append(objid)
        me.location = location

    @rule(objid=objects, owner=objects)
    def set_owner(self, objid, owner):
        if self.living(objid):
            self.world.set_owner(objid, owner)
            self.model.objects[objid].owner = owner

    @rule(objid=objects, is_player=st.booleans())
    def set_player_flag(self, objid, is_player):
        if self.living(objid):
            self.world.set_flag(objid, FLAG_PLAYER, is_player)
            players = self.model.players
            if is_player and objid not in players:
                players.append(objid)
            elif not is_player and objid in players:
                players.remove(objid)

    @rule(objid=objects, name=PROPERTY_NAMES, value=VALUES, owner=objects, perms=PERMS)
    def add_property(self, objid, name, value, owner, perms):
        if self.living(objid):
            taken = self.model.is_taken(objid, name)
            added = self.world.add_property(objid, name, value, owner, perms)
            assert added is not taken
            if added:
                self.model.add_property(objid, name, value, owner, perms)

    @rule(objid=objects, name=PROPERTY_NAMES)
    def delete_property(self, objid, name):
        if self.living(objid):
            definition = self.model.find(objid, name)
            defined = definition in self.model.objects[objid].definitions
            assert self.world.delete_property(objid, name) is defined
            if defined:
                self.model.delete_property(objid, definition)

    @rule(objid=objects, name=PROPERTY_NAMES, new_name=PROPERTY_NAMES)
    def rename_property(self, objid, name, new_name):
        if self.living(objid):
            definition = self.model.find(objid, name)
            allowed = definition in self.model.objects[objid].definitions and (
                fold(name) == fold(new_name) or not self.model.is_taken(objid, new_name)
            )
            assert self.world.rename_property(objid, name, new_name) is allowed
            if allowed:
                definition.name = new_name

    @rule(objid=objects, name=PROPERTY_NAMES, value=st.one_of(VALUES, st.just(CLEAR)))
    def set_value(self, objid, name, value):
        definition = self.living(objid) and self.model.find(objid, name)
        if definition:
            me = self.model.objects[objid]
            if value is not CLEAR or definition not in me.definitions:
                found = self.world.find_property(objid, fold(name))
                self.world.set_property_value(*found, value)
                me.entries[definition][0] = value

    @rule(objid=objects, name=PROPERTY_NAMES, owner=objects, perms=PERMS)
    def set_info(self, objid, name, owner, perms):
        definition = self.living(objid) and self.model.find(objid, name)
        if definition:
            found = self.world.find_property(objid, fold(name))
            self.world.set_property_info(*found, owner, perms)
            self.model.objects[objid].entries[definition][1:] = [owner, perms]

    @rule(objid=objects, names=VERB_NAMES, flags=st.sampled_from([0, 4, 5]))
    def add_verb(self, objid, names, flags):
        if self.living(objid):
            verbs = self.model.objects[objid].verbs
            place = self.world.add_verb(objid, names, objid, flags, 2, -1, 2)
            verbs.append([names, flags])
            assert place == len(verbs)

    @rule(objid=objects, place=st.integers(1, 3))
    def delete_verb(self, objid, place):
        verbdef = self.living(objid) and self.world.find_indexed_verb(objid, place)
        if verbdef:
            self.world.delete_verb(objid, verbdef)
            del self.model.objects[objid].verbs[place - 1]

    @rule(
        objid=objects,
        place=st.integers(1, 3),
        names=VERB_NAMES,
        flags=st.sampled_from([0, 4]),
    )
    def set_verb_info(self, objid, place, names, flags):
        verbdef = self.living(objid) and self.world.find_indexed_verb(objid, place)
        if verbdef:
            self.world.set_verb_names(objid, verbdef, names)
            self.world.set_verb_flags(objid, verbdef, flags)
            self.model.objects[objid].verbs[place - 1][:] = [names, flags]

    @rule(
        objid=objects,
        place=st.integers(1, 3),
        prep=st.integers(-2, 14),
        code=st.sampled_from(["return 1;\n", "return 2;\n"]),
    )
    def program_verb(self, objid, place, prep, code):
        verbdef = self.living(objid) and self.world.find_indexed_verb(objid, place)
        if verbdef:
            self.world.set_verb_code(objid, verbdef, code)
            self.world.set_verb_args(objid, verbdef, 1, prep, 0)
            self.world.set_verb_owner(objid, verbdef, Obj(place))

    @rule(objid=objects, name=st.sampled_from(["Frand", "yduJ"]))
    def rename(self, objid, name):
        if self.living(objid):
            self.world.set_name(objid, name)

    @precondition(lambda self: self.model.objects)
    @rule()
    def dump_and_load(self):
        data = dumped(self.world)
        again = loaded(data)
        assert list(again.world.check(owners=False)) == []
        assert dumped(again.world) == data

    @precondition(lambda self: self.before is None)
    @rule()
    def what_was_done_is_done_once_more(self):
        """As a record of a journal, on a world that is made of those before."""
        operations = tuple(map(operation_to_value, self.world.journal.take_redo()))
        record = self.reader.from_bytes(self.writer.to_bytes(operations))
        replay(self.again, record)
        assert dumped(self.again) == dumped(self.world)
        assert list(self.again.check(owners=False)) == []

    def teardown(self):
        if self.before is None:
            self.what_was_done_is_done_once_more()

    @invariant()
    def the_world_is_sound(self):
        assert list(self.world.check(owners=False)) == []

    @invariant()
    def the_world_is_as_the_model_has_it(self):
        world, model = self.world, self.model
        assert {record.id for record in world.objects()} == set(model.objects)
        assert list(world.players) == model.players
        for objid, me in model.objects.items():
            record = world[objid]
            assert record.owner == me.owner
            assert (record.parent, record.location) == (me.parent, me.location)
            assert list(record.children) == me.children
            assert list(record.contents) == me.contents
            assert list(record.propdefs) == [d.name for d in me.definitions]
            entries = [me.entries[d] for d in model.definitions(objid)]
            assert record.values == [value for value, _, _ in entries]
            assert list(record.infos) == [(owner, perms) for _, owner, perms in entries]
            assert [verb.names for verb in record.verbs] == [v[0] for v in me.verbs]

    @invariant()
    def values_and_verbs_are_found_where_the_model_finds_them(self):
        world, model = self.world, self.model
        for objid in model.objects:
            for definition in model.definitions(objid):
                record, slot = world.find_property(objid, fold(definition.name))
                assert world.property_value(record, slot) == model.value(
                    objid, definition
                )
            for word in WORDS:
                found = world.find_callable_verb(objid, word)
                wanted = model.callable_verb(objid, word)
                if wanted is None:
                    assert found is None
                else:
                    verbs = model.objects[found.definer].verbs
                    at = world[found.definer].verbs.index(found.verbdef)
                    assert verbs[at] is wanted


TestWorlds = Worlds.TestCase
TestWorlds.settings = settings(
    settings.default, max_examples=120, stateful_step_count=50
)
