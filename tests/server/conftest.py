"""Fixtures of the tests of the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.online import Online


@pytest.fixture
def online(tmp_path: Path) -> Online:
    """The small world, online, with #3 connected."""
    return Online(tmp_path)
