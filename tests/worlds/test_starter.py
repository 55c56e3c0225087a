"""What must hold of the starter core's text, without running it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from pymoo.db.objects import BUILTIN_PROPERTIES
from pymoo.db.textdump import load
from pymoo.db.world import World
from pymoo.lang import nodes as n
from pymoo.lang.names import built_in_variables
from pymoo.lang.nodes import operands
from pymoo.lang.program import Program
from pymoo.lang.unparse import unparse
from pymoo.values import Obj, fold
from pymoo.worlds.build import build_world, program_of
from pymoo.worlds.source import (
    MANIFEST,
    ObjectSource,
    VerbSource,
    WorldSource,
    read_world,
)
from pymoo.worlds.starter import SOURCES, starter_textdump


@cache
def source() -> WorldSource:
    return read_world(SOURCES)


@cache
def world() -> World:
    return build_world(source())


Verb = tuple[ObjectSource, VerbSource, Program]


@cache
def verbs() -> tuple[Verb, ...]:
    """Every verb of the core, with its object and its program."""
    found = []
    for object_ in source().objects:
        for verb in object_.verbs:
            program = program_of(object_, verb)
            assert program is not None, (object_.path, verb.names)
            found.append((object_, verb, program))
    return tuple(found)


def name_of(object_: ObjectSource, verb: VerbSource) -> str:
    return f"{object_.path.name}:{verb.line} {verb.names}"


def parts(program: Program) -> Iterator[n.Node]:
    """Yield every node of a program, the targets of assignments as well."""
    pending: list[n.Node] = list(program.body)
    while pending:
        node = pending.pop()
        yield node
        pending += operands(node)
        if type(node) is n.Assign:
            # operands() leaves the stored place itself out.
            target: n.Node = node.target
            while isinstance(target, n.Index | n.Range):
                target = target.base
            if type(target) is n.Property:
                yield target


def is_command(verb: VerbSource) -> bool:
    return (verb.dobj, verb.prep, verb.iobj) != ("this", "none", "this")


def owner_of(object_: ObjectSource, verb: VerbSource) -> Obj:
    return object_.owner if verb.owner is None else verb.owner


def plain_names(verb: VerbSource) -> list[str]:
    return [name.replace("*", "") for name in verb.names.split()]


WIZARD = source().names["wizard"]
HACKER = source().names["hacker"]
OBJECTS = [object_ for object_ in source().objects if object_.verbs]


def for_every_verb(
    check: Callable[[ObjectSource, VerbSource, Program], None],
) -> Callable[[ObjectSource], None]:
    """Make a test for each object of a check of one verb."""

    def test(object_: ObjectSource) -> None:
        for owner, verb, program in verbs():
            if owner is object_:
                try:
                    check(object_, verb, program)
                except AssertionError as error:
                    error.add_note(name_of(object_, verb))
                    raise

    test.__name__ = check.__name__
    test.__doc__ = check.__doc__
    ids = [object_.path.name for object_ in OBJECTS]
    return pytest.mark.parametrize("object_", OBJECTS, ids=ids)(test)


# --- the text -----------------------------------------------------------------------


def test_the_world_is_sound() -> None:
    assert [*world().check()] == []


def test_every_file_belongs_to_the_world() -> None:
    listed = {object_.path for object_ in source().objects}
    assert {*SOURCES.glob("*"), SOURCES / MANIFEST} == {*listed, SOURCES / MANIFEST}


def test_every_object_is_in_the_file_of_its_name() -> None:
    for name, objid in source().names.items():
        assert source().objects[objid].path.stem == name


def test_every_name_that_ends_in_no_place_is_a_property_of_the_system_object() -> None:
    """Rooms, exits and things of the tour have numbers only, all others are $name."""
    system = {
        item.name: item.value
        for item in source().objects[0].properties
        if item.is_new and type(item.value) is Obj
    }
    for name, value in system.items():
        assert source().names.get(name, value) == value
    tour = source().names["porch"]
    assert {name for name, objid in source().names.items() if objid < tour} == {
        name for name in system if source().names.get(name, tour) < tour
    } | {"wizard"}


@pytest.mark.parametrize("path", sorted(SOURCES.glob("*.moo")), ids=lambda p: p.name)
def test_the_text_is_printable(path: Path) -> None:
    # The server drops other bytes when somebody types or sends them back.
    for line in path.read_text(encoding="ascii").split("\n"):
        assert line.isprintable()
        assert line == line.rstrip()


@for_every_verb
def test_a_program_stands_as_the_server_lists_it(
    object_: ObjectSource, verb: VerbSource, program: Program
) -> None:
    assert list(verb.code or ()) == unparse(program)


@for_every_verb
def test_a_program_begins_with_what_it_is_for(
    object_: ObjectSource, verb: VerbSource, program: Program
) -> None:
    assert verb.code
    head = verb.code[0]
    assert head.startswith('"')
    assert head.endswith('";')
    names = [";"] if verb.names == "eval" else plain_names(verb)
    assert any(name in head for name in names)


@for_every_verb
def test_a_program_is_short(
    object_: ObjectSource, verb: VerbSource, program: Program
) -> None:
    assert len(verb.code or ()) <= 40


def test_what_is_shown_to_players_fits_on_a_screen() -> None:
    for object_ in source().objects:
        for item in object_.properties:
            texts = item.value if type(item.value) is tuple else ()
            for text in texts:
                if type(text) is str:
                    assert len(text) <= 90, f"{object_.path}:{item.line}: {text}"


# --- names that are used ------------------------------------------------------------


@cache
def defined_verbs() -> list[re.Pattern[str]]:
    patterns = []
    for _, verb, _ in verbs():
        for name in verb.names.split():
            head, star, tail = fold(name).partition("*")
            if not star:
                pattern = re.escape(head)
            elif tail:
                optional = "".join(f"(?:{re.escape(letter)}" for letter in tail)
                pattern = re.escape(head) + optional + ")?" * len(tail)
            else:
                pattern = re.escape(head) + ".*"
            patterns.append(re.compile(pattern))
    return patterns


@cache
def defined_properties() -> frozenset[str]:
    names = {
        fold(item.name)
        for object_ in source().objects
        for item in object_.properties
        if item.is_new
    }
    return frozenset(names | set(BUILTIN_PROPERTIES))


def known_object(node: n.Node, object_: ObjectSource) -> Obj | None:
    """Return the object that an expression must be, or descend from, if it tells."""
    if type(node) is n.Literal and type(node.value) is Obj:
        return node.value
    if (
        type(node) is n.Property
        and type(node.object) is n.Literal
        and node.object.value == Obj(0)
        and type(node.name) is n.Literal
    ):
        value = next(
            item.value
            for item in source().objects[0].properties
            if item.name == node.name.value
        )
        return value if type(value) is Obj else None
    return None


def literal_name(node: n.Node) -> str | None:
    if type(node) is n.Literal and type(node.value) is str:
        return fold(node.value)
    return None


@for_every_verb
def test_every_verb_that_is_called_is_defined(
    object_: ObjectSource, verb: VerbSource, program: Program
) -> None:
    for node in parts(program):
        if type(node) is not n.VerbCall or (name := literal_name(node.name)) is None:
            continue
        assert any(pattern.fullmatch(name) for pattern in defined_verbs()), name
        target = known_object(node.object, object_)
        is_this = type(node.object) is n.Variable and (
            program.names[node.object.slot] == "this"
        )
        if is_this:
            target = object_.objid
        if target is not None:
            assert world().find_callable_verb(target, name), f"{target}:{name}"


@for_every_verb
def test_every_property_that_is_used_is_defined(
    object_: ObjectSource, verb: VerbSource, program: Program
) -> None:
    for node in parts(program):
        if type(node) is not n.Property or (name := literal_name(node.name)) is None:
            continue
        assert name in defined_properties(), name
        target = known_object(node.object, object_)
        if type(node.object) is n.Variable:
            if program.names[node.object.slot] == "this":
                target = object_.objid
        if target is not None and name not in BUILTIN_PROPERTIES:
            assert world().find_property(target, name), f"{target}.{name}"


# What nobody in the core calls by name: the server does, or create() and recycle().
HOOKS = set(
    """
    do_login_command user_created user_reconnected user_disconnected server_started
    checkpoint_started checkpoint_finished accept enterfunc exitfunc huh recycle
    """.split()
)


@cache
def told_words() -> set[str]:
    """Every word of the objects' own help, and the login commands."""
    return {
        word
        for object_ in source().objects
        for item in object_.properties
        if item.name in ("help_msg", "commands")
        for word in re.findall(r"\w+", fold(repr(item.value)))
    }


