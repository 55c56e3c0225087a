"""``pymoo rescue``: emergency wizard mode for a file, and nothing else.

Whatever is done, the file is not written before ``quit``; then it becomes a
generation first.
"""

from __future__ import annotations

import sys
from typing import Final

from pymoo.db.beside import backups_folder
from pymoo.db.generations import keep_generation
from pymoo.dev.check import read_database
from pymoo.dev.offline import has_own_journal, tell_errors
from pymoo.errors import PymooError
from pymoo.exits import FINE, NOT_SAVED
from pymoo.lang.dialect import Dialect
from pymoo.options import DEFAULT_PORT
from pymoo.server.app import Server, ServerSettings
from pymoo.server.dumps import DumpFiles
from pymoo.server.emergency import EmergencyMode, Ending, terminal
from pymoo.server.lock import locked_at_rest
from pymoo.server.log import ErrorLog
from pymoo.server.memory_network import MemoryNetwork
from pymoo.tasks.clock import SystemClock

_EXPLANATION: Final = """\
You are a wizard in {path}, and nothing else runs: `;EXPR' evaluates, `help' says more.
Only `quit' writes the file; what it was is kept in {folder} then.
"""


def rescue_database(path: str, dialect: Dialect) -> int:
    """Take commands for a database from the terminal; return the exit status.

    Raises: PymooError if the file cannot be used.
    """
    with locked_at_rest(path):
        server = _server(path, dialect)
        print(_EXPLANATION.format(path=path, folder=backups_folder(path)), end="")
        sys.stdout.flush()
        was_saved = True
        while True:
            with terminal() as (source, sink):
                ending = EmergencyMode(server, source, sink, is_rescue=True).run()
            if ending is not Ending.QUIT:
                return FINE if was_saved else NOT_SAVED
            was_saved = _save(path, server)
            if was_saved:
                return FINE
            print("Not saved: mend that and `quit' again, or `abort'.", file=sys.stderr)


def _server(path: str, dialect: Dialect) -> Server:
    """Return a server that is never started."""
    database, findings = read_database(path, dialect)
    for finding in findings:
        tell_errors(finding, True)
    clock = SystemClock()
    network = MemoryNetwork()
    server = Server(
        database.textdump,
        DumpFiles(path, path),
        network,
        clock,
        ErrorLog(clock),
        ServerSettings(dialect, width=dialect.default_width),
        builtins=database.builtins,
        loader=database.loader,
        forks=False,
    )
    server.keep_connections()
    server.load_options()
    server.adopt(network.bind(DEFAULT_PORT), DEFAULT_PORT)
    return server


def _save(path: str, server: Server) -> bool:
    try:
        ends_journal = has_own_journal(path)
        keep_generation(path, log=tell_errors, must=True)
    except PymooError as error:
        tell_errors(str(error), True)
        return False
    return server.end_journal(path) if ends_journal else server.save()
