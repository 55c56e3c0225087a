"""Bytes of values and objects.  The figures were given by LambdaMOO 1.8.3."""

from __future__ import annotations

import pytest

from pymoo.db.objects import CLEAR, NOTHING
from pymoo.db.sizes import object_bytes, value_bytes
from pymoo.errors import AbortReason, TaskAborted
from pymoo.values import E_FLOAT, Obj
from tests.db.worlds import ROOT, WIZARD, add_verb, minimal


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (1, 16),
        (2147483647, 16),
        (Obj(3), 16),
        (E_FLOAT, 16),
        (1.0, 24),
        ("", 17),
        ("abc", 20),
        (CLEAR, 16),
        ((), 32),
        ((1, "a"), 66),
        (("A", "b"), 68),
        ((("x", 1), ("y", 2)), 164),
    ],
)
def test_bytes_of_values(value, size):
    assert value_bytes(value) == size


def test_a_list_nested_deeply_is_counted_without_recursion():
    value = ()
    for _ in range(100_000):
        value = (value,)
    assert value_bytes(value) == 32 * 100_001


def test_a_list_that_expands_without_bound_can_be_stopped():
    class Impatient:
        def __init__(self):
            self.steps = 0

        def spend(self, steps):
            self.steps += steps
            if self.steps > 100_000:
                raise TaskAborted(AbortReason.SECONDS)

    value = (1, 1)
    for _ in range(40):
        value = (value, value)
    meter = Impatient()
    with pytest.raises(TaskAborted):
        value_bytes(value, meter=meter)
    assert meter.steps < 200_000


def test_bytes_of_an_object_are_those_of_its_parts():
    world = minimal()
    assert object_bytes(world[ROOT], lambda verbdef: 0) == 99  # "Root Class"
    plain = world.create(WIZARD, NOTHING)
    assert object_bytes(world[plain], lambda verbdef: 0) == 89
    add_verb(world, plain, "foo*bar baz")
    assert object_bytes(world[plain], lambda verbdef: 1000) == 89 + 32 + 12
    world.add_property(plain, "p", (1, 2.0, "abc"), WIZARD, 5)
    assert object_bytes(world[plain], lambda verbdef: 1000) == 133 + 16 + 2 + 8 + 92


def test_programs_are_counted_where_there_are_some():
    world = minimal()
    add_verb(world, ROOT, "foo", code="return 1;\n")
    add_verb(world, ROOT, "bar")
    without = object_bytes(world[ROOT], lambda verbdef: 0)
    assert object_bytes(world[ROOT], lambda verbdef: 117) == without + 117


def test_inherited_properties_count_on_each_object():
    world = minimal()
    child = world.create(WIZARD, ROOT)
    before = object_bytes(world[child], lambda verbdef: 0)
    world.add_property(ROOT, "p", "text", WIZARD, 0)
    assert object_bytes(world[child], lambda verbdef: 0) == before + 8 + 16
