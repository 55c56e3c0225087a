"""Emergency mode: dialogues recorded with the C server, and the end of the input.

``tests/data/emergency`` holds what was typed and what the C server answered, with
Minimal.db and port 7565; it was told to quit with the last line.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from pymoo.db.checkpoint import DumpReason
from pymoo.db.saved import SavedSuspendedTask
from pymoo.server.emergency import EmergencyMode, Ending
from tests.db.worlds import DATA, SYSTEM, WIZARD, value_of
from tests.server.online import load_file, write_database
from tests.server.terminal import Terminal

DIALOGUES = Path(__file__).parents[1] / "data" / "emergency"


@pytest.fixture
def minimal(tmp_path: Path) -> Terminal:
    return Terminal(DATA / "Minimal.db", tmp_path)


@pytest.mark.parametrize("name", ["commands", "no-wizard", "no-objects"])
def test_a_dialogue_is_the_c_server_s(minimal: Terminal, name: str) -> None:
    typed = (DIALOGUES / f"{name}.txt").read_text(encoding="latin-1")
    recorded = (DIALOGUES / f"{name}.answers").read_text(encoding="latin-1")
    assert minimal.type(typed).splitlines() == recorded.splitlines()
    assert minimal.ending is Ending.QUIT


@pytest.mark.parametrize(
    ("command", "ending", "farewell"),
    [
        ("quit\n", Ending.QUIT, "Bye.  (saving database)\n\n"),
        ("QuIt\n", Ending.QUIT, "Bye.  (saving database)\n\n"),
        ("abort\n", Ending.ABORT, "Bye.  (NOT saving database)\n\n"),
        ("continue\n", Ending.CONTINUE, "Bye.  (continuing)\n\n"),
        ("", Ending.QUIT, "Bye.  (saving database)\n\n"),
        (";1", Ending.QUIT, "=> 1\n\nMOO (#3): Bye.  (saving database)\n\n"),
        (";\n1", Ending.QUIT, "alone on a line.\nBye.  (saving database)\n\n"),
        ("program #0:do_login_command\nreturn 1;", Ending.QUIT, "database)\n\n"),
    ],
)
def test_the_mode_ends_with_a_command_or_with_the_input(
    minimal: Terminal, command: str, ending: Ending, farewell: str
) -> None:
    assert minimal.type(command).endswith(farewell)
    assert minimal.ending is ending


def test_the_log_tells_of_the_mode(minimal: Terminal) -> None:
    minimal.type("quit\n")
    minimal.type("continue\n")
    texts = [line[17:] for line in minimal.log.getvalue().decode().splitlines()]
    assert texts[-4:] == [
        "EMERGENCY_MODE: Entering mode...",
        "EMERGENCY_MODE: Leaving mode; won't continue...",
        "EMERGENCY_MODE: Entering mode...",
        "EMERGENCY_MODE: Leaving mode; will continue...",
    ]


def test_a_program_cut_off_by_the_end_of_input_changes_nothing(
    minimal: Terminal,
) -> None:
    minimal.type("program #0:do_login_command\nreturn 1;\n")
    assert minimal.answers("list #0:do_login_command\n") == ["return #3;"]


def test_nothing_of_the_queue_runs(tmp_path: Path) -> None:
    terminal = Terminal(
        write_database(tmp_path / "in.db", properties={"ran": 0}), tmp_path
    )
    answers = terminal.answers(
        ";;fork (0) #0.ran = 1; endfork\n"
        ";;suspend(0); #0.ran = 2;\n"
        ";length(queued_tasks())\n;#0.ran\n"
    )
    assert answers == ["=> 0", "=> *Suspended*", "=> 2", "=> 0"]


def test_what_was_done_is_saved_with_the_tasks_that_wait(tmp_path: Path) -> None:
    terminal = Terminal(
        write_database(tmp_path / "in.db", properties={"ran": 0}), tmp_path
    )
    terminal.type(";#0.ran = 17\n;;suspend(100);\nquit\n")
    assert terminal.server.dumps.save(DumpReason.SHUTDOWN)
    saved = load_file(terminal.output)
    assert value_of(saved.world, SYSTEM, "ran") == 17
    (task,) = saved.tasks
    assert isinstance(task, SavedSuspendedTask)
    frame = task.activations[0].frame
    assert (frame.debug, frame.verb) == (1, "emergency_mode")
    assert (frame.player, frame.programmer) == (WIZARD, WIZARD)


def test_options_of_the_database_hold(tmp_path: Path) -> None:
    terminal = Terminal(
        write_database(tmp_path / "in.db", options={"fg_ticks": 100}), tmp_path
    )
    answers = terminal.answers(";;for i in [1..200] endfor return 1;\n")
    assert answers[0].startswith("#3 <- #-1:emergency_mode, line 1:  Task ran out of")
    assert answers[-1] == "=> *Aborted*"


def test_an_endless_program_is_stopped(minimal: Terminal) -> None:
    assert minimal.answers(";;while (1) endwhile\n;1\n")[-2:] == [
        "=> *Aborted*",
        "=> 1",
    ]


def test_a_bug_in_a_builtin_is_logged_and_the_mode_goes_on(
    minimal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> object:
        raise RuntimeError("a bug")

    monkeypatch.setattr(type(minimal.server.connections), "listeners", broken)
    assert minimal.answers(";listeners()\n;1\n") == [
        "** A bug in pymoo has ended this command: see the log.",
        "=> 1",
    ]
    assert b"RuntimeError: a bug" in minimal.log.getvalue()


class Gone(io.BytesIO):
    """A terminal whose window was closed."""

    def write(self, data: object) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_a_terminal_that_takes_no_answers_is_still_obeyed(tmp_path: Path) -> None:
    terminal = Terminal(
        write_database(tmp_path / "in.db", properties={"ran": 0}), tmp_path
    )
    source = io.BytesIO(b";#0.ran = 1\n;1/0\nhelp\ncontinue\n")
    assert EmergencyMode(terminal.server, source, Gone()).run() is Ending.CONTINUE
    world = terminal.server.engine.world
    assert value_of(world, SYSTEM, "ran") == 1


def test_lines_that_are_not_text_are_answered_all_the_same(minimal: Terminal) -> None:
    everything = "".join(map(chr, range(256))).replace("\n", "")
    lines = minimal.type(f'{everything}\n;"{everything[32:]}"\n\x00\n;\x00\nquit\n')
    assert lines.endswith("Bye.  (saving database)\n\n")
