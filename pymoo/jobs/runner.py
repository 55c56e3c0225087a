"""What runs jobs: one step of each in turn.

R1  Of all processes and threads, at most one runs the jobs of a store: it holds a lock
    on ``MyMOO.jobs.lock``, which the system lets go of however the process ends.
R2  A step that has ended is recorded before the next one begins.  One that was
    interrupted is made again, unless it has ended its process several times.
R3  Nothing that a task does ends the runner, except KeyboardInterrupt in the main
    thread, which is meant for the program.
"""

from __future__ import annotations

import fcntl
import logging
import math
import os
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from pymoo.jobs.errors import JobError, JobStoreError, JobValueError
from pymoo.jobs.packing import pack, shown
from pymoo.jobs.record import POLL_S, Job
from pymoo.jobs.store import JobStore, Outcome, Step, current_job
from pymoo.jobs.task import Task, current_version, factory_of

LOG: Final = logging.getLogger("pymoo.jobs")

STEP_BUDGET_MS: Final = 50.0

ATTEMPTS: Final = 5
"""How often a step may end its process before its job is given up."""

_RETRY_S: Final = 1.0
"""When to try again after the store could not be used, or a fault of our own."""

_PRUNE_EVERY_S: Final = 3600.0


_NOTE_BYTES: Final = 80


