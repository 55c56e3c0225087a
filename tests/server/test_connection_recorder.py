"""Who has come, gone or become somebody else, as the journal is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymoo.server.connection_recorder import ConnectionRecorder
from pymoo.values import Obj
from tests.db.worlds import SYSTEM
from tests.server.online import PLAYER, Online


@pytest.fixture
def online(tmp_path: Path) -> Online:
    return Online(tmp_path)


def test_only_what_has_changed_is_told(online: Online) -> None:
    recorder = ConnectionRecorder(online.server.connections)
    table = online.server.connections
    assert [row[1:] for row in recorder.all()] == table.active_connections()
    assert recorder.changes() == []
    client = online.connect()
    ((kind, number, player, listener),) = recorder.changes()
    assert (kind, listener) == ("connection", 0)
    assert player == Obj(-3)
    online.type(client, "#4")
    assert recorder.changes() == [("connection", number, PLAYER, SYSTEM)]
    assert recorder.changes() == []
    client.close()
    online.process.run()
    assert recorder.changes() == [("disconnection", number)]


def test_who_came_and_went_in_between_is_not_told(online: Online) -> None:
    recorder = ConnectionRecorder(online.server.connections)
    recorder.all()
    online.connect().close()
    online.process.run()
    assert recorder.changes() == []


def test_after_all_were_told_numbers_are_new_ones(online: Online) -> None:
    recorder = ConnectionRecorder(online.server.connections)
    online.connect()
    before = {row[0] for row in recorder.all()}
    after = {row[0] for row in recorder.all()}
    assert before
    assert len(before) == len(after)
    assert not before & after


def test_one_that_has_stopped_notes_nothing(online: Online) -> None:
    recorder = ConnectionRecorder(online.server.connections)
    recorder.all()
    recorder.stop()
    online.connect()
    assert recorder.changes() == []
