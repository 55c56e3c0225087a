"""Damaged textdumps: what is saved of each kind of damage, and what is said.

The file that is damaged is `good.db`: eight objects, of which #6 is recycled; #5 is a
child of #4, which has a verb and two properties.
"""

from __future__ import annotations

import io

import pytest

from pymoo.db.salvage import Salvage, salvage
from pymoo.db.textdump import dump
from pymoo.errors import TextdumpError
from pymoo.values import Obj
from tests.db.damaged import GOOD
from tests.db.worlds import (
    ROOM,
    ROOT,
    WIZARD,
    Checker,
    add_verb,
    dumped,
    loaded,
    minimal,
    set_value,
)

LINES = GOOD.split(b"\n")


def saved(data: bytes) -> Salvage:
    result = salvage(data, "x.db", Checker())
    assert [*result.textdump.world.check(owners=False)] == []
    return result


def dumped_as_saved(result: Salvage) -> bytes:
    stream = io.BytesIO()
    textdump = result.textdump
    dump(
        textdump.world,
        stream,
        tasks=textdump.tasks,
        connections=textdump.connections,
        extras=textdump.extras,
    )
    return stream.getvalue()


def line_of(text: bytes, start: int = 0) -> int:
    return LINES.index(text, start)


def without(*places: int) -> bytes:
    return b"\n".join(line for at, line in enumerate(LINES) if at not in places)


def doubled(place: int) -> bytes:
    return b"\n".join([*LINES[: place + 1], LINES[place], *LINES[place + 1 :]])


def changed(place: int, text: bytes) -> bytes:
    return b"\n".join([*LINES[:place], text, *LINES[place + 1 :]])


FOUR = line_of(b"#4")
VERBS_OF_FOUR = FOUR + 11


def test_what_is_sound_comes_back_byte_for_byte() -> None:
    result = saved(GOOD)
    assert (result.mended, result.lost) == ([], [])
    assert dumped_as_saved(result) == GOOD


def test_layout_of_the_file_is_as_these_tests_take_it() -> None:
    assert LINES[FOUR + 1 : FOUR + 4] == [b"thing", b"", b"128"]
    assert LINES[VERBS_OF_FOUR : VERBS_OF_FOUR + 5] == [
        b"1",
        b"foo b*ar",
        *LINES[VERBS_OF_FOUR + 2 : VERBS_OF_FOUR + 5],
    ]


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (
            doubled(line_of(b"#4:0")),
            "program #4:0: line 177 is there twice",
        ),
        (
            doubled(VERBS_OF_FOUR + 2),
            f"object #4: line {VERBS_OF_FOUR + 4} is there twice: now once",
        ),
        (
            doubled(VERBS_OF_FOUR + 1),
            f"object #4: line {VERBS_OF_FOUR + 3} is there twice: now once",
        ),
        (
            changed(VERBS_OF_FOUR, b"2"),
            "object #4: the number of its verbs was 2: now 1",
        ),
        (
            changed(VERBS_OF_FOUR, b"0"),
            "object #4: the number of its verbs was 0: now 1",
        ),
        (changed(FOUR, b"#7"), "object #4: says that it is #7"),
        (changed(1, b"80"), "the header: the number of objects was 80: now 8"),
        (
            changed(1, b"x"),
            "the header: the number of objects could not be read: now 8",
        ),
        (changed(2, b"7"), "the header: the number of programs was 7: now 2"),
        (changed(4, b"3"), "the header: the number of players was 3: now 1"),
        (
            b"\n".join(LINES[1:]),
            "the header: is lost: read as format 4",
        ),
        (
            changed(0, LINES[0].replace(b"4", b"0")),
            "the header: says format 0: read as 4",
        ),
    ],
)
def test_what_can_be_told_to_be_wrong_is_made_right(data: bytes, note: str) -> None:
    result = saved(data)
    assert (result.mended, result.lost) == ([note], [])
    assert dumped_as_saved(result) == GOOD


