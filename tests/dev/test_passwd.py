"""``pymoo passwd``: who, what is written, what is refused; and the login takes it."""

from __future__ import annotations

import errno
import gzip
import os
import pty
import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pymoo.db.journal_file import segment_numbers
from pymoo.db.objects import FLAG_PLAYER
from pymoo.db.textdump import load
from pymoo.db.world import World
from pymoo.dev.passwd import PasswordError, change_password
from pymoo.errors import PymooError
from pymoo.interp.crypt import crypt
from pymoo.lang.dialect import LAMBDAMOO, PYMOO
from pymoo.server.database import open_database
from pymoo.server.inprocess import InProcessServer
from pymoo.server.lock import LockedError, locked
from pymoo.tasks.clock import ManualClock
from pymoo.values import Obj, Value
from pymoo.worlds.starter import copy_starter
from tests.db.faults import killed_at, refuse
from tests.db.worlds import (
    DATA,
    ROOT,
    SYSTEM,
    WIZARD,
    dumped,
    dumped_again,
    loaded,
    minimal,
    set_value,
    value_of,
)
from tests.dev.journals import (
    MARK_IN_JOURNAL,
    leave_another_s_journal,
    leave_changes,
)
from tests.server.processes import command, environment, pymoo
from tests.server.talking import PATIENCE_S
from tests.shared_material import SHARED, needs_shared

NOW = 1_795_280_400.0


def world_with(default: Value = "impossible", **properties: Value) -> World:
    """Return a world whose players have passwords as in LambdaCore."""
    world = minimal()
    for name, value in {"password": default, "aliases": (), **properties}.items():
        world.add_property(ROOT, name, value, WIZARD, 0)
    return world


def add_player(world: World, name: str, **properties: Value) -> Obj:
    player = world.create(WIZARD, ROOT)
    world.set_name(player, name)
    world.set_flag(player, FLAG_PLAYER, True)
    for each, value in properties.items():
        set_value(world, player, each, value)
    return player


class Saved:
    """A world in a file."""

    def __init__(self, folder: Path, world: World) -> None:
        self.path = folder / "my.db"
        self.path.write_bytes(dumped(world))

    def change(self, who: str, text: str | None) -> str:
        return change_password(
            str(self.path),
            who,
            lambda player: text,
            clock=ManualClock(NOW),
            random=Random(1),
        )

    def value(self, player: Obj, name: str = "password") -> Any:
        return value_of(load(self.path).world, player, name)


# --- what is written ------------------------------------------------------------------


def test_what_crypt_makes_of_it_is_saved_and_the_file_kept(tmp_path: Path) -> None:
    saved = Saved(tmp_path, world_with(last_password_time=0))
    before = saved.path.read_bytes()
    folder = f"{saved.path}.backups"
    assert saved.change("wizard", "secret") == (
        f"Wizard (#3) has a new password.\nBefore, the file was {folder}/original.db."
    )
    value = saved.value(WIZARD)
    assert len(value) == 13
    assert crypt(b"secret", value) == value
    assert saved.value(WIZARD, "last_password_time") == NOW
    assert Path(folder, "original.db").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["my.db", "my.db.backups"]


def test_nothing_else_in_the_file_changes(tmp_path: Path) -> None:
    """Tasks and connections stay as they were, byte for byte."""
    textdump = loaded((DATA / "bad" / "good.db").read_bytes())
    world = textdump.world
    world.add_property(WIZARD, "password", 0, WIZARD, 0)
    path = tmp_path / "my.db"
    path.write_bytes(dumped_again(textdump))
    assert len(textdump.tasks) == 2
    change_password(str(path), "#3", lambda player: "secret")
    set_value(world, WIZARD, "password", value_of(load(path).world, WIZARD, "password"))
    assert path.read_bytes() == dumped_again(textdump)


def test_only_eight_characters_count_and_that_is_said(tmp_path: Path) -> None:
    saved = Saved(tmp_path, world_with())
    assert "8 characters" not in saved.change("wizard", "12345678")
    assert "Only its first 8 characters count" in saved.change("wizard", "123456789")


@pytest.mark.parametrize(
    ("old", "start", "length"),
    [
        ("$1$saltsalt$hash", "$1$", 34),
        ("$5$salt$hash", "$5$", 63),
        ("$6$salt$hash", "$6$", 106),
        ("$6$rounds=1000$salt$hash", "$6$rounds=1000$", 118),
        ("_J9..saltHashHashHas", "_J9..", 20),
        ("ab1234567890x", "", 13),
        ("impossible password to type", "", 13),
        ("", "", 13),
        (0, "", 13),
        ((), "", 13),
    ],
)
def test_the_method_is_that_of_the_old_password(
    tmp_path: Path, old: Value, start: str, length: int
) -> None:
    world = world_with()
    player = add_player(world, "Alice", password=old)
    saved = Saved(tmp_path, world)
    said = saved.change("Alice", "a long password".replace(" ", "-"))
    value = saved.value(player)
    assert value.startswith(start)
    assert len(value) == length
    assert crypt(b"a-long-password", value) == value
    assert ("8 characters" in said) == (length == 13)


