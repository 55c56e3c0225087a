"""``pymoo db repair``: whatever the damage, the result passes `pymoo db check`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pymoo.db.checkpoint import save
from pymoo.db.objects import CLEAR, PREP_NONE
from pymoo.db.textdump import load
from pymoo.dev.check import examine as check
from pymoo.dev.repair import repair_database, repaired
from pymoo.errors import PymooError
from pymoo.exits import FINDINGS, FINE
from pymoo.values import Obj
from tests.db.damaged import BAD, GOOD, REACTIONS
from tests.db.worlds import (
    DATA,
    ROOM,
    ROOT,
    WIZARD,
    add_verb,
    dumped,
    loaded,
    minimal,
    set_value,
)

NOTHING_TO_SAVE = {"empty", "trunc-header", "header-version-9"}

# What can be told to be wrong, and what it must have been.
AS_GOOD = set(
    """
    good child-cycle child-missing contents-invalid contents-missing crlf
    header-garbage-count header-missing header-negative header-text header-version-0
    location-invalid next-stale object-garbage-owner object-long-number
    object-big-number object-wrong-number objects-huge objects-negative
    objects-too-few objects-too-many parent-cycle parent-disagree parent-invalid
    parent-recycled parent-self programs-too-few programs-too-many props-mismatch
    trailing-junk users-missing-object users-negative users-not-player users-too-many
    value-garbage-float verbs-too-many
    """.split()
)


def repair(folder: Path, data: bytes) -> tuple[int, Path]:
    source, target = folder / "damaged.db", folder / "saved.db"
    source.write_bytes(data)
    status = repair_database(str(source), str(target))
    assert source.read_bytes() == data
    return status, target


@pytest.mark.parametrize("name", REACTIONS)
def test_what_is_written_passes_the_check(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = (BAD / f"{name}.db").read_bytes()
    if name in NOTHING_TO_SAVE:
        with pytest.raises(PymooError):
            repair(tmp_path, data)
        assert not (tmp_path / "saved.db").exists()
        return
    status, target = repair(tmp_path, data)
    assert check(str(target)).findings == []
    printed = capsys.readouterr().out
    assert (status == FINE) == ("nothing was wrong" in printed)
    if REACTIONS[name]["reaction"] != "loads":
        assert status == FINDINGS
    if name in AS_GOOD:
        again = loaded(target.read_bytes())
        assert dumped(again.world, again.tasks, again.connections) == GOOD


def test_a_sound_file_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, target = repair(tmp_path, GOOD)
    assert status == FINE
    assert target.read_bytes() == GOOD
    assert capsys.readouterr().out == (
        f"{tmp_path}/damaged.db: nothing was wrong\n{target}: 7 objects, 2 tasks\n"
    )


def test_everything_that_is_done_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = GOOD.replace(b"\nthing\n\n128\n3\n2\n", b"\nthing\n\n128\n77\n99999\n", 1)
    assert data != GOOD
    status, _ = repair(tmp_path, data)
    assert status == FINDINGS
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"refused: {tmp_path}/damaged.db: objects disagree ")
    assert lines[1:-2] == [
        "mended: object #4: location was #99999, which does not exist: now #2, which "
        "has it among its contents",
        "mended: object #4: was owned by #77, which does not exist: now by itself",
    ]
    assert lines[-2] == f"{tmp_path}/damaged.db: 2 things mended, nothing lost"


def test_the_file_itself_and_any_other_is_not_written_over(tmp_path: Path) -> None:
    path, other = tmp_path / "a.db", tmp_path / "b.db"
    for each in (path, other):
        each.write_bytes(GOOD)
    with pytest.raises(PymooError, match="is the file to be read"):
        repair_database(str(path), str(path))
    with pytest.raises(PymooError, match="is already there"):
        repair_database(str(path), str(other))
    with pytest.raises(PymooError, match="cannot be read"):
        repair_database(str(tmp_path / "no.db"), str(tmp_path / "c.db"))


def test_a_journal_that_is_not_in_the_result_is_mentioned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "damaged.db.journal"
    folder.mkdir()
    (folder / "00000001.segment").touch()
    status, _ = repair(tmp_path, GOOD)
    assert status == FINDINGS
    source = tmp_path / "damaged.db"
    target = tmp_path / "saved.db"
    assert capsys.readouterr().out.splitlines() == [
        f"{source}: the file is sound as it is, but it has a journal",
        f"{target}: 7 objects, 2 tasks",
        f"not in it: the journal {folder}, what was done since {source} was written. "
        f"What can be read of both is saved by pymoo db recover {source} "
        f"{tmp_path}/damaged.recovered.db",
    ]


def test_what_is_lost_is_counted_and_all_of_it_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = minimal()
    for number in range(30):
        add_verb(world, ROOM, f"verb{number}", code="return 1;\n")
    data = dumped(world)
    status, _ = repair(tmp_path, data[: data.index(b"#2:5\n")])
    assert status == FINDINGS
    out = capsys.readouterr().out
    assert f"{tmp_path}/damaged.db: 0 things mended, 25 programs lost\n" in out
    assert "#2:verb14 and 15 more (`--json` names all)\n" in out
    (tmp_path / "saved.db").unlink()
    source, target = str(tmp_path / "damaged.db"), str(tmp_path / "saved.db")
    assert repair_database(source, target, as_json=True) == FINDINGS
    facts = json.loads(capsys.readouterr().out)
    assert facts["lost_counts"] == {"program": 25}
    assert facts["lost_programs"] == [f"#2:verb{number}" for number in range(5, 30)]
    assert facts["still_to_be_mended"] == []


@pytest.mark.parametrize("name", sorted(REACTIONS))
def test_the_refusal_is_the_one_that_the_check_tells(name: str, tmp_path: Path) -> None:
    data = (BAD / f"{name}.db").read_bytes()
    path = tmp_path / "x.db"
    # What cannot be in a file is left out to read it, but it is there.
    for variant in (data, data.replace(b"\n", b"\n\0", 1)):
        path.write_bytes(variant)
        try:
            check(str(path))
            refusal = None
        except PymooError as error:
            refusal = getattr(error, "problem", str(error)).replace("\n", " ")
        try:
            found = repaired(variant, str(path))
        except PymooError:
            assert refusal is not None
            continue
        if refusal is not None:
            assert found.refusal == refusal


@pytest.mark.parametrize("name", ["description", "key"])
def test_a_value_without_its_text_takes_no_other_with_it(name: str) -> None:
    world = minimal()
    values = {"aliases": ("lamp",), "description": "A brass lamp.", "key": "brass"}
    for each, value in {**values, "size": 3}.items():
        world.add_property(ROOT, each, 0, WIZARD, 5)
        set_value(world, ROOM, each, value)
    sound = world[ROOM].values[:]
    data = dumped(world)
    text = str(values[name]).encode()
    assert data.count(b"\n" + text + b"\n") == 1
    found = repaired(data.replace(b"\n" + text, b"", 1), "x.db")
    [line] = found.lost
    assert line.startswith(f"object #2: the value of {name}: ")
    assert found.counts == {"property value": 1}
    assert found.mended == []
    slot = world[ROOM].layout.slots[name]
    record = found.textdump.world[ROOM]
    assert [*record.values[:slot], *record.values[slot + 1 :]] == [
        *sound[:slot],
        *sound[slot + 1 :],
    ]
    assert record.values[slot] is CLEAR


def test_files_of_other_formats_and_compressed_ones_are_refused_by_name() -> None:
    toast = GOOD.replace(b"Version 4", b"Version 17", 1)
    with pytest.raises(PymooError, match="format version 17, of the Stunt"):
        repaired(toast, "x.db")
    with pytest.raises(PymooError, match="gunzip"):
        repaired(b"\x1f\x8b123", "x.db")


def test_a_program_that_does_not_parse_is_kept_as_strings() -> None:
    world = minimal()
    add_verb(world, ROOM, "v", code='x = "a\\b";\nreturn (;\n')
    repair = repaired(dumped(world), "x.db")
    verb = repair.textdump.world[ROOM].verbs[0]
    assert verb.code is not None
    assert verb.code.splitlines() == [
        '"This program was damaged (Line 2:  syntax error); its lines were:";',
        '"x = \\"a\\\\b\\";";',
        '"return (;";',
        "raise(E_VERBNF);",
    ]
    assert repair.mended == [
        "object #2: verb 1 (v) does not parse (Line 2:  syntax error): its lines are "
        "kept as strings, and it raises E_VERBNF"
    ]


def test_a_float_that_would_not_be_read_again_is_no_trap() -> None:
    """15 digits of the largest float are more than it."""
    world = minimal()
    add_verb(world, ROOM, "v", code="return 1.7976931348623157e308;\n")
    repair = repaired(dumped(world), "x.db")
    assert "does not parse" in repair.mended[0]


def test_nul_bytes_are_left_out() -> None:
    data = GOOD.replace(b"thing", b"t\0hi\0ng", 1)
    repair = repaired(data, "x.db")
    line = 1 + data.count(b"\n", 0, data.index(b"\0"))
    assert repair.mended == [
        f"2 NUL bytes, which no string can hold, the first on line {line}: left out"
    ]
    assert repair.textdump.world[Obj(4)].name == "thing"


def test_a_task_that_cannot_go_on_is_left_out(tmp_path: Path) -> None:
    data = (BAD / "task-bad-pc.db").read_bytes()
    _, target = repair(tmp_path, data)
    assert len(loaded(target.read_bytes()).tasks) == 1


def test_what_no_verb_can_have_is_taken_away(tmp_path: Path) -> None:
    world = minimal()
    for name, perms, prep in (("a", -1, -1), ("b", 0o375, -1), ("c", 173, 15)):
        add_verb(world, ROOM, name)
        verbdef = world[ROOM].verbs[-1]
        verbdef.perms, verbdef.prep = perms, prep
    status, target = repair(tmp_path, dumped(world))
    assert status == FINDINGS
    assert check(str(target)).findings == []
    verbs = load(str(target)).world[ROOM].verbs
    assert [(verb.perms, verb.prep) for verb in verbs] == [
        (0, PREP_NONE),
        (0o015, PREP_NONE),
        (173, PREP_NONE),
    ]
    assert repaired(dumped(world), "x.db").mended == [
        "object #2: verb 1 (a) had permissions -1: now 0",
        "object #2: verb 2 (b) had permissions 253: now 13",
        "object #2: verb 3 (c) had preposition 15: now none",
    ]


def test_nobody_becomes_a_wizard_by_a_repair() -> None:
    world = minimal()
    add_verb(world, WIZARD, "v", code="return 1;\n")
    world.set_verb_owner(WIZARD, world[WIZARD].verbs[0], Obj(99))
    repair = repaired(dumped(world), "x.db")
    owner = repair.textdump.world[WIZARD].verbs[0].owner
    assert not repair.textdump.world[owner].is_wizard


# --- any damage -----------------------------------------------------------------

FILES = [
    path.read_bytes()
    for path in (
        BAD / "good.db",
        DATA / "Minimal.db",
        *sorted((DATA / "old").glob("*.db")),
        *sorted((DATA / "tasks").glob("*.db")),
    )
    if path.stat().st_size < 12_000
]

PLACES = st.integers(0, 2**16)
STRANGE = st.sampled_from(
    [b"", b"-1", b"0", b"99", b"x", b"2147483647", b"#1", b"#3 recycled", b".", b"\r"]
)
DAMAGES = st.lists(
    st.one_of(
        st.tuples(st.just("cut"), PLACES),
        st.tuples(st.just("byte"), PLACES, st.integers(0, 255)),
        st.tuples(st.just("drop"), PLACES, st.integers(1, 30)),
        st.tuples(st.just("double"), PLACES, st.integers(1, 30)),
        st.tuples(st.just("line"), PLACES, STRANGE),
        st.tuples(st.just("zeros"), PLACES, st.integers(1, 600)),
    ),
    min_size=1,
    max_size=4,
)


def damaged(data: bytes, damages: list[tuple]) -> bytes:
    for kind, place, *more in damages:
        lines = data.split(b"\n")
        at, line = place % (len(data) + 1), place % len(lines)
        if kind == "cut":
            data = data[:at]
        elif kind == "byte":
            data = data[:at] + bytes(more) + data[at + 1 :]
        elif kind == "zeros":
            data = data[:at] + b"\0" * more[0] + data[at + more[0] :]
        else:
            if kind == "drop":
                del lines[line : line + more[0]]
            elif kind == "double":
                lines[line:line] = lines[line : line + more[0]]
            else:
                lines[line] = more[0]
            data = b"\n".join(lines)
    return data


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(FILES), DAMAGES)
def test_whatever_the_damage_the_result_is_sound(
    tmp_path: Path, data: bytes, damages: list[tuple]
) -> None:
    data = damaged(data, damages)
    try:
        repair = repaired(data, "x.db")
    except PymooError as error:
        if "x.db: " not in str(error):
            raise
        return
    path = str(tmp_path / "saved.db")
    save(repair.textdump, path)
    assert check(path).findings == []
    assert repair.is_needed or load(path).version == 4


@settings(deadline=None)
@given(st.integers(0, len(GOOD)))
def test_of_a_file_that_was_cut_all_whole_objects_are_saved(place: int) -> None:
    data = GOOD[:place]
    whole = [
        number
        for number in range(8)
        if b"\n#%d" % (number + 1) in data or b"\n#0:0" in data
    ]
    try:
        repair = repaired(data, "x.db")
    except PymooError:
        assert whole == []
        return
    world, sound = repair.textdump.world, loaded(GOOD).world
    for number in whole:
        assert world.valid(Obj(number)) == sound.valid(Obj(number))
        if sound.valid(Obj(number)):
            one, other = world[Obj(number)], sound[Obj(number)]
            assert one.name == other.name
            assert [verb.names for verb in one.verbs] == [
                verb.names for verb in other.verbs
            ]
            assert one.values == other.values
