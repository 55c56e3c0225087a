"""A chain whose runner can be stopped at any point, to be killed there.

Run as ``python -m tests.jobs.dying STORE [POINT NUMBER]``: it runs the jobs of a store
until they are done, or until step NUMBER has come to POINT; there it says so and waits
for its end.  What the steps do is written to the file STORE.log.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from pathlib import Path

from pymoo.jobs import JobRunner, JobStore, Task, chain, group, task
from pymoo.jobs.store import Outcome, Step

POINTS = ("begun", "done", "unrecorded", "committing", "recorded")
"""Where a step can be, in this order; from the last one on it is not made again."""

_wanted: tuple[str, int] | None = None


def _write(store: str, text: str) -> None:
    with open(f"{store}.log", "a", encoding="ascii") as log:
        log.write(f"{text}\n")


def _come_to(point: str, number: int) -> None:
    if _wanted == (point, number):
        print("here", flush=True)
        time.sleep(600)


@task
def stage(store: str, number: int, last: int, pause_s: float = 0.0) -> Task | int:
    """Be one step; the next is ``number + 1``, until ``last``."""
    with open(f"{store}.step", "a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _write(store, "two at once")
        _write(store, f"begin {number}")
        _come_to("begun", number)
        time.sleep(pause_s)
        _write(store, f"end {number}")
        _come_to("done", number)
    if number < last:
        return stage(store, number + 1, last, pause_s)
    return number


def all_kinds_of_steps(store: str) -> Task:
    """Seven steps, 0 to 6: of a chain, tail calls and a group."""
    return chain(
        [
            stage(store, 0, 0),
            stage(store, 1, 3),
            group([stage(store, 4, 4), stage(store, 5, 5)]),
            stage(store, 6, 6),
        ]
    )


STEPS = 7


class _Watched(JobStore):
    def end_step(self, step: Step, outcome: Outcome, milliseconds: float) -> bool:
        number = step.task.arguments[1]

        def look(statement: str) -> None:
            if statement == "COMMIT":
                _come_to("committing", number)

        _come_to("unrecorded", number)
        self._db.set_trace_callback(look)
        try:
            return super().end_step(step, outcome, milliseconds)
        finally:
            self._db.set_trace_callback(None)
            _come_to("recorded", number)


def main() -> None:
    global _wanted
    store, *wanted = sys.argv[1:]
    if wanted:
        _wanted = wanted[0], int(wanted[1])
    with _Watched(store) as opened, JobRunner(opened) as runner:
        runner.run_until_idle()


def events(store: Path) -> list[str]:
    """What the steps have done so far."""
    log = Path(f"{store}.log")
    return log.read_text(encoding="ascii").splitlines() if log.exists() else []


if __name__ == "__main__":
    # The tasks are those of the module that others import.
    from tests.jobs import dying

    assert os.path.samefile(dying.__file__, __file__)
    dying.main()
