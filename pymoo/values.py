"""MOO values: their types, truth, steps and text.

=======  ============  =======================================================
type     Python        notes
=======  ============  =======================================================
INT      ``int``       32 or 64 bits by the database; arithmetic is in `interp.ops`
FLOAT    ``float``     IEEE double
STR      ``str``       one character per byte, unless the database is UTF-8
LIST     ``tuple``     immutable, so sharing is free
OBJ      `Obj`         an object number; ``type(x) is int`` still tells an INT
ERR      `ErrorCode`   one instance per number, so ``is`` compares
=======  ============  =======================================================

Python's ``==`` is not MOO's (``5 == 5.0 == Obj(5)``): compare with `equal` of
`pymoo.values_equality`, and never key a dict, set or cache by a value without its
type.  Python's truth, on the other hand, is MOO's, because `Obj` and `ErrorCode` are
always false.

Lists can be nested 100,000 deep and shared so that they expand without bound.
Functions over lists therefore do not recurse, and report their steps to a
`Meter` so that a task's time limit can stop them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final, Protocol, TypeAlias, final

__all__ = [
    "AMBIGUOUS_MATCH",
    "E_ARGS",
    "E_DIV",
    "E_FLOAT",
    "E_INVARG",
    "E_INVIND",
    "E_MAXREC",
    "E_NACC",
    "E_NONE",
    "E_PERM",
    "E_PROPNF",
    "E_QUOTA",
    "E_RANGE",
    "E_RECMOVE",
    "E_TYPE",
    "E_VARNF",
    "E_VERBNF",
    "FAILED_MATCH",
    "NOTHING",
    "SHORT",
    "STEPS_PER_REPORT",
    "SYSTEM_OBJECT",
    "ErrorCode",
    "Meter",
    "Obj",
    "Value",
    "float_text",
    "fold",
    "literal",
    "string_literal",
    "tostr",
    "type_code",
]


@final
class Obj(int):
    """An object number, as in ``#12``.  Always false, as in MOO."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"#{int(self)}"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)


NOTHING: Final = Obj(-1)
AMBIGUOUS_MATCH: Final = Obj(-2)
FAILED_MATCH: Final = Obj(-3)
SYSTEM_OBJECT: Final = Obj(0)


@final
class ErrorCode:
    """An error value such as E_PERM.  One instance per number; always false.

    A database may hold numbers that no error has; they print as ``E_?`` and are
    kept as they are.
    """

    __slots__ = ("message", "name", "number")

    number: int
    name: str
    message: str
    _known: ClassVar[dict[int, ErrorCode]] = {}

    def __new__(cls, number: int) -> ErrorCode:
        known = cls._known.get(number)
        if known is None:
            known = cls._make(number, "E_?", "Unknown Error")
        return known

    @classmethod
    def _make(cls, number: int, name: str, message: str) -> ErrorCode:
        code = object.__new__(cls)
        code.number, code.name, code.message = number, name, message
        cls._known[number] = code
        return code

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[type[ErrorCode], tuple[int]]:
        return ErrorCode, (self.number,)


# Names and messages are the C server's, letter for letter (unparse.c); the
# numbers are those of the textdump (structures.h).
_define = ErrorCode._make
E_NONE: Final = _define(0, "E_NONE", "No error")
E_TYPE: Final = _define(1, "E_TYPE", "Type mismatch")
E_DIV: Final = _define(2, "E_DIV", "Division by zero")
E_PERM: Final = _define(3, "E_PERM", "Permission denied")
E_PROPNF: Final = _define(4, "E_PROPNF", "Property not found")
E_VERBNF: Final = _define(5, "E_VERBNF", "Verb not found")
E_VARNF: Final = _define(6, "E_VARNF", "Variable not found")
E_INVIND: Final = _define(7, "E_INVIND", "Invalid indirection")
E_RECMOVE: Final = _define(8, "E_RECMOVE", "Recursive move")
E_MAXREC: Final = _define(9, "E_MAXREC", "Too many verb calls")
E_RANGE: Final = _define(10, "E_RANGE", "Range error")
E_ARGS: Final = _define(11, "E_ARGS", "Incorrect number of arguments")
E_NACC: Final = _define(12, "E_NACC", "Move refused by destination")
E_INVARG: Final = _define(13, "E_INVARG", "Invalid argument")
E_QUOTA: Final = _define(14, "E_QUOTA", "Resource limit exceeded")
E_FLOAT: Final = _define(15, "E_FLOAT", "Floating-point arithmetic error")

ERROR_CODES: Final = tuple(ErrorCode(number) for number in range(16))

Value: TypeAlias = int | float | str | Obj | ErrorCode | tuple["Value", ...]
List: TypeAlias = tuple[Value, ...]

# What typeof() gives and what a textdump holds (structures.h).
TYPE_INT: Final = 0
TYPE_OBJ: Final = 1
TYPE_STR: Final = 2
TYPE_ERR: Final = 3
TYPE_LIST: Final = 4
TYPE_FLOAT: Final = 9

