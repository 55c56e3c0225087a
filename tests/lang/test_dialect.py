"""The table of dialects."""

from __future__ import annotations

import pytest
from attrs import fields

from pymoo.errors import OptionError
from pymoo.lang.dialect import DEFAULT, DIALECTS, Dialect, dialect


def test_lambdamoo_has_the_limits_of_lambdamoo() -> None:
    lambdamoo = dialect("lambdamoo")
    assert (lambdamoo.fg_ticks, lambdamoo.bg_ticks) == (30_000, 15_000)
    assert not lambdamoo.ignores_small_limits


def test_lambdamoo_adds_nothing() -> None:
    """Whatever a dialect may allow, this one does not."""
    lambdamoo = dialect("lambdamoo")
    allowed = [
        each.name
        for each in fields(Dialect)
        if each.type == "bool" and getattr(lambdamoo, each.name)
    ]
    assert allowed == []


def test_pymoo_is_the_default_and_has_twice_the_ticks() -> None:
    assert dialect("pymoo") is DEFAULT
    assert (DEFAULT.fg_ticks, DEFAULT.bg_ticks) == (60_000, 30_000)
    assert DEFAULT.line_comments
    assert DEFAULT.fractional_delays


def test_integers_have_32_bits_unless_the_database_says_otherwise() -> None:
    assert {each.default_width for each in DIALECTS.values()} == {32}


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(OptionError) as caught:
        dialect("klingon")
    assert str(caught.value) == (
        "there is no dialect 'klingon': choose one of lambdamoo, pymoo"
    )
