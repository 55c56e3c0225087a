"""The thread of a door: it begins, ends, and is dropped where it is not wanted."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from pymoo.api.door_thread import DoorThread


def server() -> Any:
    """What a door needs of a server here."""
    return SimpleNamespace(in_child=[])


def test_it_serves_until_it_is_told_to_stop() -> None:
    seen = []

    async def serve(began: Callable[[], None], stop: asyncio.Event) -> None:
        seen.append("began")
        began()
        await stop.wait()
        seen.append("ended")

    thread = DoorThread("door", serve, pytest.fail, list)
    thread.start(server())
    assert seen == ["began"]
    thread.stop()
    assert seen == ["began", "ended"]


def test_what_fails_before_it_can_be_asked_is_told_and_nobody_waits() -> None:
    told: list[BaseException] = []

    async def serve(began: Callable[[], None], stop: asyncio.Event) -> None:
        raise OSError("no such door")

    thread = DoorThread("door", serve, told.append, list)
    thread.start(server())
    thread.stop()
    assert [str(error) for error in told] == ["no such door"]


def test_one_that_ends_by_itself_can_be_stopped() -> None:
    async def serve(began: Callable[[], None], stop: asyncio.Event) -> None:
        began()

    thread = DoorThread("door", serve, pytest.fail, list)
    thread.start(server())
    thread.stop()


def test_one_that_never_began_can_be_stopped() -> None:
    async def serve(began: Callable[[], None], stop: asyncio.Event) -> None:
        raise AssertionError

    DoorThread("door", serve, pytest.fail, list).stop()


def test_in_a_forked_process_its_sockets_are_closed() -> None:
    async def serve(began: Callable[[], None], stop: asyncio.Event) -> None:
        began()
        await stop.wait()

    one, other = socket.socketpair()
    numbers = [-1, one.detach()]
    served = server()
    thread = DoorThread("door", serve, pytest.fail, lambda: numbers)
    thread.start(served)
    (close_copies,) = served.in_child
    close_copies()
    thread.stop()
    with other:
        assert other.recv(1) == b""
