"""A database file, read and ready for a server."""

from __future__ import annotations

import gc
import os

from attrs import frozen

from pymoo.builtins.registry import BuiltinTable
from pymoo.db.log import Log, no_log
from pymoo.db.textdump import Textdump, load
from pymoo.errors import PymooError
from pymoo.interp.loading import ProgramLoader
from pymoo.lang.dialect import Dialect


class DatabaseFileError(PymooError):
    """A database file cannot be opened."""


@frozen
class Database:
    """What a file held, and what its programs were parsed with."""

    textdump: Textdump
    builtins: BuiltinTable
    loader: ProgramLoader


def open_database(
    path: str | os.PathLike[str],
    dialect: Dialect,
    *,
    log: Log = no_log,
    dump_name: str | None = None,
    check: bool = True,
    width: int | None = None,
) -> Database:
    """Read a database file.

    With ``check`` every program is parsed and brought into canonical form, as in the
    C server; without, at its first use.  A file of an old format, whose programs are
    in an older language, is always checked.

    Raises: DatabaseFileError, TextdumpError.
    """
    path = os.fspath(path)
    builtins = BuiltinTable()
    bits = dialect.default_width if width is None else width
    loader = ProgramLoader(builtins.proper_names, bits)
    try:
        with open(path, "rb") as stream:
            checker = loader if check or _is_old(stream.read(64)) else None
            stream.seek(0)
            textdump = load(
                stream,
                name=path,
                log=log,
                checker=checker,
                dump_name=dump_name,
                int_bits=bits,
            )
    except OSError as error:
        raise DatabaseFileError(
            f"{path}: cannot be read: {error.strerror}. Give the path of a LambdaMOO "
            "database"
        ) from error
    return Database(textdump, builtins, loader)


def keep_in_memory() -> None:
    """Have what was loaded left out of garbage collection, for good."""
    if hasattr(gc, "freeze"):  # PyPy has a collector of another kind
        gc.collect()
        gc.freeze()


def _is_old(head: bytes) -> bool:
    """Whether a file begins as those of formats 1 to 3 do."""
    version = head.partition(b"Format Version ")[2][:2]
    return version[:1] in (b"1", b"2", b"3") and not version[1:2].isdigit()
