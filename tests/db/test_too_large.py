"""Lists that share their parts can be too large for any file."""

from __future__ import annotations

import io

from pymoo.db.textdump import dump, load
from pymoo.db.textdump_io import expanded_length
from pymoo.db.world import World
from pymoo.values import E_QUOTA, NOTHING, Obj


def test_elements_are_counted_as_often_as_they_occur() -> None:
    assert expanded_length(()) == 0
    assert expanded_length((1, "x")) == 2
    part = (1, 2)
    assert expanded_length((part, part, 3)) == 7
    deep: tuple[object, ...] = ()
    for _ in range(100_000):
        deep = (deep,)
    assert expanded_length(deep) == 100_000


def test_a_list_that_is_too_large_is_saved_as_an_error() -> None:
    world = World()
    objid = world.create(NOTHING)
    value: tuple[object, ...] = (1,)
    for _ in range(100):
        value = (value, value)
    world.add_property(objid, "large", value, objid, 1)
    world.add_property(objid, "small", (1, (2, (3,))), objid, 1)
    stream = io.BytesIO()
    log: list[str] = []
    dump(
        world, stream, log=lambda text, is_error: log.append(text) if is_error else None
    )
    assert log == [
        "DUMPING: #0 holds a list of more than 64,000,000 elements, those of lists in "
        "it included: E_QUOTA is saved in its place"
    ]
    stream.seek(0)
    read = load(stream).world
    assert read[Obj(0)].values == [E_QUOTA, (1, (2, (3,)))]
