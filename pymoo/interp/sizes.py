"""How many bytes programs and tasks take, as the C server counts them.

The figures are those of a 64-bit build of LambdaMOO 1.8.3, whatever pymoo itself
uses: MOO programs print and compare them.  Values and objects are in `db.sizes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from pymoo.db.sizes import POINTER_BYTES, VALUE_BYTES, extra_bytes, value_bytes
from pymoo.interp.activation import Activation
from pymoo.lang.program import Program
from pymoo.values import UNMETERED, Meter, Obj

if TYPE_CHECKING:
    from pymoo.interp.vm import VM

# sizeof() of the C server's structures (program.h, execute.h, tasks.c).
PROGRAM_BYTES: Final = 104
BYTECODES_BYTES: Final = 24
ACTIVATION_BYTES: Final = 112
VM_BYTES: Final = 32
FORKED_TASK_BYTES: Final = 152


# Looking at a queue of thousands of tasks asks for the same programs again and again.
_program_bytes: Final[WeakKeyDictionary[Program, int]] = WeakKeyDictionary()


def program_bytes(program: Program) -> int:
    """Return the size of a program.  Source: program.c, program_bytes."""
    known = _program_bytes.get(program)
    if known is None:
        known = _program_bytes[program] = _count_program_bytes(program)
    return known


def _count_program_bytes(program: Program) -> int:
    code = program.classic
    total = PROGRAM_BYTES + sum(vector.size for vector in (code.main, *code.forks))
    total += BYTECODES_BYTES * len(program.forks)
    total += sum(value_bytes(value) for value in code.literals)
    total += sum(POINTER_BYTES + len(name) + 1 for name in program.names)
    return total


def task_bytes(vm: VM, *, is_forked: bool, meter: Meter = UNMETERED) -> int:
    """Return the last element of a row of queued_tasks().

    Source: tasks.c, forked_task_bytes and suspended_task_bytes.
    """
    total = sum(_activation_bytes(act, meter) for act in vm.activations)
    if is_forked:
        return total - ACTIVATION_BYTES + FORKED_TASK_BYTES
    return total + VM_BYTES


def _activation_bytes(act: Activation, meter: Meter) -> int:
    total = ACTIVATION_BYTES + program_bytes(act.program)
    total += _slots_bytes(act.vars, meter) + _slots_bytes(act.stack, meter)
    if act.temporary is not None:
        total += _slots_bytes((act.temporary,), meter) - VALUE_BYTES
    return total + len(act.verb) + 1 + len(act.verb_names) + 1


def _slots_bytes(slots: Sequence[Any], meter: Meter) -> int:
    """The size of variables or stack entries; marks count as numbers do."""
    total = VALUE_BYTES * len(slots)
    for slot in slots:
        kind = type(slot)
        if kind is int or kind is Obj or slot is None:  # most of them
            continue
        if kind is str or kind is float:
            total += extra_bytes(slot)
        elif kind is tuple or kind is list:
            kept = tuple(slot) if kind is list else slot
            total += value_bytes(kept, meter=meter) - VALUE_BYTES
    return total
