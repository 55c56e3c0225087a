"""Live tasks to what a textdump holds of them, and back.

A textdump keeps places in a program as pcs of the classic code, live tasks keep
them as nodes; `lang.classic` knows the way from one to the other.  On the operand
stack the same slots stand in both forms: see `interp.activation` and `db.saved`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

from pymoo.db.saved import (
    UNSET,
    CatchMark,
    FinallyMark,
    SavedActivation,
    SavedBuiltin,
    SavedForkedTask,
    SavedFrame,
    SavedSuspendedTask,
    SavedTask,
    StackEntry,
    Unset,
    Variable,
)
from pymoo.errors import MooError, TextdumpError
from pymoo.interp.activation import (
    MAIN_VECTOR,
    Activation,
    BuiltinCall,
    CatchMarker,
    FinallyMarker,
    Reason,
)
from pymoo.interp.engine import Engine
from pymoo.interp.vm import VM
from pymoo.interp.walker_tables import Exit
from pymoo.lang import nodes as n
from pymoo.lang.classic import ClassicCode
from pymoo.lang.program import Program
from pymoo.lang.unparse import unparse
from pymoo.tasks.task import FOREVER, BackgroundTask, ForkedTask, SuspendedTask
from pymoo.values import E_INVARG, ErrorCode, Obj, Value, fold

_LOOPS: Final = (n.ForList, n.ForRange, n.While)


# --- saving ---------------------------------------------------------------


def save_tasks(
    tasks: Iterable[BackgroundTask],
    report: Callable[[str, Exception], None] | None = None,
    *,
    texts: ProgramTexts | None = None,
) -> list[SavedTask]:
    """Return tasks as a textdump holds them, the forked ones first.

    With ``report`` a task that cannot be saved, which is a fault of pymoo's, is left
    out and reported: the world must not be lost for it.  ``texts`` are the texts that
    are known already.
    """
    if texts is None:
        texts = ProgramTexts()
    saved: list[SavedTask] = []
    suspended: list[SavedTask] = []
    for task in tasks:
        try:
            if isinstance(task, ForkedTask):
                saved.append(_save_forked(task, texts))
            else:
                suspended.append(_save_suspended(task, texts))
        except Exception as error:
            if report is None:
                raise
            report(f"saving task {task.task_id}", error)
    return saved + suspended


class ProgramTexts:
    """The texts of programs, each made once."""

    def __init__(self) -> None:
        self._texts: dict[tuple[int, int | None], tuple[Program, str]] = {}

    def get(self, program: Program, fork: int | None = None) -> str:
        """Return the text of a program, or of one of its fork bodies."""
        key = (id(program), fork)
        found = self._texts.get(key)
        if found is None:
            lines = unparse(program, fully_parenthesized=True, indent=False, fork=fork)
            # The program is kept so that no other gets its id meanwhile.
            text = "".join(f"{line}\n" for line in lines)
            found = self._texts[key] = (program, text)
        return found[1]


def _save_forked(task: ForkedTask, texts: ProgramTexts) -> SavedForkedTask:
    act = task.top
    program = act.program
    is_body_alone = act.vector == MAIN_VECTOR  # it was read from a textdump
    return SavedForkedTask(
        # The C server keeps the line of a task that it has read for tracebacks, but
        # does not write it again.
        first_line=1 if is_body_alone else program.classic.first_line(act.vector),
        # What is later than the format can hold would be read as long past.
        start_time=min(FOREVER, math.ceil(task.start_time)),
        task_id=task.task_id,
        frame=_save_frame(act),
        variables=_save_variables(act),
        program=texts.get(program, None if is_body_alone else act.vector),
        version=program.version,
    )


def _plain(value: Value | MooError) -> Value:
    """Return what the format holds of the value that a task will get.

    Message and value of an error are kept besides (`waiting.saved_errors`).
    """
    if not isinstance(value, MooError):
        return value
    # Any other code would be returned, not raised.
    return value.code if type(value.code) is ErrorCode else E_INVARG


def _save_suspended(task: SuspendedTask, texts: ProgramTexts) -> SavedSuspendedTask:
    vm = task.vm
    return SavedSuspendedTask(
        start_time=math.ceil(task.start_time),
        task_id=vm.task_id,
        value=_plain(task.value),
        activations=tuple(
            _save_activation(act, texts.get(act.program)) for act in vm.activations
        ),
        vector=vm.activations[0].vector,
        depth_limit=vm.max_depth,
    )


def _save_activation(act: Activation, text: str) -> SavedActivation:
    """Return an activation as it is at a call; ``text`` is its program's."""
    program = act.program
    call = act.at
    assert isinstance(call, n.VerbCall | n.FunctionCall)
    pc = program.classic.call_pc(call)
    error_pc = act.error_pc
    if error_pc is None:
        error_pc = pc - (1 if type(call) is n.VerbCall else 2)
    builtin = act.builtin
    return SavedActivation(
        version=program.version,
        program=text,
        variables=_save_variables(act),
        stack=tuple(_save_entry(entry, program) for entry in act.stack),
        frame=_save_frame(act),
        pc=pc,
        error_pc=error_pc,
        temporary=UNSET if act.temporary is None else act.temporary,
        builtin_pc=0 if builtin is None else builtin.step,
        builtin=None if builtin is None else _save_builtin(builtin.name, builtin.data),
    )


