"""Who has come, gone or become somebody else since one last asked, for the journal.

Each connection gets a number when it is first written, by which later records mean it.
What that costs depends on the changes, not on how many are connected.
"""

from __future__ import annotations

from typing import Final

from pymoo.server.connection import Connection
from pymoo.server.connections import ConnectionTable
from pymoo.values import Obj

NumberedConnection = tuple[int, Obj, Obj]
"""The number, who it is, and the listening object."""


class ConnectionRecorder:
    """Follows the connections of one table."""

    def __init__(self, table: ConnectionTable) -> None:
        self._table: Final = table
        self._numbers: Final[dict[Connection, int]] = {}
        self._last_number = 0
        self._changed: Final[dict[Connection, None]] = {}
        table.follower = self._note

    def stop(self) -> None:
        """Follow them no more."""
        self._table.follower = None

    def _note(self, connection: Connection) -> None:
        self._changed[connection] = None

    def all(self) -> tuple[NumberedConnection, ...]:
        """Return all there are, in the order of a dump; what has changed is in it."""
        self._changed.clear()
        self._numbers.clear()
        return tuple(self._entry(each) for each in reversed([*self._table]))

    def changes(self) -> list[tuple[object, ...]]:
        """Return entries of what has changed since the last call, in that order.

        ``("connection", number, player, listener)`` for one that is there,
        ``("disconnection", number)`` for one that is there no more.
        """
        entries: list[tuple[object, ...]] = []
        for connection in self._changed:
            if connection in self._table:
                entries.append(("connection", *self._entry(connection)))
            else:
                number = self._numbers.pop(connection, None)
                if number is not None:
                    entries.append(("disconnection", number))
        self._changed.clear()
        return entries

    def _entry(self, connection: Connection) -> NumberedConnection:
        number = self._numbers.get(connection)
        if number is None:
            number = self._last_number = self._last_number + 1
            self._numbers[connection] = number
        return number, connection.player, connection.handler
