"""The definitions of properties: who may see, change, add, delete and clear them."""

from __future__ import annotations

import pytest

from pymoo.values import Obj
from tests.builtins.asking import PAT, QUINN, Asker


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "properties(#9)": '{"own"}',
        "properties(#17)": "{}",
        "properties(#10)": "! E_PERM",
        "properties(#16)": "! E_INVARG",
        'property_info(#9, "NUM")': '{#3, "r"}',
        'property_info(#9, "str")': '{#5, "rwc"}',
        'property_info(#8, "str")': '{#3, "rwc"}',
        'property_info(#8, "secret")': "! E_PERM",
        'property_info(#8, "name")': "! E_PROPNF",
        'property_info(#8, "nosuch")': "! E_PROPNF",
        'property_info(#16, "num")': "! E_INVARG",
        "#8.num": "42",
        "#8.secret": "! E_PERM",
        "#8.pats": "{}",
        "#8.hers": "! E_PERM",
        "#8.nosuch": "! E_PROPNF",
        "#16.num": "! E_INVIND",
        "5 .num": "! E_TYPE",
        "#8.(5)": "! E_TYPE",
    }.items(),
)
def test_what_others_may_see(ask: Asker, expression: str, value: str) -> None:
    assert ask(expression, PAT) == value


def test_what_others_may_set(ask: Asker) -> None:
    assert ask.run("return #8.pub = 9;", QUINN) == "9"
    assert ask.run("return #8.lst[1] = 9;", QUINN) == "9"
    assert ask.run("return #8.num = 9;", QUINN) == "! E_PERM"
    assert ask.run("return #8.hers = 9;", QUINN) == "! E_PERM"
    assert ask.run("#8.nosuch = 9;", QUINN) == "! E_PROPNF"
    assert ask.run("#16.num = 9;", QUINN) == "! E_INVIND"


@pytest.mark.parametrize(
    ("info", "value"),
    {
        '{#5, "r"}': "0",
        '{#5, "RwC"}': "0",
        '{#5, ""}': "0",
        '{#5, "r", "renamed"}': "0",
        '{#5, "r", "num"}': "! E_INVARG",
        '{#5, "r", "OWN"}': "0",
        '{#3, "r"}': "! E_PERM",
        '{#16, "r"}': "! E_INVARG",
        '{#5, "x"}': "! E_INVARG",
        '{#5, "r", 5}': "! E_TYPE",
        '{5, "r"}': "! E_TYPE",
        "{#5}": "! E_TYPE",
        '{#5, "r", "a", "b"}': "! E_TYPE",
        '"r"': "! E_TYPE",
    }.items(),
)
def test_set_property_info(ask: Asker, info: str, value: str) -> None:
    assert ask(f'set_property_info(#9, "own", {info})', PAT) == value


def test_set_property_info_on_others_and_on_what_there_is_not(ask: Asker) -> None:
    def call(name: str, info: str) -> str:
        return f'set_property_info(#9, "{name}", {info})'

    assert ask(call("num", '{#3, "r"}'), PAT) == "! E_PERM"
    assert ask(call("lst", '{#3, ""}'), PAT) == "0"
    assert ask(call("name", '{#5, ""}'), PAT) == "! E_PROPNF"
    assert ask(call("str", '{#5, "", "x"}'), PAT) == "! E_INVARG"


@pytest.mark.parametrize(
    ("arguments", "value"),
    {
        '#9, "new", 1, {#5, "r"}': "0",
        '#9, "", 1, {#5, "r"}': "0",
        '#9, "two words", 1, {#5, "r"}': "0",
        '#9, "own", 1, {#5, "r"}': "! E_INVARG",
        '#9, "Num", 1, {#5, "r"}': "! E_INVARG",
        '#9, "own_too", 1, {#5, "r"}': "! E_INVARG",
        '#9, "Owner", 1, {#5, "r"}': "! E_INVARG",
        '#9, "new", 1, {#6, "r"}': "! E_PERM",
        '#8, "new", 1, {#5, "r"}': "! E_PERM",
        '#16, "new", 1, {#5, "r"}': "! E_INVARG",
        '#9, "new", 1, {#5, "q"}': "! E_INVARG",
        '#9, "new", 1, {#5, "r", "x"}': "! E_TYPE",
        '#9, 5, 1, {#5, "r"}': "! E_TYPE",
        '#9, "new", 1': "! E_ARGS",
    }.items(),
)
def test_add_property(ask: Asker, arguments: str, value: str) -> None:
    assert ask(f"add_property({arguments})", PAT) == value