def _save_frame(act: Activation) -> SavedFrame:
    return SavedFrame(
        this=act.this,
        player=act.player,
        programmer=act.programmer,
        definer=act.definer,
        debug=act.debug,
        verb=act.verb,
        verb_names=act.verb_names,
    )


def _save_variables(act: Activation) -> tuple[Variable, ...]:
    return tuple(
        (name, UNSET if value is None else value)
        for name, value in zip(act.program.names, act.vars, strict=True)
    )


def _save_entry(entry: Any, program: Program) -> StackEntry:
    kind = type(entry)
    if kind is list:
        return tuple(entry)
    if kind is CatchMarker:
        return CatchMark(entry.arms)
    if kind is FinallyMarker:
        return FinallyMark(program.classic.handler_pc(entry.statement))
    if kind is n.ExceptArm or kind is n.Catch:
        return program.classic.handler_pc(entry)
    if kind is Reason:
        return int(entry)
    if kind is Exit:
        labels = program.classic.loop_labels(_loop_of(entry, program))
        if entry.is_continue:
            return labels.depth_inside, labels.head_pc
        return labels.depth_outside, labels.end_pc
    value: StackEntry = entry
    return value


def _loop_of(exit_: Exit, program: Program) -> Any:
    """Return the loop that a ``break`` or ``continue`` under way leads to."""
    node = exit_.origin
    if isinstance(node, _LOOPS):  # read from a textdump
        return node
    assert isinstance(node, n.LoopExit)
    levels = node.levels
    above = program.parents.get(id(node))
    while not (isinstance(above, _LOOPS) and levels == 0):
        levels -= isinstance(above, _LOOPS)
        above = program.parents.get(id(above))
    return above


def _save_builtin(name: str, data: Any) -> SavedBuiltin:
    if name == "call_function":
        inner, inner_data = data
        return SavedBuiltin(name, inner=_save_builtin(inner, inner_data))
    if data is None:
        return SavedBuiltin(name)
    return SavedBuiltin(name, data if type(data) is tuple else (data,))


# --- restoring ------------------------------------------------------------


class Restorer:
    """Makes live tasks of saved ones."""

    def __init__(
        self, engine: Engine, parse: Callable[[str, int, int], Program]
    ) -> None:
        """``parse`` takes a text, a language version and the first line's number."""
        self._engine = engine
        self._parse = parse

    def task(self, saved: SavedTask) -> BackgroundTask:
        """Return a live task.

        Raises: TextdumpError if its places do not fit its program.
        """
        if isinstance(saved, SavedForkedTask):
            return self._forked(saved)
        return self._suspended(saved)

    def _forked(self, saved: SavedForkedTask) -> ForkedTask:
        program = self._parse(saved.program, saved.version, saved.first_line)
        vm = VM(self._engine, saved.task_id, 0, "forked")
        vm.activations.append(
            self._activation(vm, program, saved.frame, saved.variables)
        )
        return ForkedTask(vm, saved.start_time)

    def _suspended(self, saved: SavedSuspendedTask) -> SuspendedTask:
        vm = VM(self._engine, saved.task_id, saved.depth_limit)
        vector = saved.vector
        for number, each in enumerate(saved.activations):
            where = f"activation {number} of suspended task {saved.task_id}"
            act_vector = MAIN_VECTOR if number else vector
            vm.activations.append(self._at_call(vm, each, act_vector, where))
        value = _value(saved.value)
        return SuspendedTask(vm, saved.start_time, 0 if value is None else value)

    def _at_call(
        self, vm: VM, saved: SavedActivation, vector: int, where: str
    ) -> Activation:
        """Return an activation during a call; messages say ``where`` it is."""
        program = self._parse(saved.program, saved.version, 1)
        act = self._activation(vm, program, saved.frame, saved.variables)
        act.vector = vector
        self._place(act, saved, where)
        return act

    def _activation(
        self,
        vm: VM,
        program: Program,
        frame: SavedFrame,
        variables: tuple[Variable, ...],
    ) -> Activation:
        """Return an activation at its beginning, its variables matched by name.

        Source: execute.c, reorder_rt_env.
        """
        values: dict[str, StackEntry] = {}
        for name, value in variables:
            values.setdefault(fold(name), value)
        vars_ = [_value(values.get(fold(name), UNSET)) for name in program.names]
        return Activation.with_variables(
            vm,
            program,
            vars_,
            frame.this,
            frame.player,
            frame.programmer,
            frame.definer,
            frame.verb,
            frame.verb_names,
            frame.debug,
        )

    def _place(self, act: Activation, saved: SavedActivation, where: str) -> None:
        """Put an activation where it was suspended, its stack included."""
        code = act.program.classic
        path = code.site(act.vector, saved.pc)
        if path is None:
            raise TextdumpError(f"{where}: pc {saved.pc} does not stand behind a call")
        act.at = path[-1]
        act.error_pc = saved.error_pc
        act.temporary = _value(saved.temporary)
        act.stack = _restore_stack(saved.stack, code, act.vector, path, where)
        if saved.builtin is not None and saved.builtin_pc:
            name, data = _restore_builtin(saved.builtin)
            act.builtin = BuiltinCall(name, saved.builtin_pc, data)


