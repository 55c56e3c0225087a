"""Values compared to the letter, and shown so that the difference is seen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from pymoo.db.objects import CLEAR
from pymoo.db.saved import UNSET, CatchMark, FinallyMark
from pymoo.dev.value_diff import (
    MAX_LITERAL,
    both_texts,
    first_difference,
    same_value,
    short_text,
)
from pymoo.values import E_PERM, Obj, Value
from tests.db.test_textdump_io import written
from tests.strategies import values

DEPTH = 100_000


def nested(core: Any) -> Any:
    for _ in range(DEPTH):
        core = (core,)
    return core


@given(values(), values())
def test_values_are_the_same_if_a_textdump_has_the_same_of_them(
    old: Value, new: Value
) -> None:
    assert same_value(old, new) == (written(old) == written(new))
    assert same_value(old, old)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        (1, 1.0, ()),
        (1, Obj(1), ()),
        ("a", "A", ()),
        (0.0, -0.0, ()),
        (float("nan"), float("nan"), None),
        ((1, 2), (1, 2), None),
        ((1, 2), (1, 3), (2,)),
        ((1, (2, (3,))), (1, (2, (4,))), (2, 2, 1)),
        ((1,), (1, 2), (2,)),
        ((1, 2), (1,), (2,)),
        ((), ((),), (1,)),
        (((), 1), ((), 2), (2,)),
        (((1,), 1), ((2,), 2), (1, 1)),
        ((1,), 1, ()),
        (CLEAR, 0, ()),
        (CLEAR, CLEAR, None),
        (UNSET, UNSET, None),
        (CatchMark(1), CatchMark(1), None),
        (CatchMark(1), CatchMark(2), ()),
    ],
)
def test_the_place_of_the_first_difference_is_found(
    old: Any, new: Any, where: tuple[int, ...] | None
) -> None:
    assert first_difference(old, new) == where


def test_values_nested_100000_deep_are_compared_and_shown() -> None:
    old, new = nested(1), nested(2)
    assert same_value(old, nested(1))
    where = first_difference(old, new)
    assert where == (1,) * DEPTH
    texts = both_texts(old, new)
    assert texts[0].startswith("{{{{")
    assert texts[0].endswith("[1][1][1][1][1][1][1][1]... (100,000 levels deep) is 1")
    assert texts[1].endswith("is 2")


def test_short_values_are_shown_whole() -> None:
    assert both_texts(1, "1") == ("1", '"1"')
    value = (1, 2.5, "x", Obj(3), E_PERM, ((), "}"))
    assert short_text(value) == '{1, 2.5, "x", #3, E_PERM, {{}, "}"}}'


@given(values())
def test_what_is_shown_is_never_much_longer_than_allowed(value: Value) -> None:
    assert len(short_text(value)) < 2 * MAX_LITERAL + 60


def test_what_no_value_is_has_a_name() -> None:
    assert short_text(CLEAR) == "clear"
    assert short_text(UNSET) == "nothing"
    assert short_text(FinallyMark(3)) == "FinallyMark(handler_pc=3)"


def test_long_values_are_cut_with_a_note() -> None:
    text = short_text("x" * 1000)
    assert text == f'"{"x" * MAX_LITERAL}"... (1,000 characters in all)'
    text = short_text((1,) * 1000)
    assert text.endswith("... (1,000 elements in all)")
    assert len(text) < MAX_LITERAL + 40


def test_what_differs_is_seen_though_it_was_cut_away() -> None:
    old, new = both_texts("x" * 500 + "a" + "y" * 500, "x" * 500 + "b" + "y" * 500)
    assert old.startswith(f'..."{"x" * 20}ayyy')
    assert new.startswith(f'..."{"x" * 20}byyy')
    old, new = both_texts((*range(500), "a"), (*range(500), "b"))
    assert old.endswith('... (501 elements in all); [501] is "a"')
    assert new.endswith('... (501 elements in all); [501] is "b"')
    old, new = both_texts((*range(500), 1), tuple(range(500)))
    assert old.endswith("; [501] is 1")
    assert new.endswith("; [501] is not there")
