"""What the documentation shows is what happens."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
import pytest

from pymoo.cli import cli
from pymoo.db.generations import keep_generation, keep_original
from pymoo.jobs import JobStore, group
from pymoo.worlds.starter import copy_starter
from tests.db.worlds import ROOM, WIZARD, add_verb, dumped, minimal, set_value
from tests.db.worlds import ROOT as ROOT_CLASS
from tests.server.processes import ServerProcess

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "tests" / "bench" / "report.json"
DATABASE = ROOT / "tests" / "data" / "textdumps" / "Minimal.db"

# These run until they are told to stop.
SERVERS = ("serve", "moo")

# These ask one that is running.
NEED_A_SERVER = ("status",)


VISIT = """\
n = this.visits;
for who in (this.contents)
  who:tell("Visitor ", n + 1, " has come.");
  suspend(0);
endfor
this.visits = n + 1;
"""
"""The program that the README shows."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the examples mention."""
    for name in ("MyMOO.db", "old.db"):
        shutil.copy(DATABASE, tmp_path / name)
    for name in ("old.json", "new.json"):
        shutil.copy(REPORT, tmp_path / name)
    (tmp_path / "program.moo").write_text("return 1;\n", encoding="ascii")
    with JobStore(tmp_path / "MyMOO.jobs") as store:
        for _ in range(2):
            store.add(group([]))
    (tmp_path / "visit.moo").write_text(VISIT, encoding="ascii")
    copy_starter(tmp_path / "world.db")
    return tmp_path


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command)
    assert words[0] == "pymoo"
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def shown(text: str) -> Iterator[tuple[str, str]]:
    """The commands of the ``console`` blocks, with what they are said to print."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


EXAMPLES = list(shown((ROOT / "README.md").read_text(encoding="utf-8")))


@pytest.mark.parametrize(("command", "output"), EXAMPLES)
def test_the_readme_shows_what_happens(command: str, output: str, folder: Path) -> None:
    assert run(command, folder).stdout == output


def test_the_readme_shows_something() -> None:
    assert len(EXAMPLES) > 3


@pytest.fixture
def databases(tmp_path: Path) -> Path:
    """A folder with the files that the chapter on databases mentions."""
    world = minimal()
    world.add_property(ROOT_CLASS, "description", "", WIZARD, 5)
    set_value(world, ROOM, "description", "A bare room.")
    add_verb(world, ROOM, "look", code="player:tell(this.description);\n")
    (tmp_path / "monday.db").write_bytes(dumped(world))
    set_value(world, ROOM, "description", "A room with a lamp.")
    add_verb(world, ROOM, "dim", code="$lamp.on = 0\n")
    world.set_verb_code(
        ROOM,
        world[ROOM].verbs[0],
        "player:tell(this.description);\nfor x in (this.contents)\n"
        "player:tell(x.name);\nendfor\n",
    )
    lamp = world.create(WIZARD, ROOT_CLASS)
    world.set_name(lamp, "lamp")
    world.change_location(lamp, ROOM)
    data = dumped(world)
    (tmp_path / "broken.db").write_bytes(
        data.replace(b"lamp\n\n0\n3\n2\n", b"lamp\n\n0\n3\n99999\n")
    )
    world.delete_verb(ROOM, world[ROOM].verbs[1])
    (tmp_path / "tuesday.db").write_bytes(dumped(world))
    return tmp_path


DATABASES = list(shown((ROOT / "docs" / "databases.md").read_text(encoding="utf-8")))


@pytest.mark.parametrize(("command", "output"), DATABASES)
def test_the_chapter_on_databases_shows_what_happens(
    command: str, output: str, databases: Path
) -> None:
    printed = run(command, databases).stdout
    printed = re.sub(r"read in [0-9.]+ s", "read in 0.0 s", printed)
    free = r"[0-9.,]+ [kMG]B free in .*"
    assert re.sub(free, "74.1 GB free in /srv/moo", printed) == output


def test_the_chapter_on_databases_has_examples() -> None:
    assert len(DATABASES) >= 4


TASKS = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(
    r"^( *)```moo\n(.*?)^ *```\n *```\n(.*?)^ *```", TASKS, re.M | re.S
)


@pytest.mark.parametrize(("indent", "program", "output"), PROGRAMS)
def test_the_chapter_on_tasks_shows_what_happens(
    indent: str, program: str, output: str, folder: Path
) -> None:
    program = re.sub(rf"^{indent}", "", program, flags=re.M)
    output = re.sub(rf"^{indent}", "", output, flags=re.M)
    (folder / "example.moo").write_text(program, encoding="ascii")
    assert run("pymoo run example.moo", folder).stdout == output


def test_the_chapter_on_tasks_has_examples() -> None:
    assert len(PROGRAMS) == TASKS.count("```moo") > 8


def test_the_readme_shows_the_program_that_it_checks() -> None:
    assert f"```\n{VISIT}```\n" in (ROOT / "README.md").read_text(encoding="utf-8")


OWNERS = [*shown((ROOT / "docs" / "owners.md").read_text(encoding="utf-8"))]


@pytest.fixture
def owned(tmp_path: Path) -> Path:
    """A folder with the database that the chapter for owners is about."""
    path = tmp_path / "MyMOO.db"
    copy_starter(path)
    data = path.read_bytes()
    for written in (
        "2025-10-17T17:00+00:00",
        "2026-11-20T23:30+00:00",
        "2026-11-21T15:00+00:00",
        "2026-11-21T16:00+00:00",
    ):
        os.utime(path, (datetime.fromisoformat(written).timestamp(),) * 2)
        assert keep_generation(path) is not None
        path.unlink()
        path.write_bytes(data)
    shutil.copy(DATABASE, tmp_path / "old.db")
    program = tmp_path / "pymoo"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pymoo "$@"\n')
    program.chmod(0o755)
    return tmp_path


def without_figures(text: str) -> str:
    """Leave out what depends on the clock, and on the world that comes with pymoo."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ", "TIME", text)
    text = re.sub(r" +[\d.]+ kB", " SIZE", text)
    text = re.sub(r" +(\d+ (second|minute|hour|day)s?|later than now)\b", " AGE", text)
    return re.sub(r"\b\d+ objects", "COUNT objects", text)


