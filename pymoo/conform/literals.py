"""Reads what ``toliteral()`` prints, and what other dialects print for their types.

Two depths: `split_list` takes a list apart and leaves its elements as text;
`parse_literal` makes plain data of a whole literal.  Neither recurses.
"""

from __future__ import annotations

import re
from typing import Any, Final

from attrs import frozen

_TOKEN: Final = re.compile(
    r'\s*(?P<token>"(?:[^"\\]|\\.)*"|\{|\}|\[|\]|,|->'
    r"|[^\s\"{}\[\],>-](?:(?!->)[^\s\"{}\[\],])*|-(?!>)(?:(?!->)[^\s\"{}\[\],])*)"
)
_INT: Final = re.compile(r"[+-]?[0-9]+")
_FLOAT: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ESCAPE: Final = re.compile(r"\\(.)")


class NotALiteralError(ValueError):
    """The text is no literal of a MOO."""


@frozen
class Word:
    """What is neither number, string nor list: ``#12``, ``E_PERM``, ``true``."""

    text: str


def tokens(text: str) -> list[str]:
    """Return the words and marks of a literal.

    Raises: NotALiteralError.
    """
    found = []
    place = 0
    end = len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            raise NotALiteralError(f"at character {place + 1}: {text[place:][:40]!r}")
        found.append(match["token"])
        place = match.end()
    return found


def split_list(text: str) -> list[str]:
    """Return the elements of a list, each as its literal.

    Raises: NotALiteralError.
    """
    parts = tokens(text)
    if len(parts) < 2 or parts[0] != "{" or parts[-1] != "}":
        raise NotALiteralError(f"not a list: {text[:40]!r}")
    elements: list[str] = []
    depth = 0
    current = ""
    for part in parts[1:-1]:
        if part == "," and not depth:
            elements.append(current)
            current = ""
            continue
        depth += (part in ("{", "[")) - (part in ("}", "]"))
        current += {",": ", ", "->": " -> "}.get(part, part)
    return [*elements, current] if current or elements else []


def join_list(elements: list[str]) -> str:
    """Return the literal of the list of these literals."""
    return "{" + ", ".join(elements) + "}"


def parse_string(text: str) -> str:
    """Return the characters of a string literal."""
    return _ESCAPE.sub(r"\1", text[1:-1])


def parse_literal(text: str) -> Any:
    """Return a literal as ``int``, ``float``, ``str``, ``list``, ``dict`` or `Word`.

    Raises: NotALiteralError.
    """
    # Open lists and maps, the outermost first; the value under way is in the last.
    # A map is a list of its keys and values in turn until it closes.
    root: list[Any] = []
    open_ones: list[tuple[str, list[Any]]] = [("", root)]
    for token in tokens(text):
        if token in ("{", "["):
            open_ones.append((token, []))
        elif token in ("}", "]"):
            mark, elements = open_ones.pop()
            if mark + token not in ("{}", "[]") or not open_ones:
                raise NotALiteralError(f"{token} without its beginning: {text[:40]!r}")
            open_ones[-1][1].append(elements if token == "}" else _map(elements, text))
        elif token not in (",", "->"):
            open_ones[-1][1].append(_atom(token))
    if len(open_ones) != 1 or len(root) != 1:
        raise NotALiteralError(f"not one value: {text[:40]!r}")
    return root[0]


def _map(elements: list[Any], text: str) -> dict[Any, Any]:
    if len(elements) % 2:
        raise NotALiteralError(f"a key without value: {text[:40]!r}")
    return {
        _key(key): value
        for key, value in zip(elements[::2], elements[1::2], strict=True)
    }


def _key(key: Any) -> Any:
    return key if isinstance(key, (int, float, str, Word)) else repr(key)


def _atom(token: str) -> Any:
    if token.startswith('"'):
        return parse_string(token)
    if _INT.fullmatch(token):
        return int(token)
    if _FLOAT.fullmatch(token):
        return float(token)
    return Word(token)
