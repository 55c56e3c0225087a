"""Damaged copies of good input, which get further than noise does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeVar

from hypothesis import strategies as st

Text = TypeVar("Text", str, bytes)

_COUNTS: Final = (0, 1, 1, 1, 1, 2, 2, 3, 6)
"""How many changes are made to one copy: with many, hardly any is read to its end."""

_NUMBERS: Final = (0, 1, 2, 3, 4, 5, 9, -1, -2, -4, 7, 13, 255, 2**31, 10**20)


@st.composite
def mutated(
    draw: st.DrawFn, seeds: Sequence[Text], tokens: Sequence[Text], *, line: Text
) -> Text:
    """Return one of ``seeds`` with some changes, or none.

    ``tokens`` get in here and there; ``line`` is what parts lines.
    """
    text = draw(st.sampled_from(seeds))
    for _ in range(draw(st.sampled_from(_COUNTS))):
        change = draw(st.sampled_from(_CHANGES))
        text = change(draw, text, tokens, line)
    return text


def _span(draw: st.DrawFn, text: Text, most: int = 40) -> tuple[int, int]:
    start = draw(st.integers(0, len(text)))
    return start, min(len(text), start + draw(st.integers(0, most)))


def _delete(draw: st.DrawFn, text: Text, tokens: Sequence[Text], line: Text) -> Text:
    start, end = _span(draw, text)
    return text[:start] + text[end:]


def _insert(draw: st.DrawFn, text: Text, tokens: Sequence[Text], line: Text) -> Text:
    start, _ = _span(draw, text)
    return text[:start] + draw(st.sampled_from(tokens)) + text[start:]


def _replace(draw: st.DrawFn, text: Text, tokens: Sequence[Text], line: Text) -> Text:
    start, end = _span(draw, text, 8)
    return text[:start] + draw(st.sampled_from(tokens)) + text[end:]


def _repeat(draw: st.DrawFn, text: Text, tokens: Sequence[Text], line: Text) -> Text:
    start, end = _span(draw, text)
    return text[:end] + text[start:end] * draw(st.integers(1, 5)) + text[end:]


def _cut_off(draw: st.DrawFn, text: Text, tokens: Sequence[Text], line: Text) -> Text:
    return text[: _span(draw, text)[0]]


def _number(draw: st.DrawFn, text: Text, tokens: Sequence[Text], line: Text) -> Text:
    """Make another number of one."""
    digits = rb"-?[0-9]+" if isinstance(text, bytes) else "-?[0-9]+"
    places = [match.span() for match in re.finditer(digits, text)]
    if not places:
        return text
    start, end = draw(st.sampled_from(places))
    number = str(draw(st.sampled_from(_NUMBERS)))
    new = number.encode() if isinstance(text, bytes) else number
    return text[:start] + new + text[end:]  # type: ignore[operator]


def _lines(draw: st.DrawFn, text: Text, tokens: Sequence[Text], line: Text) -> Text:
    """Change whole lines: away, twice, moved, or another text."""
    lines = text.split(line)
    place = draw(st.integers(0, len(lines) - 1))
    how = draw(st.integers(0, 3))
    if how == 0:
        del lines[place]
    elif how == 1:
        lines.insert(place, lines[place])
    elif how == 2:
        lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(place))
    else:
        lines[place] = draw(st.sampled_from(tokens))
    return line.join(lines)


# Lines are what most of these formats consist of.
_CHANGES: Final = (
    _delete,
    _insert,
    _replace,
    _repeat,
    _cut_off,
    _lines,
    _lines,
    _lines,
    _number,
    _number,
    _number,
)
