"""What cores keep of passwords, and who has none."""

from __future__ import annotations

import pytest

from pymoo.db.objects import FLAG_PLAYER, FLAG_WIZARD
from pymoo.db.passwords import PasswordKind, open_wizards, password_kind, passwords
from pymoo.interp.crypt import crypt
from pymoo.values import NOTHING, Value
from tests.db.worlds import ROOT, WIZARD, minimal, set_value


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (0, PasswordKind.EMPTY),
        ("", PasswordKind.EMPTY),
        (crypt(b"secret", "ab"), PasswordKind.DES),
        (crypt(b"a longer secret", "ab" + "." * 12), PasswordKind.DES),
        (crypt(b"secret", "_J9..abcd"), PasswordKind.EXTENDED_DES),
        (crypt(b"secret", "$1$salt"), PasswordKind.MD5),
        (crypt(b"secret", "$5$salt"), PasswordKind.SHA256),
        (crypt(b"secret", "$5$rounds=1000$salt"), PasswordKind.SHA256),
        (crypt(b"secret", "$6$salt"), PasswordKind.SHA512),
        ("$2b$12$" + "x" * 53, PasswordKind.UNKNOWN_CRYPT),
        ("impossible password to type", PasswordKind.NONE),
    ],
)
def test_the_methods_of_passwords_are_told_apart(
    value: Value, kind: PasswordKind
) -> None:
    assert password_kind(value) is kind


def test_a_wizard_without_a_password_is_open_and_others_are_not() -> None:
    world = minimal()
    assert open_wizards(world) == []  # there are no passwords at all
    generic = world.create(WIZARD, ROOT)
    world.add_property(generic, "password", "impossible", WIZARD, 0)
    world.change_parent(WIZARD, generic)
    assert [*passwords(world)] == [(world[WIZARD], PasswordKind.INHERITED)]
    assert open_wizards(world) == []
    set_value(world, WIZARD, "password", 0)
    player = world.create(NOTHING, generic)
    world.set_flag(player, FLAG_PLAYER, True)
    set_value(world, player, "password", "")
    assert open_wizards(world) == [world[WIZARD]]
    world.set_flag(player, FLAG_WIZARD, True)
    assert open_wizards(world) == [world[WIZARD], world[player]]
    set_value(world, WIZARD, "password", crypt(b"x", "ab"))
    assert open_wizards(world) == [world[player]]
