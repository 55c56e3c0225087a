"""Which programs run as Python, and since when.

`Tiering` counts how often a program begins, and the rounds of its loops in the
walker.  What is worth it is compiled, and kept at its `Program`; what the second
tier cannot do is remembered as such.

A program's code is known by its content: the same text is compiled once, and with
`Tiering.keep_code` once and for all.  When the database protects a function, all code
is forgotten and made anew, with calls that ask.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from attrs import astuple, define, field

from pymoo.errors import OptionError
from pymoo.interp.activation import Activation
from pymoo.interp.code_cache import CodeCache, content_key, fingerprint
from pymoo.interp.codegen import Generated, generate, generate_loop
from pymoo.interp.emitter import Unsupported
from pymoo.interp.kinds import KIND_OF, Kinds
from pymoo.interp.linker import Linker, Template, constant_text
from pymoo.lang import nodes as n
from pymoo.lang.program import Program
from pymoo.lang.unparse import unparse

if TYPE_CHECKING:
    from pymoo.interp.engine import Engine

CALLS_BEFORE: Final = 10
"""How often a program runs in the walker before it is compiled."""
CALLS_BEFORE_KEPT: Final = 2
"""The call of a program before which it is looked for among kept code."""
ROUNDS_BEFORE: Final = 200
"""How many rounds a loop makes in the walker before it is compiled."""
ROUNDS_PER_ENTRY: Final = 8
"""For how many rounds it counts that a loop is entered."""

FAILURES_ALLOWED: Final = 8
"""How often a program may fail in frames without the d bit before that counts."""
RUNS_PER_FAILURE: Final = 16
"""In how many such frames it may fail once, to be worth running there as Python."""

# What is larger stays with the walker: compiling takes its time within the turn of
# the server, and in the worst case more than in proportion to the size.
MAX_NODES: Final = 4_000
MAX_VARIABLES: Final = 120
MAX_ITEMS: Final = 500
"""Of one list, of the arguments of one call, or of codes; fewer than any limit on the
length of lists."""
MAX_LITERALS: Final = 20_000
"""Characters in all strings together."""

MAX_TEMPLATES: Final = 256
"""How many are kept in memory, for programs of the same text."""

NEVER: Final = sys.maxsize

SWITCH: Final = "PYMOO_TIERS"
"""The environment variable that makes everything run in one tier, for tests.

