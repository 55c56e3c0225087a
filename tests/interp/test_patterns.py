"""Patterns against recorded answers, the two matchers against each other, surprises.

``patterns.jsonl`` was recorded from LambdaMOO 1.8.3 in emergency mode: written-out
oddities, every pattern that LambdaCore's verbs contain, and random ones.  A line is
[pattern, case-matters, [[subject, is-rmatch, answer], ...]]; an answer is the name
of an error, [] for no match, or the pairs less the unset groups at the end.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pymoo.errors import AbortReason, MooError, TaskAborted
from pymoo.interp.patterns import (
    Pattern,
    PatternCache,
    compile_pattern,
    memory,
    regex,
    substitute,
)
from pymoo.interp.patterns.charset import CharSet, range_of, union
from pymoo.interp.patterns.machine import Registers, Tally, beginnings, match_at
from pymoo.values import E_INVARG, E_QUOTA, UNMETERED, Meter

RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "patterns.jsonl")
    .read_text("ascii")
    .splitlines()
]

Answer = str | list[list[int]]


def by_machine(text: str, *, exact_case: bool) -> Pattern:
    """A pattern that is never translated."""
    pattern = compile_pattern(text, exact_case=exact_case)
    pattern._tree = None
    return pattern


def by_regex(text: str, *, exact_case: bool) -> Pattern:
    """A pattern that is translated before its first use, if it can be."""
    pattern = compile_pattern(text, exact_case=exact_case)
    pattern._was_used = True
    return pattern


def is_translated(pattern: Pattern) -> bool:
    """Whether the last match was one by `re`."""
    return pattern._translation is not None


MATCHERS = pytest.mark.parametrize(
    "make", [by_machine, by_regex], ids=["machine", "regex"]
)


def answer(make: Any, text: str, exact_case: bool, subject: str, reverse: bool) -> Any:
    try:
        pairs = make(text, exact_case=exact_case).match(subject, reverse=reverse)
    except MooError as error:
        return str(error.code)
    if pairs is None:
        return []
    assert len(pairs) == 10
    shown = [list(pair) for pair in pairs]
    while len(shown) > 1 and shown[-1] == [0, -1]:
        shown.pop()
    return shown


def match(text: str, subject: str) -> Any:
    """What ``match(subject, text)`` shows: the pairs less the last unset ones."""
    answers = [
        answer(make, text, False, subject, False) for make in (by_machine, by_regex)
    ]
    assert answers[0] == answers[1]
    return answers[0]


def rmatch(text: str, subject: str) -> Any:
    answers = [
        answer(make, text, False, subject, True) for make in (by_machine, by_regex)
    ]
    assert answers[0] == answers[1]
    return answers[0]


# --- recorded -------------------------------------------------------------


@MATCHERS
def test_every_recorded_answer_is_given(make: Any) -> None:
    differences = [
        (text, bool(exact_case), subject, bool(reverse), recorded, found)
        for text, exact_case, cases in RECORDED
        for subject, reverse, recorded in cases
        if (found := answer(make, text, bool(exact_case), subject, bool(reverse)))
        != recorded
    ]
    assert differences == []


def test_the_recorded_patterns_use_both_matchers() -> None:
    translated = 0
    for text, exact_case, cases in RECORDED:
        if cases[0][2] != "E_INVARG":
            pattern = by_regex(text, exact_case=bool(exact_case))
            pattern._translate()
            translated += is_translated(pattern)
    assert 200 < translated < len(RECORDED) - 200


# --- the two matchers -----------------------------------------------------

ATOMS = st.sampled_from(
    "a b c ab A . [ab] [^a] [a-c] [^\x20-b] %w %W %b %B %< %> $ _ 1 [0-9] \n".split(" ")
)


def sequences(patterns: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = patterns.map(lambda inside: f"%({inside}%)")
    item = st.tuples(ATOMS | group, st.sampled_from(["", "", "", "*", "+", "?"]))
    sequence = st.lists(item.map("".join), min_size=1, max_size=4).map("".join)
    return sequence | st.lists(sequence, min_size=2, max_size=3).map("%|".join)


PATTERNS = st.recursive(ATOMS, sequences, max_leaves=8)
SUBJECTS = st.text("aaabbbcAB _1\n\xe9", max_size=20)


@given(PATTERNS, SUBJECTS, st.booleans(), st.booleans())
def test_the_translation_finds_what_the_machine_finds(
    text: str, subject: str, exact_case: bool, reverse: bool
) -> None:
    try:
        by_machine(text, exact_case=exact_case)
    except MooError:
        return
    assert answer(by_regex, text, exact_case, subject, reverse) == answer(
        by_machine, text, exact_case, subject, reverse
    )


@given(st.text("xy.$*é", max_size=4), st.text("xy.$*é", max_size=30))
def test_a_quoted_text_matches_where_it_is_found(wanted: str, subject: str) -> None:
    quoted = "".join(f"%{character}" for character in wanted)
    start = subject.find(wanted)
    expected = [] if start < 0 else [[start + 1, start + len(wanted)]]
    assert match(quoted, subject) == expected


def test_the_second_match_is_the_first_by_re() -> None:
    pattern = compile_pattern("^ *%([a-z]+%)", exact_case=False)
    first = pattern.match("  Foo bar")
    assert not is_translated(pattern)
    assert pattern.match("  Foo bar") == first
    assert is_translated(pattern)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("%(a%)%1", "a back reference"),
        ("%(a*%)*", "an operand that can be empty"),
        ("%(a+%)+b", "loops that give back in each other"),
        ("%(a%|ab%)*c", "two ways for one operand"),
        ("a*%>", "a loop that commits where it should not"),
        ("%(" * 21 + "a" + "%)" * 21, "too many groups in each other"),
    ],
)
def test_what_re_would_do_otherwise_is_left_to_the_machine(text: str, why: str) -> None:
    pattern = by_regex(text, exact_case=True)
    pattern._translate()
    assert not is_translated(pattern), why


@pytest.mark.parametrize("text", ["%(.*%) %(.*%)x", "%(ab%)*x", "[^ ]*foo"])
def test_long_subjects_are_matched_alike_place_by_place_and_by_the_machine(
    text: str,
) -> None:
    pattern = by_regex(text, exact_case=True)
    pattern._translate()
    translation = pattern._translation
    assert translation is not None
    assert translation.longest_search < 4_000 < translation.longest_attempt * 20
    machine = by_machine(text, exact_case=True)
    for length in (translation.longest_search, translation.longest_search + 1):
        subject = "ab fo"[: length % 5] + "ab fo" * (length // 5) + "ooxab x"
        assert pattern.match(subject) == machine.match(subject) is not None


# --- with a memory --------------------------------------------------------


def plain_search(pattern: Pattern, text: str, reverse: bool) -> Registers | None:
    """What the machine finds alone, if it does not take too long for a test."""
    tally = Tally(most=100_000)
    for start in beginnings(pattern._program, text, reverse=reverse, tally=tally):
        registers = match_at(pattern._program, text, start, tally)
        if registers is not None:
            return registers
    return None


AMBIGUOUS = st.lists(
    st.sampled_from(
        "a* a+ a? b* .* [ab]* [ab] a b %(a%|a%)* %w* %(ab?%)* %(a*b%)* %(a+%)+ "
        "%(a%|ab%)+ %(ba*%)* $ %> %b %(a*b*%|b*a%)* %(a*%|b%) %([^b]b%)* [^b]* "
        "%(a?b%)+ ^".split()
    ),
    min_size=1,
    max_size=6,
).map("".join)


@given(PATTERNS | AMBIGUOUS, st.text("aab\n", max_size=16), st.booleans())
def test_a_memory_does_not_change_what_is_found(
    text: str, subject: str, reverse: bool
) -> None:
    try:
        pattern = by_machine(text, exact_case=True)
        expected = plain_search(pattern, subject, reverse)
    except MooError:
        assume(False)
    program = pattern._program
    tally = Tally()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "_PLAIN_STEPS", -len(program.ops))
        found = memory.search(program, subject, reverse=reverse, tally=tally)
    if expected is None or program.register_count:
        assert found == expected
    else:
        assert found is not None
        assert (found[0][0], found[1][0]) == (expected[0][0], expected[1][0])


@given(AMBIGUOUS, st.text("aab\n", max_size=16))
def test_each_beginning_has_the_same_end_with_a_memory(text: str, subject: str) -> None:
    try:
        pattern = by_machine(text, exact_case=True)
    except MooError:
        assume(False)
    program = pattern._program
    tally = Tally(most=100_000)
    assume(memory._is_suitable(program, subject, tally))
    remembering = memory.Memory(program, subject, tally)
    try:
        for start in range(len(subject) + 1):
            registers = match_at(program, subject, start, tally)
            end = remembering.end_of_match(start)
            assert end == (registers[1][0] if registers is not None else None)
            if end is not None:
                return
    except MooError:
        assume(False)


@MATCHERS
@pytest.mark.parametrize(
    ("text", "subject", "expected"),
    [
        ("a*a*a*a*a*b", "a" * 40, None),
        ("a*a*a*a*a*b", "a" * 2_000, None),
        ("%(a+%)+$", "a" * 40 + "b", None),
        ("%(a%|a%)*c", "a" * 60 + "b", None),
        (".*.*.*.*x", "a" * 300, None),
        ("a?" * 40 + "a" * 40, "a" * 39, None),
        ("a?" * 40 + "a" * 40, "a" * 41, (1, 41)),
        ("%(a%|b%)*[^y]*y", "ab" * 3_000, None),
    ],
)
@pytest.mark.parametrize("reverse", [False, True])
def test_what_would_take_forever_takes_some_milliseconds(
    make: Any, text: str, subject: str, expected: Any, reverse: bool
) -> None:
    meter = Steps()
    pattern = make(text, exact_case=True)
    found = pattern.match(subject, reverse=reverse, meter=meter)
    if not reverse or expected is None:
        assert (found and found[0]) == expected
    assert meter.steps < 250_000


# --- what can be refused --------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "%", "a%", "[", "[]", "[a", "[^]", "%(", "%(a", "a%)", "*", "+a", "?", "a%|*",
        "%(*a%)", "a^", "a^b", "a$b", "$b", "%\\", "%\\0", "%\\%[a",
    ],
)  # fmt: skip
def test_a_malformed_pattern_raises_e_invarg(text: str) -> None:
    with pytest.raises(MooError) as caught:
        compile_pattern(text, exact_case=False)
    assert caught.value.code is E_INVARG


def test_99_groups_stand_in_each_other_and_no_more() -> None:
    assert match("%(" * 99 + "a" + "%)" * 99, "a") == [[1, 1]] * 10
    assert match("%(" * 100 + "a" + "%)" * 100, "a") == "E_INVARG"


def test_100_alternatives_may_be_open_and_no_more() -> None:
    assert match("%|".join("b" * 100 + "a"), "a") == [[1, 1]]
    assert match("%|".join("b" * 101 + "a"), "a") == "E_INVARG"
    assert match("%(b%|a%)" * 200, "a" * 200) == [[1, 200]] + [
        [n, n] for n in range(1, 10)
    ]


def test_a_group_after_the_99th_matches_without_a_register() -> None:
    assert match("%(a%)" * 99 + "%(a%)%(%)*%(a%|b%)", "a" * 101)[0] == [1, 101]


# --- surprises ------------------------------------------------------------


def test_a_group_keeps_what_it_took_on_a_way_that_failed() -> None:
    assert match("%(a%)c%|ab", "ab") == [[1, 2], [1, 1]]
    assert match("%(%(a%)%|b%)*", "ab") == [[1, 2], [2, 2], [1, 1]]


def test_a_group_may_begin_in_a_later_round_than_it_ends() -> None:
    assert match("%(a%|ab%)*c", "abc") == [[1, 3], [2, 2]]


def test_a_loop_gives_nothing_back_to_a_check_at_the_end_of_the_pattern() -> None:
    assert match("a*%<", "aaa") == []
    assert match("%w*%<", "aaa") == [[1, 0]]


def test_a_loop_gives_nothing_back_to_a_back_reference() -> None:
    assert match("%(a%)a*%1", "aaa") == []


def test_the_opposite_of_a_word_boundary_is_a_boundary_inside_the_subject() -> None:
    assert match("%B", "a b") == [[2, 1]]
    assert match("a%Bb", "ab") == []


def test_the_underscore_is_no_letter() -> None:
    assert match("%w+", "a_b") == [[1, 1]]


def test_a_range_that_goes_backwards_has_its_first_character_only() -> None:
    assert match("[b-a]", "a") == []
    assert match("[b-a]", "b") == [[1, 1]]


def test_rmatch_does_not_see_an_end_that_nothing_can_stand_at() -> None:
    assert rmatch("$", "foobar") == []
    assert rmatch("$", "") == [[1, 0]]
    assert rmatch("%W$", "foobar") == []
    assert rmatch("o*", "foobar") == [[7, 6]]
    assert rmatch("x*$", "foobar") == []


def test_a_quoted_backslash_quotes_the_next_character() -> None:
    assert match("%\\(a%\\)", "a") == [[1, 1], [1, 1]]
    assert match("%\\`a", "ba") == []
    assert match("a%\\'", "aab") == []
    assert rmatch("%\\`a", "a") == []
    assert match("%`a", "`a") == [[1, 2]]


def test_letters_quoted_by_a_backslash_are_not_folded() -> None:
    assert match("%\\A", "A") == []
    assert match("%A", "a") == [[1, 1]]


def test_only_letters_of_ascii_fold() -> None:
    assert match("\xe9", "\xc9") == []
    assert match("k", "\u212a") == []


def test_a_caret_cannot_be_repeated_and_nothing_is_said() -> None:
    assert match("^*a", "a") == [[1, 1]]


def test_lines_begin_and_end_at_newlines() -> None:
    assert match("^b$", "a\nb\nc") == [[3, 3]]
    assert rmatch("^.", "a\nb\nc") == [[5, 5]]
    assert match("a.b", "a\nb") == []


def test_characters_beyond_the_first_256_belong_to_ranges_and_complements() -> None:
    assert match("[^a]", "a\u20ac") == [[2, 2]]
    assert match("[\u20a0-\u20b0]+", "a\u20ac\u20ad") == [[2, 3]]
    assert match("[^\u20a0-\u20b0]+", "\u20aca\u20b1") == [[2, 3]]
    assert match("%w.%W", "a\u20ac\u20ad") == [[1, 3]]


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 600)), max_size=4))
def test_a_complement_has_just_what_the_set_has_not(
    pairs: list[tuple[int, int]],
) -> None:
    chars = union(range_of(first, last) for first, last in pairs)
    others = chars.complement()
    assert not chars.meets(others)
    for point in range(700):
        belongs = any(first <= point <= last for first, last in pairs)
        assert chars.members[chr(point)] == belongs != others.members[chr(point)]
        listed = any(first <= point <= last for first, last in chars.ranges())
        assert listed == belongs


def test_an_empty_set_matches_nothing() -> None:
    assert match("a[^\x00-\U0010ffff]", "ab") == []
    assert CharSet(0).ranges() == ()


# --- limits ---------------------------------------------------------------


@pytest.mark.parametrize("text", ["a**", "a?+", "%(%)*", "%(a*%)*b", "%(%b%)*"])
def test_a_loop_that_takes_nothing_raises_e_quota(text: str) -> None:
    assert match(text, "a" * 30) == "E_QUOTA"


def test_a_loop_that_cannot_be_begun_does_no_harm() -> None:
    assert match("a**b", "xx") == []
    # rmatch() tries the first place without looking.
    assert rmatch("a**b", "xx") == "E_QUOTA"


@pytest.mark.parametrize(
    ("text", "longest"), [(".*b", 65_535), (".+b", 65_535), ("%(.%)*b", 65_535)]
)
def test_65_536_places_can_be_remembered(text: str, longest: int) -> None:
    assert match(text, "a" * (longest - 1) + "b")[0] == [1, longest]
    assert match(text, "a" * longest + "b") == "E_QUOTA"


def test_a_loop_that_commits_needs_one_place() -> None:
    assert match("[^b]*b", "a" * 200_000 + "b") == [[1, 200_001]]
    assert match("%(ac%)*b", "ac" * 70_000 + "b")[0] == [1, 140_001]


class Patience(Meter):
    """Runs out after some reports, as a task's seconds do."""

    def __init__(self, reports: int) -> None:
        self.reports = reports

    def spend(self, steps: int) -> None:
        self.reports -= 1
        if self.reports < 0:
            raise TaskAborted(AbortReason.SECONDS)


