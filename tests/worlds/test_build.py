"""Worlds made from their text, and the file of the starter core."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pymoo.db.objects import CLEAR
from pymoo.db.textdump import dump, load
from pymoo.db.world import World
from pymoo.errors import PymooError
from pymoo.values import Obj
from pymoo.worlds import build, starter
from pymoo.worlds.build import build_world, main, write_textdump
from pymoo.worlds.source import WorldSourceError, read_world
from tests.worlds.test_source import HEADER, write


def built(folder: Path) -> World:
    return build_world(read_world(folder))


def message(folder: Path) -> str:
    with pytest.raises(WorldSourceError) as caught:
        built(folder)
    return str(caught.value).replace(f"{folder}/", "")


# --- worlds -----------------------------------------------------------------------


def test_a_world_has_all_that_its_text_says(tmp_path: Path) -> None:
    write(
        tmp_path,
        child="""object $child
  name "child"
  owner $wiz
  parent $root
  location $wiz
  flags r f
set size = 5
set colour r $root = clear
verb "b*eat hit" this "in" any rd $root
return  (1+2)*3 ;   /* a comment */
.
verb never any any none "" unprogrammed
.
""".replace("unprogrammed\n.\n", "unprogrammed\n"),
        root="""object $root
  name "root"
  owner $wiz
property size rc = 1
property colour r = "red"
""",
        wiz="""object $wiz
  name "Wiz"
  owner $wiz
  parent $root
  flags player programmer wizard
""",
    )
    world = built(tmp_path)
    child, root, wiz = world[Obj(0)], world[Obj(1)], world[Obj(2)]
    assert (child.name, child.parent, child.owner) == ("child", 1, 2)
    assert (child.location, [*wiz.contents], [*root.children]) == (2, [0], [0, 2])
    assert world.players == (2,)
    assert (wiz.is_player, wiz.is_programmer, wiz.is_wizard) == (True, True, True)
    assert world.builtin_value(child, "f") == 1
    assert world.builtin_value(child, "w") == 0
    assert root.propdefs == ("size", "colour")
    assert child.values == [5, CLEAR]
    # Of the child's owner with the c bit; as they stand without it, or where given.
    assert child.infos == ((2, 5), (1, 1))
    assert root.infos == ((2, 5), (2, 1))
    beat, never = child.verbs
    assert (beat.names, beat.owner, beat.flags) == ("b*eat hit", 1, 9)
    assert (beat.dobj, beat.prep, beat.iobj) == (2, 3, 1)
    assert beat.code == "return (1 + 2) * 3;\n"
    assert (never.code, never.prep, never.flags) == (None, -2, 0)


def test_children_inherit_what_is_set_on_their_parents(tmp_path: Path) -> None:
    write(
        tmp_path,
        grandchild="""object $grandchild
  name "grandchild"
  owner $grandchild
  parent $child
""",
        child="""object $child
  name "child"
  owner $child
  parent $root
property own rw = 1
set colour r $root = "red"
set size w = clear
""",
        root="""object $root
  name "root"
  owner $root
property size rc = 1
property colour rc = "blue"
property shape c = "round"
""",
    )
    world = built(tmp_path)
    grandchild, child, root = (world[Obj(number)] for number in range(3))
    assert root.infos == ((2, 5), (2, 5), (2, 4))
    assert child.infos == ((1, 3), (1, 2), (2, 1), (1, 4))
    assert grandchild.infos == ((1, 3), (1, 2), (2, 1), (0, 4))


def test_a_recycled_number_stays_free(tmp_path: Path) -> None:
    write(tmp_path, it=HEADER)
    (tmp_path / "world.moo").write_text("it.moo\nrecycled\n", encoding="ascii")
    world = built(tmp_path)
    assert len(world) == 1
    assert world.max_object == Obj(1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("parent #7", "it.moo: expected an object of this world as parent, found #7"),
        ("location #7", "it.moo: expected an object of this world as location, found "
         "#7"),
        ("parent $it", "it.moo: the parent of an object cannot be, in the end, that "
         "object itself"),
        ("location $it", "it.moo: the location of an object cannot be, in the end, "
         "that object itself"),
        ("property name r = 1", "it.moo:4: expected a name that no ancestor, "
         "descendant or built-in property has, found name"),
        ("set name = 1", "it.moo:4: expected a property that an ancestor defines, "
         "found name"),
        ("\nset it = 1", "it.moo:5: expected a property that an ancestor defines, "
         "found it"),
        ("verb v this near any x\n.", "it.moo:4: expected none, any or a preposition, "
         "found near"),
        ("verb v this none this x\nx = 1;\nreturn\n\nx x;\n.", "it.moo:8: verb "
         '"v": syntax error'),
        ("verb v this none this x\nfoo();\n$;\n.", 'it.moo:5: verb "v": Unknown '
         'built-in function: foo\nit.moo:6: verb "v": Illegal context for `$\' '
         "expression."),
    ],
)  # fmt: skip
def test_what_makes_no_world_is_told_with_its_place(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert message(write(tmp_path, it=HEADER + text)) == expected


def test_an_owner_must_be_there(tmp_path: Path) -> None:
    text = 'object #0\n  name "it"\n  owner nothing\n'
    assert message(write(tmp_path, it=text)) == (
        "it.moo: expected an object of this world as owner, found #-1"
    )


def test_a_circle_of_parents_is_refused(tmp_path: Path) -> None:
    one = 'object $one\n  name "1"\n  owner $one\n  parent $two'
    two = 'object $two\n  name "2"\n  owner $two\n  parent $one'
    assert message(write(tmp_path, one=one, two=two)) == (
        "two.moo: the parent of an object cannot be, in the end, that object itself"
    )


# --- the starter core ---------------------------------------------------------------


def bytes_of(world: World) -> bytes:
    stream = io.BytesIO()
    dump(world, stream)
    return stream.getvalue()


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Where the starter core's textdump may be: both folders are not there yet."""
    beside, cache = tmp_path / "package" / "built", tmp_path / "cache"
    monkeypatch.setattr(starter, "BUILT", beside)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("LOCALAPPDATA", str(cache))
    return beside, cache / "pymoo"


