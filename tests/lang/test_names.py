"""Variables, loops, and the versions of the language."""

from __future__ import annotations

import pytest

from pymoo.lang import names as module
from pymoo.lang.names import (
    KEYWORD_VERSIONS,
    VERSION_FLOAT,
    Loops,
    Names,
    built_in_variables,
)


def test_the_first_spelling_of_a_variable_is_kept() -> None:
    names = Names()
    slot = names.find_or_add("Foo")
    assert names.find_or_add("FOO") == names.find_or_add("foo") == slot
    assert names.spellings[slot] == "Foo"


def test_variables_are_numbered_from_the_built_in_ones_on() -> None:
    names = Names()
    assert names.find_or_add("a") == 18
    assert names.find_or_add("b") == 19
    assert names.find_or_add("a") == 18


def test_built_in_variables_are_found_in_any_case() -> None:
    assert Names().find_or_add("int") == module.SLOT_INT
    assert Names().find_or_add("PLAYER") == module.SLOT_PLAYER


def test_older_versions_have_no_int_and_float() -> None:
    names = Names(VERSION_FLOAT - 1)
    assert names.find_or_add("INT") == 16
    assert names.find_or_add("NUM") == 0


def test_slots_are_those_of_sym_table_h() -> None:
    for slot, name in enumerate(built_in_variables()):
        assert getattr(module, f"SLOT_{name.upper()}") == slot


def test_only_ascii_letters_ignore_case() -> None:
    names = Names()
    assert names.find_or_add("\u00e9") != names.find_or_add("\u00c9")


def test_variables_named_like_keywords_get_underscores() -> None:
    names = Names(0)
    for name in ("Try", "try_", "x", "e_float"):
        names.find_or_add(name)
    names.rename_keywords({"try", "e_float"})
    assert names.spellings[16:] == ["Try__", "try_", "x", "e_float_"]
    assert names.find_or_add("TRY__") == 16


def test_the_innermost_of_equal_labels_is_meant() -> None:
    loops = Loops()
    for name in ("a", "b", "a", ""):
        loops.enter(name)
    assert loops.levels() == 0
    assert loops.levels("A") == 1
    assert loops.levels("b") == 2
    loops.leave()
    loops.leave()
    assert loops.levels("a") == 1
    assert loops.levels("c") is None


def test_the_body_of_a_fork_cannot_leave_the_loops_around_it() -> None:
    loops = Loops()
    loops.enter("a")
    loops.enter_fork()
    assert loops.levels() is None
    assert loops.levels("a") is None
    loops.enter("b")
    assert loops.levels() == 0
    loops.leave()
    loops.leave_fork()
    assert loops.levels("a") == 0


def test_no_loop_can_be_left_outside_of_all() -> None:
    assert Loops().levels() is None


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (
            0,
            {
                "try",
                "except",
                "finally",
                "endtry",
                "any",
                "break",
                "continue",
                "e_float",
            },
        ),
        (1, {"break", "continue", "e_float"}),
        (2, {"e_float"}),
        (3, set()),
    ],
)
def test_each_version_added_keywords(version: int, words: set[str]) -> None:
    assert {
        word for word, since in KEYWORD_VERSIONS.items() if since > version
    } == words
