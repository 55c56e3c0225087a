"""A server without sockets, files' own time or threads: for tests and tools.

`InProcessServer` drives a `Server` by hand.  A `Client` stands for a connection: what
is sent through it arrives at the next `InProcessServer.run`, which goes on until
there is nothing left to do at the present time.  Time passes only in
`InProcessServer.advance`.

    server = InProcessServer.open("Minimal.db", "out.db", dialect("lambdamoo"))
    client = server.connect()
    client.send_line("connect wizard")
    server.run()
    print(client.take_lines())
"""

from __future__ import annotations

import io
import os
import time
from typing import Final

from attrs import define

from pymoo.errors import MooError, PymooError
from pymoo.lang.dialect import Dialect
from pymoo.server.app import Server, ServerSettings
from pymoo.server.connection import Connection
from pymoo.server.connections import ConnectionTable
from pymoo.server.database import Database, open_database
from pymoo.server.dumps import DumpFiles
from pymoo.server.listening import Listener
from pymoo.server.log import Log
from pymoo.server.network import NetworkError
from pymoo.server.telnet import CHUNK_SIZE
from pymoo.tasks.clock import ManualClock
from pymoo.values import E_INVARG

DEFAULT_PORT: Final = 7777
MAX_TURNS: Final = 1_000_000


class EndlessRunError(PymooError):
    """A server had something to do again and again, without end."""


@define
class HandClock(ManualClock):
    """Time passes by hand, CPU seconds are real: runaway tasks end as they should."""

    def cpu(self) -> float:
        return time.process_time()


class FakeWire:
    """One connection, in memory."""

    def __init__(self) -> None:
        self.table: ConnectionTable | None = None
        self.connection: Connection | None = None
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.is_reading = False
        self.is_closed = False
        # How many bytes the other side still takes; None: any number.
        self.window: int | None = None
        self.wants_to_write = False

    def start(self, connection: Connection) -> None:
        self.connection = connection
        self.is_reading = True

    def send(self, data: bytes) -> int:
        if self.is_closed:
            return 0
        if self.window is not None:
            data = data[: self.window]
            self.window -= len(data)
        self.outbox += data
        return len(data)

    def tell_when_writable(self) -> None:
        self.wants_to_write = True

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True

    def close(self) -> None:
        self.is_closed = True
        self.is_reading = False


class FakePoint:
    """A listening point, in memory."""

    def __init__(self, network: FakeNetwork, port: int) -> None:
        self._network: Final = network
        self._port: Final = port
        self.listener: Listener | None = None

    @property
    def port(self) -> int:
        return self._port

    def start(self, listener: Listener) -> None:
        self.listener = listener

    def close(self) -> None:
        del self._network.points[self._port]


class FakeNetwork:
    """Listening points and connections, in memory."""

    def __init__(self) -> None:
        self.points: dict[int, FakePoint] = {}
        self.wires: list[FakeWire] = []

    def bind(self, port: int) -> FakePoint:
        if port == 0:
            port = next(n for n in range(49_152, 65_536) if n not in self.points)
        if port in self.points:
            raise NetworkError(
                "Binding listening socket", OSError(98, "Address already in use")
            )
        point = self.points[port] = FakePoint(self, port)
        return point

    def close_copies(self) -> None:
        """Nothing of it is shared with another process."""

    def open_outbound(
        self, host: str, port: int, *, lookup_s: int, connect_s: int
    ) -> tuple[FakeWire, int]:
        raise MooError(E_INVARG)  # there are no other computers here


class Client:
    """The other end of a connection."""

    def __init__(self, wire: FakeWire) -> None:
        self._wire: Final = wire
        self._has_hung_up = False

    def send(self, data: bytes) -> None:
        """Send bytes; they arrive when the server runs."""
        if not self._wire.is_closed:
            self._wire.inbox += data

    def send_line(self, line: str) -> None:
        """Send a line of Latin-1 text."""
        self.send(line.encode("latin-1") + b"\r\n")

    def take(self) -> bytes:
        """Return what has come since the last time."""
        data = bytes(self._wire.outbox)
        self._wire.outbox.clear()
        return data

    def take_lines(self) -> list[str]:
        """Return the lines that have come; what has no end yet is the last one."""
        text = self.take().decode("latin-1")
        return text.removesuffix("\r\n").split("\r\n") if text else []

    @property
    def was_closed(self) -> bool:
        """Whether the server has closed the connection."""
        return self._wire.is_closed and not self._has_hung_up

    def close(self) -> None:
        """Hang up."""
        wire = self._wire
        if wire.is_closed:
            return
        self._has_hung_up = True
        wire.is_reading = False
        wire.window = 0
        if wire.table is not None and wire.connection is not None:
            wire.table.client_closed(wire.connection)

    def take_slowly(self, window: int) -> None:
        """Take no more than so many bytes from now on, until told otherwise."""
        self._wire.window = window
        if window and self._wire.wants_to_write:
            self._wire.wants_to_write = False
            assert self._wire.table is not None
            assert self._wire.connection is not None
            self._wire.table.writable(self._wire.connection)


