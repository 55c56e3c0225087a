"""Tasks that wait for a worker while their server ends, and what the next one does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymoo.errors import MooError
from pymoo.lang.dialect import PYMOO
from pymoo.server.app import ServerSettings
from pymoo.server.database import open_database
from pymoo.server.dumps import DumpFiles
from pymoo.server.inprocess import HandClock, InProcessServer
from pymoo.server.memory_network import Client
from pymoo.values import E_INVARG, E_PERM, Value
from tests.server.online import load_file, write_database
from tests.workers.office import FakeDispatcher

NOTE = "except e (ANY) #0.mark = listdelete(e, 4); endtry"


class World:
    """The small world of the server's tests in the dialect `pymoo`, with workers."""

    def __init__(self, folder: Path, name: str = "in.db", **workers: Any) -> None:
        self.output = folder / "out.db"
        self.process = InProcessServer(
            open_database(folder / name, PYMOO),
            DumpFiles(str(folder / name), str(self.output)),
            ServerSettings(PYMOO, width=32, seed=1),
            clock=HandClock(),
        )
        self.dispatcher = FakeDispatcher()
        self.process.server.workers.use(self.dispatcher)
        self.process.run()
        self.wizard: Client = self.process.connect()
        self.process.run()
        self.wizard.send_line("#3")
        self.process.run()
        self.wizard.take_lines()

    def type(self, code: str) -> list[str]:
        """Evaluate ``code``; return what is said."""
        self.wizard.send_line(f";{code}")
        self.process.run()
        return self.wizard.take_lines()

    def restart(self, folder: Path) -> World:
        """Shut down, and serve what was saved."""
        self.process.shut_down()
        self.output.replace(folder / "next.db")
        return World(folder, "next.db")


def online(folder: Path) -> World:
    write_database(folder / "in.db")
    return World(folder)


def suspended(path: Path) -> list[Value]:
    return [task.value for task in load_file(path).tasks]  # type: ignore[union-attr]


def test_m12_a_task_that_waited_gets_E_INVARG_after_a_restart(tmp_path: Path) -> None:
    world = online(tmp_path)
    assert world.type(f'try #0.mark = worker_request("echo", 1); {NOTE}') == []
    world.process.shut_down()
    assert suspended(world.output) == [E_INVARG]
    again = world.restart(tmp_path)
    assert again.type("return #0.mark;") == [
        '{E_INVARG, "The server was restarted while this task waited", 0}'
    ]
    assert again.dispatcher.sent == {}
    assert again.type("return queued_tasks();") == ["{}"]


def test_m12_it_does_so_in_a_server_without_workers(tmp_path: Path) -> None:
    world = online(tmp_path)
    world.type(f'try #0.mark = worker_request("echo", 1); {NOTE}')
    world.process.shut_down()
    process = InProcessServer.open(world.output, tmp_path / "last.db", PYMOO)
    process.shut_down()
    assert suspended(tmp_path / "last.db") == []


def test_m12_an_answer_that_was_there_when_the_server_ended_is_not_lost(
    tmp_path: Path,
) -> None:
    world = online(tmp_path)
    world.type(f'try #0.mark = worker_request("echo", 1); {NOTE}')
    world.dispatcher.answered(1, (5, "x"))
    again = world.restart(tmp_path)
    assert again.type("return #0.mark;") == ['{5, "x"}']


def test_m12_nor_is_an_error_with_its_message_and_value(tmp_path: Path) -> None:
    world = online(tmp_path)
    world.type(f'try #0.mark = worker_request("echo", 1); {NOTE}')
    world.dispatcher.answered(1, MooError(E_PERM, "Not for you", (1, 2)))
    world.process.server.request_shutdown("test")
    world.process.run()
    assert suspended(world.output) == [E_PERM]
    again = World(tmp_path, "out.db")
    assert again.type("return #0.mark;") == ['{E_PERM, "Not for you", {1, 2}}']


def test_m12_an_error_with_a_code_of_its_own_is_raised_after_a_restart_too(
    tmp_path: Path,
) -> None:
    world = online(tmp_path)
    world.type(f'try #0.mark = worker_request("echo", 1); {NOTE}')
    world.dispatcher.answered(1, MooError("mine", "Message", 0))
    world.process.server.request_shutdown("test")
    world.process.run()
    assert suspended(world.output) == [E_INVARG]  # which the C server raises as well
    again = World(tmp_path, "out.db")
    assert again.type("return #0.mark;") == ['{"mine", "Message", 0}']


def test_m12_a_checkpoint_leaves_the_task_waiting(tmp_path: Path) -> None:
    world = online(tmp_path)
    world.type(f'try #0.mark = worker_request("echo", 1); {NOTE}')
    world.type("dump_database();")
    world.process.run()
    assert suspended(world.output) == [E_INVARG]
    world.dispatcher.answered(1, "late, but there")
    world.process.run()
    assert world.wizard.take_lines() == ["0"]
    assert world.type("return #0.mark;") == ['"late, but there"']
