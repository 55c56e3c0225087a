"""Compiled code that is kept in a file."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from pymoo.interp import code_cache, tiering
from pymoo.interp.code_cache import CodeCache, default_folder, fingerprint
from pymoo.values import Obj
from tests.fakes import Bench

KEY = b"k" * 16
OTHER = b"o" * 16


class Cache:
    """Opens one file again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []

    def open(self, name: str = "x") -> CodeCache:
        return CodeCache(self.folder, name, self.said.append)

    @property
    def path(self) -> Path:
        return self.folder / "code-x.bin"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "deep" / "folder")


def code_of(function: Any) -> Any:
    return function.__code__


def test_what_was_kept_is_there_after_a_restart(cache: Cache) -> None:
    first = cache.open()
    first.put(KEY, (code_of(lambda: 42), "text", 5))
    first.put(OTHER, ("other",))
    assert first.get(KEY)[1:] == ("text", 5)
    first.close()
    again = cache.open()
    code, *rest = again.get(KEY)
    assert eval(code) == 42
    assert rest == ["text", 5]
    assert again.get(OTHER) == ("other",)
    assert again.get(b"n" * 16) is None
    assert cache.said == []


def test_two_servers_share_a_file(cache: Cache) -> None:
    one, two = cache.open(), cache.open()
    for number in range(20):
        owner = one if number % 2 else two
        owner.put(bytes([number]) * 16, ("x" * number,))
    for number in range(20):
        owner = one if number % 2 else two
        assert owner.get(bytes([number]) * 16) == ("x" * number,)
    third = cache.open()
    assert [third.get(bytes([n]) * 16) for n in range(20)] == [
        ("x" * n,) for n in range(20)
    ]


@pytest.mark.parametrize("at", [0, 5, 30, -1])
def test_a_damaged_record_counts_as_not_there(cache: Cache, at: int) -> None:
    first = cache.open()
    first.put(KEY, ("value",))
    first.close()
    data = bytearray(cache.path.read_bytes())
    data[at] ^= 255
    cache.path.write_bytes(data)
    again = cache.open()
    assert again.get(KEY) is None
    again.put(KEY, ("new",))
    assert cache.open().get(KEY) == ("new",)


def test_a_record_cut_off_by_a_crash_is_dropped(cache: Cache) -> None:
    first = cache.open()
    first.put(KEY, ("value",))
    first.put(OTHER, ("other" * 50,))
    first.close()
    data = cache.path.read_bytes()
    cache.path.write_bytes(data[:-10])
    again = cache.open()
    again.put(OTHER, ("anew",))
    assert cache.open().get(OTHER) == ("anew",)
    assert cache.said == []


def test_a_folder_that_others_may_write_to_is_not_used(cache: Cache) -> None:
    cache.folder.mkdir(parents=True)
    cache.folder.chmod(0o777)
    useless = cache.open()
    useless.put(KEY, ("value",))
    assert useless.get(KEY) is None
    assert len(cache.said) == 1
    assert "others may write to" in cache.said[0]
    assert "--code-cache" in cache.said[0]


