"""``pymoo db convert``: any format in, format 4 out, as the C server would write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymoo.dev.convert import ConversionError, convert_database
from pymoo.dev.offline import TargetError
from pymoo.errors import PymooError, TextdumpError
from pymoo.server.database import DatabaseFileError
from tests.db.worlds import DATA


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("Minimal.db", "Minimal.redump.db"),
        ("old/v1.db", "old/v1.redump.db"),
        ("old/v3.db", "old/v3.redump.db"),
        ("bad/good.db", "bad/good.db"),
        ("bad/program-twice.db", "bad/program-twice.redump.db"),
        ("bad/next-stale.db", "bad/good.db"),
    ],
)
def test_the_result_is_the_c_server_s(source: str, wanted: str, tmp_path: Path) -> None:
    target = tmp_path / "out.db"
    convert_database(str(DATA / source), str(target))
    assert target.read_bytes() == (DATA / wanted).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["out.db"]
    if source != "old/v1.db":  # the C server changes that a second time, too
        again = tmp_path / "again.db"
        convert_database(str(target), str(again))
        assert again.read_bytes() == target.read_bytes()


def test_repairs_are_told_on_standard_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    source = DATA / "bad" / "next-stale.db"
    convert_database(str(source), str(tmp_path / "out.db"))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(
        f"{source}: VALIDATE: Fixed 1 should-be-null next pointer(s) ...\n"
    )


def test_a_damaged_file_leaves_no_result(tmp_path: Path) -> None:
    target = tmp_path / "out.db"
    target.write_bytes(b"what was there")
    with pytest.raises(TextdumpError):
        convert_database(str(DATA / "bad" / "crlf.db"), str(target))
    assert target.read_bytes() == b"what was there"


@pytest.mark.parametrize("kind", ["same", "link"])
def test_a_file_is_not_converted_into_itself(tmp_path: Path, kind: str) -> None:
    source = tmp_path / "in.db"
    source.write_bytes((DATA / "old" / "v1.db").read_bytes())
    target = source
    if kind == "link":
        target = tmp_path / "link.db"
        target.symlink_to(source)
    with pytest.raises(TargetError) as caught:
        convert_database(str(source), str(target))
    assert str(caught.value) == (f"{target}: is the file to be read; name another one")
    assert source.read_bytes() == (DATA / "old" / "v1.db").read_bytes()


def test_what_is_not_there_is_told_though_there_is_a_file_in_its_place(
    tmp_path: Path,
) -> None:
    target = tmp_path / "out.db"
    target.write_bytes(b"what was there")
    with pytest.raises(DatabaseFileError, match=r"in\.db: cannot be read: No such"):
        convert_database(str(tmp_path / "in.db"), str(target))
    assert target.read_bytes() == b"what was there"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "out.db"
    with pytest.raises(ConversionError) as caught:
        convert_database(str(DATA / "Minimal.db"), str(target))
    assert str(caught.value) == f"{target}: could not be written"


def test_a_source_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PymooError):
        convert_database(str(tmp_path / "nosuch.db"), str(tmp_path / "out.db"))
    assert list(tmp_path.iterdir()) == []
