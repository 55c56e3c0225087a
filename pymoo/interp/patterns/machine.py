"""Runs the program of a pattern: the definition of what a pattern matches.

The machine tries one beginning after the other.  From each it goes through the
program, remembering places to come back to, until it is through or nothing is left
to come back to.  Three things that other engines do otherwise can be seen:

* Groups are not restored when the machine comes back.  What a group took on a
  way that failed stays in its register unless the way that succeeds takes it
  again, and the beginning of a group can be that of a later round than its end:
  ``match("ab", "%(a%)c%|ab")[3][1]`` is {1, 1}, and in ``match("abc",
  "%(a%|ab%)*c")`` it is {2, 2}.
* No more than 65,536 places can be remembered.  Then the C server gives up, also
  when a loop goes round without taking anything: E_QUOTA.
* `rmatch()` looks at the character where a match would begin before it tries.
  After the last one it sees the NUL byte that ends strings in C, so that
  ``rmatch("foobar", "$")`` is {}, while ``rmatch("", "$")`` finds something.

Source: regexpr.c, re_match_2 and re_search_2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pymoo.errors import MooError
from pymoo.interp.patterns.charset import WORD
from pymoo.interp.patterns.program import Empty, Op, Program
from pymoo.interp.patterns.syntax import Check
from pymoo.values import E_QUOTA, STEPS_PER_REPORT, Meter

# The C server's memory for places begins with room for 128, is doubled when full,
# and must not hold more than 100,000 (regexpr.c, MAX_FAILURES).
MAX_PLACES: Final = 65_536

# Fewer steps than this, at one beginning, need not be reported.
_FEW_STEPS: Final = 256

# Where groups begin and end, by register, as text[begin:end]; an end of -1 for
# a group that took nothing yet.  Register 0 is the whole match.
Registers = tuple[list[int], list[int]]

_NO_PLACE: Final = -1

_ONE = int(Op.ONE)
_TEXT = int(Op.TEXT)
_SPLIT = int(Op.SPLIT)
_JUMP = int(Op.JUMP)
_GIVE_BACK_STAR = int(Op.GIVE_BACK_STAR)
_GIVE_BACK_PLUS = int(Op.GIVE_BACK_PLUS)
_COMMIT_STAR = int(Op.COMMIT_STAR)
_COMMIT_PLUS = int(Op.COMMIT_PLUS)
_OPEN = int(Op.OPEN)
_CLOSE = int(Op.CLOSE)
_NEXT_ROUND = int(Op.NEXT_ROUND)
_FIRST_ROUND = int(Op.FIRST_ROUND)
_BACKREFERENCE = int(Op.BACKREFERENCE)
_CHECK = int(Op.CHECK)


def search(
    program: Program, text: str, *, reverse: bool, meter: Meter
) -> Registers | None:
    """Return the groups of the first match in ``text``, with ``reverse`` of the last.

    Raises: E_QUOTA if at some beginning that is tried before, or at the match
        itself, the machine runs out of places.
    """
    for start in beginnings(program, text, reverse=reverse, meter=meter):
        registers = match_at(program, text, start, meter)
        if registers is not None:
            return registers
    return None


def beginnings(
    program: Program, text: str, *, reverse: bool, meter: Meter
) -> Iterator[int]:
    """Yield where the C server would try a match, in its order."""
    size = len(text)
    reverse = reverse and size > 0
    anchor = program.anchor
    if anchor is Check.SUBJECT_BEGIN:
        # Nothing but the place where the search begins is tried, and for rmatch()
        # that is the end.
        if not reverse:
            yield 0
        return
    starts: Sequence[int] = range(size + 1)
    if anchor is Check.LINE_BEGIN:
        starts = _line_begins(text)
    members = program.first.chars.members
    empty = program.first.empty
    if reverse:
        starts = starts[::-1]
        untested = 0
    else:
        untested = size if empty == Empty.AT_LINE_END else -1
    steps = 0
    for start in starts:
        steps += 1
        if steps == STEPS_PER_REPORT:
            meter.spend(steps)
            steps = 0
        if empty != Empty.YES and start != untested:
            if start < size:
                if not members[text[start]]:
                    continue
            elif not (reverse and members["\0"]):
                continue
        yield start


def _line_begins(text: str) -> list[int]:
    begins = [0]
    newline = text.find("\n")
    while newline >= 0:
        begins.append(newline + 1)
        newline = text.find("\n", newline + 1)
    return begins


def match_at(program: Program, text: str, start: int, meter: Meter) -> Registers | None:
    """Return the groups if the program matches from ``start`` on.

    Raises: E_QUOTA if the machine runs out of places.
    """
    ops = program.ops
    args = program.args
    size = len(text)
    count = program.register_count + 1
    opened = [0] * count
    begins = [0] * count
    # Ten at least, because a back reference may name a group that does not exist.
    ends = [-1] * max(count, 10)
    # Three numbers for each run of places to come back to: where the program goes
    # on, and the last and the first of the characters to go on with, in a row.
    places: list[int] = []
    depth = 0  # how many places these are
    pc = 0
    at = start
    chunk = range(STEPS_PER_REPORT)
    while True:
        for step in chunk:
            op = ops[pc]
            arg = args[pc]
            pc += 1
            if op == _ONE:
                if at < size and arg[text[at]]:
                    at += 1
                    continue
            elif op == _TEXT:
                if text.startswith(arg, at):
                    at += len(arg)
                    continue
            elif op <= _JUMP:
                if op == _SPLIT:
                    if depth == MAX_PLACES:
                        raise MooError(E_QUOTA)
                    depth += 1
                    places += (arg, at, at)
                else:
                    pc = arg
                continue
            elif op <= _COMMIT_PLUS:
                if depth == MAX_PLACES:
                    raise MooError(E_QUOTA)
                first = at
                if op <= _GIVE_BACK_PLUS:
                    # One place per round; the last round, which fails, comes
                    # back at once.
                    room = MAX_PLACES - depth
                    end = min(size, at + room)
                    while at < end and arg[text[at]]:
                        at += 1
                    taken = at - first
                    if taken == room:
                        raise MooError(E_QUOTA)
                    if taken > _FEW_STEPS:
                        meter.spend(taken)
                    if op == _GIVE_BACK_STAR:
                        if taken:
                            depth += taken
                            places += (pc, at - 1, first)
                        continue
                    if taken:
                        depth += taken
                        places += (pc, _NO_PLACE, _NO_PLACE)
                        if taken > 1:
                            places += (pc, at - 1, first + 1)
                        continue
                else:
                    at = _run_end(text, at, arg, meter)
                    if op == _COMMIT_STAR or at > first:
                        continue
            elif op == _OPEN:
                opened[arg] = at
                continue
            elif op == _CLOSE:
                begins[arg] = opened[arg]
                ends[arg] = at
                continue
            elif op == _NEXT_ROUND:
                # The place remembered last is this loop's.
                places[-2] = places[-1] = at
                pc = arg
                continue
            elif op == _FIRST_ROUND:
                if depth == MAX_PLACES:
                    raise MooError(E_QUOTA)
                depth += 1
                places += (arg, _NO_PLACE, _NO_PLACE)
                pc += 1
                continue
            elif op == _BACKREFERENCE:
                # A group whose beginning is of a later round than its end matches
                # nothing: the C server compares until the subject ends.
                if ends[arg] >= 0 and begins[arg] <= ends[arg]:
                    taken = ends[arg] - begins[arg]
                    if text.startswith(text[begins[arg] : ends[arg]], at):
                        at += taken
                        continue
            elif op == _CHECK:
                if _holds(arg, text, at):
                    continue
            else:
                if step > _FEW_STEPS:
                    meter.spend(step)
                begins[0] = start
                ends[0] = at
                return begins, ends
            # Come back to the place remembered last.
            while places:
                depth -= 1
                at = places[-2]
                if at < 0:
                    del places[-3:]
                    continue
                pc = places[-3]
                if at > places[-1]:
                    places[-2] = at - 1
                else:
                    del places[-3:]
                break
            else:
                if step > _FEW_STEPS:
                    meter.spend(step)
                return None
        meter.spend(STEPS_PER_REPORT)


def _run_end(text: str, at: int, members: dict[str, bool], meter: Meter) -> int:
    """Return where, from ``at`` on, the first character outside a set is."""
    size = len(text)
    while True:
        start = at
        end = min(size, at + STEPS_PER_REPORT)
        while at < end and members[text[at]]:
            at += 1
        if at - start > _FEW_STEPS:
            meter.spend(at - start)
        if at < end or at == size:
            return at


def _holds(check: Check, text: str, at: int) -> bool:
    size = len(text)
    match check:
        case Check.LINE_BEGIN:
            return at == 0 or text[at - 1] == "\n"
        case Check.LINE_END:
            return at == size or text[at] == "\n"
        case Check.SUBJECT_BEGIN:
            return at == 0
        case Check.SUBJECT_END:
            return at == size
    word = WORD.members
    after_word = at > 0 and word[text[at - 1]]
    before_word = at < size and word[text[at]]
    match check:
        case Check.WORD_BEGIN:
            return before_word and not after_word
        case Check.WORD_END:
            return after_word and not before_word
    # The beginning and the end of the subject always count as edges for `%b'.
    # `%B' was meant to be its opposite, but is `%b' without them.
    at_end = at == 0 or at == size
    if check is Check.WORD_EDGE:
        return at_end or after_word != before_word
    return not at_end and after_word != before_word
