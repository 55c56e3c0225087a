"""What generated code may consist of, and what a piece of it consists of.

The text of a function is looked at as Python's own parser sees it, and its code as
Python's compiler leaves it: whatever a MOO program has in it, no other names, no
other operations and no other constants may come out than these.
"""

from __future__ import annotations

import ast
import re
from types import CodeType
from typing import Any, Final

from pymoo.builtins.registry import BuiltinTable
from pymoo.interp.runtime import NAMES
from pymoo.lang import nodes as n
from pymoo.lang.dialect import PYMOO
from pymoo.lang.program import Program
from pymoo.values import fold

ENGINE_NAMES: Final = frozenset(
    """
    find wrap add subtract multiply divide modulus power negate is_in less less_equal
    greater greater_equal index_set range_of range_set check_length properties
    get_named get_property set_named set_property q_length q_typeof q_valid
    q_ticks_left f_pass
    """.split()
)
"""What `Linker` adds to `NAMES`, beside the built-in functions of MOO."""

FUNCTION_NAMES: Final = frozenset(
    f"{prefix}_{name}" for name in BuiltinTable(PYMOO) for prefix in "fbw"
)

GLOBALS: Final = frozenset(NAMES) - {"__builtins__"} | ENGINE_NAMES | FUNCTION_NAMES

LOCALS: Final = re.compile(
    r"vm|act|S|V|base|call|t|go_on|error|[a-z][0-9]+|v_[A-Za-z_][A-Za-z0-9_]*"
)
CONSTANTS: Final = re.compile(r"CODE|k[0-9]+")

ATTRIBUTES: Final = frozenset(
    """
    append at call caller contents copied flags location make_variables name owner
    parse player programmer protected reason stack temporary this ticks value vars verb
    """.split()
)

STATEMENTS: Final = (
    ast.Assign,
    ast.AugAssign,
    ast.Break,
    ast.Continue,
    ast.Delete,
    ast.Expr,
    ast.For,
    ast.If,
    ast.Pass,
    ast.Raise,
    ast.Return,
    ast.Try,
    ast.While,
)

_HARMLESS: Final = (
    ast.boolop,
    ast.cmpop,
    ast.expr_context,
    ast.operator,
    ast.unaryop,
    ast.ExceptHandler,
    ast.BinOp,
    ast.BoolOp,
    ast.Call,
    ast.Compare,
    ast.IfExp,
    ast.List,
    ast.Slice,
    ast.Starred,
    ast.Subscript,
    ast.Tuple,
    ast.UnaryOp,
)


def assert_harmless(source: str, program: Program) -> None:
    """Fail if the text of a function has anything in it that it should not have."""
    tree = ast.parse(source)
    (function,) = tree.body
    assert type(function) is ast.FunctionDef
    assert function.name in ("verb", "loop")
    assert not function.decorator_list
    for argument in function.args.args:
        assert argument.arg in ("vm", "act", "v_args")
    variables = {f"v_{name}" for name in program.names}
    texts = _texts_of(program)
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        waiting.extend(ast.iter_child_nodes(node))
        match node:
            case ast.Name(id=name, ctx=context):
                if name.startswith("v_"):
                    assert name in variables, name
                elif type(context) is ast.Load and name in GLOBALS:
                    pass
                else:
                    assert LOCALS.fullmatch(name) or (
                        type(context) is ast.Load and CONSTANTS.fullmatch(name)
                    ), f"the name {name}"
                    assert not CONSTANTS.fullmatch(name) or type(context) is ast.Load
            case ast.Attribute(attr=name):
                assert name in ATTRIBUTES, f"the attribute {name}"
            case ast.Constant(value=value):
                if type(value) is str:
                    assert value in texts, f"the text {value!r}"
                else:
                    assert type(value) in (int, float, bool, type(None)), value
            case ast.keyword():
                raise AssertionError("an argument by its name")
            case ast.ExceptHandler(name=name):
                assert name in (None, "error")
            case _:
                assert isinstance(node, (*STATEMENTS, *_HARMLESS)), ast.dump(node)


def assert_compiled(code: CodeType) -> None:
    """Fail if the code of a function could reach anything that its text does not."""
    for name in code.co_names:
        assert name in GLOBALS or name in ATTRIBUTES, name
    assert not code.co_freevars
    assert not code.co_cellvars
    waiting = [*code.co_consts]
    while waiting:
        constant = waiting.pop()
        if type(constant) is tuple:
            waiting.extend(constant)
        else:
            # Numbers that are imaginary stand for what the linker puts in.
            assert type(constant) in (int, float, str, bool, type(None), complex)


def _texts_of(program: Program) -> set[Any]:
    """Return the strings that a program's code may have in it."""
    found: set[Any] = set()
    for node in program.nodes:
        if isinstance(node, n.Literal) and type(node.value) is str:
            found |= {node.value, fold(node.value)}
        elif isinstance(node, n.FunctionCall):
            found.add(node.name)
    return found
