"""Requests that Celery's workers do: in this process, and with Redis.

`make test` brings Celery; `make test-celery` Redis's client as well, and needs
redis-server.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from pymoo.errors import MooError, OptionError
from pymoo.workers.coding import decoded, encoded
from pymoo.workers.settings import WorkersError
from tests.server.processes import ROOT
from tests.server.talking import PATIENCE_S
from tests.workers.office import MODULE, Workshop, is_alive, wait_until

pytest.importorskip("celery", reason="Celery is an extra; `make test` installs it")

pytestmark = [
    # Of Celery's own threads and connections when they end.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]

# --- in this process ------------------------------------------------------------


class Talk:
    """The server's end of a bridge, whose workers are in this process."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.number = 0

    def send(self, kind: str, *arguments: Any, seconds: float = 60) -> int:
        self.number += 1
        message = {"id": self.number, "kind": kind, "seconds": seconds}
        self.connection.send_bytes(
            encoded({**message, "arguments": arguments}, 1 << 20)
        )
        return self.number

    def receive(self) -> dict[str, Any]:
        assert self.connection.poll(PATIENCE_S), "no answer"
        return decoded(self.connection.recv_bytes())

    def ask(self, kind: str, *arguments: Any) -> dict[str, Any]:
        number = self.send(kind, *arguments)
        answer = self.receive()
        assert answer.pop("id") == number
        return answer


@pytest.fixture(scope="module")
def talk() -> Iterator[Talk]:
    from celery.contrib.testing.worker import start_worker

    from pymoo.workers.celery_bridge import Bridge
    from pymoo.workers.celery_tasks import make_app, register
    from pymoo.workers.registry import _functions, load

    before = {**_functions}
    app = make_app("memory://", "cache+memory://")
    register(app, load([MODULE]), 10_000)
    ours, theirs = Pipe()
    bridge = threading.Thread(target=Bridge(app, theirs, 60, 10_000).run)
    with start_worker(app, pool="solo", perform_ping_check=False):
        bridge.start()
        yield Talk(ours)
        ours.close()
        bridge.join(PATIENCE_S)
        assert not bridge.is_alive()
        theirs.close()
    _functions.clear()
    _functions.update(before)


def test_a_request_goes_through_celery_and_back(talk: Talk) -> None:
    value = [1, 2.0, "x", [], {"obj": 3}, {"err": "E_PERM"}]
    assert talk.ask("echo", *value) == {"value": value}


def test_errors_come_as_from_a_process_of_the_server(talk: Talk) -> None:
    assert talk.ask("refuse", 5) == {"error": [{"err": "E_PERM"}, "Not for you", 5]}
    error = {"error": [{"err": "E_INVARG"}, "fail: KeyError: 'no such key'", 0]}
    assert talk.ask("fail") == error
    assert talk.ask("Add", 1)["error"][0] == {"err": "E_ARGS"}


def test_answers_are_bounded(talk: Talk) -> None:
    assert talk.ask("long", 20_000)["error"][0] == {"err": "E_QUOTA"}
    assert talk.ask("doubled")["error"][0] == {"err": "E_QUOTA"}


def test_a_task_that_celery_s_workers_do_not_know_is_an_error(talk: Talk) -> None:
    code, message, _ = talk.ask("cook")["error"]
    assert code == {"err": "E_INVARG"}
    assert message.startswith("cook: the worker is lost: Celery says FAILURE, NotReg")


def test_many_requests_are_all_answered(talk: Talk) -> None:
    numbers = {talk.send("echo", ticket): ticket for ticket in range(100)}
    for _ in range(100):
        answer = talk.receive()
        assert answer["value"] == [numbers.pop(answer["id"])]
    assert not numbers


def test_a_request_that_is_cancelled_is_not_answered(
    talk: Talk, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    slow = talk.send("wait_for", str(gate))
    number = talk.send("echo", 1)
    talk.connection.send_bytes(encoded({"cancel": number}, 100))
    last = talk.send("echo", 2)
    gate.touch()
    assert [talk.receive()["id"] for _ in range(2)] == [slow, last]


def test_celery_s_workers_need_to_be_told_what_they_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PYMOO_CELERY", raising=False)
    with pytest.raises(OptionError, match="the environment has no PYMOO_CELERY"):
        importlib.import_module("pymoo.workers.celery_app")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("memory://nowhere", None),
        ("nonsense://x", "Celery cannot use this broker or place for results: "),
    ],
)
def test_a_broker_that_celery_does_not_know_keeps_the_server_from_starting(
    workshop: Callable[..., Workshop], url: str, reason: str | None
) -> None:
    if reason is None:
        shop = workshop(celery=url, celery_results="cache+memory://")
        assert "WORKERS: by Celery, for Add, " in shop.log[0]
        return
    with pytest.raises(WorkersError, match=reason):
        workshop(celery=url)