@cache
def called_names() -> set[str | None]:
    return {
        literal_name(node.name)
        for _, _, program in verbs()
        for node in parts(program)
        if type(node) is n.VerbCall
    }


@for_every_verb
def test_every_verb_is_there_for_somebody(
    object_: ObjectSource, verb: VerbSource, program: Program
) -> None:
    """It is a command, or is called, or told of in help, or the server's."""
    if is_command(verb) or set(plain_names(verb)) & HOOKS:
        return
    names = {fold(name.removeprefix("do_")) for name in plain_names(verb)}
    assert names & (told_words() | called_names())


def written_slots(program: Program) -> set[int]:
    slots: set[int] = set()
    for node in parts(program):
        match node:
            case n.Assign(target=target):
                while isinstance(target, n.Index | n.Range):
                    target = target.base
                if type(target) is n.Variable:
                    slots.add(target.slot)
            case n.Scatter(targets=targets):
                slots |= {target.slot for target in targets}
            case n.ForList(slot=slot) | n.ForRange(slot=slot):
                slots.add(slot)
            case n.While(slot=int(slot)) | n.Fork(slot=int(slot)):
                slots.add(slot)
            case n.TryExcept(arms=arms):
                slots |= {arm.slot for arm in arms if arm.slot is not None}
    return slots


