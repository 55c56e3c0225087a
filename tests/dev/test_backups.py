"""``pymoo backup``: what it lists, what it finds, what it brings back."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from pymoo.cli import main
from pymoo.db.generations import (
    find_generation,
    keep_generation,
)
from pymoo.db.restoring import restore_generation
from pymoo.db.textdump import load
from pymoo.lang.dialect import PYMOO
from pymoo.server.database import open_database
from pymoo.server.lock import locked
from tests.db.worlds import DATA, SYSTEM, value_of
from tests.dev.journals import (
    MARK_IN_JOURNAL,
    leave_another_s_journal,
    leave_changes,
)
from tests.server.processes import pymoo

NOW = 1_795_280_400.0  # Sat Nov 21 17:00:00 2026
MINIMAL = (DATA / "Minimal.db").read_bytes()
OTHER = MINIMAL.replace(b"The First Room", b"The Other Room")


class Backups:
    """A database in the present folder, and the commands for it."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def write(self, data: bytes, seconds_ago: float) -> None:
        """Save the database, as it was done at some time."""
        if os.path.exists("my.db"):
            keep_generation("my.db")
        Path("new.db").write_bytes(data)
        os.utime("new.db", (NOW - seconds_ago,) * 2)
        Path("new.db").replace("my.db")

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return the exit status and what was printed."""
        self._monkeypatch.setattr(sys, "argv", ["pymoo", "backup", *arguments])
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        printed = self._capsys.readouterr()
        return status, printed.out, printed.err


@pytest.fixture
def backups(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Backups:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pymoo.tasks.clock.SystemClock.now", lambda self: NOW)
    made = Backups(monkeypatch, capsys)
    for data, seconds_ago in (
        (MINIMAL, 400 * 86_400),
        (OTHER, 86_400 * 2.5),
        (MINIMAL, 3 * 3_600),
        (OTHER, 90),
        (MINIMAL, 59),
        (OTHER, 1),
        (MINIMAL, -60),
        (OTHER, 0),
    ):
        made.write(data, seconds_ago)
    return made


# --- list -----------------------------------------------------------------------------


def test_a_list_says_when_and_why_each_was_kept(backups: Backups) -> None:
    assert backups.run("list", "my.db") == (
        0,
        """\
my.db: 7 backups in my.db.backups
  2026-11-21T17-01-00Z_0006  321 bytes  later than now  last, daily, weekly
  2026-11-21T16-59-59Z_0005  321 bytes        1 second  last
  2026-11-21T16-59-01Z_0004  321 bytes      59 seconds  last
  2026-11-21T16-58-30Z_0003  321 bytes      90 seconds  last
  2026-11-21T14-00-00Z_0002  321 bytes         3 hours  last
  2026-11-19T05-00-00Z_0001  321 bytes          2 days  last, daily
  original                   321 bytes        400 days  original
