"""Values: truth, equality, text, and that none of it depends on Python's stack."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.interp.ops import Operators
from pymoo.values import (
    E_NONE,
    E_PERM,
    E_QUOTA,
    ERROR_CODES,
    ErrorCode,
    Obj,
    Value,
    float_text,
    fold,
    literal,
    tostr,
    type_code,
)
from pymoo.values_equality import equal, is_member

SCALARS: st.SearchStrategy[Value] = st.one_of(
    st.integers(-(2**31), 2**31 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(max_codepoint=255), max_size=5),
    st.integers(-5, 50).map(Obj),
    st.sampled_from(ERROR_CODES),
)
VALUES: st.SearchStrategy[Value] = st.recursive(
    SCALARS, lambda items: st.lists(items, max_size=4).map(tuple), max_leaves=12
)


class CountingMeter:
    def __init__(self) -> None:
        self.steps = 0

    def spend(self, steps: int) -> None:
        self.steps += steps


def nested(depth: int) -> Value:
    value: Value = ()
    for _ in range(depth):
        value = (value,)
    return value


def test_objects_and_errors_are_false_and_the_rest_as_in_python() -> None:
    for value in (0, 0.0, "", (), Obj(5), E_PERM):
        assert not value
    for value in (1, -0.5, "0", (0,), (E_NONE,)):
        assert value


def test_an_object_number_is_no_integer_to_moo() -> None:
    assert type(Obj(3)) is not int
    assert not equal(Obj(3), 3)
    assert [type_code(v) for v in (3, Obj(3), "3", E_PERM, (3,), 3.0)] == [
        0, 1, 2, 3, 4, 9
    ]  # fmt: skip


def test_error_codes_are_one_instance_each_even_unknown_and_pickled_ones() -> None:
    assert ErrorCode(3) is E_PERM
    assert ErrorCode(99) is ErrorCode(99)
    assert (ErrorCode(99).name, tostr(ErrorCode(99))) == ("E_?", "Unknown Error")
    assert pickle.loads(pickle.dumps(E_PERM)) is E_PERM


@given(VALUES, VALUES)
def test_equality_is_an_equivalence_that_implies_equal_literals_when_case_counts(
    left: Value, right: Value
) -> None:
    assert equal(left, left)
    assert equal(left, right) == equal(right, left)
    if equal(left, right, exact_case=True):
        assert equal(left, right)
        assert type(left) is type(right)


@given(st.lists(VALUES, max_size=6).map(tuple), VALUES)
def test_is_member_finds_the_first_equal_element(
    items: tuple[Value, ...], value: Value
) -> None:
    for exact in (False, True):
        wanted = next(
            (
                n
                for n, item in enumerate(items, 1)
                if equal(item, value, exact_case=exact)
            ),
            0,
        )
        assert is_member(value, items, exact_case=exact) == wanted


def rarely_equal() -> list[tuple[Value, Value]]:
    """Pairs of elements that Python, or MOO, holds for equal by mistake or rightly."""
    nan = float("nan")
    return [
        (5, 5), (5, Obj(5)), (5, 5.0), (5.0, 5.0), (nan, nan), ("a", "a"), ("a", "A"),
        ("a", "b"), ("\xe9", "\xc9"), ("\xe9x", "\xe9X"), (E_PERM, E_PERM), (E_PERM, 1),
        ((1,), (1,)), ((1,), (Obj(1),)), (("a",), ("A",)), ("", ""), ("a\nb", "A\nb"),
        (Obj(3), Obj(3)), (Obj(3), Obj(4)), ("x" * 70_000, "X" * 70_000), ("", 0),
    ]  # fmt: skip


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("around", [7, "text", Obj(2), E_QUOTA, 1.5, (), ("in", 1)])
@pytest.mark.parametrize("size", [1, 31, 32, 99, 100, 150, 1_300, 9_000])
def test_long_lists_are_compared_as_their_elements_are(
    size: int, around: Value, exact: bool
) -> None:
    """Whatever stands around the only place where they may differ, or is searched."""
    for left, right in rarely_equal():
        is_same = equal(left, right, exact_case=exact)
        for place in {0, size // 2, size - 1}:
            first = (around,) * place + (left,) + (around,) * (size - place - 1)
            second = (around,) * place + (right,) + (around,) * (size - place - 1)
            assert equal(first, second, exact_case=exact) == is_same, (left, right)
            assert is_member(right, first, exact_case=exact) == (
                place + 1 if is_same else 0
            ), (left, right)


@pytest.mark.parametrize("size", [20, 200, 3_000, 9_000])
def test_the_first_of_several_equal_elements_is_found(size: int) -> None:
    texts = tuple(f"Name {n % 1_000}" for n in range(size))
    for number in (0, 1, 19, 777):
        wanted = number + 1 if number < size else 0
        assert is_member(f"nAME {number}", texts) == wanted
        assert is_member(f"Name {number}", texts, exact_case=True) == wanted
        assert is_member(f"nAME {number}", texts, exact_case=True) == 0
    assert is_member("Name", texts) == is_member("1\nName 2", texts) == 0
    odd = ("Name 1\nName 2", *texts)
    assert is_member("name 2", odd) == 4
    assert is_member("name 1\nname 2", odd) == 1
    assert is_member(5, (5.0, Obj(5)) * size + (5,)) == 2 * size + 1


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (3.0, "3.0"),
        (1e15, "1e+15"),
        (1e-5, "1e-05"),
        (1e10, "10000000000.0"),
        (2**0.5, "1.4142135623731"),
        (-0.0, "-0.0"),
        (0.1 + 0.2, "0.3"),
    ],
)
def test_floats_show_fifteen_digits_and_that_they_are_floats(
    number: float, text: str
) -> None:
    assert float_text(number) == text


def test_literals() -> None:
    value = (1, 2.5, 'a"b\\c', Obj(-1), E_PERM, (), ((),))
    assert literal(value) == '{1, 2.5, "a\\"b\\\\c", #-1, E_PERM, {}, {{}}}'
    assert tostr(value) == "{list}"
    assert tostr(E_PERM) == "Permission denied"


def test_only_a_to_z_fold() -> None:
    assert fold("AZaz_[É") == "azaz_[É"


def test_depth_costs_no_stack() -> None:
    deep, other = nested(100_000), nested(100_000)
    assert equal(deep, other)
    assert is_member(deep, (1, other)) == 2
    assert len(literal(deep)) == 200_002


def test_steps_are_reported_so_that_shared_values_can_be_stopped() -> None:
    left: Value = 1
    right: Value = 1
    for _ in range(16):
        left, right = (left, left), (right, right)
    meter = CountingMeter()
    assert equal(left, right, meter=meter)
    assert meter.steps >= 2**16


@pytest.mark.parametrize(
    ("value", "item", "steps"),
    [
        ((1,) * 999 + (2,), (1,) * 1_000, 1_000),
        (((1,) * 999 + ("a",), 5), ((1,) * 1_000, 5), 1_001),
        ("\xe9" * 999 + "b", "\xe9" * 1_000, 1_000 // 32),
    ],
    ids=["lists", "lists in lists", "strings"],
)
def test_what_differs_late_is_counted_each_time_it_is_compared(
    value: Value, item: Value, steps: int
) -> None:
    """Long lists are searched in the time of one tick, and looked at in full."""
    for size in (100, 2_000, 5_000):
        meter = CountingMeter()
        assert is_member(value, (item,) * size, meter=meter) == 0
        assert meter.steps >= size * steps
        meter = CountingMeter()
        operators = Operators(32, meter=meter)
        assert operators.is_in(value, (item,) * size) == 0
        assert meter.steps >= size * steps
