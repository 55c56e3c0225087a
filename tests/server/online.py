"""A small world online in process, with somebody to talk to it.

Whoever types ``#3`` at the login is #3, the wizard; ``create`` makes a new player;
any other word is the number of an object.  Players type ``;CODE`` to evaluate: the
answer is a line, the value or the error.  The verbs by which a database learns of
connections write to ``#0.seen``; ``#0.mark`` is for whoever tests.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pymoo.db.objects import FLAG_PLAYER, FLAG_PROGRAMMER
from pymoo.db.textdump import Textdump
from pymoo.db.world import World
from pymoo.lang.dialect import LAMBDAMOO, Dialect
from pymoo.server.app import ServerSettings
from pymoo.server.database import open_database
from pymoo.server.dumps import DumpFiles
from pymoo.server.durability import Durability
from pymoo.server.inprocess import HandClock, InProcessServer
from pymoo.server.memory_network import Client
from pymoo.values import Obj, Value
from tests.db.worlds import ROOT, SYSTEM, WIZARD, dumped, loaded, minimal

RXD = 13
RX_COMMAND = (1, -2, 1)  # any any any
ONLY_CALLED = (2, -1, 2)  # this none this

PLAYER = Obj(4)  # neither wizard nor connected
OPTIONS = Obj(5)  # $server_options
HANDLER = Obj(6)  # to listen with: it knows what #0 knows

LOGIN = """\
if (!args)
return notify(player, "Welcome.");
elseif (args[1] == "create")
new = create(#1, #-1);
set_player_flag(new, 1);
new.owner = new;
new.programmer = 1;
return new;
elseif (args[1] == "later")
suspend(0);
return #3;
else
return toobj(args[1]);
endif
"""

EVALUATE = """\
set_task_perms(player);
result = eval(argstr);
notify(player, result[1] ? toliteral(result[2]) | toliteral(result));
"""

NOTE = """\
#0.seen = {@#0.seen, {verb, this, args[1], player, caller, argstr, args[1] in \
connected_players(1)}};
"""

EVENTS = (
    "user_connected user_created user_reconnected user_disconnected "
    "user_client_disconnected"
)


def add_verb(
    world: World,
    objid: Obj,
    names: str,
    code: str,
    args: tuple[int, int, int] = ONLY_CALLED,
) -> None:
    """Add a verb of the wizard's with the bits ``rxd``."""
    place = world.add_verb(objid, names, WIZARD, RXD, *args)
    verbdef = world.find_indexed_verb(objid, place)
    assert verbdef is not None
    world.set_verb_code(objid, verbdef, code)


def small_world() -> World:
    """Return the world that the tests of the server play in."""
    world = minimal()
    for name in ("Player", "Options", "Handler"):
        objid = world.create(WIZARD, ROOT)
        world.set_name(objid, name)
    for flag in (FLAG_PLAYER, FLAG_PROGRAMMER):
        world.set_flag(PLAYER, flag, True)
    world.add_property(SYSTEM, "seen", (), WIZARD, 3)
    world.add_property(SYSTEM, "mark", 0, WIZARD, 3)
    world.add_property(SYSTEM, "server_options", OPTIONS, WIZARD, 3)
    add_verb(world, SYSTEM, "do_login_command", LOGIN)
    add_verb(world, SYSTEM, EVENTS, NOTE)
    add_verb(world, HANDLER, "do_login_command", LOGIN)
    add_verb(world, HANDLER, EVENTS, NOTE)
    add_verb(world, ROOT, "eval", EVALUATE, RX_COMMAND)
    return world


def write_database(
    path: Path,
    *,
    verbs: Mapping[str, str] | None = None,
    properties: Mapping[str, Value] | None = None,
    options: Mapping[str, Value] | None = None,
) -> Path:
    """Write the small world, with more verbs and properties of #0, and options."""
    world = small_world()
    for names, code in (verbs or {}).items():
        add_verb(world, SYSTEM, names, code)
    for name, value in (properties or {}).items():
        world.add_property(SYSTEM, name, value, WIZARD, 3)
    for name, value in (options or {}).items():
        world.add_property(OPTIONS, name, value, WIZARD, 3)
    path.write_bytes(dumped(world))
    return path


def python_value(literal: str) -> Any:
    """Return the value of a literal without floats and names of errors.

    Objects become their numbers, lists Python's lists.
    """
    text, in_string, escaped = "", False, False
    for char in literal:
        if in_string:
            text += char
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        else:
            in_string = char == '"'
            text += {"{": "[", "}": "]", "#": ""}.get(char, char)
    return ast.literal_eval(text)


def load_file(path: Path) -> Textdump:
    """Return what a database file holds."""
    return loaded(path.read_bytes())


class Online:
    """A server in process, and #3 connected to it."""

    def __init__(
        self,
        folder: Path,
        *,
        dialect: Dialect = LAMBDAMOO,
        database: Path | None = None,
        durability: Durability = Durability.OFF,
        **contents: Any,
    ) -> None:
        """With ``database``, that file instead of one with the small world."""
        self.folder = folder
        self.dialect = dialect
        if database is None:
            database = write_database(folder / "in.db", **contents)
        self.input = database
        self.output = folder / "out.db"
        self.clock = HandClock()
        self.process = InProcessServer(
            # With a journal as `pymoo serve` does: programs stay as they stand.
            open_database(self.input, dialect, check=durability is Durability.OFF),
            DumpFiles(str(self.input), str(self.output)),
            ServerSettings(
                dialect,
                width=dialect.default_width,
                seed=1,
                durability=durability,
            ),
            clock=self.clock,
        )
        self.server = self.process.server
        self.connections = self.server.connections
        self.wizard = self.connect("#3")
        self.wizard.take()

    def restarted(self) -> Online:
        """Shut the server down, and return another one with what it has saved."""
        self.process.shut_down()
        saved = self.folder / "restarted.db"
        saved.write_bytes(self.output.read_bytes())
        return Online(self.folder, dialect=self.dialect, database=saved)

    def connect(self, *lines: str, port: int | None = None) -> Client:
        """Open a connection and type ``lines``."""
        client = self.process.connect(port)
        self.process.run()
        for line in lines:
            self.type(client, line)
        return client

    def type(self, client: Client, line: str) -> None:
        """Type a line; the server does what is to be done."""
        client.send_line(line)
        self.process.run()

    def eval(self, code: str, client: Client | None = None) -> str:
        """Return the literal of what ``code`` gives, for #3 or whoever it is."""
        client = self.wizard if client is None else client
        before = client.take_lines()
        self.type(client, f";{code}")
        *others, answer = client.take_lines()
        assert not before, before
        assert not others, others
        return answer

    def do(self, code: str, client: Client | None = None) -> None:
        """Run ``code``, which must return nothing."""
        answer = self.eval(code, client)
        assert answer == "0", answer

    def seen(self) -> list[list[Any]]:
        """Return what the verbs of #0 and #6 have been told, and forget it."""
        rows: list[list[Any]] = python_value(self.eval("return #0.seen;"))
        self.do("#0.seen = {};")
        return rows

    @property
    def log(self) -> list[str]:
        """The log, without the times."""
        return [line[17:] for line in self.process.log_lines]
