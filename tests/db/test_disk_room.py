"""How much room there is for a database and its journal."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from pymoo.db import disk_room
from pymoo.db.disk_room import DiskRoom, disk_rooms
from pymoo.db.journal_file import folder_of


def test_the_room_for_dumps_is_that_of_their_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkdir(folder_of("my.db"))
    [room] = disk_rooms("my.db")
    assert room.folder == str(tmp_path)
    assert 0 < room.free <= shutil.disk_usage(tmp_path).total


def test_a_journal_on_another_disk_has_room_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "my.db")
    os.mkdir(folder_of(path))
    rooms = {str(tmp_path): 10, folder_of(path): 20}
    monkeypatch.setattr(disk_room, "_device", rooms.__getitem__)
    monkeypatch.setattr(
        shutil, "disk_usage", lambda folder: SimpleNamespace(free=rooms[folder])
    )
    assert disk_rooms(path) == [DiskRoom(*each) for each in rooms.items()]
