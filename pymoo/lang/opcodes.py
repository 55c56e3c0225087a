"""The C server's instructions: their numbers, their operands, what they cost.

Source: opcode.h, code_gen.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from attrs import frozen

FIRST_EXTENDED: Final = 256


class Op(IntEnum):
    """The instructions, by the names that ``disassemble()`` shows.

    From 256 on they are extended ones: a byte `EXTENDED`, then the number less
    256.  `PUT` and `PUSH` are the first of 32 each, for the variables in the
    first slots; `NUM` is the first of those for small integers.
    """

    IF = 0
    WHILE = 1
    ELSEIF = 2
    FORK = 3
    FORK_NAMED = 4
    FOR_LIST = 5
    FOR_RANGE = 6
    INDEXSET = 7
    PUSH_GET_PROP = 8
    GET_PROP = 9
    CALL_VERB = 10
    PUT_PROP = 11
    CALL_FUNC = 12
    IF_EXPR = 13
    INDEX = 14
    RANGE = 15
    MAKE_SINGLETON_LIST = 16
    CHECK_LIST_FOR_SPLICE = 17
    MULTIPLY = 18
    DIVIDE = 19
    MOD = 20
    ADD = 21
    SUBTRACT = 22
    EQ = 23
    NE = 24
    LT = 25
    LE = 26
    GT = 27
    GE = 28
    IN = 29
    AND = 30
    OR = 31
    NEGATE = 32
    NOT = 33
    PUT = 34
    G_PUT = 66
    PUSH = 67
    G_PUSH = 99
    PUSH_LITERAL = 100
    MAKE_EMPTY_LIST = 101
    LIST_ADD_TAIL = 102
    LIST_APPEND = 103
    PUSH_INDEX = 104
    PUT_TEMP = 105
    PUSH_TEMP = 106
    JUMP = 107
    RETURN = 108
    RETURN_0 = 109
    DONE = 110
    POP = 111
    EXTENDED = 112
    NUM = 113

    RANGESET = 256
    LENGTH = 257
    PUSH_LABEL = 258
    END_CATCH = 259
    END_EXCEPT = 260
    END_FINALLY = 261
    CONTINUE = 262
    CATCH = 263
    TRY_EXCEPT = 264
    TRY_FINALLY = 265
    WHILE_ID = 266
    EXIT = 267
    EXIT_ID = 268
    SCATTER = 269
    EXPONENT = 270


READY_VARIABLES: Final = 32
"""Variables in slots below this have instructions of their own."""

NUM_MIN: Final = -10
NUM_MAX: Final = 255 - Op.NUM + NUM_MIN
"""Integers from `NUM_MIN` up to this one have instructions of their own."""

# The kinds of operands.  Bytes are counts and function numbers; the others are as
# wide as their vector needs.
LABEL: Final = "label"
LITERAL: Final = "literal"
FORK: Final = "fork"
VARIABLE: Final = "variable"
STACK: Final = "stack"
BYTE: Final = "byte"

_OPERANDS: Final[dict[int, tuple[str, ...]]] = {
    Op.IF: (LABEL,),
    Op.WHILE: (LABEL,),
    Op.ELSEIF: (LABEL,),
    Op.FORK: (FORK,),
    Op.FORK_NAMED: (FORK, VARIABLE),
    Op.FOR_LIST: (VARIABLE, LABEL),
    Op.FOR_RANGE: (VARIABLE, LABEL),
    Op.CALL_FUNC: (BYTE,),
    Op.IF_EXPR: (LABEL,),
    Op.AND: (LABEL,),
    Op.OR: (LABEL,),
    Op.G_PUT: (VARIABLE,),
    Op.G_PUSH: (VARIABLE,),
    Op.PUSH_LITERAL: (LITERAL,),
    Op.JUMP: (LABEL,),
    Op.LENGTH: (STACK,),
    Op.PUSH_LABEL: (LABEL,),
    Op.END_CATCH: (LABEL,),
    Op.END_EXCEPT: (LABEL,),
    Op.TRY_EXCEPT: (BYTE,),
    Op.TRY_FINALLY: (LABEL,),
    Op.WHILE_ID: (VARIABLE, LABEL),
    Op.EXIT: (STACK, LABEL),
    Op.EXIT_ID: (VARIABLE, STACK, LABEL),
}


def operand_kinds(code: int, operands: Sequence[object]) -> tuple[str, ...]:
    """Return what the operands of an instruction are."""
    if code == Op.SCATTER:
        # Counts; a variable and a label for each target; the label of the end.
        targets = (len(operands) - 4) // 2
        return (BYTE, BYTE, BYTE, *(VARIABLE, LABEL) * targets, LABEL)
    return _OPERANDS.get(code, ())


def ticks(code: int) -> int:
    """Return how many ticks an instruction takes, 0 or 1.

    Extended ones take theirs without looking whether any is left.
    """
    if code >= FIRST_EXTENDED:
        return int(code >= Op.CATCH)
    return int(code <= Op.G_PUT)


@frozen
class Instruction:
    """One instruction of a vector.

    ``code`` is a number of `Op`, or as many above `Op.PUT`, `Op.PUSH` or `Op.NUM`
    as there are slots or integers before the one meant.  ``operands`` are numbers:
    pcs, counts, or indexes into the literals, forks, variables, the stack; that
    of `Op.CALL_FUNC` is the name of the function.  ``line`` is that of errors.
    """

    pc: int
    code: int
    operands: tuple[int | str, ...]
    line: int

    @property
    def ticks(self) -> int:
        return ticks(self.code)


@frozen
class Widths:
    """How many bytes the operands of a vector take, by kind."""

    label: int = 1
    literal: int = 1
    fork: int = 1
    variable: int = 1
    stack: int = 1
    byte: int = 1
