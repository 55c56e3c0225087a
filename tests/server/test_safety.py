"""Nothing that comes from a socket stops the world, fills it, or slows others down."""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.server.connection import MAX_QUEUED_OUTPUT
from pymoo.server.connections import MAX_QUEUED_LINES
from pymoo.server.telnet import CHUNK_SIZE, MAX_LINE
from pymoo.tasks.queues import MAX_QUEUED_INPUT
from tests.server.online import Online
from tests.server.socket_server import SocketServer
from tests.server.talking import Talker


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SocketServer]:
    server = SocketServer(tmp_path_factory.mktemp("served"))
    yield server
    server.stop()


@pytest.fixture
def wizard(served: SocketServer) -> Iterator[Talker]:
    """#3, logged in; afterwards everybody else is gone again."""
    with served.talker() as talker:
        yield talker.log_in()
    served.wait_until(lambda: len(served.server.connections) == 0)
    assert not [line for line in served.log if "BUG" in line]


class Flood:
    """Sends the same bytes again and again, as fast as they are taken."""

    def __init__(self, talker: Talker, data: bytes, *, reads: bool) -> None:
        self.talker = talker
        self.data = data
        self.reads = reads
        self.sent = 0
        self.is_over = False
        talker.socket.settimeout(0.05)
        self.threads = [threading.Thread(target=self.send)]
        if reads:
            self.threads.append(threading.Thread(target=self.read))
        for thread in self.threads:
            thread.start()

    def send(self) -> None:
        while not self.is_over:
            try:
                self.sent += self.talker.socket.send(self.data)
            except TimeoutError:
                continue
            except OSError:
                return

    def read(self) -> None:
        while not self.is_over:
            try:
                if not self.talker.socket.recv(65_536):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def end(self) -> None:
        self.is_over = True
        for thread in self.threads:
            thread.join()
        self.talker.reset()


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize(
    ("who", "data"),
    [
        (None, b"\n" * 4096),
        (None, b"connect guest\r\n" * 300),
        (None, b"\x08" * 4096),
        ("#4", b"\n" * 4096),
        ("#4", b";1\n" * 1000),
        ("#4", b'PREFIX x\n#$#oob\n#$"quoted\n.flush\n' * 100),
        ("#4", b"x" * 4096),
        ("#4", bytes(range(256)) * 16),
    ],
)
def test_commands_are_answered_while_another_floods(
    served: SocketServer, wizard: Talker, who: str | None, data: bytes, reads: bool
) -> None:
    flooder = served.talker()
    if who:
        flooder.log_in(who)
    flood = Flood(flooder, data, reads=reads)
    try:
        for _ in range(15):
            assert wizard.eval("return 1;") == "1"
        connection = served.connection(4) if who else None
        if connection is not None:

            def sizes() -> tuple[int, int, int, int]:
                return (
                    connection.queue.input_length,
                    connection.queue.line_count,
                    connection.output.length,
                    len(connection.reader._line),
                )

            queued, lines, output, line = served.ask(sizes)
            assert queued <= MAX_QUEUED_INPUT + CHUNK_SIZE
            assert lines <= MAX_QUEUED_LINES + CHUNK_SIZE
            assert output <= MAX_QUEUED_OUTPUT
            assert line <= MAX_LINE + CHUNK_SIZE
    finally:
        flood.end()
    assert flood.sent > 0


def test_a_slow_reader_never_blocks_others_and_learns_what_it_missed(
    served: SocketServer, wizard: Talker
) -> None:
    with served.talker(receive_buffer=4096) as slow:
        slow.log_in("#4")
        line = '"' + "x" * 1000 + '"'
        for _ in range(10):
            assert wizard.eval(f"for i in [1..1000] notify(#4, {line}); endfor") == "0"
            waiting = int(wizard.eval("return buffered_output_length(#4);"))
            assert waiting <= MAX_QUEUED_OUTPUT
        assert waiting > 0
        assert wizard.eval("return 1;") == "1"
        wizard.eval('notify(#4, "the end");')
        read = slow.read_until(b"the end\r\n")
        notices = [part for part in read.split(b"\r\n") if b"overflow" in part]
        lost = sum(int(notice.split()[4]) for notice in notices)
        assert lost + read.count(b"x" * 1000) >= 10_000
        assert lost > 1_000