class _Lock:
    """The right to run the jobs of a store.

    In the file are the process, and the step that it is making.  It is gone when the
    process has let go of it: so one that is there tells which step it ended within.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = f"{path}.lock"
        self._file: IO[str] | None = None
        self.left_behind: tuple[int, int] | None = None
        """The step of somebody who has died with the lock: job, and steps before."""
        self.tells_steps = True

    @property
    def is_held(self) -> bool:
        return self._file is not None

    def take(self) -> None:
        """Have it from now on.  Raises: JobStoreError if somebody else has it."""
        while self._file is None:
            try:
                number = os.open(self._name, os.O_RDWR | os.O_CREAT, 0o666)
                file = open(number, "r+", encoding="ascii")  # noqa: SIM115
            except OSError as error:
                raise JobStoreError(
                    f"{self._name}: cannot be written: {error.strerror}. Keep jobs in "
                    "a folder that can be written to"
                ) from error
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                with file:
                    file.seek(0)
                    raise JobStoreError(
                        f"{self._path}: its jobs are being run already, by process "
                        f"{file.readline().strip()}. Stop that one first"
                    ) from error
            # Who had it before may have removed the file after it was opened here.
            if not self._is_the_one(file):
                file.close()
                continue
            file.seek(0)
            self.left_behind = _step_in(file.read(_NOTE_BYTES))
            file.truncate(0)
            self._file = file
            _held.add(self)
            self.note("")

    def note(self, step: str) -> None:
        """Leave behind that ``step`` is being made, should the process end now.

        Not to last longer than the system does: that would cost what recording costs.
        """
        if self._file is not None:
            if not self.tells_steps:
                step = ""
            text = f"{os.getpid()}\n{step}".ljust(_NOTE_BYTES)
            os.pwrite(self._file.fileno(), text.encode("ascii"), 0)

    def _is_the_one(self, file: IO[str]) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), os.stat(self._name))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        if self._file is not None:
            Path(self._name).unlink(missing_ok=True)
            self.forget()

    def forget(self) -> None:
        """Close the file.  In a fork, this leaves the lock with the one that took it.

        Otherwise a child, such as one that writes a checkpoint, would hold it for as
        long as it lives.
        """
        if self._file is not None:
            self._file.close()
            self._file = None
            _held.discard(self)


def _step_in(text: str) -> tuple[int, int] | None:
    words = text.partition("\n")[2].split()
    if len(words) != 2 or not all(word.isdecimal() for word in words):
        return None
    return int(words[0]), int(words[1])


_held: Final[weakref.WeakSet[_Lock]] = weakref.WeakSet()


def _forget_all() -> None:
    for lock in list(_held):
        lock.forget()


os.register_at_fork(after_in_child=_forget_all)


class JobRunner:
    """Runs the jobs of a store: by hand (`step`), or in a thread of its own (`start`).

    ``step_budget_ms`` is how long a step should last.  It cannot be interrupted; the
    log says which took longer.  A job ends in state Exception if one of its steps has
    ended its process ``attempts`` times.  With ``keep_days``, jobs that were over so
    long ago are removed.  ``on_change`` is called as `JobStore.subscribe` says.
    """

    def __init__(
        self,
        store: JobStore,
        *,
        step_budget_ms: float = STEP_BUDGET_MS,
        attempts: int = ATTEMPTS,
        keep_days: float | None = None,
        on_change: Callable[[Job], None] | None = None,
    ) -> None:
        self.store: Final = store
        self._attempts: Final = attempts
        self.step_budget_ms: Final = step_budget_ms
        self._keep_days: Final = keep_days
        self._on_change: Final = on_change
        self._unsubscribe: Callable[[], None] | None = None
        self._lock: Final = _Lock(store.path)
        # One step at a time, whoever asks for it.
        self._turn: Final = threading.Lock()
        # Ended, but the store could not be written to.
        self._unrecorded: tuple[Step, Outcome, float] | None = None
        self._is_stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._running_in: threading.Thread | None = None
        self._has_ended = threading.Event()
        self._has_ended.set()
        self._longest_ms: dict[int, float] = {}
        self._next_look = 0.0
        self._next_prune = 0.0

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._is_stopping.is_set()

    # --- by hand ----------------------------------------------------------------

    def open(self) -> None:
        """Take the right to run the jobs; `step` and the others do it if need be.

        Raises: JobStoreError if another runner has it, or the file is damaged.
        """
        if self._lock.is_held:
            return
        self._lock.take()
        try:
            self.store.check()
            if self._on_change is not None:
                self._unsubscribe = self.store.subscribe(self._on_change)
            if self._lock.left_behind is not None:
                self.store.interrupted(*self._lock.left_behind, self._attempts)
                self._lock.left_behind = None
        except BaseException:
            self._lock.release()
            raise

    def excuse(self) -> None:
        """Do not count it against the step that is being made if the process ends now.

        For whoever is about to end it; may be called by any thread.
        """
        self._lock.tells_steps = False
        self._lock.note("")

    def close(self) -> None:
        """Stop, and let another runner run the jobs."""
        self.stop()
        with self._turn:
            self._close()

    def _close(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        self._lock.release()

    def __enter__(self) -> JobRunner:
        self.open()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def step(self) -> bool:
        """Make one step of the job whose turn it is; False if nothing is to be done.

        Raises: JobStoreError if the store cannot be used; what the step has done is
            not lost then, and recorded by the next call.
        """
        if current_job() is not None:
            raise JobError("a step cannot run steps; return the next task instead")
        with self._turn:
            self.open()
            now = time.monotonic()
            if now >= self._next_look:
                self._next_look = now + POLL_S
                self.store.look_around()
            if self._keep_days is not None and now >= self._next_prune:
                self._next_prune = now + _PRUNE_EVERY_S
                self.store.prune(self._keep_days)
            if self._unrecorded is None:
                step = self.store.begin_step()
                if step is None:
                    return False
                self._lock.note(f"{step.job} {step.number}")
                began = time.monotonic()
                outcome = self._make(step, began)
                took = (time.monotonic() - began) * 1000
                self._unrecorded = step, outcome, took
                self._note_slow(step, outcome, took)
            self.store.end_step(*self._unrecorded)
            self._unrecorded = None
            return True

    def run_until_idle(self) -> int:
        """Make steps until nothing is to be done; returns how many.

        Raises: as `step`.
        """
        count = 0
        while self.step():
            count += 1
        return count

    # --- on its own -------------------------------------------------------------

    def run(self) -> None:
        """Make steps until `stop` is called, and wait when there are none.

        The lock is let go of at the end.  Raises: JobStoreError at the start; later,
        the log has it, and it is tried again.
        """
        self.open()
        self._has_ended.clear()
        self._running_in = threading.current_thread()
        try:
            while not self._is_stopping.is_set():
                seen = self.store.changes
                try:
                    if not self.step():
                        self.store.wait_for_change(seen, POLL_S)
                except JobStoreError as error:
                    LOG.error("%s; trying again", error)
                    self._is_stopping.wait(_RETRY_S)
                except Exception:
                    LOG.exception("%s: a fault of the runner", self.store.path)
                    self._is_stopping.wait(_RETRY_S)
        finally:
            with self._turn:
                self._close()
            self._running_in = None
            self._has_ended.set()

    def start(self) -> None:
        """Run in a thread of its own, until `stop`.

        Raises: JobError if it does already; as `open`.
        """
        if not self._has_ended.is_set():
            raise JobError(f"{self.store.path}: this runner was started already")
        self.open()
        self._is_stopping.clear()
        self._has_ended.clear()
        self._thread = threading.Thread(
            target=self.run, name=f"jobs of {self.store.path.name}", daemon=True
        )
        self._thread.start()

    def stop(self, timeout_s: float | None = None) -> bool:
        """End `run` or `start` after the step that is under way.

        Returns whether it has ended; False if the step takes longer than
        ``timeout_s``, or is what calls this.  May be called by a signal handler.
        """
        self._is_stopping.set()
        self.store.wake()
        if self._running_in is threading.current_thread():
            return False
        if not self._has_ended.wait(timeout_s):
            return False
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        return True

    # --- a step -----------------------------------------------------------------

    def _make(self, step: Step, began: float) -> Outcome:
        """Call what is to be called; whatever it does is an outcome."""
        try:
            with self.store.within_step(step):
                self.store.describe(step)
                found = self._call(step.task, began + self.step_budget_ms / 1000)
            if not isinstance(found, Task):
                return Outcome(result=pack(found))
            return Outcome(successor=pack(found), percent=_percent(step, found))
        except KeyboardInterrupt as error:
            if threading.current_thread() is threading.main_thread():
                raise
            return Outcome(error=_text_of(error))
        except JobValueError as error:
            return Outcome(error=f"{step.task.function}: {error}")
        except BaseException as error:  # noqa: BLE001 - see R3
            return Outcome(error=_text_of(error))

    def _call(self, task: Task, deadline: float) -> Any:
        while True:
            factory, task = current_version(task)
            result = factory.function(*task.arguments, **task.keywords)
            if (
                not factory.repeatable
                or not isinstance(result, Task)
                or result.is_combination
                or time.monotonic() >= deadline
            ):
                return result
            task = result

    def _note_slow(self, step: Step, outcome: Outcome, took: float) -> None:
        if took <= self.step_budget_ms:
            return
        if took > 2 * self._longest_ms.get(step.job, self.step_budget_ms / 2):
            self._longest_ms[step.job] = took
            LOG.warning(
                "%s: a step of job %d, %s, took %.0f ms; expected at most %.0f: return "
                "the rest of the work as a task",
                self.store.path,
                step.job,
                shown(step.task),
                took,
                self.step_budget_ms,
            )
        if outcome.successor is None:
            self._longest_ms.pop(step.job, None)


# Of which functions it has been told that they go beyond.
_beyond: Final[set[str]] = set()


def clamped(percent: float, of: str) -> float:
    """Return ``percent`` within 0 to 100; the log says once if it was not."""
    if 0 <= percent <= 100:
        return percent
    if of not in _beyond:
        _beyond.add(of)
        LOG.warning(
            "%s: percent= returned %r; expected 0 to 100: mend what computes it "
            "(further ones are not told of)",
            of,
            percent,
        )
    return min(max(percent, 0.0), 100.0)


def _percent(step: Step, following: Task) -> float | None:
    """Ask what comes next how much is done; None if it does not say.

    What goes wrong here is for the log: it says nothing about the work.
    """
    try:
        if following.is_combination:
            return None
        factory = factory_of(following)
        if factory.percent is None or following.version != factory.version:
            return None
        percent = float(factory.percent(*following.arguments, **following.keywords))
        if math.isnan(percent):
            raise ValueError("nan is no percentage")
        return clamped(percent, following.function)
    except Exception:
        LOG.exception(
            "job %d: %s does not say how much is done", step.job, following.function
        )
        return None


def _text_of(error: BaseException) -> str:
    """Return the traceback of a task, without the frames that are the runner's."""
    try:
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
            frames = frames.tb_next
        return "".join(traceback.format_exception(type(error), error, frames))
    except Exception as second:  # noqa: BLE001 - an error that cannot be shown
        return f"{type(error).__qualname__} (not to be shown: {type(second).__name__})"
