"""What became of the cases: a table, the failures, JSON, JUnit."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from attrs import define, field

from pymoo.conform.cases import PARTS, Result

_MAX_SHOWN: Final = 600
_NOT_XML: Final = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]")


@define
class Tally:
    """How many of something there were, and how many were right."""

    right: int = 0
    of: int = 0

    def add(self, is_right: bool) -> None:
        self.of += 1
        self.right += is_right

    def __str__(self) -> str:
        return f"{self.right}/{self.of}" if self.of else "-"


@define
class GroupTally:
    """The figures of one group of cases, or of all."""

    passed: Tally = field(factory=Tally)
    skipped: int = 0
    parts: dict[str, Tally] = field(factory=lambda: {part: Tally() for part in PARTS})

    def add(self, result: Result) -> None:
        if result.skipped:
            self.skipped += 1
            return
        self.passed.add(result.passed)
        wrong = {difference.part for difference in result.differences}
        for part in result.checked:
            self.parts[part].add(part not in wrong)

    def row(self) -> list[str]:
        return [
            str(self.passed),
            *(str(self.parts[part]) for part in PARTS),
            str(self.skipped or "-"),
        ]


@define
class Report:
    """All results of a run."""

    server: str
    answered_by: str
    results: list[Result]
    seconds: float

    @property
    def failures(self) -> list[Result]:
        return [r for r in self.results if not r.passed and not r.skipped]

    @property
    def passed(self) -> int:
        return sum(result.passed for result in self.results)

    @property
    def skipped(self) -> int:
        return sum(bool(result.skipped) for result in self.results)

    def groups(self) -> dict[str, GroupTally]:
        """Return the figures by group, in the order of the groups' names."""
        found: dict[str, GroupTally] = {}
        for result in sorted(self.results, key=lambda r: r.case.group):
            found.setdefault(result.case.group, GroupTally()).add(result)
        return found

    def total(self) -> GroupTally:
        total = GroupTally()
        for result in self.results:
            total.add(result)
        return total

    # --- as text ------------------------------------------------------------

    def table(self) -> str:
        """Return a line for each group, and one for all."""
        head = ["", "passed", *PARTS, "skipped"]
        rows = [[name, *tally.row()] for name, tally in self.groups().items()]
        rows.append(["all", *self.total().row()])
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if place else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in (head, *rows)
        )

    def failure_text(self, result: Result) -> str:
        """Return what to know about one failure."""
        lines = [f"FAIL {result.case.title}"]
        code = getattr(result.case, "code", "")
        if code:
            lines.append(f"  code      {_short(code)}")
        for difference in result.differences:
            lines.append(f"  {difference.part}")
            lines.append(f"    recorded  {_short(difference.expected)}")
            lines.append(f"    theirs    {_short(difference.found)}")
        return "\n".join(lines)

    def summary(self) -> str:
        """Return the last line of a run."""
        parts = [f"{self.passed} passed", f"{len(self.failures)} failed"]
        if self.skipped:
            parts.append(f"{self.skipped} skipped")
        asked = f"{self.server}, {self.seconds:.1f} s"
        recorded = f"; answered by {self.answered_by}" if self.answered_by else ""
        return f"{', '.join(parts)} ({asked}{recorded})"

    # --- as files -----------------------------------------------------------

    def json(self) -> dict[str, Any]:
        """Return everything but the answers that were right."""
        return {
            "server": self.server,
            "answered by": self.answered_by,
            "seconds": round(self.seconds, 2),
            "passed": self.passed,
            "failed": len(self.failures),
            "skipped": self.skipped,
            "groups": {
                name: {
                    "passed": tally.passed.right,
                    "of": tally.passed.of,
                    "skipped": tally.skipped,
                    "parts": {
                        part: [found.right, found.of]
                        for part, found in tally.parts.items()
                        if found.of
                    },
                }
                for name, tally in self.groups().items()
            },
            "failures": [
                {
                    "case": result.case.title,
                    "differences": [
                        {
                            "part": difference.part,
                            "recorded": difference.expected,
                            "theirs": difference.found,
                        }
                        for difference in result.differences
                    ],
                }
                for result in self.failures
            ],
            "not put": [
                {"case": result.case.title, "reason": result.skipped}
                for result in self.results
                if result.skipped
            ],
        }

    def write_json(self, path: Path) -> None:
        """Raises: OSError."""
        path.write_text(json.dumps(self.json(), indent=1) + "\n", "utf-8")

    def write_junit(self, path: Path) -> None:
        """Write what continuous integration reads.  Raises: OSError."""
        suite = ElementTree.Element(
            "testsuite",
            name="pymoo conform",
            tests=str(len(self.results)),
            failures=str(len(self.failures)),
            skipped=str(self.skipped),
            errors="0",
            time=f"{self.seconds:.3f}",
        )
        for result in self.results:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=_xml(result.case.group),
                name=_xml(result.case.name),
                time=f"{result.seconds:.3f}",
            )
            if result.skipped:
                ElementTree.SubElement(case, "skipped", message=_xml(result.skipped))
            elif not result.passed:
                parts = ", ".join(d.part for d in result.differences)
                failure = ElementTree.SubElement(case, "failure", message=parts)
                failure.text = _xml(self.failure_text(result))
        ElementTree.ElementTree(suite).write(
            path, encoding="utf-8", xml_declaration=True
        )


def _short(text: str) -> str:
    if len(text) > _MAX_SHOWN:
        text = f"{text[:_MAX_SHOWN]} ... ({len(text)} characters)"
    return text.replace("\n", "\n              ")


def _xml(text: str) -> str:
    """Return text with what XML cannot hold shown as escapes."""
    return _NOT_XML.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
