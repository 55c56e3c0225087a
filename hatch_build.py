"""Puts the starter core's textdump into the wheel (a hook of hatchling's).

It is built from its text, which is in the wheel as well; see `pymoo.worlds.starter`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StarterHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the textdump; an editable installation finds that in the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        sys.path.insert(0, self.root)
        try:
            from pymoo.worlds.starter import BUILT, SOURCES, starter_textdump
        finally:
            sys.path.remove(self.root)

        if Path(self.root) not in SOURCES.parents:
            raise RuntimeError(
                f"the starter core would be built from {SOURCES}, outside of "
                f"{self.root}: uninstall pymoo from the environment of the build"
            )
        path = starter_textdump()
        if version != "editable":
            place = (BUILT / path.name).relative_to(self.root)
            build_data["force_include"][str(path)] = place.as_posix()
