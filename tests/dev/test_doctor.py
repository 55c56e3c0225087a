"""``pymoo doctor``: its text, its JSON and its exit status."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import sys
from pathlib import Path

import pytest

from pymoo.db.journal_file import Beginning, Segment, fingerprint, folder_of
from pymoo.dev.doctor import diagnose, see_doctor
from pymoo.exits import FINDINGS, FINE, UNUSABLE
from pymoo.lang.dialect import PYMOO
from tests.db.damaged import BAD, REACTIONS
from tests.db.worlds import DATA, ROOM, add_verb, dumped, minimal
from tests.shared_material import SHARED, needs_shared


def seen(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed, without the time that reading took, and what is free."""
    text = re.sub(r"read in [0-9.]+ s", "read in N s", capsys.readouterr().out)
    return re.sub(r"disk: [0-9.,]+ [kMG]B free", "disk: N free", text)


def test_a_sound_file_is_ready(capsys: pytest.CaptureFixture[str]) -> None:
    path = DATA / "Minimal.db"
    before = path.read_bytes()
    assert see_doctor(str(path), PYMOO) == FINE
    assert seen(capsys) == (
        f"  {path}   LambdaMOO format 1 · 4 objects · 2 verbs · 1 player (1 wizard) · "
        "321 bytes · read in N s\n"
        "  ✔ structure: parents, locations, contents, property layout consistent\n"
        "  ✔ 1 of 1 verbs parse\n"
        "  ✔ passwords: players have no property of that name; #0:do_login_command "
        "alone decides who connects\n"
        "  ✔ tasks: none sleeps\n"
        f"  ✔ disk: N free in {path.parent}\n"
        "  Ready to be served. Nothing was changed.\n"
    )
    assert path.read_bytes() == before


