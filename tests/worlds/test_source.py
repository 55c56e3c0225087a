"""The text of worlds, and what is said of mistakes in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.values import E_PERM, NOTHING, Obj, literal
from pymoo.worlds.source import WorldSourceError, read_world

HEADER = """object $it
  name "it"
  owner $it
"""


def write(folder: Path, **files: str) -> Path:
    """Make a folder of a world whose objects are in the order of ``files``."""
    for name, text in files.items():
        (folder / f"{name}.moo").write_text(text, encoding="latin-1")
    names = "".join(f"{name}.moo\n" for name in files)
    (folder / "world.moo").write_text(names, encoding="ascii")
    return folder


def message(folder: Path) -> str:
    """Return what is wrong, without the folder."""
    with pytest.raises(WorldSourceError) as caught:
        read_world(folder)
    return str(caught.value).replace(f"{folder}/", "").replace(str(folder), "FOLDER")


# --- what is read ---------------------------------------------------------------


def test_an_object_is_read_with_everything_it_has(tmp_path: Path) -> None:
    world = read_world(
        write(
            tmp_path,
            root='object $root\n  name "root"\n  owner $it',
            it="""// The lamp.
object $it       // $it
  name "brass lamp"
  parent $root
  owner $it
  location #0
  flags r f      // and not w

property oil rc = 10
property "two words" "" $root = {"a // b", #-1, $it,   // a comment
  {}, {E_PERM, 2.5},
  -3}
set key = clear
set name_of_it r $root = "it is \\"it\\" \\\\"

verb "l*ight =x" this "in front of" any rxd $root
"light <lamp>";
  // is a program that
  does: not "concern us

