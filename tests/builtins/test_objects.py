"""Objects: making, moving, recycling; and who may."""

from __future__ import annotations

import pytest

from tests.builtins.asking import PAT, QUINN, Asker

# --- asking ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "typeof(1) == INT && typeof(1) == NUM": "1",
        "{INT, OBJ, STR, ERR, LIST, FLOAT}": "{0, 1, 2, 3, 4, 9}",
        "{typeof(#1), typeof(1.0), typeof({}), typeof(E_DIV)}": "{1, 9, 4, 3}",
        "{valid(#0), valid(#16), valid(#-1), valid(#99)}": "{1, 0, 0, 0}",
        "valid(1)": "! E_TYPE",
        "parent(#9)": "#8",
        "parent(#1)": "#-1",
        "parent(#16)": "! E_INVARG",
        "children(#8)": "{#9}",
        "children(#16)": "! E_INVARG",
        "is_player(#5)": "1",
        "is_player(#6)": "0",
        "is_player(#16)": "! E_INVARG",
        "players()": "{#3, #5, #7}",
        "object_bytes(#16)": "! E_INVIND",
        "value_bytes(5)": "16",
        'value_bytes("abc")': "20",
        "value_bytes({})": "32",
        "value_bytes({1, 2.0})": "72",
    }.items(),
)
def test_questions(ask: Asker, expression: str, value: str) -> None:
    assert ask(expression) == value


def test_object_bytes_is_for_wizards(ask: Asker) -> None:
    assert ask("object_bytes(#5)", PAT) == "! E_PERM"


# --- create() -------------------------------------------------------------


def test_create_gives_the_next_number_and_calls_initialize(ask: Asker) -> None:
    program = (
        "n = max_object(); o = create(#15); return {toint(o) - toint(n), o.name,"
        " o.owner, parent(o), o.location, o.contents, o.count};"
    )
    assert ask.run(program) == '{1, "copy 1", #3, #15, #-1, {}, 1}'


def test_numbers_of_recycled_objects_are_not_used_again(ask: Asker) -> None:
    program = (
        "o = create(#1); recycle(o); p = create(#1); a = toint(p) - toint(o);"
        " recycle(p); reset_max_object(); q = create(#1); return {a, q == o};"
    )
    assert ask.run(program) == "{1, 1}"


def test_create_with_no_owner_owns_itself(ask: Asker) -> None:
    assert ask.run("o = create(#1, #-1); return o.owner == o;") == "1"


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "valid(create(#15))": "1",
        "valid(create(#11))": "1",
        "create(#12)": "! E_PERM",
        "create(#12, #5)": "! E_PERM",
        "create(#15, #3)": "! E_PERM",
        "create(#15, #-1)": "! E_PERM",
        "parent(create(#-1))": "#-1",
        "create(#16)": "! E_PERM",
        "create(1)": "! E_TYPE",
        "create()": "! E_ARGS",
    }.items(),
)
def test_others_need_a_fertile_parent_or_their_own_and_own_what_they_make(
    ask: Asker, expression: str, value: str
) -> None:
    assert ask(expression, PAT) == value


def test_the_object_exists_though_initialize_failed(ask: Asker) -> None:
    program = (
        "n = max_object(); e = `create(#18) ! ANY';"
        " return {e, toint(max_object()) - toint(n), parent(max_object())};"
    )
    assert ask.run(program) == "{E_QUOTA, 1, #18}"


def test_ownership_quota_counts_if_it_is_a_number(ask: Asker) -> None:
    program = (
        'add_property(#5, "ownership_quota", 1, {#3, ""}); a = create(#1, #5);'
        " b = `create(#1, #5) ! ANY'; c = #5.ownership_quota; recycle(a);"
        ' d = #5.ownership_quota; #5.ownership_quota = "none"; e = create(#1, #5);'
        " return {b, c, d, valid(e)};"
    )
    assert ask.run(program) == "{E_QUOTA, 0, 1, 1}"


