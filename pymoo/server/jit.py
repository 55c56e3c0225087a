"""How early PyPy compiles: a server runs much code, each piece of it not very often.

With PyPy's own settings LambdaCore's commands are still getting faster after several
hundred thousand of them; with these, after some ten thousand.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from typing import Final

SETTINGS: Final = (
    "threshold=400,function_threshold=600,trace_eagerness=30,loop_longevity=100000"
)
"""Loops and functions compiled sooner, branches much sooner, and nothing forgotten."""


def tune() -> None:
    """Make PyPy's compiler fit for a server; other Pythons have none."""
    if sys.implementation.name == "pypy":
        with suppress(ImportError):  # one that was built without a compiler
            import_module("pypyjit").set_param(SETTINGS)
