"""Whole textdumps, sound ones: read, written, and the log meanwhile.

All files were written by LambdaMOO 1.8.3, except those that say something else.
"""

from __future__ import annotations

import gc
import gzip
import io

import pytest

from pymoo.db import textdump_io
from pymoo.db.objects import CLEAR, LANGUAGE_VERSION, Object
from pymoo.db.saved import SavedConnection, SavedForkedTask
from pymoo.db.textdump import dump, load, normalised
from pymoo.db.world import World
from pymoo.errors import InternalError, TextdumpError
from pymoo.values import NOTHING, SYSTEM_OBJECT, Obj, Value
from tests.db.worlds import (
    DATA,
    ROOT,
    WIZARD,
    Checker,
    dumped,
    dumped_again,
    loaded,
    minimal,
    set_value,
    value_of,
)
from tests.shared_material import SHARED, needs_shared

TASKS = sorted((DATA / "tasks").glob("*.db"))
OLD = [DATA / "old" / "v1.db", DATA / "old" / "v3.db"]
GOOD = DATA / "bad" / "good.db"


def ids(path):
    return path.name


def written_as(path, data):
    """The part of a dump before the tasks, which the tasks layer has a hand in."""
    return data[: data.index(b"0 clocks\n")]


# --- round trips ------------------------------------------------------------------


@pytest.mark.parametrize("path", [*TASKS, GOOD], ids=ids)
def test_what_the_c_server_wrote_is_written_back_byte_for_byte(path):
    data = path.read_bytes()
    textdump = loaded(data)
    assert dumped_again(textdump) == data
    assert textdump.remarks == []
    assert list(textdump.world.check()) == []


@pytest.mark.parametrize("block_bytes", [1, 3, 1000])
@pytest.mark.parametrize("name", ["operands", "builtins"])
def test_objects_and_tasks_may_end_at_any_place_of_a_block(
    name, block_bytes, monkeypatch
):
    monkeypatch.setattr(textdump_io, "_BLOCK_BYTES", block_bytes)
    data = (DATA / "tasks" / f"{name}.db").read_bytes()
    assert dumped_again(loaded(data)) == data


@pytest.mark.parametrize("name", ["due", "evals", "people"])
def test_what_is_normalised_is_what_the_c_server_dumps_after_loading_it(name):
    """Tasks by their time, no connections.  `people` has one, `due` tasks out of
    order, `evals` forks that begin somewhere in a verb.
    """
    textdump = loaded((DATA / "tasks" / f"{name}.db").read_bytes())
    wanted = (DATA / "tasks" / f"{name}.redump.db").read_bytes()
    assert dumped_again(normalised(textdump)) == wanted


def test_normalising_leaves_the_textdump_alone():
    data = (DATA / "tasks" / "due.db").read_bytes()
    textdump = loaded(data)
    normalised(textdump)
    assert dumped_again(textdump) == data


def test_forked_tasks_stand_before_suspended_ones_of_the_same_time():
    textdump = normalised(loaded(GOOD.read_bytes()))
    forked = [isinstance(task, SavedForkedTask) for task in textdump.tasks]
    assert forked == sorted(forked, reverse=True)


def test_minimal_is_written_in_the_present_format():
    textdump = loaded((DATA / "Minimal.db").read_bytes(), Checker())
    assert textdump.version == 1
    assert dumped_again(textdump) == (DATA / "Minimal.redump.db").read_bytes()


@pytest.mark.parametrize("path", OLD, ids=ids)
def test_objects_and_programs_of_old_formats_become_those_of_the_present(path):
    """Handles are dropped, programs brought up to the present language."""
    textdump = loaded(path.read_bytes(), Checker())
    wanted = path.with_suffix(".redump.db").read_bytes()
    assert written_as(path, dumped_again(textdump)) == written_as(path, wanted)


@pytest.mark.parametrize("path", OLD, ids=ids)
def test_programs_of_old_formats_remember_their_version(path):
    textdump = loaded(path.read_bytes(), Checker())
    versions = {
        verbdef.version
        for record in textdump.world.objects()
        for verbdef in record.verbs
        if verbdef.code is not None
    }
    assert versions == {textdump.version}
    assert all(
        task.version == textdump.version
        for task in textdump.tasks
        if isinstance(task, SavedForkedTask)
    )


def test_the_oldest_format_has_no_header_and_another_mark_for_unset_variables():
    data = OLD[0].read_bytes()
    header, data = data.split(b"\n", 1)
    assert header == b"** LambdaMOO Database, Format Version 1 **"
    oldest = loaded(data.replace(b"\nunset\n6\n", b"\nunset\n-1\n"), Checker())
    assert oldest.version == 0
    assert oldest.remarks == []
    later = loaded(OLD[0].read_bytes(), Checker())
    assert dumped_again(oldest) == dumped_again(later).replace(
        b"language version 1", b"language version 0"
    )


