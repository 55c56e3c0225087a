"""Which programs run as Python, and since when.

`Tiering` counts how often a program begins, and the rounds of its loops in the
walker.  What is worth it is compiled, and kept at its `Program`; what the second
tier cannot do is remembered as such.

All generated functions share one namespace, and call built-in functions directly by
names in it.  When the database protects one, `load_protection` puts something there
that hands over to the walker, and forgets the code: it is made anew, with a call that
asks.  What belongs to one function alone is among the constants of its code.
"""

from __future__ import annotations

import linecache
import os
import re
import sys
import warnings
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, finalize, ref

from attrs import astuple, define, field, frozen

from pymoo.errors import InternalError, OptionError
from pymoo.interp.activation import Activation, CatchMarker, FinallyMarker
from pymoo.interp.code_cache import CodeCache, content_key, fingerprint
from pymoo.interp.codegen import Generated, generate, generate_loop
from pymoo.interp.codegen_expressions import Constant
from pymoo.interp.emitter import Unsupported
from pymoo.interp.kinds import KIND_OF, Kinds
from pymoo.interp.runtime import (
    NAMES,
    Code,
    became_protected,
    quick_call,
    ticks_left,
    wrong_type,
)
from pymoo.interp.vm import call_pass
from pymoo.interp.walker import Exit
from pymoo.lang import nodes as n
from pymoo.lang.program import Program
from pymoo.lang.unparse import unparse
from pymoo.values import ErrorCode, Obj

if TYPE_CHECKING:
    from pymoo.interp.engine import Engine

CALLS_BEFORE: Final = 100
"""How often a program runs in the walker before it is compiled."""
CALLS_BEFORE_KEPT: Final = 2
"""The call of a program before which it is looked for among kept code."""
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

MAX_TEMPLATES: Final = 256
"""How many are kept in memory, for programs of the same text."""

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


