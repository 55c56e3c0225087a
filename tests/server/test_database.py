"""Opening a database file: sound, old, damaged, or none at all."""

from __future__ import annotations

import gc
import re
from pathlib import Path

import pytest

from pymoo.db.checkpoint import DumpReason
from pymoo.errors import PymooError, TextdumpError
from pymoo.lang.dialect import LAMBDAMOO, dialect
from pymoo.server.database import (
    DatabaseFileError,
    keep_in_memory,
    open_database,
)
from tests.db.damaged import BAD, REACTIONS
from tests.db.worlds import DATA
from tests.server.online import write_database
from tests.server.terminal import Terminal
from tests.shared_material import SHARED, needs_shared

REFUSED = [
    name
    for name, row in REACTIONS.items()
    if row["reaction"] in ("refuses", "crashes", "hangs")
]
LOADED = [name for name in REACTIONS if name not in REFUSED]


def refusal(path: Path) -> tuple[str, list[str]]:
    """Return why a file is refused, and the errors that were logged."""
    log: list[str] = []

    def note(text: str, is_error: bool) -> None:
        if is_error:
            log.append(text)

    with pytest.raises(TextdumpError) as caught:
        open_database(path, LAMBDAMOO, log=note)
    return str(caught.value), log


@pytest.mark.parametrize("name", REFUSED)
def test_a_damaged_file_is_refused_with_its_place_and_stays_as_it_is(
    name: str,
) -> None:
    path = BAD / f"{name}.db"
    before = path.read_bytes()
    text, log = refusal(path)
    assert text.startswith(f"{path}:")
    if "disagree" in text:
        assert re.search(r"the first: .*#\d", text)
    elif name != "header-version-9":
        line = int(text.removeprefix(f"{path}:").split(":")[0])
        assert 1 <= line <= before.count(b"\n") + 2  # or behind the last one
        assert re.search("expected .*found|but|no |not |only|syntax error", text)
    assert "\n" in text or "Only the formats" in text  # what to do about it
    assert log[-1] == "DB_LOAD: Cannot load database!"
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", LOADED)
def test_a_file_that_the_c_server_loads_is_written_back_as_by_it(
    name: str, tmp_path: Path
) -> None:
    row = REACTIONS[name]
    terminal = Terminal(BAD / f"{name}.db", tmp_path)
    terminal.type("quit\n")
    assert terminal.server.dumps.save(DumpReason.SHUTDOWN)
    wanted = {
        "same as the file": f"{name}.db",
        "same as good.db": "good.db",
    }.get(row["redump"], row["redump"])
    assert terminal.output.read_bytes() == (BAD / wanted).read_bytes()


@pytest.mark.parametrize(
    "name", [name for name in LOADED if REACTIONS[name]["reaction"] != "loads"]
)
def test_a_repair_is_in_the_log(name: str, tmp_path: Path) -> None:
    terminal = Terminal(BAD / f"{name}.db", tmp_path)
    log = terminal.log.getvalue().decode("latin-1")
    (first, *_) = REACTIONS[name]["log"]
    assert f": {first}" in log


@needs_shared
def test_no_damaged_file_of_the_collection_is_missing_here() -> None:
    theirs = {path.name for path in (SHARED / "textdumps" / "bad").glob("*.db")}
    assert theirs == {path.name for path in BAD.glob("*.db")}


@pytest.mark.parametrize("name", ["v1", "v3"])
def test_old_formats_are_read_and_written_in_the_new_one(
    name: str, tmp_path: Path
) -> None:
    path = DATA / "old" / f"{name}.db"
    terminal = Terminal(path, tmp_path)
    terminal.type("quit\n")
    assert terminal.server.dumps.save(DumpReason.SHUTDOWN)
    assert (
        terminal.output.read_bytes()
        == (DATA / "old" / f"{name}.redump.db").read_bytes()
    )


@pytest.mark.parametrize("name", ["v1", "v3"])
def test_programs_of_old_formats_are_parsed_even_if_that_may_wait(name: str) -> None:
    path = DATA / "old" / f"{name}.db"
    parsed = open_database(path, LAMBDAMOO, check=True).textdump.world
    unparsed = open_database(path, LAMBDAMOO, check=False).textdump.world
    assert [[verb.code for verb in record.verbs] for record in parsed.objects()] == [
        [verb.code for verb in record.verbs] for record in unparsed.objects()
    ]


def test_a_program_that_does_not_parse_may_wait_until_its_use(tmp_path: Path) -> None:
    path = BAD / "program-syntax.db"
    open_database(path, dialect("pymoo"), check=False)
    with pytest.raises(TextdumpError):
        open_database(path, dialect("pymoo"), check=True)


def test_the_name_of_the_dump_is_in_the_log(tmp_path: Path) -> None:
    path = write_database(tmp_path / "in.db")
    log: list[str] = []
    open_database(
        path, LAMBDAMOO, log=lambda text, _: log.append(text), dump_name="out.db"
    )
    assert log[0] == f"LOADING: {path}"
    assert log[-1] == f"LOADING: {path} done, will dump new database on out.db"


@pytest.mark.parametrize("kind", ["missing", "folder", "through a file"])
def test_what_is_no_file_is_refused_with_the_reason(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "nosuch.db"
    reason = "No such file or directory"
    if kind == "folder":
        path, reason = tmp_path, "Is a directory"
    elif kind == "through a file":
        (tmp_path / "file").touch()
        path, reason = tmp_path / "file" / "x.db", "Not a directory"
    with pytest.raises(DatabaseFileError) as caught:
        open_database(path, LAMBDAMOO)
    assert str(caught.value) == (
        f"{path}: cannot be read: {reason}. Give the path of a LambdaMOO database"
    )


@pytest.mark.parametrize("data", [b"\x1f\x8b\x08\x00", b"\x00" * 5000, b"\xff\xfe4\n"])
def test_a_file_of_another_kind_is_refused_not_misread(
    tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / "odd.db"
    path.write_bytes(data)
    with pytest.raises(PymooError):
        open_database(path, LAMBDAMOO)


def test_a_compressed_file_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "world.db.gz"
    path.write_bytes(b"\x1f\x8b\x08\x00and so on")
    with pytest.raises(DatabaseFileError) as refused:
        open_database(path, LAMBDAMOO)
    assert str(refused.value) == (
        f"{path}: is compressed by gzip. Unpack it first: gunzip -k {path}"
    )


@pytest.mark.skipif(
    not hasattr(gc, "freeze"), reason="a collector that cannot be told to leave out"
)
def test_what_is_kept_in_memory_is_left_out_of_garbage_collection() -> None:
    thresholds = gc.get_threshold()
    world = [object()]
    gc.set_threshold(700, 10, 10)
    try:
        keep_in_memory()
        later = [object()]
        looked_at = {id(each) for each in gc.get_objects()}
        assert id(later) in looked_at
        assert id(world) not in looked_at
        assert gc.get_threshold()[0] > 700
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
