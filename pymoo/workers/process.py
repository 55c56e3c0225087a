"""A worker process as the server sees it: a socket, and a process at its other end.

What runs jobs for a server (`server.job_desk`) is started in the same way.

The frames are those of `multiprocessing.connection`, which the process itself uses;
they are made here once more because its `Connection` waits until a whole message has
come or gone, and the server waits for nobody.  The socket is one of a pair that the
process has inherited: nobody else can reach it, so that nothing needs a password.

Source of frames: multiprocessing.connection, Connection.send_bytes.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

import pymoo
from pymoo.workers.coding import CodingError, decoded

_HEADER: Final = struct.Struct("!i")
_TAKEN_AT_ONCE: Final = 262_144

START_S: Final = 60.0
"""How long a process may take until it says what it can do."""

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 30.0

_LOOK_S: Final = 0.01
"""How often one looks whether a process that was killed is gone."""


class Timer(Protocol):
    """Something that will be called."""

    def cancel(self) -> None: ...


class Loop(Protocol):
    """What is asked of the event loop (asyncio's has it)."""

    def add_reader(self, fd: Any, callback: Callable[[], None], /) -> object: ...

    def remove_reader(self, fd: Any, /) -> object: ...

    def add_writer(self, fd: Any, callback: Callable[[], None], /) -> object: ...

    def remove_writer(self, fd: Any, /) -> object: ...

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer: ...


def environment() -> dict[str, str]:
    """Return the environment of this process, in which Python finds this pymoo."""
    here = str(Path(pymoo.__file__).parents[1])
    others = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        "PYTHONPATH": f"{here}{os.pathsep}{others}" if others else here,
    }


def pause_after(failures: int) -> float:
    """Return how many seconds to wait before a process is started again.

    ``failures`` is how many before have ended in a row without being of any use.
    """
    return min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(failures, 20))


