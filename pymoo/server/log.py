"""The server's log, in the form that LambdaMOO's administrators know.

One line per event: ``Nov 21 03:47:31: text``, errors with ``*** `` before the text.
The file is appended to, and every line is written at once.  The time is the
`Clock`'s, shown in the time zone of the process.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from io import BytesIO
from typing import BinaryIO, Final

from pymoo.interp.host import Clock

MAX_CALLS_SHOWN: Final = 1_000
"""How many calls of a traceback are written at most."""

# English, whatever the locale (log.c takes them from ctime).
_MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def log_time(seconds: float) -> str:
    """Return a time as the log shows it: ``Nov  1 03:47:31``.

    Source: log.c, do_log.
    """
    at = time.localtime(seconds)
    return (
        f"{_MONTHS[at.tm_mon - 1]} {at.tm_mday:2} "
        f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
    )


def _now(put: Callable[[str], None], line: str) -> None:
    put(line)


class Log:
    """Writes lines to one stream of bytes."""

    def __init__(
        self, clock: Clock, stream: BinaryIO, *, encoding: str = "latin-1"
    ) -> None:
        """``encoding`` is that of the database, whose texts come here as they are."""
        self._clock: Final = clock
        self._stream: Final = stream
        self._encoding: Final = encoding
        self.defer: Callable[[Callable[[str], None], str], None] = _now
        """What calls a function with a line, now or when the slice has ended well."""
        self.bugs = 0
        """How many errors of pymoo's own there have been."""

    def write(self, text: str, is_error: bool = False) -> None:
        """Add a line, with the present time."""
        mark = "*** " if is_error else ""
        self.defer(self._put, f"{log_time(self._clock.now())}: {mark}{text}\n")

    def _put(self, line: str) -> None:
        """Write a line.

        A log that cannot be written (its disk is full, its reader gone) is no reason
        to stop the world, and there is nowhere left to say so: the line is lost.
        """
        try:
            self._stream.write(line.encode(self._encoding, "backslashreplace"))
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            pass

    def os_error(self, doing: str, error: OSError) -> None:
        """Add what went wrong with the system while ``doing`` something.

        Source: log.c, log_perror.
        """
        self.write(f"{doing}: {error.strerror or error}", True)

    def bug(self, doing: str, error: BaseException) -> None:
        """Add, in full, an error that is pymoo's own fault.

        Of calls without end the last ones must do: there may be 60,000.
        """
        self.bugs += 1
        self.write(f"BUG IN PYMOO while {doing}; please report all of this:", True)
        calls = sum(1 for _ in traceback.walk_tb(error.__traceback__))
        limit = None if calls <= MAX_CALLS_SHOWN else -MAX_CALLS_SHOWN
        if limit is not None:
            self.write(f"  (the last {MAX_CALLS_SHOWN} of {calls} calls)", True)
        for part in traceback.format_exception(error, limit=limit):
            for line in part.rstrip("\n").split("\n"):
                self.write(f"  {line}", True)


class ErrorLog(Log):
    """What tools show of a log: what goes wrong, and what programs write there.

    It goes to standard error.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, BytesIO())  # to which nothing goes

    def write(self, text: str, is_error: bool = False) -> None:
        if is_error or text.startswith("> "):
            self.defer(_show, text)


def _show(line: str) -> None:
    print(line, file=sys.stderr)
