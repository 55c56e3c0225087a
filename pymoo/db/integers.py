"""Cutting numbers to a width, as storing them in a C integer does.

Arithmetic of MOO programs is in `interp.ops`; here it is about numbers in files
and in the fixed fields of records.
"""

from __future__ import annotations


def wrapped(number: int, bits: int) -> int:
    """Return ``number`` cut to ``bits`` bits, the highest of them its sign."""
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number
