"""What a command loads: nothing that only others need, so that it starts quickly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.db.worlds import DATA
from tests.server.processes import ServerProcess, command, environment
from tests.server.talking import PATIENCE_S

# Runs a command, and leaves behind the names of all modules that it has loaded.
SCRIPT = """\
import atexit, sys
def tell():
    with open("modules", "w") as stream:
        stream.write(" ".join(sys.modules))
atexit.register(tell)
from pymoo.cli import main
main()
"""

OF_JOBS = {"sqlite3", "pymoo.jobs", "pymoo.jobs.runner", "pymoo.server.job_desk"}
OF_WORKERS = {"multiprocessing", "pymoo.workers", "celery"}
OF_NO_START = {*OF_JOBS, *OF_WORKERS, "zoneinfo", "pickle", "h11"}
OF_JOURNALS = {"pymoo.server.disk_journal", "pymoo.server.fold", "tempfile"}
OF_SERVERS = {"asyncio", "socket", "selectors", "subprocess", "logging", "threading"}


def modules(folder: Path) -> set[str]:
    return {*(folder / "modules").read_text().split()}


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("eval", "1"), b"1\n"),
        (("eval", "1", "--db", "in.db"), b"1\n"),
        (("call", "in.db", "#0:do_login_command"), b"#3\n"),
    ],
)
def test_a_command_loads_neither_jobs_nor_workers(
    tmp_path: Path, words: tuple[str, ...], printed: bytes
) -> None:
    (tmp_path / "in.db").write_bytes((DATA / "Minimal.db").read_bytes())
    ended = subprocess.run(
        command(*words, script=SCRIPT),
        capture_output=True,
        cwd=tmp_path,
        env=environment(),
        timeout=PATIENCE_S,
    )
    assert (ended.stdout, ended.stderr, ended.returncode) == (printed, b"", 0)
    loaded = modules(tmp_path)
    assert "pymoo.server.app" in loaded
    assert (OF_NO_START | OF_JOURNALS) & loaded == set()
    # The library of PyPy loads some of them by itself.
    if words[0] == "eval" and sys.implementation.name != "pypy":
        assert OF_SERVERS & loaded == {"threading"}


def served(folder: Path, *options: str) -> set[str]:
    """What a server has loaded that takes connections, and shuts down."""
    (folder / "in.db").write_bytes((DATA / "Minimal.db").read_bytes())
    words = ("serve", "{input}", "--port", "0", "--log", "{log}", *options)
    with ServerProcess(folder, *words, script=SCRIPT) as server:
        with server.talker() as talker:
            talker.type("hello")
            talker.read_line()
        assert server.stop() == 0
    return modules(folder)


def test_a_server_loads_neither_jobs_nor_workers(tmp_path: Path) -> None:
    loaded = served(tmp_path)
    assert "pymoo.server.serving" in loaded
    assert OF_NO_START & loaded == set()


def test_one_that_has_jobs_loads_them(tmp_path: Path) -> None:
    """So the names above are right, and it does so in its own process."""
    assert served(tmp_path, "--jobs", "tests.jobs.work") >= OF_JOBS


def test_one_that_has_workers_loads_what_they_need(tmp_path: Path) -> None:
    loaded = served(tmp_path, "--workers", "tests.workers.tasks_for_tests")
    assert "pymoo.workers.pool" in loaded
    assert OF_JOBS & loaded == set()