def test_an_object_that_is_there_twice_is_taken_once() -> None:
    three = line_of(b"#3")
    result = saved(b"\n".join([*LINES[:FOUR], *LINES[three:FOUR], *LINES[FOUR:]]))
    assert result.mended == [
        f"line {FOUR + 1}: object #3 is here a second time: left out"
    ]
    assert dumped_as_saved(result) == GOOD


@pytest.mark.parametrize(
    ("place", "what", "new"),
    [(4, "preposition", "-1"), (1, "names", "lost_verb_1")],
)
def test_a_line_of_a_verb_that_is_missing_is_put_in(
    place: int, what: str, new: str
) -> None:
    result = saved(without(VERBS_OF_FOUR + place))
    assert result.mended[0].startswith("object #4: the line with the ")
    assert result.mended[0].endswith(f"of verb 1 was missing: now {new}")
    assert what in result.mended[0]
    assert result.lost == []
    [verb] = result.textdump.world[Obj(4)].verbs
    assert verb.code is not None


def furnished() -> bytes:
    world = minimal()
    for number in range(4):
        world.add_property(ROOT, f"p{number}", number, WIZARD, 1)
    for number in range(4):
        set_value(world, ROOM, f"p{number}", (number, "text", (Obj(number),)))
    add_verb(world, ROOM, "look", code="return 1;\n")
    return dumped(world)


def test_permissions_that_are_missing_are_none() -> None:
    data = furnished()
    at = data.index(b"\nlook\n3\n") + len(b"\nlook\n3\n")
    result = saved(data[:at] + data[data.index(b"\n", at) + 1 :])
    assert result.mended == [
        "object #2: the line with the permissions of verb 1 was missing: now 0"
    ]
    [verb] = result.textdump.world[ROOM].verbs
    assert (verb.names, verb.owner, verb.perms, verb.prep) == ("look", WIZARD, 0, -1)


def test_a_value_that_is_damaged_is_lost_alone() -> None:
    data = furnished()
    start = data.index(b"#2\n")
    at = data.index(b"text", data.index(b"text", start) + 1)
    result = saved(data[: at - 2] + b"77\n" + data[at:])
    [line] = result.lost
    assert line.startswith("object #2: the value of p1 (line ")
    room = result.textdump.world[ROOM]
    sound = loaded(data).world[ROOM]
    assert [room.values[slot] for slot in (0, 2, 3)] == [
        sound.values[slot] for slot in (0, 2, 3)
    ]
    assert room.verbs[0].code == "return 1;\n"


def test_two_damages_of_one_object_are_mended_together() -> None:
    data = furnished().replace(b"\nlook\n", b"\nlook\nlook\n")
    start = data.index(b"#2\n")
    at = data.index(b"text", start)
    result = saved(data[: at - 2] + b"77\n" + data[at:])
    assert len(result.mended) == 1
    assert "is there twice" in result.mended[0]
    assert len(result.lost) == 1
    assert result.textdump.world[ROOM].verbs[0].names == "look"


def test_a_file_cut_within_an_object_keeps_what_stands_before() -> None:
    data = furnished()
    at = data.index(b"text", data.index(b"#2\n"))
    result = saved(data[:at])
    assert result.lost == [
        "object #3",
        result.lost[1],
        "the programs of all verbs from here on: #2:look",
        "tasks and connections",
    ]
    assert result.lost[1].startswith(
        "object #2 (The First Room): 4 of 4 property values (line "
    )
    assert result.mended == [
        "object #2: 4 of its 4 properties had no value: now clear: p0, p1, p2, p3"
    ]
    world = result.textdump.world
    assert world.max_object == 3
    assert not world.valid(WIZARD)


def test_a_file_cut_behind_the_number_of_an_object_has_lost_that() -> None:
    result = saved(GOOD[: GOOD.index(b"#4\n") + 2])
    assert result.textdump.world.max_object == 7
    assert result.lost[0] == "objects #4 to #7"


