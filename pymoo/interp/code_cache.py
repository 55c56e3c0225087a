"""Compiled code that is kept from one start of a server to the next.

A file of its own holds, under what it was made of (`Tiering` says how), the Python
code of each function; so a verb that was compiled once need not be again, and runs as
Python from its second call.  `fingerprint` names the file after all that code depends
on beside the program: Python, this package's own text, the built-in functions.

The file is a sequence of records, each written with one call and only ever at the
end: several servers may share it.  Every record has a checksum, and one that is
damaged counts as not there.  Nothing depends on the file: what cannot be read or
written is said once, and code is made as if there was no file.

What is in the file is run.  So it is used only if nobody else could have written it:

C1  Folder and file belong to this user, and neither group nor others may write there.
C2  What is looked at is what has been opened, not what has the name a moment later; and
    the file is none that a link leads to, and no pipe.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import importlib.util
import marshal
import os
import re
import stat
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from pymoo import __version__

MAX_FILE: Final = 64 * 1024 * 1024
"""Bytes beyond which nothing is added to a file."""
MAX_FILES: Final = 8
"""How many files are kept, of other versions or other built-in functions."""

# Without waiting for the other end of a pipe.
_OPEN: Final = (
    os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
)
# What the system calls a file that exists, and a loop of links.
_PROBLEMS: Final = {
    errno.EEXIST: " is no folder",
    errno.ELOOP: " is a link",
}
_NAME: Final = re.compile(r"code-.*\.bin")

_MARK: Final = b"MOO1"
_HEADER: Final = struct.Struct("<4s16sI8s")  # mark, key, length, checksum


def content_key(*parts: Any) -> bytes:
    """Return 16 bytes that stand for plain values."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


def default_folder() -> Path | None:
    """Return the folder for such files, as the XDG base directories have it.

    None for a user without a home.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.expanduser("~/.cache")
    return Path(base) / "pymoo" if os.path.isabs(base) else None


def fingerprint(functions: Any) -> str:
    """Return a name for what code depends on beside its program.

    ``functions`` describes the built-in functions, in plain values.
    """
    package = Path(__file__).parent.parent
    sources = [
        path
        for folder in (".", "db", "interp", "lang")
        for path in sorted(package.joinpath(folder).iterdir())
        if path.suffix in (".py", ".lark", ".json")
    ]
    texts = [hashlib.blake2b(each.read_bytes()).digest() for each in sources]
    magic = importlib.util.MAGIC_NUMBER
    return content_key(__version__, magic, texts, functions).hex()


class CodeCache:
    """One such file, read and added to."""

    def __init__(self, folder: Path, name: str, warn: Callable[[str], None]) -> None:
        """Use the file ``name`` in ``folder``, both made where they are missing.

        ``warn`` is told, once, why they cannot be used.
        """
        self._warn = warn
        # Where the payload of a record is, and how long.
        self._index: dict[bytes, tuple[int, int, bytes]] = {}
        self._size = 0
        self._file = -1
        self._path = folder / f"code-{name}.bin"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                check_private(folder, os.fstat(directory))
                self._file = os.open(self._path.name, _OPEN, 0o600, dir_fd=directory)
                check_private(self._path, os.fstat(self._file))
                os.utime(self._file)  # it is in use
                with self._locked():
                    self._read_index()
                self._drop_old(directory)
            finally:
                os.close(directory)
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def get(self, key: bytes) -> Any:
        """Return what was kept under a key; None if nothing was."""
        place = self._index.get(key)
        if place is None or self._file < 0:
            return None
        offset, length, checksum = place
        try:
            payload = os.pread(self._file, length, offset)
        except OSError as error:
            self._give_up(error)
            return None
        if _checksum(key, payload) != checksum:
            del self._index[key]
            return None
        return marshal.loads(payload)

    def put(self, key: bytes, what: Any) -> None:
        """Keep plain values, code among them, under a key."""
        if self._file < 0 or key in self._index or self._size > MAX_FILE:
            return
        payload = marshal.dumps(what)
        checksum = _checksum(key, payload)
        record = _HEADER.pack(_MARK, key, len(payload), checksum) + payload
        try:
            with self._locked():
                written = os.write(self._file, record)
                # Others write there too: this is where ours ends.
                end = os.lseek(self._file, 0, os.SEEK_CUR)
        except OSError as error:
            self._give_up(error)
            return
        if written != len(record):
            self._give_up(OSError("the disk is full"))
            return
        self._size = end
        self._index[key] = (end - len(payload), len(payload), checksum)

    # --- the file -----------------------------------------------------------

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other servers from writing meanwhile."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _read_index(self) -> None:
        """Note where the records are; what is behind a damaged one is dropped."""
        size = os.fstat(self._file).st_size
        offset = 0
        while size <= MAX_FILE and offset + _HEADER.size <= size:
            header = os.pread(self._file, _HEADER.size, offset)
            mark, key, length, checksum = _HEADER.unpack(header)
            end = offset + _HEADER.size + length
            if mark != _MARK or end > size:
                break
            self._index[key] = (offset + _HEADER.size, length, checksum)
            offset = end
        if offset != size:
            os.ftruncate(self._file, offset)
        self._size = offset

    def _drop_old(self, directory: int) -> None:
        others = [
            name
            for name in os.listdir(directory)
            if _NAME.fullmatch(name) and name != self._path.name
        ]
        for name in _newest_first(others, directory)[MAX_FILES - 1 :]:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=directory)

    def _give_up(self, error: OSError) -> None:
        self.close()
        reason = str(error)
        if error.errno is not None:  # these are not this module's own words
            name = error.filename
            path = self._path if name in (None, self._path.name) else Path(name)
            problem = _PROBLEMS.get(error.errno, f": {error.strerror}")
            reason = f"{path}{problem}; name another folder with --code-cache"
        self._warn(f"{self._path.parent}: no compiled code is kept there: {reason}")


def _checksum(key: bytes, payload: bytes) -> bytes:
    return hashlib.blake2b(key + payload, digest_size=8).digest()


def check_private(path: Path, status: os.stat_result) -> None:
    """Raise OSError if somebody else could have put code there."""
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise PermissionError(
            f"{path} is no file: remove it, or name another folder with --code-cache"
        )
    if status.st_uid != os.geteuid():
        raise PermissionError(
            f"{path} belongs to somebody else: name another folder with --code-cache"
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(
            f"others may write to {path}; `chmod go-w` it, or name another folder "
            "with --code-cache"
        )


def _newest_first(names: Iterable[str], directory: int) -> list[str]:
    def age(name: str) -> float:
        try:
            return -os.stat(name, dir_fd=directory, follow_symlinks=False).st_mtime
        except FileNotFoundError:  # another server was faster
            return 0.0

    return sorted(names, key=age)
