"""The journal on the disk: what was done since the last checkpoint.

Beside ``world.db`` stands a folder ``world.db.journal`` with files, called segments,
numbered from 1.  A segment is a chain of records; each is the number of its bytes, a
checksum, its own number, a line feed, and the bytes.  The first record of a segment
says what came before it.

J1  A record is whole or it is not there: its length and checksum say so.
J2  Records are numbered from 0 in each segment, and none is missing.
J3  A segment names the one before it, or by size and SHA-256 the database file that it
    begins at.  The file ``base`` names the segment that begins at a newer database
    file, and is written before that takes its place; of the file that is there until
    then it still says the same.
J4  A journal is read as far as its last whole record.  What follows that one in the
    last segment was never finished, nobody has seen what it did, and it is cut off.
    If a whole record stands behind a damaged one, or a segment that is not the last
    has an unfinished one, the journal is damaged, and nobody uses it who does not say
    what is missing.
J5  The journal of another database file is never applied.
J6  `Segment.append` returns when the record is on the disk, under the name of the
    segment, or raises and leaves the file as it was before.
J7  A process that a server has started to make a database file of the journal puts it
    in its place while it has the journal `held`, having made sure then that its server
    is there.  Whoever comes next has it held from the first look at file and journal
    for as long as both must stay as they are: a server until its own journal has
    begun, programs that replace the file or say what is to replace it until they have
    ended.  So what a killed server has left behind replaces no file that somebody has
    begun to use.  Who only looks needs no such thing, but takes no journal with a file
    that it does not belong to (J5).

What records hold is the affair of those who write them; this module knows bytes.  But
no line of a record, its first one apart, may begin as the head of one does: with a
digit.  So whoever looks for whole records behind damage never takes what a player has
written for one.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, Final

from attrs import frozen

from pymoo.db.redo import JournalError
from pymoo.db.remedies import recover_command
from pymoo.locks import open_locked

MAGIC: Final = b"pymoo journal 2\n"

OLDER_MAGIC: Final = b"pymoo journal 1\n"
"""Records had who is connected in another form."""

BASE_NAME: Final = "base"

_FOLDER_SUFFIX: Final = ".journal"

_HEADER: Final = re.compile(rb"([0-9]{1,15}) ([0-9a-f]{8}) ([0-9]{1,15})\n")
_HEADER_BEHIND: Final = re.compile(rb"(?<=\n)" + _HEADER.pattern)
_LONGEST_HEADER: Final = 48
_SEGMENT_NAME: Final = re.compile(r"([0-9]{8,})\.segment")
_READ_BYTES: Final = 1 << 20


def folder_of(path: str) -> str:
    """Return where the journal of the database ``path`` is."""
    return f"{path}{_FOLDER_SUFFIX}"


def database_of(folder: str) -> str | None:
    """Return the database whose journal is in ``folder``; None if it was set aside."""
    path = folder.removesuffix(_FOLDER_SUFFIX)
    return None if path == folder else path


@frozen
class Fingerprint:
    """What a file is known by."""

    size: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.size} {self.sha256}"


def fingerprint(path: str) -> Fingerprint:
    """Return the fingerprint of a file.  Raises: OSError."""
    with open(path, "rb") as stream:
        return fingerprint_of(stream)


def fingerprint_of(stream: BinaryIO) -> Fingerprint:
    """Return the fingerprint of what is still to be read.  Raises: OSError."""
    digest = hashlib.sha256()
    size = 0
    while data := stream.read(_READ_BYTES):
        digest.update(data)
        size += len(data)
    return Fingerprint(size, digest.hexdigest())


def segment_path(folder: str, number: int) -> str:
    """Return the path of a segment."""
    return os.path.join(folder, f"{number:08}.segment")


def segment_numbers(folder: str) -> list[int]:
    """Return the numbers of the segments in a folder, ascending; [] if it is not there.

    Raises: OSError.
    """
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    found = (_SEGMENT_NAME.fullmatch(name) for name in names)
    return sorted(int(match[1]) for match in found if match)


# --- the first record of a segment -------------------------------------------------


@frozen
class Beginning:
    """What the first record of a segment says."""

    identity: str  # of this segment, random
    after: str  # identity of the segment before; "" if it begins at a database file
    base: str  # the fingerprint of that file; "" where it is still being written
    dialect: str
    width: int  # bits of an INT

    def to_bytes(self) -> bytes:
        lines = (self.identity, self.after, self.base, self.dialect, str(self.width))
        return "\n".join(lines).encode("ascii")

    @classmethod
    def from_bytes(cls, data: bytes) -> Beginning:
        """Raises: ValueError if that is no such record."""
        identity, after, base, dialect, width = data.decode("ascii").split("\n")
        return cls(identity, after, base, dialect, int(width))


# --- writing ------------------------------------------------------------------------


class Segment:
    """A segment that is being written."""

    def __init__(self, folder: str, number: int, beginning: Beginning) -> None:
        """Make the file; its first record is on the disk when this returns.

        Raises: OSError; nothing is left of it then.
        """
        self.number: Final = number
        self.beginning: Final = beginning
        self.path: Final = segment_path(folder, number)
        self.size = 0
        self._next = 0
        self._file = os.open(
            self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
        )
        try:
            self._write(MAGIC)
            self.append(beginning.to_bytes())
            sync_folder(folder)
        except BaseException:
            self.close()
            with suppress(OSError):
                os.remove(self.path)
            raise

    def append(self, data: bytes) -> None:
        """Add a record, and have it on the disk (J6).

        Raises: OSError.
        """
        number = self._next
        numbered = b"%d\n" % number
        checksum = zlib.crc32(data, zlib.crc32(numbered))
        try:
            self._write(b"%d %08x %s%s\n" % (len(data), checksum, numbered, data))
            _sync_data(self._file)
            if not os.fstat(self._file).st_nlink:
                # Nobody will ever find what is written there.
                raise FileNotFoundError(errno.ENOENT, "it was removed", self.path)
        except OSError:
            # What cannot be cut off is an unfinished record: nothing is added to it.
            with suppress(OSError):
                os.ftruncate(self._file, self.size)
            raise
        self.size = os.lseek(self._file, 0, os.SEEK_CUR)
        self._next += 1

    def _write(self, data: bytes) -> None:
        os.lseek(self._file, self.size, os.SEEK_SET)
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        if self._next == 0 and self.size == 0:
            self.size = len(data)

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1


_sync_data: Final = getattr(os, "fdatasync", os.fsync)


def sync_folder(path: str) -> None:
    """Have the names in a folder on the disk.  Raises: OSError."""
    if not hasattr(os, "O_DIRECTORY"):
        return  # a system on which directories cannot be opened
    directory = os.open(path or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def held(folder: str, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Have the journal in ``folder``, or where one would be, for this process (J7).

    ``waiting`` is called if another process has it: that one is waited for.

    Raises: OSError.
    """
    path = f"{folder}.lock"
    with open_locked(path, waiting):
        try:
            yield
        finally:
            with suppress(OSError):
                os.remove(path)


