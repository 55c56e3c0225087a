"""Worlds in which tasks are scheduled: by hand, and online, start after start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymoo.db.objects import FLAG_PLAYER, FLAG_PROGRAMMER
from pymoo.lang.dialect import PYMOO
from pymoo.server.inprocess import HandClock, InProcessServer
from pymoo.server.memory_network import Client
from pymoo.values import Obj, Value
from tests.fakes import WIZARD, Bench
from tests.server.online import write_database

ROOM = Obj(2)
PAT = Obj(5)  # a programmer and player
BOX = Obj(6)  # of the programmer's


class SchedulingBench(Bench):
    """A small world in the dialect `pymoo`.

    ``#0.seen`` is what verbs have noted: ``#2:note`` its arguments, and returns them;
    ``#2:how`` how it was called.  ``#6`` belongs to the programmer ``#5``.
    """

    def __init__(self) -> None:
        super().__init__(dialect_name="pymoo")
        self.clock.seconds = 1_800_000_000.0
        for name in ("Pat", "Box"):
            objid = self.world.create(PAT, Obj(1))
            self.world.set_name(objid, name)
        for flag in (FLAG_PLAYER, FLAG_PROGRAMMER):
            self.world.set_flag(PAT, flag, True)
        self.host.connections.connected.append(PAT)
        self.world.add_property(Obj(0), "seen", (), WIZARD, 3)
        self.verb(2, "note", "#0.seen = {@#0.seen, @args}; return args;")
        self.verb(
            2,
            "how",
            "#0.seen = {@#0.seen, {this, caller, caller_perms(), player, verb, args}};",
        )
        self.verb(2, "fail", "return 1 / 0;")
        self.verb(6, "mine", 'notify(player, "mine");', owner=PAT)

    def give(self, expression: str, player: Obj = WIZARD) -> Value:
        """Return what an expression gives."""
        return self.run(f"return {expression};", player=player).value

    def refusal(self, expression: str, player: Obj = WIZARD) -> str:
        """Return the literal of the error that an expression raises."""
        return self.run(
            f"try return {{{expression}}}; except e (ANY) return e[1]; endtry",
            player=player,
        ).literal

    def seen(self) -> tuple[Any, ...]:
        """Return what verbs have noted, and forget it."""
        rows = self.give("#0.seen")
        self.run("#0.seen = {};")
        assert type(rows) is tuple
        return rows

    @property
    def log(self) -> list[str]:
        """What was logged."""
        return self.host.server.logged

    def counted(self, programmer: Obj = WIZARD) -> int:
        """How many background tasks somebody has, by queue_info()."""
        return self.scheduler.queue_length(programmer)


class Lives:
    """A server that is stopped and started again, and the time that passes meanwhile.

    It starts anew from its own textdump each time.  #3, the wizard, is connected.
    """

    def __init__(self, folder: Path, **contents: Any) -> None:
        self._folder = folder
        self._count = 0
        self.clock = HandClock(1_800_000_000.0)
        self.start_with(write_database(folder / "0.db", **contents))

    def start_with(self, path: Path) -> None:
        """Start with a file, after what ran before was stopped."""
        self._count += 1
        self.path = self._folder / f"{self._count}.db"  # what it writes
        self.process = InProcessServer.open(path, self.path, PYMOO, clock=self.clock)
        self.wizard = self.connect("#3")

    def connect(self, name: str) -> Client:
        """Open a connection and log in."""
        client = self.process.connect()
        self.process.run()
        client.send_line(name)
        self.process.run()
        client.take()
        return client

    def restart(self, *, after: float = 0) -> None:
        """Stop, let time pass, start; the clock may go back."""
        self.process.shut_down()
        self.clock.seconds += after
        self.start_with(self.path)

    def eval(self, code: str) -> str:
        """Return the literal of what ``code`` gives, run by #3."""
        self.wizard.take_lines()
        self.wizard.send_line(f";{code}")
        self.process.run()
        return self.wizard.take_lines()[-1]

    def advance(self, seconds: float) -> list[str]:
        """Let time pass; return what #3 is shown meanwhile."""
        self.wizard.take_lines()
        self.process.advance(seconds)
        return self.wizard.take_lines()

    @property
    def log(self) -> list[str]:
        """The log of this life, without the times."""
        return [line[17:] for line in self.process.log_lines]
