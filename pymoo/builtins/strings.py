"""Built-in functions on strings: text, search, comparison, binary strings, hashes."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from pymoo.builtins.registry import ANY, LIST, STR, builtin
from pymoo.errors import MooError
from pymoo.interp.crypt import crypt, random_salt
from pymoo.interp.patterns.substitution import substitute
from pymoo.interp.vm import Call
from pymoo.values import (
    E_INVARG,
    STEPS_PER_REPORT,
    List,
    Value,
    fold,
    literal,
    tostr,
)

# --- text -----------------------------------------------------------------


@builtin("tostr", more=True, source="list.c, bf_tostr")
def bf_tostr(call: Call, *values: Value) -> Value:
    """Return the texts of all arguments, one behind the other."""
    if len(values) == 1:
        return tostr(values[0])
    return _fitting(
        call,
        "".join([value if type(value) is str else tostr(value) for value in values]),
    )


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


@builtin("index", [STR, STR, ANY], least=2, pure=True, source="list.c, bf_index")
def bf_index(source: str, what: str, case_matters: Value = 0) -> Value:
    """Return where ``what`` first begins in ``source``, or 0.

    ``index(s, "")`` is 1.
    """
    if not case_matters:
        if source.isascii() and what.isascii():
            return source.lower().find(what.lower()) + 1
        source, what = fold(source), fold(what)
    return source.find(what) + 1


@builtin("rindex", [STR, STR, ANY], least=2, pure=True, source="list.c, bf_rindex")
def bf_rindex(source: str, what: str, case_matters: Value = 0) -> Value:
    """Return where ``what`` last begins in ``source``, or 0.

    ``rindex(s, "")`` is one more than the length of ``s``.
    """
    if not case_matters:
        source, what = fold(source), fold(what)
    return source.rfind(what) + 1


@builtin("strcmp", [STR, STR], pure=True, source="list.c, bf_strcmp")
def bf_strcmp(left: str, right: str) -> Value:
    """Return -1, 0 or 1 as ``left`` sorts before, with or after ``right``.

    Case matters.
    """
    return (left > right) - (left < right)


@builtin("strsub", [STR, STR, STR, ANY], least=3, source="list.c, bf_strsub")
def bf_strsub(
    call: Call, source: str, what: str, with_: str, case_matters: Value = 0
) -> Value:
    """Return ``source`` with every ``what`` replaced, from left to right.

    Raises: E_INVARG if ``what`` is empty.
    """
    if not what:
        raise MooError(E_INVARG)
    searched = source
    if not case_matters:
        if source.isascii() and what.isascii():
            searched, what = source.lower(), what.lower()
        else:
            searched, what = fold(source), fold(what)
    limits = call.vm.ops.limits
    times = searched.count(what)
    if len(source) + times * (len(with_) - len(what)) > limits.max_string:
        limits.exceeded()
    if not times:
        return source
    if searched is source:
        return source.replace(what, with_)
    parts: list[str] = []
    done = 0
    while (start := searched.find(what, done)) >= 0:
        parts += (source[done:start], with_)
        done = start + len(what)
    parts.append(source[done:])
    return "".join(parts)


# --- binary strings -------------------------------------------------------

_ENCODED: Final = {
    code: f"~{code:02X}" for code in (*range(32), ord("~"), *range(127, 256))
}
_ESCAPE: Final = re.compile("~([0-9A-Fa-f]{2})|~", re.ASCII)


def encode_bytes(text: str) -> str:
    """Return bytes (as characters) in the notation of binary strings.

    Source: utils.c, stream_add_raw_bytes_to_binary.
    """
    return text.translate(_ENCODED)


def decode_bytes(binary: str) -> str:
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

    return _ESCAPE.sub(byte, binary)


@builtin("encode_binary", more=True, source="list.c, bf_encode_binary")
def bf_encode_binary(call: Call, *values: Value) -> Value:
    """Return a binary string of the numbers, strings and lists of them given.

    Raises: E_INVARG for a number beyond 0 to 255 and for other types.
    """
    parts: list[str] = []
    meter = _Growth(call)
    open_lists = [iter(values)]
    steps = 0
    while open_lists:
        for value in open_lists[-1]:
            steps += 1
            if steps == STEPS_PER_REPORT:
                meter.spend(steps)
                steps = 0
            if type(value) is str:
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
    return _fitting(call, encode_bytes(_fitting(call, "".join(parts))))


@builtin("decode_binary", [STR, ANY], least=1, source="list.c, bf_decode_binary")
def bf_decode_binary(call: Call, binary: str, fully: Value = 0) -> Value:
    """Return the bytes of a binary string, as strings and numbers.

    Printable bytes, blanks and tabs are kept together in strings; with ``fully``
    each byte is a number.

    Raises: E_INVARG for bad notation.
    """
    data = decode_bytes(binary)
    if fully:
        parts: list[Value] = [ord(char) for char in data]
    else:
        parts = [
            run if _is_text(run[0]) else ord(run)
            for run in re.findall("[\t -~]+|[^\t -~]", data)
        ]
    limits = call.vm.ops.limits
    if len(parts) > limits.max_list:
        limits.exceeded()
    return tuple(parts)


def _is_text(char: str) -> bool:
    return char == "\t" or " " <= char <= "~"


# --- hashes ---------------------------------------------------------------


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest().upper()


@builtin("string_hash", [STR], source="list.c, bf_string_hash")
def bf_string_hash(call: Call, text: str) -> Value:
    """Return the MD5 of the bytes of ``text``: 32 upper-case hexadecimal digits."""
    return _md5(text.encode(call.engine.encoding))


@builtin("binary_hash", [STR], pure=True, source="list.c, bf_binary_hash")
def bf_binary_hash(binary: str) -> Value:
    """Return the MD5 of what a binary string stands for.  Raises: E_INVARG."""
    return _md5(decode_bytes(binary).encode("latin-1"))


@builtin("value_hash", [ANY], source="list.c, bf_value_hash")
def bf_value_hash(call: Call, value: Value) -> Value:
    """Return the MD5 of what toliteral() gives for ``value``."""
    text = _fitting(call, literal(value, meter=_Growth(call)))
    return _md5(text.encode(call.engine.encoding))


# --- patterns -------------------------------------------------------------


@builtin("match", [STR, STR, ANY], least=2, source="list.c, bf_match")
def bf_match(call: Call, subject: str, pattern: str, case_matters: Value = 0) -> Value:
    """Return where ``pattern`` first matches: {start, end, parts, subject}, or {}.

    Raises: E_INVARG for a bad pattern, E_QUOTA if it backtracks too much.
    """
    return _match(call, subject, pattern, case_matters, reverse=False)


@builtin("rmatch", [STR, STR, ANY], least=2, source="list.c, bf_rmatch")
def bf_rmatch(call: Call, subject: str, pattern: str, case_matters: Value = 0) -> Value:
    """Return where ``pattern`` last matches; otherwise as match()."""
    return _match(call, subject, pattern, case_matters, reverse=True)


def _match(
    call: Call, subject: str, pattern: str, case_matters: Value, *, reverse: bool
) -> Value:
    compiled = call.engine.patterns.get(
        pattern, exact_case=bool(case_matters), meter=call.vm
    )
    spans = compiled.match(subject, reverse=reverse, meter=call.vm)
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
    return crypt(text.encode(call.engine.encoding), salt, meter=call.vm)
