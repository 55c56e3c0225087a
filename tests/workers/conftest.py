"""Fixtures of the tests of workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pymoo.interp.tiering import SWITCH
from tests.workers.office import Office, Workshop


@pytest.fixture(params=["walker", "compiled"])
def office(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A small world whose workers answer when they are told to, in either tier."""
    monkeypatch.setenv(SWITCH, request.param)
    return Office()


@pytest.fixture
def workshop() -> Iterator[Callable[..., Workshop]]:
    """``workshop(...)`` starts worker processes; they are gone after the test."""
    shops: list[Workshop] = []

    def make(**settings: object) -> Workshop:
        shop = Workshop(**settings)
        shops.append(shop)
        return shop.start()

    yield make
    for shop in shops:
        shop.stop()
