"""A generation is brought back, and journals have their places; whatever happens."""

from __future__ import annotations

import errno
import os
from functools import partial
from pathlib import Path

import pytest

from pymoo.db.generations import (
    BackupError,
    find_generation,
)
from pymoo.db.journal_file import Beginning, Segment, fingerprint
from pymoo.db.restoring import restore_generation
from tests.db.faults import faults, killed_at, refuse
from tests.db.saved_files import ERRORS, SEGMENT, START, Database, whole


@pytest.fixture
def saved(tmp_path: Path) -> Database:
    """A database that was saved twice, and has a journal."""
    return saved_in(tmp_path)


def saved_in(folder: Path) -> Database:
    database = Database(folder)
    database.write("first", START)
    database.save("second", START + 1)
    database.save("third", START + 2)
    journal = folder / "world.db.journal"
    journal.mkdir()
    (journal / SEGMENT).write_text("changes to the third")
    return database


def test_a_generation_is_brought_back_and_the_present_file_kept(
    saved: Database,
) -> None:
    chosen = find_generation(saved.path, "original")
    done = restore_generation(saved.path, chosen, log=saved.note)
    assert saved.path.read_text() == "first"
    assert not os.path.samefile(saved.path, chosen.path)
    assert done.kept == str(saved.folder / "2026-11-16T12-00-02Z_0002.db")
    assert saved.kept() == {
        "original.db": "first",
        "2026-11-16T12-00-01Z_0001.db": "second",
        "2026-11-16T12-00-02Z_0002.db": "third",
    }
    aside = saved.path.with_name("world.db.journal.of-2026-11-16T12-00-02Z_0002")
    assert done.journal == str(aside)
    assert (aside / SEGMENT).read_text() == "changes to the third"
    assert (aside / "set-aside.txt").read_text() == (
        f"These changes were made to {done.kept}.\n"
        f"They do not fit {saved.path}, which is original since.\n"
        "To have that file with them, in saved.db:\n"
        f"  pymoo db recover {done.kept} saved.db --journal {aside}\n"
    )
    assert sorted(each.name for each in saved.path.parent.iterdir()) == [
        "world.db",
        "world.db.backups",
        aside.name,
    ]
    assert saved.log == []


def test_bringing_back_removes_no_generation(saved: Database) -> None:
    for number in range(6):
        saved.save(f"{number}", START + number + 3)
    count = len(saved.kept())
    saved.restore("2026-11-16T12-00-01Z")
    saved.restore("original")
    assert saved.path.read_text() == "first"
    assert len(saved.kept()) == count + 2


def test_a_journal_set_aside_takes_no_other_s_place(saved: Database) -> None:
    folder = saved.path.parent
    saved.restore("original")
    for number in range(2):
        journal = folder / "world.db.journal"
        journal.mkdir()
        (journal / SEGMENT).write_text(f"{number}")
        saved.path.unlink()
        saved.restore("last")
    texts = {
        each.name: (each / SEGMENT).read_text()
        for each in folder.glob("world.db.journal*")
    }
    assert texts == {
        "world.db.journal.of-2026-11-16T12-00-02Z_0002": "changes to the third",
        "world.db.journal.of-no-file": "0",
        "world.db.journal.of-no-file-2": "1",
    }


def test_a_folder_without_a_journal_stays(saved: Database) -> None:
    journal = saved.path.with_name("world.db.journal")
    (journal / SEGMENT).unlink()
    chosen = find_generation(saved.path, "original")
    assert restore_generation(saved.path, chosen).journal is None
    assert journal.is_dir()


def test_a_file_that_was_lost_is_brought_back(saved: Database) -> None:
    saved.path.unlink()
    chosen = find_generation(saved.path, "last")
    assert restore_generation(saved.path, chosen).kept is None
    assert saved.path.read_text() == "second"


def state_of(database: Database) -> tuple[str, bool]:
    """The text of the file, and whether it has its journal; nothing is torn."""
    whole(database, "first", "second", "third")
    text = database.path.read_text()
    journals = [*database.path.parent.glob("world.db.journal*")]
    assert len(journals) == 1
    assert (journals[0] / SEGMENT).read_text() == "changes to the third"
    return text, journals[0].name == "world.db.journal"


