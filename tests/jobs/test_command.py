"""``pymoo jobs``: what is printed, and how it ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pymoo.jobs import JobRunner, JobState, JobStore, group
from pymoo.jobs import command as command_line
from pymoo.jobs.command import jobs as command
from pymoo.jobs.runner import ATTEMPTS, STEP_BUDGET_MS
from pymoo.values import Obj
from tests.jobs import work
from tests.jobs.conftest import Clock

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database, whose content does not matter here."""
    path = tmp_path / "MyMOO.db"
    path.write_text("")
    return path


def call(*words: Any) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def printed(*words: Any, status: int = 0) -> str:
    result = call(*words)
    assert result.exit_code == status, result.output
    return result.output


@pytest.fixture
def filled(database: Path, store: JobStore, clock: Clock) -> Path:
    """Jobs 1 to 4: finished, failed, waiting, aborted."""
    with JobRunner(store) as runner:
        store.add(work.note((Obj(1), "two")))
        store.add(work.fail("no\x1b[31m"))
        runner.run_until_idle()
    store.add(work.count_down(3, name="it"), owner=Obj(2))
    store.add(work.wait(1)).abort()
    return database


def test_o14_list(filled: Path) -> None:
    lines = printed("list", filled).splitlines()
    time_ = r"2001-09-0\d \d\d:46:40"
    expected = [
        r"job  state         %  ends                 what",
        rf"  1  Finished    100  {time_}  tests\.jobs\.work:note\({{#1, \"two\"}}\)",
        rf"  2  Exception     0  {time_}  tests\.jobs\.work:fail\(\"no\\x1b\[31m\"\): "
        r"RuntimeError: no\\x1b\[31m",
        r"  3  NotStarted    0                       counts it down from 3",
        rf"  4  Aborted       0 +({time_})?  +tests\.jobs\.work:wait\(1\)",
    ]
    assert len(lines) == len(expected)
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line), line


def test_o14_list_with_states(filled: Path) -> None:
    found = json.loads(printed("list", filled, "--json"))
    assert [job["state"] for job in found] == [
        "Finished",
        "Exception",
        "NotStarted",
        "Aborted",
    ]
    found = json.loads(
        printed("list", filled, "--state", "aborted", "--state", "Exception", "--json")
    )
    assert [job["id"] for job in found] == [2, 4]
    assert printed("list", filled, "--state", "Running") == "no jobs\n"
    assert json.loads(printed("list", filled, "--state", "Running", "--json")) == []
    names = "NotStarted, Running, Finished, Exception, Aborted"
    said = printed("list", filled, "--state", "Done", status=2)
    assert f"'Done' is not one of {names}\n" in said
    assert names in " ".join(printed("list", "--help").split())


def test_o14_a_database_without_jobs_has_none_and_gets_no_file(database: Path) -> None:
    assert printed("list", database) == "no jobs\n"
    assert printed("list", database, "--json") == "[]\n"
    assert printed("prune", database) == "0 removed\n"
    assert "there is no such file" in printed("show", database, 1, status=2)
    assert [each.name for each in database.parent.iterdir()] == ["MyMOO.db"]


@pytest.mark.parametrize("name", ["list", "prune", "run"])
def test_o14_a_database_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    output = printed(name, tmp_path / "none.db", status=2)
    assert re.search(r"none\.db: there is no such file, and no none\.jobs", output)


def test_o14_a_file_that_is_none_is_named(database: Path) -> None:
    database.with_suffix(".jobs").write_text("something else entirely\n" * 100)
    for name in ("list", "prune", "run"):
        assert "MyMOO.jobs: damaged" in printed(name, database, status=2)


def test_o13_show(filled: Path) -> None:
    text = printed("show", filled, 2)
    assert re.match(
        r"id: 2\nstate: Exception\ndescription: tests\.jobs\.work:fail"
        r"\(\"no\\x1b\[31m\"\)\nfunction: tests\.jobs\.work:fail\nversion: 1\n"
        r"arguments: \{\"no\\x1b\[31m\"\}\npercent: 0\nsteps: 1\n"
        r"longest step ms: [\d.e-]+\ncreated: 2001-09-0\d [\d:]+\nstarted: ",
        text,
    )
    assert "    RuntimeError: no\\x1b[31m\n" in text
    assert "owner: #2\n" in printed("show", filled, 3)
    assert 'result: {#1, "two"}\n' in printed("show", filled, 1)
    found = json.loads(printed("show", filled, 1, "--json"))
    assert found["result"] == [{"obj": 1}, "two"]
    assert "there is no job 9" in printed("show", filled, 9, status=1)


