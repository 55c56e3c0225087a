"""``pymoo rescue``: a wizard without a server; only ``quit`` writes the file."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from pymoo.db.generations import keep_generation
from pymoo.db.journal_file import segment_numbers
from pymoo.server.lock import locked
from tests.db.worlds import DATA, SYSTEM, WIZARD, value_of
from tests.dev.journals import (
    MARK_IN_JOURNAL,
    leave_another_s_journal,
    leave_changes,
)
from tests.server.online import load_file, write_database
from tests.server.processes import command, environment, pymoo
from tests.server.talking import PATIENCE_S

BEGINNING = """\
You are a wizard in my.db, and nothing else runs: `;EXPR' evaluates, `help' says more.
Only `quit' writes the file; what it was is kept in my.db.backups then.

LambdaMOO Emergency Holographic Wizard Mode
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my.db").write_bytes((DATA / "Minimal.db").read_bytes())
    return tmp_path


def name_in(folder: Path) -> str:
    return load_file(folder / "my.db").world[WIZARD].name


def rescue(folder: Path, *lines: str) -> subprocess.CompletedProcess[bytes]:
    typed = "".join(f"{line}\n" for line in lines).encode()
    return pymoo("rescue", "my.db", folder=folder, stdin=typed)


def test_what_was_done_is_saved_by_quit_and_the_file_kept(folder: Path) -> None:
    before = (folder / "my.db").read_bytes()
    done = rescue(folder, ';#3.name = "Boss"', "quit")
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    assert text.startswith(BEGINNING)
    assert text.endswith('=> "Boss"\n\nMOO (#3): Bye.  (saving database)\n\n')
    assert name_in(folder) == "Boss"
    assert (folder / "my.db.backups" / "original.db").read_bytes() == before
    assert sorted(os.listdir(folder)) == ["my.db", "my.db.backups"]
    rescue(folder, ';#3.name = "Chief"', "quit")
    assert name_in(folder) == "Chief"
    assert len(os.listdir(folder / "my.db.backups")) == 2


@pytest.mark.parametrize("ending", [["abort"], [], [";1"]])
def test_nothing_else_saves(folder: Path, ending: list[str]) -> None:
    before = (folder / "my.db").read_bytes()
    program = (
        ';;#3.name = "Boss"; dump_database(); shutdown(); fork (0) #0:x(); endfork'
    )
    done = rescue(folder, program, *ending)
    assert done.returncode == 0
    assert done.stdout.decode().endswith("Bye.  (NOT saving database)\n\n")
    assert (folder / "my.db").read_bytes() == before
    assert os.listdir(folder) == ["my.db"]


def test_there_is_no_server_to_continue_with(folder: Path) -> None:
    done = rescue(folder, "continue", "help")
    text = done.stdout.decode()
    assert "** No server follows: `quit' saves, `abort' does not.\n" in text
    assert "wizard #XX " in text
    assert "End emergency mode" not in text


def test_tasks_and_connections_of_the_file_are_kept(tmp_path: Path) -> None:
    data = (DATA / "bad" / "good.db").read_bytes()
    (tmp_path / "my.db").write_bytes(data)
    before = load_file(tmp_path / "my.db")
    assert rescue(tmp_path, ";1", "quit").returncode == 0
    after = load_file(tmp_path / "my.db")
    assert len(after.tasks) == len(before.tasks) == 2
    assert after.connections == before.connections


def test_a_damaged_login_can_be_mended(tmp_path: Path) -> None:
    """What the mode is for."""
    write_database(tmp_path / "my.db", verbs={"do_login_command": "return;"})
    program = ["program #0:do_login_command", "return #3;", "."]
    assert rescue(tmp_path, *program, "quit").returncode == 0
    verbs = load_file(tmp_path / "my.db").world[SYSTEM].verbs
    (verbdef, _) = [each for each in verbs if each.names == "do_login_command"]
    assert verbdef.code == "return #3;\n"