class Steps(Meter):
    """Counts."""

    def __init__(self) -> None:
        self.steps = 0

    def spend(self, steps: int) -> None:
        self.steps += steps


@MATCHERS
@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("%(%)%(a+%)+%1$", "a" * 40 + "b"),
        ("%(%)%(a%|a%)*%1c", "a" * 60 + "b"),
        ("%(.*%)%1x", "ab" * 5_000),
        (".*.*.*x", "a" * 30_000),
        ("%(%)" + "a?" * 40 + "%1" + "a" * 40, "a" * 39),
    ],
)
def test_a_match_that_would_take_forever_can_be_stopped(
    make: Any, text: str, subject: str
) -> None:
    pattern = make(text, exact_case=True)
    with pytest.raises(TaskAborted):
        pattern.match(subject, meter=Patience(50))


@MATCHERS
@pytest.mark.parametrize("reverse", [False, True])
def test_a_match_that_would_take_forever_can_be_given_up(
    make: Any, reverse: bool
) -> None:
    pattern = make("%(%)%(a+%)+%1$", exact_case=True)
    meter = Steps()
    with pytest.raises(MooError) as caught:
        pattern.match("a" * 40 + "b", reverse=reverse, meter=meter, most_steps=50_000)
    assert caught.value.code is E_QUOTA
    assert 50_000 < meter.steps < 60_000


