"""A server with a journal whose disk fails, or that is killed, at any moment.

`Disk` stands between pymoo and the system: it counts the calls by which journal and
checkpoints change what is on the disk.  `Played` is a server that somebody plays on;
after each of their commands, and before each call, one can look at what a new start
would find.  The process that folds a checkpoint is run within this one, so that its
calls are counted too.
"""

from __future__ import annotations

import builtins
import contextlib
import fcntl
import gc
import io
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest
from attrs import evolve

from pymoo.db import checkpoint, journal_file
from pymoo.db.saved_values import task_to_value
from pymoo.db.textdump import Textdump
from pymoo.lang.dialect import PYMOO
from pymoo.server import disk_journal, fold
from pymoo.server.app import ServerSettings
from pymoo.server.database import open_database
from pymoo.server.dumps import DumpFiles
from pymoo.server.durability import Durability
from pymoo.server.inprocess import HandClock, InProcessServer
from pymoo.server.log import Log
from pymoo.server.memory_network import Client
from pymoo.server.recovering import LeftJournal
from pymoo.tasks.clock import ManualClock
from tests.db.worlds import SYSTEM, value_of
from tests.server.journalled import dump_of
from tests.server.online import write_database

STEPS: tuple[tuple[Any, str], ...] = (
    (os, "open"),
    (os, "write"),
    (journal_file, "_sync_data"),
    (os, "fsync"),
    (os, "ftruncate"),
    (os, "lseek"),
    (os, "makedirs"),
    (os, "link"),
    (os, "replace"),
    (os, "remove"),
    (os, "rmdir"),
    (journal_file, "open"),
    (checkpoint, "open"),
    (subprocess, "Popen"),
    (fcntl, "flock"),
)
"""What changes something on the disk, or lets another process do so."""


