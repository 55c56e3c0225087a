"""What gets into a world from outside."""

from __future__ import annotations

from typing import Any

import pytest

from pymoo.values import E_PERM, ErrorCode, Obj
from pymoo.values_limits import UnusableValueError, ValueLimits


def test_python_data_becomes_a_value() -> None:
    data = [1, 2.5, "three", [Obj(4), (E_PERM,)], ErrorCode(77)]
    made = ValueLimits().value(data)
    assert made == (1, 2.5, "three", (Obj(4), (E_PERM,)), ErrorCode(77))
    assert type(made) is tuple
    assert type(made[3]) is tuple
    assert type(made[3][0]) is Obj


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (True, "bool is no type of MOO"),
        (None, "NoneType is no type"),
        ({"a": 1}, "dict is no type"),
        ([1, [b"x"]], "bytes is no type"),
        (1 << 31, "2147483648 does not fit into 32 bits"),
        (-(1 << 31) - 1, "does not fit"),
        pytest.param(10**10_000, "a number does not fit", id="many digits"),
        (Obj(1 << 40), "does not fit"),
        (float("nan"), "only finite"),
        (float("inf"), "only finite"),
        ("two\nlines", "character 4 of a string is '\\n'"),
        ("\r", "one line"),
        ("\0", "one line"),
        ("snow \u2603", "character 6 of a string is '\\u2603'"),
    ],
)
def test_what_no_world_can_hold_is_refused(data: Any, complaint: str) -> None:
    with pytest.raises(UnusableValueError) as refusal:
        ValueLimits().value(data)
    assert complaint in str(refusal.value)


def test_a_wider_world_holds_more() -> None:
    limits = ValueLimits(64, "utf-8")
    assert limits.value([1 << 40, "snow \u2603"]) == (1 << 40, "snow \u2603")


def test_half_a_character_is_refused_in_a_utf_8_world() -> None:
    with pytest.raises(UnusableValueError, match="utf-8"):
        ValueLimits(32, "utf-8").string("\ud800")


def test_lists_may_be_nested_100_000_deep() -> None:
    data: Any = []
    for _ in range(100_000):
        data = [data]
    made: Any = ValueLimits().value(data)
    depth = 0
    while made:
        (made,) = made
        depth += 1
    assert depth == 100_000
