"""The journal of a server that runs: on disks that fail, and killed at any moment.

``PYMOO_EXHAUSTIVE=1`` makes each system call fail; otherwise some of them do.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pymoo.db.checkpoint import begin_dump
from pymoo.db.journal_file import SegmentReader, folder_of, segment_path
from pymoo.db.textdump import Textdump
from pymoo.server import disk_journal, dumps, fold
from pymoo.server.disk_journal import DiskJournal, JournalStartError, Origin
from pymoo.server.durability import Durability
from pymoo.tasks.clock import ManualClock
from tests.server.failing_disk import (
    Disk,
    Played,
    found_in_copy,
    mark_of,
    state_of,
)
from tests.server.online import Online

EXHAUSTIVE = bool(os.environ.get("PYMOO_EXHAUSTIVE"))

CODES = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS, errno.EDQUOT)

CALLS = 180
"""More than there are in what is played."""


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    # Of those who wait, somebody would have to be there for a minute.
    retry_after(monkeypatch, 0)
    return Disk(monkeypatch)


def retry_after(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(disk_journal, "RETRY_AFTER_S", seconds)
    monkeypatch.setattr(dumps, "RETRY_AFTER_S", seconds)


def watched(disk: Disk, look: Callable[[], None]) -> Callable[[], None]:
    """Return what looks at the disk without being counted."""

    def unseen() -> None:
        with disk.unwatched():
            look()

    return unseen


def finish_and_check(disk: Disk, played: Played) -> None:
    """Shut down, on a disk that may fail once more: everything is there after it."""
    played.process.shut_down()
    final = state_of(played.server._state())
    for _ in range(2):
        with disk.unwatched():
            assert state_of(found_in_copy(played.folder)) == final
        if not disk_has_journal(played):
            break
        played.server.save()
    with disk.unwatched():
        again = Played(played.folder, is_new=False)
        assert mark_of(again.server._state()) == played.safe_mark
        again.check()


def disk_has_journal(played: Played) -> bool:
    return os.path.isdir(folder_of(str(played.output)))


def numbers(offset: int, step: int) -> list[int]:
    return list(range(CALLS) if EXHAUSTIVE else range(offset, CALLS, step))


# --- invariants ------------------------------------------------------------------


def test_d1_what_is_done_is_on_the_disk_before_anybody_sees_it(
    tmp_path: Path, disk: Disk
) -> None:
    played = Played(tmp_path / "w")
    sends: list[int] = []
    other = played.connect("#4")
    wire = other._wire
    real = wire.send

    def send(data: bytes) -> int:
        textdump = found_in_copy(played.folder)
        assert state_of(textdump) == state_of(played.server._state())
        sends.append(mark_of(textdump))
        return real(data)

    wire.send = send  # type: ignore[method-assign]
    for number in (1, 2, 3):
        played.type(
            f"#0.mark = {number}; #0.twin = {{{number}, #0.twin[2]}}; "
            f'fork (50) endfork notify(#4, "seen");'
        )
    assert sends == [1, 2, 3]
    # Whoever is disconnected is sent what waits for them first.
    played.type('#0.mark = 4; #0.twin[1] = 4; notify(#4, "bye"); boot_player(#4);')
    assert sends[-1] == 4


def test_d2_a_turn_of_the_loop_is_one_record(tmp_path: Path) -> None:
    played = Played(tmp_path / "w")
    before = played.journal.records
    played.mark(1)
    assert played.journal.records == before + 1
    played.type("return 1;")
    assert played.journal.records == before + 1  # nothing was done


def test_d2_a_slice_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    played = Played(tmp_path / "w")
    played.mark(1)
    journal = played.server.engine.world.journal
    states = []
    journal.begin()
    journal.note((played.journal.commit,))
    journal.hold(played.journal.commit)
    played.server.engine.world.set_name(played.server.engine.world[3].id, "half")
    played.journal.commit()
    states.append(state_of(found_in_copy(played.folder)))
    played.server.engine.world.rollback()
    played.journal.commit()
    states.append(state_of(found_in_copy(played.folder)))
    assert states[0] == states[1] == state_of(played.server._state())


def test_d2_a_task_is_gone_when_what_it_did_is_there(tmp_path: Path) -> None:
    played = Played(tmp_path / "w")
    played.type("fork (5) #0.mark = 7; #0.twin = {7, #0.twin[2]}; endfork")
    assert len(found_in_copy(played.folder).tasks) == 1
    played.process.advance(5)
    textdump = found_in_copy(played.folder)
    assert textdump.tasks == []
    assert mark_of(textdump) == 7


def test_d3_a_failure_is_told_and_a_new_journal_begun(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    retry_after(monkeypatch, 1e9)
    played = Played(tmp_path / "w")
    other = played.connect("#4")
    other.take()
    disk.is_counting = True
    disk.fails = lambda number, name: errno.ENOSPC if name == "write" else 0
    played.mark(1)
    assert not played.journal.is_on
    assert not played.journal.is_whole
    reason = "No space left on device"
    assert any(reason in line for line in played.lines)
    assert any(
        line.startswith("*** JOURNAL: ") and reason in line for line in played.log
    )
    assert other.take_lines() == []  # who is no wizard can do nothing about it
    played.mark(2)
    played.process.advance(1)
    assert not played.journal.is_on
    disk.fails = lambda number, name: 0
    retry_after(monkeypatch, 0)
    played.process.run()
    played.hear()
    assert played.is_said_to_be_on
    assert played.journal.is_whole
    assert any(line.endswith("is written again") for line in played.log)
    played.mark(3)
    played.check()


def test_d3_a_fault_of_ours_is_no_reason_to_stop_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(tmp_path / "w")

    def broken(*arguments: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(played.server.tasks, "waits_in_background", broken)
        played.type("fork (9) endfork")
        played.mark(1)
    assert not played.is_said_to_be_on
    assert any("RuntimeError: a bug" in line for line in played.log)


@pytest.mark.parametrize("where", ["order", "begin_segment"])
def test_d3_a_fault_of_ours_at_a_checkpoint_is_no_reason_to_stop_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: Disk, where: str
) -> None:
    played = Played(tmp_path / "w")

    def broken() -> None:
        raise RuntimeError("a bug")

    recorder = played.journal._recorder
    monkeypatch.setattr(recorder, where, broken)
    played.type("dump_database();")
    assert played.is_said_to_be_on  # again: the checkpoint was written all the same
    assert any("RuntimeError: a bug" in line for line in played.log)
    played.mark(2)
    played.check()


def test_d3_a_fault_of_ours_where_a_journal_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: Disk
) -> None:
    played = Played(tmp_path / "w")

    def broken(self: DiskJournal) -> None:
        raise RuntimeError("a bug")

    played.journal.abandon()
    retry_after(monkeypatch, 1e9)
    with monkeypatch.context() as patch:
        patch.setattr(DiskJournal, "_record_all", broken)
        played.type("dump_database();")
        assert not played.journal.is_on
    assert played.output.exists()
    retry_after(monkeypatch, 0)
    played.mark(1)
    played.mark(2)
    played.check()
    assert played.is_said_to_be_on


def test_d4_a_checkpoint_ends_a_segment_and_removes_what_the_file_has(
    tmp_path: Path, disk: Disk
) -> None:
    played = Played(tmp_path / "w")
    folder = Path(played.journal.folder)
    assert sorted(os.listdir(folder)) == ["00000001.segment"]
    for number in (2, 3):
        played.mark(number)
        played.type("dump_database();")
        assert sorted(os.listdir(folder)) == [f"{number:08}.segment", "base"]
        played.check()


def test_d4_what_a_checkpoint_has_is_said_by_a_mark(tmp_path: Path) -> None:
    played = Played(tmp_path / "w")
    played.mark(1)
    rotation = played.journal.rotate()
    assert rotation is not None
    path = segment_path(played.journal.folder, rotation.last)
    *_, last = SegmentReader(path).records()
    assert b'"mark\n' in last.data
    played.mark(2)
    played.check()


def test_a_journal_that_cannot_be_begun_says_what_to_do(tmp_path: Path) -> None:
    played = Played(tmp_path / "w")
    played.process.shut_down()
    Path(played.journal.folder).write_bytes(b"in the way")
    with pytest.raises(JournalStartError, match="--durability off"):
        played.journal.begin(Origin())


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_journal_that_has_no_room_is_not_to_be_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    played = Played(tmp_path / "w")
    played.process.shut_down()

    def refuse(*given: object, **named: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(disk_journal.os, "makedirs", refuse)
    with pytest.raises(JournalStartError) as refusal:
        played.journal.begin(Origin())
    assert str(refusal.value).endswith(
        f"{os.strerror(code)}. Make room in {tmp_path}/w"
    )


# --- disks that fail -------------------------------------------------------------


@pytest.mark.parametrize("number", numbers(1, 13))
def test_a_call_that_fails_once(tmp_path: Path, disk: Disk, number: int) -> None:
    code = CODES[number % len(CODES)]
    played = Played(tmp_path / "w")
    disk.is_counting, disk.is_short = True, bool(number % 2)
    disk.fails = lambda each, name: code if each == number else 0
    played.play(watched(disk, played.check))
    # A failure is told, and done with by now.
    played.process.run()
    played.hear()
    assert played.is_said_to_be_on
    with disk.unwatched():
        played.check()
    finish_and_check(disk, played)


@pytest.mark.parametrize("number", numbers(3, 17))
def test_a_disk_that_fails_until_somebody_mends_it(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    code = CODES[number % len(CODES)]
    retry_after(monkeypatch, 1e9)
    played = Played(tmp_path / "w")
    disk.is_counting, disk.is_short = True, bool(number % 2)
    disk.fails = lambda each, name: code if each >= number else 0
    played.play(watched(disk, played.check))
    if number < 100:
        assert not played.is_said_to_be_on
        assert not played.journal.is_on
        assert any(os.strerror(code) in line for line in played.log)
    disk.fails = lambda each, name: 0
    retry_after(monkeypatch, 0)
    played.process.run()
    played.hear()
    assert played.is_said_to_be_on
    played.mark(played.safe_mark + 1)
    with disk.unwatched():
        played.check()
    finish_and_check(disk, played)


@pytest.mark.parametrize("name", ["ftruncate", "lseek", "_sync_data", "write"])
def test_a_record_that_can_neither_be_written_nor_cut_off(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    retry_after(monkeypatch, 1e9)
    played = Played(tmp_path / "w")
    disk.is_short = True
    disk.is_counting = True
    names = {name, "ftruncate", "write"}
    disk.fails = lambda each, called: errno.EIO if called in names else 0
    played.mark(1)
    with disk.unwatched():
        assert mark_of(found_in_copy(played.folder)) in (0, 1)
    disk.fails = lambda each, called: 0
    retry_after(monkeypatch, 0)
    played.process.run()
    played.mark(2)
    played.hear()
    assert played.is_said_to_be_on
    with disk.unwatched():
        played.check()


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.ENOMEM, errno.ENOENT])
def test_where_no_process_can_be_started_the_server_writes_the_checkpoint(
    tmp_path: Path, disk: Disk, code: int
) -> None:
    played = Played(tmp_path / "w")
    disk.is_counting = True
    disk.fails = lambda each, name: code if name == "Popen" else 0
    played.mark(1)
    played.type("dump_database();")
    assert played.output.exists()
    assert any("Starting checkpointer: " in line for line in played.log)
    assert sorted(os.listdir(played.journal.folder)) == ["00000002.segment", "base"]
    played.mark(2)
    assert played.is_said_to_be_on
    with disk.unwatched():
        played.check()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("forks", [True, False])
def test_where_no_process_can_be_started_one_is_forked(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, forks: bool
) -> None:
    played = Played(tmp_path / "w")
    played.server.dumps._in_child = lambda: None  # type: ignore[misc]
    disk.is_counting = True
    disk.fails = lambda each, name: errno.EAGAIN if name == "Popen" else 0
    if not forks:

        def refuse() -> int:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

        monkeypatch.setattr(os, "fork", refuse)
    played.mark(1)
    played.type("dump_database();")
    wait_for_checkpoint(played)
    assert played.output.exists() == forks
    played.mark(2)
    with disk.unwatched():
        played.check()
    assert played.is_said_to_be_on


def wait_for_checkpoint(played: Played) -> None:
    deadline = time.monotonic() + 60
    while played.server.dumps.is_writing:
        assert time.monotonic() < deadline
        time.sleep(0.01)
        played.process.run()
    played.hear()


def test_a_journal_that_is_large_does_not_make_a_full_disk_busier(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(tmp_path / "w")
    retry_after(monkeypatch, 1e9)
    disk.is_counting = True
    monkeypatch.setattr(fold, "main", lambda arguments: fold.STOPPED)
    monkeypatch.setattr(disk_journal, "LARGE_BYTES", 10)
    for number in range(1, 4):
        played.mark(number)
    assert disk.calls.count("Popen") == 1


def test_a_crowd_that_is_sent_away_is_no_crowd_of_records(tmp_path: Path) -> None:
    """Each waits for the disk."""
    online = Online(tmp_path, durability=Durability.BATCH)
    for _ in range(20):
        online.connect()
    journal = online.server.dumps.journal
    assert journal is not None
    before = journal.records
    online.process.shut_down()
    assert journal.records - before <= 2


def test_a_journal_of_many_segments_is_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a server that is killed again and again would start ever more slowly."""
    monkeypatch.setattr(disk_journal, "MANY_SEGMENTS", 2)
    played = Played(tmp_path / "w")
    for is_large in (False, False, True):
        assert played.journal.is_large == is_large
        assert played.journal.rotate() is not None