def made_anew(act: Activation) -> Activation:
    """Return an activation made of what a textdump holds of ``act`` during a call.

    Its program is that of ``act``, which no text is made of.
    """
    program = act.program
    restorer = Restorer(act.vm.engine, lambda text, version, first_line: program)
    where = f"activation of {act.definer}:{act.verb}"
    return restorer._at_call(act.vm, _save_activation(act, ""), act.vector, where)


def _value(entry: StackEntry) -> Value | None:
    """Return what a variable or a temporary holds; None for nothing."""
    if isinstance(entry, Unset | CatchMark | FinallyMark):
        return None
    return entry


def _restore_stack(
    saved: tuple[StackEntry, ...],
    code: ClassicCode,
    vector: int,
    path: tuple[n.Node, ...],
    where: str,
) -> list[Any]:
    stack: list[Any] = list(saved)
    for index, entry in enumerate(saved):
        if isinstance(entry, CatchMark):
            stack[index] = CatchMarker(entry.arms)
            for slot in range(index - 2 * entry.arms + 1, index, 2):
                pc = saved[slot] if slot >= 0 else None
                handler = code.handler_at(vector, pc) if type(pc) is int else None
                if handler is None:
                    raise TextdumpError(f"{where}: {pc!r} is no pc of a handler")
                stack[slot] = handler
        elif isinstance(entry, FinallyMark):
            statement = code.handler_at(vector, entry.handler_pc)
            if type(statement) is not n.TryFinally:
                raise TextdumpError(
                    f"{where}: {entry.handler_pc} is no pc of a finally part"
                )
            stack[index] = FinallyMarker(statement)
    for position, node in enumerate(path[:-1]):
        if type(node) is n.TryFinally and any(
            statement is path[position + 1] for statement in node.handler
        ):
            _restore_reason(stack, code, path, position, where)
    return stack


def _restore_reason(
    stack: list[Any],
    code: ClassicCode,
    path: tuple[n.Node, ...],
    position: int,
    where: str,
) -> None:
    """Restore why a ``finally`` part runs, and what comes after it."""
    depth = code.depth(path[position])
    try:
        reason = stack[depth] = Reason(stack[depth])
    except (ValueError, IndexError):
        raise TextdumpError(
            f"{where}: no reason of a finally part at {depth}"
        ) from None
    if reason is not Reason.EXIT:
        return
    value = stack[depth + 1] if depth + 1 < len(stack) else None
    found = None
    if type(value) is tuple and len(value) == 2:
        found = code.exit_at(path[:position], *value)
    if found is None:
        raise TextdumpError(f"{where}: {value!r} leads to no loop")
    loop, is_continue = found
    outside = next(i for i, node in enumerate(path) if node is loop)
    levels = sum(isinstance(node, _LOOPS) for node in path[outside + 1 : position])
    stack[depth + 1] = Exit(levels, is_continue, loop)


def _restore_builtin(saved: SavedBuiltin) -> tuple[str, Any]:
    if saved.inner is not None:
        return saved.function, _restore_builtin(saved.inner)
    if len(saved.objects) > 1:
        return saved.function, saved.objects
    data: Obj | None = saved.objects[0] if saved.objects else None
    return saved.function, data
