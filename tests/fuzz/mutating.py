"""Damaged copies of good input, which get further than noise does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from hypothesis import strategies as st

Text = TypeVar("Text", str, bytes)

_MOST: Final = 6
"""How many changes are made to one copy."""


@st.composite
def mutated(
    draw: st.DrawFn, seeds: Sequence[Text], tokens: Sequence[Text], *, line: Text
) -> Text:
    """Return one of ``seeds`` with some changes, or none.

    ``tokens`` get in here and there; ``line`` is what parts lines.
    """
    text = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, _MOST))):
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
_CHANGES: Final = (_delete, _insert, _replace, _repeat, _cut_off, _lines, _lines, _lines)
