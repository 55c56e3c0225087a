"""A server that is killed has lost nothing that a player has seen.

``PYMOO_KILLS`` says how often it is killed (`make test-kill`: 1,000 times).
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.server.kills import Killing

KILLS = int(os.environ.get("PYMOO_KILLS", "8"))


@pytest.mark.parametrize(("durability", "kills"), [("batch", KILLS), ("strict", 3)])
def test_d1_what_was_answered_is_there(
    durability: str, kills: int, tmp_path: Path
) -> None:
    killing = Killing(tmp_path, random.Random(kills), durability)
    killing.prepare()
    for _ in range(kills):
        killing.round()
    assert killing.lost == 0
    assert killing.commands > kills
    print(killing)
