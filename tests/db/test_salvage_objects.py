"""One object, read again with one thing changed, or several."""

from __future__ import annotations

import pytest

from pymoo.db.objects import CLEAR
from pymoo.db.salvage_objects import ObjectReader, Piece
from pymoo.values import Obj

OBJECT = """\
#7
lamp

16
3
2
-1
-1
1
-1
-1
2
light
3
173
-1
dim
3
173
-1
1
oil
2
2
much
3
5
5
3
4
"""


def read(text: str) -> Piece:
    reader = ObjectReader(lambda owner: -1 <= owner <= 10, 32)
    return reader.read_damaged(text.encode("latin-1"), 7, 101)


def lines_of(piece: Piece) -> list[str]:
    return [edit.note for edit in piece.changes] + piece.notes


def test_a_sound_object_is_read_whole() -> None:
    piece = read(OBJECT)
    record = piece.found.record
    assert (piece.reason, lines_of(piece), piece.end) == ("", [], len(OBJECT))
    assert (record.name, record.flags, record.owner) == ("lamp", 16, 3)
    assert (record.location, record.parent) == (2, 1)
    assert [verb.names for verb in record.verbs] == ["light", "dim"]
    assert record.propdefs == ("oil",)
    assert record.values[0] == "much"
    assert record.infos == ((Obj(3), 5), (Obj(3), 4))
    assert piece.found.is_whole


@pytest.mark.parametrize(
    ("old", "new", "notes"),
    [
        ("lamp\n", "lamp\nlamp\n", ["line 103 is there twice: now once"]),
        ("dim\n", "dim\ndim\n", ["line 118 is there twice: now once"]),
        ("light\n3\n", "light\n", None),
        (
            "much\n3\n5\n",
            "much\nx\n5\n",
            ["line 126: the owner of a property was 'x': now 0"],
        ),
        (
            "16\n3\n2\n",
            "16\n3x\n2\n",
            ["line 105: its owner was '3x': now 3"],
        ),
        (
            "oil\n2\n",
            "oil\n3\n",
            [
                "the number of its property values was 3, but 2 are there, and may be "
                "another's"
            ],
        ),
        (
            "2\nmuch\n3\n5\n",
            "99\nmuch\n3\n5\n",
            ["the value of oil (line 124: DBIO_READ_VAR: Unknown type (99))"],
        ),
        (
            "light\n3\n173\n-1\ndim\n3\n173\n-1\n",
            "light\n3\n173\n-1\n-1\ndim\n3\n173\n-1\n",
            ["line 117 is there twice: now once"],
        ),
    ],
)
def test_one_damage_is_made_good(old: str, new: str, notes: list[str] | None) -> None:
    assert OBJECT.count(old) == 1
    piece = read(OBJECT.replace(old, new))
    assert piece.reason == ""
    if notes is not None:
        assert lines_of(piece) == notes
    assert [verb.names for verb in piece.found.record.verbs] == ["light", "dim"]
    assert piece.found.record.propdefs == ("oil",)
    assert len(piece.found.record.values) == 2


@pytest.mark.parametrize(
    ("old", "new", "line", "note", "verb"),
    [
        ("3\n173\n-1\ndim", "99\n173\n-1\ndim", 114, "a verb of #99", (99, 173, -1)),
        (
            "173\n-1\ndim",
            "-1\n-1\ndim",
            115,
            "a verb with permissions -1: now 0",
            (3, 0, -1),
        ),
        (
            "-1\ndim",
            "-9\ndim",
            116,
            "a verb with preposition -9: now -1",
            (3, 173, -1),
        ),
    ],
)
def test_what_no_verb_has_is_told_and_gives_nobody_rights(
    old: str, new: str, line: int, note: str, verb: tuple[int, int, int]
) -> None:
    """Permissions of -1 would let anybody write what runs with its owner's."""
    assert OBJECT.count(old) == 1
    piece = read(OBJECT.replace(old, new))
    assert (piece.reason, lines_of(piece)) == ("", [f"line {line}: {note}"])
    light, dim = piece.found.record.verbs
    assert (light.owner, light.perms, light.prep) == verb
    assert (dim.owner, dim.perms, dim.prep) == (3, 173, -1)


def with_verbs(owners: list[int]) -> str:
    head, tail = OBJECT.split("2\nlight\n3\n173\n-1\ndim\n3\n173\n-1\n")
    verbs = "".join(f"verb{owner}\n{owner}\n173\n-1\n" for owner in owners)
    return f"{head}{len(owners)}\n{verbs}{tail}"


def test_an_object_whose_verbs_have_many_strange_owners_is_not_believed() -> None:
    piece = read(with_verbs([3, 96, 97, 98, 99]))
    assert piece.reason == "line 118: a verb of #96"
    assert [verb.owner for verb in piece.found.record.verbs] == [3]


def test_one_strange_owner_of_many_verbs_is_one_fault() -> None:
    piece = read(with_verbs([99] * 5))
    assert piece.reason == ""
    assert lines_of(piece) == [
        f"line {line}: a verb of #99" for line in range(114, 134, 4)
    ]
    assert len(piece.found.record.verbs) == 5


def test_permissions_that_no_property_has_become_none() -> None:
    piece = read(OBJECT.replace("much\n3\n5\n", "much\n3\n-1\n"))
    assert lines_of(piece) == ["line 127: owner #3, permissions -1: now permissions 0"]
    assert piece.found.record.infos[0] == (Obj(3), 0)


def test_several_damages_are_made_good_together() -> None:
    text = OBJECT.replace("lamp\n", "lamp\nlamp\n").replace("dim\n", "dim\ndim\n")
    piece = read(text.replace("\n2\nmuch\n", "\n99\nmuch\n"))
    assert piece.reason == ""
    assert len(piece.changes) == 3
    assert [edit.is_loss for edit in piece.changes].count(True) == 1
    assert [verb.names for verb in piece.found.record.verbs] == ["light", "dim"]


