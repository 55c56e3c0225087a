"""A world in this process, for programs in Python: no network, no server to start.

    with World.open("MyMOO.db") as server:
        print(server.call_verb(Obj(0), "server_name"))
        output, status = server.parse_command(Obj(3), "look")

Nothing runs unless a call waits for it: what is forked, or suspended longer than its
caller waits, goes on during the next call that waits, or in `World.run`.  Nothing is
written unless that is asked for.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import ExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Final, TypeVar

from pymoo.api.errors import WorldClosedError
from pymoo.api.gateway import Gateway
from pymoo.api.results import (
    CallResult,
    CommandResult,
    EvalResult,
    call_result,
    command_result,
    eval_result,
)
from pymoo.api.thread import WorldThread
from pymoo.db.generations import keep_original
from pymoo.db.recovery import chain_beside
from pymoo.errors import OptionError
from pymoo.lang.dialect import DEFAULT
from pymoo.lang.dialect import dialect as dialect_of
from pymoo.server.app import Server, ServerSettings
from pymoo.server.database import open_database
from pymoo.server.dumps import DumpFiles
from pymoo.server.lock import locked_at_rest
from pymoo.server.log import ErrorLog, Log
from pymoo.server.memory_network import MemoryNetwork
from pymoo.server.outside import (
    Choices,
    Evaluation,
    Request,
    TypedCommand,
    VerbCall,
)
from pymoo.server.serving import open_log
from pymoo.tasks.clock import SystemClock
from pymoo.values import NOTHING, Obj, Value
from pymoo.values_limits import UnusableValueError, ValueLimits

CALL_TIMEOUT_S: Final = 30.0
"""How long a call waits for a verb or a program, unless told otherwise."""

COMMAND_TIMEOUT_S: Final = 5.0
"""The same for a command, whose task may well sleep for long."""

T = TypeVar("T")


class World:
    """A database that is open; its methods may be called from any thread.

    Each has an async variant, whose name begins with ``a``, for event loops; these are
    never held up by what the world does.
    """

    def __init__(
        self,
        thread: WorldThread,
        path: str,
        *,
        limits: ValueLimits,
        saves: bool,
        output: str,
        may_save_to: frozenset[str],
        choices: Choices,
        resources: ExitStack,
    ) -> None:
        """See `open`."""
        self._thread: Final = thread
        self._server: Final = thread.server
        self._gateway: Final = Gateway(thread.server.outside, thread.post)
        self._path: Final = path
        self._limits: Final = limits
        self._saves: Final = saves
        self._output: Final = output
        self._may_save_to: Final = may_save_to
        self._choices: Final = choices
        self._resources: Final = resources
        self._is_closed = False

    # --- open and close -------------------------------------------------------

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        dialect: str = DEFAULT.name,
        save: bool = False,
        output: str | os.PathLike[str] | None = None,
        lock: bool = True,
        encoding: str = "latin-1",
        log: str | os.PathLike[str] | None = None,
        seed: int | None = None,
        error_policy: str | None = None,
        abort_policy: str | None = None,
    ) -> World:
        """Open a database file.

        With ``save`` it is written when it is closed, and when the database itself
        wants it; to ``output``, or without that to ``path``, which is first copied to
        ``path.backups/original.db``.  ``lock`` refuses a file that is being served,
        and keeps others from serving it; without, the file is only read.  ``log``
        names a file to add the log to; without, errors are shown on standard error.
        ``seed`` makes random() give the same numbers each time.  With
        ``error_policy`` or ``abort_policy`` "rollback", what a call's task has changed
        is undone when an error ends it that nobody catches, or when it runs out of
        ticks or seconds, back to its last suspend; None leaves that to the database.

        Raises: PymooError if the file cannot be used.
        """
        language = dialect_of(dialect)
        choices = Choices(error_policy, abort_policy)
        path = os.fspath(path)
        target = path if output is None else os.fspath(output)
        if save and not lock:
            raise OptionError(
                f"{target}: what is saved must be locked: leave out lock=False"
            )
        with ExitStack() as resources:
            if lock:
                resources.enter_context(locked_at_rest(target))
            clock = SystemClock()
            log_file: Log = ErrorLog(clock)
            if log is not None:
                log_file = Log(clock, resources.enter_context(open_log(log)))

            def make_server() -> Server:
                database = open_database(
                    path, language, log=log_file.write, check=False
                )
                if save and target == path:
                    keep_original(path)
                server = Server(
                    database.textdump,
                    DumpFiles(path, target if save else None, keeps=target == path),
                    MemoryNetwork(),
                    clock,
                    log_file,
                    ServerSettings(
                        language,
                        width=language.default_width,
                        encoding=encoding,
                        seed=seed,
                    ),
                    builtins=database.builtins,
                    loader=database.loader,
                    forks=False,
                )
                server.keep_connections()
                server.load_options()
                if save and target == path and chain_beside(path) is not None:
                    # What is saved later is to hold what that journal does.
                    server.end_journal(path)
                return server

            thread = WorldThread(make_server)
            return cls(
                thread,
                path,
                limits=ValueLimits(language.default_width, encoding),
                saves=save,
                output=target,
                may_save_to=frozenset({os.path.abspath(target)} if lock else ()),
                choices=choices,
                resources=resources.pop_all(),
            )

    @classmethod
    @asynccontextmanager
    async def open_async(
        cls, path: str | os.PathLike[str], **options: Any
    ) -> AsyncIterator[World]:
        """Open a database file in ``async with``; the options are those of `open`."""
        world = await asyncio.to_thread(cls.open, path, **options)
        try:
            yield world
        except BaseException:
            await asyncio.to_thread(world.abandon)
            raise
        await asyncio.to_thread(world.close)

    def __enter__(self) -> World:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def close(self) -> None:
        """Save the database if that was asked for, and let go of it.

        Raises: PymooError if it cannot be saved; it is closed nevertheless.
        """
        try:
            if self._saves and not self._is_closed:
                self.save()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go of the database without saving it, as after an exception."""
        if not self._is_closed:
            self._is_closed = True
            self._thread.close()
            self._gateway.close("it was closed")
            self._resources.close()

    def save(self, path: str | os.PathLike[str] | None = None) -> None:
        """Write the database now: to ``path``, or to where it is saved to.

        Suspended and forked tasks are saved with it.

        Raises: PymooError if that is not possible.
        """
        self._ask(lambda: self._save(path)).result()

    async def asave(self, path: str | os.PathLike[str] | None = None) -> None:
        """Write the database now, as `save` does."""
        await asyncio.wrap_future(self._ask(lambda: self._save(path)))

    def _save(self, path: str | os.PathLike[str] | None) -> None:
        target = os.path.abspath(self._output if path is None else os.fspath(path))
        own = os.path.abspath(self._path)
        if target not in self._may_save_to:
            if target == own:
                raise OptionError(
                    f"{self._path}: was opened to be read only. Open it with a lock, "
                    "or save to another file"
                )
            with locked_at_rest(target):
                self._server.dumps.save_as(target)
            return
        if target == own:
            keep_original(target)
        self._server.dumps.save_as(target)

    # --- calls ------------------------------------------------------------------

    def parse_command(
        self, player: Obj | int, line: str, *, timeout: float = COMMAND_TIMEOUT_S
    ) -> CommandResult:
        """Do what ``player`` would with a line of input, connected or not.

        The output is what the player was sent meanwhile, tracebacks among it; MOO
        errors are not raised.  If the command's task suspends, up to ``timeout``
        seconds are waited for its end.

        Raises: MooTaskError with E_INVARG if there is no such player; MooTimeout if
            the world was too busy to begin; UnusableValueError; WorldClosedError.
        """
        request = self._command(player, line)
        return command_result(self._gateway.wait(request, timeout), timeout)

    async def aparse_command(
        self, player: Obj | int, line: str, *, timeout: float = COMMAND_TIMEOUT_S
    ) -> CommandResult:
        """Do what ``player`` would with a line of input, as `parse_command` does."""
        request = self._command(player, line)
        outcome = await self._gateway.wait_async(request, timeout)
        return command_result(outcome, timeout)

    def eval(
        self, player: Obj | int, source: str, *, timeout: float = CALL_TIMEOUT_S
    ) -> EvalResult:
        """Run an expression, or statements, as ``player``.

        Raises: MooTaskError for an error that nobody catches, with E_PERM if
            ``player`` is no programmer; MooTaskAborted if the task was ended;
            MooTimeout if it sleeps longer than ``timeout`` seconds; MooSyntaxError;
            UnusableValueError; WorldClosedError.
        """
        request = self._evaluation(player, source)
        return eval_result(self._gateway.wait(request, timeout), timeout)

    async def aeval(
        self, player: Obj | int, source: str, *, timeout: float = CALL_TIMEOUT_S
    ) -> EvalResult:
        """Run an expression, or statements, as `eval` does."""
        request = self._evaluation(player, source)
        return eval_result(await self._gateway.wait_async(request, timeout), timeout)

    def call_verb(
        self,
        obj: Obj | int,
        verb: str,
        *args: Any,
        player: Obj | int = NOTHING,
        timeout: float = CALL_TIMEOUT_S,
    ) -> Value:
        """Return what ``obj:verb(@args)`` returns, called in a task of its own.

        It has the limits of a foreground task, the permissions of the verb's owner,
        and no caller (#-1).  If it suspends, ``timeout`` seconds are waited for its
        end.

        Raises: MooTaskError for an error that nobody catches, with E_VERBNF or
            E_INVIND if there is no such verb; MooTaskAborted; MooTimeout;
            UnusableValueError for arguments that are no values; WorldClosedError.
        """
        return self.verb_task(obj, verb, *args, player=player, timeout=timeout).value

    async def acall_verb(
        self,
        obj: Obj | int,
        verb: str,
        *args: Any,
        player: Obj | int = NOTHING,
        timeout: float = CALL_TIMEOUT_S,
    ) -> Value:
        """Return what ``obj:verb(@args)`` returns, as `call_verb` does."""
        request = self._verb_call(obj, verb, args, player)
        return call_result(
            await self._gateway.wait_async(request, timeout), timeout
        ).value

    def verb_task(
        self,
        obj: Obj | int,
        verb: str,
        *args: Any,
        player: Obj | int = NOTHING,
        timeout: float = CALL_TIMEOUT_S,
    ) -> CallResult:
        """Call a verb as `call_verb` does, for its output and task id as well.

        The output is what ``player`` was sent.  Raises: as `call_verb`.
        """
        request = self._verb_call(obj, verb, args, player)
        return call_result(self._gateway.wait(request, timeout), timeout)

    def run(self, seconds: float = 1.0) -> None:
        """Let tasks run for ``seconds``, or until none will become ready within them.

        Raises: WorldClosedError.
        """
        self._thread.run(seconds).result()

    async def arun(self, seconds: float = 1.0) -> None:
        """Let tasks run, as `run` does."""
        await asyncio.wrap_future(self._thread.run(seconds))

    # --- requests -----------------------------------------------------------------

    def _command(self, player: Obj | int, line: str) -> Request:
        return TypedCommand(
            self._object(player), self._limits.string(line), self._choices
        )

    def _evaluation(self, player: Obj | int, source: str) -> Request:
        lines = source.split("\n")
        return Evaluation(
            self._object(player),
            "\n".join(map(self._limits.string, lines)),
            self._choices,
        )

    def _verb_call(
        self, obj: Obj | int, verb: str, args: tuple[Any, ...], player: Obj | int
    ) -> Request:
        arguments = self._limits.value(args)
        assert type(arguments) is tuple
        return VerbCall(
            self._object(player),
            self._object(obj),
            self._limits.string(verb),
            arguments,
            self._choices,
        )

    def _object(self, number: Obj | int) -> Obj:
        if type(number) is not int and type(number) is not Obj:
            raise UnusableValueError(f"{number!r} is no object: give an Obj, as Obj(2)")
        return Obj(self._limits.integer(int(number)))

    def _ask(self, question: Callable[[], T]) -> Future[T]:
        if self._is_closed:
            raise WorldClosedError("the world was closed. Open it again")
        return self._thread.ask(question)
