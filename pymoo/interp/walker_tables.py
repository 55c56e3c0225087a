"""What the walker is made of: the results of statements, and who handles which node.

The handlers stand in `walker_statements` and `walker_expressions`, each named after its
node; `enter` puts them into the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from attrs import frozen

from pymoo.errors import InternalError
from pymoo.interp.activation import Activation, Unwinding
from pymoo.lang import nodes as n
from pymoo.values import Value


@frozen
class Signal:
    """Why a statement did not run to its end."""


@frozen
class Returned(Signal):
    """``return value;``: the activation is done."""

    value: Value


@frozen
class Exit(Signal):
    """``break`` or ``continue`` of the loop with ``levels`` loops inside it."""

    levels: int
    is_continue: bool
    # Where it was written, or the loop meant: a textdump keeps the place in the
    # classic code that it leads to while a `finally` part runs.
    origin: n.Node


Execute: TypeAlias = Callable[[Any, Activation], Signal | None]
Evaluate: TypeAlias = Callable[[Any, Activation], Value]
After: TypeAlias = Callable[[Any, n.Node, Any, Activation], Any]
Rescue: TypeAlias = Callable[[Any, n.Node, Unwinding, Activation], Any]

EXECUTE: Final[dict[type[n.Node], Execute]] = {}
EVALUATE: Final[dict[type[n.Node], Evaluate]] = {}
AFTER: Final[dict[type[n.Node], After]] = {}
RESCUE: Final[dict[type[n.Node], Rescue]] = {}


BINARY: Final = frozenset(
    (
        *(n.Add, n.Subtract, n.Multiply, n.Divide, n.Modulus, n.Power),
        *(n.Equal, n.NotEqual, n.Less, n.LessEqual, n.Greater, n.GreaterEqual),
        n.In,
    )
)


def enter(handlers: Mapping[str, Any]) -> None:
    """Enter every handler of a module under the node that it is named after."""
    tables: dict[str, dict[type[n.Node], Any]] = {
        "exec": EXECUTE,
        "eval": EVALUATE,
        "after": AFTER,
        "rescue": RESCUE,
    }
    for name, function in list(handlers.items()):
        prefix, _, construct = name.partition("_")
        kind = getattr(n, construct, None)
        if prefix in tables and isinstance(kind, type):
            tables[prefix][kind] = function
    for kinds, base in ((BINARY, n.Binary), ((n.And, n.Or), n.Logical)):
        if f"eval_{base.__name__}" in handlers:
            for kind in kinds:
                EVALUATE[kind] = EVALUATE[base]
                AFTER[kind] = AFTER[base]


def run_block(block: n.Block, act: Activation) -> Signal | None:
    for statement in block:
        signal = EXECUTE[type(statement)](statement, act)
        if signal is not None:
            return signal
    return None


def evaluate(node: n.Expression, act: Activation) -> Value:
    """Return the value of an expression."""
    return EVALUATE[type(node)](node, act)


def tick(act: Activation) -> None:
    """Count one tick and look at the limit."""
    vm = act.vm
    vm.ticks -= 1
    if vm.ticks <= 0:
        vm.next_portion()


def position_of(items: tuple[Any, ...], child: n.Node) -> int:
    for position, item in enumerate(items):
        if item is child:
            return position
    raise InternalError(f"{child} is not where it was suspended")


def rest_of_block(
    block: n.Block, child: n.Node, signal: Signal | None, act: Activation
) -> Signal | None:
    """Go on in ``block`` behind its statement ``child``, which ended in ``signal``."""
    if signal is not None:
        return signal
    return run_block(block[position_of(block, child) + 1 :], act)
