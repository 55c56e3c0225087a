"""The file that jobs are in, ``MyMOO.jobs`` beside ``MyMOO.db``.

S1  What a step has done, its result and its successor, is one transaction, synced to
    the disk.  Whoever is killed at whatever moment leaves all of it or nothing.
S2  ``turn`` of a job is set exactly while it is not over; the lowest is next, and a
    step gives its job the highest.
S3  A state changes as `states` says, and not while somebody else changes it.

Any number of processes may have the file open and add, read and abort jobs; one at a
time runs them (`runner`).  What is still to be done of a job is in `branches`.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from pymoo.jobs import branches
from pymoo.jobs.database import Database
from pymoo.jobs.errors import (
    JobError,
    JobStoreError,
    JobValueError,
    NoSuchJobError,
)
from pymoo.jobs.packing import pack, shown, unpack
from pymoo.jobs.record import Job
from pymoo.jobs.states import JobState, check_transition
from pymoo.jobs.task import Task, factory_of
from pymoo.values import ErrorCode, Obj

LOG: Final = logging.getLogger("pymoo.jobs")

APPLICATION: Final = 0x6D6F6F6A  # "mooj"
SCHEMA_VERSION: Final = 2

PATIENCE_S: Final = 5.0
"""How long one waits for another process that is writing, where people wait as well."""

LONG_PATIENCE_S: Final = 60.0
"""How long a server and what runs its jobs wait, where nobody does.

