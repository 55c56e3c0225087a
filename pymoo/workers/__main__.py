"""``python -m pymoo.workers FD``: what `process.WorkerProcess` starts; not for people.

FD is the number of a socket; the first message there is the plan: which workers, and
what they may use.
"""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module
from multiprocessing.connection import Connection

from pymoo.workers.coding import decoded


def main() -> int:
    """Be a worker until the server has no more use for it; return the status."""
    # Never closed: the server takes that for the end, and the status must be certain.
    connection = Connection(int(sys.argv[1]))
    try:
        plan = decoded(connection.recv_bytes())
        kind = "child" if plan["celery"] is None else "celery_bridge"
        import_module(f"pymoo.workers.{kind}").run(connection, plan)
    except SystemExit as leaving:  # a worker has called sys.exit()
        if leaving.code is None or isinstance(leaving.code, int):
            return leaving.code or 0
        print(leaving.code, file=sys.stderr)
        return 1
    except BaseException:  # noqa: BLE001  (as Python does it at the end)
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status & 0xFF)
