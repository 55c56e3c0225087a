"""The project's own format: what is read, what is written, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.conform.cases import Answer, CaseError
from pymoo.conform.own import (
    Row,
    Script,
    answer_of,
    answer_row,
    read_topic,
    topic_text,
    without_our_frames,
)
from pymoo.values import ERROR_CODES, literal
from tests.strategies import values

PATH = Path("topic.yaml")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "topic.yaml"
    path.write_text(text, "utf-8")
    return path


def test_scalars_are_text_whatever_they_look_like(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "topic: t\ncases:\n  - name: yes\n    code: return 1;\n    value: 007\n",
    )
    (case,) = read_topic(path, "t").cases
    assert case.title == "t/yes"
    assert case.row["value"] == "007"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1\n", r"topic\.yaml:1: expected a mapping with topic and cases"),
        ("topic: [\n", r"topic\.yaml: not YAML"),
        ("topic: t\ncases:\n  - code: x\n", "case 1: expected a mapping with name"),
        (
            "topic: t\ncases:\n  - name: a\n    code: x\n    vaule: 1\n",
            r"topic\.yaml:3: there is no key 'vaule': known are",
        ),
        ("topic: t\ncases:\n  - name: a\n", "3: expected either code or steps"),
        (
            "topic: t\ncases:\n  - name: a\n    code: x\n  - name: a\n    code: y\n",
            "5: there is a case 'a' already",
        ),
        (
            "topic: t\ncases:\n  - name: a\n    code: x\n    name: b\n",
            "the key 'name' stands here twice",
        ),
        (
            "topic: t\ncases:\n  - name: a\n    code: x\n    as: nobody\n",
            "3: as 'nobody': expected one of wizard, programmer, visitor",
        ),
        (
            "topic: t\ncases:\n  - name: a\n    steps:\n      - as: wizard\n",
            "5: expected one of code, command, .* in a step",
        ),
        (
            "topic: t\ncases:\n  - name: a\n    code: x\n    value: 1\n    ticks: x\n",
            "3: ticks: expected a number",
        ),
        (
            "topic: t\ncases:\n  - name: a\n    code: x\n    error: '\"mine\"'\n",
            '3: error "mine" needs a message',
        ),
    ],
)
def test_a_bad_file_is_told_with_its_place(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(CaseError, match=message):
        read_topic(written(tmp_path, text), "t")


_LINES = st.lists(
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
    max_size=3,
).map(tuple)

answers = st.one_of(
    st.builds(
        Answer,
        st.just("ok"),
        values().map(literal),
        output=_LINES,
        ticks=st.none() | st.integers(-5, 40_000),
        after=st.none() | values().map(literal),
    ),
    st.builds(
        lambda code, value, lines: Answer(
            "raise",
            f'{{{code.name}, "{code.message}", {literal(value)}}}',
            "{}",
            lines,
            3,
        ),
        st.sampled_from(ERROR_CODES),
        values(),
        _LINES,
    ),
    st.builds(
        lambda text: Answer("raise", f"{{{literal(text)}, {literal(text)}, 0}}", "{}"),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=9),
    ),
    st.just(Answer("compile", '{"Line 1:  syntax error", "Line 2:  \\"x\\""}')),
    st.builds(Answer, st.just("abort"), output=_LINES),
)


@given(answers)
def test_an_answer_that_is_written_is_read_again(answer: Answer) -> None:
    row = Row(answer_row(answer))
    assert answer_of(row, PATH) == answer


@given(answers)
def test_a_file_that_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, answer: Answer
) -> None:
    case = {"name": "it's: a #name", "code": "x;\ny;\n", **answer_row(answer)}
    path = tmp_path_factory.mktemp("own") / "topic.yaml"
    path.write_text(topic_text({"topic": "a topic", "cases": [case]}), "utf-8")
    (found,) = read_topic(path, "t").cases
    assert not isinstance(found, Script)
    assert found.expected == answer
    assert found.code == "x; y;"
    assert topic_text(read_topic(path, "t").row) == path.read_text("utf-8")


def test_the_activations_below_a_program_are_left_out() -> None:
    mine = '{#-1, "", #3, #-1, #3, 1}'
    ours = '{#-1, "eval", #-1, #-1, #3, 2}, {#2, "go", #3, #2, #3, 7}'
    found = without_our_frames(Answer("raise", "{E_DIV, 1, 0}", f"{{{mine}, {ours}}}"))
    assert found.traceback == f"{{{mine}}}"
    found = without_our_frames(
        Answer("raise", "{E_PERM, 1, 0}", '{{#2, "go", #5, #2, #5, 7}}')
    )
    assert found.traceback == "{}"


def test_the_lines_below_a_program_are_left_out() -> None:
    lines = (
        "#-1:Input to EVAL, line 1:  Division by zero",
        "... called from built-in function eval()",
        "... called from #2:u, line 7",
        "(End of traceback)",
    )
    found = without_our_frames(Answer("abort", output=lines))
    assert found.output == (lines[0], lines[3])


def test_an_eval_of_the_program_itself_stays() -> None:
    lines = (
        "... called from built-in function eval()",
        "... called from #-1:Input to EVAL, line 1",
    )
    assert without_our_frames(Answer("abort", output=lines)).output == lines
