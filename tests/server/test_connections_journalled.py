"""Whoever the database has been told of as connected is so in the journal, always.

A server that is killed after any record is followed by one that tells the database of
the end of those connections, each once.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pymoo.db.journal_file import Segment
from pymoo.db.textdump import Textdump
from pymoo.values import Obj
from tests.db.worlds import SYSTEM, value_of
from tests.server.failing_disk import Played, found_in_copy

COMES = {"user_connected", "user_created", "user_reconnected"}
GOES = {"user_disconnected", "user_client_disconnected"}

Step = tuple[str, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["arrive", "type", "close", "boot", "recycle", "run", "wait"]),
        st.integers(0, 3),
    ),
    max_size=12,
)


def told_of(textdump: Textdump) -> set[int]:
    """Return who is connected, if one believes what the database was told."""
    rows: Any = value_of(textdump.world, SYSTEM, "seen")
    players: set[int] = set()
    for verb, _, player, *_ in rows:
        if verb in COMES:
            players.add(player)
        else:
            assert verb in GOES
            assert player < 0 or player in players, "told of twice"
            players.discard(player)
    return players


def connected(textdump: Textdump) -> set[int]:
    players = [each.player for each in textdump.connections if each.player >= 0]
    assert len(players) == len(set(players))
    return set(players)


def play(played: Played, script: list[Step]) -> None:
    """Several steps without a ``run`` between them happen in one turn."""
    clients = [played.wizard]
    for kind, number in script:
        client = clients[number % len(clients)]
        match kind:
            case "arrive":
                clients.append(played.process.connect())
            case "type":
                client.send_line(["#4", "create", "later", ";1"][number])
            case "close":
                client.close()
            case "boot":
                played.wizard.send_line(f";boot_player(#{number + 3});")
            case "recycle":
                played.wizard.send_line(
                    ";for p in (connected_players()) if (p > #4) "
                    "recycle(p); endif endfor"
                )
            case "run":
                played.process.run()
            case "wait":
                played.clock.advance(301)
    played.process.run()


@given(steps)
@example(
    [("arrive", 0), ("run", 0), ("arrive", 0), ("run", 0), ("type", 1), ("wait", 0)]
)
@example([("arrive", 0), ("run", 0), ("type", 1), ("close", 0), ("run", 0)])
@settings(max_examples=30, deadline=None)
def test_after_each_record_the_database_knows_of_those_in_the_journal(
    script: list[Step],
) -> None:
    found: list[Textdump] = []
    real = Segment.append

    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name) / "w"
        played = Played(folder)

        def append(segment: Segment, data: bytes) -> None:
            real(segment, data)
            found.append(found_in_copy(folder))

        patch.setattr(Segment, "append", append)
        play(played, [*script, ("run", 0)])
        played.process.connect()
        played.type("1;")
    assert found
    for textdump in found:
        assert told_of(textdump) == connected(textdump)


def test_who_has_gone_before_the_server_stops_is_not_told_again(tmp_path: Path) -> None:
    """Even if the last dump never comes to be."""
    played = Played(tmp_path / "w")
    other = played.connect("#4")
    played.wizard.send_line(";shutdown();")
    server, network = played.server, played.process.network
    network.deliver(server.connections)
    server.turn()
    assert server.is_stopping
    other.close()
    network.deliver(server.connections)
    server.stop()
    textdump = found_in_copy(tmp_path / "w")
    assert connected(textdump) == told_of(textdump)
    assert Obj(4) not in connected(textdump)
