"""What ``.program object:verb`` means, at its beginning and at its end.

Source: tasks.c, find_verb_for_programming and end_programming.
"""

from __future__ import annotations

from attrs import define, field

from pymoo.db.objects import VERB_WRITE
from pymoo.db.permissions import verb_allows
from pymoo.errors import MooSyntaxError
from pymoo.interp.engine import Engine
from pymoo.tasks.commands import match_object
from pymoo.values import (
    AMBIGUOUS_MATCH,
    FAILED_MATCH,
    NOTHING,
    SYSTEM_OBJECT,
    Obj,
    fold,
)


@define(eq=False)
class Programming:
    """A ``.program`` command in progress."""

    object: Obj
    verb: str
    lines: list[str] = field(factory=list)


def find_verb_for_programming(
    engine: Engine, player: Obj, text: str
) -> tuple[Programming | None, str]:
    """Return the verb that ``object:verb`` means to ``player``, and what to say of it.

    None if there is none, or ``player`` may not program it.
    """
    world = engine.world
    name, _, verb = text.partition(":")
    if not verb:
        return None, "You must specify a verb; use the format object:verb."
    object_ = object_for_programming(engine, player, name)
    record = world.find(object_)
    if record is None:
        if object_ == FAILED_MATCH:
            return None, f'I don\'t see "{name}" here.'
        if object_ == AMBIGUOUS_MATCH:
            return None, f'I don\'t know which "{name}" you mean.'
        return None, f'"{name}" is not a valid object.'
    verbdef = engine.find_described_verb(object_, verb)
    if verbdef is None:
        return None, "That object does not have that verb definition."
    if not verb_allows(world, player, verbdef, VERB_WRITE) or (
        engine.options.flag("protect_set_verb_code") and not world.is_wizard(player)
    ):
        return None, "Permission denied."
    return (
        Programming(object_, verb),
        f'Now programming {record.name}:{verbdef.names}.  Use "." to end.',
    )


def object_for_programming(engine: Engine, player: Obj, name: str) -> Obj:
    """Return the object that ``name`` means to ``player``; it need not be valid."""
    if name.startswith("$"):
        value = engine.options.property(SYSTEM_OBJECT, fold(name[1:]))
        return value if type(value) is Obj else NOTHING
    return match_object(engine.world, name, player)


def end_programming(engine: Engine, programming: Programming) -> list[str]:
    """Program the verb with the lines collected; return what to say of that.

    The verb is looked for once more: much can have happened since.
    """
    if not engine.world.valid(programming.object):
        return ["That object appears to have disappeared ..."]
    verbdef = engine.find_described_verb(programming.object, programming.verb)
    if verbdef is None:
        return ["That verb appears to have disappeared ..."]
    try:
        program = engine.compile("".join(f"{line}\n" for line in programming.lines))
    except MooSyntaxError as error:
        errors = error.errors
        return [*errors, f"{len(errors)} error(s).", "Verb not programmed."]
    engine.set_program(programming.object, verbdef, program)
    return ["0 error(s).", "Verb programmed."]
