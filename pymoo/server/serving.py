"""A database served by this process, from its start to its end.

Source: server.c, main.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from attrs import frozen

from pymoo.db.journal_file import fingerprint, folder_of, held
from pymoo.db.passwords import open_wizards
from pymoo.db.recovery import has_journal
from pymoo.db.remedies import no_room_remedy, passwd_command, recover_command
from pymoo.db.textdump import Textdump, garbage_collection_off
from pymoo.db.world import World
from pymoo.errors import PymooError
from pymoo.exits import ABORTED, FINE, UNSAVED
from pymoo.lang.dialect import Dialect
from pymoo.server.admission import NO_LIMITS, Admission, AdmissionLimits
from pymoo.server.app import Server, ServerSettings, announce
from pymoo.server.database import keep_in_memory, open_database
from pymoo.server.dumps import DumpFiles
from pymoo.server.durability import Durability
from pymoo.server.emergency import EmergencyMode, Ending, terminal
from pymoo.server.figures import Figures
from pymoo.server.jit import tune
from pymoo.server.listener import Addresses, SocketNetwork
from pymoo.server.lock import locked
from pymoo.server.log import Log
from pymoo.server.main_loop import MainLoop, finish, run_with_big_stack, save_at_last
from pymoo.server.memory import MemoryGuard
from pymoo.server.network import NetworkError
from pymoo.tasks.clock import SystemClock

# What few servers have is loaded by those that do.
if TYPE_CHECKING:
    from pymoo.server.job_desk import JobDesk, JobSettings
    from pymoo.server.recovering import LeftJournal
    from pymoo.workers.pool import Pool
    from pymoo.workers.settings import WorkerSettings


class StartError(PymooError):
    """A server cannot be started."""


class Door(Protocol):
    """Another way into the world than `network.Network`."""

    def bind(self) -> None:
        """Take what is needed of the system.  Raises: PymooError."""

    def open(self, server: Server, post: Callable[[Callable[[], None]], bool]) -> None:
        """Let requests in; ``post`` has things done in the world's thread."""

    def close(self) -> None:
        """Take no more requests, and answer those that wait."""


@frozen
class Service:
    """What is to be served, and how."""

    input_path: str
    output_path: str
    port: int
    addresses: Addresses
    dialect: Dialect
    # Makes the file to be read, which is removed again if the server cannot start.
    make: Callable[[str], None] | None = None
    log_path: str | None = None  # None: standard error
    outbound: bool = False
    check_programs: bool = True  # while loading; otherwise at first use
    code_folder: Path | None = None  # where compiled verbs are kept
    emergency: bool = False
    port_was_given: bool = True  # or is the default: the classic log shows which
    locks: bool = False  # whether no other server may save to the same file
    durability: Durability = Durability.OFF
    recovers: bool = False  # whether a journal that was left is looked for
    doors: tuple[Door, ...] = ()
    workers: WorkerSettings | None = None  # None: there are none
    jobs: JobSettings | None = None  # None: there are none
    memory_limit: int | None = None  # in bytes; None: any number
    admission: AdmissionLimits = NO_LIMITS  # for each address


def serve(
    service: Service,
    *,
    loaded: Callable[[], None] | None = None,
    recovered: Callable[[str], None] | None = None,
    warned: Callable[[str], None] | None = None,
    started: Callable[[int], None] | None = None,
) -> int:
    """Serve a database until it is shut down; returns the exit status.

    ``loaded`` is called when the file was read, before anything is done with it,
    ``recovered`` with what was found in a journal, if there was one, ``warned`` with
    what endangers the world, and ``started`` with the port when connections are taken.

    Raises: PymooError where it cannot start.
    """
    if service.recovers and service.make is None:
        # Before the log begins, and a port is taken.
        try:
            open(service.input_path, "rb").close()
        except OSError as error:
            raise _unreadable(service.input_path, error) from error
    tune()
    path = service.log_path
    log_stream = _standard_error() if path is None else open_log(path)
    lock = locked(service.output_path) if service.locks else nullcontext()
    try:
        with lock:
            return run_with_big_stack(
                lambda ready: _Process(service, log_stream, recovered, warned).run(
                    ready, loaded, started
                )
            )
    finally:
        if sys.stderr is None or log_stream is not sys.stderr.buffer:
            with suppress(OSError):  # lines that could not be written are lost
                log_stream.close()


