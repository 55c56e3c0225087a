"""How long a player waits for an answer while another one's task runs away.

Here a second is one on the wall: the longest that one of many answers took, from the
start of the runaway task until some limit has stopped it.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import frozen

from pymoo.bench.cases import BenchError, Case, Sample, Tier
from pymoo.bench.mix import lack_of_commands
from pymoo.bench.served import PATIENCE_S, Served
from pymoo.bench.workbench import Workbench
from pymoo.values import literal

if TYPE_CHECKING:
    from pymoo.bench.session import Session

_PAUSE_S: Final = 0.01
"""How long the other player thinks before typing the next line."""


@frozen
class Runaway:
    """A program without end, and a word of what its player is told at last."""

    what: str
    code: str
    told: str


_TICKS: Final = "Task ran out of ticks"
_SECONDS: Final = "Task ran out of seconds"
_STOPPED: Final = "Task ran out of"

RUNAWAYS: Final = {
    "loop": Runaway("an endless loop", "while (1)\nendwhile", _TICKS),
    "recursion": Runaway(
        "recursion without end, each error caught",
        "while (1)\n`this:(verb)() ! E_MAXREC';\nendwhile",
        _TICKS,
    ),
    "fork-bomb": Runaway(
        "1,000 endless tasks",
        "for i in [1..1000]\nfork (0)\nwhile (1)\nendwhile\nendfork\nendfor",
        _TICKS,
    ),
    "list": Runaway(
        "a list that grows by one",
        "l = {};\nwhile (1)\nl = {@l, 1};\nendwhile",
        _STOPPED,
    ),
    "doubled-list": Runaway(
        "a list that doubles", "l = {1};\nwhile (1)\nl = {@l, @l};\nendwhile", _STOPPED
    ),
    "string": Runaway(
        "a string that doubles", 's = "x";\nwhile (1)\ns = s + s;\nendwhile', _STOPPED
    ),
    "pattern": Runaway(
        "a pattern that tries everything",
        'while (1)\n`match("aaaaaaaaaaaaaaaaaaaaaaaa", "%(a*%)*%(a*%)*b") ! ANY\';\n'
        "endwhile",
        _STOPPED,
    ),
    "many-ways": Runaway(
        "a pattern with very many ways that fail",
        'while (1)\n`match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a*a*a*a*a*b") '
        "! ANY';\nendwhile",
        _STOPPED,
    ),
    "back-references": Runaway(
        "a pattern with back references",
        'while (1)\n`match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", '
        '"%(a*%)%(a*%)%1%2%(a*%)%3b") ! ANY\';\nendwhile',
        _STOPPED,
    ),
    "long-subject": Runaway(
        "a pattern that goes through a long text from each place",
        's = "aaaaaaaaaaaaaaaaaaaaaaaaa";\nfor i in [1..8]\ns = s + s;\nendfor\n'
        'while (1)\n`match(s, "%(a%|a%)*[^y]*y") ! ANY\';\nendwhile',
        _STOPPED,
    ),
    "cheap-patterns": Runaway(
        "short patterns without end",
        'while (1)\nmatch("abababababababababababababab", "%(a%|b%)*a*c");\nendwhile',
        _STOPPED,
    ),
    "new-patterns": Runaway(
        "always another pattern, twice",
        'n = 0;\nwhile (1)\np = tostr("%([^ a]%|b%)*", n = n + 1);\n'
        'match("abc", p);\nmatch("bca", p);\nendwhile',
        _STOPPED,
    ),
    "output": Runaway(
        "lines without end",
        'while (1)\nnotify(player, "a line of output, and one more");\nendwhile',
        _TICKS,
    ),
}


class _Typist:
    """A connection at which somebody is logged in."""

    def __init__(self, served: Served, name: str) -> None:
        self.connection: Final = served.connect()
        self._received = b""
        self.connection.sendall(f"connect {name}\r\n".encode())
        self.ask("bench_hello ready", "hello ready")

    def type(self, line: str) -> None:
        self.connection.sendall(f"{line}\r\n".encode())

    def has(self, text: str) -> bool:
        """Whether ``text`` has come; what came before it is forgotten then."""
        wanted = text.encode()
        while True:
            _, found, rest = self._received.partition(wanted)
            if found:
                self._received = rest
                return True
            self._received = self._received[-len(wanted) :]
            if not select.select([self.connection], [], [], 0)[0]:
                return False
            data = self.connection.recv(1 << 20)
            if not data:
                raise BenchError("a player was disconnected")
            self._received += data

    def ask(self, line: str, answer: str) -> float:
        """Type a line; return the seconds until ``answer`` has come."""
        began = time.perf_counter()
        self.type(line)
        while not self.has(answer):
            left = began + PATIENCE_S - time.perf_counter()
            if not select.select([self.connection], [], [], max(0.0, left))[0]:
                raise BenchError(f"{line!r} is not answered in {PATIENCE_S} s")
        return time.perf_counter() - began


def _prepared(session: Session) -> tuple[Path, list[str]]:
    """Return a database with the verbs, and the names of two players."""
    repertoire = session.repertoire
    assert repertoire is not None
    workbench = Workbench(
        session.database, session.dialect, Tier.COMPILED, lifts_limits=False
    )
    roles = repertoire.populate(workbench, 2)
    verbs = {f"bench_{name}": each.code for name, each in RUNAWAYS.items()}
    verbs["bench_hello"] = 'notify(player, "hello " + argstr);'
    for name, code in verbs.items():
        words = ("any", "any", "any") if name == "bench_hello" else ("none",) * 3
        lines = literal(tuple(code.split("\n")))
        workbench.run(
            f'add_verb(#1, {{player, "rxd", "{name}"}}, {literal(words)});'
            f'set_verb_code(#1, "{name}", {lines});'
        )
    path = session.folder / "runaways.db"
    workbench.save(path)
    return path, [role.name for role in roles]


@contextmanager
def _runaway(session: Session, tier: Tier, name: str) -> Iterator[Sample]:
    path, names = session.once("runaways", lambda: _prepared(session))
    with ExitStack() as stack:
        served = stack.enter_context(session.serve(path, tier))
        runner, other = [_Typist(served, each) for each in names]
        for typist in (runner, other):
            stack.callback(_close, typist.connection)

        def sample() -> float:
            longest = 0.0
            number = 0
            runner.type(f"bench_{name}")
            told = RUNAWAYS[name].told
            has_ended = False
            until = time.perf_counter() + PATIENCE_S
            while not has_ended:
                if time.perf_counter() > until:
                    raise BenchError(f"nothing stops {RUNAWAYS[name].what}")
                has_ended = runner.has(told)
                number += 1
                answered = other.ask(f"bench_hello {number}.", f"hello {number}.")
                longest = max(longest, answered)
                time.sleep(_PAUSE_S)
            runner.ask(f"bench_hello {name}", f"hello {name}")
            return longest

        yield sample


def _close(connection: socket.socket) -> None:
    connection.close()


def runaway_cases() -> list[Case]:
    """Return a case for each form."""

    def case(name: str, runaway: Runaway) -> Case:
        def prepare(session: Session, tier: Tier) -> AbstractContextManager[Sample]:
            return _runaway(session, tier, name)

        return Case(
            "runaway",
            name,
            "longest answer",
            f"the longest wait of another player: {runaway.what}",
            prepare,
            lack=lack_of_commands,
            is_tiered=False,
        )

    return [case(name, each) for name, each in RUNAWAYS.items()]
