"""Asks a server what programs give, in the world of `program_world`.

The answers in these tests are those of the C server: a program is put the way its
eval() does it, so that the same question can be put to any server.
"""

from __future__ import annotations

from attrs import define, field

from pymoo.interp.vm import Aborted, Done
from pymoo.values import Obj, literal
from tests.fakes import WIZARD, Bench
from tests.program_strategies import program_world

PAT = Obj(5)  # a programmer and a player
QUINN = Obj(6)  # a programmer
RAE = Obj(7)  # a player


@define
class Asker:
    """A server with a new world."""

    bench: Bench = field(factory=lambda: Bench(program_world()))

    def run(self, program: str, who: Obj = WIZARD) -> str:
        """Return the literal of what ``program`` returns.

        If it fails: ``! code``, with the message if it is not that of the code.
        """
        errors = self.bench.errors(program + "\n")
        if errors:
            return f"! {errors}"
        seen = self.bench.run(program, player=who)
        if isinstance(seen.result, Done):
            return literal(seen.result.value)
        assert isinstance(seen.result, Aborted), seen
        if seen.result.handler != "handle_uncaught_error":
            return f"! {seen.lines[0].partition(':  ')[2]}"
        code, message = seen.result.arguments[:2]
        if message == getattr(code, "message", None):
            return f"! {literal(code)}"
        return f"! {literal(code)} {message}"

    def lines(self, program: str, who: Obj = WIZARD) -> list[str]:
        """Return what the wizard is sent while ``program`` runs, and right after."""
        before = len(self.bench.lines)
        self.bench.run(program, player=who)
        self.bench.settle()
        return self.bench.lines[before:]

    def __call__(self, expression: str, who: Obj = WIZARD) -> str:
        """Return what an expression gives, as `run`."""
        return self.run(f"return {expression};", who)
