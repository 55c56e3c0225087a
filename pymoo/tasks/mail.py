"""Messages that tasks send each other, and the tasks that wait for some.

M1  What a slice sends arrives at its end (`arrive`); if it is rolled back instead,
    nothing was sent (`withdraw`).
M2  A message for a task that is no more by then is dropped, and those that a task has
    not taken end with it.
M3  task_recv() always ends a slice; the task takes its messages when it goes on.  So
    none is taken within a slice, and a slice that is rolled back loses none.
M4  All of it together is no larger than a textdump can hold (`MAX_ELEMENTS`).

How task_send() and task_recv() are called is in `builtins.added_tasks`; who may send to
whom, in `scheduler`.  Source: mooR's manual, "Inter-task messaging".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pymoo.db.textdump_io import expanded_length
from pymoo.errors import MooError
from pymoo.tasks.schedule import MAX_ELEMENTS
from pymoo.tasks.task import SuspendedTask
from pymoo.values import E_QUOTA, Meter, Value


class Mail:
    """The mailboxes of all tasks; the `waiting.WaitKind` of those that look there."""

    survives = True

    def __init__(
        self, is_there: Callable[[int], bool], hasten: Callable[[SuspendedTask], None]
    ) -> None:
        """``is_there`` tells whether a task of some number sleeps, is ready, or reads.

        ``hasten`` lets a task go on now that would otherwise do so later.
        """
        self._is_there: Final = is_there
        self._hasten: Final = hasten
        # By the number of the task: what it has been sent; no box is empty.
        self._boxes: Final[dict[int, list[Value]]] = {}
        # What the slice under way has sent, in the same form.
        self._sent: Final[dict[int, list[Value]]] = {}
        # Of all of these, those of lists in them included.
        self._elements = 0
        self.changes = 0
        """Grows whenever the boxes change."""
        # Those that no message has come for yet.
        self._waiting: Final[dict[int, SuspendedTask]] = {}

    def send(self, task_id: int, value: Value, limit: int, meter: Meter) -> None:
        """Send ``value`` to a task that may have ``limit`` messages.

        Raises: E_QUOTA, also if there is no room for it among all messages.
        """
        sent = self._sent.get(task_id, ())
        if len(self._boxes.get(task_id, ())) + len(sent) >= limit:
            text = f"Task {task_id} has {limit} messages already, and may have no more"
            raise MooError(E_QUOTA, text, task_id)
        elements = expanded_length((value,))
        meter.spend(elements)
        if self._elements + elements > MAX_ELEMENTS:
            raise MooError(
                E_QUOTA, "There is no room for this message among the others"
            )
        self._elements += elements
        self._sent.setdefault(task_id, []).append(value)

    def withdraw(self, task_id: int) -> None:
        """Undo the last `send` to a task, in the slice under way."""
        sent = self._sent[task_id]
        self._release([sent.pop()])
        if not sent:
            del self._sent[task_id]

    def arrive(self) -> None:
        """A slice has ended: what it has sent is there."""
        for task_id, values in self._sent.items():
            if self._is_there(task_id):
                self.changes += 1
                self._boxes.setdefault(task_id, []).extend(values)
                task = self._waiting.pop(task_id, None)
                if task is not None:
                    self._hasten(task)
            else:
                self._release(values)
        self._sent.clear()

    def drop(self, task_id: int) -> None:
        """A task has ended."""
        if task_id in self._boxes and not self._is_there(task_id):
            self.changes += 1
            self._release(self._boxes.pop(task_id))

    def _release(self, values: list[Value]) -> None:
        self._elements -= expanded_length(tuple(values))

    # --- tasks in task_recv() ---------------------------------------------

    def begin(self, task: SuspendedTask, data: Value) -> None:
        """A task has called task_recv()."""
        if task.task_id in self._boxes:
            self._hasten(task)
        else:
            self._waiting[task.task_id] = task

    def end(self, task: SuspendedTask) -> None:
        """It goes on and takes what is there; or it was killed."""
        if self._waiting.get(task.task_id) is task:
            del self._waiting[task.task_id]
        values = self._boxes.pop(task.task_id, [])
        self.changes += 1
        self._release(values)
        task.value = tuple(values)

    # --- from one start to the next -----------------------------------------

    @property
    def saved(self) -> Value:
        """Rows {task id, messages}."""
        return tuple(
            (task_id, tuple(values)) for task_id, values in self._boxes.items()
        )

    def restore(self, saved: Value) -> None:
        """Fill the boxes of those tasks that are still there."""
        for row in saved if type(saved) is tuple else ():
            if type(row) is tuple and len(row) == 2:
                task_id, values = row
                if type(task_id) is int and type(values) is tuple and values:
                    if self._is_there(task_id):
                        self._boxes[task_id] = list(values)
        self._elements = sum(map(expanded_length, map(tuple, self._boxes.values())))
