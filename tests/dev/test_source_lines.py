"""Lines of a program's own text for those of its listing."""

from __future__ import annotations

import pytest

from pymoo.dev.source_lines import source_lines
from pymoo.lang.unparse import unparse
from tests.lang.programs import RECORDED, parse
from tests.lang.test_nesting import FORMS


def lines_of(*text: str) -> list[tuple[int, str]]:
    """The lines of the listing, each with that of the text."""
    program = parse(*text, line_comments=True)
    source = "".join(f"{line}\n" for line in text)
    lines = source_lines(source, program, line_comments=True)
    return list(zip(lines, unparse(program, indent=False), strict=True))


def test_statements_are_on_the_line_where_they_begin() -> None:
    assert lines_of("x = 1; y = 2;", "", "return {x,", "  y};", "z;") == [
        (1, "x = 1;"),
        (1, "y = 2;"),
        (3, "return {x, y};"),
        (5, "z;"),
    ]


def test_comments_and_empty_statements_are_passed_over() -> None:
    assert lines_of("/* a", "b; */ ;; // if", "x; // y;", '"a;b";', "; y;") == [
        (3, "x;"),
        (4, '"a;b";'),
        (5, "y;"),
    ]


def test_every_part_of_a_statement_has_its_line() -> None:
    assert lines_of(
        "IF ((a)) b; elseif",
        "(c[{1}[1]]) d;",
        "else",
        "e; endif for x in",
        "[1..(2)] while y (x) break y; endwhile endfor",
        "fork t (1) try x; except v (E_PERM) y; finally_; endtry endfork",
        "try",
        "finally",
        "endtry",
    ) == [
        (1, "if (a)"),
        (1, "b;"),
        (1, "elseif (c[{1}[1]])"),
        (2, "d;"),
        (3, "else"),
        (4, "e;"),
        (4, "endif"),
        (4, "for x in [1..2]"),
        (5, "while y (x)"),
        (5, "break y;"),
        (5, "endwhile"),
        (5, "endfor"),
        (6, "fork t (1)"),
        (6, "try"),
        (6, "x;"),
        (6, "except v (E_PERM)"),
        (6, "y;"),
        (6, "finally_;"),
        (6, "endtry"),
        (6, "endfork"),
        (7, "try"),
        (8, "finally"),
        (9, "endtry"),
    ]


def test_an_else_that_guards_nothing_is_not_in_the_listing() -> None:
    assert lines_of("if (a) else", "endif if (b) else ;", "endif", "c;") == [
        (1, "if (a)"),
        (2, "endif"),
        (2, "if (b)"),
        (3, "endif"),
        (4, "c;"),
    ]


@pytest.mark.parametrize("form", FORMS)
def test_nesting_of_any_depth_is_counted_off(form: str) -> None:
    begin, middle, end, limit = FORMS[form]
    found = lines_of("x;", begin * limit + middle + end * limit + ";", "y;")
    assert found[0] == (1, "x;")
    assert {line for line, _ in found[1:-1]} == {2}
    assert found[-1] == (3, "y;")


def test_a_canonical_listing_has_its_own_lines() -> None:
    listings = [
        case["listing"]
        for case in RECORDED
        if not case["messages"] and not case.get("load") and not case.get("version")
    ]
    assert len(listings) > 90
    for listing in listings:
        program = parse(*listing)
        source = "".join(f"{line}\n" for line in listing)
        lines = source_lines(source, program, line_comments=False)
        assert lines == [*range(1, len(listing) + 1)], listing
