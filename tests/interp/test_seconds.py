"""A task that has used up its seconds is stopped soon, whatever it is doing.

`PROGRAMS` has a row for each operation whose cost grows with a size: the operation
under its name, as MOO code, with the values that it uses as variables.  It is done
again and again, in both tiers, until the time is over.

To add a row, choose values so large that doing it once takes 1 to 30 ms: then a task
that looked at the clock only every 4,096 ticks would go on for seconds.  A new built-in
function must have a row, or stand in `CONSTANT` because no argument makes it slow; its
name is looked for in the code of the rows.
"""

from __future__ import annotations

import io
import re
import time
from typing import Any

import pytest
from attrs import define, field

from pymoo.builtins.registry import BuiltinTable
from pymoo.interp.vm import VM, Aborted
from pymoo.jobs.errors import JobStoreError
from pymoo.jobs.task import Task
from pymoo.lang.dialect import DIALECTS, dialect
from pymoo.server.job_tasks import JobTasks
from pymoo.server.job_waits import JobWaits
from pymoo.server.log import Log
from pymoo.tasks.clock import CpuStopwatch, ManualClock
from pymoo.values import NOTHING, Obj, Value
from tests.fakes import WIZARD, Bench
from tests.interp.tiers import BOTH, WALKER, Mode

LIMIT_S = 0.1
MARGIN_S = 1.0
"""For slow machines.  On others it is stopped within 0.02 s, or at the end of one
operation that is done as a whole."""


class CpuClock(ManualClock):
    """A time that stands still, but for the CPU seconds of tasks."""

    def stopwatch(self) -> CpuStopwatch:
        return CpuStopwatch()


# --- the values that the rows use -----------------------------------------

S = "x" * 4_000_000
S2 = S[:-1] + "y"
CAPITALS = "X" * 3_999_999 + "y"
ACCENTS = "\xe9X" * 1_000_000
LONG = "ab" * 500_000
ESCAPES = "~0A" * 100_000
CONTROLS = "\n" * 200_000
QUOTES = '"\\' * 500_000
BLANKS = " " * 2_000_000
DIGITS = "1" * 2_000_000
L = tuple(range(400_000))
L2 = tuple(range(400_000))
FLOATS = tuple(float(number) for number in range(100_000))
TEXTS = tuple(str(number) for number in range(100_000))
HUGE_TEXTS = (S,) * 4
ROW = (1, "two", (3.0, Obj(4)))
NESTED = (ROW,) * 20_000
SHORT_LIST = (1,) * 2_000
LATE = (*SHORT_LIST[1:], 2)
SAME_LISTS = (SHORT_LIST,) * 2_000
NESTED2 = tuple((1, "TWO", (3.0, Obj(4))) for _ in range(20_000))
LETTERS = "r" * 2_000_000
PROGRAM = tuple(f"x{number % 50} = foo + {number};" for number in range(2_000))
MATCH = (1, 1_000_000, ((0, -1),) * 9, S)
TEMPLATE = "%0" * 8
CHAINED = (("plus", ROW),) * 20_000

NAMES: dict[str, Value] = {
    "s": S,
    "s2": S2,
    "capitals": CAPITALS,
    "accents": ACCENTS,
    "long": LONG,
    "escapes": ESCAPES,
    "controls": CONTROLS,
    "quotes": QUOTES,
    "blanks": BLANKS,
    "digits": DIGITS,
    "l": L,
    "l2": L2,
    "floats": FLOATS,
    "texts": TEXTS,
    "huge": HUGE_TEXTS,
    "nested": NESTED,
    "nested2": NESTED2,
    "late": LATE,
    "same": SAME_LISTS,
    "letters": LETTERS,
    "program": PROGRAM,
    "m": MATCH,
    "template": TEMPLATE,
    "chained": CHAINED,
    "parent": Obj(5),
    "box": Obj(6),
    "chest": Obj(7),
    "other": Obj(8),
}
CHILDREN = 20_000
VERBS = 2_000
TASKS = 1_000

