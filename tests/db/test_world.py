"""What is done to objects.

The same operations were put to LambdaMOO 1.8.3, which dumped the same bytes.
"""

from __future__ import annotations

import pytest

from pymoo.db import world as world_module
from pymoo.db.objects import (
    ARGSPEC_ANY,
    ARGSPEC_NONE,
    ARGSPEC_THIS,
    CLEAR,
    FLAG_FERTILE,
    FLAG_PLAYER,
    FLAG_READ,
    LANGUAGE_VERSION,
    NO_LAYOUT,
    PREP_ANY,
    PREP_NONE,
    PROP_CHOWN,
    PROP_READ,
    VERB_DEBUG,
    VERB_EXECUTE,
    VERB_READ,
)
from pymoo.db.world import World
from pymoo.errors import InternalError
from pymoo.values import NOTHING, Obj
from tests.db.worlds import (
    ROOM,
    ROOT,
    SYSTEM,
    WIZARD,
    add_verb,
    info_of,
    minimal,
    set_value,
    value_of,
)

R = PROP_READ
RC = PROP_READ | PROP_CHOWN


@pytest.fixture
def world():
    """A world that is checked when the test is over."""
    world = minimal()
    yield world
    assert list(world.check(owners=False)) == []


def create(world, *parents):
    return [world.create(WIZARD, parent) for parent in parents]


# --- which objects there are ------------------------------------------------


def test_a_new_object_is_the_next_after_the_highest_ever_used(world):
    (first,) = create(world, ROOT)
    world.recycle(first)
    (second,) = create(world, ROOT)
    assert (first, second) == (Obj(4), Obj(5))
    assert type(second) is Obj


def test_a_new_object_has_no_name_flags_or_location(world):
    record = world[world.create(ROOM, ROOT)]
    assert (record.name, record.flags, record.location) == ("", 0, NOTHING)
    assert (record.owner, record.parent) == (ROOM, ROOT)


def test_a_new_object_without_owner_owns_itself(world):
    objid = world.create(NOTHING, ROOT)
    assert world[objid].owner == objid


def test_invalid_numbers_have_no_record(world):
    (gone,) = create(world, ROOT)
    world.recycle(gone)
    for objid in (gone, Obj(99), NOTHING, Obj(-4)):
        assert not world.valid(objid)
        assert world.find(objid) is None
        with pytest.raises(InternalError, match="was taken for a valid object"):
            world[objid]


def test_objects_come_by_number_after_a_renumber_too(world):
    a, b = create(world, ROOT, ROOT)
    world.recycle(a)
    world.renumber(b)
    create(world, ROOT)
    assert [record.id for record in world.objects()] == [0, 1, 2, 3, 4, 6]
    assert len(world) == 6


def test_max_object_shrinks_only_when_it_is_reset(world):
    a, b, c = create(world, ROOT, ROOT, ROOT)
    world.recycle(c)
    world.recycle(a)
    assert world.max_object == c
    world.reset_max_object()
    assert world.max_object == b
    assert type(world.max_object) is Obj


def test_an_empty_world_has_no_highest_number():
    world = World()
    world.reset_max_object()
    assert world.max_object == NOTHING
    assert list(world.check()) == []


# --- recycle ------------------------------------------------------------------


def test_children_of_a_recycled_object_go_to_the_end_of_their_grandparents(world):
    (parent,) = create(world, ROOT)
    a, b = create(world, parent, parent)
    (last,) = create(world, ROOT)
    world.recycle(parent)
    assert list(world[ROOT].children) == [SYSTEM, ROOM, WIZARD, last, a, b]


def test_children_of_a_recycled_object_lose_the_properties_it_defined(world):
    (parent,) = create(world, ROOT)
    (child,) = create(world, parent)
    world.add_property(ROOT, "kept", 1, WIZARD, R)
    world.add_property(parent, "lost", 2, WIZARD, R)
    set_value(world, child, "kept", 11)
    set_value(world, child, "lost", 22)
    world.recycle(parent)
    assert world.find_property(child, "lost") is None
    assert value_of(world, child, "kept") == 11


def test_what_a_recycled_object_owned_keeps_its_number_as_owner(world):
    owner = world.create(NOTHING, ROOT)
    thing = world.create(owner, ROOT)
    world.recycle(owner)
    assert world[thing].owner == owner


def test_a_recycled_player_is_no_longer_among_the_players(world):
    (player,) = create(world, ROOT)
    world.set_flag(player, FLAG_PLAYER, True)
    world.recycle(player)
    assert world.players == (WIZARD,)


def test_only_what_is_empty_and_nowhere_can_be_recycled(world):
    box, thing = create(world, ROOT, ROOT)
    world.change_location(thing, box)
    for objid in (box, thing):
        with pytest.raises(InternalError, match="has contents or a location"):
            world.recycle(objid)


# --- quota --------------------------------------------------------------------