``walker``: nothing is compiled; ``compiled``: everything that can be, at once.
"""
_SWITCHED: Final = {"walker": (NEVER, NEVER, 0), "compiled": (0, 1, NEVER)}


@define(eq=False)
class Tier:
    """What the second tier knows of a program."""

    generation: int
    calls: int = 0
    is_refused: bool = False
    # How often it was to begin, or one of its loops, in frames without the d bit, and
    # how often an operation failed there.
    plain_runs: int = 0
    failures: int = 0
    # By ``id`` of the loop: how hot it is.
    heat: dict[int, int] = field(factory=dict)
    # By ``id`` of the loop; None for one that stays with the walker.
    loops: dict[int, LoopCode | None] = field(factory=dict)


@define(eq=False)
class LoopCode:
    """The function of a loop, and what must hold for it to be entered."""

    function: Any
    entry: tuple[tuple[int, int], ...]
    range_kind: int
    is_range: bool

    def fits(self, act: Activation) -> bool:
        """Whether variables and range are of the types that the code counts on."""
        variables = act.vars
        for slot, kind in self.entry:
            if not KIND_OF[type(variables[slot])] & kind:
                return False
        if self.is_range:
            for number in act.stack[-2:]:
                if not KIND_OF[type(number)] & self.range_kind:
                    return False
        return True


class Tiering:
    """The second tier of one engine."""

    def __init__(self, engine: Engine, *, is_enabled: bool = True) -> None:
        self._engine: Final = engine
        switch = os.environ.get(SWITCH, "") if is_enabled else "walker"
        if switch and switch not in _SWITCHED:
            raise OptionError(
                f"{SWITCH}={switch}: there is no such choice; it may be "
                f"{' or '.join(_SWITCHED)}"
            )
        self._is_strict: Final = switch == "compiled"
        self.calls_before, self.rounds_before, self.failures_allowed = _SWITCHED.get(
            switch, (CALLS_BEFORE, ROUNDS_BEFORE, FAILURES_ALLOWED)
        )
        self._generation = 0
        self._protected: frozenset[str] = frozenset()
        self._linker: Final = Linker(engine)
        self._templates: dict[bytes, Template] = {}
        self._cache: CodeCache | None = None

    def keep_code(self, folder: Path, warn: Callable[[str], None]) -> None:
        """Keep code in a file in ``folder``, and take it from there.

        ``warn`` is told if that cannot be done.  Where nothing is compiled, nothing is
        taken from there either.
        """
        if self.calls_before == NEVER:
            return
        functions = []
        for name in self._engine.builtins:
            builtin = self._engine.builtins[name]
            types = [[each.__name__ for each in kind] for kind in builtin.checked_types]
            is_direct = builtin.is_pure, builtin.is_metered, builtin.is_quick
            functions.append((builtin.description, types, builtin.explains, *is_direct))
        self._cache = CodeCache(folder, fingerprint(functions), warn)

    # --- which tier -------------------------------------------------------

    def promoted(self, program: Program) -> Any:
        """Return the function of a program that begins; None to walk it."""
        tier = self._tier(program)
        tier.calls += 1
        if tier.is_refused:
            return None
        if tier.calls > self.calls_before:
            return self.compile(program)
        if tier.calls == CALLS_BEFORE_KEPT and self._cache is not None:
            self._make_verb(program, self._kept)
        return program.fast

    def loop(self, act: Activation, node: Any, rounds: int) -> Any:
        """Return the function of a loop at the head of a round; None to walk it."""
        if act.has_failed:
            return None
        tier = self._tier(act.program)
        key = id(node)
        if key not in tier.loops:
            # A loop that is entered often counts as one that makes many rounds.
            heat = tier.heat[key] = tier.heat.get(key, 0) + ROUNDS_PER_ENTRY
            if rounds < self.rounds_before and heat < self.rounds_before:
                return None
            tier.loops[key] = self._compile_loop(act.program, node)
        code = tier.loops[key]
        if code is None or not code.fits(act):
            return None
        if not act.debug and not self.seldom_fails(act.program):
            return None
        return code.function

    def seldom_fails(self, program: Program) -> bool:
        """Whether to run a program as Python in a frame without the d bit.

        There it is Python up to the first operation that fails; to go on from that in
        the walker takes longer than to begin in it.
        """
        tier = self._tier(program)
        tier.plain_runs += 1
        excess = tier.failures - self.failures_allowed
        return excess <= 0 or excess * RUNS_PER_FAILURE <= tier.plain_runs

    def count_failure(self, program: Program) -> None:
        """An operation has failed in a frame without the d bit."""
        self._tier(program).failures += 1

    def _tier(self, program: Program) -> Tier:
        tier: Tier | None = program.tier
        if tier is None or tier.generation != self._generation:
            tier = program.tier = Tier(self._generation)
        return tier

    # --- compiling --------------------------------------------------------

    def compile(self, program: Program) -> Any:
        """Compile a program; return its function, None if it cannot be done."""
        self._make_verb(program, self._template)
        return program.fast

    def _make_verb(
        self, program: Program, find: Callable[[Program, Any], Template | None]
    ) -> None:
        try:
            made = self._made(program, None, find)
        except Unsupported:
            self._tier(program).is_refused = True
        else:
            if made is not None:
                program.fast, _ = made

    def _compile_loop(self, program: Program, node: Any) -> LoopCode | None:
        try:
            made = self._made(program, node, self._template)
        except Unsupported:
            return None
        assert made is not None  # it is made where it is not known
        function, template = made
        return LoopCode(
            function,
            template.entry,
            template.range_kind,
            type(node) is n.ForRange,
        )

    def _made(
        self,
        program: Program,
        loop: Any,
        find: Callable[[Program, Any], Template | None],
    ) -> tuple[Any, Template] | None:
        """Return the function of what ``find`` finds, and that; None if it is nothing.

        Raises: Unsupported for what stays with the walker.
        """
        try:
            template = find(program, loop)
            if template is None:
                return None
            again = partial(
                _generate_again, ref(self), ref(program), loop, self._protected
            )
            return self._linker.function(program, loop, template, again), template
        except (SyntaxError, RecursionError) as error:
            raise Unsupported("too much for Python's compiler") from error
        except Unsupported:
            raise
        except Exception as error:
            if self._is_strict:
                raise
            # A fault of pymoo's, which the walker does not share; the log tells.
            self._engine.host.server.log(
                f"BUG IN PYMOO while compiling; please report this and the verb: "
                f"{error!r}; {listing_head(program)}",
                is_error=True,
            )
            raise Unsupported("a fault of pymoo's") from error

    def source(self, program: Program) -> str | None:
        """Return the text of a program's function; None if it stays with the walker."""
        found = self._generated(program)
        return None if found is None else found.source

    def constants(self, program: Program) -> list[tuple[str, str]]:
        """Return the names of constants in the text, and what each stands for."""
        found = self._generated(program)
        return [
            (f"k{number}", constant_text(program, key))
            for number, key in enumerate(() if found is None else found.constants, 1)
        ]

    def _generated(self, program: Program) -> Generated | None:
        try:
            return self._generate(program)
        except (Unsupported, RecursionError):
            return None

    def _generate(
        self,
        program: Program,
        loop: Any = None,
        protected: frozenset[str] | None = None,
    ) -> Generated:
        """Return the text of a program's function, or of that of one of its loops.

        Raises: Unsupported, among others if the analysis would take too long.
        """
        if _is_too_large(program):
            raise Unsupported("a very large program")
        kinds = Kinds(program, self._protected if protected is None else protected)
        functions, width = self._engine.builtins, self._engine.ops.width
        if loop is None:
            return generate(program, kinds, functions, width)
        return generate_loop(program, loop, kinds, functions, width)

    # --- templates --------------------------------------------------------

    def _template(self, program: Program, loop: Any) -> Template:
        """Return the code of a program, or of one of its loops, known or made now.

        Raises: Unsupported; SyntaxError and RecursionError from Python's compiler.
        """
        key = self._key(program, loop)
        template = self._known(key)
        if template is None:
            template = Template.of(self._generate(program, loop))
            if key is not None:
                self._remember(key, template)
                if self._cache is not None:
                    self._cache.put(key, astuple(template, recurse=False))
        return template

    def _key(self, program: Program, loop: Any) -> bytes | None:
        """Return what stands for all that code is made of."""
        if program.origin is None:
            return None
        place = None
        if loop is not None:
            place = next(at for at, node in enumerate(program.nodes) if node is loop)
        return content_key(
            program.origin, place, sorted(self._protected), self._engine.ops.width
        )

    def _kept(self, program: Program, loop: Any) -> Template | None:
        return self._known(self._key(program, loop))

    def _known(self, key: bytes | None) -> Template | None:
        if key is None:
            return None
        template = self._templates.get(key)
        if template is None and self._cache is not None:
            kept = self._cache.get(key)
            if kept is not None:
                template = Template(*kept)
                self._remember(key, template)
        return template

    def _remember(self, key: bytes, template: Template) -> None:
        if len(self._templates) >= MAX_TEMPLATES:
            del self._templates[next(iter(self._templates))]
        self._templates[key] = template

    def load_protection(self) -> None:
        """Take over which functions the database protects now."""
        builtins = self._engine.builtins
        protected = frozenset(name for name in builtins if builtins[name].is_protected)
        if protected == self._protected:
            return
        self._protected = protected
        self._generation += 1
        self._linker.protect(protected)


