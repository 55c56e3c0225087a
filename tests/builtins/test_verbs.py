"""Verbs: their definitions, their code, eval()."""

from __future__ import annotations

import pytest

from pymoo.values import Obj
from tests.builtins.asking import PAT, QUINN, RAE, Asker


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "verbs(#9)": '{"echo", "ctx", "boom", "nopass"}',
        "verbs(#10)": "! E_PERM",
        "verbs(#16)": "! E_INVARG",
        'verb_info(#9, "ECHO")': '{#5, "rxd", "echo"}',
        "verb_info(#9, 1)": '{#5, "rxd", "echo"}',
        "verb_info(#9, 0)": "! E_INVARG",
        "verb_info(#9, -1)": "! E_INVARG",
        "verb_info(#9, 9)": "! E_VERBNF",
        "verb_info(#9, 1.0)": "! E_TYPE",
        'verb_info(#9, "add")': "! E_VERBNF",
        'verb_info(#16, "add")': "! E_INVARG",
        'verb_info(#8, "wildca")': '{#3, "rxd", "wild*card w*ide"}',
        'verb_info(#8, "wild*card")': "! E_VERBNF",
        'verb_info(#8, "wild w")': "! E_VERBNF",
        'verb_args(#9, "echo")': '{"this", "none", "this"}',
        'verb_code(#8, "echo")': '{"return args;"}',
        'verb_code(#8, "noexec", 1, 0)': '{"return \\"ran\\";"}',
        'verb_code(#8, "echo", 1, 2, 3)': "! E_ARGS",
        'disassemble(#8, "echo")[1]': '"Language version number: 4"',
        'disassemble(#8, "nosuch")': "! E_VERBNF",
    }.items(),
)
def test_questions(ask: Asker, expression: str, value: str) -> None:
    assert ask(expression, PAT) == value


def test_unreadable_verbs_are_for_their_owners(ask: Asker) -> None:
    hide = 'set_verb_info(#9, "echo", {#5, "xd", "echo"});'
    assert ask.run(hide, PAT) == "0"
    for name in ("verb_info", "verb_args", "verb_code", "disassemble"):
        assert ask(f'{name}(#9, "echo")', QUINN) == "! E_PERM"
        assert ask(f'typeof({name}(#9, "echo"))', PAT) == "4"


@pytest.mark.parametrize(
    ("info", "value"),
    {
        '{#5, "rxd", "new"}': "5",
        '{#5, "RWXD", "  new  name"}': "5",
        '{#5, "rxd", "  "}': "! E_INVARG",
        '{#5, "rxd", ""}': "! E_INVARG",
        '{#5, "q", "new"}': "! E_INVARG",
        '{#16, "r", "new"}': "! E_INVARG",
        '{#6, "r", "new"}': "! E_PERM",
        '{#5, "r"}': "! E_TYPE",
        '{#5, "r", 5}': "! E_TYPE",
    }.items(),
)
def test_add_verb_gives_the_new_verb_s_number(
    ask: Asker, info: str, value: str
) -> None:
    call = f'add_verb(#9, {info}, {{"this", "none", "this"}})'
    assert ask(call, PAT) == value
    assert ask(f'set_verb_info(#9, "boom", {info})', QUINN) in (value, "! E_PERM")


def test_of_verbs_of_one_name_the_first_is_meant(ask: Asker) -> None:
    program = (
        'add_verb(#9, {#3, "rxd", "a"}, {"this", "none", "this"});'
        ' n = add_verb(#9, {#3, "rxd", "a"}, {"this", "none", "this"});'
        ' set_verb_code(#9, n, {"return 2;"}); x = #9:a();'
        ' delete_verb(#9, "a"); return {x, #9:a(), verb_code(#9, "a")};'
    )
    assert ask.run(program) == '{0, 2, {"return 2;"}}'


@pytest.mark.parametrize(
    ("names", "called", "found"),
    [
        ("foo*bar", "foo", True),
        ("foo*bar", "foob", True),
        ("foo*bar", "foobar", True),
        ("foo*bar", "foobars", False),
        ("foo*bar", "fo", False),
        ("foo*", "foo", True),
        ("foo*", "foozle", True),
        ("*", "anything", True),
        ("*", "", True),
        ("a b", "b", True),
        ("a b", "a b", False),
        ("FOO", "foo", True),
        ("*foo", "", True),
        ("*foo", "fo", True),
        ("*foo", "g", False),
    ],
)
def test_stars_in_verb_names(ask: Asker, names: str, called: str, found: bool) -> None:
    program = (
        f'add_verb(#17, {{#3, "rxd", "{names}"}}, {{"this", "none", "this"}});'
        f' return #17:("{called}")();'
    )
    assert ask.run(program) == ("0" if found else "! E_VERBNF")


