"""The worlds that cases run in."""

from __future__ import annotations

from io import BytesIO

import pytest

from pymoo.conform.database import NAMES, database
from pymoo.conform.moot import PLAYERS
from pymoo.conform.own import PLAYERS as OWN_PLAYERS
from pymoo.db.textdump import load
from pymoo.db.world import World
from pymoo.values import Obj, Value


def world(name: str) -> World:
    return load(BytesIO(database(name)), name=name).world


def value(found: World, objid: int, name: str) -> Value:
    place = found.find_property(Obj(objid), name)
    assert place is not None
    return found.property_value(*place)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_sound(name: str) -> None:
    assert list(world(name).check()) == []


def test_our_own_knows_what_was_there_before_a_case() -> None:
    # What a case adds is what goes beyond these counts: IN STEP with the files.
    found = world("own")
    records = list(found.objects())
    assert value(found, 2, "verb_counts") == tuple(len(r.verbs) for r in records)
    assert value(found, 2, "property_counts") == tuple(len(r.propdefs) for r in records)


def test_our_own_has_the_players_that_cases_name() -> None:
    found = world("own")
    names = [found[player].name.lower() for player in found.players]
    assert names == list(OWN_PLAYERS)
    assert [found.is_wizard(p) for p in found.players] == [True, False, False]
    assert [found.is_programmer(p) for p in found.players] == [True, True, False]


def test_that_of_moot_files_has_their_players() -> None:
    found = world("moot")
    assert [f"#{int(player)}" for player in found.players] == list(PLAYERS.values())


def test_each_is_built_the_same_each_time() -> None:
    for name in NAMES:
        first = database(name)
        database.cache_clear()
        assert database(name) == first
