"""What the journal of a server that runs would give, were it killed now."""

from __future__ import annotations

import io
from pathlib import Path

from pymoo.db.journal_file import Chain, chain_after, fingerprint
from pymoo.db.recovery import Recovery, recover
from pymoo.db.textdump import Textdump, dump
from pymoo.server.app import Server
from pymoo.server.database import open_database


def dump_of(textdump: Textdump) -> bytes:
    """Return a textdump as it is written."""
    stream = io.BytesIO()
    dump(
        textdump.world,
        stream,
        tasks=textdump.tasks,
        connections=textdump.connections,
        extras=textdump.extras,
    )
    return stream.getvalue()


def live_dump(server: Server) -> bytes:
    """Return the dump that a server would write."""
    return dump_of(server._state())


def recovered(server: Server, database: Path, end_at: int | None = None) -> Recovery:
    """Return what is recovered of a database file and the journal of a server."""
    journal = server.dumps.journal
    assert journal is not None
    chain = chain_after(journal.folder, fingerprint(str(database)))
    assert isinstance(chain, Chain)
    textdump = open_database(
        database, server.engine.dialect, check=False, use_journal=False
    ).textdump
    recovery, damage = recover(textdump, journal.folder, chain, end_at=end_at)
    assert damage is None
    return recovery


def check_journal(server: Server, database: Path) -> None:
    """Make sure that database file and journal lead to the dump of a server.

    As a checkpoint would read them, which ends the segment with a mark.
    """
    journal = server.dumps.journal
    assert journal is not None
    journal.commit()
    wanted = live_dump(server)
    rotation = journal.rotate()
    assert rotation is not None
    at_mark = recovered(server, database, end_at=rotation.last)
    assert at_mark.is_at_mark
    assert dump_of(at_mark.result()) == wanted
    # Beyond it the order of tasks is another one, but they are the same.
    world = recovered(server, database).result().world
    assert dump_of(Textdump(world)) == dump_of(Textdump(server.engine.world))
