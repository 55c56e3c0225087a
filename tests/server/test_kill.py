"""A server that is killed has lost nothing that a player has seen.

``PYMOO_KILLS`` says how often it is killed (`make test-kill`: 1,000 times).
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.server.kills import Killing
from tests.server.processes import pymoo

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


def test_other_commands_know_what_is_in_the_journal(tmp_path: Path) -> None:
    killing = Killing(tmp_path, random.Random(1))
    killing.prepare()
    while not killing.answered[0]:
        killing.round()
    database = str(killing.database)
    number = killing.answered[0]
    seen = pymoo("call", database, "#0:first", folder=tmp_path)
    assert seen.stdout.decode().startswith(f"{{{number}, "), seen
    saved = pymoo("db", "recover", database, "saved.db", folder=tmp_path)
    assert saved.returncode == 0, saved
    refused = pymoo("moo", database, "out.db", "0", folder=tmp_path)
    assert refused.returncode == 1
    assert b"is not read here" in refused.stderr
    assert pymoo("moo", "-e", "saved.db", "out.db", folder=tmp_path).returncode == 0
