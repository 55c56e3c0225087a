"""No kind of node is forgotten."""

from __future__ import annotations

import pytest

from pymoo.lang import compiler, unparse
from pymoo.lang import nodes as n
from pymoo.lang.handlers import handlers_of

KINDS = [
    kind
    for kind in vars(n).values()
    if isinstance(kind, type) and issubclass(kind, n.Node) and not kind.__subclasses__()
]


def test_these_are_all_of_them() -> None:
    assert len(KINDS) == 47


@pytest.mark.parametrize("kind", KINDS)
def test_it_can_be_listed(kind: type[n.Node]) -> None:
    # Of an `If` there are only the lines of its arms.
    assert (kind in unparse._UNPARSE) == (kind is not n.If)


@pytest.mark.parametrize("kind", KINDS)
def test_it_can_be_compiled(kind: type[n.Node]) -> None:
    # What is no expression and no statement is compiled with the node around it.
    alone = issubclass(kind, n.Expression | n.Statement) or kind is n.Splice
    assert (kind in compiler._COMPILE) == alone


def test_the_nearest_base_is_asked() -> None:
    class Owner:
        def eat_Binary(self) -> None: ...
        def eat_Power(self) -> None: ...
        def eat_Nothing(self) -> None: ...
        def bake_Add(self) -> None: ...

    found = handlers_of(Owner, "eat")
    assert found[n.Add] is Owner.eat_Binary
    assert found[n.Power] is Owner.eat_Power
    assert n.And not in found
