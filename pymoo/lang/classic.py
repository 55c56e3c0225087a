"""The instructions that the C server would compile a program to.

Users see them: in ``disassemble()``, in tick counts and line numbers, and in the pc
and the stack of every task in a textdump.  So that tasks can be saved and resumed,
`ClassicCode` knows for each node of a program where its instructions are and how
high the operand stack is there, and for each pc that a task can have the nodes it
stands in.

It is data.  Nothing here runs, and nothing recurses: programs may be nested as
deep as the parser allows and have chains of any length.

Source: code_gen.c, opcode.h, decompile.c (lines), disassemble.c.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from functools import cached_property
from typing import Any, Final, TypeAlias

from attrs import define, field, fields, frozen

from pymoo.errors import InternalError
from pymoo.lang.nodes import (
    Add,
    And,
    Assign,
    Block,
    Break,
    Catch,
    Conditional,
    Continue,
    Divide,
    Equal,
    ExceptArm,
    Expression,
    ExpressionStatement,
    ForList,
    ForRange,
    Fork,
    FunctionCall,
    Greater,
    GreaterEqual,
    If,
    In,
    Index,
    Items,
    Length,
    Less,
    LessEqual,
    ListDisplay,
    Literal,
    Modulus,
    Multiply,
    Negate,
    Node,
    Not,
    NotEqual,
    Optional,
    Or,
    Power,
    Property,
    Range,
    Required,
    Rest,
    Return,
    Scatter,
    Splice,
    Subtract,
    TryExcept,
    TryFinally,
    Variable,
    VerbCall,
    While,
)
from pymoo.lang.program import Program
from pymoo.lang.unparse import layout
from pymoo.values import TYPE_FLOAT, Value, literal

MAIN: Final = -1
"""The number of the vector that is the program without the bodies of its forks."""


# --- instructions ---------------------------------------------------------

_FIRST_EXTENDED: Final = 256


class Op(IntEnum):
    """The instructions (opcode.h).

    From 256 on they are extended ones: a byte `EXTENDED`, then the number less
    256.  `PUT` and `PUSH` are the first of 32 each, for the variables in the
    first slots; `NUM` is the first of the small integers, which is -10.
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
"""Integers from `NUM_MIN` on have instructions of their own, up to this one."""

# The kinds of operands, by instruction.  Labels, literals, forks, variables and
# stack depths are as wide as their vector needs; bytes are counts and function
# numbers.
_LABEL: Final = "label"
_LITERAL: Final = "literal"
_FORK: Final = "fork"
_VARIABLE: Final = "variable"
_STACK: Final = "stack"
_BYTE: Final = "byte"

_OPERANDS: Final[dict[int, tuple[str, ...]]] = {
    Op.IF: (_LABEL,),
    Op.WHILE: (_LABEL,),
    Op.ELSEIF: (_LABEL,),
    Op.FORK: (_FORK,),
    Op.FORK_NAMED: (_FORK, _VARIABLE),
    Op.FOR_LIST: (_VARIABLE, _LABEL),
    Op.FOR_RANGE: (_VARIABLE, _LABEL),
    Op.CALL_FUNC: (_BYTE,),
    Op.IF_EXPR: (_LABEL,),
    Op.AND: (_LABEL,),
    Op.OR: (_LABEL,),
    Op.G_PUT: (_VARIABLE,),
    Op.G_PUSH: (_VARIABLE,),
    Op.PUSH_LITERAL: (_LITERAL,),
    Op.JUMP: (_LABEL,),
    Op.LENGTH: (_STACK,),
    Op.PUSH_LABEL: (_LABEL,),
    Op.END_CATCH: (_LABEL,),
    Op.END_EXCEPT: (_LABEL,),
    Op.TRY_EXCEPT: (_BYTE,),
    Op.TRY_FINALLY: (_LABEL,),
    Op.WHILE_ID: (_VARIABLE, _LABEL),
    Op.EXIT: (_STACK, _LABEL),
    Op.EXIT_ID: (_VARIABLE, _STACK, _LABEL),
}


def operand_kinds(code: int, operands: Sequence[object]) -> tuple[str, ...]:
    """Return what the operands of an instruction are."""
    if code == Op.SCATTER:
        # Counts; a variable and a label for each target; the label of the end.
        targets = (len(operands) - 4) // 2
        return (_BYTE, _BYTE, _BYTE, *(_VARIABLE, _LABEL) * targets, _LABEL)
    return _OPERANDS.get(code, ())


def ticks(code: int) -> int:
    """Return how many ticks an instruction takes, 0 or 1.

    Extended ones take theirs without looking whether any is left.
    """
    if code >= _FIRST_EXTENDED:
        return int(code >= Op.CATCH)
    return int(code <= Op.G_PUT)


