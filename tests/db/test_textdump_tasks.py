"""The task section of a textdump."""

from __future__ import annotations

import io

import pytest

from pymoo.db.objects import LANGUAGE_VERSION
from pymoo.db.saved import (
    UNSET,
    WAITS_FOR_RESUME,
    CatchMark,
    FinallyMark,
    SavedActivation,
    SavedBuiltin,
    SavedForkedTask,
    SavedFrame,
    SavedSuspendedTask,
)
from pymoo.db.textdump_io import TextdumpReader, TextdumpWriter
from pymoo.db.textdump_programs import ProgramReader
from pymoo.db.textdump_tasks import TaskReader, write_tasks
from pymoo.errors import TextdumpError
from pymoo.values import E_PERM, Obj
from tests.db.worlds import DATA, Checker, loaded

FRAME = SavedFrame(Obj(4), Obj(3), Obj(5), Obj(6), 8, "foo", "foo b*ar")
FRAME_LINES = "0\n-111\n4 -7 -8 3 -9 5 6 -10 8\nNo\nMore\nParse\nInfos\nfoo\nfoo b*ar\n"

FORKED = SavedForkedTask(
    first_line=7,
    start_time=1_700_000_000,
    task_id=12345,
    frame=FRAME,
    variables=(("NUM", 0), ("x", UNSET), ("y", ("a", Obj(1)))),
    program="a = 1;\nb();\n",
)
FORKED_LINES = (
    "0 7 1700000000 12345\n"
    + FRAME_LINES
    + "3 variables\nNUM\n0\n0\nx\n6\ny\n4\n2\n2\na\n1\n1\na = 1;\nb();\n.\n"
)


def activation(**changes):
    settings = {
        "version": 4,
        "program": "return move(#1, #2);\n",
        "variables": (("NUM", 0),),
        "stack": ((1, "a"), CatchMark(2), FinallyMark(33), UNSET),
        "frame": FRAME,
        "pc": 8,
        "error_pc": 6,
    }
    return SavedActivation(**{**settings, **changes})


ACTIVATION_LINES = (
    "language version 4\nreturn move(#1, #2);\n.\n1 variables\nNUM\n0\n0\n"
    "4 rt_stack slots in use\n4\n2\n0\n1\n2\na\n7\n2\n8\n33\n6\n" + FRAME_LINES + "6\n"
)

SUSPENDED = SavedSuspendedTask(
    WAITS_FOR_RESUME, 99, E_PERM, (activation(), activation()), vector=1, depth_limit=80
)
SUSPENDED_LINES = "2147483647 99 3\n3\n1 1 0 80\n" + (ACTIVATION_LINES + "8 0 6\n") * 2


def section(*, forked=(), suspended=()):
    return (
        f"0 clocks\n{len(forked)} queued tasks\n{''.join(forked)}"
        f"{len(suspended)} suspended tasks\n{''.join(suspended)}"
    )


def written(*tasks):
    stream = io.BytesIO()
    writer = TextdumpWriter(stream)
    write_tasks(writer, tasks)
    writer.flush()
    return stream.getvalue().decode("latin-1")


def read(text, *, checker=None, version=4):
    log = []

    def note(line, is_error):
        log.append(("*** " if is_error else "") + line)

    data = text.encode("latin-1")
    reader = TextdumpReader(
        io.BytesIO(data), "t.db", log.append, log.append, size=len(data)
    )
    programs = ProgramReader(reader, note, checker)
    try:
        return TaskReader(reader, programs, note, version).read(), log
    except TextdumpError as error:
        return str(error), log


def test_forked_tasks_are_written_and_read_line_by_line():
    assert written(FORKED) == section(forked=[FORKED_LINES])
    (task,), log = read(section(forked=[FORKED_LINES]))
    assert log == []
    assert (task.first_line, task.start_time, task.task_id) == (7, 1_700_000_000, 12345)
    assert task.frame == FRAME
    assert task.variables == FORKED.variables
    assert task.program == FORKED.program
    assert task.version == LANGUAGE_VERSION


