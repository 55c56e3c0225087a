"""What docs/jobs.md shows is what happens."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.online import write_database
from tests.server.processes import ServerProcess
from tests.shell import typed

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "jobs.md").read_text(encoding="utf-8")


def test_o15_the_chapter_shows_what_happens(tmp_path: Path) -> None:
    """Its blocks in their order: files are written, commands called."""
    (tmp_path / "MyMOO.db").write_text("")
    count = 0
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.M | re.S):
        if language == "moo":
            continue
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


def examples() -> list[tuple[str, str]]:
    """What is typed, and what is answered."""
    blocks = re.findall(r"^```moo\n(.*?)^```", TEXT, re.M | re.S)
    return [
        each
        for block in blocks
        for each in re.findall(r"^;(.*)\n=> (.*)$", block, re.M)
    ]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    write_database(tmp_path / "in.db")
    (module,) = re.findall(r"^```python\n(# greetings.py.*?)^```", TEXT, re.M | re.S)
    (tmp_path / "greetings.py").write_text(module, encoding="ascii")
    with ServerProcess(
        tmp_path,
        *("serve", "{input}", "--port", "0", "--log", "{log}", "--jobs", "greetings"),
        *("--http", "0", "--http-token-file", "token"),
    ) as server:
        yield server


def test_o06_the_examples_in_moo_show_what_happens(server: ServerProcess) -> None:
    """In their order: some are about those before."""
    assert len(examples()) == 10
    with server.talker() as wizard:
        wizard.log_in()
        for code, answer in examples():
            assert wizard.eval(f"return {code};") == answer, code


def test_o14_the_request_of_the_chapter_is_answered_so(server: ServerProcess) -> None:
    (block,) = re.findall(r"^```console-http\n\$ (.*?)^```", TEXT, re.M | re.S)
    line, _, output = block.partition("\n")
    port = server.wait_for(r"LISTEN: HTTP requests at .*, port (\d+)")[1]
    assert typed(line.replace("7780", port), server.folder) == output
