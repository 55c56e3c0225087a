"""Requests of other programs, among all that a server does."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from pymoo.lang.dialect import LAMBDAMOO
from pymoo.server import outside
from pymoo.server.inprocess import InProcessServer
from pymoo.server.outside import (
    Choices,
    Ending,
    Evaluation,
    Outcome,
    TypedCommand,
    VerbCall,
    failed,
    value_of,
)
from pymoo.tasks.stress import switched_on
from pymoo.values import NOTHING, Obj
from tests.db.worlds import SYSTEM, WIZARD
from tests.server.online import PLAYER, write_database

VERBS = {
    "note": "#0.mark = {@#0.mark || {}, args[1]}; return 1;",
    "nap": "suspend(@args); return 7;",
    "talk": 'notify(#3, "before"); suspend(10); notify(#3, "after"); return 1;',
    "fail_later": "suspend(10); return 1 / 0;",
    "chatter": 'for i in [1..args[1]] notify(#3, "x"); endfor return 1;',
}


KILL_ALL = """
for row in (queued_tasks())
  suspend(0);
  kill_task(row[1]);
endfor
"""


class Asking:
    """A server in process, and what its requests came to."""

    def __init__(self, folder: Path, **contents: Any) -> None:
        contents.setdefault("verbs", VERBS)
        path = write_database(folder / "in.db", **contents)
        self.online = InProcessServer.open(path, folder / "out.db", LAMBDAMOO)
        self.server = self.online.server
        self.told: list[Outcome] = []

    def post(self, request: outside.Request) -> outside.Request:
        self.server.outside.post(request, self.told.append)
        return request

    def evaluate(self, source: str, player: Obj = WIZARD) -> Outcome:
        self.post(Evaluation(player, source))
        self.online.run()
        return self.told.pop()


@pytest.fixture
def asking(tmp_path: Path) -> Asking:
    return Asking(tmp_path)


def call(verb: str, *arguments: Any, player: Obj = NOTHING) -> VerbCall:
    return VerbCall(player, SYSTEM, verb, arguments)


def test_a_request_waits_for_its_turn(asking: Asking) -> None:
    asking.post(call("nap", 0))
    assert asking.told == []
    assert asking.server.seconds_until_next() == 0
    asking.online.run()
    [outcome] = asking.told
    assert (outcome.ending, value_of(outcome)) == (Ending.ENDED, 7)
    assert not asking.server.outside.is_busy


def test_requests_and_players_take_turns(asking: Asking) -> None:
    client = asking.online.connect()
    client.send_line("#3")
    asking.online.run()
    asking.evaluate("#0.mark = {}; return 0;")
    for number in range(3):
        asking.post(call("note", f"request {number}"))
        client.send_line(f';#0.mark = {{@#0.mark, "line {number}"}};')
    asking.online.run()
    assert value_of(asking.evaluate("#0.mark")) == (
        "request 0", "line 0", "request 1", "line 1", "request 2", "line 2",
    )  # fmt: skip


def test_whoever_asked_is_told_when_the_task_ends(asking: Asking) -> None:
    asking.post(call("nap", 10))
    asking.online.run()
    assert asking.told == []
    asking.online.advance(10)
    [outcome] = asking.told
    assert value_of(outcome) == 7


def test_whoever_asked_is_told_when_it_is_on_the_disk(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(asking.server, "_commit", lambda: seen.append("on the disk"))
    for request in (call("note", 1), call("nap", 0), TypedCommand(WIZARD, "look")):
        asking.server.outside.post(request, lambda outcome: seen.append("told"))
    while asking.server.outside.is_busy:
        asking.server.turn()
    assert seen == ["on the disk", "told"] * 3


def test_what_comes_after_a_task_in_its_turn_is_not_its_output(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a command that begins no task, too, which has no number."""
    close_due = asking.server.connections.close_due

    def tell_others() -> None:
        close_due()
        asking.server.connections.send_line(WIZARD, "of the server")

    monkeypatch.setattr(asking.server.connections, "close_due", tell_others)
    asking.post(TypedCommand(WIZARD, ".program #0:note"))
    asking.post(call("note", 1, player=WIZARD))
    asking.online.run()
    outputs = [outcome.output for outcome in asking.told]
    assert outputs == [('Now programming System Object:note.  Use "." to end.',), ()]


def test_output_is_that_of_the_task_and_nobody_elses(asking: Asking) -> None:
    asking.post(call("talk", player=WIZARD))
    asking.online.run()
    asking.evaluate('notify(player, "of another task"); return 0;')
    asking.online.advance(10)
    [outcome] = asking.told
    assert outcome.output == ("before", "after")


def test_the_traceback_of_a_later_slice_is_output(asking: Asking) -> None:
    asking.post(call("fail_later", player=PLAYER))
    asking.online.run()
    asking.online.advance(10)
    [outcome] = asking.told
    assert failed(outcome)
    assert outcome.output == (
        "#0:fail_later, line 2:  Division by zero",
        "(End of traceback)",
    )
    assert asking.server.connections.witness is None


