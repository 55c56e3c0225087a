"""How arguments are checked, and that all functions of LambdaMOO 1.8.3 are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymoo.builtins.registry import BuiltinTable
from pymoo.lang.dialect import DIALECTS, dialect
from tests.builtins.asking import Asker

NAMES = (Path(__file__).parents[1] / "data" / "functions.txt").read_text().split()
TABLE = BuiltinTable(dialect("lambdamoo"))

# A value of each type, by what function_info() shows for it.
SAMPLES = {0: "1", 1: "#8", 2: '"x"', 3: "E_PERM", 4: "{}", 9: "1.5"}
NUMBER = -2
ANY = -1

# Not called with bad arguments here: they would do something.
HARMLESS = [name for name in NAMES if name not in ("shutdown", "dump_database")]


def description(name: str) -> tuple[int, int, list[int]]:
    _, least, most, types = TABLE[name].description  # type: ignore[misc,str-unpack]
    return least, most, list(types)  # type: ignore[return-value,arg-type]


def test_the_classic_dialect_has_the_functions_in_the_order_of_the_c_server() -> None:
    assert list(TABLE) == NAMES
    for name in DIALECTS:
        assert set(NAMES) <= set(BuiltinTable(dialect(name)))


@pytest.mark.parametrize("name", HARMLESS)
def test_the_number_of_arguments_is_checked_first(ask: Asker, name: str) -> None:
    least, most, _ = description(name)
    if least > 0:
        arguments = ", ".join(["{}"] * (least - 1))
        assert ask(f"{name}({arguments})") == "! E_ARGS"
    if most >= 0:
        arguments = ", ".join(["{}"] * (most + 1))
        assert ask(f"{name}({arguments})") == "! E_ARGS"


@pytest.mark.parametrize("name", HARMLESS)
def test_then_each_argument_s_type(ask: Asker, name: str) -> None:
    least, most, types = description(name)
    checked = types if most >= 0 else types[:least]
    for place, wanted in enumerate(checked):
        if wanted == ANY:
            continue
        right = [SAMPLES[0 if each < 0 else each] for each in types]
        for code, sample in SAMPLES.items():
            if code == wanted or (wanted == NUMBER and code in (0, 9)):
                continue
            given = [*right[:place], sample, *right[place + 1 : max(place + 1, least)]]
            assert ask(f"{name}({', '.join(given)})") == "! E_TYPE", given
