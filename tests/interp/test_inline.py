"""The texts of operators mean what the functions in `ops` mean."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from pymoo.errors import MooError
from pymoo.interp import inline, ops
from pymoo.interp.kinds import FLOAT, INT, KIND_OF, OBJ, STR
from pymoo.lang import nodes as n
from pymoo.values import Obj, Value
from pymoo.values_equality import equal

OPERATORS = ops.Operators(32)
HIGH = OPERATORS.max_int

VALUES: dict[int, list[Value]] = {
    INT: [0, 1, -1, 2, 7, -7, 65_536, HIGH, -HIGH - 1, HIGH - 1],
    FLOAT: [0.0, 1.5, -2.25, 1e308, -1e308, 3.0],
    STR: ["", "a", "B", "abc" * 400, "x" * inline.SHORT_STRING],
    OBJ: [Obj(0), Obj(-1), Obj(7)],
}

FUNCTIONS: dict[type[n.Node], Callable[[Any, Any], Value]] = {
    n.Add: OPERATORS.add,
    n.Subtract: OPERATORS.subtract,
    n.Multiply: OPERATORS.multiply,
    n.Divide: OPERATORS.divide,
    n.Modulus: OPERATORS.modulus,
    n.Less: OPERATORS.less,
    n.LessEqual: OPERATORS.less_equal,
    n.Greater: OPERATORS.greater,
    n.GreaterEqual: OPERATORS.greater_equal,
}


def outcome(function: Callable[[Any, Any], Value], a: Value, b: Value) -> Any:
    try:
        return function(a, b)
    except MooError as error:
        return error.code


def by_text(form: inline.Arithmetic, function: Any, a: Value, b: Value) -> Any:
    """What a text gives, the function being asked where its guard does not hold."""

    def not_finite() -> Value:
        return OPERATORS.add(1e308, 1e308)

    names: dict[str, Any] = {"a": a, "b": b, "wrap": OPERATORS.wrap}
    names["not_finite"] = not_finite
    if form.guard and not eval(form.guard.format(a="a", b="b"), names):
        return outcome(function, a, b)
    try:
        names["d"] = eval(form.text.format(a="a", b="b"), names)
        for mend in form.mend:
            exec(mend.format(d="d"), names)
    except MooError as error:
        return error.code
    return names["d"]


@pytest.mark.parametrize("is_literal", [False, True])
@pytest.mark.parametrize("kind", [INT, FLOAT, STR])
@pytest.mark.parametrize("operation", list(FUNCTIONS)[:5])
def test_arithmetic(operation: type[n.Node], kind: int, is_literal: bool) -> None:
    function = FUNCTIONS[operation]
    for a, b in itertools.product(VALUES[kind], VALUES[kind]):
        literal = b if is_literal and isinstance(b, int | float) else None
        form = inline.arithmetic(operation, kind, literal, HIGH)
        if form is None:
            continue
        found = by_text(form, function, a, b)
        wanted = outcome(function, a, b)
        assert type(found) is type(wanted)
        assert found == wanted, (operation, a, b)


@pytest.mark.parametrize("kind", [INT, FLOAT, OBJ])
@pytest.mark.parametrize("operation", inline.ORDER)
def test_comparisons_of_order(operation: type[n.Node], kind: int) -> None:
    text, _ = inline.ORDER[operation]
    for a, b in itertools.product(VALUES[kind], VALUES[kind]):
        found = eval(text.format(a="a", b="b"), {"a": a, "b": b})
        assert (1 if found else 0) == FUNCTIONS[operation](a, b)


def test_type_tests_tell_the_types_apart() -> None:
    names = {"Obj": Obj}
    for kind, wanted in itertools.product(VALUES, VALUES):
        test = inline.type_test("x", INT | FLOAT | STR | OBJ, wanted)
        for value in VALUES[kind]:
            assert eval(test, {"x": value, **names}) is (kind == wanted)
    assert inline.type_test("x", INT, INT) == ""


def test_every_type_has_a_kind_and_python_s_equality_is_not_used_across_them() -> None:
    assert not equal(1, 1.0)
    assert len({KIND_OF[type(values[0])] for values in VALUES.values()}) == len(VALUES)
