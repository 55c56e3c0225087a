"""MOO values as JSON, and what is refused on either side."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.values import E_PERM, ErrorCode, Obj, Value
from pymoo.workers.coding import (
    MAX_DEPTH,
    CodingError,
    Reader,
    TooBigError,
    decoded,
    encoded,
    to_json,
)

ATOMS = (
    st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]))
    | st.builds(Obj, st.integers(-(2**31), 2**31 - 1))
    | st.builds(ErrorCode, st.integers(0, 200))
)
VALUES = st.recursive(ATOMS, lambda parts: st.lists(parts).map(tuple))

READER = Reader(encoding="latin-1")


def exact(value: Value) -> Any:
    """What tells values apart that Python holds equal."""
    if type(value) is tuple:
        return [exact(each) for each in value]
    return type(value), repr(value), isinstance(value, ErrorCode) and value.number


@given(VALUES)
def test_every_value_comes_back_as_it_was(value: Value) -> None:
    data = encoded({"value": to_json(value, 1_000_000)}, 1 << 24)
    assert exact(READER.value(decoded(data)["value"])) == exact(value)


def test_the_forms_are_these() -> None:
    value = (1, 1.0, 1e22, "a\tb", (), Obj(-2), E_PERM, ErrorCode(99))
    text = '[1,1.0,1e+22,"a\\tb",[],{"obj":-2},{"err":"E_PERM"},{"err":99}]'
    assert json.dumps(to_json(value, 100), separators=(",", ":")) == text
    assert exact(READER.value(json.loads(text))) == exact(value)


def test_python_may_give_lists_bools_and_none() -> None:
    assert to_json([True, None, [False]], 100) == [1, 0, [0]]


@pytest.mark.parametrize(
    "value", [{}, b"", math.inf, math.nan, object(), {1}, [1, [set()]], 1j]
)
def test_what_no_moo_value_is_cannot_be_sent(value: object) -> None:
    with pytest.raises(CodingError):
        to_json(value, 100)


def test_lists_too_deep_or_too_long_cannot_be_sent() -> None:
    deep: Value = ()
    for _ in range(MAX_DEPTH - 1):
        deep = (deep,)
    assert READER.value(to_json(deep, 1000)) == deep
    with pytest.raises(TooBigError, match="nested more than 100 deep"):
        to_json((deep,), 1000)
    shared: Value = ()
    for _ in range(60):
        shared = (shared, shared)
    with pytest.raises(TooBigError, match="too many elements"):
        to_json(shared, 1000)
    with pytest.raises(TooBigError, match="where 10 are the most"):
        encoded({"value": "long enough"}, 10)


def test_a_hundred_thousand_levels_are_refused_in_both_directions() -> None:
    deep: Any = ()
    for _ in range(100_000):
        deep = (deep,)
    with pytest.raises(TooBigError):
        to_json(deep, 1 << 20)
    for depth in (MAX_DEPTH, MAX_DEPTH + 1):
        data = json.loads("[" * depth + "]" * depth)
        if depth == MAX_DEPTH:
            assert to_json(READER.value(data), 1000) == data
        else:
            with pytest.raises(CodingError, match="nested more than 100 deep"):
                READER.value(data)
    with pytest.raises(CodingError):
        READER.value(decoded(b'{"value":' + b"[" * 500 + b"]" * 500 + b"}")["value"])
    with pytest.raises(
        CodingError, match=r"^nested deeper than anything that is sent$"
    ):
        decoded(b'{"v":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    while deep:  # or Python's own stack would end where it is freed
        deep = deep[0]


@pytest.mark.parametrize(
    "data",
    [
        None,
        True,
        {},
        {"obj": 1, "err": 2},
        {"obj": 1.0},
        {"obj": True},
        {"obj": "1"},
        {"err": "E_NOTHING"},
        {"err": None},
        {"map": []},
        [1, [None]],
        math.inf,
        math.nan,
    ],
)
def test_anything_else_is_no_value(data: Any) -> None:
    with pytest.raises(CodingError):
        READER.value(data)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"1", b"{", b"\xff\xff", b'{"a":1}x', b"\x80\x04N."]
)
def test_anything_else_is_no_message(data: bytes) -> None:
    with pytest.raises(CodingError):
        decoded(data)


def test_numbers_fit_the_database() -> None:
    small = Reader(width=32)
    assert small.value(-(2**31)) == -(2**31)
    assert small.value(2**31 - 1) == 2**31 - 1
    for number in (2**31, -(2**31) - 1):
        with pytest.raises(CodingError, match="does not fit into 32 bits"):
            small.value(number)
        with pytest.raises(CodingError):
            small.value({"obj": number})
        assert Reader(width=64).value(number) == number


def test_strings_fit_the_database() -> None:
    assert Reader().value("\u4e2d\t\xe9") == "\u4e2d\t\xe9"
    with pytest.raises(CodingError, match=r"this world \(latin-1\) does not have"):
        READER.value("\u4e2d")
    for code in (0, 10, 13, 27, 127):
        with pytest.raises(CodingError, match=f"the character {code}"):
            READER.value(f"a{chr(code)}b")


def test_messages_lose_what_no_string_can_hold() -> None:
    assert READER.message("a\nb\u4e2d\xe9") == "a?b?\xe9"
    assert Reader().message("\u4e2d") == "\u4e2d"
    with pytest.raises(CodingError):
        READER.message(5)
