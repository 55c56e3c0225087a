"""Workers that do what tests need: answer, crash, fill the memory, never end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from pymoo.errors import MooError
from pymoo.values import E_PERM, Obj, Value
from pymoo.workers import worker


@worker("echo")
def echo(*arguments: Value) -> Value:
    return arguments


@worker("Add")
def add(left: int, right: int) -> int:
    return left + right


@worker("pid")
def pid() -> int:
    return os.getpid()


# In C, and one that does not tell what arguments it takes.
worker("plain sleep")(time.sleep)

_count = 0


@worker("count")
def count(ticket: int) -> Value:
    """Return the ticket, this process, and how many it has answered."""
    global _count
    _count += 1
    return ticket, os.getpid(), _count


@worker("refuse")
def refuse(value: Value) -> Value:
    raise MooError(E_PERM, "Not for you", value)


@worker("fail")
def fail() -> Value:
    raise KeyError("no such key")


@worker("sleep")
def sleep(seconds: float) -> Value:
    time.sleep(seconds)
    return "slept"


@worker("wait_for")
def wait_for(path: str) -> Value:
    """Say who waits in a file beside ``path``; wait until there is ``path``."""
    with open(f"{path}.{os.getpid()}", "w", encoding="ascii"):
        pass
    while not os.path.exists(path):
        time.sleep(0.005)
    return "there"


@worker("note")
def note(path: str, word: str) -> Value:
    """Add a word to a file."""
    with open(path, "a", encoding="ascii") as stream:
        stream.write(f"{word}\n")
    return word


@worker("spin")
def spin() -> Value:
    while True:
        pass


@worker("stubborn")
def stubborn() -> Value:
    """Let nothing end it that can be caught."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    while True:
        try:
            spin()
        except BaseException:  # noqa: BLE001  (that is the point)
            continue


@worker("work")
def work(seconds: float) -> Value:
    """Use so many seconds of CPU."""
    begin = time.process_time()
    while time.process_time() - begin < seconds:
        pass
    return "worked"


@worker("blocked signals")
def blocked_signals() -> Value:
    return tuple(int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ()))


@worker("leave")
def leave(status: int) -> Value:
    sys.exit(status)


@worker("vanish")
def vanish() -> Value:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@worker("hang up")
def hang_up() -> Value:
    """End the connection to the server, and stay."""
    with socket.socket(fileno=os.dup(_connection())) as connection:
        connection.shutdown(socket.SHUT_RDWR)
    time.sleep(600)
    return 0


@worker("fill")
def fill() -> Value:
    """Take all the memory there is."""
    parts = []
    while True:
        parts.append(bytearray(16 << 20))


@worker("long")
def long(size: int) -> Value:
    return "x" * size


@worker("doubled")
def doubled() -> Value:
    """Return a list that is short here and has a million million elements there."""
    value: Any = ()
    for _ in range(40):
        value = (value, value)
    return value  # type: ignore[no-any-return]


@worker("strange")
def strange(what: str) -> Any:
    """Return what no MOO value is."""
    answers: dict[str, Callable[[], Any]] = {
        "dict": lambda: {"obj": 1},
        "lines": lambda: "one\ntwo",
        "large": lambda: 2**40,
        "infinite": lambda: float("inf"),
        "chinese": lambda: "\u4e2d",
        "object": lambda: Obj(2),
        "none": lambda: None,
        "list": lambda: [1, [2.0, True]],
    }
    return answers[what]()


@worker("garbage")
def garbage(*data: int) -> Value:
    """Write bytes where the answer is to be written."""
    os.write(_connection(), bytes(data))
    time.sleep(600)
    return 0


def _connection() -> int:
    return int(sys.orig_argv[3] if "-m" in sys.orig_argv else sys.argv[1])


@worker("descriptors")
def descriptors() -> Value:
    """Return what this process has open beside its standard streams and connection."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:  # that of listing them
            continue
        if int(name) > 2 and int(name) != _connection():
            found.append(target)
    return tuple(found)


@worker("start a child")
def start_a_child() -> int:
    """Start a process that sleeps; return its number."""
    return subprocess.Popen(["sleep", "600"]).pid


@worker("print")
def print_it(text: str) -> Value:
    print(text, flush=True)
    return 0
