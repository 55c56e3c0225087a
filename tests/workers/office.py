"""Workers for tests: a dispatcher that is told what to answer, and pools on a loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from attrs import define, field

from pymoo.errors import MooError
from pymoo.server.worker_tasks import WorkerTasks
from pymoo.values import Value
from pymoo.workers.coding import Reader
from pymoo.workers.pool import Pool
from pymoo.workers.settings import WorkerSettings
from tests.fakes import Bench
from tests.server.talking import PATIENCE_S

MODULE = "tests.workers.tasks_for_tests"


@define(eq=False)
class FakeDispatcher:
    """Remembers the requests; answers when it is told to."""

    kinds: tuple[str, ...] = ("echo",)
    sent: dict[int, tuple[str, tuple[Value, ...], float]] = field(factory=dict)
    cancelled: list[int] = field(factory=list)
    refusal: MooError | None = None
    answered: Callable[[int, Value | MooError], None] = field(default=print)

    def proper_name(self, kind: str) -> str | None:
        return next((name for name in self.kinds if name == kind.lower()), None)

    def send(
        self, number: int, kind: str, arguments: tuple[Value, ...], seconds: float
    ) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.sent[number] = kind, arguments, seconds

    def cancel(self, number: int) -> None:
        self.cancelled.append(number)

    def close_copies(self) -> None:
        pass


class Office:
    """A small world of the dialect `pymoo`, with a dispatcher to its workers."""

    def __init__(self, dialect_name: str = "pymoo") -> None:
        self.bench = Bench(dialect_name=dialect_name)
        self.tasks = WorkerTasks(self.bench.scheduler)
        # As a server does at the end of a turn.
        self.bench.scheduler.runner.watchers.append(lambda *_: self.tasks.send())
        self.bench.host.workers = self.tasks  # type: ignore[assignment]
        self.dispatcher = FakeDispatcher()
        self.tasks.use(self.dispatcher)

    def ask(self, code: str) -> None:
        """Run a program that goes to sleep."""
        assert self.bench.run(code).is_asleep

    def answer(self, value: Value | MooError, number: int = 1) -> None:
        """Let a request be answered, and everything run."""
        self.dispatcher.answered(number, value)
        self.bench.settle()

    def lines(self) -> list[str]:
        """What the wizard was sent since the last time."""
        lines = [*self.bench.lines]
        self.bench.lines.clear()
        return lines


class Workshop:
    """Real processes, and a loop that brings their answers."""

    def __init__(self, *, reader: Reader | None = None, **settings: Any) -> None:
        self.loop = asyncio.SelectorEventLoop()
        self.log: list[str] = []
        settings.setdefault("modules", (MODULE,))
        self.pool = Pool(
            WorkerSettings(**settings),
            self.loop,
            lambda text, is_error: self.log.append(text),
            reader=reader,
        )
        self.answers: dict[int, Value | MooError] = {}
        self.pool.answered = self._answered
        self._last = 0
        self._wanted: Callable[[], bool] | None = None

    def _answered(self, number: int, answer: Value | MooError) -> None:
        assert number not in self.answers, "it was answered twice"
        self.answers[number] = answer

    def start(self) -> Workshop:
        self.pool.start()
        return self

    def stop(self) -> None:
        self.pool.stop()
        self.loop.close()

    def send(self, kind: str, *arguments: Value) -> int:
        """Send a request; return its number."""
        self._last += 1
        self.pool.send(self._last, kind, arguments, 60)
        return self._last

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Let the loop run until something is so."""
        end = time.monotonic() + PATIENCE_S

        async def wait() -> None:
            while not condition():
                assert time.monotonic() < end, (self.answers, self.log)
                await asyncio.sleep(0.002)

        self.loop.run_until_complete(wait())

    def wait(self, numbers: Iterable[int]) -> list[Value | MooError]:
        """Return the answers to these requests."""
        wanted = [*numbers]
        self.wait_for(lambda: all(number in self.answers for number in wanted))
        return [self.answers[number] for number in wanted]

    def ask(self, kind: str, *arguments: Value) -> Value | MooError:
        """Return the answer to a request."""
        return self.wait([self.send(kind, *arguments)])[0]

    def error(self, kind: str, *arguments: Value) -> tuple[str, str, Value]:
        """Return code, message and value of the error that answers a request."""
        answer = self.ask(kind, *arguments)
        assert isinstance(answer, MooError), answer
        return str(answer.code), answer.message, answer.value


def is_alive(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)
