"""Built-in functions on connections: output, who is there, options, listening."""

from __future__ import annotations

import re

from pymoo.builtins.registry import ANY, OBJ, STR, builtin
from pymoo.errors import MooError
from pymoo.interp.host import INVOKED
from pymoo.interp.vm import Call
from pymoo.options import OUT_OF_BAND_PREFIX
from pymoo.values import E_INVARG, E_PERM, NOTHING, SHORT, Obj, Value, folded


def _check_self_or_wizard(call: Call, player: Obj) -> None:
    if player != call.programmer and not call.is_wizard:
        raise MooError(E_PERM)


@builtin("notify", [OBJ, STR, ANY], least=2, source="server.c, bf_notify")
def bf_notify(call: Call, player: Obj, text: str, no_flush: Value = 0) -> Value:
    """Send a line to ``player``, if connected.

    With ``no_flush``, 0 is returned if it does not fit into what waits already;
    otherwise older lines are dropped for it, and 1 is returned.

    Permission: the player, or a wizard; otherwise E_PERM.
    Raises: E_INVARG for bad binary notation on a binary connection.
    """
    if player != call.programmer:
        _check_self_or_wizard(call, player)
    if len(text) > SHORT:
        call.vm.scanned(len(text))
    connections = call.engine.host.connections
    if call.engine.invoked_output_mark and not text.startswith(OUT_OF_BAND_PREFIX):
        text = _origin(call, player) + text
    return 1 if connections.notify(player, text, no_flush=bool(no_flush)) else 0


def _origin(call: Call, player: Obj) -> str:
    """Return what a line of this task to ``player`` is marked with.

    If it is one of invoke(), and theirs: $server_options.invoked_output_mark, in which
    ``%v`` is the verb that was invoked and ``%t`` the number of the task.
    """
    vm = call.vm
    first = vm.activations[0]
    is_invoked = first.verb == INVOKED and first.definer == NOTHING
    if not is_invoked or first.player != player:
        return ""
    if call.engine.host.connections.is_binary(player):
        return ""
    called = vm.activations[1]
    names = {"v": f"{called.this}:{called.verb}", "t": str(vm.task_id)}
    return re.sub("%([vt])", lambda m: names[m[1]], call.engine.invoked_output_mark)


@builtin("buffered_output_length", [OBJ], least=0, source="server.c")
def bf_buffered_output_length(call: Call, player: Obj | None = None) -> Value:
    """Return how many bytes wait to be sent to ``player``, or how many may wait.

    Permission: the player, or a wizard; otherwise E_PERM.  Raises: E_INVARG.
    """
    length = call.engine.host.connections.buffered_output_length(player)
    if player is not None:
        _check_self_or_wizard(call, player)
    return length


@builtin("connected_players", [ANY], least=0, source="server.c")
def bf_connected_players(call: Call, everybody: Value = 0) -> Value:
    """Return who is logged in; and who is connected without having logged in, if
    asked for."""
    connections = call.engine.host.connections
    players = connections.connected_players(everybody=bool(everybody))
    if len(players) > SHORT:
        call.vm.spend(len(players))
    return tuple(players)


@builtin("connected_seconds", [OBJ], source="server.c, bf_connected_seconds")
def bf_connected_seconds(call: Call, player: Obj) -> Value:
    """Return how long ago ``player`` logged in, in seconds.  Raises: E_INVARG."""
    return call.engine.host.connections.connected_seconds(player)


@builtin("idle_seconds", [OBJ], source="server.c, bf_idle_seconds")
def bf_idle_seconds(call: Call, player: Obj) -> Value:
    """Return how long ago ``player`` last typed, in seconds.  Raises: E_INVARG."""
    return call.engine.host.connections.idle_seconds(player)


