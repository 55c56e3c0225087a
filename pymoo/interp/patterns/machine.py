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

Going through the same part of a program from the same character again and again is
what makes patterns slow.  `memory` finds where a match is without that; it does so
for searches that the machine has spent many steps on.

Source: regexpr.c, re_match_2 and re_search_2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pymoo.errors import MooError
from pymoo.interp.patterns.charset import WORD
from pymoo.interp.patterns.program import Empty, Op, Program
from pymoo.interp.patterns.syntax import Check
from pymoo.values import E_QUOTA, STEPS_PER_REPORT, UNMETERED, Meter

# The C server's memory for places begins with room for 128, is doubled when full,
# and must not hold more than 100,000 (regexpr.c, MAX_FAILURES).
MAX_PLACES: Final = 65_536

# Where groups begin and end, by register, as text[begin:end]; an end of -1 for
# a group that took nothing yet.  Register 0 is the whole match.
Registers = tuple[list[int], list[int]]

NO_PLACE: Final = -1

# Plain numbers, as in `Program.ops`.
ONE = int(Op.ONE)
TEXT = int(Op.TEXT)
SPLIT = int(Op.SPLIT)
JUMP = int(Op.JUMP)
GIVE_BACK_STAR = int(Op.GIVE_BACK_STAR)
GIVE_BACK_PLUS = int(Op.GIVE_BACK_PLUS)
COMMIT_STAR = int(Op.COMMIT_STAR)
COMMIT_PLUS = int(Op.COMMIT_PLUS)
OPEN = int(Op.OPEN)
CLOSE = int(Op.CLOSE)
NEXT_ROUND = int(Op.NEXT_ROUND)
FIRST_ROUND = int(Op.FIRST_ROUND)
BACKREFERENCE = int(Op.BACKREFERENCE)
CHECK = int(Op.CHECK)


class Tally:
    """Counts the steps of one match and tells the meter of them.

    Beyond ``most`` steps, if there is such a limit, the match is given up: E_QUOTA.
    """

    __slots__ = ("_meter", "_most", "_told", "steps")

    def __init__(self, meter: Meter = UNMETERED, most: int | None = None) -> None:
        self.steps = 0
        self._told = 0
        self._meter = meter
        self._most = most

    def spend(self, steps: int) -> None:
        """Count ``steps``; a Tally is the meter of its match."""
        self.steps += steps
        if self.steps - self._told >= STEPS_PER_REPORT:
            self.tell()
        if self._most is not None and self.steps > self._most:
            self.tell()
            raise MooError(E_QUOTA)

    def tell(self) -> None:
        """Report what has not been reported yet."""
        steps = self.steps - self._told
        self._told = self.steps
        if steps:
            self._meter.spend(steps)


def beginnings(
    program: Program, text: str, *, reverse: bool, tally: Tally
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
            tally.spend(steps)
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


def match_at(program: Program, text: str, start: int, tally: Tally) -> Registers | None:
    """Return the groups if the program matches from ``start`` on.

    Raises: E_QUOTA if the machine runs out of places.
    """
    return attempt(program, text, start, tally, None)[0]


def attempt(
    program: Program, text: str, start: int, tally: Tally, patience: int | None
) -> tuple[Registers | None, bool]:
    """As `match_at`, and whether that is the answer.

    It is not if the tally has reached ``patience`` before the end.
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
    chunk = range(
        STEPS_PER_REPORT
        if patience is None
        else min(STEPS_PER_REPORT, max(patience - tally.steps, 1))
    )
    while True:
        for step in chunk:
            op = ops[pc]
            arg = args[pc]
            pc += 1
            if op == ONE:
                if at < size and arg[text[at]]:
                    at += 1
                    continue
            elif op == TEXT:
                if text.startswith(arg, at):
                    at += len(arg)
                    continue
            elif op <= JUMP:
                if op == SPLIT:
                    if depth == MAX_PLACES:
                        raise MooError(E_QUOTA)
                    depth += 1
                    places += (arg, at, at)
                else:
                    pc = arg
                continue
            elif op <= COMMIT_PLUS:
                if depth == MAX_PLACES:
                    raise MooError(E_QUOTA)
                first = at
                if op <= GIVE_BACK_PLUS:
                    # One place per round; the last round, which fails, comes
                    # back at once.
                    room = MAX_PLACES - depth
                    end = min(size, at + room)
                    while at < end and arg[text[at]]:
                        at += 1
                    taken = at - first
                    if taken == room:
                        raise MooError(E_QUOTA)
                    if taken:
                        tally.spend(taken)
                        if patience is not None and tally.steps >= patience:
                            return None, False
                    if op == GIVE_BACK_STAR:
                        if taken:
                            depth += taken
                            places += (pc, at - 1, first)
                        continue
                    if taken:
                        depth += taken
                        places += (pc, NO_PLACE, NO_PLACE)
                        if taken > 1:
                            places += (pc, at - 1, first + 1)
                        continue
                else:
                    at = run_end(text, at, arg, tally)
                    if patience is not None and tally.steps >= patience:
                        return None, False
                    if op == COMMIT_STAR or at > first:
                        continue
            elif op == OPEN:
                opened[arg] = at
                continue
            elif op == CLOSE:
                begins[arg] = opened[arg]
                ends[arg] = at
                continue
            elif op == NEXT_ROUND:
                # The place remembered last is this loop's.
                places[-2] = places[-1] = at
                pc = arg
                continue
            elif op == FIRST_ROUND:
                if depth == MAX_PLACES:
                    raise MooError(E_QUOTA)
                depth += 1
                places += (arg, NO_PLACE, NO_PLACE)
                pc += 1
                continue
            elif op == BACKREFERENCE:
                # A group whose beginning is of a later round than its end matches
                # nothing: the C server compares until the subject ends.
                if ends[arg] >= 0 and begins[arg] <= ends[arg]:
                    taken = ends[arg] - begins[arg]
                    if text.startswith(text[begins[arg] : ends[arg]], at):
                        at += taken
                        continue
            elif op == CHECK:
                if holds(arg, text, at):
                    continue
            else:
                tally.spend(step + 1)
                begins[0] = start
                ends[0] = at
                return (begins, ends), True
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
                tally.spend(step + 1)
                return None, True
        tally.spend(len(chunk))
        if patience is not None and tally.steps >= patience:
            return None, False


def run_end(text: str, at: int, members: Mapping[str, bool], tally: Tally) -> int:
    """Return where, from ``at`` on, the first character outside a set is."""
    size = len(text)
    while True:
        start = at
        end = min(size, at + STEPS_PER_REPORT)
        while at < end and members[text[at]]:
            at += 1
        if at > start:
            tally.spend(at - start)
        if at < end or at == size:
            return at


def holds(check: Check, text: str, at: int) -> bool:
    """Whether a check is true before the character at ``at``."""
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
