"""What the players type, and what they must be answered.

A `Repertoire` belongs to a core: it makes the rooms and players of a crowd, and
knows the commands.  Each `Kind` of command is a few lines that leave everything as
it was, so that any number may be typed in any order.  Its weight is its share of the
mix: a social MOO, where people talk and look, and a tenth is building and
programming.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from attrs import frozen

if TYPE_CHECKING:
    from pymoo.bench.workbench import Workbench

PLAYERS_PER_ROOM: Final = 10
LEAST_ROOMS: Final = 2  # so that one can walk from one to another

_SYLLABLES: Final = ("ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru")
_WORDS: Final = (
    "nobody remembers who built the first lamp of this garden but every evening "
    "somebody lights it again and counts the moths"
).split()


@frozen
class Role:
    """One player of a crowd."""

    name: str
    room: str
    next_room: str
    other: str  # the name of another player, or of this one


@frozen
class Step:
    """A line, and what must be in the answer: one of these texts."""

    line: str
    answers: tuple[str, ...]


@frozen
class Kind:
    """A kind of command: its weight in the mix, and its lines with their answers.

    Of an answer that has ``|`` in it, one part is enough.
    """

    weight: int
    lines: tuple[tuple[str, str], ...]

    @property
    def summary(self) -> str:
        """What is typed, with the names of what is filled in."""
        lines = "; ".join(line for line, _ in self.lines)
        return lines.replace("{{", "{").replace("}}", "}")

    def steps(self, role: Role, random: Random) -> list[Step]:
        """Return what a player types, with words that are chosen by chance."""
        a, b = random.randint(1, 999), random.randint(1, 999)
        text = " ".join(random.choices(_WORDS, k=random.randint(3, 12)))
        facts = {
            "name": role.name,
            "room": role.room,
            "next": role.next_room,
            "other": role.other,
            "text": text,
            "a": a,
            "b": b,
            "product": a * b + len(text),
            "loops": a % 40 + 20,
        }
        return [
            Step(
                line.format_map(facts),
                tuple(part.format_map(facts) for part in answer.split("|")),
            )
            for line, answer in self.lines
        ]


@frozen
class Repertoire:
    """The commands of a core."""

    core: str
    landmarks: tuple[str, ...]  # properties of #0 by which the core is known
    prepare: str  # the body of a verb: called once, before the others
    make_room: str  # (name); called for each, in the order of a ring
    make_player: str  # (name, room)
    kinds: dict[str, Kind]

    def populate(self, workbench: Workbench, players: int) -> list[Role]:
        """Make so many players and their rooms.  Raises: BenchError."""
        count = max(LEAST_ROOMS, -(-players // PLAYERS_PER_ROOM))
        for name in ("prepare", "make_room", "make_player"):
            workbench.define(name, getattr(self, name))
        workbench.define("connect_rooms", _CONNECT_ROOMS)
        workbench.call("prepare")
        rooms = [f"Hall {number:03}" for number in range(count)]
        made = [workbench.call("make_room", room) for room in rooms]
        for here, there in zip(made, [*made[1:], made[0]], strict=True):
            workbench.call("connect_rooms", here, there)
        roles = []
        for number in range(players):
            at = number % count
            role = Role(
                player_name(number),
                rooms[at],
                rooms[(at + 1) % count],
                player_name((number * 7 + 3) % players),
            )
            workbench.call("make_player", role.name, made[at])
            roles.append(role)
        return roles


def player_name(number: int) -> str:
    """Return a name that can be spoken, and that no other begins with."""
    return "".join(_SYLLABLES[int(digit)] for digit in f"{number:04}").capitalize()


# Exits "north" to the next room and "south" back; in both cores they look the same.
_CONNECT_ROOMS: Final = """
{here, there} = args;
for way in ({{here, there, "north"}, {there, here, "south"}})
  {source, dest, name} = way;
  exit = create($exit);
  exit.name = name;
  exit.aliases = {name};
  exit.source = source;
  exit.dest = dest;
  source.exits = {@source.exits, exit};
  if ("entrances" in properties($room))
    dest.entrances = {@dest.entrances, exit};
  endif
endfor
"""

_MAKE_ROOM: Final = """
{name} = args;
room = create($room);
room.name = name;
room.aliases = {name};
room.description = "A wide hall with a clock on each wall.";
return room;
"""

# `start.py` has a player fork thousands of tasks.
_MAY_FORK: Final = """
try
  p.queued_task_limit = 100000;
except (E_PROPNF)
  add_property(p, "queued_task_limit", 100000, {player, "r"});
