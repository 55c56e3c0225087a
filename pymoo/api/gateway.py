"""The way into a world from other threads than its own.

A request is posted to the world's thread, which does it between the slices of tasks
(`server.outside`); its `Outcome` comes back as a future.

G1  Every future gets its outcome, at the latest when the gateway is closed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from pymoo.api.errors import WorldClosedError
from pymoo.server.outside import Ending, Outcome, OutsideTasks, Request

Post = Callable[[Callable[[], None]], bool]
"""Has something done in the world's thread; False if that does nothing any more."""


class Gateway:
    """Leads requests to one world; to be used from any thread."""

    def __init__(self, outside: OutsideTasks, post: Post) -> None:
        self._outside: Final = outside
        self._post: Final = post
        self._lock: Final = threading.Lock()
        self._open: Final[dict[Request, Future[Outcome]]] = {}
        self._stop_reason: str | None = None

    def __len__(self) -> int:
        """How many requests have no outcome yet."""
        return len(self._open)

    def submit(self, request: Request) -> Future[Outcome]:
        """Have ``request`` done; the future cannot be cancelled, see `give_up`."""
        future: Future[Outcome] = Future()
        future.set_running_or_notify_cancel()
        with self._lock:
            reason = self._stop_reason
            if reason is None:
                self._open[request] = future
        if reason is not None:
            future.set_result(Outcome(Ending.STOPPED, 0, reason=reason))
            return future

        def tell(outcome: Outcome) -> None:
            self._settle(request, outcome)

        if not self._post(lambda: self._outside.post(request, tell)):
            self._settle(request, Outcome(Ending.STOPPED, 0, reason="it was closed"))
        return future

    def give_up(self, request: Request) -> None:
        """Have the outcome of ``request`` told soon, whatever it is by then.

        A slice that is under way comes to its end first.
        """
        self._post(lambda: self._outside.give_up(request))

    def wait(self, request: Request, timeout_s: float) -> Outcome:
        """Have ``request`` done, and return what became of it after so long at most."""
        future = self.submit(request)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            self.give_up(request)
            return future.result()
        except BaseException:  # Ctrl-C: nobody waits any more
            self.give_up(request)
            raise

    async def wait_async(self, request: Request, timeout_s: float) -> Outcome:
        """Have ``request`` done as `wait` does, while an event loop goes on."""
        future = asyncio.wrap_future(self.submit(request))
        try:
            return await asyncio.wait_for(asyncio.shield(future), timeout_s)
        except TimeoutError:
            self.give_up(request)
            return await future
        except BaseException:  # cancelled: nobody waits any more
            self.give_up(request)
            raise

    def ping(self) -> Future[None]:
        """Return what is done when the world's thread has come to it."""
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()
        if not self._post(lambda: future.set_result(None)):
            future.set_exception(WorldClosedError("the world was closed"))
        return future

    def close(self, reason: str) -> None:
        """Take no more requests; those that have no outcome yet are stopped."""
        with self._lock:
            self._stop_reason = reason
            requests = [*self._open]
        for request in requests:
            self._settle(request, Outcome(Ending.STOPPED, 0, reason=reason))

    def _settle(self, request: Request, outcome: Outcome) -> None:
        with self._lock:
            future = self._open.pop(request, None)
        if future is not None:
            future.set_result(outcome)
