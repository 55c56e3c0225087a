"""What of a job is still to be done, as rows of the store.

B1  A job that is not over has one root, a branch without parent; one that is over has
    no branches.
B2  A branch is a task that can be called (``turn`` is set), one that waits for those
    before it (``turn`` is NULL), a chain, then or group of others, which are its
    children in the order of ``position``, or a value, the result of a member of a
    group that is not complete.
B3  Of a chain or then, the first child is under way; those that are done are gone.
B4  ``undone`` counts the children that are tasks, chains, thens or groups.
B5  ``progress`` is what of a branch is done, of 1; ``handed`` is the part of it that
    the branch above knows of, and differs from it by less than can be seen.

A step changes the branch that it was, and when that is done, what is above it.  So it
costs the same whether a chain has 2 members or 20,000, and a tail call takes no room.

Nothing here begins or ends a transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from attrs import frozen

from pymoo.jobs.database import Database
from pymoo.jobs.errors import JobValueError
from pymoo.jobs.packing import MAX_TEXT, pack, shown
from pymoo.jobs.task import GROUP, THEN, Task

SCHEMA: Final = """
CREATE TABLE branches (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    parent INTEGER,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('task', 'chain', 'then', 'group', 'value')),
    turn INTEGER,
    text TEXT,
    given TEXT,
    progress REAL NOT NULL DEFAULT 0,
    handed REAL NOT NULL DEFAULT 0,
    members INTEGER NOT NULL DEFAULT 0,
    undone INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX branches_in_turn ON branches (job, turn);
