"""Which programs run as Python, and since when.

`Tiering` counts how often a program begins, and the rounds of its loops in the
walker.  What is worth it is compiled, and kept at its `Program`; what the second
tier cannot do is remembered as such.

Generated code calls built-in functions directly through names of its own.  When the
database protects one, `load_protection` puts something there that hands over to the
walker, and forgets the code: it is made anew, with a call that asks.
"""

from __future__ import annotations

import linecache
import os
import sys
import warnings
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet, finalize

from attrs import define, field

from pymoo.errors import OptionError
from pymoo.interp.activation import Activation
from pymoo.interp.codegen import Generated, generate, generate_loop
from pymoo.interp.emitter import Unsupported
from pymoo.interp.kinds import KIND_OF, Kinds
from pymoo.interp.runtime import (
    LOOP_EXITS,
    NAMES,
    QUICK,
    VERB_EXITS,
    Code,
    became_protected,
    quick_call,
    wrong_type,
)
from pymoo.lang import nodes as n
from pymoo.lang.program import Program
from pymoo.lang.unparse import unparse

if TYPE_CHECKING:
    from pymoo.interp.engine import Engine

CALLS_BEFORE: Final = 100
"""How often a program runs in the walker before it is compiled."""
ROUNDS_BEFORE: Final = 200
"""How many rounds a loop makes in the walker before it is compiled."""
ROUNDS_PER_ENTRY: Final = 8
"""For how many rounds it counts that a loop is entered."""

# What is larger stays with the walker: compiling takes its time within the turn of
# the server, and in the worst case more than in proportion to the size.
MAX_NODES: Final = 4_000
MAX_VARIABLES: Final = 120
MAX_ITEMS: Final = 500
"""Of one list, or of the arguments of one call."""
MAX_LITERALS: Final = 20_000
"""Characters in all strings together."""

NEVER: Final = sys.maxsize

SWITCH: Final = "PYMOO_TIERS"
"""The environment variable that makes everything run in one tier, for tests.

``walker``: nothing is compiled; ``compiled``: everything that can be, at once.
"""
_SWITCHED: Final = {"walker": (NEVER, NEVER), "compiled": (0, 1)}


