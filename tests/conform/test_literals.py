"""Literals, taken apart and read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.conform.literals import (
    NotALiteralError,
    Word,
    join_list,
    parse_literal,
    split_list,
)
from pymoo.values import ErrorCode, Obj, Value, literal
from tests.strategies import values


def plain(value: Value) -> Any:
    """What `parse_literal` should make of a value's literal."""
    if isinstance(value, (Obj, ErrorCode)):
        return Word(str(value))
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value


@given(values())
def test_every_literal_is_read_as_its_value(value: Value) -> None:
    text = literal(value)
    found = parse_literal(text)
    # Floats are printed with fifteen digits: compare what is printed.
    assert found == plain(value) or text == literal_of(found)


def literal_of(data: Any) -> str:
    if isinstance(data, list):
        return join_list([literal_of(each) for each in data])
    return data.text if isinstance(data, Word) else literal(data)


@given(st.lists(values(), max_size=5))
def test_a_list_split_and_joined_is_the_list(elements: list[Value]) -> None:
    text = literal(tuple(elements))
    assert split_list(text) == [literal(each) for each in elements]
    assert join_list(split_list(text)) == text


def test_maps_of_other_dialects_are_dictionaries() -> None:
    assert parse_literal('["a" -> {1, -2}, 3 -> [], #-1 -> true]') == {
        "a": [1, -2],
        3: {},
        Word("#-1"): Word("true"),
    }


def test_deep_lists_are_read() -> None:
    depth = 100_000
    found = parse_literal("{" * depth + "}" * depth)
    count = 1
    while found:
        (found,) = found
        count += 1
    assert count == depth


@pytest.mark.parametrize(
    "text", ["", "{", "}", "{1", "1}", "{1]", '"abc', "1 2", "[1]", "[1 -> 2"]
)
def test_what_is_no_literal_is_refused(text: str) -> None:
    with pytest.raises(NotALiteralError):
        parse_literal(text)


@pytest.mark.parametrize("text", ["", "5", '"{}"', "{1"])
def test_what_is_no_list_is_not_split(text: str) -> None:
    with pytest.raises(NotALiteralError):
        split_list(text)
