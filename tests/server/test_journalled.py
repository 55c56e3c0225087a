"""What a database and its journal lead to, whatever has been done in the world."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest

from pymoo.errors import MooError
from pymoo.server.durability import Durability
from pymoo.tasks.task import SuspendedTask
from pymoo.values import E_PERM
from tests.server.failing_disk import Played, state_of
from tests.server.journalled import check_journal
from tests.server.test_transactions import CHANGES, changeable, prepare
from tests.server.test_transcripts import FOLDER, Player, _differences, _tools
from tests.shared_material import needs_shared

ENDS_THE_SERVER = "the end of the server"


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_slice_has_changed_is_in_the_journal(tmp_path: Path, name: str) -> None:
    moo = changeable(tmp_path, durability=Durability.BATCH)
    prepare(moo)
    check_journal(moo.server, moo.input)
    for ending in ("rollback();", "1/0;", "while (1) endwhile"):
        policy = 'task_policy("rollback", "rollback");'
        moo.type(moo.wizard, f";{policy} {CHANGES[name]} {ending}")
        check_journal(moo.server, moo.input)
    if name != ENDS_THE_SERVER:
        moo.type(moo.wizard, f";{CHANGES[name]}")
        check_journal(moo.server, moo.input)


def test_all_that_can_be_changed_one_after_the_other(tmp_path: Path) -> None:
    moo = changeable(tmp_path, durability=Durability.BATCH)
    prepare(moo)
    for name, code in CHANGES.items():
        if name != ENDS_THE_SERVER:
            moo.type(moo.wizard, f";{code}")
    check_journal(moo.server, moo.input)
    moo.process.advance(200)
    check_journal(moo.server, moo.input)


@needs_shared
@pytest.mark.parametrize("name", ["lc-build", "lc-tasks", "lc-mail", "lc-objects"])
def test_recorded_sessions_with_a_journal(name: str, tmp_path: Path) -> None:
    """The players see what they saw without one; and it leads to the same world."""
    tools = _tools()
    path = FOLDER / f"{name}.scn"
    scenario = tools.Scenario(str(path))
    recording = tools.load_recording(tools.rec_path(str(path)))

    class JournalledPlayer(Player):
        durability = Durability.BATCH

    player = JournalledPlayer(tools, scenario, tmp_path)
    recorded = iter(recording["steps"])
    differences: list[str] = []
    for step in scenario.steps:
        if step.get("config"):
            continue
        player.step(step)
        if not step["nowait"]:
            expected = next(recorded)
            lines = expected["lines"]
            differences += _differences(tools, scenario, step, lines, player.take())
    assert not differences, "\n".join(differences)
    server = player.server.server
    deadline = time.monotonic() + 60
    while server.dumps.is_writing:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        player.server.run()
    base = player.output if player.output.exists() else player.input
    check_journal(server, base)


# --- tasks of all kinds ------------------------------------------------------------

NOTE = "#0.seen = {@#0.seen, {task_id(), args}}; return args;"

WORK = "suspend(20); #0.seen = {@#0.seen, {task_id(), args}}; return args;"

FAIL = "suspend(25); return 1 / 0;"

TASKS = {
    "forked": 'fork (30) #0:note("forked", {1.5, E_PERM, #1, "x"}); endfork',
    "forked, with variables": "x = {1, 2}; fork t (30) #0:note(x, t); endfork",
    "suspended": 'fork (0) suspend(40); #0:note("suspended"); endfork',
    "for ever": "fork (0) #0:note(suspend()); endfork suspend(1);",
    "in a loop": (
        'fork (0) for x in ({1, 2, 3}) suspend(10); #0:note("loop", x); endfor endfork'
    ),
    "in a try": (
        "fork (0) try try suspend(10); x = 1 / 0; except e (E_DIV) #0:note(e[2]); "
        'endtry finally #0:note("finally"); endtry endfork'
    ),
    "within calls": 'fork (0) #0:note(#0:work("within")); endfork',
    "in eval()": 'fork (0) #0:note(eval("suspend(15); return 5;")); endfork',
    "that reads": "fork (0) #0:note(`read(#3) ! ANY'); endfork",
    "that waits for mail": "fork (0) #0:note(task_recv(60)); endfork",
    "with mail": (
        "fork t (0) suspend(20); #0:note(task_recv(0)); endfork suspend(1); "
        'task_send(t, {"mail", 1});'
    ),
    "that waits for a task": (
        'fork t (0) suspend(35); return "waited for"; endfork '
        "fork (0) #0:note(`wait_task(t) ! ANY'); endfork"
    ),
    "with policies": (
        'fork (0) task_policy("rollback", "rollback"); suspend(10); #0.mark = 99; '
        "1/0; endfork"
    ),
    "with a sequel": (
        'invoke(#0, "work", {1}, {{"callback", {#0, "note"}}, '
        '{"errback", {#0, "note"}}}); invoke(#0, "fail", {2}, '
        '{{"callback", {#0, "note"}}, {"errback", {#0, "note"}}}); suspend(1);'
    ),
    "on a schedule": (
        'invoke(#0, "note", {"once"}, {{"delay", 33}}); '
        'invoke(#0, "note", {"often"}, {{"delay", 10}, {"periodic", 1}}); '
        'invoke(#0, "note", {"cron"}, {{"cron", "* * * * *"}});'
    ),
    "resumed": ("fork t (0) #0:note(suspend()); endfork suspend(1); resume(t, {5});"),
    "killed": "fork t (50) endfork fork (60) endfork kill_task(t);",
    "that goes on": (
        'fork (0) suspend(1); suspend(2); suspend(30); #0:note("on"); endfork '
        "suspend(5);"
    ),
}


SILENT = ("for ever", "that reads", "resumed", "killed", "with policies")
"""Of these nothing is seen later: they wait on, or are done with."""


def with_verbs(folder: Path) -> Played:
    played = Played(folder)
    for name, code in (("note", NOTE), ("work", WORK), ("fail", FAIL)):
        played.type(
            f'add_verb(#0, {{#3, "rxd", "{name}"}}, {{"this", "none", "this"}}); '
            f'set_verb_code(#0, "{name}", {{"{code}"}});'.replace('""', '""')
        )
    return played


def what_follows(folder: Path) -> tuple[list[str], str]:
    """Start again, let time pass; return what is logged and what verbs have noted."""
    again = Played(folder, is_new=False)
    rows = again.type("return {queued_tasks(), scheduled_tasks()};")[-1]
    again.process.advance(300)
    seen = again.type("return {#0.seen, #0.mark, queued_tasks()};")[-1]
    return [rows, seen, *again.hear()], str(state_of(again.server._state())[1:])


@pytest.mark.parametrize(
    "name", [*TASKS, "all of them", "to which an error is to come"]
)
def test_after_a_crash_tasks_are_as_after_a_restart(tmp_path: Path, name: str) -> None:
    played = with_verbs(tmp_path / "crash")
    codes = [TASKS[name]] if name in TASKS else [*TASKS.values()]
    for code in codes:
        played.type(code)
        played.process.advance(6 if name in TASKS else 1)
    if name not in TASKS:
        task = next(
            task
            for task in played.server.tasks.background_tasks()
            if isinstance(task, SuspendedTask)
        )
        # Before anything runs again, what it is given is there.
        assert played.server.tasks.deliver(task, MooError(E_PERM, "Told", (1,)))
    played.journal.commit()
    played.check()
    other = tmp_path / "restart"
    shutil.copytree(played.folder, tmp_path / "kept")
    check_journal(played.server, played.folder / "in.db")
    shutil.copytree(played.folder, other)
    shutil.rmtree(other / "out.db.journal")
    played.process.shut_down()
    (other / "out.db").write_bytes(played.output.read_bytes())
    crashed, restarted = what_follows(tmp_path / "kept"), what_follows(other)
    assert crashed == restarted
    if name not in SILENT:
        assert re.search(r", \{\d+, \{.*\}, 0, ", crashed[0][1])
