"""The fixture of the tests of built-in functions."""

from __future__ import annotations

import pytest

from tests.builtins.asking import Asker


@pytest.fixture
def ask() -> Asker:
    """``ask("length({})")`` gives ``"0"``, and ``ask("length()")`` ``"! E_ARGS"``."""
    return Asker()