@pytest.mark.parametrize("number", ERRORS)
@pytest.mark.usefixtures("with_and_without_links")
def test_whatever_fails_while_bringing_back_all_is_as_before(
    tmp_path: Path, number: int
) -> None:
    failed = set()
    at = 0
    while True:
        at += 1
        (tmp_path / str(at)).mkdir()
        database = saved_in(tmp_path / str(at))
        chosen = find_generation(database.path, "original")
        error = None
        with faults(at, refuse(number)) as made:
            try:
                restore_generation(database.path, chosen, log=database.note)
            except BackupError as raised:
                error = str(raised)
        if made.count < at:
            break
        failed.add(made.name)
        if error is not None:
            assert error.startswith(f"{database.path}: ")
            assert os.strerror(number) in error
            if "cannot be renamed" in error:
                assert state_of(database) == ("first", True)
                assert error.endswith("Rename it before a server is started")
            else:
                assert state_of(database) == ("third", True)
        else:
            assert state_of(database) == ("first", False)
            assert "third" in database.kept().values()
        if made.name != "remove":
            assert [*database.path.parent.glob("*.restoring")] == []
    assert failed >= {"fsync", "open", "copyfileobj", "rename", "replace", "stat"}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.usefixtures("with_and_without_links")
def test_whenever_one_is_killed_while_bringing_back_the_file_is_whole(
    tmp_path: Path, after: bool
) -> None:
    seen = set()
    at = 0
    while True:
        at += 1
        (tmp_path / str(at)).mkdir()
        database = saved_in(tmp_path / str(at))
        was_killed = killed_at(partial(database.restore, "original"), at, after=after)
        state = state_of(database)
        seen.add(state)
        if state[0] == "first":
            assert "third" in database.kept().values()
        if not was_killed:
            break
        database.log.clear()
        database.restore("original")
        assert state_of(database) == ("first", False)
        assert "third" in database.kept().values()
    # Never the third without what was done to it.
    assert seen == {("third", True), ("first", True), ("first", False)}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.usefixtures("with_and_without_links")
def test_whenever_one_is_killed_while_a_journal_gets_its_place_again_none_is_lost(
    tmp_path: Path, after: bool
) -> None:
    at = 0
    while True:
        at += 1
        folder = tmp_path / str(at)
        folder.mkdir()
        database = Database(folder)
        database.write("first", START)
        database.save("second", START + 1)
        journal = folder / "world.db.journal"
        begin_journal(journal, database.path)
        database.restore("original")
        begin_journal(journal, database.path)
        of_first, of_second = (
            (each / SEGMENT).read_bytes()
            for each in (journal, *folder.glob("world.db.journal.of-*"))
        )
        assert of_first != of_second
        name = "2026-11-16T12-00-01Z_0001"
        was_killed = killed_at(partial(database.restore, name), at, after=after)
        again = {each / SEGMENT for each in folder.glob("world.db.journal*")}
        assert {each.read_bytes() for each in again} == {of_first, of_second}
        if database.path.read_text() == "first":
            assert (journal / SEGMENT).read_bytes() == of_first
        if not (journal / SEGMENT).exists() or (
            (journal / SEGMENT).read_bytes() != of_second
        ):
            assert was_killed
            database.log.clear()
            database.restore(name)
        assert database.path.read_text() == "second"
        assert (journal / SEGMENT).read_bytes() == of_second
        assert not (journal / "set-aside.txt").exists()
        # The other one is called after the file it belongs to, also if that was told
        # by an attempt that was killed.
        [aside] = folder.glob("world.db.journal.of-*")
        owner = aside.name.removeprefix("world.db.journal.of-")
        assert (database.folder / f"{owner}.db").read_text() == "first"
        assert (aside / SEGMENT).read_bytes() == of_first
        if not was_killed:
            break
    assert at > 8


def begin_journal(folder: Path, path: Path) -> None:
    folder.mkdir()
    base = str(fingerprint(str(path)))
    beginning = Beginning(path.read_text(), "", base, "pymoo", 32)
    Segment(str(folder), 1, beginning).close()


def test_of_two_journals_of_a_file_the_last_one_gets_its_place_again(
    tmp_path: Path,
) -> None:
    database = Database(tmp_path)
    database.write("first", START)
    database.save("second", START + 1)
    name = "world.db.journal.of-original"
    for suffix in ("", "-9", "-10"):
        begin_journal(tmp_path / (name + suffix), database.folder / "original.db")
    done = restore_generation(
        database.path, find_generation(database.path, "original"), log=database.note
    )
    assert done.brought_back == str(tmp_path / f"{name}-10")
    assert done.left_aside == (str(tmp_path / name), str(tmp_path / f"{name}-9"))


def test_a_journal_that_cannot_be_renamed_is_named(
    saved: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = find_generation(saved.path, "original")
    monkeypatch.setattr(os, "rename", lambda *_: refuse(errno.ENOSPC)())
    with pytest.raises(BackupError) as raised:
        restore_generation(saved.path, chosen)
    assert saved.path.read_text() == "first"
    assert str(raised.value) == (
        f"{saved.path}: is original now, but {saved.path}.journal, whose changes do "
        "not belong to it, cannot be renamed: No space left on device. Rename it "
        "before a server is started"
    )
