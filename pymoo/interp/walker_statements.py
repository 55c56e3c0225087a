"""The statements of the language, as the walker runs them.

What the handlers have in common is said in `walker`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import frozen

from pymoo.errors import MooError
from pymoo.interp.activation import (
    Activation,
    CatchMarker,
    FinallyMarker,
    Reason,
    Unwinding,
    catches,
)
from pymoo.interp.walker_expressions import (
    code_list,
    cut_to_marker,
    items_after,
)
from pymoo.interp.walker_tables import (
    EVALUATE,
    Exit,
    Returned,
    Signal,
    evaluate,
    position_of,
    rest_of_block,
    run_block,
    tick,
)
from pymoo.lang import nodes as n
from pymoo.values import E_TYPE, Obj, Value

# --- simple statements ----------------------------------------------------


def exec_ExpressionStatement(node: n.ExpressionStatement, act: Activation) -> None:
    act.at = node
    value = node.value
    EVALUATE[type(value)](value, act)


def after_ExpressionStatement(
    node: n.ExpressionStatement, child: n.Node, value: Value, act: Activation
) -> None:
    return None


def exec_Return(node: n.Return, act: Activation) -> Signal:
    act.at = node
    return Returned(0 if node.value is None else evaluate(node.value, act))


def after_Return(
    node: n.Return, child: n.Node, value: Value, act: Activation
) -> Signal:
    return Returned(value)


def exec_Break(node: n.Break, act: Activation) -> Signal:
    act.at = node
    act.vm.ticks -= 1  # EXIT does not look at the limit
    return Exit(node.levels, False, node)


def exec_Continue(node: n.Continue, act: Activation) -> Signal:
    act.at = node
    act.vm.ticks -= 1
    return Exit(node.levels, True, node)


def exec_Fork(node: n.Fork, act: Activation) -> None:
    act.at = node
    _fork(node, evaluate(node.delay, act), act)


def after_Fork(node: n.Fork, child: n.Node, delay: Value, act: Activation) -> None:
    act.at = node
    _fork(node, delay, act)


def _fork(node: n.Fork, delay: Value, act: Activation) -> None:
    vm = act.vm
    vm.ticks -= 1
    if vm.ticks <= 0:
        vm.next_portion()
    try:
        vm.fork(node, delay, act)
    except MooError as error:
        vm.failed(error, act)  # without the d bit a bad fork is passed over


# --- if -------------------------------------------------------------------


def exec_If(node: n.If, act: Activation) -> Signal | None:
    return _if_from(node, 0, act)


def _if_from(node: n.If, first: int, act: Activation) -> Signal | None:
    vm = act.vm
    for arm in node.arms[first:] if first else node.arms:
        act.at = arm
        condition = arm.condition
        value = EVALUATE[type(condition)](condition, act)
        vm.ticks -= 1
        if vm.ticks <= 0:
            vm.next_portion()
        if value:
            return run_block(arm.body, act)
    return run_block(node.otherwise, act)


def after_If(node: n.If, child: n.Node, result: Any, act: Activation) -> Signal | None:
    if type(child) is not n.IfArm:  # in the else part
        return rest_of_block(node.otherwise, child, result, act)
    # IfArm is not a statement: what happened inside was passed up as it is.
    position = position_of(node.arms, child)
    arm = node.arms[position]
    if type(result) is not _Condition:
        signal: Signal | None = result
        return signal
    act.at = arm
    vm = act.vm
    vm.ticks -= 1
    if vm.ticks <= 0:
        vm.next_portion()
    if result.value:
        return run_block(arm.body, act)
    return _if_from(node, position + 1, act)


@frozen
class _Condition:
    """The value of an arm's condition, on its way from the arm to its `If`."""

    value: Value


def after_IfArm(arm: n.IfArm, child: n.Node, result: Any, act: Activation) -> Any:
    if child is arm.condition:
        return _Condition(result)
    return rest_of_block(arm.body, child, result, act)


# --- loops ----------------------------------------------------------------


