"""Which method deals with which kind of node, told by their names."""

from __future__ import annotations

from typing import Any

from pymoo.lang import nodes as n


def handlers_of(owner: type, prefix: str) -> dict[type[n.Node], Any]:
    """Return the methods of a class that are for nodes, by the kind of node.

    ``prefix_X`` is for nodes X, and for kinds of X that have none of their own:
    ``prefix_Binary`` for all operators between two operands.
    """
    handlers = {}
    for kind in vars(n).values():
        if isinstance(kind, type) and issubclass(kind, n.Node):
            for base in kind.__mro__:
                handler = vars(owner).get(f"{prefix}_{base.__name__}")
                if handler is not None:
                    handlers[kind] = handler
                    break
    return handlers
