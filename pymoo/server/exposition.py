"""Figures in the text format that Prometheus reads, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf, isnan
from typing import Final

from attrs import frozen

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"

Labels = tuple[tuple[str, str], ...]


@frozen
class Sample:
    """One figure of a family."""

    value: float
    labels: Labels = ()
    suffix: str = ""  # of the name, as the samples of a histogram have it


@frozen
class Family:
    """Figures of one name."""

    name: str
    kind: str
    help: str
    samples: tuple[Sample, ...]


def exposition(families: Iterable[Family]) -> str:
    """Return the text of families of figures."""
    return "".join(line for family in families for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    help_ = family.help.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {family.name} {help_}\n"
    yield f"# TYPE {family.name} {family.kind}\n"
    for sample in family.samples:
        labels = ",".join(f'{name}="{_escaped(text)}"' for name, text in sample.labels)
        place = f"{{{labels}}}" if labels else ""
        yield f"{family.name}{sample.suffix}{place} {number_text(sample.value)}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def number_text(number: float) -> str:
    """Return a number as the format writes it."""
    if isnan(number):
        return "NaN"
    if number in (inf, -inf):
        return "+Inf" if number > 0 else "-Inf"
    return repr(number)
