"""How many bytes values and objects take, as the C server counts them.

The figures are those of a 64-bit build of LambdaMOO 1.8.3, whatever pymoo itself
uses: MOO programs print them, add them up and compare them with quotas.  What a
program takes depends on its instructions, which are not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from pymoo.db.objects import Clear, Object, Verbdef
from pymoo.values import STEPS_PER_REPORT, UNMETERED, Meter, Value

# sizeof() of the C server's structures (structures.h, db_private.h).
VALUE_BYTES: Final = 16
FLOAT_BYTES: Final = 8
OBJECT_BYTES: Final = 80
POINTER_BYTES: Final = 8
VERBDEF_BYTES: Final = 32
PROPDEF_BYTES: Final = 16
# A property's owner and permissions; the value beside them counts for itself.
PROPVAL_BYTES: Final = 8


def value_bytes(value: Value | Clear, *, meter: Meter = UNMETERED) -> int:
    """Return what ``value_bytes(value)`` gives, before any wrapping to 32 bits.

    A list that is shared counts each time it appears.

    Source: utils.c, value_bytes.
    """
    if type(value) is not tuple:
        return VALUE_BYTES + extra_bytes(value)
    total = 2 * VALUE_BYTES
    steps = 0
    open_lists: list[Iterator[Value]] = [iter(value)]
    while open_lists:
        for item in open_lists[-1]:
            steps += 1
            if steps == STEPS_PER_REPORT:
                meter.spend(steps)
                steps = 0
            if type(item) is tuple:
                # A list has a further value in front, which holds its length.
                total += 2 * VALUE_BYTES
                open_lists.append(iter(item))
                break
            total += VALUE_BYTES + extra_bytes(item)
        else:
            open_lists.pop()
    meter.spend(steps)
    return total


def extra_bytes(value: Value | Clear) -> int:
    """Return what a value that is no list takes beside its `VALUE_BYTES`."""
    if type(value) is str:
        return len(value) + 1
    return FLOAT_BYTES if type(value) is float else 0


def object_bytes(
    record: Object,
    program_bytes: Callable[[Verbdef], int],
    *,
    meter: Meter = UNMETERED,
) -> int:
    """Return what ``object_bytes()`` gives, before any wrapping to 32 bits.

    ``program_bytes`` says how large the program of a verb is (program.c,
    program_bytes); it is asked about programmed verbs only.

    Source: db_objects.c, db_object_bytes.
    """
    total = OBJECT_BYTES + POINTER_BYTES + len(record.name) + 1
    meter.spend(len(record.propdefs) + len(record.values))
    for verbdef in record.verbs:
        total += VERBDEF_BYTES + len(verbdef.names) + 1
        meter.spend(1)
        if verbdef.code is not None:
            # It may have to be read first.
            meter.spend(len(verbdef.code) if verbdef.compiled is None else 1)
            total += program_bytes(verbdef)
    for name in record.propdefs:
        total += PROPDEF_BYTES + len(name) + 1
    for value in record.values:
        total += PROPVAL_BYTES + value_bytes(value, meter=meter)
    return total
