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
from typing import Final

from attrs import define

from pymoo.db.journal_file import fingerprint
from pymoo.errors import PymooError
from pymoo.lang.dialect import Dialect
from pymoo.options import DEFAULT_PORT
from pymoo.server.app import Server, ServerSettings
from pymoo.server.database import Database, open_database
from pymoo.server.disk_journal import Origin
from pymoo.server.dumps import DumpFiles
from pymoo.server.durability import Durability
from pymoo.server.log import Log
from pymoo.server.memory_network import Client, MemoryNetwork
from pymoo.tasks.clock import CpuStopwatch, ManualClock

MAX_TURNS: Final = 1_000_000


class EndlessRunError(PymooError):
    """A server had something to do again and again, without end."""


@define
class HandClock(ManualClock):
    """Time passes by hand, CPU seconds are real: runaway tasks end as they should."""

    def stopwatch(self) -> CpuStopwatch:
        return CpuStopwatch()


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
        self.network: Final = MemoryNetwork()
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
        if settings.durability is not Durability.OFF:
            assert files.output_path is not None
            origin = Origin(fingerprint(files.input_path))
            self.server.begin_journal(files.output_path, origin)
        self.server.adopt(self.network.bind(port), port)
        self.server.start()
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
        durability: Durability = Durability.OFF,
    ) -> InProcessServer:
        """Start a server with a database file.  Raises: PymooError."""
        return cls(
            open_database(path, dialect, check=check),
            DumpFiles(os.fspath(path), os.fspath(output_path)),
            ServerSettings(
                dialect,
                width=dialect.default_width,
                seed=seed,
                durability=durability,
            ),
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
        wire = self.network.new_wire(self.server.connections)
        self._next_source += 2
        self.server.connections.arrive(
            point.listener, wire, f"{host}, port {self._next_source}"
        )
        return Client(wire)

    def run(self) -> None:
        """Go on until there is nothing to do at the present time.

        Raises: EndlessRunError if that does not come about.
        """
        server, network = self.server, self.network
        for _ in range(MAX_TURNS):
            if server.is_stopping:
                self._stop()
                return
            network.deliver(server.connections)
            server.turn()
            if not network.has_input and server.seconds_until_next() != 0:
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
