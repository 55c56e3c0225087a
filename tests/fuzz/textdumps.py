"""Damaged database files: refused with a word of where, or a sound world.

A world that was loaded is served for a moment, with its tasks, is dumped, and read
again.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from pymoo.builtins.registry import BuiltinTable
from pymoo.db.textdump import load
from pymoo.errors import MooSyntaxError, TextdumpError
from pymoo.interp.loading import ProgramLoader
from pymoo.lang.dialect import DIALECTS
from pymoo.server.app import ServerSettings
from pymoo.server.database import Database
from pymoo.server.dumps import DumpFiles
from pymoo.server.inprocess import EndlessRunError, HandClock, InProcessServer
from tests.db.worlds import DATA, dumped, dumped_again
from tests.fuzz.mutating import mutated
from tests.fuzz.running import Check, Target
from tests.program_strategies import program_world

LARGEST: Final = 20_000
"""Files beyond this are tried too seldom to be worth their time."""

_TOKENS: Final = (
    *b"0 1 2 3 4 5 9 13 -1 -2 -3 -4 1000000000 99999999999999999999 .".split(),
    *b"-99999999999999999999 2147483647 -2147483648 #0 #1:0 #99:7 x {}".split(),
    *b"1.5 1e999 nan inf return;".split(),
    b"", b"\n", b" ", b"0\n", b"-1\n", b"5\nclear\n", b"4\n1\n4\n1\n0\n5\n",
    b"** LambdaMOO Database, Format Version 4 **",
    b"** LambdaMOO Database, Format Version 1 **",
    b"** LambdaMOO Database, Format Version 99 **", b"0 clocks\n", b"1 queued tasks\n",
    b"1 suspended tasks\n", b"-1 queued tasks\n", b"1000000000 suspended tasks\n",
    b"0 active connections\n", b"1 active connections with listeners\n", b"\x00",
    b"\xff",
    b"\r", b"7\n", b"8\n5\n", b"6\n", b"10\n", b"-1 -1 -1 -1 -1 -1 -1 -1 -1",
    b"language version 4\n", b"9 variables\n", b"0 rt_stack slots in use\n", b"No\n",
    b"while (1)\nendwhile\n.", b"#0:0\nreturn 1;\n.\n", b"2\n" + b"4\n1\n" * 200,
)  # fmt: skip


@cache
def seeds() -> tuple[bytes, ...]:
    """Return sound and damaged files, with tasks, and of all formats."""
    files: list[bytes] = []
    for path in sorted(DATA.rglob("*.db")):
        data = path.read_bytes()
        if len(data) < LARGEST:
            # The sound ones more often.
            files += [data] * (1 if path.parent.name == "bad" else 4)
    return (*files, *[dumped(program_world())] * 4)


# A file, the dialect, and whether all programs are parsed as the file is read.
INPUTS: Final = st.tuples(
    st.deferred(lambda: mutated(seeds(), _TOKENS, line=b"\n")),
    st.sampled_from([*DIALECTS]),
    st.booleans(),
)


@contextmanager
def opened() -> Iterator[Check]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        yield lambda data: _check(place, *data)


def _check(folder: Path, data: bytes, dialect_name: str, is_checked: bool) -> None:
    dialect = DIALECTS[dialect_name]
    builtins = BuiltinTable(dialect)
    loader = ProgramLoader(builtins.proper_names)
    log: list[str] = []
    try:
        textdump = load(
            io.BytesIO(data),
            name="x.db",
            log=lambda text, is_error: log.append(text),
            checker=loader if is_checked else None,
        )
    except TextdumpError as error:
        _check_error(error, log)
        return
    assert [*textdump.world.check(owners=False)] == []
    again = dumped_again(textdump)
    assert dumped_again(load(io.BytesIO(again), name="x.db")) == again
    try:
        server = InProcessServer(
            Database(textdump, builtins, loader),
            DumpFiles(str(folder / "in.db"), str(folder / "out.db")),
            ServerSettings(dialect, width=dialect.default_width, seed=1),
            clock=HandClock(),
        )
        server.connect().send_line("connect wizard")
        server.run()
        server.advance(10)
        server.shut_down()
    except (TextdumpError, MooSyntaxError):
        return  # the tasks of the file
    except EndlessRunError:
        pass  # a program of the file's
    assert not [line for line in server.log_lines if "BUG" in line], server.log_lines
    assert [*server.server.engine.world.check(owners=False)] == []


def _check_error(error: TextdumpError, log: list[str]) -> None:
    """It says in which file and line, and the log that nothing is loaded."""
    assert str(error).startswith("x.db"), error
    assert log[-1].startswith("DB_LOAD: Cannot load database!"), log


TARGET: Final = Target("textdumps", INPUTS, opened)
