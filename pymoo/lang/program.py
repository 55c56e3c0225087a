"""A compiled MOO program: its syntax tree, its variables and its fork bodies."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, field

from pymoo.lang.names import CURRENT_VERSION
from pymoo.lang.nodes import Block, Fork

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

    @cached_property
    def classic(self) -> ClassicCode:
        """The instructions that the C server would compile this to."""
        from pymoo.lang.classic import ClassicCode

        return ClassicCode(self)
