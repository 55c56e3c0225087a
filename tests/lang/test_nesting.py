"""Programs of any length, nested as deep as the C server allows."""

from __future__ import annotations

import pytest

from pymoo.lang.unparse import line_numbers, unparse
from tests.lang.programs import NUMBERS, errors, parse

# Something that nests, and how deep the C server lets it: begin, middle, end.
FORMS = {
    "lists": ("{", "1", "}", 9995),
    "parentheses": ("(", "1", ")", 9995),
    "negations": ("!", "x", "", 9996),
    "signs": ("-", "x", "", 9996),
    "calls": ("length(", "1", ")", 4997),
    "indexes": ("x[", "1", "]", 3331),
    "ranges": ("x[1..", "1", "]", 1999),
    "powers": ("2 ^ ", "2", "", 4998),
    "assignments": ("a = ", "2", "", 4998),
    "operands": ("1 + (", "1", ")", 3331),
    "catches": ("`", "x", " ! ANY'", 9992),
    "defaults": ("`x ! ANY => ", "x", "'", 1999),
    "codes": ("`x ! ", "x", "'", 3331),
    "conditions": ("x ? ", "x", " | x", 4997),
    "splices": ("{@", "x", "}", 4998),
    "names": ("x.(", "x", ")", 3331),
    "verbs": ("x:(", "x", ")()", 3330),
    "arguments": ("x:y(", "x", ")", 2498),
    "scatterings": ("{?a} = ", "x", "", 2499),
    "targets": ("{?a = ", "x", "} = x", 2499),
    "ifs": ("if (1) ", "x;", " endif ", 1998),
    "elseifs": ("if (1) elseif (2) ", "x;", " endif ", 908),
    "elses": ("if (1) else ", "x;", " endif ", 1249),
    "whiles": ("while (1) ", "x;", " endwhile ", 1665),
    "named whiles": ("while q (1) ", "x;", " endwhile ", 1427),
    "loops over lists": ("for i in ({}) ", "x;", " endfor ", 1249),
    "loops over ranges": ("for i in [1..2] ", "x;", " endfor ", 999),
    "forks": ("fork (1) ", "x;", " endfork ", 1665),
    "named forks": ("fork t (1) ", "x;", " endfork ", 1427),
    "tries": ("try ", "x;", " except (ANY) endtry ", 4995),
    "bodies": ("try ", "x;", " finally endtry ", 4997),
    "handlers": ("try finally ", "x;", " endtry ", 2498),
    "arms": ("try except e (ANY) ", "x;", " endtry ", 1249),
    "second arms": ("try except e (E_PERM) except e (ANY) ", "x;", " endtry ", 999),
}


@pytest.mark.parametrize("form", FORMS)
def test_nesting_has_the_limit_of_the_c_server(form: str) -> None:
    begin, middle, end, limit = FORMS[form]
    text = begin * (limit + 1) + middle + end * (limit + 1)
    assert errors(f"{text};") == ["Line 1:  memory exhausted"]
    program = parse(begin * limit + middle + end * limit + ";")
    # Every pass is able to deal with it.
    lines = unparse(program)
    assert unparse(parse(*lines)) == lines
    assert len(program.classic.disassemble(NUMBERS)) > 5
    assert line_numbers(program)
    deepest = max(program.classic.vector(-1).instructions, key=lambda each: each.line)
    assert deepest.line == len(lines) + 1
    del program


@pytest.mark.parametrize(
    "operator",
    ["+", "-", "*", "/", "%", "==", "<", "in", "&&", "||"],
)
def test_chains_of_operators_have_none(operator: str) -> None:
    text = f" {operator} ".join(["x"] * 20_000) + ";"
    program = parse(text)
    assert unparse(program) == [text]
    # As many operands as before, and a pair of parentheses for all but two.
    (full,) = unparse(program, fully_parenthesized=True, indent=False)
    assert full.count("(") == 19_998
    assert len(program.classic.main.instructions) == 20_000 + 19_999 + 2


@pytest.mark.parametrize("link", [".y", "[1]", ":y()", "[1..2]", ".(y)"])
def test_chains_of_postfixes_have_none(link: str) -> None:
    text = "x" + link * 20_000 + ";"
    program = parse(text)
    assert unparse(program) == [text]
    assert len(program.classic.main.instructions) > 40_000


def test_long_programs_lists_and_elseifs_have_none() -> None:
    lines = ["x = 1;"] * 20_000
    assert unparse(parse(*lines)) == lines
    line = "{" + ", ".join(["x"] * 20_000) + "};"
    assert unparse(parse(line)) == [line]
    lines = ["if (x)", *["elseif (x)"] * 5_000, "endif"]
    program = parse(*lines)
    assert unparse(program) == lines
    assert program.classic.main.widths.label == 2
