"""Prepositions among words.  The answers were given by LambdaMOO 1.8.3."""

from __future__ import annotations

import pytest

from pymoo.db.objects import PREP_ANY, PREP_NONE
from pymoo.db.prepositions import (
    PREPOSITIONS,
    exact_preposition,
    find_preposition,
    is_preposition,
    preposition_text,
)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("put it in box", (3, 2, 2)),
        ("stand in front of box", (2, 1, 3)),
        ("stand IN FRONT OF box", (2, 1, 3)),
        ("stand in front", (3, 1, 1)),
        ("put on top of box", (4, 1, 3)),
        ("put on top", (4, 1, 1)),
        ("come out of from inside", (5, 1, 2)),
        ("come from inside box", (5, 1, 2)),
        ("come from box", (5, 1, 1)),
        ("take x off of y", (14, 2, 2)),
        ("put in in box", (3, 1, 1)),
        ("using with", (0, 0, 0)),
        ("nothing here", None),
        ("", None),
    ],
)
def test_first_preposition_among_words(words, found):
    assert find_preposition(words.split()) == found


def test_words_are_compared_whole():
    assert find_preposition(["within", "into"]) == (3, 1, 1)


@pytest.mark.parametrize(
    ("text", "prep"),
    [
        ("with", 0),
        ("Using", 0),
        ("on top of", 4),
        ("off", 14),
        ("off of", 14),
        ("on top", PREP_NONE),
        ("in the", PREP_NONE),
        ("", PREP_NONE),
    ],
)
def test_preposition_that_words_are_as_a_whole(text, prep):
    assert exact_preposition(text.split()) == prep


def test_texts_are_those_of_verb_args():
    assert preposition_text(PREP_NONE) == "none"
    assert preposition_text(PREP_ANY) == "any"
    assert preposition_text(4) == "on top of/on/onto/upon"
    assert len(PREPOSITIONS) == 15


@pytest.mark.parametrize("prep", [-9, -3, len(PREPOSITIONS), 40])
def test_one_that_is_not_in_the_list_is_its_number(prep: int) -> None:
    assert preposition_text(prep) == str(prep)
    assert not is_preposition(prep)


def test_all_others_are_some() -> None:
    assert all(map(is_preposition, range(PREP_ANY, len(PREPOSITIONS))))
