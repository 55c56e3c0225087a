"""Numbers from text and text from numbers, as the builtins have it.

Owns what ``toint()``, ``toobj()`` and ``tofloat()`` read in a string, and what
``floatstr()`` writes.  The C server leaves the reading to C's strtol and strtod,
whose habits MOO code can therefore see: blanks of all kinds before the number,
``0x1p-3``, ``infinity``, and results cut down to the width of an INT.

Literals in programs are read by the parser; `values` writes numbers for ``tostr()``
and ``toliteral()``.
"""

from __future__ import annotations

import re
from math import inf, isfinite, nan
from random import Random
from typing import Final

from pymoo.errors import MooError
from pymoo.values import E_FLOAT, E_INVARG, SHORT, Obj

INT_BITS: Final = 32

MAX_PRECISION: Final = 19  # numbers.c, DBL_DIG + 4

# What C's strtol stops at, whatever the width of an INT.
_LONG_BITS: Final = 64
_LONG_DIGITS: Final = 19

_BLANKS: Final = " \t\n\v\f\r"

_INTEGER: Final = re.compile(r"[ \t\n\v\f\r]*([-+]?)([0-9]+)")
_FLOAT: Final = re.compile(
    r"""
    [ \t\n\v\f\r]*
    (?P<sign> [-+]? )
    (?:
        (?P<infinity> inf (?:inity)? )
    |   (?P<nan> nan (?: \( [0-9a-z_]* \) )? )
    |   (?P<hexadecimal>
            0x (?: [0-9a-f]+ (?: \. [0-9a-f]* )? | \. [0-9a-f]+ )
            (?: p [-+]? [0-9]+ )? )
    |   (?P<decimal>
            (?: [0-9]+ (?: \. [0-9]* )? | \. [0-9]+ )
            (?: e [-+]? [0-9]+ )? )
    )
    """,
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)


def leading_int(text: str, *, bits: int = INT_BITS) -> tuple[int, str]:
    """Return the number that ``text`` begins with, and what comes after it.

    Blanks may stand before the number.  Without a number: 0 and all of the text.

    Source: C's strtol, as match.c and others use it.
    """
    integer = _INTEGER.match(text)
    if integer is None:
        return 0, text
    return _wrapped(integer, bits), text[integer.end() :]


def parse_int_text(text: str, *, bits: int = INT_BITS) -> int:
    """Return what ``toint()`` and ``tonum()`` make of a string; 0 if no number.

    Blanks may follow the number, nothing else.  What has a point or an exponent is
    read as a float and truncated; where that is no INT, the smallest INT comes
    out.  Other numbers wrap around, but only after they have been cut down to 64
    bits: ``toint("99999999999999999999")`` is -1.

    Source: numbers.c, parse_number.
    """
    text = _without_blanks(text)
    integer = _INTEGER.match(text)
    if integer is None or text.startswith((".", "e", "E"), integer.end()):
        number = _FLOAT.match(text)
        if number is None or not _is_blank(text, number.end()):
            return 0
        return _converted(_float_value(number), bits)
    return _wrapped(integer, bits) if _is_blank(text, integer.end()) else 0


def parse_object_text(text: str, *, bits: int = INT_BITS) -> Obj:
    """Return what ``toobj()`` makes of a string; ``#0`` if it is no number.

    There may be one ``#`` before the number, with blanks on either side.

    Source: numbers.c, parse_object.
    """
    text = text.lstrip(" ").removeprefix("#")
    text = _without_blanks(text)
    integer = _INTEGER.match(text)
    if integer is None or not _is_blank(text, integer.end()):
        return Obj(0)
    return Obj(_wrapped(integer, bits))


def parse_float_text(text: str) -> float:
    """Return what ``tofloat()`` makes of a string.

    A minus is read before the number begins, so that there may be blanks and
    another sign behind it: ``tofloat("- 3")`` is -3.0, ``tofloat("--1")`` 1.0.

    Raises: E_INVARG if it is no number, or none that is finite.
    Source: numbers.c, parse_float, become_float.
    """
    unsigned = text.lstrip(" ")
    is_negative = unsigned.startswith("-")
    if is_negative:
        unsigned = unsigned[1:]
    unsigned = _without_blanks(unsigned)
    number = _FLOAT.match(unsigned)
    if number is None or not _is_blank(unsigned, number.end()):
        raise MooError(E_INVARG)
    value = _float_value(number)
    if not isfinite(value):
        raise MooError(E_INVARG)
    return -value if is_negative else value


def float_to_int(number: float, *, bits: int = INT_BITS) -> int:
    """Return what ``toint()`` and ``toobj()`` make of a float: it is truncated.

    Raises: E_FLOAT if the number, before it is truncated, is beyond the range of
        an INT.
    Source: numbers.c, become_integer.
    """
    limit = 1 << (bits - 1)
    if not -limit <= number <= limit - 1:
        raise MooError(E_FLOAT)
    return int(number)


def floatstr(number: float, precision: int, *, scientific: bool) -> str:
    """Return ``floatstr(number, precision, scientific)``.

    More than 19 digits after the point are never shown.

    Raises: E_INVARG for a negative precision.
    Source: numbers.c, bf_floatstr.
    """
    if precision < 0:
        raise MooError(E_INVARG)
    return f"{number:.{min(precision, MAX_PRECISION)}{'e' if scientific else 'f'}}"


def random_int(upper: int, generator: Random) -> int:
    """Return ``random(upper)``: one of 1 to ``upper``, each as likely.

    Raises: E_INVARG if ``upper`` is not positive.  (``random(0)`` ends the C
        server with a division by zero.)
    Source: numbers.c, bf_random.
    """
    if upper <= 0:
        raise MooError(E_INVARG)
    return generator.randrange(upper) + 1


def _without_blanks(text: str) -> str:
    """Return a text without very many blanks in front.

    The patterns would look at all of them again and again.
    """
    return text.lstrip(_BLANKS) if len(text) > SHORT else text


def _is_blank(text: str, start: int) -> bool:
    return start == len(text) or not text[start:].strip(" ")


def _wrapped(integer: re.Match[str], bits: int) -> int:
    """Return what strtol gives, as an INT holds it."""
    sign, digits = integer.groups()
    limit = 1 << (_LONG_BITS - 1)
    if len(digits) > _LONG_DIGITS:
        # Python refuses to read very long numbers.
        digits = digits.lstrip("0") or "0"
    magnitude = int(digits) if len(digits) <= _LONG_DIGITS else limit
    value = max(-magnitude, -limit) if sign == "-" else min(magnitude, limit - 1)
    half = 1 << (bits - 1)
    return (value + half) % (2 * half) - half


def _converted(number: float, bits: int) -> int:
    """Return what the C server's machines make of a float that becomes an INT."""
    limit = 1 << (bits - 1)
    if isfinite(number) and -limit <= int(number) < limit:
        return int(number)
    return -limit


def _float_value(number: re.Match[str]) -> float:
    """Return what strtod gives."""
    if number["decimal"] is not None:
        value = float(number["decimal"])
    elif number["hexadecimal"] is not None:
        try:
            value = float.fromhex(number["hexadecimal"])
        except OverflowError:
            value = inf
    else:
        value = nan if number["nan"] is not None else inf
    return -value if number["sign"] == "-" else value