class InProcessServer:
    """A server that runs when it is told to."""

    def __init__(
        self,
        database: Database,
        files: DumpFiles,
        settings: ServerSettings,
        *,
        clock: ManualClock | None = None,
        port: int = DEFAULT_PORT,
    ) -> None:
        self.clock: Final = HandClock() if clock is None else clock
        self.log_stream: Final = io.BytesIO()
        self.network: Final = FakeNetwork()
        self.port: Final = port
        log = Log(self.clock, self.log_stream, encoding=settings.encoding)
        self.server: Final = Server(
            database.textdump,
            files,
            self.network,
            self.clock,
            log,
            settings,
            builtins=database.builtins,
            loader=database.loader,
            forks=False,
            slice_s=0,
        )
        self.server.load_options()
        self.server.start(self.network.bind(port), port)
        self._next_source = 40_000
        self._has_stopped = False
        self.run()

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        output_path: str | os.PathLike[str],
        dialect: Dialect,
        *,
        clock: ManualClock | None = None,
        check: bool = False,
        seed: int | None = None,
    ) -> InProcessServer:
        """Start a server with a database file.  Raises: PymooError."""
        return cls(
            open_database(path, dialect, check=check),
            DumpFiles(os.fspath(path), os.fspath(output_path)),
            ServerSettings(dialect, width=dialect.default_width, seed=seed),
            clock=clock,
        )

    @property
    def log_lines(self) -> list[str]:
        """The log so far."""
        return self.log_stream.getvalue().decode("latin-1").splitlines()

    @property
    def has_stopped(self) -> bool:
        """Whether the server has shut down."""
        return self._has_stopped

    def connect(self, port: int | None = None, host: str = "localhost") -> Client:
        """Open a connection; the server greets it when it runs."""
        point = self.network.points[self.port if port is None else port]
        assert point.listener is not None
        wire = FakeWire()
        wire.table = self.server.connections
        self.network.wires.append(wire)
        self._next_source += 2
        self.server.connections.arrive(
            point.listener, wire, f"{host}, port {self._next_source}"
        )
        return Client(wire)

    def run(self) -> None:
        """Go on until there is nothing to do at the present time.

        Raises: EndlessRunError if that does not come about.
        """
        server = self.server
        for _ in range(MAX_TURNS):
            if server.is_stopping:
                self._stop()
                return
            came = self._deliver()
            server.turn()
            if not came and server.seconds_until_next() != 0 and not self._has_input():
                return
        raise EndlessRunError(
            f"after {MAX_TURNS} turns there is still something to do: does a task "
            "suspend for 0 seconds for ever?"
        )

    def _stop(self) -> None:
        if not self._has_stopped:
            self._has_stopped = True
            self.server.stop()
            self.server.save()

    def _has_input(self) -> bool:
        return any(wire.inbox and wire.is_reading for wire in self.network.wires)

    def _deliver(self) -> bool:
        """Let one portion of each connection's input arrive."""
        came = False
        wires = self.network.wires
        for wire in [*wires]:
            if wire.is_closed:
                wires.remove(wire)
            elif wire.inbox and wire.is_reading:
                data = bytes(wire.inbox[:CHUNK_SIZE])
                del wire.inbox[:CHUNK_SIZE]
                assert wire.connection is not None
                self.server.connections.received(wire.connection, data)
                came = True
        return came

    def advance(self, seconds: float) -> None:
        """Let time pass; what becomes due meanwhile runs at its time.

        What is due at the end only because something else woke the server then
        (`Scheduler.seconds_until_next`) waits for that.
        """
        end = self.clock.now() + seconds
        self.run()
        while not self._has_stopped:
            wait = self.server.seconds_until_next()
            if wait is None or self.clock.now() + wait > end:
                break
            self.clock.advance(wait)
            self.run()
        self.clock.seconds = max(end, self.clock.now())

    def shut_down(self, reason: str = "shutdown signal received") -> None:
        """Stop as at a signal, and save."""
        self.server.request_shutdown(reason)
        self.run()
