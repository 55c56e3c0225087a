"""A pattern as an expression of Python's `re`, where that is provably the same.

`re` is much faster than the machine, but it cannot be interrupted, restores
groups when it comes back, and knows no limit of places.  A translation therefore
exists only for patterns in which

* no loop has an operand that can match nothing (the C server would go round until
  it gives up), and there are no back references;
* every loop that gives back has an operand with one way to match at a given
  place, so that the number of ways grows with a known power of the length;
* every loop that commits does so without changing what matches: Python's would
  give back, and each time find at once that it does not help.

It is used for subjects so short that neither the places nor the time can run
out, by bounds that are worked out once for each pattern.  Given that, both go
through the same ways in the same order, and find the same match.  Groups agree
where they take part in it outside of loops; the others are asked of the machine,
at the one beginning that is known then.

Case is ignored by folding the subject, as the C server does, never by Python's
flag, which folds letters beyond ASCII.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Callable
from functools import reduce
from itertools import combinations, zip_longest
from typing import Final, TypeAlias

from attrs import evolve, frozen

from pymoo.interp.patterns.charset import ANY, CharSet, single, union
from pymoo.interp.patterns.machine import MAX_PLACES
from pymoo.interp.patterns.program import Program
from pymoo.interp.patterns.syntax import (
    Backreference,
    Check,
    Group,
    Item,
    Nothing,
    One,
    Repeat,
    Text,
    Tree,
)

# Patterns that are longer are left to the machine: Python's compiler cannot be
# interrupted either.
LONGEST_TEXT: Final = 1_000

# The most steps that a whole search, and one attempt at one place, may take at
# worst.  Python does 5,000 million of these a second and more, but in a loop over a
# group it may be 500 million.
MOST_STEPS: Final = 20_000_000

# So few steps may go by without a word to the meter: some microseconds.
MOST_UNREPORTED_STEPS: Final = 5_000

REPORTED_GROUPS: Final = 9

# Python's compiler goes deeper into its stack for each group.
_MOST_OPEN_GROUPS: Final = 20


@frozen
class Translation:
    """A pattern for `re`, and when it may be used.

    A subject of up to ``longest_search`` characters can be searched in one go;
    one of up to ``longest_attempt`` characters place by place, at the price of
    ``attempt_steps`` each.  A search, which takes ``search_steps``, of up to
    ``longest_unreported`` characters is so cheap that the meter need not hear of it.

    ``group_count`` is that of the groups that have pairs in the result.  With
    ``groups_in_loops`` they must be asked of the machine.
    """

    expression: re.Pattern[str]
    group_count: int
    groups_in_loops: bool
    attempt_steps: Callable[[int], int]
    search_steps: Callable[[int], int]
    longest_attempt: int
    longest_search: int
    longest_unreported: int


Polynomial: TypeAlias = tuple[int, ...]


class _NoTranslation(Exception):
    """The pattern has something that `re` would do otherwise."""


@frozen
class _Part:
    """The expression for some part of a pattern, and what bounds its cost.

    ``first`` is what its first character can be, if it has one.  Let n be the
    length of the subject plus 1: from one place on there are at most ``ways`` *
    n ** ``degree`` ways to match the part, and to go through all of them takes
    ``steps[0] + steps[1] * n + steps[2] * n ** 2`` ... steps.
    """

    text: str
    first: CharSet
    nullable: bool = False
    ways: int = 1
    degree: int = 0
    steps: Polynomial = (1,)


_NO_CHARACTER: Final = CharSet(0)
_WORD: Final = "[0-9A-Za-z]"
_EDGE: Final = f"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))"
_CHECKS: Final = {
    check: _Part(text, _NO_CHARACTER, nullable=True)
    for check, text in {
        Check.LINE_BEGIN: "^",
        Check.LINE_END: "$",
        Check.SUBJECT_BEGIN: r"\A",
        Check.SUBJECT_END: r"\Z",
        Check.WORD_BEGIN: rf"(?<!{_WORD})(?={_WORD})",
        Check.WORD_END: rf"(?<={_WORD})(?!{_WORD})",
        Check.WORD_EDGE: rf"(?:\A|\Z|{_EDGE})",
        Check.INNER_WORD_EDGE: rf"(?!\A)(?!\Z){_EDGE}",
    }.items()
}


def translate(tree: Tree, program: Program) -> Translation | None:
    """Return the translation of a pattern, or None if there is none.

    Cannot be interrupted: the pattern must not be longer than `LONGEST_TEXT`.
    """
    translator = _Translator()
    try:
        whole = translator.branches(tree.branches)
    except _NoTranslation:
        return None

    def attempt_steps(length: int) -> int:
        return _value(whole.steps, length + 1)

    def search_steps(length: int) -> int:
        return (length + 1) * attempt_steps(length)

    longest = MOST_STEPS
    if program.gives_back:
        # Between two characters that are taken no instruction is met twice.  (A
        # program that does not give back needs a place for each instruction at
        # most, and so short a pattern has far fewer of them than places.)
        longest = MAX_PLACES // program.remembering - 1
    return Translation(
        re.compile(whole.text, re.MULTILINE),
        translator.group_count,
        translator.groups_in_loops,
        attempt_steps,
        search_steps,
        min(longest, _longest(attempt_steps, MOST_STEPS)),
        min(longest, _longest(search_steps, MOST_STEPS)),
        _longest(search_steps, MOST_UNREPORTED_STEPS),
    )


def _value(polynomial: Polynomial, n: int) -> int:
    value = 0
    for coefficient in reversed(polynomial):
        value = value * n + coefficient
    return value


def _sum(left: Polynomial, right: Polynomial) -> Polynomial:
    return tuple(a + b for a, b in zip_longest(left, right, fillvalue=0))


def _longest(steps: Callable[[int], int], most: int) -> int:
    """Return the greatest length that takes at most so many steps, -1 if none does."""
    beyond = 1
    while steps(beyond) <= most and beyond <= MOST_STEPS:
        beyond *= 2
    return bisect_right(range(beyond), most, key=steps) - 1


class _Translator:
    """Makes parts of items; goes as deep as groups stand in each other."""

    def __init__(self) -> None:
        self.groups_in_loops = False
        self.group_count = 0
        self._open_groups = 0

    def branches(self, branches: list[list[Item]]) -> _Part:
        """Return alternatives as one part."""
        parts = [self._sequence(branch) for branch in branches]
        if len(parts) == 1:
            return parts[0]
        nullable = any(part.nullable for part in parts)
        ways = [part.ways for part in parts]
        exclude_each_other = not nullable and not any(
            one.first.meets(other.first) for one, other in combinations(parts, 2)
        )
        return _Part(
            "|".join(part.text for part in parts),
            union(part.first for part in parts),
            nullable,
            max(ways) if exclude_each_other else sum(ways),
            max(part.degree for part in parts),
            reduce(_sum, (part.steps for part in parts)),
        )

    def _sequence(self, items: list[Item]) -> _Part:
        texts = []
        firsts = []
        nullable = True
        ways = 1
        degree = 0
        steps: Polynomial = (1,)
        for item in items:
            part = self._part(item)
            texts.append(part.text)
            if nullable:
                firsts.append(part.first)
            nullable &= part.nullable
            # Each way to come here goes through all of the part's ways.
            arrivals = (0,) * degree + tuple(ways * count for count in part.steps)
            steps = _sum(steps, arrivals)
            ways *= part.ways
            degree += part.degree
        return _Part("".join(texts), union(firsts), nullable, ways, degree, steps)

    def _part(self, item: Item) -> _Part:
        match item:
            case Text():
                text = re.escape(item.text)
                return _Part(text, single(item.text[0]), steps=(len(item.text),))
            case One():
                return _Part(_class_text(item.chars), item.chars)
            case Check():
                return _CHECKS[item]
            case Group():
                return self._group(item)
            case Repeat():
                return self._repeat(item)
            case Nothing():
                return _Part("", _NO_CHARACTER, nullable=True)
            case Backreference():
                raise _NoTranslation

    def _group(self, group: Group) -> _Part:
        opening = "(?:"
        if group.register is not None and group.register <= REPORTED_GROUPS:
            self.group_count += 1
            opening = "("
        if self._open_groups == _MOST_OPEN_GROUPS:
            raise _NoTranslation
        self._open_groups += 1
        inside = self.branches(group.branches)
        self._open_groups -= 1
        return evolve(inside, text=f"{opening}{inside.text})")

    def _repeat(self, item: Repeat) -> _Part:
        if item.commits_visibly:
            raise _NoTranslation
        groups = self.group_count
        part = self._part(item.operand)
        text = part.text
        if not isinstance(item.operand, One | Group):
            text = f"(?:{text})"
        for operator, commits in zip(item.operators, item.commits, strict=True):
            nullable = part.nullable
            ways = part.ways
            degree = part.degree
            steps = _sum(part.steps, (1,))
            if operator == "?":
                nullable = True
                ways += 1
            else:
                if nullable or not (commits or (ways == 1 and degree == 0)):
                    raise _NoTranslation
                self.groups_in_loops |= self.group_count > groups
                nullable = operator == "*"
                degree = 0 if commits else 1
                # All rounds together take the subject once, forwards and, giving
                # back, backwards; so do loops inside of them, and once more in
                # the round that fails.
                steps = (0, 3 * sum(steps))
            part = _Part(text + operator, part.first, nullable, ways, degree, steps)
            text = f"(?:{part.text})"
        return part


def _class_text(chars: CharSet) -> str:
    if chars is ANY:
        return "."
    ranges = chars.ranges()
    if not ranges:
        return "(?!)"
    sign = ""
    if ranges[-1][1] == sys.maxunicode:
        # Python's compiler takes a millisecond for a set of so many, however few the
        # others are.
        ranges = chars.complement().ranges()
        if not ranges:
            return "(?s:.)"
        sign = "^"
    inside = (f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
    return f"[{sign}{''.join(inside)}]"
