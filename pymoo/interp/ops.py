"""What every operator, index and range means.

Both tiers call these functions and nothing else, so that an operator means the
same whichever runs it.  Operators that the width of an INT or a size limit
decides, or that may take long, are methods of `Operators`, of which a world has one;
the others are plain functions.  All of them raise `MooError`, or `TaskAborted` where a
result is too big and the database does not want to catch that.

Ticks are counted by the tiers, before the operation.
"""

from __future__ import annotations

import math
import sys
from typing import Any, Final, NoReturn

from attrs import define

from pymoo.errors import AbortReason, MooError, TaskAborted
from pymoo.options import DEFAULT_MAX_LIST_CONCAT, DEFAULT_MAX_STRING_CONCAT
from pymoo.values import (
    CHARACTERS_PER_STEP,
    COPIED_PER_STEP,
    E_DIV,
    E_FLOAT,
    E_INVARG,
    E_QUOTA,
    E_RANGE,
    E_TYPE,
    SHORT,
    UNMETERED,
    ErrorCode,
    Meter,
    Obj,
    Value,
    folded,
)
from pymoo.values_equality import equal, is_member, is_quick_search, place_of_text


@define
class SizeLimits:
    """How long strings and lists may become; set by `load_server_options()`."""

    max_string: int = DEFAULT_MAX_STRING_CONCAT
    max_list: int = DEFAULT_MAX_LIST_CONCAT
    catchable: bool = False

    def exceeded(self) -> NoReturn:
        """End the task as if out of seconds, or raise E_QUOTA if that is wished.

        Source: list.c, make_space_pack; execute.c, PUSH_ERROR_UNLESS_QUOTA.
        """
        if self.catchable:
            raise MooError(E_QUOTA)
        raise TaskAborted(AbortReason.SECONDS)


def _finite(number: float) -> float:
    if number - number != 0.0:  # an infinity or a NaN
        raise MooError(E_FLOAT)
    return number


