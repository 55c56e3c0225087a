"""``pymoo serve --workers``: real processes around a real server."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server.online import write_database
from tests.server.processes import ServerProcess, pymoo
from tests.server.talking import Talker
from tests.workers.office import MODULE, Workshop, is_alive, wait_until

ASK = "try #0.mark = worker_request({}); except e (ANY) #0.mark = e[1..2]; endtry"


def serve(folder: Path, *options: str, database: str = "{input}") -> ServerProcess:
    if not (folder / "in.db").exists():
        write_database(folder / "in.db")
    return ServerProcess(
        folder,
        *("serve", database, "{output}", "--port", "0", "--log", "{log}"),
        *("--workers", MODULE, *options),
    )


def workers_of(server: ServerProcess) -> list[int]:
    """The processes that the server has started and that are there."""
    found = []
    for path in Path(f"/proc/{server.process.pid}/task").iterdir():
        found += [int(word) for word in (path / "children").read_text().split()]
    return [pid for pid in found if is_alive(pid)]


def keep_busy(folder: Path, wizard: Talker) -> None:
    """Have one process spin, and another wait; return when they do."""
    wizard.type(';worker_request("spin");')
    wizard.type(f';worker_request("wait_for", "{folder / "gate"}");')
    wait_until(lambda: bool([*folder.glob("gate.*")]), "a worker's beginning")


def test_m12_a_served_world_asks_and_goes_on_meanwhile(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with serve(tmp_path) as server, server.talker() as wizard, server.talker() as other:
        wizard.log_in()
        other.log_in("#4")
        assert wizard.eval('return worker_request("add", 2, 3);') == "5"
        wizard.type(f';return worker_request("wait_for", "{gate}");')
        assert other.eval("return 6 * 7;") == "42"
        assert other.eval('return `worker_request("add") ! ANY\';') == "E_PERM"
        gate.touch()
        assert wizard.read_line() == '"there"'
        assert "WORKERS: 2 processes, for Add, " in server.log
        assert server.stop() == 0


def test_d08_a_runaway_worker_does_not_lose_other_tasks(tmp_path: Path) -> None:
    with serve(tmp_path, "--worker-seconds", "0.5") as server, server.talker() as one:
        one.log_in()
        with server.talker() as two:
            two.log_in("create")
            two.type(";suspend(1); return 5;")
            answer = one.eval('return `worker_request("spin") ! ANY\';')
            assert answer == "E_INVARG"
            assert two.read_line() == "5"
        server.wait_for("has ended while it did spin: it ran longer than 0.5 seconds")
        assert one.eval('return worker_request("add", 2, 3);') == "5"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_d05_workers_are_gone_after_the_server_whatever_ends_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    with serve(tmp_path, "--worker-processes", "3") as server:
        with server.talker() as wizard:
            keep_busy(tmp_path, wizard.log_in())
            pids = workers_of(server)
            assert len(pids) == 3
            server.signal(number)
            server.end()
        for pid in pids:
            wait_until(lambda pid=pid: not is_alive(pid), "the end of a worker")


def test_m12_a_server_that_is_stopped_leaves_no_request_behind(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with serve(tmp_path, "--worker-processes", "1") as server:
        with server.talker() as wizard:
            wizard.log_in()
            wizard.type(";" + ASK.format(f'"wait_for", "{gate}"'))
            wait_until(lambda: bool([*tmp_path.glob("gate.*")]), "the request")
            wizard.type(";" + ASK.format(f'"note", "{tmp_path / "notes"}", "done"'))
            assert wizard.eval("return length(queued_tasks());") == "2"
        assert server.stop() == 0
    gate.touch()
    (tmp_path / "out.db").replace(tmp_path / "next.db")
    with serve(tmp_path, database="next.db") as server, server.talker() as wizard:
        wizard.log_in()
        assert wizard.eval("return {#0.mark, queued_tasks()};") == (
            '{{E_INVARG, "The server was restarted while this task waited"}, {}}'
        )
        assert server.stop() == 0
    assert not (tmp_path / "notes").exists()


def test_d05_a_process_that_writes_a_checkpoint_keeps_no_worker_alive(
    workshop: Callable[..., Workshop],
) -> None:
    """It lets go of its copies of their connections."""
    shop = workshop(processes=3)

    def sockets() -> int:
        links = map(os.readlink, Path("/proc/self/fd").iterdir())
        count = 0
        while True:
            try:
                count += next(links).startswith("socket:")
            except OSError:  # the one of the folder, which is closed by now
                continue
            except StopIteration:
                return count

    before = sockets()
    child = os.fork()
    if child == 0:
        status = 99
        try:
            shop.pool.close_copies()
            status = before - sockets()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert shop.ask("echo", 1) == (1,)


def test_workers_that_cannot_be_used_keep_the_server_from_starting(
    tmp_path: Path,
) -> None:
    write_database(tmp_path / "in.db")
    done = pymoo(
        *("serve", "in.db", "--port", "0", "--log", "log"),
        *("--workers", "no_such_module"),
        folder=tmp_path,
    )
    assert done.returncode == 2
    assert done.stderr.decode().startswith(
        "pymoo: workers cannot be started: there is no module 'no_such_module'"
    )


def test_celery_without_workers_is_a_mistake(tmp_path: Path) -> None:
    write_database(tmp_path / "in.db")
    done = pymoo("serve", "in.db", "--celery", "memory://", folder=tmp_path)
    assert done.returncode == 2
    assert "--celery says where workers are; --workers, which" in done.stderr.decode()


def test_celery_that_is_not_installed_is_named_with_its_remedy(tmp_path: Path) -> None:
    write_database(tmp_path / "in.db")
    (tmp_path / "celery.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'celery'\", name='celery')\n"
    )
    done = pymoo(
        *("serve", "in.db", "--port", "0", "--log", "log"),
        *("--workers", MODULE, "--celery", "redis://localhost:7579"),
        folder=tmp_path,
    )
    assert done.returncode == 2
    assert "Celery is not installed; this brings it: pip install" in (
        done.stderr.decode()
    )
