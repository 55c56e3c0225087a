"""Numbers in text against recorded answers, and the rules one by one.

``number_text.jsonl`` was recorded from LambdaMOO 1.8.3 with 32-bit integers.  Lines
are ["read", text, toint(), toobj(), tofloat() as floatstr(x, 19, 1) or an error]
and ["write", float in hexadecimal, precision, scientific, floatstr(), toint()].
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.errors import MooError
from pymoo.interp.number_text import (
    float_to_int,
    floatstr,
    leading_int,
    parse_float_text,
    parse_int_text,
    parse_object_text,
    random_int,
)
from pymoo.values import E_FLOAT, E_INVARG, Obj

RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "number_text.jsonl")
    .read_text("ascii")
    .splitlines()
]

LEAST, MOST = -(2**31), 2**31 - 1


def value_or_error(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except MooError as error:
        return str(error.code)


def test_every_recorded_text_is_read_alike() -> None:
    found = [
        [
            "read",
            text,
            parse_int_text(text),
            int(parse_object_text(text)),
            value_or_error(
                lambda text=text: floatstr(parse_float_text(text), 19, scientific=True)
            ),
        ]
        for kind, text, *_ in RECORDED
        if kind == "read"
    ]
    recorded = [line for line in RECORDED if line[0] == "read"]
    assert len(recorded) == 1_000
    assert found == recorded


def test_every_recorded_float_is_written_and_truncated_alike() -> None:
    recorded = [line for line in RECORDED if line[0] == "write"]
    assert len(recorded) == 500
    for line in recorded:
        _, text, precision, scientific, *answers = line
        number = float.fromhex(text)
        found = [
            value_or_error(
                lambda number=number, precision=precision, scientific=scientific: (
                    floatstr(number, precision, scientific=bool(scientific))
                )
            ),
            value_or_error(lambda number=number: float_to_int(number)),
        ]
        assert found == answers, line


@given(st.integers())
def test_toint_wraps_what_strtol_can_hold_and_cuts_down_the_rest(number: int) -> None:
    held = max(-(2**63), min(2**63 - 1, number))
    assert parse_int_text(f" {number} ") == (held + 2**31) % 2**32 - 2**31
    assert parse_int_text(str(number), bits=64) == held


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_tofloat_reads_to_the_bit_what_was_written(number: float) -> None:
    for text in (repr(number), f"{number:.30e}", number.hex()):
        read = parse_float_text(f" {text} ")
        assert math.copysign(1, read) == math.copysign(1, number)
        assert read == number


@given(st.floats(-1e18, 1e18))
def test_toint_of_a_text_with_a_point_truncates_or_gives_the_least(
    number: float,
) -> None:
    text = f"{number:.6f}"
    truncated = int(float(text))
    expected = truncated if LEAST <= truncated <= MOST else LEAST
    assert parse_int_text(text) == expected


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12abc", 0),
        ("5e", 0),
        ("#5", 0),
        ("0x1F", 0),
        ("- 5", 0),
        ("", 0),
        (" ", 0),
        ("1_000", 0),
        ("12\t", 0),
        ("\t\v12 ", 12),
        ("1e3", 1000),
        ("-1.9", -1),
        (".5e1", 5),
        ("inf", LEAST),
        ("nan", LEAST),
        ("2147483648", LEAST),
        ("2147483648.0", LEAST),
        ("2147483647.9", MOST),
        ("99999999999999999999", -1),
        ("-99999999999999999999", 0),
        ("0" * 10_000 + "7", 7),
        ("9" * 10_000, -1),
    ],
)
def test_toint(text: str, number: int) -> None:
    assert parse_int_text(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("#12", 12),
        (" # 12", 12),
        ("12 ", 12),
        ("#-3", -3),
        ("x", 0),
        ("1.5", 0),
        ("##5", 0),
        ("# #5", 0),
        ("\t#5", 0),
        ("4294967295", -1),
    ],
)
def test_toobj(text: str, number: int) -> None:
    found = parse_object_text(text)
    assert type(found) is Obj
    assert int(found) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0x1F", 31.0),
        ("0x.8p1", 1.0),
        ("- 3", -3.0),
        ("--1", 1.0),
        ("-+1", -1.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-400", 0.0),
        ("0." + "0" * 400 + "1e400", 0.1),
    ],
)
def test_tofloat(text: str, number: float) -> None:
    assert parse_float_text(text) == number


def test_tofloat_of_minus_zero_keeps_the_sign() -> None:
    assert math.copysign(1, parse_float_text("-0")) == -1
    assert math.copysign(1, parse_float_text("--0")) == 1


@pytest.mark.parametrize(
    "text",
    ["", " ", "x", "1e999", "-0x1p1024", "inf", "-Infinity", "nan", "NaN(1)", "---1",
     "1_0", "12\t", "0x", "1e", ".", "1 2", "\u0661"],
)  # fmt: skip
def test_tofloat_refuses_what_is_no_finite_number(text: str) -> None:
    with pytest.raises(MooError) as caught:
        parse_float_text(text)
    assert caught.value.code is E_INVARG


@pytest.mark.parametrize("bits", [32, 64])
def test_a_float_beyond_the_integers_raises_e_float(bits: int) -> None:
    limit = 2.0 ** (bits - 1)
    assert float_to_int(-limit, bits=bits) == -(2 ** (bits - 1))
    inside = math.nextafter(limit, 0)
    assert float_to_int(inside - 1, bits=bits) == int(inside - 1)
    for beyond in (limit, math.nextafter(-limit, -math.inf), math.inf, -math.inf):
        with pytest.raises(MooError) as caught:
            float_to_int(beyond, bits=bits)
        assert caught.value.code is E_FLOAT


def test_a_float_that_would_be_truncated_into_the_range_raises_e_float() -> None:
    assert float_to_int(2147483647.0) == MOST
    with pytest.raises(MooError):
        float_to_int(2147483647.5)
    with pytest.raises(MooError):
        float_to_int(-2147483648.5)


def test_floatstr_shows_19_digits_at_most_and_refuses_fewer_than_none() -> None:
    assert floatstr(2.5, 0, scientific=False) == "2"
    assert floatstr(3.5, 0, scientific=False) == "4"
    assert floatstr(0.1, 100, scientific=False) == "0.1000000000000000056"
    assert floatstr(1e10, 3, scientific=True) == "1.000e+10"
    with pytest.raises(MooError) as caught:
        floatstr(1.0, -1, scientific=False)
    assert caught.value.code is E_INVARG


@pytest.mark.parametrize(
    ("text", "number", "rest"),
    [
        ("12 and", 12, " and"),
        (" -7", -7, ""),
        ("", 0, ""),
        (" x", 0, " x"),
        ("4294967296", 0, ""),
        ("1.5", 1, ".5"),
    ],
)
def test_a_leading_number_is_split_off(text: str, number: int, rest: str) -> None:
    assert leading_int(text) == (number, rest)


def test_random_numbers_are_from_1_to_the_bound() -> None:
    generator = Random(3)
    assert {random_int(4, generator) for _ in range(200)} == {1, 2, 3, 4}
    assert random_int(1, generator) == 1
    assert 0 < random_int(2**63 - 1, generator) < 2**63
    for upper in (0, -3):
        with pytest.raises(MooError) as caught:
            random_int(upper, generator)
        assert caught.value.code is E_INVARG
