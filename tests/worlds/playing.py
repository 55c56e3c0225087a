"""Sessions with a world, as text: who types what, and what everybody then sees.

    // A comment.
    anna> say hello
    anna: You say, "hello"
    bob: Anna says, "hello"
    (3 seconds)
    anna: It is later.

A name that is new is a new connection; what it is shown before anything is typed
belongs to a line ``NAME>`` of its own.  After each line of input, or passage of time,
stand the lines that came, those of the connections in the order in which they were
made; ``NAME: ...`` stands for any number of lines, none included.  ``NAME: *closed*``
is the end of a connection.  Nothing in here knows which server it is played to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from attrs import define, field

CLOSED: Final = "*closed*"
_INPUT: Final = re.compile(r"(\w+)>(?: (.*))?")
_OUTPUT: Final = re.compile(r"(\w+): ?(.*)")
_TIME: Final = re.compile(r"\((\d+) seconds?\)")


@define
class Step:
    """Something that is typed, or time that passes, and what is seen then."""

    line: int
    who: str | None  # None for time
    text: str | None  # what is typed; None for a connection that is made
    seconds: int = 0
    expected: dict[str, list[str]] = field(factory=dict)


class Stage(Protocol):
    """A server to play to."""

    def connect(self, who: str) -> None: ...

    def send(self, who: str, line: str) -> None: ...

    def advance(self, seconds: int) -> None: ...

    def take(self) -> dict[str, list[str]]:
        """Return what has been seen since the last time, by connection."""


def read_session(path: Path) -> list[Step]:
    """Return the steps of a session."""
    steps: list[Step] = []
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        if not line or line.startswith("//"):
            continue
        if match := _INPUT.fullmatch(line):
            steps.append(Step(number, match[1], match[2]))
        elif match := _TIME.fullmatch(line):
            steps.append(Step(number, None, None, int(match[1])))
        else:
            match = _OUTPUT.fullmatch(line)
            assert match is not None, f"{path}:{number}: what is {line}?"
            assert steps, f"{path}:{number}: nothing has been typed yet"
            steps[-1].expected.setdefault(match[1], []).append(match[2])
    return steps


def play(
    steps: list[Step], stage: Stage
) -> Iterator[tuple[Step, dict[str, list[str]]]]:
    """Take the steps, and yield each with what was seen then."""
    for step in steps:
        if step.who is None:
            stage.advance(step.seconds)
        elif step.text is None:
            stage.connect(step.who)
        else:
            stage.send(step.who, step.text)
        yield step, {who: lines for who, lines in stage.take().items() if lines}


def fits(expected: dict[str, list[str]], seen: dict[str, list[str]]) -> bool:
    """Whether what was seen is what was expected."""
    return all(
        _lines_fit(expected.get(who, []), seen.get(who, []))
        for who in {*expected, *seen}
    )


def _lines_fit(expected: list[str], seen: list[str]) -> bool:
    pattern = "".join(
        r"(?:.*\n)*" if line == "..." else re.escape(line) + r"\n" for line in expected
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in seen)) is not None


def shown(step: Step, seen: dict[str, list[str]]) -> str:
    """Return a step with what was seen, as it stands in a session."""
    if step.who is None:
        head = f"({step.seconds} second{'' if step.seconds == 1 else 's'})"
    else:
        head = f"{step.who}>" if step.text is None else f"{step.who}> {step.text}"
    lines = [f"{who}: {line}".rstrip() for who in seen for line in seen[who]]
    return "\n".join([head, *lines])