def test_quota_is_taken_and_given_back(world):
    world.add_property(ROOT, "ownership_quota", 0, WIZARD, R)
    set_value(world, WIZARD, "ownership_quota", 1)
    assert world.take_quota(WIZARD)
    assert value_of(world, WIZARD, "ownership_quota") == 0
    assert not world.take_quota(WIZARD)
    world.return_quota(WIZARD)
    assert value_of(world, WIZARD, "ownership_quota") == 1


def test_a_quota_that_was_inherited_is_kept_on_the_owner_from_then_on(world):
    world.add_property(ROOT, "ownership_quota", 5, WIZARD, R)
    assert world.take_quota(WIZARD)
    assert value_of(world, WIZARD, "ownership_quota") == 4
    assert value_of(world, ROOT, "ownership_quota") == 5


@pytest.mark.parametrize("quota", [1.5, "none", ()])
def test_a_quota_that_is_no_integer_is_no_limit_and_stays(world, quota):
    world.add_property(WIZARD, "ownership_quota", quota, WIZARD, R)
    assert world.take_quota(WIZARD)
    world.return_quota(WIZARD)
    assert value_of(world, WIZARD, "ownership_quota") == quota


def test_without_the_property_or_the_owner_there_is_no_limit(world):
    assert world.take_quota(WIZARD)
    assert world.take_quota(Obj(99))
    world.return_quota(Obj(99))


def test_recycling_gives_the_quota_back_to_the_owner(world):
    world.add_property(WIZARD, "ownership_quota", 5, WIZARD, R)
    (thing,) = create(world, ROOT)
    world.recycle(thing)
    assert value_of(world, WIZARD, "ownership_quota") == 6


def test_a_quota_wraps_at_the_width_of_integers():
    for bits, largest in ((32, 2**31 - 1), (64, 2**63 - 1)):
        world = World(int_bits=bits)
        objid = world.create(NOTHING)
        world.add_property(objid, "ownership_quota", largest, objid, R)
        world.return_quota(objid)
        assert value_of(world, objid, "ownership_quota") == -largest - 1


# --- renumber -----------------------------------------------------------------


def test_renumber_gives_the_lowest_free_number_and_keeps_every_place(world):
    a, hole, b, c = create(world, ROOT, ROOT, ROOT, ROOT)
    (child,) = create(world, b)
    for objid in (a, b, c):
        world.change_location(objid, ROOM)
    world.change_location(child, b)
    world.set_flag(b, FLAG_PLAYER, True)
    world.set_flag(c, FLAG_PLAYER, True)
    world.recycle(hole)
    assert world.renumber(b) == hole
    assert not world.valid(b)
    assert list(world[ROOT].children) == [SYSTEM, ROOM, WIZARD, a, hole, c]
    assert list(world[ROOM].contents) == [WIZARD, a, hole, c]
    assert (world[child].parent, world[child].location) == (hole, hole)
    assert world.players == (WIZARD, hole, c)
    assert world[hole].id == hole


def test_renumber_without_a_free_number_changes_nothing(world):
    (objid,) = create(world, ROOT)
    assert world.renumber(objid) == objid


def test_renumber_follows_owners_and_orphans_those_of_the_free_number(world):
    hole = world.create(NOTHING, ROOT)
    owner = world.create(NOTHING, ROOT)
    lost, kept = world.create(hole, ROOT), world.create(owner, ROOT)
    for objid, who in ((lost, hole), (kept, owner)):
        world.add_property(objid, "p", 1, who, R)
        world.add_verb(objid, "v", who, 5, 2, -1, 2)
    world.add_property(ROOT, "shared", 1, owner, R)
    world.recycle(hole)
    assert world.renumber(owner) == hole
    assert world[hole].owner == hole
    assert (world[lost].owner, world[kept].owner) == (NOTHING, hole)
    assert info_of(world, lost, "p") == (NOTHING, R)
    assert info_of(world, kept, "p") == (hole, R)
    assert [world[o].verbs[0].owner for o in (lost, kept)] == [NOTHING, hole]
    assert {info_of(world, o.id, "shared")[0] for o in world.objects()} == {hole}


def test_renumber_leaves_values_alone(world):
    hole, objid = create(world, ROOT, ROOT)
    world.add_property(SYSTEM, "it", objid, WIZARD, R)
    world.recycle(hole)
    world.renumber(objid)
    assert value_of(world, SYSTEM, "it") == objid


def test_calls_find_a_renumbered_definer_under_its_new_number(world):
    hole, definer = create(world, ROOT, ROOT)
    (child,) = create(world, definer)
    add_verb(world, definer, "foo")
    assert world.find_callable_verb(child, "foo").definer == definer
    world.recycle(hole)
    world.renumber(definer)
    assert world.find_callable_verb(child, "foo").definer == hole


# --- names, owners, flags, players --------------------------------------------


def test_players_are_in_the_order_in_which_they_became_players(world):
    a, b = create(world, ROOT, ROOT)
    for objid in (b, a, b):
        world.set_flag(objid, FLAG_PLAYER, True)
    assert world.players == (WIZARD, b, a)
    world.set_flag(WIZARD, FLAG_PLAYER, False)
    world.set_flag(WIZARD, FLAG_PLAYER, True)
    assert world.players == (b, a, WIZARD)


