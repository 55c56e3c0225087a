"""What differs between two databases: objects, verbs, properties, tasks.

Differences come object by object, in the order of their numbers, as data; how they
are shown is for `dev.diff`.  What is compared is what a textdump holds, but for its
format, the order of connections, and the spelling of programs that mean the same in
old formats.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from pymoo.db.objects import (
    ARGSPEC_ANY,
    ARGSPEC_NONE,
    ARGSPEC_THIS,
    CLEAR,
    FLAG_FERTILE,
    FLAG_PLAYER,
    FLAG_PROGRAMMER,
    FLAG_READ,
    FLAG_WIZARD,
    FLAG_WRITE,
    PREP_ANY,
    PREP_NONE,
    PROP_CHOWN,
    PROP_READ,
    PROP_WRITE,
    VERB_DEBUG,
    VERB_EXECUTE,
    VERB_READ,
    VERB_WRITE,
    Object,
    PropInfo,
    Verbdef,
)
from pymoo.db.prepositions import PREPOSITIONS
from pymoo.db.saved import SavedForkedTask, SavedFrame, SavedTask
from pymoo.db.textdump import Textdump
from pymoo.dev.health import task_title
from pymoo.dev.value_diff import Entry, both_texts, same_value, short_text
from pymoo.errors import MooSyntaxError
from pymoo.lang.program import Program
from pymoo.lang.unparse import unparse
from pymoo.values import Obj, fold, string_literal

ADDED, REMOVED, CHANGED = "added", "removed", "changed"

_OBJECT_FLAGS: Final = {
    "player": FLAG_PLAYER,
    "programmer": FLAG_PROGRAMMER,
    "wizard": FLAG_WIZARD,
    "r": FLAG_READ,
    "w": FLAG_WRITE,
    "f": FLAG_FERTILE,
}
_VERB_FLAGS: Final = {
    "r": VERB_READ,
    "w": VERB_WRITE,
    "x": VERB_EXECUTE,
    "d": VERB_DEBUG,
}
_PROPERTY_FLAGS: Final = {"r": PROP_READ, "w": PROP_WRITE, "c": PROP_CHOWN}
_ARGSPECS: Final = {ARGSPEC_NONE: "none", ARGSPEC_ANY: "any", ARGSPEC_THIS: "this"}

Parse = Callable[[str, int], Program]
"""Makes a program of a text and the version of its language."""


@frozen
class Change:
    """One thing that both have, and that differs; None where one has it not."""

    what: str
    old: str | None
    new: str | None


@frozen
class PartChange:
    """What has become of a verb or a property."""

    kind: str  # ADDED, REMOVED or CHANGED
    title: str
    changes: tuple[Change, ...] = ()
    # The lines of a verb's code: as they are, or as a unified diff if it is changed.
    code: tuple[str, ...] = ()


@frozen
class ObjectChange:
    """What has become of an object."""

    objid: Obj
    name: str
    kind: str
    changes: tuple[Change, ...] = ()
    verbs: tuple[PartChange, ...] = ()
    properties: tuple[PartChange, ...] = ()


@frozen
class TaskChange:
    """What has become of a task."""

    task_id: int
    title: str
    kind: str
    changes: tuple[Change, ...] = ()


class Listing:
    """The code of verbs as people read it."""

    def __init__(self, parse: Parse) -> None:
        self._parse = parse

    def lines(self, verbdef: Verbdef) -> list[str]:
        """Return the lines as verb_code() has them; as stored if they do not parse."""
        code = verbdef.code or ""
        try:
            return unparse(self._parse(code, verbdef.version))
        except MooSyntaxError:
            return code.splitlines()


def object_changes(
    old: Textdump, new: Textdump, listing: Listing
) -> Iterator[ObjectChange]:
    """Yield what has become of each object that differs, by number."""
    compare = _Comparison(listing)
    for number in range(max(old.world.max_object, new.world.max_object) + 1):
        before, after = old.world.find(number), new.world.find(number)
        if before is None and after is None:
            continue
        if after is None:
            assert before is not None
            yield compare.whole(before, REMOVED)
        elif before is None:
            yield compare.whole(after, ADDED)
        else:
            change = compare.objects(before, after)
            if change is not None:
                yield change


class _Comparison:
    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        # Whether two layouts have the same names; kept with them for their ids.
        self._same_names: dict[tuple[int, int], tuple[Any, Any, bool]] = {}

    # --- one object -----------------------------------------------------------

    def whole(self, record: Object, kind: str) -> ObjectChange:
        """Return an object that only one side has."""
        is_added = kind == ADDED
        return ObjectChange(
            record.id,
            record.name,
            kind,
            tuple(_one_sided(what, text, is_added) for what, text in _fields(record)),
            tuple(self._whole_verb(verbdef, kind) for verbdef in record.verbs),
            tuple(
                PartChange(
                    kind,
                    _own_name(record, slot),
                    (_one_sided("value", _slot_text(record, slot), is_added),),
                )
                for slot in range(len(record.layout.names))
                if slot < len(record.propdefs) or record.values[slot] is not CLEAR
            ),
        )

    def objects(self, old: Object, new: Object) -> ObjectChange | None:
        """Return what has become of an object that both sides have; None if nothing."""
        changes = _field_changes(old, new)
        verbs = tuple(self._verbs(old, new))
        properties = tuple(self._properties(old, new))
        if not changes and not verbs and not properties:
            return None
        return ObjectChange(new.id, new.name, CHANGED, changes, verbs, properties)

    # --- verbs ----------------------------------------------------------------

    def _whole_verb(self, verbdef: Verbdef, kind: str) -> PartChange:
        code = () if verbdef.code is None else tuple(self._listing.lines(verbdef))
        changes = tuple(
            _one_sided(what, text, kind == ADDED)
            for what, text in _verb_fields(verbdef)
        )
        return PartChange(kind, string_literal(verbdef.names), changes, code)

    def _verbs(self, old: Object, new: Object) -> Iterator[PartChange]:
        if not old.verbs and not new.verbs:
            return
        pairs = _matched(old.verbs, new.verbs)
        for before, after in pairs:
            if after is None:
                assert before is not None
                yield self._whole_verb(before, REMOVED)
            elif before is None:
                yield self._whole_verb(after, ADDED)
            else:
                changes = tuple(
                    Change(what, one, other)
                    for (what, one), (_, other) in zip(
                        _verb_fields(before), _verb_fields(after), strict=True
                    )
                    if one != other
                )
                code = self._code_change(before, after)
                if changes or code:
                    title = string_literal(after.names)
                    yield PartChange(CHANGED, title, changes, code)

    def _code_change(self, old: Verbdef, new: Verbdef) -> tuple[str, ...]:
        if old.code == new.code:
            return ()
        before, after = (
            [] if each.code is None else self._listing.lines(each)
            for each in (old, new)
        )
        if before == after and None not in (old.code, new.code):
            # They mean the same, and are spelled in another way.
            before = (old.code or "").splitlines()
            after = (new.code or "").splitlines()
        lines = difflib.unified_diff(before, after, lineterm="")
        return tuple(lines)[2:]

    # --- properties -----------------------------------------------------------

    def _properties(self, old: Object, new: Object) -> Iterator[PartChange]:
        if self._have_same_names(old, new):
            if old.infos == new.infos and all(
                a is b for a, b in zip(old.values, new.values, strict=True)
            ):
                return
            for slot in range(len(new.layout.names)):
                yield from self._property(old, slot, new, slot)
            return
        yield from self._renamed_properties(old, new)

    def _have_same_names(self, old: Object, new: Object) -> bool:
        if len(old.propdefs) != len(new.propdefs):
            return False
        key = id(old.layout), id(new.layout)
        known = self._same_names.get(key)
        if known is None:
            same = old.layout.names == new.layout.names
            known = self._same_names[key] = (old.layout, new.layout, same)
        return known[2] and old.propdefs == new.propdefs

    def _renamed_properties(self, old: Object, new: Object) -> Iterator[PartChange]:
        before, after = old.layout.slots, new.layout.slots
        names = sorted({*before, *after}, key=lambda name: _order(name, after, before))
        for name in names:
            one, other = before.get(name), after.get(name)
            if one is not None and other is not None:
                yield from self._property(old, one, new, other)
                continue
            record, kind = (old, REMOVED) if other is None else (new, ADDED)
            slot = one if other is None else other
            assert slot is not None
            # What is declared elsewhere, and clear here, is told there alone.
            if slot < len(record.propdefs) or record.values[slot] is not CLEAR:
                text = _slot_text(record, slot)
                change = _one_sided("value", text, kind == ADDED)
                yield PartChange(kind, _own_name(record, slot), (change,))
        own = [[fold(name) for name in each.propdefs] for each in (old, new)]
        if own[0] != own[1] and sorted(own[0]) == sorted(own[1]):
            yield PartChange(
                CHANGED,
                "(order of definition)",
                (Change("order", " ".join(old.propdefs), " ".join(new.propdefs)),),
            )

    def _property(
        self, old: Object, one: int, new: Object, other: int
    ) -> Iterator[PartChange]:
        value, new_value = old.values[one], new.values[other]
        info, new_info = old.infos[one], new.infos[other]
        changes = []
        was_own, is_own = one < len(old.propdefs), other < len(new.propdefs)
        if was_own != is_own:
            changes.append(
                Change(
                    "defined",
                    "here" if was_own else "by an ancestor",
                    "here" if is_own else "by an ancestor",
                )
            )
        name, new_name = _own_name(old, one), _own_name(new, other)
        if was_own and is_own and name != new_name:
            changes.append(Change("name", name, new_name))
        if value is not new_value and not same_value(value, new_value):
            changes.append(Change("value", *both_texts(value, new_value)))
        if info != new_info:
            changes.append(Change("rights", _info_text(info), _info_text(new_info)))
        if changes:
            yield PartChange(CHANGED, new_name, tuple(changes))


def _order(
    name: str, after: Mapping[str, int], before: Mapping[str, int]
) -> tuple[int, int]:
    """Return where a property stands: those that are gone come last."""
    return (0, after[name]) if name in after else (1, before[name])


def _matched(
    old: Sequence[Verbdef], new: Sequence[Verbdef]
) -> list[tuple[Verbdef | None, Verbdef | None]]:
    """Return which verbs are the same: those of the same names, in their order.

    So is one of another name between the same neighbours, if it has the same code.
    """
    if [verbdef.names for verbdef in old] == [verbdef.names for verbdef in new]:
        return [*zip(old, new, strict=True)]
    pairs: list[tuple[Verbdef | None, Verbdef | None]] = []
    matcher = difflib.SequenceMatcher(
        None,
        [verbdef.names for verbdef in old],
        [verbdef.names for verbdef in new],
        autojunk=False,
    )
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        left, right = old[start:end], new[new_start:new_end]
        if kind == "replace":
            common = min(len(left), len(right))
            # Another name for the same code is the same verb.
            for one, other in zip(left, right, strict=False):
                if one.code == other.code and one.code is not None:
                    pairs.append((one, other))
                else:
                    pairs += [(one, None), (None, other)]
            pairs += [(one, None) for one in left[common:]]
            pairs += [(None, other) for other in right[common:]]
        elif kind == "equal":
            pairs += zip(left, right, strict=True)
        else:
            pairs += [(one, None) for one in left]
            pairs += [(None, other) for other in right]
    return pairs


# --- texts of what objects, verbs and properties have -------------------------


def _one_sided(what: str, text: str, is_added: bool) -> Change:
    return Change(what, None, text) if is_added else Change(what, text, None)


def _flags(table: Mapping[str, int], flags: int, between: str) -> str:
    known = 0
    words = []
    for word, bit in table.items():
        known |= bit
        if flags & bit:
            words.append(word)
    if flags & ~known:
        words.append(f"+{flags & ~known}")
    return between.join(words) or "none"


def _fields(record: Object) -> list[tuple[str, str]]:
    return [
        ("name", string_literal(record.name)),
        ("owner", str(record.owner)),
        ("flags", _flags(_OBJECT_FLAGS, record.flags, " ")),
        ("parent", str(record.parent)),
        ("location", str(record.location)),
    ]


def _field_changes(old: Object, new: Object) -> tuple[Change, ...]:
    changes = []
    if (
        old.name != new.name
        or old.owner != new.owner
        or old.flags != new.flags
        or old.parent != new.parent
        or old.location != new.location
    ):
        changes += [
            Change(what, one, other)
            for (what, one), (_, other) in zip(_fields(old), _fields(new), strict=True)
            if one != other
        ]
    for what, before, after in (
        ("order of children", old.children, new.children),
        ("order of contents", old.contents, new.contents),
    ):
        # Who has come or gone is told of them.
        if len(before) > 1 and [*before] != [*after] and {*before} == {*after}:
            changes.append(Change(what, *both_texts(tuple(before), tuple(after))))
    return tuple(changes)


def _verb_fields(verbdef: Verbdef) -> list[tuple[str, str]]:
    dobj, iobj = (
        _ARGSPECS.get(each, str(each)) for each in (verbdef.dobj, verbdef.iobj)
    )
    prep = {PREP_ANY: "any", PREP_NONE: "none"}.get(verbdef.prep)
    if prep is None:
        known = 0 <= verbdef.prep < len(PREPOSITIONS)
        prep = PREPOSITIONS[verbdef.prep] if known else str(verbdef.prep)
    return [
        ("names", string_literal(verbdef.names)),
        ("args", f"{dobj} {prep} {iobj}"),
        ("owner", str(verbdef.owner)),
        ("perms", _flags(_VERB_FLAGS, verbdef.flags, "")),
        ("program", "none" if verbdef.code is None else "there"),
    ]


def _own_name(record: Object, slot: int) -> str:
    """Return the name of a property, spelled as it is defined if that is here."""
    if slot < len(record.propdefs):
        return record.propdefs[slot]
    return record.layout.names[slot]


def _info_text(info: PropInfo) -> str:
    return f"{info[0]} {_flags(_PROPERTY_FLAGS, info[1], '')}"


def _slot_text(record: Object, slot: int) -> str:
    return f"{short_text(record.values[slot])} ({_info_text(record.infos[slot])})"


# --- tasks --------------------------------------------------------------------


def task_changes(old: Textdump, new: Textdump) -> Iterator[TaskChange]:
    """Yield what has become of the tasks, by number."""
    before, after = _by_number(old.tasks), _by_number(new.tasks)
    for key in sorted({*before, *after}):
        one, other = before.get(key), after.get(key)
        if other is None:
            assert one is not None
            yield TaskChange(key[0], task_title(one), REMOVED, _times(one, False))
        elif one is None:
            yield TaskChange(key[0], task_title(other), ADDED, _times(other, True))
        else:
            changes = tuple(_task_parts_changed(one, other))
            if changes:
                yield TaskChange(key[0], task_title(other), CHANGED, changes)


def _by_number(tasks: Sequence[SavedTask]) -> dict[tuple[int, int], SavedTask]:
    """Return tasks by number, and by which they are of those that have it."""
    seen: Counter[int] = Counter()
    found = {}
    for task in tasks:
        found[task.task_id, seen[task.task_id]] = task
        seen[task.task_id] += 1
    return found


def _times(task: SavedTask, is_added: bool) -> tuple[Change, ...]:
    return (_one_sided("time", str(task.start_time), is_added),)


def _task_parts_changed(old: SavedTask, new: SavedTask) -> Iterator[Change]:
    before, after = dict(_task_parts(old)), dict(_task_parts(new))
    for what in {**before, **after}:
        one, other = before.get(what), after.get(what)
        if one is None or other is None:
            yield Change(
                what,
                None if one is None else short_text(one),
                None if other is None else short_text(other),
            )
        elif not same_value(one, other):
            yield Change(what, *both_texts(one, other))


def _task_parts(task: SavedTask) -> Iterator[tuple[str, Entry]]:
    yield "time", task.start_time
    if isinstance(task, SavedForkedTask):
        yield "kind", "forked"
        yield "first line", task.first_line
        yield from _frame_parts("", task.frame)
        yield from ((f"variable {name}", value) for name, value in task.variables)
        yield "program", task.program
        return
    yield "kind", "suspended"
    yield "value", task.value
    yield "fork", task.vector
    yield "depth limit", task.depth_limit
    for number, each in enumerate(task.activations):
        where = f"activation {number}: "
        yield from _frame_parts(where, each.frame)
        yield f"{where}version", each.version
        yield from (
            (f"{where}variable {name}", value) for name, value in each.variables
        )
        for place, entry in enumerate(each.stack):
            yield f"{where}stack {place}", entry
        yield f"{where}temporary", each.temporary
        yield f"{where}pc", each.pc
        yield f"{where}error pc", each.error_pc
        yield f"{where}program", each.program
        builtin = each.builtin
        step = 0
        while builtin is not None:
            yield f"{where}function {step}", (builtin.function, builtin.objects)
            builtin, step = builtin.inner, step + 1
        yield f"{where}step of its function", each.builtin_pc


def _frame_parts(where: str, frame: SavedFrame) -> Iterator[tuple[str, Entry]]:
    for name in ("this", "player", "programmer", "definer", "debug", "verb"):
        yield f"{where}{name}", getattr(frame, name)
    yield f"{where}verb names", frame.verb_names


# --- the rest -----------------------------------------------------------------


def rest_changes(old: Textdump, new: Textdump) -> tuple[Change, ...]:
    """Return what differs in the database as a whole."""
    changes = []
    for what, before, after in (
        ("max_object()", old.world.max_object, new.world.max_object),
        ("players()", old.world.players, new.world.players),
    ):
        if before != after:
            changes.append(Change(what, *both_texts(before, after)))
    connections = [
        Counter(f"{each.player} at {each.listener}" for each in textdump.connections)
        for textdump in (old, new)
    ]
    for text in sorted({*connections[0], *connections[1]}):
        counts = [each[text] for each in connections]
        if counts[0] != counts[1]:
            changes += [Change("connection", text, None)] * (counts[0] - counts[1])
            changes += [Change("connection", None, text)] * (counts[1] - counts[0])
    for name in sorted({*old.extras, *new.extras}):
        one, other = old.extras.get(name), new.extras.get(name)
        what = f"what pymoo keeps of {name}"
        if one is None or other is None:
            changes.append(
                Change(
                    what,
                    None if one is None else short_text(one),
                    None if other is None else short_text(other),
                )
            )
        elif not same_value(one, other):
            changes.append(Change(what, *both_texts(one, other)))
    return tuple(changes)
