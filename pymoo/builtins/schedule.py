"""Built-in functions on tasks that start at a time: invoke() and what belongs to it.

What an option of invoke() may be is checked here, whether it can be done in
`tasks.schedule`.  LambdaMOO has none of these functions.
"""

from __future__ import annotations

from typing import Any, Final

from pymoo.builtins.registry import INT, LIST, OBJ, STR, builtin
from pymoo.errors import MooError
from pymoo.interp.host import Invocation
from pymoo.interp.vm import Call
from pymoo.values import E_INVARG, E_PERM, E_TYPE, Obj, Value, fold

MIN_PERIOD_S: Final = 1
MAX_DELAY_S: Final = 100 * 366 * 24 * 60 * 60

# By name: of which types a value can be, and what that is called.
_OPTION_TYPES: Final[dict[str, tuple[tuple[type, ...], str]]] = {
    "delay": ((int, float), "a number of seconds"),
    "periodic": ((int,), "1 or 0"),
    "cron": ((str,), "a string"),
    "timezone": ((str,), "a string"),
    "callback": ((tuple,), "{object, verb}"),
    "errback": ((tuple,), "{object, verb}"),
    "player": ((Obj,), "an object"),
}


@builtin("invoke", [OBJ, STR, LIST, LIST], least=2, source="pymoo")
def bf_invoke(
    call: Call,
    object_: Obj,
    verb: str,
    arguments: tuple[Value, ...] = (),
    options: tuple[Value, ...] = (),
) -> Value:
    """Have ``object:verb(@arguments)`` called as a task of its own; return its handle.

    The task has a new budget, that of a background task.  In the verb ``caller`` is
    this verb's ``this``, and caller_perms() the programmer that calls invoke().

    ``options`` are pairs {name, value}:

    * ``delay``: after how many seconds, INT or FLOAT; 0 if it is not given;
    * ``periodic``: if true, again and again with ``delay``, at least 1, between;
    * ``cron``: whenever a schedule as in crontab(5) says, such as "0 9 * * mon-fri";
    * ``timezone``: in which ``cron`` is meant; $server_options.timezone, or else UTC;
    * ``callback``: {object, verb} to be called with the result;
    * ``errback``: {object, verb} to be called with code, message, value and traceback
      of an error, instead of its being reported;
    * ``player``: of the task; otherwise this one's.

    Permission: for ``periodic`` and ``cron`` a wizard, and for a ``player`` that is
        neither the programmer nor this task's; otherwise E_PERM.
    Raises: E_TYPE for an option of the wrong type; E_INVARG for one that there is not
        or that is given twice, a bad value, options that exclude each other; E_INVIND
        or E_VERBNF if one of the verbs could not be called now; E_QUOTA if the
        programmer has too many queued tasks.
    """
    given = _options(options)
    delay = given.get("delay", 0)
    if not 0 <= delay <= MAX_DELAY_S:
        text = f"The delay must be 0 to {MAX_DELAY_S} seconds"
        raise MooError(E_INVARG, text, delay)
    is_periodic = bool(given.get("periodic"))
    if is_periodic and delay < MIN_PERIOD_S:
        raise MooError(
            E_INVARG, f"A period takes a delay of {MIN_PERIOD_S} second or more"
        )
    has_cron = "cron" in given
    if has_cron and ("delay" in given or is_periodic):
        raise MooError(E_INVARG, "Either cron or delay")
    if "timezone" in given and not has_cron:
        raise MooError(E_INVARG, "A time zone is of use to cron alone")
    if (is_periodic or has_cron) and not call.is_wizard:
        raise MooError(E_PERM)
    request = Invocation(
        object_,
        verb,
        arguments,
        call.programmer,
        call.caller.this,
        _player(call, given.get("player")),
        delay,
        is_periodic,
        given.get("cron", ""),
        given.get("timezone", ""),
        _target(given, "callback"),
        _target(given, "errback"),
    )
    return call.engine.host.tasks.schedule.invoke(request)


def _options(pairs: tuple[Value, ...]) -> dict[str, Any]:
    """Return the options by name.  Raises: E_TYPE, E_INVARG."""
    given: dict[str, Any] = {}
    for pair in pairs:
        if type(pair) is not tuple:
            raise MooError(E_TYPE, "Each option must be {name, value}", pair)
        if len(pair) != 2:
            raise MooError(E_INVARG, "Each option must be {name, value}", pair)
        name, value = pair
        if type(name) is not str:
            raise MooError(E_TYPE, "The name of an option must be a string", name)
        option = fold(name)
        if option not in _OPTION_TYPES:
            text = (
                f"There is no such option; the options are {', '.join(_OPTION_TYPES)}"
            )
            raise MooError(E_INVARG, text, name)
        if option in given:
            raise MooError(E_INVARG, f"The option {option} is given twice", name)
        types, expected = _OPTION_TYPES[option]
        if type(value) not in types:
            raise MooError(E_TYPE, f"The option {option} must be {expected}", value)
        given[option] = value
    # An empty text is no schedule and no time zone, rather than none at all.
    for name in ("cron", "timezone"):
        if given.get(name) == "":
            raise MooError(E_INVARG, f"The option {name} is empty", name)
    return given


def _player(call: Call, player: Obj | None) -> Obj:
    """Return whose task it shall be.  Raises: E_PERM."""
    # As a verb called now would get it: a wizard may have set the variable.
    caller = call.caller
    own = caller.player if caller.parse is not None else call.vm.inherited(caller)[0]
    if player is None or player == own:
        return own
    if call.is_wizard:
        return player
    if player != call.programmer:
        raise MooError(E_PERM)
    return player


def _target(given: dict[str, Any], option: str) -> tuple[Obj, str] | None:
    """Return whom a callback names.  Raises: E_INVARG, E_TYPE."""
    value: Value | None = given.get(option)
    if value is None:
        return None
    assert type(value) is tuple
    text = f"The option {option} must be {_OPTION_TYPES[option][1]}"
    if len(value) != 2:
        raise MooError(E_INVARG, text, value)
    object_, verb = value
    if type(object_) is not Obj or type(verb) is not str:
        raise MooError(E_TYPE, text, value)
    return object_, verb


@builtin("scheduled_tasks", source="pymoo")
def bf_scheduled_tasks(call: Call) -> Value:
    """Return what invoke() has scheduled: your own, or everybody's for a wizard.

    Rows: {handle, programmer, object, verb, arguments, next time, repeated, enabled,
    last time, count, last task id, time zone, player, callback, errback}; the next
    first.  ``repeated`` is 0, a number of seconds, or the text of ``cron``.  The next
    time is 0 for one that is not enabled; last time and task id are 0 for one that has
    never run.  Without a callback or errback there is {}.
    """
    return tuple(call.engine.host.tasks.schedule.rows(call.programmer))


@builtin("cancel_task", [INT], source="pymoo")
def bf_cancel_task(call: Call, handle: int) -> Value:
    """Do not run what invoke() has scheduled; return whether it was there.

    It does nothing, and returns 0, for what has been cancelled before, or has run and
    is not repeated.  A task that has begun goes on.

    Permission: its programmer, or a wizard; otherwise E_PERM.
    """
    return int(call.engine.host.tasks.schedule.cancel(handle, call.programmer))
