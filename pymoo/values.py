"""MOO values: their types, truth, equality, order and text.

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

Python's ``==`` is not MOO's (``5 == 5.0 == Obj(5)``): compare with `equal`, and
never key a dict, set or cache by a value without its type.  Python's truth, on
the other hand, is MOO's, because `Obj` and `ErrorCode` are always false.

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
    "STEPS_PER_REPORT",
    "SYSTEM_OBJECT",
    "ErrorCode",
    "Meter",
    "Obj",
    "Value",
    "equal",
    "float_text",
    "fold",
    "is_member",
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


class Meter(Protocol):
    """Told how much was done, every `STEPS_PER_REPORT` elements or so.

    A task's meter looks at the clock and raises TaskAborted when time is up.
    """

    def spend(self, steps: int) -> None: ...


class _Unmetered:
    def spend(self, steps: int) -> None:
        pass


UNMETERED: Final[Meter] = _Unmetered()


# --- strings --------------------------------------------------------------

# Only A to Z fold, whatever the bytes above 127 mean (utils.c, cmap).
_ASCII_FOLD: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def fold(text: str) -> str:
    """Return ``text`` with A-Z as a-z: strings that MOO holds equal fold alike."""
    return text.lower() if text.isascii() else text.translate(_ASCII_FOLD)


def same_text(left: str, right: str) -> bool:
    """Whether MOO's ``==`` holds two strings for the same: case is ignored."""
    return left == right or (len(left) == len(right) and fold(left) == fold(right))


# --- equality -------------------------------------------------------------


def equal(
    left: Value, right: Value, *, exact_case: bool = False, meter: Meter = UNMETERED
) -> bool:
    """Return whether two values are equal as MOO's ``==`` has it.

    Values of different types never are.  Strings, also those inside lists,
    compare without regard to case unless ``exact_case`` (``equal()``).

    Source: utils.c, equality.
    """
    kind = type(left)
    if kind is not type(right):
        return False
    if kind is tuple:
        return _equal_lists(left, right, exact_case, meter)  # type: ignore[arg-type]
    if kind is str and not exact_case:
        return same_text(left, right)  # type: ignore[arg-type]
    return left == right


def _equal_lists(left: List, right: List, exact_case: bool, meter: Meter) -> bool:
    if left is right:
        return True
    if len(left) != len(right):
        return False
    pending = [zip(left, right, strict=True)]
    steps = 0
    while pending:
        for a, b in pending[-1]:
            steps += 1
            if steps == STEPS_PER_REPORT:
                meter.spend(steps)
                steps = 0
            kind = type(a)
            if kind is not type(b):
                return False
            if kind is tuple:
                if a is b:
                    continue
                if len(a) != len(b):  # type: ignore[arg-type]
                    return False
                pending.append(zip(a, b, strict=True))  # type: ignore[arg-type]
                break
            if a != b and (
                kind is not str or exact_case or not same_text(a, b)  # type: ignore[arg-type]
            ):
                return False
        else:
            pending.pop()
    meter.spend(steps)
    return True


def is_member(
    value: Value, items: List, *, exact_case: bool = False, meter: Meter = UNMETERED
) -> int:
    """Return the 1-based position of ``value`` in ``items``, or 0: MOO's ``in``.

    Cost: one step per element; INT, OBJ and ERR are searched at Python's speed.

    Source: list.c, ismember.
    """
    kind = type(value)
    if len(items) > STEPS_PER_REPORT:
        meter.spend(len(items))
    if kind is str:
        length = len(value)  # type: ignore[arg-type]
        folded = None
        for position, item in enumerate(items, 1):
            if type(item) is str and len(item) == length:
                if item == value:
                    return position
                if not exact_case:
                    if folded is None:
                        folded = fold(value)  # type: ignore[arg-type]
                    if fold(item) == folded:
                        return position
        return 0
    if kind is tuple or kind is float:
        for position, item in enumerate(items, 1):
            if type(item) is kind and equal(
                value, item, exact_case=exact_case, meter=meter
            ):
                return position
        return 0
    # Python's own search holds 5, 5.0 and #5 for equal, so a hit counts only if
    # its type is the same.
    if value not in items:
        return 0
    start = items.index(value)
    try:
        while type(items[start]) is not kind:
            start = items.index(value, start + 1)
    except ValueError:
        return 0
    return start + 1


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
        return _SCALAR_TEXT[type(value)](value)
    parts = ["{"]
    steps = 0
    open_lists: list[Iterator[Value]] = [iter(value)]
    first = True
    while open_lists:
        for item in open_lists[-1]:
            steps += 1
            if steps == STEPS_PER_REPORT:
                meter.spend(steps)
                steps = 0
            if not first:
                parts.append(", ")
            if type(item) is tuple:
                parts.append("{")
                open_lists.append(iter(item))
                first = True
                break
            first = False
            parts.append(_SCALAR_TEXT[type(item)](item))
        else:
            parts.append("}")
            open_lists.pop()
            first = False
    meter.spend(steps)
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
