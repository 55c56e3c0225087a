"""From a typed line to a verb: words, prepositions, objects, verbs, intrinsics."""

from __future__ import annotations

import pytest

from pymoo.db.objects import FLAG_PLAYER, FLAG_PROGRAMMER
from pymoo.interp.words import match_preposition, rest_of_line, split_words
from pymoo.tasks.commands import match_object, parse_command
from pymoo.tasks.queues import PlayerQueue
from pymoo.values import AMBIGUOUS_MATCH, FAILED_MATCH, NOTHING, Obj
from tests.fakes import WIZARD, Bench


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("  a  b ", ["a", "b"]),
        ('sh"ow" x', ["show", "x"]),
        ('say "a  b"c', ["say", "a  bc"]),
        ('""', [""]),
        ('x "" y', ["x", "", "y"]),
        ('a\\ b \\"c\\\\', ["a b", '"c\\']),
        ("end\\", ["end"]),
        ('open "quote runs  on', ["open", "quote runs  on"]),
        ("tab\tis part", ["tab\tis", "part"]),
        ("   ", []),
    ],
)
def test_words(line: str, words: list[str]) -> None:
    assert split_words(line) == words


def test_argstr_is_unchanged_text() -> None:
    assert rest_of_line('sh"o w" x  "a b"c  ') == 'x  "a b"c  '
    assert rest_of_line("look") == ""


def command(bench: Bench, line: str) -> tuple[object, ...]:
    parsed = parse_command(bench.world, line, WIZARD)
    assert parsed is not None
    return (parsed.verb, parsed.dobjstr, parsed.prepstr, parsed.iobjstr)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("put ball in box", ("put", "ball", "in", "box")),
        ("put ball IN FRONT OF box", ("put", "ball", "IN FRONT OF", "box")),
        ("take x off of y", ("take", "x", "off", "of y")),
        ("put in in box", ("put", "", "in", "in box")),
        ("look", ("look", "", "", "")),
        ('say "in" box', ("say", "", "in", "box")),
        ("get lamp from inside chest", ("get", "lamp", "from inside", "chest")),
        (":waves  hi", ("emote", "waves hi", "", "")),
    ],
)
def test_the_first_preposition_parts_a_command(
    bench: Bench, line: str, parts: tuple[str, ...]
) -> None:
    assert command(bench, line) == parts


def test_special_first_characters_keep_the_rest_as_it_is(bench: Bench) -> None:
    parsed = parse_command(bench.world, ";1 +  1", WIZARD)
    assert parsed is not None
    assert (parsed.verb, parsed.argstr, parsed.args) == (
        "eval",
        "1 +  1",
        ("1", "+", "1"),
    )


def test_a_blank_line_is_no_command(bench: Bench) -> None:
    assert parse_command(bench.world, "   ", WIZARD) is None


def test_objects_are_matched_by_number_word_name_and_alias(bench: Bench) -> None:
    bench.run(
        'o = create(#1); o.name = "brass lamp"; move(o, #3);'
        ' add_property(o, "aliases", {"light", 5}, {#3, "r"});'
        ' p = create(#1); p.name = "brass bell"; move(p, #2);'
    )
    world = bench.world

    def match(text: str) -> Obj:
        return match_object(world, text, WIZARD)

    assert match("") == NOTHING
    assert (match("#5"), match("#99"), match("#5x"), match("#-1")) == (
        Obj(5),
        FAILED_MATCH,
        FAILED_MATCH,
        FAILED_MATCH,
    )
    assert match("#") == Obj(0)  # as strtol() has it
    assert (match("ME"), match("here")) == (WIZARD, Obj(2))
    assert (match("light"), match("brass l"), match("BRASS LAMP")) == (Obj(5),) * 3
    assert match("brass") == AMBIGUOUS_MATCH
    assert match("lamp") == FAILED_MATCH
    assert match("wiz") == WIZARD  # a player is among the contents of its place


def test_prepositions_by_word_and_number() -> None:
    assert match_preposition("on") == match_preposition("on/onto") == 4
    assert match_preposition("#3") == match_preposition("3") == 3
    assert match_preposition("off of") == 14
    assert match_preposition("15") == match_preposition("nowhere") == -1


# --- what a line does -----------------------------------------------------


@pytest.fixture
def queue(bench: Bench) -> PlayerQueue:
    return bench.scheduler.connect(WIZARD, Obj(0))


def type_line(bench: Bench, queue: PlayerQueue, text: str) -> list[str]:
    before = len(bench.lines)
    bench.scheduler.new_line(queue, text, binary=False)
    bench.settle()
    return bench.lines[before:]


def test_what_nobody_understands(bench: Bench, queue: PlayerQueue) -> None:
    assert type_line(bench, queue, "frobnicate") == ["I couldn't understand that."]
    bench.verb(2, "huh", "notify(player, tostr(verb, caller, this, argstr));")
    assert type_line(bench, queue, "frob a b") == ["frob#3#2a b"]