@MATCHERS
def test_groups_of_a_match_are_given_up_where_ways_that_failed_would_decide_them(
    make: Any,
) -> None:
    """What the groups are depends on the last of the ways that are left out."""
    pattern = make("%(%(a%|aa%)+c%|a*%)$", exact_case=True)
    with pytest.raises(MooError) as caught:
        pattern.match("a" * 60, most_steps=50_000)
    assert caught.value.code is E_QUOTA


@MATCHERS
def test_a_long_subject_allows_more_steps(make: Any) -> None:
    pattern = make("%([^x]*%)x", exact_case=True)
    meter = Steps()
    found = pattern.match("a" * 100_000 + "x", meter=meter, most_steps=10)
    assert found is not None
    assert found[0] == (1, 100_001)


@MATCHERS
@pytest.mark.parametrize("text", ["x", "[^a]", "%(x%)*y", "%wx"])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_search_through_a_long_subject_can_be_stopped(
    make: Any, text: str, reverse: bool
) -> None:
    pattern = make(text, exact_case=True)
    with pytest.raises(TaskAborted):
        pattern.match("a" * 9_000_000, reverse=reverse, meter=Patience(0))


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "%(a%)" * 30_000, "a*" + "b?" * 50_000, "a" + "*" * 100_000]
)
def test_the_compilation_of_a_long_pattern_can_be_stopped(text: str) -> None:
    with pytest.raises(TaskAborted):
        compile_pattern(text, exact_case=True, meter=Patience(10))