@define(eq=False)
class Tier:
    """What the second tier knows of a program."""

    generation: int
    calls: int = 0
    kinds: Kinds | None = None
    is_refused: bool = False
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
        self.calls_before, self.rounds_before = _SWITCHED.get(
            switch, (CALLS_BEFORE, ROUNDS_BEFORE)
        )
        self._generation = 0
        self._protected: frozenset[str] = frozenset()
        # All code that may be running, for names that protection replaces.
        self._modules: WeakSet[Module] = WeakSet()
        self._number = 0
        operators = engine.ops
        self._names: Final[dict[str, Any]] = {
            **NAMES,
            "find": engine.world.find,
            "wrap": operators.wrap,
            "add": operators.add,
            "subtract": operators.subtract,
            "multiply": operators.multiply,
            "divide": operators.divide,
            "modulus": operators.modulus,
            "power": operators.power,
            "negate": operators.negate,
            "is_in": operators.is_in,
            "range_set": operators.range_set,
            "check_length": operators.check_length,
            "properties": engine.properties,
            "get_named": engine.properties.get_named,
            "set_named": engine.properties.set_named,
            "set_property": engine.properties.set_computed,
        }

    # --- which tier -------------------------------------------------------

    def promoted(self, program: Program) -> Any:
        """Return the function of a program that begins; None to walk it."""
        tier = self._tier(program)
        tier.calls += 1
        if tier.calls <= self.calls_before or tier.is_refused:
            return None
        return self.compile(program)

    def loop(self, act: Activation, node: Any, rounds: int) -> Any:
        """Return the function of a loop at the head of a round; None to walk it."""
        if not act.debug:
            return None
        tier = self._tier(act.program)
        key = id(node)
        if key not in tier.loops:
            # A loop that is entered often counts as one that makes many rounds.
            heat = tier.heat[key] = tier.heat.get(key, 0) + ROUNDS_PER_ENTRY
            if rounds < self.rounds_before and heat < self.rounds_before:
                return None
            tier.loops[key] = self._compile_loop(act.program, tier, node)
        code = tier.loops[key]
        if code is None or not code.fits(act):
            return None
        return code.function

    def _tier(self, program: Program) -> Tier:
        tier: Tier | None = program.tier
        if tier is None or tier.generation != self._generation:
            tier = program.tier = Tier(self._generation)
        return tier

    # --- compiling --------------------------------------------------------

    def compile(self, program: Program) -> Any:
        """Compile a program; return its function, None if it cannot be done."""
        tier = self._tier(program)
        try:
            generated = generate(
                program,
                self._kinds(program, tier),
                self._engine.builtins,
                self._engine.ops.width,
            )
            program.fast = self._load(program, generated, "verb")
        except (Unsupported, SyntaxError, RecursionError):
            tier.is_refused = True
        except Exception as error:
            if self._is_strict:
                raise
            # A fault of pymoo's, which the walker does not share.
            tier.is_refused = True
            self._engine.host.server.log(
                f"BUG IN PYMOO while compiling; please report this and the verb: "
                f"{error!r}; {listing_head(program)}",
                is_error=True,
            )
        return program.fast

    def source(self, program: Program) -> str | None:
        """Return the text of a program's function; None if it stays with the walker."""
        tier = self._tier(program)
        try:
            return generate(
                program,
                self._kinds(program, tier),
                self._engine.builtins,
                self._engine.ops.width,
            ).source
        except (Unsupported, RecursionError):
            return None

    def _compile_loop(self, program: Program, tier: Tier, node: Any) -> LoopCode | None:
        try:
            generated = generate_loop(
                program,
                node,
                self._kinds(program, tier),
                self._engine.builtins,
                self._engine.ops.width,
            )
            function = self._load(program, generated, "loop")
        except (Unsupported, SyntaxError, RecursionError):
            return None
        return LoopCode(
            function,
            tuple(generated.entry.items()),
            generated.range_kind,
            type(node) is n.ForRange,
        )

    def _kinds(self, program: Program, tier: Tier) -> Kinds:
        """Raises: Unsupported for a program whose analysis would take too long."""
        if tier.kinds is None:
            if _is_too_large(program):
                raise Unsupported("a very large program")
            tier.kinds = Kinds(program, self._protected)
        return tier.kinds

    def _load(self, program: Program, generated: Generated, name: str) -> Any:
        """Make the function of a text."""
        self._number += 1
        filename = f"<moo {name} {self._number}>"
        with warnings.catch_warnings():
            # Python warns of ``"text"[1.5]``: in MOO that is E_TYPE, and may be meant.
            warnings.simplefilter("ignore", SyntaxWarning)
            code = compile(generated.source, filename, "exec")
        # A module's own dict: PyPy takes what is in it for constant.
        module = Module(filename)
        namespace = module.__dict__
        namespace.update(self._names)
        namespace.update(generated.constants)
        for slot, function in generated.functions.items():
            builtin = self._engine.builtins[function]
            namespace[slot] = self._quick(slot, builtin)
        namespace["EXITS"] = VERB_EXITS if generated.loop is None else LOOP_EXITS
        namespace["CODE"] = Code(
            generated.points, generated.variables, namespace, generated.loop
        )
        module.functions = dict(generated.functions)
        module.program = program
        namespace["module"] = module  # lives as long as the function
        exec(code, namespace)
        self._modules.add(module)
        finalize(module, linecache.cache.pop, filename, None)
        linecache.cache[filename] = (
            len(generated.source),
            None,
            generated.source.splitlines(keepends=True),
            filename,
        )
        return namespace[name]

    def _quick(self, slot: str, builtin: Any) -> Any:
        if slot == "q_valid":
            return self._engine.world.find
        if slot.startswith("b_"):
            return quick_call(builtin)
        if slot.startswith("w_"):
            return wrong_type
        return QUICK.get(slot, builtin.function)

    # --- protection -------------------------------------------------------

    def load_protection(self) -> None:
        """Take over which functions the database protects now."""
        builtins = self._engine.builtins
        protected = frozenset(name for name in builtins if builtins[name].is_protected)
        if protected == self._protected:
            return
        self._protected = protected
        self._generation += 1
        for module in self._modules:
            module.program.fast = None
            for slot, name in module.functions.items():
                if name in protected:
                    module.__dict__[slot] = became_protected


class Module(ModuleType):
    """The namespace of one generated function."""

    functions: dict[str, str]
    program: Program


def _is_too_large(program: Program) -> bool:
    """Whether to compile a program could take long."""
    if len(program.names) > MAX_VARIABLES or len(program.parents) > MAX_NODES:
        return True
    literals = 0
    pending: list[n.Node] = [*program.body]
    while pending:
        node = pending.pop()
        inner = n.operands(node)
        if type(node) in _LISTS and len(inner) > MAX_ITEMS:
            return True
        if type(node) is n.Literal and type(node.value) is str:
            literals += len(node.value)
        pending += inner
    return literals > MAX_LITERALS


_LISTS: Final = frozenset({n.ListDisplay, n.VerbCall, n.FunctionCall})


def listing_head(program: Program) -> str:
    """Return the first line of a program, to know it by."""
    lines = unparse(program, fully_parenthesized=False, indent=False)
    return repr(lines[0][:80]) if lines else "an empty verb"
