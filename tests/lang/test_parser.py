"""Source text to nodes: what is built, which slots it gets, what is refused."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings

from pymoo.errors import AbortReason, TaskAborted
from pymoo.lang import nodes as n
from pymoo.lang.parser import STEPS_PER_TOKEN, parse_program
from pymoo.lang.program import Program
from pymoo.lang.unparse import unparse
from pymoo.values import E_PERM, Obj, Value
from tests.lang.programs import FUNCTIONS, errors, listing, parse
from tests.strategies import NAMES, program_texts, programs


def expression(text: str, **options) -> n.Expression:
    """Return the node of one expression; its variables are a, b, c in slots 18 on."""
    program = parse("a; b; c;", f"{text};", **options)
    statement = program.body[3]
    assert type(statement) is n.ExpressionStatement
    return statement.value


def value(text: str, **options) -> Value:
    node = expression(text, **options)
    assert type(node) is n.Literal
    return node.value


def own_names(*lines: str, **options) -> list[str]:
    program = parse(*lines, **options)
    return list(program.names[18 if program.version >= 3 else 16 :])


A, B, C = (n.Variable(slot) for slot in (18, 19, 20))


# --- nodes ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("a + b * c", n.Add(A, n.Multiply(B, C))),
        ("a - b - c", n.Subtract(n.Subtract(A, B), C)),
        ("a ^ b ^ c", n.Power(A, n.Power(B, C))),
        ("-a ^ b", n.Power(n.Negate(A), B)),
        ("a ^ -b", n.Power(A, n.Negate(B))),
        ("!a.name", n.Not(n.Property(A, n.Literal("name")))),
        ("a || b && c", n.And(n.Or(A, B), C)),
        ("a && b || c", n.Or(n.And(A, B), C)),
        ("a == b < c", n.Less(n.Equal(A, B), C)),
        ("a in b in c", n.In(n.In(A, B), C)),
        ("a ? b | c", n.Conditional(A, B, C)),
        ("a = b = c", n.Assign(A, n.Assign(B, C))),
        ("$name", n.Property(n.Literal(Obj(0)), n.Literal("name"))),
        ("$name(a)", n.VerbCall(n.Literal(Obj(0)), n.Literal("name"), (A,))),
        ("a:name(@b)", n.VerbCall(A, n.Literal("name"), (n.Splice(B),))),
        ("a:(b)(c)", n.VerbCall(A, B, (C,))),
        ("a[b..$]", n.Range(A, B, n.Length())),
        ("LENGTH(a)", n.FunctionCall("length", (A,))),
        ("{}", n.ListDisplay(())),
        ("`a ! any => b'", n.Catch(A, None, B)),
        ("`a ! E_PERM, @b'", n.Catch(A, (n.Literal(E_PERM), n.Splice(B)), None)),
        ("{a, @b} = c", n.Scatter((n.Required(18), n.Rest(19)), C)),
        ("{?a = b} = c", n.Scatter((n.Optional(18, B),), C)),
        ("(a)", A),
        ("((a) = (b))", n.Assign(A, B)),
    ],
)
def test_operators_bind_as_in_the_c_server(text: str, node: n.Expression) -> None:
    assert expression(text) == node


def test_a_scattering_with_a_question_mark_takes_all_that_follows() -> None:
    scatter = n.Scatter((n.Required(18), n.Optional(19, None)), n.Add(C, A))
    assert expression("a * {a, ?b} = c + a") == n.Multiply(A, scatter)


def test_without_one_its_left_side_is_the_whole_operation() -> None:
    assert errors("1 + {a, b} = c;") == [
        "Line 1:  Illegal expression on left side of assignment."
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2147483647", 2147483647),
        ("2147483648", -2147483648),
        ("4294967297", 1),
        ("99999999999999999999", 1661992959),
        ("-2147483648", -2147483648),
        ("--5", 5),
        ("-(5)", -5),
        ("0" * 5000 + "7", 7),
        ("9" * 5000, int("9" * 32) % 2**32 - 2**32),
    ],
)
def test_integers_wrap_digit_by_digit(text: str, expected: int) -> None:
    assert value(text) == expected
    assert type(value(text)) is int


def test_integers_may_have_64_bits() -> None:
    assert value("2147483648", width=64) == 2147483648
    assert value("9223372036854775808", width=64) == -9223372036854775808
    assert value("99999999999999999999", width=64) == 7766279631452241919


def test_object_numbers_wrap_too() -> None:
    for text, expected in (
        ("#007", 7),
        ("#-12", -12),
        ("#2147483648", -2147483648),
        ("#99999999999", 1215752191),
    ):
        assert value(text) == Obj(expected)
        assert type(value(text)) is Obj
    assert value("#99999999999", width=64) == Obj(99999999999)


def test_a_backslash_quotes_the_next_character() -> None:
    assert value(r'"a\"b\\c\n"') == 'a"b\\cn'


def test_equal_zeros_are_one_literal() -> None:
    """The C server keeps equal literals once: the first decides about the sign."""
    assert listing("x = 0.0; y = -0.0;") == ["x = 0.0;", "y = 0.0;"]
    assert listing("x = -0.0; y = 0.0;") == ["x = -0.0;", "y = -0.0;"]


def test_the_first_zero_is_the_first_to_be_compiled() -> None:
    # The value of a scattering is compiled before its defaults, the codes of an
    # arm before the body.
    assert listing("{?a = 0.0} = -0.0;") == ["{?a = -0.0} = -0.0;"]
    assert listing("`0.0 ! -0.0';") == ["`-0.0 ! -0.0';"]
    assert listing("x[0.0] = -0.0; 1.0;") == ["x[0.0] = 0.0;", "1.0;"]


def test_loop_exits_know_how_many_loops_are_between() -> None:
    program = parse(
        "for a in (x) while b (y) while (z)",
        "break; break a; continue B;",
        "endwhile endwhile endfor",
    )
    (outer,) = program.body
    assert type(outer) is n.ForList
    exits = outer.body[0].body[0].body  # type: ignore[attr-defined]
    assert [(type(each), each.levels) for each in exits] == [
        (n.Break, 0),
        (n.Break, 2),
        (n.Continue, 1),
    ]
    names = [program.names[each.slot] for each in exits[1:]]
    assert names == ["a", "B"]


def test_forks_are_numbered_as_their_bodies_end() -> None:
    program = parse("fork (1) fork (2) endfork endfork fork (3) endfork")
    assert [fork.delay for fork in program.forks] == [
        n.Literal(2),
        n.Literal(1),
        n.Literal(3),
    ]
    assert program.forks[1] is program.body[0]


def test_no_node_stands_in_two_places() -> None:
    program = parse("x = {x, x, 1, 1}; x = y[1] = $foo = $foo; x; x;")
    seen = set()
    pending: list[n.Node] = list(program.body)
    while pending:
        node = pending.pop()
        assert id(node) not in seen
        seen.add(id(node))
        pending += n.operands(node)


# --- variables ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("for x in (all) y = x; endfor", ["all", "y", "x"]),
        ("for i in [1..3] n = n + i; endfor", ["n", "i"]),
        ("while w (c) b; endwhile", ["c", "b", "w"]),
        ("fork t (d) b; endfork", ["d", "b", "t"]),
        (
            "try b; except e (c) h; except f (ANY) i; endtry",
            ["b", "c", "h", "e", "i", "f"],
        ),
        ("{a, ?b = c, @d} = e;", ["a", "c", "b", "d", "e"]),
        ("a[i] = v;", ["a", "i", "v"]),
        ("while x (1) break x; endwhile", ["x"]),
        ("f.p; length(g); h:v(i);", ["f", "g", "h", "i"]),
        ("x; X; y; Y;", ["x", "y"]),
    ],
)
def test_variables_get_slots_as_their_constructs_are_completed(
    text: str, names: list[str]
) -> None:
    assert own_names(text) == names


def test_older_versions_have_fewer_built_in_variables() -> None:
    assert parse("INT;", version=2).names[16:] == ("INT",)
    assert parse("INT;", version=3).names[16:] == ("INT", "FLOAT")


def test_variables_named_like_later_keywords_are_renamed() -> None:
    warnings: list[str] = []
    program = parse(
        "try = try_ + any.break;", "x.finally = any;", version=0, warn=warnings.append
    )
    assert warnings == ["Line 1:  Renaming old use of new keyword: try"]
    assert own_names("try = try_ + any.break;", version=0, warn=warnings.append) == [
        "try__",
        "try_",
        "any_",
    ]
    assert unparse(program) == [
        'try__ = try_ + any_.("break");',
        'x.("finally") = any_;',
    ]


def test_without_anyone_to_warn_renaming_is_an_error() -> None:
    assert errors("x;", "try = 1;", version=0) == [
        "Line 2:  Renaming old use of new keyword: try"
    ]


# --- functions ------------------------------------------------------------


def test_unknown_functions_are_errors() -> None:
    assert errors("x = Nosuch(1);") == ["Line 1:  Unknown built-in function: Nosuch"]


def test_in_programs_of_a_database_they_are_called_by_name() -> None:
    warnings: list[str] = []
    program = parse("x = Nosuch(1, @y);", warn=warnings.append)
    assert warnings == ["Line 1:  Unknown built-in function: Nosuch"]
    assert unparse(program) == ['x = call_function("Nosuch", 1, @y);']


# --- the rest -------------------------------------------------------------


def test_line_comments_are_a_matter_of_dialect() -> None:
    assert errors("x = 1; // y") == ["Line 1:  syntax error"]
    assert listing("x = 1; // y", "// z", "w;", line_comments=True) == ["x = 1;", "w;"]


def test_bytes_above_127_end_a_program_as_in_the_c_server() -> None:
    assert listing("x = 1; \xe9 = ;") == ["x = 1;"]
    assert errors("x = \xe9;") == ["Line 1:  syntax error"]
    assert listing('x = "\xe9";') == ['x = "\xe9";']
    assert errors('x = "\xff" y;') == [
        "Line 1:  Missing quote",
        "Line 1:  Missing quote",
        "Line 1:  syntax error",
    ]


def test_in_programs_of_a_database_and_in_utf_8_they_do_not() -> None:
    for options in ({"warn": print}, {"byte_text": False}):
        assert errors("x = 1; \xe9 = ;", **options) == ["Line 1:  syntax error"]
        assert listing('x = "\xff";', **options) == ['x = "\xff";']
    assert listing('x = "\u65e5";', byte_text=False) == ['x = "\u65e5";']


def test_an_empty_source_is_an_empty_program() -> None:
    assert parse().body == ()
    assert parse("", "/* nothing */", ";;").body == ()


def test_too_many_except_clauses() -> None:
    arms = "".join(f"except (E_PERM) {number};" for number in range(300))
    assert errors(f"try {arms} endtry") == [
        "Line 1:  Too many EXCEPT clauses (max. 255)"
    ] * (300 - 256)


def test_too_many_targets() -> None:
    targets = ", ".join("x" for _ in range(256))
    assert errors(f"{{{targets}}} = y;") == [
        "Line 1:  Too many targets in scattering assignment."
    ]
    assert len(listing(f"{{{targets[3:]}}} = y;")) == 1


def test_a_meter_hears_of_every_token() -> None:
    heard: list[int] = []

    class Meter:
        def spend(self, steps: int) -> None:
            heard.append(steps)

    source = "x = 1;\n" * 3000
    parse_program(source, functions=FUNCTIONS, meter=Meter())
    assert sum(heard) == STEPS_PER_TOKEN * (4 * 3000 + 1)
    assert max(heard) == 4096


def test_a_meter_can_stop_the_parser() -> None:
    class Meter:
        def spend(self, steps: int) -> None:
            raise TaskAborted(AbortReason.SECONDS)

    with pytest.raises(TaskAborted):
        parse_program("x" * 2_000_000 + ";y" * 5000, functions=FUNCTIONS, meter=Meter())


def test_the_line_of_a_late_message_is_found_in_reasonable_time() -> None:
    """One pass over the tokens gives the lines of all messages."""
    count = 20_000
    assert errors(*["nosuch();"] * count) == [
        f"Line {line}:  Unknown built-in function: nosuch"
        for line in range(1, count + 1)
    ]


def with_names_of(program: Program, names: tuple[str, ...]) -> tuple:
    """Return a program's body as it would be with other slots for its variables."""
    slots = {name.lower(): slot for slot, name in enumerate(names)}

    def renamed(item):
        if isinstance(item, tuple):
            return tuple(map(renamed, item))
        if not isinstance(item, n.Node):
            return item
        parts = {}
        for part in type(item).__attrs_attrs__:
            if part.init:
                old = getattr(item, part.name)
                if part.name == "slot" and old is not None:
                    parts["slot"] = slots[program.names[old].lower()]
                else:
                    parts[part.name] = renamed(old)
        return type(item)(**parts)

    return renamed(program.body)


@given(programs())
def test_what_is_listed_is_parsed_into_the_same_nodes(program: Program) -> None:
    for full in (False, True):
        lines = unparse(program, fully_parenthesized=full, indent=not full)
        parsed = parse(*lines)
        assert with_names_of(parsed, NAMES) == program.body
        assert unparse(parsed) == unparse(program)
        assert [
            unparse(parsed, fork=number) for number in range(len(parsed.forks))
        ] == [unparse(program, fork=number) for number in range(len(program.forks))]


@settings(max_examples=30)
@given(program_texts())
def test_blanks_comments_and_newlines_between_tokens_mean_nothing(source: str) -> None:
    plain = parse_program(source, functions=FUNCTIONS)
    tokens = re.findall(
        r'"(?:[^"\\]|\\.)*"|#?-?[\w.]+(?:(?<=\de)[+-]\d+)?|[^\w\s]|\s+', source
    )
    chosen = random.Random(source)
    spread = ""
    for token in tokens:
        spread += token
        if token.isspace():
            spread += chosen.choice(["", " ", "\n", "\t", "/* x; */"])
    assert parse_program(spread, functions=FUNCTIONS).body == plain.body
