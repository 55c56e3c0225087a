"""A database file and records behind it make the world as it was last."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pymoo.db.journal_file import Beginning, Chain, Segment, chain_after, fingerprint
from pymoo.db.journal_values import ValueWriter
from pymoo.db.recovery import Recovery, recover
from pymoo.db.redo import JournalError
from pymoo.db.saved import (
    UNSET,
    CatchMark,
    FinallyMark,
    SavedActivation,
    SavedBuiltin,
    SavedConnection,
    SavedForkedTask,
    SavedFrame,
    SavedSuspendedTask,
    SavedTask,
)
from pymoo.db.saved_values import task_from_value, task_to_value
from pymoo.db.textdump import Textdump, dump
from pymoo.values import Obj
from tests.db.worlds import ROOM, ROOT, SYSTEM, WIZARD, dumped, loaded, minimal
from tests.strategies import values

FRAME = SavedFrame(ROOM, WIZARD, WIZARD, ROOT, 8, "look", "l*ook")


def forked(task_id: int, start_time: int = 100) -> SavedForkedTask:
    variables = (("x", 1), ("y", UNSET))
    return SavedForkedTask(3, start_time, task_id, FRAME, variables, "return 1;\n")


def suspended(task_id: int, start_time: int = 100) -> SavedSuspendedTask:
    builtin = SavedBuiltin("call_function", (), SavedBuiltin("move", (ROOM, SYSTEM)))
    acts = (
        SavedActivation(4, "suspend();\n", (), (CatchMark(2), UNSET, "x"), FRAME, 3, 2),
        SavedActivation(4, "", (), (FinallyMark(9),), FRAME, 1, 0, 5, 1, builtin),
    )
    return SavedSuspendedTask(start_time, task_id, ("v",), acts, 2, 40)


def entry(serial: int, task: SavedTask, **extras: Any) -> tuple[Any, ...]:
    names = ("policies", "errors", "waits", "sequels")
    rows = [extras.get(name, ()) for name in names]
    return ("task", serial, task_to_value(task), *rows)


def database(*tasks: SavedTask, **extras: Any) -> Textdump:
    """Return what a file holds: a small world, with tasks and extras."""
    stream = io.BytesIO()
    dump(minimal(), stream, tasks=tasks, extras=extras)
    return loaded(stream.getvalue())


def after(textdump: Textdump, *records: tuple[Any, Any]) -> Textdump:
    recovery = Recovery(textdump)
    for record in records:
        recovery.apply(record)
    assert recovery.records == len(records)
    return recovery.result()


def ids(textdump: Textdump) -> list[int]:
    return [task.task_id for task in textdump.tasks]


@pytest.mark.parametrize("task", [forked(5), suspended(6)])
def test_a_task_comes_back_as_it_was(task: SavedTask) -> None:
    again = task_from_value(task_to_value(task))
    assert dumped(minimal(), [again]) == dumped(minimal(), [task])
    assert task_to_value(again) == task_to_value(task)


def test_without_records_it_is_what_the_file_has() -> None:
    textdump = database(forked(5), suspended(6), policies=((5, "rollback", "keep"),))
    before = dumped(textdump.world, textdump.tasks, textdump.connections)
    result = after(textdump)
    assert dumped(result.world, result.tasks, result.connections) == before
    assert result.extras == {"policies": ((5, "rollback", "keep"),)}


def test_the_tasks_of_a_file_are_gone_after_a_reset() -> None:
    result = after(database(forked(5), suspended(6), x=1), ((), (("reset",),)))
    assert result.tasks == []
    assert result.extras == {}


def test_tasks_come_change_and_go() -> None:
    reset: tuple[Any, ...] = (
        (),
        (("reset",), entry(1, forked(5)), entry(2, forked(6))),
    )
    changed = ((), (entry(1, suspended(5)), ("gone", 2), entry(3, forked(7))))
    result = after(database(), reset, changed)
    assert ids(result) == [7, 5]  # forked ones first


def test_tasks_are_in_the_order_of_their_times_and_then_as_they_came() -> None:
    tasks = [forked(5, 300), forked(6, 100), suspended(7, 200), suspended(8, 200)]
    entries = [entry(n, task) for n, task in enumerate(tasks, 1)]
    again = entry(3, suspended(7, 200))
    result = after(database(), ((), (("reset",), *entries)), ((), (again,)))
    assert ids(result) == [6, 5, 8, 7]


def test_the_tasks_of_a_file_get_their_numbers_with_what_belongs_to_them() -> None:
    textdump = database(
        forked(5),
        suspended(6),
        policies=((6, "rollback", "keep"),),
        errors=((5, 1),),
        schedule=(7.0, ("scheduled",), ((6, "follows"),)),
        unknown="kept",
    )
    order = ((), (("order", (4, 9)), ("gone", 4)))
    result = after(textdump, order)
    assert ids(result) == [6]
    assert result.extras == {
        "policies": ((6, "rollback", "keep"),),
        "schedule": (7.0, ("scheduled",), ((6, "follows"),)),
        "unknown": "kept",
    }


def test_the_tasks_of_a_file_and_their_numbers_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="1 tasks are in the file, not 2"):
        after(database(forked(5)), ((), (("order", (1, 2)),)))


def test_extras_are_set_and_removed() -> None:
    textdump = database(mail=((5, (1,)),), other=1)
    order: tuple[Any, Any] = ((), (("order", ()), ("extra", "mail", ())))
    more: tuple[Any, Any] = ((), (("extra", "new", 7),))
    assert after(textdump, order, more).extras == {"other": 1, "new": 7}


def test_connections_come_and_go_the_last_one_is_the_first_of_a_dump() -> None:
    all_of_them = ("connections", ((2, WIZARD, SYSTEM), (1, Obj(-4), ROOM)))
    entries: list[tuple[Any, ...]] = [all_of_them]

    def found() -> list[tuple[int, int]]:
        textdump = after(database(), ((), tuple(entries)))
        return [(each.player, each.listener) for each in textdump.connections]

    assert found() == [(WIZARD, SYSTEM), (-4, ROOM)]
    entries.append(("connection", 5, Obj(-9), ROOM))
    assert found() == [(-9, ROOM), (WIZARD, SYSTEM), (-4, ROOM)]
    entries.append(("connection", 1, Obj(5), ROOM))  # it has logged in
    assert found() == [(-9, ROOM), (WIZARD, SYSTEM), (5, ROOM)]
    entries.append(("disconnection", 2))
    assert found() == [(-9, ROOM), (5, ROOM)]
    entries.append(all_of_them)
    assert found() == [(WIZARD, SYSTEM), (-4, ROOM)]
    entries.append(("connections", ()))
    assert found() == []


def test_where_no_entry_says_who_was_connected_the_file_does() -> None:
    textdump = database()
    textdump.connections = [SavedConnection(WIZARD, SYSTEM)]
    assert after(textdump, set_name("a")).connections == [
        SavedConnection(WIZARD, SYSTEM)
    ]


def test_a_mark_says_in_which_order_a_textdump_has_them() -> None:
    tasks = (entry(1, forked(5, 100)), entry(2, forked(6, 50)))
    extras = (("policies", ((6, "keep", "keep"),)), ("x", 1))
    mark = ("mark", (1, 2), extras, ((WIZARD, SYSTEM),), 4, 1)
    reset: tuple[Any, Any] = ((), (("reset",), *tasks))
    at_mark = after(database(), reset, ((), (mark,)))
    assert ids(at_mark) == [5, 6]
    assert at_mark.extras == dict(extras)
    assert at_mark.connections == [SavedConnection(WIZARD, SYSTEM)]
    # The segment after it begins with the same order.
    behind = ((), (("order", (1, 2)), ("gone", 1)))
    assert ids(after(database(), reset, ((), (mark,)), behind)) == [6]
    with pytest.raises(ValueError, match="are others"):
        after(database(), reset, ((), (mark,)), ((), (("order", (2, 1)),)))


@pytest.mark.parametrize("counts", [(5, 1), (4, 2)])
def test_a_mark_of_another_world_is_told(counts: tuple[int, int]) -> None:
    mark = ("mark", (), (), (), *counts)
    with pytest.raises(JournalError, match="the journal leads to 4 objects and 1 play"):
        after(database(), ((), (("reset",), mark)))


# --- from the disk ---------------------------------------------------------------


def segment(folder: Path, number: int, records: list[Any], **options: str) -> None:
    first = Beginning(
        f"id{number}", options.get("after", ""), options.get("base", ""), "pymoo", 64
    )
    written = Segment(str(folder), number, first)
    writer = ValueWriter()
    for record in records:
        written.append(record if type(record) is bytes else writer.to_bytes(record))
    written.close()


def set_name(name: str) -> Any:
    return ((("set_name", ROOM, name),), ())


def journal(folder: Path, *segments: list[Any]) -> Chain:
    """Write segments that follow a file, and return them."""
    path = folder / "world.db"
    path.write_bytes(dumped(minimal()))
    base = fingerprint(str(path))
    for number, records in enumerate(segments, 1):
        before = {"base": str(base)} if number == 1 else {"after": f"id{number - 1}"}
        segment(folder, number, records, **before)
    chain = chain_after(str(folder), base)
    assert chain is not None
    return chain


def test_segments_are_applied_one_after_the_other(tmp_path: Path) -> None:
    chain = journal(tmp_path, [set_name("a")], [], [set_name("b"), set_name("c")])
    recovery, damage = recover(database(), str(tmp_path), chain)
    assert (recovery.records, damage) == (3, None)
    assert recovery.result().world[ROOM].name == "c"
    recovery, _ = recover(database(), str(tmp_path), chain, end_at=2)
    assert recovery.result().world[ROOM].name == "a"


def cut(path: Path, count: int = 3) -> None:
    path.write_bytes(path.read_bytes()[:-count])


def test_an_unfinished_record_ends_the_last_segment_and_no_other(
    tmp_path: Path,
) -> None:
    chain = journal(tmp_path, [set_name("a"), set_name("b")], [set_name("c")])
    cut(tmp_path / "00000002.segment")
    recovery, damage = recover(database(), str(tmp_path), chain)
    assert damage is not None
    assert damage.is_unfinished
    assert recovery.result().world[ROOM].name == "b"
    cut(tmp_path / "00000001.segment")
    with pytest.raises(JournalError, match=r"00000001.segment: byte \d+"):
        recover(database(), str(tmp_path), chain)
    recovery, damage = recover(database(), str(tmp_path), chain, stops_at_damage=True)
    assert damage is not None
    assert damage.path.endswith("00000001.segment")
    assert recovery.result().world[ROOM].name == "a"


@pytest.mark.parametrize(
    "wrong",
    [
        b"?",
        b"",
        5,
        (),
        ((("set_name", Obj(77), "x"),), ()),
        ((), (5,)),
        ((), (("unknown",),)),
        ((), (("gone", 5),)),
        ((), (("task", 1, ("neither",), (), (), (), ()),)),
        ((), (("mark",),)),
    ],
)
def test_a_record_that_cannot_be_done_is_told_with_its_place(
    tmp_path: Path, wrong: Any
) -> None:
    chain = journal(tmp_path, [set_name("a"), wrong, set_name("b")])
    place = r"00000001.segment: byte \d+ of \d+: .*pymoo db recover"
    with pytest.raises(JournalError, match=place):
        recover(database(), str(tmp_path), chain)
    recovery, damage = recover(database(), str(tmp_path), chain, stops_at_damage=True)
    assert damage is not None
    assert not damage.is_unfinished
    assert recovery.records == 1
    assert recovery.result().world[ROOM].name == "a"


KINDS = [
    *("reset", "order", "task", "gone", "extra"),
    *("connections", "connection", "disconnection", "mark", "other"),
]
TASK = task_to_value(suspended(5))
parts = st.one_of(
    values(max_leaves=4),
    st.integers(-1, 3),
    st.sampled_from(["schedule", "policies", "mail"]),
    st.just(()),
    st.just((0.0, (), ())),
    st.just(TASK),
    st.tuples(st.integers(0, len(TASK) - 1), values(max_leaves=2)).map(
        lambda change: (*TASK[: change[0]], change[1], *TASK[change[0] + 1 :])
    ),
)
entries = st.lists(
    st.tuples(st.sampled_from(KINDS), st.lists(parts, max_size=6)).map(
        lambda each: (each[0], *each[1])
    ),
    max_size=5,
).map(tuple)


@given(
    st.lists(st.tuples(st.just(()), entries) | values(max_leaves=6), max_size=5),
    st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_records_are_applied_or_a_journal_error(
    tmp_path: Path, records: list[Any], has_reset: bool
) -> None:
    for path in tmp_path.iterdir():
        path.unlink()
    first: list[Any] = [((), (("reset",),))] if has_reset else []
    chain = journal(tmp_path, first + records)
    try:
        recovery, _ = recover(database(forked(5)), str(tmp_path), chain)
        recovery.result()
    except JournalError:
        return
