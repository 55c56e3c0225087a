"""``pymoo run`` and ``pymoo eval``: MOO code without a server.

The code runs as a wizard who is connected to the terminal: what it sends to
``player`` is printed, what ``read()`` asks for is taken from standard input.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections import deque
from contextlib import suppress
from typing import Final

from pymoo.builtins.registry import BuiltinTable
from pymoo.db.objects import FLAG_PLAYER, FLAG_PROGRAMMER, FLAG_WIZARD, VERB_DEBUG
from pymoo.db.textdump import Textdump
from pymoo.db.world import World
from pymoo.errors import MooSyntaxError, PymooError
from pymoo.exits import FAILED, FINE, UNUSABLE
from pymoo.interp.loading import ProgramLoader
from pymoo.interp.vm import VM, Done, Result
from pymoo.lang.dialect import Dialect
from pymoo.server.app import Server, ServerSettings
from pymoo.server.database import Database, open_database
from pymoo.server.dumps import DumpFiles
from pymoo.server.log import ErrorLog
from pymoo.server.memory_network import Client, MemoryNetwork
from pymoo.server.outside import compile_code
from pymoo.tasks.clock import SystemClock
from pymoo.values import NOTHING, Obj, literal

_INPUT_LOOK_S: Final = 0.2
_INPUT_PORTION: Final = 65_536


class NoWizardError(PymooError):
    """There is nobody in a database that could run the code."""


def small_world() -> World:
    """Return a world with a system object, a root, a room, and a wizard in it."""
    world = World()
    wizard = Obj(3)
    for name, parent in (
        ("System Object", NOTHING),
        ("Root Class", NOTHING),
        ("The First Room", Obj(1)),
        ("Wizard", Obj(1)),
    ):
        objid = world.create(wizard, parent)
        world.set_name(objid, name)
    world.change_parent(Obj(0), Obj(1))
    for flag in (FLAG_PLAYER, FLAG_PROGRAMMER, FLAG_WIZARD):
        world.set_flag(wizard, flag, True)
    world.change_location(wizard, Obj(2))
    return world


def run_program(
    source: str,
    dialect: Dialect,
    *,
    database: str | None = None,
    show_value: bool = True,
    show_ticks: bool = False,
) -> int:
    """Run a program and whatever it forks; returns the exit status.

    ``source`` may be an expression, whose value is meant then.

    Raises: PymooError if ``database`` cannot be used.
    """
    run = _Run(_database(database, dialect), database or "", dialect)
    return run.finish(source, show_value=show_value, show_ticks=show_ticks)


def _database(path: str | None, dialect: Dialect) -> Database:
    if path is not None:
        return open_database(path, dialect, check=False)
    builtins = BuiltinTable(dialect)
    loader = ProgramLoader(builtins.proper_names, dialect.default_width)
    return Database(Textdump(small_world()), builtins, loader)


class _Terminal:
    """Lines of standard input, as they come.

    Not those of `sys.stdin`: of what that has read ahead, select() knows nothing.
    """

    def __init__(self) -> None:
        number: int | None = None
        if sys.stdin is not None:
            with suppress(OSError, ValueError):  # closed, or no file at all
                number = sys.stdin.fileno()
        self._number: Final = number
        self._encoding: Final = "utf-8" if sys.stdin is None else sys.stdin.encoding
        self._begun = b""
        self._lines: deque[bytes] = deque()
        self._has_ended = number is None

    @property
    def has_ended(self) -> bool:
        """Whether there will be no other line."""
        return self._has_ended and not self._lines

    def take_line(self, seconds: float) -> bytes | None:
        """Return the next line in Latin-1; None if none comes for so long."""
        if not self._lines and self._number is not None:
            if select.select([self._number], [], [], seconds)[0]:
                self._read(self._number)
        if not self._lines:
            return None
        line = self._lines.popleft().decode(self._encoding, "ignore")
        return line.encode("latin-1", "ignore")

    def _read(self, number: int) -> None:
        data = os.read(number, _INPUT_PORTION)
        *lines, self._begun = (self._begun + data).split(b"\n")
        self._lines += lines
        if not data:
            self._has_ended = True
            if self._begun:
                self._lines.append(self._begun)


class _Run:
    def __init__(self, database: Database, path: str, dialect: Dialect) -> None:
        """``path`` is where the database was read from; "" for a new one."""
        world = database.textdump.world
        wizard = next(
            (each.id for each in world.objects() if each.is_wizard and each.is_player),
            None,
        )
        if wizard is None:
            raise NoWizardError("the database has no player who is a wizard")
        self._wizard: Final = wizard
        # Tasks of the database and whoever was connected are left alone.
        database.textdump.tasks.clear()
        database.textdump.connections.clear()
        clock = SystemClock()
        self._network: Final = MemoryNetwork()
        self._server: Final = Server(
            database.textdump,
            DumpFiles(path, None),
            self._network,
            clock,
            ErrorLog(clock),
            ServerSettings(dialect, width=dialect.default_width),
            builtins=database.builtins,
            loader=database.loader,
            forks=False,
        )
        wire = self._network.new_wire(self._server.connections)
        self._server.connections.attach(wire, wizard, "the terminal")
        self._client: Final = Client(wire)
        self._input: Final = _Terminal()
        self._task_id: Final = self._server.tasks.runner.new_task_id()
        self._ticks = 0
        self._result: Result | None = None

    def finish(self, source: str, *, show_value: bool, show_ticks: bool) -> int:
        server = self._server
        engine = server.engine
        try:
            program = compile_code(engine, source)
        except MooSyntaxError as error:
            for line in error.errors:
                print(line, file=sys.stderr)
            return UNUSABLE
        server.tasks.runner.watchers.append(self._note_slice)
        server.tasks.queue(self._wizard).last_input_task = self._task_id
        server.tasks.runner.program_task(
            program,
            player=self._wizard,
            programmer=self._wizard,
            verb="",
            verb_names="Input to RUN",
            debug=VERB_DEBUG,
            task_id=self._task_id,
        )
        self._show_output(self._client)
        while self._go_on():
            self._show_output(self._client)
        self._show_output(self._client)
        is_done = isinstance(self._result, Done)
        if show_value and isinstance(self._result, Done):
            print(literal(self._result.value), flush=True)
        if show_ticks:
            print(f"{self._ticks} ticks", file=sys.stderr)
        return FINE if is_done else FAILED

    def _note_slice(self, vm: VM, result: Result, ticks: int) -> None:
        if vm.task_id == self._task_id:
            self._ticks += ticks
            self._result = result

    def _show_output(self, client: Client) -> None:
        self._server.connections.flush()
        sys.stdout.write(client.take().decode("latin-1").replace("\r\n", "\n"))
        sys.stdout.flush()

    def _go_on(self) -> bool:
        """Run what is ready, or wait for what will be; False if nothing is left."""
        server = self._server
        self._network.deliver(server.connections)
        server.turn()
        wait = server.tasks.seconds_until_next()
        is_reading = server.tasks.is_reading(self._wizard)
        if server.is_stopping or (wait is None and not is_reading):
            return False
        if self._network.has_input:
            pass  # the rest of a line, in the next portion
        elif is_reading and not self._input.has_ended:
            self._take_input(wait)
        elif is_reading:
            # Whoever reads gets E_INVARG; what is printed is still shown.
            server.tasks.disconnect(server.tasks.queue(self._wizard))
        elif wait:
            time.sleep(wait)
        return True

    def _take_input(self, wait: float | None) -> None:
        seconds = _INPUT_LOOK_S if wait is None else min(wait, _INPUT_LOOK_S)
        line = self._input.take_line(seconds)
        if line is not None:
            self._client.send(line + b"\n")
