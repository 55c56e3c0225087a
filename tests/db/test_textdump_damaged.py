"""Damaged textdumps: what LambdaMOO 1.8.3 did with each is in `reactions.json`.

Where it crashed, or read stale memory beyond the end of a file, only that the file
is refused is compared.  Where it repaired or complained and went on, the dump is
compared too.
"""

from __future__ import annotations

import io
import re

import pytest

from pymoo.db.textdump import load, normalised
from pymoo.errors import TextdumpError
from pymoo.values import Obj
from tests.db.damaged import BAD, GOOD, REACTIONS
from tests.db.worlds import Checker, dumped_again, loaded

# Beyond the end of the file, or of its buffer, the C server looks at what happens to
# be there.
STALE = {"trunc-object", "trunc-midline", "crlf"}

# The tasks layer puts the variables of a task in order by its program.
BY_TASKS_LAYER = {"task-unknown-variable"}

ORDINARY = ("LOADING: ", "VALIDATING ", "VALIDATE: Phase ")


def react(data):
    """Load a file; return the textdump or the error, and the log in lines."""
    log: list[str] = []

    def note(text, is_error):
        if not text.startswith(ORDINARY):
            line = ("*** " if is_error else "") + text
            log.extend(
                re.sub(r" at file pos\. \d+", " at file pos. N", line).split("\n")
            )

    try:
        return load(io.BytesIO(data), name="x.db", log=note, checker=Checker()), log
    except TextdumpError as error:
        return error, log


@pytest.mark.parametrize("name", REACTIONS)
def test_damaged_files_are_loaded_or_refused_as_by_the_c_server(name):
    row = REACTIONS[name]
    data = (BAD / f"{name}.db").read_bytes()
    result, log = react(data)
    if row["reaction"] in ("refuses", "crashes", "hangs"):
        assert isinstance(result, TextdumpError)
        assert log[-1] == "*** DB_LOAD: Cannot load database!"
        if row["reaction"] == "refuses" and name not in STALE:
            assert log[: len(row["log"])] == row["log"]
        return
    assert not isinstance(result, TextdumpError), result
    assert log == row["log"]
    assert bool(result.remarks) == (row["reaction"] == "loads with complaints")
    if name not in BY_TASKS_LAYER:
        wanted = {
            "same as the file": f"{name}.db",
            "same as good.db": "good.db",
        }.get(row["redump"], row["redump"])
        assert dumped_again(normalised(result)) == (BAD / wanted).read_bytes()


REMEDY = (
    "Take an earlier copy of the file, or save what can be read of this one: "
    "pymoo db repair x.db x.repaired.db"
)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "empty",
            "x.db:1: the header: expected '** LambdaMOO Database, Format Version 4 **' "
            "and then the numbers of objects, programs, nothing and players (is this a "
            "textdump?), found ''\n"
            f"{REMEDY}",
        ),
        (
            "trunc-object",
            "x.db:91: object #4: expected the first of its contents, but the file ends "
            "here: it is not complete\n"
            f"{REMEDY}",
        ),
        (
            "object-wrong-number",
            f"x.db:128: expected the line '#5' of an object, found '#9'\n{REMEDY}",
        ),
        (
            "verbs-too-many",
            "x.db:119: expected the line '#5' of an object, found '3'\n"
            "The damage seems to begin before: x.db:102: object #4: DBIO_READ_NUM: Bad "
            'number: "p\n" at file pos. 346\n'
            f"{REMEDY}",
        ),
        (
            "users-negative",
            "x.db:5: the list of players: the number of players is -5, but cannot be "
            "negative\n"
            f"{REMEDY}",
        ),
        (
            "list-huge",
            "x.db:106: object #4: 2147483647 list elements are announced, but only "
            "1508 bytes are left of the file\n"
            f"{REMEDY}",
        ),
        (
            "program-syntax",
            "x.db:178: program #4:0: Line 6:  syntax error (counted from this line)\n"
            f"{REMEDY}",
        ),
        (
            "parent-cycle",
            "x.db: objects disagree about where they belong (2 findings, the first: "
            "Cycle in `parent' chain of #4)\n"
            f"{REMEDY}",
        ),
        (
            "crlf",
            "x.db:7: expected '#0' or '#0 recycled', found '#0\\r'\n"
            "The damage seems to begin before: x.db:6: the list of players: "
            'DBIO_READ_NUM: Bad number: "3\r\n" at file pos. 59\n'
            "The lines of this file end in CR LF, as on Windows: turn each CR LF into "
            "LF, or take the file from where it was copied as text",
        ),
        (
            "header-negative",
            f"x.db:1: the header: there is no format version -1\n{REMEDY}",
        ),
    ],
)
def test_refusals_say_where_what_and_what_to_do(name, message):
    result, _ = react((BAD / f"{name}.db").read_bytes())
    assert str(result) == message