def test_do_command_comes_first(bench: Bench, queue: PlayerQueue) -> None:
    bench.verb(2, "look", 'notify(player, "looked");', args=("none",) * 3)
    bench.verb(0, "do_command", ["notify(player, argstr);", 'return args[1] == "x";'])
    assert type_line(bench, queue, "x y") == ["x y"]
    assert type_line(bench, queue, "look") == ["look", "looked"]


def test_the_verb_needs_fitting_arguments_but_no_x_bit(
    bench: Bench, queue: PlayerQueue
) -> None:
    bench.verb(
        2, "p*ut", "notify(player, prepstr);", args=("any", "in", "this"), flags="d"
    )
    assert type_line(bench, queue, "put ball into here") == ["into"]
    assert type_line(bench, queue, "pu ball into here") == ["into"]
    assert type_line(bench, queue, "put ball under here") == [
        "I couldn't understand that."
    ]


def test_delimiters_surround_what_a_command_prints(
    bench: Bench, queue: PlayerQueue
) -> None:
    bench.verb(
        2,
        "hi",
        ['notify(player, "a");', "suspend(0);", 'notify(player, "b");'],
        args=("none",) * 3,
    )
    assert type_line(bench, queue, "PREFIX <<") == []
    assert type_line(bench, queue, "SUFFIX >>") == []
    assert type_line(bench, queue, "hi") == ["<<", "a", ">>", "b"]
    assert type_line(bench, queue, "prefix x")[1] == "I couldn't understand that."
    assert bench.run("return output_delimiters(player);").literal == '{"<<", ">>"}'


def test_programming_a_verb_line_by_line(bench: Bench, queue: PlayerQueue) -> None:
    bench.verb(2, "hi", "return 1;")
    assert type_line(bench, queue, ".program here:hi") == [
        'Now programming Room:hi.  Use "." to end.'
    ]
    assert type_line(bench, queue, "return 5;") == []
    assert type_line(bench, queue, ".") == ["0 error(s).", "Verb programmed."]
    assert bench.run("return #2:hi();").value == 5
    type_line(bench, queue, ".pr here:hi")
    type_line(bench, queue, "return (;")
    assert type_line(bench, queue, ".") == [
        "Line 1:  syntax error",
        "1 error(s).",
        "Verb not programmed.",
    ]
    assert bench.run("return #2:hi();").value == 5


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (".program", "Usage:  .program object:verb"),
        (
            ".program x",
            "You must specify a verb; use the format object:verb.",
        ),
        (".program nobody:x", 'I don\'t see "nobody" here.'),
        (".program $nothing:x", '"$nothing" is not a valid object.'),
        (".program here:x", "That object does not have that verb definition."),
    ],
)
def test_what_cannot_be_programmed(
    bench: Bench, queue: PlayerQueue, line: str, answer: str
) -> None:
    assert type_line(bench, queue, line) == [answer]


def test_an_out_of_band_line_has_a_verb_of_its_own(
    bench: Bench, queue: PlayerQueue
) -> None:
    queue.hold_input = True
    bench.verb(0, "do_out_of_band_command", "notify(player, argstr);")
    assert type_line(bench, queue, "#$#mcp x") == ["#$#mcp x"]
    assert type_line(bench, queue, '#$"held') == []
    assert bench.run("return read(#3, 1);").value == "held"


# --- logging in -----------------------------------------------------------


def test_a_connection_logs_in_as_what_do_login_command_returns(bench: Bench) -> None:
    bench.verb(0, "do_login_command", 'return args == {"wiz"} ? #3 | 0;')
    queue = bench.scheduler.connect(Obj(-2), Obj(0))
    bench.scheduler.new_line(queue, "", binary=False)
    bench.scheduler.new_line(queue, "wiz", binary=False)
    bench.settle()
    assert queue.player == WIZARD
    assert bench.host.connections.logins == [(Obj(-2), WIZARD, False)]


def test_a_new_player_counts_as_created(bench: Bench) -> None:
    bench.verb(
        0,
        "do_login_command",
        ["o = create(#1, #-1);", "set_player_flag(o, 1);", "return o;"],
    )
    queue = bench.scheduler.connect(Obj(-2), Obj(0))
    bench.scheduler.new_line(queue, "x", binary=False)
    bench.settle()
    assert bench.host.connections.logins == [(Obj(-2), Obj(5), True)]


def test_tasks_of_an_unnamed_connection_stay_accounted_to_its_number(
    bench: Bench,
) -> None:
    other = bench.world.create(WIZARD, NOTHING)
    for flag in (FLAG_PLAYER, FLAG_PROGRAMMER):
        bench.world.set_flag(other, flag, True)
    bench.verb(
        0,
        "do_login_command",
        ["set_task_perms(player);", "fork (5) endfork", f"return {other};"],
    )
    queue = bench.scheduler.connect(Obj(-2), Obj(0))
    bench.scheduler.new_line(queue, "x", binary=False)
    bench.settle()
    code = f"return {{queue_info(#-2), queue_info({other})}};"
    assert bench.run(code).literal == "{1, 0}"
