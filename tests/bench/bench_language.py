"""How fast MOO code runs: nanoseconds per tick and per operation.

Run with ``make bench``.  Each case is a program that repeats one thing; its ticks
are in the report's extra information, so that results can be compared per tick.
"""

from __future__ import annotations

from typing import Any

import pytest

from pymoo.interp.vm import VM, Result
from tests.fakes import Bench

CASES = {
    "integer loop": "x = 0; for i in [1..5000] x = x + i; endfor",
    "while loop": "i = 0; while (i < 2000) i = i + 1; endwhile",
    "verb call": "for i in [1..1000] #3:nothing(); endfor",
    "verb call with arguments": "for i in [1..800] #3:add(i, 2); endfor",
    "recursion": "#3:fib(12);",
    "property read": "for i in [1..2000] #3.plain; endfor",
    "inherited property read": "for i in [1..2000] #3.inherited; endfor",
    "property write": "for i in [1..2000] #3.plain = i; endfor",
    "string building": 's = ""; for i in [1..1500] s = s + "x"; endfor',
    "list building": "l = {}; for i in [1..1500] l = {@l, i}; endfor",
    "list indexing": "l = {1, 2, 3}; for i in [1..2000] l[2]; endfor",
    "built-in functions": 'for i in [1..1200] length("abc"); tostr(i); endfor',
    "scatter": "for i in [1..1000] {a, ?b = 2, @c} = {1, 2, 3}; endfor",
    "caught errors": "for i in [1..1000] `1/0 ! E_DIV => 0'; endfor",
    "try without an error": "for i in [1..1000] try i; except (ANY) endtry endfor",
}


@pytest.fixture(scope="module")
def bench() -> Bench:
    bench = Bench()
    bench.run(
        'add_property(#3, "plain", 1, {#3, "r"});'
        'add_property(#1, "inherited", 1, {#3, "r"});'
        'add_property(#4, "fg_ticks", 10000000, {#3, "r"});'
    )
    bench.verb(3, "nothing", "")
    bench.verb(3, "add", "{a, b} = args; return a + b;")
    bench.verb(
        3,
        "fib",
        "{n} = args; return n < 2 ? n | this:fib(n - 1) + this:fib(n - 2);",
    )
    return bench


@pytest.mark.parametrize("name", CASES)
def test_language(benchmark: Any, bench: Bench, name: str) -> None:
    program = bench.engine.compile(CASES[name])
    ticks: list[int] = []

    def note(vm: VM, result: Result, used: int) -> None:
        ticks.append(used)

    def run() -> None:
        bench.runner.program_task(
            program,
            player=bench_player,
            programmer=bench_player,
            verb="bench",
            verb_names="bench",
            debug=8,
        )

    bench_player = next(iter(bench.world.players))
    bench.runner.watchers.append(note)
    try:
        benchmark(run)
    finally:
        bench.runner.watchers.remove(note)
    assert len(set(ticks)) == 1
    assert not bench.lines
    if benchmark.stats is not None:  # benchmarks may be run for their result alone
        seconds = benchmark.stats.stats.median
        benchmark.extra_info["ticks"] = ticks[0]
        benchmark.extra_info["ns per tick"] = round(seconds / ticks[0] * 1e9)
