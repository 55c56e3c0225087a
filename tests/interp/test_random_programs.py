"""Random programs: they end somehow, and leave a world that is whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pymoo.interp.vm import Aborted, Blocked, Done
from pymoo.values import Obj
from tests.fakes import Bench
from tests.program_strategies import (
    MIXES,
    program_text,
    program_world,
    programs_for_world,
)

TICKS = 500
# A task that waits for itself again and again never ends.
TURNS = 60


@pytest.mark.parametrize("mix", MIXES)
def test_a_seed_gives_the_same_program_every_time(mix: str) -> None:
    texts = [program_text(str(seed), mix) for seed in range(20)]
    assert texts == [program_text(str(seed), mix) for seed in range(20)]
    assert len(set(texts)) > 10


@pytest.mark.parametrize("mix", MIXES)
def test_nearly_all_of_them_compile(mix: str) -> None:
    bench = Bench(program_world())
    texts = [program_text(str(seed), mix) for seed in range(100)]
    assert sum(not bench.errors(text + "\n") for text in texts) > 95


@pytest.mark.parametrize("mix", MIXES)
@settings(max_examples=6)
@given(data=st.data())
def test_whatever_they_do_the_world_is_whole(mix: str, data: st.DataObject) -> None:
    bench = Bench(program_world())
    bench.run(f"#4.fg_ticks = #4.bg_ticks = {TICKS};")
    for _ in range(3):
        text = data.draw(programs_for_world(mix))
        player = data.draw(st.sampled_from((Obj(3), Obj(3), Obj(5), Obj(6))))
        if bench.errors(text + "\n"):
            continue
        debug = data.draw(st.sampled_from((8, 8, 0)))
        result = bench.run(text, player=player, debug=debug).result
        assert isinstance(result, Done | Blocked | Aborted)
        for turn in range(TURNS):
            if not bench.scheduler.turn():
                bench.clock.advance(1)
                if turn > TURNS // 2:
                    break
    assert list(bench.world.check(owners=False)) == []
