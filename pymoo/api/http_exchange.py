"""One HTTP client: its requests, read and checked, and the answers to them.

What may be asked, and by whom, is decided in `HttpClient._check` before a body is read.

Against other people's web pages: the token is in a header that no page can have sent
elsewhere without being allowed to, and nothing here allows it; at a loopback address
the name in the ``Host`` header must be one of loopback, so that no foreign name that
was made to point there gets through.

H1  One request at a time is read from a client, and answered before the next.
H2  Each wait for a client has an end, and each portion that it sends has a limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator
from http import HTTPStatus
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Protocol

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
from pymoo.server.outside import Evaluation, VerbCall
from pymoo.values_json import read_json
from pymoo.values_limits import UnusableValueError, ValueLimits

if TYPE_CHECKING:
    from pymoo.server.job_desk import JobDesk

READ_AT_ONCE: Final = 65_536

_NAME: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::[0-9]+)?")
_JSON: Final = re.compile(r"application/json *(;.*)?", re.IGNORECASE)
_POSTED: Final = {f"/v1/{name}": name for name in (CALL, EVAL, COMMAND)}
_HEALTH: Final = "/v1/health"
_JOBS: Final = re.compile(r"/v1/jobs(?:/([0-9]{1,18}))?")


@frozen
class HttpLimits:
    """How much, and for how long."""

    head_bytes: int = 16_384
    body_bytes: int = 1 << 20
    answer_bytes: int = 1 << 25
    clients: int = 32  # connected at a time
    requests: int = 16  # tasks that are waited for at a time

    idle_s: float = 60.0  # until a request begins
    head_s: float = 10.0
    body_s: float = 30.0
    write_s: float = 30.0
    linger_s: float = 1.0  # for a client to notice that the connection is closed
    health_s: float = 2.0  # for the world to answer
    stop_s: float = 1.0  # for answers, when the server stops


class Desk(Protocol):
    """What a client needs to know of the door that it came through."""

    @property
    def h11(self) -> ModuleType:
        """The library that knows HTTP."""

    @property
    def limits(self) -> HttpLimits: ...

    @property
    def names(self) -> frozenset[str] | None:
        """What the header Host may name; None for anything."""

    @property
    def gateway(self) -> Gateway: ...

    @property
    def value_limits(self) -> ValueLimits: ...

    @property
    def jobs(self) -> JobDesk | None:
        """Where jobs are asked for; None if there are none."""

    def knows(self, token: str) -> bool:
        """Whether ``token`` is the right one."""

    def note_bug(self, doing: str, error: BaseException) -> None:
        """Log an error that is pymoo's own fault."""


class RefusedError(PymooError):
    """A request gets no further; ``status`` is that of the answer."""

    def __init__(self, status: int, message: str, *headers: tuple[str, str]) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class _GoneError(Exception):
    """The client has gone, or is too slow for anything to be said to it."""


@frozen
class Head:
    """What a request begins with."""

    method: str
    path: str
    query: str
    headers: dict[str, str]

    @property
    def allowed(self) -> str | None:
        """The methods that the path has; None if there is nothing."""
        if self.path == _HEALTH:
            return "GET, HEAD"
        if self.path in _POSTED:
            return "POST"
        job = _JOBS.fullmatch(self.path)
        if job is None:
            return None
        return "GET, HEAD, POST" if job[1] is None else "GET, HEAD, DELETE"


