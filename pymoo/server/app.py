"""A server: world, engine, tasks and connections, wired together.

`Server` is what the engine knows as `interp.host.Server`, and the `Host` that leads
to everything above the engine.  It does no I/O of its own: connections come through
a `network.Network`, the time through a `Clock`.  Whoever drives it (`main_loop`, a
test) calls `adopt` and `start`, then `turn` again and again, then `stop`.

One turn has the order of the C server's main loop: a checkpoint if one is due; one
task; the connections that are to be closed.  Input has arrived before.

Source: server.c, main and main_loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from attrs import frozen

from pymoo import __version__
from pymoo.builtins.registry import BuiltinTable
from pymoo.db.checkpoint import DumpReason
from pymoo.db.saved import SavedConnection
from pymoo.db.textdump import Textdump
from pymoo.errors import MooError
from pymoo.interp.engine import Engine
from pymoo.interp.host import Clock, Jobs
from pymoo.interp.loading import ProgramLoader
from pymoo.lang.dialect import Dialect
from pymoo.server.connections import ConnectionTable
from pymoo.server.dumps import DumpFiles, Dumps
from pymoo.server.durability import Durability
from pymoo.server.job_waits import JobWaits, NoJobs
from pymoo.server.listening import Listener
from pymoo.server.log import Log
from pymoo.server.memory import MemoryGuard
from pymoo.server.network import ListeningPoint, Network
from pymoo.server.outside import OutsideTasks
from pymoo.server.version import Version, python_name
from pymoo.server.worker_tasks import WorkerTasks
from pymoo.tasks.policies import restore_policies, saved_policies
from pymoo.tasks.saved import Restorer, save_tasks
from pymoo.tasks.scheduler import Scheduler
from pymoo.values import E_QUOTA, NOTHING, SYSTEM_OBJECT, Obj, Value

if TYPE_CHECKING:
    from pymoo.server.connection_recorder import ConnectionRecorder, NumberedConnection
    from pymoo.server.disk_journal import DiskJournal, Origin
    from pymoo.server.figures import Figures
    from pymoo.server.job_desk import JobDesk
    from pymoo.server.job_tasks import JobTasks

SLICE_S: Final = 0.002
"""How long tasks follow one another before the network is looked at again.

