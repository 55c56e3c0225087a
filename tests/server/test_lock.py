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
from pymoo.server.lock import LockedError, locked


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
