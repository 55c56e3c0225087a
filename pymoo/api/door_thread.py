"""The thread of a door: an event loop beside the one that serves the world.

What a door answers, and to whom, is its own matter (`http_server`, `status_door`); here
is how its thread begins, ends, and is dropped in a process that is forked.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from pymoo.server.app import Server

Serve = Callable[[Callable[[], None], asyncio.Event], Awaitable[None]]
"""Answers until the event is set; calls what it is given once it can be asked."""


class DoorThread:
    """Runs what one door does, in a thread."""

    def __init__(
        self,
        name: str,
        serve: Serve,
        note_bug: Callable[[BaseException], None],
        descriptors: Callable[[], Iterable[int]],
    ) -> None:
        """``note_bug`` is told what ends ``serve`` too soon, in that thread.

        ``descriptors`` gives those of its sockets, for `Server.in_child`; -1 for one
        that is closed.
        """
        self._name: Final = name
        self._serve: Final = serve
        self._note_bug: Final = note_bug
        self._descriptors: Final = descriptors
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def start(self, server: Server) -> None:
        """Return when the door can be asked, or has failed."""
        server.in_child.append(self._close_copies)
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._work, args=(ready,), name=self._name, daemon=True
        )
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Tell the door to end, if it has begun, and wait until it has."""
        if self._thread is None:
            return
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(stop.set)
        self._thread.join()

    def _close_copies(self) -> None:
        """In a forked process, which has only the thread that forked."""
        for number in self._descriptors():
            if number >= 0:
                with contextlib.suppress(OSError):
                    os.close(number)

    def _work(self, ready: threading.Event) -> None:
        async def run() -> None:
            self._loop = asyncio.get_running_loop()
            self._stop = asyncio.Event()
            await self._serve(ready.set, self._stop)

        try:
            asyncio.run(run())
        except Exception as error:  # noqa: BLE001  (the world goes on without)
            self._note_bug(error)
        finally:
            ready.set()
