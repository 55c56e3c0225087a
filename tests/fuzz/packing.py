"""Texts in the file of the jobs: what was written, or refused."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from pymoo.jobs import JobValueError
from pymoo.jobs.packing import SHOWN, pack, shown, unpack
from tests.fuzz.mutating import mutated
from tests.fuzz.running import Target, plain
from tests.jobs.test_packing import kept, same

_SEEDS: Final = (
    '[1,2.5,"text",{"obj":12},{"err":1},null,true,false]',
    '{"list":[1,[2],{"list":[]}]}',
    '{"map":{"a":1,"b":{"map":{}}}}',
    '{"task":["tests.jobs.work:note",1,[1],{"map":{"k":1}}]}',
    '{"int":"0xffffffffffffffffffff"}',
    '"\\u00e9\\n\\"\\\\"',
)
_TOKENS: Final = (
    "[", "]", "{", "}", ",", ":", '"', "\\", "null", "1e999", "-", ".", "0x", "NaN",
    '{"obj":', '{"err":99999}', '{"int":"-"}', '{"map":{', '{"task":[', '"a":',
    "\ud800", "\\ud800\\udc00", "\n", "9" * 5000, "[" * 3000, "1_0", "\u0661",
)  # fmt: skip

INPUTS: Final = st.tuples(
    st.one_of(mutated(_SEEDS, _TOKENS, line=","), st.text(max_size=20)),
    kept,
)


def check(data: tuple[str, Any]) -> None:
    text, value = data
    assert same(unpack(pack(value)), value)
    try:
        found = unpack(text)
    except JobValueError as error:
        _check_error(error)
        return
    # Read in no other spelling than the one that is written.
    assert pack(found) == text
    assert len(shown(found)) <= SHOWN + 50


def _check_error(error: JobValueError) -> None:
    """It says what is wrong in few words."""
    assert len(str(error)) < 200


TARGET: Final = Target("packing", INPUTS, plain(check))
