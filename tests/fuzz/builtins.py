"""Built-in functions with random arguments, in both tiers, for all kinds of people.

Each call runs in a server in process, with connections, as a slice of its own, which
is rolled back: then the world must be what it was, byte for byte.  Both tiers must give
the same value or error; nothing of Python may come out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from attrs import define
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from pymoo.builtins.registry import ArgType, Builtin, BuiltinTable
from pymoo.db.objects import VERB_DEBUG
from pymoo.interp.activation import NO_PARSE
from pymoo.interp.tiering import NEVER
from pymoo.interp.vm import VM, Aborted, Blocked, Done, RolledBack
from pymoo.lang.dialect import DIALECTS
from pymoo.lang.program import Program
from pymoo.values import ERROR_CODES, ErrorCode, Obj, Value
from tests.db.worlds import dumped
from tests.fuzz.running import Check, Target
from tests.fuzz.values import assert_value, same
from tests.program_strategies import ODD_STRINGS, program_world
from tests.server.online import LOGIN, Online, add_verb
from tests.strategies import floats, integers, values

TICKS: Final = 2_000
SECONDS: Final = 5.0

WHO: Final = (Obj(3), Obj(5), Obj(7))  # a wizard, a programmer, a player

# Names that mean something in the world, in functions, or in patterns.
_STRINGS: Final = (
    *ODD_STRINGS,
    *"num flt str lst secret pub name owner location contents programmer wizard r w f "
    "echo add boom deep wild*card ctx nap tasks recycle initialize accept 1 #8 #-1 -5 "
    "1.5 1e400 rxd rw rwc this none any in/inside with/using hold-input binary "
    "client-echo flush-command disable-oob %(a*%)%1 a%|b ^$ %[^a-z] [a-z %1 %0 ~41~zz "
    "~0A $1$abc ab * UTC Europe/Paris keep rollback server_options length eval "
    "suspend return".split(),
    "return 1;",
    "return x",
    "* * * * *",
    "0 25 * * *",
    "x" * 3_000,
    "(" * 300,
    "%(" * 12,
)
strings: Final = st.sampled_from(_STRINGS) | st.text(
    st.characters(min_codepoint=32, max_codepoint=254), max_size=6
)
objects: Final = st.integers(-4, 22).map(Obj) | st.sampled_from(
    [Obj(2**31 - 1), Obj(-(2**31)), Obj(3), Obj(8)]
)
_ERRORS: Final = st.sampled_from(ERROR_CODES) | st.integers(0, 40).map(ErrorCode)
_NUMBERS: Final = integers | st.sampled_from([0, 1, -1, 2, 3, 255, 65_536, 2**31 - 1])
_ROWS: Final[tuple[Value, ...]] = (
    (),
    (Obj(3), "rwc"),
    (Obj(5), "rxd", "new"),
    (Obj(3), "rxd", "echo"),
    ("this", "none", "this"),
    ("any", "with", "any"),
    ("return 1;",),
    ("x = 1;", "return x;"),
    ("return",),
    (1, 2, 3),
    (("a", 1), ("b", 2)),
    ((0, -1),) * 10,
    (Obj(8), "echo", (1,)),
    ("if (1)",) * 50,
)
lists: Final = st.sampled_from(_ROWS) | values(6).map(
    lambda value: value if type(value) is tuple else (value,)
)
anything: Final = st.one_of(strings, objects, _NUMBERS, floats, _ERRORS, lists)

_BY_NAME: Final[dict[str, st.SearchStrategy[Any]]] = {
    "INT or FLOAT": _NUMBERS | floats,
    "INT": _NUMBERS,
    "OBJ": objects,
    "STR": strings,
    "ERR": _ERRORS,
    "LIST": lists,
    "FLOAT": floats,
    "ANY": anything,
}


def _argument(kind: ArgType) -> st.SearchStrategy[Value]:
    right = _BY_NAME.get(kind.name, _NUMBERS | floats)
    return st.integers(0, 15).flatmap(lambda odd: right if odd else anything)


@define
class Question:
    """A call of a function, by whom, and how it is written."""

    function: str
    arguments: tuple[Value, ...]
    who: Obj
    dialect: str
    form: int
    debug: bool


# Of the arguments as a list, one by one, and with the error as a value.
_FORMS: Final = (
    "return {name}(@args);",
    "{{{given}}} = args; return {name}({given});",
    "{{{given}}} = args; return `{name}({given}) ! ANY';",
    "{{{given}}} = args; x = 0; for i in [1..2] x = {name}({given}); endfor return x;",
)

# What these give depends on how fast the machine is.
_TIMES: Final = ("task_time", "seconds_left", "task_time_low")

_TABLES: Final = {name: BuiltinTable(dialect) for name, dialect in DIALECTS.items()}


@st.composite
def questions(draw: st.DrawFn, names: tuple[str, ...] = ()) -> Question:
    dialect = draw(st.sampled_from([*DIALECTS]))
    table = _TABLES[dialect]
    name = draw(st.sampled_from([n for n in names if n in table] or [*table]))
    builtin = table[name]
    arguments = tuple(
        draw(_argument(kind)) for kind in builtin.types[: _count(draw, builtin)]
    )
    if builtin.most is None or draw(st.integers(0, 15)) == 0:
        arguments += tuple(draw(st.lists(anything, max_size=3)))
    return Question(
        name,
        arguments,
        draw(st.sampled_from(WHO)),
        dialect,
        draw(st.integers(0, len(_FORMS) - 1)),
        draw(st.integers(0, 7)) > 0,
    )


def _count(draw: st.DrawFn, builtin: Builtin) -> int:
    """Return how many arguments there will be: as a rule, as many as there may."""
    if draw(st.integers(0, 15)) == 0:
        return draw(st.integers(0, len(builtin.types)))
    return draw(st.integers(builtin.least, max(builtin.least, len(builtin.types))))


class Stage:
    """A server in process with a small world, in one tier."""

    def __init__(self, folder: Path, dialect: str, *, is_compiled: bool) -> None:
        folder.mkdir()
        world = program_world()
        add_verb(world, Obj(0), "do_login_command", LOGIN)
        database = folder / "world.db"
        database.write_bytes(dumped(world))
        self.online = Online(folder, dialect=DIALECTS[dialect], database=database)
        self.other = self.online.connect("#5")
        self.engine = self.online.server.engine
        self.world = self.engine.world
        tiering = self.engine.tiering
        tiering.calls_before, tiering.rounds_before = (
            (0, 1) if is_compiled else (NEVER, NEVER)
        )
        self.before = dumped(self.world)
        self.number = 0

    def program(self, question: Question) -> Program:
        given = ", ".join(f"a{number}" for number in range(len(question.arguments)))
        form = _FORMS[question.form if given else 0]
        code = form.format(name=question.function, given=given)
        return self.engine.compile(code + "\n")

    def ask(self, question: Question) -> tuple[Any, ...]:
        """Return all that can be seen of a call, which is then undone."""
        self.engine.random.seed(7)
        journal = self.world.journal
        vm = VM(self.engine, 77, 50, "verb")
        vm.push_first(
            self.program(question),
            this=Obj(8),
            player=Obj(5),
            programmer=question.who,
            definer=Obj(8),
            caller=Obj(2),
            verb="test",
            verb_names="test",
            debug=VERB_DEBUG if question.debug else 0,
            arguments=question.arguments,
            parse=NO_PARSE,
        )
        journal.begin()
        number = journal.number
        try:
            result = vm.run(TICKS, SECONDS)
            is_whole = journal.number == number  # it has committed nothing
        finally:
            self.world.rollback()
        seen = self._seen(result, question)
        if not is_whole:
            raise StartAgain(seen)
        self._assert_undone(question)
        return seen

    def _seen(self, result: Any, question: Question) -> tuple[Any, ...]:
        if isinstance(result, Done):
            assert_value(result.value)
            return "done", result.value
        if isinstance(result, Aborted):
            assert_value(result.arguments)
            return "aborted", result.handler or "", result.arguments
        assert isinstance(result, Blocked | RolledBack), result
        return (type(result).__name__,)

    def _assert_undone(self, question: Question) -> None:
        assert not [*self.online.server.tasks.background_tasks()]
        assert [*self.world.check(owners=False)] == []
        assert dumped(self.world) == self.before, "it is not undone"
        assert not self.online.server.is_stopping
        bugs = [line for line in self.online.log if "BUG" in line]
        assert not bugs, bugs


class StartAgain(Exception):
    """A call has committed what it did: the world is not what it was."""

    def __init__(self, seen: tuple[Any, ...]) -> None:
        super().__init__("the world is another one")
        self.seen = seen


class Theatre:
    """A stage for each dialect and tier."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        self.stages: dict[tuple[str, bool], Stage] = {}
        self.seen: set[str] = set()

    def ask(self, question: Question, is_compiled: bool) -> tuple[Any, ...]:
        key = question.dialect, is_compiled
        if key not in self.stages:
            self.count += 1
            self.stages[key] = Stage(
                self.folder / str(self.count), question.dialect, is_compiled=is_compiled
            )
        try:
            return self.stages[key].ask(question)
        except StartAgain as again:
            del self.stages[key]
            return again.seen
        except BaseException:
            self.stages.clear()  # hypothesis will look for a smaller one
            raise

    def check(self, question: Question) -> None:
        self.seen.add(question.function)
        walked, compiled = (self.ask(question, tier) for tier in (False, True))
        if question.function in _TIMES:
            assert walked[0] == compiled[0]
            return
        assert same(walked, compiled), f"walker {walked}, compiled {compiled}"


@contextmanager
def opened() -> Iterator[Check]:
    with tempfile.TemporaryDirectory() as folder:
        yield Theatre(Path(folder)).check


def sample(count: int) -> set[str]:
    """Ask ``count`` questions of each function; return which were asked."""
    with tempfile.TemporaryDirectory() as folder:
        theatre = Theatre(Path(folder))
        for name in _TABLES["pymoo"]:
            trial = settings(
                max_examples=count,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )(seed(1)(given(question=questions((name,)))(theatre.check)))
            trial()
        return theatre.seen


TARGET: Final = Target("builtins", questions(), opened)
