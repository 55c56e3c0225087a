"""MOO code without a server: its value, its output, its input, its failures."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pymoo.dev.run import NoWizardError, run_program
from pymoo.errors import PymooError
from pymoo.exits import FAILED, FINE, UNUSABLE
from pymoo.lang.dialect import LAMBDAMOO, dialect
from tests.db.worlds import DATA, SYSTEM, value_of
from tests.server.online import load_file, write_database

PYMOO = dialect("pymoo")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], None]]:
    """Standard input is a pipe that stays open; call it to type something."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "r", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)

        def type_(data: bytes) -> None:
            os.write(writer, data)

        yield type_
        os.close(writer)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("2 + 3", "5\n"),
        ("return 2 + 3;", "5\n"),
        ('"a\\"b"', '"a\\"b"\n'),
        ("{1, 2, @{3, 4}}[$]", "4\n"),
        ("x = 5; return x * 2;", "10\n"),
        ("1; 2; 3;", "0\n"),
        ("", "0\n"),
        ("{player, caller, this, verb, args}", '{#3, #-1, #-1, "", {}}\n'),
        ('notify(player, "hi"); return 1;', "hi\n1\n"),
        ("for i in [1..3] notify(player, tostr(i)); endfor", "1\n2\n3\n0\n"),
        ("suspend(0); return 3;", "3\n"),
        ('fork (0) notify(player, "forked"); endfork return 1;', "forked\n1\n"),
        ('return eval("return 1 + 1;");', "{1, 2}\n"),
        ("return player.location.name;", '"The First Room"\n'),
        ('notify(player, "caf\xe9"); return 1;', "caf\xe9\n1\n"),
        ("boot_player(player); suspend(0); return 3;", "*** Disconnected ***\n3\n"),
        ("recycle(player); suspend(0); return 3;", None),
    ],
)
def test_what_code_prints_comes_before_its_value(
    capsys: pytest.CaptureFixture[str], code: str, shown: str | None
) -> None:
    assert run_program(code, LAMBDAMOO) == FINE
    printed = capsys.readouterr()
    if shown is None:
        assert printed.out.endswith("3\n")
    else:
        assert printed.out.removeprefix("*** Disconnected ***\n") == (
            shown.removeprefix("*** Disconnected ***\n")
        )
    assert printed.err == ""


def test_a_program_without_value_shows_what_it_prints_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_program("return 5;", LAMBDAMOO, show_value=False) == FINE
    assert capsys.readouterr().out == ""


def test_ticks_of_all_slices_are_told_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_program("2 + 3", LAMBDAMOO, show_ticks=True) == FINE
    whole = capsys.readouterr()
    assert whole.out == "5\n"
    ticks = int(whole.err.removesuffix(" ticks\n"))
    code = "x = 2; suspend(0); return x + 3;"
    assert run_program(code, LAMBDAMOO, show_ticks=True) == FINE
    assert int(capsys.readouterr().err.removesuffix(" ticks\n")) > ticks


@pytest.mark.parametrize(
    ("code", "traceback"),
    [
        ("1/0", "#-1:Input to RUN, line 1:  Division by zero\n(End of traceback)\n"),
        (
            "suspend(0); nosuch;",
            "#-1:Input to RUN, line 2:  Variable not found\n(End of traceback)\n",
        ),
        (
            'raise("x", "my message")',
            "#-1:Input to RUN, line 1:  my message\n(End of traceback)\n",
        ),
        (
            "while (1) endwhile",
            "#-1:Input to RUN, line 1:  Task ran out of ticks\n(End of traceback)\n",
        ),
    ],
)
def test_an_error_prints_its_traceback_and_fails(
    capsys: pytest.CaptureFixture[str], code: str, traceback: str
) -> None:
    assert run_program(code, LAMBDAMOO) == FAILED
    assert capsys.readouterr().out == traceback


@pytest.mark.parametrize("code", ["kill_task(task_id())", "shutdown(); suspend(5);"])
def test_a_program_that_does_not_end_of_itself_fails(
    capsys: pytest.CaptureFixture[str], code: str
) -> None:
    assert run_program(code, LAMBDAMOO) == FAILED
    assert capsys.readouterr().out == ""


