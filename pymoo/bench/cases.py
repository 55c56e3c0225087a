"""What a measurement is.

A `Case` can be made ready in a `session.Session`, for one tier.  It then is a
function that measures once: it does its work, checks the answers, and returns what
one unit of it has cost.  An answer that is wrong raises `BenchError`, so nothing is
fast by being wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import frozen

from pymoo.errors import PymooError

if TYPE_CHECKING:
    from pymoo.bench.session import Session


class BenchError(PymooError):
    """Something that was to be measured did not do what it should."""


class Tier(StrEnum):
    """How MOO code is run.

    ``compiled`` is the way that a server runs it: what has become hot is compiled,
    and everything is measured after it has.
    """

    WALKER = "walker"
    COMPILED = "compiled"


class Unit(StrEnum):
    """What samples are given in."""

    SECONDS = "s"
    """Of CPU time."""
    BYTES = "B"


Sample = Callable[[], float]
Prepare = Callable[["Session", Tier], AbstractContextManager[Sample]]
Lack = Callable[["Session"], str]
"""What the database lacks for a case; "" if it has all."""


def nothing_lacks(session: Session) -> str:
    """Any database will do."""
    return ""


@frozen
class Case:
    """One measurement.

    With ``is_tiered`` off it is the same in all tiers, and made in one.  With
    ``is_long`` on it is made only if it is asked for by name.
    """

    group: str
    name: str
    per: str  # what one unit is: "round", "call", ...
    what: str
    prepare: Prepare
    unit: Unit = Unit.SECONDS
    lack: Lack = nothing_lacks
    is_tiered: bool = True
    is_long: bool = False

    @property
    def id(self) -> str:
        """The name that it is chosen by, ``group/name``."""
        return f"{self.group}/{self.name}"