.
verb "" none none none ""
.
verb never this none this x unprogrammed
""",
        )
    )
    assert world.size == 2
    assert world.names == {"root": Obj(0), "it": Obj(1)}
    root, lamp = world.objects
    assert (root.name, root.parent, root.location) == ("root", NOTHING, NOTHING)
    assert (lamp.name, lamp.objid, lamp.owner) == ("brass lamp", Obj(1), Obj(1))
    assert (lamp.parent, lamp.location) == (Obj(0), Obj(0))
    assert lamp.flags == {"r", "f"}
    oil, words, key, name = lamp.properties
    assert (oil.name, oil.is_new, oil.perms, oil.owner) == ("oil", True, "rc", None)
    assert (oil.value, oil.line) == (10, 9)
    assert (words.name, words.perms, words.owner) == ("two words", "", Obj(0))
    assert words.value == ("a // b", NOTHING, Obj(1), (), (E_PERM, 2.5), -3)
    assert (key.value, key.is_new, key.perms) == (None, False, None)
    assert (name.value, name.perms, name.owner) == ('it is "it" \\', "r", Obj(0))
    light, empty, never = lamp.verbs
    assert light.names == "l*ight =x"
    assert (light.dobj, light.prep, light.iobj) == ("this", "in front of", "any")
    assert (light.perms, light.owner, light.line) == ("rxd", Obj(0), 17)
    assert light.code == (
        '"light <lamp>";',
        "  // is a program that",
        '  does: not "concern us',
        "",
    )
    assert (empty.names, empty.perms, empty.code) == ("", "", ())
    assert (never.names, never.code) == ("never", None)


def test_recycled_numbers_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, it=HEADER, last='object #2\n  name "last"\n  owner $it\n')
    manifest = "// Three numbers.\nit.moo\nrecycled  // nothing there\nlast.moo\n"
    (tmp_path / "world.moo").write_text(manifest, encoding="ascii")
    world = read_world(tmp_path)
    assert world.size == 3
    assert [object_.objid for object_ in world.objects] == [0, 2]
    assert world.names == {"it": 0}


def test_bytes_above_127_are_characters_as_in_a_textdump(tmp_path: Path) -> None:
    world = read_world(write(tmp_path, it=HEADER + 'property p r = "caf\xe9"\n'))
    assert world.objects[0].properties[0].value == "caf\xe9"


scalars = (
    st.integers(-(2**31), 2**31 - 1)
    | st.floats(allow_nan=False, allow_infinity=False, width=32).map(
        lambda number: float(f"{number:.15g}")
    )
    | st.text(st.characters(min_codepoint=32, max_codepoint=255))
    | st.integers(-5, 10).map(Obj)
    | st.just(E_PERM)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4).map(tuple), max_leaves=20
)


@given(value=values)
def test_every_value_is_read_back_from_its_literal(
    value: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("world")
    text = literal(value)  # type: ignore[arg-type]
    world = read_world(write(folder, it=f"{HEADER}property p r = {text}\n"))
    read = world.objects[0].properties[0].value
    assert read is not None
    assert literal(read) == text


def test_values_may_be_nested_deep(tmp_path: Path) -> None:
    depth = 20_000
    text = "{" * depth + "}" * depth
    world = read_world(write(tmp_path, it=f"{HEADER}property p r = {text}\n"))
    value = world.objects[0].properties[0].value
    height = 0
    while isinstance(value, tuple):
        height += 1
        value = value[0] if value else None
    assert height == depth


# --- what is refused ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n// nothing\n", "it.moo:2: expected object $NAME, found the end of the "
         "file"),
        ('name "it"', "it.moo:1: expected object $NAME, found name"),
        ("object", "it.moo:1: expected object $NAME, found nothing more"),
        ("object it", "it.moo:1: expected object $NAME, or object #0, found object it"),
        ("object #5", "it.moo:1: expected object $NAME, or object #0, found object #5"),
        ("object $it\nowner $it", "it.moo:2: expected a line with the name of the "
         "object, found none"),
        ('object $it\nname ""', "it.moo:2: expected a line with the owner of the "
         "object, found none"),
        (HEADER + "colour red", "it.moo:4: expected object, name, owner, parent, "
         "location, flags, property, set or verb, found colour"),
        (HEADER + "owner $it", "it.moo:4: expected one owner, found another one in "
         "line 3"),
        (HEADER + "parent", "it.moo:4: expected one word after parent, found nothing "
         "more"),
        (HEADER + "parent a b", "it.moo:4: expected one word after parent, found a b"),
        (HEADER + "parent other", "it.moo:4: expected $NAME, #NUMBER or nothing, found "
         "other"),
        (HEADER + "parent $other", "it.moo:4: expected an object of this world (see "
         "world.moo), found $other"),
        (HEADER + "flags r q", "it.moo:4: expected flags (player programmer wizard r w "
         "f), found q"),
        (HEADER + 'name "it', "it.moo:4: expected a closing quote, found \"it"),
        (HEADER + "property p r = 1\nlocation #0", "it.moo:5: expected property, set "
         "or verb, found location, which stands above"),
        (HEADER + "property p = 1", "it.moo:4: expected property NAME PERMS [OWNER] = "
         "VALUE, found p"),
        (HEADER + "property p r", "it.moo:4: expected property NAME PERMS [OWNER] = "
         "VALUE, found no ="),
        (HEADER + "set p r $it more = 1", "it.moo:4: expected set NAME [PERMS [OWNER]] "
         "= VALUE, found p r $it more"),
        (HEADER + "property p rx = 1", "it.moo:4: expected permissions of a property "
         '(rwc or ""), found rx'),
        (HEADER + "property p rr = 1", "it.moo:4: expected permissions of a property "
         '(rwc or ""), found rr'),
        (HEADER + "property p r =\n", "it.moo:4: expected the rest of a value, found "
         "the end of the file"),
        (HEADER + "property p r = {1,\n\n", "it.moo:5: expected the rest of a value, "
         "found the end of the file"),
        (HEADER + "property p r = {1\n2}", "it.moo:5: expected , or }, found 2"),
        (HEADER + "property p r = {1,\n}", "it.moo:5: expected a value, found }"),
        (HEADER + "property p r = {,1}", "it.moo:4: expected a value or }, found ,"),
        (HEADER + "property p r = }", "it.moo:4: expected a value, found }"),
        (HEADER + "property p r = clear", "it.moo:4: expected a value, found clear"),
        (HEADER + "property p r = 1 2", "it.moo:4: expected nothing more behind the "
         "value, found 2"),
        (HEADER + "property p r = E_NOSUCH", "it.moo:4: expected an error (E_NONE "
         "E_TYPE E_DIV E_PERM E_PROPNF E_VERBNF E_VARNF E_INVIND E_RECMOVE E_MAXREC "
         "E_RANGE E_ARGS E_NACC E_INVARG E_QUOTA E_FLOAT), found E_NOSUCH"),
        (HEADER + "property p r = 1\nset P = 2", "it.moo:5: expected a property that "
         "is not given yet, found P"),
        (HEADER + "verb v this none", "it.moo:4: expected verb NAMES DOBJ PREP IOBJ "
         "PERMS [OWNER], found v this none"),
        (HEADER + "verb v that none this x\n.", "it.moo:4: expected this, any or none, "
         "found that"),
        (HEADER + "verb v this none this rc\n.", "it.moo:4: expected permissions of a "
         'verb (rwxd or ""), found rc'),
        (HEADER + "verb v this none this x\nreturn;\n", 'it.moo:5: expected "." at the '
         'end of the verb "v", found the file\'s end'),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert message(write(tmp_path, it=text)) == expected


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ("it.moo\n\nnone.moo", "world.moo:3: expected the name of a file in FOLDER, "
         "found none.moo"),
        ("it.moo it.moo", "world.moo:1: expected the name of a file, or recycled, "
         "found it.moo it.moo"),
        ("it.moo\nit.moo", "world.moo:2: expected a file that is not listed yet, found "
         "it.moo"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_list_of_files_is_told_with_its_place(
    tmp_path: Path, manifest: str, expected: str
) -> None:
    write(tmp_path, it=HEADER)
    (tmp_path / "world.moo").write_text(manifest, encoding="ascii")
    assert message(tmp_path) == expected


def test_two_objects_do_not_share_a_name(tmp_path: Path) -> None:
    assert message(write(tmp_path, it=HEADER, other=HEADER)) == (
        "other.moo: $it is already object #0, it.moo: give one of them another name"
    )
