"""Built-in functions on tasks: errors, calls, permissions, suspending, queues."""

from __future__ import annotations

from typing import Any, Final

from pymoo.builtins.registry import ANY, INT, OBJ, SECONDS, STR, builtin
from pymoo.errors import MooError
from pymoo.interp.activation import stack_list
from pymoo.interp.outcomes import (
    KILL,
    TAIL_CALLED,
    Called,
    Outcome,
    Read,
    Suspend,
)
from pymoo.interp.vm import STEPS_PER_ROW, Call
from pymoo.values import (
    E_INVARG,
    E_PERM,
    NOTHING,
    Obj,
    Value,
    folded,
    tostr,
)

# The system sets a process's timer one of its ticks later than it was asked to: so a
# task has all its seconds left when it begins, and only then one less.
_TIMER_TICK_S: Final = 0.004

# --- errors and calls -----------------------------------------------------


@builtin("raise", [ANY, STR, ANY], least=1, pure=True, source="execute.c, bf_raise")
def bf_raise(code: Value, message: str | None = None, value: Value = 0) -> Value:
    """Raise an error with any value as its code.

    The message defaults to the text of the code, as tostr() gives it.
    """
    raise MooError(code, tostr(code) if message is None else message, value)


@builtin(
    "call_function",
    [STR],
    more=True,
    steps=True,
    source="execute.c, bf_call_function",
)
def bf_call_function(call: Call, step: int, data: Any, value: Any) -> Value | Outcome:
    """Return what the built-in function of this name gives for the other arguments.

    Raises: E_INVARG with the name as its value if there is none.
    """
    table = call.engine.builtins
    if step == 1:
        call.vm.copied(len(value))
        given, *arguments = value
        name = table.proper_names.get(folded(given, call.vm))
        if name is None:
            raise MooError(E_INVARG, "Unknown built-in function", given)
        result = call.vm.start_function(name, tuple(arguments), call.caller)
    else:
        name, inner = data
        result = table[name].resume(call, step, inner, value)
    if isinstance(result, Called):
        return Called(result.step, (name, result.data))
    return result


@builtin("pass", more=True, source="execute.c, bf_pass")
def bf_pass(call: Call, *arguments: Value) -> Outcome:
    """Call the verb of this name that the running one's definer inherits.

    Raises: E_INVIND, E_VERBNF, E_MAXREC.
    """
    call.vm.copied(len(arguments))
    call.vm.push_pass(arguments)
    return TAIL_CALLED


@builtin("callers", [ANY], least=0, source="execute.c, bf_callers")
def bf_callers(call: Call, with_lines: Value = 0) -> Value:
    """Return the activations below, innermost first.

    Rows: {this, verb, programmer, definer, player}, and the line if asked for.
    """
    call.vm.spend(STEPS_PER_ROW * len(call.vm.activations))
    return stack_list(call.vm.activations, innermost=False, lines=bool(with_lines))


@builtin("caller_perms", source="execute.c, bf_caller_perms")
def bf_caller_perms(call: Call) -> Value:
    """Return the programmer of the activation below; #-1 if there is none."""
    activations = call.vm.activations
    return activations[-2].programmer if len(activations) > 1 else NOTHING


@builtin("set_task_perms", [OBJ], source="execute.c, bf_set_task_perms")
def bf_set_task_perms(call: Call, programmer: Obj) -> Value:
    """Give the running verb, and only it, the permissions of ``programmer``.

    Permission: your own, or a wizard; otherwise E_PERM.
    """
    if programmer != call.programmer and not call.is_wizard:
        raise MooError(E_PERM)
    call.caller.programmer = programmer
    return 0


# --- budget ---------------------------------------------------------------


@builtin("ticks_left", sees_ticks=True, source="execute.c, bf_ticks_left")
def bf_ticks_left(call: Call) -> Value:
    """Return how many ticks this task may still use before it is stopped."""
    return call.vm.ticks_left


@builtin("seconds_left", source="execute.c, bf_seconds_left")
def bf_seconds_left(call: Call) -> Value:
    """Return how many whole seconds this task may still run before it is stopped."""
    return whole_seconds_left(call)


def whole_seconds_left(call: Call) -> int:
    """Return what seconds_left() gives."""
    return max(0, int(call.vm.seconds_left + _TIMER_TICK_S))


# --- suspending -----------------------------------------------------------


@builtin("suspend", [SECONDS], least=0, source="execute.c, bf_suspend")
def bf_suspend(call: Call, seconds: float | None = None) -> Outcome:
    """Stop for ``seconds``, or until resume() if none are given.

    Returns 0, or the value given to resume(); an error value is raised.

    Raises: E_INVARG if negative, E_QUOTA if too many tasks are queued.
    """
    if seconds is not None and seconds < 0:
        raise MooError(E_INVARG)
    return Suspend(seconds)


