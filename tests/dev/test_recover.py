"""``pymoo db recover``: what is saved, what is lost, and what is to be done next."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from pymoo.db.checkpoint import save
from pymoo.db.journal_file import (
    Beginning,
    Segment,
    SegmentReader,
    fingerprint,
    segment_path,
)
from pymoo.db.redo import JournalError
from pymoo.db.remedies import recover_command
from pymoo.db.textdump import Textdump
from pymoo.dev.recover import recover_database
from pymoo.errors import PymooError
from pymoo.exits import FINDINGS, FINE
from pymoo.lang.dialect import PYMOO
from pymoo.server.database import open_database
from pymoo.server.lock import LockedError, locked
from pymoo.values import SYSTEM_OBJECT
from tests.db.held import is_held
from tests.db.worlds import value_of
from tests.dev.journals import (
    MARK_IN_JOURNAL,
    leave_another_s_journal,
    leave_changes,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The journal that a killed server has left beside core.db."""
    monkeypatch.chdir(tmp_path)
    return leave_changes(Path("core.db"))


def mark_in(path: str) -> object:
    world = open_database(path, PYMOO, check=False).textdump.world
    return value_of(world, SYSTEM_OBJECT, "mark")


def recover(
    capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, list[str]]:
    capsys.readouterr()
    status = recover_database("core.db", "core.recovered.db", *arguments)
    out, err = capsys.readouterr()
    assert err == ""
    return status, out.splitlines()


def damage_last_record_but_one(path: str) -> tuple[int, int, int]:
    """Return how many records are before it, where it begins, and the file's size."""
    records = [*SegmentReader(path).records()]
    record = records[-2]
    data = bytearray(Path(path).read_bytes())
    data[records[-1].offset - 2] ^= 1
    Path(path).write_bytes(data)
    return record.number - 1, record.offset, len(data)


