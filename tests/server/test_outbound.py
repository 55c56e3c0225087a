"""open_network_connection(): the other computer is a listener of the test's own."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.online import HANDLER, Online
from tests.server.socket_server import SocketServer
from tests.server.talking import PATIENCE_S, Talker


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SocketServer]:
    server = SocketServer(tmp_path_factory.mktemp("outbound"), outbound=True)
    yield server
    server.stop()


@pytest.fixture
def wizard(served: SocketServer) -> Iterator[Talker]:
    with served.talker() as talker:
        yield talker.log_in()
    served.wait_until(lambda: len(served.server.connections) == 0)


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """A port that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.settimeout(PATIENCE_S)
        yield sock


def port_of(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port


def accepted(sock: socket.socket) -> tuple[socket.socket, int]:
    other, address = sock.accept()
    other.settimeout(PATIENCE_S)
    return other, address[1]


def test_a_connection_is_opened_talked_over_and_closed(
    served: SocketServer, wizard: Talker, elsewhere: socket.socket
) -> None:
    there = port_of(elsewhere)
    number = wizard.eval(f'return open_network_connection("127.0.0.1", {there});')
    other, here = accepted(elsewhere)
    with other:
        name = f"port {here} to 127.0.0.1, port {there}"
        assert wizard.eval(f"return connection_name({number});") == f'"{name}"'
        assert wizard.eval("return connected_players();") == "{#3}"
        assert number in wizard.eval("return connected_players(1);")
        assert f"CONNECT: {number} on {name}" in served.log
        wizard.eval(f'notify({number}, "hello");')
        assert other.recv(100) == b"hello\r\n"
        wizard.eval(f"boot_player({number});")
        assert other.recv(100) == b""
    assert f"DISCONNECTED: {number} on {name}" in served.log


def test_what_comes_from_there_can_be_read(
    wizard: Talker, elsewhere: socket.socket
) -> None:
    there = port_of(elsewhere)
    number = wizard.eval(f'return open_network_connection("localhost", {there});')
    other, _ = accepted(elsewhere)
    with other:
        wizard.eval(f'set_connection_option({number}, "hold-input", 1);')
        other.sendall(b"220 ready\r\n250 ok\r\n")
        assert wizard.eval(f"return {{read({number}), read({number})}};") == (
            '{"220 ready", "250 ok"}'
        )
        wizard.type(f";return `read({number}) ! ANY';")
    assert wizard.read_line() == "E_INVARG"


def test_without_an_object_nothing_greets_the_connection(
    wizard: Talker, elsewhere: socket.socket
) -> None:
    """Its lines go to #0:do_login_command all the same."""
    wizard.eval("#0.seen = {};")
    there = port_of(elsewhere)
    number = wizard.eval(f'return open_network_connection("127.0.0.1", {there});')
    other, _ = accepted(elsewhere)
    with other:
        wizard.eval("suspend(0);")
        other.sendall(b"\r\n")
        assert other.recv(100) == b"Welcome.\r\n"
        wizard.eval(f"boot_player({number});")
        assert other.recv(100) == b""
    assert wizard.eval("return {#0.seen[1][1..3], length(#0.seen)};") == (
        f'{{{{"user_disconnected", #0, {number}}}, 1}}'
    )


def test_an_object_without_listening_point_is_the_handler_and_silent(
    wizard: Talker, elsewhere: socket.socket
) -> None:
    wizard.eval("#0.seen = {};")
    there = port_of(elsewhere)
    number = wizard.eval(
        f'return open_network_connection("127.0.0.1", {there}, {HANDLER});'
    )
    other, _ = accepted(elsewhere)
    with other:
        assert other.recv(100) == b"Welcome.\r\n"
        wizard.eval(f"boot_player({number});")
        assert other.recv(100) == b""
    assert wizard.eval("return #0.seen[1][1..3];") == (
        f'{{"user_disconnected", {HANDLER}, {number}}}'
    )


def test_an_object_with_a_listening_point_lends_its_messages(
    wizard: Talker, elsewhere: socket.socket
) -> None:
    there = port_of(elsewhere)
    wizard.eval(f'open_network_connection("127.0.0.1", {there}, #0);')
    other, _ = accepted(elsewhere)
    with other, Talker.__new__(Talker) as talker:
        talker.socket, talker.unread = other, b""
        talker.read_until(b"Welcome.\r\n")
        talker.type("#4")
        assert talker.read_line() == "*** Connected ***"


def test_the_other_side_may_hang_up(
    served: SocketServer, wizard: Talker, elsewhere: socket.socket
) -> None:
    wizard.eval("#0.seen = {};")
    there = port_of(elsewhere)
    number = wizard.eval(f'return open_network_connection("127.0.0.1", {there});')
    other, _ = accepted(elsewhere)
    other.close()
    served.wait_until(lambda: len(served.server.connections) == 1)
    assert wizard.eval("return #0.seen[1][1..3];") == (
        f'{{"user_client_disconnected", #0, {number}}}'
    )


def test_such_a_connection_waits_for_no_login(
    served: SocketServer, wizard: Talker, elsewhere: socket.socket
) -> None:
    there = port_of(elsewhere)
    wizard.eval(f'open_network_connection("127.0.0.1", {there});')
    other, _ = accepted(elsewhere)
    with other:
        assert served.ask(served.server.connections.seconds_until_timeout) is None


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("", "E_ARGS"),
        ('"127.0.0.1"', "E_ARGS"),
        ('"127.0.0.1", 1, #0, 1', "E_ARGS"),
        ('"127.0.0.1", "1"', "E_TYPE"),
        ("127, 1", "E_TYPE"),
        ('"127.0.0.1", 1, 1', "E_TYPE"),
        ('"127.0.0.1", 1.0', "E_TYPE"),
        ('"no.such.host.invalid", 25', "E_INVARG"),
        ('"", 25', "E_INVARG"),
    ],
)
def test_bad_arguments_are_refused(
    served: SocketServer, wizard: Talker, arguments: str, error: str
) -> None:
    before = served.ask(lambda: len(served.network._sockets))
    code = f"return `open_network_connection({arguments}) ! ANY';"
    assert wizard.eval(code) == error
    assert served.ask(lambda: len(served.network._sockets)) == before


