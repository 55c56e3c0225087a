"""Our own server in this process, as runners see it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pymoo.conform.database import database
from pymoo.conform.inprocess import InProcessLauncher
from pymoo.conform.servers import LineReader, LinkClosedError, RunningServer


@pytest.fixture
def server() -> Iterator[RunningServer]:
    found = InProcessLauncher("lambdamoo").start(database("own"))
    yield found
    found.stop()


@pytest.fixture
def wizard(server: RunningServer) -> LineReader:
    reader = LineReader(server.connect())
    reader.send_line("connect wizard")
    assert list(reader.lines(1)) == ["*** Connected ***"]
    return reader


def test_waiting_returns_with_the_first_that_comes(
    server: RunningServer, wizard: LineReader
) -> None:
    wizard.send_line(';fork (100) notify(player, "late"); endfork')
    assert list(wizard.lines(1)) == ["{1, 0}"]
    start = server.now()
    began = time.monotonic()
    assert list(wizard.lines(1000)) == ["late"]
    assert 99 <= server.now() - start < 110
    assert time.monotonic() - began < 10


def test_waiting_ends_when_nothing_comes(
    server: RunningServer, wizard: LineReader
) -> None:
    start = server.now()
    assert list(wizard.lines(50)) == []
    assert 50 <= server.now() - start < 60


def test_a_task_that_waits_for_a_time_by_looking_gets_there(
    wizard: LineReader,
) -> None:
    code = 't = time(); while (time() < t + 2) suspend(0); endwhile return "there";'
    wizard.send_line(f"n k {code}")
    lines: list[str] = []
    for _ in range(100):
        lines += wizard.lines(1)
        if any("there" in line for line in lines):
            return
    raise AssertionError(lines)


def test_a_task_that_never_rests_does_not_hold_the_runner(wizard: LineReader) -> None:
    wizard.send_line("n k while (1) suspend(0); endwhile")
    began = time.monotonic()
    wizard.lines(0.2)
    wizard.lines(0.2)
    assert time.monotonic() - began < 5


def test_a_connection_that_the_server_closed_is_closed(wizard: LineReader) -> None:
    wizard.send_line("n k boot_player(player);")
    assert "*** Disconnected ***" in wizard.lines(1)
    with pytest.raises(LinkClosedError):
        wizard.lines(1)


def test_nobody_listens_on_other_ports(server: RunningServer) -> None:
    with pytest.raises(LinkClosedError, match="nobody listens on port 1"):
        server.connect(1)


def test_a_server_that_has_shut_down_takes_no_connections(
    server: RunningServer, wizard: LineReader
) -> None:
    wizard.send_line("n k shutdown();")
    wizard.lines(1)
    assert server.wait_for_exit(1) == 0
    with pytest.raises(LinkClosedError, match="has shut down"):
        server.connect()
    assert "SHUTDOWN: shutdown() called by Wizard (#3)" in server.log()


def test_a_restart_keeps_the_world_and_the_log(
    server: RunningServer, wizard: LineReader
) -> None:
    wizard.send_line('n k $lamp.name = "kept";')
    wizard.lines(1)
    server.restart()
    again = LineReader(server.connect())
    again.send_line("connect wizard")
    again.send_line(";return $lamp.name;")
    assert '{1, "kept"}' in again.lines(1)
    assert server.log().count("LISTEN: #0 now listening") == 2