CREATE UNIQUE INDEX branches_roots ON branches (job) WHERE parent IS NULL;
CREATE INDEX branches_of ON branches (parent, position) WHERE parent IS NOT NULL;
"""

_NOTICED: Final = 0.0005
"""Progress less than this, of 1, is not handed upwards: nobody could see it."""

_NEXT_TURN: Final = (
    "(SELECT coalesce(max(turn), 0) + 1 FROM branches "
    "WHERE job = :job AND turn IS NOT NULL)"
)


@frozen
class Leaf:
    """A branch whose task is to be called next."""

    id: int
    job: int
    text: str
    given: str | None


def plant(db: Database, job: int, text: str) -> None:
    """Give a new job its root, the task ``text``."""
    db.execute(
        "INSERT INTO branches (job, position, kind, turn, text) "
        "VALUES (?, 0, 'task', 1, ?)",
        (job, text),
    )


def next_leaf(db: Database, job: int) -> Leaf | None:
    """Return the branch of ``job`` whose turn it is; None only if B1 is broken."""
    row = db.execute(
        "SELECT id, text, given FROM branches WHERE job = ? AND turn IS NOT NULL "
        "ORDER BY turn LIMIT 1",
        (job,),
    ).fetchone()
    return None if row is None else Leaf(row[0], job, row[1], row[2])


def go_on(db: Database, leaf: Leaf, text: str) -> None:
    """Let the task ``text`` take the place of the one that has returned it."""
    db.execute(
        f"UPDATE branches SET text = :text, given = NULL, turn = {_NEXT_TURN} "
        "WHERE id = :id",
        {"text": text, "id": leaf.id, "job": leaf.job},
    )


def expand(db: Database, leaf: Leaf, task: Task) -> str | None:
    """Put the members of a combination in its place, and theirs in theirs.

    Returns the job's result if there were none and nothing else is to be done.
    Raises: JobValueError if something else than tasks is combined.
    """
    if not task.arguments:
        return complete(db, leaf, pack(()))
    count = len(task.arguments)
    db.execute(
        "UPDATE branches SET kind = ?, turn = NULL, text = NULL, given = NULL, "
        "members = ?, undone = ? WHERE id = ?",
        (task.function, count, count, leaf.id),
    )
    (last,) = db.execute("SELECT max(id) FROM branches").fetchone()
    db.executemany(
        "INSERT INTO branches (id, job, parent, position, kind, text, members, undone) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        _rows_below(leaf, task, last),
    )
    _call_upon(db, leaf.job, leaf.id)
    return None


def _rows_below(leaf: Leaf, task: Task, last: int) -> Iterator[tuple[Any, ...]]:
    """Make the rows of all that is combined in ``task``.

    At once: a nested combination that were kept as a text would be written again at
    each level.
    """
    pending = [(leaf.id, task)]
    while pending:
        parent, combination = pending.pop()
        for position, member in enumerate(combination.arguments):
            if not isinstance(member, Task):
                raise JobValueError(
                    f"{combination.function}: expected tasks, found {shown(member)}"
                )
            last += 1
            kind, text, count = "task", None, 0
            # An empty group stays a task, which is done when its turn comes.
            if member.is_combination and member.arguments:
                pending.append((last, member))
                kind, count = member.function, len(member.arguments)
            else:
                text = pack(member)
            yield last, leaf.job, parent, position, kind, text, count, count


def _call_upon(db: Database, job: int, branch: int) -> None:
    """Give a turn to what of ``branch`` can be called now, in the order of position."""
    (turn,) = db.execute(f"SELECT {_NEXT_TURN}", {"job": job}).fetchone()
    pending = [branch]
    while pending:
        branch = pending.pop()
        (kind,) = db.execute(
            "SELECT kind FROM branches WHERE id = ?", (branch,)
        ).fetchone()
        if kind == "task":
            db.execute("UPDATE branches SET turn = ? WHERE id = ?", (turn, branch))
            turn += 1
            continue
        children = db.execute(
            "SELECT id FROM branches WHERE parent = ? ORDER BY position LIMIT ?",
            (branch, -1 if kind == GROUP else 1),
        ).fetchall()
        pending += [child for (child,) in reversed(children)]


def complete(db: Database, leaf: Leaf, result: str) -> str | None:
    """Note that ``leaf`` is done, and all above it that is done by that.

    Returns the job's result if nothing else is to be done.  Raises: JobValueError if
    the results of a group are too much to be kept.
    """
    branch = leaf.id
    while True:
        parent, handed = db.execute(
            "SELECT parent, handed FROM branches WHERE id = ?", (branch,)
        ).fetchone()
        if parent is None:
            return result
        kind, members, undone, so_far = db.execute(
            "SELECT kind, members, undone, progress FROM branches WHERE id = ?",
            (parent,),
        ).fetchone()
        undone -= 1
        db.execute("UPDATE branches SET undone = ? WHERE id = ?", (undone, parent))
        if kind == GROUP:
            db.execute(
                "UPDATE branches SET kind = 'value', text = ?, given = NULL, "
                "turn = NULL, progress = 1, handed = 1 WHERE id = ?",
                (result, branch),
            )
            if undone:
                _rise(db, parent, so_far + (1 - handed) / members)
                return None
            result = _gathered(db, parent)
            db.execute("DELETE FROM branches WHERE parent = ?", (parent,))
        else:
            db.execute("DELETE FROM branches WHERE id = ?", (branch,))
            if undone:
                (following,) = db.execute(
                    "SELECT id FROM branches WHERE parent = ? "
                    "ORDER BY position LIMIT 1",
                    (parent,),
                ).fetchone()
                if kind == THEN:
                    db.execute(
                        "UPDATE branches SET given = ? WHERE id = ?",
                        (result, following),
                    )
                _call_upon(db, leaf.job, following)
                _rise(db, parent, 1 - undone / members)
                return None
        branch = parent


def _gathered(db: Database, group: int) -> str:
    """Return the results of a group's members as one text."""
    (size,) = db.execute(
        "SELECT sum(length(text) + 1) FROM branches WHERE parent = ?", (group,)
    ).fetchone()
    if size > MAX_TEXT:
        raise JobValueError(
            f"the results of a group have more than {MAX_TEXT:,} characters: let its "
            "tasks write to files, and return their names"
        )
    texts = db.execute(
        "SELECT text FROM branches WHERE parent = ? ORDER BY position", (group,)
    )
    return f"[{','.join(text for (text,) in texts)}]"


def note_progress(db: Database, leaf: Leaf, progress: float) -> None:
    """Note how much of ``leaf`` is done, of 1, and what that means above it."""
    _rise(db, leaf.id, progress)


def _rise(db: Database, branch: int, progress: float) -> None:
    while True:
        handed, parent = db.execute(
            "SELECT handed, parent FROM branches WHERE id = ?", (branch,)
        ).fetchone()
        if parent is None or abs(progress - handed) < _NOTICED:
            db.execute(
                "UPDATE branches SET progress = ? WHERE id = ?", (progress, branch)
            )
            return
        db.execute(
            "UPDATE branches SET progress = ?, handed = ? WHERE id = ?",
            (progress, progress, branch),
        )
        kind, members, undone, so_far = db.execute(
            "SELECT kind, members, undone, progress FROM branches WHERE id = ?",
            (parent,),
        ).fetchone()
        branch = parent
        if kind == GROUP:
            progress = so_far + (progress - handed) / members
        else:
            progress = (members - undone + progress) / members


def root_progress(db: Database, job: int) -> float:
    """Return how much of a job that is not over is done, of 1."""
    (progress,) = db.execute(
        "SELECT progress FROM branches WHERE job = ? AND parent IS NULL", (job,)
    ).fetchone()
    return float(progress)