def test_programs_stay_though_their_verbs_are_lost() -> None:
    result = saved(changed(VERBS_OF_FOUR, b"-5"))
    world = result.textdump.world
    [verb] = world[Obj(4)].verbs
    assert (verb.names, verb.perms) == ("lost_verb_1", 0)
    assert verb.code == loaded(GOOD).world[Obj(4)].verbs[0].code
    # What its child has inherited stays where it was.
    assert world[Obj(5)].values == loaded(GOOD).world[Obj(5)].values
    assert world[Obj(4)].propdefs == ("lost_property_1", "lost_property_2")


def test_a_program_without_its_dot_ends_where_the_next_begins() -> None:
    dot = line_of(b".", line_of(b"#0:0"))
    assert LINES[dot + 1].startswith(b"#")
    result = saved(without(dot))
    assert result.mended == ["program #0:0: no line with a dot ends it: now one"]
    assert dumped_as_saved(result) == GOOD


def test_a_line_that_is_no_program_is_lost_up_to_the_next() -> None:
    header = line_of(b"#4:0")
    result = saved(changed(header, b"#4x0"))
    assert result.lost[0].startswith(f"lines {header + 1} to ")
    assert result.textdump.world[Obj(4)].verbs[0].code is None


@pytest.mark.parametrize("text", [b"#55:0", b"#4:7"])
def test_a_program_of_what_is_not_there_is_lost(text: bytes) -> None:
    result = saved(changed(line_of(b"#4:0"), text))
    assert len(result.lost) == 1
    assert result.lost[0].startswith(f"program {text.decode()}: ")


def test_tasks_before_a_damaged_one_are_kept() -> None:
    result = saved(changed(line_of(b"1 suspended tasks") + 1, b"what"))
    assert len(result.textdump.tasks) == 1
    assert result.lost[0].startswith("the tasks behind the first 1: x.db:")
    assert result.textdump.connections == loaded(GOOD).connections


def test_suspended_tasks_behind_a_damaged_forked_one_are_kept() -> None:
    result = saved(changed(line_of(b"1 queued tasks") + 1, b"what"))
    assert [task.task_id for task in result.textdump.tasks] == [
        loaded(GOOD).tasks[1].task_id
    ]
    assert result.lost[0].endswith("; but 1 suspended ones are kept")


def test_the_tasks_do_without_their_first_line() -> None:
    result = saved(without(line_of(b"0 clocks")))
    assert result.mended == [
        "the tasks: they begin without '0 clocks': now with it",
    ]
    assert dumped_as_saved(result) == GOOD


def test_what_pymoo_adds_survives_damaged_connections() -> None:
    stream = io.BytesIO()
    textdump = loaded(GOOD)
    dump(textdump.world, stream, tasks=textdump.tasks, extras={"mail": (1, "x")})
    data = stream.getvalue().replace(
        b"0 active connections with", b"9 active connections with"
    )
    result = saved(data)
    assert result.lost[0].startswith("the connections: ")
    assert result.textdump.extras == {"mail": (1, "x")}


def test_the_end_of_a_file_is_enough() -> None:
    """Programs and tasks without most objects, and objects without a header."""
    result = saved(GOOD[GOOD.index(b"#6 recycled") :])
    world = result.textdump.world
    assert [record.id for record in world.objects()] == [1, 7]
    assert world[Obj(7)].name == loaded(GOOD).world[Obj(7)].name
    assert world[Obj(1)].name == "lost object #1"
    assert result.lost[0] == "objects #0 to #5"
    assert len(result.textdump.tasks) == 2


@pytest.mark.parametrize("data", [b"", b"hello", GOOD[:40], b"#0", b"\xff" * 1000])
def test_where_there_is_no_object_there_is_nothing_to_be_saved(data: bytes) -> None:
    with pytest.raises(TextdumpError, match="there is nothing to be saved"):
        salvage(data, "x.db", Checker())


def test_an_absurd_number_of_objects_is_not_believed() -> None:
    cut = GOOD[: GOOD.index(b"#5\n")].replace(b"\n8\n", b"\n2000000000\n", 1)
    assert saved(cut).textdump.world.max_object == 4
