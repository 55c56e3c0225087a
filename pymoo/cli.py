"""The command line: each command calls one function of the package.

Exit status: 0 fine, 1 findings (or an error in MOO code), 2 usage or a file that
cannot be used.  The classic form ``pymoo moo`` ends with 1 for bad usage, as the C
server does.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pymoo import __version__
from pymoo.errors import PymooError
from pymoo.exits import CLASSIC_USAGE, INTERRUPTED, UNUSABLE, say

if TYPE_CHECKING:
    from pymoo.server.job_desk import JobSettings
    from pymoo.workers.settings import WorkerSettings

# IN STEP: lang.dialect.DIALECTS, options.DEFAULT_PORT and the defaults of
# server.admission, which are not loaded here so that --help is quick.
PROFILES: Final = ("pymoo", "lambdamoo")
DEFAULT_PORT: Final = 7777


class _Commands(click.Group):
    """Commands in the order of the product's description, loaded when needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.commands, "bench", "conform", "jobs"]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name == "conform":
            from pymoo.conform.command import conform

            return conform
        if name == "bench":
            from pymoo.bench.command import bench

            return bench
        if name == "jobs":
            from pymoo.jobs.command import jobs

            return jobs
        return super().get_command(ctx, name)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample: pymoo eval '2 + 3'",
)
@click.version_option(__version__, prog_name="pymoo", message="%(prog)s %(version)s")
def cli() -> None:
    """pymoo: a MOO language interpreter and server.

    Brings the database of a LambdaMOO online, exactly as it was.
    """


_profile = click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="pymoo",
    show_default=True,
    help="Dialect: lambdamoo is LambdaMOO 1.8.3 exactly; pymoo adds to it.",
)
_code_cache = click.option(
    "--code-cache",
    metavar="FOLDER",
    envvar="PYMOO_CODE_CACHE",
    show_envvar=True,
    help="Where compiled verbs are kept for the next start, or `none`. "
    "[default: pymoo in the user's cache folder]",
)


def _worker_options(command: Any) -> Any:
    """Give a command the options of `workers.settings.WorkerSettings`.

    IN STEP: the defaults there, which are not loaded here so that --help is quick.
    """
    for option in reversed(
        (
            click.option(
                "--workers",
                "worker_modules",
                metavar="MODULE",
                multiple=True,
                help="Module of workers for worker_request(); may be repeated.",
            ),
            click.option(
                "--worker-processes",
                type=click.IntRange(1, 1000),
                default=2,
                show_default=True,
                help="How many processes run them.",
            ),
            click.option(
                "--worker-seconds",
                type=click.FloatRange(0, min_open=True),
                default=60,
                show_default=True,
                help="How long a request may take.",
            ),
            click.option(
                "--worker-cpu",
                type=click.FloatRange(0, min_open=True),
                default=30,
                show_default=True,
                help="How many seconds of CPU a request may use.",
            ),
            click.option(
                "--worker-memory",
                type=click.IntRange(1),
                default=512,
                show_default=True,
                help="How many MB a process may have.",
            ),
            click.option(
                "--worker-queue",
                type=click.IntRange(1),
                default=1000,
                show_default=True,
                help="How many requests may wait for a process.",
            ),
            click.option(
                "--worker-bytes",
                type=click.IntRange(1024, 1 << 29),
                default=1_048_576,
                show_default=True,
                help="How big a request or an answer may be.",
            ),
            click.option(
                "--celery",
                metavar="URL",
                envvar="PYMOO_CELERY",
                help="Broker of Celery, whose workers are asked instead.",
            ),
            click.option(
                "--celery-results",
                metavar="URL",
                envvar="PYMOO_CELERY_RESULTS",
                help="Where Celery keeps results. [default: at the broker]",
            ),
        )
    ):
        command = option(command)
    return command


