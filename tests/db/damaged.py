"""Damaged database files, with what the C server makes of each."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.db.worlds import DATA

BAD: Final = DATA / "bad"
"""Where they are."""

GOOD: Final = (BAD / "good.db").read_bytes()
"""The file that they were made of."""

REACTIONS: Final[dict[str, dict[str, Any]]] = json.loads(
    (BAD / "reactions.json").read_text(encoding="latin-1")
)
"""What is wrong with each, and what the C server says and writes, by name."""
