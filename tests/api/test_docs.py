"""What docs/api.md shows is what happens."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pymoo.api.wire import KINDS
from tests.server.processes import ROOT, ServerProcess, environment
from tests.shell import typed
from tests.test_docs import DATABASE, shown

TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(DATABASE, tmp_path / "MyMOO.db")
    return tmp_path


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_programs_of_the_chapter_run(program: str, folder: Path) -> None:
    before = (folder / "MyMOO.db").read_bytes()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "MyMOO.db").read_bytes() == before


@pytest.mark.parametrize(("command", "output"), [*shown(TEXT)])
def test_the_commands_of_the_chapter_print_that(
    command: str, output: str, folder: Path
) -> None:
    assert typed(command, folder) == output


def test_the_requests_of_the_chapter_are_answered_so(folder: Path) -> None:
    [block] = re.findall(r"^```console-http\n.*?^```", TEXT, re.M | re.S)
    [serve] = re.findall(r"^pymoo (serve .* --http 7780 .*)$", TEXT, re.M)
    words = serve.replace("7780", "0").split()
    with ServerProcess(folder, *words, "--port", "0", "--log", "{log}") as process:
        port = process.wait_for(r"LISTEN: HTTP requests at .*, port (\d+)")[1]
        examples = [*shown(block.replace("console-http", "console"))]
        assert len(examples) == 3
        for command, output in examples:
            said = typed(command.replace("7780", port), folder)
            assert said.rstrip("\n") == output.rstrip("\n")


def test_the_chapter_names_all_kinds_of_errors() -> None:
    table = TEXT.partition("| kind | status |")[2]
    assert re.findall(r"^\| `(\w+)` \| [45]", table, re.M) == [*KINDS]


def test_the_chapter_shows_something() -> None:
    assert len(PROGRAMS) == 3
    assert len([*shown(TEXT)]) == 2
