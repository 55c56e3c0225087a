"""Who is let in: how many connections and login attempts one address may have."""

from __future__ import annotations

import re
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.cli import serve
from pymoo.server.admission import (
    LOGIN_TOO_FAST,
    LOOPBACK_FACTOR,
    TOO_FAST,
    TOO_MANY,
    Admission,
    AdmissionLimits,
    address_group,
)
from pymoo.server.messages import DEFAULTS
from tests.server.online import write_database
from tests.server.processes import ServerProcess
from tests.server.talking import PATIENCE_S

SOMEBODY = "198.51.100.7"
OTHER = "198.51.100.8"


class Time:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Door:
    """An `Admission` whose time and log a test has in its hands."""

    def __init__(self, *limits: int | None) -> None:
        self.time = Time()
        self.log: list[str] = []
        self.admission = Admission(
            AdmissionLimits(*limits), self.log.append, now=self.time
        )
        self.arrives = self.admission.arrives
        self.leaves = self.admission.leaves

    def types(self, group: str) -> str | None:
        """Have a new connection of ``group`` type a line."""
        return self.admission.types(group, self.admission.allowance())


# --- the count ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("no address", "no address"),
    ],
)
def test_an_ipv6_address_counts_by_its_first_64_bits(address: str, group: str) -> None:
    assert address_group(address) == group


def test_an_address_may_have_so_many_connections_at_a_time() -> None:
    door = Door(2, None, None)
    assert [door.arrives(SOMEBODY) for _ in range(3)] == [None, None, TOO_MANY]
    assert door.arrives(OTHER) is None
    door.leaves(SOMEBODY)
    assert [door.arrives(SOMEBODY) for _ in range(2)] == [None, TOO_MANY]


def test_an_address_may_open_so_many_in_a_minute() -> None:
    door = Door(None, 60, None)
    answers = [door.arrives(SOMEBODY) for _ in range(61)]
    assert answers == [None] * 60 + [TOO_FAST]
    assert door.arrives(OTHER) is None
    door.time.seconds += 2
    assert [door.arrives(SOMEBODY) for _ in range(3)] == [None, None, TOO_FAST]


def test_an_address_may_type_so_many_lines_before_login() -> None:
    door = Door(None, None, 120)
    answers = [door.types(SOMEBODY) for _ in range(121)]
    assert answers == [None] * 120 + [LOGIN_TOO_FAST]
    door.time.seconds += 60
    assert [door.types(SOMEBODY) for _ in range(121)] == answers


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_addresses_of_this_machine_may_do_a_hundred_times_as_much(address: str) -> None:
    door = Door(1, 2, 3)
    answers = [door.arrives(address) for _ in range(LOOPBACK_FACTOR + 1)]
    assert answers == [None] * LOOPBACK_FACTOR + [TOO_MANY]
    typed = [door.types(address) for _ in range(3 * LOOPBACK_FACTOR + 1)]
    assert typed == [None] * 3 * LOOPBACK_FACTOR + [LOGIN_TOO_FAST]


def test_a_connection_of_this_machine_may_type_as_much_as_an_address_elsewhere() -> (
    None
):
    door = Door(None, None, 120)
    own = door.admission.allowance()
    typed = [door.admission.types("127.0.0.1", own) for _ in range(121)]
    assert typed == [None] * 120 + [LOGIN_TOO_FAST]
    door.time.seconds += 1
    typed = [door.admission.types("127.0.0.1", own) for _ in range(3)]
    assert typed == [None, None, LOGIN_TOO_FAST]


def test_a3_a_flood_before_login_uses_up_nothing_of_the_others() -> None:
    door = Door(None, None, 120)
    own = door.admission.allowance()
    for _ in range(120):
        door.admission.types("127.0.0.1", own)
    for _ in range(100_000):
        assert door.admission.types("127.0.0.1", own) == LOGIN_TOO_FAST
    typed = [door.types("127.0.0.1") for _ in range(11_881)]
    assert typed == [None] * 11_880 + [LOGIN_TOO_FAST]


def test_without_limits_nothing_is_refused() -> None:
    door = Door(None, None, None)
    assert {door.arrives(SOMEBODY) for _ in range(10_000)} == {None}
    assert {door.types(SOMEBODY) for _ in range(10_000)} == {None}


def test_the_log_is_told_of_an_address_once_a_minute() -> None:
    door = Door(1, None, 1)
    for _ in range(100):
        door.arrives(SOMEBODY)
        door.types(SOMEBODY)
    assert door.log == [f"REFUSED: connections from {SOMEBODY}: there are 1 already"]
    assert door.admission.refused == {TOO_MANY: 99, TOO_FAST: 0, LOGIN_TOO_FAST: 99}
    door.time.seconds += 60
    door.types(SOMEBODY)
    door.types(SOMEBODY)
    assert door.log[1:] == [
        f"REFUSED: connections from {SOMEBODY}: too many lines before login"
    ]


