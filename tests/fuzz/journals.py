"""Damaged journals: a world at the end of one of its records, or JournalError.

Bytes are damaged as a disk would; and records are made as somebody would who knows how,
with the right checksums.  Of those that are done, a sound world must come.
"""

from __future__ import annotations

import io
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from attrs import frozen
from hypothesis import strategies as st

from pymoo.db.journal_file import (
    MAGIC,
    Beginning,
    chain_after,
    fingerprint,
    segment_path,
)
from pymoo.db.journal_values import ValueWriter
from pymoo.db.recovery import recover
from pymoo.db.redo import JournalError, operation_to_value
from pymoo.db.saved_values import task_to_value
from pymoo.db.textdump import load
from pymoo.values import Obj
from tests.db.worlds import DATA, dumped, dumped_again, loaded
from tests.fakes import Bench
from tests.fuzz.mutating import mutated
from tests.fuzz.running import Check, Target
from tests.program_strategies import program_world

_PROGRAMS: Final = (
    'o = create(#1); o.name = "made"; o.w = 1; move(o, #13);',
    'add_property(#8, "fresh", {1, {2.5, "x"}}, {#5, "rc"}); #9.fresh = E_PERM;',
    'add_verb(#8, {#3, "rxd", "fresh v*erb"}, {"this", "none", "this"});'
    ' set_verb_code(#8, "fresh", {"x = 1;", "return x;"});',
    'set_verb_info(#8, "fresh", {#5, "rd", "other"});'
    ' set_verb_args(#8, "other", {"any", "in", "this"});',
    'chparent(#12, #9); #12.num = 5; clear_property(#12, "num");',
    'set_property_info(#8, "fresh", {#3, "r", "renamed"});',
    'l = {}; for i in [1..40] l = {@l, {i, tostr("text ", i)}}; endfor #8.lst = l;'
    " #8.pub = {l, l, l};",
    'delete_verb(#8, "other"); delete_property(#8, "renamed");',
    "set_player_flag(#8, 1); #8.programmer = 1; set_player_flag(#8, 0);",
    "recycle(#17); o = create(#1); reset_max_object();",
    'o = create(#1); renumber(o); #8.str = "' + "y" * 300 + '"; #9.str = #8.str;',
)


@frozen
class Seeds:
    """A database file, a journal of it, and what each of its records leads to."""

    base: bytes
    beginning: bytes
    records: tuple[bytes, ...]
    dumps: frozenset[bytes]


@cache
def seeds() -> Seeds:
    bench = Bench(program_world())
    world = bench.world
    base = dumped(world)
    world.journal.keep_redo(True)
    world.journal.take_redo()
    writer = ValueWriter()
    records: list[bytes] = []
    dumps = {base}
    for program in _PROGRAMS:
        bench.run(program)
        done = tuple(map(operation_to_value, world.journal.take_redo()))
        assert done, program
        records.append(writer.to_bytes((done, ())))
        dumps.add(dumped(world))
    records += [writer.to_bytes(((), (entry,))) for entry in _entries()]
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "base.db"
        file.write_bytes(base)
        mark = str(fingerprint(str(file)))
    beginning = Beginning("one", "", mark, "lambdamoo", 32).to_bytes()
    return Seeds(base, beginning, tuple(records), frozenset(dumps))


def _entries() -> Iterator[tuple[Any, ...]]:
    """Yield entries of all kinds, with real tasks."""
    yield ("reset",)
    number = 0
    for path in sorted((DATA / "tasks").glob("*.db"))[:4]:
        for task in loaded(path.read_bytes()).tasks[:2]:
            number += 1
            yield ("task", number, task_to_value(task), ((1, 2),), (), (), ())
    yield ("gone", 1)
    yield ("order", tuple(range(2, number + 1)))
    yield ("extra", "policies", ((1, "keep"),))
    yield ("connections", ((1, Obj(3), Obj(0)),))
    yield ("connection", 2, Obj(-2), Obj(0))
    yield ("disconnection", 1)


def framed(records: list[bytes]) -> bytes:
    """Return a segment with these records, numbered and with their checksums."""
    parts = [MAGIC]
    for number, data in enumerate(records):
        checksum = zlib.crc32(data, zlib.crc32(b"%d\n" % number))
        parts.append(b"%d %08x %d\n%s\n" % (len(data), checksum, number, data))
    return b"".join(parts)


_TOKENS: Final = (
    *b"i0 i1 i-1 i5 i99999999999999999999 #0 #3 #8 #-1 #99 #-2 #-9".split(),
    *b'"name "fresh " "set_name "set_value "set_flag "create "recycle "task "x'.split(),
    *b"e1 e300 f7ff0000000000000 f3ff8000000000000 f00 (0 (2 [1 {2 (999999 (-1".split(),
    *b"*0 *1 *9 *-1 +0 +1 +99 +-1 c u t2 t-5 y7 y-1 'long - x".split(),
    b"", b"\n", b"\x00", b"\xff", b'"\r', b"(1\n[1\n*0", b"(2\n\"set_owner\n#8",
)  # fmt: skip


@st.composite
def _made(draw: st.DrawFn) -> tuple[str, bytes]:
    """Records that somebody has made, with the right checksums."""
    known = seeds()
    records = [*known.records]
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(records) - 1))
        if draw(st.integers(0, 5)) == 0:
            del records[place]
        else:
            records[place] = draw(
                mutated(records[place : place + 1], _TOKENS, line=b"\n")
            )
        if not records:
            break
    return "made", framed([known.beginning, *records])


def _damaged() -> st.SearchStrategy[tuple[str, bytes]]:
    """A segment as a disk may spoil it."""
    known = seeds()
    whole = framed([known.beginning, *known.records[: len(_PROGRAMS)]])
    return mutated([whole], _TOKENS, line=b"\n").map(lambda data: ("damaged", data))


INPUTS: Final = st.deferred(lambda: st.one_of(_made(), _damaged()))


@contextmanager
def opened() -> Iterator[Check]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = folder / "base.db"
        base.write_bytes(seeds().base)
        mark = fingerprint(str(base))

        def check(data: tuple[str, bytes]) -> None:
            how, segment = data
            Path(segment_path(name, 1)).write_bytes(segment)
            textdump = load(io.BytesIO(seeds().base), name="base.db")
            try:
                chain = chain_after(name, mark)
                if chain is None:
                    return
                recovery, _ = recover(textdump, name, chain)
                found = recovery.result()
            except JournalError as error:
                _check_error(error, name)
                return
            if how == "damaged":
                assert dumped(found.world) in seeds().dumps
            assert [*found.world.check(owners=False)] == []
            again = load(io.BytesIO(dumped_again(found)), name="again.db")
            assert [*again.world.check(owners=False)] == []

        yield check


def _check_error(error: JournalError, folder: str) -> None:
    """It says in which file."""
    assert folder in str(error)


TARGET: Final = Target("journals", INPUTS, opened)
