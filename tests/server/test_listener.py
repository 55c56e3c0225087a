"""Ports: taking them, sharing them, and what the system may say to that."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pymoo.server import listener
from pymoo.server.listener import Addresses, SocketNetwork
from pymoo.server.log import Log
from pymoo.server.network import NetworkError
from pymoo.server.serving import addresses_of, classic_addresses
from pymoo.tasks.clock import SystemClock
from tests.server.socket_server import SocketServer
from tests.server.talking import Talker


def network_at(loop: asyncio.AbstractEventLoop, addresses: Addresses) -> SocketNetwork:
    clock = SystemClock()
    return SocketNetwork(loop, addresses, clock, Log(clock, io.BytesIO()))


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.SelectorEventLoop()
    yield loop
    loop.close()


@pytest.fixture
def network(loop: asyncio.AbstractEventLoop) -> Iterator[SocketNetwork]:
    network = network_at(loop, Addresses())
    yield network
    network.close()


def test_port_0_is_a_free_one(network: SocketNetwork) -> None:
    point = network.bind(0)
    assert 0 < point.port < 65_536
    point.close()


def test_the_lowest_16_bits_of_a_port_count(network: SocketNetwork) -> None:
    first = network.bind(0)
    port = first.port
    first.close()
    second = network.bind(port + 3 * 65_536)
    assert second.port == port
    second.close()


def test_a_port_that_another_server_listens_at_is_refused(
    network: SocketNetwork,
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(NetworkError) as caught,
    ):
        network.bind(other.getsockname()[1])
    assert caught.value.error.errno == errno.EADDRINUSE
    assert str(caught.value) == "Binding listening socket: Address already in use"


def test_a_port_that_another_took_after_it_was_bound_is_refused(
    tmp_path: Path,
) -> None:
    """Two servers that start at the same time can bind it both; one may listen."""
    server = SocketServer(tmp_path)
    try:
        with server.talker() as wizard:
            wizard.log_in()
            bind = server.network.bind
            other = socket.socket()

            def bind_then_lose(port: int) -> listener.SocketPoint:
                point = bind(port)
                other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                other.bind(("127.0.0.1", point.port))
                other.listen()
                return point

            server.network.bind = bind_then_lose  # type: ignore[method-assign]
            with other:
                assert wizard.eval("return `listen(#0, 0) ! ANY';") == "E_QUOTA"
                assert wizard.eval("return length(listeners());") == "1"
            assert "*** Listening on socket: Address already in use" in server.log
            server.network.bind = bind  # type: ignore[method-assign]
            assert server.ask(lambda: len(server.network._sockets)) == 2
    finally:
        server.stop()


def test_a_port_opened_by_a_program_takes_connections_until_it_is_closed(
    tmp_path: Path,
) -> None:
    server = SocketServer(tmp_path)
    try:
        with server.talker() as wizard:
            wizard.log_in()
            port = int(wizard.eval("return listen(#6, 0, 1);"))
            with Talker(port) as other:
                other.log_in("#4")
                wizard.eval(f"unlisten({port});")
                with pytest.raises(ConnectionRefusedError):
                    Talker(port)
                assert other.eval("return 1;") == "1"
            assert int(wizard.eval(f"return listen(#0, {port});")) == port
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("", Addresses("", "")),
        ("127.0.0.1", Addresses("127.0.0.1", None)),
        ("::1", Addresses(None, "::1")),
    ],
)
def test_host_says_where_connections_are_taken(host: str, addresses: Addresses) -> None:
    assert addresses_of(host) == addresses


def test_the_classic_form_takes_them_everywhere_or_at_one_address() -> None:
    assert classic_addresses("", ipv6=True) == Addresses("", "")
    assert classic_addresses("", ipv6=False) == Addresses("", None)
    assert classic_addresses("10.0.0.1", ipv6=True) == Addresses("10.0.0.1", None)


def without_ipv6(
    monkeypatch: pytest.MonkeyPatch, number: int, *, at_bind: bool = False
) -> None:
    """Have the system refuse sockets of that kind."""

    class Refusing(socket.socket):
        def __init__(self, family: int = -1, *others: int, **named: object) -> None:
            if family == socket.AF_INET6 and not at_bind:
                raise OSError(number, os.strerror(number))
            super().__init__(family, *others, **named)  # type: ignore[arg-type]

        def bind(self, address: object) -> None:
            if self.family == socket.AF_INET6:
                raise OSError(number, os.strerror(number))
            super().bind(address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "socket", Refusing)


@pytest.mark.parametrize(
    ("number", "at_bind"), [(errno.EAFNOSUPPORT, False), (errno.EADDRNOTAVAIL, True)]
)
def test_everywhere_is_ipv4_alone_where_the_system_has_no_ipv6(
    loop: asyncio.AbstractEventLoop,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    at_bind: bool,
) -> None:
    without_ipv6(monkeypatch, number, at_bind=at_bind)
    network = network_at(loop, Addresses("", ""))
    point = network.bind(0)
    assert len(network._sockets) == 1
    point.close()
    network.close()


def test_an_ipv6_address_that_was_asked_for_must_be_there(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_ipv6(monkeypatch, errno.EAFNOSUPPORT)
    network = network_at(loop, Addresses(None, "::1"))
    with pytest.raises(NetworkError):
        network.bind(0)
    network.close()


def test_what_was_bound_is_free_again_if_the_rest_fails(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_ipv6(monkeypatch, errno.EADDRINUSE, at_bind=True)
    network = network_at(loop, Addresses("", ""))
    with pytest.raises(NetworkError):
        network.bind(0)
    assert not network._sockets
    network.close()


def test_an_error_in_a_callback_is_logged_and_the_server_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = SocketServer(tmp_path)
    try:
        with server.talker() as wizard:
            wizard.log_in()
            calls = 0
            close_due = server.server.connections.close_due

            def broken() -> None:
                nonlocal calls
                calls += 1
                if calls == 1:
                    raise RuntimeError("a bug of the loop")
                close_due()

            monkeypatch.setattr(server.server.connections, "close_due", broken)
            wizard.type(";notify(player, tostr(6 * 7));")
            assert wizard.read_line() == "42"
            assert wizard.read_line() == "0"
            assert any("RuntimeError: a bug of the loop" in line for line in server.log)
            assert any(line.startswith("*** BUG IN PYMOO") for line in server.log)
    finally:
        server.stop()
