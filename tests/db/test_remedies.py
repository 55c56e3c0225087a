"""Remedies: commands that can be typed as they are."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from pymoo.db.beside import backups_folder
from pymoo.db.remedies import (
    backups_command,
    debug_command,
    doctor_command,
    earlier_copy_remedy,
    no_room_remedy,
    passwd_command,
    recover_command,
    repair_command,
)


def test_a_command_that_saves_what_can_be_saved_names_the_files() -> None:
    assert recover_command("core.db") == "pymoo db recover core.db core.recovered.db"
    assert recover_command("a b/core") == (
        "pymoo db recover 'a b/core' 'a b/core.recovered.db'"
    )
    assert recover_command("in.db", journal="out.db.journal") == (
        "pymoo db recover in.db in.recovered.db --journal out.db.journal"
    )
    assert recover_command("in.db", target="b.db") == "pymoo db recover in.db b.db"
    assert repair_command("a b.db") == "pymoo db repair 'a b.db' 'a b.repaired.db'"
    assert backups_command("a b.db") == "pymoo backup list 'a b.db'"
    assert passwd_command("a b.db", "#2") == "pymoo passwd 'a b.db' '#2'"
    assert doctor_command("a b.db") == "pymoo doctor 'a b.db'"
    assert debug_command("a b.db", "#0:do") == "pymoo debug 'a b.db' '#0:do'"


def test_earlier_copies_are_named_where_there_are_some(tmp_path: Path) -> None:
    path = str(tmp_path / "core.db")
    assert earlier_copy_remedy(path) == "Take an earlier copy of the file"
    Path(backups_folder(path)).mkdir()
    assert earlier_copy_remedy(path) == (
        f"Take an earlier copy of the file ({backups_command(path)})"
    )


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_want_of_room_is_mended_by_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    full = OSError(code, "full")
    assert no_room_remedy(full, str(tmp_path)) == f"Make room in {tmp_path}"
    monkeypatch.chdir(tmp_path)
    assert no_room_remedy(full, "") == f"Make room in {tmp_path}"
    assert no_room_remedy(OSError(errno.EACCES, "no"), str(tmp_path)) is None
