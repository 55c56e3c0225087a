"""Worker processes: one at a time, limited, replaced, gone in the end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pymoo.errors import MooError
from pymoo.values import E_QUOTA, Obj
from pymoo.workers import process
from pymoo.workers.coding import Reader
from pymoo.workers.settings import WorkersError
from tests.workers.office import MODULE, Workshop, is_alive, wait_until

Make = Callable[..., Workshop]


def lost(kind: str, why: str) -> tuple[str, str, int]:
    return "E_INVARG", f"{kind}: the worker is lost: {why}", 0


# --- answers ------------------------------------------------------------------


def test_m12_a_process_answers_with_the_same_values(workshop: Make) -> None:
    shop = workshop()
    value = (1, -2.5, "text\t\xe9", (), Obj(-1), (E_QUOTA, (3,)))
    assert shop.ask("echo", *value) == value
    assert shop.ask("Add", 2, 3) == 5
    assert "WORKERS: 2 processes, for Add, blocked signals, " in shop.log[0]


def test_m12_what_a_worker_raises_comes_as_it_is(workshop: Make) -> None:
    assert workshop().error("refuse", (1, "x")) == ("E_PERM", "Not for you", (1, "x"))


def test_m12_a_bug_of_a_worker_is_an_error_and_in_the_log(workshop: Make) -> None:
    shop = workshop(processes=1)
    pids = shop.pool.pids
    assert shop.error("fail") == ("E_INVARG", "fail: KeyError: 'no such key'", 0)
    assert any(line.endswith("KeyError: 'no such key'") for line in shop.log)
    assert shop.pool.pids == pids


def test_m12_wrong_arguments_are_E_ARGS(workshop: Make) -> None:
    assert workshop().error("Add", 1)[:2] == (
        "E_ARGS",
        "Add: missing a required argument: 'right'",
    )


def test_m12_functions_in_c_are_workers_too(workshop: Make) -> None:
    shop = workshop(processes=1)
    pids = shop.pool.pids
    assert shop.ask("plain sleep", 0.01) == 0
    assert shop.error("plain sleep")[0] in ("E_ARGS", "E_INVARG")
    assert shop.pool.pids == pids


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("dict", "a dict is no MOO value"),
        ("infinite", "inf is no FLOAT"),
        (
            "large",
            "1099511627776 does not fit into 32 bits, which an INT of this world has: "
            "give a FLOAT or a string",
        ),
        (
            "chinese",
            "character 1 of a string is '\\u4e2d', which this world (latin-1) does not "
            "have: leave it out, or encode it",
        ),
        (
            "lines",
            "a string with the character 10, which no MOO string can hold "
            "(lines of text are a list of strings)",
        ),
    ],
)
def test_m12_an_answer_that_is_no_value_of_the_database_is_an_error(
    workshop: Make, what: str, message: str
) -> None:
    shop = workshop(processes=1, reader=Reader(width=32, encoding="latin-1"))
    text = f"strange: the answer is not MOO's: {message}"
    assert shop.error("strange", what) == ("E_INVARG", text, 0)
    assert shop.ask("strange", "object") == Obj(2)
    assert shop.ask("strange", "list") == (1, (2.0, 1))
    assert shop.ask("strange", "none") == 0


def test_m12_an_answer_that_is_too_big_is_E_QUOTA(workshop: Make) -> None:
    shop = workshop(processes=1, max_bytes=10_000)
    pids = shop.pool.pids
    assert shop.ask("long", 9_900) == "x" * 9_900
    code, message, _ = shop.error("long", 10_000)
    assert code == "E_QUOTA"
    assert message.startswith("long: the answer is too big: 100")
    assert shop.error("doubled")[0] == "E_QUOTA"
    assert shop.pool.pids == pids


def test_m12_a_request_that_is_too_big_is_E_QUOTA(workshop: Make) -> None:
    shop = workshop(processes=1, max_bytes=10_000)
    with pytest.raises(MooError, match="the request is too big") as caught:
        shop.send("echo", "x" * 20_000)
    assert caught.value.code is E_QUOTA
    assert shop.ask("echo", 1) == (1,)


def test_m12_a_big_request_and_answer_pass_through_a_slow_process(
    workshop: Make,
) -> None:
    """Neither is sent at once: the sockets hold less."""
    shop = workshop(processes=1, max_bytes=1 << 24)
    text = "y" * (12 << 20)
    sleeping = shop.send("sleep", 0.2)
    assert shop.wait([sleeping, shop.send("echo", text)]) == ["slept", (text,)]


# --- order and bounds ---------------------------------------------------------


def test_m12_a_thousand_requests_are_answered_in_the_order_of_their_arrival(
    workshop: Make, tmp_path: Path
) -> None:
    shop = workshop(processes=2)
    # A server waits for the first process only: while one is held, the other answers.
    gate = tmp_path / "gate"
    held = shop.send("wait_for", str(gate))
    shop.ask("echo")
    gate.touch()
    shop.wait([held])
    numbers = [shop.send("count", ticket) for ticket in range(1000)]
    answers = shop.wait(numbers)
    by_process: dict[object, list[object]] = {}
    for ticket, answer in enumerate(answers):
        given, pid, count = answer  # type: ignore[misc]
        assert given == ticket
        by_process.setdefault(pid, []).append(count)
    # Each process has had its requests in that order, and they have shared them all.
    assert len(by_process) == 2
    for counts in by_process.values():
        assert counts == list(range(1, len(counts) + 1))


def test_m12_one_process_answers_strictly_in_order(
    workshop: Make, tmp_path: Path
) -> None:
    shop = workshop(processes=1)
    path = tmp_path / "order"
    numbers = [shop.send("note", str(path), f"{number}") for number in range(200)]
    shop.wait(numbers)
    assert path.read_text().split() == [str(number) for number in range(200)]
    assert [*shop.answers] == numbers


def test_m12_more_than_may_wait_is_E_QUOTA(workshop: Make, tmp_path: Path) -> None:
    shop = workshop(processes=1, max_waiting=3)
    gate = tmp_path / "gate"
    first = shop.send("wait_for", str(gate))
    waiting = [shop.send("echo", number) for number in range(3)]
    with pytest.raises(MooError, match="echo: 3 requests are waiting already"):
        shop.send("echo", 3)
    gate.touch()
    assert shop.wait([first, *waiting]) == ["there", (0,), (1,), (2,)]
    assert shop.ask("echo", 4) == (4,)


def test_m12_a_slow_request_holds_up_one_process_only(
    workshop: Make, tmp_path: Path
) -> None:
    shop = workshop(processes=2)
    gate = tmp_path / "gate"
    slow = shop.send("wait_for", str(gate))
    assert shop.wait([shop.send("echo", n) for n in range(50)])[49] == (49,)
    assert slow not in shop.answers
    gate.touch()
    assert shop.wait([slow]) == ["there"]


# --- crashes ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "arguments", "why"),
    [
        ("vanish", (), "it was ended by SIGKILL"),
        ("leave", (3,), "it has ended with status 3"),
        ("leave", (0,), "it has ended with status 0"),
        ("spin", (), "it ran longer than 0.3 seconds"),
        ("sleep", (100,), "it ran longer than 0.3 seconds"),
        (
            "garbage",
            (88, 88, 88, 88, 88),
            "it has sent a message of 1482184792 bytes",
        ),
        ("garbage", (255,) * 8, "it has sent a message of -1 bytes"),
        (
            "garbage",
            (0, 0, 0, 2, 91, 93),
            "it has sent what is no message: not a JSON object",
        ),
        (
            "garbage",
            (0, 0, 0, 2, 123, 125),
            "it has answered what it was not asked",
        ),
    ],
)
def test_d05_a_crash_ends_one_request_and_another_process_takes_over(
    workshop: Make, kind: str, arguments: tuple[int, ...], why: str
) -> None:
    shop = workshop(processes=2, seconds=0.3 if "longer" in why else 60)
    before = set(shop.pool.pids)
    numbers = [shop.send(kind, *arguments)]
    numbers += [shop.send("echo", number) for number in range(20)]
    answers = shop.wait(numbers)
    error = answers[0]
    assert isinstance(error, MooError)
    assert (str(error.code), error.message, error.value) == lost(kind, why)
    assert answers[1:] == [(number,) for number in range(20)]
    assert len(shop.pool.pids) == 2
    assert len(before & set(shop.pool.pids)) == 1
    assert not any(is_alive(pid) for pid in before - set(shop.pool.pids))
    assert shop.log[1].endswith(f"has ended while it did {kind}: {why}")


def test_d05_kill_9_during_a_request_ends_that_request_only(
    workshop: Make, tmp_path: Path
) -> None:
    shop = workshop(processes=2)
    gates = [tmp_path / "one", tmp_path / "two"]
    first, second = (shop.send("wait_for", str(gate)) for gate in gates)
    shop.wait_for(lambda: len([*tmp_path.iterdir()]) == 2)
    (victim,) = (int(path.suffix[1:]) for path in tmp_path.glob("one.*"))
    third = shop.send("echo", 3)
    os.kill(victim, signal.SIGKILL)
    (error,) = shop.wait([first])
    assert isinstance(error, MooError)
    assert error.message == lost("wait_for", "it was ended by SIGKILL")[1]
    gates[1].touch()
    assert shop.wait([second, third]) == ["there", (3,)]


def test_d05_a_process_that_hangs_up_is_ended(workshop: Make) -> None:
    shop = workshop(processes=1)
    assert shop.error("hang up")[0] == "E_INVARG"
    assert shop.ask("echo", 1) == (1,)


def test_d05_memory_is_limited(workshop: Make) -> None:
    shop = workshop(processes=1, memory_mb=400)
    (pid,) = shop.pool.pids
    message = "fill: more than 400 MB of memory"
    assert shop.error("fill") == ("E_QUOTA", message, 0)
    assert shop.ask("pid") != pid
    assert not is_alive(pid)
    assert shop.log[1:] == [f"WORKER {pid}: {message}"]


def test_d05_cpu_seconds_are_limited(workshop: Make) -> None:
    shop = workshop(processes=1, cpu_s=0.5)
    assert shop.error("spin") == lost("spin", "it has used up its CPU seconds")
    assert shop.ask("sleep", 1.2) == "slept"


def test_d05_cpu_seconds_are_those_of_each_request(workshop: Make) -> None:
    """A process may use more in all than one request may."""
    shop = workshop(processes=1, cpu_s=1)
    pids = shop.pool.pids
    for _ in range(4):
        assert shop.ask("work", 0.5) == "worked"
    assert shop.pool.pids == pids


def test_d08_seconds_on_the_wall_are_limited_and_nothing_catches_that(
    workshop: Make,
) -> None:
    shop = workshop(processes=1, seconds=0.3)
    assert shop.error("stubborn") == lost("stubborn", "it ran longer than 0.3 seconds")


def test_d05_what_a_worker_has_started_ends_with_it(workshop: Make) -> None:
    shop = workshop(processes=1)
    child = shop.ask("start a child")
    assert type(child) is int
    assert is_alive(child)
    assert shop.error("vanish")[0] == "E_INVARG"
    wait_until(lambda: not is_alive(child), "the child's end")


def test_d05_a_process_that_ends_with_nothing_to_do_is_replaced(
    workshop: Make,
) -> None:
    shop = workshop(processes=1)
    (pid,) = shop.pool.pids
    os.kill(pid, signal.SIGKILL)
    shop.wait_for(lambda: pid not in shop.pool.pids)
    assert shop.ask("echo", 1) == (1,)


def test_d05_processes_that_cannot_start_are_tried_ever_less_often(
    workshop: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = tmp_path / "fickle.py"
    text = "from pymoo.workers import worker\n@worker('fickle')\ndef f(): return 1\n"
    module.write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    shop = workshop(modules=("fickle",), processes=1)
    pauses: list[float] = []
    later = shop.loop.call_later

    def call_later(delay: float, callback: Callable[..., None], *given: Any) -> object:
        if "_start_again" in repr(callback):
            pauses.append(delay)
            delay = 0.01
        return later(delay, callback, *given)

    monkeypatch.setattr(shop.loop, "call_later", call_later)
    module.write_text("import sys; sys.exit('broken')\n")
    os.kill(shop.pool.pids[0], signal.SIGKILL)
    waiting = shop.send("fickle")  # it may be sent to the one that was killed
    shop.wait_for(lambda: len(pauses) > 4)
    module.write_text(text)
    again = shop.send("fickle")
    assert shop.wait([again]) == [1]
    assert waiting in shop.answers
    assert pauses[1:4] == [2 * pause for pause in pauses[:3]]


# --- cancelling ---------------------------------------------------------------


def test_m12_a_request_that_waits_is_cancelled_and_never_done(
    workshop: Make, tmp_path: Path
) -> None:
    shop = workshop(processes=1)
    gate, notes = tmp_path / "gate", tmp_path / "notes"
    slow = shop.send("wait_for", str(gate))
    numbers = [shop.send("note", str(notes), word) for word in ("one", "two")]
    shop.pool.cancel(numbers[0])
    gate.touch()
    shop.wait([slow, numbers[1]])
    assert notes.read_text() == "two\n"
    assert numbers[0] not in shop.answers


def test_m12_a_request_in_hand_is_cancelled_with_its_process(workshop: Make) -> None:
    shop = workshop(processes=1)
    (pid,) = shop.pool.pids
    shop.pool.cancel(shop.send("spin"))
    assert shop.ask("echo", 1) == (1,)
    assert not is_alive(pid)
    assert [*shop.answers] == [2]


def test_m12_to_cancel_what_is_answered_does_nothing(workshop: Make) -> None:
    shop = workshop(processes=1)
    number = shop.send("echo", 1)
    shop.wait([number])
    shop.pool.cancel(number)
    assert shop.ask("echo", 2) == (2,)


# --- the process and its surroundings -------------------------------------------


def test_d05_a_process_has_none_of_the_server_s_descriptors(
    workshop: Make, tmp_path: Path
) -> None:
    with (tmp_path / "file").open("w") as stream:
        os.set_inheritable(stream.fileno(), True)
        shop = workshop(processes=2)
        assert shop.ask("descriptors") == ()
        shop.error("vanish")
        shop.error("vanish")
        assert shop.ask("descriptors") == ()


def test_what_a_worker_prints_goes_to_standard_error(
    workshop: Make, capfd: pytest.CaptureFixture[str]
) -> None:
    shop = workshop(processes=1)
    assert shop.ask("print", "here I am") == 0
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err == "here I am\n"


def test_d05_a_process_takes_signals_though_the_server_blocks_them(
    workshop: Make,
) -> None:
    """Or the alarm and the end of its CPU seconds would never come."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.valid_signals()))
    try:
        shop = workshop(processes=1)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert shop.ask("blocked signals") == ()


