"""Which verbs a word names: ``foo*bar``, ``foo*``, ``*`` and several at once.

The names of a verb are one string, as given to ``add_verb()``: patterns between
blanks.  A pattern without ``*`` names one word.  With one, every word from the
part before the ``*`` up to the whole names it; and if the ``*`` is its end, any
longer word too.  Case does not matter (utils.c, verbcasecmp).

`names_match` is the definition, for one verb.  `VerbNameIndex` answers for all
verbs of an object at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from pymoo.values import fold

# A pattern with more abbreviations than this is compared instead of listed, so
# that a name of a million letters costs a million bytes and not their square.
_MAX_LISTED: Final = 32


class _Pattern(NamedTuple):
    literal: str  # folded, without its asterisks
    shortest: int  # how much of it must be given
    is_open: bool  # whether more than all of it may be given

    def matches(self, word: str) -> bool:
        if len(word) > len(self.literal):
            return self.is_open and word.startswith(self.literal)
        return len(word) >= self.shortest and self.literal.startswith(word)


def _patterns(names: str) -> list[_Pattern]:
    patterns = []
    # A blank in front, which only a file can hold, names the empty word.
    if names.startswith(" "):
        patterns.append(_Pattern("", 0, False))
    for text in fold(names).split(" "):
        if text:
            literal = text.replace("*", "")
            star = text.find("*")
            shortest = len(literal) if star < 0 else star
            patterns.append(_Pattern(literal, shortest, text.endswith("*")))
    return patterns


def names_match(names: str, word: str) -> bool:
    """Whether a verb with these ``names`` is meant by ``word``.

    The string itself also names its verb, blanks, asterisks and all, so that the
    elements of ``verbs()`` can be given to ``verb_info()``; a string that merely
    looks the same does not.

    Source: utils.c, verbcasecmp, which compares the pointers first.
    """
    if names is word:
        return True
    word = fold(word)
    return any(pattern.matches(word) for pattern in _patterns(names))


class VerbNameIndex:
    """Finds verbs by word among the names of all verbs of one object."""

    __slots__ = ("_all_names", "_listed", "_others")

    def __init__(self, all_names: Iterable[str]) -> None:
        self._all_names: list[str] = []
        self._listed: dict[str, list[int]] = {}
        # Patterns that cannot be listed word by word.
        self._others: list[tuple[int, _Pattern]] = []
        for names in all_names:
            self.add(names)

    def add(self, names: str) -> None:
        """Take in the names of one more verb, behind the others."""
        position = len(self._all_names)
        self._all_names.append(names)
        for pattern in _patterns(names):
            words = len(pattern.literal) - pattern.shortest + 1
            if pattern.is_open or words > _MAX_LISTED:
                self._others.append((position, pattern))
                continue
            for end in range(pattern.shortest, len(pattern.literal) + 1):
                positions = self._listed.setdefault(pattern.literal[:end], [])
                if not positions or positions[-1] != position:
                    positions.append(position)

    def find(self, word: str) -> Sequence[int]:
        """Return the positions, ascending from 0, of the verbs that ``word`` names."""
        folded = fold(word)
        found: Sequence[int] = self._listed.get(folded, ())
        if self._others:
            others = [at for at, pattern in self._others if pattern.matches(folded)]
            if others:
                found = sorted({*found, *others})
        if not word or "*" in word or " " in word:
            same = [at for at, names in enumerate(self._all_names) if names is word]
            if same:
                found = sorted({*found, *same})
        return found
