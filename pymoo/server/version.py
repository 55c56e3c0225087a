"""What server_version() says.

A database that asks for LambdaMOO's version wants to know what it may rely on; so
the answer is the one of the C server that pymoo behaves like, with the C server's
table of options.  pymoo's own version is a topic of its own, ``"pymoo"``, except in
the dialect that is to be LambdaMOO exactly.

Source: version.c, server_version_full; version_options.h.
"""

from __future__ import annotations

import platform
from typing import Final

from pymoo import __version__
from pymoo.errors import MooError
from pymoo.lang.dialect import Dialect
from pymoo.options import (
    DEFAULT_BG_SECONDS,
    DEFAULT_CONNECT_TIMEOUT,
    DEFAULT_FG_SECONDS,
    DEFAULT_MAX_LIST_CONCAT,
    DEFAULT_MAX_STACK_DEPTH,
    DEFAULT_MAX_STRING_CONCAT,
    DEFAULT_PORT,
    MIN_LIST_CONCAT,
    MIN_STRING_CONCAT,
    OUT_OF_BAND_PREFIX,
)
from pymoo.server.connection import MAX_QUEUED_OUTPUT
from pymoo.tasks.queues import MAX_QUEUED_INPUT, QUOTE_PREFIX
from pymoo.values import E_INVARG, NOTHING, Value

CLASSIC_VERSION: Final = "1.8.3+"

# How the table shows an option that is compiled in, and one that is not.
_DEFINED: Final[Value] = (0,)
_UNDEFINED: Final = NOTHING


def python_name() -> str:
    """Return what runs pymoo: ``CPython 3.11.7``."""
    return f"{platform.python_implementation()} {platform.python_version()}"


class Version:
    """What one server says of itself."""

    def __init__(self, dialect: Dialect, *, outbound: bool = False) -> None:
        self.text: Final = CLASSIC_VERSION
        """What server_version() gives."""
        numbers, _, extension = CLASSIC_VERSION.partition("+")
        major, minor, release = map(int, numbers.split("."))
        tree: list[Value] = [
            ("major", major),
            ("minor", minor),
            ("release", release),
            ("ext", f"+{extension}"),
            ("string", CLASSIC_VERSION),
            ("features", ()),
            ("options", _options(dialect, outbound)),
            ("source", (("vcs", "unknown"),)),
        ]
        if dialect.tells_of_pymoo:
            tree.append(
                ("pymoo", (("version", __version__), ("python", python_name())))
            )
        self._tree: Final[Value] = tuple(tree)

    def details(self, topic: Value) -> Value:
        """Return what server_version(topic) gives.

        A topic is a path, ``"options/DEFAULT_PORT"``; any other value than a string,
        and the empty string, mean everything.

        Raises: E_INVARG if there is no such topic.
        """
        if type(topic) is not str or not topic:
            return self._tree
        found = self._tree
        rest = topic
        while rest:
            name, _, rest = rest.partition("/")
            found = _look_up(found, name)
        return found


def _look_up(tree: Value, name: str) -> Value:
    """Return what ``{name, value}`` gives, or the name itself if that is listed."""
    if type(tree) is tuple:
        for item in tree:
            if item == name and type(item) is str:
                return item
            if type(item) is tuple and len(item) == 2 and item[0] == name:
                return item[1]
    raise MooError(E_INVARG)


def _options(dialect: Dialect, outbound: bool) -> Value:
    return (
        ("NETWORK_PROTOCOL", "NP_TCP"),
        ("DEFAULT_PORT", DEFAULT_PORT),
        ("NETWORK_STYLE", "NS_BSD"),
        ("MPLEX_STYLE", "MP_SELECT"),
        ("OUTBOUND_NETWORK", "ON" if outbound else _UNDEFINED),
        ("DEFAULT_CONNECT_TIMEOUT", DEFAULT_CONNECT_TIMEOUT),
        ("MAX_QUEUED_OUTPUT", MAX_QUEUED_OUTPUT),
        ("MAX_QUEUED_INPUT", MAX_QUEUED_INPUT),
        ("USE_GNU_MALLOC", _UNDEFINED),
        ("UNFORKED_CHECKPOINTS", _UNDEFINED),
        ("BYTECODE_REDUCE_REF", _UNDEFINED),
        ("STRING_INTERNING", _DEFINED),
        ("MEMO_STRLEN", _UNDEFINED),
        ("LOG_COMMANDS", _UNDEFINED),
        ("INPUT_APPLY_BACKSPACE", _DEFINED),
        ("IGNORE_PROP_PROTECTED", _UNDEFINED),
        ("OUT_OF_BAND_PREFIX", OUT_OF_BAND_PREFIX),
        ("OUT_OF_BAND_QUOTE_PREFIX", QUOTE_PREFIX),
        ("DEFAULT_MAX_STACK_DEPTH", DEFAULT_MAX_STACK_DEPTH),
        ("DEFAULT_FG_TICKS", dialect.fg_ticks),
        ("DEFAULT_BG_TICKS", dialect.bg_ticks),
        ("DEFAULT_FG_SECONDS", DEFAULT_FG_SECONDS),
        ("DEFAULT_BG_SECONDS", DEFAULT_BG_SECONDS),
        ("PATTERN_CACHE_SIZE", 20),
        ("DEFAULT_MAX_LIST_CONCAT", DEFAULT_MAX_LIST_CONCAT),
        ("MIN_LIST_CONCAT_LIMIT", MIN_LIST_CONCAT),
        ("DEFAULT_MAX_STRING_CONCAT", DEFAULT_MAX_STRING_CONCAT),
        ("MIN_STRING_CONCAT_LIMIT", MIN_STRING_CONCAT),
    )
