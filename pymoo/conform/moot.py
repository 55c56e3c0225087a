"""mooR's ``.moot`` files: read as they are, and run over a connection.

A file is one test on one fresh server; each of its blocks is a case here, called by
the line where it begins.  Blocks depend on those before them.

Files that look at raw lines (``=``) or run programs in the background (``&``) go
through the room's ``eval`` verb, line by line; all others through an out-of-band
command of the database, which nothing that a file does to rooms, verbs and output
can disturb.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from attrs import define, field

from pymoo.conform.cases import (
    Case,
    CaseError,
    Comparison,
    Difference,
    Job,
    Result,
)
from pymoo.conform.database import database
from pymoo.conform.literals import parse_string
from pymoo.conform.servers import (
    LineReader,
    LinkClosedError,
    RunningServer,
    ServerUnusableError,
)
from pymoo.conform.workbench import Workbench

PLAYERS: Final = {"wizard": "#3", "programmer": "#4", "nonprogrammer": "#5"}
NO_SUCH_COMMAND: Final = "I couldn't understand that."
_TIMEOUT_S: Final = 10.0
_ERROR: Final = re.compile(r"E_[A-Z]+")
_OLD_TYPE: Final = re.compile(r"\bTYPE_(INT|NUM|OBJ|STR|ERR|LIST|FLOAT)\b")


@define
class Expectation:
    """What ought to come: a raw line, or an expression for a value."""

    text: str
    is_verbatim: bool


@define(eq=False)
class Block(Case):
    """One program or command of a file; ``kind`` is its first character."""

    player: str
    kind: str
    code: str
    expectations: list[Expectation] = field(factory=list)


@define(eq=False)
class MootFile:
    path: Path
    blocks: list[Block]

    @property
    def is_raw(self) -> bool:
        """Whether lines matter, so that it goes through ``#2:eval``."""
        return any(
            block.kind == "&" or any(e.is_verbatim for e in block.expectations)
            for block in self.blocks
        )


def parse_moot(text: str, path: Path, group: str) -> MootFile:
    """Return the blocks of a file.

    Raises: CaseError.
    """
    blocks: list[Block] = []
    player = "wizard"
    # Whether program lines, and whether expectations, may follow.
    takes_code = takes_expectations = False
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        mark = line[:1]
        if not line.strip() or line.startswith("//"):
            takes_code = False
            # Blanks may stand before the first expectation, not between two.
            if blocks and blocks[-1].expectations:
                takes_expectations = False
        elif mark in (";", "%", "&"):
            code = line[1:].lstrip(" ")
            blocks.append(Block(group, f"line {number}", player, mark, code))
            takes_code = takes_expectations = True
        elif mark == "@":
            player = line[1:].strip()
            takes_code = takes_expectations = False
        elif mark == ">" and takes_code:
            blocks[-1].code += " " + line[1:]
        elif takes_expectations and mark != ">":
            takes_code = False
            if blocks[-1].kind == "&":
                raise CaseError(
                    f"{path}:{number}: what runs in the background (&) "
                    "has no expectations"
                )
            is_verbatim = mark == "="
            rest = line[1:] if is_verbatim else line.removeprefix("<").strip()
            blocks[-1].expectations.append(Expectation(rest, is_verbatim))
        else:
            raise CaseError(f"{path}:{number}: this line belongs to no block: {line}")
    return MootFile(path, blocks)


@define(eq=False)
class MootSuite:
    """All ``.moot`` files below a folder."""

    name: str
    files: list[MootFile]
    database: bytes
    answered_by: str = "mooR"

    @property
    def cases(self) -> Sequence[Case]:
        return [block for file in self.files for block in file.blocks]

    def jobs(self, cases: Sequence[Case]) -> list[Job]:
        # A file runs whole: its blocks build on each other.
        chosen = {id(case) for case in cases}
        return [
            Job(self, tuple(file.blocks))
            for file in self.files
            if any(id(block) in chosen for block in file.blocks)
        ]

    def run(self, job: Job, bench: Workbench) -> Iterator[Result]:
        blocks = [case for case in job.cases if isinstance(case, Block)]
        file = next(file for file in self.files if blocks[0] in file.blocks)
        stage: _Stage | None = None
        for block in blocks:
            comparison = Comparison()
            start = time.monotonic()
            try:
                if stage is None:
                    # What a file has built is gone after a loss; much is plain
                    # arithmetic, which goes on without it.
                    stage = _Stage(bench.server(self.database, fresh=True))
                    play = _RawPlay(stage).play if file.is_raw else stage.play
                play(block, comparison)
            except LinkClosedError as error:
                comparison.differences.append(
                    Difference(
                        "value", "an answer", f"the connection was lost: {error}"
                    )
                )
                stage = None
                bench.discard()
            yield Result(
                block,
                tuple(comparison.checked),
                tuple(comparison.differences),
                seconds=time.monotonic() - start,
            )
        if stage is not None:
            stage.close()


