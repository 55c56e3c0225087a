"""Judges answers by the expectations of moo-conformance-tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from pymoo.conform.cases import Comparison
from pymoo.conform.literals import Word, parse_literal

_TOLERANCE: Final = 1e-9
_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "int": lambda value: type(value) is int,
    "float": lambda value: type(value) is float,
    "str": lambda value: type(value) is str,
    "list": lambda value: type(value) is list,
    "map": lambda value: type(value) is dict,
    "obj": lambda value: isinstance(value, Word) and value.text.startswith("#"),
    "err": lambda value: isinstance(value, Word) and value.text.startswith("E_"),
    "anon": lambda value: isinstance(value, Word) and value.text.startswith("*"),
}


@frozen
class Outcome:
    """What became of a program: ``kind`` is value, error, compile or nothing.

    ``literal`` is the value, the code of the error, or the list of messages.
    """

    kind: str
    literal: str
    notifications: tuple[str, ...] = ()

    @property
    def data(self) -> Any:
        """The literal as plain data.  Raises: NotALiteralError."""
        return parse_literal(self.literal)

    def __str__(self) -> str:
        match self.kind:
            case "value":
                return f"=> {self.literal}"
            case "error":
                return f"raised {self.literal}"
            case "compile":
                return f"does not compile: {self.literal}"
            case _:
                return f"no answer {self.literal}".rstrip()


def same(expected: Any, found: Any) -> bool:
    """Whether an answer is what a YAML value says.

    Objects and errors are strings there, objects also integers; an integer matches
    an equal float, floats match nearly.
    """
    pairs = [(expected, found)]
    while pairs:
        wanted, value = pairs.pop()
        if isinstance(wanted, list) and isinstance(value, list):
            if len(wanted) != len(value):
                return False
            pairs += zip(wanted, value, strict=True)
        elif isinstance(wanted, dict) and isinstance(value, dict):
            keys = {_key(key): each for key, each in value.items()}
            if len(wanted) != len(keys):
                return False
            for key, each in wanted.items():
                if _key(key) not in keys:
                    return False
                pairs.append((each, keys[_key(key)]))
        elif not _same_atom(wanted, value):
            return False
    return True


def _key(key: Any) -> Any:
    return key.text if isinstance(key, Word) else key


def _same_atom(wanted: Any, value: Any) -> bool:
    if isinstance(value, Word):
        if isinstance(wanted, bool):
            return value.text == str(wanted).lower()
        if isinstance(wanted, int):
            return value.text == f"#{wanted}"
        return bool(value.text == wanted)
    if isinstance(wanted, bool):
        # YAML's true is 1 where there is no such type.
        return type(value) is int and value == int(wanted)
    if isinstance(wanted, (int, float)) and isinstance(value, (int, float)):
        if isinstance(wanted, int) and isinstance(value, int):
            return wanted == value
        return abs(wanted - value) <= _TOLERANCE * max(1.0, abs(wanted))
    return type(wanted) is type(value) and bool(wanted == value)


def judge(
    expect: Mapping[str, Any] | None,
    outcome: Outcome,
    comparison: Comparison,
    satisfies: Callable[[str, str], Outcome],
) -> None:
    """Compare an outcome with all that is expected of it.

    ``satisfies(expression, literal)`` asks the server for an expression about the
    answer.
    """
    expect = expect or {}
    if "error" in expect:
        holds = outcome.literal == expect["error"] and (
            outcome.kind == "error"
            # Where eval() does not tell them apart, an error is a value.
            or (outcome.kind == "value" and outcome.literal.startswith("E_"))
        )
        comparison.verdict("error", holds, f"raised {expect['error']}", str(outcome))
        return
    if outcome.kind == "compile" and set(expect) == {"match"}:
        _match(expect["match"], outcome, comparison)
        return
    if outcome.kind != "value":
        comparison.verdict("value", False, expect or "a value", str(outcome))
        return
    data = outcome.data
    if "value" in expect:
        comparison.verdict(
            "value", same(expect["value"], data), expect["value"], str(outcome)
        )
    if "type" in expect:
        comparison.verdict(
            "value",
            _TYPES[expect["type"]](data),
            f"type {expect['type']}",
            str(outcome),
        )
    if "match" in expect:
        _match(expect["match"], outcome, comparison)
    if "contains" in expect:
        comparison.verdict(
            "value",
            _contains(expect["contains"], data),
            f"contains {expect['contains']!r}",
            str(outcome),
        )
    if "range" in expect:
        low, high = expect["range"]
        holds = isinstance(data, (int, float)) and low <= data <= high
        comparison.verdict("value", holds, f"{low} to {high}", str(outcome))
    if "satisfies" in expect:
        verdict = satisfies(str(expect["satisfies"]), outcome.literal)
        holds = (
            verdict.kind == "value"
            and bool(verdict.data)
            and not isinstance(verdict.data, Word)
        )
        comparison.verdict("value", holds, f"{expect['satisfies']}", str(outcome))
    for text in expect.get("notifications", ()):
        comparison.verdict(
            "output",
            any(text in line for line in outcome.notifications),
            f"a line with {text!r}",
            outcome.notifications,
        )
    if not comparison.checked:
        comparison.verdict("value", True, "", "")


def _match(pattern: str, outcome: Outcome, comparison: Comparison) -> None:
    data = outcome.data
    texts = [_text(each) for each in data] if isinstance(data, list) else [_text(data)]
    holds = any(re.search(pattern, text) for text in texts)
    comparison.verdict("value", holds, f"matches {pattern!r}", str(outcome))


def _text(value: Any) -> str:
    return value.text if isinstance(value, Word) else str(value)


def _contains(wanted: Any, data: Any) -> bool:
    if isinstance(data, list):
        return any(same(wanted, each) for each in data)
    if isinstance(data, dict):
        return any(same(wanted, key) for key in data)
    return isinstance(data, str) and str(wanted) in data


def judge_output(expect: Any, lines: Sequence[str], comparison: Comparison) -> None:
    """Compare printed lines with a string, a list, or tests of their own."""
    joined = "\n".join(lines)
    if isinstance(expect, dict):
        if "exact" in expect:
            judge_output(expect["exact"], lines, comparison)
        if "match" in expect:
            pattern = expect["match"]
            found = re.search(pattern, joined)
            comparison.verdict("output", bool(found), f"matches {pattern!r}", lines)
        if "contains" in expect:
            text = str(expect["contains"])
            comparison.verdict("output", text in joined, f"a line with {text!r}", lines)
    elif isinstance(expect, list):
        comparison.part("output", [str(each) for each in expect], list(lines))
    else:
        comparison.verdict("output", joined == str(expect), str(expect), lines)
