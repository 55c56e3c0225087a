"""What the process of a server that is measured does.

It serves the database at a free port of this machine, and writes that port to
standard output.  Then it answers each line of standard input by its CPU seconds and
its memory in bytes; when there are no more lines it ends at once, without a dump.
So it never outlives who started it.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
import time

from pymoo.lang.dialect import dialect
from pymoo.server.serving import Service, addresses_of, serve


def _memory() -> int:
    """Return the resident memory in bytes; its peak where the present is unknown."""
    try:
        with open("/proc/self/statm", encoding="ascii") as stream:
            return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _answer() -> None:
    for _ in sys.stdin:
        print(time.process_time(), _memory(), flush=True)
    os._exit(0)


def main(database: str, dialect_name: str) -> int:
    """Serve ``database``; its dumps, if it makes any, go to ``database.out``."""
    threading.Thread(target=_answer, daemon=True).start()
    return serve(
        Service(
            input_path=database,
            output_path=f"{database}.out",
            port=0,
            addresses=addresses_of("127.0.0.1"),
            dialect=dialect(dialect_name),
            check_programs=False,
        ),
        started=lambda port: print(port, flush=True),
    )