def _standard_error() -> BinaryIO:
    # Whoever has closed it does not want to know.
    return open(os.devnull, "ab") if sys.stderr is None else sys.stderr.buffer


def open_log(path: str | os.PathLike[str]) -> BinaryIO:
    """Open the file of a log, to add to it.  Raises: StartError."""
    try:
        return open(path, "ab")
    except OSError as error:
        raise StartError(
            f"{path}: the log cannot be written there: {error.strerror}"
        ) from error


class _Process:
    def __init__(
        self,
        service: Service,
        log_stream: BinaryIO,
        recovered: Callable[[str], None] | None,
        warned: Callable[[str], None] | None,
    ) -> None:
        self._service = service
        self._tell_recovered = recovered
        self._warn = warned
        self._clock = SystemClock()
        self._log = Log(self._clock, log_stream)
        self._has_started = False

    def run(
        self,
        ready: Callable[[MainLoop], None],
        loaded: Callable[[], None] | None,
        started: Callable[[int], None] | None,
    ) -> int:
        service = self._service
        if service.make is None:
            return self._run(ready, loaded, started)
        before = _files_of(service.input_path)
        try:
            return self._run(ready, loaded, started)
        except BaseException:
            if not self._has_started:
                for path in _files_of(service.input_path) - before:
                    _remove(path)
            raise

    def _run(
        self,
        ready: Callable[[MainLoop], None],
        loaded: Callable[[], None] | None,
        started: Callable[[int], None] | None,
    ) -> int:
        service, log = self._service, self._log
        loop = asyncio.SelectorEventLoop()
        admission = Admission(service.admission, log.write)
        network = SocketNetwork(
            loop, service.addresses, self._clock, log, admission=admission
        )
        announce(log, service.dialect, service.port if service.port_was_given else None)
        try:
            point = network.bind(service.port)
        except NetworkError as error:
            raise self._refusal(error) from error
        for door in self._service.doors:
            door.bind()
        if service.make is not None:
            service.make(service.input_path)
        server = self._load(network)
        server.figures = Figures(
            server, admission, saved_at=_changed_at(service.input_path)
        )
        if loaded is not None:
            loaded()
        server.adopt(point, service.port)
        if service.emergency:
            with terminal() as (source, sink):
                ending = EmergencyMode(server, source, sink).run()
            if ending is Ending.ABORT:
                return ABORTED
            if ending is Ending.QUIT:
                save_at_last(server)
                return FINE
        with ExitStack() as stack:
            for start in (self._start_workers, self._start_jobs):
                helpers = start(server, loop)
                if helpers is not None:
                    stack.callback(helpers.stop)
            return self._serve(server, network, loop, ready, started, point.port)

    def _start_workers(
        self, server: Server, loop: asyncio.AbstractEventLoop
    ) -> Pool | None:
        """Start the processes that worker_request() asks.  Raises: WorkersError."""
        settings = self._service.workers
        if settings is None:
            return None
        from pymoo.workers.coding import Reader
        from pymoo.workers.pool import Pool

        engine = server.engine
        reader = Reader(width=engine.ops.width, encoding=engine.encoding)
        pool = Pool(settings, loop, self._log.write, reader=reader)
        pool.start()
        server.workers.use(pool)
        return pool

    def _start_jobs(
        self, server: Server, loop: asyncio.AbstractEventLoop
    ) -> JobDesk | None:
        """Start the process that runs jobs.  Raises: JobsError, JobStoreError."""
        settings = self._service.jobs
        if settings is None:
            return None
        from pymoo.server.job_desk import JobDesk
        from pymoo.server.job_tasks import JobTasks

        desk = JobDesk(settings, loop, self._log.write)
        desk.start()
        server.use_jobs(JobTasks(server.engine, server.job_waits, desk, self._log))
        return desk

    def _serve(
        self,
        server: Server,
        network: SocketNetwork,
        loop: asyncio.AbstractEventLoop,
        ready: Callable[[MainLoop], None],
        started: Callable[[int], None] | None,
        port: int,
    ) -> int:
        log = self._log
        try:
            server.start()
        except NetworkError as error:
            raise self._refusal(error) from error
        self._has_started = True
        if self._warn is not None:
            warning = open_wizards_warning(server.engine.world, self._service)
            if warning is not None:
                log.write(f"WARNING: {warning}", True)
                self._warn(warning)
        main_loop = MainLoop(server, loop)
        network.wake = server.workers.wake = server.job_waits.wake = main_loop.wake
        for door in self._service.doors:
            door.open(server, main_loop.post)
        ready(main_loop)
        if started is not None:
            try:
                started(port)
            except OSError as error:  # the terminal has gone: no reason to stop
                log.os_error("Telling that connections are taken", error)
        main_loop.run()
        for door in self._service.doors:
            door.close()
        is_saved = finish(server, main_loop.panic, main_loop.given_up)
        network.close()
        loop.close()
        if main_loop.panic is not None:
            os.abort()  # as a crashed process ends, so that whoever watches notices
        return FINE if is_saved else UNSAVED

    def _refusal(self, error: NetworkError) -> StartError:
        """Log why the first port cannot be taken, and return what to say of it."""
        self._log.os_error(error.doing, error.error)
        self._log.write("Can't create initial connection point!", True)
        port = self._service.port
        match error.error.errno:
            case errno.EADDRINUSE:
                remedy = "Stop whatever uses it, or choose another port"
            case errno.EACCES:
                remedy = "Choose a port above 1023"
            case _:
                remedy = "Is the address one of this machine's?"
        return StartError(f"port {port} cannot be taken: {error}. {remedy}")

    def _load(self, network: SocketNetwork) -> Server:
        """Return the server of what there is.

        Raises: StartError, DatabaseFileError, TextdumpError, JournalError.
        """
        service = self._service
        if not service.recovers:
            return self._load_while_held(network)
        folder = folder_of(service.output_path)
        with ExitStack() as held_until_loaded:
            try:
                held_until_loaded.enter_context(held(folder, self._tell_waiting))
            except OSError as error:
                remedy = no_room_remedy(error, os.path.dirname(folder)) or (
                    "Keep databases in a folder that can be written to"
                )
                raise StartError(
                    f"{error.filename or folder}: cannot be locked: {error.strerror}. "
                    f"{remedy}"
                ) from error
            return self._load_while_held(network)

    def _tell_waiting(self) -> None:
        self._log.write(
            "JOURNAL: waiting for the checkpoint that another process puts in its place"
        )

    def _load_while_held(self, network: SocketNetwork) -> Server:
        service, log = self._service, self._log
        left = self._left_journal()
        with garbage_collection_off():
            database = open_database(
                service.input_path,
                service.dialect,
                log=log.write,
                dump_name=service.output_path,
                check=service.check_programs,
                use_journal=False,
            )
            textdump = database.textdump
            if left is not None:
                textdump = self._recovered(left, textdump)
            server = Server(
                textdump,
                DumpFiles(
                    service.input_path, service.output_path, keeps=service.recovers
                ),
                network,
                self._clock,
                log,
                ServerSettings(
                    service.dialect,
                    outbound=service.outbound,
                    width=service.dialect.default_width,
                    durability=service.durability,
                ),
                builtins=database.builtins,
                loader=database.loader,
            )
            del database, textdump
            keep_in_memory()
        network.attach(server.connections)
        if service.code_folder is not None:
            server.engine.tiering.keep_code(service.code_folder, log.write)
        server.load_options()
        if left is not None:
            self._begin_journal(server, left)
        if service.memory_limit is not None:
            guard = server.memory = MemoryGuard(
                server.engine,
                server.connections,
                log,
                service.memory_limit,
                tell_wizards=server.tell_wizards,
                forget=lambda: _forget(server),
            )
            network.is_full = lambda: guard.refuses_connections
            guard.begin()
        return server

    def _left_journal(self) -> LeftJournal | None:
        """Return what there may be to recover; None in the classic form.

        Raises: StartError, JournalError.
        """
        service = self._service
        path = service.input_path
        try:
            if service.recovers:
                from pymoo.server.recovering import LeftJournal

                return LeftJournal(path, service.output_path, self._log)
            if has_journal(path):
                raise StartError(
                    f"{path}: the journal beside it, {folder_of(path)}, holds what was "
                    "done since, and is not read here. Have pymoo serve put it into "
                    "the file first, and shut that down; or write both into another "
                    f"file: {recover_command(path)}"
                )
            return None
        except OSError as error:
            raise _unreadable(error.filename or path, error) from error

    def _recovered(self, left: LeftJournal, textdump: Textdump) -> Textdump:
        """Return what there was last.  Raises: StartError, JournalError."""
        try:
            textdump = left.apply(textdump, self._service.dialect.default_width)
        except OSError as error:
            raise StartError(
                f"{error.filename or folder_of(self._service.output_path)}: what it "
                f"has cannot be taken over: {error.strerror}"
            ) from error
        if left.recovered is not None and self._tell_recovered is not None:
            self._tell_recovered(left.recovered)
        return textdump

    def _begin_journal(self, server: Server, left: LeftJournal) -> None:
        """Begin the journal of this server, or end one that was left.

        Raises: JournalStartError.
        """
        service = self._service
        if service.emergency:
            return
        if service.durability is not Durability.OFF:
            from pymoo.server.disk_journal import Origin

            path, origin = service.output_path, left.origin
            if left.is_overgrown and server.end_journal(path):
                try:
                    origin = Origin(fingerprint(path))
                except OSError as error:
                    raise StartError(
                        f"{path}: cannot be read: {error.strerror}. Let the server "
                        "read and write it"
                    ) from error
            server.begin_journal(path, origin)
        elif left.is_there:
            # From now on nobody would add to it.
            server.end_journal(service.output_path)