def write_base(
    folder: str, identity: str, base: Fingerprint, replaced: Fingerprint | None
) -> None:
    """Note that segment ``identity`` begins at the database file ``base`` (J3).

    "" stands for one that is still to come.  Of the file that it is to replace, which
    is there until then, what is noted stays.

    Raises: OSError.
    """
    lines = {str(base): identity}
    if replaced is not None and replaced != base:
        noted = _read_bases(folder).get(str(replaced))
        if noted is not None:
            lines[str(replaced)] = noted
    path = os.path.join(folder, BASE_NAME)
    unfinished = f"{path}.new"
    with open(unfinished, "wb") as stream:
        for file, segment in lines.items():
            stream.write(f"{segment or '-'} {file}\n".encode("ascii"))
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(unfinished, path)
    sync_folder(folder)


def remove_base(folder: str) -> None:
    """Remove the file ``base``, and what was to become it.  Raises: OSError."""
    path = os.path.join(folder, BASE_NAME)
    for each in (f"{path}.new", path):
        with suppress(FileNotFoundError):
            os.remove(each)


def remove_journal(folder: str) -> None:
    """Remove a journal that is not needed any more.  Raises: OSError."""
    remove_segments(folder, segment_numbers(folder))
    remove_base(folder)
    with suppress(FileNotFoundError):
        os.rmdir(folder)


