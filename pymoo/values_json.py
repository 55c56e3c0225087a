"""Values as JSON, and back.

=======  =========================================================================
INT      a number without point and exponent: ``5``
FLOAT    a number with one: ``5.0``, ``1e+16``.  Readers that do not tell the two
         kinds of numbers apart (JavaScript's) make an INT of ``5.0`` when they send
         it back.
STR      a string.  In a Latin-1 world each character is one byte of the database,
         U+0000 to U+00FF; others are refused.  In a UTF-8 world it is the text.
OBJ      ``{"obj": 2}``
ERR      ``{"err": "E_PERM"}``; an unknown one by its number, ``{"err": 77}``
LIST     an array
=======  =========================================================================

Writing takes any depth.  What is read may be nested `MAX_READ_DEPTH` deep.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from json.encoder import encode_basestring_ascii
from math import isfinite
from typing import Any, Final

from pymoo.values import ERROR_CODES, ErrorCode, Obj, Value
from pymoo.values_limits import UnusableValueError, ValueLimits, built, shortened

PORTION: Final = 4096
"""How many elements of lists are written at a time."""

MAX_READ_DEPTH: Final = 2_000
"""How deep what is read may be nested.

Python's own reader recurses.  PyPy's does so on the stack of its thread, whose end it
does not see when the limit of recursion is meant for threads with larger ones.
"""

# A string without end reaches to the end of the text.  Thus there is a token at each
# quote, nothing is ever tried again, and the search takes time by length alone.
_NESTING: Final = re.compile(r""""[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]""", re.DOTALL)

_BY_NAME: Final = {code.name: code for code in ERROR_CODES}


# --- writing ----------------------------------------------------------------------


def _float_json(number: float) -> str:
    if not isfinite(number):
        raise UnusableValueError(
            f"{number} has no form in JSON; only a damaged database can hold it"
        )
    return repr(number)


def error_form(code: ErrorCode) -> str | int:
    """Return what stands for an ERR in JSON: its name, or its number without one."""
    return code.name if code.name in _BY_NAME else code.number


def _error_json(code: ErrorCode) -> str:
    return f'{{"err": {json.dumps(error_form(code))}}}'


_ATOM_JSON: Final[dict[type, Callable[[Any], str]]] = {
    int: str,
    float: _float_json,
    str: encode_basestring_ascii,
    Obj: lambda objid: f'{{"obj": {int(objid)}}}',
    ErrorCode: _error_json,
}


def to_json(value: Value) -> str:
    """Return a value as JSON, in ASCII.

    Raises: UnusableValueError for a FLOAT that is not finite.
    """
    return "".join(json_portions(value))


def json_portions(value: Value) -> Iterator[str]:
    """Yield a value as JSON, `PORTION` elements at a time.

    Lists that share their parts can become longer than any memory: whoever does not
    know the value looks at how much has come.

    Raises: UnusableValueError for a FLOAT that is not finite.
    """
    if type(value) is not tuple:
        yield _ATOM_JSON[type(value)](value)
        return
    parts = ["["]
    open_lists: list[Iterator[Value]] = [iter(value)]
    is_first = True
    while open_lists:
        for item in open_lists[-1]:
            if not is_first:
                parts.append(", ")
            if type(item) is tuple:
                parts.append("[")
                open_lists.append(iter(item))
                is_first = True
                break
            is_first = False
            parts.append(_ATOM_JSON[type(item)](item))
            if len(parts) >= PORTION:
                yield "".join(parts)
                parts.clear()
        else:
            parts.append("]")
            open_lists.pop()
            is_first = False
        if len(parts) >= PORTION:
            yield "".join(parts)
            parts.clear()
    yield "".join(parts)


# --- reading ----------------------------------------------------------------------


def _no_constant(name: str) -> None:
    raise UnusableValueError(f"{name} is no number of JSON")


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnusableValueError("an object has two values for one name")
    return found


def is_too_deep(text: str) -> bool:
    """Whether JSON is nested deeper than may be read; what is none may be so."""
    if text.count("[") + text.count("{") <= MAX_READ_DEPTH:
        return False
    depth = 0
    for token in _NESTING.finditer(text):
        first = token[0][0]
        if first in "[{":
            depth += 1
            if depth > MAX_READ_DEPTH:
                return True
        elif first in "]}":
            depth -= 1
    return False


def read_json(text: str | bytes) -> Any:
    """Return what Python makes of JSON.

    Raises: UnusableValueError if it is none, or is nested too deep.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        if is_too_deep(text):
            raise RecursionError
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_single)
    except RecursionError:
        raise UnusableValueError(
            f"lists are nested more than {MAX_READ_DEPTH} deep: put less of them "
            "inside one another"
        ) from None
    except json.JSONDecodeError as error:
        raise UnusableValueError(
            f"not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except ValueError as error:  # not UTF-8; a number of many thousand digits
        raise UnusableValueError(f"not JSON: {error}") from None


def from_json(text: str | bytes, limits: ValueLimits | None = None) -> Value:
    """Return the value that JSON stands for.

    Raises: UnusableValueError for what is no JSON, or no value.
    """
    return value_of(read_json(text), ValueLimits() if limits is None else limits)


def value_of(data: Any, limits: ValueLimits, *, max_depth: int | None = None) -> Value:
    """Return the value that the result of `read_json` stands for.

    ``max_depth`` is how deep lists may nest.

    Raises: UnusableValueError.
    """

    def atom(data: Any) -> Value:
        kind = type(data)
        if kind is str:
            return limits.string(data)
        if kind is int:
            return limits.integer(data)
        if kind is float:
            return limits.floating(data)
        if kind is dict and len(data) == 1:
            [(name, what)] = data.items()
            if name == "obj" and type(what) is int:
                return Obj(limits.integer(what))
            if name == "err" and type(what) is str and what in _BY_NAME:
                return _BY_NAME[what]
            if name == "err" and type(what) is int:
                return limits.error(what)
        raise UnusableValueError(
            f"{shortened(_shown(data))} is no value: there are numbers, strings, "
            'arrays, {"obj": 2} and {"err": "E_PERM"}'
        )

    return built(data, atom, max_depth)


def _shown(data: Any) -> str:
    # Its parts may be nested deeper than Python can write.
    if type(data) is not dict:
        return json.dumps(data)
    return "{" + ", ".join(json.dumps(name) for name in [*data][:3]) + ": ...}"