def test_one_line_of_any_length_reaches_a_slow_reader_whole(
    served: SocketServer, wizard: Talker
) -> None:
    with served.talker(receive_buffer=4096) as slow:
        slow.log_in("#4")
        wizard.eval(
            's = "0123456789abcdef"; for i in [1..16] s = s + s; endfor notify(#4, s);'
        )
        read = slow.read_until(b"\r\n")
        assert len(read) == 16 * 2**16 + 2
        assert read[:-2] == b"0123456789abcdef" * 2**16


def test_a_huge_line_is_dropped_and_its_sender_told(
    served: SocketServer, wizard: Talker
) -> None:
    with served.talker() as talker:
        talker.log_in("#4")
        talker.send(b"x" * (MAX_LINE + 5_000_000))
        assert wizard.eval("return 1;") == "1"
        assert len(served.connection(4).reader._line) <= MAX_LINE + CHUNK_SIZE
        talker.send(b"\r\n;return 7;\r\n")
        assert talker.read_line() == (
            f">> A line of more than {MAX_LINE} bytes has been dropped <<"
        )
        assert talker.read_line() == "7"


def test_a_client_that_sends_nothing_or_half_a_line_costs_nothing(
    served: SocketServer, wizard: Talker
) -> None:
    silent = [served.talker() for _ in range(20)]
    for talker in silent[:10]:
        talker.send(b"conn")
    assert wizard.eval("return 1;") == "1"
    for talker in silent:
        talker.close()


def test_a_client_that_closes_its_sending_half_is_gone(
    served: SocketServer, wizard: Talker
) -> None:
    with served.talker() as talker:
        talker.log_in("#4")
        talker.socket.shutdown(socket.SHUT_WR)
        assert talker.read_all() == b""
    wizard.eval("suspend(0);")
    assert wizard.eval("return #4 in connected_players();") == "0"


def test_connections_that_break_off_at_once_leave_nothing_behind(
    served: SocketServer, wizard: Talker
) -> None:
    assert wizard.eval("return 1;") == "1"
    before = len(os.listdir("/proc/self/fd"))
    for number in range(600):
        talker = served.talker()
        if number % 3 == 0:
            talker.reset()
        elif number % 3 == 1:
            talker.close()
        else:
            talker.send(b"#4\r\n;return 1;\r\nhalf")
            talker.reset()
    assert wizard.eval("return 1;") == "1"
    served.wait_until(lambda: len(served.server.connections) == 1)
    assert len(os.listdir("/proc/self/fd")) <= before + 1  # `listdir`'s own
    assert len(served.network._sockets) == 2
    assert served.server.connections._logins == {}


def test_a_connection_that_breaks_in_mid_task_ends_in_order(
    served: SocketServer, wizard: Talker
) -> None:
    wizard.eval("#0.seen = {};")
    talker = served.talker().log_in("#4")
    talker.type(
        ";for i in [1..500] notify(player, tostr(random())); endfor suspend(0); "
        "for i in [1..500] notify(player, tostr(random())); endfor #0.seen = "
        '{@#0.seen, "finished"};'
    )
    talker.reset()
    served.wait_until(lambda: len(served.server.connections) == 1)
    while "finished" not in (seen := wizard.eval("return #0.seen;")):
        pass
    assert seen.count("user_client_disconnected") == 1


def test_a_client_that_goes_on_sending_while_it_is_booted_reads_its_last_lines(
    served: SocketServer, wizard: Talker
) -> None:
    with served.talker() as talker:
        talker.log_in("#4")
        wizard.type(';notify(#4, "last words"); suspend(0); boot_player(#4);')
        try:
            for _ in range(200):
                talker.send(b"say something\r\n")
        except OSError:
            pass  # closed in the meantime: what matters is what can be read
        read = talker.read_all()
    assert b"last words\r\n" in read
    assert wizard.read_line() == "0"


def test_many_connections_are_served_and_their_descriptors_come_back(
    served: SocketServer, wizard: Talker
) -> None:
    talkers = [served.talker() for _ in range(300)]
    for talker in talkers:
        talker.read_until(b"Welcome.\r\n")
    assert wizard.eval("return length(connected_players(1));") == "301"
    assert wizard.eval("return 1;") == "1"
    for talker in talkers:
        talker.close()
    served.wait_until(lambda: len(served.network._sockets) == 2)


