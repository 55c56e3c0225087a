"""Values of properties that are used after the task has been suspended.

Whenever a task suspends, others run: what it read from a property before may not be
so any more, and what it writes back undoes what they wrote.  `stale_uses` tells
where that can happen in a program, and `worst_uses` which of it is worth a look.

What a program's variables hold on its ways is found out by `dev.stale_flow`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from attrs import frozen

from pymoo.dev.stale_flow import NO_SLOT, Flow, Hazard, is_system, text_of
from pymoo.lang import nodes as n
from pymoo.lang.program import Program
from pymoo.lang.unparse import is_identifier
from pymoo.values import literal

_WORST_FIRST: Final = {hazard: number for number, hazard in enumerate(Hazard)}

# Properties that the server itself changes (db_objects.c).
_BUILT_IN_PROPERTIES: Final = frozenset(
    "name owner location contents programmer wizard r w f".split()
)

_MOST_LINKS: Final = 8
"""Longer chains ``a.b.c`` are shown without their beginning."""


@frozen
class StaleUse:
    """A place that uses a value which may not be so any more."""

    hazard: Hazard
    line: int
    variable: str | None  # None for a value that no variable holds
    source: str  # the property that it was read from
    read_line: int
    suspension_line: int
    # Whether it is the start of a fork's body that came between.
    is_forked: bool
    # The property's name, folded, where the program says it, and whether it is one
    # of #0, which hardly ever changes.
    name: str | None
    is_of_system: bool

    @property
    def message(self) -> str:
        """What is wrong and what helps, without the line of the use."""
        if self.is_forked:
            since = f"before the fork on line {self.suspension_line}"
            again = "read it again in the fork"
        else:
            since = f"before the task may suspend on line {self.suspension_line}"
            again = "read it again after suspending"
        read = f"was read on line {self.read_line}, {since}"
        if self.hazard is Hazard.LOST_UPDATE:
            value = f"{self.variable}, which" if self.variable else "a value that"
            return (
                f"lost update: {self.source} is set from {value} {read}; what other "
                f"tasks have done to it since is undone: {again}"
            )
        if self.hazard is Hazard.STALE_MEMBER:
            return (
                f"{self.variable} is one of {self.source}, which {read}; it may have "
                f"been moved or recycled since: test it first, as by "
                f"valid({self.variable})"
            )
        return (
            f"{self.variable} comes from {self.source}, which {read}; it may have "
            f"changed since: {again}"
        )


def stale_uses(
    program: Program, line_of: Callable[[n.Node], int] | None = None
) -> list[StaleUse]:
    """Return every use of a value that may be stale, in no order.

    ``line_of`` gives the line of a node where that is not the one of the canonical
    listing.
    """
    line_of = line_of or program.line_of
    flow = Flow(program)
    uses: dict[StaleUse, None] = {}
    for (hazard, _, fact), node in flow.found.items():
        read = flow.reads[fact.read].node
        suspension = flow.suspensions[fact.suspension]
        use = StaleUse(
            hazard,
            line_of(node),
            None if fact.slot == NO_SLOT else program.names[fact.slot],
            _text(read, program.names),
            line_of(read),
            line_of(suspension),
            type(suspension) is n.Fork,
            text_of(read.name),
            is_system(read.object),
        )
        uses[use] = None
    return list(uses)


def worst_uses(
    uses: Iterable[StaleUse], written: frozenset[str] | None = None
) -> list[StaleUse]:
    """Return what is worth a look of the stale uses of one program, line by line.

    A variable is told of once for each suspension, and what a place has read once,
    at the worst of its uses.  ``written`` are the properties that programs of the
    world set (`written_properties`): others are taken for settled, and so are those
    of #0 unless they are written back.
    """
    candidates = [
        use
        for use in uses
        if use.hazard is Hazard.LOST_UPDATE
        or not (
            use.is_of_system
            or (
                written is not None
                and use.name is not None
                and use.name not in written
                and use.name not in _BUILT_IN_PROPERTIES
            )
        )
    ]
    candidates.sort(
        key=lambda use: (
            _WORST_FIRST[use.hazard],
            use.line,
            use.suspension_line,
            use.read_line,
        )
    )
    worst = []
    told: set[tuple[str, int]] = set()
    for use in candidates:
        # On another way, or behind another suspension, it is the same mistake.
        keys = {(use.source, use.read_line)}
        if use.variable is not None:
            keys.add((use.variable, -use.suspension_line))
        if keys.isdisjoint(told):
            told |= keys
            worst.append(use)
    worst.sort(key=lambda use: use.line)
    return worst


def written_properties(program: Program) -> set[str]:
    """Return the folded names of the properties that a program sets by name."""
    written = set()
    for node in program.nodes:
        if type(node) is n.Assign:
            target = node.target
            while isinstance(target, n.Index | n.Range):
                target = target.base
            if type(target) is n.Property:
                name = text_of(target.name)
                if name is not None:
                    written.add(name)
    return written


def _text(node: n.Property, names: tuple[str, ...]) -> str:
    """Return a property as a programmer writes it, but for what is too long."""
    links: list[str] = []
    at: n.Node = node
    while type(at) is n.Property and len(links) < _MOST_LINKS:
        name = at.name
        if type(name) is n.Literal and type(name.value) is str:
            if not is_identifier(name.value):
                links.append(f".({literal(name.value)})")
            elif is_system(at.object):
                return f"${name.value}" + "".join(reversed(links))
            else:
                links.append(f".{name.value}")
        elif type(name) is n.Variable:
            links.append(f".({names[name.slot]})")
        else:
            links.append(".(...)")
        at = at.object
    if type(at) is n.Variable:
        base = names[at.slot]
    elif type(at) is n.Literal:
        base = literal(at.value)
    else:
        base = "(...)"
    return base + "".join(reversed(links))
