"""The server that is driven by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymoo.errors import PymooError
from pymoo.lang.dialect import LAMBDAMOO
from pymoo.server import inprocess
from pymoo.server.inprocess import EndlessRunError, InProcessServer
from tests.server.online import Online


def test_nothing_happens_until_the_server_runs(online: Online) -> None:
    online.wizard.send_line(";return 5;")
    assert online.wizard.take() == b""
    online.process.run()
    assert online.wizard.take() == b"5\r\n"


def test_time_passes_only_when_told_to_and_what_is_due_runs_at_its_time(
    online: Online,
) -> None:
    online.do(
        "fork (5) #0.mark = time(); endfork fork (3) suspend(4); "
        "#0.seen = time(); endfork"
    )
    began = int(online.clock.now())
    online.process.advance(100)
    assert online.eval("return {#0.mark, #0.seen};") == f"{{{began + 5}, {began + 7}}}"
    assert online.clock.now() == began + 100


def test_a_server_that_is_never_done_is_reported(
    online: Online, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inprocess, "MAX_TURNS", 1_000)
    online.wizard.send_line(";while (1) suspend(0); endwhile")
    with pytest.raises(EndlessRunError) as caught:
        online.process.run()
    assert "suspend for 0 seconds" in str(caught.value)


def test_lines_and_their_unfinished_rest_are_taken_once(online: Online) -> None:
    client = online.connect("#4")
    client.take()
    online.do(
        'notify(#4, "a"); notify(#4, ""); set_connection_option(#4, "binary", 1);'
        'notify(#4, "rest");'
    )
    assert client.take_lines() == ["a", "", "rest"]
    assert client.take_lines() == []


def test_a_client_knows_whether_the_server_or_itself_hung_up(online: Online) -> None:
    gone, booted = online.connect("#4"), online.connect()
    gone.close()
    gone.close()
    gone.send_line("still there?")
    online.do("boot_player(#-4);")
    online.process.run()
    assert not gone.was_closed
    assert booted.was_closed


def test_a_stopped_server_stays_stopped(online: Online) -> None:
    online.process.shut_down()
    before = online.output.read_bytes()
    online.process.run()
    online.process.advance(10_000)
    assert online.process.has_stopped
    assert online.output.read_bytes() == before


def test_two_servers_in_one_process_know_nothing_of_each_other(tmp_path: Path) -> None:
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        folder.mkdir()
    first, second = map(Online, folders)
    first.do("#0.mark = 1;")
    second.connect("#4")
    assert second.eval("return #0.mark;") == "0"
    assert first.eval("return connected_players();") == "{#3}"
    assert first.log != second.log


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PymooError):
        InProcessServer.open(tmp_path / "nosuch", tmp_path / "out", LAMBDAMOO)


def test_runs_with_the_same_seed_are_the_same(tmp_path: Path) -> None:
    answers = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        online = Online(tmp_path / name)
        answers.append(online.eval("return {random(), task_id(), random(100)};"))
    assert answers[0] == answers[1]
