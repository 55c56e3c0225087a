"""Tasks for the tests, in a module that other processes can import as well."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from pymoo.jobs import Task, current_job, group, task
from pymoo.values import E_PERM, Obj

seen: list[Any] = []
"""What tasks of this process have been called with."""


@task
def hello(name: str) -> str:
    """Greet somebody."""
    seen.append(("hello", name))
    return f"hello {name}!"


@task
def note(what: Any) -> Any:
    seen.append(what)
    return what


@task(
    description="counts {name} down from {0}",
    percent=lambda n, name="", of=10: (of - n) * 10,
)
def count_down(n: int, name: str = "", of: int = 10) -> Task | str:
    seen.append((name, n))
    if n:
        return count_down(n - 1, name=name, of=of)
    return f"{name} is done"


@task
def wait(times: int) -> Task | str:
    return wait(times - 1) if times else "finished"


@task(repeatable=True)
def sprint(times: int) -> Task | str:
    return sprint(times - 1) if times else "finished"


@task
def twice(number: int) -> int:
    return 2 * number


@task
def plus(number: int, other: int, *, sign: int = 1) -> int:
    return number + sign * other


@task
def spread(numbers: tuple[int, ...]) -> Task:
    return group(twice(each) for each in numbers)


@task
def total(numbers: tuple[int, ...]) -> int:
    return sum(numbers)


@task
def run_inside(inner: Task) -> Task:
    return inner


@task
def fail(text: str) -> None:
    raise RuntimeError(text)


@task
def deny() -> None:
    from pymoo.errors import MooError

    raise MooError(E_PERM)


@task
def leave(status: int) -> None:
    sys.exit(status)


@task
def interrupt() -> None:
    raise KeyboardInterrupt


@task
def give_object() -> object:
    return object()


@task
def queue_another(name: str) -> int:
    return hello.delay(name).id


@task
def own_number() -> tuple[int, Obj | None]:
    job = current_job()
    assert job is not None
    return job.id, job.owner


@task
def process() -> int:
    return os.getpid()


@task(description="described with {n}", metadata=lambda n: {"twice": 2 * n})
def described(n: int) -> int:
    return n


@task
def several(steps: int, folder: str) -> Task | str:
    """Note each step in a file, and take a moment for it."""
    with open(f"{folder}/steps", "a", encoding="ascii") as file:
        file.write(f"{steps}\n")
    time.sleep(0.1)
    return several(steps - 1, folder) if steps > 1 else "all done"
