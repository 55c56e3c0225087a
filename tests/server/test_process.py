"""The server as a process: command line, signals, files, descriptors, its end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.db.worlds import DATA, SYSTEM, value_of
from tests.server.online import load_file, write_database
from tests.server.processes import CLASSIC, ROOT, ServerProcess, environment, pymoo
from tests.server.talking import PATIENCE_S, Talker


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where ``in.db`` is the small world."""
    write_database(tmp_path / "in.db")
    return tmp_path


def mark_in(path: Path) -> object:
    """What ``#0.mark`` is in a database file."""
    return value_of(load_file(path).world, SYSTEM, "mark")


def is_running(number: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        stat = Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


# --- the command line -------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("moo", "-l", "{log}", "-4", "127.0.0.1", "{input}", "{output}", "-p", "0"),
        ("-l", "{log}", "{input}", "{output}", "+O", "-a", "127.0.0.1", "0"),
        ("-l", "{log}", "{input}", "{output}", "-O", "-p", "0"),
        ("serve", "{input}", "{output}", "--port", "0", "--log", "{log}"),
    ],
)
def test_every_form_of_the_command_line_serves(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    with ServerProcess(folder, *arguments) as server:
        assert "CMDLINE: Initial port = 0" in server.wait_for("CMDLINE.*")[0]
        with server.talker() as talker:
            talker.log_in()
            outbound = talker.eval('return server_version("options/OUTBOUND_NETWORK");')
            assert outbound == ('"ON"' if "+O" in arguments else "#-1")
            assert talker.eval("#0.mark = 17;") == "0"
        assert server.stop() == 0
        assert server.errors() == ""
    assert mark_in(server.output) == 17


def test_the_launcher_of_a_checkout_serves_with_its_log_on_standard_error(
    folder: Path,
) -> None:
    with (folder / "log").open("wb") as log:
        script = f"import runpy; runpy.run_path({str(ROOT / 'cli.py')!r}, {{}}, "
        script += "'__main__')"
        arguments = ("{input}", "{output}", "0")
        with ServerProcess(folder, *arguments, script=script, stderr=log) as server:
            assert server.port > 0
            assert server.stop() == 0


def test_bad_usage_is_status_1_and_says_so_on_standard_error(folder: Path) -> None:
    ended = pymoo("in.db", "out.db", "port", folder=folder)
    assert ended.returncode == 1
    assert b"Usage: pymoo moo" in ended.stderr
    assert ended.stdout == b""
    assert not (folder / "out.db").exists()


@pytest.mark.parametrize(("form", "status"), [("moo", 1), ("serve", 2)])
def test_a_damaged_file_is_refused_and_nothing_is_written(
    tmp_path: Path, form: str, status: int
) -> None:
    path = DATA / "bad" / "crlf.db"
    ended = pymoo(
        form, path, "out.db", "0" if form == "moo" else "--port=0", folder=tmp_path
    )
    assert ended.returncode == status
    text = ended.stderr.decode()
    assert f"pymoo: {path}:7: expected '#0'" in text
    assert "turn each CR LF into LF" in text
    assert "*** DB_LOAD: Cannot load database!" in text
    assert "Traceback" not in text
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_cannot_be_written_is_refused(folder: Path) -> None:
    ended = pymoo("-l", "no/such/log", "in.db", "out.db", "0", folder=folder)
    assert ended.returncode == 1
    assert b"pymoo: no/such/log: the log cannot be written there" in ended.stderr


def test_an_address_of_another_machine_is_refused_with_a_hint(folder: Path) -> None:
    ended = pymoo("-a", "192.0.2.1", "in.db", "out.db", "0", folder=folder)
    assert ended.returncode == 1
    assert b"Is the address one of this machine's?" in ended.stderr
    assert b"*** Can't create initial connection point!" in ended.stderr


def test_a_second_server_on_the_same_port_is_refused(folder: Path) -> None:
    with ServerProcess(folder) as server:
        ended = pymoo("in.db", "other.db", server.port, folder=folder)
        assert ended.returncode == 1
        assert (
            f"pymoo: port {server.port} cannot be taken: Binding listening socket: "
            "Address already in use. Stop whatever uses it, or choose another port"
        ) in ended.stderr.decode()
        assert not (folder / "other.db").exists()
        with server.talker() as talker:
            talker.log_in()


# --- a world of pymoo's own ---------------------------------------------------------


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_without_a_database_a_world_is_made_that_its_wizard_can_enter(
    tmp_path: Path,
) -> None:
    for _ in range(2):  # the second server goes on with what the first has made
        with ServerProcess(tmp_path, "serve", "--port", "0", "--log", "{log}") as one:
            with one.talker() as talker:
                talker.type("connect wizard")
                talker.read_until(b"*** Connected ***")
            assert one.stop() == 0
        assert "world.db" in names_in(tmp_path)


@pytest.mark.parametrize(
    "options",
    [
        ("--port", "{taken}"),
        ("--http", "{taken}", "--http-token-file", "token"),
        ("--jobs", "no.such.module"),
        ("--workers", "no.such.module"),
        ("--durability", "off", "--jobs", "no.such.module"),
    ],
)
def test_a_start_that_fails_leaves_no_world_behind(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    (tmp_path / "world.txt").write_text("somebody's own")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        words = [each.format(taken=port) for each in options]
        done = pymoo("serve", "--port", "0", "--log", "log", *words, folder=tmp_path)
    assert (done.returncode, done.stderr[:7]) == (2, b"pymoo: ")
    assert set(names_in(tmp_path)) - {"token"} == {"log", "world.txt"}


def test_a_world_that_was_there_is_not_removed_with_a_start_that_fails(
    tmp_path: Path,
) -> None:
    write_database(tmp_path / "world.db")
    done = pymoo("serve", "--port", "0", "--jobs", "no.such.module", folder=tmp_path)
    assert done.returncode == 2
    assert {"world.db", "world.db.backups"} <= {*names_in(tmp_path)}


# --- signals -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGUSR1"])
def test_a_shutdown_signal_saves_and_ends_with_status_0(
    folder: Path, name: str
) -> None:
    with ServerProcess(folder) as server, server.talker() as talker:
        talker.log_in()
        assert talker.eval("#0.mark = 17; suspend(0);") == "0"
        server.signal(signal.Signals[name])
        text = b"*** Shutting down: shutdown signal received ***\r\n"
        assert talker.read_all() == text
        assert server.end() == 0
        assert "SHUTDOWN: shutdown signal received" in server.log
    assert mark_in(server.output) == 17
    assert not (folder / "out.db.#1#").exists()


@pytest.mark.parametrize("name", ["SIGHUP", "SIGSEGV"])
def test_a_panic_signal_dumps_beside_the_database_and_aborts(
    folder: Path, name: str
) -> None:
    number = signal.Signals[name]
    without_core = "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))"
    with ServerProcess(folder, before=without_core) as server:
        with server.talker() as talker:
            talker.log_in()
            assert talker.eval("#0.mark = 17;") == "0"
            server.signal(number)
            assert talker.read_all() == b"*** Shutting down: server panic ***\r\n"
        assert server.end() == -signal.SIGABRT
        assert f"*** PANIC: Caught signal {number.value}\n" in server.log
    assert mark_in(folder / "out.db.PANIC") == 17
    assert not server.output.exists()


def test_a_hangup_is_nothing_to_a_server_started_by_nohup(folder: Path) -> None:
    as_nohup = "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    with ServerProcess(folder, before=as_nohup) as server, server.talker() as talker:
        talker.log_in()
        server.signal(signal.SIGHUP)
        assert talker.eval("suspend(0); return 1;") == "1"
        assert server.stop() == 0


def test_a_signal_before_the_start_waits_until_the_world_is_there(
    folder: Path,
) -> None:
    with ServerProcess(folder) as server:
        server.wait_for("CMDLINE")
        assert server.stop() == 0
    assert server.output.exists()


def test_a_last_dump_that_cannot_be_written_is_given_up_when_asked_once_more(
    folder: Path,
) -> None:
    with ServerProcess(folder) as server, server.talker() as talker:
        talker.log_in()
        # A folder in the place of the file that would be written.
        (folder / "out.db.#1#").mkdir()
        server.signal(signal.SIGTERM)
        server.wait_for("or send SIGTERM or SIGINT .Ctrl-C. once more")
        server.signal(signal.SIGTERM)
        assert server.end() == 1
        assert "Giving up: what is not saved is lost" in server.log


def test_sigusr2_makes_checkpoints_and_a_restart_finds_everything(
    folder: Path,
) -> None:
    with ServerProcess(folder) as server, server.talker() as talker:
        talker.log_in()
        talker.eval("#0.mark = 17; fork (3600) #0.mark = 18; endfork")
        talker.type(";suspend();")
        server.signal(signal.SIGUSR2)
        server.wait_for("CHECKPOINTING due to remote request signal.")
        server.wait_for(r"CHECKPOINTING on .*#1# finished")
        server.signal(signal.SIGUSR2)
        server.wait_for(r"CHECKPOINTING on .*#2# finished")
        assert talker.eval("return 1;") == "1"
        server.process.kill()
        server.end()
    arguments = [part.replace("{input}", str(server.output)) for part in CLASSIC]
    with ServerProcess(folder, *arguments) as server, server.talker() as talker:
        talker.log_in()
        assert talker.eval("return #0.mark;") == "17"
        assert talker.eval("return length(queued_tasks());") == "2"
        assert server.stop() == 0
    # The log is added to.
    assert (folder / "log").read_text().count("STARTING: Version") == 2


# --- files -------------------------------------------------------------------------


def test_serve_keeps_the_database_as_it_was_before_the_first_write(
    folder: Path,
) -> None:
    original = (folder / "in.db").read_bytes()
    arguments = ("serve", "{input}", "--port", "0", "--log", "{log}")
    for round_ in (1, 2):
        with ServerProcess(folder, *arguments) as server:
            with server.talker() as talker:
                talker.log_in()
                talker.eval(f"#0.mark = {round_};")
            assert server.stop() == 0
            assert server.process.stdout is not None
            told = server.process.stdout.read().decode()
        assert f"  telnet   127.0.0.1, port {server.port}\n" in told
        assert f"  saves    {server.input}; Ctrl-C saves and stops\n" in told
        kept = f"  kept     {server.input}.backups/original.db (the file as it was)\n"
        assert (kept in told) == (round_ == 1)
        assert (folder / "in.db.backups" / "original.db").read_bytes() == original
        assert mark_in(server.input) == round_


def test_what_was_recovered_is_said_on_the_terminal_too(folder: Path) -> None:
    arguments = ("serve", "{input}", "--port", "0", "--log", "{log}")
    with ServerProcess(folder, *arguments) as server:
        with server.talker() as talker:
            talker.log_in()
            talker.eval("#0.mark = 1;")
        server.process.kill()
        server.process.wait()
    with ServerProcess(folder, *arguments) as server:
        with server.talker() as talker:
            talker.log_in()
            assert talker.eval("return #0.mark;") == "1"
        assert server.stop() == 0
        assert server.process.stdout is not None
        told = server.process.stdout.read().decode()
    found = re.search(r"^  recovered (\d+ records of .*)$", told, re.MULTILINE)
    assert found is not None, told
    assert found[1].endswith(f"{server.input}.journal")
    assert f"RECOVERED: {found[1]}" in server.log


SLOW_CHILD = """
import os, time
real, server = os.fsync, os.getpid()
def fsync(number):
    if os.getpid() != server:
        while not os.path.exists(f"go on {server}"):
            time.sleep(0.01)
    real(number)
os.fsync = fsync
from pymoo.cli import main
main()
"""
"""A server whose checkpoints wait, all but complete, for the file ``go on PID``."""


def go_on(server: ServerProcess) -> None:
    """Let the checkpoints of a slow server be completed."""
    (server.folder / f"go on {server.process.pid}").touch()


def children(number: int) -> list[int]:
    """The processes that another has forked."""
    found: list[int] = []
    for tasks in Path(f"/proc/{number}/task").glob("*/children"):
        found += map(int, tasks.read_text().split())
    return found


def test_a_server_killed_in_a_checkpoint_leaves_the_last_dump(folder: Path) -> None:
    with ServerProcess(folder) as server, server.talker() as talker:
        talker.log_in().eval("#0.mark = 1; dump_database();")
        server.wait_for(r"#1# finished")
        assert server.stop() == 0
    before = server.output.read_bytes()
    with ServerProcess(folder, script=SLOW_CHILD) as server, server.talker() as talker:
        talker.log_in().eval("#0.mark = 2; dump_database();")
        server.wait_for("CHECKPOINTING: Writing list of formerly active")
        (orphan,) = children(server.process.pid)
        server.process.kill()
        server.end()
    os.kill(orphan, signal.SIGKILL)
    wait_until(lambda: not is_running(orphan))
    assert server.output.read_bytes() == before
    assert mark_in(server.output) == 1


def test_what_a_killed_server_has_forked_does_not_come_between_its_successor(
    folder: Path,
) -> None:
    """Both write to the same name; the older process is ready first."""
    with ServerProcess(folder, script=SLOW_CHILD) as server, server.talker() as talker:
        talker.log_in().eval("#0.mark = 1; dump_database();")
        server.wait_for("CHECKPOINTING: Writing list of formerly active")
        (orphan,) = children(server.process.pid)
        server.process.kill()
        server.end()
    with ServerProcess(folder, script=SLOW_CHILD) as again, again.talker() as talker:
        talker.log_in().eval("#0.mark = 2; dump_database();")
        again.wait_for("CHECKPOINTING: Writing list of formerly active")
        assert is_running(orphan)
        go_on(server)
        wait_until(lambda: not is_running(orphan))
        assert not again.output.exists()
        go_on(again)
        again.wait_for(r"#1# finished")
        wait_until(again.output.exists)
        assert mark_in(again.output) == 2
        assert again.stop() == 0
        assert "Abandoning" not in again.log


def test_a_shutdown_in_a_checkpoint_saves_the_newer_world(folder: Path) -> None:
    with ServerProcess(folder, script=SLOW_CHILD) as server:
        with server.talker() as talker:
            talker.log_in()
            talker.eval("#0.mark = 1; dump_database();")
            server.wait_for("CHECKPOINTING: Writing list of formerly active")
            (child,) = children(server.process.pid)
            talker.eval("#0.mark = 2;")
        assert server.stop() == 0
    assert mark_in(server.output) == 2
    go_on(server)
    wait_until(lambda: not is_running(child))
    assert mark_in(server.output) == 2
    assert sorted(path.name for path in folder.glob("out.db*")) == ["out.db"]


def test_a_checkpoint_disturbs_no_connection_even_a_slow_one(folder: Path) -> None:
    with ServerProcess(folder) as server, server.talker() as talker:
        talker.log_in()
        with Talker(server.port, receive_buffer=4096) as slow:
            slow.log_in("#4")
            line = '"' + "x" * 1000 + '"'
            waiting = "return buffered_output_length(#4);"
            sent = 0
            while not int(talker.eval(waiting)):  # the system takes some megabytes
                talker.eval(f"for i in [1..1000] notify(#4, {line}); endfor")
                sent += 1000
                assert sent < 100_000
            talker.eval("dump_database();")
            server.wait_for(r"#1# finished")
            assert int(talker.eval(waiting)) > 0
            talker.eval('notify(#4, "the end");')
            read = slow.read_until(b"the end\r\n")
            lost = sum(
                int(line.split()[4]) for line in read.split(b"\r\n") if b">>" in line
            )
            assert read.count(b"x" * 1000) + lost >= sent
        assert server.stop() == 0


def test_a_shutdown_does_not_wait_for_slow_readers(folder: Path) -> None:
    with ServerProcess(folder) as server, server.talker() as talker:
        talker.log_in()
        slow = [Talker(server.port, receive_buffer=4096) for _ in range(5)]
        for number, reader in enumerate(slow):
            if number == 0:
                reader.log_in("#4")
        talker.eval('for i in [1..3000] notify(#4, tostr(i, " ", random())); endfor')
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < PATIENCE_S / 3
        assert slow[1].read_all().endswith(b"shutdown signal received ***\r\n")
        for reader in slow:
            reader.close()


# --- standard streams ---------------------------------------------------------------


def without(*numbers: int) -> str:
    """A statement that closes descriptors."""
    return f"[os.close(number) for number in {numbers}]"


def test_a_server_needs_no_standard_streams(folder: Path) -> None:
    with ServerProcess(folder, before=without(0, 1, 2)) as server:
        with server.talker() as talker:
            talker.log_in()
            talker.eval("#0.mark = 17; dump_database();")
            server.wait_for("#1# finished")
        assert server.stop() == 0
    assert mark_in(server.output) == 17


def test_a_server_without_a_log_file_and_standard_error_serves(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ("{input}", "{output}", str(port))
    with ServerProcess(folder, *arguments, before=without(1, 2)) as server:

        def is_there() -> bool:
            try:
                Talker(port).close()
            except ConnectionRefusedError:
                return False
            return True

        wait_until(is_there)
        assert server.stop() == 0
    assert server.output.exists()


def test_a_log_on_a_full_disk_stops_nothing(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ("-l", "/dev/full", "{input}", "{output}", str(port))
    with ServerProcess(folder, *arguments) as server:

        def answers() -> bool:
            try:
                with Talker(port) as talker:
                    return talker.log_in().eval("return 1;") == "1"
            except ConnectionRefusedError:
                return False

        wait_until(answers)
        assert server.stop() == 0
        assert server.errors() == ""
    assert server.output.exists()


def test_what_serve_tells_need_not_be_read(folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    arguments = ("serve", "{input}", "--port", "0", "--log", "{log}")
    with ServerProcess(folder, *arguments, stdout=writer) as server:
        os.close(writer)
        with server.talker() as talker:
            talker.log_in().eval("#0.mark = 17;")
        server.stop()
        assert "*** Telling that connections are taken: Broken pipe" in server.log
    assert mark_in(server.input) == 17


@pytest.mark.parametrize(
    ("numbers", "typed", "status"),
    [((0,), b"", 0), ((1,), b";#0.mark = 17\nquit\n", 0)],
)
def test_emergency_mode_needs_no_terminal(
    folder: Path, numbers: tuple[int, ...], typed: bytes, status: int
) -> None:
    ended = pymoo(
        "-e",
        "in.db",
        "out.db",
        "0",
        folder=folder,
        stdin=typed,
        before=without(*numbers),
    )
    assert ended.returncode == status
    assert b"Traceback" not in ended.stderr
    assert (folder / "out.db").exists() == (status == 0)
    if b"17" in typed:
        assert mark_in(folder / "out.db") == 17


def test_emergency_mode_goes_on_to_serve(folder: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, b";#0.mark = 17\n;listeners()\ncontinue\n")
    os.close(writer)
    with ServerProcess(folder, "-e", *CLASSIC, stdin=reader) as server:
        os.close(reader)
        with server.talker() as talker:
            assert talker.log_in().eval("return typeof(#0.mark);") == "0"
        assert server.stop() == 0
        assert server.process.stdout is not None
        told = server.process.stdout.read().decode()
        assert f"=> {{{{#0, {server.port}, 1}}}}\n" in told
        assert told.endswith("Bye.  (continuing)\n\n")


# --- descriptors, idleness ----------------------------------------------------------


FEW_DESCRIPTORS = "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))"


ALL_DESCRIPTORS = """
import pymoo.server.listener as listener
listener._room_for_connections = lambda lowest_free: 1_000_000
from pymoo.cli import main
main()
"""
"""A server that takes connections until the system refuses."""


@pytest.mark.parametrize("script", [None, ALL_DESCRIPTORS])
def test_when_descriptors_run_out_clients_are_told_and_later_served(
    folder: Path, script: str | None
) -> None:
    with ServerProcess(folder, before=FEW_DESCRIPTORS, script=script) as server:
        descriptors = Path(f"/proc/{server.process.pid}/fd")
        with server.talker() as first:
            first.log_in()
            assert first.eval("return 1;") == "1"
            before = len(list(descriptors.iterdir()))
            talkers = [server.talker() for _ in range(100)]
            greeted, refused = 0, 0
            for talker in talkers:
                line = talker.read_line()
                if line == "Welcome.":
                    greeted += 1
                else:
                    assert line.startswith("*** Sorry, but the server cannot accept")
                    assert talker.read_line() == "*** Please try again later."
                    assert talker.read_all() == b""
                    refused += 1
            assert greeted > 20
            assert refused > 30
            assert first.eval("dump_database(); return 1;") == "1"
            server.wait_for("#1# finished" if script is None else "CHECKPOINTING on")
            for talker in talkers:
                talker.close()
            wait_until(lambda: len(list(descriptors.iterdir())) == before)
            with server.talker() as again:
                assert again.read_line() == "Welcome."
            assert first.eval("return length(connected_players(1));") in "12"
        assert server.stop() == 0
        assert "BUG" not in server.log


def test_an_idle_server_uses_no_processor(folder: Path) -> None:
    def used(number: int) -> int:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    with ServerProcess(folder) as server, server.talker() as talker:
        talker.log_in()
        talker.eval("fork (3600) endfork")
        talker.eval("return 1;")
        time.sleep(0.2)
        before = used(server.process.pid)
        time.sleep(1)
        ticks = used(server.process.pid) - before
        assert ticks <= os.sysconf("SC_CLK_TCK") // 10  # of a second
        assert server.stop() == 0


def test_nothing_is_left_on_the_terminal_at_the_end(folder: Path) -> None:
    ended = subprocess.run(
        [sys.executable, *"-X dev -W error -m pymoo -e in.db out.db 0".split()],
        input=b"abort\n",
        capture_output=True,
        cwd=folder,
        env=environment(),
        timeout=PATIENCE_S,
    )
    text = ended.stderr.decode()
    assert ended.returncode == 1
    assert [
        line for line in text.splitlines() if not re.match(r"\w{3} .\d \S{8}: ", line)
    ] == []