def test_a_pattern_of_100000_operators_compiles_without_recursion() -> None:
    assert match("a" + "?" * 100_000, "a") == "E_QUOTA"
    assert match("a%(b%)" * 20_000, "x") == []


def test_long_patterns_are_not_translated() -> None:
    pattern = by_regex("a" * (regex.LONGEST_TEXT + 1), exact_case=True)
    pattern._translate()
    assert not is_translated(pattern)


# --- cache ----------------------------------------------------------------


def test_the_cache_keeps_what_was_used_last() -> None:
    cache = PatternCache(2)
    first = cache.get("a", exact_case=False)
    cache.get("b", exact_case=False)
    assert cache.get("a", exact_case=False) is first
    cache.get("c", exact_case=False)
    assert len(cache) == 2
    assert cache.get("a", exact_case=False) is first
    assert (cache.hits, cache.misses) == (2, 3)


def test_the_cache_tells_the_cases_apart() -> None:
    cache = PatternCache()
    assert cache.get("a", exact_case=False).match("A") is not None
    assert cache.get("a", exact_case=True).match("A") is None


def test_a_refused_pattern_is_refused_again() -> None:
    cache = PatternCache()
    for _ in range(2):
        with pytest.raises(MooError):
            cache.get("a%", exact_case=False)
    assert (len(cache), cache.misses) == (0, 2)


