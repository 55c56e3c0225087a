"""What a start does about a journal that another server has left."""

from __future__ import annotations

import io
import os
import shutil
import time
from pathlib import Path

import pytest

from pymoo.db.journal_file import (
    chain_after,
    fingerprint,
    segment_numbers,
    segment_path,
)
from pymoo.db.redo import JournalError
from pymoo.db.remedies import recover_command
from pymoo.server import disk_journal, recovering
from pymoo.server.app import Server
from pymoo.server.log import Log
from pymoo.server.recovering import OVERGROWN_SEGMENTS, LeftJournal
from pymoo.tasks.clock import ManualClock
from pymoo.values import Obj
from tests.server.failing_disk import (
    Played,
    database_in,
    found,
    found_in_copy,
    mark_of,
)
from tests.server.processes import ServerProcess


@pytest.fixture
def played(tmp_path: Path) -> Played:
    """A server that was killed: whoever played had come to 3."""
    played = Played(tmp_path / "w")
    for mark in (1, 2, 3):
        played.mark(mark)
    return played


def log() -> tuple[Log, io.BytesIO]:
    stream = io.BytesIO()
    return Log(ManualClock(), stream), stream


def test_what_was_done_is_there_and_the_log_says_so(played: Played) -> None:
    started, stream = log()
    textdump, left = found(played.folder, started)
    assert mark_of(textdump) == 3
    assert left.is_there
    assert b"RECOVERED: 6 records of" in stream.getvalue()
    assert b"not finished" not in stream.getvalue()


def test_what_was_never_finished_is_cut_off(played: Played) -> None:
    path = Path(segment_path(played.journal.folder, 1))
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    started, stream = log()
    textdump, _ = found(played.folder, started)
    assert mark_of(textdump) == 2
    assert b"one more was not finished, and nobody has seen what it did" in (
        stream.getvalue()
    )
    assert data.startswith(path.read_bytes())
    again, stream = log()
    assert mark_of(found(played.folder, again)[0]) == 2
    assert b"not finished" not in stream.getvalue()


def test_a_damaged_journal_is_not_used_in_silence(played: Played) -> None:
    path = Path(segment_path(played.journal.folder, 1))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    base = str(database_in(played.folder))
    with pytest.raises(JournalError, match=rf"byte \d+ of {len(data)}: ") as refusal:
        found(played.folder)
    # The file that it began at is another than the one which is to be replaced.
    assert str(refusal.value).endswith(
        f"can be saved: {recover_command(base, journal=played.journal.folder)}"
    )
    assert path.read_bytes() == data  # it is left for whoever looks


def test_j5_a_journal_of_another_file_is_set_aside_and_never_applied(
    played: Played,
) -> None:
    """As when the owner puts back yesterday's database."""
    played.type("dump_database();")
    wait(played)
    yesterday = played.output.read_bytes()
    played.mark(4)
    played.type("dump_database();")
    wait(played)
    played.mark(5)
    today = played.output.read_bytes()
    played.output.write_bytes(yesterday)
    started, stream = log()
    textdump, left = found(played.folder, started)
    assert mark_of(textdump) == 3
    assert not left.is_there
    (aside,) = played.folder.glob("out.db.journal.*")
    text = stream.getvalue().decode()
    assert f"does not belong to {played.output} as it is now" in text
    assert f"kept as {aside}" in text
    assert not os.path.exists(played.journal.folder)
    # Should they find that it was a mistake, they can put both back.
    played.output.write_bytes(today)
    aside.rename(played.journal.folder)
    assert mark_of(found(played.folder)[0]) == 5


def wait(played: Played) -> None:
    deadline = time.monotonic() + 60
    while played.server.dumps.is_writing:
        assert time.monotonic() < deadline
        time.sleep(0.01)
        played.process.run()


