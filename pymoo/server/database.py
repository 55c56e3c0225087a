"""A database file, read and ready for a server."""

from __future__ import annotations

import gc
import os
import shlex
from collections.abc import Callable
from typing import BinaryIO, Final

from attrs import frozen

from pymoo.builtins.registry import BuiltinTable
from pymoo.db.journal_file import folder_of
from pymoo.db.log import Log, no_log
from pymoo.db.recovery import recover_beside
from pymoo.db.redo import JournalError
from pymoo.db.textdump import Textdump, load
from pymoo.db.textdump_programs import ProgramChecker
from pymoo.errors import MooSyntaxError, PymooError, TextdumpError
from pymoo.interp.loading import ProgramLoader
from pymoo.lang.dialect import Dialect

_GZIP: Final = b"\x1f\x8b"


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
    use_journal: bool = True,
) -> Database:
    """Read a database file, and the journal beside it if there is one.

    With ``check`` every program is parsed and brought into canonical form, as in the
    C server; without, at its first use.  A file of an old format, whose programs are
    in an older language, is always checked.  No file is changed; with ``use_journal``
    off only the database file itself is looked at.

    Raises: DatabaseFileError, TextdumpError, JournalError.
    """
    path = os.fspath(path)
    builtins = BuiltinTable(dialect)
    bits = dialect.default_width if width is None else width
    loader = ProgramLoader(builtins.proper_names, bits)

    def read(checker: ProgramChecker | None, log: Log) -> Textdump:
        stream.seek(0)
        return load(
            stream,
            name=path,
            log=log,
            checker=checker,
            dump_name=dump_name,
            int_bits=bits,
        )

    try:
        with open(path, "rb") as stream:
            head = stream.read(64)
            refuse_compressed(head, path)
            is_old = _is_old(head)
            textdump = None
            if check and not is_old:
                textdump = _read_and_check(read, loader, log)
            if textdump is None:
                textdump = read(loader if check or is_old else None, log)
            if use_journal:
                textdump = _with_journal(textdump, path, stream)
    except OSError as error:
        raise unreadable(path, error) from error
    return Database(textdump, builtins, loader)


def _with_journal(textdump: Textdump, path: str, stream: BinaryIO) -> Textdump:
    """Return what the journal beside a file makes of it.  Raises: JournalError."""
    try:
        return recover_beside(textdump, path, stream)
    except OSError as error:
        raise unreadable_journal(path, error) from error


def unreadable_journal(path: str, error: OSError) -> JournalError:
    """Return why what is done with a database file cannot do without its journal."""
    return JournalError(
        f"{error.filename or folder_of(path)}: cannot be read: {error.strerror}. Let "
        "this user read it: it may hold changes that are not in the database file"
    )


def refuse_compressed(head: bytes, path: str) -> None:
    """Raise DatabaseFileError if a file that begins so has to be unpacked first."""
    if head.startswith(_GZIP):
        command = shlex.join(["gunzip", "-k", path])
        raise DatabaseFileError(
            f"{path}: is compressed by gzip. Unpack it first: {command}"
        )


def unreadable(path: str, error: OSError) -> DatabaseFileError:
    """Return why what was given as a database file cannot be used."""
    return DatabaseFileError(
        f"{path}: cannot be read: {error.strerror}. Give the path of a LambdaMOO "
        "database"
    )


def _read_and_check(
    read: Callable[[ProgramChecker, Log], Textdump], loader: ProgramLoader, log: Log
) -> Textdump | None:
    """Read a database, its programs checked side by side; None if anything is wrong.

    Only what goes well is logged.
    """
    from pymoo.server.parallel_check import CollectingChecker, check_in_parallel

    lines: list[tuple[str, bool]] = []
    checker = CollectingChecker(loader)
    try:
        textdump = read(checker, lambda text, is_error: lines.append((text, is_error)))
    except (TextdumpError, MooSyntaxError):
        return None
    changed = check_in_parallel([*checker.texts], loader)
    if changed is None:
        return None
    if changed:
        for record in textdump.world.objects():
            for verbdef in record.verbs:
                if verbdef.code is not None:
                    verbdef.code = changed.get(verbdef.code, verbdef.code)
    for text, is_error in lines:
        log(text, is_error)
    return textdump


_NEW_BETWEEN_COLLECTIONS: Final = 20_000
"""After how many new containers CPython looks through them for garbage.

With its own 700 that takes half of the time in which tasks are queued, as these stay.
Only a task that has ended is garbage of that kind, without the values it had.
"""


def keep_in_memory() -> None:
    """Have what was loaded left out of garbage collection, for good.

    What loading has left over is kept as well, as looking for it would take longer than
    it is worth.  What comes is looked through more seldom than usual.
    """
    if hasattr(gc, "freeze"):  # PyPy has a collector of another kind
        gc.freeze()
        gc.set_threshold(_NEW_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])


def _is_old(head: bytes) -> bool:
    """Whether a file begins as those of formats 1 to 3 do."""
    version = head.partition(b"Format Version ")[2][:2]
    return version[:1] in (b"1", b"2", b"3") and not version[1:2].isdigit()
