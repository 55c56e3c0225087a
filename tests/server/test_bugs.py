"""A bug in pymoo ends the task that met it; the world goes on, and the log tells.

What the task has changed since its last commit is undone.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pymoo.server.connections import ConnectionTable
from tests.server.online import Online

BUGS = [RuntimeError, RecursionError, MemoryError]


def fail_with(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let listeners() meet a bug."""

    def broken(self: ConnectionTable) -> list[object]:
        raise error("a bug")

    monkeypatch.setattr(ConnectionTable, "listeners", broken)


@pytest.mark.parametrize("error", BUGS, ids=lambda error: error.__name__)
def test_a_bug_ends_the_command_alone(
    online: Online, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    fail_with(error, monkeypatch)
    other = online.connect("#4")
    other.take()
    online.wizard.send_line(";try listeners(); except (ANY) return 1; endtry")
    online.wizard.send_line(";return 5;")
    other.send_line(";return 6;")
    online.process.run()
    assert online.wizard.take_lines() == ["5"]
    assert other.take_lines() == ["6"]
    text = "\n".join(online.log)
    assert "*** BUG IN PYMOO while running a task; please report all" in text
    assert error.__name__ in text
    assert "bf_listeners" in text


@pytest.mark.parametrize("error", BUGS, ids=lambda error: error.__name__)
def test_a_bug_in_a_background_task_ends_it_alone(
    online: Online, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    fail_with(error, monkeypatch)
    online.do("#0.seen = 0;")
    online.do(
        "fork (1) listeners(); #0.seen = 99; endfork "
        "fork (1) #0.seen = #0.seen + 1; endfork "
        "fork (2) suspend(0); listeners(); endfork "
        "fork (3) #0.seen = #0.seen + 1; endfork"
    )
    online.process.advance(5)
    assert online.eval("return {#0.seen, queued_tasks()};") == "{2, {}}"
    assert sum("BUG IN PYMOO" in line for line in online.log) == 2


@pytest.mark.parametrize(
    "verb",
    [
        "user_connected",
        "user_disconnected",
        "user_client_disconnected",
        "checkpoint_started",
        "checkpoint_finished",
        "do_command",
        "handle_uncaught_error",
    ],
)
def test_a_bug_in_a_verb_that_the_server_calls_ends_and_undoes_that_call_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    online = Online(tmp_path)
    online.do(program(verb))
    fail_with(RuntimeError, monkeypatch)
    client = online.connect("#4")
    online.type(client, ";1/0;")
    online.type(client, ";return 7;")
    client.close()
    online.connect("#4")
    online.type(online.wizard, ";boot_player(#4); dump_database();")
    online.wizard.take()
    monkeypatch.undo()
    # The question is a command, for which do_command now does all that it should.
    expected = "2" if verb == "do_command" else "0"
    assert online.eval("return #0.seen;") == expected
    assert any("RuntimeError: a bug" in line for line in online.log)
    assert online.connect("create").take_lines() == ["Welcome.", "*** Created ***"]


def program(verb: str) -> str:
    """Code that gives #0 a verb with a call of listeners()."""
    code = '"#0.seen = 1; listeners(); #0.seen = 2;"'
    return (
        "delete_verb(#0, 2); #0.seen = 0;"
        f'add_verb(#0, {{#3, "rxd", "{verb}"}}, {{"this", "none", "this"}});'
        f'set_verb_code(#0, "{verb}", {{{code}}});'
    )


def test_a_bug_at_a_login_leaves_the_connection_as_it_was(
    online: Online, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = online.connect()
    client.take()

    def broken(self: ConnectionTable, *arguments: object, **others: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(ConnectionTable, "connected_players", broken)
    online.do('set_verb_code(#0, "do_login_command", {"connected_players();"});')
    online.type(client, "#4")
    monkeypatch.undo()
    online.do('set_verb_code(#0, "do_login_command", {"return #4;"});')
    online.type(client, "again")
    assert client.take_lines() == ["*** Connected ***"]


def test_a_bug_leaves_no_trace_in_the_next_task(
    online: Online, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither depth, permissions nor ticks are left behind."""
    online.do(
        'add_verb(#3, {#3, "rxd", "deep"}, {"this", "none", "this"});'
        'set_verb_code(#3, "deep", {"set_task_perms(#4);", '
        '"args[1] ? this:deep(args[1] - 1) | listeners();"});'
    )
    fail_with(RuntimeError, monkeypatch)
    for _ in range(30):
        online.type(online.wizard, ";#3:deep(40);")
    assert online.wizard.take_lines() == []
    monkeypatch.undo()
    assert online.eval("return {#3:deep(40), caller_perms(), length(callers())};") == (
        "{0, #3, 2}"
    )
    assert sum("BUG IN PYMOO" in line for line in online.log) == 30