@pytest.mark.parametrize(("default", "none"), [("impossible", 0), ("", 0), (0, "")])
def test_no_password_is_what_stands_for_it_in_this_core(
    tmp_path: Path, default: Value, none: Value
) -> None:
    world = world_with(default)
    generic = world.create(WIZARD, ROOT)
    world.add_property(generic, "other", 1, WIZARD, 0)
    player = add_player(world, "Alice", password="ab1234567890x")
    world.change_parent(player, generic)
    saved = Saved(tmp_path, world)
    assert saved.change("alice", None).startswith("Alice (#5) needs no password now.\n")
    found = load(saved.path).world.find_property(player, "password")
    assert found is not None
    record, slot = found
    # A clear property would not let anybody connect, in LambdaCore.
    assert record.values[slot] == none
    assert type(record.values[slot]) is type(none)


def test_a_core_that_notes_no_time_gets_none(tmp_path: Path) -> None:
    for number, value in enumerate(("never", ())):
        (tmp_path / str(number)).mkdir()
        saved = Saved(tmp_path / str(number), world_with(last_password_time=value))
        saved.change("wizard", "secret")
        assert saved.value(WIZARD, "last_password_time") == value


# --- who ------------------------------------------------------------------------------


def people() -> World:
    world = world_with()
    add_player(world, "Alice", aliases=("Ali", "Al"))
    add_player(world, "Bob", aliases=("Alice", "Robert", 5))
    add_player(world, "Roberta", aliases=("Robert",))
    add_player(world, "Zoë".encode().decode("latin-1"), aliases="none")
    thing = world.create(WIZARD, ROOT)
    world.set_name(thing, "Thing")
    return world


@pytest.mark.parametrize(
    ("who", "number"),
    [
        ("#3", 3),
        ("#5", 5),
        ("5", 5),  # a shell would take # for the beginning of a comment
        ("wizard", 3),
        ("WIZARD", 3),
        ("Alice", 4),  # the name of one, and an alias of another
        ("al", 4),
        ("bob", 5),
        ("Zoë", 7),
    ],
)
def test_a_player_is_meant_by_number_name_or_alias(
    tmp_path: Path, who: str, number: int
) -> None:
    saved = Saved(tmp_path, people())
    assert f"(#{number}) has a new password" in saved.change(who, "secret")
    assert crypt(b"secret", saved.value(Obj(number))) == saved.value(Obj(number))


def test_a_number_as_a_name_is_better_than_the_number(tmp_path: Path) -> None:
    world = people()
    world.set_name(Obj(6), "5")
    saved = Saved(tmp_path, world)
    assert "(#6) has a new password" in saved.change("5", "secret")
    assert "(#5) has a new password" in saved.change("#5", "secret")


PLAYERS = "Players are Wizard (#3), Alice (#4), Bob (#5), Roberta (#6), ZoÃ« (#7)"


@pytest.mark.parametrize(
    ("who", "problem"),
    [
        ("#8", f"#8 is no player. {PLAYERS}"),
        ("#99", f"#99 is no object. {PLAYERS}"),
        ("8", f"#8 is no player. {PLAYERS}"),
        ("Thing", f"no player is called 'Thing'. {PLAYERS}"),
        ("#-1", f"no player is called '#-1'. {PLAYERS}"),
        ("", f"no player is called ''. {PLAYERS}"),
        (
            "robert",
            "more than one player is called 'robert': #5, #6. Give the number",
        ),
    ],
)
def test_whoever_is_no_player_is_told_with_those_who_are(
    tmp_path: Path, who: str, problem: str
) -> None:
    saved = Saved(tmp_path, people())
    before = saved.path.read_bytes()
    with pytest.raises(PasswordError) as refused:
        saved.change(who, "secret")
    assert str(refused.value) == f"{saved.path}: {problem}"
    assert saved.path.read_bytes() == before
    assert os.listdir(tmp_path) == ["my.db"]


def test_of_many_players_the_wizards_are_named_first(tmp_path: Path) -> None:
    world = world_with()
    for number in range(1_005):
        add_player(world, f"P{number}")
    with pytest.raises(PasswordError) as refused:
        Saved(tmp_path, world).change("nobody", "x")
    assert str(refused.value).endswith(
        "Players are Wizard (#3), P0 (#4), P1 (#5), P2 (#6), P3 (#7), and 1,001 more"
    )


