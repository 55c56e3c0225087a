"""The worker processes of a server, and the requests that wait for one.

P1  Requests are handed out in the order in which they came.
P2  Each is answered once, by whatever happens, unless it is cancelled; or the pool is
    stopped, when nobody is left to be told.
P3  A process has one request at a time; one that ends takes with it no other.
P4  Nothing here waits, but for `start` and `stop`.

With Celery there is one process, which hands requests on to Celery's workers: it has
all of them at a time, and loses them if it ends.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

from attrs import define, field

from pymoo.errors import MooError
from pymoo.values import E_INVARG, E_QUOTA, Value, fold
from pymoo.workers.coding import CodingError, Reader, TooBigError, encoded, to_json
from pymoo.workers.process import Loop, Timer, WorkerProcess, pause_after
from pymoo.workers.settings import (
    ENVELOPE_BYTES,
    HELLO_BYTES,
    WorkersError,
    WorkerSettings,
)

_PLAN_BYTES: Final = 65_536

Answer = Callable[[int, Value | MooError], None]
Log = Callable[[str, bool], None]


class Dispatcher(Protocol):
    """Where requests go, as the server knows it."""

    answered: Answer
    """Called with the number of a request, and the value or error that answers it."""

    def proper_name(self, kind: str) -> str | None:
        """Return a kind of work as its worker spells it; None if nobody does it."""

    def send(
        self, number: int, kind: str, arguments: tuple[Value, ...], seconds: float
    ) -> None:
        """Have a request answered; whoever asks waits for so many ``seconds``.

        Raises: E_QUOTA, E_INVARG; then it is not sent.
        """

    def cancel(self, number: int) -> None:
        """Forget a request, if it is not answered yet."""

    def close_copies(self) -> None:
        """In a forked process: let go of everything that is the server's."""


@define(eq=False)
class _Request:
    number: int
    kind: str
    data: bytes
    is_cancelled: bool = False


@define(eq=False)
class _Seat:
    """The place of a process: it may end, and another takes it."""

    process: WorkerProcess | None = None
    is_ready: bool = False
    had_work: bool = False  # the process there now
    is_leaving: bool = False  # it has said that it will end
    requests: dict[int, _Request] = field(factory=dict)
    timer: Timer | None = None  # of the request in hand, or until the next process
    failures: int = 0  # processes in a row that have ended without any work


