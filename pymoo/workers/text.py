"""Text from elsewhere as strings that every MOO database can hold."""

from __future__ import annotations

import re
from typing import Final

_ENDS: Final = re.compile("\r\n?|\n")
_CONTROL: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def moo_lines(text: str) -> tuple[str, ...]:
    """Return the lines of a text, with ? for what is neither ASCII nor Latin-1.

    So it is for control characters; tabs stay.  An end of line at the end of the text
    begins no further line.
    """
    lines = _ENDS.split(text)
    if not lines[-1]:
        lines.pop()
    return tuple(map(moo_line, lines))


def moo_line(text: str) -> str:
    """Return one line of text, as `moo_lines` has them."""
    known = text.encode("latin-1", "replace").decode("latin-1")
    return _CONTROL.sub("?", known)
