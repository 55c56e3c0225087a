"""The prepositions of commands: their list, and finding one among words.

A database stores a preposition as its place in this list, so the list only ever
grows at its end.  Splitting a line into words belongs to the command parser.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pymoo.db.objects import PREP_ANY, PREP_NONE
from pymoo.values import fold

PREPOSITIONS: Final = (
    "with/using",
    "at/to",
    "in front of",
    "in/inside/into",
    "on top of/on/onto/upon",
    "out of/from inside/from",
    "over",
    "through",
    "under/underneath/beneath",
    "behind",
    "beside",
    "for/about",
    "is",
    "as",
    "off/off of",
)
"""What ``verb_args()`` shows of each (db_verbs.c)."""

# By first word, in the order in which the C server tries them: entry by entry,
# and within one from left to right.  So `in front of` is tried before `in`, and
# `off` before `off of`, which therefore never matches.
_BY_FIRST_WORD: Final[dict[str, list[tuple[int, tuple[str, ...]]]]] = {}
for _prep, _text in enumerate(PREPOSITIONS):
    for _alias in _text.split("/"):
        _words = tuple(_alias.split(" "))
        _BY_FIRST_WORD.setdefault(_words[0], []).append((_prep, _words))


def find_preposition(words: Sequence[str]) -> tuple[int, int, int] | None:
    """Return the first preposition in ``words``: which, its first and last index.

    Source: db_verbs.c, db_find_prep.
    """
    folded = [fold(word) for word in words]
    for first, word in enumerate(folded):
        for prep, wanted in _BY_FIRST_WORD.get(word, ()):
            end = first + len(wanted)
            if tuple(folded[first:end]) == wanted:
                return prep, first, end - 1
    return None


def exact_preposition(words: Sequence[str]) -> int:
    """Return the preposition that ``words`` are as a whole, else PREP_NONE.

    Source: db_verbs.c, db_find_prep without first and last.
    """
    folded = tuple(fold(word) for word in words)
    for prep, wanted in _BY_FIRST_WORD.get(folded[0], ()) if folded else ():
        if folded == wanted:
            return prep
    return PREP_NONE


def preposition_text(prep: int) -> str:
    """Return ``prep`` as ``verb_args()`` shows it: ``none``, ``any`` or its entry.

    One that is not in the list, as another server or a damaged file may have, is its
    number; the C server reads beyond its list.

    Source: db_verbs.c, db_unparse_prep.
    """
    if prep == PREP_NONE:
        return "none"
    if prep == PREP_ANY:
        return "any"
    return PREPOSITIONS[prep] if 0 <= prep < len(PREPOSITIONS) else str(prep)


def is_preposition(prep: int) -> bool:
    """Whether a verb can have it, ``none`` and ``any`` included."""
    return PREP_ANY <= prep < len(PREPOSITIONS)
