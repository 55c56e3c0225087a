"""Programs as cases: each does what it says, in both tiers, and is checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymoo.bench.cases import BenchError, Case, Tier
from pymoo.bench.growth import growth_cases
from pymoo.bench.language import language_cases
from pymoo.bench.measure import measure
from pymoo.bench.programs import Program
from pymoo.bench.session import Session
from pymoo.bench.tasks import task_cases
from pymoo.lang.dialect import dialect
from tests.db.worlds import DATA

CASES = [
    *language_cases(),
    *growth_cases(),
    *(case for case in task_cases() if case.name.endswith("-10000")),
]


@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_each_case_gives_the_right_answer_and_a_figure(
    session: Session, case: Case, tier: Tier
) -> None:
    objects = len(session.workbench(tier).world)
    (figure,) = measure(session, case, [tier], rounds=1)
    assert figure.samples[0] > 0
    assert len(session.workbench(tier).world) == objects  # it has cleared up


def test_a_wrong_answer_is_an_error_and_not_a_figure(session: Session) -> None:
    program = Program("return 2 * n;", units=1, value=3)
    case = Case("loops", "wrong", "round", "", program.prepared)
    with pytest.raises(BenchError) as error:
        measure(session, case, [Tier.WALKER], rounds=1)
    assert str(error.value) == (
        "loops/wrong, walker: a program returned 2 instead of 3:\nreturn 2 * n;"
    )


def test_an_answer_that_is_only_equal_in_python_is_wrong(session: Session) -> None:
    program = Program("return 1.0;", units=1, value=1)
    with (
        pytest.raises(BenchError, match=r"returned 1\.0 instead of 1"),
        program.prepared(session, Tier.WALKER),
    ):
        pass


def test_an_error_in_a_program_is_shown_with_its_traceback(session: Session) -> None:
    program = Program("return n / 0;", units=1, value=1)
    with (
        pytest.raises(BenchError, match=r"line 2:  Division by zero"),
        program.prepared(session, Tier.COMPILED),
    ):
        pass


def test_what_a_case_needs_is_removed_even_after_a_wrong_answer(
    session: Session,
) -> None:
    world = session.workbench(Tier.WALKER).world
    objects = len(world)
    program = Program(
        "return 0;",
        1,
        1,
        "o.object = create(o); o.count = 1;",
        "recycle(o.object); o.object = 0;",
    )
    with pytest.raises(BenchError), program.prepared(session, Tier.WALKER):
        pass
    assert len(world) == objects


def test_a_round_takes_at_least_as_long_as_it_should(tmp_path: Path) -> None:
    """The number of repetitions is what is found out; no figure is judged."""
    seen: list[int] = []

    class Counting(Program):
        def run(self, workbench: object, verb: str, n: int) -> None:
            seen.append(n)
            super().run(workbench, verb, n)  # type: ignore[arg-type]

    program = Counting("for i in [1..n * 100] endfor return i / n;", 100, 100)
    with (
        Session(
            DATA / "Minimal.db", dialect("pymoo"), tmp_path, round_s=0.005
        ) as session,
        program.prepared(session, Tier.WALKER) as sample,
    ):
        sample()
    assert seen[:3] == [1, 1, 1]
    assert seen[-1] == seen[-2] > 1


def test_the_utilities_are_not_measured_where_there_are_none(tmp_path: Path) -> None:
    with Session(DATA / "Minimal.db", dialect("pymoo"), tmp_path) as session:
        lacks = {case.group: case.lack(session) for case in language_cases()}
    assert lacks["utilities"] == "$list_utils and $string_utils"
    assert lacks["loops"] == ""
