"""Objects that contradict each other: what is changed, and what is said of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pymoo.db.mending import (
    Found,
    lay_out,
    mend_objects,
    mend_owners,
    mended_players,
)
from pymoo.db.objects import CLEAR, FLAG_PLAYER, FLAG_WIZARD, Object, Verbdef
from pymoo.db.world import World
from pymoo.values import NOTHING, Obj


def found(
    number: int,
    parent: int = -1,
    location: int = -1,
    *,
    child: int = -1,
    sibling: int = -1,
    contents: int = -1,
    next_: int = -1,
    own: tuple[str, ...] = (),
    values: int | None = None,
) -> Found:
    """An object as a file has it."""
    count = len(own) if values is None else values
    record = Object(
        Obj(number),
        owner=Obj(number),
        parent=Obj(parent),
        location=Obj(location),
        propdefs=own,
        values=[Obj(slot) for slot in range(count)],
        infos=((Obj(number), 1),) * count,
    )
    return Found(
        record,
        contents=Obj(contents),
        next=Obj(next_),
        child=Obj(child),
        sibling=Obj(sibling),
    )


def mended(*objects: Found, lost: frozenset[int] = frozenset()):
    said: list[str] = []
    table = {int(each.record.id): each for each in objects}
    records = mend_objects(table, said.append, lost=lost)
    world = World(records)
    assert [*world.check(owners=False)] == []
    return world, said


def test_what_is_sound_stays_as_it_is() -> None:
    world, said = mended(
        found(0, child=2, own=("p",)),
        found(1, 0, 2, values=1, next_=-1),
        found(2, 0, contents=1, sibling=1, values=1),
    )
    assert said == []
    assert [*world[Obj(0)].children] == [2, 1]


def test_a_location_that_does_not_exist_is_nowhere() -> None:
    world, said = mended(found(0, location=99))
    assert said == ["object #0: location was #99, which does not exist: now nowhere"]
    assert world[Obj(0)].location == NOTHING


def test_a_location_that_does_not_exist_is_the_one_that_has_it_in_its_list() -> None:
    world, said = mended(found(0, location=99), found(1, contents=0))
    assert said == [
        "object #0: location was #99, which does not exist: now #1, which has it among "
        "its contents"
    ]
    assert world[Obj(0)].location == 1


def test_an_object_knows_best_where_it_is() -> None:
    _, said = mended(found(0, location=2), found(1, contents=0), found(2))
    assert said == [
        "object #1: #0 stood in its list of contents by mistake: taken out",
        "object #2: #0 missing from its list of contents: now at its end",
    ]


def test_the_number_of_its_values_tells_whose_child_an_object_is() -> None:
    world, said = mended(
        found(0, own=("a", "b")),
        found(1, child=2, own=("c",)),
        found(2, 0, values=1),
    )
    assert said == [
        "object #2: parent was #0, but it is among the children of #1 and has the "
        "properties of one: now #1"
    ]
    assert world[Obj(2)].layout.names == ["c"]


def test_a_circle_of_lists_ends() -> None:
    world, said = mended(
        found(0, child=1), found(1, 0, sibling=2), found(2, 0, sibling=1)
    )
    assert said == [
        "object #0: its list of children runs in a circle at #1: now it ends there"
    ]
    assert [*world[Obj(0)].children] == [1, 2]


def test_a_circle_of_locations_is_broken_where_the_lists_contradict_it() -> None:
    world, said = mended(found(0, location=1, contents=1), found(1, location=0))
    assert said[0] == "object #0: location was #1, which is in it itself: now nowhere"
    assert world[Obj(1)].location == 0


def test_a_circle_of_parents_without_any_hint_is_broken_at_the_lowest() -> None:
    world, said = mended(found(0, 1, child=1), found(1, 0, child=0))
    assert said[0] == "object #0: parent was #1, which descends from it: now nothing"
    assert world[Obj(1)].parent == 0


def test_a_list_that_slips_into_that_of_another_is_left_there() -> None:
    """The others stay with their parent, in their order."""
    world, said = mended(
        found(0, child=1),
        *(found(n, 0, sibling=n + 1 if n < 5 else -1) for n in (1, 2)),
        found(3, 0, child=4, sibling=4),
        *(found(n, 0, sibling=n + 1 if n < 6 else -1) for n in (4, 5, 6)),
    )
    assert [*world[Obj(0)].children] == [1, 2, 3, 4, 5, 6]
    assert not any("#3" in line.partition(":")[0] for line in said)


def test_a_lost_parent_gets_an_empty_object_so_that_values_keep_their_places() -> None:
    world, said = mended(
        found(0, child=2, own=("a",)),
        found(2, 1, own=("own",), values=4),
        lost=frozenset({1}),
    )
    assert said[:3] == [
        "object #1: is lost, but others descend from it: now an empty object in its "
        "place",
        "object #1: its parent is lost: now nothing",
        "object #0: #2 stood in its list of children by mistake: taken out",
    ]
    child = world[Obj(2)]
    assert child.parent == 1
    assert len(child.values) == 4
    assert child.layout.names[:1] == ["own"]
    assert len(world[Obj(1)].propdefs) == 3


def test_values_that_are_too_few_are_clear_and_those_too_many_left_out() -> None:
    world, said = mended(
        found(0, child=1, own=("a", "b"), values=1),
        found(1, 0, own=("c",), values=5),
    )
    assert said == [
        "object #0: 1 of its 2 properties had no value: now clear or 0: b",
        "object #1: only 3 of its 5 property values are defined: left out #3, #4",
    ]
    assert world[Obj(0)].values == [Obj(0), 0]


def test_inherited_values_that_are_missing_are_clear() -> None:
    world, said = mended(found(0, child=1, own=("a",)), found(1, 0, values=0))
    assert said == ["object #1: 1 of its 1 properties had no value: now clear: a"]
    assert world[Obj(1)].values == [CLEAR]
    assert world[Obj(1)].infos == ((Obj(0), 1),)


def test_properties_that_are_there_twice_get_other_names() -> None:
    world, said = mended(
        found(0, child=1, own=("a", "A", "a_2")), found(1, 0, own=("a",), values=4)
    )
    assert said == [
        "object #0: has two properties A: one is now A_3",
        "object #1: has two properties a: one is now a_4",
    ]
    assert world[Obj(1)].layout.names == ["a_4", "a", "a_3", "a_2"]


def test_properties_called_like_built_in_ones_get_other_names() -> None:
    world, said = mended(found(0, own=("a", "R", "r_2"), values=3))
    assert said == [
        "object #0: property R is out of reach, as one is built in: it is now R_3"
    ]
    assert world[Obj(0)].propdefs == ("a", "R_3", "r_2")


def test_a_clear_definition_is_0() -> None:
    each = found(0, own=("a",))
    each.record.values[0] = CLEAR
    world, said = mended(each)
    assert said == ["object #0: a was clear where it is defined: now 0"]
    assert world[Obj(0)].values == [0]


def owned(number: int, owner: int, flags: int = 0) -> Object:
    record = Object(
        Obj(number),
        owner=Obj(owner),
        flags=flags,
        verbs=(Verbdef("v", Obj(owner), 5, -1),),
        propdefs=("p",),
        values=[1],
        infos=((Obj(owner), 1),),
    )
    lay_out({number: record}, lambda text: None)
    return record


def test_owners_that_are_gone_give_their_rights_to_nobody() -> None:
    said: list[str] = []
    plain, wizard = owned(0, 99), owned(1, 98, FLAG_WIZARD)
    mend_owners([plain, wizard], said.append)
    assert said == [
        "object #0: was owned by #99, which does not exist: now by itself",
        "object #0: verb 1 (v) was owned by #99, which does not exist: now by #0",
        "object #0: property p was owned by #99, which does not exist: now by #0",
        "object #1: was owned by #98, which does not exist: now by itself",
        "object #1: verb 1 (v) was owned by #98, which does not exist: now by #0",
        "object #1: property p was owned by #98, which does not exist: now by #0",
    ]
    assert wizard.verbs[0].owner == plain.id
    assert wizard.infos == ((plain.id, 1),)


def test_players_are_those_with_the_flag() -> None:
    said: list[str] = []
    records = [owned(0, 0, FLAG_PLAYER), owned(1, 1), owned(2, 2, FLAG_PLAYER)]
    players = mended_players(records, map(Obj, (2, 1, 9, 2)), said.append)
    assert players == (2, 0)
    assert said == [
        "players(): #1 was in it, which is no player: taken out",
        "players(): #9 was in it, which does not exist: taken out",
        "players(): #2 was in it twice",
        "players(): #0 was not in it, but is a player: now at its end",
    ]


NUMBERS = st.integers(-1, 8)


@given(
    st.lists(
        st.tuples(*[NUMBERS] * 6, st.integers(0, 3), st.integers(0, 6)), max_size=8
    ),
    st.frozensets(st.integers(0, 8)),
)
def test_whatever_objects_say_of_each_other_they_agree_afterwards(
    rows: list[tuple[int, ...]], lost: frozenset[int]
) -> None:
    objects = [
        found(
            number,
            parent,
            location,
            child=child,
            sibling=sibling,
            contents=contents,
            next_=next_,
            own=tuple(f"p{n}" for n in range(own)),
            values=values,
        )
        for number, (
            parent,
            location,
            child,
            sibling,
            contents,
            next_,
            own,
            values,
        ) in enumerate(rows)
        if number not in lost
    ]
    mended(*objects, lost=lost)
