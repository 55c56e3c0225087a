"""The task section of a textdump: forked and suspended tasks, read and written.

Whatever can be read is kept as it stands in the file; what it means, and whether a
pc and a stack fit the program, is for the tasks layer to find out.  The messages in
the log are those of the C server, from the innermost to the outermost of what
failed.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Final

from pymoo.db.log import Log
from pymoo.db.objects import LANGUAGE_VERSION
from pymoo.db.saved import (
    NO_LIMIT_GIVEN,
    SavedActivation,
    SavedBuiltin,
    SavedForkedTask,
    SavedFrame,
    SavedSuspendedTask,
    SavedTask,
    StackEntry,
    Variable,
)
from pymoo.db.textdump_io import TextdumpReader, TextdumpWriter
from pymoo.db.textdump_programs import ProgramReader
from pymoo.errors import TextdumpError
from pymoo.values import Obj

FLOATS_VERSION: Final = 3
"""The version from which each activation names the version of its language."""

# The data lines of functions that have some.  `recycle` writes a constant 0 where
# it once kept what it was about (objects.c).
_DATA_LINES: Final = {
    "create": "bf_create data: oid = %d\n",
    "recycle": "bf_recycle data: oid = %d, cont = %d\n",
    "move": "bf_move data: what = %d, where = %d\n",
}
_DATA_OBJECTS: Final = {"create": 1, "recycle": 1, "move": 2}
_CALL_FUNCTION: Final = "call_function"
_CALL_FUNCTION_LINE: Final = "bf_call_function data: fname = "

# Place-holders for what frames held long ago (execute.c, write_activ_as_pi).
_OLD_VALUE: Final = -111
_OLD_STRINGS: Final = ("No", "More", "Parse", "Infos")


class _Logged:
    """Writes a line to the log if what is done within is refused."""

    __slots__ = ("_line", "_log")

    def __init__(self, log: Log, line: str) -> None:
        self._log = log
        self._line = line

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, TextdumpError):
            self._log(self._line, True)


class TaskReader:
    """Reads the task section of a file of the given format version."""

    def __init__(
        self,
        reader: TextdumpReader,
        programs: ProgramReader,
        log: Log,
        version: int,
    ) -> None:
        self._reader = reader
        self._programs = programs
        self._log = log
        self._version = version
        self.tasks: Final[list[SavedTask]] = []
        """Those that have been read, also where `read` ends with an error."""

    def _logged(self, line: str) -> _Logged:
        return _Logged(self._log, line)

    def _scan(self, pattern: str, expected: str, *, count: int) -> list[int]:
        """Return the ``count`` numbers of a line that has to fit a pattern.

        Raises: TextdumpError if it does not, or if other characters follow where the
            pattern ends with one.
        """
        found = self._reader.scan(pattern) or []
        ends_with_character = pattern.endswith("%c")
        if len(found) != count + ends_with_character or (
            ends_with_character and found[-1] != "\n"
        ):
            raise self._reader.scan_error(expected)
        return found[:count]  # type: ignore[return-value]

    def read(self) -> list[SavedTask]:
        """Read the section: the forked tasks, then the suspended ones.

        Raises: TextdumpError.
        Source: tasks.c, read_task_queue.
        """
        tasks = self.tasks
        reader = self._reader
        reader.place = "the tasks"
        with self._logged("READ_TASK_QUEUE: Bad clock count."):
            (count,) = self._scan("%d clocks\n", "'0 clocks'", count=1)
        for left in range(count, 0, -1):
            with self._logged(f"READ_TASK_QUEUE: Bad clock; count = {left}"):
                self._scan("%d %d %d\n", "three numbers of a clock", count=3)
        with self._logged("READ_TASK_QUEUE: Bad task count."):
            (count,) = self._scan("%d queued tasks\n", "'N queued tasks'", count=1)
        for left in range(count, 0, -1):
            reader.place = f"forked task {count - left + 1} of {count}"
            tasks.append(self._read_forked_task(left))
        reader.place = "the tasks"
        found = reader.scan("%d suspended tasks\n")
        if found is None:
            return tasks  # a file from before there were any
        with self._logged("READ_TASK_QUEUE: Bad suspended task count."):
            if not found:
                raise reader.scan_error("'N suspended tasks'")
        count = int(found[0])
        for left in range(count, 0, -1):
            reader.place = f"suspended task {count - left + 1} of {count}"
            tasks.append(self._read_suspended_task(left))
        return tasks

    def _read_forked_task(self, left: int) -> SavedForkedTask:
        with self._logged(f"READ_TASK_QUEUE: Bad numbers, count = {left}."):
            _, line, start_time, task_id = self._scan(
                "%d %d %d %d%c", "'0 LINE TIME ID'", count=4
            )
        with self._logged(f"READ_TASK_QUEUE: Bad activation, count = {left}."):
            frame = self._read_frame()
        with self._logged(f"READ_TASK_QUEUE: Bad env, count = {left}."):
            variables = self._read_variables()
        with self._logged(f"READ_TASK_QUEUE: Bad program, count = {left}."):
            program, _ = self._programs.read(self._version, lambda: "forked task")
        return SavedForkedTask(
            line, start_time, task_id, frame, variables, program, self._version
        )

    def _read_suspended_task(self, left: int) -> SavedSuspendedTask:
        reader = self._reader
        with self._logged(
            f"READ_TASK_QUEUE: Bad suspended task header, count = {left}"
        ):
            found = reader.scan("%d %d%c") or []
            if len(found) != 3:
                raise reader.scan_error("'TIME ID VALUE'")
        start_time, task_id, behind = found
        with self._logged(f"READ_TASK_QUEUE: Bad suspended task value, count = {left}"):
            value: StackEntry = 0
            if behind == " ":
                value = reader.read_stack_entry()
            elif behind != "\n":
                raise reader.scan_error("'TIME ID VALUE'")
        with self._logged(f"READ_TASK_QUEUE: Bad suspended task vm, count = {left}"):
            with self._logged("READ_VM: Bad vm header"):
                top, vector, limit = self._read_stack_line()
            activations = []
            for number in range(top + 1):
                with self._logged(f"READ_VM: Bad activ number {number}"):
                    activations.append(
                        self._read_activation(vector if number == 0 else -1)
                    )
        return SavedSuspendedTask(
            int(start_time), int(task_id), value, tuple(activations), vector, limit
        )

    def _read_stack_line(self) -> tuple[int, int, int]:
        """Source: eval_vm.c, read_vm."""
        reader = self._reader
        found = reader.scan("%u %d %u%c") or []
        limit = NO_LIMIT_GIVEN
        behind = found[3] if len(found) == 4 else ""
        if behind == " ":
            more = reader.scan("%u%c") or []
            if len(more) == 2:
                limit = int(more[0])
                behind = more[1]
        if behind != "\n":
            raise reader.scan_error("'TOP VECTOR 0 LIMIT'")
        top, vector = int(found[0]), int(found[1])
        reader.check_room(top + 1, 60, "activations")
        return top, vector, limit

    def _read_activation(self, vector: int) -> SavedActivation:
        """Source: execute.c, read_activ."""
        reader = self._reader
        version = self._read_version()
        with self._logged("READ_ACTIV: Malformed program"):
            program, _ = self._programs.read(version, lambda: "suspended task")
        with self._logged("READ_ACTIV: Malformed runtime environment"):
            variables = self._read_variables()
        with self._logged("READ_ACTIV: Bad stack_in_use number"):
            (height,) = self._scan(
                "%d rt_stack slots in use\n", "'N rt_stack slots in use'", count=1
            )
            reader.check_room(height, 2, "stack slots")
        stack = tuple([reader.read_stack_entry() for _ in range(height)])
        with self._logged("READ_ACTIV: Bad activ."):
            frame = self._read_frame()
        temporary = reader.read_stack_entry()
        with self._logged(f"READ_ACTIV: bad pc, next. stack_in_use = {height}"):
            line = reader.line
            found = reader.scan("%u %u%c") or []
            if len(found) != 3:
                raise reader.scan_error("'PC BI_FUNC_PC ERROR_PC'")
        pc, builtin_pc, behind = int(found[0]), int(found[1]) & 255, found[2]
        error_pc = pc
        if behind != "\n":
            with self._logged("READ_ACTIV: no error pc."):
                (error_pc,) = self._scan("%u\n", "an error pc", count=1)
        checker = self._programs.checker
        if checker and not checker.is_behind_call(program, version, vector, pc):
            with self._logged("READ_ACTIV: Bad PC for suspended task."):
                raise reader.error(
                    f"pc {pc} is not behind a call of this program", line=line
                )
        builtin = None
        if builtin_pc:
            builtin_pc, builtin = self._read_builtin(builtin_pc)
        return SavedActivation(
            version=version,
            program=program,
            variables=variables,
            stack=stack,
            frame=frame,
            pc=pc,
            error_pc=error_pc,
            temporary=temporary,
            builtin_pc=builtin_pc,
            builtin=builtin,
        )

    def _read_version(self) -> int:
        if self._version < FLOATS_VERSION:
            return self._version
        with self._logged("READ_ACTIV: Malformed language version"):
            (version,) = self._scan(
                "language version %u\n", "'language version 4'", count=1
            )
        if version > LANGUAGE_VERSION:
            with self._logged(f"READ_ACTIV: Unrecognized language version: {version}"):
                raise self._reader.error(
                    f"expected a language version up to {LANGUAGE_VERSION}, found "
                    f"{version}"
                )
        return version

    def _read_frame(self) -> SavedFrame:
        """Source: execute.c, read_activ_as_pi."""
        reader = self._reader
        reader.read_stack_entry()
        with self._logged("READ_A: Bad numbers."):
            this, _, _, player, _, programmer, definer, _, debug = self._scan(
                "%d %d %d %d %d %d %d %d %d%c",
                "'THIS -7 -8 PLAYER -9 PROGRAMMER DEFINER -10 DEBUG'",
                count=9,
            )
        for _ in _OLD_STRINGS:
            reader.read_string()
        verb = reader.read_string("the name of a verb")
        names = reader.read_string("the names of a verb")
        return SavedFrame(
            Obj(this), Obj(player), Obj(programmer), Obj(definer), debug, verb, names
        )

    def _read_variables(self) -> tuple[Variable, ...]:
        """Source: execute.c, read_rt_env."""
        reader = self._reader
        with self._logged("READ_RT_ENV: Bad count."):
            (count,) = self._scan("%d variables\n", "'N variables'", count=1)
            reader.check_room(count, 3, "variables")
        return tuple(
            [
                (
                    reader.read_string("the name of a variable"),
                    reader.read_stack_entry(),
                )
                for _ in range(count)
            ]
        )

    def _read_builtin(self, step: int) -> tuple[int, SavedBuiltin | None]:
        """Read which built-in function waits, and its data.

        Source: execute.c, read_activ; functions.c, read_bi_func_data.
        """
        reader = self._reader
        name = reader.read_string("the name of a built-in function")
        if not self._is_known(name):
            with self._logged(f"READ_ACTIV: Unknown built-in function `{name}'"):
                raise reader.error(f"there is no built-in function {name!r}")
        functions = [name]
        lines = [name]
        try:
            while functions[-1] == _CALL_FUNCTION:
                functions.append(self._read_called_function(functions, lines))
            innermost = functions[-1]
            objects = self._read_data(functions) if innermost in _DATA_LINES else ()
        except TextdumpError:
            # The name is in a buffer that the lines after it have gone through too.
            self._log(
                f"READ_ACTIV: Bad saved state for built-in function `{lines[-1]}'", True
            )
            raise
        if (
            step == 2
            and self._version == FLOATS_VERSION
            and innermost not in _DATA_LINES
            and innermost != "eval"
        ):
            # Servers of that time left a trace where a protected function had been
            # replaced by a verb, which returns past it.
            self._log(
                f"LOADING: Warning: patching bogus return to `{innermost}()'", False
            )
            self._log("         (See 1.8.0p4 ChangeLog.txt entry for details.)", False)
            return 0, None
        saved = SavedBuiltin(functions.pop(), objects)
        while functions:
            saved = SavedBuiltin(functions.pop(), inner=saved)
        return step, saved

    def _is_known(self, function: str) -> bool:
        checker = self._programs.checker
        return checker is None or checker.has_function(function)

    def _read_called_function(self, functions: list[str], lines: list[str]) -> str:
        line = self._reader.read_string("the data of call_function()")
        lines.append(line)
        called = line.removeprefix(_CALL_FUNCTION_LINE)
        if called == line or not self._is_known(called):
            if called != line:
                self._log(f"CALL_FUNCTION: Unknown built-in function: {called}", True)
            self._log_unread_data(functions)
            raise self._reader.error(
                f"expected '{_CALL_FUNCTION_LINE}' and a function, found {line!r}"
            )
        return called

    def _read_data(self, functions: list[str]) -> tuple[Obj, ...]:
        pattern = _DATA_LINES[functions[-1]]
        found = self._reader.scan(pattern) or []
        if len(found) != pattern.count("%d"):
            self._log_unread_data(functions)
            raise self._reader.scan_error(repr(pattern.strip()))
        return tuple([Obj(n) for n in found[: _DATA_OBJECTS[functions[-1]]]])

    def _log_unread_data(self, functions: list[str]) -> None:
        for name in reversed(functions):
            self._log(f"READ_BI_FUNC_DATA: Can't read data for {name}()", True)


# --- writing ------------------------------------------------------------------


def write_tasks(writer: TextdumpWriter, tasks: Iterable[SavedTask]) -> None:
    """Write the section; within each kind tasks stay in their order.

    Source: tasks.c, write_task_queue.
    """
    forked = []
    suspended = []
    for task in tasks:
        if isinstance(task, SavedForkedTask):
            forked.append(task)
        else:
            suspended.append(task)
    writer.add("0 clocks")
    writer.add(f"{len(forked)} queued tasks")
    for task in forked:
        writer.add(f"0 {task.first_line} {task.start_time} {task.task_id}")
        _write_frame(writer, task.frame)
        _write_variables(writer, task.variables)
        writer.add_program(task.program)
        writer.flush_if_full()
    writer.add(f"{len(suspended)} suspended tasks")
    for sleeper in suspended:
        _write_suspended_task(writer, sleeper)
        writer.flush_if_full()


def _write_suspended_task(writer: TextdumpWriter, task: SavedSuspendedTask) -> None:
    writer.add_value(task.value, before=f"{task.start_time} {task.task_id} ")
    writer.add(f"{len(task.activations) - 1} {task.vector} 0 {task.depth_limit}")
    for activation in task.activations:
        writer.add(f"language version {activation.version}")
        writer.add_program(activation.program)
        _write_variables(writer, activation.variables)
        writer.add(f"{len(activation.stack)} rt_stack slots in use")
        for entry in activation.stack:
            writer.add_value(entry)
        _write_frame(writer, activation.frame)
        writer.add_value(activation.temporary)
        writer.add(f"{activation.pc} {activation.builtin_pc} {activation.error_pc}")
        if activation.builtin is not None:
            _write_builtin(writer, activation.builtin)


def _write_frame(writer: TextdumpWriter, frame: SavedFrame) -> None:
    """Source: execute.c, write_activ_as_pi."""
    writer.add_value(_OLD_VALUE)
    writer.add(
        f"{int(frame.this)} -7 -8 {int(frame.player)} -9 {int(frame.programmer)} "
        f"{int(frame.definer)} -10 {frame.debug}"
    )
    for text in (*_OLD_STRINGS, frame.verb, frame.verb_names):
        writer.add_string(text)


def _write_variables(writer: TextdumpWriter, variables: tuple[Variable, ...]) -> None:
    writer.add(f"{len(variables)} variables")
    for name, entry in variables:
        writer.add_string(name)
        writer.add_value(entry)


def _write_builtin(writer: TextdumpWriter, builtin: SavedBuiltin) -> None:
    writer.add(builtin.function)
    innermost: SavedBuiltin = builtin
    while innermost.inner is not None:
        innermost = innermost.inner
        writer.add(_CALL_FUNCTION_LINE + innermost.function)
    pattern = _DATA_LINES.get(innermost.function)
    if pattern is not None:
        numbers = [int(objid) for objid in innermost.objects]
        numbers += [0] * (pattern.count("%d") - len(numbers))
        writer.add(pattern.rstrip("\n") % tuple(numbers))