def test_suspended_tasks_are_written_and_read_line_by_line():
    assert written(SUSPENDED) == section(suspended=[SUSPENDED_LINES])
    (task,), log = read(section(suspended=[SUSPENDED_LINES]))
    assert log == []
    assert (task.start_time, task.task_id) == (WAITS_FOR_RESUME, 99)
    assert (task.value, task.vector, task.depth_limit) == (E_PERM, 1, 80)
    assert len(task.activations) == 2
    inner = task.activations[1]
    assert inner.stack == ((1, "a"), CatchMark(2), FinallyMark(33), UNSET)
    assert (inner.pc, inner.error_pc, inner.temporary) == (8, 6, UNSET)
    assert inner.builtin is None


def test_only_the_outermost_activation_runs_a_fork_of_its_program():
    asked = []

    class Noting(Checker):
        def is_behind_call(self, text, version, vector, pc):
            asked.append((text, version, vector, pc))
            return True

    read(section(suspended=[SUSPENDED_LINES]), checker=Noting())
    program = "return move(#1, #2);\n"
    assert asked == [(program, 4, 1, 8), (program, 4, -1, 8)]


def test_each_kind_keeps_its_order_whatever_stands_between():
    text = written(SUSPENDED, FORKED, SUSPENDED)
    assert text == section(
        forked=[FORKED_LINES], suspended=[SUSPENDED_LINES, SUSPENDED_LINES]
    )
    tasks, _ = read(text)
    kinds = [type(task) for task in tasks]
    assert kinds == [SavedForkedTask, SavedSuspendedTask, SavedSuspendedTask]


@pytest.mark.parametrize(
    ("builtin", "step", "lines"),
    [
        (SavedBuiltin("eval"), 2, "eval\n"),
        (SavedBuiltin("create", (Obj(12),)), 2, "create\nbf_create data: oid = 12\n"),
        (
            SavedBuiltin("recycle", (Obj(12),)),
            2,
            "recycle\nbf_recycle data: oid = 12, cont = 0\n",
        ),
        (
            SavedBuiltin("move", (Obj(12), Obj(-1))),
            3,
            "move\nbf_move data: what = 12, where = -1\n",
        ),
        (
            SavedBuiltin(
                "call_function",
                inner=SavedBuiltin(
                    "call_function",
                    inner=SavedBuiltin("move", (Obj(1), Obj(2))),
                ),
            ),
            4,
            "call_function\nbf_call_function data: fname = call_function\n"
            "bf_call_function data: fname = move\nbf_move data: what = 1, where = 2\n",
        ),
        (
            SavedBuiltin("call_function", inner=SavedBuiltin("eval")),
            2,
            "call_function\nbf_call_function data: fname = eval\n",
        ),
    ],
)
def test_functions_that_wait_are_kept_with_their_step_and_data(builtin, step, lines):
    waiting = activation(builtin_pc=step, builtin=builtin)
    task = SavedSuspendedTask(5, 99, 0, (activation(), waiting))
    text = section(
        suspended=[
            "5 99 0\n0\n1 -1 0 50\n"
            + f"{ACTIVATION_LINES}8 0 6\n{ACTIVATION_LINES}8 {step} 6\n{lines}"
        ]
    )
    assert written(task) == text
    (again,), log = read(text)
    assert log == []
    assert again.activations[1].builtin == builtin
    assert again.activations[1].builtin_pc == step


def test_optional_parts_of_older_lines_have_their_defaults():
    old = ACTIVATION_LINES.replace("language version 4\n", "")
    (task,), _ = read(
        section(suspended=[f"5 99\n0 -1 0\n{old}8 0\n"]), checker=Checker(), version=1
    )
    assert (task.value, task.depth_limit) == (0, 50)
    assert (task.activations[0].pc, task.activations[0].error_pc) == (8, 8)
    assert task.activations[0].version == 1


def test_clocks_of_old_files_are_passed_over():
    tasks, log = read("2 clocks\n1 15000 60\n2 15000 60\n0 queued tasks\n")
    assert (tasks, log) == ([], [])


TRACE = [
    "LOADING: Warning: patching bogus return to `notify()'",
    "         (See 1.8.0p4 ChangeLog.txt entry for details.)",
]


