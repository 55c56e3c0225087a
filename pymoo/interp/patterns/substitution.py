"""What ``substitute()`` makes of a template and a match.

Source: list.c, bf_substitute, check_subs_list.
"""

from __future__ import annotations

from pymoo.errors import MooError
from pymoo.values import (
    CHARACTERS_PER_STEP,
    E_INVARG,
    SCANNED_PER_STEP,
    SHORT,
    STEPS_PER_REPORT,
    UNMETERED,
    List,
    Meter,
    Value,
)


def substitute(
    template: str, match: List, *, max_length: int, meter: Meter = UNMETERED
) -> str | None:
    """Return the template with ``%0`` to ``%9`` replaced, and ``%%`` by ``%``.

    ``match`` is a list as ``match()`` gives it; all of it is checked first.

    None if the result would be longer than ``max_length``, though never because of
    a length below that of the template: whether that ends the task or raises
    E_QUOTA is an option.  What comes later in the template is then not looked at.

    Raises: E_INVARG for anything else after ``%``, and for a list that
        ``match()`` cannot give.
    """
    subject, pairs = _checked(match)
    if len(template) > SHORT:
        meter.spend(len(template) // SCANNED_PER_STEP)
    # The C server's buffer has the size of the template to begin with.
    max_length = max(max_length, len(template) - 1)
    parts: list[str] = []
    length = 0
    at = 0
    steps = 0
    while True:
        percent = template.find("%", at)
        part = template[at:] if percent < 0 else template[at:percent]
        length += len(part)
        if length > max_length:
            return None
        parts.append(part)
        if percent < 0:
            return "".join(parts)
        at = percent + 2
        kind = template[percent + 1 : at]
        if kind == "%":
            part = "%"
        elif kind and kind in "0123456789":
            start, end = pairs[int(kind)]
            part = subject[max(start - 1, 0) : max(end, 0)]
            if len(part) > SHORT:
                meter.spend(len(part) // CHARACTERS_PER_STEP)
        else:
            raise MooError(E_INVARG)
        length += len(part)
        if length > max_length:
            return None
        parts.append(part)
        steps += 1
        if steps == STEPS_PER_REPORT:
            meter.spend(steps)
            steps = 0


def _checked(match: List) -> tuple[str, list[tuple[int, int]]]:
    """Return the subject and the ten pairs of a match.

    Raises: E_INVARG if ``match`` is not one.
    """
    if len(match) != 4:
        raise MooError(E_INVARG)
    start, end, groups, subject = match
    if type(groups) is not tuple or len(groups) != 9 or type(subject) is not str:
        raise MooError(E_INVARG)
    size = len(subject)
    pairs = [_pair((start, end), size)]
    pairs.extend(_pair(group, size) for group in groups)
    return subject, pairs


def _pair(value: Value, size: int) -> tuple[int, int]:
    if type(value) is tuple and len(value) == 2:
        start, end = value
        if type(start) is int and type(end) is int:
            if (start, end) == (0, -1) or (0 < start <= end + 1 and end <= size):
                return start, end
    raise MooError(E_INVARG)
