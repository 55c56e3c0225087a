"""Databases whose generations are kept."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.db.saved_files import START, Database


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(tmp_path)
    made.write("first", START)
    return made


@pytest.fixture(params=["links", "copies"])
def with_and_without_links(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if request.param == "copies":

        def link(*arguments: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", link)