class WorkerProcess:
    """One process that was started, and what goes to and fro."""

    def __init__(
        self,
        loop: Loop,
        plan: bytes,
        max_frame: int,
        received: Callable[[WorkerProcess, dict[str, Any]], None],
        ended: Callable[[WorkerProcess, str], None],
        words: tuple[str, ...] = ("pymoo.workers",),
    ) -> None:
        """Start a process that is given ``plan``.

        ``words`` name a module for ``python -m``, and its arguments; the last one is
        the number of the socket.
        ``received`` is called with each message; ``ended`` once, with the reason, when
        no more will come and the process is gone.

        Raises: OSError.
        """
        self._loop: Final = loop
        self._max_frame: Final = max_frame
        self._received: Final = received
        self._ended: Final = ended
        self._unread = bytearray()
        self._unsent = bytearray()
        self._is_watched = False
        self._timed_out = False
        self.is_open: bool = True
        """Whether messages may still come."""
        # Why it was killed, if it was.
        self._reason = ""
        self._socket, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *words, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                # In a session of its own: Ctrl-C is for the server, and what a worker
                # starts can be ended with it.
                start_new_session=True,
                env=environment(),
            )
        except BaseException:
            self._socket.close()
            raise
        finally:
            theirs.close()
        self._socket.setblocking(False)
        # Not on its command line, which everybody on the machine may read.
        self.send(plan)

    @property
    def pid(self) -> int:
        return self._process.pid

    # --- messages ---------------------------------------------------------

    def watch(self) -> None:
        """Take what comes from now on when the loop finds it."""
        self._is_watched = True
        self._loop.add_reader(self._socket, self._readable)

    def take(self, timeout_s: float) -> bool:
        """Wait for something to come, before the loop runs; False if nothing does."""
        self._socket.settimeout(timeout_s)
        try:
            self._readable()
        finally:
            if self.is_open:
                self._socket.setblocking(False)
        return not self._timed_out

    def first_word(
        self, has_come: Callable[[], bool], modules: tuple[str, ...]
    ) -> str | None:
        """Wait, before the loop runs, until it has said what it can do.

        ``has_come`` tells whether it has; it imports ``modules`` meanwhile.  Returns
        why nothing is to be expected of it, if that is so.
        """
        while not has_come():
            if not self.take(START_S):
                return (
                    f"they are not ready after {START_S:g} seconds; what do "
                    f"{', '.join(modules)} do when they are imported?"
                )
            if not self.is_open:
                return self.wait()
        return None

    def _readable(self) -> None:
        self._timed_out = False
        try:
            data = self._socket.recv(_TAKEN_AT_ONCE)
        except TimeoutError:
            self._timed_out = True
            return
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up()
            return
        self._unread += data
        while self.is_open and (frame := self._next_frame()) is not None:
            try:
                message = decoded(frame)
            except CodingError as error:
                self.kill(f"it has sent what is no message: {error}")
                return
            self._received(self, message)

    def _next_frame(self) -> bytearray | None:
        unread, head = self._unread, _HEADER.size
        if len(unread) < head:
            return None
        (size,) = _HEADER.unpack_from(unread)
        if not 0 <= size <= self._max_frame:
            self.kill(f"it has sent a message of {size} bytes")
            return None
        if len(unread) < head + size:
            return None
        frame = unread[head : head + size]
        del unread[: head + size]
        return frame

    def send(self, data: bytes) -> None:
        """Send a message, now or when there is room for it."""
        if not self.is_open:
            return
        is_waiting = bool(self._unsent)
        self._unsent += _HEADER.pack(len(data))
        self._unsent += data
        if not is_waiting:
            self._write()
            if self._unsent:
                self._loop.add_writer(self._socket, self._writable)

    def _writable(self) -> None:
        self._write()
        if not self._unsent:
            self._loop.remove_writer(self._socket)

    def _write(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            # Reading tells that nobody is there, after what was sent before that.
            self._unsent.clear()
            return
        del self._unsent[:sent]

    # --- the end ----------------------------------------------------------

    def kill(self, reason: str) -> None:
        """End it at once, with all that it has started; ``ended`` is told why."""
        if self.is_open:
            self._reason = reason
            self._hang_up()

    def _signal(self) -> None:
        # As long as nobody has asked for its status, the number is its own.
        assert self._process.returncode is None
        with suppress(ProcessLookupError, PermissionError):  # it has ended by itself
            os.killpg(self._process.pid, signal.SIGKILL)

    def close_copy(self) -> None:
        """In a forked process: let go of the server's end of the socket."""
        if self.is_open:
            self._socket.close()

    def _close(self) -> None:
        self.is_open = False
        if self._is_watched:
            self._loop.remove_reader(self._socket)
            if self._unsent:
                self._loop.remove_writer(self._socket)
        self._socket.close()

    def _hang_up(self) -> None:
        """Nothing more comes: end it, should it not have ended, with its children.

        How it has ended does not change by that: its connection is closed when its
        status is certain (`__main__`).
        """
        self._close()
        self._signal()
        self._look()

    def _look(self) -> None:
        """Tell how it has ended, once it is gone."""
        status = self._process.poll()
        if status is None:
            self._loop.call_later(_LOOK_S, self._look)
        else:
            self._ended(self, self._reason or _how(status))

    def wait(self) -> str:
        """Wait until it is gone, once nothing more comes; return the reason."""
        status = self._process.wait()
        return self._reason or _how(status)

    def end(self, patience_s: float = 0) -> None:
        """Kill it and wait until it is gone; nobody is told.

        ``patience_s`` is how long it may take to end by itself, as it does when the
        socket is closed.
        """
        if self.is_open:
            self._close()
        if patience_s:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_s)
        if self._process.returncode is None:
            self._signal()
            self._process.wait()


def _how(status: int) -> str:
    if status >= 0:
        return f"it has ended with status {status}"
    if -status == signal.SIGXCPU:
        return "it has used up its CPU seconds"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"it was ended by {name}"
