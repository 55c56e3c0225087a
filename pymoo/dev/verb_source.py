"""``pymoo debug``: one verb of a database file, and what it is compiled to."""

from __future__ import annotations

from io import BytesIO

from pymoo.errors import PymooError
from pymoo.lang.dialect import Dialect
from pymoo.server.app import Server, ServerSettings
from pymoo.server.database import open_database
from pymoo.server.dumps import DumpFiles
from pymoo.server.log import Log
from pymoo.server.memory_network import MemoryNetwork
from pymoo.tasks.clock import SystemClock
from pymoo.tasks.programming import find_verb_for_programming
from pymoo.values import NOTHING


class NoSuchVerbError(PymooError):
    """There is no such verb in a database, or it does not parse."""


def show_verb(path: str, text: str, dialect: Dialect, *, compiled: bool) -> None:
    """Print the code of the verb that ``#3:look`` or ``$player:look`` means.

    With ``compiled`` that is the Python function which the second tier makes of it.

    Raises: PymooError.
    """
    database = open_database(path, dialect, check=False)
    database.textdump.tasks.clear()
    clock = SystemClock()
    server = Server(
        database.textdump,
        DumpFiles(path, None),
        MemoryNetwork(),
        clock,
        Log(clock, BytesIO()),
        ServerSettings(dialect, width=dialect.default_width),
        builtins=database.builtins,
        loader=database.loader,
        forks=False,
    )
    engine = server.engine
    wizard = next((each.id for each in engine.world.objects() if each.is_wizard), None)
    found, message = find_verb_for_programming(
        engine, NOTHING if wizard is None else wizard, text
    )
    if found is None:
        raise NoSuchVerbError(f"{path}: {text}: {message}")
    verbdef = engine.find_described_verb(found.object, found.verb)
    assert verbdef is not None  # it was found a moment ago
    program = engine.program_of(verbdef, found.object)
    if program is None:
        raise NoSuchVerbError(
            f"{path}: {text}: it does not parse; see `pymoo db check`"
        )
    if not compiled:
        for line in engine.listing(verbdef, found.object):
            print(line)
        return
    source = engine.tiering.source(program)
    if source is None:
        print("# This verb stays with the walker.")
    else:
        print(source, end="" if source.endswith("\n") else "\n")
