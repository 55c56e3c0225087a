"""One verb call under way, and what can be said of a stack of them.

An `Activation` is plain data wherever its task can suspend: program, place,
variables and operand stack, field for field what a textdump stores.  It holds
object numbers, never records, because any call may recycle or renumber.

The operand stack holds values and, in the slots where the C server has them,
these marks:

* in the midst of a list: the items so far, as a Python ``list``, in one slot;
* in a ``try`` or catch: per arm its code list (0 for ANY) and the `ExceptArm` or
  `Catch` whose handler it is, then a `CatchMarker`;
* in a ``try ... finally`` body: a `FinallyMarker`; in its ``finally`` part: the
  reason (`Reason`) and its value.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from pymoo.lang.names import SLOT_ARGSTR, SLOT_IOBJSTR, SLOT_PLAYER, VERSION_FLOAT
from pymoo.lang.nodes import Assign, Node, TryFinally
from pymoo.lang.program import Program
from pymoo.values import NOTHING, ErrorCode, Meter, Obj, Value
from pymoo.values_equality import is_member

if TYPE_CHECKING:
    from pymoo.interp.vm import VM

MAIN_VECTOR: Final = -1

DEBUG_EVAL: Final = 1
"""The `Activation.debug` of code run by eval(), as a textdump writes it."""

INHERITED: Final = slice(SLOT_ARGSTR, SLOT_IOBJSTR + 1)
"""The variables that a called verb gets from its caller's *variables*."""

Parse = tuple[Any, ...]
"""argstr, dobj, dobjstr, prepstr, iobj, iobjstr: the values of `INHERITED`."""

NO_PARSE: Final[Parse] = ("", NOTHING, "", "", NOTHING, "")


class Reason(IntEnum):
    """Why a ``finally`` part runs; the numbers are stored in textdumps."""

    FELL_THROUGH = 0
    RAISE = 1
    UNCAUGHT = 2
    RETURN = 3
    EXIT = 5


@frozen
class CatchMarker:
    """Ends the handlers of an open ``try`` or catch on the operand stack."""

    arms: int


@frozen
class FinallyMarker:
    """Stands on the operand stack while the body of a ``try ... finally`` runs."""

    statement: TryFinally


@frozen
class BuiltinCall:
    """The built-in function that called this verb and waits for its value."""

    name: str
    step: int
    data: Any


class Unwinding(Exception):
    """An error on its way, after it was decided who will handle it.

    ``reason`` is RAISE, and ``value`` the four elements that ``except`` assigns; or
    UNCAUGHT, and then only ``finally`` parts stand in its way.
    """

    def __init__(self, reason: Reason, value: Value) -> None:
        self.reason = reason
        self.value: Any = value  # its type depends on the reason


class Suspended(BaseException):
    """Unwinds Python's stack after a task was put to sleep; it is all in its VM."""


class Deepened(BaseException):
    """Unwinds Python's stack when it is deep enough; the task goes on at once.

    With ``value``, which the call under way gives, or with the verb just pushed.
    """

    def __init__(self, value: Value | None = None) -> None:
        self.value = value


class Activation:
    """One verb call: whose, where it is, and what it has in hand."""

    # Not attrs, and without __init__: calls make these by the million.  What seldom
    # differs from its default stays in the class.  Whoever makes one sets the others
    # in the order in which they stand here, which PyPy is much faster with: up to
    # ``stack``, all of them.

    vm: VM
    program: Program
    this: Obj
    player: Obj  # as at the call; the variable may have changed since
    # What verbs called by this one inherit, unless its own variables know better:
    # then None.
    parse: Parse | None
    programmer: Obj  # changed by set_task_perms()
    definer: Obj  # where the verb was found
    verb: str  # the name it was called by
    verb_names: str  # the names it was defined with
    # As in a textdump: 8 for a verb with the d bit, DEBUG_EVAL, or 0.
    debug: int

    args: tuple[Value, ...]
    caller: Obj
    # The statement, arm or call under way; None before the first one.  Generated code
    # that runs has a place in `Program.nodes` here.
    at: Node | int | None
    # The variables by slot, None for an unbound one.  Not there (None) before the
    # activation begins, and while generated code runs it: that has them in its own.
    vars: Any
    # A list as soon as something is to be put on it.
    stack: Any

    # The body of which fork of the program this is; only the outermost
    # activation of a task can be one.
    vector: int = MAIN_VECTOR
    # Set while a built-in function waits for the value of this call.
    builtin: BuiltinCall | None = None
    # The right side of an indexed assignment while its stores are made.  One that
    # failed leaves it behind, which shows in textdumps and in queued_tasks().
    temporary: Value | None = None
    # Whether an operation failed where errors are values, so that generated code had to
    # leave it to the walker.
    has_failed: bool = False
    # Where a textdump says that it is, until it goes on: the files of old servers
    # have odd ones, which show in tracebacks and are written again.
    error_pc: int | None = None

    @classmethod
    def with_variables(
        cls,
        vm: VM,
        program: Program,
        variables: list[Value | None],
        this: Obj,
        player: Obj,
        programmer: Obj,
        definer: Obj,
        verb: str,
        verb_names: str,
        debug: int,
        vector: int = MAIN_VECTOR,
        temporary: Value | None = None,
    ) -> Activation:
        """Return one whose variables are known: of a fork, or from a textdump."""
        act = cls()
        act.vm = vm
        act.program = program
        act.this = this
        act.player = player
        act.parse = None
        act.programmer = programmer
        act.definer = definer
        act.verb = verb
        act.verb_names = verb_names
        act.debug = debug
        act.args = ()
        act.caller = NOTHING
        act.at = None
        act.vars = variables
        act.stack = []
        act.vector = vector
        # With one attribute more, Python makes the object several times as large.
        if temporary is not None:
            act.temporary = temporary
        return act

    def make_variables(self) -> None:
        """Give a new activation its variables, so that `vars` is all that counts."""
        program = self.program
        parse = NO_PARSE if self.parse is None else self.parse
        variables = builtin_variables(
            program.version,
            self.player,
            self.this,
            self.caller,
            self.verb,
            self.args,
            parse,
        )
        unbound = len(program.names) - len(variables)
        if unbound:
            variables += [None] * unbound
        self.vars = variables
        if program.assigns_inherited:
            self.parse = None
        self.stack = []

    def inherited(self, *, is_wizard: bool) -> tuple[Obj, Parse]:
        """Return player and parse of a verb that this one calls.

        They come from the *variables* of the caller; the player only from a
        wizard's.  Source: execute.c, call_verb2.
        """
        if self.parse is not None:
            return self.player, self.parse
        player = self.player
        if is_wizard:
            variable = self.vars[SLOT_PLAYER]
            if type(variable) is Obj:
                player = variable
        return player, tuple(self.vars[INHERITED])

    @property
    def line(self) -> int:
        """The line of the canonical listing that is under way."""
        program, at = self.program, self.at
        if self.error_pc is not None:
            program.was_line_asked = True
            return program.classic.line_at(self.vector, self.error_pc)
        if at is None:
            return program.first_line_of(self.vector)
        program.was_line_asked = True
        node = program.nodes[at] if isinstance(at, int) else at
        if type(node) is Assign:
            return program.classic.line_behind
        return program.line_of(node)


