"""Sockets: the one module that touches them.

`SocketNetwork` fits `network.Network`.  It watches sockets with asyncio's selector
loop, and not with its transports: these keep what a client does not take in a buffer
of their own, where the lines that it has missed could be neither counted nor dropped
(`connection.OutputBuffer`), and deliver input in bigger portions than the C server.

Names of computers are looked up in the background.  A connection is shown to the
database when its name is known, or after ``name_lookup_timeout``; nobody else waits.

When the process has no descriptor left, one that was kept in the pocket is used to
accept a connection and to tell it so.

Source: net_multi.c, net_bsd_tcp.c.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import selectors
import socket
import threading
from collections.abc import Callable
from typing import Final

from attrs import define, frozen

from pymoo.errors import MooError
from pymoo.interp.host import Clock
from pymoo.server.admission import NO_LIMITS, Admission, address_group
from pymoo.server.connection import Connection
from pymoo.server.connections import ConnectionTable
from pymoo.server.listening import Listener
from pymoo.server.log import Log
from pymoo.server.name_lookup import NameLookup, system_name
from pymoo.server.network import NetworkError
from pymoo.server.telnet import CHUNK_SIZE
from pymoo.values import E_INVARG, E_PERM, E_QUOTA

_BACKLOG: Final = 1024
_ACCEPTED_AT_ONCE: Final = 64
_PAUSE_S: Final = 1.0
"""How long no connection is accepted after the system has refused one."""

_DRAINED: Final = 65_536
"""How much unread input is taken before closing (see `SocketWire.close`)."""

# A system without IPv6 says one or the other.
_NO_SUCH_KIND: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})

_OUT_OF_DESCRIPTORS: Final = frozenset({errno.EMFILE, errno.ENFILE})

# Errors of connect() that mean that nobody answers there (net_bsd_tcp.c).
_NOBODY_THERE: Final = frozenset(
    {errno.EADDRNOTAVAIL, errno.ECONNREFUSED, errno.ENETUNREACH, errno.ETIMEDOUT}
)


@frozen
class Addresses:
    """Where connections are taken: for each kind, None is nowhere, "" everywhere."""

    ipv4: str | None = "127.0.0.1"
    ipv6: str | None = None


class SocketWire:
    """One connected socket."""

    def __init__(
        self, network: SocketNetwork, sock: socket.socket, group: str | None = None
    ) -> None:
        """``group`` is the address that it counts for, if it is one that was taken."""
        self._network: Final = network
        self._socket: Final = sock
        self.group = group
        self._connection: Connection | None = None
        self._is_reading = False
        self._is_waiting = False
        self._is_broken = False

    def start(self, connection: Connection) -> None:
        self._connection = connection
        self.resume_reading()

    # --- input ------------------------------------------------------------

    def pause_reading(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._network.loop.remove_reader(self._socket)

    def resume_reading(self) -> None:
        if not self._is_reading and not self._is_broken:
            self._is_reading = True
            self._network.loop.add_reader(self._socket, self._readable)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(CHUNK_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        assert self._connection is not None
        if data:
            self._network.table.received(self._connection, data)
        else:
            self._stop_watching()
            self._network.table.client_closed(self._connection)
        self._network.wake()

    # --- output -----------------------------------------------------------

    def send(self, data: bytes) -> int:
        if self._is_broken:
            return 0
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self._is_broken = True
            self._stop_watching()
            self._network.loop.call_soon(self._tell_broken)
            return 0

    def _tell_broken(self) -> None:
        if self._connection is not None:
            self._network.table.client_closed(self._connection)
            self._network.wake()

    def tell_when_writable(self) -> None:
        if not self._is_waiting and not self._is_broken:
            self._is_waiting = True
            self._network.loop.add_writer(self._socket, self._writable)

    def _writable(self) -> None:
        self._is_waiting = False
        self._network.loop.remove_writer(self._socket)
        assert self._connection is not None
        self._network.table.writable(self._connection)

    # --- end --------------------------------------------------------------

    def _stop_watching(self) -> None:
        self.pause_reading()
        if self._is_waiting:
            self._is_waiting = False
            self._network.loop.remove_writer(self._socket)

    def close(self) -> None:
        self._stop_watching()
        self._is_broken = True
        if self.group is not None:
            self._network.admission.leaves(self.group)
            self.group = None
        self._network.forget(self._socket)
        with contextlib.suppress(OSError):
            # With input unread, the other side would be told to forget what it has
            # not yet read either, and so miss the last words.
            left = _DRAINED
            while left > 0 and (data := self._socket.recv(_DRAINED)):
                left -= len(data)
        with contextlib.suppress(OSError):
            # A process that writes a checkpoint holds a copy of the socket; without
            # this the connection would stay open as long as it does.
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@define(eq=False)
class _Arrival:
    """A connection whose name is not known yet; ``wire`` is None when it is."""

    listener: Listener
    wire: SocketWire | None
    address: str
    port: int
    timer: asyncio.TimerHandle | None = None


class SocketPoint:
    """A port that was taken: a socket for each kind of address."""

    def __init__(
        self, network: SocketNetwork, sockets: list[socket.socket], port: int
    ) -> None:
        self._network: Final = network
        self._sockets: Final = sockets
        self._port: Final = port
        self._listener: Listener | None = None

    @property
    def port(self) -> int:
        return self._port

    def start(self, listener: Listener) -> None:
        # Another process may have bound the port as well, and begun to listen since.
        try:
            for sock in self._sockets:
                sock.listen(_BACKLOG)
        except OSError as error:
            raise NetworkError("Listening on socket", error) from error
        self._listener = listener
        for sock in self._sockets:
            self._watch(sock)

    def _watch(self, sock: socket.socket) -> None:
        if sock.fileno() >= 0:
            self._network.loop.add_reader(sock, self._acceptable, sock)

    def _pause(self, sock: socket.socket) -> None:
        loop = self._network.loop
        loop.remove_reader(sock)
        loop.call_later(_PAUSE_S, self._watch, sock)

    def _acceptable(self, sock: socket.socket) -> None:
        assert self._listener is not None
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                accepted, address = sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in _OUT_OF_DESCRIPTORS:
                    if self._refuse(sock):
                        continue
                else:
                    self._network.log.os_error(
                        "Accepting new network connection", error
                    )
                self._pause(sock)
                return
            self._network.arrived(self._listener, accepted, address)

    def _refuse(self, sock: socket.socket) -> bool:
        """Accept a connection with the descriptor that was kept for this."""
        network = self._network
        assert self._listener is not None
        network.empty_pocket()
        try:
            accepted, address = sock.accept()
        except BlockingIOError:
            return False
        except OSError:
            network.log.write("Can't accept connection even by emptying pockets!", True)
            return False
        else:
            network.refuse(self._listener, accepted, address)
            return True
        finally:
            network.fill_pocket()

    def close(self) -> None:
        for sock in self._sockets:
            if self._listener is not None:
                self._network.loop.remove_reader(sock)
            self._network.forget(sock)
            sock.close()


class SocketNetwork:
    """All sockets of one server."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        addresses: Addresses,
        clock: Clock,
        log: Log,
        *,
        find_name: Callable[[str], str | None] = system_name,
        admission: Admission | None = None,
    ) -> None:
        """Without ``admission`` any address may have any number of connections."""
        self.loop: Final = loop
        self.log: Final = log
        self._addresses: Final = addresses
        self._names: Final = NameLookup(
            clock, find=find_name, answer_in=self._from_thread
        )
        self._table: ConnectionTable | None = None
        self.wake: Callable[[], None] = _nothing_to_wake
        """Called when input has come; the main loop's to set."""
        self.is_full: Callable[[], bool] = _is_never_full
        """Whether connections are refused for another reason than their number."""
        self.admission: Final = (
            Admission(NO_LIMITS, log.write) if admission is None else admission
        )
        """How many connections an address may have."""
        self._sockets: dict[socket.socket, None] = {}
        self._arrivals: dict[_Arrival, None] = {}
        self._pocket: int | None = None
        self.fill_pocket()
        self.max_connections = _room_for_connections(self._pocket)

    @property
    def table(self) -> ConnectionTable:
        assert self._table is not None
        return self._table

    def attach(self, table: ConnectionTable) -> None:
        """Say who gets what arrives."""
        self._table = table
        table.admission = self.admission

    # --- descriptors ------------------------------------------------------

    def fill_pocket(self) -> None:
        """Keep a descriptor for the time when there is no other."""
        if self._pocket is None:
            with contextlib.suppress(OSError):
                self._pocket = os.open(os.devnull, os.O_RDONLY)

    def empty_pocket(self) -> None:
        """Have one descriptor free."""
        if self._pocket is not None:
            os.close(self._pocket)
            self._pocket = None

    def forget(self, sock: socket.socket) -> None:
        """``sock`` is about to be closed."""
        self._sockets.pop(sock, None)

    def close_copies(self) -> None:
        """In a forked process: let go of everything that is the server's."""
        self.empty_pocket()
        for sock in self._sockets:
            sock.close()

    # --- listening points -------------------------------------------------

    def bind(self, port: int) -> SocketPoint:
        """Take a port; the lowest 16 bits of the number count, as in C.

        Raises: NetworkError.
        Source: net_bsd_tcp.c, proto_make_listener.
        """
        port &= 0xFFFF
        sockets: list[socket.socket] = []
        try:
            for family, host in (
                (socket.AF_INET, self._addresses.ipv4),
                (socket.AF_INET6, self._addresses.ipv6),
            ):
                if host is None:
                    continue
                try:
                    sockets.append(_bound_socket(family, host, port))
                except NetworkError as error:
                    # "Everywhere" leaves out what the system does not have.
                    if host or not sockets or error.error.errno not in _NO_SUCH_KIND:
                        raise
                port = sockets[-1].getsockname()[1]
        except NetworkError:
            for sock in sockets:
                sock.close()
            raise
        self._sockets.update(dict.fromkeys(sockets))
        return SocketPoint(self, sockets, port)

    # --- arrivals ---------------------------------------------------------

    def arrived(
        self, listener: Listener, sock: socket.socket, address: tuple[str, int]
    ) -> None:
        """Take in an accepted connection, when its name is known."""
        there = len(self.table) + len(self._arrivals)
        if there >= self.max_connections or self.is_full():
            self.refuse(listener, sock, address)
            return
        group = address_group(address[0])
        farewell = self.admission.arrives(group)
        if farewell is not None:
            self.table.turn_away(listener, self._wire(sock), farewell)
            return
        arrival = _Arrival(
            listener, self._wire(sock, group), address[0].partition("%")[0], address[1]
        )
        timeout = self.table.name_lookup_timeout
        if timeout == 0:
            self._present(arrival, None)
            return
        self._arrivals[arrival] = None
        if timeout > 0:
            arrival.timer = self.loop.call_later(timeout, self._present, arrival, None)
        self._names.ask(arrival.address, lambda name: self._present(arrival, name))

    def refuse(
        self, listener: Listener, sock: socket.socket, address: tuple[str, int]
    ) -> None:
        """Tell an accepted connection that there is no room for it."""
        host = address[0].partition("%")[0]
        self.table.refuse(listener, self._wire(sock), f"{host}, port {address[1]}")

    def _wire(self, sock: socket.socket, group: str | None = None) -> SocketWire:
        sock.setblocking(False)
        with contextlib.suppress(OSError):  # it may be gone already
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._sockets[sock] = None
        return SocketWire(self, sock, group)

    def _present(self, arrival: _Arrival, name: str | None) -> None:
        wire, arrival.wire = arrival.wire, None
        if wire is None:  # the name has come too late
            return
        if arrival.timer is not None:
            arrival.timer.cancel()
        self._arrivals.pop(arrival, None)
        host = name or arrival.address
        self.table.arrive(
            arrival.listener, wire, f"{host}, port {arrival.port}", wire.group
        )
        self.wake()

    def _from_thread(self, answer: Callable[[], None]) -> None:
        self.loop.call_soon_threadsafe(answer)

    # --- connections to other computers -----------------------------------

    def open_outbound(
        self, host: str, port: int, *, lookup_s: int, connect_s: int
    ) -> tuple[SocketWire, int]:
        """Connect to another computer, waiting for it; see `Network`.

        Source: net_bsd_tcp.c, proto_open_connection.
        """
        address = _address_of(host, lookup_s)
        if address is None:
            raise MooError(E_INVARG)
        try:
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:
            if error.errno not in _OUT_OF_DESCRIPTORS:
                self.log.os_error("Making socket in proto_open_connection", error)
            raise MooError(E_QUOTA) from error
        try:
            self._bind_outbound(sock)
            self._connect(sock, (address, port & 0xFFFF), connect_s)
            local_port: int = sock.getsockname()[1]
        except BaseException:
            sock.close()
            raise
        return self._wire(sock), local_port

    def _bind_outbound(self, sock: socket.socket) -> None:
        if not self._addresses.ipv4:
            return
        try:
            sock.bind((self._addresses.ipv4, 0))
        except OSError as error:
            self.log.os_error("Binding local address in proto_open_connection", error)
            forbidden = error.errno == errno.EACCES
            raise MooError(E_PERM if forbidden else E_QUOTA) from error

    def _connect(
        self, sock: socket.socket, address: tuple[str, int], timeout_s: int
    ) -> None:
        sock.setblocking(False)
        problem = sock.connect_ex(address)
        if problem == errno.EINPROGRESS:
            try:
                with selectors.DefaultSelector() as selector:
                    selector.register(sock, selectors.EVENT_WRITE)
                    if selector.select(None if timeout_s < 0 else timeout_s):
                        problem = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    else:
                        problem = errno.ETIMEDOUT
            except OSError as refused:  # out of descriptors
                problem = refused.errno or errno.EMFILE
        if not problem:
            return
        if problem in _NOBODY_THERE:
            raise MooError(E_INVARG)
        error = OSError(problem, os.strerror(problem))
        self.log.os_error("Connecting in proto_open_connection", error)
        raise MooError(E_QUOTA) from error

    # --- end --------------------------------------------------------------

    def close(self) -> None:
        """Close what `ConnectionTable.shut_down` does not know of."""
        for arrival in [*self._arrivals]:
            if arrival.wire is not None:
                arrival.wire.close()
                arrival.wire = None
        self._arrivals.clear()
        self.empty_pocket()


