"""The project's own cases as a suite: which of them run together, and how."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from attrs import define

from pymoo.conform.cases import (
    LOST,
    Answer,
    Case,
    CaseError,
    Comparison,
    Difference,
    Job,
    Result,
    compare,
)
from pymoo.conform.database import database
from pymoo.conform.own import (
    OwnProgram,
    Script,
    Topic,
    read_topic,
    without_our_frames,
)
from pymoo.conform.programs import run_programs
from pymoo.conform.scripts import run_script
from pymoo.conform.servers import LinkClosedError, ServerUnusableError
from pymoo.conform.workbench import Workbench

# How many cases a job holds: quick programs, those that take time, scripts.
_QUICK: Final = 250
_SLOW: Final = 4
_SCRIPTS: Final = 4
NOT_RECORDED: Final = "(no answer is recorded)"


@define(eq=False)
class OwnSuite:
    """The cases of one file, or of all files below a folder."""

    name: str
    topics: list[Topic]

    @property
    def cases(self) -> Sequence[Case]:
        return [case for topic in self.topics for case in topic.cases]

    @property
    def answered_by(self) -> str:
        """The servers that answered, each once."""
        return ", ".join(
            dict.fromkeys(t.answered_by for t in self.topics if t.answered_by)
        )

    def jobs(self, cases: Sequence[Case]) -> list[Job]:
        programs = [case for case in cases if isinstance(case, OwnProgram)]
        slow = [program for program in programs if program.takes_time]
        quick = [program for program in programs if not program.takes_time]
        # A player's programs follow one another, for each needs its login.
        quick.sort(key=lambda program: program.player)
        scripts = [case for case in cases if isinstance(case, Script)]
        parts: tuple[tuple[Sequence[Case], int], ...] = (
            (slow, _SLOW),
            (scripts, _SCRIPTS),
            (quick, _QUICK),
        )
        return [
            Job(self, tuple(part[i : i + size]))
            for part, size in parts
            for i in range(0, len(part), size)
        ]

    def run(self, job: Job, bench: Workbench) -> Iterator[Result]:
        programs = [case for case in job.cases if isinstance(case, OwnProgram)]
        for program, raw, seconds in run_programs(programs, database("own"), bench):
            answer = without_our_frames(raw)
            comparison = Comparison()
            if program.expected is None:
                comparison.verdict("value", False, NOT_RECORDED, answer.value)
            else:
                compare(program.expected, answer, comparison)
            yield Result(
                program,
                tuple(comparison.checked),
                tuple(comparison.differences),
                seconds=seconds,
                answer=answer,
            )
        for case in job.cases:
            if isinstance(case, Script):
                yield _played(case, bench)


def _played(script: Script, bench: Workbench) -> Result:
    if not bench.launcher.can_restart and any("restart" in s for s in script.steps):
        return Result(script, skipped="the server is not ours to restart")
    server = bench.server(database("own"))
    try:
        result, is_clean = run_script(script, server)
    except LinkClosedError as error:
        if not bench.launcher.can_restart:
            raise ServerUnusableError(
                f"the server was lost at {script.title}, and is not ours to start"
            ) from error
        bench.discard()
        return Result(
            script,
            ("value",),
            (Difference("value", "an answer", f"no answer: {error}"),),
            answer=LOST,
        )
    if not is_clean:
        bench.discard()
    return result


def read_own(path: Path) -> OwnSuite:
    """Return the cases of one file, or of all files below a folder.

    Raises: CaseError.
    """
    if path.is_file():
        return OwnSuite(str(path), [read_topic(path, path.stem)])
    topics = [
        read_topic(file, file.relative_to(path).with_suffix("").as_posix())
        for file in sorted(path.rglob("*.yaml"))
    ]
    if not topics:
        raise CaseError(f"{path}: there are no *.yaml files here")
    return OwnSuite(str(path), topics)


def is_recordable(answer: object) -> bool:
    """Whether a server said something that can be written into a case."""
    return answer is not None and not (isinstance(answer, Answer) and answer == LOST)