def test_a_core_without_passwords_is_told_so(tmp_path: Path) -> None:
    saved = Saved(tmp_path, minimal())
    with pytest.raises(PasswordError) as refused:
        saved.change("#3", "secret")
    assert str(refused.value) == (
        f"{saved.path}: Wizard (#3) has no property `password'. This database keeps "
        "passwords elsewhere, or has none: see what its #0:do_login_command does "
        f"(pymoo debug {saved.path} '#0:do_login_command')"
    )


# --- what is refused ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "a password cannot be empty; --clear takes it away"),
        ("two words", "could not be typed at the login"),
        ("Zoë", "could not be typed at the login"),
        ("tab\t", "could not be typed at the login"),
        ('"quoted"', "could not be typed at the login"),
        ("back\\slash", "could not be typed at the login"),
        ("x" * 512, "a password has at most 511 characters"),
    ],
)
def test_what_nobody_could_log_in_with_is_refused(
    tmp_path: Path, text: str, problem: str
) -> None:
    saved = Saved(tmp_path, world_with())
    with pytest.raises(PasswordError) as refused:
        saved.change("wizard", text)
    assert str(refused.value).startswith(f"{saved.path}: Wizard (#3): ")
    assert problem in str(refused.value)
    assert os.listdir(tmp_path) == ["my.db"]


def test_a_file_that_is_served_is_refused_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    saved = Saved(tmp_path, world_with())

    def ask(player: str) -> str:
        raise AssertionError("nothing is to be asked")

    with locked(str(saved.path)), pytest.raises(LockedError, match="served already"):
        change_password(str(saved.path), "wizard", ask)


def test_a_file_that_cannot_be_kept_is_not_changed(tmp_path: Path) -> None:
    saved = Saved(tmp_path, world_with())
    before = saved.path.read_bytes()
    (tmp_path / "my.db.backups").write_text("in the way")
    with pytest.raises(PymooError, match=r"cannot be kept .* Nothing was changed"):
        saved.change("wizard", "secret")
    assert saved.path.read_bytes() == before


# --- a journal ---------------------------------------------------------------------


def seen(path: Path) -> tuple[bool, Value]:
    """Whether the wizard has a new password, and what the journal has changed."""
    world = open_database(path, PYMOO, check=False).textdump.world
    return (
        value_of(world, WIZARD, "password") != "impossible",
        value_of(world, SYSTEM, "mark"),
    )


def test_what_only_the_journal_has_is_saved_as_well(tmp_path: Path) -> None:
    path = tmp_path / "my.db"
    folder = leave_changes(path)
    assert value_of(load(path).world, SYSTEM, "mark") == 0
    change_password(str(path), "wizard", lambda player: "secret")
    assert not folder.exists()
    assert seen(path) == (True, MARK_IN_JOURNAL)
    assert value_of(load(path).world, SYSTEM, "mark") == MARK_IN_JOURNAL


def test_the_journal_of_another_file_is_neither_used_nor_removed(
    tmp_path: Path,
) -> None:
    saved = Saved(tmp_path, world_with())
    folder = leave_another_s_journal(saved.path)
    assert "has a new password" in saved.change("wizard", "secret")
    assert segment_numbers(str(folder)) == [1]


def test_a_journal_that_cannot_be_removed_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my.db"
    folder = leave_changes(path)
    monkeypatch.setattr(os, "rmdir", lambda path: refuse(errno.EACCES)())
    change_password(str(path), "wizard", lambda player: "secret")
    assert seen(path) == (True, MARK_IN_JOURNAL)
    assert capsys.readouterr().err == (
        f"{folder}: is not needed any more, and cannot be removed: Permission denied. "
        "Remove it\n"
    )


@pytest.mark.parametrize("after", [False, True])
def test_whenever_it_is_killed_file_and_journal_hold_everything(
    tmp_path: Path, after: bool
) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    leave_changes(begun / "my.db")
    found = set()
    at = 0
    was_killed = True
    while was_killed:
        at += 1
        folder = tmp_path / str(at)
        shutil.copytree(begun, folder)
        path = folder / "my.db"
        was_killed = killed_at(lambda: change(path), at, after=after)  # noqa: B023
        found.add(state := seen(path))
        assert state[1] == MARK_IN_JOURNAL
        change_password(str(path), "wizard", lambda player: "secret")
        assert seen(path) == (True, MARK_IN_JOURNAL)
        shutil.rmtree(folder)
    assert found == {(False, MARK_IN_JOURNAL), (True, MARK_IN_JOURNAL)}
    assert at > 20


def change(path: Path) -> None:
    change_password(str(path), "wizard", lambda player: "secret")


# --- the command ----------------------------------------------------------------------


