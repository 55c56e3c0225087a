"""The classic code: places of nodes, and nodes of places.

That the instructions themselves are the C server's is in `test_recorded`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given

from pymoo.errors import InternalError
from pymoo.lang import nodes as n
from pymoo.lang.classic import MAIN, ClassicCode, LoopLabels
from pymoo.lang.opcodes import NUM_MAX, NUM_MIN, Op, ticks
from pymoo.lang.program import Program
from pymoo.values import E_PERM, Obj
from tests.lang.programs import NUMBERS, parse
from tests.strategies import programs


def nodes_of(program: Program) -> Iterator[n.Node]:
    """Yield every node that is evaluated or run."""
    pending: list[n.Node] = list(program.body)
    while pending:
        node = pending.pop()
        yield node
        pending += n.operands(node)


def only(program: Program, kind: type[n.Node]) -> n.Node:
    """Return the one node of a kind."""
    (found,) = (node for node in nodes_of(program) if type(node) is kind)
    return found


def assembly(*lines: str) -> list[str]:
    """Return the instructions of the main vector, without bytes and ticks."""
    program = parse(*lines)
    first = 7
    shown = program.classic.disassemble(NUMBERS)[first:]
    return [line[27:] for line in shown[: shown.index("") if "" in shown else None]]


# --- instructions ---------------------------------------------------------


def test_small_integers_have_instructions_of_their_own() -> None:
    assert (NUM_MIN, NUM_MAX) == (-10, 132)
    assert assembly("-10; -11; 132; 133;")[::2] == [
        "NUM -10",
        "PUSH_LITERAL -11",
        "NUM 132",
        "PUSH_LITERAL 133",
        "DONE",
    ]


def test_equal_literals_of_one_type_are_one() -> None:
    code = parse('"a"; "A"; "a"; #200; 200; 200.0; #200; E_PERM; 200;').classic
    assert code.literals == ("a", "A", Obj(200), 200, 200.0, E_PERM)
    assert [type(value).__name__ for value in code.literals[2:5]] == [
        "Obj",
        "int",
        "float",
    ]


def test_variables_from_slot_32_on_have_operands() -> None:
    names = "".join(f"v{number};" for number in range(18, 34))
    assert assembly(names, "v31 = v32;")[-4:] == ["PUSH v32", "PUT v31", "POP", "DONE"]
    program = parse(names, "v31 = v32; v32 = v31;")
    codes = [each.code for each in program.classic.main.instructions]
    assert codes[-7:-1] == [
        Op.G_PUSH,
        Op.PUT + 31,
        Op.POP,
        Op.PUSH + 31,
        Op.G_PUT,
        Op.POP,
    ]


def test_the_order_of_an_indexed_assignment() -> None:
    assert assembly("x[1][2..3] = y;") == [
        "PUSH x",
        "NUM 1",
        "PUSH_INDEX",
        "NUM 2",
        "NUM 3",
        "PUSH y",
        "PUT_TEMP",
        "RANGESET",
        "INDEXSET",
        "PUT x",
        "POP",
        "PUSH_TEMP",
        "POP",
        "DONE",
    ]


def test_ticks_are_those_of_opcode_h() -> None:
    """Basic instructions up to G_PUT, extended ones from CATCH on."""
    assert [code for code in range(256) if ticks(code)] == list(range(67))
    assert [Op(256 + code).name for code in range(15) if ticks(256 + code)] == [
        "CATCH",
        "TRY_EXCEPT",
        "TRY_FINALLY",
        "WHILE_ID",
        "EXIT",
        "EXIT_ID",
        "SCATTER",
        "EXPONENT",
    ]


def test_labels_are_as_wide_as_the_vector_needs() -> None:
    def width(count: int) -> tuple[int, int]:
        main = parse("if (x)", *["x;"] * count, "endif").classic.main
        return main.size, main.widths.label

    # PUSH IF label ... JUMP label DONE, and two bytes a statement.
    assert width(125) == (256, 1)
    assert width(126) == (260, 2)
    assert width(32_764) == (65_536, 2)
    assert width(32_765) == (65_542, 4)


def test_widths_count_literals_and_variables_of_the_whole_program() -> None:
    """A fork's vector is wide because of what came before it, not what is in it."""
    before = [f'"{number}";' for number in range(257)]
    code = parse(*before, "fork (1) x; endfork").classic
    assert code.forks[0].widths.literal == 2
    code = parse("fork (1) x; endfork", *before).classic
    assert code.forks[0].widths.literal == 1
    assert code.main.widths.literal == 2


