"""Tasks and connections as a textdump holds them: plain data, field for field.

Program texts are kept as they stand in the file; what the places in them (pcs,
stacks) mean is known to `lang.classic`, and the tasks layer makes live tasks of
them.  The names of the fields are those of the textdump's description; a field
that the format has but no server uses is not here.
"""

from __future__ import annotations

from typing import Final, final

from attrs import frozen

from pymoo.db.objects import LANGUAGE_VERSION
from pymoo.values import NOTHING, SYSTEM_OBJECT, Obj, Value

NO_LIMIT_GIVEN: Final = 50
"""The depth limit of a task from a server that did not save it (options.h)."""

WAITS_FOR_RESUME: Final = 2147483647
"""The start time of a task that only ``resume()`` wakes."""


@final
class Unset:
    """The mark of a variable without a value, and of an empty temporary."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()


@frozen
class CatchMark:
    """Ends the handlers of an open ``try`` or catch on a stack."""

    arms: int


@frozen
class FinallyMark:
    """On a stack while the body of a ``try ... finally`` runs; pc of its handler."""

    handler_pc: int


StackEntry = Value | Unset | CatchMark | FinallyMark
"""What a stack holds; variables and temporaries are values or UNSET."""

Variable = tuple[str, StackEntry]
"""A variable's name, spelled as in the program, and what it holds."""


@frozen
class SavedFrame:
    """Whose call it is: the frame header of a forked task or an activation."""

    this: Obj
    player: Obj
    programmer: Obj
    definer: Obj  # where the verb was found
    debug: int  # 8 with the d bit, 1 in eval() and emergency mode, 0 without it
    verb: str  # the name it was called by
    verb_names: str  # the names it is defined with


@frozen
class SavedBuiltin:
    """A built-in function that waits for the value of a verb it called.

    ``objects`` is its own data, in the order of its line in the file: nothing for
    most.  For ``call_function`` there is an ``inner`` function instead.
    """

    function: str
    objects: tuple[Obj, ...] = ()
    inner: SavedBuiltin | None = None


@frozen(eq=False)
class SavedActivation:
    """One verb call of a suspended task."""

    version: int  # of the language that the program was compiled in
    program: str  # each line with its LF
    variables: tuple[Variable, ...]
    stack: tuple[StackEntry, ...]
    frame: SavedFrame
    pc: int  # behind the call that is under way
    error_pc: int  # of that call
    temporary: StackEntry = UNSET
    # What gets the value of this call, and the step it goes on at: 0 and None if
    # that is a verb, or the end of the task.
    builtin_pc: int = 0
    builtin: SavedBuiltin | None = None


@frozen(eq=False)
class SavedForkedTask:
    """A task that has not begun: the body of a ``fork``."""

    first_line: int  # of the body, in the whole verb
    start_time: int  # the second from which it may begin
    task_id: int
    frame: SavedFrame
    variables: tuple[Variable, ...]
    program: str  # of the body alone
    version: int = LANGUAGE_VERSION


@frozen(eq=False)
class SavedSuspendedTask:
    """A task that sleeps: its activations, the outermost first."""

    start_time: int  # the second from which it may go on, or WAITS_FOR_RESUME
    task_id: int
    value: StackEntry  # what its suspend() will return, or raise if an error
    activations: tuple[SavedActivation, ...]
    # Which fork of the outermost program is run; -1 for the program itself.
    vector: int = -1
    depth_limit: int = NO_LIMIT_GIVEN


SavedTask = SavedForkedTask | SavedSuspendedTask


@frozen
class SavedConnection:
    """Who was connected at the time of a dump, and to which listening object."""

    player: Obj = NOTHING
    listener: Obj = SYSTEM_OBJECT
