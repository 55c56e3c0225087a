"""What tools show of a server's log: what goes wrong, and what programs write there."""

from __future__ import annotations

import sys
from io import BytesIO

from pymoo.interp.host import Clock
from pymoo.server.log import Log


class ErrorLog(Log):
    """Shows on standard error what the code logs and what goes wrong."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, BytesIO())  # to which nothing goes

    def write(self, text: str, is_error: bool = False) -> None:
        if is_error or text.startswith("> "):
            print(text, file=sys.stderr)