def test_code_that_does_not_parse_is_unusable_with_all_errors(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_program("1 +", LAMBDAMOO) == UNUSABLE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "Line 1:  syntax error\n"


def test_the_dialect_decides_what_parses(capsys: pytest.CaptureFixture[str]) -> None:
    code = "return 1; // a remark"
    assert run_program(code, LAMBDAMOO) == UNUSABLE
    assert run_program(code, PYMOO) == FINE
    assert capsys.readouterr().out == "1\n"


def test_the_log_and_bugs_are_shown_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_program('server_log("said"); server_log("wrong", 1);', LAMBDAMOO)
    assert capsys.readouterr().err == "> said\n> wrong\n"


# --- input -------------------------------------------------------------------------


def test_read_takes_lines_from_standard_input(
    capsys: pytest.CaptureFixture[str], typed: Callable[[bytes], None]
) -> None:
    typed(b"one\ntwo\n")
    assert run_program("return {read(), read()};", LAMBDAMOO) == FINE
    assert capsys.readouterr().out == '{"one", "two"}\n'


def test_a_long_line_is_read_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "typed").write_bytes(b"x" * 500_000 + b"\n")
    with (tmp_path / "typed").open(encoding="ascii") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert run_program("return length(read());", LAMBDAMOO) == FINE
    assert capsys.readouterr().out == "500000\n"


def test_lines_that_came_together_are_not_waited_for_twice(
    capsys: pytest.CaptureFixture[str], typed: Callable[[bytes], None]
) -> None:
    typed(b"one\ntwo\nthr")
    later = threading.Timer(0.1, typed, [b"ee\n"])
    later.start()
    assert run_program("return {read(), read(), read()};", LAMBDAMOO) == FINE
    assert capsys.readouterr().out == '{"one", "two", "three"}\n'
    later.join()


def test_a_task_that_sleeps_wakes_while_another_reads(
    capsys: pytest.CaptureFixture[str], typed: Callable[[bytes], None]
) -> None:
    code = 'fork (0) notify(player, "awake"); force_input(player, "go"); endfork '
    assert run_program(code + "return read();", LAMBDAMOO) == FINE
    assert capsys.readouterr().out == 'awake\n"go"\n'


@pytest.mark.parametrize("given", [None, "closed", "empty"])
def test_at_the_end_of_input_read_is_e_invarg(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    given: str | None,
) -> None:
    code = 'return `read() ! E_INVARG => "over"\';'
    if given == "empty":
        with open(os.devnull, encoding="ascii") as nothing:
            monkeypatch.setattr(sys, "stdin", nothing)
            assert run_program(code, LAMBDAMOO) == FINE
    else:
        stream = None
        if given == "closed":
            stream = open(os.devnull, encoding="ascii")  # noqa: SIM115
            stream.close()
        monkeypatch.setattr(sys, "stdin", stream)
        assert run_program(code, LAMBDAMOO) == FINE
    assert capsys.readouterr().out == '"over"\n'


def test_the_last_line_needs_no_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "typed").write_bytes("a\nb€".encode())
    with (tmp_path / "typed").open(encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        code = "return {read(), read(), `read() ! ANY'};"
        assert run_program(code, LAMBDAMOO) == FINE
    assert capsys.readouterr().out == '{"a", "b", E_INVARG}\n'


def test_a_sleeping_program_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    assert run_program("suspend(0.2); return 1;", PYMOO) == FINE
    assert 0.15 < time.monotonic() - began < 60
    assert capsys.readouterr().out == "1\n"


# --- with a database ------------------------------------------------------------------


def test_code_runs_in_a_database_that_stays_as_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = write_database(tmp_path / "in.db", properties={"greeting": "hello"})
    before = path.read_bytes()
    code = (
        "#0.greeting = tostr(#0.greeting, db_disk_size()); dump_database(); "
        "suspend(0); return {#0.greeting, player, connected_players()};"
    )
    assert run_program(code, LAMBDAMOO, database=str(path)) == FINE
    printed = capsys.readouterr()
    assert printed.out == f'{{"hello{len(before)}", #3, {{#3}}}}\n'
    assert printed.err == "CHECKPOINTING: there is no file to save to\n"
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["in.db"]


def test_tasks_of_the_database_do_not_run_and_nobody_is_connected(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = DATA / "bad" / "good.db"
    assert load_file(path).tasks
    code = "return {queued_tasks(), connected_players(1)};"
    assert run_program(code, LAMBDAMOO, database=str(path)) == FINE
    assert capsys.readouterr().out == "{{}, {#3}}\n"


def test_the_tests_know_what_the_database_holds(tmp_path: Path) -> None:
    path = write_database(tmp_path / "in.db", properties={"greeting": "hello"})
    assert value_of(load_file(path).world, SYSTEM, "greeting") == "hello"


def test_a_database_without_a_wizard_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.db"
    data = (DATA / "Minimal.db").read_bytes()
    wizard = b"Wizard\n\n7\n"
    assert wizard in data
    path.write_bytes(data.replace(wizard, b"Wizard\n\n3\n"))
    with pytest.raises(NoWizardError) as caught:
        run_program("1", LAMBDAMOO, database=str(path))
    assert str(caught.value) == "the database has no player who is a wizard"


def test_a_database_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PymooError):
        run_program("1", LAMBDAMOO, database=str(tmp_path / "nosuch.db"))
