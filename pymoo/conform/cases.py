"""What a case, an answer and a verdict are, whatever file a case came from.

Readers make cases and suites; runners make results; reports read results.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from attrs import define, field, frozen

from pymoo.errors import PymooError

if TYPE_CHECKING:
    from pymoo.conform.workbench import Workbench

PARTS: Final = ("value", "error", "traceback", "output", "ticks")
"""What is compared, in the order of the columns of a report."""


class CaseError(PymooError):
    """A file of cases cannot be used; the text names file, place and remedy."""


@frozen
class Answer:
    """What a server did with a program.

    ``status`` is ``ok`` (it returned ``value``), ``raise`` (``value`` is
    ``{code, message, value}``), ``compile`` (``value`` is the list of messages),
    or ``abort`` (the task ended, and nothing was returned).  Values are literals.
    """

    status: str
    value: str | None = None
    traceback: str | None = None
    output: tuple[str, ...] = ()
    ticks: int | None = None
    # What the program that looks at the consequences returned.
    after: str | None = None


LOST: Final = Answer("lost")
"""The server died, hung up or fell silent on this program."""


@define(eq=False)
class Case:
    """One question to a server; subclasses say how it is put."""

    group: str
    name: str

    @property
    def title(self) -> str:
        """What ``-k`` searches, and how a report calls the case."""
        return f"{self.group}/{self.name}"


@frozen
class Difference:
    """One part of an answer that is not as recorded."""

    part: str
    expected: str
    found: str


@frozen(eq=False)
class Result:
    """What became of one case.

    ``checked`` are the parts that were compared.  ``skipped`` is the reason why
    the case was not put to this server; "" if it was.
    """

    case: Case
    checked: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    skipped: str = ""
    seconds: float = 0.0
    # What the server said, as the case's own format has it; for recording.
    answer: object = None

    @property
    def passed(self) -> bool:
        return not self.skipped and not self.differences


@frozen(eq=False)
class Job:
    """Cases that one worker runs one after the other on one server."""

    suite: Suite
    cases: tuple[Case, ...]


class Suite(Protocol):
    """Cases that share a format, a database and a way of being run."""

    @property
    def name(self) -> str:
        """What the user called it: a file or folder."""

    @property
    def cases(self) -> Sequence[Case]:
        """All cases, in the order of their files."""

    @property
    def answered_by(self) -> str:
        """The server whose answers are in the cases, as far as known."""

    def jobs(self, cases: Sequence[Case]) -> list[Job]:
        """Return the chosen cases in parts that may run at the same time."""

    def run(self, job: Job, bench: Workbench) -> Iterator[Result]:
        """Put the cases to a server; there is one result for each."""


@define
class Comparison:
    """Collects what was compared, and what differed."""

    checked: list[str] = field(factory=list)
    differences: list[Difference] = field(factory=list)

    def part(self, part: str, expected: object, found: object) -> None:
        """Note that ``part`` was compared by equality."""
        self.verdict(part, expected == found, expected, found)

    def verdict(self, part: str, holds: bool, expected: object, found: object) -> None:
        """Note that ``part`` was compared, and with which outcome."""
        if part not in self.checked:
            self.checked.append(part)
        if not holds:
            self.differences.append(Difference(part, shown(expected), shown(found)))


def shown(something: object) -> str:
    """Return how a report shows one side of a difference."""
    if isinstance(something, str):
        return something
    if isinstance(something, (tuple, list)):
        return "\n".join(map(shown, something)) if something else "(no lines)"
    return "(nothing)" if something is None else str(something)


def compare(expected: Answer, found: Answer, comparison: Comparison) -> None:
    """Compare what a program did with what is recorded, part by part.

    Ticks are compared where both are known: what a task used cannot be measured
    when it suspended or was not handled.
    """
    if expected.status == "raise":
        comparison.verdict(
            "error",
            (expected.status, expected.value) == (found.status, found.value),
            _outcome(expected),
            _outcome(found),
        )
    else:
        comparison.verdict(
            "value",
            (expected.status, expected.value) == (found.status, found.value),
            _outcome(expected),
            _outcome(found),
        )
    if expected.after is not None:
        comparison.part("value", f"afterwards {expected.after}", _after(found))
    if expected.traceback is not None:
        comparison.part("traceback", expected.traceback, found.traceback)
    if expected.output or found.output:
        comparison.part("output", expected.output, found.output)
    if expected.ticks is not None:
        comparison.part("ticks", expected.ticks, found.ticks)


def _outcome(answer: Answer) -> str:
    """Return status and value in words a MOO programmer knows."""
    match answer.status:
        case "ok":
            return f"=> {answer.value}"
        case "raise":
            return f"raised {answer.value}"
        case "compile":
            return f"does not compile: {answer.value}"
        case "abort":
            return "returned nothing: the task ended"
        case _:
            return "no answer: the server died or fell silent"


def _after(answer: Answer) -> str:
    return "nothing" if answer.after is None else f"afterwards {answer.after}"
