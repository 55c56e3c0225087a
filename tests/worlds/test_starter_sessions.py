"""The starter core, as those who connect to it see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymoo.db.world import World
from pymoo.lang.dialect import LAMBDAMOO
from pymoo.server.inprocess import Client, HandClock, InProcessServer
from pymoo.values import SYSTEM_OBJECT
from pymoo.worlds.starter import copy_starter
from tests.worlds.playing import CLOSED, fits, play, read_session, shown

SESSIONS = sorted((Path(__file__).parent / "sessions").glob("*.txt"))

# Saturday, 21 November 2026, 12:00 UTC.
NOON = 1795262400.0


class InProcess:
    """Plays sessions to a server in this process."""

    def __init__(self, folder: Path, *, name: str = "in.db") -> None:
        if name == "in.db":
            copy_starter(folder / name)
        self.server = InProcessServer.open(
            folder / name,
            folder / "out.db",
            LAMBDAMOO,
            clock=HandClock(seconds=NOON),
            seed=1,
        )
        self.clients: dict[str, Client] = {}
        self.closed: set[str] = set()

    @property
    def world(self) -> World:
        return self.server.server.engine.world

    def see(self, who: str, line: str) -> list[str]:
        """Send a line, and return what that connection sees then."""
        self.take()
        self.send(who, line)
        return self.take()[who]

    def connect(self, who: str) -> None:
        host = "192.0.2.7" if who == "stranger" else "127.0.0.1"
        self.clients[who] = self.server.connect(host=host)
        self.server.run()

    def send(self, who: str, line: str) -> None:
        self.clients[who].send_line(line)
        self.server.run()

    def advance(self, seconds: int) -> None:
        self.server.advance(seconds)

    def take(self) -> dict[str, list[str]]:
        seen = {}
        for who, client in self.clients.items():
            seen[who] = client.take_lines()
            if client.was_closed and who not in self.closed:
                self.closed.add(who)
                seen[who].append(CLOSED)
        return seen


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_session_goes_as_recorded(path: Path, tmp_path: Path) -> None:
    stage = InProcess(tmp_path)
    for step, seen in play(read_session(path), stage):
        assert fits(step.expected, seen), (
            f"{path}:{step.line}: expected\n\n{shown(step, step.expected)}\n\n"
            f"but saw\n\n{shown(step, seen)}"
        )
    assert [*stage.world.check()] == []


def test_the_world_goes_on_after_a_restart(tmp_path: Path) -> None:
    """Players sleep, what they carried is where it was, and the mouse runs on."""
    stage = InProcess(tmp_path)
    stage.connect("anna")
    for line in ("create Anna secret", "get lantern", "n", "n", "get mouse"):
        stage.send("anna", line)
    stage.send("anna", "wind mouse")
    stage.advance(3)
    assert "The tin mouse" in stage.take()["anna"][-1]
    anna = stage.world.max_object
    workshop = stage.world[anna].location
    stage.server.shut_down()

    stage = InProcess(tmp_path, name="out.db")
    assert [*stage.world.check()] == []
    limbo = stage.world.find_property(SYSTEM_OBJECT, "limbo")
    assert limbo is not None
    assert stage.world[anna].location == stage.world.property_value(*limbo)
    assert [*stage.world[anna].contents] == []
    assert {"lantern", "tin mouse"} <= {
        stage.world[objid].name for objid in stage.world[workshop].contents
    }
    stage.connect("anna")
    stage.send("anna", "connect anna secret")
    for line in ("n", "n"):
        stage.send("anna", line)
    stage.take()
    stage.advance(10)
    assert stage.take()["anna"][-1] == "The tin mouse runs down and stops."


def test_all_guests_at_once_are_too_many(tmp_path: Path) -> None:
    stage = InProcess(tmp_path)
    for number in range(8):
        stage.connect(f"guest{number}")
        seen = stage.see(f"guest{number}", "connect guest")
        assert seen[0] == "*** Created ***"
    stage.connect("late")
    assert stage.see("late", "connect guest") == [
        "All guests are here already. Please try again later, or create a player."
    ]
    stage.send("guest3", "@quit")
    assert stage.see("late", "connect guest")[0] == "*** Connected ***"
