"""A world in a thread of its own that does nothing unless somebody waits for it.

MOO programs nest deeper than an ordinary thread's stack allows, and several threads, or
an event loop, may want something of the same world.  So everything that touches it is
a job for its thread.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

from pymoo.api.errors import WorldClosedError
from pymoo.server.app import Server
from pymoo.server.main_loop import RECURSION_LIMIT, STACK_BYTES

T = TypeVar("T")

_LONGEST_WAIT_S: Final = 1.0
"""How long a clock that was put forward may stay unnoticed."""

_lock: Final = threading.Lock()
_limits: Final[list[int]] = []


def _raise_recursion_limit() -> None:
    """Let Python nest as deep as a world needs; it is one limit for all threads."""
    with _lock:
        _limits.append(sys.getrecursionlimit())
        sys.setrecursionlimit(max(RECURSION_LIMIT, _limits[0]))


def _restore_recursion_limit() -> None:
    """Undo `_raise_recursion_limit`, once no world is left that needs it."""
    with _lock:
        before = _limits[0]
        _limits.pop()
        if not _limits:
            sys.setrecursionlimit(before)


class WorldThread:
    """The thread of one world."""

    def __init__(self, make_server: Callable[[], Server]) -> None:
        """Start the thread, and in it the server.  Raises what ``make_server`` does."""
        self._jobs: Final[queue.SimpleQueue[Callable[[], None]]] = queue.SimpleQueue()
        self._lock: Final = threading.Lock()
        self._is_closing = False
        self._is_broken = False
        self._run_until = 0.0
        self._running: Future[None] | None = None
        _raise_recursion_limit()
        started: Future[Server] = Future()
        before = threading.stack_size(STACK_BYTES)
        try:
            # A daemon, so that no program that forgets to close it waits for ever.
            self._thread: Final = threading.Thread(
                target=self._work,
                args=(make_server, started),
                name="world",
                daemon=True,
            )
            self._thread.start()
        except BaseException:
            _restore_recursion_limit()
            raise
        finally:
            threading.stack_size(before)
        try:
            self.server: Final = started.result()
        except BaseException:
            self.close()
            raise

    def post(self, job: Callable[[], None]) -> bool:
        """Have ``job`` done; False if the thread takes no more."""
        with self._lock:
            if self._is_closing or self._is_broken:
                return False
            self._jobs.put(job)
            return True

    def ask(self, question: Callable[[], T]) -> Future[T]:
        """Have ``question`` answered in the world's thread.

        Raises: WorldClosedError.
        """
        future: Future[T] = Future()
        if not self.post(lambda: _answer(future, question)):
            raise WorldClosedError("the world was closed. Open it again")
        return future

    def run(self, seconds: float) -> Future[None]:
        """Let tasks run for ``seconds``, or until none will become ready within them.

        Raises: WorldClosedError.
        """
        future: Future[None] = Future()

        def begin() -> None:
            self._end_running()  # of two at a time the later one counts
            self._running = future
            self._run_until = time.monotonic() + seconds

        if not self.post(begin):
            raise WorldClosedError("the world was closed. Open it again")
        return future

    def close(self) -> None:
        """End the thread, after what it has been asked before."""
        with self._lock:
            if self._is_closing:
                return
            self._is_closing = True
            self._jobs.put(_no_job)
        self._thread.join()
        _restore_recursion_limit()

    # --- in the thread --------------------------------------------------------

    def _work(self, make_server: Callable[[], Server], started: Future[Server]) -> None:
        try:
            server = make_server()
        except BaseException as error:  # noqa: BLE001  (raised by whoever waits)
            started.set_exception(error)
            return
        started.set_result(server)
        reason = "it was closed"
        try:
            while True:
                job = self._next_job(server)
                if job is _no_job:
                    break
                if job is not None:
                    job()
                self._turn(server)
        except BaseException as error:  # noqa: BLE001  (whoever waits must be told)
            server.log_file.bug("turning the loop of a world", error)
            reason = "an error in pymoo ended it; the log has all of it"
            with self._lock:
                self._is_broken = True
        server.outside.close(reason)
        self._end_running()
        while not self._jobs.empty():  # what was posted before anybody could know
            self._jobs.get()()

    def _end_running(self) -> None:
        if self._running is not None:
            self._running.set_result(None)
            self._running = None

    def _next_job(self, server: Server) -> Callable[[], None] | None:
        """Wait for a job, or until the server has something to do for somebody."""
        wait = self._seconds_to_wait(server)
        try:
            return self._jobs.get(timeout=wait) if wait != 0 else self._jobs.get(False)
        except queue.Empty:
            return None

    def _seconds_to_wait(self, server: Server) -> float | None:
        if not server.outside.is_busy and self._running is None:
            return None
        wait = server.seconds_until_next()
        wait = _LONGEST_WAIT_S if wait is None else min(wait, _LONGEST_WAIT_S)
        if self._running is not None:
            wait = min(wait, max(0.0, self._run_until - time.monotonic()))
        return wait

    def _turn(self, server: Server) -> None:
        outside = server.outside
        # Not in a turn, which would run other tasks as well.
        while outside.has_waiting and not server.is_stopping:
            outside.start_next()
            outside.settle()  # such a world has no journal to wait for
        if not server.is_stopping and (outside.is_busy or self._running is not None):
            server.turn()
        if server.is_stopping:
            outside.close(server.stop_reason)
        if self._running is not None:
            left = self._run_until - time.monotonic()
            next_in = server.tasks.seconds_until_next()
            if server.is_stopping or left <= 0 or next_in is None or next_in > left:
                self._end_running()


def _no_job() -> None:
    """Stands for the end."""


def _answer(future: Future[T], question: Callable[[], T]) -> None:
    try:
        answer = question()
    except Exception as error:  # noqa: BLE001  (raised by whoever waits)
        future.set_exception(error)
    else:
        future.set_result(answer)
