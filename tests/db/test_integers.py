"""Cutting numbers to a width."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.db.integers import wrapped


@pytest.mark.parametrize(
    ("bits", "c_type"),
    [(16, ctypes.c_int16), (32, ctypes.c_int32), (64, ctypes.c_int64)],
)
@given(number=st.integers(-(2**70), 2**70))
def test_wrapping_is_what_storing_in_a_c_integer_does(bits, c_type, number):
    assert wrapped(number, bits) == c_type(number).value
