"""Values as text, from one step of a job to the next, and as people read them.

What is kept comes back as what it was, type for type:

=================  ====================  =========================================
value              text                  notes
=================  ====================  =========================================
None, True, False  null, true, false
INT, ``int``       ``12``                of any size; ``{"int":"0x..."}`` from 2⁶³
FLOAT, ``float``   ``0.1``               exact; inf and nan are no MOO values
STR, ``str``       ``"text"``
LIST, ``tuple``    ``[1,2]``             a tuple, not a list
OBJ                ``{"obj":12}``
ERR                ``{"err":1}``
``list``           ``{"list":[1,2]}``
``dict``           ``{"map":{"k":1}}``   keys are strings
`Task`             ``{"task":[...]}``    function, version, arguments, keywords
=================  ====================  =========================================

Nothing else is kept: a subclass would come back as something else.  The text is JSON,
in this one spelling, and is read in no other.  Neither way recurses, for lists are
nested 100,000 deep.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from pymoo.jobs.errors import JobValueError
from pymoo.jobs.task import Task
from pymoo.values import (
    SCANNED_PER_STEP,
    STEPS_PER_REPORT,
    UNMETERED,
    ErrorCode,
    Meter,
    Obj,
    float_text,
    string_literal,
)

MAX_TEXT: Final = 16 << 20
"""How many characters a value may take.  Lists share their parts; texts cannot."""

SHOWN: Final = 160
"""How many characters of a value people get to see, about."""

_END: Final[Any] = object()
_quote: Final = json.JSONEncoder().encode

# Read back, the two halves would have become one character.
_SPLIT_CHARACTER: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def _float(number: float) -> str:
    if not math.isfinite(number):
        raise JobValueError(f"{number} is no number that a job could keep")
    return repr(number)


def _int(number: int) -> str:
    # Python refuses to write down very long numbers in tens.
    if -(2**63) <= number < 2**63:
        return str(number)
    return f'{{"int":"{number:#x}"}}'


def _str(text: str) -> str:
    if not text.isascii() and _SPLIT_CHARACTER.search(text):
        raise JobValueError("a string with a character in two halves cannot be kept")
    return _quote(text)


_SCALARS: Final[dict[type, Callable[[Any], str]]] = {
    int: _int,
    str: _str,
    float: _float,
    bool: lambda value: "true" if value else "false",
    type(None): lambda value: "null",
    Obj: lambda value: f'{{"obj":{int(value)}}}',
    ErrorCode: lambda value: f'{{"err":{value.number}}}',
}


_STEPS_PER_ITEM: Final = 4


def pack(value: Any, meter: Meter = UNMETERED) -> str:
    """Return the text that `unpack` makes ``value`` of.

    Cost: four steps for each item, and one for 32 characters of a string.
    Raises: JobValueError for what cannot be kept: a type that is not in the table
        above, a container that contains itself, more than `MAX_TEXT` characters, a
        task whose function nobody could import.
    """
    parts: list[str] = []
    write = parts.append
    size = 0
    open_: list[tuple[Iterator[Any], str, bool, int]] = []
    on_the_way: set[int] = set()
    item: Any = value
    first = True
    steps = 0
    while True:
        kind = type(item)
        scalar = _SCALARS.get(kind)
        steps += _STEPS_PER_ITEM
        if kind is str:
            steps += len(item) // SCANNED_PER_STEP
        if steps >= STEPS_PER_REPORT:
            meter.spend(steps)
            steps = 0
        if scalar is not None:
            text = scalar(item)
        else:
            if id(item) in on_the_way:
                raise JobValueError(f"a {kind.__name__} that contains itself")
            if kind is tuple:
                text, members, closing = "[", iter(item), "]"
            elif kind is list:
                text, members, closing = '{"list":[', iter(item), "]}"
            elif kind is dict:
                text, members, closing = '{"map":{', iter(item.items()), "}}"
            elif kind is Task:
                item.check_importable()
                text, members, closing = '{"task":[', _parts(item), "]}"
            else:
                raise JobValueError(
                    f"a {kind.__module__}.{kind.__qualname__} cannot be kept: give "
                    "numbers, strings, lists, tuples, dicts, MOO values and tasks"
                )
            on_the_way.add(id(item))
            open_.append((members, closing, kind is dict, id(item)))
            first = True
        write(text)
        size += len(text) + 1
        if size > MAX_TEXT:
            raise JobValueError(
                f"more than {MAX_TEXT:,} characters: give the job the name of a file "
                "instead of what is in it"
            )
        while open_:
            members, closing, is_map, identity = open_[-1]
            item = next(members, _END)
            if item is _END:
                write(closing)
                on_the_way.discard(identity)
                open_.pop()
                first = False
                continue
            if not first:
                write(",")
            first = False
            if is_map:
                key, item = item
                if type(key) is not str:
                    raise JobValueError(
                        f"a dict with a key that is a {type(key).__name__}: only "
                        "strings are kept"
                    )
                key = _str(key)
                write(f"{key}:")
                size += len(key)
            break
        else:
            meter.spend(steps)
            return "".join(parts)


def _parts(task: Task) -> Iterator[Any]:
    return iter((task.function, task.version, task.arguments, task.keywords))


# --- back -----------------------------------------------------------------------

_TOKEN: Final = re.compile(
    r'"[ !#-\[\]-\x7f]*(?:\\.[ !#-\[\]-\x7f]*)*":?'
    r"|-?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?"
    r'|\{"(?:obj|err)":-?[0-9]+\}|\{"int":"-?0x[0-9a-f]+"\}'
    r'|\{"(?:list|task)":\[|\{"map":\{'
    r"|true|false|null|[\[\]},]"
)
_NAMES: Final = {"t": True, "f": False, "n": None}
_TUPLE, _LIST, _MAP, _TASK = "tuple", "list", "map", "task"

# What may come next: a value, or a key of a map; the same or the end, behind an opening
# bracket; a comma or the end.
_MEMBER, _FIRST, _COMMA, _MAPPED = range(4)


def unpack(text: str) -> Any:
    """Return the value that ``text`` was made of.

    Raises: JobValueError if `pack` has not made it.
    """
    current: list[Any] = []
    open_: list[tuple[list[Any], str]] = []
    place = 0
    ended: Any = _END  # a list, a map or a task that only lacks its last bracket
    wanted = _MEMBER
    for match in _TOKEN.finditer(text):
        token = match[0]
        if match.start() != place or (ended is not _END and token != "}"):
            raise _damaged(text, place)
        place = match.end()
        start = token[0]
        if start == ",":
            if wanted != _COMMA or not open_:
                raise _damaged(text, match.start())
            wanted = _MEMBER
            continue
        # What closes, a key of a map, or a value.
        if start in "]}":
            is_right = wanted in (_COMMA, _FIRST)
        elif open_ and open_[-1][1] == _MAP and wanted != _MAPPED:
            is_right = wanted != _COMMA and token[-1] == ":"
        else:
            is_right = wanted != _COMMA and token[-1] != ":"
        if not is_right:
            raise _damaged(text, match.start())
        wanted = _COMMA
        try:
            if start == '"':
                if token[-1] == ":":
                    token = token[:-1]
                    wanted = _MAPPED
                current.append(token[1:-1] if "\\" not in token else _unquoted(token))
            elif start == "[":
                open_.append((current, _TUPLE))
                current = []
                wanted = _FIRST
            elif start == "]":
                inner, (current, kind) = current, open_.pop()
                if kind == _TUPLE:
                    current.append(tuple(inner))
                elif kind == _LIST:
                    ended = inner
                elif kind == _TASK:
                    ended = _task(*inner)
                else:
                    raise ValueError
            elif start == "}":
                if ended is not _END:
                    current.append(ended)
                    ended = _END
                else:
                    inner, (current, kind) = current, open_.pop()
                    if kind != _MAP:
                        raise ValueError
                    ended = dict(zip(inner[::2], inner[1::2], strict=True))
                    if 2 * len(ended) != len(inner):
                        raise ValueError
            elif start == "{":
                tag = token[2:5]
                if tag in ("obj", "err", "int"):
                    current.append(_tagged(tag, token))
                else:
                    open_.append((current, token[2:-3]))
                    current = []
                    wanted = _FIRST
            elif start in _NAMES:
                current.append(_NAMES[start])
            else:
                current.append(_number(token))
        except (ValueError, IndexError, TypeError, JobValueError) as error:
            raise _damaged(text, match.start()) from error
    if place != len(text) or open_ or len(current) != 1:
        raise _damaged(text, place)
    return current[0]


def _unquoted(token: str) -> str:
    text: str = json.loads(token)
    if _quote(text) != token:
        raise ValueError
    return text


def _tagged(tag: str, token: str) -> Any:
    value: Any
    if tag == "obj":
        value = Obj(token[7:-1])
    elif tag == "err":
        value = ErrorCode(int(token[7:-1]))
    else:
        value = int(token[8:-2], 16)
    if _SCALARS[type(value)](value) != token:
        raise ValueError
    return value


def _number(token: str) -> float:
    number = float(token) if "." in token or "e" in token else int(token)
    # Raises JobValueError for a FLOAT beyond the largest.
    if _SCALARS[type(number)](number) != token:
        raise ValueError
    return number


def _task(function: Any, version: Any, arguments: Any, keywords: Any) -> Task:
    if (str, int, tuple, dict) != (
        type(function),
        type(version),
        type(arguments),
        type(keywords),
    ):
        raise ValueError
    return Task(function, arguments, keywords, version)


def _damaged(text: str, place: int) -> JobValueError:
    return JobValueError(
        f"column {place + 1}: expected a value of a job, found {text[place:][:20]!r}"
    )


# --- for people -----------------------------------------------------------------

_SHOWN_SCALARS: Final[dict[type, Callable[[Any], str]]] = {
    int: lambda value: str(value) if abs(value) < 10**40 else f"{value:#x}",
    float: float_text,
    bool: lambda value: "true" if value else "false",
    type(None): lambda value: "none",
    Obj: repr,
    ErrorCode: repr,
}


def shown(value: Any, limit: int = SHOWN) -> str:
    """Return ``value`` as a MOO programmer would write it, cut after ``limit``.

    Python's lists are shown in ``[]``, tasks as calls.  Any value can be shown.
    """
    parts: list[str] = []
    size = 0
    open_: list[tuple[Iterator[Any], str, bool]] = []
    item: Any = value
    first = True
    while True:
        kind = type(item)
        opened: tuple[Iterator[Any], str, bool] | None = None
        if kind is str:
            text = string_literal(item[:limit])
        elif kind in _SHOWN_SCALARS:
            text = _SHOWN_SCALARS[kind](item)
        elif kind is tuple:
            text, opened = "{", (iter(item), "}", False)
        elif kind is list:
            text, opened = "[", (iter(item), "]", False)
        elif kind is dict:
            text, opened = "[", (iter(item.items()), "]", True)
        elif kind is Task:
            keywords = (item.keywords,) if item.keywords else ()
            text = f"{item.function}("
            opened = (itertools.chain(item.arguments, keywords), ")", False)
        else:
            text = f"<{kind.__qualname__}>"
        if opened is not None:
            open_.append(opened)
            first = True
        parts.append(text)
        size += len(text)
        if size > limit:
            return f"{''.join(parts)[:limit]}..."
        while open_:
            members, closing, is_map = open_[-1]
            item = next(members, _END)
            if item is _END:
                parts.append(closing)
                size += 1
                open_.pop()
                first = False
                continue
            if not first:
                parts.append(", ")
                size += 2
            first = False
            if is_map:
                key, item = item
                key = string_literal(key[:limit]) if type(key) is str else repr(key)
                parts.append(f"{key} -> ")
                size += len(key) + 4
            break
        else:
            return "".join(parts)
