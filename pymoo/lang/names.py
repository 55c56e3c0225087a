"""The names of one verb: its variables by slot, and the loops that can be left.

Each version of the language added names.  Databases remember the version that a
program was written in: there, newer keywords are plain names and newer built-in
variables do not exist.
"""

from __future__ import annotations

from typing import Final

from pymoo.values import fold

# The versions of the language (version.h).  The last changed nothing in it.
VERSION_EXCEPTIONS: Final = 1
VERSION_BREAK_CONTINUE: Final = 2
VERSION_FLOAT: Final = 3
CURRENT_VERSION: Final = 4
"""Language version of new programs; databases know 0 to 4."""

KEYWORD_VERSIONS: Final = {
    "try": VERSION_EXCEPTIONS,
    "except": VERSION_EXCEPTIONS,
    "finally": VERSION_EXCEPTIONS,
    "endtry": VERSION_EXCEPTIONS,
    "any": VERSION_EXCEPTIONS,
    "break": VERSION_BREAK_CONTINUE,
    "continue": VERSION_BREAK_CONTINUE,
    "e_float": VERSION_FLOAT,
}
"""Since when the younger keywords are keywords (keywords.gperf)."""

# Slots of the built-in variables (sym_table.h).
SLOT_NUM: Final = 0
SLOT_OBJ: Final = 1
SLOT_STR: Final = 2
SLOT_LIST: Final = 3
SLOT_ERR: Final = 4
SLOT_PLAYER: Final = 5
SLOT_THIS: Final = 6
SLOT_CALLER: Final = 7
SLOT_VERB: Final = 8
SLOT_ARGS: Final = 9
SLOT_ARGSTR: Final = 10
SLOT_DOBJ: Final = 11
SLOT_DOBJSTR: Final = 12
SLOT_PREPSTR: Final = 13
SLOT_IOBJ: Final = 14
SLOT_IOBJSTR: Final = 15
SLOT_INT: Final = 16
SLOT_FLOAT: Final = 17

INHERITED_SLOTS: Final = frozenset((SLOT_PLAYER, *range(SLOT_ARGSTR, SLOT_INT)))
"""The variables that a called verb may get from those of its caller."""

_BUILT_IN: Final = (
    "NUM",
    "OBJ",
    "STR",
    "LIST",
    "ERR",
    "player",
    "this",
    "caller",
    "verb",
    "args",
    "argstr",
    "dobj",
    "dobjstr",
    "prepstr",
    "iobj",
    "iobjstr",
    "INT",
    "FLOAT",
)


def built_in_variables(version: int = CURRENT_VERSION) -> tuple[str, ...]:
    """Return the variables that every program of that version has, by slot."""
    return _BUILT_IN if version >= VERSION_FLOAT else _BUILT_IN[:SLOT_INT]


class Names:
    """The variables of a verb while it is read: spellings by slot.

    Case is ignored, and the first spelling is kept.

    Source: sym_table.c.
    """

    def __init__(self, version: int = CURRENT_VERSION) -> None:
        self.spellings = list(built_in_variables(version))
        self._first_own = len(self.spellings)
        self._slots = {fold(name): slot for slot, name in enumerate(self.spellings)}

    def find_or_add(self, name: str) -> int:
        """Return the slot of a variable, the next free one if it is new."""
        slots = self._slots
        slot = slots.get(name)
        if slot is None:
            folded = fold(name)
            slot = slots.get(folded)
            if slot is None:
                slot = slots[folded] = len(self.spellings)
                self.spellings.append(name)
        return slot

    def rename_keywords(self, keywords: set[str]) -> None:
        """Give variables that are named like one of ``keywords`` another name.

        ``_`` is appended until no variable has the name.

        Source: parser.y, parse_program.
        """
        for slot in range(self._first_own, len(self.spellings)):
            name = self.spellings[slot]
            if fold(name) not in keywords:
                continue
            del self._slots[fold(name)]
            name += "_"
            while fold(name) in self._slots:
                name += "_"
            self.spellings[slot] = name
            self._slots[fold(name)] = slot


class Loops:
    """The loops around the statement being read.

    The body of a ``fork`` is a task of its own and cannot leave the loops around
    it.

    Source: parser.y, check_loop_name.
    """

    def __init__(self) -> None:
        # One entry for the verb and for each fork body around: the labels of
        # its loops, innermost last, and where in that list each label is.
        self._scopes: list[tuple[list[str], dict[str, list[int]]]] = [([], {})]

    def enter(self, name: str = "") -> None:
        """Begin the body of a loop; only a named one can be called by name."""
        labels, positions = self._scopes[-1]
        label = fold(name)
        positions.setdefault(label, []).append(len(labels))
        labels.append(label)

    def leave(self) -> None:
        """End the body of the innermost loop."""
        labels, positions = self._scopes[-1]
        positions[labels.pop()].pop()

    def enter_fork(self) -> None:
        """Begin the body of a fork."""
        self._scopes.append(([], {}))

    def leave_fork(self) -> None:
        """End the body of the innermost fork."""
        self._scopes.pop()

    def levels(self, name: str | None = None) -> int | None:
        """Return how many loops lie inside the one called ``name``.

        Without a name the innermost is meant.  None if there is no such loop.
        """
        labels, positions = self._scopes[-1]
        if name is None:
            return 0 if labels else None
        found = positions.get(fold(name))
        return len(labels) - 1 - found[-1] if found else None