def test_one_of_two_entries_of_a_player_goes_when_the_flag_does():
    world = World(players=(Obj(0), Obj(0)))
    objid = world.create(NOTHING)
    world.set_flag(objid, FLAG_PLAYER, False)
    assert world.players == (objid,)


def test_flags_other_than_the_one_set_stay(world):
    world[ROOM].flags = 1 << 6
    world.set_flag(ROOM, FLAG_FERTILE, True)
    world.set_flag(ROOM, FLAG_READ, True)
    world.set_flag(ROOM, FLAG_FERTILE, False)
    assert world[ROOM].flags == 1 << 6 | FLAG_READ


def test_questions_about_flags_are_answered_for_invalid_objects_too(world):
    assert world.is_wizard(WIZARD)
    assert world.is_programmer(WIZARD)
    assert world.is_player(WIZARD)
    for objid in (ROOM, NOTHING, Obj(99)):
        assert not world.is_wizard(objid)
        assert not world.is_programmer(objid)
        assert not world.is_player(objid)


def test_values_of_builtin_properties(world):
    record = world[WIZARD]
    names = "name owner location contents programmer wizard r w f"
    assert [world.builtin_value(record, name) for name in names.split()] == [
        "Wizard",
        WIZARD,
        ROOM,
        (),
        1,
        1,
        0,
        0,
        0,
    ]
    assert world.builtin_value(world[ROOM], "contents") == (WIZARD,)


# --- relations ----------------------------------------------------------------


def test_what_moves_goes_to_the_end_even_if_it_was_there_before(world):
    a, b = create(world, ROOT, ROOT)
    for objid in (a, b, a):
        world.change_location(objid, ROOM)
    assert list(world[ROOM].contents) == [WIZARD, b, a]
    world.change_location(b, NOTHING)
    assert list(world[ROOM].contents) == [WIZARD, a]
    assert world[b].location == NOTHING


def test_chparent_to_the_same_parent_moves_to_the_end(world):
    assert world.change_parent(SYSTEM, ROOT)
    assert list(world[ROOT].children) == [ROOM, WIZARD, SYSTEM]


def test_descendants_come_after_their_parents(world):
    (a,) = create(world, ROOT)
    b, c = create(world, a, a)
    (d,) = create(world, b)
    found = [record.id for record in world.descendants(world[a])]
    assert sorted(found) == [b, c, d]
    assert found.index(b) < found.index(d)
    assert [record.id for record in world.ancestors(world[d])] == [d, b, a, ROOT]


def test_very_long_chains_of_parents_do_not_recurse(world):
    objid = ROOT
    for _ in range(5_000):
        objid = world.create(WIZARD, objid)
    assert len(world.descendants(world[ROOT])) == 5_003
    world.add_property(ROOT, "deep", 7, WIZARD, R)
    assert value_of(world, objid, "deep") == 7
    add_verb(world, ROOT, "foo")
    assert world.find_callable_verb(objid, "foo").definer == ROOT


# --- properties: definitions ---------------------------------------------------


def test_a_new_property_is_clear_on_every_descendant(world):
    (child,) = create(world, ROOT)
    (grandchild,) = create(world, child)
    assert world.add_property(ROOT, "p", "value", WIZARD, R)
    assert world[ROOT].values == ["value"]
    assert world[grandchild].values == [CLEAR]
    assert value_of(world, grandchild, "p") == "value"


def test_own_properties_stand_before_those_of_the_parent(world):
    (parent,) = create(world, ROOT)
    (child,) = create(world, parent)
    for objid, name in ((child, "c1"), (ROOT, "r1"), (parent, "p1"), (child, "c2")):
        world.add_property(objid, name, name, WIZARD, R)
    world.add_property(parent, "p2", "p2", WIZARD, R)
    assert world[child].layout.names == ["c1", "c2", "p1", "p2", "r1"]
    assert world[child].values == ["c1", "c2", CLEAR, CLEAR, CLEAR]


def test_with_the_c_bit_each_object_s_owner_owns_its_property(world):
    owner = world.create(NOTHING, ROOT)
    child = world.create(owner, ROOT)
    world.add_property(ROOT, "mine", 1, ROOM, RC)
    world.add_property(ROOT, "theirs", 1, ROOM, R)
    assert info_of(world, ROOT, "mine") == (WIZARD, RC)
    assert info_of(world, child, "mine") == (owner, RC)
    assert info_of(world, child, "theirs") == (ROOM, R)


def test_names_that_are_taken_are_refused_wherever_they_are_defined(world):
    (parent,) = create(world, ROOT)
    (child,) = create(world, parent)
    world.add_property(parent, "Taken", 1, WIZARD, R)
    for objid in (ROOT, parent, child):
        assert not world.add_property(objid, "tAKEN", 2, WIZARD, R)
    assert not world.add_property(ROOT, "Contents", 2, WIZARD, R)
    assert world[ROOT].propdefs == ()
    assert world.add_property(SYSTEM, "taken", 2, WIZARD, R)


