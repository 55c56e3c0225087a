"""A server that is killed again and again while players are busy.

Each player types one command after the other.  A command changes two properties in one
slice and answers with its number; so after a kill both must have the same number, at
least the last one that was answered.  A background task does the same between naps.
Now and then somebody asks for a checkpoint.
"""

from __future__ import annotations

import io
import random
import re
import selectors
import socket
import time
from pathlib import Path

from attrs import Factory, define

from pymoo.db.journal_file import folder_of, held
from pymoo.db.textdump import Textdump
from pymoo.lang.dialect import PYMOO
from pymoo.server.database import open_database
from pymoo.server.log import Log
from pymoo.server.recovering import LeftJournal
from pymoo.tasks.clock import ManualClock
from pymoo.values import Obj, Value
from tests.server.online import write_database
from tests.server.processes import ServerProcess
from tests.server.talking import PATIENCE_S

PLAYERS = 4

VERBS = {
    "work": (
        "{who, n, ?what = {}} = args;\n"
        "#0.first = listset(#0.first, n, who);\n"
        "if (n % 7 == 0)\n"
        "thing = create(#1);\n"
        'thing.name = tostr("n", n);\n'
        "move(thing, #2);\n"
        "length(#2.contents) > 20 && recycle(#2.contents[2]);\n"
        "endif\n"
        "if (n % 5 == 0)\n"
        'add_property(#1, tostr("p", who, "_", n), what, {#3, "r"});\n'
        '`delete_property(#1, tostr("p", who, "_", n - 25)) ! ANY\';\n'
        "endif\n"
        "#0.second = listset(#0.second, n, who);\n"
        'notify(player, tostr("done ", n));\n'
    ),
    "first": "return #0.first;\n",
    "tick": (
        "while (1)\n"
        "#0.beats = {#0.beats[1] + 1, #0.beats[2]};\n"
        "#0.beats = {#0.beats[1], #0.beats[2] + 1};\n"
        "suspend(0.003);\n"
        "endwhile\n"
    ),
}


@define
class Player:
    """Somebody who types."""

    number: int
    sock: socket.socket
    sent: int
    answered: int
    received: bytes = b""


@define
class Killing:
    """One database that is served, killed and served again."""

    folder: Path
    chance: random.Random
    durability: str = "batch"
    kills: int = 0
    commands: int = 0
    lost: int = 0
    unfinished: int = 0  # how often a record was cut off at a start
    checkpoints: int = 0
    answered: list[int] = Factory(lambda: [0] * PLAYERS)
    sent: list[int] = Factory(lambda: [0] * PLAYERS)
    beats: int = 0
    has_ticker: bool = False

    @property
    def database(self) -> Path:
        return self.folder / "world.db"

    def prepare(self) -> None:
        """Write the database."""
        zeros: Value = (0,) * PLAYERS
        write_database(
            self.database,
            verbs=VERBS,
            properties={"first": zeros, "second": zeros, "beats": (0, 0)},
        )

    def round(self) -> None:
        """Serve, let players type for a moment, kill, and look what is there."""
        server = ServerProcess(
            self.folder,
            "serve",
            str(self.database),
            "--port",
            "0",
            "--log",
            "{log}",
            "--code-cache",
            "none",
            "--durability",
            self.durability,
        )
        with server:
            found = server.wait_for(r"listening on port (\d+)")
            players = self._connect(int(found[1]))
            if not self.has_ticker:
                self._type(players[0], ";fork (0) #0:tick(); endfork")
            longest = 0.4
            if self.chance.random() < 0.2:
                self._type(players[0], ";dump_database();")
                longest = 3.0  # it may be at its end by then, or not
            self._play(players, time.monotonic() + self.chance.uniform(0.0, longest))
            server.process.kill()
            server.process.wait()
            self._hear_out(players)
            self.checkpoints += len(
                re.findall(r"CHECKPOINTING on .* finished", server.log)
            )
            self.unfinished += "one more was not finished" in server.log
            assert "BUG IN PYMOO" not in server.log, server.log
        self.kills += 1
        self.check()

    def _connect(self, port: int) -> list[Player]:
        players = []
        for number in range(PLAYERS):
            sock = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
            sock.sendall(b"#3\r\n" if number == 0 else b"create\r\n")
            players.append(
                Player(number, sock, self.answered[number], self.answered[number])
            )
        return players

    def _type(self, player: Player, line: str) -> None:
        player.sock.sendall(line.encode() + b"\r\n")

    def _work(self, player: Player) -> None:
        player.sent += 1
        self.sent[player.number] = player.sent
        self.commands += 1
        place, n = player.number + 1, player.sent
        self._type(player, f";#0:work({place}, {n}, #0.second);")

    def _play(self, players: list[Player], end: float) -> None:
        selector = selectors.DefaultSelector()
        for player in players:
            selector.register(player.sock, selectors.EVENT_READ, player)
            self._work(player)
        while time.monotonic() < end:
            for key, _ in selector.select(max(0.0, end - time.monotonic())):
                player = key.data
                self._hear(player)
                if player.answered == player.sent:
                    self._work(player)
        selector.close()

    def _hear(self, player: Player) -> bool:
        try:
            data = player.sock.recv(65_536)
        except OSError:
            return False
        player.received = (player.received + data)[-1000:]
        for done in re.findall(rb"done (\d+)\r\n", player.received):
            player.answered = max(player.answered, int(done))
        return bool(data)

    def _hear_out(self, players: list[Player]) -> None:
        for player in players:
            while self._hear(player):
                pass
            player.sock.close()
            self.answered[player.number] = player.answered

    def recovered(self) -> Textdump:
        """Return what a server would start with."""
        # As a server starts; the killed one's checkpoint may be about to be there.
        with held(folder_of(str(self.database))):
            return self._recovered()

    def _recovered(self) -> Textdump:
        log = Log(ManualClock(), io.BytesIO())
        left = LeftJournal(str(self.database), str(self.database), log)
        width = PYMOO.default_width
        database = open_database(self.database, PYMOO, check=False, use_journal=False)
        return left.apply(database.textdump, width)

    def check(self) -> None:
        """Make sure that nothing is lost, and nothing half done."""
        textdump = self.recovered()
        world = textdump.world
        assert list(world.check(owners=False)) == []
        values = {}
        for name in ("first", "second", "beats"):
            found = world.find_property(Obj(0), name)
            assert found is not None
            values[name] = world.property_value(*found)
        first, second, beats = values["first"], values["second"], values["beats"]
        assert type(first) is type(second) is type(beats) is tuple
        assert first == second, "half a slice"
        assert beats[0] == beats[1], "half a slice of a background task"
        for number in range(PLAYERS):
            there = first[number]
            assert type(there) is int
            self.lost += max(0, self.answered[number] - there)
            assert self.answered[number] <= there <= self.sent[number]
            self.answered[number] = there
        assert type(beats[0]) is int
        assert beats[0] >= self.beats
        self.beats = beats[0]
        tickers = [task for task in textdump.tasks if "tick" in str(task)]
        # It may have been forked, and killed before its first beat.
        assert len(tickers) <= 1, f"{len(tickers)} tasks where there was one"
        assert tickers or not self.beats, "the task that beats is gone"
        self.has_ticker = bool(tickers)
