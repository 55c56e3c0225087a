"""What a process that a server has started does to end with it.

It has inherited one end of a pair of sockets.  When the other end is closed, which the
system does however the server ends, it ends itself, with all that it has started.
How the server starts it, and learns of its end, is in `workers.process`.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection


def end_with_server(
    connection: Connection, before: Callable[[], None] | None = None
) -> None:
    """Make this process one that ends with the server, and take signals again.

    ``before`` is called in a thread of its own just before that.
    """
    # The server blocks those that it waits for, and what it starts inherits that.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    number = connection.fileno()
    os.set_inheritable(number, False)
    os.dup2(2, 1)  # what is printed is for the administrator, not for the terminal
    threading.Thread(
        target=_watch, args=(number, before), name="is the server there", daemon=True
    ).start()


def _watch(number: int, before: Callable[[], None] | None) -> None:
    """End this process, and what it has started, once the server has hung up."""
    poll = select.poll()
    poll.register(number, 0)  # of hanging up one is told in any case
    poll.poll()
    try:
        if before is not None:
            before()
    finally:
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(0)
