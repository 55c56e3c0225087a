"""A server with real sockets, in a thread of the test's own process."""

from __future__ import annotations

import asyncio
import io
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pymoo.lang.dialect import LAMBDAMOO
from pymoo.server.app import Server, ServerSettings
from pymoo.server.connection import Connection
from pymoo.server.database import open_database
from pymoo.server.dumps import DumpFiles
from pymoo.server.listener import Addresses, SocketNetwork
from pymoo.server.log import Log
from pymoo.server.main_loop import MainLoop
from pymoo.tasks.clock import SystemClock
from pymoo.values import Obj
from tests.server.online import write_database
from tests.server.talking import PATIENCE_S, Talker

T = TypeVar("T")


class SocketServer:
    """Serves the small world until `stop`."""

    def __init__(
        self,
        folder: Path,
        *,
        outbound: bool = False,
        find_name: Callable[[str], str | None] = lambda address: "localhost",
        **contents: Any,
    ) -> None:
        path = write_database(folder / "in.db", **contents)
        self.output = folder / "out.db"
        self.log_stream = io.BytesIO()
        clock = SystemClock()
        log = Log(clock, self.log_stream)
        self.loop = asyncio.SelectorEventLoop()
        self.network = SocketNetwork(
            self.loop, Addresses(), clock, log, find_name=find_name
        )
        database = open_database(path, LAMBDAMOO)
        self.server = Server(
            database.textdump,
            DumpFiles(str(path), str(self.output)),
            self.network,
            clock,
            log,
            ServerSettings(LAMBDAMOO, outbound=outbound),
            builtins=database.builtins,
            loader=database.loader,
            forks=False,
        )
        self.network.attach(self.server.connections)
        self.server.load_options()
        point = self.network.bind(0)
        self.port = point.port
        self.server.adopt(point, 0)
        self.server.start()
        self.main_loop = MainLoop(self.server, self.loop)
        self.network.wake = self.main_loop.wake
        self.thread = threading.Thread(target=self.main_loop.run)
        self.thread.start()

    def stop(self) -> None:
        """Shut down; nothing is saved."""

        def request() -> None:
            self.server.request_shutdown("test")
            self.main_loop.wake()

        self.loop.call_soon_threadsafe(request)
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()
        self.server.stop()
        self.network.close()
        self.loop.close()

    def talker(self, **options: Any) -> Talker:
        return Talker(self.port, **options)

    def ask(self, question: Callable[[], T]) -> T:
        """Return what ``question`` gives in the server's thread."""
        answers: list[T] = []
        asked = threading.Event()

        def answer() -> None:
            answers.append(question())
            asked.set()

        self.loop.call_soon_threadsafe(answer)
        assert asked.wait(PATIENCE_S)
        return answers[0]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until the server's thread finds ``condition`` to hold."""
        end = time.monotonic() + PATIENCE_S
        while not self.ask(condition):
            assert time.monotonic() < end, "it did not come about"
            time.sleep(0.005)

    def connection(self, player: int) -> Connection:
        return self.server.connections._by_player[Obj(player)]

    @property
    def log(self) -> list[str]:
        """The log, without the times."""
        text = self.log_stream.getvalue().decode("latin-1")
        return [line[17:] for line in text.splitlines()]