OPERATIONS = {
    # operators
    "add": 's + "x"',
    "equal strings": "s == capitals",
    "unequal strings": "s != s2",
    "strings with accents": "accents == (accents + accents)[1..$ / 2]",
    "equal lists": "nested == nested2",
    "order": "s < capitals",
    "order, the other way": "capitals <= s",
    "greater": "s > s2",
    "greater or equal": "s >= s2",
    "in": "-1 in l",
    "string in list": '"none" in texts',
    "float in list": "-1.0 in floats",
    "huge string in list": "capitals in {@huge, s}",
    "list in list of such that differ late": "late in same",
    "list display": "{@l, 1}",
    "two splices": "{@l, @l2}",
    "many splices": f"{{{', '.join(['@l'] * 60)}}}",
    "index of a copy": "l[7] = 5",
    "index of a string": 's[7] = "y"',
    "range": "l[2..$]",
    "range of a string": "s[2..$]",
    "range set": "l[2..3] = {4}",
    "range set of a string": 's[2..3] = "y"',
    "rest": "{a, @b} = l",
    "rest in the middle": "{a, @b, c} = l",
    "contents": "box.contents",
    "property by a huge name": "`box.(s) ! ANY'",
    "property set by a huge name": "`box.(s) = 1 ! ANY'",
    "verb by a huge name": "`box:(s)() ! ANY'",
    "long code list": "`1 / 0 ! @l, E_DIV => 0'",
    "raised code in a code list": "`raise(nested) ! nested2 => 0'",
    "raised code in that of an outer handler": "try `raise(nested) ! E_DIV'; except"
    " (nested2) endtry",
    "arguments of a verb": "`box:nothing(1, @l) ! ANY'",
    # lists
    "listappend": "listappend(l, 1)",
    "listinsert": "listinsert(l, 1, 7)",
    "listset": "listset(l, 1, 7)",
    "listdelete": "listdelete(l, 7)",
    "setadd": "setadd(l, -1)",
    "setremove": "setremove(l, 399999)",
    "equal": "equal(nested, nested2[1..$])",
    "equal, texts": "equal(s, s2)",
    "is_member": "is_member(-1, l)",
    # strings
    "tostr": 'tostr(s, "x")',
    "tostr of many": "tostr(@texts)",
    "toliteral": "toliteral(quotes)",
    "toliteral of a list": "toliteral(nested)",
    "index": 'index(long, "ba1")',
    "index, with case": 'index(long, "abaa", 1)',
    "index with accents": 'index(accents, "xy")',
    "index of much": "index(long, long[2..$ / 2] + long[$ / 2..$ - 8])",
    "rindex": 'rindex(long, "aa")',
    "rindex of much": 'rindex(long, "b" + long[1..8000])',
    "strcmp": "strcmp(s, s2)",
    "strsub": 'strsub(long, "a", "yy")',
    "strsub, with case": 'strsub(long, "ba", "yy", 1)',
    "strsub of few": 'strsub(s2, "xy", "yx")',
    "match": 'match("foobar", tostr("%(", seconds_left(), "%|o+b%)a.*$"))',
    "match, long": 'match(long, "ba*c")',
    "rmatch": 'rmatch(long, "ba*c")',
    "substitute": "substitute(template, m)",
    "encode_binary": "encode_binary(controls)",
    "encode_binary of a list": "encode_binary(@texts)",
    "decode_binary": "decode_binary(escapes)",
    "decode_binary, fully": "decode_binary(long, 1)",
    "string_hash": "string_hash(s)",
    "binary_hash": "binary_hash(escapes)",
    "value_hash": "value_hash(nested)",
    "value_bytes": "value_bytes(nested)",
    "crypt, DES": 'crypt("secret", "ab")',
    "crypt, MD5": 'crypt("secret", "$1$ab")',
    "crypt, SHA": 'crypt("secret", "$6$rounds=900000$ab")',
    "crypt, long salt": 'crypt("secret", "$6$" + s)',
    # numbers
    "toint": "toint(blanks)",
    "tonum": "tonum(digits)",
    "toobj": "toobj(blanks)",
    "tofloat": "`tofloat(digits) ! E_INVARG'; `tofloat(blanks) ! ANY'",
    "min": "min(@floats)",
    "max": "max(@l)",
    # objects
    "create": "create(other)",
    "children": "children(parent)",
    "chparent": "chparent(parent, #1); chparent(parent, #2)",
    "properties": '`add_property(parent, "p", 0, {player, "r"}) ! ANY\';'
    ' properties(parent); `delete_property(parent, "p") ! ANY\'',
    "set_property_info": 'set_property_info(other, "p1", {player, letters})',
    "rename": '`set_property_info(other, "p1", {player, "r", "q"}) ! ANY\';'
    ' `set_property_info(other, "q", {player, "r", "p1"}) ! ANY\'',
    "property_info": "`property_info(parent, s) ! ANY'",
    "clear_property": "`clear_property(parent, s) ! ANY'",
    "is_clear_property": "`is_clear_property(parent, s) ! ANY'",
    "move": "move(box, chest); move(box, #-1); box.contents",
    "recycle": "o = create(other); recycle(o)",
    "renumber": "renumber(other)",
    "object_bytes": "object_bytes(other)",
    "set_player_flag": "set_player_flag(parent, 1); set_player_flag(parent, 0);"
    " children(parent)",
    # verbs
    "verbs": "verbs(other)",
    "verb_info": "`verb_info(other, s) ! ANY'",
    "set_verb_info": 'set_verb_info(other, 1, {player, letters, "v0"});'
    ' verb_info(other, "v9")',
    "verb_args": "`verb_args(other, s) ! ANY'",
    "set_verb_args": '`set_verb_args(other, s, {"this", "none", "this"}) ! ANY\'',
    "add_verb, delete_verb": 'add_verb(other, {player, "r", "w"}, {"any", "any",'
    ' "any"}); delete_verb(other, "w")',
    "set_verb_code": 'set_verb_code(other, "v0", program)',
    "verb_code": 'set_verb_code(other, "v0", program); verb_code(other, "v0")',
    "disassemble": 'disassemble(other, "v1")',
    "eval": 'eval(tostr("return {", long[1..3000], strsub(long[1..3000], "b", ","),'
    ' "};"))',
    # tasks
    "call_function": "`call_function(s) ! ANY'",
    "call_function with much": 'call_function("min", @l)',
    "pass": "`pass(1, @l) ! ANY'",
    "queued_tasks": "queued_tasks()",
    "queue_info": "queue_info(); queued_tasks()",
    "kill_task": "`kill_task(1) ! ANY'; queued_tasks()",
    "callers": "callers(); callers(1)",
    "task_stack": "`task_stack(queued_tasks()[1][1]) ! ANY'",
    "resume": "`resume(queued_tasks()[1][1]) ! ANY'",
    "task_send": "`task_send(task_id(), nested) ! ANY'",
    "invoke": '`cancel_task(invoke(box, "nothing", {nested})) ! ANY\'',
    "scheduled_tasks": '`invoke(box, "nothing", {}, {{"delay", 1000}}) ! ANY\';'
    " scheduled_tasks()",
    "job_start": '`job_start("plus", {l}) ! E_QUOTA\'',
    "job_start with texts": '`job_start("plus", huge) ! E_QUOTA\'',
    "job_chain": '`job_chain({{"plus", nested}}) ! E_QUOTA\'',
    "job_chain of many": "`job_chain(chained) ! E_QUOTA'",
    "with_task_perms": "`with_task_perms(player, {box, s}) ! ANY'",
    "with_task_perms, a function": '`with_task_perms(player, "min", l) ! ANY\'',
    "worker_request": '`worker_request("none", @l) ! ANY\'',
    "force_input": "force_input(player, s)",
    # the server
    "notify": "notify(player, s)",
    "server_log": "server_log(s)",
    "shutdown": "shutdown(s)",
    "load_server_options": "load_server_options()",
    "function_info": "function_info(); `function_info(s) ! ANY'",
    "log_cache_stats": "log_cache_stats()",
    "connection_option": "`connection_option(player, s) ! ANY'; string_hash(s)",
    "set_connection_option": "`set_connection_option(player, s, 1) ! ANY'",
}

