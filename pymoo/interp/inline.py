"""Operators as Python text, for operands whose types are known or tested.

The second half of `ops`: each text means what the function there means, and a test
compares them over all types.  What an operator does with types that have no text
here, generated code leaves to that function.

A text for a value is an expression that cannot fail; `Arithmetic.mend` then brings
the result into range.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from pymoo.db.objects import BUILTIN_FLAGS
from pymoo.interp.kinds import ERR, FLOAT, INT, LIST, OBJ, STR
from pymoo.lang import nodes as n
from pymoo.options import MIN_LIST_CONCAT, MIN_STRING_CONCAT

PYTHON_TYPES: Final = {
    INT: "int",
    FLOAT: "float",
    STR: "str",
    OBJ: "Obj",
    ERR: "ErrorCode",
    LIST: "tuple",
}

PROPERTIES: Final[dict[str, str]] = {
    "name": "{r}.name",
    "owner": "{r}.owner",
    "location": "{r}.location",
    "contents": "tuple({r}.contents)",
    **{
        name: f"1 if {{r}}.flags & {flag} else 0"
        for name, flag in BUILTIN_FLAGS.items()
    },
}
"""Built-in properties, as text over an object's record ``r``."""

SHORT_STRING: Final = MIN_STRING_CONCAT
"""No limit on the length of strings is below this."""
SHORT_LIST: Final = MIN_LIST_CONCAT
"""No limit on the length of lists is below this."""


@frozen
class Arithmetic:
    """An operator on two operands of one type.

    ``guard`` must hold for ``text`` to be right; ``mend`` lines repair ``{d}``.
    """

    text: str
    guard: str = ""
    mend: tuple[str, ...] = ()


def wrapping(high: int) -> str:
    """Return the line that brings an INT back into its width."""
    return f"if not {-high - 1} <= {{d}} <= {high}: {{d}} = wrap({{d}})"


def arithmetic(
    operation: type[n.Node], kind: int, right: int | float | None, high: int
) -> Arithmetic | None:
    """Return an operator on two operands of the type ``kind``, if it has a text.

    ``right`` is the right operand where it is a literal; ``high`` the greatest INT.
    """
    if kind == INT:
        return _integers(operation, right if type(right) is int else None, high)
    if kind == FLOAT and operation in _SYMBOLS:
        text = f"{{a}} {_SYMBOLS[operation]} {{b}}"
        return Arithmetic(text, mend=("if {d} - {d} != 0.0: {d} = not_finite()",))
    if kind == STR and operation is n.Add:
        guard = f"len({{a}}) + len({{b}}) <= {SHORT_STRING}"
        return Arithmetic("{a} + {b}", guard)
    return None


_SYMBOLS: Final = {n.Add: "+", n.Subtract: "-", n.Multiply: "*"}


def _integers(
    operation: type[n.Node], right: int | None, high: int
) -> Arithmetic | None:
    if operation in _SYMBOLS:
        mend = wrapping(high)
        if right is not None and operation is not n.Multiply:
            # With a literal only one end can be passed.
            grows = (right > 0) is (operation is n.Add)
            mend = (
                f"if {{d}} > {high}: {{d}} = wrap({{d}})"
                if grows
                else f"if {{d}} < {-high - 1}: {{d}} = wrap({{d}})"
            )
        return Arithmetic(f"{{a}} {_SYMBOLS[operation]} {{b}}", mend=(mend,))
    if right is not None and right > 0:
        if operation is n.Divide:
            return Arithmetic("{a} // {b} if {a} >= 0 else -(-{a} // {b})")
        if operation is n.Modulus:
            return Arithmetic("{a} % {b} if {a} >= 0 else -(-{a} % {b})")
    return None


ORDER: Final[dict[type[n.Node], tuple[str, str]]] = {
    # A NaN is greater than anything, as in numbers.c.
    n.Less: ("{a} < {b}", "less"),
    n.LessEqual: ("{a} <= {b}", "less_equal"),
    n.Greater: ("not {a} <= {b}", "greater"),
    n.GreaterEqual: ("not {a} < {b}", "greater_equal"),
}
"""Comparisons of order on INT, FLOAT or OBJ, and the function for other types."""


def type_test(name: str, kind: int, wanted: int) -> str:
    """Return the test that a value, known to be of ``kind``, is of one type."""
    if kind == wanted:
        return ""
    return f"type({name}) is {PYTHON_TYPES[wanted]}"
