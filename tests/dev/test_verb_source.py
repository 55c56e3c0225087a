"""``pymoo debug``: the code of a verb, and what it is compiled to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pymoo.dev.verb_source import NoSuchVerbError, show_verb
from pymoo.lang.dialect import PYMOO
from pymoo.worlds.starter import copy_starter
from tests.db.worlds import DATA
from tests.shell import typed

MINIMAL = DATA / "Minimal.db"


@pytest.fixture
def starter(tmp_path: Path) -> str:
    path = tmp_path / "world.db"
    copy_starter(path)
    return str(path)


def shown(
    capsys: pytest.CaptureFixture[str], path: object, verb: str, *, compiled: bool
) -> str:
    show_verb(str(path), verb, PYMOO, compiled=compiled)
    seen = capsys.readouterr()
    assert seen.err == ""
    return seen.out


def test_the_code_is_shown_as_it_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    seen = shown(capsys, MINIMAL, "#0:do_login_command", compiled=False)
    assert seen == "return #3;\n"


def test_what_it_is_compiled_to_is_a_python_function(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen = shown(capsys, MINIMAL, "#0:do_login_command", compiled=True)
    compile(seen, "source", "exec")
    assert seen.startswith("# k1: #3\ndef verb(vm, act, v_args):\n")


def test_what_names_in_it_stand_for_is_told(
    capsys: pytest.CaptureFixture[str], starter: str
) -> None:
    seen = shown(capsys, starter, "$string_utils:space", compiled=True)
    comments, _, source = seen.partition("def verb(")
    assert "# k1: E_INVARG\n" in comments
    assert all(line.startswith("# ") for line in comments.splitlines())
    named = set(re.findall(r"\bk[0-9]+\b", source))
    assert named == set(re.findall(r"^# (k[0-9]+): ", comments, re.MULTILINE))
    compile(seen, "source", "exec")


def test_a_name_is_taken_as_it_stands_in_lists_of_verbs(
    capsys: pytest.CaptureFixture[str], starter: str
) -> None:
    """With stars no call could have it: the name without them is what is meant."""
    plain = shown(capsys, starter, "$string_utils:english_list", compiled=False)
    assert plain.startswith('"english_list(')
    for starred in ("$string_utils:english_*list", "$string_utils:english_list*"):
        assert shown(capsys, starter, starred, compiled=False) == plain


@pytest.mark.parametrize(
    ("verb", "message"),
    [
        ("#0:nope", "#0:nope: That object does not have that verb definition."),
        ("#0:*", "#0:*: That object does not have that verb definition."),
        ("#0", "#0: You must specify a verb; use the format object:verb."),
        ("#99:look", '#99:look: I don\'t see "#99" here.'),
        ("$nope:look", '$nope:look: "$nope" is not a valid object.'),
    ],
)
def test_a_verb_that_is_not_there_is_refused(
    starter: str, verb: str, message: str
) -> None:
    with pytest.raises(NoSuchVerbError) as refusal:
        show_verb(starter, verb, PYMOO, compiled=True)
    assert str(refusal.value) == f"{starter}: {message}"


def test_where_a_verb_is_inherited_from_is_told(starter: str, tmp_path: Path) -> None:
    with pytest.raises(NoSuchVerbError) as refusal:
        show_verb(starter, "#2:@who", PYMOO, compiled=False)
    message = str(refusal.value)
    assert " It inherits one: pymoo debug " in message
    command = message.partition("inherits one: ")[2]
    assert typed(command, tmp_path).startswith('"who [<player> ...]')


def test_a_verb_without_a_program_is_told_apart(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_verb(str(MINIMAL), "#2:eval", PYMOO, compiled=False)
    seen = capsys.readouterr()
    assert seen.out == ""
    assert seen.err.endswith("#2:eval: it has no program: a call of it does nothing\n")


@pytest.mark.parametrize(
    "program",
    ["x = {x};\n" * 20_000, "return " + "(" * 3000 + "1" + " + x)" * 3000 + ";\n"],
)
def test_what_stays_with_the_walker_is_told_with_its_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, program: str
) -> None:
    path = tmp_path / "big.db"
    path.write_text(MINIMAL.read_text().replace("return #3;\n", program))
    assert shown(capsys, path, "#0:do_login_command", compiled=True) == (
        "# This verb stays with the walker, as it is very long, or nested too deep for "
        "Python.\n"
    )
