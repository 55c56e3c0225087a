"""A whole run: suites, a server, the results in the order of the cases."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from pymoo.conform.cases import Case, CaseError, Job, Result, Suite
from pymoo.conform.profiles import PROFILES, Profile
from pymoo.conform.reading import read_suite
from pymoo.conform.report import Report
from pymoo.conform.servers import Launcher
from pymoo.conform.workbench import run_jobs

_SHIPPED: Final = Path(__file__).with_name("cases")
_IN_CHECKOUT: Final = Path(__file__).parents[2] / "conformance"


def own_cases() -> Path:
    """Return the folder of the project's own cases.

    Raises: CaseError.
    """
    for folder in (_SHIPPED, _IN_CHECKOUT):
        if folder.is_dir():
            return folder
    raise CaseError("the project's own cases are not installed: give a path to cases")


def read_suites(
    paths: Sequence[Path],
    profile: Profile = PROFILES["lambdamoo"],
    database: Path | None = None,
) -> list[Suite]:
    """Return the cases at paths; without any, the project's own.

    Raises: CaseError.
    """
    return [read_suite(path, profile, database) for path in paths or (own_cases(),)]


def chosen(
    suites: Sequence[Suite],
    pattern: str = "",
    without_tags: frozenset[str] = frozenset(),
) -> list[tuple[Suite, list[Case]]]:
    """Return the cases whose title a regular expression finds, without some tags.

    Raises: CaseError.
    """
    try:
        search = re.compile(pattern, re.IGNORECASE).search
    except re.error as error:
        raise CaseError(f"-k {pattern!r}: not a regular expression: {error}") from error
    return [
        (
            suite,
            [
                case
                for case in suite.cases
                if search(case.title)
                and not without_tags.intersection(getattr(case, "tags", ()))
            ],
        )
        for suite in suites
    ]


def run(
    selection: Sequence[tuple[Suite, Sequence[Case]]],
    launcher: Launcher,
    seen: Callable[[Result], None] = lambda result: None,
) -> Report:
    """Put cases to a server; ``seen`` hears of each result as soon as it is there.

    Raises: ServerUnusableError, CaseError.
    """
    start = time.monotonic()
    jobs: list[Job] = []
    for suite, cases in selection:
        jobs += suite.jobs(cases)
    wanted = {id(case) for _, cases in selection for case in cases}
    places: dict[int, int] = {}
    for _, cases in selection:
        for case in cases:
            places[id(case)] = len(places)
    results = []
    for result in run_jobs(launcher, jobs):
        # A file whose cases build on each other runs whole.
        if id(result.case) in wanted:
            seen(result)
            results.append(result)
    results.sort(key=lambda result: places[id(result.case)])
    answered_by = ", ".join(
        dict.fromkeys(suite.answered_by for suite, cases in selection if cases)
    )
    return Report(launcher.name, answered_by, results, time.monotonic() - start)
