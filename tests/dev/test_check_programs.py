"""``pymoo check``: programs in files, verbs of databases, and the exit status."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from pymoo.db.world import World
from pymoo.dev.check_programs import (
    SYNTAX_ERROR,
    WARNING,
    Finding,
    check_programs,
    examine_programs,
)
from pymoo.dev.stale_flow import Hazard
from pymoo.exits import FINDINGS, FINE, UNUSABLE
from pymoo.lang.dialect import LAMBDAMOO, PYMOO
from pymoo.worlds.starter import copy_starter
from tests.db.worlds import DATA, ROOM, SYSTEM, add_verb, dumped, minimal
from tests.shared_material import SHARED, needs_shared

HAZARD = """\
/* Who was here
   before? */
n = this.visits; // not yet read again
suspend(0);

this.visits =
  n + 1;
"""


def program(folder: Path, text: str) -> str:
    path = folder / "program.moo"
    path.write_text(text, encoding="latin-1")
    return str(path)


def database(folder: Path, world: World) -> str:
    path = folder / "my.db"
    path.write_bytes(dumped(world))
    return str(path)


def test_a_program_without_mistakes_is_fine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = program(tmp_path, "x = this.y;\nreturn x;")
    assert check_programs([path], PYMOO) == FINE
    assert capsys.readouterr().out == f"{path}: 1 program, nothing is wrong\n"


def test_lines_are_those_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = program(tmp_path, HAZARD)
    assert check_programs([path], PYMOO) == FINDINGS
    assert capsys.readouterr().out == (
        f"{path}, line 6: lost update: this.visits is set from n, which was read on "
        "line 3, before the task may suspend on line 4; what other tasks have done to "
        f"it since is undone: read it again after suspending\n{path}: 1 program, 1 "
        "finding\n"
    )


def test_syntax_errors_are_those_of_the_compiler(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = program(tmp_path, "x = 1;\nnosuch(2);\nbreak;\nreturn (3;\n")
    assert check_programs([path], PYMOO) == FINDINGS
    assert capsys.readouterr().out.splitlines() == [
        f"{path}, line 2: Unknown built-in function: nosuch",
        f"{path}, line 3: No enclosing loop for `break' statement",
        f"{path}, line 4: syntax error",
        f"{path}: 1 program, 3 findings",
    ]


def test_the_dialect_decides_what_is_a_program(tmp_path: Path) -> None:
    path = program(tmp_path, "x;\ny; // z\n")
    assert examine_programs(path, PYMOO).findings == []
    (finding,) = examine_programs(path, LAMBDAMOO).findings
    assert (finding.kind, finding.line) == (SYNTAX_ERROR, 2)
    path = program(tmp_path, "commit();\n")
    assert examine_programs(path, PYMOO).findings == []
    assert examine_programs(path, LAMBDAMOO).findings == [
        Finding(None, 1, SYNTAX_ERROR, "Unknown built-in function: commit")
    ]


def test_every_verb_of_a_database_is_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = minimal()
    add_verb(world, SYSTEM, "count", code="n = this.n;\nread();\nthis.n = n;\n")
    add_verb(world, ROOM, "frob*nicate @frob", code="return 1;\nreturn nosuch(1);\n")
    add_verb(world, ROOM, "*", code="return (;\n")
    path = database(tmp_path, world)
    before = Path(path).read_bytes()
    assert check_programs([path], PYMOO) == FINDINGS
    assert Path(path).read_bytes() == before
    assert capsys.readouterr().out.splitlines() == [
        "#0:count, line 3: lost update: this.n is set from n, which was read on line "
        "1, before the task may suspend on line 2; what other tasks have done to it "
        "since is undone: read it again after suspending",
        "#2:frobnicate, line 2: Unknown built-in function: nosuch",
        "#2:*, line 1: syntax error",
        f"{path}: 3 programs, 3 findings",
    ]


def test_what_no_verb_of_a_database_sets_is_settled_there(tmp_path: Path) -> None:
    world = minimal()
    lines = "n = this.limit;\nsuspend(0);\nif (n)\nendif\n"
    add_verb(world, SYSTEM, "look", code=lines)
    assert examine_programs(database(tmp_path, world), PYMOO).findings == []
    assert len(examine_programs(program(tmp_path, lines), PYMOO).findings) == 1
    add_verb(world, ROOM, "set", code="this.LIMIT = 5;\n")
    (finding,) = examine_programs(database(tmp_path, world), PYMOO).findings
    assert (finding.verb, finding.line) == ("#0:look", 3)


def test_json_has_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = minimal()
    add_verb(world, SYSTEM, "f", code="nosuch(1);\n")
    paths = [program(tmp_path, HAZARD), database(tmp_path, world), "nosuch.moo"]
    assert check_programs(paths, PYMOO, as_json=True) == UNUSABLE
    hazard, verbs, missing = json.loads(capsys.readouterr().out)["files"]
    (finding,) = hazard.pop("findings")
    assert finding.pop("message").startswith("lost update: this.visits")
    assert finding == {"verb": None, "line": 6, "kind": Hazard.LOST_UPDATE.value}
    assert hazard == {"path": paths[0], "programs": 1, "error": None}
    assert verbs["findings"] == [
        {
            "verb": "#0:f",
            "line": 1,
            "kind": WARNING,
            "message": "Unknown built-in function: nosuch",
        }
    ]
    assert missing["error"].startswith("nosuch.moo: cannot be read: No such file")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("nosuch.moo", None, "cannot be read"),
        ("packed", gzip.compress(b""), "is compressed by gzip"),
        ("empty.db", b"", "empty.db"),
        ("newer", b"** LambdaMOO Database, Format Version 17 **\n", "17"),
    ],
)
def test_what_cannot_be_read_is_named_and_the_others_are_checked(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    data: bytes | None,
    said: str,
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    other = str(DATA / "Minimal.db")
    assert check_programs([str(tmp_path / name), other], PYMOO) == UNUSABLE
    first, *_, last = capsys.readouterr().out.splitlines()
    assert said in first
    assert name in first
    assert last == f"{other}: 1 program, nothing is wrong"


def test_a_folder_is_not_readable(tmp_path: Path) -> None:
    assert check_programs([str(tmp_path)], PYMOO) == UNUSABLE


def test_nothing_is_wrong_with_the_world_that_comes_with_pymoo(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    copy_starter(str(path))
    assert examine_programs(str(path), PYMOO).findings == []


@needs_shared
def test_hazards_of_lambdacore_are_found(tmp_path: Path) -> None:
    path = tmp_path / "LambdaCore.db"
    packed = SHARED / "cores" / "LambdaCore-20Jun18.db.gz"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    report = examine_programs(str(path), PYMOO)
    kinds = Counter(finding.kind for finding in report.findings)
    assert (report.programs, dict(kinds)) == (
        1748,
        {"lost update": 5, "stale value": 35, "stale member": 11},
    )
    places = {(finding.verb, finding.line): finding for finding in report.findings}
    # Messages that arrive while some are being removed are lost.
    assert places["#46:rm_message_seq", 24].kind == Hazard.LOST_UPDATE.value
    # What lies in a room can be taken or recycled while it is looked at.
    assert places["#46:look_self", 4].kind == Hazard.STALE_MEMBER.value
