"""What a server does at its start about a journal that another one has left.

A server that ends in order leaves none.  One that was killed, or whose machine lost its
power, leaves a database file and, beside it, the journal of all that was done since.
"""

from __future__ import annotations

import os
import time
from typing import Final

from pymoo.db.journal_file import (
    DamagedJournalError,
    chain_after,
    cut_off,
    fingerprint,
    folder_of,
    remove_segments,
    segment_numbers,
    segment_path,
)
from pymoo.db.recovery import recover
from pymoo.db.redo import JournalError
from pymoo.db.textdump import Textdump
from pymoo.server.disk_journal import MANY_SEGMENTS, Origin
from pymoo.server.log import Log

OVERGROWN_SEGMENTS: Final = 3 * MANY_SEGMENTS
"""With how many segments that is: after `MANY_SEGMENTS` a checkpoint hurries, and it
has had many starts to be finished in by then."""


class LeftJournal:
    """The journal beside a database file, before a server is made of both."""

    def __init__(self, input_path: str, output_path: str, log: Log) -> None:
        """``output_path`` is the file that checkpoints replace.

        Raises: JournalError if it is damaged; OSError.
        """
        self._log: Final = log
        self._path: Final = input_path
        self._folder: Final = folder_of(output_path)
        base = fingerprint(input_path)
        numbers = segment_numbers(self._folder)
        try:
            chain = chain_after(self._folder, base) if numbers else None
        except DamagedJournalError as error:
            raise DamagedJournalError(error.damage, input_path) from error
        if numbers and chain is None:
            self._set_aside(input_path)
        self._chain: Final = chain
        after = chain.segments[-1][1].identity if chain and chain.segments else ""
        self.origin: Final = Origin(after=after) if after else Origin(base)
        """Where a new journal begins."""
        self.recovered: str | None = None
        """What `apply` has found in it, if anything."""

    @property
    def is_there(self) -> bool:
        """Whether there is something that the database file does not have."""
        return self._chain is not None and bool(self._chain.segments)

    @property
    def is_overgrown(self) -> bool:
        """Whether it has so many segments that the database file is written first.

        A server that is killed again and again before a checkpoint of its own is
        finished would start more slowly each time.
        """
        chain = self._chain
        return chain is not None and len(chain.segments) >= OVERGROWN_SEGMENTS

    def _set_aside(self, path: str) -> None:
        """Let nobody find a journal that belongs to another file (J5)."""
        now = time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime())
        aside, count = f"{self._folder}.{now}", 1
        while os.path.exists(aside):
            count += 1
            aside = f"{self._folder}.{now}.{count}"
        os.rename(self._folder, aside)
        self._log.write(
            f"JOURNAL: {self._folder} does not belong to {path} as it is now: it began "
            "at another database file, or at another version of this one. It is not "
            f"used, and kept as {aside}",
            True,
        )

    def apply(self, textdump: Textdump, width: int) -> Textdump:
        """Return what there was after the last record.

        Raises: JournalError; OSError.
        """
        chain = self._chain
        if chain is None:
            return textdump
        if not chain.segments:
            self._remove(chain.needless)
            return textdump
        number, beginning = chain.segments[-1]
        if beginning.width != width:
            raise JournalError(
                f"{segment_path(self._folder, number)}: was written by a server of "
                f"profile {beginning.dialect}, whose integers have {beginning.width} "
                "bits. Serve the database with that --profile"
            )
        try:
            recovery, damage = recover(textdump, self._folder, chain)
        except DamagedJournalError as error:
            raise DamagedJournalError(error.damage, self._path) from error
        text = f"{recovery.records:,} records of {self._folder}"
        if damage is not None:
            cut_off(damage)
            text += "; one more was not finished, and nobody has seen what it did"
        self._log.write(f"RECOVERED: {text}")
        self.recovered = text
        result = recovery.result()
        self._remove(chain.needless)
        return result

    def _remove(self, numbers: tuple[int, ...]) -> None:
        """Remove what the database file has; next time, if it cannot be now."""
        try:
            remove_segments(self._folder, numbers)
        except OSError as error:
            self._log.os_error(f"Removing old segments of {self._folder}", error)
