"""Lists: length, sets, insertion, deletion, membership."""

from __future__ import annotations

import pytest
from hypothesis import given

from pymoo.values import Value, literal
from tests import strategies
from tests.builtins.asking import Asker


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "length({})": "0",
        "length({1, {2, 3}})": "2",
        'length("abc")': "3",
        "length($odd[4])": "4",
        "length(5)": "! E_TYPE",
        "length()": "! E_ARGS",
        "length({}, {})": "! E_ARGS",
    }.items(),
)
def test_length_is_of_lists_and_strings(
    ask: Asker, expression: str, value: str
) -> None:
    assert ask(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        'setadd({"a"}, "A")': '{"a"}',
        "setadd({1}, 1.0)": "{1, 1.0}",
        "setadd({}, {})": "{{}}",
        "setadd(1, 1)": "! E_TYPE",
        'setremove({"b", "A", "a"}, "a")': '{"b", "a"}',
        "setremove({1, 2}, 3)": "{1, 2}",
        "setremove({1.0, 1}, 1)": "{1.0}",
        'setadd({{"X"}}, {"x"})': '{{"X"}}',
    }.items(),
)
def test_sets_ignore_case_and_take_the_first(
    ask: Asker, expression: str, value: str
) -> None:
    assert ask(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "listappend({1, 2}, 9)": "{1, 2, 9}",
        "listappend({1, 2}, 9, 1)": "{1, 9, 2}",
        "listappend({1, 2}, 9, 0)": "{9, 1, 2}",
        "listappend({1, 2}, 9, -5)": "{9, 1, 2}",
        "listappend({1, 2}, 9, 50)": "{1, 2, 9}",
        "listinsert({1, 2}, 9)": "{9, 1, 2}",
        "listinsert({1, 2}, 9, 2)": "{1, 9, 2}",
        "listinsert({1, 2}, 9, 0)": "{9, 1, 2}",
        "listinsert({1, 2}, 9, 2147483647)": "{1, 2, 9}",
        "listinsert({1, 2}, 9, -2147483648)": "{9, 1, 2}",
        'listappend({1}, 9, "x")': "! E_TYPE",
        "listappend(1, 9)": "! E_TYPE",
        "listappend({1})": "! E_ARGS",
    }.items(),
)
def test_insertion_takes_the_nearest_end(
    ask: Asker, expression: str, value: str
) -> None:
    assert ask(expression) == value


def test_appending_behind_the_greatest_integer_is_appending_in_front(
    ask: Asker,
) -> None:
    """The position behind it is not a positive integer any more."""
    assert ask("listappend({1, 2}, 9, 2147483647)") == "{9, 1, 2}"
    assert ask("listappend({1, 2}, 9, 2147483646)") == "{1, 2, 9}"


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "listdelete({1, 2, 3}, 2)": "{1, 3}",
        "listdelete({1}, 1)": "{}",
        "listdelete({1}, 0)": "! E_RANGE",
        "listdelete({1}, 2)": "! E_RANGE",
        "listdelete({}, 1)": "! E_RANGE",
        "listset({1, 2}, 9, 2)": "{1, 9}",
        "listset({1, 2}, 9, 0)": "! E_RANGE",
        "listset({1, 2}, 9, 3)": "! E_RANGE",
        "listset({1, 2}, 9, 1.0)": "! E_TYPE",
    }.items(),
)
def test_deletion_and_replacement_need_a_place_in_the_list(
    ask: Asker, expression: str, value: str
) -> None:
    assert ask(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        'equal("a", "A")': "0",
        '"a" == "A"': "1",
        'equal({"a", {"b"}}, {"a", {"b"}})': "1",
        'equal({"a", {"b"}}, {"a", {"B"}})': "0",
        '{"a", {"b"}} == {"A", {"B"}}': "1",
        "equal(1, 1.0)": "0",
        "1 == 1.0": "0",
        "equal(#1, 1)": "0",
        'is_member("A", {"a", "A"})': "2",
        '"A" in {"a", "A"}': "1",
        "is_member(1, {1.0, #1, E_TYPE})": "0",
        "is_member(1, 1)": "! E_TYPE",
        '"a" in "abc"': "! E_TYPE",
    }.items(),
)
def test_case_matters_to_equal_and_is_member_only(
    ask: Asker, expression: str, value: str
) -> None:
    assert ask(expression) == value


def test_a_value_is_the_first_member_of_a_list_of_itself() -> None:
    ask = Asker()

    @given(strategies.values())
    def check(value: Value) -> None:
        text = literal(value)
        assert ask(f"is_member({text}, {{{text}, {text}}})") == "1"
        assert ask(f"length(setremove({{{text}, {text}}}, {text}))") == "1"

    check()
