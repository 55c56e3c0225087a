"""Makes one call to the system fail, or the process die there: each in turn."""

from __future__ import annotations

import builtins
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

_IN_OS: Final = (
    "fchmod fsync link listdir mkdir open remove rename replace scandir stat "
    "utime".split()
)


class Faults:
    """Counts calls to the system; at the one with a given number something happens."""

    def __init__(self, at: int, happen: Callable[[], None], *, after: bool) -> None:
        """``happen`` is called before or ``after`` the call is done."""
        self.at: Final = at
        self.count = 0
        self.name = ""
        self._happen: Final = happen
        self._after: Final = after

    def wrap(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            self.count += 1
            if self.count != self.at:
                return real(*arguments, **named)
            self.name = name
            try:
                if self._after:
                    real(*arguments, **named)
                elif name == "copyfileobj":  # half of it is done
                    source, target, *_ = arguments
                    target.write(source.read(3))
                    target.flush()
            finally:
                self._happen()
            raise AssertionError("it was to end or fail")

        return called


@contextmanager
def faults(
    at: int, happen: Callable[[], None], *, after: bool = False
) -> Iterator[Faults]:
    """Have ``happen`` called at call number ``at`` within."""
    made = Faults(at, happen, after=after)
    places: list[tuple[Any, str]] = [(os, name) for name in _IN_OS]
    places += [(builtins, "open"), (shutil, "copyfileobj")]
    reals = [getattr(module, name) for module, name in places]
    for (module, name), real in zip(places, reals, strict=True):
        setattr(module, name, made.wrap(name, real))
    try:
        yield made
    finally:
        for (module, name), real in zip(places, reals, strict=True):
            setattr(module, name, real)


def refuse(number: int) -> Callable[[], None]:
    """What raises an error of the system."""

    def happen() -> None:
        raise OSError(number, os.strerror(number))

    return happen


def killed_at(work: Callable[[], object], at: int, *, after: bool) -> bool:
    """Do ``work`` in a process that is killed at call number ``at``.

    Returns False if it came to its end before.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with faults(at, _die, after=after):
                work()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
