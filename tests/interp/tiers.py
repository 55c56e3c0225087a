"""Runs one program in several tiers and records all that anyone could observe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import define, field

from pymoo.interp.vm import VM, Aborted, Blocked, Done, Result
from pymoo.lang.program import Program
from pymoo.tasks.saved import save_tasks
from pymoo.values import NOTHING, Obj, Value, literal
from tests.fakes import WIZARD, Bench

NEVER = 10**9

PATIENCE = 400
"""How often the clock is looked at before a program counts as endless.

``while name (1) endwhile`` uses no tick that counts.
"""

SLEEP = "if (#4.sleepy) suspend(0); endif"


@define(frozen=True)
class Mode:
    """When programs and loops are compiled."""

    name: str
    calls_before: int
    rounds_before: int
    # How often programs may fail in frames without the d bit.
    failures_allowed: int = NEVER


WALKER = Mode("walker", NEVER, NEVER)
VERBS = Mode("verbs at once, loops never", 0, NEVER)
LOOPS = Mode("loops at once, verbs never", NEVER, 1)
BOTH = Mode("everything at once", 0, 1)
MIXED = Mode("after a while", 2, 3)


@define
class Stage:
    """A world of verbs to call, of which ``s`` may sleep, and what became of tasks."""

    mode: Mode
    sleepy: int
    debug: int = 8
    bench: Bench = field(factory=Bench)

    def __attrs_post_init__(self) -> None:
        bench = self.bench
        bench.clock.cpu_per_look = 1.0
        tiering = bench.engine.tiering
        tiering.calls_before = NEVER
        tiering.rounds_before = NEVER
        bench.run('add_property(#4, "sleepy", 0, {#3, "r"}); create(#1); create(#1);')
        bench.run('add_property(#1, "foo", 7, {#3, "r"}); #5.foo = {1, "two"};')
        bench.run(
            'add_property(#4, "n", 3, {#3, "rw"});'
            ' add_property(#5, "p", "secret", {#3, ""});'
        )
        bench.verb(2, "echo", "return args;")
        bench.verb(1, "s", [SLEEP, "return args[1];"])
        bench.verb(1, "add", ["{a, ?b = a, @c} = args;", "return a + b;"])
        bench.verb(1, "fail", [SLEEP, "raise(E_PERM, tostr(@args), ticks_left());"])
        bench.verb(
            1,
            "deep",
            [
                "if (args[1] <= 0)",
                "  return callers(1);",
                "endif",
                "return this:deep(args[1] - 1);",
            ],
        )
        bench.verb(1, "passing", ["return {this:s(1), @args};"])
        bench.verb(5, "passing", ["return {#2:s(0), @pass(@args)};"])
        bench.verb(
            1,
            "loop",
            [
                "t = 0;",
                "for i in [1..args[1]]",
                "t = t + this:s(i);",
                "endfor",
                "return t;",
            ],
        )
        bench.verb(1, "plain", "return this:s(1) / 0;", flags="rx")
        bench.verb(1, "parse", "return {argstr, dobj, dobjstr, prepstr, iobj, player};")
        bench.run(f"#4.sleepy = {self.sleepy};")
        tiering.calls_before = self.mode.calls_before
        tiering.rounds_before = self.mode.rounds_before
        tiering.failures_allowed = self.mode.failures_allowed

    def program(self, code: str) -> Program:
        return self.bench.engine.compile(code)

    def run(self, program: Program, ticks: int) -> list[Any]:
        """Run ``program`` to its end, with ``ticks`` in every slice."""
        bench = self.bench
        events: list[Any] = []
        before = len(bench.lines)
        vm = VM(bench.engine, 77, 50)
        vm.push_first(
            program,
            this=Obj(5),
            player=WIZARD,
            programmer=WIZARD,
            definer=NOTHING,
            caller=Obj(2),
            verb="test",
            verb_names="test",
            debug=self.debug,
            arguments=(1, "two", (3,)),
            parse=("line", Obj(5), "five", "in", NOTHING, ""),
        )
        result = vm.run(ticks, PATIENCE)
        self._note(events, vm, result)
        self._note_forks(events, ticks)
        for number in range(40):
            if not isinstance(result, Blocked):
                break
            (task,) = [t for t in bench.scheduler.background_tasks() if t.vm is vm]
            events.append(repr(save_tasks([task])))
            bench.scheduler.kill(vm.task_id, WIZARD)
            # What the sleeping call returns is an error now and then.
            value: Value = 0
            if number % 5 == 4:
                value = bench.run("return E_QUOTA;").value
            result = vm.run(ticks, PATIENCE, value)
            self._note(events, vm, result)
            self._note_forks(events, ticks)
        events.append(bench.lines[before:])
        return events

    def _note(self, events: list[Any], vm: VM, result: Result) -> None:
        match result:
            case Done(value=value):
                events.append(("done", literal(value), vm.ticks_left))
            case Aborted(handler=handler, arguments=arguments):
                events.append((handler, literal(arguments)))
            case _:
                events.append(("asleep", vm.ticks_left))

    def _note_forks(self, events: list[Any], ticks: int) -> None:
        scheduler = self.bench.scheduler
        for task in list(scheduler.background_tasks()):
            if task.vm.task_id == 77:
                continue
            text = repr(save_tasks([task]))
            events.append(re.sub(r"task_id=\d+", "", text))
            scheduler.kill(task.task_id, WIZARD)


def differences(
    code: str,
    mode: Mode,
    *,
    sleepy: int = 0,
    debug: int = 8,
    most: int = 70,
    samples: int = 25,
) -> str | None:
    """Compare a mode with the walker at every tick limit; tell the first difference."""
    stages = [Stage(each, sleepy, debug) for each in (WALKER, mode)]
    programs = [stage.program(code) for stage in stages]
    limit = 3_000
    runs = [
        stage.run(program, limit)
        for stage, program in zip(stages, programs, strict=True)
    ]
    if any("Task ran out of seconds" in repr(run) for run in runs):
        return None  # where it is stopped depends on when the clock is looked at
    if runs[0] != runs[1]:
        return _tell(code, mode, limit, runs)
    used = max(_used(runs[0], limit), default=most)
    limits = list(range(1, min(used + 3, most)))
    if used + 3 > most:
        step = max(1, (used + 3 - most) // samples)
        limits += range(most, used + 3, step)
    for ticks in limits:
        runs = [
            stage.run(program, ticks)
            for stage, program in zip(stages, programs, strict=True)
        ]
        if runs[0] != runs[1]:
            return _tell(code, mode, ticks, runs)
    return None


def _used(events: list[Any], limit: int) -> Iterator[int]:
    """The ticks that the slices of a run have used."""
    for event in events:
        if type(event) is tuple and type(event[-1]) is int:
            yield limit - event[-1]


def _tell(code: str, mode: Mode, ticks: int, runs: list[list[Any]]) -> str:
    lines = [f"with {ticks} ticks, {mode.name}:", code]
    for walked, compiled in zip(*runs, strict=False):
        if walked != compiled:
            lines += [f"walker:   {walked}", f"compiled: {compiled}"]
            break
    else:
        lines.append(f"{len(runs[0])} events against {len(runs[1])}: {runs}")
    return "\n".join(lines)
