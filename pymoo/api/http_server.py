"""Requests over HTTP to a world that is being served.

The door has a thread and an event loop of its own: whatever clients do there
(`http_exchange`), the world sees nothing of it but requests that are complete and
allowed.  Nothing of the server is changed in this thread, its log included: a process
that is forked meanwhile would find half of it done.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import socket
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from pymoo.api.door_thread import DoorThread
from pymoo.api.gateway import Gateway
from pymoo.api.http_exchange import (
    READ_AT_ONCE,
    HttpClient,
    HttpLimits,
    RefusedError,
)
from pymoo.errors import PymooError
from pymoo.server.app import Server
from pymoo.values_limits import ValueLimits

if TYPE_CHECKING:
    from pymoo.server.job_desk import JobDesk

_LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")


class HttpError(PymooError):
    """HTTP requests cannot be taken."""


def load_h11() -> ModuleType:
    """Return the library that knows HTTP.  Raises: HttpError."""
    try:
        import h11
    except ImportError:
        raise HttpError(
            "HTTP needs the library h11, which is not installed. Install it: "
            'pip install "lambdamoo-python[http]"'
        ) from None
    module: ModuleType = h11
    return module


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@frozen
class _Opened:
    """What the thread of a door needs of the world."""

    server: Server
    post: Callable[[Callable[[], None]], bool]
    gateway: Gateway
    value_limits: ValueLimits


class HttpDoor:
    """Takes HTTP requests to one world, as a `serving.Door`."""

    def __init__(
        self, host: str, port: int, token: str, limits: HttpLimits | None = None
    ) -> None:
        """Whoever knows ``token`` may do everything.  Raises: HttpError."""
        self.limits: Final = HttpLimits() if limits is None else limits
        self.h11: Final = load_h11()
        self.host: Final = host
        self._asked_port: Final = port
        self._token: Final = token.encode("ascii")
        self.names: Final = (
            frozenset({*_LOOPBACK_NAMES, _as_name(host)}) if is_loopback(host) else None
        )
        """What the header Host may name; None for anything."""
        self._socket: socket.socket | None = None
        self._clients: Final[dict[asyncio.Task[None], HttpClient]] = {}
        self._opened: _Opened | None = None
        self._thread: Final = DoorThread(
            "http",
            self._serve,
            lambda error: self.note_bug("taking HTTP requests", error),
            self._descriptors,
        )

    # --- the server's side ------------------------------------------------------

    @property
    def world(self) -> _Opened:
        """The world that the door leads to, once it is open."""
        assert self._opened is not None
        return self._opened

    @property
    def gateway(self) -> Gateway:
        """The way to the world, once the door is open."""
        return self.world.gateway

    @property
    def value_limits(self) -> ValueLimits:
        """What values of the world can be."""
        return self.world.value_limits

    @property
    def jobs(self) -> JobDesk | None:
        """Where jobs are asked for; None if there are none."""
        return self.world.server.job_desk

    @property
    def port(self) -> int:
        """Where requests are taken, once that is bound."""
        assert self._socket is not None
        port: int = self._socket.getsockname()[1]
        return port

    def bind(self) -> None:
        """Take the port.  Raises: HttpError."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            self._socket = socket.create_server(
                (self.host, self._asked_port),
                family=family,
                backlog=self.limits.clients,
            )
        except (OSError, UnicodeError, OverflowError) as error:
            place = f"{self.host or 'all addresses'}, port {self._asked_port}"
            raise HttpError(
                f"HTTP requests cannot be taken at {place}: {error}. Choose another "
                "port or address"
            ) from error

    def open(self, server: Server, post: Callable[[Callable[[], None]], bool]) -> None:
        """Take requests from now on."""
        engine = server.engine
        self._opened = _Opened(
            server,
            post,
            Gateway(server.outside, post),
            ValueLimits(engine.ops.width, engine.encoding),
        )
        self._thread.start(server)
        server.log(f"LISTEN: HTTP requests at {self.host}, port {self.port}")

    def close(self) -> None:
        """Answer those who wait that the server stops, and end the thread."""
        if self._opened is not None:
            self.gateway.close("the server is stopping")
        self._thread.stop()

    def _descriptors(self) -> list[int]:
        assert self._socket is not None
        numbers = [client.socket_number for client in [*self._clients.values()]]
        return [self._socket.fileno(), *numbers]

    # --- the thread ---------------------------------------------------------------

    async def _serve(self, began: Callable[[], None], stop: asyncio.Event) -> None:
        asyncio.get_running_loop().set_exception_handler(self._note_trouble)
        acceptor = await asyncio.start_server(
            self._arrived, sock=self._socket, limit=READ_AT_ONCE
        )
        began()
        await stop.wait()
        acceptor.close()
        for seconds in (self.limits.stop_s, None):
            for task, client in [*self._clients.items()]:
                if client.is_idle or seconds is None:
                    task.cancel()
            if self._clients:
                await asyncio.wait([*self._clients], timeout=seconds)

    def _note_trouble(
        self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]
    ) -> None:
        """Log what the event loop could not do, such as accept a connection."""
        message, error = context["message"], context.get("exception")
        if isinstance(error, OSError):
            world = self.world
            world.post(lambda: world.server.log_file.os_error(message, error))
        elif isinstance(error, BaseException):
            self.note_bug(message, error)

    def note_bug(self, doing: str, error: BaseException) -> None:
        """Log an error that is pymoo's own fault."""
        world = self.world
        world.post(lambda: world.server.log_file.bug(doing, error))

    async def _arrived(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        client = HttpClient(self, reader, writer)
        is_full = len(self._clients) >= self.limits.clients
        if not is_full:
            self._clients[task] = client
        try:
            if is_full:
                await client.refuse(
                    RefusedError(503, "too many clients: come back later")
                )
            else:
                await client.serve()
        except asyncio.CancelledError:
            writer.transport.abort()
        except Exception as error:  # noqa: BLE001  (a bug ends one client alone)
            writer.transport.abort()
            self.note_bug("serving an HTTP client", error)
        finally:
            self._clients.pop(task, None)

    def knows(self, token: str) -> bool:
        """Whether ``token`` is the right one, in a time that tells nothing of it."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self._token)


def _as_name(host: str) -> str:
    """Return an address as the header Host writes it."""
    return f"[{host}]" if ":" in host else host
