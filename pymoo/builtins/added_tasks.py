"""Functions on tasks that LambdaMOO 1.8.3 does not have; dialects may.

What tasks may still use, and sleeping before it is used up; permissions for a single
call; which tasks run; messages between tasks, and waiting for the end of one.
"""

from __future__ import annotations

from typing import Final

from pymoo.builtins.registry import ANY, INT, LIST, NUM, OBJ, builtin
from pymoo.builtins.tasks import whole_seconds_left
from pymoo.errors import MooError
from pymoo.interp.outcomes import (
    FOR_END,
    FOR_MAIL,
    TAIL_CALLED,
    Outcome,
    Suspend,
    Wait,
)
from pymoo.interp.vm import Call
from pymoo.values import E_INVARG, E_PERM, E_QUOTA, E_TYPE, List, Obj, Value, tostr

_DEFAULT_TICKS: Final = 4000
_LOW_SECONDS: Final = 0.5

# What ToastStunt's yin() takes for granted.
_YIN_TICKS: Final = 2000
_YIN_SECONDS: Final = 2

# --- what is left of the budget --------------------------------------------


def _seconds_left(call: Call) -> float:
    return max(0.0, call.vm.seconds_left)


def _is_low(call: Call, ticks: float, seconds: float) -> bool:
    """Whether the task has fewer ticks than that left, or fewer seconds.

    Raises: E_INVARG for a negative number.
    """
    for name, number in (("ticks", ticks), ("seconds", seconds)):
        if number < 0:
            raise MooError(E_INVARG, f"The {name} must be 0 or more", number)
    return call.vm.ticks_left < ticks or _seconds_left(call) < seconds


@builtin(
    "suspend_if_needed",
    [NUM, NUM],
    least=0,
    source="mooR's manual, suspend_if_needed",
)
def bf_suspend_if_needed(
    call: Call, ticks: float = _DEFAULT_TICKS, seconds: float = 0
) -> Value | Outcome:
    """Suspend for 0 seconds if fewer than ``ticks`` ticks are left.

    Or fewer than ``seconds`` seconds; 0 of either never suspends.  Others may have
    run meanwhile, and the budget is that of a background task from then on.

    Returns 1 if it has suspended, or the value given to resume(); otherwise 0.

    Raises: E_INVARG if negative, E_QUOTA if too many tasks are queued.
    """
    return Suspend(0, 1) if _is_low(call, ticks, seconds) else 0


@builtin("yin", [NUM, INT, INT], least=0, source="ToastStunt, yin()")
def bf_yin(
    call: Call, delay: float = 0, ticks: int = _YIN_TICKS, seconds: int = _YIN_SECONDS
) -> Value | Outcome:
    """Suspend for ``delay`` seconds if fewer than ``ticks`` or ``seconds`` are left.

    Returns what suspend() does, and 0 if it does not suspend.

    Raises: E_INVARG if one of them is too small, or if no foreground task ever has as
        many ticks or seconds; E_QUOTA if too many tasks are queued.
    """
    most_ticks, most_seconds = call.engine.budget(foreground=True)
    if delay < 0:
        raise MooError(E_INVARG, "The delay must be 0 or more", delay)
    for name, number, most in (
        ("ticks", ticks, most_ticks),
        ("seconds", seconds, most_seconds),
    ):
        if not 0 < number < most:
            text = f"The {name} must be above 0 and below {tostr(most)}"
            raise MooError(E_INVARG, text, number)
    if call.vm.ticks_left < ticks or whole_seconds_left(call) < seconds:
        return Suspend(delay)
    return 0


@builtin("task_time")
def bf_task_time(call: Call) -> Value:
    """Return {elapsed, limit, remaining}: FLOATs, in seconds of this slice."""
    remaining = _seconds_left(call)
    limit = float(call.vm.seconds)
    return limit - remaining, limit, remaining


@builtin("task_time_low", [NUM, NUM], least=0, sees_ticks=True)
def bf_task_time_low(
    call: Call, seconds: float = _LOW_SECONDS, ticks: float = 0
) -> Value:
    """Return whether fewer than ``seconds`` seconds, or ``ticks`` ticks, are left.

    Raises: E_INVARG if negative.
    """
    return int(_is_low(call, ticks, seconds))


# --- permissions -----------------------------------------------------------

_CALL_VERB: Final = "return args[1]:(args[2])(@args[3]);\n"
_CALL_FUNCTION: Final = "return call_function(args[1], @args[2]);\n"