@for_every_verb
def test_every_variable_that_is_read_is_written_somewhere(
    object_: ObjectSource, verb: VerbSource, program: Program
) -> None:
    known = len(built_in_variables())
    written = written_slots(program)
    for node in parts(program):
        if type(node) is n.Variable and node.slot >= known:
            assert node.slot in written, program.names[node.slot]


@for_every_verb
def test_no_variable_of_the_server_is_written(
    object_: ObjectSource, verb: VerbSource, program: Program
) -> None:
    """``list`` is LIST, so a value that is kept there makes typeof() lie."""
    known = built_in_variables()
    assert [known[s] for s in written_slots(program) if s < len(known)] == []


# --- permissions ----------------------------------------------------------------------


def calls(program: Program) -> set[str]:
    return {node.name for node in parts(program) if type(node) is n.FunctionCall}


@for_every_verb
def test_commands_are_not_callable_and_all_else_is(
    object_: ObjectSource, verb: VerbSource, program: Program
) -> None:
    """So ``player`` in a command is who typed it, and nobody else."""
    assert verb.perms == ("rd" if is_command(verb) else "rxd")


@for_every_verb
def test_verbs_belong_to_those_who_cannot_be_anybody(
    object_: ObjectSource, verb: VerbSource, program: Program
) -> None:
    assert owner_of(object_, verb) in (WIZARD, HACKER)


@for_every_verb
def test_only_a_wizards_verb_takes_on_the_permissions_of_others(
    object_: ObjectSource, verb: VerbSource, program: Program
) -> None:
    """Any other one could not, and would raise E_PERM for everybody but its owner."""
    if "set_task_perms" in calls(program):
        assert owner_of(object_, verb) == WIZARD


# What a wizard's verb may do for anybody without asking who it is, and why.
HARMLESS = {
    "notify": "anybody may talk to a player",
    "invoke": "moves the player, as :move allows",
    "controls_property controls_prop": "tells an owner",
    "controls_verb": "tells an owner",
    "commands_of": "tells what commands there are",
    "command_usage": "tells what commands there are",
    "may_program": "tells whether, and does nothing",
    "read": "the server asks whose task it is",
    "read_lines": "the server asks whose task it is",
    "tell_lines": "goes on to :tell",
    "acceptable": "tells whether, and does nothing",
    "confunc disfunc": "does nothing",
    "set_name": "refuses, where it asks nothing",
    "do_who": "tells who is connected",
    "do_help": "tells what there is to type",
}

