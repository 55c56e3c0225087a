"""A database file that is saved, whose generations are kept, for tests."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

from pymoo.db.generations import (
    DEFAULT_POLICY,
    KeepPolicy,
    find_generation,
    keep_generation,
)
from pymoo.db.restoring import restore_generation

DAY = 86_400
SEGMENT = "00000001.segment"
START = datetime(2026, 11, 16, 12, tzinfo=UTC).timestamp()  # a Monday
ERRORS = [errno.ENOSPC, errno.EACCES, errno.EIO]


class Database:
    """A database file that is saved now and then."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "world.db"
        self.folder = folder / "world.db.backups"
        self.log: list[str] = []

    def note(self, text: str, is_error: bool) -> None:
        assert is_error
        self.log.append(text)

    def write(self, text: str, at: float = START) -> None:
        """Replace the file, as a checkpoint does."""
        new = self.path.with_name("new")
        new.write_text(text)
        os.utime(new, (at, at))
        new.replace(self.path)

    def keep(self, policy: KeepPolicy = DEFAULT_POLICY) -> str | None:
        return keep_generation(self.path, policy, log=self.note)

    def save(self, text: str, at: float, policy: KeepPolicy = DEFAULT_POLICY) -> None:
        self.keep(policy)
        self.write(text, at)

    def kept(self) -> dict[str, str]:
        """What has the name of a database in the folder, and its text."""
        return {each.name: each.read_text() for each in self.folder.glob("*.db")}

    def restore(self, name: str) -> None:
        restore_generation(self.path, find_generation(self.path, name), log=self.note)


def whole(database: Database, *texts: str) -> None:
    """What has the name of a generation is one of the files that were there (G1)."""
    assert set(database.kept().values()) <= set(texts)
