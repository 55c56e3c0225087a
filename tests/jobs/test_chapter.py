"""What docs/jobs.md shows is what happens."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "jobs.md").read_text(encoding="utf-8")


def test_o15_the_chapter_shows_what_happens(tmp_path: Path) -> None:
    """Its blocks in their order: files are written, commands called."""
    (tmp_path / "MyMOO.db").write_text("")
    count = 0
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.M | re.S):
        if language == "python":
            name = re.match(r"# (\w+\.py)\n", block)
            assert name is not None
            (tmp_path / name[1]).write_text(block)
            continue
        assert language == "console"
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            words = shlex.split(command)
            called = words[1:] if words[0] == "python" else ["-m", *words]
            done = subprocess.run(
                [sys.executable, *called],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.stdout == output, command
            assert done.returncode == 0
            count += 1
    assert count == 5


def test_o15_the_chapter_names_its_relatives() -> None:
    for name in ("openATTIC", "Celery", "Workflow", "green thread"):
        assert name in TEXT
