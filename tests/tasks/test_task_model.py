"""Random sequences of what programs do to tasks, against a simple model.

A sequence is some scripts, and what happens outside: lines are typed, time passes, the
world is saved and loaded, players disconnect.  After each turn of the scheduler what
the programs have seen must be what they have seen in the model, and the same tasks must
be there in the same order.

``make test-model`` runs 100,000 sequences.
"""

from __future__ import annotations

import io
import os
from typing import Any

import pytest

from pymoo.db.textdump import dump, load
from pymoo.interp.loading import ProgramLoader
from pymoo.lang.dialect import dialect
from pymoo.tasks.policies import restore_policies, saved_policies
from pymoo.tasks.saved import Restorer, save_tasks
from pymoo.tasks.scheduler import Scheduler
from pymoo.tasks.stress import switched_on
from pymoo.values import ErrorCode, Obj, Value
from tests.fakes import Bench
from tests.tasks.task_model import (
    MAILBOX,
    OPERATIONS,
    PLAYERS,
    WIZARD,
    Maker,
    Model,
    Script,
    run_verb,
)

# Under the switches of `pymoo.tasks.stress` each takes a hundred times as long.
FEW = 40 if switched_on() else 400
SEQUENCES = int(os.environ.get("PYMOO_MODEL_SEQUENCES", FEW))
PARTS = 8
# Scripts end; those that force input which starts them again may go on and on.
MOST_TURNS = 30

Event = tuple[Any, ...]


class Stage:
    """The world, and a scheduler of its own for each sequence."""

    def __init__(self, dialect_name: str) -> None:
        self.bench = bench = Bench(dialect_name=dialect_name)
        self.world = bench.world
        self.engine = bench.engine
        self.loader = ProgramLoader(self.engine.builtins.proper_names)
        bench.run("for i in [5..6] create(#1); endfor #5.owner = #5; #6.owner = #6;")
        bench.run("for i in ({#5, #6}) set_player_flag(i, 1); i.programmer = 1; endfor")
        bench.run('add_property(#1, "queued_task_limit", -1, {#3, ""});')
        for name, value in {
            "ids": "{}", "log": "{}", "n": "0", "scripts": "{}",
            "max_task_mailbox": str(MAILBOX),
        }.items():  # fmt: skip
            bench.run(f'add_property(#4, "{name}", {value}, {{#3, "r"}});')
        bench.verb(2, "log", "#4.log = {@#4.log, args};")
        bench.verb(2, "note", "#4.ids = {@#4.ids, args[1]};")
        bench.verb(2, "count", "#4.n = #4.n + 1;")
        bench.verb(2, "limit", "args[1].queued_task_limit = args[2];")
        bench.verb(2, "run", run_verb(bench.dialect))
        bench.verb(
            0,
            "do_command",
            [
                "#2:note(task_id());",
                "#2:run(#4.scripts[toint(args[1])]);",
                "return 1;",
            ],
        )
        self.began = bench.clock.now()
        self.scheduler = bench.scheduler

    def begin(self, scripts: tuple[Script, ...]) -> None:
        """Forget the sequence before."""
        self.bench.clock.seconds = self.began
        for name, value in {"ids": (), "log": (), "n": 0, "scripts": scripts}.items():
            self.set(WIZARD_OPTIONS, name, value)
        for player in PLAYERS:
            self.set(player, "queued_task_limit", -1)
        self.new_scheduler()

    def new_scheduler(self) -> None:
        self.scheduler = Scheduler(self.engine)
        self.bench.host.tasks = self.scheduler

    def connect_all(self) -> None:
        for player in PLAYERS:
            self.scheduler.connect(player, Obj(0))

    def set(self, objid: Obj, name: str, value: Value) -> None:
        record = self.world[objid]
        self.world.set_property_value(record, record.layout.slots[name], value)

    def take_log(self) -> Value:
        """Return what programs have seen since the last time."""
        log = self.engine.options.property(WIZARD_OPTIONS, "log")
        assert log is not None
        if log:
            self.set(WIZARD_OPTIONS, "log", ())
        return log

    def restart(self) -> None:
        """Save the world and load it, as the server does."""
        old = self.scheduler
        stream = io.BytesIO()
        tasks = [*old.background_tasks()]
        dump(self.world, stream, tasks=save_tasks(tasks))
        mail, waits, policies = old.mail.saved, old.waits, saved_policies(tasks)
        stream.seek(0)
        textdump = load(stream, name="saved")
        self.world.take_over(textdump.world)
        restorer = Restorer(self.engine, self.loader.parse_for_task)
        self.new_scheduler()
        for saved in textdump.tasks:
            self.scheduler.enqueue(restorer.task(saved))
        restore_policies(policies, self.scheduler.background_tasks())
        self.scheduler.mail.restore(mail)
        self.scheduler.restore_waits(waits)
        self.connect_all()