_TYPE_CODES: Final[dict[type, int]] = {
    int: TYPE_INT,
    Obj: TYPE_OBJ,
    str: TYPE_STR,
    ErrorCode: TYPE_ERR,
    tuple: TYPE_LIST,
    float: TYPE_FLOAT,
}


def type_code(value: Value) -> int:
    """Return the number that ``typeof(value)`` gives."""
    return _TYPE_CODES[type(value)]


# --- steps ----------------------------------------------------------------

STEPS_PER_REPORT: Final = 4096
"""A tenth of a millisecond to one, whatever is done."""

SHORT: Final = 2_000
"""What has no more elements or characters may be handled without a word to a meter.

That takes some microseconds, and a task looks at the clock after so many ticks anyway.
"""

# How many of what is handled are one step.
COPIED_PER_STEP: Final = 16
"""Elements of lists that are copied."""
CHARACTERS_PER_STEP: Final = 256
"""Characters that are copied, or compared with those of an equal string."""
SCANNED_PER_STEP: Final = 32
"""Characters that are searched, folded, hashed or converted."""

PIECE: Final = 65_536
"""Longer strings are scanned in pieces of so many characters."""


class Meter(Protocol):
    """Told how much was done, every `STEPS_PER_REPORT` steps or so.

    A task's meter looks at the clock and raises TaskAborted when time is up.  So it is
    told before something begins that must be done whole.
    """

    def spend(self, steps: int) -> None: ...


class _Unmetered:
    def spend(self, steps: int) -> None:
        pass


UNMETERED: Final[Meter] = _Unmetered()


# --- strings --------------------------------------------------------------


def fold(text: str) -> str:
    """Return ``text`` with A-Z as a-z: strings that MOO holds equal fold alike.

    Only these, whatever the bytes above 127 mean (utils.c, cmap): as bytes fold.
    """
    if text.isascii():
        return text.lower()
    return (
        text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")
    )


def folded(text: str, meter: Meter) -> str:
    """As `fold`, for texts that may be huge."""
    if len(text) <= SHORT:
        return fold(text)
    return "".join([fold(piece) for piece in pieces(text, meter)])


def pieces(text: str, meter: Meter) -> Iterator[str]:
    """Yield a text piece by piece; ``meter`` is told of each, to be scanned."""
    for start in range(0, len(text), PIECE):
        piece = text[start : start + PIECE]
        meter.spend(len(piece) // SCANNED_PER_STEP)
        yield piece


# --- text -----------------------------------------------------------------


def float_text(number: float) -> str:
    """Return a float as ``tostr()`` and the literals show it: 15 digits.

    There is always a ``.`` or an exponent: ``3.0``, ``1e+15``.

    Source: streams.c, the ``g`` format of stream_printf.
    """
    text = f"{number:.15g}"
    if "." not in text and "e" not in text:
        text += ".0"
    return text


def string_literal(text: str) -> str:
    """Return ``text`` between quotes, with a backslash before ``"`` and itself."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if '"' in text:
        text = text.replace('"', '\\"')
    return f'"{text}"'


_SCALAR_TEXT: Final[dict[type, Callable[[Any], str]]] = {
    int: str,
    Obj: repr,
    ErrorCode: repr,
    float: float_text,
    str: string_literal,
}


def literal(value: Value, *, meter: Meter = UNMETERED) -> str:
    """Return the text that, as MOO code, gives ``value``: what ``toliteral()`` says.

    Source: list.c, unparse_value.
    """
    if type(value) is not tuple:
        if type(value) is str and len(value) > SHORT:
            return _long_literal(value, meter)
        return _SCALAR_TEXT[type(value)](value)
    parts = ["{"]
    steps = 0
    open_lists: list[Iterator[Any]] = [iter(value)]
    first = True
    while open_lists:
        for item in open_lists[-1]:
            steps += 1
            if steps == STEPS_PER_REPORT:
                meter.spend(steps)
                steps = 0
            if not first:
                parts.append(", ")
            kind = type(item)
            if kind is tuple:
                parts.append("{")
                open_lists.append(iter(item))
                first = True
                break
            first = False
            if kind is str and len(item) > SHORT:
                parts.append(_long_literal(item, meter))
            else:
                parts.append(_SCALAR_TEXT[kind](item))
        else:
            parts.append("}")
            open_lists.pop()
            first = False
    meter.spend(steps)
    return "".join(parts)


def _long_literal(text: str, meter: Meter) -> str:
    """Return the literal of a long string; two characters are a step, as in lists."""
    parts = ['"']
    for start in range(0, len(text), PIECE):
        piece = text[start : start + PIECE]
        meter.spend(len(piece) // 2)
        parts.append(string_literal(piece)[1:-1])
    parts.append('"')
    return "".join(parts)


def tostr(value: Value) -> str:
    """Return one value as ``tostr()`` shows it; every list is ``{list}``.

    Source: list.c, stream_add_tostr.
    """
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]
    if kind is ErrorCode:
        return value.message  # type: ignore[union-attr]
    if kind is tuple:
        return "{list}"
    return _SCALAR_TEXT[kind](value)
