"""Goes on with a task that comes as bytes on standard input, in a world of its own.

Writes what the wizard is sent, and then the task as bytes if it has suspended again.
"""

from __future__ import annotations

import sys

from pymoo.tasks.handing import task_from_bytes, task_to_bytes
from tests.fakes import Bench


def main() -> None:
    bench = Bench(dialect_name="pymoo")
    task = task_from_bytes(sys.stdin.buffer.read(), bench.engine)
    bench.scheduler.enqueue(task)
    bench.settle()
    out = sys.stdout.buffer
    out.write("".join(f"{line}\n" for line in bench.lines).encode())
    out.write(b"---\n")
    for waiting in bench.scheduler.background_tasks():
        out.write(task_to_bytes(waiting))


if __name__ == "__main__":
    main()
