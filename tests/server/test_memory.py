"""Memory: whoever takes too much is stopped, and everybody else goes on."""

from __future__ import annotations

import gc
import mmap
import os
import re
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from pymoo.errors import OptionError
from pymoo.interp.memory import (
    BETWEEN_RELEASES_S,
    LEAST_GROWTH,
    UNLIMITED,
    MemoryBudget,
    SliceMemory,
)
from pymoo.server.memory import MemoryGuard
from pymoo.server.system_memory import (
    LEAST_LIMIT,
    MEGABYTE,
    available_bytes,
    limit_from,
    memory_meter,
    peak_bytes,
    resident_bytes,
    tells_resident_bytes,
)
from tests.server.online import Online, write_database
from tests.server.processes import ServerProcess
from tests.server.talking import PATIENCE_S, Talker

LIMIT = 1000 * MEGABYTE


class Machine:
    """What a process takes, as a test wishes it."""

    def __init__(self, taken: int = 0) -> None:
        self.taken = taken
        self.garbage = 0
        self.looks = 0
        self.releases = 0
        self.time = 100.0

    def measure(self) -> int:
        self.looks += 1
        return self.taken + self.garbage

    def release(self) -> None:
        self.releases += 1
        self.garbage = 0

    def now(self) -> float:
        return self.time

    def budget(self) -> MemoryBudget:
        return MemoryBudget(LIMIT, self.measure, self.release, now=self.now)


# --- the budget -----------------------------------------------------------------------


def test_a_slice_may_take_a_tenth_of_what_is_left() -> None:
    machine = Machine(100 * MEGABYTE)
    budget = machine.budget()
    budget.look()
    slice_ = SliceMemory(budget)
    machine.taken += 90 * MEGABYTE
    assert slice_.excess() == 0
    machine.taken += 1
    assert slice_.excess() == 90 * MEGABYTE + 1


def test_a_slice_gets_less_the_less_there_is() -> None:
    machine = Machine(100 * MEGABYTE)
    budget = machine.budget()
    budget.look()
    rooms = []
    while not budget.is_used_up:
        rooms.append(budget.room())
        machine.taken += budget.room()
        budget.look()
    assert rooms == sorted(rooms, reverse=True)
    assert rooms[-1] == LEAST_GROWTH
    assert machine.taken < LIMIT + LEAST_GROWTH


def test_garbage_is_given_back_before_anybody_is_stopped() -> None:
    machine = Machine(800 * MEGABYTE)
    budget = machine.budget()
    budget.look()
    slice_ = SliceMemory(budget)
    machine.garbage = 100 * MEGABYTE
    assert slice_.excess() == 0
    assert machine.releases == 1


def test_it_is_not_tried_again_at_once_to_give_something_back() -> None:
    machine = Machine(800 * MEGABYTE)
    budget = machine.budget()
    for _ in range(10):
        budget.release()
    assert machine.releases == 1
    machine.time += BETWEEN_RELEASES_S
    budget.release()
    assert machine.releases == 2


def test_without_a_limit_the_system_is_not_asked() -> None:
    assert UNLIMITED.first_look() == float("inf")


# --- what there is --------------------------------------------------------------------


@pytest.mark.parametrize(("allocated", "used"), [(90, 50), (50, 50), (50, 90)])
def test_room_that_pypy_keeps_between_objects_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, allocated: int, used: int
) -> None:
    monkeypatch.setattr(sys.implementation, "name", "pypy")
    monkeypatch.setattr(
        gc,
        "_get_stats",
        lambda: SimpleNamespace(
            total_allocated_memory=allocated * MEGABYTE,
            total_gc_memory=used * MEGABYTE,
        ),
        raising=False,
    )
    if not tells_resident_bytes():
        pytest.skip("the system tells the peak alone, which is what counts then")
    free = max(0, allocated - used) * MEGABYTE
    assert abs(resident_bytes() - free - memory_meter()()) < 20 * MEGABYTE


def test_the_resident_memory_is_that_of_this_process() -> None:
    if not tells_resident_bytes():
        pytest.fail("on this system only the peak is known: M2 is untested")
    before = resident_bytes()
    # Of the system: what Python has free may be resident already.
    with mmap.mmap(-1, 50 * MEGABYTE) as kept:
        for place in range(0, len(kept), mmap.PAGESIZE):
            kept[place] = 1
        assert 45 * MEGABYTE < resident_bytes() - before < 60 * MEGABYTE
        assert peak_bytes() >= before + 45 * MEGABYTE


