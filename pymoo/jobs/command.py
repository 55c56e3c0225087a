"""``pymoo jobs``: the command line of all this.

What the commands need is loaded when they run, so that --help is quick.
"""

from __future__ import annotations

import functools
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pymoo.errors import PymooError
from pymoo.exits import FINDINGS, Finding, Refusal

if TYPE_CHECKING:
    from pymoo.jobs.record import Job
    from pymoo.jobs.runner import JobRunner
    from pymoo.jobs.store import JobStore

# IN STEP: states.JobState, and the defaults in runner, which are not loaded here.
STATES: Final = ("NotStarted", "Running", "Finished", "Exception", "Aborted")
STEP_BUDGET_MS: Final = 50.0
ATTEMPTS: Final = 5
KEEP_DAYS: Final = 30.0


def _states(
    ctx: click.Context, param: click.Parameter, words: tuple[str, ...]
) -> list[str]:
    """Return the states that are meant, in whatever case they are written."""
    known = {state.lower(): state for state in STATES}
    for word in words:
        if word.lower() not in known:
            names = ", ".join(STATES)
            raise click.BadParameter(f"{word!r} is not one of {names}")
    return [known[word.lower()] for word in words]


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample: pymoo jobs list MyMOO.db",
)
def jobs() -> None:
    """Look at long-running work beside a database, and run it.

    The jobs of MyMOO.db are in MyMOO.jobs. No server is needed, and none is in the
    way.

    Exit status: 0 fine, 1 there is no such job, it is over, or one has failed, 2
    usage or a file that cannot be used.
    """


