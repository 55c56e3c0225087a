"""``pymoo passwd``: another password for a player who has lost theirs.

What a core keeps of a password is what ``crypt()`` makes of it, in the property
``password`` of the player.  For players who need none, cores differ: LambdaCore,
JHCore and enCore have 0 there, and the world that comes with pymoo "", as 0 lets
nobody in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random, SystemRandom
from typing import Final

from attrs import frozen

from pymoo.db.objects import Object
from pymoo.db.passwords import PASSWORD
from pymoo.db.remedies import debug_command
from pymoo.db.world import World
from pymoo.dev.check import read_database
from pymoo.dev.offline import save_offline, tell_errors
from pymoo.errors import PymooError
from pymoo.interp.crypt import MAX_PHRASE, crypt, random_salt
from pymoo.interp.host import Clock
from pymoo.lang.dialect import DEFAULT
from pymoo.server.lock import locked_at_rest
from pymoo.tasks.clock import SystemClock
from pymoo.values import Obj, Value, fold

_TIME_PROPERTY: Final = "last_password_time"
_DES_CHARACTERS: Final = 8
"""How many characters of a password count with the oldest method."""

_NUMBER: Final = re.compile(r"#?([0-9]{1,18})")
# What is neither letter, digit nor sign of ASCII is not read from a connection, and
# these three end a word of a command, or mean something in it.
_UNTYPABLE: Final = re.compile(r'[^!-~]|["\\]')
# Method and costs; the salt follows.
_METHOD: Final = re.compile(
    r"\$1\$|\$[56]\$(?:rounds=[1-9][0-9]{3,8}\$)?|_[./0-9A-Za-z]{4}"
)
_SALT_PAIRS: Final = {"$1$": 4, "$5$": 8, "$6$": 8, "_": 2}


class PasswordError(PymooError):
    """A password cannot be set; the text says why, and what to do."""


@frozen
class _Account:
    """A player, and where the password is."""

    world: World
    record: Object
    slot: int

    @property
    def title(self) -> str:
        return f"{self.record.name} ({self.record.id})"

    @property
    def password(self) -> Value:
        return self.world.property_value(self.record, self.slot)

    @property
    def none(self) -> Value:
        """What stands for no password.

        What players begin with lets nobody in: of 0 and "" it is the other one.
        """
        record, slot = self.record, self.slot
        while slot >= len(record.propdefs):
            slot -= len(record.propdefs)
            record = self.world[record.parent]
        return "" if record.values[slot] == 0 else 0


def change_password(
    path: str,
    who: str,
    ask: Callable[[str], str | None],
    *,
    clock: Clock | None = None,
    random: Random | None = None,
) -> str:
    """Set a player's password in a database file; return what to say of it.

    ``ask`` is called with the player's name and number; what it returns is the
    password, or None if the player is to have none.  The file is kept as a generation
    before it is saved.

    Raises: PymooError.
    """
    clock = clock or SystemClock()
    with locked_at_rest(path):
        database, findings = read_database(path, DEFAULT)
        for finding in findings:
            tell_errors(finding, True)
        textdump = database.textdump
        account = _find_account(path, textdump.world, who)
        text = ask(account.title)
        said = []
        if text is None:
            value = account.none
            said.append(f"{account.title} needs no password now.")
        else:
            problem = _problem(text)
            if problem is not None:
                raise PasswordError(f"{path}: {account.title}: {problem}")
            salt = _salt(account.password, random or SystemRandom())
            value = crypt(text.encode("ascii"), salt)
            said.append(f"{account.title} has a new password.")
            if len(salt) == 2 and len(text) > _DES_CHARACTERS:
                said.append(
                    f"Only its first {_DES_CHARACTERS} characters count, as with all "
                    "passwords that crypt() makes by itself."
                )
        textdump.world.set_property_value(account.record, account.slot, value)
        _note_time(textdump.world, account.record.id, int(clock.now()))
        kept = save_offline(textdump, path)
    said.append(f"Before, the file was {kept}.")
    return "\n".join(said)


def _find_account(path: str, world: World, who: str) -> _Account:
    player = _find_player(path, world, who)
    found = world.find_property(player, PASSWORD)
    if found is None:
        record = world[player]
        raise PasswordError(
            f"{path}: {record.name} ({player}) has no property `{PASSWORD}'. This "
            "database keeps passwords elsewhere, or has none: see what its "
            f"#0:do_login_command does ({debug_command(path, '#0:do_login_command')})"
        )
    return _Account(world, *found)


def _find_player(path: str, world: World, who: str) -> Obj:
    """Return the player of that number, name or alias.

    A name is better than an alias, and than a number that is written without ``#``.

    Raises: PasswordError.
    """
    number = _NUMBER.fullmatch(who)
    if number is not None and who.startswith("#"):
        return _numbered_player(path, world, Obj(int(number[1])))
    # A database whose texts are UTF-8 has a character for each byte.
    names = {fold(who), fold(who.encode("utf-8", "surrogateescape").decode("latin-1"))}
    named = [each for each in world.players if fold(world[each].name) in names]
    found = named or [
        each for each in world.players if not names.isdisjoint(_aliases(world, each))
    ]
    if not found and number is not None:
        return _numbered_player(path, world, Obj(int(number[1])))
    if not found:
        raise PasswordError(
            f"{path}: no player is called {who!r}. {_some_players(world)}"
        )
    if len(found) > 1:
        numbers = ", ".join(str(each) for each in found)
        raise PasswordError(
            f"{path}: more than one player is called {who!r}: {numbers}. Give the "
            "number"
        )
    return found[0]


def _numbered_player(path: str, world: World, player: Obj) -> Obj:
    """Return ``player``.  Raises: PasswordError if it is none."""
    if world.is_player(player):
        return player
    is_what = "no player" if world.valid(player) else "no object"
    raise PasswordError(f"{path}: {player} is {is_what}. {_some_players(world)}")


def _aliases(world: World, player: Obj) -> set[str]:
    found = world.find_property(player, "aliases")
    value = () if found is None else world.property_value(*found)
    if not isinstance(value, tuple):
        return set()
    return {fold(alias) for alias in value if isinstance(alias, str)}


def _some_players(world: World) -> str:
    """Return a sentence on who there is, the wizards first."""
    players = sorted(world.players, key=lambda each: (not world.is_wizard(each), each))
    if not players:
        return "There are no players in it"
    shown = ", ".join(f"{world[each].name} ({each})" for each in players[:5])
    more = len(players) - 5
    return f"Players are {shown}" + (f", and {more:,} more" if more > 0 else "")


def _problem(text: str) -> str | None:
    """Return why a text cannot be a password, and what to do; None if it can."""
    if not text:
        return "a password cannot be empty; --clear takes it away"
    if _UNTYPABLE.search(text):
        return (
            "this password could not be typed at the login: use letters, digits and "
            "signs of ASCII, but no blanks, quotes or backslashes"
        )
    if len(text) > MAX_PHRASE:
        return f"a password has at most {MAX_PHRASE} characters"
    return None


def _salt(old: Value, random: Random) -> str:
    """Return a new salt for the method that the old password was made with.

    That is the oldest one, of which crypt(text) makes use, if there was none.
    """
    method = _METHOD.match(old) if isinstance(old, str) else None
    if method is None:
        return random_salt(random)
    pairs = _SALT_PAIRS["_" if method[0].startswith("_") else method[0][:3]]
    return method[0] + "".join(random_salt(random) for _ in range(pairs))


def _note_time(world: World, player: Obj, now: int) -> None:
    """Note when the password was changed, where the core does so."""
    found = world.find_property(player, _TIME_PROPERTY)
    if found is not None and type(world.property_value(*found)) is int:
        world.set_property_value(*found, now)
