"""Who is connected: players who play, and others who do what nobody should.

Each is a coroutine that goes on until `Show.is_over`.  Players type a line, wait for
all of its answer, look whether it is the right one, and think.  The others may be
closed at any time, and come again.  They have addresses of their own, as limits for
an address are meant to keep them from harming the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

from attrs import Factory, define

from pymoo.bench.commands import Kind, Repertoire, Role, Step

PREFIX: Final = b"-=-answer-=-"
SUFFIX: Final = b"-=-end of answer-=-"

PATIENCE_S: Final = 60.0
"""How long any answer may take; after that it counts as none."""


@define
class Show:
    """What all of them share, and what has happened so far."""

    port: int
    # Seconds that a player thinks between two lines, on average.
    think_s: float
    is_over: bool = False
    # Whether latencies count by now.
    is_warm: bool = False
    latencies: list[float] = Factory(list)
    mistakes: list[str] = Factory(list)
    counts: Counter[str] = Factory(Counter)


class Line:
    """One connection, with bytes to be read."""

    def __init__(
        self, show: Show, address: str = "127.0.0.1", *, buffer: int | None = None
    ) -> None:
        """``buffer``: how many received bytes the system may keep."""
        self._show = show
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.bind((address, 0))
        if buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._received = b""

    async def open(self) -> Line:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE_S):
            await loop.sock_connect(self.socket, ("127.0.0.1", self._show.port))
        self._show.counts["connections"] += 1
        return self

    async def send(self, data: bytes) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.get_running_loop().sock_sendall(self.socket, data)
        self._show.counts["bytes sent"] += len(data)

    async def receive(self, seconds: float = PATIENCE_S) -> bytes:
        """Return what comes next.  Raises: ConnectionError at the end."""
        async with asyncio.timeout(seconds):
            data = await asyncio.get_running_loop().sock_recv(self.socket, 262_144)
        if not data:
            raise ConnectionResetError("closed by the server")
        self._show.counts["bytes received"] += len(data)
        return data

    async def read_until(self, end: bytes) -> bytes:
        """Return what comes, up to ``end``, which is dropped."""
        while end not in self._received:
            self._received += await self.receive()
        found, _, self._received = self._received.partition(end)
        return found

    async def drain(self, seconds: float) -> None:
        """Read and drop what comes for some time."""
        self._received = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    await self.receive(seconds)

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Break off: the server gets a RST."""
        linger = struct.pack("ii", 1, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.socket.close()


# --- those who play -------------------------------------------------------------------


async def player(
    show: Show, repertoire: Repertoire, role: Role, random: Random
) -> None:
    """Play until it is over; a lost connection or a wrong answer is a mistake."""
    kinds = [
        kind
        for name, kind in repertoire.kinds.items()
        # Whom one pages may have been thrown out just now.
        if name != "page"
    ]
    weights = [kind.weight for kind in kinds]
    line = Line(show)
    try:
        await line.open()
        await _log_in(line, role)
        # Not all at the same moment.
        await asyncio.sleep(random.random() * show.think_s)
        while not show.is_over:
            kind: Kind = random.choices(kinds, weights)[0]
            for step in kind.steps(role, random):
                await _type(show, line, role, step)
            await _listen(line, min(random.expovariate(1 / show.think_s), 60.0))
    except (OSError, TimeoutError) as error:
        if not show.is_over:
            show.mistakes.append(f"{role.name}: {type(error).__name__} {error}")
    finally:
        line.close()


async def _log_in(line: Line, role: Role) -> None:
    await line.send(
        b"connect %b\r\nPREFIX %b\r\nSUFFIX %b\r\n;1\r\n"
        % (role.name.encode(), PREFIX, SUFFIX)
    )
    await line.read_until(SUFFIX + b"\r\n")


async def _type(show: Show, line: Line, role: Role, step: Step) -> None:
    began = time.monotonic()
    await line.send(step.line.encode("latin-1") + b"\r\n")
    before = await line.read_until(SUFFIX + b"\r\n")
    if show.is_warm:
        show.latencies.append(time.monotonic() - began)
    show.counts["commands"] += 1
    # What others said has come before and after, and is not the answer.
    answer = before.rpartition(PREFIX + b"\r\n")[2].decode("latin-1")
    if not any(each in answer for each in step.answers):
        show.mistakes.append(f"{role.name} typed {step.line!r} and read {answer!r}")


async def _listen(line: Line, seconds: float) -> None:
    """Think, while what others do is read."""
    await line.drain(seconds)


# --- those who do harm ----------------------------------------------------------------

Mischief = Callable[[Show, Role, Random], Awaitable[None]]


def _address(role: Role) -> str:
    """Return where somebody hostile connects from: one of this machine's addresses."""
    number = zlib.crc32(role.name.encode())
    return f"127.1.{number >> 8 & 0xFF}.{number & 0xFF}"


async def garbage(show: Show, role: Role, random: Random) -> None:
    """Bytes of all kinds, at once after connecting."""
    line = await Line(show, _address(role)).open()
    try:
        for _ in range(random.randint(5, 60)):
            await line.send(random.randbytes(random.randint(1, 4_000)))
            await line.drain(random.random() / 2)
    finally:
        line.close()


async def telnet_flood(show: Show, role: Role, random: Random) -> None:
    """Negotiations and line ends without end."""
    parts = [
        b"\xff\xfd\x01",
        b"\xff\xfb\x18",
        b"\xff\xfa\x18\x00\xff\xf0",
        b"\r\n",
        b"\x08",
    ]
    line = await Line(show, _address(role)).open()
    try:
        for _ in range(random.randint(20, 200)):
            await line.send(b"".join(random.choices(parts, k=4_000)))
            await line.drain(0.1)
    finally:
        line.close()


async def slow_reader(show: Show, role: Role, random: Random) -> None:
    """A player who asks for much, and reads none of it."""
    line = await Line(show, _address(role), buffer=4096).open()
    try:
        await line.send(b"connect " + role.name.encode() + b"\r\n")
        for _ in range(random.randint(10, 60)):
            await line.send(
                b'look\r\n;;for i in [1..400] notify(me, "%b"); endfor\r\n'
                % (b"x" * 80)
            )
            await asyncio.sleep(0.5)
    finally:
        line.reset() if random.random() < 0.5 else line.close()


async def half_open(show: Show, role: Role, random: Random) -> None:
    """Nothing, half a line, or half a connection, for a long time."""
    line = await Line(show, _address(role)).open()
    try:
        await line.send(random.choice([b"", b"conn", b"connect x y\r", b"\xff\xfa"]))
        if random.random() < 0.5:
            line.socket.shutdown(socket.SHUT_WR)
        await asyncio.sleep(random.uniform(1, 40))
    finally:
        line.reset() if random.random() < 0.5 else line.close()


async def huge_lines(show: Show, role: Role, random: Random) -> None:
    """Lines of megabytes, before and after login."""
    line = await Line(show, _address(role)).open()
    try:
        if random.random() < 0.5:
            await line.send(b"connect " + role.name.encode() + b"\r\n")
        for _ in range(random.randint(1, 5)):
            for _ in range(random.randint(1, 40)):
                await line.send(b"x" * 65_536)
                await line.drain(0.05)
            await line.send(b"\r\n")
    finally:
        line.close()


async def storm(show: Show, role: Role, random: Random) -> None:
    """Connections that break off at once."""
    for _ in range(random.randint(20, 100)):
        line = await Line(show, _address(role)).open()
        if random.random() < 0.5:
            await line.send(b"connect " + role.name.encode() + b"\r\nlook\r\nhal")
        line.reset() if random.random() < 0.5 else line.close()
        await asyncio.sleep(0.05)


async def command_flood(show: Show, role: Role, random: Random) -> None:
    """A player who types far ahead, runaway tasks among it."""
    line = await Line(show, _address(role)).open()
    try:
        await line.send(b"connect " + role.name.encode() + b"\r\n")
        for _ in range(random.randint(5, 20)):
            await line.send(
                b";1\r\n" * 200
                + b";;while (1) endwhile\r\n"
                + b";;fork (0) x = 1; endfork\r\n" * 20
                + b";;x = {}; while (1) x = {@x, x}; endwhile\r\n"
                + b".flush\r\nPREFIX x\r\n;"
                + b"(" * 2_000
                + b"\r\n"
            )
            await line.drain(2)
    finally:
        line.close()


MISCHIEF: Final[tuple[Mischief, ...]] = (
    garbage,
    telnet_flood,
    slow_reader,
    half_open,
    huge_lines,
    storm,
    command_flood,
)


async def hostile(show: Show, mischief: Mischief, role: Role, random: Random) -> None:
    """Do the same thing again and again, whatever the server says to it."""
    while not show.is_over:
        try:
            await mischief(show, role, random)
        except (OSError, TimeoutError):
            show.counts["hostile connections lost"] += 1
        show.counts[mischief.__name__] += 1
        await asyncio.sleep(random.random())
