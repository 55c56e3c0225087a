"""What was measured: as JSON, and as a table."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from attrs import asdict, define, fields, frozen

from pymoo import __version__
from pymoo.bench.cases import BenchError, Tier, Unit

FORMAT: Final = 1
"""The version of the JSON; one that means something else gets another number."""


@frozen
class Figure:
    """The samples of one case in one tier, in seconds or bytes per unit."""

    group: str
    name: str
    tier: str  # "" where tiers make no difference
    unit: str
    per: str
    samples: tuple[float, ...]

    @property
    def id(self) -> str:
        """The name of its case."""
        return f"{self.group}/{self.name}"

    @property
    def least(self) -> float:
        """The least of its samples: what the machine disturbed least."""
        return min(self.samples)

    @property
    def median(self) -> float:
        return median(self.samples)


@frozen
class Conditions:
    """Under which figures hold."""

    date: str
    pymoo: str
    python: str
    implementation: str
    system: str
    cpu: str
    database: str
    digest: str  # of the database
    dialect: str


def conditions_now(database: str, digest: str, dialect: str) -> Conditions:
    """Return those of this process and machine."""
    return Conditions(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        pymoo=__version__,
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        system=platform.platform(terse=True),
        cpu=_cpu_name(),
        database=database,
        digest=digest,
        dialect=dialect,
    )


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as stream:
            for line in stream:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    return value.strip()
    except OSError:
        pass  # another system than Linux
    return platform.processor() or platform.machine()


@define
class Report:
    """One run."""

    conditions: Conditions
    figures: list[Figure]

    # --- JSON -------------------------------------------------------------

    def json(self) -> str:
        """Return all of it as JSON."""
        content = {
            "pymoo bench": FORMAT,
            "conditions": asdict(self.conditions),
            "figures": [
                {**asdict(figure), "least": figure.least, "median": figure.median}
                for figure in self.figures
            ],
        }
        return json.dumps(content, indent=1) + "\n"

    @classmethod
    def read(cls, path: Path) -> Report:
        """Read a report.  Raises: BenchError for a file that is none."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise BenchError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise BenchError(f"{path}: is not JSON: {error}") from error
        if not isinstance(content, dict) or content.get("pymoo bench") != FORMAT:
            raise BenchError(
                f"{path}: is no report of format {FORMAT}: make it with "
                "pymoo bench --json FILE"
            )
        try:
            conditions = _texts(content["conditions"], fields(Conditions))
            if not isinstance(content["figures"], list):
                raise ValueError("its figures are no list")
            figures = [_figure(each) for each in content["figures"]]
            if len({(each.id, each.tier) for each in figures}) < len(figures):
                raise ValueError("a figure that is there twice")
            return cls(Conditions(**conditions), figures)
        except KeyError as error:
            raise BenchError(f"{path}: is a damaged report: {error} is missing") from (
                error
            )
        except (TypeError, ValueError, OverflowError) as error:
            raise BenchError(f"{path}: is a damaged report: {error}") from error

    # --- the table --------------------------------------------------------

    def table(self) -> str:
        """Return the medians as a table: a line for each case, a column per tier."""
        tiers: list[str] = [
            tier for tier in Tier if any(f.tier == tier for f in self.figures)
        ]
        found = {(figure.id, figure.tier): figure for figure in self.figures}
        # What is the same in all tiers stands in the first column.
        columns = tiers or [""]
        rows: list[Row] = []
        group = ""
        for figure in {figure.id: figure for figure in self.figures}.values():
            if figure.group != group:
                group = figure.group
                rows += [(), (group, *(columns if figure.tier else [""]))]
            cells = (
                [_cell(found.get((figure.id, tier))) for tier in columns]
                if figure.tier
                else [_cell(figure), *[""] * (len(columns) - 1)]
            )
            rows.append((f"  {figure.name}", *cells, f"per {figure.per}"))
        return table(rows, (0, 1 + len(columns)))

    def heading(self) -> str:
        """Return what the figures hold for, in two lines."""
        c = self.conditions
        return (
            f"pymoo {c.pymoo}, {c.implementation} {c.python}, {c.cpu or c.system}\n"
            f"{c.database}, dialect {c.dialect}; medians of CPU time and of memory"
        )


def _texts(content: Mapping[str, Any], of: Iterable[Any]) -> dict[str, str]:
    """Return the texts of some attributes."""
    return {each.name: str(content[each.name]) for each in of}


def _figure(content: Mapping[str, Any]) -> Figure:
    texts = _texts(content, [each for each in fields(Figure) if each.name != "samples"])
    samples = content["samples"]
    if not isinstance(samples, list) or not samples:
        raise ValueError("a figure without samples")
    for sample in samples:
        if type(sample) not in (int, float) or not math.isfinite(sample):
            raise ValueError(f"a sample {json.dumps(sample)}, which is no number")
        if sample < 0 and texts["unit"] == Unit.SECONDS:
            raise ValueError(f"a sample of {sample} seconds")
    return Figure(**texts, samples=tuple(map(float, samples)))


Row = tuple[str, ...]

_SECONDS: Final = ((1e-6, 1e9, "ns"), (1e-3, 1e6, "µs"), (1.0, 1e3, "ms"))
_BYTES: Final = ((1e3, 1.0, "B"), (1e6, 1e-3, "kB"))


def amount(value: float, unit: str) -> str:
    """Return a figure as people read it: three digits and a unit."""
    scales, factor, name = (
        (_SECONDS, 1.0, "s") if unit == Unit.SECONDS else (_BYTES, 1e-6, "MB")
    )
    for below, its_factor, its_name in scales:
        if abs(value) < below:
            factor, name = its_factor, its_name
            break
    number = value * factor
    digits = 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2
    return f"{number:.{digits}f} {name}"


def _cell(figure: Figure | None) -> str:
    return "-" if figure is None else amount(figure.median, figure.unit)


def table(rows: Iterable[Row], texts: Collection[int] = (0,)) -> str:
    """Return rows as text; what is in the columns ``texts`` stands to the left."""
    rows = list(rows)
    widths: list[int] = []
    for row in rows:
        widths += [0] * (len(row) - len(widths))
        for place, cell in enumerate(row):
            widths[place] = max(widths[place], len(cell))
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if place in texts else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
