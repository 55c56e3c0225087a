"""A database served from start to end: what is said at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymoo.db.world import World
from pymoo.lang.dialect import PYMOO
from pymoo.server.listener import Addresses
from pymoo.server.serving import (
    Service,
    addresses_of,
    classic_addresses,
    open_wizards_warning,
    reaches_beyond,
)
from tests.db.worlds import ROOT, WIZARD, dumped, set_value
from tests.server.online import small_world
from tests.server.processes import ServerProcess

WARNING = (
    "Wizard (#3): a wizard without a password, and other machines can connect. Unless "
    "#0:do_login_command refuses, whoever gives the name is let in. Set one from "
    "inside, or while no server has the file: pymoo passwd {path} '#3'"
)


def open_world() -> World:
    world = small_world()
    world.add_property(ROOT, "password", "impossible", WIZARD, 0)
    set_value(world, WIZARD, "password", 0)
    return world


@pytest.mark.parametrize(
    ("addresses", "is_so"),
    [
        (addresses_of("127.0.0.1"), False),
        (addresses_of("127.3.2.1"), False),
        (addresses_of("localhost"), False),
        (addresses_of("::1"), False),
        (addresses_of(""), True),
        (addresses_of("0.0.0.0"), True),
        (addresses_of("::"), True),
        (addresses_of("192.0.2.7"), True),
        (addresses_of("fe80::1%eth0"), True),
        (addresses_of("moo.example.org"), True),
        (classic_addresses("127.0.0.1", ipv6=True), False),
        (classic_addresses("", ipv6=False), True),
    ],
)
def test_what_is_not_of_this_machine_alone_reaches_beyond(
    addresses: Addresses, is_so: bool
) -> None:
    assert reaches_beyond(addresses) is is_so


def test_a_wizard_without_a_password_is_no_danger_on_this_machine() -> None:
    def warning(world: World, host: str) -> str | None:
        service = Service("in.db", "out.db", 0, addresses_of(host), PYMOO)
        return open_wizards_warning(world, service)

    assert warning(open_world(), "127.0.0.1") is None
    assert warning(small_world(), "") is None
    assert warning(open_world(), "") == WARNING.format(path="out.db")


@pytest.mark.parametrize("host", ["", "127.0.0.1"])
def test_log_and_terminal_warn_of_a_wizard_without_a_password(
    tmp_path: Path, host: str
) -> None:
    (tmp_path / "in.db").write_bytes(dumped(open_world()))
    with ServerProcess(
        tmp_path,
        *("serve", "{input}", "{output}", "--port", "0", "--host", host),
        *("--log", "{log}", "--code-cache", "none"),
    ) as server:
        server.wait_for("LISTEN")
        server.process.terminate()
        out, err = server.process.communicate(timeout=60)
        text = WARNING.format(path=server.output)
        assert err == b""
        assert (f"  WARNING  {text}" in out.decode().splitlines()) is (host == "")
        assert (f"*** WARNING: {text}\n" in server.log) is (host == "")
