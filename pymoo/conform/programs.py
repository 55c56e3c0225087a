"""Runs programs on a server whose database knows the marker protocol.

The database has verbs on the room where its players stand, each for one line:

=============  ================================================================
``x ID CODE``  undoes what came before, then runs CODE inside a handler of all
               errors
``n ID CODE``  the same, but undoes nothing
``u ID CODE``  runs CODE without handler, so that tracebacks reach the player
``c ID``       sets everything back: options, objects, tasks
=============  ================================================================

and answers with lines that begin with ``@@``: ``B ID`` when the program begins,
``E ID STATUS TICKS VALUE`` when it has ended, before that ``T ID TRACEBACK`` if it
raised, ``C ID`` after setting back.  What comes between B and E is the program's
output.  A program that is aborted shows no E.

Programs that end at once are sent many at a time; one that suspends, or leaves
something running in the background, runs alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from attrs import define, evolve, field

from pymoo.conform.cases import LOST, Answer, Case
from pymoo.conform.servers import (
    LineReader,
    LinkClosedError,
    RunningServer,
    ServerUnusableError,
)
from pymoo.conform.workbench import Workbench

LOGIN_TIMEOUT_S: Final = 30.0
SILENCE_S: Final = 60.0
"""Without a word for so long, a server has lost its way: on a busy machine, one that
runs a program until its seconds are over is silent for a while."""
_ABORTED_S: Final = 15.0
"""A program that takes time, and says nothing for so long, has been aborted."""
SETTLE_S: Final = 1.2
"""How long the background of a program without handler may go on."""
_IN_FLIGHT: Final = 60
_MAX_LOSSES: Final = 25
MARK: Final = "@@"


@define(eq=False)
class Program(Case):
    """A program and what is to happen before and after it.

    ``key`` is the program's name on the wire, without blanks, the only one so
    called.  ``player`` is the word with which the connection logs in.
    """

    key: str
    code: str
    setup: str = ""
    after: str = ""
    player: str = "wizard"
    # Whether errors are left to the server, which shows them to the player.
    is_unguarded: bool = False
    # Whether it suspends, or leaves something in the background: it runs alone.
    takes_time: bool = False
    expected: Answer | None = None
    tags: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether one line runs it, and shows when it is over."""
        return not (self.is_unguarded or self.takes_time or self.setup or self.after)


@define
class _Heard:
    """What has come in about the program that is the oldest in flight."""

    answer: Answer | None = None
    after: str | None = None
    traceback: str | None = None
    output: list[str] = field(factory=list)


class ProgramSession:
    """A connection on which programs are run, logged in as one player."""

    def __init__(self, server: RunningServer, player: str) -> None:
        self._server: Final = server
        self._terminal = LineReader(server.connect())
        self._log_in(player)

    def _log_in(self, player: str) -> None:
        self._terminal.send_line(f"connect {player}")
        self._terminal.send_line("c hello")
        deadline = self._server.now() + LOGIN_TIMEOUT_S
        while self._server.now() < deadline:
            if f"{MARK}C hello" in self._terminal.lines(0.2):
                return
        raise ServerUnusableError(
            "the server accepts connections, but does not answer as the database of "
            "these cases would: has it loaded the right one?"
        )

    def close(self) -> None:
        self._terminal.link.close()

    def run(self, programs: Iterable[Program]) -> Iterator[tuple[Program, Answer]]:
        """Run programs in their order; each answer comes as soon as it is certain.

        Raises: LinkClosedError when the server has gone or fallen silent; the
            program after the last answered one is to blame.
        """
        together: list[Program] = []
        for program in programs:
            if program.takes_time:
                yield from self._run_together(together)
                together = []
                yield program, self._run_alone(program)
            else:
                together.append(program)
        yield from self._run_together(together)

    def _run_together(
        self, programs: Sequence[Program]
    ) -> Iterator[tuple[Program, Answer]]:
        if not programs:
            return
        todo = deque(programs)
        flying: deque[Program] = deque()
        heard: dict[str, _Heard] = {}
        current: _Heard | None = None
        last = self._server.now()
        is_closing = False
        while todo or flying:
            while todo and len(flying) < _IN_FLIGHT:
                program = todo.popleft()
                flying.append(program)
                heard[program.key] = _Heard()
                for line in _commands(program):
                    self._terminal.send_line(line)
            if not todo and not is_closing:
                # Ends the last one's silence if it is aborted.
                is_closing = True
                self._terminal.send_line("c end.z")
            lines = self._terminal.lines(0.5)
            if lines:
                last = self._server.now()
            elif self._server.now() - last > SILENCE_S:
                raise LinkClosedError("silent")
            for line in lines:
                if not line.startswith(MARK):
                    if current is not None:
                        current.output.append(line)
                    continue
                key, step = _key(line)
                if key == "end":
                    while flying:
                        done = flying.popleft()
                        yield done, _answer(heard.pop(done.key))
                    return
                if key not in heard:
                    continue
                # Something newer has begun: what is older is over.
                while flying[0].key != key:
                    done = flying.popleft()
                    yield done, _answer(heard.pop(done.key))
                current = _note(line, step, heard[key])
                if step == "z" or (line.startswith("@@E") and flying[0].is_plain):
                    done = flying.popleft()
                    yield done, _answer(heard.pop(done.key))
                    current = None

    def _run_alone(self, program: Program) -> Answer:
        """Run what takes time, until it has ended, or has been given its time."""
        for line in _opening(program):
            self._terminal.send_line(line)
        heard = _Heard()
        current: _Heard | None = None
        is_closing = False
        start = last = self._server.now()
        while True:
            lines = self._terminal.lines(0.1)
            now = self._server.now()
            if lines:
                last = now
            for line in lines:
                if not line.startswith(MARK):
                    if current is not None:
                        current.output.append(line)
                    continue
                key, step = _key(line)
                if key != program.key:
                    continue
                current = _note(line, step, heard)
                if step == "z":
                    # What it used before it suspended says nothing of the rest.
                    return evolve(_answer(heard), ticks=None)
            is_over = heard.answer is not None or (
                program.is_unguarded and now - start > SETTLE_S
            )
            if is_closing:
                if now - last > SILENCE_S:
                    raise LinkClosedError("silent")
            elif is_over or now - last > _ABORTED_S:
                is_closing, last = True, now
                for line in _closing(program):
                    self._terminal.send_line(line)