@builtin("connection_name", [OBJ], source="server.c, bf_connection_name")
def bf_connection_name(call: Call, player: Obj) -> Value:
    """Return where ``player`` is connected from.

    Permission: the player, or a wizard; otherwise E_PERM.  Raises: E_INVARG.
    """
    _check_self_or_wizard(call, player)
    return call.engine.host.connections.connection_name(player)


@builtin("boot_player", [OBJ], source="server.c, bf_boot_player")
def bf_boot_player(call: Call, player: Obj) -> Value:
    """Disconnect ``player``; nothing happens if they are not connected.

    Permission: the player, or a wizard; otherwise E_PERM.
    """
    _check_self_or_wizard(call, player)
    call.engine.host.connections.boot(player)
    return 0


@builtin("set_connection_option", [OBJ, STR, ANY], source="server.c")
def bf_set_connection_option(
    call: Call, player: Obj, option: str, value: Value
) -> Value:
    """Set an option of the connection of ``player``.

    Permission: the player, or a wizard; otherwise E_PERM.
    Raises: E_INVARG if not connected, or if there is no such option or value.
    """
    _check_self_or_wizard(call, player)
    call.engine.host.connections.set_option(player, folded(option, call.vm), value)
    return 0


@builtin("connection_options", [OBJ], source="server.c, bf_connection_options")
def bf_connection_options(call: Call, player: Obj) -> Value:
    """Return all options of the connection of ``player``: {{name, value}, ...}.

    Permission: the player, or a wizard; otherwise E_PERM.  Raises: E_INVARG.
    """
    return tuple(_options(call, player))


@builtin("connection_option", [OBJ, STR], source="server.c, bf_connection_options")
def bf_connection_option(call: Call, player: Obj, option: str) -> Value:
    """Return the value of one option of the connection of ``player``.

    Permission: the player, or a wizard; otherwise E_PERM.
    Raises: E_INVARG, also if there is no such option.
    """
    wanted = folded(option, call.vm)
    for name, value in _options(call, player):
        if name == wanted:
            return value
    raise MooError(E_INVARG)


def _options(call: Call, player: Obj) -> list[tuple[str, Value]]:
    # Whether it is connected is found out before whether you may ask.
    options = call.engine.host.connections.options(player)
    _check_self_or_wizard(call, player)
    return options


@builtin("listen", [OBJ, ANY, ANY], least=2, source="server.c, bf_listen")
def bf_listen(
    call: Call, object_: Obj, port: Value, print_messages: Value = 0
) -> Value:
    """Take connections on ``port``, whose verbs are looked for on ``object_``.

    Returns the port, which is another one for 0.

    Permission: wizards; otherwise E_PERM, also if the system forbids the port.
    Raises: E_INVARG, E_TYPE, E_QUOTA.
    """
    if not call.is_wizard:
        raise MooError(E_PERM)
    if not call.engine.world.valid(object_):
        raise MooError(E_INVARG)
    connections = call.engine.host.connections
    return connections.listen(object_, port, bool(print_messages))


@builtin("unlisten", [ANY], source="server.c, bf_unlisten")
def bf_unlisten(call: Call, port: Value) -> Value:
    """Take no more connections on ``port``.

    Permission: wizards; otherwise E_PERM.  Raises: E_INVARG.
    """
    if not call.is_wizard:
        raise MooError(E_PERM)
    call.engine.host.connections.unlisten(port)
    return 0


@builtin("listeners", source="server.c, bf_listeners")
def bf_listeners(call: Call) -> Value:
    """Return where connections are taken: {{object, port, messages}, ...}."""
    return tuple(call.engine.host.connections.listeners())


@builtin("open_network_connection", more=True, source="server.c")
def bf_open_network_connection(call: Call, *arguments: Value) -> Value:
    """Connect to another computer: host, port [, listening object].

    Permission: wizards, where the server was told to allow it; otherwise E_PERM.
    """
    if not call.is_wizard:
        raise MooError(E_PERM)
    return call.engine.host.connections.open_outbound(call.vm, arguments)
