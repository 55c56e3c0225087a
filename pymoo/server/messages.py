"""The server's own messages to players, which a database may change.

Source: server.c, send_message and its callers.
"""

from __future__ import annotations

from typing import Final

from pymoo.interp.server_options import ServerOptions
from pymoo.values import Obj

DEFAULTS: Final = {
    "create_msg": ["*** Created ***"],
    "connect_msg": ["*** Connected ***"],
    "redirect_from_msg": ["*** Redirecting connection to new port ***"],
    "redirect_to_msg": ["*** Redirecting old connection to this port ***"],
    "boot_msg": ["*** Disconnected ***"],
    "timeout_msg": ["*** Timed-out waiting for login. ***"],
    "recycle_msg": ["*** Recycled ***"],
    "server_full_msg": [
        "*** Sorry, but the server cannot accept any more connections right now.",
        "*** Please try again later.",
    ],
    # Those of pymoo's own.
    "memory_msg": ["*** Disconnected: the server is short of memory. ***"],
    "too_many_connections_msg": [
        "*** Sorry, there are too many connections from your address already. ***"
    ],
    "connect_rate_msg": [
        "*** Too many connections from your address; please try again later. ***"
    ],
    "login_rate_msg": [
        "*** Too many login attempts from your address; please try again later. ***"
    ],
}


def message(options: ServerOptions, handler: Obj, name: str) -> list[str]:
    """Return the lines of a message as the database of ``handler`` wants them.

    A string is one line; of a list the strings are lines; any other value means
    silence.
    """
    value = options.get(name, handler)
    if value is None:
        return DEFAULTS[name]
    if type(value) is str:
        return [value]
    if type(value) is tuple:
        return [line for line in value if type(line) is str]
    return []
