"""Numbers of things and sizes, as people read them."""

from __future__ import annotations


def counted(count: int, thing: str) -> str:
    """Return ``1 verb``, ``1,748 verbs``."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def size_text(size: int) -> str:
    """Return ``325 bytes``, ``2.2 MB``."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return counted(size, "byte")
