"""``python -m tests.soak``: run one, as the environment says, and print the figures."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.soak.soak import Plan, database, soak

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    outcome = soak(Plan.from_environment(), folder, database(folder))
print(outcome)
sys.exit(bool(outcome.faults))
