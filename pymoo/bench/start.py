"""What it costs to start a server, and the memory that it then takes.

The CPU time goes from the start of the process to the first greeting, Python's own
start included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pymoo.bench.cases import Case, Sample, Tier, Unit
from pymoo.bench.commands import Step
from pymoo.bench.mix import lack_of_commands

if TYPE_CHECKING:
    from pymoo.bench.session import Session

OBJECTS: Final = (10_000, 100_000)
# So many that what the start has left free does not matter.
TASKS: Final = 50_000
_TASKS_PER_COMMAND: Final = 1000

Database = Callable[["Session"], Path]


def _the_database(session: Session) -> Path:
    return session.copy()


def _of_objects(count: int) -> Database:
    return lambda session: session.with_objects(count)


@contextmanager
def _start(session: Session, tier: Tier, database: Database) -> Iterator[Sample]:
    path = database(session)

    def sample() -> float:
        with session.serve(path, tier) as served, served.connect():
            return served.cpu_seconds

    sample()  # which reads the files into the system's memory
    yield sample


@contextmanager
def _started(session: Session, tier: Tier, database: Database) -> Iterator[Sample]:
    path = database(session)

    def sample() -> float:
        with session.serve(path, tier) as served, served.connect():
            return served.memory

    yield sample


@contextmanager
def _queued_tasks(session: Session, tier: Tier) -> Iterator[Sample]:
    fork = Step(
        f";;for i in [1..{_TASKS_PER_COMMAND}] fork (100000) x = i; endfork endfor "
        "return 1;",
        ("=> 1",),
    )

    def sample() -> float:
        with session.crowd(1, tier) as (served, crowd):
            before = served.memory
            crowd.play([[fork] * (TASKS // _TASKS_PER_COMMAND)])
            return (served.memory - before) / TASKS

    yield sample


Measure = Callable[["Session", Tier, Database], AbstractContextManager[Sample]]


def _of(
    measure: Measure, database: Database
) -> Callable[[Session, Tier], AbstractContextManager[Sample]]:
    return lambda session, tier: measure(session, tier, database)


def start_cases() -> list[Case]:
    """Return the cases of the start and of memory."""
    sizes = [
        (f"objects-{count}", f"a world of {count:,} objects", _of_objects(count))
        for count in OBJECTS
    ]
    worlds = [("database", "the database", _the_database), *sizes]
    longest = f"objects-{OBJECTS[-1]}"
    return [
        *(
            Case(
                "start",
                name,
                "start",
                f"from the start of the process to the greeting: {what}",
                _of(_start, database),
                is_tiered=False,
                is_long=name == longest,
            )
            for name, what, database in worlds
        ),
        *(
            Case(
                "memory",
                name,
                "server",
                f"a server that has just started: {what}",
                _of(_started, database),
                unit=Unit.BYTES,
                is_tiered=False,
                is_long=name == longest,
            )
            for name, what, database in worlds
        ),
        Case(
            "memory",
            "task",
            "task",
            f"each of {TASKS:,} forked tasks that wait",
            _queued_tasks,
            unit=Unit.BYTES,
            is_tiered=False,
            lack=lack_of_commands,
        ),
    ]