def test_any_string_can_be_the_name_of_a_property(world):
    for name in ("", "two words", "a.b", "\xe4"):
        assert world.add_property(ROOT, name, 1, WIZARD, R)
        assert world.find_property(SYSTEM, name) is not None


def test_deleting_a_property_closes_the_gap_on_every_descendant(world):
    (child,) = create(world, ROOT)
    for name in ("a", "b", "c"):
        world.add_property(ROOT, name, name, WIZARD, R)
    world.add_property(child, "own", 0, WIZARD, R)
    set_value(world, child, "c", "mine")
    assert world.delete_property(ROOT, "B")
    assert world[child].layout.names == ["own", "a", "c"]
    assert world[child].values == [0, CLEAR, "mine"]
    assert len(world[child].infos) == 3


def test_only_the_object_that_defines_a_property_can_delete_it(world):
    world.add_property(ROOT, "p", 1, WIZARD, R)
    assert not world.delete_property(SYSTEM, "p")
    assert not world.delete_property(ROOT, "q")
    assert world.find_property(SYSTEM, "p") is not None


def test_an_object_without_definitions_has_its_parent_s_layout_itself(world):
    (child,) = create(world, ROOT)
    world.add_property(child, "own", 1, WIZARD, R)
    assert world[child].layout is not world[ROOT].layout
    world.delete_property(child, "own")
    assert world[child].layout is world[ROOT].layout is NO_LAYOUT


def test_renaming_keeps_value_and_place(world):
    world.add_property(ROOT, "a", 1, WIZARD, R)
    world.add_property(ROOT, "b", 2, WIZARD, R)
    world.add_property(SYSTEM, "own", 3, WIZARD, R)
    set_value(world, SYSTEM, "a", 10)
    assert world.rename_property(ROOT, "A", "Z")
    assert world[ROOT].propdefs == ("Z", "b")
    assert world[SYSTEM].layout.names == ["own", "z", "b"]
    assert value_of(world, SYSTEM, "z") == 10
    assert world.find_property(SYSTEM, "a") is None


def test_renaming_can_change_just_the_case(world):
    world.add_property(ROOT, "name_", 1, WIZARD, R)
    assert world.rename_property(ROOT, "name_", "NAME_")
    assert world[ROOT].propdefs == ("NAME_",)
    assert value_of(world, SYSTEM, "name_") == 1


def test_renaming_is_refused_for_taken_names_and_from_elsewhere(world):
    world.add_property(ROOT, "a", 1, WIZARD, R)
    world.add_property(SYSTEM, "b", 1, WIZARD, R)
    assert not world.rename_property(ROOT, "a", "b")
    assert not world.rename_property(ROOT, "a", "owner")
    assert not world.rename_property(SYSTEM, "a", "c")
    assert not world.rename_property(SYSTEM, "b", "A")


def test_owner_and_permissions_are_set_on_one_object_alone(world):
    world.add_property(ROOT, "p", 1, WIZARD, R)
    record, slot = world.find_property(SYSTEM, "p")
    world.set_property_info(record, slot, ROOM, RC)
    assert info_of(world, SYSTEM, "p") == (ROOM, RC)
    assert info_of(world, ROOT, "p") == info_of(world, ROOM, "p") == (WIZARD, R)


# --- properties: values --------------------------------------------------------


def test_clear_properties_show_the_nearest_value_above(world):
    (a,) = create(world, ROOT)
    (b,) = create(world, a)
    (c,) = create(world, b)
    world.add_property(ROOT, "p", "root", WIZARD, R)
    assert value_of(world, c, "p") == "root"
    set_value(world, a, "p", "a")
    assert value_of(world, c, "p") == "a"
    set_value(world, b, "p", "b")
    assert value_of(world, c, "p") == "b"
    set_value(world, b, "p", CLEAR)
    assert value_of(world, c, "p") == "a"
    set_value(world, a, "p", CLEAR)
    set_value(world, ROOT, "p", "changed")
    assert value_of(world, c, "p") == "changed"


def test_inherited_values_follow_chparent_and_recycle(world):
    a, b = create(world, ROOT, ROOT)
    (middle,) = create(world, a)
    (leaf,) = create(world, middle)
    world.add_property(ROOT, "p", "root", WIZARD, R)
    set_value(world, a, "p", "a")
    set_value(world, b, "p", "b")
    assert value_of(world, leaf, "p") == "a"
    world.change_parent(middle, b)
    assert value_of(world, leaf, "p") == "b"
    world.recycle(b)
    assert value_of(world, leaf, "p") == "root"


