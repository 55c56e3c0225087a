"""The loop that drives a server, and the thread that takes the system's signals."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from pymoo.server.main_loop import MainLoop
from tests.server.online import Online
from tests.server.processes import environment
from tests.server.talking import PATIENCE_S


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.SelectorEventLoop()
    yield loop
    loop.close()


def test_the_loop_ends_when_the_server_is_told_to_stop(
    online: Online, loop: asyncio.AbstractEventLoop
) -> None:
    main_loop = MainLoop(online.server, loop)
    main_loop.take_signal(signal.SIGTERM)
    main_loop.run()
    assert main_loop.panic is None
    assert online.server.is_stopping


def test_a_panic_signal_ends_the_loop_without_another_task(
    online: Online, loop: asyncio.AbstractEventLoop
) -> None:
    main_loop = MainLoop(online.server, loop)
    main_loop.take_signal(signal.SIGQUIT)
    main_loop.run()
    assert main_loop.panic == "Caught signal 3"
    assert not online.server.is_stopping


def test_what_a_program_asks_for_is_done_before_the_loop_sleeps(
    online: Online, loop: asyncio.AbstractEventLoop
) -> None:
    online.wizard.send_line(";fork (0) shutdown(); endfork")
    online.process.network.deliver(online.connections)
    main_loop = MainLoop(online.server, loop)
    main_loop.run()
    assert online.server.is_stopping


def test_all_that_has_come_is_one_turn(
    online: Online,
    loop: asyncio.AbstractEventLoop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So everybody is sent to once, and the journal gets one record."""
    seen: list[str] = []
    main_loop = MainLoop(online.server, loop)

    def come(name: str) -> None:
        seen.append(name)
        main_loop.wake()

    def turn() -> None:
        seen.append("turn")
        if "another" not in seen:
            come("another")  # a turn can bring about the next one

    monkeypatch.setattr(online.server, "turn", turn)
    monkeypatch.setattr(online.server, "seconds_until_next", lambda: None)
    for name in ("one", "two", "three"):
        loop.call_soon(come, name)
    loop.call_later(0.1, loop.stop)
    main_loop.run()
    assert seen == ["one", "two", "three", "turn", "another", "turn"]


def test_signals_after_the_end_are_no_matter(
    online: Online, loop: asyncio.AbstractEventLoop
) -> None:
    main_loop = MainLoop(online.server, loop)
    loop.close()
    main_loop.take_signal(signal.SIGTERM)
    assert not online.server.is_stopping


def test_a_turn_that_fails_each_time_does_not_spin(
    online: Online,
    loop: asyncio.AbstractEventLoop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns = 0

    def broken() -> None:
        nonlocal turns
        turns += 1
        raise RuntimeError("a bug")

    monkeypatch.setattr(online.server, "turn", broken)
    main_loop = MainLoop(online.server, loop)
    loop.call_later(0.3, loop.stop)
    main_loop.run()
    assert turns == 1
    assert any("RuntimeError: a bug" in line for line in online.log)


def test_what_the_loop_complains_of_without_an_error_is_logged(
    online: Online, loop: asyncio.AbstractEventLoop
) -> None:
    main_loop = MainLoop(online.server, loop)
    loop.call_soon(lambda: loop.call_exception_handler({"message": "odd"}))
    loop.call_soon(loop.stop)
    main_loop.run()
    assert "*** odd" in online.log


def run_script(body: str) -> subprocess.CompletedProcess[str]:
    """Run code that has ``run_with_big_stack``, in a process of its own."""
    script = (
        "import os, signal, sys\n"
        "from pymoo.server.main_loop import run_with_big_stack\n" + body
    )
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=PATIENCE_S,
    )


def test_the_world_has_a_deep_stack_and_its_result_is_returned() -> None:
    ended = run_script(
        "def deep(n): return n and 1 + deep(n - 1)\n"
        "print(run_with_big_stack(lambda ready: deep(50_000)))\n"
    )
    assert (ended.stdout, ended.stderr) == ("50000\n", "")


def test_an_error_of_the_world_is_raised_where_it_was_started() -> None:
    ended = run_script(
        "def fail(ready): raise LookupError('here')\n"
        "try: run_with_big_stack(fail)\n"
        "except LookupError as error: print('caught', error)\n"
    )
    assert (ended.stdout, ended.stderr) == ("caught here\n", "")


def test_signals_that_come_too_early_are_handed_over_later() -> None:
    ended = run_script(
        "import threading\n"
        "class Loop:\n"
        "    def take_signal(self, number):\n"
        "        print(signal.Signals(number).name)\n"
        "        if number == signal.SIGUSR2: done.set()\n"
        "done = threading.Event()\n"
        "def main(ready):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    while signal.SIGTERM in signal.sigpending(): pass\n"
        "    ready(Loop())\n"
        "    os.kill(os.getpid(), signal.SIGUSR2)\n"
        "    done.wait()\n"
        "    return 0\n"
        "run_with_big_stack(main)\n"
    )
    assert (ended.stdout, ended.stderr) == ("SIGTERM\nSIGUSR2\n", "")


def test_nothing_of_it_is_left_in_the_tests_own_process() -> None:
    assert not [each for each in threading.enumerate() if each.name == "world"]
