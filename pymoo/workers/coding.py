"""MOO values as JSON: what the server and its workers send to each other.

======  =======================================
type    JSON
======  =======================================
INT     a number without point and exponent
FLOAT   a number with one of these
STR     a string
LIST    an array
OBJ     ``{"obj": 2}``
ERR     ``{"err": "E_PERM"}``, or its number if it has no name
======  =======================================

Nothing else is accepted, from either side: neither can be made to run anything.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from pymoo.values import (
    E_ARGS,
    E_DIV,
    E_FLOAT,
    E_INVARG,
    E_INVIND,
    E_MAXREC,
    E_NACC,
    E_NONE,
    E_PERM,
    E_PROPNF,
    E_QUOTA,
    E_RANGE,
    E_RECMOVE,
    E_TYPE,
    E_VARNF,
    E_VERBNF,
    ErrorCode,
    Obj,
    Value,
)

MAX_DEPTH: Final = 100
"""How deep lists may nest in what is sent."""

_ERRORS: Final = {
    error.name: error
    for error in (
        E_NONE,
        E_TYPE,
        E_DIV,
        E_PERM,
        E_PROPNF,
        E_VERBNF,
        E_VARNF,
        E_INVIND,
        E_RECMOVE,
        E_MAXREC,
        E_RANGE,
        E_ARGS,
        E_NACC,
        E_INVARG,
        E_QUOTA,
        E_FLOAT,
    )
}
_CONTROL: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


class CodingError(ValueError):
    """A value cannot be sent, or what was received is none."""


class TooBigError(CodingError):
    """A value is bigger than what may be sent."""


def encoded(message: dict[str, Any], max_bytes: int) -> bytes:
    """Return a message as it is sent.  Raises: TooBigError."""
    # ASCII: whatever the characters, and lone surrogates as well.
    data = json.dumps(message, separators=(",", ":")).encode("ascii")
    if len(data) > max_bytes:
        raise TooBigError(f"{len(data)} bytes, where {max_bytes} are the most")
    return data


def decoded(data: bytes | bytearray) -> dict[str, Any]:
    """Return a message that was received.  Raises: CodingError."""
    try:
        message = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CodingError(f"not JSON: {error}") from error
    if not isinstance(message, dict):
        raise CodingError("not a JSON object")
    return message


def to_json(value: object, max_elements: int) -> Any:
    """Return what stands for a value in JSON.

    Functions in Python may also give a list for a LIST, a bool for an INT, and None
    for 0.  ``max_elements`` stops lists that share their parts so often that they
    would fill the memory.

    Raises: CodingError for what is no MOO value; TooBigError.
    """
    return _Writer(max_elements).write(value, MAX_DEPTH)


class _Writer:
    def __init__(self, max_elements: int) -> None:
        self._left = max_elements

    def write(self, value: object, depth: int) -> Any:
        kind = type(value)
        if kind is str or kind is int:
            return value
        if kind is float:
            if not math.isfinite(value):  # type: ignore[arg-type]
                raise CodingError(f"{value} is no FLOAT")
            return value
        if kind is tuple or kind is list:
            if not depth:
                raise TooBigError(f"lists nested more than {MAX_DEPTH} deep")
            self._left -= len(value)  # type: ignore[arg-type]
            if self._left < 0:
                raise TooBigError("a list of too many elements")
            write = self.write
            return [write(each, depth - 1) for each in value]  # type: ignore[attr-defined]
        if kind is Obj:
            return {"obj": int(value)}  # type: ignore[call-overload]
        if isinstance(value, ErrorCode):
            known = value.name in _ERRORS
            return {"err": value.name if known else value.number}
        if value is None:
            return 0
        if kind is bool:
            return int(value)  # type: ignore[call-overload]
        raise CodingError(f"a {kind.__name__} is no MOO value")


class Reader:
    """Makes values of JSON, for a database of one width and encoding."""

    def __init__(self, *, width: int = 64, encoding: str | None = None) -> None:
        """``width`` is that of an INT; without ``encoding``, any character is fine."""
        self._bits: Final = width
        self._encoding: Final = encoding

    def value(self, data: Any) -> Value:
        """Return the value that ``data`` stands for.  Raises: CodingError."""
        return self._read(data, MAX_DEPTH)

    def message(self, data: Any) -> str:
        """Return a text for people, with ? for what no MOO string can hold.

        Raises: CodingError.
        """
        if type(data) is not str:
            raise CodingError("a message that is no string")
        text = _CONTROL.sub("?", data)
        if self._encoding is None:
            return text
        return text.encode(self._encoding, "replace").decode(self._encoding)

    def _read(self, data: Any, depth: int) -> Value:
        kind = type(data)
        if kind is str:
            return self._string(data)
        if kind is int:
            return self._integer(data)
        if kind is float:
            if not math.isfinite(data):
                raise CodingError(f"{data} is no FLOAT")
            number: float = data
            return number
        if kind is list:
            if not depth:
                raise CodingError(f"lists nested more than {MAX_DEPTH} deep")
            read = self._read
            return tuple([read(each, depth - 1) for each in data])
        if kind is dict and len(data) == 1:
            ((key, given),) = data.items()
            if key == "obj" and type(given) is int:
                return Obj(self._integer(given))
            if key == "err":
                if type(given) is int:
                    return ErrorCode(self._integer(given))
                if type(given) is str and given in _ERRORS:
                    return _ERRORS[given]
        raise CodingError("something that is no MOO value")

    def _integer(self, number: int) -> int:
        if number.bit_length() >= self._bits and number != -(1 << self._bits - 1):
            raise CodingError(f"a number that needs more than {self._bits} bits")
        return number

    def _string(self, text: str) -> str:
        control = _CONTROL.search(text)
        if control is not None:
            raise CodingError(
                f"a string with the character {ord(control[0])}, which no MOO string "
                "can hold (lines of text are a list of strings)"
            )
        if self._encoding is not None and not text.isascii():
            try:
                text.encode(self._encoding)
            except UnicodeEncodeError as error:
                raise CodingError(
                    f"a string with a character that is not in {self._encoding}"
                ) from error
        return text
