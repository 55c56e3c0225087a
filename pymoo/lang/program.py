"""A compiled MOO program: its syntax tree, its variables and its fork bodies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import define, field

from pymoo.lang.names import CURRENT_VERSION, INHERITED_SLOTS
from pymoo.lang.nodes import (
    Block,
    Fork,
    Node,
    assigned_slots,
    first_operand,
    operands,
)

if TYPE_CHECKING:
    from pymoo.lang.classic import ClassicCode

__all__ = ["CURRENT_VERSION", "Program"]


@define(eq=False, slots=False)
class Program:
    """What the parser makes of a verb; never changed afterwards.

    ``names`` are the variables by slot, spelled as first seen, the built-in ones
    in front.  ``forks`` are the fork statements in the order in which their bodies
    end, which is how a textdump numbers them.  ``version`` says which keywords and
    built-in variables the program knows.
    """

    body: Block
    names: tuple[str, ...]
    forks: tuple[Fork, ...] = ()
    version: int = CURRENT_VERSION
    # Added to line numbers: a fork body that was read from a textdump is a
    # program of its own and remembers where in its verb it began.
    first_line: int = field(default=1, kw_only=True)
    # The C server remembers the last place of a program whose line it was asked
    # for.  In a new program that is its first instruction, on line 1: which is
    # wrong, and seen, where that belongs to an `except` (decompile.c).
    was_line_asked: bool = field(default=False, init=False, repr=False)
    # All that the program was parsed from, in plain values: what is the same here is
    # the same program.  None if nobody has said.
    origin: tuple[Any, ...] | None = field(default=None, init=False, repr=False)
    # What the second tier made of the program, which only it looks into.
    fast: Any = field(default=None, init=False, repr=False)
    tier: Any = field(default=None, init=False, repr=False)

    @cached_property
    def classic(self) -> ClassicCode:
        """The instructions that the C server would compile this to."""
        from pymoo.lang.classic import ClassicCode

        return ClassicCode(self)

    @cached_property
    def assigned_inherited(self) -> frozenset[int]:
        """The variables it may set of those that called verbs inherit.

        These are ``player`` and the parts of the command.
        """
        found: set[int] = set()
        for node in self.nodes:
            found.update(assigned_slots(node))
        return INHERITED_SLOTS & found

    @property
    def assigns_inherited(self) -> bool:
        """Whether it may set any of `assigned_inherited`."""
        return bool(self.assigned_inherited)

    # --- places -----------------------------------------------------------

    @cached_property
    def parents(self) -> dict[int, Node]:
        """Which node each waits for: the one around it, by the ``id`` of the inner.

        The parts of an assignment's target belong to the assignment, as the target
        is not evaluated itself.  Statements of the program have none.
        """
        parents: dict[int, Node] = {}
        pending: list[Node] = list(self.body)
        while pending:
            node = pending.pop()
            for child in operands(node):
                parents[id(child)] = node
                pending.append(child)
        return parents

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, in an order that depends on the program alone."""
        nodes: list[Node] = []
        pending: list[Node] = list(self.body)
        while pending:
            node = pending.pop()
            nodes.append(node)
            pending += operands(node)
        return tuple(nodes)

    @cached_property
    def weight(self) -> int:
        """1, and 1 more for every hundred levels that its nodes are nested.

        Running it takes Python's stack in proportion.
        """
        if len(self.nodes) < 100:
            return 1
        levels = 0
        level: Sequence[Node] = self.body
        while level:
            levels += 1
            level = [child for node in level for child in operands(node)]
        return 1 + levels // 100

    @cached_property
    def _lines(self) -> dict[int, int]:
        from pymoo.lang.unparse import line_numbers

        return line_numbers(self)

    def line_of(self, node: Node) -> int:
        """Return the line of the canonical listing that a part of the program is on."""
        lines, parents = self._lines, self.parents
        while (line := lines.get(id(node))) is None:
            node = parents[id(node)]
        return line

    def is_first(self, node: Node) -> bool:
        """Whether ``node`` is the first thing that the program evaluates."""
        at: Node | None = self.body[0] if self.body else None
        while at is not None and at is not node:
            at = first_operand(at)
        return at is node

    def first_line_of(self, vector: int) -> int:
        """Return the line of a program, or of the body of a fork, that has not begun.

        A body that was read from a textdump is a program of its own, whose line
        nobody has asked for yet (see ``was_line_asked``): 1, wherever it had been.
        """
        return 1 if vector < 0 else self.classic.first_line(vector)

    def fork_number(self, node: Fork) -> int:
        """Return the number of a fork body."""
        return next(number for number, fork in enumerate(self.forks) if fork is node)