def test_a_file_that_is_served_is_refused(folder: Path) -> None:
    with locked(str(folder / "my.db")):
        done = rescue(folder, "quit")
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.startswith(b"pymoo: my.db: is being served already, by process")


def test_what_only_the_journal_has_is_saved_as_well(tmp_path: Path) -> None:
    path = tmp_path / "my.db"
    journal = leave_changes(path)
    before = {each.name: each.read_bytes() for each in [path, *journal.iterdir()]}
    shown = f"=> {MARK_IN_JOURNAL}\n"
    assert shown in rescue(tmp_path, ";#0.mark").stdout.decode()
    assert {
        each.name: each.read_bytes() for each in [path, *journal.iterdir()]
    } == before
    assert shown in rescue(tmp_path, ";#0.mark", "quit").stdout.decode()
    assert not journal.exists()
    assert value_of(load_file(path).world, SYSTEM, "mark") == MARK_IN_JOURNAL


def test_the_journal_of_another_file_is_neither_used_nor_removed(folder: Path) -> None:
    journal = leave_another_s_journal(folder / "my.db")
    assert rescue(folder, ';#3.name = "Boss"', "quit").returncode == 0
    assert name_in(folder) == "Boss"
    assert segment_numbers(str(journal)) == [1]


def test_a_file_that_is_no_database_is_refused(folder: Path) -> None:
    (folder / "my.db").write_text("nonsense\n")
    done = rescue(folder, "quit")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"pymoo: my.db:1: ")
    assert (folder / "my.db").read_text() == "nonsense\n"


def test_saving_that_fails_can_be_tried_again(folder: Path) -> None:
    """As long as there is somebody to mend what is wrong."""
    before = (folder / "my.db").read_bytes()
    (folder / "my.db.backups").write_text("in the way")
    done = rescue(folder, ';#3.name = "Boss"', "quit", ";#3.name", "quit", ";2 + 2")
    assert done.returncode == 2
    errors = done.stderr.decode()
    assert errors.count("pymoo:") == 0
    assert errors.count("my.db: cannot be kept in my.db.backups: ") == 2
    assert errors.count("Not saved: mend that and `quit' again, or `abort'.\n") == 2
    text = done.stdout.decode()
    assert text.count('=> "Boss"') == 2
    assert text.endswith("=> 4\n\nMOO (#3): Bye.  (NOT saving database)\n\n")
    assert (folder / "my.db").read_bytes() == before


def test_an_interrupt_leaves_all_as_it_was(folder: Path) -> None:
    before = (folder / "my.db").read_bytes()
    terminal, other = pty.openpty()
    with subprocess.Popen(
        command("rescue", "my.db"),
        cwd=folder,
        env=environment(),
        stdin=other,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while b"MOO (#3): " not in (line := os.read(process.stdout.fileno(), 4096)):
            assert line
        os.write(terminal, b';#3.name = "Boss"\n')
        while b"MOO (#3): " not in (line := os.read(process.stdout.fileno(), 4096)):
            assert line
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_S) == 130
        assert process.stderr.read() == b"\nAborted!\n"
    os.close(terminal)
    os.close(other)
    assert (folder / "my.db").read_bytes() == before
    # The lock of a process that has ended is no obstacle.
    assert rescue(folder, ';#3.name = "Boss"', "quit").returncode == 0
    assert name_in(folder) == "Boss"


def test_old_generations_go_as_at_a_checkpoint(folder: Path) -> None:
    path = folder / "my.db"
    for number in range(20):
        keep_generation(path, prune=False)
        new = folder / "new.db"
        new.write_bytes((DATA / "Minimal.db").read_bytes())
        os.utime(new, (number, number))
        new.replace(path)
    assert rescue(folder, "quit").returncode == 0
    # The last seven, and the original.
    assert len(os.listdir(folder / "my.db.backups")) == 8
