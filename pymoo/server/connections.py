"""Who is connected: arrival, login, output, options, and the many ways to an end.

`ConnectionTable` is what the engine knows as `interp.host.Connections`.  It gives
lines to the scheduler and runs the verbs by which the database learns of
connections.

C1  Every connection is in the table from its arrival until its wire is closed, and
    its queue is connected exactly as long.
C2  A player has one connection at most: who logs in again loses the old one.
C3  For programs a booted connection ends at once, for the rest at the end of the
    turn (`close_due`).

The methods stand in the order of a connection's life; then come the questions that
programs ask, options, and what is only passed on.

Source: server.c, net_multi.c.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final

from pymoo.errors import MooError
from pymoo.interp.engine import Engine
from pymoo.interp.vm import VM
from pymoo.options import (
    DEFAULT_CONNECT_TIMEOUT,
    DEFAULT_NAME_LOOKUP_TIMEOUT,
    DEFAULT_OUTBOUND_CONNECT_TIMEOUT,
)
from pymoo.server.admission import Admission
from pymoo.server.connection import MAX_QUEUED_OUTPUT, Connection, OutputBuffer
from pymoo.server.listening import Listener, ListenerTable
from pymoo.server.log import Log
from pymoo.server.messages import message
from pymoo.server.network import Network, Wire
from pymoo.server.telnet import (
    CLIENT_ECHOES,
    CLIENT_IS_SILENT,
    MAX_LINE,
    LineReader,
    binary_bytes,
    line_bytes,
)
from pymoo.tasks.scheduler import Scheduler
from pymoo.values import (
    E_ARGS,
    E_INVARG,
    E_PERM,
    E_TYPE,
    SYSTEM_OBJECT,
    Obj,
    Value,
)

MAX_QUEUED_LINES: Final = 8_192
"""How many lines may wait in the queue of one connection before reading stops.