def test_d05_all_processes_are_gone_after_the_end(workshop: Make) -> None:
    threads = threading.active_count()
    shop = workshop(processes=3)
    shop.send("spin")
    shop.send("sleep", 100)
    pids = shop.pool.pids
    assert len(pids) == 3
    shop.pool.stop()
    assert not any(is_alive(pid) for pid in pids)
    assert threading.active_count() == threads
    assert shop.answers == {}


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        (("no.such.module",), "there is no module 'no.such.module' of workers"),
        (("tests.workers.no_such",), "there is no module 'tests.workers.no_such'"),
        (("json",), "no workers in json: functions become workers by"),
        (("broken",), "the module 'broken' of workers fails:\n"),
        (("broken",), "\nZeroDivisionError: division by zero"),
        (("lacking",), "No module named 'what_is_not_there'"),
        (("leaving",), "it has ended with status 3"),
        ((MODULE, "twin"), "there are two workers 'ECHO': "),
    ],
)
def test_modules_that_cannot_be_used_are_named(
    modules: tuple[str, ...],
    message: str,
    workshop: Make,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "lacking.py").write_text("import what_is_not_there\n")
    (tmp_path / "leaving.py").write_text("import os; os._exit(3)\n")
    (tmp_path / "twin.py").write_text(
        "from pymoo.workers import worker\n@worker('ECHO')\ndef echo(): pass\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(WorkersError) as caught:
        workshop(modules=modules)
    assert str(caught.value).startswith("workers cannot be started: ")
    assert message in str(caught.value)


def test_modules_that_take_too_long_to_import_are_named(
    workshop: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "lasting.py").write_text("import time; time.sleep(1000)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(process, "START_S", 0.5)
    with pytest.raises(WorkersError) as caught:
        workshop(modules=("lasting",))
    assert str(caught.value) == (
        "workers cannot be started: they are not ready after 0.5 seconds; what do "
        "lasting do when they are imported?"
    )


def test_too_little_memory_to_start_is_told(
    workshop: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "hungry.py").write_text("much = bytearray(1 << 30)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(WorkersError, match="400 MB are not enough to start"):
        workshop(modules=("hungry",), memory_mb=400)
