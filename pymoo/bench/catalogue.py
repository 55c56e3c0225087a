"""All cases, and choosing among them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from pymoo.bench.cases import BenchError, Case
from pymoo.bench.growth import growth_cases
from pymoo.bench.language import language_cases
from pymoo.bench.mix import command_cases, mix_cases
from pymoo.bench.runaways import runaway_cases
from pymoo.bench.start import start_cases
from pymoo.bench.tasks import task_cases

PLAYERS: Final = (1, 10, 100, 400)


def all_cases(players: Sequence[int] = PLAYERS) -> list[Case]:
    """Return every case, in the order in which they are measured and shown."""
    return [
        *language_cases(),
        *command_cases(),
        *mix_cases(players),
        *start_cases(),
        *task_cases(),
        *runaway_cases(),
        *growth_cases(),
    ]


def chosen(cases: Sequence[Case], words: Sequence[str]) -> list[Case]:
    """Return the cases that are meant by groups, names and patterns of names.

    Without any, those that do not take long.

    Raises: BenchError for a word that means no case.
    """
    if not words:
        return [case for case in cases if not case.is_long]
    for word in words:
        if not any(_is_meant(case, word) for case in cases):
            groups = ", ".join(dict.fromkeys(case.group for case in cases))
            raise BenchError(
                f"no case is called {word!r}. The groups are {groups}; "
                "`pymoo bench list` names all cases"
            )
    return [case for case in cases if any(_is_meant(case, word) for word in words)]


def _is_meant(case: Case, word: str) -> bool:
    if word == case.group:
        return not case.is_long
    return fnmatchcase(case.id, word)
