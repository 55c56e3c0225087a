"""Patterns ready to be matched, and a cache of them.

Owns the choice between the machine, which is the definition, Python's `re`, which is
faster where `regex` proves that it finds the same, and searches with a memory.

What a match costs is told in steps of the machine, a quarter of a microsecond each.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from typing import Final, TypeAlias

from pymoo.errors import InternalError
from pymoo.interp.patterns import memory, regex
from pymoo.interp.patterns.machine import Tally, beginnings, match_at
from pymoo.interp.patterns.program import assemble
from pymoo.interp.patterns.syntax import parse
from pymoo.values import UNMETERED, Meter, fold

Pairs: TypeAlias = tuple[tuple[int, int], ...]

_PAIRS: Final = 10
_NO_GROUP: Final = (0, -1)
_NO_GROUPS: Final = (_NO_GROUP,) * (_PAIRS - 1)
_NO_SPAN: Final = (-1, -1)  # Python's word for a group that took no part

FREE_STEPS: Final = 8
"""How many steps for each character of the subject no limit counts."""

# What `re` does is not told, so it is measured, and told as steps of the machine.
# Another process may have had the CPU meanwhile: it counts no more steps than one for
# so many of those that `re` can have done at worst.
_STEP_NS: Final = 250
_BY_RE: Final = 100
# What most matches take need not be told.
_FEW_STEPS: Final = 8
_MOST_UNMEASURED: Final = 2_000_000

# Compiling an expression takes Python so many steps.
_STEPS_PER_TRANSLATION: Final = 200
_STEPS_PER_CHARACTER: Final = 20

# A subject so short is matched by the machine at first.
_SHORT: Final = 200


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
        self,
        subject: str,
        *,
        reverse: bool = False,
        meter: Meter = UNMETERED,
        most_steps: int | None = None,
    ) -> Pairs | None:
        """Return where the pattern first matches in ``subject``, or None.

        The answer has ten pairs: where the whole match begins and ends, then the
        groups 1 to 9, as ``match()`` counts: from 1, both ends included, {i, i-1}
        for an empty match, {0, -1} for a group that took nothing.

        With ``reverse``, the match that begins last: ``rmatch()``.

        Raises: E_QUOTA if the C server would run out of places to come back to, or
            beyond ``most_steps`` and `FREE_STEPS` for each character.
        Source: list.c, do_match; pattern.c, match_pattern.
        """
        text = subject if self.exact_case else fold(subject)
        translation = self._translation
        if translation is None and self._tree is not None:
            translation = self._translate(len(text), meter)
        if most_steps is not None:
            most_steps += FREE_STEPS * len(text)
        if translation is None or len(text) > translation.longest_attempt:
            tally = Tally(meter, most_steps)
            try:
                registers = memory.search(
                    self._program, text, reverse=reverse, tally=tally
                )
            finally:
                tally.tell()
            return None if registers is None else _pairs(*registers)
        if reverse or len(text) > translation.longest_search:
            tally = Tally(meter, most_steps)
            try:
                found = self._search_by_places(translation, text, reverse, tally)
            finally:
                tally.tell()
        elif len(text) <= translation.longest_unreported:
            found = translation.expression.search(text)
        else:
            began = time.perf_counter_ns()
            found = translation.expression.search(text)
            steps = (time.perf_counter_ns() - began) // _STEP_NS
            if steps > _FEW_STEPS:
                meter.spend(min(steps, translation.search_steps(len(text)) // _BY_RE))
        if found is None:
            return None
        if not translation.group_count:
            start, end = found.span()
            return ((start + 1, end), *_NO_GROUPS)
        spans = found.regs
        if translation.groups_in_loops or _NO_SPAN in spans:
            tally = Tally(meter, most_steps)
            try:
                registers = match_at(self._program, text, found.start(), tally)
            finally:
                tally.tell()
            if registers is None:
                raise InternalError(f"two matchers disagree on {self.text!r}")
            return _pairs(*registers)
        return (
            *[(start + 1, end) for start, end in spans],
            *_NO_GROUPS[translation.group_count :],
        )

    def _translate(
        self, length: int = 0, meter: Meter = UNMETERED
    ) -> regex.Translation | None:
        """Translate, unless a subject of that ``length`` is the first and short."""
        tree = self._tree
        if tree is None or not (self._was_used or length > _SHORT):
            self._was_used = True
            return None
        self._tree = None
        steps = _STEPS_PER_TRANSLATION + _STEPS_PER_CHARACTER * len(self.text)
        meter.spend(steps)
        self._translation = regex.translate(tree, self._program)
        return self._translation

    def _search_by_places(
        self, translation: regex.Translation, text: str, reverse: bool, tally: Tally
    ) -> re.Match[str] | None:
        attempt = translation.expression.match
        attempt_steps = translation.attempt_steps(len(text))
        found = None
        steps = 0
        began = time.perf_counter_ns()
        for start in beginnings(self._program, text, reverse=reverse, tally=tally):
            found = attempt(text, start)
            steps += attempt_steps
            if found is not None:
                break
            if steps >= _MOST_UNMEASURED:
                passed = 1 + (time.perf_counter_ns() - began) // _STEP_NS
                tally.spend(min(passed, steps // _BY_RE))
                began = time.perf_counter_ns()
                steps = 0
        passed = 1 + (time.perf_counter_ns() - began) // _STEP_NS
        tally.spend(min(passed, steps // _BY_RE))
        return found


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
