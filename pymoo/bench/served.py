"""A server in a process of its own, whose CPU time and memory can be asked for."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from pymoo.bench.cases import BenchError, Tier
from pymoo.bench.workbench import put_in_force
from pymoo.lang.dialect import Dialect

PATIENCE_S: Final = 120
"""How long a server may let its clients wait."""


class Served:
    """A running server, at ``port`` of this machine."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process: Final = process
        self._log: Final = log
        self.port: Final = int(self._line())

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchError(f"the server that is measured has ended:\n{self.log}")
        return line

    @property
    def log(self) -> str:
        """What the server has logged."""
        return self._log.read_text(encoding="latin-1")

    def _ask(self) -> tuple[float, int]:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # `_line` says so
            self._process.stdin.write(b"\n")
        cpu, memory = self._line().split()
        return float(cpu), int(memory)

    @property
    def process_id(self) -> int:
        """The number of its process."""
        return self._process.pid

    @property
    def cpu_seconds(self) -> float:
        """The CPU time that the process has used so far."""
        return self._ask()[0]

    @property
    def memory(self) -> int:
        """The bytes of memory that the process holds."""
        return self._ask()[1]

    def connect(self) -> socket.socket:
        """Open a connection, and wait for the server's greeting.

        Raises: BenchError if there is none.
        """
        with ExitStack() as unless_greeted:
            try:
                connection = unless_greeted.enter_context(
                    socket.create_connection(
                        ("127.0.0.1", self.port), timeout=PATIENCE_S
                    )
                )
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                greeting = connection.recv(65_536)
            except OSError as error:
                raise BenchError(
                    f"the server that is measured cannot be reached: {error}\n"
                    f"{self.log}"
                ) from error
            if not greeting:
                raise BenchError(f"the server closes its connections:\n{self.log}")
            unless_greeted.pop_all()
            return connection


@contextmanager
def serving(path: Path, dialect: Dialect, tier: Tier) -> Iterator[Served]:
    """Serve a database file while the context lasts.

    Raises: BenchError if the server does not start.
    """
    environment = dict(os.environ)
    put_in_force(tier, environment)
    # It is the pymoo that runs here, which need not be the one that is installed.
    program = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "from pymoo.bench.child import main\n"
        "sys.exit(main(*sys.argv[1:]))"
    )
    log = path.with_name(f"{path.name}.{tier}.log")
    with (
        open(log, "wb") as stream,
        subprocess.Popen(
            [sys.executable, "-c", program, path, dialect.name],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            bufsize=0,
        ) as process,
    ):
        try:
            yield Served(process, log)
        finally:
            process.kill()
