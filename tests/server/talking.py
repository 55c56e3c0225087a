"""Somebody at the other end of a real socket."""

from __future__ import annotations

import socket
import struct
from types import TracebackType

PATIENCE_S = 60.0
"""How long anything may take on a slow machine that others use too."""


class Talker:
    """A client that knows what it waits for."""

    def __init__(self, port: int, *, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_S)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self.unread = b""

    def __enter__(self) -> Talker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def reset(self) -> None:
        """Break the connection: the other side gets a RST."""
        self.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def type(self, line: str) -> None:
        self.send(line.encode("latin-1") + b"\r\n")

    def read_until(self, end: bytes) -> bytes:
        """Return what comes, up to and with ``end``."""
        while end not in self.unread:
            data = self.socket.recv(65_536)
            assert data, f"closed before {end!r} came; there was {self.unread[-500:]!r}"
            self.unread += data
        read, _, self.unread = self.unread.partition(end)
        return read + end

    def read_line(self) -> str:
        return self.read_until(b"\r\n")[:-2].decode("latin-1")

    def read_all(self) -> bytes:
        """Return everything that comes before the other side closes."""
        parts = [self.unread]
        self.unread = b""
        try:
            while data := self.socket.recv(1 << 20):
                parts.append(data)
        except ConnectionResetError:
            pass
        return b"".join(parts)

    def log_in(self, who: str = "#3") -> Talker:
        """Log in, and read what is said to it."""
        self.type(who)
        self.read_until(b" ***\r\n")
        return self

    def eval(self, code: str) -> str:
        """Return the literal of what ``code`` gives."""
        self.type(f";{code}")
        return self.read_line()