@frozen
class Instruction:
    """One instruction of a vector.

    ``code`` is a number of `Op`, or that many above `Op.PUT`, `Op.PUSH` and
    `Op.NUM` as there are slots and integers below the one meant.  ``operands``
    are numbers: pcs, or indexes into the literals, forks, variables, the stack.
    For `Op.CALL_FUNC` the operand is the name of the function.  ``line`` is that
    of errors here.
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

    label: int
    literal: int
    fork: int
    variable: int
    stack: int
    byte: int = 1


# --- vectors --------------------------------------------------------------


class _Place:
    """A place in a vector that instructions jump to: the one that follows."""

    __slots__ = ("index",)

    index: int


@define(eq=False)
class _Loop:
    """A loop being compiled."""

    node: Node
    head: _Place
    end: _Place
    depth_inside: int
    depth_outside: int


# What an instruction is before the places are known: code, line, operands.
_Draft: TypeAlias = tuple[int, int, tuple[Any, ...]]


@define(eq=False, slots=False)
class Vector:
    """The instructions of the main program or of a fork's body."""

    number: int
    max_stack: int
    widths: Widths
    size: int
    pcs: list[int] = field(repr=False)
    _drafts: list[_Draft] = field(repr=False)

    @cached_property
    def instructions(self) -> tuple[Instruction, ...]:
        """All instructions, in order."""
        return tuple(
            Instruction(
                pc,
                code,
                tuple(
                    self.pcs[operand.index] if type(operand) is _Place else operand
                    for operand in operands
                ),
                line,
            )
            for pc, (code, line, operands) in zip(self.pcs, self._drafts, strict=True)
        )

    def line_at(self, pc: int) -> int:
        """Return the line of errors in the instruction that ``pc`` points into."""
        return self._drafts[max(0, bisect_right(self.pcs, pc) - 1)][1]


def _operand_width(largest: int) -> int:
    return 1 if largest <= 256 else 2 if largest <= 65536 else 4


class _Assembly:
    """A vector being compiled.

    ``depth`` is the height of the operand stack at the next instruction.
    """

    def __init__(self) -> None:
        self.drafts: list[_Draft] = []
        self.depth = self.max_stack = 0
        self.loops: list[_Loop] = []
        # Where on the stack the values are that are being indexed.
        self.bases: list[int] = []
        self.calls: list[tuple[Node, int, int]] = []
        self.handlers: list[tuple[Node, _Place]] = []
        self.finished_loops: list[_Loop] = []

    def push(self) -> None:
        self.depth += 1
        if self.depth > self.max_stack:
            self.max_stack = self.depth

    def finish(
        self, number: int, literals: int, forks: int, variable_operands: int
    ) -> Vector:
        """Return the vector; the counts are those of the whole program so far.

        Source: code_gen.c, stmt_to_code.
        """
        counts = dict.fromkeys((_LABEL, _LITERAL, _FORK, _VARIABLE, _STACK, _BYTE), 0)
        largest = {_LITERAL: literals, _FORK: forks, _VARIABLE: variable_operands}
        size = 0
        for code, _, operands in self.drafts:
            size += 2 if code >= _FIRST_EXTENDED else 1
            if not operands:
                continue
            size += len(operands)
            for kind, operand in zip(
                operand_kinds(code, operands), operands, strict=True
            ):
                counts[kind] += 1
                # The C server compares the largest operand of this vector with
                # counts of the whole program; tasks in old databases rely on it.
                if kind in largest and operand > largest[kind]:
                    largest[kind] = operand
        wide = {kind: _operand_width(value) for kind, value in largest.items()}
        size += sum((width - 1) * counts[kind] for kind, width in wide.items())
        if size <= 256:
            label = 1
        elif size + counts[_LABEL] <= 65536:
            label = 2
        else:
            label = 4
        widths = Widths(
            label=label, **wide, stack=_operand_width(self.max_stack)
        )
        pcs = []
        pc = 0
        plain = widths == _NARROW
        for code, _, operands in self.drafts:
            pcs.append(pc)
            pc += 2 if code >= _FIRST_EXTENDED else 1
            if plain:
                pc += len(operands)
            elif operands:
                for kind in operand_kinds(code, operands):
                    pc += getattr(widths, kind)
        return Vector(number, self.max_stack, widths, pc, pcs, self.drafts)


_NARROW: Final = Widths(1, 1, 1, 1, 1)


# --- the whole program ----------------------------------------------------

_Action: TypeAlias = tuple[Any, ...]

_BINARY: Final[dict[type[Node], int]] = {
    Multiply: Op.MULTIPLY,
    Divide: Op.DIVIDE,
    Modulus: Op.MOD,
    Add: Op.ADD,
    Subtract: Op.SUBTRACT,
    Equal: Op.EQ,
    NotEqual: Op.NE,
    Less: Op.LT,
    LessEqual: Op.LE,
    Greater: Op.GT,
    GreaterEqual: Op.GE,
    In: Op.IN,
    Power: Op.EXPONENT,
}


class ClassicCode:
    """The classic code of one program, and the ways between it and the nodes.

    A place in the code is the number of a vector, `MAIN` or that of a fork, and a
    pc in it.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        compiler = _Compiler(program)
        self.literals: tuple[Value, ...] = tuple(compiler.literals)
        """The literals by index; equal ones of one type are one."""
        self.main = compiler.compile()
        self.forks = tuple(compiler.forks)
