"""Runs cases of several steps, each on a connection of its own choosing.

The players ``wizard``, ``programmer`` and ``visitor`` are logged in when a step
first speaks as them; a step ``connect`` opens a connection that is not logged in.
After each step an out-of-band line asks the server to say when it has come so far:
what has arrived on that connection until then is the step's output.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from attrs import define, field

from pymoo.conform.cases import Answer, Comparison, Result, compare
from pymoo.conform.own import (
    PLAYERS,
    Row,
    Script,
    answer_of,
    is_yes,
    lines_of,
    one_line,
    without_our_frames,
)
from pymoo.conform.programs import MARK
from pymoo.conform.servers import (
    LineReader,
    LinkClosedError,
    RunningServer,
)

_MARK_TIMEOUT_S: Final = 30.0
_END_TIMEOUT_S: Final = 30.0
_QUIET_S: Final = 0.4
"""A connection that cannot answer marks is listened to until it is silent so long."""


class SceneError(Exception):
    """A step speaks on a connection that is not there."""


@define
class StepAnswer:
    """What one step brought."""

    answer: Answer | None = None
    output: tuple[str, ...] = ()
    received: bytes = b""
    was_closed: bool = False


@define(eq=False)
class _Terminal:
    reader: LineReader
    # Lines that have come since the last step that looked.
    unread: list[str] = field(factory=list)
    is_closed: bool = False


class Scene:
    """The connections of one case."""

    def __init__(self, server: RunningServer) -> None:
        self._server: Final = server
        self._terminals: dict[str, _Terminal] = {}
        self._marks = 0
        self.was_restarted = False

    # --- connections --------------------------------------------------------

    def terminal(self, name: str) -> _Terminal:
        """Return a connection; that of a player is made, and logged in, if needed.

        Raises: LinkClosedError, SceneError.
        """
        found = self._terminals.get(name)
        if found is None:
            if name not in PLAYERS:
                raise SceneError(f"there is no connection {name!r}, or no longer")
            found = self.open(name)
            found.reader.send_line(f"connect {name}")
            self._finish(found)
            found.unread.clear()
        return found

    def open(self, name: str) -> _Terminal:
        """Open a connection that is not logged in."""
        if name in self._terminals:
            self._terminals[name].reader.link.close()
        found = self._terminals[name] = _Terminal(LineReader(self._server.connect()))
        return found

    def close(self) -> bool:
        """Hang up everywhere, after setting the world back; whether that was done.

        Raises: LinkClosedError.
        """
        is_done = False
        try:
            if not self.was_restarted:
                # A new one: the old may hold its input, or wait in read().
                old = self._terminals.pop("wizard", None)
                if old is not None:
                    old.reader.link.close()
                wizard = self.terminal("wizard")
                # Twice: a tiny allowance of ticks may not be enough for the first.
                for key in ("scene.y", "scene.z"):
                    wizard.reader.send_line(f"c {key}")
                is_done = self._read_to(wizard, f"{MARK}C scene.z", _MARK_TIMEOUT_S)
        finally:
            for terminal in self._terminals.values():
                terminal.reader.link.close()
        return is_done

    # --- steps --------------------------------------------------------------

    def play(self, step: Row) -> StepAnswer:
        """Do what a step says; return what came of it.

        Raises: LinkClosedError, SceneError.
        """
        if "wait" in step:
            self._server.sleep(float(step["wait"]))
            return StepAnswer()
        if "restart" in step:
            self._server.restart()
            for terminal in self._terminals.values():
                terminal.reader.link.close()
            self._terminals.clear()
            self.was_restarted = True
            return StepAnswer()
        if "close" in step:
            terminal = self.terminal(step["close"])
            terminal.reader.link.close()
            del self._terminals[step["close"]]
            return StepAnswer()
        name = step.get("connect") or step.get("read") or step.get("as", "wizard")
        terminal = self.open(name) if "connect" in step else self.terminal(name)
        terminal.reader.received.clear()
        answer: Answer | None = None
        try:
            if "code" in step:
                answer = self._run_code(terminal, step)
            else:
                if "command" in step:
                    terminal.reader.send_line(step["command"])
                elif "send" in step:
                    terminal.reader.send_line(step["send"])
                elif "send bytes" in step:
                    terminal.reader.link.send(bytes.fromhex(step["send bytes"]))
                if is_yes(step, "quiet"):
                    self._listen(terminal)
                else:
                    self._finish(terminal)
        except LinkClosedError:
            terminal.is_closed = True
        output = tuple(terminal.unread)
        terminal.unread.clear()
        received = bytes(terminal.reader.received)
        if rest := terminal.reader.take_rest():
            output = (*output, rest)
        if terminal.is_closed:
            terminal.reader.link.close()
            del self._terminals[name]
        end = f"{MARK}C m{self._marks}\r\n".encode()
        return StepAnswer(
            answer, output, received.removesuffix(end), terminal.is_closed
        )

    def _run_code(self, terminal: _Terminal, step: Row) -> Answer:
        self._marks += 1
        key = f"s{self._marks}"
        verb = "u" if is_yes(step, "unguarded") else "n"
        terminal.reader.send_line(f"{verb} {key} {one_line(step['code'])}")
        end = f"{MARK}E {key} "
        try:
            if is_yes(step, "quiet"):
                self._read_to(terminal, end, _MARK_TIMEOUT_S)
                self._listen(terminal)
            else:
                self._finish(terminal)
            if is_yes(step, "takes time") and not _has(terminal.unread, end):
                self._read_to(terminal, end, _END_TIMEOUT_S)
        except LinkClosedError:
            # What it printed before counts; what it returned cannot be known.
            terminal.is_closed = True
        answer = Answer("abort")
        traceback: str | None = None
        lines: list[str] = []
        for line in terminal.unread:
            if line.startswith(end):
                _, _, status, _, value = line.split(" ", 4)
                answer = Answer(status, value, traceback)
            elif line.startswith(f"{MARK}T {key} "):
                traceback = line.split(" ", 2)[2]
            elif not line.startswith(MARK):
                lines.append(line)
        terminal.unread[:] = lines
        return answer

    def _finish(self, terminal: _Terminal) -> None:
        """Take in what comes until the server has dealt with everything sent."""
        self._marks += 1
        terminal.reader.send_line(f"#$#mark m{self._marks}")
        mark = f"{MARK}C m{self._marks}"
        deadline = self._server.now() + _MARK_TIMEOUT_S
        while self._server.now() < deadline:
            for line in terminal.reader.lines(0.1):
                # What was sent without a line end stands before the mark.
                text = line.removesuffix(mark)
                is_end = line.endswith(mark)
                if text or not is_end:
                    terminal.unread.append(text)
                if is_end:
                    return

    def _read_to(self, terminal: _Terminal, start: str, timeout_s: float) -> bool:
        """Take in lines until one begins with ``start``; False after ``timeout_s``."""
        deadline = self._server.now() + timeout_s
        while self._server.now() < deadline:
            lines = terminal.reader.lines(0.1)
            terminal.unread += lines
            if _has(lines, start):
                return True
        return False

    def _listen(self, terminal: _Terminal) -> None:
        last = self._server.now()
        while self._server.now() - last < _QUIET_S:
            before = len(terminal.reader.received)
            terminal.unread += terminal.reader.lines(0.1)
            if len(terminal.reader.received) != before:
                last = self._server.now()


def _has(lines: Iterable[str], start: str) -> bool:
    return any(line.startswith(start) for line in lines)


def run_script(script: Script, server: RunningServer) -> tuple[Result, bool]:
    """Play a case, and compare each step with what is recorded.

    ``Result.answer`` is the list of `StepAnswer`; None if a step could not be done.
    The second is whether the world has been set back: otherwise nothing else should
    run on this server.

    Raises: LinkClosedError when the server was lost.
    """
    start = server.now()
    scene = Scene(server)
    comparison = Comparison()
    answers: list[StepAnswer] | None = []
    for number, step in enumerate(script.steps, 1):
        try:
            found = scene.play(step)
        except SceneError as error:
            comparison.verdict(
                "value", False, f"step {number}: can be done", f"step {number}: {error}"
            )
            answers = None
            break
        assert answers is not None
        answers.append(found)
        _compare_step(number, step, found, comparison)
    is_clean = scene.close()
    result = Result(
        script,
        tuple(comparison.checked),
        tuple(comparison.differences),
        seconds=server.now() - start,
        answer=answers,
    )
    return result, is_clean


def step_answer(found: StepAnswer) -> Answer | None:
    """Return what a step's program answered, without our own verbs."""
    if found.answer is None:
        return None
    base = found.answer
    return without_our_frames(
        Answer(base.status, base.value, base.traceback, found.output)
    )


def _compare_step(
    number: int, step: Row, found: StepAnswer, comparison: Comparison
) -> None:
    nowhere = Path(f"step {number}")
    inner = Comparison()
    answer = step_answer(found)
    if answer is not None:
        expected = answer_of(step, nowhere)
        if expected is None:
            inner.verdict("value", False, "(no answer is recorded)", answer.value)
        else:
            compare(expected, answer, inner)
    elif "bytes" not in step:
        recorded = lines_of(step, "output", nowhere)
        if recorded or found.output:
            inner.part("output", recorded, found.output)
    if "bytes" in step:
        inner.part("output", step["bytes"], found.received.hex(" "))
    if is_yes(step, "closed") or found.was_closed:
        inner.part(
            "output",
            "closed" if is_yes(step, "closed") else "open",
            "closed" if found.was_closed else "open",
        )
    comparison.checked += [p for p in inner.checked if p not in comparison.checked]
    for difference in inner.differences:
        comparison.verdict(
            difference.part,
            False,
            f"step {number}: {difference.expected}",
            f"step {number}: {difference.found}",
        )
