"""Sets of characters, as patterns test and compare them.

The C server's sets are 256 bits.  A database in UTF-8 has characters beyond
those: ranges and complements then mean code points.  Letters for ``%w`` and word
boundaries are A to Z, a to z and 0 to 9 everywhere, ``_`` is none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypeAlias

Ranges: TypeAlias = tuple[tuple[int, int], ...]

_NARROW: Final = 256
_ALL_NARROW: Final = (1 << _NARROW) - 1
_ALL_WIDE: Final[Ranges] = ((_NARROW, sys.maxunicode),)


class _Membership(dict[str, bool]):
    """Answers ``members[character]``; what was asked of the first 256 is kept."""

    __slots__ = ("_narrow", "_wide")

    def __init__(self, narrow: int, wide: Ranges) -> None:
        super().__init__()
        self._narrow = narrow
        self._wide = wide

    def __missing__(self, character: str) -> bool:
        point = ord(character)
        if point < _NARROW:
            answer = bool(self._narrow >> point & 1)
            self[character] = answer
            return answer
        return any(first <= point <= last for first, last in self._wide)


class CharSet:
    """A set of characters: ``members[c]`` tells whether ``c`` belongs to it.

    ``narrow`` has one bit for each of the first 256 characters, ``wide`` the
    ranges above them.
    """

    __slots__ = ("members", "narrow", "wide")

    def __init__(self, narrow: int, wide: Ranges = ()) -> None:
        self.narrow = narrow
        self.wide = wide
        self.members = _Membership(narrow, wide)

    def meets(self, other: CharSet) -> bool:
        """Whether some character belongs to both sets."""
        return bool(self.narrow & other.narrow) or any(
            a_first <= b_last and b_first <= a_last
            for a_first, a_last in self.wide
            for b_first, b_last in other.wide
        )

    def complement(self) -> CharSet:
        """Return the set of all other characters."""
        wide = []
        at = _NARROW
        for first, last in sorted(self.wide):
            if first > at:
                wide.append((at, first - 1))
            at = max(at, last + 1)
        if at <= sys.maxunicode:
            wide.append((at, sys.maxunicode))
        return CharSet(self.narrow ^ _ALL_NARROW, tuple(wide))

    def ranges(self) -> Ranges:
        """Return what belongs to the set as ranges of code points, in order."""
        found = []
        narrow = self.narrow
        point = 0
        while narrow:
            gap = (narrow & -narrow).bit_length() - 1
            narrow >>= gap
            point += gap
            length = (~narrow & (narrow + 1)).bit_length() - 1
            found.append((point, point + length - 1))
            narrow >>= length
            point += length
        found.extend(sorted(self.wide))
        return tuple(found)


def range_of(first: int, last: int) -> CharSet:
    """Return the set of the code points ``first`` to ``last``, none if reversed."""
    narrow = 0
    wide: Ranges = ()
    if first < _NARROW and first <= last:
        narrow = (2 << min(last, _NARROW - 1)) - (1 << first)
    if last >= _NARROW and first <= last:
        wide = ((max(first, _NARROW), last),)
    return CharSet(narrow, wide)


def union(sets: Iterable[CharSet]) -> CharSet:
    """Return the set of what belongs to any of ``sets``."""
    narrow = 0
    wide: set[tuple[int, int]] = set()
    for each in sets:
        narrow |= each.narrow
        wide.update(each.wide)
    return CharSet(narrow, tuple(sorted(wide)))


@lru_cache(maxsize=512)
def single(character: str) -> CharSet:
    """Return the set of one character."""
    point = ord(character)
    return range_of(point, point)


NEWLINE: Final = single("\n")
ANY: Final = NEWLINE.complement()
WORD: Final = union(
    (range_of(ord(first), ord(last)) for first, last in ("09", "AZ", "az"))
)
NOT_WORD: Final = WORD.complement()
