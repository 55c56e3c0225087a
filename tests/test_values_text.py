"""Literals, read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.values import E_PERM, NOTHING, Obj, Value, literal
from pymoo.values_limits import UnusableValueError, ValueLimits
from pymoo.values_text import read_literal
from tests.strategies import values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        (" -5 ", -5),
        ("+5", 5),
        ("2.5", 2.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ('"a \\"b\\" \\\\c"', 'a "b" \\c'),
        ("#2", Obj(2)),
        ("#-1", NOTHING),
        ("E_PERM", E_PERM),
        ("e_perm", E_PERM),
        ("{}", ()),
        ("{ 1 , {}, {{2}} }", (1, (), ((2,),))),
    ],
)
def test_a_literal_is_read(text: str, value: Value) -> None:
    back = read_literal(text)
    assert type(back) is type(value)
    assert back == value


@given(values())
def test_what_toliteral_prints_is_read_back(value: Value) -> None:
    assert literal(read_literal(literal(value), ValueLimits(64))) == literal(value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("foo", "A string needs quotes of its own"),
        ("foo2", "foo2 is no value"),
        ("", "found the end"),
        ("1 + 1", "character 3: the literal has ended"),
        ("12abc", "the literal has ended before"),
        ('"x', "the string has no end"),
        ("{1", "expected ',' or '}'"),
        ("{1 2}", "expected ',' or '}'"),
        ("{1,}", "character 4: expected a value"),
        ("{,}", "expected a value"),
        ("{}}", "character 3: the literal has ended"),
        ("@x", "expected a value"),
        ("2147483648", "does not fit"),
        ("9" * 10_000, "no INT has 10000 digits"),
        ("1e999", "only finite"),
        ('"\n"', "one line"),
        ("1,2", "the literal has ended before"),
    ],
)
def test_what_is_no_literal_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(UnusableValueError) as refusal:
        read_literal(text)
    assert complaint in str(refusal.value)


@given(st.text(alphabet='{}", 1#-.eE_PRM\\\n', max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        value = read_literal(text)
    except UnusableValueError:
        return
    assert read_literal(literal(value)) == value


def test_lists_may_be_nested_100_000_deep() -> None:
    text = "{" * 100_001 + "}" * 100_001
    assert literal(read_literal(text)) == text
