"""``pymoo bench``: the command line of all this.

What the commands need is loaded when they run, so that --help is quick.
"""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import Final

import click

from pymoo.errors import PymooError
from pymoo.exits import Refusal

_DEFAULT: Final = "run"
# IN STEP: catalogue.PLAYERS, cases.Tier and lang.dialect.DIALECTS, which are not
# loaded here.
PLAYERS: Final = "1,10,100,400"
TIERS: Final = ("walker", "compiled")
PROFILES: Final = ("pymoo", "lambdamoo")

ROUNDS: Final = 5


class _BenchGroup(click.Group):
    """`pymoo bench CASES` is `pymoo bench run CASES`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (
            args[0] not in self.commands and args[0] not in ctx.help_option_names
        ):
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=_BenchGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample: pymoo bench loops calls/fib --rounds 2",
)
def bench() -> None:
    """Measure how fast pymoo is, on this machine, with this database.

    `pymoo bench` measures everything, `pymoo bench CASES` a part of it: both are
    short for `pymoo bench run`, whose options they take.
    """


def _numbers(
    context: click.Context, parameter: click.Parameter, value: str
) -> tuple[int, ...]:
    try:
        numbers = tuple(int(word) for word in value.split(","))
    except ValueError:
        numbers = ()
    if not numbers or not all(0 < number <= 5000 for number in numbers):
        raise click.BadParameter("give numbers from 1 to 5000, with commas between")
    return tuple(dict.fromkeys(numbers))


_players = click.option(
    "--players",
    metavar="N,...",
    default=PLAYERS,
    show_default=True,
    callback=_numbers,
    help="How many there are in the command mix.",
)


@bench.command(
    epilog="\b\nExample: pymoo bench run lists 'strings/*' --rounds 2 --json new.json"
)
@click.argument("cases", nargs=-1)
@click.option(
    "--db",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="Database to measure with; it is not changed. Default: the starter core.",
)
@click.option(
    "--tier",
    type=click.Choice([*TIERS, "both"]),
    default="compiled",
    show_default=True,
    help="compiled: as a server runs. walker: without compiling what is hot.",
)
@_players
@click.option(
    "--rounds",
    type=click.IntRange(1, 1000),
    default=ROUNDS,
    show_default=True,
    help="How many samples each figure is the median of.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="File to write the report to, with all samples.",
)
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="pymoo",
    show_default=True,
    help="Dialect.",
)
def run(
    cases: tuple[str, ...],
    db: Path | None,
    tier: str,
    players: tuple[int, ...],
    rounds: int,
    json_file: Path | None,
    profile: str,
) -> None:
    """Measure, and print a table of what each thing costs.

    CASES are groups, names or patterns of names; `pymoo bench list` shows them.
    Without any, all are measured that do not take long: some minutes.

    Figures are CPU time of the process that does the work, and its memory. Each
    answer is checked: if one is wrong, that is an error, not a figure.
    """
    from tempfile import TemporaryDirectory

    from pymoo.bench.cases import Tier
    from pymoo.bench.catalogue import all_cases, chosen
    from pymoo.bench.measure import measure_all
    from pymoo.bench.report import Report, conditions_now
    from pymoo.bench.session import Session
    from pymoo.lang.dialect import dialect
    from pymoo.worlds.starter import starter_textdump

    if json_file is not None and not os.access(json_file.parent, os.W_OK):
        raise Refusal(f"{json_file}: there is no folder that can be written to")
    tiers = [*Tier] if tier == "both" else [Tier(tier)]
    try:
        selection = chosen(all_cases(players), cases)
        database = starter_textdump() if db is None else db
        with (
            TemporaryDirectory(prefix="pymoo-bench-") as folder,
            Session(database, dialect(profile), Path(folder)) as session,
        ):
            report = Report(
                conditions_now(
                    "the starter core" if db is None else db.name,
                    session.digest,
                    profile,
                ),
                [],
            )
            report.figures, left_out = measure_all(
                session,
                selection,
                tiers,
                rounds,
                lambda case: _show_progress(case.id),
            )
        _show_progress("")
        if json_file is not None:
            json_file.write_text(report.json(), encoding="utf-8")
    except (PymooError, OSError) as error:
        raise Refusal(str(error)) from error
    click.echo(report.heading())
    click.echo(report.table())
    for lack, without in left_out.items():
        names = ", ".join(case.id for case in without)
        click.echo(f"\nleft out, as the database lacks {lack}: {names}")


def _show_progress(text: str) -> None:
    """Show on a terminal, in place of what was shown there, what is being done."""
    if sys.stderr is not None and sys.stderr.isatty():
        click.echo(f"\r\033[K{text}", nl=False, err=True)


@bench.command("list", epilog="\b\nExample: pymoo bench list")
@_players
def list_(players: tuple[int, ...]) -> None:
    """Name all cases."""
    from pymoo.bench.catalogue import all_cases
    from pymoo.bench.report import table

    click.echo(
        table(
            [
                (case.id, f"{case.what}{' (only by name)' if case.is_long else ''}")
                for case in all_cases(players)
            ],
            (0, 1),
        )
    )


def _percent(
    context: click.Context, parameter: click.Parameter, value: float | None
) -> float | None:
    if value is not None and math.isnan(value):  # which no range excludes
        raise click.BadParameter("give a number")
    return value


@bench.command(epilog="\b\nExample: pymoo bench compare old.json new.json")
@click.argument("old", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("new", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--threshold",
    type=click.FloatRange(0),
    callback=_percent,
    metavar="PERCENT",
    help="End with exit status 1 if a case costs so much more.",
)
def compare(old: Path, new: Path, threshold: float | None) -> None:
    """Compare two reports of `pymoo bench --json`.

    For each case that both have, the least of the samples is compared; a ratio above
    1 means that NEW is slower, or takes more memory. Measured twice without a
    change, the reports differ as well: PERCENT should be more than that.
    """
    from pymoo.bench.compare import compare as compare_reports
    from pymoo.bench.report import Report

    try:
        comparison = compare_reports(Report.read(old), Report.read(new))
    except PymooError as error:
        raise Refusal(str(error)) from error
    click.echo(comparison.text())
    if threshold is None:
        return
    worse = comparison.regressions(threshold)
    for pair in worse:
        click.echo(f"costs more than {threshold:g} % more: {pair.name}")
    if worse:
        click.get_current_context().exit(1)
