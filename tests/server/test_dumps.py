"""When the database is saved, under which name, and what happens if it cannot be."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from pymoo.db.checkpoint import DumpReason
from pymoo.options import DEFAULT_DUMP_INTERVAL
from pymoo.server.dumps import DumpFiles, Dumps
from pymoo.server.main_loop import finish, save_at_last
from pymoo.values import Value
from tests.db.worlds import SYSTEM, value_of
from tests.server.online import Online, load_file

NOTE_CHECKPOINTS = {
    "checkpoint_started checkpoint_finished": "#0.seen = {@#0.seen, {verb, args}};",
}


def checkpoints(online: Online) -> list[str]:
    """The files that checkpoints went to, in the order of the log."""
    return [
        Path(line.split()[2]).name
        for line in online.log
        if line.startswith("CHECKPOINTING on") and line.endswith("finished")
    ]


# --- when ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [
        (60, 60),
        (7200, 7200),
        (59, DEFAULT_DUMP_INTERVAL),
        (0, DEFAULT_DUMP_INTERVAL),
        (-100, DEFAULT_DUMP_INTERVAL),
        ("600", DEFAULT_DUMP_INTERVAL),
        (600.0, DEFAULT_DUMP_INTERVAL),
        (2_147_483_647, DEFAULT_DUMP_INTERVAL),  # would come after the end of time
        (None, DEFAULT_DUMP_INTERVAL),
    ],
)
def test_the_interval_is_a_property_of_the_system_object(
    tmp_path: Path, interval: Value | None, seconds: int
) -> None:
    properties = {} if interval is None else {"dump_interval": interval}
    online = Online(tmp_path, properties=properties)
    online.process.advance(seconds - 1)
    assert checkpoints(online) == []
    online.process.advance(1)
    assert checkpoints(online) == ["out.db.#1#"]
    online.process.advance(seconds)
    assert checkpoints(online) == ["out.db.#1#", "out.db.#2#"]


def test_a_new_interval_counts_after_the_next_checkpoint(tmp_path: Path) -> None:
    online = Online(tmp_path, properties={"dump_interval": 600})
    online.do("#0.dump_interval = 60;")
    online.process.advance(599)
    assert checkpoints(online) == []
    online.process.advance(1)
    online.process.advance(60)
    assert len(checkpoints(online)) == 2


def test_a_checkpoint_on_request_begins_the_interval_anew(tmp_path: Path) -> None:
    online = Online(tmp_path, properties={"dump_interval": 600})
    online.process.advance(500)
    online.do("dump_database();")
    online.process.advance(599)
    assert len(checkpoints(online)) == 1
    online.process.advance(1)
    assert len(checkpoints(online)) == 2


def test_dump_database_returns_before_anything_is_written(tmp_path: Path) -> None:
    online = Online(tmp_path, verbs=NOTE_CHECKPOINTS)
    online.do("dump_database(); dump_database(); #0.seen = {1};")
    assert checkpoints(online) == ["out.db.#1#"]
    assert online.eval("return #0.seen;") == (
        '{1, {"checkpoint_started", {}}, {"checkpoint_finished", {1}}}'
    )
    saved = value_of(load_file(online.output).world, SYSTEM, "seen")
    assert saved == (1, ("checkpoint_started", ()))


def test_a_signal_is_named_in_the_log(online: Online) -> None:
    online.server.request_checkpoint(by_signal=True)
    online.process.run()
    online.do("dump_database();")
    lines = [line for line in online.log if line.startswith("CHECKPOINTING")]
    assert lines[0] == "CHECKPOINTING due to remote request signal."
    assert lines.count(lines[0]) == 1


def test_output_is_sent_before_the_world_is_copied(tmp_path: Path) -> None:
    online = Online(tmp_path, verbs={"checkpoint_started": 'notify(#3, "soon");'})
    online.server.request_checkpoint()
    seen: list[bytes] = []
    original = online.server.dumps.checkpoint

    def spy() -> None:
        seen.append(online.wizard.take())
        original()

    online.server.dumps.checkpoint = spy  # type: ignore[method-assign]
    online.process.run()
    assert seen == [b"soon\r\n"]


# --- names -------------------------------------------------------------------------


def test_generations_are_counted_and_the_last_dump_counts_on(online: Online) -> None:
    for _ in range(2):
        online.do("dump_database();")
    online.process.shut_down()
    assert checkpoints(online) == ["out.db.#1#", "out.db.#2#"]
    assert f"DUMPING on {online.output}.#3# finished" in online.log
    assert sorted(path.name for path in online.folder.iterdir()) == ["in.db", "out.db"]


def test_the_input_file_is_never_touched(online: Online) -> None:
    before = online.input.read_bytes()
    online.do("#0.seen = 5; dump_database();")
    online.process.shut_down()
    assert online.input.read_bytes() == before


def test_disk_size_is_that_of_the_last_dump_before_it_that_of_the_input(
    online: Online,
) -> None:
    assert online.eval("return db_disk_size();") == str(online.input.stat().st_size)
    online.do('#0.seen = "a long string that is not in the input file";')
    online.do("dump_database();")
    assert online.eval("return db_disk_size();") == str(online.output.stat().st_size)


def test_disk_size_is_e_quota_without_a_file(online: Online) -> None:
    online.input.unlink()
    assert online.eval("return `db_disk_size() ! ANY';") == "E_QUOTA"


def test_a_file_that_another_server_still_writes_to_is_left_to_it(
    online: Online,
) -> None:
    """A forked process survives its server, whose successor uses the same names."""
    name = f"{online.output}.#1#"
    with open(name, "wb") as left_behind:
        left_behind.write(b"old")
        left_behind.flush()
        online.do("dump_database();")
        before = online.output.read_bytes()
        left_behind.write(b"more of the old")
    assert online.output.read_bytes() == before
    load_file(online.output)


# --- failures ----------------------------------------------------------------------


def test_where_nothing_may_be_written_the_checkpoint_fails(tmp_path: Path) -> None:
    online = Online(tmp_path, verbs=NOTE_CHECKPOINTS)
    missing = online.folder / "missing" / "out.db"
    online.server.dumps._files = DumpFiles(  # type: ignore[misc]
        str(online.input), str(missing)
    )
    online.do("dump_database();")
    assert online.eval("return #0.seen;").endswith('{"checkpoint_finished", {0}}}')
    assert online.log[-2:] == [
        "*** Opening temporary dump file: No such file or directory",
        "*** Abandoning checkpoint attempt...",
    ]
    missing.parent.mkdir()
    online.do("dump_database();")
    load_file(missing)


def full_disk(after: int) -> Callable[[int], None]:
    """Return an fsync() that fails on its first calls."""
    calls = 0

    def fsync(number: int) -> None:
        nonlocal calls
        calls += 1
        if calls <= after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return fsync


def test_a_full_disk_leaves_the_last_dump_and_no_half_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    online = Online(tmp_path, verbs=NOTE_CHECKPOINTS)
    online.do("dump_database();")
    before = online.output.read_bytes()
    monkeypatch.setattr(os, "fsync", full_disk(1))
    online.do("#0.seen = {}; dump_database();")
    assert online.output.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.db", "out.db"]
    assert online.eval("return #0.seen;") == (
        '{{"checkpoint_started", {}}, {"checkpoint_finished", {0}}}'
    )
    assert "*** Trying to dump database: No space left on device" in online.log


def test_the_last_dump_is_tried_again_every_minute(
    online: Online, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float | None] = []
    given_up = threading.Event()

    def wait(timeout: float | None = None) -> bool:
        waits.append(timeout)
        return False

    monkeypatch.setattr(given_up, "wait", wait)
    monkeypatch.setattr(os, "fsync", full_disk(3))
    online.server.request_shutdown("test")
    assert finish(online.server, None, given_up)
    assert waits == [60, 60, 60]
    assert online.log.count("*** Waiting 60 seconds and retrying dump...") == 3
    load_file(online.output)


def test_a_bug_while_closing_does_not_keep_the_world_from_being_saved(
    online: Online, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(reason: str) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(online.connections, "shut_down", broken)
    online.do("#0.seen = 17;")
    online.server.request_shutdown("test")
    finish(online.server, None, threading.Event())
    assert value_of(load_file(online.output).world, SYSTEM, "seen") == 17
    assert any("RuntimeError: a bug" in line for line in online.log)


def test_a_panic_dumps_beside_the_database_and_calls_no_verb(online: Online) -> None:
    player = online.connect("#4")
    online.do("#0.seen = {};")
    player.take()
    finish(online.server, "Caught signal 11", threading.Event())
    assert player.take_lines() == ["*** Shutting down: server panic ***"]
    assert not online.output.exists()
    saved = load_file(online.folder / "out.db.PANIC")
    assert value_of(saved.world, SYSTEM, "seen") == ()
    assert [each.player for each in saved.connections] == [4, 3]
    at = online.log.index("*** PANIC: Caught signal 11")
    assert online.log[at + 1] == f"PANIC-DUMPING on {online.output}.PANIC ..."


def test_the_last_dump_lists_who_was_connected(online: Online) -> None:
    online.connect("#4")
    online.connect()
    online.process.shut_down()
    saved = load_file(online.output)
    assert [each.player for each in saved.connections] == [-4, 4, 3]


def test_without_a_file_to_save_to_checkpoints_fail_and_say_so(
    online: Online,
) -> None:
    dumps = Dumps(
        online.server.engine,
        DumpFiles(str(online.input), None),
        online.server.log_file,
        online.server._state,
        in_child=None,
    )
    dumps.checkpoint()
    assert dumps.finished() == [False]
    assert online.log[-1] == "*** CHECKPOINTING: there is no file to save to"
    assert not dumps.save(DumpReason.SHUTDOWN)
    assert dumps.disk_size() == online.input.stat().st_size


# --- in a process of its own ---------------------------------------------------------


def forking(online: Online) -> Dumps:
    """Return dumps that are written by forked processes."""
    return Dumps(
        online.server.engine,
        DumpFiles(str(online.input), str(online.output)),
        online.server.log_file,
        online.server._state,
        in_child=lambda: None,
    )


def wait(dumps: Dumps) -> bool:
    """Wait for the one checkpoint that is being written."""
    deadline = time.monotonic() + 60
    while not (results := dumps.finished()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert not dumps.is_writing
    (result,) = results
    return result


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_writes_the_world_as_it_was(online: Online) -> None:
    dumps = forking(online)
    online.do("#0.seen = 1;")
    dumps.checkpoint()
    assert dumps.is_writing
    online.do("#0.seen = 2;")
    assert wait(dumps)
    assert value_of(load_file(online.output).world, SYSTEM, "seen") == 1


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_lets_the_server_go_first(online: Online) -> None:
    reader, writer = os.pipe()

    def tell() -> None:
        os.write(writer, b"%d" % os.getpriority(os.PRIO_PROCESS, 0))

    own = os.getpriority(os.PRIO_PROCESS, 0)
    dumps = forking(online)
    dumps._in_child = tell  # type: ignore[misc]
    dumps.checkpoint()
    assert wait(dumps)
    assert int(os.read(reader, 9)) == min(own + 10, 19)
    assert os.getpriority(os.PRIO_PROCESS, 0) == own
    os.close(reader)
    os.close(writer)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_that_cannot_write_reports_failure(online: Online) -> None:
    online.output.mkdir()  # where the dump cannot be renamed to
    dumps = forking(online)
    dumps.checkpoint()
    assert not wait(dumps)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_checkpoint_under_way_does_not_come_behind_the_last_dump(
    online: Online,
) -> None:
    dumps = forking(online)
    dumps._in_child = lambda: time.sleep(60)  # type: ignore[misc]
    online.do("#0.seen = 1;")
    dumps.checkpoint()
    (child,) = dumps._children
    online.do("#0.seen = 2;")
    assert dumps.save(DumpReason.SHUTDOWN)
    assert not dumps.is_writing
    with pytest.raises(ChildProcessError):
        os.waitpid(child.pid, os.WNOHANG)
    assert value_of(load_file(online.output).world, SYSTEM, "seen") == 2


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_that_is_killed_reports_failure(online: Online) -> None:
    reader, writer = os.pipe()

    def stuck() -> None:
        os.close(writer)
        os.read(reader, 1)

    dumps = forking(online)
    dumps._in_child = stuck  # type: ignore[misc]
    dumps.checkpoint()
    os.kill(dumps._children[0].pid, 9)
    assert not wait(dumps)
    os.close(reader)
    os.close(writer)
    assert online.log[-1] == "*** Checkpointer was killed by signal 9"
    assert not online.output.exists()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_bug_in_the_forked_process_is_a_failure(online: Online) -> None:
    def broken() -> None:
        raise RuntimeError("a bug")

    dumps = forking(online)
    dumps._in_child = broken  # type: ignore[misc]
    dumps.checkpoint()
    assert not wait(dumps)


def test_a_process_that_cannot_be_forked_is_a_failure(
    online: Online, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> int:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", refuse)
    dumps = forking(online)
    dumps.checkpoint()
    assert dumps.finished() == [False]
    assert online.log[-1] == (
        "*** Forking checkpointer: Resource temporarily unavailable"
    )


def test_save_at_last_is_one_dump_if_that_succeeds(
    online: Online, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert save_at_last(online.server, threading.Event())
    assert not any("Waiting" in line for line in online.log)
    load_file(online.output)


def test_who_does_not_want_to_wait_for_the_last_dump_says_so_again(
    online: Online, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent before anybody knew that it cannot be written does not count."""

    class Impatient(threading.Event):
        waits: ClassVar[list[bool]] = []

        def wait(self, timeout: float | None = None) -> bool:
            self.waits.append(self.is_set())
            if len(self.waits) == 2:
                self.set()
            return self.is_set()

    monkeypatch.setattr(online.server, "save", lambda: False)
    given_up = Impatient()
    given_up.set()
    assert not save_at_last(online.server, given_up)
    assert Impatient.waits == [False, False]
    assert online.log[-1] == "*** Giving up: what is not saved is lost"
    assert sum("SIGTERM or SIGINT" in line for line in online.log) == 1