@pytest.mark.parametrize(
    ("args", "value"),
    {
        '{"this", "none", "this"}': '{"this", "none", "this"}',
        '{"ANY", "On", "None"}': '{"any", "on top of/on/onto/upon", "none"}',
        '{"any", "with/using", "any"}': '{"any", "with/using", "any"}',
        '{"any", "at", "any"}': '{"any", "at/to", "any"}',
        '{"any", "any", "any"}': '{"any", "any", "any"}',
        '{"any", "bogus", "any"}': "! E_INVARG",
        '{"any", "", "any"}': "! E_INVARG",
        '{"all", "none", "any"}': "! E_INVARG",
        '{"any", "none"}': "! E_TYPE",
        '{"any", 5, "any"}': "! E_TYPE",
    }.items(),
)
def test_set_verb_args_knows_the_prepositions(
    ask: Asker, args: str, value: str
) -> None:
    set_args = f'set_verb_args(#9, "echo", {args})'
    answer = ask(set_args, PAT)
    if answer == "0":
        answer = ask('verb_args(#9, "echo")', PAT)
    assert answer == value
    assert ask('set_verb_args(#9, "boom", {"any", "any", "any"})', PAT) == "! E_PERM"


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        'delete_verb(#9, "boom")': "0",
        "delete_verb(#9, 1)": "0",
        'delete_verb(#9, "add")': "! E_VERBNF",
        'delete_verb(#8, "add")': "! E_PERM",
        'delete_verb(#16, "add")': "! E_INVARG",
        "delete_verb(#9, {})": "! E_TYPE",
        'set_verb_code(#9, "echo", {"return 1;"})': "{}",
        'set_verb_code(#9, "boom", {"return 1;"})': "! E_PERM",
        'set_verb_code(#9, "nosuch", {})': "! E_VERBNF",
        'set_verb_code(#16, "echo", {})': "! E_INVARG",
        'set_verb_code(#9, "echo", {1})': "! E_TYPE",
        'set_verb_code(#9, "echo", "return 1;")': "! E_TYPE",
    }.items(),
)
def test_changing_verbs(ask: Asker, expression: str, value: str) -> None:
    assert ask(expression, PAT) == value


def test_code_that_does_not_compile_changes_nothing(ask: Asker) -> None:
    program = (
        'e = set_verb_code(#9, "echo", {"x = 1;", "return 5", "y = 2;"});'
        ' return {e, length(verb_code(#9, "echo"))};'
    )
    assert ask.run(program, PAT) == '{{"Line 3:  syntax error"}, 1}'
    assert ask('set_verb_code(#9, "echo", {"foo();", "break;"})', PAT) == (
        '{"Line 1:  Unknown built-in function: foo",'
        ' "Line 2:  No enclosing loop for `break\' statement"}'
    )


def test_only_programmers_compile(ask: Asker) -> None:
    make = (
        'add_verb(#17, {#7, "rxd", "mine"}, {"this", "none", "this"});'
        ' set_verb_code(#17, "mine", {"return {`eval(\\"1;\\") ! ANY\','
        " `set_verb_code(this, verb, {}) ! ANY'};\"});"
    )
    assert ask.run(f"{make} return #17:mine();") == "{E_PERM, E_PERM}"
    assert ask('eval("return 1;")', PAT) == "{1, 1}"
    assert RAE == 7


def test_numbers_in_strings_are_verb_numbers_from_0_if_the_option_says_so(
    ask: Asker,
) -> None:
    program = (
        'a = `verb_info(#9, "1") ! ANY\';'
        ' add_property(#4, "support_numeric_verbname_strings", 1, {#3, ""});'
        ' return {a, verb_info(#9, "1"), `verb_info(#9, "9") ! ANY\'};'
    )
    assert ask.run(program) == '{E_VERBNF, {#5, "rxd", "ctx"}, E_VERBNF}'


# --- eval() ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "value"),
    {
        "return 5;": "{1, 5}",
        "5;": "{1, 0}",
        "": "{1, 0}",
        "return": '{0, {"Line 2:  syntax error"}}',
        "x = $;": '{0, {"Line 1:  Illegal context for `$\' expression."}}',
        "return {this, caller_perms(), verb, args};": '{1, {#-1, #3, "", {}}}',
        "return 1 / 0;": "! E_DIV",
    }.items(),
)
def test_eval(ask: Asker, code: str, value: str) -> None:
    assert ask(f'eval("{code}")') == value


def test_eval_raises_errors_in_its_caller(ask: Asker) -> None:
    assert ask('`eval("return 1 / 0;") ! E_DIV => 7\'') == "7"
    assert ask("eval(1)") == "! E_TYPE"
    assert ask('eval("1;", "2;")') == "! E_ARGS"


def test_verbs_that_are_added_after_a_look_are_found(ask: Asker) -> None:
    program = (
        'r = {}; for n in ({"one*two", "a b", "one", "*"})'
        ' r = {@r, `#17:one() ! ANY\'}; v = add_verb(#17, {#3, "rxd", n},'
        ' {"this", "none", "this"}); set_verb_code(#17, v, {"return verb;"}); endfor'
        ' delete_verb(#17, "one"); return {@r, #17:b(), #17:onetwo(), verbs(#17)};'
    )
    assert ask.run(program) == (
        '{E_VERBNF, "one", "one", "one", "b", "onetwo", {"a b", "one", "*"}}'
    )


def test_what_no_verb_can_have_is_shown_as_its_number(ask: Asker) -> None:
    """A damaged file may; the C server panics."""
    verbdef = ask.bench.world[Obj(9)].verbs[0]
    verbdef.perms, verbdef.prep = 0o375, 40
    assert ask('verb_args(#9, "echo")', PAT) == '{"3", "40", "3"}'
