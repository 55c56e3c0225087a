"""The command line: what is called with what, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from pymoo import __version__
from pymoo import cli as command_line
from pymoo.cli import cli, main
from pymoo.exits import CLASSIC_USAGE, UNUSABLE
from pymoo.lang.dialect import DIALECTS, dialect
from pymoo.options import DEFAULT_PORT
from pymoo.server import serving
from pymoo.server.listener import Addresses
from pymoo.server.serving import Service, StartError
from tests.db.worlds import DATA
from tests.server.processes import pymoo

MINIMAL = str(DATA / "Minimal.db")


class Terminal:
    """Runs commands in the test's own process, in a folder of its own."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        folder: Path,
    ) -> None:
        self.monkeypatch = monkeypatch
        self.capsys = capsys
        self.folder = folder
        self.served: list[Service] = []
        monkeypatch.chdir(folder)
        monkeypatch.setattr(serving, "serve", self.serve)

    def serve(
        self,
        service: Service,
        *,
        loaded: Any = None,
        recovered: Any = None,
        warned: Any = None,
        started: Any = None,
    ) -> int:
        """Stand for a server."""
        if recovered is not None and os.path.isdir(f"{service.output_path}.journal"):
            recovered("15 records")
        if loaded is not None:
            loaded()
        self.served.append(service)
        if started is not None:
            started(service.port or 49_152)
        return 0

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return the exit status and what was printed."""
        self.monkeypatch.setattr(sys, "argv", ["pymoo", *arguments])
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        printed = self.capsys.readouterr()
        return status, printed.out, printed.err


@pytest.fixture
def terminal(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Terminal:
    return Terminal(monkeypatch, capsys, tmp_path)


# --- the classic form -----------------------------------------------------------------


@pytest.mark.parametrize("first", [[], ["moo"]])
@pytest.mark.parametrize(
    ("arguments", "differs"),
    [
        ("in.db out.db", {}),
        ("in.db out.db 7560", {"port": 7560}),
        ("in.db out.db -p 7560", {"port": 7560}),
        ("-e in.db out.db", {"emergency": True}),
        ("-l log in.db out.db 7560", {"log_path": "log", "port": 7560}),
        ("in.db out.db +O 7560", {"outbound": True, "port": 7560}),
        ("in.db out.db -O 7560", {"port": 7560}),
        ("-o in.db out.db", {"outbound": True}),
        (
            "in.db out.db -a 10.0.0.1",
            {"addresses": Addresses("10.0.0.1", None)},
        ),
        (
            "-4 10.0.0.1 in.db out.db",
            {"addresses": Addresses("10.0.0.1", None)},
        ),
        ("--no-ipv6 in.db out.db", {"addresses": Addresses("", None)}),
        ("--profile pymoo in.db out.db", {"dialect": dialect("pymoo")}),
    ],
)
def test_the_classic_form_means_what_it_always_meant(
    terminal: Terminal, first: list[str], arguments: str, differs: dict[str, Any]
) -> None:
    words = arguments.split()
    if not first and words[0].startswith("--"):
        words = ["in.db", "out.db", *words[:-2]]  # so that it is not a command's name
    assert terminal.run(*first, *words) == (0, "", "")
    usual: dict[str, Any] = {
        "input_path": "in.db",
        "output_path": "out.db",
        "port": 7777,
        "port_was_given": "port" in differs,
        "addresses": Addresses("", ""),
        "dialect": dialect("lambdamoo"),
    }
    assert terminal.served == [Service(**{**usual, **differs})]


@pytest.mark.parametrize(
    "arguments",
    [
        "moo",
        "moo in.db",
        "in.db",
        "-l",
        "-l log",
        "-x in.db out.db",
        "in.db out.db port",
        "in.db out.db 7560 more",
        "in.db out.db -p",
        "in.db out.db -a",
        "-e in.db",
        "",
    ],
)
def test_bad_usage_is_status_1_with_the_usage_on_standard_error(
    terminal: Terminal, arguments: str
) -> None:
    words = arguments.split() or [""]
    status, out, err = terminal.run(*words)
    assert status == CLASSIC_USAGE
    assert out == ""
    assert err.endswith("Usage: pymoo moo [OPTIONS] IN OUT [PORT]\n")
    assert terminal.served == []


def test_a_start_that_fails_is_status_1_in_the_classic_form(
    terminal: Terminal,
) -> None:
    def refuse(service: Service, **others: object) -> int:
        raise StartError("port 7777 cannot be taken")

    terminal.monkeypatch.setattr(serving, "serve", refuse)
    assert terminal.run("in.db", "out.db") == (
        1,
        "",
        "pymoo: port 7777 cannot be taken\n",
    )
    Path("in.db").touch()
    assert terminal.run("serve", "in.db", "out.db") == (
        2,
        "",
        "pymoo: port 7777 cannot be taken\n",
    )


# --- serve --------------------------------------------------------------------------


def test_serve_saves_to_the_same_file_and_keeps_the_original(
    terminal: Terminal,
) -> None:
    data = Path(MINIMAL).read_bytes()
    Path("my.db").write_bytes(data)
    status, out, err = terminal.run("serve", "my.db", "--port", "7560")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "  telnet   127.0.0.1, port 7560",
        "  kept     my.db.backups/original.db (the file as it was)",
        "  saves    my.db; Ctrl-C saves and stops",
    ]
    (service,) = terminal.served
    assert (service.input_path, service.output_path) == ("my.db", "my.db")
    assert service.dialect.name == "pymoo"
    assert service.addresses == Addresses("127.0.0.1", None)
    assert not service.outbound
    assert not service.check_programs
    assert Path("my.db.backups/original.db").read_bytes() == data


def test_serve_says_what_it_has_recovered(terminal: Terminal) -> None:
    Path("my.db").write_bytes(Path(MINIMAL).read_bytes())
    Path("my.db.journal").mkdir()
    _, out, _ = terminal.run("serve", "my.db", "--port", "7560")
    assert out.splitlines()[1:3] == [
        "  recovered 15 records",
        "  kept     my.db.backups/original.db (the file as it was)",
    ]


def test_serve_without_the_file_says_what_to_do_before_the_log_begins(
    tmp_path: Path,
) -> None:
    done = pymoo("serve", "no.db", "--log", "log", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == (
        "pymoo: no.db: cannot be read: No such file or directory. Give the path of a "
        "LambdaMOO database; `pymoo serve` without a file makes a new world\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_an_original_that_is_there_already_is_never_written_over(
    terminal: Terminal,
) -> None:
    Path("my.db").write_bytes(b"newer")
    Path("my.db.backups").mkdir()
    Path("my.db.backups/original.db").write_bytes(b"the first")
    assert "kept" not in terminal.run("serve", "my.db")[1]
    assert Path("my.db.backups/original.db").read_bytes() == b"the first"


@pytest.mark.parametrize("command", ["serve", "moo"])
def test_a_cache_folder_without_a_name_is_not_the_folder_of_the_server(
    terminal: Terminal, command: str
) -> None:
    status, _, err = terminal.run(command, "my.db", "out.db", "--code-cache", "")
    assert status == 2
    assert "--code-cache: give a folder, or `none'" in err
    assert terminal.served == []


def test_serve_into_another_file_keeps_nothing(terminal: Terminal) -> None:
    Path("my.db").write_bytes(b"x")
    terminal.run("serve", "my.db", "new.db", "--host", "", "--outbound")
    assert [path.name for path in terminal.folder.iterdir()] == ["my.db"]
    (service,) = terminal.served
    assert service.output_path == "new.db"
    assert service.outbound
    assert service.addresses == Addresses("", "")


def test_an_original_that_cannot_be_kept_stops_the_start(terminal: Terminal) -> None:
    Path("my.db").write_bytes(b"x")
    Path("my.db.backups").write_bytes(b"in the way")
    status, _, err = terminal.run("serve", "my.db")
    assert status == UNUSABLE
    assert err.startswith(
        "pymoo: my.db: a copy of it cannot be kept as my.db.backups/original.db: "
    )
    assert terminal.served == []


# --- the others ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status", "out"),
    [
        (["eval", "2 + 3"], 0, "5\n"),
        (["eval", "1/0"], 1, None),
        (["eval", "1 +"], 2, ""),
        (["eval", "--profile", "lambdamoo", "1 // 2"], 2, ""),
        (["run", "program.moo"], 0, "printed\n"),
        (["run", "nosuch.moo"], 2, ""),
        (["eval", "--db", "nosuch.db", "1"], 2, ""),
        (["eval", "--db", MINIMAL, "max_object()"], 0, "#3\n"),
        (["check", "program.moo"], 0, "program.moo: 1 program, nothing is wrong\n"),
        (["check", "program.moo", MINIMAL], 0, None),
        (["check", "--json", "stale.moo"], 1, None),
        (["check", "stale.moo", "nosuch.moo"], 2, None),
        (["check", "--profile", "lambdamoo", "comment.moo"], 1, None),
        (["check", "comment.moo"], 0, None),
        (["check"], 2, ""),
        (["db", "check", MINIMAL], 0, None),
        (["db", "check", str(DATA / "bad" / "next-stale.db")], 1, None),
        (["db", "check", "nosuch.db"], 2, None),
        (["db", "convert", MINIMAL, "new.db"], 0, ""),
        (["db", "convert", "nosuch.db", "new.db"], 2, ""),
        (["db", "nosuch"], 2, ""),
        (["--version"], 0, f"pymoo {__version__}\n"),
    ],
)
def test_the_exit_status_says_how_it_went(
    terminal: Terminal, arguments: list[str], status: int, out: str | None
) -> None:
    Path("program.moo").write_text('notify(player, "printed"); return 5;')
    Path("stale.moo").write_text("n = this.n; suspend(1); this.n = n + 1;")
    Path("comment.moo").write_text("return 5; // five")
    got = terminal.run(*arguments)
    assert got[0] == status, got
    if out is not None:
        assert got[1] == out
    if status == 2 and out == "":
        assert got[2] != ""
        assert "Traceback" not in got[2]


def test_help_of_a_command_needs_no_part_of_the_server() -> None:
    """Starting must be quick: what a command does not need is not loaded."""
    script = (
        "import sys; from pymoo.cli import cli\n"
        "try: cli.main(['moo', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted(name for name in sys.modules if name.startswith('pymoo.')))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = ended.stdout.splitlines()[-1]
    assert loaded == "['pymoo.cli', 'pymoo.errors', 'pymoo.exits', 'pymoo.values']"


def test_the_command_line_knows_the_dialects_and_the_port() -> None:
    """IN STEP: it does not load the modules that decide them."""
    assert set(command_line.PROFILES) == set(DIALECTS)
    assert command_line.DEFAULT_PORT == DEFAULT_PORT


def test_a_file_named_like_no_command_is_the_classic_form() -> None:
    assert command_line._is_classic(["my.db", "out.db"])
    assert command_line._is_classic(["-l", "log"])
    for name in (
        "serve",
        "moo",
        "backup",
        "passwd",
        "rescue",
        "run",
        "eval",
        "check",
        "db",
        "conform",
        "--help",
    ):
        assert not command_line._is_classic([name])
    assert not command_line._is_classic(["-h"])
    assert not command_line._is_classic([])


@pytest.mark.parametrize(
    ("arguments", "name"),
    [("frob", "frob"), ("evla 1", "evla"), ("srve my.db --port 7", "srve")],
)
def test_a_command_that_there_is_not_is_named(
    terminal: Terminal, arguments: str, name: str
) -> None:
    status, out, err = terminal.run(*arguments.split())
    assert (status, out, terminal.served) == (UNUSABLE, "", [])
    assert err.startswith("Usage: pymoo [OPTIONS] COMMAND [ARGS]...\n")
    # Later versions of click tell which may have been meant.
    assert err.splitlines()[-1].startswith(f"Error: No such command '{name}'.")


def test_a_file_may_be_named_almost_like_a_command(terminal: Terminal) -> None:
    Path("evla").touch()
    for words in (["evla"], ["evla", "out.db"], ["mydb", "out.db"], ["frob.db"]):
        assert command_line._is_classic(words)


@pytest.mark.parametrize(
    "arguments",
    [
        "call nosuch.db #0:x",
        "db convert nosuch.db x.db",
        "jobs list nosuch.db",
        "bench nosuch",
        "bench compare nosuch.json nosuch.json",
        "conform nosuch",
    ],
)
def test_all_commands_begin_alike_when_they_cannot_do_what_they_are_asked(
    terminal: Terminal, arguments: str
) -> None:
    status, _, err = terminal.run(*arguments.split())
    assert status == UNUSABLE
    assert err.startswith("pymoo: ")
    assert "nosuch" in err


@pytest.mark.parametrize("kind", [".dist-info", ".egg-info"])
def test_the_other_package_of_that_name_is_refused_with_the_remedy(
    terminal: Terminal, kind: str
) -> None:
    other = terminal.folder / f"pymoo-0.6.1{kind}"
    other.mkdir()
    terminal.monkeypatch.syspath_prepend(str(terminal.folder))
    status, out, err = terminal.run("eval", "1")
    assert (status, out) == (UNUSABLE, "")
    assert f"({other})" in err
    assert "pipx install lambdamoo-python" in err


def test_our_own_metadata_is_no_other_package(terminal: Terminal) -> None:
    (terminal.folder / "lambdamoo_python-0.1.0.dist-info").mkdir()
    terminal.monkeypatch.syspath_prepend(str(terminal.folder))
    assert terminal.run("eval", "1") == (0, "1\n", "")


def groups(group: click.Group, name: str) -> Iterator[tuple[str, click.Group]]:
    """Yield a group of commands and those in it, by what is typed to have them."""
    yield name, group
    context = click.Context(group)
    for each in group.list_commands(context):
        command = group.get_command(context, each)
        if isinstance(command, click.Group):
            yield from groups(command, f"{name} {each}")


@pytest.mark.parametrize(
    ("name", "group"),
    [pytest.param(*each, id=each[0]) for each in groups(cli, "pymoo")],
)
def test_what_a_command_does_is_shown_whole_in_a_terminal_of_80_columns(
    name: str, group: click.Group
) -> None:
    context = click.Context(group, info_name=name, terminal_width=80)
    lines = group.get_help(context).splitlines()
    for each in group.list_commands(context):
        command = group.get_command(context, each)
        assert command is not None
        whole = command.get_short_help_str(limit=1000)
        assert any(line.split() == [each, *whole.split()] for line in lines), whole