def test_the_chapter_for_owners_shows_what_happens(owned: Path) -> None:
    """One thing after the other."""
    assert len(OWNERS) > 6
    path = f"{owned}:{os.environ['PATH']}"
    for command, output in OWNERS:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=owned,
            env={**environment(), "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert without_figures(done.stdout) == without_figures(output), command


def commands(
    command: click.Command, name: str, context: click.Context
) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from commands(found, f"{name} {each}", context)


COMMANDS = dict(commands(cli, "pymoo", click.Context(cli)))


def examples(command: click.Command) -> list[str]:
    return re.findall(r"(?:^|Example: )\s*(pymoo .*)$", command.epilog or "", re.M)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_in_an_example(name: str) -> None:
    assert examples(COMMANDS[name])


@pytest.mark.parametrize(
    "example",
    sorted(
        {
            example
            for name, command in COMMANDS.items()
            if name.split()[1:2] != ["conform"]
            for example in examples(command)
        }
    ),
)
def test_examples_of_help_run(example: str, folder: Path) -> None:
    if example.split()[1] in NEED_A_SERVER:
        options = ("--port", "0", "--log", "{log}")
        with ServerProcess(folder, "serve", "MyMOO.db", *options) as running:
            assert running.port
            done = run(example, folder)
            assert running.stop() == 0
        assert done.returncode == 0, done.stdout
        return
    if example.split()[1] not in SERVERS:
        keep_original(folder / "MyMOO.db")
        done = run(example, folder)
        assert done.returncode == 0, done.stdout
        return
    words = shlex.split(example.replace("7777", "0"))
    with subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stderr is not None
        log = []
        for line in server.stderr:
            log.append(line)
            if "LISTEN" in line:
                server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=60) == 0, "".join(log)