_database = click.argument("database", metavar="DB", type=click.Path(dir_okay=False))
_number = click.argument("number", metavar="JOB", type=click.IntRange(1))
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _command(name: str, example: str) -> Callable[[Callable[..., None]], click.Command]:
    """Add a command; its errors become messages and exit statuses."""

    def made(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def called(**given: Any) -> None:
            from pymoo.jobs.errors import JobStateError, NoSuchJobError

            try:
                function(**given)
            except (NoSuchJobError, JobStateError) as error:
                raise Finding(str(error)) from error
            except PymooError as error:
                raise Refusal(str(error)) from error

        return jobs.command(name, epilog=f"\b\nExample: {example}")(called)

    return made


def _open(database: str, *, create: bool = False) -> JobStore:
    """Open the store of a database, which must be there."""
    from pymoo.jobs.store import JobStore, store_path

    path = store_path(database)
    if not path.exists() and not Path(database).exists():
        raise Refusal(f"{database}: there is no such file, and no {path.name}")
    return JobStore(path, create=create)


@_command("list", "pymoo jobs list MyMOO.db --state Running --state NotStarted")
@_database
@click.option(
    "--state",
    "states",
    multiple=True,
    metavar="STATE",
    callback=_states,
    help=f"Only jobs in this state; may be given more than once: {', '.join(STATES)}.",
)
@_as_json
def list_(database: str, states: list[str], as_json: bool) -> None:
    """List the jobs, the oldest first."""
    from pymoo.jobs.states import JobState
    from pymoo.jobs.store import store_path

    wanted = [JobState(state) for state in states] or None
    found: list[Job] = []
    if store_path(database).exists() or not Path(database).exists():
        with _open(database) as store:
            found = store.jobs(wanted)
            texts = [job.json() for job in found] if as_json else []
    if as_json:
        click.echo("[" + ",\n ".join(texts if found else []) + "]")
    elif not found:
        click.echo("no jobs")
    else:
        for line in _table(found):
            click.echo(line)


@_command("show", "pymoo jobs show MyMOO.db 1")
@_database
@_number
@_as_json
def show(database: str, number: int, as_json: bool) -> None:
    """Show all there is to know of a job."""
    from pymoo.jobs.packing import shown

    with _open(database) as store:
        job = store.job(number)
        if as_json:
            click.echo(job.json())
            return
        for key, value in job.as_dict().items():
            if value is None or (key in ("keywords", "error") and not value):
                continue
            if key in ("created", "started", "updated", "finished", "estimated_end"):
                text = _time(value)
            elif key == "error":
                text = "".join(f"\n    {line}" for line in value.splitlines())
            else:
                text = value if isinstance(value, str) else shown(value, 2000)
            click.echo(_printable(f"{key.replace('_', ' ')}: {text}"))


@_command("abort", "pymoo jobs abort MyMOO.db 2")
@_database
@_number
@_as_json
def abort(database: str, number: int, as_json: bool) -> None:
    """End a job that is not over."""
    with _open(database) as store:
        job = store.abort(number)
        click.echo(job.json() if as_json else f"job {number} is aborted")


@_command("prune", "pymoo jobs prune MyMOO.db --days 7")
@_database
@click.option(
    "--days",
    type=click.FloatRange(0),
    default=KEEP_DAYS,
    show_default=True,
    help="How long jobs are kept after they were over.",
)
@_as_json
def prune(database: str, days: float, as_json: bool) -> None:
    """Remove the records of jobs that are over."""
    from pymoo.jobs.store import store_path

    count = 0
    if store_path(database).exists() or not Path(database).exists():
        with _open(database) as store:
            count = store.prune(days)
    click.echo(f'{{"removed": {count}}}' if as_json else f"{count} removed")


@_command("run", "pymoo jobs run MyMOO.db --until-idle")
@_database
@click.option(
    "--path",
    "folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    help="Folder with modules that jobs need; may be given more than once.",
)
@click.option("--until-idle", is_flag=True, help="End when nothing is to be done.")
@click.option(
    "--step-budget",
    type=click.FloatRange(0, min_open=True),
    metavar="MS",
    default=STEP_BUDGET_MS,
    show_default=True,
    help="How long a step should last.",
)
@click.option(
    "--attempts",
    type=click.IntRange(1),
    default=ATTEMPTS,
    show_default=True,
    help="How often a step may end the process before its job is given up.",
)
@click.option(
    "--keep-days",
    type=click.FloatRange(0),
    help="Remove jobs that were over so long ago. Default: keep them.",
)
@click.option("--server", type=int, hidden=True, help="For `pymoo serve` alone.")
@_as_json
def run(
    database: str,
    folders: tuple[str, ...],
    until_idle: bool,
    step_budget: float,
    attempts: int,
    keep_days: float | None,
    server: int | None,
    as_json: bool,
) -> None:
    """Run the jobs: a step of each in turn.

    Each change of a job is printed. Ctrl-C, or SIGTERM, stops after the step that is
    under way; Ctrl-C once more interrupts it, and it is made again later.
    """
    from pymoo.jobs.runner import JobRunner
    from pymoo.jobs.states import JobState

    if server is not None:
        from pymoo.jobs.served import run_for_server

        logging.basicConfig(format="%(message)s")
        run_for_server(server, database)
        return
    has_failed = False

    def tell(job: Job) -> None:
        nonlocal has_failed
        has_failed = has_failed or job.state is JobState.EXCEPTION
        line = job.json() if as_json else _printable(_change(job))
        click.echo(line)

    logging.basicConfig(format="%(message)s")
    sys.path[:0] = folders
    with (
        _open(database, create=True) as store,
        JobRunner(
            store,
            step_budget_ms=step_budget,
            attempts=attempts,
            keep_days=keep_days,
            on_change=tell,
        ) as runner,
    ):
        stop_on_signals(runner)
        if until_idle:
            while not runner.is_stopping and runner.step():
                pass
        else:
            runner.run()
    if has_failed:
        click.get_current_context().exit(FINDINGS)


def stop_on_signals(runner: JobRunner) -> None:
    """Have ``runner`` stop after its step when the process is told to end."""

    def stop(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        runner.stop(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


# --- for people -----------------------------------------------------------------


def _change(job: Job) -> str:
    text = f"{job.id} {job.state.value}: {job.description}"
    return f"{text}: {job.error_line}" if job.error else text


def _table(found: list[Job]) -> list[str]:
    rows = [("job", "state", "%", "ends", "what")]
    for job in found:
        end = job.estimated_end
        what = f"{job.description}: {job.error_line}" if job.error else job.description
        rows.append(
            (
                str(job.id),
                job.state.value,
                str(job.percent),
                "" if end is None else _time(end),
                _printable(what),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        f"{number:>{widths[0]}}  {state:<{widths[1]}}  {percent:>{widths[2]}}  "
        f"{end:<{widths[3]}}  {what}".rstrip()
        for number, state, percent, end, what in rows
    ]


def _time(seconds: float) -> str:
    with suppress(OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(seconds).isoformat(" ", "seconds")
    return f"{seconds:.0f} seconds after 1970"


def _printable(text: str) -> str:
    """Return ``text`` without what a terminal would obey."""
    return "".join(
        each if each.isprintable() or each == "\n" else f"\\x{ord(each):02x}"
        for each in text
    )
