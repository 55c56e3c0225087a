"""crypt() against recorded answers, and what it costs.

``crypt.jsonl`` was recorded from ``crypt()`` of LambdaMOO 1.8.3, built with
libxcrypt 4.4.33; a line is [password, salt, answer].
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pymoo.errors import AbortReason, TaskAborted
from pymoo.interp.crypt import MAX_PHRASE, crypt, random_salt
from pymoo.values import Meter

RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "crypt.jsonl")
    .read_text("ascii")
    .splitlines()
]

SALT = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def hashed(phrase: str, salt: str) -> str:
    return crypt(phrase.encode("latin-1"), salt)


def test_every_recorded_answer_is_given() -> None:
    assert [
        (phrase, salt, recorded, found)
        for phrase, salt, recorded in RECORDED
        if (found := hashed(phrase, salt)) != recorded
    ] == []


def test_the_recorded_answers_are_of_every_method() -> None:
    methods = {recorded[:3] for _, _, recorded in RECORDED if recorded[0] in "$"}
    assert methods == {"$1$", "$5$", "$6$"}
    lengths = {len(recorded) for *_, recorded in RECORDED if recorded[0] not in "$_*"}
    assert {13, 24, 178} <= lengths
    assert {"*0", "*1"} <= {recorded for *_, recorded in RECORDED}
    assert any(recorded.startswith("_") for *_, recorded in RECORDED)


@pytest.mark.parametrize(
    ("phrase", "salt", "answer"),
    [
        ("foobar", "sa", "sa.O78kJU2dJ."),
        ("", "ab", "abmF1QH4PEr.E"),
        ("foo", "$1$ab", "$1$ab$KdoFYgkGJOZ629oOkVUuD."),
        (
            "Hello world!",
            "$5$saltstring",
            "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
        ),
        (
            "Hello world!",
            "$5$rounds=10000$saltstringsaltstring",
            "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9Av"
            "LeujZkZRBAwqFMz2.opqey6IcA",
        ),
        (
            "Hello world!",
            "$6$saltstring",
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/"
            "O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
        ),
    ],
)
def test_known_answers(phrase: str, salt: str, answer: str) -> None:
    assert hashed(phrase, salt) == answer


@settings(max_examples=30)
@given(
    st.text("aé~\x01", max_size=20),
    st.text(SALT, min_size=2, max_size=2)
    | st.text(SALT, max_size=10).map(lambda salt: f"$1${salt}")
    | st.text(SALT, max_size=20).map(lambda salt: f"$5$rounds=1000${salt}")
    | st.text(SALT, max_size=20).map(lambda salt: f"$6$rounds=1000${salt}")
    | st.text(SALT, min_size=4, max_size=4).map(lambda salt: f"_1...{salt}"),
)
def test_the_answer_can_be_given_as_the_salt_when_a_password_is_checked(
    phrase: str, salt: str
) -> None:
    answer = hashed(phrase, salt)
    assert not answer.startswith("*")
    assert hashed(phrase, answer) == answer


def test_des_looks_at_eight_characters_of_seven_bits() -> None:
    assert hashed("password", "ab") == hashed("passwordX", "ab")
    assert hashed("a", "ab") == hashed("\xe1", "ab")
    assert hashed("passworX", "ab") != hashed("password", "ab")


def test_a_hash_of_the_chained_method_looks_at_all_of_a_longer_password() -> None:
    short = hashed("passwordpassword", "ab")
    long = hashed("passwordpassword", "ab" + "." * 12)
    assert long[:13] == short
    assert len(long) == 24
    assert hashed("passwordpassword", long) == long
    assert hashed("passwordpassworX", long) != long


@pytest.mark.parametrize(
    "salt", ["", "a", "a!", "ab c", "$9$ab", "$2b$04$", "é1", "*1"]
)
def test_a_salt_that_is_not_understood_gives_a_text_that_is_no_hash(salt: str) -> None:
    assert hashed("foo", salt) == "*0"


def test_the_text_that_is_no_hash_is_not_its_own_hash() -> None:
    assert hashed("foo", "*0") == "*1"


def test_a_password_may_have_511_characters() -> None:
    assert hashed("a" * MAX_PHRASE, "$1$ab") != "*0"
    assert hashed("a" * (MAX_PHRASE + 1), "$1$ab") == "*0"


class Patience(Meter):
    """Runs out after some reports, as a task's seconds do."""

    def __init__(self, reports: int) -> None:
        self.reports = reports

    def spend(self, steps: int) -> None:
        self.reports -= 1
        if self.reports < 0:
            raise TaskAborted(AbortReason.SECONDS)


@pytest.mark.parametrize(
    "salt", ["$5$rounds=999999999$ab", "$6$rounds=999999999$ab", "_zzzzabcd"]
)
def test_a_salt_that_asks_for_a_billion_rounds_can_be_stopped(salt: str) -> None:
    with pytest.raises(TaskAborted):
        crypt(b"foo", salt, meter=Patience(3))


def test_a_random_salt_is_one_of_des() -> None:
    generator = Random(5)
    salts = {random_salt(generator) for _ in range(2_000)}
    assert {character for salt in salts for character in salt} == set(SALT)
    assert {len(salt) for salt in salts} == {2}