""",
        "",
    )


def test_a_list_for_programs_has_exact_figures(backups: Backups) -> None:
    status, out, err = backups.run("list", "my.db", "--json")
    assert (status, err) == (0, "")
    facts = json.loads(out)
    assert (facts["database"], facts["folder"]) == ("my.db", "my.db.backups")
    assert len(facts["backups"]) == 7
    assert facts["backups"][1] == {
        "name": "2026-11-21T16-59-59Z_0005",
        "path": "my.db.backups/2026-11-21T16-59-59Z_0005.db",
        "written": "2026-11-21T16:59:59+00:00",
        "bytes": len(OTHER),
        "age_s": 1.0,
        "kinds": ["last"],
    }


def test_sizes_are_told_in_units_that_fit(backups: Backups) -> None:
    for name, size in (("a", 1), ("b", 999), ("c", 1_000), ("d", 2_350_000)):
        with open(f"my.db.backups/{name}.db", "wb") as stream:
            stream.truncate(size)
    rows = backups.run("list", "my.db")[1].splitlines()
    shown = {row.split()[0]: row[27:38].strip() for row in rows}
    assert [shown[name] for name in "abcd"] == [
        "1 byte",
        "999 bytes",
        "1.0 kB",
        "2.4 MB",
    ]


def test_one_that_the_next_will_replace_is_marked(backups: Backups) -> None:
    for number in range(5):
        backups.write(MINIMAL + b"\n" * number, -70 - number)
    keep_generation("my.db", prune=False)
    out = backups.run("list", "my.db")[1]
    name = "2026-11-21T16-59-59Z_0005"
    assert f"{name}  321 bytes        1 second  until the next one" in out


def test_a_file_without_backups_is_told_so(backups: Backups) -> None:
    shutil.rmtree("my.db.backups")
    assert backups.run("list", "my.db") == (
        0,
        "my.db: no backups; the first is made when pymoo writes to it\n",
        "",
    )
    assert json.loads(backups.run("list", "my.db", "--json")[1])["backups"] == []
    assert backups.run("list", "nosuch.db") == (
        2,
        "",
        "pymoo: nosuch.db: there is no such file, and no backup of it\n",
    )
    Path("my.db").unlink()
    assert backups.run("list", "my.db")[0] == 2


def test_a_file_that_was_lost_still_has_its_backups(backups: Backups) -> None:
    Path("my.db").unlink()
    assert backups.run("list", "my.db")[1].startswith("my.db: 7 backups")


def test_a_folder_that_is_none_is_told_with_the_remedy(backups: Backups) -> None:
    shutil.rmtree("my.db.backups")
    Path("my.db.backups").write_text("in the way")
    assert backups.run("list", "my.db") == (
        2,
        "",
        "pymoo: my.db.backups: cannot be read: Not a directory. Give what is in the "
        "way of my.db.backups another name\n",
    )


# --- verify ---------------------------------------------------------------------------


def test_all_are_read_unless_one_is_named(backups: Backups) -> None:
    status, out, err = backups.run("verify", "my.db")
    assert (status, err) == (0, "")
    assert len(out.splitlines()) == 7
    assert out.endswith("my.db.backups/original.db: 4 objects, nothing is wrong\n")
    assert backups.run("verify", "my.db", "orig") == (0, out.splitlines(True)[-1], "")


def test_what_is_wrong_with_one_is_found(backups: Backups) -> None:
    name = "2026-11-21T14-00-00Z_0002"
    path = Path(f"my.db.backups/{name}.db")
    path.write_bytes(MINIMAL[:200])
    status, out, _ = backups.run("verify", "my.db")
    assert status == 1
    assert f"{path}: 0 objects, 1 finding\n  {path}:" in out
    status, out, _ = backups.run("verify", "my.db", "--json", "2026-11-21T14")
    assert status == 1
    (fact,) = json.loads(out)["backups"]
    assert (fact["name"], fact["objects"]) == (name, 0)
    assert str(path) in fact["findings"][0]
    path.write_bytes((DATA / "bad" / "next-stale.db").read_bytes())
    status, out, _ = backups.run("verify", "my.db", name)
    assert status == 1
    assert "nothing is wrong" not in out


def test_a_backup_that_is_not_there_is_bad_usage(backups: Backups) -> None:
    missing = (
        "pymoo: my.db: there is no backup 'nosuch' of it. See what there is: pymoo "
        "backup list my.db\n"
    )
    assert backups.run("verify", "my.db", "nosuch") == (2, "", missing)
    assert backups.run("restore", "my.db", "nosuch") == (2, "", missing)
    shutil.rmtree("my.db.backups")
    assert backups.run("verify", "my.db") == (
        2,
        "",
        "pymoo: my.db: there are no backups of it\n",
    )


# --- restore --------------------------------------------------------------------------


def test_restoring_says_what_it_did(backups: Backups) -> None:
    Path("my.db.journal").mkdir()
    Path("my.db.journal/00000001.segment").touch()
    assert backups.run("restore", "my.db", "original") == (
        0,
        """\
