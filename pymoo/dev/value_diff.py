"""Whether two values are the same to the letter, where they differ, and their text.

Strings compare by case and floats as a textdump has them.  What stands only on the
stacks of tasks, and the mark of a clear property, are compared as well.  Nothing
recurses: values may be nested to any depth.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pymoo.db.objects import Clear
from pymoo.db.saved import CatchMark, FinallyMark, StackEntry, Unset
from pymoo.values import literal

Entry = StackEntry | Clear
"""What a property or a place on a stack holds."""

MAX_LITERAL: Final = 200
"""How many characters of a literal are shown."""

_MAX_STEPS: Final = 8
_CONTEXT: Final = 20  # characters shown before those that differ


def first_difference(old: Entry, new: Entry) -> tuple[int, ...] | None:
    """Return the indices that lead to where two values first differ; None if nowhere.

    ``()`` are the values themselves, ``(3, 1)`` is the first element of the third.
    Where one list is longer, its first element more is meant.
    """
    if type(old) is not tuple or type(new) is not tuple:
        return None if _same_scalars(old, new) else ()
    path = [0]  # where we are in each open list, from 1
    open_lists: list[tuple[Any, Any]] = [(old, new)]
    while open_lists:
        left, right = open_lists[-1]
        at = path[-1]
        if left is right or at >= len(left) or at >= len(right):
            if left is not right and len(left) != len(right):
                path[-1] += 1
                return tuple(path)
            open_lists.pop()
            path.pop()
            continue
        path[-1] += 1
        a, b = left[at], right[at]
        if type(a) is tuple and type(b) is tuple:
            open_lists.append((a, b))
            path.append(0)
        elif not _same_scalars(a, b):
            return tuple(path)
    return None


def same_value(old: Entry, new: Entry) -> bool:
    """Whether a textdump would have the same of both."""
    return old is new or first_difference(old, new) is None


def _same_scalars(old: Any, new: Any) -> bool:
    if type(old) is not type(new):
        return False
    if type(old) is float:
        return repr(old) == repr(new)  # a NaN is itself, and 0.0 is not -0.0
    return bool(old == new)


# --- text ---------------------------------------------------------------------


def short_text(value: Entry) -> str:
    """Return the literal of a value, cut with a note where it is long."""
    return _cut(value, 0)


def both_texts(old: Entry, new: Entry) -> tuple[str, str]:
    """Return the texts of two values that differ, so that it can be seen where."""
    texts = short_text(old), short_text(new)
    if texts[0][:MAX_LITERAL] != texts[1][:MAX_LITERAL]:
        return texts
    # What differs has been cut away from both.
    if type(old) is str and type(new) is str:
        start = max(0, _common_length(old, new) - _CONTEXT)
        return _cut(old, start), _cut(new, start)
    where = first_difference(old, new)
    if not where:
        return texts
    steps = "".join(f"[{index}]" for index in where[:_MAX_STEPS])
    if len(where) > _MAX_STEPS:
        steps += f"... ({len(where):,} levels deep)"
    parts = _part(old, where), _part(new, where)
    inner = _or_none(parts[0]), _or_none(parts[1])
    if None not in parts:
        inner = both_texts(*parts)
    return f"{texts[0]}; {steps} is {inner[0]}", f"{texts[1]}; {steps} is {inner[1]}"


def _or_none(part: Any) -> str:
    return "not there" if part is None else short_text(part)


def _part(value: Any, path: tuple[int, ...]) -> Any:
    """Return what ``path`` leads to, None if that is behind the end of a list."""
    for index in path:
        if index > len(value):
            return None
        value = value[index - 1]
    return value


def _common_length(old: str, new: str) -> int:
    """Return how many characters two strings begin with alike."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old.startswith(new[:middle]):
            low = middle
        else:
            high = middle - 1
    return low


def _cut(value: Entry, start: int) -> str:
    if isinstance(value, Clear):
        return "clear"
    if isinstance(value, Unset):
        return "nothing"
    if isinstance(value, CatchMark | FinallyMark):
        return repr(value)
    if type(value) is str:
        part = value[start : start + MAX_LITERAL]
        if len(part) == len(value):
            return literal(value)
        return (
            f"{'...' if start else ''}{literal(part)}"
            f"{'...' if start + len(part) < len(value) else ''} "
            f"({len(value):,} characters in all)"
        )
    if type(value) is not tuple:
        return literal(value)
    parts = []
    length = 0
    for piece in _pieces(value):
        parts.append(piece)
        length += len(piece)
        if length > MAX_LITERAL:
            text = "".join(parts)[:MAX_LITERAL]
            return f"{text}... ({len(value):,} elements in all)"
    return "".join(parts)


def _pieces(value: tuple[Any, ...]) -> Iterator[str]:
    """Yield the literal of a list piece by piece; long strings are cut."""
    open_lists = [iter(value)]
    yield "{"
    is_first = True
    while open_lists:
        for item in open_lists[-1]:
            if not is_first:
                yield ", "
            is_first = False
            if type(item) is tuple:
                yield "{"
                open_lists.append(iter(item))
                is_first = True
                break
            yield (
                _cut(item, 0)
                if type(item) is not str
                else literal(item[: MAX_LITERAL + 1])
            )
        else:
            yield "}"
            open_lists.pop()
            is_first = False
