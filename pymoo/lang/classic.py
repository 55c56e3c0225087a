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
from functools import cache, cached_property
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

    vector: Vector  # once it is finished

    def __init__(self) -> None:
        self.drafts: list[_Draft] = []
        self.depth = self.max_stack = 0
        self.loops: list[_Loop] = []
        # Where on the stack the values are that are being indexed.
        self.bases: list[int] = []
        # Calls with their instructions and how long these are.
        self.calls: list[tuple[Node, int, int]] = []
        self.handlers: list[tuple[Node, _Place]] = []
        self.finished_loops: list[_Loop] = []

    def push(self) -> None:
        self.depth += 1
        if self.depth > self.max_stack:
            self.max_stack = self.depth

    def finish(self, literals: int, forks: int, variable_operands: int) -> Vector:
        """Return the vector; the counts are those of the whole program so far.

        Source: code_gen.c, stmt_to_code.
        """
        counts = dict.fromkeys((_LABEL, _LITERAL, _FORK, _VARIABLE, _STACK, _BYTE), 0)
        largest = {_LITERAL: literals, _FORK: forks, _VARIABLE: variable_operands}
        size = 0
        for code, _, operands in self.drafts:
            size += 2 if code >= _FIRST_EXTENDED else 1
            if operands:
                size += len(operands)
                kinds = operand_kinds(code, operands)
                for kind, operand in zip(kinds, operands, strict=True):
                    counts[kind] += 1
                    # The C server compares the largest operand of a vector with
                    # counts of the whole program; old tasks rely on it.
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
        widths = Widths(label=label, **wide, stack=_operand_width(self.max_stack))
        pcs = []
        pc = 0
        for code, _, operands in self.drafts:
            pcs.append(pc)
            pc += 2 if code >= _FIRST_EXTENDED else 1
            if operands:
                if widths == _NARROW:
                    pc += len(operands)
                else:
                    for kind in operand_kinds(code, operands):
                        pc += getattr(widths, kind)
        return Vector(self.max_stack, widths, pc, pcs, self.drafts)


_NARROW: Final = Widths(1, 1, 1, 1, 1)


# --- compiling ------------------------------------------------------------

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

# What is still to be compiled: nodes, and what is to be done between them, as a
# method with its arguments.
_Action: TypeAlias = tuple[Any, ...]
_Step: TypeAlias = Node | _Action