@frozen
class Template:
    """The Python code of a function, and what is to be known of it: plain values."""

    code: CodeType
    constants: tuple[Constant, ...]
    variables: tuple[tuple[int, str], ...]
    entry: tuple[tuple[int, int], ...]
    range_kind: int


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
        # All code that may be running, and the programs that have it.  What stands
        # among the constants of Python's code must not lead back to it, as Python
        # would never collect that.
        self._codes: WeakKeyDictionary[Code, ref[Program]] = WeakKeyDictionary()
        self._number = 0
        self._templates: dict[bytes, Template] = {}
        self._cache: CodeCache | None = None
        # One namespace for all: what they have in common stays in the processor's
        # caches.  A module's own dict, as PyPy takes what is in it for constant.
        self._module: Final = ModuleType("moo")
        self._namespace: Final[dict[str, Any]] = self._module.__dict__
        operators = engine.ops
        names: dict[str, Any] = {
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
        self._functions: Final = self._direct_functions()
        self._namespace.update(names)
        for direct in self._functions.values():
            self._namespace.update(direct)

    def keep_code(self, folder: Path, warn: Callable[[str], None]) -> None:
        """Keep code in a file in ``folder``, and take it from there.

        ``warn`` is told if that cannot be done.
        """
        functions = []
        for name in self._engine.builtins:
            builtin = self._engine.builtins[name]
            is_direct = builtin.is_pure, builtin.is_quick
            functions.append((builtin.description, *is_direct))
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
            template = self._known(self._key(program, None))
            if template is not None:
                program.fast = self._load(program, None, template)
        return program.fast

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
            tier.loops[key] = self._compile_loop(act.program, node)
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
            program.fast = self._load(program, None, self._template(program, None))
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
        try:
            return self._generate(program).source
        except (Unsupported, RecursionError):
            return None

    def _compile_loop(self, program: Program, node: Any) -> LoopCode | None:
        try:
            template = self._template(program, node)
            function = self._load(program, node, template)
        except (Unsupported, SyntaxError, RecursionError):
            return None
        return LoopCode(
            function,
            template.entry,
            template.range_kind,
            type(node) is n.ForRange,
        )

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
            generated = self._generate(program, loop)
            template = Template(
                _python(generated.source),
                generated.constants,
                tuple(generated.variables.items()),
                tuple(generated.entry.items()),
                generated.range_kind,
            )
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

    def _load(self, program: Program, loop: Any, template: Template) -> Any:
        """Make the function of a program, or of one of its loops."""
        self._number += 1
        filename = f"moo {'verb' if loop is None else 'loop'} {self._number}"
        again = partial(_generate_again, ref(self), ref(program), loop, self._protected)
        code = Code(loop, template.variables, cache(again))
        constants: list[Any] = [code]
        for number, key in enumerate(template.constants, 1):
            constant = self._constant(program, key)
            constants.append(constant)
            code.names[f"k{number}"] = constant
        function = FunctionType(
            _with_constants(template.code, constants).replace(co_filename=filename),
            self._namespace,
        )
        self._codes[code] = ref(program)
        # For Python's tracebacks, should it come to that.
        finalize(code, linecache.cache.pop, filename, None)
        linecache.cache[filename] = (partial(_source, ref(code)),)
        return function

    def _constant(self, program: Program, key: Constant) -> Any:
        """Return what a name of generated code means."""
        kind, *what = key
        match kind:
            case "object":
                record = self._engine.world.find(what[0])
                # The very number that the table of objects has is found there faster.
                return Obj(what[0]) if record is None else record.id
            case "error":
                return ErrorCode(what[0])
            case "values":
                return self._engine.world.readable.table(what[0]).get
            case "node":
                return program.nodes[what[0]]
            case "marker":
                return CatchMarker(what[0])
            case "finally":
                statement: Any = program.nodes[what[0]]
                return FinallyMarker(statement)
            case "exit":
                exit_: Any = program.nodes[what[2]]
                return Exit(what[0], what[1], exit_)
        raise InternalError(f"generated code has a constant {key}")

    # --- built-in functions -----------------------------------------------

    def _direct_functions(self) -> dict[str, dict[str, Any]]:
        """Return, by function, the names that generated code calls it by."""
        found: dict[str, dict[str, Any]] = {
            "length": {"q_length": len},
            "typeof": {"q_typeof": type},
            "valid": {"q_valid": self._engine.world.find},
            "ticks_left": {"q_ticks_left": ticks_left},
            "pass": {"f_pass": call_pass},
        }
        for name in self._engine.builtins:
            builtin = self._engine.builtins[name]
            if builtin.is_quick:
                names = found.setdefault(name, {})
                names[f"f_{name}"] = builtin.function
                names[f"b_{name}"] = quick_call(builtin)
                names[f"w_{name}"] = wrong_type
        return found

    def load_protection(self) -> None:
        """Take over which functions the database protects now."""
        builtins = self._engine.builtins
        protected = frozenset(name for name in builtins if builtins[name].is_protected)
        if protected == self._protected:
            return
        self._protected = protected
        self._generation += 1
        for program in [each() for each in self._codes.values()]:
            if program is not None:
                program.fast = None
        for name, names in self._functions.items():
            for each, function in names.items():
                is_protected = name in protected
                self._namespace[each] = became_protected if is_protected else function


def _generate_again(
    tiering: ref[Tiering],
    program: ref[Program],
    loop: Any,
    protected: frozenset[str],
) -> Generated:
    """Return what is running: so the engine is there, and the program."""
    return tiering()._generate(program(), loop, protected)  # type: ignore[union-attr, arg-type]


def _source(code: ref[Code]) -> str:
    known = code()
    return "" if known is None else known.source


_CONSTANT: Final = re.compile(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\bk([0-9]+)\b|\b(CODE)\b"""
)
"""A name that stands for a constant, or a string, in which there are none."""


def _python(source: str) -> CodeType:
    """Return the code of the function in ``source``.

    Where the text names a constant, it has an imaginary number instead, which MOO
    has not: 3j for k3, 0j for ``CODE``.
    """

    def number(match: re.Match[str]) -> str:
        return "0j" if match[2] else f"{match[1]}j" if match[1] else match[0]

    with warnings.catch_warnings():
        # Python warns of ``"text"[1.5]``: in MOO that is E_TYPE, and may be meant.
        warnings.simplefilter("ignore", SyntaxWarning)
        module = compile(_CONSTANT.sub(number, source), "moo", "exec")
    return next(each for each in module.co_consts if type(each) is CodeType)


def _with_constants(code: CodeType, constants: list[Any]) -> CodeType:
    """Put the constants into code where `_python` has left numbers for them."""

    def real(value: Any) -> Any:
        if type(value) is complex:
            return constants[int(value.imag)]
        if type(value) is tuple:
            return tuple(map(real, value))
        return value

    return code.replace(co_consts=tuple(map(real, code.co_consts)))


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