def test_a_full_server_says_so_and_recovers(
    served: SocketServer, wizard: Talker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.network, "max_connections", 3)
    with served.talker() as first, served.talker() as second:
        first.read_until(b"Welcome.\r\n")
        second.read_until(b"Welcome.\r\n")
        for _ in range(2):
            with served.talker() as third:
                assert third.read_all().decode().splitlines() == [
                    "*** Sorry, but the server cannot accept any more connections "
                    "right now.",
                    "*** Please try again later.",
                ]
        wizard.eval('add_property(#5, "server_full_msg", "Full.", {#3, "r"});')
        with served.talker() as third:
            assert third.read_all() == b"Full.\r\n"
    served.wait_until(lambda: len(served.server.connections) == 1)
    with served.talker() as again:
        again.read_until(b"Welcome.\r\n")
    refusals = [line for line in served.log if "SERVER FULL" in line]
    assert len(refusals) == 3
    assert refusals[0].startswith(
        f"*** SERVER FULL: refusing connection on port {served.port} from "
        f"port {served.port} from 127.0.0.1, port "
    )


def test_a_slow_name_server_keeps_only_its_client_waiting(tmp_path: Path) -> None:
    found = threading.Event()

    def slow(address: str) -> str:
        assert found.wait(60)
        return "slow.example"

    server = SocketServer(tmp_path, find_name=slow, options={"name_lookup_timeout": 0})
    try:
        with server.talker() as wizard:
            wizard.log_in()
            wizard.eval("$server_options.name_lookup_timeout = 1000;")
            with server.talker() as waiting, server.talker() as gone:
                waiting.type("#4")
                gone.reset()
                assert wizard.eval("return 1;") == "1"
                assert wizard.eval("return connected_players(1);") == "{#3}"
                found.set()
                waiting.read_until(b"*** Connected ***\r\n")
                assert wizard.eval("return connection_name(#4);").startswith(
                    f'"port {server.port} from slow.example, port '
                )
    finally:
        found.set()
        server.stop()


def test_a_name_that_takes_too_long_is_the_address(tmp_path: Path) -> None:
    found = threading.Event()

    def slow(address: str) -> str:
        found.wait(60)
        return "slow.example"

    server = SocketServer(tmp_path, find_name=slow, options={"name_lookup_timeout": 1})
    try:
        with server.talker() as wizard:
            wizard.log_in()
            assert wizard.eval("return connection_name(#3);").startswith(
                f'"port {server.port} from 127.0.0.1, port '
            )
            found.set()
            with server.talker() as other:
                other.log_in("#4")
                assert "slow.example" in wizard.eval("return connection_name(#4);")
    finally:
        found.set()
        server.stop()


def test_random_bytes_over_a_socket_are_survived(
    served: SocketServer, wizard: Talker
) -> None:
    source = random.Random(1)
    for who in (None, "#4"):
        with served.talker() as talker:
            if who:
                talker.log_in(who)
            talker.socket.settimeout(0.05)
            try:
                for _ in range(40):
                    talker.socket.send(source.randbytes(4096))
            except TimeoutError:
                pass  # it does not read: the server has stopped reading as well
            talker.reset()
    assert wizard.eval("return 1;") == "1"


TELNET = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"\xff\xfd\x01",
                b"\xff\xfa\x18\x00",
                b"\xff\xf0",
                b"\r\n",
                b"\n",
                b"#$#",
                b'#$"',
                b".flush",
                b".program #0:x",
                b".",
                b"PREFIX ~",
                b";1/0",
                b"#3",
                b"\x7f",
                b'"',
                b"\\",
                b" ",
            ]
        ),
        st.binary(max_size=6),
    ),
    max_size=40,
).map(b"".join)


@given(TELNET, st.booleans(), st.integers(1, 50))
def test_no_bytes_do_harm(data: bytes, is_binary: bool, size: int) -> None:
    online = ONLINE
    client = online.connect()
    client.send(data[: len(data) // 2])
    online.process.run()
    player = online.connect("#4")
    if is_binary:
        online.type(player, ';set_connection_option(player, "binary", 1);')
    for start in range(0, len(data), size):
        player.send(data[start : start + size])
        online.process.run()
    player.close()
    client.close()
    online.wizard.take()
    if online.wizard.was_closed:  # somebody has logged in as #3
        online.wizard = online.connect("#3")
        online.wizard.take()
    assert online.eval("return 1;") == "1"
    assert not [line for line in online.log if "BUG" in line]


@pytest.fixture(autouse=True, scope="module")
def _online(tmp_path_factory: pytest.TempPathFactory) -> None:
    global ONLINE
    ONLINE = Online(tmp_path_factory.mktemp("online"))


ONLINE: Online
