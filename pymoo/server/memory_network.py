"""Connections in memory: `network.Network` without sockets.

A `Client` is the other end of a connection.  What is sent through it waits until
`MemoryNetwork.deliver`, which brings one portion of each connection's input.
"""

from __future__ import annotations

from typing import Final

from pymoo.errors import MooError
from pymoo.server.connection import Connection
from pymoo.server.connections import ConnectionTable
from pymoo.server.listening import Listener
from pymoo.server.network import NetworkError
from pymoo.server.telnet import CHUNK_SIZE
from pymoo.values import E_INVARG


class MemoryWire:
    """One connection, in memory."""

    def __init__(self, table: ConnectionTable) -> None:
        self.table: Final = table
        self.connection: Connection | None = None
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.is_reading = False
        self.is_closed = False
        # How many bytes the other side still takes; None: any number.
        self.window: int | None = None
        self.wants_to_write = False

    def start(self, connection: Connection) -> None:
        self.connection = connection
        self.is_reading = True

    def send(self, data: bytes) -> int:
        if self.is_closed:
            return 0
        if self.window is not None:
            data = data[: self.window]
            self.window -= len(data)
        self.outbox += data
        return len(data)

    def tell_when_writable(self) -> None:
        self.wants_to_write = True

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True

    def close(self) -> None:
        self.is_closed = True
        self.is_reading = False


class MemoryPoint:
    """A listening point, in memory."""

    def __init__(self, network: MemoryNetwork, port: int) -> None:
        self._network: Final = network
        self._port: Final = port
        self.listener: Listener | None = None

    @property
    def port(self) -> int:
        return self._port

    def start(self, listener: Listener) -> None:
        self.listener = listener

    def close(self) -> None:
        del self._network.points[self._port]


class MemoryNetwork:
    """Listening points and connections, in memory."""

    def __init__(self) -> None:
        self.points: dict[int, MemoryPoint] = {}
        self.wires: list[MemoryWire] = []

    def bind(self, port: int) -> MemoryPoint:
        if port == 0:
            port = next(n for n in range(49_152, 65_536) if n not in self.points)
        if port in self.points:
            raise NetworkError(
                "Binding listening socket", OSError(98, "Address already in use")
            )
        point = self.points[port] = MemoryPoint(self, port)
        return point

    def new_wire(self, table: ConnectionTable) -> MemoryWire:
        """Return a connection that is to be given to ``table``."""
        wire = MemoryWire(table)
        self.wires.append(wire)
        return wire

    @property
    def has_input(self) -> bool:
        """Whether there is something to deliver."""
        return any(wire.inbox and wire.is_reading for wire in self.wires)

    def deliver(self, table: ConnectionTable) -> None:
        """Let one portion of each connection's input arrive."""
        for wire in [*self.wires]:
            if wire.is_closed:
                self.wires.remove(wire)
            elif wire.inbox and wire.is_reading:
                data = bytes(wire.inbox[:CHUNK_SIZE])
                del wire.inbox[:CHUNK_SIZE]
                assert wire.connection is not None
                table.received(wire.connection, data)

    def close_copies(self) -> None:
        """Nothing of it is shared with another process."""

    def open_outbound(
        self, host: str, port: int, *, lookup_s: int, connect_s: int
    ) -> tuple[MemoryWire, int]:
        raise MooError(E_INVARG)  # there are no other computers here


class Client:
    """The other end of a connection."""

    def __init__(self, wire: MemoryWire) -> None:
        self._wire: Final = wire
        self._has_hung_up = False

    def send(self, data: bytes) -> None:
        """Send bytes; they arrive when the server runs."""
        if not self._wire.is_closed:
            self._wire.inbox += data

    def send_line(self, line: str) -> None:
        """Send a line of Latin-1 text."""
        self.send(line.encode("latin-1") + b"\r\n")

    def take(self) -> bytes:
        """Return what has come since the last time."""
        data = bytes(self._wire.outbox)
        self._wire.outbox.clear()
        return data

    def take_lines(self) -> list[str]:
        """Return the lines that have come; what has no end yet is the last one."""
        text = self.take().decode("latin-1")
        return text.removesuffix("\r\n").split("\r\n") if text else []

    @property
    def was_closed(self) -> bool:
        """Whether the server has closed the connection."""
        return self._wire.is_closed and not self._has_hung_up

    def close(self) -> None:
        """Hang up."""
        wire = self._wire
        if wire.is_closed:
            return
        self._has_hung_up = True
        wire.is_reading = False
        wire.window = 0
        if wire.connection is not None:
            wire.table.client_closed(wire.connection)

    def take_slowly(self, window: int) -> None:
        """Take no more than so many bytes from now on, until told otherwise."""
        self._wire.window = window
        if window and self._wire.wants_to_write:
            self._wire.wants_to_write = False
            assert self._wire.connection is not None
            self._wire.table.writable(self._wire.connection)
