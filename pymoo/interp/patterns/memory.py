"""Searches that remember what has failed: nothing slow is done twice.

The machine goes back to each place that it remembers, and can come to one and the
same from many sides: `match()` of forty a's and ``a*a*a*a*a*b`` takes a million steps.
But from an instruction and a character on it always does the same, unless there are
back references.  What has failed there once fails again, whatever beginning it comes
from.  So a memory of what was reached saves all ways but the first, and a search takes
time in proportion to the subject.

What is found is the same match, since only ways that fail are left out.  Two things
are different on them, and are looked after by asking the machine:

* Groups keep what they took on ways that failed.  Where the match begins is found
  here; what the groups are there, the machine says.
* The machine may run out of places on a way that is left out.  Where the subject is
  so long that it could, or a loop could go round without taking anything, the machine
  searches alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Final

from pymoo.errors import InternalError
from pymoo.interp.patterns.machine import (
    BACKREFERENCE,
    CHECK,
    CLOSE,
    COMMIT_PLUS,
    COMMIT_STAR,
    FIRST_ROUND,
    GIVE_BACK_PLUS,
    GIVE_BACK_STAR,
    JUMP,
    MAX_PLACES,
    NEXT_ROUND,
    NO_PLACE,
    ONE,
    OPEN,
    SPLIT,
    TEXT,
    Registers,
    Tally,
    attempt,
    beginnings,
    holds,
    match_at,
)
from pymoo.interp.patterns.program import Program
from pymoo.values import STEPS_PER_REPORT

# So many steps, and one for each instruction, are gone without a memory: most
# searches need fewer, and to remember costs more.
_PLAIN_STEPS: Final = 1_000

# The most bytes that a memory may have.
_MOST_MARKS: Final = 500_000

_NO_RUN: Final = (-1, -2)

_MARKED: Final = frozenset(
    (
        SPLIT,
        FIRST_ROUND,
        GIVE_BACK_STAR,
        GIVE_BACK_PLUS,
    )
)


def search(
    program: Program, text: str, *, reverse: bool, tally: Tally
) -> Registers | None:
    """Return the groups of the first match in ``text``, with ``reverse`` of the last.

    Raises: E_QUOTA if at some beginning that is tried before, or at the match
        itself, the machine runs out of places, or if the tally is full.
    """
    starts = beginnings(program, text, reverse=reverse, tally=tally)
    patience = tally.steps + _PLAIN_STEPS + len(program.ops)
    undecided: tuple[int, ...] = ()
    for start in starts:
        registers, is_decided = attempt(program, text, start, tally, patience)
        if registers is not None:
            return registers
        if not is_decided:
            undecided = (start,)
        if tally.steps >= patience:
            break
    memory: Memory | None = None
    is_suitable = True
    for start in chain(undecided, starts):
        if memory is None and is_suitable:
            is_suitable = _is_suitable(program, text, tally)
            memory = Memory(program, text, tally) if is_suitable else None
        if memory is not None:
            end = memory.end_of_match(start)
            if end is None:
                continue
            if not program.register_count:
                return [start], [end]
        registers = match_at(program, text, start, tally)
        if registers is not None:
            return registers
        if memory is not None:
            raise InternalError(f"the machine finds nothing at {start} of {text!r}")
    return None


def _is_suitable(program: Program, text: str, tally: Tally) -> bool:
    """Whether a memory would give the answer that the machine gives."""
    marks = program.remembering * (len(text) + 1)
    if marks > (MAX_PLACES if program.gives_back else _MOST_MARKS):
        return False
    if BACKREFERENCE in program.ops:
        return False
    tally.spend(len(program.ops))
    return not _goes_in_circles(program)


def _goes_in_circles(program: Program) -> bool:
    """Whether there is a way from an instruction to itself that takes nothing."""
    ops, args = program.ops, program.args
    is_done = [False] * len(ops)
    is_on_way = [False] * len(ops)
    for root in range(len(ops)):
        pending = [root]
        while pending:
            pc = pending.pop()
            if pc < 0:  # all that can be reached from ~pc was looked at
                is_on_way[~pc] = False
                is_done[~pc] = True
            elif is_on_way[pc]:
                return True
            elif not is_done[pc]:
                is_on_way[pc] = True
                pending += (~pc, *_reached_without_taking(pc, ops[pc], args[pc]))
    return False


def _reached_without_taking(pc: int, op: int, arg: int) -> tuple[int, ...]:
    if op == SPLIT:
        return pc + 1, arg
    if op in (JUMP, NEXT_ROUND):
        return (arg,)
    if op == FIRST_ROUND:
        return (pc + 2,)
    if op in _MAY_TAKE_NOTHING:
        return (pc + 1,)
    return ()


_MAY_TAKE_NOTHING: Final = frozenset(
    (
        GIVE_BACK_STAR,
        COMMIT_STAR,
        OPEN,
        CLOSE,
        CHECK,
    )
)


class Memory:
    """What a program has tried in a text, from whatever beginning.

    `_tried` has, for each instruction that remembers places, a mark for each character
    that it was reached at; for a loop that gives back characters, one for each
    that it was left at.  What is marked has failed, or is on the way that is being
    tried; on that it cannot be met again, since each way back to an instruction takes
    a character.
    """

    def __init__(self, program: Program, text: str, tally: Tally) -> None:
        self._program = program
        self._text = text
        self._tally = tally
        self._tried = {
            pc: bytearray(len(text) + 1)
            for pc, op in enumerate(program.ops)
            if op in _MARKED
        }
        # The stretch of characters that each loop over one has taken last.
        self._runs: dict[int, tuple[int, int]] = {}
        self._taken = 0  # steps of loops over one that the tally was not told of

    def end_of_match(self, start: int) -> int | None:
        """Return where the match that begins at ``start`` ends; None if none does.

        After a match that was found, the memory is of no use.
        """
        ops, args = self._program.ops, self._program.args
        text, tried = self._text, self._tried
        size = len(text)
        # As in the machine, but with ~pc for the places of a loop at pc.
        places: list[int] = []
        pc = 0
        at = start
        chunk = range(STEPS_PER_REPORT)
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
                elif op == SPLIT:
                    marks = tried[pc - 1]
                    if not marks[at]:
                        marks[at] = 1
                        places += (arg, at, at)
                        continue
                elif op == JUMP:
                    pc = arg
                    continue
                elif op <= GIVE_BACK_PLUS:
                    end = self._end_of_run(pc - 1, at, arg)
                    first = at if op == GIVE_BACK_STAR else at + 1
                    if first <= end:
                        places += (~(pc - 1), end, first)
                    # It is left at one of these, and the last is tried first.
                elif op <= COMMIT_PLUS:
                    end = self._end_of_run(pc - 1, at, arg)
                    if op == COMMIT_STAR or end > at:
                        at = end
                        continue
                elif op <= CLOSE:
                    continue
                elif op == NEXT_ROUND:
                    # To remember this place instead of the last one is to begin the
                    # loop anew from here.
                    del places[-3:]
                    pc = arg - 1
                    continue
                elif op == FIRST_ROUND:
                    marks = tried[pc - 1]
                    if not marks[at]:
                        marks[at] = 1
                        places += (arg, NO_PLACE, NO_PLACE)
                        pc += 1
                        continue
                elif op == CHECK:
                    if holds(arg, text, at):
                        continue
                else:
                    self._tell(step + 1)
                    return at
                # Come back to the place remembered last.
                while places:
                    pc, at, first = places[-3:]
                    if pc < 0:
                        pc = ~pc
                        at = tried[pc].rfind(0, first, at + 1)
                        if at > first:
                            places[-2] = at - 1
                        else:
                            del places[-3:]
                            if at < 0:
                                continue
                        tried[pc][at] = 1
                        pc += 1
                    else:
                        del places[-3:]
                        if at < 0:
                            continue
                    break
                else:
                    self._tell(step + 1)
                    return None
            self._tell(STEPS_PER_REPORT)

    def _tell(self, steps: int) -> None:
        steps += self._taken
        self._taken = 0
        self._tally.spend(steps)

    def _end_of_run(self, pc: int, at: int, members: Mapping[str, bool]) -> int:
        """Return where what the loop at ``pc`` takes from ``at`` on ends."""
        first, end = self._runs.get(pc, _NO_RUN)
        if first <= at <= end:
            return end
        text = self._text
        size = len(text)
        start = at
        while at < size and at != first and members[text[at]]:
            at += 1
        self._taken += at - start + 1
        if at != first:
            end = at
        # Otherwise what was known goes on from here.
        self._runs[pc] = start, end
        return end
