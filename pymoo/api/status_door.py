"""Questions about a server, asked on its own machine: status, health and metrics.

`pymoo status` asks at a socket beside the database file; it is the user's own, as the
file is.  With ``--metrics-port`` the figures are at a port of loopback as well, for
programs that watch over servers.  Both speak HTTP, and answer to

    /healthz   200 if the world answers, whatever else is wrong, which is told; else 503
    /metrics   the figures, as Prometheus reads them
    /status    the same as JSON, for `pymoo status`; at the socket alone

There is no token: the figures tell nothing of players or programs but how many there
are, and nothing can be changed.  The door has a thread of its own (see
`api.http_server` for what that must not do).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from http import HTTPStatus
from typing import Final

from pymoo.api.door_thread import DoorThread
from pymoo.errors import PymooError
from pymoo.server.app import Server
from pymoo.server.exposition import CONTENT_TYPE, exposition
from pymoo.server.figures import Figures

_LOOPBACK: Final = "127.0.0.1"
_NAMES: Final = (_LOOPBACK, "localhost", "[::1]")
_HEAD_BYTES: Final = 8_192
_CLIENTS: Final = 16
_PATIENCE_S: Final = 5.0
"""How long a client may take to ask, and to take the answer."""

ANSWER_S: Final = 2.0
"""How long one waits for the world."""


class StatusError(PymooError):
    """The figures of a server cannot be offered, or asked for."""


def socket_path(database: str) -> str:
    """Return where a server that saves to ``database`` answers to `pymoo status`."""
    return f"{database}.status"


@contextlib.contextmanager
def short_path(path: str) -> Iterator[str]:
    """Yield another path of a socket, as those of sockets may not be long.

    Raises: OSError.
    """
    folder, name = os.path.split(os.path.abspath(path))
    if len(os.fsencode(path)) < 100 or not os.path.isdir("/proc/self/fd"):
        yield path
        return
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{number}/{name}"
    finally:
        os.close(number)


class StatusDoor:
    """Answers questions about one server, as a `serving.Door`."""

    def __init__(self, path: str | None, port: int | None = None) -> None:
        """``path``: of the socket; ``port``: for metrics, 0 for any free one."""
        self._path: Final = path
        self._asked_port: Final = port
        self._local: socket.socket | None = None
        self._public: socket.socket | None = None
        self._figures: Figures | None = None
        self._post: Callable[[Callable[[], None]], bool] = lambda work: False
        self._clients: Final[dict[asyncio.Task[None], asyncio.StreamWriter]] = {}
        self._thread: Final = DoorThread(
            "status",
            self._serve,
            lambda error: self._note_bug("answering questions about the server", error),
            self._descriptors,
        )
        self._log: Callable[[str, BaseException], None] | None = None

    @property
    def port(self) -> int | None:
        """Where metrics are, once that is bound."""
        if self._public is None:
            return None
        number: int = self._public.getsockname()[1]
        return number

    def bind(self) -> None:
        """Take the port.  Raises: StatusError."""
        if self._asked_port is not None:
            try:
                self._public = socket.create_server(
                    (_LOOPBACK, self._asked_port), backlog=_CLIENTS
                )
            except (OSError, OverflowError) as error:
                raise StatusError(
                    f"metrics cannot be offered at {_LOOPBACK}, port "
                    f"{self._asked_port}: {error}. Choose another port"
                ) from error

    def open(self, server: Server, post: Callable[[Callable[[], None]], bool]) -> None:
        """Answer from now on."""
        assert server.figures is not None
        self._figures, self._post = server.figures, post
        self._log = lambda doing, error: server.log_file.bug(doing, error)
        if self._path is not None:  # not sooner: a start that fails leaves nothing
            try:
                self._local = _bound(self._path)
            except OSError as error:  # no reason not to serve
                server.log_file.os_error(
                    f"Making {self._path}, where pymoo status asks", error
                )
        self._thread.start(server)
        if self.port is not None:
            server.log(f"LISTEN: metrics at {_LOOPBACK}, port {self.port}")

    def close(self) -> None:
        """Answer no more."""
        self._thread.stop()
        if self._local is not None and self._path is not None:
            with contextlib.suppress(OSError):
                os.remove(self._path)

    def _descriptors(self) -> list[int]:
        sockets = [self._local, self._public]
        numbers = [each.fileno() for each in sockets if each is not None]
        for writer in [*self._clients.values()]:
            connected = writer.get_extra_info("socket")
            numbers.append(-1 if connected is None else connected.fileno())
        return numbers

    # --- the thread ---------------------------------------------------------

    def _note_bug(self, doing: str, error: BaseException) -> None:
        log = self._log
        if log is not None:
            self._post(lambda: log(doing, error))

    async def _serve(self, began: Callable[[], None], stop: asyncio.Event) -> None:
        acceptors = []
        if self._local is not None:
            acceptors.append(
                await asyncio.start_unix_server(
                    lambda reader, writer: self._arrived(reader, writer, local=True),
                    sock=self._local,
                    limit=_HEAD_BYTES,
                )
            )
        if self._public is not None:
            acceptors.append(
                await asyncio.start_server(
                    lambda reader, writer: self._arrived(reader, writer, local=False),
                    sock=self._public,
                    limit=_HEAD_BYTES,
                )
            )
        began()
        await stop.wait()
        for acceptor in acceptors:
            acceptor.close()
        for task in [*self._clients]:
            task.cancel()
        if self._clients:
            await asyncio.wait([*self._clients])

    async def _arrived(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        local: bool,
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._clients) >= _CLIENTS:
            writer.transport.abort()
            return
        self._clients[task] = writer
        try:
            async with asyncio.timeout(_PATIENCE_S + ANSWER_S):
                await self._answer(reader, writer, local=local)
        except (
            TimeoutError,
            OSError,
            asyncio.CancelledError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
        ):
            pass  # the client has gone, or is none
        except Exception as error:  # noqa: BLE001  (a bug ends one client alone)
            self._note_bug("answering a question about the server", error)
        finally:
            del self._clients[task]
            writer.transport.abort()

    async def _answer(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        local: bool,
    ) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *headers = head.split("\r\n")
        words = first.split(" ")
        status, kind, body = 400, "text/plain", "this is not HTTP\n"
        if len(words) == 3 and words[2].startswith("HTTP/1."):
            path = words[1].partition("?")[0]
            if not local and not _names_this_machine(headers):
                status, body = 421, "requests must name this machine: use localhost\n"
            elif words[0] not in ("GET", "HEAD"):
                status, body = 405, "only GET and HEAD here\n"
            else:
                status, kind, body = await self._page(path, local=local)
        data = body.encode()
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            f"Content-Type: {kind}",
            f"Content-Length: {len(data)}",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
            "Connection: close",
        ]
        if status == 405:
            lines.append("Allow: GET, HEAD")
        writer.write("\r\n".join([*lines, "", ""]).encode("ascii"))
        if words[0] != "HEAD":
            writer.write(data)
        await writer.drain()
        writer.write_eof()
        while await reader.read(_HEAD_BYTES):  # or the system would break it off
            pass

    async def _page(self, path: str, *, local: bool) -> tuple[int, str, str]:
        """Return status, type and text of what is at ``path``."""
        figures = self._figures
        assert figures is not None

        def make(lag: float) -> tuple[int, str, str]:
            if path == "/healthz":
                return _health(figures)
            if path == "/metrics":
                return 200, CONTENT_TYPE, exposition(figures.families(lag))
            return 200, "application/json", json.dumps(figures.status(lag)) + "\n"

        if path not in ("/healthz", "/metrics") and not (path == "/status" and local):
            return 404, "text/plain", "there are /healthz and /metrics\n"
        asked_at = time.monotonic()
        answer: Future[tuple[int, str, str]] = Future()

        def ask() -> None:
            # Whoever asked may have given up meanwhile.
            if answer.set_running_or_notify_cancel():
                try:
                    answer.set_result(make(time.monotonic() - asked_at))
                except Exception as error:  # noqa: BLE001  (whoever asked gets it)
                    answer.set_exception(error)

        if not self._post(ask):
            return 503, "text/plain", "stopping\n"
        try:
            async with asyncio.timeout(ANSWER_S):
                return await asyncio.wrap_future(answer)
        except TimeoutError:
            return 503, "text/plain", "busy\n"


def _health(figures: Figures) -> tuple[int, str, str]:
    # Whoever restarts what is not healthy must not do so because, say, a disk is full.
    lines = figures.troubles() or ["ok"]
    return 200, "text/plain", "".join(f"{line}\n" for line in lines)


def _names_this_machine(headers: list[str]) -> bool:
    """Whether the header Host is one of loopback: no page of another may ask."""
    for header in headers:
        name, _, value = header.partition(":")
        if name.strip().lower() == "host":
            host = value.strip().lower()
            return host in _NAMES or host.rpartition(":")[0] in _NAMES
    return False


def _bound(path: str) -> socket.socket:
    """Return a socket that listens at ``path``, for this user alone.

    What a server that was killed has left there is replaced: its lock is gone, or
    this one would not have got so far.
    Raises: OSError.
    """
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_path(path) as place:
            mask = os.umask(0o177)
            try:
                made.bind(place)
            finally:
                os.umask(mask)
        made.listen(_CLIENTS)
    except BaseException:
        made.close()
        raise
    return made
