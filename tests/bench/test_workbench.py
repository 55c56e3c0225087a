"""The world that programs are measured in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pymoo.bench.cases import BenchError, Tier
from pymoo.bench.workbench import Workbench, in_force
from pymoo.interp.tiering import SWITCH
from pymoo.lang.dialect import dialect
from pymoo.server.database import open_database
from tests.db.worlds import DATA

MINIMAL = DATA / "Minimal.db"


@pytest.fixture
def workbench() -> Workbench:
    return Workbench(MINIMAL, dialect("pymoo"), Tier.COMPILED)


def test_a_program_is_run_by_a_wizard(workbench: Workbench) -> None:
    assert workbench.run("return player.wizard && caller_perms() == #-1;") == 1


def test_a_verb_is_called_on_the_scratch_object(workbench: Workbench) -> None:
    workbench.define("twice", "{x} = args;\nreturn {this, x * 2};")
    assert workbench.call("twice", 4) == (workbench.scratch, 8)


def test_verbs_that_are_defined_anew_have_names_of_their_own(
    workbench: Workbench,
) -> None:
    first, second = (workbench.define_anew(f"return {n};") for n in (1, 2))
    assert [workbench.call(first), workbench.call(second)] == [1, 2]


def test_the_value_of_a_verb_that_suspends_is_what_it_leaves(
    workbench: Workbench,
) -> None:
    verb = workbench.define_anew("suspend(0); fork (0) this.answer = 7; endfork")
    assert workbench.call(verb) == 7


def test_what_is_forked_waits_until_time_passes(workbench: Workbench) -> None:
    count = f"return {workbench.scratch}.count;"
    workbench.call(workbench.define_anew("fork (9) this.count = 1; endfork"))
    workbench.advance(8)
    assert workbench.run(count) == 0
    workbench.advance(1)
    assert workbench.run(count) == 1


def test_programs_may_use_any_number_of_ticks(workbench: Workbench) -> None:
    code = "for i in [1..100000] endfor return i;"
    assert workbench.run(code) == 100_000
    bound = Workbench(MINIMAL, dialect("pymoo"), Tier.COMPILED, lifts_limits=False)
    with pytest.raises(BenchError, match="Task ran out of ticks"):
        bound.run(code)


def test_what_does_not_parse_is_an_error_that_shows_it(workbench: Workbench) -> None:
    with pytest.raises(BenchError, match=r"(?s)Line 1:.*return 1 \+;"):
        workbench.run("return 1 +;")
    with pytest.raises(BenchError, match="Line 1:"):
        workbench.define("wrong", "return 1 +;")


def test_an_error_is_shown_with_its_traceback(workbench: Workbench) -> None:
    with pytest.raises(BenchError, match=r"line 1:  Type mismatch"):
        workbench.run('return 1 + "";')


def test_a_file_without_a_wizard_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nobody.db"
    text = MINIMAL.read_text(encoding="latin-1").replace("\n#3\n", "\n#3\n")
    lines = text.splitlines()
    flags = lines.index("Wizard") + 2
    assert int(lines[flags]) & 4
    lines[flags] = str(int(lines[flags]) & ~4)
    path.write_text("\n".join(lines) + "\n", encoding="latin-1")
    with pytest.raises(BenchError, match="there is no wizard"):
        Workbench(path, dialect("pymoo"), Tier.COMPILED)


def test_the_database_file_is_not_changed(workbench: Workbench) -> None:
    before = MINIMAL.read_bytes()
    workbench.run('add_property(#0, "new", 1, {player, "r"}); return 1;')
    assert MINIMAL.read_bytes() == before


def test_what_is_saved_is_the_world_as_it_is(
    workbench: Workbench, tmp_path: Path
) -> None:
    workbench.run('#0.name = "Another name"; return 1;')
    path = tmp_path / "saved.db"
    workbench.save(path)
    world = open_database(path, dialect("pymoo")).textdump.world
    assert world[workbench.scratch].name == "scratch"
    assert {record.name for record in world.objects()} >= {"Another name"}


@pytest.mark.parametrize("before", [None, "compiled"])
def test_the_tier_in_force_is_that_until_the_end(
    monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    if before is None:
        monkeypatch.delenv(SWITCH, raising=False)
    else:
        monkeypatch.setenv(SWITCH, before)
    with in_force(Tier.WALKER):
        assert os.environ[SWITCH] == "walker"
    with in_force(Tier.COMPILED):
        assert SWITCH not in os.environ
    assert os.environ.get(SWITCH) == before


@pytest.mark.parametrize(
    ("tier", "is_compiled"), [("walker", False), ("compiled", True)]
)
def test_only_the_second_tier_compiles_what_is_hot(
    tier: str, is_compiled: bool
) -> None:
    workbench = Workbench(MINIMAL, dialect("pymoo"), Tier(tier))
    workbench.define("hot", "return 1;")
    for _ in range(200):
        workbench.call("hot")
    (verbdef,) = workbench.world[workbench.scratch].verbs
    assert (verbdef.compiled.fast is not None) is is_compiled