class Operators:
    """The operators of one world, which fixes the width of its integers."""

    __slots__ = ("limits", "max_int", "meter", "min_int", "width", "wrap_mask")

    def __init__(
        self,
        width: int = 32,
        limits: SizeLimits | None = None,
        meter: Meter = UNMETERED,
    ) -> None:
        """``width`` is 32 or 64 bits; ``meter`` is told of what takes long."""
        self.width: Final = width
        self.min_int: Final = -(1 << width - 1)
        self.max_int: Final = (1 << width - 1) - 1
        self.wrap_mask: Final = (1 << width) - 1
        self.limits: Final = limits or SizeLimits()
        self.meter = meter

    # --- arithmetic -------------------------------------------------------

    def wrap(self, number: int) -> int:
        """Return ``number`` as an INT: overflow wraps round, silently."""
        if self.min_int <= number <= self.max_int:
            return number
        return ((number - self.min_int) & self.wrap_mask) + self.min_int

    def add(self, left: Any, right: Any) -> Value:
        """Return ``left + right``: two numbers of one type, or two strings.

        Raises: E_TYPE; E_FLOAT; E_QUOTA or an abort beyond max_string_concat.
        Source: execute.c, OP_ADD.
        """
        kind = type(left)
        if kind is type(right):
            if kind is int:
                return self.wrap(left + right)
            if kind is str:
                length = len(left) + len(right)
                if length > self.limits.max_string:
                    self.limits.exceeded()
                if length > SHORT:
                    self.meter.spend(length // CHARACTERS_PER_STEP)
                text: str = left + right
                return text
            if kind is float:
                return _finite(left + right)
        raise MooError(E_TYPE)

    def subtract(self, left: Any, right: Any) -> Value:
        """Return ``left - right``.  Raises: E_TYPE, E_FLOAT."""
        kind = type(left)
        if kind is type(right):
            if kind is int:
                return self.wrap(left - right)
            if kind is float:
                return _finite(left - right)
        raise MooError(E_TYPE)

    def multiply(self, left: Any, right: Any) -> Value:
        """Return ``left * right``.  Raises: E_TYPE, E_FLOAT."""
        kind = type(left)
        if kind is type(right):
            if kind is int:
                return self.wrap(left * right)
            if kind is float:
                return _finite(left * right)
        raise MooError(E_TYPE)

    def divide(self, left: Any, right: Any) -> Value:
        """Return ``left / right``.

        Integers truncate toward zero: ``-7 / 3`` is ``-2``, where Python's ``//``
        gives ``-3``.  The least INT divided by -1 wraps to itself; the C server
        dies of it.

        Raises: E_TYPE for mixed or non-numeric operands, E_DIV for a zero divisor,
            E_FLOAT for a result that is not finite.
        Source: numbers.c, DIVISION_OP.
        """
        kind = type(left)
        if kind is type(right):
            if kind is int:
                if right == 0:
                    raise MooError(E_DIV)
                quotient: int = abs(left) // abs(right)
                if (left < 0) != (right < 0):
                    quotient = -quotient
                return self.wrap(quotient)
            if kind is float:
                if right == 0.0:
                    raise MooError(E_DIV)
                return _finite(left / right)
        raise MooError(E_TYPE)

    def modulus(self, left: Any, right: Any) -> Value:
        """Return ``left % right``, with the sign of ``left``: ``-7 % 2`` is ``-1``.

        Raises: E_TYPE, E_DIV, E_FLOAT.
        Source: numbers.c, DIVISION_OP.
        """
        kind = type(left)
        if kind is type(right):
            if kind is int:
                if right == 0:
                    raise MooError(E_DIV)
                remainder: int = abs(left) % abs(right)
                return -remainder if left < 0 else remainder
            if kind is float:
                if right == 0.0:
                    raise MooError(E_DIV)
                if left - left != 0.0:  # fmod(inf, x) is a NaN
                    raise MooError(E_FLOAT)
                return _finite(math.fmod(left, right))
        raise MooError(E_TYPE)

    def power(self, left: Any, right: Any) -> Value:
        """Return ``left ^ right``: INT ^ INT, FLOAT ^ INT or FLOAT ^ FLOAT.

        A negative exponent of an INT gives 0 but for the bases 1, -1 and 0.

        Raises: E_TYPE; E_DIV for ``0 ^ -1``; E_FLOAT where C's pow() reports a
            domain, range or underflow error.
        Source: numbers.c, do_power.
        """
        kind = type(left)
        if kind is int:
            if type(right) is not int:
                raise MooError(E_TYPE)
            if right >= 0:
                return self.wrap(pow(left, right, 1 << self.width))
            if left == 0:
                raise MooError(E_DIV)
            if left == 1:
                return 1
            if left == -1:
                return 1 if right % 2 == 0 else -1
            return 0
        if kind is not float or type(right) not in (int, float):
            raise MooError(E_TYPE)
        try:
            result = _finite(math.pow(left, right))
        except (ValueError, OverflowError):
            raise MooError(E_FLOAT) from None
        if result == 0.0 and left != 0.0:
            # C's pow() reports the underflow, Python's keeps it to itself.
            raise MooError(E_FLOAT)
        return result

    def negate(self, operand: Any) -> Value:
        """Return ``-operand``.  Raises: E_TYPE."""
        kind = type(operand)
        if kind is int:
            return self.wrap(-operand)
        if kind is float:
            return -float(operand)
        raise MooError(E_TYPE)

    # --- comparison -------------------------------------------------------

    def equal(self, left: Value, right: Value) -> Value:
        """Return 1 for ``left == right``, else 0."""
        return 1 if equal(left, right, meter=self.meter) else 0

    def not_equal(self, left: Value, right: Value) -> Value:
        """Return 1 for ``left != right``, else 0."""
        return 0 if equal(left, right, meter=self.meter) else 1

    def is_in(self, value: Any, items: Value) -> Value:
        """Return the position of ``value`` in the list ``items``, or 0.

        Raises: E_TYPE if ``items`` is no list.
        """
        if type(items) is not tuple:
            raise MooError(E_TYPE)
        kind = type(value)
        if kind is str:
            if is_quick_search(value, items):
                return place_of_text(value, items)
        elif kind is Obj:
            if len(items) <= SHORT:
                if value not in items:
                    return 0
                position = items.index(value)
                if type(items[position]) is Obj:  # and no number that is equal
                    return position + 1
        return is_member(value, items, meter=self.meter)

    # --- lists ------------------------------------------------------------

    def append(self, items: Any, value: Value) -> tuple[Value, ...]:
        """Return the list under construction with ``value`` behind it.

        Raises: E_TYPE; E_QUOTA or an abort beyond max_list_concat.
        Source: execute.c, OP_LIST_ADD_TAIL.
        """
        if type(items) is not tuple:
            raise MooError(E_TYPE)
        if len(items) >= self.limits.max_list:
            self.limits.exceeded()
        self.copied(items)
        return (*items, value)

    def extend(self, items: Any, tail: Any) -> tuple[Value, ...]:
        """Return the list under construction with the spliced ``tail`` behind it.

        Raises: E_TYPE; E_QUOTA or an abort beyond max_list_concat.
        Source: execute.c, OP_LIST_APPEND.
        """
        if type(tail) is not tuple or type(items) is not tuple:
            raise MooError(E_TYPE)
        if len(items) + len(tail) > self.limits.max_list:
            self.limits.exceeded()
        self.copied(items)
        self.copied(tail)
        return items + tail

    def copied(self, value: Any) -> None:
        """Count what it takes to make a list or string, or another one like it."""
        length = len(value)
        if length > SHORT:
            per_step = COPIED_PER_STEP if type(value) is tuple else CHARACTERS_PER_STEP
            self.meter.spend(length // per_step)

    def check_length(self, items: tuple[Value, ...]) -> None:
        """Make sure that a list just made may be as long as it is.

        Raises: E_QUOTA or an abort beyond max_list_concat.
        """
        self.copied(items)
        if len(items) > self.limits.max_list:
            self.limits.exceeded()

    def range_set(self, base: Any, start: Any, end: Any, value: Any) -> Value:
        """Return ``base`` with ``base[start..end]`` replaced by ``value``.

        ``start`` may be one behind the end and ``end`` may be 0; they need no
        order: with ``x = "abcdef"``, ``x[5..1] = "!"`` gives ``"abcd!bcdef"``.

        Raises: E_TYPE, E_RANGE; E_QUOTA or an abort beyond the size limits.
        Source: execute.c, EOP_RANGESET.
        """
        kind = type(base)
        if (
            type(end) is not int
            or type(start) is not int
            or (kind is not tuple and kind is not str)
            or type(value) is not kind
        ):
            raise MooError(E_TYPE)
        length = len(base)
        if start > length + 1 or end < 0:
            raise MooError(E_RANGE)
        left = base[: start - 1] if start > 1 else base[:0]
        right = base[end:]
        limit = self.limits.max_list if kind is tuple else self.limits.max_string
        if len(left) + len(value) + len(right) > limit:
            self.limits.exceeded()
        result: Any = left + value + right
        self.copied(result)
        return result  # type: ignore[no-any-return]

    def index_set(self, base: Any, position: Any, value: Any) -> Value:
        """Return ``base`` with ``value`` at ``position``.

        Raises: E_TYPE, E_RANGE; E_INVARG if ``value`` is to go into a string and is
            not one character long.
        Source: execute.c, OP_INDEXSET.
        """
        kind = type(base)
        if (
            (kind is not tuple and kind is not str)
            or type(position) is not int
            or (kind is str and type(value) is not str)
        ):
            raise MooError(E_TYPE)
        length = len(base)
        if position < 1 or position > length:
            raise MooError(E_RANGE)
        if kind is tuple:
            if length > SHORT:
                self.meter.spend(length // COPIED_PER_STEP)
            return with_element(base, position - 1, value)
        if len(value) != 1:
            raise MooError(E_INVARG)
        self.copied(base)
        text: str = base[: position - 1] + value + base[position:]
        return text

    def range_of(self, base: Any, start: Any, end: Any) -> Value:
        """Return ``base[start..end]`` of a list or string.

        Empty whenever ``start > end``; otherwise both must lie inside.

        Raises: E_TYPE, E_RANGE.
        Source: execute.c, OP_RANGE_REF.
        """
        kind = type(base)
        if (
            (kind is not tuple and kind is not str)
            or type(end) is not int
            or type(start) is not int
        ):
            raise MooError(E_TYPE)
        if start > end:
            return "" if kind is str else ()
        if start < 1 or end > len(base):
            raise MooError(E_RANGE)
        part: Any = base[start - 1 : end]
        if end - start > SHORT:
            self.copied(part)
        return part  # type: ignore[no-any-return]

    # --- comparison of order ----------------------------------------------

    def _order(self, left: Any, right: Any) -> tuple[Any, Any]:
        """Return what to compare for ``<``: strings folded, errors by number.

        Raises: E_TYPE for different types and for lists.
        """
        kind = type(left)
        if kind is not type(right) or kind is tuple:
            raise MooError(E_TYPE)
        if kind is str:
            if left.isascii() and right.isascii():
                if len(left) <= SHORT and len(right) <= SHORT:
                    return left.lower(), right.lower()
                return folded(left, self.meter), folded(right, self.meter)
            return _text_ranks(folded(left, self.meter), folded(right, self.meter))
        if kind is ErrorCode:
            return left.number, right.number
        return left, right

    def less(self, left: Any, right: Any) -> Value:
        """Return 1 for ``left < right``, else 0.  Raises: E_TYPE.

        Source: execute.c, OP_LT.
        """
        left, right = self._order(left, right)
        return 1 if left < right else 0

    def less_equal(self, left: Any, right: Any) -> Value:
        """Return 1 for ``left <= right``, else 0.  Raises: E_TYPE."""
        left, right = self._order(left, right)
        return 1 if left <= right else 0

    def greater(self, left: Any, right: Any) -> Value:
        """Return 1 for ``left > right``, else 0.  Raises: E_TYPE."""
        left, right = self._order(left, right)
        # Put so that a NaN is greater than anything, as in numbers.c.
        return 0 if left <= right else 1

    def greater_equal(self, left: Any, right: Any) -> Value:
        """Return 1 for ``left >= right``, else 0.  Raises: E_TYPE."""
        left, right = self._order(left, right)
        return 0 if left < right else 1


# --- comparison of order --------------------------------------------------


def _text_ranks(left: str, right: str) -> tuple[int, int]:
    """Return the ranks of what two folded strings first differ in.

    What is not ASCII comes before all of ASCII and even before the end of a string,
    so that ``"caf\xe9" < "caf"``: the C server's characters have a sign.

    Source: utils.c, mystrcasecmp.
    """
    same, most = 0, min(len(left), len(right))
    while same < most:
        middle = (same + most + 1) // 2
        if left[same:middle] == right[same:middle]:
            same = middle
        else:
            most = middle - 1
    return _rank(left, same), _rank(right, same)


def _rank(text: str, position: int) -> int:
    if position == len(text):
        return 0
    code = ord(text[position])
    return code if code < 128 else code - (sys.maxunicode + 1)


# --- indexing -------------------------------------------------------------


def index(base: Any, position: Any) -> Value:
    """Return ``base[position]`` of a list or string.

    Raises: E_TYPE, E_RANGE.
    Source: execute.c, OP_REF.
    """
    kind = type(base)
    if type(position) is not int or (kind is not tuple and kind is not str):
        raise MooError(E_TYPE)
    if position < 1 or position > len(base):
        raise MooError(E_RANGE)
    item: Value = base[position - 1]
    return item


def index_of_list(base: Any, position: Any) -> Value:
    """Return ``base[position]`` on the way down to ``base[position][...] = value``.

    Raises: E_TYPE (also for a string), E_RANGE.
    Source: execute.c, OP_PUSH_REF.
    """
    if type(base) is not tuple:
        raise MooError(E_TYPE)
    return index(base, position)


def _with_element_by_slices(
    items: tuple[Value, ...], index: int, value: Value
) -> tuple[Value, ...]:
    return items[:index] + (value,) + items[index + 1 :]  # noqa: RUF005 (faster)


def _with_element_by_list(
    items: tuple[Value, ...], index: int, value: Value
) -> tuple[Value, ...]:
    changed = list(items)
    changed[index] = value
    return tuple(changed)


# Each is the fastest way in its Python: on PyPy by a factor of ten.
with_element: Final = (
    _with_element_by_slices
    if sys.implementation.name == "pypy"
    else _with_element_by_list
)


def length_of(base: Any) -> Value:
    """Return what ``$`` is in the index of ``base``.  Raises: E_TYPE.

    Source: execute.c, EOP_LENGTH.
    """
    kind = type(base)
    if kind is not tuple and kind is not str:
        raise MooError(E_TYPE)
    return len(base)


def logical_not(operand: Value) -> Value:
    """Return ``!operand``."""
    return 0 if operand else 1
