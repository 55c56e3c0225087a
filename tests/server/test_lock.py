"""Two servers do not save to one file."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pymoo.server import lock
from pymoo.server.lock import LockedError, locked, locked_for_reading


def test_a_file_is_kept_for_one_server(tmp_path: Path) -> None:
    path = str(tmp_path / "world.db")
    with locked(path):
        with pytest.raises(LockedError) as refused, locked(path):
            raise AssertionError("both have it")
        assert str(refused.value) == (
            f"{path}: is being served already, by process {os.getpid()}. Stop that one "
            "first, or name another file to save to"
        )
    with locked(path):
        assert Path(f"{path}.lock").exists()
    assert not Path(f"{path}.lock").exists()


def test_a_lock_left_by_a_killed_server_is_no_obstacle(tmp_path: Path) -> None:
    path = str(tmp_path / "world.db")
    Path(f"{path}.lock").write_text("12345\n", encoding="ascii")
    with locked(path):
        assert Path(f"{path}.lock").read_text(encoding="ascii") == f"{os.getpid()}\n"


def test_a_lock_whose_file_was_removed_meanwhile_counts_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened before the one who had it let go of it, locked after: not the one."""
    path = str(tmp_path / "world.db")
    flock = fcntl.flock
    tried: list[int] = []
    with ExitStack() as before:
        before.enter_context(locked(path))

        def late(file: Any, how: int) -> None:
            if not tried:
                before.close()
            tried.append(os.fstat(file.fileno()).st_ino)
            flock(file, how)

        monkeypatch.setattr(fcntl, "flock", late)
        with locked(path):
            assert len(tried) == 2
            assert os.stat(f"{path}.lock").st_ino == tried[1]
            with pytest.raises(LockedError), locked(path):
                raise AssertionError("both have it")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere" / "world.db")
    with (
        pytest.raises(LockedError, match=r"world\.db\.lock: cannot be written"),
        locked(path),
    ):
        raise AssertionError("it has it")


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("of value\n", encoding="ascii")
    path = str(tmp_path / "world.db")
    Path(f"{path}.lock").symlink_to(mine)
    with (
        pytest.raises(LockedError, match=r"world\.db\.lock: cannot be written"),
        locked(path),
    ):
        raise AssertionError("it has it")
    assert mine.read_text(encoding="ascii") == "of value\n"


def test_on_a_full_disk_room_is_to_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What says who has the lock is the first that finds no room."""
    path = str(tmp_path / "world.db")

    def refuse(number: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(lock.os, "write", refuse)
    with pytest.raises(LockedError) as refused, locked(path):
        raise AssertionError("there is room")
    monkeypatch.undo()
    assert str(refused.value) == (
        f"{path}.lock: cannot be written: No space left on device. Make room in "
        f"{tmp_path}"
    )
    assert not Path(f"{path}.lock").exists()


@pytest.mark.parametrize("name", ["world.db.lock", "world.db.journal.lock"])
def test_what_nobody_can_write_to_is_read_without_a_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As after a fault of the disk, when what is there has to be saved."""
    refuse_to_open(monkeypatch, name, errno.EROFS)
    with locked_for_reading(str(tmp_path / "world.db")):
        pass
    with locked_for_reading(str(tmp_path / "no" / "world.db")):
        pass


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EACCES, "Copy the database and its journal to where you can write"),
        (errno.ENOSPC, "Make room in "),
    ],
)
def test_whoever_may_not_lock_is_told_how_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    refuse_to_open(monkeypatch, "world.db.lock", number)
    with (
        pytest.raises(LockedError, match=rf"cannot be written: .*\. {remedy}"),
        locked_for_reading(str(tmp_path / "world.db")),
    ):
        raise AssertionError("it cannot have been locked")


def refuse_to_open(monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
    """Have the system refuse to open files of that name."""
    really_open = os.open

    def refuse(path: Any, *arguments: Any, **options: Any) -> int:
        if os.path.basename(path) == name:
            raise OSError(number, os.strerror(number), path)
        return really_open(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
