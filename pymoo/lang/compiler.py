"""Nodes to the C server's instructions: the work behind `lang.classic`.

The order of the instructions, the widths of their operands and the height of the
stack are the C server's to the byte, its quirks included.

Source: code_gen.c; decompile.c for the lines.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import Any, Final, TypeAlias

from attrs import define, field

from pymoo.errors import InternalError
from pymoo.lang import nodes as n
from pymoo.lang.handlers import handlers_of
from pymoo.lang.opcodes import (
    FIRST_EXTENDED,
    FORK,
    LABEL,
    LITERAL,
    NUM_MAX,
    NUM_MIN,
    READY_VARIABLES,
    VARIABLE,
    Instruction,
    Op,
    Widths,
    operand_kinds,
)
from pymoo.lang.program import Program
from pymoo.lang.unparse import layout
from pymoo.values import Value

_FIRST_NUM: Final = Op.NUM - NUM_MIN  # the instruction for 0


# --- vectors --------------------------------------------------------------


class Place:
    """A place in a vector that instructions jump to."""

    __slots__ = ("index",)

    index: int  # of the instruction there


@define(eq=False)
class Loop:
    """A loop and where its ways out lead."""

    node: n.Node
    head: Place
    end: Place
    depth_inside: int
    depth_outside: int


# An instruction whose places are not known yet: code, line, operands.
_Draft: TypeAlias = tuple[int, int, tuple[Any, ...]]


@define(eq=False, slots=False)
class Vector:
    """The instructions of the main program or of the body of a fork."""

    max_stack: int
    widths: Widths
    size: int
    pcs: list[int] = field(repr=False)
    _drafts: list[_Draft] = field(repr=False)

    @cached_property
    def instructions(self) -> tuple[Instruction, ...]:
        """All instructions, in order."""
        pcs = self.pcs
        return tuple(
            Instruction(
                pc,
                code,
                tuple(
                    pcs[operand.index] if type(operand) is Place else operand
                    for operand in operands
                ),
                line,
            )
            for pc, (code, line, operands) in zip(pcs, self._drafts, strict=True)
        )

    def line_at(self, pc: int) -> int:
        """Return the line of errors in the instruction that ``pc`` points into."""
        return self._drafts[max(0, bisect_right(self.pcs, pc) - 1)][1]


class Assembly:
    """One vector while it is compiled, and the nodes whose places it has.

    ``depth`` is the height of the operand stack at the next instruction.
    """

    vector: Vector  # once it is finished

    def __init__(self) -> None:
        self.drafts: list[_Draft] = []
        self.depth = self.max_stack = 0
        self.open_loops: list[Loop] = []
        # Where on the stack the values are that are being indexed.
        self.bases: list[int] = []
        # Calls, their instructions and how long these are.
        self.calls: list[tuple[n.Node, int, int]] = []
        self.handlers: list[tuple[n.Node, Place]] = []
        self.loops: list[Loop] = []

    def push(self) -> None:
        self.depth += 1
        if self.depth > self.max_stack:
            self.max_stack = self.depth

    def finish(
        self, variables: int, variable_operands: int, literals: int, forks: int
    ) -> None:
        """Make the vector.

        The counts are those of the whole program so far: its variables, the
        operands that are variables, its literals and the bodies of its forks.
        """
        widths = _NARROW
        pcs, size = self._pcs(widths)
        if max(variables, variable_operands, literals, forks, size) > 256:
            widths = self._widths(variable_operands, literals, forks)
            pcs, size = self._pcs(widths)
        elif self.max_stack > 256:
            widths = Widths(stack=_width(self.max_stack))
            pcs, size = self._pcs(widths)
        self.vector = Vector(self.max_stack, widths, size, pcs, self.drafts)

    def _pcs(self, widths: Widths) -> tuple[list[int], int]:
        """Return the pcs of all instructions, and where they end."""
        pcs = []
        pc = 0
        for code, _, operands in self.drafts:
            pcs.append(pc)
            pc += 1 if code < FIRST_EXTENDED else 2
            if widths is _NARROW:
                pc += len(operands)
            elif operands:
                for kind in operand_kinds(code, operands):
                    pc += getattr(widths, kind)
        return pcs, pc

    def _widths(self, variable_operands: int, literals: int, forks: int) -> Widths:
        """Return how wide the operands are.

        Source: code_gen.c, stmt_to_code.
        """
        size = labels = 0
        counts = {VARIABLE: 0, LITERAL: 0, FORK: 0}
        # The largest operand in this vector is compared with counts of the whole
        # program: a slip that old tasks rely on.
        largest = {VARIABLE: variable_operands, LITERAL: literals, FORK: forks}
        for code, _, operands in self.drafts:
            size += 1 if code < FIRST_EXTENDED else 2
            size += len(operands)
            kinds = operand_kinds(code, operands)
            for kind, operand in zip(kinds, operands, strict=True):
                if kind == LABEL:
                    labels += 1
                elif kind in counts:
                    counts[kind] += 1
                    largest[kind] = max(largest[kind], operand)
        widths = {kind: _width(value) for kind, value in largest.items()}
        size += sum((widths[kind] - 1) * count for kind, count in counts.items())
        if size <= 256:
            label = 1
        elif size + labels <= 256 * 256:
            label = 2
        else:
            label = 4
        return Widths(label=label, stack=_width(self.max_stack), **widths)


_NARROW: Final = Widths()


def _width(largest: int) -> int:
    return 1 if largest <= 256 else 2 if largest <= 256 * 256 else 4


# --- programs -------------------------------------------------------------

_BINARY: Final[dict[type[n.Node], int]] = {
    n.Multiply: Op.MULTIPLY,
    n.Divide: Op.DIVIDE,
    n.Modulus: Op.MOD,
    n.Add: Op.ADD,
    n.Subtract: Op.SUBTRACT,
    n.Equal: Op.EQ,
    n.NotEqual: Op.NE,
    n.Less: Op.LT,
    n.LessEqual: Op.LE,
    n.Greater: Op.GT,
    n.GreaterEqual: Op.GE,
    n.In: Op.IN,
    n.Power: Op.EXPONENT,
}

# What is still to be compiled: nodes, and what is to be done between them, as a
# method with its arguments.
_Action: TypeAlias = tuple[Any, ...]
_Step: TypeAlias = n.Node | _Action


class Compiler:
    """Compiles a program, without recursion: ``pending`` has the next step last.

    Each method for a node emits what comes before its operands and leaves the
    operands, and what comes between and after them, as steps.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.literals: dict[tuple[type, Value], int] = {}
        self.variable_operands = 0
        self.forks: list[Assembly] = []
        self.assembly = Assembly()
        self.around: list[Assembly] = []  # the vectors around, outermost first
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

    def run(self) -> Assembly:
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
            if isinstance(step, tuple):
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

    def emit(self, code: int, *operands: int | str | Place) -> None:
        """Emit an instruction that leaves the height of the stack as it is."""
        self.assembly.drafts.append((code, self.line, operands))

    def emit_popping(self, pops: int, code: int, *operands: int | Place) -> None:
        """Emit an instruction that leaves the stack ``pops`` lower."""
        self.assembly.drafts.append((code, self.line, operands))
        self.assembly.depth -= pops

    def emit_pushing(self, code: int, *operands: int | Place) -> None:
        """Emit an instruction that leaves the stack one higher."""
        self.assembly.drafts.append((code, self.line, operands))
        self.assembly.push()

    def place_here(self, place: Place) -> None:
        """Make the next instruction the one that ``place`` is."""
        place.index = len(self.assembly.drafts)

    def at_line(self, line: int) -> None:
        """Go on on another line."""
        self.line = line

    def block(self, block: n.Block) -> None:
        """Leave the statements of a block to be done next."""
        self.pending += reversed(block)

    def mark(self, node: n.Node) -> None:
        """Note the depth of a node that is no step of its own."""
        key = id(node)
        if key in self.depths:
            raise InternalError("a node stands in two places of a program")
        self.depths[key] = self.assembly.depth

    def push_variable(self, slot: int) -> None:
        """Emit what puts the value of a variable on the stack."""
        if slot < READY_VARIABLES:
            self.emit_pushing(Op.PUSH + slot)
        else:
            self.variable_operands += 1
            self.emit_pushing(Op.G_PUSH, slot)

    def put_variable(self, slot: int) -> None:
        """Emit what stores the top of the stack, and leaves it there."""
        if slot < READY_VARIABLES:
            self.emit(Op.PUT + slot)
        else:
            self.variable_operands += 1
            self.emit(Op.G_PUT, slot)

    # --- expressions ------------------------------------------------------

    def compile_Literal(self, node: n.Literal) -> None:
        value = node.value
        if type(value) is int and NUM_MIN <= value <= NUM_MAX:
            self.emit_pushing(_FIRST_NUM + value)
            return
        # Python holds 0.0 and -0.0 for one key, as the C server does.
        index = self.literals.setdefault((type(value), value), len(self.literals))
        self.emit_pushing(Op.PUSH_LITERAL, index)

    def compile_Variable(self, node: n.Variable) -> None:
        self.push_variable(node.slot)

    def compile_Length(self, node: n.Length) -> None:
        base = self.length_bases[id(node)] = self.assembly.bases[-1]
        self.emit_pushing(Op.LENGTH, base)

    def compile_Splice(self, node: n.Splice) -> None:
        self.pending.append(node.value)

    def compile_ListDisplay(self, node: n.ListDisplay) -> None:
        self.items(node.items)

    def items(self, items: n.Items) -> None:
        """Make a list of items on the stack."""
        if not items:
            self.emit_pushing(Op.MAKE_EMPTY_LIST)
            return
        steps: list[_Step] = []
        pops, single, spliced = 0, Op.MAKE_SINGLETON_LIST, Op.CHECK_LIST_FOR_SPLICE
        for item in items:
            code = spliced if type(item) is n.Splice else single
            steps += (item, (self.emit_popping, pops, code))
            pops, single, spliced = 1, Op.LIST_ADD_TAIL, Op.LIST_APPEND
        self.pending += reversed(steps)

    def compile_Property(self, node: n.Property) -> None:
        self.pending += ((self.emit_popping, 1, Op.GET_PROP), node.name, node.object)

    def compile_VerbCall(self, node: n.VerbCall) -> None:
        self.pending += (
            (self.end_verb_call, node),
            (self.items, node.arguments),
            node.name,
            node.object,
        )

    def end_verb_call(self, node: n.VerbCall) -> None:
        assembly = self.assembly
        assembly.calls.append((node, len(assembly.drafts), 1))
        self.emit_popping(2, Op.CALL_VERB)

    def compile_FunctionCall(self, node: n.FunctionCall) -> None:
        self.pending += ((self.end_function_call, node), (self.items, node.arguments))

    def end_function_call(self, node: n.FunctionCall) -> None:
        assembly = self.assembly
        assembly.calls.append((node, len(assembly.drafts), 2))
        self.emit(Op.CALL_FUNC, node.name)

    def compile_Index(self, node: n.Index) -> None:
        self.pending += (
            (self.emit_popping, 1, Op.INDEX),
            (self.close_bracket,),
            node.index,
            (self.open_bracket,),
            node.base,
        )

    def compile_Range(self, node: n.Range) -> None:
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

    def compile_Negate(self, node: n.Negate) -> None:
        self.pending += ((self.emit, Op.NEGATE), node.operand)

    def compile_Not(self, node: n.Not) -> None:
        self.pending += ((self.emit, Op.NOT), node.operand)

    def compile_Binary(self, node: n.Binary) -> None:
        code = _BINARY[type(node)]
        self.pending += ((self.emit_popping, 1, code), node.right, node.left)

    def compile_Logical(self, node: n.And | n.Or) -> None:
        end = Place()
        self.pending += (
            (self.place_here, end),
            node.right,
            (self.emit_popping, 1, Op.AND if type(node) is n.And else Op.OR, end),
            node.left,
        )

    def compile_Conditional(self, node: n.Conditional) -> None:
        otherwise, end = Place(), Place()
        self.pending += (
            (self.place_here, end),
            node.alternate,
            (self.place_here, otherwise),
            (self.emit_popping, 1, Op.JUMP, end),
            node.consequent,
            (self.emit_popping, 1, Op.IF_EXPR, otherwise),
            node.condition,
        )

    def compile_Assign(self, node: n.Assign) -> None:
        # x[i][j] = v is an Index of an Index of a Variable; the code begins with
        # the variable.
        target = node.target
        indexed: list[n.Index | n.Range] = []
        self.mark(target)
        while type(target) is n.Index or type(target) is n.Range:
            indexed.append(target)
            target = target.base
            self.mark(target)
        steps: list[_Step] = []
        if type(target) is n.Property:
            steps += (target.object, target.name)
            if indexed:
                steps.append((self.emit_pushing, Op.PUSH_GET_PROP))
        elif indexed:
            assert type(target) is n.Variable
            steps.append((self.push_variable, target.slot))
        for link in reversed(indexed):
            steps.append((self.open_bracket,))
            if isinstance(link, n.Range):
                steps += (link.start, link.end)
            else:
                steps.append(link.index)
            steps.append((self.close_bracket,))
            if link is not indexed[0]:
                steps.append((self.emit_pushing, Op.PUSH_INDEX))
        self.later(*steps, node.value, (self.store, target, indexed))

    def store(self, target: n.Expression, indexed: list[n.Index | n.Range]) -> None:
        """Store the value on the stack where the assignment's left side says."""
        line = self.line
        if indexed:
            self.emit(Op.PUT_TEMP)
        for link in indexed:
            if type(link) is n.Range:
                self.emit_popping(3, Op.RANGESET)
            else:
                self.emit_popping(2, Op.INDEXSET)
            # See ClassicCode.line_behind.
            self.line = self.line_behind
        if type(target) is n.Variable:
            self.put_variable(target.slot)
        else:
            self.emit_popping(2, Op.PUT_PROP)
        if indexed:
            self.emit(Op.POP)
            self.emit(Op.PUSH_TEMP)
        self.line = line

    def compile_Scatter(self, node: n.Scatter) -> None:
        self.pending += ((self.targets, node), node.value)

    def targets(self, node: n.Scatter) -> None:
        """Take the list on the stack apart; what is missing comes from defaults."""
        end = Place()
        required = 0
        rest = len(node.targets) + 1
        operands: list[int | Place] = []
        steps: list[_Step] = []
        for number, target in enumerate(node.targets, 1):
            self.mark(target)
            default: int | Place = 0
            if isinstance(target, n.Required):
                required += 1
            elif isinstance(target, n.Rest):
                rest = number
            elif target.default is None:
                default = 1
            else:
                default = Place()
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

    def compile_Catch(self, node: n.Catch) -> None:
        handler, end = Place(), Place()
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

    def codes(self, codes: n.Items | None) -> None:
        """Put the codes of a handler on the stack."""
        if codes is None:
            self.emit_pushing(_FIRST_NUM)
        else:
            self.items(codes)

    def select_code(self) -> None:
        """Leave of a caught error its code alone."""
        self.emit(_FIRST_NUM + 1)
        self.emit(Op.INDEX)

    # --- statements -------------------------------------------------------

    def compile_ExpressionStatement(self, node: n.ExpressionStatement) -> None:
        self.line = self.first_lines[id(node)]
        self.pending += ((self.emit_popping, 1, Op.POP), node.value)

    def compile_Return(self, node: n.Return) -> None:
        self.line = self.first_lines[id(node)]
        if node.value is None:
            self.emit(Op.RETURN_0)
        else:
            self.pending += ((self.emit_popping, 1, Op.RETURN), node.value)

    def compile_If(self, node: n.If) -> None:
        # Each arm ends with a jump, which is on the last line of the arm: the
        # one before the next arm, or whatever follows the last.
        lines = [self.first_lines[id(arm)] for arm in node.arms]
        end_line = self.end_lines[id(node)]
        lines.append(self.middle_lines.get(id(node), end_line))
        end = Place()
        steps: list[_Step] = []
        code = Op.IF
        for number, arm in enumerate(node.arms):
            otherwise = Place()
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

    def compile_ForList(self, node: n.ForList) -> None:
        self.line = self.first_lines[id(node)]
        self.later(
            node.items,
            (self.emit_pushing, _FIRST_NUM + 1),
            (self.begin_for, node, Op.FOR_LIST),
            (self.block, node.body),
            (self.end_loop, 2),
        )

    def compile_ForRange(self, node: n.ForRange) -> None:
        self.line = self.first_lines[id(node)]
        self.later(
            node.start,
            node.end,
            (self.begin_for, node, Op.FOR_RANGE),
            (self.block, node.body),
            (self.end_loop, 2),
        )

    def begin_for(self, node: n.ForList | n.ForRange, code: int) -> None:
        head, end = Place(), Place()
        self.place_here(head)
        self.variable_operands += 1
        self.emit(code, node.slot, end)
        depth = self.assembly.depth
        self.assembly.open_loops.append(Loop(node, head, end, depth, depth - 2))

    def compile_While(self, node: n.While) -> None:
        self.line = self.first_lines[id(node)]
        head = Place()
        self.place_here(head)
        self.later(
            node.condition,
            (self.begin_while, node, head),
            (self.block, node.body),
            (self.end_loop, 0),
        )

    def begin_while(self, node: n.While, head: Place) -> None:
        end = Place()
        if node.slot is None:
            self.emit_popping(1, Op.WHILE, end)
        else:
            self.variable_operands += 1
            self.emit_popping(1, Op.WHILE_ID, node.slot, end)
        depth = self.assembly.depth
        self.assembly.open_loops.append(Loop(node, head, end, depth, depth))

    def end_loop(self, pops: int) -> None:
        loop = self.assembly.open_loops.pop()
        self.assembly.loops.append(loop)
        self.line = self.end_lines[id(loop.node)]
        self.emit_popping(pops, Op.JUMP, loop.head)
        self.place_here(loop.end)

    def compile_Break(self, node: n.Break) -> None:
        loop = self.assembly.open_loops[-1 - node.levels]
        self.loop_exit(node, loop.depth_outside, loop.end)

    def compile_Continue(self, node: n.Continue) -> None:
        loop = self.assembly.open_loops[-1 - node.levels]
        self.loop_exit(node, loop.depth_inside, loop.head)

    def loop_exit(self, node: n.Break | n.Continue, depth: int, place: Place) -> None:
        self.line = self.first_lines[id(node)]
        if node.slot is None:
            self.emit(Op.EXIT, depth, place)
        else:
            self.variable_operands += 1
            self.emit(Op.EXIT_ID, node.slot, depth, place)

    def compile_Fork(self, node: n.Fork) -> None:
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
        self.assembly = Assembly()

    def end_fork(self, node: n.Fork) -> None:
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
        """End the vector being compiled."""
        self.emit(Op.DONE)
        self.assembly.finish(
            variables=len(self.program.names),
            variable_operands=self.variable_operands,
            literals=len(self.literals),
            forks=len(self.forks),
        )

    def compile_TryExcept(self, node: n.TryExcept) -> None:
        end = Place()
        arms = [(arm, Place()) for arm in node.arms]
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

    def handler(self, arm: n.ExceptArm, handler: Place) -> None:
        """Begin the handler of an arm."""
        self.place_here(handler)
        self.assembly.handlers.append((arm, handler))
        self.mark(arm)
        self.assembly.push()  # the error
        if arm.slot is not None:
            self.put_variable(arm.slot)
        self.emit_popping(1, Op.POP)

    def compile_TryFinally(self, node: n.TryFinally) -> None:
        handler = Place()
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

    def begin_finally(self, handler: Place) -> None:
        self.place_here(handler)
        self.assembly.push()  # why it runs
        self.assembly.push()  # with what


_COMPILE: Final = handlers_of(Compiler, "compile")