def test_a_new_journal_is_begun_although_nobody_does_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(tmp_path / "w")
    assert played.server.seconds_until_next() > 100  # type: ignore[operator]
    retry_after(monkeypatch, 50)
    played.journal.abandon()
    seconds = played.server.seconds_until_next()
    assert seconds is not None
    assert 0 < seconds <= 50
    retry_after(monkeypatch, 0)
    assert played.server.seconds_until_next() == 0
    played.process.run()
    played.hear()
    assert played.is_said_to_be_on


@pytest.mark.parametrize("is_there", [True, False])
def test_what_becomes_of_the_segment_of_a_checkpoint_that_is_said_to_have_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    """A process may be killed after its file has taken its place."""
    played = Played(tmp_path / "w")
    played.mark(1)
    retry_after(monkeypatch, 1e9)
    played.journal.abandon()
    identity = played.journal.begin_anew()
    assert identity is not None
    number = played.journal._segment.number  # type: ignore[union-attr]
    if is_there:
        save(
            played.server._state(),
            played.output,
            before=lambda path: played.journal.note_file(path, identity),
        )
    played.journal.file_has_failed()
    path = segment_path(played.journal.folder, number)
    assert os.path.exists(path) == is_there
    assert mark_of(found_in_copy(played.folder)) == 1