def _generate_again(
    tiering: ref[Tiering],
    program: ref[Program],
    loop: Any,
    protected: frozenset[str],
) -> Generated:
    tiers, running = tiering(), program()
    assert tiers is not None  # as code of theirs is running
    assert running is not None
    return tiers._generate(running, loop, protected)


def _is_too_large(program: Program) -> bool:
    """Whether to compile a program could take long."""
    if len(program.names) > MAX_VARIABLES or len(program.nodes) > MAX_NODES:
        return True
    literals = 0
    for node in program.nodes:
        if isinstance(node, n.Literal):
            if type(node.value) is str:
                literals += len(node.value)
        elif type(node) in _ITEMS:
            items = getattr(node, _ITEMS[type(node)]) or ()  # no codes are ANY
            if len(items) > MAX_ITEMS:
                return True
    return literals > MAX_LITERALS


_ITEMS: Final[dict[type[n.Node], str]] = {
    n.ListDisplay: "items",
    n.VerbCall: "arguments",
    n.FunctionCall: "arguments",
    n.Catch: "codes",
    n.ExceptArm: "codes",
}
"""What is made into a list, by the node that it belongs to."""


def listing_head(program: Program) -> str:
    """Return the first line of a program, to know it by."""
    lines = unparse(program, fully_parenthesized=False, indent=False)
    return repr(lines[0][:80]) if lines else "an empty verb"