def test_a_handler_that_suspends_does_not_hold_up_the_answer(tmp_path: Path) -> None:
    handler = {"handle_uncaught_error": "suspend(100); return 1;"}
    asking = Asking(tmp_path, verbs={**VERBS, **handler})
    asking.post(call("fail_later"))
    asking.online.run()
    asking.online.advance(10)
    [outcome] = asking.told
    assert failed(outcome)
    assert failed(asking.evaluate("1 / 0"))
    assert not asking.server.outside.is_busy


def test_who_gives_up_is_told_at_once_and_the_task_goes_on(asking: Asking) -> None:
    request = asking.post(call("nap", 10))
    asking.online.run()
    asking.server.outside.give_up(request)
    [outcome] = asking.told
    assert outcome.ending is Ending.GIVEN_UP
    assert outcome.task_id
    asking.server.outside.give_up(request)  # too late: no harm
    rows: Any = value_of(asking.evaluate("queued_tasks()"))
    assert [row[0] for row in rows] == [outcome.task_id]
    asking.online.advance(10)
    assert len(asking.told) == 1


def test_who_gives_up_in_time_has_nothing_begun(asking: Asking) -> None:
    request = asking.post(call("note", 1))
    asking.server.outside.give_up(request)
    asking.online.run()
    [outcome] = asking.told
    assert (outcome.ending, outcome.task_id) == (Ending.GIVEN_UP, 0)
    assert value_of(asking.evaluate("#0.mark")) == 0


def test_who_waits_for_a_task_that_is_killed_is_told(asking: Asking) -> None:
    asking.post(call("nap"))
    asking.online.run()
    asking.post(Evaluation(WIZARD, "kill_task(queued_tasks()[1][1]); return 0;"))
    asking.online.run()
    _, outcome = asking.told
    assert outcome.ending is Ending.GONE
    assert failed(outcome)


def test_a_kill_that_is_rolled_back_ends_nothing(asking: Asking) -> None:
    asking.post(call("nap"))
    asking.online.run()
    code = "kill_task(queued_tasks()[1][1]); return 1 / 0;"
    asking.post(Evaluation(WIZARD, code, Choices(error="rollback")))
    asking.online.run()
    [outcome] = asking.told
    assert outcome.ending is Ending.ENDED
    asking.post(Evaluation(WIZARD, "return resume(queued_tasks()[1][1]);"))
    asking.online.run()
    assert [value_of(outcome) for outcome in asking.told] == [None, 0, 7]


# Under the switches of `pymoo.tasks.stress` each is read again after every slice.
SLEEPERS = 100 if switched_on() else 10_000


def lines_of_a_turn(asking: Asking) -> int:
    """How many lines of Python a turn of the server runs."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        asking.server.turn()
    finally:
        sys.settrace(before)
    return count


def test_a_turn_costs_the_same_however_many_requests_sleep(asking: Asking) -> None:
    def lines_with(sleepers: int) -> int:
        for _ in range(sleepers):
            asking.post(call("nap"))
        asking.online.run()
        asking.server.turn()
        return lines_of_a_turn(asking)

    assert lines_with(10) == lines_with(SLEEPERS)
    asking.post(Evaluation(WIZARD, KILL_ALL))
    asking.online.run()
    endings = [outcome.ending for outcome in asking.told]
    assert endings.count(Ending.GONE) == SLEEPERS + 10


def test_everybody_is_told_that_the_server_stops(asking: Asking) -> None:
    asking.post(call("nap"))
    asking.online.run()
    asking.post(call("note", 1))
    asking.server.request_shutdown("enough")
    asking.online.run()
    assert [outcome.ending for outcome in asking.told] == [Ending.STOPPED] * 2
    assert {outcome.reason for outcome in asking.told} == {"enough"}
    asking.post(call("note", 1))
    assert asking.told[2].ending is Ending.STOPPED


def test_more_output_than_anybody_can_want_is_counted(asking: Asking) -> None:
    asking.server.outside.max_output = 20
    asking.post(call("chatter", 100, player=WIZARD))
    asking.online.run()
    [outcome] = asking.told
    assert outcome.output == (
        *["x"] * 10,
        ">> 90 more lines of output have been dropped <<",
    )


def test_a_command_in_progress_is_the_requests_own(asking: Asking) -> None:
    """What was begun by requests is not mixed up with what the player types."""
    client = asking.online.connect()
    client.send_line("#3")
    asking.online.run()
    for line in (".program #0:note", "return 1;", "."):
        asking.post(TypedCommand(WIZARD, line))
        client.send_line(";return 5;")
        asking.online.run()
    assert client.take_lines().count("5") == 3
    assert asking.told[-1].output == ("0 error(s).", "Verb programmed.")
    assert asking.server.outside._queues == {}


def test_emergency_output_and_witnesses_do_not_mix(asking: Asking) -> None:
    assert asking.server.connections.witness is None
    asking.evaluate('notify(player, "x"); return 0;')
    assert asking.server.connections.witness is None
