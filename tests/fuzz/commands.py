"""Typed lines: any text is a command or none, and leaves the world as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from hypothesis import strategies as st

from pymoo.db.prepositions import find_preposition
from pymoo.interp.words import rest_of_line, split_words
from pymoo.tasks.commands import find_command_verb, match_object, parse_command
from pymoo.values import AMBIGUOUS_MATCH, FAILED_MATCH, NOTHING, Obj
from tests.db.worlds import dumped
from tests.fuzz.running import Check, Target
from tests.program_strategies import program_world

_WORDS: Final = (
    "look put in on from inside with in_front_of out off front of over through "
    "at to me here #3 #-1 #9 #99999999999999999999 # #x #3x widget gadget wid Pat's "
    "echo wild wide card count add * \\ ' \\\" say emote eval"
).split()

_TEXT: Final = st.text(
    st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"),
    max_size=8,
)

LINES: Final = st.one_of(
    st.lists(
        st.one_of(
            st.sampled_from(_WORDS),
            st.sampled_from(['"', "\\", " ", "  ", ";", ":", "\t", '""', '" "']),
            _TEXT,
        ),
        max_size=12,
    ).flatmap(lambda words: st.sampled_from(["", " "]).map(lambda by: by.join(words))),
    st.text(max_size=30),
)

INPUTS: Final = st.tuples(LINES, st.sampled_from([3, 5, 7, 16, 99]).map(Obj))


@contextmanager
def opened() -> Iterator[Check]:
    world = program_world()
    before = dumped(world)

    def check(data: tuple[str, Obj]) -> None:
        line, player = data
        command = parse_command(world, line, player)
        stripped = line.lstrip(" ")
        if command is None:
            assert not split_words(stripped)
            return
        assert command.argstr in line
        if stripped[:1] not in ('"', ":", ";"):
            assert command.argstr == rest_of_line(stripped)
            assert [command.verb, *command.args] == split_words(stripped)
        assert all(type(word) is str for word in command.args)
        for text, found in (
            (command.dobjstr, command.dobj),
            (command.iobjstr, command.iobj),
        ):
            assert type(found) is Obj
            assert world.valid(found) or found in (
                NOTHING,
                AMBIGUOUS_MATCH,
                FAILED_MATCH,
            )
            assert (found == NOTHING) == (text == "") or found == _place(world, player)
            assert found == match_object(world, text, player)
        assert (command.prep == -1) == (find_preposition([*command.args]) is None)
        found_verb = find_command_verb(world, command, player)
        if found_verb is not None:
            this, definer, verbdef = found_verb
            assert world.valid(this)
            assert verbdef in world[definer].verbs
        assert dumped(world) == before

    yield check


def _place(world: object, player: Obj) -> Obj:
    """Return what ``here`` is, which may be nothing."""
    record = world.find(player)  # type: ignore[attr-defined]
    return NOTHING if record is None else record.location


TARGET: Final = Target("commands", INPUTS, opened)
