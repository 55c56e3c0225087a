"""Which tasks have changed since one last asked, for the journal on the disk.

Each task that waits gets a serial number when it is first written, by which later
records mean it.

R1  Nothing is asked of tasks that sleep on: what it costs depends on those that have
    begun to wait, ceased to, or wait otherwise than before.
R2  After `TaskRecorder.changes` every task that a dump would hold has been given out as
    it is; but for those that cannot be saved, which are reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from pymoo.db.saved_values import lines_of, task_to_value
from pymoo.lang.program import Program
from pymoo.tasks.policies import saved_policies
from pymoo.tasks.saved import ProgramTexts, save_tasks
from pymoo.tasks.schedule import saved_request
from pymoo.tasks.scheduler import Scheduler
from pymoo.tasks.task import BackgroundTask, ForkedTask
from pymoo.tasks.waiting import saved_errors, saved_waits

_MAX_PROGRAMS: Final = 1_000
"""How many programs' texts are kept from record to record."""


class TaskRecorder:
    """Follows the tasks of one scheduler."""

    def __init__(
        self, scheduler: Scheduler, report: Callable[[str, Exception], None]
    ) -> None:
        """``report`` is told of a task that cannot be saved, a fault of pymoo's."""
        self._scheduler: Final = scheduler
        self._report: Final = report
        self._serials: Final[dict[BackgroundTask, int]] = {}
        self._last_serial = 0
        self._texts = _Texts()
        self._changed: Final = scheduler.follow_tasks()

    def stop(self) -> None:
        """Follow the tasks no more."""
        self._scheduler.follow_tasks(is_wanted=False)

    def changes(self) -> list[tuple[Any, ...]]:
        """Return entries of what has changed since the last call.

        ``("task", serial, task, policies, errors, waits, sequels)`` for one that waits,
        ``("gone", serial)`` for one that does so no more.
        """
        if not self._changed:
            return []
        things = [*self._changed]
        self._changed.clear()
        entries: list[tuple[Any, ...]] = []
        for task in things:
            waits = self._scheduler.waits_in_background(task)
            value = self._saved(task) if waits else None
            if value is None:
                serial = self._serials.pop(task, None)
                if serial is not None:
                    entries.append(("gone", serial))
                continue
            serial = self._serials.get(task)
            if serial is None:
                self._last_serial += 1
                serial = self._serials[task] = self._last_serial
            entries.append(("task", serial, *value))
        return entries

    def _saved(self, task: BackgroundTask) -> tuple[Any, ...] | None:
        saved = save_tasks([task], self._report, texts=self._texts)
        if not saved:
            return None
        sequel = task.vm.sequel
        sequels = () if sequel is None else ((task.task_id, saved_request(sequel)),)
        one = [task]
        return (
            task_to_value(saved[0], self._texts.lines),
            saved_policies(one),
            saved_errors(one),
            saved_waits(one),
            sequels,
        )

    def order(self) -> tuple[int, ...]:
        """Return the serials of all tasks in the order of a textdump.

        Those that a textdump would leave out are given out anew by `changes`.
        """
        waiting: Iterable[BackgroundTask] = [*self._scheduler.background_tasks()]
        in_order = sorted(waiting, key=lambda task: not isinstance(task, ForkedTask))
        serials = [self._serials.get(task) for task in in_order]
        left_out = self._serials.keys() - set(in_order)
        for task in left_out:
            del self._serials[task]
            self._changed[task] = None
        return tuple(serial for serial in serials if serial is not None)

    def begin_segment(self) -> None:
        """Texts that were written before will be written again."""
        self._texts = _Texts()


class _Texts(ProgramTexts):
    """The texts of programs and their lines, each made once."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, tuple[str, ...]] = {}

    def get(self, program: Program, fork: int | None = None) -> str:
        if len(self._texts) >= _MAX_PROGRAMS:
            self._texts.clear()
            self._lines.clear()
        return super().get(program, fork)

    def lines(self, text: str) -> tuple[str, ...]:
        """Return the lines of a text, always the same list."""
        lines = self._lines.get(text)
        if lines is None:
            lines = self._lines[text] = lines_of(text)
        return lines
