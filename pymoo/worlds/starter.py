"""The starter core's textdump: where it is, and building it when it is not there.

The core's text lies in the folder ``starter`` beside this module; how it is written
is told in `source`.  A wheel brings the textdump along, a checkout builds it when it
is first asked for.

S1  The name of the textdump has a digest in it, of the text and of the modules that
    read it; so one that is there is up to date.
"""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from pymoo.db.world import World
from pymoo.errors import PymooError
from pymoo.worlds.build import build_world, write_textdump
from pymoo.worlds.source import read_world

SOURCES: Final = Path(__file__).with_name("starter")
"""The folder of the starter core's text."""

BUILT: Final = Path(__file__).with_name("built")
"""The folder of its textdump, unless nothing can be written there."""


def build_starter() -> World:
    """Return the world of the starter core.  Raises: WorldSourceError."""
    return build_world(read_world(SOURCES))


def starter_textdump() -> Path:
    """Return the textdump of the starter core, which is built if it is not there.

    It lies beside its sources or, where nothing can be written there, in the user's
    folder for caches.  It is for all to read: a server gets a copy (`copy_starter`).

    Raises: WorldSourceError; PymooError if there is no place for it.
    """
    name = f"starter-{_digest()}.db"
    folders = [BUILT, _cache_folder()]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    world = build_starter()
    problems = []
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_textdump(world, folder / name)
        except OSError as error:
            problems.append(f"  {folder}: {error.strerror}")
            continue
        if folder == BUILT:
            _remove_older(name)
        return folder / name
    raise PymooError(
        "\n".join(
            [
                "The starter core has not been built, and there is no place for it:",
                *problems,
                "Set XDG_CACHE_HOME to a folder that can be written to, or build it "
                "elsewhere with: python -m pymoo.worlds.build OUT.db",
            ]
        )
    )


def copy_starter(path: str | os.PathLike[str]) -> None:
    """Make a new database file of the starter core; what is at ``path`` is kept.

    Raises: PymooError if there is a file already, or none can be made there.
    """
    content = starter_textdump().read_bytes()
    try:
        with open(path, "xb") as stream:
            try:
                stream.write(content)
                stream.flush()
            except OSError:
                os.unlink(path)
                raise
    except OSError as error:
        raise PymooError(
            f"{os.fspath(path)}: a new database cannot be made there: {error.strerror}"
        ) from error


def _digest() -> str:
    """Return the digest that the name of the textdump has in it (S1)."""
    digest = hashlib.sha256()
    here = Path(__file__)
    programs = [here.with_name("build.py"), here.with_name("source.py")]
    for path in [*programs, *sorted(SOURCES.glob("*.moo"))]:
        text = path.read_bytes()
        digest.update(f"{path.name} {len(text)}\n".encode())
        digest.update(text)
    return digest.hexdigest()[:12]


def _cache_folder() -> Path:
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    else:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "pymoo"


def _remove_older(name: str) -> None:
    """Remove what was built from older sources.

    Not from the folder for caches, which other installations use as well.
    """
    for path in BUILT.glob("starter-*.db"):
        if path.name != name:
            # A server may hold it open, which on Windows keeps it.
            with suppress(PermissionError):
                path.unlink(missing_ok=True)