def test_where_nobody_listens_is_e_invarg(wizard: Talker) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = port_of(sock)
        code = f'return `open_network_connection("127.0.0.1", {port}) ! ANY\';'
        assert wizard.eval(code) == "E_INVARG"


def test_where_nobody_answers_is_e_invarg_after_the_time_out(
    served: SocketServer, wizard: Talker, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent:
        """Waits, and nothing becomes writable."""

        def __enter__(self) -> Silent:
            return self

        def __exit__(self, *error: object) -> None: ...

        def register(self, sock: socket.socket, events: int) -> None: ...

        def select(self, seconds: float) -> list[object]:
            waited.append(seconds)
            return []

    waited: list[float] = []
    wizard.eval('add_property(#5, "outbound_connect_timeout", 17, {#3, "r"});')
    monkeypatch.setattr(selectors, "DefaultSelector", Silent)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        monkeypatch.setattr(socket.socket, "connect_ex", lambda self, address: 115)
        code = f'return `open_network_connection("127.0.0.1", {port_of(sock)}) ! ANY\';'
        assert wizard.eval(code) == "E_INVARG"
    assert waited == [17]


def test_only_wizards_connect_elsewhere(
    served: SocketServer, wizard: Talker, elsewhere: socket.socket
) -> None:
    with served.talker() as player:
        player.log_in("#4")
        code = (
            f'return `open_network_connection("127.0.0.1", {port_of(elsewhere)})'
            " ! ANY';"
        )
        assert player.eval(code) == "E_PERM"


def test_without_leave_nobody_does(tmp_path: Path) -> None:
    online = Online(tmp_path)
    assert online.eval("return `open_network_connection() ! ANY';") == "E_PERM"
    assert online.eval('return server_version("options/OUTBOUND_NETWORK");') == "#-1"


def test_the_version_tells_that_it_is_allowed(wizard: Talker) -> None:
    assert wizard.eval('return server_version("options/OUTBOUND_NETWORK");') == '"ON"'
