"""Two workers, to use with ``pymoo serve --workers pymoo.workers.examples``.

**fetch_url** gets a page of the web.  Whoever may make the server fetch something
could reach with it what only the server can: so it goes nowhere but to public
addresses, looks at the address that it really connects to, and follows a redirection
only after the same checks.  Networks in PYMOO_FETCH_ALLOW are public to it as well.

**pure** calls a function of Python's library out of a list: long work that neither
holds up the world nor can take more time and memory than the server allows.
"""

from __future__ import annotations

import contextlib
import difflib
import http.client
import ipaddress
import math
import os
import socket
import ssl
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from pymoo.errors import MooError
from pymoo.values import E_INVARG, E_PERM, E_QUOTA, Value
from pymoo.workers.registry import worker
from pymoo.workers.text import moo_line, moo_lines

# --- fetch_url --------------------------------------------------------------

ALLOW: Final = "PYMOO_FETCH_ALLOW"
"""The variable that names networks, such as 10.1.0.0/16, with blanks between."""

MAX_BODY: Final = 262_144
MAX_SECONDS: Final = 20.0
MAX_REDIRECTIONS: Final = 5
_CHUNK: Final = 16_384
_REDIRECTIONS: Final = frozenset({301, 302, 303, 307, 308})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Addresses in which others are wrapped, which a router may take out again.
_WRAPPED: Final = tuple(
    map(
        ipaddress.ip_network,
        ("64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16"),
    )
)


@worker("fetch_url")
def fetch_url(url: str) -> Value:
    """Return what is at an address of the web: {status, headers, lines}.

    ``headers`` are rows {name, value}; ``lines`` is the text.

    Raises: E_INVARG for an address that is none, or nobody answers; E_PERM for one
        that is not public; E_QUOTA for more than 256 kB, 20 seconds or 5 redirections.
    """
    deadline = time.monotonic() + MAX_SECONDS
    for _ in range(MAX_REDIRECTIONS + 1):
        status, headers, body = _get(url, deadline)
        target = dict(headers).get("location")
        if status not in _REDIRECTIONS or target is None:
            rows = tuple((moo_line(name), moo_line(text)) for name, text in headers)
            return status, rows, moo_lines(_decoded(body, headers))
        url = urljoin(url, target)
    raise MooError(E_QUOTA, f"More than {MAX_REDIRECTIONS} redirections", url)


Headers = list[tuple[str, str]]


def _get(url: str, deadline: float) -> tuple[int, Headers, bytes]:
    scheme, host, port, target = _parts(url)
    connection = _Connection(scheme, host, port, deadline)
    # A time-out of the socket begins anew with each byte that comes.
    timer = threading.Timer(left(deadline), connection.hang_up)
    timer.start()
    try:
        connection.request(
            "GET",
            target,
            headers={"User-Agent": "pymoo", "Accept-Encoding": "identity"},
        )
        with connection.getresponse() as response:
            headers = [(name.lower(), text) for name, text in response.getheaders()]
            return response.status, headers, _body(response, deadline)
    except (OSError, http.client.HTTPException) as error:
        left(deadline)
        text = moo_line(str(error)) or type(error).__name__
        raise MooError(E_INVARG, f"{host} does not answer: {text}") from error
    finally:
        timer.cancel()
        connection.close()


def _too_slow() -> MooError:
    return MooError(E_QUOTA, f"It takes more than {MAX_SECONDS:g} seconds")


