"""``pymoo conform``: options, reports, exit status, recording."""

from __future__ import annotations

import json
import shlex
import socket
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from pymoo.conform.command import conform
from pymoo.conform.database import database
from pymoo.conform.servers import (
    LineReader,
    Ports,
    RunningServer,
    ServerUnusableError,
    SpawningLauncher,
)

RIGHT = "topic: t\nanswered by: X\ncases:\n  - name: adds\n    code: return 1 + 1;\n"
ANSWER = "    value: 2\n    ticks: 1\n"
PYMOO = f"{shlex.quote(sys.executable)} -m pymoo moo --profile lambdamoo"


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(conform, [str(each) for each in arguments])


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    folder = tmp_path / "cases"
    folder.mkdir()
    (folder / "t.yaml").write_text(RIGHT + ANSWER)
    return folder


def test_the_status_is_0_if_all_agree(cases: Path) -> None:
    result = invoke(cases)
    assert result.exit_code == 0, result.output
    assert "1 passed, 0 failed (pymoo in this process" in result.output
    assert "answered by X" in result.output


def test_the_status_is_1_if_some_do_not(cases: Path) -> None:
    (cases / "t.yaml").write_text(RIGHT + ANSWER.replace("value: 2", "value: 3"))
    result = invoke(cases)
    assert result.exit_code == 1
    assert "FAIL t/adds" in result.output
    assert "recorded  => 3\n    theirs    => 2" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: there is no such file or folder"),
        (["-k", "no such case"], "no case is called 'no such case'"),
        (["-k", "("], "not a regular expression"),
        (["--server", "x", "--connect", "y:1"], "either --server or --connect"),
        (["--connect", "here"], "expected HOST:PORT"),
        (["--connect", "127.0.0.1:1"], "nobody answers at 127.0.0.1:1"),
        (["--server", "/no/such/moo {db}"], "'/no/such/moo': No such file"),
        (["--server", "false"], "the server ended at once, with status 1"),
        (["--server", "moo {dp}"], r"it may contain {db}, {out}, {port} and {log}"),
        (["--server", "x", "--ports", "many"], "expected such as 7000-7010"),
        (["--profile", "nosuch"], "profile 'nosuch'"),
    ],
)
def test_the_status_is_2_and_the_reason_is_told_if_nothing_could_be_run(
    cases: Path, arguments: list[str], message: str
) -> None:
    paths = [] if arguments[0] == "nowhere" else [cases]
    result = invoke(*paths, *arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_help_ends_in_an_example_that_runs() -> None:
    last = invoke("--help").output.strip().splitlines()[-1]
    assert last.startswith("  Example: pymoo conform ")
    result = invoke(*shlex.split(last.partition("pymoo conform ")[2]))
    assert result.exit_code == 0, result.output


def test_everything_can_be_written_to_files(cases: Path, tmp_path: Path) -> None:
    text = RIGHT + ANSWER + "  - name: control\n    code: return E_DIV;\n    value: 1\n"
    (cases / "t.yaml").write_text(text)
    out, junit = tmp_path / "r.json", tmp_path / "r.xml"
    assert invoke(cases, "--json", out, "--junit", junit).exit_code == 1
    found = json.loads(out.read_text())
    assert (found["passed"], found["failed"]) == (1, 1)
    assert found["groups"]["t"]["parts"] == {"value": [1, 2], "ticks": [1, 1]}
    assert found["failures"] == [
        {
            "case": "t/control",
            "differences": [
                {"part": "value", "recorded": "=> 1", "theirs": "=> E_DIV"}
            ],
        }
    ]
    suite = ElementTree.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert suite.find("testcase[@name='control']/failure") is not None


def test_answers_are_recorded_with_the_name_of_the_server(cases: Path) -> None:
    (cases / "t.yaml").write_text("topic: t\ncases:\n  - name: a\n    code: 1 / 0;\n")
    result = invoke(cases, "--record", "Pymoo itself")
    assert result.exit_code == 0, result.output
    assert (cases / "t.yaml").read_text() == (
        "topic: t\nanswered by: Pymoo itself\ncases:\n  - name: a\n    code: 1 / 0;\n"
        "    error: E_DIV\n    traceback: '{{#-1, \"\", #3, #-1, #3, 1}}'\n"
        "    ticks: 1\n"
    )
    assert invoke(cases).exit_code == 0


def test_only_our_own_cases_are_recorded(tmp_path: Path) -> None:
    path = tmp_path / "a.moot"
    path.write_text("; return 5;\n5\n")
    result = invoke(path, "--record", "X")
    assert result.exit_code == 2
    assert path.read_text() == "; return 5;\n5\n"


def test_cases_with_a_tag_can_be_left_out(cases: Path) -> None:
    text = RIGHT + ANSWER + "  - name: b\n    tags:\n      - network\n    code: 1;\n"
    (cases / "t.yaml").write_text(text)
    assert invoke(cases).exit_code == 1
    assert invoke(cases, "--without", "network").exit_code == 0


@pytest.mark.parametrize("name", ["own", "moot", "toast"])
def test_the_databases_can_be_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.db"
    assert invoke("--write-database", name, path).exit_code == 0
    assert path.read_bytes().startswith(b"** LambdaMOO Database, Format Version 4 **")


def test_a_server_is_started_by_its_command_and_stopped(cases: Path) -> None:
    result = invoke(cases, "--server", f"{PYMOO} {{db}} {{out}} {{port}}")
    assert result.exit_code == 0, result.output


def test_a_running_server_is_reached_by_its_port(cases: Path) -> None:
    launcher = SpawningLauncher(f"{PYMOO} {{db}} {{out}} {{port}}", 1)
    server = launcher.start(database("own"))
    try:
        result = invoke(cases, "--connect", f"127.0.0.1:{server.port}")
        assert result.exit_code == 0, result.output
    finally:
        server.stop()


def test_a_restarted_server_has_what_it_saved() -> None:
    launcher = SpawningLauncher(f"{PYMOO} {{db}} {{out}} {{port}}", 1)
    server = launcher.start(database("own"))
    try:
        assert _answer(server, "wizard", '$lamp.name = "kept";') == '"kept"'
        server.restart()
        assert _answer(server, "wizard", "$lamp.name") == '"kept"'
        assert "SHUTDOWN: shutdown signal received" in server.log()
    finally:
        server.stop()


def _answer(server: RunningServer, player: str, expression: str) -> str:
    """Return what an expression gives on a server with our own database."""
    reader = LineReader(server.connect())
    reader.send_line(f"connect {player}")
    reader.send_line(f"n k return {expression.rstrip(';')};")
    start = "@@E k ok "
    deadline = server.now() + 30
    while server.now() < deadline:
        for line in reader.lines(1):
            if line.startswith(start):
                reader.link.close()
                return line[len(start) :].partition(" ")[2]
    raise AssertionError("no answer")


def test_ports_are_taken_in_turn_from_a_range() -> None:
    free = Ports().take()
    ports = Ports.parse(f"{free}-{free}")
    assert ports.take() == ports.take() == free


def test_a_range_without_a_free_port_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        with pytest.raises(ServerUnusableError, match=f"no port from {number}"):
            Ports.parse(f"{number}").take()
