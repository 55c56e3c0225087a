"""The connection to the file of a store, whose statements are over when they return.

An open cursor would keep its statement under way until it is collected as garbage,
which with PyPy is some time later, and no transaction can be committed before.  So the
rows that a statement gives are fetched at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from attrs import frozen


@frozen
class Rows:
    """What a statement has given."""

    _rows: list[Any]
    lastrowid: int | None
    rowcount: int

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def fetchone(self) -> Any:
        """Return the first row; None if there is none."""
        return self._rows[0] if self._rows else None

    def fetchall(self) -> list[Any]:
        """Return all rows."""
        return self._rows


class Database:
    """A connection to an SQLite file, which any thread may use, one at a time."""

    def __init__(self, path: Any, *, timeout: float) -> None:
        """Raises: sqlite3.Error."""
        self._connection: Final = sqlite3.connect(
            path, timeout=timeout, isolation_level=None, check_same_thread=False
        )

    def execute(self, statement: str, values: Any = ()) -> Rows:
        """Do one statement.  Raises: sqlite3.Error."""
        cursor = self._connection.execute(statement, values)
        try:
            return Rows(cursor.fetchall(), cursor.lastrowid, cursor.rowcount)
        finally:
            cursor.close()

    def executemany(self, statement: str, values: Iterable[Any]) -> None:
        """Do one statement with each of several rows of values.

        Raises: sqlite3.Error.
        """
        self._connection.executemany(statement, values).close()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is under way."""
        return self._connection.in_transaction

    def set_trace_callback(self, look: Callable[[str], object] | None) -> None:
        """Have ``look`` told of each statement before it is done."""
        self._connection.set_trace_callback(look)

    def close(self) -> None:
        self._connection.close()