endtry
"""

_SOCIAL: Final = {
    "say": Kind(18, (('"{text}', 'You say, "{text}"'),)),
    "emote": Kind(7, ((":{text}", "{name} {text}"),)),
    "look": Kind(12, (("look", "{room}"),)),
    "look-thing": Kind(6, (("look gad{name}", "A gadget made for {name}"),)),
    "look-player": Kind(3, (("look {name}", "awake"),)),
    "get-drop": Kind(
        4, (("get gad{name}", "You take"), ("drop gad{name}", "You drop"))
    ),
    "walk": Kind(4, (("north", "{next}"), ("south", "{room}"))),
    "whisper": Kind(3, (('whisper "{text}" to {name}', "You whisper, "),)),
    "eval": Kind(3, ((';{a} * {b} + length("{text}")', "=> {product}"),)),
    "eval-utility": Kind(
        3,
        (
            (
                ';$string_utils:english_list({{"{a}", "{b}", "x"}})',
                '=> "{a}, {b}, and x"|=> "{a}, {b} and x"',
            ),
        ),
    ),
    "eval-loop": Kind(
        2,
        (
            (
                ';;l = {{}}; for i in [1..{loops}] l = {{@l, {{i, tostr("k", i)}}}}; '
                'endfor return $list_utils:assoc("k{loops}", l, 2)[1];',
                "=> {loops}",
            ),
        ),
    ),
    "describe-me": Kind(1, (('@describe me as "{text}"', "Description set.|set."),)),
    "help": Kind(2, (("help look", "look"),)),
    "huh": Kind(
        2, (("frobnicate {text}", "I don't understand|I couldn't understand"),)
    ),
    "no-match": Kind(1, (("look xyzzythingy", "I see no|xyzzythingy"),)),
}

LAMBDACORE: Final = Repertoire(
    core="LambdaCore",
    landmarks=(
        "login",
        "room",
        "exit",
        "thing",
        "prog",
        "wiz_utils",
        "gender_utils",
        "string_utils",
        "list_utils",
        "mail_agent",
    ),
    # Limits of a public server that would stop a crowd from one machine.
    prepare="""
    $login.max_connections = {5000, 5000};
    $login.max_numcommands = 1000000;
    """,
    make_room=_MAKE_ROOM,
    make_player="""
    {name, room} = args;
    p = create($prog);
    p.name = name;
    p.aliases = {name};
    p.password = 0;
    $wiz_utils:set_player(p);
    p.programmer = 1;
    p.last_connect_time = time();
    p.home = room;
    p.description = "Somebody who is measured.";
    `p.ownership_quota = 100 ! ANY';
    `p.size_quota = {1000000, 0, 0, 0} ! ANY';
    $gender_utils:set(p, "neuter");
    move(p, room);
    thing = create($thing);
    thing.name = "gad" + name;
    thing.aliases = {thing.name};
    thing.description = "A gadget made for " + name + ".";
    thing.owner = p;
    move(thing, room);
    letters = {};
    for subject in ({"first", "second", "third"})
      head = {time(), tostr("Wizard (", player, ")"), tostr(name, " (", p, ")")};
      body = {"Letter " + subject, "", "This is the " + subject + " letter."};
      letters = {@letters, {length(letters) + 1, {@head, @body}}};
    endfor
    p.messages = letters;
    """
    + _MAY_FORK,
    kinds={
        **_SOCIAL,
        "inventory": Kind(4, (("i", "empty-handed|Carrying:"),)),
        "page": Kind(6, (("page {other} with {text}", "Your message has been sent."),)),
        "who": Kind(4, (("@who", "Total: |You have requested a listing of"),)),
        "who-one": Kind(2, (("@who {name}", "{name}"),)),
        "examine": Kind(3, (("@exam gad{name}", "is owned by"),)),
        "build": Kind(
            6,
            (
                ("@create $thing named tmp{name}", "You now have tmp{name}"),
                ('@describe tmp{name} as "{text}"', "Description set."),
                ("look tmp{name}", "{text}"),
                ("@recycle tmp{name}", "recycled."),
            ),
        ),
        "mail-list": Kind(2, (("@mail 1-3 on me", "Letter second"),)),
        "mail-read": Kind(2, (("@read 2 on me", "This is the second letter."),)),
        "list": Kind(2, (("@list $room:announce", "for dude in"),)),
        "show": Kind(1, (("@show gad{name}", "Parent:"),)),
    },
)

STARTER: Final = Repertoire(
    core="pymoo's starter core",
    landmarks=(
        "login",
        "room",
        "exit",
        "thing",
        "prog",
        "code_utils",
        "perm_utils",
        "string_utils",
        "list_utils",
        "building_utils",
    ),
    prepare="",
    make_room=_MAKE_ROOM,
    make_player="""
    {name, room} = args;
    p = create($prog, $nothing);
    p.name = name;
    p.aliases = {name};
    p.password = "";
    set_player_flag(p, 1);
    p.programmer = 1;
    p.last_connect_time = time();
    p.home = room;
    move(p, room);
    thing = create($thing, p);
    thing.name = "gad" + name;
    thing.aliases = {thing.name};
    thing.description = "A gadget made for " + name + ".";
    move(thing, room);
    """
    + _MAY_FORK,
    kinds={
        **_SOCIAL,
        "inventory": Kind(4, (("i", "You carry"),)),
        "page": Kind(6, (("page {other} {text}", "Your message has been sent"),)),
        "who": Kind(4, (("@who", "players.|player."),)),
        "who-one": Kind(2, (("@who {name}", "{name}"),)),
        "examine": Kind(3, (("examine gad{name}", "Owned by"),)),
        "build": Kind(
            6,
            (
                ("@create $thing named tmp{name}", "you have it in hand."),
                ('@describe tmp{name} as "{text}"', "set."),
                ("look tmp{name}", "{text}"),
                # The command of that purpose asks back.
                (';recycle(player:my_match_object("tmp{name}"))', "=> 0"),
            ),
        ),
        "list": Kind(2, (("@list $room:announce", "announce_all_but"),)),
        "show": Kind(1, (("@show gad{name}", "made from|generic thing"),)),
    },
)

REPERTOIRES: Final = (LAMBDACORE, STARTER)