def test_the_cache_does_not_keep_very_long_patterns() -> None:
    cache = PatternCache()
    cache.get("a" * 20_000, exact_case=False)
    assert len(cache) == 0
    cache.get("a", exact_case=False)
    cache.clear()
    assert len(cache) == 0


# --- substitute -----------------------------------------------------------

UNSET = (0, -1)
FOUND: Any = (2, 4, ((2, 2), (4, 3), *(UNSET,) * 7), "foobar")


@pytest.mark.parametrize(
    ("template", "result"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<%0>", "<oob>"),
        ("%1%2%3%9", "o"),
        ("%%0", "%0"),
        ("%%%0%%", "%oob%"),
    ],
)
def test_substitute_replaces_percent_and_digit(template: str, result: str) -> None:
    assert substitute(template, FOUND, max_length=100) == result


@pytest.mark.parametrize("template", ["%", "abc%", "%a", "%%%", "% ", "%\xb2"])
def test_substitute_refuses_anything_else_after_a_percent(template: str) -> None:
    with pytest.raises(MooError) as caught:
        substitute(template, FOUND, max_length=100)
    assert caught.value.code is E_INVARG


@pytest.mark.parametrize(
    "found",
    [
        (),
        (1, 2, (UNSET,) * 9),
        (1, 2, (UNSET,) * 9, "ab", 0),
        (1, 2, (UNSET,) * 8, "ab"),
        (1, 2, (UNSET,) * 10, "ab"),
        (1, 2, (*(UNSET,) * 8, 0), "ab"),
        (1, 2, (*(UNSET,) * 8, (1,)), "ab"),
        (1, 2, (*(UNSET,) * 8, (1, 1.0)), "ab"),
        (1, 2, (*(UNSET,) * 8, (1, 3)), "ab"),
        (1, 2, (*(UNSET,) * 8, (0, 0)), "ab"),
        (2, 0, (UNSET,) * 9, "ab"),
        (1, 3, (UNSET,) * 9, "ab"),
        (1.0, 2, (UNSET,) * 9, "ab"),
        (1, 2, "nine", "ab"),
        (1, 2, (UNSET,) * 9, 5),
    ],
)
def test_substitute_refuses_what_match_cannot_give(found: Any) -> None:
    with pytest.raises(MooError) as caught:
        substitute("no percent", found, max_length=100)
    assert caught.value.code is E_INVARG


