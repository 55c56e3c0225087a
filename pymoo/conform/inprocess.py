"""Our own server, in this process, without sockets.

Time passes when somebody waits for it, at once, so cases that wait take no time.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

from attrs import define, field

from pymoo.conform.servers import LinkClosedError, RunningServer
from pymoo.lang.dialect import Dialect, dialect
from pymoo.server.inprocess import HandClock, InProcessServer
from pymoo.server.memory_network import Client

_LOOK_S: Final = 0.00005


class LivelyClock(HandClock):
    """A clock that is put forward by hand and goes on by itself meanwhile.

    Whoever waits for a time by looking again and again, be it a program or a runner
    of cases, would go on for ever otherwise.  It goes at least so much at each look,
    so that little depends on how fast the machine is.
    """

    _looked: float = 0.0

    def now(self) -> float:
        looked = time.monotonic()
        self.seconds += max(_LOOK_S, looked - (self._looked or looked))
        self._looked = looked
        return self.seconds


class MemoryLink:
    """One connection to a server in this process."""

    def __init__(self, owner: MemoryServer, client: Client) -> None:
        self._owner: Final = owner
        self._client: Final = client

    def send(self, data: bytes) -> None:
        self._client.send(data)

    def receive(self, wait_s: float) -> bytes:
        deadline = self._owner.now() + wait_s
        while True:
            self._owner.run(deadline)
            if data := self._client.take():
                return data
            if self._client.was_closed:
                raise LinkClosedError("closed by the server")
            if not self._owner.let_time_pass(deadline):
                return b""

    def close(self) -> None:
        self._client.close()


class MemoryServer:
    """A server in this process."""

    port: Final = 0

    def __init__(self, database: bytes, language: Dialect) -> None:
        self._language: Final = language
        self.folder: Path = Path(tempfile.mkdtemp(prefix="moo-conform-")).resolve()
        self._starts = 0
        self._path = self.folder / "world.db"
        self._path.write_bytes(database)
        self._log_before = ""
        self._server = self._open()

    def _open(self) -> InProcessServer:
        self._starts += 1
        self._out = self.folder / f"world{self._starts}.db.new"
        return InProcessServer.open(
            self._path, self._out, self._language, clock=LivelyClock(), seed=1
        )

    def run(self, deadline: float) -> None:
        """Do what is to be done now; no more is begun after ``deadline``."""
        server, network = self._server.server, self._server.network
        while not self._server.has_stopped:
            if server.is_stopping:
                self._server.run()
                return
            network.deliver(server.connections)
            server.turn()
            is_idle = not network.has_input and server.seconds_until_next() != 0
            if is_idle or self.now() > deadline:
                return

    def let_time_pass(self, deadline: float) -> bool:
        """Put the clock forward to what is due next; False if that is too late."""
        left = deadline - self.now()
        if left <= 0:
            return False
        due = self._server.server.seconds_until_next()
        self._server.clock.advance(left if due is None else min(due, left))
        return True

    def connect(self, port: int | None = None) -> MemoryLink:
        if self._server.has_stopped:
            raise LinkClosedError("the server has shut down")
        if port is not None and port not in self._server.network.points:
            raise LinkClosedError(f"nobody listens on port {port}")
        return MemoryLink(self, self._server.connect(port))

    def now(self) -> float:
        return self._server.clock.now()

    def sleep(self, seconds: float) -> None:
        deadline = self.now() + seconds
        self.run(deadline)
        while self.let_time_pass(deadline):
            self.run(deadline)

    def log(self) -> str:
        return self._log_before + self._server.log_stream.getvalue().decode("latin-1")

    def restart(self, down_s: float = 0.0) -> None:
        self._server.shut_down()
        self._log_before = self.log()
        self._path = self._out
        self._server = self._open()

    def wait_for_exit(self, timeout_s: float) -> int | None:
        self.sleep(timeout_s)
        return 0 if self._server.has_stopped else None

    def stop(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


@define
class InProcessLauncher:
    """Starts our own server in this process, in a dialect."""

    dialect_name: str
    at_once: int = field(default=1, init=False)
    can_restart: bool = field(default=True, init=False)

    @property
    def name(self) -> str:
        return f"pymoo in this process, dialect {self.dialect_name}"

    def start(self, database: bytes) -> RunningServer:
        return MemoryServer(database, dialect(self.dialect_name))
