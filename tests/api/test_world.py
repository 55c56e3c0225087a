"""Worlds in process, as programs in Python see them."""

from __future__ import annotations

import asyncio
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pymoo.api import (
    MooFailure,
    MooTaskAborted,
    MooTaskError,
    MooTimeout,
    World,
    WorldClosedError,
)
from pymoo.errors import MooSyntaxError, OptionError, PymooError
from pymoo.server.lock import LockedError, locked
from pymoo.values import E_DIV, E_INVARG, E_INVIND, E_PERM, E_VERBNF, NOTHING, Obj
from pymoo.values_limits import UnusableValueError
from tests.db.worlds import SYSTEM, WIZARD
from tests.server.online import PLAYER, add_verb, small_world, write_database

PATIENCE_S = 30.0

ANY_COMMAND = (1, -2, 1)

COMMANDS = {
    "greet": 'notify(player, "Hello, " + argstr + "."); return 17;',
    "whisper": 'notify(#4, "for you"); notify(#3, "for me");',
    "fail": 'notify(player, "now:"); return 1 / 0;',
    "rest": 'notify(player, "one"); suspend(0); notify(player, "two");',
    "rest_and_fail": 'suspend(0); notify(player, "late"); raise(E_PERM, "no", {1});',
    "runaway": "while (1) endwhile",
    "sleep": 'notify(player, "zzz"); suspend();',
    "stop": "kill_task(task_id());",
    "ask": "return read();",
    "change": '#0.mark = 5; notify(player, "changed"); 1 / 0;',
}

