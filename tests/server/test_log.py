"""The log: its form, its time, and that nothing about it stops the world."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pymoo.server.log import MAX_CALLS_SHOWN, Log, log_time
from pymoo.tasks.clock import ManualClock

NOVEMBER_1 = 1793504851.9  # 2026-11-01 03:47:31 UTC


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The time zone of the process is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def log_of(seconds: float = NOVEMBER_1) -> tuple[Log, io.BytesIO]:
    stream = io.BytesIO()
    return Log(ManualClock(seconds), stream), stream


@pytest.mark.usefixtures("utc")
def test_a_line_has_the_time_and_the_text() -> None:
    log, stream = log_of()
    log.write("LOADING: in.db")
    log.write("PANIC: x", True)
    assert stream.getvalue() == (
        b"Nov  1 03:47:31: LOADING: in.db\nNov  1 03:47:31: *** PANIC: x\n"
    )


@pytest.mark.usefixtures("utc")
def test_months_are_english_and_days_padded_with_a_blank() -> None:
    assert log_time(0) == "Jan  1 00:00:00"
    assert log_time(1795242315.999) == "Nov 21 06:25:15"
    assert log_time(1798761599) == "Dec 31 23:59:59"


def test_the_time_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "EST5")
    time.tzset()
    try:
        assert log_time(0) == "Dec 31 19:00:00"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_bytes_of_the_database_are_written_as_they_are() -> None:
    log, stream = log_of()
    log.write("> caf\xe9")
    log.write("file \u20ac")
    assert stream.getvalue().split(b": ", 1)[1].startswith(b"> caf\xe9\n")
    assert b"file \\u20ac\n" in stream.getvalue()


def test_what_the_system_refused_is_an_error() -> None:
    log, stream = log_of()
    log.os_error("Binding listening socket", OSError(98, "Address already in use"))
    log.os_error("Forking checkpointer", OSError("odd"))
    lines = stream.getvalue().decode().splitlines()
    assert lines[0].endswith(": *** Binding listening socket: Address already in use")
    assert lines[1].endswith(": *** Forking checkpointer: odd")


def test_a_bug_is_written_in_full_with_its_cause() -> None:
    log, stream = log_of()
    try:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise RuntimeError("two\nlines") from error
    except RuntimeError as error:
        log.bug("testing", error)
    text = stream.getvalue().decode()
    assert "*** BUG IN PYMOO while testing; please report all of this:" in text
    for part in ("KeyError: 'inner'", "RuntimeError: two", "  lines", "test_log.py"):
        assert part in text
    assert all(line[17:21] == "*** " for line in text.splitlines())


def test_calls_without_end_are_cut_to_the_last_ones() -> None:
    def even(number: int) -> int:
        return odd(number - 1)

    def odd(number: int) -> int:
        return even(number - 1) if number > 0 else 1 // 0

    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    log, stream = log_of()
    try:
        even(5_000)
    except ZeroDivisionError as error:
        log.bug("testing", error)
    finally:
        sys.setrecursionlimit(before)
    text = stream.getvalue().decode()
    assert f"(the last {MAX_CALLS_SHOWN} of 5003 calls)" in text
    assert "ZeroDivisionError" in text
    assert len(text.splitlines()) < 3 * MAX_CALLS_SHOWN + 10


def test_each_line_is_in_the_file_at_once_and_the_file_is_added_to(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"before\n")
    with path.open("ab") as stream:
        Log(ManualClock(), stream).write("now")
        lines = path.read_text().splitlines()
    assert lines[0] == "before"
    assert lines[1].endswith(": now")


def test_a_full_disk_loses_the_line_and_nothing_else() -> None:
    with open("/dev/full", "ab", buffering=0) as stream:
        Log(ManualClock(), stream).write("lost")


def test_a_stream_without_a_reader_or_closed_loses_the_line() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb", buffering=0) as stream:
        log = Log(ManualClock(), stream)
        log.write("lost")
    log.write("lost too")
