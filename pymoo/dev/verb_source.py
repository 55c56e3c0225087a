"""``pymoo debug``: one verb of a database file, and what it is compiled to."""

from __future__ import annotations

import shlex
from io import BytesIO

from pymoo.errors import PymooError
from pymoo.exits import say
from pymoo.interp.engine import Engine
from pymoo.lang.dialect import Dialect
from pymoo.server.app import Server, ServerSettings
from pymoo.server.database import open_database
from pymoo.server.dumps import DumpFiles
from pymoo.server.log import Log
from pymoo.server.memory_network import MemoryNetwork
from pymoo.tasks.clock import SystemClock
from pymoo.tasks.programming import (
    find_verb_for_programming,
    object_for_programming,
)
from pymoo.values import NOTHING, Obj


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
    wizard = next(
        (each.id for each in engine.world.objects() if each.is_wizard), NOTHING
    )
    name, colon, verb = text.partition(":")
    # As the name stands in lists of verbs; what is without the stars fits it.
    meant = f"{name}{colon}{verb.replace('*', '')}" if verb.strip("*") else text
    found, message = find_verb_for_programming(engine, wizard, meant)
    if found is None:
        raise NoSuchVerbError(
            f"{path}: {text}: {message}" + _inherited(engine, wizard, path, meant)
        )
    verbdef = engine.find_described_verb(found.object, found.verb)
    assert verbdef is not None  # it was found a moment ago
    program = engine.program_of(verbdef, found.object)
    if program is None:
        raise NoSuchVerbError(
            f"{path}: {text}: it does not parse; see `pymoo db check`"
        )
    if not compiled:
        lines = engine.listing(verbdef, found.object)
        if not lines:
            say(f"{path}: {text}: it has no program: a call of it does nothing")
        for line in lines:
            print(line)
        return
    source = engine.tiering.source(program)
    if source is None:
        print(
            "# This verb stays with the walker, as it is very long, or nested too deep "
            "for Python."
        )
    else:
        if program.forks:
            print("# Bodies of fork stay with the walker, but for the loops in them.")
        for name, meaning in engine.tiering.constants(program):
            print(f"# {name}: {meaning}")
        print(source, end="" if source.endswith("\n") else "\n")


def _inherited(engine: Engine, wizard: Obj, path: str, text: str) -> str:
    """Return where an object has a verb from that it does not define itself."""
    name, _, verb = text.partition(":")
    object_ = object_for_programming(engine, wizard, name)
    if verb:
        for ancestor in engine.world.ancestors(engine.world.find(object_)):
            if engine.find_described_verb(ancestor.id, verb) is not None:
                command = shlex.join(["pymoo", "debug", path, f"{ancestor.id}:{verb}"])
                return f" It inherits one: {command}"
    return ""
