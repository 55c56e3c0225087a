"""Listening points: the ports on which connections are taken, and for which object.

Source: server.c, bf_listen, bf_unlisten, bf_listeners.
"""

from __future__ import annotations

import errno
from typing import Final

from attrs import define

from pymoo.db.journal import Journal
from pymoo.errors import MooError
from pymoo.server.log import Log
from pymoo.server.network import ListeningPoint, Network, NetworkError
from pymoo.values import E_INVARG, E_PERM, E_QUOTA, E_TYPE, Obj, Value
from pymoo.values_equality import equal


@define(eq=False)
class Listener:
    """A listening point as listeners() shows it."""

    object: Obj
    port: Value  # as it was asked for; the real one for 0
    print_messages: bool
    point: ListeningPoint

    @property
    def name(self) -> str:
        return f"port {self.port}"


class ListenerTable:
    """All listening points of one server."""

    def __init__(self, network: Network, log: Log, journal: Journal) -> None:
        self._journal: Final = journal
        self._network: Final = network
        self._log: Final = log
        self._listeners: list[Listener] = []  # the newest first
        # By port, what the slice under way has given up: closed at its end, unless
        # listen() wants it again before.
        self._given_up: Final[dict[int, ListeningPoint]] = {}

    def adopt(
        self, point: ListeningPoint, object_: Obj, port: int, print_messages: bool
    ) -> Listener:
        """Take over a port that was bound, without accepting connections yet."""
        listener = Listener(
            object_, point.port if port == 0 else port, print_messages, point
        )
        self._listeners.insert(0, listener)
        return listener

    def start(self, listener: Listener) -> None:
        """Accept connections on a port that was taken.

        Nothing happens if unlisten() has given it up since.

        Raises: NetworkError if the system refuses; the port is free again then.
        """
        if listener not in self._listeners:
            return
        try:
            listener.point.start(listener)
        except NetworkError:
            self._listeners.remove(listener)
            listener.point.close()
            raise
        self._log.write(f"LISTEN: {listener.object} now listening on {listener.name}")

    def _find(self, port: Value) -> Listener | None:
        for listener in self._listeners:
            if equal(port, listener.port):
                return listener
        return None

    def find_object(self, object_: Obj) -> Listener | None:
        """Return the newest listening point of an object."""
        for listener in self._listeners:
            if listener.object == object_:
                return listener
        return None

    def listen(self, object_: Obj, port: Value, print_messages: bool) -> Value:
        """Accept connections on ``port`` and return it, the real one for 0.

        Raises: E_INVARG if that is done already; E_TYPE; E_PERM if the system
            forbids the port, E_QUOTA if it refuses for another reason.
        """
        if self._find(port) is not None:
            raise MooError(E_INVARG)
        if type(port) is not int:
            raise MooError(E_TYPE)
        point = self._given_up.pop(port, None)
        undo = self._undo_listen if point is None else self._undo_listen_again
        try:
            if point is None:
                point = self._network.bind(port)
            listener = self.adopt(point, object_, port, print_messages)
            self.start(listener)
        except NetworkError as error:
            self._log.os_error(error.doing, error.error)
            forbidden = error.error.errno == errno.EACCES
            raise MooError(E_PERM if forbidden else E_QUOTA) from error
        self._journal.note((undo, listener))
        return listener.port

    def _undo_listen(self, listener: Listener) -> None:
        self._listeners.remove(listener)
        listener.point.close()

    def _undo_listen_again(self, listener: Listener) -> None:
        self._listeners.remove(listener)
        self._given_up[listener.point.port] = listener.point

    def unlisten(self, port: Value) -> None:
        """Accept no more connections on ``port``; those that are open stay.

        Raises: E_INVARG.
        """
        listener = self._find(port)
        if listener is None:
            raise MooError(E_INVARG)
        place = self._listeners.index(listener)
        self._journal.note((self._undo_unlisten, place, listener))
        # Closed at the end of the slice, as others could take the port before it is
        # undone.
        self._given_up[listener.point.port] = listener.point
        self._journal.hold(self._close_given_up)
        self._log.write(
            f"UNLISTEN: {listener.object} no longer listening on {listener.name}"
        )
        del self._listeners[place]

    def _undo_unlisten(self, place: int, listener: Listener) -> None:
        self._listeners.insert(place, listener)
        point = self._given_up.pop(listener.point.port)
        point.start(listener)  # another one may have been in its place since

    def _close_given_up(self) -> None:
        while self._given_up:
            self._given_up.popitem()[1].close()

    def rows(self) -> list[Value]:
        """Return ``{object, port, print-messages}`` of each, the newest first."""
        return [
            (listener.object, listener.port, int(listener.print_messages))
            for listener in self._listeners
        ]

    def close_all(self) -> None:
        for listener in self._listeners:
            listener.point.close()
        self._listeners.clear()
