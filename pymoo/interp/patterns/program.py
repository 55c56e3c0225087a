"""From the tree of a pattern to a program for the machine.

A program is two parallel lists, operations and their arguments; jumps are
indexes into them.  It does what the C server's byte code does, with the same
points to come back to, in the same order, because their number is limited and
running out of them is something that MOO code can see.

Two kinds of loops are told apart here, when the program is made.  A loop
*commits* when nothing inside it branches and its first character can never be
the one that follows the loop: it then remembers one point to come back to, the
beginning of its last round.  Other loops remember one per round.  What follows a
loop is found out with a flaw: the end of the pattern counts as following with no
character at all, and so does a back reference, even where a check such as ``%<``
stands before the end.  Loops therefore sometimes commit though giving back
would have led to a match: ``match("aaa", "a*%<")`` is {}.

Jumps in the C server are 16 bits; patterns that compile to more than 32 kB make
it jump astray or crash.  There is no such limit here.

Source: regexpr.c, re_compile_pattern, re_compile_fastmap, and Cstar_jump in
re_match_2.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from attrs import frozen

from pymoo.interp.patterns.charset import NEWLINE, CharSet, single
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
from pymoo.values import STEPS_PER_REPORT, Meter


class Op(IntEnum):
    """What one instruction does; in brackets its argument."""

    ONE = 0  # take a character of a set [its members]
    TEXT = 1  # take these characters [text]
    SPLIT = 2  # remember to go on at [index], then fall through
    JUMP = 3  # go on at [index]
    GIVE_BACK_STAR = 4  # take characters of a set, remembering each place [members]
    GIVE_BACK_PLUS = 5  # the same, at least one
    COMMIT_STAR = 6  # take characters of a set, for good [members]
    COMMIT_PLUS = 7  # the same, at least one
    OPEN = 8  # begin a group [register]
    CLOSE = 9  # end it [register]
    NEXT_ROUND = 10  # remember this place instead of the last one, go to [index]
    FIRST_ROUND = 11  # remember a place that is none, then go on after the next
    BACKREFERENCE = 12  # take what a group took [register]
    CHECK = 13  # [kind of check]
    MATCH = 14  # the end
    LOOP = 15  # while the program is made: becomes JUMP or NEXT_ROUND


_COMMITTING: Final = {
    Op.GIVE_BACK_STAR: Op.COMMIT_STAR,
    Op.GIVE_BACK_PLUS: Op.COMMIT_PLUS,
}
_LOOPS_OVER_ONE: Final = frozenset((*_COMMITTING, *_COMMITTING.values()))
_REMEMBERING: Final = frozenset((Op.SPLIT, Op.FIRST_ROUND, *_LOOPS_OVER_ONE))
_BRANCHING: Final = _REMEMBERING | {Op.JUMP, Op.NEXT_ROUND, Op.LOOP}
_TAKES_NOTHING: Final = frozenset((Op.CHECK, Op.OPEN, Op.CLOSE))


class Empty(IntEnum):
    """The C server's idea of whether the rest of a pattern can match nothing."""

    NO = 0
    YES = 1
    AT_LINE_END = 2


@frozen
class Follow:
    """What can come first from some point of a program on.

    ``is_exact`` unless the C server's idea of it is wrong, at a check before the
    end of the pattern or at a back reference.
    """

    chars: CharSet
    empty: Empty
    is_exact: bool


@frozen
class Program:
    """What the machine runs."""

    ops: list[int]
    args: list[Any]
    register_count: int
    first: Follow
    # The check that a match must begin with, when the program begins with it.
    anchor: Check | None
    # How many instructions remember a place to come back to, and whether one of
    # them can do so again and again.
    remembering: int
    gives_back: bool


def assemble(tree: Tree, meter: Meter) -> Program:
    """Return the program of a tree; notes in the tree which loops commit.

    Cost: one step per instruction, and for each loop one per instruction that can
    come first after it.
    """
    assembler = _Assembler(meter)
    assembler.add_branches(tree.branches)
    return assembler.finish(tree.register_count)


