"""Servers for tests of runners: ours in this process, with ways to fail."""

from __future__ import annotations

from typing import Any

from attrs import define, field

from pymoo.conform.inprocess import InProcessLauncher
from pymoo.conform.servers import Link, LinkClosedError, RunningServer


class FragileLink:
    """A connection whose server dies when a certain text is sent."""

    def __init__(self, link: Link, deadly: bytes) -> None:
        self._link = link
        self._deadly = deadly
        self._is_dying = False

    def send(self, data: bytes) -> None:
        if self._deadly in data:
            self._is_dying = True
        if not self._is_dying:
            self._link.send(data)

    def receive(self, wait_s: float) -> bytes:
        # What was answered before is lost as well, as it is with a real server.
        if self._is_dying:
            raise LinkClosedError("the server died")
        return self._link.receive(wait_s)

    def close(self) -> None:
        self._link.close()


class FragileServer:
    def __init__(self, server: RunningServer, deadly: bytes) -> None:
        self._server = server
        self._deadly = deadly

    def connect(self, port: int | None = None) -> Link:
        return FragileLink(self._server.connect(port), self._deadly)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)


@define
class FragileLauncher:
    """Starts servers that die of a text."""

    deadly: str
    can_restart: bool = True
    at_once: int = 1
    starts: int = field(default=0, init=False)
    name: str = "fragile"

    def start(self, database: bytes) -> RunningServer:
        self.starts += 1
        server = InProcessLauncher("lambdamoo").start(database)
        return FragileServer(server, self.deadly.encode())
