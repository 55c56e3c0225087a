"""mooR's format."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymoo.conform.cases import CaseError
from pymoo.conform.inprocess import InProcessLauncher
from pymoo.conform.moot import Expectation, parse_moot, read_moot
from pymoo.conform.report import Report
from pymoo.conform.run import chosen, run
from tests.conform.fakes import FragileLauncher

PATH = Path("a.moot")


def played(tmp_path: Path, text: str, launcher: object = None) -> Report:
    (tmp_path / "a.moot").write_text(text)
    launcher = launcher or InProcessLauncher("lambdamoo")
    return run(chosen([read_moot(tmp_path)]), launcher)  # type: ignore[arg-type]


def failed(report: Report) -> list[str]:
    return [result.case.name for result in report.failures]


def test_a_file_is_read_in_blocks() -> None:
    text = """// a comment
; return 1 +
> 2;

3
@programmer
% look  here
=You see
< {1, 2}
& read();
"""
    eval_, command, background = parse_moot(text, PATH, "a").blocks
    assert (eval_.name, eval_.kind, eval_.player) == ("line 2", ";", "wizard")
    assert eval_.code == "return 1 +  2;"
    assert eval_.expectations == [Expectation("3", False)]
    assert (command.kind, command.code, command.player) == (
        "%",
        "look  here",
        "programmer",
    )
    assert command.expectations == [
        Expectation("You see", True),
        Expectation("{1, 2}", False),
    ]
    assert background.kind == "&"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(end: str) -> None:
    file = parse_moot(end.join(["; return 5;", "5", "; return 6;", "6"]), PATH, "a")
    assert [e.text for b in file.blocks for e in b.expectations] == ["5", "6"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5\n", "1: this line belongs to no block: 5"),
        ("; return 5;\n5\n\n5\n", "4: this line belongs to no block"),
        ("> 5\n", "1: this line belongs to no block"),
        ("; 5;\n\n> 6;\n", "3: this line belongs to no block"),
        ("& read();\n5\n", r"2: what runs in the background \(&\) has no expectations"),
    ],
)
def test_what_belongs_nowhere_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(CaseError, match=message):
        parse_moot(text, PATH, "a")


def test_values_and_raised_errors_meet_their_expectations(tmp_path: Path) -> None:
    report = played(
        tmp_path,
        """; return 1 + 2;
3
; return 1 / 0;
E_DIV
; return E_DIV;
E_DIV
; $tmp = {1, "a"};
; return $tmp;
{1, "a"}
@nonprogrammer
; return 5;
E_PERM
@programmer
; return player;
$programmer_player
""",
    )
    assert failed(report) == []
    assert len(report.results) == 7


def test_what_is_not_as_expected_fails(tmp_path: Path) -> None:
    report = played(
        tmp_path,
        """; return 1;
2
; return 1;
; 1 / 0;
; syntax error
; return 1 / 0;
{}[1]
; return "a";
"A"
; return TYPE_INT;
0
""",
    )
    # The last one passes: older servers call it INT.
    assert failed(report) == [f"line {n}" for n in (1, 3, 4, 5, 6, 8)]


def test_commands_are_judged_by_what_they_print(tmp_path: Path) -> None:
    report = played(
        tmp_path,
        """; add_verb(player, {player, "xd", "hum"}, {"any", "none", "none"});
; set_verb_code(player, "hum", {"notify(player, argstr);", "return argstr;"});
% hum a tune
"a tune"
% zip
E_VERBNF
% hum
"louder"
""",
    )
    assert failed(report) == ["line 7"]


def test_raw_files_go_line_by_line(tmp_path: Path) -> None:
    report = played(
        tmp_path,
        """& notify(player, "read: " + read()); return "done";
%hi
=read: hi
="done"
; return 42;
=42
; return {1};
{1}
""",
    )
    assert failed(report) == []


def test_a_file_goes_on_after_the_server_was_lost(tmp_path: Path) -> None:
    text = '; return 1;\n1\n; return "deadly";\n1\n; return 2;\n2\n'
    report = played(tmp_path, text, FragileLauncher("deadly"))
    assert failed(report) == ["line 3"]