@builtin("read", [OBJ, ANY], least=0, source="execute.c, bf_read")
def bf_read(
    call: Call, connection: Obj | None = None, non_blocking: Value = 0
) -> Value | Outcome:
    """Return the next line typed on ``connection``; wait for it unless told not to.

    Without arguments: from the player whose last command this task is.  With
    ``non_blocking``, 0 if no line waits.

    Permission: a wizard, or with an argument its owner; otherwise E_PERM.
    Raises: E_INVARG if it is not connected, or somebody is reading already.
    """
    world, tasks = call.engine.world, call.engine.host.tasks
    if connection is None:
        connection = call.vm.activations[0].player
        allowed = (
            call.is_wizard and tasks.last_input_task(connection) == call.vm.task_id
        )
    else:
        record = world.find(connection)
        allowed = call.is_wizard or (
            record is not None and record.owner == call.programmer
        )
    if not allowed:
        raise MooError(E_PERM)
    if not non_blocking:
        return Read(connection)
    line = tasks.read_now(connection)
    return 0 if line is None else line


# --- queues ---------------------------------------------------------------


@builtin("task_id", source="tasks.c, bf_task_id")
def bf_task_id(call: Call) -> Value:
    """Return the number of this task, which it keeps as long as it lives."""
    return call.vm.task_id


@builtin("task_stack", [INT, ANY], least=1, source="execute.c, bf_task_stack")
def bf_task_stack(call: Call, task_id: int, with_lines: Value = 0) -> Value:
    """Return the activations of a suspended or reading task, as callers() does.

    Permission: its programmer, or a wizard; otherwise E_PERM.
    Raises: E_INVARG if there is no such task.
    """
    vm = call.engine.host.tasks.find(task_id)
    if vm is None:
        raise MooError(E_INVARG)
    if not call.is_wizard and call.programmer != vm.activations[-1].programmer:
        raise MooError(E_PERM)
    call.vm.spend(STEPS_PER_ROW * len(vm.activations))
    return stack_list(vm.activations, lines=bool(with_lines))


@builtin("queued_tasks", added=[INT, INT], source="tasks.c, bf_queued_tasks")
def bf_queued_tasks(call: Call, with_variables: int = 0, *count: int) -> Value:
    """Return the tasks that wait: your own, or everybody's for a wizard.

    Rows: {id, start time, 0, 15000, programmer, definer, verb, line, this, bytes}, and
    if asked for {{name, value}, ...} of the variables that are set.  With a true second
    argument, how many tasks wait; the first has no effect then, nor with a false one.

    Source of the arguments: ToastStunt, which has a map of variables.
    """
    tasks = call.engine.host.tasks
    if any(count):
        return tasks.count_queued_tasks(call.programmer)
    return tuple(
        tasks.queued_tasks(
            call.programmer, variables=bool(with_variables) and not count
        )
    )


@builtin("kill_task", [INT], source="tasks.c, bf_kill_task")
def bf_kill_task(call: Call, task_id: int) -> Value | Outcome:
    """Remove a queued task, or end this one at once.

    Permission: its programmer, or a wizard; otherwise E_PERM.
    Raises: E_INVARG if there is no such task.
    """
    if task_id == call.vm.task_id:
        return KILL
    call.engine.host.tasks.kill(task_id, call.programmer)
    return 0


@builtin("resume", [INT, ANY], least=1, source="tasks.c, bf_resume")
def bf_resume(call: Call, task_id: int, value: Value = 0) -> Value:
    """Make a suspended task go on; its suspend() returns ``value`` or raises it.

    Permission: its programmer, or a wizard; otherwise E_PERM.
    Raises: E_INVARG if there is no such suspended task.
    """
    call.engine.host.tasks.resume(task_id, value, call.programmer)
    return 0


@builtin("queue_info", [OBJ], least=0, source="tasks.c, bf_queue_info")
def bf_queue_info(call: Call, owner: Obj | None = None) -> Value:
    """Return who has a task queue, or how many background tasks ``owner`` has."""
    tasks = call.engine.host.tasks
    if owner is None:
        owners = tasks.queue_owners()
        call.vm.spend(len(owners))
        return tuple(owners)
    return tasks.queue_length(owner)


@builtin("output_delimiters", [OBJ], source="tasks.c, bf_output_delimiters")
def bf_output_delimiters(call: Call, player: Obj) -> Value:
    """Return the prefix and suffix that ``player`` has set, {"", ""} if none.

    Permission: the player, or a wizard; otherwise E_PERM.
    Raises: E_INVARG if not connected.
    """
    if player != call.programmer and not call.is_wizard:
        raise MooError(E_PERM)
    return call.engine.host.tasks.output_delimiters(player)


@builtin("force_input", [OBJ, STR, ANY], least=2, source="tasks.c, bf_force_input")
def bf_force_input(call: Call, player: Obj, line: str, at_front: Value = 0) -> Value:
    """Queue ``line`` as if ``player`` had typed it.

    Permission: the player, or a wizard; otherwise E_PERM.
    """
    if player != call.programmer and not call.is_wizard:
        raise MooError(E_PERM)
    call.vm.scanned(len(line))
    call.engine.host.tasks.force_input(player, line, bool(at_front))
    return 0


@builtin("flush_input", [OBJ, ANY], least=1, source="tasks.c, bf_flush_input")
def bf_flush_input(call: Call, player: Obj, show_messages: Value = 0) -> Value:
    """Throw away the lines of ``player`` that wait, and say so if asked.

    Permission: the player, or a wizard; otherwise E_PERM.
    """
    if player != call.programmer and not call.is_wizard:
        raise MooError(E_PERM)
    call.engine.host.tasks.flush_input(player, bool(show_messages))
    return 0