def test_substitute_gives_up_where_the_result_is_too_long() -> None:
    assert substitute("%0%0", FOUND, max_length=6) == "ooboob"
    assert substitute("%0%0", FOUND, max_length=5) is None
    # What comes after the place where it is too long is not looked at.
    assert substitute("%0%0%0%q", FOUND, max_length=7) is None
    with pytest.raises(MooError):
        substitute("%0%0%q", FOUND, max_length=7)


def test_substitute_may_always_be_as_long_as_all_but_the_end_of_its_template() -> None:
    assert substitute("%%%%%%", FOUND, max_length=1) == "%%%"
    assert substitute("abc", FOUND, max_length=2) is None


@given(st.text("ab", max_size=10), PATTERNS)
def test_percent_zero_is_what_matched(subject: str, text: str) -> None:
    pairs = answer(by_machine, text, True, subject, False)
    if isinstance(pairs, str) or not pairs:
        return
    (start, end), *groups = [tuple(pair) for pair in pairs]
    if all(group_start <= group_end + 1 for group_start, group_end in groups):
        groups += [UNSET] * (9 - len(groups))
        found: Any = (start, end, tuple(groups), subject)
        assert substitute("%0", found, max_length=10) == subject[start - 1 : end]


def test_substitute_tells_the_meter() -> None:
    with pytest.raises(TaskAborted):
        substitute("%%" * 100_000, FOUND, max_length=1_000_000, meter=Patience(5))
    assert substitute("%%" * 9, FOUND, max_length=9, meter=UNMETERED) == "%" * 9