CONSTANT = """
    abs acos active_tasks asin atan boot_player buffered_output_length caller_perms
    ceil commit connected_players connected_seconds connection_name connection_options
    cos cosh ctime db_disk_size dump_database exp floatstr floor flush_input
    idle_seconds is_player job_abort job_info job_wait jobs length
    listen listeners log log10 max_object memory_usage
    open_network_connection output_delimiters parent players raise random read
    reset_max_object rollback seconds_left server_version set_task_perms sin sinh sqrt
    suspend suspend_if_needed tan tanh task_id task_policy task_recv task_time
    task_time_low ticks_left time trunc typeof unlisten valid valid_task
    verb_cache_stats wait_task yin
""".split()
"""Functions that no argument makes slow: they look at one thing, or at as many as there
are connections; those of jobs at a file, and refuse what is large."""


class Desk:
    """Takes jobs, and writes none of them down."""

    def task(self, name: str, arguments: tuple[Value, ...]) -> Task:
        return Task(f"tests.jobs.work:{name}", arguments, {}, 1)

    def new_number(self) -> int:
        raise JobStoreError("this is a test")


@define
class Stage:
    """A world with large things in it."""

    bench: Bench = field(factory=lambda: Bench(dialect_name="pymoo"))

    def __attrs_post_init__(self) -> None:
        bench = self.bench
        world = bench.world
        log = Log(ManualClock(), io.BytesIO())
        waits = JobWaits(bench.scheduler)
        desk: Any = Desk()
        bench.host.jobs = JobTasks(bench.engine, waits, desk, log)
        bench.engine.clock = CpuClock()  # type: ignore[misc]
        bench.engine.stopwatch = CpuStopwatch  # type: ignore[misc]
        for _ in range(4):
            world.create(WIZARD, Obj(1))
        for _ in range(CHILDREN):
            child = world.create(WIZARD, Obj(5))
            world.change_location(child, Obj(6))
        world.add_property(Obj(2), "room", 1, WIZARD, 1)
        for number in range(VERBS):
            world.add_property(Obj(8), f"p{number}", number, WIZARD, 1)
            world.add_verb(Obj(8), f"v{number}", WIZARD, 15, 0, 0, 0)
        bench.verb(8, "listed", "")
        code = "".join(f"{x}\n" for x in PROGRAM)
        world.set_verb_code(Obj(8), world[Obj(8)].verbs[1], code)
        bench.run(f"for i in [1..{TASKS}] fork (1000) i; endfork endfor")

    def run(
        self, code: str, mode: Mode, arguments: tuple[Value, ...]
    ) -> tuple[Any, float]:
        """Return how a program has ended, and its CPU seconds."""
        engine = self.bench.engine
        engine.tiering.calls_before = mode.calls_before
        engine.tiering.rounds_before = mode.rounds_before
        program = engine.compile(code)
        vm = VM(engine, 77, 50)
        vm.push_first(
            program,
            this=Obj(5),
            player=WIZARD,
            programmer=WIZARD,
            definer=NOTHING,
            caller=Obj(2),
            verb="test",
            verb_names="test",
            debug=8,
            arguments=arguments,
        )
        began = time.thread_time()
        result = vm.run(10**9, LIMIT_S)
        return result, time.thread_time() - began


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize("mode", [WALKER, BOTH], ids=["walker", "compiled"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_on_large_things_is_stopped_in_time(
    stage: Stage, name: str, mode: Mode
) -> None:
    used = [each for each in NAMES if re.search(rf"\b{each}\b", OPERATIONS[name])]
    fetched = " ".join(
        f"{each} = args[{place}];"
        for place, each in enumerate(NAMES, 1)
        if each in used
    )
    result, seconds = stage.run(
        # By then portions of ticks are at their largest.
        f"{fetched} for i in [1..6000] endfor while (1) {OPERATIONS[name]}; endwhile",
        mode,
        tuple(NAMES.values()),
    )
    assert isinstance(result, Aborted), result
    assert result.arguments[0] == "seconds", result.arguments
    lines: Any = result.arguments[2]
    assert lines[0].endswith("Task ran out of seconds")
    assert seconds < LIMIT_S + MARGIN_S


@pytest.mark.parametrize("mode", [WALKER, BOTH], ids=["walker", "compiled"])
@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("try\nraise(x);\n1;\nexcept (y)\nendtry", 3),
        ("try\ntry\n1;\nraise(x);\nexcept (E_DIV)\nendtry\nexcept (y)\nendtry", 5),
        ("try\ntry\nraise(x);\nfinally\n1;\nendtry\nexcept (y)\nendtry", 4),
        ("for i in [1..2]\n`raise(x) ! y';\nendfor", 3),
    ],
)
def test_a_code_is_looked_for_until_the_time_is_over(
    stage: Stage, body: str, line: int, mode: Mode
) -> None:
    """raise() takes any value: comparing these two would last for ever."""
    x: Value = 1
    y: Value = 1
    for _ in range(60):
        x, y = (x, x), (y, y)
    code = f"{{x, y}} = args;\n{body}\n"
    result, seconds = stage.run(code, mode, (x, y))
    assert isinstance(result, Aborted), result
    text: Any
    reason, rows, text = result.arguments
    assert reason == "seconds"
    assert rows == ((Obj(5), "test", WIZARD, NOTHING, WIZARD, line),)
    assert text[0] == f"#-1:test (this == #5), line {line}:  Task ran out of seconds"
    assert seconds < LIMIT_S + MARGIN_S