def _parts(url: str) -> tuple[str, str, int, str]:
    """Return scheme, host, port and what to ask for.  Raises: E_INVARG."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise MooError(E_INVARG, f"No address of the web: {error}", url) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise MooError(E_INVARG, "An address begins with http:// or https://", url)
    if "@" in parts.netloc:
        raise MooError(E_INVARG, "An address with a user is not taken", url)
    if not url.isascii() or not url.isprintable() or " " in url:
        raise MooError(E_INVARG, "Write blanks and the like as %20", url)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    return parts.scheme, parts.hostname, port, target


class _Connection(http.client.HTTPConnection):
    """A connection to an address that was looked at; no proxy, no second look-up."""

    def __init__(self, scheme: str, host: str, port: int, deadline: float) -> None:
        super().__init__(host, port)
        self._scheme: Final = scheme
        self._deadline: Final = deadline
        # Kept for `hang_up`: the connection forgets it once there is an answer.
        self._wire: socket.socket | None = None
        self.default_port = 443 if scheme == "https" else 80

    def connect(self) -> None:
        failure: OSError | None = None
        for family, address in _addresses(self.host, self.port):
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.settimeout(left(self._deadline))
                sock.connect(address)
                if self._scheme == "https":
                    context = ssl.create_default_context()
                    sock = context.wrap_socket(sock, server_hostname=self.host)
            except OSError as error:
                sock.close()
                failure = error
            else:
                self.sock = self._wire = sock
                return
        raise failure or OSError("it has no address")

    def hang_up(self) -> None:
        """End what is under way; whoever waits for it gets an error."""
        if self._wire is not None:
            with contextlib.suppress(OSError):
                # Not that of an encrypted socket, which is not for several threads.
                socket.socket.shutdown(self._wire, socket.SHUT_RDWR)


def left(deadline: float) -> float:
    """Return how many seconds there are until ``deadline``.  Raises: E_QUOTA."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise _too_slow()
    return seconds


def _addresses(host: str, port: int) -> Iterator[tuple[int, Any]]:
    """Yield the addresses of a host, each of which is public.

    Raises: E_PERM; OSError.
    """
    for family, _, _, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
        if not is_allowed(ip):
            shown = host if host == str(ip) else f"{host} ({ip})"
            raise MooError(
                E_PERM, f"{shown} is not a public address, nor in a network of {ALLOW}"
            )
        yield family, address


def is_allowed(ip: Address) -> bool:
    """Whether one may fetch from an address: it is public, or ALLOW says so."""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    for text in os.environ.get(ALLOW, "").split():
        if ip in ipaddress.ip_network(text, strict=False):
            return True
    if any(ip in network for network in _WRAPPED):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _body(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """Return what is sent, as long as it is short and comes soon."""
    parts: list[bytes] = []
    size = 0
    while True:
        part = response.read1(_CHUNK)
        left(deadline)
        if not part:
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > MAX_BODY:
            raise MooError(E_QUOTA, f"It is longer than {MAX_BODY} bytes")


def _decoded(body: bytes, headers: Headers) -> str:
    charset = "utf-8"
    for part in dict(headers).get("content-type", "").split(";")[1:]:
        name, _, given = part.strip().partition("=")
        if name.lower() == "charset":
            charset = given.strip("\"' ")
    try:
        return body.decode(charset, "replace")
    except LookupError:  # a character set that Python does not know
        return body.decode("latin-1")


# --- pure -------------------------------------------------------------------

PURE: Final[dict[str, Callable[..., Any]]] = {
    "difflib:get_close_matches": difflib.get_close_matches,
    "math:comb": math.comb,
    "math:factorial": math.factorial,
    "math:gcd": math.gcd,
    "math:isqrt": math.isqrt,
    "statistics:mean": statistics.mean,
    "statistics:median": statistics.median,
    "statistics:stdev": statistics.stdev,
}
"""What ``pure`` may call: functions that change nothing and look at nothing else."""


@worker("pure")
def pure(name: str, *arguments: Value) -> Any:
    """Return what one of the functions in `PURE` gives; ``name`` is "module:function".

    Raises: E_PERM for any other; E_INVARG if it does not like the arguments.
    """
    function = PURE.get(name)
    if function is None:
        raise MooError(E_PERM, f"{name} is not one of: {', '.join(PURE)}", name)
    try:
        return function(*arguments)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise MooError(E_INVARG, f"{name}: {error}") from error
