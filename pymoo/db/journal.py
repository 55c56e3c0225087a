"""What the slice under way has changed, and how to take it back.

A task runs in slices: from its start, or from a resume, to its next suspend or its
end.  A slice is a transaction.  Everything that changes something which MOO programs
or players can see tells the journal first:

* what can be taken back says how, with `Journal.note`;
* what cannot, is put off until the slice has ended well, with `Journal.hold`;
* lines that wait to be sent to a player are noted apart, with `Journal.note_output`, as
  ``rollback(1)`` leaves them.

J1  Entries are undone in the opposite of the order in which they were made, so that
    each finds what it knows of as it left it.
J2  What is held happens once, in its order, after the slice; or never.
J3  Between slices nothing is noted, and what is held happens at once.
J4  `World` is the only one to note changes of records.

What an entry holds is released at the end of the slice.  A slice that changes the same
values again and again keeps one entry for each (`compact`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pymoo.db.objects import Clear, Object
from pymoo.errors import InternalError
from pymoo.values import Value

Entry = tuple[Any, ...]
"""A function, and the arguments to call it with."""

MIN_COMPACT: Final = 50_000
"""From how many entries on it is worth while to look for needless ones."""


def restore_value(record: Object, slot: int, value: Value | Clear) -> None:
    """Undo the setting of a property.  The caches have to be dropped then."""
    record.values[slot] = value


def _ignore(entry: Entry) -> None:
    """Between slices nothing is noted (J3)."""


class Journal:
    """The journal of one world."""

    def __init__(self) -> None:
        self.is_open = False
        """Whether a slice runs."""
        self.number = 0
        """Of the slice that runs, or after it of what follows: no two are the same."""
        self.is_atomic = False
        """Whether nothing of the slice may get out before its end."""
        self._entries: Final[list[Entry]] = []
        self._outputs: Final[list[Entry]] = []
        self._held: Final[list[Entry]] = []
        self._compact_at = MIN_COMPACT
        self.note: Callable[[Entry], None] = _ignore
        """Keep how a change that is about to be made is undone."""
        self.note_output: Callable[[Entry], None] = _ignore
        """Keep how lines to a player are withdrawn."""

    def __len__(self) -> int:
        """How many entries there are to be undone."""
        return len(self._entries)

    def hold(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call ``function`` when the slice has ended well; now if none runs."""
        if self.is_open:
            self._held.append((function, *arguments))
        else:
            function(*arguments)

    def begin(self, is_atomic: bool = False) -> None:
        """A slice begins."""
        if self.is_open:
            raise InternalError("a slice begins within another one")
        self.is_open = True
        self.is_atomic = is_atomic
        self.number += 1
        self.note = self._entries.append
        self.note_output = self._outputs.append

    def commit(self) -> None:
        """The slice has ended, and what it did stays."""
        self.is_open = self.is_atomic = False
        self.number += 1
        self.note = self.note_output = _ignore
        if self._entries:
            self._entries.clear()
            self._compact_at = MIN_COMPACT
        if self._outputs:
            self._outputs.clear()
        if self._held:
            held = [*self._held]
            self._held.clear()
            for function, *arguments in held:
                function(*arguments)

    def rollback(self, *, keep_output: bool = False) -> None:
        """Undo all that the slice has done; it has ended.

        `World.rollback` is to be called instead, which forgets what is known by
        heart of the world.
        """
        entries = [*self._entries]
        outputs = [] if keep_output else [*self._outputs]
        self._held.clear()
        self.commit()  # undoing is not noted
        for undo in (entries, outputs):
            while undo:
                function, *arguments = undo.pop()
                function(*arguments)

    def compact(self) -> None:
        """Forget needless entries, if there are very many.

        Of several that set the same value the first is needed, as long as nothing
        else comes between them that may move values to other slots.
        """
        entries = self._entries
        if len(entries) < self._compact_at:
            return
        needed: list[Entry] = []
        seen: set[tuple[int, int]] = set()  # ids, as entries keep their records
        for entry in entries:
            if entry[0] is restore_value:
                key = (id(entry[1]), entry[2])
                if key in seen:
                    continue
                seen.add(key)
            else:
                seen.clear()
            needed.append(entry)
        entries[:] = needed
        self._compact_at = max(MIN_COMPACT, 2 * len(needed))
