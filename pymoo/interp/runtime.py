"""Everything that generated code may name.

`NAMES` is the vocabulary; `Tiering` adds what depends on the engine.  Here is also
what happens when an exception leaves a line of generated code: `caught` for the MOO
handlers of a function, `left` for the function itself.

Whatever comes, the activation is brought to what the walker would have made of it:
its place, its variables, its operand stack, the ticks.  `Code` knows how.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import length_hint
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pymoo.db.objects import CLEAR
from pymoo.errors import MooError, TaskAborted
from pymoo.interp import ops, walker, walker_expressions, walker_statements
from pymoo.interp.activation import (
    Activation,
    Deepened,
    Parse,
    Reason,
    Suspended,
    Unwinding,
    catches,
    stack_row,
)
from pymoo.interp.emitter import Point
from pymoo.interp.vm import VM, call_verb
from pymoo.interp.walker_tables import Returned, evaluate
from pymoo.lang import nodes as n
from pymoo.values import (
    CHARACTERS_PER_STEP,
    E_ARGS,
    E_FLOAT,
    E_TYPE,
    E_VARNF,
    SHORT,
    ErrorCode,
    Obj,
    Value,
    fold,
)
from pymoo.values_equality import equal, same_text

if TYPE_CHECKING:
    from pymoo.interp.codegen import Generated


class HandOver(BaseException):
    """The walker has to go on: the ticks are nearly used up."""


class Protected(BaseException):
    """A function that is called directly has become protected meanwhile."""


class Failed(BaseException):
    """An operation has failed in a frame without the d bit: the walker goes on."""

    def __init__(self, point: Point, code: Value) -> None:
        self.point = point
        self.code = code


class Leave(Exception):
    """The body of a ``try ... finally`` is left by ``return`` or a loop's exit."""


class Code:
    """What is known of one generated function, beside its text."""

    __slots__ = (
        "__weakref__", "_again", "_points", "_stacks", "loop", "names", "variables"
    )  # fmt: skip

    def __init__(
        self,
        loop: n.Node | None,
        variables: tuple[tuple[int, str], ...],
        again: Callable[[], Generated],
    ) -> None:
        """``again`` writes the text once more: few functions are left by exceptions."""
        self.loop = loop
        self.variables = variables
        # What the texts of points may name, beside local names.
        self.names = dict(_STACK_NAMES)
        self._again = again
        # Those asked for before, by instruction: Python finds a line by counting.
        self._points: dict[int, Point] = {}
        self._stacks: dict[str, CodeType] = {}

    def point_of(self, error: BaseException) -> Point:
        """Return the point of the line that an exception has come out of."""
        traceback = error.__traceback__
        assert traceback is not None
        point = self._points.get(traceback.tb_lasti)
        if point is None:
            point = self._again().points[traceback.tb_lineno]
            self._points[traceback.tb_lasti] = point
        return point

    @property
    def source(self) -> str:
        """The text of the function."""
        return self._again().source

    def value_of(self, text: str, names: dict[str, Any]) -> Any:
        """Return the value of a text over the local names of the function."""
        code = self._stacks.get(text)
        if code is None:
            code = self._stacks[text] = compile(text, "<stack>", "eval")
        return eval(code, self.names, names)

    def save_variables(self, act: Activation, names: dict[str, Any]) -> None:
        """Put the variables that the function has in its own back where they belong."""
        variables = act.vars
        if variables is None:
            stack = act.stack
            act.make_variables()
            act.stack = stack
            variables = act.vars
        for slot, name in self.variables:
            variables[slot] = names[name]

    def save(self, act: Activation, names: dict[str, Any], stack_text: str) -> None:
        """Make of an activation what the walker would have made of it."""
        self.save_variables(act, names)
        if act.program.assigns_inherited:
            act.parse = None  # from now on the variables tell
        stack = self.value_of(stack_text, names) if stack_text else []
        if type(act.stack) is not list:
            act.stack = []
        # In place: the walker goes on with the list that it had.
        act.stack[names.get("base", 0) :] = stack


def _mend(act: Activation, point: Point, ticks: int) -> None:
    """Set place and ticks to those of an operation that failed."""
    act.at = point.node
    if not point.is_counted:
        act.vm.ticks = ticks + point.refund


def _failed(
    act: Activation,
    error: MooError,
    ticks: int,
    point: Point,
    code: Code,
    names: dict[str, Any] | None,
) -> Unwinding:
    """Decide about an error; return what unwinds."""
    _mend(act, point, ticks)
    if point.temporary and names is not None:
        act.temporary = code.value_of(point.temporary, names)
    if point.unbound is None:
        return act.vm.unwinding(error)
    try:
        walker_expressions.unbound(point.unbound, act)
    except Unwinding as unwinding:
        unwinding.__traceback__ = None
        return unwinding
    raise AssertionError("a frame with the d bit raises")


