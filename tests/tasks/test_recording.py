"""What a slice reads and writes can be recorded, as both go through `World` alone.

That is what tasks in parallel will need. Here in the walker: the second tier has tables
of its own, which it would have to do without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pymoo.db.objects import Object
from pymoo.db.world import World
from pymoo.interp.tiering import Tiering
from pymoo.values import Obj
from tests.fakes import Bench


class Recorder:
    """Notes which objects are looked up, and which changes the journal is told of."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read: set[Obj] = set()
        self.written: list[tuple[Any, ...]] = []
        find: Callable[[int], Object | None] = world.find
        begin, note_text = world.journal.begin, world.journal.note_text

        def recording_find(number: int) -> Object | None:
            self.read.add(Obj(number))
            return find(number)

        def recording_begin(is_atomic: bool = False) -> None:
            begin(is_atomic)
            note, note_value = world.journal.note, world.journal.note_value

            def recording_note(entry: tuple[Any, ...]) -> None:
                self.written.append(entry)
                note(entry)

            def recording_note_value(record: Object, slot: int, value: Any) -> None:
                self.written.append((record, slot))
                note_value(record, slot, value)

            world.journal.note = recording_note
            world.journal.note_value = recording_note_value

        def recording_note_text(thing: Any, attribute: str, record: Object) -> None:
            self.written.append((thing, attribute))
            note_text(thing, attribute, record)

        monkeypatch.setattr(world, "find", recording_find)
        monkeypatch.setattr(world.journal, "note_text", recording_note_text)
        monkeypatch.setattr(world.journal, "begin", recording_begin)

    @property
    def changed(self) -> set[Obj]:
        """The objects whose records were changed."""
        return {
            part.id
            for entry in self.written
            for part in entry
            if isinstance(part, Object)
        }


@pytest.mark.parametrize(
    ("code", "read", "changed"),
    [
        ("return #1.name;", {1}, set()),
        ("#4.ownership_quota = 5;", {4}, {4}),
        ("return {valid(#2), parent(#4)};", {2, 4}, set()),
        ("#4.name = #2.name;", {2, 4}, {4}),
        ("move(#4, #2);", {2, 4}, {2, 4}),
        ('add_property(#4, "p", 1, {#3, ""}); return #4.p;', {4}, {4}),
        ("chparent(#4, #2);", {4, 2, 1}, {4, 2, 1}),
        ("recycle(#4);", {4, 1}, {4, 1}),
    ],
)
def test_m28_what_a_slice_reads_and_writes_can_be_recorded(
    monkeypatch: pytest.MonkeyPatch, code: str, read: set[int], changed: set[int]
) -> None:
    monkeypatch.setattr(Tiering, "promoted", lambda self, program: None)
    bench = Bench()
    bench.run('add_property(#4, "ownership_quota", 1, {#3, ""});')
    recorder = Recorder(bench.world, monkeypatch)
    bench.run(code)
    assert set(map(Obj, read)) <= recorder.read
    assert recorder.changed == set(map(Obj, changed))
