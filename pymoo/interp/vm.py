"""The activations of one task, what it may still use, and how calls are made.

A `VM` is what the C server calls by that name: everything a task is while it runs
or sleeps.  It runs until the task ends or sleeps (`VM.run`), and is otherwise
plain data.

**Python's stack.**  A verb call nests in Python, until the programs of those nested
weigh `MAX_NESTING` (`Program.weight`).  Then `Deepened` unwinds them all and the
innermost goes on at once; the others are gone on with, by `walker.resume`, as their
callees return.  So ``max_stack_depth`` costs memory and no stack.

**Ticks** are handed out in portions, so that the clock is looked at every
`PORTION` of them however they are counted: ``ticks`` is what is left of the
portion, ``reserve`` what is left beyond it.  Portions begin small and become small
again when one has taken long.  What costs more than its ticks says so beforehand, or
while it is at it (`VM.spend`).

**Errors** are decided before they unwind: `failed` looks for the handler, makes
what it will see, or the traceback if there is none, and only then raises.
Built-in functions that wait for a verb are brought to their end on the way
(`abandon`), as in the C server.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, Final

from attrs import define, frozen

from pymoo.db.objects import VERB_DEBUG
from pymoo.errors import (
    AbortReason,
    InternalError,
    MooError,
    TaskAborted,
    TaskRolledBack,
)
from pymoo.interp import walker
from pymoo.interp.activation import (
    DEBUG_EVAL,
    NO_PARSE,
    Activation,
    BuiltinCall,
    Deepened,
    Parse,
    Reason,
    Suspended,
    Unwinding,
    find_handler,
    stack_list,
    traceback_lines,
)
from pymoo.interp.memory import SliceMemory
from pymoo.interp.outcomes import (
    Called,
    Kill,
    Outcome,
    Read,
    Rollback,
    Suspend,
    TailCalled,
    Wait,
)
from pymoo.lang import nodes as n
from pymoo.lang.program import Program
from pymoo.values import (
    COPIED_PER_STEP,
    E_INVARG,
    E_INVIND,
    E_MAXREC,
    E_PERM,
    E_TYPE,
    E_VERBNF,
    NOTHING,
    SCANNED_PER_STEP,
    SHORT,
    STEPS_PER_REPORT,
    SYSTEM_OBJECT,
    ErrorCode,
    Meter,
    Obj,
    Value,
)

if TYPE_CHECKING:
    from pymoo.interp.engine import Engine
    from pymoo.interp.host import Invocation, Stopwatch
    from pymoo.interp.policy import Policy

TIMEOUT_HANDLER: Final = "handle_task_timeout"
MAX_NESTING: Final = 64
PORTION: Final = 4096
"""How many ticks may go by without a look at the clock."""
LEAST_PORTION: Final = 64
PORTION_GROWTH: Final = 4
LONG_PORTION_S: Final = 0.005
STEPS_PER_ROW: Final = 8
"""Of a list of activations, such as callers() gives."""


@frozen
class Result:
    """How a run of a task came to its end."""


@frozen
class Done(Result):
    """The outermost activation returned ``value``."""

    value: Value


@frozen
class Blocked(Result):
    """The task was put to sleep."""


@frozen
class Aborted(Result):
    """The task is over before its end.

    ``handler`` names the verb of #0 that is to be told, if any, with its
    arguments; the last of these is the list of the traceback's lines, to be
    printed if that verb does not do something about it.
    """

    handler: str | None = None
    arguments: tuple[Value, ...] = ()

    @property
    def is_timeout(self) -> bool:
        """Whether it had used up its ticks or seconds."""
        return self.handler == TIMEOUT_HANDLER


@frozen
class RolledBack(Result):
    """The task is over, and what its last slice did is to be undone.

    With ``keep_output`` but for the lines that it has sent to players.
    """

    keep_output: bool


BLOCKED: Final = Blocked()


@define
class Call:
    """What a built-in function knows of the call that it is to answer."""

    vm: VM
    engine: Engine
    programmer: Obj = NOTHING

    @property
    def caller(self) -> Activation:
        """The activation that called the function."""
        return self.vm.activations[-1]

    @property
    def is_wizard(self) -> bool:
        return self.vm.engine.world.is_wizard(self.programmer)

    def call_verb(
        self, this: Obj, name: str, arguments: tuple[Value, ...]
    ) -> ErrorCode | None:
        """Push a call of ``this:name()``; afterwards return `Called`.

        Returns why it cannot be called: E_INVIND, E_VERBNF or E_MAXREC.
        """
        vm = self.vm
        if vm.verb_tables[this][name] is None:  # as usual: nothing has to be caught
            return vm.no_verb(this)
        try:
            vm.push_verb(this, name, arguments)
        except MooError as error:
            refusal = error.code
            assert isinstance(refusal, ErrorCode)
            return refusal
        return None


class Matching:
    """The meter of patterns in a dialect where their steps count as more time.

    Patterns can take any time, for the ticks of one call.
    """

    __slots__ = ("_seconds_per_step", "_vm")

    def __init__(self, vm: VM, seconds_per_step: float) -> None:
        self._vm = vm
        self._seconds_per_step = seconds_per_step

    def spend(self, steps: int) -> None:
        """Count ``steps``.  Raises: TaskAborted if the time is over."""
        self._vm.surcharge(steps * self._seconds_per_step)
        self._vm.spend(steps)


class VM:
    """The activations of one task, innermost last, and its budget."""

    __slots__ = (
        "_hard_seconds",
        "_memory",
        "_memory_at",
        "_portion_began",
        "_rounds",
        "_seconds",
        "_stopwatch",
        "_surcharge",
        "_uncaught",
        "_wall",
        "activations",
        "binary",
        "call",
        "deepest",
        "engine",
        "is_exact",
        "kind",
        "lookups",
        "matching",
        "max_depth",
        "ops",
        "policy",
        "portion",
        "reserve",
        "sequel",
        "task_id",
        "ticks",
        "tiering",
        "verb_tables",
    )

    def __init__(
        self, engine: Engine, task_id: int, max_depth: int, kind: str = "suspended"
    ) -> None:
        """``kind`` is what active_tasks() calls the first slice."""
        self.engine = engine
        self.ops = engine.ops
        self.binary = engine.binary
        self.verb_tables = engine.world.verb_tables
        self.tiering = engine.tiering
        # Set once the ticks are nearly used up: the walker alone knows how to stop.
        self.is_exact = False
        self.task_id = task_id
        # What was asked for with invoke(), if something is to follow this task.
        self.sequel: Invocation | None = None
        self.max_depth = max_depth
        self.kind = kind
        self.activations: list[Activation] = []
        self.call = Call(self, engine)
        per_step = engine.dialect.seconds_per_match_step
        self.matching: Meter = Matching(self, per_step) if per_step else self
        """The meter of patterns."""
        self.policy: Policy | None = None
        """What becomes of changes when the task fails; None: as the database says."""
        self.ticks = 0
        self.reserve = 0
        self.lookups = 0
        self.deepest = 0
        self.portion = LEAST_PORTION
        self._portion_began = 0.0
        self._hard_seconds = inf
        self._wall: Stopwatch | None = None
        self._rounds = 0
        self._memory: SliceMemory | None = None
        self._memory_at = inf
        self._uncaught: tuple[Value, ...] | None = None

    # --- budget -----------------------------------------------------------

    @property
    def ticks_left(self) -> int:
        """What ticks_left() gives; below zero only within extended operations."""
        return self.ticks + self.reserve

    @property
    def seconds(self) -> float:
        """CPU seconds that the slice may use."""
        return self._seconds

    @property
    def seconds_used(self) -> float:
        """CPU seconds that the slice has used so far."""
        return self._stopwatch.used() + self._surcharge

    @property
    def seconds_left(self) -> float:
        """CPU seconds until the task is stopped, or those on the wall if less."""
        left = self._seconds - self._stopwatch.used() - self._surcharge
        if self._wall is None:
            return left
        return min(left, self._hard_seconds - self._wall.used())

    def next_portion(self) -> None:
        """Called when the portion of ticks is used up.

        Raises: TaskAborted if that was all, or if the time is over.
        """
        if self.ticks + self.reserve <= 0:
            raise TaskAborted(AbortReason.TICKS)
        self.end_portion()
        self.reserve += self.ticks
        self.ticks = min(self.reserve, self.portion)
        self.reserve -= self.ticks

    def end_portion(self) -> None:
        """Look at the clock, and choose the size of the next portion.

        Raises: TaskAborted if the time is over.
        """
        used = self.look_at_clock()
        if used >= self._memory_at:  # it is short: as many ticks can take much of it
            self.portion = LEAST_PORTION
        elif used - self._portion_began > LONG_PORTION_S:
            self.portion = max(self.portion // PORTION_GROWTH, LEAST_PORTION)
        elif self.portion < PORTION:
            self.portion *= PORTION_GROWTH
        self._portion_began = used

    def round(self) -> None:
        """Count a round of a loop that may use no checked tick at all."""
        self._rounds += 1
        if self._rounds >= STEPS_PER_REPORT:
            self._rounds = 0
            self.look_at_clock()

    def spend(self, steps: int) -> None:
        """Count what one operation does: the VM is the `values.Meter` of its task.

        Raises: TaskAborted if the time is over.
        """
        self._rounds += steps
        if self._rounds >= STEPS_PER_REPORT:
            self._rounds = 0
            self.look_at_clock()

    def surcharge(self, seconds: float) -> None:
        """Count ``seconds`` as used, besides those that pass."""
        self._surcharge += seconds

    def copied(self, length: int) -> None:
        """Count that a list of ``length`` is made or gone through quickly."""
        if length > SHORT:
            self.spend(length // COPIED_PER_STEP)

    def scanned(self, length: int) -> None:
        """Count that a string of ``length`` is searched or converted."""
        if length > SHORT:
            self.spend(length // SCANNED_PER_STEP)

    def look_at_clock(self) -> float:
        """Return the seconds used.

        Raises: TaskAborted if the time is over, or if the slice takes too much memory,
            as with a value that grows too large.
        """
        used: float = self._stopwatch.used() + self._surcharge
        if used >= self._seconds or (
            self._wall is not None and self._wall.used() >= self._hard_seconds
        ):
            raise TaskAborted(AbortReason.SECONDS)
        if used >= self._memory_at:
            self._look_at_memory(used)
        return used

    def look_at_memory(self) -> None:
        """Look before something of the slice is kept beyond its end.

        Raises: TaskAborted if the slice has taken too much memory.
        """
        if self._memory is not None:
            self._look_at_memory(self._memory_at)

    def _look_at_memory(self, used: float) -> None:
        budget = self.engine.memory
        if self._memory is None:
            budget.look()
            self._memory = SliceMemory(budget)
        excess = self._memory.excess()
        self._memory_at = used + budget.interval
        if excess:
            if budget.stopped is not None:
                budget.stopped(self, excess)
            raise TaskAborted(AbortReason.SECONDS)

    # --- running ----------------------------------------------------------

    def run(
        self, ticks: int, seconds: float, value: Value | MooError | None = None
    ) -> Result:
        """Run until the task ends or sleeps, with a budget of its own.

        ``value`` is what the call that put it to sleep returns, an `ErrorCode` or
        `MooError` to be raised there; None for a task that has not begun.
        """
        self._stopwatch = self.engine.stopwatch()
        self._seconds = seconds
        memory = self.engine.memory
        self._memory_at = memory.first_look()
        self._memory = SliceMemory(memory) if memory.is_short else None
        self._surcharge = 0.0
        self._wall = None
        hard_seconds = self.engine.hard_seconds
        if hard_seconds is not None:
            self._wall = self.engine.clock.wall_stopwatch()
            self._hard_seconds = hard_seconds
        self._rounds = 0
        self._uncaught = None
        self.is_exact = False
        self.portion = LEAST_PORTION
        self._portion_began = 0.0
        self.ticks = min(ticks, self.portion)
        self.reserve = ticks - self.ticks
        previous, self.ops.meter = self.ops.meter, self
        self.engine.world.meter = self
        try:
            return self._run(value)
        except Suspended:
            return BLOCKED
        except TaskAborted as abort:
            return self._abort(abort)
        finally:
            self.ops.meter = self.engine.world.meter = previous
            self.report_lookups()

    def _run(self, given: Value | MooError | None) -> Result:
        error: Unwinding | None = None
        value: Value | None = None
        resuming = given is not None
        unwound = self.engine.unwound
        nesting = MAX_NESTING if unwound is None else 0
        if type(given) is ErrorCode:
            given = MooError(given)
        if isinstance(given, MooError):
            try:
                value = self.failed(given, self.activations[-1])
            except Unwinding as unwinding:
                error = unwinding
        else:
            value = given
        while True:
            act = self.activations[-1]
            self.deepest = len(self.activations) + nesting
            try:
                if error is not None:
                    pending, error = error, None
                    value = walker.resume_with_error(act, pending)
                elif resuming:
                    assert value is not None
                    value = walker.resume(act, value)
                else:
                    value = self._start(act)
                resuming, value = self._leave(value)
            except Unwinding as unwinding:
                if self.activations[-1] is act:
                    self.abandon()
                error = unwinding
            except Deepened as deepened:
                value = deepened.value
                resuming = value is not None
                if unwound is not None:
                    unwound(self, -1 if resuming else -2)
                continue
            if not self.activations:
                if error is not None:
                    return self._uncaught_error()
                assert value is not None
                return Done(value)

    def _leave(self, value: Value) -> tuple[bool, Value]:
        """Pop the activation that returned ``value`` and tell who waits for it.

        Returns whether there is a value for the activation below (the outermost
        one's counts as such); if not, a verb was pushed that must run first.
        """
        builtin = self.activations.pop().builtin
        if builtin is None:
            return True, value
        caller = self.activations[-1]
        try:
            result = self._step(builtin, value, caller.programmer)
            return self._settle(builtin.name, result)
        except MooError as error:
            return True, self.failed(error, caller)

    def _settle(self, name: str, result: Value | Outcome) -> tuple[bool, Value]:
        """Act on what a built-in function returned; as `_leave`."""
        if not isinstance(result, Outcome):
            return True, result
        if type(result) is Called:
            self.activations[-1].builtin = BuiltinCall(name, result.step, result.data)
            return False, 0
        if type(result) is TailCalled:
            return False, 0
        if isinstance(result, Suspend | Read | Wait):
            self.engine.host.tasks.sleep(self, result)
            raise Suspended
        if type(result) is Kill:
            raise TaskAborted(AbortReason.KILLED)
        if type(result) is Rollback:
            raise TaskRolledBack(keep_output=result.keep_output)
        raise InternalError(f"{name}() returned {result}")

    def run_callee(self) -> Value:
        """Run the activation just pushed and return its value to the one below.

        Raises: Unwinding, with the activation gone; TaskAborted, Suspended and
            Deepened, with everything as it is.
        """
        activations = self.activations
        while True:
            act = activations[-1]
            # The function of a program takes less of the stack than that, but it may
            # hand over to the walker.
            weight = act.program.weight - 1
            if len(activations) + weight > self.deepest:
                raise Deepened
            self.deepest -= weight
            try:
                value = self._start(act)
            except Unwinding:
                self.abandon()
                self.deepest += weight
                raise
            self.deepest += weight
            if act.builtin is None:
                activations.pop()
                return value
            finished, value = self._leave(value)
            if finished:
                return value

    def run_pushed(self) -> Value:
        """As `run_callee`, for a call that no built-in function waits for."""
        activations = self.activations
        act = activations[-1]
        function = act.program.fast
        if function is None or not act.debug or len(activations) > self.deepest:
            return self.run_callee()
        try:
            value: Value = function(self, act, act.args)
        except Unwinding:
            self.abandon()
            raise
        activations.pop()
        return value

    def _start(self, act: Activation) -> Value:
        """Run an activation from its beginning, in the tier that suits it."""
        if act.vars is None and not self.is_exact:
            program = act.program
            function = program.fast
            if function is None:
                function = self.tiering.promoted(program)
            if function is not None and (
                act.debug or self.tiering.seldom_fails(program)
            ):
                value: Value = function(self, act, act.args)
                return value
        return walker.run_from_start(act)

    # --- built-in functions -----------------------------------------------

    def call_function(
        self, name: str, arguments: tuple[Value, ...], act: Activation
    ) -> Value:
        """Return what the built-in function gives for ``arguments``.

        Raises: MooError, among others E_ARGS and E_TYPE for wrong arguments.
        Source: functions.c, call_bi_func.
        """
        builtin = self.engine.builtins[name]
        if builtin.is_protected and act.this != SYSTEM_OBJECT:
            if self._call_substitute(name, arguments, act):
                return self.run_callee()
        builtin.check(arguments)
        if builtin.is_pure:
            value: Value = (
                builtin.function(self, *arguments)
                if builtin.is_metered
                else builtin.function(*arguments)
            )
            return value
        call = self.call
        call.programmer = act.programmer
        result: Value | Outcome = builtin.start(call, arguments)
        if not isinstance(result, Outcome):
            if self.engine.unwound is not None:
                raise Deepened(result)
            return result
        finished, value = self._settle(name, result)
        return value if finished else self.run_callee()

    def start_function(
        self, name: str, arguments: tuple[Value, ...], act: Activation
    ) -> Value | Outcome:
        """As `call_function`, but answer with what the function asks for.

        For call_function(), which passes it on.
        """
        builtin = self.engine.builtins[name]
        if builtin.is_protected and act.this != SYSTEM_OBJECT:
            if self._call_substitute(name, arguments, act):
                return TailCalled()
        builtin.check(arguments)
        if builtin.is_pure:
            value: Value = (
                builtin.function(self, *arguments)
                if builtin.is_metered
                else builtin.function(*arguments)
            )
            return value
        result: Value | Outcome = builtin.start(self.call, arguments)
        return result

    def _call_substitute(
        self, name: str, arguments: tuple[Value, ...], act: Activation
    ) -> bool:
        """Push ``#0:bf_NAME`` for a protected function, if there is one.

        Raises: E_PERM if there is none and the programmer is no wizard; E_MAXREC.
        """
        try:
            self.push_verb(SYSTEM_OBJECT, f"bf_{name}", arguments)
        except MooError as error:
            if error.code is E_MAXREC:
                raise
            if not self.engine.world.is_wizard(act.programmer):
                raise MooError(E_PERM) from None
            return False
        return True

    def _step(
        self, builtin: BuiltinCall, value: Value, programmer: Obj
    ) -> Value | Outcome:
        """Call a waiting built-in function again, with the value it waited for."""
        self.call.programmer = programmer
        function = self.engine.builtins[builtin.name]
        result: Value | Outcome = function.resume(
            self.call, builtin.step, builtin.data, value
        )
        return result

    # --- pushing calls ----------------------------------------------------

    def push_verb(
        self,
        this: Obj,
        name: str,
        arguments: tuple[Value, ...],
        *,
        lookup: Obj | None = None,
    ) -> None:
        """Push a call of ``this:name(...)`` from the running activation.

        ``lookup`` is where to look for the verb, if not on ``this`` (`pass()`).
        `call_verb` is the same for generated code.

        Raises: E_INVIND, E_VERBNF, E_MAXREC; nothing is pushed then.
        Source: execute.c, call_verb2.
        """
        # IN STEP: pushing a verb
        where = this if lookup is None else lookup
        found = self.verb_tables[where][name]
        if found is None:
            raise MooError(self.no_verb(where))
        self.lookups += 1
        definer, verbdef = found
        program = verbdef.compiled
        if type(program) is not Program:
            program = self.engine.program_of(verbdef, definer)
            if program is None:
                raise MooError(E_VERBNF)
        activations = self.activations
        if len(activations) >= self.max_depth:
            raise MooError(E_MAXREC)
        caller = activations[-1]
        act = Activation()
        act.vm = self
        act.program = program
        act.this = this
        parse = caller.parse
        if parse is None:
            act.player, act.parse = self.inherited(caller)
        else:
            act.player = caller.player
            act.parse = parse
        act.programmer = verbdef.owner
        act.definer = definer
        act.verb = name
        act.verb_names = verbdef.names
        act.debug = verbdef.perms & VERB_DEBUG
        act.args = arguments
        act.caller = caller.this
        act.at = act.vars = None
        act.stack = ()
        activations.append(act)

    def no_verb(self, where: Obj) -> ErrorCode:
        """Count a look-up that found nothing on ``where``; return what that means."""
        world = self.engine.world
        world.count_verb_lookups(1, negative=1)
        return E_INVIND if world.find(where) is None else E_VERBNF

    def inherited(self, caller: Activation) -> tuple[Obj, Parse]:
        """Return player and parse of a verb called by one that may have set them."""
        is_wizard = self.engine.world.is_wizard(caller.programmer)
        return caller.inherited(is_wizard=is_wizard)

    def push_pass(self, arguments: tuple[Value, ...]) -> None:
        """Push what pass() calls: the same verb name, above the verb's definer.

        Raises: E_INVIND, E_VERBNF, E_MAXREC.
        """
        act = self.activations[-1]
        definer = self.engine.world.find(act.definer)
        if definer is None:
            raise MooError(E_INVIND)
        self.push_verb(act.this, act.verb, arguments, lookup=definer.parent)

    def push_eval(self, program: Program) -> None:
        """Push the code that eval() runs.  Raises: E_MAXREC.

        Source: execute.c, setup_activ_for_eval.
        """
        if len(self.activations) >= self.max_depth:
            raise MooError(E_MAXREC)
        caller = self.activations[-1]
        self._push(
            program,
            NOTHING,
            caller.player,
            caller.programmer,
            NOTHING,
            caller.this,
            "",
            "Input to EVAL",
            DEBUG_EVAL,
            (),
            NO_PARSE,
        )

    def push_scope(
        self, program: Program, programmer: Obj, name: str, arguments: tuple[Value, ...]
    ) -> None:
        """Push a program for the running verb, with the permissions of ``programmer``.

        What it calls sees the same as if the verb had called it, but for those.
        Raises: E_MAXREC.
        """
        if len(self.activations) >= self.max_depth:
            raise MooError(E_MAXREC)
        caller = self.activations[-1]
        player, parse = self.inherited(caller)
        self._push(
            program,
            caller.this,
            player,
            programmer,
            NOTHING,
            caller.this,
            name,
            name,
            VERB_DEBUG,
            arguments,
            parse,
        )

    def push_first(
        self,
        program: Program,
        *,
        this: Obj,
        player: Obj,
        programmer: Obj,
        definer: Obj,
        caller: Obj,
        verb: str,
        verb_names: str,
        debug: int,
        arguments: tuple[Value, ...],
        parse: Parse = NO_PARSE,
    ) -> None:
        """Push the outermost activation of a task.

        Source: execute.c, do_server_program_task and do_input_task.
        """
        self._push(
            program,
            this,
            player,
            programmer,
            definer,
            caller,
            verb,
            verb_names,
            debug,
            arguments,
            parse,
        )

    def _push(
        self,
        program: Program,
        this: Obj,
        player: Obj,
        programmer: Obj,
        definer: Obj,
        caller: Obj,
        verb: str,
        verb_names: str,
        debug: int,
        arguments: tuple[Value, ...],
        parse: Parse,
    ) -> None:
        act = Activation()
        act.vm = self
        act.program = program
        act.this = this
        act.player = player
        act.parse = parse
        act.programmer = programmer
        act.definer = definer
        act.verb = verb
        act.verb_names = verb_names
        act.debug = debug
        act.args = arguments
        act.caller = caller
        act.at = act.vars = None
        act.stack = ()
        self.activations.append(act)

    def report_lookups(self) -> None:
        """Add the look-ups of verbs so far to what verb_cache_stats() counts."""
        self.engine.world.count_verb_lookups(self.lookups)
        self.lookups = 0

    # --- what the walker asks of the world --------------------------------

    def get_property(self, object_: Value, name: Value, programmer: Obj) -> Value:
        """Return ``object_.(name)``.

        Raises: E_TYPE, E_INVIND, E_PROPNF, E_PERM.
        """
        if type(name) is not str or type(object_) is not Obj:
            raise MooError(E_TYPE)
        return self.engine.properties.get(object_, name, programmer)

    def set_property(
        self, object_: Value, name: Value, value: Value, programmer: Obj
    ) -> None:
        """Do ``object_.(name) = value``.

        Raises: E_TYPE, E_INVIND, E_PROPNF, E_PERM.
        """
        if type(name) is not str or type(object_) is not Obj:
            raise MooError(E_TYPE)
        self.engine.properties.set(self, object_, name, value, programmer)

    def fork(self, node: n.Fork, delay: Value, act: Activation) -> None:
        """Queue the body of ``node`` as a task of its own.

        Raises: E_TYPE, E_INVARG, E_QUOTA.
        Source: execute.c, OP_FORK.
        """
        if type(delay) is not int and not (
            type(delay) is float and self.engine.dialect.fractional_delays
        ):
            raise MooError(E_TYPE)
        if delay < 0:
            raise MooError(E_INVARG)
        self.engine.host.tasks.fork(self, act, node, delay)

    # --- errors and aborts ------------------------------------------------

    def failed(self, error: MooError, act: Activation) -> Value:
        """Return the value of an operation of ``act`` that failed, or raise.

        Without the d bit the value is the error's code.

        Raises: Unwinding in a verb with the d bit, with what the handler will see.
        Source: execute.c, PUSH_ERROR and raise_error.
        """
        if not act.debug:
            return error.code
        raise self.unwinding(error) from None

    def unwinding(self, error: MooError) -> Unwinding:
        """Return what unwinds for an error of the running activation.

        Raises: TaskAborted.
        """
        activations = self.activations
        handler = find_handler(activations, error.code)
        seen = (error.code, error.message, error.value)
        if handler is not None:
            stack = stack_list(activations, start=handler)
            self.spend(len(stack) * STEPS_PER_ROW)
            return Unwinding(Reason.RAISE, (*seen, stack))
        self._uncaught = (
            *seen,
            stack_list(activations),
            tuple(traceback_lines(activations, error.message)),
        )
        return Unwinding(Reason.UNCAUGHT, 0)

    def _uncaught_error(self) -> Aborted:
        if self._uncaught is None:
            # There was none; or a `finally` part suspended while it was on its way,
            # and the C server has forgotten by now what it was (run_interpreter).
            return Aborted()
        return Aborted("handle_uncaught_error", self._uncaught)

    def _abort(self, abort: TaskAborted) -> Result:
        """End the task; built-in functions that wait are brought to their end.

        A task that is killed while the `finally` parts of an error run that nobody
        handles is reported as that error; so is one that is killed later, in the
        same run, though such a part has stopped the error.

        Source: execute.c, abort_task and run_interpreter.
        """
        # What is left to do is done.
        self._seconds = self._hard_seconds = self._memory_at = inf
        self._memory = None
        reason = abort.reason
        result: Result
        if isinstance(abort, TaskRolledBack):
            result = RolledBack(abort.keep_output)
        elif reason is AbortReason.KILLED:
            result = self._uncaught_error()
        else:
            result = Aborted(
                TIMEOUT_HANDLER,
                (
                    reason.handler_argument,
                    stack_list(self.activations),
                    tuple(traceback_lines(self.activations, reason.value)),
                ),
            )
        while self.activations:
            self.abandon()
        return result

    def abandon(self) -> None:
        """Pop an activation that an error or abort leaves.

        A built-in function that waited for it gets 0 and the permissions of the
        activation just left, its further calls answer 0 at once, and its errors
        are dropped: so a recycle() is completed even when :recycle failed.

        Source: execute.c, unwind_stack.
        """
        left = self.activations.pop()
        if left.builtin is None:
            return
        limits = self._seconds, self._hard_seconds
        self._seconds = self._hard_seconds = inf  # it is not stopped half way
        try:
            self._finish(left.builtin, left)
        finally:
            self._seconds, self._hard_seconds = limits

    def _finish(self, waiting: BuiltinCall | None, left: Activation) -> None:
        while waiting is not None:
            try:
                result = self._step(waiting, 0, left.programmer)
            except (MooError, TaskAborted):
                return
            if isinstance(result, Called | TailCalled):
                self.activations.pop()
            waiting = (
                BuiltinCall(waiting.name, result.step, result.data)
                if isinstance(result, Called)
                else None
            )


def call_verb(
    caller: Activation,
    this: Any,
    name: Any,
    arguments: tuple[Value, ...],
    where: Obj | None = None,
) -> Value:
    """Call ``this:name(...)`` from ``caller``, which runs; return its value.

    ``where`` is where to look for the verb, if not on ``this``.

    Raises: E_TYPE, and what `VM.push_verb` and `VM.run_callee` raise.
    """
    if type(this) is not Obj or type(name) is not str:
        raise MooError(E_TYPE)
    # IN STEP: pushing a verb.  `VM.push_verb` and `VM.run_pushed` for the usual case,
    # without their calls: they would be a third of what a verb call costs.
    vm = caller.vm
    found = vm.verb_tables[this if where is None else where][name]
    parse = caller.parse
    activations = vm.activations
    depth = len(activations)
    if (
        found is None
        or type(program := found[1].compiled) is not Program
        or (function := program.fast) is None
        or depth >= vm.max_depth
        or depth >= vm.deepest
    ):
        vm.push_verb(this, name, arguments, lookup=where)
        return vm.run_pushed()
    definer, verbdef = found
    vm.lookups += 1
    act = Activation()
    act.vm = vm
    act.program = program
    act.this = this
    if parse is None:
        act.player, act.parse = vm.inherited(caller)
    else:
        act.player = caller.player
        act.parse = parse
    act.programmer = verbdef.owner
    act.definer = definer
    act.verb = name
    act.verb_names = verbdef.names
    debug = act.debug = verbdef.perms & VERB_DEBUG
    act.args = arguments
    act.caller = caller.this
    act.at = act.vars = None
    act.stack = ()
    activations.append(act)
    if not debug:
        return vm.run_callee()
    try:
        value: Value = function(vm, act, arguments)
    except Unwinding:
        vm.abandon()
        raise
    activations.pop()
    return value


def call_pass(caller: Activation, arguments: tuple[Value, ...]) -> Value:
    """Do what pass() does, from ``caller``; return its value.

    Raises: as `VM.push_pass` and `VM.run_callee`.
    """
    definer = caller.vm.engine.world.find(caller.definer)
    if definer is None:
        raise MooError(E_INVIND)
    return call_verb(caller, caller.this, caller.verb, arguments, definer.parent)
