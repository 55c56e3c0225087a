"""All targets there are, in the order in which they are run.

A new one is a module with a ``TARGET``, and its name here.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from tests.fuzz.running import Target

NAMES: Final = (
    "telnet",
    "commands",
    "programs",
    "generated",
    "textdumps",
    "journals",
    "json_texts",
    "http",
    "builtins",
    "coding",
    "packing",
)


def target(name: str) -> Target:
    """Return the target in the module of that name."""
    module = import_module(f"tests.fuzz.{name}")
    found: Target = module.TARGET
    return found
