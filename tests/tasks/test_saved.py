"""Tasks of a textdump become live ones, and are written as they were read."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from pymoo.db.textdump import dump, load
from pymoo.errors import TextdumpError
from pymoo.interp.loading import ProgramLoader
from pymoo.tasks.saved import Restorer, save_tasks
from tests.fakes import Bench

DATA = Path(__file__).parents[1] / "data" / "textdumps"
FILES = sorted(
    path
    for folder in ("tasks", "old")
    for path in (DATA / folder).glob("*.db")
    if ".redump" not in path.name
)


def golden(path: Path) -> bytes:
    """What the C server writes after loading a file and running nothing."""
    redump = path.with_suffix(".redump.db")
    return (redump if redump.exists() else path).read_bytes()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_live_tasks_are_written_as_the_c_server_writes_them(path: Path) -> None:
    bench = Bench()
    loader = ProgramLoader(bench.engine.builtins.proper_names)
    textdump = load(path, checker=loader)
    restorer = Restorer(bench.engine, loader.parse_for_task)
    tasks = [restorer.task(saved) for saved in textdump.tasks]
    tasks.sort(key=lambda task: task.start_time)
    stream = io.BytesIO()
    dump(textdump.world, stream, tasks=save_tasks(tasks))
    assert stream.getvalue() == golden(path)


def test_there_are_recorded_tasks_to_try() -> None:
    assert len(FILES) >= 10


def test_a_pc_that_is_not_behind_a_call_is_refused_with_its_place() -> None:
    bench = Bench()
    loader = ProgramLoader(bench.engine.builtins.proper_names)
    textdump = load(DATA / "bad" / "task-bad-pc.db")
    restorer = Restorer(bench.engine, loader.parse_for_task)
    with pytest.raises(TextdumpError, match="does not stand behind a call"):
        list(map(restorer.task, textdump.tasks))


def test_the_temporary_of_a_failed_store_is_kept(bench: Bench) -> None:
    """It stands in the textdump until another indexed assignment clears it."""
    bench.run("x = {}; try x[9] = 5; except (E_RANGE) suspend(); endtry")
    bench.run("x = {1}; try x[1] = 5; finally suspend(); endtry")
    first, second = save_tasks(bench.scheduler.background_tasks())
    assert first.activations[0].temporary == 5  # type: ignore[union-attr]
    assert repr(second.activations[0].temporary) == "UNSET"  # type: ignore[union-attr]


def test_a_task_that_cannot_be_saved_is_left_out() -> None:
    """One fault of pymoo's must not cost the world."""
    bench = Bench()
    bench.run("fork (10) endfork fork (20) endfork")
    tasks = [*bench.scheduler.background_tasks()]
    tasks[0].vm.activations.clear()
    reports: list[str] = []
    saved = save_tasks(tasks, lambda doing, error: reports.append(doing))
    assert [task.task_id for task in saved] == [tasks[1].task_id]
    assert reports == [f"saving task {tasks[0].task_id}"]


def test_a_time_that_the_format_cannot_hold_is_the_latest_it_can() -> None:
    bench = Bench()
    bench.run("fork (2147483647) endfork")
    (saved,) = save_tasks(bench.scheduler.background_tasks())
    assert saved.start_time == 2_147_483_647
