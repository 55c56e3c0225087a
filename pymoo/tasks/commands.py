"""A typed line, understood: its verb, preposition, direct and indirect object.

What is matched against what, and in which order a verb is looked for, is said at
`match_object` and `find_command_verb`; splitting into words is in `interp.words`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pymoo.db.objects import (
    ARGSPEC_ANY,
    ARGSPEC_NONE,
    ARGSPEC_THIS,
    PREP_NONE,
    Verbdef,
)
from pymoo.db.prepositions import find_preposition
from pymoo.db.readable import ALIASES
from pymoo.db.world import World
from pymoo.interp.activation import Parse
from pymoo.interp.number_text import leading_int
from pymoo.interp.words import rest_of_line, split_words
from pymoo.values import (
    AMBIGUOUS_MATCH,
    FAILED_MATCH,
    NOTHING,
    Obj,
    fold,
)

MAX_NAMED: Final = 10_000
"""Of how many objects the names are kept."""

_SPECIAL = {'"': "say", ":": "emote", ";": "eval"}


class Command(NamedTuple):
    """What the command parser makes of a line."""

    # Made for every line: a frozen class of attrs takes three times as long.

    verb: str
    argstr: str
    args: tuple[str, ...]
    dobjstr: str
    dobj: Obj
    prepstr: str
    prep: int
    iobjstr: str
    iobj: Obj

    @property
    def parse(self) -> Parse:
        """The variables that tell a verb of the command."""
        return (
            self.argstr,
            self.dobj,
            self.dobjstr,
            self.prepstr,
            self.iobj,
            self.iobjstr,
        )


def parse_command(world: World, line: str, player: Obj) -> Command | None:
    """Return what ``player`` means by ``line``; None if there is no word in it.

    Source: parse_cmd.c, parse_command.
    """
    line = line.lstrip(" ")
    special = _SPECIAL.get(line[:1])
    if special is None:
        argstr = rest_of_line(line)
    else:
        argstr = line[1:]
        line = f"{special} {argstr}"
    words = split_words(line)
    if not words:
        return None
    verb, *args = words
    found = find_preposition(args)
    if found is None:
        prep, prepstr, iobjstr = PREP_NONE, "", ""
        dobjstr = " ".join(args)
    else:
        prep, first, last = found
        dobjstr = " ".join(args[:first])
        prepstr = " ".join(args[first : last + 1])
        iobjstr = " ".join(args[last + 1 :])
    return Command(
        verb,
        argstr,
        tuple(args),
        dobjstr,
        match_object(world, dobjstr, player),
        prepstr,
        prep,
        iobjstr,
        match_object(world, iobjstr, player),
    )


def match_object(world: World, text: str, player: Obj) -> Obj:
    """Return the object that ``player`` means by ``text``.

    ``#12`` is that object if it exists; ``me`` and ``here`` are what they say;
    else the names and aliases of what ``player`` has, and of what is in the same
    place, are compared.  Returns NOTHING for an empty text, AMBIGUOUS_MATCH or
    FAILED_MATCH if it is not one object.

    Source: match.c, match_object.
    """
    if not text:
        return NOTHING
    if text[0] == "#":
        number, rest = leading_int(text[1:])
        object_ = Obj(number)
        return object_ if not rest and world.valid(object_) else FAILED_MATCH
    record = world.find(player)
    if record is None:
        return FAILED_MATCH
    wanted = fold(text)
    if wanted == "me":
        return player
    if wanted == "here":
        return record.location
    return _match_contents(world, wanted, (player, record.location))


def _match_contents(world: World, wanted: str, places: tuple[Obj, ...]) -> Obj:
    exact = NOTHING
    partial = FAILED_MATCH
    known = world.readable.names
    behind_separator = f"\n{wanted}"
    for place in places:
        record = world.find(place)
        if record is None:
            continue
        for object_ in record.contents:
            names = known.get(object_)
            if names is None:
                names = _keep_names(world, object_)
            if behind_separator not in names[0]:  # none begins like that
                continue
            for name in names[1]:
                if not name.startswith(wanted):
                    continue
                if len(name) == len(wanted):
                    if exact not in (NOTHING, object_):
                        return AMBIGUOUS_MATCH
                    exact = object_
                elif partial in (FAILED_MATCH, object_):
                    partial = object_
                else:
                    partial = AMBIGUOUS_MATCH
    return partial if exact == NOTHING else exact


def _keep_names(world: World, object_: Obj) -> tuple[str, tuple[str, ...]]:
    """Return the name of an object and the strings among its ``aliases``, folded.

    Before that all of them as one text, each behind a line feed.
    """
    record = world[object_]
    slot = record.layout.slots.get(ALIASES)
    aliases = () if slot is None else world.property_value(record, slot)
    names = [fold(record.name)]
    if type(aliases) is tuple:
        names += [fold(alias) for alias in aliases if type(alias) is str]
    kept = "".join([f"\n{name}" for name in names]), tuple(names)
    known = world.readable.names
    if len(known) >= MAX_NAMED:
        known.clear()
    known[object_] = kept
    return kept


def find_command_verb(
    world: World, command: Command, player: Obj
) -> tuple[Obj, Obj, Verbdef] | None:
    """Return where the verb of a command was looked for and found, and the verb.

    The player, its location, the direct and the indirect object are searched, in
    this order and with their ancestors; the first verb that fits in name and
    arguments is it.  Returns ``(this, definer, verbdef)``.

    Source: tasks.c, do_command_task.
    """
    record = world.find(player)
    location = NOTHING if record is None else record.location
    for this in (player, location, command.dobj, command.iobj):
        if not world.valid(this):
            continue
        found = world.find_command_verb(
            this,
            command.verb,
            _specifier(command.dobj, this),
            command.prep,
            _specifier(command.iobj, this),
        )
        if found is not None:
            return (this, *found)
    return None


def _specifier(object_: Obj, this: Obj) -> int:
    if object_ == this:
        return ARGSPEC_THIS
    return ARGSPEC_NONE if object_ == NOTHING else ARGSPEC_ANY
