"""The format of moo-conformance-tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pymoo.conform.cases import CaseError
from pymoo.conform.inprocess import InProcessLauncher
from pymoo.conform.literals import Word, parse_literal
from pymoo.conform.profiles import PROFILES, profile
from pymoo.conform.report import Report
from pymoo.conform.run import chosen, run
from pymoo.conform.toast import expanded, read_toast
from pymoo.conform.toast_expect import same
from pymoo.conform.toast_play import moo_literal


def played(tmp_path: Path, text: str) -> Report:
    (tmp_path / "a.yaml").write_text("name: a\n" + text)
    suite = read_toast(tmp_path, PROFILES["lambdamoo"])
    return run(chosen([suite]), InProcessLauncher("lambdamoo"))


def failed(report: Report) -> list[str]:
    return [result.case.name for result in report.failures]


def test_a_table_of_rows_makes_a_case_of_each() -> None:
    test = {
        "name": "add {index}: {a}",
        "code": "{a} + 1",
        "expect": {"value": "{sum}"},
        "table": {"columns": ["a", "sum"], "rows": [[1, 2], [5, 6]]},
    }
    assert expanded(test) == [
        {"name": "add 0: 1", "code": "1 + 1", "expect": {"value": 2}},
        {"name": "add 1: 5", "code": "5 + 1", "expect": {"value": 6}},
    ]


def test_a_product_makes_a_case_of_each_combination() -> None:
    test = {
        "name": "{a}{b}",
        "code": "{a}",
        "table": {"product": [{"rows": [{"a": 1}, {"a": 2}]},
                              {"columns": ["b"], "rows": ["x", "y"]}]},
    }  # fmt: skip
    assert [each["name"] for each in expanded(test)] == ["1x", "1y", "2x", "2y"]


@pytest.mark.parametrize(
    ("expected", "literal", "holds"),
    [
        (1, "1", True),
        (1, "1.0", True),
        (1.5, "1.5000000000001", True),
        (1.5, "1.51", False),
        ("a", '"a"', True),
        ("A", '"a"', False),
        ("#3", "#3", True),
        (3, "#3", True),
        ("E_PERM", "E_PERM", True),
        ([1, ["x"]], '{1, {"x"}}', True),
        ([1], "{1, 2}", False),
        ({"a": 1}, '["a" -> 1]', True),
        ({"a": 1}, '["a" -> 2]', False),
        (True, "true", True),
        (1, '"1"', False),
    ],
)
def test_values_are_compared_as_the_suite_means_them(
    expected: Any, literal: str, holds: bool
) -> None:
    assert same(expected, parse_literal(literal)) is holds


def test_captured_values_are_put_in_as_literals() -> None:
    value = ["a", 1, 1.5, "#3", Word("E_PERM"), {"k": [True]}]
    assert moo_literal(value) == '{"a", 1, 1.5, #3, E_PERM, ["k" -> {1}]}'


CASES = """tests:
  - name: passes
    code: 1 + 1
    expect: {value: 2}
  - name: wrong value
    code: 1 + 1
    expect: {value: 3}
  - name: error
    code: 1 / 0
    expect: {error: E_DIV}
  - name: wrong error
    code: 1 / 0
    expect: {error: E_PERM}
  - name: setup
    setup: x = 5;
    statement: return x;
    expect: {value: 5, type: int, range: [1, 9], satisfies: __actual__ > 4}
  - name: printed
    statement: notify(player, "seen"); return {1, "abc"};
    expect: {notifications: [see], contains: abc, match: b}
  - name: does not compile
    code: 1 +
    expect: {match: syntax error}
  - name: wizard
    permission: wizard
    code: player.wizard
    expect: {value: 1}
  - name: suspended
    statement: suspend(1); return 7;
    expect: {value: 7}
  - name: table {n}
    code: "{n} * 2"
    expect: {value: "{m}"}
    table: {columns: [n, m], rows: [[1, 2], [2, 5]]}
  - name: steps
    permission: wizard
    steps:
      - run: create($nothing)
        capture: o
      - verb_setup: {object: "{o}", name: twice, code: "return args[1] * 2;"}
      - run: "{o}:twice(4)"
        expect: {value: 8}
      - command: "; return 5;"
        expect: {output: {contains: "5"}}
      - new_connection: guest
      - send: {connection: guest, text: connect Player}
        expect: {output: "*** Created ***"}
      - close_connection: guest
      - wait: 10
      - assert_log: {contains: "CREATED:", not_contains: PANIC}
    cleanup:
      - run: recycle({o})
  - name: skipped by builtin
    skip_if: missing builtin.nosuch
    code: 1
  - name: skipped by feature
    skip_if: not feature.64bit or option.OUTBOUND_NETWORK
    code: 1
  - name: skipped
    skip: not now
    code: 1
"""


def test_cases_are_run_and_judged(tmp_path: Path) -> None:
    report = played(tmp_path, CASES)
    texts = "\n".join(map(report.failure_text, report.failures))
    assert failed(report) == ["wrong value", "wrong error", "table 2"], texts
    skipped = {r.case.name: r.skipped for r in report.results if r.skipped}
    assert skipped == {
        "skipped by builtin": "missing builtin.nosuch",
        "skipped by feature": "not feature.64bit",
        "skipped": "not now",
    }


def test_files_may_require_what_a_server_has(tmp_path: Path) -> None:
    text = "requires: {builtins: [nosuch]}\ntests:\n  - {name: a, code: 1}\n"
    (result,) = played(tmp_path, text).results
    assert result.skipped == "there is no function nosuch()"


def test_what_builds_on_a_failed_provider_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(
        "name: b\nassumes: [tasks]\ntests:\n  - {name: builds, code: 1}\n"
    )
    text = "tests:\n  - {name: gives, provides: tasks, code: 1 / 0}\n"
    report = played(tmp_path, text)
    assert [(r.case.name, r.skipped) for r in report.results] == [
        ("gives", ""),
        ("builds", "tasks failed"),
    ]


def test_a_restart_keeps_what_was_saved(tmp_path: Path) -> None:
    report = played(
        tmp_path,
        """tests:
  - name: restarts
    permission: wizard
    steps:
      - run: add_property(#0, "kept", 5, {player, "rw"})
      - restart_server: {wait_ms: 10}
      - run: "#0.kept"
        expect: {value: 5}
""",
    )
    assert failed(report) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tests: 5\n", "expected a mapping with name and tests"),
        ("tests:\n  - {name: a, cod: 1}\n", "there is no key 'cod'"),
        ("tests:\n  - {code: 1}\n", "case 1: expected a mapping with name"),
    ],
)
def test_a_bad_file_is_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CaseError, match=message):
        played(tmp_path, text)


def test_a_profile_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{"feature.maps": true, "option.ONLY_32_BITS": false}')
    found = profile(str(path))
    assert (found.name, found.has("feature.maps")) == ("mine", True)
    assert found.has("feature.64bit")
    assert not found.has("feature.unheard_of")


@pytest.mark.parametrize("text", ["[]", '{"feature.maps": 1}', "nonsense"])
def test_a_bad_profile_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(CaseError, match=r"mine\.json"):
        profile(str(path))