class _Stage:
    """The connections of the players, and the private way to run programs."""

    def __init__(self, server: RunningServer) -> None:
        self.server: Final = server
        self._readers: dict[str, LineReader] = {}
        self._tags = 0
        self._has_new_types = self.evaluate("wizard", "return TYPE_INT;")[0] != "2"

    def close(self) -> None:
        for reader in self._readers.values():
            reader.link.close()

    def reader(self, player: str) -> LineReader:
        """Return the connection of a player, which is made when first asked for."""
        if player not in PLAYERS:
            raise ServerUnusableError(f"there is no player {player!r} in .moot files")
        if player not in self._readers:
            reader = self._readers[player] = LineReader(self.server.connect())
            reader.send_line(f"connect {PLAYERS[player]}")
            self.evaluate(player, "")
        return self._readers[player]

    def adapted(self, code: str) -> str:
        """Return code with the names that older servers have for types."""
        return code if self._has_new_types else _OLD_TYPE.sub(r"\1", code)

    def evaluate(self, player: str, code: str) -> tuple[str, str]:
        """Return ``1`` and a literal, ``0`` and messages, ``2`` and an error."""
        return self.evaluate_seeing(player, code)[0]

    def evaluate_seeing(
        self, player: str, code: str
    ) -> tuple[tuple[str, str], list[str]]:
        """Return the outcome of a program, and the lines that came before it."""
        self._tags += 1
        start = f"#$#moot t{self._tags} "
        reader = self.reader(player)
        reader.send_line(f"{start}{code}")
        seen: list[str] = []
        deadline = self.server.now() + _TIMEOUT_S
        while self.server.now() < deadline:
            for line in reader.lines(0.1):
                if line.startswith(start):
                    status, _, value = line[len(start) :].partition(" ")
                    return (status, value), seen
                seen.append(line)
        return ("lost", "no answer"), seen

    def expected(self, player: str, expression: str) -> str | None:
        """Return the literal of an expectation; None if it has none here."""
        if _ERROR.fullmatch(expression):
            # Somebody who may not run programs may expect that very error.
            return expression
        code = f"return {self.adapted(expression)};"
        status, value = self.evaluate(player, code)
        return value if status == "1" else None

    def play(self, block: Block, comparison: Comparison) -> None:
        """Run a block of a file that does not look at raw lines."""
        if block.kind == "%":
            self._play_command(block, comparison)
            return
        status, value = self.evaluate(block.player, self.adapted(block.code))
        found = value if status in ("1", "2") else f"does not compile: {value}"
        if status == "lost":
            found = "no answer"
        wanted = [e.text for e in block.expectations] or ["0"]
        expected = self.expected(block.player, wanted[0])
        if expected is None:
            expected = f"(this server does not know {wanted[0]})"
        elif not block.expectations and status == "2":
            found = f"raised {value}"
        comparison.part("value", expected, found)

    def _play_command(self, block: Block, comparison: Comparison) -> None:
        self.reader(block.player).send_line(block.code)
        _, seen = self.evaluate_seeing(block.player, "")
        for expectation in block.expectations:
            expected = self.expected(block.player, expectation.text)
            found = seen[0] if seen else "(no line)"
            if expected == "E_VERBNF":
                expected = NO_SUCH_COMMAND
            elif expected is None:
                expected = f"(this server does not know {expectation.text})"
            elif expected.startswith('"'):
                expected = parse_string(expected)
            comparison.part("output", expected, found)


class _RawPlay:
    """Runs a file whose expectations are about the lines of a connection."""

    def __init__(self, stage: _Stage) -> None:
        self._stage: Final = stage
        self._pending: deque[str] = deque()

    def play(self, block: Block, comparison: Comparison) -> None:
        """Send a block; each of its expectations takes the next line."""
        reader = self._stage.reader(block.player)
        code = self._stage.adapted(block.code)
        reader.send_line(code if block.kind == "%" else f"; {code}")
        for expectation in block.expectations:
            line = self._next_line(reader)
            if expectation.is_verbatim:
                comparison.part("output", expectation.text, line)
            else:
                wanted = self._stage.expected(block.player, expectation.text)
                comparison.part("output", wanted, line)

    def _next_line(self, reader: LineReader) -> str:
        deadline = self._stage.server.now() + _TIMEOUT_S
        while not self._pending and self._stage.server.now() < deadline:
            self._pending += reader.lines(0.1)
        return self._pending.popleft() if self._pending else "(no line)"


def read_moot(path: Path, database_file: Path | None = None) -> MootSuite:
    """Return the blocks of one file, or of all files below a folder.

    Raises: CaseError.
    """
    folder = path if path.is_dir() else path.parent
    files = sorted(path.rglob("*.moot")) if path.is_dir() else [path]
    world = database_file.read_bytes() if database_file else database("moot")
    return MootSuite(
        str(path),
        [
            parse_moot(
                file.read_text("utf-8"),
                file,
                file.relative_to(folder).with_suffix("").as_posix(),
            )
            for file in files
        ],
        world,
    )
