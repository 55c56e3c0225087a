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

What an entry holds is released at the end of the slice.  Of the values of a property
that is set again and again, of names and programs too, only the first is kept: what a
program builds up in one, piece by piece, would otherwise take its square of memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pymoo.db.objects import Clear, Object
from pymoo.errors import InternalError
from pymoo.values import Value

Entry = tuple[Any, ...]
"""A function, and the arguments to call it with."""


def _restore_value(record: Object, slot: int, value: Value | Clear) -> None:
    """Undo the setting of a property.  The caches have to be dropped then."""
    record.values[slot] = value


def _ignore(entry: Entry) -> None:
    """Between slices nothing is noted (J3)."""


def _ignore_value(record: Object, slot: int, value: Value | Clear) -> None:
    """As `_ignore`."""


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
        # The properties whose values are among the entries: ids of their records, which
        # the entries keep, and slots.
        self._kept: Final[set[tuple[int, int]]] = set()
        self._kept_texts: Final[set[tuple[int, str]]] = set()
        self.note: Callable[[Entry], None] = _ignore
        """Keep how a change that is about to be made is undone."""
        self.note_value: Callable[[Object, int, Value | Clear], None] = _ignore_value
        """Keep the value of a property that is about to be set, if it is the first."""
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

    def _note_value(self, record: Object, slot: int, value: Value | Clear) -> None:
        key = id(record), slot
        if key not in self._kept:
            self._kept.add(key)
            self._entries.append((_restore_value, record, slot, value))

    def note_text(self, thing: Any, attribute: str) -> None:
        """Keep an attribute that is about to be set, if it is the first time.

        It is one that nothing but this is noted of.
        """
        key = id(thing), attribute
        if self.is_open and key not in self._kept_texts:
            self._kept_texts.add(key)
            self._entries.append((setattr, thing, attribute, getattr(thing, attribute)))

    def slots_move(self) -> None:
        """Values will be at other slots: those that are noted from now on are others.

        To be called with the entry that brings them back noted.
        """
        self._kept.clear()

    def begin(self, is_atomic: bool = False) -> None:
        """A slice begins."""
        if self.is_open:
            raise InternalError("a slice begins within another one")
        self.is_open = True
        self.is_atomic = is_atomic
        self.number += 1
        self.note = self._entries.append
        self.note_value = self._note_value
        self.note_output = self._outputs.append

    def commit(self) -> None:
        """The slice has ended, and what it did stays.

        Raises: the first of the errors in what is held, when all of it has happened.
        """
        self.is_open = self.is_atomic = False
        self.number += 1
        self.note = self.note_output = _ignore
        self.note_value = _ignore_value
        if self._entries:
            self._entries.clear()
            self._kept.clear()
            self._kept_texts.clear()
        if self._outputs:
            self._outputs.clear()
        if self._held:
            held = [*self._held]
            self._held.clear()
            error: Exception | None = None
            for function, *arguments in held:
                try:
                    function(*arguments)
                except Exception as raised:  # noqa: BLE001  (what is left happens too)
                    error = error or raised
            if error is not None:
                raise error

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
