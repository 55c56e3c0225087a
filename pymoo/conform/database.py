"""The databases that cases run in, built from the text in ``worlds``.

``own`` is that of the project's own cases; ``moot`` and ``toast`` are what the cases
of mooR and of moo-conformance-tests expect to find, for any LambdaMOO.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from pymoo.db.textdump import dump
from pymoo.worlds.build import build_world
from pymoo.worlds.source import read_world

WORLDS: Final = Path(__file__).with_name("worlds")
"""A folder of text for each of them."""

NAMES: Final = ("own", "moot", "toast")


@cache
def database(name: str) -> bytes:
    """Return the textdump of one of the `NAMES`."""
    stream = BytesIO()
    dump(build_world(read_world(WORLDS / name)), stream)
    return stream.getvalue()
