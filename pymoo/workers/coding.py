"""MOO values as JSON: what the server and its workers send to each other.

Their form is that of `values_json`.  What workers send is looked at more closely than
what comes from people who know the world.

Nothing else is accepted, from either side: neither can be made to run anything.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from pymoo.values import ErrorCode, Obj, Value
from pymoo.values_json import error_form, is_too_deep, value_of
from pymoo.values_limits import UnusableValueError, ValueLimits

MAX_DEPTH: Final = 100
"""How deep lists may nest in what is sent."""

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
        text = data.decode("utf-8")
        is_nested = is_too_deep(text)
        message = None if is_nested else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CodingError(f"not JSON: {error}") from error
    if is_nested:
        raise CodingError("nested deeper than anything that is sent")
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
            return {"err": error_form(value)}
        if value is None:
            return 0
        if kind is bool:
            return int(value)  # type: ignore[call-overload]
        raise CodingError(f"a {kind.__name__} is no MOO value")


class _Limits(ValueLimits):
    """What a value must be like that Python code has made."""

    def string(self, text: str) -> str:
        control = _CONTROL.search(text)
        if control is not None:
            raise UnusableValueError(
                f"a string with the character {ord(control[0])}, which no MOO string "
                "can hold (lines of text are a list of strings)"
            )
        return super().string(text)

    def error(self, number: int) -> ErrorCode:
        # A database may hold any, and what it sends must come back.
        return ErrorCode(self.integer(number))


class Reader:
    """Makes values of JSON, for a database of one width and encoding."""

    def __init__(self, *, width: int = 64, encoding: str | None = None) -> None:
        """``width`` is that of an INT; without ``encoding``, any character is fine."""
        self._encoding: Final = encoding
        self._limits: Final = _Limits(width, encoding)

    def value(self, data: Any) -> Value:
        """Return the value that ``data`` stands for.  Raises: CodingError."""
        try:
            return value_of(data, self._limits, max_depth=MAX_DEPTH)
        except UnusableValueError as error:
            raise CodingError(str(error)) from error

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