def test_the_same_text_gives_the_same_bytes_in_another_process() -> None:
    program = (
        "import sys\nfrom pymoo.db.textdump import dump\n"
        "from pymoo.worlds.starter import build_starter\n"
        "dump(build_starter(), sys.stdout.buffer)"
    )
    first = bytes_of(starter.build_starter())
    for seed in ("1", "2"):
        second = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        assert second.stdout == first


def test_the_textdump_is_built_once(places: tuple[Path, Path]) -> None:
    beside, cache = places
    path = starter.starter_textdump()
    assert path.parent == beside
    before = path.stat()
    assert starter.starter_textdump() == path
    assert path.stat() == before
    assert not cache.exists()
    assert [*beside.iterdir()] == [path]


def test_the_textdump_is_read_without_a_remark(places: tuple[Path, Path]) -> None:
    textdump = load(starter.starter_textdump())
    assert textdump.remarks == []
    assert textdump.tasks == []
    assert bytes_of(textdump.world) == bytes_of(starter.build_starter())


def test_a_textdump_of_older_text_is_replaced(
    places: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, _ = places
    old = starter.starter_textdump()
    write(tmp_path, it=HEADER)
    monkeypatch.setattr(starter, "SOURCES", tmp_path)
    new = starter.starter_textdump()
    assert new != old
    assert [*beside.iterdir()] == [new]
    assert len(load(new).world) == 1


def test_the_textdump_lies_in_the_cache_where_the_package_cannot_be_written(
    places: tuple[Path, Path],
) -> None:
    beside, cache = places
    # A file where the folder would have to be: not even root can write there.
    beside.parent.write_text("")
    path = starter.starter_textdump()
    assert path.parent == cache
    assert starter.starter_textdump() == path


def test_without_any_place_it_is_said_what_to_do(places: tuple[Path, Path]) -> None:
    beside, cache = places
    beside.parent.write_text("")
    cache.parent.write_text("")
    with pytest.raises(PymooError) as caught:
        starter.starter_textdump()
    assert str(caught.value).splitlines() == [
        "The starter core has not been built, and there is no place for it:",
        f"  {beside}: Not a directory",
        f"  {cache}: Not a directory",
        "Set XDG_CACHE_HOME to a folder that can be written to, or build it "
        "elsewhere with: python -m pymoo.worlds.build OUT.db",
    ]


def test_a_new_database_is_a_copy(places: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    starter.copy_starter(path)
    assert path.read_bytes() == starter.starter_textdump().read_bytes()


def test_a_database_that_is_there_is_kept(
    places: tuple[Path, Path], tmp_path: Path
) -> None:
    path = tmp_path / "world.db"
    path.write_text("precious")
    with pytest.raises(PymooError) as caught:
        starter.copy_starter(path)
    assert str(caught.value) == (
        f"{path}: a new database cannot be made there: File exists"
    )
    assert path.read_text() == "precious"


def test_an_unfinished_textdump_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(world: World, stream: io.BytesIO) -> None:
        stream.write(b"** Lambda")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build, "dump", full)
    with pytest.raises(OSError, match="No space left"):
        write_textdump(starter.build_starter(), tmp_path / "world.db")
    assert [*tmp_path.iterdir()] == []


def test_the_command_builds_to_the_file_that_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out.db"
    assert main([str(path)]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert path.read_bytes() == bytes_of(starter.build_starter())


def test_the_command_says_where_the_textdump_is(
    places: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == f"{starter.starter_textdump()}\n"


def test_the_command_tells_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["a", "b"]) == 2
    assert capsys.readouterr().err == "Usage: python -m pymoo.worlds.build [OUT]\n"
    monkeypatch.setattr(starter, "SOURCES", write(tmp_path, it=HEADER + "parent #7"))
    assert main([str(tmp_path / "out.db")]) == 2
    assert capsys.readouterr().err.endswith(
        "it.moo: expected an object of this world as parent, found #7\n"
    )