VERBS = {
    "back": "return args;",
    "who": "return {player, this, caller, verb, argstr, caller_perms(), args};",
    "limits": "first = ticks_left(); suspend(0); return {first, ticks_left()};",
    "seconds": "first = seconds_left(); suspend(0); return {first, seconds_left()};",
    "nap": "suspend(@args); return task_id();",
    "fail": 'raise(E_PERM, "Not for you.", {1, "two"});',
    "loop": "while (1) endwhile",
    "stop": "suspend(0); kill_task(task_id());",
    "change": "#0.mark = args[1]; 1 / 0;",
    "later": "fork (args[1]) #0.mark = args[2]; endfork return #0.mark;",
    "tell": "notify(#3, args[1]); return 1;",
    "id": "return task_id();",
    "close": 'shutdown("enough");',
    "dump": "dump_database(); suspend(0); return 1;",
    "numbers": "return {random(), random(), random()};",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with `VERBS` on #0, and `COMMANDS` on the wizard."""
    file = write_database(tmp_path / "MyMOO.db", verbs=VERBS)
    with World.open(file, save=True) as server:
        for name, code in COMMANDS.items():
            server.eval(
                WIZARD,
                f'add_verb(#1, {{#3, "rxd", "{name}"}}, {{"any", "any", "any"}});'
                f'set_verb_code(#1, "{name}", {{{_quoted(code)}}});',
            )
    shutil.rmtree(tmp_path / "MyMOO.db.backups")
    return file


def _quoted(code: str) -> str:
    return '"' + code.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.fixture
def server(path: Path) -> Iterator[World]:
    with World.open(path) as world:
        yield world


# --- rows of the specification --------------------------------------------------


def test_d01_every_call_is_a_task_with_an_id_of_its_own(server: World) -> None:
    ids = [
        server.parse_command(WIZARD, "greet you").task_id,
        server.eval(WIZARD, "1").task_id,
        server.verb_task(SYSTEM, "id").task_id,
    ]
    assert len(set(ids)) == 3
    assert all(ids)
    seen = server.verb_task(SYSTEM, "id")
    assert seen.value == seen.task_id
    assert server.eval(WIZARD, "task_id()").value not in ids
    with pytest.raises(MooTaskError) as failure:
        server.call_verb(SYSTEM, "fail")
    assert failure.value.task_id


def test_d02_a_command_gives_its_output_and_a_status(server: World) -> None:
    output, status = server.parse_command(WIZARD, "greet you all")
    assert (output, status) == (["Hello, you all."], 0)
    result = server.parse_command(WIZARD, "fail")
    assert result.status == 1
    assert result.output == [
        "now:",
        "#1:fail (this == #3), line 2:  Division by zero",
        "(End of traceback)",
    ]


def test_d02_a_player_who_is_not_connected_gives_commands_as_well(
    server: World,
) -> None:
    assert server.parse_command(PLAYER, "greet you").output == ["Hello, you."]


def test_d02_only_what_the_player_is_sent_is_collected(server: World) -> None:
    assert server.parse_command(WIZARD, "whisper").output == ["for me"]
    assert server.parse_command(PLAYER, "whisper").output == ["for you"]


@pytest.mark.parametrize(
    ("line", "output", "status"),
    [
        ("", [], 0),
        ("   ", [], 0),
        ("xyzzy", ["I couldn't understand that."], 0),
        ("rest", ["one", "two"], 0),
        (
            "rest_and_fail",
            [
                "late",
                "#1:rest_and_fail (this == #3), line 3:  no",
                "(End of traceback)",
            ],
            1,
        ),
        (
            "runaway",
            [
                "#1:runaway (this == #3), line 1:  Task ran out of ticks",
                "(End of traceback)",
            ],
            1,
        ),
        ("stop", [], 1),
        (
            "ask",
            [
                "#1:ask (this == #3), line 1:  Permission denied",
                "(End of traceback)",
            ],
            1,
        ),
    ],
)
def test_d02_whatever_becomes_of_a_command_is_told(
    server: World, line: str, output: list[str], status: int
) -> None:
    result = server.parse_command(WIZARD, line)
    assert result.output == output
    assert result.status == status
    assert result.is_finished


def test_d02_a_command_that_sleeps_on_is_left_alone(server: World) -> None:
    result = server.parse_command(WIZARD, "sleep", timeout=0.05)
    assert (result.output, result.status, result.is_finished) == (["zzz"], 0, False)
    queued: Any = server.eval(WIZARD, "queued_tasks()").value
    assert [row[0] for row in queued] == [result.task_id]


def test_d02_what_was_done_late_is_told_all_the_same(server: World) -> None:
    """Nobody is told that they came too late for what has been done."""
    go_on = threading.Event()
    server._thread.ask(lambda: go_on.wait(PATIENCE_S))
    threading.Timer(0.2, go_on.set).start()
    result = server.parse_command(WIZARD, "greet you", timeout=0.05)
    assert (result.output, result.status) == (["Hello, you."], 0)


def test_d02_an_error_that_the_database_handles_counts_as_one(tmp_path: Path) -> None:
    file = write_database(
        tmp_path / "in.db",
        verbs={
            "handle_uncaught_error": 'notify(player, "handled"); return 1;',
            "do_command": 'return argstr == "hm" ? 1 / 0 | 0;',
        },
    )
    with World.open(file) as server:
        assert [*server.parse_command(WIZARD, "hm")] == [["handled"], 1]


def test_d02_a_verb_is_programmed_line_by_line(server: World) -> None:
    said = [
        server.parse_command(WIZARD, line).output
        for line in (".program #0:back", "return", "5;", ".")
    ]
    assert said == [
        ['Now programming System Object:back.  Use "." to end.'],
        [],
        [],
        ["0 error(s).", "Verb programmed."],
    ]
    assert server.call_verb(SYSTEM, "back") == 5
    assert server.parse_command(WIZARD, "greet you").output == ["Hello, you."]


def test_d03_a_program_gives_its_output_and_value(server: World) -> None:
    output, value = server.eval(WIZARD, '{1, 2.5, #2, "s"}[1]')
    assert (output, value) == ([], 1)
    result = server.eval(
        WIZARD, "for i in [1..2]\nnotify(player, tostr(i));\nendfor\nreturn #2;"
    )
    assert result.output == ["1", "2"]
    assert result.value == Obj(2)
    assert type(result.value) is Obj
    assert server.eval(WIZARD, "1; 2;").value == 0


def test_d03_errors_are_raised_with_all_that_is_known(server: World) -> None:
    with pytest.raises(MooTaskError) as failure:
        server.eval(WIZARD, 'notify(player, "first"); raise(E_DIV, "why", {1});')
    error = failure.value
    assert (error.code, error.message, error.value) == (E_DIV, "why", (1,))
    assert error.traceback == (
        "#-1:Input to EVAL, line 2:  why",
        "(End of traceback)",
    )
    assert error.output == ("first", *error.traceback)
    assert str(error) == "\n".join(error.traceback)


def test_d03_programs_that_do_not_compile_are_told_where(server: World) -> None:
    with pytest.raises(MooSyntaxError) as failure:
        server.eval(WIZARD, "x = 1;\nif (x)\ny =;")
    assert failure.value.errors == ["Line 3:  syntax error"]


def test_d03_only_programmers_evaluate_and_with_their_own_permissions(
    server: World,
) -> None:
    assert server.eval(PLAYER, "player").value == PLAYER
    for player in (SYSTEM, NOTHING, Obj(999)):
        with pytest.raises(MooTaskError) as failure:
            server.eval(player, "1")
        assert failure.value.code is E_PERM
    with pytest.raises(MooTaskError) as failure:
        server.eval(PLAYER, "shutdown()")
    assert failure.value.code is E_PERM


CHANGE = '#0.mark = 5; notify(player, "changed"); 1 / 0;'


def test_d07_an_error_undoes_what_the_task_has_changed(path: Path) -> None:
    """At all three ways in; the traceback comes, what was sent before does not."""
    with World.open(path, error_policy="rollback") as server:
        with pytest.raises(MooTaskError) as failure:
            server.call_verb(SYSTEM, "change", 5, player=WIZARD)
        assert failure.value.output == failure.value.traceback
        with pytest.raises(MooTaskError) as failure:
            server.eval(WIZARD, CHANGE)
        assert failure.value.output == failure.value.traceback != ()
        result = server.parse_command(WIZARD, "change")
        assert result.status == 1
        assert server.eval(WIZARD, "#0.mark").value == 0
        # What was there at the last suspend is what a task is taken back to.
        with pytest.raises(MooTaskError) as failure:
            server.eval(
                WIZARD, f'notify(player, "kept"); #0.mark = 4; suspend(0); {CHANGE}'
            )
        assert server.eval(WIZARD, "#0.mark").value == 4
        assert failure.value.output == ("kept", *failure.value.traceback)
        with pytest.raises(MooTaskAborted):  # running out is another matter
            server.eval(WIZARD, "#0.mark = 6; while (1) endwhile")
        assert server.eval(WIZARD, "#0.mark").value == 6


def test_d07_running_out_undoes_it_as_well_if_asked(path: Path) -> None:
    with World.open(path, abort_policy="rollback") as server:
        with pytest.raises(MooTaskAborted) as failure:
            server.eval(WIZARD, "#0.mark = 6; while (1) endwhile")
        assert failure.value.reason == "ticks"
        assert server.eval(WIZARD, "#0.mark").value == 0


def test_d07_without_a_choice_what_was_changed_stays(path: Path) -> None:
    for choice in (None, "keep"):
        with World.open(path, error_policy=choice) as server:
            with pytest.raises(MooTaskError):
                server.call_verb(SYSTEM, "change", 5)
            assert server.eval(WIZARD, "#0.mark").value == 5
    with pytest.raises(OptionError, match="no policy 'forget'"):
        World.open(path, error_policy="forget")


def test_d07_a_task_that_rolls_itself_back_has_no_value(server: World) -> None:
    code = 'notify(player, "x"); #0.mark = 5; rollback({});'
    for keeps_output in (0, 1):
        with pytest.raises(MooTaskAborted) as failure:
            server.eval(WIZARD, code.format(keeps_output))
        assert failure.value.reason == "rollback"
        assert failure.value.output == (("x",) if keeps_output else ())
    assert server.eval(WIZARD, "#0.mark").value == 0


def test_m03_a_verb_is_called_and_gives_its_value(server: World) -> None:
    data = (1, 2.5, "three", Obj(4), E_PERM, (), ((5,),))
    assert repr(server.call_verb(SYSTEM, "back", *data)) == repr(data)
    assert server.call_verb(0, "back", [1, [2]]) == ((1, (2,)),)


def test_m03_a_verb_task_runs_as_its_verbs_owner_without_a_caller(
    server: World,
) -> None:
    assert server.call_verb(SYSTEM, "who", 1, player=PLAYER) == (
        PLAYER, SYSTEM, NOTHING, "who", "", NOTHING, (1,),
    )  # fmt: skip
    assert server.call_verb(WIZARD, "greet") == 17  # as #1's, by inheritance


@pytest.mark.parametrize(
    ("obj", "verb", "code"),
    [(0, "nope", E_VERBNF), (999, "back", E_INVIND), (-1, "back", E_INVIND)],
)
def test_m03_a_verb_that_there_is_not_is_an_error(
    server: World, obj: int, verb: str, code: Any
) -> None:
    with pytest.raises(MooTaskError) as failure:
        server.call_verb(Obj(obj), verb)
    assert failure.value.code is code
    assert str(failure.value) == code.message


def test_m03_errors_and_output_come_back(server: World) -> None:
    with pytest.raises(MooTaskError) as failure:
        server.call_verb(SYSTEM, "fail", player=WIZARD)
    error = failure.value
    assert (error.code, error.message, error.value) == (
        E_PERM,
        "Not for you.",
        (1, "two"),
    )
    assert error.traceback[0] == "#0:fail, line 1:  Not for you."
    result = server.verb_task(SYSTEM, "tell", "hi", player=WIZARD)
    assert (result.output, result.value) == (["hi"], 1)
    assert server.verb_task(SYSTEM, "tell", "hi", player=PLAYER).output == []


def test_m03_a_task_that_suspends_is_waited_for(server: World) -> None:
    began = time.monotonic()
    assert server.call_verb(SYSTEM, "nap", 0.2)
    assert time.monotonic() - began >= 0.2


def test_all_failures_of_tasks_tell_the_same(server: World) -> None:
    with pytest.raises(MooTaskError) as refused:
        server.call_verb(SYSTEM, "no_such_verb")
    with pytest.raises(MooTaskAborted) as aborted:
        server.eval(WIZARD, 'notify(player, "x"); kill_task(task_id());')
    with pytest.raises(MooTimeout) as late:
        server.eval(WIZARD, 'notify(player, "x"); suspend(9);', timeout=0.05)
    for failure, output in ((refused, ()), (aborted, ("x",)), (late, ("x",))):
        error: Exception = failure.value
        assert isinstance(error, MooFailure)
        assert (str(error), error.traceback) == (error.message, ())
        assert (error.output, bool(error.task_id)) == (output, bool(output))


def test_m03_a_task_that_takes_too_long_goes_on(server: World) -> None:
    with pytest.raises(MooTimeout) as failure:
        server.call_verb(SYSTEM, "nap", timeout=0.05)
    task_id = failure.value.task_id
    assert f"task {task_id} goes on" in str(failure.value)
    assert server.eval(WIZARD, f"resume({task_id})").value == 0
    server.run()
    assert server.eval(WIZARD, "queued_tasks()").value == ()


def test_m03_a_task_that_is_killed_meanwhile_is_an_error(path: Path) -> None:
    with World.open(path) as server:
        with pytest.raises(MooTaskAborted) as failure:
            server.call_verb(SYSTEM, "stop")
        assert failure.value.reason == "killed"
        failures: list[BaseException] = []

        def wait() -> None:
            try:
                server.call_verb(SYSTEM, "nap", timeout=PATIENCE_S)
            except PymooError as error:
                failures.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        end = time.monotonic() + PATIENCE_S
        while not (queued := server.eval(WIZARD, "queued_tasks()").value):
            assert time.monotonic() < end
        assert type(queued) is tuple
        task_id: Any = queued[0][0]  # type: ignore[index]
        server.eval(WIZARD, f"kill_task({task_id})")
        thread.join(PATIENCE_S)
        [error] = failures
        assert isinstance(error, MooTaskAborted)
        assert (error.reason, error.task_id) == ("killed", task_id)


def test_m18_verb_tasks_are_foreground_and_when_resumed_background(
    server: World,
) -> None:
    first, second = server.call_verb(SYSTEM, "limits")  # type: ignore[misc]
    assert 59_900 < first < 60_000
    assert 29_900 < second < 30_000
    first, second = server.call_verb(SYSTEM, "seconds")  # type: ignore[misc]
    assert (first, second) == (5, 3) or (first, second) == (4, 2)


def test_m18_verb_tasks_run_out_of_what_foreground_tasks_do(path: Path) -> None:
    with World.open(path, dialect="lambdamoo") as server:
        with pytest.raises(MooTaskAborted) as failure:
            server.call_verb(SYSTEM, "loop", player=WIZARD)
        assert failure.value.reason == "ticks"
        assert failure.value.traceback == (
            "#0:loop, line 1:  Task ran out of ticks",
            "(End of traceback)",
        )


# --- what is written, and what is locked ------------------------------------------


def test_nothing_is_written_unless_that_is_asked_for(path: Path) -> None:
    before = path.read_bytes()
    with World.open(path) as server:
        server.eval(WIZARD, "#0.mark = 5")
        assert server.call_verb(SYSTEM, "dump") == 1
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_save_writes_now_and_keeps_the_file_as_it_was(path: Path) -> None:
    before = path.read_bytes()
    with World.open(path) as server:
        server.eval(WIZARD, "#0.mark = 5")
        server.save()
        server.eval(WIZARD, "#0.mark = 6")
    assert (
        path.with_name("MyMOO.db.backups").joinpath("original.db").read_bytes()
        == before
    )
    with World.open(path) as server:
        assert server.eval(WIZARD, "#0.mark").value == 5


def test_a_world_is_saved_when_it_is_closed_if_asked(path: Path) -> None:
    with World.open(path, save=True) as server:
        server.eval(WIZARD, "#0.mark = 5")
    with World.open(path) as server:
        assert server.eval(WIZARD, "#0.mark").value == 5


def test_a_world_whose_user_failed_is_not_saved(path: Path) -> None:
    before = path.read_bytes()

    def fail() -> None:
        with World.open(path, save=True) as server:
            server.eval(WIZARD, "#0.mark = 5")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_bytes() == before


def test_a_world_is_saved_elsewhere_if_asked(path: Path) -> None:
    before = path.read_bytes()
    other, third = path.with_name("other.db"), path.with_name("third.db")
    with World.open(path, save=True, output=other) as server:
        server.eval(WIZARD, "#0.mark = 5")
        server.save(third)
    assert path.read_bytes() == before
    for each in (other, third):
        with World.open(each) as server:
            assert server.eval(WIZARD, "#0.mark").value == 5


def test_tasks_and_connections_of_the_file_are_saved_again(path: Path) -> None:
    text = path.read_bytes()
    tail = b"0 active connections with listeners\n"
    assert text.endswith(tail)
    path.write_bytes(text.removesuffix(tail) + tail.replace(b"0", b"1") + b"3 0\n")
    with World.open(path, save=True) as server:
        server.call_verb(SYSTEM, "later", 3600, 7)
    saved = path.read_bytes()
    assert b"\n1 queued tasks\n" in saved
    assert saved.endswith(b"1 active connections with listeners\n3 0\n")
    with World.open(path) as server:
        assert len(server.eval(WIZARD, "queued_tasks()").value) == 1  # type: ignore[arg-type]


def test_a_file_that_is_served_is_refused(path: Path) -> None:
    with locked(str(path)):
        with pytest.raises(LockedError, match="is being served already"):
            World.open(path)
        with World.open(path, lock=False) as server:
            assert server.eval(WIZARD, "1").value == 1
            with pytest.raises(OptionError, match="read only"):
                server.save()
        with pytest.raises(OptionError, match="must be locked"):
            World.open(path, lock=False, save=True)
    with World.open(path) as server, pytest.raises(LockedError), locked(str(path)):
        pass


def test_what_cannot_be_opened_leaves_nothing_behind(tmp_path: Path) -> None:
    threads = threading.active_count()
    limit = sys.getrecursionlimit()
    with pytest.raises(PymooError, match="cannot be read"):
        World.open(tmp_path / "nothing.db")
    with pytest.raises(OptionError, match="no dialect"):
        World.open(tmp_path / "nothing.db", dialect="klingon")
    assert [*tmp_path.iterdir()] == []
    assert threading.active_count() == threads
    assert sys.getrecursionlimit() == limit


# --- time, threads, event loops ---------------------------------------------------


def test_nothing_runs_unless_somebody_waits(server: World) -> None:
    assert server.call_verb(SYSTEM, "later", 0, 7) == 0
    time.sleep(0.05)
    assert server.eval(WIZARD, "#0.mark").value == 0
    server.run(PATIENCE_S)
    assert server.eval(WIZARD, "#0.mark").value == 7


def test_run_waits_for_what_becomes_ready_in_time(server: World) -> None:
    server.call_verb(SYSTEM, "later", 0.1, 7)
    server.call_verb(SYSTEM, "later", 3600, 8)
    server.run(5.0)
    assert server.eval(WIZARD, "#0.mark").value == 7


def test_run_ends_in_time_whatever_tasks_do(server: World) -> None:
    server.eval(WIZARD, "fork (0) while (1) suspend(0); endwhile endfork")
    began = time.monotonic()
    server.run(0.1)
    assert time.monotonic() - began < PATIENCE_S


def test_several_threads_share_a_world(server: World) -> None:
    results: list[Any] = []

    def work(number: int) -> None:
        results.extend(
            server.call_verb(SYSTEM, "back", number, each) for each in range(20)
        )

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sorted(results) == [(n, each) for n in range(4) for each in range(20)]


def test_an_event_loop_goes_on_while_a_verb_runs(path: Path) -> None:
    """Two seconds of work for the world are not felt in the loop."""

    async def main() -> None:
        async with World.open_async(path) as server:
            turns = 0

            async def count() -> None:
                nonlocal turns
                while True:
                    await asyncio.sleep(0)
                    turns += 1

            counting = asyncio.create_task(count())
            with pytest.raises(MooTaskAborted):
                await server.acall_verb(SYSTEM, "loop")
            counting.cancel()
            assert turns > 2
            naps = [server.acall_verb(SYSTEM, "nap", 0.1) for _ in range(5)]
            assert len({*await asyncio.gather(*naps)}) == 5
            assert (await server.aeval(WIZARD, "2 + 2")).value == 4
            assert (await server.aparse_command(WIZARD, "greet x")).status == 0
            with pytest.raises(MooTimeout):
                await server.acall_verb(SYSTEM, "nap", timeout=0.01)
            await server.arun(0.0)
            await server.asave()

    asyncio.run(main())


def test_a_caller_that_is_cancelled_leaves_the_task_alone(path: Path) -> None:
    async def main() -> None:
        async with World.open_async(path) as server:
            waiting = asyncio.create_task(server.acall_verb(SYSTEM, "nap"))
            while not (await server.aeval(WIZARD, "queued_tasks()")).value:
                await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert (await server.aeval(WIZARD, "length(queued_tasks())")).value == 1

    asyncio.run(main())


def test_open_async_does_not_save_after_an_exception(path: Path) -> None:
    before = path.read_bytes()

    async def main() -> None:
        async with World.open_async(path, save=True) as server:
            await server.aeval(WIZARD, "#0.mark = 5")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(main())
    assert path.read_bytes() == before


def test_programs_nest_as_deep_as_on_a_server(server: World) -> None:
    depth = 20_000
    source = "1" + " + 1" * depth
    assert server.eval(WIZARD, f"return {source};").value == depth + 1


# --- ends ---------------------------------------------------------------------------


def test_a_closed_world_says_so(path: Path) -> None:
    server = World.open(path)
    server.close()
    server.close()
    for use in (
        lambda: server.eval(WIZARD, "1"),
        lambda: server.save(),
        lambda: server.run(),
    ):
        with pytest.raises(WorldClosedError, match="closed"):
            use()


def test_a_world_that_shuts_itself_down_says_so(server: World) -> None:
    assert server.call_verb(SYSTEM, "close") == 0
    with pytest.raises(WorldClosedError, match="enough"):
        server.eval(WIZARD, "1")


def test_whoever_waits_is_told_that_the_world_shuts_down(path: Path) -> None:
    with World.open(path) as server:
        failures: list[BaseException] = []

        def wait() -> None:
            try:
                server.call_verb(SYSTEM, "nap", timeout=PATIENCE_S)
            except PymooError as error:
                failures.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        while not server.eval(WIZARD, "queued_tasks()").value:
            pass
        server.call_verb(SYSTEM, "close")
        thread.join(PATIENCE_S)
        assert [type(error) for error in failures] == [WorldClosedError]


def test_a_bug_in_pymoo_ends_the_task_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from pymoo.interp.vm import VM

    with World.open(path) as server:
        run = VM.run

        def broken(self: VM, *args: Any) -> Any:
            if self.activations[-1].verb == "nap":
                raise KeyError("a bug")
            return run(self, *args)

        monkeypatch.setattr(VM, "run", broken)
        with pytest.raises(MooTaskAborted) as failure:
            server.call_verb(SYSTEM, "nap")
        assert failure.value.reason == "bug"
        assert server.call_verb(SYSTEM, "back", 1) == (1,)
    assert "KeyError: 'a bug'" in capfd.readouterr().err


# --- arguments ----------------------------------------------------------------------


def test_what_is_no_value_does_not_get_in(server: World) -> None:
    for bad in (True, None, {}, 1 << 31, "a\nb", "\u2603", float("nan")):
        with pytest.raises(UnusableValueError):
            server.call_verb(SYSTEM, "back", bad)
    for line in ("a\nb", "\u2603"):
        with pytest.raises(UnusableValueError):
            server.parse_command(WIZARD, line)
    with pytest.raises(UnusableValueError):
        server.eval(WIZARD, '"\u2603"')
    player: Any = "#3"
    with pytest.raises(UnusableValueError, match="'#3' is no object: give an Obj"):
        server.eval(player, "1")


def test_a_command_of_nobody_is_refused(server: World) -> None:
    with pytest.raises(MooTaskError) as failure:
        server.parse_command(Obj(999), "greet")
    assert failure.value.code is E_INVARG


def test_strings_are_bytes_unless_the_world_is_utf_8(path: Path) -> None:
    with World.open(path) as server:
        assert server.call_verb(SYSTEM, "back", "caf\xe9") == ("caf\xe9",)
    with World.open(path, encoding="utf-8") as server:
        assert server.call_verb(SYSTEM, "back", "\u2603") == ("\u2603",)
        output = server.verb_task(SYSTEM, "tell", "\u2603", player=WIZARD).output
        assert output == ["\u2603"]


def test_a_seed_makes_the_same_world_again(path: Path) -> None:
    seen = set()
    for _ in range(2):
        with World.open(path, seed=1) as server:
            seen.add(server.call_verb(SYSTEM, "numbers"))
    assert len(seen) == 1


def test_the_log_goes_to_a_file_if_asked(path: Path) -> None:
    log = path.with_name("log")
    with World.open(path, log=log) as server:
        server.eval(WIZARD, 'server_log("something")')
    assert b"> something\n" in log.read_bytes()
    with pytest.raises(PymooError, match="log cannot be written there"):
        World.open(path, log=path.parent)


def test_an_unparsable_verb_is_not_found(tmp_path: Path) -> None:
    world = small_world()
    add_verb(world, SYSTEM, "broken", "if if")
    from tests.db.worlds import dumped

    file = tmp_path / "in.db"
    file.write_bytes(dumped(world))
    with World.open(file) as server, pytest.raises(MooTaskError) as failure:
        server.call_verb(SYSTEM, "broken")
    assert failure.value.code is E_VERBNF
