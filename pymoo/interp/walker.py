"""The first tier: walks the syntax tree.  This is the definition of the language.

The handlers of statements are in `walker_statements`, those of expressions in
`walker_expressions`, and what both are made of in `walker_tables`; here an activation
is run from its beginning, and goes on after a suspension.

A construct has up to three handlers, named after its node:

* ``exec_X(node, act)`` or ``eval_X(node, act)`` runs it from its beginning;
* ``after_X(node, child, result, act)`` goes on once ``child``, in which the task
  had been suspended, is done;
* ``rescue_X(node, child, error, act)`` may handle an error that came out of
  ``child`` then.

A statement's result is None, or a `Signal` that some statement around it, or the
activation, must take; an expression's is its value.

Operands that wait for one to their right stand on ``act.stack`` whenever that one
can reach a call or a ``$`` (``needs_stack``).  So at every call the stack is what
the C server's would be, and `resume` needs nothing but the activation.

Ticks are counted one at a time, at the instruction at which the C server counts
them: ``vm.ticks -= 1`` and, but for the instructions that do not look
(execute.c, OP_EXTENDED), a test for zero.

A failed operation is an error in a verb with the ``d`` bit; in any other its value
is the error code: `VM.failed` knows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymoo.errors import InternalError
from pymoo.interp import walker_expressions, walker_statements
from pymoo.interp.activation import (
    MAIN_VECTOR,
    Activation,
    Unwinding,
)
from pymoo.interp.walker_tables import (
    AFTER,
    RESCUE,
    Returned,
    Signal,
    enter,
    rest_of_block,
    run_block,
)
from pymoo.lang import nodes as n
from pymoo.values import Value

for _module in (walker_expressions, walker_statements):
    enter(vars(_module))


def run_from_start(act: Activation) -> Value:
    """Run a new activation and return what it returns.

    Raises: Unwinding for an error that leaves it; TaskAborted; Suspended and
        Deepened, after which `resume` goes on.
    """
    if act.vars is None:
        act.make_variables()
    return _returned(run_block(root_block(act), act))


def root_block(act: Activation) -> n.Block:
    """The statements that an activation runs: its program's or a fork's."""
    if act.vector == MAIN_VECTOR:
        return act.program.body
    return act.program.forks[act.vector].body


def _returned(signal: Signal | None) -> Value:
    if signal is None:
        return 0
    if type(signal) is Returned:
        return signal.value
    raise InternalError(f"{signal} left its activation")


# --- going on after a suspension ------------------------------------------


def resume(act: Activation, value: Value) -> Value:
    """Go on in ``act``, whose call at ``act.at`` has returned ``value``.

    Returns what the activation returns.  Raises: as `run_from_start`.
    """
    assert isinstance(act.at, n.Node)
    if act.has_failed:
        act.has_failed = False
    return _climb(act, act.at, value, None, None)  # type: ignore[no-any-return]


def resume_with_error(act: Activation, error: Unwinding) -> Value:
    """Go on in ``act``, out of whose call at ``act.at`` comes ``error``."""
    assert isinstance(act.at, n.Node)
    if act.has_failed:
        act.has_failed = False
    return _climb(act, act.at, None, error, None)  # type: ignore[no-any-return]


def go_on(
    act: Activation, node: n.Node, step: Callable[[], Any], until: n.Node | None
) -> Any:
    """Go on where generated code has stopped: ``step`` gives the result of ``node``.

    Returns what the activation returns; or, if that is not None, the signal of the
    loop ``until``.
    """
    error: Unwinding | None = None
    result = None
    try:
        result = step()
    except Unwinding as unwinding:
        error = unwinding
    return _climb(act, node, result, error, until)


def _climb(
    act: Activation,
    node: n.Node,
    result: Any,
    error: Unwinding | None,
    until: n.Node | None,
) -> Any:
    """Go from ``node`` outward; each construct goes on in its turn."""
    act.error_pc = None
    program = act.program
    parents = program.parents
    root = None if act.vector == MAIN_VECTOR else program.forks[act.vector]
    while node is not until and (parent := parents.get(id(node))) is not root:
        assert parent is not None
        try:
            if error is None:
                result = AFTER[type(parent)](parent, node, result, act)
            else:
                rescue = RESCUE.get(type(parent))
                if rescue is not None:
                    pending, error = error, None
                    result = rescue(parent, node, pending, act)
        except Unwinding as unwinding:
            error = unwinding
        node = parent
    if error is not None:
        raise error
    if node is until:
        return result
    return _returned(rest_of_block(root_block(act), node, result, act))
