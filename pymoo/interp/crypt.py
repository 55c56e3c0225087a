"""One-way encryption of passwords: what C's crypt() answers.

============  ==============================================================
salt          method
============  ==============================================================
``ab``        traditional DES: 8 characters count, 25 rounds
``ab`` and    a hash of more than 13 characters as the salt of a longer
12 or more    password: "bigcrypt", which chains the above
``_CCCCSSSS`` BSDi's extended DES: all characters count, up to 2^24 rounds
``$1$``       MD5: up to 8 characters of salt
``$5$``       SHA-256: up to 16 characters of salt, ``rounds=N$`` before it
``$6$``       SHA-512, the same
============  ==============================================================

The answer begins with the salt that was used, so that the whole of it can be given
as the salt when a password is checked.  A salt that is not understood gives
``*0``, a text that is no hash (``*1`` if the salt itself is ``*0``); so do the
methods of recent C libraries that are not in the table.

Written after FIPS 46-3 (DES), and the descriptions of MD5-crypt by Poul-Henning
Kamp and of SHA-crypt by Ulrich Drepper.  Limits and failures are those of
libxcrypt 4.4, the C library's crypt() on current Linux systems, observed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from hashlib import md5, sha256, sha512
from itertools import cycle, islice
from random import Random
from typing import Final, Protocol, TypeAlias

from attrs import frozen

from pymoo.values import STEPS_PER_REPORT, UNMETERED, Meter

MAX_PHRASE: Final = 511

_ALPHABET: Final = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGITS: Final = {character: value for value, character in enumerate(_ALPHABET)}
_FAILURE: Final = "*0"
_FAILURE_OF_FAILURE: Final = "*1"

# Blanks, controls, everything beyond ASCII, and what /etc/passwd gives a meaning.
_BAD_SALT: Final = re.compile(r"[^!-~]|[!*:;\\]")
_ROUNDS: Final = re.compile(r"rounds=([1-9][0-9]{3,8})\$")
_SHA_ROUNDS: Final = 5_000
_MD5_ROUNDS: Final = 1_000


def crypt(phrase: bytes, salt: str, *, meter: Meter = UNMETERED) -> str:
    """Return the hash of a password, by the method that the salt asks for.

    Cost: some 0.2 ms for DES (5 ms more for its tables, once), 0.4 ms for MD5, 2 ms
    for SHA; minutes if the salt asks for that many rounds, with the meter told.
    """
    answer = None
    if len(phrase) <= MAX_PHRASE and not _BAD_SALT.search(salt):
        if salt.startswith("$1$"):
            answer = _md5_crypt(phrase, salt, meter)
        elif salt.startswith(("$5$", "$6$")):
            answer = _sha_crypt(phrase, salt, meter)
        elif salt.startswith("_"):
            answer = _extended_des_crypt(phrase, salt, meter)
        else:
            answer = _des_crypt(phrase, salt, meter)
    if answer is not None:
        return answer
    return _FAILURE_OF_FAILURE if salt.startswith(_FAILURE) else _FAILURE


def random_salt(generator: Random) -> str:
    """Return the salt of ``crypt(text)``, also used if one of its own is too short.

    Source: list.c, bf_crypt.
    """
    return generator.choice(_ALPHABET) + generator.choice(_ALPHABET)


def _encoded(value: int, length: int) -> str:
    """Return the low bits of a number, six to a character, the lowest first."""
    return "".join(_ALPHABET[value >> 6 * place & 63] for place in range(length))


# --- DES -------------------------------------------------------------------

# The tables of FIPS 46-3.  Bits are numbered from 1, the most significant.
_S_BOXES: Final = (
    "e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d",
    "f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9",
    "a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c",
    "7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e",
    "2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453",
    "c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d",
    "4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c",
    "d2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b",
)
_P: Final = (
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
    2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
)  # fmt: skip
_PC1: Final = (
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18,
    10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
    63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22,
    14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
)  # fmt: skip
_PC2: Final = (
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4,
    26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37, 47, 55, 30, 40,
    51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
)  # fmt: skip
_SHIFTS: Final = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)
_E: Final = tuple(
    (4 * group + bit - 1) % 32 + 1 for group in range(8) for bit in range(6)
)
_IP: Final = tuple(
    first - 8 * step for first in (58, 60, 62, 64, 57, 59, 61, 63) for step in range(8)
)
_FP: Final = tuple(_IP.index(bit) + 1 for bit in range(1, 65))

_ROUNDS_PER_BLOCK: Final = 16

# Sixteen keys of 48 bits, two by two.
_Keys: TypeAlias = list[tuple[int, int]]


def _permuted(value: int, width: int, bits: Sequence[int]) -> int:
    result = 0
    for bit in bits:
        result = result << 1 | value >> (width - bit) & 1
    return result


@cache
def _sp_tables() -> tuple[list[int], ...]:
    """Return what each 12 bits add to the other half of a block.

    Both halves are kept as E expands them, which it can be done with once and for
    all because E is linear.  A table covers two S-boxes.
    """
    single = []
    for box, rows in enumerate(_S_BOXES):
        outputs = []
        for six in range(64):
            row = six >> 4 & 2 | six & 1
            column = six >> 1 & 15
            four = int(rows[16 * row + column], 16)
            outputs.append(_permuted(_permuted(four << 28 - 4 * box, 32, _P), 32, _E))
        single.append(outputs)
    return tuple(
        [high ^ low for high in single[box] for low in single[box + 1]]
        for box in range(0, 8, 2)
    )


def _des_keys(key: int) -> _Keys:
    """Return the key schedule of 64 bits, of which every eighth does not count."""
    chosen = _permuted(key, 64, _PC1)
    left, right = chosen >> 28, chosen & 0xFFFFFFF
    keys = []
    for shift in _SHIFTS:
        left = (left << shift | left >> 28 - shift) & 0xFFFFFFF
        right = (right << shift | right >> 28 - shift) & 0xFFFFFFF
        keys.append(_permuted(left << 28 | right, 56, _PC2))
    return list(zip(keys[::2], keys[1::2], strict=True))


def _des(block: int, keys: _Keys, salt: int, times: int, meter: Meter) -> int:
    """Return 64 bits, encrypted several times over.

    The salt exchanges bits of E's output: where its bit n is set, the bits n and
    n + 24.
    """
    first, second, third, fourth = _sp_tables()
    mask = int(f"{salt:024b}"[::-1], 2)
    block = _permuted(block, 64, _IP)
    left = _permuted(block >> 32, 32, _E)
    right = _permuted(block & 0xFFFFFFFF, 32, _E)
    report = STEPS_PER_REPORT // _ROUNDS_PER_BLOCK
    for time in range(1, max(times, 1) + 1):
        for odd_key, even_key in keys:
            swap = (right >> 24 ^ right) & mask
            at = right ^ swap ^ swap << 24 ^ odd_key
            left ^= (
                first[at >> 36]
                ^ second[at >> 24 & 4095]
                ^ third[at >> 12 & 4095]
                ^ fourth[at & 4095]
            )
            swap = (left >> 24 ^ left) & mask
            at = left ^ swap ^ swap << 24 ^ even_key
            right ^= (
                first[at >> 36]
                ^ second[at >> 24 & 4095]
                ^ third[at >> 12 & 4095]
                ^ fourth[at & 4095]
            )
        left, right = right, left
        if time % report == 0:
            meter.spend(STEPS_PER_REPORT)
    return _permuted(_contracted(left) << 32 | _contracted(right), 64, _FP)


def _contracted(expanded: int) -> int:
    """Return the 32 bits that E has made 48 of: the middle of each six."""
    result = 0
    for shift in range(43, 0, -6):
        result = result << 4 | expanded >> shift & 15
    return result


def _des_key(phrase: bytes) -> int:
    """Return up to eight characters, seven bits of each, as a key."""
    key = 0
    for character in phrase.ljust(8, b"\0"):
        key = key << 8 | character << 1 & 0xFF
    return key


def _des_text(block: int) -> str:
    """Return 64 bits as 11 characters, the highest bits first."""
    return "".join(_ALPHABET[block << 2 >> shift & 63] for shift in range(60, -1, -6))


def _salt_value(text: str) -> int | None:
    value = 0
    for place, character in enumerate(text):
        digit = _DIGITS.get(character)
        if digit is None:
            return None
        value |= digit << 6 * place
    return value


def _des_crypt(phrase: bytes, salt: str, meter: Meter) -> str | None:
    value = _salt_value(salt[:2])
    if len(salt) < 2 or value is None:
        return None
    # A salt this long is a hash by the chained method, and asks for it.
    most = 128 if len(salt) > 13 else 8
    answer = salt[:2]
    for start in range(0, min(max(len(phrase), 1), most), 8):
        keys = _des_keys(_des_key(phrase[start : start + 8]))
        meter.spend(25 * _ROUNDS_PER_BLOCK)
        text = _des_text(_des(0, keys, value, 25, UNMETERED))
        answer += text
        value = _DIGITS[text[0]] | _DIGITS[text[1]] << 6
    return answer


def _extended_des_crypt(phrase: bytes, salt: str, meter: Meter) -> str | None:
    times = _salt_value(salt[1:5])
    value = _salt_value(salt[5:9])
    if len(salt) < 9 or times is None or value is None:
        return None
    key = _des_key(phrase[:8])
    for start in range(8, len(phrase), 8):
        key = _des(key, _des_keys(key), 0, 1, meter)
        key ^= _des_key(phrase[start : start + 8])
    return salt[:9] + _des_text(_des(0, _des_keys(key), value, times, meter))


# --- MD5 and SHA -----------------------------------------------------------


class _Hash(Protocol):
    def digest(self) -> bytes: ...


_Make: TypeAlias = Callable[[bytes], _Hash]
_Triple: TypeAlias = tuple[int, int, int]

# Which bytes of the digest make four characters each; what is left makes the last.
_MD5_TRIPLES: Final = ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5))
_MD5_REST: Final = (11,)


def _sha_triples(count: int, step: int) -> list[_Triple]:
    size = 3 * count
    return [
        (
            step * place % size,
            (step * place + count) % size,
            (step * place + 2 * count) % size,
        )
        for place in range(count)
    ]


@frozen
class _Sha:
    """What tells the two kinds of SHA-crypt apart."""

    make: _Make
    triples: list[_Triple]
    rest: tuple[int, ...]


_SHA: Final = {
    "$5$": _Sha(sha256, _sha_triples(10, 21), (31, 30)),
    "$6$": _Sha(sha512, _sha_triples(21, 22), (63,)),
}


def _make_md5(data: bytes) -> _Hash:
    return md5(data, usedforsecurity=False)


def _md5_crypt(phrase: bytes, salt: str, meter: Meter) -> str:
    text = salt[3:].split("$", 1)[0][:8]
    salt_bytes = text.encode("ascii")
    length = len(phrase)
    inner = _make_md5(phrase + salt_bytes + phrase).digest()
    start = phrase + b"$1$" + salt_bytes + _stretched(inner, length)
    # Meant to be bits of the inner digest, but no implementation does that.
    while length:
        start += b"\0" if length & 1 else phrase[:1]
        length >>= 1
    digest = _make_md5(start).digest()
    digest = _churned(_make_md5, digest, phrase, salt_bytes, _MD5_ROUNDS, meter)
    return f"$1${text}${_digest_text(digest, _MD5_TRIPLES, _MD5_REST)}"


def _sha_crypt(phrase: bytes, salt: str, meter: Meter) -> str | None:
    kind = _SHA[salt[:3]]
    make = kind.make
    answer = salt[:3]
    text = salt[3:]
    rounds = _SHA_ROUNDS
    if text.startswith("rounds="):
        asked = _ROUNDS.match(text)
        if asked is None:
            return None
        rounds = int(asked[1])
        answer += asked[0]
        text = text[asked.end() :]
    text = text.split("$", 1)[0][:16]
    salt_bytes = text.encode("ascii")
    length = len(phrase)
    inner = make(phrase + salt_bytes + phrase).digest()
    start = phrase + salt_bytes + _stretched(inner, length)
    while length:
        start += inner if length & 1 else phrase
        length >>= 1
    digest = make(start).digest()
    digest = _churned(
        make,
        digest,
        _stretched(make(phrase * len(phrase)).digest(), len(phrase)),
        _stretched(make(salt_bytes * (16 + digest[0])).digest(), len(salt_bytes)),
        rounds,
        meter,
    )
    return f"{answer}{text}${_digest_text(digest, kind.triples, kind.rest)}"


def _churned(
    make: _Make, digest: bytes, phrase: bytes, salt: bytes, rounds: int, meter: Meter
) -> bytes:
    """Return a digest that took so many rounds to make."""
    # What is hashed around the last digest depends on the round by 2, 3 and 7.
    around = []
    for turn in range(42):
        between = (salt if turn % 3 else b"") + (phrase if turn % 7 else b"")
        around.append((phrase + between, b"") if turn % 2 else (b"", between + phrase))
    turns = cycle(around)
    while rounds:
        steps = min(rounds, STEPS_PER_REPORT // 4)
        for before, after in islice(turns, steps):
            digest = make(before + digest + after).digest()
        meter.spend(4 * steps)
        rounds -= steps
    return digest


def _stretched(digest: bytes, length: int) -> bytes:
    """Return a digest over and over, up to a length."""
    return (digest * (length // len(digest) + 1))[:length]


def _digest_text(
    digest: bytes, triples: Iterable[_Triple], rest: tuple[int, ...]
) -> str:
    parts = [
        _encoded(digest[high] << 16 | digest[middle] << 8 | digest[low], 4)
        for high, middle, low in triples
    ]
    last = int.from_bytes([digest[index] for index in rest], "big")
    parts.append(_encoded(last, len(rest) + 1))
    return "".join(parts)