def save(textdump: Textdump, path: Path, before: Callable[[str], None]) -> None:
    pending = begin_dump(path, 0)
    pending.write(textdump, before_rename=before)


# --- what people do to files ----------------------------------------------------------


def test_the_folder_of_the_journal_is_removed_while_the_server_runs(
    tmp_path: Path, disk: Disk
) -> None:
    played = Played(tmp_path / "w")
    played.mark(1)
    shutil.rmtree(played.journal.folder)
    played.mark(2)
    assert any(line.startswith("*** The journal cannot be") for line in played.lines)
    played.mark(3)
    assert played.is_said_to_be_on
    played.check()
    finish_and_check(disk, played)


def test_the_folder_of_the_journal_is_removed_just_before_the_shutdown(
    tmp_path: Path, disk: Disk
) -> None:
    played = Played(tmp_path / "w")
    played.mark(1)
    shutil.rmtree(played.journal.folder)
    played.process.shut_down()
    assert mark_of(found_in_copy(played.folder)) == 1


@pytest.mark.parametrize("is_first", [True, False])
def test_the_database_file_is_removed_while_the_server_runs(
    tmp_path: Path, disk: Disk, is_first: bool
) -> None:
    played = Played(tmp_path / "w")
    played.mark(1)
    if not is_first:
        played.type("dump_database();")
    (played.folder / ("in.db" if is_first else "out.db")).unlink()
    played.mark(2)
    played.type("dump_database();")
    played.process.run()
    played.hear()
    assert played.output.exists()
    played.mark(3)
    assert played.is_said_to_be_on
    played.check()
    finish_and_check(disk, played)


