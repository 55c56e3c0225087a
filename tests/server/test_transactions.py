"""A slice is a transaction: what it did stays, or none of it has happened.

Rows M-25, M-26 and M-30 to M-33 of what pymoo's tasks promise, and D-07.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from pymoo.db.textdump import dump
from pymoo.lang.dialect import PYMOO
from pymoo.server.memory_network import Client
from pymoo.server.telnet import CLIENT_ECHOES, CLIENT_IS_SILENT
from tests.server.online import Online


@pytest.fixture
def moo(tmp_path: Path) -> Online:
    return changeable(tmp_path)


def changeable(folder: Path, **options: Any) -> Online:
    """The small world in pymoo's own dialect, with things that can be changed."""
    online = Online(folder, dialect=PYMOO, **options)
    online.do(
        "for i in [1..4] x = create(#1); x.name = tostr(i); move(x, #2); endfor "
        'add_property(#7, "p", 1, {#3, "rc"}); x = create(#7); x = create(x);'
        'add_verb(#7, {#3, "rxd", "v"}, {"this", "none", "this"});'
        'set_verb_code(#7, "v", {"return 1;"}); x:v();'
    )
    return online


def state(moo: Online) -> tuple[Any, ...]:
    """Everything that a slice could have changed."""
    server = moo.server
    stream = io.BytesIO()
    dump(server.engine.world, stream)
    asleep = [
        (task.task_id, task.start_time, task.value if hasattr(task, "value") else None)
        for task in server.tasks.background_tasks()
    ]
    connections = [
        (
            connection.player,
            connection.is_booted,
            connection.is_binary,
            connection.client_echo,
            connection.queue.options(),
            [line.text for line in connection.queue.in_band],
            connection.queue.input_length,
            connection.queue.reader is None,
            connection.queue.background_count,
        )
        for connection in server.connections._connections
    ]
    return (
        stream.getvalue(),
        asleep,
        sorted(moo.server.tasks._numbers._things),
        connections,
        server.connections.listeners(),
        server.is_stopping,
        server.engine._loaded_options(),
        server.engine.world.max_object,
    )


# Each leaves its mark in `state`, or in what players or the log are told.
CHANGES = {
    "a property": '#7.p = 2; #9.p = 3; clear_property(#9, "p");',
    "names and flags": '#7.name = "x"; #7.r = 1; #7.owner = #4; #4.wizard = 1;',
    "players": "set_player_flag(#7, 1); set_player_flag(#4, 0);",
    "objects": "x = create(#7); move(x, #2); x = create(x); #11.p = 9; recycle(#8);",
    "a recycled parent": "recycle(#7); reset_max_object();",
    "numbers": "recycle(#8); renumber(#12); reset_max_object();",
    "places": "move(#7, #-1); move(#9, #8); move(#7, #2);",
    "parents": "chparent(#11, #1); chparent(#12, #7); chparent(#8, #7);",
    "definitions": (
        'add_property(#1, "q", {1, "x"}, {#3, "rc"}); delete_property(#7, "p");'
        'set_property_info(#1, "q", {#4, "w", "qq"});'
    ),
    "verbs": (
        'set_verb_code(#7, "v", {"return 2;"}); #12:v(); '
        'add_verb(#8, {#3, "rxd", "v"}, {"this", "none", "this"});'
        'set_verb_info(#7, "v", {#4, "r", "w"}); set_verb_args(#7, "w", {"any", '
        '"in front of", "any"}); delete_verb(#7, "w");'
    ),
    "forks": "fork (0) #0.mark = 1; endfork fork t (5) endfork",
    "kills": "for t in (queued_tasks()) kill_task(t[1]); endfor",
    "resumes": (
        "for t in (queued_tasks()) `resume(t[1], 1) ! ANY'; `resume(t[1], 2) ! ANY'; "
        "endfor"
    ),
    "input": (
        'force_input(#4, "a"); force_input(#4, "b", 1); read(#4, 1); flush_input(#4);'
    ),
    "connection options": (
        'set_connection_option(#3, "hold-input", 1);'
        'set_connection_option(#3, "flush-command", "x");'
        'set_connection_option(#3, "intrinsic-commands", 0);'
        'set_connection_option(#3, "disable-oob", 1);'
        'set_connection_option(#3, "binary", 1);'
        'set_connection_option(#3, "client-echo", 0);'
    ),
    "boots": "boot_player(#4); boot_player(#4);",
    "the end of the server": 'shutdown("no"); dump_database();',
    "loaded options": (
        'add_property(#5, "protect_length", 1, {#3, "r"});'
        'add_property(#5, "protect_name", 1, {#3, "r"});'
        'add_property(#5, "max_list_concat", 2000, {#3, "r"});'
        'add_property(#5, "error_policy", "rollback", {#3, "r"});'
        "load_server_options();"
    ),
    "the log": 'server_log("not to be seen");',
    "output": 'notify(#3, "not to be seen"); notify(#4, "not to be seen");',
}