def _is_next_round(signal: Signal) -> bool:
    """Whether the loop around is meant to go on with its next round."""
    return type(signal) is Exit and signal.levels == 0 and signal.is_continue


def _out_of_loop(signal: Signal) -> Signal | None:
    """Return what of a signal that ended a loop concerns the statements around it."""
    if type(signal) is not Exit:
        return signal
    if signal.levels == 0:
        return None
    return Exit(signal.levels - 1, signal.is_continue, signal.origin)


def exec_ForList(node: n.ForList, act: Activation) -> Signal | None:
    act.at = node
    items = evaluate(node.items, act)
    act.stack += (items, 1)
    return _for_list(node, act, 1)


def after_ForList(
    node: n.ForList, child: n.Node, result: Any, act: Activation
) -> Signal | None:
    if child is node.items:
        act.stack += (result, 1)
        return _for_list(node, act, 1)
    signal = rest_of_block(node.body, child, result, act)
    if signal is None or _is_next_round(signal):
        return _for_list(node, act)
    del act.stack[-2:]
    return _out_of_loop(signal)


def _compiled(node: n.Node, act: Activation, rounds: int) -> Any:
    """Return the function that goes on with a loop at the head of a round, if any."""
    vm = act.vm
    return None if vm.is_exact else vm.tiering.loop(act, node, rounds)


def _for_list(node: n.ForList, act: Activation, rounds: int = 0) -> Signal | None:
    """Run rounds until the list is used up; it and the next index are on top.

    ``rounds`` is 0 in the midst of a round that was interrupted: a function for the
    loop is worth its start only if the next round is not.
    """
    vm, stack, slot, body = act.vm, act.stack, node.slot, node.body
    enough = vm.tiering.rounds_before
    while True:
        if rounds == 1 or rounds == enough:
            function = _compiled(node, act, rounds)
            if function is not None:
                signal: Signal | None = function(vm, act)
                return signal
        rounds += 1
        act.at = node
        vm.ticks -= 1
        if vm.ticks <= 0:
            vm.next_portion()
        items = stack[-2]
        if type(items) is not tuple:
            vm.failed(MooError(E_TYPE), act)
            break
        index = stack[-1]
        if index > len(items):
            break
        act.vars[slot] = items[index - 1]
        stack[-1] = index + 1
        signal = run_block(body, act)
        if signal is not None and not _is_next_round(signal):
            del stack[-2:]
            return _out_of_loop(signal)
    del stack[-2:]
    return None


def exec_ForRange(node: n.ForRange, act: Activation) -> Signal | None:
    act.at = node
    start = evaluate(node.start, act)
    act.stack.append(start)
    act.stack.append(evaluate(node.end, act))
    return _for_range(node, act, 1)


def after_ForRange(
    node: n.ForRange, child: n.Node, result: Any, act: Activation
) -> Signal | None:
    if child is node.start:
        act.stack.append(result)
        result = evaluate(node.end, act)
        child = node.end
    if child is node.end:
        act.stack.append(result)
        return _for_range(node, act, 1)
    signal = rest_of_block(node.body, child, result, act)
    if signal is None or _is_next_round(signal):
        return _for_range(node, act)
    del act.stack[-2:]
    return _out_of_loop(signal)


def _for_range(node: n.ForRange, act: Activation, rounds: int = 0) -> Signal | None:
    """Run rounds until the range is used up; its next and last are on top."""
    vm, stack, slot, body = act.vm, act.stack, node.slot, node.body
    enough = vm.tiering.rounds_before
    while True:
        if rounds == 1 or rounds == enough:
            function = _compiled(node, act, rounds)
            if function is not None:
                signal: Signal | None = function(vm, act)
                return signal
        rounds += 1
        act.at = node
        vm.ticks -= 1
        if vm.ticks <= 0:
            vm.next_portion()
        number, last = stack[-2], stack[-1]
        kind = type(number)
        if kind is not type(last) or (kind is not int and kind is not Obj):
            vm.failed(MooError(E_TYPE), act)
            break
        if number > last:
            break
        act.vars[slot] = number
        if number < vm.ops.max_int:
            stack[-2] = kind(int(number) + 1)
        else:
            stack[-1] = kind(int(last) - 1)
        signal = run_block(body, act)
        if signal is not None and not _is_next_round(signal):
            del stack[-2:]
            return _out_of_loop(signal)
    del stack[-2:]
    return None