class _Assembler:
    def __init__(self, meter: Meter) -> None:
        self._ops: list[Op] = []
        # Until `finish', the argument of what takes a character of a set is the
        # item itself.
        self._args: list[Any] = []
        # Every loop: its LOOP or loop over one character, and whose it is.
        self._loops: list[tuple[int, Repeat, int]] = []
        self._meter = meter
        self._steps = 0

    def _step(self) -> None:
        self._steps += 1
        if self._steps == STEPS_PER_REPORT:
            self._meter.spend(STEPS_PER_REPORT)
            self._steps = 0

    def _emit(self, op: Op, argument: Any = None) -> int:
        self._step()
        self._ops.append(op)
        self._args.append(argument)
        return len(self._ops) - 1

    def add_branches(self, branches: list[list[Item]]) -> None:
        """Append alternatives.

        Recursion goes as deep as groups stand in each other: 99 at most.
        """
        jumps = []
        for branch in branches[:-1]:
            split = self._emit(Op.SPLIT)
            for item in branch:
                self._add(item)
            jumps.append(self._emit(Op.JUMP))
            self._args[split] = len(self._ops)
        for item in branches[-1]:
            self._add(item)
        for jump in jumps:
            self._args[jump] = len(self._ops)

    def _add(self, item: Item) -> None:
        match item:
            case Text():
                self._emit(Op.TEXT, item.text)
            case One():
                self._emit(Op.ONE, item)
            case Repeat():
                self._add_repeat(item)
            case Check():
                self._emit(Op.CHECK, item)
            case Backreference():
                self._emit(Op.BACKREFERENCE, item.register)
            case Group(register=None):
                self.add_branches(item.branches)
            case Group():
                self._emit(Op.OPEN, item.register)
                self.add_branches(item.branches)
                self._emit(Op.CLOSE, item.register)
            case Nothing():
                pass

    def _add_repeat(self, item: Repeat) -> None:
        operators = item.operators
        item.commits = [False] * len(operators)
        operand = item.operand
        over_one = isinstance(operand, One | Text) and operators[0] != "?"
        innermost = int(over_one)
        splits = []
        for index in range(len(operators) - 1, innermost - 1, -1):
            if operators[index] == "+":
                self._emit(Op.FIRST_ROUND)
            splits.append(self._emit(Op.SPLIT))
        if over_one:
            star = operators[0] == "*"
            op = Op.GIVE_BACK_STAR if star else Op.GIVE_BACK_PLUS
            self._loops.append((self._emit(op, operand), item, 0))
        else:
            self._add(operand)
        for index in range(innermost, len(operators)):
            split = splits.pop()
            if operators[index] != "?":
                self._loops.append((self._emit(Op.LOOP, split), item, index))
            self._args[split] = len(self._ops)
        # What a FIRST_ROUND remembers is where its SPLIT, which comes next, goes.

    def finish(self, register_count: int) -> Program:
        """Settle the loops and return the program."""
        ops, args = self._ops, self._args
        self._emit(Op.MATCH)
        for at, item, index in self._loops:
            follow = self._commits(at)
            if follow is not None:
                item.commits[index] = True
                item.commits_visibly |= not follow.is_exact
        first = self._follow(0, None)
        assert first is not None
        gives_back = False
        for at, item, index in self._loops:
            if not item.commits[index]:
                gives_back = True
                if ops[at] == Op.LOOP:
                    ops[at] = Op.JUMP
            elif ops[at] == Op.LOOP:
                ops[at] = Op.NEXT_ROUND
                args[at] += 1
            else:
                ops[at] = _COMMITTING[ops[at]]
        remembering = 0
        for at, op in enumerate(ops):
            if op in _REMEMBERING:
                remembering += 1
            if op == Op.ONE or op in _LOOPS_OVER_ONE:
                args[at] = _first_chars(args[at]).members
            elif op == Op.FIRST_ROUND:
                args[at] = args[at + 1]
        anchor = None
        if ops[0] == Op.CHECK and args[0] in (Check.LINE_BEGIN, Check.SUBJECT_BEGIN):
            anchor = args[0]
        self._meter.spend(self._steps)
        # Plain numbers compare faster than members of an enum.
        plain_ops = [int(op) for op in ops]
        return Program(
            plain_ops, args, register_count, first, anchor, remembering, gives_back
        )

    def _commits(self, loop: int) -> Follow | None:
        """Return what follows a loop if that makes it commit, else None."""
        ops = self._ops
        at = loop
        if ops[loop] == Op.LOOP:
            at = self._args[loop] + 1
            while ops[at] in _TAKES_NOTHING:
                self._step()
                at += 1
            if ops[at] not in (Op.ONE, Op.TEXT):
                return None
            for inside in range(at + 1, loop):
                self._step()
                if ops[inside] in _BRANCHING:
                    return None
        first = self._args[at]
        if isinstance(first, One) and first.is_word_class:
            return None
        return self._follow(loop + 1, _first_chars(first))

    def _follow(self, start: int, unless_meets: CharSet | None) -> Follow | None:
        """Return what can come first from ``start`` on.

        None as soon as some of it belongs to ``unless_meets``.
        """
        ops, args = self._ops, self._args
        narrow = 0
        wide: set[tuple[int, int]] = set()
        empty = Empty.NO
        is_exact = True
        pending = [(start, False)]
        seen = set()
        while pending:
            place = pending.pop()
            while place not in seen:
                seen.add(place)
                self._step()
                at, after_check = place
                op = ops[at]
                chars = None
                if op == Op.ONE or op == Op.TEXT or op in _LOOPS_OVER_ONE:
                    chars = _first_chars(args[at])
                elif op == Op.CHECK and args[at] is Check.LINE_END:
                    chars = NEWLINE
                    if empty == Empty.NO:
                        empty = Empty.AT_LINE_END
                elif op == Op.MATCH or op == Op.BACKREFERENCE:
                    empty = Empty.YES
                    is_exact &= op == Op.MATCH and not after_check
                    break
                if chars is not None:
                    if unless_meets is not None and chars.meets(unless_meets):
                        return None
                    narrow |= chars.narrow
                    wide.update(chars.wide)
                    if op != Op.GIVE_BACK_STAR:
                        break
                elif op == Op.SPLIT:
                    pending.append((args[at], after_check))
                elif op == Op.JUMP or op == Op.LOOP:
                    place = args[at], after_check
                    continue
                elif op == Op.FIRST_ROUND:
                    at += 1
                elif op == Op.CHECK:
                    after_check = True
                place = at + 1, after_check
        return Follow(CharSet(narrow, tuple(sorted(wide))), empty, is_exact)


def _first_chars(taking: One | Text | str) -> CharSet:
    if isinstance(taking, One):
        return taking.chars
    text = taking if isinstance(taking, str) else taking.text
    return single(text[0])