On a slow disk the steps of jobs follow one another with hardly a gap for the server's
changes, and these with hardly one for the steps.
"""

_STATES: Final = ", ".join(f"'{state.value}'" for state in JobState)
_SCHEMA: Final = f"""
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL CHECK (state IN ({_STATES})),
    turn INTEGER,
    progress REAL NOT NULL DEFAULT 0,
    steps INTEGER NOT NULL DEFAULT 0,
    longest_step_ms REAL NOT NULL DEFAULT 0,
    created REAL NOT NULL,
    started REAL,
    updated REAL,
    finished REAL,
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX jobs_in_turn ON jobs (turn) WHERE turn IS NOT NULL;
-- Apart from jobs, so that a step does not write again what does not change.
CREATE TABLE requests (
    job INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    function TEXT NOT NULL,
    version INTEGER NOT NULL,
    task TEXT NOT NULL,
    description TEXT NOT NULL,
    metadata TEXT NOT NULL,
    owner INTEGER,
    is_described INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE outcomes (
    job INTEGER PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    result TEXT,
    error TEXT
);
{branches.SCHEMA}
"""

# What makes a file of the schema before one of this.
_SINCE_1: Final = (
    "ALTER TABLE jobs ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE requests ADD COLUMN is_described INTEGER NOT NULL DEFAULT 1",
)

_NEXT_TURN: Final = (
    "(SELECT coalesce(max(turn), 0) + 1 FROM jobs WHERE turn IS NOT NULL)"
)
_IN_BRIEF: Final = (
    "SELECT id, state, description, function, version, owner, progress, steps, "
    "longest_step_ms, created, started, updated, finished"
)
_JOB: Final = (
    f"{_IN_BRIEF}, error, task, metadata, result "
    "FROM jobs JOIN requests ON requests.job = id "
    "LEFT JOIN outcomes ON outcomes.job = id"
)
_JOB_IN_BRIEF: Final = (
    f"{_IN_BRIEF}, NULL, '', '', NULL FROM jobs JOIN requests ON requests.job = id"
)

_ERROR_LENGTH: Final = 20_000
_DAY_S: Final = 86_400


def store_path(database: str | os.PathLike[str]) -> Path:
    """Return where the jobs of a database are: ``MyMOO.jobs`` for ``MyMOO.db``.

    A path that ends in ``.jobs`` is the place itself.
    """
    path = Path(database)
    if path.suffix == ".jobs":
        return path
    return path.with_name(path.name.removesuffix(".db") + ".jobs")


@frozen
class Step:
    """A call that is to be made for a job.

    ``number`` is how many were made before; ``is_described`` whether the functions that
    describe the job were called.
    """

    leaf: branches.Leaf
    task: Task
    number: int = 0
    is_described: bool = True

    @property
    def job(self) -> int:
        """The number of the job."""
        return self.leaf.job


@frozen
class Outcome:
    """What came of a step: one of a successor, a result and an error.

    The first two are packed.  ``percent`` is None if nobody knows.
    """

    successor: str | None = None
    result: str | None = None
    error: str | None = None
    percent: float | None = None


class JobStore:
    """The jobs in one file.  Any thread may use it.

    Raises, in every method: JobStoreError if the file cannot be used.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        create: bool = True,
        clock: Callable[[], float] = time.time,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Open the file, made anew if there is none and ``create`` is true.

        ``patience_s`` is how long to wait for another process that is writing.
        """
        self.path: Final = Path(path)
        self._clock: Final = clock
        self._process: Final = os.getpid()
        # Guards the connection; never held while a task, or a subscriber, is called.
        self._mutex: Final = threading.RLock()
        self._changed: Final = threading.Condition()
        self._changes = 0
        # Jobs whose state the present transaction changes; those that subscribers are
        # still to be told of, in the order in which it happened; who tells them.
        self._changed_now: Final[list[Job]] = []
        self._to_tell: Final[deque[Job]] = deque()
        self._telling: Final = threading.Lock()
        self._subscribers: list[Callable[[Job], None]] = []
        # What subscribers were told of jobs that are not over, and when the file was
        # last looked at for what other processes have done.
        self._told: dict[int, JobState] = {}
        self._seen_version = 0
        if not create and not self.path.exists():
            raise JobStoreError(f"{self.path}: there is no such file")
        with self._translated():
            self._db: Final = Database(self.path, timeout=patience_s)
        try:
            with self._translated():
                self._prepare(patience_s)
        except BaseException:
            self._db.close()
            raise

    def _prepare(self, patience_s: float) -> None:
        db = self._db
        deadline = time.monotonic() + patience_s
        while True:
            try:
                # SQLite does not wait for others when it changes this.
                db.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        if self._schema() != SCHEMA_VERSION:
            with self._changing():
                found = self._schema()  # somebody may have been faster
                if found is None:
                    for statement in _SCHEMA.split(";\n"):
                        db.execute(statement)
                    db.execute(f"PRAGMA application_id = {APPLICATION}")
                elif found == 1:
                    for statement in _SINCE_1:
                        db.execute(statement)
                db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _schema(self) -> int | None:
        """Return which schema the file has; None if nothing is in it.

        Raises: JobStoreError if it is no store, or a newer one.
        """
        db = self._db
        ((application,), (version,), (tables,)) = (
            db.execute(question).fetchone()
            for question in (
                "PRAGMA application_id",
                "PRAGMA user_version",
                "SELECT count(*) FROM sqlite_master",
            )
        )
        if application == 0 and tables == 0:
            return None
        if application != APPLICATION:
            raise JobStoreError(
                f"{self.path}: an SQLite file, but not one with jobs; name another file"
            )
        if not 1 <= version <= SCHEMA_VERSION:
            raise JobStoreError(
                f"{self.path}: expected schema {SCHEMA_VERSION}, found {version}: use "
                "the pymoo that has written it, or move it away to begin with no jobs"
            )
        return int(version)

    def close(self) -> None:
        """Close the file; the store cannot be used any more."""
        with self._mutex:
            self._db.close()

    def __enter__(self) -> JobStore:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # --- the file ---------------------------------------------------------------

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn SQLite's errors into ours, which name the file and the remedy."""
        try:
            yield
        except sqlite3.Error as error:
            raise JobStoreError(f"{self.path}: {_remedy(error)}") from error

    @contextmanager
    def _reading(self) -> Iterator[Database]:
        with self._mutex, self._translated():
            # A connection must not be used on both sides of a fork.
            if os.getpid() != self._process:
                raise JobStoreError(
                    f"{self.path}: was opened by process {self._process}, of which "
                    "this one is a fork; open it anew"
                )
            yield self._db

    @contextmanager
    def _changing(self) -> Iterator[Database]:
        with self._reading() as db:
            self._changed_now.clear()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            for job in self._changed_now:
                self._note(job)
        self._tell()

    def check(self) -> None:
        """Read all of the file.  Raises: JobStoreError if it is damaged."""
        with self._reading() as db:
            ((found,),) = db.execute("PRAGMA quick_check(1)").fetchall()
        if found != "ok":
            raise JobStoreError(f"{self.path}: {_damaged(found.splitlines()[-1])}")

    # --- what is known ----------------------------------------------------------

    def job(self, number: int) -> Job:
        """Return a job as it is now.  Raises: NoSuchJobError."""
        with self._reading() as db:
            return self._read(db, number)

    def _read(self, db: Database, number: int) -> Job:
        row = db.execute(f"{_JOB} WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise self._no_such_job(number)
        return self._job_of(row)

    def _no_such_job(self, number: int) -> NoSuchJobError:
        return NoSuchJobError(f"{self.path}: there is no job {number}")

    def jobs(
        self,
        states: Collection[JobState] | None = None,
        *,
        owner: Obj | None = None,
        in_brief: bool = False,
    ) -> list[Job]:
        """Return all jobs, the oldest first, or those in ``states`` or of ``owner``.

        ``in_brief``: without `Job.task`, `Job.metadata`, `Job.result` and `Job.error`,
        which may be long.
        """
        conditions = ["1"]
        given: list[str | int] = []
        if states is not None:
            conditions.append(f"state IN ({','.join('?' * len(states))})")
            given += [state.value for state in states]
        if owner is not None:
            conditions.append("owner = ?")
            given.append(int(owner))
        with self._reading() as db:
            rows = db.execute(
                f"{_JOB_IN_BRIEF if in_brief else _JOB} "
                f"WHERE {' AND '.join(conditions)} ORDER BY id",
                given,
            ).fetchall()
        return [self._job_of(row) for row in rows]

    def _job_of(self, row: tuple[Any, ...]) -> Job:
        number, state, description, function, version, owner, progress, *rest = row
        return Job(
            self,
            number,
            JobState(state),
            description,
            function,
            version,
            None if owner is None else Obj(owner),
            progress * 100,
            *rest,
        )

    # --- what happens to jobs ---------------------------------------------------

    def add(self, task: Task, *, owner: Obj | None = None) -> Job:
        """Queue a task and return its job, at once.

        Raises: JobValueError if an argument cannot be kept; JobError if the function
            is not to be found or its description or metadata cannot be made.
        """
        if not isinstance(task, Task):
            raise TypeError(f"expected a task, found {task!r}")
        text = pack(task)
        return self._add(task, text, _about(task), owner, None)

    def add_undescribed(
        self, task: Task, *, number: int | None = None, owner: Obj | None = None
    ) -> Job:
        """Queue a task without importing anything of it, and return its job.

        What describes the job is asked for by whoever runs its first step.  ``number``
        is one that `reserve` has given.

        Raises: JobValueError if an argument cannot be kept.
        """
        about = None if not task.is_combination else _about(task)
        return self._add(task, pack(task), about, owner, number)

    def _add(
        self,
        task: Task,
        text: str,
        about: tuple[str, str] | None,
        owner: Obj | None,
        number: int | None,
    ) -> Job:
        description, metadata = about or (shown(task), pack({}))
        with self._changing() as db:
            number = db.execute(
                "INSERT INTO jobs (id, state, turn, created) "
                f"VALUES (?, ?, {_NEXT_TURN}, ?)",
                (number, JobState.NOT_STARTED.value, self._clock()),
            ).lastrowid
            assert number is not None
            db.execute(
                "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    number,
                    task.function,
                    task.version,
                    text,
                    _sound(description),
                    metadata,
                    None if owner is None else int(owner),
                    about is not None,
                ),
            )
            branches.plant(db, number, text)
            job = self._read(db, number)
            self._changed_now.append(job)
        return job

    def reserve(self, count: int) -> range:
        """Return numbers that no other job will get."""
        with self._changing() as db:
            last = self._last_number(db)
            db.execute("DELETE FROM sqlite_sequence WHERE name = 'jobs'")
            db.execute(
                "INSERT INTO sqlite_sequence (name, seq) VALUES ('jobs', ?)",
                (last + count,),
            )
        return range(last + 1, last + count + 1)

    def give_back(self, numbers: Collection[int]) -> None:
        """Let others have numbers that were reserved and not used.

        As far as that leaves none twice: if the last of all is among them.
        """
        with self._changing() as db:
            last = first = self._last_number(db)
            while first in numbers:
                first -= 1
            if first != last:
                db.execute(
                    "UPDATE sqlite_sequence SET seq = ? WHERE name = 'jobs'", (first,)
                )

    def _last_number(self, db: Database) -> int:
        row = db.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = 'jobs'"
        ).fetchone()
        return 0 if row is None else int(row[0])

    def abort(self, number: int) -> Job:
        """End a job; what a step that is running returns is not recorded.

        Raises: NoSuchJobError; JobStateError if it is over.
        """
        with self._changing() as db:
            return self._end(db, number, JobState.ABORTED)

    def delete(self, number: int) -> bool:
        """Abort a job that is not over; remove one that is, and return True.

        Raises: NoSuchJobError.
        """
        with self._changing() as db:
            if self._state(db, number).is_over:
                db.execute("DELETE FROM jobs WHERE id = ?", (number,))
                return True
            self._end(db, number, JobState.ABORTED)
        return False

    def prune(self, days: float) -> int:
        """Remove the jobs that were over ``days`` ago; returns how many."""
        with self._changing() as db:
            return db.execute(
                "DELETE FROM jobs WHERE turn IS NULL AND finished <= ?",
                (self._clock() - days * _DAY_S,),
            ).rowcount

    def _state(self, db: Database, number: int) -> JobState:
        row = db.execute("SELECT state FROM jobs WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise self._no_such_job(number)
        return JobState(row[0])

    def _end(
        self,
        db: Database,
        number: int,
        state: JobState,
        result: str | None = None,
        error: str | None = None,
    ) -> Job:
        check_transition(number, self._state(db, number), state)
        now = self._clock()
        db.execute(
            "UPDATE jobs SET state = ?, turn = NULL, finished = ?, "
            "progress = CASE WHEN ? THEN 1 ELSE progress END WHERE id = ?",
            (state.value, now, state is JobState.FINISHED, number),
        )
        db.execute(
            "INSERT INTO outcomes VALUES (?, ?, ?)",
            (number, result, None if error is None else _sound(error)),
        )
        db.execute("DELETE FROM branches WHERE job = ?", (number,))
        job = self._read(db, number)
        self._changed_now.append(job)
        return job

    # --- for the runner ---------------------------------------------------------

    def begin_step(self) -> Step | None:
        """Return the call that is to be made next; None if nothing is to be done.

        Its job is Running then.  Until `end_step` the same one is next.
        """
        while True:
            with self._reading() as db:
                row = db.execute(
                    "SELECT id, state, steps, is_described FROM jobs "
                    "JOIN requests ON requests.job = id WHERE turn IS NOT NULL "
                    "ORDER BY turn LIMIT 1"
                ).fetchone()
                if row is None:
                    return None
                number, _, steps, is_described = row
                leaf = branches.next_leaf(db, number)
            if JobState(row[1]) is JobState.NOT_STARTED and not self._start(number):
                continue
            if leaf is None:
                self._end_lost(number)
                continue
            try:
                task = unpack(leaf.text)
                if leaf.given is not None:
                    task = task.given(unpack(leaf.given))
                if not task.is_combination:
                    return Step(leaf, task, steps, bool(is_described))
                self._expand(leaf, task)
            except JobValueError as error:
                damage = f"{self.path}: job {number} cannot be read: {error}"
                self._conclude(leaf, Outcome(error=damage), 0)

    def _start(self, number: int) -> bool:
        """Make a job Running; False if it was ended or removed meanwhile."""
        with self._changing() as db:
            count = db.execute(
                "UPDATE jobs SET state = ?, started = ? WHERE id = ? AND state = ?",
                (
                    JobState.RUNNING.value,
                    self._clock(),
                    number,
                    JobState.NOT_STARTED.value,
                ),
            ).rowcount
            if not count:
                return False
            self._changed_now.append(self._read(db, number))
        return True

    def _end_lost(self, number: int) -> None:
        """End a job that has no branches, unless it was ended meanwhile: see B1."""
        with self._changing() as db:
            if not self._is_running(db, number) or branches.next_leaf(db, number):
                return
            error = f"{self.path}: {_damaged(f'nothing is left of job {number}')}"
            self._end(db, number, JobState.EXCEPTION, error=error)

    def _expand(self, leaf: branches.Leaf, task: Task) -> None:
        with self._changing() as db:
            if not self._is_running(db, leaf.job):
                return
            result = branches.expand(db, leaf, task)
            if result is not None:
                self._end(db, leaf.job, JobState.FINISHED, result)

    def _is_running(self, db: Database, number: int) -> bool:
        found = db.execute(
            "SELECT 1 FROM jobs WHERE id = ? AND state = ?",
            (number, JobState.RUNNING.value),
        ).fetchone()
        return found is not None

    def describe(self, step: Step) -> None:
        """Ask a job's function for description and metadata, if nobody has yet.

        Raises: JobError if they cannot be made.
        """
        if step.is_described:
            return
        description, metadata = _about(self.job(step.job).task)
        with self._changing() as db:
            db.execute(
                "UPDATE requests SET description = ?, metadata = ?, is_described = 1 "
                "WHERE job = ?",
                (_sound(description), metadata, step.job),
            )

    def interrupted(self, number: int, steps: int, most: int) -> None:
        """Note that a process has ended within a step: the one after ``steps`` others.

        If that has happened ``most`` times to the same step, its job ends in state
        Exception.  Nothing happens if the step was recorded, or the job has ended.
        """
        with self._changing() as db:
            row = db.execute(
                "SELECT attempts + 1 FROM jobs "
                "WHERE id = ? AND state = ? AND steps = ?",
                (number, JobState.RUNNING.value, steps),
            ).fetchone()
            if row is None:
                return
            (count,) = row
            db.execute("UPDATE jobs SET attempts = ? WHERE id = ?", (count, number))
            leaf = branches.next_leaf(db, number)
            if count < most or leaf is None:
                return
            error = (
                f"{shown(unpack(leaf.text))}: tried {count} times, and each time the "
                "process has ended before the step did: was it killed, for want of "
                "memory perhaps, or does it end its process itself?"
            )
            self._end(db, number, JobState.EXCEPTION, error=error)

    def end_step(self, step: Step, outcome: Outcome, milliseconds: float) -> bool:
        """Record what came of a step.

        Returns False if its job was aborted or removed meanwhile, so that nothing is
        recorded.
        """
        try:
            return self._conclude(step.leaf, outcome, milliseconds)
        except JobValueError as error:
            return self._conclude(step.leaf, Outcome(error=str(error)), milliseconds)

    def _conclude(
        self, leaf: branches.Leaf, outcome: Outcome, milliseconds: float
    ) -> bool:
        number = leaf.job
        is_over = True
        with self._changing() as db:
            if not self._is_running(db, number):
                return False
            progress = None
            result = None
            if outcome.successor is not None:
                if outcome.percent is not None:
                    branches.note_progress(db, leaf, outcome.percent / 100)
                    progress = branches.root_progress(db, number)
                branches.go_on(db, leaf, outcome.successor)
                is_over = False
            elif outcome.result is not None:
                result = branches.complete(db, leaf, outcome.result)
                is_over = result is not None
                if not is_over:
                    progress = branches.root_progress(db, number)
            db.execute(
                f"UPDATE jobs SET turn = {_NEXT_TURN}, steps = steps + 1, updated = ?, "
                "attempts = 0, "
                "longest_step_ms = max(longest_step_ms, ?), "
                "progress = coalesce(?, progress) WHERE id = ?",
                (self._clock(), milliseconds, progress, number),
            )
            if result is not None:
                self._end(db, number, JobState.FINISHED, result)
            elif is_over:
                self._end(db, number, JobState.EXCEPTION, error=outcome.error)
        return True

    # --- who is told ------------------------------------------------------------

    @property
    def changes(self) -> int:
        """How often the state of a job has changed, as far as this process knows."""
        return self._changes

    def wait_for_change(self, since: int, timeout_s: float) -> None:
        """Return when `changes` is not ``since`` any more, or time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._changes != since, timeout_s)

    def wake(self) -> None:
        """Have `wait_for_change` return, everywhere."""
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def subscribe(self, callback: Callable[[Job], None]) -> Callable[[], None]:
        """Have ``callback`` called with a job after each change of its state.

        One is told after the other, in the order of the changes, in one of the threads
        that make them or that notice what other processes did (`look_around`).  It
        must not take long.  Returns a function that ends it.
        """
        self.look_around()
        self._subscribers = [*self._subscribers, callback]

        def unsubscribe() -> None:
            self._subscribers = [
                each for each in self._subscribers if each is not callback
            ]

        return unsubscribe

    def _note(self, job: Job) -> None:
        """Have subscribers told of a change; the mutex is held."""
        if job.is_over:
            self._told.pop(job.id, None)
        else:
            self._told[job.id] = job.state
        self._to_tell.append(job)

    def _tell(self) -> None:
        """Tell subscribers what they are to be told, unless that is being done."""
        while self._to_tell and self._telling.acquire(blocking=False):
            try:
                self._tell_next()
            finally:
                self._telling.release()

    def _tell_next(self) -> None:
        try:
            job = self._to_tell.popleft()
        except IndexError:  # another thread was faster
            return
        for callback in self._subscribers:
            try:
                callback(job)
            except Exception:
                # It is not ours, and the jobs have nothing to do with it.
                LOG.exception("%s: told of job %d, and this failed", self.path, job.id)
        self.wake()

    def look_around(self) -> None:
        """Tell subscribers what other processes have done since it was last called."""
        with self._reading() as db:
            (version,) = db.execute("PRAGMA data_version").fetchone()
            if version == self._seen_version:
                return
            self._seen_version = version
            live = db.execute(
                "SELECT id, state FROM jobs WHERE turn IS NOT NULL"
            ).fetchall()
            now = {number: JobState(state) for number, state in live}
            told = self._told
            changed = [each for each in now if told.get(each) is not now[each]]
            changed += told.keys() - now.keys()
            self._told = now
            rows = (
                db.execute(f"{_JOB} WHERE id = ?", (number,)).fetchone()
                for number in changed
            )
            # Who was aborted and then removed has nothing more to tell.
            for job in [self._job_of(row) for row in rows if row is not None]:
                self._note(job)
        self._tell()

    # --- the current store ------------------------------------------------------

    @contextmanager
    def current(self) -> Iterator[JobStore]:
        """Make this the store that `delay` queues in, here and in what is called."""
        before = _store.set(self)
        try:
            yield self
        finally:
            _store.reset(before)

    @contextmanager
    def within_step(self, step: Step) -> Iterator[None]:
        """Make ``step`` the one that is under way: `current_job` has its job."""
        before = _job.set((self, step.job))
        try:
            with self.current():
                yield
        finally:
            _job.reset(before)


_store: ContextVar[JobStore | None] = ContextVar("_store", default=None)
_job: ContextVar[tuple[JobStore, int] | None] = ContextVar("_job", default=None)


def current_store() -> JobStore:
    """Return the store that `delay` queues in.  Raises: JobError if there is none."""
    store = _store.get()
    if store is None:
        raise JobError(
            "there is no current store to queue in: use `with store.current():`, or "
            "store.add(task)"
        )
    return store


def current_job() -> Job | None:
    """Return the job whose step is running in this thread, or None."""
    found = _job.get()
    return None if found is None else found[0].job(found[1])


# --- what is said of a job ------------------------------------------------------


class _Shown:
    """A value in a description; scalars are given to it as they are."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __str__(self) -> str:
        return shown(self._value)


_PLAIN: Final = (int, float, str, bool, Obj, ErrorCode)


def _about(task: Task) -> tuple[str, str]:
    """Return the description of a task, and its metadata, packed."""
    if task.is_combination:
        return shown(task), pack({})
    try:
        factory = factory_of(task)
        description = shown(task)
        if factory.description is not None:
            description = factory.description.format(
                *map(_readable, task.arguments),
                **{name: _readable(each) for name, each in factory.named(task).items()},
            )
        metadata = {}
        if factory.metadata is not None:
            metadata = factory.metadata(*task.arguments, **task.keywords)
        if type(metadata) is not dict:
            raise TypeError(f"metadata= returned {shown(metadata)}; expected a dict")
        return description, pack(metadata)
    except Exception as error:  # whatever the task's author has written
        raise JobError(
            f"{task.function}: cannot be queued: {type(error).__name__}: {error}"
        ) from error


def _readable(value: Any) -> Any:
    return value if type(value) in _PLAIN else _Shown(value)


def _sound(text: str) -> str:
    """Return ``text`` as SQLite can hold it, and not too long."""
    if len(text) > _ERROR_LENGTH:
        half = _ERROR_LENGTH // 2
        text = f"{text[:half]}\n[...]\n{text[-half:]}"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


# --- what SQLite says -----------------------------------------------------------


def _damaged(what: str) -> str:
    return (
        f"damaged ({what}): bring back a copy of it, or move it away, with the files "
        "whose names begin like its own, to begin with no jobs"
    )


def _remedy(error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text or "busy" in text:
        return (
            "another program keeps it locked: end what has it open, such as an SQLite "
            "shell within a transaction, and try again"
        )
    if "full" in text:
        return "the disk is full: make room, and try again"
    if "readonly" in text or "unable to open" in text:
        return (
            f"cannot be used ({text}): it must be a file, and both it and its folder "
            "writable"
        )
    if "closed database" in text:
        return "was closed; open it anew"
    if isinstance(error, sqlite3.OperationalError) and "disk I/O" in text:
        return "the disk cannot be read or written: see the system's log"
    return _damaged(text)