def builtin_variables(
    version: int,
    player: Obj,
    this: Obj,
    caller: Obj,
    verb: str,
    args: tuple[Value, ...],
    parse: Parse,
) -> list[Value | None]:
    """Return the first slots of a new activation, as its program's version has them.

    Source: eval_env.c, fill_in_rt_consts.
    """
    # NUM OBJ STR LIST ERR, then the call, then INT FLOAT since version 3.
    variables: list[Value | None] = [
        0, 1, 2, 4, 3, player, this, caller, verb, args, *parse
    ]  # fmt: skip
    if version >= VERSION_FLOAT:
        variables += (0, 9)
    return variables


def find_handler(activations: list[Activation], code: Value) -> int | None:
    """Return the index of the innermost activation that handles ``code``.

    Raises: TaskAborted, as `catches`.
    Source: execute.c, find_handler_activ.
    """
    for index in range(len(activations) - 1, -1, -1):
        stack = activations[index].stack
        top = len(stack) - 1
        while top >= 0:
            mark = stack[top]
            if type(mark) is CatchMarker:
                first = top - 2 * mark.arms
                for codes in stack[first:top:2]:
                    if catches(codes, code, activations[index].vm):
                        return index
                top = first
            top -= 1
    return None


def catches(codes: Value, code: Value, meter: Meter) -> bool:
    """Whether an arm with the code list ``codes`` (0 for ANY) catches ``code``.

    Raises: TaskAborted if the time is over: raise() takes any value for a code.
    """
    if type(codes) is not tuple:
        return True
    if type(code) is ErrorCode:  # one instance per code, equal to nothing else
        return code in codes
    return is_member(code, codes, meter=meter) != 0


def _call_row(act: Activation) -> tuple[Value, ...]:
    return act.this, act.verb, act.programmer, act.definer, act.player


def stack_row(act: Activation) -> tuple[Value, ...]:
    """Return a verb call as `stack_list` shows it, with its line."""
    return (*_call_row(act), act.line)


def stack_list(
    activations: list[Activation],
    *,
    start: int = 0,
    innermost: bool = True,
    lines: bool = True,
) -> tuple[Value, ...]:
    """Return the activations as MOO shows them, innermost first.

    Each is ``{this, verb, programmer, definer, player [, line]}``.  A built-in
    function that called a verb has an entry of its own behind that verb's:
    ``{#-1, name, #-1, #-1, player [, step]}``.  ``innermost`` says whether the
    running verb itself is listed.

    Source: execute.c, make_stack_list.
    """
    rows: list[Value] = []
    last = len(activations) - 1
    for index in range(last, start - 1, -1):
        act = activations[index]
        if innermost or index != last:
            # Without lines nobody asks for one: that would leave a trace.
            rows.append(stack_row(act) if lines else _call_row(act))
        if index != start and act.builtin is not None:
            row = (NOTHING, act.builtin.name, NOTHING, NOTHING, act.player)
            rows.append((*row, act.builtin.step) if lines else row)
    return tuple(rows)


def traceback_lines(activations: list[Activation], message: str) -> list[str]:
    """Return the lines that are printed for an error nobody caught.

    Source: execute.c, print_error_backtrace.
    """
    lines = []
    last = len(activations) - 1
    for index in range(last, -1, -1):
        act = activations[index]
        line = f"{act.definer}:{act.verb_names}"
        if act.definer != act.this:
            line += f" (this == {act.this})"
        line += f", line {act.line}"
        if index == last:
            line += f":  {message}"
        else:
            line = f"... called from {line}"
        lines.append(line)
        if index > 0 and act.builtin is not None:
            lines.append(f"... called from built-in function {act.builtin.name}()")
    lines.append("(End of traceback)")
    return lines