kept      my.db.backups/2026-11-21T17-00-00Z_0007.db (the file as it was until now)
set aside my.db.journal.of-2026-11-21T17-00-00Z_0007 (changes to that file alone)
restored  my.db from my.db.backups/original.db
""",
        "",
    )
    assert Path("my.db").read_bytes() == MINIMAL
    assert Path("my.db.backups/2026-11-21T17-00-00Z_0007.db").read_bytes() == OTHER
    # And back again.
    assert backups.run("restore", "my.db", "2026-11-21T17-00-00Z_0007")[0] == 0
    assert Path("my.db").read_bytes() == OTHER
    assert not Path("my.db.lock").exists()


def test_a_file_that_is_served_is_not_replaced(backups: Backups) -> None:
    with locked("my.db"):
        status, out, err = backups.run("restore", "my.db", "original")
    assert (status, out) == (2, "")
    assert err.startswith(
        f"pymoo: my.db: is being served already, by process {os.getpid()}. "
    )
    assert Path("my.db").read_bytes() == OTHER


def test_a_backup_that_cannot_be_read_replaces_nothing(backups: Backups) -> None:
    Path("my.db.backups/original.db").write_bytes(b"no database")
    status, out, err = backups.run("restore", "my.db", "original")
    assert (status, out) == (2, "")
    assert err.startswith("pymoo: my.db.backups/original.db:1: ")
    assert Path("my.db").read_bytes() == OTHER
    assert len([*Path("my.db.backups").iterdir()]) == 7


def test_going_back_and_forth_loses_no_change_of_a_killed_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backups: Backups
) -> None:
    folder = tmp_path / "moo"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("my.db").write_bytes(MINIMAL)
    keep_generation("my.db")
    leave_changes(Path("my.db"))
    served = Path("my.db").read_bytes()
    segment = Path("my.db.journal/00000001.segment").read_bytes()
    assert backups.run("restore", "my.db", "orig")[0] == 0
    [aside] = folder.glob("my.db.journal.of-*")
    kept = aside.name.removeprefix("my.db.journal.of-")
    out = backups.run("list", "my.db")[1]
    assert out.endswith(f"set aside {aside.name} (changes to {kept})\n")
    facts = json.loads(backups.run("list", "my.db", "--json")[1])
    assert facts["journals_set_aside"] == [{"path": aside.name, "backup": kept}]
    status, out, _ = backups.run("restore", "my.db", kept)
    assert (status, out.splitlines()[-1]) == (
        0,
        f"put back  my.db.journal, which was {aside.name} (what was done after that "
        "file was written)",
    )
    assert Path("my.db").read_bytes() == served
    assert not aside.exists()
    # Nothing is left in it that is not the journal's.
    assert sorted(each.name for each in Path("my.db.journal").iterdir()) == [
        "00000001.segment"
    ]
    assert Path("my.db.journal/00000001.segment").read_bytes() == segment
    world = open_database("my.db", PYMOO).textdump.world
    assert value_of(world, SYSTEM, "mark") == MARK_IN_JOURNAL


def test_a_journal_of_another_file_is_left_aside_and_named(backups: Backups) -> None:
    leave_another_s_journal(Path("my.db"))
    aside = Path("my.db.journal.of-original")
    Path("my.db.journal").rename(aside)
    out = backups.run("restore", "my.db", "original")[1]
    assert out.splitlines()[-1] == (
        f"left      {aside} (other changes to that file, or such that do not fit it)"
    )
    assert aside.is_dir()
    assert not Path("my.db.journal").exists()


def test_a_journal_set_aside_can_be_had_back(tmp_path: Path) -> None:
    """By what the note in its folder says."""
    path = tmp_path / "my.db"
    leave_changes(path)
    keep_generation(path)
    done = restore_generation(path, find_generation(path, "original"))
    assert done.journal is not None
    note = Path(done.journal, "set-aside.txt").read_text(encoding="utf-8")
    words = shlex.split(note.splitlines()[-1])
    assert words[:2] == ["pymoo", "db"]
    assert pymoo(*words[1:], folder=tmp_path).returncode == 0
    world = load(tmp_path / "saved.db").world
    assert value_of(world, SYSTEM, "mark") == MARK_IN_JOURNAL
    assert value_of(load(path).world, SYSTEM, "mark") == 0