@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 40)), max_size=300))
def test_only_addresses_of_the_last_minutes_are_known(
    steps: list[tuple[int, int]],
) -> None:
    """A1, whoever comes and goes."""
    door = Door(3, 10, 10)
    open_: list[str] = []
    for number, seconds in steps:
        group = f"198.51.{number // 250}.{number % 250}"
        if door.arrives(group) is None:
            open_.append(group)
        door.types(group)
        if number % 3 == 0 and open_:
            door.leaves(open_.pop(0))
        door.time.seconds += seconds
    for group in open_:
        door.leaves(group)
    for _ in range(2):
        door.time.seconds += 61
        assert door.arrives(OTHER) is None
        door.leaves(OTHER)
    assert door.admission.address_count == 1


def test_the_options_of_serve_have_the_defaults_of_the_count() -> None:
    defaults = AdmissionLimits()
    options = {option.name: option.default for option in serve.params}
    assert options["max_connections"] == defaults.max_connections
    assert options["connect_rate"] == defaults.connects_per_minute
    assert options["login_rate"] == defaults.login_lines_per_minute


# --- a process ----------------------------------------------------------------------


def served(folder: Path, *options: str) -> ServerProcess:
    write_database(folder / "in.db")
    return ServerProcess(
        folder,
        *("serve", "{input}", "{output}", "--port", "0", "--log", "{log}"),
        *("--code-cache", "none", *options),
    )


def all_of(sock: socket.socket) -> list[str]:
    """Return the lines that come before the other side closes."""
    data = b""
    while part := sock.recv(65_536):
        data += part
    return data.decode("ascii").splitlines()


def test_the_connection_too_many_gets_one_line_and_no_task(tmp_path: Path) -> None:
    with (
        served(tmp_path, "--max-connections-per-address", "1") as server,
        server.talker() as wizard,
        ExitStack() as kept,
    ):
        wizard.log_in("#3")

        def connect() -> socket.socket:
            place = "127.0.0.1", server.port
            return kept.enter_context(socket.create_connection(place, PATIENCE_S))

        others = [connect() for _ in range(LOOPBACK_FACTOR - 1)]
        server.wait_for(rf"ACCEPT: #-{LOOPBACK_FACTOR + 1} ")
        assert all_of(connect()) == DEFAULTS[TOO_MANY]
        assert "REFUSED: connections from 127.0.0.1: there are 100 al" in server.log
        assert wizard.eval("return length(connected_players(1));") == "100"
        others[0].close()
        server.wait_for("CLIENT DISCONNECTED: ")
        assert connect().recv(7) == b"Welcome"
        assert wizard.eval("return length(connected_players(1));") == "100"
        assert server.stop() == 0


def connect_until(server: ServerProcess, word: bytes) -> int:
    """Open connections, one by one, until one gets ``word``; returns how many others.

    The allowance grows meanwhile, but not as fast as anybody can connect.
    """
    taken = 0
    while True:
        place = "127.0.0.1", server.port
        with socket.create_connection(place, PATIENCE_S) as client:
            answer = client.recv(100)
        if answer.startswith(word):
            return taken
        assert answer == b"Welcome.\r\n"
        taken += 1


def test_whoever_connects_too_fast_is_refused(tmp_path: Path) -> None:
    with served(tmp_path, "--connect-rate", "1") as server:
        assert connect_until(server, b"*** Too many connections") >= LOOPBACK_FACTOR
        assert server.stop() == 0


def test_whoever_guesses_passwords_is_cut_off_before_more_is_tried(
    tmp_path: Path,
) -> None:
    with served(tmp_path, "--login-rate", "1") as server, server.talker() as wizard:
        wizard.log_in("#3")
        wizard.eval(
            'set_verb_code(#0, "do_login_command", {"#0.mark = #0.mark + !!args;"});'
        )
        with socket.create_connection(("127.0.0.1", server.port), 30) as client:
            client.sendall(b"guess\r\n" * 1000)
            assert all_of(client) == DEFAULTS[LOGIN_TOO_FAST]
        tried = int(wizard.eval("return #0.mark;"))
        # One login is the wizard's; the allowance goes on growing meanwhile.
        assert tried <= LOOPBACK_FACTOR + 5
        # Whoever is logged in may type as fast as they like.
        for number in range(2 * LOOPBACK_FACTOR):
            assert wizard.eval(f"return {number};") == str(number)
        assert len(re.findall("REFUSED", server.log)) == 1
        assert server.stop() == 0


def test_what_was_sent_at_once_with_a_login_is_no_attempt_to_log_in(
    tmp_path: Path,
) -> None:
    """Nor is the line that lets the database welcome whoever has connected."""
    with served(tmp_path, "--login-rate", "1") as server:
        for _ in range(20):
            with server.talker() as wizard:
                wizard.type("#3\r\n" + "\r\n".join([";return 42;"] * 300))
                wizard.read_until(b" ***\r\n")
                assert [wizard.read_line() for _ in range(300)] == ["42"] * 300
        assert "REFUSED" not in server.log
        assert server.stop() == 0


def test_the_database_may_say_it_in_its_own_words(tmp_path: Path) -> None:
    with (
        served(tmp_path, "--connect-rate", "1") as server,
        server.talker() as wizard,
    ):
        wizard.log_in("#3")
        wizard.eval(
            'add_property(#5, "connect_rate_msg", "Not so fast!", {#3, "r"}); return 0;'
        )
        # The wizard's is one of them.
        assert connect_until(server, b"Not so fast!\r\n") >= LOOPBACK_FACTOR - 1
        assert server.stop() == 0