def test_the_same_node_in_two_places_is_refused() -> None:
    statement = n.ExpressionStatement(n.Literal(1))
    with pytest.raises(InternalError):
        ClassicCode(Program(body=(statement, statement), names=()))


def test_forks_in_another_order_are_refused() -> None:
    program = parse("fork (1) endfork fork (2) endfork")
    with pytest.raises(InternalError):
        ClassicCode(Program(body=program.body, names=(), forks=program.forks[::-1]))


# --- places of nodes ------------------------------------------------------


def test_a_pc_is_behind_the_call() -> None:
    program = parse("x = y:z(length(w));")
    code = program.classic
    verb, function = only(program, n.VerbCall), only(program, n.FunctionCall)
    by_pc = {each.pc: each.code for each in code.main.instructions}
    assert by_pc[code.call_pc(verb) - 1] == Op.CALL_VERB  # type: ignore[arg-type]
    assert by_pc[code.call_pc(function) - 2] == Op.CALL_FUNC  # type: ignore[arg-type]


def test_the_site_of_a_call_is_the_way_down_to_it() -> None:
    program = parse("if (a) else for b in (c) d = {1, @e:f(time())}; endfor endif")
    code = program.classic
    call = only(program, n.FunctionCall)
    path = code.site(MAIN, code.call_pc(call))  # type: ignore[arg-type]
    assert path is not None
    assert [type(node) for node in path] == [
        n.If,
        n.ForList,
        n.ExpressionStatement,
        n.Assign,
        n.ListDisplay,
        n.Splice,
        n.VerbCall,
        n.FunctionCall,
    ]
    assert path[0] is program.body[0]
    assert path[-1] is call


def test_the_parts_of_a_target_are_in_the_assignment() -> None:
    program = parse("x[time()].y[1] = 2;")
    code = program.classic
    path = code.site(MAIN, code.call_pc(only(program, n.FunctionCall)))  # type: ignore[arg-type]
    assert path is not None
    assert [type(node) for node in path] == [
        n.ExpressionStatement,
        n.Assign,
        n.Index,
        n.FunctionCall,
    ]


def test_the_sites_of_a_fork_begin_in_its_body() -> None:
    program = parse("fork (a:b()) fork (c:d()) e:f(); endfork endfork")
    code = program.classic
    for vector, kinds in (
        (MAIN, [n.Fork, n.VerbCall]),
        (1, [n.Fork, n.VerbCall]),
        (0, [n.ExpressionStatement, n.VerbCall]),
    ):
        (path,) = (
            path
            for pc in range(code.vector(vector).size + 1)
            if (path := code.site(vector, pc)) is not None
        )
        assert [type(node) for node in path] == kinds