# --- with Redis -------------------------------------------------------------------

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None or importlib.util.find_spec("redis") is None,
    reason="needs redis-server and Celery's client of it: make test-celery",
)


class Redis:
    """A broker, and Celery's workers."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.broker = self.start_broker()

    def start_broker(self) -> subprocess.Popen[bytes]:
        words = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        words += ["--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        process = self._start(words, "broker")
        wait_until(self._answers, "Redis")
        return process

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except OSError:
            return False
        return True

    def start_workers(self) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "celery", "-A", "pymoo.workers.celery_app"]
        process = self._start([*words, "worker", "-c", "2", "-l", "INFO"], "workers")
        log = self.folder / "workers"
        wait_until(lambda: " ready." in log.read_text(), "Celery's workers")
        return process

    def _start(self, words: list[str], name: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYMOO_CELERY": self.url,
            "PYMOO_WORKERS": MODULE,
            "PYMOO_WORKER_BYTES": "10000",
        }
        with (self.folder / name).open("wb") as log:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=environment,
            )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    found = Redis(tmp_path_factory.mktemp("redis"))
    try:
        found.start_workers()
        yield found
    finally:
        found.stop()


@needs_redis
def test_with_redis_requests_are_answered(
    workshop: Callable[..., Workshop], redis: Redis
) -> None:
    shop = workshop(celery=redis.url)
    assert shop.ask("Add", 2, 3) == 5
    assert shop.error("refuse", (1,)) == ("E_PERM", "Not for you", (1,))
    answers = shop.wait([shop.send("echo", number) for number in range(300)])
    assert answers == [(number,) for number in range(300)]


@needs_redis
def test_with_redis_a_crash_ends_one_request(
    workshop: Callable[..., Workshop], redis: Redis
) -> None:
    shop = workshop(celery=redis.url)
    code, message, _ = shop.error("vanish")
    assert code == "E_INVARG"
    assert "WorkerLostError" in message
    assert shop.ask("Add", 2, 3) == 5


@needs_redis
def test_with_redis_seconds_are_limited(
    workshop: Callable[..., Workshop], redis: Redis
) -> None:
    shop = workshop(celery=redis.url, seconds=1)
    assert "TimeLimitExceeded" in shop.error("spin")[1]
    assert shop.ask("Add", 2, 3) == 5


@needs_redis
def test_with_redis_the_end_of_the_bridge_ends_its_requests_only(
    workshop: Callable[..., Workshop], redis: Redis, tmp_path: Path
) -> None:
    shop = workshop(celery=redis.url)
    (pid,) = shop.pool.pids
    numbers = [shop.send("wait_for", str(tmp_path / "gate")) for _ in range(2)]
    wait_until(lambda: bool([*tmp_path.iterdir()]), "a request")
    os.kill(pid, 9)
    for error in shop.wait(numbers):
        assert isinstance(error, MooError)
        assert error.message.endswith("it was ended by SIGKILL")
    (tmp_path / "gate").touch()
    assert shop.ask("Add", 2, 3) == 5


@needs_redis
def test_without_workers_the_request_is_never_done_after_its_time(
    workshop: Callable[..., Workshop], tmp_path: Path
) -> None:
    broker = Redis(tmp_path)
    try:
        shop = workshop(celery=broker.url)
        shop.pool.send(1, "note", (str(tmp_path / "late"), "late"), 0.2)
        shop.pool.send(2, "note", (str(tmp_path / "notes"), "cancelled"), 60)
        time.sleep(0.5)
        shop.pool.cancel(1)
        broker.start_workers()
        shop.wait([2])
        assert not (tmp_path / "late").exists()
    finally:
        broker.stop()


@needs_redis
def test_a_broker_that_ends_is_an_error_and_nothing_hangs(
    workshop: Callable[..., Workshop], tmp_path: Path
) -> None:
    broker = Redis(tmp_path)
    try:
        shop = workshop(celery=broker.url)
        (pid,) = shop.pool.pids
        numbers = [shop.send("Add", 2, 3)]
        broker.broker.terminate()
        broker.broker.wait()
        numbers.append(shop.send("Add", 2, 3))
        for error in shop.wait(numbers):
            assert isinstance(error, MooError)
            assert "the worker is lost: " in error.message
        broker.start_broker()
        broker.start_workers()
        assert shop.ask("Add", 2, 3) == 5
    finally:
        broker.stop()
    shop.pool.stop()
    assert not is_alive(pid)


def test_a_broker_that_is_not_there_keeps_the_server_from_starting(
    workshop: Callable[..., Workshop],
) -> None:
    if importlib.util.find_spec("redis") is None:
        reason = "Celery cannot use this broker or place for results: "
    else:
        reason = "Celery's broker redis://.* cannot be reached: "
    with pytest.raises(WorkersError, match=reason) as caught:
        workshop(celery="redis://:secret@127.0.0.1:1/0")
    assert "secret" not in str(caught.value)
