"""From the text of a pattern to its tree.

Owns what every character of a pattern means and which patterns are refused.
What the tree then matches is the business of `machine`.

Reading goes in two steps, as in the C server, because one surprise depends on it:
the first turns MOO's ``%`` quoting into quoting with backslashes, the second
reads that.  A ``%\\`` becomes a single backslash in the first step, which then
quotes whatever follows: ``"%\\("`` is an opening parenthesis, ``"%\\`"`` and
``"%\\'"`` are the beginning and the end of the subject.

Source: pattern.c, translate_pattern; regexpr.c, re_compile_pattern.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, TypeAlias

from attrs import define

from pymoo.errors import MooError
from pymoo.interp.patterns.charset import (
    ANY,
    NOT_WORD,
    WORD,
    CharSet,
    range_of,
    single,
    union,
)
from pymoo.values import E_INVARG, STEPS_PER_REPORT, Meter

MAX_OPEN_GROUPS: Final = 99  # regexpr.c, MAX_NESTING less one
MAX_OPEN_ALTERNATIVES: Final = 100  # regexpr.c, MAX_NESTING
MAX_REGISTERS: Final = 99  # regexpr.c, RE_NREGS less one


class Check(Enum):
    """Something that is true or false between two characters."""

    LINE_BEGIN = auto()
    LINE_END = auto()
    SUBJECT_BEGIN = auto()
    SUBJECT_END = auto()
    WORD_BEGIN = auto()
    WORD_END = auto()
    WORD_EDGE = auto()
    INNER_WORD_EDGE = auto()


@define(eq=False)
class Text:
    """These characters, one after the other; there is at least one."""

    text: str


@define(eq=False)
class One:
    """One character of a set; ``is_word_class`` for ``%w`` and ``%W``."""

    chars: CharSet
    is_word_class: bool = False


@define(eq=False)
class Backreference:
    """What a group has matched, once more."""

    register: int


@define(eq=False)
class Group:
    """Alternatives in parentheses; those after the 99th have no register."""

    register: int | None
    branches: list[list[Item]]


@define(eq=False)
class Repeat:
    """An operand and what follows it of ``*``, ``+`` and ``?``, innermost first."""

    operand: Item
    operators: list[str]
    # Set when the program is made: for each operator whether the loop never gives
    # back what it took, and if so, whether giving back could change anything.
    commits: list[bool]
    commits_visibly: bool = False


class Nothing:
    """A group that left no trace: neither a register nor anything inside."""


Item: TypeAlias = Text | One | Check | Backreference | Group | Repeat | Nothing


class Tree:
    """A pattern that has been read."""

    __slots__ = ("branches", "register_count")

    def __init__(self, branches: list[list[Item]], register_count: int) -> None:
        self.branches = branches
        self.register_count = register_count


# What `%' makes special, and what is special without it.
_QUOTABLE: Final = frozenset(".*+?[^$|()123456789bB<>wW")
_OPERATORS: Final = frozenset("\\*+?[^$.")
_QUOTED_CHECKS: Final = {
    "<": Check.WORD_BEGIN,
    ">": Check.WORD_END,
    "b": Check.WORD_EDGE,
    "B": Check.INNER_WORD_EDGE,
    "`": Check.SUBJECT_BEGIN,
    "'": Check.SUBJECT_END,
}
_WORD_CLASSES: Final = {"w": WORD, "W": NOT_WORD}
_AFTER_LINE_END: Final = ("\\|", "\\)")


def parse(text: str, *, exact_case: bool, meter: Meter) -> Tree:
    """Return the tree of a pattern.

    Unless ``exact_case``, letters are folded, except those quoted by a
    backslash of the second step: the subject must be folded too.

    Raises: E_INVARG for whatever the C server refuses: ``%`` at the end, an
        unclosed set or group, ``*``, ``+`` and ``?`` with nothing to repeat,
        ``^`` and ``$`` out of place, more than 99 groups in each other, more than
        100 alternatives in groups that are open together.
    """
    return _Reader(_with_backslashes(text, meter), exact_case, meter).read()


def _with_backslashes(text: str, meter: Meter) -> str:
    if "%" not in text and "\\" not in text and "[" not in text:
        return text
    parts: list[str] = []
    size = len(text)
    report_at = STEPS_PER_REPORT
    at = 0
    while at < size:
        if at >= report_at:
            meter.spend(STEPS_PER_REPORT)
            report_at += STEPS_PER_REPORT
        character = text[at]
        at += 1
        if character == "%":
            if at == size:
                raise MooError(E_INVARG)
            character = text[at]
            at += 1
            if character in _QUOTABLE:
                parts.append("\\")
        elif character == "\\":
            parts.append("\\")
        elif character == "[":
            # Nothing is quoted inside a set, and a `]' that comes first does not
            # end it.
            first = at + text.startswith("^", at)
            end = text.find("]", first + text.startswith("]", first)) + 1
            if end == 0:
                raise MooError(E_INVARG)
            parts.append("[")
            character = text[at:end]
            at = end
        parts.append(character)
    return "".join(parts)


class _Reader:
    """Reads a pattern whose quoting is done by backslashes."""

    def __init__(self, source: str, exact_case: bool, meter: Meter) -> None:
        self._source = source
        self._exact_case = exact_case
        self._meter = meter
        self._at = 0

    def _fold(self, character: str) -> str:
        if "A" <= character <= "Z" and not self._exact_case:
            return character.lower()
        return character

    def read(self) -> Tree:
        source = self._source
        size = len(source)
        registers = 0
        items: list[Item] = []
        branches = [items]
        outer: list[tuple[int | None, list[list[Item]]]] = []
        open_alternatives = 0
        plain: list[str] = []  # characters for themselves, not yet in `items'
        may_begin = True
        report_at = STEPS_PER_REPORT

        while self._at < size:
            if self._at >= report_at:
                self._meter.spend(STEPS_PER_REPORT)
                report_at += STEPS_PER_REPORT
            character = self._fold(source[self._at])
            self._at += 1
            if character not in _OPERATORS:
                plain.append(character)
                may_begin = False
                continue
            if character == "\\":
                if self._at == size:
                    raise MooError(E_INVARG)
                character = source[self._at]
                self._at += 1
                if character not in "|()<>bBwW`'0123456789":
                    plain.append(character)
                    may_begin = False
                    continue
                character = "\\" + character
            if character in ("*", "+", "?"):
                if may_begin:
                    raise MooError(E_INVARG)
                if plain:
                    last = plain.pop()
                    _flush(plain, items)
                    items.append(Text(last))
                _repeat(items, character)
                continue
            _flush(plain, items)
            began = may_begin
            may_begin = False
            match character:
                case "\\(":
                    if len(outer) == MAX_OPEN_GROUPS:
                        raise MooError(E_INVARG)
                    register = None
                    if registers < MAX_REGISTERS:
                        registers += 1
                        register = registers
                    outer.append((register, branches))
                    items = []
                    branches = [items]
                    may_begin = True
                case "\\)":
                    if not outer:
                        raise MooError(E_INVARG)
                    open_alternatives -= len(branches) - 1
                    register, outside = outer.pop()
                    group = _group(register, branches)
                    branches = outside
                    items = branches[-1]
                    items.append(group)
                case "\\|":
                    if open_alternatives == MAX_OPEN_ALTERNATIVES:
                        raise MooError(E_INVARG)
                    open_alternatives += 1
                    items = []
                    branches.append(items)
                    may_begin = True
                case ".":
                    items.append(One(ANY))
                case "[":
                    items.append(One(self._set()))
                case "^":
                    if not began:
                        raise MooError(E_INVARG)
                    items.append(Check.LINE_BEGIN)
                case "$":
                    if self._at != size and not source.startswith(
                        _AFTER_LINE_END, self._at
                    ):
                        raise MooError(E_INVARG)
                    items.append(Check.LINE_END)
                case "\\w" | "\\W":
                    chars = _WORD_CLASSES[character[1]]
                    items.append(One(chars, is_word_class=True))
                case "\\0":
                    raise MooError(E_INVARG)
                case _ if character[1].isdigit():
                    items.append(Backreference(int(character[1])))
                case _:
                    items.append(_QUOTED_CHECKS[character[1]])
        if outer:
            raise MooError(E_INVARG)
        _flush(plain, items)
        return Tree(branches, registers)

    def _set(self) -> CharSet:
        """Read a set, of which the ``[`` has been read."""
        source = self._source
        at = self._at
        complemented = source.startswith("^", at)
        at += complemented
        end = source.find("]", at + source.startswith("]", at))
        if end < 0:
            raise MooError(E_INVARG)
        self._at = end + 1
        sets: list[CharSet] = []
        previous: str | None = None
        in_range = False
        for raw in source[at:end]:
            character = self._fold(raw)
            if in_range:
                # A range that goes backwards is empty, but its first character
                # has been taken in already.
                assert previous is not None
                sets.append(range_of(ord(previous), ord(character)))
                previous = None
                in_range = False
            elif previous is not None and character == "-":
                in_range = True
            else:
                sets.append(single(character))
                previous = character
        if in_range:
            sets.append(single("-"))
        chars = sets[0] if len(sets) == 1 else union(sets)
        return chars.complement() if complemented else chars


def _flush(plain: list[str], items: list[Item]) -> None:
    if plain:
        items.append(Text("".join(plain)))
        plain.clear()


def _repeat(items: list[Item], operator: str) -> None:
    last = items[-1]
    if isinstance(last, Repeat):
        last.operators.append(operator)
    elif last is not Check.LINE_BEGIN and not isinstance(last, Nothing):
        items[-1] = Repeat(last, [operator], [])
    # `^' binds more loosely than `*', which therefore has nothing to repeat here,
    # and the C server says nothing to that.


def _group(register: int | None, branches: list[list[Item]]) -> Item:
    if (
        register is None
        and len(branches) == 1
        and all(isinstance(item, Nothing) for item in branches[0])
    ):
        return Nothing()
    return Group(register, branches)
