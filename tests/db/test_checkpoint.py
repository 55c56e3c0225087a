"""Dumps on the disk.  Nothing that happens while one is written harms the last one."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from pymoo.db import checkpoint
from pymoo.db.checkpoint import DumpError, DumpReason, begin_dump, disk_size, save
from pymoo.db.saved import SavedConnection
from pymoo.db.textdump import Textdump, load
from pymoo.values import Obj
from tests.db.worlds import ROOT, dumped, minimal


@pytest.fixture
def textdump():
    return Textdump(minimal())


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out.db"


class Log(list):
    def __call__(self, text, is_error):
        self.append(("*** " if is_error else "") + text)


def names(out):
    return sorted(os.listdir(out.parent))


def test_a_dump_is_written_under_its_name(textdump, out):
    assert save(textdump, out) == 1
    assert names(out) == ["out.db"]
    assert out.read_bytes() == dumped(textdump.world)


def test_each_dump_has_the_next_number_while_it_is_written(textdump, out):
    log = Log()
    generation = save(textdump, out, log=log)
    save(textdump, out, generation, reason=DumpReason.SHUTDOWN, log=log)
    assert [line for line in log if " on " in line] == [
        f"CHECKPOINTING on {out}.#1# ...",
        f"CHECKPOINTING on {out}.#1# finished",
        f"DUMPING on {out}.#2# ...",
        f"DUMPING on {out}.#2# finished",
    ]


def test_the_log_is_that_of_the_c_server(textdump, out):
    log = Log()
    save(textdump, out, log=log)
    assert [line.replace(str(out), "OUT") for line in log] == [
        "CHECKPOINTING on OUT.#1# ...",
        "CHECKPOINTING: Writing 4 objects...",
        "CHECKPOINTING: Done writing 4 objects...",
        "CHECKPOINTING: Writing 0 MOO verb programs...",
        "CHECKPOINTING: Writing forked and suspended tasks...",
        "CHECKPOINTING: Writing list of formerly active connections...",
        "CHECKPOINTING on OUT.#1# finished",
    ]


def test_an_unfinished_dump_is_removed_before_the_next(textdump, out):
    unfinished = out.with_name("out.db.#1#")
    unfinished.write_bytes(b"half of it")
    pending = begin_dump(out, 1)
    assert names(out) == []
    assert (pending.temporary, pending.generation) == (f"{out}.#2#", 2)
    pending.write(textdump)
    assert names(out) == ["out.db"]


def test_a_panic_dump_stays_beside_the_last_one(textdump, out):
    generation = save(textdump, out)
    textdump.world.set_name(ROOT, "changed")
    log = Log()
    assert save(textdump, out, generation, reason=DumpReason.PANIC, log=log) == 1
    assert names(out) == ["out.db", "out.db.PANIC"]
    assert load(out).world[ROOT].name == "Root Class"
    assert load(f"{out}.PANIC").world[ROOT].name == "changed"
    assert log[0] == f"PANIC-DUMPING on {out}.PANIC ..."


def test_beginning_and_writing_can_be_done_by_two(textdump, out):
    """As the server begins, and its forked child writes."""
    pending = begin_dump(out, 0)
    child = os.fork()
    if child == 0:
        pending.write(textdump)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert out.read_bytes() == dumped(textdump.world)


def test_file_and_directory_are_on_the_disk_before_it_is_said_so(
    textdump, out, monkeypatch
):
    synced = []

    def note(descriptor):
        status = os.fstat(descriptor)
        is_directory = stat.S_ISDIR(status.st_mode)
        synced.append((is_directory, 0 if is_directory else status.st_size, names(out)))

    monkeypatch.setattr(os, "fsync", note)
    save(textdump, out)
    size = len(dumped(textdump.world))
    assert synced == [(False, size, ["out.db.#1#"]), (True, 0, ["out.db"])]


# --- failures ------------------------------------------------------------------------


def fail(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class FullDisk:
    """A file that takes only so many bytes."""

    def __init__(self, path, mode):
        self._file = open(path, mode)  # noqa: SIM115 - closed by __exit__
        self._room = 200

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def write(self, data):
        if len(data) > self._room:
            self._file.write(data[: self._room])
            self._file.flush()
            fail()
        self._room -= len(data)
        return self._file.write(data)

    def flush(self):
        self._file.flush()

    def fileno(self):
        return self._file.fileno()


@pytest.mark.parametrize(
    ("break_it", "step"),
    [
        (
            lambda patch: patch.setattr(checkpoint, "open", FullDisk, raising=False),
            "Trying to dump database",
        ),
        (lambda patch: patch.setattr(os, "fsync", fail), "Trying to dump database"),
        (lambda patch: patch.setattr(os, "replace", fail), "Renaming temporary dump"),
        (
            lambda patch: patch.setattr(checkpoint, "open", fail, raising=False),
            "Opening temporary dump file",
        ),
    ],
    ids=["write", "fsync", "rename", "open"],
)
def test_whatever_fails_the_last_dump_stays(textdump, out, monkeypatch, break_it, step):
    generation = save(textdump, out)
    before = out.read_bytes()
    textdump.world.set_name(ROOT, "changed")
    log = Log()
    with monkeypatch.context() as patch:
        break_it(patch)
        with pytest.raises(DumpError) as failure:
            save(textdump, out, generation, log=log)
    assert out.read_bytes() == before
    assert log[-1].startswith(f"*** {step}")
    assert log[-1].endswith(": No space left on device")
    assert f"{out}.#2#" in str(failure.value)
    assert "make room on that disk" in str(failure.value)
    assert save(textdump, out, 2) == 3
    assert names(out) == ["out.db"]
    assert load(out).world[ROOT].name == "changed"


def test_a_directory_that_is_not_there_is_told(textdump, tmp_path):
    with pytest.raises(DumpError, match="opening temporary dump file: No such file"):
        save(textdump, tmp_path / "nowhere" / "out.db")


def test_a_bug_while_dumping_leaves_nothing_behind_but_the_last_dump(textdump, out):
    save(textdump, out)
    textdump.world.set_name(ROOT, "two\nlines")
    with pytest.raises(RuntimeError):
        save(textdump, out, 1)
    assert names(out) == ["out.db"]
    assert load(out).world[ROOT].name == "Root Class"


STEPS = ["dump", "fsync", "replace", "directory"]


@pytest.mark.parametrize("step", STEPS)
def test_being_killed_at_any_step_leaves_one_whole_dump(textdump, out, step):
    """A child dies as by kill -9 where a step is about to be done, or half done."""
    save(textdump, out)
    textdump.world.set_name(ROOT, "changed")
    pending = begin_dump(out, 1)
    child = os.fork()
    if child == 0:
        die = lambda *args, **kwargs: os._exit(9)  # noqa: E731
        if step == "dump":
            checkpoint.open = lambda path, mode: HalfWritten(path)
        elif step == "fsync":
            os.fsync = die
        elif step == "replace":
            os.replace = die
        else:
            checkpoint._sync_directory = die
        pending.write(textdump)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 9
    name = load(out).world[ROOT].name
    assert name == ("changed" if step == "directory" else "Root Class")
    save(textdump, out, pending.generation)
    assert names(out) == ["out.db"]


class HalfWritten:
    def __init__(self, path):
        self._file = open(path, "wb")  # noqa: SIM115 - nobody lives to close it

    def __enter__(self):
        return self

    def __exit__(self, *error):
        os._exit(1)

    def write(self, data):
        self._file.write(data[: len(data) // 2])
        self._file.flush()
        os._exit(9)


# --- size --------------------------------------------------------------------------


def test_size_is_that_of_the_last_dump_or_before_the_first_of_the_input(
    textdump, out, tmp_path
):
    source = tmp_path / "in.db"
    assert disk_size(out, source, 0) is None
    source.write_bytes(b"12345")
    assert disk_size(out, source, 0) == 5
    assert disk_size(out, source, 1) == 5
    generation = save(textdump, out)
    assert disk_size(out, source, generation) == len(dumped(textdump.world))
    assert disk_size(out, source, 0) == 5


def test_connections_and_tasks_are_saved_too(out):
    textdump = Textdump(minimal(), connections=[SavedConnection(Obj(3), Obj(0))])
    save(textdump, out)
    assert load(out).connections == textdump.connections
