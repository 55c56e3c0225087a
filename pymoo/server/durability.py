"""When what is done is on the disk: what whoever starts a server chooses.

How it gets there is in `disk_journal`, which is loaded where there is to be a journal.
"""

from __future__ import annotations

from enum import Enum


class Durability(Enum):
    """When what is done is on the disk."""

    STRICT = "strict"  # after each slice
    BATCH = "batch"  # after the slices of one turn of the loop
    OFF = "off"  # at checkpoints