def test_of_two_damaged_values_what_stands_before_the_first_is_kept() -> None:
    """What stands between them could belong to either."""
    value = "4\n2\n0\n1\n2\n{}\n3\n5\n"
    head = OBJECT[: OBJECT.index("1\noil\n")] + "6\na\nb\nc\nd\ne\nf\n6\n"
    parts = [value.format(name) for name in "uvwxyz"]
    for place in (1, 4):
        parts[place] = parts[place].replace("4\n2\n", "4\ntwo\n")
    piece = read(head + "".join(parts))
    assert piece.reason == "line 138: expected the length of a list, found 'two'"
    assert piece.found.record.values == [(1, "u")]


# Behind line 27 a value ends, and so may an object; behind line 29 it is but one line
# that is missing.
ENDS = [end for end in range(4, OBJECT.count("\n")) if end not in (27, 29)]


def test_nothing_is_concluded_from_how_many_values_a_cut_object_has() -> None:
    piece = read("".join(OBJECT.splitlines(keepends=True)[:27]))
    assert lines_of(piece) == [
        "the number of its property values was 2, but 1 are there, and may be another's"
    ]
    assert not piece.found.is_whole


def test_the_number_of_values_that_is_known_is_the_one_it_gets() -> None:
    text = OBJECT.replace("oil\n2\n", "oil\n7\n").encode()
    reader = ObjectReader(lambda owner: -1 <= owner <= 10, 32)
    piece = reader.read_damaged(text, 7, 101, inherited=("colour",))
    assert lines_of(piece) == ["the number of its property values was 7: now 2"]


# An object with values of its own and of others, as a file has them.
LONG = OBJECT[: OBJECT.index("1\noil\n")] + "1\noil\n7\n"
NAMES = ("description", "key", "aliases", "opened", "size", "owner_name")
VALUES_OF_LONG = [
    "2\nmuch\n3\n5\n",
    "2\nA brass lamp.\n3\n5\n",
    "2\nbrass\n3\n5\n",
    "4\n2\n2\nlamp\n2\nlight\n3\n4\n",
    "5\n3\n1\n",
    "0\n5\n3\n4\n",
    "1\n5\n3\n5\n",
]
SOUND = ["much", "A brass lamp.", "brass", ("lamp", "light"), CLEAR, 5, Obj(5)]


def read_long(values: str) -> Piece:
    reader = ObjectReader(lambda owner: -1 <= owner <= 10, 32)
    return reader.read_damaged((LONG + values).encode(), 7, 101, inherited=NAMES)


def test_a_value_without_its_text_is_lost_alone_and_by_name() -> None:
    piece = read_long("".join(VALUES_OF_LONG).replace("A brass lamp.\n", ""))
    assert lines_of(piece) == [
        "the value of description: a line of it seems to be missing (were it "
        "more than one, values before it may be another's)"
    ]
    assert piece.changes[0].is_loss
    record = piece.found.record
    assert record.values == [SOUND[0], CLEAR, *SOUND[2:]]
    assert record.infos[:3] == ((Obj(3), 5),) * 3


def test_a_long_list_without_one_of_its_lines_is_lost_alone() -> None:
    text = "".join(f"2\nline {number}\n" for number in range(50))
    values = [*VALUES_OF_LONG]
    values[1] = f"4\n50\n{text}3\n5\n"
    piece = read_long("".join(values).replace("line 20\n", ""))
    assert lines_of(piece)[0].startswith("the value of description: a line of it ")
    assert piece.found.record.values == [SOUND[0], CLEAR, *SOUND[2:]]


LINES = "".join(VALUES_OF_LONG).splitlines()

# Without one of these the rest is a sound object as well, and nobody can tell.
UNTOLD = range(21, 28)


@pytest.mark.parametrize("missing", range(len(LINES)))
@pytest.mark.parametrize("count", [1, 2])
def test_no_value_is_kept_that_is_another_s(missing: int, count: int) -> None:
    """Whatever lines are missing: it is the one that was there, or nothing."""
    left = [*LINES[:missing], *LINES[missing + count :]]
    piece = read_long("".join(f"{line}\n" for line in left))
    kept = [value for value in piece.found.record.values if value is not CLEAR]
    if count == 1 and missing not in UNTOLD:
        assert piece.reason == ""
        assert len(piece.found.record.values) == len(SOUND)
        for value, sound in zip(piece.found.record.values, SOUND, strict=True):
            assert value is CLEAR or value == sound
    said = " ".join([*lines_of(piece), piece.reason])
    if said.strip() and any(value not in SOUND for value in kept):
        assert "may be another's" in said
    assert (not said.strip()) == (count == 1 and missing in UNTOLD)


@pytest.mark.parametrize("end", ENDS)
def test_of_an_object_that_was_cut_all_is_kept_that_stands_before(end: int) -> None:
    text = "".join(OBJECT.splitlines(keepends=True)[:end])
    piece = read(text)
    assert piece.reason.startswith("line ")
    record = piece.found.record
    assert record.name == "lamp"
    assert len(record.verbs) == (end >= 16) + (end >= 20)
    assert record.propdefs == (("oil",) if end >= 22 else ())
    assert len(record.values) == (end >= 27)
    assert piece.found.has_parent == (end >= 9)
    assert not piece.found.is_whole


def test_a_reason_names_line_and_what_was_expected() -> None:
    text = "".join(OBJECT.splitlines(keepends=True)[:5])
    assert read(text).reason == "line 106: expected its location, found ''"