def test_connections_of_old_formats_have_the_system_object_as_listener():
    textdump = loaded(OLD[0].read_bytes(), Checker())
    assert textdump.connections == [
        SavedConnection(Obj(3), SYSTEM_OBJECT),
        SavedConnection(Obj(-7), SYSTEM_OBJECT),
    ]


@pytest.mark.parametrize("path", [DATA / "Minimal.db", *OLD], ids=ids)
def test_old_formats_need_somebody_who_knows_the_language(path):
    with pytest.raises(TextdumpError, match="written in an older language"):
        loaded(path.read_bytes())


@pytest.mark.parametrize("version", [5, 9, 17])
def test_formats_of_stunt_and_toaststunt_are_refused_by_their_name(version):
    header = f"** LambdaMOO Database, Format Version {version} **\n".encode()
    log = []
    with pytest.raises(TextdumpError, match=f"format version {version}, of the Stunt"):
        load(io.BytesIO(header), name="x.db", log=lambda *line: log.append(line))
    assert log == [
        ("LOADING: x.db", False),
        (f"READ_DB_FILE: Unknown DB version number: {version}", True),
        ("DB_LOAD: Cannot load database!", True),
    ]


@needs_shared
@pytest.mark.parametrize(
    "path",
    ["cores/LambdaCore-20Jun18.db.gz", "oracle/harness.db"],
)
def test_whole_cores_are_written_back_byte_for_byte(path):
    data = (SHARED / path).read_bytes()
    if path.endswith(".gz"):
        data = gzip.decompress(data)
    textdump = loaded(data)
    assert dumped_again(textdump) == data
    assert list(textdump.world.check()) == []


@needs_shared
def test_a_compressed_file_can_be_read_as_a_stream():
    path = SHARED / "cores/LambdaCore-20Jun18.db.gz"
    with gzip.open(path) as stream:
        textdump = load(stream, name="LambdaCore")
    assert dumped_again(textdump) == gzip.decompress(path.read_bytes())


def test_a_world_of_every_kind_of_thing_comes_back():
    world = minimal()
    gone, box = world.create(WIZARD, ROOT), world.create(WIZARD, ROOT)
    world.recycle(gone)
    world.change_location(box, WIZARD)
    world.set_name(box, "\xff name \t")
    value = (1, (-5.5, "\x01"), Obj(-1))
    world.add_property(ROOT, "two words", value, WIZARD, 5)
    world.add_property(box, "own", 0, WIZARD, 0)
    world.add_verb(box, "l*ook ex*amine", WIZARD, 13, 2, -2, 1)
    world.add_verb(box, "empty", WIZARD, 0, 0, 14, 0)
    world.set_verb_code(box, world[box].verbs[1], "")
    data = dumped(world)
    again = loaded(data).world
    assert dumped(again) == data
    assert list(again.check()) == []
    assert again[box].values == [0, CLEAR]
    assert value_of(again, box, "two words") == value
    assert [verbdef.code for verbdef in again[box].verbs] == [None, ""]
    assert again[box].verbs[1].version == LANGUAGE_VERSION
    assert again.max_object == box
    assert again.find(gone) is None


def test_an_empty_world_can_be_dumped_and_loaded():
    data = dumped(World())
    assert data == (
        b"** LambdaMOO Database, Format Version 4 **\n0\n0\n0\n0\n0 clocks\n"
        b"0 queued tasks\n0 suspended tasks\n0 active connections with listeners\n"
    )
    assert len(loaded(data).world) == 0


def test_a_dump_ends_after_the_last_valid_or_recycled_number():
    world = minimal()
    world.recycle(world.create(WIZARD, ROOT))
    data = dumped(world)
    assert data.count(b"#4 recycled\n") == 1
    assert dumped(loaded(data).world) == data
    world.reset_max_object()
    assert b"recycled" not in dumped(world)


# --- what is shared in memory ------------------------------------------------------


def test_names_owners_and_rows_that_are_equal_are_one():
    world = minimal()
    first, second = world.create(WIZARD, ROOT), world.create(WIZARD, ROOT)
    for name in ("p", "q"):
        world.add_property(ROOT, name, "the same text", WIZARD, 5)
    for objid in (first, second):
        world.set_name(objid, "".join(["na", "me"]))
        set_value(world, objid, "p", "".join(["va", "lue"]))
    again = loaded(dumped(world)).world
    one, other = again[first], again[second]
    assert one.name is other.name
    assert one.owner is other.owner
    assert one.infos is other.infos
    assert one.layout is other.layout
    assert one.values[0] is other.values[0]
    assert one.contents is other.contents is Object(NOTHING).contents


def test_the_elements_of_verbs_are_equal_strings_from_the_file_and_name_their_verbs():
    """As in the C server, which shares all equal strings of a file."""
    world = minimal()
    world.add_verb(ROOT, "foo*bar baz", WIZARD, 5, 2, -1, 2)
    world.add_property(ROOT, "verb", "foo*bar baz", WIZARD, 5)
    assert world.find_defined_verb(ROOT, value_of(world, ROOT, "verb")) is None
    again = loaded(dumped(world)).world
    assert again.find_defined_verb(ROOT, value_of(again, ROOT, "verb")) is not None


