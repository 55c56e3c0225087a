"""A server as a process of its own: ``python -m pymoo ...``."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.server.talking import PATIENCE_S, Talker

ROOT = Path(__file__).parents[2]

CLASSIC = ("-l", "{log}", "{input}", "{output}", "0")
"""Arguments of the classic command line; a free port."""


def environment(**others: str) -> dict[str, str]:
    """Return an environment in which ``python -m pymoo`` finds this pymoo."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "TZ": "UTC", **others}


def command(
    *arguments: str, script: str | None = None, before: str | None = None
) -> list[str]:
    """Return what runs ``python -m pymoo``, or ``script`` instead of that.

    ``before`` is a statement that the process executes before it becomes that
    (where `subprocess` has ``preexec_fn``, which is not for processes with threads).
    """
    python = [sys.executable, *(["-m", "pymoo"] if script is None else ["-c", script])]
    words = [*python, *arguments]
    if before is None:
        return words
    first = f"{before}; os.execv(sys.argv[1], sys.argv[1:])"
    modules = "import os, resource, signal, sys; "
    return [sys.executable, "-S", "-c", modules + first, *words]


def pymoo(
    *arguments: object, folder: Path, stdin: bytes = b"", before: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a command that ends by itself."""
    return subprocess.run(
        command(*map(str, arguments), before=before),
        input=stdin,
        capture_output=True,
        cwd=folder,
        env=environment(),
        timeout=PATIENCE_S,
    )


class ServerProcess:
    """A server that was started; it is killed if the test has not ended it."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        script: str | None = None,
        before: str | None = None,
        **options: Any,
    ) -> None:
        """``script`` and ``before``: see `command`.

        In arguments, ``{input}`` and the like are files in ``folder``.
        """
        self.folder = folder
        self.input = folder / "in.db"
        self.output = folder / "out.db"
        self.log_path = folder / "log"
        names = {
            "input": str(self.input),
            "output": str(self.output),
            "log": str(self.log_path),
        }
        given = [part.format(**names) for part in arguments or CLASSIC]
        options = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            **options,
        }
        log_before = self.log_path.stat().st_size if self.log_path.exists() else 0
        self._log_from = log_before
        self.process = subprocess.Popen(
            command(*given, script=script, before=before),
            cwd=folder,
            env=environment(),
            **options,
        )

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdout, self.process.stderr, self.process.stdin):
            if stream is not None:
                stream.close()

    @property
    def log(self) -> str:
        """What this process has logged."""
        if not self.log_path.exists():
            return ""
        with self.log_path.open("rb") as stream:
            stream.seek(self._log_from)
            return stream.read().decode("latin-1")

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until the log has ``pattern``."""
        end = time.monotonic() + PATIENCE_S
        while True:
            # Looked at first: what it logs before it ends is there then.
            status = self.process.poll()
            found = re.search(pattern, self.log)
            if found is not None:
                return found
            assert status is None, f"ended with {status}:\n{self.log}{self.errors()}"
            assert time.monotonic() < end, f"no {pattern!r} in:\n{self.log}"
            time.sleep(0.01)

    def errors(self) -> str:
        """Return what is on standard error, once the process has ended."""
        stream = self.process.stderr
        return "" if stream is None else stream.read().decode()

    @property
    def port(self) -> int:
        """Where it listens; waits until it does."""
        return int(self.wait_for(r"LISTEN: #0 now listening on port (\d+)")[1])

    def talker(self) -> Talker:
        return Talker(self.port)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait until it has ended, and return its status."""
        return self.process.wait(PATIENCE_S)

    def stop(self) -> int:
        """Have it shut down in an orderly way; returns the status."""
        self.signal(signal.SIGTERM)
        return self.end()
