"""All programs of a database checked by several processes at once.

The C server compiles every program before it takes connections.  Here that is work
for forked processes, each with its share.  They only say that all is well, and which
texts are not in canonical form: as soon as one has something to complain of, the file
is read again in the ordinary way, which has every message in its place.
"""

from __future__ import annotations

import gc
import os
import pickle
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pymoo.errors import MooSyntaxError
from pymoo.interp.loading import ProgramLoader

LEAST: Final = 500
"""How many programs there must be for this to be worth its while."""

_MOST_PROCESSES: Final = 8

Text = tuple[str, int]
"""A program's text and its version of the language."""


class CollectingChecker:
    """Takes the programs of a file as they are, and notes them for later.

    Fits `db.textdump_programs.ProgramChecker`.
    """

    def __init__(self, loader: ProgramLoader) -> None:
        self._loader: Final = loader
        self.texts: Final[dict[Text, None]] = {}

    def check_program(
        self, text: str, version: int, warn: Callable[[str], None]
    ) -> str:
        self.texts[text, version] = None
        return text

    def is_behind_call(self, text: str, version: int, vector: int, pc: int) -> bool:
        return self._loader.is_behind_call(text, version, vector, pc)

    def has_function(self, name: str) -> bool:
        return self._loader.has_function(name)


class _ComplaintError(Exception):
    """A program is not as it should be."""


def check_in_parallel(
    texts: Sequence[Text], loader: ProgramLoader
) -> Mapping[str, str] | None:
    """Return the canonical form of those texts that are not in it.

    None if one of them does not parse, or needs a warning: whoever asks has to find
    out in the ordinary way.
    """
    if len(texts) < LEAST or not hasattr(os, "fork"):
        try:
            return _changed(texts, loader)
        except (MooSyntaxError, _ComplaintError):
            return None
    count = min(os.cpu_count() or 1, _MOST_PROCESSES)
    children: list[tuple[int, int]] = []
    changed: dict[str, str] = {}
    is_well = True
    try:
        for number in range(count):
            # Those that were started must be waited for even if another is not.
            children.append(_start(texts[number::count], loader))  # noqa: PERF401
    except OSError:
        is_well = False
    for child, stream in children:
        with os.fdopen(stream, "rb") as results:
            data = results.read()
        _, status = os.waitpid(child, 0)
        if status == 0:
            changed.update(pickle.loads(data))
        else:
            is_well = False
    return changed if is_well else None


def _start(texts: Sequence[Text], loader: ProgramLoader) -> tuple[int, int]:
    """Start a process; return its number and where its results come from."""
    reading, writing = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if child:
        os.close(writing)
        return child, reading
    status = 1
    try:
        gc.disable()
        data = pickle.dumps(_changed(texts, loader))
        with os.fdopen(writing, "wb") as results:
            results.write(data)
        status = 0
    except (MooSyntaxError, _ComplaintError):
        pass  # the status tells
    finally:
        os._exit(status)


def _changed(texts: Sequence[Text], loader: ProgramLoader) -> dict[str, str]:
    changed: dict[str, str] = {}
    for text, version in texts:
        canonical = loader.check_program(text, version, _complain)
        if canonical != text:
            changed[text] = canonical
    return changed


def _complain(message: str) -> None:
    raise _ComplaintError(message)
