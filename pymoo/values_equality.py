"""When MOO's ``==``, ``equal()`` and ``in`` hold values for the same.

Python's ``==`` would hold ``5`` and ``#5`` for equal, ``"a"`` and ``"A"`` not, and it
knows no time limit.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from pymoo.values import (
    CHARACTERS_PER_STEP,
    PIECE,
    SCANNED_PER_STEP,
    SHORT,
    STEPS_PER_REPORT,
    UNMETERED,
    List,
    Meter,
    Value,
    fold,
)

__all__ = ["equal", "is_member", "is_quick_search", "place_of_text", "same_text"]

_MANY: Final = 100
"""Fewer strings are sooner compared one by one."""

_FEW: Final = 16
"""No more elements of two lists are compared in the time that counting them takes."""

# A compiler that runs loops as machine code is faster without.
_AT_ONCE: Final = sys.implementation.name != "pypy"


def same_text(left: str, right: str, meter: Meter = UNMETERED) -> bool:
    """Whether MOO's ``==`` holds two strings for the same: case is ignored."""
    if len(left) != len(right):
        return False
    if len(left) > SHORT:
        return _same_long_text(left, right, meter)
    return left == right or fold(left) == fold(right)


def _same_long_text(left: str, right: str, meter: Meter) -> bool:
    meter.spend(len(left) // CHARACTERS_PER_STEP)
    if left == right:
        return True
    for start in range(0, len(left), PIECE):
        end = start + PIECE
        meter.spend(PIECE // SCANNED_PER_STEP)
        if fold(left[start:end]) != fold(right[start:end]):
            return False
    return True


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
    first: Any = left
    second: Any = right
    if kind is tuple:
        return _equal_lists(first, second, exact_case, meter)
    if kind is str:
        if not exact_case:
            return same_text(first, second, meter)
        _compare_whole(first, meter)
    return left == right


def _compare_whole(text: str, meter: Meter) -> None:
    """Count what it costs to compare a string with an equal one."""
    if len(text) > SHORT:
        meter.spend(len(text) // CHARACTERS_PER_STEP)


def _equal_lists(left: List, right: List, exact_case: bool, meter: Meter) -> bool:
    if left is right:
        return True
    if len(left) != len(right):
        return False
    pending: list[Any] = [zip(left, right, strict=True)]
    steps = 0
    is_same = True
    while pending and is_same:
        for a, b in pending[-1]:
            steps += 1
            if steps == STEPS_PER_REPORT:
                meter.spend(steps)
                steps = 0
            kind = type(a)
            if kind is not type(b):
                is_same = False
                break
            if kind is tuple:
                if a is b:
                    continue
                if len(a) != len(b):
                    is_same = False
                else:
                    pending.append(zip(a, b, strict=True))
                break
            if kind is str and len(a) > SHORT:
                meter.spend(len(a) // CHARACTERS_PER_STEP)
            if a != b and (kind is not str or exact_case or not same_text(a, b, meter)):
                is_same = False
                break
        else:
            pending.pop()
    # Also if they differ: a search may compare thousands of lists to their ends.
    if steps > _FEW:
        meter.spend(steps)
    return is_same


def is_member(
    value: Any, items: List, *, exact_case: bool = False, meter: Meter = UNMETERED
) -> int:
    """Return the 1-based position of ``value`` in ``items``, or 0: MOO's ``in``.

    Cost: one step per element, and for a list or string what it takes to compare it
    with each; INT, OBJ, ERR and, with ``exact_case``, strings are searched at Python's
    speed.

    Source: list.c, ismember.
    """
    kind = type(value)
    count = len(items)
    if count > SHORT:
        if count > STEPS_PER_REPORT:
            return _place_in_parts(value, items, exact_case, meter)
        meter.spend(count)
    if kind is str and len(value) <= SHORT:
        if not exact_case:
            if not is_quick_search(value, items):
                meter.spend(count * len(value) // SCANNED_PER_STEP)
            return place_of_text(value, items)
    elif kind is str or kind is tuple or kind is float:
        if count <= SHORT:
            meter.spend(count)  # of these each takes a call
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


def is_quick_search(text: str, items: tuple[Any, ...]) -> bool:
    """Whether to look for a text in a list may be done without a word to a meter."""
    return len(items) <= SHORT and len(text) * len(items) <= PIECE


def place_of_text(text: str, items: tuple[Any, ...]) -> int:
    """As `is_member`, where `is_quick_search` holds or the meter has been told."""
    if len(items) >= _MANY and _AT_ONCE:
        place = _place_among_texts(text, items)
        if place is not None:
            return place
    length = len(text)
    folded = None
    for position, item in enumerate(items, 1):
        if type(item) is str and len(item) == length:
            if item == text:
                return position
            if folded is None:
                folded = fold(text)
            if fold(item) == folded:
                return position
    return 0


def _place_among_texts(text: str, items: tuple[Any, ...]) -> int | None:
    """As `place_of_text`, if the items are strings, and none of them huge; else None.

    All of them are searched at once, between line feeds, which strings do not have.
    """
    try:
        if sum(map(len, items)) > PIECE:
            return None
        joined = "\n".join(items)
    except TypeError:
        return None  # not all of them are strings
    if "\n" in text or joined.count("\n") != len(items) - 1:
        return None
    joined = fold(joined)
    found = f"\n{joined}\n".find(f"\n{fold(text)}\n")
    return 0 if found < 0 else joined.count("\n", 0, found) + 1


def _place_in_parts(value: Value, items: List, exact_case: bool, meter: Meter) -> int:
    """As `is_member`, for a list so long that it is gone through in parts."""
    for start in range(0, len(items), STEPS_PER_REPORT):
        part = items[start : start + STEPS_PER_REPORT]
        place = is_member(value, part, exact_case=exact_case, meter=meter)
        if place:
            return start + place
    return 0
