"""A server as a process: one thread for the world, one for the system's signals.

The world runs in a thread of its own because its stack must be big, which only new
threads can have.  The main thread waits for signals and hands them over; they are
blocked everywhere, so nothing is ever interrupted by one.  (A SIGSEGV that is the
interpreter's own fault still ends the process at once.)

Source: server.c, main, main_loop and the signal handlers; architecture of threads:
pymoo's own.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from pymoo.server.app import Server
from pymoo.server.dumps import RETRY_AFTER_S

if TYPE_CHECKING:  # which tools without connections need not load
    import asyncio

STACK_BYTES: Final = 512 << 20
"""The stack of the world's thread; only what is used of it takes memory."""

RECURSION_LIMIT: Final = 60_000
"""How deep Python calls may nest there; the stack holds more than twice as many."""

_LONGEST_WAIT_S: Final = 10.0
"""How long the loop sleeps at most, so that a clock that was put forward is noticed."""

_REST_AFTER_S: Final = 0.005
_REST_S: Final = 1e-6
"""How often a loop that is never idle rests, and how long.

It lets go of Python's lock whenever it asks the system what has come, but takes it
again at once.  A thread that waits for the lock is woken by that, finds it taken and
waits anew: for seconds where the system does not run it at once, as no processor is
free.  While the loop sleeps it is let in.
"""

_PAUSE_AFTER_BUG_S: Final = 1.0
"""When the loop goes on after an error of its own, which may come again at once."""

_SHUTDOWN_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
_PANIC_SIGNALS: Final = (
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGILL,
    signal.SIGSEGV,
    signal.SIGBUS,
)


