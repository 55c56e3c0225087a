"""What players type."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from pymoo.bench.commands import REPERTOIRES, Kind, Repertoire, Role, player_name
from pymoo.bench.mix import scripts

ROLE = Role("Anna", "Hall 000", "Hall 001", "Bert")
ROLES = [Role(player_name(n), "Hall 000", "Hall 001", player_name(0)) for n in range(3)]


def of_core(repertoire: Repertoire) -> str:
    return repertoire.core


def test_no_name_of_a_player_begins_another() -> None:
    names = sorted(player_name(number).lower() for number in range(5000))
    assert not any(after.startswith(before) for before, after in pairwise(names))


def test_the_facts_of_the_player_are_filled_in() -> None:
    kind = Kind(1, (("page {other} with hi from {name}", "sent|{other} is {room}"),))
    (step,) = kind.steps(ROLE, Random(1))
    assert step.line == "page Bert with hi from Anna"
    assert step.answers == ("sent", "Bert is Hall 000")


def test_the_summary_of_a_kind_is_what_is_typed() -> None:
    kind = Kind(1, ((";{{{a}, 2}}", "=>"), ("look {name}", "awake")))
    assert kind.summary == ";{{a}, 2}; look {name}"
    assert kind.steps(ROLE, Random(1))[0].line.endswith(", 2}")


@pytest.mark.parametrize("repertoire", REPERTOIRES, ids=of_core)
def test_every_line_is_filled_in_and_has_an_answer(repertoire: Repertoire) -> None:
    for kind in repertoire.kinds.values():
        for step in kind.steps(ROLE, Random(1)):
            assert step.line.isascii()
            assert all(step.answers)


@pytest.mark.parametrize("repertoire", REPERTOIRES, ids=of_core)
def test_a_tenth_of_the_mix_or_more_is_building_and_programming(
    repertoire: Repertoire,
) -> None:
    total = sum(kind.weight for kind in repertoire.kinds.values())
    work = sum(repertoire.kinds[name].weight for name in ("build", "eval", "list"))
    assert 0.1 <= work / total <= 0.2


@pytest.mark.parametrize("repertoire", REPERTOIRES, ids=of_core)
def test_each_kind_has_its_share_of_a_round(repertoire: Repertoire) -> None:
    round_ = scripts(repertoire, ROLES, lines=500)
    deck = sum(kind.weight for kind in repertoire.kinds.values())
    assert len(round_) % deck == 0
    assert sum(map(len, round_)) >= 500
    looks = sum(step.line == "look" for script in round_ for step in script)
    assert looks == len(round_) // deck * repertoire.kinds["look"].weight


def test_the_same_crowd_always_types_the_same() -> None:
    repertoire = REPERTOIRES[0]
    assert scripts(repertoire, ROLES, 100) == scripts(repertoire, ROLES, 100)


def test_a_large_crowd_has_something_to_do_for_everybody() -> None:
    roles = [*ROLES] * 200
    assert len(scripts(REPERTOIRES[0], roles, 10)) >= len(roles)
