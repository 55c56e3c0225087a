"""The expressions of the language, as the walker evaluates them.

What the handlers have in common is said in `walker`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from pymoo.errors import MooError
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
from pymoo.interp.walker_tables import (
    BINARY,
    EVALUATE,
    evaluate,
    position_of,
    tick,
)
from pymoo.lang import nodes as n
from pymoo.values import E_ARGS, E_TYPE, E_VARNF, SHORT, Obj, Value

# --- atoms ---------------------------------------------------


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
    return items_after(node.items, child, value, act)


def eval_items(items: n.Items, act: Activation) -> Any:
    """Return the list that the items of a display or the arguments of a call make.

    The first item costs a tick, the others none.  In a frame without the d bit a
    failure leaves an error where the list should be.
    """
    if not items:
        return ()
    return items_from(items, 0, [], act)


def items_from(items: n.Items, first: int, made: Any, act: Activation) -> Any:
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


def items_after(items: n.Items, child: n.Node, value: Value, act: Activation) -> Any:
    """Go on with a list after its item ``child`` has its value."""
    position = position_of(items, child)
    # What stands on the stack is a tuple if the task came from a textdump.
    made: Any = act.stack.pop() if position else []
    if type(made) is tuple:
        made = list(made)
    made = _add_item(items[position], position, made, value, act)
    return items_from(items, position + 1, made, act)


def after_Splice(node: n.Splice, child: n.Node, value: Value, act: Activation) -> Value:
    return value


# --- operators -----------------------------------------------


def eval_Negate(node: n.Negate, act: Activation) -> Value:
    return after_Negate(node, node.operand, evaluate(node.operand, act), act)


def after_Negate(node: n.Negate, child: n.Node, value: Value, act: Activation) -> Value:
    tick(act)
    try:
        return act.vm.ops.negate(value)
    except MooError as error:
        return act.vm.failed(error, act)


def eval_Not(node: n.Not, act: Activation) -> Value:
    return after_Not(node, node.operand, evaluate(node.operand, act), act)


def after_Not(node: n.Not, child: n.Node, value: Value, act: Activation) -> Value:
    tick(act)
    return ops.logical_not(value)


def eval_Binary(node: n.Binary, act: Activation) -> Value:
    left_node: Any = node.left
    if type(left_node) not in BINARY:
        left = EVALUATE[type(left_node)](left_node, act)
        return _binary_right(node, left, act)
    # A chain such as a + b + c nests to the left without limit: no recursion.
    chain = [node]
    while type(left_node) in BINARY:
        chain.append(left_node)
        left_node = left_node.left
    value = EVALUATE[type(left_node)](left_node, act)
    while chain:
        value = _binary_right(chain.pop(), value, act)
    return value


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
    return value


def _logical_right(node: n.Logical, left: Value, act: Activation) -> Value:
    tick(act)
    if bool(left) is (type(node) is n.Or):
        return left
    return evaluate(node.right, act)


def after_Logical(
    node: n.Logical, child: n.Node, value: Value, act: Activation
) -> Value:
    return _logical_right(node, value, act) if child is node.left else value


def eval_Conditional(node: n.Conditional, act: Activation) -> Value:
    return _conditional(node, evaluate(node.condition, act), act)


def _conditional(node: n.Conditional, condition: Value, act: Activation) -> Value:
    tick(act)
    branch = node.consequent if condition else node.alternate
    return evaluate(branch, act)


def after_Conditional(
    node: n.Conditional, child: n.Node, value: Value, act: Activation
) -> Value:
    return _conditional(node, value, act) if child is node.condition else value


def code_list(codes: n.Items | None, act: Activation) -> Any:
    """Return a code list: a list, or 0 for ANY."""
    return 0 if codes is None else eval_items(codes, act)


def cut_to_marker(node: n.Node, act: Activation) -> int:
    """Drop what an error left above the marker of ``node``; return its index.

    Inner handlers have taken theirs off, so it is the topmost one.
    """
    stack = act.stack
    while type(stack[-1]) is not CatchMarker and type(stack[-1]) is not FinallyMarker:
        del stack[-1]
    return len(stack) - 1


def eval_Catch(node: n.Catch, act: Activation) -> Value:
    return _catch_body(node, code_list(node.codes, act), act)


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
        return value
    return _catch_handler(node, unwinding, act)


def _catch_handler(node: n.Catch, error: Unwinding, act: Activation) -> Value:
    base = cut_to_marker(node, act) - 2
    codes = act.stack[base]
    del act.stack[base:]
    if error.reason is not Reason.RAISE or not catches(codes, error.value[0], act.vm):
        raise error
    if node.default is None:
        return caught_code(error.value[0], act)
    value: Value = evaluate(node.default, act)
    return value


def caught_code(code: Value, act: Activation) -> Value:
    """Return what a catch without a default gives."""
    tick(act)
    return code


def after_Catch(node: n.Catch, child: n.Node, value: Value, act: Activation) -> Value:
    if child is node.body:
        del act.stack[-3:]
        return value
    if child is node.default:
        return value
    assert node.codes is not None
    return _catch_body(node, items_after(node.codes, child, value, act), act)


def rescue_Catch(
    node: n.Catch, child: n.Node, error: Unwinding, act: Activation
) -> Value:
    if child is not node.body:
        raise error
    return _catch_handler(node, error, act)


# --- indexing and properties ---------------------------------


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
    tick(act)
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
    tick(act)
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
    tick(act)
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


# --- assignment ----------------------------------------------


def eval_Assign(node: n.Assign, act: Activation) -> Value:
    target = node.target
    if type(target) is n.Variable:
        value = evaluate(node.value, act)
        tick(act)
        act.vars[target.slot] = value
        return value
    return _assign_steps(node, 0, act)


def after_Assign(node: n.Assign, child: n.Node, value: Value, act: Activation) -> Value:
    target = node.target
    if type(target) is n.Variable:
        tick(act)
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
    tick(act)
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
    tick(act)
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
    position = position_of(node.targets, child)
    tick(act)
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
            tick(act)
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
    return _verb_arguments(node, items_after(node.arguments, child, value, act), act)


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
    return call_function(node, items_after(node.arguments, child, value, act), act)
