"""Segments of a journal on the disk: what is read is what was written, or damage."""

from __future__ import annotations

import errno
import os
import threading
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pymoo.db import journal_file
from pymoo.db.journal_file import (
    MAGIC,
    OLDER_MAGIC,
    Beginning,
    Chain,
    Damage,
    DamagedJournalError,
    Fingerprint,
    Segment,
    SegmentReader,
    chain_after,
    cut_off,
    fingerprint,
    folder_of,
    held,
    remove_base,
    remove_segments,
    segment_numbers,
    segment_path,
    write_base,
)
from pymoo.db.redo import JournalError
from tests.db.held import is_held

A, B, C = (Fingerprint(number, f"{number:064x}") for number in (1, 2, 3))

# Lines of records never begin with a digit: see the module.
RECORDS = [b"first", b"", b'(2\n"3 00000000 7\ni5', b"x" * 40, b"last"]


def beginning(identity: str, *, after: str = "", base: object = "") -> Beginning:
    return Beginning(identity, after, str(base), "pymoo", 64)


def make(
    folder: Path,
    number: int,
    identity: str = "id",
    records: list[bytes] = RECORDS,
    *,
    after: str = "",
    base: object = "",
) -> Path:
    """Write a segment; return its path."""
    segment = Segment(str(folder), number, beginning(identity, after=after, base=base))
    for data in records:
        segment.append(data)
    segment.close()
    return Path(segment.path)


def read(path: Path) -> tuple[list[bytes], Damage | None]:
    """Return the records of a segment after its first one, and what ended them."""
    reader = SegmentReader(str(path))
    records = [record.data for record in reader.records()]
    return records[1:], reader.damage


def ends(path: Path) -> list[int]:
    """Return where the magic and each record of a whole segment end."""
    reader = SegmentReader(str(path))
    offsets = [record.offset for record in reader.records()]
    return [*offsets, reader.end]


# --- invariants ---------------------------------------------------------------


def test_j1_a_segment_cut_at_any_byte_has_the_whole_records_before(
    tmp_path: Path,
) -> None:
    path = make(tmp_path, 1)
    data = path.read_bytes()
    borders = ends(path)
    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        records, damage = read(path)
        whole = sum(border <= length for border in borders)
        assert records == RECORDS[: max(0, whole - 2)], length
        if length in borders:
            assert damage is None
        else:
            assert damage is not None
            assert damage.is_unfinished
            assert damage.offset == max((b for b in borders if b <= length), default=0)


def test_j1_a_changed_byte_is_never_read_as_a_record(tmp_path: Path) -> None:
    path = make(tmp_path, 1)
    data = path.read_bytes()
    borders = ends(path)
    for place in range(len(data)):
        changes = {0, data[place] ^ 1, data[place] ^ 0x80, ord("\n"), ord("0")}
        for changed in changes - {data[place]}:
            path.write_bytes(data[:place] + bytes([changed]) + data[place + 1 :])
            records, damage = read(path)
            whole = sum(border <= place for border in borders)
            assert records == RECORDS[: max(0, whole - 2)], place
            assert damage is not None
            # The last one might never have been finished; of others one is told.
            assert damage.is_unfinished == (whole == len(borders) - 1), place


@pytest.mark.parametrize("rest", [b"\0", b"\0" * 5000, b"\n", b"12", b"5 0000"])
def test_j1_what_was_never_written_at_the_end_is_no_record(
    tmp_path: Path, rest: bytes
) -> None:
    path = make(tmp_path, 1)
    size = path.stat().st_size
    with path.open("ab") as stream:
        stream.write(rest)
    records, damage = read(path)
    assert records == RECORDS
    whole = size + len(rest)
    assert damage == Damage(str(path), size, "a record is damaged", True, whole)
    cut_off(damage)
    assert read(path) == (RECORDS, None)


def test_j2_records_are_numbered_and_none_is_missing(tmp_path: Path) -> None:
    path = make(tmp_path, 1)
    data, borders = path.read_bytes(), ends(path)
    for first in range(1, len(borders) - 2):
        without = data[: borders[first]] + data[borders[first + 1] :]
        path.write_bytes(without)
        records, damage = read(path)
        assert records == RECORDS[: first - 1]
        assert damage is not None
        assert not damage.is_unfinished
        assert "missing" in damage.reason
    # One that was there already is no better.
    path.write_bytes(data + data[borders[2] : borders[3]])
    records, damage = read(path)
    assert records == RECORDS
    assert damage is not None
    assert not damage.is_unfinished