def test_a_journal_that_is_sound_is_all_in_the_result(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = sum(1 for _ in SegmentReader(segment_path(str(folder), 1)).records()) - 1
    assert recover(capsys) == (
        FINE,
        [f"core.recovered.db: core.db and {records} records of core.db.journal"],
    )
    assert mark_in("core.recovered.db") == MARK_IN_JOURNAL


def test_damage_is_told_with_what_is_lost_and_with_the_next_step(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = segment_path(str(folder), 1)
    before, offset, size = damage_last_record_but_one(path)
    noun = "record" if before == 1 else "records"
    *lines, command = [
        f"core.recovered.db: core.db and {before} {noun} of core.db.journal",
        f"damaged: {path}: byte {offset} of {size}: a record is damaged",
        f"lost: what was done after that; {size - offset:,} bytes of the journal "
        "could not be used",
        "To serve it in the place of the other, which is kept with its journal:",
        "  mkdir core.damaged && mv core.db core.db.journal core.damaged && "
        "mv core.recovered.db core.db",
    ]
    assert recover(capsys) == (FINDINGS, [*lines, command])
    saved, damaged = (
        Path(f"core{each}").read_bytes() for each in (".recovered.db", ".db")
    )
    # Where even the beginning of the journal is as it was, nothing stands in the way.
    subprocess.run(command, shell=True, check=True)
    assert Path("core.db").read_bytes() == saved
    assert Path("core.damaged/core.db").read_bytes() == damaged
    assert mark_in("core.db") != MARK_IN_JOURNAL


def test_segments_that_cannot_be_reached_are_lost_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first record of one in the midst is damaged: nobody knows what it follows."""
    first = next(SegmentReader(segment_path(str(folder), 1)).records())
    identity = Beginning.from_bytes(first.data).identity
    for number, after in ((2, identity), (3, "two")):
        name = "two" if number == 2 else "three"
        segment = Segment(str(folder), number, Beginning(name, after, "", "pymoo", 32))
        segment.append(b"something")
        segment.close()
    path = Path(segment_path(str(folder), 2))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"two", b"owt"))
    lost = len(data) + Path(segment_path(str(folder), 3)).stat().st_size - 16
    status, lines = recover(capsys)
    assert status == FINDINGS
    assert lines[1].startswith(f"damaged: {path}: byte 16 of {len(data)}: ")
    assert f"; {lost:,} bytes of the journal could not be used" in lines[2]
    assert mark_in("core.recovered.db") == MARK_IN_JOURNAL


def test_a_record_that_was_never_finished_is_no_loss(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(segment_path(str(folder), 1), "ab") as stream:
        stream.write(b"12")
    status, (_, line) = recover(capsys)
    assert status == FINE
    assert line == (
        "not in it: the last record, 2 bytes, which was never finished; nobody has "
        "seen what it did"
    )


def test_in_the_midst_of_a_journal_it_is_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = next(SegmentReader(segment_path(str(folder), 1)).records())
    identity = Beginning.from_bytes(first.data).identity
    Segment(str(folder), 2, Beginning("two", identity, "", "pymoo", 32)).close()
    with open(segment_path(str(folder), 1), "ab") as stream:
        stream.write(b"12")
    status, lines = recover(capsys)
    assert status == FINDINGS
    assert lines[1].startswith("damaged: ")


def test_a_journal_elsewhere_leads_to_a_file_to_be_served(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aside = str(folder.rename("aside"))
    damage_last_record_but_one(segment_path(aside, 1))
    status, lines = recover(capsys, aside)
    assert status == FINDINGS
    assert lines[-1] == "To serve it: pymoo serve core.recovered.db"


def test_no_file_is_written_over(folder: Path) -> None:
    before = Path("core.db").read_bytes()
    Path("other.db").write_bytes(b"other")
    with pytest.raises(PymooError, match=r"other.db: is already there; name a file"):
        recover_database("core.db", "other.db")
    with pytest.raises(PymooError, match=r"core.db: is the file to be read; name"):
        recover_database("core.db", "core.db")
    assert Path("other.db").read_bytes() == b"other"
    assert Path("core.db").read_bytes() == before


def test_a_file_that_is_replaced_meanwhile_is_not_taken_with_the_journal_of_the_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a checkpoint does that a killed server has left."""

    def replace_and_open(path: str, *arguments: Any, **options: Any) -> Any:
        Path(path).write_bytes(Path(path).read_bytes().replace(b"Wizard", b"Witch"))
        return open_database(path, *arguments, **options)

    monkeypatch.setattr("pymoo.dev.recover.open_database", replace_and_open)
    with pytest.raises(JournalError, match=r"core.db: another file has taken its"):
        recover_database("core.db", "core.recovered.db")
    assert not Path("core.recovered.db").exists()


@pytest.mark.parametrize("journal", [(), ("core.db.journal/",)])
def test_a_database_that_is_served_is_refused(
    folder: Path, journal: tuple[str, ...]
) -> None:
    """Its journal may end in the midst of a record, and nobody is to move it away."""
    with (
        locked("core.db"),
        pytest.raises(LockedError, match=r"core.db: is being .* Stop that one first$"),
    ):
        recover_database("core.db", "out.db", *journal)
    assert not Path("out.db").exists()


def test_a_journal_is_refused_whose_server_has_another_file_of_the_same_content(
    folder: Path,
) -> None:
    Path("copy.db").write_bytes(Path("core.db").read_bytes())
    with locked("core.db"), pytest.raises(LockedError, match=r"core.db: is being"):
        recover_database("copy.db", "out.db", str(folder))


def test_file_and_journal_are_held_until_the_result_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a killed server has left behind changes neither meanwhile (J7)."""
    seen = []

    def note_and_save(textdump: Textdump, target: str) -> None:
        seen.append((is_held("core.db.journal"), is_served("core.db")))
        save(textdump, target)

    monkeypatch.setattr("pymoo.dev.recover.save", note_and_save)
    assert recover_database("core.db", "core.recovered.db") == FINE
    assert seen == [(True, True)]
    assert not is_held("core.db.journal")
    assert not is_served("core.db")


def is_served(path: str) -> bool:
    try:
        with locked(path):
            return False
    except LockedError:
        return True


def test_what_cannot_be_read_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PymooError, match=r"no.db: cannot be read: No such file.* Give"):
        recover_database(str(tmp_path / "no.db"), str(tmp_path / "out.db"))


def test_a_journal_of_another_file_is_refused(folder: Path, tmp_path: Path) -> None:
    for segment in folder.iterdir():
        segment.unlink()
    folder.rmdir()
    leave_another_s_journal(Path("core.db"))
    with pytest.raises(PymooError, match=r"does not belong to core.db"):
        recover_database("core.db", "out.db")
    assert not Path("out.db").exists()


def test_every_reader_of_a_damaged_journal_names_the_command(folder: Path) -> None:
    path = segment_path(str(folder), 1)
    _, offset, size = damage_last_record_but_one(path)
    assert fingerprint(path).size == size
    with pytest.raises(PymooError) as refusal:
        open_database("core.db", PYMOO)
    assert str(refusal.value) == (
        f"core.db.journal/00000001.segment: byte {offset} of {size}: a record is "
        "damaged, and what stands behind it cannot be used. What stands before it can "
        "be saved: pymoo db recover core.db core.recovered.db"
    )
    assert recover_command("core.db") in str(refusal.value)
