"""Players at a server in a process of its own."""

from __future__ import annotations

import gzip
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pymoo.bench.cases import BenchError, Tier
from pymoo.bench.commands import LAMBDACORE, STARTER, Step
from pymoo.bench.many_objects import write_many_objects
from pymoo.bench.measure import measure
from pymoo.bench.mix import command_cases, mix_cases
from pymoo.bench.session import Session
from pymoo.bench.start import start_cases
from pymoo.db.textdump import load
from pymoo.interp.tiering import SWITCH
from pymoo.lang.dialect import dialect
from tests.db.worlds import DATA
from tests.shared_material import SHARED, needs_shared


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session with LambdaCore."""
    folder = tmp_path_factory.mktemp("core")
    database = folder / "LambdaCore.db"
    with gzip.open(SHARED / "cores" / "LambdaCore-20Jun18.db.gz") as stream:
        database.write_bytes(stream.read())
    with Session(
        database, dialect("pymoo"), folder, round_s=0, lines_per_round=1
    ) as session:
        yield session


def measured(session: Session, tier: Tier) -> set[str]:
    """Type each kind of command that the core knows; return their names."""
    cases = [case for case in command_cases() if not case.lack(session)]
    for case in cases:
        (figure,) = measure(session, case, [tier], rounds=1)
        assert figure.samples[0] > 0
    return {case.name for case in cases}


def test_every_command_of_the_starter_core_is_answered(session: Session) -> None:
    assert measured(session, Tier.COMPILED) == STARTER.kinds.keys()


@needs_shared
def test_every_command_of_lambdacore_is_answered(core: Session) -> None:
    assert measured(core, Tier.COMPILED) == LAMBDACORE.kinds.keys()


@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize("players", [1, 12])
def test_a_crowd_plays_the_mix(session: Session, tier: Tier, players: int) -> None:
    (case,) = mix_cases([players])
    (figure,) = measure(session, case, [tier], rounds=2)
    assert len(figure.samples) == 2
    assert all(sample > 0 for sample in figure.samples)


@needs_shared
def test_a_crowd_plays_the_mix_in_lambdacore(core: Session) -> None:
    (case,) = mix_cases([12])
    (figure,) = measure(core, case, [Tier.COMPILED], rounds=1)
    assert figure.samples[0] > 0


def test_of_very_many_players_the_starter_core_shows_some(session: Session) -> None:
    with session.crowd(130, Tier.COMPILED) as (_, crowd):
        for answer in ("... and 30 more\r\n", "\n130 players.\r\n"):
            assert crowd.play([[Step("@who", (answer,))]]) == 1


def test_a_wrong_answer_is_an_error_that_shows_it(session: Session) -> None:
    with session.crowd(1, Tier.COMPILED) as (_, crowd):
        assert crowd.play([[Step(";1 + 1", ("=> 2",))]]) == 1
        with pytest.raises(BenchError) as error:
            crowd.play([[Step(";2 + 2", ("=> 5", "five"))]])
    assert str(error.value) == (
        "Babababa typed ';2 + 2' and was not told '=> 5' or 'five', but:\n=> 4\r\n"
    )


def test_what_others_say_is_no_answer(session: Session) -> None:
    hear = Step(";2 + 2", ("says",))
    say = Step("say hello", ("You say",))
    with session.crowd(3, Tier.COMPILED) as (_, crowd):
        # The first and the third are in one room.
        crowd.play([[], [], [say] * 5])
        with pytest.raises(BenchError, match="was not told 'says'"):
            crowd.play([[hear]])


def test_players_who_are_disconnected_are_an_error(session: Session) -> None:
    script = [Step("@quit", ("never",)), Step("look", ("never",))]
    with (
        session.crowd(1, Tier.COMPILED) as (_, crowd),
        pytest.raises(BenchError, match="Babababa was disconnected"),
    ):
        crowd.play([script])


def test_a_core_that_nobody_knows_has_no_commands(tmp_path: Path) -> None:
    with Session(DATA / "Minimal.db", dialect("pymoo"), tmp_path) as session:
        (case,) = mix_cases([1])
        lack = "the commands of LambdaCore or pymoo's starter core"
        assert case.lack(session) == lack
        assert {case.lack(session) for case in command_cases()} == {lack}


# --- the server -----------------------------------------------------------------------


def test_a_server_tells_what_it_has_used(session: Session) -> None:
    with session.serve(session.copy(), Tier.WALKER) as served:
        before = served.cpu_seconds
        assert before > 0
        for _ in range(20):
            served.connect().close()
        assert served.cpu_seconds > before
        assert served.memory > 1_000_000


@pytest.mark.parametrize("tier", list(Tier))
def test_a_server_runs_in_the_tier_that_is_measured(
    session: Session, monkeypatch: pytest.MonkeyPatch, tier: Tier
) -> None:
    """Whatever the environment says: with this, no server starts."""
    monkeypatch.setenv(SWITCH, "neither")
    with session.serve(session.copy(), tier) as served:
        served.connect().close()


def test_a_server_that_cannot_start_says_why(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "broken.db"
    path.write_text("no database\n")
    with (
        pytest.raises(BenchError, match=r"(?s)has ended:.*broken\.db:1"),
        session.serve(path, Tier.WALKER),
    ):
        pass


def wait_for_end(process_id: int) -> None:
    """Wait until a child and its threads have ended; leave it to be collected."""
    process = Path(f"/proc/{process_id}")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        status = (process / "stat").read_text()
        has_ended = status.rpartition(")")[2].split()[0] == "Z"
        # The first thread may end while others still hold the sockets.
        if has_ended and len(list((process / "task").iterdir())) == 1:
            return
        time.sleep(0.01)
    pytest.fail(f"process {process_id} has not ended")


def test_a_server_that_has_died_is_an_error(session: Session) -> None:
    with session.serve(session.copy(), Tier.WALKER) as served:
        os.kill(served.process_id, signal.SIGKILL)
        wait_for_end(served.process_id)
        with pytest.raises(BenchError, match="cannot be reached"):
            served.connect()
        with pytest.raises(BenchError, match="has ended"):
            _ = served.memory


def test_the_start_and_the_memory_of_servers_are_measured(session: Session) -> None:
    for case in start_cases():
        if not case.is_long:
            (figure,) = measure(session, case, [Tier.COMPILED], rounds=1)
            assert figure.tier == ""
            assert figure.samples[0] > 0


def test_a_world_of_many_objects_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "many.db"
    write_many_objects(path, 500)
    world = load(path).world
    assert len(world) == 500
    assert list(world.check()) == []