def test_j3_segments_name_the_one_before_or_the_file_that_they_begin_at(
    tmp_path: Path,
) -> None:
    make(tmp_path, 1, "one", base=A)
    make(tmp_path, 2, "two", after="one")
    make(tmp_path, 3, "three", after="two")
    chain = chain_after(str(tmp_path), A)
    assert chain is not None
    assert [number for number, _ in chain.segments] == [1, 2, 3]
    write_base(str(tmp_path), "two", B, A)
    chain = chain_after(str(tmp_path), B)
    assert chain is not None
    assert [number for number, _ in chain.segments] == [2, 3]
    assert chain.needless == (1,)


def test_j3_until_a_file_takes_its_place_the_one_before_has_its_journal(
    tmp_path: Path,
) -> None:
    """Whoever is killed before that has two files noted, and either may be there."""
    folder = str(tmp_path)
    make(tmp_path, 1, "one", base=A)
    make(tmp_path, 2, "two", after="one")
    write_base(folder, "two", B, A)
    remove_segments(folder, [1])
    make(tmp_path, 3, "three", after="two")
    for _ in range(3):  # it may happen again and again
        write_base(folder, "three", C, B)
        before, after = chain_after(folder, B), chain_after(folder, C)
        assert before is not None
        assert after is not None
        assert [number for number, _ in before.segments] == [2, 3]
        assert [number for number, _ in after.segments] == [3]
        C_again = Fingerprint(C.size + 1, C.sha256)
        write_base(folder, "three", C_again, B)
    assert chain_after(folder, A) is None


def test_j4_what_follows_the_last_whole_record_is_cut_off(tmp_path: Path) -> None:
    path = make(tmp_path, 1)
    data, borders = path.read_bytes(), ends(path)
    path.write_bytes(data[:-3])
    _, damage = read(path)
    assert damage is not None
    cut_off(damage)
    assert path.read_bytes() == data[: borders[-2]]


def test_j4_a_damaged_beginning_with_records_behind_it_is_told(tmp_path: Path) -> None:
    path = make(tmp_path, 1, base=A)
    data = path.read_bytes()
    for place in (0, len(MAGIC) + 30):
        path.write_bytes(data[:place] + b"?" + data[place + 1 :])
        with pytest.raises(JournalError, match=r"byte \d+.*pymoo db recover"):
            chain_after(str(tmp_path), A)


@pytest.mark.parametrize("data", [b"", MAGIC[:5], MAGIC, b"\0" * 100, MAGIC + b"\0"])
def test_j4_a_segment_that_never_came_to_be_is_passed_over(
    tmp_path: Path, data: bytes
) -> None:
    make(tmp_path, 1, "one", base=A)
    Path(segment_path(str(tmp_path), 2)).write_bytes(data)
    make(tmp_path, 3, "three", after="one")
    Path(segment_path(str(tmp_path), 4)).write_bytes(data)
    chain = chain_after(str(tmp_path), A)
    assert chain is not None
    assert [number for number, _ in chain.segments] == [1, 3]
    assert chain.needless == (2, 4)


