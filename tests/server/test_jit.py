"""What PyPy's compiler is told."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from pymoo.server import jit


def test_only_pypy_is_tuned(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    compiler = SimpleNamespace(set_param=told.append)
    monkeypatch.setattr(jit, "import_module", lambda name: compiler)
    for name, expected in (("cpython", []), ("pypy", [jit.SETTINGS])):
        monkeypatch.setattr(sys, "implementation", SimpleNamespace(name=name))
        jit.tune()
        assert told == expected


@pytest.mark.skipif(sys.implementation.name != "pypy", reason="asks PyPy itself")
def test_pypy_takes_the_settings() -> None:
    jit.tune()