The C server counts only their bytes, so that empty lines can fill its memory.
"""


class ConnectionTable:
    """All connections of one server."""

    def __init__(
        self,
        engine: Engine,
        scheduler: Scheduler,
        network: Network,
        log: Log,
        *,
        outbound: bool = False,
    ) -> None:
        """``outbound``: whether wizards may connect to other computers."""
        self._engine: Final = engine
        self._options: Final = engine.options
        self._encoding: Final = engine.encoding
        self._journal: Final = engine.world.journal
        self._scheduler: Final = scheduler
        self._network: Final = network
        self._log: Final = log
        self._outbound: Final = outbound
        self.listeners_table: Final = ListenerTable(network, log, self._journal)
        self.emergency: Callable[[Obj, str], None] | None = None
        """Where lines for those who are not connected go in emergency mode."""
        self.commit: Callable[[], None] = _do_nothing
        """Called before a connection is closed, which sends what waits for it."""
        self.witness: Callable[[Obj, str], None] | None = None
        """Told of each line for somebody, connected or not, while it is set."""
        self.admission: Admission | None = None
        """Who counts the lines that are typed before login, if anybody does."""

        # In the order of their arrival; and by who they are.
        self._connections: dict[Connection, None] = {}
        self._by_player: dict[Obj, Connection] = {}
        self._next_number = -2
        # Not logged in and not outbound, by handler; who was active last is last.
        self._logins: dict[Obj, OrderedDict[Connection, None]] = {}
        self._booted: set[Connection] = set()
        self._dirty: list[Connection] = []
        self._flooding: list[Connection] = []
        # What connected_players() gives, until that changes.
        self._logged_in: tuple[Obj, ...] | None = None
        self._everybody: tuple[Obj, ...] | None = None
        self._removals_seen = engine.world.removals
        self.follower: Callable[[Connection], None] | None = None
        """Told of each connection that comes, goes, or becomes somebody else's."""

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def count_ever(self) -> int:
        """How many connections there have been."""
        return -2 - self._next_number

    def __contains__(self, connection: Connection) -> bool:
        return connection in self._connections

    def __iter__(self) -> Iterator[Connection]:
        """All connections, the oldest first."""
        return iter(self._connections)

    def _now(self) -> int:
        return int(self._engine.clock.now())

    def _tell_follower(self, connection: Connection) -> None:
        if self.follower is not None:
            self.follower(connection)

    def _changed(self) -> None:
        """Who is connected has changed."""
        self._logged_in = self._everybody = None

    def tell_database(self, player: Obj, handler: Obj, verb: str) -> None:
        """Run ``handler:verb(player)``, if there is such a verb.

        Source: server.c, call_notifier.
        """
        try:
            self._scheduler.runner.server_task(player, handler, verb, (player,))
        except Exception as error:  # noqa: BLE001  (a bug ends this task alone)
            self._log.bug(f"running {handler}:{verb}({player})", error)

    # --- arrival ----------------------------------------------------------

    def arrive(
        self, listener: Listener, wire: Wire, host: str, group: str | None = None
    ) -> Connection:
        """Take in a connection from ``host`` ("localhost, port 36422").

        ``group`` says whose lines before login it counts among, if they are counted.

        Its input is not read until the database has had the chance to greet it.

        Source: server.c, server_new_connection.
        """
        return self._add(
            wire,
            name=f"{listener.name} from {host}",
            handler=listener.object,
            print_messages=listener.print_messages,
            is_outbound=False,
            is_greeted=True,
            group=group,
        )

    def attach(self, wire: Wire, player: Obj, name: str) -> Connection:
        """Take in a connection that is ``player`` already; no verb is run."""
        connection = self._add(
            wire,
            name=name,
            handler=SYSTEM_OBJECT,
            print_messages=False,
            is_outbound=False,
            is_greeted=False,
            player=player,
        )
        connection.logged_in_at = self._now()
        connection.reader.limit = MAX_LINE
        self._end_login(connection)
        self._changed()
        return connection

    def refuse(self, listener: Listener, wire: Wire, host: str) -> None:
        """Tell a new connection that there is no room for it, and close it.

        Source: server.c, server_refuse_connection.
        """
        self.turn_away(listener, wire, "server_full_msg")
        name = f"{listener.name} from {host}"
        self._log.write(
            f"SERVER FULL: refusing connection on {listener.name} from {name}", True
        )

    def turn_away(self, listener: Listener, wire: Wire, message_name: str) -> None:
        """Tell a new connection why it is not taken, and close it; no verb is run."""
        output = OutputBuffer(wire)
        if listener.print_messages:
            for line in message(self._options, listener.object, message_name):
                output.add(line_bytes(line, self._encoding))
        output.push()
        wire.close()

    def _add(
        self,
        wire: Wire,
        *,
        name: str,
        handler: Obj,
        print_messages: bool,
        is_outbound: bool,
        is_greeted: bool,
        player: Obj | None = None,
        group: str | None = None,
    ) -> Connection:
        if player is None:
            player = Obj(self._next_number)
            self._next_number -= 1
        connection = Connection(
            player=player,
            handler=handler,
            print_messages=print_messages,
            is_outbound=is_outbound,
            name=name,
            wire=wire,
            queue=self._scheduler.connect(player, handler),
            reader=LineReader(self._encoding),
            arrived_at=self._now(),
            group=group,
        )
        self._connections[connection] = None
        self._by_player[player] = connection
        self._changed()
        self._tell_follower(connection)
        if not is_outbound:
            self._logins.setdefault(handler, OrderedDict())[connection] = None
        wire.start(connection)
        if is_greeted:
            connection.is_to_be_greeted = True
            self._scheduler.new_line(connection.queue, "", binary=False)
            # Using that line lets the scheduler resume it.
            connection.queue.input_suspended = True
            connection.hold_input(True)
        kind = "CONNECT" if is_outbound else "ACCEPT"
        self._log.write(f"{kind}: {player} on {name}")
        return connection

    # --- input ------------------------------------------------------------

    def received(self, connection: Connection, data: bytes) -> None:
        """Bytes have come, at most `telnet.CHUNK_SIZE` at a time."""
        if connection not in self._connections:
            return
        reader = connection.reader
        if connection.is_binary:
            lines = [reader.feed_binary(data)]
        else:
            lines = reader.feed(data)
            if reader.lost:
                self._tell_of_overlong_lines(connection)
        if not lines:
            return
        connection.active_at = self._now()
        if not connection.logged_in_at and not connection.is_outbound:
            connection.uncounted_lines += len(lines)
            self._logins[connection.handler].move_to_end(connection)
        queue = connection.queue
        for line in lines:
            self._scheduler.new_line(queue, line, binary=connection.is_binary)
        if queue.line_count > MAX_QUEUED_LINES and not connection.is_flooding:
            connection.hold_flood(True)
            self._flooding.append(connection)

    def may_use_line(self, player: Obj) -> bool:
        # Counted now and not when it came: who logs in with the first of them may have
        # sent hundreds of lines.
        connection = self._by_player.get(player)
        if connection is None:
            return True
        if connection.is_to_be_greeted:
            connection.is_to_be_greeted = False
            return True
        if not connection.uncounted_lines:
            return True  # the database has put it there
        connection.uncounted_lines -= 1
        admission, group = self.admission, connection.group
        if admission is None or group is None:
            return True
        if connection.login_allowance is None:
            connection.login_allowance = admission.allowance()
        farewell = admission.types(group, connection.login_allowance)
        if farewell is None:
            return True
        self.give_up(connection, farewell)
        return False

    def _tell_of_overlong_lines(self, connection: Connection) -> None:
        reader = connection.reader
        for _ in range(reader.lost):
            self._send_line(
                connection,
                f">> A line of more than {reader.limit} bytes has been dropped <<",
            )
        reader.lost = 0

    def relieve_floods(self) -> None:
        """Read again from those whose lines have been used."""
        if not self._flooding:
            return
        still = []
        for connection in self._flooding:
            if connection not in self._connections:
                continue
            if connection.queue.line_count < MAX_QUEUED_LINES // 2:
                connection.hold_flood(False)
            else:
                still.append(connection)
        self._flooding = still

    def suspend_input(self, player: Obj) -> None:
        """Read nothing more from ``player``, who has typed too much."""
        connection = self._by_player.get(player)
        if connection is not None:
            connection.hold_input(True)

    def resume_input(self, player: Obj) -> None:
        """Read again from ``player``."""
        connection = self._by_player.get(player)
        if connection is not None:
            connection.hold_input(False)

    # --- login ------------------------------------------------------------

    def player_connected(self, old: Obj, new: Obj, *, created: bool) -> None:
        """The connection ``old`` has logged in as ``new``, who may be connected.

        Source: server.c, player_connected.
        """
        connection = self._by_player.pop(old)
        existing = self._by_player.get(new)
        self._end_login(connection)
        connection.player = new
        connection.logged_in_at = self._now()
        connection.reader.limit = MAX_LINE
        self._by_player[new] = connection
        self._changed()
        self._tell_follower(connection)
        if existing is not None:
            self._redirect(existing, connection)
            return
        kind = "CREATED" if created else "CONNECTED"
        self._log.write(f"{kind}: {self._engine.name_of(new)} on {connection.name}")
        self._send_message(connection, "create_msg" if created else "connect_msg")
        verb = "user_created" if created else "user_connected"
        self.tell_database(new, connection.handler, verb)

    def _redirect(self, existing: Connection, connection: Connection) -> None:
        player, handler = connection.player, connection.handler
        self._log.write(
            f"REDIRECTED: {self._engine.name_of(player)}, was {existing.name}, "
            f"now {connection.name}"
        )
        self._send_message(existing, "redirect_from_msg")
        self._send_message(connection, "redirect_to_msg")
        self._close(existing)
        if existing.handler == handler:
            self.tell_database(player, handler, "user_reconnected")
            return
        # To this verb a player looks disconnected, as when a client has closed.
        connection.is_booted = True
        self._changed()
        self.tell_database(player, existing.handler, "user_client_disconnected")
        # As in the C server, that undoes a boot_player() in the verb as well.
        connection.is_booted = False
        self._booted.discard(connection)
        self._changed()
        self.tell_database(player, handler, "user_connected")

    def _end_login(self, connection: Connection) -> None:
        """``connection`` does not wait for a login any more."""
        waiting = self._logins.get(connection.handler)
        if waiting is not None:
            waiting.pop(connection, None)
            if not waiting:
                del self._logins[connection.handler]

    # --- output -----------------------------------------------------------

    def notify(self, player: Obj, text: str, *, no_flush: bool = False) -> bool:
        """Send what notify() sends: a line, or the bytes of a binary string.

        Returns False if ``no_flush`` and it does not fit.  Raises: E_INVARG for
        bad binary notation on a binary connection.

        Source: server.c, bf_notify.
        """
        connection = self._by_player.get(player)
        if connection is None or connection.is_booted:
            if self.emergency is not None:
                self._journal.hold(self.emergency, player, text)
            if self.witness is not None:
                self.witness(player, text)
            return True
        if connection.is_binary:
            data = binary_bytes(text, self._encoding)
        else:
            data = line_bytes(text, self._encoding)
        if self.witness is not None:
            self.witness(player, text)
        return self._send(connection, data, may_drop=not no_flush)

    def is_binary(self, player: Obj) -> bool:
        """Whether ``player`` is connected in binary mode."""
        connection = self._by_player.get(player)
        return connection is not None and connection.is_binary

    def send_line(self, player: Obj, text: str) -> None:
        """Send a line of the server's own, which is one in binary mode as well.

        Source: server.c, notify.
        """
        if self.witness is not None:
            self.witness(player, text)
        connection = self._by_player.get(player)
        if connection is not None and not connection.is_booted:
            self._send_line(connection, text)
        elif self.emergency is not None:
            self._journal.hold(self.emergency, player, text)

    def _send_message(self, connection: Connection, name: str) -> None:
        if connection.print_messages:
            for line in message(self._options, connection.handler, name):
                self._send_line(connection, line)

    def _send_line(self, connection: Connection, text: str) -> None:
        self._send(connection, line_bytes(text, self._encoding))

    def _send(
        self, connection: Connection, data: bytes, *, may_drop: bool = True
    ) -> bool:
        if not connection.is_dirty:
            connection.is_dirty = True
            self._dirty.append(connection)
        output, journal = connection.output, self._journal
        if connection.slice_number != journal.number:
            connection.slice_number = journal.number
            journal.note_output((output.withdraw, output.added))
        return output.add(data, may_drop=may_drop, may_push=not journal.is_atomic)

    def flush(self) -> None:
        """Send what waits, as far as the wires take it: once per turn."""
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            if connection in self._connections:
                self.writable(connection)

    def writable(self, connection: Connection) -> None:
        """Send what waits; what does not go out now goes out when it can."""
        connection.output.push()
        if connection.output.is_empty:
            connection.is_dirty = False
        else:
            connection.wire.tell_when_writable()

    # --- ends -------------------------------------------------------------

    def boot(self, player: Obj) -> None:
        """Close the connection of ``player``, if any, at the end of this turn.

        Source: server.c, boot_player.
        """
        connection = self._by_player.get(player)
        if connection is not None and not connection.is_booted:
            self._journal.note((self._undo_boot, connection))
            connection.is_booted = True
            self._booted.add(connection)
            self._changed()

    def give_up(self, connection: Connection, farewell: str) -> None:
        """Close a connection at the end of this turn, and use none of its input.

        Not to be called in a slice.  ``farewell`` names the message that it is sent.
        """
        if connection.is_booted or connection not in self._connections:
            return
        connection.farewell = farewell
        connection.is_booted = True
        self._booted.add(connection)
        self._changed()
        self._scheduler.flush_input(connection.queue.player, False)
        connection.hold_input(True)

    def _undo_boot(self, connection: Connection) -> None:
        connection.is_booted = False
        self._booted.discard(connection)
        self._changed()

    def client_closed(self, connection: Connection) -> None:
        """The other side has closed the connection, or it broke.

        Source: server.c, server_close.
        """
        if connection not in self._connections:
            return
        player = connection.player
        self._log.write(
            f"CLIENT DISCONNECTED: {self._engine.name_of(player)} on {connection.name}"
        )
        connection.is_booted = True
        self._changed()
        self.tell_database(player, connection.handler, "user_client_disconnected")
        self._close(connection)

    @property
    def must_close(self) -> bool:
        """Whether `close_due` has something to do, time-outs apart."""
        return bool(self._booted) or self._removals_seen != self._engine.world.removals

    def close_due(self) -> None:
        """Close connections that were booted, timed out, or lost their player.

        Source: server.c, main_loop.
        """
        if not self.must_close and not self._has_timed_out():
            return
        world = self._engine.world
        self._removals_seen = world.removals
        for connection in [*reversed(self._connections)]:
            player, name = connection.player, connection.name
            if self._is_overdue(connection):
                self.tell_database(player, connection.handler, "user_disconnected")
                self._log.write(f"TIMEOUT: {player} on {name}")
                self._send_message(connection, "timeout_msg")
            elif connection.logged_in_at and not world.valid(player):
                self._log.write(f"RECYCLED: {player} on {name}")
                self._send_message(connection, "recycle_msg")
            elif connection.is_booted:
                self.tell_database(player, connection.handler, "user_disconnected")
                shown = self._engine.name_of(player)
                self._log.write(f"DISCONNECTED: {shown} on {name}")
                self._send_message(connection, connection.farewell)
            else:
                continue
            self._close(connection)

    def _connect_timeout(self, handler: Obj) -> int | None:
        """Return after how many seconds a login is given up; None: never."""
        value = self._options.get("connect_timeout", handler)
        if value is None:
            return DEFAULT_CONNECT_TIMEOUT
        return value if type(value) is int and value > 0 else None

    def _is_overdue(self, connection: Connection) -> bool:
        if connection.logged_in_at or connection.is_outbound:
            return False
        timeout = self._connect_timeout(connection.handler)
        return timeout is not None and self._now() - connection.active_at > timeout

    def _has_timed_out(self) -> bool:
        return any(
            self._is_overdue(next(iter(waiting))) for waiting in self._logins.values()
        )

    def seconds_until_timeout(self) -> float | None:
        """Return how long no login will be given up; None: for ever."""
        first: float | None = None
        for handler, waiting in self._logins.items():
            timeout = self._connect_timeout(handler)
            if timeout is not None:
                # More than that many whole seconds must have passed.
                due = next(iter(waiting)).active_at + timeout + 1
                first = due if first is None else min(first, due)
        return None if first is None else max(0.0, first - self._engine.clock.now())

    def _close(self, connection: Connection) -> None:
        """Send what can be sent, and let go of a connection."""
        self._end_login(connection)
        self._booted.discard(connection)
        del self._connections[connection]
        if self._by_player.get(connection.player) is connection:
            del self._by_player[connection.player]
        self._changed()
        self._tell_follower(connection)
        self._scheduler.disconnect(connection.queue)
        # That it is gone is on the disk with what the database has been told of it.
        self.commit()
        connection.output.push()
        connection.wire.close()

    def shut_down(self, reason: str) -> None:
        """Tell everybody why the server stops, and close all; no verb is called.

        Source: server.c, send_shutdown_message; net_multi.c, network_shutdown.
        """
        line = line_bytes(f"*** Shutting down: {reason} ***", self._encoding)
        for connection in reversed(self._connections):
            connection.output.add(line)
        for connection in [*reversed(self._connections)]:
            self._close(connection)
        self.listeners_table.close_all()

    # --- questions --------------------------------------------------------

    def connected_players(self, *, everybody: bool) -> tuple[Obj, ...]:
        """Return those logged in, or all; the newest connection first.

        Source: server.c, bf_connected_players.
        """
        players = self._everybody if everybody else self._logged_in
        if players is None:
            players = tuple(
                connection.player
                for connection in reversed(self._connections)
                if (everybody or connection.logged_in_at) and not connection.is_booted
            )
            if everybody:
                self._everybody = players
            else:
                self._logged_in = players
        return players

    def active_connections(self) -> list[tuple[Obj, Obj]]:
        """Return who is connected to which handler, in the order of a dump."""
        return [
            (connection.player, connection.handler)
            for connection in reversed(self._connections)
        ]

    def _find(self, player: Obj) -> Connection:
        connection = self._by_player.get(player)
        if connection is None or connection.is_booted:
            raise MooError(E_INVARG)
        return connection

    def connected_seconds(self, player: Obj) -> int:
        """Raises: E_INVARG if ``player`` is not logged in."""
        connection = self._find(player)
        if not connection.logged_in_at:
            raise MooError(E_INVARG)
        return self._seconds_since(connection.logged_in_at)

    def idle_seconds(self, player: Obj) -> int:
        """Raises: E_INVARG if ``player`` is not connected."""
        # As `_find`, but sooner: the cores ask this of everybody at each login.
        connection = self._by_player.get(player)
        if connection is None or connection.is_booted:
            raise MooError(E_INVARG)
        return self._seconds_since(connection.active_at)

    def _seconds_since(self, moment: int) -> int:
        seconds = int(self._engine.clock.now()) - moment
        if seconds < 0:  # the clock was put back; the C server says so as well
            raise MooError(E_INVARG)
        return seconds

    def connection_name(self, player: Obj) -> str:
        """Raises: E_INVARG if ``player`` is not connected."""
        return self._find(player).name

    def buffered_output_length(self, player: Obj | None) -> int:
        """Return how many bytes wait, or may wait.  Raises: E_INVARG.

        Source: server.c, bf_buffered_output_length.
        """
        if player is None:
            return MAX_QUEUED_OUTPUT
        connection = self._by_player.get(player)
        if connection is None:
            raise MooError(E_INVARG)
        return connection.output.length

    @property
    def name_lookup_timeout(self) -> int:
        """For how many seconds the name of a new connection's host is awaited."""
        return self._options.integer("name_lookup_timeout", DEFAULT_NAME_LOOKUP_TIMEOUT)

    # --- connection options -----------------------------------------------

    def set_option(self, player: Obj, name: str, value: Value) -> None:
        """Set an option, whose ``name`` is folded.

        Raises: E_INVARG if not connected, or for a bad name or value.
        Source: server.c, bf_set_connection_option.
        """
        connection = self._find(player)
        note = self._journal.note
        if name == "binary":
            note((setattr, connection, "is_binary", connection.is_binary))
            connection.is_binary = bool(value)
        elif name == "client-echo":
            note((self._set_client_echo, connection, connection.client_echo))
            self._set_client_echo(connection, bool(value))
        else:
            self._scheduler.set_option(connection.queue, name, value)

    def _set_client_echo(self, connection: Connection, echoes: bool) -> None:
        """Tell a client who echoes; also to undo that, unless it is withdrawn."""
        connection.client_echo = echoes
        self._send(connection, CLIENT_ECHOES if echoes else CLIENT_IS_SILENT)

    def options(self, player: Obj) -> list[tuple[str, Value]]:
        """Return all options with their values.  Raises: E_INVARG."""
        connection = self._find(player)
        return [
            ("binary", int(connection.is_binary)),
            *connection.queue.options(),
            ("client-echo", int(connection.client_echo)),
        ]

    # --- listening points, connections to other computers -----------------

    def listen(self, object_: Obj, port: Value, print_messages: bool) -> Value:
        return self.listeners_table.listen(object_, port, print_messages)

    def unlisten(self, port: Value) -> None:
        self.listeners_table.unlisten(port)

    def listeners(self) -> list[Value]:
        return self.listeners_table.rows()

    def open_outbound(self, vm: VM, arguments: tuple[Value, ...]) -> Obj:
        """Connect to another computer: host, port [, object of a listening point].

        The world stands still meanwhile, as in the C server: for the time of the
        options ``name_lookup_timeout`` and ``outbound_connect_timeout`` at most.

        Returns: the number of the new connection.
        Raises: E_PERM unless the server was told to allow it, and in atomic tasks, as
            the other side cannot be made to forget it; E_ARGS, E_TYPE;
            E_INVARG if there is no such host or nobody answers; E_QUOTA.
        Source: server.c, bf_open_network_connection; net_bsd_tcp.c,
            proto_open_connection.
        """
        if not self._outbound or self._journal.is_atomic:
            raise MooError(E_PERM)
        handler: Obj | None = None
        if len(arguments) == 3:
            *arguments_left, third = arguments
            if type(third) is not Obj:
                raise MooError(E_TYPE)
            handler = third
            arguments = tuple(arguments_left)
        if len(arguments) != 2:
            raise MooError(E_ARGS)
        host, port = arguments
        if type(host) is not str or type(port) is not int:
            raise MooError(E_TYPE)
        wire, local_port = self._network.open_outbound(
            host,
            port,
            lookup_s=self.name_lookup_timeout,
            connect_s=self._options.integer(
                "outbound_connect_timeout", DEFAULT_OUTBOUND_CONNECT_TIMEOUT
            ),
        )
        listener = (
            None if handler is None else self.listeners_table.find_object(handler)
        )
        connection = self._add(
            wire,
            name=f"port {local_port} to {host}, port {port}",
            handler=SYSTEM_OBJECT if handler is None else handler,
            print_messages=listener is not None and listener.print_messages,
            is_outbound=True,
            is_greeted=handler is not None,
        )
        self._journal.note((self._close, connection))
        return connection.player


def _do_nothing() -> None:
    """There is no journal on the disk."""
