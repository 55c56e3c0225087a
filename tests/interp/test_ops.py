"""What operators mean: the cases that Python would decide otherwise."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.errors import AbortReason, MooError, TaskAborted
from pymoo.interp.ops import Operators, SizeLimits
from pymoo.values import (
    E_DIV,
    E_FLOAT,
    E_INVARG,
    E_PERM,
    E_QUOTA,
    E_RANGE,
    E_TYPE,
    ErrorCode,
    Obj,
    Value,
)

OPS = Operators(32)
INTS = st.integers(-(2**31), 2**31 - 1)


def code_of(operation: Any, *operands: Value) -> ErrorCode:
    with pytest.raises(MooError) as caught:
        operation(*operands)
    assert isinstance(caught.value.code, ErrorCode)
    return caught.value.code


def test_integers_wrap_round_silently() -> None:
    assert OPS.add(2**31 - 1, 1) == -(2**31)
    assert OPS.multiply(65536, 65536) == 0
    assert OPS.subtract(-(2**31), 1) == 2**31 - 1
    assert OPS.negate(-(2**31)) == -(2**31)


@given(INTS, INTS)
def test_arithmetic_is_that_of_the_integers_modulo_their_width(
    left: int, right: int
) -> None:
    for operation, exact in (
        (OPS.add, left + right),
        (OPS.subtract, left - right),
        (OPS.multiply, left * right),
    ):
        result = operation(left, right)
        assert type(result) is int
        assert -(2**31) <= result < 2**31
        assert (result - exact) % 2**32 == 0


@given(INTS, INTS.filter(bool))
def test_division_truncates_and_the_remainder_has_the_sign_of_the_dividend(
    left: int, right: int
) -> None:
    quotient, remainder = OPS.divide(left, right), OPS.modulus(left, right)
    assert type(quotient) is int
    assert type(remainder) is int
    assert OPS.wrap(quotient * right + remainder) == left
    assert abs(remainder) < abs(right)
    assert remainder == 0 or (remainder < 0) == (left < 0)


def test_the_least_integer_divided_by_minus_one_does_not_kill_the_server() -> None:
    assert OPS.divide(-(2**31), -1) == -(2**31)
    assert OPS.modulus(-(2**31), -1) == 0


@pytest.mark.parametrize("operation", [OPS.divide, OPS.modulus])
def test_division_by_zero_is_e_div(operation: Any) -> None:
    assert code_of(operation, 1, 0) is E_DIV
    assert code_of(operation, 1.0, 0.0) is E_DIV


def test_numbers_of_different_types_do_not_mix() -> None:
    for operation in (OPS.add, OPS.subtract, OPS.multiply, OPS.divide, OPS.less):
        assert code_of(operation, 1, 1.0) is E_TYPE
    assert code_of(OPS.power, 2, 2.0) is E_TYPE
    assert OPS.power(2.0, 2) == 4.0
    assert OPS.equal(1, 1.0) == 0
    assert OPS.equal(Obj(1), 1) == 0


@given(INTS, st.integers(0, 40))
def test_integer_powers_wrap_as_repeated_multiplication_does(
    base: int, exponent: int
) -> None:
    product = 1
    for _ in range(exponent):
        product = OPS.wrap(product * base)
    assert OPS.power(base, exponent) == product


def test_negative_exponents_of_integers() -> None:
    assert [OPS.power(base, -3) for base in (2, 1, -1)] == [0, 1, -1]
    assert OPS.power(-1, -2) == 1
    assert code_of(OPS.power, 0, -1) is E_DIV


def test_float_operations_that_leave_the_numbers_are_e_float() -> None:
    assert code_of(OPS.multiply, 1e300, 1e300) is E_FLOAT
    assert code_of(OPS.power, 10.0, 400) is E_FLOAT
    assert code_of(OPS.power, -8.0, 0.5) is E_FLOAT
    assert code_of(OPS.power, 0.0, -1) is E_FLOAT


def test_underflow_is_zero_in_arithmetic_and_e_float_in_powers() -> None:
    assert OPS.multiply(1e-200, 1e-200) == 0.0
    assert code_of(OPS.power, 1e-200, 2) is E_FLOAT


def test_a_nan_from_a_file_is_greater_than_everything_and_equal_to_nothing() -> None:
    nan = math.nan
    assert (OPS.less(nan, 1.0), OPS.less_equal(nan, 1.0)) == (0, 0)
    assert (OPS.greater(nan, 1.0), OPS.greater_equal(nan, 1.0)) == (1, 1)
    assert OPS.equal(nan, nan) == 0


def test_strings_compare_as_if_in_lower_case() -> None:
    assert OPS.less("_", "a") == 1
    assert OPS.less("Z", "[") == 0
    assert OPS.equal("FOO", "foo") == 1
    assert OPS.equal("É", "é") == 0  # only A to Z fold


def test_lists_and_mixed_types_have_no_order() -> None:
    assert code_of(OPS.less, (1,), (2,)) is E_TYPE
    assert code_of(OPS.greater, "1", 1) is E_TYPE
    assert OPS.less(E_PERM, E_TYPE) == 0


def test_in_passes_over_hits_of_another_type() -> None:
    assert OPS.is_in(5, (5.0, Obj(5), "5", 5)) == 4
    assert OPS.is_in(Obj(5), (5, Obj(5))) == 2
    assert OPS.is_in("B", ("a", "b")) == 2
    assert OPS.is_in(1, (2,)) == 0
    assert code_of(OPS.is_in, 1, "1") is E_TYPE


def test_an_empty_range_may_lie_anywhere() -> None:
    assert OPS.range_of("abc", 4, 3) == ""
    assert OPS.range_of((1, 2), -3, -5) == ()
    assert code_of(OPS.range_of, "abc", 0, 2) is E_RANGE
    assert code_of(OPS.range_of, "abc", 2, 4) is E_RANGE


def test_range_assignment_needs_no_order() -> None:
    assert OPS.range_set("abcdef", 5, 1, "!") == "abcd!bcdef"
    assert OPS.range_set("abc", 0, 1, "Z") == "Zbc"
    assert OPS.range_set((1, 2), 1, 5, (9,)) == (9,)
    assert code_of(OPS.range_set, "abc", 5, 5, "x") is E_RANGE
    assert code_of(OPS.range_set, "abc", 1, -1, "x") is E_RANGE
    assert code_of(OPS.range_set, "abc", 1, 1, (1,)) is E_TYPE


def test_an_index_set_checks_type_then_range_then_length() -> None:
    assert OPS.index_set("abc", 2, "X") == "aXc"
    assert code_of(OPS.index_set, "abc", 2, "XY") is E_INVARG
    assert code_of(OPS.index_set, "abc", 9, "XY") is E_RANGE
    assert code_of(OPS.index_set, "abc", 9, 5) is E_TYPE
    assert OPS.index_set((1, 2), 1, "XY") == ("XY", 2)


def test_what_grows_too_long_ends_the_task_unless_that_may_be_caught() -> None:
    strict = Operators(32, SizeLimits(max_string=3, max_list=2))
    with pytest.raises(TaskAborted) as abort:
        strict.add("ab", "cd")
    assert abort.value.reason is AbortReason.SECONDS
    lenient = Operators(32, SizeLimits(3, 2, catchable=True))
    assert code_of(lenient.add, "ab", "cd") is E_QUOTA
    assert code_of(lenient.append, (1, 2), 3) is E_QUOTA
    assert code_of(lenient.extend, (1,), (2, 3)) is E_QUOTA
    assert code_of(lenient.range_set, "abc", 1, 0, "x") is E_QUOTA


def test_wider_integers_wrap_later() -> None:
    wide = Operators(64)
    assert wide.add(2**31 - 1, 1) == 2**31
    assert wide.add(2**63 - 1, 1) == -(2**63)
    assert wide.power(2, 63) == -(2**63)
