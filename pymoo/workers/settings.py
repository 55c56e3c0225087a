"""What whoever starts a server decides about its workers."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from pymoo.errors import PymooError

DEFAULT_MAX_BYTES: Final = 1_048_576

HELLO_BYTES: Final = 1_048_576
"""How long the first message of a process may be: the names of what it can do."""

ENVELOPE_BYTES: Final = 4096
"""How much longer than `WorkerSettings.max_bytes` a message may be.

For what is sent beside the value, such as its number and kind.
"""


class WorkersError(PymooError):
    """Workers cannot be started."""


@frozen
class WorkerSettings:
    """Which workers there are, and what they may use."""

    modules: tuple[str, ...]  # importable; they define functions with @worker
    processes: int = 2
    seconds: float = 60  # of a request, by the clock on the wall
    cpu_s: float = 30  # of a request
    memory_mb: int = 512  # of a process
    max_waiting: int = 1_000  # requests that no process has yet
    max_bytes: int = DEFAULT_MAX_BYTES  # of a request, and of an answer
    # Where Celery's broker is; then its workers are asked, and have their own limits.
    celery: str | None = None
    celery_results: str | None = None  # None: the same place
