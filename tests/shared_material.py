"""Where the recordings of the reference server are.

They are not part of this repository.  ``PYMOO_SHARED`` names the folder that
holds them; without it a sibling folder of the checkout is tried.  This is the one
place that knows, and it says loudly when there is nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(
    os.environ.get("PYMOO_SHARED", Path(__file__).parents[2] / "shared")
).resolve()

HAVE_SHARED = (SHARED / "oracle" / "harness.db").is_file()

needs_shared = pytest.mark.skipif(
    not HAVE_SHARED,
    reason=f"the recordings of the reference server are not at {SHARED}: "
    "set PYMOO_SHARED to the folder that holds them",
)
"""Marks a test that compares with the recordings; without them it cannot run."""