class Disk:
    """Counts calls, and makes some of them fail.  Nothing fails until it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        """The names of all calls."""
        self.is_counting = False
        self.before: Callable[[str], None] = lambda name: None
        """Called before each call."""
        self.fails: Callable[[int, str], int] = lambda number, name: 0
        """Returns the error of a call, by its number from 0 and name; 0: none."""
        self.is_short = False
        """Whether os.write() writes half of it before it fails."""
        monkeypatch.setattr(subprocess, "Popen", folding_here)
        for module, name in STEPS:
            real = getattr(module, name, None) or getattr(builtins, name)
            monkeypatch.setattr(module, name, self._counted(name, real), raising=False)

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if not self.is_counting:
                return real(*arguments, **options)
            number = len(self.calls)
            self.calls.append(name)
            with self.unwatched():
                self.before(name)
            code = self.fails(number, name)
            if code:
                if name == "write" and self.is_short:
                    real(arguments[0], arguments[1][: len(arguments[1]) // 2])
                raise OSError(code, os.strerror(code))
            return real(*arguments, **options)

        return call

    @contextlib.contextmanager
    def unwatched(self) -> Any:
        """Let calls through that belong to whoever tests."""
        was, self.is_counting = self.is_counting, False
        try:
            yield
        finally:
            self.is_counting = was


class _Ended:
    """A process that has ended."""

    pid = -1

    def __init__(self, code: int) -> None:
        self._code = code

    def poll(self) -> int:
        return self._code

    def wait(self) -> int:
        return self._code


def folding_here(command: list[str], *, stdout: IO[bytes], **options: Any) -> _Ended:
    """Do what a process of `fold` does; returns that."""
    text = io.StringIO()
    was_enabled = gc.isenabled()
    nice, parent = os.nice, os.getppid
    os.nice = lambda by: 0
    os.getppid = os.getpid
    try:
        with contextlib.redirect_stdout(text):
            code = fold.main(command[3:])
    except Exception:  # noqa: BLE001  (as Python ends a process)
        code = 1
    finally:
        os.nice, os.getppid = nice, parent
        if was_enabled:
            gc.enable()
    stdout.write(text.getvalue().encode())
    return _Ended(code)


# --- what a start finds ----------------------------------------------------------


def state_of(textdump: Textdump) -> tuple[bytes, list[str], list[str]]:
    """Return what matters of a world, whatever the order of its tasks.

    The first of what is kept of the schedule is the time at which that was done.
    """
    tasks = sorted(repr(task_to_value(task)) for task in textdump.tasks)
    kept = dict(textdump.extras)
    schedule = kept.get("schedule")
    if type(schedule) is tuple:
        kept["schedule"] = schedule[1:]
    extras = sorted(map(repr, kept.items()))
    return dump_of(Textdump(textdump.world)), tasks, extras


def database_in(folder: Path) -> Path:
    """Return the file that a new start would serve: the last dump, if there is one."""
    output = folder / "out.db"
    return output if output.exists() else folder / "in.db"


def found(folder: Path, log: Log | None = None) -> tuple[Textdump, LeftJournal]:
    """Return what a new start would find in a folder; as `serving` does it."""
    log = log or Log(ManualClock(), io.BytesIO())
    database = database_in(folder)
    left = LeftJournal(str(database), str(folder / "out.db"), log)
    textdump = open_database(database, PYMOO, check=False, use_journal=False).textdump
    return left.apply(textdump, PYMOO.default_width), left


def found_in_copy(folder: Path) -> Textdump:
    """As `found`, but leave the folder alone."""
    copy = folder.parent / f"{folder.name}.copy"
    if copy.exists():
        shutil.rmtree(copy)
    shutil.copytree(folder, copy)
    return found(copy)[0]


def mark_of(textdump: Textdump) -> int:
    """Return how far somebody had played, and make sure that nothing is half there."""
    mark = value_of(textdump.world, SYSTEM, "mark")
    assert value_of(textdump.world, SYSTEM, "twin") == (mark, "x" * 300)
    assert type(mark) is int
    return mark


# --- somebody who plays ------------------------------------------------------------


class Played:
    """A server with a journal in ``folder``, and #3 connected, who plays."""

    def __init__(self, folder: Path, *, is_new: bool = True) -> None:
        """Start one; again in a folder where one was, if that is not new."""
        self.folder = folder
        if is_new:
            folder.mkdir(exist_ok=True)
            write_database(folder / "in.db", properties={"twin": (0, "x" * 300)})
        self.output = folder / "out.db"
        self.clock = HandClock()
        input_path = database_in(folder)
        log = Log(ManualClock(), io.BytesIO())
        left = LeftJournal(str(input_path), str(self.output), log)
        database = open_database(input_path, PYMOO, check=False, use_journal=False)
        textdump = left.apply(database.textdump, PYMOO.default_width)
        self.process = InProcessServer(
            evolve(database, textdump=textdump),
            DumpFiles(str(input_path), str(self.output), keeps=True),
            ServerSettings(
                PYMOO,
                width=PYMOO.default_width,
                seed=1,
                durability=Durability.BATCH,
            ),
            clock=self.clock,
            origin=left.origin,
        )
        self.server = self.process.server
        self.lines: list[str] = []
        self.is_said_to_be_on = True
        self.safe_mark = 0
        """How far whoever was told that it is on disk had played."""
        self.wizard = self.connect("#3")

    @property
    def journal(self) -> disk_journal.DiskJournal:
        journal = self.server.dumps.journal
        assert journal is not None
        return journal

    def connect(self, name: str) -> Client:
        client = self.process.connect()
        self.process.run()
        client.send_line(name)
        self.process.run()
        return client

    def type(self, code: str) -> list[str]:
        """Have #3 evaluate; return what they see, and keep what they are told."""
        self.wizard.send_line(f";{code}")
        self.process.run()
        return self.hear()

    def hear(self) -> list[str]:
        lines = self.wizard.take_lines()
        self.lines += lines
        for line in lines:
            if line.startswith("*** The journal cannot be written ("):
                self.is_said_to_be_on = False
            if line == "*** The journal is written again. ***":
                self.is_said_to_be_on = True
        return lines

    def mark(self, number: int) -> None:
        """Do something that is only whole when both of its parts are there."""
        answer = self.type(f"#0.mark = {number}; #0.twin = {{{number}, #0.twin[2]}};")
        assert "0" in answer, answer
        if self.is_said_to_be_on:
            self.safe_mark = number

    def play(self, after: Callable[[], None] = lambda: None) -> None:
        """Play for a while: ``after`` is called after each thing that is done."""
        number = self.safe_mark
        for code in SCRIPT:
            number += 1
            self.mark(number)
            self.type(code)
            after()
        self.mark(number + 1)
        self.process.advance(1)
        self.hear()
        after()

    def check(self) -> None:
        """Make sure of what a new start would find now."""
        textdump = found_in_copy(self.folder)
        mark = mark_of(textdump)
        assert mark >= self.safe_mark, (mark, self.safe_mark)
        if self.is_said_to_be_on:
            assert self.journal.is_on
            assert state_of(textdump) == state_of(self.server._state())

    @property
    def log(self) -> list[str]:
        return [line[17:] for line in self.process.log_lines]


SCRIPT = (
    'fork (5) #0.seen = "forked"; endfork x = create(#1); x.name = "thing";',
    "dump_database();",
    'fork (0) suspend(50); #0.seen = "slept"; endfork',
    "dump_database(); suspend(0); for t in (queued_tasks()) kill_task(t[1]); endfor",
    'fork (0) task_policy("rollback"); suspend(); endfork',
    'invoke(#0, "user_created", {}, {{"delay", 500}});',
)
"""What is played: objects and tasks come and go, and checkpoints are made."""