def _worker_settings(options: dict[str, Any]) -> WorkerSettings | None:
    """Return what `_worker_options` have been given; None without workers."""
    modules = options["worker_modules"]
    if not modules:
        if options["celery"] is not None:
            raise click.UsageError("--celery says where workers are; --workers, which")
        return None
    from pymoo.workers.settings import WorkerSettings

    return WorkerSettings(
        modules=modules,
        processes=options["worker_processes"],
        seconds=options["worker_seconds"],
        cpu_s=options["worker_cpu"],
        memory_mb=options["worker_memory"],
        max_waiting=options["worker_queue"],
        max_bytes=options["worker_bytes"],
        celery=options["celery"],
        celery_results=options["celery_results"],
    )


def _job_settings(modules: tuple[str, ...], database: str) -> JobSettings | None:
    """Return what runs the jobs beside ``database``; None without ``modules``."""
    if not modules:
        return None
    from pymoo.jobs.store import store_path
    from pymoo.server.job_desk import JobSettings

    return JobSettings(store_path(database), modules)


@cli.command(epilog="\b\nExample: pymoo serve MyMOO.db --port 7777")
@click.argument("db", required=False, type=click.Path(dir_okay=False))
@click.argument("out", required=False, type=click.Path(dir_okay=False))
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=DEFAULT_PORT,
    show_default=True,
    help="0 takes any free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to take connections at; '' means all.",
)
@click.option("--log", type=click.Path(dir_okay=False), help="File to add the log to.")
@click.option("--outbound", is_flag=True, help="Allow open_network_connection().")
@click.option(
    "--durability",
    type=click.Choice(["strict", "batch", "off"]),
    default="batch",
    show_default=True,
    help="When what players do is on the disk: after each task, a few, or not before "
    "the next checkpoint.",
)
@click.option(
    "--http",
    type=click.IntRange(0, 65_535),
    metavar="PORT",
    help="Take requests over HTTP there, too; 0 takes any free port.",
)
@click.option(
    "--http-host",
    default="127.0.0.1",
    show_default=True,
    help="Address to take HTTP requests at.",
)
@click.option(
    "--http-token-file",
    type=click.Path(dir_okay=False),
    help="File with the token that HTTP requests need; made if it is not there.",
)
@click.option(
    "--jobs",
    "job_modules",
    metavar="MODULE",
    multiple=True,
    help="Module of tasks for job_start(); may be repeated.",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65_535),
    metavar="PORT",
    help="Offer /metrics for Prometheus, and /healthz, at this port of 127.0.0.1, to "
    "everybody on this machine; 0 takes any free port.",
)
@click.option(
    "--memory-limit",
    metavar="MB",
    help="How much memory the server may take, or `none`. "
    "[default: 80 % of what the machine or its container has]",
)
@click.option(
    "--max-connections-per-address",
    "max_connections",
    type=click.IntRange(0),
    default=100,
    show_default=True,
    help="How many an address may have open; 0 means any number. For this and the "
    "next two an IPv6 address is its first 64 bits, and those of this machine have "
    "100 times as much.",
)
@click.option(
    "--connect-rate",
    type=click.IntRange(0),
    default=60,
    show_default=True,
    help="How many connections an address may open per minute; 0 means any number.",
)
@click.option(
    "--login-rate",
    type=click.IntRange(0),
    default=120,
    show_default=True,
    help="How many lines an address, or one connection of it, may type before login "
    "per minute; 0 means any.",
)
@_worker_options
@_code_cache
@_profile
def serve(
    db: str | None,
    out: str | None,
    port: int,
    host: str,
    log: str | None,
    outbound: bool,
    durability: str,
    http: int | None,
    http_host: str,
    http_token_file: str | None,
    job_modules: tuple[str, ...],
    metrics_port: int | None,
    memory_limit: str | None,
    max_connections: int,
    connect_rate: int,
    login_rate: int,
    code_cache: str | None,
    profile: str,
    **workers: Any,
) -> None:
    """Serve a world until it is shut down.

    DB is a LambdaMOO database file. It is saved to OUT, or without OUT to DB itself,
    which is first copied to DB.backups/original.db. Without DB, a new world of pymoo's
    own is made in world.db; if there is that file already, it is served.
    """
    from pymoo.api.status_door import StatusDoor, socket_path
    from pymoo.db.generations import begin_generations, keep_original
    from pymoo.lang.dialect import dialect
    from pymoo.server.admission import AdmissionLimits
    from pymoo.server.durability import Durability
    from pymoo.server.serving import Service, addresses_of
    from pymoo.server.serving import serve as serve_database
    from pymoo.server.system_memory import limit_from

    lines = []
    door = None
    if http is not None:
        from pymoo.api.http_server import HttpDoor
        from pymoo.api.token import read_or_make_token

        if http_token_file is None:
            raise click.UsageError("--http needs --http-token-file FILE")
        door = HttpDoor(http_host, http, read_or_make_token(http_token_file))
    elif http_token_file is not None:
        raise click.UsageError("--http-token-file is of no use without --http")
    make = None
    if db is None:
        db = "world.db"
        if not os.path.exists(db):
            from pymoo.worlds.starter import copy_starter

            make = copy_starter
            lines.append(f"  world    {db}: new; connect as wizard, or create a player")
    path, target = db, out or db

    def loaded() -> None:
        # What cannot be read is not worth keeping, and would stand in the way of
        # what takes its place.
        if make is not None:
            begin_generations(path, log=lambda text, _: click.echo(text, err=True))
        elif path == target:
            copy = keep_original(path)
            if copy is not None:
                lines.append(f"  kept     {copy} (the file as it was)")

    def started(actual: int) -> None:
        place = "all addresses" if host == "" else host
        lines.insert(0, f"  telnet   {place}, port {actual}")
        if door is not None:
            lines.insert(1, f"  http     {http_host}, port {door.port}")
        lines.append(f"  saves    {target}; Ctrl-C saves and stops")
        if asked.port is not None:
            lines.insert(1, f"  metrics  http://127.0.0.1:{asked.port}/metrics")
        click.echo("\n".join(lines))

    def recovered(text: str) -> None:
        lines.append(f"  recovered {text}")

    def warned(text: str) -> None:
        lines.append(f"  WARNING  {text}")

    asked = StatusDoor(socket_path(target), metrics_port)
    service = Service(
        input_path=db,
        output_path=target,
        make=make,
        port=port,
        addresses=addresses_of(host),
        dialect=dialect(profile),
        log_path=log,
        outbound=outbound,
        code_folder=_code_folder(code_cache),
        check_programs=False,
        locks=True,
        durability=Durability(durability),
        recovers=True,
        doors=(asked,) if door is None else (asked, door),
        workers=_worker_settings(workers),
        jobs=_job_settings(job_modules, target),
        memory_limit=limit_from(memory_limit),
        # 0 stands for no limit, which is None.
        admission=AdmissionLimits(
            max_connections or None, connect_rate or None, login_rate or None
        ),
    )
    sys.exit(
        serve_database(
            service,
            loaded=loaded,
            recovered=recovered,
            warned=warned,
            started=started,
        )
    )


