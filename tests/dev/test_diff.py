"""``pymoo db diff``: what it finds, how it shows that, and its exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.db.objects import CLEAR, FLAG_FERTILE, FLAG_PLAYER
from pymoo.db.saved import SavedConnection
from pymoo.db.world import World
from pymoo.dev.diff import diff_databases
from pymoo.dev.world_diff import Listing, object_changes, rest_changes, task_changes
from pymoo.errors import PymooError
from pymoo.exits import FINDINGS, FINE
from pymoo.lang.parser import parse_program
from pymoo.values import NOTHING, Obj
from tests.db.worlds import (
    DATA,
    FUNCTIONS,
    ROOM,
    ROOT,
    SYSTEM,
    WIZARD,
    add_verb,
    dumped,
    loaded,
    minimal,
    set_value,
)

Shown = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shown:
    """Compare the files old.db and new.db; return the status and what is printed."""

    def compare(old: bytes, new: bytes, **options: bool) -> tuple[int, list[str]]:
        paths = tmp_path / "old.db", tmp_path / "new.db"
        for path, data in zip(paths, (old, new), strict=True):
            path.write_bytes(data)
        status = diff_databases(*map(str, paths), **options)
        text = capsys.readouterr().out.replace(f"{tmp_path}/", "")
        return status, text.splitlines()

    return compare


def furnished() -> World:
    """A world with something of everything."""
    world = minimal()
    world.add_property(ROOT, "description", "", WIZARD, 5)
    world.add_property(ROOM, "exits", (1, 2), WIZARD, 1)
    set_value(world, ROOM, "description", "A room.")
    add_verb(world, ROOM, "l*ook", code="x = 1;\nif (x)\ny = 2;\nendif\n")
    add_verb(world, ROOM, "tell", code="return;\n")
    world.create(WIZARD, ROOT)
    world.create(WIZARD, ROOM)
    world.recycle(Obj(4))
    return world


def text_of(change: Callable[[World], None], shown: Shown) -> list[str]:
    world = furnished()
    change(world)
    status, lines = shown(dumped(furnished()), dumped(world))
    assert status == FINDINGS
    assert lines[:2] == ["--- old.db", "+++ new.db"]
    return lines[2:]


def test_the_same_is_the_same(shown: Shown) -> None:
    data = dumped(furnished())
    assert shown(data, data) == (FINE, [])
    assert shown(data, data, stat=True) == (FINE, [])
    status, lines = shown(data, data, as_json=True)
    assert (status, json.loads("".join(lines))["same"]) == (FINE, True)


def test_a_file_of_an_old_format_is_compared_by_what_it_means(shown: Shown) -> None:
    old = (DATA / "Minimal.db").read_bytes()
    new = (DATA / "Minimal.redump.db").read_bytes()
    assert shown(old, new) == (FINE, [])


def test_fields_are_shown_before_and_after(shown: Shown) -> None:
    def change(world: World) -> None:
        world.set_name(ROOM, "Hall")
        world.set_owner(ROOM, ROOT)
        world.set_flag(ROOM, FLAG_FERTILE, True)
        world.change_location(ROOM, Obj(5))

    assert text_of(change, shown) == [
        "object #2 (Hall)",
        '-name "The First Room"',
        '+name "Hall"',
        "-owner #3",
        "+owner #1",
        "-flags none",
        "+flags f",
        "-location #-1",
        "+location #5",
    ]


def test_the_code_of_verbs_is_shown_as_people_read_it(shown: Shown) -> None:
    def change(world: World) -> None:
        verb = world[ROOM].verbs[0]
        world.set_verb_code(ROOM, verb, "x = 1;\nif (x && (!y))\ny = 3;\nendif\n")
        world.set_verb_flags(ROOM, verb, 1)

    assert text_of(change, shown) == [
        "object #2 (The First Room)",
        ' verb "l*ook"',
        "-  perms rx",
        "+  perms r",
        "@@ -1,4 +1,4 @@",
        " x = 1;",
        "-if (x)",
        "-  y = 2;",
        "+if (x && !y)",
        "+  y = 3;",
        " endif",
    ]


def test_code_that_does_not_parse_is_shown_as_it_is(shown: Shown) -> None:
    def change(world: World) -> None:
        world.set_verb_code(ROOM, world[ROOM].verbs[1], "return (;\n")

    assert text_of(change, shown)[1:] == [
        ' verb "tell"',
        "@@ -1 +1 @@",
        "-return;",
        "+return (;",
    ]


def test_code_that_means_the_same_is_shown_as_it_is_spelled(shown: Shown) -> None:
    def change(world: World) -> None:
        world.set_verb_code(ROOM, world[ROOM].verbs[1], "return  ;\n")

    assert text_of(change, shown)[-2:] == ["-return;", "+return  ;"]


def test_verbs_come_and_go_with_their_code(shown: Shown) -> None:
    def change(world: World) -> None:
        world.delete_verb(ROOM, world[ROOM].verbs[0])
        add_verb(world, ROOM, "new", code="return 1;\n")
        add_verb(world, ROOM, "empty")

    assert text_of(change, shown)[1:] == [
        '-verb "l*ook" this none this rx #3',
        "-  x = 1;",
        "-  if (x)",
        "-    y = 2;",
        "-  endif",
        '+verb "new" this none this rx #3',
        "+  return 1;",
        '+verb "empty" this none this rx #3 unprogrammed',
    ]


def test_a_verb_that_only_has_another_name_is_the_same_verb(shown: Shown) -> None:
    def change(world: World) -> None:
        world.set_verb_names(ROOM, world[ROOM].verbs[0], "look")

    assert text_of(change, shown)[1:] == [
        ' verb "look"',
        '-  names "l*ook"',
        '+  names "look"',
    ]


def test_properties_are_shown_with_value_and_rights(shown: Shown) -> None:
    def change(world: World) -> None:
        set_value(world, ROOM, "description", "A hall.")
        record, slot = world.find_property(ROOM, "exits")  # type: ignore[misc]
        world.set_property_info(record, slot, ROOM, 3)
        world.add_property(SYSTEM, "new", 1.5, WIZARD, 0)
        set_value(world, Obj(5), "exits", ())

    assert text_of(change, shown) == [
        "object #0 (System Object)",
        "+property new = 1.5 (#3 none)",
        "object #2 (The First Room)",
        "-property exits: rights #3 r",
        "+property exits: rights #2 rw",
        '-property description: value "A room."',
        '+property description: value "A hall."',
        "object #5 ()",
        "-property exits: value clear",
        "+property exits: value {}",
    ]


def test_a_definition_that_comes_or_goes_is_told_once(shown: Shown) -> None:
    def change(world: World) -> None:
        world.delete_property(ROOT, "description")
        world.add_property(ROOT, "colour", "red", WIZARD, 5)

    assert text_of(change, shown) == [
        "object #1 (Root Class)",
        '+property colour = "red" (#3 rc)',
        '-property description = "" (#3 rc)',
        "object #2 (The First Room)",
        '-property description = "A room." (#3 rc)',
    ]


def test_objects_come_and_go_with_all_they_have(shown: Shown) -> None:
    def change(world: World) -> None:
        world.recycle(Obj(5))
        new = world.create(WIZARD, ROOT)
        world.set_name(new, "lamp")
        set_value(world, new, "description", "Bright.")
        add_verb(world, new, "light", code="return 1;\n")

    assert text_of(change, shown) == [
        "database",
        "-max_object() #5",
        "+max_object() #6",
        "object #5 () recycled",
        '-name ""',
        "-owner #3",
        "-flags none",
        "-parent #2",
        "-location #-1",
        "object #6 (lamp) created",
        '+name "lamp"',
        "+owner #3",
        "+flags none",
        "+parent #1",
        "+location #-1",
        '+verb "light" this none this rx #3',
        "+  return 1;",
        '+property description = "Bright." (#3 rc)',
    ]


def test_orders_that_can_be_seen_are_compared(shown: Shown) -> None:
    def change(world: World) -> None:
        world.change_parent(SYSTEM, ROOT)
        world.set_flag(WIZARD, FLAG_PLAYER, False)

    assert text_of(change, shown) == [
        "database",
        "-players() {#3}",
        "+players() {}",
        "object #1 (Root Class)",
        "-order of children {#0, #2, #3}",
        "+order of children {#2, #3, #0}",
        "object #3 (Wizard)",
        "-flags player programmer wizard",
        "+flags programmer wizard",
    ]


def test_tasks_and_connections_are_compared(shown: Shown) -> None:
    good = (DATA / "bad" / "good.db").read_bytes()
    bare = dumped(loaded(good).world, (), [SavedConnection(WIZARD, SYSTEM)])
    assert shown(bare, good)[1][2:] == [
        "database",
        "-connection #3 at #0",
        "suspended task 1738440610 in #4:foo added",
        "+time 2147483647",
        "forked task 1986043015 of #-1:emergency_mode added",
        "+time 1995222023",
    ]


def test_a_task_that_differs_is_told_with_what_differs(shown: Shown) -> None:
    good = (DATA / "bad" / "good.db").read_bytes()
    task = loaded(good).tasks[1]
    other = good.replace(
        f"{task.start_time} {task.task_id}".encode(),
        f"{task.start_time - 5} {task.task_id}".encode(),
    )
    assert shown(good, other)[1][2:] == [
        f"suspended task {task.task_id} in #4:foo",
        f"-time {task.start_time}",
        f"+time {task.start_time - 5}",
    ]


def test_the_summary_has_a_line_per_object_and_the_sums(shown: Shown) -> None:
    world = furnished()
    world.set_name(ROOM, "Hall")
    add_verb(world, ROOM, "a")
    add_verb(world, ROOM, "b")
    set_value(world, ROOM, "description", "A hall.")
    new = world.create(WIZARD, ROOT)
    world.set_name(new, "lamp")
    status, lines = shown(dumped(furnished()), dumped(world), stat=True)
    assert status == FINDINGS
    assert lines == [
        " max_object()",
        " #2 (Hall) changed: name, 2 verbs added, 1 property changed",
        " #6 (lamp) created: nothing in it",
        "objects: 1 created, 0 recycled, 1 changed; verbs: 2 added, 0 removed, 0 "
        "changed; properties: 0 added, 0 removed, 1 changed",
    ]


def test_json_has_all_of_it(shown: Shown) -> None:
    world = furnished()
    world.set_name(ROOM, "Hall")
    status, lines = shown(dumped(furnished()), dumped(world), as_json=True)
    report = json.loads("\n".join(lines))
    assert (status, report["same"]) == (FINDINGS, False)
    [found] = report["objects"]
    assert (found["objid"], found["kind"]) == ("#2", "changed")
    assert found["changes"] == [
        {"what": "name", "old": '"The First Room"', "new": '"Hall"'}
    ]


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PymooError, match="cannot be read"):
        diff_databases(str(tmp_path / "a.db"), str(DATA / "Minimal.db"))


# --- whatever is changed is found ----------------------------------------------

CHANGES: list[Callable[[World], object]] = [
    lambda world: world.set_name(ROOM, "other"),
    lambda world: world.set_owner(SYSTEM, ROOT),
    lambda world: world.set_flag(ROOT, FLAG_FERTILE, True),
    lambda world: world.change_location(ROOM, Obj(5)),
    lambda world: world.change_parent(ROOM, ROOT),
    lambda world: world.change_parent(Obj(5), NOTHING),
    lambda world: world.create(WIZARD, ROOM),
    lambda world: world.recycle(world.create(WIZARD, ROOT)),
    lambda world: add_verb(world, ROOM, "l*ook"),
    lambda world: world.set_verb_code(ROOM, world[ROOM].verbs[0], ""),
    lambda world: world.set_verb_args(ROOM, world[ROOM].verbs[0], 1, 3, 0),
    lambda world: world.set_verb_owner(ROOM, world[ROOM].verbs[1], ROOM),
    lambda world: world.set_verb_names(ROOM, world[ROOM].verbs[1], "say"),
    lambda world: world.add_property(ROOT, "more", 1, WIZARD, 1),
    lambda world: world.add_property(Obj(5), "own", 1, WIZARD, 1),
    lambda world: set_value(world, SYSTEM, "description", "system"),
    lambda world: world.rename_property(ROOM, "exits", "ways"),
    lambda world: world.set_flag(ROOM, FLAG_PLAYER, True),
]


@given(
    st.lists(st.sampled_from(range(len(CHANGES))), max_size=4),
    st.lists(st.sampled_from(range(len(CHANGES))), max_size=4),
)
def test_there_is_a_difference_exactly_where_the_textdumps_differ(
    first: list[int], second: list[int]
) -> None:
    worlds = furnished(), furnished()
    for world, numbers in zip(worlds, (first, second), strict=True):
        for number in numbers:
            CHANGES[number](world)
    old, new = (dumped(world) for world in worlds)
    found = [
        *object_changes(
            loaded(old),
            loaded(new),
            Listing(lambda text, version: parse_program(text, functions=FUNCTIONS)),
        ),
        *task_changes(loaded(old), loaded(new)),
        *rest_changes(loaded(old), loaded(new)),
    ]
    assert bool(found) == (old != new)


def test_a_clear_property_is_not_a_copy_of_its_parents_value(shown: Shown) -> None:
    def change(world: World) -> None:
        record, slot = world.find_property(ROOM, "description")  # type: ignore[misc]
        world.set_property_value(record, slot, CLEAR)

    assert text_of(change, shown)[1:] == [
        '-property description: value "A room."',
        "+property description: value clear",
    ]
