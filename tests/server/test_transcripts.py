"""Recorded sessions with LambdaMOO 1.8.3, replayed in process, line for line."""

from __future__ import annotations

import difflib
import gc
import gzip
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pymoo.lang.dialect import LAMBDAMOO
from pymoo.server.durability import Durability
from pymoo.server.inprocess import Client, HandClock, InProcessServer
from tests.shared_material import SHARED, needs_shared

FOLDER = SHARED / "transcripts"
SCENARIOS = sorted(path.stem for path in FOLDER.glob("*.scn"))

# So long a step took while the sessions were recorded.
STEP_S = 0.4


def _tools() -> ModuleType:
    """The parser of scenarios and the rules by which lines are compared."""
    spec = importlib.util.spec_from_file_location(
        "transcript", SHARED / "tools" / "transcript.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Player:
    """Takes the steps of a scenario."""

    durability = Durability.OFF

    def __init__(self, tools: ModuleType, scenario: Any, folder: Path) -> None:
        self.tools = tools
        self.clock = HandClock(seconds=1795222320.3)
        self.clients: dict[str, Client] = {}
        self.received: dict[str, list[str]] = {}
        self.partial: dict[str, bytes] = {}
        self.told_closed: set[str] = set()
        self.folder = folder
        self.input = folder / "in.db"
        self.output = folder / "out.db"
        core = SHARED / "cores" / scenario.core
        if core.exists():
            self.input.write_bytes(core.read_bytes())
        else:
            with gzip.open(f"{core}.gz") as stream:
                self.input.write_bytes(stream.read())
        self.start()

    def start(self) -> None:
        self.server = InProcessServer.open(
            self.input,
            self.output,
            LAMBDAMOO,
            clock=self.clock,
            durability=self.durability,
        )

    def collect(self) -> None:
        for name, client in self.clients.items():
            lines = (self.partial.pop(name, b"") + client.take()).split(b"\r\n")
            if lines[-1]:
                self.partial[name] = lines[-1]
            kept = self.received.setdefault(name, [])
            kept += [line.decode("latin-1") for line in lines[:-1]]
            if client.was_closed and name not in self.told_closed:
                self.told_closed.add(name)
                kept.append(self.tools.CLOSED)

    def take(self) -> dict[str, list[str]]:
        self.collect()
        for name, rest in self.partial.items():
            self.received[name].append(self.tools.PARTIAL + rest.decode("latin-1"))
        self.partial.clear()
        lines = {name: lines for name, lines in self.received.items() if lines}
        self.received = {}
        return lines

    def step(self, step: dict[str, Any]) -> None:
        do, server = step["do"], self.server
        if do == "open":
            name = step["conn"]
            self.told_closed.discard(name)
            self.clients[name] = server.connect()
            server.run()
        elif do == "close":
            self.clients.pop(step["conn"]).close()
            server.run()
        elif do == "send":
            self.clients[step["conn"]].send(step["data"])
            server.run()
        elif do == "quiet":
            server.advance(step["seconds"])
            return
        elif do == "wait":
            self._wait(step)
            return
        elif do == "checkpoint":
            if step["how"]:
                name, _, command = step["how"].partition(" ")
                self.clients[name].send_line(command)
            else:
                server.server.request_checkpoint(by_signal=True)
            server.run()
        elif do == "restart":
            self._restart(step["how"])
            return
        else:
            raise AssertionError(do)
        if not step["nowait"]:
            server.advance(STEP_S)

    def _wait(self, step: dict[str, Any]) -> None:
        wanted = re.compile(step["regex"])
        left = step["limit"]
        while left > 0:
            self.collect()
            lines = self.received.get(step["conn"], [])
            if any(wanted.search(line) for line in lines):
                break
            self.server.advance(0.1)
            left -= 0.1
        self.server.advance(STEP_S)

    def _restart(self, how: str) -> None:
        if how == "wait":
            assert self.server.has_stopped
        if how == "crash":
            self.collect()
            for name in self.clients:
                self.received[name].append(self.tools.CLOSED)
        else:
            self.server.shut_down()
            self.collect()
        if self.output.exists():
            self.input.write_bytes(self.output.read_bytes())
        self.clients.clear()
        self.clock.advance(1)
        self.start()
        self.server.advance(STEP_S)


@pytest.fixture
def undisturbed() -> Iterator[None]:
    """No search for garbage, which in a process of many tests may take a second.

    It would count as the task's own in seconds_left().
    """
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@needs_shared
@pytest.mark.usefixtures("undisturbed")
@pytest.mark.parametrize("name", SCENARIOS)
def test_session_replays_without_a_difference(name: str, tmp_path: Path) -> None:
    tools = _tools()
    path = FOLDER / f"{name}.scn"
    scenario = tools.Scenario(str(path))
    recording = tools.load_recording(tools.rec_path(str(path)))
    player = Player(tools, scenario, tmp_path)
    recorded = iter(recording["steps"])
    differences: list[str] = []
    for step in scenario.steps:
        if step.get("config"):
            continue
        player.step(step)
        if step["nowait"]:
            continue
        expected = next(recorded)
        assert expected["step"] == step["text"]
        differences += _differences(
            tools, scenario, step, expected["lines"], player.take()
        )
    assert not differences, "\n".join(differences)


def test_there_are_sessions_to_replay() -> None:
    assert SCENARIOS or not SHARED.exists()


def _differences(
    tools: ModuleType,
    scenario: Any,
    step: dict[str, Any],
    expected: dict[str, list[str]],
    got: dict[str, list[str]],
) -> list[str]:
    found: list[str] = []
    for name in sorted({*expected, *got}):
        theirs, ours = (
            [tools.normalise(line, scenario.extra) for line in lines.get(name, [])]
            for lines in (expected, got)
        )
        if step.get("sorted"):
            theirs.sort()
            ours.sort()
        if theirs != ours:
            found.append(f"line {step['line']}: {step['text']}: on {name}")
            found += difflib.unified_diff(theirs, ours, "recorded", "pymoo", n=1)
    return found
