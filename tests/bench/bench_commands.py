"""How fast LambdaCore answers a player: `look`, `say`, `@who`, `inventory`.

Run with ``make bench``; it needs the recordings' folder for the core.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from pymoo.interp.vm import VM, Result
from pymoo.lang.dialect import LAMBDAMOO
from pymoo.server.inprocess import InProcessServer
from pymoo.server.memory_network import Client
from tests.shared_material import SHARED, needs_shared

COMMANDS = ("look", "say hello", "@who", "inventory", ";1 + 1")


@pytest.fixture(scope="module")
def player(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[InProcessServer, Client]:
    folder: Path = tmp_path_factory.mktemp("core")
    with gzip.open(SHARED / "cores" / "LambdaCore-20Jun18.db.gz") as stream:
        (folder / "in.db").write_bytes(stream.read())
    server = InProcessServer.open(folder / "in.db", folder / "out.db", LAMBDAMOO)
    client = server.connect()
    client.send_line("connect wizard")
    server.run()
    return server, client


@needs_shared
@pytest.mark.parametrize("command", COMMANDS)
def test_command(
    benchmark: Any, player: tuple[InProcessServer, Client], command: str
) -> None:
    server, client = player
    ticks: list[int] = []

    def note(vm: VM, result: Result, used: int) -> None:
        ticks.append(used)

    def run() -> None:
        client.send_line(command)
        server.run()

    run()
    client.take()
    runner = server.server.tasks.runner
    runner.watchers.append(note)
    run()
    runner.watchers.remove(note)
    benchmark(run)
    assert client.take_lines()
    benchmark.extra_info["ticks"] = sum(ticks)
    if benchmark.stats is not None:
        seconds = benchmark.stats.stats.median
        benchmark.extra_info["ns per tick"] = round(seconds / sum(ticks) * 1e9)
