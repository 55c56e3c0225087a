"""Built-in functions on the server itself, and on built-in functions."""

from __future__ import annotations

from pymoo.builtins.registry import ANY, STR, builtin
from pymoo.errors import MooError
from pymoo.interp.vm import Call
from pymoo.values import E_INVARG, E_PERM, SCANNED_PER_STEP, Value, folded

OPTIONS_STEPS = 1_024
"""What it counts to go through all options, or to write a table to the log."""
LOGGED_STEPS = 64
"""What it counts to write a line to the log."""


def _check_wizard(call: Call) -> None:
    if not call.is_wizard:
        raise MooError(E_PERM)


@builtin("function_info", [STR], least=0, source="functions.c, bf_function_info")
def bf_function_info(call: Call, name: str | None = None) -> Value:
    """Return {name, least arguments, most arguments or -1, types} of a function.

    Without argument, of all functions.  Types are as typeof() gives them, -1 for
    any and -2 for a number.

    Raises: E_INVARG if there is no such function.
    """
    table = call.engine.builtins
    if name is None:
        call.vm.spend(2 * len(table))
        return tuple(table[each].description for each in table)
    proper = table.proper_names.get(folded(name, call.vm))
    if proper is None:
        raise MooError(E_INVARG)
    return table[proper].description


@builtin("load_server_options", source="functions.c, bf_load_server_options")
def bf_load_server_options(call: Call) -> Value:
    """Let changes of ``$server_options`` come into force that are not seen at once.

    Permission: wizards; otherwise E_PERM.
    """
    _check_wizard(call)
    call.vm.spend(OPTIONS_STEPS)
    call.engine.load_server_options()
    return 0


@builtin("server_version", [ANY], least=0, source="version.c, server_version_full")
def bf_server_version(call: Call, topic: Value | None = None) -> Value:
    """Return the version of the server; or with an argument, what it says of a topic.

    Raises: E_INVARG for an unknown topic.
    """
    server = call.engine.host.server
    return server.version() if topic is None else server.version_details(topic)


@builtin("server_log", [STR, ANY], least=1, source="log.c, bf_server_log")
def bf_server_log(call: Call, text: str, is_error: Value = 0) -> Value:
    """Write a line to the server's log.

    Permission: wizards; otherwise E_PERM.
    """
    _check_wizard(call)
    call.vm.spend(LOGGED_STEPS + len(text) // SCANNED_PER_STEP)
    call.engine.host.server.log(f"> {text}", is_error=bool(is_error))
    return 0


@builtin("shutdown", [STR], least=0, source="server.c, bf_shutdown")
def bf_shutdown(call: Call, text: str | None = None) -> Value:
    """Stop the server when this task has ended or suspended.

    Permission: wizards; otherwise E_PERM.
    """
    _check_wizard(call)
    reason = f"shutdown() called by {call.engine.name_of(call.programmer)}"
    if text is not None:
        call.vm.scanned(len(text))
        reason += f": {text}"
    call.engine.host.server.request_shutdown(reason)
    return 0


@builtin("dump_database", source="server.c, bf_dump_database")
def bf_dump_database(call: Call) -> Value:
    """Have the database dumped after this task.

    Permission: wizards; otherwise E_PERM.
    """
    _check_wizard(call)
    call.engine.host.server.request_checkpoint()
    return 0


@builtin("db_disk_size", source="server.c, bf_db_disk_size")
def bf_db_disk_size(call: Call) -> Value:
    """Return the size of the database file in bytes.

    Raises: E_QUOTA if there is none.
    """
    return call.engine.host.server.disk_size()


@builtin("memory_usage", source="server.c, bf_memory_usage")
def bf_memory_usage(call: Call) -> Value:
    """Return what is known of the server's memory: {{size, used, free}, ...}."""
    return tuple(call.engine.host.server.memory_usage())


@builtin("verb_cache_stats", source="extensions.c, bf_verb_cache_stats")
def bf_verb_cache_stats(call: Call) -> Value:
    """Return {hits, negative hits, misses, generation, depths} of verb look-up.

    Permission: wizards; otherwise E_PERM.
    """
    _check_wizard(call)
    call.vm.report_lookups()
    return call.engine.verb_cache_report()


@builtin("log_cache_stats", source="extensions.c, bf_log_cache_stats")
def bf_log_cache_stats(call: Call) -> Value:
    """Write what verb_cache_stats() tells to the log.

    Permission: wizards; otherwise E_PERM.
    """
    _check_wizard(call)
    call.vm.report_lookups()
    call.vm.spend(OPTIONS_STEPS)
    call.engine.log_verb_cache()
    return 0