def caught(
    act: Activation,
    error: MooError | Unwinding,
    ticks: int,
    code: Code,
    names: dict[str, Any] | None,
    codes: tuple[Any, ...],
    is_seen: bool,
) -> Unwinding:
    """Return what an open handler of the function has to look at.

    ``names`` are the locals, if a store could have failed; ``codes`` the code lists
    of the handler's arms; ``is_seen`` tells whether an arm looks at the traceback.
    """
    if isinstance(error, Unwinding):
        error.__traceback__ = None
        return error
    point = code.point_of(error)
    if not act.debug:
        raise Failed(point, error.code) from None
    _mend(act, point, ticks)
    if point.unbound is None:
        for each in codes:
            if catches(each, error.code, act.vm):
                break
        else:
            return _failed(act, error, ticks, point, code, names)
        # As `VM.unwinding`, for the commonest case: the innermost handler it is.
        if point.temporary and names is not None:
            act.temporary = code.value_of(point.temporary, names)
        stack: tuple[Value, ...] = ()
        if is_seen:
            stack = (stack_row(act),)
        elif act.at is not None:
            # Making the traceback has this effect, even if nobody sees it.
            act.program.was_line_asked = True
        return Unwinding(Reason.RAISE, (error.code, error.message, error.value, stack))
    return _failed(act, error, ticks, point, code, names)


def left(
    act: Activation,
    error: BaseException,
    ticks: int,
    names: dict[str, Any],
    code: Code,
) -> Callable[[], Any]:
    """An exception has come to the end of a function.

    Raises it again, or what it becomes; or returns how the walker goes on.
    """
    if isinstance(error, Unwinding):  # in a loop's function only
        code.save_variables(act, names)
        raise error
    if isinstance(error, Failed):
        return _without_error(act, error.code, ticks, error.point, code, names)
    point = code.point_of(error)
    if isinstance(error, MooError):
        if not act.debug:
            return _without_error(act, error.code, ticks, point, code, names)
        if code.loop is not None:
            code.save_variables(act, names)
        raise _failed(act, error, ticks, point, code, names) from None
    if isinstance(error, TaskAborted):
        # No operation can be the last but those that the walker counts, so this is
        # about seconds, sizes or kill_task(): only the place matters.
        if point.node is not None:
            act.at = point.node
        raise error
    act.at = point.node
    code.save(act, names, point.stack)
    vm = act.vm
    if isinstance(error, Protected):
        _mend(act, point, ticks)
        vm.ticks += 1  # the call will pay once more
        arguments = code.value_of(point.arguments, names)
        node: Any = point.node
        return lambda: walker.go_on(
            act,
            node,
            lambda: walker_expressions.call_function(node, arguments, act),
            code.loop,
        )
    if not isinstance(error, HandOver):  # asleep, or deep enough
        raise error
    vm.is_exact = True
    value = names[point.value] if point.value else None
    return lambda: _WAYS[point.way](act, point, value, code.loop)


def _without_error(
    act: Activation,
    error: Value,
    ticks: int,
    point: Point,
    code: Code,
    names: dict[str, Any],
) -> Callable[[], Any]:
    """An operation has failed that must not raise; return how the walker goes on."""
    failure = point.failure
    assert failure is not None
    _mend(act, point, ticks)
    act.at = failure.at
    vm = act.vm
    vm.ticks += failure.ticks
    value = code.value_of(failure.value, names) if failure.value else error
    code.save(act, names, failure.stack)
    # Or functions of loops would nest in Python, one in each round that fails.
    act.has_failed = True
    vm.tiering.count_failure(act.program)
    node: Any = failure.node
    if failure.begins:
        return lambda: walker.go_on(act, node, lambda: evaluate(node, act), code.loop)
    return lambda: walker.go_on(act, node, lambda: value, code.loop)


def _from_start(act: Activation, point: Point, value: Any, until: Any) -> Any:
    return walker.run_from_start(act)


def _with_value(act: Activation, point: Point, value: Any, until: Any) -> Any:
    assert point.node is not None
    return walker.go_on(act, point.node, lambda: value, until)


def _at_head(act: Activation, point: Point, value: Any, until: Any) -> Any:
    loop: Any = point.target
    return walker.go_on(
        act, loop, lambda: walker_statements.HEADS[type(loop)](loop, act), until
    )