WIZARD_OPTIONS = Obj(4)

LOOK: Script = (("queued_tasks",), ("queue_info()",), ("count",))
"""The first script of each sequence: what is there."""


def sequence(seed: int, dialect_name: str) -> tuple[tuple[Script, ...], list[Event]]:
    """Return scripts, and events."""
    maker = Maker(seed, dialect(dialect_name))
    choose = maker.random
    scripts = (LOOK, *(maker.script(7) for _ in range(2)))
    events: list[Event] = []
    for _ in range(choose.randint(4, 14)):
        kind = choose.random()
        if kind < 0.68:
            events.append(("type", maker.player(), choose.choice("12233")))
        elif kind < 0.88:
            events.append(("time", choose.choice((0.25, 0.5, 1, 1, 2))))
        elif kind < 0.94:
            events.append(("restart",))
        else:
            events.append((choose.choice(("connect", "disconnect")), maker.player()))
    events += [("time", 10), ("type", WIZARD, "1")]
    return scripts, events


def difference(
    stage: Stage, scripts: tuple[Script, ...], events: list[Event]
) -> str | None:
    """Let a sequence happen; return what differs from the model, if anything does."""
    stage.begin(scripts)
    stage.connect_all()
    clock = stage.bench.clock
    model = Model(stage.bench.dialect, clock.now(), scripts)
    for player in PLAYERS:
        model.connect(player)
    for number, event in enumerate(events):
        match event:
            case ("type", player, text):
                queue = stage.scheduler.queue(player)
                stage.scheduler.new_line(queue, text, binary=False)
                model.type_line(player, text)
            case ("time", seconds):
                clock.advance(seconds)
                model.clock = clock.now()
            case ("restart",):
                stage.restart()
                model.restart()
            case ("connect", player):
                stage.scheduler.connect(player, Obj(0))
                model.connect(player)
            case ("disconnect", player):
                stage.scheduler.disconnect(stage.scheduler.queue(player))
                model.disconnect(player)
        for turn in range(MOST_TURNS):
            expected = model.turn(), tuple(model.log)
            model.log = []
            found = stage.scheduler.turn(), stage.take_log()
            if found != expected:
                return (
                    f"after event {number}, {event}, in turn {turn}:\n"
                    f"expected {expected}\n   found {found}\n{scripts}\n{events}"
                )
            if not found[0]:
                break
    return None


def smallest(
    stage: Stage, scripts: tuple[Script, ...], events: list[Event]
) -> tuple[tuple[Script, ...], list[Event]]:
    """Return a sequence that still differs, without what is not needed for it."""
    again = True
    while again:
        again = False
        for place in range(len(events)):
            fewer = events[:place] + events[place + 1 :]
            if difference(stage, scripts, fewer) is not None:
                events, again = fewer, True
                break
        else:
            for shorter in _shorter(scripts):
                if difference(stage, shorter, events) is not None:
                    scripts, again = shorter, True
                    break
    return scripts, events


def _shorter(script: Any) -> Any:
    """Yield what is left of nested scripts when one step is taken out."""
    for place, part in enumerate(script):
        if (
            type(part) is tuple
            and part
            and type(part[0]) is str
            and part[0] in OPERATIONS
        ):
            yield script[:place] + script[place + 1 :]
    for place, part in enumerate(script):
        if type(part) is tuple:
            for shorter in _shorter(part):
                yield (*script[:place], shorter, *script[place + 1 :])


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("dialect_name", ["pymoo", "lambdamoo"])
def test_tasks_do_what_the_model_says(dialect_name: str, part: int) -> None:
    stage = Stage(dialect_name)
    # Most of what there is to see is the dialect's with more functions.
    count = SEQUENCES * 3 // 4 if dialect_name == "pymoo" else SEQUENCES // 4
    for seed in range(part, count, PARTS):
        scripts, events = sequence(seed, dialect_name)
        found = difference(stage, scripts, events)
        if found is not None:
            small = difference(stage, *smallest(stage, scripts, events))
            pytest.fail(f"seed {seed}: {found}\n\nat its smallest: {small}")


def test_every_operation_succeeds_now_and_then() -> None:
    """Or nothing would be learnt from what is always refused."""
    # These leave no trace of their own.
    missing = set(OPERATIONS) - {"die", "rollback"}
    for seed in range(2_000):
        scripts, events = sequence(seed, "pymoo")
        model = Model(dialect("pymoo"), 0, scripts)
        for player in PLAYERS:
            model.connect(player)
        for event in events:
            if event[0] == "type":
                model.type_line(event[1], event[2])
            elif event[0] == "time":
                model.clock += event[1]
            for _ in range(MOST_TURNS):
                if not model.turn():
                    break
        missing -= {name for _, name, r in model.log if type(r) is not ErrorCode}  # type: ignore[misc,str-unpack]
        if not missing:
            return
    pytest.fail(f"never: {missing}")