# --- what the C server does not notice ---------------------------------------------


def changed(old, new):
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def test_too_few_property_values_are_refused_as_there_is_nothing_to_read():
    """The C server goes on and reads what happens to be in memory."""
    values = b"3\n5\n3\n3\n0\n17\n3\n5\n5\n3\n5\n"
    result, log = react(changed(values, b"2\n5\n3\n3\n0\n17\n3\n5\n"))
    assert isinstance(result, TextdumpError)
    assert str(result).startswith(
        "x.db: object #5: 3 properties are defined on it and its ancestors, but it has "
        "only 2 property values\n"
    )
    assert log == ["*** DB_LOAD: Cannot load database!"]


def test_property_values_that_nothing_defines_are_left_out():
    wizard = b"4\n0\n0\n1\n5\n3\n5\n#4\n"
    result, log = react(changed(wizard, b"4\n0\n0\n2\n5\n3\n5\n0\n9\n3\n5\n#4\n"))
    assert log == []
    assert result.remarks == [
        "x.db: object #3: only 1 of its 2 property values are defined, the others are "
        "left out"
    ]
    assert dumped_again(normalised(result)) == GOOD


def test_the_sibling_of_an_object_without_a_parent_is_left_out():
    root = b"Root Class\n\n16\n3\n-1\n-1\n-1\n-1\n0\n-1\n"
    result, log = react(changed(root, root[:-3] + b"5\n"))
    assert log == []
    assert result.remarks == [
        "x.db: object #1: the sibling #5 of an object without a parent is ignored"
    ]
    assert dumped_again(normalised(result)) == GOOD


def test_temporary_flags_are_cleared_and_other_unknown_ones_kept():
    result, _ = react(changed(b"bag\n\n0\n", b"bag\n\n114752\n"))
    assert result.world[Obj(7)].flags == 114752 & ~(3 << 14)


def test_permissions_are_cut_to_16_bits_as_the_c_server_stores_them():
    result, _ = react(
        changed(b"foo b*ar\n3\n157\n4\n", b"foo b*ar\n3\n65693\n-65532\n")
    )
    assert dumped_again(normalised(result)) == GOOD


def test_blank_lines_are_white_space_only_where_the_c_server_scans():
    result, log = react(
        GOOD.replace(b"\n#4\n", b"\n\n \n#4\n")
        .replace(b"\n#0:0\n", b"\n\n#0:0\n\n ")
        .replace(b"0 clocks\n1 queued tasks\n", b"0\nclocks 1\tqueued tasks\n\n")
    )
    assert log == []
    assert dumped_again(normalised(result)) == GOOD


def test_the_counts_may_stand_on_one_line():
    result, _ = react(changed(b"8\n2\n0\n1\n3\n#0", b"8 2 0 1 3\n#0"))
    assert dumped_again(normalised(result)) == GOOD