def test_j4_a_last_dump_makes_all_segments_needless_also_those_that_never_came_to_be(
    tmp_path: Path,
) -> None:
    make(tmp_path, 1, "one", base=A)
    Path(segment_path(str(tmp_path), 2)).write_bytes(b"")
    make(tmp_path, 3, "three", after="one")
    write_base(str(tmp_path), "", B, A)
    assert chain_after(str(tmp_path), B) == Chain((), (1, 2, 3))
    # But not what a server has written since, which was killed as well.
    make(tmp_path, 4, "four", base=B)
    chain = chain_after(str(tmp_path), B)
    assert chain is not None
    assert [number for number, _ in chain.segments] == [4]
    remove_segments(str(tmp_path), [1, 2, 3, 4])
    remove_base(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
    remove_base(str(tmp_path))


def test_j4_a_missing_segment_is_told(tmp_path: Path) -> None:
    make(tmp_path, 1, "one", base=A)
    make(tmp_path, 2, "two", after="one").unlink()
    make(tmp_path, 3, "three", after="two")
    with pytest.raises(JournalError, match="the segment before it is missing"):
        chain_after(str(tmp_path), A)
    chain = chain_after(str(tmp_path), A, stops_at_damage=True)
    assert chain is not None
    assert [number for number, _ in chain.segments] == [1]
    assert chain.damage is not None
    assert chain.damage.path == segment_path(str(tmp_path), 3)
    assert not chain.damage.is_unfinished


def test_damage_is_told_with_the_command_that_saves_what_can_be_saved() -> None:
    damage = Damage("out.db.journal/00000001.segment", 40, "it is odd", False, 99)
    before = (
        "out.db.journal/00000001.segment: byte 40 of 99: it is odd, and what stands "
        "behind it cannot be used. What stands before it can be saved: "
    )
    error = DamagedJournalError(damage)
    assert str(error) == f"{before}pymoo db recover out.db out.recovered.db"
    assert before == f"{error.problem}. What stands before it can be saved: "
    error = DamagedJournalError(damage, "in.db")
    assert str(error) == (
        f"{before}pymoo db recover in.db in.recovered.db --journal out.db.journal"
    )


def test_j5_the_segment_of_an_older_file_is_not_there_any_more(tmp_path: Path) -> None:
    make(tmp_path, 2, "two", after="one")
    write_base(str(tmp_path), "two", B, A)
    make(tmp_path, 3, "three", after="two")
    write_base(str(tmp_path), "three", C, B)
    remove_segments(str(tmp_path), [2])
    assert chain_after(str(tmp_path), B) is None
    assert chain_after(str(tmp_path), C) is not None


def test_j5_no_segment_belongs_to_a_file_that_none_names(tmp_path: Path) -> None:
    make(tmp_path, 1, "one", base=A)
    write_base(str(tmp_path), "one", B, None)
    assert chain_after(str(tmp_path), C) is None
    assert chain_after(str(tmp_path / "missing"), C) == Chain((), ())


def test_j5_fingerprints_tell_files_apart(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    seen = set()
    for data in (b"", b"a", b"b", b"x" * 3_000_000, b"x" * 2_999_999 + b"y"):
        path.write_bytes(data)
        found = fingerprint(str(path))
        assert found.size == len(data)
        seen.add(str(found))
    assert len(seen) == 5
    assert folder_of(str(path)) == f"{path}.journal"


class Full:
    """A disk that takes some bytes yet, and then no more."""

    def __init__(self, room: int, code: int = errno.ENOSPC) -> None:
        self.room = room
        self.code = code

    def write(self, number: int, data: memoryview) -> int:
        if not self.room:
            raise OSError(self.code, os.strerror(self.code))
        taken = min(self.room, len(data), 7)  # and only a few at a time
        self.room -= taken
        return WRITE(number, data[:taken])


WRITE = os.write


@pytest.mark.parametrize("room", [0, 1, 15, 100])
def test_j6_a_record_that_does_not_fit_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    segment = Segment(str(tmp_path), 1, beginning("id"))
    segment.append(b"before")
    data = Path(segment.path).read_bytes()
    monkeypatch.setattr(os, "write", Full(room).write)
    with pytest.raises(OSError, match="No space left"):
        segment.append(b"x" * 200)
    assert Path(segment.path).read_bytes() == data
    monkeypatch.setattr(os, "write", Full(10_000).write)
    segment.append(b"y" * 200)
    segment.close()
    assert read(Path(segment.path)) == ([b"before", b"y" * 200], None)


def test_j6_what_cannot_be_synced_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = Segment(str(tmp_path), 1, beginning("id"))
    data = Path(segment.path).read_bytes()

    def refuse(number: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(journal_file, "_sync_data", refuse)
    with pytest.raises(OSError, match="Input/output"):
        segment.append(b"data")
    assert Path(segment.path).read_bytes() == data
    with pytest.raises(OSError, match="Input/output"):
        Segment(str(tmp_path), 2, beginning("id"))
    assert segment_numbers(str(tmp_path)) == [1]


def test_j6_a_record_that_nobody_could_find_is_an_error(tmp_path: Path) -> None:
    segment = Segment(str(tmp_path), 1, beginning("id"))
    Path(segment.path).unlink()
    with pytest.raises(FileNotFoundError):
        segment.append(b"data")
    segment.close()
    segment.close()


# --- whatever the bytes ---------------------------------------------------------


def test_what_players_write_is_not_taken_for_a_record_behind_damage(
    tmp_path: Path,
) -> None:
    """Their strings may look like one, but no line of theirs begins with a digit."""
    inner = b'"a'
    crc = zlib.crc32(inner, zlib.crc32(b"9\n"))
    forged = b'(2\n"%d %08x 9\n%s\ni1' % (len(inner), crc, inner)
    path = make(tmp_path, 1, records=[b"x", forged])
    path.write_bytes(path.read_bytes()[:-2])
    records, damage = read(path)
    assert records == [b"x"]
    assert damage is not None
    assert damage.is_unfinished


def test_a_torn_record_full_of_what_looks_like_heads_is_read_in_no_time(
    tmp_path: Path,
) -> None:
    lines = b"\n".join(b'"%d 00000000 7' % (100_000 + n) for n in range(30_000))
    path = make(tmp_path, 1, records=[lines])
    path.write_bytes(path.read_bytes()[:-2])
    began = time.process_time()
    _, damage = read(path)
    assert damage is not None
    assert damage.is_unfinished
    assert time.process_time() - began < 1


@pytest.mark.parametrize("gap", range(-60, 60, 7))
def test_a_record_behind_a_long_damaged_one_is_found(tmp_path: Path, gap: int) -> None:
    """Also where the parts meet in which the file is read."""
    long = b"z" * (journal_file._READ_BYTES + gap - 200)
    path = make(tmp_path, 1, records=[long, b"whole"])
    data = bytearray(path.read_bytes())
    data[ends(path)[1]] = ord("x")  # its head is none any more
    path.write_bytes(data)
    records, damage = read(path)
    assert records == []
    assert damage is not None
    assert not damage.is_unfinished


@given(data=st.binary(max_size=200), prefix=st.sampled_from([b"", MAGIC, MAGIC + b"1"]))
@example(data=b"999999999999999 00000000 0\n", prefix=MAGIC)
@example(data=b"\n0 00000000 999999999999999\n", prefix=b"")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_damage(
    tmp_path: Path, data: bytes, prefix: bytes
) -> None:
    path = Path(segment_path(str(tmp_path), 1))
    path.write_bytes(prefix + data)
    records, damage = read(path)
    assert records == []
    assert damage is not None or prefix + data == MAGIC


@given(st.binary(max_size=100))
def test_any_bytes_are_a_beginning_or_a_value_error(data: bytes) -> None:
    try:
        found = Beginning.from_bytes(data)
    except ValueError:
        return
    assert Beginning.from_bytes(found.to_bytes()) == found


def test_a_beginning_is_read_as_it_was_written() -> None:
    whole = beginning("0a", after="b", base=A)
    assert Beginning.from_bytes(whole.to_bytes()) == whole


@given(data=st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_base_that_cannot_be_read_says_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "base").write_bytes(data)
    if not segment_numbers(str(tmp_path)):
        make(tmp_path, 1, "one", base=A)
    assert chain_after(str(tmp_path), B) is None
    chain = chain_after(str(tmp_path), A)
    assert chain is not None
    assert len(chain.segments) == 1


# --- J7 -------------------------------------------------------------------------------


def test_j7_a_journal_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    folder = str(tmp_path / "world.db.journal")
    order: list[str] = []
    waits = threading.Event()

    def second() -> None:
        with held(folder, waits.set):
            order.append("second")

    thread = threading.Thread(target=second)
    with held(folder):
        assert is_held(folder)
        thread.start()
        assert waits.wait(60)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    with pytest.raises(KeyError), held(folder):
        raise KeyError
    assert not is_held(folder)


def test_j7_nothing_stays_behind(tmp_path: Path) -> None:
    with held(str(tmp_path / "world.db.journal")):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_journal_of_the_form_before_says_what_to_do(tmp_path: Path) -> None:
    path = make(tmp_path, 1, base=A)
    path.write_bytes(OLDER_MAGIC + path.read_bytes()[len(MAGIC) :])
    with pytest.raises(JournalError, match=r"an older pymoo wrote it \(start and stop"):
        chain_after(str(tmp_path), A)