def exec_While(node: n.While, act: Activation) -> Signal | None:
    return _while(node, act, 1)


def _while(node: n.While, act: Activation, rounds: int = 0) -> Signal | None:
    condition, body = node.condition, node.body
    enough = act.vm.tiering.rounds_before
    while True:
        if rounds == 1 or rounds == enough:
            function = _compiled(node, act, rounds)
            if function is not None:
                signal: Signal | None = function(act.vm, act)
                return signal
        rounds += 1
        act.at = node
        value = EVALUATE[type(condition)](condition, act)
        if not _while_test(node, value, act):
            return None
        signal = run_block(body, act)
        if signal is not None and not _is_next_round(signal):
            return _out_of_loop(signal)


def _while_test(node: n.While, value: Value, act: Activation) -> bool:
    vm = act.vm
    vm.ticks -= 1
    if node.slot is not None:
        # A named loop's test does not look at the limit (WHILE_ID is an extended
        # instruction), and keeps the value in the variable of its name.
        act.vars[node.slot] = value
        vm.round()
    elif vm.ticks <= 0:
        vm.next_portion()
    return bool(value)


def after_While(
    node: n.While, child: n.Node, result: Any, act: Activation
) -> Signal | None:
    if child is node.condition:
        act.at = node
        if not _while_test(node, result, act):
            return None
        signal = run_block(node.body, act)
    else:
        signal = rest_of_block(node.body, child, result, act)
    if signal is None or _is_next_round(signal):
        return _while(node, act)
    return _out_of_loop(signal)


HEADS: Final[dict[type[n.Node], Callable[[Any, Activation], Signal | None]]] = {
    n.ForList: _for_list,
    n.ForRange: _for_range,
    n.While: _while,
}
"""What runs a loop from the head of a round on, its state being on the stack."""


# --- try ------------------------------------------------------------------


def exec_TryExcept(node: n.TryExcept, act: Activation) -> Signal | None:
    act.at = node
    return _except_codes(node, 0, act)


def _except_codes(node: n.TryExcept, first: int, act: Activation) -> Signal | None:
    """Put the code lists of the arms from ``first`` on the stack, then run the body."""
    stack = act.stack
    for arm in node.arms[first:]:
        act.at = arm
        stack.append(code_list(arm.codes, act))
        stack.append(arm)
    act.vm.ticks -= 1  # TRY_EXCEPT does not look at the limit
    stack.append(CatchMarker(len(node.arms)))
    try:
        signal = run_block(node.body, act)
    except Unwinding as error:
        unwinding = error
    else:
        del stack[-2 * len(node.arms) - 1 :]
        return signal
    # Handlers run outside the Python handler, or suspending them would keep the
    # failed frames alive.
    return _except_arm(node, unwinding, act)


def _except_arm(node: n.TryExcept, error: Unwinding, act: Activation) -> Signal | None:
    """Handle ``error``, which came out of the body, or let it pass."""
    slots = 2 * len(node.arms) + 1
    base = cut_to_marker(node, act) - slots + 1
    stack = act.stack
    codes = stack[base : base + slots - 1 : 2]
    del stack[base:]
    if error.reason is Reason.RAISE:
        for arm, caught in zip(node.arms, codes, strict=True):
            if catches(caught, error.value[0], act.vm):
                return run_arm(arm, error.value, act)
    raise error


def run_arm(arm: n.ExceptArm, value: Value, act: Activation) -> Signal | None:
    """Handle an error: ``value`` is what ``except`` assigns."""
    if arm.slot is not None:
        act.vars[arm.slot] = value
        act.at = arm
        tick(act)
    return run_block(arm.body, act)