@cli.command(epilog="\b\nExample: pymoo status MyMOO.db")
@click.argument("db", required=False, default="world.db")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(db: str, as_json: bool) -> None:
    """Ask the server that saves to DB, on this machine, how it is.

    Exit status: 0 all is well, 1 something is wrong (or it does not answer in time),
    2 no server is there.
    """
    from pymoo.api.status_command import show_status

    sys.exit(show_status(db, as_json=as_json))


def _code_folder(option: str | None) -> Path | None:
    """Return where compiled verbs are kept; None for nowhere."""
    from pymoo.interp.code_cache import default_folder

    if option is None:
        return default_folder()
    if not option:  # of a variable that is not set; Path would mean the folder here
        raise click.BadParameter("give a folder, or `none'", param_hint="--code-cache")
    return None if option.lower() == "none" else Path(option)


class _ClassicCommand(click.Command):
    """Says what is wrong with its arguments as the C server does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            click.echo(f"{error.format_message()}", err=True)
            click.echo(ctx.get_usage(), err=True)
            ctx.exit(CLASSIC_USAGE)


@cli.command(cls=_ClassicCommand, epilog="\b\nExample: pymoo moo MyMOO.db new.db 7777")
@click.option("-e", "emergency", is_flag=True, help="Emergency wizard mode first.")
@click.option("-l", "log", metavar="LOG", help="File to add the log to.")
@click.option(
    "-o/-O",
    "+O/ ",
    "--outbound/--no-outbound",
    "outbound",
    default=False,
    help="Allow open_network_connection(), or not.",
)
@click.option(
    "-4", "-a", "ipv4", metavar="IP", default="", help="Address to listen at."
)
@click.option("--no-ipv6", is_flag=True, help="Take no connections over IPv6.")
@click.option("-p", "port_option", type=int, metavar="PORT", help="The same as PORT.")
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="lambdamoo",
    show_default=True,
    help="Dialect.",
)
@_code_cache
@click.argument("input_db", metavar="IN")
@click.argument("output_db", metavar="OUT")
@click.argument("port", required=False, type=int)
def moo(
    emergency: bool,
    log: str | None,
    outbound: bool,
    ipv4: str,
    no_ipv6: bool,
    port_option: int | None,
    profile: str,
    code_cache: str | None,
    input_db: str,
    output_db: str,
    port: int | None,
) -> None:
    """Serve as the classic server does, from IN to OUT.

    IN is read and OUT written; the log goes to standard error. The default port is
    7777; 0 takes any free one, and the log says which. SIGTERM saves and stops, SIGUSR2
    makes a checkpoint.
    """
    from pymoo.lang.dialect import dialect
    from pymoo.server.serving import Service, classic_addresses
    from pymoo.server.serving import serve as serve_database

    if port is None:
        port = port_option
    try:
        status = serve_database(
            Service(
                input_path=input_db,
                output_path=output_db,
                port=DEFAULT_PORT if port is None else port,
                port_was_given=port is not None,
                addresses=classic_addresses(ipv4, ipv6=not no_ipv6),
                dialect=dialect(profile),
                log_path=log,
                outbound=outbound,
                code_folder=_code_folder(code_cache),
                emergency=emergency,
            )
        )
    except PymooError as error:
        say(error)
        status = CLASSIC_USAGE
    sys.exit(status)


@cli.group(epilog="\b\nExample: pymoo backup list MyMOO.db")
def backup() -> None:
    """See and bring back what a database file was before it was saved.

    Before MyMOO.db is replaced, it is kept in MyMOO.db.backups: the last 7 of it, the
    last of each of 7 days and of each of 4 weeks, and for ever the original.
    """


_kept_database = click.argument("path", metavar="DB", type=click.Path(dir_okay=False))


@backup.command("list", epilog="\b\nExample: pymoo backup list MyMOO.db")
@_kept_database
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_backups(path: str, as_json: bool) -> None:
    """List what is kept of DB, the newest first."""
    from pymoo.dev.backups import show_backups

    show_backups(path, as_json=as_json)


@backup.command("verify", epilog="\b\nExample: pymoo backup verify MyMOO.db original")
@_kept_database
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def verify_backups(path: str, name: str | None, as_json: bool) -> None:
    """Read what is kept of DB, and check that it is sound.

    All of it is read, or the backup NAME alone; of a name the beginning is enough, and
    `last` is the newest. Exit status: 0 nothing to
    report, 1 findings or a file that cannot be read, 2 there is no such backup.
    """
    from pymoo.dev.backups import verify

    sys.exit(verify(path, name, as_json=as_json))


@backup.command("restore", epilog="\b\nExample: pymoo backup restore MyMOO.db original")
@_kept_database
@click.argument("name")
def restore_backup(path: str, name: str) -> None:
    """Make DB what it was: replace it by a copy of the backup NAME.

    What DB is now becomes a backup first. Refused while a server has DB.
    """
    from pymoo.dev.backups import restore

    restore(path, name)


@cli.command(epilog="\b\nExample: pymoo passwd world.db Wizard --clear")
@click.argument("path", metavar="DB", type=click.Path(dir_okay=False))
@click.argument("who", metavar="WHO", required=False)
@click.option("--stdin", is_flag=True, help="Read it from the first line of input.")
@click.option("--clear", is_flag=True, help="Have none: anybody can connect as WHO.")
def passwd(path: str, who: str | None, stdin: bool, clear: bool) -> None:
    """Set the password of a player in a database that no server has.

    WHO is the player's number, as 2 or '#2', or name. The password is asked for twice
    and not shown. What DB was becomes a backup first.
    """
    from pymoo.db.remedies import passwd_command
    from pymoo.dev.passwd import change_password

    if who is None:
        # A shell takes #2 for the beginning of a comment.
        raise click.UsageError(
            f"whose password? Give a name or a number: {passwd_command(path, '2')}"
        )
    if stdin and clear:
        raise click.UsageError("--stdin gives a password, --clear takes it away")
    if not (stdin or clear or (sys.stdin is not None and sys.stdin.isatty())):
        raise click.UsageError(
            "standard input is no terminal to ask at: give the password on its first "
            "line, with --stdin"
        )

    def ask(player: str) -> str | None:
        if clear:
            return None
        if stdin:
            return sys.stdin.buffer.readline().decode("latin-1").rstrip("\r\n")
        prompt = f"New password of {player}"
        return str(
            click.prompt(prompt, hide_input=True, confirmation_prompt="Once more")
        )

    click.echo(change_password(path, who, ask))


@cli.command(epilog="\b\nExample: pymoo rescue MyMOO.db")
@click.argument("path", metavar="DB", type=click.Path(dir_okay=False))
@_profile
def rescue(path: str, profile: str) -> None:
    """Mend a database as one of its wizards, without a server.

    This is the emergency wizard mode of the classic server (`moo -e`), with nothing
    running meanwhile. DB is saved by `quit` alone, and becomes a backup first.
    """
    from pymoo.dev.rescue import rescue_database
    from pymoo.lang.dialect import dialect

    sys.exit(rescue_database(path, dialect(profile)))


_database = click.option(
    "--db",
    type=click.Path(dir_okay=False, exists=True),
    help="World to run it in; it is not changed. Default: a small one, made anew.",
)
_ticks = click.option("--ticks", is_flag=True, help="Say how many ticks were used.")


@cli.command(epilog="\b\nExample: pymoo run program.moo --ticks")
@click.argument("file", type=click.File("r", encoding="latin-1"))
@_database
@_ticks
@_profile
def run(file: Any, db: str | None, ticks: bool, profile: str) -> None:
    """Run FILE, a program in MOO, as a wizard; no server is needed.

    What it sends to player is printed. `-` reads the program from standard input.
    """
    _run(file.read(), db, ticks, profile, show_value=False)


@cli.command("eval", epilog="\b\nExample: pymoo eval 'length({1, 2, 3})'")
@click.argument("code")
@_database
@_ticks
@_profile
def eval_(code: str, db: str | None, ticks: bool, profile: str) -> None:
    """Evaluate CODE, an expression or statements, and print its value."""
    _run(code, db, ticks, profile, show_value=True)


def _run(
    source: str, db: str | None, ticks: bool, profile: str, *, show_value: bool
) -> None:
    from pymoo.dev.run import run_program
    from pymoo.lang.dialect import dialect

    sys.exit(
        run_program(
            source,
            dialect(profile),
            database=db,
            show_value=show_value,
            show_ticks=ticks,
        )
    )


@cli.command(
    epilog="\b\nExample: pymoo call MyMOO.db '#0:do_login_command' '\"connect\"' 5",
    # Negative numbers are no options.
    context_settings={"ignore_unknown_options": True},
)
@click.argument("words", metavar="[DB] OBJ:VERB [ARG]...", nargs=-1, required=True)
@click.option("--player", default="#-1", metavar="OBJ", help="Whose task it is.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Seconds to wait.",
)
@click.option("--json", "as_json", is_flag=True, help="Print value and output as JSON.")
@click.option("--save", is_flag=True, help="Write DB afterwards.")
@click.option("--url", help="Call a server that runs with --http, instead of a DB.")
@click.option(
    "--token-file", type=click.Path(dir_okay=False), help="Its --http-token-file."
)
@_profile
def call(
    words: tuple[str, ...],
    player: str,
    timeout: float,
    as_json: bool,
    save: bool,
    url: str | None,
    token_file: str | None,
    profile: str,
) -> None:
    """Call a verb of a database or server, and print what it returns.

    ARGs are MOO literals. What PLAYER is sent meanwhile goes to standard error. DB is
    not changed without --save. Exit status: 0 fine, 1 an error in MOO code, 2 usage or
    a file that cannot be used.
    """
    from pymoo.api.command import Place
    from pymoo.api.command import call as call_verb

    if url is None:
        if len(words) < 2:
            raise click.UsageError("give a database and a verb, or --url and a verb")
        if token_file is not None:
            raise click.UsageError("--token-file is of no use without --url")
        database, target, *arguments = words
        place = Place(database=database, dialect=profile, save=save)
    else:
        if save:
            raise click.UsageError("a server saves its database itself")
        target, *arguments = words
        place = Place(url=url, token_file=token_file)
    status = call_verb(
        place,
        target,
        tuple(arguments),
        player=player,
        timeout=timeout,
        as_json=as_json,
    )
    sys.exit(status)


@cli.command("check", epilog="\b\nExample: pymoo check program.moo MyMOO.db")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@_profile
def check_code(files: tuple[str, ...], as_json: bool, profile: str) -> None:
    """Look for syntax errors and likely mistakes in MOO code.

    Each FILE is a program, or a database all of whose verbs are looked at. A likely
    mistake is to use what was read from a property before the task suspended.

    Exit status: 0 nothing to report, 1 findings, 2 not readable.
    """
    from pymoo.dev.check_programs import check_programs
    from pymoo.lang.dialect import dialect

    sys.exit(check_programs(files, dialect(profile), as_json=as_json))


@cli.command(epilog="\b\nExample: pymoo doctor MyMOO.db")
@click.argument("path", metavar="DB", type=click.Path(dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@_profile
def doctor(path: str, as_json: bool, profile: str) -> None:
    """Tell what is in a database, what will work, and what will not.

    Nothing is changed. Exit status: 0 fine, 1 findings, 2 not readable.
    """
    from pymoo.dev.doctor import see_doctor
    from pymoo.lang.dialect import dialect

    sys.exit(see_doctor(path, dialect(profile), as_json=as_json))


@cli.group(epilog="\b\nExample: pymoo db check MyMOO.db")
def db() -> None:
    """Look at, verify and translate database files."""


@db.command(epilog="\b\nExample: pymoo db check MyMOO.db")
@click.argument("path", metavar="DB", type=click.Path(dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def check(path: str, as_json: bool) -> None:
    """Read a database file, check all of it, and change nothing.

    Exit status: 0 nothing to report, 1 findings, 2 not readable.
    """
    from pymoo.dev.check import check_database

    sys.exit(check_database(path, as_json=as_json))


@db.command(epilog="\b\nExample: pymoo db convert old.db new.db")
@click.argument("source", metavar="IN", type=click.Path(dir_okay=False))
@click.argument("target", metavar="OUT", type=click.Path(dir_okay=False))
def convert(source: str, target: str) -> None:
    """Read a database file of any format and write it in format 4.

    OUT is what the C server would have written after reading IN.
    """
    from pymoo.dev.convert import convert_database

    convert_database(source, target)


@db.command(epilog="\b\nExample: pymoo db recover MyMOO.db saved.db")
@click.argument("path", metavar="DB", type=click.Path(dir_okay=False))
@click.argument("target", metavar="OUT", type=click.Path(dir_okay=False))
@click.option(
    "--journal",
    "folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False),
    help="The journal, if it is not DB.journal.",
)
def recover(path: str, target: str, folder: str | None) -> None:
    """Write to OUT what DB and its damaged journal hold.

    A server recovers by itself at its start; this is for a journal that it refuses, and
    goes as far as that can be read. Says what is lost, and what to do next. OUT must
    not exist yet, and no server may have DB.

    Exit status: 0 all of it was there, 1 it had to stop before the end, 2 not usable.
    """
    from pymoo.dev.recover import recover_database

    sys.exit(recover_database(path, target, folder))


@db.command(epilog="\b\nExample: pymoo db diff old.db MyMOO.db --stat")
@click.argument("old", metavar="OLD", type=click.Path(dir_okay=False))
@click.argument("new", metavar="NEW", type=click.Path(dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@click.option("--stat", is_flag=True, help="One line per object, and the sums.")
def diff(old: str, new: str, as_json: bool, stat: bool) -> None:
    """Show what has changed between two database files.

    Exit status: 0 nothing, 1 something, 2 not readable.
    """
    from pymoo.dev.diff import diff_databases

    sys.exit(diff_databases(old, new, as_json=as_json, stat=stat))


@db.command(epilog="\b\nExample: pymoo db repair MyMOO.db MyMOO.repaired.db")
@click.argument("source", metavar="DB", type=click.Path(dir_okay=False))
@click.argument("target", metavar="OUT", type=click.Path(dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def repair(source: str, target: str, as_json: bool) -> None:
    """Write what can be saved of a damaged database file to OUT.

    Says what was mended, and what is lost. DB is not changed.

    Exit status: 0 nothing was wrong, 1 mended, or there is a journal, which is not in
    OUT, 2 nothing can be saved.
    """
    from pymoo.dev.repair import repair_database

    sys.exit(repair_database(source, target, as_json=as_json))


@cli.command(epilog="\b\nExample: pymoo debug MyMOO.db '#0:do_login_command' --source")
@click.argument("database", metavar="DB", type=click.Path(dir_okay=False))
@click.argument("verb", metavar="OBJ:VERB")
@click.option("--source", is_flag=True, help="Show the Python that it is compiled to.")
@_profile
def debug(database: str, verb: str, source: bool, profile: str) -> None:
    """Show a verb of a database file: its code, or what becomes of it."""
    from pymoo.dev.verb_source import show_verb
    from pymoo.lang.dialect import dialect

    show_verb(database, verb, dialect(profile), compiled=source)


# They run MOO code, or look at it, in this process.
_RUN_PROGRAMS: Final = frozenset(
    "rescue run eval call check conform debug doctor db bench".split()
)


# --- start ------------------------------------------------------------------------


def _is_classic(arguments: list[str]) -> bool:
    """Whether the arguments are those of the classic server.

    A word that is neither a command nor a file is a command that was mistyped, but for
    a first of several that resembles none: a file is missing then.
    """
    if not arguments:
        return False
    first = arguments[0]
    if first in ("-h", "--help", "--version"):
        return False
    commands = cli.list_commands(click.Context(cli))
    if first in commands:
        return False
    if not first.isalpha() or os.path.exists(first):
        return True
    from difflib import get_close_matches

    return len(arguments) > 1 and not get_close_matches(first, commands, cutoff=0.7)


def _foreign_pymoo() -> str | None:
    """Return where the other package of this name is installed, if it is.

    Both are imported as ``pymoo``: what one finds could be the other's.
    """
    for folder in dict.fromkeys(sys.path):
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if name.startswith("pymoo-") and name.endswith((".dist-info", ".egg-info")):
                return str(Path(folder) / name)
    return None


def main() -> None:
    """Run the command line."""
    foreign = _foreign_pymoo()
    if foreign is not None:
        say(
            "the optimisation library of the same name is installed in this "
            f"environment ({foreign}),\nand the two overwrite each other's files. "
            "Install lambdamoo-python in an environment of its own:\n"
            "  pipx install lambdamoo-python"
        )
        sys.exit(UNUSABLE)
    arguments = sys.argv[1:]
    if _is_classic(arguments):
        arguments = ["moo", *arguments]
    try:
        if arguments and arguments[0] in _RUN_PROGRAMS:
            from pymoo.server.main_loop import with_deep_stack

            with_deep_stack(lambda: cli.main(arguments, prog_name="pymoo"))
        else:
            cli.main(arguments, prog_name="pymoo")
    except PymooError as error:
        say(error)
        sys.exit(UNUSABLE)
    except KeyboardInterrupt:
        # The world's thread may be reading standard input; Python would end in a crash
        # because of that.
        click.echo("\nAborted!", err=True)
        sys.stdout.flush()
        os._exit(INTERRUPTED)
