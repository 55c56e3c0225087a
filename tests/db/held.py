"""Whether a journal is held, asked by those who do not have it."""

from __future__ import annotations

from pymoo.locks import TakenError, open_locked


def is_held(folder: str) -> bool:
    """Whether somebody has the journal in ``folder`` `held`."""
    try:
        with open_locked(f"{folder}.lock"):
            return False
    except TakenError:
        return True
