"""Which verbs a word names.  The answers were given by LambdaMOO 1.8.3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.db.verb_names import VerbNameIndex, names_match


def copy(text: str) -> str:
    """Return a string that looks the same and is another one."""
    return (text + ".")[:-1]


@pytest.mark.parametrize(
    ("names", "fits", "does_not_fit"),
    [
        ("look", ["look", "LOOK"], ["loo", "looks", ""]),
        ("l*ook", ["l", "lo", "loo", "look"], ["", "looks", "k"]),
        ("foo*", ["foo", "foobar", "FOO*"], ["fo", ""]),
        ("*", ["", "a", "anything at all"], []),
        ("*foo", ["", "f", "foo"], ["food", "oo"]),
        ("x*y*z", ["x", "xy", "xyz"], ["", "xyzz", "xz"]),
        ("x*y*", ["x", "xy", "xyanything"], ["xz", ""]),
        ("a**b", ["a", "ab"], ["aab", "abc", "a*"]),
        ("foo*bar baz", ["foob", "baz"], ["ba", "bazz", "bar"]),
        ("a  b", ["a", "b"], [""]),
        (" a", ["a", ""], ["b"]),
        ("a ", ["a"], [""]),
        ("", [], ["a"]),
    ],
)
def test_words_that_names_stand_for(names, fits, does_not_fit):
    index = VerbNameIndex([names])
    for word in fits:
        assert names_match(names, word), word
        assert list(index.find(word)) == [0], word
    for word in does_not_fit:
        assert not names_match(names, word), word
        assert list(index.find(word)) == [], word


def test_case_is_folded_for_ascii_letters_only():
    assert names_match("Äb", copy("ÄB"))
    assert not names_match("Äb", "äb")


def test_the_very_string_of_the_names_fits_but_one_that_looks_the_same_does_not():
    names = copy("foo*bar baz")
    index = VerbNameIndex([names])
    assert names_match(names, names)
    assert list(index.find(names)) == [0]
    assert not names_match(names, copy(names))
    assert list(index.find(copy(names))) == []


def test_found_positions_are_in_the_order_of_the_verbs():
    index = VerbNameIndex(["b*", "foo bar", "*", "fo*o", "foo"])
    assert list(index.find("foo")) == [1, 2, 3, 4]
    assert list(index.find("bar")) == [0, 1, 2]


def test_a_name_with_very_many_abbreviations_takes_little_room():
    names = "*" + "a" * 1_000_000
    index = VerbNameIndex([names])
    assert list(index.find("a" * 999)) == [0]
    assert list(index.find("b")) == []


@given(st.lists(st.text("ab* ", max_size=8), max_size=5), st.text("abAB* ", max_size=5))
def test_index_and_definition_agree(all_names, word):
    expected = [at for at, names in enumerate(all_names) if names_match(names, word)]
    assert list(VerbNameIndex(all_names).find(word)) == expected


@given(st.text("ab* ", max_size=8), st.text("abAB*", max_size=6))
def test_definition_is_what_the_c_server_computes(names, word):
    """Against the loop of verbcasecmp, written down as it stands there."""
    if names is word:
        return
    assert names_match(names, word) == _verbcasecmp(names, word)


def _verbcasecmp(verb: str, word: str) -> bool:
    verb, word = f"{verb.lower()}\0", f"{word.lower()}\0"
    v = 0
    while verb[v] != "\0":
        w, star = 0, ""
        while True:
            while verb[v] == "*":
                v += 1
                star = "end" if verb[v] in "\0 " else "inner"
            if verb[v] in "\0 " or word[w] == "\0" or word[w] != verb[v]:
                break
            w, v = w + 1, v + 1
        if (star != "" or verb[v] in "\0 ") if word[w] == "\0" else star == "end":
            return True
        while verb[v] not in "\0 ":
            v += 1
        while verb[v] == " ":
            v += 1
    return False