def test_inherited_values_are_found_again_when_slots_move(world):
    (a,) = create(world, ROOT)
    (b,) = create(world, a)
    (c,) = create(world, b)
    world.add_property(ROOT, "p", "p", WIZARD, R)
    assert value_of(world, c, "p") == "p"
    world.add_property(ROOT, "q", "q", WIZARD, R)
    world.add_property(a, "s", "s", WIZARD, R)
    assert [value_of(world, c, name) for name in "pqs"] == ["p", "q", "s"]
    world.delete_property(ROOT, "p")
    assert [value_of(world, c, name) for name in "qs"] == ["q", "s"]


def test_a_number_that_is_used_again_does_not_inherit_from_the_past(world):
    (a,) = create(world, ROOT)
    (b,) = create(world, a)
    (c,) = create(world, b)
    world.add_property(ROOT, "p", "root", WIZARD, R)
    set_value(world, a, "p", "a")
    assert value_of(world, c, "p") == "a"
    for objid in (c, b):
        world.recycle(objid)
    world.reset_max_object()
    assert create(world, ROOT) == [b]
    assert create(world, b) == [c]
    assert value_of(world, c, "p") == "root"


def test_a_renumbered_object_does_not_pass_on_what_its_number_once_did(world):
    a, b, hole = create(world, ROOT, ROOT, NOTHING)
    world.change_parent(hole, a)
    (child,) = create(world, hole)
    world.add_property(ROOT, "p", "root", WIZARD, R)
    set_value(world, a, "p", "a")
    assert value_of(world, child, "p") == "a"
    world.recycle(child)
    world.recycle(hole)
    (heir,) = create(world, b)
    assert world.renumber(heir) == hole
    (child,) = create(world, hole)
    assert value_of(world, child, "p") == "root"


def test_inherited_values_are_found_again_when_one_before_them_is_deleted(world):
    (a,) = create(world, ROOT)
    (b,) = create(world, a)
    (c,) = create(world, b)
    world.add_property(ROOT, "p", "p", WIZARD, R)
    world.add_property(ROOT, "q", "q", WIZARD, R)
    set_value(world, a, "p", "p of a")
    assert [value_of(world, c, name) for name in "pq"] == ["p of a", "q"]
    world.delete_property(ROOT, "p")
    assert value_of(world, c, "q") == "q"


def test_reading_what_comes_from_far_above_costs_no_more_than_from_near(world):
    world.add_property(ROOT, "p", 1, WIZARD, R)
    chain = [ROOT]
    for _ in range(500):
        chain.append(world.create(WIZARD, chain[-1]))
    asked = []
    find = world.find

    def counting_find(objid):
        asked.append(objid)
        return find(objid)

    def cost(objid):
        value_of(world, objid, "p")
        asked.clear()
        value_of(world, objid, "p")
        return len(asked)

    world.find = counting_find
    assert cost(chain[500]) == cost(chain[3]) <= 3


def test_what_is_remembered_of_inheritance_is_bounded(world, monkeypatch):
    monkeypatch.setattr(world_module, "MAX_CACHED_HOLDERS", 10)
    (a,) = create(world, ROOT)
    (b,) = create(world, a)
    for number in range(50):
        world.add_property(ROOT, f"p{number}", number, WIZARD, R)
    for _ in range(2):
        for number in range(50):
            assert value_of(world, b, f"p{number}") == number
            assert sum(map(len, world._holders.values())) <= 10


def test_a_property_that_is_clear_where_it_is_defined_reads_as_zero():
    world = minimal()
    (child,) = create(world, ROOT)
    (grandchild,) = create(world, child)
    world.add_property(ROOT, "p", CLEAR, WIZARD, R)
    for objid in (ROOT, child, grandchild):
        assert value_of(world, objid, "p") == 0
    assert list(world.check()) == [f"{ROOT}.p is clear where it is defined"]


# --- properties: chparent ------------------------------------------------------


def test_chparent_keeps_own_and_common_values_and_clears_the_new(world):
    old, new = create(world, ROOT, ROOT)
    (child,) = create(world, old)
    for objid, name in ((ROOT, "common"), (old, "old"), (new, "new"), (child, "own")):
        world.add_property(objid, name, name, WIZARD, R)
    for name in ("common", "old", "own"):
        set_value(world, child, name, f"my {name}")
    assert world.change_parent(child, new)
    assert world[child].layout.names == ["own", "new", "common"]
    assert world[child].values == ["my own", CLEAR, "my common"]


def test_chparent_changes_the_properties_of_all_descendants(world):
    old, new = create(world, ROOT, ROOT)
    (child,) = create(world, old)
    (grandchild,) = create(world, child)
    for objid, name in ((old, "old"), (new, "n1"), (new, "n2"), (grandchild, "own")):
        world.add_property(objid, name, name, WIZARD, R)
    set_value(world, grandchild, "own", "mine")
    world.change_parent(child, new)
    assert world[grandchild].layout.names == ["own", "n1", "n2"]
    assert world[grandchild].values == ["mine", CLEAR, CLEAR]
    assert value_of(world, grandchild, "n2") == "n2"


