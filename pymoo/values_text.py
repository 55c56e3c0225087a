"""The values that literals stand for: what ``toliteral()`` prints, read back.

Nothing is evaluated: ``{1, 2.5, "three", #4, E_PERM}`` is a literal, ``1 + 1`` is not.
"""

from __future__ import annotations

import re
from typing import Final

from pymoo.values import ERROR_CODES, Obj, Value, fold
from pymoo.values_limits import UnusableValueError, ValueLimits, shortened

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_ATOM: Final = re.compile(
    r"""
      (?P<float> [-+]? (?: [0-9]+\.[0-9]* | \.[0-9]+ ) (?:[eE][-+]?[0-9]+)?
               | [-+]? [0-9]+[eE][-+]?[0-9]+ )
    | (?P<int> [-+]? [0-9]+ )
    | \# (?P<obj> -? [0-9]+ )
    | " (?P<str> (?: [^"\\] | \\. )* ) "
    | (?P<err> [A-Za-z_][A-Za-z0-9_]* )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ERRORS: Final = {fold(code.name): code for code in ERROR_CODES}
# Longer ones fit into no INT, and Python refuses to read the longest.
_MAX_DIGITS: Final = 64


def read_literal(text: str, limits: ValueLimits | None = None) -> Value:
    """Return the value of a literal, however deep its lists are nested.

    Raises: UnusableValueError, which says where and how to do better.
    """
    if limits is None:
        limits = ValueLimits()
    # The lists that are open, the outermost first, in one that is no list of the text.
    open_lists: list[list[Value]] = [[]]
    place = _skip(text, 0)
    may_close = False  # behind "{"
    while True:
        # Here a value must stand.
        char = text[place : place + 1]
        if char == "{":
            open_lists.append([])
            place = _skip(text, place + 1)
            may_close = True
            continue
        if not (may_close and char == "}"):
            value, place = _atom(text, place, limits)
            open_lists[-1].append(value)
        may_close = False
        # Here a value has ended, or a list is empty.
        place = _skip(text, place)
        while len(open_lists) > 1 and text[place : place + 1] == "}":
            closed = tuple(open_lists.pop())
            open_lists[-1].append(closed)
            place = _skip(text, place + 1)
        if len(open_lists) == 1:
            if place != len(text):
                raise _wrong(text, place, "the literal has ended before")
            return open_lists[0][0]
        if text[place : place + 1] != ",":
            raise _wrong(text, place, "expected ',' or '}'")
        place = _skip(text, place + 1)


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    assert found is not None
    return found.end()


def _atom(text: str, place: int, limits: ValueLimits) -> tuple[Value, int]:
    found = _ATOM.match(text, place)
    if found is None:
        if place >= len(text):
            raise _wrong(text, place, "expected a value, found the end")
        if text[place] == '"':
            raise _wrong(text, place, "the string has no end")
        raise _wrong(text, place, "expected a value")
    kind, end = found.lastgroup, found.end()
    assert kind is not None
    word = found[kind]
    if kind == "str":
        return limits.string(_ESCAPE.sub(r"\1", word)), end
    if kind == "err":
        code = _ERRORS.get(fold(word))
        if code is None:
            raise _wrong(
                text,
                place,
                f"{shortened(word)} is no value. A string needs quotes of its own, "
                f"""inside those of the shell: '"{shortened(word)}"'""",
            )
        return code, end
    if kind == "float":
        return limits.floating(float(word)), end
    if len(word) > _MAX_DIGITS:
        raise _wrong(text, place, f"no INT has {len(word)} digits")
    number = limits.integer(int(word))
    return (Obj(number) if kind == "obj" else number), end


def _wrong(text: str, place: int, message: str) -> UnusableValueError:
    return UnusableValueError(
        f"not a literal: {shortened(text)}: character {place + 1}: {message}"
    )
