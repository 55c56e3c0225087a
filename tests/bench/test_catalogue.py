"""The names of the cases, and choosing by them."""

from __future__ import annotations

import pytest

from pymoo.bench.cases import BenchError
from pymoo.bench.catalogue import all_cases, chosen

CASES = all_cases()


def names(*words: str) -> list[str]:
    return [case.id for case in chosen(CASES, words)]


def test_no_two_cases_have_one_name() -> None:
    assert len({case.id for case in CASES}) == len(CASES)


def test_every_class_of_work_has_cases() -> None:
    groups = (
        "loops calls lists strings properties builtins floats objects tasks utilities "
        "commands mix start memory queue runaway growth"
    )
    assert list(dict.fromkeys(case.group for case in CASES)) == groups.split()


def test_a_group_stands_for_its_cases() -> None:
    assert names("loops") == [case.id for case in CASES if case.group == "loops"]


def test_a_case_is_chosen_by_its_name() -> None:
    assert names("calls/fib") == ["calls/fib"]


def test_a_pattern_stands_for_the_names_that_it_fits() -> None:
    assert names("growth/list-index-*") == [
        "growth/list-index-10",
        "growth/list-index-1000",
        "growth/list-index-100000",
    ]


def test_what_is_chosen_twice_is_measured_once_and_in_order() -> None:
    assert names("calls/fib", "loops", "calls/*") == names("loops", "calls")


def test_a_long_case_is_measured_only_if_it_is_named() -> None:
    assert "start/objects-100000" not in names()
    assert "start/objects-100000" not in names("start")
    assert names("start/objects-100000") == ["start/objects-100000"]


def test_the_mix_has_as_many_players_as_are_asked_for() -> None:
    mix = chosen(all_cases((2, 50)), ["mix"])
    assert [case.id for case in mix] == ["mix/2", "mix/50"]


def test_a_word_that_means_no_case_is_an_error_that_names_the_groups() -> None:
    with pytest.raises(BenchError) as error:
        chosen(CASES, ["loops", "lops"])
    assert str(error.value).startswith("no case is called 'lops'. The groups are loops")
