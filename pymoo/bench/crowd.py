"""Players at a server: they type, wait for the answer, look at it, and type again."""

from __future__ import annotations

import selectors
import socket
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from pymoo.bench.cases import BenchError
from pymoo.bench.commands import Role, Step
from pymoo.bench.served import PATIENCE_S, Served

# The server puts these lines around the answer to each command (a built-in command
# of every MOO server sets them).
_PREFIX: Final = b"-=-answer-=-"
_SUFFIX: Final = b"-=-end of answer-=-"


class _Player:
    """One connection, with what is still to be typed there."""

    def __init__(self, role: Role, connection: socket.socket) -> None:
        self.role: Final = role
        self.connection: Final = connection
        self.script: deque[Step] = deque()
        self._received = b""

    def log_in(self) -> None:
        """Become the player.  Raises: BenchError if that is refused; OSError."""
        self._send(b"connect " + self.role.name.encode())
        self._send(b"PREFIX " + _PREFIX)
        self._send(b"SUFFIX " + _SUFFIX)
        # A line that nothing is done about ends the answers to those before.
        self._send(b";1")
        while _SUFFIX not in self._received:
            data = self.connection.recv(65_536)
            if not data:
                text = self._received.decode("latin-1")
                raise BenchError(f"{self.role.name} cannot log in: {text}")
            self._received += data
        self._received = b""

    def _send(self, line: bytes) -> None:
        self.connection.sendall(line + b"\r\n")

    def type_next(self) -> bool:
        """Type the next line; returns whether there was one."""
        if not self.script:
            return False
        self._send(self.script[0].line.encode("latin-1"))
        return True

    def receive(self) -> bool:
        """Take what has come; returns whether the answer is complete.

        Raises: BenchError if it is not what it should be.
        """
        data = self.connection.recv(262_144)
        if not data:
            raise BenchError(f"{self.role.name} was disconnected")
        if not self.script:  # what others do, seen by one who has nothing to type
            return False
        self._received += data
        before, found, after = self._received.partition(_SUFFIX + b"\r\n")
        if not found:
            return False
        self._received = after
        # What others said has come before and after, and is not the answer.
        answer = before.rpartition(_PREFIX + b"\r\n")[2].decode("latin-1")
        step = self.script.popleft()
        if not any(each in answer for each in step.answers):
            raise BenchError(
                f"{self.role.name} typed {step.line!r} and was not told "
                f"{' or '.join(map(repr, step.answers))}, but:\n{answer}"
            )
        return True


class Crowd:
    """All the players at one server."""

    def __init__(self, players: Sequence[_Player]) -> None:
        self._players: Final = players

    @property
    def roles(self) -> list[Role]:
        """Who they are."""
        return [player.role for player in self._players]

    def play(self, scripts: Iterable[Sequence[Step]]) -> int:
        """Have the players type these, one script each in turn; return how many lines.

        A player types the next line when the last one has been answered.

        Raises: BenchError if an answer is wrong, or does not come.
        """
        try:
            return self._play(scripts)
        except OSError as error:
            raise BenchError(f"the connection to a player is lost: {error}") from error

    def _play(self, scripts: Iterable[Sequence[Step]]) -> int:
        lines = 0
        for number, script in enumerate(scripts):
            self._players[number % len(self._players)].script.extend(script)
            lines += len(script)
        with selectors.DefaultSelector() as selector:
            for player in self._players:
                selector.register(player.connection, selectors.EVENT_READ, player)
            waiting = sum(player.type_next() for player in self._players)
            while waiting:
                ready = selector.select(PATIENCE_S)
                if not ready:
                    raise BenchError(f"{waiting} commands are not answered")
                for key, _ in ready:
                    player = key.data
                    if player.receive() and not player.type_next():
                        waiting -= 1
        return lines


@contextmanager
def crowd(served: Served, roles: Sequence[Role]) -> Iterator[Crowd]:
    """Log in all players while the context lasts.  Raises: BenchError."""
    players: list[_Player] = []
    try:
        for role in roles:
            players.append(_Player(role, served.connect()))
            try:
                players[-1].log_in()
            except OSError as error:
                raise BenchError(f"{role.name} cannot log in: {error}") from error
        yield Crowd(players)
    finally:
        for player in players:
            player.connection.close()
