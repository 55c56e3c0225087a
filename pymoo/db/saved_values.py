"""Saved tasks as lists, for the records of a journal.

What a textdump keeps of a task, field for field (`saved`), in the values that
`journal_values` writes.  The text of a program is a list of its lines: who gives the
same list for the same program has it written once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymoo.db.saved import (
    SavedActivation,
    SavedBuiltin,
    SavedForkedTask,
    SavedFrame,
    SavedSuspendedTask,
    SavedTask,
)

Lines = Callable[[str], tuple[str, ...]]
"""Gives the lines of a program's text."""


def lines_of(text: str) -> tuple[str, ...]:
    """Return the lines of a text; `text_of` puts them together again."""
    return tuple(text.split("\n"))


def text_of(lines: tuple[str, ...]) -> str:
    """Return the text of `lines_of`."""
    return "\n".join(lines)


def task_to_value(task: SavedTask, lines: Lines = lines_of) -> tuple[Any, ...]:
    """Return a task as a list."""
    if isinstance(task, SavedForkedTask):
        return (
            "forked",
            task.first_line,
            task.start_time,
            task.task_id,
            _frame_to_value(task.frame),
            task.variables,
            lines(task.program),
            task.version,
        )
    return (
        "suspended",
        task.start_time,
        task.task_id,
        task.value,
        tuple(
            (
                act.version,
                lines(act.program),
                act.variables,
                act.stack,
                _frame_to_value(act.frame),
                act.pc,
                act.error_pc,
                act.temporary,
                act.builtin_pc,
                _builtin_to_value(act.builtin),
            )
            for act in task.activations
        ),
        task.vector,
        task.depth_limit,
    )


def task_from_value(value: tuple[Any, ...]) -> SavedTask:
    """Return the task of `task_to_value`.

    Raises: ValueError, TypeError or LookupError for anything else.
    """
    kind, *parts = value
    if kind == "forked":
        first_line, start_time, task_id, frame, variables, lines, version = parts
        return SavedForkedTask(
            first_line,
            start_time,
            task_id,
            SavedFrame(*frame),
            variables,
            text_of(lines),
            version,
        )
    if kind != "suspended":
        raise ValueError(f"no kind of task: {kind!r}")
    start_time, task_id, result, rows, vector, depth_limit = parts
    activations = []
    for row in rows:
        version, lines, variables, stack, frame, pc, error_pc, *rest = row
        temporary, builtin_pc, builtin = rest
        activations.append(
            SavedActivation(
                version,
                text_of(lines),
                variables,
                stack,
                SavedFrame(*frame),
                pc,
                error_pc,
                temporary,
                builtin_pc,
                _builtin_from_value(builtin),
            )
        )
    return SavedSuspendedTask(
        start_time, task_id, result, tuple(activations), vector, depth_limit
    )


def _frame_to_value(frame: SavedFrame) -> tuple[Any, ...]:
    return (
        frame.this,
        frame.player,
        frame.programmer,
        frame.definer,
        frame.debug,
        frame.verb,
        frame.verb_names,
    )


def _builtin_to_value(builtin: SavedBuiltin | None) -> tuple[Any, ...]:
    """Return the function, and those within: what ``call_function`` has called."""
    functions: list[tuple[str, tuple[Any, ...]]] = []
    while builtin is not None:
        functions.append((builtin.function, builtin.objects))
        builtin = builtin.inner
    return tuple(functions)


def _builtin_from_value(value: tuple[Any, ...]) -> SavedBuiltin | None:
    builtin: SavedBuiltin | None = None
    for function, objects in reversed(value):
        builtin = SavedBuiltin(function, objects, builtin)
    return builtin