@pytest.mark.parametrize(
    ("lines", "step", "version", "kept", "log"),
    [
        ("notify\n", 2, 3, None, TRACE),
        ("call_function\nbf_call_function data: fname = notify\n", 2, 3, None, TRACE),
        ("notify\n", 3, 3, "notify", []),
        ("notify\n", 2, 4, "notify", []),
        ("eval\n", 2, 3, "eval", []),
        ("create\nbf_create data: oid = 7\n", 2, 3, "create", []),
        ("eval\n", 258, 4, "eval", []),
    ],
)
def test_the_trace_of_an_old_fault_is_taken_away(lines, step, version, kept, log):
    """Only version 3, step 2, and functions without data other than eval()."""
    text = section(
        suspended=[f"5 99 0\n0\n0 -1 0 50\n{ACTIVATION_LINES}8 {step} 6\n{lines}"]
    )
    (task,), said = read(text, version=version)
    (activation,) = task.activations
    assert (activation.builtin and activation.builtin.function) == kept
    assert activation.builtin_pc == (step & 255 if kept else 0)
    assert said == log


BAD_VM = [
    "*** READ_VM: Bad activ number 0",
    "*** READ_TASK_QUEUE: Bad suspended task vm, count = 1",
]


@pytest.mark.parametrize(
    ("text", "log", "message"),
    [
        ("x", ["READ_TASK_QUEUE: Bad clock count."], "expected '0 clocks'"),
        (
            "1 clocks\nx",
            ["READ_TASK_QUEUE: Bad clock; count = 1"],
            "expected three numbers of a clock",
        ),
        (
            "0 clocks\nx",
            ["READ_TASK_QUEUE: Bad task count."],
            "expected 'N queued tasks'",
        ),
        (
            "0 clocks\n2 queued tasks\n0 1 2\n",
            ["READ_TASK_QUEUE: Bad numbers, count = 2."],
            "forked task 1 of 2: expected '0 LINE TIME ID'",
        ),
        (
            section(forked=["0 7 1 2\n0\n0\n4 -7 -8\n"]),
            [
                "READ_A: Bad numbers.",
                "READ_TASK_QUEUE: Bad activation, count = 1.",
            ],
            "expected 'THIS -7 -8 PLAYER -9 PROGRAMMER DEFINER -10 DEBUG'",
        ),
        (
            section(forked=["0 7 1 2\n" + FRAME_LINES + "x variables\n"]),
            ["READ_RT_ENV: Bad count.", "READ_TASK_QUEUE: Bad env, count = 1."],
            "expected 'N variables'",
        ),
        (
            section(forked=["0 7 1 2\n" + FRAME_LINES + "-1 variables\n"]),
            ["READ_RT_ENV: Bad count.", "READ_TASK_QUEUE: Bad env, count = 1."],
            "the number of variables is -1",
        ),
        (
            section(forked=["0 7 1 2\n" + FRAME_LINES + "0 variables\nx = ;\n.\n"]),
            [
                "PARSER: Error in forked task:",
                "           Line 1:  syntax error",
                "READ_TASK_QUEUE: Bad program, count = 1.",
            ],
            "Line 1:  syntax error",
        ),
        (
            "0 clocks\n0 queued tasks\nx",
            ["READ_TASK_QUEUE: Bad suspended task count."],
            "expected 'N suspended tasks'",
        ),
        (
            section(suspended=["x"]),
            ["READ_TASK_QUEUE: Bad suspended task header, count = 1"],
            "suspended task 1 of 1: expected 'TIME ID VALUE'",
        ),
        (
            section(suspended=["5 99x"]),
            ["READ_TASK_QUEUE: Bad suspended task value, count = 1"],
            "expected 'TIME ID VALUE'",
        ),
        (
            section(suspended=["5 99 0\n0\n1 -1\n"]),
            [
                "READ_VM: Bad vm header",
                "READ_TASK_QUEUE: Bad suspended task vm, count = 1",
            ],
            "expected 'TOP VECTOR 0 LIMIT'",
        ),
        (
            section(suspended=["5 99 0\n0\n4294967294 -1 0 50\n"]),
            [
                "READ_VM: Bad vm header",
                "READ_TASK_QUEUE: Bad suspended task vm, count = 1",
            ],
            "4294967295 activations are announced",
        ),
        (
            section(suspended=["5 99 0\n0\n0 -1 0 50\nx"]),
            ["READ_ACTIV: Malformed language version", *BAD_VM],
            "expected 'language version 4'",
        ),
        (
            section(suspended=["5 99 0\n0\n0 -1 0 50\nlanguage version 5\n"]),
            ["READ_ACTIV: Unrecognized language version: 5", *BAD_VM],
            "expected a language version up to 4, found 5",
        ),
        (
            section(
                suspended=[
                    "5 99 0\n0\n0 -1 0 50\nlanguage version 4\n.\n0 variables\nx"
                ]
            ),
            ["READ_ACTIV: Bad stack_in_use number", *BAD_VM],
            "expected 'N rt_stack slots in use'",
        ),
        (
            section(suspended=["5 99 0\n0\n0 -1 0 50\n" + ACTIVATION_LINES + "x"]),
            ["READ_ACTIV: bad pc, next. stack_in_use = 4", *BAD_VM],
            "expected 'PC BI_FUNC_PC ERROR_PC'",
        ),
        (
            section(suspended=["5 99 0\n0\n0 -1 0 50\n" + ACTIVATION_LINES + "8 0 x"]),
            ["READ_ACTIV: no error pc.", *BAD_VM],
            "expected an error pc",
        ),
        (
            section(
                suspended=["5 99 0\n0\n0 -1 0 50\n" + ACTIVATION_LINES + "1 0 1\n"]
            ),
            ["READ_ACTIV: Bad PC for suspended task.", *BAD_VM],
            "pc 1 is not behind a call of this program",
        ),
        (
            section(
                suspended=["5 99 0\n0\n0 -1 0 50\n" + ACTIVATION_LINES + "8 2 6\nzap\n"]
            ),
            ["READ_ACTIV: Unknown built-in function `zap'", *BAD_VM],
            "there is no built-in function 'zap'",
        ),
        (
            section(
                suspended=[
                    "5 99 0\n0\n0 -1 0 50\n"
                    + ACTIVATION_LINES
                    + "8 2 6\nmove\nbf_move data: what = 1\n"
                ]
            ),
            [
                "READ_BI_FUNC_DATA: Can't read data for move()",
                "READ_ACTIV: Bad saved state for built-in function `move'",
                *BAD_VM,
            ],
            "expected 'bf_move data: what = %d, where = %d'",
        ),
        (
            section(
                suspended=[
                    "5 99 0\n0\n0 -1 0 50\n"
                    + ACTIVATION_LINES
                    + "8 2 6\ncall_function\nbf_call_function data: fname = zap\n"
                ]
            ),
            [
                "CALL_FUNCTION: Unknown built-in function: zap",
                "READ_BI_FUNC_DATA: Can't read data for call_function()",
                "READ_ACTIV: Bad saved state for built-in function "
                "`bf_call_function data: fname = zap'",
                *BAD_VM,
            ],
            "found 'bf_call_function data: fname = zap'",
        ),
        (
            section(
                suspended=[
                    "5 99 0\n0\n0 -1 0 50\n"
                    + ACTIVATION_LINES
                    + "8 2 6\ncall_function\nbf_call_function data: fname = create\nx"
                ]
            ),
            [
                "READ_BI_FUNC_DATA: Can't read data for create()",
                "READ_BI_FUNC_DATA: Can't read data for call_function()",
                "READ_ACTIV: Bad saved state for built-in function "
                "`bf_call_function data: fname = create'",
                *BAD_VM,
            ],
            "expected 'bf_create data: oid = %d'",
        ),
    ],
)
def test_damage_is_refused_with_the_words_of_the_c_server(text, log, message):
    refusal, lines = read(text, checker=Checker())
    assert message in refusal
    assert [line.removeprefix("*** ") for line in lines] == [
        line.removeprefix("*** ") for line in log
    ]
    assert all(line.startswith("*** ") for line in lines)


def test_the_frame_of_code_from_eval_is_as_the_spec_says():
    """Caught in eval(): this and definer are #-1, the name as called is empty."""
    textdump = loaded((DATA / "tasks" / "evals.db").read_bytes())
    frames = [
        activation.frame
        for task in textdump.tasks
        if isinstance(task, SavedSuspendedTask)
        for activation in task.activations
        if activation.frame.verb_names == "Input to EVAL"
    ]
    assert frames
    for frame in frames:
        assert (frame.this, frame.definer, frame.verb) == (Obj(-1), Obj(-1), "")
        assert frame.debug == 1
