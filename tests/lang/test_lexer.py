"""Source text to tokens."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.lang import lexer
from pymoo.lang.grammar import grammar
from pymoo.lang.lexer import BAD, lexicon


def texts(source: str, version: int = 4, **options: bool) -> list[str]:
    found = lexicon(version, **options).texts(source)
    end = found.index("")
    assert not any(found[end:])
    return found[:end]


def kind(text: str, version: int = 4, **options: bool) -> tuple[str, str | None]:
    terminal, complaint = lexicon(version, **options).classify(text)
    names = {number: name for name, number in grammar().terminals.items()}
    return names.get(terminal, "BAD"), complaint


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1..2", ["1", "..", "2"]),
        ("1...5", ["1", "..", ".5"]),
        ("1. ..2", ["1.", "..", "2"]),
        ("1.5..2", ["1.5", "..", "2"]),
        ("..5", ["..", "5"]),
        (".5", [".5"]),
        ("x.5", ["x", ".5"]),
        ("1.x", ["1.", "x"]),
        ("1.e2", ["1.e2"]),
        ("1e5x", ["1e5", "x"]),
        ("1E-5", ["1E-5"]),
        ("1.5.5", ["1.5", ".5"]),
        ("5 .y", ["5", ".", "y"]),
        ("#-12x", ["#-12", "x"]),
        ("a=>b>=c==d=e", ["a", "=>", "b", ">=", "c", "==", "d", "=", "e"]),
        ("=>=", ["=>", "="]),
        ("!==", ["!=", "="]),
        ("a|||b&&&c", ["a", "||", "|", "b", "&&", "&", "c"]),
        ('"a\\"b"c', ['"a\\"b"', "c"]),
        ('"a\\\\"c', ['"a\\\\"', "c"]),
        ("in2 in", ["in2", "in"]),
        ("a/**/b", ["a", "b"]),
        ("a/* * /* */b", ["a", "b"]),
        ("a/b", ["a", "/", "b"]),
        (" \t\n\v\f\ra", ["a"]),
    ],
)
def test_a_source_is_taken_apart(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


def test_before_version_3_a_dot_is_no_part_of_a_number() -> None:
    assert texts("1.5e3 .5", version=2) == ["1", ".", "5", "e3", ".", "5"]


def test_the_stars_of_a_comment_are_taken_in_pairs() -> None:
    assert texts("/***/a") == ["/***/a"]
    assert texts("/***/a*/b") == ["b"]
    assert texts("/****/a") == ["a"]


def test_line_comments_are_a_matter_of_dialect() -> None:
    assert texts("a // b\nc") == ["a", "/", "/", "b", "c"]
    assert texts("a // b\nc", line_comments=True) == ["a", "c"]
    assert texts("a //", line_comments=True) == ["a"]


def test_a_line_comment_does_not_hide_an_operator_before_a_comment() -> None:
    """``a //* b */ c`` is a division in LambdaMOO, and stays one."""
    for line_comments in (False, True):
        assert texts("a //* b */ c", line_comments=line_comments) == ["a", "/", "c"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name", ("NAME", None)),
        ("If", ("IF", None)),
        ("e_PERM", ("ERROR", None)),
        ("E_NOSUCH", ("NAME", None)),
        ("007", ("INTEGER", None)),
        ("1.", ("FLOAT", None)),
        ("1e999", ("FLOAT", lexer.FLOAT_OUT_OF_RANGE)),
        ("1e", ("$END", lexer.MALFORMED_FLOAT)),
        ("1.5E", ("$END", lexer.MALFORMED_FLOAT)),
        ("#1", ("OBJECT", None)),
        ("#", ("$END", lexer.MALFORMED_OBJECT)),
        ("#-", ("$END", lexer.MALFORMED_OBJECT)),
        ('"a"', ("STRING", None)),
        ('"a\n', ("STRING", lexer.MISSING_QUOTE)),
        ('"a', ("STRING", lexer.MISSING_QUOTE)),
        ('"a\\"', ("STRING", lexer.MISSING_QUOTE)),
        ("/* a", ("$END", lexer.IN_A_COMMENT)),
        ("", ("$END", None)),
        ("&", ("BAD", None)),
        ("~", ("BAD", None)),
        ("\x01", ("BAD", None)),
    ],
)
def test_a_token_is_told_from_its_text(
    text: str, expected: tuple[str, str | None]
) -> None:
    assert kind(text) == expected


def test_later_keywords_are_names_in_older_versions() -> None:
    assert kind("try", version=0) == ("NAME", None)
    assert kind("try", version=1) == ("TRY", None)
    assert kind("break", version=1) == ("NAME", None)
    assert kind("E_FLOAT", version=2) == ("NAME", None)
    assert kind("E_FLOAT", version=3) == ("ERROR", None)
    assert lexicon(2).future_keywords == {"e_float"}
    assert not lexicon(3).future_keywords


def test_a_byte_above_127_ends_a_program_that_is_not_from_a_file() -> None:
    assert kind("\xe9") == ("BAD", None)
    assert kind("\xe9", byte_ends=True) == ("$END", None)
    assert texts('"\xe9"\xe9', byte_ends=True) == ['"\xe9"', "\xe9"]


def test_byte_255_ends_even_a_string_and_a_comment() -> None:
    assert texts('"a\xffb"') == ['"a\xffb"']
    assert texts('"a\xffb', byte_ends=True) == ['"a\xff', "b"]
    assert texts('"a\\\xffb', byte_ends=True) == ['"a\\\xff', "b"]
    assert texts("/* \xff */ b", byte_ends=True) == ["/* \xff */ b"]


def lines(source: str) -> list[int]:
    """Return the line of each token, and that of the end."""
    return list(lexicon(4).lines(source))[: len(texts(source)) + 1]


def test_lines_count_newlines_between_tokens() -> None:
    assert lines("a\nb\n\nc") == [1, 2, 4, 4]
    assert lines("a\n") == [1, 2]
    assert lines("") == [1]


def test_newlines_in_comments_do_not_count() -> None:
    assert lines("a /* \n\n */ b\nc") == [1, 1, 2, 2]


def test_the_newline_that_ends_a_string_does_not_count() -> None:
    assert lines('"a\n"b\\\n\nc') == [1, 1, 2, 2]


@given(st.text("a \n/*\"\\'1.e#-=>|", max_size=40))
def test_nothing_is_lost_between_the_tokens(source: str) -> None:
    """What is between tokens is white space and comments."""
    comment = re.compile(grammar().patterns["COMMENT"])
    end = 0
    for match in lexicon(4).pattern.finditer(source):
        assert match.start() == end
        assert not comment.sub("", source[end : match.start(1)]).strip()
        end = match.end()
    assert end == len(source)


@given(st.text("a \n/*\"\\'1.e#-=>|", max_size=40))
def test_each_token_has_a_line(source: str) -> None:
    found = lexicon(4)
    assert len(list(found.lines(source))) == len(found.texts(source))


def test_a_meter_hears_of_the_tokens_of_a_large_source() -> None:
    heard = []

    class Meter:
        def spend(self, steps: int) -> None:
            heard.append(steps)

    lexicon(4).texts("x ;" * 100_000, Meter())
    assert 190_000 < sum(heard) <= 200_000


def test_no_terminal_has_the_number_of_bad_tokens() -> None:
    assert BAD not in grammar().terminals.values()
