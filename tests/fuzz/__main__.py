"""``python -m tests.fuzz``: run targets for some time, and print what was found."""

from __future__ import annotations

import os
import sys

import click
from hypothesis import settings

from tests.fuzz import targets
from tests.fuzz.running import run, table


@click.command()
@click.option("--seconds", default=60.0, help="For how long each target is run.")
@click.option("--seed", default=0, help="Another number makes other inputs.")
@click.argument("names", nargs=-1, type=click.Choice(targets.NAMES))
def main(seconds: float, seed: int, names: tuple[str, ...]) -> None:
    """Try random and damaged input on all targets, or on those named."""
    settings.register_profile("fuzz", deadline=None, print_blob=False)
    settings.load_profile("fuzz")
    os.environ["PYMOO_CODE_CACHE"] = "none"
    reports = []
    for name in names or targets.NAMES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        report = run(targets.target(name), seconds=seconds, first_seed=seed * 1_000_000)
        for place, text in report.findings.items():
            print(f"--- {report.name}: {place}\n{text}", flush=True)
        reports.append(report)
    print(table(reports))
    sys.exit(any(report.findings for report in reports))


main()