def _in_arm(act: Activation, point: Point, value: Any, until: Any) -> Any:
    arm: Any = point.target
    return walker.go_on(
        act, arm, lambda: walker_statements.run_arm(arm, value, act), until
    )


def _with_code(act: Activation, point: Point, value: Any, until: Any) -> Any:
    catch: Any = point.target
    return walker.go_on(
        act, catch, lambda: walker_expressions.caught_code(value, act), until
    )


def _with_default(act: Activation, point: Point, value: Any, until: Any) -> Any:
    catch: Any = point.target
    return walker.go_on(act, catch, lambda: evaluate(catch.default, act), until)


def _in_finally(act: Activation, point: Point, value: Any, until: Any) -> Any:
    node: Any = point.target
    return walker.go_on(
        act, node, lambda: walker_statements.run_finally_part(node, act), until
    )


_WAYS: Final[dict[str, Callable[[Activation, Point, Any, Any], Any]]] = {
    "start": _from_start,
    "value": _with_value,
    "head": _at_head,
    "arm": _in_arm,
    "code": _with_code,
    "default": _with_default,
    "finally": _in_finally,
}


# --- ticks ----------------------------------------------------------------


def more(vm: VM, ticks: int, needed: int) -> int:
    """Return the next portion of ticks, which will be more than ``needed``.

    Raises: HandOver if there are no more; TaskAborted if the time is over.
    """
    total = ticks + vm.reserve
    vm.ticks = ticks
    if total <= needed:
        raise HandOver
    vm.end_portion()
    granted = min(total, needed + vm.portion)
    vm.reserve = total - granted
    vm.ticks = granted
    return granted


# --- handlers -------------------------------------------------------------


def arm_of(error: Unwinding, codes: tuple[Any, ...], vm: VM) -> int:
    """Return the number of the arm that handles ``error``.

    Raises: ``error``, if there is none; TaskAborted.
    """
    if error.reason is Reason.RAISE:
        code = error.value[0]
        for number, each in enumerate(codes):
            if catches(each, code, vm):
                return number
    raise error


def code_caught(error: Unwinding, codes: Any, vm: VM) -> Value:
    """Return the code of an error that a catch expression handles.

    Raises: ``error``, if it does not; TaskAborted.
    """
    if error.reason is Reason.RAISE:
        code: Value = error.value[0]
        if catches(codes, code, vm):
            return code
    raise error


def unwind_further(reason: Reason, value: Any) -> NoReturn:
    """Go on with an error that a ``finally`` part has interrupted."""
    raise Unwinding(reason, value)


# --- errors ---------------------------------------------------------------


def unbound() -> Any:
    """Raise E_VARNF."""
    raise MooError(E_VARNF)


def wrong_type() -> Any:
    """Raise E_TYPE."""
    raise MooError(E_TYPE)


def wrong_count() -> Any:
    """Raise E_ARGS."""
    raise MooError(E_ARGS)


def check_rest(count: int, least: int, vm: VM) -> None:
    """Count what it takes to deal out a long list.  Raises: E_ARGS for a short one."""
    if count < least:
        raise MooError(E_ARGS)
    vm.copied(count)


def not_finite() -> Any:
    """Raise E_FLOAT."""
    raise MooError(E_FLOAT)


def became_protected(*arguments: Any) -> Any:
    """Stands where a function was that the database has protected meanwhile."""
    raise Protected


# --- loops ----------------------------------------------------------------


def next_index(items: tuple[Value, ...], rounds: Any) -> int:
    """Return the index, from 1, of what a loop over ``items`` takes next."""
    return len(items) - length_hint(rounds) + 1


def rest_of(items: tuple[Value, ...], index: int) -> Any:
    """Return what iterates over ``items`` from ``index`` on, for `next_index`."""
    rounds = iter(items)
    if index > 1:
        if hasattr(rounds, "__setstate__"):
            rounds.__setstate__(index - 1)
        else:
            rounds = iter(items[index - 1 :])
    return rounds


def loop_range(first: Any, last: Any) -> Any:
    """Return the numbers of ``for x in [first..last]``.  Raises: E_TYPE."""
    kind = type(first)
    if kind is type(last):
        if kind is int:
            return range(first, last + 1)
        if kind is Obj:
            return map(Obj, range(first, last + 1))
    raise MooError(E_TYPE)


def range_state(number: Any, last: Any, high: int) -> tuple[Any, Any]:
    """Return what a round for ``number`` leaves on the operand stack."""
    kind = type(number)
    if number < high:
        return kind(int(number) + 1), last
    return number, kind(int(last) - 1)