@frozen
class Answer:
    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class HttpClient:
    """One connection, from its first request to its last."""

    def __init__(
        self,
        desk: Desk,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._desk: Final = desk
        self._limits: Final = desk.limits
        self._reader: Final = reader
        self._writer: Final = writer
        self._h11: Final = desk.h11
        self._connection: Final = desk.h11.Connection(
            desk.h11.SERVER, max_incomplete_event_size=desk.limits.head_bytes
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

    async def refuse(self, refusal: RefusedError) -> None:
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
        # Of a request that cannot be read nobody knows what it is.
        self._method = ""
        try:
            head = await self._head()
            if head is None:
                return False
            is_last = True  # unless its body is read as well
            self._check(head)
            body = await self._body()
            is_last = False
            answer = await self._answer(head, body)
        except RefusedError as refusal:
            answer = _refusal_answer(refusal)
            is_last = is_last or refusal.status in (400, 408)
        except self._h11.RemoteProtocolError as error:
            status: int = error.error_status_hint
            # What follows a colon is the line itself, which may have the token in it.
            reason = str(error).partition(":")[0]
            answer = _refusal_answer(RefusedError(status, f"not HTTP: {reason}"))
            is_last = True
        except (_GoneError, OSError):
            raise
        except Exception as error:  # noqa: BLE001  (a bug ends one request alone)
            self._desk.note_bug("answering an HTTP request", error)
            answer = _refusal_answer(
                RefusedError(500, "an error in pymoo; the log has all of it")
            )
            is_last = True
        await self._send(answer, is_last=is_last)
        return not is_last and self._connection.our_state is self._h11.DONE

    # --- reading ------------------------------------------------------------------

    async def _event(self, deadline: float, late: RefusedError | None) -> Any:
        """Return what has come next.  ``late`` is the answer if nothing comes."""
        while True:
            event = self._connection.next_event()
            if event is not self._h11.NEED_DATA:
                return event
            try:
                async with asyncio.timeout_at(deadline):
                    data = await self._reader.read(READ_AT_ONCE)
            except TimeoutError:
                if late is None:
                    raise _GoneError from None
                raise late from None
            self._connection.receive_data(data)
            self.is_idle = False
            if late is None and data:
                # A request has begun: now it must come to its end.
                late = RefusedError(408, "the head of the request takes too long")
                deadline = _in(self._limits.head_s)

    async def _head(self) -> Head | None:
        """Return the head of the next request; None if there will be none."""
        late: RefusedError | None = None
        deadline = _in(self._limits.idle_s)
        self.is_idle = not self._connection.trailing_data[0]
        if not self.is_idle:
            late = RefusedError(408, "the head of the request takes too long")
            deadline = _in(self._limits.head_s)
        event = await self._event(deadline, late)
        if type(event) is self._h11.ConnectionClosed:
            return None
        self._method = event.method.decode("ascii")
        path, _, query = event.target.decode("latin-1").partition("?")
        return Head(
            self._method,
            path,
            query,
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
        late = RefusedError(408, "the body of the request takes too long")
        deadline = _in(self._limits.body_s)
        parts: list[bytes] = []
        room = self._limits.body_bytes
        while True:
            event = await self._event(deadline, late)
            if type(event) is self._h11.EndOfMessage:
                return b"".join(parts)
            room -= len(event.data)
            if room < 0:
                raise self._too_large()
            parts.append(bytes(event.data))

    def _too_large(self) -> RefusedError:
        return RefusedError(
            413, f"the body has more than {self._limits.body_bytes} bytes"
        )

    def _check(self, head: Head) -> None:
        """Decide whether a request may go on, from its head alone.

        Raises: RefusedError.
        """
        self._check_host(head.headers.get("host", ""))
        path, method = head.path, head.method
        if path != _HEALTH:
            self._check_token(head.headers.get("authorization", ""))
        allowed = head.allowed
        if allowed is None:
            raise RefusedError(404, f"there is nothing at {path[:80]}")
        if method not in allowed.split(", "):
            raise RefusedError(405, f"only {allowed} here", ("Allow", allowed))
        if method == "POST":
            if not _JSON.fullmatch(head.headers.get("content-type", "")):
                raise RefusedError(
                    415, "the body must be JSON: send Content-Type: application/json"
                )
            length = head.headers.get("content-length", "0")
            if len(length) > 18 or int(length) > self._limits.body_bytes:
                raise self._too_large()

    def _check_host(self, host: str) -> None:
        names = self._desk.names
        if names is None:
            return
        found = _NAME.fullmatch(host)
        if found is None or found[1].lower() not in names:
            raise RefusedError(
                421, "requests to this machine must name it: use localhost"
            )

    def _check_token(self, authorization: str) -> None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not self._desk.knows(token.strip()):
            raise RefusedError(
                401,
                "the token is missing or wrong: send Authorization: Bearer TOKEN",
                ("WWW-Authenticate", 'Bearer realm="pymoo"'),
            )

    # --- answering ----------------------------------------------------------------

    async def _answer(self, head: Head, body: bytes) -> Answer:
        if head.path == _HEALTH:
            return await self._health()
        try:
            if head.path in _POSTED:
                return await self._result(_POSTED[head.path], body)
            return await self._jobs(head, body)
        except PymooError as error:
            if isinstance(error, RefusedError):
                raise
            return Answer(status_of(error), await self._joined(error_portions(error)))

    async def _health(self) -> Answer:
        try:
            async with asyncio.timeout(self._limits.health_s):
                await asyncio.shield(asyncio.wrap_future(self._desk.gateway.ping()))
        except TimeoutError:
            return Answer(503, b'{"status": "busy"}')
        except WorldClosedError:
            return Answer(503, b'{"status": "stopping"}')
        return Answer(200, b'{"status": "ok"}')

    async def _result(self, path: str, body: bytes) -> Answer:
        gateway = self._desk.gateway
        asked = request_of(path, read_json(body), self._desk.value_limits)
        if len(gateway) >= self._limits.requests:
            raise RefusedError(
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
            portions = result_portions(command_result(outcome, asked.timeout_s))
        return Answer(200, await self._joined(portions))

    async def _jobs(self, head: Head, body: bytes) -> Answer:
        """Answer what is asked of jobs, none of which waits for the world."""
        desk = self._desk.jobs
        if desk is None:
            raise RefusedError(
                404, "there are no jobs: start the server with --jobs MODULE"
            )
        from pymoo.api.http_jobs import job_question, status_of_job_error
        from pymoo.jobs.errors import JobError

        found = _JOBS.fullmatch(head.path)
        assert found is not None
        number = None if found[1] is None else int(found[1])
        try:
            question = job_question(
                desk, head.method, number, head.query, body, self._desk.value_limits
            )
            reply = await asyncio.wrap_future(desk.ask(question))
        except JobError as error:
            text = await self._joined(error_portions(error))
            return Answer(status_of_job_error(error), text)
        text = await self._joined(iter(reply.portions))
        return Answer(reply.status, text, reply.headers)

    async def _joined(self, portions: Iterator[str]) -> bytes:
        """Return an answer's body, made while other clients are served.

        Raises: UnusableValueError if it becomes too large.
        """
        parts: list[bytes] = []
        most = room = self._limits.answer_bytes
        for portion in portions:
            parts.append(portion.encode("ascii"))
            room -= len(portion)
            if room < 0:
                raise UnusableValueError(
                    f"the answer has more than {most} bytes: ask for parts of it"
                )
            await asyncio.sleep(0)
        return b"".join(parts)

    async def _send(self, answer: Answer, *, is_last: bool) -> None:
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
        data = connection.send(
            h11.Response(
                status_code=answer.status,
                headers=headers,
                reason=HTTPStatus(answer.status).phrase,
            )
        )
        if self._method != "HEAD":
            data += connection.send(h11.Data(data=answer.body))
        data += connection.send(h11.EndOfMessage())
        await self._write(data)

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        try:
            async with asyncio.timeout(self._limits.write_s):
                await self._writer.drain()
        except TimeoutError:
            raise _GoneError from None

    async def _end(self) -> None:
        """Close the connection so that the client still gets the answer.

        If something unread were left, the system would tell it to forget what it has
        not read yet.
        """
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._limits.linger_s):
                if self._writer.can_write_eof():
                    self._writer.write_eof()
                while await self._reader.read(READ_AT_ONCE):
                    pass
        self._writer.transport.abort()


def _refusal_answer(refusal: RefusedError) -> Answer:
    body = "".join(error_portions(refusal)).encode("ascii")
    return Answer(refusal.status, body, refusal.headers)


def _in(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds
