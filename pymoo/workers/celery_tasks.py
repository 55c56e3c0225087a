"""The workers as tasks of Celery, for work that is too much for one machine.

Each is the task ``pymoo.KIND``, with the arguments as `coding` has them; its result
is the answer that a process of the server's own would send.  Nothing is pickled.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from celery import Celery

from pymoo.workers.registry import perform

PREFIX: Final = "pymoo."

RESULTS_KEPT_S: Final = 3600
"""How long an answer is kept that nobody has taken, since the server was stopped."""

BROKER_PATIENCE_S: Final = 5.0
"""How long one tries to reach the broker, or where results are kept."""


def make_app(broker: str, results: str) -> Celery:
    """Return the application for a broker and a place for results, both URLs."""
    app = Celery("pymoo", broker=broker, backend=results, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        result_expires=RESULTS_KEPT_S,
        task_track_started=False,
        # One at a time, as by the server's own processes: no request waits in line
        # behind a long one while another worker has nothing to do.
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=BROKER_PATIENCE_S,
        redis_socket_connect_timeout=BROKER_PATIENCE_S,
        redis_socket_timeout=BROKER_PATIENCE_S,
    )
    return app


def register(app: Celery, kinds: Iterable[str], max_bytes: int) -> None:
    """Make the workers of these names tasks of ``app``."""
    for kind in kinds:
        app.task(_task(kind, max_bytes), name=f"{PREFIX}{kind}")


def _task(kind: str, max_bytes: int) -> Any:
    def task(arguments: Any) -> dict[str, Any]:
        answer = perform(kind, arguments, max_bytes)
        log = answer.pop("log", None)
        if log is not None:
            print(log, flush=True)  # Celery's worker writes that into its own log
        return answer

    return task
