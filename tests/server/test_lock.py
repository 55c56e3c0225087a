"""Two servers do not save to one file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere" / "world.db")
    with (
        pytest.raises(LockedError, match=r"world\.db\.lock: cannot be written"),
        locked(path),
    ):
        raise AssertionError("it has it")
