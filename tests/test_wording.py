"""Numbers of things and sizes, as people read them."""

from __future__ import annotations

import pytest

from pymoo.wording import size_text


@pytest.mark.parametrize(
    ("size", "text"),
    [(1, "1 byte"), (999, "999 bytes"), (2_240_000, "2.2 MB"), (10**9, "1.0 GB")],
)
def test_sizes_are_told_in_the_unit_that_fits(size: int, text: str) -> None:
    assert size_text(size) == text
