"""``pymoo conform``: the command line of all this."""

from __future__ import annotations

from pathlib import Path

import click

from pymoo.conform.cases import CaseError, Result
from pymoo.conform.database import NAMES, database
from pymoo.conform.own_suite import OwnSuite
from pymoo.conform.profiles import profile as profile_of
from pymoo.conform.record import record as record_answers
from pymoo.conform.run import chosen, read_suites, run
from pymoo.conform.servers import (
    Launcher,
    Ports,
    RemoteLauncher,
    ServerUnusableError,
    SpawningLauncher,
)
from pymoo.errors import PymooError
from pymoo.exits import Refusal

_EXAMPLES = """\b
Example: pymoo conform --server './moo {db} {out} {port}'
Example: pymoo conform -k builtins/strings"""


@click.command(
    epilog=_EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--server",
    metavar="COMMAND",
    help="Start this server; {db}, {out}, {port} and {log} are filled in.",
)
@click.option(
    "--connect",
    metavar="HOST:PORT",
    help="Use a server that is running, with the right database loaded.",
)
@click.option(
    "--profile",
    default="lambdamoo",
    show_default=True,
    metavar="NAME|FILE",
    help="What the server offers; in process, also its dialect.",
)
@click.option("-k", "pattern", default="", metavar="REGEX", help="Only these cases.")
@click.option(
    "--without",
    multiple=True,
    metavar="TAG",
    help="Leave out cases with this tag, such as 'word size'.",
)
@click.option(
    "--database",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Run .moot and moo-conformance-tests files in this one.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write all figures and failures there.",
)
@click.option(
    "--junit",
    "junit_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a report for continuous integration there.",
)
@click.option(
    "--record",
    metavar="NAME",
    help="Write the answers into our own cases, as those of server NAME.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    help="How many servers to run at once.",
)
@click.option(
    "--ports",
    default="",
    metavar="FIRST-LAST",
    help="Ports to start servers on; by default any that are free.",
)
@click.option(
    "--show",
    type=int,
    default=10,
    show_default=True,
    help="How many failures to print.",
)
@click.option(
    "--write-database",
    type=(click.Choice(NAMES), click.Path(path_type=Path)),
    metavar="NAME FILE",
    default=None,
    help="Write the database of our own cases (own), of .moot files (moot) "
    "or of moo-conformance-tests (toast), and stop.",
)
def conform(
    paths: tuple[Path, ...],
    server: str | None,
    connect: str | None,
    profile: str,
    pattern: str,
    without: tuple[str, ...],
    database: Path | None,
    json_file: Path | None,
    junit_file: Path | None,
    record: str | None,
    jobs: int,
    ports: str,
    show: int,
    write_database: tuple[str, Path] | None,
) -> None:
    """Put conformance cases to a MOO server and compare its answers.

    PATHS are files or folders of cases: our own YAML, the YAML of
    moo-conformance-tests, mooR's .moot files, or recorded groups (.jsonl).  Without
    any, all of our own cases are run; without --server or --connect, against pymoo
    itself, in this process.

    The exit status is 0 if all answers are as recorded, 1 if some are not, and 2 if
    the cases could not be run.
    """
    try:
        if write_database is not None:
            _write(*write_database)
            return
        found_profile = profile_of(profile)
        suites = read_suites(paths, found_profile, database)
        launcher = _launcher(server, connect, found_profile.dialect, jobs, ports)
        selection = chosen(suites, pattern, frozenset(without))
        if not any(cases for _, cases in selection):
            raise CaseError(f"no case is called {pattern!r}")
        if record and not all(isinstance(suite, OwnSuite) for suite in suites):
            raise CaseError("--record writes into our own cases only")
        click.echo(f"{sum(len(cases) for _, cases in selection)} cases ", nl=False)
        progress = _Progress()
        report = run(selection, launcher, progress.seen)
        click.echo()
        if record:
            written = sum(
                record_answers(suite, report.results, record)
                for suite in suites
                if isinstance(suite, OwnSuite)
            )
            click.echo(f"{written} answers of {record} written")
            return
        for result in report.failures[:show]:
            click.echo(report.failure_text(result))
        if len(report.failures) > show > 0:
            click.echo(f"... and {len(report.failures) - show} more: --show or --json")
        click.echo(report.table())
        click.echo(report.summary())
        if json_file is not None:
            report.write_json(json_file)
        if junit_file is not None:
            report.write_junit(junit_file)
    except (PymooError, OSError) as error:
        raise Refusal(str(error)) from error
    if report.failures:
        click.get_current_context().exit(1)


class _Progress:
    """A mark for every hundred cases: F if one of them failed."""

    def __init__(self) -> None:
        self._count = 0
        self._has_failed = False

    def seen(self, result: Result) -> None:
        self._count += 1
        self._has_failed = self._has_failed or bool(result.differences)
        if self._count % 100 == 0:
            click.echo("F" if self._has_failed else "·", nl=False)
            self._has_failed = False


def _write(name: str, path: Path) -> None:
    path.write_bytes(database(name))
    click.echo(f"{path}: the database of the {name} cases")


def _launcher(
    server: str | None, connect: str | None, dialect: str, jobs: int, ports: str
) -> Launcher:
    if server and connect:
        raise ServerUnusableError("give either --server or --connect")
    if server:
        return SpawningLauncher(server, jobs, Ports.parse(ports))
    if connect:
        host, _, port = connect.rpartition(":")
        if not port.isdigit():
            raise ServerUnusableError(f"--connect {connect!r}: expected HOST:PORT")
        return RemoteLauncher(host or "127.0.0.1", int(port))
    from pymoo.conform.inprocess import InProcessLauncher

    return InProcessLauncher(dialect)
