"""Built-in functions on lists, and on lists and strings alike."""

from __future__ import annotations

from pymoo.builtins.registry import ANY, INT, LIST, builtin
from pymoo.errors import MooError
from pymoo.interp.ops import with_element
from pymoo.interp.vm import Call
from pymoo.values import (
    COPIED_PER_STEP,
    E_RANGE,
    E_TYPE,
    SHORT,
    List,
    Meter,
    Value,
)
from pymoo.values_equality import equal, is_member


@builtin("length", [ANY], pure=True, source="list.c, bf_length")
def bf_length(value: Value) -> Value:
    """Return the number of elements of a list or characters of a string.

    Raises: E_TYPE for anything else.
    """
    if type(value) is tuple or type(value) is str:
        return len(value)
    raise MooError(E_TYPE)


@builtin("setadd", [LIST, ANY], source="list.c, bf_setadd")
def bf_setadd(call: Call, items: List, value: Value) -> Value:
    """Return ``items`` with ``value`` at the end, unless it is in it already."""
    if is_member(value, items, meter=call.vm):
        return items
    limits = call.vm.ops.limits
    if len(items) >= limits.max_list:
        limits.exceeded()
    call.vm.copied(len(items))
    return (*items, value)


@builtin("setremove", [LIST, ANY], source="list.c, bf_setremove")
def bf_setremove(call: Call, items: List, value: Value) -> Value:
    """Return ``items`` without the first element equal to ``value``."""
    position = is_member(value, items, meter=call.vm)
    if not position:
        return items
    call.vm.copied(len(items))
    return items[: position - 1] + items[position:]


@builtin("listappend", [LIST, ANY, INT], least=2, source="list.c, bf_listappend")
def bf_listappend(
    call: Call, items: List, value: Value, index: int | None = None
) -> Value:
    """Return ``items`` with ``value`` behind the element ``index`` (or the last).

    An index outside is taken for the nearest end.  As the C server adds 1 to it,
    that of the greatest INT is the first.
    """
    if index is None:
        return _insert(call, items, value, len(items))
    return _insert(call, items, value, call.vm.ops.wrap(index + 1) - 1)


@builtin("listinsert", [LIST, ANY, INT], least=2, source="list.c, bf_listinsert")
def bf_listinsert(call: Call, items: List, value: Value, index: int = 1) -> Value:
    """Return ``items`` with ``value`` before the element ``index`` (or the first).

    An index outside is taken for the nearest end.
    """
    return _insert(call, items, value, index - 1)


def _insert(call: Call, items: List, value: Value, before: int) -> Value:
    """Return ``items`` with ``value`` behind the first ``before`` elements."""
    limits = call.vm.ops.limits
    length = len(items)
    if length >= limits.max_list:
        limits.exceeded()
    if length > SHORT:
        call.vm.copied(length)
    before = max(0, min(before, length))
    return items[:before] + (value,) + items[before:]  # noqa: RUF005 (faster)


@builtin("listdelete", [LIST, INT], metered=True, source="list.c, bf_listdelete")
def bf_listdelete(meter: Meter, items: List, index: int) -> Value:
    """Return ``items`` without the element ``index``.  Raises: E_RANGE."""
    length = len(items)
    if index < 1 or index > length:
        raise MooError(E_RANGE)
    if length > SHORT:
        meter.spend(length // COPIED_PER_STEP)
    return items[: index - 1] + items[index:]


@builtin("listset", [LIST, ANY, INT], metered=True, source="list.c, bf_listset")
def bf_listset(meter: Meter, items: List, value: Value, index: int) -> Value:
    """Return ``items`` with ``value`` for the element ``index``.  Raises: E_RANGE."""
    length = len(items)
    if index < 1 or index > length:
        raise MooError(E_RANGE)
    if length > SHORT:
        meter.spend(length // COPIED_PER_STEP)
    return with_element(items, index - 1, value)


@builtin("equal", [ANY, ANY], source="list.c, bf_equal")
def bf_equal(call: Call, left: Value, right: Value) -> Value:
    """Return 1 if the values are equal, the case of strings included; else 0."""
    return 1 if equal(left, right, exact_case=True, meter=call.vm) else 0


@builtin("is_member", [ANY, LIST], source="list.c, bf_is_member")
def bf_is_member(call: Call, value: Value, items: List) -> Value:
    """Return the position of ``value`` in ``items``, or 0; case matters."""
    return is_member(value, items, exact_case=True, meter=call.vm)