def test_chparent_finds_the_place_behind_the_own_properties_of_each(world):
    old, new = create(world, ROOT, ROOT)
    (a,) = create(world, old)
    (b,) = create(world, a)
    (c,) = create(world, b)
    for objid, name in ((old, "old"), (new, "new"), (a, "a"), (b, "b"), (c, "c")):
        world.add_property(objid, name, name, WIZARD, R)
    set_value(world, c, "a", "mine")
    world.change_parent(a, new)
    assert world[c].layout.names == ["c", "b", "a", "new"]
    assert world[c].values == ["c", CLEAR, "mine", CLEAR]


def test_chparent_gives_c_properties_to_the_owner_of_each_object(world):
    owner = world.create(NOTHING, NOTHING)
    other = world.create(NOTHING, NOTHING)
    parent = world.create(WIZARD, NOTHING)
    child = world.create(owner, NOTHING)
    grandchild = world.create(other, child)
    world.add_property(parent, "c", 1, WIZARD, RC)
    world.add_property(parent, "n", 1, ROOM, R)
    world.change_parent(child, parent)
    assert [info_of(world, child, name)[0] for name in "cn"] == [owner, ROOM]
    assert [info_of(world, grandchild, name)[0] for name in "cn"] == [other, ROOM]


def test_chparent_to_nothing_leaves_only_own_properties(world):
    world.add_property(ROOT, "p", 1, WIZARD, R)
    world.add_property(SYSTEM, "own", 2, WIZARD, R)
    world.change_parent(SYSTEM, NOTHING)
    assert world[SYSTEM].values == [2]
    assert SYSTEM not in world[ROOT].children


def test_chparent_is_refused_if_a_descendant_defines_a_property_of_the_parent(world):
    parent, child = create(world, ROOT, ROOT)
    (grandchild,) = create(world, child)
    world.add_property(grandchild, "Same", 1, WIZARD, R)
    world.add_property(parent, "same", 2, WIZARD, R)
    assert not world.change_parent(child, parent)
    assert world[child].parent == ROOT
    assert list(world[parent].children) == []


def test_infos_are_shared_between_what_one_owner_makes_of_one_parent(world):
    for name in "abc":
        world.add_property(ROOT, name, 1, ROOM, RC)
    first, second = world.create(ROOM, ROOT), world.create(ROOM, ROOT)
    assert world[first].infos is world[second].infos
    # A row is remembered by its id, which is its own only as long as it lives.
    assert all(id(row) == key[0] for key, (row, _) in world._rows.items())


# --- verbs --------------------------------------------------------------------


def test_verbs_stand_in_the_order_of_add_verb_and_close_gaps(world):
    assert world.add_verb(ROOT, "a", WIZARD, 5, 2, -1, 2) == 1
    assert world.add_verb(ROOT, "b", WIZARD, 5, 2, -1, 2) == 2
    assert world.add_verb(ROOT, "a", WIZARD, 5, 2, -1, 2) == 3
    world.delete_verb(ROOT, world.find_indexed_verb(ROOT, 1))
    assert [verbdef.names for verbdef in world[ROOT].verbs] == ["b", "a"]


def test_permissions_of_a_verb_are_one_word_as_in_a_textdump(world):
    world.add_verb(ROOT, "a", WIZARD, 13, ARGSPEC_THIS, PREP_NONE, ARGSPEC_THIS)
    (verbdef,) = world[ROOT].verbs
    assert verbdef.perms == 173
    world.set_verb_flags(ROOT, verbdef, VERB_READ | VERB_DEBUG)
    assert verbdef.perms == 169
    world.set_verb_args(ROOT, verbdef, ARGSPEC_ANY, PREP_ANY, ARGSPEC_NONE)
    assert (verbdef.perms, verbdef.prep) == (25, PREP_ANY)
    world.set_verb_owner(ROOT, verbdef, ROOM)
    assert verbdef.owner == ROOM


def test_programming_a_verb_makes_it_one_of_the_present_language(world):
    add_verb(world, ROOT, "a")
    (verbdef,) = world[ROOT].verbs
    assert verbdef.code is None
    verbdef.version = 1
    world.set_verb_code(ROOT, verbdef, "return 1;\n", "compiled")
    assert (verbdef.code, verbdef.version) == ("return 1;\n", LANGUAGE_VERSION)
    assert verbdef.compiled == "compiled"
    world.set_verb_code(ROOT, verbdef, "")
    assert (verbdef.code, verbdef.compiled) == ("", None)


def test_verbs_are_found_by_place_from_one(world):
    add_verb(world, ROOT, "a")
    (verbdef,) = world[ROOT].verbs
    assert world.find_indexed_verb(ROOT, 1) is verbdef
    for place in (0, 2, -1):
        assert world.find_indexed_verb(ROOT, place) is None


def test_the_first_of_several_verbs_that_fit_is_the_one_described(world):
    for names in ("foo*bar", "foo", "*"):
        add_verb(world, ROOT, names)
    first, second, last = world[ROOT].verbs
    assert world.find_defined_verb(ROOT, "FOO") is first
    world.delete_verb(ROOT, first)
    assert world.find_defined_verb(ROOT, "foo") is second
    assert world.find_defined_verb(ROOT, "foob") is last
    world.delete_verb(ROOT, last)
    assert world.find_defined_verb(ROOT, "foob") is None


