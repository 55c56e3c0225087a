"""Programs to the source of Python functions: statements and the whole.

`generate` writes a verb as one function, ``verb(vm, act, v_args)``; `generate_loop`
one of its loops as a function of its own, which the walker calls at the head of a
round.  Both have the shape::

    def verb(vm, act, v_args):
        t = vm.ticks
        try:
            ...
        except EXITS as error:
            go_on = left(act, error, t, locals(), CODE)
        return go_on()

The text is the same whenever the program is; `Generated` tells what its names mean.
What cannot be said in Python, or would be too much of it, is `Unsupported` and
stays with the walker.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import define, field, frozen

from pymoo.interp.codegen_calls import HANDLED, CallWriter
from pymoo.interp.codegen_expressions import Constant
from pymoo.interp.emitter import Line, Point
from pymoo.interp.kinds import ANY, INT, LIST, Kinds
from pymoo.lang import nodes as n
from pymoo.lang.handlers import handlers_of
from pymoo.lang.names import (
    INHERITED_SLOTS,
    SLOT_ARGS,
    SLOT_ARGSTR,
    SLOT_CALLER,
    SLOT_INT,
    SLOT_PLAYER,
    SLOT_THIS,
    SLOT_VERB,
)
from pymoo.lang.program import Program


@frozen
class Generated:
    """The source of a function, and what is to be known of it."""

    source: str
    points: Mapping[int, Point]
    # What its names k1, k2 and so on mean; ``CODE`` is what belongs to the function.
    constants: tuple[Constant, ...]
    # The local names of the variables that it has in its own, by slot.
    variables: Mapping[int, str]
    # For a loop: the types that its variables must be of when it is entered, and
    # that the numbers of a range must be of.
    entry: Mapping[int, int]
    range_kind: int = ANY
    loop: n.Node | None = None


def generate(program: Program, kinds: Kinds, functions: Any, width: int) -> Generated:
    """Return the function of a program.

    Raises: Unsupported.
    """
    return StatementWriter(program, kinds, functions, width).verb()


def generate_loop(
    program: Program, loop: Any, kinds: Kinds, functions: Any, width: int
) -> Generated:
    """Return the function of a loop.

    Raises: Unsupported.
    """
    return StatementWriter(program, kinds, functions, width).loop(loop)


@define(eq=False)
class _Loop:
    """A loop around the statement being written."""

    node: n.Node
    # The stack as it is outside the body, and the marks on the activation's.
    stack: list[str]
    marks: int
    # Open ways at `break` and `continue`.
    ends: list[Any]
    heads: list[Any]
    # The name that tells what is to be done once inner loops are left, its line,
    # and who is meant: number to (levels further out, continue).
    flag: str
    flag_line: Line
    exits: list[tuple[int, bool]]


@define(eq=False)
class _Finally:
    """The body of a ``try ... finally`` around the statement being written."""

    # The names of why its ``finally`` part runs, and with what.
    reason: str
    value: str
    # Whether it is left by `return`, and by which exits: the name of the signal, how
    # many loops lie between, whether to the next round, and where it is written.
    returns: bool = False
    exits: list[tuple[str, int, bool, n.LoopExit]] = field(factory=list)


class StatementWriter(CallWriter):
    """Writes one function."""

    # The loop of which this is the function.
    root: Any = None

    def __init__(self, program: Program, kinds: Kinds, functions: Any, width: int):
        super().__init__(program, kinds, functions, width)
        self.loops: list[_Loop] = []
        # Loops and bodies of `try ... finally` around, innermost last.
        self.contexts: list[_Loop | _Finally] = []
        self._leaving_lines: list[Line] = []

    # --- functions --------------------------------------------------------

    def verb(self) -> Generated:
        """Write the function of the whole program."""
        out = self.out
        out.line("def verb(vm, act, v_args):")
        out.depth += 1
        prologue = out.line("")
        stack = out.line("S = act.stack = []")
        call = out.line("call = vm.call")
        out.line("t = vm.ticks")
        out.line("go_on = None")
        with out.indented("try:"):
            self.at = None
            out.region(self.point(way="start", stack="[]"))
            self.block(self.program.body)
            if out.open is not None:
                self._return("0")
        self._epilogue()
        stack.is_needed = self.has_handlers
        call.is_needed = self._uses_call()
        entry = self._first_values()
        if self.writes_through:
            entry.insert(0, "act.make_variables()")
            stack.text = "S = act.stack"
        prologue.text = "; ".join(entry)
        prologue.is_needed = bool(entry)
        return self._finished({})

    def _first_values(self) -> list[str]:
        """Return what gives the variables their first values."""
        known = {
            SLOT_PLAYER: "act.player",
            SLOT_THIS: "act.this",
            SLOT_CALLER: "act.caller",
            SLOT_VERB: "act.verb",
        }
        texts: list[str] = []
        types = (0, 1, 2, 4, 3)
        unbound: list[str] = []
        for name, slot in sorted(self._slots.items(), key=lambda each: each[1]):
            if slot == SLOT_ARGS:
                continue
            if slot in known:
                texts.append(f"{name} = {known[slot]}")
            elif slot < len(types):
                texts.append(f"{name} = {types[slot]}")
            elif slot in INHERITED_SLOTS:
                source = f"act.parse[{slot - SLOT_ARGSTR}]"
                if self.writes_through:
                    source = f"act.vars[{slot}]"
                texts.append(f"{name} = {source}")
            elif slot < self.built_in:
                texts.append(f"{name} = {0 if slot == SLOT_INT else 9}")
            else:
                unbound.append(name)
        if unbound:
            texts.append(" = ".join((*unbound, "None")))
        return texts

    def loop(self, node: Any) -> Generated:
        """Write the function of a loop, from the head of a round to its end."""
        self.root = node
        self.is_loop = True
        self.writes_through = self.program.assigns_inherited
        self.base = "base"
        out = self.out
        is_for = not isinstance(node, n.While)
        # The state of the loop stays below the marks.
        self.marks = 2 if is_for else 0
        out.line("def loop(vm, act):")
        out.depth += 1
        out.line("V = act.vars")
        prologue = out.line("")
        out.line("S = act.stack")
        out.line(f"base = len(S){' - 2' if is_for else ''}")
        call = out.line("call = vm.call")
        out.line("t = vm.ticks")
        out.line("go_on = None")
        with out.indented("try:"):
            self.at = node
            if type(node) is n.ForList:
                items = self.new_name()
                index = self.new_name()
                out.line(f"{items} = S[base]")
                out.line(f"{index} = S[base + 1]")
                out.region(self._head_point(node, f"{items}, {index}"))
                self._for_list(node, items, index)
            elif type(node) is n.ForRange:
                first, last = self.new_name(), self.new_name()
                out.line(f"{first} = S[base]")
                out.line(f"{last} = S[base + 1]")
                out.region(self._head_point(node, f"{first}, {last}"))
                self._for_range(node, first, last, INT)
            else:
                out.region(self._head_point(node, ""))
                self.emit_While(node)
            if out.open is not None:
                self._leave("None")
        self._epilogue()
        call.is_needed = self._uses_call()
        texts = [f"{name} = V[{slot}]" for name, slot in self._slots.items()]
        prologue.text = "; ".join(texts)
        prologue.is_needed = bool(texts)
        assigned = self.assigned(node)
        text = "; ".join(
            f"V[{slot}] = {name}"
            for name, slot in self._slots.items()
            if slot in assigned
        )
        for line in self._leaving_lines:
            line.text = text
            line.is_needed = bool(text)
        head = self.kinds.heads.get(id(node))
        entry = {}
        if head is not None:
            entry = {slot: head[slot] for slot in self._slots.values()}
        range_kind = ANY
        if type(node) is n.ForRange:
            range_kind = self.kinds.of(node.start) & self.kinds.of(node.end) & ANY
        return self._finished(entry, range_kind)

    def _head_point(self, node: n.Node, state: str) -> Point:
        """Return the point at which the walker would begin a round of ``node``."""
        return self.point(
            way="head", target=node, stack=self.stack_text(*_parts(state))
        )

    def _epilogue(self) -> None:
        out = self.out
        exits = "EXITS" if self.root is None else "LOOP_EXITS"
        with out.indented(f"except {exits} as error:"):
            out.line("go_on = left(act, error, t, locals(), CODE)")
        out.line("return go_on()")

    def _uses_call(self) -> bool:
        return any("call." in line.text for line in self.out.lines)

    def _finished(self, entry: dict[int, int], range_kind: int = ANY) -> Generated:
        source, points = self.out.finish()
        return Generated(
            source,
            points,
            tuple(self.constants),
            {slot: name for name, slot in self._slots.items()},
            entry,
            range_kind,
            self.root,
        )

    # --- leaving ----------------------------------------------------------

    def _return(self, value: str) -> None:
        """Write the end of the activation."""
        for context in reversed(self.contexts):
            if isinstance(context, _Finally):
                context.returns = True
                self._leave_body(context, "RETURN", value)
                return
        if self.root is not None:
            self._leave(f"Returned({value})")
            return
        self.out.line("vm.ticks = t")
        self.out.line(f"return {value}")
        self.out.open = None

    def _leave_body(self, part: _Finally, reason: str, value: str) -> None:
        """Write the way from a body to its ``finally`` part."""
        self.out.line(f"{part.reason} = {reason}; {part.value} = {value}")
        self.out.line("raise Leave")
        self.out.open = None

    def _leave(self, signal: str) -> None:
        """Write the way out of a loop's function, to the walker."""
        out = self.out
        out.line("vm.ticks = t")
        out.line("del S[base:]")
        self._leaving_lines.append(out.line(""))
        out.line(f"return {signal}")
        out.open = None

    # --- statements -------------------------------------------------------

    def block(self, block: n.Block) -> None:
        """Write statements, up to the first that none comes after."""
        for statement in block:
            if self.out.open is None:
                return
            _STATEMENTS[type(statement)](self, statement)

    def emit_ExpressionStatement(self, node: n.ExpressionStatement) -> None:
        self.at = node
        self.expression(node.value)

    def emit_Return(self, node: n.Return) -> None:
        self.at = node
        value = "0" if node.value is None else self.expression(node.value)
        self._return(value)

    def emit_If(self, node: n.If) -> None:
        out = self.out
        ways = []
        depth = out.depth
        for number, arm in enumerate(node.arms):
            if number:
                out.line("else:")
                out.depth += 1
            self.at = arm
            text = self.condition(arm.condition)
            out.tick()
            before = out.fork()
            with out.indented(f"if {text}:"):
                self.block(arm.body)
                ways.append(out.fork())
            out.join(before)
        if node.otherwise:
            with out.indented("else:"):
                self.block(node.otherwise)
                ways.append(out.fork())
        else:
            ways.append(out.fork())
        out.depth = depth
        out.join(*ways)

    def emit_Fork(self, node: n.Fork) -> None:
        self.at = node
        delay = self.expression(node.delay)
        self.out.tick()
        self.out.line(
            f"fork(act, {self.node_name(node)}, {delay}, locals(), CODE)",
            self.failing(node, "None"),
        )
        if node.slot is not None:
            self.out.line(f"{self.variable(node.slot)} = act.vars[{node.slot}]")
            self.stored(node.slot)

    # --- loops ------------------------------------------------------------

    def _begin_loop(self, node: n.Node) -> _Loop:
        flag = self.new_name("x")
        line = self.out.line(f"{flag} = 0")
        line.is_needed = False
        loop = _Loop(node, list(self.stack), self.marks, [], [], flag, line, [])
        self.loops.append(loop)
        self.contexts.append(loop)
        return loop

    def _after_loop(self, loop: _Loop) -> None:
        """Write the exits through this loop to those around it."""
        out = self.out
        after = out.fork()
        for number, (levels, is_continue) in enumerate(loop.exits, 1):
            with out.indented(f"if {loop.flag} == {number}:"):
                out.join(*loop.ends)
                self._exit(levels, is_continue)
        out.join(after)

    def _exit(self, levels: int, is_continue: bool) -> None:
        """Leave the innermost loop or, with ``levels``, one around it."""
        out = self.out
        loop = self.loops[-1]
        if self.marks != loop.marks:
            self.cut_marks(loop.marks)
        if levels == 0:
            (loop.heads if is_continue else loop.ends).append(out.fork())
            out.line("continue" if is_continue else "break")
        else:
            target = (levels - 1, is_continue)
            if target not in loop.exits:
                loop.exits.append(target)
            loop.flag_line.is_needed = True
            out.line(f"{loop.flag} = {loop.exits.index(target) + 1}")
            loop.ends.append(out.fork())
            out.line("break")
        out.open = None

    def emit_Break(self, node: n.Break) -> None:
        self._loop_exit(node, is_continue=False)

    def emit_Continue(self, node: n.Continue) -> None:
        self._loop_exit(node, is_continue=True)

    def _loop_exit(self, node: n.LoopExit, *, is_continue: bool) -> None:
        self.at = node
        self.out.tick()
        self._exit_from(node, node.levels, is_continue=is_continue)

    def _exit_from(self, node: n.LoopExit, levels: int, *, is_continue: bool) -> None:
        """Leave the loop with ``levels`` loops inside it, through all between."""
        inside = levels
        for context in reversed(self.contexts):
            if isinstance(context, _Finally):
                name = self._exit_signal(inside, is_continue, node)
                if all(name != each[0] for each in context.exits):
                    context.exits.append((name, inside, is_continue, node))
                self._leave_body(context, "EXIT", name)
                return
            if inside == 0:
                break
            inside -= 1
        beyond = levels - len(self.loops)
        if beyond >= 0:
            # The function of an inner loop: the walker has the others.
            self._leave(self._exit_signal(beyond, is_continue, node))
            return
        self._exit(levels, is_continue)

    def _exit_signal(self, levels: int, is_continue: bool, node: n.LoopExit) -> str:
        return self.constant("exit", levels, is_continue, self.place(node))

    def emit_ForList(self, node: n.ForList) -> None:
        self.at = node
        value = self.expression(node.items)
        items = self.named(value)
        self._for_list(node, items, "")

    def _for_list(self, node: n.ForList, items: str, index: str) -> None:
        """Write the rounds; ``index`` is the name of the next one's, if not 1."""
        out = self.out
        if index or self.kinds.of(node.items) & ANY != LIST:
            # The failing round has cost its tick.
            out.line(
                f"if type({items}) is not tuple: wrong_type()", self._round_point(node)
            )
        rounds = self.new_name("i")
        if index:
            out.line(f"{rounds} = rest_of({items}, {index})")
        else:
            out.line(f"{rounds} = iter({items})")
        loop = self._begin_loop(node)
        before = out.fork()
        name = self.variable(node.slot)
        with out.indented(f"for {name} in {rounds}:"):
            next_index = f"next_index({items}, {rounds})"
            out.region(self._head_point(node, f"{items}, {next_index} - 1"))
            out.tick()
            self.stored(node.slot)
            self.stack += (items, next_index)
            self.block(node.body)
            del self.stack[-2:]
            loop.heads.append(out.fork())
        self._end_for(loop, before)

    def _round_point(self, node: n.Node) -> Point:
        """Return the point of a loop that cannot begin a round."""
        point = self.failing(node, "None")
        return Point(point.node, point.block, point.used + 1, failure=point.failure)

    def _end_for(self, loop: _Loop, before: Any) -> None:
        out = self.out
        self.loops.pop()
        self.contexts.pop()
        out.join(before, *loop.heads)
        with out.indented("else:"):
            out.tick()
            exhausted = out.fork()
        out.join(exhausted, *loop.ends)
        self._after_loop(loop)

    def emit_ForRange(self, node: n.ForRange) -> None:
        self.at = node
        start = self.operand(node.start, node.end)
        self.stack.append(start)
        end = self.expression(node.end)
        self.stack.pop()
        first, last = self.named(start), self.named(end)
        kinds = self.kinds.of(node.start) & ANY, self.kinds.of(node.end) & ANY
        self._for_range(node, first, last, INT if kinds == (INT, INT) else 0)

    def _for_range(self, node: n.ForRange, first: str, last: str, kind: int) -> None:
        out = self.out
        rounds = f"range({first}, {last} + 1)"
        if kind != INT or self.root is node:
            rounds = self.new_name("i")
            out.line(f"{rounds} = loop_range({first}, {last})", self._round_point(node))
        loop = self._begin_loop(node)
        before = out.fork()
        name = self.variable(node.slot)
        number = name
        if any(node.slot in self.assigned(each) for each in node.body):
            number = self.new_name("i")
        with out.indented(f"for {number} in {rounds}:"):
            out.region(self._head_point(node, f"{number}, {last}"))
            out.tick()
            if number != name:
                out.line(f"{name} = {number}")
            self.stored(node.slot)
            state = f"*range_state({number}, {last}, {self.high})"
            self.stack.append(state)
            self.block(node.body)
            self.stack.pop()
            loop.heads.append(out.fork())
        self._end_for(loop, before)

    def emit_While(self, node: n.While) -> None:
        out = self.out
        loop = self._begin_loop(node)
        with out.indented("while True:"):
            self.at = node
            out.region(self._head_point(node, ""))
            if node.slot is None:
                text = self.condition(node.condition)
                out.tick()
            else:
                text = self.expression(node.condition)
                out.tick()
                name = self.variable(node.slot)
                if text != name:
                    out.line(f"{name} = {text}")
                self.stored(node.slot)
                text = name
            after = out.fork()
            out.line(
                f"if not {text}: break"
                if " " not in text
                else f"if not ({text}): break"
            )
            out.join(after)
            self.block(node.body)
        self.loops.pop()
        self.contexts.pop()
        out.join(after, *loop.ends)
        self._after_loop(loop)

    # --- try --------------------------------------------------------------

    def emit_TryExcept(self, node: n.TryExcept) -> None:
        out = self.out
        arms: list[tuple[str, n.Node]] = []
        depth = len(self.stack)
        for arm in node.arms:
            self.at = arm
            codes = self.codes(arm.codes)
            arms.append((codes, arm))
            self.stack += (codes, self.node_name(arm))
        del self.stack[depth:]
        self.at = node
        out.tick()
        unwinding = self.begin_handlers(arms)
        before = out.fork()
        ways = []
        stores = self.stores
        with out.indented("try:"):
            self.block(node.body)
            ways.append(out.fork())
        self.end_handlers(unwinding, arms, stores)
        out.join(before)
        with out.indented(f"if {unwinding} is not None:"):
            out.line("t = vm.ticks")
            which, value = self.new_name("a"), self.new_name()
            lists = ", ".join(codes for codes, _ in arms)
            out.line(
                f"{which} = arm_of({unwinding}, ({lists},), vm)",
                self.point(is_counted=True),
            )
            out.line(f"{value} = {unwinding}.value")
            out.line(f"{unwinding} = None")
            for number, arm in enumerate(node.arms):
                last = number == len(node.arms) - 1
                test = "else:" if last else f"if {which} == {number}:"
                if last and not number:
                    test = "if True:"
                elif number and not last:
                    test = f"el{test}"
                with out.indented(test):
                    self.at = arm
                    out.region(
                        self.point(
                            is_counted=True,
                            stack=self.stack_text(),
                            way="arm",
                            value=value,
                            target=arm,
                        )
                    )
                    if arm.slot is not None:
                        out.tick()
                        out.line(f"{self.variable(arm.slot)} = {value}")
                        self.stored(arm.slot)
                    self.block(arm.body)
                    ways.append(out.fork())
        out.join(*ways)

    def emit_TryFinally(self, node: n.TryFinally) -> None:
        out = self.out
        self.at = node
        out.tick()
        part = _Finally(self.new_name("r"), self.new_name("w"))
        mark = self.constant("finally", self.place(node))
        self.has_handlers = True
        out.line(f"{part.reason} = FELL_THROUGH; {part.value} = 0")
        out.line(f"S.append({mark})")
        self.stack.append(mark)
        self.marks += 1
        before = out.fork()
        self.contexts.append(part)
        stores = self.stores
        with out.indented("try:"):
            self.block(node.body)
        self.contexts.pop()
        with out.indented(HANDLED):
            unwinding = self.new_name("e")
            self.caught(unwinding, stores, [], False)
            out.line(f"{part.reason} = {unwinding}.reason")
            out.line(f"{part.value} = {unwinding}.value")
            out.line(f"{unwinding} = None")
            out.line("t = vm.ticks")
        with out.indented("except Leave:"):
            out.line("pass")
        self.stack.pop()
        self.marks -= 1
        self.cut_marks(self.marks)
        out.join(before)
        self.stack += (part.reason, part.value)
        out.region(self.point(way="finally", target=node, stack=self.stack_text()))
        self.block(node.handler)
        del self.stack[-2:]
        if out.open is not None:
            self._end_of_finally(part)

    def _end_of_finally(self, part: _Finally) -> None:
        """Go on with what the ``finally`` part interrupted."""
        out = self.out
        done = out.fork()
        if part.returns:
            with out.indented(f"if {part.reason} is RETURN:"):
                self._return(part.value)
            out.join(done)
        for name, levels, is_continue, node in part.exits:
            with out.indented(f"if {part.value} is {name}:"):
                self._exit_from(node, levels, is_continue=is_continue)
            out.join(done)
        with out.indented(f"if {part.reason} is not FELL_THROUGH:"):
            out.line("vm.ticks = t")
            out.line(f"unwind_further({part.reason}, {part.value})")
        out.join(done)


def _parts(state: str) -> tuple[str, ...]:
    return (state,) if state else ()


_STATEMENTS: Final = handlers_of(StatementWriter, "emit")