class Pool:
    """Processes that answer requests (`Dispatcher`)."""

    def __init__(
        self,
        settings: WorkerSettings,
        loop: Loop,
        log: Log,
        *,
        reader: Reader | None = None,
    ) -> None:
        """``reader`` makes values of answers, as fits the database."""
        self._settings: Final = settings
        self._loop: Final = loop
        self._log: Final = log
        self._reader: Final = Reader() if reader is None else reader
        self._is_shared: Final = settings.celery is not None
        count = 1 if self._is_shared else settings.processes
        self._seats: Final = [_Seat() for _ in range(count)]
        self._by_process: Final[dict[WorkerProcess, _Seat]] = {}
        self._waiting: Final[dict[int, _Request]] = {}
        self._free: Final[deque[_Seat]] = deque()
        self._kinds: dict[str, str] = {}
        self._is_started = self._is_stopped = False
        self._refusal: str | None = None
        self.answered: Answer = _nobody_asks
        self._plan: Final = encoded(
            {
                "modules": settings.modules,
                "memory_mb": settings.memory_mb,
                "cpu_s": settings.cpu_s,
                "seconds": settings.seconds,
                "max_bytes": settings.max_bytes,
                "celery": settings.celery,
                "celery_results": settings.celery_results or settings.celery,
            },
            _PLAN_BYTES,
        )

    # --- start and end ----------------------------------------------------

    def start(self) -> None:
        """Start the processes, and learn from the first what there is.

        Raises: WorkersError.
        """
        if sys.platform == "win32":
            raise WorkersError("workers need Linux, macOS or another Unix")
        for seat in self._seats:
            try:
                self._start(seat)
            except OSError as error:
                self.stop()
                raise WorkersError(
                    f"worker processes cannot be started: {error.strerror}"
                ) from error
        first = self._seats[0]
        process = first.process
        assert process is not None
        failure = process.first_word(
            lambda: first.is_ready or self._refusal is not None, self._settings.modules
        )
        refusal = self._refusal or failure
        if refusal is not None:
            self.stop()
            raise WorkersError(f"workers cannot be started: {refusal}")
        self._is_started = True
        for seat in self._seats:
            assert seat.process is not None
            seat.process.watch()
        names = ", ".join(sorted(self._kinds.values(), key=fold))
        if self._is_shared:
            self._log(f"WORKERS: by Celery, for {names}", False)
        else:
            count = len(self._seats)
            plural = "es" if count != 1 else ""
            self._log(f"WORKERS: {count} process{plural}, for {names}", False)

    def stop(self) -> None:
        """End all processes; requests that are not answered stay so."""
        self._is_stopped = True
        self._waiting.clear()
        for seat in self._seats:
            self._stop_timer(seat)
        for process in [*self._by_process]:
            process.end()
        self._by_process.clear()

    def close_copies(self) -> None:
        for process in self._by_process:
            process.close_copy()

    @property
    def pids(self) -> list[int]:
        """The processes that there are now."""
        return [process.pid for process in self._by_process]

    # --- requests ---------------------------------------------------------

    def proper_name(self, kind: str) -> str | None:
        return self._kinds.get(fold(kind))

    def send(
        self, number: int, kind: str, arguments: tuple[Value, ...], seconds: float
    ) -> None:
        settings = self._settings
        unanswered = len(self._waiting)
        if self._is_shared:
            unanswered += len(self._seats[0].requests)
        if unanswered >= settings.max_waiting:
            raise MooError(
                E_QUOTA, f"{kind}: {settings.max_waiting} requests are waiting already"
            )
        try:
            message = {
                "id": number,
                "kind": kind,
                "seconds": seconds,
                # Each element is two bytes at least.
                "arguments": to_json(arguments, settings.max_bytes // 2),
            }
            data = encoded(message, settings.max_bytes + ENVELOPE_BYTES)
        except TooBigError as error:
            raise MooError(
                E_QUOTA, f"{kind}: the request is too big: {error}"
            ) from error
        except CodingError as error:
            raise MooError(
                E_INVARG, f"{kind}: the request cannot be sent: {error}"
            ) from error
        self._waiting[number] = _Request(number, kind, data)
        self._hand_out()

    def cancel(self, number: int) -> None:
        if self._waiting.pop(number, None) is not None:
            return
        for seat in self._seats:
            request = seat.requests.get(number)
            if request is None:
                continue
            assert seat.process is not None
            request.is_cancelled = True
            if self._is_shared:
                del seat.requests[number]
                seat.process.send(encoded({"cancel": number}, ENVELOPE_BYTES))
            else:
                # Whether it would ever be ready for another one, nobody knows.
                self._stop_timer(seat)
                seat.process.kill("nobody waits for its answer any more")

    def _hand_out(self) -> None:
        """Give the requests that have waited longest to those who have none."""
        waiting, free = self._waiting, self._free
        while waiting and free:
            request = waiting.pop(next(iter(waiting)))
            seat = free[0]
            assert seat.process is not None
            seat.requests[request.number] = request
            seat.had_work = True
            if not self._is_shared:
                free.popleft()
                seat.timer = self._loop.call_later(
                    self._settings.seconds, partial(self._overdue, seat)
                )
            seat.process.send(request.data)

    def _overdue(self, seat: _Seat) -> None:
        seat.timer = None
        assert seat.process is not None
        seat.process.kill(f"it ran longer than {self._settings.seconds:g} seconds")

    def _stop_timer(self, seat: _Seat) -> None:
        if seat.timer is not None:
            seat.timer.cancel()
            seat.timer = None

    # --- processes --------------------------------------------------------

    def _start(self, seat: _Seat) -> None:
        seat.process = WorkerProcess(
            self._loop,
            self._plan,
            2 * self._settings.max_bytes + HELLO_BYTES,
            self._received,
            self._ended,
        )
        seat.is_ready = seat.had_work = seat.is_leaving = False
        self._by_process[seat.process] = seat

    def _start_again(self, seat: _Seat) -> None:
        seat.timer = None
        try:
            self._start(seat)
        except OSError as error:
            self._log(f"WORKERS: no process can be started: {error.strerror}", True)
            self._start_later(seat)
        else:
            assert seat.process is not None
            seat.process.watch()

    def _start_later(self, seat: _Seat) -> None:
        pause = pause_after(seat.failures)
        seat.failures += 1
        seat.timer = self._loop.call_later(pause, partial(self._start_again, seat))

    def _received(self, process: WorkerProcess, message: dict[str, Any]) -> None:
        seat = self._by_process[process]
        if not seat.is_ready:
            self._introduced(seat, process, message)
            return
        number = message.get("id")
        for line in str(message.get("log", "")).splitlines():
            self._log(f"WORKER {process.pid}: {line}", True)
        request = seat.requests.pop(number, None) if type(number) is int else None
        if request is None:
            # What was cancelled may have been answered meanwhile.
            if not self._is_shared:
                process.kill("it has answered what it was not asked")
            return
        if not self._is_shared:
            self._stop_timer(seat)
            if message.get("last"):
                seat.is_leaving = True
            else:
                self._free.append(seat)
        seat.failures = 0
        # Before the answer: that may bring about more requests, which come later.
        self._hand_out()
        if not request.is_cancelled:
            self.answered(request.number, self._answer(request.kind, message))

    def _introduced(
        self, seat: _Seat, process: WorkerProcess, message: dict[str, Any]
    ) -> None:
        """Take the first message: what the process can do, or why it cannot."""
        names = message.get("ready")
        if not isinstance(names, list):
            reason = str(message.get("failed", "it did not say what it can do"))
            if self._kinds:
                process.kill(reason)
            else:
                self._refusal = reason
            return
        seat.is_ready = True
        if not self._kinds:
            self._kinds = {fold(str(name)): str(name) for name in names}
        self._free.append(seat)
        self._hand_out()

    def _answer(self, kind: str, message: dict[str, Any]) -> Value | MooError:
        read = self._reader.value
        try:
            if "value" in message:
                return read(message["value"])
            code, text, value = message["error"]
            return MooError(read(code), self._reader.message(text), read(value))
        except CodingError as error:
            return MooError(E_INVARG, f"{kind}: the answer is not MOO's: {error}")
        except (KeyError, TypeError, ValueError):
            return MooError(E_INVARG, f"{kind}: the answer cannot be understood")

    def _ended(self, process: WorkerProcess, reason: str) -> None:
        """A process is gone: answer for it, and put another in its place."""
        if self._is_stopped:
            return
        seat = self._by_process.pop(process)
        if not self._is_started:
            self._refusal = self._refusal or reason
            return
        seat.process = None
        if seat in self._free:
            self._free.remove(seat)
        self._stop_timer(seat)
        lost = [*seat.requests.values()]
        seat.requests.clear()
        what = ", ".join(dict.fromkeys(request.kind for request in lost))
        doing = f" while it did {what}" if what else ""
        for number, line in enumerate([] if seat.is_leaving else reason.splitlines()):
            text = line if number else f"has ended{doing}: {line}"
            self._log(f"WORKER {process.pid}: {text}", True)
        if seat.had_work and not self._is_shared:
            # Whatever ended it, it was of use: this cannot go round in circles.
            self._start_again(seat)
        else:
            self._start_later(seat)
        for request in lost:
            if not request.is_cancelled:
                text = f"{request.kind}: the worker is lost: {reason}"
                self.answered(request.number, MooError(E_INVARG, text))


def _nobody_asks(number: int, answer: Value | MooError) -> None:
    """Stands for the server until it has said who is to be told."""