def test_an_element_of_verbs_describes_its_verb_but_a_string_made_alike_does_not(world):
    given = "".join(["foo*", "bar baz"])
    add_verb(world, ROOT, given)
    (verbdef,) = world[ROOT].verbs
    assert world.find_defined_verb(ROOT, verbdef.names) is verbdef
    assert world.find_callable_verb(SYSTEM, verbdef.names) is not None
    assert world.find_defined_verb(ROOT, given) is None


def test_digits_are_places_from_zero_where_that_is_allowed(world):
    for names in ("a", "b", "2", "d"):
        add_verb(world, ROOT, names)
    a, b, two, d = world[ROOT].verbs
    find = world.find_defined_verb
    assert find(ROOT, "1") is None
    for text, verbdef in (
        ("0", a),
        ("1", b),
        ("2", two),
        ("+3", d),
        ("", a),
        ("4294967297", b),
        ("9999999999999999999", None),
        ("-1", None),
        ("4", None),
        (" 1", None),
        ("1 ", None),
    ):
        assert find(ROOT, text, allow_numbers=True) is verbdef, text
    world.delete_verb(ROOT, a)
    assert find(ROOT, "2", allow_numbers=True) is two  # by name, which comes first


def test_calls_run_the_nearest_verb_with_the_x_bit(world):
    (child,) = create(world, ROOT)
    add_verb(world, ROOT, "foo")
    add_verb(world, child, "f*oo", flags=VERB_READ)
    add_verb(world, child, "foo", flags=VERB_READ)
    found = world.find_callable_verb(child, "foo")
    assert found == (ROOT, world[ROOT].verbs[0])
    world.set_verb_flags(child, world[child].verbs[1], VERB_EXECUTE)
    definer, verbdef = world.find_callable_verb(child, "foo")
    assert (definer, verbdef) == (child, world[child].verbs[1])
    world.set_verb_flags(child, world[child].verbs[1], VERB_DEBUG)
    assert world.find_callable_verb(child, "foo").definer == ROOT


def test_calls_of_what_is_not_there_find_nothing(world):
    assert world.find_callable_verb(SYSTEM, "foo") is None
    assert world.find_callable_verb(NOTHING, "foo") is None
    assert world.find_callable_verb(Obj(99), "foo") is None
    create(world, ROOT)
    add_verb(world, ROOT, "foo")
    assert world.find_callable_verb(Obj(4), "foo").definer == ROOT


@pytest.mark.parametrize(
    "change",
    [
        lambda world, child, verb: add_verb(world, child, "foo"),
        lambda world, child, verb: world.delete_verb(ROOT, verb),
        lambda world, child, verb: world.set_verb_names(ROOT, verb, "bar"),
        lambda world, child, verb: world.set_verb_flags(ROOT, verb, VERB_READ),
        lambda world, child, verb: world.change_parent(child, NOTHING),
        lambda world, child, verb: world.recycle(ROOT),
    ],
    ids=["add", "delete", "names", "flags", "chparent", "recycle"],
)
def test_calls_notice_every_change_that_matters(world, change):
    (child,) = create(world, ROOT)
    (grandchild,) = create(world, child)
    add_verb(world, ROOT, "foo")
    assert world.find_callable_verb(grandchild, "foo").definer == ROOT
    generation = world.verb_generation
    change(world, child, world[ROOT].verbs[0])
    found = world.find_callable_verb(grandchild, "foo")
    assert found is None or found.definer == child
    assert world.verb_generation > generation


@pytest.mark.parametrize("own_verb", ["other", None])
def test_calls_notice_another_parent_of_an_object_without_children(world, own_verb):
    a, b = create(world, ROOT, ROOT)
    (child,) = create(world, a)
    add_verb(world, a, "foo")
    add_verb(world, b, "foo")
    if own_verb:
        add_verb(world, child, own_verb)
    assert world.find_callable_verb(child, "foo").definer == a
    world.change_parent(child, b)
    assert world.find_callable_verb(child, "foo").definer == b


def test_new_objects_change_nothing_about_calls(world):
    add_verb(world, ROOT, "foo")
    world.find_callable_verb(SYSTEM, "foo")
    before = world.verb_generation, world.verb_cache_stats.misses
    for _ in range(20):
        (objid,) = create(world, ROOT)
        assert world.find_callable_verb(objid, "foo").definer == ROOT
        world.change_parent(objid, ROOM)
        assert world.find_callable_verb(objid, "foo").definer == ROOT
        world.recycle(objid)
        assert world.find_callable_verb(objid, "foo") is None
        world.reset_max_object()
    generation, misses = world.verb_generation, world.verb_cache_stats.misses
    assert generation == before[0]
    assert misses <= before[1] + 20  # those on the recycled numbers


