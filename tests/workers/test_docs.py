"""What docs/workers.md shows is what happens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pymoo.options
from pymoo.cli import serve
from pymoo.workers.settings import WorkerSettings
from tests.server.online import write_database
from tests.server.processes import ROOT, ServerProcess
from tests.workers.office import MODULE

TEXT = (ROOT / "docs" / "workers.md").read_text(encoding="utf-8")

# What the examples call to show an error; it is in the text.
(ASK,) = re.findall(r"^(try\n.*?endtry\n)", TEXT, re.M | re.S)

# And for want of time.
PAUSE = """\
import time
from pymoo.workers import worker
worker("sleep")(time.sleep)
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.M | re.S)


def examples() -> Iterator[tuple[str, str]]:
    """What is typed, and what is answered."""
    for block in blocks("moo"):
        yield from re.findall(r"^;(.*)\n=> (.*)$", block, re.M)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("docs")
    write_database(folder / "in.db", verbs={"ask": ASK})
    (module,) = blocks("python")
    (folder / "my_workers.py").write_text(module, encoding="utf-8")
    (folder / "pause.py").write_text(PAUSE, encoding="ascii")
    with ServerProcess(
        folder,
        *("serve", "{input}", "{output}", "--port", "0", "--log", "{log}"),
        *("--workers", "my_workers", "--workers", "pymoo.workers.examples"),
        *("--workers", "pause"),
    ) as server:
        yield server


@pytest.mark.parametrize(("code", "answer"), [*examples()])
def test_the_examples_show_what_happens(
    server: ServerProcess, code: str, answer: str
) -> None:
    with server.talker() as wizard:
        wizard.log_in()
        assert wizard.eval(f"return {code};") == answer


def test_there_are_examples() -> None:
    assert len([*examples()]) > 6


def test_the_options_and_their_defaults_are_those_of_the_command() -> None:
    rows = dict(re.findall(r"^\| `(--worker[a-z-]*) \w+` \| (\w+) \|", TEXT, re.M))
    defaults = {
        option.opts[0]: option.default
        for option in serve.params
        if option.opts[0].startswith("--worker")
    }
    assert rows.pop("--workers") == "none"
    defaults.pop("--workers")
    assert {name: float(text) for name, text in rows.items()} == defaults
    settings = WorkerSettings((MODULE,))
    assert defaults == {
        "--worker-processes": settings.processes,
        "--worker-seconds": settings.seconds,
        "--worker-cpu": settings.cpu_s,
        "--worker-memory": settings.memory_mb,
        "--worker-queue": settings.max_waiting,
        "--worker-bytes": settings.max_bytes,
    }
    assert pymoo.options.DEFAULT_WORKER_TIMEOUT == 60


def test_paths_that_are_mentioned_exist() -> None:
    for name in re.findall(r"`(pymoo\.workers[a-z_.]*[a-z])\b", TEXT):
        module = name.replace(".text.moo_lines", ".text")
        path = ROOT / Path(*module.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file(), name
