"""Built-in functions on slices as transactions: commit, rollback, policies.

Only dialects with added functions have them.
"""

from __future__ import annotations

from pymoo.builtins.registry import ANY, builtin
from pymoo.errors import MooError
from pymoo.interp.outcomes import Outcome, Rollback, Suspend
from pymoo.interp.policy import KEEP, UnknownChoiceError
from pymoo.interp.vm import Call
from pymoo.values import E_INVARG, E_PERM, Value


@builtin("commit", [ANY], least=0, source="pymoo")
def bf_commit(call: Call, value: Value = 0) -> Outcome:
    """Make what this task has done so far stay, and let other tasks run.

    Returns ``value``, or raises it if it is an error, as suspend() does with what
    resume() gives.

    Permission: a wizard; otherwise E_PERM.
    Raises: E_QUOTA if too many tasks are queued; nothing is committed then.
    """
    if not call.is_wizard:
        raise MooError(E_PERM)
    return Suspend(0, value)


@builtin("rollback", [ANY], least=0, source="pymoo")
def bf_rollback(call: Call, keep_output: Value = 0) -> Outcome:
    """End this task at once, and undo what it has done since its last commit.

    That is since it began, or since its last suspend(), read() or commit().  What it
    has sent to players is withdrawn too, unless ``keep_output``.  No ``finally`` part
    runs, and there is no traceback.

    Permission: a wizard; otherwise E_PERM.
    """
    if not call.is_wizard:
        raise MooError(E_PERM)
    return Rollback(bool(keep_output))


@builtin("task_policy", [ANY, ANY], least=0, source="pymoo")
def bf_task_policy(
    call: Call, error: Value | None = None, abort: Value | None = None
) -> Value:
    """Return, or choose, what becomes of this task's changes should it fail.

    Each is "keep" or "rollback": ``error`` after an error that nobody catches,
    ``abort`` when the task runs out of ticks or seconds.  The choice is in force until
    the task ends.

    Returns: {error, abort} as they were before.
    Permission: a wizard, to choose "keep" where it is "rollback"; otherwise E_PERM.
    Raises: E_INVARG for any other value.
    """
    vm, engine = call.vm, call.engine
    old = engine.policy_of(vm)
    try:
        new = old.with_choices(error, abort)
    except UnknownChoiceError as refused:
        raise MooError(E_INVARG, str(refused), refused.value) from None
    loosened = (new.error == KEEP != old.error) or (new.abort == KEEP != old.abort)
    if loosened and not call.is_wizard:
        raise MooError(E_PERM)
    if new != old:
        journal = engine.world.journal
        journal.note((setattr, vm, "policy", vm.policy))
        vm.policy = new
        journal.is_atomic = new.is_atomic
    return old.error, old.abort