@pytest.mark.parametrize("was_on", [True, False])
def test_garbage_collection_is_as_it_was_before(was_on):
    before = gc.isenabled()
    try:
        gc.enable() if was_on else gc.disable()
        meanwhile = []
        load(
            io.BytesIO(dumped(minimal())),
            log=lambda text, is_error: meanwhile.append(gc.isenabled()),
        )
        is_cpython = hasattr(gc, "freeze")
        assert set(meanwhile[1:]) == {was_on and not is_cpython}
        assert gc.isenabled() is was_on
        with pytest.raises(TextdumpError):
            loaded(b"")
        assert gc.isenabled() is was_on
    finally:
        gc.enable() if before else gc.disable()


# --- the log -----------------------------------------------------------------------


def test_loading_is_logged_as_the_c_server_logs_it():
    log = []
    load(
        GOOD,
        name="in.db",
        dump_name="out.db",
        log=lambda text, is_error: log.append((text, is_error)),
    )
    assert [text for text, _ in log] == [
        "LOADING: in.db",
        "LOADING: Reading 8 objects...",
        "LOADING: Done reading 8 objects ...",
        "VALIDATING the object hierarchies ...",
        "VALIDATE: Phase 1: Check for invalid objects ...",
        "VALIDATE: Phase 2: Check for cycles ...",
        "VALIDATE: Phase 3a: Finding delusional parents ...",
        "VALIDATE: Phase 3b: Finding delusional children ...",
        "VALIDATING the object hierarchies ... finished.",
        "LOADING: Reading 2 MOO verb programs...",
        "LOADING: Done reading 2 verb programs...",
        "LOADING: Reading forked and suspended tasks...",
        "LOADING: Reading list of formerly active connections...",
        "LOADING: in.db done, will dump new database on out.db",
    ]
    assert not any(is_error for _, is_error in log)


def test_the_path_is_the_name_unless_another_is_given():
    log = []
    load(GOOD, log=lambda text, is_error: log.append(text))
    assert log[0] == f"LOADING: {GOOD}"
    assert log[-1] == "LOADING: Reading list of formerly active connections..."


def test_dumping_is_logged_as_the_c_server_logs_it():
    log = []
    textdump = loaded(GOOD.read_bytes())
    dump(
        textdump.world,
        io.BytesIO(),
        log=lambda text, is_error: log.append((text, is_error)),
        reason="CHECKPOINTING",
    )
    assert log == [
        ("CHECKPOINTING: Writing 8 objects...", False),
        ("CHECKPOINTING: Done writing 8 objects...", False),
        ("CHECKPOINTING: Writing 2 MOO verb programs...", False),
        ("CHECKPOINTING: Done writing 2 verb programs...", False),
        ("CHECKPOINTING: Writing forked and suspended tasks...", False),
        ("CHECKPOINTING: Writing list of formerly active connections...", False),
    ]


def test_nothing_is_said_to_be_done_where_there_was_nothing_to_do():
    log = []
    dump(World(), io.BytesIO(), log=lambda text, is_error: log.append(text))
    loaded_log = []
    load(
        io.BytesIO(dumped(World())),
        log=lambda text, is_error: loaded_log.append(text),
    )
    assert not [text for text in log + loaded_log if "Done" in text]


# --- what must not be written -------------------------------------------------------


def test_a_string_that_no_file_can_hold_stops_the_dump():
    world = minimal()
    world.set_name(ROOT, "two\nlines")
    with pytest.raises(InternalError, match=r"line feed or NUL in it: 'two\\nlines'"):
        dumped(world)


def test_a_character_that_is_no_byte_stops_the_dump():
    world = minimal()
    world.set_name(ROOT, "\u20ac")
    with pytest.raises(InternalError, match="'\u20ac'"):
        dumped(world)


def test_characters_above_127_are_bytes():
    world = minimal()
    world.set_name(ROOT, "\x80\xff")
    assert b"\n\x80\xff\n" in dumped(world)


# --- what pymoo adds --------------------------------------------------------------


def test_extras_stand_behind_all_that_other_servers_read() -> None:
    world = World()
    stream = io.BytesIO()
    extras: dict[str, Value] = {"b": ("x", 1.5, Obj(7)), "a": 0}
    dump(world, stream, extras=extras)
    plain = io.BytesIO()
    dump(world, plain)
    assert stream.getvalue().startswith(plain.getvalue())
    stream.seek(0)
    assert load(stream).extras == extras


def test_extras_of_a_later_version_are_refused() -> None:
    stream = io.BytesIO()
    dump(World(), stream, extras={"a": 0})
    text = stream.getvalue().replace(b"adds, Version 1", b"adds, Version 2")
    with pytest.raises(TextdumpError, match=r"version 2 .* use a newer"):
        load(io.BytesIO(text))