class _Compiler:
    """Compiles a program, without recursion: ``pending`` has the next step last.

    Each method for a node emits what comes before its operands and leaves the
    operands, and what comes between and after them, as steps.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.literals: dict[tuple[type, Value], int] = {}
        self.variable_operands = 0
        self.forks: list[_Assembly] = []
        self.assembly = _Assembly()
        self.around: list[_Assembly] = []  # the vectors around, outermost first
        self.depths: dict[int, int] = {}
        self.length_bases: dict[int, int] = {}
        self.pending: list[_Step] = []
        self.line = program.first_line
        # The lines of statements and arms, of what ends a statement, and of
        # `else` and `finally`.
        self.first_lines: dict[int, int] = {}
        self.end_lines: dict[int, int] = {}
        self.middle_lines: dict[int, int] = {}
        number = program.first_line
        for _, word, node in layout(program.body):
            if word in ("else", "finally"):
                self.middle_lines[id(node)] = number
            elif word.startswith("end"):
                self.end_lines[id(node)] = number
            else:
                self.first_lines[id(node)] = number
            number += 1
        self.line_behind = number

    def run(self) -> _Assembly:
        """Compile everything; return the main vector."""
        pending = self.pending
        depths = self.depths
        pending += (
            (self.finish_vector,),
            (self.at_line, self.line_behind),
            *reversed(self.program.body),
        )
        while pending:
            step = pending.pop()
            if type(step) is tuple:
                step[0](*step[1:])
                continue
            key = id(step)
            if key in depths:
                raise InternalError("a node stands in two places of a program")
            depths[key] = self.assembly.depth
            _COMPILE[type(step)](self, step)
        return self.assembly

    # --- steps ------------------------------------------------------------

    def later(self, *steps: _Step) -> None:
        """Leave steps to be done next, in this order."""
        self.pending += reversed(steps)

    def emit(self, code: int, *operands: int | str | _Place) -> None:
        self.assembly.drafts.append((code, self.line, operands))

    def emit_popping(self, pops: int, code: int, *operands: int | _Place) -> None:
        """Emit an instruction that leaves the stack ``pops`` lower."""
        self.assembly.drafts.append((code, self.line, operands))
        self.assembly.depth -= pops

    def emit_pushing(self, code: int, *operands: int | _Place) -> None:
        """Emit an instruction that leaves the stack one higher."""
        self.assembly.drafts.append((code, self.line, operands))
        self.assembly.push()

    def place_here(self, place: _Place) -> None:
        """Make the next instruction the one that ``place`` is."""
        place.index = len(self.assembly.drafts)

    def at_line(self, line: int) -> None:
        self.line = line

    def block(self, block: Block) -> None:
        self.pending += reversed(block)

    def mark(self, node: Node) -> None:
        """Note the depth of a node that is no step of its own."""
        key = id(node)
        if key in self.depths:
            raise InternalError("a node stands in two places of a program")
        self.depths[key] = self.assembly.depth

    def push_variable(self, slot: int) -> None:
        if slot < READY_VARIABLES:
            self.emit_pushing(Op.PUSH + slot)
        else:
            self.variable_operands += 1
            self.emit_pushing(Op.G_PUSH, slot)

    def put_variable(self, slot: int) -> None:
        if slot < READY_VARIABLES:
            self.emit(Op.PUT + slot)
        else:
            self.variable_operands += 1
            self.emit(Op.G_PUT, slot)

    # --- expressions ------------------------------------------------------

    def literal(self, node: Literal) -> None:
        value = node.value
        if type(value) is int and NUM_MIN <= value <= NUM_MAX:
            self.emit_pushing(Op.NUM - NUM_MIN + value)
            return
        # Python holds 0.0 and -0.0 for one key, as the C server does.
        index = self.literals.setdefault((type(value), value), len(self.literals))
        self.emit_pushing(Op.PUSH_LITERAL, index)

    def variable(self, node: Variable) -> None:
        self.push_variable(node.slot)

    def length(self, node: Length) -> None:
        base = self.length_bases[id(node)] = self.assembly.bases[-1]
        self.emit_pushing(Op.LENGTH, base)

    def splice(self, node: Splice) -> None:
        self.pending.append(node.value)

    def list_display(self, node: ListDisplay) -> None:
        self.items(node.items)

    def items(self, items: Items) -> None:
        if not items:
            self.emit_pushing(Op.MAKE_EMPTY_LIST)
            return
        steps: list[_Step] = []
        pops, single, spliced = 0, Op.MAKE_SINGLETON_LIST, Op.CHECK_LIST_FOR_SPLICE
        for item in items:
            code = spliced if type(item) is Splice else single
            steps += (item, (self.emit_popping, pops, code))
            pops, single, spliced = 1, Op.LIST_ADD_TAIL, Op.LIST_APPEND
        self.pending += reversed(steps)

    def property(self, node: Property) -> None:
        self.pending += ((self.emit_popping, 1, Op.GET_PROP), node.name, node.object)

    def verb_call(self, node: VerbCall) -> None:
        self.pending += (
            (self.end_verb_call, node),
            (self.items, node.arguments),
            node.name,
            node.object,
        )

    def end_verb_call(self, node: VerbCall) -> None:
        assembly = self.assembly
        assembly.calls.append((node, len(assembly.drafts), 1))
        self.emit_popping(2, Op.CALL_VERB)

    def function_call(self, node: FunctionCall) -> None:
        self.pending += ((self.end_function_call, node), (self.items, node.arguments))

    def end_function_call(self, node: FunctionCall) -> None:
        assembly = self.assembly
        assembly.calls.append((node, len(assembly.drafts), 2))
        self.emit(Op.CALL_FUNC, node.name)

    def index(self, node: Index) -> None:
        self.pending += (
            (self.emit_popping, 1, Op.INDEX),
            (self.close_bracket,),
            node.index,
            (self.open_bracket,),
            node.base,
        )

    def range(self, node: Range) -> None:
        self.pending += (
            (self.emit_popping, 2, Op.RANGE),
            (self.close_bracket,),
            node.end,
            node.start,
            (self.open_bracket,),
            node.base,
        )

    def open_bracket(self) -> None:
        self.assembly.bases.append(self.assembly.depth - 1)

    def close_bracket(self) -> None:
        self.assembly.bases.pop()

    def negate(self, node: Negate) -> None:
        self.pending += ((self.emit, Op.NEGATE), node.operand)

    def not_(self, node: Not) -> None:
        self.pending += ((self.emit, Op.NOT), node.operand)

    def binary(self, node: Any) -> None:
        code = _BINARY[type(node)]
        self.pending += ((self.emit_popping, 1, code), node.right, node.left)

    def logical(self, node: And | Or) -> None:
        end = _Place()
        self.pending += (
            (self.place_here, end),
            node.right,
            (self.emit_popping, 1, Op.AND if type(node) is And else Op.OR, end),
            node.left,
        )

    def conditional(self, node: Conditional) -> None:
        otherwise, end = _Place(), _Place()
        self.pending += (
            (self.place_here, end),
            node.alternate,
            (self.place_here, otherwise),
            (self.emit_popping, 1, Op.JUMP, end),
            node.consequent,
            (self.emit_popping, 1, Op.IF_EXPR, otherwise),
            node.condition,
        )

    def assign(self, node: Assign) -> None:
        # x[i][j] = v is an Index of an Index of a Variable; the code begins with
        # the variable.
        target = node.target
        indexed: list[Index | Range] = []
        self.mark(target)
        while type(target) is Index or type(target) is Range:
            indexed.append(target)
            target = target.base
            self.mark(target)
        steps: list[_Step] = []
        if type(target) is Property:
            steps += (target.object, target.name)
            if indexed:
                steps.append((self.emit_pushing, Op.PUSH_GET_PROP))
        elif indexed:
            assert type(target) is Variable
            steps.append((self.push_variable, target.slot))
        for link in reversed(indexed):
            steps.append((self.open_bracket,))
            if type(link) is Range:
                steps += (link.start, link.end)
            else:
                steps.append(link.index)
            steps.append((self.close_bracket,))
            if link is not indexed[0]:
                steps.append((self.emit_pushing, Op.PUSH_INDEX))
        self.later(*steps, node.value, (self.store, target, indexed))

    def store(self, target: Expression, indexed: list[Index | Range]) -> None:
        line = self.line
        if indexed:
            self.emit(Op.PUT_TEMP)
        for link in indexed:
            if type(link) is Range:
                self.emit_popping(3, Op.RANGESET)
            else:
                self.emit_popping(2, Op.INDEXSET)
            # See ClassicCode.line_behind.
            self.line = self.line_behind
        if type(target) is Variable:
            self.put_variable(target.slot)
        else:
            self.emit_popping(2, Op.PUT_PROP)
        if indexed:
            self.emit(Op.POP)
            self.emit(Op.PUSH_TEMP)
        self.line = line

    def scatter(self, node: Scatter) -> None:
        self.pending += ((self.targets, node), node.value)

    def targets(self, node: Scatter) -> None:
        end = _Place()
        required = 0
        rest = len(node.targets) + 1
        operands: list[int | _Place] = []
        steps: list[_Step] = []
        for number, target in enumerate(node.targets, 1):
            self.mark(target)
            default: int | _Place = 0
            if type(target) is Required:
                required += 1
            elif type(target) is Rest:
                rest = number
            elif target.default is None:
                default = 1
            else:
                default = _Place()
                steps += (
                    (self.place_here, default),
                    target.default,
                    (self.put_variable, target.slot),
                    (self.emit_popping, 1, Op.POP),
                )
            operands += (target.slot, default)
        count = len(node.targets)
        self.variable_operands += count
        self.emit(Op.SCATTER, count, required, rest, *operands, end)
        self.later(*steps, (self.place_here, end))

    def catch(self, node: Catch) -> None:
        handler, end = _Place(), _Place()
        default: tuple[_Step, ...] = ((self.select_code,),)
        if node.default is not None:
            default = ((self.emit_popping, 1, Op.POP), node.default)
        self.assembly.handlers.append((node, handler))
        self.later(
            (self.codes, node.codes),
            (self.emit_pushing, Op.PUSH_LABEL, handler),
            (self.emit_pushing, Op.CATCH),
            node.body,
            (self.emit_popping, 3, Op.END_CATCH, end),
            (self.place_here, handler),
            *default,
            (self.place_here, end),
        )

    def codes(self, codes: Items | None) -> None:
        if codes is None:
            self.emit_pushing(Op.NUM - NUM_MIN)
        else:
            self.items(codes)

    def select_code(self) -> None:
        self.emit(Op.NUM - NUM_MIN + 1)
        self.emit(Op.INDEX)

    # --- statements -------------------------------------------------------

    def expression_statement(self, node: ExpressionStatement) -> None:
        self.line = self.first_lines[id(node)]
        self.pending += ((self.emit_popping, 1, Op.POP), node.value)

    def return_(self, node: Return) -> None:
        self.line = self.first_lines[id(node)]
        if node.value is None:
            self.emit(Op.RETURN_0)
        else:
            self.pending += ((self.emit_popping, 1, Op.RETURN), node.value)

    def if_(self, node: If) -> None:
        # Each arm ends with a jump, which is on the last line of the arm: the
        # one before the next arm, or whatever follows the last.
        lines = [self.first_lines[id(arm)] for arm in node.arms]
        end_line = self.end_lines[id(node)]
        lines.append(self.middle_lines.get(id(node), end_line))
        end = _Place()
        steps: list[_Step] = []
        code = Op.IF
        for number, arm in enumerate(node.arms):
            otherwise = _Place()
            self.mark(arm)
            steps += (
                (self.at_line, lines[number]),
                arm.condition,
                (self.emit_popping, 1, code, otherwise),
                (self.block, arm.body),
                (self.at_line, lines[number + 1] - 1),
                (self.emit, Op.JUMP, end),
                (self.place_here, otherwise),
            )
            code = Op.ELSEIF
        self.later(*steps, (self.block, node.otherwise), (self.place_here, end))

    def for_list(self, node: ForList) -> None:
        self.line = self.first_lines[id(node)]
        self.later(
            node.items,
            (self.emit_pushing, Op.NUM - NUM_MIN + 1),
            (self.begin_for, node, Op.FOR_LIST),
            (self.block, node.body),
            (self.end_loop, 2),
        )

    def for_range(self, node: ForRange) -> None:
        self.line = self.first_lines[id(node)]
        self.later(
            node.start,
            node.end,
            (self.begin_for, node, Op.FOR_RANGE),
            (self.block, node.body),
            (self.end_loop, 2),
        )

    def begin_for(self, node: ForList | ForRange, code: int) -> None:
        head, end = _Place(), _Place()
        self.place_here(head)
        self.variable_operands += 1
        self.emit(code, node.slot, end)
        depth = self.assembly.depth
        self.assembly.loops.append(_Loop(node, head, end, depth, depth - 2))

    def while_(self, node: While) -> None:
        self.line = self.first_lines[id(node)]
        head = _Place()
        self.place_here(head)
        self.later(
            node.condition,
            (self.begin_while, node, head),
            (self.block, node.body),
            (self.end_loop, 0),
        )

    def begin_while(self, node: While, head: _Place) -> None:
        end = _Place()
        if node.slot is None:
            self.emit_popping(1, Op.WHILE, end)
        else:
            self.variable_operands += 1
            self.emit_popping(1, Op.WHILE_ID, node.slot, end)
        depth = self.assembly.depth
        self.assembly.loops.append(_Loop(node, head, end, depth, depth))

    def end_loop(self, pops: int) -> None:
        loop = self.assembly.loops.pop()
        self.assembly.finished_loops.append(loop)
        self.line = self.end_lines[id(loop.node)]
        self.emit_popping(pops, Op.JUMP, loop.head)
        self.place_here(loop.end)

    def break_(self, node: Break) -> None:
        loop = self.assembly.loops[-1 - node.levels]
        self.loop_exit(node, loop.depth_outside, loop.end)

    def continue_(self, node: Continue) -> None:
        loop = self.assembly.loops[-1 - node.levels]
        self.loop_exit(node, loop.depth_inside, loop.head)

    def loop_exit(self, node: Break | Continue, depth: int, place: _Place) -> None:
        self.line = self.first_lines[id(node)]
        if node.slot is None:
            self.emit(Op.EXIT, depth, place)
        else:
            self.variable_operands += 1
            self.emit(Op.EXIT_ID, node.slot, depth, place)

    def fork(self, node: Fork) -> None:
        self.line = self.first_lines[id(node)]
        self.later(
            node.delay,
            (self.begin_fork,),
            (self.block, node.body),
            (self.at_line, self.end_lines[id(node)]),
            (self.finish_vector,),
            (self.end_fork, node),
        )

    def begin_fork(self) -> None:
        self.around.append(self.assembly)
        self.assembly = _Assembly()

    def end_fork(self, node: Fork) -> None:
        number = len(self.forks)
        if self.program.forks[number] is not node:
            raise InternalError("the forks of a program are not in order")
        self.forks.append(self.assembly)
        self.assembly = self.around.pop()
        self.line = self.first_lines[id(node)]
        if node.slot is None:
            self.emit_popping(1, Op.FORK, number)
        else:
            self.variable_operands += 1
            self.emit_popping(1, Op.FORK_NAMED, number, node.slot)

    def finish_vector(self) -> None:
        self.emit(Op.DONE)
        self.assembly.vector = self.assembly.finish(
            len(self.literals), len(self.forks), self.variable_operands
        )

    def try_except(self, node: TryExcept) -> None:
        end = _Place()
        arms = [(arm, _Place()) for arm in node.arms]
        lines = [self.first_lines[id(arm)] for arm in node.arms]
        lines.append(self.end_lines[id(node)])
        steps: list[_Step] = []
        for (arm, handler), line in zip(arms, lines, strict=False):
            steps += (
                (self.at_line, line),
                (self.codes, arm.codes),
                (self.emit_pushing, Op.PUSH_LABEL, handler),
            )
        steps += (
            (self.at_line, self.first_lines[id(node)]),
            (self.emit_pushing, Op.TRY_EXCEPT, len(arms)),
            (self.block, node.body),
            (self.at_line, lines[0] - 1),
            (self.emit_popping, 2 * len(arms) + 1, Op.END_EXCEPT, end),
        )
        for number, (arm, handler) in enumerate(arms):
            steps += (
                (self.at_line, lines[number]),
                (self.handler, arm, handler),
                (self.block, arm.body),
            )
            if number < len(arms) - 1:
                steps += (
                    (self.at_line, lines[number + 1] - 1),
                    (self.emit, Op.JUMP, end),
                )
        self.later(*steps, (self.place_here, end))

    def handler(self, arm: ExceptArm, handler: _Place) -> None:
        self.place_here(handler)
        self.assembly.handlers.append((arm, handler))
        self.mark(arm)
        self.assembly.push()  # the error
        if arm.slot is not None:
            self.put_variable(arm.slot)
        self.emit_popping(1, Op.POP)

    def try_finally(self, node: TryFinally) -> None:
        handler = _Place()
        self.assembly.handlers.append((node, handler))
        self.line = self.first_lines[id(node)]
        self.emit_pushing(Op.TRY_FINALLY, handler)
        self.later(
            (self.block, node.body),
            (self.at_line, self.middle_lines[id(node)]),
            (self.emit_popping, 1, Op.END_FINALLY),
            (self.begin_finally, handler),
            (self.block, node.handler),
            (self.at_line, self.end_lines[id(node)]),
            (self.emit_popping, 2, Op.CONTINUE),
        )

    def begin_finally(self, handler: _Place) -> None:
        self.place_here(handler)
        self.assembly.push()  # why it runs
        self.assembly.push()  # with what


_COMPILE: Final[dict[type[Node], Callable[[_Compiler, Any], None]]] = {
    Literal: _Compiler.literal,
    Variable: _Compiler.variable,
    Length: _Compiler.length,
    Splice: _Compiler.splice,
    ListDisplay: _Compiler.list_display,
    Property: _Compiler.property,
    VerbCall: _Compiler.verb_call,
    FunctionCall: _Compiler.function_call,
    Index: _Compiler.index,
    Range: _Compiler.range,
    Negate: _Compiler.negate,
    Not: _Compiler.not_,
    **dict.fromkeys(_BINARY, _Compiler.binary),
    And: _Compiler.logical,
    Or: _Compiler.logical,
    Conditional: _Compiler.conditional,
    Assign: _Compiler.assign,
    Scatter: _Compiler.scatter,
    Catch: _Compiler.catch,
    ExpressionStatement: _Compiler.expression_statement,
    Return: _Compiler.return_,
    If: _Compiler.if_,
    ForList: _Compiler.for_list,
    ForRange: _Compiler.for_range,
    While: _Compiler.while_,
    Break: _Compiler.break_,
    Continue: _Compiler.continue_,
    Fork: _Compiler.fork,
    TryExcept: _Compiler.try_except,
    TryFinally: _Compiler.try_finally,
}


# --- the whole program ----------------------------------------------------


@frozen
class LoopLabels:
    """Where ``break`` and ``continue`` of a loop go: stack depths and pcs."""

    depth_outside: int
    end_pc: int
    depth_inside: int
    head_pc: int


class ClassicCode:
    """The classic code of one program, and the ways between it and the nodes.

    A place in the code is the number of a vector, `MAIN` or that of a fork, and a
    pc in it.  Nodes are those of the program itself, not equal ones.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        compiler = _Compiler(program)
        main = compiler.run()
        self.main = main.vector
        self.forks = tuple(assembly.vector for assembly in compiler.forks)
        self.literals: tuple[Value, ...] = tuple(
            value for _, value in compiler.literals
        )
        """The literals by index; equal ones of one type are one."""
        self.line_behind = compiler.line_behind
        """The line after the last.

        The C server blames it for the later stores of an indexed assignment: in
        ``x.p[1] = 2`` for that of the property, in ``x[1][2] = 3`` for that into
        ``x`` (decompile.c loses track of them).
        """
        self._depths = compiler.depths
        self._length_bases = compiler.length_bases
        self._call_pcs: dict[int, int] = {}
        self._calls: dict[tuple[int, int], Node] = {}
        self._handler_pcs: dict[int, int] = {}
        self._handlers: dict[tuple[int, int], Node] = {}
        self._loop_labels: dict[int, LoopLabels] = {}
        self._sites: dict[tuple[int, int], tuple[Node, ...]] = {}
        for number, assembly in enumerate(compiler.forks):
            self._add_places(number, assembly)
        self._add_places(MAIN, main)

    def _add_places(self, number: int, assembly: _Assembly) -> None:
        pcs = assembly.vector.pcs
        for call, index, length in assembly.calls:
            pc = pcs[index] + length
            self._call_pcs[id(call)] = pc
            self._calls[number, pc] = call
        for handling, place in assembly.handlers:
            pc = pcs[place.index]
            self._handler_pcs[id(handling)] = pc
            self._handlers[number, pc] = handling
        for loop in assembly.finished_loops:
            self._loop_labels[id(loop.node)] = LoopLabels(
                loop.depth_outside,
                pcs[loop.end.index],
                loop.depth_inside,
                pcs[loop.head.index],
            )

    def vector(self, number: int) -> Vector:
        """Return the vector of that number."""
        return self.main if number == MAIN else self.forks[number]

    # --- from nodes to places ---------------------------------------------

    def depth(self, node: Node) -> int:
        """Return the height of the operand stack when ``node`` begins.

        For an `ExceptArm` that is when its handler begins, without the error.
        """
        return self._depths[id(node)]

    def call_pc(self, call: VerbCall | FunctionCall) -> int:
        """Return the pc that an activation has during a call.

        Its error_pc is one less for a verb, two less for a function.
        """
        return self._call_pcs[id(call)]

    def length_base(self, node: Length) -> int:
        """Return where on the operand stack the value is whose length is meant."""
        return self._length_bases[id(node)]

    def handler_pc(self, node: ExceptArm | Catch | TryFinally) -> int:
        """Return the pc of the handler that stands in the stack's markers."""
        return self._handler_pcs[id(node)]

    def loop_labels(self, loop: ForList | ForRange | While) -> LoopLabels:
        """Return where the ways out of a loop and to its next round lead."""
        return self._loop_labels[id(loop)]

    # --- and back ---------------------------------------------------------

    def site(self, vector: int, pc: int) -> tuple[Node, ...] | None:
        """Return the nodes around a call, outermost first, the call itself last.

        They begin with a statement of the program or of the fork's body.  None if
        ``pc`` is not behind a call.
        """
        call = self._calls.get((vector, pc))
        if call is None:
            return None
        path = self._sites.get((vector, pc))
        if path is None:
            path = self._sites[vector, pc] = self._path(vector, call)
        return path

    def _path(self, vector: int, node: Node) -> tuple[Node, ...]:
        outermost = None if vector == MAIN else self.program.forks[vector]
        path = []
        step: Node | None = node
        while step is not outermost:
            assert step is not None
            path.append(step)
            step = self._parents.get(id(step))
        return tuple(reversed(path))

    @cached_property
    def _parents(self) -> dict[int, Node]:
        parents = {}
        pending: list[Node] = list(self.program.body)
        while pending:
            node = pending.pop()
            for child in children(node):
                parents[id(child)] = node
                pending.append(child)
        return parents

    def handler_at(self, vector: int, pc: int) -> Node | None:
        """Return the `ExceptArm`, `Catch` or `TryFinally` whose handler is at ``pc``."""
        return self._handlers.get((vector, pc))

    def exit_at(
        self, path: Sequence[Node], depth: int, pc: int
    ) -> tuple[Node, bool] | None:
        """Return the loop that ``{depth, pc}`` leaves, and whether to its next round.

        That is what a ``finally`` part has on the stack while ``break`` or
        ``continue`` is under way.  ``path`` are the nodes around: other loops may
        begin where one of these ends.
        """
        for node in path:
            labels = self._loop_labels.get(id(node))
            if labels is None:
                continue
            if (depth, pc) == (labels.depth_outside, labels.end_pc):
                return node, False
            if (depth, pc) == (labels.depth_inside, labels.head_pc):
                return node, True
        return None

    # --- lines ------------------------------------------------------------

    def line_at(self, vector: int, pc: int) -> int:
        """Return the line that errors at ``pc`` are reported on.

        Source: decompile.c, find_line_number.
        """
        return self.vector(vector).line_at(pc)

    def first_line(self, fork: int) -> int:
        """Return the line on which the body of a fork begins, as a textdump has it.

        It is that of the first instruction: of the first ``except`` if the body
        begins with ``try``, of ``endfork`` if it is empty.
        """
        return self.line_at(fork, 0)

    # --- disassemble() ----------------------------------------------------

    def disassemble(self, function_numbers: Mapping[str, int]) -> list[str]:
        """Return the lines that ``disassemble()`` shows.

        ``function_numbers`` are those of the built-in functions, by proper name.

        Source: disassemble.c.
        """
        lines = [
            f"Language version number: {self.program.version}",
            f"First line number: {self.program.first_line}",
            "",
            "Main code vector:",
            "=================",
        ]
        self._disassemble(self.main, function_numbers, lines)
        for number, vector in enumerate(self.forks):
            title = f"Forked code vector {number}:"
            lines += ("", title, "=" * len(title))
            self._disassemble(vector, function_numbers, lines)
        return lines

    def _disassemble(
        self, vector: Vector, function_numbers: Mapping[str, int], lines: list[str]
    ) -> None:
        widths = vector.widths
        lines += (
            f"[Bytes for labels = {widths.label}, literals = {widths.literal}, "
            f"forks = {widths.fork}, variables = {widths.variable}, "
            f"stack refs = {widths.stack}]",
            f"[Maximum stack size = {vector.max_stack}]",
        )
        for instruction in vector.instructions:
            code = instruction.code
            if code < _FIRST_EXTENDED:
                encoded = bytearray((code,))
            else:
                encoded = bytearray((Op.EXTENDED, code - _FIRST_EXTENDED))
            texts = []
            for kind, operand in zip(
                operand_kinds(code, instruction.operands),
                instruction.operands,
                strict=True,
            ):
                if type(operand) is str:
                    texts.append(operand)
                    operand = function_numbers[operand]
                else:
                    texts.append(self._operand_text(kind, operand))
                encoded += operand.to_bytes(getattr(widths, kind), "big")
            mark = " * " if instruction.ticks else "   "
            text = mark + self._instruction_text(code, texts)
            # Five bytes a row, the text behind the last.
            start = f"{instruction.pc:3}:"
            row = [f" {byte:03}" for byte in encoded]
            while len(row) > 5:
                lines.append(start + "".join(row[:5]))
                start, row = "    ", row[5:]
            lines.append(f"{start}{''.join(row):20}{text}")

    def _operand_text(self, kind: str, operand: int) -> str:
        if kind == _VARIABLE:
            return self.program.names[operand]
        if kind == _LITERAL:
            value = self.literals[operand]
            if type(value) is float:
                # Where the value is kept elsewhere, the type has a high bit.
                return f"<literal type = {TYPE_FLOAT | 128}>"
            return literal(value)
        return str(operand)

    def _instruction_text(self, code: int, operands: list[str]) -> str:
        if code < _FIRST_EXTENDED:
            if code >= Op.NUM:
                return f"NUM {code - Op.NUM + NUM_MIN}"
            if Op.PUSH <= code < Op.G_PUSH:
                return f"PUSH {self.program.names[code - Op.PUSH]}"
            if Op.PUT <= code < Op.G_PUT:
                return f"PUT {self.program.names[code - Op.PUT]}"
        name = _MNEMONICS.get(code) or Op(code).name
        if code == Op.SCATTER:
            counts, targets, end = operands[:3], operands[3:-1], operands[-1]
            pairs = map("/".join, zip(targets[::2], targets[1::2], strict=True))
            return " ".join((f"{name} {'/'.join(counts)}:", *pairs, end))
        return " ".join((name, *operands))


_MNEMONICS: Final[dict[int, str]] = {
    Op.G_PUT: "PUT",
    Op.G_PUSH: "PUSH",
    Op.RETURN_0: "RETURN 0",
}


@cache
def _child_fields(kind: type[Node]) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind) if one.init)


def children(node: Node) -> list[Node]:
    """Return the nodes directly below ``node``, in the order of the source."""
    found: list[Node] = []
    for name in _child_fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, Node):
            found.append(value)
        elif type(value) is tuple:
            found += (item for item in value if isinstance(item, Node))
    return found
