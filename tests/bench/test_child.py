"""The process of a server that is measured, and whoever started it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.db.worlds import DATA


@pytest.fixture
def child(tmp_path: Path) -> subprocess.Popen[bytes]:
    """One that serves a small world, beside which it may write."""
    path = tmp_path / "Minimal.db"
    path.write_bytes((DATA / "Minimal.db").read_bytes())
    program = "import sys; from pymoo.bench.child import main; main(*sys.argv[1:])"
    return subprocess.Popen(
        [sys.executable, "-c", program, path, "pymoo"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def test_it_ends_without_a_dump_when_nobody_asks_any_more(
    child: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert int(child.stdout.readline()) > 0  # the port
        child.stdin.close()
        assert child.wait(timeout=60) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["Minimal.db"]


def test_it_tells_its_cpu_seconds_and_its_memory(
    child: subprocess.Popen[bytes],
) -> None:
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        child.stdin.write(b"\n")
        child.stdin.flush()
        cpu, memory = child.stdout.readline().split()
        assert float(cpu) > 0
        assert int(memory) > 1_000_000
        child.stdin.close()
        assert child.wait(timeout=60) == 0
