"""Built-in functions on strings: text, search, comparison, binary strings, hashes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from pymoo.builtins.registry import ANY, LIST, STR, builtin
from pymoo.errors import MooError
from pymoo.interp.crypt import crypt, random_salt
from pymoo.interp.patterns.substitution import substitute
from pymoo.interp.vm import Call
from pymoo.values import (
    CHARACTERS_PER_STEP,
    E_INVARG,
    PIECE,
    SCANNED_PER_STEP,
    SHORT,
    STEPS_PER_REPORT,
    UNMETERED,
    List,
    Meter,
    Value,
    fold,
    folded,
    literal,
    pieces,
    tostr,
)

# --- text -----------------------------------------------------------------

FEW_TEXTS: Final = 8
"""So many may be put together before it is known whether the result is too long."""


@builtin("tostr", more=True, source="list.c, bf_tostr")
def bf_tostr(call: Call, *values: Value) -> Value:
    """Return the texts of all arguments, one behind the other."""
    if len(values) == 1:
        return tostr(values[0])
    if len(values) > FEW_TEXTS:
        return _joined(call, values)
    text = _fitting(
        call,
        "".join([value if type(value) is str else tostr(value) for value in values]),
    )
    if len(text) > SHORT:
        call.vm.spend(len(text) // CHARACTERS_PER_STEP)
    return text


def _joined(call: Call, values: tuple[Value, ...]) -> str:
    """Return what many arguments give, which is not built if it is too long."""
    limits = call.vm.ops.limits
    length = 0
    parts: list[str] = []
    for start in range(0, len(values), STEPS_PER_REPORT):
        texts = [tostr(value) for value in values[start : start + STEPS_PER_REPORT]]
        added = sum(map(len, texts))
        length += added
        if length > limits.max_string:
            limits.exceeded()
        call.vm.spend(len(texts) + added // CHARACTERS_PER_STEP)
        parts.append("".join(texts))
    return "".join(parts)


@builtin("toliteral", [ANY], source="list.c, bf_toliteral")
def bf_toliteral(call: Call, value: Value) -> Value:
    """Return the text that, as MOO code, gives ``value``."""
    return _fitting(call, literal(value, meter=_Growth(call)))


def _fitting(call: Call, text: str) -> str:
    """Return ``text`` if it is not longer than strings may be."""
    limits = call.vm.ops.limits
    if len(text) > limits.max_string:
        limits.exceeded()
    return text


class _Growth:
    """A meter that also stops a text that grows beyond what strings may be.

    Each step makes two characters at least, so that nothing much longer than the
    limit is ever built.
    """

    def __init__(self, call: Call) -> None:
        self._vm = call.vm
        self._left = call.vm.ops.limits.max_string // 2 + STEPS_PER_REPORT

    def spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            self._vm.ops.limits.exceeded()
        self._vm.spend(steps)


# --- search and comparison ------------------------------------------------


@builtin("index", [STR, STR, ANY], least=2, metered=True, source="list.c, bf_index")
def bf_index(meter: Meter, source: str, what: str, case_matters: Value = 0) -> Value:
    """Return where ``what`` first begins in ``source``, or 0.

    ``index(s, "")`` is 1.
    """
    if len(source) > SHORT:
        return _long_index(meter, source, what, bool(case_matters))
    if len(what) > len(source):
        return 0
    if not case_matters:
        if source.isascii() and what.isascii():
            return source.lower().find(what.lower()) + 1
        source, what = fold(source), fold(what)
    return source.find(what) + 1


def _long_index(meter: Meter, source: str, what: str, case_matters: bool) -> int:
    if len(what) > len(source):
        return 0
    if not case_matters:
        what = folded(what, meter)
    for start, text in _windows(meter, source, what, case_matters):
        found = text.find(what)
        if found >= 0:
            return start + found + 1
    return 0


def _windows(
    meter: Meter, source: str, what: str, case_matters: bool, *, backwards: bool = False
) -> Iterator[tuple[int, str]]:
    """Yield parts of ``source`` with their beginnings, in one of which ``what`` is.

    Unless ``case_matters`` they are folded.
    """
    size = max(PIECE, len(what))
    starts: Iterable[int] = range(0, len(source) + 1, size)
    for start in reversed(range(0, len(source) + 1, size)) if backwards else starts:
        text = source[start : start + size + len(what) - 1]
        meter.spend(len(text) // SCANNED_PER_STEP)
        yield start, text if case_matters else fold(text)


@builtin("rindex", [STR, STR, ANY], least=2, metered=True, source="list.c, bf_rindex")
def bf_rindex(meter: Meter, source: str, what: str, case_matters: Value = 0) -> Value:
    """Return where ``what`` last begins in ``source``, or 0.

    ``rindex(s, "")`` is one more than the length of ``s``.
    """
    if len(source) > SHORT:
        return _long_rindex(meter, source, what, bool(case_matters))
    if not case_matters:
        source, what = fold(source), fold(what)
    return source.rfind(what) + 1


def _long_rindex(meter: Meter, source: str, what: str, case_matters: bool) -> int:
    if not what:
        return len(source) + 1
    if len(what) > len(source):
        return 0
    if not case_matters:
        what = folded(what, meter)
    # From the last to the first: Python's rfind() may take length times length.
    mirrored = what[::-1]
    for start, text in _windows(meter, source, what, case_matters, backwards=True):
        found = text[::-1].find(mirrored)
        if found >= 0:
            return start + len(text) - found - len(what) + 1
    return 0


@builtin("strcmp", [STR, STR], metered=True, source="list.c, bf_strcmp")
def bf_strcmp(meter: Meter, left: str, right: str) -> Value:
    """Return -1, 0 or 1 as ``left`` sorts before, with or after ``right``.

    Case matters.
    """
    if len(left) > SHORT:
        meter.spend(len(left) // CHARACTERS_PER_STEP)
    if left < right:
        return -1
    return 1 if left > right else 0


@builtin("strsub", [STR, STR, STR, ANY], least=3, source="list.c, bf_strsub")
def bf_strsub(
    call: Call, source: str, what: str, with_: str, case_matters: Value = 0
) -> Value:
    """Return ``source`` with every ``what`` replaced, from left to right.

    Raises: E_INVARG if ``what`` is empty.
    """
    if not what:
        raise MooError(E_INVARG)
    if len(source) > SHORT:
        return _long_strsub(call, source, what, with_, bool(case_matters))
    searched = source
    if not case_matters:
        if source.isascii() and what.isascii():
            searched, what = source.lower(), what.lower()
        else:
            searched, what = fold(source), fold(what)
    limits = call.vm.ops.limits
    times = searched.count(what)
    length = len(source) + times * (len(with_) - len(what))
    if length > limits.max_string:
        limits.exceeded()
    if not times:
        return source
    if length > SHORT:
        call.vm.spend(length // CHARACTERS_PER_STEP)
    if searched is source:
        return source.replace(what, with_)
    parts: list[str] = []
    done = 0
    while (start := searched.find(what, done)) >= 0:
        parts += (source[done:start], with_)
        done = start + len(what)
    parts.append(source[done:])
    return "".join(parts)


def _long_strsub(
    call: Call, source: str, what: str, with_: str, case_matters: bool
) -> str:
    """As strsub(), piece by piece, with the limit of strings looked at for each."""
    vm = call.vm
    limits = vm.ops.limits
    if len(what) > len(source):
        return source
    if not case_matters:
        what = folded(what, vm)
    size, total = max(PIECE, 2 * len(what)), len(source)
    parts: list[str] = []
    length = done = found = 0
    while done < total:
        text = source[done : done + size]
        vm.spend(len(text) // SCANNED_PER_STEP)
        between = (text if case_matters else fold(text)).split(what)
        # Of what comes behind the last one, the end may be the beginning of another.
        kept = 0
        if done + len(text) < total:
            kept = min(len(between[-1]), len(what) - 1)
        times = len(between) - 1
        found += times
        length += len(text) - kept + times * (len(with_) - len(what))
        if length > limits.max_string:
            limits.exceeded()
        vm.spend(times // 4 + times * len(with_) // CHARACTERS_PER_STEP)
        if not case_matters:
            at = 0
            for number, part in enumerate(between):
                between[number] = text[at : at + len(part)]
                at += len(part) + len(what)
        if kept:
            between[-1] = between[-1][:-kept]
        parts.append(with_.join(between))
        done += len(text) - kept
    return "".join(parts) if found else source


# --- binary strings -------------------------------------------------------

_ENCODED: Final = {
    code: f"~{code:02X}" for code in (*range(32), ord("~"), *range(127, 256))
}
_ESCAPE: Final = re.compile("~([0-9A-Fa-f]{2})|~", re.ASCII)


def encode_bytes(text: str, meter: Meter = UNMETERED) -> str:
    """Return bytes (as characters) in the notation of binary strings.

    Source: utils.c, stream_add_raw_bytes_to_binary.
    """
    if len(text) <= SHORT:
        return text.translate(_ENCODED)
    parts: list[str] = []
    for piece in pieces(text, meter):
        parts.append(piece.translate(_ENCODED))
        meter.spend(len(parts[-1]) - len(piece))  # every escape takes its time
    return "".join(parts)


def decode_bytes(binary: str, meter: Meter = UNMETERED) -> str:
    """Return the bytes (as characters) that a binary string stands for.

    Raises: E_INVARG for a ``~`` that two hexadecimal digits do not follow.
    Source: utils.c, binary_to_raw_bytes.
    """
    if "~" not in binary:
        return binary

    def byte(escape: re.Match[str]) -> str:
        if escape[1] is None:
            raise MooError(E_INVARG)
        return chr(int(escape[1], 16))

    if len(binary) <= SHORT:
        return _ESCAPE.sub(byte, binary)
    parts: list[str] = []
    start = 0
    while start < len(binary):
        end = start + SHORT
        # No escape is cut in two.
        tilde = binary.find("~", end - 2, end)
        piece = binary[start : tilde if tilde > start else end]
        meter.spend(len(piece))
        parts.append(_ESCAPE.sub(byte, piece))
        start += len(piece)
    return "".join(parts)


@builtin("encode_binary", more=True, source="list.c, bf_encode_binary")
def bf_encode_binary(call: Call, *values: Value) -> Value:
    """Return a binary string of the numbers, strings and lists of them given.

    Raises: E_INVARG for a number beyond 0 to 255 and for other types.
    """
    parts: list[str] = []
    meter = _Growth(call)
    limits = call.vm.ops.limits
    length = 0  # of the strings
    open_lists = [iter(values)]
    steps = 0
    while open_lists:
        for value in open_lists[-1]:
            steps += 1
            if steps == STEPS_PER_REPORT:
                meter.spend(steps)
                steps = 0
            if type(value) is str:
                length += len(value)
                call.vm.copied(len(value))
                parts.append(value)
            elif type(value) is int and 0 <= value <= 255:
                parts.append(chr(value))
            elif type(value) is tuple:
                open_lists.append(iter(value))
                break
            else:
                raise MooError(E_INVARG)
        else:
            open_lists.pop()
    if length > limits.max_string:
        limits.exceeded()
    text = encode_bytes(_fitting(call, "".join(parts)), call.vm)
    return _fitting(call, text)


@builtin("decode_binary", [STR, ANY], least=1, source="list.c, bf_decode_binary")
def bf_decode_binary(call: Call, binary: str, fully: Value = 0) -> Value:
    """Return the bytes of a binary string, as strings and numbers.

    Printable bytes, blanks and tabs are kept together in strings; with ``fully``
    each byte is a number.

    Raises: E_INVARG for bad notation.
    """
    data = decode_bytes(binary, call.vm)
    limits = call.vm.ops.limits
    parts: list[Value] = []
    call.vm.scanned(len(data))
    runs = _BYTE.finditer(data) if fully else _RUN.finditer(data)
    while some := [run[0] for run in islice(runs, STEPS_PER_REPORT)]:
        if fully:
            parts += map(ord, some)
        else:
            parts += [run if _is_text(run[0]) else ord(run) for run in some]
        if len(parts) > limits.max_list:
            limits.exceeded()
        if len(some) == STEPS_PER_REPORT:
            call.vm.spend(STEPS_PER_REPORT)
    return tuple(parts)


_BYTE: Final = re.compile(".", re.DOTALL)
_RUN: Final = re.compile("[\t -~]+|[^\t -~]")


def _is_text(char: str) -> bool:
    return char == "\t" or " " <= char <= "~"


# --- hashes ---------------------------------------------------------------


def _md5(text: str, encoding: str, meter: Meter) -> str:
    if len(text) <= SHORT:
        data = text.encode(encoding)
        return hashlib.md5(data, usedforsecurity=False).hexdigest().upper()
    made = hashlib.md5(usedforsecurity=False)
    for piece in pieces(text, meter):
        made.update(piece.encode(encoding))
    return made.hexdigest().upper()


@builtin("string_hash", [STR], source="list.c, bf_string_hash")
def bf_string_hash(call: Call, text: str) -> Value:
    """Return the MD5 of the bytes of ``text``: 32 upper-case hexadecimal digits."""
    return _md5(text, call.engine.encoding, call.vm)


@builtin("binary_hash", [STR], metered=True, source="list.c, bf_binary_hash")
def bf_binary_hash(meter: Meter, binary: str) -> Value:
    """Return the MD5 of what a binary string stands for.  Raises: E_INVARG."""
    return _md5(decode_bytes(binary, meter), "latin-1", meter)


@builtin("value_hash", [ANY], source="list.c, bf_value_hash")
def bf_value_hash(call: Call, value: Value) -> Value:
    """Return the MD5 of what toliteral() gives for ``value``."""
    text = _fitting(call, literal(value, meter=_Growth(call)))
    return _md5(text, call.engine.encoding, call.vm)


# --- patterns -------------------------------------------------------------


@builtin("match", [STR, STR, ANY], least=2, source="list.c, bf_match")
def bf_match(call: Call, subject: str, pattern: str, case_matters: Value = 0) -> Value:
    """Return where ``pattern`` first matches: {start, end, parts, subject}, or {}.

    Raises: E_INVARG for a bad pattern, E_QUOTA if it backtracks too much
        (`Dialect.most_match_steps`, and where the C server gives up).
    """
    return _match(call, subject, pattern, case_matters, reverse=False)


@builtin("rmatch", [STR, STR, ANY], least=2, source="list.c, bf_rmatch")
def bf_rmatch(call: Call, subject: str, pattern: str, case_matters: Value = 0) -> Value:
    """Return where ``pattern`` last matches; otherwise as match()."""
    return _match(call, subject, pattern, case_matters, reverse=True)


def _match(
    call: Call, subject: str, pattern: str, case_matters: Value, *, reverse: bool
) -> Value:
    engine = call.engine
    meter = call.vm.matching
    compiled = engine.patterns.get(pattern, exact_case=bool(case_matters), meter=meter)
    spans = compiled.match(
        subject,
        reverse=reverse,
        meter=meter,
        most_steps=engine.dialect.most_match_steps,
    )
    if spans is None:
        return ()
    (start, end), *parts = spans
    return (start, end, tuple(parts), subject)


@builtin("substitute", [STR, LIST], source="list.c, bf_substitute")
def bf_substitute(call: Call, template: str, match: List) -> Value:
    """Return ``template`` with ``%0`` to ``%9`` replaced by what they matched.

    ``match`` is what match() gave.  Raises: E_INVARG if it is not, or for
    anything else behind a ``%``.
    """
    limits = call.vm.ops.limits
    text = substitute(template, match, max_length=limits.max_string, meter=call.vm)
    if text is None:
        limits.exceeded()
    return text


# --- crypt ----------------------------------------------------------------


@builtin("crypt", [STR, STR], least=1, source="list.c, bf_crypt")
def bf_crypt(call: Call, text: str, salt: str = "") -> Value:
    """Return ``text`` as passwords are kept, with ``salt`` in front.

    A salt shorter than two characters means a random one.
    """
    if len(salt) < 2:
        salt = random_salt(call.engine.random)
    call.vm.scanned(len(text) + len(salt))
    return crypt(text.encode(call.engine.encoding), salt, meter=call.vm)
