"""Programs in the second tier: Python that says what the program says, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pymoo.errors import MooSyntaxError
from pymoo.interp.emitter import Unsupported
from pymoo.interp.linker import Template
from pymoo.lang import nodes as n
from tests.fakes import Bench
from tests.fuzz.program_texts import PROGRAMS
from tests.fuzz.running import Check, Target
from tests.interp.generated_code import assert_compiled, assert_harmless

LOOPS: Final = 3
"""How many of the loops of a program are looked at."""


@contextmanager
def opened() -> Iterator[Check]:
    bench = Bench(dialect_name="pymoo")
    tiering = bench.engine.tiering

    def check(text: str) -> None:
        try:
            program = bench.engine.compile(text)
        except MooSyntaxError:
            return
        loops = [
            node
            for node in program.nodes
            if isinstance(node, n.While | n.ForList | n.ForRange)
        ]
        for loop in (None, *loops[:LOOPS]):
            try:
                generated = tiering._generate(program, loop)
                template = Template.of(generated)
            except (Unsupported, RecursionError):
                continue  # such programs stay with the walker
            except SyntaxError as error:
                # As do those that are nested too deep for Python, and no others.
                if not str(error).startswith("too many"):
                    raise
                continue
            assert_harmless(generated.source, program)
            assert_compiled(template.code)

    yield check


TARGET: Final = Target("generated", PROGRAMS, opened)
