"""Uses of what was read from a property before the task suspended."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from pymoo.builtins.registry import BuiltinTable
from pymoo.dev.stale import StaleUse, stale_uses, worst_uses, written_properties
from pymoo.dev.stale_flow import SUSPENDING_FUNCTIONS, Hazard
from pymoo.lang.dialect import PYMOO
from pymoo.lang.program import Program
from tests.lang.programs import RECORDED, compile_recorded, parse
from tests.lang.test_nesting import FORMS

# What is found: hazard, line of the use, variable, property, lines of read and
# suspension.
Row = tuple[str, int, str | None, str, int, int]

LOST, VALUE, MEMBER = (hazard.value for hazard in Hazard)


def found(program: Program, written: frozenset[str] | None = None) -> list[StaleUse]:
    return worst_uses(stale_uses(program), written)


def rows(program: Program, written: frozenset[str] | None = None) -> list[Row]:
    return [
        (
            use.hazard.value,
            use.line,
            use.variable,
            use.source,
            use.read_line,
            use.suspension_line,
        )
        for use in found(program, written)
    ]


# A sentence, the program, and what is found in it.
HAZARDS: dict[str, tuple[list[str], list[Row]]] = {
    "a sum that is written back after suspending undoes what others added": (
        ["n = this.count;", "suspend(1);", "this.count = n + 1;"],
        [(LOST, 3, "n", "this.count", 1, 2)],
    ),
    "so does a list that was gone through and put together anew": (
        [
            "new = {};",
            "for m in (this.messages)",
            "$command_utils:suspend_if_needed(0);",
            "new = {@new, m};",
            "endfor",
            "this.messages = new;",
        ],
        [(LOST, 6, "new", "this.messages", 2, 3)],
    ),
    "an operand that waits for a line to be read is stale as well": (
        ["this.list = {@this.list, $command_utils:read()};"],
        [(LOST, 1, None, "this.list", 1, 1)],
    ),
    "an element that is replaced at an old index": (
        [
            "i = player in this.members;",
            "suspend(0);",
            "this.scores[i] = 1;",
        ],
        [(VALUE, 3, "i", "this.members", 1, 2)],
    ),
    "a list changed in a copy and put back": (
        ["l = this.list;", "l[1] = read();", "this.list = l;"],
        [(LOST, 3, "l", "this.list", 1, 2)],
    ),
    "a copy in another variable is as old": (
        ["a = this.count;", "b = a;", "suspend(0);", "this.count = b;"],
        [(LOST, 4, "b", "this.count", 1, 3)],
    ),
    "$name is told of when it is written back": (
        ["n = $last_id;", "suspend(0);", "$last_id = n + 1;"],
        [(LOST, 3, "n", "$last_id", 1, 2)],
    ),
    "the way decided by an old value": (
        ["open = this.is_open;", "suspend(0);", "if (open)", "this:f();", "endif"],
        [(VALUE, 3, "open", "this.is_open", 1, 2)],
    ),
    "a comparison with an old value": (
        ["x = this.p;", "suspend(0);", "if (x == 5)", "endif"],
        [(VALUE, 3, "x", "this.p", 1, 2)],
    ),
    "a place that was left meanwhile": (
        ["where = player.location;", "suspend(5);", "where:announce_all(1);"],
        [(VALUE, 3, "where", "player.location", 1, 2)],
    ),
    "a number of elements that there are no more": (
        [
            "n = length(this.contents);",
            "suspend(0);",
            "for i in [1..n]",
            "endfor",
        ],
        [(VALUE, 3, "n", "this.contents", 1, 2)],
    ),
    "stale on one way is stale": (
        ["x = this.p;", "if (args)", "suspend(0);", "endif", "this:f(x);"],
        [(VALUE, 5, "x", "this.p", 1, 3)],
    ),
    "a suspension where it is needed is one": (
        [
            "x = this.p;",
            "if ($command_utils:suspend_if_needed(0))",
            'player:tell("...");',
            "endif",
            "this.p = x;",
        ],
        [(LOST, 5, "x", "this.p", 1, 2)],
    ),
    "what was read before a loop that suspends is stale in its next round": (
        ["x = this.p;", "while (this:f())", "this:f(x);", "suspend(0);", "endwhile"],
        [(VALUE, 3, "x", "this.p", 1, 4)],
    ),
    "what an earlier round has read is stale in the next": (
        [
            "for i in [1..9]",
            "if (i > 1)",
            "this:f(x);",
            "endif",
            "x = this.p;",
            "suspend(0);",
            "endfor",
        ],
        [(VALUE, 3, "x", "this.p", 5, 6)],
    ),
    "members of a list are those of the time when it was read": (
        [
            "for x in (this.contents)",
            "suspend(0);",
            "x:look_self();",
            "endfor",
        ],
        [(MEMBER, 3, "x", "this.contents", 1, 2)],
    ),
    "a suspension at the end of a round is one before the next": (
        [
            "for x in (this.contents)",
            "move(x, this.home);",
            "suspend(0);",
            "endfor",
        ],
        [(MEMBER, 2, "x", "this.contents", 1, 3)],
    ),
    "the body of a fork begins with copies": (
        ["n = this.count;", "fork (5)", "this.count = n + 1;", "endfork"],
        [(LOST, 3, "n", "this.count", 1, 2)],
    ),
    "a handler may find what was suspended in its body": (
        [
            "x = this.p;",
            "try",
            "suspend(0);",
            "this:f();",
            "except (ANY)",
            "this:f(x);",
            "endtry",
        ],
        [(VALUE, 6, "x", "this.p", 1, 3)],
    ),
    "and so may a finally part": (
        ["x = this.p;", "try", "read();", "finally", "this:f(x);", "endtry"],
        [(VALUE, 5, "x", "this.p", 1, 3)],
    ),
    "the worst use is told of, not the first": (
        ["n = this.p;", "suspend(0);", "this:f(n);", "this.p = n;"],
        [(LOST, 4, "n", "this.p", 1, 2)],
    ),
    "a variable is told of once for a suspension": (
        ["x = {this.a, this.b};", "suspend(0);", "this:f(x);", "this:f(x);"],
        [(VALUE, 3, "x", "this.a", 1, 2)],
    ),
    "another object's property is set: no update is lost, but the value is old": (
        [
            "what = args[1];",
            "n = what.count;",
            "what = args[2];",
            "suspend(0);",
            "what.count = n;",
        ],
        [(VALUE, 5, "n", "what.count", 2, 4)],
    ),
    "a property whose name is computed": (
        ["x = this.(verb);", "suspend(0);", "this.(verb) = x;"],
        [(LOST, 3, "x", "this.(verb)", 1, 2)],
    ),
}

HARMLESS: dict[str, list[str]] = {
    "nothing suspends": ["n = this.count;", "this.count = n + 1;"],
    "it is read again": [
        "n = this.count;",
        "suspend(0);",
        "n = this.count;",
        "this.count = n + 1;",
    ],
    "what is read after suspending is fresh": ["suspend(0);", "this:f(this.count);"],
    "references are read through": [
        "who = player;",
        "suspend(0);",
        "this:f(who.name, this.name, caller.name);",
    ],
    "arguments, literals and new objects are not read from properties": [
        "{a, b} = args;",
        "c = create(#1);",
        "d = 5;",
        "e = this:verb();",
        "suspend(0);",
        "this:f(a, b, c, d, e);",
    ],
    "$name is a reference": [
        "su = $string_utils;",
        "suspend(0);",
        "su:f();",
        "$string_utils:f(su.p);",
    ],
    "it is read again if the task has suspended": [
        "x = this.p;",
        "while (args)",
        "if ($command_utils:suspend_if_needed(0))",
        "x = this.p;",
        "endif",
        'if (!call_function("suspend_if_needed"))',
        "this:f(x);",
        "return;",
        "endif",
        "x = this.p;",
        "endwhile",
    ],
    "the way that suspended has ended": [
        "x = this.p;",
        "if (args)",
        "suspend(0);",
        "return;",
        "elseif (player)",
        "suspend(0);",
        "raise(E_PERM);",
        "endif",
        "this:f(x);",
    ],
    "the round that suspended was left": [
        "x = this.p;",
        "while (1)",
        "this:f(x);",
        "if (args)",
        "suspend(0);",
        "break;",
        "endif",
        "endwhile",
    ],
    "it is compared with what is there now": [
        "x = this.p;",
        "suspend(0);",
        "if (x == this.p)",
        "this.p = x + 1;",
        "endif",
    ],
    "so is what something else was computed from": [
        "n = length(old = this.list);",
        "suspend(0);",
        "if (old != this.list)",
        "return;",
        "endif",
        "this.list = old[2..n];",
    ],
    "the member is tested": [
        "for x in (this.contents)",
        "suspend(0);",
        "if (valid(x))",
        "x:look_self();",
        "endif",
        "endfor",
    ],
    "the member is looked for": [
        "for x in (this.contents)",
        "suspend(0);",
        "if (x in this.contents)",
        "x:look_self();",
        "endif",
        "endfor",
    ],
    "an error of the member is caught": [
        "for x in (this.contents)",
        "suspend(0);",
        "`x:look_self() ! ANY';",
        "endfor",
    ],
    "members that are no objects cannot be moved": [
        "for x in (this.lines)",
        "suspend(0);",
        "this:f(x);",
        "endfor",
    ],
    "a text was put together": [
        's = "You see " + this.name;',
        "t = tostr(this.name);",
        "suspend(0);",
        "this:f(s, t);",
    ],
    "values are collected": [
        "sum = 0;",
        "for x in (args)",
        "sum = sum + x.size;",
        "suspend(0);",
        "endfor",
        "return sum;",
    ],
    "it is the answer to a question": [
        "same = this.owner == player;",
        "suspend(0);",
        "if (same)",
        "endif",
    ],
    "it is the largest so far": [
        "for x in (args)",
        "if (x.size > best)",
        "best = x.size;",
        "endif",
        "suspend(0);",
        "endfor",
    ],
    "it is told to somebody": [
        "x = this.p;",
        "suspend(0);",
        "player:tell(x);",
        "notify(player, x);",
        "this:announce_all(x);",
    ],
    "the property was given another value before": [
        "old = this.mode;",
        "this.mode = 1;",
        "suspend(0);",
        "this.mode = old;",
    ],
    "an index of the list that it was found in": [
        "l = this.list;",
        "i = 1 in l;",
        "suspend(0);",
        "l[i];",
    ],
    "a test before the suspension decides": [
        "x = this.p;",
        "if (x && $command_utils:yes_or_no(1))",
        "this:f();",
        "endif",
    ],
    "it was set on the only way that leads there": [
        "while (this:f())",
        "if (args && (x = this.p) && x.q)",
        "this:f(x);",
        "endif",
        "suspend(0);",
        "endwhile",
    ],
    "read() that does not wait": [
        "x = this.p;",
        "read(player, 1);",
        "this:f(x);",
    ],
    "a fork is given its arguments": [
        "x = this.p;",
        "fork (1)",
        "this:f(x);",
        "endfork",
    ],
    "a fork does not suspend": [
        "x = this.p;",
        "fork (1)",
        "suspend(1);",
        "endfork",
        "this:f(x);",
    ],
}


@pytest.mark.parametrize("sentence", HAZARDS)
def test_hazards_are_found(sentence: str) -> None:
    lines, expected = HAZARDS[sentence]
    assert rows(parse(*lines)) == expected


@pytest.mark.parametrize("sentence", HARMLESS)
def test_no_hazard_if(sentence: str) -> None:
    assert rows(parse(*HARMLESS[sentence])) == []


@pytest.mark.parametrize(
    "suspension",
    [
        "suspend(0)",
        "suspend()",
        "read()",
        "read(player)",
        'call_function("suspend_if_needed")',
        'call_function("commit")',
        'call_function("wait_task", 5)',
        'call_function("task_recv")',
        'call_function("worker_request", 1)',
        "$command_utils:suspend_if_needed(0)",
        "this:Suspend()",
        "$command_utils:read()",
        "$command_utils:read_lines()",
        "$cu:read_lines()",
        "$command_utils:yes_or_no()",
        "$list_utils:sort_suspended(0, {})",
        "`suspend(0) ! ANY'",
        "args && suspend(0)",
        "args ? 1 | suspend(0)",
        "{1, @{suspend(0)}}",
        "x.y = suspend(0)",
        "{?a = suspend(0)} = args",
    ],
)
def test_it_may_suspend(suspension: str) -> None:
    program = parse("n = this.count;", f"{suspension};", "this.count = n;")
    assert rows(program) == [(LOST, 3, "n", "this.count", 1, 2)]


@pytest.mark.parametrize(
    "call", ["this:read()", "$network:reads()", "length({})", "this:(verb)()"]
)
def test_it_does_not_say_that_it_suspends(call: str) -> None:
    assert rows(parse("n = this.count;", f"{call};", "this.count = n;")) == []


def test_the_functions_that_suspend_are_known() -> None:
    """IN STEP: a built-in function that asks to suspend is a suspension point."""
    asking = re.compile(r"\b(Suspend|Read|Wait)\(")
    table = BuiltinTable(PYMOO)
    suspending = {
        name
        for name in table
        if asking.search(inspect.getsource(inspect.unwrap(table[name].function)))
    }
    assert {"suspend", "read", "commit"} <= suspending <= SUSPENDING_FUNCTIONS


@pytest.mark.parametrize("case", [case for case in RECORDED if "listing" in case])
def test_every_program_can_be_looked_through(case: dict[str, Any]) -> None:
    program = compile_recorded(case, lambda warning: None)
    for use in stale_uses(program):
        assert 1 <= use.read_line <= len(case["listing"])
        assert 1 <= use.line <= len(case["listing"])


def test_each_hazard_says_what_helps() -> None:
    program = parse(
        "n = this.count;",
        "l = this.list;",
        "for x in (this.contents)",
        "  suspend(0);",
        "  x:tell();",
        "endfor",
        "this.count = n + 1;",
        "if (l) endif",
        "where = this.location;",
        "fork (0) where:look(); endfork",
        "this.list = {@this.list, read()};",
    )
    assert [use.message for use in found(program)] == [
        "x is one of this.contents, which was read on line 3, before the task may "
        "suspend on line 4; it may have been moved or recycled since: test it first, "
        "as by valid(x)",
        "lost update: this.count is set from n, which was read on line 1, before the "
        "task may suspend on line 4; what other tasks have done to it since is undone: "
        "read it again after suspending",
        "l comes from this.list, which was read on line 2, before the task may suspend "
        "on line 4; it may have changed since: read it again after suspending",
        "where comes from this.location, which was read on line 10, before the fork on "
        "line 11; it may have changed since: read it again in the fork",
        "lost update: this.list is set from a value that was read on line 14, before "
        "the task may suspend on line 14; what other tasks have done to it since is "
        "undone: read it again after suspending",
    ]


def test_properties_that_no_program_sets_are_taken_for_settled() -> None:
    program = parse(
        "limit = this.limit;",
        "count = this.count;",
        "home = this.location;",
        "suspend(0);",
        "while (limit > 1 || count > 1 || home.open) endwhile",
    )
    other = parse("this.count[1] = 2;", "this.(verb) = this.limit;", "x = this.y;")
    written = frozenset(written_properties(other))
    assert written == {"count"}
    assert [use.source for use in found(program, written)] == [
        "this.count",
        "this.location",
    ]
    assert found(program)[0].source == "this.limit"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("this.a.b", "this.a.b"),
        ("$a.b", "$a.b"),
        ("#12.b", "#12.b"),
        ('this.("a b")', 'this.("a b")'),
        ("this.(args[1])", "this.(...)"),
        ("args[1].b", "(...).b"),
        ("this" + ".a" * 20, "(...)" + ".a" * 8),
    ],
)
def test_the_property_is_shown_as_it_is_written(source: str, shown: str) -> None:
    program = parse(f"x = {source};", "suspend(0);", "x:f();")
    assert [use.source for use in found(program)] == [shown]


@pytest.mark.parametrize("form", FORMS)
def test_nesting_of_any_depth_is_looked_through(form: str) -> None:
    begin, middle, end, limit = FORMS[form]
    nested = begin * limit + middle + end * limit
    program = parse("n = this.p;", "suspend(0);", "this.p = n;", f"{nested};")
    assert rows(program) == [(LOST, 3, "n", "this.p", 1, 2)]


@pytest.mark.parametrize(
    "chain",
    [
        *(f" {operator} x" for operator in ["+", "<", "in", "&&", "||"]),
        *[".y", "[1]", ":y()", ":suspend()", "[1..2]"],
    ],
)
def test_chains_of_any_length_are_looked_through(chain: str) -> None:
    program = parse("x = this.p;", "x" + chain * 20_000 + ";", "read();", "x:y();")
    assert [use.variable for use in found(program)] == ["x"]


def test_many_variables_are_followed() -> None:
    lines = [f"x{number} = this.p{number};" for number in range(300)]
    uses = [f"x{number}:y();" for number in range(300)]
    assert len(rows(parse(*lines, "suspend(0);", *uses))) == 300