def _read_bases(folder: str) -> dict[str, str]:
    """Return what the file ``base`` says: identities, by fingerprints."""
    try:
        with open(os.path.join(folder, BASE_NAME), "rb") as stream:
            lines = stream.read().decode("ascii", "replace").splitlines()
    except FileNotFoundError:
        return {}
    rows = (line.partition(" ") for line in lines)
    return {base: "" if identity == "-" else identity for identity, _, base in rows}


# --- reading ------------------------------------------------------------------------


@frozen
class Damage:
    """Where a segment cannot be read on."""

    path: str
    offset: int  # of the first byte of the record
    reason: str
    is_unfinished: bool  # nothing that is whole stands behind it
    size: int  # of the file

    def __str__(self) -> str:
        return f"{self.path}: byte {self.offset} of {self.size}: {self.reason}"


class DamagedJournalError(JournalError):
    """A journal cannot be used beyond ``damage``.

    ``problem`` is the text without what can be done.
    """

    def __init__(self, damage: Damage, path: str | None = None) -> None:
        """``path`` is the database file, if it is not the one beside the journal."""
        folder = os.path.dirname(damage.path)
        if path is None:
            path = database_of(folder) or folder
        journal = None if folder == folder_of(path) else folder
        self.damage = damage
        self.problem = f"{damage}, and what stands behind it cannot be used"
        super().__init__(
            f"{self.problem}. What stands before it can be saved: "
            f"{recover_command(path, journal=journal)}"
        )


@frozen
class Record:
    """One record that was read."""

    path: str
    offset: int
    number: int
    data: bytes


class SegmentReader:
    """Reads the records of one segment, from its beginning."""

    def __init__(self, path: str) -> None:
        self.path: Final = path
        self.damage: Damage | None = None
        """What has ended the reading, if that was not the end of the file."""
        self.end = 0
        """Where the last whole record has ended."""
        self.size = 0
        """How many bytes the file has."""

    def records(self) -> Iterator[Record]:
        """Yield the whole records.  Raises: OSError."""
        with open(self.path, "rb") as stream:
            self.size = os.fstat(stream.fileno()).st_size
            magic = stream.read(len(MAGIC))
            if magic != MAGIC:
                is_unfinished = MAGIC.startswith(magic.rstrip(b"\0"))
                is_unfinished = is_unfinished and not _has_record(stream, 0)
                what = (
                    "an older pymoo wrote it (start and stop that one once)"
                    if magic == OLDER_MAGIC
                    else "it is no segment of a journal"
                )
                self._stop(0, what, is_unfinished)
                return
            self.end = len(MAGIC)
            number = 0
            while True:
                found = _read_record(stream, self.end)
                if found is None:
                    size = stream.seek(0, os.SEEK_END)
                    if size > self.end:
                        is_unfinished = not _has_record(stream, self.end)
                        self.size = size
                        self._stop(self.end, "a record is damaged", is_unfinished)
                    return
                data, its_number, end = found
                if its_number != number:
                    reason = f"record {number} is missing"
                    self._stop(self.end, reason, is_unfinished=False)
                    return
                yield Record(self.path, self.end, number, data)
                self.end = end
                number += 1

    def _stop(self, offset: int, reason: str, is_unfinished: bool) -> None:
        self.damage = Damage(self.path, offset, reason, is_unfinished, self.size)

    def refused(self, reason: str) -> Damage:
        """Return that the record which was yielded last cannot be used."""
        return Damage(self.path, self.end, reason, False, self.size)


def _read_record(stream: BinaryIO, offset: int) -> tuple[bytes, int, int] | None:
    """Return bytes and number of the record at ``offset``, and where it ends.

    None if there is none, or it is not whole.
    """
    stream.seek(offset)
    head = stream.read(_LONGEST_HEADER)
    match = _HEADER.match(head)
    if match is None:
        return None
    length, checksum, number = int(match[1]), int(match[2], 16), int(match[3])
    start = offset + match.end()
    if length > stream.seek(0, os.SEEK_END) - start:
        return None
    stream.seek(start)
    data = stream.read(length + 1)
    if len(data) != length + 1 or data[-1:] != b"\n":
        return None
    data = data[:-1]
    if zlib.crc32(data, zlib.crc32(b"%d\n" % number)) != checksum:
        return None
    return data, number, start + length + 1