@pytest.mark.parametrize("bits", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_to_is_not_used(cache: Cache, bits: int) -> None:
    first = cache.open()
    first.put(KEY, ("value",))
    first.close()
    cache.path.chmod(bits)
    useless = cache.open()
    assert useless.get(KEY) is None
    assert f"others may write to {cache.path}" in cache.said[0]
    useless.put(OTHER, ("value",))
    cache.path.chmod(0o600)
    assert cache.open().get(OTHER) is None


def test_a_file_is_for_its_user_alone(cache: Cache) -> None:
    old = os.umask(0)
    try:
        cache.open().close()
    finally:
        os.umask(old)
    assert cache.path.stat().st_mode & 0o777 == 0o600
    assert cache.folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_somebody_else_is_not_used(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.open().close()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    useless = cache.open()
    useless.put(KEY, ("value",))
    assert useless.get(KEY) is None
    assert f"{cache.folder} belongs to somebody else" in cache.said[0]


def test_a_file_of_somebody_else_is_not_used(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.open().close()
    fstat = os.fstat

    def foreign(number: int) -> os.stat_result:
        found = fstat(number)
        if stat.S_ISDIR(found.st_mode):
            return found
        fields = [*found]
        fields[stat.ST_UID] = os.getuid() + 1
        return os.stat_result(fields)

    monkeypatch.setattr(os, "fstat", foreign)
    useless = cache.open()
    assert useless.get(KEY) is None
    assert f"{cache.path} belongs to somebody else" in cache.said[0]


def test_a_link_in_the_place_of_the_file_is_not_followed(cache: Cache) -> None:
    elsewhere = Cache(cache.folder.parent / "elsewhere")
    first = elsewhere.open()
    first.put(KEY, ("value",))
    first.close()
    before = elsewhere.path.read_bytes()
    cache.folder.mkdir(parents=True)
    cache.path.symlink_to(elsewhere.path)
    useless = cache.open()
    useless.put(OTHER, ("value",))
    assert useless.get(KEY) is None
    assert cache.said == [
        f"{cache.folder}: no compiled code is kept there: {cache.path} is a link; "
        "name another folder with --code-cache"
    ]
    assert elsewhere.path.read_bytes() == before


def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(cache: Cache) -> None:
    cache.folder.mkdir(mode=0o700, parents=True)
    os.mkfifo(cache.path, 0o600)
    useless = cache.open()
    useless.put(KEY, ("value",))
    assert useless.get(KEY) is None
    assert f"{cache.path} is no file" in cache.said[0]


def test_what_is_opened_is_what_was_looked_at(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two the folder is moved, and another takes its place."""
    cache.open().close()
    theirs = cache.folder.with_name("theirs")
    theirs.mkdir()
    with open(theirs / cache.path.name, "wb") as stream:
        stream.write(b"code of theirs")
    check = code_cache.check_private

    def checked(path: Path, status: os.stat_result) -> None:
        check(path, status)
        if path == cache.folder:
            cache.folder.rename(cache.folder.with_name("moved"))
            theirs.rename(cache.folder)

    monkeypatch.setattr(code_cache, "check_private", checked)
    opened = cache.open()
    opened.put(KEY, ("value",))
    assert opened.get(KEY) == ("value",)
    assert cache.path.read_bytes() == b"code of theirs"


def test_a_folder_that_cannot_be_made_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "folder")
    useless = cache.open()
    useless.put(KEY, ("value",))
    assert len(cache.said) == 1
    assert str(tmp_path / "file") in cache.said[0]


def test_a_file_in_the_place_of_the_folder_is_said_with_the_remedy(
    tmp_path: Path,
) -> None:
    cache = Cache(tmp_path / "file")
    cache.folder.write_text("")
    cache.open()
    assert cache.said == [
        f"{cache.folder}: no compiled code is kept there: {cache.folder} is no folder; "
        "name another folder with --code-cache"
    ]


def test_what_the_system_refuses_is_said_with_place_and_remedy(cache: Cache) -> None:
    cache.path.mkdir(parents=True)
    cache.folder.chmod(0o700)
    cache.open()
    assert cache.said == [
        f"{cache.folder}: no compiled code is kept there: {cache.path}: "
        "Is a directory; name another folder with --code-cache"
    ]


def test_a_full_disk_is_said_once(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = cache.open()

    def short(number: int, data: bytes) -> int:
        return len(data) // 2

    monkeypatch.setattr(os, "write", short)
    opened.put(KEY, ("value",))
    opened.put(OTHER, ("value",))
    assert opened.get(KEY) is None
    assert len(cache.said) == 1
    assert "disk is full" in cache.said[0]


def test_a_file_does_not_grow_without_end(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_cache, "MAX_FILE", 1_000)
    opened = cache.open()
    for number in range(100):
        opened.put(bytes([number]) * 16, ("x" * 100,))
    assert cache.path.stat().st_size < 1_500


def test_files_of_old_versions_go(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_cache, "MAX_FILES", 3)
    for age, name in enumerate("abcdef"):
        cache.open(name).close()
        os.utime(cache.folder / f"code-{name}.bin", (1_000 + age, 1_000 + age))
    cache.open("new").close()
    names = sorted(path.name for path in cache.folder.iterdir())
    assert names == ["code-e.bin", "code-f.bin", "code-new.bin"]


def test_the_name_of_a_file_tells_the_built_in_functions_apart() -> None:
    assert fingerprint([("a", 1)]) == fingerprint([("a", 1)])
    assert fingerprint([("a", 1)]) != fingerprint([("a", 2)])


def test_the_folder_is_where_the_user_s_caches_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_folder() == Path("/somewhere/pymoo")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/me")
    assert default_folder() == Path("/home/me/.cache/pymoo")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert default_folder() is None


# --- the tier that uses it ----------------------------------------------------

CODE = """
{n, ?text = "x"} = args;
total = 0;
for i in [1..n]
  try
    total = total + (i % 3 ? i | #7.missing);
  except e (E_INVIND, E_PROPNF)
    total = total + length(e[2]);
  endtry
endfor
return {total, this == #2, `1 / 0 ! E_DIV => text'};
"""


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what starts an engine that keeps its code."""
    monkeypatch.delenv(tiering.SWITCH, raising=False)
    said: list[str] = []

    def start() -> Bench:
        bench = Bench()
        bench.engine.tiering.keep_code(tmp_path / "cache", said.append)
        bench.verb(2, "v", CODE.strip().splitlines())
        return bench

    yield start
    assert said == []


def function_of(bench: Bench) -> Any:
    verbdef = bench.world[Obj(2)].verbs[-1]
    return verbdef.compiled.fast


def test_a_verb_is_python_from_its_second_call_after_a_restart(started: Any) -> None:
    first = started()
    expected = [first.run("return #2:v(7);").literal for _ in range(3)]
    assert function_of(first) is None
    first.engine.tiering.calls_before = 3
    expected.append(first.run("return #2:v(7);").literal)
    assert function_of(first) is not None

    second = started()
    seen = []
    for call in range(4):
        seen.append(second.run("return #2:v(7);").literal)
        assert (function_of(second) is not None) is (call > 0)
    assert seen == expected


def test_what_stays_with_the_walker_is_not_taken_from_a_file_either(
    started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = started()
    first.engine.tiering.calls_before = 0
    first.run("return #2:v(7);")
    monkeypatch.setenv(tiering.SWITCH, "walker")
    second = started()
    for _ in range(4):
        second.run("return #2:v(7);")
    assert function_of(second) is None


def test_kept_code_that_does_not_fit_is_a_bug_and_not_the_end(
    started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = started()
    first.engine.tiering.calls_before = 0
    first.run("return #2:v(7);")
    second = started()
    logged: Any = second.engine.host.server.logged  # type: ignore[attr-defined]
    monkeypatch.setattr(
        CodeCache, "get", lambda self, key: (None, (("node", 10**6),), (), (), 0)
    )
    expected = first.run("return #2:v(7);").literal
    for _ in range(4):
        assert second.run("return #2:v(7);").literal == expected
    assert function_of(second) is None
    assert len(logged) == 1
    assert "BUG IN PYMOO" in logged[0]


def test_programs_of_the_same_text_are_made_once(
    started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = started()
    bench.engine.tiering.calls_before = 0
    made: list[str] = []
    generate = tiering.generate

    def noted(*arguments: Any) -> Any:
        made.append("verb")
        return generate(*arguments)

    monkeypatch.setattr(tiering, "generate", noted)
    for _ in range(5):
        assert bench.run('return {"the same", 1 + 1};').literal == '{"the same", 2}'
    assert made == ["verb"]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("explains", True), ("is_quick", False), ("is_pure", False), ("_checked", ())],
)
def test_code_is_kept_apart_by_how_functions_are_called(
    started: Any, tmp_path: Path, attribute: str, value: Any
) -> None:
    """Whatever generated code asks of a function, with the same function_info()."""
    first, second = started(), started()
    folder = tmp_path / "cache"
    assert len(list(folder.iterdir())) == 1
    builtin = second.engine.builtins["strcmp"]
    before = builtin.description
    setattr(builtin, attribute, value)
    assert builtin.description == before == first.engine.builtins["strcmp"].description
    second.engine.tiering.keep_code(folder, pytest.fail)
    assert len(list(folder.iterdir())) == 2


def test_protection_makes_other_code(started: Any) -> None:
    bench = started()
    bench.engine.tiering.calls_before = 0
    code = 'return length("abc");'
    assert bench.run(code).value == 3
    bench.run(
        'add_property(#4, "protect_length", 1, {#3, "r"}); load_server_options();'
    )
    bench.verb(0, "bf_length", "return 100 + length(@args);")
    assert bench.run(code).value == 103