def test_findings_are_marked_and_shown_with_the_first_particulars(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = minimal()
    for number in range(12):
        add_verb(world, ROOM, f"bad{number}", code="return (;\n")
    path = tmp_path / "my.db"
    path.write_bytes(dumped(world))
    assert see_doctor(str(path), PYMOO) == FINDINGS
    lines = seen(capsys).splitlines()
    at = lines.index("  ! 0 of 12 verbs parse; the others cannot be called")
    assert lines[at + 1] == "      #2:bad0, line 1: syntax error"
    assert lines[at + 11] == "      ... and 2 more: --json has all"
    assert lines[-1] == "  Can be served; ! is what to look at. Nothing was changed."


def test_what_keeps_a_server_from_starting_is_said_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert see_doctor(str(BAD / "task-bad-pc.db"), PYMOO) == FINDINGS
    assert seen(capsys).endswith(
        "\n  It cannot be served as it is. Nothing was changed.\n"
    )


def test_where_reading_stopped_is_told_and_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = BAD / "trunc-object.db"
    assert see_doctor(str(path), PYMOO) == UNUSABLE
    assert seen(capsys) == (
        f"  ! {path} cannot be read\n"
        f"    {path}:91: object #4: expected the first of its contents, but the file "
        "ends here: it is not complete\n"
        "    Take an earlier copy of the file, or save what can be read of this one: "
        f"pymoo db repair {path} {path.with_suffix('')}.repaired.db\n"
        "  Nothing was changed.\n"
    )


def test_other_copies_of_a_file_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "my.db"
    path.write_bytes(b"nothing")
    (tmp_path / "my.db.PANIC").touch()
    (tmp_path / "my.db.backups").mkdir()
    report = diagnose(str(path), PYMOO)
    assert report.advice == [f"There is another copy: pymoo doctor {path}.PANIC"]
    assert f"Take an earlier copy of the file (pymoo backup list {path})" in (
        report.error or ""
    )


def test_a_damaged_journal_is_told_beside_what_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "my.db"
    path.write_bytes(dumped(minimal()))
    assert diagnose(str(path), PYMOO).status == FINE
    folder = folder_of(str(path))
    Path(folder).mkdir()
    base = str(fingerprint(str(path)))
    segment = Segment(folder, 1, Beginning("a", "", base, "pymoo", 32))
    segment.append(b"no record")
    segment.close()
    report = diagnose(str(path), PYMOO)
    assert (report.status, report.error, report.objects) == (FINDINGS, None, 4)
    note = report.notes[0]
    assert not note.is_usable
    assert note.remedy == f"pymoo db recover {path} {tmp_path}/my.recovered.db"
    (detail,) = note.details
    assert detail.startswith(f"{folder}/00000001.segment: byte ")
    assert "recover" not in detail  # it stands behind the arrow


@pytest.mark.parametrize(
    ("version", "server"), [(5, "Stunt"), (13, "Stunt"), (17, "ToastStunt")]
)
def test_files_of_other_servers_are_recognised(
    tmp_path: Path, version: int, server: str
) -> None:
    path = tmp_path / "toast.db"
    path.write_text(f"** LambdaMOO Database, Format Version {version} **\n1\n")
    report = diagnose(str(path), PYMOO)
    assert report.status == UNUSABLE
    assert report.error is not None
    assert f"this is format version {version}" in report.error
    [advice] = report.advice
    assert advice.startswith(f"{server} wrote this file")
    assert "repair" not in advice


def test_a_file_that_is_not_there_is_unreadable_without_advice(tmp_path: Path) -> None:
    report = diagnose(str(tmp_path / "no.db"), PYMOO)
    assert (report.status, report.advice) == (UNUSABLE, [])
    assert "cannot be read" in (report.error or "")


@pytest.mark.parametrize("name", REACTIONS)
def test_no_damage_is_beyond_the_doctor(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = see_doctor(str(BAD / f"{name}.db"), PYMOO, as_json=True)
    report = json.loads(capsys.readouterr().out)
    assert (status == UNUSABLE) == (report["error"] is not None)
    if REACTIONS[name]["reaction"] == "loads":
        assert status != UNUSABLE


def test_json_has_all_particulars(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = minimal()
    for number in range(12):
        add_verb(world, ROOM, f"bad{number}", code="return (;\n")
    path = tmp_path / "my.db"
    path.write_bytes(dumped(world))
    assert see_doctor(str(path), PYMOO, as_json=True) == FINDINGS
    report = json.loads(capsys.readouterr().out)
    assert (report["format"], report["objects"], report["verbs"]) == (4, 4, 12)
    [note] = [note for note in report["notes"] if note["topic"] == "verbs"]
    assert len(note["details"]) == 12
    assert not note["is_fine"]


def test_a_journal_of_another_user_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the journal of a server is readable by its own user alone."""
    path = tmp_path / "my.db"
    path.write_bytes(dumped(minimal()))
    folder = folder_of(str(path))
    os.mkdir(folder)
    real = os.listdir

    def listdir(name: str) -> list[str]:
        if name == folder:
            raise PermissionError(errno.EACCES, "Permission denied", name)
        return real(name)

    monkeypatch.setattr(os, "listdir", listdir)
    notes = {note.topic: note for note in diagnose(str(path), PYMOO).notes}
    assert notes["journal"].details == (
        f"{folder}: cannot be read: Permission denied. Let this user read it: it may "
        "hold changes that are not in the database file",
    )
    assert notes["journal"].remedy is None
    assert notes["files"].text == (
        f"beside it: {folder}/ (changes since the last checkpoint: cannot be read: "
        "Permission denied)"
    )


def test_a_terminal_without_such_characters_gets_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    see_doctor(str(DATA / "Minimal.db"), PYMOO)
    stream.flush()
    text = stream.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]
    assert "  + structure: parents" in text
    assert "LambdaMOO format 1 - 4 objects" in text


@needs_shared
def test_lambdacore_is_ready(tmp_path: Path) -> None:
    import gzip

    packed = SHARED / "cores" / "LambdaCore-20Jun18.db.gz"
    path = tmp_path / "LambdaCore.db"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    report = diagnose(str(path), PYMOO)
    assert report.status == FINDINGS
    texts = {note.topic: note.text for note in report.notes if not note.is_fine}
    assert texts == {
        "calls": "3 calls to open_network_connection(): outbound is off (--outbound "
        "turns it on)",
        "passwords": "passwords: 2 that no password matches, 2 inherited, which lets "
        "nobody in, 1 empty (Wizard #2)",
    }
    assert "1,748 of 1,748 verbs parse" in {note.text for note in report.notes}