def open_wizards_warning(world: World, service: Service) -> str | None:
    """Return what to say of wizards whom anybody elsewhere could be; None if nothing.

    Some cores let such players in from the machine of the server alone, which only
    their programs know.
    """
    if not reaches_beyond(service.addresses):
        return None
    wizards = open_wizards(world)
    if not wizards:
        return None
    first, more = wizards[0], len(wizards) - 1
    names = f"{first.name} ({first.id})" + (f" and {more:,} more" if more else "")
    command = passwd_command(service.output_path, str(first.id))
    return (
        f"{names}: a wizard without a password, and other machines can connect. Unless "
        "#0:do_login_command refuses, whoever gives the name is let in. Set one from "
        f"inside, or while no server has the file: {command}"
    )


def _forget(server: Server) -> None:
    """Let go of what is kept only to write less to the journal."""
    if server.dumps.journal is not None:
        server.dumps.journal.forget()


def _unreadable(path: str, error: OSError) -> StartError:
    """Return why a server cannot be started, and what to do."""
    match error.errno:
        case errno.ENOENT:
            remedy = (
                "Give the path of a LambdaMOO database; `pymoo serve` without a file "
                "makes a new world"
            )
        case errno.EACCES | errno.EPERM:
            remedy = "Let the server's user read it"
        case errno.EISDIR | errno.ENOTDIR:
            remedy = "Give the path of a LambdaMOO database"
        case _:
            remedy = "See what the system's log says of the disk"
    return StartError(f"{path}: cannot be read: {error.strerror}. {remedy}")


def _changed_at(path: str) -> float:
    """Return when a file was last written; 0 if it is not there any more."""
    try:
        return os.path.getmtime(path)
    except OSError:
        return 0.0


def _files_of(path: str) -> set[Path]:
    """Return a database file and what is kept beside it, as far as they are there."""
    place = Path(path)
    return {
        each
        for each in place.parent.iterdir()
        if each.name.startswith(f"{place.stem}.")
    }


def _remove(path: Path) -> None:
    """Remove a file or folder; if it cannot be, that is not what has failed."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def addresses_of(host: str) -> Addresses:
    """Return where connections are taken for ``--host``; "" means everywhere."""
    if host == "":
        return Addresses("", "")
    if ":" in host:
        return Addresses(None, host)
    return Addresses(host, None)


def reaches_beyond(addresses: Addresses) -> bool:
    """Whether other machines can connect to one of these."""
    return any(
        host is not None and not _is_loopback(host)
        for host in (addresses.ipv4, addresses.ipv6)
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:  # a name
        return host == "localhost"


def classic_addresses(ipv4: str, *, ipv6: bool) -> Addresses:
    """Return where the classic form takes connections: everywhere, or at ``ipv4``."""
    return Addresses(ipv4, "" if ipv6 and not ipv4 else None)