def test_o14_abort(filled: Path, store: JobStore) -> None:
    assert printed("abort", filled, 3) == "job 3 is aborted\n"
    assert store.job(3).state is JobState.ABORTED
    assert "job 3 is Aborted and cannot become Aborted: it is over" in printed(
        "abort", filled, 3, status=1
    )
    assert "there is no job 9" in printed("abort", filled, 9, status=1)
    assert "Invalid value" in printed("abort", filled, "x", status=2)
    last = store.add(work.wait(1)).id
    assert json.loads(printed("abort", filled, last, "--json"))["state"] == "Aborted"


def test_o11_prune(filled: Path, store: JobStore) -> None:
    # They were over in 2001.
    assert json.loads(printed("prune", filled, "--days", 40_000, "--json")) == {
        "removed": 0
    }
    assert printed("prune", filled) == "3 removed\n"
    assert [job.id for job in store.jobs()] == [3]


@contextmanager
def pymoo(*words: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that does not outlive the test, also if that fails."""
    with subprocess.Popen(
        [sys.executable, "-m", "pymoo", "jobs", *(str(word) for word in words)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as it:
        try:
            yield it
        finally:
            it.kill()


def output_of(*words: Any) -> tuple[str, int]:
    with pymoo(*words) as it:
        out, _ = it.communicate(timeout=PATIENCE_S)
    return out, it.returncode


def test_o03_run_until_idle_and_its_status(database: Path, store: JobStore) -> None:
    assert output_of("run", database, "--until-idle") == ("", 0)
    work.twice.delay(2)
    out, status = output_of("run", database, "--until-idle")
    assert status == 0
    assert out == (
        "1 Running: tests.jobs.work:twice(2)\n1 Finished: tests.jobs.work:twice(2)\n"
    )
    work.fail.delay("no")
    out, status = output_of("run", database, "--until-idle", "--json")
    assert status == 1
    assert [json.loads(line)["state"] for line in out.splitlines()] == [
        "Running",
        "Exception",
    ]


def test_o03_modules_are_found_with_path(tmp_path: Path, database: Path) -> None:
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "extra_tasks.py").write_text(
        "from pymoo.jobs import task\n@task\ndef here(): return 'here'\n"
    )
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import extra_tasks\n"
        "from pymoo.jobs import JobStore\n"
        "with JobStore(sys.argv[2]) as store:\n"
        "    for _ in 'ab': store.add(extra_tasks.here())"
    )
    path = database.with_suffix(".jobs")
    subprocess.run(
        [sys.executable, "-c", program, str(folder), str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    # Without the folder, the first of the two as the other: both fail.
    kept = tmp_path / "kept"
    shutil.copy(path, kept)
    out, status = output_of("run", database, "--until-idle")
    assert status == 1
    assert "ModuleNotFoundError: No module named 'extra_tasks'" in out
    shutil.copy(kept, path)
    out, status = output_of("run", database, "--until-idle", "--path", folder)
    assert status == 0
    assert out.count("Finished: extra_tasks:here()") == 2


def test_o09_a_second_run_is_refused(database: Path, store: JobStore) -> None:
    with JobRunner(store):
        out, status = output_of("run", database)
    assert status == 2
    assert f"its jobs are being run already, by process {os.getpid()}" in out


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_o09_run_goes_on_until_it_is_told_to_stop_after_its_step(
    database: Path, store: JobStore, how: signal.Signals
) -> None:
    with pymoo("run", database) as it:
        end = time.monotonic() + PATIENCE_S
        while not Path(f"{store.path}.lock").exists():
            assert time.monotonic() < end
            time.sleep(0.01)
        # What another process queues is noticed.
        assert work.twice.delay(2).wait(PATIENCE_S) == 4
        job = work.wait.delay(10**9)
        while job.refresh().steps < 3:
            assert time.monotonic() < end
            time.sleep(0.01)
        it.send_signal(how)
        assert it.wait(PATIENCE_S) == 0
    assert job.refresh().state is JobState.RUNNING
    steps = job.refresh().steps
    with JobRunner(store) as runner:
        runner.step()
    # Its last step was recorded: it goes on with the next.
    assert job.refresh().steps == steps + 1


def test_o10_words_of_the_command_line_are_those_of_the_package() -> None:
    assert tuple(state.value for state in JobState) == command_line.STATES
    assert command_line.STEP_BUDGET_MS == STEP_BUDGET_MS
    assert command_line.ATTEMPTS == ATTEMPTS


def test_o12_times_that_no_calendar_has() -> None:
    assert command_line._time(1e30).endswith("seconds after 1970")


def test_o02_an_empty_group_needs_no_module(database: Path, store: JobStore) -> None:
    store.add(group([]))
    out, status = output_of("run", database, "--until-idle")
    assert (out, status) == ("1 Running: group()\n1 Finished: group()\n", 0)
