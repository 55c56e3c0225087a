"""The instructions that the C server would compile a program to.

Users see them: in ``disassemble()``, in tick counts and line numbers, and in the pc
and the stack of every task in a textdump.  So that tasks can be saved and resumed,
`ClassicCode` knows for each node of a program where its instructions are and how
high the operand stack is there, and for each pc that a task can have the nodes it
stands in.

It is data: nothing here runs.  How it comes about is the compiler's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from pymoo.lang import nodes as n
from pymoo.lang.compiler import Assembly, Compiler, Vector
from pymoo.lang.opcodes import (
    FIRST_EXTENDED,
    LITERAL,
    NUM_MIN,
    VARIABLE,
    Instruction,
    Op,
    Widths,
    operand_kinds,
)
from pymoo.lang.program import Program
from pymoo.values import TYPE_FLOAT, Value, literal

MAIN: Final = -1
"""The number of the vector that is the program without the bodies of its forks."""


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
        compiler = Compiler(program)
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
        self._calls: dict[tuple[int, int], n.Node] = {}
        self._handler_pcs: dict[int, int] = {}
        self._handlers: dict[tuple[int, int], n.Node] = {}
        self._loop_labels: dict[int, LoopLabels] = {}
        self._sites: dict[tuple[int, int], tuple[n.Node, ...]] = {}
        for number, assembly in enumerate(compiler.forks):
            self._add_places(number, assembly)
        self._add_places(MAIN, main)

    def _add_places(self, number: int, assembly: Assembly) -> None:
        pcs = assembly.vector.pcs
        for call, index, length in assembly.calls:
            pc = pcs[index] + length
            self._call_pcs[id(call)] = pc
            self._calls[number, pc] = call
        for handling, place in assembly.handlers:
            pc = pcs[place.index]
            self._handler_pcs[id(handling)] = pc
            self._handlers[number, pc] = handling
        for loop in assembly.loops:
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

    def depth(self, node: n.Node) -> int:
        """Return the height of the operand stack when ``node`` begins.

        For an `ExceptArm` that is when its handler begins, without the error.
        """
        return self._depths[id(node)]

    def call_pc(self, call: n.VerbCall | n.FunctionCall) -> int:
        """Return the pc that an activation has during a call.

        Its error_pc is one less for a verb, two less for a function.
        """
        return self._call_pcs[id(call)]

    def length_base(self, node: n.Length) -> int:
        """Return where on the operand stack the value is whose length is meant."""
        return self._length_bases[id(node)]

    def handler_pc(self, node: n.ExceptArm | n.Catch | n.TryFinally) -> int:
        """Return the pc of the handler that stands in the stack's markers."""
        return self._handler_pcs[id(node)]

    def loop_labels(self, loop: n.ForList | n.ForRange | n.While) -> LoopLabels:
        """Return where the ways out of a loop and to its next round lead."""
        return self._loop_labels[id(loop)]

    # --- and back ---------------------------------------------------------

    def site(self, vector: int, pc: int) -> tuple[n.Node, ...] | None:
        """Return the nodes around a call, outermost first, the call itself last.

        They begin with a statement of the program or of the fork's body, and go
        down as `Program.parents` goes up.  None if ``pc`` is not behind a call.
        """
        call = self._calls.get((vector, pc))
        if call is None:
            return None
        path = self._sites.get((vector, pc))
        if path is None:
            path = self._sites[vector, pc] = self._path(vector, call)
        return path

    def _path(self, vector: int, node: n.Node) -> tuple[n.Node, ...]:
        outermost = None if vector == MAIN else self.program.forks[vector]
        path = []
        step: n.Node | None = node
        while step is not outermost:
            assert step is not None
            path.append(step)
            step = self.program.parents.get(id(step))
        return tuple(reversed(path))

    def handler_at(self, vector: int, pc: int) -> n.Node | None:
        """Return the node whose handler is at ``pc``: an arm, catch or ``finally``."""
        return self._handlers.get((vector, pc))

    def exit_at(
        self, path: Sequence[n.Node], depth: int, pc: int
    ) -> tuple[n.Node, bool] | None:
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
        write = _Disassembler(self, function_numbers, lines).vector
        write(self.main)
        for number, vector in enumerate(self.forks):
            title = f"Forked code vector {number}:"
            lines += ("", title, "=" * len(title))
            write(vector)
        return lines


class _Disassembler:
    """Writes vectors as text."""

    def __init__(
        self,
        code: ClassicCode,
        function_numbers: Mapping[str, int],
        lines: list[str],
    ) -> None:
        self.names = code.program.names
        self.literals = code.literals
        self.function_numbers = function_numbers
        self.lines = lines

    def vector(self, vector: Vector) -> None:
        widths = vector.widths
        self.lines += (
            f"[Bytes for labels = {widths.label}, literals = {widths.literal}, "
            f"forks = {widths.fork}, variables = {widths.variable}, "
            f"stack refs = {widths.stack}]",
            f"[Maximum stack size = {vector.max_stack}]",
        )
        for instruction in vector.instructions:
            self.instruction(instruction, widths)

    def instruction(self, instruction: Instruction, widths: Widths) -> None:
        code, operands = instruction.code, instruction.operands
        if code < FIRST_EXTENDED:
            encoded = bytearray((code,))
        else:
            encoded = bytearray((Op.EXTENDED, code - FIRST_EXTENDED))
        texts = []
        kinds = operand_kinds(code, operands)
        for kind, operand in zip(kinds, operands, strict=True):
            if isinstance(operand, str):
                texts.append(operand)
                operand = self.function_numbers[operand]
            else:
                texts.append(self.operand(kind, operand))
            # In a vector that goes up to slot 256 and no further, the C server has
            # one byte too little for that variable, and takes it for NUM.  Only
            # the byte is imitated.
            encoded += operand.to_bytes(4, "big")[-getattr(widths, kind) :]
        mark = " * " if instruction.ticks else "   "
        # Five bytes a row; the text is behind the last of them.
        start = f"{instruction.pc:3}:"
        row = [f" {byte:03}" for byte in encoded]
        while len(row) > 5:
            self.lines.append(start + "".join(row[:5]))
            start, row = "    ", row[5:]
        self.lines.append(f"{start}{''.join(row):20}{mark}{self.text(code, texts)}")

    def operand(self, kind: str, operand: int) -> str:
        if kind == VARIABLE:
            return self.names[operand]
        if kind == LITERAL:
            value = self.literals[operand]
            if type(value) is float:
                # A high bit marks the types whose values are kept elsewhere.
                return f"<literal type = {TYPE_FLOAT | 0x80}>"
            return literal(value)
        return str(operand)

    def text(self, code: int, operands: list[str]) -> str:
        if code == Op.SCATTER:
            counts, targets, end = operands[:3], operands[3:-1], operands[-1]
            pairs = map("/".join, zip(targets[::2], targets[1::2], strict=True))
            return " ".join((f"SCATTER {'/'.join(counts)}:", *pairs, end))
        if Op.NUM <= code < FIRST_EXTENDED:
            return f"NUM {code - Op.NUM + NUM_MIN}"
        if Op.PUSH <= code < Op.G_PUSH:
            return f"PUSH {self.names[code - Op.PUSH]}"
        if Op.PUT <= code < Op.G_PUT:
            return f"PUT {self.names[code - Op.PUT]}"
        return " ".join((_MNEMONICS.get(code) or Op(code).name, *operands))


_MNEMONICS: Final[dict[int, str]] = {
    Op.G_PUT: "PUT",
    Op.G_PUSH: "PUSH",
    Op.RETURN_0: "RETURN 0",
}