def test_a_number_that_is_used_again_finds_its_own_verbs(world):
    old, new = create(world, ROOT, ROOT)
    add_verb(world, old, "foo")
    add_verb(world, ROOT, "foo")
    assert world.find_callable_verb(old, "foo").definer == old
    world.recycle(new)
    world.recycle(old)
    world.reset_max_object()
    assert create(world, ROOT) == [old]
    assert world.find_callable_verb(old, "foo").definer == ROOT


def test_look_ups_are_counted(world):
    add_verb(world, ROOT, "foo")
    generation = world.verb_generation
    for name in ("foo", "foo", "bar", "bar", "bar"):
        world.find_callable_verb(SYSTEM, name)
    stats = world.verb_cache_stats
    assert (stats.hits, stats.negative_hits, stats.misses) == (1, 2, 2)
    assert stats.generation == generation


def test_what_is_remembered_of_calls_is_bounded(world, monkeypatch):
    monkeypatch.setattr(world_module, "MAX_CACHED_VERBS", 100)
    add_verb(world, ROOT, "x*")
    for number in range(1000):
        assert world.find_callable_verb(SYSTEM, f"x{number}").definer == ROOT
        assert world.find_callable_verb(ROOM, f"y{number}") is None
        cached = sum(map(len, world.verb_tables.values()))
        assert cached <= 2 * 100 + 2  # one table for two objects


def test_tables_of_verbs_give_the_same_as_the_method(world):
    add_verb(world, ROOT, "foo")
    assert world.verb_tables[SYSTEM]["foo"] is world.find_callable_verb(SYSTEM, "foo")
    assert world.verb_tables[SYSTEM]["bar"] is None
    assert world.verb_tables[Obj(99)]["foo"] is None


def test_commands_run_the_first_verb_that_fits_name_and_arguments(world):
    add = world.add_verb
    add(SYSTEM, "get", WIZARD, 0, ARGSPEC_THIS, PREP_NONE, ARGSPEC_NONE)
    add(SYSTEM, "get", WIZARD, 0, ARGSPEC_ANY, 5, ARGSPEC_THIS)
    add(ROOT, "g*et", WIZARD, 0, ARGSPEC_ANY, PREP_ANY, ARGSPEC_ANY)

    def find(*specifiers):
        found = world.find_command_verb(SYSTEM, "get", *specifiers)
        return found and (found.definer, found.verbdef)

    this, from_this = world[SYSTEM].verbs
    assert find(ARGSPEC_THIS, PREP_NONE, ARGSPEC_NONE) == (SYSTEM, this)
    assert find(ARGSPEC_ANY, 5, ARGSPEC_THIS) == (SYSTEM, from_this)
    assert find(ARGSPEC_ANY, 6, ARGSPEC_THIS) == (ROOT, world[ROOT].verbs[0])
    assert world.find_command_verb(SYSTEM, "take", 0, -1, 0) is None
    assert world.find_command_verb(NOTHING, "get", 0, -1, 0) is None


@pytest.mark.parametrize(
    ("specifier", "fits"),
    [
        (ARGSPEC_NONE, {ARGSPEC_NONE}),
        (ARGSPEC_THIS, {ARGSPEC_THIS}),
        (ARGSPEC_ANY, {ARGSPEC_NONE, ARGSPEC_THIS, ARGSPEC_ANY}),
    ],
)
def test_objects_of_a_command_fit_their_own_specifier_and_any(world, specifier, fits):
    world.add_verb(ROOT, "d", WIZARD, 0, specifier, PREP_ANY, ARGSPEC_ANY)
    world.add_verb(ROOT, "i", WIZARD, 0, ARGSPEC_ANY, PREP_ANY, specifier)
    for given in (ARGSPEC_NONE, ARGSPEC_THIS, ARGSPEC_ANY):
        d = world.find_command_verb(ROOT, "d", given, PREP_NONE, ARGSPEC_NONE)
        i = world.find_command_verb(ROOT, "i", ARGSPEC_NONE, PREP_NONE, given)
        assert (d is not None) == (i is not None) == (given in fits)


# --- another world ----------------------------------------------------------


def test_a_world_that_takes_over_another_is_that_one(world):
    find = world.find
    add_verb(world, ROOM, "old")
    assert world.find_callable_verb(ROOM, "old") is not None
    misses = world.verb_cache_stats.misses
    other = minimal()
    other.set_name(ROOM, "Other")
    other.create(WIZARD, ROOT)
    other.set_flag(ROOM, FLAG_PLAYER, True)
    add_verb(other, ROOM, "new")
    records = list(other.objects())
    world.take_over(other)
    assert list(world.objects()) == records
    assert find(ROOM) is other.find(ROOM)
    assert (world.max_object, world.players) == (other.max_object, other.players)
    assert world.find_callable_verb(ROOM, "old") is None
    assert world.find_callable_verb(ROOM, "new") is not None
    assert world.verb_cache_stats.misses == misses + 2
    assert world.create(WIZARD, ROOT) == other.max_object + 1
    assert list(world.check()) == []
