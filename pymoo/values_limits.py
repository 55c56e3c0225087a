"""What a value from outside must be like, so that a world can hold it.

Values that MOO programs make are right by the way in which they are made.  What comes
from another program, as JSON, as a literal or as Python data, is looked at here before
it gets in: a string with a line feed in it, say, would break the database file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any, Final

from attrs import frozen

from pymoo.errors import PymooError
from pymoo.values import ErrorCode, Obj, Value

SHOWN: Final = 40
"""How much of a text that is wrong a message shows."""

_LINE_ENDS: Final = re.compile("[\n\r\0]")


class UnusableValueError(PymooError):
    """Something from outside is no value that the world could hold."""


@frozen
class ValueLimits:
    """What the values of one world can be."""

    int_bits: int = 32
    encoding: str | None = "latin-1"  # None: it has all characters

    def integer(self, number: int) -> int:
        """Return ``number``.  Raises: UnusableValueError if no INT is so large."""
        bound = 1 << (self.int_bits - 1)
        if not -bound <= number < bound:
            # Some numbers are too long to be shown.
            shown = number if number.bit_length() < 128 else "a number"
            raise UnusableValueError(
                f"{shown} does not fit into {self.int_bits} bits, which an INT of "
                "this world has: give a FLOAT or a string"
            )
        return number

    def floating(self, number: float) -> float:
        """Return ``number``.  Raises: UnusableValueError if it is not finite."""
        if not isfinite(number):
            raise UnusableValueError(f"{number} is no FLOAT: MOO has only finite ones")
        return number

    def string(self, text: str) -> str:
        """Return ``text``.

        Raises: UnusableValueError for what ends a line, and for characters that the
            world's encoding does not have.
        """
        found = _LINE_ENDS.search(text)
        if found is not None:
            raise UnusableValueError(
                f"character {found.start() + 1} of a string is {found[0]!r}: a string "
                "of MOO is one line. Give a list of lines"
            )
        if self.encoding is not None and not text.isascii():
            try:
                text.encode(self.encoding)
            except UnicodeEncodeError as error:
                character = text[error.start]
                raise UnusableValueError(
                    f"character {error.start + 1} of a string is {character!a}, which "
                    f"this world ({self.encoding}) does not have: leave it out, or "
                    "encode it"
                ) from None
        return text

    def error(self, number: int) -> ErrorCode:
        """Return the ERR of that number.  Raises: UnusableValueError."""
        if not -128 <= number < 128:
            raise UnusableValueError(
                "an ERR without a name has a number from -128 to 127"
            )
        return ErrorCode(number)

    def value(self, data: Any) -> Value:
        """Return Python data as a value; Python lists become LISTs.

        Raises: UnusableValueError.
        """
        return built(data, self._atom)

    def _atom(self, data: Any) -> Value:
        kind = type(data)
        if kind is str:
            return self.string(data)
        if kind is int:
            return self.integer(data)
        if kind is float:
            return self.floating(data)
        if kind is Obj:
            return Obj(self.integer(int(data)))
        if kind is ErrorCode:
            error: ErrorCode = data
            return error
        raise UnusableValueError(
            f"{kind.__name__} is no type of MOO: a value is an int, float, str, "
            "Obj, ErrorCode, or a tuple of such"
        )


def built(
    data: Any, atom: Callable[[Any], Value], max_depth: int | None = None
) -> Value:
    """Return ``data`` with its lists as tuples, and ``atom`` of all that is no list.

    However deep they are nested, but for ``max_depth``.
    Raises: UnusableValueError if they are nested deeper than that.
    """
    if type(data) is not list and type(data) is not tuple:
        return atom(data)
    open_lists: list[tuple[Iterator[Any], list[Value]]] = [(iter(data), [])]
    while True:
        items, made = open_lists[-1]
        for item in items:
            if type(item) is list or type(item) is tuple:
                if len(open_lists) == max_depth:
                    raise UnusableValueError(f"lists nested more than {max_depth} deep")
                open_lists.append((iter(item), []))
                break
            made.append(atom(item))
        else:
            value = tuple(made)
            open_lists.pop()
            if not open_lists:
                return value
            open_lists[-1][1].append(value)


def shortened(text: str) -> str:
    """Return the beginning of ``text``, as a message shows it."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
