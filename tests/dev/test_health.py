"""What is looked at in a database, and what is found."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from attrs import evolve

from pymoo.db.objects import FLAG_PLAYER, FLAG_WIZARD
from pymoo.db.saved import SavedSuspendedTask, SavedTask
from pymoo.db.world import World
from pymoo.dev.health import Note, examine, task_title
from pymoo.interp.crypt import crypt
from pymoo.lang.dialect import LAMBDAMOO, PYMOO, Dialect
from pymoo.options import SERVER_OPTIONS, ServerOption
from pymoo.server.database import open_database
from pymoo.values import NOTHING, Obj, Value
from tests.db.worlds import (
    DATA,
    ROOM,
    ROOT,
    SYSTEM,
    WIZARD,
    add_verb,
    dumped,
    minimal,
    set_value,
)


def notes_of(
    folder: Path,
    world: World,
    tasks: list[SavedTask] | None = None,
    dialect: Dialect = PYMOO,
) -> dict[str, Note]:
    path = folder / "my.db"
    path.write_bytes(dumped(world, tasks or ()))
    return notes_of_file(str(path), dialect)


def notes_of_file(path: str, dialect: Dialect = PYMOO) -> dict[str, Note]:
    database = open_database(path, dialect, check=False)
    return {note.topic: note for note in examine(path, database, dialect)}


def options(world: World, **values: Value) -> None:
    holder = world.create(WIZARD, ROOT)
    world.add_property(SYSTEM, "server_options", holder, WIZARD, 1)
    for name, value in values.items():
        world.add_property(holder, name, value, WIZARD, 1)


def test_a_sound_world_is_fine(tmp_path: Path) -> None:
    notes = notes_of(tmp_path, minimal())
    assert [topic for topic, note in notes.items() if not note.is_fine] == []
    assert notes["structure"].text == (
        "structure: parents, locations, contents, property layout consistent"
    )
    assert notes["tasks"].text == "tasks: none sleeps"


def test_a_world_without_wizards_is_told(tmp_path: Path) -> None:
    world = minimal()
    world.set_flag(WIZARD, FLAG_WIZARD, False)
    note = notes_of(tmp_path, world)["wizards"]
    assert note.text.startswith("no player is a wizard: ")
    assert not note.is_fine


def test_owners_that_are_gone_are_named(tmp_path: Path) -> None:
    world = minimal()
    world.set_owner(ROOM, Obj(99))
    note = notes_of(tmp_path, world)["owners"]
    assert not note.is_fine
    assert note.details == ("#2 is owned by #99, which is not valid",)


def test_what_no_verb_can_have_is_named(tmp_path: Path) -> None:
    world = minimal()
    add_verb(world, ROOM, "odd")
    [verbdef] = world[ROOM].verbs
    verbdef.perms, verbdef.prep = -1, 40
    note = notes_of(tmp_path, world)["permissions"]
    assert note.text == (
        "permissions and prepositions: 1 verb with what no verb can have"
    )
    assert note.details == (
        "verb 1 of #2 (odd) has permissions -1 and preposition 40, which cannot be",
    )
    assert note.remedy is not None
    assert note.remedy.startswith("pymoo db repair ")


def test_verbs_that_do_not_parse_are_named_with_line_and_message(
    tmp_path: Path,
) -> None:
    world = minimal()
    add_verb(world, ROOM, "l*ook exa*mine", code="x = 1;\nreturn (;\n")
    add_verb(world, ROOM, "fine", code="return 1;\n")
    note = notes_of(tmp_path, world)["verbs"]
    assert note.text == "1 of 2 verbs parse; the others cannot be called"
    assert note.details == ("#2:look, line 2: syntax error",)


def test_calls_of_functions_that_do_not_exist_are_named(tmp_path: Path) -> None:
    world = minimal()
    add_verb(world, ROOM, "old", code="x = 1;\nreturn read_map();\n")
    note = notes_of(tmp_path, world)["functions"]
    assert note.text == ("1 call of functions that do not exist: they raise E_INVARG")
    assert note.details == ("#2:old, line 2: Unknown built-in function: read_map",)


def test_functions_of_pymoo_exist_in_its_own_dialect_alone(tmp_path: Path) -> None:
    world = minimal()
    add_verb(world, ROOM, "new", code="return yin();\n")
    assert "functions" not in notes_of(tmp_path, world)
    assert "functions" in notes_of(tmp_path, world, dialect=LAMBDAMOO)


def test_calls_that_need_an_option_are_counted(tmp_path: Path) -> None:
    world = minimal()
    add_verb(
        world,
        ROOM,
        "open",
        code='c = open_network_connection("h", 1);\n'
        'return call_function("open_network_connection", "h", 2);\n',
    )
    add_verb(world, ROOM, "name", code='return "open_network_connection";\n')
    note = notes_of(tmp_path, world)["calls"]
    assert note.text == (
        "2 calls to open_network_connection(): outbound is off (--outbound turns it on)"
    )
    assert note.details == ("#2:open, line 1", "#2:open, line 2")


def test_empty_passwords_are_told_with_their_players_wizards_first(
    tmp_path: Path,
) -> None:
    world = minimal()
    generic = world.create(WIZARD, ROOT)
    world.add_property(generic, "password", "impossible", WIZARD, 0)
    for name, value in (("Ann", 0), ("Ben", crypt(b"x", "ab")), ("Cid", "$2b$12$abc")):
        player = world.create(NOTHING, generic)
        world.set_name(player, name)
        world.set_flag(player, FLAG_PLAYER, True)
        set_value(world, player, "password", value)
    quiet = world.create(NOTHING, generic)
    world.set_flag(quiet, FLAG_PLAYER, True)
    world.change_parent(WIZARD, generic)
    set_value(world, WIZARD, "password", "")
    note = notes_of(tmp_path, world)["passwords"]
    path = tmp_path / "my.db"
    assert note.text == (
        "passwords: 1 DES crypt, 1 of a method that crypt() here does not have, 1 "
        "inherited, which lets nobody in, 2 empty (Wizard #3, Ann #5)"
    )
    assert note.remedy == f"pymoo passwd {path} '#3'"
    assert note.details == (
        "Wizard #3 (wizard): whoever gives the name is let in, without a password",
        "Ann #5: whoever gives the name is let in, without a password",
        "Cid #7: cannot log in: of a method that crypt() here does not have",
    )


def test_passwords_that_work_are_fine(tmp_path: Path) -> None:
    world = minimal()
    world.add_property(WIZARD, "password", crypt(b"x", "$6$ab"), WIZARD, 0)
    note = notes_of(tmp_path, world)["passwords"]
    assert (note.is_fine, note.remedy) == (True, None)
    assert note.text == "passwords: 1 SHA-512 crypt"


def test_tasks_in_flight_will_resume() -> None:
    note = notes_of_file(str(DATA / "bad" / "good.db"))["tasks"]
    assert note.text == "tasks: 1 suspended, 1 forked: will go on"
    assert note.is_fine


def test_a_task_that_no_server_starts_with_is_told(tmp_path: Path) -> None:
    note = notes_of_file(str(DATA / "bad" / "task-bad-pc.db"))["tasks"]
    assert note.text == "tasks: 1 suspended, 1 forked: 1 cannot go on"
    assert not note.is_usable
    assert note.details == (
        "suspended task 1738440610 in #4:foo: activation 1 of suspended task "
        "1738440610: pc 1 does not stand behind a call",
    )
    assert note.remedy is not None
    assert note.remedy.startswith("pymoo db repair ")


def test_a_task_whose_stack_does_not_fit_is_told(tmp_path: Path) -> None:
    textdump = open_database(str(DATA / "bad" / "good.db"), PYMOO).textdump
    [task] = [each for each in textdump.tasks if isinstance(each, SavedSuspendedTask)]
    outer, *rest = task.activations
    outer = evolve(outer, stack=(*outer.stack, 1))
    task = evolve(task, activations=(outer, *rest))
    note = notes_of(tmp_path, textdump.world, [task])["tasks"]
    assert note.is_usable
    assert not note.is_fine
    assert note.details == (
        f"{task_title(task)}: activation 0: {len(outer.stack)} value"
        f"{'s' * (len(outer.stack) != 1)} on its stack, where its program would have "
        f"{len(outer.stack) - 1}",
    )


def test_options_that_are_not_taken_as_given_are_told(tmp_path: Path) -> None:
    world = minimal()
    options(
        world,
        fg_ticks=5,
        bg_seconds="3",
        max_stack_depth=20,
        max_list_concat=10,
        max_string_concat=2000,
        default_flush_command=0,
        connect_timeout=1.5,
        protect_recycle=1,
        protect_recycel=1,
        protect_owner=1,
    )
    note = notes_of(tmp_path, world)["options"]
    assert note.text == "$server_options: 7 values not taken as given"
    assert note.details == (
        "$server_options.fg_ticks is 5; what is below 100 is ignored",
        '$server_options.bg_seconds is "3", which is not an integer: the default 3 '
        "counts",
        "$server_options.connect_timeout is 1.5, which is not an integer: the default "
        "300 counts",
        '$server_options.default_flush_command is 0, which is not a string: "" counts',
        "$server_options.max_stack_depth is 20; what is below 50 counts as 50",
        "$server_options.max_list_concat is 10, and counts as 1022",
        "$server_options.protect_recycel: there is no function recycel()",
    )


@pytest.mark.parametrize("dialect", [PYMOO, LAMBDAMOO])
@pytest.mark.parametrize("option", SERVER_OPTIONS, ids=lambda option: option.name)
def test_every_option_may_have_any_value(
    tmp_path: Path, option: ServerOption, dialect: Dialect
) -> None:
    if "<" in option.name:
        return  # a family of them
    world = minimal()
    options(world, **{option.name: (1, "x")})
    note = notes_of(tmp_path, world, dialect=dialect).get("options")
    is_checked = option.unit not in ("flag", "name") and option.name != "task_clock"
    assert (note is not None) == is_checked
    if note is not None:
        [line] = note.details
        assert line.startswith(f'$server_options.{option.name} is {{1, "x"}}, which ')
        assert line.endswith((" counts", "it does not count"))


def test_sensible_options_are_not_worth_a_word(tmp_path: Path) -> None:
    world = minimal()
    options(
        world,
        fg_ticks=100_000,
        worker_timeout=2.5,
        hard_seconds=1.5,
        max_stack_depth=100,
    )
    assert "options" not in notes_of(tmp_path, world)


def test_numbers_that_come_to_their_end_are_told(tmp_path: Path) -> None:
    path = tmp_path / "my.db"
    path.write_bytes(dumped(minimal()))
    database = open_database(str(path), PYMOO)
    database.textdump.world._size = 2**31 - 100
    notes = {note.topic: note for note in _numbers(database.textdump.world)}
    assert "only 100 objects can be created" in notes["numbers"].text


def _numbers(world: World) -> list[Note]:
    from pymoo.dev import health

    return list(health._numbers(world))


def test_what_lies_beside_the_file_is_mentioned(tmp_path: Path) -> None:
    (tmp_path / "my.db.journal").mkdir()
    (tmp_path / "my.db.backups").mkdir()
    (tmp_path / "my.db.backups" / "1.db").touch()
    notes = notes_of(tmp_path, minimal())
    path = f"{tmp_path / 'my.db'}"
    assert notes["files"].text == (
        f"beside it: {path}.journal{os.sep} (changes since the last checkpoint: 0 "
        f"files), {path}.backups{os.sep} (earlier copies: 1 file)"
    )
    assert notes["files"].is_fine


def test_a_newer_panic_dump_is_a_finding(tmp_path: Path) -> None:
    panic = tmp_path / "my.db.PANIC"
    panic.touch()
    os.utime(panic, (1, 1))
    assert "panic" not in notes_of(tmp_path, minimal())
    os.utime(panic, (2**32, 2**32))
    note = notes_of_file(str(tmp_path / "my.db"))["panic"]
    assert note.remedy == f"pymoo doctor {panic}"
    assert not note.is_fine


# --- the disk -----------------------------------------------------------------


def test_there_must_be_room_for_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(dumped(minimal()))
    for free, is_fine in ((size, True), (size - 1, False)):
        usage = shutil._ntuple_diskusage(10**9, 10**9 - free, free)
        monkeypatch.setattr(shutil, "disk_usage", lambda folder, usage=usage: usage)
        note = notes_of(tmp_path, minimal())["disk"]
        assert note.is_fine is is_fine
        beginning = f"disk: {free} bytes free in {tmp_path}"
        assert note.text == beginning + (
            ""
            if is_fine
            else "; a checkpoint, which is written beside the file before it takes "
            f"its place, needs {size} bytes"
        )


def test_a_disk_that_does_not_tell_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: str) -> None:
        raise OSError(errno.ENOSYS, "not here")

    monkeypatch.setattr(shutil, "disk_usage", refuse)
    note = notes_of(tmp_path, minimal())["disk"]
    assert note.text == "disk: how much room there is cannot be told: not here"
    assert not note.is_fine
