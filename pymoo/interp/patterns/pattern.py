"""Patterns ready to be matched, and a cache of them.

Owns the choice between the machine, which is the definition, and Python's `re`,
which is faster where `regex` proves that it finds the same.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Final, TypeAlias

from pymoo.errors import InternalError
from pymoo.interp.patterns import machine, regex
from pymoo.interp.patterns.program import assemble
from pymoo.interp.patterns.syntax import parse
from pymoo.values import STEPS_PER_REPORT, UNMETERED, Meter, fold

Pairs: TypeAlias = tuple[tuple[int, int], ...]

_PAIRS: Final = 10
_NO_GROUP: Final = (0, -1)
_NO_GROUPS: Final = (_NO_GROUP,) * (_PAIRS - 1)
_NO_SPAN: Final = (-1, -1)  # Python's word for a group that took no part


class Pattern:
    """A pattern of ``match()`` and ``rmatch()``."""

    __slots__ = ("_program", "_translation", "_tree", "_was_used", "exact_case", "text")

    def __init__(self, text: str, *, exact_case: bool, meter: Meter) -> None:
        self.text = text
        self.exact_case = exact_case
        tree = parse(text, exact_case=exact_case, meter=meter)
        self._program = assemble(tree, meter)
        # Translating costs as much as a few matches by the machine.  It is put off
        # until the pattern is used a second time; then the tree is let go.
        self._tree = tree if len(text) <= regex.LONGEST_TEXT else None
        self._translation: regex.Translation | None = None
        self._was_used = False

    def match(
        self, subject: str, *, reverse: bool = False, meter: Meter = UNMETERED
    ) -> Pairs | None:
        """Return where the pattern first matches in ``subject``, or None.

        The answer has ten pairs: where the whole match begins and ends, then the
        groups 1 to 9, as ``match()`` counts: from 1, both ends included, {i, i-1}
        for an empty match, {0, -1} for a group that took nothing.

        With ``reverse``, the match that begins last: ``rmatch()``.

        Raises: E_QUOTA if the C server would run out of places to come back to.
        Source: list.c, do_match; pattern.c, match_pattern.
        """
        text = subject if self.exact_case else fold(subject)
        translation = self._translation
        if translation is None and self._tree is not None:
            translation = self._translate()
        if translation is None or len(text) > translation.longest_attempt:
            registers = machine.search(
                self._program, text, reverse=reverse, meter=meter
            )
            return None if registers is None else _pairs(*registers)
        if reverse or len(text) > translation.longest_search:
            found = self._search_by_places(translation, text, reverse, meter)
        else:
            found = translation.expression.search(text)
            if len(text) > translation.longest_unreported:
                meter.spend(STEPS_PER_REPORT)
        if found is None:
            return None
        if not translation.group_count:
            start, end = found.span()
            return ((start + 1, end), *_NO_GROUPS)
        spans = found.regs
        if translation.groups_in_loops or _NO_SPAN in spans:
            registers = machine.match_at(self._program, text, found.start(), meter)
            if registers is None:
                raise InternalError(f"two matchers disagree on {self.text!r}")
            return _pairs(*registers)
        return (
            *[(start + 1, end) for start, end in spans],
            *_NO_GROUPS[translation.group_count :],
        )

    def _translate(self) -> regex.Translation | None:
        tree = self._tree
        if not self._was_used or tree is None:
            self._was_used = True
            return None
        self._tree = None
        self._translation = regex.translate(tree, self._program)
        return self._translation

    def _search_by_places(
        self, translation: regex.Translation, text: str, reverse: bool, meter: Meter
    ) -> re.Match[str] | None:
        attempt = translation.expression.match
        attempt_steps = translation.attempt_steps(len(text))
        steps = 0
        for start in machine.beginnings(
            self._program, text, reverse=reverse, meter=meter
        ):
            found = attempt(text, start)
            if found is not None:
                return found
            steps += attempt_steps
            if steps >= regex.MOST_UNREPORTED_STEPS:
                meter.spend(STEPS_PER_REPORT)
                steps = 0
        return None


def _pairs(begins: list[int], ends: list[int]) -> Pairs:
    count = min(len(begins), _PAIRS)
    return (
        *[
            (begins[register] + 1, ends[register]) if ends[register] >= 0 else _NO_GROUP
            for register in range(count)
        ],
        *_NO_GROUPS[count - 1 :],
    )


def compile_pattern(
    text: str, *, exact_case: bool, meter: Meter = UNMETERED
) -> Pattern:
    """Return the pattern that ``text`` describes.

    Unless ``exact_case``, A to Z match a to z.

    Raises: E_INVARG for a text that the C server refuses; see `syntax.parse`.
    Source: pattern.c, new_pattern.
    """
    return Pattern(text, exact_case=exact_case, meter=meter)


STEPS_PER_PATTERN: Final = 200
"""What it counts at least to compile one."""


class PatternCache:
    """Compiled patterns by text and case; those not used for longest are dropped.

    ``hits`` and ``misses`` count what `get` found and what it had to compile.
    """

    # A pattern takes about a hundred times the memory of its text.
    LONGEST_KEPT: Final = 10_000

    def __init__(self, size: int = 500) -> None:
        self._patterns: OrderedDict[tuple[str, bool], Pattern] = OrderedDict()
        self._size = size
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._patterns)

    def get(self, text: str, *, exact_case: bool, meter: Meter = UNMETERED) -> Pattern:
        """Return the compiled pattern, as `compile_pattern` does.

        Raises: E_INVARG, each time anew.
        """
        key = (text, exact_case)
        pattern = self._patterns.get(key)
        if pattern is not None:
            self.hits += 1
            self._patterns.move_to_end(key)
            return pattern
        self.misses += 1
        meter.spend(STEPS_PER_PATTERN + len(text))
        pattern = compile_pattern(text, exact_case=exact_case, meter=meter)
        if len(text) <= self.LONGEST_KEPT:
            self._patterns[key] = pattern
            if len(self._patterns) > self._size:
                self._patterns.popitem(last=False)
        return pattern

    def clear(self) -> None:
        """Forget all patterns; the counters go on."""
        self._patterns.clear()
