"""Who does the work: workers with a server each, and jobs shared out among them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from typing import Final

from pymoo.conform.cases import Job, Result
from pymoo.conform.servers import Launcher, RunningServer


class Workbench:
    """One worker's server: started when it is needed, and again when it has died."""

    def __init__(self, launcher: Launcher) -> None:
        self.launcher: Final = launcher
        self._server: RunningServer | None = None
        self._database: bytes | None = None

    def server(self, database: bytes, *, fresh: bool = False) -> RunningServer:
        """Return a server that has loaded ``database``; ``fresh``: just now.

        Raises: ServerUnusableError.
        """
        if fresh or database != self._database:
            self.discard()
        if self._server is None:
            self._server = self.launcher.start(database)
            self._database = database
        return self._server

    def discard(self) -> None:
        """End the server; the next one asked for is a new one."""
        if self._server is not None:
            self._server.stop()
        self._server = None


def run_jobs(launcher: Launcher, jobs: Iterable[Job]) -> Iterator[Result]:
    """Run all jobs, on as many servers as help; results come as they are made.

    The longest jobs should be first.  An exception of a worker is raised here, and
    ends the run.
    """
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    count = 0
    for job in jobs:
        waiting.put(job)
        count += 1
    workers = max(1, min(launcher.at_once, count))
    if workers == 1:
        yield from _work(launcher, waiting)
        return
    done: queue.SimpleQueue[Result | BaseException | None] = queue.SimpleQueue()
    enough = threading.Event()
    threads = [
        threading.Thread(target=_worker, args=(launcher, waiting, done, enough))
        for _ in range(workers)
    ]
    for thread in threads:
        thread.start()
    try:
        while workers:
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            if result is None:
                workers -= 1
            else:
                yield result
    finally:
        # Whoever looks no further leaves no server behind.
        enough.set()
        for thread in threads:
            thread.join()


def _worker(
    launcher: Launcher,
    waiting: queue.SimpleQueue[Job],
    done: queue.SimpleQueue[Result | BaseException | None],
    enough: threading.Event,
) -> None:
    work = _work(launcher, waiting)
    try:
        for result in work:
            if enough.is_set():
                break
            done.put(result)
        done.put(None)
    except BaseException as error:  # noqa: BLE001  (raised again by run_jobs)
        done.put(error)
    finally:
        work.close()


def _work(
    launcher: Launcher, waiting: queue.SimpleQueue[Job]
) -> Generator[Result, None, None]:
    bench = Workbench(launcher)
    try:
        while True:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            yield from job.suite.run(job, bench)
    finally:
        bench.discard()
