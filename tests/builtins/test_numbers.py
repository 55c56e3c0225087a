"""Numbers: conversions, arithmetic functions, mathematics, texts of times."""

from __future__ import annotations

import pytest
from hypothesis import given

from pymoo.values import literal
from tests import strategies
from tests.builtins.asking import Asker

# --- conversions ----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    {
        "12": "12",
        "-12": "-12",
        "+3": "3",
        " 12 ": "12",
        "12abc": "0",
        "1.9": "1",
        "-1.9": "-1",
        "1e3": "1000",
        "5e": "0",
        ".5": "0",
        "": "0",
        "#5": "0",
        "- 5": "0",
        "--5": "0",
        "inf": "-2147483648",
        "nan": "-2147483648",
        "0x1F": "0",
        "2147483648": "-2147483648",
        "99999999999999999999": "-1",
    }.items(),
)
def test_toint_reads_a_number_off_a_whole_string(
    ask: Asker, text: str, number: str
) -> None:
    assert ask(f"toint({literal(text)})") == number
    assert ask(f"tonum({literal(text)})") == number


@pytest.mark.parametrize(
    ("argument", "number"),
    {
        "3.9": "3",
        "-3.9": "-3",
        "2147483647.0": "2147483647",
        "2147483648.0": "! E_FLOAT",
        "-2147483648.0": "-2147483648",
        "-2147483649.0": "! E_FLOAT",
        "3e9": "! E_FLOAT",
        "#7": "7",
        "#-1": "-1",
        "E_PERM": "3",
        "E_NONE": "0",
        "{}": "! E_TYPE",
    }.items(),
)
def test_toint_of_other_types(ask: Asker, argument: str, number: str) -> None:
    assert ask(f"toint({argument})") == number


@pytest.mark.parametrize(
    ("text", "number"),
    {
        "12": "12.0",
        "0x1F": "31.0",
        " 1.5 ": "1.5",
        "+3": "3.0",
        "- 3": "-3.0",
        "--1": "1.0",
        "1e-400": "0.0",
        ".5": "0.5",
        "5.": "5.0",
        "inf": "! E_INVARG",
        "nan": "! E_INVARG",
        "1e999": "! E_INVARG",
        "": "! E_INVARG",
        "5e": "! E_INVARG",
        "1_0": "! E_INVARG",
        "12abc": "! E_INVARG",
    }.items(),
)
def test_tofloat_reads_what_c_reads_and_nothing_behind_it(
    ask: Asker, text: str, number: str
) -> None:
    assert ask(f"tofloat({literal(text)})") == number


def test_tofloat_of_other_types(ask: Asker) -> None:
    assert ask("tofloat(3)") == "3.0"
    assert ask("tofloat(#3)") == "3.0"
    assert ask("tofloat(E_DIV)") == "2.0"
    assert ask("tofloat({})") == "! E_TYPE"


@pytest.mark.parametrize(
    ("argument", "object_"),
    {
        '"x"': "#0",
        '""': "#0",
        '"12"': "#12",
        '"#12"': "#12",
        '" # 12"': "#12",
        '"#-1"': "#-1",
        '"1.5"': "#0",
        "2.9": "#2",
        "-2.9": "#-2",
        "3e9": "! E_FLOAT",
        "E_PERM": "#3",
        "{}": "! E_TYPE",
    }.items(),
)
def test_toobj(ask: Asker, argument: str, object_: str) -> None:
    assert ask(f"toobj({argument})") == object_


def test_tostr_and_toint_of_an_integer_are_each_other_s_inverse() -> None:
    ask = Asker()

    @given(strategies.integers)
    def check(number: int) -> None:
        assert ask(f"toint(tostr({number}))") == str(number)

    check()


# --- arithmetic -----------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "min(3, 1, 2)": "1",
        "max(3, 1, 2)": "3",
        "min(2.5)": "2.5",
        "max(1, 2.0)": "! E_TYPE",
        "min(1.0, 2)": "! E_TYPE",
        'max("a")': "! E_TYPE",
        "max()": "! E_ARGS",
        "abs(-5)": "5",
        "abs(-5.5)": "5.5",
        "abs(-2147483647 - 1)": "-2147483648",
        'abs("x")': "! E_TYPE",
        "random(0)": "! E_INVARG",
        "random(-1)": "! E_INVARG",
        "random(1)": "1",
        'random("x")': "! E_TYPE",
    }.items(),
)
def test_arithmetic_functions(ask: Asker, expression: str, value: str) -> None:
    assert ask(expression) == value