def prepare(moo: Online) -> Client:
    """Let tasks wait in every way, and somebody else be there."""
    other = moo.connect("#4")
    other.take()
    moo.do(
        "fork (100) endfork fork (100) suspend(); endfork fork (100) endfork "
        "fork (0) suspend(); endfork fork (0) suspend(50); endfork"
    )
    moo.do('set_connection_option(#4, "hold-input", 1); force_input(#4, "kept");')
    moo.connect("create").take()
    moo.do("fork (0) suspend(0); read(#13); endfork")
    return other


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("ending", ["rollback();", "1/0;", "while (1) endwhile"])
def test_m31_m32_m33_nothing_of_a_slice_that_is_rolled_back_is_left(
    moo: Online, name: str, ending: str
) -> None:
    other = prepare(moo)
    log, before = list(moo.log), state(moo)
    policy = 'task_policy("rollback", "rollback");'
    moo.type(moo.wizard, f";{policy} {CHANGES[name]} {ending}")
    assert state(moo) == before
    assert list(moo.server.engine.world.check()) == []
    assert not any("not to be seen" in line for line in other.take_lines())
    assert not any("not to be seen" in line for line in moo.wizard.take_lines())
    assert moo.log == log
    # And what is known by heart has been forgotten: it runs as if for the first time.
    assert moo.eval("return {#12:v(), #12.p, verbs(#7), length({1})};") == (
        '{1, 1, {"v"}, 1}'
    )


@pytest.mark.parametrize("name", CHANGES)
def test_m25_what_a_slice_that_ends_well_has_done_stays(moo: Online, name: str) -> None:
    other = prepare(moo)
    before, log = state(moo), list(moo.log)
    moo.type(moo.wizard, f";{CHANGES[name]}")
    shown = moo.wizard.take_lines() + other.take_lines() + moo.log[len(log) :]
    assert state(moo) != before or any("not to be seen" in line for line in shown)


@pytest.mark.parametrize(
    "ending", ["1/0;", "while (1) endwhile", "kill_task(task_id());"]
)
def test_m32_m33_tasks_that_fail_keep_their_changes_unless_told_otherwise(
    moo: Online, ending: str
) -> None:
    moo.type(moo.wizard, f';notify(player, "seen"); #0.mark = 5; {ending}')
    assert moo.wizard.take_lines()[0] == "seen"
    assert moo.eval("return #0.mark;") == "5"


def test_m33_the_traceback_is_printed_and_the_handler_is_a_slice_of_its_own(
    moo: Online,
) -> None:
    moo.do('add_property(#5, "error_policy", "rollback", {#3, "r"});')
    moo.do("load_server_options();")
    moo.type(moo.wizard, ';notify(player, "gone"); #0.mark = 5; 1/0;')
    lines = moo.wizard.take_lines()
    assert lines[0].endswith("Division by zero")
    assert lines[-1] == "(End of traceback)"
    moo.do(
        'add_verb(#0, {#3, "rxd", "handle_uncaught_error"}, {"this", "none", "this"});'
        'set_verb_code(#0, "handle_uncaught_error", {"#0.mark = #0.mark + 1;", '
        '"notify(player, tostr(args[1]));", "return 1;"});'
    )
    moo.type(moo.wizard, ";#0.mark = 5; 1/0;")
    assert moo.wizard.take_lines() == ["Division by zero"]
    assert moo.eval("return #0.mark;") == "1"


def test_m33_an_option_that_is_not_understood_is_told_and_means_keep(
    moo: Online,
) -> None:
    moo.do('add_property(#5, "abort_policy", "undo", {#3, "r"});')
    moo.do("load_server_options();")
    assert any("abort_policy is not understood" in line for line in moo.log)
    assert moo.eval("return task_policy();") == '{"keep", "keep"}'