@pytest.mark.parametrize(
    ("header", "log", "message"),
    [
        (
            b"#-1:0",
            "*** READ_DB_FILE: Verb for non-existant object: #-1:0.",
            "x.db:174: there is no object #-1",
        ),
        (
            b"#6:0",
            "*** READ_DB_FILE: Verb for non-existant object: #6:0.",
            "x.db:174: there is no object #6",
        ),
        (
            b"#0:-1",
            "*** READ_DB_FILE: Unknown verb index: #0:-1.",
            "x.db:174: object #0 has only 1 verbs",
        ),
    ],
)
def test_headers_of_programs_that_nothing_can_be_found_for(header, log, message):
    result, lines = react(changed(b"\n#0:0\n", b"\n" + header + b"\n"))
    assert lines == [log, "*** DB_LOAD: Cannot load database!"]
    assert str(result).split("\n")[0] == message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            b"unprogrammed\n3\n161\n-1\n0\n3\n",
            b"unprogrammed\n3\n161\n-1\n-1\n3\n",
            "x.db:144: object #5: the number of property definitions is -1, but cannot "
            "be negative",
        ),
        (
            b"unprogrammed\n3\n161\n-1\n0\n3\n",
            b"unprogrammed\n3\n161\n-1\n0\n-1\n",
            "x.db:145: object #5: the number of property values is -1, but cannot be "
            "negative",
        ),
        (
            b"unprogrammed\n3\n161\n-1\n0\n3\n",
            b"unprogrammed\n3\n161\n-1\n0\n1000000000\n",
            "x.db:145: object #5: 1000000000 property values are announced, but only "
            "1397 bytes are left of the file",
        ),
        (
            b"1 rt_stack slots",
            b"-1 rt_stack slots",
            "x.db:403: suspended task 1 of 1: the number of stack slots is -1, but "
            "cannot be negative",
        ),
        (
            b"0 active connections with listeners\n",
            b"-1 active connections with listeners\n",
            "x.db:419: the connections: the number of connections is -1, but cannot be "
            "negative",
        ),
    ],
)
def test_numbers_of_things_that_cannot_be_are_refused(old, new, message):
    """The C server tries to get that much memory."""
    result, _ = react(changed(old, new))
    assert str(result).split("\n")[0] == message


@pytest.mark.parametrize("cut", range(0, len(GOOD), 7))
def test_a_file_that_was_cut_off_anywhere_is_refused_or_is_an_older_format(cut):
    result, log = react(GOOD[:cut])
    if isinstance(result, TextdumpError):
        assert log[-1] == "*** DB_LOAD: Cannot load database!"
        assert "\n" in str(result)
    else:
        # Nothing but whole sections may be missing: they begin with these words.
        rest = GOOD[cut:].lstrip()
        assert rest.startswith((b"1 suspended tasks", b"0 active connections", b"ith"))


def test_a_name_that_is_not_given_is_that_of_the_stream():
    with pytest.raises(TextdumpError, match=r"^textdump:1: the header"):
        load(io.BytesIO(b""))


def test_every_object_is_named_in_the_complaints_it_gives_rise_to():
    textdump = loaded(changed(b"small thing\n\n0\n3\n", b"small thing\n\n0x\n3\n"))
    assert textdump.remarks == [
        'test.db:131: object #5: DBIO_READ_NUM: Bad number: "0x\n" at file pos. 420'
    ]


def test_earlier_copies_are_named_where_there_are_some(tmp_path):
    path = tmp_path / "my world.db"
    path.write_bytes((BAD / "trunc-object.db").read_bytes())
    (tmp_path / "my world.db.backups").mkdir()
    with pytest.raises(TextdumpError) as refusal:
        load(path)
    assert str(refusal.value).endswith(
        f"\nTake an earlier copy of the file (pymoo backup list '{path}'), or save "
        f"what can be read of this one: pymoo db repair '{path}' "
        f"'{tmp_path}/my world.repaired.db'"
    )
