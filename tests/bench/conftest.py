"""What the tests of ``pymoo bench`` share: a session whose samples are short."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pymoo.bench.session import Session
from pymoo.lang.dialect import dialect
from pymoo.worlds.starter import starter_textdump


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """One with the starter core, for work rather than for figures."""
    with Session(
        starter_textdump(),
        dialect("pymoo"),
        tmp_path_factory.mktemp("bench"),
        round_s=0,
        lines_per_round=1,
    ) as session:
        yield session
