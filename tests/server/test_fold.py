"""A checkpoint made of the last one and the journal, by a process of its own."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pymoo.db.checkpoint import DumpReason, PendingDump
from pymoo.db.journal_file import fingerprint, held, segment_path
from pymoo.server import fold
from pymoo.server.fold import STOPPED, UNUSABLE, Fold
from tests.db.held import is_held
from tests.server.failing_disk import (
    Played,
    database_in,
    folding_here,
    found_in_copy,
    mark_of,
    state_of,
)
from tests.server.journalled import check_journal, dump_of
from tests.server.processes import ServerProcess


def job_of(played: Played) -> Fold:
    """Set the mark of a checkpoint; return what is to be folded."""
    rotation = played.journal.rotate()
    assert rotation is not None
    pending = PendingDump(
        f"{played.output}.#9#", str(played.output), 9, DumpReason.CHECKPOINT
    )
    return Fold(
        str(database_in(played.folder)),
        played.journal.folder,
        rotation.last,
        rotation.following,
        pending,
        os.getpid(),
    )


def run(job: Fold, tmp_path: Path) -> tuple[int, str]:
    """Return how a process of `fold` ends, and what it says."""
    path = tmp_path / "said"
    with path.open("wb") as stdout:
        ended = folding_here(["", "", "", *job.arguments()], stdout=stdout)
    return ended.poll(), path.read_text()


@pytest.fixture
def played(tmp_path: Path) -> Played:
    played = Played(tmp_path / "w")
    played.mark(1)
    played.type("fork (60) endfork fork (0) suspend(50); endfork")
    return played


def test_a_job_is_the_same_after_it_was_a_command_line(played: Played) -> None:
    job = job_of(played)
    again = Fold.from_arguments(job.arguments())
    assert again.arguments() == job.arguments()


def test_f1_the_file_is_the_dump_of_the_moment_of_the_mark(
    played: Played, tmp_path: Path
) -> None:
    wanted = dump_of(played.server._state())
    job = job_of(played)
    played.mark(2)
    assert run(job, tmp_path)[0] == 0
    assert played.output.read_bytes() == wanted
    # And it and what follows make the present.
    assert state_of(found_in_copy(played.folder)) == state_of(played.server._state())


def test_f1_a_file_that_is_not_read_as_it_was_written_does_not_take_its_place(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(played)
    real = PendingDump.take_place

    def spoiled(pending: PendingDump, **options: object) -> None:
        path = Path(pending.temporary)
        path.write_bytes(path.read_bytes().replace(b"Wizard\n", b"Wizard\n\n", 1))
        real(pending, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(PendingDump, "take_place", spoiled)
    assert run(job, tmp_path)[0] == UNUSABLE
    assert not played.output.exists()
    assert not os.path.exists(job.pending.temporary)
    assert mark_of(found_in_copy(played.folder)) == 1


def test_f2_the_journal_knows_of_the_file_before_it_is_there(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(played)
    seen = []
    real = os.replace

    def look(source: str, target: str) -> None:
        if target == str(played.output):
            noted = Path(played.journal.folder, "base").read_text().split("\n")
            seen.append(f"{job.following} {fingerprint(source)}" in noted)
        real(source, target)

    monkeypatch.setattr(os, "replace", look)
    assert run(job, tmp_path)[0] == 0
    assert seen == [True]


def test_f3_nothing_is_done_once_the_server_is_gone(
    played: Played, tmp_path: Path
) -> None:
    job = job_of(played)
    arguments = job.arguments()
    arguments[-1] = "1"  # whose child it is not
    path = tmp_path / "said"
    with path.open("wb") as stdout, pytest.raises(SystemExit) as caught:
        folding_here(["", "", "", *arguments], stdout=stdout)
    assert caught.value.code == STOPPED
    assert not played.output.exists()
    assert not os.path.exists(job.pending.temporary)
    assert not os.path.exists(Path(played.journal.folder, "base"))


def test_f3_the_server_may_have_gone_while_the_next_one_has_the_journal(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it sees once it has the folder counts, not what it saw before."""

    @contextmanager
    def gone_meanwhile(folder: str) -> Iterator[None]:
        with held(folder):
            os.getppid = lambda: 1  # until the process has ended
            yield

    job = job_of(played)
    monkeypatch.setattr(fold, "held", gone_meanwhile)
    with pytest.raises(SystemExit) as caught:
        run(job, tmp_path)
    assert caught.value.code == STOPPED
    assert not played.output.exists()
    assert not os.path.exists(Path(played.journal.folder, "base"))