def _nothing_to_wake() -> None:
    """Stands for the main loop until there is one."""


def _is_never_full() -> bool:
    """Stands for `SocketNetwork.is_full` until that is set."""
    return False


def _bound_socket(family: int, host: str, port: int) -> socket.socket:
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise NetworkError("Creating listening socket", error) from error
    try:
        doing = "Setting listening socket options"
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        doing = "Binding listening socket"
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise NetworkError(doing, error) from error
    return sock


def _address_of(host: str, timeout_s: int) -> str | None:
    """Return the IPv4 address of a host; None if it has none or takes too long.

    Source: name_lookup.c, lookup_addr_from_name.
    """
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        pass
    if timeout_s == 0:
        return None
    found: list[str] = []

    def look_up() -> None:
        with contextlib.suppress(OSError, UnicodeError):
            found.append(socket.gethostbyname(host))

    thread = threading.Thread(target=look_up, name="address look-up", daemon=True)
    thread.start()
    thread.join(None if timeout_s < 0 else timeout_s)
    return found[0] if found else None


def _room_for_connections(lowest_free: int | None) -> int:
    """Return how many connections leave the process descriptors for other things.

    ``lowest_free`` is a descriptor just opened, hence about how many there are.
    """
    try:
        import resource
    except ImportError:  # Windows; its limit shows itself when a socket is refused
        return 100_000
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return 1_000_000
    spare = min(64, limit // 4)
    return max(1, limit - (lowest_free or 0) - spare)
