"""Programs: read, checked by somebody who knows the language, and complained about."""

from __future__ import annotations

import io

import pytest

from pymoo.db.textdump_io import TextdumpReader
from pymoo.db.textdump_programs import ProgramReader
from pymoo.errors import MooSyntaxError, TextdumpError


class Checker:
    """Refuses what has `bad` in it, warns of `old`, capitalises the rest."""

    def __init__(self):
        self.asked = []

    def check_program(self, text, version, warn):
        self.asked.append((text, version))
        lines = text.splitlines()
        for number, line in enumerate(lines, 1):
            if "old" in line:
                warn(f"Line {number}:  Renaming old use")
        errors = [
            f"Line {number}:  syntax error"
            for number, line in enumerate(lines, 1)
            if "bad" in line
        ]
        if errors:
            raise MooSyntaxError(errors)
        return text.upper()


def read(data, checker=None, version=4):
    log = []
    reader = TextdumpReader(io.BytesIO(data), "t.db", log.append, log.append)
    programs = ProgramReader(
        reader,
        lambda text, is_error: log.append(("*** " if is_error else "") + text),
        checker,
    )
    try:
        return programs.read(version, lambda: "#4:foo b*ar"), log
    except TextdumpError as error:
        return str(error), log


def test_without_a_checker_programs_are_taken_as_they_are():
    assert read(b"bad;\n.\n") == (("bad;\n", "bad;\n"), [])


def test_a_checker_gives_the_canonical_text_beside_the_one_in_the_file():
    checker = Checker()
    assert read(b"a;\nb;\n.\n", checker, version=2) == (
        ("a;\nb;\n", "A;\nB;\n"),
        [],
    )
    assert checker.asked == [("a;\nb;\n", 2)]


def test_warnings_are_logged_and_do_no_harm():
    result, log = read(b"a;\nold;\n.\n", Checker())
    assert result == ("a;\nold;\n", "A;\nOLD;\n")
    assert log == [
        "PARSER: Warning in #4:foo b*ar:",
        "           Line 2:  Renaming old use",
    ]


def test_every_error_is_logged_and_the_first_one_raised_with_its_place():
    result, log = read(b"a;\nbad;\nbad;\n.\n", Checker())
    assert result == "t.db:1: Line 2:  syntax error (counted from this line)"
    assert log == [
        "*** PARSER: Error in #4:foo b*ar:",
        "***            Line 2:  syntax error",
        "*** PARSER: Error in #4:foo b*ar:",
        "***            Line 3:  syntax error",
    ]


@pytest.mark.parametrize("checker", [None, Checker()])
def test_a_program_that_the_file_cuts_off_is_refused(checker):
    result, log = read(b"a;\nb;\n", checker)
    assert result == (
        "t.db:1: expected a program that a line with a dot ends, but the file ends "
        "before: it is not complete"
    )
    assert log == [
        "*** PARSER: Error in #4:foo b*ar:",
        "***            Unexpected EOF",
    ]


def test_the_end_of_the_file_comes_before_an_error_in_the_line_it_cuts_off():
    result, log = read(b"a;\nbad", Checker())
    assert result == "t.db:1: Line 2:  syntax error (counted from this line)"
    assert [line for line in log if "PARSER" not in line] == [
        "***            Unexpected EOF",
        "***            Line 2:  syntax error",
    ]


def test_the_end_of_the_file_is_not_reached_after_an_error_in_a_line_before():
    _, log = read(b"bad;\nb;\n", Checker())
    assert [line for line in log if "PARSER" not in line] == [
        "***            Line 1:  syntax error"
    ]


@pytest.mark.parametrize("checker", [None, Checker()])
def test_a_nul_in_a_program_is_refused(checker):
    result, _ = read(b"a\0b;\n.\n", checker)
    assert result == "t.db:1: a NUL byte in a program"
