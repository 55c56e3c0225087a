"""How early PyPy compiles: a server runs much code, each piece of it not very often.

With PyPy's own settings LambdaCore's commands are still getting faster after several
hundred thousand of them; with these, after thirty thousand.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from typing import Final

SETTINGS: Final = "trace_eagerness=40"
"""Branches are compiled after 40 times, not 200.

To compile loops and functions earlier as well makes a loop of floats several times as
slow: then it is compiled before its types are known.
"""


def tune() -> None:
    """Make PyPy's compiler fit for a server; other Pythons have none."""
    if sys.implementation.name == "pypy":
        with suppress(ImportError):  # one that was built without a compiler
            import_module("pypyjit").set_param(SETTINGS)
