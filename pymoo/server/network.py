"""What the server needs of the system's network: Protocols, and the one error.

`listener` fits them with sockets, `inprocess` without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pymoo.errors import PymooError

if TYPE_CHECKING:
    from pymoo.server.connection import Connection
    from pymoo.server.listening import Listener


class NetworkError(PymooError):
    """The system refused something that has to do with connections."""

    def __init__(self, doing: str, error: OSError) -> None:
        super().__init__(f"{doing}: {error.strerror or error}")
        self.doing = doing
        self.error = error


class Wire(Protocol):
    """The bytes of one connection, on their way."""

    def start(self, connection: Connection) -> None:
        """Deliver what arrives to `ConnectionTable`, as input of ``connection``."""

    def send(self, data: bytes) -> int:
        """Take what can go out now, without waiting; returns how many bytes that was.

        None once the other side is gone; the table is told of that later, as of
        every other end of a connection.
        """

    def tell_when_writable(self) -> None:
        """Call `ConnectionTable.writable`, once, when `send` will take more."""

    def pause_reading(self) -> None:
        """Deliver no more input."""

    def resume_reading(self) -> None:
        """Deliver input again."""

    def close(self) -> None:
        """Let go of the connection; what `send` has taken still goes out."""


class ListeningPoint(Protocol):
    """A port that is taken; connections are accepted from `start` on."""

    @property
    def port(self) -> int: ...

    def start(self, listener: Listener) -> None:
        """Accept connections, on behalf of ``listener``.  Raises: NetworkError."""

    def close(self) -> None: ...


class Network(Protocol):
    """What makes listening points, and connections to other computers."""

    def bind(self, port: int) -> ListeningPoint:
        """Take a port, any free one for 0.  Raises: NetworkError."""

    def close_copies(self) -> None:
        """In a forked process: let go of all connections, which are not its own."""

    def open_outbound(
        self, host: str, port: int, *, lookup_s: int, connect_s: int
    ) -> tuple[Wire, int]:
        """Connect to another computer; returns the wire and the local port.

        Raises: MooError (E_INVARG, E_QUOTA, E_PERM).
        """