def ticks_left(vm: VM, ticks: int) -> int:
    """Return what ticks_left() gives, where ``ticks`` are exact."""
    return ticks + vm.reserve


# --- operations -----------------------------------------------------------


def same(left: Any, right: Any, vm: VM) -> bool:
    """Whether MOO's ``==`` holds two values for equal."""
    kind = type(left)
    if kind is not type(right):
        return False
    if kind is str:
        # As `same_text`, but for the call.
        if left == right:
            if len(left) > SHORT:
                vm.spend(len(left) // CHARACTERS_PER_STEP)
            return True
        if len(left) != len(right):
            return False
        return same_text(left, right, vm)
    if kind is tuple:
        return equal(left, right, meter=vm)
    return bool(left == right)


def call_function(act: Activation, name: str, arguments: tuple[Value, ...]) -> Value:
    """Return what a built-in function gives."""
    return act.vm.call_function(name, arguments, act)


def calling(name: str) -> Callable[[Activation, tuple[Value, ...]], Value]:
    """Return what calls a function that is not quick, as long as it has this name."""
    return lambda act, arguments: act.vm.call_function(name, arguments, act)


def with_part(parse: Parse, place: int, value: Value) -> Parse:
    """Return what called verbs inherit, after one of the variables was set."""
    return (*parse[:place], value, *parse[place + 1 :])


def quick_call(builtin: Any) -> Callable[[Activation, tuple[Value, ...]], Any]:
    """Return what calls a quick function with arguments that are not yet checked."""
    check, function = builtin.check, builtin.function
    if builtin.is_metered:

        def call_metered(act: Activation, arguments: tuple[Value, ...]) -> Any:
            check(arguments)
            return function(act.vm, *arguments)

        return call_metered
    if builtin.is_pure:

        def call_pure(act: Activation, arguments: tuple[Value, ...]) -> Any:
            check(arguments)
            return function(*arguments)

        return call_pure

    def call(act: Activation, arguments: tuple[Value, ...]) -> Any:
        check(arguments)
        call = act.vm.call
        call.programmer = act.programmer
        return function(call, *arguments)

    def call_anyhow(act: Activation, arguments: tuple[Value, ...]) -> Any:
        call = act.vm.call
        call.programmer = act.programmer
        return function(call, *arguments)

    return call_anyhow if builtin.takes_anything else call


def fork(
    act: Activation, node: n.Fork, delay: Any, names: dict[str, Any], code: Code
) -> None:
    """Queue the body of ``node``, with the variables as they are."""
    parse = act.parse
    code.save_variables(act, names)
    try:
        act.vm.fork(node, delay, act)
    finally:
        act.parse = parse


_STACK_NAMES: Final[dict[str, Any]] = {
    "__builtins__": {},
    "next_index": next_index,
    "range_state": range_state,
}

EXITS: Final = (
    MooError, Suspended, Deepened, HandOver, Protected, Failed, TaskAborted,
)  # fmt: skip

NAMES: Final[dict[str, Any]] = {
    # Of Python's own names there are those that are used, and no others: `open` and
    # `__import__` cannot be spelled, whatever text came to be generated.
    "__builtins__": ModuleType("nothing"),
    "float": float,
    "int": int,
    "iter": iter,
    "len": len,
    "locals": locals,
    "max": max,
    "range": range,
    "str": str,
    "tuple": tuple,
    "type": type,
    # exceptions
    "MooError": MooError,
    "Unwinding": Unwinding,
    "EXITS": EXITS,
    "LOOP_EXITS": (*EXITS, Unwinding),
    # types and marks
    "Obj": Obj,
    "ErrorCode": ErrorCode,
    "CLEAR": CLEAR,
    "Returned": Returned,
    "FELL_THROUGH": Reason.FELL_THROUGH,
    "RETURN": Reason.RETURN,
    "EXIT": Reason.EXIT,
    "Leave": Leave,
    "unwind_further": unwind_further,
    # leaving
    "caught": caught,
    "left": left,
    "more": more,
    "arm_of": arm_of,
    "code_caught": code_caught,
    "unbound": unbound,
    "wrong_type": wrong_type,
    "wrong_count": wrong_count,
    "check_rest": check_rest,
    "not_finite": not_finite,
    # loops
    "rest_of": rest_of,
    "loop_range": loop_range,
    # operators that no engine changes
    "index": ops.index,
    "index_of_list": ops.index_of_list,
    "length_of": ops.length_of,
    "fold": fold,
    "same": same,
    # properties and calls
    "with_part": with_part,
    "call_verb": call_verb,
    "call_function": call_function,
    "fork": fork,
}
"""The vocabulary that no engine changes."""