class MainLoop:
    """Drives one `Server` on an event loop."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server: Final = server
        self._loop: Final = loop
        self._is_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._panic: str | None = None
        self._rested_at = 0.0
        self._is_over = False
        self.given_up: Final = threading.Event()
        """Set when a signal to stop comes after `run` has ended."""

    def run(self) -> None:
        """Serve until the server is told to stop, or panics."""
        self._loop.set_exception_handler(self._note_bug)
        self.wake()
        try:
            self._loop.run_forever()
        finally:
            self._is_over = True

    def _note_bug(
        self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]
    ) -> None:
        """Go on after an error in what the loop has called, which is pymoo's fault.

        The turn that it ended may have been the one to set the timer.
        """
        error = context.get("exception")
        if isinstance(error, BaseException):
            self._server.log_file.bug(context["message"], error)
        else:
            self._server.log(context["message"], is_error=True)
        loop.call_later(_PAUSE_AFTER_BUG_S, self.wake)

    @property
    def panic(self) -> str | None:
        """Why the server must die, if it must."""
        return self._panic

    def wake(self) -> None:
        """Have a turn as soon as all that has come by now is taken.

        So what several players have typed meanwhile is one turn: each of them is sent
        to once, and the journal gets one record.
        """
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._due)

    def _due(self) -> None:
        self._is_due = False
        self._turn()

    def _turn(self) -> None:
        server = self._server
        if not server.is_stopping and self._panic is None:
            began = self._loop.time()
            server.turn()
            if server.figures is not None:
                server.figures.turn_ended(self._loop.time() - began)
        if server.is_stopping or self._panic is not None:
            self._loop.stop()
            return
        now = self._loop.time()
        if now - self._rested_at > _REST_AFTER_S:
            time.sleep(_REST_S)
            self._rested_at = now
        wait = server.seconds_until_next()
        if wait == 0:
            self.wake()
            return
        wait = _LONGEST_WAIT_S if wait is None else min(wait, _LONGEST_WAIT_S)
        due = self._loop.time() + wait
        if self._timer is not None:
            if self._timer.when() <= due:
                return  # too early is no harm, and cheaper than another timer
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._time_has_come)

    def _time_has_come(self) -> None:
        self._timer = None
        self.wake()

    def post(self, work: Callable[[], None]) -> bool:
        """Have ``work`` done between two slices; called from any thread.

        Returns False if the loop has ended.
        """
        try:
            self._loop.call_soon_threadsafe(self._do, work)
        except RuntimeError:
            return False
        return True

    def _do(self, work: Callable[[], None]) -> None:
        work()
        self.wake()

    def take_signal(self, number: int) -> None:
        """Do what a signal asks for; called from any thread."""
        if self._is_over:
            if number in _SHUTDOWN_SIGNALS:
                self.given_up.set()
            return
        try:
            self._loop.call_soon_threadsafe(self._signalled, number)
        except RuntimeError:  # the loop has ended: the server is stopping already
            return

    def _signalled(self, number: int) -> None:
        if number == signal.SIGUSR2:
            self._server.request_checkpoint(by_signal=True)
        elif number in _SHUTDOWN_SIGNALS:
            self._server.request_shutdown("shutdown signal received")
        elif number in _PANIC_SIGNALS:
            self._panic = f"Caught signal {number}"
            self._loop.stop()
            return
        self.wake()  # of SIGCHLD: a checkpoint has ended


def finish(server: Server, panic: str | None, given_up: threading.Event) -> bool:
    """End a server; returns whether all it knows is saved, as by `save_at_last`.

    Source: server.c, main and panic; db_file.c, dump_database.
    """
    if panic is not None:
        server.panic(panic)
        return False
    try:
        server.stop()
    except Exception as error:  # noqa: BLE001  (the database must be saved)
        server.log_file.bug("closing connections", error)
    return save_at_last(server, given_up)


def save_at_last(server: Server, given_up: threading.Event | None = None) -> bool:
    """Write the last dump, trying again until it succeeds or ``given_up`` is set.

    Returns whether all is saved, there or in the journal.
    """
    is_told = given_up is None
    given_up = given_up or threading.Event()
    while not server.save():
        journal = server.dumps.journal
        if journal is not None and journal.is_whole:
            server.log(
                f"The journal {journal.folder} holds all that is not in the database: "
                "it is read at the next start"
            )
            return True
        server.log(
            f"Waiting {RETRY_AFTER_S} seconds and retrying dump...", is_error=True
        )
        if not is_told:
            server.log(
                "Make room, or let the server write there; or send SIGTERM or SIGINT "
                "(Ctrl-C) once more: it ends then, and what is not saved is lost",
                is_error=True,
            )
            is_told = True
            given_up.clear()  # whoever sent several to stop it did not know that yet
        if given_up.wait(RETRY_AFTER_S):
            server.log("Giving up: what is not saved is lost", is_error=True)
            return False
    return True


def _is_ignored(number: int) -> bool:
    """Whether this process was started with a signal ignored, as by nohup."""
    if signal.getsignal(number) == signal.SIG_IGN:
        return True
    # PyPy does not tell what was so before it started; Linux does.
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            masks = [line for line in status if line.startswith("SigIgn:")]
    except OSError:
        return False
    return bool(masks) and bool(int(masks[0].split()[1], 16) >> (number - 1) & 1)


class SignalSource:
    """The signals that a server reacts to, taken one by one in the main thread."""

    def __init__(self) -> None:
        """Block them in this thread and all that it starts from now on."""
        hangup_is_ignored = _is_ignored(signal.SIGHUP)
        self._numbers: Final = {
            number
            for number in (
                *_SHUTDOWN_SIGNALS,
                *_PANIC_SIGNALS,
                signal.SIGUSR2,
                signal.SIGCHLD,
            )
            if not (number == signal.SIGHUP and hangup_is_ignored)
        }
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGFPE, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, self._numbers)

    def __iter__(self) -> Iterator[int]:
        while True:
            yield signal.sigwait(self._numbers)


def with_deep_stack(work: Callable[[], None]) -> None:
    """Run ``work``, as tools do, in a thread whose stack MOO programs can nest on.

    What it raises is raised here.
    """
    failures: list[BaseException] = []

    def run() -> None:
        sys.setrecursionlimit(RECURSION_LIMIT)
        try:
            work()
        except BaseException as error:  # noqa: BLE001  (raised again below)
            failures.append(error)

    before = threading.stack_size(STACK_BYTES)
    # A daemon, so that Ctrl-C ends the process whatever the program is doing.
    thread = threading.Thread(target=run, name="world", daemon=True)
    thread.start()
    threading.stack_size(before)
    while thread.is_alive():
        thread.join(0.2)
    if failures:
        raise failures[0]


def run_with_big_stack(main: Callable[[Callable[[MainLoop], None]], int]) -> int:
    """Run ``main`` in a thread made for it, while this one takes the signals.

    ``main`` is given a function to call with its `MainLoop` when it has one; signals
    that come before wait until then.  Returns what ``main`` returns; an exception of
    its is raised here.
    """
    signals = SignalSource()
    result: list[int] = []
    failures: list[BaseException] = []
    waiting: list[int] = []
    loops: list[MainLoop] = []
    lock = threading.Lock()
    has_ended = threading.Event()

    def ready(loop: MainLoop) -> None:
        with lock:
            loops.append(loop)
            for number in waiting:
                loop.take_signal(number)

    def work() -> None:
        sys.setrecursionlimit(RECURSION_LIMIT)
        try:
            result.append(main(ready))
        except BaseException as error:  # noqa: BLE001  (raised again below)
            failures.append(error)
        finally:
            has_ended.set()
            os.kill(os.getpid(), signal.SIGCHLD)  # wakes the main thread

    before = threading.stack_size(STACK_BYTES)
    thread = threading.Thread(target=work, name="world")
    thread.start()
    threading.stack_size(before)
    for number in signals:
        if has_ended.is_set():
            break
        with lock:
            if loops:
                loops[0].take_signal(number)
            elif number != signal.SIGCHLD:
                waiting.append(number)
    thread.join()
    if failures:
        raise failures[0]
    return result[0]
