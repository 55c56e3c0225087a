"""Jobs that MOO programs start, with the processes of a real server around them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pymoo.jobs import JobState, JobStore
from pymoo.lang.dialect import PYMOO
from pymoo.server.inprocess import InProcessServer
from pymoo.server.job_desk import JobDesk, JobsError, JobSettings
from pymoo.server.job_tasks import moo_value
from pymoo.values import E_PERM, Obj
from pymoo.values_limits import UnusableValueError, ValueLimits
from pymoo.workers import process
from tests.server.online import write_database
from tests.server.processes import ServerProcess, pymoo
from tests.server.talking import Talker
from tests.workers.office import is_alive, wait_until

MODULE = "tests.jobs.work"
CAUGHT = "try return {}; except e (ANY) return e[1..2]; endtry"


def serve(
    folder: Path, *options: str, modules: tuple[str, ...] = (MODULE,)
) -> ServerProcess:
    if not (folder / "in.db").exists():
        write_database(folder / "in.db")
    named = [word for module in modules for word in ("--jobs", module)]
    return ServerProcess(
        folder, "serve", "{input}", "--port", "0", "--log", "{log}", *named, *options
    )


def runner_of(server: ServerProcess) -> int:
    """The process that runs the jobs of a server, if it is there."""
    server.wait_for(r"JOBS: process \d+ (runs|goes on)")
    return int(re.findall(r"JOBS: process (\d+) (?:runs|goes on)", server.log)[-1])


def steps(folder: Path) -> list[int]:
    """Which steps of `work.several` were begun."""
    path = folder / "steps"
    return [*map(int, path.read_text().split())] if path.exists() else []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[ServerProcess]:
    with serve(folder) as server:
        yield server


@pytest.fixture
def wizard(server: ServerProcess) -> Iterator[Talker]:
    with server.talker() as talker:
        yield talker.log_in()


def caught(wizard: Talker, code: str) -> str:
    return wizard.eval(CAUGHT.format(code))


def test_o02_a_job_is_started_and_waited_for(wizard: Talker) -> None:
    code = 'return job_wait(job_start("tests.jobs.work:plus", {2, 3}));'
    assert wizard.eval(code) == "5"
    assert (
        wizard.eval('return job_wait(job_start("hello", {"you"}));') == '"hello you!"'
    )


def test_o04_a_task_may_return_another(wizard: Talker) -> None:
    assert wizard.eval('return job_wait(job_start("wait", {20}));') == '"finished"'


def test_o05_jobs_take_turns(wizard: Talker, folder: Path) -> None:
    """The second one is over long before the first."""
    place = folder / "o05"
    place.mkdir()
    wizard.type(f';return job_wait(job_start("several", {{8, "{place}"}}));')
    wait_until(lambda: bool(steps(place)), "the first step")
    assert wizard.eval('return job_wait(job_start("twice", {4}));') == "8"
    assert len(steps(place)) < 8
    assert wizard.read_line() == '"all done"'


def test_o07_values_go_to_and_fro(wizard: Talker) -> None:
    value = '{1, -2147483648, 2.5, "x", #3, E_PERM, {{}, {1}}}'
    assert wizard.eval(f'return job_wait(job_start("note", {{{value}}}));') == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (None, 0),
        ([True, False], (1, 0)),
        ({"a": {"b": [1]}, "c": ()}, (("a", (("b", (1,)),)), ("c", ()))),
        ((Obj(3), E_PERM, 2.5), (Obj(3), E_PERM, 2.5)),
    ],
)
def test_o07_what_python_returns_becomes_a_value(data: object, value: object) -> None:
    assert moo_value(data, ValueLimits()) == value


def test_o07_however_deep_it_is_nested() -> None:
    data: object = 5
    for number in range(100_000):
        data = {"k": data} if number % 2 else [data]
    made = moo_value(data, ValueLimits())
    depth = 0
    while made != 5:
        made = made[-1]  # type: ignore[index, assignment]
        depth += 1
    assert depth == 150_000


@pytest.mark.parametrize("data", [2**31, "two\nlines", "\u0101", b"x"])
def test_o07_what_no_world_can_hold_is_refused(data: object) -> None:
    with pytest.raises(UnusableValueError):
        moo_value([data], ValueLimits())


def test_o07_such_a_result_is_an_error_and_the_job_is_finished(wizard: Talker) -> None:
    wizard.eval('return #0.mark = job_start("plus", {2147483647, 1});')
    said = (
        "The result of job {0} is not MOO's: 2147483648 does not fit into 32 bits, "
        "which an INT of this world has: give a FLOAT or a string"
    )
    number = wizard.eval("return #0.mark;")
    assert (
        caught(wizard, "job_wait(#0.mark)") == f'{{E_INVARG, "{said.format(number)}"}}'
    )
    assert wizard.eval(
        "return job_info(#0.mark)[{3, 9}];".replace("[{3, 9}]", "[9]")
    ) == (f'"{said.format(number)}"')
    assert wizard.eval("return job_info(#0.mark)[3];") == '"Finished"'


def test_o08_a_chain_has_the_result_of_its_last_member(wizard: Talker) -> None:
    code = (
        'job_chain({{"wait", {3}}, {"hello", {"a"}}, {"tests.jobs.work:twice", {21}}})'
    )
    assert wizard.eval(f"return #0.mark = {code};").isdecimal()
    assert wizard.eval("return job_wait(#0.mark);") == "42"
    assert (
        wizard.eval("return job_info(#0.mark)[2..4];") == '{"chain", "Finished", 100}'
    )


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("job_chain({})", '{E_INVARG, "A chain of nothing would have no result"}'),
        ("job_chain({1})", '{E_TYPE, "Each member must be {name, arguments}"}'),
        (
            'job_chain({{"twice", 1}})',
            '{E_TYPE, "Each member must be {name, arguments}"}',
        ),
        ("job_start(1)", '{E_TYPE, "Argument 1 of job_start() must be STR"}'),
        (
            'job_start("nobody")',
            '{E_INVARG, "nobody: there is no such task in the modules of --jobs"}',
        ),
        # It can be imported, but nobody has named its module.
        (
            'job_start("tests.jobs.dying:stage", {})',
            '{E_INVARG, "tests.jobs.dying:stage: there is no such task in the modules '
            'of --jobs"}',
        ),
        (
            'job_start("twice")',
            '{E_ARGS, "tests.jobs.work:twice takes 1 argument, not 0"}',
        ),
        (
            'job_start("count_down", {1, 2, 3, 4})',
            '{E_ARGS, "tests.jobs.work:count_down takes 1 to 3 arguments, not 4"}',
        ),
        ("job_info(999999)", '{E_INVARG, "There is no job 999999"}'),
        ("job_abort(999999)", '{E_INVARG, "There is no job 999999"}'),
        ("job_wait(999999)", '{E_INVARG, "There is no job 999999"}'),
        (
            'job_wait(1, "x")',
            '{E_TYPE, "Argument 2 of job_wait() must be INT or FLOAT"}',
        ),
        (
            "job_wait(1, -1)",
            '{E_INVARG, "The timeout must be 0 or more seconds"}',
        ),
        (
            'jobs("Lost")',
            '{E_INVARG, "Lost: the states are NotStarted, Running, Finished, '
            'Exception, Aborted"}',
        ),
    ],
)
def test_o02_what_cannot_be_done_is_refused(
    wizard: Talker, call: str, error: str
) -> None:
    assert caught(wizard, call) == error


@pytest.mark.parametrize(
    "call",
    [
        'job_start("twice", {1})',
        'job_chain({{"twice", {1}}})',
        "jobs()",
        "job_info(1)",
        "job_abort(1)",
        "job_wait(1)",
    ],
)
def test_o02_only_wizards_may(server: ServerProcess, call: str) -> None:
    with server.talker() as player:
        player.log_in("#4")
        assert player.eval(CAUGHT.format(call)) == '{E_PERM, "Permission denied"}'


def test_o02_a_slice_that_is_rolled_back_has_started_nothing(wizard: Talker) -> None:
    before = wizard.eval("return length(jobs());")
    wizard.type(';job_start("note", {"never"}); notify(player, "x"); rollback(1);')
    assert wizard.read_line() == "x"
    assert wizard.eval("return length(jobs());") == before
    # It is seen at once, and its number is there to be waited for.
    code = (
        'x = job_start("note", {7}); r = job_info(x); '
        "return {r[3], r[1] == x, job_wait(x)};"
    )
    assert wizard.eval(code) == '{"NotStarted", 1, 7}'
    assert wizard.eval(f"return length(jobs()) - {before};") == "1"


def test_o02_very_many_jobs_of_one_slice_have_numbers_of_their_own(
    wizard: Talker,
) -> None:
    code = (
        'l = {}; for i in [1..100] l = setadd(l, job_start("twice", {i})); endfor '
        "s = 0; for x in (l) s = s + job_wait(x); endfor return {s, length(l)};"
    )
    assert wizard.eval(code) == "{10100, 100}"


def test_o03_an_error_is_raised_with_its_text(wizard: Talker) -> None:
    wizard.eval('return #0.mark = job_start("fail", {"no luck"});')
    code = "try job_wait(#0.mark); except e (ANY) return {e[1], e[2], e[3][1]}; endtry"
    line = "RuntimeError: no luck"
    assert wizard.eval(code) == (
        f'{{E_INVARG, "{line}", "Traceback (most recent call last):"}}'
    )
    info = wizard.eval("return job_info(#0.mark);")
    assert '"Exception"' in info
    assert info.endswith(f'"{line}"}}')


def test_o06_waiting_has_a_time_out(wizard: Talker, folder: Path) -> None:
    place = folder / "o06"
    place.mkdir()
    number = wizard.eval(f'return #0.mark = job_start("several", {{5, "{place}"}});')
    assert caught(wizard, "job_wait(#0.mark, 0.1)") == (
        f'{{E_QUOTA, "Job {number} is not over after 0.1 seconds"}}'
    )
    assert wizard.eval("return job_wait(#0.mark, 60);") == '"all done"'
    assert wizard.eval("return job_wait(#0.mark, 0);") == '"all done"'


def test_o06_a_task_that_waits_is_shown_and_can_be_killed(wizard: Talker) -> None:
    wizard.eval('return #0.mark = job_start("wait", {5000});')
    wizard.type(";#0.mark = {#0.mark, task_id()}; job_wait(#0.mark[1]);")
    assert wizard.eval("return length(queued_tasks());") == "1"
    assert wizard.eval("return kill_task(#0.mark[2]);") == "0"
    assert wizard.eval("return job_abort(#0.mark[1]);") == "0"


def test_o10_a_job_is_aborted(wizard: Talker) -> None:
    number = wizard.eval('return #0.mark = job_start("wait", {100000});')
    wizard.type(f";{CAUGHT.format('job_wait(#0.mark)')}")
    code = "job_abort(#0.mark); return job_info(#0.mark)[3];"
    assert wizard.eval(code) == '"Aborted"'
    assert wizard.read_line() == f'{{E_INVARG, "Job {number} was aborted"}}'
    assert caught(wizard, "job_abort(#0.mark)") == (
        f'{{E_INVARG, "Job {number} is over"}}'
    )


def test_o10_an_abort_that_is_rolled_back_is_none(wizard: Talker) -> None:
    wizard.eval('return #0.mark = job_start("wait", {200});')
    wizard.type(';job_abort(#0.mark); notify(player, "x"); rollback(1);')
    assert wizard.read_line() == "x"
    assert wizard.eval("return job_wait(#0.mark);") == '"finished"'


def test_o12_percent_description_and_times_are_seen(wizard: Talker) -> None:
    wizard.eval('return #0.mark = job_start("count_down", {3, "Ann"});')
    assert wizard.eval("return job_wait(#0.mark);") == '"Ann is done"'
    code = (
        "i = job_info(#0.mark); "
        "return {@i[2..5], i[6] > 0, i[7] >= i[6], i[8] == i[7], "
        "i[9], i[6] >= time() - 600};"
    )
    assert wizard.eval(code) == (
        '{"tests.jobs.work:count_down", "Finished", 100, "counts Ann down from 3", 1, '
        '1, 1, "Ann is done", 1}'
    )


def test_o14_jobs_are_listed_by_state(wizard: Talker) -> None:
    wizard.eval('return #0.mark = job_start("twice", {1});')
    wizard.eval("return job_wait(#0.mark);")
    code = (
        'l = {}; for r in (jobs("finished")) l = {@l, r[3]}; endfor '
        'return {"Running" in l, "Finished" in l > 0, length(jobs()[1]), '
        "jobs()[$] == job_info(jobs()[$][1])[1..8]};"
    )
    assert wizard.eval(code) == "{0, 1, 8, 1}"


def test_o14_what_others_do_to_the_file_is_noticed(
    wizard: Talker, folder: Path, server: ServerProcess
) -> None:
    number = wizard.eval('return #0.mark = job_start("wait", {100000});')
    wizard.type(f";{CAUGHT.format('job_wait(#0.mark)')}")
    done = pymoo("jobs", "abort", "in.db", number, folder=folder)
    assert done.returncode == 0
    assert wizard.read_line() == f'{{E_INVARG, "Job {number} was aborted"}}'


# --- servers of their own ---------------------------------------------------------


def test_o09_killed_again_and_again_a_job_comes_to_its_end(tmp_path: Path) -> None:
    """kill -9 of what runs it, and of the server, in the midst of its steps."""
    last = 12
    with serve(tmp_path) as server, server.talker() as wizard:
        wizard.log_in()
        started = f'#0.mark = job_start("several", {{{last}, "{tmp_path}"}})'
        assert wizard.eval(f"return {started};").isdecimal()
        wizard.type(";#0.mark = job_wait(#0.mark);")
        assert wizard.eval("dump_database(); suspend(0.1); return 1;") == "1"
        wait_until(lambda: len(steps(tmp_path)) >= 3, "some steps")
        first = runner_of(server)
        os.kill(first, signal.SIGKILL)
        server.wait_for(f"JOBS: process {first} has ended: it was ended by SIGKILL")
        count = len(steps(tmp_path))
        wait_until(lambda: len(steps(tmp_path)) >= count + 3, "steps of the next one")
        second = runner_of(server)
        assert second != first
        server.wait_for("CHECKPOINTING on .* finished")
        server.signal(signal.SIGKILL)
        server.end()
        wait_until(lambda: not is_alive(second), "the end of what runs jobs")
    with JobStore(tmp_path / "in.jobs") as store:
        (job,) = store.jobs()
        assert job.state is JobState.RUNNING
    with serve(tmp_path) as server, server.talker() as wizard:
        wizard.log_in()
        # The task that waited goes on, too, and says so.
        assert wizard.eval(f"return job_wait({job.id});") == "0"
        assert wizard.read_line() == '"all done"'
        assert wizard.eval("suspend(0); return #0.mark;") == '"all done"'
        third = runner_of(server)
        assert server.stop() == 0
        wait_until(lambda: not is_alive(third), "the end of what runs jobs")
    begun = steps(tmp_path)
    assert sorted({*begun}, reverse=True) == [*range(last, 0, -1)]
    assert begun == sorted(begun, reverse=True)
    assert len(begun) <= last + 2  # each kill has cost one step at most


def test_o06_a_task_waits_through_a_start_of_the_server_without_jobs(
    tmp_path: Path,
) -> None:
    with serve(tmp_path) as server, server.talker() as wizard:
        wizard.log_in()
        wizard.type(
            ';#0.mark = job_start("wait", {50000}); #0.mark = job_wait(#0.mark);'
        )
        assert wizard.eval("return 1;") == "1"
        assert server.stop() == 0
    with serve(tmp_path, modules=()) as server, server.talker() as wizard:
        wizard.log_in()
        assert wizard.eval("return length(queued_tasks());") == "1"
        assert caught(wizard, "job_wait(#0.mark)") == (
            '{E_INVARG, "There are no jobs: the server was started without --jobs '
            'MODULE"}'
        )
        assert server.stop() == 0
    with JobStore(tmp_path / "in.jobs") as store:
        (job,) = store.jobs()
        job.abort()
    with serve(tmp_path) as server, server.talker() as wizard:
        wizard.log_in()
        assert wizard.eval("suspend(0); return length(queued_tasks());") == "0"


@pytest.mark.parametrize("call", ['job_start("x")', 'job_chain({{"x"}})', "jobs()"])
def test_o02_without_the_option_the_message_names_it(tmp_path: Path, call: str) -> None:
    path = write_database(tmp_path / "in.db")
    process = InProcessServer.open(path, tmp_path / "out.db", PYMOO)
    client = process.connect()
    client.send_line("#3")
    process.run()
    client.take_lines()
    client.send_line(f";{CAUGHT.format(call)}")
    process.run()
    assert client.take_lines() == [
        '{E_INVARG, "There are no jobs: the server was started without --jobs MODULE"}'
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_o03_what_runs_jobs_is_gone_after_the_server(
    tmp_path: Path, number: signal.Signals
) -> None:
    with serve(tmp_path) as server, server.talker() as wizard:
        wizard.log_in()
        wizard.eval('return job_start("wait", {100000});')
        runner = runner_of(server)
        assert is_alive(runner)
        server.signal(number)
        server.end()
    wait_until(lambda: not is_alive(runner), "the end of what runs jobs")


def test_o09_the_end_of_the_server_is_not_held_against_a_step(tmp_path: Path) -> None:
    """Though the step is interrupted more often than it may end its process."""
    (tmp_path / "slow.py").write_text(
        "import time\nfrom pymoo.jobs import task\n\n"
        "@task\ndef slow(path):\n"
        "    with open(path, 'a') as file:\n        file.write('x')\n"
        "    time.sleep(100)\n"
    )
    seen = tmp_path / "seen"
    seen.touch()
    for count in range(6):
        with serve(tmp_path, modules=("slow",)) as server, server.talker() as wizard:
            wizard.log_in()
            if not count:
                wizard.eval(f'return job_start("slow", {{"{seen}"}});')
            wait_until(lambda: len(seen.read_text()) > count, "the step")  # noqa: B023
            runner = runner_of(server)
            server.signal(signal.SIGKILL if count % 2 else signal.SIGTERM)
            server.end()
        wait_until(lambda: not is_alive(runner), "the end of what runs jobs")  # noqa: B023
    with JobStore(tmp_path / "in.jobs") as store:
        (job,) = store.jobs()
        assert job.state is JobState.RUNNING
        assert store._db.execute("SELECT attempts FROM jobs").fetchone() == (0,)


def test_o09_a_step_that_ends_its_process_is_given_up(tmp_path: Path) -> None:
    modules = ("tests.jobs.test_attempts",)
    with serve(tmp_path, modules=modules) as server, server.talker() as wizard:
        wizard.log_in()
        store = tmp_path / "deaths"
        wizard.eval(f'return #0.mark = job_start("deadly", {{"{store}"}});')
        said = caught(wizard, "job_wait(#0.mark)")
        assert 'deadly("' in said.replace("\\", "")
        assert "tried 5 times, and each time the process has ended" in said
        assert wizard.eval('return jobs("Exception")[1][1] == #0.mark;') == "1"


def test_o02_a_name_that_two_modules_have_needs_the_module(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(
            "from pymoo.jobs import task\n\n"
            f"@task\ndef who():\n    return {name!r}\n\n"
            "@task\ndef named(*, key):\n    return key\n"
        )
    with serve(tmp_path, modules=("one", "two")) as server, server.talker() as wizard:
        wizard.log_in()
        assert caught(wizard, 'job_start("who")') == (
            '{E_INVARG, "who: several modules have a task of that name; write '
            'module:name"}'
        )
        assert wizard.eval('return job_wait(job_start("two:who"));') == '"two"'
        assert caught(wizard, 'job_start("one:named")') == (
            '{E_ARGS, "one:named has parameters that must be named, which only Python '
            'can do: give them a default, or a place"}'
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no module 'mine' of tasks: is its folder in PYTHONPATH, or"),
        ("x = 1\n", "no tasks in mine: functions become tasks by @pymoo.jobs.task"),
        ("1 / 0\n", "the module 'mine' of tasks fails:\n"),
        ("import nowhere\n", "the module 'mine' of tasks fails:\n"),
        ("import os; os._exit(3)\n", "it has ended with status 3"),
    ],
)
def test_o03_modules_that_cannot_be_used_keep_the_server_from_starting(
    tmp_path: Path, text: str | None, message: str
) -> None:
    write_database(tmp_path / "in.db")
    if text is not None:
        (tmp_path / "mine.py").write_text(text)
    done = pymoo(
        *("serve", "in.db", "--port", "0", "--log", "log", "--jobs", "mine"),
        folder=tmp_path,
    )
    assert done.returncode == 2
    said = done.stderr.decode()
    assert said.startswith(f"pymoo: jobs cannot be run: {message}")


def test_o03_so_do_those_that_take_too_long_to_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lasting.py").write_text("import time; time.sleep(1000)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(process, "START_S", 0.5)
    loop = asyncio.SelectorEventLoop()
    logged: list[str] = []
    settings = JobSettings(tmp_path / "in.jobs", ("lasting",))
    desk = JobDesk(settings, loop, lambda text, is_error: logged.append(text))
    with pytest.raises(JobsError) as refused:
        desk.start()
    loop.close()
    assert str(refused.value) == (
        "jobs cannot be run: they are not ready after 0.5 seconds; what do lasting do "
        "when they are imported?"
    )
    assert logged == []
