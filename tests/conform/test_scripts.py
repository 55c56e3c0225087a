"""Cases of several steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymoo.conform.cases import Result
from pymoo.conform.inprocess import InProcessLauncher
from pymoo.conform.own_suite import read_own
from pymoo.conform.run import chosen, run
from tests.conform.fakes import FragileLauncher


def play(tmp_path: Path, steps: str, launcher: object = None) -> Result:
    path = tmp_path / "t.yaml"
    indented = "".join(f"      {line}\n" for line in steps.strip().splitlines())
    path.write_text(f"topic: t\ncases:\n  - name: a\n    steps:\n{indented}")
    launcher = launcher or InProcessLauncher("lambdamoo")
    (result,) = run(chosen([read_own(path)]), launcher).results  # type: ignore[arg-type]
    return result


def test_steps_that_do_as_recorded_pass(tmp_path: Path) -> None:
    result = play(
        tmp_path,
        """
- code: return 1;
  value: 1
- command: rub lamp
  output: 'rub #9 #9  #-1'
- connect: guest
- send: connect visitor
  as: guest
  output: '*** Connected ***'
- code: boot_player($visitor);
  value: 0
- read: guest
  output: '*** Disconnected ***'
  closed: yes
""",
    )
    assert result.passed, result.differences


@pytest.mark.parametrize(
    ("steps", "part", "expected", "found"),
    [
        ("- code: return 1;\n  value: 2", "value", "step 1: => 2", "step 1: => 1"),
        ("- code: return 1;", "value", "step 1: (no answer is recorded)", "step 1: 1"),
        (
            "- command: rub lamp",
            "output",
            "step 1: (no lines)",
            "step 1: rub #9 #9  #-1",
        ),
        (
            "- code: boot_player(player);\n  value: 0",
            "value",
            "step 1: => 0",
            "step 1: returned nothing: the task ended",
        ),
        ("- send: x\n  as: guest", "value", "step 1: can be done",
         "step 1: there is no connection 'guest', or no longer"),
        ("- command: rub box\n  bytes: 00", "output", "step 1: 00",
         "step 1: " + b"I couldn't understand that.\r\n".hex(" ")),
    ],
)  # fmt: skip
def test_what_differs_is_told_with_its_step(
    tmp_path: Path, steps: str, part: str, expected: str, found: str
) -> None:
    result = play(tmp_path, steps)
    first = result.differences[0]
    assert (first.part, first.expected, first.found) == (part, expected, found)


def test_waiting_takes_no_time_in_this_process(tmp_path: Path) -> None:
    result = play(
        tmp_path,
        """
- code: fork (3600) notify(player, "an hour later"); endfork
  value: 0
- wait: 3601
- read: wizard
  output: an hour later
""",
    )
    assert result.passed, result.differences


def test_a_world_that_cannot_be_set_back_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(
        "topic: t\ncases:\n"
        "  - name: spoils\n    steps:\n"
        '      - code: delete_verb($lab, "c"); set_player_flag(player, 0);\n'
        "        value: 0\n"
        "  - name: goes on\n    steps:\n"
        "      - code: return is_player(#3);\n        value: 1\n"
    )
    report = run(chosen([read_own(path)]), InProcessLauncher("lambdamoo"))
    assert [r.case.name for r in report.results if r.passed] == ["goes on"]


def test_a_server_that_dies_of_a_script_is_told(tmp_path: Path) -> None:
    result = play(tmp_path, "- command: deadly", FragileLauncher("deadly"))
    assert not result.passed


def test_a_restart_needs_a_server_of_ours(tmp_path: Path) -> None:
    launcher = FragileLauncher("deadly", can_restart=False)
    result = play(tmp_path, "- restart: yes", launcher)
    assert result.skipped == "the server is not ours to restart"
