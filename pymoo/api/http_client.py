"""Calls to a world that another process serves, over HTTP."""

from __future__ import annotations

import http.client
import json
from typing import Any, Final
from urllib.parse import urlsplit

from pymoo.api.results import CallResult
from pymoo.api.wire import MAX_TIMEOUT_S, call_result_of
from pymoo.errors import PymooError
from pymoo.values import Obj, Value
from pymoo.values_json import read_json, to_json
from pymoo.values_limits import UnusableValueError, ValueLimits

_GRACE_S: Final = 15.0
"""How much longer than the server the client waits: a slice may be under way."""

# The server knows what its world can hold.
_LIMITS: Final = ValueLimits(64, "utf-8")


class HttpCallError(PymooError):
    """A server cannot be reached over HTTP, or does not do what it is asked."""


def call_over_http(
    url: str,
    token: str,
    obj: Obj,
    verb: str,
    args: tuple[Value, ...],
    *,
    player: Obj,
    timeout: float,
) -> CallResult:
    """Return what ``obj:verb(@args)`` returns in the world that is served at ``url``.

    Raises: what `World.verb_task` does; HttpCallError.
    """
    if not 0 <= timeout <= MAX_TIMEOUT_S:
        raise HttpCallError(
            f"a server waits for {MAX_TIMEOUT_S:g} seconds at most, not {timeout:g}"
        )
    body = (
        f'{{"obj": "{obj}", "verb": {json.dumps(verb)}, "args": {to_json(args)}, '
        f'"player": "{player}", "timeout": {timeout!r}}}'
    )
    status, answer = _post(url, "/v1/call", token, body, timeout + _GRACE_S)
    try:
        data = read_json(answer)
        if status in (400, 401, 404, 413, 415, 421, 429, 503):
            raise HttpCallError(
                f"{url}: refused ({status}): {data['error']['message']}"
            )
        return call_result_of(data, _LIMITS, timeout)
    except (UnusableValueError, KeyError, TypeError) as error:
        raise HttpCallError(f"{url}: answered with status {status}: {error}") from error


def _post(
    url: str, path: str, token: str, body: str, timeout: float
) -> tuple[int, bytes]:
    connection = _connection(url, timeout)
    try:
        connection.request(
            "POST",
            path,
            body.encode("ascii"),
            {
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
            },
        )
        response = connection.getresponse()
        return response.status, response.read()
    except OSError as error:
        raise HttpCallError(
            f"{url}: {error or type(error).__name__}. Is `pymoo serve --http` running "
            "there?"
        ) from error
    except http.client.HTTPException as error:
        raise HttpCallError(
            f"{url}: what answers there does not speak HTTP. Is it the port of "
            "`pymoo serve --http`, or the one for players?"
        ) from error
    finally:
        connection.close()


def _connection(url: str, timeout: float) -> http.client.HTTPConnection:
    kinds: dict[str, Any] = {
        "http": http.client.HTTPConnection,
        "https": http.client.HTTPSConnection,
    }
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise HttpCallError(f"{url}: is no address: {error}") from error
    if parts.scheme not in kinds or not parts.hostname or parts.path not in ("", "/"):
        raise HttpCallError(
            f"{url}: is no address of a server: give one like http://127.0.0.1:7780"
        )
    connection: http.client.HTTPConnection = kinds[parts.scheme](
        parts.hostname, port, timeout=timeout
    )
    return connection
