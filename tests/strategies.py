"""What hypothesis makes for the tests: values, and MOO programs as nodes and text.

Programs are any that the parser could give, not only sensible ones: they read
variables that have no value and call functions with the wrong arguments.  Each
loop that might go on for ever is left to the tick limit of whoever runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from attrs import define, field
from hypothesis import strategies as st

from pymoo.lang import nodes as n
from pymoo.lang.names import built_in_variables
from pymoo.lang.program import Program
from pymoo.lang.unparse import unparse
from pymoo.values import ERROR_CODES, Obj, Value

T = TypeVar("T")

# --- values ---------------------------------------------------------------

integers = st.one_of(
    st.integers(-12, 140), st.integers(-(2**31), 2**31 - 1), st.just(-(2**31))
)

floats = (
    st.floats(allow_nan=False, allow_infinity=False)
    # A literal has 15 digits, and the largest floats overflow when rounded to
    # them.  Of the zeros a program can only have one.
    .map(lambda number: float(f"{number:.15g}") + 0.0)
    .filter(lambda number: abs(number) <= 1.7e308)
)

objects = st.integers(-3, 20).map(Obj) | st.integers(-(2**31), 2**31 - 1).map(Obj)

errors = st.sampled_from(ERROR_CODES)

strings = st.one_of(
    st.sampled_from(["", "a", "name", "in", "E_PERM", 'say "hi"', "back\\slash"]),
    # Byte 255 ends a string in a program that is not from a file.
    st.text(st.characters(min_codepoint=32, max_codepoint=254), max_size=8),
)

scalars: st.SearchStrategy[Value] = st.one_of(
    integers, floats, strings, objects, errors
)


def values(max_leaves: int = 20) -> st.SearchStrategy[Value]:
    """Any MOO value, lists included."""
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=5).map(tuple),
        max_leaves=max_leaves,
    )


# --- programs -------------------------------------------------------------

_BINARY: Sequence[type[n.Binary]] = (
    n.Add,
    n.Subtract,
    n.Multiply,
    n.Divide,
    n.Modulus,
    n.Power,
    n.Equal,
    n.NotEqual,
    n.Less,
    n.LessEqual,
    n.Greater,
    n.GreaterEqual,
    n.In,
)

VARIABLES = ("a", "b", "Count", "x_2", "_", "tell")
FUNCTIONS = ("length", "tostr", "raise", "typeof", "listappend", "notify", "suspend")
IDENTIFIERS = ("name", "location", "foo", "Tell_Me", "_x", "r")
NAMES = (*built_in_variables(), *VARIABLES)


@define
class _Maker:
    """Draws the parts of one program; ``size`` limits how deep they are nested."""

    draw: st.DrawFn
    functions: Sequence[str]
    forks: list[n.Fork] = field(factory=list)
    # The slots of the loops around, innermost last; None for those without name.
    loops: list[int | None] = field(factory=list)
    brackets: int = 0

    def choose(self, *choices: Callable[[], T]) -> T:
        return self.draw(st.sampled_from(choices))()

    def some(
        self, make: Callable[[int], T], size: int, least: int = 0, most: int = 3
    ) -> tuple[T, ...]:
        count = self.draw(st.integers(least, most))
        return tuple(make(size) for _ in range(count))

    def slot(self) -> int:
        return self.draw(st.integers(0, len(NAMES) - 1))

    # --- expressions ---

    def expression(self, size: int) -> n.Expression:
        leaves: list[Callable[[], n.Expression]] = [self.literal, self.variable]
        if self.brackets:
            leaves.append(n.Length)
        if size <= 0:
            return self.choose(*leaves)
        inner = size - 1
        return self.choose(
            *leaves,
            lambda: self.binary(inner),
            lambda: self.binary(inner),
            lambda: self.draw(st.sampled_from((n.And, n.Or)))(
                self.expression(inner), self.expression(inner)
            ),
            lambda: n.Not(self.expression(inner)),
            lambda: self.negate(inner),
            lambda: n.Conditional(
                self.expression(inner), self.expression(inner), self.expression(inner)
            ),
            lambda: n.ListDisplay(self.items(inner)),
            lambda: n.FunctionCall(
                self.draw(st.sampled_from(self.functions)), self.items(inner)
            ),
            lambda: n.VerbCall(self.base(inner), self.name(inner), self.items(inner)),
            lambda: self.property(inner),
            lambda: self.index(self.base(inner), inner),
            lambda: self.range(self.base(inner), inner),
            lambda: n.Assign(self.target(inner), self.expression(inner)),
            lambda: self.scatter(inner),
            lambda: n.Catch(
                self.expression(inner), self.codes(inner), self.maybe(inner)
            ),
        )

    def literal(self) -> n.Literal:
        return n.Literal(self.draw(scalars))

    def variable(self) -> n.Variable:
        return n.Variable(self.slot())

    def maybe(self, size: int) -> n.Expression | None:
        return self.choose(lambda: None, lambda: self.expression(size))

    def binary(self, size: int) -> n.Binary:
        kind = self.draw(st.sampled_from(_BINARY))
        return kind(self.expression(size), self.expression(size))

    def negate(self, size: int) -> n.Expression:
        operand = self.expression(size)
        # The parser makes one literal of a minus and a number.
        return operand if _is_number(operand) else n.Negate(operand)

    def base(self, size: int) -> n.Expression:
        base = self.expression(size)
        # (-1).x is listed as -1 .x, which is something else.
        if isinstance(base, n.Literal) and str(base.value).startswith("-"):
            return self.variable()
        return base

    def name(self, size: int) -> n.Expression:
        return self.choose(
            lambda: n.Literal(self.draw(st.sampled_from(IDENTIFIERS))),
            lambda: self.expression(size),
        )

    def property(self, size: int) -> n.Property:
        base = self.choose(lambda: n.Literal(Obj(0)), lambda: self.base(size))
        return n.Property(base, self.name(size))

    def index(self, base: n.Expression, size: int) -> n.Index:
        self.brackets += 1
        index = self.expression(size)
        self.brackets -= 1
        return n.Index(base, index)

    def range(self, base: n.Expression, size: int) -> n.Range:
        self.brackets += 1
        start, end = self.expression(size), self.expression(size)
        self.brackets -= 1
        return n.Range(base, start, end)

    def items(self, size: int, least: int = 0) -> n.Items:
        return self.some(self.item, size, least)

    def item(self, size: int) -> n.Item:
        value = self.expression(size)
        return n.Splice(value) if self.draw(st.integers(0, 2)) == 0 else value

    def codes(self, size: int) -> n.Items | None:
        return self.choose(lambda: None, lambda: self.items(size, 1))

    def target(self, size: int) -> n.Expression:
        target: n.Expression = self.choose(
            self.variable, self.variable, lambda: self.property(size)
        )
        for _ in range(self.draw(st.integers(0, 2))):
            target = self.index(target, size)
        if self.draw(st.booleans()) and self.draw(st.booleans()):
            target = self.range(target, size)
        return target

    def scatter(self, size: int) -> n.Scatter:
        targets: list[n.Target] = list(self.some(self.plain_target, size))
        if not targets or self.draw(st.booleans()):
            place = self.draw(st.integers(0, len(targets)))
            targets.insert(place, n.Rest(self.slot()))
        return n.Scatter(tuple(targets), self.expression(size))

    def plain_target(self, size: int) -> n.Target:
        slot = self.slot()
        if self.draw(st.booleans()):
            return n.Required(slot)
        return n.Optional(slot, self.maybe(size))

    # --- statements ---

    def block(self, size: int) -> n.Block:
        return self.some(self.statement, size - 1)

    def statement(self, size: int) -> n.Statement:
        depth = self.draw(st.integers(0, 3))
        simple: list[Callable[[], n.Statement]] = [
            lambda: n.ExpressionStatement(self.expression(depth)),
            lambda: n.ExpressionStatement(self.expression(depth)),
            lambda: n.Return(self.maybe(depth)),
        ]
        if self.loops:
            simple.append(self.loop_exit)
        if size <= 0:
            return self.choose(*simple)
        return self.choose(
            *simple,
            lambda: n.If(self.some(self.if_arm, size, 1), self.block(size)),
            lambda: self.for_list(size),
            lambda: self.for_range(size),
            lambda: self.while_(size),
            lambda: self.fork(size),
            lambda: n.TryFinally(self.block(size), self.block(size)),
            lambda: self.try_except(size),
        )

    def if_arm(self, size: int) -> n.IfArm:
        return n.IfArm(self.expression(2), self.block(size))

    def for_list(self, size: int) -> n.ForList:
        slot = self.slot()
        return n.ForList(slot, self.expression(1), self.loop_body(slot, size))

    def for_range(self, size: int) -> n.ForRange:
        slot = self.slot()
        start, end = self.expression(1), self.expression(1)
        return n.ForRange(slot, start, end, self.loop_body(slot, size))

    def while_(self, size: int) -> n.While:
        slot = self.choose(lambda: None, self.slot)
        return n.While(slot, self.expression(2), self.loop_body(slot, size))

    def loop_body(self, slot: int | None, size: int) -> n.Block:
        self.loops.append(slot)
        body = self.block(size)
        self.loops.pop()
        return body

    def loop_exit(self) -> n.LoopExit:
        kind = self.draw(st.sampled_from((n.Break, n.Continue)))
        named = {slot for slot in self.loops if slot is not None}
        slot = self.draw(st.sampled_from([None, *sorted(named)]))
        levels = 0 if slot is None else self.loops[::-1].index(slot)
        return kind(slot, levels)

    def fork(self, size: int) -> n.Fork:
        slot = self.choose(lambda: None, self.slot)
        around, self.loops = self.loops, []
        body = self.block(size)
        self.loops = around
        fork = n.Fork(slot, self.expression(1), body)
        self.forks.append(fork)
        return fork

    def try_except(self, size: int) -> n.TryExcept:
        body = self.block(size)
        arms = list(self.some(self.except_arm, size))
        if not arms or self.draw(st.booleans()):
            arms.append(n.ExceptArm(self.choose(lambda: None, self.slot), None, ()))
        return n.TryExcept(body, tuple(arms))

    def except_arm(self, size: int) -> n.ExceptArm:
        slot = self.choose(lambda: None, self.slot)
        return n.ExceptArm(slot, self.items(1, 1), self.block(size))


def _is_number(node: n.Expression) -> bool:
    return type(node) is n.Literal and type(node.value) in (int, float)


@st.composite
def programs(
    draw: st.DrawFn, size: int = 4, functions: Sequence[str] = FUNCTIONS
) -> Program:
    """Programs whose variables are `NAMES`, by slot, whether they use them or not."""
    maker = _Maker(draw, functions)
    body = maker.block(size)
    return Program(body=body, names=NAMES, forks=tuple(maker.forks))


def program_texts(
    size: int = 4, functions: Sequence[str] = FUNCTIONS
) -> st.SearchStrategy[str]:
    """The canonical texts of programs, each line with its newline."""
    return programs(size, functions).map(
        lambda program: "".join(f"{line}\n" for line in unparse(program))
    )