ASKS = {"caller", "callers", "caller_perms"}


@for_every_verb
def test_a_wizards_verb_asks_who_calls_it(
    object_: ObjectSource, verb: VerbSource, program: Program
) -> None:
    if owner_of(object_, verb) != WIZARD or is_command(verb):
        return
    variables = {
        program.names[node.slot] for node in parts(program) if type(node) is n.Variable
    }
    asks = ASKS & (calls(program) | variables)
    assert asks or verb.names in HARMLESS, verb.names


@for_every_verb
def test_a_wizards_command_is_done_for_the_player_alone(
    object_: ObjectSource, verb: VerbSource, program: Program
) -> None:
    """It takes on the player's permissions, or asks who it is, or changes nothing."""
    if owner_of(object_, verb) != WIZARD or not is_command(verb):
        return
    text = "\n".join(verb.code or ())
    changes = any(
        type(node) is n.Assign and type(node.target) is n.Property
        for node in parts(program)
    ) or calls(program) & {"eval", "boot_player", "shutdown", "chparent", "move"}
    if changes:
        assert (
            "set_task_perms(player);" in text
            or "player == this" in text
            or ("player != this" in text)
        )


def test_classes_with_rights_make_no_children_for_others() -> None:
    for name in ("player", "builder", "prog", "wiz", "guest", "system", "login"):
        assert world().builtin_value(world()[source().names[name]], "f") == 0


def test_nobody_but_the_wizard_can_log_in_at_first() -> None:
    passwords = {}
    for objid in world().players:
        found = world().find_property(objid, "password")
        assert found is not None
        assert found[0].infos[found[1]] == (WIZARD, 0)
        passwords[objid] = world().property_value(*found)
    assert passwords == {WIZARD: "", HACKER: 0}


# --- help -----------------------------------------------------------------------------


@cache
def topics() -> dict[str, tuple[str, ...]]:
    help_ = source().objects[source().names["help"]]
    return {
        fold(item.name): item.value  # type: ignore[misc]
        for item in help_.properties
        if item.is_new
    }


COMMANDS = sorted(
    {name for _, verb, _ in verbs() if is_command(verb) for name in plain_names(verb)}
)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    lines = topics()[{"eval": "eval"}.get(name, name)]
    if lines[0] == "*forward*":
        lines = topics()[lines[1]]
    assert any(name.lstrip("@?") in line.lower() for line in lines) or lines[
        0
    ].startswith("Syntax: ")


@pytest.mark.parametrize("name", "summary programming building eval tasks".split())
def test_the_topics_that_others_refer_to_are_there(name: str) -> None:
    assert len(topics()[name]) > 5


def test_forwards_lead_to_a_topic() -> None:
    for name, lines in topics().items():
        if lines[0] == "*forward*":
            assert len(lines) == 2, name
            assert topics()[lines[1]][0] != "*forward*", name


def test_help_refers_to_nothing_that_is_not_there() -> None:
    for name, lines in topics().items():
        for topic in re.findall(r"[`(]help ([@\w]+)(?![\w(])", "\n".join(lines)):
            assert topic in topics() or topic == "index", f"{name}: {topic}"
        for command in re.findall(r"(?<![\w.])@\w[\w-]+", "\n".join(lines)):
            assert command in {*COMMANDS, "@abort", "@rest", "@args", "@text"}, name


def test_the_list_of_functions_names_those_that_there_are() -> None:
    from pymoo.builtins.registry import CLASSIC_ORDER

    names = {name for line in topics()["functions"][2:] for name in line[14:].split()}
    assert names <= set(CLASSIC_ORDER)


def test_the_textdump_that_is_shipped_is_that_of_the_text() -> None:
    assert load(starter_textdump()).world.max_object == world().max_object
