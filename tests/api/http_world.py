"""A world that is served in a thread of the test, with a door for HTTP."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

from attrs import define

from pymoo.api.http_exchange import HttpLimits
from pymoo.api.http_server import HttpDoor
from tests.server.socket_server import SocketServer
from tests.server.talking import PATIENCE_S

TOKEN = "a-token-for-tests-0123456789"

VERBS = {
    "back": "return args;",
    "nap": "suspend(@args); return 1;",
    "fail": 'notify(player, "first"); raise(E_PERM, "Not for you.", {1, "two"});',
    "loop": "while (1) endwhile",
    "deep": "x = {}; for i in [1..args[1]] x = {x}; endfor return x;",
    "shared": "x = {1}; for i in [1..args[1]] x = {x, x}; endfor return x;",
    "tell": "notify(player, args[1]); return 1;",
}


@define
class Reply:
    """What a server has answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]


class HttpWorld:
    """A small world behind a door."""

    def __init__(self, folder: Path, limits: HttpLimits | None = None) -> None:
        self.served = SocketServer(folder, verbs=VERBS)
        self.door = HttpDoor("127.0.0.1", 0, TOKEN, limits)
        self.door.bind()
        self.served.ask(self._open)
        self.port = self.door.port

    def _open(self) -> None:
        self.door.open(self.served.server, self.served.main_loop.post)

    def stop(self) -> None:
        self.door.close()
        self.served.stop()

    def connect(self) -> RawClient:
        return RawClient(self.port)

    def ask(
        self, method: str, path: str, data: Any = None, **headers: str | None
    ) -> Reply:
        """Send one request on a connection of its own, and return the answer."""
        with self.connect() as client:
            client.send(request(method, path, data, **headers))
            return client.reply()

    def post(self, path: str, /, **data: Any) -> Reply:
        return self.ask("POST", f"/v1/{path}", data)

    def is_alive(self) -> bool:
        return self.post("call", obj="#0", verb="back", args=[1]).json["value"] == [1]


def request(method: str, path: str, data: Any = None, **headers: str | None) -> bytes:
    """Return the bytes of a request; a header that is None is left out."""
    body = b""
    if isinstance(data, bytes):
        body = data
    elif data is not None:
        body = json.dumps(data).encode("ascii")
    given: dict[str, str | None] = {
        "Host": "localhost",
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "application/json" if method == "POST" else None,
        "Content-Length": str(len(body)) if body or method == "POST" else None,
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    lines = [f"{name}: {text}" for name, text in given.items() if text is not None]
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""])
    return head.encode("latin-1") + body


class RawClient:
    """A socket, and what has come out of it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self._data = b""

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *args: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65_536)
        except ConnectionError:
            data = b""
        self._data += data
        return bool(data)

    def reply(self, *, has_body: bool = True) -> Reply:
        """Return the next answer."""
        while b"\r\n\r\n" not in self._data:
            assert self._more(), f"closed after {self._data!r}"
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): text.strip()
            for name, _, text in (line.partition(":") for line in lines)
        }
        status = int(first.split()[1])
        length = int(headers.get("content-length", "0")) if has_body else 0
        while len(self._data) < length:
            assert self._more(), "closed within the body"
        body, self._data = self._data[:length], self._data[length:]
        return Reply(status, headers, body)

    def is_closed(self) -> bool:
        """Wait until the server closes; whether it does, and says nothing more."""
        self.socket.settimeout(PATIENCE_S)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if not self._more():
                return not self._data
        return False
