"""``pymoo db convert``: a database file in the format of today."""

from __future__ import annotations

import sys

from pymoo.db.checkpoint import DumpReason
from pymoo.dev.offline import refuse_same
from pymoo.errors import PymooError
from pymoo.lang.dialect import LAMBDAMOO
from pymoo.server.app import Server, ServerSettings
from pymoo.server.database import open_database
from pymoo.server.dumps import DumpFiles
from pymoo.server.log import ErrorLog
from pymoo.server.memory_network import MemoryNetwork
from pymoo.tasks.clock import SystemClock


class ConversionError(PymooError):
    """A file could not be translated."""


def convert_database(source: str, target: str) -> None:
    """Write what the C server would write if it stopped right after its start.

    What is wrong in ``source``, and was mended or passed over, is said on standard
    error.  Raises: PymooError.
    """
    refuse_same(source, target)
    problems: list[str] = []

    def note(text: str, is_error: bool) -> None:
        if is_error:
            problems.append(text)

    database = open_database(source, LAMBDAMOO, log=note)
    clock = SystemClock()
    server = Server(
        database.textdump,
        DumpFiles(source, target),
        MemoryNetwork(),
        clock,
        ErrorLog(clock),
        ServerSettings(LAMBDAMOO),
        builtins=database.builtins,
        loader=database.loader,
        forks=False,
    )
    for problem in problems:
        print(f"{source}: {problem}", file=sys.stderr)
    if not server.dumps.save(DumpReason.CHECKPOINT):
        raise ConversionError(f"{target}: could not be written")
