"""The grammar file, and the tables made of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark import Lark
from lark.exceptions import UnexpectedInput

from pymoo.errors import MooSyntaxError
from pymoo.lang import grammar as module
from pymoo.lang.grammar import SOURCE, START, TABLES, grammar, make_tables, tables_text
from pymoo.lang.lexer import MALFORMED_FLOAT, MALFORMED_OBJECT, MISSING_QUOTE
from pymoo.lang.parser import parse_program
from pymoo.values import ERROR_CODES
from tests.lang.programs import FUNCTIONS
from tests.strategies import program_texts


@pytest.fixture(scope="module")
def lark() -> Lark:
    """The grammar as any user of Lark would have it."""
    return Lark.open(str(SOURCE), parser="lalr", lexer="contextual", start=START)


@pytest.fixture
def fresh() -> Iterator[None]:
    """Tables are made anew, before and after."""
    grammar.cache_clear()
    yield
    grammar.cache_clear()


def test_the_shipped_tables_are_those_of_the_grammar() -> None:
    """After a change to the grammar: ``python -m pymoo.lang.grammar``."""
    assert tables_text(make_tables(SOURCE.read_text("ascii"))) == TABLES.read_text()


@pytest.mark.usefixtures("fresh")
def test_tables_of_another_grammar_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = grammar()
    old = {**json.loads(TABLES.read_text()), "digest": "of another", "states": []}
    path = tmp_path / "grammar.json"
    path.write_text(json.dumps(old))
    monkeypatch.setattr(module, "TABLES", path)
    grammar.cache_clear()
    assert grammar().shifts == shipped.shifts


@pytest.mark.usefixtures("fresh")
def test_missing_tables_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = grammar()
    monkeypatch.setattr(module, "TABLES", tmp_path / "nothing.json")
    grammar.cache_clear()
    assert grammar().rules == shipped.rules


def test_a_grammar_that_needs_look_ahead_to_reduce_is_refused() -> None:
    with pytest.raises(AssertionError, match="more than one token to decide"):
        make_tables('program: a "x" | b "y"\na: NAME\nb: NAME\nNAME: /(?ai:[a-z]+)/')


def test_parsing_does_not_load_lark() -> None:
    code = (
        "import sys; from pymoo.lang.parser import parse_program; "
        "parse_program('return 1;\\n', functions={}); print('lark' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "False\n"


def test_no_keyword_is_a_name() -> None:
    name = re.compile(grammar().patterns["NAME"])
    words = [*grammar().keywords, *(code.name for code in ERROR_CODES)]
    assert len(words) == 19 + 16
    for word in words:
        assert not name.fullmatch(word)
        assert not name.fullmatch(word.upper())
        assert name.fullmatch(f"{word}_")
        assert name.fullmatch(f"x{word}")


def test_the_error_codes_are_those_of_the_values() -> None:
    error = re.compile(grammar().patterns["ERROR"])
    for code in ERROR_CODES:
        assert error.fullmatch(code.name)
        assert error.fullmatch(code.name.lower())
    assert error.pattern.count("|") == len(ERROR_CODES) - 1


def test_names_and_keywords_are_ascii() -> None:
    # U+017F and U+212A are equal to s and k when Unicode ignores case.
    assert not re.fullmatch(grammar().patterns["NAME"], "\u017fet")
    assert not re.fullmatch(grammar().patterns["ERROR"], "E_RAN\u212aE")


# Lark reads the grammar with its own automaton and lexer.  Where both have an
# opinion they agree: on the shape of programs, but not on what ends a comment or on
# the second ? of a condition.

TOKENS = (
    "if ( ) else elseif endif for x y in [ ] .. endfor while endwhile fork endfork "
    'return try except ANY finally endtry break continue ; 1 2.5 .5 #3 "s" E_PERM '
    "{ } @ ? = | || && ! ` ' => + - * / % ^ == != < <= > >= . : $ , in2 If"
).split()


# Other messages are about programs whose shape is right.
NO_PROGRAM = ("syntax error", MALFORMED_FLOAT, MALFORMED_OBJECT, MISSING_QUOTE)


def agrees(lark: Lark, source: str) -> bool:
    try:
        lark.parse(source)
        by_lark = True
    except UnexpectedInput:
        by_lark = False
    try:
        parse_program(source, functions=FUNCTIONS)
        ours = True
    except MooSyntaxError as error:
        ours = not any(message.endswith(NO_PROGRAM) for message in error.errors)
    return by_lark == ours


@given(program_texts())
def test_lark_reads_what_the_parser_reads(lark: Lark, source: str) -> None:
    assert agrees(lark, source)


@given(
    st.lists(st.sampled_from(TOKENS), max_size=12).filter(
        lambda tokens: tokens.count("?") < 2
    )
)
def test_lark_refuses_what_the_parser_refuses(lark: Lark, tokens: list[str]) -> None:
    assert agrees(lark, " ".join(tokens))


@given(program_texts(3), st.randoms(use_true_random=False))
def test_they_agree_on_damaged_programs(lark: Lark, source: str, random) -> None:
    tokens = re.findall(r'"(?:[^"\\]|\\.)*"|\w+|\s+|.', source)
    if tokens:
        place = random.randrange(len(tokens))
        tokens[place : place + random.randrange(2)] = [random.choice(TOKENS)]
    source = "".join(tokens)
    if source.count("?") < 2:
        assert agrees(lark, source)