def _has_record(stream: BinaryIO, start: int) -> bool:
    """Whether a whole record stands behind the damaged one at ``start``.

    It begins a line; or where the damaged one says that it ends, should that be what
    was damaged.
    """
    stream.seek(start)
    match = _HEADER.match(stream.read(_LONGEST_HEADER))
    if match is not None:
        behind = start + match.end() + int(match[1]) + 1
        is_within = behind < stream.seek(0, os.SEEK_END)
        if is_within and _read_record(stream, behind) is not None:
            return True
    stream.seek(start)
    kept = b""
    base = start
    while data := stream.read(_READ_BYTES):
        block = kept + data
        for match in _HEADER_BEHIND.finditer(block):
            if _read_record(stream, base + match.start()) is not None:
                return True
        kept = block[-_LONGEST_HEADER:]
        base += len(block) - len(kept)
        stream.seek(base + len(kept))
    return False


@frozen
class Chain:
    """The segments that follow a database file, the first one first."""

    segments: tuple[tuple[int, Beginning], ...]
    needless: tuple[int, ...] = ()  # older ones, which that file holds already
    damage: Damage | None = None  # why it ends before the last segment, if it does


def _beginnings(folder: str) -> tuple[list[tuple[int, Beginning]], Damage | None]:
    """Return what the segments begin with, as far as the first that is damaged.

    Those that never came to be are left out.

    Raises: OSError.
    """
    found: list[tuple[int, Beginning]] = []
    for number in segment_numbers(folder):
        reader = SegmentReader(segment_path(folder, number))
        first = next(reader.records(), None)
        if first is None:
            damage = reader.damage
            if damage is not None and not damage.is_unfinished:
                return found, damage
            continue  # whoever made it was killed then
        try:
            found.append((number, Beginning.from_bytes(first.data)))
        except ValueError as error:
            return found, reader.refused(f"its first record cannot be read: {error}")
    return found, None


def chain_after(
    folder: str, base: Fingerprint, *, stops_at_damage: bool = False
) -> Chain | None:
    """Return the segments that belong to a database file; None if none do (J5).

    With ``stops_at_damage`` those before the first that is damaged or missing.

    Raises: DamagedJournalError if one is damaged or missing; OSError.
    """
    numbers = segment_numbers(folder)
    segments, damage = _beginnings(folder)
    if damage is not None and not stops_at_damage:
        raise DamagedJournalError(damage)
    if not segments:
        return Chain((), tuple(numbers), damage)
    begins = _read_bases(folder).get(str(base))
    following: list[tuple[int, Beginning]] = []
    for number, beginning in segments:
        if not following:
            if str(base) == beginning.base or begins == beginning.identity:
                following.append((number, beginning))
        elif beginning.after == following[-1][1].identity:
            following.append((number, beginning))
        elif beginning.after or beginning.base:
            path = segment_path(folder, number)
            size = os.path.getsize(path)
            damage = Damage(path, 0, "the segment before it is missing", False, size)
            if not stops_at_damage:
                raise DamagedJournalError(damage)
            break
        # Or the file that it was to begin at never came.
    if not following:
        if begins == "":
            # The file has all that was in them.
            return Chain((), tuple(numbers), damage)
        if begins is not None and damage is not None:
            return Chain((), tuple(numbers), damage)  # it began at a damaged one
        # Should a segment have been noted that is not there any more, this is a file
        # from before the last one, which somebody has put back.
        return None
    chained = {number for number, _ in following}
    needless = tuple(n for n in numbers if n not in chained)
    return Chain(tuple(following), needless, damage)


def cut_off(damage: Damage) -> None:
    """Take the unfinished record off the end of a segment (J4).  Raises: OSError."""
    with open(damage.path, "r+b") as stream:
        stream.truncate(damage.offset)
        stream.flush()
        os.fsync(stream.fileno())


def remove_segments(folder: str, numbers: Iterable[int]) -> None:
    """Remove segments that are not needed any more.  Raises: OSError."""
    for number in numbers:
        with suppress(FileNotFoundError):
            os.remove(segment_path(folder, number))
