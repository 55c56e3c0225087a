"""Generated text to functions that can be called.

All functions of an engine share one namespace, and call built-in functions directly by
names in it.  When the database protects one, `Linker.protect` puts something there
that hands over to the walker.  What belongs to one function alone is among the
constants of its Python code, as that is found fastest.

A `Template` is code as `compile` leaves it, with a number in the place of each such
constant: plain values, which can be kept in a file.
"""

from __future__ import annotations

import linecache
import re
import warnings
from collections.abc import Callable
from functools import cache, partial
from itertools import count
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, finalize, ref

from attrs import frozen

from pymoo.errors import InternalError
from pymoo.interp.activation import CatchMarker, FinallyMarker
from pymoo.interp.codegen import Generated
from pymoo.interp.codegen_expressions import Constant
from pymoo.interp.kinds import RESULTS
from pymoo.interp.runtime import (
    NAMES,
    Code,
    became_protected,
    calling,
    quick_call,
    ticks_left,
    wrong_type,
)
from pymoo.interp.vm import call_pass
from pymoo.interp.walker_tables import Exit
from pymoo.lang.program import Program
from pymoo.values import ErrorCode, Obj
from pymoo.wording import counted

if TYPE_CHECKING:
    from pymoo.interp.engine import Engine


_NUMBERS: Final = count(1)
"""For names of functions that Python's tracebacks can tell apart."""


@frozen
class Template:
    """The Python code of a function, and what is to be known of it: plain values."""

    code: CodeType
    constants: tuple[Constant, ...]
    variables: tuple[tuple[int, str], ...]
    entry: tuple[tuple[int, int], ...]
    range_kind: int

    @classmethod
    def of(cls, generated: Generated) -> Template:
        """Compile a text.  Raises: SyntaxError, RecursionError."""
        return cls(
            python_code(generated.source),
            generated.constants,
            tuple(generated.variables.items()),
            tuple(generated.entry.items()),
            generated.range_kind,
        )


class Linker:
    """Makes the functions of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        # All code that may be running, and the programs that have it.  What stands
        # among the constants of Python's code must not lead back to it, as Python
        # would never collect that.
        self._codes: WeakKeyDictionary[Code, ref[Program]] = WeakKeyDictionary()
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
            "less": operators.less,
            "less_equal": operators.less_equal,
            "greater": operators.greater,
            "greater_equal": operators.greater_equal,
            "index_set": operators.index_set,
            "range_of": operators.range_of,
            "range_set": operators.range_set,
            "check_length": operators.check_length,
            "properties": engine.properties,
            "get_named": engine.properties.get_named,
            "get_property": engine.properties.get_computed,
            "set_named": engine.properties.set_named,
            "set_property": engine.properties.set_computed,
        }
        self._functions: Final = self._direct_functions()
        self._namespace.update(names)
        for direct in self._functions.values():
            self._namespace.update(direct)

    def function(
        self,
        program: Program,
        loop: Any,
        template: Template,
        again: Callable[[], Generated],
    ) -> Any:
        """Make the function of a program, or of one of its loops.

        ``again`` writes its text once more; it must not lead to the program, or to
        the engine, in any way that keeps them.
        """
        filename = f"moo {'verb' if loop is None else 'loop'} {next(_NUMBERS)}"
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
            elif name in RESULTS:
                found.setdefault(name, {})[f"f_{name}"] = calling(name)
        return found

    def protect(self, protected: frozenset[str]) -> None:
        """Replace the names of protected functions, and forget who may call them."""
        for program in [each() for each in self._codes.values()]:
            if program is not None:
                program.fast = None
        for name, names in self._functions.items():
            for each, function in names.items():
                is_protected = name in protected
                self._namespace[each] = became_protected if is_protected else function


# IN STEP: `Linker._constant`.
def constant_text(program: Program, key: Constant) -> str:
    """Return for people what a name of generated code means."""
    kind, *what = key
    match kind:
        case "object":
            return repr(Obj(what[0]))
        case "error":
            return ErrorCode(what[0]).name
        case "values":
            return f"looks up .{what[0]} of an object, if everybody may read it"
        case "node":
            return _place_text(program, what[0])
        case "marker":
            return f"stands behind the codes of {counted(what[0], 'arm')}"
        case "finally":
            return f"marks the body of a {_place_text(program, what[0])}"
        case "exit":
            return _place_text(program, what[2])
    raise InternalError(f"generated code has a constant {key}")


def _place_text(program: Program, number: int) -> str:
    node = program.nodes[number]
    return f"{type(node).__name__} in line {program.line_of(node)}"


def _source(code: ref[Code]) -> str:
    known = code()
    return "" if known is None else known.source


_CONSTANT: Final = re.compile(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\bk([0-9]+)\b|\b(CODE)\b"""
)
"""A name that stands for a constant, or a string, in which there are none."""


_FIRST: Final = 1 << 52
"""Of the imaginary numbers for constants: what Python makes of them with an operator,
in a branch that is never taken, as they have another type, is none of them."""


def python_code(source: str) -> CodeType:
    """Return the code of the function in ``source``.

    Where the text names a constant, it has an imaginary number instead, which MOO
    has not: for ``CODE`` the first, for ``k3`` the third after that.
    """

    def number(match: re.Match[str]) -> str:
        if match[2]:
            return f"{_FIRST}j"
        return f"{_FIRST + int(match[1])}j" if match[1] else match[0]

    with warnings.catch_warnings():
        # Python warns of ``"text"[1.5]``: in MOO that is E_TYPE, and may be meant.
        warnings.simplefilter("ignore", SyntaxWarning)
        module = compile(_CONSTANT.sub(number, source), "moo", "exec")
    return next(each for each in module.co_consts if type(each) is CodeType)


def _with_constants(code: CodeType, constants: list[Any]) -> CodeType:
    """Put the constants into code where `python_code` has left numbers for them."""
    numbered: dict[Any, Any] = {
        complex(0, _FIRST + number): constant
        for number, constant in enumerate(constants)
    }

    def real(value: Any) -> Any:
        if type(value) is complex:
            return numbered.get(value, value)
        if type(value) is tuple:
            return tuple(map(real, value))
        return value

    return code.replace(co_consts=tuple(map(real, code.co_consts)))
