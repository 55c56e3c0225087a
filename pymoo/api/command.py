"""``pymoo call``: one verb, called from a shell."""

from __future__ import annotations

import re
import sys
from typing import Final

from attrs import frozen

from pymoo.api.errors import MooFailure, MooTaskError
from pymoo.api.http_client import call_over_http
from pymoo.api.results import CallResult
from pymoo.api.token import read_token
from pymoo.api.wire import error_portions, result_portions
from pymoo.api.world import World
from pymoo.errors import OptionError
from pymoo.exits import FAILED, FINE, say
from pymoo.values import E_INVIND, E_VERBNF, Obj, Value, literal
from pymoo.values_limits import ValueLimits
from pymoo.values_text import read_literal

_VERB: Final = re.compile(r"#(-?[0-9]{1,18}):(.+)", re.DOTALL)
_OBJECT: Final = re.compile(r"#(-?[0-9]{1,18})")


@frozen
class Place:
    """Where the verb is: in a database file, or in a world that is being served."""

    database: str | None = None
    dialect: str = ""
    save: bool = False
    url: str | None = None
    token_file: str | None = None


def call(
    place: Place,
    target: str,
    words: tuple[str, ...],
    *,
    player: str,
    timeout: float,
    as_json: bool,
) -> int:
    """Call the verb that ``#2:look`` means and print its value; returns the status.

    Raises: PymooError for what is wrong with the arguments, or cannot be reached.
    """
    found = _VERB.fullmatch(target)
    if found is None:
        raise OptionError(f"{target}: names no verb: write it like '#2:look'")
    who = _OBJECT.fullmatch(player)
    if who is None:
        raise OptionError(f"{player}: is no object: write it like '#2'")
    # The world looks at them again, and knows how many bits an INT has there.
    arguments = tuple(read_literal(word, ValueLimits(64, "utf-8")) for word in words)
    try:
        result = _result(
            place, Obj(int(found[1])), found[2], arguments, Obj(int(who[1])), timeout
        )
    except MooFailure as error:
        if as_json:
            print("".join(error_portions(error)))
        else:
            _print_error(error, Obj(int(found[1])), found[2])
        return FAILED
    if as_json:
        for portion in result_portions(result):
            print(portion, end="")
        print()
    else:
        _print_lines(result.output)
        print(literal(result.value))
    return FINE


def _result(
    place: Place,
    obj: Obj,
    verb: str,
    arguments: tuple[Value, ...],
    player: Obj,
    timeout: float,
) -> CallResult:
    if place.url is not None:
        if place.token_file is None:
            raise OptionError(
                "--url needs --token-file: the file that `pymoo serve --http` uses"
            )
        token = read_token(place.token_file)
        return call_over_http(
            place.url, token, obj, verb, arguments, player=player, timeout=timeout
        )
    assert place.database is not None
    with World.open(
        place.database, dialect=place.dialect, save=place.save, lock=place.save
    ) as world:
        return world.verb_task(obj, verb, *arguments, player=player, timeout=timeout)


def _print_error(error: MooFailure, obj: Obj, verb: str) -> None:
    if isinstance(error, MooTaskError) and not error.task_id:
        # There was nothing to be called.
        if error.code == E_INVIND:
            say(f"{obj}: there is no such object")
            return
        if error.code == E_VERBNF:
            say(f"{obj}:{verb}: there is no such verb that can be called")
            return
    _print_lines(error.output)
    # A traceback that the player was sent is among the output.
    traceback = error.traceback
    if not traceback or error.output[-len(traceback) :] != traceback:
        print(error, file=sys.stderr)


def _print_lines(lines: tuple[str, ...] | list[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)