def test_c_properties_belong_to_the_owner_of_a_new_child(ask: Asker) -> None:
    program = (
        'o = create(#8, #5); return {property_info(o, "str"),'
        ' property_info(o, "num"), is_clear_property(o, "str")};'
    )
    assert ask.run(program) == '{{#5, "rwc"}, {#3, "r"}, 1}'


# --- move() ---------------------------------------------------------------


def test_move_asks_then_moves_then_tells(ask: Asker) -> None:
    assert ask.lines("move(#17, #13); move(#17, #2);") == [
        "accept #17 by #3",
        "enterfunc #17 at #13",
        "exitfunc #17 at #2",
    ]


def test_a_wizard_moves_whatever_accept_says(ask: Asker) -> None:
    assert ask.run('#17.name = "lead"; move(#17, #13); return #17.location;') == "#13"
    assert ask.run("move(#17, #8); return #17.location;") == "#8"


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "move(#17, #11)": "0",
        "move(#17, #8)": "! E_NACC",
        "move(#17, #-1)": "0",
        "move(#17, #16)": "! E_INVARG",
        "move(#17, #-2)": "! E_INVARG",
        "move(#16, #11)": "! E_INVARG",
        "move(#10, #11)": "! E_PERM",
        "move(#11, #11)": "! E_RECMOVE",
        "move(#17, #12)": "! E_RECMOVE {list}",
        "move(#17)": "! E_ARGS",
        "move(#17, 1)": "! E_TYPE",
    }.items(),
)
def test_others_move_what_is_theirs_where_it_is_accepted(
    ask: Asker, expression: str, value: str
) -> None:
    assert ask(expression, PAT) == value


def test_nothing_can_be_moved_into_itself_or_its_contents(ask: Asker) -> None:
    assert ask("move(#17, #17)") == "! E_RECMOVE"
    assert ask.run("move(#17, #11); return move(#11, #17);") == "! E_RECMOVE"
    assert ask("#11.location") == "#2"


def test_accept_is_asked_even_where_the_thing_is_already(ask: Asker) -> None:
    assert ask.lines("move(#17, #13); move(#17, #13);") == [
        "accept #17 by #3",
        "enterfunc #17 at #13",
        "accept #17 by #3",
    ]


def test_what_comes_back_is_the_last_of_the_contents(ask: Asker) -> None:
    program = (
        "move(#17, #11); move(#9, #11); a = #11.contents; move(#17, #2);"
        " move(#17, #11); return {a, #11.contents};"
    )
    assert ask.run(program) == "{{#17, #18, #9}, {#18, #9, #17}}"


def test_an_error_in_accept_moves_with_the_permissions_of_that_verb(
    ask: Asker,
) -> None:
    program = "e = `move(#17, #12) ! ANY'; return {e, #17.location};"
    assert ask.run(program, PAT) == "{E_RECMOVE, #11}"
    program = 'set_verb_info(#12, "accept", {#3, "rxd", "accept"}); ' + program
    assert ask.run(program) == "{E_RECMOVE, #12}"


def test_errors_in_exitfunc_come_too_late_but_are_raised(ask: Asker) -> None:
    program = (
        'set_verb_code(#14, "accept", {"return 1;"});'
        ' set_verb_code(#14, "enterfunc", {"return;"});'
        " e = move(#17, #14); f = `move(#17, #2) ! ANY'; return {e, f, #17.location};"
    )
    assert ask.run(program) == "{0, E_DIV, #2}"


def test_the_builtin_has_a_frame_of_its_own_while_it_waits(ask: Asker) -> None:
    program = (
        'set_verb_code(#13, "accept", {"this.name = toliteral(callers(1));"});'
        ' set_verb_code(#13, "enterfunc", {"this.name = toliteral(callers(1));"});'
        ' frame = "{{#-1, \\"move\\", #-1, #-1, #3, 4}"; move(#17, #13);'
        " return index(#13.name, frame);"
    )
    assert ask.run(program) == "1"


# --- recycle() ------------------------------------------------------------


def test_recycling_gives_the_children_to_the_parent_and_empties_the_object(
    ask: Asker,
) -> None:
    program = (
        "recycle(#9); recycle(#11); return {valid(#9), parent(#10), #17.location,"
        " #18.location};"
    )
    assert ask.run(program) == "{0, #8, #-1, #-1}"