def _commands(program: Program) -> list[str]:
    if program.is_plain:
        return [f"x {program.key} {program.code}"]
    return [*_opening(program), *_closing(program)]


def _opening(program: Program) -> list[str]:
    lines = [f"c {program.key}.c"]
    if program.setup:
        lines.append(f"n {program.key}.s {program.setup}")
    verb = "u" if program.is_unguarded else "n"
    return [*lines, f"{verb} {program.key} {program.code}"]


def _closing(program: Program) -> list[str]:
    lines = [f"n {program.key}.p {program.after}"] if program.after else []
    # Twice, because the first may itself run out of a tiny allowance of ticks.
    return [*lines, f"c {program.key}.y", f"c {program.key}.z"]


def _key(line: str) -> tuple[str, str]:
    """Return whom a mark concerns: the program's key, and which step of it."""
    key = line[len(MARK) :].split(" ", 2)[1]
    if len(key) > 2 and key[-2] == "." and key[-1] in "cspyz":
        return key[:-2], key[-1]
    return key, ""


def _note(line: str, step: str, heard: _Heard) -> _Heard | None:
    """Take in a mark; return whose output the lines after it are, if anyone's."""
    match line[len(MARK)]:
        case "B":
            # What the steps around the program print is output all the same.
            return heard
        case "T":
            if not step:
                heard.traceback = line.split(" ", 2)[2]
            return heard
        case "E":
            fields = line.split(" ", 4)
            if not step:
                ticks = int(fields[3]) if fields[3].lstrip("-").isdigit() else None
                heard.answer = Answer(fields[2], fields[4], ticks=ticks)
            elif step == "p":
                heard.after = fields[4]
    return None


def _answer(heard: _Heard) -> Answer:
    base = heard.answer or Answer("abort")
    is_raise = base.status == "raise"
    return Answer(
        base.status,
        base.value,
        heard.traceback if is_raise else None,
        tuple(heard.output),
        base.ticks,
        heard.after,
    )


def run_programs(
    programs: Iterable[Program], database: bytes, bench: Workbench
) -> Iterator[tuple[Program, Answer, float]]:
    """Run programs on a server, and start it again where one of them ends it.

    The answer to such a program is `LOST`.  The third is the seconds it took, of
    the server's time.
    """
    todo = deque(programs)
    losses = 0
    # Many are under way when a server is lost.  Which of them did it is found out by
    # running that many one by one.
    suspects = 0
    while todo:
        player = todo[0].player
        part = [program for program in todo if program.player == player]
        if suspects:
            part = part[:1]
        server = bench.server(database)
        last = server.now()
        session: ProgramSession | None = None
        try:
            session = ProgramSession(server, player)
            for program, answer in session.run(part):
                todo.remove(program)
                part.remove(program)
                suspects = max(0, suspects - 1)
                now = server.now()
                yield program, answer, now - last
                last = now
        except LinkClosedError:
            losses += 1
            if not bench.launcher.can_restart:
                raise ServerUnusableError(
                    f"the server was lost at {part[0].title}, or shortly after, and is "
                    "not ours to start"
                ) from None
            if losses > _MAX_LOSSES:
                raise ServerUnusableError(
                    f"the server was lost {losses} times, last at {part[0].title}"
                ) from None
            bench.discard()
            if suspects or part[0].takes_time:
                todo.remove(part[0])
                suspects = max(0, suspects - 1)
                yield part[0], LOST, server.now() - last
            else:
                suspects = _IN_FLIGHT
        finally:
            if session is not None:
                session.close()
