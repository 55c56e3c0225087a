"""A database file and its journal, as a server leaves them that was killed."""

from __future__ import annotations

from pathlib import Path

from pymoo.db.journal_file import (
    Beginning,
    Fingerprint,
    Segment,
    folder_of,
    segment_numbers,
)
from pymoo.lang.dialect import PYMOO
from pymoo.server.durability import Durability
from pymoo.server.inprocess import InProcessServer
from tests.db.worlds import ROOT, WIZARD, dumped
from tests.server.online import small_world

MARK_IN_JOURNAL = 17


def leave_changes(path: Path) -> Path:
    """Make a world whose players have passwords; return the folder of its journal.

    That `#0.mark` is `MARK_IN_JOURNAL` stands there, and not in the file.
    """
    world = small_world()
    world.add_property(ROOT, "password", "impossible", WIZARD, 0)
    path.write_bytes(dumped(world))
    server = InProcessServer.open(path, path, PYMOO, durability=Durability.BATCH)
    client = server.connect()
    for line in ("#3", f";#0.mark = {MARK_IN_JOURNAL};"):
        client.send_line(line)
        server.run()
    assert client.take_lines()[-1] == "0"
    journal = server.server.dumps.journal
    assert journal is not None
    journal.close()
    folder = Path(folder_of(str(path)))
    assert segment_numbers(str(folder)) == [1]
    return folder


def leave_another_s_journal(path: Path) -> Path:
    """Make the journal of another file; return its folder."""
    folder = Path(folder_of(str(path)))
    folder.mkdir()
    base = str(Fingerprint(5, "another"))
    Segment(str(folder), 1, Beginning("name", "", base, "pymoo", 32)).close()
    return folder
