"""What the engine needs from the layers above it: tasks, connections, the server.

These are Protocols.  The scheduler, the server and the tests supply objects that
fit; nothing here imports them.  Each method answers one thing that a MOO program
can ask for, with the errors that it can see.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Protocol

from attrs import frozen

from pymoo.interp.outcomes import Read, Suspend, Wait
from pymoo.lang.nodes import Fork
from pymoo.values import Obj, Value

if TYPE_CHECKING:
    from pymoo.interp.activation import Activation
    from pymoo.interp.vm import VM


class Stopwatch(Protocol):
    """Counts the seconds of one slice of a task."""

    def used(self) -> float:
        """Seconds since the slice began."""


class Clock(Protocol):
    """The only way to learn the time."""

    def now(self) -> float:
        """Seconds since 1970."""

    def stopwatch(self) -> Stopwatch:
        """Begin to count CPU seconds."""

    def wall_stopwatch(self) -> Stopwatch:
        """Begin to count seconds, whoever has the CPU meanwhile."""


INVOKED: Final = "invoke"
"""The verb name of the line of code that a task of invoke() begins with."""


@frozen
class Invocation:
    """A verb call that is to be a task of its own: what invoke() asks for."""

    object: Obj
    verb: str
    arguments: tuple[Value, ...]
    programmer: Obj  # whose caller_perms() is
    caller: Obj  # the `this` of the verb that asked
    player: Obj
    delay: float = 0  # seconds; between two runs, if it is periodic
    is_periodic: bool = False
    cron: str = ""  # when it is due, in the form of crontab(5)
    timezone: str = ""  # which `cron` is meant in; the default of the world if empty
    # Object and verb that are called with the result, or with the error.
    callback: tuple[Obj, str] | None = None
    errback: tuple[Obj, str] | None = None

    @property
    def is_repeated(self) -> bool:
        """Whether it runs more than once."""
        return self.is_periodic or bool(self.cron)


class Schedule(Protocol):
    """The tasks that are to start at some time."""

    def invoke(self, request: Invocation) -> int:
        """Have a verb called; returns the handle.

        Raises: E_INVARG for a bad schedule or time zone, E_INVIND or E_VERBNF for a
            verb that cannot be called, E_QUOTA.
        """

    def cancel(self, handle: int, programmer: Obj) -> bool:
        """Returns whether it was there.  Raises: E_PERM."""

    def rows(self, programmer: Obj) -> list[Value]:
        """The rows of scheduled_tasks(), all of them for a wizard."""


class Tasks(Protocol):
    """The queues of tasks."""

    @property
    def schedule(self) -> Schedule:
        """What is to become a task later."""

    def fork(self, vm: VM, act: Activation, node: Fork, delay: float) -> None:
        """Queue the body of ``node`` to start in ``delay`` seconds.

        It gets a copy of the variables of ``act``; a named fork's id is put into
        its variable first, in both.  Raises: E_QUOTA.
        """

    def sleep(self, vm: VM, request: Suspend | Read | Wait) -> None:
        """Keep the task of ``vm`` until what it asks for is there.

        Raises: E_QUOTA if it may have no more queued tasks; E_INVARG if it cannot
            read from that connection.
        """

    def queued_tasks(self, programmer: Obj, *, variables: bool = False) -> list[Value]:
        """The rows of queued_tasks(), all of them for a wizard."""

    def count_queued_tasks(self, programmer: Obj) -> int:
        """How many rows queued_tasks() has."""

    def kill(self, task_id: int, programmer: Obj) -> None:
        """Remove a queued task.  Raises: E_PERM, E_INVARG."""

    def resume(self, task_id: int, value: Value, programmer: Obj) -> None:
        """Make a suspended task ready.  Raises: E_PERM, E_INVARG."""

    def find(self, task_id: int) -> VM | None:
        """Return the suspended or reading task with this id."""

    def active_tasks(self, programmer: Obj) -> list[Value]:
        """The rows of active_tasks(), all of them for a wizard."""

    def is_valid(self, task_id: int) -> bool:
        """Whether a task of that number waits or runs."""

    def send(self, task_id: int, value: Value, programmer: Obj) -> None:
        """Send a message to a task.  Raises: E_INVARG, E_PERM, E_QUOTA."""

    def check_wait_for(
        self, vm: VM, task_id: int, programmer: Obj, *, forever: bool
    ) -> None:
        """Look whether the task of ``vm`` may wait for the end of another.

        Raises: E_INVARG if there is no such task, or if neither could ever end;
            E_PERM.
        """

    def queue_owners(self) -> list[Obj]:
        """Whose queues there are, as queue_info() lists them."""

    def queue_length(self, owner: Obj) -> int:
        """How many background tasks ``owner`` has queued."""

    def last_input_task(self, player: Obj) -> int:
        """The id of the task that the last line of ``player`` started, or 0."""

    def read_now(self, connection: Obj) -> str | None:
        """Take a waiting line; None if there is none.  Raises: E_INVARG."""

    def force_input(self, player: Obj, line: str, at_front: bool) -> None:
        """Queue a line as if ``player`` had typed it."""

    def flush_input(self, player: Obj, show_messages: bool) -> None:
        """Drop what waits in the input queue of ``player``."""

    def output_delimiters(self, player: Obj) -> tuple[str, str]:
        """The prefix and suffix that PREFIX and SUFFIX have set."""


class Connections(Protocol):
    """Who is connected, and what they are told."""

    def notify(self, player: Obj, text: str, *, no_flush: bool = False) -> bool:
        """Send what notify() sends, if ``player`` is connected.

        Returns False if ``no_flush`` and it does not fit.  Raises: E_INVARG for
        bad binary notation.
        """

    def is_binary(self, player: Obj) -> bool:
        """Whether ``player`` is connected in binary mode."""

    def send_line(self, player: Obj, text: str) -> None:
        """Send a line of the server's own, if ``player`` is connected.

        Unlike what notify() sends, it is a line in binary mode as well.
        """

    def connected_players(self, *, everybody: bool) -> tuple[Obj, ...]:
        """Those logged in, and with ``everybody`` the others too."""

    def connected_seconds(self, player: Obj) -> int:
        """Raises: E_INVARG if not connected."""

    def idle_seconds(self, player: Obj) -> int:
        """Raises: E_INVARG if not connected."""

    def connection_name(self, player: Obj) -> str:
        """Raises: E_INVARG if not connected."""

    def boot(self, player: Obj) -> None:
        """Close the connection of ``player``, if any, after this task."""

    def player_connected(self, old: Obj, new: Obj, *, created: bool) -> None:
        """The connection ``old`` has logged in as ``new``, who may be connected."""

    def may_use_line(self, player: Obj) -> bool:
        """Whether an unnamed connection may have a line of its used now.

        If not, it is given up, and its lines are gone.  Not to be called in a slice.
        """

    def suspend_input(self, player: Obj) -> None:
        """Read nothing more from ``player``, who has typed too much."""

    def resume_input(self, player: Obj) -> None:
        """Read again from ``player``."""

    def set_option(self, player: Obj, name: str, value: Value) -> None:
        """Raises: E_INVARG if not connected, or for a bad name or value."""

    def options(self, player: Obj) -> list[tuple[str, Value]]:
        """All options with their values.  Raises: E_INVARG if not connected."""

    def buffered_output_length(self, player: Obj | None) -> int:
        """Bytes waiting, or the limit.  Raises: E_INVARG if not connected."""

    def listen(self, object_: Obj, port: Value, print_messages: bool) -> Value:
        """Returns the port.  Raises: E_INVARG, E_TYPE, E_PERM, E_QUOTA."""

    def unlisten(self, port: Value) -> None:
        """Raises: E_INVARG."""

    def listeners(self) -> list[Value]:
        """Rows ``{object, port, print-messages}``, the newest first."""

    def open_outbound(self, vm: VM, arguments: tuple[Value, ...]) -> Obj:
        """Returns the new connection.  Raises: E_PERM, E_INVARG, E_QUOTA, ..."""


class Workers(Protocol):
    """The processes that answer worker_request()."""

    def proper_name(self, kind: str) -> str:
        """Return ``kind`` as the worker that does it spells it.

        Raises: E_INVARG with the reason, and ``kind`` as its value, if nobody does.
        """


class Jobs(Protocol):
    """Long work in persisted steps, beside the world.

    Each method raises E_INVARG if there is none, with the reason, and E_QUOTA if what
    is kept of it cannot be read or written.
    """

    def start(self, name: str, arguments: tuple[Value, ...], owner: Obj) -> int:
        """Queue a job at the end of the slice; returns its number.

        Raises: E_INVARG if there is no such task; E_ARGS if it does not take these.
        """

    def chain(
        self, members: Iterable[tuple[str, tuple[Value, ...]]], owner: Obj
    ) -> int:
        """Queue a job of several tasks; at least one.  Raises: as `start`."""

    def rows(self, state: str | None) -> list[Value]:
        """The rows of jobs().  Raises: E_INVARG if there is no such state."""

    def info(self, number: int) -> Value:
        """What job_info() gives.  Raises: E_INVARG if there is no such job."""

    def abort(self, number: int) -> None:
        """End a job at the end of the slice.  Raises: E_INVARG if it is over."""

    def check(self, number: int) -> None:
        """Raise E_INVARG if there is no such job."""


class Server(Protocol):
    """The process around the database."""

    def log(self, text: str, *, is_error: bool = False) -> None:
        """Write a line to the log."""

    def request_shutdown(self, reason: str) -> None:
        """Stop after the running task."""

    def request_checkpoint(self) -> None:
        """Dump the database after the running task."""

    def version(self) -> str:
        """What server_version() gives."""

    def version_details(self, topic: Value) -> Value:
        """What server_version(topic) gives.  Raises: E_INVARG."""

    def disk_size(self) -> int:
        """Bytes of the database file.  Raises: E_QUOTA if there is none."""

    def memory_usage(self) -> list[Value]:
        """Rows ``{size, used, free}``."""


class Host(Protocol):
    """Everything above the engine."""

    @property
    def tasks(self) -> Tasks: ...

    @property
    def connections(self) -> Connections: ...

    @property
    def server(self) -> Server: ...

    @property
    def workers(self) -> Workers: ...

    @property
    def jobs(self) -> Jobs: ...