def test_m33_who_may_choose_a_policy(moo: Online) -> None:
    player = moo.connect("#4")
    player.take()
    assert moo.eval('return task_policy("ROLLBACK");', player) == '{"keep", "keep"}'
    assert moo.eval("return task_policy();", player) == '{"keep", "keep"}'
    both = 'task_policy("rollback"); return task_policy("rollback", "rollback");'
    assert moo.eval(both, player) == '{"rollback", "keep"}'
    loosen = 'task_policy("rollback"); return `task_policy("keep") ! ANY\';'
    assert moo.eval(loosen, player) == "E_PERM"
    assert moo.eval(loosen) == '{"rollback", "keep"}'
    assert moo.eval("return `task_policy(1) ! ANY';") == "E_INVARG"
    assert moo.eval('return `task_policy("x") ! ANY\';') == "E_INVARG"


def test_m33_a_policy_lasts_as_long_as_the_task_through_a_restart(
    moo: Online,
) -> None:
    moo.do('fork (0) task_policy("rollback"); suspend(5); #0.mark = 9; 1/0; endfork')
    moo.process.run()
    kept = moo.server._extras()
    ((_, error, abort),) = kept["policies"]  # type: ignore[misc]
    assert (error, abort) == ("rollback", "keep")
    moo.process.advance(5)
    assert "Division by zero" in moo.wizard.take_lines()[0]
    assert moo.eval("return #0.mark;") == "0"


def test_m26_suspending_commits_but_a_fork_does_not(moo: Online) -> None:
    moo.do("fork (0) #0.mark = 1; suspend(0); #0.mark = 2; rollback(); endfork")
    moo.process.run()
    assert moo.eval("return #0.mark;") == "1"
    moo.type(
        moo.wizard,
        ";#0.mark = 7; fork (0) #0.mark = 8; endfork #0.mark = 9; rollback();",
    )
    moo.process.advance(1)
    assert moo.eval("return {#0.mark, queued_tasks()};") == "{1, {}}"


def test_m30_commit_returns_its_value_and_lets_others_run(moo: Online) -> None:
    moo.type(
        moo.wizard,
        ";fork (0) #0.mark = 1; endfork x = commit({1, 2}); "
        "return {x, #0.mark, ticks_left() < 30000, `commit(E_DIV) ! ANY', commit()};",
    )
    moo.process.run()
    assert moo.wizard.take_lines() == ["{{1, 2}, 1, 1, E_DIV, 0}"]


def test_m30_m31_commit_and_rollback_are_for_wizards(moo: Online) -> None:
    player = moo.connect("#4")
    player.take()
    assert moo.eval("return {`commit() ! ANY', `rollback() ! ANY'};", player) == (
        "{E_PERM, E_PERM}"
    )


def test_m31_rollback_can_keep_the_output(moo: Online) -> None:
    moo.type(moo.wizard, ';notify(#3, "kept"); #0.mark = 1; rollback(1);')
    assert moo.wizard.take_lines() == ["kept"]
    assert moo.eval("return #0.mark;") == "0"


def test_m31_a_client_is_told_again_who_echoes(moo: Online) -> None:
    silence = 'set_connection_option(#3, "client-echo", 0);'
    moo.type(moo.wizard, f";{silence} rollback(1);")
    assert moo.wizard.take() == CLIENT_IS_SILENT + CLIENT_ECHOES
    moo.type(moo.wizard, f";{silence} rollback();")
    assert moo.wizard.take() == b""


def test_m31_rollback_runs_no_finally_part_and_no_handler(moo: Online) -> None:
    moo.type(
        moo.wizard,
        ";try try rollback(); except (ANY) #0.mark = 1; endtry finally #0.mark = 2; "
        'notify(player, "no"); endtry',
    )
    assert moo.wizard.take_lines() == []
    assert moo.eval("return #0.mark;") == "0"


def test_m31_rollback_within_functions_that_call_verbs(moo: Online) -> None:
    moo.do(
        'add_verb(#7, {#3, "rxd", "recycle"}, {"this", "none", "this"});'
        'set_verb_code(#7, "recycle", {"#0.mark = 1;", "rollback();"});'
    )
    before = state(moo)
    moo.type(moo.wizard, ";move(#8, #7); recycle(#7);")
    assert state(moo) == before


def test_m31_is_not_there_in_the_classic_dialect(online: Online) -> None:
    for call in ("commit()", "rollback()", "task_policy()"):
        assert "Unknown built-in function" in online.eval(f"return {call};")


