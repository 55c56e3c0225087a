"""``pymoo status``: how a server on this machine is."""

from __future__ import annotations

import json
import socket
import time
from typing import Any, Final

from pymoo.api.status_door import ANSWER_S, short_path, socket_path
from pymoo.exits import FINDINGS, FINE, UNUSABLE, say
from pymoo.wording import counted, size_text

_PATIENCE_S: Final = ANSWER_S + 3


def show_status(database: str, *, as_json: bool) -> int:
    """Ask the server that saves to ``database``, print how it is; returns the status.

    That is 0 if all is well, 1 if not, 2 if no server is there.
    """
    try:
        code, text = _ask(socket_path(database))
    except TimeoutError:
        return _failed(as_json, FINDINGS, f"{database}: the server does not answer")
    except OSError as error:
        return _failed(
            as_json,
            UNUSABLE,
            f"{database}: no server answers: {error.strerror or error}. Is it being "
            "served, by you, with this name?",
        )
    if code != 200:
        return _failed(as_json, FINDINGS, f"{database}: the server is {text.strip()}")
    state = json.loads(text)
    if as_json:
        print(json.dumps(state, indent=2))
    else:
        print("\n".join(_lines(database, state)))
    return FINE if state["status"] == "ok" else FINDINGS


def _failed(as_json: bool, status: int, text: str) -> int:
    if as_json:
        kind = "not there" if status == UNUSABLE else "trouble"
        print(json.dumps({"status": kind, "troubles": [text]}, indent=2))
    else:
        say(text)
    return status


def _ask(path: str) -> tuple[int, str]:
    """Return status and text of the answer.  Raises: OSError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
        asker.settimeout(_PATIENCE_S)
        with short_path(path) as place:
            asker.connect(place)
        asker.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        data = b""
        while part := asker.recv(65_536):
            data += part
    head, _, body = data.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if len(words) < 3 or not words[1].isdigit():
        raise ConnectionResetError("it has broken off")
    return int(words[1]), body.decode()


def _lines(database: str, state: dict[str, Any]) -> list[str]:
    memory, tasks = state["memory"], state["tasks"]
    limit = "" if memory["limit"] is None else f" of {_mb(memory['limit'])}"
    rows = [
        ("status", state["status"]),
        ("database", database),
        ("process", f"{state['pid']}, pymoo {state['version']}, {state['python']}"),
        ("uptime", _duration(state["uptime"])),
        (
            "players",
            f"{state['players']}, {counted(state['connections'], 'connection')}",
        ),
        ("tasks", f"{tasks['waiting']} waiting, {tasks['ready']} of them ready"),
        ("memory", f"{_mb(memory['taken'])}{limit}"),
        ("checkpoint", _checkpoint(state["checkpoint"])),
        ("journal", _journal(state["journal"])),
        ("lag", f"{state['lag'] * 1000:.1f} ms"),
    ]
    if "disk" in state:  # one that was started before an update does not tell it
        rows.insert(-1, ("disk", _disk(state["disk"])))
    if state["bugs"]:
        rows.append(("bugs", f"{state['bugs']}; the log has them in full"))
    rows += [("trouble", text) for text in state["troubles"]]
    return [f"  {name:<10} {text}" for name, text in rows]


def _checkpoint(state: dict[str, Any] | None) -> str:
    if state is None:
        return "none yet"
    ago = _duration(max(0.0, time.time() - state["at"]))
    how = "" if state["ok"] else "FAILED "
    return f"{how}{ago} ago, took {state['seconds']:.1f} s"


def _journal(state: dict[str, Any] | None) -> str:
    if state is None:
        return "none"
    written = "written" if state["written"] else "NOT WRITTEN"
    return (
        f"{written}, {counted(state['records'], 'record')}, {size_text(state['bytes'])}"
    )


def _disk(state: list[dict[str, Any]] | None) -> str:
    if state is None:
        return "the system does not tell how much is free"
    return ", ".join(
        f"{size_text(room['free'])} free in {room['folder']}" for room in state
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _mb(amount: int) -> str:
    return f"{amount / (1 << 20):.0f} MB"
