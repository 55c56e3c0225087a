"""``pymoo db check``: what it counts, what it finds, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pymoo.dev.check import check_database, examine
from pymoo.exits import FINDINGS, FINE, UNUSABLE
from tests.db.damaged import BAD, REACTIONS
from tests.db.worlds import DATA

# Sound, though there is something odd in them that a MOO may do.
SOUND = {
    "good",
    "value-nan",
    "non-utf8",
    "control-bytes",
    "program-twice",
    "trunc-before-suspended",
    "trunc-no-connections",
    "trailing-junk",
    "task-unknown-variable",
    "object-flags-unknown",
    "object-big-number",
    "nul-byte",
    "value-unknown-error",
}


def test_a_sound_file_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    path = DATA / "Minimal.db"
    assert check_database(str(path)) == FINE
    assert capsys.readouterr().out == (
        f"{path}: LambdaMOO format 1, 4 objects, 2 verbs (1 programmed), 1 player "
        "(1 wizard), 0 tasks\nnothing is wrong\n"
    )


def test_tasks_and_recycled_objects_are_counted_as_they_are() -> None:
    report = examine(str(BAD / "good.db"))
    assert (report.format, report.objects, report.verbs) == (4, 7, 4)
    assert (report.programs, report.players, report.wizards) == (2, 1, 1)
    assert report.tasks == 2
    assert report.findings == []


@pytest.mark.parametrize("name", REACTIONS)
def test_what_the_c_server_refuses_or_repairs_is_unreadable_or_a_finding(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = BAD / f"{name}.db"
    before = path.read_bytes()
    status = check_database(str(path))
    text = capsys.readouterr().out
    assert path.read_bytes() == before
    reaction = REACTIONS[name]["reaction"]
    if reaction == "loads":
        if name in SOUND:
            assert (status, text.endswith("nothing is wrong\n")) == (FINE, True)
        else:
            assert status == FINDINGS, text
        return
    assert status in ((FINDINGS,) if "load" in reaction else (FINDINGS, UNUSABLE))
    if status == UNUSABLE:
        assert text.startswith(f"{path}:")
    else:
        assert text.splitlines()[-1].endswith(("finding", "findings"))


def test_a_complaint_is_one_finding_with_its_place() -> None:
    report = examine(str(BAD / "value-garbage-float.db"))
    (finding,) = report.findings
    assert finding.startswith(f"{BAD / 'value-garbage-float.db'}:110: object #4:")


def test_every_error_of_every_program_is_named_with_its_verb() -> None:
    report = examine(str(BAD / "program-syntax.db"))
    own, theirs = report.findings
    assert own == "#4:foo b*ar (verb 1): Line 6:  syntax error"
    assert theirs.startswith("the C server refuses this file: ")


def test_a_call_of_an_unknown_function_is_a_finding() -> None:
    report = examine(str(BAD / "program-unknown-function.db"))
    assert report.findings == [
        "#4:foo b*ar (verb 1): Line 5:  Unknown built-in function: frobnicate"
    ]


def test_json_holds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(BAD / "next-stale.db")
    assert check_database(path, as_json=True) == FINDINGS
    report = json.loads(capsys.readouterr().out)
    assert report["path"] == path
    assert report["objects"] == 7
    assert report["findings"] == [
        "VALIDATE: Fixed 1 should-be-null next pointer(s) ..."
    ]
    assert report["error"] is None


def test_json_tells_why_a_file_cannot_be_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(tmp_path / "nosuch.db")
    assert check_database(path, as_json=True) == UNUSABLE
    report = json.loads(capsys.readouterr().out)
    assert report["error"].startswith(f"{path}: cannot be read: No such file")
