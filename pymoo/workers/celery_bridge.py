"""The process that hands the server's requests on to Celery, and brings the answers.

The server sees a worker process like others, but for the many requests that it has at
a time; so Celery's library, its connections and its waiting are none of the server's.
Results are asked for again and again: every place that Celery can keep them in knows
how to answer that.
"""

from __future__ import annotations

import time
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final

from pymoo.errors import PymooError
from pymoo.processes import end_with_server
from pymoo.values import E_INVARG
from pymoo.workers.child import framed
from pymoo.workers.coding import decoded, encoded
from pymoo.workers.registry import failure, load
from pymoo.workers.settings import HELLO_BYTES

if TYPE_CHECKING:
    from celery import Celery
    from celery.result import AsyncResult

_LOOK_S: Final = 0.05
"""How often one asks for results, if that is quick."""

_RETRIES: Final = {
    "max_retries": 3,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 1,
}
"""How often one tries to reach the broker for a request."""

NOT_INSTALLED: Final = (
    "Celery is not installed; this brings it: pip install 'lambdamoo-python[celery]'"
)


def run(connection: Connection, plan: dict[str, Any]) -> None:
    """Hand on requests until the server closes the connection."""
    end_with_server(connection)
    try:
        kinds = load(plan["modules"])
        app = _application(plan)
    except PymooError as error:
        connection.send_bytes(encoded({"failed": str(error)[-10_000:]}, HELLO_BYTES))
        return
    connection.send_bytes(encoded({"ready": kinds}, HELLO_BYTES))
    Bridge(app, connection, plan["seconds"], plan["max_bytes"]).run()


def _application(plan: dict[str, Any]) -> Celery:
    """Return the application, with its broker reached.  Raises: PymooError."""
    try:
        from pymoo.workers.celery_tasks import BROKER_PATIENCE_S, make_app
    except ModuleNotFoundError as error:
        if error.name != "celery":
            raise
        raise PymooError(NOT_INSTALLED) from error
    try:
        app = make_app(plan["celery"], plan["celery_results"])
        with app.connection_for_write() as broker:
            where = broker.as_uri()  # without the password
            try:
                broker.ensure_connection(timeout=BROKER_PATIENCE_S, max_retries=3)
            except Exception as error:
                raise PymooError(
                    f"Celery's broker {where} cannot be reached: {error}"
                ) from error
        _ = app.backend.as_uri()  # its library is loaded now, and not at a request
    except PymooError:
        raise
    # Whatever a library raises that is not there, or does not know the address.
    except Exception as error:
        raise PymooError(
            f"Celery cannot use this broker or place for results: {error}"
        ) from error
    return app


class Bridge:
    """Requests on their way through Celery."""

    def __init__(
        self, app: Celery, connection: Connection, seconds: float, max_bytes: int
    ) -> None:
        """``seconds`` is how long a request may take a worker of Celery's."""
        self._app: Final = app
        self._connection: Final = connection
        self._seconds: Final = seconds
        self._max_bytes: Final = max_bytes
        self._pending: Final[dict[int, tuple[dict[str, Any], AsyncResult]]] = {}

    def run(self) -> None:
        """Go on until the server closes the connection."""
        pause: float | None = None
        try:
            while True:
                if self._connection.poll(pause):
                    while True:
                        self._take(decoded(self._connection.recv_bytes()))
                        if not self._connection.poll():
                            break
                began = time.monotonic()
                self._look()
                # At most a third of the time is spent on asking.
                pause = max(_LOOK_S, 2 * (time.monotonic() - began))
                if not self._pending:
                    pause = None
        except (EOFError, OSError):
            return

    def _take(self, message: dict[str, Any]) -> None:
        if "cancel" in message:
            pending = self._pending.pop(message["cancel"], None)
            if pending is not None:
                _, result = pending
                self._try(result.revoke)
                self._try(result.forget)
            return
        from pymoo.workers.celery_tasks import PREFIX

        try:
            result = self._app.send_task(
                f"{PREFIX}{message['kind']}",
                args=[message["arguments"]],
                expires=message["seconds"],
                time_limit=self._seconds,
                retry=True,
                retry_policy=_RETRIES,
            )
        except Exception as error:  # noqa: BLE001  (whatever a broker's library raises)
            self._answer(message, _lost(message, f"no broker: {error}"))
        else:
            self._pending[message["id"]] = message, result

    def _try(self, action: Any) -> None:
        """Do what is of no use but to save work; the broker may be gone."""
        try:
            action()
        except Exception as error:  # noqa: BLE001  (as above)
            print(f"Celery: {error}", flush=True)

    def _look(self) -> None:
        """Send the answers that are there."""
        for number, (message, result) in [*self._pending.items()]:
            try:
                if not result.ready():
                    continue
                answer = self._read(message, result)
            except Exception as error:  # noqa: BLE001  (as above)
                answer = _lost(message, f"no result: {error}")
            del self._pending[number]
            self._answer(message, answer)
            self._try(result.forget)

    def _read(self, message: dict[str, Any], result: AsyncResult) -> dict[str, Any]:
        given = result.result
        if isinstance(given, dict) and ("value" in given or "error" in given):
            return given
        what = f"{type(given).__name__}: {given}"
        return _lost(message, f"Celery says {result.state}, {what}")

    def _answer(self, message: dict[str, Any], answer: dict[str, Any]) -> None:
        self._connection.send_bytes(framed(message, answer, self._max_bytes))


def _lost(message: dict[str, Any], why: str) -> dict[str, Any]:
    return failure(E_INVARG, f"{message['kind']}: the worker is lost: {why}")
