"""Saved tasks as lists, for the records of a journal.

What a textdump keeps of a task, field for field (`saved`), in the values that
`journal_values` writes.  The text of a program is a list of its lines: who gives the
same list for the same program has it written once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymoo.db.redo import check_value
from pymoo.db.saved import (
    CatchMark,
    FinallyMark,
    SavedActivation,
    SavedBuiltin,
    SavedForkedTask,
    SavedFrame,
    SavedSuspendedTask,
    SavedTask,
    Unset,
    Variable,
)
from pymoo.values import Obj

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
        _expect_ints(first_line, start_time, task_id, version)
        return SavedForkedTask(
            first_line,
            start_time,
            task_id,
            _frame_from_value(frame),
            _variables_from_value(variables),
            text_of(lines),
            version,
        )
    if kind != "suspended":
        raise ValueError(f"no kind of task: {kind!r}")
    start_time, task_id, result, rows, vector, depth_limit = parts
    _expect_ints(start_time, task_id, vector, depth_limit)
    _check_entry(result)
    activations = []
    for row in rows:
        version, lines, variables, stack, frame, pc, error_pc, *rest = row
        temporary, builtin_pc, builtin = rest
        _expect_ints(version, pc, error_pc, builtin_pc)
        for entry in (*stack, temporary):
            _check_entry(entry)
        activations.append(
            SavedActivation(
                version,
                text_of(lines),
                _variables_from_value(variables),
                stack,
                _frame_from_value(frame),
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


def _frame_from_value(value: tuple[Any, ...]) -> SavedFrame:
    if tuple(map(type, value)) != (Obj, Obj, Obj, Obj, int, str, str):
        raise TypeError("no frame of a call")
    return SavedFrame(*value)


def _variables_from_value(value: tuple[Any, ...]) -> tuple[Variable, ...]:
    for name, entry in value:
        if type(name) is not str:
            raise TypeError("a variable without a name")
        _check_entry(entry)
    return value


def _expect_ints(*values: Any) -> None:
    if set(map(type, values)) != {int}:
        raise TypeError("something else in the place of a number")


def _check_entry(entry: Any) -> None:
    """Raise TypeError for what cannot be on a stack."""
    if not isinstance(entry, Unset | CatchMark | FinallyMark):
        check_value(entry)


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
        if type(function) is not str or not set(map(type, objects)) <= {Obj}:
            raise TypeError("no function that waits")
        builtin = SavedBuiltin(function, objects, builtin)
    return builtin