def test_other_pcs_have_no_site() -> None:
    code = parse("a:b();").classic
    assert [pc for pc in range(-2, 20) if code.site(MAIN, pc)] == [5]
    assert code.site(7, 5) is None


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        # What stands on the operand stack while time() is called.
        ("time();", 0),
        ("1 + time();", 1),
        ("1 + (2 + (3 + time()));", 3),
        ("a && time();", 0),
        ("a ? time() | b;", 0),
        ("{time()};", 0),
        ("{1, 2, time()};", 1),
        ("a:b(time());", 2),
        ("a:b(1, time());", 3),
        ("a.(time());", 1),
        ("a[time()];", 1),
        ("a[1..time()];", 2),
        ("a = time();", 0),
        ("a.b = time();", 2),
        ("a[1] = time();", 2),
        ("a[1][2] = time();", 4),
        ("a.b[1] = time();", 4),
        ("a[1..2] = time();", 3),
        ("{a, ?b = time()} = c;", 1),
        ("`time() ! ANY';", 3),
        ("`a ! time()';", 0),
        ("`a ! ANY => time()';", 0),
        ("for a in (time()) endfor", 0),
        ("for a in (b) time(); endfor", 2),
        ("for a in [1..time()] endfor", 1),
        ("for a in [1..2] time(); endfor", 2),
        ("while (a) time(); endwhile", 0),
        ("fork (1) time(); endfork", 0),
        ("try time(); except (ANY) endtry", 3),
        ("try time(); except (b) except (ANY) endtry", 5),
        ("try except (b) except (time()) endtry", 2),
        ("try except (ANY) time(); endtry", 0),
        ("try time(); finally endtry", 1),
        ("try finally time(); endtry", 2),
    ],
)
def test_the_depth_of_the_stack_at_a_call(text: str, depth: int) -> None:
    program = parse(text)
    assert program.classic.depth(only(program, n.FunctionCall)) == depth


def test_where_the_value_is_whose_length_is_meant() -> None:
    program = parse("{1, a:b(c[d[$] - 1])};")
    # The list so far, a, "b", c, d.
    assert program.classic.length_base(only(program, n.Length)) == 4  # type: ignore[arg-type]


def test_handlers_and_their_pcs() -> None:
    program = parse(
        "try `a ! ANY => b'; except c (d) e; except (ANY) f; endtry",
        "try g; finally h; endtry",
    )
    code = program.classic
    by_pc = {each.pc: each for each in code.main.instructions}
    first, second = program.body
    assert type(first) is n.TryExcept
    assert type(second) is n.TryFinally
    labels = [
        each.operands[0]
        for each in code.main.instructions
        if each.code in (Op.PUSH_LABEL, Op.TRY_FINALLY)
    ]
    handlers = [*first.arms, only(program, n.Catch), second]
    assert [code.handler_pc(node) for node in handlers] == labels  # type: ignore[arg-type]
    for node in handlers:
        pc = code.handler_pc(node)  # type: ignore[arg-type]
        assert code.handler_at(MAIN, pc) is node
        assert pc in by_pc
    assert code.handler_at(MAIN, 0) is None
    assert code.handler_at(0, labels[0]) is None  # type: ignore[arg-type]


def test_where_the_ways_out_of_loops_lead() -> None:
    program = parse("for a in (b) while (c) break; continue a; endwhile endfor")
    (outer,) = program.body
    assert type(outer) is n.ForList
    (inner,) = outer.body
    assert type(inner) is n.While
    code = program.classic
    exits = [
        each for each in code.main.instructions if each.code in (Op.EXIT, Op.EXIT_ID)
    ]
    labels = code.loop_labels(inner)
    assert exits[0].operands == (labels.depth_outside, labels.end_pc)
    labels = code.loop_labels(outer)
    assert exits[1].operands == (outer.slot, labels.depth_inside, labels.head_pc)
    assert labels == LoopLabels(
        depth_outside=0, end_pc=code.main.size - 1, depth_inside=2, head_pc=2
    )


def test_a_way_out_is_known_by_the_loops_around() -> None:
    """One loop may begin where another ends; only one of them is around."""
    program = parse(
        "while (a) try x:y(); finally endtry endwhile",
        "while (b) try x:z(); finally endtry endwhile",
    )
    code = program.classic
    first, second = program.body
    end = code.loop_labels(first)  # type: ignore[arg-type]
    head = code.loop_labels(second)  # type: ignore[arg-type]
    place = (end.depth_outside, end.end_pc)
    assert place == (head.depth_inside, head.head_pc)
    assert code.exit_at([first], *place) == (first, False)
    assert code.exit_at([second], *place) == (second, True)
    assert code.exit_at([], *place) is None
    assert code.exit_at([first], 1, end.end_pc) is None


