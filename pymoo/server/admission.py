"""How many connections and login attempts one address is allowed.

An address is an IPv4 address, or the first 64 bits of an IPv6 address, of which
whoever has one has all.  Three things are counted for each:

* connections that are open;
* connections that are opened;
* lines typed before login, when they are used.

The last two have an allowance that fills up in a minute: whoever was quiet can do a
minute's worth at once.  Addresses of this machine have a hundred times as much: from
there come programs that pass on the connections of many people.  The lines of each
connection are counted as well, so that one of these people does not use up what all
of them have.

A1  What is counted is bounded by who is connected, and who was in the last minute.
A2  Nothing more is run in the world for a connection from when it is refused.
A3  Lines for which a connection is refused count for nobody else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from attrs import define, frozen

DEFAULT_MAX_CONNECTIONS: Final = 100
DEFAULT_CONNECT_RATE: Final = 60
DEFAULT_LOGIN_RATE: Final = 120

LOOPBACK_FACTOR: Final = 100
"""How many times as much addresses of this machine are allowed."""

_MINUTE_S: Final = 60.0

TOO_MANY: Final = "too_many_connections_msg"
TOO_FAST: Final = "connect_rate_msg"
LOGIN_TOO_FAST: Final = "login_rate_msg"


@frozen
class AdmissionLimits:
    """What one address is allowed; None: any number."""

    max_connections: int | None = DEFAULT_MAX_CONNECTIONS
    connects_per_minute: int | None = DEFAULT_CONNECT_RATE
    login_lines_per_minute: int | None = DEFAULT_LOGIN_RATE


NO_LIMITS: Final = AdmissionLimits(None, None, None)


def address_group(address: str) -> str:
    """Return what is counted together with ``address``.

    IPv4 addresses in the form of IPv6 ones count as what they are.  A text that is no
    address counts for itself.
    """
    try:
        found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped
        if inner is not None:
            return str(inner)
        if not found.is_loopback:
            return f"{IPv6Address(int(found) >> 64 << 64)}/64"
    return str(found)


def is_loopback_group(group: str) -> bool:
    """Whether a group is one of this machine."""
    return group == "::1" or group.startswith("127.")


@define
class Allowance:
    """What is left of a minute's worth, when that was looked at last."""

    left: float
    at: float

    def take(self, now: float, per_minute: int) -> bool:
        """Take one; False if there is none."""
        passed = max(0.0, now - self.at)
        self.left = min(per_minute, self.left + passed * per_minute / _MINUTE_S)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Admission:
    """Counts what the addresses do, and says when it is too much."""

    def __init__(
        self,
        limits: AdmissionLimits,
        log: Callable[[str], None],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``log`` is told of an address that is refused, once a minute at most."""
        self._limits: Final = limits
        self._log: Final = log
        self._now: Final = now
        self._open: Final[dict[str, int]] = {}
        self._connects: Final[dict[str, Allowance]] = {}
        self._logins: Final[dict[str, Allowance]] = {}
        self._told: Final[dict[str, float]] = {}
        self._sweep_at = now() + _MINUTE_S
        self.refused: Final = {TOO_MANY: 0, TOO_FAST: 0, LOGIN_TOO_FAST: 0}
        """How many connections were refused, by the message that they were sent."""

    @property
    def address_count(self) -> int:
        """How many addresses something is known of."""
        known = {*self._open, *self._connects, *self._logins, *self._told}
        return len(known)

    def arrives(self, group: str) -> str | None:
        """Count a connection that is opened.

        Returns the name of the message if it is to be refused, which needs no `leaves`.
        """
        now = self._now()
        if now >= self._sweep_at:
            self._sweep(now)
        limits = self._limits
        rate = limits.connects_per_minute
        if not self._take(self._connects, group, rate, now):
            return self._refuse(group, TOO_FAST, "too many in the last minute", now)
        there, most = self._open.get(group, 0), _scaled(limits.max_connections, group)
        if most is not None and there >= most:
            return self._refuse(group, TOO_MANY, f"there are {there} already", now)
        self._open[group] = there + 1
        return None

    def leaves(self, group: str) -> None:
        """A connection that was let in is closed."""
        there = self._open[group] - 1
        if there:
            self._open[group] = there
        else:
            del self._open[group]

    def allowance(self) -> Allowance:
        """Return what one connection may type before login, for `types`."""
        return Allowance(self._limits.login_lines_per_minute or 0, self._now())

    def types(self, group: str, own: Allowance) -> str | None:
        """Count a line that a connection has typed before login; returns as `arrives`.

        ``own`` is the connection's, which is allowed what an address elsewhere is.
        """
        now = self._now()
        rate = self._limits.login_lines_per_minute
        if rate is None or (
            own.take(now, rate)  # first of all (A3)
            and self._take(self._logins, group, rate, now)
        ):
            return None
        return self._refuse(group, LOGIN_TOO_FAST, "too many lines before login", now)

    def _take(
        self,
        allowances: dict[str, Allowance],
        group: str,
        per_minute: int | None,
        now: float,
    ) -> bool:
        per_minute = _scaled(per_minute, group)
        if per_minute is None:
            return True
        allowance = allowances.get(group)
        if allowance is None:
            allowance = allowances[group] = Allowance(per_minute, now)
        return allowance.take(now, per_minute)

    def _refuse(self, group: str, message: str, why: str, now: float) -> str:
        self.refused[message] += 1
        if now >= self._told.get(group, now):
            self._told[group] = now + _MINUTE_S
            self._log(f"REFUSED: connections from {group}: {why}")
        return message

    def _sweep(self, now: float) -> None:
        """Forget those of whom nothing has to be known any more (A1)."""
        self._sweep_at = now + _MINUTE_S
        for allowances in (self._connects, self._logins):
            for group in [
                group
                for group, allowance in allowances.items()
                if now - allowance.at >= _MINUTE_S
            ]:
                del allowances[group]
        for group in [group for group, until in self._told.items() if now >= until]:
            del self._told[group]


def _scaled(limit: int | None, group: str) -> int | None:
    if limit is None or not is_loopback_group(group):
        return limit
    return limit * LOOPBACK_FACTOR