@builtin("with_task_perms", [OBJ, ANY, LIST], least=2, source="pymoo")
def bf_with_task_perms(
    call: Call, programmer: Obj, target: Value, arguments: List = ()
) -> Outcome:
    """Return what ``target`` gives when it is called with somebody's permissions.

    ``target`` is {object, verb}, which sees ``programmer`` as caller_perms(); or the
    name of a built-in function, which may do what ``programmer`` may.  The running verb
    keeps its own permissions, whatever comes of the call: set_task_perms() gives them
    up for good.

    Permission: as for set_task_perms(): your own, or a wizard; otherwise E_PERM.
    Raises: what the call raises; E_TYPE if ``target`` is neither, E_MAXREC.
    """
    if programmer != call.programmer and not call.is_wizard:
        raise MooError(E_PERM)
    given: List
    if type(target) is str:
        source, given = _CALL_FUNCTION, (target, arguments)
    elif (
        type(target) is tuple
        and len(target) == 2
        and type(target[0]) is Obj
        and type(target[1]) is str
    ):
        source, given = _CALL_VERB, (*target, arguments)
    else:
        text = "The target must be {object, verb} or the name of a function"
        raise MooError(E_TYPE, text, target)
    program = call.engine.compile(source)
    call.vm.push_scope(program, programmer, "with_task_perms", given)
    return TAIL_CALLED


# --- which tasks there are -------------------------------------------------


@builtin("active_tasks", source="mooR's manual, active_tasks")
def bf_active_tasks(call: Call) -> Value:
    """Return the tasks that run now: your own, or everybody's for a wizard.

    One task runs at a time, so this is yours.  Rows: {id, player, {kind, this,
    definer, verb}}, of the verb that the task began with.  The kind tells how this
    slice came about: "command", "server", "verb", "eval", "forked", "suspended",
    "reading", or what the task had waited for: "mail", "task", "worker", "job".
    """
    return tuple(call.engine.host.tasks.active_tasks(call.programmer))


@builtin("valid_task", [INT], source="mooR's manual, valid_task")
def bf_valid_task(call: Call, task_id: int) -> Value:
    """Return whether there is a task of that number: queued, or running now."""
    return int(call.engine.host.tasks.is_valid(task_id))


# --- messages, and waiting for each other ----------------------------------


@builtin("task_send", [INT, ANY], source="mooR's manual, task_send")
def bf_task_send(call: Call, task_id: int, value: Value) -> Value:
    """Send ``value`` to a task, which gets it with task_recv().

    It is there once this task has suspended or ended.

    Permission: its programmer, or a wizard; otherwise E_PERM.
    Raises: E_INVARG if there is no such task, E_QUOTA if it has
        ``$server_options.max_task_mailbox`` messages already, or if there is no room
        for the value among the messages of all tasks.
    """
    call.engine.host.tasks.send(task_id, value, call.programmer)
    return 0


@builtin("task_recv", [NUM], least=0, source="mooR's manual, task_recv")
def bf_task_recv(call: Call, seconds: float = 0) -> Outcome:
    """Suspend until there are messages for this task, and return the list of them.

    If there are some already, or after ``seconds``, it goes on as behind suspend(0);
    the list may be empty then.

    Raises: E_INVARG if negative, E_QUOTA if too many tasks are queued.
    """
    if seconds < 0:
        raise MooError(E_INVARG, "The seconds must be 0 or more", seconds)
    return Wait(FOR_MAIL, 0, seconds, ())


@builtin("wait_task", [INT, NUM], least=1, source="mooR's manual, wait_task")
def bf_wait_task(call: Call, task_id: int, timeout: float | None = None) -> Outcome:
    """Suspend until another task has ended, and return what it has returned.

    An error that nobody has caught there, or that it has returned, is raised here.
    E_INVARG is raised if it was killed or ran out of ticks or seconds, E_QUOTA after
    ``timeout`` seconds.

    Permission: its programmer, or a wizard; otherwise E_PERM.
    Raises: E_INVARG if there is no such task, if the time-out is negative, or if there
        is none and that task waits for this one in the same manner; E_QUOTA if too
        many tasks are queued.
    """
    check_timeout(timeout)
    call.engine.host.tasks.check_wait_for(
        call.vm, task_id, call.programmer, forever=timeout is None
    )
    late: Value | MooError = E_QUOTA
    if timeout is not None:
        text = f"Task {task_id} has not ended within {tostr(timeout)} seconds"
        late = MooError(E_QUOTA, text, task_id)
    return Wait(FOR_END, task_id, timeout, late)


def check_timeout(timeout: float | None) -> None:
    """Raise E_INVARG for a time-out that is negative."""
    if timeout is not None and timeout < 0:
        raise MooError(E_INVARG, "The timeout must be 0 or more seconds", timeout)