def test_j7_the_new_file_takes_its_place_while_the_journal_is_held(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    real = os.replace

    def look(source: str, target: str) -> None:
        seen.append((os.path.basename(target), is_held(played.journal.folder)))
        real(source, target)

    monkeypatch.setattr(os, "replace", look)
    assert run(job_of(played), tmp_path)[0] == 0
    assert seen == [("base", True), ("out.db", True)]
    assert not is_held(played.journal.folder)


def test_j7_a_server_starts_when_the_new_file_is_in_its_place(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a killed server has left behind may be that far."""
    assert run(job_of(played), tmp_path)[0] == 0
    played.mark(2)
    job = job_of(played)
    played.mark(3)
    command = ("serve", "{output}", "--port", "0", "--log", "{log}")
    started = []
    has_looked = []
    real = os.replace

    with ExitStack() as ended_in_any_case:

        def start_meanwhile(source: str, target: str) -> None:
            if target == job.path:
                server = ServerProcess(played.folder, *command)
                started.append(ended_in_any_case.enter_context(server))
                server.wait_for("JOURNAL: waiting for the checkpoint")
                has_looked.append("LOADING" in server.log)
            real(source, target)

        monkeypatch.setattr(os, "replace", start_meanwhile)
        assert run(job, tmp_path)[0] == 0
        monkeypatch.undo()
        (server,) = started
        assert has_looked == [False]
        assert server.port
        assert "RECOVERED: " in server.log
        assert server.stop() == 0
    assert mark_of(found_in_copy(played.folder)) == 3


def test_a_file_that_cannot_be_read_is_of_no_use(
    played: Played, tmp_path: Path
) -> None:
    job = job_of(played)
    database_in(played.folder).unlink()
    status, said = run(job, tmp_path)
    assert status == UNUSABLE
    assert said == f"1 {job.path}: No such file or directory\n"


def test_a_segment_without_its_mark_is_of_no_use(
    played: Played, tmp_path: Path
) -> None:
    job = job_of(played)
    path = Path(segment_path(played.journal.folder, job.last))
    path.write_bytes(path.read_bytes()[:-1])
    status, said = run(job, tmp_path)
    assert status == UNUSABLE
    assert "JOURNAL" not in said


def test_a_file_that_has_been_replaced_is_of_no_use(
    played: Played, tmp_path: Path
) -> None:
    job = job_of(played)
    path = database_in(played.folder)
    path.write_bytes(path.read_bytes().replace(b"Wizard", b"Wizzard", 1))
    status, said = run(job, tmp_path)
    assert status == UNUSABLE
    assert "the journal does not begin at this file" in said


def test_where_the_new_file_cannot_be_written_the_journal_is_all_right(
    played: Played, tmp_path: Path
) -> None:
    job = job_of(played)
    os.mkdir(job.pending.temporary)
    status, said = run(job, tmp_path)
    assert status == STOPPED
    assert "1 Opening temporary dump file: Is a directory" in said
    played.mark(2)
    played.check()


def test_a_real_process_makes_a_checkpoint(played: Played) -> None:
    for mark in (2, 3):
        played.mark(mark)
        wanted = dump_of(played.server._state())
        played.type("dump_database();")
        assert played.server.dumps.is_writing
        played.mark(mark + 1)
        deadline = time.monotonic() + 60
        while played.server.dumps.is_writing:
            assert time.monotonic() < deadline
            time.sleep(0.01)
            played.process.run()
        assert mark_of(found_in_copy(played.folder)) == mark + 1
        assert b"".join(wanted.split(b"\n")[:3]) in b"".join(
            played.output.read_bytes().split(b"\n")[:3]
        )
    check_journal(played.server, played.output)


@pytest.mark.parametrize("code", [1, UNUSABLE])
def test_a_process_that_finds_them_of_no_use_makes_the_server_write_a_checkpoint(
    played: Played, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(fold, "main", lambda arguments: code)
    monkeypatch.setattr(subprocess, "Popen", folding_here)
    played.type("dump_database();")
    played.process.run()
    played.hear()
    assert played.output.exists()
    assert any("cannot be written (it does not lead" in line for line in played.lines)
    played.mark(2)
    assert played.is_said_to_be_on
    played.check()


def test_a_process_that_is_killed_leaves_the_journal_as_it_was(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold, "main", lambda arguments: -9)
    monkeypatch.setattr(subprocess, "Popen", folding_here)
    played.type("dump_database();")
    assert "*** Checkpointer was killed by signal 9" in played.log
    assert not played.output.exists()
    played.mark(2)
    assert played.is_said_to_be_on
    played.check()
