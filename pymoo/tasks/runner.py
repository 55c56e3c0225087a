"""Starts and resumes tasks, and does what must follow when one fails.

A task's limits are read from ``$server_options`` each time it starts or resumes;
its depth limit, once, when it begins.  When it ends in an error that nobody caught,
or runs out of ticks or seconds, ``#0:handle_uncaught_error`` or
``#0:handle_task_timeout`` is asked first; only if that does not take care of it is
the traceback printed.

Source: execute.c, run_interpreter; tasks.c, run_server_task.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import frozen

from pymoo.db.objects import VERB_DEBUG, Verbdef
from pymoo.errors import MooError
from pymoo.interp.activation import NO_PARSE, Parse
from pymoo.interp.engine import Engine
from pymoo.interp.host import Invocation
from pymoo.interp.policy import KEEP, Policy
from pymoo.interp.vm import VM, Aborted, Blocked, Done, Result, RolledBack
from pymoo.lang.program import Program
from pymoo.tasks.commands import Command
from pymoo.tasks.task import ForkedTask
from pymoo.values import (
    E_INVIND,
    E_VERBNF,
    NOTHING,
    SYSTEM_OBJECT,
    Obj,
    Value,
)


@frozen
class Crashed(Result):
    """A bug in pymoo has ended the task; whoever ran it gets the exception."""


_NOTHING_DONE: Final = Done(0)
_CRASHED: Final = Crashed()

Watcher = Callable[[VM, Result, int], None]


class Runner:
    """Runs the tasks of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self.watchers: Final[list[Watcher]] = []
        """Told of the end of each slice, with the ticks that it has used."""
        self.ended: Callable[[Invocation, Result], bool] | None = None
        """Told of the end of each task that something follows (`VM.sequel`).

        Returns whether it took care of a failure, which is not reported then.
        """
        self.subject = 0
        """The id of the task that runs, or that is being reported on; 0: none."""
        self.first_policy: Policy | None = None
        """What tasks that are begun now have chosen; None: nothing."""
        self.is_taken: Callable[[int], bool] = lambda number: False
        """Whether a task of that number is there already."""
        self.running: Final[list[VM]] = []
        """The tasks in the midst of a slice; the last one runs."""

    def new_task_id(self) -> int:
        """Return a number for a task: 31 bits, random as in the C server, never 0.

        Unlike there it is that of no other task.
        """
        # As randint(), which takes three times as long.
        bits = self._engine.random.getrandbits
        while (number := bits(31) + 1) == 2**31 or self.is_taken(number):
            pass
        return number

    # --- kinds of task ----------------------------------------------------

    def server_task(
        self,
        player: Obj,
        this: Obj,
        verb: str,
        arguments: tuple[Value, ...] | Callable[[], tuple[Value, ...]],
        argstr: str = "",
        task_id: int | None = None,
    ) -> Result:
        """Call a verb as the server does: ``user_connected``, ``do_command``, ...

        Does nothing, and returns ``Done(0)``, if it does not exist or is not
        executable.  ``arguments`` that take time to make may be what makes them.
        """
        found = self._engine.world.find_callable_verb(this, verb)
        if found is None:
            return _NOTHING_DONE
        definer, verbdef = found
        return self._verb_task(
            self.new_task_id() if task_id is None else task_id,
            definer,
            verbdef,
            this=this,
            player=player,
            caller=NOTHING,
            verb=verb,
            arguments=arguments() if callable(arguments) else arguments,
            parse=(argstr, *NO_PARSE[1:]),
        )

    def verb_task(
        self,
        player: Obj,
        this: Obj,
        verb: str,
        arguments: tuple[Value, ...],
        *,
        task_id: int,
    ) -> Result:
        """Call a verb for another program, as the server calls its own.

        So it has the limits of a foreground task, the permissions of its owner, and
        no caller (#-1).

        Raises: MooError with E_INVIND or E_VERBNF if there is no such verb, as a call
            in MOO code does.
        """
        world = self._engine.world
        found = world.find_callable_verb(this, verb)
        if found is None:
            raise MooError(E_VERBNF if world.valid(this) else E_INVIND)
        definer, verbdef = found
        if self._engine.program_of(verbdef, definer) is None:
            raise MooError(E_VERBNF)  # it does not parse
        return self._verb_task(
            task_id,
            definer,
            verbdef,
            this=this,
            player=player,
            caller=NOTHING,
            verb=verb,
            arguments=arguments,
            parse=NO_PARSE,
            kind="verb",
        )

    def command_task(
        self,
        command: Command,
        player: Obj,
        this: Obj,
        definer: Obj,
        verbdef: Verbdef,
        task_id: int,
    ) -> Result:
        """Run the verb of a typed command."""
        return self._verb_task(
            task_id,
            definer,
            verbdef,
            this=this,
            player=player,
            caller=player,
            verb=command.verb,
            arguments=command.args,
            parse=command.parse,
            kind="command",
        )

    def program_task(
        self,
        program: Program,
        *,
        player: Obj,
        programmer: Obj,
        verb: str,
        verb_names: str,
        debug: int,
        task_id: int | None = None,
    ) -> Result:
        """Run a program that no object holds (emergency mode, ``pymoo eval``)."""
        vm = self._new_vm(self.new_task_id() if task_id is None else task_id, "eval")
        vm.push_first(
            program,
            this=NOTHING,
            player=player,
            programmer=programmer,
            definer=NOTHING,
            caller=NOTHING,
            verb=verb,
            verb_names=verb_names,
            debug=debug,
            arguments=(),
        )
        return self._run(vm, foreground=True)

    def start_forked(self, task: ForkedTask) -> Result:
        """Begin the body of a ``fork``."""
        vm, top = task.vm, task.top
        vm.max_depth = self._engine.options.max_stack_depth()
        if top.temporary is not None:  # or it would take a dict to hold the attribute
            top.temporary = None
        return self._run(vm, foreground=False)

    def resume(self, vm: VM, value: Value | MooError) -> Result:
        """Go on with a task; the call it sleeps in returns or raises ``value``."""
        return self._run(vm, foreground=False, value=value)

    # --- running ----------------------------------------------------------

    def _new_vm(self, task_id: int, kind: str) -> VM:
        engine = self._engine
        vm = VM(engine, task_id, engine.options.max_stack_depth(), kind)
        vm.policy = self.first_policy
        return vm

    def _verb_task(
        self,
        task_id: int,
        definer: Obj,
        verbdef: Verbdef,
        *,
        this: Obj,
        player: Obj,
        caller: Obj,
        verb: str,
        arguments: tuple[Value, ...],
        parse: Parse,
        kind: str = "server",
        report: bool = True,
    ) -> Result:
        program = self._engine.program_of(verbdef, definer)
        if program is None:  # it does not parse; the log has said so
            return _NOTHING_DONE
        vm = self._new_vm(task_id, kind)
        vm.push_first(
            program,
            this=this,
            player=player,
            programmer=verbdef.owner,
            definer=definer,
            caller=caller,
            verb=verb,
            verb_names=verbdef.names,
            debug=verbdef.perms & VERB_DEBUG,
            arguments=arguments,
            parse=parse,
        )
        return self._run(vm, foreground=True, report=report)

    def _run(
        self,
        vm: VM,
        *,
        foreground: bool,
        value: Value | MooError | None = None,
        report: bool = True,
    ) -> Result:
        player = vm.activations[0].player
        ticks, seconds = self._engine.budget(foreground=foreground)
        previous, self.subject = self.subject, vm.task_id
        self.running.append(vm)
        result: Result = _CRASHED  # if a fault of pymoo's ends it
        try:
            try:
                result = self._slice(vm, ticks, seconds, value)
            finally:
                self.running.pop()
                for watcher in self.watchers:
                    watcher(vm, result, ticks - vm.ticks_left)
            if vm.sequel is not None and self.ended is not None:
                if not isinstance(result, Blocked) and self.ended(vm.sequel, result):
                    return result
            if isinstance(result, Aborted) and result.handler is not None:
                if not (report and self._was_handled(vm.task_id, player, result)):
                    self._print_traceback(player, result)
            return result
        finally:
            self.subject = previous

    def _slice(
        self, vm: VM, ticks: int, seconds: float, value: Value | MooError | None
    ) -> Result:
        """Run one slice, and let what it has done stay, or undo it.

        Whatever goes wrong in pymoo itself undoes it too.
        """
        world = self._engine.world
        policy = self._engine.policy if vm.policy is None else vm.policy
        world.journal.begin(policy.is_atomic)
        try:
            result = vm.run(ticks, seconds, value)
        except BaseException:
            world.rollback()
            raise
        if isinstance(result, RolledBack):
            world.rollback(keep_output=result.keep_output)
        elif isinstance(result, Aborted) and self._undoes(vm, result):
            world.rollback()
        else:
            world.journal.commit()
        return result

    def _undoes(self, vm: VM, failure: Aborted) -> bool:
        """Whether what a task that has failed did in its last slice is undone."""
        policy = self._engine.policy_of(vm)
        if failure.handler is None:  # killed
            return False
        choice = policy.abort if failure.is_timeout else policy.error
        return choice != KEEP

    def _was_handled(self, task_id: int, player: Obj, failure: Aborted) -> bool:
        """Ask the verb of #0 that handles such failures; an error in it is printed."""
        assert failure.handler is not None
        found = self._engine.world.find_callable_verb(SYSTEM_OBJECT, failure.handler)
        if found is None:
            return False
        definer, verbdef = found
        result = self._verb_task(
            task_id,
            definer,
            verbdef,
            this=SYSTEM_OBJECT,
            player=player,
            caller=NOTHING,
            verb=failure.handler,
            arguments=failure.arguments,
            parse=NO_PARSE,
            report=False,
        )
        return isinstance(result, Blocked) or (
            isinstance(result, Done) and bool(result.value)
        )

    def _print_traceback(self, player: Obj, failure: Aborted) -> None:
        send_line = self._engine.host.connections.send_line
        lines = failure.arguments[-1]
        assert type(lines) is tuple
        for line in lines:
            send_line(player, str(line))
