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
J5  While somebody keeps what is done (`keep_redo`), `take_redo` gives it in its order:
    what slices did that ended well, and what was done between them.  To do it once
    more to the world as it was gives the world as it is.

What an entry holds is released at the end of the slice.  Of the values of a property
that is set again and again, of names and programs too, only the first is kept: what a
program builds up in one, piece by piece, would otherwise take its square of memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pymoo.db.objects import Clear, Object, Verbdef
from pymoo.errors import InternalError
from pymoo.values import Value

Entry = tuple[Any, ...]
"""A function, and the arguments to call it with."""

Operation = tuple[Any, ...]
"""The name of something that `redo.replay` does to a world, and its arguments."""


def _restore_value(record: Object, slot: int, value: Value | Clear) -> None:
    """Undo the setting of a property.  The caches have to be dropped then."""
    record.values[slot] = value


def _ignore(entry: Entry) -> None:
    """Between slices nothing is noted (J3)."""


def _ignore_value(record: Object, slot: int, value: Value | Clear) -> None:
    """As `_ignore`."""


class Journal:
    """The journal of one world."""

    def __init__(self, find: Callable[[int], Object | None]) -> None:
        """``find`` is `World.find`."""
        self._find: Final = find
        self.is_open = False
        """Whether a slice runs."""
        self.number = 0
        """Of the slice that runs, or after it of what follows: no two are the same."""
        self.is_atomic = False
        """Whether nothing of the slice may get out before its end."""
        self._is_ending = False
        self._entries: Final[list[Entry]] = []
        self._outputs: Final[list[Entry]] = []
        self._held: Final[list[Entry]] = []
        # The properties whose values are among the entries, by ids of their records and
        # slots; the texts, by what has them, with the record that they belong to.
        self._kept: Final[dict[tuple[int, int], Object]] = {}
        self._kept_texts: Final[dict[tuple[int, str], tuple[Any, Object]]] = {}
        self._redo: Final[list[Operation]] = []
        self._keeps_redo = False
        # How much of `_redo` was done before the slice.
        self._redone = 0
        self.note: Callable[[Entry], None] = _ignore
        """Keep how a change that is about to be made is undone."""
        self.note_value: Callable[[Object, int, Value | Clear], None] = _ignore_value
        """Keep the value of a property that is about to be set, if it is the first."""
        self.note_output: Callable[[Entry], None] = _ignore
        """Keep how lines to a player are withdrawn."""
        self.tell: Callable[[Operation], None] = _ignore
        """Keep what is about to be done, by the name of a method and its arguments.

        Values and texts, which may be set again and again, are kept by `note_value`
        and `note_text`.
        """

    @property
    def is_under_way(self) -> bool:
        """Whether a slice runs, is undone, or what it held happens."""
        return self.is_open or self._is_ending

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
            self._kept[key] = record
            self._entries.append((_restore_value, record, slot, value))

    def _note_value_between(
        self, record: Object, slot: int, value: Value | Clear
    ) -> None:
        """Keep that a property is about to be set between slices."""
        self._kept[id(record), slot] = record

    def note_text(self, thing: Any, attribute: str, record: Object) -> None:
        """Keep an attribute that is about to be set, if it is the first time.

        It is one that nothing but this is noted of, of ``record`` or one of its verbs.
        """
        key = id(thing), attribute
        if key not in self._kept_texts:
            if self.is_open:
                old = getattr(thing, attribute)
                self._entries.append((setattr, thing, attribute, old))
            elif not self._keeps_redo:
                return
            self._kept_texts[key] = thing, record

    def slots_move(self) -> None:
        """Values will be at other slots: those that are noted from now on are others.

        To be called with the entry that brings them back noted.
        """
        if self._keeps_redo and self._kept:
            raise InternalError("slots move that nobody was told of (`tell_move`)")
        self._kept.clear()

    def tell_move(self, operation: Operation) -> None:
        """As `tell`, of something that may call `slots_move`."""
        if self._keeps_redo:
            self._redo_values()
            self._kept.clear()
            self._redo.append(operation)

    def begin(self, is_atomic: bool = False) -> None:
        """A slice begins."""
        if self.is_open:
            raise InternalError("a slice begins within another one")
        if self._keeps_redo:
            self._settle_redo()
            self._redone = len(self._redo)
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
        if self._keeps_redo:
            self._settle_redo()
            self.note_value = self._note_value_between
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
            self._is_ending = True
            for function, *arguments in held:
                try:
                    function(*arguments)
                except Exception as raised:  # noqa: BLE001  (what is left happens too)
                    error = error or raised
            self._is_ending = False
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
        self._kept.clear()
        self._kept_texts.clear()
        del self._redo[self._redone :]
        self.commit()  # undoing is not noted
        self._is_ending = True
        try:
            for undo in (entries, outputs):
                while undo:
                    function, *arguments = undo.pop()
                    function(*arguments)
        finally:
            self._is_ending = False

    # --- what was done, for whoever keeps it -----------------------------------

    def keep_redo(self, is_wanted: bool) -> None:
        """Begin to keep what is done, or cease to; between slices."""
        if self.is_open:
            raise InternalError("keeping begins within a slice")
        self._keeps_redo = is_wanted
        self._redo.clear()
        self._kept.clear()
        self._kept_texts.clear()
        self.tell = self._redo.append if is_wanted else _ignore
        self.note_value = self._note_value_between if is_wanted else _ignore_value

    def take_redo(self) -> list[Operation]:
        """Return what was done since the last call; between slices."""
        self._settle_redo()
        taken = [*self._redo]
        self._redo.clear()
        self._redone = 0
        return taken

    def _settle_redo(self) -> None:
        """Add the values and texts that were set, as they are now."""
        if self._kept:
            self._redo_values()
            self._kept.clear()
        for (_, attribute), (thing, record) in self._kept_texts.items():
            if self._find(record.id) is record:
                operation = _text_operation(thing, attribute, record)
                if operation is not None:
                    self._redo.append(operation)
        self._kept_texts.clear()

    def _redo_values(self) -> None:
        find = self._find
        for (_, slot), record in self._kept.items():
            if find(record.id) is record:
                operation = ("set_value", record.id, slot, record.values[slot])
                self._redo.append(operation)


def _text_operation(thing: Any, attribute: str, record: Object) -> Operation | None:
    """Return what sets a text of an object or a verb to what it is now."""
    if isinstance(thing, Verbdef):
        place = next((i for i, each in enumerate(record.verbs) if each is thing), None)
        if place is None:
            return None  # it was deleted
        if attribute == "names":
            return ("set_verb_names", record.id, place, thing.names)
        if attribute == "code":
            return ("set_verb_code", record.id, place, thing.code)
        return None  # what goes with the code
    return ("set_name", record.id, record.name)
