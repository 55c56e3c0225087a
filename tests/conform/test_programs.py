"""Programs on a server: many at once, alone, and after a loss."""

from __future__ import annotations

import pytest

from pymoo.conform.cases import LOST, Answer
from pymoo.conform.database import database
from pymoo.conform.inprocess import InProcessLauncher
from pymoo.conform.programs import Program, run_programs
from pymoo.conform.servers import ServerUnusableError
from pymoo.conform.workbench import Workbench
from tests.conform.fakes import FragileLauncher

OWN = database("own")


def program(code: str, **options: object) -> Program:
    return Program("g", code, key=f"k{abs(hash(code))}", code=code, **options)  # type: ignore[arg-type]


def answers(*programs: Program) -> dict[str, Answer]:
    bench = Workbench(InProcessLauncher("lambdamoo"))
    found = {p.code: a for p, a, _ in run_programs(programs, OWN, bench)}
    bench.discard()
    return found


def test_answers_are_those_of_their_programs() -> None:
    programs = [program(f"return {i};") for i in range(300)]
    found = answers(*programs)
    assert [found[p.code].value for p in programs] == [str(i) for i in range(300)]


def test_what_is_printed_belongs_to_the_program_that_printed_it() -> None:
    found = answers(
        program('notify(player, "a"); notify(player, "b");'),
        program("return 5;"),
        program('notify(player, "c"); return 1 / 0;'),
    )
    outputs = [answer.output for answer in found.values()]
    assert outputs == [("a", "b"), (), ("c",)]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_program_that_is_aborted_shows_no_end_and_holds_up_nothing(
    place: int,
) -> None:
    programs = [program("return 1;"), program("return 2;")]
    programs.insert(place, program("kill_task(task_id());"))
    statuses = [answer.status for answer in answers(*programs).values()]
    assert statuses.pop(place) == "abort"
    assert statuses == ["ok", "ok"]


def test_each_begins_with_a_clean_world() -> None:
    found = answers(
        program("return create($thing);"),
        program("fork (100) endfork return {create($thing), length(queued_tasks())};"),
        program("return {queued_tasks(), max_object()};"),
    )
    values = [answer.value for answer in found.values()]
    assert values == ["#10", "{#10, 1}", "{{}, #9}"]


def test_ticks_are_the_programs_own() -> None:
    found = answers(program(""), program("x = 1 + 2;"), program("$thing:echo(1);"))
    assert [answer.ticks for answer in found.values()] == [0, 2, 3]


def test_setup_and_after_are_commands_of_their_own() -> None:
    (answer,) = answers(
        program(
            "$scratch = $scratch + 1; return task_id() == $scratch;",
            setup='add_property(#0, "scratch", 7, {player, "rw"});',
            after="return $scratch;",
        )
    ).values()
    assert (answer.value, answer.after) == ("0", "8")


def test_a_program_that_suspends_is_waited_for() -> None:
    (answer,) = answers(program("suspend(9); return 1;", takes_time=True)).values()
    assert (answer.value, answer.ticks) == ("1", None)


def test_a_suspended_program_that_is_killed_counts_as_aborted() -> None:
    code = "t = task_id(); fork (1) kill_task(t); endfork suspend();"
    (answer,) = answers(program(code, takes_time=True)).values()
    assert answer.status == "abort"


def test_players_run_their_own() -> None:
    found = answers(
        program("return {1, player};"),
        program("return {2, player};", player="programmer"),
        program("return {3, player};"),
        program("return {4, player};", player="visitor"),
    )
    assert {answer.value for answer in found.values()} == {
        "{1, #3}",
        "{2, #4}",
        "{3, #3}",
        '{E_PERM, "Permission denied", 0}',
    }


def test_the_one_that_ends_the_server_is_found_among_those_under_way() -> None:
    launcher = FragileLauncher("deadly")
    bench = Workbench(launcher)
    programs = [program(f"return {i};") for i in range(100)]
    programs[40] = program('return "deadly";')
    found = {p.code: a for p, a, _ in run_programs(programs, OWN, bench)}
    assert [p.code for p in programs if found[p.code] == LOST] == ['return "deadly";']
    assert len(found) == 100
    assert launcher.starts == 3


def test_a_loss_of_somebody_elses_server_ends_the_run() -> None:
    bench = Workbench(FragileLauncher("deadly", can_restart=False))
    with pytest.raises(ServerUnusableError, match="is not ours to start"):
        list(run_programs([program('return "deadly";')], OWN, bench))


def test_a_server_that_dies_of_everything_is_given_up() -> None:
    bench = Workbench(FragileLauncher("return"))
    programs = [program(f"return {i};") for i in range(100)]
    with pytest.raises(ServerUnusableError, match="lost 26 times"):
        list(run_programs(programs, OWN, bench))


def test_another_database_is_told() -> None:
    bench = Workbench(InProcessLauncher("lambdamoo"))
    with pytest.raises(ServerUnusableError, match="has it loaded the right one"):
        list(run_programs([program("")], database("moot"), bench))