# --- lines ----------------------------------------------------------------


def test_errors_of_codes_are_on_the_line_of_their_arm() -> None:
    code = parse("try", "x;", "except (y)", "except (z)", "endtry").classic
    lines = [each.line for each in code.main.instructions]
    #        y  []  label  z  []  label  try  x  pop  end  pop jump  pop  done
    assert lines == [3, 3, 3, 4, 4, 4, 1, 2, 2, 2, 3, 3, 4, 6]


def test_later_stores_are_blamed_on_the_line_behind_the_last() -> None:
    """As the C server has it: it loses the way to the statement."""
    program = parse("x.y[1] = 2;", "z;")
    code = program.classic
    assert code.line_behind == 3
    lines = {
        Op(each.code).name: each.line
        for each in code.main.instructions
        if each.code in (Op.INDEXSET, Op.PUT_PROP)
    }
    assert lines == {"INDEXSET": 1, "PUT_PROP": 3}


def test_a_fork_begins_on_the_line_of_its_first_instruction() -> None:
    program = parse(
        "x;",
        "fork (1)",
        "endfork",
        "fork (1)",
        "try",
        "x;",
        "except (ANY)",
        "endtry",
        "endfork",
        "fork (1)",
        "if (y)",
        "endif",
        "endfork",
    )
    assert [program.classic.first_line(fork) for fork in range(3)] == [3, 7, 11]


def test_lines_go_on_from_the_first() -> None:
    parsed = parse("fork (1) x; endfork", "y;")
    program = Program(
        body=parsed.body, names=parsed.names, forks=parsed.forks, first_line=40
    )
    code = program.classic
    assert code.line_at(MAIN, 0) == 40
    assert code.line_at(0, 0) == 41
    assert code.line_behind == 44
    assert code.disassemble(NUMBERS)[1] == "First line number: 40"


def test_a_pc_out_of_range_has_the_nearest_line() -> None:
    code = parse("x;", "y;").classic
    assert code.line_at(MAIN, -1) == 1
    assert code.line_at(MAIN, 1000) == code.line_behind


# --- disassemble() --------------------------------------------------------


def test_long_instructions_take_more_rows() -> None:
    shown = parse("{a, ?b = 1, @c} = d;").classic.disassemble(NUMBERS)
    start = next(at for at, line in enumerate(shown) if "SCATTER" in line)
    assert shown[start - 2 : start + 2] == [
        "  1: 112 013 003 001 003",
        "     018 000 019 013 020",
        "     000 016             * SCATTER 3/1/3: a/0 b/13 c/0 16",
        " 13: 124                   NUM 1",
    ]


def test_the_257th_variable_fits_into_no_byte() -> None:
    names = [f"v{slot}" for slot in range(18, 257)]
    shown = parse(*(f"{name};" for name in names)).classic.disassemble(NUMBERS)
    assert "variables = 1" in shown[5]
    assert shown[-3] == "700: 099 000               PUSH v256"


@given(programs())
def test_every_call_is_found_again_from_its_pc(program: Program) -> None:
    code = program.classic
    vectors = [MAIN, *range(len(program.forks))]
    calls = {
        id(node): node
        for node in nodes_of(program)
        if isinstance(node, n.VerbCall | n.FunctionCall)
    }
    found = {}
    for vector in vectors:
        for pc in range(code.vector(vector).size + 1):
            path = code.site(vector, pc)
            if path is not None:
                found[id(path[-1])] = path[-1]
                assert code.call_pc(path[-1]) == pc  # type: ignore[arg-type]
    assert found == calls


@given(programs())
def test_the_stack_is_empty_between_the_statements_of_a_program(
    program: Program,
) -> None:
    code = program.classic
    for statement in program.body:
        assert code.depth(statement) == 0
    for fork in program.forks:
        for statement in fork.body:
            assert code.depth(statement) == 0
    for node in nodes_of(program):
        assert (
            0
            <= code.depth(node)
            <= max(vector.max_stack for vector in (code.main, *code.forks))
        )