@pytest.mark.parametrize("dialect_name", DIALECTS)
def test_every_function_has_a_row_or_takes_no_time(dialect_name: str) -> None:
    called = {
        name
        for code in OPERATIONS.values()
        for name in re.findall(r"([a-z_0-9]+)\(", code)
    }
    functions = set(BuiltinTable(dialect(dialect_name)))
    assert functions <= called | set(CONSTANT)


# --- portions of ticks ----------------------------------------------------


@pytest.mark.parametrize("mode", [WALKER, BOTH], ids=["walker", "compiled"])
def test_ticks_are_the_same_however_long_their_portions_take(mode: Mode) -> None:
    """A portion that took long makes the next ones smaller, and nothing else."""
    code = "n = 0; for i in [1..3000] n = n + i ^ 2; endfor return {n, ticks_left()};"

    def run(cpu_per_look: float, ticks: int) -> tuple[list[str], Any, float]:
        bench = Bench()
        bench.engine.tiering.calls_before = mode.calls_before
        bench.engine.tiering.rounds_before = mode.rounds_before
        bench.run(f'add_property(#4, "bg_ticks", {ticks}, {{#3, "r"}});')
        bench.run(f'add_property(#4, "fg_ticks", {ticks}, {{#3, "r"}});')
        bench.clock.cpu_per_look = cpu_per_look
        before = bench.clock.cpu_seconds
        seen = bench.run(code)
        looks = bench.clock.cpu_seconds - before
        return seen.lines, None if seen.was_aborted else seen.value, looks

    for ticks in (30_000, 12_000):
        quick, slow = run(0.000_001, ticks), run(0.006, ticks)
        assert quick[:2] == slow[:2]
        assert (quick[1] is None) is (ticks == 12_000)
        assert slow[2] / 0.006 > 5 * quick[2] / 0.000_001


def test_a_recycle_is_completed_though_the_time_is_over() -> None:
    """As in the C server: the task ends, the function that waits does not."""
    bench = Bench()
    assert bench.run("return create(#1);").value == Obj(5)
    bench.verb(5, "recycle", "while (1) endwhile")
    bench.run('for i in [1..500] add_property(#5, tostr("p", i), i, {#3, ""}); endfor')
    bench.clock.cpu_per_look = 1.0
    seen = bench.run("recycle(#5);")
    assert seen.was_aborted
    assert seen.lines[0].endswith("Task ran out of seconds")
    bench.clock.cpu_per_look = 0.0
    assert bench.run("return valid(#5);").value == 0
