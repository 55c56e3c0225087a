"""Everything that 1.8.3 has, has a case; what that is comes from our own tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest
from attrs import fields

from pymoo.builtins.registry import CLASSIC_ORDER
from pymoo.conform.own import OwnProgram, Row, Topic, answer_of, is_yes
from pymoo.conform.own_suite import read_own
from pymoo.conform.run import own_cases
from pymoo.db.objects import BUILTIN_PROPERTIES
from pymoo.db.prepositions import PREPOSITIONS
from pymoo.errors import MooSyntaxError
from pymoo.lang import nodes as n
from pymoo.lang.parser import parse_program
from pymoo.options import SERVER_OPTIONS
from pymoo.values import ERROR_CODES

# Every function is in these two, whether or not a case says what it computes.
MECHANICAL = ("builtins/descriptions", "builtins/arguments")

# These are not there for programs: values that follow from others, or parts.
ABSTRACT = {
    n.Node,
    n.Expression,
    n.Statement,
    n.Unary,
    n.Binary,
    n.Logical,
    n.LoopExit,
}

# What no case can bring about within a minute, each with its reason.
NOT_ASKED = {
    "name_lookup_timeout": "needs a name server that does not answer",
    "outbound_connect_timeout": "outgoing connections are off by default",
    "hard_seconds": "LambdaMOO looks at the clock of the CPU alone",
    "invoked_output_mark": "LambdaMOO 1.8.3 has no invoke()",
    "limit_reading_tasks": "LambdaMOO never counts them",
    "max_task_mailbox": "LambdaMOO has no messages between tasks",
    "task_clock": "LambdaMOO was built with the one",
    "timezone": "LambdaMOO 1.8.3 has no schedules",
    "worker_timeout": "LambdaMOO has no workers",
}


@cache
def topics() -> list[Topic]:
    return read_own(own_cases()).topics


@cache
def programs() -> list[tuple[str, str]]:
    """Every program of every case, with the group of the case."""
    found = []
    for topic in topics():
        for case in topic.cases:
            rows = [case.row] if isinstance(case, OwnProgram) else case.steps
            for row in rows:
                found += [
                    (case.group, row[key])
                    for key in ("code", "setup", "after")
                    if key in row
                ]
    return found


@cache
def texts() -> str:
    """Everything that is typed in any case."""
    lines = [code for _, code in programs()]
    for topic in topics():
        for case in topic.cases:
            for step in getattr(case, "steps", ()):
                lines += [step[key] for key in ("command", "send") if key in step]
    return "\n".join(lines)


def answered_rows() -> Iterator[tuple[Topic, Row]]:
    for topic in topics():
        for case in topic.cases:
            for row in [case.row] if isinstance(case, OwnProgram) else case.steps:
                yield topic, row


@pytest.mark.parametrize("name", CLASSIC_ORDER)
def test_each_function_is_called_in_a_case_of_its_own(name: str) -> None:
    call = re.compile(rf"(?<![\w:.]){name}\(")
    assert any(
        call.search(code) or f'"{name}"' in code
        for group, code in programs()
        if group not in MECHANICAL
    )


@pytest.mark.parametrize("name", CLASSIC_ORDER)
def test_each_function_is_described(name: str) -> None:
    code = f'return function_info("{name}");'
    assert (MECHANICAL[0], code) in programs()


@cache
def kinds_of_nodes() -> set[type[n.Node]]:
    """The kinds of nodes in all programs that compile."""
    functions = {name: name for name in CLASSIC_ORDER}
    found: set[type[n.Node]] = set()
    for _, code in programs():
        try:
            program = parse_program(code, functions=functions)
        except MooSyntaxError:
            continue
        waiting: list[object] = [*program.body]
        while waiting:
            each = waiting.pop()
            if isinstance(each, n.Node):
                found.add(type(each))
                waiting += [getattr(each, field.name) for field in fields(type(each))]
            elif isinstance(each, tuple):
                waiting += each
    return found


def concrete_nodes() -> list[type[n.Node]]:
    found = [
        kind
        for kind in vars(n).values()
        if isinstance(kind, type) and issubclass(kind, n.Node) and kind not in ABSTRACT
    ]
    return sorted(found, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", concrete_nodes(), ids=lambda kind: kind.__name__)
def test_each_construct_of_the_language_is_in_a_case(kind: type[n.Node]) -> None:
    assert kind in kinds_of_nodes()


def test_the_classes_that_are_no_constructs_are_never_made() -> None:
    assert not ABSTRACT & kinds_of_nodes()


@pytest.mark.parametrize(
    "kind", [*n.Binary.__subclasses__(), *n.Unary.__subclasses__()]
)
def test_each_operator_meets_operands_of_all_types(kind: type[n.Node]) -> None:
    group = [c for c in topics() if c.path.stem == "operand_types"]
    codes = "\n".join(case.row["code"] for topic in group for case in topic.cases)
    program = parse_program(codes, functions={})
    seen = set()
    waiting: list[object] = [*program.body]
    while waiting:
        each = waiting.pop()
        if type(each) is kind:
            parts = [
                getattr(each, name)
                for name in ("left", "right", "operand")
                if hasattr(each, name)
            ]
            seen.add(tuple(_type_of(part) for part in parts))
        if isinstance(each, n.Node):
            waiting += [getattr(each, field.name) for field in fields(type(each))]
        elif isinstance(each, tuple):
            waiting += each
    types = {"int", "float", "Obj", "str", "ErrorCode", "list"}
    wanted: set[tuple[str, ...]] = {(a, b) for a in types for b in types}
    if issubclass(kind, n.Unary):
        wanted = {(a,) for a in types}
    if kind is n.Negate:
        # A minus before a number is part of the number.
        wanted -= {("int",), ("float",)}
    assert wanted <= seen


def _type_of(node: object) -> str:
    return type(node.value).__name__ if isinstance(node, n.Literal) else "list"


@pytest.mark.parametrize("code", ERROR_CODES, ids=lambda code: code.name)
def test_each_error_is_raised_by_a_case(code: object) -> None:
    assert any(row.get("error") == str(code) for _, row in answered_rows()) or any(
        str(code) in row.get("value", "")
        for topic, row in answered_rows()
        if topic.path.stem == "sources"
    )


@pytest.mark.parametrize(
    "word", [word for words in PREPOSITIONS for word in words.split("/")]
)
def test_each_preposition_is_typed(word: str) -> None:
    assert f"parse lamp {word} box" in texts()


@pytest.mark.parametrize("name", BUILTIN_PROPERTIES)
def test_each_built_in_property_is_read(name: str) -> None:
    assert re.search(rf"\.{name}\b", texts())


@pytest.mark.parametrize("option", SERVER_OPTIONS, ids=lambda option: option.name)
def test_each_server_option_is_set(option: object) -> None:
    name: str = option.name  # type: ignore[attr-defined]
    if name in NOT_ASKED:
        assert name not in texts(), f"{name} has a case: take it off the list"
        return
    start = name.partition("<")[0]
    assert f'"{start}' in texts()


def test_every_case_has_an_answer_and_every_file_a_server() -> None:
    for topic in topics():
        assert topic.answered_by.startswith("LambdaMOO 1.8.3"), topic.path
        for case in topic.cases:
            if isinstance(case, OwnProgram):
                assert case.expected is not None, case.title
                continue
            for step in case.steps:
                if "code" in step and not is_yes(step, "closed"):
                    assert answer_of(step, topic.path) is not None, case.title