def test_the_last_dump_does_not_fail_because_the_journal_cannot_be_written(
    tmp_path: Path, disk: Disk
) -> None:
    played = Played(tmp_path / "w")
    played.mark(1)
    base = str(Path(played.journal.folder) / "base.new")
    os.makedirs(base)  # so that nothing can be written there
    played.process.shut_down()
    assert any("Writing to" in line for line in played.log)
    assert mark_of(found_in_copy(played.folder)) == 1


def test_the_permission_to_write_to_the_folder_is_taken_away(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is open can be written to on; but nothing new comes to be there."""
    played = Played(tmp_path / "w")
    played.mark(1)
    names = {"open", "replace", "remove", "rmdir", "makedirs"}
    disk.is_counting = True
    disk.fails = lambda each, name: errno.EACCES if name in names else 0
    retry_after(monkeypatch, 1e9)
    played.mark(2)
    assert played.is_said_to_be_on
    with disk.unwatched():
        played.check()
    played.type("dump_database();")
    assert not played.is_said_to_be_on
    disk.fails = lambda each, name: 0
    retry_after(monkeypatch, 0)
    played.mark(3)
    played.mark(4)
    assert played.is_said_to_be_on
    with disk.unwatched():
        played.check()


def test_the_clock_jumps_back(tmp_path: Path, disk: Disk) -> None:
    played = Played(tmp_path / "w")
    played.type("fork (100) endfork fork (0) suspend(50); endfork")
    played.clock.seconds -= 86_400 * 400
    played.type("fork (10) endfork fork (0) suspend(5); endfork")
    played.mark(1)
    played.check()
    played.type("dump_database();")
    played.clock.seconds -= 1e6
    played.mark(2)
    played.check()
    assert isinstance(played.clock, ManualClock)


# --- crashes ------------------------------------------------------------------------


def kill_everywhere(disk: Disk, played: Played, run: Callable[[], None]) -> int:
    """Do something, and look before each system call what a start would find there.

    And what a start after that one would, after which somebody plays on.  Returns how
    many different states the files were in.
    """
    seen: set[str] = set()

    def look(name: str) -> None:
        digest = hashlib.sha256()
        for path in sorted(played.folder.rglob("*")):
            digest.update(str(path).encode())
            digest.update(path.read_bytes() if path.is_file() else b"")
        if digest.hexdigest() in seen:
            return
        seen.add(digest.hexdigest())
        copy = played.folder.parent / f"crash{len(seen)}"
        shutil.copytree(played.folder, copy)
        mark = mark_of(found_in_copy(copy))
        assert mark >= played.safe_mark
        again = Played(copy, is_new=False)
        assert mark_of(again.server._state()) == mark
        again.safe_mark = mark
        again.mark(mark + 1)
        again.check()
        third = Played(copy, is_new=False)
        assert mark_of(third.server._state()) == mark + 1
        third.safe_mark = mark + 1
        third.type("dump_database();")
        third.check()
        third.process.shut_down()
        assert mark_of(found_in_copy(copy)) == mark + 1
        # What a killed process was writing may stay until its name is used again.
        left = {name for name in os.listdir(copy) if "#" not in name}
        assert left - {"out.db.backups"} == {"in.db", "out.db"}
        shutil.rmtree(copy)

    disk.before = look
    disk.is_counting = True
    run()
    disk.is_counting = False
    disk.before = lambda name: None
    return len(seen)


def test_killed_at_any_moment_while_somebody_plays(tmp_path: Path, disk: Disk) -> None:
    played = Played(tmp_path / "w")
    assert kill_everywhere(disk, played, played.play) > 30


def test_killed_at_any_moment_of_the_last_dump(tmp_path: Path, disk: Disk) -> None:
    played = Played(tmp_path / "w")
    played.mark(1)
    played.type("dump_database();")
    played.mark(2)
    played.type("dump_database();")
    played.mark(3)
    assert kill_everywhere(disk, played, played.process.shut_down) > 4


def test_killed_at_any_moment_while_a_journal_begins_anew(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Played(tmp_path / "w")
    played.mark(1)
    played.type("dump_database();")
    played.mark(2)
    retry_after(monkeypatch, 1e9)
    played.journal.abandon()
    played.hear()
    played.mark(3)
    played.safe_mark = 2
    assert kill_everywhere(disk, played, lambda: played.type("dump_database();")) > 6  # type: ignore[arg-type,func-returns-value]
    assert played.is_said_to_be_on
    played.check()


def test_killed_at_any_moment_of_the_start_after_a_kill(
    tmp_path: Path, disk: Disk
) -> None:
    played = Played(tmp_path / "w")
    played.mark(1)
    played.type("dump_database();")
    played.mark(2)
    Path(segment_path(played.journal.folder, 1)).write_bytes(b"")
    with open(segment_path(played.journal.folder, 2), "ab") as stream:
        stream.write(b"300 00000000 7\nunfinished")
    assert mark_of(found_in_copy(played.folder)) == 2
    again: list[Played] = []

    def start() -> None:
        again.append(Played(played.folder, is_new=False))

    assert kill_everywhere(disk, played, start) > 3
    again[0].safe_mark = 2
    again[0].mark(3)
    again[0].check()
