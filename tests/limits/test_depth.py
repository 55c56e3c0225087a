"""Depth costs no stack of Python's: of calls, of values, of expressions, of all."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import pytest

from pymoo.server.main_loop import RECURSION_LIMIT, STACK_BYTES
from tests.fakes import Bench

DEEP = "x = y = {}; for i in [1..9000] x = {x}; y = {y}; endfor "
WIDE = "x = y = {}; for i in [1..40] x = {x, x}; y = {y, y}; endfor "


def with_the_server_s_stack(work: Callable[[], None]) -> None:
    """Run ``work`` as the server would: in a thread of its size."""
    failures: list[BaseException] = []

    def run() -> None:
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(RECURSION_LIMIT)
        try:
            work()
        except BaseException as error:  # noqa: BLE001  (raised again below)
            failures.append(error)
        finally:
            sys.setrecursionlimit(before)

    size = threading.stack_size(STACK_BYTES)
    thread = threading.Thread(target=run)
    thread.start()
    threading.stack_size(size)
    thread.join()
    if failures:
        raise failures[0]


FORMS = {
    "lists": ("{", "(this:deep(args[1] - 1))", "};", 1000),
    "calls": ("tostr(", "(this:deep(args[1] - 1))", ");", 1000),
    "arguments": ("this:echo(", "(this:deep(args[1] - 1))", ");", 800),
    "blocks": ("if (1) ", "this:deep(args[1] - 1);", " endif ", 800),
    "finally": ("try ", "this:deep(args[1] - 1);", " finally endtry ", 400),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_of_fifty_calls_may_be_in_an_expression_of_any_depth(form: str) -> None:
    """The 50th call raises E_MAXREC, whatever surrounds the 49 before."""
    begin, middle, end, depth = FORMS[form]
    closing = end.removesuffix(";") * depth + ";"
    program = (
        "if (args[1] == 0) return 1; endif"
        " this.name = tostr(toint(this.name) + 1); "
        f"{begin * depth}{middle}{closing} return 5;"
    )

    def work() -> None:
        bench = Bench()
        bench.run('add_property(#4, "fg_ticks", 1000000, {#3, ""}); #2.name = "0";')
        bench.verb(2, "echo", "return args;")
        bench.verb(2, "deep", program)
        caught = "try #2:deep(60); except e (ANY) return {e[1], #2.name}; endtry"
        assert bench.run(caught).literal == '{E_MAXREC, "49"}'

    with_the_server_s_stack(work)


@pytest.mark.parametrize(
    "expression",
    [
        "x == y",
        "equal(x, y)",
        "x in {y}",
        "is_member(x, {y})",
        "length(setadd({y}, x)) == 1",
        "length(toliteral(x)) == 18002",
        "value_hash(x) == value_hash(y)",
        "value_bytes(x) == 9000 * 32 + 32",
        'encode_binary(x) == ""',
    ],
)
def test_values_may_be_nested_deep(expression: str) -> None:
    bench = Bench()
    bench.run('add_property(#4, "fg_ticks", 1000000, {#3, ""});')
    assert bench.run(f"{DEEP} return {expression};").value == 1


@pytest.mark.parametrize(
    "expression",
    [
        "x == y",
        "equal(x, y)",
        "x in {y}",
        "setadd({y}, x)",
        "setremove({y}, x)",
        "toliteral(x)",
        "value_hash(x)",
        "value_bytes(x)",
        "encode_binary(x)",
        "tasks()",
    ],
)
def test_values_that_share_their_parts_are_gone_through_until_time_is_up(
    expression: str,
) -> None:
    """Forty times ``x = {x, x}`` is a value of 2^40 parts."""
    bench = Bench()
    bench.clock.cpu_per_look = 0.5
    fork = ""
    if expression == "tasks()":
        fork, expression = "fork (100) endfork", "queued_tasks()"
    seen = bench.run(f"{WIDE} {fork} return {expression};")
    assert seen.was_aborted
    assert seen.lines[0].endswith("Task ran out of seconds")
