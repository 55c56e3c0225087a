"""The first tier: walks the syntax tree.  This is the definition of the language.

Order: dispatch, statements, expressions, calls; then going on after a suspension.

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
from typing import Any, Final, TypeAlias

from attrs import frozen

from pymoo.errors import InternalError, MooError
from pymoo.interp import ops
from pymoo.interp.activation import (
    MAIN_VECTOR,
    Activation,
    CatchMarker,
    FinallyMarker,
    Reason,
    Unwinding,
    catches,
)
from pymoo.lang import nodes as n
from pymoo.values import E_ARGS, E_TYPE, E_VARNF, SHORT, Obj, Value

# --- dispatch -------------------------------------------------------------


@frozen
class Signal:
    """Why a statement did not run to its end."""


@frozen
class Returned(Signal):
    """``return value;``: the activation is done."""

    value: Value


@frozen
class Exit(Signal):
    """``break`` or ``continue`` of the loop with ``levels`` loops inside it."""

    levels: int
    is_continue: bool
    # Where it was written, or the loop meant: a textdump keeps the place in the
    # classic code that it leads to while a `finally` part runs.
    origin: n.Node


Execute: TypeAlias = Callable[[Any, Activation], Signal | None]
Evaluate: TypeAlias = Callable[[Any, Activation], Any]
After: TypeAlias = Callable[[Any, n.Node, Any, Activation], Any]
Rescue: TypeAlias = Callable[[Any, n.Node, Unwinding, Activation], Any]

EXECUTE: dict[type[n.Node], Execute] = {}
EVALUATE: dict[type[n.Node], Evaluate] = {}
AFTER: dict[type[n.Node], After] = {}
RESCUE: dict[type[n.Node], Rescue] = {}


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


def run_block(block: n.Block, act: Activation) -> Signal | None:
    for statement in block:
        signal = EXECUTE[type(statement)](statement, act)
        if signal is not None:
            return signal
    return None


def evaluate(node: n.Expression, act: Activation) -> Any:
    """Return the value of an expression."""
    return EVALUATE[type(node)](node, act)


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
        return _rest_of_block(node.otherwise, child, result, act)
    # IfArm is not a statement: what happened inside was passed up as it is.
    position = _position(node.arms, child)
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
    return _rest_of_block(arm.body, child, result, act)


def _position(items: tuple[Any, ...], child: n.Node) -> int:
    for position, item in enumerate(items):
        if item is child:
            return position
    raise InternalError(f"{child} is not where it was suspended")


def _rest_of_block(
    block: n.Block, child: n.Node, signal: Signal | None, act: Activation
) -> Signal | None:
    """Go on in ``block`` behind its statement ``child``, which ended in ``signal``."""
    if signal is not None:
        return signal
    return run_block(block[_position(block, child) + 1 :], act)


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
    signal = _rest_of_block(node.body, child, result, act)
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
                signal = function(vm, act)
                return signal  # type: ignore[no-any-return]
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
    signal = _rest_of_block(node.body, child, result, act)
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
                signal = function(vm, act)
                return signal  # type: ignore[no-any-return]
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
                signal = function(act.vm, act)
                return signal  # type: ignore[no-any-return]
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
        signal = _rest_of_block(node.body, child, result, act)
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
        stack.append(_codes(arm.codes, act))
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


def _codes(codes: n.Items | None, act: Activation) -> Any:
    """Return a code list: a list, or 0 for ANY."""
    return 0 if codes is None else eval_items(codes, act)


def _except_arm(node: n.TryExcept, error: Unwinding, act: Activation) -> Signal | None:
    """Handle ``error``, which came out of the body, or let it pass."""
    slots = 2 * len(node.arms) + 1
    base = _cut_to_marker(node, act) - slots + 1
    stack = act.stack
    codes = stack[base : base + slots - 1 : 2]
    del stack[base:]
    if error.reason is Reason.RAISE:
        for arm, caught in zip(node.arms, codes, strict=True):
            if catches(caught, error.value[0]):  # type: ignore[index]
                return run_arm(arm, error.value, act)
    raise error


def run_arm(arm: n.ExceptArm, value: Value, act: Activation) -> Signal | None:
    """Handle an error: ``value`` is what ``except`` assigns."""
    if arm.slot is not None:
        act.vars[arm.slot] = value
        act.at = arm
        _tick(act)
    return run_block(arm.body, act)


def _cut_to_marker(node: n.Node, act: Activation) -> int:
    """Drop what an error left above the marker of ``node``; return its index.

    Inner handlers have taken theirs off, so it is the topmost one.
    """
    stack = act.stack
    while type(stack[-1]) is not CatchMarker and type(stack[-1]) is not FinallyMarker:
        del stack[-1]
    return len(stack) - 1


def after_TryExcept(
    node: n.TryExcept, child: n.Node, result: Any, act: Activation
) -> Signal | None:
    if type(child) is n.ExceptArm:
        if type(result) is not _Codes:
            signal: Signal | None = result
            return signal
        position = _position(node.arms, child)
        act.stack += (result.value, child)
        return _except_codes(node, position + 1, act)
    try:
        signal = _rest_of_block(node.body, child, result, act)
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
        return _Codes(_items_after(arm.codes, child, result, act))
    return _rest_of_block(arm.body, child, result, act)


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
        signal = _rest_of_block(node.handler, child, result, act)
        return _end_of_finally(signal, act)
    try:
        signal = _rest_of_block(node.body, child, result, act)
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
    del act.stack[_cut_to_marker(node, act) :]
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


# --- expressions: atoms ---------------------------------------------------


def _tick(act: Activation) -> None:
    """Count one tick and look at the limit."""
    vm = act.vm
    vm.ticks -= 1
    if vm.ticks <= 0:
        vm.next_portion()


def eval_Literal(node: n.Literal, act: Activation) -> Value:
    return node.value


def eval_Variable(node: n.Variable, act: Activation) -> Value:
    value: Value | None = act.vars[node.slot]
    if value is None:
        return unbound(node, act)
    return value


def unbound(node: n.Variable, act: Activation) -> Value:
    """Return what reading a variable without a value gives, or raise."""
    at, program = act.at, act.program
    if act.vector == MAIN_VECTOR and not program.was_line_asked:
        if program.is_first(node):
            act.at = None  # as long as nothing has begun, that is line 1
    value = act.vm.failed(MooError(E_VARNF), act)
    act.at = at
    return value


def eval_Length(node: n.Length, act: Activation) -> Value:
    base = act.stack[act.program.classic.length_base(node)]
    try:
        return ops.length_of(base)
    except MooError as error:
        return act.vm.failed(error, act)


def eval_ListDisplay(node: n.ListDisplay, act: Activation) -> Any:
    return eval_items(node.items, act)


def after_ListDisplay(
    node: n.ListDisplay, child: n.Node, value: Value, act: Activation
) -> Any:
    return _items_after(node.items, child, value, act)


def eval_items(items: n.Items, act: Activation) -> Any:
    """Return the list that the items of a display or the arguments of a call make.

    The first item costs a tick, the others none.  In a frame without the d bit a
    failure leaves an error where the list should be.
    """
    if not items:
        return ()
    return _items_from(items, 0, [], act)


def _items_from(items: n.Items, first: int, made: Any, act: Activation) -> Any:
    """Evaluate the items from ``first`` on and add them to ``made``, a Python list."""
    stack = act.stack
    for position in range(first, len(items)):
        item = items[position]
        node = item.value if type(item) is n.Splice else item
        if position and item.needs_stack:
            stack.append(made)
            value = EVALUATE[type(node)](node, act)
            stack.pop()
        else:
            value = EVALUATE[type(node)](node, act)
        made = _add_item(item, position, made, value, act)
    if len(items) > SHORT:
        act.vm.spend(len(items))  # as all but the first one cost no tick
    return tuple(made) if type(made) is list else made


def _add_item(
    item: n.Item, position: int, made: Any, value: Value, act: Activation
) -> Any:
    """Return ``made`` with one item more, or the error that took its place."""
    vm = act.vm
    try:
        if position == 0:
            vm.ticks -= 1
            if vm.ticks <= 0:
                vm.next_portion()
            if type(item) is not n.Splice:
                made.append(value)
            elif type(value) is tuple:
                vm.copied(len(value))
                made.extend(value)
            else:
                raise MooError(E_TYPE)
        elif type(made) is not list:
            raise MooError(E_TYPE)
        elif type(item) is n.Splice:
            if type(value) is not tuple:
                raise MooError(E_TYPE)
            vm.copied(len(value))
            if len(made) + len(value) > vm.ops.limits.max_list:
                vm.ops.limits.exceeded()
            made.extend(value)
        else:
            if len(made) >= vm.ops.limits.max_list:
                vm.ops.limits.exceeded()
            made.append(value)
    except MooError as error:
        return vm.failed(error, act)
    return made


def _items_after(items: n.Items, child: n.Node, value: Value, act: Activation) -> Any:
    """Go on with a list after its item ``child`` has its value."""
    position = _position(items, child)
    # What stands on the stack is a tuple if the task came from a textdump.
    made: Any = act.stack.pop() if position else []
    if type(made) is tuple:
        made = list(made)
    made = _add_item(items[position], position, made, value, act)
    return _items_from(items, position + 1, made, act)


def after_Splice(node: n.Splice, child: n.Node, value: Value, act: Activation) -> Value:
    return value


# --- expressions: operators -----------------------------------------------


def eval_Negate(node: n.Negate, act: Activation) -> Value:
    return after_Negate(node, node.operand, evaluate(node.operand, act), act)


def after_Negate(node: n.Negate, child: n.Node, value: Value, act: Activation) -> Value:
    _tick(act)
    try:
        return act.vm.ops.negate(value)
    except MooError as error:
        return act.vm.failed(error, act)


def eval_Not(node: n.Not, act: Activation) -> Value:
    return after_Not(node, node.operand, evaluate(node.operand, act), act)


def after_Not(node: n.Not, child: n.Node, value: Value, act: Activation) -> Value:
    _tick(act)
    return ops.logical_not(value)


def eval_Binary(node: n.Binary, act: Activation) -> Value:
    left_node = node.left
    if type(left_node) not in _BINARY:
        left = EVALUATE[type(left_node)](left_node, act)
        return _binary_right(node, left, act)
    # A chain such as a + b + c nests to the left without limit: no recursion.
    chain = [node]
    while type(left_node) in _BINARY:
        chain.append(left_node)  # type: ignore[arg-type]
        left_node = left_node.left  # type: ignore[attr-defined]
    value = EVALUATE[type(left_node)](left_node, act)
    while chain:
        value = _binary_right(chain.pop(), value, act)
    return value  # type: ignore[no-any-return]


def _binary_right(node: n.Binary, left: Value, act: Activation) -> Value:
    right_node = node.right
    if right_node.needs_stack:
        act.stack.append(left)
        right = EVALUATE[type(right_node)](right_node, act)
        act.stack.pop()
    else:
        right = EVALUATE[type(right_node)](right_node, act)
    return _binary(node, left, right, act)


def _binary(node: n.Binary, left: Value, right: Value, act: Activation) -> Value:
    vm = act.vm
    vm.ticks -= 1
    # ^ is an extended instruction, which does not look at the limit.
    if vm.ticks <= 0 and type(node) is not n.Power:
        vm.next_portion()
    try:
        return vm.binary[type(node)](left, right)
    except MooError as error:
        return vm.failed(error, act)


def after_Binary(node: n.Binary, child: n.Node, value: Value, act: Activation) -> Value:
    if child is node.left:
        return _binary_right(node, value, act)
    return _binary(node, act.stack.pop(), value, act)


def eval_Logical(node: n.Logical, act: Activation) -> Value:
    left_node = node.left
    if not isinstance(left_node, n.Logical):
        return _logical_right(node, evaluate(left_node, act), act)
    chain = [node]
    while isinstance(left_node, n.Logical):
        chain.append(left_node)
        left_node = left_node.left
    value = evaluate(left_node, act)
    while chain:
        value = _logical_right(chain.pop(), value, act)
    return value  # type: ignore[no-any-return]


def _logical_right(node: n.Logical, left: Value, act: Activation) -> Value:
    _tick(act)
    if bool(left) is (type(node) is n.Or):
        return left
    return evaluate(node.right, act)  # type: ignore[no-any-return]


def after_Logical(
    node: n.Logical, child: n.Node, value: Value, act: Activation
) -> Value:
    return _logical_right(node, value, act) if child is node.left else value


def eval_Conditional(node: n.Conditional, act: Activation) -> Value:
    return _conditional(node, evaluate(node.condition, act), act)


def _conditional(node: n.Conditional, condition: Value, act: Activation) -> Value:
    _tick(act)
    branch = node.consequent if condition else node.alternate
    return evaluate(branch, act)  # type: ignore[no-any-return]


def after_Conditional(
    node: n.Conditional, child: n.Node, value: Value, act: Activation
) -> Value:
    return _conditional(node, value, act) if child is node.condition else value


def eval_Catch(node: n.Catch, act: Activation) -> Value:
    return _catch_body(node, _codes(node.codes, act), act)


def _catch_body(node: n.Catch, codes: Value, act: Activation) -> Value:
    stack = act.stack
    stack += (codes, node)
    act.vm.ticks -= 1  # CATCH does not look at the limit
    stack.append(CatchMarker(1))
    try:
        value = evaluate(node.body, act)
    except Unwinding as error:
        unwinding = error
    else:
        del stack[-3:]
        return value  # type: ignore[no-any-return]
    return _catch_handler(node, unwinding, act)


def _catch_handler(node: n.Catch, error: Unwinding, act: Activation) -> Value:
    base = _cut_to_marker(node, act) - 2
    codes = act.stack[base]
    del act.stack[base:]
    if error.reason is not Reason.RAISE or not catches(
        codes,
        error.value[0],  # type: ignore[index]
    ):
        raise error
    if node.default is None:
        return caught_code(error.value[0], act)  # type: ignore[index]
    value: Value = evaluate(node.default, act)
    return value


def caught_code(code: Value, act: Activation) -> Value:
    """Return what a catch without a default gives."""
    _tick(act)
    return code


def after_Catch(node: n.Catch, child: n.Node, value: Value, act: Activation) -> Value:
    if child is node.body:
        del act.stack[-3:]
        return value
    if child is node.default:
        return value
    assert node.codes is not None
    return _catch_body(node, _items_after(node.codes, child, value, act), act)


def rescue_Catch(
    node: n.Catch, child: n.Node, error: Unwinding, act: Activation
) -> Value:
    if child is not node.body:
        raise error
    return _catch_handler(node, error, act)


# --- expressions: indexing and properties ---------------------------------


def eval_Index(node: n.Index, act: Activation) -> Value:
    base = evaluate(node.base, act)
    index_node = node.index
    if index_node.needs_stack:
        act.stack.append(base)
        index = evaluate(index_node, act)
        act.stack.pop()
    else:
        index = evaluate(index_node, act)
    return _index(base, index, act)


def _index(base: Value, index: Value, act: Activation) -> Value:
    _tick(act)
    try:
        return ops.index(base, index)
    except MooError as error:
        return act.vm.failed(error, act)


def after_Index(node: n.Index, child: n.Node, value: Value, act: Activation) -> Value:
    if child is node.base:
        act.stack.append(value)
        value = evaluate(node.index, act)
    return _index(act.stack.pop(), value, act)


def eval_Range(node: n.Range, act: Activation) -> Value:
    base = evaluate(node.base, act)
    if node.start.needs_stack or node.end.needs_stack:
        act.stack.append(base)
        return _range_start(node, act)
    return _range(base, evaluate(node.start, act), evaluate(node.end, act), act)


def _range_start(node: n.Range, act: Activation) -> Value:
    act.stack.append(evaluate(node.start, act))
    return _range_end(node, evaluate(node.end, act), act)


def _range_end(node: n.Range, end: Value, act: Activation) -> Value:
    start = act.stack.pop()
    return _range(act.stack.pop(), start, end, act)


def _range(base: Value, start: Value, end: Value, act: Activation) -> Value:
    _tick(act)
    try:
        return act.vm.ops.range_of(base, start, end)
    except MooError as error:
        return act.vm.failed(error, act)


def after_Range(node: n.Range, child: n.Node, value: Value, act: Activation) -> Value:
    if child is node.base:
        act.stack.append(value)
        return _range_start(node, act)
    if child is node.start:
        act.stack.append(value)
        value = evaluate(node.end, act)
    return _range_end(node, value, act)


def eval_Property(node: n.Property, act: Activation) -> Value:
    object_ = evaluate(node.object, act)
    name_node = node.name
    if name_node.needs_stack:
        act.stack.append(object_)
        name = evaluate(name_node, act)
        act.stack.pop()
    else:
        name = evaluate(name_node, act)
    return _property(object_, name, act)


def _property(object_: Value, name: Value, act: Activation) -> Value:
    _tick(act)
    vm = act.vm
    try:
        return vm.get_property(object_, name, act.programmer)
    except MooError as error:
        return vm.failed(error, act)


def after_Property(
    node: n.Property, child: n.Node, value: Value, act: Activation
) -> Value:
    if child is node.object:
        act.stack.append(value)
        value = evaluate(node.name, act)
    return _property(act.stack.pop(), value, act)


# --- expressions: assignment ----------------------------------------------


def eval_Assign(node: n.Assign, act: Activation) -> Value:
    target = node.target
    if type(target) is n.Variable:
        value = evaluate(node.value, act)
        _tick(act)
        act.vars[target.slot] = value
        return value  # type: ignore[no-any-return]
    return _assign_steps(node, 0, act)


def after_Assign(node: n.Assign, child: n.Node, value: Value, act: Activation) -> Value:
    target = node.target
    if type(target) is n.Variable:
        _tick(act)
        act.vars[target.slot] = value
        return value
    # The parts of a target are children of the assignment itself.
    steps = _target_steps(node)
    position = next(i for i, step in enumerate(steps) if step is child)
    act.stack.append(value)
    return _assign_steps(node, position + 1, act)


def _fetch_property(act: Activation) -> None:
    """Push ``o.p``, of which both parts stay on the stack."""
    act.stack.append(_property(act.stack[-2], act.stack[-1], act))


def _fetch_item(act: Activation) -> None:
    """Push ``base[index]``, of which both parts stay on the stack; no tick."""
    try:
        item = ops.index_of_list(act.stack[-2], act.stack[-1])
    except MooError as error:
        item = act.vm.failed(error, act)
    act.stack.append(item)


Step: TypeAlias = n.Expression | Callable[[Activation], None]


def _target_steps(node: n.Assign) -> list[Step]:
    """Return what to push, in order, for an assignment to a property or a place.

    An expression stands for its value, a function does its own pushing.  Source:
    code_gen.c, push_lvalue.
    """
    backwards: list[Step] = [node.value]
    target = node.target
    if type(target) is n.Range:
        backwards += (target.end, target.start)
        target = target.base
        inner = type(target) is n.Index
    elif type(target) is n.Index:
        backwards.append(target.index)
        target = target.base
        inner = type(target) is n.Index
    else:
        inner = False
    while inner:
        assert type(target) is n.Index
        backwards += (_fetch_item, target.index)
        target = target.base
        inner = type(target) is n.Index
    if type(target) is n.Property:
        if target is not node.target:
            backwards.append(_fetch_property)
        backwards += (target.name, target.object)
    else:
        backwards.append(target)
    backwards.reverse()
    return backwards


def _assign_steps(node: n.Assign, first: int, act: Activation) -> Value:
    stack = act.stack
    for step in _target_steps(node)[first:]:
        if isinstance(step, n.Expression):
            stack.append(evaluate(step, act))
        else:
            step(act)
    result: Value = stack[-1]
    # From the innermost place outward: each store leaves the changed base.  All but
    # the first are blamed on an odd line (`ClassicCode.line_behind`).
    target, at = node.target, act.at
    if type(target) is not n.Property:
        act.temporary = result
    while type(target) is not n.Variable and type(target) is not n.Property:
        if type(target) is n.Range:
            _store_range(act)
        else:
            assert type(target) is n.Index
            _store_item(act)
        target = target.base
        act.at = node
    _tick(act)
    value = stack.pop()
    if type(target) is n.Variable:
        act.vars[target.slot] = value
        act.at, act.temporary = at, None
        return result
    name = stack.pop()
    object_ = stack.pop()
    vm = act.vm
    try:
        vm.set_property(object_, name, value, act.programmer)
    except MooError as error:
        failure = vm.failed(error, act)
        # Without an index the value of the assignment is what the store left.
        if target is node.target:
            result = failure
    act.at = at
    if target is not node.target:
        act.temporary = None
    return result


def _store_item(act: Activation) -> None:
    _tick(act)
    stack = act.stack
    base, index, value = stack[-3:]
    try:
        stored = act.vm.ops.index_set(base, index, value)
    except MooError as error:
        stored = act.vm.failed(error, act)
    stack[-3:] = (stored,)


def _store_range(act: Activation) -> None:
    stack = act.stack  # no tick
    base, start, end, value = stack[-4:]
    try:
        stored = act.vm.ops.range_set(base, start, end, value)
    except MooError as error:
        stored = act.vm.failed(error, act)
    stack[-4:] = (stored,)


def eval_Scatter(node: n.Scatter, act: Activation) -> Value:
    return after_Scatter(node, node.value, evaluate(node.value, act), act)


def after_Scatter(
    node: n.Scatter, child: n.Node, value: Value, act: Activation
) -> Value:
    if child is node.value:
        act.vm.ticks -= 1  # SCATTER does not look at the limit
        try:
            missing = scatter(node.targets, value, act.vars)
            assert type(value) is tuple  # scatter() takes nothing else
            if len(value) > SHORT:
                act.vm.copied(len(value))
        except MooError as error:
            return act.vm.failed(error, act)
        if missing is None:
            return value
        act.stack.append(value)
        return _scatter_defaults(node, missing, act)
    position = _position(node.targets, child)
    _tick(act)
    act.vars[node.targets[position].slot] = value
    return _scatter_defaults(node, position + 1, act)


def after_Optional(
    node: n.Optional, child: n.Node, value: Value, act: Activation
) -> Value:
    return value


def _scatter_defaults(node: n.Scatter, first: int, act: Activation) -> Value:
    """Give the optional targets from ``first`` on their defaults; the list is on top.

    Values are dealt out from the left, so no later optional target has got one.
    """
    for target in node.targets[first:]:
        if isinstance(target, n.Optional) and target.default is not None:
            value = evaluate(target.default, act)
            _tick(act)
            act.vars[target.slot] = value
    result: Value = act.stack.pop()
    return result


def scatter(
    targets: tuple[n.Target, ...], value: Value, variables: list[Value | None]
) -> int | None:
    """Deal the list ``value`` out to ``targets``.

    Returns the position of the first optional target that has a default and got
    no value; None if there is none.

    Raises: E_TYPE if it is no list, E_ARGS if its length does not fit; nothing is
        assigned then.
    Source: execute.c, EOP_SCATTER.
    """
    required = sum(type(target) is n.Required for target in targets)
    has_rest = any(type(target) is n.Rest for target in targets)
    if type(value) is not tuple:
        raise MooError(E_TYPE)
    length = len(value)
    if length < required or (not has_rest and length > len(targets)):
        raise MooError(E_ARGS)
    optional = length - required
    rest = length - len(targets) + 1 if has_rest and length >= len(targets) else 0
    position = 0
    missing = None
    for number, target in enumerate(targets):
        if type(target) is n.Required:
            variables[target.slot] = value[position]
            position += 1
        elif type(target) is n.Rest:
            variables[target.slot] = value[position : position + rest]
            position += rest
        elif optional > 0:
            optional -= 1
            variables[target.slot] = value[position]
            position += 1
        elif missing is None and has_default(target):
            missing = number
    return missing


def has_default(target: n.Target) -> bool:
    return isinstance(target, n.Optional) and target.default is not None


# --- calls ----------------------------------------------------------------


def eval_VerbCall(node: n.VerbCall, act: Activation) -> Value:
    object_ = evaluate(node.object, act)
    name_node = node.name
    arguments = node.arguments
    if name_node.needs_stack or any(item.needs_stack for item in arguments):
        act.stack.append(object_)
        return _verb_name(node, evaluate(name_node, act), act)
    name = evaluate(name_node, act)
    return _call_verb(node, object_, name, eval_items(arguments, act), act)


def _verb_name(node: n.VerbCall, name: Value, act: Activation) -> Value:
    act.stack.append(name)
    return _verb_arguments(node, eval_items(node.arguments, act), act)


def _verb_arguments(node: n.VerbCall, arguments: Value, act: Activation) -> Value:
    name = act.stack.pop()
    return _call_verb(node, act.stack.pop(), name, arguments, act)


def _call_verb(
    node: n.VerbCall, object_: Value, name: Value, arguments: Value, act: Activation
) -> Value:
    vm = act.vm
    vm.ticks -= 1
    if vm.ticks <= 0:
        vm.next_portion()
    act.at = node
    try:
        if (
            type(arguments) is not tuple
            or type(name) is not str
            or type(object_) is not Obj
        ):
            raise MooError(E_TYPE)
        vm.push_verb(object_, name, arguments)
    except MooError as error:
        return vm.failed(error, act)
    return vm.run_callee()


def after_VerbCall(
    node: n.VerbCall, child: n.Node, value: Value, act: Activation
) -> Value:
    if child is node.object:
        act.stack.append(value)
        return _verb_name(node, evaluate(node.name, act), act)
    if child is node.name:
        return _verb_name(node, value, act)
    return _verb_arguments(node, _items_after(node.arguments, child, value, act), act)


def eval_FunctionCall(node: n.FunctionCall, act: Activation) -> Value:
    return call_function(node, eval_items(node.arguments, act), act)


def call_function(node: n.FunctionCall, arguments: Value, act: Activation) -> Value:
    """Call a built-in function whose arguments have been evaluated."""
    vm = act.vm
    vm.ticks -= 1
    if vm.ticks <= 0:
        vm.next_portion()
    act.at = node
    try:
        if type(arguments) is not tuple:
            raise MooError(E_TYPE)
        return vm.call_function(node.name, arguments, act)
    except MooError as error:
        return vm.failed(error, act)


def after_FunctionCall(
    node: n.FunctionCall, child: n.Node, value: Value, act: Activation
) -> Value:
    return call_function(node, _items_after(node.arguments, child, value, act), act)


# --- the tables -----------------------------------------------------------

_BINARY: Final = frozenset(
    (
        *(n.Add, n.Subtract, n.Multiply, n.Divide, n.Modulus, n.Power),
        *(n.Equal, n.NotEqual, n.Less, n.LessEqual, n.Greater, n.GreaterEqual),
        n.In,
    )
)


def _fill_tables() -> None:
    """Enter every handler under the node that it is named after."""
    tables: dict[str, dict[type[n.Node], Any]] = {
        "exec": EXECUTE,
        "eval": EVALUATE,
        "after": AFTER,
        "rescue": RESCUE,
    }
    for name, function in list(globals().items()):
        prefix, _, construct = name.partition("_")
        kind = getattr(n, construct, None)
        if prefix in tables and isinstance(kind, type):
            tables[prefix][kind] = function
    for kinds, base in ((_BINARY, n.Binary), ((n.And, n.Or), n.Logical)):
        for kind in kinds:
            EVALUATE[kind] = EVALUATE[base]
            AFTER[kind] = AFTER[base]


_fill_tables()


# --- going on after a suspension ------------------------------------------


def resume(act: Activation, value: Value) -> Value:
    """Go on in ``act``, whose call at ``act.at`` has returned ``value``.

    Returns what the activation returns.  Raises: as `run_from_start`.
    """
    assert isinstance(act.at, n.Node)
    return _climb(act, act.at, value, None, None)  # type: ignore[no-any-return]


def resume_with_error(act: Activation, error: Unwinding) -> Value:
    """Go on in ``act``, out of whose call at ``act.at`` comes ``error``."""
    assert isinstance(act.at, n.Node)
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
    return _returned(_rest_of_block(root_block(act), node, result, act))
