"""Places of tasks that the C server saved, in the classic code of their programs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pymoo.db.saved import (
    CatchMark,
    FinallyMark,
    SavedActivation,
    SavedForkedTask,
    SavedSuspendedTask,
)
from pymoo.db.textdump import Textdump, load
from pymoo.errors import MooSyntaxError, TextdumpError
from pymoo.lang import nodes as n
from pymoo.lang.classic import MAIN
from pymoo.lang.program import Program
from pymoo.lang.unparse import unparse
from tests.lang.programs import parse
from tests.shared_material import HAVE_SHARED, SHARED, needs_shared

pytestmark = needs_shared

FILES = (
    sorted(
        str(path.relative_to(SHARED / "textdumps"))
        for folder in ("tasks", "old")
        for path in (SHARED / "textdumps" / folder).glob("*.db")
    )
    if HAVE_SHARED
    else []
)


class Unchecked:
    """Lets a file through as it is."""

    def check_program(
        self, text: str, version: int, warn: Callable[[str], None]
    ) -> str:
        return text

    def is_behind_call(self, text: str, version: int, vector: int, pc: int) -> bool:
        return True

    def has_function(self, name: str) -> bool:
        return True


def textdump(file: str) -> Textdump:
    return load(SHARED / "textdumps" / file, checker=Unchecked())


def activations(file: str) -> list[tuple[SavedActivation, int]]:
    """Return the activations of a file with the vectors that they run."""
    return [
        (activation, MAIN if number else task.vector)
        for task in textdump(file).tasks
        if isinstance(task, SavedSuspendedTask)
        for number, activation in enumerate(task.activations)
    ]


def program_of(saved: SavedActivation | SavedForkedTask) -> Program:
    lines = saved.program.split("\n") if saved.program else []
    return parse(*lines, version=saved.version, warn=lambda warning: None)


def test_there_are_hundreds_of_them() -> None:
    assert sum(len(activations(file)) for file in FILES) == 653


@pytest.mark.parametrize("file", FILES)
def test_variables_have_the_order_of_the_file(file: str) -> None:
    for saved, _ in activations(file):
        assert program_of(saved).names == tuple(name for name, _ in saved.variables)


@pytest.mark.parametrize("file", FILES)
def test_every_pc_is_behind_a_call(file: str) -> None:
    for saved, vector in activations(file):
        path = program_of(saved).classic.site(vector, saved.pc)
        assert path is not None
        length = 1 if type(path[-1]) is n.VerbCall else 2
        # Servers that did not save an error_pc are taken to mean the pc.
        is_old = file.startswith("old/")
        assert saved.error_pc == saved.pc - (0 if is_old else length)


@pytest.mark.parametrize("file", FILES)
def test_the_stack_has_the_depth_of_the_call(file: str) -> None:
    for saved, vector in activations(file):
        code = program_of(saved).classic
        path = code.site(vector, saved.pc)
        assert path is not None
        assert code.depth(path[-1]) == len(saved.stack)


@pytest.mark.parametrize("file", FILES)
def test_the_marks_on_the_stack_are_those_of_the_nodes_around(file: str) -> None:
    for saved, vector in activations(file):
        code = program_of(saved).classic
        for entry, below in zip(saved.stack[1:], saved.stack, strict=False):
            if isinstance(entry, CatchMark):
                handler = code.handler_at(vector, below)  # type: ignore[arg-type]
                assert type(handler) in (n.ExceptArm, n.Catch)
        for entry in saved.stack:
            if isinstance(entry, FinallyMark):
                handler = code.handler_at(vector, entry.handler_pc)
                assert type(handler) is n.TryFinally


@pytest.mark.parametrize("file", FILES)
def test_forked_tasks_have_the_variables_of_their_verb(file: str) -> None:
    """All of the verb's, while the program is that of the body alone."""
    # A file of version 4 does not say that a program was written before INT and
    # FLOAT were variables.
    missing = {"int", "float"} if file.startswith("old/") else set()
    for task in textdump(file).tasks:
        if isinstance(task, SavedForkedTask):
            names = {name.lower() for name, _ in task.variables}
            assert {name.lower() for name in program_of(task).names} - names <= missing


def test_forked_tasks_begin_on_the_line_of_their_fork() -> None:
    checked = 0
    for file in FILES:
        found = textdump(file)
        forks = [task for task in found.tasks if isinstance(task, SavedForkedTask)]
        # Code given to eval() is not in the file, and a redump has lost the lines.
        if file == "tasks/evals.db" or file.startswith("old/") or "redump" in file:
            continue
        lines: dict[str, set[int]] = {}
        for item in found.world.objects():
            for verb in item.verbs:
                program = parse(*(verb.code or "").split("\n"), warn=lambda _: None)
                for fork in range(len(program.forks)):
                    body = unparse(
                        program, fully_parenthesized=True, indent=False, fork=fork
                    )
                    at = program.classic.first_line(fork)
                    lines.setdefault("\n".join(body), set()).add(at)
        for task in forks:
            checked += 1
            assert task.first_line in lines[task.program.rstrip("\n")]
    assert checked == 15


def test_damaged_files_have_what_their_names_say() -> None:
    """Those that can be read at all are sound here, but for four."""
    unsound = set()
    read = 0
    for path in sorted((SHARED / "textdumps" / "bad").glob("*.db")):
        try:
            found = activations(f"bad/{path.name}")
        except TextdumpError:
            continue
        for saved, vector in found:
            read += 1
            try:
                program = program_of(saved)
            except MooSyntaxError:
                unsound.add(path.name)
                continue
            if program.names != tuple(name for name, _ in saved.variables):
                unsound.add(path.name)
            at = program.classic.site(vector, saved.pc)
            if at is None or program.classic.depth(at[-1]) != len(saved.stack):
                unsound.add(path.name)
    assert read == 56
    # Without its version a file is read as one of version 0, where the line of the
    # language version is one of the program.
    assert unsound == {
        "header-missing.db",
        "header-version-0.db",
        "task-bad-pc.db",
        "task-unknown-variable.db",
    }
