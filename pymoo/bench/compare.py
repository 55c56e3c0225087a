"""Two reports side by side: what has become faster, and what slower."""

from __future__ import annotations

import math
from typing import Final

from attrs import asdict, frozen

from pymoo.bench.cases import BenchError
from pymoo.bench.report import Figure, Report, Row, amount, table

_OF_THE_RUN: Final = ("date",)  # conditions that always differ


@frozen
class Pair:
    """One case in one tier, before and after.

    What is compared is the least of the samples, which other work on the machine
    disturbs least.
    """

    old: Figure
    new: Figure

    @property
    def name(self) -> str:
        """The name of its case, and the tier if there are several."""
        return _name(self.new)

    @property
    def ratio(self) -> float | None:
        """How many times as much it costs now; None where there is no ratio."""
        if self.old.least <= 0 or self.new.least <= 0:
            return None  # memory that was there already
        return self.new.least / self.old.least


@frozen
class Comparison:
    """All pairs of two reports, and what only one of them has."""

    pairs: list[Pair]
    only_old: list[Figure]
    only_new: list[Figure]
    changes: list[str]  # of the conditions

    def means(self) -> dict[tuple[str, str], float]:
        """Return the geometric mean of the ratios, per group and tier."""
        ratios: dict[tuple[str, str], list[float]] = {}
        for pair in self.pairs:
            if pair.ratio is not None:
                key = (pair.new.group, pair.new.tier)
                ratios.setdefault(key, []).append(pair.ratio)
        return {key: geometric_mean(values) for key, values in ratios.items()}

    def regressions(self, percent: float) -> list[Pair]:
        """Return what costs more than so many percent more than before."""
        limit = 1 + percent / 100
        return [p for p in self.pairs if p.ratio is not None and p.ratio > limit]

    def text(self) -> str:
        """Return all of it as a table."""
        rows: list[Row] = [("case", "tier", "old", "new", "new/old")]
        group = ""
        means = self.means()
        for pair in self.pairs:
            new = pair.new
            if new.group != group:
                group = new.group
                rows += [(), (group,)]
                rows += [
                    ("  geometric mean", tier, "", "", f"{mean:.2f}")
                    for (its_group, tier), mean in means.items()
                    if its_group == group
                ]
            ratio = "-" if pair.ratio is None else f"{pair.ratio:.2f}"
            rows.append(
                (
                    f"  {new.name}",
                    new.tier,
                    amount(pair.old.least, new.unit),
                    amount(new.least, new.unit),
                    ratio,
                )
            )
        parts = [*self.changes, table(rows, (0, 1))]
        for title, figures in (("old", self.only_old), ("new", self.only_new)):
            if figures:
                names = ", ".join(_name(figure) for figure in figures)
                parts.append(f"\nonly in the {title} report: {names}")
        return "\n".join(parts)


def geometric_mean(values: list[float]) -> float:
    """Return the mean under which twice and half as much make one."""
    return math.exp(sum(map(math.log, values)) / len(values))


def _name(figure: Figure) -> str:
    return f"{figure.id} {figure.tier}".rstrip()


def _why(old: Report, new: Report) -> str:
    """Say so if it is the tiers that differ."""
    if {each.id for each in old.figures}.isdisjoint(each.id for each in new.figures):
        return ""
    before, after = (
        ", ".join(sorted({each.tier for each in report.figures}))
        for report in (old, new)
    )
    return (
        f": the tier of the old one is {before}, of the new one {after}. "
        "`pymoo bench --tier both` shows both in one table"
    )


def compare(old: Report, new: Report) -> Comparison:
    """Put two reports side by side.

    Raises: BenchError if they have no case in common, or another unit for one.
    """
    before = {(figure.id, figure.tier): figure for figure in old.figures}
    after = {(figure.id, figure.tier): figure for figure in new.figures}
    pairs = [Pair(before[key], after[key]) for key in after if key in before]
    if not pairs:
        raise BenchError(f"the two reports have no case in common{_why(old, new)}")
    for pair in pairs:
        if (pair.old.unit, pair.old.per) != (pair.new.unit, pair.new.per):
            raise BenchError(
                f"{pair.name}: the old report counts {pair.old.unit} per "
                f"{pair.old.per}, the new one {pair.new.unit} per {pair.new.per}"
            )
    were, are = asdict(old.conditions), asdict(new.conditions)
    return Comparison(
        pairs,
        [figure for key, figure in before.items() if key not in after],
        [figure for key, figure in after.items() if key not in before],
        [
            f"{name}: {were[name]} -> {are[name]}"
            for name in were
            if name not in _OF_THE_RUN and were[name] != are[name]
        ],
    )