def after_TryExcept(
    node: n.TryExcept, child: n.Node, result: Any, act: Activation
) -> Signal | None:
    if type(child) is n.ExceptArm:
        if type(result) is not _Codes:
            signal: Signal | None = result
            return signal
        position = position_of(node.arms, child)
        act.stack += (result.value, child)
        return _except_codes(node, position + 1, act)
    try:
        signal = rest_of_block(node.body, child, result, act)
    except Unwinding as error:
        unwinding = error
    else:
        del act.stack[-2 * len(node.arms) - 1 :]
        return signal
    return _except_arm(node, unwinding, act)


def rescue_TryExcept(
    node: n.TryExcept, child: n.Node, error: Unwinding, act: Activation
) -> Signal | None:
    if type(child) is n.ExceptArm:  # in a code list or a handler: not ours
        raise error
    return _except_arm(node, error, act)


@frozen
class _Codes:
    """The code list of an arm, on its way from the arm to its `TryExcept`."""

    value: Value


def after_ExceptArm(
    arm: n.ExceptArm, child: n.Node, result: Any, act: Activation
) -> Any:
    if arm.codes is not None and any(item is child for item in arm.codes):
        return _Codes(items_after(arm.codes, child, result, act))
    return rest_of_block(arm.body, child, result, act)


def exec_TryFinally(node: n.TryFinally, act: Activation) -> Signal | None:
    act.at = node
    act.vm.ticks -= 1  # TRY_FINALLY does not look at the limit
    act.stack.append(FinallyMarker(node))
    try:
        signal = run_block(node.body, act)
    except Unwinding as error:
        unwinding = error
    else:
        return _finally_part(node, signal, act)
    return _finally_after_error(node, unwinding, act)


def after_TryFinally(
    node: n.TryFinally, child: n.Node, result: Any, act: Activation
) -> Signal | None:
    if any(statement is child for statement in node.handler):
        signal = rest_of_block(node.handler, child, result, act)
        return _end_of_finally(signal, act)
    try:
        signal = rest_of_block(node.body, child, result, act)
    except Unwinding as error:
        unwinding = error
    else:
        return _finally_part(node, signal, act)
    return _finally_after_error(node, unwinding, act)


def rescue_TryFinally(
    node: n.TryFinally, child: n.Node, error: Unwinding, act: Activation
) -> Signal | None:
    if any(statement is child for statement in node.handler):
        raise error
    return _finally_after_error(node, error, act)


def _finally_part(
    node: n.TryFinally, signal: Signal | None, act: Activation
) -> Signal | None:
    """Run the ``finally`` part after the body ended without an error."""
    stack = act.stack
    del stack[-1]
    if signal is None:
        stack += (Reason.FELL_THROUGH, 0)
    elif type(signal) is Returned:
        stack += (Reason.RETURN, signal.value)
    else:
        stack += (Reason.EXIT, signal)
    return run_finally_part(node, act)


def _finally_after_error(
    node: n.TryFinally, error: Unwinding, act: Activation
) -> Signal | None:
    del act.stack[cut_to_marker(node, act) :]
    act.stack += (error.reason, error.value)
    return run_finally_part(node, act)


def run_finally_part(node: n.TryFinally, act: Activation) -> Signal | None:
    """Run a ``finally`` part; why and with what are on top of the stack."""
    return _end_of_finally(run_block(node.handler, act), act)


def _end_of_finally(signal: Signal | None, act: Activation) -> Signal | None:
    """Go on with what the ``finally`` part interrupted, unless it left by itself."""
    reason, value = act.stack[-2:]
    del act.stack[-2:]
    if signal is not None:
        return signal
    if reason == Reason.FELL_THROUGH:
        return None
    if reason == Reason.RETURN:
        return Returned(value)
    if reason == Reason.EXIT:
        exit_: Signal = value
        return exit_
    raise Unwinding(Reason(reason), value)
