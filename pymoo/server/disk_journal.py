"""The journal on the disk of a server that runs.

What is done is there before anybody sees it.

D1  `commit` is called before anything of what slices have done gets out: lines to
    players, answers to other programs.  When it returns, a record of all that was done
    since the last call is on the disk, or the log says that there is no journal.
    (Before a connection is closed in the midst of a turn, that somebody has come or
    gone makes no record by itself: there may be many.)
D2  A slice is in one record, mostly with those of the same turn of the server's loop,
    and never in two.  So it is there as a whole or not at all; a task is gone from
    those that wait, and a connection from those that the database is to be told of,
    exactly when what came of it is there.
D3  A journal that cannot be written does not stop the server.  It goes on without one,
    says so to the log and to the wizards who are connected, and begins a new one with
    the next checkpoint that succeeds, which it tries again and again.
D4  A checkpoint ends a segment with a mark and begins the next one; the older ones are
    removed when the new database file is there.

What is in the records is described in `db.recovery`; what the files look like, in
`db.journal_file`; who makes the new database file, in `fold`.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol

from attrs import frozen

from pymoo.db.journal_file import (
    Beginning,
    Fingerprint,
    Segment,
    fingerprint,
    folder_of,
    remove_journal,
    remove_segments,
    segment_numbers,
    segment_path,
    sync_folder,
    write_base,
)
from pymoo.db.journal_values import ValueWriter
from pymoo.db.recovery import EXTRAS_OF_TASKS
from pymoo.db.redo import operation_to_value
from pymoo.db.remedies import no_room_remedy
from pymoo.db.world import World
from pymoo.errors import PymooError
from pymoo.server.connection_recorder import NumberedConnection
from pymoo.server.log import Log
from pymoo.tasks.recording import TaskRecorder
from pymoo.tasks.scheduler import Scheduler
from pymoo.values import Obj, Value

RETRY_AFTER_S: Final = 60.0
"""How long after a failure a new journal is begun at the earliest."""

LARGE_BYTES: Final = 64 << 20
"""How large a journal may become before a checkpoint is made."""

MANY_SEGMENTS: Final = 8
"""How many segments it may have, as each start that follows a crash adds one."""


class State(Protocol):
    """What a journal has to know of a server besides its world and its tasks."""

    def extras(self) -> dict[str, Value]:
        """Return what textdumps keep for pymoo, by name."""

    def kept_extras(self) -> Mapping[str, tuple[int, Callable[[], Value]]]:
        """Return what of that is kept apart from tasks.

        By name, how often it has changed so far, and what gives it.
        """

    def active_connections(self) -> tuple[tuple[Obj, Obj], ...]:
        """Return who is connected, and to which listening object."""

    def follow_connections(self, *, is_wanted: bool) -> None:
        """Begin to note who comes and goes, or cease to."""

    def numbered_connections(self) -> tuple[NumberedConnection, ...]:
        """Return who is connected now, with the numbers that they have."""

    def connection_changes(self) -> list[tuple[object, ...]]:
        """Return entries of what has changed of that since the last call."""

    def tell_wizards(self, text: str) -> None:
        """Show a line to each wizard who is connected."""


@frozen
class Origin:
    """Where a journal begins: at a database file, or behind a segment."""

    base: Fingerprint | None = None
    after: str = ""


@frozen
class Rotation:
    """A segment that has ended, for a checkpoint, and what follows it."""

    last: int
    following: str


class DiskJournal:
    """The journal of one server."""

    def __init__(
        self,
        world: World,
        scheduler: Scheduler,
        state: State,
        log: Log,
        path: str,
        *,
        dialect: str,
        width: int,
    ) -> None:
        """``path`` is the database file that checkpoints replace."""
        self.folder: Final = folder_of(path)
        self._path: Final = path
        self._scheduler: Final = scheduler
        self._state: Final = state
        self._log: Final = log
        self._dialect: Final = dialect
        self._width: Final = width
        self._world: Final = world
        self._journal: Final = world.journal
        self._segment: Segment | None = None
        self._recorder: TaskRecorder | None = None
        self._writer = ValueWriter()
        self._seen: dict[str, int] = {}
        self._older_bytes = 0  # of the segments before the present one
        self._older_segments = 0
        # A journal that follows a database file which is still being written.
        self._is_provisional = False
        # What the file was, which such a journal is to begin without.
        self._replaced: tuple[int, ...] | None = None
        self._failed_at: float | None = None
        self.records = 0
        """How many records were written."""
        self.sync_s = 0.0
        """How long the last one took to get to the disk."""
        self.is_whole = False
        """Whether database file and journal hold all there is."""

    @property
    def is_on(self) -> bool:
        """Whether what is done gets to the disk."""
        return self._segment is not None

    @property
    def size(self) -> int:
        """How many bytes it has; 0 if it is not on."""
        segment = self._segment
        return 0 if segment is None else self._older_bytes + segment.size

    @property
    def is_large(self) -> bool:
        """Whether a checkpoint should make it smaller."""
        return self.size > LARGE_BYTES or self._older_segments >= MANY_SEGMENTS

    @property
    def is_to_begin_anew(self) -> bool:
        """Whether it has failed, and it is time to try again."""
        return (
            self._failed_at is not None
            and time.monotonic() - self._failed_at >= RETRY_AFTER_S
        )

    def seconds_until_anew(self) -> float | None:
        """Return when it is time to try again; None if it has not failed."""
        if self._failed_at is None:
            return None
        return max(0.0, self._failed_at + RETRY_AFTER_S - time.monotonic())

    # --- begin and end --------------------------------------------------------

    def begin(self, origin: Origin) -> None:
        """Begin to write; between slices.

        Raises: JournalStartError.
        """
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            sync_folder(os.path.dirname(os.path.abspath(self.folder)))
            numbers = segment_numbers(self.folder)
            self._older_segments = len(numbers)
            self._older_bytes = sum(
                os.path.getsize(segment_path(self.folder, n)) for n in numbers
            )
            self._open(max(numbers, default=0) + 1, origin)
            self._record_all()
            self.is_whole = not self._is_provisional
        except OSError as error:
            self._stop()
            # On a full disk nothing could be saved without a journal either.
            remedy = no_room_remedy(error, os.path.dirname(self.folder)) or (
                "Let the server write there, or do without one: --durability off"
            )
            raise JournalStartError(
                f"{self.folder}: a journal cannot be written there: "
                f"{error.strerror or error}. {remedy}"
            ) from error

    def _open(self, number: int, origin: Origin) -> None:
        beginning = Beginning(
            secrets.token_hex(16),
            origin.after,
            "" if origin.base is None else str(origin.base),
            self._dialect,
            self._width,
        )
        self._segment = Segment(self.folder, number, beginning)
        self._writer = ValueWriter()

    def _record_all(self) -> None:
        """Write the first record with tasks: all there are."""
        self._recorder = TaskRecorder(self._scheduler, self._log.bug)
        self._journal.keep_redo(True)
        self._seen.clear()
        self._state.follow_connections(is_wanted=True)
        entries: list[tuple[Any, ...]] = [("reset",), self._all_connections()]
        kept = self._state.kept_extras()
        entries += [
            ("extra", name, value)
            for name, value in self._state.extras().items()
            if name not in EXTRAS_OF_TASKS and name not in kept
        ]
        entries += self._changes(self._recorder)
        self._append((), entries)

    def _stop(self) -> None:
        """Write no more."""
        self._journal.keep_redo(False)
        if self._recorder is not None:
            self._recorder.stop()
            self._recorder = None
            self._state.follow_connections(is_wanted=False)
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def close(self) -> None:
        """End the journal; what is in it stays."""
        if self._segment is not None:
            self.commit()
            self._stop()

    def remove(self) -> None:
        """Remove the journal: all that was in it is in the database file.

        What cannot be removed is told; it belongs to no file any more.
        """
        self._stop()
        try:
            remove_journal(self.folder)
        except OSError as error:
            self._log.os_error(f"Removing {self.folder}", error)

    # --- records ----------------------------------------------------------------

    def commit(self, *, with_connections: bool = True) -> None:
        """Have on the disk what was done since the last call (D1).

        Within a slice, and while one is undone, nothing is written (D2).  Without
        ``with_connections``, who has come or gone is no reason for a record.
        """
        recorder = self._recorder
        if recorder is None or self._journal.is_under_way:
            return
        try:
            operations = self._journal.take_redo()
            entries = self._changes(recorder)
            if with_connections or operations or entries:
                entries += self._state.connection_changes()
            if operations or entries:
                self._append(tuple(map(operation_to_value, operations)), entries)
        except Exception as error:  # noqa: BLE001  (what is left out is missing)
            self._fail(self._reason(error))

    def forget(self) -> None:
        """Keep no values only because they may be meant again: memory is short."""
        self._writer.forget()

    def _changes(self, recorder: TaskRecorder) -> list[tuple[Any, ...]]:
        entries = recorder.changes()
        state = self._state
        for name, (changes, give) in state.kept_extras().items():
            if self._seen.get(name) != changes:
                self._seen[name] = changes
                entries.append(("extra", name, give()))
        return entries

    def _all_connections(self) -> tuple[Any, ...]:
        return ("connections", self._state.numbered_connections())

    def _append(
        self, operations: tuple[Any, ...], entries: list[tuple[Any, ...]]
    ) -> None:
        assert self._segment is not None
        data = self._writer.to_bytes((operations, tuple(entries)))
        began = time.perf_counter()
        self._segment.append(data)
        self.sync_s = time.perf_counter() - began
        self.records += 1

    def _reason(self, error: Exception) -> str:
        """Return why the journal cannot be written; what is our fault is logged."""
        if isinstance(error, OSError):
            return error.strerror or str(error)
        self._log.bug("writing to the journal", error)
        return "there is a fault in pymoo"

    def _fail(self, reason: str) -> None:
        """Go on without a journal (D3)."""
        self._stop()
        self.is_whole = False
        self._is_provisional = False
        self._failed_at = time.monotonic()
        self._log.write(
            f"JOURNAL: {self.folder}: {reason}. The server goes on without it: what is "
            "done now is lost if it dies before the next checkpoint. Make room, or let "
            f"it write there; it tries again every {RETRY_AFTER_S:.0f} seconds",
            True,
        )
        self._state.tell_wizards(
            f"*** The journal cannot be written ({reason}): what is done now is lost "
            "if the server dies before the next checkpoint. ***"
        )

    # --- checkpoints --------------------------------------------------------------

    def rotate(self) -> Rotation | None:
        """End the segment with a mark and begin the next one (D4).

        Returns None, having said why, if the disk does not let it.
        """
        self.commit()
        recorder, segment = self._recorder, self._segment
        if recorder is None or segment is None:
            return None
        try:
            order = recorder.order()
            mark = (
                "mark",
                order,
                tuple(self._state.extras().items()),
                self._state.active_connections(),
                len(self._world),
                len(self._world.players),
            )
            self._append((), [mark])
            last = segment.number
            self._open(last + 1, Origin(after=segment.beginning.identity))
            self._older_bytes += segment.size
            self._older_segments += 1
            segment.close()
            recorder.begin_segment()
            entries = [("order", order), self._all_connections()]
            self._append((), [*entries, *self._changes(recorder)])
        except Exception as error:  # noqa: BLE001  (as in `commit`)
            self._fail(self._reason(error))
            return None
        assert self._segment is not None
        return Rotation(last, self._segment.beginning.identity)

    def begin_anew(self) -> str | None:
        """Begin a journal at a database file that is about to be written.

        Returns the identity of its first segment; None, having said why, if the disk
        does not let it.
        """
        self._failed_at = time.monotonic()
        self._is_provisional = True
        self._replaced = _status(self._path)
        try:
            self.begin(Origin())
        except JournalStartError as error:
            self._is_provisional = False
            self._log.write(f"JOURNAL: {error}", True)
            return None
        except Exception as error:  # noqa: BLE001  (the server goes on)
            self._is_provisional = False
            self._log.bug("beginning a journal", error)
            self._stop()
            return None
        assert self._segment is not None
        return self._segment.beginning.identity

    def file_is_there(self, rotation: Rotation | None) -> None:
        """A checkpoint has succeeded: what it holds is needed no more."""
        segment = self._segment
        first = None
        if rotation is not None:
            first = rotation.last + 1
        elif self._is_provisional and segment is not None:
            first = segment.number
            self._is_provisional = False
            self.is_whole = True
            self._failed_at = None
            self._log.write(f"JOURNAL: {self.folder} is written again")
            self._state.tell_wizards("*** The journal is written again. ***")
        if first is None:
            return
        self._older_bytes = self._older_segments = 0
        try:
            older = [n for n in segment_numbers(self.folder) if n < first]
            remove_segments(self.folder, older)
        except OSError as error:
            self._log.os_error(f"Removing old segments of {self.folder}", error)

    def abandon(self) -> None:
        """Write no more to a journal that turned out to be of no use."""
        self._fail("it does not lead to the world that there is")

    def file_has_failed(self) -> None:
        """A checkpoint has failed: a journal that begins at its file begins nowhere.

        Should the file be there for all that, the segment is the journal of that file.
        Otherwise nobody needs it.
        """
        self._state.tell_wizards(
            "*** A checkpoint has failed; the log says why."
            + (" What is done is in the journal. ***" if self.is_whole else " ***")
        )
        segment = self._segment
        if self._is_provisional and segment is not None:
            self._is_provisional = False
            self._stop()
            self._failed_at = time.monotonic()
            if _status(self._path) == self._replaced:
                with suppress(OSError):  # it is passed over
                    os.remove(segment.path)

    def note_file(self, path: str, identity: str) -> None:
        """Note, in a process that writes it, that a segment begins at a file.

        Raises: OSError.
        """
        replaced = fingerprint(self._path) if os.path.exists(self._path) else None
        write_base(self.folder, identity, fingerprint(path), replaced)


def _status(path: str) -> tuple[int, ...] | None:
    """Return what tells whether a file has been replaced; None if it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class JournalStartError(PymooError):
    """A journal cannot be begun."""
