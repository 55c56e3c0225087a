"""Requests over HTTP to a world that is being served.

The door has a thread and an event loop of its own: whatever clients do there, the world
sees nothing of it but requests that are complete and allowed (`api.wire`).  What may be
asked, and by whom, is decided in `_Client._check`, before a body is read.

Against other people's web pages: the token is in a header that no page can have sent
elsewhere without being allowed to, and nothing here allows it; at a loopback address
the name in the ``Host`` header must be one of loopback, so that no foreign name that
was made to point there gets through.

H1  One request at a time is read from a client, and answered before the next.
H2  Each wait for a client has an end, and each portion that it sends has a limit.
H3  Nothing of the server is changed in this thread, its log included: a process that is
    forked meanwhile would find half of it done.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ipaddress
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Final

from attrs import frozen

from pymoo.api.errors import WorldClosedError
from pymoo.api.gateway import Gateway
from pymoo.api.results import call_result, command_result, eval_result
from pymoo.api.wire import (
    CALL,
    COMMAND,
    EVAL,
    error_portions,
    request_of,
    result_portions,
    status_of,
)
from pymoo.errors import PymooError
from pymoo.server.app import Server
from pymoo.server.outside import Evaluation, VerbCall
from pymoo.values_json import read_json
from pymoo.values_limits import UnusableValueError, ValueLimits

MAX_HEAD: Final = 16_384
MAX_BODY: Final = 1 << 20
MAX_ANSWER: Final = 1 << 25
MAX_CLIENTS: Final = 32
"""How many are connected at a time."""
MAX_REQUESTS: Final = 16
"""How many tasks are waited for at a time."""

IDLE_S: Final = 60.0
"""How long a client may wait with its next request, or its first."""
HEAD_S: Final = 10.0
BODY_S: Final = 30.0
WRITE_S: Final = 30.0
LINGER_S: Final = 1.0
"""How long a client may take to notice that the connection is closed."""
HEALTH_S: Final = 2.0
STOP_S: Final = 1.0

_READ_AT_ONCE: Final = 65_536
_NAME: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::[0-9]+)?")
_LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")
_JSON: Final = re.compile(r"application/json *(;.*)?", re.IGNORECASE)
_POSTED: Final = {f"/v1/{name}": name for name in (CALL, EVAL, COMMAND)}
_HEALTH: Final = "/v1/health"


class HttpError(PymooError):
    """HTTP requests cannot be taken."""


class _RefusedError(PymooError):
    """A request gets no further; ``status`` is that of the answer."""

    def __init__(self, status: int, message: str, *headers: tuple[str, str]) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class _GoneError(Exception):
    """The client has gone, or is too slow for anything to be said to it."""


@frozen
class _Head:
    """What a request begins with."""

    method: str
    path: str
    headers: dict[str, str]


@frozen
class _Answer:
    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


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
    limits: ValueLimits


class HttpDoor:
    """Takes HTTP requests to one world, as a `serving.Door`."""

    def __init__(self, host: str, port: int, token: str) -> None:
        """Whoever knows ``token`` may do everything.  Raises: HttpError."""
        self.h11: Final = load_h11()
        self.host: Final = host
        self._asked_port: Final = port
        self._token: Final = token.encode("ascii")
        self.names: Final = (
            frozenset({*_LOOPBACK_NAMES, _as_name(host)}) if is_loopback(host) else None
        )
        """What the header Host may name; None for anything."""
        self._socket: socket.socket | None = None
        self._clients: Final[dict[asyncio.Task[None], _Client]] = {}
        self._opened: _Opened | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    # --- the server's side ------------------------------------------------------

    @property
    def world(self) -> _Opened:
        """The world that the door leads to, once it is open."""
        assert self._opened is not None
        return self._opened

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
                (self.host, self._asked_port), family=family, backlog=MAX_CLIENTS
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
        server.let_go.append(self._close_copies)
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._work, args=(ready,), name="http", daemon=True
        )
        self._thread.start()
        ready.wait()
        server.log(f"LISTEN: HTTP requests at {self.host}, port {self.port}")

    def close(self) -> None:
        """Answer those who wait that the server stops, and end the thread."""
        if self._thread is None:
            return
        self.world.gateway.close("the server is stopping")
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(stop.set)
        self._thread.join()

    def _close_copies(self) -> None:
        """In a forked process, which has only the thread that forked."""
        assert self._socket is not None
        numbers = [client.socket_number for client in [*self._clients.values()]]
        for number in (self._socket.fileno(), *numbers):
            if number >= 0:
                with contextlib.suppress(OSError):
                    os.close(number)

    # --- the thread ---------------------------------------------------------------

    def _work(self, ready: threading.Event) -> None:
        try:
            asyncio.run(self._serve(ready))
        except Exception as error:  # noqa: BLE001  (the world goes on without)
            self.note_bug("taking HTTP requests", error)
        finally:
            ready.set()

    async def _serve(self, ready: threading.Event) -> None:
        loop = self._loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._note_trouble)
        stop = self._stop = asyncio.Event()
        acceptor = await asyncio.start_server(
            self._arrived, sock=self._socket, limit=_READ_AT_ONCE
        )
        ready.set()
        await stop.wait()
        acceptor.close()
        for seconds in (STOP_S, None):
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
        client = _Client(self, reader, writer)
        is_full = len(self._clients) >= MAX_CLIENTS
        if not is_full:
            self._clients[task] = client
        try:
            if is_full:
                await client.refuse(
                    _RefusedError(503, "too many clients: come back later")
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


class _Client:
    """One connection, from its first request to its last."""

    def __init__(
        self,
        door: HttpDoor,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._door: Final = door
        self._reader: Final = reader
        self._writer: Final = writer
        self._h11: Final = door.h11
        self._connection: Final = door.h11.Connection(
            door.h11.SERVER, max_incomplete_event_size=MAX_HEAD
        )
        self._method = ""
        self.is_idle = True
        """Whether nothing has come of the next request."""
        # An answer has left only when the system has all of it.
        writer.transport.set_write_buffer_limits(0)

    @property
    def socket_number(self) -> int:
        """The descriptor of the connection; -1 if it is closed."""
        number: int = self._writer.get_extra_info("socket").fileno()
        return number

    async def serve(self) -> None:
        """Answer one request after the other."""
        try:
            while await self._serve_one():
                self._connection.start_next_cycle()
        except (_GoneError, OSError):
            self._writer.transport.abort()
            return
        await self._end()

    async def refuse(self, refusal: _RefusedError) -> None:
        """Answer without having read anything, and close."""
        try:
            await self._send(_refusal_answer(refusal), is_last=True)
        except (_GoneError, OSError):
            self._writer.transport.abort()
            return
        await self._end()

    async def _serve_one(self) -> bool:
        """Answer the next request; False if there will be no other."""
        is_last = False
        try:
            head = await self._head()
            if head is None:
                return False
            is_last = True  # unless its body is read as well
            self._check(head)
            body = await self._body()
            is_last = False
            answer = await self._answer(head, body)
        except _RefusedError as refusal:
            answer = _refusal_answer(refusal)
            is_last = is_last or refusal.status in (400, 408)
        except self._h11.RemoteProtocolError as error:
            status: int = error.error_status_hint
            answer = _refusal_answer(_RefusedError(status, f"not HTTP: {error}"))
            is_last = True
        except (_GoneError, OSError):
            raise
        except Exception as error:  # noqa: BLE001  (a bug ends one request alone)
            self._door.note_bug("answering an HTTP request", error)
            answer = _refusal_answer(
                _RefusedError(500, "an error in pymoo; the log has all of it")
            )
            is_last = True
        await self._send(answer, is_last=is_last)
        return not is_last and self._connection.our_state is self._h11.DONE

    # --- reading ------------------------------------------------------------------

    async def _event(self, deadline: float, late: _RefusedError | None) -> Any:
        """Return what has come next.  ``late`` is the answer if nothing comes."""
        while True:
            event = self._connection.next_event()
            if event is not self._h11.NEED_DATA:
                return event
            try:
                async with asyncio.timeout_at(deadline):
                    data = await self._reader.read(_READ_AT_ONCE)
            except TimeoutError:
                if late is None:
                    raise _GoneError from None
                raise late from None
            self._connection.receive_data(data)
            self.is_idle = False
            if late is None and data:
                # A request has begun: now it must come to its end.
                late = _RefusedError(408, "the head of the request takes too long")
                deadline = _in(HEAD_S)

    async def _head(self) -> _Head | None:
        """Return the head of the next request; None if there will be none."""
        late: _RefusedError | None = None
        deadline = _in(IDLE_S)
        self.is_idle = not self._connection.trailing_data[0]
        if not self.is_idle:
            late = _RefusedError(408, "the head of the request takes too long")
            deadline = _in(HEAD_S)
        event = await self._event(deadline, late)
        if type(event) is self._h11.ConnectionClosed:
            return None
        self._method = event.method.decode("ascii")
        return _Head(
            self._method,
            event.target.decode("latin-1").partition("?")[0],
            # Of a header that comes twice the last counts; what matters here, h11
            # refuses to take twice.
            {
                name.decode("ascii"): value.decode("latin-1")
                for name, value in event.headers
            },
        )

    async def _body(self) -> bytes:
        """Return the body of the request."""
        if self._connection.they_are_waiting_for_100_continue:
            go_on = self._h11.InformationalResponse(status_code=100, headers=[])
            await self._write(self._connection.send(go_on))
        late = _RefusedError(408, "the body of the request takes too long")
        deadline = _in(BODY_S)
        parts: list[bytes] = []
        room = MAX_BODY
        while True:
            event = await self._event(deadline, late)
            if type(event) is self._h11.EndOfMessage:
                return b"".join(parts)
            room -= len(event.data)
            if room < 0:
                raise _too_large()
            parts.append(bytes(event.data))

    def _check(self, head: _Head) -> None:
        """Decide whether a request may go on, from its head alone.

        Raises: _RefusedError.
        """
        self._check_host(head.headers.get("host", ""))
        path, method = head.path, head.method
        if path != _HEALTH:
            self._check_token(head.headers.get("authorization", ""))
        if path != _HEALTH and path not in _POSTED:
            raise _RefusedError(404, f"there is nothing at {path[:80]}")
        allowed = "GET, HEAD" if path == _HEALTH else "POST"
        if method not in allowed.split(", "):
            raise _RefusedError(405, f"only {allowed} here", ("Allow", allowed))
        if method == "POST":
            if not _JSON.fullmatch(head.headers.get("content-type", "")):
                raise _RefusedError(
                    415, "the body must be JSON: send Content-Type: application/json"
                )
            length = head.headers.get("content-length", "0")
            if len(length) > 18 or int(length) > MAX_BODY:
                raise _too_large()

    def _check_host(self, host: str) -> None:
        names = self._door.names
        if names is None:
            return
        found = _NAME.fullmatch(host)
        if found is None or found[1].lower() not in names:
            raise _RefusedError(
                421, "requests to this machine must name it: use localhost"
            )

    def _check_token(self, authorization: str) -> None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not self._door.knows(token.strip()):
            raise _RefusedError(
                401,
                "the token is missing or wrong: send Authorization: Bearer TOKEN",
                ("WWW-Authenticate", 'Bearer realm="pymoo"'),
            )

    # --- answering ----------------------------------------------------------------

    async def _answer(self, head: _Head, body: bytes) -> _Answer:
        if head.path == _HEALTH:
            return await self._health()
        try:
            return await self._result(_POSTED[head.path], body)
        except PymooError as error:
            if isinstance(error, _RefusedError):
                raise
            return _Answer(status_of(error), await _joined(error_portions(error)))

    async def _health(self) -> _Answer:
        try:
            async with asyncio.timeout(HEALTH_S):
                await asyncio.shield(
                    asyncio.wrap_future(self._door.world.gateway.ping())
                )
        except TimeoutError:
            return _Answer(503, b'{"status": "busy"}')
        except WorldClosedError:
            return _Answer(503, b'{"status": "stopping"}')
        return _Answer(200, b'{"status": "ok"}')

    async def _result(self, path: str, body: bytes) -> _Answer:
        gateway = self._door.world.gateway
        asked = request_of(path, read_json(body), self._door.world.limits)
        if len(gateway) >= MAX_REQUESTS:
            raise _RefusedError(
                429,
                "too many requests are waiting: come back later",
                ("Retry-After", "1"),
            )
        outcome = await gateway.wait_async(asked.request, asked.timeout_s)
        if isinstance(asked.request, VerbCall):
            portions = result_portions(call_result(outcome, asked.timeout_s))
        elif isinstance(asked.request, Evaluation):
            portions = result_portions(eval_result(outcome, asked.timeout_s))
        else:
            portions = result_portions(command_result(outcome))
        return _Answer(200, await _joined(portions))

    async def _send(self, answer: _Answer, *, is_last: bool) -> None:
        """Send an answer, as far as one can be sent."""
        h11, connection = self._h11, self._connection
        if connection.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            raise _GoneError
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(answer.body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            *answer.headers,
        ]
        if is_last:
            headers.append(("Connection", "close"))
        data = connection.send(h11.Response(status_code=answer.status, headers=headers))
        if self._method != "HEAD":
            data += connection.send(h11.Data(data=answer.body))
        data += connection.send(h11.EndOfMessage())
        await self._write(data)

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        try:
            async with asyncio.timeout(WRITE_S):
                await self._writer.drain()
        except TimeoutError:
            raise _GoneError from None

    async def _end(self) -> None:
        """Close the connection so that the client still gets the answer.

        If something unread were left, the system would tell it to forget what it has
        not read yet.
        """
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(LINGER_S):
                if self._writer.can_write_eof():
                    self._writer.write_eof()
                while await self._reader.read(_READ_AT_ONCE):
                    pass
        self._writer.transport.abort()


def _too_large() -> _RefusedError:
    return _RefusedError(413, f"the body has more than {MAX_BODY} bytes")


def _refusal_answer(refusal: _RefusedError) -> _Answer:
    body = "".join(error_portions(refusal)).encode("ascii")
    return _Answer(refusal.status, body, refusal.headers)


async def _joined(portions: Iterator[str]) -> bytes:
    """Return an answer's body, made while other clients are served.

    Raises: UnusableValueError if it becomes too large.
    """
    parts: list[bytes] = []
    room = MAX_ANSWER
    for portion in portions:
        parts.append(portion.encode("ascii"))
        room -= len(portion)
        if room < 0:
            raise UnusableValueError(
                f"the answer has more than {MAX_ANSWER} bytes: ask for parts of it"
            )
        await asyncio.sleep(0)
    return b"".join(parts)


def _in(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def _as_name(host: str) -> str:
    """Return an address as the header Host writes it."""
    return f"[{host}]" if ":" in host else host
