"""Built-in functions on numbers: conversion, arithmetic, mathematics, time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from pymoo.builtins.registry import ANY, FLOAT, INT, NUM, builtin
from pymoo.errors import MooError
from pymoo.interp.number_text import (
    float_to_int,
    floatstr,
    parse_float_text,
    parse_int_text,
    parse_object_text,
    random_int,
)
from pymoo.interp.vm import Call
from pymoo.values import (
    E_FLOAT,
    E_INVARG,
    E_TYPE,
    SCANNED_PER_STEP,
    SHORT,
    ErrorCode,
    Meter,
    Obj,
    Value,
)

# --- conversion -----------------------------------------------------------


@builtin("toint", [ANY], source="numbers.c, bf_toint")
@builtin("tonum", [ANY], source="numbers.c, bf_toint")
def bf_toint(call: Call, value: Value) -> Value:
    """Return ``value`` as an integer; 0 for a string that is no number.

    Raises: E_TYPE for a list, E_FLOAT for a float beyond the range.
    """
    return _to_int(call, value, parse_int_text)


@builtin("toobj", [ANY], source="objects.c, bf_toobj")
def bf_toobj(call: Call, value: Value) -> Value:
    """Return ``value`` as an object number; #0 for a string that is no number.

    Raises: E_TYPE for a list, E_FLOAT for a float beyond the range.
    """
    return Obj(_to_int(call, value, parse_object_text))


def _to_int(call: Call, value: Value, of_text: Callable[..., int]) -> int:
    """Source: numbers.c, become_integer."""
    if isinstance(value, int):  # or an Obj
        return int(value)
    if isinstance(value, str):
        if len(value) > SHORT:
            call.vm.scanned(len(value))
        return of_text(value, bits=call.vm.ops.width)
    if isinstance(value, ErrorCode):
        return value.number
    if isinstance(value, float):
        return float_to_int(value, bits=call.vm.ops.width)
    raise MooError(E_TYPE)


@builtin("tofloat", [ANY], metered=True, source="numbers.c, bf_tofloat")
def bf_tofloat(meter: Meter, value: Value) -> Value:
    """Return ``value`` as a float.

    Raises: E_TYPE for a list, E_INVARG for a string that is no number.
    """
    if isinstance(value, str):
        if len(value) > SHORT:
            meter.spend(len(value) // SCANNED_PER_STEP)
        return parse_float_text(value)
    if isinstance(value, ErrorCode):
        return float(value.number)
    if isinstance(value, tuple):
        raise MooError(E_TYPE)
    return float(value)


@builtin("floatstr", [FLOAT, INT, ANY], least=2, pure=True, source="numbers.c")
def bf_floatstr(number: float, precision: int, scientific: Value = 0) -> Value:
    """Return ``number`` with ``precision`` digits behind the point, 19 at most.

    Raises: E_INVARG for a negative precision.
    """
    return floatstr(number, precision, scientific=bool(scientific))


# --- arithmetic -----------------------------------------------------------


@builtin("min", [NUM], more=True, metered=True, source="numbers.c, bf_min")
def bf_min(meter: Meter, first: int | float, *others: int | float) -> Value:
    """Return the least of numbers of one type.  Raises: E_TYPE."""
    _check_types(first, others, meter)
    for number in others:
        if number < first:
            first = number
    return first


@builtin("max", [NUM], more=True, metered=True, source="numbers.c, bf_max")
def bf_max(meter: Meter, first: int | float, *others: int | float) -> Value:
    """Return the greatest of numbers of one type.  Raises: E_TYPE."""
    _check_types(first, others, meter)
    for number in others:
        if number > first:
            first = number
    return first


def _check_types(
    first: int | float, others: tuple[int | float, ...], meter: Meter
) -> None:
    if len(others) > SHORT:
        meter.spend(len(others))
    kind = type(first)
    for number in others:
        if type(number) is not kind:
            raise MooError(E_TYPE)


@builtin("abs", [NUM], source="numbers.c, bf_abs")
def bf_abs(call: Call, number: int | float) -> Value:
    """Return ``number`` without its sign; the least INT stays as it is."""
    if type(number) is int and number < 0:
        return call.vm.ops.wrap(-number)
    return abs(number)


@builtin("random", [INT], least=0, source="numbers.c, bf_random")
def bf_random(call: Call, upper: int | None = None) -> Value:
    """Return a number from 1 to ``upper``, or to the greatest INT.

    Raises: E_INVARG if that is not positive.
    """
    upper = call.vm.ops.max_int if upper is None else upper
    return random_int(upper, call.engine.random)


# --- mathematics ----------------------------------------------------------


def _result(compute: Callable[..., float], *arguments: float) -> Value:
    """Return what a function of C's math library gives.

    Raises: E_INVARG outside of its domain, E_FLOAT if the result is not finite, or
        has underflowed where C says so.
    Source: numbers.c, MATH_FUNC.
    """
    try:
        result = compute(*arguments)
    except OverflowError:
        raise MooError(E_FLOAT) from None
    except ValueError:
        raise MooError(E_INVARG) from None
    if result - result != 0.0:
        raise MooError(E_FLOAT)
    return result


def _exp(number: float) -> float:
    result = math.exp(number)
    if result == 0.0:
        raise OverflowError  # C reports the underflow, Python keeps it to itself
    return result


def _atan2(y: float, x: float) -> float:
    result = math.atan2(y, x)
    if result == 0.0 and y != 0.0:
        raise OverflowError  # as in _exp
    return result


def _log(compute: Callable[[float], float]) -> Callable[[float], float]:
    def compute_or_pole(number: float) -> float:
        if number == 0.0:
            raise OverflowError  # a pole is a range error in C
        return compute(number)

    return compute_or_pole


_FUNCTIONS: Final[dict[str, tuple[Callable[[float], float], str]]] = {
    "sqrt": (math.sqrt, "the square root of ``number``"),
    "sin": (math.sin, "the sine of ``number`` radians"),
    "cos": (math.cos, "the cosine of ``number`` radians"),
    "tan": (math.tan, "the tangent of ``number`` radians"),
    "asin": (math.asin, "the angle whose sine is ``number``, in radians"),
    "acos": (math.acos, "the angle whose cosine is ``number``, in radians"),
    "sinh": (math.sinh, "the hyperbolic sine of ``number``"),
    "cosh": (math.cosh, "the hyperbolic cosine of ``number``"),
    "tanh": (math.tanh, "the hyperbolic tangent of ``number``"),
    "exp": (_exp, "e to the power of ``number``"),
    "log": (_log(math.log), "the natural logarithm of ``number``"),
    "log10": (_log(math.log10), "the logarithm of ``number`` to the base of 10"),
    "ceil": (lambda number: float(_whole(math.ceil, number)), "``number`` rounded up"),
    "floor": (
        lambda number: float(_whole(math.floor, number)),
        "``number`` rounded down",
    ),
    "trunc": (
        lambda number: float(_whole(math.trunc, number)),
        "``number`` rounded toward zero",
    ),
}


def _whole(compute: Callable[[float], int], number: float) -> float:
    """Round as C does: -0.5 rounded up is -0.0."""
    if number - number != 0.0:
        return number
    return math.copysign(compute(number), number)


def _define(name: str, compute: Callable[[float], float], what: str) -> None:
    def bf_function(number: float) -> Value:
        return _result(compute, number)

    bf_function.__name__ = f"bf_{name}"
    bf_function.__doc__ = f"""Return {what}.

    Raises: E_INVARG where it is not defined, E_FLOAT if it is too great.
    """
    builtin(name, [FLOAT], pure=True, source="numbers.c, MATH_FUNC")(bf_function)


for _name, (_compute, _what) in _FUNCTIONS.items():
    _define(_name, _compute, _what)


@builtin("atan", [FLOAT, FLOAT], least=1, pure=True, source="numbers.c, bf_atan")
def bf_atan(y: float, x: float | None = None) -> Value:
    """Return the angle whose tangent is ``y``, or that of the point (x, y).

    Raises: E_FLOAT if that is too close to 0 to be told from it.
    """
    return _result(math.atan, y) if x is None else _result(_atan2, y, x)


# --- time -----------------------------------------------------------------


@builtin("time", source="numbers.c, bf_time")
def bf_time(call: Call) -> Value:
    """Return the seconds since 1970."""
    return call.vm.ops.wrap(int(call.engine.clock.now()))


@builtin("ctime", [INT], least=0, source="numbers.c, bf_ctime")
def bf_ctime(call: Call, seconds: int | None = None) -> Value:
    """Return a time as text: ``Sat Nov 21 02:36:53 2026 UTC``.

    The day of the month is padded with a blank.
    """
    if seconds is None:
        seconds = int(call.engine.clock.now())
    return ctime(seconds)


_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = tuple("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())


def ctime(seconds: int) -> str:
    """Return a time in the machine's time zone, in English whatever its language."""
    t = time.localtime(seconds)
    return (
        f"{_DAYS[t.tm_wday]} {_MONTHS[t.tm_mon - 1]} {t.tm_mday:2d}"
        f" {t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} {t.tm_year} {t.tm_zone}"
    )