def test_atomic_tasks_send_nothing_before_their_end(moo: Online) -> None:
    line = "x" * 1000
    flood = f'for i in [1..200] notify(#3, "{line}"); endfor'
    moo.type(moo.wizard, f";{flood} rollback();")
    early = len(moo.wizard.take())
    assert 0 < early <= 200 * 1002  # what did not fit has been sent
    moo.type(moo.wizard, f';task_policy("rollback"); {flood} rollback();')
    assert moo.wizard.take() == b""
    moo.type(moo.wizard, f';task_policy("rollback"); {flood}')
    assert moo.wizard.take_lines() == [line] * 200 + ["0"]


def test_atomic_tasks_do_not_connect_to_other_computers(moo: Online) -> None:
    moo.server.connections._outbound = True
    call = 'open_network_connection("127.0.0.1", 1)'
    assert moo.eval(f"return `{call} ! ANY';") != "E_PERM"
    assert moo.eval(f'task_policy("rollback"); return `{call} ! ANY\';') == "E_PERM"


def test_listening_points_are_given_up_at_the_end_of_the_slice(moo: Online) -> None:
    port = 8888
    assert moo.eval(f"return listen(#6, {port}, 1);") == str(port)
    client = moo.connect(port=port)
    moo.type(moo.wizard, f";unlisten({port}); rollback();")
    moo.connect(port=port)
    assert moo.eval("return length(listeners());") == "2"
    moo.do(f"unlisten({port});")
    assert moo.eval("return length(listeners());") == "1"
    moo.type(moo.wizard, f";listen(#6, {port}); rollback();")
    assert moo.eval("return length(listeners());") == "1"
    client.close()


def test_a_port_that_a_slice_has_given_up_can_be_taken_again_in_it(moo: Online) -> None:
    """As in LambdaMOO, where it is closed at once; asked of the C server."""
    moo.eval("return listen(#6, 8888, 1);")
    assert moo.eval("unlisten(8888); return {listen(#0, 8888), listeners()[1]};") == (
        "{8888, {#0, 8888, 0}}"
    )
    assert moo.connect(port=8888).take_lines() == ["Welcome."]
    moo.type(
        moo.wizard,
        ";unlisten(8888); listen(#6, 8888); unlisten(8888); listen(#6, 8888); "
        "rollback();",
    )
    assert moo.eval("return listeners()[1];") == "{#0, 8888, 0}"
    moo.connect(port=8888)
    assert moo.server.connections.active_connections()[0][1] == 0
    moo.do("unlisten(8888); listen(#6, 8888); unlisten(8888);")
    assert 8888 not in moo.process.network.points
    moo.type(
        moo.wizard, ";listen(#6, 8888); unlisten(8888); listen(#0, 8888); rollback();"
    )
    assert 8888 not in moo.process.network.points


def test_a_connection_is_read_from_again_when_what_was_forced_on_it_is_withdrawn(
    moo: Online,
) -> None:
    other = moo.connect("#4")
    moo.do('set_connection_option(#4, "hold-input", 1);')
    moo.type(
        moo.wizard,
        ';s = "xxxx"; for i in [1..15] s = s + s; endfor '
        "force_input(#4, s); rollback();",
    )
    moo.do('set_connection_option(#4, "hold-input", 0);')
    other.take()
    assert moo.eval("return 1 + 1;", other) == "2"


def test_what_is_held_happens_although_one_of_it_fails(moo: Online) -> None:
    journal = moo.server.engine.world.journal
    happened: list[int] = []
    journal.begin()
    journal.hold(happened.append, 1)
    journal.hold([].pop)
    journal.hold(happened.append, 2)
    with pytest.raises(IndexError):
        journal.commit()
    assert happened == [1, 2]
    assert not journal.is_open


def test_a_slice_that_sets_the_same_values_for_ever_needs_no_memory_for_it(
    moo: Online,
) -> None:
    """A property may be built up piece by piece: each state of it is another value."""
    journal = moo.server.engine.world.journal
    rollback = moo.server.engine.world.rollback
    lengths = []

    def watch(**options: Any) -> None:
        lengths.append(len(journal))
        rollback(**options)

    moo.server.engine.world.rollback = watch  # type: ignore[method-assign]
    moo.type(
        moo.wizard,
        ";for i in [1..2000] #0.mark = {i}; #11.p = i; endfor "
        'add_property(#1, "front", 1, {#3, "r"}); '
        "for i in [1..2000] #0.mark = {i}; #11.p = i; endfor rollback();",
    )
    assert lengths == [5]
    assert moo.eval("return {#0.mark, #11.p, #7.p};") == "{0, 1, 1}"
