"""What cores keep of passwords: the property ``password`` of players.

It has what ``crypt()`` made of the password; what is no string, or an empty one, is
none.  Whether a player without one is let in is decided by ``#0:do_login_command``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final

from pymoo.db.objects import CLEAR, Object
from pymoo.db.world import World
from pymoo.values import Value

PASSWORD: Final = "password"
"""The property."""

_CRYPT_DIGITS: Final = r"[./0-9A-Za-z]"


class PasswordKind(Enum):
    """What a player has for a password; the value is how that is called."""

    EMPTY = "empty"
    DES = "DES crypt"
    EXTENDED_DES = "extended DES crypt"
    MD5 = "MD5 crypt"
    SHA256 = "SHA-256 crypt"
    SHA512 = "SHA-512 crypt"
    UNKNOWN_CRYPT = "of a method that crypt() here does not have"
    NONE = "that no password matches"
    # $login lets nobody in whose password is inherited.
    INHERITED = "inherited, which lets nobody in"


_HASHES: Final = {
    PasswordKind.DES: rf"{_CRYPT_DIGITS}{{13}}(?:{_CRYPT_DIGITS}{{11}})*",
    PasswordKind.EXTENDED_DES: rf"_{_CRYPT_DIGITS}{{19}}",
    PasswordKind.MD5: rf"\$1\$[^$]{{0,8}}\${_CRYPT_DIGITS}{{22}}",
    PasswordKind.SHA256: rf"\$5\$(?:rounds=\d+\$)?[^$]{{0,16}}\${_CRYPT_DIGITS}{{43}}",
    PasswordKind.SHA512: rf"\$6\$(?:rounds=\d+\$)?[^$]{{0,16}}\${_CRYPT_DIGITS}{{86}}",
    PasswordKind.UNKNOWN_CRYPT: r"\$[0-9A-Za-z-]{1,8}\$.*",
}


def password_kind(value: Value) -> PasswordKind:
    """Return what a property ``password`` holds, by its looks."""
    if type(value) is not str or not value:
        return PasswordKind.EMPTY
    for kind, pattern in _HASHES.items():
        if re.fullmatch(pattern, value):
            return kind
    return PasswordKind.NONE


def passwords(world: World) -> Iterator[tuple[Object, PasswordKind]]:
    """Yield the players that have the property, wizards first, with what is in it."""
    players = [record for record in world.objects() if record.is_player]
    for record in sorted(players, key=lambda record: not record.is_wizard):
        slot = record.layout.slots.get(PASSWORD)
        if slot is None:
            continue
        if record.values[slot] is CLEAR and slot >= len(record.propdefs):
            yield record, PasswordKind.INHERITED
        else:
            yield record, password_kind(world.property_value(record, slot))


def open_wizards(world: World) -> list[Object]:
    """Return the players that are wizards and have no password."""
    return [
        record
        for record, kind in passwords(world)
        if record.is_wizard and kind is PasswordKind.EMPTY
    ]
