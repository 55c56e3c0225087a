"""Which format a path holds."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pymoo.conform.cases import CaseError, Suite
from pymoo.conform.moot import read_moot
from pymoo.conform.oracle import read_oracle
from pymoo.conform.own_suite import read_own
from pymoo.conform.profiles import Profile
from pymoo.conform.toast import read_toast

_TOAST_MARK: Final = ("\ntests:", "\nname:")


def read_suite(path: Path, profile: Profile, database: Path | None = None) -> Suite:
    """Return the cases at a path: a file, or a folder of files of one format.

    A ``.jsonl`` file is a group of recorded programs, ``.moot`` files are mooR's,
    YAML files are the project's own if they have a ``topic``, and otherwise those of
    moo-conformance-tests.  ``database`` replaces the one that a format comes with.

    Raises: CaseError.
    """
    if not path.exists():
        raise CaseError(f"{path}: there is no such file or folder")
    if path.is_file():
        suffix, example = path.suffix, path
    else:
        found = next(
            (
                file
                for pattern in ("*.moot", "*.yaml", "*.jsonl")
                for file in sorted(path.rglob(pattern))
            ),
            None,
        )
        if found is None:
            raise CaseError(
                f"{path}: there are no cases here: *.yaml, *.moot or *.jsonl"
            )
        suffix, example = found.suffix, found
    match suffix:
        case ".jsonl":
            return read_oracle(path)
        case ".moot":
            return read_moot(path, database)
        case ".yaml":
            text = "\n" + example.read_text("utf-8", "replace")
            if all(mark in text for mark in _TOAST_MARK):
                return read_toast(path, profile, database)
            return read_own(path)
        case _:
            raise CaseError(f"{path}: {suffix or 'no'} files are no cases")
