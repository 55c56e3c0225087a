"""Chains of objects: what is mended, what is refused, and with which words.

The words are those of LambdaMOO 1.8.3; `test_textdump_damaged.py` compares more.
"""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.db.hierarchy import Chains, validate
from pymoo.errors import TextdumpError
from pymoo.values import NOTHING, Obj

N = NOTHING


def chains(**columns):
    """Chains of three objects, none of which is anywhere unless it is said so."""
    size = 3
    made = Chains()
    for name in ("parent", "child", "sibling", "location", "contents", "next"):
        numbers = columns.get(name, [N] * size)
        getattr(made, name).extend(Obj(number) for number in numbers)
    return made


class Log(list):
    def __call__(self, text, is_error):
        if not text.startswith(("VALIDATING", "VALIDATE: Phase")):
            self.append(("*** " if is_error else "") + text)


def test_sound_chains_are_left_alone():
    sound = chains(
        parent=[N, 0, 0],
        child=[1, N, N],
        sibling=[N, 2, N],
        location=[N, 0, 1],
        contents=[1, 2, N],
    )
    log = Log()
    validate(sound, log)
    assert log == []
    assert list(sound.members(sound.child[0], sound.sibling)) == [1, 2]


def test_every_phase_is_logged():
    lines = []
    validate(chains(), lambda text, is_error: lines.append((text, is_error)))
    assert lines == [
        ("VALIDATING the object hierarchies ...", False),
        ("VALIDATE: Phase 1: Check for invalid objects ...", False),
        ("VALIDATE: Phase 2: Check for cycles ...", False),
        ("VALIDATE: Phase 3a: Finding delusional parents ...", False),
        ("VALIDATE: Phase 3b: Finding delusional children ...", False),
        ("VALIDATING the object hierarchies ... finished.", False),
    ]


def test_what_points_to_nothing_that_is_there_is_mended():
    damaged = chains(child=[7, -3, N], sibling=[N, N, 1])
    damaged.recycled.add(1)
    log = Log()
    validate(damaged, log)
    assert log == [
        "*** VALIDATE: #0.child = #7 <invalid> ... fixed.",
        "*** VALIDATE: #1.child = #-3 <invalid> ... fixed.",
        "*** VALIDATE: #2.sibling = #1 <invalid> ... fixed.",
    ]
    assert damaged.child == damaged.sibling == [N, N, N]


def test_what_is_nowhere_has_nothing_next_to_it():
    damaged = chains(next=[1, N, 0])
    log = Log()
    validate(damaged, log)
    assert log == ["*** VALIDATE: Fixed 2 should-be-null next pointer(s) ..."]
    assert damaged.next == [N, N, N]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            {"parent": [1, 0, 0]},
            [
                "Cycle in `parent' chain of #0",
                "Cycle in `parent' chain of #1",
                "Cycle in `parent' chain of #2",
            ],
        ),
        (
            {"parent": [N, 0, 0], "child": [1, N, N], "sibling": [N, 2, 1]},
            ["Cycle in `child' chain of #0"],
        ),
        (
            {"location": [0, N, N], "contents": [0, N, N], "next": [0, N, N]},
            ["Cycle in `location' chain of #0", "Cycle in `contents' chain of #0"],
        ),
        (
            {"parent": [N, 0, 0], "child": [1, 2, N]},
            [
                "#2 erroneously on #1's child list.",
                "#2 not in parent (#0)'s child list.",
            ],
        ),
        (
            {"contents": [1, N, N]},
            ["#1 erroneously on #0's contents list."],
        ),
        (
            {"location": [N, 0, N]},
            ["#1 not in location (#0)'s contents list."],
        ),
    ],
)
def test_objects_that_disagree_about_where_they_belong_are_refused(columns, words):
    log = Log()
    with pytest.raises(TextdumpError) as refusal:
        validate(chains(**columns), log)
    assert log == [f"*** VALIDATE: {line}" for line in words]
    assert words[0] in str(refusal.value)


def test_very_long_chains_are_followed_without_recursion():
    long = Chains()
    size = 50_000
    for number in range(size):
        long.parent.append(Obj(number - 1))
        long.child.append(Obj(number + 1) if number + 1 < size else N)
        for column in (long.sibling, long.location, long.contents, long.next):
            column.append(N)
    validate(long, Log())


def _disagreement_or_not():
    """Without a circle the objects disagree about their contents, or are sound."""
    return contextlib.suppress(TextdumpError)


@given(st.lists(st.integers(-1, 7), min_size=8, max_size=8))
def test_circles_are_found_from_where_the_c_server_finds_them(links):
    """By following two pointers, one twice as fast, as it does."""

    def runs_in_a_circle(start):
        slow = fast = start
        while fast != -1:
            fast = links[fast]
            if fast == -1:
                return False
            fast, slow = links[fast], links[slow]
            if fast == slow:
                return True
        return False

    made = chains()
    made.location = [Obj(link) for link in links]
    for name in ("parent", "child", "sibling", "contents", "next"):
        setattr(made, name, [N] * 8)
    expected = [
        f"*** VALIDATE: Cycle in `location' chain of #{number}"
        for number in range(8)
        if runs_in_a_circle(links[number])
    ]
    log = Log()
    with pytest.raises(TextdumpError) if expected else _disagreement_or_not():
        validate(made, log)
    assert [line for line in log if "Cycle" in line] == expected
