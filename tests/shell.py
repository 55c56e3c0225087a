"""Command lines of the documentation, typed as they stand there."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from tests.server.processes import environment

COMMANDS = {
    "pymoo": (sys.executable, "-m", "pymoo"),
    "curl": (sys.executable, str(Path(__file__).with_name("curl.py"))),
}


def typed(line: str, folder: Path) -> str:
    """Return what a line prints that is given to a shell in ``folder``."""
    programs = folder / "bin"
    if not programs.exists():
        programs.mkdir()
        for name, words in COMMANDS.items():
            script = programs / name
            script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
            script.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=folder,
        env=environment(PATH=f"{programs}:{environment()['PATH']}"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    ).stdout
