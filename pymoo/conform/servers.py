"""How a server is reached: started by a command, or listening somewhere.

A `Launcher` starts servers, a `RunningServer` accepts connections, a `Link` is one
connection, as bytes.  The same protocols are met without sockets by `inprocess`,
where time is not the machine's; so whoever waits asks ``RunningServer.now()``.
"""

from __future__ import annotations

import contextlib
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from attrs import define, field

from pymoo.errors import PymooError

START_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 10.0
_CHUNK: Final = 1 << 18
_RETRY_S: Final = 0.01


class ServerUnusableError(PymooError):
    """The server cannot be started or reached; the text says what to look at."""


class LinkClosedError(Exception):
    """The other side has closed the connection."""


class Link(Protocol):
    """One connection to a server."""

    def send(self, data: bytes) -> None:
        """Hand over bytes; they are on their way at the next `receive`."""

    def receive(self, wait_s: float) -> bytes:
        """Return what has arrived; wait for the first of it, at most ``wait_s``.

        Raises: LinkClosedError when all has been read and no more will come.
        """

    def close(self) -> None:
        """Hang up."""


class RunningServer(Protocol):
    """A server with a database loaded."""

    @property
    def port(self) -> int:
        """Its first listening port; 0 if there are no ports."""

    @property
    def folder(self) -> Path | None:
        """Where its files are, if they can be looked at."""

    def connect(self, port: int | None = None) -> Link:
        """Open a connection."""

    def now(self) -> float:
        """The server's time in seconds, for measuring waits."""

    def sleep(self, seconds: float) -> None:
        """Let time pass on the server."""

    def log(self) -> str:
        """What it has logged so far; "" if that cannot be read."""

    def restart(self, down_s: float = 0.0) -> None:
        """Shut it down in an orderly way; start it again on what it saved."""

    def wait_for_exit(self, timeout_s: float) -> int | None:
        """Return its exit status, or None if it is still running after that."""

    def stop(self) -> None:
        """End it; what it had in memory is lost."""


class Launcher(Protocol):
    """Starts servers."""

    @property
    def name(self) -> str:
        """How reports call it."""

    @property
    def at_once(self) -> int:
        """How many servers at the same time are of use."""

    @property
    def can_restart(self) -> bool:
        """Whether a server that died can be had again."""

    def start(self, database: bytes) -> RunningServer:
        """Return a server that has loaded ``database`` and accepts connections.

        Raises: ServerUnusableError.
        """


class SocketLink:
    """A TCP connection."""

    def __init__(self, host: str, port: int) -> None:
        self._socket: Final = socket.create_connection((host, port), timeout=5)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self._unsent = bytearray()

    def send(self, data: bytes) -> None:
        # Not at once: lines that are sent one after the other arrive together, and a
        # server sees them in one order always.
        self._unsent += data

    def _push(self) -> None:
        if not self._unsent:
            return
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError as error:
            raise LinkClosedError(str(error)) from error
        del self._unsent[:sent]

    def receive(self, wait_s: float) -> bytes:
        deadline = time.monotonic() + wait_s
        while True:
            left = max(0.0, deadline - time.monotonic())
            writing = [self._socket] if self._unsent else []
            readable, writable, _ = select.select([self._socket], writing, [], left)
            if writable:
                self._push()
            if readable:
                return self._read()
            if not writable:
                return b""

    def _read(self) -> bytes:
        try:
            data = self._socket.recv(_CHUNK)
        except OSError as error:
            raise LinkClosedError(str(error)) from error
        if not data:
            raise LinkClosedError("closed by the server")
        # A server that sends its lines one by one waits for this between them,
        # 40 ms each time, unless it has turned Nagle's algorithm off.
        if hasattr(socket, "TCP_QUICKACK"):
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return data

    def close(self) -> None:
        with contextlib.suppress(LinkClosedError):
            self._push()
        self._socket.close()


