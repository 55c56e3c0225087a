"""What a MOO value is, exactly: for what comes out of any reader or function."""

from __future__ import annotations

from math import isfinite
from typing import Any

from pymoo.values import ErrorCode, Obj


def value_fault(value: Any, *, width: int = 32, latin: bool = True) -> str | None:
    """Return what is wrong with a value that a program could see; None if nothing.

    No subclass counts, so a bool is no INT.
    """
    open_ = [value]
    while open_:
        item = open_.pop()
        kind = type(item)
        if kind is tuple:
            open_.extend(item)
        elif kind is int or kind is Obj:
            if not -(1 << width - 1) <= int(item) < 1 << width - 1:
                return f"{item!r} has more than {width} bits"
        elif kind is float:
            if not isfinite(item):
                return f"{item!r} is not finite"
        elif kind is str:
            for char in item:
                if char in "\n\r\0" or (latin and ord(char) > 255):
                    return f"{item!r} has {char!r} in it"
        elif kind is not ErrorCode:
            return f"{item!r} is a {kind.__name__}"
    return None


def assert_value(value: Any, *, width: int = 32, latin: bool = True) -> None:
    """Fail if a program must not see ``value``."""
    fault = value_fault(value, width=width, latin=latin)
    assert fault is None, fault


def same(left: Any, right: Any) -> bool:
    """Whether two values are the same, types and the sign of 0.0 included."""
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if type(one) is not type(other):
            return False
        if type(one) is tuple:
            if len(one) != len(other):
                return False
            pairs.extend(zip(one, other, strict=True))
        elif repr(one) != repr(other) or one != other:
            return False
    return True
