"""Names of the computers that connect, found without making anybody wait.

Looking up a name can take many seconds, so it is done by threads; one question per
address at a time, and answers are kept for a while.  Whoever asks decides how long
to wait: an answer that comes too late serves the next connection.

The C server asks another process, and stands still until that answers.
"""

from __future__ import annotations

import socket
import threading
from collections import OrderedDict
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

from pymoo.interp.host import Clock

KEPT_FOR_S: Final = 60
"""How long an answer is used again."""

MAX_KEPT: Final = 1_000
MAX_WAITING: Final = 200
"""How many addresses may wait for a thread; more have no name."""

_THREADS: Final = 4

Answer = Callable[[str | None], None]


def system_name(address: str) -> str | None:
    """Return the name that the system has for an address, however long it takes."""
    try:
        return socket.gethostbyaddr(address)[0]
    except (OSError, UnicodeError):
        return None


class NameLookup:
    """Finds names by address."""

    def __init__(
        self,
        clock: Clock,
        *,
        find: Callable[[str], str | None] = system_name,
        answer_in: Callable[[Callable[[], None]], None],
    ) -> None:
        """``answer_in`` brings answers from the threads to whoever asks."""
        self._clock: Final = clock
        self._find: Final = find
        self._answer_in: Final = answer_in
        self._kept: OrderedDict[str, tuple[str | None, float]] = OrderedDict()
        self._asked: dict[str, list[Answer]] = {}
        self._addresses: SimpleQueue[str] = SimpleQueue()
        self._threads = 0

    def ask(self, address: str, answer: Answer) -> None:
        """Have ``answer`` called with the name of ``address``, or None.

        That happens at once if the name is known from a short time ago.
        """
        kept = self._kept.get(address)
        if kept is not None and 0 <= self._clock.now() - kept[1] < KEPT_FOR_S:
            answer(kept[0])
            return
        waiting = self._asked.get(address)
        if waiting is not None:
            waiting.append(answer)
            return
        if len(self._asked) >= MAX_WAITING:
            answer(None)
            return
        self._asked[address] = [answer]
        self._addresses.put(address)
        if self._threads < _THREADS:
            self._threads += 1
            threading.Thread(
                target=self._work, name="name look-up", daemon=True
            ).start()

    def _work(self) -> None:
        while True:
            address = self._addresses.get()
            try:
                name = self._find(address)
            except Exception:  # noqa: BLE001  (whatever it was, there is no name)
                name = None
            try:
                self._answer_in(lambda a=address, n=name: self._answered(a, n))  # type: ignore[misc]
            except RuntimeError:  # the loop is closed: nobody asks any more
                return

    def _answered(self, address: str, name: str | None) -> None:
        self._kept[address] = name, self._clock.now()
        self._kept.move_to_end(address)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        for answer in self._asked.pop(address):
            answer(name)