def test_j5_as_many_as_are_set_aside_have_names_of_their_own(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovering.time, "strftime", lambda *given: "now")
    database_in(played.folder).write_bytes(
        database_in(played.folder).read_bytes().replace(b"Wizard", b"Wizzard", 1)
    )
    kept = played.folder / "kept"
    shutil.copytree(played.journal.folder, kept)
    for count in (1, 2, 3):
        found(played.folder)
        assert len(list(played.folder.glob("out.db.journal.now*"))) == count
        shutil.copytree(kept, played.journal.folder)


def test_a_journal_of_another_width_needs_the_profile_that_it_was_written_with(
    played: Played,
) -> None:
    base = database_in(played.folder)
    left = LeftJournal(str(base), str(played.output), log()[0])
    textdump = Played(played.folder.parent / "other").server._state()
    with pytest.raises(JournalError, match="Serve the database with that --profile"):
        left.apply(textdump, 64)


def test_a_new_journal_begins_where_the_old_one_ends(played: Played) -> None:
    _, left = found(played.folder)
    assert left.origin.after
    again = Played(played.folder, is_new=False)
    again.mark(4)
    base = fingerprint(str(database_in(played.folder)))
    chain = chain_after(played.journal.folder, base)
    assert chain is not None
    assert len(chain.segments) == 2
    assert mark_of(found(played.folder)[0]) == 4


def test_who_is_not_there_any_more_is_said_to_have_left(played: Played) -> None:
    """The database hears of it, as after a shutdown."""
    played.type("#0.seen = {};")
    again = Played(played.folder, is_new=False)
    seen = again.type("return #0.seen;")[-1]
    assert seen.startswith('{{"user_disconnected", #0, #3, ')


def test_so_it_is_if_the_start_before_was_killed_as_well(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        """Ends a start where the journal has begun and nobody was told yet."""

    def killed(server: Server) -> None:
        raise KilledError

    played.type("#0.seen = {};")
    with monkeypatch.context() as patch:
        patch.setattr(Server, "start", killed)
        for _ in range(2):
            with pytest.raises(KilledError):
                Played(played.folder, is_new=False)
    again = Played(played.folder, is_new=False)
    seen = again.type("return #0.seen;")[-1]
    assert seen.count("user_disconnected") == 1
    # Once they were told of, they are not told of again.
    again.type("#0.seen = {};")
    found_now = found_in_copy(played.folder).connections
    assert [each.player for each in found_now] == [Obj(3)]


def test_a_journal_that_was_never_folded_is_written_into_the_file_at_a_start(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or each start of a server that is killed soon would take longer."""
    monkeypatch.setattr(disk_journal, "MANY_SEGMENTS", 10**6)  # no checkpoint before
    for _ in range(OVERGROWN_SEGMENTS - 2):
        Played(played.folder, is_new=False)
    assert not found_overgrown(played)
    again = Played(played.folder, is_new=False)
    again.mark(4)
    assert found_overgrown(played)
    command = ("serve", "{input}", "{output}", "--port", "0", "--log", "{log}")
    with ServerProcess(played.folder, *command) as server:
        assert server.port
        assert segment_numbers(played.journal.folder) == [1]
        server.process.kill()
        server.process.wait()
    assert not found_overgrown(played)
    assert mark_of(found(played.folder)[0]) == 4


def found_overgrown(played: Played) -> bool:
    base = database_in(played.folder)
    return LeftJournal(str(base), str(played.output), log()[0]).is_overgrown


def test_without_a_journal_nothing_is_done(tmp_path: Path) -> None:
    played = Played(tmp_path / "w")
    played.mark(1)
    played.process.shut_down()
    textdump, left = found(played.folder)
    assert mark_of(textdump) == 1
    assert not left.is_there
    assert left.origin.base == fingerprint(str(played.output))


def test_old_segments_that_cannot_be_removed_are_no_reason_not_to_start(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(segment_path(played.journal.folder, 7)).write_bytes(b"")

    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(recovering, "remove_segments", refuse)
        started, stream = log()
        assert mark_of(found(played.folder, started)[0]) == 3
        assert b"Permission denied" in stream.getvalue()
    found(played.folder)
    assert not os.path.exists(segment_path(played.journal.folder, 7))