def group_of(folder: Path, lines: str, files: dict[str, str]) -> Path:
    (folder / "proc/self").mkdir(parents=True)
    (folder / "proc/self/cgroup").write_text(lines)
    for name, text in files.items():
        path = folder / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("lines", "files", "expected"),
    [
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "3000000\n"}, 3e6),
        ("0::/a/b\n", {"a/b/memory.max": "2000000\n", "a/memory.max": "max\n"}, 2e6),
        ("0::/\n", {"memory.max": "5000000\n"}, 5e6),
        ("4:memory:/x\n0::/\n", {"memory/x/memory.limit_in_bytes": "4000000\n"}, 4e6),
        ("4:cpu,memory:/x\n", {"memory/memory.limit_in_bytes": "4000000\n"}, 4e6),
        ("4:memory:/x\n", {"memory/x/memory.limit_in_bytes": f"{2**63 - 4096}"}, None),
        ("0::/a/b\n", {}, None),
        ("", {}, None),
    ],
)
def test_what_a_control_group_may_take_is_all_there_is(
    lines: str, files: dict[str, str], expected: float | None, tmp_path: Path
) -> None:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert available_bytes(group_of(tmp_path, lines, files)) == (expected or machine)


def test_the_limit_is_given_in_megabytes() -> None:
    assert limit_from("200") == 200 * MEGABYTE
    assert limit_from("none") is None
    assert limit_from(None) == max(int(available_bytes() * 0.8), LEAST_LIMIT)


@pytest.mark.parametrize("text", ["", "-1", "1.5", "63", "2G", "\u00b2", "9" * 10])
def test_a_limit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match=f"^--memory-limit {text}: "):
        limit_from(text)


# --- the guard ------------------------------------------------------------------------


