"""Memory as the system tells of it: what is taken, what there is, how to give it back.

What follows when it is short is in `server.memory`.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pymoo.errors import OptionError

MEGABYTE: Final = 1 << 20

LIMIT_SHARE: Final = 0.8
"""Of the memory that there is, what the server may take if it is not told.

The rest is for the process that writes a checkpoint, which changes little of what it
shares with the server, and for the other processes of the machine.
"""

LEAST_LIMIT: Final = 64 * MEGABYTE
"""Python, pymoo and a small world take about half of that."""

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def _statm() -> int:
    """Return the resident memory of this process, in bytes.  Raises: OSError."""
    number = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return int(os.read(number, 200).split()[1]) * _PAGE
    finally:
        os.close(number)


def peak_bytes() -> int:
    """Return the most memory that this process ever had resident."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def resident_bytes() -> int:
    """Return what this process has resident; its peak where that is not told."""
    try:
        return _statm()
    except OSError:
        return peak_bytes()


def tells_resident_bytes() -> bool:
    """Whether `resident_bytes` is what there is now."""
    try:
        return _statm() > 0
    except OSError:
        return False


def memory_meter() -> Callable[[], int]:
    """Return `resident_bytes` without opening a file each time.

    On PyPy it leaves out the room that its collector keeps between objects, which is
    used again before the process grows, and which cannot be given back.
    """
    try:
        number = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        os.pread(number, 200, 0)
    except OSError:
        return peak_bytes
    page, pread = _PAGE, os.pread

    def resident() -> int:
        return int(pread(number, 200, 0).split()[1]) * page

    if sys.implementation.name != "pypy":
        return resident
    # Only PyPy has it; a variable, as the types of CPython's are what is checked. What
    # get_stats() makes of it for people is text, "5.4MB", and takes 60 times as long.
    collector: Any = gc

    def used() -> int:
        stats = collector._get_stats()
        free: int = stats.total_allocated_memory - stats.total_gc_memory
        return resident() - max(0, free)

    return used


def memory_giver() -> Callable[[], None]:
    """Return what gives memory back to the system that nothing is kept in."""
    trim: Callable[[int], int] | None = None
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library than glibc
            trim = ctypes.CDLL(None).malloc_trim

    def give_back() -> None:
        gc.collect()
        if trim is not None:
            trim(0)

    return give_back


def _number(path: Path) -> int | None:
    """Return the number that a file of a control group holds, if it does."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError):
        return None
    return int(text) if text.isdigit() else None


def _group_files(root: Path) -> Iterator[Path]:
    """Yield the files that may limit the control groups this process is in."""
    try:
        lines = (root / "proc/self/cgroup").read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            top, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            top, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        # In a container the path is that of the host, and what counts is at the top.
        folder = top / path.strip("/")
        yield folder / name
        while folder != top and folder.is_relative_to(top):
            folder = folder.parent
            yield folder / name


def available_bytes(root: Path = Path("/")) -> int:
    """Return how much memory there is for this process and others beside it.

    What the machine has, or less if a control group (systemd, a container) says so.
    """
    least = _PAGE * os.sysconf("SC_PHYS_PAGES")
    for path in _group_files(root):
        number = _number(path)
        if number is not None and number > 0:
            least = min(least, number)
    return least


def limit_from(text: str | None) -> int | None:
    """Return the bytes that ``--memory-limit`` means; None for any number.

    It is a number of megabytes, ``none``, or None for what the machine has.
    Raises: OptionError.
    """
    if text is None:
        return max(int(available_bytes() * LIMIT_SHARE), LEAST_LIMIT)
    if text == "none":
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise OptionError(
            f"--memory-limit {text}: is no number of megabytes: write 2000, or none"
        )
    limit = int(text) * MEGABYTE
    if limit < LEAST_LIMIT:
        raise OptionError(
            f"--memory-limit {text}: is less than the {LEAST_LIMIT // MEGABYTE} MB "
            "that a server needs before it has a world: give more"
        )
    return limit
