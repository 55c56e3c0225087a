"""What stands in for the layers above the engine: no sockets, no files, no time.

`Bench` is a world with an engine and a scheduler around it, and a wizard at its
only connection; ``bench.run(code)`` runs a program there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from attrs import define, field

from pymoo.builtins.registry import BuiltinTable
from pymoo.db.objects import FLAG_PLAYER, FLAG_PROGRAMMER, FLAG_WIZARD
from pymoo.db.world import World
from pymoo.errors import MooError, MooSyntaxError
from pymoo.interp.engine import Engine
from pymoo.interp.vm import VM, Aborted, Blocked, Done, Result
from pymoo.lang.dialect import Dialect, dialect
from pymoo.tasks.clock import ManualClock
from pymoo.tasks.scheduler import Scheduler
from pymoo.values import E_INVARG, E_PERM, NOTHING, Obj, Value, literal

WIZARD = Obj(3)


@define
class FakeConnections:
    """Remembers what was sent; the players in ``connected`` are there."""

    lines: list[str] = field(factory=list)
    sent: list[tuple[Obj, str]] = field(factory=list)
    connected: list[Obj] = field(factory=lambda: [WIZARD])
    binary: list[Obj] = field(factory=list)
    booted: list[Obj] = field(factory=list)
    suspended: list[Obj] = field(factory=list)
    logins: list[tuple[Obj, Obj, bool]] = field(factory=list)

    def send_line(self, player: Obj, text: str) -> None:
        self.sent.append((player, text))
        if player in self.connected:
            self.lines.append(text)

    def notify(self, player: Obj, text: str, *, no_flush: bool = False) -> bool:
        self.send_line(player, text)
        return True

    def is_binary(self, player: Obj) -> bool:
        return player in self.binary

    def connected_players(self, *, everybody: bool) -> tuple[Obj, ...]:
        return tuple(self.connected)

    def _unknown(self, player: Obj) -> Any:
        raise MooError(E_INVARG)

    connected_seconds = idle_seconds = connection_name = options = _unknown

    def boot(self, player: Obj) -> None:
        self.booted.append(player)

    def player_connected(self, old: Obj, new: Obj, *, created: bool) -> None:
        self.logins.append((old, new, created))

    def may_use_line(self, player: Obj) -> bool:
        return True

    def suspend_input(self, player: Obj) -> None:
        self.suspended.append(player)

    def resume_input(self, player: Obj) -> None:
        self.suspended.remove(player)

    def set_option(self, player: Obj, name: str, value: Value) -> None:
        raise MooError(E_INVARG)

    def buffered_output_length(self, player: Obj | None) -> int:
        return 65_536 if player is None else 0

    def listen(self, object_: Obj, port: Value, print_messages: bool) -> Value:
        raise MooError(E_PERM)

    def unlisten(self, port: Value) -> None:
        raise MooError(E_INVARG)

    def listeners(self) -> list[Value]:
        return []

    def open_outbound(self, vm: VM, arguments: tuple[Value, ...]) -> Obj:
        raise MooError(E_PERM)


@define
class FakeServer:
    """Remembers the log and what was asked for."""

    logged: list[str] = field(factory=list)
    shutdown: str | None = None
    checkpoints: int = 0

    def log(self, text: str, *, is_error: bool = False) -> None:
        self.logged.append(f"*** {text}" if is_error else text)

    def request_shutdown(self, reason: str) -> None:
        self.shutdown = reason

    def request_checkpoint(self) -> None:
        self.checkpoints += 1

    def version(self) -> str:
        return "1.8.3+"

    def version_details(self, topic: Value) -> Value:
        raise MooError(E_INVARG)

    def disk_size(self) -> int:
        return 0

    def memory_usage(self) -> list[Value]:
        return []


@define
class FakeWorkers:
    """Knows the kinds of work that it was told of."""

    kinds: list[str] = field(factory=list)

    def proper_name(self, kind: str) -> str:
        for name in self.kinds:
            if name == kind.lower():
                return name
        raise MooError(E_INVARG, f"{kind}: there is no such worker", kind)


@define
class FakeHost:
    connections: FakeConnections = field(factory=FakeConnections)
    server: FakeServer = field(factory=FakeServer)
    workers: FakeWorkers = field(factory=FakeWorkers)
    jobs: Any = None
    tasks: Any = None


@define(eq=False)
class Seen:
    """What became of a program."""

    result: Result
    lines: list[str]

    @property
    def value(self) -> Value:
        """What it returned."""
        assert isinstance(self.result, Done), (self.result, self.lines)
        return self.result.value

    @property
    def literal(self) -> str:
        return literal(self.value)

    @property
    def was_aborted(self) -> bool:
        return isinstance(self.result, Aborted)

    @property
    def is_asleep(self) -> bool:
        return isinstance(self.result, Blocked)


class Bench:
    """A small world, ready to run programs in.

    ``#0`` is the system object, ``#1`` the root, ``#2`` a room, ``#3`` the wizard
    who runs everything, ``#4`` ``$server_options``.
    """

    def __init__(
        self, world: World | None = None, dialect_name: str = "lambdamoo"
    ) -> None:
        self.clock = ManualClock()
        self.host = FakeHost()
        self.world = small_world() if world is None else world
        self.dialect: Dialect = dialect(dialect_name)
        self.engine = Engine(
            self.world,
            BuiltinTable(self.dialect),
            self.host,
            self.clock,
            self.dialect,
            seed=1,
        )
        self.scheduler = Scheduler(self.engine)
        self.host.tasks = self.scheduler
        self.runner = self.scheduler.runner

    @property
    def lines(self) -> list[str]:
        """Everything the wizard has been sent."""
        return self.host.connections.lines

    def run(self, code: str, *, player: Obj = WIZARD, debug: int = 8) -> Seen:
        """Run a program as ``player``, with ``this`` #-1; nothing else runs."""
        before = len(self.lines)
        program = self.engine.compile(code + "\n")
        result = self.runner.program_task(
            program,
            player=player,
            programmer=player,
            verb="test",
            verb_names="test",
            debug=debug,
        )
        return Seen(result, self.lines[before:])

    def errors(self, code: str) -> list[str]:
        """Return the compile errors of a text."""
        try:
            self.engine.compile(code)
        except MooSyntaxError as error:
            return error.errors
        return []

    def settle(self) -> None:
        """Let everything run that is ready now."""
        while self.scheduler.turn():
            pass

    def advance(self, seconds: float) -> None:
        """Let time pass, then everything run that is due."""
        self.clock.advance(seconds)
        self.settle()

    def verb(
        self,
        object_: int,
        names: str,
        code: Iterable[str] | str,
        *,
        flags: str = "rxd",
        args: tuple[str, str, str] = ("this", "none", "this"),
        owner: Obj = WIZARD,
    ) -> None:
        """Define and program a verb, as MOO code would."""
        lines = [code] if isinstance(code, str) else list(code)
        name = names.split(" ")[0].replace("*", "")
        source = (
            f"add_verb(#{object_}, {{{owner}, {literal(flags)}, {literal(names)}}},"
            f" {literal(args)});"
            f" return set_verb_code(#{object_}, {literal(name)},"
            f" {literal(tuple(lines))});"
        )
        assert self.run(source).value == ()


def small_world() -> World:
    """Return the world that `Bench` describes."""
    world = World()
    for name in ("System", "Root", "Room", "Wizard", "Options"):
        parent = NOTHING if name == "Root" else Obj(1)
        if name == "System":
            parent = NOTHING
        objid = world.create(WIZARD, parent)
        world.set_name(objid, name)
    for flag in (FLAG_PLAYER, FLAG_PROGRAMMER, FLAG_WIZARD):
        world.set_flag(WIZARD, flag, True)
    world.change_location(WIZARD, Obj(2))
    world.change_parent(Obj(0), Obj(1))
    world.add_property(Obj(0), "server_options", Obj(4), WIZARD, 1)
    return world


Run = Callable[..., Seen]