def test_an_error_in_recycle_comes_too_late(ask: Asker) -> None:
    program = (
        'set_verb_code(#15, "recycle", {"raise(E_PERM);"});'
        " e = `recycle(#19) ! ANY'; return {e, valid(#19)};"
    )
    assert ask.run(program) == "{E_PERM, 0}"


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "recycle(#17)": "0",
        "recycle(#10)": "! E_PERM",
        "recycle(#16)": "! E_INVARG",
        "recycle()": "! E_ARGS",
    }.items(),
)
def test_recycling_is_for_owners(ask: Asker, expression: str, value: str) -> None:
    assert ask(expression, PAT) == value


# --- other changes --------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "chparent(#17, #15)": "0",
        "chparent(#17, #-1)": "0",
        "chparent(#17, #12)": "! E_PERM",
        "chparent(#10, #15)": "! E_PERM",
        "chparent(#17, #16)": "! E_INVARG",
        "chparent(#16, #15)": "! E_INVARG",
        "chparent(#17, #17)": "! E_RECMOVE",
        "chparent(#9, #11)": "0",
    }.items(),
)
def test_chparent_is_for_owners_and_fertile_parents(
    ask: Asker, expression: str, value: str
) -> None:
    if "#17, #17" in expression:
        expression = "chparent(#9, #9)"
    assert ask(expression, PAT) == value


def test_chparent_makes_a_child_the_last_and_refuses_clashes(ask: Asker) -> None:
    program = (
        "a = create(#1); b = create(#1); chparent(a, #1); c = children(#1);"
        " return {c[$] == a, c[$ - 1] == b};"
    )
    assert ask.run(program) == "{1, 1}"
    program = (
        'o = create(#1); add_property(o, "num", 1, {#3, ""});'
        " return {`chparent(o, #8) ! ANY', `chparent(#8, #10) ! ANY'};"
    )
    assert ask.run(program) == "{E_INVARG, E_RECMOVE}"


def test_set_player_flag_and_renumbering_are_for_wizards(ask: Asker) -> None:
    for call in ("set_player_flag(#9, 1)", "renumber(#9)", "reset_max_object()"):
        assert ask(call, PAT) == "! E_PERM"
    assert ask("set_player_flag(#16, 1)", PAT) == "! E_INVARG"
    assert ask("renumber(#16)", PAT) == "! E_INVARG"
    program = "set_player_flag(#9, 1); a = players(); set_player_flag(#9, 0);"
    assert ask.run(program + " return {a, players()};") == (
        "{{#3, #5, #7, #9}, {#3, #5, #7}}"
    )


def test_renumber_takes_the_lowest_free_number_and_mends_what_refers_to_it(
    ask: Asker,
) -> None:
    program = (
        "o = create(#9, #6); p = create(o); move(o, #2); n = renumber(o);"
        " return {n, parent(p), children(#9), n in #2.contents > 0, valid(o)};"
    )
    assert ask.run(program) == "{#16, #16, {#10, #16}, 1, 0}"


def test_builtin_properties_may_be_set_by_whom_and_to_what(ask: Asker) -> None:
    assert ask.run("#9.name = 5;") == "! E_TYPE"
    assert ask.run("#9.owner = #99; return #9.owner;") == "#99"
    assert ask.run("#9.r = {}; #9.w = 7; return {#9.r, #9.w};") == "{0, 1}"
    assert ask.run("#9.location = #2;") == "! E_PERM"
    assert ask.run("#9.contents = {};") == "! E_PERM"
    assert ask.run("#5.wizard = 1;", PAT) == "! E_PERM"
    assert ask.run("#5.programmer = 0;", PAT) == "! E_PERM"
    assert ask.run('#5.name = "x";', PAT) == "! E_PERM"
    assert ask.run('#17.name = "x"; return #17.NAME;', PAT) == '"x"'
    assert ask.run('#17.name = "x";', QUINN) == "! E_PERM"
    assert ask.run("#17.owner = #6;", PAT) == "! E_PERM"
