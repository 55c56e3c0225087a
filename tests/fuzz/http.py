"""Requests over HTTP, damaged and not: an answer in HTTP, or none, and no harm."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from pymoo.api.http_exchange import HttpLimits
from tests.api.http_world import HttpWorld, request
from tests.fuzz.json_texts import JSON_BYTES
from tests.fuzz.mutating import mutated
from tests.fuzz.running import Check, Target

LIMITS: Final = HttpLimits(
    body_bytes=20_000,
    answer_bytes=100_000,
    idle_s=2.0,
    head_s=2.0,
    body_s=2.0,
    linger_s=0.2,
)

STATUSES: Final = frozenset(
    {
        100,
        200,
        400,
        401,
        404,
        405,
        408,
        409,
        411,
        413,
        415,
        417,
        421,
        422,
        429,
        431,
        501,
    }
) | {503, 504}

_SEEDS: Final = (
    request("GET", "/v1/health"),
    request("HEAD", "/v1/health"),
    request("GET", "/v1/jobs?state=Running"),
    request("DELETE", "/v1/jobs/7"),
    request("POST", "/v1/call", {"obj": "#0", "verb": "back", "args": [1, "x"]}),
    request("POST", "/v1/call", {"obj": "#0", "verb": "fail", "player": "#3"}),
    request("POST", "/v1/eval", {"player": "#3", "source": "return 1;"}),
    request("POST", "/v1/command", {"player": "#3", "line": ";return 1;"}),
    request("POST", "/v1/call", b"{}", Transfer_Encoding="chunked",
    Content_Length=None),
    request("POST", "/v1/call", b"2\r\n{}\r\n0\r\n\r\n", Transfer_Encoding="chunked",
            Content_Length=None),
    request("POST", "/v1/call", {"obj": "#0"}, Expect="100-continue"),
    request("GET", "/v1/health") + request("GET", "/v1/health", Connection="close"),
    request("POST", "/v1/eval", {"player": "#3", "source": "return 1;"}) * 2,
)  # fmt: skip
_TOKENS: Final = (
    b"GET ", b"POST ", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2", b"\r\n", b"\n", b"\r", b":",
    b"\x00", b"\xff", b" ", b"/v1/call", b"/v1/jobs/99999999999999999999", b"/../",
    b"%00",
    b"?state=x&state=", b"Content-Length: 5", b"Content-Length: -1",
    b"Host: evil.example",
    b"Content-Length: 99999999999999999999", b"Transfer-Encoding: chunked",
    b"0\r\n\r\n",
    b"Transfer-Encoding: gzip", b"Authorization: Bearer x", b"Authorization: Basic x",
    b"Expect: 100-continue", b"Connection: upgrade", b"Upgrade: websocket",
    b"FFFFFFFFFF",
    b"Origin: http://evil.example", b"x" * 20_000, b"A: b\r\n" * 200, b" folded",
)  # fmt: skip

INPUTS: Final = st.one_of(
    mutated(_SEEDS, _TOKENS, line=b"\r\n"),
    st.tuples(st.sampled_from(["call", "eval", "command", "jobs"]), JSON_BYTES).map(
        lambda asked: request("POST", f"/v1/{asked[0]}", asked[1])
    ),
)


@contextmanager
def opened() -> Iterator[Check]:
    with tempfile.TemporaryDirectory() as folder:
        world = HttpWorld(Path(folder), LIMITS)
        try:
            yield lambda data: _check(world, data)
        finally:
            world.stop()


def _check(world: HttpWorld, data: bytes) -> None:
    received = b""
    with world.connect() as client:
        try:
            client.send(data)
            client.socket.shutdown(socket.SHUT_WR)
            while part := client.socket.recv(65_536):
                received += part
        except ConnectionError:
            pass  # nobody is owed an answer to that
    if received:
        assert received.startswith(b"HTTP/1.1 "), received[:80]
        assert int(received.split()[1]) in STATUSES, received
    assert world.ask("GET", "/v1/health").status == 200
    log = "".join(world.served.log)
    assert "BUG" not in log, log


TARGET: Final = Target("http", INPUTS, opened)
