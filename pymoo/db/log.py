"""What is told to the server's log while a database is read or written.

The lines are those of the C server.  Time stamps, and the asterisks before errors,
are added by whoever writes the log.
"""

from __future__ import annotations

from collections.abc import Callable

Log = Callable[[str, bool], None]
"""Takes a line for the log and whether it tells of an error."""


def no_log(text: str, is_error: bool) -> None:
    """A log that nobody reads."""