def run(folder: Path, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    done = pymoo("passwd", *arguments, folder=folder, stdin=stdin)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_the_first_line_of_input_is_taken_if_that_is_asked_for(tmp_path: Path) -> None:
    saved = Saved(tmp_path, world_with())
    for stdin in (b"secret\n", b"secret\r\nmore\n", b"secret"):
        status, out, err = run(tmp_path, "my.db", "wizard", "--stdin", stdin=stdin)
        assert (status, err) == (0, "")
        assert out.startswith("Wizard (#3) has a new password.\n")
        assert crypt(b"secret", saved.value(WIZARD)) == saved.value(WIZARD)
    status, out, err = run(tmp_path, "my.db", "wizard", "--stdin", stdin=b"\xff\n")
    assert (status, out) == (2, "")
    assert err.startswith("pymoo: my.db: Wizard (#3): this password could not be typed")
    assert run(tmp_path, "my.db", "wizard", "--clear")[0] == 0
    assert saved.value(WIZARD) == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["wizard"], "standard input is no terminal to ask at"),
        (["wizard", "--stdin", "--clear"], "--stdin gives a password, --clear takes"),
        ([], "whose password? Give a name or a number: pymoo passwd my.db 2"),
    ],
)
def test_bad_usage_is_told(tmp_path: Path, arguments: list[str], problem: str) -> None:
    Saved(tmp_path, world_with())
    status, out, err = run(tmp_path, "my.db", *arguments)
    assert (status, out) == (2, "")
    assert problem in err


class Terminal:
    """Somebody who is asked for a password."""

    def __init__(self, folder: Path) -> None:
        self.number, other = pty.openpty()
        self.process = subprocess.Popen(
            command("passwd", "my.db", "wizard"),
            cwd=folder,
            env=environment(),
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
        )
        os.close(other)

    def until(self, text: str) -> str:
        seen = ""
        while not seen.endswith(text):
            try:
                portion = os.read(self.number, 1000)
            except OSError:  # the other side has been closed
                portion = b""
            if not portion:
                raise AssertionError(f"{text!r} did not come after {seen!r}")
            seen += portion.decode()
        return seen

    def type(self, line: str) -> None:
        os.write(self.number, f"{line}\n".encode())

    def end(self) -> int:
        status = self.process.wait(timeout=PATIENCE_S)
        os.close(self.number)
        return status


def test_at_a_terminal_it_is_asked_for_twice_and_never_shown(tmp_path: Path) -> None:
    saved = Saved(tmp_path, world_with())
    terminal = Terminal(tmp_path)
    terminal.until("New password of Wizard (#3): ")
    terminal.type("sesame-1")
    seen = terminal.until("Once more: ")
    terminal.type("sesame-2")
    seen += terminal.until("New password of Wizard (#3): ")
    terminal.type("sesame-3")
    seen += terminal.until("Once more: ")
    terminal.type("sesame-3")
    seen += terminal.until("original.db.\r\n")
    assert terminal.end() == 0
    assert "sesame" not in seen
    assert "do not match" in seen
    value = saved.value(WIZARD)
    assert crypt(b"sesame-3", value) == value


def test_who_gives_up_changes_nothing(tmp_path: Path) -> None:
    saved = Saved(tmp_path, world_with())
    terminal = Terminal(tmp_path)
    terminal.until("New password of Wizard (#3): ")
    os.write(terminal.number, b"\x04")
    terminal.until("Aborted!\r\n")
    assert terminal.end() == 1
    assert saved.value(WIZARD) == "impossible"
    assert os.listdir(tmp_path) == ["my.db"]


# --- the login ------------------------------------------------------------------------


def log_in(path: Path, line: str, *, host: str = "127.0.0.1") -> bool:
    """Whether one is connected as #2 by that line."""
    server = InProcessServer.open(path, f"{path}.out", LAMBDAMOO)
    client = server.connect(host=host)
    server.run()
    client.send_line(line)
    server.run()
    players = server.server.connections.connected_players(everybody=False)
    return Obj(2) in players


def test_the_starter_core_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    copy_starter(path)
    change_password(str(path), "wizard", lambda player: "sesame")
    assert log_in(path, "connect wizard sesame", host="192.0.2.7")
    assert not log_in(path, "connect wizard wrong")
    assert not log_in(path, "connect wizard")
    change_password(str(path), "wizard", lambda player: None)
    assert log_in(path, "connect wizard")


@needs_shared
def test_lambdacore_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "core.db"
    packed = (SHARED / "cores" / "LambdaCore-20Jun18.db.gz").read_bytes()
    path.write_bytes(gzip.decompress(packed))
    change_password(str(path), "wizard", lambda player: "sesame")
    assert log_in(path, "connect wizard sesame")
    assert not log_in(path, "connect wizard wrong")
    change_password(str(path), "wizard", lambda player: None)
    assert log_in(path, "connect wizard")