The C server looks after every task, which costs it less than an event loop.
"""

LONGEST_SLICE_S: Final = 0.02
"""The same at most, where the journal is on a slow disk."""

_CHILD_LOOK_S: Final = 0.05
"""How often one looks whether a checkpoint has ended, where no signal tells."""


@frozen
class ServerSettings:
    """What whoever starts a server decides."""

    dialect: Dialect
    outbound: bool = False  # whether wizards may connect to other computers
    encoding: str = "latin-1"
    width: int = 32  # bits of an INT
    seed: int | None = None  # of random(), for tests
    durability: Durability = Durability.OFF


def announce(log: Log, dialect: Dialect, port: int | None) -> None:
    """Begin the log: what starts here.  ``port`` is what was asked for, if it was.

    Source: server.c, main; net_tcp.c.
    """
    if port is not None:
        log.write(f"CMDLINE: Initial port = {port}")
    log.write(f"STARTING: Version {Version(dialect).text} of the LambdaMOO server")
    if dialect.tells_of_pymoo:
        log.write(f"          (pymoo {__version__} on {python_name()})")
    log.write("          (Using BSD/TCP protocol)")
    log.write("          (Task timeouts measured in server CPU seconds.)")


def _tell_nobody(*arguments: object) -> None:
    """Stands for whoever is told of checkpoints."""


class Server:
    """One world online."""

    def __init__(
        self,
        textdump: Textdump,
        files: DumpFiles,
        network: Network,
        clock: Clock,
        log: Log,
        settings: ServerSettings,
        *,
        builtins: BuiltinTable | None = None,
        loader: ProgramLoader | None = None,
        forks: bool = True,
        slice_s: float = SLICE_S,
    ) -> None:
        """``loader`` has parsed programs of this database already.

        With ``forks`` off, the server itself writes checkpoints and waits for them.
        With ``slice_s`` 0 each turn runs one task.
        """
        is_strict = settings.durability is Durability.STRICT
        self._slice_s: Final = 0.0 if is_strict else slice_s
        self.log_file: Final = log
        log.defer = textdump.world.journal.hold
        self._clock: Final = clock
        self._settings: Final = settings
        self._version: Final = Version(settings.dialect, outbound=settings.outbound)
        if builtins is None:
            builtins = BuiltinTable(settings.dialect)
        self.engine: Final = Engine(
            textdump.world,
            builtins,
            self,
            clock,
            settings.dialect,
            width=settings.width,
            encoding=settings.encoding,
            seed=settings.seed,
        )
        self.tasks: Final = Scheduler(self.engine)
        self.workers: Final = WorkerTasks(self.tasks)
        self.job_waits: Final = JobWaits(self.tasks)
        self.jobs: Jobs = NoJobs()
        self.job_desk: JobDesk | None = None
        """Where jobs are asked for; None if there are none."""
        self.connections: Final = ConnectionTable(
            self.engine, self.tasks, network, log, outbound=settings.outbound
        )
        self.connections.commit = lambda: self._commit(with_connections=False)
        self.outside: Final = OutsideTasks(
            self.engine, self.tasks, self.connections, log
        )
        self.figures: Figures | None = None
        """What is counted for whoever runs the server, if anything is."""
        self.checkpoint_began: Callable[[], None] = _tell_nobody
        self.checkpoint_ended: Callable[[bool], None] = _tell_nobody
        self.memory: MemoryGuard | None = None
        """What keeps the process within its limit, if there is one."""
        self.in_child: Final[list[Callable[[], None]]] = [
            network.close_copies,
            self.workers.close_copies,
        ]
        """Called in a process that writes a checkpoint, which has its own copies."""
        self.dumps: Final = Dumps(
            self.engine,
            files,
            log,
            self._state,
            in_child=self._let_go if forks else None,
        )
        self._first_listener: Listener | None = None
        self._keepers: Final[dict[str, Callable[[], Value]]] = {}
        self._was_connected: Final = textdump.connections
        # Who is to be told of as gone at the next start, instead of those connected:
        # until that was done at this one, and from the moment when the server stops.
        self._last_connections: list[SavedConnection] = []
        # Whether those are what the journal has been told last.
        self._lists_others = False
        self._connection_recorder: ConnectionRecorder | None = None
        self._stop_reason: str | None = None
        self._checkpoint_requested = False
        self._checkpoint_signalled = False
        if loader is None:
            loader = ProgramLoader(builtins.proper_names, settings.width)
        restorer = Restorer(self.engine, loader.parse_for_task)
        for saved in textdump.tasks:
            self.tasks.enqueue(restorer.task(saved))
        self._kept: Final = dict(textdump.extras)
        tasks = self.tasks
        self._keep(
            "policies",
            lambda: saved_policies(tasks.background_tasks()),
            lambda saved: restore_policies(saved, tasks.background_tasks()),
        )
        self._keep("errors", lambda: tasks.errors, tasks.restore_errors)
        self._keep("mail", lambda: tasks.mail.saved, tasks.mail.restore)
        self._keep("waits", lambda: tasks.waits, tasks.restore_waits)
        if settings.dialect.added_functions:
            self._keep("schedule", tasks.schedule.saved, tasks.schedule.restore)

    def _keep(
        self, name: str, save: Callable[[], Value], restore: Callable[[Value], None]
    ) -> None:
        """Have something kept in textdumps that the C server knows nothing of.

        ``save`` gives it as a value, one that is false if there is nothing to be kept;
        ``restore`` is called now if the textdump has such a value.
        """
        self._keepers[name] = save
        if name in self._kept:
            restore(self._kept.pop(name))

    def _state(self) -> Textdump:
        """Return everything that a dump holds."""
        return Textdump(
            self.engine.world,
            save_tasks(self.tasks.background_tasks(), self.log_file.bug),
            self._saved_connections(),
            extras=self._extras(),
        )

    def _extras(self) -> dict[str, Value]:
        """Return what is kept besides; what nobody here knows, as it was read."""
        extras = dict(self._kept)
        for name, save in self._keepers.items():
            value = save()
            if value:
                extras[name] = value
        return extras

    # --- the journal on the disk (disk_journal.State) ----------------------------

    def begin_journal(self, path: str, origin: Origin) -> None:
        """Have what is done from now on in a journal beside the database ``path``.

        Before `start`.  Raises: JournalStartError.
        """
        self.keep_connections()
        journal = self._journal_of(path)
        journal.begin(origin)
        self.dumps.journal = journal

    def end_journal(self, path: str) -> bool:
        """Write the database ``path``, so that the journal beside it is not needed.

        Before `start`.  Returns whether it is on the disk.
        """
        self.keep_connections()
        self.dumps.journal = self._journal_of(path)
        was_saved = self.save()
        self.dumps.journal = None
        return was_saved

    def _journal_of(self, path: str) -> DiskJournal:
        from pymoo.server.disk_journal import DiskJournal

        return DiskJournal(
            self.engine.world,
            self.tasks,
            self,
            self.log_file,
            path,
            dialect=self._settings.dialect.name,
            width=self._settings.width,
        )

    def extras(self) -> dict[str, Value]:
        return self._extras()

    def kept_extras(self) -> dict[str, tuple[int, Callable[[], Value]]]:
        tasks = self.tasks
        kept: dict[str, tuple[int, Callable[[], Value]]] = {
            "mail": (tasks.mail.changes, lambda: tasks.mail.saved)
        }
        if self._settings.dialect.added_functions:
            schedule = tasks.schedule
            kept["schedule"] = schedule.changes, schedule.saved_without_sequels
        return kept

    def active_connections(self) -> tuple[tuple[Obj, Obj], ...]:
        return tuple((each.player, each.listener) for each in self._saved_connections())

    def follow_connections(self, *, is_wanted: bool) -> None:
        from pymoo.server.connection_recorder import ConnectionRecorder

        if self._connection_recorder is not None:
            self._connection_recorder.stop()
        self._connection_recorder = (
            ConnectionRecorder(self.connections) if is_wanted else None
        )

    def numbered_connections(self) -> tuple[NumberedConnection, ...]:
        assert self._connection_recorder is not None
        self._lists_others = bool(self._last_connections)
        if not self._lists_others:
            return self._connection_recorder.all()
        return tuple(
            (-place, each.player, each.listener)
            for place, each in enumerate(self._last_connections, 1)
        )

    def connection_changes(self) -> list[tuple[object, ...]]:
        recorder = self._connection_recorder
        if recorder is None or self._last_connections:
            return []
        if self._lists_others:
            return [("connections", self.numbered_connections())]
        return recorder.changes()

    def tell_wizards(self, text: str) -> None:
        for player in self.connections.connected_players(everybody=False):
            if self.engine.world.is_wizard(player):
                self.connections.send_line(player, text)

    def _commit(self, *, with_connections: bool = True) -> None:
        """Have what was done on the disk, before anything of it gets out."""
        if self.dumps.journal is not None:
            self.dumps.journal.commit(with_connections=with_connections)
        self.workers.send()

    def _saved_connections(self) -> list[SavedConnection]:
        """Return who is connected, or was before all were disconnected at the end."""
        return self._last_connections or self._active_connections()

    def _active_connections(self) -> list[SavedConnection]:
        return [
            SavedConnection(player, handler)
            for player, handler in self.connections.active_connections()
        ]

    def _let_go(self) -> None:
        for let_go in self.in_child:
            let_go()

    def keep_connections(self) -> None:
        """Have dumps list those who were connected when the database was saved.

        Until `start` the database has not been told of the end of their connections.
        """
        self._last_connections = [*self._was_connected]

    def use_jobs(self, jobs: JobTasks) -> None:
        """Let programs start jobs from now on."""
        self.jobs, self.job_desk = jobs, jobs.desk
        self.in_child.append(jobs.desk.close_copies)

    @property
    def server(self) -> Server:
        """This is its own `interp.host.Server`."""
        return self

    # --- start --------------------------------------------------------------

    def load_options(self) -> None:
        """Take over what the database says; before anything runs in it."""
        self.engine.load_server_options()
        for warning in self.engine.options.small_limits(self._settings.dialect):
            self.log_file.write(f"WARNING: {warning}")

    def adopt(self, point: ListeningPoint, port: int) -> None:
        """Have a port that was bound in listeners(); `start` takes connections there.

        ``port`` is what was asked for; 0 stands for any.
        """
        self._first_listener = self.connections.listeners_table.adopt(
            point, SYSTEM_OBJECT, port, True
        )

    def start(self) -> None:
        """Take connections at the port that was adopted, and tell the database.

        Raises: NetworkError if the system refuses.
        """
        assert self._first_listener is not None
        self.connections.listeners_table.start(self._first_listener)
        for saved in self._was_connected:
            self.connections.tell_database(
                saved.player, saved.listener, "user_disconnected"
            )
        self._last_connections = []
        self._run_system_verb("server_started")
        self.dumps.set_timer()
        self._commit()
        self.connections.flush()

    def _run_system_verb(self, verb: str, *arguments: Value) -> None:
        try:
            self.tasks.runner.server_task(NOTHING, SYSTEM_OBJECT, verb, arguments)
        except Exception as error:  # noqa: BLE001  (a bug ends this task alone)
            self.log_file.bug(f"running #0:{verb}", error)

    # --- the loop -----------------------------------------------------------

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` is to be called instead of another `turn`."""
        return self._stop_reason is not None

    @property
    def stop_reason(self) -> str:
        """Why the server stops, if it does."""
        return self._stop_reason or ""

    def turn(self) -> None:
        """Do what is to be done now; the tasks of a short time at most."""
        dumps = self.dumps
        if self._must_checkpoint or (
            not dumps.is_writing
            and (self._clock.now() >= dumps.due_at or dumps.hurries)
        ):
            self._checkpoint()
        for success in self.dumps.finished():
            self.checkpoint_ended(success)
            self._run_system_verb("checkpoint_finished", int(success))
        connections = self.connections
        self.outside.start_next()
        slice_s = self._slice_s
        if slice_s and dumps.journal is not None:
            # Where the disk is slow, more is to be done for each time it is waited for.
            slice_s = max(slice_s, min(dumps.journal.sync_s, LONGEST_SLICE_S))
        began = self._clock.now()
        while self._run_task() and not connections.must_close:
            if (
                self._stop_reason is not None
                or self._must_checkpoint
                or not 0 <= self._clock.now() - began < slice_s
            ):
                break
        if self.memory is not None:
            self.memory.turn()
        connections.close_due()
        connections.relieve_floods()
        self._commit()
        connections.flush()
        self.outside.settle()

    def _run_task(self) -> bool:
        try:
            return self.tasks.turn()
        except Exception as error:  # noqa: BLE001  (a bug ends one task alone)
            self.log_file.bug("running a task", error)
            return True

    @property
    def _must_checkpoint(self) -> bool:
        """Whether the next turn begins with a checkpoint that was asked for."""
        return self._checkpoint_requested and not self.dumps.must_wait

    def _checkpoint(self) -> None:
        if self._checkpoint_signalled:
            self.log_file.write("CHECKPOINTING due to remote request signal.")
        self._checkpoint_requested = self._checkpoint_signalled = False
        self._run_system_verb("checkpoint_started")
        self._commit()
        self.connections.flush()
        self.checkpoint_began()
        self.dumps.checkpoint()
        self.dumps.set_timer()

    def seconds_until_next(self) -> float | None:
        """Return how long there is nothing to do unless input comes; None: for ever."""
        if (
            self.is_stopping
            or self._must_checkpoint
            or self.outside.has_waiting
            # A verb that was told of one end may have caused another.
            or self.connections.must_close
        ):
            return 0
        waits = [
            self.tasks.seconds_until_next(),
            self.connections.seconds_until_timeout(),
            # A checkpoint that is due waits for the end of the one before.
            _CHILD_LOOK_S
            if self.dumps.is_writing
            else max(0.0, self.dumps.due_at - self._clock.now()),
            None if self.dumps.is_writing else self.dumps.seconds_until_hurry(),
            None if self.memory is None else self.memory.seconds_until_next(),
        ]
        return min((wait for wait in waits if wait is not None), default=None)

    # --- the end ------------------------------------------------------------

    def stop(self) -> None:
        """Tell everybody, and close all connections; the last dump comes next."""
        assert self._stop_reason is not None
        self.log_file.write(f"SHUTDOWN: {self._stop_reason}")
        self._commit()  # who has gone by now has been told of
        self._disconnect(self._stop_reason)

    def _disconnect(self, reason: str) -> None:
        self.outside.close(reason)
        # The last dump lists them, so that the database hears of their end when it
        # is online again.
        self._last_connections = self._active_connections()
        self.connections.shut_down(reason)

    def save(self) -> bool:
        """Write the last dump; returns whether it is on the disk."""
        return self.dumps.save(DumpReason.SHUTDOWN)

    def panic(self, message: str) -> None:
        """Save what can be saved beside the database; no verb is called.

        Source: server.c, panic.
        """
        self.log_file.write(f"PANIC: {message}", True)
        try:
            self._disconnect("server panic")
        except Exception as error:  # noqa: BLE001  (the dump matters more)
            self.log_file.bug("closing connections", error)
        self.dumps.save(DumpReason.PANIC)

    # --- what programs and signals ask of the server (interp.host.Server) ----

    def log(self, text: str, *, is_error: bool = False) -> None:
        self.log_file.write(text, is_error)

    def request_shutdown(self, reason: str) -> None:
        self._note_change("_stop_reason")
        self._stop_reason = reason

    def _note_change(self, attribute: str) -> None:
        """Let a slice that is rolled back undo the setting of an attribute."""
        journal = self.engine.world.journal
        journal.note((setattr, self, attribute, getattr(self, attribute)))

    def request_checkpoint(self, *, by_signal: bool = False) -> None:
        self._note_change("_checkpoint_requested")
        self._checkpoint_requested = True
        self._checkpoint_signalled = by_signal

    def version(self) -> str:
        return self._version.text

    def version_details(self, topic: Value) -> Value:
        return self._version.details(topic)

    def disk_size(self) -> int:
        size = self.dumps.disk_size()
        if size is None:
            raise MooError(E_QUOTA)
        return self.engine.ops.wrap(size)

    def memory_usage(self) -> list[Value]:
        # The C server knows nothing of the memory that the system's malloc gives.
        return []
