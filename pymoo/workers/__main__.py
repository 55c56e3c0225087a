"""``python -m pymoo.workers FD``: what `process.WorkerProcess` starts; not for people.

FD is the number of a socket; the first message there is the plan: which workers, and
what they may use.
"""

from __future__ import annotations

import sys
from importlib import import_module
from multiprocessing.connection import Connection

from pymoo.workers.coding import decoded

if __name__ == "__main__":
    (number,) = sys.argv[1:]
    connection = Connection(int(number))
    plan = decoded(connection.recv_bytes())
    bridge = plan["celery"] is not None
    run = import_module(f"pymoo.workers.{'celery_bridge' if bridge else 'child'}").run
    with connection:
        run(connection, plan)