class Guarded(Online):
    """A server in process, whose memory is as the test wishes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.machine = Machine(100 * MEGABYTE)
        self.guard = MemoryGuard(
            self.server.engine,
            self.connections,
            self.server.log_file,
            LIMIT,
            tell_wizards=self.server.tell_wizards,
            measure=self.machine.measure,
            release=self.machine.release,
            now=self.machine.now,
        )
        self.guard.begin()

    def take(self, megabytes: int) -> None:
        """Have so much taken, and the guard look."""
        self.machine.taken = megabytes * MEGABYTE
        self.machine.time += 1
        self.guard.turn()
        self.process.run()


@pytest.fixture
def guarded(tmp_path: Path) -> Guarded:
    return Guarded(tmp_path)


def test_wizards_and_the_log_are_told_once_that_memory_is_short(
    guarded: Guarded,
) -> None:
    other = guarded.connect("#4")
    other.take()
    for megabytes in (800, 850, 900):
        guarded.take(megabytes)
    assert guarded.wizard.take_lines() == [
        "*** Memory is short: 800 MB of 1000 MB are taken. Tasks that take much more "
        "are stopped. ***"
    ]
    assert other.take_lines() == []
    for _ in range(2):
        guarded.take(100)
    assert [line for line in guarded.log if "MEMORY" in line] == [
        "MEMORY: 100 MB taken, 1000 MB allowed",
        "*** MEMORY SHORT: 800 MB of 1000 MB are taken. New connections are refused, "
        "and tasks that take much more are stopped",
        "MEMORY: there is enough again: 100 MB of 1000 MB",
    ]


def test_new_connections_are_refused_while_memory_is_short(guarded: Guarded) -> None:
    assert not guarded.guard.refuses_connections
    guarded.take(800)
    assert guarded.guard.refuses_connections
    guarded.take(700)
    assert not guarded.guard.refuses_connections


def test_a_world_that_takes_nearly_all_is_told_of_at_the_start(
    guarded: Guarded,
) -> None:
    guarded.machine.taken = 800 * MEGABYTE
    guarded.guard.begin()
    assert guarded.log[-1].startswith(
        "WARNING: what the server and the world take is near the limit of 1000 MB"
    )


def test_the_connection_that_most_waits_for_is_closed_first(guarded: Guarded) -> None:
    small = guarded.connect("#4")
    large, larger = guarded.connect(), guarded.connect()
    newest = guarded.connections.connected_players(everybody=True)
    for client, player, length in ((large, newest[1], 2e6), (larger, newest[0], 5e6)):
        client.take_slowly(0)
        guarded.do(
            f'x = "0123456789"; while (length(x) < {length:.0f}) x = x + x; endwhile '
            f"notify({player}, x);"
        )
    guarded.take(752)
    assert larger.was_closed
    assert not large.was_closed
    guarded.take(752)
    assert large.was_closed
    assert not small.was_closed
    assert guarded.guard.connections_closed == 2
    guarded.wizard.take()
    assert guarded.eval("return length(connected_players(1));") == "2"


def test_the_lines_of_a_connection_that_is_closed_are_not_used(
    guarded: Guarded,
) -> None:
    flood = guarded.connect("#4")
    guarded.do('set_connection_option(#4, "hold-input", 1);')
    for _ in range(5000):
        flood.send_line(";#0.mark = 1;")
    guarded.process.run()
    guarded.seen()
    flood.take()
    guarded.take(760)
    guarded.wizard.take()
    assert flood.take_lines() == [
        "*** Disconnected: the server is short of memory. ***"
    ]
    assert flood.was_closed
    assert guarded.eval("return #0.mark;") == "0"
    assert [row[0] for row in guarded.seen()] == ["user_disconnected"]


def test_fork_and_suspend_are_refused_to_all_but_wizards_when_memory_is_used_up(
    guarded: Guarded,
) -> None:
    other = guarded.connect("#4")
    other.take()
    guarded.take(990)
    other.take()
    assert guarded.eval("suspend(0); return 1;", other) == "1"
    guarded.take(1001)
    guarded.wizard.take()
    asked = "return `suspend(0) ! E_QUOTA => 2';"
    assert guarded.eval(asked, other) == "2"
    assert guarded.eval(asked) == "0"


# --- a process ------------------------------------------------------------------------

LIMIT_MB = 160
# PyPy's collector keeps room between objects, which does not count as taken.
SLACK_MB = 60 if sys.implementation.name == "cpython" else 90
"""What one operation may take before anybody looks: a string of 33 million characters,
and its copy."""
KEPT_SHARE = 0.75 if sys.implementation.name == "cpython" else 1.0
"""How much of the limit may be resident when there is enough again."""

OPTIONS = {
    "fg_seconds": 60,
    "bg_seconds": 60,
    "fg_ticks": 2_000_000_000,
    "bg_ticks": 2_000_000_000,
}

TEXT = 's = "0123456789"; while (length(s) < 100000) s = s + s; endwhile '

PROGRAMS = {
    "a list that doubles": (
        "l = {1}; k = {}; while (1) l = {@l, @l}; if (length(l) > 1000000) l = {1}; "
        "endif k = {@k, l}; endwhile"
    ),
    "a table of texts that grows": (
        TEXT + "l = {}; n = 0; while (1) n = n + 1; l = {@l, {n, s + tostr(n)}}; "
        "endwhile"
    ),
    "many small values": (
        "l = {}; while (1) r = {}; for i in [1..500] r = {@r, ticks_left()}; endfor "
        "l = {@l, r}; endwhile"
    ),
    "a property that grows": (
        TEXT + "n = 0; while (1) n = n + 1; #0.mark = {n, s + tostr(n), #0.mark}; "
        "endwhile"
    ),
    "strings as long as they may be": (
        's = "0123456789"; l = {}; while (1) t = s; while (length(t) < 16000000) '
        "t = t + t; endwhile l = {@l, t + tostr(length(l))}; endwhile"
    ),
    "lines for the log": (
        TEXT + "n = 0; while (1) n = n + 1; server_log(s + tostr(n)); endwhile"
    ),
    "objects that are made and recycled": (
        TEXT + "n = 0; while (1) n = n + 1; o = create(#1, #3); o.name = s + tostr(n); "
        "recycle(o); endwhile"
    ),
    "tasks with a large list each": (
        TEXT + "for i in [1..10000] if (i % 100 == 0) suspend(0); endif fork (0) "
        "l = {}; for j in [1..20] l = {@l, s + tostr(i * j)}; endfor suspend(1000); "
        "endfork endfor"
    ),
    "tasks that begin others": (
        TEXT + "n = 0; while (1) n = n + 1; t = s + tostr(n); fork (1000) t; endfork "
        "endwhile"
    ),
    "lines typed for somebody": (
        TEXT + "n = 0; while (1) n = n + 1; force_input(#4, s + tostr(n)); endwhile"
    ),
}


def peak_mb(process: ServerProcess) -> float:
    status = Path(f"/proc/{process.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def taken_mb(process: ServerProcess) -> float:
    pages = Path(f"/proc/{process.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def wait_until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


# A checkpoint begins a new segment of the journal with one record of all tasks that
# wait, which takes several times as much as they do.
WITHOUT_JOURNAL = "tasks with a large list each"


def start(folder: Path, *options: str) -> ServerProcess:
    write_database(folder / "in.db", options=OPTIONS)
    return ServerProcess(
        folder,
        *("serve", "{input}", "{output}", "--port", "0", "--log", "{log}"),
        *("--memory-limit", str(LIMIT_MB), "--login-rate", "0"),
        *("--code-cache", "none", *options),
    )


@pytest.fixture
def server(tmp_path: Path) -> ServerProcess:
    return start(tmp_path)


def kill_tasks(wizard: Talker) -> None:
    wizard.eval(
        "for t in (queued_tasks()) kill_task(t[1]); endfor #0.mark = 0; "
        "flush_input(#4); return 0;"
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_takes_all_memory_is_stopped(name: str, tmp_path: Path) -> None:
    server = start(
        tmp_path, *(("--durability", "off") if name == WITHOUT_JOURNAL else ())
    )
    with server, server.talker() as culprit, server.talker() as wizard:
        wizard.log_in("#3")
        wizard.eval("#4.wizard = 1; return 0;")
        culprit.log_in("#4")
        wizard.eval("return 1;")
        before = taken_mb(server)
        culprit.type(f";{PROGRAMS[name]}")
        server.wait_for(r"MEMORY: task \d+ .* was stopped: it has taken \d+ MB")
        wizard.type(";return {7, 7};")
        wizard.read_until(b"{7, 7}\r\n")
        kill_tasks(wizard)
        wait_until(
            lambda: taken_mb(server) < before + 25, f"{taken_mb(server)} MB are kept"
        )
        assert peak_mb(server) < LIMIT_MB + SLACK_MB
        if "MEMORY SHORT" in server.log:
            server.wait_for("MEMORY: there is enough again: ")
        assert "BUG" not in server.log
        assert server.stop() == 0


def test_a_flood_of_lines_costs_the_flooders_their_connections(
    server: ServerProcess,
) -> None:
    floods: list[socket.socket] = []
    with server, server.talker() as wizard:
        wizard.log_in("#3")
        wizard.eval(
            'set_verb_code(#0, "do_login_command", {"args || '
            '`set_connection_option(player, \\"hold-input\\", 1) ! ANY\'; return 0;"});'
        )
        try:
            for _ in range(150):
                flood = socket.create_connection(("127.0.0.1", server.port), 5)
                flood.settimeout(0.05)
                floods.append(flood)
            for flood in floods:
                try:
                    flood.sendall(b"\n" * 30_000)
                except OSError:
                    continue
            server.wait_for(r"\*\*\* MEMORY SHORT: ")
            server.wait_for(r"MEMORY: closing #-\d+ on .*: \d{6,} bytes wait there")
            wizard.type(";return {7, 7};")
            wizard.read_until(b"{7, 7}\r\n")
            server.wait_for("MEMORY: there is enough again: ")
            assert peak_mb(server) < LIMIT_MB + SLACK_MB
        finally:
            for flood in floods:
                flood.close()
        wait_until(lambda: taken_mb(server) < LIMIT_MB * KEPT_SHARE, "memory is kept")
        assert "BUG" not in server.log
        assert server.stop() == 0


def test_output_that_nobody_takes_costs_those_who_do_not_take_it(
    server: ServerProcess,
) -> None:
    deaf: list[socket.socket] = []
    with server, server.talker() as wizard:
        wizard.log_in("#3")
        try:
            while len(deaf) < 80:
                each = socket.socket()
                deaf.append(each)
                # The system takes some megabytes of what is sent itself.
                each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                each.connect(("127.0.0.1", server.port))
            server.wait_for(r"ACCEPT: #-81 ")
            wizard.type(
                ";" + TEXT + "while (length(s) < 5000000) s = s + s; endwhile "
                "for c in (connected_players(1)) if (c < #0) "
                "notify(c, s); suspend(0); endif endfor"
            )
            server.wait_for(r"\*\*\* MEMORY SHORT: ")
            server.wait_for(r"MEMORY: closing #-\d+ on .*: \d{7,} bytes wait there")
            server.wait_for("MEMORY: there is enough again: ")
        finally:
            for each in deaf:
                each.close()
        wizard.type(";return {7, 7};")
        wizard.read_until(b"{7, 7}\r\n")
        assert peak_mb(server) < LIMIT_MB + SLACK_MB
        assert server.stop() == 0
