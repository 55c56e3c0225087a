"""The canonical listing."""

from __future__ import annotations

import pytest

from pymoo.lang import nodes as n
from pymoo.lang.program import Program
from pymoo.lang.unparse import is_identifier, layout, line_numbers, unparse
from pymoo.values import Obj
from tests.lang.programs import listing, parse, same_listing

EVERYTHING = """
if (a)
  for b in (c)
    x;
  endfor
elseif (d)
  for e in [f..g]
    break;
  endfor
else
  while (h)
    continue;
  endwhile
endif
while i (j)
  break i;
endwhile
fork (k)
  return;
endfork
fork l (m)
  return n;
endfork
try
  o;
except p (q)
  r;
except (ANY)
endtry
try
  s;
finally
  t;
endtry
""".split("\n")[1:-1]


def test_every_statement_is_listed_and_indented() -> None:
    assert listing(*EVERYTHING) == EVERYTHING


def test_without_indentation() -> None:
    program = parse(*EVERYTHING)
    assert unparse(program, indent=False) == [line.strip() for line in EVERYTHING]


def test_the_body_of_a_fork_alone() -> None:
    program = parse("fork (1) if (x) fork (2) y; endfork endif endfork")
    assert unparse(program, fork=0) == ["y;"]
    assert unparse(program, fork=1) == [
        "if (x)",
        "  fork (2)",
        "    y;",
        "  endfork",
        "endif",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a+b*c;", "a + b * c;"),
        ("(a + b) * c;", "(a + b) * c;"),
        ("a - (b - c);", "a - (b - c);"),
        ("(a - b) - c;", "a - b - c;"),
        ("(a ^ b) ^ c;", "(a ^ b) ^ c;"),
        ("a ^ (b ^ c);", "a ^ b ^ c;"),
        ("(a || b) && c;", "a || b && c;"),
        ("a || (b && c);", "a || (b && c);"),
        ("-(-x);", "--x;"),
        ("(-x) ^ y;", "-x ^ y;"),
        ("-(x ^ y);", "-(x ^ y);"),
        ("a ? (b ? c | d) | e;", "a ? b ? c | d | e;"),
        ("(a ? b | c) ? d | e;", "(a ? b | c) ? d | e;"),
        ("a = (b = c);", "a = b = c;"),
        ("(a = b) + c;", "(a = b) + c;"),
        ('x.("name");', "x.name;"),
        ('x.("in");', 'x.("in");'),
        ('x.("E_FLOAT");', 'x.("E_FLOAT");'),
        ('x.("2");', 'x.("2");'),
        ('x.("\xe9");', 'x.("\xe9");'),
        ('x:("name")();', "x:name();"),
        ("#0.name;", "$name;"),
        ("#0:name();", "$name();"),
        ('#0.("in");', '#0.("in");'),
        ('#0:("any")();', '#0:("any")();'),
        ("5 .y;", "5 .y;"),
        ("(-5).y;", "-5 .y;"),
        ("-(5 .y);", "-5 .y;"),
        ("5.0.y;", "5.0.y;"),
        ("(5):y();", "5:y();"),
        ("007;", "7;"),
        ("1e10;", "10000000000.0;"),
        ("1e15;", "1e+15;"),
        (".5;", "0.5;"),
        ("`x!any=>y';", "`x ! ANY => y';"),
        ("`x!@{e_perm}';", "`x ! @{E_PERM}';"),
        ("{a,?b=1,@c}=d;", "{a, ?b = 1, @c} = d;"),
    ],
)
def test_expressions_are_listed_canonically(text: str, expected: str) -> None:
    assert listing(text) == [expected]
    if "-5" not in expected:  # the C server lists two things alike here
        assert same_listing(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1 + 2 * 3;", "x = 1 + (2 * 3);"),
        ("!a && -b;", "(!a) && (-b);"),
        ("-5 + -x;", "-5 + (-x);"),
        ("(a + b)[1];", "(a + b)[1];"),
        ("a.b[c].d:e(f + g);", "a.b[c].d:e(f + g);"),
        ("a ? b ? c | d | e;", "a ? b ? c | d | e;"),
        ("a = b = c + d;", "a = b = c + d;"),
        ("{a + b, @c + d};", "{a + b, @c + d};"),
        ("x[a + b..c + d];", "x[a + b..c + d];"),
        ("`a + b ! c + d => e + f';", "`a + b ! c + d => e + f';"),
        ("a in b == c;", "(a in b) == c;"),
        ("a ^ b ^ c;", "a ^ (b ^ c);"),
    ],
)
def test_every_operation_that_is_an_operand_can_have_parentheses(
    text: str, expected: str
) -> None:
    (line,) = unparse(parse(text), fully_parenthesized=True, indent=False)
    assert line == expected


def test_what_does_nothing_disappears() -> None:
    assert listing('; /* x */ if (x) ; else ; endif "x"; 5;') == [
        "if (x)",
        "endif",
        '"x";',
        "5;",
    ]


def test_identifiers() -> None:
    for name in ("a", "_", "a1", "In_", "ends"):
        assert is_identifier(name)
    for name in ("", "1a", "a b", "in", "IN", "try", "e_perm", "a\n", "\xe9", "any"):
        assert not is_identifier(name)


def test_keywords_of_later_versions_are_no_identifiers() -> None:
    program = Program(
        body=(
            n.ExpressionStatement(n.Property(n.Variable(5), n.Literal("break"))),
            n.ExpressionStatement(n.Property(n.Literal(Obj(0)), n.Literal("try"))),
        ),
        names=("NUM", "OBJ", "STR", "LIST", "ERR", "player"),
        version=0,
    )
    assert unparse(program) == ['player.("break");', '#0.("try");']


# --- lines ----------------------------------------------------------------


def test_the_layout_names_whose_lines_there_are() -> None:
    program = parse("if (a) b; elseif (c) else d; endif")
    (statement,) = program.body
    assert type(statement) is n.If
    found = list(layout(program.body))
    assert [(level, word) for level, word, _ in found] == [
        (0, "if"),
        (1, ""),
        (0, "elseif"),
        (0, "else"),
        (1, ""),
        (0, "endif"),
    ]
    assert [node for _, _, node in found] == [
        statement.arms[0],
        statement.arms[0].body[0],
        statement.arms[1],
        statement,
        statement.otherwise[0],
        statement,
    ]


def test_statements_and_arms_have_lines() -> None:
    program = parse(*EVERYTHING)
    numbers = line_numbers(program)
    assert [numbers[id(statement)] for statement in program.body] == [
        1,
        14,
        17,
        20,
        23,
        29,
    ]
    branch, _, _, _, attempt, _ = program.body
    assert type(branch) is n.If
    assert type(attempt) is n.TryExcept
    assert [numbers[id(arm)] for arm in branch.arms] == [1, 5]
    assert [numbers[id(arm)] for arm in attempt.arms] == [25, 27]


def test_lines_go_on_from_the_first() -> None:
    program = Program(body=parse("x; y;").body, names=(), first_line=40)
    assert list(line_numbers(program).values()) == [40, 41]
