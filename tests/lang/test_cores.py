"""Every program of the public cores."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from functools import cache

import pytest

from pymoo.errors import MooSyntaxError
from pymoo.lang.unparse import unparse
from tests.lang.programs import NUMBERS, parse
from tests.shared_material import SHARED, needs_shared

pytestmark = needs_shared

_HEADER = re.compile(r"#[0-9]+:[0-9]+")


@cache
def programs_of(core: str) -> dict[str, list[str]]:
    """Return the programs of a core's textdump as they stand there."""
    data = gzip.decompress((SHARED / "cores" / f"{core}.db.gz").read_bytes())
    return dict(_programs(iter(data.decode("latin-1").split("\n"))))


def _programs(lines: Iterator[str]) -> Iterator[tuple[str, list[str]]]:
    for line in lines:
        if _HEADER.fullmatch(line):
            program: list[str] = []
            for code in lines:
                if code.startswith("."):
                    break
                program.append(code)
            yield line, program


def test_every_verb_of_lambdacore_is_listed_as_it_is_stored() -> None:
    found = programs_of("LambdaCore-20Jun18")
    assert len(found) == 1748
    for place, lines in found.items():
        program = parse(*lines, warn=pytest.fail)
        assert unparse(program, fully_parenthesized=True, indent=False) == lines, place


def test_every_verb_of_lambdacore_survives_verb_code_and_back() -> None:
    for place, lines in programs_of("LambdaCore-20Jun18").items():
        program = parse(*lines)
        assert parse(*unparse(program)).body == program.body, place


def test_every_verb_of_lambdacore_can_be_disassembled() -> None:
    for place, lines in programs_of("LambdaCore-20Jun18").items():
        shown = parse(*lines).classic.disassemble(NUMBERS)
        assert shown[-1].endswith("DONE"), place


# What ToastCore has that LambdaMOO has not: maps, loops over two variables, and
# bitwise operators.
_OF_TOAST = re.compile(r"\[\]|->|for \w+, \w+ in|\|\.|<<")


def test_toastcore_is_read_but_for_the_programs_in_toaststunts_language() -> None:
    """Functions that LambdaMOO does not have are called by name."""
    found = programs_of("toastcore")
    refused = []
    for place, lines in found.items():
        try:
            program = parse(*lines, warn=lambda warning: None)
        except MooSyntaxError:
            refused.append(place)
            assert any(_OF_TOAST.search(line) for line in lines), place
            continue
        listed = [
            re.sub(r'call_function\("(\w+)"(?:, )?', r"\1(", line)
            for line in unparse(program, fully_parenthesized=True, indent=False)
        ]
        assert listed == [
            re.sub(r'call_function\("(\w+)"(?:, )?', r"\1(", line) for line in lines
        ], place
    assert len(found) == 1950
    assert len(refused) == 32
