"""Records: layouts, and constants that others rely on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pymoo.db.objects import (
    CLEAR,
    LANGUAGE_VERSION,
    NO_OBJECTS,
    Layout,
    Object,
    Verbdef,
)
from pymoo.lang.program import CURRENT_VERSION
from pymoo.values import NOTHING, Obj

NAMES = st.sampled_from("abcdefg")


def sound(layout: Layout) -> bool:
    return layout.slots == Layout(layout.names).slots


def test_layout_finds_the_slot_of_every_name():
    assert Layout(["b", "a"]).slots == {"b": 0, "a": 1}


def test_layout_finds_the_nearest_of_two_definitions_with_one_name():
    assert Layout(["a", "b", "a"]).slots == {"a": 0, "b": 1}


@given(st.lists(NAMES), st.lists(st.tuples(st.integers(0, 2), st.integers(0), NAMES)))
def test_layout_stays_sound_through_any_changes_even_with_equal_names(start, changes):
    layout = Layout(start)
    names = list(start)
    for kind, at, name in changes:
        if kind == 0:
            at %= len(names) + 1
            names.insert(at, name)
            layout.insert(at, name)
        elif names:
            at %= len(names)
            if kind == 1:
                del names[at]
                layout.remove(at)
            else:
                names[at] = name
                layout.rename(at, name)
        assert layout.names == names
        assert sound(layout)


def test_own_slot_is_that_of_a_definition_on_the_object_itself():
    record = Object(
        Obj(5), propdefs=("Mine", "b"), layout=Layout(["mine", "b", "inherited"])
    )
    assert record.own_slot("b") == 1
    assert record.own_slot("inherited") is None
    assert record.own_slot("nothing") is None


def test_specifiers_of_a_verb_are_taken_out_of_its_permissions():
    verbdef = Verbdef("look", NOTHING, perms=8 | 1 << 4 | 2 << 6, prep=-1)
    assert (verbdef.flags, verbdef.dobj, verbdef.iobj) == (8, 1, 2)


def test_the_empty_relation_that_records_share_cannot_be_changed():
    assert Object(Obj(0)).contents is NO_OBJECTS
    assert not hasattr(NO_OBJECTS, "__setitem__")


def test_clear_shows_its_name():
    assert repr(CLEAR) == "CLEAR"


def test_programs_of_a_world_are_in_the_version_that_the_parser_takes_for_new():
    """IN STEP: language version."""
    assert LANGUAGE_VERSION == CURRENT_VERSION
