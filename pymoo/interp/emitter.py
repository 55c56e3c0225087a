"""Python text with its indentation, its charges of ticks, and what its lines mean.

`Emitter` knows no MOO.  It keeps three things right while text is written:

* **Blocks.**  The ticks of a straight run of operations are taken off at its start:
  ``t -= 5``.  The line stands there from the beginning and gets its number at the
  end.
* **Regions.**  From each place where the counter may have changed, `MAX` is what
  the dearest way to the next such place costs; with more ticks than that no
  operation on the way can be the last.  ``if t <= MAX: t = more(...)``.
* **Points.**  What must be known when an exception leaves a line: at most one
  operation that can fail stands on each.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from attrs import define, field

from pymoo.lang.nodes import Node, Variable

INDENT: Final = "    "

MAX_LINES: Final = 4_000
"""Longer functions stay with the walker: they cost more to make than they save."""


class Unsupported(Exception):
    """Something that stays with the walker."""


@define(eq=False)
class Block:
    """A straight run of operations, whose ticks are taken off at once."""

    cost: int = 0


@define(eq=False)
class Region:
    """All that can follow a place up to where the counter is looked at again."""

    dearest: int = 0


@define(eq=False)
class Failure:
    """How the walker goes on after an operation that failed without the d bit.

    ``node`` then has a value: ``value``, as Python text, or the code of the error if
    there is none.  Where more than a value follows from the failure, ``node`` is what
    was evaluated last before, and the walker does the operation once more.
    """

    node: Node
    # What `Activation.at` must be, and the operand stack, as Python text.
    at: Node | None
    stack: str
    value: str = ""
    # What the walker charges for the operation that it does once more.
    ticks: int = 0
    # Whether ``node`` has no value, but is to be evaluated from its beginning.
    begins: bool = False


@define(eq=False)
class Point:
    """What is the matter when an exception leaves a line.

    ``node`` is what `Activation.at` must be then; None if whatever was called there
    has seen to that, or nothing has begun.  ``block`` has been paid for as a whole, of
    which ``used`` ticks belong to what has happened so far; without a block, ``used``
    less than that were taken.  In ``is_counted`` lines the counter of the VM is right
    and needs no mending.
    """

    node: Node | None
    block: Block | None = None
    used: int = 0
    is_counted: bool = False
    # How the walker goes on from here, if it has to, and with which value.
    way: str = ""
    value: str = ""
    # The construct that the way is through, where that is not `node`.
    target: Node | None = None
    # The operand stack of the walker at this place, as Python text.
    stack: str = ""
    # The arguments, as Python text, of a function that may become protected.
    arguments: str = ""
    # The right side of the indexed assignment of which this is a store.
    temporary: str = ""
    # The variable that is unbound.
    unbound: Variable | None = None
    # Where a `MooError` can leave the line.
    failure: Failure | None = None

    @property
    def refund(self) -> int:
        """The ticks that were taken for what did not happen."""
        if self.is_counted:
            return 0
        return (0 if self.block is None else self.block.cost) - self.used


@define(eq=False)
class Line:
    """One line of text; ``block`` or ``region`` fills its number in at the end."""

    depth: int
    text: str
    point: Point | None = None
    block: Block | None = None
    region: Region | None = None
    is_needed: bool = True


@define(eq=False)
class Emitter:
    """The text of one function under construction."""

    lines: list[Line] = field(factory=list)
    depth: int = 0
    # What the operations to come are paid with.
    block: Block | None = None
    # The regions that the next operation is in, and what it costs to get there.
    # None: nothing gets here.
    open: dict[Region, int] | None = field(factory=dict)

    # --- text -------------------------------------------------------------

    def line(self, text: str, point: Point | None = None) -> Line:
        """Add a line.

        Raises: Unsupported if there are too many.
        """
        if len(self.lines) >= MAX_LINES:
            raise Unsupported("too long")
        line = Line(self.depth, text, point)
        self.lines.append(line)
        return line

    @contextmanager
    def indented(self, text: str, point: Point | None = None) -> Iterator[None]:
        """Add a line that opens a block of Python; ``pass`` if nothing follows."""
        self.line(text, point)
        self.depth += 1
        first = len(self.lines)
        yield
        # Lines for ticks may vanish, so they do not count.
        if all(line.block or line.region for line in self.lines[first:]):
            self.line("pass")
        self.depth -= 1

    # --- ticks ------------------------------------------------------------

    def tick(self, count: int = 1) -> None:
        """Charge ticks for the operation about to be written."""
        if self.block is None:
            self.block = Block()
            self.line("").block = self.block
        self.block.cost += count
        if self.open is not None:
            for region in self.open:
                self.open[region] += count
                region.dearest = max(region.dearest, self.open[region])

    def point(self, node: Node | None, **facts: Any) -> Point:
        """Return a point at which the ticks so far are right."""
        block = self.block
        used = 0 if block is None else block.cost
        return Point(node, block, used, **facts)

    def region(self, point: Point) -> None:
        """Begin a region here: make sure that its ticks are there."""
        region = Region()
        self.line("", point).region = region
        self.open = {region: 0}
        self.block = None

    def fork(self) -> dict[Region, int] | None:
        """Return what is open here, to be given to `join`; ways part."""
        self.block = None
        return None if self.open is None else dict(self.open)

    def join(self, *ways: dict[Region, int] | None) -> None:
        """Go on where several ways meet."""
        self.block = None
        self.open = None
        for way in ways:
            if way is None:
                continue
            if self.open is None:
                self.open = dict(way)
                continue
            for region, cost in way.items():
                self.open[region] = max(cost, self.open.get(region, 0))

    # --- the result -------------------------------------------------------

    def finish(self) -> tuple[str, dict[int, Point]]:
        """Return the text, and the points by the number of their line."""
        text: list[str] = []
        points: dict[int, Point] = {}
        for line in self.lines:
            content = line.text
            if line.block is not None:
                if line.block.cost == 0:
                    continue
                content = f"t -= {line.block.cost}"
            elif line.region is not None:
                most = line.region.dearest
                if most == 0:
                    continue
                content = f"if t <= {most}: t = more(vm, t, {most})"
            if not line.is_needed:
                continue
            text.append(INDENT * line.depth + content)
            if line.point is not None:
                points[len(text)] = line.point
        return "\n".join(text) + "\n", points
