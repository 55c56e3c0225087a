"""Generations of a database file: kept and removed; whatever happens."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pymoo.db.generations import (
    DEFAULT_POLICY,
    BackupError,
    KeepPolicy,
    begin_generations,
    find_generation,
    generations,
    keep_generation,
    keep_original,
    remove_old,
)
from tests.db.faults import faults, killed_at, refuse
from tests.db.saved_files import DAY, ERRORS, START, Database, whole

# --- keep ---------------------------------------------------------------------------


@pytest.mark.usefixtures("with_and_without_links")
def test_the_first_is_the_original_and_the_others_have_time_and_number(
    database: Database,
) -> None:
    database.save("second", START + 5)
    database.save("third", START + 3_600)
    database.keep()
    assert database.kept() == {
        "original.db": "first",
        "2026-11-16T12-00-05Z_0001.db": "second",
        "2026-11-16T13-00-00Z_0002.db": "third",
    }
    assert database.log == []
    assert [each.name for each in generations(database.path)] == [
        "2026-11-16T13-00-00Z_0002",
        "2026-11-16T12-00-05Z_0001",
        "original",
    ]


def test_keeping_returns_where_the_file_is_then(database: Database) -> None:
    assert database.keep() == str(database.folder / "original.db")
    database.write("second", START + 1)
    kept = database.keep()
    assert kept == str(database.folder / "2026-11-16T12-00-01Z_0001.db")
    assert Path(kept).read_text() == "second"
    assert os.path.samefile(kept, database.path), "a link takes no room"


@pytest.mark.usefixtures("with_and_without_links")
def test_what_is_kept_already_is_not_kept_again(database: Database) -> None:
    """As when a dump fails after the file was kept, again and again."""
    database.save("second", START + 1)
    kept = database.keep()
    for _ in range(3):
        assert database.keep() == kept
    assert len(database.kept()) == 2
    assert len([*database.folder.iterdir()]) == 2


def test_the_original_is_a_copy_that_outlives_whoever_writes_into_the_file(
    database: Database,
) -> None:
    assert keep_original(database.path) == str(database.folder / "original.db")
    with database.path.open("w") as stream:  # as cp does
        stream.write("somebody else's")
    assert database.kept() == {"original.db": "first"}
    assert keep_original(database.path) is None
    assert database.keep() is not None
    assert "somebody else's" in database.kept().values()


def test_a_file_that_pymoo_makes_itself_has_no_original(tmp_path: Path) -> None:
    database = Database(tmp_path)
    assert database.keep() is None  # there is nothing yet
    assert "no original.db here" in (database.folder / "no-original.txt").read_text()
    database.write("first", START)
    assert keep_original(database.path) is None
    database.keep()
    assert database.kept() == {"2026-11-16T12-00-00Z_0001.db": "first"}


def test_a_new_file_is_noted_before_anything_else(database: Database) -> None:
    for _ in range(2):
        begin_generations(database.path, log=database.note)
    database.save("second", START + 1)
    assert list(database.kept()) == ["2026-11-16T12-00-00Z_0001.db"]
    assert database.log == []


def test_an_original_that_was_removed_is_not_made_of_a_later_file(
    database: Database,
) -> None:
    for number in range(3):
        database.save(f"{number}", START + number + 1)
    (database.folder / "original.db").unlink()
    assert keep_original(database.path) is None
    database.keep()
    assert "original.db" not in database.kept()


def test_a_symbolic_link_is_not_what_is_kept(tmp_path: Path) -> None:
    real = Database(tmp_path)
    real.write("elsewhere", START)
    path = tmp_path / "name.db"
    path.symlink_to(real.path)
    begin_generations(path)
    kept = keep_generation(path)
    assert kept is not None
    assert not os.path.islink(kept)
    path.unlink()
    path.write_text("new")
    assert Path(kept).read_text() == "elsewhere"


@pytest.mark.usefixtures("with_and_without_links")
def test_whoever_may_not_read_the_file_may_not_read_what_is_kept(
    database: Database,
) -> None:
    for number, mode in enumerate((0o600, 0o640)):
        database.write(f"{number}", START + number + 1)
        database.path.chmod(mode)
        kept = database.keep()
        assert kept is not None
        assert os.stat(kept).st_mode & 0o777 == mode


def test_other_files_in_the_folder_are_left_alone(database: Database) -> None:
    database.save("second", START + 1)
    names = [
        "before the party.db",
        "2026-11-16T12-00-01Z.db",
        "2026-13-16T12-00-01Z_0001.db",
        "notes.txt",
    ]
    for name in names:
        (database.folder / name).write_text("mine")
    for number in range(30):
        database.save(f"{number}", START + number + 2, KeepPolicy(1, 0, 0))
    for name in names:
        assert (database.folder / name).read_text() == "mine"
    listed = {each.name: each.kinds for each in generations(database.path)}
    assert listed["before the party"] == ("by hand",)
    assert listed["2026-13-16T12-00-01Z_0001"] == ("by hand",)
    assert "notes" not in listed


def test_a_time_that_no_calendar_has_is_no_obstacle(database: Database) -> None:
    database.keep()
    for number, at in enumerate((-1e9, 1e11)):
        database.write(f"{number}", at)
        assert database.keep() is not None
    assert database.log == []
    assert [each.number for each in generations(database.path)] == [2, 1, None]


# --- which are removed ----------------------------------------------------------------


def test_the_last_ones_and_one_a_day_and_one_a_week_stay(database: Database) -> None:
    policy = KeepPolicy(last=3, days=4, weeks=3)
    for hour in range(0, 24 * 30, 6):
        database.save(f"{hour}", START + hour * 3_600, policy)
    database.keep(policy)
    found = generations(database.path, policy)
    assert [(each.name[:13], each.kinds) for each in found] == [
        ("2026-12-16T06", ("last", "daily", "weekly")),
        ("2026-12-16T00", ("last",)),
        ("2026-12-15T18", ("last", "daily")),
        ("2026-12-14T18", ("daily",)),
        ("2026-12-13T18", ("daily", "weekly")),
        ("2026-12-06T18", ("weekly",)),
        ("original", ("original",)),
    ]


def test_a_clock_that_was_put_back_takes_nothing_that_is_newer(
    database: Database,
) -> None:
    policy = KeepPolicy(last=2, days=0, weeks=0)
    for year in (2035, 2034, 2033, 2032):
        at = datetime(year, 1, 1, tzinfo=UTC).timestamp()
        database.save(f"{year}", at, policy)
    database.keep(policy)
    assert database.kept() == {
        "original.db": "first",
        "2033-01-01T00-00-00Z_0003.db": "2033",
        "2032-01-01T00-00-00Z_0004.db": "2032",
    }


def test_files_of_the_same_second_have_names_of_their_own(database: Database) -> None:
    database.keep()
    for number in range(5):
        database.write(f"{number}", START + number / 10)
        database.keep()
    assert sorted(database.kept().values()) == ["0", "1", "2", "3", "4", "first"]


def test_a_year_without_the_server_costs_no_generation(database: Database) -> None:
    for day in range(7):
        database.save(f"{day}", START + day * DAY)
    before = set(database.kept())
    database.save("a year later", START + 372 * DAY)
    assert before < set(database.kept())


@settings(max_examples=40)
@given(
    times=st.lists(st.integers(-20 * DAY, 20 * DAY), max_size=30),
    policy=st.builds(
        KeepPolicy, st.integers(1, 4), st.integers(0, 4), st.integers(0, 4)
    ),
)
def test_what_stays_is_what_the_policy_says_of_all_there_ever_were(
    tmp_path_factory: pytest.TempPathFactory, times: list[int], policy: KeepPolicy
) -> None:
    """Whatever the clock does.  (What was removed once would not be wanted again.)"""
    database = Database(tmp_path_factory.mktemp("any"))
    begin_generations(database.path)
    for number, offset in enumerate(times):
        database.write(f"{number}", START + offset)
        database.keep(policy)
    wanted = {*range(len(times))[-policy.last :]}
    for count, length in ((policy.days, DAY), (policy.weeks, 7 * DAY)):
        seen: list[int] = []
        for number, offset in reversed([*enumerate(times)]):
            monday = START - DAY / 2
            period = int((START + offset - monday) // length)
            if period not in seen and len(seen) < count:
                seen.append(period)
                wanted.add(number)
    assert {int(text) for text in database.kept().values()} == wanted
    assert database.log == []
    shutil.rmtree(database.folder, ignore_errors=True)


def test_a_policy_that_keeps_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="'last' must be >= 1"):
        KeepPolicy(last=0)


def test_what_cannot_be_removed_is_logged_and_the_others_go(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        database.save(f"{number}", START + number + 1)
    real = os.remove

    def remove(path: str) -> None:
        if path.endswith("_0002.db"):
            raise PermissionError(errno.EACCES, "Permission denied")
        real(path)

    monkeypatch.setattr(os, "remove", remove)
    remove_old(database.path, KeepPolicy(2, 0, 0), log=database.note)
    assert sorted(database.kept().values()) == ["1", "3", "4", "first"]
    (line,) = database.log
    assert line == (
        f"{database.folder}/2026-11-16T12-00-02Z_0002.db: this old backup cannot be "
        f"removed: Permission denied. Let this user write in {database.folder}"
    )


# --- names ----------------------------------------------------------------------------


def test_a_generation_is_found_by_the_beginning_of_its_name(
    database: Database,
) -> None:
    database.save("second", START + DAY)
    database.save("third", START + 2 * DAY)
    database.keep()
    path = database.path
    for name, text in (
        ("2026-11-17", "second"),
        ("2026-11-17T12-00-00Z_0001", "second"),
        ("2026-11-17T12-00-00Z_0001.db", "second"),
        (f"{database.folder}/2026-11-17T12-00-00Z_0001.db", "second"),
        ("orig", "first"),
        ("last", "third"),
    ):
        assert Path(find_generation(path, name).path).read_text() == text
    with pytest.raises(BackupError) as missing:
        find_generation(path, "2027")
    assert str(missing.value) == (
        f"{path}: there is no backup '2027' of it. See what there is: pymoo backup "
        f"list {path}"
    )
    with pytest.raises(BackupError) as several:
        find_generation(path, "2026-11")
    assert str(several.value) == (
        f"{path}: more than one backup is called '2026-11': "
        "2026-11-18T12-00-00Z_0002, 2026-11-17T12-00-00Z_0001. Say which"
    )
    for name in ("", ".db"):
        with pytest.raises(BackupError, match="there is no backup"):
            find_generation(path, name)


# --- when the system refuses -----------------------------------------------------


def test_a_checkpoint_goes_on_where_nothing_can_be_kept(database: Database) -> None:
    database.folder.write_text("in the way")
    assert database.keep() is None
    assert database.log == [
        f"{database.path}: cannot be kept in {database.folder}: Not a directory. Give "
        f"what is in the way of {database.folder} another name. The database is saved "
        "all the same"
    ]
    with pytest.raises(BackupError, match=r"another name\. Nothing was changed"):
        keep_generation(database.path, must=True)


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "Make room in {folder}"),
        (
            errno.EFBIG,
            "Let files be as large there, by `ulimit -f` or another file system",
        ),
        (errno.EIO, "Look after that disk"),
    ],
)
def test_what_the_disk_refuses_is_told_with_its_remedy(
    database: Database, monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    """Also on a file system without links."""
    database.save("second", START + 1)

    def fail(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", fail)
    monkeypatch.setattr(shutil, "copyfileobj", fail)
    assert database.keep() is None
    assert database.log == [
        f"{database.path}: cannot be kept in {database.folder}: "
        f"{os.strerror(number)}. {remedy.format(folder=database.folder)}. The database "
        "is saved all the same"
    ]
    assert [*database.folder.iterdir()] == [database.folder / "original.db"]


def test_an_original_needs_no_room_where_there_are_links(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "copyfileobj", refuse_all)
    assert database.keep() == str(database.folder / "original.db")
    assert database.kept() == {"original.db": "first"}


def refuse_all(*arguments: object) -> None:
    refuse(errno.ENOSPC)()


def one_too_many(database: Database) -> KeepPolicy:
    """Have two generations kept, of which the policy that is returned wants one."""
    for number in (1, 2, 3):
        database.save(f"{number}", START + number)
    return KeepPolicy(2, 0, 0)


def the_first_of_all(database: Database) -> KeepPolicy:
    return DEFAULT_POLICY


SITUATIONS = [one_too_many, the_first_of_all]


@pytest.mark.parametrize("number", ERRORS)
@pytest.mark.parametrize("prepare", SITUATIONS)
@pytest.mark.usefixtures("with_and_without_links")
def test_whatever_fails_while_keeping_nothing_is_lost(
    tmp_path: Path, prepare: Callable[[Database], KeepPolicy], number: int
) -> None:
    failed = set()
    at = 0
    while True:
        at += 1
        (tmp_path / str(at)).mkdir()
        database = Database(tmp_path / str(at))
        database.write("first", START)
        policy = prepare(database)
        present = database.path.read_text()
        before = database.kept()
        with faults(at, refuse(number)) as made:
            kept = database.keep(policy)
        if made.count < at:
            break
        failed.add(made.name)
        assert database.path.read_text() == present
        whole(database, "first", "1", "2", "3")
        if kept is None:
            assert database.kept() == before
            (line,) = database.log
            assert line.startswith(f"{database.path}: cannot be kept in ")
            assert os.strerror(number) in line
            assert line.endswith(". The database is saved all the same")
        else:
            assert Path(kept).read_text() == present
            assert all(str(database.folder) in line for line in database.log)
        database.log.clear()
        assert database.keep(policy) is not None
        assert present in database.kept().values()
        assert database.log == []
    assert failed >= {"fsync", "open", "scandir", "stat"}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("prepare", SITUATIONS)
@pytest.mark.usefixtures("with_and_without_links")
def test_whenever_one_is_killed_while_keeping_nothing_is_lost(
    tmp_path: Path, prepare: Callable[[Database], KeepPolicy], after: bool
) -> None:
    at = 0
    while True:
        at += 1
        (tmp_path / str(at)).mkdir()
        database = Database(tmp_path / str(at))
        database.write("first", START)
        policy = prepare(database)
        present = database.path.read_text()
        texts = {"first", "1", "2", "3"}
        before = database.kept()
        database.folder.mkdir(exist_ok=True)
        if not before:
            database.folder.rmdir()
        was_killed = killed_at(partial(database.keep, policy), at, after=after)
        assert database.path.read_text() == present
        whole(database, *texts)
        assert database.keep(policy) is not None
        assert database.log == []
        assert present in database.kept().values()
        assert not [*database.folder.glob("*.tmp")]
        if not was_killed:
            break
    assert at > 5