@define
class Ports:
    """Hands out TCP ports that nobody listens on."""

    first: int = 0
    last: int = 0
    _next: int = field(default=0, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    @classmethod
    def parse(cls, text: str) -> Ports:
        """Return the ports of ``7000-7010`` or ``7000``; "" for whatever is free.

        Raises: ServerUnusableError.
        """
        if not text:
            return cls()
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
        if match is None:
            raise ServerUnusableError(f"ports {text!r}: expected such as 7000-7010")
        first = int(match[1])
        return cls(first, int(match[2] or first))

    def take(self) -> int:
        """Return a free port.

        Raises: ServerUnusableError if there is none in the range.
        """
        with self._lock:
            if not self.first:
                return _free_port(0)
            count = self.last - self.first + 1
            for _ in range(count):
                port = self.first + self._next % count
                self._next += 1
                try:
                    return _free_port(port)
                except OSError:
                    continue
        raise ServerUnusableError(
            f"no port from {self.first} to {self.last} is free: give other --ports"
        )


def _free_port(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        number: int = probe.getsockname()[1]
    return number


class SpawnedServer:
    """A server that we have started, in a folder of its own."""

    def __init__(self, command: str, database: bytes, port: int) -> None:
        self._command: Final = command
        self.port: Final = port
        # Resolved: some servers compare paths with what they were given.
        self.folder: Path = Path(tempfile.mkdtemp(prefix="moo-conform-")).resolve()
        self._database = self.folder / "world.db"
        self._database.write_bytes(database)
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        self._starts += 1
        self._out = self.folder / f"world{self._starts}.db.new"
        words = {
            "db": self._database,
            "out": self._out,
            "port": self.port,
            "log": self.folder / "server.log",
        }
        try:
            line = [word.format(**words) for word in shlex.split(self._command)]
        except (KeyError, IndexError, ValueError) as error:
            raise ServerUnusableError(
                f"server command {self._command!r}: {error}: it may contain "
                "{db}, {out}, {port} and {log}"
            ) from error
        with self._messages.open("ab") as messages:
            try:
                self._process = subprocess.Popen(
                    line,
                    stdin=subprocess.PIPE,
                    stdout=messages,
                    stderr=subprocess.STDOUT,
                    cwd=self.folder,
                )
            except OSError as error:
                raise ServerUnusableError(
                    f"server command {line[0]!r}: {error.strerror}"
                ) from error
        self._wait_for_port()

    @property
    def _messages(self) -> Path:
        return self.folder / "messages"

    def _wait_for_port(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if (status := self._process.poll()) is not None:
                raise ServerUnusableError(
                    f"the server ended at once, with status {status}; it said:\n"
                    + self.log()[-2000:]
                )
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            time.sleep(_RETRY_S)
        raise ServerUnusableError(
            f"the server does not listen on port {self.port} after "
            f"{START_TIMEOUT_S:.0f} s; it said:\n{self.log()[-2000:]}"
        )

    def connect(self, port: int | None = None) -> Link:
        try:
            return SocketLink("127.0.0.1", port or self.port)
        except OSError as error:
            raise LinkClosedError(str(error)) from error

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def log(self) -> str:
        texts = [
            path.read_text("latin-1")
            for path in (self.folder / "server.log", self._messages)
            if path.exists()
        ]
        return "".join(texts)

    def write_stdin(self, text: str) -> None:
        """Type something at the server's own terminal."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode("latin-1"))
        self._process.stdin.flush()

    def restart(self, down_s: float = 0.0) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        if self.wait_for_exit(STOP_TIMEOUT_S) is None:
            raise ServerUnusableError(
                f"the server did not end within {STOP_TIMEOUT_S:.0f} s of SIGTERM"
            )
        self._forget_process()
        if not self._out.exists():
            raise ServerUnusableError("the server ended without saving its database")
        self._database = self._out
        time.sleep(down_s)
        self._start()

    def wait_for_exit(self, timeout_s: float) -> int | None:
        assert self._process is not None
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._forget_process()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _forget_process(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process = None


@define
class SpawningLauncher:
    """Starts servers with a command; ``{db} {out} {port} {log}`` are filled in."""

    command: str
    at_once: int
    ports: Ports = field(factory=Ports)
    can_restart: bool = field(default=True, init=False)

    @property
    def name(self) -> str:
        return self.command

    def start(self, database: bytes) -> RunningServer:
        return SpawnedServer(self.command, database, self.ports.take())


@define
class RemoteServer:
    """A server that somebody else has started; its database is as they left it."""

    host: str
    port: int
    folder: Path | None = field(default=None, init=False)

    def connect(self, port: int | None = None) -> Link:
        try:
            return SocketLink(self.host, port or self.port)
        except OSError as error:
            raise LinkClosedError(str(error)) from error

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def log(self) -> str:
        return ""

    def restart(self, down_s: float = 0.0) -> None:
        raise ServerUnusableError(f"{self.host}:{self.port} is not ours to restart")

    def wait_for_exit(self, timeout_s: float) -> int | None:
        raise ServerUnusableError(f"{self.host}:{self.port} is not ours to watch")

    def stop(self) -> None:
        """Nothing: it goes on without us."""


@define
class RemoteLauncher:
    """Reaches a server that is listening already, with the right database loaded."""

    host: str
    port: int
    at_once: int = field(default=1, init=False)
    can_restart: bool = field(default=False, init=False)

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"

    def start(self, database: bytes) -> RunningServer:
        server = RemoteServer(self.host, self.port)
        try:
            server.connect().close()
        except LinkClosedError as error:
            raise ServerUnusableError(
                f"nobody answers at {self.name}: {error}"
            ) from error
        return server


class LineReader:
    """A connection as lines of text, one character per byte."""

    def __init__(self, link: Link) -> None:
        self.link: Final = link
        self._rest = b""
        self.received = bytearray()

    def send_line(self, text: str) -> None:
        """Type a line; a text that no bytes stand for goes out as UTF-8."""
        try:
            data = text.encode("latin-1")
        except UnicodeEncodeError:
            data = text.encode("utf-8")
        self.link.send(data + b"\r\n")

    def lines(self, wait_s: float) -> Sequence[str]:
        """Return the whole lines that have arrived; wait for the first bytes.

        Raises: LinkClosedError.
        """
        data = self.link.receive(wait_s)
        if not data:
            return ()
        self.received += data
        parts = (self._rest + data).split(b"\n")
        self._rest = parts.pop()
        return [part.rstrip(b"\r").decode("latin-1") for part in parts]

    def take_rest(self) -> str:
        """Return what has come of an unfinished line, and forget it."""
        rest, self._rest = self._rest, b""
        return rest.decode("latin-1")