def test_a_new_property_is_inherited_and_c_decides_its_owner(ask: Asker) -> None:
    program = (
        'add_property(#9, "a", {1}, {#3, ""}); add_property(#9, "b", 2, {#3, "c"});'
        ' return {#10.a, property_info(#9, "a"), property_info(#9, "b"),'
        ' property_info(#10, "a"), property_info(#10, "b"),'
        ' is_clear_property(#10, "a"), is_clear_property(#9, "a")};'
    )
    assert ask.run(program) == ('{{1}, {#3, ""}, {#5, "c"}, {#3, ""}, {#6, "c"}, 1, 0}')


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        'delete_property(#9, "OWN")': "0",
        'delete_property(#9, "num")': "! E_PROPNF",
        'delete_property(#9, "name")': "! E_PROPNF",
        'delete_property(#8, "num")': "! E_PERM",
        'delete_property(#16, "num")': "! E_INVARG",
        'clear_property(#9, "own")': "! E_INVARG",
        'clear_property(#9, "str")': "0",
        'clear_property(#9, "num")': "! E_PERM",
        'clear_property(#9, "name")': "! E_PERM",
        'clear_property(#9, "nosuch")': "! E_PROPNF",
        'clear_property(#16, "num")': "! E_INVARG",
        'is_clear_property(#9, "str")': "1",
        'is_clear_property(#9, "name")': "0",
        'is_clear_property(#9, "secret")': "! E_PERM",
        'is_clear_property(#9, "nosuch")': "! E_PROPNF",
        'is_clear_property(#16, "num")': "! E_INVARG",
    }.items(),
)
def test_deleting_and_clearing(ask: Asker, expression: str, value: str) -> None:
    assert ask(expression, PAT) == value


def test_a_cleared_property_has_its_parent_s_value_again(ask: Asker) -> None:
    program = (
        'a = is_clear_property(#10, "num"); #10.num = 1; #8.num = 2; b = #10.num;'
        ' clear_property(#10, "num"); #8.num = 3; return {a, b, #10.num};'
    )
    assert ask.run(program) == "{1, 1, 3}"


@pytest.mark.parametrize("name", ["name", "owner", "r", "contents", "location"])
def test_protected_builtin_properties_are_for_wizards(ask: Asker, name: str) -> None:
    protect = f'add_property(#4, "protect_{name}", 1, {{#3, ""}});'
    assert ask.run(f"{protect} return typeof(#17.{name});") != "! E_PERM"
    assert ask(f"`#17.{name} ! E_PERM' == E_PERM", PAT) == "0"
    assert ask.run("load_server_options();") == "0"
    assert ask(f"#17.{name}", PAT) == "! E_PERM"
    assert ask(f"typeof(#17.{name}) >= 0") == "1"


@pytest.mark.parametrize("calls_before", [0, 1_000_000])
def test_a_property_called_like_a_built_in_one_is_out_of_reach(
    ask: Asker, calls_before: int
) -> None:
    """A file may define one; here two that were called otherwise are."""
    ask.bench.engine.tiering.calls_before = calls_before
    ask.run(
        'add_property(#8, "p1", "shadow", {#3, "rw"});'
        ' add_property(#8, "p2", "shadow", {#3, "rw"});'
    )
    record = ask.bench.engine.world[Obj(8)]
    for old, new in (("p1", "name"), ("p2", "location")):
        slot = record.own_slot(old)
        assert slot is not None
        names = list(record.propdefs)
        names[slot] = new
        record.propdefs = tuple(names)
        record.layout.rename(slot, new)
    name = ask("#8.name")
    assert name != '"shadow"'
    for reading in ('#8.("NAME")', '#8.("name")', '`#8.name ! ANY => "failed"\''):
        assert ask(reading) == name
    assert ask('#8.("Location") == #8.location && typeof(#8.location) == OBJ') == "1"
    assert ask('"name" in properties(#8) && 1') == "1"
    assert ask('is_clear_property(#8, "name")') == "0"
    for refused, code in (
        ('property_info(#8, "name")', "E_PROPNF"),
        ('clear_property(#8, "name")', "E_PERM"),
        ('set_property_info(#8, "name", {#3, "r"})', "E_PROPNF"),
        ('add_property(#8, "name", 1, {#3, "r"})', "E_INVARG"),
    ):
        assert ask(refused) == f"! {code}"
    assert ask('{#8.name = "x", #8.name, #8.("name")}') == '{"x", "x", "x"}'
    assert ask('delete_property(#8, "name")') == "0"
    assert ask('{"name" in properties(#8), #8.name}') == '{0, "x"}'
    assert ask('delete_property(#8, "name")') == "! E_PROPNF"
    # The other one has another slot now.
    assert ask('typeof(#8.("location")) == OBJ') == "1"
    assert ask('add_property(#8, "more", 5, {#3, "r"})') == "0"
    assert ask("{#8.more, typeof(#8.location) == OBJ}") == "{5, 1}"
    assert ask('delete_property(#8, "location")') == "0"
    assert list(ask.bench.engine.world.check()) == []
