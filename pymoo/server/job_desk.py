"""The jobs of a served world: their file, and the process that runs them.

D1  No task of a job is called, or imported, in the server's process.
D2  The world's thread reads the file, and never waits for the disk (but for numbers, if
    a slice starts very many jobs).  All changes are made in a thread for that, in the
    order in which they were asked for; any thread may ask.
D3  What runs the jobs is a process of its own.  It is started again when it ends, and
    ends with the server; what it was doing is done again by the next.

What MOO programs make of it is in `job_tasks`; how the process is watched, in
`workers.process`; what the process itself does, in `jobs.served`.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from attrs import frozen

from pymoo.builtins.registry import argument_count
from pymoo.errors import PymooError
from pymoo.jobs.command import KEEP_DAYS
from pymoo.jobs.errors import JobError, JobStoreError
from pymoo.jobs.record import Job
from pymoo.jobs.states import JobState
from pymoo.jobs.store import LONG_PATIENCE_S, JobStore
from pymoo.jobs.task import Task
from pymoo.values import Obj, Value
from pymoo.workers.coding import encoded
from pymoo.workers.process import Loop, Timer, WorkerProcess, pause_after

_STOP_S: Final = 2.0
"""How long it may take to end by itself."""

_USEFUL_S: Final = 60.0
"""A process that has lived so long is replaced at once."""

_LOOK_S: Final = 10.0
"""How often the file is looked at for what nobody has told of."""

_PLAN_BYTES: Final = 65_536
_FRAME_BYTES: Final = 1 << 20

_NUMBERS: Final = 32
"""How many numbers are reserved at a time."""

T = TypeVar("T")


class JobsError(PymooError):
    """The jobs of a server cannot be run."""


class WrongArgumentsError(JobError):
    """A task was to be called with more or fewer arguments than it takes."""


@frozen
class JobSettings:
    """Where the jobs of a server are, and what its programs may start."""

    path: Path
    modules: tuple[str, ...]  # importable; they define tasks
    keep_days: float = KEEP_DAYS


class _PostLoop(Loop, Protocol):
    """What is asked of the event loop (asyncio's has it)."""

    def call_soon_threadsafe(
        self, callback: Callable[..., object], /, *args: Any
    ) -> object: ...


@frozen
class _Shape:
    """What is to be known of a task to call it."""

    reference: str
    version: int
    least: int | None  # None: it needs arguments with names
    most: int  # -1: any number

    def check(self, count: int) -> None:
        """Raise WrongArgumentsError if it does not take so many arguments."""
        if self.least is None:
            raise WrongArgumentsError(
                f"{self.reference} has parameters that must be named, which only "
                "Python can do: give them a default, or a place"
            )
        if count < self.least or (count > self.most >= 0):
            expected = argument_count(self.least, None if self.most < 0 else self.most)
            raise WrongArgumentsError(f"{self.reference} takes {expected}, not {count}")


class JobDesk:
    """Where the jobs of one server are asked for."""

    def __init__(
        self, settings: JobSettings, loop: _PostLoop, log: Callable[[str, bool], None]
    ) -> None:
        self._settings: Final = settings
        self._loop: Final = loop
        self._log: Final = log
        # One for the world's thread, which must not wait for changes of the other.
        self._reads: Final = JobStore(settings.path)
        self._writes: Final = JobStore(settings.path, patience_s=LONG_PATIENCE_S)
        self._thread: Final = ThreadPoolExecutor(1, thread_name_prefix="jobs")
        self._shapes: dict[str, _Shape] = {}
        # By the name alone; None where two modules have the same.
        self._short: dict[str, _Shape | None] = {}
        self._numbers: Final[deque[int]] = deque()
        self._next_numbers: Future[range] | None = None
        self._process: WorkerProcess | None = None
        self._began = 0.0
        self._failures = 0
        self._restart: Timer | None = None
        self._next_look: Timer | None = None
        self._is_started = self._is_stopped = False
        self._refusal: str | None = None
        self.ended: Callable[[int], None] = _nobody_waits
        """Called in the world's thread with the number of a job that is over."""
        self.look: Callable[[], None] = _nobody_looks
        """Called there now and then: any job may be over, or gone."""

    # --- start and end ----------------------------------------------------

    def start(self) -> None:
        """Start the process, and learn which tasks there are.  Raises: JobsError."""
        if sys.platform == "win32":
            raise JobsError("jobs need Linux, macOS or another Unix")
        failure: str | None = None
        try:
            process = self._start_process()
        except OSError as error:
            failure = f"no process can be started: {error.strerror}"
        else:
            failure = process.first_word(
                lambda: bool(self._shapes) or self._refusal is not None,
                self._settings.modules,
            )
        refusal = self._refusal or failure
        if refusal is not None:
            self.stop()
            raise JobsError(f"jobs cannot be run: {refusal}")
        self._is_started = True
        process.watch()
        self._numbers.extend(self._reads.reserve(_NUMBERS))
        self._writes.subscribe(self._changed)
        self._look_later()
        self._log(
            f"JOBS: process {process.pid} runs those in {self._settings.path}; "
            f"programs can start {', '.join(self._shapes)}",
            False,
        )

    def stop(self) -> None:
        """End the process; what was asked for before is written down."""
        self._is_stopped = True
        for timer in (self._restart, self._next_look):
            if timer is not None:
                timer.cancel()
        if self._process is not None:
            self._process.end(_STOP_S)
        self._thread.shutdown()
        if self._next_numbers is not None:
            self._take_numbers(self._next_numbers)
        with suppress(JobStoreError):  # they are lost, which is no harm
            self._writes.give_back({*self._numbers})
        self._reads.close()
        self._writes.close()

    def close_copies(self) -> None:
        """In a forked process: let go of everything that is the server's."""
        if self._process is not None:
            self._process.close_copy()

    # --- what there is ----------------------------------------------------

    def task(self, name: str, arguments: tuple[Value, ...]) -> Task:
        """Return the task ``module:name``, or ``name`` where only one is called so.

        Raises: JobError if there is none; WrongArgumentsError.
        """
        shape = self._shapes.get(name) or self._short.get(name)
        if shape is None:
            if name in self._short:
                raise JobError(
                    f"{name}: several modules have a task of that name; write "
                    "module:name"
                )
            raise JobError(f"{name}: there is no such task in the modules of --jobs")
        shape.check(len(arguments))
        return Task(shape.reference, arguments, {}, shape.version)

    def job(self, number: int) -> Job:
        """Return a job, in the world's thread.

        Raises: NoSuchJobError, JobStoreError.
        """
        return self._reads.job(number)

    def jobs(self, states: Collection[JobState] | None) -> list[Job]:
        """Return jobs in brief, in the world's thread.  Raises: JobStoreError."""
        return self._reads.jobs(states, in_brief=True)

    def new_number(self) -> int:
        """Return the number that a job will have, in the world's thread.

        Raises: JobStoreError.
        """
        numbers = self._numbers
        if len(numbers) < _NUMBERS // 2 and self._next_numbers is None:
            self._next_numbers = self.ask(lambda store: store.reserve(_NUMBERS))
        if self._next_numbers is not None and self._next_numbers.done():
            self._take_numbers(self._next_numbers)
            self._next_numbers = None
        while (number := self.spare_number()) is None:
            numbers.extend(self._reads.reserve(_NUMBERS))
        return number

    def spare_number(self) -> int | None:
        """Return a number that is at hand, or None; any thread may ask."""
        try:
            return self._numbers.popleft()
        except IndexError:
            return None

    def _take_numbers(self, reserved: Future[range]) -> None:
        with suppress(JobStoreError):  # whoever needs one, asks again
            self._numbers.extend(reserved.result())

    def give_back(self, number: int) -> None:
        """Let another job have a number that was not used."""
        self._numbers.appendleft(number)

    # --- changes ----------------------------------------------------------

    def ask(self, question: Callable[[JobStore], T]) -> Future[T]:
        """Have something done with the file, in the thread that may wait for it."""
        return self._thread.submit(question, self._writes)

    def add(self, number: int, task: Task, owner: Obj) -> Future[Job]:
        """Queue a task as the job of a number that `new_number` has given."""
        return self.ask(
            lambda store: store.add_undescribed(task, number=number, owner=owner)
        )

    def post(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call ``function`` in the world's thread, if that is still there."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)

    def _changed(self, job: Job) -> None:
        """Called by the store, in the thread that changes it."""
        if job.is_over:
            self.post(self._tell, job.id)

    def _tell(self, number: int) -> None:
        self.ended(number)

    def _look_later(self) -> None:
        self._next_look = self._loop.call_later(_LOOK_S, self._look)

    def _look(self) -> None:
        # So that the store forgets which jobs it has told of, too.
        self.ask(lambda store: store.look_around())
        self.look()
        self._look_later()

    # --- the process ------------------------------------------------------

    def _start_process(self) -> WorkerProcess:
        """Start it.  Raises: OSError."""
        settings = self._settings
        self._process = process = WorkerProcess(
            self._loop,
            encoded(
                {"modules": settings.modules, "keep_days": settings.keep_days},
                _PLAN_BYTES,
            ),
            _FRAME_BYTES,
            self._received,
            self._ended,
            ("pymoo", "jobs", "run", str(settings.path), "--server"),
        )
        self._began = time.monotonic()
        return process

    def _received(self, process: WorkerProcess, message: dict[str, Any]) -> None:
        if "over" in message:
            self.ended(message["over"])
        elif "ready" in message:
            self._introduced([_Shape(*each) for each in message["ready"]])
        else:
            reason = str(message.get("failed", "it did not say what it can do"))
            if self._is_started:
                process.kill(reason)
            else:
                self._refusal = reason

    def _introduced(self, shapes: list[_Shape]) -> None:
        self._shapes = {shape.reference: shape for shape in shapes}
        self._short = {}
        for shape in shapes:
            name = shape.reference.partition(":")[2]
            self._short[name] = None if name in self._short else shape
        if self._is_started:
            self.look()  # the one before may have had no time to tell

    def _ended(self, process: WorkerProcess, reason: str) -> None:
        """The process is gone: put another in its place, after a while."""
        self._process = None
        if self._is_stopped:
            return
        if not self._is_started:
            self._refusal = self._refusal or reason
            return
        for line in reason.splitlines():
            self._log(f"JOBS: process {process.pid} has ended: {line}", True)
        if time.monotonic() - self._began >= _USEFUL_S:
            self._failures = 0
        self._start_later()

    def _start_later(self) -> None:
        pause = pause_after(self._failures)
        self._failures += 1
        self._restart = self._loop.call_later(pause, self._start_again)

    def _start_again(self) -> None:
        self._restart = None
        try:
            process = self._start_process()
        except OSError as error:
            self._log(f"JOBS: no process can be started: {error.strerror}", True)
            self._start_later()
            return
        process.watch()
        self._log(f"JOBS: process {process.pid} goes on", False)


def _nobody_waits(number: int) -> None:
    """Stands for the tasks of the server until there are any."""


def _nobody_looks() -> None:
    """Stands for them as well."""