def test_random_gives_numbers_from_1_to_its_argument(ask: Asker) -> None:
    program = (
        "c = {0, 0, 0}; for i in [1..300] n = random(3); c[n] = c[n] + 1; endfor"
        " return c[1] > 50 && c[2] > 50 && c[3] > 50;"
    )
    assert ask.run(program) == "1"
    assert ask("random() > 0") == "1"


# --- mathematics ----------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "sqrt(2.0)": "1.4142135623731",
        "sqrt(-1.0)": "! E_INVARG",
        "sqrt(2)": "! E_TYPE",
        "log(-1.0)": "! E_INVARG",
        "log(0.0)": "! E_FLOAT",
        "log10(0.0)": "! E_FLOAT",
        "log10(1000.0)": "3.0",
        "asin(2.0)": "! E_INVARG",
        "acos(-1.5)": "! E_INVARG",
        "exp(1000.0)": "! E_FLOAT",
        "exp(-1000.0)": "! E_FLOAT",
        "exp(0.0)": "1.0",
        "sinh(1000.0)": "! E_FLOAT",
        "cosh(-1000.0)": "! E_FLOAT",
        "tanh(1000.0)": "1.0",
        "ceil(2.1)": "3.0",
        "ceil(-0.5)": "-0.0",
        "floor(-2.1)": "-3.0",
        "trunc(-2.9)": "-2.0",
        "floor(1e300)": "1e+300",
        "atan(1.0)": "0.785398163397448",
        "atan(1.0, -1.0)": "2.35619449019234",
        "atan(0.0, 0.0)": "0.0",
        "atan(0.0, 5.0)": "0.0",
        "atan(1, 2.0)": "! E_TYPE",
        "sin()": "! E_ARGS",
        "sin(1.0, 2.0)": "! E_ARGS",
    }.items(),
)
def test_functions_of_c_s_mathematics(ask: Asker, expression: str, value: str) -> None:
    assert ask(expression) == value


def test_an_angle_too_small_for_a_float_is_an_error(ask: Asker) -> None:
    """The mathematics library reports the underflow to 0 as a range error."""
    assert ask("atan(1e-300, 1e300)") == "! E_FLOAT"
    assert ask("atan(-1e-300, 1e300)") == "! E_FLOAT"


# --- texts ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "floatstr(2.5, 0)": '"2"',
        "floatstr(3.5, 0)": '"4"',
        "floatstr(1.005, 2)": '"1.00"',
        "floatstr(3.14159, 2)": '"3.14"',
        "floatstr(1.0, 25)": '"1.0000000000000000000"',
        "floatstr(12345.678, 3, 1)": '"1.235e+04"',
        "floatstr(0.0, 2, 0)": '"0.00"',
        "floatstr(1.0, -1)": "! E_INVARG",
        "floatstr(1, 1)": "! E_TYPE",
        "floatstr(1.0)": "! E_ARGS",
    }.items(),
)
def test_floatstr_rounds_as_c_does_to_19_places_at_most(
    ask: Asker, expression: str, value: str
) -> None:
    assert ask(expression) == value


@pytest.mark.parametrize(
    ("number", "text"),
    {
        "3.0": "3.0",
        "1e15": "1e+15",
        "0.00001": "1e-05",
        "1e10": "10000000000.0",
        "0.1 + 0.2": "0.3",
        "1.0 / 3.0": "0.333333333333333",
        "-0.0": "-0.0",
        "123456789012345.0": "123456789012345.0",
    }.items(),
)
def test_floats_show_15_digits_and_that_they_are_floats(
    ask: Asker, number: str, text: str
) -> None:
    assert ask(f"tostr({number})") == f'"{text}"'
    assert ask(f"toliteral({number})") == f'"{text}"'


def test_two_floats_that_look_the_same_may_differ(ask: Asker) -> None:
    assert ask("0.1 + 0.2 == 0.3") == "0"


def test_ctime_pads_the_day_with_a_blank(
    ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert ask("ctime(0)") == '"Thu Jan  1 00:00:00 1970 UTC"'
    assert ask("ctime(1000000000)") == '"Sun Sep  9 01:46:40 2001 UTC"'
    assert ask("ctime(-1)") == '"Wed Dec 31 23:59:59 1969 UTC"'
    assert ask("ctime(2147483647)") == '"Tue Jan 19 03:14:07 2038 UTC"'
    assert ask('ctime("x")') == "! E_TYPE"
    monkeypatch.undo()
    time.tzset()
